/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* ram.c: where frames come from, zeroing, giving back. */
#include "core_test.h"

#define SECOND (RAM + MIB(64))

static const struct stub_op nothing[] = {THE_END};

static struct axvm_mapping mapped(struct axvm_vm *vm, uint64_t gpa)
{
	struct axvm_mapping mapping;

	assert_int_equal(axvm_query(vm, axvm_to_gpa(gpa), &mapping), AXVM_OK);
	return mapping;
}

static uint64_t *lent_words(struct axvm_hpa hpa)
{
	return test_hal_virt(stub_hal(m), hpa);
}

static void plain_machine(void)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};

	m = stub_new(&c);
}

static void allocated_memory_is_zeroed(void **state)
{
	static uint8_t bytes[MIB(1)];
	struct axvm_vm *vm = loaded();

	(void)state;
	memset(bytes, 1, sizeof(bytes));
	assert_int_equal(
		axvm_read_guest(vm, axvm_to_gpa(RAM), bytes, sizeof(bytes)),
		AXVM_OK);
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0);
	destroy(vm);
}

static void large_memory_is_mapped_by_large_leaves(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	plain_machine();
	test_hal_max_align(stub_hal(m), MIB(2));
	regions[0].size = MIB(5);
	vm = loaded();
	assert_int_equal(mapped(vm, RAM).leaf_size, MIB(2));
	assert_int_equal(mapped(vm, RAM + MIB(3)).leaf_size, MIB(2));
	assert_int_equal(mapped(vm, RAM + MIB(4)).leaf_size, PAGE);
	assert_int_equal(mapped(vm, RAM + MIB(5) - 1).leaf_size, PAGE);
	destroy(vm);
}

static void a_host_without_large_pieces_gives_small_ones(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	plain_machine();
	test_hal_max_align(stub_hal(m), KIB(16));
	regions[0].size = MIB(2);
	vm = loaded();
	assert_int_equal(mapped(vm, RAM).leaf_size, PAGE);
	destroy(vm);
}

static void a_region_of_odd_size_is_filled_to_the_last_page(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	regions[0].size = KIB(64) + 3 * PAGE;
	vm = loaded();
	mapped(vm, RAM + KIB(64) + 3 * PAGE - 1);
	destroy(vm);
}

static void host_memory_is_zeroed_and_used_where_it_is(void **state)
{
	struct axvm_hpa hpa = test_hal_host_memory(stub_hal(m), 4 * PAGE, PAGE);
	static const struct stub_op ops[] = {
		OP(READ, SECOND, 0), OP(EXPECT, 0, 0),
		OP(WRITE, SECOND + 0x2000, 0x55), THE_END};
	struct axvm_vm *vm;

	(void)state;
	lent_words(hpa)[0] = 0xbad;
	add_region(SECOND, 4 * PAGE, AXVM_REGION_HOST)->hpa = hpa;
	vm = running(ops);
	assert_true(mapped(vm, SECOND + 0x1234).hpa.value ==
		    hpa.value + 0x1234);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(lent_words(hpa)[0x2000 / 8], 0x55);
	no_violation();
	stop(vm);
	reset(vm);
	assert_int_equal(lent_words(hpa)[0x2000 / 8], 0);
	end(vm);
}

static void identical_memory_is_zeroed_and_has_one_address(void **state)
{
	struct axvm_hpa hpa = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	struct axvm_vm *vm;

	(void)state;
	lent_words(hpa)[3] = 0xbad;
	add_region(hpa.value, PAGE, AXVM_REGION_IDENTICAL);
	vm = loaded();
	assert_true(mapped(vm, hpa.value).hpa.value == hpa.value);
	assert_int_equal(lent_words(hpa)[3], 0);
	destroy(vm);
}

static void reserved_memory_is_never_written_by_the_library(void **state)
{
	struct axvm_hpa hpa = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	struct axvm_vm *vm;

	(void)state;
	lent_words(hpa)[3] = 0x900d;
	stub_host_synced(m, hpa, PAGE);
	add_region(hpa.value, PAGE, AXVM_REGION_RESERVED);
	vm = running(nothing);
	assert_int_equal(lent_words(hpa)[3], 0x900d);
	stop(vm);
	reset(vm);
	assert_int_equal(lent_words(hpa)[3], 0x900d);
	end(vm);
	assert_int_equal(lent_words(hpa)[3], 0x900d);
}

static void reset_zeroes_all_regions_but_reserved(void **state)
{
	static const struct stub_op ops[] = {OP(WRITE, RAM + RAM_SIZE - 8, 1),
					     OP(WRITE, SECOND, 2),
					     OP(SPIN, 1, 0), THE_END};
	static const struct stub_op look[] = {
		OP(READ, RAM + RAM_SIZE - 8, 0), OP(EXPECT, 0, 0),
		OP(READ, SECOND, 0), OP(EXPECT, 0, 0), THE_END};
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	add_region(SECOND, MIB(1), AXVM_REGION_DEMAND);
	vm = running(ops);
	live = test_hal_live(stub_hal(m));
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	stop(vm);
	reset(vm);
	/* Demand pages are given back. */
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	stub_program(vm, 0, look);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

static void instructions_of_the_life_before_are_not_executed(void **state)
{
	static const struct stub_op ops[] = {
		OP(EXEC, RAM + 0x9000, 0), OP(EXPECT, 0, 0), OP(SPIN, 1, 0),
		OP(EXEC, RAM + 0x9000, 0), THE_END};
	uint64_t word = 0x1234;
	struct axvm_vm *vm = running(ops);

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		assert_int_equal(axvm_write_guest(vm, axvm_to_gpa(RAM + 0x9000),
						  &word, 8),
				 AXVM_OK);
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		stop(vm);
		reset(vm);
		assert_int_equal(axvm_boot(vm), AXVM_OK);
	}
	no_violation();
	end(vm);
}

static void many_demand_pages_are_reset_in_steps(void **state)
{
	struct axvm_vm *vm;
	unsigned steps = 0;
	size_t live;

	(void)state;
	plain_machine();
	add_region(SECOND, MIB(8), AXVM_REGION_DEMAND);
	vm = running(nothing);
	live = test_hal_live(stub_hal(m));
	for (uint64_t off = 0; off < MIB(8); off += PAGE)
		assert_int_equal(
			axvm_write_guest(vm, axvm_to_gpa(SECOND + off), "z", 1),
			AXVM_OK);
	stop(vm);
	while (axvm_reset(vm) == AXVM_EAGAIN)
		steps++;
	assert_true(steps >= 3);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	end(vm);
}

static void a_memory_hole_behind_the_last_region_is_no_ram(void **state)
{
	struct axvm_mapping mapping;
	struct axvm_vm *vm;

	(void)state;
	add_region(RAM + RAM_SIZE + PAGE, PAGE, AXVM_REGION_ALLOC);
	vm = loaded();
	assert_int_equal(axvm_query(vm, axvm_to_gpa(RAM + RAM_SIZE), &mapping),
			 AXVM_ENOENT);
	mapped(vm, RAM + RAM_SIZE + PAGE);
	destroy(vm);
}

static int try_init(void *vm)
{
	return axvm_init(vm);
}

/* ---- init in steps ---- */

static enum axvm_access_result no_access(struct axvm_device *device,
					 struct axvm_device_access *access)
{
	(void)device;
	(void)access;
	return AXVM_ACCESS_FAULT;
}

/* A VM of 32 MiB in the middle of its init. */
static struct axvm_vm *half_made(void)
{
	struct axvm_vm *vm;

	regions[0].size = MIB(32);
	vm = created();
	assert_int_equal(axvm_init(vm), AXVM_EAGAIN);
	assert_int_equal(axvm_init(vm), AXVM_EAGAIN);
	return vm;
}

static void large_memory_is_zeroed_in_steps(void **state)
{
	static uint8_t bytes[MIB(1)];
	struct axvm_vm *vm;
	unsigned steps = 2;

	(void)state;
	plain_machine();
	vm = half_made();
	while (axvm_init(vm) == AXVM_EAGAIN) {
		assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADING);
		steps++;
	}
	assert_in_range(steps, 7, 8);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADED);
	assert_int_equal(axvm_init(vm), AXVM_ESTATE);
	for (uint64_t off = 0; off < MIB(32); off += MIB(1)) {
		assert_int_equal(axvm_read_guest(vm, axvm_to_gpa(RAM + off),
						 bytes, sizeof(bytes)),
				 AXVM_OK);
		for (size_t i = 0; i < sizeof(bytes); i += 64)
			assert_int_equal(bytes[i], 0);
	}
	destroy(vm);
}

static void a_vm_that_is_half_made_can_only_be_finished(void **state)
{
	static const struct axvm_device_ops ops = {.name = "late",
						   .access = no_access};
	static const struct axvm_image image = {
		.data = "x", .size = 1, .gpa = {RAM}};
	struct axvm_device device = {.ops = &ops};
	struct axvm_mapping mapping;
	struct axvm_vm *vm;

	(void)state;
	plain_machine();
	vm = half_made();
	assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_RAW, &image),
			 AXVM_ESTATE);
	assert_int_equal(axvm_add_device(vm, &device), AXVM_ESTATE);
	assert_int_equal(axvm_set_debug_console(vm, NULL), AXVM_ESTATE);
	assert_int_equal(axvm_boot(vm), AXVM_ESTATE);
	assert_int_equal(axvm_shutdown(vm), AXVM_ESTATE);
	assert_int_equal(axvm_reset(vm), AXVM_ESTATE);
	assert_int_equal(axvm_mem_begin(vm), AXVM_ESTATE);
	assert_int_equal(axvm_unmap(vm, axvm_to_gpa(RAM), PAGE), AXVM_ESTATE);
	assert_int_equal(axvm_query(vm, axvm_to_gpa(RAM), &mapping),
			 AXVM_ESTATE);
	assert_int_equal(axvm_irq_set(vm, 1, true), AXVM_ESTATE);
	assert_int_equal(stub_run(m, 0, vm, 0, left), AXVM_ESTATE);
	while (axvm_init(vm) == AXVM_EAGAIN)
		;
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	end(vm);
}

static void a_vm_that_is_half_made_can_be_destroyed(void **state)
{
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	plain_machine();
	live = test_hal_live(stub_hal(m));
	vm = half_made();
	destroy(vm);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
}

/* Its images are looked at last. */
static void an_init_that_fails_at_its_end_has_undone_all(void **state)
{
	static const struct axvm_image image = {
		.data = "x", .size = 1, .gpa = {NOWHERE}};
	struct axvm_vm *vm;
	unsigned steps = 0;
	size_t live;
	int err;

	(void)state;
	plain_machine();
	regions[0].size = MIB(32);
	vm = created();
	assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_RAW, &image), AXVM_OK);
	live = test_hal_live(stub_hal(m));
	for (unsigned round = 0; round < 2; round++) {
		while ((err = axvm_init(vm)) == AXVM_EAGAIN)
			steps++;
		assert_int_equal(err, AXVM_ERANGE);
		assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADING);
		assert_in_range(test_hal_live(stub_hal(m)), live, live + 1);
	}
	assert_true(steps >= 14);
	/* As at first: more can be added. */
	assert_int_equal(axvm_set_debug_console(vm, NULL), AXVM_OK);
	destroy(vm);
}

/* More pieces than one list of them holds, and the last one fails. */
static void many_pieces_are_given_back_when_one_fails(void **state)
{
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	plain_machine();
	test_hal_max_align(stub_hal(m), KIB(16));
	regions[0].size = MIB(2);
	vm = created();
	live = test_hal_live(stub_hal(m));
	for (uint64_t k = 480; k < 512; k++) {
		test_hal_fail_from(stub_hal(m), k);
		assert_int_equal(try_init(vm), AXVM_ENOMEM);
		assert_true(test_hal_failed(stub_hal(m)));
		assert_in_range(test_hal_live(stub_hal(m)), live, live + 1);
	}
	assert_int_equal(try_init(vm), AXVM_OK);
	destroy(vm);
}

/* Frames of the same VM, but none that it has seen. */
static void memory_that_appears_for_one_vcpu_wakes_no_other(void **state)
{
	static const struct stub_op first[] = {
		OP(CPU_ON, 1, RAM), OP(SPIN, 1, 0), OP(WRITE, SECOND, 7),
		OP(WRITE, SECOND + PAGE, 7), THE_END};
	static const struct stub_op second[] = {
		OP(WFI, 0, 0), OP(EXEC, SECOND, 0), OP(EXPECT, 7, 0), THE_END};
	struct axvm_vm *vm;
	uint64_t wakes;

	(void)state;
	config.cpu_num = 2;
	add_region(SECOND, MIB(1), AXVM_REGION_DEMAND);
	vm = loaded();
	stub_program(vm, 0, first);
	stub_program(vm, 1, second);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_HALT);
	wakes = test_hal_wakes(stub_hal(m), 1);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_vcpu_state(vm, 1), AXVM_VCPU_BLOCKED);
	assert_int_equal(test_hal_wakes(stub_hal(m), 1), wakes);
	/* It has to look when it wakes of itself. */
	assert_int_equal(axvm_inject(vm, 1, 9), AXVM_OK);
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(allocated_memory_is_zeroed),
		OWN(large_memory_is_mapped_by_large_leaves),
		OWN(a_host_without_large_pieces_gives_small_ones),
		TEST(a_region_of_odd_size_is_filled_to_the_last_page),
		TEST(host_memory_is_zeroed_and_used_where_it_is),
		TEST(identical_memory_is_zeroed_and_has_one_address),
		TEST(reserved_memory_is_never_written_by_the_library),
		TEST(reset_zeroes_all_regions_but_reserved),
		TEST(instructions_of_the_life_before_are_not_executed),
		OWN(many_demand_pages_are_reset_in_steps),
		TEST(a_memory_hole_behind_the_last_region_is_no_ram),
		OWN(large_memory_is_zeroed_in_steps),
		OWN(a_vm_that_is_half_made_can_only_be_finished),
		OWN(a_vm_that_is_half_made_can_be_destroyed),
		OWN(an_init_that_fails_at_its_end_has_undone_all),
		OWN(many_pieces_are_given_back_when_one_fails),
		TEST(memory_that_appears_for_one_vcpu_wakes_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
