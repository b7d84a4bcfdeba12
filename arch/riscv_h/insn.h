/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Guest instructions as the exit path needs them: which access faulted, which
 * system instruction trapped. Pure: values in, values out, no state. Every
 * input gives a defined result with registers below 32; the exit path calls.
 */
#ifndef AXVMI_RISCV_H_INSN_H
#define AXVMI_RISCV_H_INSN_H

#include <stdbool.h>
#include <stdint.h>

#include "bits.h"

/* On the way of every access to a device, twice: for loads and for stores. */
#define IN_LINE __attribute__((always_inline)) static inline

/*
 * What an instruction does to memory. Only LOAD and STORE can be emulated as
 * one access of an integer register; a fault of the others is reflected.
 */
enum riscv_insn_kind {
	RISCV_INSN_OTHER = 0, /* no access, reserved or unknown */
	RISCV_INSN_LOAD, /* lb..lwu, c.lw, c.ld, c.lwsp, c.ldsp, Zcb */
	RISCV_INSN_STORE, /* sb..sd, c.sw, c.sd, c.swsp, c.sdsp, Zcb */
	RISCV_INSN_FP_LOAD,
	RISCV_INSN_FP_STORE,
	RISCV_INSN_LR,
	RISCV_INSN_SC,
	RISCV_INSN_AMO, /* also Zabha's bytes and halves, Zacas' amocas */
	RISCV_INSN_VECTOR,
	RISCV_INSN_CBO, /* cbo.inval, .clean, .flush, .zero */
};

/* Registers wide, since the exit path pays for every mask. */
struct riscv_insn {
	enum riscv_insn_kind kind;
	/* htinst only: how far into the access the faulting address lies. */
	uint32_t fault_offset;
	uint64_t sign; /* 1: an integer load that sign-extends: lb, lh, lw */
	/* Destination (loads, LR, SC, AMO) or source (stores): x, f or v. */
	uint64_t reg;
	/* Bytes: 1, 2, 4, 8. 0: OTHER, VECTOR, CBO, and 16-byte accesses. */
	uint64_t width;
	uint64_t length; /* of the instruction: 2 or 4 bytes */
};

/* The part that is not worth inlining: all but what riscv_insn_try() knows. */
struct riscv_insn axvmi_riscv_insn_classify(uint32_t insn);

/*
 * Bytes of the instruction whose first 16 bits are `low` (Unprivileged,
 * "Base Instruction-Length Encoding"). No standard one is longer than 4, so
 * the prefixes of longer ones count as 4.
 */
static inline uint8_t riscv_insn_length(uint32_t low)
{
	return (low & 3) == 3 ? 4 : 2;
}

static inline struct riscv_insn riscv_insn_integer(bool store, uint64_t size,
						   uint64_t reg, bool sign)
{
	struct riscv_insn out = {
		.kind = store ? RISCV_INSN_STORE : RISCV_INSN_LOAD,
		.reg = reg & 31,
		.width = BIT64(size & 3),
		.sign = sign,
	};

	return out;
}

/*
 * The loads, or with `store` the stores, of LOAD and STORE and of CL and CS,
 * which most accesses to devices are. False: another one, `out` untouched.
 */
IN_LINE bool riscv_insn_try(uint64_t insn, bool store, struct riscv_insn *out)
{
	uint64_t funct3 = insn >> 12 & 7;
	uint64_t bit;

	if ((insn & 3) == 3) {
		if ((insn & 0x7f) != (store ? 0x23u : 0x03u) ||
		    (store ? funct3 > 3 : funct3 == 7))
			return false;
		*out = riscv_insn_integer(store, funct3,
					  insn >> (store ? 20 : 7),
					  !store && funct3 < 3);
		out->length = 4;
		return true;
	}
	/* RV64 (Unprivileged, "RVC Instruction Set Listings"): funct3 is 0b?10
	 * for words and 0b?11 for doubles, its upper bit tells stores. */
	if ((insn & 0xc003) != (store ? 0xc000u : 0x4000u))
		return false;
	bit = insn >> 13 & 1;
	*out = (struct riscv_insn){
		.kind = store ? RISCV_INSN_STORE : RISCV_INSN_LOAD,
		.reg = 8 + (insn >> 2 & 7),
		.width = UINT64_C(4) << bit,
		.sign = store ? 0 : bit ^ 1,
		.length = 2,
	};
	return true;
}

/*
 * Decodes a memory access. `insn` is the instruction as fetched; when it is a
 * compressed one the upper half is ignored.
 */
static inline struct riscv_insn riscv_insn_decode(uint32_t insn)
{
	bool store = (insn & ((insn & 3) == 3 ? 0x20u : 0x8000u)) != 0;
	struct riscv_insn out;

	return riscv_insn_try(insn, store, &out)
		       ? out
		       : axvmi_riscv_insn_classify(insn);
}

/* The destination register's new value after a LOAD of `width` bytes read
 * `raw`, of which only these count. */
static inline uint64_t riscv_insn_load_value(uint64_t width, uint64_t sign,
					     uint64_t raw)
{
	uint64_t shift = 64 - 8 * width;

	raw <<= shift;
	if (sign != 0)
		return (uint64_t)((int64_t)raw >> shift);
	return raw >> shift;
}

/* The bytes a STORE writes, zero-extended, when its register holds `value`. */
static inline uint64_t riscv_insn_store_value(uint64_t width, uint64_t value)
{
	uint64_t shift = 64 - 8 * width;

	return value << shift >> shift;
}

/* What htinst says about a guest-page fault. */
enum riscv_htinst_kind {
	/* Nothing, or nothing we know: fetch the instruction at sepc. */
	RISCV_HTINST_NONE = 0,
	/* The trapping instruction, transformed. */
	RISCV_HTINST_INSN,
	/* The hart's own VS-stage page-table read, or A/D update. */
	RISCV_HTINST_TABLE_READ,
	RISCV_HTINST_TABLE_WRITE,
};

/*
 * Privileged, "Transformed Instruction or Pseudoinstruction for mtinst or
 * htinst". On INSN `out` is filled with the access as riscv_insn_decode()
 * would and fault_offset; otherwise it is not written. Unrecognised values
 * may be treated as zero (same section); bits 63:32 must be checked for that.
 */
static inline enum riscv_htinst_kind riscv_htinst_decode(uint64_t htinst,
							 struct riscv_insn *out)
{
	struct riscv_insn insn;

	if (htinst == 0 || htinst >> 32 != 0)
		return RISCV_HTINST_NONE;
	/* Bits 5 (write) and 12 (64-bit) vary: 0x2000, 0x2020, 0x3000, 0x3020 */
	if ((htinst & ~UINT64_C(0x1020)) == 0x2000)
		return (htinst & 0x20) != 0 ? RISCV_HTINST_TABLE_WRITE
					    : RISCV_HTINST_TABLE_READ;
	if ((htinst & 1) == 0)
		return RISCV_HTINST_NONE;
	insn = riscv_insn_decode((uint32_t)htinst | 2);
	if (insn.kind == RISCV_INSN_OTHER)
		return RISCV_HTINST_NONE;
	/* Bit 1 is 0 when a compressed instruction was expanded. */
	insn.length = 2 + (htinst & 2);
	insn.fault_offset = (uint32_t)(htinst >> 15 & 31);
	*out = insn;
	return RISCV_HTINST_INSN;
}

/* Where an access goes: x[base], in which x0 reads as 0, plus offset. */
struct riscv_insn_address {
	int32_t offset;
	uint8_t base;
};

/*
 * Address operands of an instruction as fetched (never of htinst, where they
 * are overwritten). A misaligned access that crosses a page faults with the
 * address of its second part; this finds its start. False and `out` untouched
 * for OTHER and VECTOR.
 */
bool axvmi_riscv_insn_address(uint32_t insn, struct riscv_insn_address *out);

/* System instructions that reach HS-mode as illegal or virtual ones. */
enum riscv_sys_kind {
	RISCV_SYS_OTHER = 0,
	RISCV_SYS_CSR,
	RISCV_SYS_WFI,
	RISCV_SYS_WRS, /* wrs.nto, wrs.sto (Zawrs) */
	RISCV_SYS_SRET,
	RISCV_SYS_MRET,
	RISCV_SYS_ECALL,
	RISCV_SYS_EBREAK, /* also c.ebreak */
	RISCV_SYS_SFENCE_VMA, /* also sinval.vma */
	RISCV_SYS_SFENCE_ORDER, /* sfence.w.inval, sfence.inval.ir */
	RISCV_SYS_HFENCE_VVMA, /* also hinval.vvma */
	RISCV_SYS_HFENCE_GVMA, /* also hinval.gvma */
	RISCV_SYS_HLV, /* hlv.*, hlvx.* */
	RISCV_SYS_HSV,
};

/* funct3[1:0] of the Zicsr instructions. */
enum riscv_csr_op {
	RISCV_CSR_NONE = 0,
	RISCV_CSR_WRITE = 1,
	RISCV_CSR_SET = 2,
	RISCV_CSR_CLEAR = 3,
};

struct riscv_sys_insn {
	enum riscv_sys_kind kind;
	enum riscv_csr_op op; /* NONE unless kind is CSR */
	uint16_t csr; /* CSR number, 0-0xfff */
	uint8_t rd;
	uint8_t rs1; /* a register, or the operand itself if `immediate` */
	uint8_t rs2;
	uint8_t length; /* 2 or 4 bytes */
	bool immediate;
	/* Side effects that count (Unprivileged, "CSR Instructions"). */
	bool reads;
	bool writes;
};

struct riscv_sys_insn axvmi_riscv_sys_decode(uint32_t insn);

/* The CSR's new value; `operand` is x[rs1] or the immediate. */
static inline uint64_t riscv_csr_update(enum riscv_csr_op op, uint64_t old,
					uint64_t operand)
{
	if (op == RISCV_CSR_WRITE)
		return operand;
	if (op == RISCV_CSR_SET)
		return old | operand;
	if (op == RISCV_CSR_CLEAR)
		return old & ~operand;
	return old;
}

#endif
