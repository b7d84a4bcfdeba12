/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* axvm_config_check: ranges that collide, and ranges that just do not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config_test.h"

static void overlapping_regions_are_refused_with_both_owners(void **state)
{
	(void)state;
	add_region(0x1000, 0x1000);
	add_region(0x8ffff000, 0x2000);
	collides("kernel.memory_regions", 2, "kernel.memory_regions", 0);
	s.regions[2].gpa.value = 0x90000000;
	accepted();
}

static void ports_do_not_collide_with_memory(void **state)
{
	(void)state;
	add_region(0, 0x100000);
	add_emu(AXVM_EMU_CONSOLE, 0x3f8, 8);
	add_emu(AXVM_EMU_X86_PIT, 0x40, 0x22);
	add_ports(0x6000, 0x80);
	accepted();
}

static void ports_collide_with_ports(void **state)
{
	(void)state;
	add_emu(AXVM_EMU_X86_PIT, 0x40, 0x22);
	add_emu(AXVM_EMU_CONSOLE, 0x61, 8);
	collides("devices.emu_devices", 1, "devices.emu_devices", 0);
	s.emu_devices[1].gpa.value = 0x62;
	accepted();
	add_ports(0x100, 8);
	add_ports(0x69, 1);
	collides("devices.passthrough_ports", 1, "devices.emu_devices", 1);
	s.passthrough_ports[1].base = 0x107;
	collides("devices.passthrough_ports", 1, "devices.passthrough_ports",
		 0);
}

static void emulated_device_over_ram_is_refused_with_both_owners(void **state)
{
	(void)state;
	add_emu(AXVM_EMU_DUMMY, 0x7ffffff8, 8);
	accepted();
	s.emu_devices[0].size = 9;
	collides("devices.emu_devices", 0, "kernel.memory_regions", 0);
}

static void passthrough_window_is_rounded_to_whole_pages(void **state)
{
	(void)state;
	/* One byte into the page before RAM's, one byte into RAM's last. */
	add_passthrough(0x7ffff100, 0x7ffff100, 0xf00);
	accepted();
	s.passthrough[0].size = 0xf01;
	collides("devices.passthrough_devices", 0, "kernel.memory_regions", 0);
	s.passthrough[0].size = 0x100;
	add_emu(AXVM_EMU_DUMMY, 0x7ffff000, 8);
	collides("devices.passthrough_devices", 0, "devices.emu_devices", 0);
	s.emu_devices[0].gpa.value = 0x7ffffff8;
	collides("devices.passthrough_devices", 0, "devices.emu_devices", 0);
	s.emu_devices[0].gpa.value = 0x7fffeff8;
	accepted();
}

static void rounding_at_the_top_of_the_address_space_does_not_wrap(void **state)
{
	(void)state;
	add_passthrough(UINT64_MAX - 0xff, UINT64_MAX - 0xff, 0x100);
	accepted();
	add_passthrough(0, 0, 0x10);
	accepted();
	add_emu(AXVM_EMU_DUMMY, UINT64_MAX - 0xfff, 1);
	collides("devices.passthrough_devices", 0, "devices.emu_devices", 0);
}

static void address_windows_collide_like_devices(void **state)
{
	(void)state;
	add_passthrough(0x10000100, 0x20000100, 0x100);
	add_address(0x10000f00, 0x10);
	collides("devices.passthrough_addresses", 0,
		 "devices.passthrough_devices", 0);
	s.passthrough_addresses[0].base = 0x10001000;
	accepted();
	add_address(0x10001ff0, 0x10);
	collides("devices.passthrough_addresses", 1,
		 "devices.passthrough_addresses", 0);
	s.passthrough_addresses[1].size = 0;
	refused(AXVM_EINVAL, "devices.passthrough_addresses", 1);
}

static void two_windows_do_not_show_one_page_of_the_host(void **state)
{
	(void)state;
	add_passthrough(0x10000100, 0x20000100, 0x100);
	add_passthrough(0x10001800, 0x20000800, 0x100);
	collides("devices.passthrough_devices", 1,
		 "devices.passthrough_devices", 0);
	/* The first byte of the next page; the last of the page before. */
	s.passthrough[1].hpa.value = 0x20001800;
	accepted();
	s.passthrough[0].size = 0xf01;
	s.passthrough[1].gpa.value = 0x10002800;
	collides("devices.passthrough_devices", 1,
		 "devices.passthrough_devices", 0);
	s.passthrough[0].size = 0xf00;
	add_address(0x20001fff, 1);
	collides("devices.passthrough_addresses", 0,
		 "devices.passthrough_devices", 1);
	s.passthrough_addresses[0].base = 0x20002000;
	accepted();
}

static void a_window_does_not_show_memory_of_the_vm(void **state)
{
	struct axvm_region_config *r = add_region(0x90000000, 0x2000);

	(void)state;
	r->hpa.value = 0x20001000;
	add_passthrough(0x10000008, 0x20000008, 0x1000);
	accepted(); /* ALLOC: hpa means nothing */
	r->kind = AXVM_REGION_DEMAND;
	accepted();
	r->kind = AXVM_REGION_HOST;
	collides("devices.passthrough_devices", 0, "kernel.memory_regions", 1);
	s.passthrough[0].size = 0xff8;
	accepted();
	s.passthrough[0].hpa.value = 0x90001008;
	accepted();
	r->kind = AXVM_REGION_IDENTICAL;
	collides("devices.passthrough_devices", 0, "kernel.memory_regions", 1);
	r->kind = AXVM_REGION_RESERVED;
	collides("devices.passthrough_devices", 0, "kernel.memory_regions", 1);
}

static void one_region_of_the_host_may_be_seen_at_two_places(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 2; i++) {
		struct axvm_region_config *r =
			add_region(0x90000000 + i * 0x1000, 0x1000);

		r->kind = AXVM_REGION_HOST;
		r->hpa.value = 0x20000000;
	}
	accepted();
}

static void a_forwarded_interrupt_has_its_line_to_itself(void **state)
{
	(void)state;
	add_emu(AXVM_EMU_DUMMY, 0x10000000, 0x1000);
	add_emu(AXVM_EMU_CONSOLE, 0x10001000, 0x1000)->irq = 10;
	add_passthrough(0x10002000, 0x10002000, 0x1000);
	add_passthrough(0x10003000, 0x10003000, 0x1000)->irq = 9;
	accepted();
	s.passthrough[1].irq = 10;
	collides("devices.passthrough_devices", 1, "devices.emu_devices", 1);
	/* Devices passed through share theirs, as on the host. */
	s.passthrough[0].irq = 9;
	s.passthrough[1].irq = 9;
	accepted();
}

static void full_configuration_is_checked_whole(void **state)
{
	(void)state;
	c->region_count = 0;
	for (uint64_t i = 0; i < AXVM_CONFIG_MAX_REGIONS; i++)
		add_region(0x80000000 + i * 0x1000000, 0x1000000);
	for (uint64_t i = 0; i < AXVM_CONFIG_MAX_DEVICES; i++)
		add_emu(AXVM_EMU_DUMMY, 0x10000000 + i * 0x1000, 0x1000);
	for (uint64_t i = 0; i < AXVM_CONFIG_MAX_PASSTHROUGH; i++) {
		add_passthrough(0x20000000 + i * 0x1000,
				0x40000000 + i * 0x1000, 0x1000);
		add_address(0x30000000 + i * 0x1000, 0x1000);
	}
	for (uint64_t i = 0; i < AXVM_CONFIG_MAX_PORTS; i++)
		add_ports(i * 0x10, 0x10);
	accepted();
	s.passthrough_addresses[AXVM_CONFIG_MAX_PASSTHROUGH - 1].base =
		0x10000000;
	collides("devices.passthrough_addresses",
		 AXVM_CONFIG_MAX_PASSTHROUGH - 1, "devices.emu_devices", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			overlapping_regions_are_refused_with_both_owners,
			setup),
		cmocka_unit_test_setup(ports_do_not_collide_with_memory, setup),
		cmocka_unit_test_setup(ports_collide_with_ports, setup),
		cmocka_unit_test_setup(
			emulated_device_over_ram_is_refused_with_both_owners,
			setup),
		cmocka_unit_test_setup(
			passthrough_window_is_rounded_to_whole_pages, setup),
		cmocka_unit_test_setup(
			rounding_at_the_top_of_the_address_space_does_not_wrap,
			setup),
		cmocka_unit_test_setup(address_windows_collide_like_devices,
				       setup),
		cmocka_unit_test_setup(
			two_windows_do_not_show_one_page_of_the_host, setup),
		cmocka_unit_test_setup(a_window_does_not_show_memory_of_the_vm,
				       setup),
		cmocka_unit_test_setup(
			one_region_of_the_host_may_be_seen_at_two_places,
			setup),
		cmocka_unit_test_setup(
			a_forwarded_interrupt_has_its_line_to_itself, setup),
		cmocka_unit_test_setup(full_configuration_is_checked_whole,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
