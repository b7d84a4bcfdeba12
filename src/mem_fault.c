/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Stage-2 faults of guests and the frames of demand pages. Called by backends
 * after an exit and by copies; stage 2 is edited under vm->mem.
 */
#include "reserve.h"

/* Kept out of the way of the quick path, which would pay for its registers. */
#define COLD __attribute__((noinline))

/* Maps one frame into a hole of a demand region, under vm->mem. That owes no
 * flush and detaches nothing. */
static int map_frame(struct axvm_vm *vm, const struct axvm_region_config *r,
		     uint64_t page, uint64_t hpa)
{
	struct s2_map map = {
		.gpa = axvm_to_gpa(page),
		.size = PAGE_SIZE_4K,
		.hpa = axvm_to_hpa(hpa),
		.access = r->access,
		.type = AXVM_MEM_NORMAL,
	};
	struct s2_edit edit;

	axvmi_open_flush(vm, page, PAGE_SIZE_4K);
	axvmi_s2_edit_init(&edit, NULL, NULL);
	return axvmi_s2_map(&vm->s2, &map, &edit);
}

/* Where one walk and one store do not do. */
COLD static int map_reserved(struct axvm_vm *vm,
			     const struct axvm_region_config *r, uint64_t page,
			     void *frame)
{
	int err = map_frame(vm, r, page, axvmi_virt_to_phys(vm->host, frame));

	if (err != AXVM_OK)
		axvmi_reserve_untake(vm, frame);
	return err;
}

/*
 * The way of most faults: no zeroing, no callback, one turn under the lock, one
 * walk. Host interrupts are masked. EEXIST: the page is mapped; ENOMEM: the
 * reserve does not suffice; nothing has changed.
 */
__attribute__((always_inline)) static inline int
fill_from_reserve(struct axvm_vm *vm, const struct axvm_region_config *r,
		  uint64_t page)
{
	int err = AXVM_ENOMEM;
	void *frame;

	/* Not worth the lock where there is no reserve. */
	if (load_relaxed(&vm->reserve.held) == 0)
		return AXVM_ENOMEM;
	spin_lock(&vm->mem);
	frame = axvmi_reserve_take(vm);
	if (frame != NULL) {
		axvmi_open_flush(vm, page, PAGE_SIZE_4K);
		err = AXVM_OK;
		if (!axvmi_s2_fill(&vm->s2, page,
				   axvmi_virt_to_phys(vm->host, frame),
				   r->access))
			err = map_reserved(vm, r, page, frame);
	}
	spin_unlock(&vm->mem);
	return err;
}

static bool is_mapped(struct axvm_vm *vm, uint64_t page)
{
	struct s2_mapping mapping;
	uint64_t saved = vm->ops->interrupts_save();
	uint32_t token = axvmi_read_begin(vm);
	int err = axvmi_s2_query(&vm->s2, axvm_to_gpa(page), &mapping);

	axvmi_read_end(vm, token);
	vm->ops->interrupts_restore(saved);
	return err == AXVM_OK;
}

/*
 * The slow way. The frame is made ready without the lock; whoever maps first
 * wins, the other gives its frame back.
 */
static int fill_from_host(struct axvm_vm *vm,
			  const struct axvm_region_config *r, uint64_t page)
{
	struct axvm_host *host = vm->host;
	void *frame = axvmi_alloc_zeroed(host, PAGE_SIZE_4K, PAGE_SIZE_4K);
	uint64_t saved;
	int err;

	/* Somebody else may have got the last one, for this very page. */
	if (frame == NULL)
		return is_mapped(vm, page) ? AXVM_OK : AXVM_ENOMEM;
	axvmi_sync(vm, frame, PAGE_SIZE_4K);
	saved = axvmi_lock(host, &vm->mem);
	err = map_frame(vm, r, page, axvmi_virt_to_phys(host, frame));
	axvmi_unlock(host, &vm->mem, saved);
	if (err != AXVM_OK)
		axvmi_free(host, frame, PAGE_SIZE_4K);
	return err == AXVM_EEXIST ? AXVM_OK : err;
}

int axvmi_demand_fill(struct axvm_vm *vm, const struct axvm_region_config *r,
		      uint64_t page)
{
	uint64_t saved = vm->ops->interrupts_save();
	int err = fill_from_reserve(vm, r, page);

	vm->ops->interrupts_restore(saved);
	if (err == AXVM_OK || err == AXVM_EEXIST)
		return AXVM_OK;
	return fill_from_host(vm, r, page);
}

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
	if (axvmi_demand_fill(vcpu->vm, r, align_down(gpa, PAGE_SIZE_4K)) !=
	    AXVM_OK)
		return deny(vcpu, gpa, access, AXVM_FAULT_NO_MEMORY);
	return AXVMI_FAULT_RETRY;
}

COLD static enum axvmi_fault_result other_fault(struct axvm_vcpu *vcpu,
						uint64_t gpa, uint32_t access,
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

enum axvmi_fault_result axvmi_ram_fault(struct axvm_vcpu *vcpu, uint64_t gpa,
					uint32_t access,
					const struct axvmi_space *space)
{
	struct axvm_vm *vm = vcpu->vm;

	/* Most faults want a fresh page: no look before. */
	if (space->kind == AXVMI_SPACE_RAM) {
		const struct axvm_region_config *r =
			&vm->regions[space->range].config;

		if (r->kind == AXVM_REGION_DEMAND &&
		    (access & ~r->access) == 0 &&
		    fill_from_reserve(vm, r, align_down(gpa, PAGE_SIZE_4K)) ==
			    AXVM_OK)
			return AXVMI_FAULT_RETRY;
	}
	return other_fault(vcpu, gpa, access, space);
}
