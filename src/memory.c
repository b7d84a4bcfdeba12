/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Changes of the mapping while the VM lives. Stage 2 is edited under vm->mem and
 * walked by copies and queries (mem_copy.c) in read sections without it.
 */
#include "internal.h"

/*
 * As axvmi_batch_begin(), if the mapping may be edited at all: a reset or
 * destroy that has begun meanwhile has it to itself.
 */
static int edit_begin(struct axvm_vm *vm, struct axvmi_mem_batch *batch)
{
	uint32_t state;

	axvmi_batch_begin(vm, batch);
	state = load_acquire(&vm->state);
	if (state != AXVM_VM_LOADING && state != AXVM_VM_STOPPED &&
	    load_relaxed(&vm->destroying) == 0)
		return AXVM_OK;
	axvmi_batch_end(vm, batch);
	return AXVM_ESTATE;
}

struct axvmi_region *axvmi_region_find(struct axvm_vm *vm, uint64_t gpa)
{
	const struct axvmi_space *space =
		axvmi_bus_find(&vm->bus[AXVM_BUS_MMIO], gpa);

	if (space == NULL || space->kind != AXVMI_SPACE_RAM)
		return NULL;
	return &vm->regions[space->range];
}
static int check_edit(struct axvm_vm *vm, uint64_t gpa, uint64_t size,
		      struct axvmi_region **region)
{
	struct axvmi_region *found;
	uint32_t state;

	if (vm == NULL || !range_valid(gpa, size) ||
	    !is_aligned(gpa | size, PAGE_SIZE_4K))
		return AXVM_EINVAL;
	state = load_acquire(&vm->state);
	if (state == AXVM_VM_LOADING || state == AXVM_VM_STOPPED)
		return AXVM_ESTATE;
	found = axvmi_region_find(vm, gpa);
	if (found == NULL || !range_contains(found->config.gpa.value,
					     found->config.size, gpa, size))
		return AXVM_ERANGE;
	*region = found;
	return AXVM_OK;
}

int axvmi_demand_unmap(struct axvm_vm *vm, struct axvmi_mem_batch *batch,
		       uint64_t *gpa, uint64_t last)
{
	struct axvm_gpa at = axvm_to_gpa(*gpa);
	bool more = true;

	while (batch->frame_count < AXVMI_BATCH_FRAMES && more) {
		struct s2_mapping mapping;

		more = axvmi_s2_next(&vm->s2, &at, last, &mapping) == AXVM_OK;
		if (!more)
			break;
		/* A 4K leaf: nothing to split, so this cannot fail. */
		if (axvmi_s2_unmap(&vm->s2, at, PAGE_SIZE_4K, &batch->edit) !=
		    AXVM_OK)
			AXVMI_ASSERT(false);
		batch->frames[batch->frame_count++] = mapping.hpa.value;
		more = last - at.value >= PAGE_SIZE_4K;
		at.value += PAGE_SIZE_4K;
	}
	axvmi_batch_end(vm, batch);
	*gpa = at.value;
	return more ? AXVM_EAGAIN : AXVM_OK;
}

int axvm_unmap(struct axvm_vm *vm, struct axvm_gpa gpa, uint64_t size)
{
	struct axvmi_region *region;
	struct axvmi_mem_batch batch;
	int err = check_edit(vm, gpa.value, size, &region);

	if (err != AXVM_OK)
		return err;
	if (region->config.kind == AXVM_REGION_DEMAND) {
		uint64_t last = gpa.value + (size - 1);

		do {
			err = edit_begin(vm, &batch);
			if (err == AXVM_OK)
				err = axvmi_demand_unmap(vm, &batch, &gpa.value,
							 last);
		} while (err == AXVM_EAGAIN);
		return err;
	}
	err = edit_begin(vm, &batch);
	if (err != AXVM_OK)
		return err;
	region->edited = true;
	err = axvmi_s2_unmap(&vm->s2, gpa, size, &batch.edit);
	axvmi_batch_end(vm, &batch);
	return err;
}

static void sync_frames(struct axvm_vm *vm, uint64_t hpa, uint64_t size)
{
	/* Page by page: the host's mapping is linear inside one only. */
	for (uint64_t off = 0; off < size; off += PAGE_SIZE_4K)
		axvmi_sync_data(vm, axvmi_phys_to_virt(vm->host, hpa + off),
				PAGE_SIZE_4K);
	axvmi_sync_code(vm);
}

int axvm_map(struct axvm_vm *vm, struct axvm_gpa gpa, struct axvm_hpa hpa,
	     uint64_t size, uint32_t access)
{
	struct axvmi_region *region;
	struct axvmi_mem_batch batch;
	struct s2_map map = {
		.gpa = gpa,
		.size = size,
		.hpa = hpa,
		.access = access,
		.type = AXVM_MEM_NORMAL,
	};
	int err = check_edit(vm, gpa.value, size, &region);

	if (err != AXVM_OK)
		return err;
	if (!range_valid(hpa.value, size) ||
	    !is_aligned(hpa.value, PAGE_SIZE_4K))
		return AXVM_EINVAL;
	if (region->config.kind == AXVM_REGION_DEMAND)
		return AXVM_ERANGE;
	if ((access & ~region->config.access) != 0 ||
	    axvmi_host_forbids(vm, hpa.value, size))
		return AXVM_EPERM;
	err = edit_begin(vm, &batch);
	if (err != AXVM_OK)
		return err;
	/* Before the guest can see it; the host may have put code there. */
	sync_frames(vm, hpa.value, size);
	region->edited = true;
	err = axvmi_s2_map(&vm->s2, &map, &batch.edit);
	axvmi_batch_end(vm, &batch);
	return err;
}

/* Less than a large leaf at a time, so that nothing is merged into one: frames
 * of demand regions come and go one by one. */
#define DEMAND_PROTECT (UINT64_C(1) << 20)

static int demand_protect(struct axvm_vm *vm, uint64_t gpa, uint64_t size,
			  uint32_t access, struct s2_edit *edit)
{
	int err = AXVM_OK;

	for (uint64_t off = 0; off < size; off += PAGE_SIZE_4K) {
		struct s2_mapping mapping;

		if (axvmi_s2_query(&vm->s2, axvm_to_gpa(gpa + off), &mapping) !=
		    AXVM_OK)
			return AXVM_ENOENT;
	}
	for (uint64_t off = 0; off < size && err == AXVM_OK;
	     off += DEMAND_PROTECT) {
		uint64_t n = size - off < DEMAND_PROTECT ? size - off
							 : DEMAND_PROTECT;

		err = axvmi_s2_protect(&vm->s2, axvm_to_gpa(gpa + off), n,
				       access, edit);
	}
	return err;
}

int axvm_protect(struct axvm_vm *vm, struct axvm_gpa gpa, uint64_t size,
		 uint32_t access)
{
	struct axvmi_region *region;
	struct axvmi_mem_batch batch;
	int err = check_edit(vm, gpa.value, size, &region);

	if (err != AXVM_OK)
		return err;
	if ((access & ~region->config.access) != 0)
		return AXVM_EPERM;
	err = edit_begin(vm, &batch);
	if (err != AXVM_OK)
		return err;
	region->edited = true;
	err = region->config.kind == AXVM_REGION_DEMAND
		      ? demand_protect(vm, gpa.value, size, access, &batch.edit)
		      : axvmi_s2_protect(&vm->s2, gpa, size, access,
					 &batch.edit);
	axvmi_batch_end(vm, &batch);
	return err;
}
