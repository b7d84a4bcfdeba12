/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The host benches: rows of samples, a clock, a pool of table frames. main runs
 * the steps of all files in turn, many rounds, so that rows that are compared
 * were measured side by side.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "stage2.h"

#define BENCH_ROUNDS 31u
#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)
#define PAGE PAGE_SIZE_4K

/* Where guest and host memory lie: never aligned alike, so that the leaves are
 * of the size a row is about. */
#define GUEST GIB(64)
#define FRAMES_4K (GIB(512) + KIB(4))
#define FRAMES_2M (GIB(512) + MIB(2))
#define TABLE_PAGES (GIB(1) / PAGE)

struct bench_row {
	const char *name;
	unsigned count;
	double samples[BENCH_ROUNDS]; /* ns per operation */
};

/* CPU time of this thread in ns: others may run on the machine, too. */
static inline uint64_t bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The compiler must have `value` by now; and may not know what it is. */
static inline void bench_use(uint64_t value)
{
	__asm__ volatile("" : : "r"(value) : "memory");
}

_Noreturn void bench_fail(const char *what);

/* Ends the program when a bench did not do what it measures. */
static inline void bench_must(bool good, const char *what)
{
	if (!good)
		bench_fail(what);
}

void bench_sample(struct bench_row *row, uint64_t start, uint64_t operations);
void bench_print(struct bench_row *rows, unsigned count);
void bench_print_value(const char *name, uint64_t value, const char *unit);

/* A pool whose frames have all been touched; the last one given back is the
 * next one given out. virtual = physical + an offset. */
struct s2_pool *bench_pool(void);
const struct axvm_s2_format *bench_format(void); /* EPT, 4 levels */
/* The same pseudo-random page numbers below TABLE_PAGES for every row. */
#define BENCH_RANDOM 65536u
extern uint32_t bench_random[BENCH_RANDOM];
/* 1 GiB of 4K leaves at GUEST; queries and bare walks share it. */
extern struct s2_table bench_table;

/* One file of benches. A step measures one row or a few that follow on each
 * other. It is run several times a round, and only the last time counts, so
 * that every row finds the caches as it left them. */
struct bench_file {
	void (*setup)(void);
	void (*report)(void);
	void (*const steps[8])(void);
};

extern const struct bench_file stage2_benches, bare_benches, dispatch_benches,
	api_benches;

#endif
