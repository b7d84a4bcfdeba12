/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A64 loads and stores as the exit path needs them where the syndrome does not
 * describe the access (ISV 0). Pure: values in, values out. Every input gives a
 * defined result with registers below 32; the exit path calls.
 */
#ifndef AXVMI_ARM_INSN_H
#define AXVMI_ARM_INSN_H

#include <stdbool.h>
#include <stdint.h>

#include "bits.h"

/*
 * What has no rule, and is reflected: exclusives, atomics, structures, tags, DC
 * ZVA, prefetches (which never fault), what is unallocated.
 */
enum arm_insn_kind {
	ARM_INSN_OTHER = 0,
	ARM_INSN_LOAD,
	ARM_INSN_STORE,
};

enum arm_insn_index {
	ARM_INDEX_OFFSET = 0, /* base and an immediate, or none */
	ARM_INDEX_PRE, /* the same, and the base becomes it */
	ARM_INDEX_POST, /* base; it becomes base and the immediate */
	ARM_INDEX_REGISTER, /* base and x[rm], extended and shifted */
	ARM_INDEX_LITERAL, /* pc and an immediate */
};

struct arm_insn {
	enum arm_insn_kind kind;
	enum arm_insn_index index;
	uint32_t count; /* registers: 1, or 2 of a pair */
	uint32_t width; /* bytes of each: 1, 2, 4, 8, 16 */
	uint32_t rt;
	uint32_t rt2;
	bool simd; /* rt and rt2 are SIMD&FP registers */
	bool sign; /* an integer load that sign-extends */
	bool wide; /* to 64 bits; else the upper half becomes zero */
	uint8_t rn; /* the base; 31: SP */
	uint8_t rm;
	uint8_t extend; /* "ExtendReg()": option */
	uint8_t shift;
	int64_t offset;
};

/* kind OTHER if it has no rule; the rest is 0 then. */
struct arm_insn axvmi_arm_insn_decode(uint32_t insn);

/* The address of the first byte; `base` is x[rn] or SP, `index` x[rm]. */
uint64_t axvmi_arm_insn_address(const struct arm_insn *insn, uint64_t base,
				uint64_t index, uint64_t pc);

static inline bool arm_insn_writes_back(const struct arm_insn *insn)
{
	return insn->index == ARM_INDEX_PRE || insn->index == ARM_INDEX_POST;
}

/* What an integer register holds after a load has read `raw`. */
static inline uint64_t arm_insn_load_value(const struct arm_insn *insn,
					   uint64_t raw)
{
	unsigned shift = (64 - 8 * insn->width) % 64;

	raw <<= shift;
	raw = insn->sign ? (uint64_t)((int64_t)raw >> shift) : raw >> shift;
	return insn->wide ? raw : raw & UINT32_MAX;
}

/* The bytes, at most 8, that a store of `size` writes, zero-extended. */
static inline uint64_t arm_insn_store_value(uint32_t size, uint64_t value)
{
	unsigned shift = 64 - 8 * size;

	return value << shift >> shift;
}

#endif
