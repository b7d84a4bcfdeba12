/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Batches of stage-2 edits: what they take away is given back when no CPU uses
 * it any more. Each call has one of its own, or all share the VM's open one,
 * from axvm_mem_begin() to axvm_mem_commit(). Under vm->mem, which an open batch
 * does not hold between the calls.
 */
#include "internal.h"

/* Detached tables freed per turn while others may wait for vm->mem. */
#define RECLAIM_STEP 64u

static void flush_range(void *ctx, struct axvm_gpa gpa, uint64_t size)
{
	axvmi_tlb_shootdown(ctx, gpa.value, size);
}

static void init(struct axvm_vm *vm, struct axvmi_mem_batch *batch)
{
	axvmi_s2_edit_init(&batch->edit, flush_range, vm);
	batch->surplus = NULL;
	batch->frame_count = 0;
}

/* Afterwards no CPU uses a translation that the batch took away. */
static void flush(struct axvm_vm *vm, struct s2_edit *edit)
{
	axvmi_tlb_shootdown(vm, edit->flush_first,
			    edit->flush_last - edit->flush_first + 1);
	edit->need_flush = false;
}

void axvmi_batch_lock(struct axvm_vm *vm, struct axvmi_mem_batch *batch)
{
	batch->saved = axvmi_lock(vm->host, &vm->mem);
	init(vm, batch);
}

void axvmi_batch_begin(struct axvm_vm *vm, struct axvmi_mem_batch *batch)
{
	axvmi_batch_lock(vm, batch);
	axvmi_open_flush(vm, 0, UINT64_MAX);
}

void axvmi_open_flush_slow(struct axvm_vm *vm, uint64_t gpa, uint64_t size)
{
	struct s2_edit *edit = &vm->open.edit;
	uint64_t length = edit->flush_last - edit->flush_first + 1;

	if (range_overlaps(gpa, size, edit->flush_first, length))
		flush(vm, edit);
}

/* ---- the end ---- */

/* Of the frames that no CPU uses any more the reserve gets what it lacks. */
static void release_frames(struct axvm_vm *vm, struct axvmi_mem_batch *batch)
{
	for (uint32_t i = 0; i < batch->frame_count; i++) {
		void *frame = axvmi_phys_to_virt(vm->host, batch->frames[i]);

		if (axvmi_reserve_return(vm, frame))
			continue;
		*(void **)frame = batch->surplus;
		batch->surplus = frame;
	}
	batch->frame_count = 0;
}

/* Unlocks, then does the work on frames that needs no lock. */
static void finish(struct axvm_vm *vm, struct axvmi_mem_batch *batch)
{
	bool dirty = vm->reserve.dirty != NULL;
	void *frame = batch->surplus;

	axvmi_unlock(vm->host, &vm->mem, batch->saved);
	while (frame != NULL) {
		void *next = *(void **)frame;

		axvmi_free(vm->host, frame, PAGE_SIZE_4K);
		frame = next;
	}
	if (dirty)
		axvmi_reserve_wash(vm);
}

/* The tables are this batch's alone by now: others get a turn in between. */
static void reclaim(struct axvm_vm *vm, struct axvmi_mem_batch *batch)
{
	while (axvmi_s2_reclaim(&vm->s2, &batch->edit, RECLAIM_STEP) !=
	       AXVM_OK) {
		axvmi_unlock(vm->host, &vm->mem, batch->saved);
		batch->saved = axvmi_lock(vm->host, &vm->mem);
	}
}

void axvmi_batch_end(struct axvm_vm *vm, struct axvmi_mem_batch *batch)
{
	const struct s2_garbage *garbage = &batch->edit.garbage;
	bool flushes = batch->edit.need_flush;

	if (flushes)
		flush(vm, &batch->edit);
	/* An early flush, or break-before-make, may have left only these. */
	if (flushes || batch->frame_count != 0 || garbage->head != 0 ||
	    garbage->live_count != 0) {
		axvmi_read_grace(vm);
		release_frames(vm, batch);
		reclaim(vm, batch);
	}
	finish(vm, batch);
}

/* ---- the open batch ---- */

/* What it owes goes over to a batch of the caller, under the lock. */
static void take_over(struct axvm_vm *vm, struct axvmi_mem_batch *batch)
{
	uint64_t saved = batch->saved;

	*batch = vm->open;
	batch->saved = saved;
	init(vm, &vm->open);
}

void axvmi_open_part_end(struct axvm_vm *vm, struct axvmi_mem_batch *part)
{
	const struct axvmi_mem_batch *open = &vm->open;

	/* A compaction step that finds no room would not get on. */
	if (open->frame_count == AXVMI_BATCH_FRAMES ||
	    open->edit.garbage.live_count > S2_GARBAGE_LIVE / 2)
		take_over(vm, part);
	axvmi_batch_end(vm, part);
}

bool axvmi_open_end(struct axvm_vm *vm)
{
	struct axvmi_mem_batch batch;
	bool was_open;

	axvmi_batch_lock(vm, &batch);
	was_open = load_relaxed(&vm->batch_open) != 0;
	if (was_open) {
		take_over(vm, &batch);
		store_seq(&vm->batch_open, 0);
	}
	axvmi_batch_end(vm, &batch);
	return was_open;
}

int axvm_mem_begin(struct axvm_vm *vm)
{
	uint64_t saved;
	int err;

	if (vm == NULL)
		return AXVM_EINVAL;
	saved = axvmi_lock(vm->host, &vm->mem);
	err = axvmi_may_edit(vm) ? AXVM_OK : AXVM_ESTATE;
	if (err == AXVM_OK && load_relaxed(&vm->batch_open) != 0)
		err = AXVM_EBUSY;
	if (err == AXVM_OK) {
		init(vm, &vm->open);
		store_seq(&vm->batch_open, 1);
	}
	axvmi_unlock(vm->host, &vm->mem, saved);
	return err;
}

int axvm_mem_commit(struct axvm_vm *vm)
{
	if (vm == NULL)
		return AXVM_EINVAL;
	return axvmi_open_end(vm) ? AXVM_OK : AXVM_ESTATE;
}
