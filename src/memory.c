/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Changes of the mapping while the VM lives. Stage 2 is edited under vm->mem and
 * walked by copies and queries (mem_copy.c) in read sections without it.
 */
#include "internal.h"

/* An edit by the host: the lock is its own batch's, what it takes away may go to
 * the open one. */
struct host_edit {
	struct axvmi_mem_batch own;
	struct axvmi_mem_batch *batch;
};

/* A reset or destroy that has begun has the mapping to itself. */
bool axvmi_may_edit(const struct axvm_vm *vm)
{
	uint32_t state = load_acquire(&vm->state);

	return state != AXVM_VM_LOADING && state != AXVM_VM_STOPPED &&
	       load_relaxed(&vm->destroying) == 0;
}

static void edit_end(struct axvm_vm *vm, struct host_edit *edit)
{
	if (edit->batch == &edit->own)
		axvmi_batch_end(vm, &edit->own);
	else
		axvmi_open_part_end(vm, &edit->own);
}

static int edit_begin(struct axvm_vm *vm, struct host_edit *edit)
{
	axvmi_batch_lock(vm, &edit->own);
	edit->batch =
		load_relaxed(&vm->batch_open) != 0 ? &vm->open : &edit->own;
	if (axvmi_may_edit(vm))
		return AXVM_OK;
	edit_end(vm, edit);
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
	struct s2_mapping mapping;

	while (axvmi_s2_next(&vm->s2, &at, last, &mapping) == AXVM_OK) {
		int err;

		if (batch->frame_count == AXVMI_BATCH_FRAMES) {
			*gpa = at.value;
			return AXVM_EAGAIN;
		}
		/* A 4K leaf: nothing to split, so this cannot fail. */
		err = axvmi_s2_unmap(&vm->s2, at, PAGE_SIZE_4K, &batch->edit);
		AXVMI_ASSERT(err == AXVM_OK);
		(void)err;
		batch->frames[batch->frame_count++] = mapping.hpa.value;
		if (last - at.value < PAGE_SIZE_4K)
			break;
		at.value += PAGE_SIZE_4K;
	}
	return AXVM_OK;
}

static int unmap_demand(struct axvm_vm *vm, uint64_t gpa, uint64_t last)
{
	struct host_edit edit;
	int err;

	do {
		err = edit_begin(vm, &edit);
		if (err != AXVM_OK)
			return err;
		err = axvmi_demand_unmap(vm, edit.batch, &gpa, last);
		edit_end(vm, &edit);
	} while (err == AXVM_EAGAIN);
	return err;
}

int axvm_unmap(struct axvm_vm *vm, struct axvm_gpa gpa, uint64_t size)
{
	struct axvmi_region *region;
	struct host_edit edit;
	int err = check_edit(vm, gpa.value, size, &region);

	if (err != AXVM_OK)
		return err;
	if (region->config.kind == AXVM_REGION_DEMAND)
		return unmap_demand(vm, gpa.value, gpa.value + (size - 1));
	err = edit_begin(vm, &edit);
	if (err != AXVM_OK)
		return err;
	region->edited = true;
	err = axvmi_s2_unmap(&vm->s2, gpa, size, &edit.batch->edit);
	edit_end(vm, &edit);
	return err;
}

/* Before the guest can see it; the host may have put code there. */
static void sync_frames(struct axvm_vm *vm, uint64_t hpa, uint64_t size)
{
	/* Page by page: the host's mapping is linear inside one only. */
	for (uint64_t off = 0; vm->ops->sync_guest_memory != NULL && off < size;
	     off += PAGE_SIZE_4K)
		axvmi_sync_data(vm, axvmi_phys_to_virt(vm->host, hpa + off),
				PAGE_SIZE_4K);
	axvmi_sync_code(vm);
}

static int check_map(struct axvm_vm *vm, const struct s2_map *map,
		     struct axvmi_region **region)
{
	int err = check_edit(vm, map->gpa.value, map->size, region);

	if (err != AXVM_OK)
		return err;
	if (!range_valid(map->hpa.value, map->size) ||
	    !is_aligned(map->hpa.value, PAGE_SIZE_4K) ||
	    (map->access & AXVM_READ) == 0)
		return AXVM_EINVAL;
	if ((*region)->config.kind == AXVM_REGION_DEMAND)
		return AXVM_ERANGE;
	if ((map->access & ~(*region)->config.access) != 0 ||
	    axvmi_host_forbids(vm, map->hpa.value, map->size))
		return AXVM_EPERM;
	return AXVM_OK;
}

int axvm_map(struct axvm_vm *vm, struct axvm_gpa gpa, struct axvm_hpa hpa,
	     uint64_t size, uint32_t access)
{
	struct axvmi_region *region;
	struct host_edit edit;
	struct s2_map map = {
		.gpa = gpa,
		.size = size,
		.hpa = hpa,
		.access = access,
		.type = AXVM_MEM_NORMAL,
	};
	int err = check_map(vm, &map, &region);

	if (err != AXVM_OK)
		return err;
	sync_frames(vm, hpa.value, size);
	err = edit_begin(vm, &edit);
	if (err != AXVM_OK)
		return err;
	region->edited = true;
	err = axvmi_s2_map(&vm->s2, &map, &edit.batch->edit);
	edit_end(vm, &edit);
	return err;
}

int axvm_map_pages_needed(struct axvm_vm *vm, struct axvm_gpa gpa,
			  struct axvm_hpa hpa, uint64_t size, uint64_t *pages)
{
	struct axvmi_region *region;
	struct host_edit edit;
	struct s2_map map = {
		.gpa = gpa,
		.size = size,
		.hpa = hpa,
		.access = AXVM_READ, /* rights do not change the number */
		.type = AXVM_MEM_NORMAL,
	};
	size_t needed;
	int err = pages == NULL ? AXVM_EINVAL : check_map(vm, &map, &region);

	if (err != AXVM_OK)
		return err;
	err = edit_begin(vm, &edit);
	if (err != AXVM_OK)
		return err;
	err = axvmi_s2_pages_needed(&vm->s2, &map, &needed);
	edit_end(vm, &edit);
	if (err == AXVM_OK)
		*pages = needed;
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
	struct host_edit edit;
	int err = check_edit(vm, gpa.value, size, &region);

	if (err != AXVM_OK)
		return err;
	if ((access & ~region->config.access) != 0)
		return AXVM_EPERM;
	err = edit_begin(vm, &edit);
	if (err != AXVM_OK)
		return err;
	region->edited = true;
	err = region->config.kind == AXVM_REGION_DEMAND
		      ? demand_protect(vm, gpa.value, size, access,
				       &edit.batch->edit)
		      : axvmi_s2_protect(&vm->s2, gpa, size, access,
					 &edit.batch->edit);
	edit_end(vm, &edit);
	return err;
}

/* Tables one call of axvm_compact() looks at. */
#define COMPACT_STEPS 64u

int axvm_compact(struct axvm_vm *vm, struct axvm_gpa gpa, uint64_t size,
		 uint64_t *done)
{
	struct s2_progress progress = {.max_steps = COMPACT_STEPS};
	struct axvmi_region *region;
	struct host_edit edit;
	int err;

	if (done == NULL)
		return AXVM_EINVAL;
	err = check_edit(vm, gpa.value, size, &region);
	if (err != AXVM_OK)
		return err;
	/* Frames of demand regions come and go one by one. */
	if (region->config.kind == AXVM_REGION_DEMAND)
		return AXVM_ERANGE;
	err = edit_begin(vm, &edit);
	if (err != AXVM_OK)
		return err;
	progress.done = *done;
	err = axvmi_s2_compact(&vm->s2, gpa, size, &progress,
			       &edit.batch->edit);
	edit_end(vm, &edit);
	if (err == AXVM_OK || err == AXVM_EAGAIN)
		*done = progress.done;
	return err;
}
