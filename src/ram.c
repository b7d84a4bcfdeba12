/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The frames behind guest memory: taken at init, zeroed then and at reset, given
 * back at destroy. Runs under vm->life with no vCPU in the guest; only the
 * frames of demand regions come and go while the guest runs (memory.c).
 */
#include "internal.h"

/* What hal.alloc is asked for, largest first; a size refused once is not asked
 * for again in the region. */
static const uint64_t piece_sizes[] = {
	UINT64_C(1) << 30,
	UINT64_C(2) << 20,
	UINT64_C(64) << 10,
	UINT64_C(4) << 10,
};

struct piece {
	void *virt;
	uint64_t size;
	uint64_t offset; /* in the region */
};

#define CHUNK_PIECES 170u

struct axvmi_piece_chunk {
	struct axvmi_piece_chunk *next;
	uint32_t count;
	uint32_t reserved;
	struct piece pieces[CHUNK_PIECES];
};

/* One call of reset or destroy zeroes at most this many bytes, walks at most
 * this many frames. */
#define STEP_BYTES (UINT64_C(4) << 20)
#define STEP_FRAMES 512u
#define STEP_BATCHES (STEP_FRAMES / AXVMI_BATCH_FRAMES)

void axvmi_sync_data(struct axvm_vm *vm, void *virt, uint64_t size)
{
	if (vm->ops->sync_guest_memory != NULL)
		vm->ops->sync_guest_memory(virt, size);
}

void axvmi_sync_code(struct axvm_vm *vm)
{
	if (vm->ops->sync_guest_code != NULL)
		vm->ops->sync_guest_code();
	if (vm->ops->sync_each_cpu) {
		for (uint32_t i = 0; i < load_acquire(&vm->vcpus_ready); i++)
			axvmi_mark(vm->vcpus[i], AXVMI_ATTN_SYNC);
	}
}

void axvmi_sync(struct axvm_vm *vm, void *virt, uint64_t size)
{
	axvmi_sync_data(vm, virt, size);
	axvmi_sync_code(vm);
}

/* ---- taking ---- */

static struct piece *piece_slot(struct axvm_vm *vm, struct axvmi_region *region)
{
	struct axvmi_piece_chunk *chunk = region->chunks;

	if (chunk == NULL || chunk->count == CHUNK_PIECES) {
		chunk = axvmi_alloc_zeroed(vm->host, sizeof(*chunk), 64);
		if (chunk == NULL)
			return NULL;
		chunk->next = region->chunks;
		region->chunks = chunk;
	}
	return &chunk->pieces[chunk->count];
}

/* A zeroed piece of at most `left` bytes; *order is where to begin asking. */
static bool piece_take(struct axvm_vm *vm, uint64_t left, unsigned *order,
		       struct piece *piece)
{
	while (*order < ARRAY_SIZE(piece_sizes)) {
		uint64_t size = piece_sizes[*order];

		if (size <= left) {
			piece->virt = axvmi_alloc(vm->host, size, size);
			piece->size = size;
			if (piece->virt != NULL)
				return true;
		}
		++*order;
	}
	return false;
}

static int map_frames(struct axvm_vm *vm, const struct axvm_region_config *r,
		      uint64_t offset, struct axvm_hpa hpa, uint64_t size)
{
	struct s2_map map = {
		.gpa = axvm_to_gpa(r->gpa.value + offset),
		.size = size,
		.hpa = hpa,
		.access = r->access,
		.type = AXVM_MEM_NORMAL,
	};
	struct axvmi_mem_batch batch;
	int err;

	axvmi_batch_begin(vm, &batch);
	err = axvmi_s2_map(&vm->s2, &map, &batch.edit);
	axvmi_batch_end(vm, &batch);
	return err;
}

static int map_piece(struct axvm_vm *vm, const struct axvm_region_config *r,
		     const struct piece *piece)
{
	uint64_t hpa = axvmi_virt_to_phys(vm->host, piece->virt);

	return map_frames(vm, r, piece->offset, axvm_to_hpa(hpa), piece->size);
}

static int region_alloc(struct axvm_vm *vm, struct axvmi_region *region)
{
	const struct axvm_region_config *r = &region->config;
	unsigned order = 0;
	uint64_t done = 0;

	while (done < r->size) {
		struct piece *piece = piece_slot(vm, region);
		int err;

		if (piece == NULL ||
		    !piece_take(vm, r->size - done, &order, piece))
			return AXVM_ENOMEM;
		region->chunks->count++;
		piece->offset = done;
		err = map_piece(vm, r, piece);
		if (err != AXVM_OK)
			return err;
		done += piece->size;
	}
	return AXVM_OK;
}

static int region_init(struct axvm_vm *vm, struct axvmi_region *region)
{
	const struct axvm_region_config *r = &region->config;

	if (r->kind == AXVM_REGION_DEMAND)
		return AXVM_OK;
	if (r->kind == AXVM_REGION_ALLOC)
		return region_alloc(vm, region);
	return map_frames(vm, r, 0, axvm_to_hpa(axvmi_region_hpa(r)), r->size);
}

/* Takes the first `count` regions off the map of an init that failed. */
static void regions_forget(struct axvm_vm *vm, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		axvmi_bus_remove(vm, AXVM_BUS_MMIO,
				 vm->config.regions[i].gpa.value);
}

static int region_add(struct axvm_vm *vm, uint32_t i)
{
	const struct axvm_region_config *r = &vm->config.regions[i];
	struct axvmi_space space = {
		.start = r->gpa.value,
		.last = r->gpa.value + (r->size - 1),
		.range = i,
		.kind = AXVMI_SPACE_RAM,
	};
	int err = axvmi_bus_add(vm, AXVM_BUS_MMIO, &space);

	if (err != AXVM_OK)
		return err;
	vm->regions[i].config = *r;
	err = region_init(vm, &vm->regions[i]);
	if (err != AXVM_OK)
		axvmi_bus_remove(vm, AXVM_BUS_MMIO, r->gpa.value);
	return err;
}

static int regions_init(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->config.region_count; i++) {
		int err = region_add(vm, i);

		if (err != AXVM_OK) {
			regions_forget(vm, i);
			return err;
		}
	}
	return AXVM_OK;
}

/* A VM may have no region at all: the host maps nothing then. */
static size_t regions_size(const struct axvm_vm *vm)
{
	uint32_t count = vm->config.region_count;

	return (count == 0 ? 1 : count) * sizeof(struct axvmi_region);
}

static void memory_free(struct axvm_vm *vm);

int axvmi_memory_init(struct axvm_vm *vm)
{
	size_t size = regions_size(vm);
	int err;

	axvmi_pool_init(vm);
	vm->regions = axvmi_alloc_zeroed(vm->host, size, 64);
	if (vm->regions == NULL)
		return AXVM_ENOMEM;
	err = axvmi_s2_init(&vm->s2, &vm->format, &vm->pool);
	if (err != AXVM_OK) {
		axvmi_free(vm->host, vm->regions, size);
		vm->regions = NULL;
		return err;
	}
	err = regions_init(vm);
	if (err != AXVM_OK)
		memory_free(vm);
	return err;
}

/* ---- giving back ---- */

/*
 * Unmaps and frees pages of a demand region from step_offset on, STEP_FRAMES or
 * more of them. True when the region is through.
 */
static bool demand_drop(struct axvm_vm *vm, const struct axvm_region_config *r)
{
	uint64_t gpa = r->gpa.value + vm->step_offset;
	uint64_t last = r->gpa.value + (r->size - 1);

	for (unsigned n = 0; n < STEP_BATCHES; n++) {
		struct axvmi_mem_batch batch;
		int err;

		axvmi_batch_begin(vm, &batch);
		err = axvmi_demand_unmap(vm, &batch, &gpa, last);
		axvmi_batch_end(vm, &batch);
		if (err == AXVM_OK)
			return true;
	}
	vm->step_offset = gpa - r->gpa.value;
	return false;
}

/* Drops the demand regions from step_region on, in steps; true when done. */
static bool demand_drop_all(struct axvm_vm *vm)
{
	while (vm->step_region < vm->config.region_count) {
		const struct axvm_region_config *r =
			&vm->regions[vm->step_region].config;

		if (r->kind == AXVM_REGION_DEMAND && !demand_drop(vm, r))
			return false;
		vm->step_region++;
		vm->step_offset = 0;
	}
	return true;
}

static void pieces_free(struct axvm_vm *vm, struct axvmi_region *region)
{
	while (region->chunks != NULL) {
		struct axvmi_piece_chunk *chunk = region->chunks;

		for (uint32_t i = 0; i < chunk->count; i++)
			axvmi_free(vm->host, chunk->pieces[i].virt,
				   chunk->pieces[i].size);
		region->chunks = chunk->next;
		axvmi_free(vm->host, chunk, sizeof(*chunk));
	}
}

int axvmi_memory_release(struct axvm_vm *vm)
{
	(void)axvmi_open_end(vm);
	/* A reset that was given up half-way may have left its cursor. */
	if (!vm->releasing) {
		vm->releasing = true;
		vm->step_region = 0;
		vm->step_offset = 0;
	}
	if (!demand_drop_all(vm))
		return AXVM_EAGAIN;
	if (axvmi_s2_destroy(&vm->s2, STEP_FRAMES) != AXVM_OK)
		return AXVM_EAGAIN;
	for (uint32_t i = 0; i < vm->config.region_count; i++)
		pieces_free(vm, &vm->regions[i]);
	axvmi_free(vm->host, vm->regions, regions_size(vm));
	vm->regions = NULL;
	vm->releasing = false;
	vm->step_region = 0;
	return AXVM_OK;
}

static void memory_free(struct axvm_vm *vm)
{
	while (axvmi_memory_release(vm) != AXVM_OK)
		;
	/* Tables that were the reserve's are its again. */
	axvmi_reserve_wash(vm);
}

void axvmi_memory_fini(struct axvm_vm *vm)
{
	memory_free(vm);
	regions_forget(vm, vm->config.region_count);
}

/* ---- zeroing ---- */

/* Of code that was here no instruction cache knows when the guest begins: a
 * vCPU that is loaded first after power-on drops what its CPU holds. */
static void zero_page(struct axvm_vm *vm, uint64_t hpa)
{
	void *virt = axvmi_phys_to_virt(vm->host, hpa);

	memset(virt, 0, PAGE_SIZE_4K);
	axvmi_sync_data(vm, virt, PAGE_SIZE_4K);
}

/* Zeroes what is mapped in a region from step_offset on; true when through. */
static bool region_zero(struct axvm_vm *vm, const struct axvm_region_config *r,
			uint64_t *budget)
{
	uint64_t last = r->gpa.value + (r->size - 1);

	while (*budget != 0) {
		struct axvm_gpa gpa =
			axvm_to_gpa(r->gpa.value + vm->step_offset);
		struct s2_mapping mapping;

		if (axvmi_s2_next(&vm->s2, &gpa, last, &mapping) != AXVM_OK)
			return true;
		zero_page(vm, align_down(mapping.hpa.value, PAGE_SIZE_4K));
		*budget -= PAGE_SIZE_4K;
		if (last - gpa.value < PAGE_SIZE_4K)
			return true;
		vm->step_offset = gpa.value - r->gpa.value + PAGE_SIZE_4K;
	}
	return false;
}

static int map_pieces(struct axvm_vm *vm, const struct axvmi_region *region)
{
	const struct axvmi_piece_chunk *chunk = region->chunks;
	int err = AXVM_OK;

	for (; chunk != NULL; chunk = chunk->next) {
		for (uint32_t i = 0; i < chunk->count && err == AXVM_OK; i++)
			err = map_piece(vm, &region->config, &chunk->pieces[i]);
	}
	return err;
}

/*
 * Maps a region as configured again, after axvm_unmap() and its like. When it
 * runs out of memory the next reset begins it anew.
 */
static int region_restore(struct axvm_vm *vm, struct axvmi_region *region)
{
	const struct axvm_region_config *r = &region->config;
	struct axvmi_mem_batch batch;
	int err;

	if (!region->edited)
		return AXVM_OK;
	axvmi_batch_begin(vm, &batch);
	err = axvmi_s2_unmap_sparse(&vm->s2, r->gpa, r->size, &batch.edit);
	axvmi_batch_end(vm, &batch);
	if (err == AXVM_OK)
		err = r->kind == AXVM_REGION_ALLOC
			      ? map_pieces(vm, region)
			      : map_frames(vm, r, 0,
					   axvm_to_hpa(axvmi_region_hpa(r)),
					   r->size);
	if (err == AXVM_OK)
		region->edited = false;
	return err;
}

/* 0 when the region is through, EAGAIN, or ENOMEM. */
static int region_reset(struct axvm_vm *vm, struct axvmi_region *region,
			uint64_t *budget)
{
	const struct axvm_region_config *r = &region->config;
	int err;

	if (r->kind == AXVM_REGION_DEMAND)
		return demand_drop(vm, r) ? AXVM_OK : AXVM_EAGAIN;
	err = region_restore(vm, region);
	if (err != AXVM_OK || r->kind == AXVM_REGION_RESERVED)
		return err;
	return region_zero(vm, r, budget) ? AXVM_OK : AXVM_EAGAIN;
}

int axvmi_memory_reset(struct axvm_vm *vm)
{
	uint64_t budget = STEP_BYTES;
	int err = AXVM_OK;

	(void)axvmi_open_end(vm);
	while (vm->step_region < vm->config.region_count) {
		err = region_reset(vm, &vm->regions[vm->step_region], &budget);
		if (err != AXVM_OK)
			break;
		vm->step_region++;
		vm->step_offset = 0;
	}
	if (err == AXVM_OK)
		vm->step_region = 0;
	return err;
}
