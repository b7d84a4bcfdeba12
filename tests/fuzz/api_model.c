/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What the calls do to the reference, after vm.h, vcpu.h, irq.h and memory.h.
 * Nothing here asks the library, except for the frames it chose.
 */
#include "api_model.h"

struct model_vcpu *model_vcpu(struct model_vm *v, uint32_t index)
{
	return &v->vcpus[index];
}

uint32_t model_vcpus(const struct model_vm *v)
{
	return v->state == AXVM_VM_LOADING ? 0 : v->vcpu_count;
}

struct model_region *model_region(struct model_vm *v, uint64_t gpa)
{
	for (uint32_t i = 0; i < v->region_count; i++) {
		const struct axvm_region_config *c = &v->regions[i].config;

		if (gpa - c->gpa.value < c->size)
			return &v->regions[i];
	}
	return NULL;
}

struct model_page *model_page(struct model_vm *v, uint64_t gpa)
{
	struct model_region *r = model_region(v, gpa);

	return r == NULL ? NULL : &r->pages[(gpa - r->config.gpa.value) / PAGE];
}

uint32_t errors_of_vcpu(const struct model_vm *v, uint32_t index)
{
	if (v->vm == NULL)
		return E(AXVM_EINVAL);
	return index >= model_vcpus(v) ? E(AXVM_ENOENT) : 0;
}

/* ---- life ---- */

void model_create(struct model_vm *v, struct axvm_vm *vm,
		  const struct axvm_vm_config *config, bool big)
{
	memset(v, 0, sizeof(*v));
	v->vm = vm;
	v->state = AXVM_VM_LOADING;
	v->big = big;
	v->id = config->id;
	v->vcpu_count = config->cpu_num;
	v->region_count = config->region_count;
	for (uint32_t i = 0; i < config->emu_device_count; i++) {
		v->pic |= config->emu_devices[i].type ==
			  AXVM_EMU_INTERRUPT_CONTROLLER;
		v->pool |= config->emu_devices[i].type == AXVM_EMU_IVC_POOL;
	}
	for (uint32_t i = 0; i < config->region_count; i++) {
		struct model_region *r = &v->regions[i];

		r->config = config->regions[i];
		r->pages = calloc(r->config.size / PAGE, sizeof(*r->pages));
		if (r->pages == NULL)
			abort();
	}
	for (uint32_t i = 0; i < VCPUS; i++)
		v->vcpus[i].cpu = NOBODY;
}

/* Loops over pages tell the fuzzer nothing about what it explores. */
#if defined(__clang__)
#define UNOBSERVED __attribute__((no_sanitize("coverage")))
#else
#define UNOBSERVED
#endif

/* No two pages share a frame, unless the host has said so. */
UNOBSERVED static void claim_frame(struct fuzz *f,
				   const struct model_page *page)
{
	for (uint32_t n = 0; n < VMS; n++) {
		struct model_vm *v = &f->vms[n];

		for (uint32_t i = 0; v->vm != NULL && i < v->region_count;
		     i++) {
			const struct model_region *r = &v->regions[i];
			uint64_t count = r->config.size / PAGE;

			for (uint64_t k = 0; k < count; k++)
				require(f,
					&r->pages[k] == page ||
						!r->pages[k].mapped ||
						r->pages[k].foreign ||
						r->pages[k].hpa != page->hpa);
		}
	}
}

static void learn(struct fuzz *f, struct model_vm *v,
		  const struct model_region *r, uint64_t gpa)
{
	struct model_page *page = model_page(v, gpa);
	struct axvm_mapping mapping;

	require(f, axvm_query(v->vm, axvm_to_gpa(gpa), &mapping) == AXVM_OK);
	require(f, mapping.access == r->config.access);
	page->mapped = true;
	page->access = mapping.access;
	page->hpa = mapping.hpa.value;
	page->foreign = r->config.kind != AXVM_REGION_ALLOC &&
			r->config.kind != AXVM_REGION_DEMAND;
	if (!page->foreign && !v->big)
		claim_frame(f, page);
}

static void is_zero(struct fuzz *f, const struct model_page *page)
{
	static const uint8_t zero[PAGE];

	require(f, memcmp(test_hal_virt(f->t, axvm_to_hpa(page->hpa)), zero,
			  sizeof(zero)) == 0);
}

void model_filled(struct fuzz *f, struct model_vm *v, uint64_t gpa)
{
	learn(f, v, model_region(v, gpa), gpa & ~(PAGE - 1));
}

static bool has_images(const struct model_vm *v)
{
	uint32_t count = v->tables;

	for (unsigned i = 0; i <= AXVM_IMAGE_RAW; i++)
		count += v->images[i];
	return count != 0;
}

static void region_loaded(struct fuzz *f, struct model_vm *v,
			  const struct model_region *r)
{
	const struct axvm_region_config *c = &r->config;

	for (uint64_t off = 0; off < c->size; off += PAGE) {
		struct model_page *page = model_page(v, c->gpa.value + off);
		struct axvm_mapping mapping;

		page->mapped = false;
		if (c->kind != AXVM_REGION_DEMAND) {
			learn(f, v, r, c->gpa.value + off);
			page->first = page->hpa;
		} else if (axvm_query(v->vm, axvm_to_gpa(c->gpa.value + off),
				      &mapping) == AXVM_OK) {
			require(f, has_images(v));
			learn(f, v, r, c->gpa.value + off);
		}
		if (page->mapped && c->kind != AXVM_REGION_RESERVED &&
		    !has_images(v))
			is_zero(f, page);
		if (c->kind == AXVM_REGION_IDENTICAL ||
		    c->kind == AXVM_REGION_RESERVED)
			require(f, page->hpa == c->gpa.value + off);
		if (c->kind == AXVM_REGION_HOST)
			require(f, page->hpa == c->hpa.value + off);
	}
}

void model_loaded(struct fuzz *f, struct model_vm *v)
{
	v->state = AXVM_VM_LOADED;
	for (uint32_t i = 0; i < v->region_count; i++)
		region_loaded(f, v, &v->regions[i]);
}

void model_start(struct model_vcpu *vcpu, uint64_t entry, uint64_t argument)
{
	memset(vcpu->regs, 0, sizeof(vcpu->regs));
	vcpu->regs[2] = entry;
	vcpu->regs[3] = argument;
	vcpu->pc = 0;
	vcpu->csr = 0;
	vcpu->taken = 0;
	vcpu->wait = 0;
	vcpu->start_pending = false;
}

void model_boot(struct model_vm *v)
{
	struct model_vcpu *boot = &v->vcpus[0];

	v->state = AXVM_VM_RUNNING;
	model_start(boot, 0, 0);
	/* Where it starts depends on the images. */
	if (axvm_vcpu_get_reg(v->vm, 0, STUB_REG_ENTRY, &boot->regs[2]) !=
		    AXVM_OK ||
	    axvm_vcpu_get_reg(v->vm, 0, STUB_REG_ARGUMENT, &boot->regs[3]) !=
		    AXVM_OK)
		abort();
	boot->state = AXVM_VCPU_READY;
}

void model_try_stopped(struct model_vm *v)
{
	if (v->state != AXVM_VM_STOPPING)
		return;
	for (uint32_t i = 0; i < v->vcpu_count; i++) {
		if (v->vcpus[i].state == AXVM_VCPU_RUNNING ||
		    v->vcpus[i].cpu != NOBODY)
			return;
	}
	v->state = AXVM_VM_STOPPED;
}

void model_stopping(struct fuzz *f, struct model_vm *v, uint32_t self)
{
	v->state = AXVM_VM_STOPPING;
	for (uint32_t i = 0; i < v->vcpu_count; i++) {
		if (i != self)
			model_notify(f, v, i);
	}
}

static void restore(struct model_region *r)
{
	for (uint64_t i = 0; i < r->config.size / PAGE; i++) {
		struct model_page *page = &r->pages[i];

		page->mapped = r->config.kind != AXVM_REGION_DEMAND;
		page->hpa = page->first;
		page->access = r->config.access;
	}
}

void model_reset(struct fuzz *f, struct model_vm *v)
{
	v->resetting = false;
	v->batch = false;
	v->batch_dirty = false;
	memset(v->links, 0, sizeof(v->links));
	v->edges = 0;
	for (uint32_t i = 0; i < v->vcpu_count; i++) {
		struct model_vcpu *vcpu = &v->vcpus[i];

		vcpu->state = AXVM_VCPU_OFF;
		vcpu->kicked = false;
		vcpu->wait = 0;
		vcpu->answered = false;
		vcpu->starting = false;
		vcpu->start_pending = false;
		vcpu->edges = 0;
	}
	for (uint32_t i = 0; i < DEVICES; i++)
		v->devices[i].expected = 0;
	for (uint32_t i = 0; i < v->region_count; i++)
		restore(&v->regions[i]);
	/* The frames are those of before. */
	for (uint32_t i = 0; i < v->region_count; i++) {
		const struct model_region *r = &v->regions[i];

		for (uint64_t k = 0; k < r->config.size / PAGE; k++) {
			if (r->pages[k].mapped)
				check_page(f, v,
					   r->config.gpa.value + k * PAGE);
		}
	}
	model_loaded(f, v);
}

void model_destroyed(struct fuzz *f, struct model_vm *v)
{
	for (uint32_t i = 0; i < DEVICES; i++)
		require(f, v->devices[i].destroyed ==
				   (v->devices[i].owner != NULL));
	for (uint32_t i = 0; i < v->region_count; i++)
		free(v->regions[i].pages);
	memset(v, 0, sizeof(*v));
}

/* ---- residency ---- */

void model_put(struct fuzz *f, uint32_t cpu)
{
	struct model_cpu *c = &f->cpus[cpu];
	struct model_vm *v = c->vm;

	if (v == NULL)
		return;
	v->vcpus[c->vcpu].cpu = NOBODY;
	c->vm = NULL;
	model_try_stopped(v);
}

void model_load(struct fuzz *f, uint32_t cpu, struct model_vm *v, uint32_t vcpu)
{
	struct model_cpu *c = &f->cpus[cpu];

	if (c->vm == v && c->vcpu == vcpu)
		return;
	model_put(f, cpu);
	c->vm = v;
	c->vcpu = vcpu;
	v->vcpus[vcpu].cpu = cpu;
}

/* ---- inputs ---- */

void model_notify(struct fuzz *f, struct model_vm *v, uint32_t vcpu)
{
	if (v->vcpus[vcpu].state != AXVM_VCPU_BLOCKED)
		return;
	v->vcpus[vcpu].state = AXVM_VCPU_READY;
	require(f, test_hal_wakes(f->t, vcpu) != f->wakes[vcpu]);
}

uint64_t model_levels(const struct model_vm *v)
{
	uint64_t levels = v->host_levels;

	for (unsigned i = 0; i < 2; i++) {
		if (v->source_levels[i])
			levels |= UINT64_C(1) << v->sources[i].line;
	}
	return levels;
}

void model_line_changed(struct fuzz *f, struct model_vm *v, uint64_t before)
{
	uint64_t changed = before ^ model_levels(v);

	for (uint32_t line = 0; line < 64; line++) {
		if ((changed >> line & 1) != 0)
			model_notify(f, v, line % v->vcpu_count);
	}
}

uint64_t model_pending(struct model_vm *v, uint32_t vcpu)
{
	const struct model_vcpu *c = &v->vcpus[vcpu];
	uint64_t lines = model_levels(v) | v->edges;
	uint64_t mine = (uint64_t)(c->levels | c->taken) << 32;

	for (uint32_t line = 1; line < 64; line++) {
		if (line % v->vcpu_count == vcpu)
			mine |= lines & UINT64_C(1) << line;
	}
	return mine;
}

/* ---- devices ---- */

struct model_device *model_device_at(struct model_vm *v, uint64_t gpa)
{
	for (uint32_t i = 0; i < DEVICES; i++) {
		struct model_device *d = &v->devices[i];
		const struct axvm_device_range *r = &d->device.ranges[0];

		if (d->owner != NULL && r->bus == AXVM_BUS_MMIO &&
		    gpa - r->base < r->size)
			return d;
	}
	return NULL;
}
