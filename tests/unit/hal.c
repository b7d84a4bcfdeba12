/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* hal.c: the checked callbacks. */
#include "core_test.h"

#include "internal.h"

static void alloc_takes_size_and_alignment_to_the_host(void **state)
{
	struct axvm_host *host = stub_get_host(m);
	char *ptr = axvmi_alloc(host, 100, KIB(16));

	(void)state;
	assert_non_null(ptr);
	assert_int_equal((uintptr_t)ptr % KIB(16), 0);
	axvmi_free(host, ptr, 100);
	test_hal_fail_at(stub_hal(m), 1);
	assert_null(axvmi_alloc(host, 100, 8));
	test_hal_fail_at(stub_hal(m), 1);
	assert_null(axvmi_alloc_zeroed(host, 100, 8));
}

static void zeroed_memory_is_zero_whatever_the_host_gave(void **state)
{
	struct axvm_host *host = stub_get_host(m);
	uint8_t *ptr = axvmi_alloc_zeroed(host, 5000, 8);

	(void)state;
	for (int i = 0; i < 5000; i++)
		assert_int_equal(ptr[i], 0);
	axvmi_free(host, ptr, 5000);
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	axvmi_free(stub_get_host(m), NULL, 100);
}

static void addresses_go_both_ways(void **state)
{
	struct axvm_host *host = stub_get_host(m);
	char *ptr = axvmi_alloc(host, PAGE, PAGE);
	uint64_t hpa = axvmi_virt_to_phys(host, ptr + 5);

	(void)state;
	assert_true(hpa != (uintptr_t)ptr + 5);
	assert_ptr_equal(axvmi_phys_to_virt(host, hpa), ptr + 5);
	axvmi_free(host, ptr, PAGE);
}

static void the_log_is_optional(void **state)
{
	struct axvm_host *host = stub_get_host(m);

	(void)state;
	axvmi_log(host, AXVM_LOG_WARNING, "a line");
	assert_int_equal(test_hal_logs(stub_hal(m), AXVM_LOG_WARNING), 1);
	assert_true(test_hal_logged(stub_hal(m), "a line"));
	host->hal.log = NULL;
	axvmi_log(host, AXVM_LOG_ERROR, "another");
	assert_false(test_hal_logged(stub_hal(m), "another"));
}

static void locks_are_held_with_interrupts_masked(void **state)
{
	struct axvm_host *host = stub_get_host(m);
	struct spinlock lock = {0};
	uint64_t outer, inner;

	(void)state;
	outer = axvmi_lock(host, &lock);
	assert_true(stub_masked());
	assert_int_equal(load_seq(&lock.held), 1);
	axvmi_unlock(host, &lock, outer);
	assert_false(stub_masked());
	/* Inside a masked part it stays masked. */
	inner = stub_ops(m)->interrupts_save();
	outer = axvmi_lock(host, &lock);
	axvmi_unlock(host, &lock, outer);
	assert_true(stub_masked());
	stub_ops(m)->interrupts_restore(inner);
	assert_false(stub_masked());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(alloc_takes_size_and_alignment_to_the_host),
		TEST(zeroed_memory_is_zero_whatever_the_host_gave),
		TEST(freeing_nothing_is_fine),
		TEST(addresses_go_both_ways),
		TEST(the_log_is_optional),
		TEST(locks_are_held_with_interrupts_masked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
