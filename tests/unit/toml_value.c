/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Values of known keys: types, words, bounds of lists and strings. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "toml_test.h"

/* "key = [element, element, ...]" with n elements. */
static int parse_list(const char *key, const char *element, unsigned n)
{
	size_t size = strlen(key) + 8 + n * (strlen(element) + 1);
	char *text = malloc(size);
	size_t length;
	int ret;

	assert_non_null(text);
	length = (size_t)snprintf(text, size, "%s = [", key);
	for (unsigned i = 0; i < n; i++)
		length += (size_t)snprintf(text + length, size - length, "%s,",
					   element);
	text[length++] = ']';
	ret = parse_bytes(text, length);
	free(text);
	return ret;
}

static void words_have_their_aliases(void **state)
{
	static const struct {
		const char *word;
		enum axvm_boot_protocol protocol;
	} boot[] = {
		{"direct", AXVM_BOOT_DIRECT},
		{"kernel", AXVM_BOOT_DIRECT},
		{"multiboot", AXVM_BOOT_MULTIBOOT},
		{"bios", AXVM_BOOT_MULTIBOOT},
		{"axvm-bios", AXVM_BOOT_MULTIBOOT},
		{"uefi", AXVM_BOOT_UEFI},
		{"efi", AXVM_BOOT_UEFI},
	};
	static const struct {
		const char *word;
		enum axvm_interrupt_mode mode;
	} modes[] = {
		{"no_irq", AXVM_INTERRUPTS_NONE},
		{"no", AXVM_INTERRUPTS_NONE},
		{"none", AXVM_INTERRUPTS_NONE},
		{"emu", AXVM_INTERRUPTS_EMULATED},
		{"emulated", AXVM_INTERRUPTS_EMULATED},
		{"passthrough", AXVM_INTERRUPTS_PASSTHROUGH},
		{"pt", AXVM_INTERRUPTS_PASSTHROUGH},
	};
	char text[80];

	(void)state;
	for (size_t i = 0; i < sizeof(boot) / sizeof(boot[0]); i++) {
		snprintf(text, sizeof(text), "kernel.boot_protocol = '%s'",
			 boot[i].word);
		accepts(text);
		assert_int_equal(config->kernel.boot_protocol,
				 boot[i].protocol);
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		snprintf(text, sizeof(text), "devices.interrupt_mode = '%s'",
			 modes[i].word);
		accepts(text);
		assert_int_equal(config->interrupt_mode, modes[i].mode);
	}
	accepts("devices.address_space_policy = 'virtual'");
	assert_int_equal(config->address_space_policy,
			 AXVM_ADDRESS_SPACE_VIRTUALIZED);
	accepts("devices.address_space_policy = 'pt'");
	assert_int_equal(config->address_space_policy,
			 AXVM_ADDRESS_SPACE_PASSTHROUGH);
}

static void unknown_words_are_refused(void **state)
{
	(void)state;
	refuses("[kernel]\nboot_protocol = 'grub'", AXVM_EINVAL, 2, 17);
	assert_string_equal(error.field, "kernel.boot_protocol");
	refuses("kernel.image_location = 'f'", AXVM_EINVAL, 1, 25);
	refuses("kernel.image_location = 'fsx'", AXVM_EINVAL, 1, 25);
	refuses("kernel.image_location = ''", AXVM_EINVAL, 1, 25);
	refuses("devices.interrupt_mode = 'PT'", AXVM_EINVAL, 1, 26);
	refuses("devices.interrupt_mode = 'a very long word indeed'",
		AXVM_EINVAL, 1, 26);
}

static void integers_beyond_32_bits_are_refused_where_32_fit(void **state)
{
	(void)state;
	accepts("base.cpu_num = 0xffff_ffff");
	assert_int_equal(config->cpu_num, UINT32_MAX);
	refuses("base.cpu_num = 0x1_0000_0000", AXVM_ERANGE, 1, 16);
	assert_string_equal(error.field, "base.cpu_num");
}

static void nul_inside_a_string_is_refused(void **state)
{
	(void)state;
	refuses("base.name = \"a\\u0000b\"", AXVM_EINVAL, 1, 13);
	accepts("other = \"a\\u0000b\"");
}

static void known_key_of_another_type_is_refused(void **state)
{
	(void)state;
	refuses("base.id = 'one'", AXVM_EINVAL, 1, 11);
	refuses("base.id = 1.0", AXVM_EINVAL, 1, 11);
	refuses("base.id = [1]", AXVM_EINVAL, 1, 11);
	refuses("base.id = 1979-05-27", AXVM_EINVAL, 1, 11);
	refuses("base.cpu_num = true", AXVM_EINVAL, 1, 16);
	refuses("base.name = 1", AXVM_EINVAL, 1, 13);
	refuses("base.phys_cpu_ids = 1", AXVM_EINVAL, 1, 21);
	refuses("base.phys_cpu_ids = [0, '1']", AXVM_EINVAL, 1, 25);
	assert_int_equal(error.index, 1);
	refuses("kernel.enable_bios = 1", AXVM_EINVAL, 1, 22);
	refuses("kernel.boot_protocol = 1", AXVM_EINVAL, 1, 24);
	refuses("kernel.memory_regions = {}", AXVM_EINVAL, 1, 25);
	refuses("kernel.memory_regions = [1]", AXVM_EINVAL, 1, 26);
	refuses("devices.excluded_devices = ['a']", AXVM_EINVAL, 1, 29);
	refuses("devices.excluded_devices = 'a'", AXVM_EINVAL, 1, 28);
	refuses("devices.excluded_devices = [[1]]", AXVM_EINVAL, 1, 30);
	refuses("kernel.memory_regions = [[1, 2, 'rwx', 0]]", AXVM_EINVAL, 1,
		33);
}

static void known_key_twice_is_refused(void **state)
{
	(void)state;
	refuses("[base]\nid = 1\nname = 'a'\nid = 2", AXVM_ESYNTAX, 4, 1);
	assert_string_equal(error.field, "base.id");
	refuses("base.id = 1\nbase.'id' = 2", AXVM_ESYNTAX, 2, 6);
	refuses("base = {id = 1, id = 2}", AXVM_ESYNTAX, 1, 17);
	refuses("kernel.memory_regions = []\nkernel.memory_regions = []",
		AXVM_ESYNTAX, 2, 8);
	refuses("devices.emu_devices = [{name = 'a', name = 'b'}]",
		AXVM_ESYNTAX, 1, 37);
	refuses("[[devices.emu_devices]]\nname = 'a'\nname = 'b'", AXVM_ESYNTAX,
		3, 1);
}

static void incomplete_structs_are_refused(void **state)
{
	(void)state;
	refuses("kernel.memory_regions = [[1, 1, 1, 1], [1, 2, 3]]",
		AXVM_EINVAL, 1, 40);
	assert_int_equal(error.index, 1);
	assert_string_equal(error.field, "kernel.memory_regions");
	refuses("devices.emu_devices = [['a', 1, 2, 3]]", AXVM_EINVAL, 1, 24);
	refuses("devices.passthrough_devices = [[]]", AXVM_EINVAL, 1, 32);
	refuses("devices.passthrough_devices = [{length = 5}]", AXVM_EINVAL, 1,
		32);
	refuses("devices.passthrough_ports = [[1]]", AXVM_EINVAL, 1, 30);
	refuses("devices.passthrough_addresses = [{base_gpa = 1}]", AXVM_EINVAL,
		1, 34);
	refuses("[[devices.emu_devices]]\nname = 'a'\n\n[kernel]\n",
		AXVM_EINVAL, 1, 11);
	refuses("\n[[devices.emu_devices]]", AXVM_EINVAL, 2, 11);
}

static void structs_with_too_many_elements_are_refused(void **state)
{
	(void)state;
	refuses("devices.passthrough_ports = [[1, 2, 'none', 4]]", AXVM_EINVAL,
		1, 45);
	refuses("kernel.memory_regions = [[1, 1, 1, 1, 1, 1]]", AXVM_EINVAL, 1,
		42);
}

static void trailing_elements_of_passthrough_default_to_zero(void **state)
{
	(void)state;
	accepts("devices.passthrough_devices = [['/'], ['a', 1, 2]]");
	assert_int_equal(config->passthrough_count, 2);
	assert_string_equal(config->passthrough[0].name, "/");
	assert_int_equal(config->passthrough[0].size, 0);
	assert_int_equal(config->passthrough[1].hpa.value, 2);
	assert_int_equal(config->passthrough[1].irq, 0);
}

static void dma_is_read_in_both_forms(void **state)
{
	(void)state;
	accepts("[devices]\npassthrough_devices = [['a', 1, 2, 3, 4, 'none'],"
		"{name = 'b', dma = 'trusted'}, ['c']]\n"
		"passthrough_addresses = [[1, 2], [1, 2, 'trusted']]\n"
		"passthrough_ports = [[1, 2, 'none'], {base = 1, length = 2}]");
	assert_int_equal(config->passthrough[0].dma, AXVM_DMA_NONE);
	assert_int_equal(config->passthrough[1].dma, AXVM_DMA_TRUSTED);
	assert_int_equal(config->passthrough[2].dma, AXVM_DMA_UNSPECIFIED);
	assert_int_equal(config->passthrough_addresses[0].dma,
			 AXVM_DMA_UNSPECIFIED);
	assert_int_equal(config->passthrough_addresses[1].dma,
			 AXVM_DMA_TRUSTED);
	assert_int_equal(config->passthrough_ports[0].dma, AXVM_DMA_NONE);
	assert_int_equal(config->passthrough_ports[1].dma,
			 AXVM_DMA_UNSPECIFIED);
	refuses("devices.passthrough_devices = [['a',1,2,3,4,'maybe']]",
		AXVM_EINVAL, 1, 45);
}

static void foreign_flags_of_regions_are_dropped(void **state)
{
	(void)state;
	accepts("kernel.memory_regions = [[0, 1, 0xffff_ffff_ffff_fff9, 0]]");
	assert_int_equal(config->regions[0].access, AXVM_READ);
}

static void lists_hold_their_maximum_and_no_more(void **state)
{
	static const struct {
		const char *key;
		const char *element;
		unsigned max;
	} lists[] = {
		{"base.phys_cpu_ids", "1", AXVM_MAX_VCPUS},
		{"base.phys_cpu_sets", "1", AXVM_MAX_VCPUS},
		{"kernel.memory_regions", "[1,1,1,1]", AXVM_CONFIG_MAX_REGIONS},
		{"devices.emu_devices", "['a',1,1,1,1]",
		 AXVM_CONFIG_MAX_DEVICES},
		{"devices.passthrough_devices", "['a']",
		 AXVM_CONFIG_MAX_PASSTHROUGH},
		{"devices.passthrough_addresses", "[1,1]",
		 AXVM_CONFIG_MAX_PASSTHROUGH},
		{"devices.passthrough_ports", "[1,1]", AXVM_CONFIG_MAX_PORTS},
		{"devices.excluded_devices", "['a']", AXVM_CONFIG_MAX_DEVICES},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		assert_int_equal(parse_list(lists[i].key, lists[i].element,
					    lists[i].max),
				 0);
		assert_int_equal(parse_list(lists[i].key, lists[i].element,
					    lists[i].max + 1),
				 AXVM_ENOSPC);
		assert_string_equal(error.field, lists[i].key);
		assert_int_equal(error.index, lists[i].max);
	}
}

static void too_many_device_arguments_are_refused(void **state)
{
	(void)state;
	accepts("devices.emu_devices = [['a',1,1,1,1,[1,2,3,4,5,6,7,8]]]");
	assert_int_equal(config->emu_devices[0].arg_count, 8);
	refuses("devices.emu_devices = [['a',1,1,1,1,[1,2,3,4,5,6,7,8,9]]]",
		AXVM_ENOSPC, 1, 54);
}

static void strings_fill_the_storage_and_no_more(void **state)
{
	static char text[sizeof(storage.strings) + 40];
	size_t room = sizeof(storage.strings);

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		size_t length =
			(size_t)snprintf(text, sizeof(text), "base.name = '");

		memset(text + length, 'x', room - 1 + over);
		length += room - 1 + over;
		text[length++] = '\'';
		assert_int_equal(parse_bytes(text, length),
				 over ? AXVM_ENOSPC : 0);
		if (over == 0)
			assert_int_equal(strlen(config->name), room - 1);
		text[length++] = '\n';
		length += (size_t)snprintf(text + length, sizeof(text) - length,
					   "base.id=''");
		if (over == 0)
			assert_int_equal(parse_bytes(text, length),
					 AXVM_EINVAL);
	}
	assert_int_equal(error.column, 13);
}

static void no_string_fits_behind_a_full_storage(void **state)
{
	static char text[sizeof(storage.strings) + 80];
	size_t length = (size_t)snprintf(text, sizeof(text), "base.name = '");

	(void)state;
	memset(text + length, 'x', sizeof(storage.strings) - 1);
	length += sizeof(storage.strings) - 1;
	length += (size_t)snprintf(text + length, sizeof(text) - length,
				   "'\nkernel.cmdline = ''");
	assert_int_equal(parse_bytes(text, length), AXVM_ENOSPC);
	assert_int_equal(error.line, 2);
	assert_int_equal(error.column, 18);
	assert_string_equal(error.field, "kernel.cmdline");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_have_their_aliases),
		cmocka_unit_test(unknown_words_are_refused),
		cmocka_unit_test(
			integers_beyond_32_bits_are_refused_where_32_fit),
		cmocka_unit_test(nul_inside_a_string_is_refused),
		cmocka_unit_test(known_key_of_another_type_is_refused),
		cmocka_unit_test(known_key_twice_is_refused),
		cmocka_unit_test(incomplete_structs_are_refused),
		cmocka_unit_test(structs_with_too_many_elements_are_refused),
		cmocka_unit_test(
			trailing_elements_of_passthrough_default_to_zero),
		cmocka_unit_test(dma_is_read_in_both_forms),
		cmocka_unit_test(foreign_flags_of_regions_are_dropped),
		cmocka_unit_test(lists_hold_their_maximum_and_no_more),
		cmocka_unit_test(too_many_device_arguments_are_refused),
		cmocka_unit_test(strings_fill_the_storage_and_no_more),
		cmocka_unit_test(no_string_fits_behind_a_full_storage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
