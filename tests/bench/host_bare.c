/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What the hardware could do at best: the loads, tests and stores that the rows
 * of host_stage2.c cannot do without, with all constants known to the compiler
 * and no function called. The tables are the ones the library made.
 */
#include <string.h>

#include "bench.h"

enum {
	STORE,
	WALK_STORE,
	WALK,
	CREATE,
	ROWS
};

static struct bench_row rows[ROWS] = {
	[STORE].name = "limit_store",
	[WALK_STORE].name = "limit_walk_store",
	[WALK].name = "limit_walk",
	[CREATE].name = "limit_create",
};

#define LEAF UINT64_C(0x877) /* RWX, WB, IPAT, used */
#define TABLES 512u
#define ENTRIES 512u
#define IS_TABLE(entry) (((entry)&0x87) == 0x07)
#define ADDRESS UINT64_C(0x000ffffffffff000)

static uint64_t offset;

static atomic_u64 *take(void)
{
	struct s2_pool *pool = bench_pool();

	return pool->alloc_page(pool->ctx, PAGE, PAGE);
}

static void give(atomic_u64 *table)
{
	struct s2_pool *pool = bench_pool();

	pool->free_page(pool->ctx, table, PAGE);
}

/* 1 GiB of entries into tables that are there: is it free, store, next. */
static void round_store(void)
{
	static atomic_u64 *tables[TABLES];
	uint64_t leaf = FRAMES_4K | LEAF;
	uint64_t start;

	for (unsigned t = 0; t < TABLES; t++) {
		tables[t] = take();
		memset(tables[t], 0, PAGE);
	}
	start = bench_now();
	for (unsigned t = 0; t < TABLES; t++) {
		atomic_u64 *table = tables[t];

		for (unsigned i = 0; i < ENTRIES; i++, leaf += PAGE) {
			bench_must(load_relaxed(&table[i]) == 0, "a free slot");
			store_relaxed(&table[i], leaf);
		}
	}
	bench_sample(&rows[STORE], start, TABLES * ENTRIES);
	for (unsigned t = TABLES; t != 0; t--)
		give(tables[t - 1]);
}

static inline bool step(uint64_t gpa, unsigned shift, atomic_u64 **slot,
			uint64_t *entry)
{
	if (!IS_TABLE(*entry))
		return false;
	*slot = (atomic_u64 *)(uintptr_t)((*entry & ADDRESS) + offset) +
		(gpa >> shift & (ENTRIES - 1));
	*entry = load_acquire(*slot);
	return true;
}

/* Four loads, each dependent on the one before, each tested. */
static inline atomic_u64 *walk(uint64_t gpa, uint64_t *entry)
{
	atomic_u64 *slot = bench_table.root + (gpa >> 39);

	*entry = load_acquire(slot);
	(void)(step(gpa, 30, &slot, entry) && step(gpa, 21, &slot, entry) &&
	       step(gpa, 12, &slot, entry));
	return slot;
}

static void round_walk_store(void)
{
	uint64_t start = bench_now();

	for (uint64_t page = 0; page < TABLE_PAGES; page += 2) {
		uint64_t entry;
		atomic_u64 *slot = walk(GUEST + page * PAGE, &entry);

		store_release(slot, entry);
	}
	bench_sample(&rows[WALK_STORE], start, TABLE_PAGES / 2);
}

static void round_walk(void)
{
	uint64_t start = bench_now();

	for (unsigned i = 0; i < BENCH_RANDOM; i++) {
		uint64_t entry;

		(void)walk(GUEST + bench_random[i] * PAGE, &entry);
		bench_use(entry & ADDRESS);
	}
	bench_sample(&rows[WALK], start, BENCH_RANDOM);
}

#define TURNS 256u
#define FRAMES 20u /* root, one of level 2, two of level 1, 16 of level 0 */
#define LEAVES_2M 256u

/* Frames taken, cleared, filled, given back: create_destroy with no search. */
static void round_create(void)
{
	uint64_t start = bench_now();

	for (unsigned turn = 0; turn < TURNS; turn++) {
		atomic_u64 *frame[FRAMES];

		for (unsigned i = 0; i < FRAMES; i++) {
			frame[i] = take();
			memset(frame[i], 0, PAGE);
			store_relaxed(&frame[i / 16][i],
				      (uint64_t)(uintptr_t)frame[i] - offset);
		}
		for (unsigned i = 0; i < LEAVES_2M; i++)
			store_relaxed(&frame[2][i],
				      (FRAMES_2M + i * MIB(2)) | LEAF | 0x80);
		for (unsigned i = FRAMES; i != 0; i--)
			give(frame[i - 1]);
	}
	bench_sample(&rows[CREATE], start, TURNS);
}

static void setup(void)
{
	offset = bench_pool()->virt_offset;
}

static void report(void)
{
	bench_print(rows, ROWS);
}

const struct bench_file bare_benches = {
	.setup = setup,
	.report = report,
	.steps = {round_store, round_walk_store, round_walk, round_create},
};
