/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Exceptions that the guest gets, as the Arm ARM (DDI 0487) has them in "The
 * AArch64 Exception Model", "Exception entry"; and instructions that are
 * skipped. Pure; on the thread of the running vCPU.
 */
#include "exit.h"

/* ---- exceptions ---- */

void axvmi_arm_inject(struct arm_vcpu *v, uint64_t esr, uint64_t far)
{
	axvmi_count(&v->core, AXVM_STAT_REFLECTED);
	v->trap.esr = esr;
	v->trap.far = far;
	v->effects |= ARM_EFFECT_TRAP;
}

void axvmi_arm_undefined(struct arm_vcpu *v)
{
	axvmi_arm_inject(v, esr_make(EC_UNKNOWN, 0), 0);
}

/* "Virtual interrupts". ESR_EL1 has VSESR_EL2 where there is one. */
void axvmi_arm_pend_serror(struct arm_vcpu *v, uint64_t iss)
{
	axvmi_count(&v->core, AXVM_STAT_REFLECTED);
	v->frame.hcr |= HCR_VSE;
	if (arm_has(v->core.vm->host, ARM_FEATURE_RAS))
		arm_metal(v)->write_el1(ARM_EL1_VSESR, iss);
	v->effects |= ARM_EFFECT_SERROR;
}

/* "Exception vectors": offset by where the exception comes from. */
static uint64_t vector(uint64_t pstate)
{
	if ((pstate & SPSR_AARCH32) != 0)
		return 0x600;
	if ((pstate & SPSR_MODE) == SPSR_EL0T)
		return 0x400;
	return (pstate & SPSR_MODE) == SPSR_EL1T ? 0x000 : 0x200;
}

/* PSTATE at the first instruction of the handler. */
static uint64_t handler_pstate(uint64_t pstate, uint64_t sctlr)
{
	uint64_t keep = SPSR_NZCV | SPSR_PAN | SPSR_DIT;
	uint64_t next = (pstate & SPSR_NZCV) | (pstate & SPSR_PAN);

	if ((pstate & SPSR_AARCH32) == 0)
		next = pstate & keep;
	else if ((pstate & SPSR32_DIT) != 0)
		next |= SPSR_DIT;
	if ((sctlr & SCTLR_SPAN) == 0)
		next |= SPSR_PAN;
	if ((sctlr & SCTLR_DSSBS) != 0)
		next |= SPSR_SSBS;
	return next | SPSR_DAIF | SPSR_EL1H;
}

/* Classes that write FAR_EL1; it keeps its value in all others. */
static bool has_far(uint64_t ec)
{
	switch (ec) {
	case EC_IABT_LOWER:
	case EC_IABT_SAME:
	case EC_PC_ALIGN:
	case EC_DABT_LOWER:
	case EC_DABT_SAME:
	case EC_WATCHPOINT_LOWER:
	case EC_WATCHPOINT_SAME:
		return true;
	default:
		return false;
	}
}

/* Without FEAT_PAN the bit is RES0, and SCTLR_EL1.SPAN is RES1. */
void axvmi_arm_take_trap(struct arm_vcpu *v)
{
	const struct arm_metal *metal = arm_metal(v);
	uint64_t sctlr = metal->read_el1(ARM_EL1_SCTLR);

	metal->write_el1(ARM_EL1_ELR, v->frame.pc);
	metal->write_el1(ARM_EL1_SPSR, v->frame.pstate);
	metal->write_el1(ARM_EL1_ESR, v->trap.esr);
	if (has_far(esr_ec(v->trap.esr)))
		metal->write_el1(ARM_EL1_FAR, v->trap.far);
	v->frame.pc = metal->read_el1(ARM_EL1_VBAR) + vector(v->frame.pstate);
	v->frame.pstate = handler_pstate(v->frame.pstate, sctlr);
}

/* ---- AArch32 ---- */

static uint64_t it_state(uint64_t pstate)
{
	return FIELD_GET(SPSR32_IT_HIGH, pstate) << 2 |
	       FIELD_GET(SPSR32_IT_LOW, pstate);
}

/* "CV": a core need not say the condition of a T32 instruction, which is that of
 * its IT block, if it is in one ("InITBlock()"). */
static uint64_t condition_of(uint64_t esr, uint64_t pstate)
{
	uint64_t it = it_state(pstate);

	if ((esr & ISS_CV) != 0)
		return FIELD_GET(ISS_COND, esr);
	return (pstate & SPSR32_T) != 0 && (it & 15) != 0 ? it >> 4 : 14;
}

/* "AArch32 conditional execution", ConditionHolds(): eight tests on NZCV, and
 * their opposites. */
bool axvmi_arm_condition(const struct arm_vcpu *v, uint64_t esr)
{
	uint64_t pstate = v->frame.pstate;
	uint64_t cond = condition_of(esr, pstate);
	bool n = (pstate >> 31 & 1) != 0;
	bool z = (pstate >> 30 & 1) != 0;
	bool c = (pstate >> 29 & 1) != 0;
	bool o = (pstate >> 28 & 1) != 0;
	const bool holds[8] = {
		z, c, n, o, c && !z, n == o, n == o && !z, true,
	};

	if ((pstate & SPSR_AARCH32) == 0 || cond >= 14)
		return true;
	return holds[cond >> 1] == ((cond & 1) == 0);
}

/* "ITAdvance()". */
static uint64_t it_advance(uint64_t pstate)
{
	uint64_t it = it_state(pstate);

	it = (it & 7) == 0 ? 0 : (it & 0xe0) | (it << 1 & 0x1f);
	pstate = FIELD_SET(SPSR32_IT_HIGH, pstate, it >> 2);
	return FIELD_SET(SPSR32_IT_LOW, pstate, it & 3);
}

void axvmi_arm_skip32(struct arm_vcpu *v, uint64_t esr)
{
	v->frame.pc =
		(v->frame.pc + ((esr & ESR_IL) != 0 ? 4 : 2)) & UINT32_MAX;
	v->frame.pstate = it_advance(v->frame.pstate) & ~SPSR_SS;
}
