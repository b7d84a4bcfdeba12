/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The physical counter and timer as guests have them: without FEAT_ECV they trap
 * and run on the VM's clock here. Belongs to the thread that runs the vCPU. Arm
 * ARM (DDI 0487), "The Generic Timer in AArch64 state".
 */
#include "exit.h"
#include "sysreg.h"

#define CNTPCT_EL0 SYSREG(3, 3, 14, 0, 1)
#define CNTP_TVAL_EL0 SYSREG(3, 3, 14, 2, 0)
#define CNTP_CTL_EL0 SYSREG(3, 3, 14, 2, 1)
#define CNTP_CVAL_EL0 SYSREG(3, 3, 14, 2, 2)

/* "CompareValue view of the timer". */
static bool is_met(const struct arm_vcpu *v, uint64_t now)
{
	return (v->cntp_ctl & CNT_CTL_ENABLE) != 0 && now >= v->cntp_cval;
}

/* It will raise its interrupt by itself. */
static bool is_running(const struct arm_vcpu *v)
{
	return (v->cntp_ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) ==
		       CNT_CTL_ENABLE &&
	       !v->cntp_level;
}

uint64_t axvmi_arm_cntp_read(const struct arm_vcpu *v, uint32_t number)
{
	uint64_t now = axvmi_guest_counter(v->core.vm);

	switch (number) {
	case CNTP_TVAL_EL0:
		return (v->cntp_cval - now) & UINT32_MAX;
	case CNTP_CTL_EL0:
		return v->cntp_ctl | (is_met(v, now) ? CNT_CTL_ISTATUS : 0);
	case CNTP_CVAL_EL0:
		return v->cntp_cval;
	default:
		return now;
	}
}

void axvmi_arm_cntp_write(struct arm_vcpu *v, uint32_t number, uint64_t value)
{
	if (number == CNTP_TVAL_EL0)
		v->cntp_cval = axvmi_guest_counter(v->core.vm) +
			       sign_extend64(value, 32);
	else if (number == CNTP_CVAL_EL0)
		v->cntp_cval = value;
	else
		v->cntp_ctl =
			(uint32_t)(value & (CNT_CTL_ENABLE | CNT_CTL_IMASK));
	v->effects |= ARM_EFFECT_TIMER;
}

/* hal.timer comes as a host interrupt; the run after it looks again. */
static void arm(struct arm_vcpu *v, uint64_t now)
{
	const struct axvm_hal *hal = &v->core.vm->host->hal;
	bool running = is_running(v);

	if (hal->timer == NULL || (!running && !v->cntp_armed))
		return;
	v->cntp_armed = running;
	hal->timer(hal->ctx, running ? axvmi_deadline_in(v->core.vm->host,
							 v->cntp_cval - now)
				     : UINT64_MAX);
}

void axvmi_arm_cntp_look(struct arm_vcpu *v)
{
	uint64_t now = axvmi_guest_counter(v->core.vm);
	bool level = is_met(v, now) && (v->cntp_ctl & CNT_CTL_IMASK) == 0;

	if (level != (v->cntp_level != 0)) {
		v->cntp_level = level;
		axvmi_arm_set_ppi(v, ARM_PPI_CNTP, level);
	}
	arm(v, now);
}

uint64_t axvmi_arm_cntp_due(const struct arm_vcpu *v)
{
	return is_running(v) ? v->cntp_cval : UINT64_MAX;
}
