/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A host for host tests: struct axvm_hal over an arena whose physical addresses
 * no pointer can have, with a ledger of every allocation, failures on request
 * and a record of every other callback. Misuse (wrong size at free, a physical
 * address of freed memory) is printed and aborts. Thread-safe.
 */
#ifndef TEST_HOST_HAL_H
#define TEST_HOST_HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "axvm/hal.h"

#define TEST_HAL_CPUS 64u
#define TEST_HAL_VCPUS 64u
#define TEST_HAL_IRQS 2048u

struct test_memory;
struct test_records;

struct test_hal {
	/* What the library gets; tests may NULL callbacks in it before. */
	struct axvm_hal hal;
	/* Called after the record is made, with no lock held; may be NULL. */
	void (*on_kick)(void *arg, uint32_t cpu);
	void (*on_wake)(void *arg, struct axvm_vm *vm, uint32_t vcpu);
	void *arg;
	struct test_memory *memory;
	struct test_records *records;
};

struct test_hal *test_hal_new(void);
/* Frees everything, leaked or not. */
void test_hal_delete(struct test_hal *t);

/* The ledger. Prints every allocation not freed; true if there is none. With
 * AXVM_HAL_BREAK=n in the environment allocation #n raises SIGTRAP. */
bool test_hal_check_no_leaks(struct test_hal *t);
size_t test_hal_live(struct test_hal *t); /* allocations */
uint64_t test_hal_live_bytes(struct test_hal *t);
uint64_t test_hal_allocs(struct test_hal *t); /* calls since new, all */

/* The k-th allocation from now on returns NULL (1: the next); 0: none does. */
void test_hal_fail_at(struct test_hal *t, uint64_t k);
/* That one and all after it. */
void test_hal_fail_from(struct test_hal *t, uint64_t k);
/* Whether a failure asked for has happened; forgets the request. */
bool test_hal_failed(struct test_hal *t);
/* Alignments over 64 KiB are refused unless raised to `align`. */
void test_hal_max_align(struct test_hal *t, size_t align);

/*
 * Calls attempt(arg) with its 1st, 2nd, ... allocation failing, until none is
 * left to fail. A failed attempt must return `error` and leave the ledger as it
 * was; undo(arg) takes a successful one back (an attempt may survive a failure
 * by other means). The last, undisturbed, attempt is not undone. Returns how
 * many failures were tried; prints and returns 0 when a rule was broken.
 */
unsigned test_hal_sweep(struct test_hal *t, int error, int (*attempt)(void *),
			void (*undo)(void *), void *arg);

/* Memory the host owns and lends to a guest; not in the ledger. */
struct axvm_hpa test_hal_host_memory(struct test_hal *t, size_t size,
				     size_t align);
struct axvm_hpa test_hal_phys(struct test_hal *t, const void *ptr);
void *test_hal_virt(struct test_hal *t, struct axvm_hpa hpa);

/* Time stands still unless moved. */
void test_hal_set_now(struct test_hal *t, uint64_t ns);
void test_hal_set_wallclock(struct test_hal *t, uint64_t seconds);
/* Which CPU the calling thread plays; 0 at first. */
void test_hal_set_cpu(uint32_t cpu);

/* The records. */
uint64_t test_hal_kicks(struct test_hal *t, uint32_t cpu);
uint64_t test_hal_wakes(struct test_hal *t, uint32_t vcpu);
uint64_t test_hal_unmasks(struct test_hal *t, uint32_t irq);
uint64_t test_hal_timer(struct test_hal *t, uint32_t cpu); /* deadline */
uint64_t test_hal_timers(struct test_hal *t, uint32_t cpu); /* calls */
uint64_t test_hal_logs(struct test_hal *t, enum axvm_log_level level);
bool test_hal_logged(struct test_hal *t, const char *part);

#endif
