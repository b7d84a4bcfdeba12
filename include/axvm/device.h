/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Device models on the guest's buses. A device is a struct of the host or of
 * the library, added before axvm_init() and alive until axvm_destroy(). Its
 * ranges are fixed; looking one up takes no lock.
 */
#ifndef AXVM_DEVICE_H
#define AXVM_DEVICE_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum axvm_bus {
	AXVM_BUS_MMIO = 0, /* guest-physical addresses */
	AXVM_BUS_PORT = 1, /* x86 I/O ports */
	AXVM_BUS_SYSREG =
		2, /* system registers as the architecture numbers them */
};

/* What `access` says about an access. */
enum axvm_access_result {
	AXVM_ACCESS_DONE = 0, /* done; *value is the data read */
	AXVM_ACCESS_FAULT = 1, /* the guest gets an access fault */
	AXVM_ACCESS_EXIT = 2, /* leave it to the host: an MMIO or PORT exit */
};

struct axvm_device_access {
	struct axvm_vm *vm;
	uint64_t offset; /* from the start of the range */
	uint64_t value; /* in: data written, zero-extended; out: data read */
	uint32_t vcpu; /* who asks */
	uint32_t range; /* index into axvm_device.ranges */
	uint32_t size; /* 1, 2, 4, 8 bytes, naturally aligned */
	uint32_t write; /* 0 or 1 */
};

struct axvm_device;

struct axvm_device_ops {
	/* For messages and the device table; static storage. */
	const char *name;
	/*
	 * Mandatory. Called by vCPU threads inside axvm_run_vcpu(), perhaps on
	 * two CPUs at once unless the device has AXVM_DEVICE_SERIAL. Offset and
	 * size have been checked against the range. May set interrupt lines and
	 * read and write guest memory. Must not block.
	 */
	enum axvm_access_result (*access)(struct axvm_device *device,
					  struct axvm_device_access *access);
	/* Back to power-on state, at axvm_reset(). NULL: nothing to do. This and
	 * destroy are called with the VM's life lock held: they must not call
	 * what changes the VM's state or its devices. On the caller's thread,
	 * host interrupts being as they are there: a lock that a handler takes,
	 * too, is to be taken with them masked. */
	void (*reset)(struct axvm_device *device);
	/* The VM is gone; the device may be freed. NULL: nothing to do. */
	void (*destroy)(struct axvm_device *device);
};

/* The library serialises calls of `access`. */
#define AXVM_DEVICE_SERIAL 0x1u

#define AXVM_DEVICE_MAX_RANGES 4u

struct axvm_device_range {
	enum axvm_bus bus;
	uint64_t base;
	uint64_t size; /* not 0; ranges of one bus never overlap */
	uint32_t widths; /* sum of the access sizes allowed: 1, 2, 4, 8 */
	uint32_t reserved;
};

struct axvm_device {
	const struct axvm_device_ops *ops;
	uint32_t flags;
	uint32_t range_count; /* 1..AXVM_DEVICE_MAX_RANGES */
	struct axvm_device_range ranges[AXVM_DEVICE_MAX_RANGES];
	/* Of the library from axvm_add_device() on: the VM, the serial lock. */
	struct axvm_vm *vm;
	uint32_t lock;
	uint32_t reserved;
};

/*
 * Adds a device to a VM in LOADING. `device` is usually the first member of the
 * model's own struct. Accesses of a width the range does not allow, or that
 * reach over its end, are an access fault for the guest. On AXVM_BUS_SYSREG
 * base and size count registers, and any allowed width reaches one register.
 * Context: thread. Takes the VM's life lock. Errors: EINVAL, ESTATE, EEXIST
 * (range taken by a device, RAM or a window; the log names both), ENOSPC (64
 * devices, the library's own included), ERANGE (outside the guest's address
 * space, ports above 0xffff, register numbers above 32 bits), ENOTSUP (a bus
 * the architecture lacks), ENOMEM.
 */
AXVM_MUST_USE int axvm_add_device(struct axvm_vm *vm,
				  struct axvm_device *device);

/*
 * Where the bytes of the firmware's console go and come from (SBI DBCN and the
 * legacy SBI console). A guest without one finds these calls absent.
 */
struct axvm_debug_console {
	void *ctx; /* passed back; may be NULL */
	/*
	 * Mandatory. A byte of the guest; false: no room now, the guest is told
	 * so. Called by vCPU threads inside axvm_run_vcpu(), perhaps on two CPUs
	 * at once. Must not block.
	 */
	bool (*write)(void *ctx, uint8_t byte);
	/* The next byte for the guest, or -1. As write; NULL: never any. */
	int (*read)(void *ctx);
};

/*
 * Gives a VM in LOADING its debug console, or with NULL takes it away. The
 * struct is copied. Context: thread. Takes the VM's life lock. Errors: EINVAL
 * (no vm, no write), ESTATE.
 */
AXVM_MUST_USE int
axvm_set_debug_console(struct axvm_vm *vm,
		       const struct axvm_debug_console *console);

#ifdef __cplusplus
}
#endif

#endif
