/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * SBI HSM: start, stop, status and suspend of harts. The core owns the states
 * of vCPUs; this adds SUSPENDED, which only the vCPU itself enters and leaves.
 */
#include "sbi.h"

/* "HSM Hart Suspend Types" */
#define SUSPEND_RETENTIVE 0x00000000u
#define SUSPEND_NON_RETENTIVE 0x80000000u

/* An instruction may stand here: IALIGN is 16. */
static bool is_entry(const struct riscv_vcpu *v, uint64_t gpa)
{
	return is_aligned(gpa, 2) &&
	       axvmi_riscv_sbi_is_ram(v->core.vm, gpa, AXVM_EXEC);
}

static int hart_start(struct riscv_vcpu *v)
{
	uint64_t hart = sbi_arg(v, 0);
	struct axvm_exit *exit;
	int err;

	if (hart >= v->core.vm->vcpu_count)
		return sbi_return(v, SBI_ERR_INVALID_PARAM, 0);
	/* Before the claim, which only an exit gives back. */
	if (!is_entry(v, sbi_arg(v, 1)))
		return sbi_return(v, SBI_ERR_INVALID_ADDRESS, 0);
	err = axvmi_claim_start(v->core.vm, (uint32_t)hart);
	/* EBUSY: another hart's start is on its way; as good as started. */
	if (err == AXVM_EEXIST || err == AXVM_EBUSY)
		return sbi_return(v, SBI_ERR_ALREADY_AVAILABLE, 0);
	if (err != AXVM_OK)
		return sbi_return(v, SBI_ERR_FAILED, 0);
	exit = sbi_exit(v);
	exit->u.cpu_on.vcpu = (uint32_t)hart;
	exit->u.cpu_on.entry = sbi_arg(v, 1);
	exit->u.cpu_on.argument = sbi_arg(v, 2);
	exit->u.cpu_on.reserved = 0;
	return AXVM_EXIT_CPU_ON;
}

/* "Hart stop": cannot fail; the core takes the vCPU off its CPU. */
static int hart_stop(struct riscv_vcpu *v)
{
	sbi_exit(v)->u.halt.deadline = AXVM_NO_DEADLINE;
	axvmi_vcpu_off(&v->core);
	return AXVM_EXIT_HALT;
}

/* "The return value may not represent the actual state" a moment later. */
static int hart_status(struct riscv_vcpu *v)
{
	uint64_t hart = sbi_arg(v, 0);
	struct axvm_vcpu *target;
	uint64_t status = SBI_HSM_STARTED;

	if (hart >= v->core.vm->vcpu_count)
		return sbi_return(v, SBI_ERR_INVALID_PARAM, 0);
	target = v->core.vm->vcpus[hart];
	if (load_acquire(&target->state) == AXVM_VCPU_OFF)
		status = load_acquire(&target->starting) != 0
				 ? SBI_HSM_START_PENDING
				 : SBI_HSM_STOPPED;
	else if (load_acquire(&riscv_vcpu(target)->hsm) == RISCV_HSM_SUSPENDED)
		status = SBI_HSM_SUSPENDED;
	return sbi_return(v, SBI_SUCCESS, status);
}

static uint64_t check_suspend(const struct riscv_vcpu *v, uint32_t type)
{
	if (type == SUSPEND_RETENTIVE)
		return SBI_SUCCESS;
	if (type == SUSPEND_NON_RETENTIVE)
		return is_entry(v, sbi_arg(v, 1)) ? SBI_SUCCESS
						  : SBI_ERR_INVALID_ADDRESS;
	/* "Function: Hart suspend": reserved, or the platform's and not there. */
	return SBI_ERR_INVALID_PARAM;
}

static int hart_suspend(struct riscv_vcpu *v)
{
	/* 32 bits wide: callers may leave anything above. */
	uint32_t type = (uint32_t)sbi_arg(v, 0);
	uint64_t error = check_suspend(v, type);
	struct riscv_vm *rvm = riscv_vm(v->core.vm);
	int reason;

	if (error != SBI_SUCCESS)
		return sbi_return(v, error, 0);
	v->hsm_resume = type == SUSPEND_NON_RETENTIVE;
	v->resume_entry = sbi_arg(v, 1);
	v->resume_argument = sbi_arg(v, 2);
	v->before_run |= RISCV_BEFORE_WAIT;
	store_seq(&v->hsm, RISCV_HSM_SUSPENDED);
	reason = axvmi_halt(&v->core, rvm->metal->timer_deadline(v));
	if (reason == 0 && rvm->core.ops->irq_pending(&v->core)) {
		axvmi_riscv_sbi_resume(v);
		return 0;
	}
	sbi_exit(v);
	/* Something else wants attention: the next run sees to it and, before
	 * it enters the guest, to the wait. */
	return reason == 0 ? AXVM_EXIT_IRQ : reason;
}

void axvmi_riscv_sbi_resume(struct riscv_vcpu *v)
{
	v->before_run &= ~RISCV_BEFORE_WAIT;
	store_release(&v->hsm, RISCV_HSM_RUNNING);
	if (v->hsm_resume != 0)
		riscv_vm(v->core.vm)
			->metal->restart(v, v->resume_entry,
					 v->resume_argument);
	else
		sbi_return(v, SBI_SUCCESS, 0);
}

int axvmi_riscv_sbi_hsm(struct riscv_vcpu *v)
{
	switch (v->frame.x[REG_A6]) {
	case SBI_HSM_START:
		return hart_start(v);
	case SBI_HSM_STOP:
		return hart_stop(v);
	case SBI_HSM_STATUS:
		return hart_status(v);
	case SBI_HSM_SUSPEND:
		return hart_suspend(v);
	default:
		return sbi_return(v, SBI_ERR_NOT_SUPPORTED, 0);
	}
}
