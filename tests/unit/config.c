/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* axvm_config_check: one good configuration, then one fault at a time. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config_test.h"

static void plain_configuration_is_accepted(void **state)
{
	(void)state;
	accepted();
	c->name = NULL;
	accepted();
}

static void configuration_of_another_size_is_refused(void **state)
{
	(void)state;
	c->size--;
	refused(AXVM_EINVAL, "", 0);
	assert_int_equal(axvm_config_check(NULL, &error), AXVM_EINVAL);
	assert_int_equal(axvm_config_check(NULL, NULL), AXVM_EINVAL);
}

static void name_must_fit(void **state)
{
	char name[AXVM_VM_NAME_SIZE + 1];

	(void)state;
	memset(name, 'n', sizeof(name));
	c->name = name;
	name[AXVM_VM_NAME_SIZE] = '\0';
	refused(AXVM_ERANGE, "base.name", 0);
	name[AXVM_VM_NAME_SIZE - 1] = '\0';
	accepted();
}

static void unknown_vm_type_is_refused(void **state)
{
	(void)state;
	c->type = (enum axvm_vm_type)3;
	refused(AXVM_EINVAL, "base.vm_type", 0);
}

static void a_vm_has_1_to_64_vcpus(void **state)
{
	(void)state;
	c->cpu_num = 0;
	refused(AXVM_ERANGE, "base.cpu_num", 0);
	c->cpu_num = 65;
	refused(AXVM_ERANGE, "base.cpu_num", 0);
	c->cpu_num = 64;
	accepted();
	c->cpu_num = 1;
	accepted();
}

static void cpu_ids_are_none_or_one_per_vcpu(void **state)
{
	(void)state;
	c->phys_cpu_id_count = 1;
	refused(AXVM_EINVAL, "base.phys_cpu_ids", 0);
	c->phys_cpu_id_count = 3;
	refused(AXVM_EINVAL, "base.phys_cpu_ids", 0);
	c->phys_cpu_id_count = 2;
	accepted();
}

static void cpu_sets_are_none_or_one_per_vcpu(void **state)
{
	(void)state;
	s.phys_cpu_sets[0] = 1;
	c->phys_cpu_set_count = 1;
	refused(AXVM_EINVAL, "base.phys_cpu_sets", 0);
	c->phys_cpu_set_count = 2;
	refused(AXVM_EINVAL, "base.phys_cpu_sets", 1);
	s.phys_cpu_sets[1] = UINT64_MAX;
	accepted();
}

static void counts_beyond_the_bounds_are_refused(void **state)
{
	(void)state;
	c->phys_cpu_id_count = AXVM_MAX_VCPUS + 1;
	refused(AXVM_ERANGE, "base.phys_cpu_ids", AXVM_MAX_VCPUS);
	setup(state);
	c->phys_cpu_set_count = UINT32_MAX;
	refused(AXVM_ERANGE, "base.phys_cpu_sets", AXVM_MAX_VCPUS);
	setup(state);
	c->region_count = AXVM_CONFIG_MAX_REGIONS + 1;
	refused(AXVM_ERANGE, "kernel.memory_regions", AXVM_CONFIG_MAX_REGIONS);
	setup(state);
	c->emu_device_count = AXVM_CONFIG_MAX_DEVICES + 1;
	refused(AXVM_ERANGE, "devices.emu_devices", AXVM_CONFIG_MAX_DEVICES);
	setup(state);
	c->passthrough_count = AXVM_CONFIG_MAX_PASSTHROUGH + 1;
	refused(AXVM_ERANGE, "devices.passthrough_devices",
		AXVM_CONFIG_MAX_PASSTHROUGH);
	setup(state);
	c->passthrough_address_count = AXVM_CONFIG_MAX_PASSTHROUGH + 1;
	refused(AXVM_ERANGE, "devices.passthrough_addresses",
		AXVM_CONFIG_MAX_PASSTHROUGH);
	setup(state);
	c->passthrough_port_count = AXVM_CONFIG_MAX_PORTS + 1;
	refused(AXVM_ERANGE, "devices.passthrough_ports",
		AXVM_CONFIG_MAX_PORTS);
	setup(state);
	c->excluded_device_count = AXVM_CONFIG_MAX_DEVICES + 1;
	refused(AXVM_ERANGE, "devices.excluded_devices",
		AXVM_CONFIG_MAX_DEVICES);
}

static void count_without_array_is_refused(void **state)
{
	(void)state;
	c->regions = NULL;
	refused(AXVM_EINVAL, "kernel.memory_regions", 0);
	c->region_count = 0;
	accepted();
}

static void unknown_modes_are_refused(void **state)
{
	(void)state;
	c->interrupt_mode = (enum axvm_interrupt_mode)3;
	refused(AXVM_EINVAL, "devices.interrupt_mode", 0);
	c->interrupt_mode = AXVM_INTERRUPTS_PASSTHROUGH;
	accepted();
	c->address_space_policy = (enum axvm_address_space_policy)2;
	refused(AXVM_EINVAL, "devices.address_space_policy", 0);
}

static void address_space_passthrough_is_refused_by_name(void **state)
{
	(void)state;
	c->address_space_policy = AXVM_ADDRESS_SPACE_PASSTHROUGH;
	refused(AXVM_ENOTSUP, "devices.address_space_policy", 0);
}

static void images_in_a_file_system_are_refused_by_name(void **state)
{
	(void)state;
	c->kernel.image_location = AXVM_IMAGE_IN_FS;
	refused(AXVM_ENOTSUP, "kernel.image_location", 0);
	c->kernel.image_location = (enum axvm_image_location)2;
	refused(AXVM_EINVAL, "kernel.image_location", 0);
}

static void boot_without_bios_is_direct(void **state)
{
	(void)state;
	c->kernel.boot_protocol = AXVM_BOOT_MULTIBOOT;
	refused(AXVM_EINVAL, "kernel.boot_protocol", 0);
	c->kernel.boot_protocol = AXVM_BOOT_UEFI;
	refused(AXVM_EINVAL, "kernel.boot_protocol", 0);
	c->kernel.enable_bios = true;
	c->kernel.boot_protocol = AXVM_BOOT_MULTIBOOT;
	accepted();
	c->kernel.boot_protocol = AXVM_BOOT_DIRECT;
	accepted();
	c->kernel.boot_protocol = (enum axvm_boot_protocol)3;
	refused(AXVM_EINVAL, "kernel.boot_protocol", 0);
}

static void uefi_needs_a_firmware_and_its_address(void **state)
{
	(void)state;
	c->kernel.enable_bios = true;
	c->kernel.boot_protocol = AXVM_BOOT_UEFI;
	c->kernel.bios_gpa.value = 0x80000000;
	refused(AXVM_EINVAL, "kernel.uefi_firmware_path", 0);
	c->kernel.uefi_firmware_path = "fw.fd";
	accepted();
	c->kernel.bios_gpa.value = 0;
	refused(AXVM_EINVAL, "kernel.bios_load_addr", 0);
	c->kernel.bios_gpa.value = 0x90000000;
	refused(AXVM_EINVAL, "kernel.bios_load_addr", 0);
	c->region_count = 0;
	accepted();
}

static void direct_entry_lies_in_a_region(void **state)
{
	(void)state;
	c->kernel.entry.value = 0x8fffffff;
	accepted();
	c->kernel.entry.value = 0x90000000;
	refused(AXVM_EINVAL, "kernel.entry_point", 0);
	c->kernel.entry.value = 0x7fffffff;
	refused(AXVM_EINVAL, "kernel.entry_point", 0);
	c->kernel.entry.value = 0;
	accepted();
	c->kernel.entry.value = 1;
	c->region_count = 0;
	accepted();
	setup(state);
	c->kernel.entry.value = 1;
	c->kernel.enable_bios = true;
	c->kernel.boot_protocol = AXVM_BOOT_MULTIBOOT;
	accepted();
}

static void unaligned_region_is_refused(void **state)
{
	(void)state;
	add_region(0x1800, 0x1000);
	refused(AXVM_EINVAL, "kernel.memory_regions", 1);
	s.regions[1].gpa.value = 0x1000;
	s.regions[1].size = 0x1001;
	refused(AXVM_EINVAL, "kernel.memory_regions", 1);
}

static void empty_or_wrapping_region_is_refused(void **state)
{
	(void)state;
	add_region(0x1000, 0);
	refused(AXVM_EINVAL, "kernel.memory_regions", 1);
	s.regions[1].gpa.value = UINT64_MAX - 0xfff;
	s.regions[1].size = 0x2000;
	refused(AXVM_EINVAL, "kernel.memory_regions", 1);
	s.regions[1].size = 0x1000;
	accepted();
}

static void region_access_needs_read_and_known_bits(void **state)
{
	(void)state;
	s.regions[0].access = AXVM_WRITE;
	refused(AXVM_EINVAL, "kernel.memory_regions", 0);
	s.regions[0].access = 0;
	refused(AXVM_EINVAL, "kernel.memory_regions", 0);
	s.regions[0].access = AXVM_RWX | 8;
	refused(AXVM_EINVAL, "kernel.memory_regions", 0);
	s.regions[0].access = AXVM_READ;
	accepted();
}

static void unknown_kind_of_region_is_refused(void **state)
{
	(void)state;
	s.regions[0].kind = (enum axvm_region_kind)5;
	refused(AXVM_EINVAL, "kernel.memory_regions", 0);
	s.regions[0].kind = AXVM_REGION_DEMAND;
	accepted();
}

static void host_region_needs_a_whole_host_range(void **state)
{
	(void)state;
	s.regions[0].hpa.value = 0x100;
	accepted();
	s.regions[0].kind = AXVM_REGION_HOST;
	refused(AXVM_EINVAL, "kernel.memory_regions", 0);
	s.regions[0].hpa.value = UINT64_MAX - 0xfff;
	refused(AXVM_EINVAL, "kernel.memory_regions", 0);
	s.regions[0].hpa.value = 0x1000;
	accepted();
}

static void device_types_that_do_not_exist_are_refused_by_name(void **state)
{
	static const uint32_t types[] = {AXVM_EMU_VIRTIO_BLK,
					 AXVM_EMU_VIRTIO_NET,
					 AXVM_EMU_VIRTIO_CONSOLE,
					 AXVM_EMU_LOONGARCH_PCH_PIC,
					 AXVM_EMU_FW_CFG,
					 0x99,
					 0x100,
					 UINT32_MAX};

	(void)state;
	add_emu(AXVM_EMU_DUMMY, 0x1000, 0x1000);
	add_emu(0, 0x10000000, 0x1000);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		s.emu_devices[1].type = types[i];
		refused(AXVM_ENOTSUP, "devices.emu_devices", 1);
	}
}

static void device_types_that_exist_are_accepted(void **state)
{
	static const uint32_t types[] = {
		AXVM_EMU_DUMMY,	  AXVM_EMU_INTERRUPT_CONTROLLER,
		AXVM_EMU_CONSOLE, AXVM_EMU_IVC_POOL,
		AXVM_EMU_GICR,	  AXVM_EMU_GICD,
		AXVM_EMU_GITS,	  AXVM_EMU_X86_IOAPIC,
		AXVM_EMU_PLIC};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		add_emu(types[i], 0x10000000 + i * 0x1000, 0x1000)->name = NULL;
	add_emu(AXVM_EMU_X86_PIT, 0x40, 0x22);
	accepted();
}

static void empty_or_wrapping_device_is_refused(void **state)
{
	(void)state;
	add_emu(AXVM_EMU_CONSOLE, 0x10000000, 0);
	refused(AXVM_EINVAL, "devices.emu_devices", 0);
	s.emu_devices[0].size = UINT64_MAX;
	refused(AXVM_EINVAL, "devices.emu_devices", 0);
}

static void too_many_arguments_are_refused(void **state)
{
	(void)state;
	add_emu(AXVM_EMU_PLIC, 0x10000000, 0x1000)->arg_count = 9;
	refused(AXVM_ERANGE, "devices.emu_devices", 0);
	s.emu_devices[0].arg_count = 8;
	accepted();
}

static void ivc_pool_consists_of_pages(void **state)
{
	(void)state;
	add_emu(AXVM_EMU_IVC_POOL, 0x10000800, 0x1000);
	refused(AXVM_EINVAL, "devices.emu_devices", 0);
	s.emu_devices[0].gpa.value = 0x10000000;
	s.emu_devices[0].size = 0x1800;
	refused(AXVM_EINVAL, "devices.emu_devices", 0);
}

static void pit_and_low_consoles_are_on_ports(void **state)
{
	(void)state;
	assert_true(axvm_emu_device_uses_ports(
		add_emu(AXVM_EMU_CONSOLE, 0x3f8, 8)));
	assert_true(axvm_emu_device_uses_ports(
		add_emu(AXVM_EMU_X86_PIT, 0x40, 0x22)));
	assert_true(axvm_emu_device_uses_ports(
		add_emu(AXVM_EMU_CONSOLE, 0xfff8, 8)));
	assert_false(axvm_emu_device_uses_ports(
		add_emu(AXVM_EMU_CONSOLE, 0xfffc, 8)));
	assert_false(axvm_emu_device_uses_ports(
		add_emu(AXVM_EMU_CONSOLE, 0x10000, 8)));
	assert_false(
		axvm_emu_device_uses_ports(add_emu(AXVM_EMU_DUMMY, 0x100, 8)));
}

static void pit_beyond_the_ports_is_refused(void **state)
{
	(void)state;
	add_emu(AXVM_EMU_X86_PIT, 0xfff0, 0x22);
	refused(AXVM_ERANGE, "devices.emu_devices", 0);
}

static void port_windows_end_at_64_kib(void **state)
{
	(void)state;
	add_ports(0xfff0, 0x10);
	accepted();
	s.passthrough_ports[0].size = 0x11;
	refused(AXVM_ERANGE, "devices.passthrough_ports", 0);
	s.passthrough_ports[0].base = 0x10000;
	s.passthrough_ports[0].size = 1;
	refused(AXVM_ERANGE, "devices.passthrough_ports", 0);
	s.passthrough_ports[0].size = 0;
	refused(AXVM_EINVAL, "devices.passthrough_ports", 0);
}

static void path_without_device_tree_is_refused_by_name(void **state)
{
	(void)state;
	add_passthrough(0x10000000, 0x10000000, 0x1000);
	add_passthrough(0, 0, 0)->name = "/soc/serial";
	refused(AXVM_ENOTSUP, "devices.passthrough_devices", 1);
	s.passthrough[1].name = "serial";
	refused(AXVM_EINVAL, "devices.passthrough_devices", 1);
	s.passthrough[1].name = NULL;
	refused(AXVM_EINVAL, "devices.passthrough_devices", 1);
	/* A name may start with '/' when the addresses are given. */
	s.passthrough[1].name = "/named";
	s.passthrough[1].size = 0x1000;
	accepted();
}

static void wrapping_passthrough_is_refused(void **state)
{
	(void)state;
	add_passthrough(UINT64_MAX - 0xfff, 0x1000, 0x1001);
	refused(AXVM_EINVAL, "devices.passthrough_devices", 0);
	s.passthrough[0].gpa.value = 0x1000;
	s.passthrough[0].hpa.value = UINT64_MAX - 0xfff;
	refused(AXVM_EINVAL, "devices.passthrough_devices", 0);
	s.passthrough[0].size = 0x1000;
	accepted();
}

static void passthrough_keeps_the_offset_in_the_page(void **state)
{
	(void)state;
	add_passthrough(0x1100, 0x5000, 0x100);
	refused(AXVM_EINVAL, "devices.passthrough_devices", 0);
	s.passthrough[0].hpa.value = 0x5100;
	accepted();
}

static void passthrough_without_stated_dma_is_refused_by_policy(void **state)
{
	(void)state;
	add_passthrough(0x10000000, 0x10000000, 0x1000);
	add_passthrough(0x10001000, 0x10001000, 0x1000)->dma =
		AXVM_DMA_UNSPECIFIED;
	refused(AXVM_EPERM, "devices.passthrough_devices", 1);
	s.passthrough[1].dma = AXVM_DMA_TRUSTED;
	accepted();
	add_address(0x10002000, 0x1000)->dma = AXVM_DMA_UNSPECIFIED;
	refused(AXVM_EPERM, "devices.passthrough_addresses", 0);
	s.passthrough_addresses[0].dma = AXVM_DMA_NONE;
	add_ports(0x6000, 0x10)->dma = AXVM_DMA_UNSPECIFIED;
	refused(AXVM_EPERM, "devices.passthrough_ports", 0);
	s.passthrough_ports[0].dma = AXVM_DMA_TRUSTED;
	accepted();
}

static void unknown_dma_policy_is_refused(void **state)
{
	(void)state;
	add_passthrough(0x10000000, 0x10000000, 0x1000)->dma =
		(enum axvm_dma_policy)3;
	refused(AXVM_EINVAL, "devices.passthrough_devices", 0);
	s.passthrough[0].dma = AXVM_DMA_NONE;
	add_ports(0x6000, 0x10)->dma = (enum axvm_dma_policy)3;
	refused(AXVM_EINVAL, "devices.passthrough_ports", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(plain_configuration_is_accepted, setup),
		cmocka_unit_test_setup(configuration_of_another_size_is_refused,
				       setup),
		cmocka_unit_test_setup(name_must_fit, setup),
		cmocka_unit_test_setup(unknown_vm_type_is_refused, setup),
		cmocka_unit_test_setup(a_vm_has_1_to_64_vcpus, setup),
		cmocka_unit_test_setup(cpu_ids_are_none_or_one_per_vcpu, setup),
		cmocka_unit_test_setup(cpu_sets_are_none_or_one_per_vcpu,
				       setup),
		cmocka_unit_test_setup(counts_beyond_the_bounds_are_refused,
				       setup),
		cmocka_unit_test_setup(count_without_array_is_refused, setup),
		cmocka_unit_test_setup(unknown_modes_are_refused, setup),
		cmocka_unit_test_setup(
			address_space_passthrough_is_refused_by_name, setup),
		cmocka_unit_test_setup(
			images_in_a_file_system_are_refused_by_name, setup),
		cmocka_unit_test_setup(boot_without_bios_is_direct, setup),
		cmocka_unit_test_setup(uefi_needs_a_firmware_and_its_address,
				       setup),
		cmocka_unit_test_setup(direct_entry_lies_in_a_region, setup),
		cmocka_unit_test_setup(unaligned_region_is_refused, setup),
		cmocka_unit_test_setup(empty_or_wrapping_region_is_refused,
				       setup),
		cmocka_unit_test_setup(region_access_needs_read_and_known_bits,
				       setup),
		cmocka_unit_test_setup(unknown_kind_of_region_is_refused,
				       setup),
		cmocka_unit_test_setup(host_region_needs_a_whole_host_range,
				       setup),
		cmocka_unit_test_setup(
			device_types_that_do_not_exist_are_refused_by_name,
			setup),
		cmocka_unit_test_setup(device_types_that_exist_are_accepted,
				       setup),
		cmocka_unit_test_setup(empty_or_wrapping_device_is_refused,
				       setup),
		cmocka_unit_test_setup(too_many_arguments_are_refused, setup),
		cmocka_unit_test_setup(ivc_pool_consists_of_pages, setup),
		cmocka_unit_test_setup(pit_and_low_consoles_are_on_ports,
				       setup),
		cmocka_unit_test_setup(pit_beyond_the_ports_is_refused, setup),
		cmocka_unit_test_setup(port_windows_end_at_64_kib, setup),
		cmocka_unit_test_setup(
			path_without_device_tree_is_refused_by_name, setup),
		cmocka_unit_test_setup(wrapping_passthrough_is_refused, setup),
		cmocka_unit_test_setup(passthrough_keeps_the_offset_in_the_page,
				       setup),
		cmocka_unit_test_setup(
			passthrough_without_stated_dma_is_refused_by_policy,
			setup),
		cmocka_unit_test_setup(unknown_dma_policy_is_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
