/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What a synchronous exception or SError from the guest means, by its class, and
 * how the exits end that the host completes. Pure; on the thread of the running
 * vCPU. Arm ARM (DDI 0487), "ESR_EL2".
 */
#include "exit.h"

/*
 * Nothing that a guest can cause here, or an SError: something in the machine
 * went wrong. Unless the host knows better, the guest gets it as an SError.
 */
static int unknown(struct arm_vcpu *v, const struct arm_syndrome *s)
{
	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_OTHER);
	arm_fill_exit(v, s);
	v->core.exit->u.fault.kind = AXVM_FAULT_UNKNOWN;
	v->core.exit->u.fault.access = 0;
	v->refusal.esr = esr_make(EC_SERROR, 0);
	if (esr_ec(s->esr) == EC_SERROR)
		v->refusal.esr |= s->esr & ESR_ISS;
	v->refusal.far = 0;
	return AXVM_EXIT_FAULT;
}

/* ---- instructions ---- */

/* Whatever is hidden from guests: AArch32 ones may have failed their condition,
 * and are no more than skipped then. */
static int undefined(struct arm_vcpu *v, const struct arm_syndrome *s)
{
	axvmi_leave(&v->core);
	if (axvmi_arm_condition(v, s->esr))
		axvmi_arm_undefined(v);
	else
		arm_skip(v, s->esr);
	return 0;
}

/*
 * WFE traps for hosts that want to hear of it. It and the forms with a timeout may
 * end for any reason, so also for none.
 */
static int wait_for(struct arm_vcpu *v, const struct arm_syndrome *s)
{
	uint64_t pc = v->frame.pc;
	uint64_t which = FIELD_GET(ISS_WFX_TI, s->esr);
	bool waits = axvmi_arm_condition(v, s->esr);
	int reason;

	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_HALT);
	arm_skip(v, s->esr);
	if (waits && (which & ISS_WFX_WFE) != 0 && v->core.spin_yields) {
		v->core.exit->pc = pc;
		return AXVM_EXIT_YIELD;
	}
	if (!waits || which != ISS_WFX_WFI)
		return 0;
	reason = axvmi_halt(&v->core, axvmi_arm_timer_deadline(v));
	if (reason != 0)
		v->core.exit->pc = pc;
	return reason;
}

/* The trap leaves pc at the SMC. */
static int smc(struct arm_vcpu *v)
{
	axvmi_leave(&v->core);
	arm_skip64(v);
	return axvmi_arm_psci_call(v, true);
}

static int fp_access(struct arm_vcpu *v)
{
	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_LAZY_STATE);
	arm_metal(v)->fp_load(v);
	return 0;
}

/* Debug exceptions that are the guest's own, should they come here. */
static int breakpoint(struct arm_vcpu *v, const struct arm_syndrome *s)
{
	axvmi_leave(&v->core);
	axvmi_arm_inject(v, s->esr, 0);
	return 0;
}

static int sysreg(struct arm_vcpu *v, const struct arm_syndrome *s)
{
	axvmi_leave(&v->core);
	return axvmi_arm_sysreg(v, (uint32_t)(s->esr & ESR_ISS));
}

static __attribute__((noinline)) int other(struct arm_vcpu *v,
					   const struct arm_syndrome *s)
{
	switch (esr_ec(s->esr)) {
	case EC_WFX:
		return wait_for(v, s);
	case EC_SMC64:
		return smc(v);
	case EC_FP:
		return fp_access(v);
	case EC_BRK32:
	case EC_BRK64:
		return breakpoint(v, s);
	case EC_CP15_32:
	case EC_CP15_64:
		return axvmi_arm_cp15(v, s);
	case EC_UNKNOWN:
	case EC_CP14_32:
	case EC_CP14_LS:
	case EC_CP10_ID:
	case EC_PAUTH:
	case EC_LS64:
	case EC_CP14_64:
	case EC_SMC32:
	case EC_SYSREG128:
	case EC_SVE:
	case EC_TSTART:
	case EC_SME:
		return undefined(v, s);
	default:
		return unknown(v, s);
	}
}

int axvmi_arm_exit(struct arm_vcpu *v, const struct arm_syndrome *s)
{
	uint64_t ec = esr_ec(s->esr);

	/* The frequent ones by hand: no table. */
	if (ec == EC_DABT_LOWER || ec == EC_IABT_LOWER)
		return axvmi_arm_abort(v, s);
	if (ec == EC_SYSREG)
		return sysreg(v, s);
	return other(v, s);
}

/* ---- completion ---- */

/* What the guest gets of a FAULT. */
static void refuse(struct arm_vcpu *v)
{
	if (esr_ec(v->refusal.esr) == EC_SERROR)
		axvmi_arm_pend_serror(v, v->refusal.esr & ESR_ISS);
	else
		axvmi_arm_inject(v, v->refusal.esr, v->refusal.far);
}

void axvmi_arm_complete(struct axvm_vcpu *vcpu,
			enum axvm_complete_action action, uint64_t value)
{
	struct arm_vcpu *v = arm_vcpu(vcpu);

	switch (vcpu->wait) {
	case AXVM_EXIT_MMIO:
		axvmi_arm_mmio_complete(v, action, value);
		return;
	case AXVM_EXIT_SYSREG:
		axvmi_arm_sysreg_complete(v, action, value);
		return;
	case AXVM_EXIT_HYPERCALL:
	case AXVM_EXIT_CPU_ON:
		/* pc has moved on already. */
		if (action == AXVM_COMPLETE_RETRY)
			v->frame.pc -= 4;
		else
			axvmi_arm_psci_complete(v, vcpu->wait, action, value);
		return;
	default:
		/* A FAULT answered DONE: the host did the access itself, and
		 * skipping it needs no more than the next instruction. */
		if (action == AXVM_COMPLETE_FAULT)
			refuse(v);
	}
}
