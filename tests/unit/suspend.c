/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Suspend and resume: who may, who leaves, and a clock that stands still. */
#include <pthread.h>

#include "core_test.h"
#include "internal.h"

static const struct stub_op nothing[] = {THE_END};

static void suspended_vcpus_do_not_enter_the_guest(void **state)
{
	static const struct stub_op ops[] = {OP(WRITE, RAM, 1),
					     OP(HYPERCALL, 0x500, 0),
					     OP(WRITE, RAM, 2), THE_END};
	struct axvm_vm *vm = running(ops);
	uint64_t word = 0;

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_SUSPENDED);
	for (int i = 0; i < 3; i++)
		assert_int_equal(run(vm), AXVM_EXIT_SUSPENDED);
	assert_int_equal(
		axvm_read_guest(vm, axvm_to_gpa(RAM), &word, sizeof(word)),
		AXVM_OK);
	assert_int_equal(word, 1);
	assert_int_equal(axvm_resume(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(
		axvm_read_guest(vm, axvm_to_gpa(RAM), &word, sizeof(word)),
		AXVM_OK);
	assert_int_equal(word, 2);
	end(vm);
}

/* Its registers are what they were when it left. */
static void a_suspended_vcpu_ends_no_exit(void **state)
{
	static const struct stub_op ops[] = {OP(SET, 0, 7),
					     OP(HYPERCALL, 0x500, 0), THE_END};
	struct axvm_vm *vm = running(ops);
	uint64_t before;

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	before = stub_reg(vm, 0, AXVM_REG_GPR(0));
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_SUSPENDED);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_GPR(0)), before);
	assert_int_equal(axvm_resume(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_true(stub_reg(vm, 0, AXVM_REG_GPR(0)) == UINT64_MAX);
	end(vm);
}

/* What the host did not say before it ran the vCPU is the default. */
static void an_exit_that_says_suspended_takes_no_completion(void **state)
{
	static const struct stub_op ops[] = {
		OP(READ, NOWHERE, 0), OP(EXPECT, UINT64_MAX, 0), THE_END};
	struct axvm_vm *vm = running(ops);
	uint64_t seq;

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	seq = left->seq;
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_SUSPENDED);
	assert_int_equal(complete(vm, AXVM_COMPLETE_DONE, 5), AXVM_ENOENT);
	/* The same where it is not resident. */
	assert_int_equal(axvm_cpu_release(stub_cpu(m, 0)), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_SUSPENDED);
	assert_int_equal(complete(vm, AXVM_COMPLETE_DONE, 5), AXVM_ENOENT);
	assert_int_equal(axvm_vcpu_complete(vm, 0, seq, AXVM_COMPLETE_DONE, 5),
			 AXVM_ENOENT);
	assert_int_equal(axvm_resume(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

/* What the host has said is not forgotten, however often it runs the vCPU. */
static void an_answer_outlives_a_suspension(void **state)
{
	static const struct stub_op ops[] = {OP(READ, NOWHERE, 0),
					     OP(EXPECT, 5, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	assert_int_equal(complete(vm, AXVM_COMPLETE_DONE, 5), AXVM_OK);
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_SUSPENDED);
	assert_int_equal(axvm_cpu_release(stub_cpu(m, 0)), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_SUSPENDED);
	assert_int_equal(axvm_resume(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

static void a_vcpu_that_is_off_is_suspended_too(void **state)
{
	static const struct stub_op ops[] = {THE_END};
	struct axvm_vm *vm;

	(void)state;
	config.cpu_num = 2;
	vm = running(ops);
	assert_int_equal(run_on(0, vm, 1), AXVM_EXIT_HALT);
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(run_on(0, vm, 1), AXVM_EXIT_SUSPENDED);
	assert_int_equal(axvm_vcpu_state(vm, 1), AXVM_VCPU_OFF);
	assert_int_equal(axvm_resume(vm), AXVM_OK);
	assert_int_equal(run_on(0, vm, 1), AXVM_EXIT_HALT);
	end(vm);
}

static void
only_running_vms_suspend_and_only_suspended_ones_resume(void **state)
{
	struct axvm_vm *vm = created();

	(void)state;
	assert_int_equal(axvm_suspend(NULL), AXVM_EINVAL);
	assert_int_equal(axvm_resume(NULL), AXVM_EINVAL);
	assert_int_equal(axvm_suspend(vm), AXVM_ESTATE);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	assert_int_equal(axvm_suspend(vm), AXVM_ESTATE);
	assert_int_equal(axvm_resume(vm), AXVM_ESTATE);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(axvm_resume(vm), AXVM_ESTATE);
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(axvm_suspend(vm), AXVM_ESTATE);
	assert_int_equal(axvm_boot(vm), AXVM_ESTATE);
	assert_int_equal(axvm_reset(vm), AXVM_ESTATE);
	assert_int_equal(axvm_destroy(vm), AXVM_EBUSY);
	assert_int_equal(axvm_shutdown(vm), AXVM_OK);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
	assert_int_equal(axvm_suspend(vm), AXVM_ESTATE);
	assert_int_equal(axvm_resume(vm), AXVM_ESTATE);
	destroy(vm);
}

static void
a_suspended_vm_with_a_resident_vcpu_stops_and_starts_again(void **state)
{
	struct axvm_vm *vm = running(nothing);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(axvm_shutdown(vm), AXVM_OK);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPING);
	assert_int_equal(run(vm), AXVM_EXIT_STOPPED);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
	reset(vm);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	end(vm);
}

/* ---- the clock ---- */

static uint64_t guest_time(struct axvm_vm *vm)
{
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	return stub_reg(vm, 0, STUB_REG_RESULT);
}

static const struct stub_op clock_ops[] = {
	OP(TIME, 0, 0), OP(HYPERCALL, 0x500, 0), OP(JUMP, 0, 0), THE_END};

static void guest_time_stands_still_while_suspended(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	stub_set_counter(5000);
	vm = running(clock_ops);
	stub_set_counter(5100);
	assert_int_equal(guest_time(vm), 100);
	stub_set_counter(5150);
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(axvmi_guest_counter(vm), 150);
	stub_set_counter(9000);
	assert_int_equal(axvmi_guest_counter(vm), 150);
	assert_int_equal(axvm_resume(vm), AXVM_OK);
	assert_int_equal(axvmi_guest_counter(vm), 150);
	stub_set_counter(9010);
	/* The vCPU has stayed on its CPU. */
	assert_int_equal(guest_time(vm), 160);
	end(vm);
}

static void a_vcpu_loaded_after_a_suspension_has_the_same_clock(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	stub_set_counter(0);
	vm = running(clock_ops);
	stub_set_counter(100);
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	stub_set_counter(1100);
	assert_int_equal(axvm_resume(vm), AXVM_OK);
	stub_set_counter(1101);
	assert_int_equal(guest_time(vm), 101);
	end(vm);
}

static struct axvm_vm *the_vm;

static void suspend_and_resume(void *arg)
{
	(void)arg;
	if (axvm_suspend(the_vm) != AXVM_OK)
		abort();
	stub_set_counter(1000);
	if (axvm_resume(the_vm) != AXVM_OK)
		abort();
}

/* It never returns from run, so only the attention word can tell it. */
static void
a_vcpu_that_was_only_outside_the_guest_follows_the_clock(void **state)
{
	static const struct stub_op ops[] = {OP(TIME, 0, 0), OP(PEEK, RAM, 0),
					     OP(TIME, 0, 0),
					     OP(HYPERCALL, 0x500, 0), THE_END};

	(void)state;
	stub_set_counter(0);
	the_vm = running(ops);
	stub_outside(the_vm, 0, suspend_and_resume, NULL);
	stub_set_counter(7);
	assert_int_equal(guest_time(the_vm), 7);
	assert_int_equal(left->reason, AXVM_EXIT_HYPERCALL);
	end(the_vm);
}

static void a_reboot_begins_at_time_zero(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	stub_set_counter(300);
	vm = running(clock_ops);
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(axvm_shutdown(vm), AXVM_OK);
	reset(vm);
	stub_set_counter(400);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	stub_set_counter(401);
	assert_int_equal(guest_time(vm), 1);
	end(vm);
}

/* ---- wakes ---- */

static void resume_wakes_everybody(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 900, 0), THE_END};
	struct axvm_vm *vm;
	uint64_t wakes;

	(void)state;
	config.cpu_num = 2;
	vm = running(ops);
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	wakes = test_hal_wakes(stub_hal(m), 0);
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(test_hal_wakes(stub_hal(m), 0), wakes);
	assert_int_equal(axvm_vcpu_state(vm, 0), AXVM_VCPU_BLOCKED);
	assert_int_equal(axvm_resume(vm), AXVM_OK);
	assert_true(test_hal_wakes(stub_hal(m), 0) > wakes);
	assert_true(test_hal_wakes(stub_hal(m), 1) > 0);
	assert_int_equal(axvm_vcpu_state(vm, 0), AXVM_VCPU_READY);
	end(vm);
}

static void interrupts_that_come_meanwhile_are_kept(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 0, 0), OP(IRQS, 0, 0),
					     OP(HYPERCALL, 0x500, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(axvm_inject(vm, 0, AXVM_PRIVATE_LINE + 9), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_SUSPENDED);
	assert_int_equal(axvm_resume(vm), AXVM_OK);
	assert_int_equal(guest_time(vm), UINT64_C(1) << (32 + 9));
	end(vm);
}

static void
a_kick_during_a_suspension_is_for_the_next_run_after_it(void **state)
{
	struct axvm_vm *vm = running(nothing);

	(void)state;
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(axvm_vcpu_kick(vm, 0), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_SUSPENDED);
	assert_int_equal(axvm_resume(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_KICKED);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	end(vm);
}

/* ---- a guest that runs on another CPU ---- */

static struct axvm_exit elsewhere;

static void *run_elsewhere(void *arg)
{
	stub_be(m, 1);
	do {
		if (axvm_run_vcpu(stub_cpu(m, 1), arg, 0, &elsewhere) !=
		    AXVM_OK)
			abort();
	} while (elsewhere.reason != AXVM_EXIT_SUSPENDED);
	if (axvm_cpu_release(stub_cpu(m, 1)) != AXVM_OK)
		abort();
	return NULL;
}

static void suspend_returns_when_the_other_cpu_has_left_the_guest(void **state)
{
	static const struct stub_op ops[] = {OP(WRITE, RAM, 1), OP(SPIN, 0, 0),
					     OP(JUMP, 0, 0), THE_END};
	struct axvm_vm *vm = running(ops);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, run_elsewhere, vm), 0);
	while (load_seq(&vm->vcpus[0]->where) == 0)
		;
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(load_seq(&vm->vcpus[0]->where), 0);
	pthread_join(thread, NULL);
	assert_int_equal(elsewhere.reason, AXVM_EXIT_SUSPENDED);
	end(vm);
}

static void (*kick)(void *arg, uint32_t cpu);

/* Time passes until the other CPU has left. */
static void kick_late(void *arg, uint32_t cpu)
{
	stub_set_counter(900);
	kick(arg, cpu);
}

static atomic_u32 inside;

static void now_inside(void *arg)
{
	(void)arg;
	store_seq(&inside, 1);
}

static void time_stops_when_the_last_vcpu_has_left(void **state)
{
	static const struct stub_op ops[] = {OP(SPIN, 0, 0), OP(JUMP, 0, 0),
					     THE_END};
	struct axvm_vm *vm;
	pthread_t thread;

	(void)state;
	stub_set_counter(0);
	vm = running(ops);
	kick = stub_hal(m)->on_kick;
	stub_hal(m)->on_kick = kick_late;
	store_seq(&inside, 0);
	stub_inside(vm, 0, now_inside, NULL);
	assert_int_equal(pthread_create(&thread, NULL, run_elsewhere, vm), 0);
	/* From then on only a kick ends its stay. */
	while (load_seq(&inside) == 0)
		;
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	/* The guest may have seen 900 before it left. */
	assert_int_equal(axvmi_guest_counter(vm), 900);
	pthread_join(thread, NULL);
	stub_hal(m)->on_kick = kick;
	end(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(suspended_vcpus_do_not_enter_the_guest),
		TEST(a_suspended_vcpu_ends_no_exit),
		TEST(an_exit_that_says_suspended_takes_no_completion),
		TEST(an_answer_outlives_a_suspension),
		TEST(a_vcpu_that_is_off_is_suspended_too),
		TEST(only_running_vms_suspend_and_only_suspended_ones_resume),
		TEST(a_suspended_vm_with_a_resident_vcpu_stops_and_starts_again),
		TEST(guest_time_stands_still_while_suspended),
		TEST(a_vcpu_loaded_after_a_suspension_has_the_same_clock),
		TEST(a_vcpu_that_was_only_outside_the_guest_follows_the_clock),
		TEST(a_reboot_begins_at_time_zero),
		TEST(resume_wakes_everybody),
		TEST(interrupts_that_come_meanwhile_are_kept),
		TEST(a_kick_during_a_suspension_is_for_the_next_run_after_it),
		TEST(suspend_returns_when_the_other_cpu_has_left_the_guest),
		TEST(time_stops_when_the_last_vcpu_has_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
