/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Decoding of A64 loads and stores: Arm ARM (DDI 0487), "A64 instruction set
 * encoding", "Loads and Stores". Pure; the exit path calls with whatever the
 * guest's memory holds.
 */
#include "insn.h"

static uint32_t field(uint32_t insn, unsigned high, unsigned low)
{
	return insn >> low & (UINT32_MAX >> (31 - (high - low)));
}

static int64_t signed_field(uint32_t insn, unsigned high, unsigned low)
{
	return (int64_t)sign_extend64(field(insn, high, low), high - low + 1);
}

static enum arm_insn_kind load_if(bool load)
{
	return load ? ARM_INSN_LOAD : ARM_INSN_STORE;
}

/*
 * size and opc of one integer register: opc 0 stores, 1 loads, 2 and 3 load with
 * sign to 64 and 32 bits. False: unallocated, or a prefetch.
 */
static bool integer(struct arm_insn *out, uint32_t size, uint32_t opc)
{
	if (opc > 1 && size + (opc == 3) > 2)
		return false;
	out->kind = load_if(opc != 0);
	out->width = 1u << size;
	out->sign = opc > 1;
	out->wide = size == 3 || opc == 2;
	return true;
}

/* The same of one SIMD&FP register, whose size goes on to 16 bytes. */
static bool simd(struct arm_insn *out, uint32_t size, uint32_t opc)
{
	if (opc > 1 && size != 0)
		return false;
	out->kind = load_if((opc & 1) != 0);
	out->width = opc > 1 ? 16 : 1u << size;
	out->simd = true;
	return true;
}

/* "Load/store register": immediate, unprivileged or register offset. */
static bool single_offset(struct arm_insn *out, uint32_t insn)
{
	uint32_t form = field(insn, 11, 10);

	out->offset = signed_field(insn, 20, 12);
	if (field(insn, 21, 21) == 0) {
		out->index = form == 1	 ? ARM_INDEX_POST
			     : form == 3 ? ARM_INDEX_PRE
					 : ARM_INDEX_OFFSET;
		/* Unprivileged ones have no SIMD&FP form. */
		return form != 2 || !out->simd;
	}
	/* Options with bit 1 clear extend from less than a word. */
	if (form != 2 || field(insn, 14, 14) == 0)
		return false;
	out->index = ARM_INDEX_REGISTER;
	out->offset = 0;
	out->rm = (uint8_t)field(insn, 20, 16);
	out->extend = (uint8_t)field(insn, 15, 13);
	out->shift = field(insn, 12, 12) != 0
			     ? (uint8_t)lowest_bit64(out->width)
			     : 0;
	return true;
}

static bool single(struct arm_insn *out, uint32_t insn)
{
	uint32_t size = field(insn, 31, 30);
	uint32_t opc = field(insn, 23, 22);
	bool known = field(insn, 26, 26) != 0 ? simd(out, size, opc)
					      : integer(out, size, opc);

	if (!known)
		return false;
	if (field(insn, 24, 24) == 0)
		return single_offset(out, insn);
	out->offset = (int64_t)field(insn, 21, 10) * out->width;
	return true;
}

/* "Load/store register pair" and "no-allocate pair". */
static bool pair(struct arm_insn *out, uint32_t insn)
{
	static const enum arm_insn_index modes[4] = {
		ARM_INDEX_OFFSET, /* no-allocate */
		ARM_INDEX_POST,
		ARM_INDEX_OFFSET,
		ARM_INDEX_PRE,
	};
	uint32_t opc = field(insn, 31, 30);
	uint32_t mode = field(insn, 24, 23);
	bool load = field(insn, 22, 22) != 0;

	out->simd = field(insn, 26, 26) != 0;
	/* opc 1: LDPSW, which has no no-allocate form; the store is STGP. */
	out->sign = opc == 1 && !out->simd;
	if (opc == 3 || (out->sign && (!load || mode == 0)))
		return false;
	out->kind = load_if(load);
	out->index = modes[mode];
	out->count = 2;
	out->rt2 = field(insn, 14, 10);
	if (out->simd)
		out->width = 4u << opc;
	else
		out->width = opc == 2 ? 8 : 4;
	out->wide = opc != 0 && !out->simd;
	out->offset = signed_field(insn, 21, 15) * (int64_t)out->width;
	return true;
}

/* "Load register (literal)"; opc 3 is a prefetch, or unallocated. */
static bool literal(struct arm_insn *out, uint32_t insn)
{
	uint32_t opc = field(insn, 31, 30);

	if (opc == 3)
		return false;
	out->kind = ARM_INSN_LOAD;
	out->index = ARM_INDEX_LITERAL;
	out->rn = 0;
	out->simd = field(insn, 26, 26) != 0;
	if (out->simd)
		out->width = 4u << opc;
	else
		out->width = opc == 1 ? 8 : 4;
	out->sign = opc == 2 && !out->simd;
	out->wide = opc != 0 && !out->simd;
	out->offset = signed_field(insn, 23, 5) * 4;
	return true;
}

/* "Load/store ordered": LDAR, STLR and the LO kind. o2 is set, o1 clear. */
static bool ordered(struct arm_insn *out, uint32_t insn)
{
	uint32_t rs_rt2 = field(insn, 20, 16) & field(insn, 14, 10);

	/* Other values of Rs and Rt2 are "should be one". */
	return field(insn, 23, 23) != 0 && field(insn, 21, 21) == 0 &&
	       rs_rt2 == 31 &&
	       integer(out, field(insn, 31, 30), field(insn, 22, 22));
}

/* "LDAPR/STLR (unscaled immediate)". */
static bool ordered_unscaled(struct arm_insn *out, uint32_t insn)
{
	out->offset = signed_field(insn, 20, 12);
	return field(insn, 21, 21) == 0 && field(insn, 11, 10) == 0 &&
	       integer(out, field(insn, 31, 30), field(insn, 23, 22));
}

/* LDAPR, among the atomics: no Rs, and the address is that of the base. */
static bool is_ldapr(uint32_t insn)
{
	return (insn & 0x3ffffc00) == 0x38bfc000;
}

static bool decode(struct arm_insn *out, uint32_t insn)
{
	/* Bits 29:27 and 25 of all loads and stores; 26 tells SIMD&FP. */
	switch (field(insn, 29, 24) & ~4u) {
	case 0x38: /* 111x00 */
		if (is_ldapr(insn))
			return integer(out, field(insn, 31, 30), 1);
		return single(out, insn);
	case 0x39: /* 111x01 */
		return single(out, insn);
	case 0x28: /* 101x00 */
	case 0x29: /* 101x01 */
		return pair(out, insn);
	case 0x18: /* 011x00 */
		return literal(out, insn);
	case 0x19: /* 011001; with bit 26 unallocated or SIMD */
		return field(insn, 26, 26) == 0 && ordered_unscaled(out, insn);
	case 0x08: /* 001000; with bit 26 structures */
		return field(insn, 26, 26) == 0 && ordered(out, insn);
	default:
		return false;
	}
}

struct arm_insn axvmi_arm_insn_decode(uint32_t insn)
{
	struct arm_insn out = {
		.count = 1,
		.rt = field(insn, 4, 0),
		.rn = (uint8_t)field(insn, 9, 5),
	};

	if (!decode(&out, insn))
		return (struct arm_insn){.kind = ARM_INSN_OTHER};
	return out;
}

/* "ExtendReg()": options 2, 3, 6, 7 are UXTW, UXTX (LSL), SXTW, SXTX. */
static uint64_t extended(const struct arm_insn *insn, uint64_t value)
{
	if (insn->extend == 2)
		value &= UINT32_MAX;
	if (insn->extend == 6)
		value = sign_extend64(value, 32);
	return value << insn->shift;
}

uint64_t axvmi_arm_insn_address(const struct arm_insn *insn, uint64_t base,
				uint64_t index, uint64_t pc)
{
	switch (insn->index) {
	case ARM_INDEX_POST:
		return base;
	case ARM_INDEX_REGISTER:
		return base + extended(insn, index);
	case ARM_INDEX_LITERAL:
		return pc + (uint64_t)insn->offset;
	case ARM_INDEX_OFFSET:
	case ARM_INDEX_PRE:
		break;
	}
	return base + (uint64_t)insn->offset;
}
