/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What a VM starts from: images are placed, copied into guest memory, and the
 * guest's tables generated. Runs under vm->life at init and at each reset.
 */
#include "internal.h"
#include "image.h"

/* Room for the tables the library generates. */
#define TABLES_SIZE (UINT64_C(64) << 10)

static uint32_t images_of(const struct axvm_vm *vm, enum axvm_image_kind kind)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < vm->image_count; i++)
		count += vm->images[i].kind == kind;
	return count;
}

int axvm_add_image(struct axvm_vm *vm, enum axvm_image_kind kind,
		   const struct axvm_image *image)
{
	uint32_t limit = kind == AXVM_IMAGE_RAW ? AXVM_MAX_RAW_IMAGES : 1;
	int err = AXVM_OK;

	if (vm == NULL || image == NULL || image->data == NULL ||
	    (unsigned)kind > AXVM_IMAGE_RAW ||
	    !range_valid((uintptr_t)image->data, image->size) ||
	    !range_valid(image->gpa.value, image->size) ||
	    (kind == AXVM_IMAGE_RAW && image->gpa.value == 0))
		return AXVM_EINVAL;
	spin_lock(&vm->life);
	if (!axvmi_may_add(vm)) {
		err = AXVM_ESTATE;
	} else if (images_of(vm, kind) == limit) {
		err = kind == AXVM_IMAGE_RAW ? AXVM_ENOSPC : AXVM_EEXIST;
	} else {
		vm->images[vm->image_count].kind = kind;
		vm->images[vm->image_count].image = *image;
		vm->image_count++;
	}
	spin_unlock(&vm->life);
	return err;
}

/* ---- placing ---- */

struct plan {
	struct image_slot slots[IMAGE_MAX_SLOTS];
	/* Of the slot's image; NULL: generated tables. */
	const struct axvm_image *images[IMAGE_MAX_SLOTS];
	uint32_t count;
	struct image_info kernel;
};

static uint64_t configured_gpa(const struct axvm_vm *vm,
			       enum axvm_image_kind kind)
{
	const struct axvm_kernel_config *kernel = &vm->config.kernel;

	switch (kind) {
	case AXVM_IMAGE_KERNEL:
		return kernel->kernel_gpa.value;
	case AXVM_IMAGE_RAMDISK:
		return kernel->ramdisk_gpa.value;
	case AXVM_IMAGE_DTB:
		return kernel->dtb_gpa.value;
	case AXVM_IMAGE_BIOS:
		return kernel->bios_gpa.value;
	case AXVM_IMAGE_RAW:
		break;
	}
	return 0;
}

static struct image_slot *plan_slot(struct axvm_vm *vm, struct plan *plan,
				    enum axvm_image_kind kind,
				    const struct axvm_image *image)
{
	struct image_slot *slot = &plan->slots[plan->count];

	slot->kind = kind;
	slot->align = 1;
	slot->size = image != NULL ? image->size : TABLES_SIZE;
	slot->gpa = image != NULL ? image->gpa.value : 0;
	if (slot->gpa == 0)
		slot->gpa = configured_gpa(vm, kind);
	plan->images[plan->count++] = image;
	return slot;
}

static int plan_kernel(struct axvm_vm *vm, struct plan *plan,
		       const struct axvm_image *image)
{
	struct image_slot *slot = plan_slot(vm, plan, AXVM_IMAGE_KERNEL, image);
	int err = axvmi_image_probe(image->data, image->size,
				    (enum image_machine)vm->ops->machine,
				    &plan->kernel);

	if (err != AXVM_OK)
		return err;
	slot->size = plan->kernel.memory;
	slot->align = plan->kernel.align;
	slot->load_offset = plan->kernel.load_offset;
	return AXVM_OK;
}

static int plan_images(struct axvm_vm *vm, struct plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	for (uint32_t i = 0; i < vm->image_count; i++) {
		const struct axvmi_image *entry = &vm->images[i];
		int err = AXVM_OK;

		if (entry->kind == AXVM_IMAGE_KERNEL)
			err = plan_kernel(vm, plan, &entry->image);
		else
			plan_slot(vm, plan, entry->kind, &entry->image);
		if (err != AXVM_OK)
			return err;
	}
	if (images_of(vm, AXVM_IMAGE_DTB) == 0 && vm->ops->guest_tables != NULL)
		plan_slot(vm, plan, AXVM_IMAGE_DTB, NULL);
	return axvmi_image_place(vm->config.regions, vm->config.region_count,
				 plan->slots, plan->count);
}

/* ---- loading ---- */

static void note_slot(struct axvm_vm *vm, const struct plan *plan,
		      const struct image_slot *slot)
{
	uint64_t entry = vm->config.kernel.entry.value;

	switch (slot->kind) {
	case AXVM_IMAGE_KERNEL:
		vm->boot_entry = slot->gpa + plan->kernel.entry_offset;
		if (plan->kernel.format == IMAGE_FLAT && entry != 0)
			vm->boot_entry = entry;
		break;
	case AXVM_IMAGE_RAMDISK:
		vm->ramdisk_gpa = slot->gpa;
		vm->ramdisk_size = slot->size;
		break;
	case AXVM_IMAGE_DTB:
		vm->boot_argument = slot->gpa;
		break;
	case AXVM_IMAGE_BIOS:
	case AXVM_IMAGE_RAW:
		break;
	}
}

static int write_tables(struct axvm_vm *vm, uint64_t gpa)
{
	void *buffer = axvmi_alloc_zeroed(vm->host, TABLES_SIZE, 64);
	size_t used;
	int err;

	if (buffer == NULL)
		return AXVM_ENOMEM;
	err = vm->ops->guest_tables(vm, buffer, TABLES_SIZE, &used);
	if (err == AXVM_OK)
		err = axvmi_write_image(vm, gpa, buffer, used);
	axvmi_free(vm->host, buffer, TABLES_SIZE);
	return err;
}

int axvmi_boot_load(struct axvm_vm *vm)
{
	struct plan plan;
	int err = plan_images(vm, &plan);

	if (err != AXVM_OK)
		return err;
	vm->boot_entry = vm->config.kernel.entry.value;
	for (uint32_t i = 0; i < plan.count; i++)
		note_slot(vm, &plan, &plan.slots[i]);
	for (uint32_t i = 0; i < plan.count && err == AXVM_OK; i++) {
		const struct axvm_image *image = plan.images[i];
		uint64_t gpa = plan.slots[i].gpa;

		err = image == NULL ? write_tables(vm, gpa)
				    : axvmi_write_image(vm, gpa, image->data,
							image->size);
	}
	return err;
}
