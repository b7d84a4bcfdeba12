/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Stage-2 tables by the calls that memory.c makes: no lock, no VM, no flush
 * owed, but all that one call costs, the batch's record and the freeing of
 * detached tables included.
 */
#include "bench.h"

enum {
	MAP_4K,
	MAP_2M,
	UNMAP_4K,
	PROTECT_ALL,
	PROTECT_ALT,
	MAP_ONE,
	QUERY,
	CREATE_DESTROY,
	ROWS
};

static struct bench_row rows[ROWS] = {
	[MAP_4K].name = "map_4k",
	[MAP_2M].name = "map_2m",
	[UNMAP_4K].name = "unmap_4k",
	[PROTECT_ALL].name = "protect_all",
	[PROTECT_ALT].name = "protect_alt",
	[MAP_ONE].name = "map_one",
	[QUERY].name = "query",
	[CREATE_DESTROY].name = "create_destroy",
};

struct s2_table bench_table;

static struct s2_table edited; /* the rows that change protections */
static uint32_t rights = AXVM_RWX;
static uint64_t pages_4k, pages_2m, pages_after_unmap;

static void init(struct s2_table *table)
{
	bench_must(axvmi_s2_init(table, bench_format(), bench_pool()) == 0,
		   "init");
}

static void finish(struct s2_table *table)
{
	while (axvmi_s2_destroy(table, 64) != 0)
		;
}

static void map(struct s2_table *table, uint64_t gpa, uint64_t hpa,
		uint64_t size)
{
	struct s2_edit edit;
	const struct s2_map request = {
		.gpa = axvm_to_gpa(gpa),
		.hpa = axvm_to_hpa(hpa),
		.size = size,
		.access = AXVM_RWX,
		.type = AXVM_MEM_NORMAL,
	};

	axvmi_s2_edit_init(&edit, NULL, NULL);
	bench_must(axvmi_s2_map(table, &request, &edit) == 0, "map");
	bench_must(!edit.need_flush && edit.added, "a map owes no flush");
}

static void unmap(struct s2_table *table, uint64_t gpa, uint64_t size)
{
	struct s2_edit edit;

	axvmi_s2_edit_init(&edit, NULL, NULL);
	bench_must(axvmi_s2_unmap(table, axvm_to_gpa(gpa), size, &edit) == 0,
		   "unmap");
	while (axvmi_s2_reclaim(table, &edit, 64) != 0)
		;
}

static void protect(struct s2_table *table, uint64_t gpa, uint64_t size,
		    uint32_t access)
{
	struct s2_edit edit;

	axvmi_s2_edit_init(&edit, NULL, NULL);
	bench_must(axvmi_s2_protect(table, axvm_to_gpa(gpa), size, access,
				    &edit) == 0,
		   "protect");
	bench_use(edit.need_flush);
}

static void must_have(uint64_t page, uint32_t access)
{
	struct s2_mapping mapping = {.access = 0};

	bench_must(axvmi_s2_query(&edited, axvm_to_gpa(GUEST + page * PAGE),
				  &mapping) == 0 &&
			   mapping.access == access,
		   "protect changes rights");
}

static void round_4k(void)
{
	struct s2_table table;
	uint64_t start;

	init(&table);
	start = bench_now();
	map(&table, GUEST, FRAMES_4K, GIB(1));
	bench_sample(&rows[MAP_4K], start, TABLE_PAGES);
	pages_4k = load_relaxed(&table.pages);
	start = bench_now();
	unmap(&table, GUEST, GIB(1));
	bench_sample(&rows[UNMAP_4K], start, TABLE_PAGES);
	pages_after_unmap = load_relaxed(&table.pages);
	finish(&table);
}

#define TURNS_2M 8u

static void round_2m(void)
{
	struct s2_table tables[TURNS_2M];
	uint64_t start;

	for (unsigned i = 0; i < TURNS_2M; i++)
		init(&tables[i]);
	start = bench_now();
	for (unsigned i = 0; i < TURNS_2M; i++)
		map(&tables[i], GUEST, FRAMES_2M, GIB(64));
	bench_sample(&rows[MAP_2M], start, TURNS_2M * (GIB(64) / MIB(2)));
	pages_2m = load_relaxed(&tables[0].pages);
	for (unsigned i = 0; i < TURNS_2M; i++)
		finish(&tables[i]);
}

static void round_protect(void)
{
	uint64_t start = bench_now();

	rights ^= AXVM_WRITE;
	protect(&edited, GUEST, GIB(1), rights);
	bench_sample(&rows[PROTECT_ALL], start, TABLE_PAGES);
	start = bench_now();
	for (uint64_t page = 0; page < TABLE_PAGES; page += 2)
		protect(&edited, GUEST + page * PAGE, PAGE, rights ^ AXVM_EXEC);
	bench_sample(&rows[PROTECT_ALT], start, TABLE_PAGES / 2);
	must_have(TABLE_PAGES - 2, rights ^ AXVM_EXEC);
	must_have(TABLE_PAGES - 1, rights);
}

static void round_map_one(void)
{
	uint64_t start;

	for (uint64_t page = 0; page < TABLE_PAGES; page += 2)
		unmap(&edited, GUEST + page * PAGE, PAGE);
	start = bench_now();
	for (uint64_t page = 0; page < TABLE_PAGES; page += 2)
		map(&edited, GUEST + page * PAGE, FRAMES_4K + page * PAGE,
		    PAGE);
	bench_sample(&rows[MAP_ONE], start, TABLE_PAGES / 2);
}

static void round_query(void)
{
	uint64_t start = bench_now();
	struct s2_mapping mapping;
	int errors = 0;

	for (unsigned i = 0; i < BENCH_RANDOM; i++) {
		uint64_t gpa = GUEST + bench_random[i] * PAGE;

		errors |= axvmi_s2_query(&bench_table, axvm_to_gpa(gpa),
					 &mapping);
		bench_use(mapping.hpa.value);
	}
	bench_sample(&rows[QUERY], start, BENCH_RANDOM);
	bench_must(errors == 0, "query");
}

#define TURNS_CREATE 256u
#define WINDOWS 16u

/* A small VM: RAM in large leaves, and windows that lie apart. */
static void round_create(void)
{
	uint64_t start = bench_now();

	for (unsigned i = 0; i < TURNS_CREATE; i++) {
		struct s2_table table;

		init(&table);
		map(&table, GUEST, FRAMES_2M, MIB(512));
		for (unsigned w = 0; w < WINDOWS; w++)
			map(&table, w * MIB(2), FRAMES_4K + w * PAGE, PAGE);
		finish(&table);
	}
	bench_sample(&rows[CREATE_DESTROY], start, TURNS_CREATE);
}

static void setup(void)
{
	init(&bench_table);
	map(&bench_table, GUEST, FRAMES_4K, GIB(1));
	init(&edited);
	map(&edited, GUEST, FRAMES_4K, GIB(1));
}

static void report(void)
{
	bench_print(rows, ROWS);
	bench_print_value("pages_4k", pages_4k, "pages");
	bench_print_value("pages_2m", pages_2m, "pages");
	bench_print_value("pages_after_unmap", pages_after_unmap, "pages");
	finish(&edited);
}

const struct bench_file stage2_benches = {
	.setup = setup,
	.report = report,
	.steps = {round_4k, round_2m, round_protect, round_map_one, round_query,
		  round_create},
};
