/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry for the A64 decoder: four bytes are a guest instruction, the
 * rest its operands. Whatever they are, results stay in the ranges that the exit
 * path indexes and shifts with.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arm_vhe/insn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check(const struct arm_insn *insn)
{
	require(insn->kind <= ARM_INSN_STORE);
	if (insn->kind == ARM_INSN_OTHER) {
		require(insn->width == 0 && insn->count == 0);
		return;
	}
	require(insn->index <= ARM_INDEX_LITERAL);
	require(insn->width != 0 && is_power_of_two(insn->width));
	require(insn->width <= (insn->simd ? 16u : 8u));
	require(insn->count == 1 || insn->count == 2);
	require(insn->rt < 32 && insn->rt2 < 32);
	require(insn->rn < 32 && insn->rm < 32 && insn->shift <= 4);
	require(!insn->sign || (insn->kind == ARM_INSN_LOAD && !insn->simd));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arm_insn insn;
	uint64_t words[4];
	uint64_t address;

	if (size < sizeof(words))
		return 0;
	memcpy(words, data, sizeof(words));
	insn = axvmi_arm_insn_decode((uint32_t)words[0]);
	check(&insn);
	address = axvmi_arm_insn_address(&insn, words[1], words[2], words[3]);
	if (insn.index == ARM_INDEX_POST)
		require(address == words[1]);
	if (insn.kind != ARM_INSN_OTHER && insn.width <= 8) {
		uint64_t value = arm_insn_load_value(&insn, words[3]);

		/* What was loaded, stored again, is what was read. */
		require(arm_insn_store_value(insn.width, value) ==
				arm_insn_store_value(insn.width, words[3]) ||
			(!insn.wide && insn.width == 8));
		require(insn.wide || value >> 32 == 0);
	}
	return 0;
}
