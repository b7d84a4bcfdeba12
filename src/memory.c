/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Guest memory while the VM lives: faults, demand pages, copies, and changes of
 * the mapping. Stage 2 is edited under vm->mem and walked by copies and queries
 * in read sections without it.
 */
#include "internal.h"

/* Detached tables freed per turn while others may wait for vm->mem. */
#define RECLAIM_STEP 64u

static void flush_range(void *ctx, struct axvm_gpa gpa, uint64_t size)
{
	axvmi_tlb_shootdown(ctx, gpa.value, size);
}

void axvmi_batch_begin(struct axvm_vm *vm, struct axvmi_mem_batch *batch)
{
	batch->saved = axvmi_lock(vm->host, &vm->mem);
	axvmi_s2_edit_init(&batch->edit, flush_range, vm);
}

void axvmi_batch_end(struct axvm_vm *vm, struct axvmi_mem_batch *batch)
{
	struct s2_edit *edit = &batch->edit;

	if (edit->need_flush)
		axvmi_tlb_shootdown(vm, edit->flush_first,
				    edit->flush_last - edit->flush_first + 1);
	/* With break-before-make a merge has flushed already. */
	if (edit->garbage.head != 0 || edit->garbage.live_count != 0 ||
	    edit->need_flush) {
		axvmi_read_grace(vm);
		while (axvmi_s2_reclaim(&vm->s2, edit, RECLAIM_STEP) != AXVM_OK)
			;
	}
	axvmi_unlock(vm->host, &vm->mem, batch->saved);
}

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

/* Neither before init nor once a destroy has begun. */
static bool has_memory(const struct axvm_vm *vm)
{
	return load_acquire(&vm->state) != AXVM_VM_LOADING &&
	       load_acquire(&vm->destroying) == 0;
}

struct axvmi_region *axvmi_region_find(struct axvm_vm *vm, uint64_t gpa)
{
	const struct axvmi_space *space =
		axvmi_bus_find(&vm->bus[AXVM_BUS_MMIO], gpa);

	if (space == NULL || space->kind != AXVMI_SPACE_RAM)
		return NULL;
	return &vm->regions[space->range];
}

/* ---- demand pages ---- */

/*
 * Gives the page a zeroed frame. The frame is made ready without the lock;
 * whoever maps first wins, the other gives its frame back.
 */
static int demand_fill(struct axvm_vm *vm, const struct axvm_region_config *r,
		       uint64_t page)
{
	struct axvm_host *host = vm->host;
	void *frame = axvmi_alloc_zeroed(host, PAGE_SIZE_4K, PAGE_SIZE_4K);
	struct axvmi_mem_batch batch;
	struct s2_map map = {
		.gpa = axvm_to_gpa(page),
		.size = PAGE_SIZE_4K,
		.access = r->access,
		.type = AXVM_MEM_NORMAL,
	};
	int err;

	if (frame == NULL)
		return AXVM_ENOMEM;
	axvmi_sync(vm, frame, PAGE_SIZE_4K);
	map.hpa.value = axvmi_virt_to_phys(host, frame);
	axvmi_batch_begin(vm, &batch);
	err = axvmi_s2_map(&vm->s2, &map, &batch.edit);
	axvmi_batch_end(vm, &batch);
	if (err != AXVM_OK)
		axvmi_free(host, frame, PAGE_SIZE_4K);
	return err == AXVM_EEXIST ? AXVM_OK : err;
}

/* ---- faults ---- */

static enum axvmi_fault_result deny(struct axvm_vcpu *vcpu, uint64_t gpa,
				    uint32_t access, enum axvm_fault_kind kind)
{
	struct axvm_exit *exit = vcpu->exit;

	exit->gpa = gpa;
	exit->valid |= AXVM_EXIT_GPA_VALID;
	exit->u.fault.kind = kind;
	exit->u.fault.access = access;
	return AXVMI_FAULT_DENIED;
}

/* What a hole in the tables at gpa means. */
static enum axvmi_fault_result region_fault(struct axvm_vcpu *vcpu,
					    uint64_t gpa, uint32_t access,
					    const struct axvm_region_config *r)
{
	if ((r->access & access) != access)
		return deny(vcpu, gpa, access, AXVM_FAULT_PERMISSION);
	if (r->kind != AXVM_REGION_DEMAND)
		return deny(vcpu, gpa, access, AXVM_FAULT_UNMAPPED);
	if (demand_fill(vcpu->vm, r, align_down(gpa, PAGE_SIZE_4K)) != AXVM_OK)
		return deny(vcpu, gpa, access, AXVM_FAULT_NO_MEMORY);
	return AXVMI_FAULT_RETRY;
}

enum axvmi_fault_result axvmi_ram_fault(struct axvm_vcpu *vcpu, uint64_t gpa,
					uint32_t access,
					const struct axvmi_space *space)
{
	struct axvm_vm *vm = vcpu->vm;
	struct s2_mapping mapping;
	uint32_t token = axvmi_read_begin(vm);
	int err = axvmi_s2_query(&vm->s2, axvm_to_gpa(gpa), &mapping);

	axvmi_read_end(vm, token);
	if (err == AXVM_OK && (mapping.access & access) == access) {
		/* The tables allow it: another vCPU was faster, or the TLB
		 * still held the entry from before an upgrade. */
		vm->ops->tlb_flush_local(vm);
		return AXVMI_FAULT_SPURIOUS;
	}
	if (err == AXVM_OK)
		return deny(vcpu, gpa, access, AXVM_FAULT_PERMISSION);
	if (space->kind == AXVMI_SPACE_WINDOW)
		return deny(vcpu, gpa, access, AXVM_FAULT_UNMAPPED);
	return region_fault(vcpu, gpa, access,
			    &vm->regions[space->range].config);
}

/* ---- copies ---- */

/* One piece inside a page. Reads unless `from` is given. */
static int copy_piece(struct axvm_vm *vm, uint64_t gpa, void *to,
		      const void *from, size_t size, uint32_t access)
{
	struct s2_mapping mapping;
	/* Whoever edits waits for readers, which so must not be preempted. */
	uint64_t saved = vm->ops->interrupts_save();
	uint32_t token = axvmi_read_begin(vm);
	int err = axvmi_s2_query(&vm->s2, axvm_to_gpa(gpa), &mapping);

	if (err == AXVM_OK && (mapping.access & access) != access)
		err = AXVM_EFAULT;
	if (err == AXVM_OK) {
		void *virt = axvmi_phys_to_virt(vm->host, mapping.hpa.value);

		if (from != NULL) {
			memcpy(virt, from, size);
			axvmi_sync(vm, virt, size);
		} else {
			memcpy(to, virt, size);
		}
	}
	axvmi_read_end(vm, token);
	vm->ops->interrupts_restore(saved);
	return err;
}

static int copy_page(struct axvm_vm *vm, uint64_t gpa, void *to,
		     const void *from, size_t size, uint32_t access)
{
	const struct axvmi_region *region = axvmi_region_find(vm, gpa);
	int err;

	if (region == NULL)
		return AXVM_EFAULT;
	err = copy_piece(vm, gpa, to, from, size, access);
	if (err != AXVM_ENOENT)
		return err;
	if (region->config.kind != AXVM_REGION_DEMAND)
		return AXVM_EFAULT;
	err = demand_fill(vm, &region->config, align_down(gpa, PAGE_SIZE_4K));
	if (err != AXVM_OK)
		return err;
	err = copy_piece(vm, gpa, to, from, size, access);
	return err == AXVM_ENOENT ? AXVM_EFAULT : err;
}

static int copy(struct axvm_vm *vm, uint64_t gpa, uint8_t *to,
		const uint8_t *from, size_t size, uint32_t access)
{
	size_t done = 0;

	if (size != 0 && !range_valid(gpa, size))
		return AXVM_EFAULT;
	while (done < size) {
		uint64_t at = gpa + done;
		size_t room = PAGE_SIZE_4K - (at & (PAGE_SIZE_4K - 1));
		size_t n = size - done < room ? size - done : room;
		int err =
			copy_page(vm, at, to == NULL ? NULL : to + done,
				  from == NULL ? NULL : from + done, n, access);

		if (err != AXVM_OK)
			return err;
		done += n;
	}
	return AXVM_OK;
}

int axvmi_write_image(struct axvm_vm *vm, uint64_t gpa, const void *data,
		      size_t size)
{
	return copy(vm, gpa, NULL, data, size, 0);
}

int axvm_read_guest(struct axvm_vm *vm, struct axvm_gpa gpa, void *buffer,
		    size_t size)
{
	if (vm == NULL || buffer == NULL)
		return AXVM_EINVAL;
	if (!has_memory(vm))
		return AXVM_ESTATE;
	return copy(vm, gpa.value, buffer, NULL, size, AXVM_READ);
}

int axvm_write_guest(struct axvm_vm *vm, struct axvm_gpa gpa, const void *data,
		     size_t size)
{
	if (vm == NULL || data == NULL)
		return AXVM_EINVAL;
	if (!has_memory(vm))
		return AXVM_ESTATE;
	return copy(vm, gpa.value, NULL, data, size, AXVM_WRITE);
}

/* ---- changes by the host ---- */

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

/* Pages one turn of a demand unmap handles; their frames wait on the stack. */
#define DEMAND_BATCH 32u

int axvmi_demand_unmap(struct axvm_vm *vm, struct axvmi_mem_batch *batch,
		       uint64_t *gpa, uint64_t last)
{
	uint64_t frames[DEMAND_BATCH];
	struct axvm_gpa at = axvm_to_gpa(*gpa);
	unsigned count = 0;
	bool more = true;

	while (count < DEMAND_BATCH && more) {
		struct s2_mapping mapping;

		more = axvmi_s2_next(&vm->s2, &at, last, &mapping) == AXVM_OK;
		if (!more)
			break;
		/* A 4K leaf: nothing to split, so this cannot fail. */
		if (axvmi_s2_unmap(&vm->s2, at, PAGE_SIZE_4K, &batch->edit) !=
		    AXVM_OK)
			AXVMI_ASSERT(false);
		frames[count++] = mapping.hpa.value;
		more = last - at.value >= PAGE_SIZE_4K;
		at.value += PAGE_SIZE_4K;
	}
	axvmi_batch_end(vm, batch);
	for (unsigned i = 0; i < count; i++)
		axvmi_free(vm->host, axvmi_phys_to_virt(vm->host, frames[i]),
			   PAGE_SIZE_4K);
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

int axvm_query(struct axvm_vm *vm, struct axvm_gpa gpa,
	       struct axvm_mapping *mapping)
{
	struct s2_mapping found;
	uint64_t saved;
	uint32_t token;
	int err;

	if (vm == NULL || mapping == NULL)
		return AXVM_EINVAL;
	if (!has_memory(vm))
		return AXVM_ESTATE;
	saved = vm->ops->interrupts_save();
	token = axvmi_read_begin(vm);
	err = axvmi_s2_query(&vm->s2, gpa, &found);
	axvmi_read_end(vm, token);
	vm->ops->interrupts_restore(saved);
	if (err != AXVM_OK)
		return AXVM_ENOENT;
	mapping->hpa = found.hpa;
	mapping->leaf_size = found.leaf_size;
	mapping->access = found.access;
	mapping->type = found.type;
	return AXVM_OK;
}
