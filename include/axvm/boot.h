/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What a VM starts from: the kernel and the blobs beside it. The host reads the
 * files; the library recognises the kernel's format, chooses addresses that the
 * configuration leaves open, copies, and generates the guest's tables.
 */
#ifndef AXVM_BOOT_H
#define AXVM_BOOT_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Most AXVM_IMAGE_RAW images of one VM; of the other kinds there is one. */
#define AXVM_MAX_RAW_IMAGES 8u

enum axvm_image_kind {
	/*
	 * What vCPU 0 starts: a Linux Image of the backend's architecture
	 * (Linux, "Boot image header in RISC-V Linux", "Booting AArch64
	 * Linux") or any other binary, taken as flat and entered at its first
	 * byte. ELF files, compressed kernels and Images of another
	 * architecture are AXVM_EFORMAT.
	 */
	AXVM_IMAGE_KERNEL = 0,
	/* Initial RAM disk; the generated tables tell the guest where it is. */
	AXVM_IMAGE_RAMDISK = 1,
	/*
	 * A flattened device tree that the guest gets unchanged. Without one
	 * the library generates a tree from the VM's configuration.
	 */
	AXVM_IMAGE_DTB = 2,
	/* Firmware of the multiboot and uefi boot protocols. */
	AXVM_IMAGE_BIOS = 3,
	/* Bytes the guest expects at a fixed address; needs `gpa`. */
	AXVM_IMAGE_RAW = 4,
};

/* An image in host memory. */
struct axvm_image {
	const void *data; /* first byte, as the host addresses it */
	uint64_t size; /* bytes, not 0 */
	/*
	 * Where it goes. 0: the address for this kind in axvm_kernel_config;
	 * if that is 0 too, the library chooses inside RAM:
	 *   kernel  the first region that holds it, at the offset its header
	 *           asks for; a flat binary where firmware of the architecture
	 *           would put it (RISC-V 2 MiB, ARM 512 KiB, x86 1 MiB)
	 *   dtb, ramdisk  high in the kernel's region, at most 1 GiB above the
	 *           region's start; then in the other regions
	 * No two images overlap, nor the memory that a kernel's header claims
	 * behind the file (its .bss).
	 */
	struct axvm_gpa gpa;
};

/*
 * Gives a VM one of its images. The struct is copied, the bytes are not: the
 * data must stay valid and unchanged until axvm_destroy(), because axvm_init()
 * copies it into guest memory and axvm_reset() does so again. Addresses are
 * chosen and checked in axvm_init(), when all images are known; see there for
 * EFORMAT, ENOSPC (no room), ERANGE (not inside one memory region) and EEXIST
 * (two images overlap).
 * Allowed in LOADING only. Context: thread. Takes the VM's life lock.
 * Errors: EINVAL (null pointer, size 0, data or gpa that wraps, unknown kind,
 * RAW without gpa), ESTATE, EEXIST (the VM has one of this kind already),
 * ENOSPC (more than AXVM_MAX_RAW_IMAGES).
 */
AXVM_MUST_USE int axvm_add_image(struct axvm_vm *vm, enum axvm_image_kind kind,
				 const struct axvm_image *image);

#ifdef __cplusplus
}
#endif

#endif
