/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Runs the host benches on one CPU and prints a line for each row:
 * "bench host NAME MEDIAN ns". Single-threaded; tests/bench.sh calls it.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../arch/vmx/s2_format.h"
#include "bench.h"

#define POOL_FRAMES 4096u
#define POOL_HPA GIB(4)
/* Enough for caches to settle on 2 MiB of tables. */
#define WARM_TURNS 3

uint32_t bench_random[BENCH_RANDOM];

static unsigned char *frames;
static void *free_frames[POOL_FRAMES];
static unsigned free_count;
static bool warming;

void bench_fail(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

void bench_sample(struct bench_row *row, uint64_t start, uint64_t operations)
{
	uint64_t ns = bench_now() - start;

	if (warming)
		return;
	bench_must(row->count < BENCH_ROUNDS, row->name);
	row->samples[row->count++] = (double)ns / (double)operations;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

void bench_print(struct bench_row *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct bench_row *row = &rows[i];

		bench_must(row->count == BENCH_ROUNDS, row->name);
		qsort(row->samples, row->count, sizeof(double), compare);
		printf("bench host %s %.3f ns\n", row->name,
		       row->samples[row->count / 2]);
	}
}

void bench_print_value(const char *name, uint64_t value, const char *unit)
{
	printf("bench host %s %llu %s\n", name, (unsigned long long)value,
	       unit);
}

static void *take_frame(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	bench_must(size == PAGE && align == PAGE && free_count != 0, "pool");
	return free_frames[--free_count];
}

static void give_frame(void *ctx, void *page, size_t size)
{
	(void)ctx;
	(void)size;
	free_frames[free_count++] = page;
}

struct s2_pool *bench_pool(void)
{
	static struct s2_pool pool = {
		.alloc_page = take_frame,
		.free_page = give_frame,
		.linear = true,
	};

	if (frames != NULL)
		return &pool;
	frames = aligned_alloc(MIB(2), POOL_FRAMES * PAGE);
	bench_must(frames != NULL, "memory");
	/* As a kernel's direct map: the host's own TLB is not the subject. */
	(void)madvise(frames, POOL_FRAMES * PAGE, MADV_HUGEPAGE);
	memset(frames, 0xff, POOL_FRAMES * PAGE);
	for (unsigned i = POOL_FRAMES; i != 0; i--)
		give_frame(NULL, frames + (i - 1) * PAGE, PAGE);
	pool.virt_offset = (uint64_t)(uintptr_t)frames - POOL_HPA;
	return &pool;
}

const struct axvm_s2_format *bench_format(void)
{
	static struct axvm_s2_format format;
	const struct vmx_ept_features features = {.exec_only = true,
						  .leaf_2m = true,
						  .leaf_1g = true,
						  .levels = 4,
						  .hpa_bits = 46};

	if (format.levels == 0)
		bench_must(axvmi_vmx_s2_format(&features, &format) == 0,
			   "format");
	return &format;
}

static void fill_random(void)
{
	uint64_t x = 88172645463325252u;

	for (unsigned i = 0; i < BENCH_RANDOM; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bench_random[i] = (uint32_t)(x >> 32) % TABLE_PAGES;
	}
}

/* The last CPU: the first one has most of the interrupts. */
static void pin(void)
{
	cpu_set_t set;
	int last = -1;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return;
	for (int i = 0; i < CPU_SETSIZE; i++)
		last = CPU_ISSET(i, &set) ? i : last;
	CPU_ZERO(&set);
	CPU_SET(last, &set);
	(void)!sched_setaffinity(0, sizeof(set), &set);
}

static const struct bench_file *const files[] = {
	&stage2_benches, &api_benches, &dispatch_benches, &bare_benches};

static void run(const struct bench_file *file)
{
	const struct timespec nap = {.tv_nsec = 1000000};

	for (unsigned i = 0;
	     i < ARRAY_SIZE(file->steps) && file->steps[i] != NULL; i++) {
		/* Who has slept gets a whole time slice: other work on this
		 * CPU seldom takes the caches away in the middle. */
		nanosleep(&nap, NULL);
		warming = true;
		for (int turn = 0; turn < WARM_TURNS; turn++)
			file->steps[i]();
		warming = false;
		file->steps[i]();
	}
}

int main(void)
{
	pin();
	fill_random();
	for (unsigned f = 0; f < ARRAY_SIZE(files); f++)
		files[f]->setup();
	for (unsigned i = 0; i < BENCH_ROUNDS; i++) {
		for (unsigned f = 0; f < ARRAY_SIZE(files); f++)
			run(files[f]);
	}
	for (unsigned f = 0; f < ARRAY_SIZE(files); f++)
		files[f]->report();
	return 0;
}
