/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The lines of the README, run on the modelled machine: a guest that waits, is
 * woken and powers off. tests/lib/readme.sh holds the text against the README.
 */
#include "core_test.h"

static const struct stub_op *guest;
static unsigned waits;

/* The host's own part: something wakes the guest. */
static void wait_for_interrupt(uint64_t deadline)
{
	(void)deadline;
	waits++;
}

/* Gives the guest its program, which a real one has in memory. */
static int boot_program(struct axvm_vm *vm)
{
	stub_program(vm, 0, guest);
	return axvm_boot(vm);
}

int run_guest(struct axvm_host *host, struct axvm_cpu *cpu,
	      const struct axvm_vm_config *vm_config,
	      const struct axvm_image *kernel);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* core_test.h has a config too */
#define axvm_boot boot_program
#include "readme_example.c"
#undef axvm_boot
#pragma GCC diagnostic pop

static int run_program(const struct stub_op *ops, struct axvm_gpa kernel_gpa)
{
	static const uint8_t bytes[64];
	struct axvm_image kernel = {
		.data = bytes,
		.size = sizeof(bytes),
		.gpa = kernel_gpa,
	};
	int err;

	guest = ops;
	waits = 0;
	new_config();
	stub_be(m, 0);
	err = run_guest(stub_get_host(m), stub_cpu(m, 0), &config, &kernel);
	return err;
}

static void example_runs_a_guest_from_creation_to_power_off(void **state)
{
	static const struct stub_op ops[] = {
		OP(WRITE, RAM, 1),
		OP(WFI, 0, 0),
		OP(READ, RAM, 0),
		OP(EXPECT, 1, 0),
		OP(SYSTEM_OFF, 0, 0),
		THE_END,
	};

	(void)state;
	assert_int_equal(run_program(ops, axvm_to_gpa(RAM)), AXVM_OK);
	assert_int_equal(waits, 1);
}

static void example_gives_everything_back_when_the_kernel_does_not_fit(
	void **state)
{
	static const struct stub_op ops[] = {THE_END};

	(void)state;
	assert_int_equal(run_program(ops, axvm_to_gpa(NOWHERE)), AXVM_ERANGE);
}

static void example_gives_everything_back_when_running_fails(void **state)
{
	static const struct stub_op ops[] = {
		OP(ERROR, (uint64_t)(int64_t)AXVM_ENOTSUP, 0),
		THE_END,
	};

	(void)state;
	assert_int_equal(run_program(ops, axvm_to_gpa(RAM)), AXVM_ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(example_runs_a_guest_from_creation_to_power_off),
		TEST(example_gives_everything_back_when_the_kernel_does_not_fit),
		TEST(example_gives_everything_back_when_running_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
