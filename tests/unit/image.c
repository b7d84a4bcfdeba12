/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * src/image.c: headers as the Linux documents describe them, and placement
 * checked against its three promises: inside memory, aligned, disjoint.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "axvm/error.h"
#include "bits.h"
#include "image.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define RAM UINT64_C(0x80000000)

#define RISCV 0x05435352u
#define ARM64 0x644d5241u

struct header {
	uint32_t code[2];
	uint64_t text_offset;
	uint64_t image_size;
	uint64_t flags;
	uint64_t reserved[3];
	uint32_t magic;
	uint32_t more;
};

/* Probes a header of these fields with `size` bytes of file. */
static int probe(uint32_t magic, enum image_machine machine,
		 const struct header *fields, uint64_t size,
		 struct image_info *info)
{
	struct header h = *fields;
	uint8_t *file = malloc(size);
	int error;

	assert_non_null(file);
	h.magic = magic;
	memset(file, 0, size);
	memcpy(file, &h, size < sizeof(h) ? size : sizeof(h));
	error = axvmi_image_probe(file, size, machine, info);
	free(file);
	return error;
}

static const struct header typical = {
	.text_offset = 2 * MIB,
	.image_size = 3 * MIB,
};

static void riscv_image_is_recognised_with_its_bss(void **state)
{
	struct image_info info;

	(void)state;
	assert_int_equal(
		probe(RISCV, IMAGE_MACHINE_RISCV64, &typical, 4096, &info), 0);
	assert_int_equal(info.format, IMAGE_LINUX_RISCV64);
	assert_int_equal(info.align, 2 * MIB);
	assert_int_equal(info.load_offset, 2 * MIB);
	assert_int_equal(info.memory, 3 * MIB);
	assert_int_equal(info.entry_offset, 0);
	assert_int_equal(info.page_size, 0);
	assert_false(info.anywhere);
}

static void arm64_image_states_page_size_and_placement(void **state)
{
	static const uint32_t sizes[] = {0, 4096, 16384, 65536};
	struct header h = typical;
	struct image_info info;

	(void)state;
	h.text_offset = 0;
	for (unsigned i = 0; i < 4; i++) {
		h.flags = (uint64_t)i << 1 | 8;
		assert_int_equal(
			probe(ARM64, IMAGE_MACHINE_AARCH64, &h, 4096, &info),
			0);
		assert_int_equal(info.format, IMAGE_LINUX_AARCH64);
		assert_int_equal(info.page_size, sizes[i]);
		assert_int_equal(info.load_offset, 0);
		assert_true(info.anywhere);
	}
	h.flags = 0;
	assert_int_equal(probe(ARM64, IMAGE_MACHINE_AARCH64, &h, 4096, &info),
			 0);
	assert_false(info.anywhere);
}

static void old_arm64_image_without_size_goes_to_512_kib(void **state)
{
	struct header h = {.text_offset = 0x123};
	struct image_info info;

	(void)state;
	assert_int_equal(probe(ARM64, IMAGE_MACHINE_AARCH64, &h, 5000, &info),
			 0);
	assert_int_equal(info.load_offset, 0x80000);
	assert_int_equal(info.memory, 5000);
}

static void riscv_image_without_size_is_refused(void **state)
{
	struct header h = typical;
	struct image_info info;

	(void)state;
	h.image_size = 0;
	assert_int_equal(probe(RISCV, IMAGE_MACHINE_RISCV64, &h, 4096, &info),
			 AXVM_EFORMAT);
}

static void big_endian_kernels_are_arm64s(void **state)
{
	struct header h = typical;
	struct image_info info = {.memory = 77};

	(void)state;
	h.flags = 1;
	assert_int_equal(probe(RISCV, IMAGE_MACHINE_RISCV64, &h, 4096, &info),
			 AXVM_EFORMAT);
	assert_int_equal(info.memory, 77);
	assert_int_equal(probe(ARM64, IMAGE_MACHINE_AARCH64, &h, 4096, &info),
			 0);
	assert_int_equal(info.format, IMAGE_LINUX_AARCH64);
}

static void image_of_another_machine_is_refused(void **state)
{
	struct image_info info;

	(void)state;
	assert_int_equal(
		probe(RISCV, IMAGE_MACHINE_AARCH64, &typical, 4096, &info),
		AXVM_EFORMAT);
	assert_int_equal(
		probe(ARM64, IMAGE_MACHINE_RISCV64, &typical, 4096, &info),
		AXVM_EFORMAT);
	assert_int_equal(
		probe(ARM64, IMAGE_MACHINE_X86_64, &typical, 4096, &info),
		AXVM_EFORMAT);
}

static void file_longer_than_image_size_counts_whole(void **state)
{
	struct header h = typical;
	struct image_info info;

	(void)state;
	h.image_size = 4096;
	assert_int_equal(probe(RISCV, IMAGE_MACHINE_RISCV64, &h, 5000, &info),
			 0);
	assert_int_equal(info.memory, 5000);
}

static void offset_plus_size_that_wraps_is_refused(void **state)
{
	struct header h = typical;
	struct image_info info;

	(void)state;
	h.text_offset = 0 - 3 * MIB;
	assert_int_equal(probe(RISCV, IMAGE_MACHINE_RISCV64, &h, 4096, &info),
			 AXVM_EFORMAT);
	h.text_offset = 0 - 3 * MIB - 4;
	assert_int_equal(probe(RISCV, IMAGE_MACHINE_RISCV64, &h, 4096, &info),
			 0);
	h.image_size = UINT64_MAX;
	h.text_offset = 4;
	assert_int_equal(probe(ARM64, IMAGE_MACHINE_AARCH64, &h, 4096, &info),
			 AXVM_EFORMAT);
}

static void offset_no_instruction_can_have_is_refused(void **state)
{
	struct header h = typical;
	struct image_info info;

	(void)state;
	h.text_offset = 2 * MIB + 2;
	assert_int_equal(probe(RISCV, IMAGE_MACHINE_RISCV64, &h, 4096, &info),
			 AXVM_EFORMAT);
}

static void anything_else_is_a_flat_binary(void **state)
{
	static const uint64_t offsets[] = {2 * MIB, 0x80000, MIB};
	struct image_info info;

	(void)state;
	for (unsigned machine = 0; machine < 3; machine++) {
		assert_int_equal(probe(0x12345678, (enum image_machine)machine,
				       &typical, 4096, &info),
				 0);
		assert_int_equal(info.format, IMAGE_FLAT);
		assert_int_equal(info.memory, 4096);
		assert_int_equal(info.align, 4096);
		assert_int_equal(info.entry_offset, 0);
		assert_int_equal(info.load_offset, offsets[machine]);
	}
}

static void header_cut_short_is_a_flat_binary(void **state)
{
	struct image_info info;

	(void)state;
	for (uint64_t size = 1; size < sizeof(struct header); size++) {
		assert_int_equal(probe(RISCV, IMAGE_MACHINE_RISCV64, &typical,
				       size, &info),
				 0);
		assert_int_equal(info.format, IMAGE_FLAT);
	}
	assert_int_equal(probe(RISCV, IMAGE_MACHINE_RISCV64, &typical,
			       sizeof(struct header), &info),
			 0);
	assert_int_equal(info.format, IMAGE_LINUX_RISCV64);
}

static void empty_file_is_refused(void **state)
{
	struct image_info info;

	(void)state;
	assert_int_equal(
		axvmi_image_probe(NULL, 0, IMAGE_MACHINE_RISCV64, &info),
		AXVM_EFORMAT);
}

static int probe_text(const char *text, size_t size)
{
	struct image_info info;
	uint8_t *file = malloc(size);
	int error;

	assert_non_null(file);
	memcpy(file, text, size);
	error = axvmi_image_probe(file, size, IMAGE_MACHINE_AARCH64, &info);
	free(file);
	return error;
}

static void files_for_other_loaders_are_refused(void **state)
{
	(void)state;
	assert_int_equal(probe_text("\177ELF", 4), AXVM_EFORMAT);
	assert_int_equal(probe_text("\x1f\x8b\x08", 3), AXVM_EFORMAT);
	assert_int_equal(probe_text("MZ\0\0zimg", 8), AXVM_EFORMAT);
	assert_int_equal(probe_text("\177EL", 3), 0);
	assert_int_equal(probe_text("\x1f\x8b", 2), 0);
	assert_int_equal(probe_text("\x1f\x8b\x07", 3), 0);
	assert_int_equal(probe_text("\x1f\x8c\x08", 3), 0);
	assert_int_equal(probe_text("MZ\0\0zimg", 7), 0);
	assert_int_equal(probe_text("MZ\0\0zimh", 8), 0);
}

/* Placement. */

static struct axvm_region_config region(uint64_t gpa, uint64_t size)
{
	struct axvm_region_config r = {
		.gpa = {gpa},
		.size = size,
		.access = AXVM_RWX,
		.kind = AXVM_REGION_ALLOC,
	};

	return r;
}

static struct image_slot kernel(uint64_t memory)
{
	struct image_slot s = {
		.kind = AXVM_IMAGE_KERNEL,
		.size = memory,
		.align = 2 * MIB,
		.load_offset = 2 * MIB,
	};

	return s;
}

static struct image_slot blob(enum axvm_image_kind kind, uint64_t size,
			      uint64_t gpa)
{
	struct image_slot s = {.kind = kind, .size = size, .gpa = gpa};

	return s;
}

static void assert_disjoint(const struct image_slot *slots, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t j = i + 1; j < count; j++)
			assert_false(range_overlaps(slots[i].gpa, slots[i].size,
						    slots[j].gpa,
						    slots[j].size));
	}
}

static void kernel_goes_to_ram_base_plus_text_offset(void **state)
{
	struct axvm_region_config ram = region(RAM, 128 * MIB);
	struct image_slot slot = kernel(30 * MIB);

	(void)state;
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), 0);
	assert_int_equal(slot.gpa, RAM + 2 * MIB);
}

static void kernel_base_is_rounded_up_to_its_alignment(void **state)
{
	struct axvm_region_config ram = region(RAM + 0x1000, 128 * MIB);
	struct image_slot slot = kernel(30 * MIB);

	(void)state;
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), 0);
	assert_int_equal(slot.gpa, RAM + 4 * MIB);
}

static void blobs_go_high_and_aligned(void **state)
{
	struct axvm_region_config ram = region(RAM, 128 * MIB);
	struct image_slot slots[] = {
		kernel(30 * MIB),
		blob(AXVM_IMAGE_RAMDISK, 5 * MIB + 1, 0),
		blob(AXVM_IMAGE_DTB, 3000, 0),
	};

	(void)state;
	assert_int_equal(axvmi_image_place(&ram, 1, slots, 3), 0);
	assert_disjoint(slots, 3);
	/* 3000 bytes and 64 KiB of room, down to a 64 KiB boundary. */
	assert_int_equal(slots[2].gpa, RAM + 128 * MIB - 0x20000);
	assert_int_equal(slots[1].gpa,
			 RAM + 128 * MIB - 0x20000 - 5 * MIB - 0x1000);
}

static void device_tree_has_room_to_grow(void **state)
{
	struct axvm_region_config ram = region(RAM, 128 * MIB);
	struct image_slot slots[] = {
		blob(AXVM_IMAGE_RAW, 0x1000, RAM + 127 * MIB),
		blob(AXVM_IMAGE_DTB, 64 * 1024, 0),
	};

	(void)state;
	ram.size = 127 * MIB + 0x1000;
	assert_int_equal(axvmi_image_place(&ram, 1, slots, 2), 0);
	assert_int_equal(slots[1].gpa, RAM + 127 * MIB - 0x20000);
}

static void blobs_stay_within_1_gib_of_the_region(void **state)
{
	struct axvm_region_config ram = region(RAM, 4 * GIB);
	struct image_slot slots[] = {
		kernel(30 * MIB),
		blob(AXVM_IMAGE_RAMDISK, 5 * MIB, 0),
		blob(AXVM_IMAGE_DTB, 3000, 0),
	};

	(void)state;
	assert_int_equal(axvmi_image_place(&ram, 1, slots, 3), 0);
	assert_disjoint(slots, 3);
	assert_int_equal(slots[2].gpa, RAM + GIB - 0x20000);
	assert_true(slots[1].gpa + slots[1].size <= RAM + GIB);
}

static void given_addresses_are_kept_as_they_are(void **state)
{
	struct axvm_region_config ram = region(RAM, 128 * MIB);
	struct image_slot slots[] = {
		kernel(1000),
		blob(AXVM_IMAGE_RAMDISK, 1000, RAM + 1001),
		blob(AXVM_IMAGE_DTB, 1000, RAM + 8),
		blob(AXVM_IMAGE_BIOS, 1000, RAM + 2001),
		blob(AXVM_IMAGE_RAW, 7, RAM + 128 * MIB - 7),
	};

	(void)state;
	slots[0].gpa = RAM + 0x80008;
	assert_int_equal(axvmi_image_place(&ram, 1, slots, 5), AXVM_EEXIST);
	slots[2].gpa = RAM;
	assert_int_equal(axvmi_image_place(&ram, 1, slots, 5), 0);
	assert_int_equal(slots[0].gpa, RAM + 0x80008);
	assert_int_equal(slots[1].gpa, RAM + 1001);
	assert_int_equal(slots[2].gpa, RAM);
	assert_int_equal(slots[3].gpa, RAM + 2001);
	assert_int_equal(slots[4].gpa, RAM + 128 * MIB - 7);
}

static void given_address_outside_memory_is_refused(void **state)
{
	struct axvm_region_config rams[] = {region(RAM, MIB),
					    region(RAM + MIB, MIB)};
	static const uint64_t bad[] = {RAM - 1, RAM + 2 * MIB,
				       RAM + 2 * MIB - 0xfff, UINT64_MAX, 1,
				       /* in two regions, but in neither */
				       RAM + MIB - 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct image_slot slot =
			blob(AXVM_IMAGE_RAMDISK, 0x1000, bad[i]);

		assert_int_equal(axvmi_image_place(rams, 2, &slot, 1),
				 AXVM_ERANGE);
	}
}

static void given_device_tree_must_be_aligned(void **state)
{
	struct axvm_region_config ram = region(RAM, MIB);
	struct image_slot slot = blob(AXVM_IMAGE_DTB, 100, RAM + 4);

	(void)state;
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), AXVM_EINVAL);
	slot.gpa = RAM + 8;
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), 0);
}

static void two_given_addresses_that_overlap_are_refused(void **state)
{
	struct axvm_region_config ram = region(RAM, 128 * MIB);
	struct image_slot slots[] = {
		kernel(30 * MIB),
		/* Behind the file, but inside the kernel's .bss. */
		blob(AXVM_IMAGE_RAMDISK, MIB, RAM + 31 * MIB),
	};

	(void)state;
	slots[0].gpa = RAM + 2 * MIB;
	assert_int_equal(axvmi_image_place(&ram, 1, slots, 2), AXVM_EEXIST);
	slots[1].gpa = RAM + 32 * MIB;
	assert_int_equal(axvmi_image_place(&ram, 1, slots, 2), 0);
}

static void firmware_and_raw_images_need_an_address(void **state)
{
	struct axvm_region_config ram = region(RAM, 128 * MIB);
	struct image_slot slot = blob(AXVM_IMAGE_BIOS, 1000, 0);

	(void)state;
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), AXVM_EINVAL);
	slot.kind = AXVM_IMAGE_RAW;
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), AXVM_EINVAL);
}

static void kernel_moves_past_given_images(void **state)
{
	struct axvm_region_config ram = region(RAM, 128 * MIB);
	struct image_slot slots[] = {
		blob(AXVM_IMAGE_DTB, 1000, RAM),
		blob(AXVM_IMAGE_RAW, 0x1000, RAM + 3 * MIB),
		kernel(2 * MIB),
		blob(AXVM_IMAGE_RAW, 1, RAM + 6 * MIB - 1),
	};

	(void)state;
	assert_int_equal(axvmi_image_place(&ram, 1, slots, 4), 0);
	assert_int_equal(slots[2].gpa, RAM + 6 * MIB);
	assert_disjoint(slots, 4);
}

static void kernel_base_stays_inside_the_region(void **state)
{
	/* An address 2 MiB below the second range's end would be outside. */
	struct axvm_region_config ram = region(RAM, 16 * MIB);
	struct image_slot slots[] = {
		kernel(MIB),
		blob(AXVM_IMAGE_RAW, 0x1000, RAM + 8 * MIB),
	};

	(void)state;
	slots[0].load_offset = 8 * MIB;
	assert_int_equal(axvmi_image_place(&ram, 1, slots, 2), 0);
	assert_int_equal(slots[0].gpa, RAM + 10 * MIB);
}

static void read_only_and_reserved_memory_is_never_chosen(void **state)
{
	struct axvm_region_config rams[] = {
		region(RAM, 128 * MIB),
		region(RAM + 128 * MIB, 128 * MIB),
		region(RAM + 256 * MIB, 128 * MIB),
	};
	struct image_slot slots[] = {
		kernel(MIB),
		blob(AXVM_IMAGE_RAMDISK, MIB, 0),
		blob(AXVM_IMAGE_DTB, 1000, 0),
		blob(AXVM_IMAGE_BIOS, 1000, RAM),
		blob(AXVM_IMAGE_RAW, 1000, RAM + 128 * MIB),
	};

	(void)state;
	rams[0].access = AXVM_READ | AXVM_EXEC;
	rams[1].kind = AXVM_REGION_RESERVED;
	assert_int_equal(axvmi_image_place(rams, 3, slots, 5), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_true(slots[i].gpa > RAM + 256 * MIB);
	assert_int_equal(axvmi_image_place(rams, 2, slots, 5), AXVM_ERANGE);
	slots[0].gpa = 0;
	slots[1].gpa = 0;
	slots[2].gpa = 0;
	assert_int_equal(axvmi_image_place(rams, 2, slots, 5), AXVM_ENOSPC);
	assert_int_equal(axvmi_image_place(rams, 2, &slots[1], 1), AXVM_ENOSPC);
}

static void blobs_prefer_the_kernels_region(void **state)
{
	struct axvm_region_config rams[] = {
		region(0, MIB),
		region(RAM, 16 * MIB),
		region(RAM * 2, 64 * MIB),
	};
	struct image_slot slots[] = {
		kernel(8 * MIB),
		blob(AXVM_IMAGE_RAMDISK, 32 * MIB, 0),
		blob(AXVM_IMAGE_DTB, 1000, 0),
	};

	(void)state;
	assert_int_equal(axvmi_image_place(rams, 3, slots, 3), 0);
	assert_int_equal(slots[0].gpa, RAM + 2 * MIB);
	assert_int_equal(slots[2].gpa, RAM + 16 * MIB - 0x20000);
	/* It does not fit there. */
	assert_int_equal(slots[1].gpa, RAM * 2 + 32 * MIB);
	slots[0].gpa = RAM * 2;
	slots[1] = blob(AXVM_IMAGE_RAMDISK, MIB, 0);
	slots[2].gpa = 0;
	assert_int_equal(axvmi_image_place(rams, 3, slots, 3), 0);
	assert_true(slots[1].gpa > RAM * 2 && slots[2].gpa > RAM * 2);
}

/* Every size of memory: all fit without overlap or nothing has changed. */
static void all_fit_or_no_space_at_every_memory_size(void **state)
{
	bool fitted = false;

	(void)state;
	for (uint64_t size = 0x1000; size <= 12 * MIB; size += 0x1000) {
		struct axvm_region_config ram = region(RAM, size);
		struct image_slot slots[] = {
			kernel(3 * MIB + 5),
			blob(AXVM_IMAGE_RAMDISK, 2 * MIB + 7, 0),
			blob(AXVM_IMAGE_DTB, 0x9001, 0),
			blob(AXVM_IMAGE_RAW, 16, RAM),
		};
		int error = axvmi_image_place(&ram, 1, slots, 4);

		if (error != 0) {
			assert_int_equal(error, AXVM_ENOSPC);
			/* More memory never fits less. */
			assert_false(fitted);
			assert_int_equal(slots[0].gpa | slots[1].gpa, 0);
			assert_int_equal(slots[2].gpa, 0);
			continue;
		}
		fitted = true;
		assert_disjoint(slots, 4);
		for (unsigned i = 0; i < 4; i++)
			assert_true(range_contains(RAM, size, slots[i].gpa,
						   slots[i].size));
		assert_true(is_aligned(slots[0].gpa, 2 * MIB));
		assert_true(is_aligned(slots[1].gpa, 4096));
		assert_true(is_aligned(slots[2].gpa, 65536));
	}
	assert_true(fitted);
}

static void memory_at_the_top_of_the_address_space_works(void **state)
{
	struct axvm_region_config ram = region(0 - 16 * MIB, 16 * MIB);
	struct image_slot slots[] = {
		kernel(4 * MIB),
		blob(AXVM_IMAGE_RAMDISK, MIB, 0),
		blob(AXVM_IMAGE_RAW, 0x1000, 0 - 0x1000 * UINT64_C(1)),
	};

	(void)state;
	assert_int_equal(axvmi_image_place(&ram, 1, slots, 3), 0);
	assert_int_equal(slots[0].gpa, 0 - 14 * MIB);
	assert_int_equal(slots[1].gpa, 0 - MIB - 0x1000);
	/* A kernel that runs into the last range has nowhere to go. */
	slots[0] = kernel(14 * MIB);
	assert_int_equal(axvmi_image_place(&ram, 1, slots, 3), AXVM_ENOSPC);
	ram = region(0 - MIB - 0x1000, MIB + 0x1000);
	slots[0] = kernel(4096);
	assert_int_equal(axvmi_image_place(&ram, 1, slots, 1), AXVM_ENOSPC);
}

static void absurd_sizes_are_no_space(void **state)
{
	struct axvm_region_config ram = region(RAM, 128 * MIB);
	struct image_slot slot = kernel(UINT64_MAX);

	(void)state;
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), AXVM_ENOSPC);
	slot = kernel(4096);
	slot.load_offset = UINT64_MAX - 3;
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), AXVM_ENOSPC);
	/* Both sums would wrap into the region. */
	ram = region(RAM + 0x1000, 128 * MIB);
	slot.load_offset = 0 - MIB;
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), AXVM_ENOSPC);
	ram = region(0 - MIB - 0x1000, MIB + 0x1000);
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), AXVM_ENOSPC);
	ram = region(RAM, 128 * MIB);
	slot = blob(AXVM_IMAGE_DTB, UINT64_MAX, 0);
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), AXVM_ENOSPC);
	slot = blob(AXVM_IMAGE_RAMDISK, UINT64_MAX, 0);
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), AXVM_ENOSPC);
	assert_int_equal(axvmi_image_place(NULL, 0, &slot, 1), AXVM_ENOSPC);
	assert_int_equal(axvmi_image_place(&ram, 1, NULL, 0), 0);
}

static void rounding_down_does_not_leave_the_region(void **state)
{
	struct axvm_region_config ram = region(RAM + 0x1000, 0x18000);
	struct image_slot slot = blob(AXVM_IMAGE_DTB, 0x1000, 0);

	(void)state;
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), AXVM_ENOSPC);
	ram.size = 0x20000;
	assert_int_equal(axvmi_image_place(&ram, 1, &slot, 1), 0);
	assert_int_equal(slot.gpa, RAM + 0x10000);
}

static void image_that_begins_below_a_region_does_no_harm(void **state)
{
	struct axvm_region_config rams[] = {region(0, 128 * MIB),
					    region(64 * MIB, 64 * MIB)};
	struct image_slot slots[] = {
		blob(AXVM_IMAGE_RAW, 2 * MIB, 63 * MIB),
		blob(AXVM_IMAGE_RAMDISK, 63 * MIB + MIB / 2, 0),
	};

	(void)state;
	rams[0].kind = AXVM_REGION_RESERVED;
	assert_int_equal(axvmi_image_place(rams, 2, slots, 2), AXVM_ENOSPC);
	slots[1].size = 63 * MIB;
	assert_int_equal(axvmi_image_place(rams, 2, slots, 2), 0);
	assert_int_equal(slots[1].gpa, 65 * MIB);
}

static void every_slot_can_be_used(void **state)
{
	struct axvm_region_config ram = region(RAM, 128 * MIB);
	struct image_slot slots[IMAGE_MAX_SLOTS];

	(void)state;
	slots[0] = kernel(MIB);
	slots[1] = blob(AXVM_IMAGE_RAMDISK, MIB, 0);
	slots[2] = blob(AXVM_IMAGE_DTB, MIB, 0);
	slots[3] = blob(AXVM_IMAGE_BIOS, MIB, RAM);
	/* In the way of everything that is chosen. */
	for (uint32_t i = 4; i < IMAGE_MAX_SLOTS; i++)
		slots[i] = blob(AXVM_IMAGE_RAW, 16 * 1024,
				i % 2 ? RAM + i * MIB / 2
				      : RAM + 128 * MIB - i * MIB / 4);
	assert_int_equal(axvmi_image_place(&ram, 1, slots, IMAGE_MAX_SLOTS), 0);
	assert_disjoint(slots, IMAGE_MAX_SLOTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(riscv_image_is_recognised_with_its_bss),
		cmocka_unit_test(arm64_image_states_page_size_and_placement),
		cmocka_unit_test(old_arm64_image_without_size_goes_to_512_kib),
		cmocka_unit_test(riscv_image_without_size_is_refused),
		cmocka_unit_test(big_endian_kernels_are_arm64s),
		cmocka_unit_test(image_of_another_machine_is_refused),
		cmocka_unit_test(file_longer_than_image_size_counts_whole),
		cmocka_unit_test(offset_plus_size_that_wraps_is_refused),
		cmocka_unit_test(offset_no_instruction_can_have_is_refused),
		cmocka_unit_test(anything_else_is_a_flat_binary),
		cmocka_unit_test(header_cut_short_is_a_flat_binary),
		cmocka_unit_test(empty_file_is_refused),
		cmocka_unit_test(files_for_other_loaders_are_refused),
		cmocka_unit_test(kernel_goes_to_ram_base_plus_text_offset),
		cmocka_unit_test(kernel_base_is_rounded_up_to_its_alignment),
		cmocka_unit_test(blobs_go_high_and_aligned),
		cmocka_unit_test(device_tree_has_room_to_grow),
		cmocka_unit_test(blobs_stay_within_1_gib_of_the_region),
		cmocka_unit_test(given_addresses_are_kept_as_they_are),
		cmocka_unit_test(given_address_outside_memory_is_refused),
		cmocka_unit_test(given_device_tree_must_be_aligned),
		cmocka_unit_test(two_given_addresses_that_overlap_are_refused),
		cmocka_unit_test(firmware_and_raw_images_need_an_address),
		cmocka_unit_test(kernel_moves_past_given_images),
		cmocka_unit_test(kernel_base_stays_inside_the_region),
		cmocka_unit_test(read_only_and_reserved_memory_is_never_chosen),
		cmocka_unit_test(blobs_prefer_the_kernels_region),
		cmocka_unit_test(all_fit_or_no_space_at_every_memory_size),
		cmocka_unit_test(memory_at_the_top_of_the_address_space_works),
		cmocka_unit_test(absurd_sizes_are_no_space),
		cmocka_unit_test(rounding_down_does_not_leave_the_region),
		cmocka_unit_test(image_that_begins_below_a_region_does_no_harm),
		cmocka_unit_test(every_slot_can_be_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
