/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The registers a dump shows, by the names of the RISC-V manuals and ABI. */
#include "axvm/arch.h"
#include "vm.h"

#define GPR(name, n)                  \
	{                             \
		name, AXVM_REG_GPR(n) \
	}
#define CSR(name, n)                        \
	{                                   \
		name, AXVM_REG_RISCV_CSR(n) \
	}

const struct axvm_register axvmi_riscv_registers[RISCV_REGISTERS] = {
	{"pc", AXVM_REG_PC},	GPR("ra", 1),
	GPR("sp", 2),		GPR("gp", 3),
	GPR("tp", 4),		GPR("t0", 5),
	GPR("t1", 6),		GPR("t2", 7),
	GPR("s0", 8),		GPR("s1", 9),
	GPR("a0", 10),		GPR("a1", 11),
	GPR("a2", 12),		GPR("a3", 13),
	GPR("a4", 14),		GPR("a5", 15),
	GPR("a6", 16),		GPR("a7", 17),
	GPR("s2", 18),		GPR("s3", 19),
	GPR("s4", 20),		GPR("s5", 21),
	GPR("s6", 22),		GPR("s7", 23),
	GPR("s8", 24),		GPR("s9", 25),
	GPR("s10", 26),		GPR("s11", 27),
	GPR("t3", 28),		GPR("t4", 29),
	GPR("t5", 30),		GPR("t6", 31),
	CSR("sstatus", 0x100),	CSR("sie", 0x104),
	CSR("stvec", 0x105),	CSR("scounteren", 0x106),
	CSR("senvcfg", 0x10a),	CSR("sscratch", 0x140),
	CSR("sepc", 0x141),	CSR("scause", 0x142),
	CSR("stval", 0x143),	CSR("sip", 0x144),
	CSR("stimecmp", 0x14d), CSR("satp", 0x180),
};
