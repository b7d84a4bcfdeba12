/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The family's VM configuration keys, their words and where each value goes.
 * Constant tables, read by toml_vm.c. The fields of a list's struct stand in
 * the order in which the family writes them as an array.
 */
#include "axvm/config.h"
#include "bits.h"
#include "toml_keys.h"

#define IN_REGION(m) offsetof(struct axvm_region_config, m)
#define IN_EMU(m) offsetof(struct axvm_emu_device_config, m)
#define IN_PASSTHROUGH(m) offsetof(struct axvm_passthrough_config, m)
#define IN_RANGE(m) offsetof(struct axvm_range_config, m)
#define IN_STORAGE(m) offsetof(struct axvm_config_storage, m)
#define IN_CONFIG(m) offsetof(struct axvm_config_storage, config.m)

#define ENTRY_SCHEMA(fields_, required_)                                       \
	{                                                                      \
		.prefix = 0, .slot = TOML_ENTRY, .count = ARRAY_SIZE(fields_), \
		.required = (required_), .fields = (fields_)                   \
	}
#define TABLE_SCHEMA(prefix_, slot_, fields_)                   \
	{                                                       \
		.prefix = sizeof(prefix_) - 1, .slot = (slot_), \
		.count = ARRAY_SIZE(fields_), .required = 0,    \
		.fields = (fields_)                             \
	}
#define LIST(array_, count_, schema_)                                         \
	{                                                                     \
		.count_offset = IN_CONFIG(count_),                            \
		.array_offset = IN_STORAGE(array_),                           \
		.max = ARRAY_SIZE(((struct axvm_config_storage *)0)->array_), \
		.size = sizeof(((struct axvm_config_storage *)0)->array_[0]), \
		.schema = (schema_)                                           \
	}

/* Enums are stored through a uint32_t. */
_Static_assert(sizeof(enum axvm_boot_protocol) == sizeof(uint32_t),
	       "an enum is a 32-bit number");

/*
 * The family's words with all its aliases. Case matters, as in the family.
 */
static const struct toml_choice boot_protocols[] = {
	{"direct", AXVM_BOOT_DIRECT},
	{"kernel", AXVM_BOOT_DIRECT},
	{"multiboot", AXVM_BOOT_MULTIBOOT},
	{"bios", AXVM_BOOT_MULTIBOOT},
	{"axvm-bios", AXVM_BOOT_MULTIBOOT},
	{"uefi", AXVM_BOOT_UEFI},
	{"efi", AXVM_BOOT_UEFI},
	{NULL, 0},
};

static const struct toml_choice image_locations[] = {
	{"memory", AXVM_IMAGE_IN_MEMORY},
	{"fs", AXVM_IMAGE_IN_FS},
	{NULL, 0},
};

static const struct toml_choice interrupt_modes[] = {
	{"no_irq", AXVM_INTERRUPTS_NONE},
	{"no", AXVM_INTERRUPTS_NONE},
	{"none", AXVM_INTERRUPTS_NONE},
	{"emu", AXVM_INTERRUPTS_EMULATED},
	{"emulated", AXVM_INTERRUPTS_EMULATED},
	{"passthrough", AXVM_INTERRUPTS_PASSTHROUGH},
	{"pt", AXVM_INTERRUPTS_PASSTHROUGH},
	{NULL, 0},
};

static const struct toml_choice address_policies[] = {
	{"virtualized", AXVM_ADDRESS_SPACE_VIRTUALIZED},
	{"virtual", AXVM_ADDRESS_SPACE_VIRTUALIZED},
	{"passthrough", AXVM_ADDRESS_SPACE_PASSTHROUGH},
	{"pt", AXVM_ADDRESS_SPACE_PASSTHROUGH},
	{NULL, 0},
};

/* Ours: no word for "unspecified", which is the absence of the key. */
static const struct toml_choice dma_policies[] = {
	{"none", AXVM_DMA_NONE},
	{"trusted", AXVM_DMA_TRUSTED},
	{NULL, 0},
};

/*
 * `hpa` is ours, for map_type 3; the family always maps one to one or
 * allocates. A region must say what it may be used for, so four are required.
 */
static const struct toml_field region_fields[] = {
	{"gpa", TOML_U64, IN_REGION(gpa), NULL},
	{"size", TOML_U64, IN_REGION(size), NULL},
	{"flags", TOML_ACCESS, IN_REGION(access), NULL},
	{"map_type", TOML_U32, IN_REGION(kind), NULL},
	{"hpa", TOML_U64, IN_REGION(hpa), NULL},
};
static const struct toml_schema region_schema = ENTRY_SCHEMA(region_fields, 4);

/*
 * The arguments depend on the type: {cpus, stride, first CPU} of a GICR, {host
 * base} of an ITS, {contexts} of a PLIC. Their device judges them.
 */
static const struct toml_list args_list = {
	.count_offset = IN_EMU(arg_count),
	.array_offset = IN_EMU(args),
	.max = AXVM_CONFIG_MAX_DEVICE_ARGS,
	.size = sizeof(uint64_t),
	.schema = NULL,
};
static const struct toml_field emu_fields[] = {
	{"name", TOML_STRING, IN_EMU(name), NULL},
	{"base_gpa", TOML_U64, IN_EMU(gpa), NULL},
	{"length", TOML_U64, IN_EMU(size), NULL},
	{"irq_id", TOML_U32, IN_EMU(irq), NULL},
	{"emu_type", TOML_U32, IN_EMU(type), NULL},
	{"cfg_list", TOML_NUMBERS, 0, &args_list},
};
static const struct toml_schema emu_schema = ENTRY_SCHEMA(emu_fields, 5);

/* A name alone is a device-tree path. `dma` is ours, here and below. */
static const struct toml_field passthrough_fields[] = {
	{"name", TOML_STRING, IN_PASSTHROUGH(name), NULL},
	{"base_gpa", TOML_U64, IN_PASSTHROUGH(gpa), NULL},
	{"base_hpa", TOML_U64, IN_PASSTHROUGH(hpa), NULL},
	{"length", TOML_U64, IN_PASSTHROUGH(size), NULL},
	{"irq_id", TOML_U32, IN_PASSTHROUGH(irq), NULL},
	{"dma", TOML_CHOICE, IN_PASSTHROUGH(dma), dma_policies},
};
static const struct toml_schema passthrough_schema =
	ENTRY_SCHEMA(passthrough_fields, 1);

static const struct toml_field address_fields[] = {
	{"base_gpa", TOML_U64, IN_RANGE(base), NULL},
	{"length", TOML_U64, IN_RANGE(size), NULL},
	{"dma", TOML_CHOICE, IN_RANGE(dma), dma_policies},
};
static const struct toml_schema address_schema =
	ENTRY_SCHEMA(address_fields, 2);

static const struct toml_field port_fields[] = {
	{"base", TOML_U64, IN_RANGE(base), NULL},
	{"length", TOML_U64, IN_RANGE(size), NULL},
	{"dma", TOML_CHOICE, IN_RANGE(dma), dma_policies},
};
static const struct toml_schema port_schema = ENTRY_SCHEMA(port_fields, 2);

/* Lists of the document: counts in the config, elements beside it. */
static const struct toml_list cpu_ids_list =
	LIST(phys_cpu_ids, phys_cpu_id_count, NULL);
static const struct toml_list cpu_sets_list =
	LIST(phys_cpu_sets, phys_cpu_set_count, NULL);
static const struct toml_list regions_list =
	LIST(regions, region_count, &region_schema);
static const struct toml_list emu_list =
	LIST(emu_devices, emu_device_count, &emu_schema);
static const struct toml_list passthrough_list =
	LIST(passthrough, passthrough_count, &passthrough_schema);
static const struct toml_list addresses_list =
	LIST(passthrough_addresses, passthrough_address_count, &address_schema);
static const struct toml_list ports_list =
	LIST(passthrough_ports, passthrough_port_count, &port_schema);
static const struct toml_list excluded_list =
	LIST(excluded_devices, excluded_device_count, NULL);

/* The tables. Their order is of no meaning; seen-bits number them. */
static const struct toml_field base_fields[] = {
	{"base.id", TOML_U64, IN_CONFIG(id), NULL},
	{"base.name", TOML_STRING, IN_CONFIG(name), NULL},
	{"base.vm_type", TOML_U32, IN_CONFIG(type), NULL},
	{"base.cpu_num", TOML_U32, IN_CONFIG(cpu_num), NULL},
	{"base.phys_cpu_ids", TOML_NUMBERS, 0, &cpu_ids_list},
	{"base.phys_cpu_sets", TOML_NUMBERS, 0, &cpu_sets_list},
};
static const struct toml_schema base_schema =
	TABLE_SCHEMA("base.", TOML_BASE, base_fields);

static const struct toml_field kernel_fields[] = {
	{"kernel.entry_point", TOML_U64, IN_CONFIG(kernel.entry), NULL},
	{"kernel.kernel_path", TOML_STRING, IN_CONFIG(kernel.kernel_path),
	 NULL},
	{"kernel.kernel_load_addr", TOML_U64, IN_CONFIG(kernel.kernel_gpa),
	 NULL},
	{"kernel.memory_regions", TOML_ENTRIES, 0, &regions_list},
	{"kernel.enable_bios", TOML_BOOL, IN_CONFIG(kernel.enable_bios), NULL},
	{"kernel.boot_protocol", TOML_CHOICE, IN_CONFIG(kernel.boot_protocol),
	 boot_protocols},
	{"kernel.bios_path", TOML_STRING, IN_CONFIG(kernel.bios_path), NULL},
	{"kernel.uefi_firmware_path", TOML_STRING,
	 IN_CONFIG(kernel.uefi_firmware_path), NULL},
	{"kernel.bios_load_addr", TOML_U64, IN_CONFIG(kernel.bios_gpa), NULL},
	{"kernel.dtb_path", TOML_STRING, IN_CONFIG(kernel.dtb_path), NULL},
	{"kernel.dtb_load_addr", TOML_U64, IN_CONFIG(kernel.dtb_gpa), NULL},
	{"kernel.ramdisk_path", TOML_STRING, IN_CONFIG(kernel.ramdisk_path),
	 NULL},
	{"kernel.ramdisk_load_addr", TOML_U64, IN_CONFIG(kernel.ramdisk_gpa),
	 NULL},
	{"kernel.image_location", TOML_CHOICE, IN_CONFIG(kernel.image_location),
	 image_locations},
	{"kernel.cmdline", TOML_STRING, IN_CONFIG(kernel.cmdline), NULL},
	{"kernel.disk_path", TOML_STRING, IN_CONFIG(kernel.disk_path), NULL},
};
static const struct toml_schema kernel_schema =
	TABLE_SCHEMA("kernel.", TOML_KERNEL, kernel_fields);

static const struct toml_field devices_fields[] = {
	{"devices.emu_devices", TOML_ENTRIES, 0, &emu_list},
	{"devices.passthrough_devices", TOML_ENTRIES, 0, &passthrough_list},
	{"devices.excluded_devices", TOML_STRINGS, 0, &excluded_list},
	{"devices.passthrough_addresses", TOML_ENTRIES, 0, &addresses_list},
	{"devices.passthrough_ports", TOML_ENTRIES, 0, &ports_list},
	{"devices.interrupt_mode", TOML_CHOICE, IN_CONFIG(interrupt_mode),
	 interrupt_modes},
	{"devices.address_space_policy", TOML_CHOICE,
	 IN_CONFIG(address_space_policy), address_policies},
};
static const struct toml_schema devices_schema =
	TABLE_SCHEMA("devices.", TOML_DEVICES, devices_fields);

/* All else at the top is somebody else's and skipped. */
static const struct toml_field root_fields[] = {
	{"base", TOML_TABLE, 0, &base_schema},
	{"kernel", TOML_TABLE, 0, &kernel_schema},
	{"devices", TOML_TABLE, 0, &devices_schema},
};
const struct toml_schema axvmi_toml_root =
	TABLE_SCHEMA("", TOML_ROOT, root_fields);
