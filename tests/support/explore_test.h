/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * For the tests of the explorer: two threads that play CPUs 0 and 1 of one
 * modelled machine, a host for each that sleeps until it is woken, and the
 * report. The machine stays, VMs are made anew for each schedule.
 */
#ifndef EXPLORE_TEST_H
#define EXPLORE_TEST_H

#include "core_test.h"
#include "explorer.h"
#include "stub_internal.h"

/* A hypercall that the library leaves to the host. */
#define HOST_CALL 0x500

/* Small: zeroing it is most of a schedule's time. */
#define EXPLORE_PAGES 4u

static UNUSED void play(unsigned cpu)
{
	stub_switch(m, cpu);
}

/* ---- the host: wakes are sticky ---- */

static uint32_t woken[4]; /* per vCPU of the VM that matters */
static struct axvm_vm *watched;

static UNUSED void on_wake(void *arg, struct axvm_vm *vm, uint32_t vcpu)
{
	(void)arg;
	if (vm != watched)
		return;
	EXPLORER_WRITE(&woken[vcpu]);
	word_store(&woken[vcpu], 1);
}

static UNUSED void sleep_until_woken(uint32_t vcpu)
{
	for (;;) {
		EXPLORER_WRITE(&woken[vcpu]);
		if (word_exchange(&woken[vcpu], 0) != 0)
			return;
		explorer_relax();
	}
}

/* ---- words of memory that both threads use ---- */

static UNUSED uint64_t look(const uint64_t *word)
{
	EXPLORER_READ(word);
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static UNUSED void put(uint64_t *word, uint64_t value)
{
	EXPLORER_WRITE(word);
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/* The host's view of guest memory, before anything runs. */
static UNUSED uint64_t *word_at(struct axvm_vm *vm, uint64_t gpa)
{
	struct axvm_mapping mapping;

	if (axvm_query(vm, axvm_to_gpa(gpa), &mapping) != AXVM_OK)
		abort();
	return test_hal_virt(stub_hal(m), mapping.hpa);
}

static void (*free_unseen)(void *ctx, void *ptr, size_t size);

static UNUSED void free_seen(void *ctx, void *ptr, size_t size)
{
	explorer_free(ptr, size, __FILE__, __LINE__);
	free_unseen(ctx, ptr, size);
}

/* ---- machines ---- */

static UNUSED void explored_config(void)
{
	empty_config();
	add_region(RAM, EXPLORE_PAGES * PAGE, AXVM_REGION_ALLOC);
	config.kernel.entry.value = RAM;
	config.kernel.kernel_gpa.value = RAM;
}

static UNUSED void explored_machine(unsigned tag_bits, bool broadcast)
{
	struct stub_config c = {
		.format = broadcast ? STUB_ARM : STUB_SV39X4,
		.cpus = 2,
		.max_cpus = 2,
		.tag_bits = tag_bits,
		.no_tables = true,
		.broadcast = broadcast,
		.threads = true,
	};

	machine(&c);
	stub_hal(m)->on_wake = on_wake;
	free_unseen = m->host->hal.free;
	m->host->hal.free = free_seen;
	explored_config();
}

/* Every schedule begins with the same tags and nothing cached. */
static UNUSED void power_up(void)
{
	memset(woken, 0, sizeof(woken));
	for (unsigned i = 0; i < 2; i++) {
		if (m->cpus[i] != NULL && stub_cpu_disable(m, i) != AXVM_OK)
			abort();
	}
	for (unsigned i = 0; i < 2; i++) {
		if (stub_cpu_enable(m, i) != AXVM_OK)
			abort();
		store_relaxed(&m->pcpu[i].kicked, 0);
	}
	m->host->next_tag = 1;
	stub_be(m, 0);
}

static UNUSED const char *violation(void)
{
	return stub_violations(m) != 0 ? stub_violation(m) : NULL;
}

static UNUSED void explore(struct explorer_case *c, unsigned long at_least)
{
	struct explorer_result r;

	c->switched = play;
	r = explorer_run(c);
	print_message("# %lu schedules of up to %u accesses\n", r.schedules,
		      r.longest);
	/* Locks may be held for ever: leave the machine alone. */
	if (r.stuck)
		m = NULL;
	if (r.wrong != NULL) {
		explorer_print();
		fail_msg("%s", r.wrong);
	}
	/* The scheduling points are really there. */
	assert_true(r.schedules >= at_least);
}

#endif
