/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The VM's own store of 4 KiB frames, for tables and demand pages, under
 * vm->mem. What it lends comes back to it, so that a host which has filled it
 * can do without hal.alloc. Frames are zeroed by whoever gives them, never by
 * the fault that takes them.
 */
#include "reserve.h"

/* Frames that one call of axvm_vm_reserve() or a destroy moves. */
#define STEP_FRAMES 64u
/* Frames washed per turn. */
#define WASH_FRAMES 16u

/* A frame's first word is its link while it is on a list. */
static void push(void **list, void *frame)
{
	*(void **)frame = *list;
	*list = frame;
}

static void *pop(void **list)
{
	void *frame = *list;

	*list = *(void **)frame;
	return frame;
}

static void count(struct axvmi_reserve *reserve, uint64_t held)
{
	store_relaxed(&reserve->held, held);
}

static uint64_t held(const struct axvmi_reserve *reserve)
{
	return load_relaxed(&reserve->held);
}

/* ---- lending ---- */

void axvmi_reserve_untake(struct axvm_vm *vm, void *frame)
{
	struct axvmi_reserve *reserve = &vm->reserve;

	push(&reserve->clean, frame);
	reserve->lent--;
	count(reserve, held(reserve) + 1);
}

bool axvmi_reserve_return(struct axvm_vm *vm, void *frame)
{
	struct axvmi_reserve *reserve = &vm->reserve;

	if (reserve->lent == 0)
		return false;
	push(&reserve->dirty, frame);
	reserve->lent--;
	count(reserve, held(reserve) + 1);
	return true;
}

/* ---- washing ---- */

static unsigned take_dirty(struct axvm_vm *vm, void **frames)
{
	struct axvmi_reserve *reserve = &vm->reserve;
	uint64_t saved = axvmi_lock(vm->host, &vm->mem);
	unsigned n = 0;

	while (n < WASH_FRAMES && reserve->dirty != NULL)
		frames[n++] = pop(&reserve->dirty);
	reserve->lent += n;
	count(reserve, held(reserve) - n);
	axvmi_unlock(vm->host, &vm->mem, saved);
	return n;
}

/* False: the reserve has been given up meanwhile. */
static bool give_clean(struct axvm_vm *vm, void *frame)
{
	uint64_t saved = axvmi_lock(vm->host, &vm->mem);
	bool wanted = vm->reserve.lent != 0;

	if (wanted)
		axvmi_reserve_untake(vm, frame);
	axvmi_unlock(vm->host, &vm->mem, saved);
	return wanted;
}

void axvmi_reserve_wash(struct axvm_vm *vm)
{
	void *frames[WASH_FRAMES];
	unsigned n;

	while ((n = take_dirty(vm, frames)) != 0) {
		for (unsigned i = 0; i < n; i++) {
			memset(frames[i], 0, PAGE_SIZE_4K);
			axvmi_sync_data(vm, frames[i], PAGE_SIZE_4K);
		}
		/* Before any of them is mapped: a frame may have held code. */
		axvmi_sync_code(vm);
		for (unsigned i = 0; i < n; i++) {
			if (!give_clean(vm, frames[i]))
				axvmi_free(vm->host, frames[i], PAGE_SIZE_4K);
		}
	}
}

/* ---- the pool of table frames ---- */

/* Tables need not be zero: those that came back are as good. */
static void *pool_alloc(void *ctx, size_t size, size_t align)
{
	struct axvm_vm *vm = ctx;
	struct axvmi_reserve *reserve = &vm->reserve;
	void **list =
		reserve->dirty != NULL ? &reserve->dirty : &reserve->clean;

	if (size != PAGE_SIZE_4K || *list == NULL)
		return axvmi_alloc(vm->host, size, align);
	reserve->lent++;
	count(reserve, held(reserve) - 1);
	return pop(list);
}

static void pool_free(void *ctx, void *page, size_t size)
{
	struct axvm_vm *vm = ctx;

	if (size != PAGE_SIZE_4K || !axvmi_reserve_return(vm, page))
		axvmi_free(vm->host, page, size);
}

static uint64_t pool_virt_to_phys(void *ctx, void *page)
{
	return axvmi_virt_to_phys(((struct axvm_vm *)ctx)->host, page);
}

static void *pool_phys_to_virt(void *ctx, uint64_t hpa)
{
	return axvmi_phys_to_virt(((struct axvm_vm *)ctx)->host, hpa);
}

void axvmi_pool_init(struct axvm_vm *vm)
{
	vm->pool = (struct s2_pool){
		.ctx = vm,
		.alloc_page = pool_alloc,
		.free_page = pool_free,
		.virt_to_phys = pool_virt_to_phys,
		.phys_to_virt = pool_phys_to_virt,
		.linear = vm->host->hal.linear,
		.virt_offset = vm->host->hal.virt_offset,
	};
}

/* ---- filling and emptying ---- */

static void free_list(struct axvm_vm *vm, void *list)
{
	while (list != NULL)
		axvmi_free(vm->host, pop(&list), PAGE_SIZE_4K);
}

/* Adds `n` frames or none. */
static int fill(struct axvm_vm *vm, uint64_t n)
{
	struct axvmi_reserve *reserve = &vm->reserve;
	void *list = NULL;
	uint64_t saved;

	for (uint64_t i = 0; i < n; i++) {
		void *frame = axvmi_alloc_zeroed(vm->host, PAGE_SIZE_4K,
						 PAGE_SIZE_4K);

		if (frame == NULL) {
			free_list(vm, list);
			return AXVM_ENOMEM;
		}
		axvmi_sync_data(vm, frame, PAGE_SIZE_4K);
		push(&list, frame);
	}
	axvmi_sync_code(vm);
	saved = axvmi_lock(vm->host, &vm->mem);
	count(reserve, held(reserve) + n);
	while (list != NULL)
		push(&reserve->clean, pop(&list));
	axvmi_unlock(vm->host, &vm->mem, saved);
	return AXVM_OK;
}

/* Towards `pages`: what it holds and has lent is no more than that. */
static int settle(struct axvm_vm *vm, uint64_t pages)
{
	struct axvmi_reserve *reserve = &vm->reserve;
	uint64_t saved = axvmi_lock(vm->host, &vm->mem);
	void *surplus = NULL;
	uint64_t have = held(reserve);

	for (unsigned n = 0; n < STEP_FRAMES && have > pages; n++, have--)
		push(&surplus, pop(reserve->dirty != NULL ? &reserve->dirty
							  : &reserve->clean));
	count(reserve, have);
	if (have >= pages)
		reserve->lent = 0;
	else if (reserve->lent > pages - have)
		reserve->lent = pages - have;
	axvmi_unlock(vm->host, &vm->mem, saved);
	free_list(vm, surplus);
	return have == pages ? AXVM_OK : AXVM_EAGAIN;
}

static int reserve_step(struct axvm_vm *vm, uint64_t pages)
{
	uint64_t have = held(&vm->reserve);

	if (have < pages) {
		uint64_t n =
			pages - have < STEP_FRAMES ? pages - have : STEP_FRAMES;
		int err = fill(vm, n);

		if (err != AXVM_OK)
			return err;
	}
	return settle(vm, pages);
}

int axvm_vm_reserve(struct axvm_vm *vm, uint64_t pages)
{
	int err = AXVM_ESTATE;

	if (vm == NULL)
		return AXVM_EINVAL;
	spin_lock(&vm->life);
	if (load_relaxed(&vm->destroying) == 0)
		err = reserve_step(vm, pages);
	spin_unlock(&vm->life);
	return err;
}

uint64_t axvm_vm_reserved(const struct axvm_vm *vm)
{
	return load_relaxed(&vm->reserve.held);
}

int axvmi_reserve_release(struct axvm_vm *vm)
{
	return settle(vm, 0);
}
