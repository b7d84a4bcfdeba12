/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Stage 1 of a payload: 4 KiB granule, 39 bits of address, TTBR0_EL1 alone
 * ("VMSAv8-64"). One set of tables for all CPUs, written by the boot CPU; whoever
 * changes a live entry flushes.
 */
#include "payload.h"

#define TABLES 16u
/* Attribute 0: Device-nGnRnE; 1: Normal, write-back; 2: not cacheable. */
#define MAIR 0x44ff00ull
/* T0SZ 25, inner shareable write-back walks, EPD1. */
#define TCR (25ull | 1ull << 8 | 1ull << 10 | 3ull << 12 | 1ull << 23)
#define TCR_IPS(range) ((uint64_t)(range) << 32)
/* RES1 of Armv8.0 (SPAN and the like), SA, SA0, nTWI, nTWE, DZE. */
#define SCTLR_BASE (0x30d00800ull | 3ull << 3 | 5ull << 16 | 1ull << 14)
#define LINE 64u

static uint64_t tables[TABLES][512] __attribute__((aligned(4096)));
static uint32_t used;
extern char image_start[], image_end[];

void tlb_flush(void)
{
	__asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::
				 : "memory");
}

void clean(const void *start, size_t size)
{
	uint64_t end = (uint64_t)start + size;

	for (uint64_t a = (uint64_t)start & ~(LINE - 1ull); a < end; a += LINE)
		__asm__ volatile("dc civac, %0" ::"r"(a) : "memory");
	__asm__ volatile("dsb sy" ::: "memory");
}

void code_written(const void *start, size_t size)
{
	uint64_t end = (uint64_t)start + size;
	uint64_t first = (uint64_t)start & ~(LINE - 1ull);

	for (uint64_t a = first; a < end; a += LINE)
		__asm__ volatile("dc cvau, %0" ::"r"(a) : "memory");
	__asm__ volatile("dsb ish" ::: "memory");
	/* By all addresses: the code may be mapped elsewhere. */
	__asm__ volatile("ic ialluis\n\tdsb ish\n\tisb" ::: "memory");
}

static uint64_t *new_table(void)
{
	if (used == TABLES)
		bail_out("out of page tables");
	memset(tables[used], 0, PAGE);
	return tables[used++];
}

/* What maps this code stays as it is all the time: the MMU may be on. */
void paging_reset(void)
{
	uint64_t *root = tables[0];

	root[0] = PTE_BLOCK | PTE_DEVICE;
	for (uint64_t i = 1; i < 4; i++)
		root[i] = i << 30 | PTE_BLOCK | PTE_NORMAL | PTE_UXN;
	for (uint64_t i = 4; i < 512; i++)
		root[i] = 0;
	used = 1;
	tlb_flush();
}

static uint64_t *descend(uint64_t *entry)
{
	if ((*entry & PTE_VALID) == 0)
		*entry = (uint64_t)new_table() | PTE_TABLE;
	return (uint64_t *)(*entry & 0xfffffffff000ull);
}

uint64_t *paging_upper_entry(uint64_t va, uint32_t level)
{
	uint64_t *entry = &tables[0][va >> 30 & 511];

	return level == 1 ? entry : &descend(entry)[va >> 21 & 511];
}

uint64_t *paging_entry(uint64_t va)
{
	return &descend(paging_upper_entry(va, 2))[va >> 12 & 511];
}

void paging_map(uint64_t va, uint64_t pa, uint64_t flags)
{
	uint64_t *entry = paging_entry(va);

	/* "Using break-before-make when updating translation table entries" */
	if (*entry != 0) {
		*entry = 0;
		tlb_flush();
	}
	*entry = pa | flags | PTE_PAGE;
	tlb_flush();
}

void paging_on(void)
{
	uint64_t range = sys_read(id_aa64mmfr0_el1) & 15;

	sys_write(mair_el1, MAIR);
	sys_write(tcr_el1, TCR | TCR_IPS(range < 5 ? range : 5));
	sys_write(ttbr0_el1, (uint64_t)tables[0]);
	tlb_flush();
	sys_write(sctlr_el1, SCTLR_BASE | SCTLR_M | SCTLR_C | SCTLR_I);
}

/* All data is Device memory then. */
void paging_off(void)
{
	clean(image_start, (size_t)(image_end - image_start));
	sys_write(sctlr_el1, SCTLR_BASE);
	tlb_flush();
}
