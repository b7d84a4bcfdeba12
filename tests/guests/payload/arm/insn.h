/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Instruction words made by hand (DDI 0487, "A64 instruction set encoding"). */
#ifndef INSN_H
#define INSN_H

#include <stdint.h>

#define INSN_HVC(imm) (0xd4000002u | (uint32_t)(imm) << 5)
#define INSN_SMC(imm) (0xd4000003u | (uint32_t)(imm) << 5)
#define INSN_SVC(imm) (0xd4000001u | (uint32_t)(imm) << 5)
#define INSN_BRK(imm) (0xd4200000u | (uint32_t)(imm) << 5)
#define INSN_NOP 0xd503201fu
#define INSN_WFE 0xd503205fu
#define INSN_WFI 0xd503207fu
#define INSN_ERET 0xd69f03e0u
#define INSN_RET 0xd65f03c0u

/* The number of a system register as MRS and MSR have it in bits 20:5. */
#define SYSREG(op0, op1, crn, crm, op2)                                   \
	((uint32_t)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | \
		    (op2)))

static inline uint32_t insn_mrs(uint32_t reg, uint32_t rt)
{
	return 0xd5200000u | reg << 5 | rt;
}

static inline uint32_t insn_msr(uint32_t reg, uint32_t rt)
{
	return 0xd5000000u | reg << 5 | rt;
}

/* "Load/store register (unsigned immediate)"; opc: 0 store, 1 load, 2 and 3 load
 * with sign. `imm` counts in units of the size. */
static inline uint32_t insn_ls(uint32_t size, uint32_t v, uint32_t opc,
			       uint32_t rt, uint32_t rn, uint32_t imm)
{
	return 0x39000000u | size << 30 | v << 26 | opc << 22 | imm << 10 |
	       rn << 5 | rt;
}

/* Nine bits of bytes; form: 0 unscaled, 1 post-index, 2 unprivileged, 3
 * pre-index. */
static inline uint32_t insn_ls9(uint32_t size, uint32_t v, uint32_t opc,
				uint32_t form, uint32_t rt, uint32_t rn,
				int32_t imm)
{
	return 0x38000000u | size << 30 | v << 26 | opc << 22 |
	       ((uint32_t)imm & 0x1ff) << 12 | form << 10 | rn << 5 | rt;
}

/* Register offset; option: 2 uxtw, 3 lsl, 6 sxtw, 7 sxtx. */
static inline uint32_t insn_lsr(uint32_t size, uint32_t v, uint32_t opc,
				uint32_t rt, uint32_t rn, uint32_t rm,
				uint32_t option, uint32_t shift)
{
	return 0x38200800u | size << 30 | v << 26 | opc << 22 | rm << 16 |
	       option << 13 | shift << 12 | rn << 5 | rt;
}

/* Pairs. opc: 0 w or s, 1 ldpsw or d, 2 x or q; form: 0 no-allocate, 1
 * post-index, 2 offset, 3 pre-index. `imm` counts in units of the size. */
static inline uint32_t insn_lsp(uint32_t opc, uint32_t v, uint32_t form,
				uint32_t load, uint32_t rt, uint32_t rt2,
				uint32_t rn, int32_t imm)
{
	return 0x28000000u | opc << 30 | v << 26 | form << 23 | load << 22 |
	       ((uint32_t)imm & 0x7f) << 15 | rt2 << 10 | rn << 5 | rt;
}

/* "Load/store exclusive" and ordered: o2 L o1 o0 of that table. */
static inline uint32_t insn_lsx(uint32_t size, uint32_t o2, uint32_t load,
				uint32_t o1, uint32_t o0, uint32_t rs,
				uint32_t rt2, uint32_t rn, uint32_t rt)
{
	return 0x08000000u | size << 30 | o2 << 23 | load << 22 | o1 << 21 |
	       rs << 16 | o0 << 15 | rt2 << 10 | rn << 5 | rt;
}

/* "Atomic memory operations": o3 and opc; swp is 1, 0, ldadd 0, 0. */
static inline uint32_t insn_atomic(uint32_t size, uint32_t o3, uint32_t opc,
				   uint32_t rs, uint32_t rn, uint32_t rt)
{
	return 0x38200000u | size << 30 | rs << 16 | o3 << 15 | opc << 12 |
	       rn << 5 | rt;
}

#endif
