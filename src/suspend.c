/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Suspend and resume: every vCPU out of the guest, the VM's clock standing still
 * between the two. vm->life serialises them with each other and with the other
 * long calls; axvm_shutdown() may come at any moment.
 */
#include "internal.h"

uint64_t axvmi_guest_counter(struct axvm_vm *vm)
{
	if (load_seq(&vm->state) == AXVM_VM_SUSPENDED)
		return load_seq(&vm->stopped_at);
	return vm->ops->counter() + load_relaxed(&vm->time_offset);
}

static uint64_t running_counter(struct axvm_vm *vm)
{
	return vm->ops->counter() + load_relaxed(&vm->time_offset);
}

int axvm_suspend(struct axvm_vm *vm)
{
	int err;

	if (vm == NULL)
		return AXVM_EINVAL;
	spin_lock(&vm->life);
	/* Good enough for whoever asks before the last vCPU is out. */
	if (load_seq(&vm->state) == AXVM_VM_RUNNING)
		store_seq(&vm->stopped_at, running_counter(vm));
	err = axvmi_change_state(vm, AXVM_VM_SUSPENDED);
	if (err == AXVM_OK) {
		axvmi_notify_and_wait(vm, UINT64_MAX, AXVMI_ATTN_LIFE, NULL);
		/* Not earlier: a guest that saw a later time would see it go
		 * back. */
		store_seq(&vm->stopped_at, running_counter(vm));
	}
	spin_unlock(&vm->life);
	return err;
}

/*
 * The clock first, then the request to take it over, then the state: a vCPU that
 * was only outside the guest all the while, not outside of run, finds the
 * request before it goes in again.
 */
int axvm_resume(struct axvm_vm *vm)
{
	int err = AXVM_ESTATE;

	if (vm == NULL)
		return AXVM_EINVAL;
	spin_lock(&vm->life);
	if (load_seq(&vm->state) == AXVM_VM_SUSPENDED) {
		store_seq(&vm->time_offset,
			  load_seq(&vm->stopped_at) - vm->ops->counter());
		for (uint32_t i = 0; i < vm->vcpu_count; i++)
			axvmi_mark(vm->vcpus[i], AXVMI_ATTN_TIME);
		err = axvmi_change_state(vm, AXVM_VM_RUNNING);
	}
	if (err == AXVM_OK)
		axvmi_call_everybody(vm, NULL);
	spin_unlock(&vm->life);
	return err;
}
