/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The library's own copy of a VM configuration: one block that holds the arrays
 * and strings of what the host passed to axvm_create(). Read-only afterwards.
 */
#include "internal.h"

/* Arrays behind the header are 8-byte aligned. */
struct axvmi_config_copy {
	size_t size; /* of the whole block */
};

/* Where the next piece goes; without a block it only measures. */
struct packer {
	uint8_t *block;
	size_t used;
};

static const void *pack(struct packer *p, const void *data, size_t size)
{
	void *to = NULL;

	if (p->block != NULL && size != 0) {
		to = p->block + p->used;
		memcpy(to, data, size);
	}
	p->used += (size + 7) & ~(size_t)7;
	return to;
}

static const char *pack_string(struct packer *p, const char *text)
{
	size_t length = 0;

	if (text == NULL)
		return NULL;
	while (text[length] != '\0')
		length++;
	return pack(p, text, length + 1);
}

static void pack_kernel(struct packer *p, struct axvm_kernel_config *kernel)
{
	kernel->kernel_path = pack_string(p, kernel->kernel_path);
	kernel->bios_path = pack_string(p, kernel->bios_path);
	kernel->uefi_firmware_path = pack_string(p, kernel->uefi_firmware_path);
	kernel->dtb_path = pack_string(p, kernel->dtb_path);
	kernel->ramdisk_path = pack_string(p, kernel->ramdisk_path);
	kernel->disk_path = pack_string(p, kernel->disk_path);
	kernel->cmdline = pack_string(p, kernel->cmdline);
}

static void pack_emu_devices(struct packer *p, struct axvm_vm_config *c)
{
	const struct axvm_emu_device_config *from = c->emu_devices;
	struct axvm_emu_device_config *to = NULL;
	size_t size = c->emu_device_count * sizeof(*from);

	if (p->block != NULL)
		to = (void *)(p->block + p->used);
	c->emu_devices = pack(p, from, size);
	for (uint32_t i = 0; i < c->emu_device_count; i++) {
		const char *name = pack_string(p, from[i].name);

		if (to != NULL)
			to[i].name = name;
	}
}

static void pack_passthrough(struct packer *p, struct axvm_vm_config *c)
{
	const struct axvm_passthrough_config *from = c->passthrough;
	struct axvm_passthrough_config *to = NULL;
	size_t size = c->passthrough_count * sizeof(*from);

	if (p->block != NULL)
		to = (void *)(p->block + p->used);
	c->passthrough = pack(p, from, size);
	for (uint32_t i = 0; i < c->passthrough_count; i++) {
		const char *name = pack_string(p, from[i].name);

		if (to != NULL)
			to[i].name = name;
	}
}

static void pack_excluded(struct packer *p, struct axvm_vm_config *c)
{
	const char *const *from = c->excluded_devices;
	const char **to = NULL;
	size_t size = c->excluded_device_count * sizeof(*from);

	if (p->block != NULL)
		to = (void *)(p->block + p->used);
	c->excluded_devices = pack(p, from, size);
	for (uint32_t i = 0; i < c->excluded_device_count; i++) {
		const char *name = pack_string(p, from[i]);

		if (to != NULL)
			to[i] = name;
	}
}

/* Turns every pointer of *c into one into the block, or measures. */
static void pack_all(struct packer *p, struct axvm_vm_config *c)
{
	c->name = pack_string(p, c->name);
	pack_kernel(p, &c->kernel);
	c->phys_cpu_ids = pack(p, c->phys_cpu_ids,
			       c->phys_cpu_id_count * sizeof(uint64_t));
	c->phys_cpu_sets = pack(p, c->phys_cpu_sets,
				c->phys_cpu_set_count * sizeof(uint64_t));
	c->regions = pack(p, c->regions, c->region_count * sizeof(*c->regions));
	pack_emu_devices(p, c);
	pack_passthrough(p, c);
	c->passthrough_addresses =
		pack(p, c->passthrough_addresses,
		     c->passthrough_address_count *
			     sizeof(struct axvm_range_config));
	c->passthrough_ports = pack(p, c->passthrough_ports,
				    c->passthrough_port_count *
					    sizeof(struct axvm_range_config));
	pack_excluded(p, c);
}

int axvmi_config_copy(struct axvm_vm *vm, const struct axvm_vm_config *config)
{
	struct packer p = {.used = sizeof(struct axvmi_config_copy)};
	struct axvm_vm_config copy = *config;
	struct axvmi_config_copy *block;

	pack_all(&p, &copy);
	block = axvmi_alloc_zeroed(vm->host, p.used, 64);
	if (block == NULL)
		return AXVM_ENOMEM;
	block->size = p.used;
	p.block = (uint8_t *)block;
	p.used = sizeof(*block);
	vm->config = *config;
	pack_all(&p, &vm->config);
	AXVMI_ASSERT(p.used == block->size);
	vm->config_copy = block;
	return AXVM_OK;
}

void axvmi_config_free(struct axvm_vm *vm)
{
	if (vm->config_copy != NULL)
		axvmi_free(vm->host, vm->config_copy, vm->config_copy->size);
	vm->config_copy = NULL;
}
