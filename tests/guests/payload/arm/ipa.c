/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * RAM at the upper end of the guest-physical space, whatever that is: its last
 * pages are memory of their own, and what lies behind them is not there.
 */
#include "payload.h"

#define PAGES 8u

static uint64_t value(uint32_t page)
{
	return 0x0102030405060708ull * (page + 1);
}

static uint64_t bits_of_range(void)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48};
	uint64_t range = sys_read(id_aa64mmfr0_el1) & 15;

	return range < COUNT_OF(bits) ? bits[range] : 48;
}

void suite(void)
{
	/* The device tree lists the regions upwards. */
	uint64_t end = machine.ram_base + machine.ram_size;
	uint32_t good = 0;

	note("RAM up to 0x%lx, PARange %lu bits", end, bits_of_range());
	for (uint32_t i = 0; i < PAGES; i++) {
		paging_map(TEST_VA, end - (i + 1) * PAGE, PTE_NORMAL);
		write64(TEST_VA + 8 * i, value(i));
	}
	for (uint32_t i = 0; i < PAGES; i++) {
		paging_map(TEST_VA, end - (i + 1) * PAGE, PTE_NORMAL);
		good += read64(TEST_VA + 8 * i) == value(i);
	}
	check_eq(good, PAGES, "the last pages are memory");
	paging_map(TEST_VA, machine.ram_base, PTE_NORMAL);
	check(read64(TEST_VA) != value(PAGES - 1), "and not the first ones");
	if (end >> bits_of_range() != 0) {
		skip("no address is higher", "what lies behind them");
		return;
	}
	paging_map(TEST_VA, end, PTE_DEVICE);
	write64(TEST_VA, 0);
	check_eq(read64(TEST_VA), ~0ull, "behind them nothing answers");
}
