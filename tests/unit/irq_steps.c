/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Every preemption of src/irq.c: its source is compiled here with a hook before
 * each atomic access. One call is stopped at each of its accesses in turn while
 * another runs to its end, itself stopped at each of its own by a third. What
 * threads on a few CPUs hit by chance, this hits for certain.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "internal.h"

static void step(void);

#undef load_seq
#undef store_seq
#undef atomic_exchange
#undef atomic_store
#undef atomic_fetch_add
#undef atomic_fetch_sub
#undef atomic_fetch_or
#undef atomic_fetch_and
#define SEQ memory_order_seq_cst
#define load_seq(p) (step(), atomic_load_explicit(p, SEQ))
#define store_seq(p, v) (step(), atomic_store_explicit(p, v, SEQ))
#define atomic_exchange(p, v) (step(), atomic_exchange_explicit(p, v, SEQ))
#define atomic_store(p, v) (step(), atomic_store_explicit(p, v, SEQ))
#define atomic_fetch_add(p, v) (step(), atomic_fetch_add_explicit(p, v, SEQ))
#define atomic_fetch_sub(p, v) (step(), atomic_fetch_sub_explicit(p, v, SEQ))
#define atomic_fetch_or(p, v) (step(), atomic_fetch_or_explicit(p, v, SEQ))
#define atomic_fetch_and(p, v) (step(), atomic_fetch_and_explicit(p, v, SEQ))
#define word_load(p) (step(), (word_load)(p))
#define word_exchange(p, v) (step(), (word_exchange)(p, v))
#define axvmi_line_level(vm, line) (step(), (axvmi_line_level)(vm, line))

/* NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "../../src/irq.c"

/* Two lines of one word and one of another. */
#define A 10u
#define B 11u
#define C 300u

enum call {
	RAISE_A,
	LOWER_A,
	RAISE_SOURCE,
	LOWER_SOURCE,
	INJECT_A,
	INJECT_B,
	RAISE_B,
	RAISE_C,
	TAKE,
	CALLS,
};

/* A call, at which of its accesses the next one comes in, and how it goes. */
struct frame {
	enum call call;
	unsigned stop; /* 0: never */
	unsigned steps;
};

static struct {
	struct axvm_vm vm;
	struct axvm_arch_ops ops;
	struct axvm_vcpu vcpu;
	struct axvm_irq_source source; /* of A */
	bool level[AXVMI_MAX_LINES];
	unsigned edges[AXVMI_MAX_LINES];
	unsigned injected[AXVMI_MAX_LINES];
	unsigned taking; /* the irqchip lock */
	struct frame frames[3];
	unsigned depth; /* frames begun */
} w;

static uint64_t line_targets(struct axvm_vm *vm, uint32_t line)
{
	(void)vm;
	(void)line;
	return 1;
}

void axvmi_notify(struct axvm_vcpu *vcpu, uint32_t bits)
{
	atomic_fetch_or(&vcpu->attention, bits);
}

static void update(struct axvm_vm *vm, uint32_t line, bool level, bool edge)
{
	(void)vm;
	w.level[line] = level;
	w.edges[line] += edge;
}

static void inject(uint32_t line)
{
	assert_int_equal(axvm_inject(&w.vm, 0, line), AXVM_OK);
	w.injected[line]++;
}

/* A vCPU's entry; a second taker would wait for the lock, so it is not there. */
static void take(void)
{
	if (w.taking != 0 || atomic_exchange(&w.vcpu.attention, 0) == 0)
		return;
	if (w.taking++ == 0)
		axvmi_lines_take(&w.vm, update);
	w.taking--;
}

static void perform(enum call call)
{
	int err = AXVM_OK;

	if (call == RAISE_A || call == LOWER_A)
		err = axvm_irq_set(&w.vm, A, call == RAISE_A);
	else if (call == RAISE_SOURCE || call == LOWER_SOURCE)
		err = axvm_irq_source_set(&w.source, call == RAISE_SOURCE);
	else if (call == INJECT_A || call == INJECT_B)
		inject(call == INJECT_A ? A : B);
	else if (call == RAISE_B || call == RAISE_C)
		err = axvm_irq_set(&w.vm, call == RAISE_B ? B : C, true);
	else
		take();
	assert_int_equal(err, AXVM_OK);
}

static void run_frame(unsigned n)
{
	unsigned outer = w.depth;

	w.depth = n + 1;
	perform(w.frames[n].call);
	w.depth = outer;
}

static void step(void)
{
	struct frame *f;

	if (w.depth == 0 || w.depth == ARRAY_SIZE(w.frames))
		return;
	f = &w.frames[w.depth - 1];
	if (++f->steps == f->stop)
		run_frame(w.depth);
}

/* `before`: bit n, call n has been made and taken already. */
static void power_up(unsigned before)
{
	memset(&w, 0, sizeof(w));
	w.ops.line_first = 1;
	w.ops.line_count = 1023;
	w.ops.line_targets = line_targets;
	w.vm.ops = &w.ops;
	w.vm.vcpu_count = 1;
	w.vm.vcpus[0] = &w.vcpu;
	w.vcpu.vm = &w.vm;
	w.source.vm = &w.vm;
	w.source.line = A;
	store_relaxed(&w.vm.vcpus_ready, 1);
	store_relaxed(&w.vm.state, AXVM_VM_RUNNING);
	if ((before & 1) != 0)
		perform(RAISE_A);
	if ((before & 2) != 0)
		perform(RAISE_SOURCE);
	take();
	/* Something is always there to be taken. */
	if ((before & 4) != 0)
		perform(RAISE_B);
}

/* Everybody is done; the vCPU enters once more, if it was told. */
static void check(void)
{
	unsigned flags;

	w.depth = 0;
	take();
	assert_int_equal(w.level[A], axvmi_line_level(&w.vm, A));
	assert_int_equal(w.level[B], axvmi_line_level(&w.vm, B));
	assert_int_equal(w.level[C], axvmi_line_level(&w.vm, C));
	flags = (w.vm.lines.host_level[0] >> A & 1) + w.source.level;
	assert_int_equal(w.vm.lines.asserted[A], flags);
	for (uint32_t line = A; line <= B; line++) {
		/* Several that meet are one; none is lost and none invented. */
		assert_true(w.edges[line] <= w.injected[line]);
		assert_int_equal(w.edges[line] != 0, w.injected[line] != 0);
	}
	assert_int_equal(w.vm.lines.changed[A / 32], 0);
	assert_int_equal(w.vm.lines.edge[A / 32], 0);
}

/* The calls of one combination, at every pair of stops. Returns how many. */
static unsigned explore(unsigned before, const enum call calls[3])
{
	unsigned runs = 0;
	bool more_outer = true;

	for (unsigned first = 1; more_outer; first++) {
		bool more_inner = true;

		for (unsigned second = 1; more_inner; second++) {
			power_up(before);
			for (unsigned i = 0; i < 3; i++)
				w.frames[i].call = calls[i];
			w.frames[0].stop = first;
			w.frames[1].stop = second;
			run_frame(0);
			more_outer = w.frames[0].steps >= first;
			more_inner = w.frames[1].steps >= second;
			check();
			runs++;
		}
	}
	return runs;
}

static void no_preemption_at_any_access_loses_anything(void **state)
{
	unsigned runs = 0;

	(void)state;
	for (unsigned n = 0; n < CALLS * CALLS * CALLS; n++) {
		const enum call calls[3] = {
			(enum call)(n / CALLS / CALLS),
			(enum call)(n / CALLS % CALLS),
			(enum call)(n % CALLS),
		};

		for (unsigned before = 0; before < 8; before++)
			runs += explore(before, calls);
	}
	/* The hooks are really there. */
	assert_true(runs > 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_preemption_at_any_access_loses_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
