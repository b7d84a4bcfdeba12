/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What a virtual machine is made of: a plain struct that a host fills by hand
 * or from the family's TOML. The library copies what it keeps; arrays and
 * strings need to live only until axvm_create() returns.
 */
#ifndef AXVM_CONFIG_H
#define AXVM_CONFIG_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Most vCPUs of one VM. */
#define AXVM_MAX_VCPUS 64u
/* Bounds of one configuration. */
#define AXVM_CONFIG_MAX_REGIONS 32u
#define AXVM_CONFIG_MAX_DEVICES 32u
#define AXVM_CONFIG_MAX_PASSTHROUGH 64u
#define AXVM_CONFIG_MAX_PORTS 16u
#define AXVM_CONFIG_MAX_DEVICE_ARGS 8u
#define AXVM_VM_NAME_SIZE 32u
/* Longest TOML text, in bytes. */
#define AXVM_CONFIG_MAX_TEXT 65536u

enum axvm_vm_type {
	AXVM_VM_TYPE_HOST = 0,
	AXVM_VM_TYPE_RTOS = 1,
	AXVM_VM_TYPE_LINUX = 2,
};

enum axvm_boot_protocol {
	AXVM_BOOT_DIRECT = 0,
	AXVM_BOOT_MULTIBOOT = 1,
	AXVM_BOOT_UEFI = 2,
};

enum axvm_interrupt_mode {
	AXVM_INTERRUPTS_NONE = 0,
	AXVM_INTERRUPTS_EMULATED = 1,
	/* Emulated controller plus forwarded host interrupts: the host must
	 * have hal.irq_unmask. */
	AXVM_INTERRUPTS_PASSTHROUGH = 2,
};

enum axvm_address_space_policy {
	AXVM_ADDRESS_SPACE_VIRTUALIZED = 0,
	AXVM_ADDRESS_SPACE_PASSTHROUGH = 1,
};

enum axvm_image_location {
	AXVM_IMAGE_IN_MEMORY = 0,
	AXVM_IMAGE_IN_FS = 1,
};

/* Where the frames behind a region come from. */
enum axvm_region_kind {
	/* Taken from hal.alloc at axvm_init() and zeroed. */
	AXVM_REGION_ALLOC = 0,
	/* Host-supplied, host-physical = guest-physical, zeroed at each boot. */
	AXVM_REGION_IDENTICAL = 1,
	/* As IDENTICAL, but its contents are never written by the library. */
	AXVM_REGION_RESERVED = 2,
	/* Host-supplied at `hpa`, zeroed at each boot. */
	AXVM_REGION_HOST = 3,
	/* Page by page from hal.alloc when the guest first touches it. */
	AXVM_REGION_DEMAND = 4,
};

struct axvm_region_config {
	struct axvm_gpa gpa; /* 4 KiB aligned */
	uint64_t size; /* bytes, multiple of 4 KiB, not 0 */
	uint32_t access; /* AXVM_READ | AXVM_WRITE | AXVM_EXEC; READ required */
	enum axvm_region_kind kind;
	struct axvm_hpa hpa; /* HOST only; 4 KiB aligned */
};

/* Emulated device types; the numbers are the family's. */
enum axvm_emu_type {
	AXVM_EMU_DUMMY = 0x0,
	AXVM_EMU_INTERRUPT_CONTROLLER = 0x1,
	AXVM_EMU_CONSOLE = 0x2,
	AXVM_EMU_FW_CFG = 0x3,
	AXVM_EMU_IVC_POOL = 0xa,
	AXVM_EMU_GICR = 0x20,
	AXVM_EMU_GICD = 0x21,
	AXVM_EMU_GITS = 0x22,
	AXVM_EMU_X86_IOAPIC = 0x23,
	AXVM_EMU_X86_PIT = 0x24,
	AXVM_EMU_LOONGARCH_PCH_PIC = 0x25,
	AXVM_EMU_PLIC = 0x30,
	AXVM_EMU_VIRTIO_BLK = 0xe1,
	AXVM_EMU_VIRTIO_NET = 0xe2,
	AXVM_EMU_VIRTIO_CONSOLE = 0xe3,
};

/*
 * The pool of channels between VMs, IVC_POOL (ivc.h): whole pages; one per VM.
 * Its `args` name channels that are there from axvm_init() on, AXVM_IVC_ARGS
 * numbers for each of them:
 *
 *   publisher, key  the name of the channel, not twice in one VM
 *   size            bytes, rounded up to pages; the same in every VM
 *   line            interrupt line that rings this VM; 0: the pool's
 *
 * Every VM of the host whose configuration has the name shares the channel and
 * may read and write; whoever of them comes first makes it, it is gone when the
 * last one is reset or destroyed. In each VM channels lie one behind the other
 * in the order of the configuration.
 */
#define AXVM_IVC_ARGS 4u
#define AXVM_IVC_ARG_PUBLISHER 0u
#define AXVM_IVC_ARG_KEY 1u
#define AXVM_IVC_ARG_SIZE 2u
#define AXVM_IVC_ARG_LINE 3u

struct axvm_emu_device_config {
	const char *name; /* for messages; NULL: none */
	struct axvm_gpa gpa; /* or first port, see below */
	uint64_t size; /* bytes, or number of ports */
	uint32_t irq; /* interrupt line; 0: none */
	uint32_t
		type; /* enum axvm_emu_type; kept as a number: may be unknown */
	uint32_t arg_count;
	uint64_t args[AXVM_CONFIG_MAX_DEVICE_ARGS];
};

/*
 * The family writes x86 ports where others write addresses: true for a PIT, and
 * for a console that ends at or below 64 KiB. Context: any.
 */
bool axvm_emu_device_uses_ports(const struct axvm_emu_device_config *device);

/*
 * `dma` of a passthrough device or window. There is no IOMMU yet, so a device
 * that can do DMA reaches all memory of the host: somebody has to say so.
 */
enum axvm_dma_policy {
	AXVM_DMA_NONE = 0, /* the device cannot do DMA */
	AXVM_DMA_TRUSTED = 1, /* the host trusts the guest with it */
	AXVM_DMA_UNSPECIFIED = 2, /* the config does not say: EPERM */
};

/*
 * A device of the host that the guest drives itself. Its registers are mapped
 * at axvm_init() as device memory, readable and writable, never executable, and
 * stay so until axvm_destroy(); a reset of the VM does not reset the device. A
 * page of the host is behind one window of one VM alone, and never is memory of
 * the host (axvm_host_reserve) or of a VM. What hal.alloc hands out the library
 * cannot tell from registers: the host names it, or checks for itself. The
 * generated device tree does not describe these devices, whose kind nobody has
 * stated: such a guest brings a tree of its own (AXVM_IMAGE_DTB).
 */
struct axvm_passthrough_config {
	const char *name; /* "/..." with size 0: by device-tree path */
	/* Both have the same offset in their page; the window is mapped in
	 * whole pages, base rounded down and end rounded up. */
	struct axvm_gpa gpa;
	struct axvm_hpa hpa;
	uint64_t size; /* bytes */
	/* Host interrupt and guest line, see axvm_irq_forward(), whatever the
	 * interrupt_mode; 0: none. Of one VM alone; shared by its devices. */
	uint32_t irq;
	enum axvm_dma_policy dma;
};

/*
 * A window of addresses or ports that the guest reaches one to one. What struct
 * axvm_passthrough_config says of pages goes for addresses too.
 */
struct axvm_range_config {
	uint64_t base;
	uint64_t size; /* bytes, or number of ports */
	enum axvm_dma_policy dma; /* of what is behind it */
};

struct axvm_kernel_config {
	/* Of direct boot; not 0: inside a region, if there are regions. */
	struct axvm_gpa entry;
	struct axvm_gpa kernel_gpa;
	struct axvm_gpa bios_gpa; /* of UEFI: not 0, inside a region */
	struct axvm_gpa dtb_gpa; /* 0: the library chooses */
	struct axvm_gpa ramdisk_gpa; /* 0: the library chooses */
	enum axvm_boot_protocol boot_protocol;
	bool enable_bios; /* false: DIRECT only */
	/* IN_FS is for the host's loader, which sets IN_MEMORY when done. */
	enum axvm_image_location image_location;
	/* For the host's loader; the library does not open files. NULL: none. */
	const char *kernel_path;
	const char *bios_path;
	const char *uefi_firmware_path;
	const char *dtb_path;
	const char *ramdisk_path;
	const char *disk_path;
	const char *cmdline; /* NULL: empty */
};

struct axvm_vm_config {
	size_t size; /* sizeof(struct axvm_vm_config) */
	uint64_t id; /* unique on the host */
	const char *name; /* shorter than AXVM_VM_NAME_SIZE; NULL: none */
	enum axvm_vm_type type; /* kept and reported, changes nothing */
	uint32_t cpu_num; /* 1..AXVM_MAX_VCPUS */
	uint32_t phys_cpu_id_count; /* 0 or cpu_num */
	const uint64_t *phys_cpu_ids; /* hart id or MPIDR per vCPU */
	uint32_t phys_cpu_set_count; /* 0 or cpu_num */
	const uint64_t *phys_cpu_sets; /* not-empty CPU masks per vCPU */
	struct axvm_kernel_config kernel;
	uint32_t region_count;
	const struct axvm_region_config *regions;
	uint32_t emu_device_count;
	const struct axvm_emu_device_config *emu_devices;
	uint32_t passthrough_count;
	const struct axvm_passthrough_config *passthrough;
	uint32_t passthrough_address_count;
	const struct axvm_range_config *passthrough_addresses;
	uint32_t passthrough_port_count;
	const struct axvm_range_config *passthrough_ports;
	uint32_t excluded_device_count;
	const char *const *excluded_devices;
	enum axvm_interrupt_mode interrupt_mode;
	enum axvm_address_space_policy address_space_policy;
};

/*
 * Why a configuration was refused. Strings are static or point into the
 * configuration itself.
 */
struct axvm_config_error {
	/* As the TOML names it, e.g. "kernel.memory_regions"; "": no field. */
	const char *field;
	uint32_t index; /* which element of the field, 0 if it is no list */
	const char *other_field; /* whom it collides with, or NULL */
	uint32_t other_index;
	const char *reason; /* a short English sentence */
	uint32_t line; /* 1-based, of the TOML text; 0: not about text */
	uint32_t column; /* 1-based, in bytes */
};

/*
 * Checks a configuration without creating anything: numbers in range, ranges
 * valid and not overlapping, types that exist, combinations that make sense.
 * What depends on the machine (host CPUs, host memory, other VMs, interrupt
 * lines) is axvm_create()'s to check. `error` may be NULL; on failure it names
 * the field, and for an overlap the other owner. Context: any.
 * Errors: EINVAL malformed value or combination, EEXIST overlap in the guest's
 * space or of what is passed through in the host's, an interrupt passed through
 * on the line of an emulated device, ERANGE too many, too far or too long,
 * ENOTSUP a type, policy or image location the library does not provide, EPERM
 * passthrough that does not state its DMA.
 */
AXVM_MUST_USE int axvm_config_check(const struct axvm_vm_config *config,
				    struct axvm_config_error *error);

/* Storage behind a configuration read from text; about 24 KiB. */
struct axvm_config_storage {
	struct axvm_vm_config config;
	uint64_t phys_cpu_ids[AXVM_MAX_VCPUS];
	uint64_t phys_cpu_sets[AXVM_MAX_VCPUS];
	struct axvm_region_config regions[AXVM_CONFIG_MAX_REGIONS];
	struct axvm_emu_device_config emu_devices[AXVM_CONFIG_MAX_DEVICES];
	struct axvm_passthrough_config passthrough[AXVM_CONFIG_MAX_PASSTHROUGH];
	struct axvm_range_config
		passthrough_addresses[AXVM_CONFIG_MAX_PASSTHROUGH];
	struct axvm_range_config passthrough_ports[AXVM_CONFIG_MAX_PORTS];
	const char *excluded_devices[AXVM_CONFIG_MAX_DEVICES];
	uint32_t strings_used;
	char strings[8192];
};

/*
 * Reads a VM configuration in the family's TOML. Fills `storage`, whose
 * `config` member then points into itself: do not copy the struct. Unknown
 * keys are ignored, missing ones are 0 or NULL (boot_protocol: multiboot if
 * enable_bios, else direct; dma: unspecified). Lists of structs are written as
 * arrays in the order of the family, as tables, or as [[arrays of tables]].
 * Ours beyond the family: map_type 3 with `hpa` as fifth element and 4; `dma`
 * ("none", "trusted") as last element of passthrough devices and windows.
 * Of a region's flags only READ, WRITE, EXEC are kept. No allocation; time
 * linear in `length`; nesting up to 8. The result is parsed, not yet checked:
 * axvm_create() or axvm_config_check() does that.
 *   text, length: UTF-8, need not end with NUL; at most AXVM_CONFIG_MAX_TEXT
 *   error: may be NULL; names line and column
 * Context: any. Errors: ESYNTAX malformed, nested too deeply, or a key twice;
 * EINVAL a known key has the wrong type or an unknown word, a struct lacks an
 * element; ENOSPC more entries or characters than the storage holds; ERANGE a
 * number does not fit, or the text is too long.
 * On error the content of `storage` is unspecified.
 */
AXVM_MUST_USE int axvm_config_from_toml(const char *text, size_t length,
					struct axvm_config_storage *storage,
					struct axvm_config_error *error);

#ifdef __cplusplus
}
#endif

#endif
