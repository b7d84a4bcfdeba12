/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Compares the library with the reference by everything the library shows:
 * states, registers, what every page of every VM is mapped to.
 */
#include "api_model.h"

/* A large leaf says one thing about many pages: it must be true of all. */
static void check_leaf(struct fuzz *f, struct model_vm *v, uint64_t gpa,
		       const struct axvm_mapping *mapping)
{
	const struct model_region *r = model_region(v, gpa);
	const struct model_page *first = model_page(v, gpa);
	uint64_t size = mapping->leaf_size;
	uint64_t base = gpa & ~(size - 1);

	require(f, size == PAGE || size == PAGE << 9 || size == PAGE << 18);
	if (size == PAGE)
		return;
	require(f, r->config.kind != AXVM_REGION_DEMAND);
	require(f, base >= r->config.gpa.value &&
			   base - r->config.gpa.value + size <= r->config.size);
	/* Its two ends; the pages between are asked for themselves. */
	for (unsigned end = 0; end < 2; end++) {
		uint64_t at = end == 0 ? base : base + size - PAGE;
		const struct model_page *page = model_page(v, at);

		require(f, page->mapped && page->access == first->access);
		require(f, page->hpa - first->hpa == at - (gpa & ~(PAGE - 1)));
	}
}

void check_page(struct fuzz *f, struct model_vm *v, uint64_t gpa)
{
	static const struct axvm_mapping untouched = {.leaf_size = 1};
	const struct model_page *page = model_page(v, gpa);
	struct axvm_mapping mapping = untouched;
	int err = axvm_query(v->vm, axvm_to_gpa(gpa), &mapping);

	if (page == NULL || !page->mapped) {
		require(f, err == AXVM_ENOENT);
		require(f, mapping.leaf_size == 1 && mapping.access == 0);
		return;
	}
	require(f, err == AXVM_OK);
	require(f, mapping.hpa.value == page->hpa + (gpa & (PAGE - 1)));
	require(f, mapping.access == page->access);
	require(f, mapping.type == AXVM_MEM_NORMAL);
	check_leaf(f, v, gpa, &mapping);
}

/* All of a small region; of a large one its ends and where leaves meet. */
static void check_region(struct fuzz *f, struct model_vm *v,
			 const struct model_region *r)
{
	uint64_t pages = r->config.size / PAGE;

	for (uint64_t i = 0; i < pages; i++) {
		if (pages > 64 && i >= 24 && i < 504)
			continue;
		check_page(f, v, r->config.gpa.value + i * PAGE + 8);
	}
	check_page(f, v, r->config.gpa.value - 1);
	check_page(f, v, r->config.gpa.value + r->config.size);
}

static void check_registers(struct fuzz *f, struct model_vm *v, uint32_t i)
{
	const struct model_vcpu *c = &v->vcpus[i];
	bool running = c->state == AXVM_VCPU_RUNNING;
	uint64_t value = 1;
	int err = axvm_vcpu_get_reg(v->vm, i, STUB_REG_CSR, &value);

	if (running || c->cpu != NOBODY) {
		require(f, err == AXVM_EBUSY && value == 1);
	} else {
		require(f, err == AXVM_OK && value == c->csr);
	}
	if (running)
		return;
	require(f, axvm_vcpu_get_reg(v->vm, i, AXVM_REG_PC, &value) == AXVM_OK);
	require(f, value == c->pc);
	for (uint32_t n = 0; n < STUB_REGS; n++) {
		require(f, axvm_vcpu_get_reg(v->vm, i, AXVM_REG_GPR(n),
					     &value) == AXVM_OK);
		require(f, value == c->regs[n]);
	}
}

static void check_vm(struct fuzz *f, struct model_vm *v)
{
	require(f, axvm_vm_state(v->vm) == v->state);
	require(f, axvm_vm_id(v->vm) == v->id);
	require(f, axvm_vm_user(v->vm) == v);
	require(f, axvm_vm_vcpu_count(v->vm) == v->vcpu_count);
	require(f, axvm_vm_get_config(v->vm)->region_count == v->region_count);
	require(f, axvm_vcpu_state(v->vm, v->vcpu_count) == AXVM_VCPU_OFF);
	for (uint32_t i = 0; i < v->vcpu_count; i++) {
		require(f, axvm_vcpu_state(v->vm, i) == v->vcpus[i].state);
		if (v->state != AXVM_VM_LOADING)
			check_registers(f, v, i);
	}
	for (uint32_t i = 0; i < v->region_count; i++) {
		if (v->state != AXVM_VM_LOADING)
			check_region(f, v, &v->regions[i]);
	}
}

void check_all(struct fuzz *f)
{
	for (uint32_t i = 0; i < VMS; i++) {
		struct model_vm *v = &f->vms[i];

		if (v->vm == NULL || v->destroying)
			continue;
		if (v->resetting) {
			require(f, axvm_vm_state(v->vm) == AXVM_VM_STOPPED);
			continue;
		}
		check_vm(f, v);
	}
	if (stub_violations(f->m) != 0)
		broken(f, stub_violation(f->m));
}
