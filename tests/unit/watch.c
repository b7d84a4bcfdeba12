/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Bounds on exits, histograms of them, run time, and polling: what a host may
 * ask of a vCPU besides running it.
 */
#include "core_test.h"
#include "internal.h"

/* Exits that the library serves: a device read that never ends. */
static const struct stub_op busy[] = {OP(READ, PIC, 0), OP(JUMP, 0, 0),
				      THE_END};
static const struct stub_op nothing[] = {THE_END};

static struct axvm_vm *busy_vm(void)
{
	add_pic();
	return running(busy);
}

static uint64_t served(struct axvm_vm *vm, enum axvm_stat stat)
{
	struct axvm_vcpu_stats stats;

	assert_int_equal(axvm_vcpu_get_stats(vm, 0, &stats), AXVM_OK);
	return stats.exits[stat];
}

/* ---- the bound ---- */

static void run_yields_after_as_many_exits_as_asked_for(void **state)
{
	struct axvm_vm *vm = busy_vm();

	(void)state;
	assert_int_equal(axvm_vcpu_set_exit_limit(vm, 0, 3), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_YIELD);
	assert_int_equal(served(vm, AXVM_STAT_MMIO), 3);
	assert_int_equal(axvm_vcpu_state(vm, 0), AXVM_VCPU_READY);
	assert_int_equal(run(vm), AXVM_EXIT_YIELD);
	assert_int_equal(served(vm, AXVM_STAT_MMIO), 6);
	assert_int_equal(axvm_vcpu_set_exit_limit(vm, 0, 1), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_YIELD);
	assert_int_equal(served(vm, AXVM_STAT_MMIO), 7);
	assert_int_equal(axvm_vcpu_set_exit_limit(vm, 0, 0), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_true(served(vm, AXVM_STAT_MMIO) > 100);
	end(vm);
}

static void what_was_asked_meanwhile_outlives_a_yield(void **state)
{
	struct axvm_vm *vm = busy_vm();

	(void)state;
	assert_int_equal(axvm_vcpu_set_exit_limit(vm, 0, 2), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_YIELD);
	assert_int_equal(axvm_vcpu_kick(vm, 0), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_KICKED);
	assert_int_equal(run(vm), AXVM_EXIT_YIELD);
	end(vm);
}

static void the_bound_outlives_a_reset(void **state)
{
	struct axvm_vm *vm = busy_vm();

	(void)state;
	assert_int_equal(axvm_vcpu_set_exit_limit(vm, 0, 2), AXVM_OK);
	stop(vm);
	reset(vm);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_YIELD);
	end(vm);
}

/* The bit that is always set is no reason to stay awake. */
static void a_watched_vcpu_halts_like_any_other(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 77, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(axvm_vcpu_set_exit_limit(vm, 0, 9), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(left->u.halt.deadline, 77);
	end(vm);
}

static void watching_is_refused_where_it_makes_no_sense(void **state)
{
	struct axvm_exit_histogram h = {.size = sizeof(h) - 1};
	struct axvm_vm *vm = created();

	(void)state;
	assert_int_equal(axvm_vcpu_set_exit_limit(NULL, 0, 1), AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_set_exit_limit(vm, 0, 1), AXVM_ESTATE);
	assert_int_equal(axvm_vcpu_set_histogram(vm, 0, NULL), AXVM_ESTATE);
	assert_int_equal(axvm_vcpu_set_spin_yield(vm, 0, true), AXVM_ESTATE);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	assert_int_equal(axvm_vcpu_set_exit_limit(vm, 1, 1), AXVM_ENOENT);
	/* The stub's vCPUs do not spin. */
	assert_int_equal(axvm_vcpu_set_spin_yield(vm, 0, true), AXVM_ENOTSUP);
	assert_int_equal(axvm_vcpu_set_histogram(vm, 0, &h), AXVM_EINVAL);
	end(vm);
}

static int refusals[3];

static void watch_it_now(void *arg)
{
	refusals[0] = axvm_vcpu_set_exit_limit(arg, 0, 1);
	refusals[1] = axvm_vcpu_set_histogram(arg, 0, NULL);
	refusals[2] = axvm_vcpu_set_spin_yield(arg, 0, true);
}

static void watching_cannot_begin_while_the_vcpu_runs(void **state)
{
	struct axvm_vm *vm = busy_vm();

	(void)state;
	stub_inside(vm, 0, watch_it_now, vm);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(refusals[0], AXVM_EBUSY);
	assert_int_equal(refusals[1], AXVM_EBUSY);
	assert_int_equal(refusals[2], AXVM_EBUSY);
	end(vm);
}

/* ---- histograms ---- */

static void later(void *arg)
{
	stub_set_counter(*(const uint64_t *)arg);
}

static uint64_t all_counts(const struct axvm_exit_histogram *h,
			   enum axvm_stat stat)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < AXVM_HISTOGRAM_BUCKETS; i++)
		sum += h->count[stat][i];
	return sum;
}

static void cycles_outside_are_counted_by_what_they_were_for(void **state)
{
	static const struct stub_op ops[] = {OP(PEEK, RAM, 0),
					     OP(HYPERCALL, 0x500, 0),
					     OP(WFI, 0, 0), THE_END};
	static const uint64_t after_peek = 1000 + 37;
	struct axvm_exit_histogram h = {.size = sizeof(h)};
	struct axvm_vm *vm = running(ops);

	(void)state;
	stub_set_counter(1000);
	assert_int_equal(axvm_vcpu_set_histogram(vm, 0, &h), AXVM_OK);
	stub_outside(vm, 0, later, (void *)&after_peek);
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	/* 37 lies in [32, 64). */
	assert_int_equal(all_counts(&h, AXVM_STAT_OTHER), 1);
	assert_int_equal(h.count[AXVM_STAT_OTHER][5], 1);
	assert_int_equal(h.total[AXVM_STAT_OTHER], 37);
	/* The host's time counts as well. */
	stub_set_counter(after_peek + 4096);
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(all_counts(&h, AXVM_STAT_HYPERCALL), 1);
	assert_int_equal(h.count[AXVM_STAT_HYPERCALL][12], 1);
	assert_int_equal(axvm_vcpu_set_histogram(vm, 0, NULL), AXVM_OK);
	assert_int_equal(axvm_inject(vm, 0, AXVM_PRIVATE_LINE + 9), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(all_counts(&h, AXVM_STAT_HALT), 0);
	end(vm);
}

static void the_shortest_and_the_longest_have_their_buckets(void **state)
{
	static const struct stub_op ops[] = {OP(HYPERCALL, 0x500, 0),
					     OP(JUMP, 0, 0), THE_END};
	struct axvm_exit_histogram h = {.size = sizeof(h)};
	struct axvm_vm *vm = running(ops);

	(void)state;
	stub_set_counter(0);
	assert_int_equal(axvm_vcpu_set_histogram(vm, 0, &h), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	stub_set_counter(1);
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	stub_set_counter(UINT64_MAX - 1);
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	assert_int_equal(h.count[AXVM_STAT_HYPERCALL][0], 2);
	assert_int_equal(
		h.count[AXVM_STAT_HYPERCALL][AXVM_HISTOGRAM_BUCKETS - 1], 1);
	end(vm);
}

static void cycles_of_two_cpus_are_not_compared(void **state)
{
	static const struct stub_op ops[] = {OP(HYPERCALL, 0x500, 0),
					     OP(JUMP, 0, 0), THE_END};
	struct axvm_exit_histogram h = {.size = sizeof(h)};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(axvm_vcpu_set_histogram(vm, 0, &h), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	assert_int_equal(axvm_vcpu_unbind(stub_cpu(m, 0), vm, 0), AXVM_OK);
	assert_int_equal(run_on(1, vm, 0), AXVM_EXIT_HYPERCALL);
	assert_int_equal(all_counts(&h, AXVM_STAT_HYPERCALL), 0);
	assert_int_equal(run_on(1, vm, 0), AXVM_EXIT_HYPERCALL);
	assert_int_equal(all_counts(&h, AXVM_STAT_HYPERCALL), 1);
	end(vm);
}

/* ---- run time ---- */

static void run_time_is_what_passes_inside_run(void **state)
{
	static const struct stub_op ops[] = {OP(PEEK, RAM, 0),
					     OP(HYPERCALL, 0x500, 0), THE_END};
	static const uint64_t after_peek = 125;
	struct axvm_vcpu_stats stats;
	struct axvm_vm *vm = running(ops);

	(void)state;
	stub_set_counter(100);
	stub_outside(vm, 0, later, (void *)&after_peek);
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	stub_set_counter(9000);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_vcpu_get_stats(vm, 0, &stats), AXVM_OK);
	assert_int_equal(stats.run_ticks, 25);
	end(vm);
}

/* ---- pending ---- */

static bool pending(struct axvm_vm *vm, uint32_t vcpu)
{
	bool answer = false;

	assert_int_equal(axvm_vcpu_pending(vm, vcpu, &answer), AXVM_OK);
	return answer;
}

static void a_halted_vcpu_is_pending_when_an_interrupt_comes(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 0, 0), THE_END};
	struct axvm_vm *vm;

	(void)state;
	config.cpu_num = 2;
	vm = running(ops);
	assert_true(pending(vm, 0));
	assert_false(pending(vm, 1)); /* off */
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_false(pending(vm, 0));
	assert_int_equal(axvm_inject(vm, 0, AXVM_PRIVATE_LINE + 9), AXVM_OK);
	assert_true(pending(vm, 0));
	end(vm);
}

static void a_halted_vcpu_is_pending_from_its_deadline_on(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 500, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	test_hal_set_now(stub_hal(m), 499);
	/* The bit of a watched vCPU asks for nothing. */
	assert_int_equal(axvm_vcpu_set_exit_limit(vm, 0, 5), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_false(pending(vm, 0));
	test_hal_set_now(stub_hal(m), 500);
	assert_true(pending(vm, 0));
	end(vm);
}

/* What a vCPU sees to at its next entry is no reason to enter. */
static void work_for_the_next_entry_does_not_make_it_pending(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 0, 0), THE_END};
	struct axvm_vm *vm = running(ops);
	uint64_t word = 1;

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(axvm_write_guest(vm, axvm_to_gpa(RAM), &word, 8),
			 AXVM_OK);
	assert_false(pending(vm, 0));
	assert_int_equal(axvm_unmap(vm, axvm_to_gpa(RAM + PAGE), PAGE),
			 AXVM_OK);
	assert_false(pending(vm, 0));
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_false(pending(vm, 0));
	assert_int_equal(axvm_resume(vm), AXVM_OK);
	assert_true(pending(vm, 0));
	end(vm);
}

static void pending_is_refused_for_what_does_not_exist(void **state)
{
	struct axvm_vm *vm = running(nothing);
	bool answer;

	(void)state;
	assert_int_equal(axvm_vcpu_pending(NULL, 0, &answer), AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_pending(vm, 0, NULL), AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_pending(vm, 1, &answer), AXVM_ENOENT);
	end(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(run_yields_after_as_many_exits_as_asked_for),
		TEST(what_was_asked_meanwhile_outlives_a_yield),
		TEST(the_bound_outlives_a_reset),
		TEST(a_watched_vcpu_halts_like_any_other),
		TEST(watching_is_refused_where_it_makes_no_sense),
		TEST(watching_cannot_begin_while_the_vcpu_runs),
		TEST(cycles_outside_are_counted_by_what_they_were_for),
		TEST(the_shortest_and_the_longest_have_their_buckets),
		TEST(cycles_of_two_cpus_are_not_compared),
		TEST(run_time_is_what_passes_inside_run),
		TEST(a_halted_vcpu_is_pending_when_an_interrupt_comes),
		TEST(a_halted_vcpu_is_pending_from_its_deadline_on),
		TEST(work_for_the_next_entry_does_not_make_it_pending),
		TEST(pending_is_refused_for_what_does_not_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
