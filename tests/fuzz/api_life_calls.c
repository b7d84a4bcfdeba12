/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Calls of vm.h, boot.h and device.h: a VM from create to destroy. */
#include "api_model.h"

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* ---- create ---- */

struct plan {
	struct axvm_vm_config config;
	struct axvm_region_config regions[REGIONS];
	struct axvm_emu_device_config emus[2];
	struct axvm_range_config port;
	bool big;
};

static unsigned gpa_bits(const struct fuzz *f)
{
	static const unsigned bits[] = {41, 50, 48, 40};

	return bits[f->config.format];
}

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

	switch (take8(f)) {
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

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a - b < b_size || b - a < a_size;
}

static bool is_foreign(const struct axvm_region_config *r)
{
	return r->kind == AXVM_REGION_HOST ||
	       r->kind == AXVM_REGION_IDENTICAL ||
	       r->kind == AXVM_REGION_RESERVED;
}

static uint64_t region_hpa(const struct axvm_region_config *r)
{
	return r->kind == AXVM_REGION_HOST ? r->hpa.value : r->gpa.value;
}

static bool vm_claims(const struct model_vm *v, uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; v->vm != NULL && i < v->region_count; i++) {
		const struct axvm_region_config *r = &v->regions[i].config;

		if (is_foreign(r) &&
		    overlap(region_hpa(r), r->size, start, size))
			return true;
	}
	return false;
}

static bool is_reserved(const struct fuzz *f, uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; i < f->reserved_count; i++) {
		if (overlap(f->reserved[i].start, f->reserved[i].size, start,
			    size))
			return true;
	}
	return false;
}

static bool is_claimed(const struct fuzz *f, uint64_t start, uint64_t size)
{
	bool claimed = is_reserved(f, start, size);

	for (uint32_t i = 0; i < VMS; i++)
		claimed |= vm_claims(&f->vms[i], start, size);
	return claimed;
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

/* ---- images ---- */

static void call_add_image(struct fuzz *f)
{
	static const uint8_t flat[9000] = {0x13, 0, 0, 0, 0x5a};
	static const uint8_t elf[64] = {0x7f, 'E', 'L', 'F'};
	static const uint32_t sizes[] = {300, 9000, 1, 4096};
	struct model_vm *v = pick_vm(f);
	uint32_t kind = take8(f) % (AXVM_IMAGE_RAW + 2);
	uint32_t how = take8(f);
	struct axvm_image image = {.data = flat, .size = sizes[how & 3]};
	uint32_t errors = v->vm == NULL ? E(AXVM_EINVAL) : 0;

	if ((how & 0x0c) != 0)
		image.gpa.value = pick_gpa(f, v);
	if ((how & 0x30) == 0x30) {
		image.data = elf;
		image.size = sizeof(elf);
	}
	if (how == 0xc0)
		image.size = 0;
	if (image.size == 0 || kind > AXVM_IMAGE_RAW ||
	    image.gpa.value + (image.size - 1) < image.gpa.value ||
	    (kind == AXVM_IMAGE_RAW && image.gpa.value == 0))
		errors |= E(AXVM_EINVAL);
	if (v->vm != NULL && v->state != AXVM_VM_LOADING)
		errors |= E(AXVM_ESTATE);
	if (kind < AXVM_IMAGE_RAW && v->images[kind] == 1)
		errors |= E(AXVM_EEXIST);
	if (kind == AXVM_IMAGE_RAW && v->images[kind] == AXVM_MAX_RAW_IMAGES)
		errors |= E(AXVM_ENOSPC);
	if (CALL(f, errors,
		 axvm_add_image(v->vm, (enum axvm_image_kind)kind, &image)))
		v->images[kind]++;
}

/* ---- devices ---- */

static struct model_device *of_device(struct axvm_device *device)
{
	return (struct model_device *)(void *)device;
}

/* As the guest of api_guest.c expects it. */
static enum axvm_access_result device_access(struct axvm_device *device,
					     struct axvm_device_access *access)
{
	struct model_device *d = of_device(device);

	if (access->offset == 8)
		return AXVM_ACCESS_FAULT;
	if (access->offset == 16)
		return AXVM_ACCESS_EXIT;
	if (access->write == 0) {
		access->value = d->last;
		return AXVM_ACCESS_DONE;
	}
	d->last = access->value;
	if (access->offset == 24 &&
	    axvm_irq_set(access->vm, 9, (access->value & 1) != 0) != AXVM_OK)
		abort();
	return AXVM_ACCESS_DONE;
}

static void device_reset(struct axvm_device *device)
{
	of_device(device)->last = 0;
}

static void device_destroy(struct axvm_device *device)
{
	of_device(device)->destroyed++;
}

static const struct axvm_device_ops device_ops = {
	.name = "fuzzed",
	.access = device_access,
	.reset = device_reset,
	.destroy = device_destroy,
};
static const struct axvm_device_ops no_access = {.name = "broken"};

static void make_device(struct fuzz *f, struct axvm_device *device)
{
	static const uint64_t bases[] = {
		UINT64_C(0x10000000), UINT64_C(0x10001000),
		UINT64_C(0x10002000), UINT64_C(0x10000010),
		UINT64_C(0x80001000), UINT64_C(0x0c000ff8),
		UINT64_C(1) << 41,    UINT64_C(0xfff0),
	};
	static const uint64_t sizes[] = {0x20, 0x1000, 0x14, 0x20,
					 0x18, 0x20,   0,    UINT64_MAX};
	static const uint32_t widths[] = {15, 8, 12, 15, 4, 15, 0, 16};
	uint32_t a = take8(f);
	uint32_t b = take8(f);

	*device = (struct axvm_device){
		.ops = (b & 0x1f) == 0x1f ? &no_access : &device_ops,
		.flags = (b & 0xe0) == 0xe0 ? 2 : b >> 5 & 1,
		.range_count = (b & 0x1f) == 0x1e ? 5 : 1,
		.ranges = {{
			.bus = (enum axvm_bus)((b & 7) < 5 ? 0 : (b & 7) - 4),
			.base = bases[a & 7],
			.size = sizes[a >> 3 & 7],
			.widths = widths[(a >> 6) + (b >> 3 & 1) * 4],
		}},
	};
}

static uint32_t errors_of_range(const struct fuzz *f,
				const struct axvm_device_range *r)
{
	uint64_t last = r->base + (r->size - 1);
	uint64_t limit = (UINT64_C(1) << gpa_bits(f)) - 1;

	if ((unsigned)r->bus > AXVM_BUS_SYSREG || r->size == 0 ||
	    last < r->base || r->widths == 0 || r->widths > 15)
		return E(AXVM_EINVAL);
	if (r->bus == AXVM_BUS_PORT)
		limit = UINT16_MAX;
	if (r->bus == AXVM_BUS_SYSREG)
		limit = UINT32_MAX;
	return last > limit ? E(AXVM_ERANGE) : 0;
}

static uint32_t errors_of_device(const struct fuzz *f, const struct model_vm *v,
				 const struct axvm_device *device)
{
	const struct axvm_device_range *r = &device->ranges[0];
	uint32_t errors = errors_of_range(f, r);

	if (device->ops == &no_access || device->flags > 1 ||
	    device->range_count != 1)
		errors |= E(AXVM_EINVAL);
	for (uint32_t i = 0; i < DEVICES; i++) {
		const struct axvm_device_range *other =
			&v->devices[i].device.ranges[0];

		if (v->devices[i].owner != NULL && other->bus == r->bus &&
		    overlap(r->base, r->size, other->base, other->size))
			errors |= E(AXVM_EEXIST);
	}
	if (v->state != AXVM_VM_LOADING)
		errors |= E(AXVM_ESTATE);
	return errors;
}

static void call_add_device(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	struct model_device *d = &v->devices[take8(f) % DEVICES];

	if (v->vm == NULL) {
		CALL(f, E(AXVM_EINVAL), axvm_add_device(NULL, &d->device));
		return;
	}
	if (d->owner == NULL)
		make_device(f, &d->device);
	if (CALL(f, errors_of_device(f, v, &d->device),
		 axvm_add_device(v->vm, &d->device)))
		d->owner = v;
}

static bool console_write(void *ctx, uint8_t byte)
{
	(void)ctx;
	return byte != 0;
}

static void call_console(struct fuzz *f)
{
	struct axvm_debug_console console = {.write = console_write};
	struct model_vm *v = pick_vm(f);
	uint32_t how = take8(f);
	uint32_t errors = 0;

	if ((how & 1) != 0)
		console.write = NULL;
	if (v->vm == NULL || ((how & 1) != 0 && (how & 2) == 0))
		errors |= E(AXVM_EINVAL);
	if (v->vm != NULL && v->state != AXVM_VM_LOADING)
		errors |= E(AXVM_ESTATE);
	CALL(f, errors,
	     axvm_set_debug_console(v->vm, (how & 2) != 0 ? NULL : &console));
}

/* ---- the states ---- */

/* A device of the host where RAM or the controller is to be. */
static bool devices_collide(const struct model_vm *v)
{
	for (uint32_t i = 0; i < DEVICES; i++) {
		const struct model_device *d = &v->devices[i];
		const struct axvm_device_range *r = &d->device.ranges[0];

		if (d->owner == NULL || r->bus != AXVM_BUS_MMIO)
			continue;
		if (v->pic &&
		    overlap(r->base, r->size, UINT64_C(0x0c000000), 0x1000))
			return true;
		for (uint32_t k = 0; k < v->region_count; k++) {
			const struct axvm_region_config *c =
				&v->regions[k].config;

			if (overlap(r->base, r->size, c->gpa.value, c->size))
				return true;
		}
	}
	return false;
}

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
	int err = axvm_init(v->vm);

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

	if (v->vm != NULL && v->state != AXVM_VM_RUNNING)
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

	if (v->state == AXVM_VM_RUNNING || v->state == AXVM_VM_STOPPING)
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

/* ---- host.h ---- */

static void call_enable(struct fuzz *f)
{
	uint32_t index = take8(f) % (CPUS + 3);
	uint32_t hw_id = 100 + take8(f) % (CPUS + 1);
	struct axvm_cpu *cpu = NULL;
	uint32_t errors = index > CPUS ? E(AXVM_ERANGE) : 0;

	if (index < CPUS && f->cpus[index].enabled)
		errors |= E(AXVM_EEXIST);
	if (index < CPUS && !f->cpus[index].enabled) {
		stub_be(f->m, index);
		if (CALL(f, 0, stub_cpu_enable(f->m, index)))
			f->cpus[index].enabled = true;
		return;
	}
	/* Index CPUS exists, but its hart may not. */
	if (index == CPUS &&
	    (hw_id == 100 + CPUS || !f->cpus[hw_id - 100].enabled))
		return;
	if (index == CPUS)
		errors |= E(AXVM_EEXIST);
	CALL(f, errors, axvm_cpu_enable(f->host, index, hw_id, &cpu));
	require(f, cpu == NULL);
}

static void call_disable(struct fuzz *f)
{
	uint32_t cpu = pick_cpu(f);
	uint32_t errors = f->cpus[cpu].enabled ? 0 : E(AXVM_EINVAL);

	if (f->cpus[cpu].running)
		errors |= E(AXVM_EBUSY);
	if (f->cpus[cpu].enabled) {
		if (CALL(f, errors, stub_cpu_disable(f->m, cpu))) {
			f->cpus[cpu].enabled = false;
			model_put(f, cpu);
		}
	} else {
		CALL(f, errors, axvm_cpu_disable(NULL));
	}
}

static void call_release(struct fuzz *f)
{
	uint32_t cpu = pick_cpu(f);
	uint32_t errors = f->cpus[cpu].enabled ? 0 : E(AXVM_EINVAL);

	if (f->cpus[cpu].running)
		errors |= E(AXVM_EBUSY);
	stub_be(f->m, cpu);
	if (CALL(f, errors, axvm_cpu_release(stub_cpu(f->m, cpu))))
		model_put(f, cpu);
}

static void call_reserve(struct fuzz *f)
{
	uint64_t start = f->blocks[take8(f) % BLOCKS].value;
	uint64_t size = take8(f) * UINT64_C(64);
	uint32_t errors = size == 0 ? E(AXVM_EINVAL) : 0;

	start += take8(f) * UINT64_C(256);
	if (f->reserved_count >= 8)
		return;
	if (size != 0 && is_claimed(f, start, size))
		errors |= E(AXVM_EEXIST);
	if (CALL(f, errors,
		 axvm_host_reserve(f->host, axvm_to_hpa(start), size)))
		f->reserved[f->reserved_count++] =
			(struct model_range){start, size};
}

static void call_host_destroy(struct fuzz *f)
{
	bool busy = false;

	for (uint32_t i = 0; i < CPUS; i++)
		busy |= f->cpus[i].enabled;
	for (uint32_t i = 0; i < VMS; i++)
		busy |= f->vms[i].vm != NULL;
	if (busy)
		CALL(f, E(AXVM_EBUSY), axvm_host_destroy(f->host));
}

/* An allocation of the next call will fail. */
static void call_starve(struct fuzz *f)
{
	uint32_t how = take8(f);

	f->starve = 1 + (how >> 1) % 24;
	f->starve_on = (how & 1) != 0;
}

const struct api_call host_calls[] = {
	{"starve", call_starve, false},
	{"release", call_release, true},
	{"disable", call_disable, true},
	{"enable", call_enable, true},
	{"reserve", call_reserve, true},
	{"starve", call_starve, false},
	{"host_destroy", call_host_destroy, true},
};
const size_t host_call_count = ELEMENTS(host_calls);
