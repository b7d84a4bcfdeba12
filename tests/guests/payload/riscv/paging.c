/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Sv39 tables of a payload (RISC-V Privileged, "Sv39"). One set for all
 * harts, written by the boot hart; whoever changes a live entry fences.
 */
#include "payload.h"

#define TABLES 16u

static uint64_t tables[TABLES][512] __attribute__((aligned(4096)));
static uint32_t used;

static uint64_t *new_table(void)
{
	if (used == TABLES)
		bail_out("out of page tables");
	memset(tables[used], 0, PAGE);
	return tables[used++];
}

void paging_reset(void)
{
	uint64_t *root;

	used = 0;
	root = new_table();
	for (uint64_t i = 0; i < 4; i++)
		root[i] = make_pte(i << 30, PTE_RWX);
}

static uint64_t *descend(uint64_t *entry)
{
	if ((*entry & PTE_V) == 0)
		*entry = make_pte((uint64_t)new_table(), PTE_V);
	return (uint64_t *)(*entry >> 10 << 12);
}

uint64_t *paging_root_entry(uint64_t va)
{
	return &tables[0][va >> 30 & 511];
}

uint64_t *paging_entry(uint64_t va)
{
	uint64_t *level1 = descend(paging_root_entry(va));
	uint64_t *level0 = descend(&level1[va >> 21 & 511]);

	return &level0[va >> 12 & 511];
}

void paging_map(uint64_t va, uint64_t pa, uint64_t flags)
{
	*paging_entry(va) = make_pte(pa, flags);
	sfence();
}

void paging_on(void)
{
	sfence();
	csr_write(satp, 8ull << 60 | (uint64_t)tables[0] >> 12);
	sfence();
}

void paging_off(void)
{
	csr_write(satp, 0);
	sfence();
}
