/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * vcpu.c with two of its calls replaced, so that what another CPU may do in
 * between happens there every time.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "internal.h"

static void before_exchange(void);
static void late_look(struct axvm_vm *vm);

#undef atomic_compare_exchange_strong
#define atomic_compare_exchange_strong(object, expected, desired)           \
	(before_exchange(),                                                 \
	 atomic_compare_exchange_strong_explicit(object, expected, desired, \
						 memory_order_seq_cst,      \
						 memory_order_seq_cst))
#define axvmi_try_stopped late_look
#define complete complete_exit
#include "../../src/vcpu.c"
#undef axvmi_try_stopped
#undef complete

#include "core_test.h"

static const struct stub_op nothing[] = {THE_END};

/* Called once: before a vCPU is claimed, and after the last thing that kept its
 * VM is gone, before the look whether the VM has stopped. */
static void (*_Atomic at_claim)(void);
static void (*_Atomic at_look)(void);
static struct axvm_vm *the_vm;
static atomic_bool gone; /* it is */

static void before_exchange(void)
{
	void (*hook)(void) = atomic_exchange(&at_claim, NULL);

	if (hook != NULL)
		hook();
}

static void late_look(struct axvm_vm *vm)
{
	void (*hook)(void) = atomic_exchange(&at_look, NULL);

	if (hook != NULL) {
		hook();
		if (atomic_load(&gone))
			return;
	}
	axvmi_try_stopped(vm);
}

static int set_up(void **state)
{
	at_claim = NULL;
	at_look = NULL;
	the_vm = NULL;
	atomic_store(&gone, false);
	return setup(state);
}

/* ---- a claim that comes too late ---- */

static void cpu_0_is_faster(void)
{
	stub_be(m, 0);
	if (axvm_run_vcpu(stub_cpu(m, 0), the_vm, 0, left) != AXVM_OK)
		abort();
	stub_be(m, 1);
}

static uint64_t wakes_of_a_refused_run(const struct stub_op *ops)
{
	struct axvm_exit exit;
	uint64_t wakes;

	the_vm = running(ops);
	wakes = test_hal_wakes(stub_hal(m), 0);
	at_claim = cpu_0_is_faster;
	assert_int_equal(stub_run(m, 1, the_vm, 0, &exit), AXVM_EBUSY);
	assert_null(at_claim);
	return test_hal_wakes(stub_hal(m), 0) - wakes;
}

/* The host has been told to wait for a wake: it would wait for ever. */
static void a_run_that_is_refused_does_not_swallow_the_wake(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 0, 0), THE_END};

	(void)state;
	assert_int_equal(wakes_of_a_refused_run(ops), 1);
	assert_int_equal(left->reason, AXVM_EXIT_HALT);
	assert_int_equal(axvm_vcpu_state(the_vm, 0), AXVM_VCPU_READY);
	assert_int_equal(run(the_vm), AXVM_EXIT_IRQ);
	end(the_vm);
}

static void a_run_that_is_refused_wakes_nobody_who_does_not_wait(void **state)
{
	(void)state;
	assert_int_equal(wakes_of_a_refused_run(nothing), 0);
	assert_int_equal(left->reason, AXVM_EXIT_IRQ);
	end(the_vm);
}

/* ---- the end of a VM elsewhere ---- */

static pthread_t manager;
static bool untouched;

static void destroy_it(void)
{
	while (axvm_vm_state(the_vm) != AXVM_VM_STOPPED)
		sched_yield();
	while (axvm_destroy(the_vm) == AXVM_EAGAIN)
		;
	atomic_store(&gone, true);
}

/* CPU 0 stops the other vCPU. */
static void *run_and_destroy(void *arg)
{
	struct axvm_exit exit;

	(void)arg;
	if (stub_run(m, 0, the_vm, 0, &exit) != AXVM_OK)
		abort();
	destroy_it();
	return NULL;
}

static void *release_and_destroy(void *arg)
{
	(void)arg;
	stub_be(m, 1);
	if (axvm_cpu_release(stub_cpu(m, 1)) != AXVM_OK)
		abort();
	destroy_it();
	return NULL;
}

static void *shut_down_and_destroy(void *arg)
{
	(void)arg;
	stub_be(m, 0);
	if (axvm_shutdown(the_vm) != AXVM_OK)
		abort();
	destroy_it();
	return NULL;
}

/* Whoever destroys has time to, and must wait all the same. */
static void while_another(void *(*work)(void *arg))
{
	const struct timespec pause = {.tv_nsec = 1000000};
	size_t live = test_hal_live(stub_hal(m));

	if (pthread_create(&manager, NULL, work, NULL) != 0)
		abort();
	for (int i = 0; i < 50 && !atomic_load(&gone); i++)
		nanosleep(&pause, NULL);
	/* No assertion here: the library holds a lock. */
	untouched = !atomic_load(&gone) && test_hal_live(stub_hal(m)) == live;
}

static void run_and_destroy_now(void)
{
	while_another(run_and_destroy);
}

static void release_and_destroy_now(void)
{
	while_another(release_and_destroy);
}

static void shut_down_and_destroy_now(void)
{
	while_another(shut_down_and_destroy);
}

static void it_ends(void)
{
	assert_null(at_look);
	pthread_join(manager, NULL);
	assert_true(untouched);
	stub_be(m, 0);
	no_violation();
}

/* Two vCPUs, each resident on the CPU of its number. */
static void a_pair(void)
{
	static const struct stub_op first[] = {OP(CPU_ON, 1, RAM), THE_END};

	config.cpu_num = 2;
	the_vm = loaded();
	stub_program(the_vm, 0, first);
	stub_program(the_vm, 1, nothing);
	assert_int_equal(axvm_boot(the_vm), AXVM_OK);
	assert_int_equal(run_on(0, the_vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, the_vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(run_on(1, the_vm, 1), AXVM_EXIT_IRQ);
}

static void a_vm_outlives_the_put_of_its_vcpu_elsewhere(void **state)
{
	(void)state;
	a_pair();
	assert_int_equal(axvm_shutdown(the_vm), AXVM_OK);
	at_look = run_and_destroy_now;
	stub_be(m, 1);
	assert_int_equal(axvm_cpu_release(stub_cpu(m, 1)), AXVM_OK);
	it_ends();
}

/* The put of a vCPU that makes room for another VM's. */
static void a_vm_outlives_being_evicted(void **state)
{
	struct axvm_vm *other;

	(void)state;
	a_pair();
	config.id = 2;
	config.cpu_num = 1;
	other = running(nothing);
	assert_int_equal(axvm_shutdown(the_vm), AXVM_OK);
	at_look = run_and_destroy_now;
	assert_int_equal(run_on(1, other, 0), AXVM_EXIT_IRQ);
	it_ends();
	end(other);
}

static void a_vm_outlives_a_run_that_only_finds_it_stopping(void **state)
{
	(void)state;
	a_pair();
	stub_be(m, 0);
	assert_int_equal(axvm_vcpu_unbind(stub_cpu(m, 0), the_vm, 0), AXVM_OK);
	assert_int_equal(axvm_shutdown(the_vm), AXVM_OK);
	at_look = release_and_destroy_now;
	assert_int_equal(run_on(0, the_vm, 0), AXVM_EXIT_STOPPED);
	it_ends();
}

/* Nobody is resident any more: the VM stops in axvm_shutdown() itself. */
static void a_vm_shut_down_and_destroyed_outlives_a_put(void **state)
{
	(void)state;
	the_vm = running(nothing);
	assert_int_equal(run_on(1, the_vm, 0), AXVM_EXIT_IRQ);
	at_look = shut_down_and_destroy_now;
	assert_int_equal(axvm_cpu_release(stub_cpu(m, 1)), AXVM_OK);
	it_ends();
}

#define RACE(name) cmocka_unit_test_setup_teardown(name, set_up, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RACE(a_run_that_is_refused_does_not_swallow_the_wake),
		RACE(a_run_that_is_refused_wakes_nobody_who_does_not_wait),
		RACE(a_vm_outlives_the_put_of_its_vcpu_elsewhere),
		RACE(a_vm_outlives_being_evicted),
		RACE(a_vm_outlives_a_run_that_only_finds_it_stopping),
		RACE(a_vm_shut_down_and_destroyed_outlives_a_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
