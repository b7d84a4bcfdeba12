/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Image headers and placement. Owns nothing, takes no lock; called by boot.c
 * before anything is copied. An image is the host's input: whatever its header
 * says, the answer is a checked struct or AXVM_EFORMAT.
 */
#include "image.h"

#include "assert.h"
#include "axvm/error.h"
#include "bits.h"
#include "mem.h"

/*
 * Linux, "Boot image header in RISC-V Linux" and "Booting AArch64 Linux", 4:
 * both headers have the same outline, all fields little-endian.
 */
#define HEADER_SIZE 64u
#define HEADER_TEXT_OFFSET 8u
#define HEADER_IMAGE_SIZE 16u
#define HEADER_FLAGS 24u
#define HEADER_MAGIC 56u

#define MAGIC_RISCV64 0x05435352u /* "RSC\x05" */
#define MAGIC_AARCH64 0x644d5241u /* "ARM\x64" */

#define FLAG_BIG_ENDIAN BIT64(0)
/* AArch64 only; RISC-V reserves them. */
#define FLAG_PAGE_SIZE FIELD64(2, 1)
#define FLAG_ANYWHERE BIT64(3)

/* Both kernels count from a 2 MiB boundary. */
#define LINUX_ALIGN UINT64_C(0x200000)
/* AArch64 kernels before 3.17: image_size 0, text_offset not to be trusted. */
#define OLD_AARCH64_OFFSET UINT64_C(0x80000)

#define DTB_ALIGN UINT64_C(0x10000)
#define DTB_ROOM UINT64_C(0x10000)
/* Devicetree Specification v0.4, 5.6 Alignment */
#define DTB_MIN_ALIGN UINT64_C(8)
/*
 * Early kernels map little; "Booting AArch64 Linux", 2 and 3 also want the
 * blobs close to the kernel.
 */
#define HIGH_WINDOW UINT64_C(0x40000000)

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static uint64_t get64(const uint8_t *at)
{
	return get32(at) | (uint64_t)get32(at + 4) << 32;
}

static bool starts_with(const uint8_t *data, uint64_t size, uint64_t at,
			const char magic[4])
{
	return size >= at + 4 && memcmp(data + at, magic, 4) == 0;
}

/* Files that are meant to be loaded by something else first. */
static bool is_container(const uint8_t *data, uint64_t size)
{
	bool gzip =
		size >= 3 && data[0] == 0x1f && data[1] == 0x8b && data[2] == 8;
	/* A compressed kernel inside an EFI program. */
	bool zboot = starts_with(data, size, 0, "MZ\0\0") &&
		     starts_with(data, size, 4, "zimg");

	return starts_with(data, size, 0, "\177ELF") || gzip || zboot;
}

/*
 * Where firmware puts an S-mode payload, where QEMU and U-Boot put an AArch64
 * one, and where a PC's extended memory begins.
 */
static uint64_t flat_offset(enum image_machine machine)
{
	switch (machine) {
	case IMAGE_MACHINE_RISCV64:
		return UINT64_C(0x200000);
	case IMAGE_MACHINE_AARCH64:
		return UINT64_C(0x80000);
	case IMAGE_MACHINE_X86_64:
		break;
	}
	return UINT64_C(0x100000);
}

static void probe_flat(uint64_t size, enum image_machine machine,
		       struct image_info *info)
{
	info->format = IMAGE_FLAT;
	info->align = PAGE_SIZE_4K;
	info->load_offset = flat_offset(machine);
	info->memory = size;
}

static void probe_linux(const uint8_t *data, uint64_t size,
			struct image_info *info)
{
	uint64_t image_size = get64(data + HEADER_IMAGE_SIZE);

	info->align = LINUX_ALIGN;
	info->load_offset = get64(data + HEADER_TEXT_OFFSET);
	/*
	 * image_size covers .bss. It may be less than the file: U-Boot carries
	 * its device tree behind what its own header counts.
	 */
	info->memory = image_size > size ? image_size : size;
}

static int probe_riscv64(const uint8_t *data, uint64_t size,
			 struct image_info *info)
{
	info->format = IMAGE_LINUX_RISCV64;
	/* The size is mandatory here: without it .bss has no known end. */
	if (get64(data + HEADER_IMAGE_SIZE) == 0 ||
	    (get64(data + HEADER_FLAGS) & FLAG_BIG_ENDIAN) != 0)
		return AXVM_EFORMAT;
	probe_linux(data, size, info);
	return 0;
}

/* A big-endian kernel sets the order itself. */
static int probe_aarch64(const uint8_t *data, uint64_t size,
			 struct image_info *info)
{
	static const uint32_t page_sizes[] = {0, 0x1000, 0x4000, 0x10000};
	uint64_t flags = get64(data + HEADER_FLAGS);

	probe_linux(data, size, info);
	info->format = IMAGE_LINUX_AARCH64;
	info->page_size = page_sizes[FIELD_GET(FLAG_PAGE_SIZE, flags)];
	info->anywhere = (flags & FLAG_ANYWHERE) != 0;
	if (get64(data + HEADER_IMAGE_SIZE) == 0)
		info->load_offset = OLD_AARCH64_OFFSET;
	return 0;
}

static int probe_format(const uint8_t *data, uint64_t size,
			enum image_machine machine, struct image_info *info)
{
	uint32_t magic = size >= HEADER_SIZE ? get32(data + HEADER_MAGIC) : 0;

	if (magic == MAGIC_RISCV64)
		return machine == IMAGE_MACHINE_RISCV64
			       ? probe_riscv64(data, size, info)
			       : AXVM_EFORMAT;
	if (magic == MAGIC_AARCH64)
		return machine == IMAGE_MACHINE_AARCH64
			       ? probe_aarch64(data, size, info)
			       : AXVM_EFORMAT;
	if (is_container(data, size))
		return AXVM_EFORMAT;
	probe_flat(size, machine, info);
	return 0;
}

int axvmi_image_probe(const void *data, uint64_t size,
		      enum image_machine machine, struct image_info *info)
{
	struct image_info found = {0};
	int error;

	if (size == 0)
		return AXVM_EFORMAT;
	error = probe_format(data, size, machine, &found);
	if (error != 0)
		return error;
	/* The first instruction, and entry_offset 0, is at the load address. */
	if (!is_aligned(found.load_offset, 4) ||
	    found.load_offset > UINT64_MAX - found.memory)
		return AXVM_EFORMAT;
	*info = found;
	return 0;
}

/* Ranges that have an address, in the order in which they got it. */
struct placement {
	const struct axvm_region_config *regions;
	uint32_t region_count;
	uint32_t preferred; /* region to try first: the kernel's */
	uint32_t taken_count;
	struct {
		uint64_t start;
		uint64_t size;
		uint32_t slot;
	} taken[IMAGE_MAX_SLOTS];
};

/* The first range in the way, or -1. */
static int conflict(const struct placement *p, uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; i < p->taken_count; i++) {
		if (range_overlaps(p->taken[i].start, p->taken[i].size, start,
				   size))
			return (int)i;
	}
	return -1;
}

static void take(struct placement *p, uint32_t slot, uint64_t start,
		 uint64_t size)
{
	AXVMI_ASSERT(p->taken_count < IMAGE_MAX_SLOTS);
	p->taken[p->taken_count].start = start;
	p->taken[p->taken_count].size = size;
	p->taken[p->taken_count].slot = slot;
	p->taken_count++;
}

static int find_region(const struct placement *p, uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; i < p->region_count; i++) {
		if (range_contains(p->regions[i].gpa.value, p->regions[i].size,
				   start, size))
			return (int)i;
	}
	return -1;
}

/* RESERVED memory belongs to whoever filled it; ROM is no free memory. */
static bool may_choose(const struct axvm_region_config *region)
{
	return region->kind != AXVM_REGION_RESERVED &&
	       (region->access & AXVM_WRITE) != 0;
}

static int place_given(struct placement *p, const struct image_slot *slot,
		       uint32_t index)
{
	int region = find_region(p, slot->gpa, slot->size);

	if (slot->kind == AXVM_IMAGE_DTB &&
	    !is_aligned(slot->gpa, DTB_MIN_ALIGN))
		return AXVM_EINVAL;
	if (region < 0)
		return AXVM_ERANGE;
	if (conflict(p, slot->gpa, slot->size) >= 0)
		return AXVM_EEXIST;
	if (slot->kind == AXVM_IMAGE_KERNEL)
		p->preferred = (uint32_t)region;
	take(p, index, slot->gpa, slot->size);
	return 0;
}

/* The base must lie in the region as well. */
static bool low_candidate(const struct image_slot *slot,
			  const struct axvm_region_config *region,
			  uint64_t base, uint64_t *gpa)
{
	if (base > UINT64_MAX - (slot->align - 1))
		return false;
	base = align_down(base + (slot->align - 1), slot->align);
	if (slot->load_offset > UINT64_MAX - base)
		return false;
	*gpa = base + slot->load_offset;
	return range_contains(region->gpa.value, region->size, *gpa,
			      slot->size);
}

/*
 * Lowest fitting address in one region. Each turn passes one range that cannot
 * be in the way again, so turns are bounded by their number.
 */
static bool fit_low(const struct placement *p, const struct image_slot *slot,
		    const struct axvm_region_config *region, uint64_t *gpa)
{
	uint64_t base = region->gpa.value;

	while (low_candidate(slot, region, base, gpa)) {
		int other = conflict(p, *gpa, slot->size);
		uint64_t last;

		if (other < 0)
			return true;
		/*
		 * It ends behind *gpa, so this is above the old base. A range
		 * up to the last address leaves a base that wraps, and is
		 * refused.
		 */
		last = p->taken[other].start + (p->taken[other].size - 1);
		base = last + 1 - slot->load_offset;
	}
	return false;
}

/* Highest fitting address in one region's window, in the same manner. */
static bool fit_high(const struct placement *p, uint64_t size, uint64_t align,
		     const struct axvm_region_config *region, uint64_t *gpa)
{
	uint64_t start = region->gpa.value;
	uint64_t top = region->size < HIGH_WINDOW ? region->size : HIGH_WINDOW;

	while (size <= top) {
		int other;

		*gpa = align_down(start + (top - size), align);
		if (*gpa < start)
			return false;
		other = conflict(p, *gpa, size);
		if (other < 0)
			return true;
		if (p->taken[other].start <= start)
			return false;
		top = p->taken[other].start - start;
	}
	return false;
}

static int place_kernel(struct placement *p, const struct image_slot *slot,
			uint32_t index)
{
	AXVMI_ASSERT(is_power_of_two(slot->align));
	for (uint32_t i = 0; i < p->region_count; i++) {
		uint64_t gpa;

		if (!may_choose(&p->regions[i]) ||
		    !fit_low(p, slot, &p->regions[i], &gpa))
			continue;
		p->preferred = i;
		take(p, index, gpa, slot->size);
		return 0;
	}
	return AXVM_ENOSPC;
}

static int place_high(struct placement *p, const struct image_slot *slot,
		      uint32_t index)
{
	bool dtb = slot->kind == AXVM_IMAGE_DTB;
	uint64_t align = dtb ? DTB_ALIGN : PAGE_SIZE_4K;
	uint64_t room = dtb ? DTB_ROOM : 0;

	if (slot->size > UINT64_MAX - room)
		return AXVM_ENOSPC;
	for (uint32_t i = 0; i < p->region_count; i++) {
		const struct axvm_region_config *region =
			&p->regions[(p->preferred + i) % p->region_count];
		uint64_t gpa;

		if (!may_choose(region) ||
		    !fit_high(p, slot->size + room, align, region, &gpa))
			continue;
		take(p, index, gpa, slot->size + room);
		return 0;
	}
	return AXVM_ENOSPC;
}

static int place_chosen(struct placement *p, const struct image_slot *slot,
			uint32_t index)
{
	switch (slot->kind) {
	case AXVM_IMAGE_KERNEL:
		return place_kernel(p, slot, index);
	case AXVM_IMAGE_DTB:
	case AXVM_IMAGE_RAMDISK:
		return place_high(p, slot, index);
	case AXVM_IMAGE_BIOS:
	case AXVM_IMAGE_RAW:
		break;
	}
	return AXVM_EINVAL;
}

/* All slots that `wanted` selects: given addresses or those of one kind. */
static int place_all(struct placement *p, const struct image_slot *slots,
		     uint32_t count, int wanted)
{
	for (uint32_t i = 0; i < count; i++) {
		int error = 0;

		AXVMI_ASSERT(slots[i].size != 0);
		if (slots[i].gpa != 0 && wanted < 0)
			error = place_given(p, &slots[i], i);
		else if (slots[i].gpa == 0 && (int)slots[i].kind == wanted)
			error = place_chosen(p, &slots[i], i);
		if (error != 0)
			return error;
	}
	return 0;
}

int axvmi_image_place(const struct axvm_region_config *regions,
		      uint32_t region_count, struct image_slot *slots,
		      uint32_t slot_count)
{
	/*
	 * Given addresses first, then the kernel, which is bound to low ones.
	 * The kinds without a choice come last, to be refused.
	 */
	static const int order[] = {-1,
				    AXVM_IMAGE_KERNEL,
				    AXVM_IMAGE_DTB,
				    AXVM_IMAGE_RAMDISK,
				    AXVM_IMAGE_BIOS,
				    AXVM_IMAGE_RAW};
	struct placement p = {.regions = regions, .region_count = region_count};

	for (uint32_t i = 0; i < ARRAY_SIZE(order); i++) {
		int error = place_all(&p, slots, slot_count, order[i]);

		if (error != 0)
			return error;
	}
	for (uint32_t i = 0; i < p.taken_count; i++)
		slots[p.taken[i].slot].gpa = p.taken[i].start;
	return 0;
}
