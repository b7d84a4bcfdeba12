/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The test host's callbacks and what they record, under `lock`. Its memory is
 * host_memory.c.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_hal.h"
#include "host_memory.h"

#define LOG_LINES 64u
#define LOG_WIDTH 160u

struct test_records {
	pthread_mutex_t lock;
	uint64_t now, wallclock;
	uint64_t kicks[TEST_HAL_CPUS], timers[TEST_HAL_CPUS];
	uint64_t deadline[TEST_HAL_CPUS];
	uint64_t wakes[TEST_HAL_VCPUS];
	uint64_t unmasks[TEST_HAL_IRQS];
	uint64_t logs[AXVM_LOG_INFO + 1], log_lines;
	char log[LOG_LINES][LOG_WIDTH];
};

static _Thread_local uint32_t this_cpu;

static struct test_records *locked(struct test_hal *t)
{
	pthread_mutex_lock(&t->records->lock);
	return t->records;
}

static void unlock(struct test_records *r)
{
	pthread_mutex_unlock(&r->lock);
}

static void hal_kick(void *ctx, uint32_t cpu)
{
	struct test_hal *t = ctx;
	struct test_records *r = locked(t);

	if (cpu >= TEST_HAL_CPUS)
		test_misuse("kick(%u)", cpu);
	r->kicks[cpu]++;
	unlock(r);
	if (t->on_kick != NULL)
		t->on_kick(t->arg, cpu);
}

static void hal_wake(void *ctx, struct axvm_vm *vm, uint32_t vcpu)
{
	struct test_hal *t = ctx;
	struct test_records *r = locked(t);

	if (vm == NULL || vcpu >= TEST_HAL_VCPUS)
		test_misuse("wake(%p, %u)", (void *)vm, vcpu);
	r->wakes[vcpu]++;
	unlock(r);
	if (t->on_wake != NULL)
		t->on_wake(t->arg, vm, vcpu);
}

static uint64_t hal_now(void *ctx)
{
	struct test_records *r = locked(ctx);
	uint64_t now = r->now;

	unlock(r);
	return now;
}

static void hal_timer(void *ctx, uint64_t deadline)
{
	struct test_records *r = locked(ctx);

	r->deadline[this_cpu] = deadline;
	r->timers[this_cpu]++;
	unlock(r);
}

static uint64_t hal_wallclock(void *ctx)
{
	struct test_records *r = locked(ctx);
	uint64_t seconds = r->wallclock;

	unlock(r);
	return seconds;
}

static void hal_irq_unmask(void *ctx, uint32_t irq)
{
	struct test_records *r = locked(ctx);

	if (irq >= TEST_HAL_IRQS)
		test_misuse("irq_unmask(%u)", irq);
	r->unmasks[irq]++;
	unlock(r);
}

static void hal_log(void *ctx, enum axvm_log_level level, const char *msg)
{
	struct test_records *r = locked(ctx);

	if (level > AXVM_LOG_INFO || strchr(msg, '\n') != NULL)
		test_misuse("log(%d, \"%s\")", (int)level, msg);
	r->logs[level]++;
	snprintf(r->log[r->log_lines++ % LOG_LINES], LOG_WIDTH, "%s", msg);
	unlock(r);
}

struct test_hal *test_hal_new(void)
{
	struct test_hal *t = calloc(1, sizeof(*t));
	struct test_records *r = calloc(1, sizeof(*r));

	if (t == NULL || r == NULL)
		test_misuse("no memory");
	pthread_mutex_init(&r->lock, NULL);
	for (unsigned i = 0; i < TEST_HAL_CPUS; i++)
		r->deadline[i] = UINT64_MAX;
	t->records = r;
	t->memory = test_memory_new();
	t->hal = (struct axvm_hal){
		.size = sizeof(t->hal),
		.ctx = t,
		.alloc = test_memory_alloc,
		.free = test_memory_free,
		.virt_to_phys = test_memory_virt_to_phys,
		.phys_to_virt = test_memory_phys_to_virt,
		.kick = hal_kick,
		.wake = hal_wake,
		.now = hal_now,
		.counter_hz = 10000000,
		.timer = hal_timer,
		.wallclock = hal_wallclock,
		.irq_unmask = hal_irq_unmask,
		.log = hal_log,
	};
	return t;
}

void test_hal_delete(struct test_hal *t)
{
	test_memory_delete(t->memory);
	pthread_mutex_destroy(&t->records->lock);
	free(t->records);
	free(t);
}

void test_hal_set_now(struct test_hal *t, uint64_t ns)
{
	struct test_records *r = locked(t);

	r->now = ns;
	unlock(r);
}

void test_hal_set_wallclock(struct test_hal *t, uint64_t seconds)
{
	struct test_records *r = locked(t);

	r->wallclock = seconds;
	unlock(r);
}

void test_hal_set_cpu(uint32_t cpu)
{
	this_cpu = cpu % TEST_HAL_CPUS;
}

/* A counter; the lock makes it whole under ThreadSanitizer. */
static uint64_t read_locked(struct test_hal *t, const uint64_t *word)
{
	struct test_records *r = locked(t);
	uint64_t value = *word;

	unlock(r);
	return value;
}

uint64_t test_hal_kicks(struct test_hal *t, uint32_t cpu)
{
	return read_locked(t, &t->records->kicks[cpu]);
}

uint64_t test_hal_wakes(struct test_hal *t, uint32_t vcpu)
{
	return read_locked(t, &t->records->wakes[vcpu]);
}

uint64_t test_hal_unmasks(struct test_hal *t, uint32_t irq)
{
	return read_locked(t, &t->records->unmasks[irq]);
}

uint64_t test_hal_timer(struct test_hal *t, uint32_t cpu)
{
	return read_locked(t, &t->records->deadline[cpu]);
}

uint64_t test_hal_timers(struct test_hal *t, uint32_t cpu)
{
	return read_locked(t, &t->records->timers[cpu]);
}

uint64_t test_hal_logs(struct test_hal *t, enum axvm_log_level level)
{
	return read_locked(t, &t->records->logs[level]);
}

bool test_hal_logged(struct test_hal *t, const char *part)
{
	struct test_records *r = locked(t);
	bool found = false;

	for (unsigned i = 0; i < LOG_LINES; i++)
		found |= strstr(r->log[i], part) != NULL;
	unlock(r);
	return found;
}
