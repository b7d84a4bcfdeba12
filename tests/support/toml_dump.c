/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Reads a VM configuration in TOML and prints what the library made of it as
 * JSON, for tests/abi/compare_configs.py. Exit status 1 if it does not parse.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "axvm/config.h"
#include "axvm/error.h"

static void print_string(const char *s)
{
	if (!s) {
		printf("null");
		return;
	}
	putchar('"');
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\' || c < 0x20)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void key(const char *name)
{
	print_string(name);
	printf(": ");
}

static void number(const char *name, uint64_t value)
{
	key(name);
	printf("%" PRIu64 ",\n", value);
}

static void string(const char *name, const char *value)
{
	key(name);
	print_string(value);
	printf(",\n");
}

static void numbers(const char *name, const uint64_t *values, uint32_t count)
{
	if (name)
		key(name);
	putchar('[');
	for (uint32_t i = 0; i < count; i++)
		printf("%s%" PRIu64, i == 0 ? "" : ", ", values[i]);
	printf(name ? "],\n" : "]");
}

static void print_base(const struct axvm_vm_config *c)
{
	printf("\"base\": {\n");
	number("id", c->id);
	string("name", c->name);
	number("vm_type", c->type);
	numbers("phys_cpu_ids", c->phys_cpu_ids, c->phys_cpu_id_count);
	numbers("phys_cpu_sets", c->phys_cpu_sets, c->phys_cpu_set_count);
	printf("\"cpu_num\": %" PRIu32 "\n},\n", c->cpu_num);
}

static void print_kernel(const struct axvm_vm_config *c)
{
	const struct axvm_kernel_config *k = &c->kernel;

	printf("\"kernel\": {\n");
	number("entry_point", k->entry.value);
	string("kernel_path", k->kernel_path);
	number("kernel_load_addr", k->kernel_gpa.value);
	number("boot_protocol", k->boot_protocol);
	string("bios_path", k->bios_path);
	string("uefi_firmware_path", k->uefi_firmware_path);
	number("bios_load_addr", k->bios_gpa.value);
	string("dtb_path", k->dtb_path);
	number("dtb_load_addr", k->dtb_gpa.value);
	string("ramdisk_path", k->ramdisk_path);
	number("ramdisk_load_addr", k->ramdisk_gpa.value);
	number("image_location", k->image_location);
	string("cmdline", k->cmdline);
	string("disk_path", k->disk_path);
	printf("\"memory_regions\": [");
	for (uint32_t i = 0; i < c->region_count; i++) {
		const struct axvm_region_config *r = &c->regions[i];
		const uint64_t row[] = {r->gpa.value, r->size, r->access,
					r->kind, r->hpa.value};

		printf(i == 0 ? "" : ", ");
		numbers(NULL, row, 5);
	}
	printf("],\n\"enable_bios\": %s\n},\n",
	       k->enable_bios ? "true" : "false");
}

static void print_ranges(const char *name,
			 const struct axvm_range_config *ranges, uint32_t count)
{
	key(name);
	putchar('[');
	for (uint32_t i = 0; i < count; i++) {
		const uint64_t row[] = {ranges[i].base, ranges[i].size,
					ranges[i].dma};

		printf(i == 0 ? "" : ", ");
		numbers(NULL, row, 3);
	}
	printf("],\n");
}

static void print_emu_devices(const struct axvm_vm_config *c)
{
	printf("\"emu_devices\": [");
	for (uint32_t i = 0; i < c->emu_device_count; i++) {
		const struct axvm_emu_device_config *d = &c->emu_devices[i];

		printf(i == 0 ? "[" : ", [");
		print_string(d->name);
		printf(", %" PRIu64 ", %" PRIu64 ", %" PRIu32 ", %" PRIu32 ", ",
		       d->gpa.value, d->size, d->irq, d->type);
		numbers(NULL, d->args, d->arg_count);
		putchar(']');
	}
	printf("],\n");
}

static void print_passthrough(const struct axvm_vm_config *c)
{
	printf("\"passthrough_devices\": [");
	for (uint32_t i = 0; i < c->passthrough_count; i++) {
		const struct axvm_passthrough_config *p = &c->passthrough[i];

		printf(i == 0 ? "[" : ", [");
		print_string(p->name);
		printf(", %" PRIu64 ", %" PRIu64 ", %" PRIu64 ", %" PRIu32
		       ", %d]",
		       p->gpa.value, p->hpa.value, p->size, p->irq,
		       (int)p->dma);
	}
	printf("],\n");
}

static void print_devices(const struct axvm_vm_config *c)
{
	printf("\"devices\": {\n");
	print_emu_devices(c);
	print_passthrough(c);
	print_ranges("passthrough_addresses", c->passthrough_addresses,
		     c->passthrough_address_count);
	print_ranges("passthrough_ports", c->passthrough_ports,
		     c->passthrough_port_count);
	printf("\"excluded_devices\": [");
	for (uint32_t i = 0; i < c->excluded_device_count; i++) {
		printf(i == 0 ? "" : ", ");
		print_string(c->excluded_devices[i]);
	}
	printf("],\n");
	number("interrupt_mode", c->interrupt_mode);
	printf("\"address_space_policy\": %d\n},\n",
	       (int)c->address_space_policy);
}

static void print_check(const struct axvm_vm_config *c)
{
	struct axvm_config_error error = {.field = ""};
	int ret = axvm_config_check(c, &error);

	printf("\"check\": {\n");
	string("error", axvm_error_name(ret));
	string("field", error.field);
	number("index", error.index);
	string("other_field", error.other_field);
	number("other_index", error.other_index);
	key("reason");
	print_string(error.reason);
	printf("\n}\n");
}

int main(int argc, char **argv)
{
	static struct axvm_config_storage storage;
	static char text[AXVM_CONFIG_MAX_TEXT + 1];
	struct axvm_config_error error;
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	size_t length;
	int ret;

	if (!file) {
		fprintf(stderr, "usage: toml_dump FILE\n");
		return 2;
	}
	length = fread(text, 1, sizeof(text), file);
	fclose(file);
	ret = axvm_config_from_toml(text, length, &storage, &error);
	if (ret != 0) {
		fprintf(stderr, "%s:%" PRIu32 ":%" PRIu32 ": %s: %s (%s)\n",
			argv[1], error.line, error.column, error.field,
			error.reason, axvm_error_name(ret));
		return 1;
	}
	printf("{\n");
	print_base(&storage.config);
	print_kernel(&storage.config);
	print_devices(&storage.config);
	print_check(&storage.config);
	printf("}\n");
	return 0;
}
