/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/riscv_h/guest_tables.c: the tree is read back with libfdt and compared
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
#include "riscv_h/guest_tables.h"

typedef struct riscv_tables_config tables_config;
#define tables_write axvmi_riscv_guest_tables
#include "tables_test.h"

#define IMAC                                                            \
	(BIT64(RISCV_ISA_M) | BIT64(RISCV_ISA_A) | BIT64(RISCV_ISA_C) | \
	 BIT64(RISCV_ISA_ZICSR) | BIT64(RISCV_ISA_SSTC))

static const uint32_t hart_ids[AXVM_MAX_VCPUS] = {0, 1, 0x1f};
static const struct riscv_uart_config uarts[] = {
	{0x10000000, 0x100, 10},
	{0x10001000, 0x100, 0},
};
static const struct axvm_region_config regions[] = {
	{{0x80000000}, 0x8000000, AXVM_RWX, AXVM_REGION_ALLOC, {0}},
};
static const char *const virtio = "virtio,mmio";
static const struct fdt_range virtio_reg = {0x10008000, 0x1000};
static const uint32_t virtio_irq = 8;
static const struct fdt_device devices[] = {
	{.name = "virtio_mmio",
	 .compatible = &virtio,
	 .compatible_count = 1,
	 .reg = &virtio_reg,
	 .reg_count = 1,
	 .interrupts = &virtio_irq,
	 .interrupt_cells = 1},
	{.name = "hypervisor", .compatible = &virtio, .compatible_count = 1},
};

static tables_config sample(void)
{
	tables_config c = {
		.vcpu_count = 3,
		.hart_ids = hart_ids,
		.boot_vcpu = 0,
		.timebase = 10000000,
		.isa = IMAC,
		.mmu = RISCV_MMU_SV48,
		.plic_gpa = 0xc000000,
		.plic_size = 0x600000,
		.plic_sources = 95,
		.uarts = uarts,
		.uart_count = 2,
		.regions = regions,
		.region_count = 1,
		.initrd = {0x84000000, 0x1234},
		.bootargs = "console=ttyS0",
		.devices = devices,
		.device_count = 2,
	};

	return c;
}

static void each_hart_has_its_cpu_node(void **state)
{
	tables_config c = sample();
	static const char *const paths[] = {"/cpus/cpu@0", "/cpus/cpu@1",
					    "/cpus/cpu@1f"};

	(void)state;
	build(&c);
	assert_u32("/cpus", "#address-cells", 1);
	assert_u32("/cpus", "#size-cells", 0);
	assert_u32("/cpus", "timebase-frequency", 10000000);
	for (unsigned i = 0; i < 3; i++) {
		assert_string(paths[i], "device_type", "cpu");
		assert_u32(paths[i], "reg", hart_ids[i]);
		assert_string(paths[i], "status", "okay");
		assert_string(paths[i], "compatible", "riscv");
	}
}

static void boot_hart_is_in_the_header(void **state)
{
	tables_config c = sample();

	(void)state;
	c.boot_vcpu = 2;
	build(&c);
	assert_int_equal(fdt_boot_cpuid_phys(buffer), 0x1f);
}

static void isa_is_told_in_the_old_and_the_new_way(void **state)
{
	tables_config c = sample();
	static const char list[] = "i\0m\0a\0c\0zicsr\0sstc";

	(void)state;
	build(&c);
	assert_string("/cpus/cpu@1", "riscv,isa", "rv64imac_zicsr_sstc");
	assert_string("/cpus/cpu@1", "riscv,isa-base", "rv64i");
	assert_bytes("/cpus/cpu@1", "riscv,isa-extensions", list, sizeof(list));
}

static void isa_string_follows_the_naming_order(void **state)
{
	char string[RISCV_ISA_STRING_SIZE];

	(void)state;
	assert_int_equal(axvmi_riscv_isa_string(0, string), 5);
	assert_string_equal(string, "rv64i");
	axvmi_riscv_isa_string(BIT64(RISCV_ISA_SVPBMT) | BIT64(RISCV_ISA_V) |
				       BIT64(RISCV_ISA_ZBB) |
				       BIT64(RISCV_ISA_ZICBOM) |
				       BIT64(RISCV_ISA_F) | BIT64(RISCV_ISA_M),
			       string);
	assert_string_equal(string, "rv64imfv_zicbom_zbb_svpbmt");
}

static void every_extension_fits_the_isa_string(void **state)
{
	char string[RISCV_ISA_STRING_SIZE];
	uint64_t all = BIT64(RISCV_ISA_COUNT) - 1;
	size_t length = axvmi_riscv_isa_string(all, string);

	(void)state;
	assert_int_equal(strlen(string), length);
	assert_true(length < RISCV_ISA_STRING_SIZE);
	assert_string_equal(string + length - 7, "_svpbmt");
	/* Each has a name: none is empty. */
	assert_null(strstr(string, "__"));
}

static void unknown_isa_bits_are_not_told(void **state)
{
	char string[RISCV_ISA_STRING_SIZE];

	(void)state;
	axvmi_riscv_isa_string(~(BIT64(RISCV_ISA_COUNT) - 1), string);
	assert_string_equal(string, "rv64i");
}

static void cache_block_sizes_come_with_their_extensions(void **state)
{
	tables_config c = sample();

	(void)state;
	c.cbom_block_size = 64;
	c.cbop_block_size = 32;
	c.cboz_block_size = 128;
	build(&c);
	assert_false(has_property("/cpus/cpu@0", "riscv,cbom-block-size"));
	assert_false(has_property("/cpus/cpu@0", "riscv,cbop-block-size"));
	assert_false(has_property("/cpus/cpu@0", "riscv,cboz-block-size"));
	c.isa |= BIT64(RISCV_ISA_ZICBOM) | BIT64(RISCV_ISA_ZICBOP) |
		 BIT64(RISCV_ISA_ZICBOZ);
	build(&c);
	assert_u32("/cpus/cpu@0", "riscv,cbom-block-size", 64);
	assert_u32("/cpus/cpu@0", "riscv,cbop-block-size", 32);
	assert_u32("/cpus/cpu@0", "riscv,cboz-block-size", 128);
	c.cbom_block_size = 0;
	c.cbop_block_size = 0;
	c.cboz_block_size = 0;
	build(&c);
	assert_false(has_property("/cpus/cpu@0", "riscv,cbom-block-size"));
	assert_false(has_property("/cpus/cpu@0", "riscv,cbop-block-size"));
	assert_false(has_property("/cpus/cpu@0", "riscv,cboz-block-size"));
}

static void mmu_type_names_each_mode(void **state)
{
	tables_config c = sample();
	static const char *const names[] = {"riscv,sv39", "riscv,sv48",
					    "riscv,sv57"};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		c.mmu = (enum riscv_mmu)i;
		build(&c);
		assert_string("/cpus/cpu@0", "mmu-type", names[i]);
	}
}

static void each_cpu_has_an_interrupt_controller(void **state)
{
	tables_config c = sample();
	static const char path[] = "/cpus/cpu@1f/interrupt-controller";

	(void)state;
	build(&c);
	assert_string(path, "compatible", "riscv,cpu-intc");
	assert_u32(path, "#interrupt-cells", 1);
	assert_bytes(path, "interrupt-controller", NULL, 0);
	assert_true(fdt_get_phandle(buffer, node(path)) != 0);
}

/* The hart whose controller the PLIC's context `n` interrupts. */
static uint32_t context_hart(const fdt32_t *contexts, int n)
{
	int cpu = fdt_parent_offset(
		buffer, fdt_node_offset_by_phandle(
				buffer, fdt32_to_cpu(contexts[n * 2])));
	const fdt32_t *reg = fdt_getprop(buffer, cpu, "reg", NULL);

	assert_non_null(reg);
	return fdt32_to_cpu(*reg);
}

static void plic_has_one_s_mode_context_per_hart(void **state)
{
	tables_config c = sample();
	const char *path = "/soc/interrupt-controller@c000000";
	const fdt32_t *contexts;
	int length;

	(void)state;
	build(&c);
	contexts =
		fdt_getprop(buffer, node(path), "interrupts-extended", &length);
	assert_non_null(contexts);
	assert_int_equal(length, 3 * 4 * 4);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(context_hart(contexts, 2 * i), hart_ids[i]);
		assert_int_equal(fdt32_to_cpu(contexts[i * 4 + 1]), UINT32_MAX);
		assert_int_equal(context_hart(contexts, 2 * i + 1),
				 hart_ids[i]);
		assert_int_equal(fdt32_to_cpu(contexts[i * 4 + 3]), 9);
	}
}

static void plic_node_follows_its_binding(void **state)
{
	tables_config c = sample();
	const char *path = "/soc/interrupt-controller@c000000";
	static const char compatible[] = "sifive,plic-1.0.0\0riscv,plic0";
	static const uint32_t reg[] = {0, 0xc000000, 0, 0x600000};

	(void)state;
	build(&c);
	assert_bytes(path, "compatible", compatible, sizeof(compatible));
	assert_cells(path, "reg", reg, 4);
	assert_u32(path, "riscv,ndev", 95);
	assert_u32(path, "#interrupt-cells", 1);
	assert_u32(path, "#address-cells", 0);
	assert_bytes(path, "interrupt-controller", NULL, 0);
}

static void phandles_are_distinct_and_below_the_first_free_one(void **state)
{
	tables_config c = sample();
	uint32_t highest = 0;

	(void)state;
	build(&c);
	assert_int_equal(fdt_find_max_phandle(buffer, &highest), 0);
	assert_int_equal(highest + 1, axvmi_riscv_first_phandle(3));
	for (uint32_t handle = 1; handle <= highest; handle++)
		assert_true(fdt_node_offset_by_phandle(buffer, handle) > 0);
}

static void uart_is_a_16550_on_the_plic(void **state)
{
	tables_config c = sample();
	const char *path = "/soc/serial@10000000";
	static const uint32_t reg[] = {0, 0x10000000, 0, 0x100};

	(void)state;
	build(&c);
	assert_string(path, "compatible", "ns16550a");
	assert_cells(path, "reg", reg, 4);
	assert_u32(path, "interrupts", 10);
	assert_u32(path, "clock-frequency", 3686400);
	assert_u32(path, "interrupt-parent",
		   fdt_get_phandle(buffer,
				   node("/soc/interrupt-controller@c000000")));
}

static void uart_without_a_line_has_no_interrupt(void **state)
{
	tables_config c = sample();

	(void)state;
	build(&c);
	assert_false(has_property("/soc/serial@10001000", "interrupts"));
	assert_false(has_property("/soc/serial@10001000", "interrupt-parent"));
}

static void console_is_the_first_uart(void **state)
{
	tables_config c = sample();
	const char *path;

	(void)state;
	build(&c);
	path = fdt_getprop(buffer, node("/chosen"), "stdout-path", NULL);
	assert_non_null(path);
	assert_int_equal(node(path), node("/soc/serial@10000000"));
	c.uart_count = 0;
	build(&c);
	assert_false(has_property("/chosen", "stdout-path"));
}

static void chosen_tells_initrd_and_arguments(void **state)
{
	tables_config c = sample();

	(void)state;
	build(&c);
	assert_string("/chosen", "bootargs", "console=ttyS0");
	assert_bytes("/chosen", "linux,initrd-start", "\0\0\0\0\x84\0\0\0", 8);
	assert_bytes("/chosen", "linux,initrd-end", "\0\0\0\0\x84\0\x12\x34",
		     8);
}

static void soc_is_a_bus_of_guest_physical_addresses(void **state)
{
	tables_config c = sample();

	(void)state;
	build(&c);
	assert_string("/soc", "compatible", "simple-bus");
	assert_bytes("/soc", "ranges", NULL, 0);
	assert_int_equal(fdt_address_cells(buffer, node("/soc")), 2);
	assert_int_equal(fdt_size_cells(buffer, node("/soc")), 2);
}

static void root_is_like_the_virt_board(void **state)
{
	tables_config c = sample();

	(void)state;
	build(&c);
	assert_string("/", "model", "axvm,riscv");
	assert_int_equal(fdt_node_check_compatible(buffer, 0, "riscv-virtio"),
			 0);
	c.model = "mine";
	build(&c);
	assert_string("/", "model", "mine");
}

static void memory_is_told(void **state)
{
	tables_config c = sample();
	static const uint32_t reg[] = {0, 0x80000000, 0, 0x8000000};

	(void)state;
	build(&c);
	assert_cells("/memory@80000000", "reg", reg, 4);
}

static void devices_with_registers_sit_on_the_bus(void **state)
{
	tables_config c = sample();

	(void)state;
	build(&c);
	assert_string("/soc/virtio_mmio@10008000", "compatible", "virtio,mmio");
	assert_u32("/soc/virtio_mmio@10008000", "interrupts", 8);
	assert_true(
		has_property("/soc/virtio_mmio@10008000", "interrupt-parent"));
	assert_string("/hypervisor", "compatible", "virtio,mmio");
}

static void device_may_name_its_own_interrupt_parent(void **state)
{
	tables_config c = sample();
	struct fdt_device device = devices[0];

	(void)state;
	device.interrupt_parent = 1;
	c.devices = &device;
	c.device_count = 1;
	build(&c);
	assert_u32("/soc/virtio_mmio@10008000", "interrupt-parent", 1);
}

static void without_a_plic_nobody_interrupts(void **state)
{
	tables_config c = sample();

	(void)state;
	c.plic_size = 0;
	build(&c);
	assert_int_equal(
		fdt_node_offset_by_compatible(buffer, -1, "riscv,plic0"),
		-FDT_ERR_NOTFOUND);
	assert_false(has_property("/soc/serial@10000000", "interrupts"));
	assert_false(has_property("/soc/virtio_mmio@10008000", "interrupts"));
}

static void largest_machine_fits_64_kib(void **state)
{
	tables_config c = sample();
	uint32_t ids[AXVM_MAX_VCPUS];
	int length;

	(void)state;
	for (uint32_t i = 0; i < AXVM_MAX_VCPUS; i++)
		ids[i] = UINT32_MAX - i;
	c.hart_ids = ids;
	c.vcpu_count = AXVM_MAX_VCPUS;
	c.isa = BIT64(RISCV_ISA_COUNT) - 1;
	c.plic_sources = 1023;
	build(&c);
	node("/cpus/cpu@ffffffff/interrupt-controller");
	node("/cpus/cpu@ffffffc0/interrupt-controller");
	assert_non_null(fdt_getprop(buffer,
				    node("/soc/interrupt-controller@c000000"),
				    "interrupts-extended", &length));
	assert_int_equal(length, (int)AXVM_MAX_VCPUS * 16);
}

static void smallest_machine_is_a_valid_tree(void **state)
{
	tables_config c = {
		.vcpu_count = 1,
		.hart_ids = hart_ids,
		.timebase = 1,
	};

	(void)state;
	build(&c);
	assert_string("/cpus/cpu@0", "riscv,isa", "rv64i");
	assert_false(has_property("/chosen", "bootargs"));
}

static void device_with_a_bad_name_is_refused(void **state)
{
	tables_config c = sample();
	struct fdt_device device = devices[0];
	uint32_t size = 1;

	(void)state;
	device.name = "/soc/serial@1";
	c.devices = &device;
	c.device_count = 1;
	assert_int_equal(tables_write(&c, buffer, BUFFER_SIZE, &size),
			 AXVM_EINVAL);
	assert_int_equal(size, 1);
}

static void impossible_machines_assert(void **state)
{
	tables_config c[6];

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		c[i] = sample();
	c[0].vcpu_count = 0;
	c[1].vcpu_count = AXVM_MAX_VCPUS + 1;
	c[2].boot_vcpu = 3;
	c[3].mmu = (enum riscv_mmu)3;
	c[4].plic_sources = 0;
	c[5].plic_sources = 1024;
	for (unsigned i = 0; i < 6; i++)
		assert_true(traps(&c[i]));
	c[0] = sample();
	assert_false(traps(&c[0]));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_hart_has_its_cpu_node),
		cmocka_unit_test(boot_hart_is_in_the_header),
		cmocka_unit_test(isa_is_told_in_the_old_and_the_new_way),
		cmocka_unit_test(isa_string_follows_the_naming_order),
		cmocka_unit_test(every_extension_fits_the_isa_string),
		cmocka_unit_test(unknown_isa_bits_are_not_told),
		cmocka_unit_test(cache_block_sizes_come_with_their_extensions),
		cmocka_unit_test(mmu_type_names_each_mode),
		cmocka_unit_test(each_cpu_has_an_interrupt_controller),
		cmocka_unit_test(plic_has_one_s_mode_context_per_hart),
		cmocka_unit_test(plic_node_follows_its_binding),
		cmocka_unit_test(
			phandles_are_distinct_and_below_the_first_free_one),
		cmocka_unit_test(uart_is_a_16550_on_the_plic),
		cmocka_unit_test(uart_without_a_line_has_no_interrupt),
		cmocka_unit_test(console_is_the_first_uart),
		cmocka_unit_test(chosen_tells_initrd_and_arguments),
		cmocka_unit_test(soc_is_a_bus_of_guest_physical_addresses),
		cmocka_unit_test(root_is_like_the_virt_board),
		cmocka_unit_test(memory_is_told),
		cmocka_unit_test(devices_with_registers_sit_on_the_bus),
		cmocka_unit_test(device_may_name_its_own_interrupt_parent),
		cmocka_unit_test(without_a_plic_nobody_interrupts),
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
