/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Work that is done in bounded steps, and what may be called between them. */
#include "core_test.h"

#define DEMAND (RAM + MIB(64))

static const struct stub_op nothing[] = {THE_END};

/* More demand pages than one step of destroy or reset takes. */
static void fill(struct axvm_vm *vm)
{
	for (uint64_t off = 0; off < MIB(8); off += PAGE)
		assert_int_equal(
			axvm_write_guest(vm, axvm_to_gpa(DEMAND + off), "x", 1),
			AXVM_OK);
}

static void memory_is_out_of_reach(struct axvm_vm *vm)
{
	struct axvm_hpa hpa = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	struct axvm_gpa ram = axvm_to_gpa(RAM);
	struct axvm_mapping mapping;
	char byte = 0;

	assert_int_equal(axvm_read_guest(vm, ram, &byte, 1), AXVM_ESTATE);
	assert_int_equal(axvm_write_guest(vm, ram, &byte, 1), AXVM_ESTATE);
	assert_int_equal(axvm_query(vm, ram, &mapping), AXVM_ESTATE);
	assert_int_equal(axvm_unmap(vm, ram, PAGE), AXVM_ESTATE);
	assert_int_equal(axvm_unmap(vm, axvm_to_gpa(DEMAND), PAGE),
			 AXVM_ESTATE);
	assert_int_equal(axvm_map(vm, ram, hpa, PAGE, AXVM_RW), AXVM_ESTATE);
	assert_int_equal(axvm_protect(vm, ram, PAGE, AXVM_READ), AXVM_ESTATE);
}

static void while_destroy_goes_on_memory_is_out_of_reach(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	add_region(DEMAND, MIB(16), AXVM_REGION_DEMAND);
	vm = loaded();
	fill(vm);
	assert_int_equal(axvm_destroy(vm), AXVM_EAGAIN);
	memory_is_out_of_reach(vm);
	destroy(vm);
}

static void a_destroy_that_has_begun_cannot_be_turned_into_a_reset(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	add_region(DEMAND, MIB(16), AXVM_REGION_DEMAND);
	vm = running(nothing);
	fill(vm);
	stop(vm);
	assert_int_equal(axvm_destroy(vm), AXVM_EAGAIN);
	assert_int_equal(axvm_reset(vm), AXVM_ESTATE);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
	memory_is_out_of_reach(vm);
	destroy(vm);
}

/* One page of every large leaf differs: more tables than one step frees. */
static void destroy_frees_many_tables_in_steps(void **state)
{
	static const struct stub_config c = {.tag_bits = 14, .no_tables = true};
	uint64_t size = MIB(2) * 1200;
	uint64_t gpa;
	struct axvm_vm *vm;

	(void)state;
	m = stub_new(&c);
	gpa = test_hal_host_memory(stub_hal(m), size, MIB(2)).value;
	add_region(gpa, size, AXVM_REGION_RESERVED);
	vm = loaded();
	for (uint64_t off = 0; off < size; off += MIB(2))
		assert_int_equal(axvm_protect(vm, axvm_to_gpa(gpa + off), PAGE,
					      AXVM_READ),
				 AXVM_OK);
	assert_int_equal(axvm_destroy(vm), AXVM_EAGAIN);
	destroy(vm);
}

/* A file in a demand region fills pages; then the tables find no memory. */
static void an_init_that_fails_late_gives_all_it_took_back(void **state)
{
	static const struct stub_config c = {.tag_bits = 14};
	static uint8_t file[MIB(3)];
	struct axvm_image image = {
		.data = file, .size = sizeof(file), .gpa = {DEMAND}};
	struct test_hal *t;
	struct axvm_vm *vm;
	uint64_t bytes, before, needed;

	(void)state;
	m = stub_new(&c);
	t = stub_hal(m);
	add_region(DEMAND, MIB(4), AXVM_REGION_DEMAND);
	/* How many allocations there are in all. */
	vm = created();
	assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_RAW, &image), AXVM_OK);
	before = test_hal_allocs(t);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	needed = test_hal_allocs(t) - before;
	assert_true(needed > sizeof(file) / PAGE);
	destroy(vm);
	vm = created();
	assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_RAW, &image), AXVM_OK);
	bytes = test_hal_live_bytes(t);
	test_hal_fail_at(t, needed);
	assert_int_equal(axvm_init(vm), AXVM_ENOMEM);
	assert_true(test_hal_failed(t));
	assert_int_equal(test_hal_live_bytes(t), bytes);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADING);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	destroy(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(while_destroy_goes_on_memory_is_out_of_reach),
		TEST(a_destroy_that_has_begun_cannot_be_turned_into_a_reset),
		OWN(destroy_frees_many_tables_in_steps),
		OWN(an_init_that_fails_late_gives_all_it_took_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
