/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Batches of stage-2 edits, under vm->mem: what is taken away is given back when
 * no CPU uses it any more.
 */
#include "internal.h"

/* Detached tables freed per turn while others may wait for vm->mem. */
#define RECLAIM_STEP 64u

static void flush_range(void *ctx, struct axvm_gpa gpa, uint64_t size)
{
	axvmi_tlb_shootdown(ctx, gpa.value, size);
}

void axvmi_batch_begin(struct axvm_vm *vm, struct axvmi_mem_batch *batch)
{
	batch->saved = axvmi_lock(vm->host, &vm->mem);
	axvmi_s2_edit_init(&batch->edit, flush_range, vm);
	batch->surplus = NULL;
	batch->frame_count = 0;
}

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

void axvmi_batch_end(struct axvm_vm *vm, struct axvmi_mem_batch *batch)
{
	struct s2_edit *edit = &batch->edit;

	if (edit->need_flush)
		axvmi_tlb_shootdown(vm, edit->flush_first,
				    edit->flush_last - edit->flush_first + 1);
	/* With break-before-make a merge has flushed already. */
	if (edit->garbage.head != 0 || edit->garbage.live_count != 0 ||
	    edit->need_flush) {
		axvmi_read_grace(vm);
		while (axvmi_s2_reclaim(&vm->s2, edit, RECLAIM_STEP) != AXVM_OK)
			;
	}
	release_frames(vm, batch);
	finish(vm, batch);
}
