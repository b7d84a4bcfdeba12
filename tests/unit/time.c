/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* time.c: ticks, nanoseconds, deadlines; and where guest time begins. */
#include "core_test.h"

#include "internal.h"

static void ticks_become_nanoseconds_rounded_up(void **state)
{
	(void)state;
	assert_int_equal(axvmi_ticks_to_ns(0, 10000000), 0);
	assert_int_equal(axvmi_ticks_to_ns(1, 10000000), 100);
	assert_int_equal(axvmi_ticks_to_ns(10000000, 10000000), 1000000000);
	assert_int_equal(axvmi_ticks_to_ns(1, 3), 333333334);
	assert_int_equal(axvmi_ticks_to_ns(2, 3), 666666667);
	assert_int_equal(axvmi_ticks_to_ns(7, 1), UINT64_C(7000000000));
	assert_int_equal(axvmi_ticks_to_ns(1, UINT32_MAX), 1);
	assert_int_equal(axvmi_ticks_to_ns(UINT32_MAX, UINT32_MAX), 1000000000);
}

static void spans_too_long_for_64_bits_saturate(void **state)
{
	/* 2^64 ns are 18446744073.7 s. */
	const uint64_t seconds = UINT64_C(18446744073);

	(void)state;
	assert_true(axvmi_ticks_to_ns(seconds - 1, 1) ==
		    (seconds - 1) * UINT64_C(1000000000));
	assert_true(axvmi_ticks_to_ns(UINT64_MAX, 1) == UINT64_MAX);
	assert_true(axvmi_ticks_to_ns(UINT64_MAX, 1000000000) >=
		    UINT64_MAX - 1000000000);
	assert_true(axvmi_ticks_to_ns(seconds * 1000 + 999, 1000) ==
		    UINT64_MAX);
	assert_true(axvmi_ticks_to_ns(UINT64_MAX, UINT32_MAX) < UINT64_MAX);
}

/* Against an independent way to say it. */
static void conversion_agrees_with_wide_arithmetic(void **state)
{
	uint64_t x = 88172645463325252u;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t ticks, hz;
		unsigned __int128 ns;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		ticks = x >> (x & 63);
		hz = (x * 2654435761u >> 16 & UINT32_MAX) | 1;
		ns = ((unsigned __int128)ticks * 1000000000u + hz - 1) / hz;
		if (ns > UINT64_MAX / 2)
			continue;
		assert_true(axvmi_ticks_to_ns(ticks, hz) == (uint64_t)ns);
	}
}

static void deadlines_are_in_the_time_of_now(void **state)
{
	struct axvm_host *host = stub_get_host(m);

	(void)state;
	test_hal_set_now(stub_hal(m), 5000);
	assert_int_equal(axvmi_deadline_in(host, 3), 5300);
	assert_int_equal(axvmi_deadline_in(host, 0), 5000);
	assert_true(axvmi_deadline_in(host, UINT64_MAX) == AXVM_NO_DEADLINE);
	test_hal_set_now(stub_hal(m), UINT64_MAX - 100);
	assert_true(axvmi_deadline_in(host, 1) == AXVM_NO_DEADLINE);
	assert_true(axvmi_deadline_in(host, 0) == UINT64_MAX - 100);
}

static void without_now_or_frequency_there_is_no_deadline(void **state)
{
	struct axvm_host *host = stub_get_host(m);

	(void)state;
	host->hal.counter_hz = 0;
	assert_true(axvmi_deadline_in(host, 1) == AXVM_NO_DEADLINE);
	host->hal.counter_hz = 10000000;
	host->hal.now = NULL;
	assert_true(axvmi_deadline_in(host, 1) == AXVM_NO_DEADLINE);
}

static void guest_time_begins_at_boot_and_at_each_reboot(void **state)
{
	struct axvm_vm *vm = loaded();

	(void)state;
	stub_set_counter(1000);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_true(1000 + load_relaxed(&vm->time_offset) == 0);
	stop(vm);
	reset(vm);
	stub_set_counter(5000);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_true(5007 + load_relaxed(&vm->time_offset) == 7);
	end(vm);
	stub_set_counter(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ticks_become_nanoseconds_rounded_up),
		TEST(spans_too_long_for_64_bits_saturate),
		TEST(conversion_agrees_with_wide_arithmetic),
		TEST(deadlines_are_in_the_time_of_now),
		TEST(without_now_or_frequency_there_is_no_deadline),
		TEST(guest_time_begins_at_boot_and_at_each_reboot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
