/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * passthrough.c and the ledger of host.c: windows onto devices, which here are
 * memory the host lends, and who may have what of the host's.
 */
#include "core_test.h"
#include "internal.h"

#define WINDOW UINT64_C(0x20000000)
#define FAULTS(kind_, access_)                       \
	(left->reason == AXVM_EXIT_FAULT &&          \
	 left->u.fault.kind == AXVM_FAULT_##kind_ && \
	 left->u.fault.access == AXVM_##access_)

static struct axvm_passthrough_config devices[4];
static struct axvm_range_config windows[4];
static struct axvm_config_error error;

static struct axvm_passthrough_config *add_device(uint64_t gpa, uint64_t hpa,
						  uint64_t size)
{
	struct axvm_passthrough_config *p =
		&devices[config.passthrough_count++];

	*p = (struct axvm_passthrough_config){
		.name = "device",
		.gpa = {gpa},
		.hpa = {hpa},
		.size = size,
		.dma = AXVM_DMA_NONE,
	};
	config.passthrough = devices;
	return p;
}

static struct axvm_range_config *add_window(uint64_t base, uint64_t size)
{
	struct axvm_range_config *r =
		&windows[config.passthrough_address_count++];

	*r = (struct axvm_range_config){base, size, AXVM_DMA_TRUSTED};
	config.passthrough_addresses = windows;
	return r;
}

/* Pages a device might have its registers in. */
static uint64_t lend(unsigned pages)
{
	struct axvm_hpa hpa =
		test_hal_host_memory(stub_hal(m), pages * PAGE, PAGE);

	memset(test_hal_virt(stub_hal(m), hpa), 0x5a, pages * PAGE);
	stub_host_synced(m, hpa, pages * PAGE);
	return hpa.value;
}

static uint64_t *words(uint64_t hpa)
{
	return test_hal_virt(stub_hal(m), axvm_to_hpa(hpa));
}

static int create(void)
{
	struct axvm_vm *vm = NULL;
	int err;

	memset(&error, 0, sizeof(error));
	err = axvm_create(stub_get_host(m), &config, &error, &vm);
	assert_true((err == AXVM_OK) == (vm != NULL));
	if (vm != NULL)
		destroy(vm);
	return err;
}

static void refused(int code, const char *field, uint32_t index)
{
	assert_int_equal(create(), code);
	assert_string_equal(error.field, field);
	assert_int_equal(error.index, index);
	assert_non_null(error.reason);
}

static int reserve(uint64_t start, uint64_t size)
{
	return axvm_host_reserve(stub_get_host(m), axvm_to_hpa(start), size);
}

/* ---- what the guest gets ---- */

static void maps_to(struct axvm_vm *vm, uint64_t gpa, uint64_t hpa)
{
	struct axvm_mapping mapping;

	assert_int_equal(axvm_query(vm, axvm_to_gpa(gpa), &mapping), AXVM_OK);
	assert_true(mapping.hpa.value == hpa);
	assert_int_equal(mapping.access, AXVM_RW);
	assert_int_equal(mapping.type, AXVM_MEM_DEVICE);
}

static void maps_nothing(struct axvm_vm *vm, uint64_t gpa)
{
	struct axvm_mapping mapping;

	assert_int_equal(axvm_query(vm, axvm_to_gpa(gpa), &mapping),
			 AXVM_ENOENT);
}

static void a_device_is_reached_at_its_own_host_address(void **state)
{
	static const struct stub_op ops[] = {
		OP(READ, WINDOW + 0x108, 0), OP(EXPECT, 0x1234, 0),
		OP(WRITE, WINDOW + 0x110, 77), THE_END};
	uint64_t hpa = lend(1);
	struct axvm_vm *vm;

	(void)state;
	words(hpa)[0x108 / 8] = 0x1234;
	stub_host_synced(m, axvm_to_hpa(hpa), PAGE);
	add_device(WINDOW + 0x100, hpa + 0x100, 0x20);
	vm = running(ops);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(words(hpa)[0x110 / 8], 77);
	no_violation();
	end(vm);
}

static void windows_are_device_memory_in_every_format(void **state)
{
	static const enum stub_format formats[] = {STUB_SV39X4, STUB_SV48X4,
						   STUB_EPT, STUB_ARM};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		struct stub_config c = {
			.format = formats[i], .cpus = 1, .no_tables = true};
		struct axvm_vm *vm;
		uint64_t hpa;

		m = stub_new(&c);
		new_config();
		hpa = lend(4);
		add_device(WINDOW, hpa, 2 * PAGE);
		add_window(hpa + 3 * PAGE, PAGE);
		vm = loaded();
		maps_to(vm, WINDOW, hpa);
		maps_to(vm, WINDOW + PAGE + 8, hpa + PAGE + 8);
		maps_nothing(vm, WINDOW + 2 * PAGE);
		maps_nothing(vm, hpa + 2 * PAGE);
		maps_to(vm, hpa + 3 * PAGE, hpa + 3 * PAGE);
		destroy(vm);
		assert_true(stub_delete(m));
	}
	m = NULL;
}

static void an_unaligned_window_keeps_its_last_page(void **state)
{
	uint64_t hpa = lend(4);
	struct axvm_vm *vm;

	(void)state;
	/* Two pages whole, and one byte of each neighbour. */
	add_device(WINDOW + PAGE - 1, hpa + PAGE - 1, 2 * PAGE + 2);
	vm = loaded();
	for (unsigned i = 0; i < 4; i++)
		maps_to(vm, WINDOW + i * PAGE, hpa + i * PAGE);
	maps_nothing(vm, WINDOW + 4 * PAGE);
	maps_nothing(vm, WINDOW - 1);
	destroy(vm);
	config.passthrough_count = 0;
	add_window(hpa + 2 * PAGE - 8, 16);
	vm = loaded();
	maps_nothing(vm, hpa);
	maps_to(vm, hpa + PAGE, hpa + PAGE);
	maps_to(vm, hpa + 2 * PAGE, hpa + 2 * PAGE);
	maps_nothing(vm, hpa + 3 * PAGE);
	destroy(vm);
}

static void a_large_window_is_mapped_by_large_leaves(void **state)
{
	struct axvm_mapping mapping;
	struct axvm_vm *vm;

	(void)state;
	add_device(UINT64_C(0x40000000), UINT64_C(0xc0000000), MIB(1024));
	vm = loaded();
	assert_int_equal(
		axvm_query(vm, axvm_to_gpa(UINT64_C(0x40000000)), &mapping),
		AXVM_OK);
	assert_int_equal(mapping.leaf_size, MIB(1024));
	destroy(vm);
}

static void nothing_is_executed_in_a_window(void **state)
{
	static const struct stub_op ops[] = {OP(EXEC, WINDOW, 0), THE_END};
	struct axvm_vm *vm;

	(void)state;
	add_device(WINDOW, lend(1), PAGE);
	vm = running(ops);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	assert_int_equal(left->gpa, WINDOW);
	assert_true(FAULTS(PERMISSION, EXEC));
	end(vm);
}

static void copies_and_edits_of_the_host_do_not_reach_a_window(void **state)
{
	uint64_t hpa = lend(2);
	struct axvm_vm *vm;
	uint64_t word = 1;

	(void)state;
	add_device(WINDOW, hpa, PAGE);
	vm = loaded();
	assert_int_equal(axvm_read_guest(vm, axvm_to_gpa(WINDOW), &word, 8),
			 AXVM_EFAULT);
	assert_int_equal(axvm_write_guest(vm, axvm_to_gpa(WINDOW), &word, 8),
			 AXVM_EFAULT);
	assert_int_equal(axvm_unmap(vm, axvm_to_gpa(WINDOW), PAGE),
			 AXVM_ERANGE);
	assert_int_equal(axvm_protect(vm, axvm_to_gpa(WINDOW), PAGE, AXVM_READ),
			 AXVM_ERANGE);
	assert_int_equal(axvm_map(vm, axvm_to_gpa(WINDOW),
				  axvm_to_hpa(hpa + PAGE), PAGE, AXVM_READ),
			 AXVM_ERANGE);
	maps_to(vm, WINDOW, hpa);
	assert_int_equal(words(hpa)[0], UINT64_C(0x5a5a5a5a5a5a5a5a));
	destroy(vm);
}

static void a_window_outlives_reset_and_is_not_zeroed(void **state)
{
	static const struct stub_op ops[] = {OP(READ, WINDOW, 0), THE_END};
	uint64_t hpa = lend(1);
	struct axvm_vm *vm;

	(void)state;
	add_device(WINDOW, hpa, PAGE);
	vm = running(ops);
	for (unsigned life = 0; life < 3; life++) {
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		assert_int_equal(stub_reg(vm, 0, STUB_REG_RESULT),
				 UINT64_C(0x5a5a5a5a5a5a5a5a));
		stop(vm);
		reset(vm);
		maps_to(vm, WINDOW, hpa);
		assert_int_equal(axvm_boot(vm), AXVM_OK);
	}
	no_violation();
	end(vm);
}

/* ---- the guest-physical space ---- */

static enum axvm_access_result no_access(struct axvm_device *device,
					 struct axvm_device_access *access)
{
	(void)device;
	(void)access;
	return AXVM_ACCESS_DONE;
}

static int add_model(struct axvm_vm *vm, uint64_t base, uint64_t size)
{
	static const struct axvm_device_ops ops = {.name = "rival",
						   .access = no_access};
	static struct axvm_device device;

	device = (struct axvm_device){
		.ops = &ops,
		.range_count = 1,
		.ranges = {{.base = base, .size = size, .widths = 8}},
	};
	return axvm_add_device(vm, &device);
}

static void a_device_of_the_host_does_not_overlap_a_window(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	add_device(WINDOW + 8, lend(1) + 8, 8);
	vm = created();
	assert_int_equal(add_model(vm, WINDOW + PAGE - 8, 8), AXVM_EEXIST);
	assert_true(test_hal_logged(stub_hal(m), "rival overlaps a window"));
	assert_int_equal(add_model(vm, WINDOW - 8, 16), AXVM_EEXIST);
	assert_int_equal(add_model(vm, WINDOW + PAGE, 8), AXVM_OK);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	destroy(vm);
}

static void windows_count_for_the_width_of_the_space(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	uint64_t end_of_space = UINT64_C(1) << 41; /* Sv39x4 */

	(void)state;
	m = stub_new(&c);
	add_device(end_of_space - 1, PAGE - 1, 1);
	assert_int_equal(create(), AXVM_OK);
	devices[0].size = 2;
	assert_int_equal(create(), AXVM_ERANGE);
	config.passthrough_count = 0;
	add_window(end_of_space - 8, 8);
	assert_int_equal(create(), AXVM_OK);
	windows[0].base++;
	assert_int_equal(create(), AXVM_ERANGE);
	/* As wide as can be: nothing wraps. */
	windows[0] = (struct axvm_range_config){0, UINT64_MAX, AXVM_DMA_NONE};
	config.region_count = 0;
	config.kernel.entry.value = 0;
	assert_int_equal(create(), AXVM_ERANGE);
}

static void a_host_address_no_table_can_hold_is_refused(void **state)
{
	uint64_t beyond = UINT64_C(1) << 56; /* "Sv39x4": 56-bit addresses */

	(void)state;
	add_device(WINDOW, beyond - PAGE, PAGE);
	assert_int_equal(create(), AXVM_OK);
	devices[0].size++;
	refused(AXVM_ERANGE, "devices.passthrough_devices", 0);
	devices[0].hpa.value = UINT64_MAX - (PAGE - 1);
	devices[0].size = PAGE;
	refused(AXVM_ERANGE, "devices.passthrough_devices", 0);
}

/* ---- all or nothing ---- */

static int try_create(void *arg)
{
	return axvm_create(stub_get_host(m), &config, NULL, arg);
}

static int try_init(void *arg)
{
	return axvm_init(*(struct axvm_vm **)arg);
}

static void create_and_init_without_memory_change_nothing(void **state)
{
	struct axvm_vm *vm = NULL;
	uint64_t hpa = lend(2);

	(void)state;
	/* Far apart: tables of their own. */
	add_device(WINDOW, hpa, PAGE);
	add_device(UINT64_C(0x3000000000), UINT64_C(0x40000000), PAGE);
	add_window(UINT64_C(0x5000000000), PAGE);
	/* The VM, its configuration, the CPUs' block, the bus. */
	assert_int_equal(sweep(try_create, &vm), 4);
	assert_true(sweep(try_init, &vm) > 10);
	maps_to(vm, WINDOW, hpa);
	maps_to(vm, UINT64_C(0x5000000000), UINT64_C(0x5000000000));
	/* A VM that failed to init is LOADING as before: its windows too. */
	destroy(vm);
	vm = created();
	test_hal_fail_at(stub_hal(m), 5);
	assert_int_equal(axvm_init(vm), AXVM_ENOMEM);
	assert_true(test_hal_failed(stub_hal(m)));
	assert_int_equal(add_model(vm, WINDOW, 8), AXVM_EEXIST);
	destroy(vm);
}

static void ports_are_refused_by_name(void **state)
{
	static const struct axvm_range_config ports = {0x60, 8, AXVM_DMA_NONE};
	struct axvm_arch_ops *ops = (struct axvm_arch_ops *)stub_ops(m);

	(void)state;
	config.passthrough_ports = &ports;
	config.passthrough_port_count = 1;
	refused(AXVM_ENOTSUP, "devices.passthrough_ports", 0);
	assert_non_null(strstr(error.reason, "yet"));
	ops->buses &= ~BIT64(AXVM_BUS_PORT);
	refused(AXVM_ENOTSUP, "devices.passthrough_ports", 0);
	assert_non_null(strstr(error.reason, "no ports"));
}

/* ---- the ledger ---- */

static void no_window_touches_a_page_with_memory_of_the_host(void **state)
{
	uint64_t hpa = lend(4);

	(void)state;
	/* A byte the window does not ask for, in a page that it gets. */
	assert_int_equal(reserve(hpa + 2 * PAGE - 1, 1), AXVM_OK);
	add_device(WINDOW, hpa + PAGE, 8);
	refused(AXVM_EEXIST, "devices.passthrough_devices", 0);
	devices[0].hpa.value = hpa + 2 * PAGE;
	assert_int_equal(create(), AXVM_OK);
	add_window(hpa, PAGE);
	assert_int_equal(create(), AXVM_OK);
	windows[0].size++;
	refused(AXVM_EEXIST, "devices.passthrough_addresses", 0);
	add_window(hpa + 3 * PAGE, PAGE);
	windows[0].size--;
	assert_int_equal(create(), AXVM_OK);
}

static void the_host_does_not_take_back_a_page_behind_a_window(void **state)
{
	uint64_t hpa = lend(4);
	struct axvm_vm *vm;

	(void)state;
	add_device(WINDOW + 8, hpa + 8, 8);
	add_window(hpa + 3 * PAGE - 8, 8);
	vm = created();
	assert_int_equal(reserve(hpa + PAGE - 1, 1), AXVM_EEXIST);
	assert_int_equal(reserve(hpa + 2 * PAGE, 1), AXVM_EEXIST);
	assert_int_equal(reserve(hpa + PAGE, PAGE), AXVM_OK);
	destroy(vm);
	assert_int_equal(reserve(hpa + PAGE - 1, 1), AXVM_OK);
	assert_int_equal(reserve(hpa + 2 * PAGE, 1), AXVM_OK);
}

/* Each way of the first VM to have the second page, each way of the second. */
static void give(unsigned way, uint64_t hpa)
{
	new_config();
	config.passthrough_count = 0;
	config.passthrough_address_count = 0;
	switch (way) {
	case 0:
		add_device(WINDOW, hpa, 1);
		return;
	case 1:
		add_device(WINDOW + PAGE - 1, hpa + PAGE - 1, 1);
		return;
	case 2:
		add_window(hpa + 8, 8);
		return;
	default:
		add_region(hpa, PAGE,
			   way == 3   ? AXVM_REGION_HOST
			   : way == 4 ? AXVM_REGION_IDENTICAL
				      : AXVM_REGION_RESERVED)
			->hpa.value = hpa;
		return;
	}
}

static void two_vms_never_have_one_page_of_the_host(void **state)
{
	static const char *const fields[] = {
		"devices.passthrough_devices",	 "devices.passthrough_devices",
		"devices.passthrough_addresses", "kernel.memory_regions",
		"kernel.memory_regions",	 "kernel.memory_regions"};
	uint64_t hpa = lend(3);

	(void)state;
	for (unsigned a = 0; a < 6; a++) {
		for (unsigned b = 0; b < 6; b++) {
			struct axvm_vm *first;

			give(a, hpa + PAGE);
			first = loaded();
			give(b, hpa + PAGE);
			config.id = 2;
			refused(AXVM_EEXIST, fields[b], b > 2);
			give(b, hpa);
			config.id = 2;
			assert_int_equal(create(), AXVM_OK);
			give(b, hpa + 2 * PAGE);
			config.id = 2;
			assert_int_equal(create(), AXVM_OK);
			destroy(first);
			give(b, hpa + PAGE);
			assert_int_equal(create(), AXVM_OK);
		}
	}
}

static int map(struct axvm_vm *vm, uint64_t hpa)
{
	int err =
		axvm_map(vm, axvm_to_gpa(RAM), axvm_to_hpa(hpa), PAGE, AXVM_RW);

	if (err == AXVM_OK)
		assert_int_equal(axvm_unmap(vm, axvm_to_gpa(RAM), PAGE),
				 AXVM_OK);
	return err;
}

static void no_frame_of_the_host_or_another_vm_can_be_mapped(void **state)
{
	uint64_t hpa = lend(8);
	struct axvm_vm *other, *vm;

	(void)state;
	assert_int_equal(reserve(hpa + PAGE - 1, 1), AXVM_OK);
	add_device(WINDOW, hpa + PAGE, 1);
	add_window(hpa + 2 * PAGE, 1);
	add_region(WINDOW + PAGE, PAGE, AXVM_REGION_HOST)->hpa.value =
		hpa + 3 * PAGE;
	add_region(hpa + 4 * PAGE, PAGE, AXVM_REGION_RESERVED);
	other = created();

	new_config();
	config.id = 2;
	config.passthrough_count = 0;
	config.passthrough_address_count = 0;
	add_device(WINDOW, hpa + 5 * PAGE, 1);
	add_region(WINDOW + PAGE, PAGE, AXVM_REGION_HOST)->hpa.value =
		hpa + 6 * PAGE;
	vm = loaded();
	assert_int_equal(axvm_unmap(vm, axvm_to_gpa(RAM), PAGE), AXVM_OK);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(map(vm, hpa + i * PAGE), AXVM_EPERM);
	/* Its own memory a second time, and a page of nobody's. */
	assert_int_equal(map(vm, hpa + 6 * PAGE), AXVM_OK);
	assert_int_equal(map(vm, hpa + 7 * PAGE), AXVM_OK);
	destroy(other);
	assert_int_equal(map(vm, hpa), AXVM_EPERM);
	for (unsigned i = 1; i < 5; i++)
		assert_int_equal(map(vm, hpa + i * PAGE), AXVM_OK);
	destroy(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_is_reached_at_its_own_host_address),
		OWN(windows_are_device_memory_in_every_format),
		TEST(an_unaligned_window_keeps_its_last_page),
		TEST(a_large_window_is_mapped_by_large_leaves),
		TEST(nothing_is_executed_in_a_window),
		TEST(copies_and_edits_of_the_host_do_not_reach_a_window),
		TEST(a_window_outlives_reset_and_is_not_zeroed),
		TEST(a_device_of_the_host_does_not_overlap_a_window),
		OWN(windows_count_for_the_width_of_the_space),
		TEST(a_host_address_no_table_can_hold_is_refused),
		TEST(create_and_init_without_memory_change_nothing),
		TEST(ports_are_refused_by_name),
		TEST(no_window_touches_a_page_with_memory_of_the_host),
		TEST(the_host_does_not_take_back_a_page_behind_a_window),
		TEST(two_vms_never_have_one_page_of_the_host),
		TEST(no_frame_of_the_host_or_another_vm_can_be_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
