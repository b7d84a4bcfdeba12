/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Calls of vm.h: a VM from create to destroy. */
#include "api_model.h"

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* ---- create ---- */

struct plan {
	struct axvm_vm_config config;
	struct axvm_region_config regions[REGIONS];
	struct axvm_emu_device_config emus[3];
	struct axvm_range_config port;
	bool big;
};

static void add_region(struct plan *p, uint64_t gpa, uint64_t pages,
		       uint32_t access, enum axvm_region_kind kind)
{
	p->regions[p->config.region_count++] = (struct axvm_region_config){
		.gpa = {gpa},
		.size = pages * PAGE,
		.access = access,
		.kind = kind,
		.hpa = {kind == AXVM_REGION_HOST ? gpa : 0},
	};
}

static void plan_regions(struct fuzz *f, struct plan *p, uint32_t which,
			 uint64_t block)
{
	if ((which & 0x01) == 0)
		add_region(p, UINT64_C(0x80000000), p->big ? 544 : 16, AXVM_RWX,
			   AXVM_REGION_ALLOC);
	if ((which & 0x02) != 0)
		add_region(p, UINT64_C(0x90000000), 24, AXVM_RWX,
			   AXVM_REGION_DEMAND);
	if ((which & 0x04) != 0)
		add_region(p, UINT64_C(0xa0000000), 2, AXVM_READ,
			   AXVM_REGION_ALLOC);
	if ((which & 0x08) != 0) {
		add_region(p, UINT64_C(0xb0000000), 8, AXVM_RW,
			   AXVM_REGION_HOST);
		p->regions[p->config.region_count - 1].hpa.value = block;
	}
	if ((which & 0x10) != 0)
		add_region(p, block + 8 * PAGE, 4, AXVM_RW,
			   AXVM_REGION_IDENTICAL);
	if ((which & 0x20) != 0)
		add_region(p, block + 12 * PAGE, 4, AXVM_READ | AXVM_EXEC,
			   AXVM_REGION_RESERVED);
	if ((which & 0x40) != 0)
		add_region(p, UINT64_C(0x90100000), 4, AXVM_READ,
			   AXVM_REGION_DEMAND);
	(void)f;
}

static void make_plan(struct fuzz *f, struct plan *p)
{
	uint32_t which = take8(f);
	uint32_t how = take8(f);

	memset(p, 0, sizeof(*p));
	p->config.size = sizeof(p->config);
	p->config.cpu_num = 1 + how % VCPUS;
	p->config.id = 1 + (how >> 2 & 3);
	p->config.regions = p->regions;
	p->config.emu_devices = p->emus;
	p->big = (how & 0xc0) == 0xc0;
	plan_regions(f, p, which, f->blocks[(how >> 4) % BLOCKS].value);
	if ((which & 0x80) != 0)
		p->emus[p->config.emu_device_count++] =
			(struct axvm_emu_device_config){
				.gpa = {UINT64_C(0x0c000000)},
				.size = 0x1000,
				.type = AXVM_EMU_INTERRUPT_CONTROLLER,
			};
}

/* Makes the plan a wrong one; returns which errors name that. */
static uint32_t spoil(struct fuzz *f, struct plan *p)
{
	struct axvm_region_config *r = &p->regions[0];
	uint32_t which = take8(f);

	if (which >= 128 && which < 240)
		p->emus[p->config.emu_device_count++] =
			(struct axvm_emu_device_config){
				.gpa = {IVC_POOL},
				.size = IVC_POOL_SIZE,
				.irq = 11,
				.type = AXVM_EMU_IVC_POOL,
			};

	switch (which) {
	case 255:
		p->config.size--;
		return E(AXVM_EINVAL);
	case 254:
		p->config.cpu_num = 0;
		return E(AXVM_ERANGE);
	case 253:
		p->emus[1] = p->emus[0];
		p->emus[1].gpa.value = UINT64_C(0x0c000800);
		p->emus[1].size = 1;
		p->config.emu_device_count = 2;
		return E(AXVM_EEXIST) | E(AXVM_EINVAL);
	case 252:
		p->emus[0] = (struct axvm_emu_device_config){
			.size = 1, .type = AXVM_EMU_VIRTIO_BLK};
		p->config.emu_device_count = 1;
		return E(AXVM_ENOTSUP);
	case 251:
		if (p->config.region_count == 0)
			return 0;
		r->gpa.value += 8;
		return E(AXVM_EINVAL);
	case 250:
		if (p->config.region_count == 0)
			return 0;
		r->size = -r->gpa.value + PAGE;
		return E(AXVM_EINVAL);
	case 249:
		add_region(p, UINT64_C(1) << 45, 1, AXVM_RW,
			   AXVM_REGION_DEMAND);
		return gpa_bits(f) < 46 ? E(AXVM_ERANGE) : 0;
	case 248:
		p->config.kernel.entry.value = 1;
		return p->config.region_count == 0 ? 0 : E(AXVM_EINVAL);
	case 247:
		p->config.address_space_policy = AXVM_ADDRESS_SPACE_PASSTHROUGH;
		return E(AXVM_ENOTSUP);
	case 246:
		p->port = (struct axvm_range_config){
			.base = 8, .size = 8, .dma = AXVM_DMA_UNSPECIFIED};
		p->config.passthrough_port_count = 1;
		p->config.passthrough_ports = &p->port;
		return E(AXVM_EPERM);
	default:
		return 0;
	}
}

static uint32_t errors_of_machine(const struct fuzz *f, const struct plan *p)
{
	uint32_t errors = E(AXVM_ESTATE);

	for (uint32_t i = 0; i < CPUS; i++) {
		if (f->cpus[i].enabled)
			errors = 0;
	}
	for (uint32_t i = 0; i < VMS; i++) {
		if (f->vms[i].vm != NULL && f->vms[i].id == p->config.id)
			errors |= E(AXVM_EEXIST);
	}
	for (uint32_t i = 0; i < p->config.region_count; i++) {
		const struct axvm_region_config *r = &p->regions[i];

		if (is_foreign(r) && is_claimed(f, region_hpa(r), r->size))
			errors |= E(AXVM_EEXIST);
	}
	return errors;
}

/* The library copies the configuration: the plan dies here. */
static struct model_vm *create_in(struct fuzz *f, struct model_vm *v)
{
	struct axvm_config_error error;
	struct axvm_vm *vm = NULL;
	struct plan p;
	uint32_t errors;

	if (v->vm != NULL)
		return NULL;
	make_plan(f, &p);
	errors = spoil(f, &p);
	errors |= errors_of_machine(f, &p);
	if (!CALL(f, errors, axvm_create(f->host, &p.config, &error, &vm))) {
		require(f, vm == NULL);
		return NULL;
	}
	require(f, vm != NULL && axvm_vm_user(vm) == NULL);
	model_create(v, vm, &p.config, p.big);
	v->tables = !f->config.no_tables;
	axvm_vm_set_user(vm, v);
	return v;
}

static void call_create(struct fuzz *f)
{
	create_in(f, &f->vms[take8(f) % VMS]);
}

static void call_create_null(struct fuzz *f)
{
	uint32_t which = take8(f) % 3;
	struct axvm_vm *vm;
	struct plan p;

	make_plan(f, &p);
	CALL(f, E(AXVM_EINVAL) | E(AXVM_ESTATE),
	     axvm_create(which == 0 ? NULL : f->host,
			 which == 1 ? NULL : &p.config, NULL,
			 which == 2 ? NULL : &vm));
}

/* ---- the states ---- */

/* What images can cause depends on all of them: any of these will do. */
static uint32_t errors_of_images(const struct model_vm *v, int err)
{
	uint32_t possible = E(AXVM_ENOSPC) | E(AXVM_ERANGE) | E(AXVM_EEXIST) |
			    E(AXVM_EFORMAT) | E(AXVM_EINVAL);
	uint32_t count = v->tables;

	for (uint32_t i = 0; i <= AXVM_IMAGE_RAW; i++)
		count += v->images[i];
	return count == 0 || err == AXVM_OK ? 0 : possible;
}

static void init(struct fuzz *f, struct model_vm *v)
{
	struct ledger l = begin(f, "axvm_init");
	uint32_t errors = v->vm == NULL ? E(AXVM_EINVAL) : 0;
	int err;

	do
		err = axvm_init(v->vm);
	while (err == AXVM_EAGAIN);

	if (v->vm != NULL && v->state != AXVM_VM_LOADING)
		errors |= E(AXVM_ESTATE);
	else if (v->vm != NULL && devices_collide(v))
		errors |= E(AXVM_EEXIST);
	if (errors == 0)
		errors = errors_of_images(v, err);
	if (!judge(f, err, errors, &l))
		return;
	model_loaded(f, v);
	for (uint32_t i = 0; i < v->vcpu_count; i++)
		guest_program(f, v, i);
}

static void call_init(struct fuzz *f)
{
	init(f, pick_vm(f));
}

static void boot(struct fuzz *f, struct model_vm *v)
{
	uint32_t errors = v->vm == NULL ? E(AXVM_EINVAL) : 0;

	if (v->vm != NULL && v->state != AXVM_VM_LOADED)
		errors |= E(AXVM_ESTATE);
	if (CALL(f, errors, axvm_boot(v->vm)))
		model_boot(v);
}

static void call_boot(struct fuzz *f)
{
	boot(f, pick_vm(f));
}

static void call_shutdown(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t errors = v->vm == NULL ? E(AXVM_EINVAL) : 0;

	if (v->vm != NULL && v->state != AXVM_VM_RUNNING &&
	    v->state != AXVM_VM_SUSPENDED)
		errors |= E(AXVM_ESTATE);
	if (CALL(f, errors, axvm_shutdown(v->vm))) {
		model_stopping(f, v, NOBODY);
		model_try_stopped(v);
	}
}

static void reset(struct fuzz *f, struct model_vm *v)
{
	struct ledger l = begin(f, "axvm_reset");
	uint32_t errors = v->vm == NULL ? E(AXVM_EINVAL) : 0;
	int err;

	if (v->destroying)
		return;
	err = axvm_reset(v->vm);
	if (v->vm != NULL && v->state != AXVM_VM_STOPPED)
		errors |= E(AXVM_ESTATE);
	/* What it has done so far need not leave the ledger alone. */
	l.live = test_hal_live(f->t);
	l.bytes = test_hal_live_bytes(f->t);
	if (judge(f, err, err == AXVM_EAGAIN ? E(AXVM_EAGAIN) : errors, &l))
		model_reset(f, v);
	else if (err == AXVM_EAGAIN || err == AXVM_ENOMEM)
		v->resetting = true;
}

static void call_reset(struct fuzz *f)
{
	reset(f, &f->vms[take8(f) % VMS]);
}

/* On towards RUNNING, so that most inputs get somewhere. */
static void call_up(struct fuzz *f)
{
	struct model_vm *v = &f->vms[take8(f) % VMS];

	if (v->vm == NULL && create_in(f, v) == NULL)
		return;
	if (v->state == AXVM_VM_LOADING && !v->destroying)
		init(f, v);
	if (v->state == AXVM_VM_STOPPED)
		reset(f, v);
	if (v->state == AXVM_VM_LOADED && !v->destroying)
		boot(f, v);
}

static void call_destroy(struct fuzz *f)
{
	struct model_vm *v = &f->vms[take8(f) % VMS];
	struct ledger l = begin(f, "axvm_destroy");
	uint32_t errors = v->vm == NULL ? E(AXVM_EINVAL) : 0;
	int err = axvm_destroy(v->vm);

	if (v->state == AXVM_VM_RUNNING || v->state == AXVM_VM_STOPPING ||
	    v->state == AXVM_VM_SUSPENDED)
		errors |= E(AXVM_EBUSY);
	if (judge(f, err, err == AXVM_EAGAIN ? E(AXVM_EAGAIN) : errors, &l))
		model_destroyed(f, v);
	else if (err == AXVM_EAGAIN)
		v->destroying = true;
}

const struct api_call life_calls[] = {
	{"up", call_up, true},
	{"up", call_up, true},
	{"up", call_up, true},
	{"up", call_up, true},
	{"create", call_create, true},
	{"init", call_init, true},
	{"boot", call_boot, true},
	{"shutdown", call_shutdown, true},
	{"reset", call_reset, true},
	{"destroy", call_destroy, true},
	{"add_image", call_add_image, true},
	{"add_device", call_add_device, true},
	{"console", call_console, true},
	{"create of nothing", call_create_null, true},
};
const size_t life_call_count = ELEMENTS(life_calls);
