/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Taking a frame of the VM's reserve: inline, since guest faults pay for it.
 * vm->mem is held.
 */
#ifndef AXVMI_RESERVE_H
#define AXVMI_RESERVE_H

#include "internal.h"

/* A zeroed, synced frame or NULL. Its first word was the list's link. */
static inline void *axvmi_reserve_take(struct axvm_vm *vm)
{
	struct axvmi_reserve *reserve = &vm->reserve;
	void *frame = reserve->clean;

	if (frame == NULL)
		return NULL;
	reserve->clean = *(void **)frame;
	*(void **)frame = NULL;
	axvmi_sync_data(vm, frame, sizeof(void *));
	reserve->lent++;
	store_relaxed(&reserve->held, load_relaxed(&reserve->held) - 1);
	return frame;
}

#endif
