/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The guest's virtual timer. The CPU has it, but its interrupt comes to the host,
 * by level, and must be silent while the vGIC has it for the guest: because the
 * host has taken it, so that it stays active until the guest's EOI (hal.h,
 * take_vtimer), or by IMASK. Belongs to the thread that runs the vCPU.
 */
#include "backend.h"
#include "regs.h"

/*
 * So often the interrupt rises again for one CVAL, after the guest has ended it
 * without looking after its timer, until IMASK is taken for the guest's own: a
 * guest that masks its timer and leaves it so has no other way to tell.
 */
#define ROUNDS 2u

#define ASKS (CNT_CTL_ENABLE | CNT_CTL_ISTATUS)

/* The line of the timer, as the CPU has it. */
static bool is_asking(uint64_t ctl)
{
	return (ctl & (ASKS | CNT_CTL_IMASK)) == ASKS;
}

static void raise(struct arm_vcpu *v)
{
	v->vtimer_held = 1;
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, true);
}

static void let_go(struct arm_vcpu *v)
{
	v->vtimer_held = 0;
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, false);
}

/* ---- taken by the host ---- */

/* Whether the last one is still what the guest has not ended. Afterwards nothing
 * waits for a fold that would take the next end for this one's. */
static bool is_taken(struct arm_vcpu *v)
{
	if (v->vtimer_held)
		axvmi_arm_gic_fold(v);
	return v->vtimer_taken != 0;
}

enum arm_vtimer axvmi_arm_vtimer_take(struct arm_vcpu *v)
{
	const struct axvm_hal *hal = &v->core.vm->host->hal;
	uint32_t lr = ARM_NO_LR;

	if (!is_asking(arm_metal(v)->read_el1(ARM_EL1_CNTV_CTL)))
		return ARM_VTIMER_NONE;
	if (v->vtimer_held)
		lr = axvmi_arm_vtimer_again(v);
	if (lr == ARM_NO_LR && is_taken(v))
		return ARM_VTIMER_NONE;
	if (!hal->take_vtimer(hal->ctx))
		return ARM_VTIMER_OTHER;
	v->vtimer_taken = 1;
	if (lr != ARM_NO_LR)
		arm_metal(v)->lr_write(v, lr);
	else if (!v->vtimer_held)
		raise(v);
	return ARM_VTIMER_TAKEN;
}

void axvmi_arm_vtimer_drop(struct arm_vcpu *v)
{
	if (!v->vtimer_taken)
		return;
	v->vtimer_taken = 0;
	arm_metal(v)->deactivate(v->core.vm->host->hal.vtimer_irq);
}

void axvmi_arm_vtimer_done(struct arm_vcpu *v)
{
	v->vtimer_taken = 0;
	let_go(v);
}

/* ---- masked by us ---- */

static void mask(struct arm_vcpu *v)
{
	const struct arm_metal *metal = arm_metal(v);
	uint64_t cval = metal->read_el1(ARM_EL1_CNTV_CVAL);

	if (cval != v->vtimer_cval) {
		/* It fell in between, and an edge is heard of only so. */
		if (v->vtimer_held)
			let_go(v);
		v->vtimer_rounds = 0;
	}
	v->vtimer_cval = cval;
	metal->write_el1(ARM_EL1_CNTV_CTL, CNT_CTL_ENABLE | CNT_CTL_IMASK);
	raise(v);
}

void axvmi_arm_vtimer_ended(struct arm_vcpu *v)
{
	const struct arm_metal *metal = arm_metal(v);
	uint64_t ctl = metal->read_el1(ARM_EL1_CNTV_CTL);
	uint64_t cval = metal->read_el1(ARM_EL1_CNTV_CVAL);

	if (!v->vtimer_held || (ctl & ASKS) != ASKS ||
	    (ctl & CNT_CTL_IMASK) == 0) {
		v->vtimer_rounds = 0;
		return;
	}
	/* Of a CVAL that was never looked at the rounds count too. */
	if (cval != v->vtimer_cval)
		v->vtimer_rounds = 0;
	v->vtimer_cval = cval;
	if (++v->vtimer_rounds >= ROUNDS)
		let_go(v);
}

/* What fold, ended and sync do for a guest that has looked after its timer. */
bool axvmi_arm_vtimer_retire(struct arm_vcpu *v, uint64_t ended)
{
	const struct arm_metal *metal = arm_metal(v);
	uint64_t ctl;

	if (!v->vtimer_held || arm_takes_vtimer(v))
		return false;
	ctl = metal->read_el1(ARM_EL1_CNTV_CTL);
	if ((ctl & ASKS) == ASKS ||
	    !axvmi_arm_gic_retire(v, ARM_PPI_CNTV, ended))
		return false;
	v->vtimer_held = 0;
	v->vtimer_rounds = 0;
	metal->write_el1(ARM_EL1_CNTV_CTL, ctl & CNT_CTL_ENABLE);
	return true;
}

/* ---- either ---- */

bool axvmi_arm_vtimer_look(struct arm_vcpu *v)
{
	bool asks = is_asking(arm_metal(v)->read_el1(ARM_EL1_CNTV_CTL));

	if (!arm_takes_vtimer(v)) {
		if (asks)
			mask(v);
		return asks;
	}
	if (asks && !v->vtimer_held)
		raise(v);
	/* Perhaps the host has written its registers. */
	if (!asks && v->vtimer_held)
		axvmi_arm_vtimer_sync(v);
	return false;
}

void axvmi_arm_vtimer_sync(struct arm_vcpu *v)
{
	const struct arm_metal *metal = arm_metal(v);
	uint64_t ctl;

	if (!v->vtimer_held)
		return;
	ctl = metal->read_el1(ARM_EL1_CNTV_CTL);
	if (arm_takes_vtimer(v)) {
		if (is_asking(ctl))
			return;
		axvmi_arm_vtimer_drop(v);
	} else {
		if ((ctl & ASKS) == ASKS)
			return;
		/* The guest may have written CTL with the IMASK it had read. */
		metal->write_el1(ARM_EL1_CNTV_CTL, ctl & CNT_CTL_ENABLE);
	}
	let_go(v);
}

/* ---- deadlines ---- */

/* Guest counter at which PPI 27 rises; UINT64_MAX: not by itself, or it has. */
static uint64_t vtimer_due(const struct arm_vcpu *v)
{
	const struct arm_metal *metal = arm_metal(v);
	uint64_t ctl = metal->read_el1(ARM_EL1_CNTV_CTL);

	if (v->vtimer_held ||
	    (ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) != CNT_CTL_ENABLE)
		return UINT64_MAX;
	return metal->read_el1(ARM_EL1_CNTV_CVAL);
}

/*
 * The guest may have ended PPI 27, or set another event, since anybody looked;
 * what it was held for says nothing of the next. And who asks goes to sleep: once
 * the vCPU does not count as running, nobody waits for its fold any more.
 */
uint64_t axvmi_arm_timer_deadline(struct arm_vcpu *v)
{
	uint64_t due, physical, now;

	axvmi_arm_gic_fold(v);
	if (v->vtimer_held)
		axvmi_arm_vtimer_sync(v);
	due = vtimer_due(v);
	physical = axvmi_arm_cntp_due(v);
	now = axvmi_guest_counter(v->core.vm);
	if (physical < due)
		due = physical;
	if (due == UINT64_MAX)
		return AXVM_NO_DEADLINE;
	return axvmi_deadline_in(v->core.vm->host, due > now ? due - now : 0);
}
