/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/arm_vhe/guest_tables.c: the tree is read back with libfdt and compared
 * with what the bindings ask for. With an argument the sample tree is written
 * to that file, for dtc.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bits.h"
#include "arm_vhe/guest_tables.h"

typedef struct arm_tables_config tables_config;
#define tables_write axvmi_arm_guest_tables
#include "tables_test.h"

#define GIC "/interrupt-controller@8000000"

static const uint32_t affinities[AXVM_MAX_VCPUS] = {0, 1, 0x103};
static const struct arm_uart_config uarts[] = {
	{0x9000000, 0x1000, 33},
	{0x9040000, 0x1000, 0},
};
static const struct axvm_region_config regions[] = {
	{{0x40000000}, 0x8000000, AXVM_RWX, AXVM_REGION_ALLOC, {0}},
};
static const char *const virtio = "virtio,mmio";
static const struct fdt_range virtio_reg = {0xa000000, 0x200};
static const uint32_t virtio_irq[] = {0, 16, 1};
static const struct fdt_device devices[] = {
	{.name = "virtio_mmio",
	 .compatible = &virtio,
	 .compatible_count = 1,
	 .reg = &virtio_reg,
	 .reg_count = 1,
	 .interrupts = virtio_irq,
	 .interrupt_cells = 3},
	{.name = "hypervisor", .compatible = &virtio, .compatible_count = 1},
};

static tables_config sample(void)
{
	tables_config c = {
		.vcpu_count = 3,
		.affinities = affinities,
		.gicd = {0x8000000, 0x10000},
		.gicr = {0x80a0000, 0x60000},
		.uarts = uarts,
		.uart_count = 2,
		.regions = regions,
		.region_count = 1,
		.initrd = {0x44000000, 0x1234},
		.bootargs = "console=ttyAMA0",
		.devices = devices,
		.device_count = 2,
	};

	return c;
}

static void each_vcpu_has_its_cpu_node(void **state)
{
	tables_config c = sample();
	static const char *const paths[] = {"/cpus/cpu@0", "/cpus/cpu@1",
					    "/cpus/cpu@103"};

	(void)state;
	build(&c);
	assert_u32("/cpus", "#address-cells", 1);
	assert_u32("/cpus", "#size-cells", 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_string(paths[i], "device_type", "cpu");
		assert_string(paths[i], "compatible", "arm,armv8");
		assert_u32(paths[i], "reg", affinities[i]);
		assert_string(paths[i], "enable-method", "psci");
	}
}

static void boot_vcpu_is_in_the_header(void **state)
{
	tables_config c = sample();

	(void)state;
	c.boot_vcpu = 2;
	build(&c);
	assert_int_equal(fdt_boot_cpuid_phys(buffer), 0x103);
}

static void psci_is_called_by_hvc(void **state)
{
	tables_config c = sample();
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	(void)state;
	build(&c);
	assert_bytes("/psci", "compatible", compatible, sizeof(compatible));
	assert_string("/psci", "method", "hvc");
}

/* Position decides: secure, non-secure, virtual, hypervisor. */
static void timer_lists_its_four_ppis_in_order(void **state)
{
	tables_config c = sample();
	static const uint32_t cells[] = {1, 13, 8, 1, 14, 8,
					 1, 11, 8, 1, 10, 8};

	(void)state;
	build(&c);
	assert_string("/timer", "compatible", "arm,armv8-timer");
	assert_cells("/timer", "interrupts", cells, 12);
	assert_bytes("/timer", "always-on", NULL, 0);
}

static void gic_node_follows_its_binding(void **state)
{
	tables_config c = sample();
	static const uint32_t reg[] = {0, 0x8000000, 0, 0x10000,
				       0, 0x80a0000, 0, 0x60000};

	(void)state;
	build(&c);
	assert_string(GIC, "compatible", "arm,gic-v3");
	assert_cells(GIC, "reg", reg, 8);
	assert_u32(GIC, "#interrupt-cells", 3);
	assert_bytes(GIC, "interrupt-controller", NULL, 0);
	assert_u32("/", "interrupt-parent", fdt_get_phandle(buffer, node(GIC)));
}

static void phandles_are_distinct_and_below_the_first_free_one(void **state)
{
	tables_config c = sample();
	uint32_t highest = 0;

	(void)state;
	build(&c);
	assert_int_equal(fdt_find_max_phandle(buffer, &highest), 0);
	assert_int_equal(highest + 1, ARM_FIRST_PHANDLE);
	for (uint32_t handle = 1; handle <= highest; handle++)
		assert_true(fdt_node_offset_by_phandle(buffer, handle) > 0);
}

static void uart_is_a_pl011_with_two_clocks(void **state)
{
	tables_config c = sample();
	const char *path = "/serial@9000000";
	static const char compatible[] = "arm,pl011\0arm,primecell";
	static const char names[] = "uartclk\0apb_pclk";
	static const uint32_t reg[] = {0, 0x9000000, 0, 0x1000};
	static const uint32_t interrupts[] = {0, 1, 4};
	uint32_t clocks[2];

	(void)state;
	build(&c);
	assert_bytes(path, "compatible", compatible, sizeof(compatible));
	assert_cells(path, "reg", reg, 4);
	assert_cells(path, "interrupts", interrupts, 3);
	clocks[0] = clocks[1] = fdt_get_phandle(buffer, node("/clock"));
	assert_cells(path, "clocks", clocks, 2);
	assert_bytes(path, "clock-names", names, sizeof(names));
	assert_string("/clock", "compatible", "fixed-clock");
	assert_u32("/clock", "#clock-cells", 0);
	assert_u32("/clock", "clock-frequency", 24000000);
}

static void uart_without_an_spi_has_no_interrupt(void **state)
{
	tables_config c = sample();
	struct arm_uart_config uart = {0x9040000, 0x1000, 31};

	(void)state;
	build(&c);
	assert_false(has_property("/serial@9040000", "interrupts"));
	c.uarts = &uart;
	c.uart_count = 1;
	build(&c);
	assert_false(has_property("/serial@9040000", "interrupts"));
}

static void spis_have_kind_number_and_trigger(void **state)
{
	uint32_t cells[ARM_GIC_CELLS];

	(void)state;
	axvmi_arm_spi_cells(cells, 1019, false);
	assert_int_equal(cells[0], 0);
	assert_int_equal(cells[1], 987);
	assert_int_equal(cells[2], 4);
	axvmi_arm_spi_cells(cells, 32, true);
	assert_int_equal(cells[1], 0);
	assert_int_equal(cells[2], 1);
}

static void console_is_the_first_uart(void **state)
{
	tables_config c = sample();

	(void)state;
	build(&c);
	assert_string("/chosen", "stdout-path", "/serial@9000000");
	c.uart_count = 0;
	build(&c);
	assert_false(has_property("/chosen", "stdout-path"));
	assert_int_equal(fdt_path_offset(buffer, "/clock"), -FDT_ERR_NOTFOUND);
}

static void chosen_tells_initrd_and_arguments(void **state)
{
	tables_config c = sample();

	(void)state;
	build(&c);
	assert_string("/chosen", "bootargs", "console=ttyAMA0");
	assert_bytes("/chosen", "linux,initrd-start", "\0\0\0\0\x44\0\0\0", 8);
	assert_bytes("/chosen", "linux,initrd-end", "\0\0\0\0\x44\0\x12\x34",
		     8);
}

static void root_and_memory_are_told(void **state)
{
	tables_config c = sample();
	static const uint32_t reg[] = {0, 0x40000000, 0, 0x8000000};

	(void)state;
	build(&c);
	assert_string("/", "model", "axvm,arm");
	assert_int_equal(
		fdt_node_check_compatible(buffer, 0, "linux,dummy-virt"), 0);
	assert_cells("/memory@40000000", "reg", reg, 4);
	c.model = "mine";
	build(&c);
	assert_string("/", "model", "mine");
}

static void devices_of_others_are_told(void **state)
{
	tables_config c = sample();
	struct fdt_device device = devices[0];

	(void)state;
	build(&c);
	assert_string("/virtio_mmio@a000000", "compatible", "virtio,mmio");
	assert_cells("/virtio_mmio@a000000", "interrupts", virtio_irq, 3);
	assert_string("/hypervisor", "compatible", "virtio,mmio");
	device.interrupt_parent = 7;
	c.devices = &device;
	c.device_count = 1;
	build(&c);
	assert_u32("/virtio_mmio@a000000", "interrupt-parent", 7);
}

static void without_a_gic_nobody_interrupts(void **state)
{
	tables_config c = sample();

	(void)state;
	c.gicd.size = 0;
	build(&c);
	assert_int_equal(
		fdt_node_offset_by_compatible(buffer, -1, "arm,gic-v3"),
		-FDT_ERR_NOTFOUND);
	assert_int_equal(fdt_path_offset(buffer, "/timer"), -FDT_ERR_NOTFOUND);
	assert_false(has_property("/", "interrupt-parent"));
	assert_false(has_property("/serial@9000000", "interrupts"));
	assert_false(has_property("/virtio_mmio@a000000", "interrupts"));
}

static void largest_machine_fits_64_kib(void **state)
{
	tables_config c = sample();
	uint32_t ids[AXVM_MAX_VCPUS];

	(void)state;
	for (uint32_t i = 0; i < AXVM_MAX_VCPUS; i++)
		ids[i] = UINT32_MAX - i;
	c.affinities = ids;
	c.vcpu_count = AXVM_MAX_VCPUS;
	build(&c);
	node("/cpus/cpu@ffffffff");
	node("/cpus/cpu@ffffffc0");
}

static void smallest_machine_is_a_valid_tree(void **state)
{
	tables_config c = {
		.vcpu_count = 1,
		.affinities = affinities,
	};

	(void)state;
	build(&c);
	assert_string("/psci", "method", "hvc");
	assert_false(has_property("/chosen", "bootargs"));
}

static void device_with_a_bad_name_is_refused(void **state)
{
	tables_config c = sample();
	struct fdt_device device = devices[0];
	uint32_t size = 1;

	(void)state;
	device.name = "/serial@1";
	c.devices = &device;
	c.device_count = 1;
	assert_int_equal(tables_write(&c, buffer, BUFFER_SIZE, &size),
			 AXVM_EINVAL);
	assert_int_equal(size, 1);
}

static void impossible_machines_assert(void **state)
{
	tables_config c[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		c[i] = sample();
	c[0].vcpu_count = 0;
	c[1].vcpu_count = AXVM_MAX_VCPUS + 1;
	c[2].boot_vcpu = 3;
	for (unsigned i = 0; i < 3; i++)
		assert_true(traps(&c[i]));
	c[0] = sample();
	assert_false(traps(&c[0]));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_vcpu_has_its_cpu_node),
		cmocka_unit_test(boot_vcpu_is_in_the_header),
		cmocka_unit_test(psci_is_called_by_hvc),
		cmocka_unit_test(timer_lists_its_four_ppis_in_order),
		cmocka_unit_test(gic_node_follows_its_binding),
		cmocka_unit_test(
			phandles_are_distinct_and_below_the_first_free_one),
		cmocka_unit_test(uart_is_a_pl011_with_two_clocks),
		cmocka_unit_test(uart_without_an_spi_has_no_interrupt),
		cmocka_unit_test(spis_have_kind_number_and_trigger),
		cmocka_unit_test(console_is_the_first_uart),
		cmocka_unit_test(chosen_tells_initrd_and_arguments),
		cmocka_unit_test(root_and_memory_are_told),
		cmocka_unit_test(devices_of_others_are_told),
		cmocka_unit_test(without_a_gic_nobody_interrupts),
		cmocka_unit_test(size_does_not_depend_on_addresses),
		cmocka_unit_test(
			every_smaller_buffer_is_refused_and_not_overrun),
		cmocka_unit_test(largest_machine_fits_64_kib),
		cmocka_unit_test(smallest_machine_is_a_valid_tree),
		cmocka_unit_test(device_with_a_bad_name_is_refused),
		cmocka_unit_test(impossible_machines_assert),
	};

	if (argc > 1)
		return write_sample(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
