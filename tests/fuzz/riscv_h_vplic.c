/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry for the PLIC model: a history of accesses and inputs, four
 * bytes each. Offsets reach everywhere; the model's indexes, summaries and
 * outputs must fit its registers afterwards.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "riscv_h/vplic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vplic plic;

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Registers that exist are hit more often than the rest. */
static uint64_t offset(uint8_t kind, uint8_t index)
{
	switch (kind & 7) {
	case 0:
		return index * UINT64_C(4);
	case 1:
		return 1020 * 4 - index * UINT64_C(4);
	case 2:
		return VPLIC_PENDING + index * UINT64_C(4);
	case 3:
		return VPLIC_ENABLE + index * UINT64_C(4);
	case 4:
		return VPLIC_CONTEXT + (index & 7) * VPLIC_CONTEXT_STRIDE +
		       (index >> 3 & 3) * UINT64_C(4);
	case 5:
		return VPLIC_CONTEXT + (index & 7) * VPLIC_CONTEXT_STRIDE +
		       VPLIC_CLAIM;
	case 6:
		return (uint64_t)index << 16;
	default:
		return UINT64_MAX - 3 - index * UINT64_C(4);
	}
}

static void step(const uint8_t *data)
{
	uint64_t at = offset(data[0], data[1]);
	uint32_t value = data[2] | (uint32_t)data[3] << 8;

	if ((data[0] & 0xc0) == 0x00)
		require(axvmi_vplic_read(&plic, at) <= UINT32_MAX);
	else if ((data[0] & 0xc0) == 0x40)
		axvmi_vplic_write(&plic, at, value);
	else if ((data[0] & 0xc0) == 0x80)
		axvmi_vplic_write(&plic, at, value * 0x10001u);
	else
		axvmi_vplic_set_line(&plic, value, (data[0] & 1) != 0,
				     (data[0] & 2) != 0);
	axvmi_vplic_update(&plic);
}

static bool is_set(const uint32_t *words, uint32_t source)
{
	return (words[source / 32] >> source % 32 & 1) != 0;
}

static void check_source(uint32_t source)
{
	uint32_t priority = plic.priority[source];
	uint64_t targets = 0;

	require(priority < VPLIC_PRIORITIES);
	for (uint32_t p = 0; p < VPLIC_PRIORITIES; p++)
		require(is_set(plic.ready[p], source) ==
			(p == priority && is_set(plic.pending, source)));
	require(!is_set(plic.pending, source) || !is_set(plic.claimed, source));
	require(!is_set(plic.latched, source) || is_set(plic.claimed, source));
	for (uint32_t c = 0; c < plic.contexts; c++) {
		uint32_t word = plic.context[c].enable[source / 32];

		if ((word >> source % 32 & 1) != 0)
			targets |= BIT64(c);
	}
	require(plic.targets[source] == targets);
	require(source != 0 || targets == 0);
}

static void check_summaries(void)
{
	for (uint32_t p = 0; p < VPLIC_PRIORITIES; p++) {
		require((plic.levels >> p & 1) == (plic.words[p] != 0));
		for (uint32_t w = 0; w < VPLIC_WORDS; w++)
			require((plic.words[p] >> w & 1) ==
				(plic.ready[p][w] != 0));
	}
	for (uint32_t c = 0; c < plic.contexts; c++) {
		for (uint32_t w = 0; w < VPLIC_WORDS; w++)
			require((plic.context[c].enable_words >> w & 1) ==
				(plic.context[c].enable[w] != 0));
		require((plic.eip >> c & 1) == axvmi_vplic_eip(&plic, c));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4)
		return 0;
	axvmi_vplic_init(&plic, 3,
			 (data[0] & 1) != 0 ? VPLIC_TWO_PER_HART
					    : VPLIC_ONE_PER_HART,
			 VPLIC_WINDOW);
	for (; size >= 4; data += 4, size -= 4)
		step(data);
	for (uint32_t i = 0; i < VPLIC_SOURCES; i++)
		check_source(i);
	check_summaries();
	return 0;
}
