/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Checks a VM configuration before anything is built from it. Reads the
 * caller's struct alone; no state, no lock. Called by axvm_create() and hosts.
 */
#include "axvm/error.h"
#include "bits.h"
#include "config_check.h"

/* x86 I/O ports (Intel SDM vol. 1, "I/O Port Addressing"). */
#define PORT_SPACE UINT64_C(0x10000)

/*
 * Every refusal passes here, so that a field is always named. Reasons are
 * static text: nothing is formatted, nobody frees.
 */
static int fail(struct axvm_config_error *error, int code, const char *field,
		uint32_t index, const char *reason)
{
	if (error) {
		*error = (struct axvm_config_error){
			.field = field,
			.index = index,
			.reason = reason,
		};
	}
	return code;
}

/*
 * The family's format has one address per device and no word for its bus. Its
 * x86 files put the first serial port at 0x3f8; no other machine we know has a
 * console's registers in the first 64 KiB of its address space.
 */
bool axvm_emu_device_uses_ports(const struct axvm_emu_device_config *device)
{
	if (device->type == AXVM_EMU_X86_PIT)
		return true;
	return device->type == AXVM_EMU_CONSOLE &&
	       range_contains(0, PORT_SPACE, device->gpa.value, device->size);
}

/* A count above the bound is refused before any element is looked at. */
static int check_list(struct axvm_config_error *error, const char *field,
		      const void *array, uint32_t count, uint32_t max)
{
	if (count > max)
		return fail(error, AXVM_ERANGE, field, max, "too many entries");
	if (count != 0 && !array)
		return fail(error, AXVM_EINVAL, field, 0,
			    "a count without an array");
	return 0;
}

static int check_lists(const struct axvm_vm_config *c,
		       struct axvm_config_error *error)
{
	const struct {
		const char *field;
		const void *array;
		uint32_t count;
		uint32_t max;
	} lists[] = {
		{FIELD_CPU_IDS, c->phys_cpu_ids, c->phys_cpu_id_count,
		 AXVM_MAX_VCPUS},
		{FIELD_CPU_SETS, c->phys_cpu_sets, c->phys_cpu_set_count,
		 AXVM_MAX_VCPUS},
		{FIELD_REGIONS, c->regions, c->region_count,
		 AXVM_CONFIG_MAX_REGIONS},
		{FIELD_EMU, c->emu_devices, c->emu_device_count,
		 AXVM_CONFIG_MAX_DEVICES},
		{FIELD_PASSTHROUGH, c->passthrough, c->passthrough_count,
		 AXVM_CONFIG_MAX_PASSTHROUGH},
		{FIELD_ADDRESSES, c->passthrough_addresses,
		 c->passthrough_address_count, AXVM_CONFIG_MAX_PASSTHROUGH},
		{FIELD_PORTS, c->passthrough_ports, c->passthrough_port_count,
		 AXVM_CONFIG_MAX_PORTS},
		{FIELD_EXCLUDED, c->excluded_devices, c->excluded_device_count,
		 AXVM_CONFIG_MAX_DEVICES},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		int ret = check_list(error, lists[i].field, lists[i].array,
				     lists[i].count, lists[i].max);

		if (ret != 0)
			return ret;
	}
	return 0;
}

/* Looks at no byte behind the bound: an unterminated name is refused too. */
static bool name_fits(const char *name)
{
	for (size_t i = 0; i < AXVM_VM_NAME_SIZE; i++) {
		if (name[i] == '\0')
			return true;
	}
	return false;
}

/*
 * vm_type changes nothing, but a number outside the family's three is more
 * likely a shifted positional array than a wish. That a CPU of the lists exists
 * is axvm_create()'s to find out.
 */
static int check_base(const struct axvm_vm_config *c,
		      struct axvm_config_error *error)
{
	if (c->name && !name_fits(c->name))
		return fail(error, AXVM_ERANGE, "base.name", 0,
			    "the name is too long");
	if ((unsigned)c->type > AXVM_VM_TYPE_LINUX)
		return fail(error, AXVM_EINVAL, "base.vm_type", 0,
			    "no such VM type");
	if (c->cpu_num == 0 || c->cpu_num > AXVM_MAX_VCPUS)
		return fail(error, AXVM_ERANGE, FIELD_CPU_NUM, 0,
			    "a VM has 1 to 64 vCPUs");
	if (c->phys_cpu_id_count != 0 && c->phys_cpu_id_count != c->cpu_num)
		return fail(error, AXVM_EINVAL, FIELD_CPU_IDS, 0,
			    "one entry per vCPU or none");
	if (c->phys_cpu_set_count != 0 && c->phys_cpu_set_count != c->cpu_num)
		return fail(error, AXVM_EINVAL, FIELD_CPU_SETS, 0,
			    "one entry per vCPU or none");
	for (uint32_t i = 0; i < c->phys_cpu_set_count; i++) {
		if (c->phys_cpu_sets[i] == 0)
			return fail(error, AXVM_EINVAL, FIELD_CPU_SETS, i,
				    "a vCPU may run on no CPU");
	}
	return 0;
}

/* Casts to unsigned: an enum from a host's C may hold any number. */
static int check_modes(const struct axvm_vm_config *c,
		       struct axvm_config_error *error)
{
	if ((unsigned)c->interrupt_mode > AXVM_INTERRUPTS_PASSTHROUGH)
		return fail(error, AXVM_EINVAL, "devices.interrupt_mode", 0,
			    "no such interrupt mode");
	if ((unsigned)c->address_space_policy > AXVM_ADDRESS_SPACE_PASSTHROUGH)
		return fail(error, AXVM_EINVAL, "devices.address_space_policy",
			    0, "no such address space policy");
	/* Nothing maps the host's space as a whole; do not pretend. */
	if (c->address_space_policy == AXVM_ADDRESS_SPACE_PASSTHROUGH)
		return fail(error, AXVM_ENOTSUP, "devices.address_space_policy",
			    0, "only the virtualized address space exists");
	return 0;
}

/* Regions are valid by now, so range_contains() cannot be misled. */
static bool in_region(const struct axvm_vm_config *c, struct axvm_gpa gpa)
{
	for (uint32_t i = 0; i < c->region_count; i++) {
		if (range_contains(c->regions[i].gpa.value, c->regions[i].size,
				   gpa.value, 1))
			return true;
	}
	return false;
}

/*
 * Address 0 counts as absent: no firmware of the family starts there, and the
 * text form cannot tell a missing key from 0.
 */
static int check_uefi(const struct axvm_vm_config *c,
		      struct axvm_config_error *error)
{
	if (!c->kernel.uefi_firmware_path)
		return fail(error, AXVM_EINVAL, "kernel.uefi_firmware_path", 0,
			    "UEFI boot needs a firmware");
	if (c->kernel.bios_gpa.value == 0)
		return fail(error, AXVM_EINVAL, "kernel.bios_load_addr", 0,
			    "UEFI boot needs an address for the firmware");
	if (c->region_count != 0 && !in_region(c, c->kernel.bios_gpa))
		return fail(error, AXVM_EINVAL, "kernel.bios_load_addr", 0,
			    "the firmware lies in no memory region");
	return 0;
}

/*
 * What can be said without the images: whether they fit is known when they are
 * loaded. A host that maps memory by itself configures no region, and then the
 * entry point is its own affair; so is that of a firmware's loader.
 */
static int check_kernel(const struct axvm_vm_config *c,
			struct axvm_config_error *error)
{
	const struct axvm_kernel_config *k = &c->kernel;

	if ((unsigned)k->boot_protocol > AXVM_BOOT_UEFI)
		return fail(error, AXVM_EINVAL, "kernel.boot_protocol", 0,
			    "no such boot protocol");
	if (!k->enable_bios && k->boot_protocol != AXVM_BOOT_DIRECT)
		return fail(error, AXVM_EINVAL, "kernel.boot_protocol", 0,
			    "this boot protocol needs enable_bios");
	if ((unsigned)k->image_location > AXVM_IMAGE_IN_FS)
		return fail(error, AXVM_EINVAL, "kernel.image_location", 0,
			    "no such image location");
	if (k->image_location == AXVM_IMAGE_IN_FS)
		return fail(error, AXVM_ENOTSUP, "kernel.image_location", 0,
			    "the library does not open files");
	if (k->boot_protocol == AXVM_BOOT_UEFI)
		return check_uefi(c, error);
	if (k->boot_protocol == AXVM_BOOT_DIRECT && k->entry.value != 0 &&
	    c->region_count != 0 && !in_region(c, k->entry))
		return fail(error, AXVM_EINVAL, "kernel.entry_point", 0,
			    "the entry point lies in no memory region");
	return 0;
}

/*
 * READ is demanded because memory that can be written but not read does not
 * exist on every backend (Intel SDM vol. 3, "EPT Misconfigurations"; RISC-V
 * Privileged, "Page-Based Virtual-Memory Systems": W without R is reserved).
 */
static int check_region(const struct axvm_region_config *r, uint32_t index,
			struct axvm_config_error *error)
{
	if (!is_aligned(r->gpa.value | r->size, PAGE_SIZE_4K))
		return fail(error, AXVM_EINVAL, FIELD_REGIONS, index,
			    "base and size are multiples of 4 KiB");
	if (!range_valid(r->gpa.value, r->size))
		return fail(error, AXVM_EINVAL, FIELD_REGIONS, index,
			    "the region is empty or wraps");
	if ((r->access & ~AXVM_RWX) != 0 || (r->access & AXVM_READ) == 0)
		return fail(error, AXVM_EINVAL, FIELD_REGIONS, index,
			    "access is READ with WRITE or EXEC or both");
	if ((unsigned)r->kind > AXVM_REGION_DEMAND)
		return fail(error, AXVM_EINVAL, FIELD_REGIONS, index,
			    "no such kind of region");
	if (r->kind == AXVM_REGION_HOST &&
	    (!is_aligned(r->hpa.value, PAGE_SIZE_4K) ||
	     !range_valid(r->hpa.value, r->size)))
		return fail(error, AXVM_EINVAL, FIELD_REGIONS, index,
			    "the host range is unaligned or wraps");
	return 0;
}

static int check_regions(const struct axvm_vm_config *c,
			 struct axvm_config_error *error)
{
	for (uint32_t i = 0; i < c->region_count; i++) {
		int ret = check_region(&c->regions[i], i, error);

		if (ret != 0)
			return ret;
	}
	return 0;
}

/*
 * A type that is missing here is refused by its index, never ignored: a guest
 * without its disk would fail much later and without a reason.
 */
static bool emu_type_exists(uint32_t type)
{
	static const uint8_t types[] = {
		AXVM_EMU_DUMMY,	  AXVM_EMU_INTERRUPT_CONTROLLER,
		AXVM_EMU_CONSOLE, AXVM_EMU_IVC_POOL,
		AXVM_EMU_GICR,	  AXVM_EMU_GICD,
		AXVM_EMU_GITS,	  AXVM_EMU_X86_IOAPIC,
		AXVM_EMU_X86_PIT, AXVM_EMU_PLIC,
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (type == types[i])
			return true;
	}
	return false;
}

/* Does the channel of args[i] have the name of one before it? */
static bool channel_repeats(const struct axvm_emu_device_config *d, uint32_t i)
{
	for (uint32_t k = 0; k < i; k += AXVM_IVC_ARGS) {
		if (d->args[k + AXVM_IVC_ARG_PUBLISHER] ==
			    d->args[i + AXVM_IVC_ARG_PUBLISHER] &&
		    d->args[k + AXVM_IVC_ARG_KEY] ==
			    d->args[i + AXVM_IVC_ARG_KEY])
			return true;
	}
	return false;
}

/* Channels are handed out of the pool as pages. */
static int check_pool(const struct axvm_emu_device_config *d, uint32_t index,
		      struct axvm_config_error *error)
{
	uint64_t room = d->size >> PAGE_SHIFT_4K;

	if (!is_aligned(d->gpa.value | d->size, PAGE_SIZE_4K))
		return fail(error, AXVM_EINVAL, FIELD_EMU, index,
			    "base and size are multiples of 4 KiB");
	if (d->arg_count % AXVM_IVC_ARGS != 0)
		return fail(error, AXVM_EINVAL, FIELD_EMU, index,
			    "a channel is publisher, key, size, line");
	/* The doorbell page. */
	if (room > 1)
		room--;
	for (uint32_t i = 0; i < d->arg_count; i += AXVM_IVC_ARGS) {
		uint64_t size = d->args[i + AXVM_IVC_ARG_SIZE];

		if (size == 0 || (size - 1) >> PAGE_SHIFT_4K >= room)
			return fail(error, AXVM_EINVAL, FIELD_EMU, index,
				    "the channels do not fit the pool");
		room -= ((size - 1) >> PAGE_SHIFT_4K) + 1;
		if (d->args[i + AXVM_IVC_ARG_LINE] > UINT32_MAX)
			return fail(error, AXVM_EINVAL, FIELD_EMU, index,
				    "an interrupt line has 32 bits");
		if (channel_repeats(d, i))
			return fail(error, AXVM_EINVAL, FIELD_EMU, index,
				    "two channels of one name");
	}
	return 0;
}

/* Sizes below a page are fine: an emulated window is matched by the byte. */
static int check_emu_device(const struct axvm_emu_device_config *d,
			    uint32_t index, struct axvm_config_error *error)
{
	if (!emu_type_exists(d->type))
		return fail(error, AXVM_ENOTSUP, FIELD_EMU, index,
			    "no emulated device of this type exists");
	if (d->arg_count > AXVM_CONFIG_MAX_DEVICE_ARGS)
		return fail(error, AXVM_ERANGE, FIELD_EMU, index,
			    "too many arguments");
	if (!range_valid(d->gpa.value, d->size))
		return fail(error, AXVM_EINVAL, FIELD_EMU, index,
			    "the range is empty or wraps");
	if (axvm_emu_device_uses_ports(d) &&
	    !range_contains(0, PORT_SPACE, d->gpa.value, d->size))
		return fail(error, AXVM_ERANGE, FIELD_EMU, index,
			    "ports end at 0xffff");
	return d->type == AXVM_EMU_IVC_POOL ? check_pool(d, index, error) : 0;
}

/* A second pool would be missing without a word. */
static int check_pool_count(const struct axvm_vm_config *c,
			    struct axvm_config_error *error)
{
	uint32_t pools = 0;

	for (uint32_t i = 0; i < c->emu_device_count; i++) {
		pools += c->emu_devices[i].type == AXVM_EMU_IVC_POOL;
		if (pools > 1)
			return fail(error, AXVM_EINVAL, FIELD_EMU, i,
				    "a VM has one pool of channels");
	}
	return 0;
}

static int check_emu_devices(const struct axvm_vm_config *c,
			     struct axvm_config_error *error)
{
	for (uint32_t i = 0; i < c->emu_device_count; i++) {
		int ret = check_emu_device(&c->emu_devices[i], i, error);

		if (ret != 0)
			return ret;
	}
	return check_pool_count(c, error);
}

/*
 * A path is resolved by whoever has the host's device tree, into a device with
 * addresses. A name with a slash and a size is just a name.
 */
static int check_passthrough_device(const struct axvm_passthrough_config *p,
				    uint32_t index,
				    struct axvm_config_error *error)
{
	if (p->size == 0 && p->name && p->name[0] == '/')
		return fail(error, AXVM_ENOTSUP, FIELD_PASSTHROUGH, index,
			    "a path needs the host's device tree");
	if (!range_valid(p->gpa.value, p->size) ||
	    !range_valid(p->hpa.value, p->size))
		return fail(error, AXVM_EINVAL, FIELD_PASSTHROUGH, index,
			    "the window is empty or wraps");
	/* Pages are mapped: another offset would show another register. */
	if (!is_aligned(p->gpa.value - p->hpa.value, PAGE_SIZE_4K))
		return fail(error, AXVM_EINVAL, FIELD_PASSTHROUGH, index,
			    "guest and host base differ within their pages");
	if ((unsigned)p->dma > AXVM_DMA_UNSPECIFIED)
		return fail(error, AXVM_EINVAL, FIELD_PASSTHROUGH, index,
			    "no such DMA policy");
	return 0;
}

/* Addresses and ports: the guest's are the host's. */
static int check_windows(const struct axvm_range_config *ranges, uint32_t count,
			 const char *field, struct axvm_config_error *error)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!range_valid(ranges[i].base, ranges[i].size))
			return fail(error, AXVM_EINVAL, field, i,
				    "the window is empty or wraps");
		if ((unsigned)ranges[i].dma > AXVM_DMA_UNSPECIFIED)
			return fail(error, AXVM_EINVAL, field, i,
				    "no such DMA policy");
	}
	return 0;
}

static int check_passthrough(const struct axvm_vm_config *c,
			     struct axvm_config_error *error)
{
	int ret;

	for (uint32_t i = 0; i < c->passthrough_count; i++) {
		ret = check_passthrough_device(&c->passthrough[i], i, error);
		if (ret != 0)
			return ret;
	}
	ret = check_windows(c->passthrough_addresses,
			    c->passthrough_address_count, FIELD_ADDRESSES,
			    error);
	if (ret != 0)
		return ret;
	ret = check_windows(c->passthrough_ports, c->passthrough_port_count,
			    FIELD_PORTS, error);
	if (ret != 0)
		return ret;
	for (uint32_t i = 0; i < c->passthrough_port_count; i++) {
		if (!range_contains(0, PORT_SPACE, c->passthrough_ports[i].base,
				    c->passthrough_ports[i].size))
			return fail(error, AXVM_ERANGE, FIELD_PORTS, i,
				    "ports end at 0xffff");
	}
	return 0;
}

/*
 * Last, because it is policy: everything else about the configuration is in
 * order when this is reported. Windows count as much as devices, as a bus
 * master behind one reads host memory all the same.
 */
static int check_dma(const struct axvm_vm_config *c,
		     struct axvm_config_error *error)
{
	static const char reason[] = "without an IOMMU, dma must be stated";

	for (uint32_t i = 0; i < c->passthrough_count; i++) {
		if (c->passthrough[i].dma == AXVM_DMA_UNSPECIFIED)
			return fail(error, AXVM_EPERM, FIELD_PASSTHROUGH, i,
				    reason);
	}
	for (uint32_t i = 0; i < c->passthrough_address_count; i++) {
		if (c->passthrough_addresses[i].dma == AXVM_DMA_UNSPECIFIED)
			return fail(error, AXVM_EPERM, FIELD_ADDRESSES, i,
				    reason);
	}
	for (uint32_t i = 0; i < c->passthrough_port_count; i++) {
		if (c->passthrough_ports[i].dma == AXVM_DMA_UNSPECIFIED)
			return fail(error, AXVM_EPERM, FIELD_PORTS, i, reason);
	}
	return 0;
}

int axvm_config_check(const struct axvm_vm_config *config,
		      struct axvm_config_error *error)
{
	/* Later ones rely on earlier ones: counts, then values, then pairs. */
	static int (*const checks[])(const struct axvm_vm_config *,
				     struct axvm_config_error *) = {
		check_lists,
		check_base,
		check_modes,
		check_regions,
		check_emu_devices,
		check_kernel,
		check_passthrough,
		axvmi_config_check_overlaps,
		axvmi_config_check_lines,
		check_dma,
	};

	if (!config || config->size != sizeof(*config))
		return fail(error, AXVM_EINVAL, "", 0,
			    "no configuration, or of another version");
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		int ret = checks[i](config, error);

		if (ret != 0)
			return ret;
	}
	return 0;
}
