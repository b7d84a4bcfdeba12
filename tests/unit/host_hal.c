/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The test host itself: a ledger that sees nothing would pass every test. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "axvm/error.h"
#include "host_hal.h"

static void *alloc(struct test_hal *t, size_t size, size_t align)
{
	return t->hal.alloc(t->hal.ctx, size, align);
}

static void release(struct test_hal *t, void *ptr, size_t size)
{
	t->hal.free(t->hal.ctx, ptr, size);
}

/* In a child without cmocka's handler, which would go on with the next test,
 * and without standard error: it is meant to complain. */
static bool dies(void (*act)(struct test_hal *), struct test_hal *t)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(0);
		signal(SIGSEGV, SIG_DFL);
		act(t);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static int quiet_leak_check(struct test_hal *t)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(2);
		_exit(test_hal_check_no_leaks(t) ? 0 : 1);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static int setup(void **state)
{
	*state = test_hal_new();
	return 0;
}

static int teardown(void **state)
{
	test_hal_delete(*state);
	return 0;
}

static void fresh_memory_is_poisoned_and_aligned(void **state)
{
	struct test_hal *t = *state;

	for (size_t align = 1; align <= 65536; align *= 2) {
		unsigned char *ptr = alloc(t, 5000, align);

		assert_non_null(ptr);
		assert_int_equal((uintptr_t)ptr % align, 0);
		assert_int_equal(test_hal_phys(t, ptr).value % align, 0);
		assert_int_equal(ptr[0], 0xa5);
		assert_int_equal(ptr[4999], 0xa5);
		release(t, ptr, 5000);
	}
	assert_true(test_hal_check_no_leaks(t));
}

static void alignment_over_64k_is_refused_unless_asked_for(void **state)
{
	struct test_hal *t = *state;
	void *ptr;

	assert_null(alloc(t, 2u << 20, 2u << 20));
	test_hal_max_align(t, (size_t)1 << 30);
	ptr = alloc(t, (size_t)1 << 30, (size_t)1 << 30);
	assert_non_null(ptr);
	assert_int_equal(test_hal_phys(t, ptr).value % (1u << 30), 0);
	release(t, ptr, (size_t)1 << 30);
}

static void leak_is_seen_and_counted(void **state)
{
	struct test_hal *t = *state;
	void *ptr = alloc(t, 100, 8);

	assert_int_equal(test_hal_live(t), 1);
	assert_int_equal(test_hal_live_bytes(t), 100);
	assert_int_equal(quiet_leak_check(t), 1);
	release(t, ptr, 100);
	assert_int_equal(quiet_leak_check(t), 0);
	assert_int_equal(test_hal_live_bytes(t), 0);
	assert_int_equal(test_hal_allocs(t), 1);
}

static void *victim;

static void free_with_another_size(struct test_hal *t)
{
	release(t, victim, 101);
}

static void free_of_the_middle(struct test_hal *t)
{
	release(t, (char *)victim + 4096, 100);
}

static void free_twice(struct test_hal *t)
{
	release(t, victim, 8192);
	release(t, victim, 8192);
}

static void free_properly(struct test_hal *t)
{
	release(t, victim, 8192);
}

static void wrong_free_aborts(void **state)
{
	struct test_hal *t = *state;

	victim = alloc(t, 8192, 4096);
	assert_true(dies(free_with_another_size, t));
	assert_true(dies(free_of_the_middle, t));
	assert_true(dies(free_twice, t));
	assert_false(dies(free_properly, t));
}

static void translate_freed(struct test_hal *t)
{
	struct axvm_hpa hpa = test_hal_phys(t, victim);

	release(t, victim, 8192);
	test_hal_virt(t, hpa);
}

static void translate_behind_the_end(struct test_hal *t)
{
	struct axvm_hpa hpa = test_hal_phys(t, victim);

	test_hal_virt(t, axvm_to_hpa(hpa.value + 8192));
}

static void translate_a_virtual_address(struct test_hal *t)
{
	test_hal_virt(t, axvm_to_hpa((uintptr_t)victim));
}

static void use_physical_address_as_pointer(struct test_hal *t)
{
	uintptr_t phys = test_hal_phys(t, victim).value;

	*(volatile char *)phys = 1; // NOLINT: meant to crash
}

static void address_mixed_up_or_stale_aborts(void **state)
{
	struct test_hal *t = *state;

	victim = alloc(t, 8192, 4096);
	assert_ptr_equal(test_hal_virt(t, test_hal_phys(t, victim)), victim);
	assert_true(dies(translate_freed, t));
	assert_true(dies(translate_behind_the_end, t));
	assert_true(dies(translate_a_virtual_address, t));
	assert_true(dies(use_physical_address_as_pointer, t));
}

#ifdef __SANITIZE_ADDRESS__
static void write_behind_the_end(struct test_hal *t)
{
	(void)t;
	((volatile char *)victim)[100] = 1;
}

static void read_freed(struct test_hal *t)
{
	release(t, victim, 100);
	(void)((volatile char *)victim)[0];
}

static void overrun_and_use_after_free_abort(void **state)
{
	struct test_hal *t = *state;

	victim = alloc(t, 100, 8);
	assert_true(dies(write_behind_the_end, t));
	assert_true(dies(read_freed, t));
}
#endif

static void hosts_do_not_share_physical_addresses(void **state)
{
	struct test_hal *t = *state, *other = test_hal_new();
	struct axvm_hpa a = test_hal_host_memory(t, 4096, 4096);
	struct axvm_hpa b = test_hal_host_memory(other, 4096, 4096);

	assert_true(a.value != b.value);
	assert_true(b.value < UINT64_C(1) << 40);
	assert_true(test_hal_check_no_leaks(other));
	test_hal_delete(other);
}

static void allocation_asked_to_fail_fails_once_or_for_good(void **state)
{
	struct test_hal *t = *state;

	test_hal_fail_at(t, 2);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(alloc(t, 64, 8) == NULL, i == 2);
	assert_true(test_hal_failed(t));
	test_hal_fail_from(t, 2);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(alloc(t, 64, 8) == NULL, i >= 2);
	assert_true(test_hal_failed(t));
	assert_false(test_hal_failed(t));
	assert_non_null(alloc(t, 64, 8));
	assert_int_equal(test_hal_live(t), 4);
}

struct pair {
	struct test_hal *t;
	void *first, *second;
	bool leaky, wrong;
};

static int allocate_pair(void *arg)
{
	struct pair *p = arg;

	p->first = alloc(p->t, 10, 8);
	if (p->first == NULL)
		return p->wrong ? AXVM_EINVAL : AXVM_ENOMEM;
	p->second = alloc(p->t, 20, 8);
	if (p->second == NULL) {
		if (!p->leaky)
			release(p->t, p->first, 10);
		return AXVM_ENOMEM;
	}
	return 0;
}

static void free_pair(void *arg)
{
	struct pair *p = arg;

	release(p->t, p->first, 10);
	release(p->t, p->second, 20);
}

static unsigned sweep(struct pair *p)
{
	return test_hal_sweep(p->t, AXVM_ENOMEM, allocate_pair, free_pair, p);
}

static void sweep_fails_every_allocation_and_finds_a_leak(void **state)
{
	struct pair good = {.t = *state};
	struct pair leaky = {.t = *state, .leaky = true};
	struct pair wrong = {.t = *state, .wrong = true};

	assert_int_equal(sweep(&good), 2);
	free_pair(&good);
	assert_int_equal(sweep(&wrong), 0);
	assert_int_equal(sweep(&leaky), 0);
}

static void callbacks_are_recorded(void **state)
{
	struct test_hal *t = *state;
	void *ctx = t->hal.ctx;
	struct axvm_vm *vm = ctx; /* only compared with NULL */

	t->hal.kick(ctx, 3);
	t->hal.wake(ctx, vm, 2);
	t->hal.irq_unmask(ctx, 33);
	t->hal.log(ctx, AXVM_LOG_WARNING, "beware of the guest");
	test_hal_set_now(t, 17);
	test_hal_set_wallclock(t, 18);
	test_hal_set_cpu(5);
	assert_true(test_hal_timer(t, 5) == UINT64_MAX);
	t->hal.timer(ctx, 99);
	test_hal_set_cpu(0);
	assert_int_equal(test_hal_kicks(t, 3), 1);
	assert_int_equal(test_hal_kicks(t, 2), 0);
	assert_int_equal(test_hal_wakes(t, 2), 1);
	assert_int_equal(test_hal_unmasks(t, 33), 1);
	assert_int_equal(test_hal_timer(t, 5), 99);
	assert_int_equal(test_hal_timers(t, 5), 1);
	assert_int_equal(test_hal_timers(t, 0), 0);
	assert_int_equal(test_hal_logs(t, AXVM_LOG_WARNING), 1);
	assert_true(test_hal_logged(t, "of the guest"));
	assert_false(test_hal_logged(t, "of the host"));
	assert_int_equal(t->hal.now(ctx), 17);
	assert_int_equal(t->hal.wallclock(ctx), 18);
}

static void *churn(void *arg)
{
	struct test_hal *t = arg;

	for (size_t i = 1; i <= 500; i++) {
		unsigned char *ptr = alloc(t, i, 64);

		memset(ptr, 0x11, i);
		t->hal.kick(t->hal.ctx, (uint32_t)i % 4);
		release(t, ptr, i);
	}
	return NULL;
}

static void threads_share_a_host(void **state)
{
	struct test_hal *t = *state;
	pthread_t threads[4];

	for (unsigned i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, churn, t);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(test_hal_kicks(t, 1), 500);
	assert_int_equal(test_hal_allocs(t), 2000);
	assert_true(test_hal_check_no_leaks(t));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fresh_memory_is_poisoned_and_aligned),
		TEST(alignment_over_64k_is_refused_unless_asked_for),
		TEST(leak_is_seen_and_counted),
		TEST(wrong_free_aborts),
		TEST(address_mixed_up_or_stale_aborts),
#ifdef __SANITIZE_ADDRESS__
		TEST(overrun_and_use_after_free_abort),
#endif
		TEST(hosts_do_not_share_physical_addresses),
		TEST(allocation_asked_to_fail_fails_once_or_for_good),
		TEST(sweep_fails_every_allocation_and_finds_a_leak),
		TEST(callbacks_are_recorded),
		TEST(threads_share_a_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
