/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Random edits in every format against an array of pages, checked through the
 * query and through the raw walker; and queries while another thread edits.
 * AXVM_SEED and AXVM_STEPS in the environment choose the run.
 */
#include "stage2_support.h"

#include <pthread.h>

/* Straddles a 512 GiB boundary where the format reaches it. */
#define PAGES ((size_t)((GIB(2) + MIB(256)) / 4096))

struct page {
	uint64_t hpa;
	uint8_t mapped;
	uint8_t access;
	uint8_t device;
};

struct world {
	const struct mode *mode;
	struct axvm_s2_format format;
	struct frames *frames;
	struct s2_table table;
	struct page *pages;
	uint64_t base;
	uint64_t seed;
};

static uint64_t next_random(struct world *w)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return w->seed * UINT64_C(0x2545f4914f6cdd1d);
}

static size_t below(struct world *w, size_t n)
{
	return (size_t)(next_random(w) >> 16) % n;
}

static void ignore_flush(void *ctx, struct axvm_gpa gpa, uint64_t size)
{
	(void)ctx;
	assert_true(is_aligned(gpa.value | size, 4096));
}

/* A range of pages: small, around 2 MiB, or around 1 GiB. */
static void random_range(struct world *w, size_t *first, size_t *count)
{
	static const size_t units[] = {1, 1, 512, 512, 262144};
	size_t unit = units[below(w, 5)];

	*first = below(w, PAGES) / unit * unit;
	*count = unit * (1 + below(w, unit == 262144 ? 2 : 6));
	if (below(w, 4) == 0)
		*count += below(w, 600);
	if (*count > PAGES - *first)
		*count = PAGES - *first;
}

static void check_some(struct world *w, size_t page)
{
	const struct page *p = &w->pages[page];
	uint64_t gpa = w->base + page * UINT64_C(4096);

	if (p->mapped)
		check_page(w->mode, w->frames, &w->table, gpa, p->hpa,
			   p->access, p->device);
	else
		check_hole(w->mode, w->frames, &w->table, gpa);
}

static void check_around(struct world *w, size_t first, size_t count)
{
	size_t last = first + count - 1;

	check_some(w, first);
	check_some(w, last);
	check_some(w, first + count / 2);
	if (first != 0)
		check_some(w, first - 1);
	if (last + 1 != PAGES)
		check_some(w, last + 1);
	for (unsigned i = 0; i < 16; i++)
		check_some(w, below(w, PAGES));
}

static size_t count_mapped(const struct world *w, size_t first, size_t count)
{
	size_t mapped = 0;

	for (size_t i = 0; i < count; i++)
		mapped += w->pages[first + i].mapped;
	return mapped;
}

static bool any_device(const struct world *w, size_t first, size_t count)
{
	bool device = false;

	for (size_t i = 0; i < count; i++)
		device |= w->pages[first + i].device;
	return device;
}

static uint64_t random_hpa(struct world *w, uint64_t gpa)
{
	/* 32-bit guests and hosts of 46 bits both fit. */
	static const uint64_t shifts[] = {0,	      0,	0,
					  0x40000000, 0x200000, 0x3000};

	return (gpa & (GIB(64) - 1)) + GIB(4) + shifts[below(w, 6)];
}

static const uint32_t rights[] = {AXVM_READ, AXVM_RW, AXVM_READ | AXVM_EXEC,
				  AXVM_RWX};

/* Runs out of memory now and then: either all is done or nothing. */
static void arm_failure(struct world *w)
{
	w->frames->allocations = 0;
	w->frames->fail_at = below(w, 8) == 0 ? 1 + below(w, 4) : 0;
}

static bool failure_hit(struct world *w)
{
	bool hit = w->frames->fail_at != 0 &&
		   w->frames->allocations >= w->frames->fail_at;

	w->frames->fail_at = 0;
	return hit;
}

static void step_map(struct world *w, struct s2_edit *edit, size_t first,
		     size_t count)
{
	uint64_t gpa = w->base + first * UINT64_C(4096);
	bool device = below(w, 6) == 0;
	uint64_t before = load_relaxed(&w->table.pages);
	struct s2_map map = {
		.gpa = {gpa},
		.size = count * UINT64_C(4096),
		.hpa = {random_hpa(w, gpa)},
		.access = rights[below(w, device ? 2 : 4)],
		.type = device ? AXVM_MEM_DEVICE : AXVM_MEM_NORMAL,
	};
	int expected = count_mapped(w, first, count) != 0 ? AXVM_EEXIST : 0;
	size_t needed = 12345;
	int error = axvmi_s2_pages_needed(&w->table, &map, &needed);

	assert_int_equal(error, expected);
	arm_failure(w);
	error = axvmi_s2_map(&w->table, &map, edit);
	if (failure_hit(w))
		expected = AXVM_ENOMEM;
	assert_int_equal(error, expected);
	if (error != 0) {
		assert_int_equal(load_relaxed(&w->table.pages), before);
		return;
	}
	assert_int_equal(load_relaxed(&w->table.pages), before + needed);
	assert_true(edit->added);
	for (size_t i = 0; i < count; i++)
		w->pages[first + i] = (struct page){
			.hpa = map.hpa.value + i * UINT64_C(4096),
			.mapped = 1,
			.access = (uint8_t)map.access,
			.device = device,
		};
}

static void step_unmap(struct world *w, struct s2_edit *edit, size_t first,
		       size_t count)
{
	struct axvm_gpa gpa = {w->base + first * UINT64_C(4096)};
	uint64_t size = count * UINT64_C(4096);
	size_t mapped = count_mapped(w, first, count);
	bool sparse = below(w, 3) == 0;
	int expected = sparse || mapped == count ? 0 : AXVM_ENOENT;
	int error;

	arm_failure(w);
	error = sparse ? axvmi_s2_unmap_sparse(&w->table, gpa, size, edit)
		       : axvmi_s2_unmap(&w->table, gpa, size, edit);
	if (failure_hit(w))
		expected = AXVM_ENOMEM;
	assert_int_equal(error, expected);
	if (error != 0)
		return;
	if (mapped != 0) {
		assert_true(edit->need_flush);
		if (!sparse) {
			assert_true(edit->flush_first <= gpa.value);
			assert_true(edit->flush_last >= gpa.value + size - 1);
		}
	}
	memset(w->pages + first, 0, count * sizeof(struct page));
}

static void step_protect(struct world *w, struct s2_edit *edit, size_t first,
			 size_t count)
{
	struct axvm_gpa gpa = {w->base + first * UINT64_C(4096)};
	uint32_t access = rights[below(w, 4)];
	bool narrows = false;
	int expected = 0;
	int error;

	if (count_mapped(w, first, count) != count)
		expected = AXVM_ENOENT;
	else if ((access & AXVM_EXEC) != 0 && any_device(w, first, count))
		expected = AXVM_EINVAL;
	for (size_t i = 0; i < count; i++)
		narrows |= (w->pages[first + i].access & ~access) != 0;
	arm_failure(w);
	error = axvmi_s2_protect(&w->table, gpa, count * UINT64_C(4096), access,
				 edit);
	if (failure_hit(w))
		expected = AXVM_ENOMEM;
	assert_int_equal(error, expected);
	if (error != 0)
		return;
	assert_true(edit->need_flush || !narrows);
	for (size_t i = 0; i < count; i++)
		w->pages[first + i].access = (uint8_t)access;
}

static void step_compact(struct world *w, struct s2_edit *edit, size_t first,
			 size_t count)
{
	struct axvm_gpa gpa = {w->base + first * UINT64_C(4096)};
	struct s2_progress progress = {.max_steps = 1 + below(w, 700)};
	int error;

	do {
		error = axvmi_s2_compact(&w->table, gpa, count * UINT64_C(4096),
					 &progress, edit);
		assert_int_equal(axvmi_s2_reclaim(&w->table, edit, 100000), 0);
	} while (error == AXVM_EAGAIN);
	assert_int_equal(error, 0);
}

static void step(struct world *w)
{
	struct s2_edit edit;
	size_t first;
	size_t count;

	axvmi_s2_edit_init(&edit, ignore_flush, NULL);
	random_range(w, &first, &count);
	switch (below(w, 8)) {
	case 0:
	case 1:
	case 2:
		step_map(w, &edit, first, count);
		break;
	case 3:
	case 4:
		step_unmap(w, &edit, first, count);
		break;
	case 5:
	case 6:
		step_protect(w, &edit, first, count);
		break;
	default:
		step_compact(w, &edit, first, count);
		break;
	}
	check_around(w, first, count);
	assert_true(edit.need_flush || edit.garbage.head == 0);
	while (axvmi_s2_reclaim(&w->table, &edit, 3) == AXVM_EAGAIN)
		;
}

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoul(text, NULL, 0) : otherwise;
}

static void empty_all(struct world *w)
{
	struct s2_edit edit;

	axvmi_s2_edit_init(&edit, ignore_flush, NULL);
	assert_int_equal(axvmi_s2_unmap_sparse(&w->table, axvm_to_gpa(w->base),
					       PAGES * UINT64_C(4096), &edit),
			 0);
	assert_int_equal(axvmi_s2_reclaim(&w->table, &edit, 100000), 0);
	assert_int_equal(load_relaxed(&w->table.pages),
			 axvmi_s2_root_size(&w->format) / 4096);
	check_frames(w->mode, w->frames, &w->table);
}

static void run_mode(const struct mode *mode, bool linear)
{
	struct world w = {.mode = mode, .format = mode_format(mode)};
	unsigned long seed = from_environment("AXVM_SEED", 20261123);
	unsigned long steps = from_environment("AXVM_STEPS", 200);

	w.seed = seed * 2 + 1;
	w.base = w.format.gpa_bits > 40 ? GIB(511) : GIB(1);
	w.frames = frames_create(linear);
	w.pages = calloc(PAGES, sizeof(struct page));
	assert_non_null(w.pages);
	assert_int_equal(axvmi_s2_init(&w.table, &w.format, &w.frames->pool),
			 0);
	print_message("%s, seed %lu, %lu steps\n", mode->name, seed, steps);
	for (unsigned long i = 0; i < steps; i++) {
		step(&w);
		if (i % 16 == 0)
			check_frames(w.mode, w.frames, &w.table);
	}
	for (size_t i = 0; i < PAGES; i += 61)
		check_some(&w, i);
	empty_all(&w);
	assert_int_equal(axvmi_s2_destroy(&w.table, SIZE_MAX), 0);
	frames_destroy(w.frames);
	free(w.pages);
}

static void random_edits_match_an_array_of_pages_in_every_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < MODES; i++)
		run_mode(&modes[i], true);
}

static void random_edits_match_when_the_pool_translates(void **state)
{
	(void)state;
	run_mode(&modes[0], false);
	run_mode(&modes[5], false);
	run_mode(&modes[9], false);
}

/*
 * One editor, two readers. A page in the middle of a 2 MiB leaf is never
 * unmapped; its neighbour comes and goes, so the leaf is split and merged.
 */
#define READERS 2
#define STAYS (GIB(1) + MIB(1))
#define GOES (GIB(1) + MIB(1) + KIB(4))
#define HPA_OF(gpa) ((gpa) + GIB(8))

struct race {
	struct s2_table table;
	atomic_u32 stop;
	atomic_u32 wrong;
	atomic_u64 sections[READERS]; /* odd: inside a read section */
};

struct reader {
	struct race *race;
	unsigned index;
};

static bool reads_right(struct race *race, uint64_t gpa, bool may_miss)
{
	struct s2_mapping mapping;
	int error = axvmi_s2_query(&race->table, axvm_to_gpa(gpa), &mapping);

	if (error == AXVM_ENOENT)
		return may_miss;
	return error == 0 && mapping.hpa.value == HPA_OF(gpa) &&
	       (mapping.access & AXVM_READ) != 0 &&
	       mapping.type == AXVM_MEM_NORMAL;
}

static void *read_all_the_time(void *argument)
{
	struct reader *reader = argument;
	struct race *race = reader->race;
	atomic_u64 *section = &race->sections[reader->index];

	while (!load_acquire(&race->stop)) {
		bool right;

		atomic_fetch_add(section, 1);
		right = reads_right(race, STAYS, false);
		right = reads_right(race, GOES, true) && right;
		right = reads_right(race, GIB(1) + KIB(4), false) && right;
		atomic_fetch_add(section, 1);
		if (!right)
			store_release(&race->wrong, 1);
	}
	return NULL;
}

static void wait_for_readers(struct race *race)
{
	for (unsigned i = 0; i < READERS; i++) {
		uint64_t seen = atomic_load(&race->sections[i]);

		while ((seen & 1) != 0 &&
		       atomic_load(&race->sections[i]) == seen)
			sched_yield();
	}
}

static void finish(struct race *race, struct s2_edit *edit)
{
	wait_for_readers(race);
	while (axvmi_s2_reclaim(&race->table, edit, 1) == AXVM_EAGAIN)
		;
}

static void edit_once(struct race *race, unsigned round)
{
	struct s2_map page = {
		{GOES}, 4096, {HPA_OF(GOES)}, AXVM_RWX, AXVM_MEM_NORMAL};
	struct s2_progress progress = {.max_steps = 8};
	struct axvm_gpa all = {GIB(1)};
	struct s2_edit edit;

	axvmi_s2_edit_init(&edit, ignore_flush, NULL);
	assert_int_equal(axvmi_s2_unmap(&race->table, page.gpa, 4096, &edit),
			 0);
	finish(race, &edit);
	axvmi_s2_edit_init(&edit, ignore_flush, NULL);
	assert_int_equal(axvmi_s2_map(&race->table, &page, &edit), 0);
	if (round % 2 == 0)
		assert_int_equal(axvmi_s2_compact(&race->table, all, MIB(2),
						  &progress, &edit),
				 0);
	else
		assert_int_equal(
			axvmi_s2_protect(&race->table, all, MIB(2),
					 round % 4 == 1 ? AXVM_READ : AXVM_RWX,
					 &edit),
			0);
	finish(race, &edit);
	axvmi_s2_edit_init(&edit, ignore_flush, NULL);
	assert_int_equal(
		axvmi_s2_protect(&race->table, all, MIB(2), AXVM_RWX, &edit),
		0);
	finish(race, &edit);
}

static void race_in(const struct mode *mode)
{
	struct axvm_s2_format format = mode_format(mode);
	struct frames *frames = frames_create(true);
	struct race *race = calloc(1, sizeof(*race));
	struct s2_map map = {
		{GIB(1)}, MIB(2), {HPA_OF(GIB(1))}, AXVM_RWX, AXVM_MEM_NORMAL};
	struct reader readers[READERS];
	pthread_t threads[READERS];
	struct s2_edit edit;

	assert_non_null(race);
	axvmi_s2_edit_init(&edit, ignore_flush, NULL);
	assert_int_equal(axvmi_s2_init(&race->table, &format, &frames->pool),
			 0);
	assert_int_equal(axvmi_s2_map(&race->table, &map, &edit), 0);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct reader){race, i};
		assert_int_equal(pthread_create(&threads[i], NULL,
						read_all_the_time, &readers[i]),
				 0);
	}
	for (unsigned round = 0; round < 500; round++)
		edit_once(race, round);
	store_release(&race->stop, 1);
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(load_acquire(&race->wrong), 0);
	assert_int_equal(axvmi_s2_destroy(&race->table, SIZE_MAX), 0);
	frames_destroy(frames);
	free(race);
}

static void queries_stay_right_while_ept_leaves_split_and_merge(void **state)
{
	(void)state;
	race_in(&modes[0]);
}

static void queries_stay_right_during_break_before_make(void **state)
{
	(void)state;
	race_in(&modes[5]);
}

static void queries_stay_right_while_sv39x4_leaves_split_and_merge(void **state)
{
	(void)state;
	race_in(&modes[9]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			random_edits_match_an_array_of_pages_in_every_format),
		cmocka_unit_test(random_edits_match_when_the_pool_translates),
		cmocka_unit_test(
			queries_stay_right_while_ept_leaves_split_and_merge),
		cmocka_unit_test(queries_stay_right_during_break_before_make),
		cmocka_unit_test(
			queries_stay_right_while_sv39x4_leaves_split_and_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
