/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* A configuration as a whole: defaults, tables, broken texts. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "toml_test.h"

static const char sample[] =
	"\xef\xbb\xbf# comment \xc3\xa9\r\n"
	"top.key = [1, 2.5, {a = 'b', c.d = [[]]}]\n"
	"[base]\nid = 0x1_0\nname = \"a\\u00e9\\n\"\nvm_type = 1\n"
	"cpu_num = 2\nphys_cpu_ids = [0, 0x100]\n"
	"when = 1979-05-27 07:32:00.5+01:00\n"
	"[kernel]\nentry_point = 0x8000_0000\nenable_bios = true\n"
	"boot_protocol = 'uefi'\ncmdline = \"\"\"\none \\\n  two\"\"\"\"\n"
	"memory_regions = [ # list\n [0x8000_0000, 0x10_0000, 0xf, 0],\n"
	" {gpa = 0, size = 4096, flags = 1, map_type = 2}, ]\n"
	"[devices]\nemu_devices = [['u', 1, 2, 3, 4, [5, 6,],]]\n"
	"excluded_devices = [['/a', '/b'], []]\n"
	"[[devices.passthrough_devices]]\nname = '/soc'\n"
	"dma = 'trusted'\n[other]\nx = -inf\n";

static void sample_is_read_completely(void **state)
{
	(void)state;
	accepts(sample);
	assert_int_equal(config->size, sizeof(*config));
	assert_int_equal(config->id, 16);
	assert_string_equal(config->name, "a\xc3\xa9\n");
	assert_int_equal(config->type, AXVM_VM_TYPE_RTOS);
	assert_int_equal(config->cpu_num, 2);
	assert_int_equal(config->phys_cpu_id_count, 2);
	assert_int_equal(config->phys_cpu_ids[1], 0x100);
	assert_int_equal(config->kernel.entry.value, 0x80000000);
	assert_true(config->kernel.enable_bios);
	assert_int_equal(config->kernel.boot_protocol, AXVM_BOOT_UEFI);
	assert_string_equal(config->kernel.cmdline, "one two\"");
	assert_int_equal(config->region_count, 2);
	assert_int_equal(config->regions[0].access, AXVM_RWX);
	assert_int_equal(config->regions[1].kind, AXVM_REGION_RESERVED);
	assert_int_equal(config->emu_device_count, 1);
	assert_string_equal(config->emu_devices[0].name, "u");
	assert_int_equal(config->emu_devices[0].type, 4);
	assert_int_equal(config->emu_devices[0].arg_count, 2);
	assert_int_equal(config->emu_devices[0].args[1], 6);
	assert_int_equal(config->excluded_device_count, 2);
	assert_string_equal(config->excluded_devices[1], "/b");
	assert_int_equal(config->passthrough_count, 1);
	assert_int_equal(config->passthrough[0].dma, AXVM_DMA_TRUSTED);
}

static void empty_text_gives_defaults(void **state)
{
	(void)state;
	accepts("");
	assert_null(config->name);
	assert_int_equal(config->cpu_num, 0);
	assert_int_equal(config->kernel.boot_protocol, AXVM_BOOT_DIRECT);
	assert_int_equal(config->interrupt_mode, AXVM_INTERRUPTS_NONE);
	accepts("\xef\xbb\xbf");
	accepts("# only a comment");
	accepts("\r\n\n \t\n");
}

static void missing_arguments_are_refused(void **state)
{
	(void)state;
	assert_int_equal(axvm_config_from_toml(NULL, 0, &storage, &error),
			 AXVM_EINVAL);
	assert_int_equal(error.line, 0);
	assert_int_equal(axvm_config_from_toml("", 0, NULL, NULL), AXVM_EINVAL);
}

static void text_longer_than_the_bound_is_refused(void **state)
{
	static char text[AXVM_CONFIG_MAX_TEXT + 1];

	(void)state;
	memset(text, '\n', sizeof(text));
	assert_int_equal(parse_bytes(text, sizeof(text)), AXVM_ERANGE);
	assert_int_equal(parse_bytes(text, sizeof(text) - 1), 0);
}

static void error_pointer_may_be_null(void **state)
{
	(void)state;
	assert_int_equal(axvm_config_from_toml("x", 1, &storage, NULL),
			 AXVM_ESYNTAX);
}

static void boot_protocol_defaults_by_enable_bios(void **state)
{
	(void)state;
	accepts("[kernel]\nenable_bios = true");
	assert_int_equal(config->kernel.boot_protocol, AXVM_BOOT_MULTIBOOT);
	accepts("[kernel]\nenable_bios = false");
	assert_int_equal(config->kernel.boot_protocol, AXVM_BOOT_DIRECT);
	accepts("[kernel]\nenable_bios = true\nboot_protocol = 'direct'");
	assert_int_equal(config->kernel.boot_protocol, AXVM_BOOT_DIRECT);
}

static void tables_may_be_inline(void **state)
{
	(void)state;
	accepts("base = { id = 3, x.y = 1, cpu_num = 2 }\nkernel = {}\n");
	assert_int_equal(config->id, 3);
	assert_int_equal(config->cpu_num, 2);
}

static void table_where_a_value_belongs_is_refused(void **state)
{
	(void)state;
	refuses("base = 1", AXVM_EINVAL, 1, 8);
	refuses("[base.id]", AXVM_EINVAL, 1, 7);
	refuses("[base.id.x]", AXVM_EINVAL, 1, 7);
	refuses("base.id.x = 1", AXVM_EINVAL, 1, 6);
	refuses("[[base]]", AXVM_EINVAL, 1, 3);
	refuses("[[base.id]]", AXVM_EINVAL, 1, 8);
	refuses("[kernel.memory_regions]", AXVM_EINVAL, 1, 9);
	refuses("[kernel.memory_regions.x]", AXVM_EINVAL, 1, 9);
	refuses("[devices]\nemu_devices.name = 1", AXVM_EINVAL, 2, 1);
	refuses("[[devices.emu_devices]]\nname.x = 1", AXVM_EINVAL, 2, 1);
	assert_string_equal(error.field, "devices.emu_devices");
}

static void table_twice_is_refused(void **state)
{
	(void)state;
	refuses("[base]\n[kernel]\n[base]", AXVM_ESYNTAX, 3, 2);
	refuses("base.id = 1\n[base]", AXVM_ESYNTAX, 2, 2);
	refuses("base.id = 1\nbase = {}", AXVM_ESYNTAX, 2, 1);
	refuses("base = {}\nbase.id = 1", AXVM_ESYNTAX, 2, 1);
	refuses("base = {}\nbase = {}", AXVM_ESYNTAX, 2, 1);
	refuses("base = {}\n[base]", AXVM_ESYNTAX, 2, 2);
	refuses("base = {}\n[base.x]", AXVM_ESYNTAX, 2, 2);
	refuses("devices = {}\n[[devices.emu_devices]]", AXVM_ESYNTAX, 2, 3);
	refuses("[devices]\nemu_devices = []\n[[devices.emu_devices]]",
		AXVM_ESYNTAX, 3, 11);
	accepts("[base.x]\n[base]\nid = 4");
	assert_int_equal(config->id, 4);
}

static void arrays_of_tables_fill_lists(void **state)
{
	(void)state;
	accepts("[[kernel.memory_regions]]\ngpa = 1\nsize = 2\nflags = 7\n"
		"map_type = 1\n[[kernel.memory_regions]]\nmap_type = 3\nhpa = "
		"9\n"
		"flags = 3\nsize = 4\ngpa = 5\n[kernel.memory_regions.sub]\n"
		"gpa = 77\n[kernel]\nentry_point = 6");
	assert_int_equal(config->region_count, 2);
	assert_int_equal(config->regions[0].gpa.value, 1);
	assert_int_equal(config->regions[1].gpa.value, 5);
	assert_int_equal(config->regions[1].hpa.value, 9);
	assert_int_equal(config->regions[1].kind, AXVM_REGION_HOST);
	assert_int_equal(config->kernel.entry.value, 6);
}

static void too_many_tables_of_an_array_are_refused(void **state)
{
	static char text[AXVM_CONFIG_MAX_PASSTHROUGH * 64];
	size_t length = 0;

	(void)state;
	for (unsigned i = 0; i <= AXVM_CONFIG_MAX_PASSTHROUGH; i++) {
		assert_int_equal(parse_bytes(text, length), 0);
		length += (size_t)snprintf(
			text + length, sizeof(text) - length,
			"[[devices.passthrough_devices]]\nname = 'x'\n");
	}
	assert_int_equal(parse_bytes(text, length), AXVM_ENOSPC);
	assert_int_equal(error.line, 2 * AXVM_CONFIG_MAX_PASSTHROUGH + 1);
	assert_int_equal(error.column, 11);
}

static void every_prefix_of_the_sample_ends_cleanly(void **state)
{
	struct axvm_config_error ignored;
	unsigned good = 0;

	(void)state;
	for (size_t length = 0; length < sizeof(sample); length++) {
		int ret = parse_bytes(sample, length);

		if (ret != 0) {
			assert_in_range(error.line, 1, 40);
			assert_in_range(error.column, 1, 80);
			continue;
		}
		good++;
		ret = axvm_config_check(config, &ignored);
		assert_true(ret <= 0);
	}
	assert_in_range(good, 20, 150);
}

static void every_mutated_byte_of_the_sample_ends_cleanly(void **state)
{
	static const char bytes[] = "\0\n\r\"'[]{}=.,#\\_0x-\x80\xff ";
	struct axvm_config_error ignored;
	char text[sizeof(sample)];

	(void)state;
	for (size_t i = 0; i < sizeof(sample) - 1; i++) {
		for (size_t j = 0; j < sizeof(bytes) - 1; j++) {
			int ret;

			memcpy(text, sample, sizeof(text));
			text[i] = bytes[j];
			ret = parse_bytes(text, sizeof(text) - 1);
			if (ret == 0)
				ret = axvm_config_check(config, &ignored);
			assert_in_range(-ret, 0, 14);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample_is_read_completely),
		cmocka_unit_test(empty_text_gives_defaults),
		cmocka_unit_test(missing_arguments_are_refused),
		cmocka_unit_test(text_longer_than_the_bound_is_refused),
		cmocka_unit_test(error_pointer_may_be_null),
		cmocka_unit_test(boot_protocol_defaults_by_enable_bios),
		cmocka_unit_test(tables_may_be_inline),
		cmocka_unit_test(table_where_a_value_belongs_is_refused),
		cmocka_unit_test(table_twice_is_refused),
		cmocka_unit_test(arrays_of_tables_fill_lists),
		cmocka_unit_test(too_many_tables_of_an_array_are_refused),
		cmocka_unit_test(every_prefix_of_the_sample_ends_cleanly),
		cmocka_unit_test(every_mutated_byte_of_the_sample_ends_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
