/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The sample hypervisor's page allocator, on a piece of this process's memory. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../hypervisor/heap.c"

#define PAGES 64u
#define AREA (PAGES * PAGE_SIZE)

static char *area; /* 1 MiB aligned */
static jmp_buf panicked;

void panic(const char *format, ...)
{
	(void)format;
	lock = 0;
	longjmp(panicked, 1);
}

static int setup(void **state)
{
	(void)state;
	area = aligned_alloc(1 << 20, 1 << 20);
	first.next = NULL;
	heap_free_bytes = 0;
	heap_add((uintptr_t)area, (uintptr_t)area + AREA);
	return area == NULL;
}

/* Every test gives back what it took: one run is left. */
static int teardown(void **state)
{
	(void)state;
	assert_int_equal(heap_free_bytes, AREA);
	assert_ptr_equal(first.next, area);
	assert_int_equal(first.next->size, AREA);
	assert_null(first.next->next);
	free(area);
	return 0;
}

static void pieces_are_distinct_and_whole_pages(void **state)
{
	char *a = heap_alloc(NULL, 1, 1);
	char *b = heap_alloc(NULL, PAGE_SIZE + 1, 8);
	char *c = heap_alloc(NULL, PAGE_SIZE, PAGE_SIZE);

	(void)state;
	assert_ptr_equal(a, area);
	assert_ptr_equal(b, area + PAGE_SIZE);
	assert_ptr_equal(c, area + 3 * PAGE_SIZE);
	assert_int_equal(heap_free_bytes, AREA - 4 * PAGE_SIZE);
	heap_free(NULL, b, PAGE_SIZE + 1);
	heap_free(NULL, a, 1);
	heap_free(NULL, c, PAGE_SIZE);
}

static void alignment_is_honoured_and_the_gap_stays_usable(void **state)
{
	char *a = heap_alloc(NULL, PAGE_SIZE, PAGE_SIZE);
	char *b = heap_alloc(NULL, PAGE_SIZE, 16 * PAGE_SIZE);
	char *c = heap_alloc(NULL, 15 * PAGE_SIZE, PAGE_SIZE);

	(void)state;
	assert_ptr_equal(b, area + 16 * PAGE_SIZE);
	assert_ptr_equal(c, area + PAGE_SIZE);
	heap_free(NULL, a, PAGE_SIZE);
	heap_free(NULL, b, PAGE_SIZE);
	heap_free(NULL, c, 15 * PAGE_SIZE);
}

static void what_does_not_fit_is_refused(void **state)
{
	void *all;

	(void)state;
	assert_null(heap_alloc(NULL, AREA + 1, 1));
	assert_null(heap_alloc(NULL, SIZE_MAX, 1));
	assert_null(heap_alloc(NULL, SIZE_MAX - PAGE_SIZE, 1));
	assert_null(heap_alloc(NULL, 0, 1));
	assert_null(heap_alloc(NULL, PAGE_SIZE, (size_t)1 << 63));
	all = heap_alloc(NULL, AREA, 1);
	assert_ptr_equal(all, area);
	assert_null(heap_alloc(NULL, 1, 1));
	assert_int_equal(heap_free_bytes, 0);
	heap_free(NULL, all, AREA);
}

static void neighbours_merge_in_any_order(void **state)
{
	static const int orders[][4] = {
		{0, 1, 2, 3}, {3, 2, 1, 0}, {0, 2, 1, 3},
		{1, 3, 0, 2}, {2, 0, 3, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		char *pieces[4];

		for (int n = 0; n < 4; n++)
			pieces[n] = heap_alloc(NULL, AREA / 4, 1);
		assert_int_equal(heap_free_bytes, 0);
		for (int n = 0; n < 4; n++)
			heap_free(NULL, pieces[orders[i][n]], AREA / 4);
		assert_null(first.next->next);
	}
}

static void a_double_free_panics(void **state)
{
	/* Whole, its start, its end, over both ends. */
	static const struct {
		size_t page;
		size_t pages;
	} bad[] = {{4, 2}, {4, 1}, {5, 1}, {3, 4}, {63, 1}};
	char *a = heap_alloc(NULL, PAGE_SIZE, 1);
	volatile size_t caught = 0;

	(void)state;
	for (volatile size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (setjmp(panicked) != 0) {
			caught++;
			continue;
		}
		heap_free(NULL, area + bad[i].page * PAGE_SIZE,
			  bad[i].pages * PAGE_SIZE);
	}
	assert_int_equal(caught, sizeof(bad) / sizeof(bad[0]));
	heap_free(NULL, a, PAGE_SIZE);
}

static void only_whole_pages_of_a_range_are_used(void **state)
{
	char *all = heap_alloc(NULL, AREA, 1);

	(void)state;
	heap_add((uintptr_t)area + 1, (uintptr_t)area + 2 * PAGE_SIZE - 1);
	assert_int_equal(heap_free_bytes, 0);
	heap_add((uintptr_t)area + 1, (uintptr_t)area + 2 * PAGE_SIZE);
	assert_int_equal(heap_free_bytes, PAGE_SIZE);
	assert_ptr_equal(first.next, area + PAGE_SIZE);
	heap_free(NULL, all, PAGE_SIZE);
	heap_free(NULL, all + 2 * PAGE_SIZE, AREA - 2 * PAGE_SIZE);
}

static void random_use_never_overlaps_and_comes_back(void **state)
{
	struct {
		char *at;
		size_t size;
	} held[16] = {0};
	uint32_t random = 1;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		size_t i;

		random = random * 1664525u + 1013904223u;
		i = random >> 28;
		if (held[i].at != NULL) {
			for (size_t n = 0; n < held[i].size; n += PAGE_SIZE)
				assert_int_equal(held[i].at[n], (char)i);
			heap_free(NULL, held[i].at, held[i].size);
			held[i].at = NULL;
			continue;
		}
		held[i].size = (random >> 8 & 7) * PAGE_SIZE + 1;
		held[i].at = heap_alloc(NULL, held[i].size,
					(size_t)PAGE_SIZE << (random >> 4 & 3));
		if (held[i].at != NULL)
			memset(held[i].at, (int)i, held[i].size);
	}
	for (size_t i = 0; i < 16; i++) {
		if (held[i].at != NULL)
			heap_free(NULL, held[i].at, held[i].size);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pieces_are_distinct_and_whole_pages),
		TEST(alignment_is_honoured_and_the_gap_stays_usable),
		TEST(what_does_not_fit_is_refused),
		TEST(neighbours_merge_in_any_order),
		TEST(a_double_free_panics),
		TEST(only_whole_pages_of_a_range_are_used),
		TEST(random_use_never_overlaps_and_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
