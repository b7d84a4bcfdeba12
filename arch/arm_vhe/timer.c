/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The guest's virtual timer. The CPU has it, but its interrupt comes to the host
 * as PPI 27, by level: so IMASK is set while the vGIC holds it for the guest.
 * Belongs to the thread that runs the vCPU.
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

bool axvmi_arm_vtimer_look(struct arm_vcpu *v)
{
	const struct arm_metal *metal = arm_metal(v);
	uint64_t ctl = metal->read_el1(ARM_EL1_CNTV_CTL);
	uint64_t cval;

	if ((ctl & (ASKS | CNT_CTL_IMASK)) != ASKS)
		return false;
	cval = metal->read_el1(ARM_EL1_CNTV_CVAL);
	if (cval != v->vtimer_cval)
		v->vtimer_rounds = 0;
	v->vtimer_cval = cval;
	v->vtimer_held = 1;
	metal->write_el1(ARM_EL1_CNTV_CTL, CNT_CTL_ENABLE | CNT_CTL_IMASK);
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, true);
	return true;
}

static void let_go(struct arm_vcpu *v)
{
	v->vtimer_held = 0;
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, false);
}

void axvmi_arm_vtimer_sync(struct arm_vcpu *v)
{
	const struct arm_metal *metal = arm_metal(v);
	uint64_t ctl;

	if (!v->vtimer_held)
		return;
	ctl = metal->read_el1(ARM_EL1_CNTV_CTL);
	if ((ctl & ASKS) == ASKS)
		return;
	/* The guest may have written CTL with the IMASK it had read. */
	metal->write_el1(ARM_EL1_CNTV_CTL, ctl & CNT_CTL_ENABLE);
	let_go(v);
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

/* ---- deadlines ---- */

/* Guest counter at which PPI 27 rises; UINT64_MAX: not by itself. */
static uint64_t vtimer_due(const struct arm_vcpu *v)
{
	const struct arm_metal *metal = arm_metal(v);
	uint64_t ctl = metal->read_el1(ARM_EL1_CNTV_CTL);

	if ((ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) != CNT_CTL_ENABLE)
		return UINT64_MAX;
	return metal->read_el1(ARM_EL1_CNTV_CVAL);
}

uint64_t axvmi_arm_timer_deadline(struct arm_vcpu *v)
{
	uint64_t due = vtimer_due(v);
	uint64_t physical = axvmi_arm_cntp_due(v);
	uint64_t now = axvmi_guest_counter(v->core.vm);

	if (physical < due)
		due = physical;
	if (due == UINT64_MAX)
		return AXVM_NO_DEADLINE;
	return axvmi_deadline_in(v->core.vm->host, due > now ? due - now : 0);
}
