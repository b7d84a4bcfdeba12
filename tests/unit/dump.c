/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* A vCPU as text: what it says, how it is cut, when it is refused. */
#include "core_test.h"

static const struct stub_op call[] = {OP(SET, 1, 0xabc), OP(CSR, 0, 5),
				      OP(HYPERCALL, 0x500, 0), THE_END};

static void a_dump_shows_state_registers_and_counters(void **state)
{
	static const char loaded_text[] =
		"vcpu 0 of vm 1: ready, loaded on cpu 0, completes HYPERCALL\n"
		"pc          0000000000000002\n"
		"result      0000000000000abc\n"
		"csr         on the cpu\n"
		"exits hypercall=1\n";
	static const char put_text[] =
		"vcpu 0 of vm 1: ready, completes HYPERCALL\n"
		"pc          0000000000000002\n"
		"result      0000000000000abc\n"
		"csr         0000000000000005\n"
		"exits hypercall=1\n";
	struct axvm_vm *vm = running(call);
	char text[512];
	size_t length;

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	assert_int_equal(axvm_dump_vcpu(vm, 0, text, sizeof(text), &length),
			 AXVM_OK);
	assert_string_equal(text, loaded_text);
	assert_int_equal(length, sizeof(loaded_text) - 1);
	assert_int_equal(axvm_vcpu_unbind(stub_cpu(m, 0), vm, 0), AXVM_OK);
	assert_int_equal(axvm_dump_vcpu(vm, 0, text, sizeof(text), &length),
			 AXVM_OK);
	assert_string_equal(text, put_text);
	end(vm);
}

static void a_dump_is_cut_to_every_size_of_the_buffer(void **state)
{
	struct axvm_vm *vm;
	char whole[512], text[512];
	size_t length, cut;

	(void)state;
	config.id = 12345;
	config.cpu_num = 2;
	vm = running(call);
	assert_int_equal(axvm_dump_vcpu(vm, 1, whole, sizeof(whole), &length),
			 AXVM_OK);
	assert_int_equal(strlen(whole), length);
	assert_int_equal(strncmp(whole, "vcpu 1 of vm 12345: off\n", 24), 0);
	for (size_t size = 0; size <= length + 1; size++) {
		memset(text, 'x', sizeof(text));
		assert_int_equal(axvm_dump_vcpu(vm, 1, size == 0 ? NULL : text,
						size, &cut),
				 AXVM_OK);
		assert_int_equal(cut, length);
		assert_int_equal(text[size], 'x');
		if (size == 0)
			continue;
		assert_int_equal(text[size - 1], '\0');
		assert_int_equal(strncmp(text, whole, size - 1), 0);
	}
	end(vm);
}

static int answer;

static void dump_it_now(void *vm)
{
	char text[64];
	size_t length = 77;

	answer = axvm_dump_vcpu(vm, 0, text, sizeof(text), &length);
	if (length != 77)
		abort();
}

static void a_running_vcpu_is_not_dumped(void **state)
{
	struct axvm_vm *vm = running(call);

	(void)state;
	stub_inside(vm, 0, dump_it_now, vm);
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	assert_int_equal(answer, AXVM_EBUSY);
	end(vm);
}

static void dumps_are_refused_for_what_does_not_exist(void **state)
{
	struct axvm_vm *vm = created();
	char text[64];
	size_t length;

	(void)state;
	assert_int_equal(axvm_dump_vcpu(vm, 0, text, sizeof(text), &length),
			 AXVM_ESTATE);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	assert_int_equal(axvm_dump_vcpu(NULL, 0, text, sizeof(text), &length),
			 AXVM_EINVAL);
	assert_int_equal(axvm_dump_vcpu(vm, 0, NULL, 1, &length), AXVM_EINVAL);
	assert_int_equal(axvm_dump_vcpu(vm, 0, text, sizeof(text), NULL),
			 AXVM_EINVAL);
	assert_int_equal(axvm_dump_vcpu(vm, 1, text, sizeof(text), &length),
			 AXVM_ENOENT);
	end(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_dump_shows_state_registers_and_counters),
		TEST(a_dump_is_cut_to_every_size_of_the_buffer),
		TEST(a_running_vcpu_is_not_dumped),
		TEST(dumps_are_refused_for_what_does_not_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
