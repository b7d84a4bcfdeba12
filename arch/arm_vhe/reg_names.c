/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The registers a dump shows, by the names of the Arm ARM. */
#include "axvm/arch.h"
#include "vm.h"

#define GPR(n)                          \
	{                               \
		"x" #n, AXVM_REG_GPR(n) \
	}
#define SYS(name, ...)                                 \
	{                                              \
		name, AXVM_REG_ARM_SYSREG(__VA_ARGS__) \
	}

const struct axvm_register axvmi_arm_registers[ARM_REGISTERS] = {
	{"pc", AXVM_REG_PC},
	{"pstate", AXVM_REG_ARM_PSTATE},
	GPR(0),
	GPR(1),
	GPR(2),
	GPR(3),
	GPR(4),
	GPR(5),
	GPR(6),
	GPR(7),
	GPR(8),
	GPR(9),
	GPR(10),
	GPR(11),
	GPR(12),
	GPR(13),
	GPR(14),
	GPR(15),
	GPR(16),
	GPR(17),
	GPR(18),
	GPR(19),
	GPR(20),
	GPR(21),
	GPR(22),
	GPR(23),
	GPR(24),
	GPR(25),
	GPR(26),
	GPR(27),
	GPR(28),
	GPR(29),
	GPR(30),
	SYS("sp_el0", 3, 0, 4, 1, 0),
	SYS("sp_el1", 3, 4, 4, 1, 0),
	SYS("elr_el1", 3, 0, 4, 0, 1),
	SYS("spsr_el1", 3, 0, 4, 0, 0),
	SYS("esr_el1", 3, 0, 5, 2, 0),
	SYS("far_el1", 3, 0, 6, 0, 0),
	SYS("par_el1", 3, 0, 7, 4, 0),
	SYS("vbar_el1", 3, 0, 12, 0, 0),
	SYS("sctlr_el1", 3, 0, 1, 0, 0),
	SYS("cpacr_el1", 3, 0, 1, 0, 2),
	SYS("ttbr0_el1", 3, 0, 2, 0, 0),
	SYS("ttbr1_el1", 3, 0, 2, 0, 1),
	SYS("tcr_el1", 3, 0, 2, 0, 2),
	SYS("mair_el1", 3, 0, 10, 2, 0),
	SYS("amair_el1", 3, 0, 10, 3, 0),
	SYS("contextidr", 3, 0, 13, 0, 1),
	SYS("tpidr_el1", 3, 0, 13, 0, 4),
	SYS("tpidr_el0", 3, 3, 13, 0, 2),
	SYS("tpidrro_el0", 3, 3, 13, 0, 3),
	SYS("mpidr_el1", 3, 0, 0, 0, 5),
	SYS("csselr_el1", 3, 2, 0, 0, 0),
	SYS("cntkctl_el1", 3, 0, 14, 1, 0),
	SYS("cntv_ctl", 3, 3, 14, 3, 1),
	SYS("cntv_cval", 3, 3, 14, 3, 2),
	SYS("cntp_ctl", 3, 3, 14, 2, 1),
	SYS("cntp_cval", 3, 3, 14, 2, 2),
};
