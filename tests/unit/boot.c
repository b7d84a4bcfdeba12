/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* boot.c: images and generated tables in guest memory. */
#include "core_test.h"
#include "stub_internal.h"

static const struct stub_op nothing[] = {THE_END};

/* "Boot image header in RISC-V Linux", by its offsets. */
static uint8_t kernel[8192];

static void linux_kernel(uint64_t text_offset, uint64_t memory)
{
	static const char magic[] = "RSC\x05";

	memset(kernel, 0x5a, sizeof(kernel));
	memset(kernel, 0, 64);
	memcpy(kernel + 8, &text_offset, 8);
	memcpy(kernel + 16, &memory, 8);
	memcpy(kernel + 32, "\x02\0\0\0", 4); /* version 0.2 */
	memcpy(kernel + 48, "RISCV\0\0\0", 8);
	memcpy(kernel + 56, magic, 4);
}

static int add(struct axvm_vm *vm, enum axvm_image_kind kind, const void *data,
	       uint64_t size, uint64_t gpa)
{
	struct axvm_image image = {.data = data, .size = size, .gpa = {gpa}};

	return axvm_add_image(vm, kind, &image);
}

static void guest_has(struct axvm_vm *vm, uint64_t gpa, const void *data,
		      size_t size)
{
	uint8_t bytes[sizeof(kernel)];

	assert_true(size <= sizeof(bytes));
	assert_int_equal(axvm_read_guest(vm, axvm_to_gpa(gpa), bytes, size),
			 AXVM_OK);
	assert_memory_equal(bytes, data, size);
}

static void with_tables(void)
{
	static const struct stub_config c = {.cpus = 1,
					     .tag_bits = 14,
					     .poc_sync = true,
					     .sync_each_cpu = true};

	m = stub_new(&c);
}

/* ---- adding ---- */

static void add_image_refuses_nonsense(void **state)
{
	struct axvm_image image = {.data = "x", .size = 1};
	struct axvm_vm *vm = created();

	(void)state;
	assert_int_equal(axvm_add_image(NULL, AXVM_IMAGE_KERNEL, &image),
			 AXVM_EINVAL);
	assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_KERNEL, NULL),
			 AXVM_EINVAL);
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, NULL, 1, 0), AXVM_EINVAL);
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, "x", 0, 0), AXVM_EINVAL);
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, "x", UINT64_MAX, 0),
			 AXVM_EINVAL);
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, "xy", 2, UINT64_MAX),
			 AXVM_EINVAL);
	assert_int_equal(add(vm, (enum axvm_image_kind)5, "x", 1, 0),
			 AXVM_EINVAL);
	assert_int_equal(add(vm, AXVM_IMAGE_RAW, "x", 1, 0), AXVM_EINVAL);
	destroy(vm);
}

static void there_is_one_image_of_a_kind_and_eight_raw_ones(void **state)
{
	struct axvm_vm *vm = created();

	(void)state;
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, "k", 1, 0), AXVM_OK);
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, "k", 1, 0), AXVM_EEXIST);
	assert_int_equal(add(vm, AXVM_IMAGE_DTB, "d", 1, RAM + KIB(8)),
			 AXVM_OK);
	assert_int_equal(add(vm, AXVM_IMAGE_DTB, "d", 1, 0), AXVM_EEXIST);
	assert_int_equal(add(vm, AXVM_IMAGE_RAMDISK, "r", 1, 0), AXVM_OK);
	assert_int_equal(add(vm, AXVM_IMAGE_RAMDISK, "r", 1, 0), AXVM_EEXIST);
	assert_int_equal(add(vm, AXVM_IMAGE_BIOS, "b", 1, RAM + KIB(16)),
			 AXVM_OK);
	assert_int_equal(add(vm, AXVM_IMAGE_BIOS, "b", 1, 0), AXVM_EEXIST);
	for (uint64_t i = 0; i < AXVM_MAX_RAW_IMAGES; i++)
		assert_int_equal(add(vm, AXVM_IMAGE_RAW, "w", 1,
				     RAM + KIB(32) + i * PAGE),
				 AXVM_OK);
	assert_int_equal(add(vm, AXVM_IMAGE_RAW, "w", 1, RAM + KIB(100)),
			 AXVM_ENOSPC);
	/* All of them at once are not too many. */
	assert_int_equal(init_vm(vm), AXVM_OK);
	guest_has(vm, RAM, "k", 1);
	guest_has(vm, RAM + KIB(16), "b", 1);
	guest_has(vm, RAM + KIB(32) + 7 * PAGE, "w", 1);
	destroy(vm);
}

/* ---- loading ---- */

static void a_flat_kernel_goes_where_the_configuration_says(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	config.kernel.kernel_gpa.value = RAM + 0x3000;
	config.kernel.entry.value = 0;
	vm = created();
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, "flat kernel", 12, 0),
			 AXVM_OK);
	assert_int_equal(init_vm(vm), AXVM_OK);
	guest_has(vm, RAM + 0x3000, "flat kernel", 12);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_ENTRY), RAM + 0x3000);
	end(vm);
}

static void the_image_address_wins_over_the_configuration(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	config.kernel.entry.value = 0;
	vm = created();
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, "here", 5, RAM + 0x7000),
			 AXVM_OK);
	assert_int_equal(init_vm(vm), AXVM_OK);
	guest_has(vm, RAM + 0x7000, "here", 5);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_ENTRY), RAM + 0x7000);
	end(vm);
}

static void the_configured_entry_is_that_of_a_flat_kernel(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	config.kernel.entry.value = RAM + 0x40;
	vm = created();
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, "flat", 5, 0), AXVM_OK);
	assert_int_equal(init_vm(vm), AXVM_OK);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_ENTRY), RAM + 0x40);
	end(vm);
}

static void a_linux_kernel_says_where_it_wants_to_be(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	linux_kernel(MIB(2), MIB(1));
	regions[0].size = MIB(8);
	config.kernel.kernel_gpa.value = 0;
	vm = created();
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, kernel, sizeof(kernel), 0),
			 AXVM_OK);
	assert_int_equal(init_vm(vm), AXVM_OK);
	guest_has(vm, RAM + MIB(2), kernel, sizeof(kernel));
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	/* Not the configured one: its header knows. */
	assert_int_equal(stub_reg(vm, 0, STUB_REG_ENTRY), RAM + MIB(2));
	end(vm);
}

static void a_kernel_nobody_can_start_is_refused(void **state)
{
	struct axvm_vm *vm = created();
	size_t live = test_hal_live(stub_hal(m));

	(void)state;
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL,
			     "\x7f"
			     "ELF\2\1\1",
			     8, 0),
			 AXVM_OK);
	assert_int_equal(init_vm(vm), AXVM_EFORMAT);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADING);
	/* Only the device map may have grown. */
	assert_true(test_hal_live(stub_hal(m)) <= live + 1);
	destroy(vm);
}

static void images_that_do_not_fit_are_refused(void **state)
{
	static const struct {
		enum axvm_image_kind kind;
		uint64_t size, gpa;
		int err;
	} cases[] = {
		{AXVM_IMAGE_RAW, 8192, RAM + RAM_SIZE - 4096, AXVM_ERANGE},
		{AXVM_IMAGE_RAW, 8, NOWHERE, AXVM_ERANGE},
		{AXVM_IMAGE_RAW, 8, RAM + 4, AXVM_EEXIST},
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct axvm_vm *vm = created();

		memset(kernel, 1, sizeof(kernel));
		assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, "flat", 5, 0),
				 AXVM_OK);
		assert_int_equal(add(vm, cases[i].kind, kernel, cases[i].size,
				     cases[i].gpa),
				 AXVM_OK);
		assert_int_equal(init_vm(vm), cases[i].err);
		assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADING);
		destroy(vm);
	}
}

static void a_ramdisk_too_large_for_ram_is_refused(void **state)
{
	static char large[MIB(1)];
	struct axvm_vm *vm = created();

	(void)state;
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, "flat", 5, 0), AXVM_OK);
	assert_int_equal(add(vm, AXVM_IMAGE_RAMDISK, large, sizeof(large), 0),
			 AXVM_OK);
	assert_int_equal(init_vm(vm), AXVM_ENOSPC);
	destroy(vm);
}

static void read_only_memory_takes_images_at_load_time(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	add_region(0x1000, PAGE, AXVM_REGION_ALLOC)->access = AXVM_READ;
	vm = created();
	assert_int_equal(add(vm, AXVM_IMAGE_RAW, "rom", 4, 0x1000), AXVM_OK);
	assert_int_equal(init_vm(vm), AXVM_OK);
	guest_has(vm, 0x1000, "rom", 4);
	assert_int_equal(axvm_write_guest(vm, axvm_to_gpa(0x1000), "x", 1),
			 AXVM_EFAULT);
	destroy(vm);
}

static void demand_memory_takes_images_too(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	add_region(RAM + MIB(16), MIB(1), AXVM_REGION_DEMAND);
	vm = created();
	memset(kernel, 7, sizeof(kernel));
	assert_int_equal(add(vm, AXVM_IMAGE_RAW, kernel, sizeof(kernel),
			     RAM + MIB(16) + 100),
			 AXVM_OK);
	assert_int_equal(init_vm(vm), AXVM_OK);
	guest_has(vm, RAM + MIB(16) + 100, kernel, sizeof(kernel));
	destroy(vm);
}

static void firmware_and_ramdisk_go_where_the_configuration_says(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	config.kernel.bios_gpa.value = RAM + KIB(128);
	config.kernel.ramdisk_gpa.value = RAM + KIB(256);
	vm = created();
	assert_int_equal(add(vm, AXVM_IMAGE_BIOS, "bios", 5, 0), AXVM_OK);
	assert_int_equal(add(vm, AXVM_IMAGE_RAMDISK, "disk", 5, 0), AXVM_OK);
	assert_int_equal(init_vm(vm), AXVM_OK);
	guest_has(vm, RAM + KIB(128), "bios", 5);
	guest_has(vm, RAM + KIB(256), "disk", 5);
	destroy(vm);
}

/* ---- tables ---- */

static void tables_are_generated_when_no_tree_is_given(void **state)
{
	struct axvm_vm *vm;
	uint64_t gpa;

	(void)state;
	with_tables();
	vm = created();
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, "flat", 5, 0), AXVM_OK);
	assert_int_equal(init_vm(vm), AXVM_OK);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	gpa = stub_reg(vm, 0, STUB_REG_ARGUMENT);
	assert_in_range(gpa, RAM + 8, RAM + RAM_SIZE - 8);
	guest_has(vm, gpa, "stub tables", 12);
	end(vm);
}

static int no_tables(struct axvm_vm *vm, void *buffer, size_t size,
		     size_t *used)
{
	(void)vm;
	(void)buffer;
	(void)used;
	assert_true(size != 0);
	return AXVM_ENOSPC;
}

static void tables_that_do_not_fit_fail_init(void **state)
{
	struct axvm_vm *vm;
	uint64_t bytes;

	(void)state;
	with_tables();
	m->ops.guest_tables = no_tables;
	vm = created();
	bytes = test_hal_live_bytes(stub_hal(m));
	assert_int_equal(axvm_init(vm), AXVM_ENOSPC);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADING);
	assert_int_equal(test_hal_live_bytes(stub_hal(m)), bytes);
	destroy(vm);
}

static void the_hosts_tree_is_passed_on_unchanged(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	with_tables();
	config.kernel.dtb_gpa.value = RAM + KIB(512);
	vm = created();
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, "flat", 5, 0), AXVM_OK);
	assert_int_equal(add(vm, AXVM_IMAGE_DTB, "the host's tree", 16, 0),
			 AXVM_OK);
	assert_int_equal(init_vm(vm), AXVM_OK);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_ARGUMENT), RAM + KIB(512));
	guest_has(vm, RAM + KIB(512), "the host's tree", 16);
	end(vm);
}

/* ---- reset ---- */

static void reset_loads_the_images_again(void **state)
{
	static const struct stub_op ops[] = {
		OP(WRITE, RAM, 0), OP(EXEC, RAM + 8, 0),
		OP(WRITE, RAM + KIB(64), 5), OP(SPIN, 1, 0), THE_END};
	struct axvm_vm *vm;
	uint64_t argument = 0;

	(void)state;
	with_tables();
	memset(kernel, 0x33, sizeof(kernel));
	vm = created();
	assert_int_equal(add(vm, AXVM_IMAGE_KERNEL, kernel, sizeof(kernel), 0),
			 AXVM_OK);
	assert_int_equal(init_vm(vm), AXVM_OK);
	stub_program(vm, 0, ops);
	for (int i = 0; i < 3; i++) {
		uint64_t word = 1;

		assert_int_equal(axvm_boot(vm), AXVM_OK);
		if (i == 0)
			argument = stub_reg(vm, 0, STUB_REG_ARGUMENT);
		assert_int_equal(stub_reg(vm, 0, STUB_REG_ARGUMENT), argument);
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		stop(vm);
		reset(vm);
		guest_has(vm, RAM, kernel, sizeof(kernel));
		guest_has(vm, argument, "stub tables", 12);
		assert_int_equal(axvm_read_guest(vm, axvm_to_gpa(RAM + KIB(64)),
						 &word, 8),
				 AXVM_OK);
		assert_int_equal(word, 0);
	}
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	no_violation();
	end(vm);
}

static void a_vm_without_images_starts_at_the_configured_entry(void **state)
{
	struct axvm_vm *vm = running(nothing);

	(void)state;
	assert_int_equal(stub_reg(vm, 0, STUB_REG_ENTRY), RAM);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_ARGUMENT), 0);
	end(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(add_image_refuses_nonsense),
		TEST(there_is_one_image_of_a_kind_and_eight_raw_ones),
		TEST(a_flat_kernel_goes_where_the_configuration_says),
		TEST(the_image_address_wins_over_the_configuration),
		TEST(the_configured_entry_is_that_of_a_flat_kernel),
		TEST(a_linux_kernel_says_where_it_wants_to_be),
		TEST(a_kernel_nobody_can_start_is_refused),
		TEST(images_that_do_not_fit_are_refused),
		TEST(a_ramdisk_too_large_for_ram_is_refused),
		TEST(read_only_memory_takes_images_at_load_time),
		TEST(demand_memory_takes_images_too),
		TEST(firmware_and_ramdisk_go_where_the_configuration_says),
		OWN(tables_are_generated_when_no_tree_is_given),
		OWN(tables_that_do_not_fit_fail_init),
		OWN(the_hosts_tree_is_passed_on_unchanged),
		OWN(reset_loads_the_images_again),
		TEST(a_vm_without_images_starts_at_the_configured_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
