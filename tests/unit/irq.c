/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Interrupt inputs: src/irq.c alone. The vCPUs here have an attention word and
 * nothing else; the controller model is an array of levels and edge counts.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "internal.h"

#define VCPUS 2u
#define FIRST 1u
#define COUNT 1023u

struct machine {
	struct axvm_vm vm;
	struct axvm_arch_ops ops;
	struct axvm_vcpu vcpus[VCPUS];
	atomic_u32 notified[VCPUS];
	/* What line_targets does besides answering: another CPU's work. */
	void (*in_targets)(struct machine *m, uint32_t line);
	void (*in_update)(struct machine *m, uint32_t line);
	uint64_t targets; /* UINT64_MAX: odd lines to vCPU 1, even to 0 */
	unsigned updates;
	bool level[AXVMI_MAX_LINES]; /* as the model knows it */
	unsigned edges[AXVMI_MAX_LINES];
	unsigned heard[AXVMI_MAX_LINES];
};

/* The core's: what it does to a vCPU is not at stake here. */
void axvmi_notify(struct axvm_vcpu *vcpu, uint32_t bits)
{
	struct machine *m = CONTAINER_OF(vcpu->vm, struct machine, vm);

	if (bits != AXVMI_ATTN_LINES)
		abort(); /* not an assertion: may be another thread */
	atomic_fetch_or(&vcpu->attention, bits);
	atomic_fetch_add(&m->notified[vcpu->index], 1);
}

static uint64_t line_targets(struct axvm_vm *vm, uint32_t line)
{
	struct machine *m = CONTAINER_OF(vm, struct machine, vm);
	void (*work)(struct machine * m, uint32_t line) = m->in_targets;

	if (work != NULL) {
		m->in_targets = NULL;
		work(m, line);
	}
	return m->targets == UINT64_MAX ? BIT64(line & 1) : m->targets;
}

static void update(struct axvm_vm *vm, uint32_t line, bool level, bool edge)
{
	struct machine *m = CONTAINER_OF(vm, struct machine, vm);
	void (*work)(struct machine * m, uint32_t line) = m->in_update;

	m->updates++;
	m->heard[line]++;
	m->level[line] = level;
	m->edges[line] += edge;
	if (work != NULL) {
		m->in_update = NULL;
		work(m, line);
	}
}

static unsigned take(struct machine *m)
{
	m->updates = 0;
	axvmi_lines_take(&m->vm, update);
	return m->updates;
}

/* Takes only if the vCPU was told to, as its entry does. */
static bool take_if_told(struct machine *m, uint32_t vcpu)
{
	if (atomic_exchange(&m->vcpus[vcpu].attention, 0) == 0)
		return false;
	spin_lock(&m->vm.irqchip);
	axvmi_lines_take(&m->vm, update);
	spin_unlock(&m->vm.irqchip);
	return true;
}

static int setup(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));

	m->ops.line_first = FIRST;
	m->ops.line_count = COUNT;
	m->ops.vcpu_lines = BIT64(1) | BIT64(5) | BIT64(9);
	m->ops.line_targets = line_targets;
	m->vm.ops = &m->ops;
	m->targets = UINT64_MAX;
	for (uint32_t i = 0; i < VCPUS; i++) {
		m->vcpus[i].vm = &m->vm;
		m->vcpus[i].index = i;
		m->vm.vcpus[i] = &m->vcpus[i];
	}
	m->vm.vcpu_count = VCPUS;
	store_relaxed(&m->vm.vcpus_ready, VCPUS);
	store_relaxed(&m->vm.state, AXVM_VM_RUNNING);
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static bool high(struct machine *m, uint32_t line)
{
	return axvmi_line_level(&m->vm, line);
}

static void set(struct machine *m, uint32_t line, bool level)
{
	assert_int_equal(axvm_irq_set(&m->vm, line, level), AXVM_OK);
}

static void set_source(struct axvm_irq_source *source, bool level)
{
	assert_int_equal(axvm_irq_source_set(source, level), AXVM_OK);
}

/* ---- arguments ---- */

static void lines_outside_the_controller_do_not_exist(void **state)
{
	static const uint32_t bad[] = {0, 31, 1020, 1023, 1024, UINT32_MAX};
	struct machine *m = *state;

	m->ops.line_first = 32;
	m->ops.line_count = 988;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct axvm_irq_source source = {&m->vm, bad[i], 0};

		assert_int_equal(axvm_irq_set(&m->vm, bad[i], true),
				 AXVM_ENOENT);
		assert_int_equal(axvm_irq_source_set(&source, true),
				 AXVM_ENOENT);
		assert_int_equal(axvm_inject(&m->vm, 0, bad[i]), AXVM_ENOENT);
		assert_int_equal(source.level, 0);
	}
	assert_int_equal(axvm_irq_set(&m->vm, 32, true), AXVM_OK);
	assert_int_equal(axvm_irq_set(&m->vm, 1019, true), AXVM_OK);
}

static void line_zero_does_not_exist_even_if_the_backend_says_so(void **state)
{
	struct machine *m = *state;

	m->ops.line_first = 0;
	m->ops.line_count = UINT32_MAX;
	assert_int_equal(axvm_irq_set(&m->vm, 0, true), AXVM_ENOENT);
	assert_int_equal(axvm_irq_set(&m->vm, AXVMI_MAX_LINES, true),
			 AXVM_ENOENT);
	assert_int_equal(axvm_irq_set(&m->vm, AXVMI_MAX_LINES - 1, true),
			 AXVM_OK);
}

static void null_arguments_of_line_calls_are_refused(void **state)
{
	struct axvm_irq_source source = {NULL, 1, 0};

	(void)state;
	assert_int_equal(axvm_irq_set(NULL, 1, true), AXVM_EINVAL);
	assert_int_equal(axvm_irq_source_set(NULL, true), AXVM_EINVAL);
	assert_int_equal(axvm_irq_source_set(&source, true), AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_irq_set(NULL, 0, 1, true), AXVM_EINVAL);
	assert_int_equal(axvm_inject(NULL, 0, 1), AXVM_EINVAL);
}

static void no_line_can_be_set_while_the_vm_is_loading(void **state)
{
	struct machine *m = *state;
	struct axvm_irq_source source = {&m->vm, 10, 0};
	struct axvm_vm before;

	store_relaxed(&m->vm.state, AXVM_VM_LOADING);
	memcpy(&before, &m->vm, sizeof(before));
	assert_int_equal(axvm_irq_set(&m->vm, 10, true), AXVM_ESTATE);
	assert_int_equal(axvm_irq_source_set(&source, true), AXVM_ESTATE);
	assert_int_equal(axvm_vcpu_irq_set(&m->vm, 0, 9, true), AXVM_ESTATE);
	assert_int_equal(axvm_inject(&m->vm, 0, 10), AXVM_ESTATE);
	assert_memory_equal(&before, &m->vm, sizeof(before));
	assert_int_equal(source.level, 0);
	assert_int_equal(m->notified[0] + m->notified[1], 0);
}

static void lines_work_in_every_state_after_loading(void **state)
{
	struct machine *m = *state;

	for (uint32_t s = AXVM_VM_LOADED; s <= AXVM_VM_STOPPED; s++) {
		store_relaxed(&m->vm.state, s);
		set(m, 10, true);
		set(m, 10, false);
		assert_int_equal(axvm_inject(&m->vm, 0, 10), AXVM_OK);
	}
}

/* ---- levels ---- */

static void a_raised_line_is_reported_once_and_then_not_again(void **state)
{
	struct machine *m = *state;

	set(m, 10, true);
	assert_true(high(m, 10));
	assert_int_equal(take(m), 1);
	assert_true(m->level[10]);
	assert_int_equal(m->edges[10], 0);
	assert_int_equal(take(m), 0);
	set(m, 10, false);
	assert_int_equal(take(m), 1);
	assert_false(m->level[10]);
}

static void setting_the_level_a_line_has_tells_nobody(void **state)
{
	struct machine *m = *state;

	set(m, 10, false);
	assert_int_equal(m->notified[0], 0);
	set(m, 10, true);
	set(m, 10, true);
	assert_int_equal(m->notified[0], 1);
	assert_int_equal(load_seq(&m->vm.lines.asserted[10]), 1);
	set(m, 10, false);
	set(m, 10, false);
	assert_int_equal(m->notified[0], 2);
	assert_int_equal(load_seq(&m->vm.lines.asserted[10]), 0);
}

static struct axvm_irq_source *answered;

static void serve_it(struct machine *m, uint32_t line)
{
	if (answered != NULL)
		set_source(answered, false);
	else
		set(m, line, false);
}

/* A guest may serve the interrupt, and its device lower the line, on another CPU
 * before the call that raised it is over. */
static void lowering_in_answer_to_a_raise_is_never_too_early(void **state)
{
	struct machine *m = *state;
	struct axvm_irq_source source = {&m->vm, 12, 0};

	answered = NULL;
	m->in_targets = serve_it;
	set(m, 10, true);
	assert_false(axvmi_line_level(&m->vm, 10));
	answered = &source;
	m->in_targets = serve_it;
	set_source(&source, true);
	assert_false(axvmi_line_level(&m->vm, 12));
	take(m);
	assert_false(m->level[10]);
	assert_false(m->level[12]);
	/* And they can be raised again. */
	set(m, 10, true);
	set_source(&source, true);
	take(m);
	assert_true(m->level[10]);
	assert_true(m->level[12]);
}

static void a_line_is_the_or_of_its_sources(void **state)
{
	struct machine *m = *state;
	struct axvm_irq_source a = {&m->vm, 10, 0};
	struct axvm_irq_source b = {&m->vm, 10, 0};

	set_source(&a, true);
	set_source(&b, true);
	set(m, 10, true);
	/* Only the first of them changed the line. */
	assert_int_equal(m->notified[0], 1);
	set_source(&a, false);
	set(m, 10, false);
	set_source(&a, false);
	assert_true(high(m, 10));
	assert_int_equal(m->notified[0], 1);
	set_source(&b, false);
	assert_false(high(m, 10));
	assert_int_equal(m->notified[0], 2);
	assert_int_equal(take(m), 1);
	assert_false(m->level[10]);
}

static void every_line_is_reported_under_its_own_number(void **state)
{
	struct machine *m = *state;

	for (uint32_t line = FIRST; line < AXVMI_MAX_LINES; line++)
		set(m, line, true);
	assert_int_equal(take(m), COUNT);
	for (uint32_t line = FIRST; line < AXVMI_MAX_LINES; line++) {
		assert_int_equal(m->heard[line], 1);
		assert_true(m->level[line]);
	}
	set(m, 513, false);
	assert_int_equal(take(m), 1);
	assert_false(m->level[513]);
	assert_true(m->level[512]);
}

static void the_vcpus_that_the_controller_names_are_told(void **state)
{
	struct machine *m = *state;

	m->targets = 0;
	set(m, 10, true);
	assert_int_equal(m->notified[0] + m->notified[1], 0);
	m->targets = BIT64(1);
	set(m, 10, false);
	assert_int_equal(m->notified[0], 0);
	assert_int_equal(m->notified[1], 1);
	m->targets = BIT64(0) | BIT64(1);
	set(m, 10, true);
	assert_int_equal(m->notified[0], 1);
	assert_int_equal(m->notified[1], 2);
}

/* ---- edges ---- */

static void an_injected_edge_is_taken_once(void **state)
{
	struct machine *m = *state;

	assert_int_equal(axvm_inject(&m->vm, 1, 10), AXVM_OK);
	assert_int_equal(m->notified[0], 1); /* as routed, not as asked */
	assert_int_equal(take(m), 1);
	assert_int_equal(m->edges[10], 1);
	assert_false(m->level[10]);
	assert_int_equal(take(m), 0);
	assert_int_equal(axvm_inject(&m->vm, 0, 10), AXVM_OK);
	assert_int_equal(take(m), 1);
	assert_int_equal(m->edges[10], 2);
}

static void edges_that_were_not_taken_are_one(void **state)
{
	struct machine *m = *state;

	for (int i = 0; i < 3; i++)
		assert_int_equal(axvm_inject(&m->vm, 0, 10), AXVM_OK);
	assert_int_equal(take(m), 1);
	assert_int_equal(m->edges[10], 1);
}

static void an_edge_on_a_high_line_comes_with_its_level(void **state)
{
	struct machine *m = *state;

	set(m, 33, true);
	assert_int_equal(axvm_inject(&m->vm, 0, 33), AXVM_OK);
	assert_int_equal(axvm_inject(&m->vm, 0, 32), AXVM_OK);
	assert_int_equal(take(m), 2);
	assert_true(m->level[33]);
	assert_int_equal(m->edges[33], 1);
	assert_false(m->level[32]);
	assert_int_equal(m->edges[32], 1);
}

static void injecting_needs_a_vcpu_that_exists(void **state)
{
	struct machine *m = *state;

	assert_int_equal(axvm_inject(&m->vm, VCPUS, 10), AXVM_ENOENT);
	assert_int_equal(axvm_inject(&m->vm, UINT32_MAX, AXVM_PRIVATE_LINE + 9),
			 AXVM_ENOENT);
	assert_int_equal(take(m), 0);
}

/* ---- inputs of one vCPU ---- */

static void a_per_vcpu_line_reaches_that_vcpu_alone(void **state)
{
	struct machine *m = *state;

	assert_int_equal(axvm_vcpu_irq_set(&m->vm, 1, 9, true), AXVM_OK);
	assert_int_equal(load_seq(&m->vcpus[1].line_levels), BIT64(9));
	assert_int_equal(load_seq(&m->vcpus[0].line_levels), 0);
	assert_int_equal(m->notified[0], 0);
	assert_int_equal(m->notified[1], 1);
	assert_int_equal(axvm_vcpu_irq_set(&m->vm, 1, 9, true), AXVM_OK);
	assert_int_equal(m->notified[1], 1);
	assert_int_equal(axvm_vcpu_irq_set(&m->vm, 1, 5, true), AXVM_OK);
	assert_int_equal(axvm_vcpu_irq_set(&m->vm, 1, 9, false), AXVM_OK);
	assert_int_equal(axvm_vcpu_irq_set(&m->vm, 1, 9, false), AXVM_OK);
	assert_int_equal(load_seq(&m->vcpus[1].line_levels), BIT64(5));
	assert_int_equal(m->notified[1], 3);
	assert_int_equal(take(m), 0);
}

static void per_vcpu_lines_are_those_of_the_backend(void **state)
{
	static const uint32_t bad[] = {0, 2, 31, 32, 33, 41, 64, UINT32_MAX};
	struct machine *m = *state;

	m->ops.vcpu_lines |= BIT64(33); /* wider than the input word */
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(axvm_vcpu_irq_set(&m->vm, 0, bad[i], true),
				 AXVM_ENOENT);
	assert_int_equal(axvm_vcpu_irq_set(&m->vm, VCPUS, 9, true),
			 AXVM_ENOENT);
	assert_int_equal(load_seq(&m->vcpus[0].line_levels), 0);
}

static void an_edge_on_a_per_vcpu_line_goes_to_that_vcpu(void **state)
{
	struct machine *m = *state;

	assert_int_equal(axvm_inject(&m->vm, 1, AXVM_PRIVATE_LINE + 9),
			 AXVM_OK);
	assert_int_equal(load_seq(&m->vcpus[1].line_edges), BIT64(9));
	assert_int_equal(load_seq(&m->vcpus[0].line_edges), 0);
	assert_int_equal(m->notified[1], 1);
	assert_int_equal(take(m), 0);
	/* A number the controller does not have may still be a vCPU's. */
	m->ops.line_first = 32;
	assert_int_equal(axvm_inject(&m->vm, 0, AXVM_PRIVATE_LINE + 5),
			 AXVM_OK);
	assert_int_equal(load_seq(&m->vcpus[0].line_edges), BIT64(5));
}

/* ---- reset ---- */

static void reset_keeps_levels_and_forgets_edges(void **state)
{
	struct machine *m = *state;
	struct axvm_irq_source source = {&m->vm, 700, 0};

	set_source(&source, true);
	set(m, 10, true);
	assert_int_equal(take(m), 2);
	memset(m->level, 0, sizeof(m->level)); /* the model forgot */
	assert_int_equal(axvm_inject(&m->vm, 0, 10), AXVM_OK);
	assert_int_equal(axvm_inject(&m->vm, 0, 44), AXVM_OK);
	store_relaxed(&m->vcpus[0].attention, 0);
	store_relaxed(&m->vcpus[1].attention, 0);
	axvmi_lines_reset(&m->vm);
	/* Whichever vCPU enters first takes. */
	assert_int_equal(m->vcpus[0].attention, AXVMI_ATTN_LINES);
	assert_int_equal(m->vcpus[1].attention, AXVMI_ATTN_LINES);
	take(m);
	assert_true(m->level[10]);
	assert_true(m->level[700]);
	assert_int_equal(m->edges[10] + m->edges[44], 0);
	set_source(&source, false);
	set(m, 10, false);
	assert_int_equal(take(m), 2);
	assert_false(high(m, 700));
	assert_false(high(m, 10));
}

static void reset_before_there_are_vcpus_finds_nothing_to_do(void **state)
{
	struct machine *m = *state;

	store_relaxed(&m->vm.vcpus_ready, 0);
	store_relaxed(&m->vm.state, AXVM_VM_LOADING);
	axvmi_lines_reset(&m->vm);
	assert_int_equal(m->vcpus[0].attention, 0);
	assert_int_equal(take(m), 0);
}

/* ---- another CPU, or an interrupt, at the worst moment ---- */

static void take_everything(struct machine *m, uint32_t line)
{
	(void)line;
	axvmi_lines_take(&m->vm, update);
}

static void
a_taker_between_the_change_and_its_notice_loses_nothing(void **state)
{
	struct machine *m = *state;

	m->in_targets = take_everything;
	set(m, 10, true);
	assert_true(m->level[10]); /* it saw the change already */
	assert_int_equal(m->notified[0], 1);
	assert_int_equal(take(m), 0);
	m->in_targets = take_everything;
	assert_int_equal(axvm_inject(&m->vm, 0, 10), AXVM_OK);
	assert_int_equal(m->edges[10], 1);
	take(m);
	assert_int_equal(m->edges[10], 1);
}

static void lower_again(struct machine *m, uint32_t line)
{
	set(m, line, false);
}

static void raise_neighbours(struct machine *m, uint32_t line)
{
	(void)line;
	set(m, 9, true); /* same word, already passed */
	set(m, 20, true); /* same word, still to come */
	set(m, 900, true); /* a word still to come */
	assert_int_equal(axvm_inject(&m->vm, 0, 11), AXVM_OK);
}

static void a_change_during_a_take_is_for_the_next_one(void **state)
{
	struct machine *m = *state;

	set(m, 10, true);
	m->in_update = lower_again;
	take(m);
	assert_int_equal(take(m), 1);
	assert_false(m->level[10]);

	set(m, 10, true);
	m->in_update = raise_neighbours;
	take(m);
	while (take(m) != 0)
		;
	assert_true(m->level[9]);
	assert_true(m->level[20]);
	assert_true(m->level[900]);
	assert_int_equal(m->edges[11], 1);
}

static void raise_again(struct machine *m, uint32_t line)
{
	set(m, line, true);
}

static struct axvm_irq_source *raised_too;

static void raise_source(struct machine *m, uint32_t line)
{
	(void)m;
	(void)line;
	set_source(raised_too, true);
}

static void two_raises_of_one_source_count_once(void **state)
{
	struct machine *m = *state;
	struct axvm_irq_source source = {&m->vm, 11, 0};

	m->in_targets = raise_again;
	set(m, 10, true);
	assert_int_equal(load_seq(&m->vm.lines.asserted[10]), 1);
	set(m, 10, false);
	assert_false(high(m, 10));

	raised_too = &source;
	m->in_targets = raise_source;
	set_source(&source, true);
	assert_int_equal(load_seq(&m->vm.lines.asserted[11]), 1);
	set_source(&source, false);
	assert_false(high(m, 11));
}

static void an_interrupt_may_set_the_line_it_interrupted(void **state)
{
	struct machine *m = *state;

	/* Lowering, interrupted by a raise: the raise came last. */
	set(m, 10, true);
	m->in_targets = raise_again;
	set(m, 10, false);
	assert_true(high(m, 10));
	take(m);
	assert_true(m->level[10]);
	/* Raising, interrupted by a lower: consistent whichever was last. */
	set(m, 10, false);
	m->in_targets = lower_again;
	set(m, 10, true);
	take(m);
	assert_int_equal(m->level[10], high(m, 10));
	set(m, 10, false);
	assert_int_equal(load_seq(&m->vm.lines.asserted[10]), 0);
}

/* ---- threads ---- */

#define WRITERS 4u
#define INJECTORS 2u
#define TAKERS 2u
#define ROUNDS 10000u
#define SHARED_LINE 40u
#define RACED_LINE 77u
#define EDGE_LINE 100u /* and the next, in the same word */

struct crew {
	struct machine *m;
	struct axvm_irq_source raced;
	atomic_u32 done; /* writers and injectors */
	atomic_u32 next_writer;
	atomic_u32 next_injector;
	atomic_u32 next_taker;
	atomic_u32 taken[INJECTORS]; /* edges */
	atomic_u32 lost;
};

static bool out_of_time(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec > 30;
}

/* Each has a source on the shared line, and lines of its own in words that all
 * use; all fight for the host's level and for one source of the raced line. */
static void *writer(void *arg)
{
	struct crew *c = arg;
	uint32_t self = atomic_fetch_add(&c->next_writer, 1);
	struct axvm_irq_source mine = {&c->m->vm, SHARED_LINE, 0};
	uint32_t seed = self * 2654435761u + 1;
	int err = 0;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t line = 256 + seed / 256 % 16 * WRITERS + self;

		seed = seed * 1664525 + 1013904223;
		err |= axvm_irq_source_set(&mine, seed >> 31);
		err |= axvm_irq_set(&c->m->vm, line, seed >> 30 & 1);
		err |= axvm_irq_set(&c->m->vm, RACED_LINE, seed >> 29 & 1);
		err |= axvm_irq_source_set(&c->raced, seed >> 28 & 1);
		if (i % 64 == 0)
			sched_yield();
	}
	err |= axvm_irq_source_set(&mine, self % 2);
	if (err != 0)
		atomic_fetch_add(&c->lost, 1);
	atomic_fetch_add(&c->done, 1);
	return NULL;
}

/* The next edge only when the last one was taken: none may be merged or lost. */
static void *injector(void *arg)
{
	struct crew *c = arg;
	uint32_t self = atomic_fetch_add(&c->next_injector, 1);
	struct timespec start;
	bool late = false;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (uint32_t i = 0; i < ROUNDS && !late; i++) {
		if (axvm_inject(&c->m->vm, 0, EDGE_LINE + self) != AXVM_OK)
			atomic_fetch_add(&c->lost, 1);
		while (load_seq(&c->taken[self]) <= i && !late) {
			sched_yield();
			late = out_of_time(&start);
		}
	}
	if (late)
		atomic_fetch_add(&c->lost, 1);
	atomic_fetch_add(&c->done, 1);
	return NULL;
}

static void *taker(void *arg)
{
	struct crew *c = arg;
	uint32_t vcpu = atomic_fetch_add(&c->next_taker, 1) % VCPUS;

	while (load_seq(&c->done) < WRITERS + INJECTORS) {
		if (!take_if_told(c->m, vcpu)) {
			sched_yield();
			continue;
		}
		spin_lock(&c->m->vm.irqchip);
		for (uint32_t i = 0; i < INJECTORS; i++)
			store_seq(&c->taken[i], c->m->edges[EDGE_LINE + i]);
		spin_unlock(&c->m->vm.irqchip);
	}
	return NULL;
}

/* Takes happen only after a notice: a lost one shows as a wrong level. */
static void eight_threads_lose_no_level_and_no_edge(void **state)
{
	struct machine *m = *state;
	struct crew c = {.m = m, .raced = {&m->vm, RACED_LINE, 0}};
	pthread_t threads[WRITERS + INJECTORS + TAKERS];
	uint32_t raced;

	for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL,
			       i < WRITERS		 ? writer
			       : i < WRITERS + INJECTORS ? injector
							 : taker,
			       &c);
	for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	for (uint32_t i = 0; i < VCPUS; i++)
		take_if_told(m, i);
	assert_int_equal(load_seq(&c.lost), 0);
	for (uint32_t i = 0; i < INJECTORS; i++)
		assert_int_equal(m->edges[EDGE_LINE + i], ROUNDS);
	for (uint32_t line = FIRST; line < AXVMI_MAX_LINES; line++)
		assert_int_equal(m->level[line], high(m, line));
	/* Writers 1 and 3 hold the shared line. */
	assert_int_equal(load_seq(&m->vm.lines.asserted[SHARED_LINE]), 2);
	raced = load_seq(&m->vm.lines.host_level[RACED_LINE / 32]);
	assert_int_equal(load_seq(&m->vm.lines.asserted[RACED_LINE]),
			 (raced >> RACED_LINE % 32 & 1) + c.raced.level);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_outside_the_controller_do_not_exist),
		TEST(line_zero_does_not_exist_even_if_the_backend_says_so),
		TEST(null_arguments_of_line_calls_are_refused),
		TEST(no_line_can_be_set_while_the_vm_is_loading),
		TEST(lines_work_in_every_state_after_loading),
		TEST(a_raised_line_is_reported_once_and_then_not_again),
		TEST(setting_the_level_a_line_has_tells_nobody),
		TEST(lowering_in_answer_to_a_raise_is_never_too_early),
		TEST(a_line_is_the_or_of_its_sources),
		TEST(every_line_is_reported_under_its_own_number),
		TEST(the_vcpus_that_the_controller_names_are_told),
		TEST(an_injected_edge_is_taken_once),
		TEST(edges_that_were_not_taken_are_one),
		TEST(an_edge_on_a_high_line_comes_with_its_level),
		TEST(injecting_needs_a_vcpu_that_exists),
		TEST(a_per_vcpu_line_reaches_that_vcpu_alone),
		TEST(per_vcpu_lines_are_those_of_the_backend),
		TEST(an_edge_on_a_per_vcpu_line_goes_to_that_vcpu),
		TEST(reset_keeps_levels_and_forgets_edges),
		TEST(reset_before_there_are_vcpus_finds_nothing_to_do),
		TEST(a_taker_between_the_change_and_its_notice_loses_nothing),
		TEST(a_change_during_a_take_is_for_the_next_one),
		TEST(two_raises_of_one_source_count_once),
		TEST(an_interrupt_may_set_the_line_it_interrupted),
		TEST(eight_threads_lose_no_level_and_no_edge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
