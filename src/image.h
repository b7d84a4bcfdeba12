/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Recognises kernel images and chooses where images go. Pure: reads only what
 * is passed in, touches no guest memory, may be called in any context.
 */
#ifndef AXVMI_IMAGE_H
#define AXVMI_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "axvm/boot.h"
#include "axvm/config.h"

enum image_machine {
	IMAGE_MACHINE_RISCV64,
	IMAGE_MACHINE_AARCH64,
	IMAGE_MACHINE_X86_64,
};

enum image_format {
	IMAGE_FLAT,
	IMAGE_LINUX_RISCV64,
	IMAGE_LINUX_AARCH64,
};

struct image_info {
	enum image_format format;
	uint64_t align; /* of the base from which load_offset counts */
	uint64_t load_offset;
	uint64_t entry_offset; /* from the load address */
	uint64_t memory; /* bytes in use from the load address, >= the file */
	uint32_t page_size; /* the kernel's, bytes; 0: the image does not say */
	/* The base may be any in RAM, not only near its start. */
	bool anywhere;
};

/*
 * AXVM_EFORMAT: empty, an Image of another machine, a big-endian one for RISC-V,
 * with offsets that wrap, or a file that nobody could execute (ELF, compressed).
 */
int axvmi_image_probe(const void *data, uint64_t size,
		      enum image_machine machine, struct image_info *info);

/* One of each kind and the raw ones. */
#define IMAGE_MAX_SLOTS (AXVM_MAX_RAW_IMAGES + 4u)

struct image_slot {
	enum axvm_image_kind kind;
	uint64_t size; /* bytes in guest memory, not 0 */
	uint64_t align; /* KERNEL: as in image_info, 1 or a power of two */
	uint64_t load_offset; /* KERNEL: as in image_info */
	uint64_t gpa; /* in: where, or 0 to choose; out: where */
};

/*
 * Gives every slot an address so that none overlap. Chosen ones lie in regions
 * that the library may fill and the guest may write; given ones anywhere inside
 * one region. A chosen device tree gets 64 KiB of room to grow, since boot
 * loaders add to it.
 * Errors, with no slot changed: AXVM_ERANGE a given address outside the
 * regions, AXVM_EEXIST two given ones overlap, AXVM_EINVAL a device tree not
 * aligned to 8 or a kind that needs an address without one, AXVM_ENOSPC.
 */
int axvmi_image_place(const struct axvm_region_config *regions,
		      uint32_t region_count, struct image_slot *slots,
		      uint32_t slot_count);

#endif
