/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Calls of boot.h and device.h: what is added to a VM before axvm_init(). */
#include "api_model.h"

unsigned gpa_bits(const struct fuzz *f)
{
	static const unsigned bits[] = {41, 50, 48, 40};

	return bits[f->config.format];
}

/* ---- images ---- */

void call_add_image(struct fuzz *f)
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

void call_add_device(struct fuzz *f)
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

void call_console(struct fuzz *f)
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

/* A device of the host where RAM or the controller is to be. */
bool devices_collide(const struct model_vm *v)
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
