/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * How exits end: what the host says by axvm_vcpu_complete(), or the default of
 * exit.h, takes effect when the vCPU runs again. The fields belong to the thread
 * that holds the vCPU; the host writes them between runs.
 */
#include "internal.h"

static int start_target(struct axvm_vcpu *vcpu)
{
	struct axvm_vcpu *target = vcpu->vm->vcpus[vcpu->cpu_on_target];

	target->start_entry = vcpu->cpu_on_entry;
	target->start_argument = vcpu->cpu_on_argument;
	store_seq(&target->start_pending, 1);
	store_seq(&target->state, AXVM_VCPU_READY);
	store_seq(&target->starting, 0);
	axvmi_wake(target);
	return AXVM_OK;
}

static void abandon_target(struct axvm_vcpu *vcpu)
{
	store_seq(&vcpu->vm->vcpus[vcpu->cpu_on_target]->starting, 0);
}

void axvmi_complete(struct axvm_vcpu *vcpu)
{
	if (vcpu->wait == AXVM_EXIT_CPU_ON) {
		if (vcpu->action == AXVM_COMPLETE_DONE)
			vcpu->answer = (uint64_t)(int64_t)start_target(vcpu);
		else
			abandon_target(vcpu);
	}
	vcpu->vm->ops->vcpu_complete(vcpu, vcpu->action, vcpu->answer);
	axvmi_completed(vcpu);
}

void axvmi_remember_other(struct axvm_vcpu *vcpu, const struct axvm_exit *exit)
{
	axvmi_await(vcpu, exit->reason, AXVM_COMPLETE_DONE);
	if (exit->reason == AXVM_EXIT_SYSREG)
		vcpu->action = AXVM_COMPLETE_FAULT;
	if (exit->reason == AXVM_EXIT_FAULT)
		vcpu->action = exit->u.fault.kind == AXVM_FAULT_NO_MEMORY
				       ? AXVM_COMPLETE_RETRY
				       : AXVM_COMPLETE_FAULT;
	if (exit->reason == AXVM_EXIT_CPU_ON) {
		vcpu->cpu_on_target = exit->u.cpu_on.vcpu;
		vcpu->cpu_on_entry = exit->u.cpu_on.entry;
		vcpu->cpu_on_argument = exit->u.cpu_on.argument;
	}
}

int axvm_vcpu_complete(struct axvm_vm *vm, uint32_t index, uint64_t seq,
		       enum axvm_complete_action action, uint64_t value)
{
	struct axvm_vcpu *vcpu;

	if (vm == NULL || (unsigned)action > AXVM_COMPLETE_RETRY)
		return AXVM_EINVAL;
	if (index >= load_acquire(&vm->vcpus_ready))
		return AXVM_ENOENT;
	vcpu = vm->vcpus[index];
	if (load_acquire(&vcpu->state) == AXVM_VCPU_RUNNING)
		return AXVM_EBUSY;
	if (vcpu->wait == 0 || vcpu->answered || vcpu->seq != seq)
		return AXVM_ENOENT;
	/* Not again after the library said why it cannot: a call of the guest
	 * that starts a vCPU holds a claim, which an endless retry would keep. */
	if (vcpu->wait == AXVM_EXIT_CPU_ON && action == AXVM_COMPLETE_RETRY)
		return AXVM_EINVAL;
	vcpu->action = action;
	vcpu->answer = value;
	vcpu->answered = 1;
	return AXVM_OK;
}
