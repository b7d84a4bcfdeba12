/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* console.c: giving a VM its debug console. */
#include "core_test.h"

#include "internal.h"

static bool put(void *ctx, uint8_t byte)
{
	*(uint8_t *)ctx = byte;
	return true;
}

static void the_console_is_copied(void **state)
{
	uint8_t last = 0;
	struct axvm_debug_console console = {.ctx = &last, .write = put};
	struct axvm_vm *vm = created();

	(void)state;
	assert_null(vm->console.write);
	assert_int_equal(axvm_set_debug_console(vm, &console), AXVM_OK);
	memset(&console, 0, sizeof(console));
	assert_true(vm->console.write(vm->console.ctx, 'x'));
	assert_int_equal(last, 'x');
	assert_null(vm->console.read);
	destroy(vm);
}

static void null_takes_the_console_away(void **state)
{
	struct axvm_debug_console console = {.write = put};
	struct axvm_vm *vm = created();

	(void)state;
	assert_int_equal(axvm_set_debug_console(vm, &console), AXVM_OK);
	assert_int_equal(axvm_set_debug_console(vm, NULL), AXVM_OK);
	assert_null(vm->console.write);
	destroy(vm);
}

static void a_console_needs_a_vm_and_write(void **state)
{
	struct axvm_debug_console console = {.write = put};
	struct axvm_vm *vm = created();

	(void)state;
	assert_int_equal(axvm_set_debug_console(NULL, &console), AXVM_EINVAL);
	assert_int_equal(axvm_set_debug_console(NULL, NULL), AXVM_EINVAL);
	console.write = NULL;
	assert_int_equal(axvm_set_debug_console(vm, &console), AXVM_EINVAL);
	destroy(vm);
}

static void the_console_is_fixed_after_loading(void **state)
{
	struct axvm_debug_console console = {.write = put};
	struct axvm_vm *vm = created();

	(void)state;
	assert_int_equal(axvm_set_debug_console(vm, &console), AXVM_OK);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	assert_int_equal(axvm_set_debug_console(vm, NULL), AXVM_ESTATE);
	assert_ptr_equal(vm->console.write, put);
	destroy(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_console_is_copied),
		TEST(null_takes_the_console_away),
		TEST(a_console_needs_a_vm_and_write),
		TEST(the_console_is_fixed_after_loading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
