/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What the host sees of guest memory: copies and queries, in read sections
 * without vm->mem.
 */
#include "internal.h"

/* Neither before init nor once a destroy has begun. */
static bool has_memory(const struct axvm_vm *vm)
{
	return load_acquire(&vm->state) != AXVM_VM_LOADING &&
	       load_acquire(&vm->destroying) == 0;
}
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
	/* Not a frame for an access that cannot be. */
	if (region->config.kind != AXVM_REGION_DEMAND ||
	    (region->config.access & access) != access)
		return AXVM_EFAULT;
	err = axvmi_demand_fill(vm, &region->config,
				align_down(gpa, PAGE_SIZE_4K));
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
