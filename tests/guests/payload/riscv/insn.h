/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Instruction words made by hand (RISC-V Unprivileged, "RV32/64G Instruction
 * Set Listings", "C" and "Zcb"; Privileged, "Hypervisor Instructions").
 */
#ifndef INSN_H
#define INSN_H

#include <stdint.h>

#define OP_LOAD 0x03u
#define OP_LOAD_FP 0x07u
#define OP_STORE 0x23u
#define OP_STORE_FP 0x27u
#define OP_AMO 0x2fu
#define OP_SYSTEM 0x73u

#define INSN_ECALL 0x00000073u
#define INSN_EBREAK 0x00100073u
#define INSN_SRET 0x10200073u
#define INSN_MRET 0x30200073u
#define INSN_WFI 0x10500073u
#define INSN_SFENCE_VMA 0x12000073u
#define INSN_HFENCE_VVMA 0x22000073u
#define INSN_HFENCE_GVMA 0x62000073u
#define INSN_RET 0x00008067u

static inline uint32_t insn_i(uint32_t op, uint32_t f3, uint32_t rd,
			      uint32_t rs1, int32_t imm)
{
	return op | rd << 7 | f3 << 12 | rs1 << 15 | (uint32_t)imm << 20;
}

static inline uint32_t insn_s(uint32_t op, uint32_t f3, uint32_t rs1,
			      uint32_t rs2, int32_t imm)
{
	uint32_t i = (uint32_t)imm;

	return op | (i & 31) << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 |
	       (i >> 5 & 127) << 25;
}

/* funct5: 0x02 lr, 0x03 sc, 0x01 swap, 0x00 add, ...; f3: 2 word, 3 double. */
static inline uint32_t insn_amo(uint32_t funct5, uint32_t f3, uint32_t rd,
				uint32_t rs1, uint32_t rs2)
{
	return OP_AMO | rd << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 |
	       funct5 << 27;
}

/* f3: 1 csrrw, 2 csrrs, 3 csrrc. */
static inline uint32_t insn_csr(uint32_t f3, uint32_t rd, uint32_t csr,
				uint32_t rs1)
{
	return OP_SYSTEM | rd << 7 | f3 << 12 | rs1 << 15 | csr << 20;
}

/* funct7: 0x30 hlv.b ... 0x36 hlv.d; 0x31 hsv.b ... 0x37 hsv.d. */
static inline uint32_t insn_hlv(uint32_t funct7, uint32_t rd, uint32_t rs1,
				uint32_t rs2)
{
	return OP_SYSTEM | rd << 7 | 4u << 12 | rs1 << 15 | rs2 << 20 |
	       funct7 << 25;
}

/*
 * Quadrant 0, registers x8-x15 and offset 0. f3: 1 fld, 2 lw, 3 ld, 5 fsd,
 * 6 sw, 7 sd. `reg` is the register loaded or stored.
 */
static inline uint32_t insn_c0(uint32_t f3, uint32_t reg, uint32_t base)
{
	return f3 << 13 | (base - 8) << 7 | (reg - 8) << 2;
}

/* Quadrant 2, base sp, offset 0. f3: 1 fldsp, 2 lwsp, 3 ldsp. */
static inline uint32_t insn_clsp(uint32_t f3, uint32_t rd)
{
	return 2u | f3 << 13 | rd << 7;
}

/* f3: 5 fsdsp, 6 swsp, 7 sdsp. */
static inline uint32_t insn_cssp(uint32_t f3, uint32_t rs2)
{
	return 2u | f3 << 13 | rs2 << 2;
}

/*
 * Zcb: funct6 0x20 c.lbu, 0x21 c.lhu/c.lh, 0x22 c.sb, 0x23 c.sh. `low` is
 * bits 6:5: the offset of c.lbu and c.sb (bit 6 is offset bit 0), sign and
 * offset bit 1 of the halfword forms.
 */
static inline uint32_t insn_zcb(uint32_t funct6, uint32_t low, uint32_t reg,
				uint32_t base)
{
	return funct6 << 10 | (base - 8) << 7 | low << 5 | (reg - 8) << 2;
}

#endif
