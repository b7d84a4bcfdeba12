/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Registers of a vCPU by number, for its host. Pure; the vCPU does not run, and
 * what stays loaded while it is resident is refused then.
 */
#include "exit.h"
#include "sysreg.h"
#include "vm.h"

/* Those of v->el1. */
static const struct {
	uint16_t number;
	uint8_t reg; /* enum arm_el1 */
} el1[] = {
	{SYSREG(3, 0, 1, 0, 0), ARM_EL1_SCTLR},
	{SYSREG(3, 0, 1, 0, 2), ARM_EL1_CPACR},
	{SYSREG(3, 0, 2, 0, 0), ARM_EL1_TTBR0},
	{SYSREG(3, 0, 2, 0, 1), ARM_EL1_TTBR1},
	{SYSREG(3, 0, 2, 0, 2), ARM_EL1_TCR},
	{SYSREG(3, 0, 2, 1, 0), ARM_EL1_APIA_LO},
	{SYSREG(3, 0, 2, 1, 1), ARM_EL1_APIA_HI},
	{SYSREG(3, 0, 2, 1, 2), ARM_EL1_APIB_LO},
	{SYSREG(3, 0, 2, 1, 3), ARM_EL1_APIB_HI},
	{SYSREG(3, 0, 2, 2, 0), ARM_EL1_APDA_LO},
	{SYSREG(3, 0, 2, 2, 1), ARM_EL1_APDA_HI},
	{SYSREG(3, 0, 2, 2, 2), ARM_EL1_APDB_LO},
	{SYSREG(3, 0, 2, 2, 3), ARM_EL1_APDB_HI},
	{SYSREG(3, 0, 2, 3, 0), ARM_EL1_APGA_LO},
	{SYSREG(3, 0, 2, 3, 1), ARM_EL1_APGA_HI},
	{SYSREG(3, 0, 4, 0, 0), ARM_EL1_SPSR},
	{SYSREG(3, 0, 4, 0, 1), ARM_EL1_ELR},
	{SYSREG(3, 0, 5, 1, 0), ARM_EL1_AFSR0},
	{SYSREG(3, 0, 5, 1, 1), ARM_EL1_AFSR1},
	{SYSREG(3, 0, 5, 2, 0), ARM_EL1_ESR},
	{SYSREG(3, 0, 6, 0, 0), ARM_EL1_FAR},
	{SYSREG(3, 0, 7, 4, 0), ARM_EL1_PAR},
	{SYSREG(3, 0, 10, 2, 0), ARM_EL1_MAIR},
	{SYSREG(3, 0, 10, 3, 0), ARM_EL1_AMAIR},
	{SYSREG(3, 0, 12, 0, 0), ARM_EL1_VBAR},
	{SYSREG(3, 0, 13, 0, 1), ARM_EL1_CONTEXTIDR},
	{SYSREG(3, 0, 13, 0, 4), ARM_EL1_TPIDR},
	{SYSREG(3, 0, 14, 1, 0), ARM_EL1_CNTKCTL},
	{SYSREG(3, 2, 0, 0, 0), ARM_EL1_CSSELR},
	{SYSREG(3, 3, 13, 0, 3), ARM_EL1_TPIDRRO_EL0},
	{SYSREG(3, 3, 14, 3, 1), ARM_EL1_CNTV_CTL},
	{SYSREG(3, 3, 14, 3, 2), ARM_EL1_CNTV_CVAL},
	{SYSREG(3, 4, 4, 1, 0), ARM_EL1_SP},
};

#define SP_EL0 SYSREG(3, 0, 4, 1, 0)
#define MPIDR_EL1 SYSREG(3, 0, 0, 0, 5)
#define TPIDR_EL0 SYSREG(3, 3, 13, 0, 2)
#define CNTP_CTL_EL0 SYSREG(3, 3, 14, 2, 1)
#define CNTP_CVAL_EL0 SYSREG(3, 3, 14, 2, 2)

/* ---- places ---- */

/* A system register that is in the frame or nowhere else, or NULL. */
static uint64_t *unloaded(struct arm_vcpu *v, uint32_t number)
{
	switch (number) {
	case SP_EL0:
		return &v->frame.sp_el0;
	case TPIDR_EL0:
		return &v->frame.tpidr_el0;
	case CNTP_CVAL_EL0:
		return &v->cntp_cval;
	default:
		return NULL;
	}
}

static int find_el1(struct arm_vcpu *v, uint32_t number, uint64_t **slot)
{
	for (size_t i = 0; i < ARRAY_SIZE(el1); i++) {
		if (el1[i].number != number)
			continue;
		if (load_acquire(&v->core.resident) != 0)
			return AXVM_EBUSY;
		*slot = &v->el1[el1[i].reg];
		return AXVM_OK;
	}
	return AXVM_ENOENT;
}

/* The stack pointer in use: SP_EL1 at EL1h, else SP_EL0. */
static int find_sp(struct arm_vcpu *v, uint64_t **slot)
{
	if ((v->frame.pstate & SPSR_MODE) == SPSR_EL1H)
		return find_el1(v, SYSREG(3, 4, 4, 1, 0), slot);
	*slot = &v->frame.sp_el0;
	return AXVM_OK;
}

static int find_register(struct arm_vcpu *v, uint32_t reg, uint64_t **slot)
{
	uint32_t number = reg - AXVM_REG_ARM_SYSREG(0, 0, 0, 0, 0);

	if (reg == AXVM_REG_SP)
		return find_sp(v, slot);
	if (reg == AXVM_REG_PC)
		*slot = &v->frame.pc;
	else if (reg == AXVM_REG_ARM_PSTATE)
		*slot = &v->frame.pstate;
	else if (reg - AXVM_REG_GPR(0) < 31)
		*slot = &v->frame.x[reg - AXVM_REG_GPR(0)];
	else if (unloaded(v, number) != NULL)
		*slot = unloaded(v, number);
	else
		return find_el1(v, number, slot);
	return AXVM_OK;
}

/* ---- values ---- */

#define PSTATE_AARCH64                                                      \
	(SPSR_NZCV | SPSR_DIT | SPSR_UAO | SPSR_PAN | SPSR_SS | SPSR_SSBS | \
	 SPSR_BTYPE | SPSR_DAIF)
/* "SPSR_EL2", AArch32: Q, GE, IT, E, A, I, F, T of User mode. */
#define PSTATE_AARCH32                                                        \
	(SPSR_NZCV | BIT64(27) | SPSR32_IT_LOW | SPSR32_SSBS | SPSR_PAN |     \
	 SPSR32_DIT | SPSR_SS | FIELD64(19, 16) | SPSR32_IT_HIGH | SPSR32_E | \
	 SPSR_A | SPSR_I | SPSR_F | BIT64(5))

/* An entry with any other would be an illegal exception return, at EL2. */
static bool is_legal_pstate(const struct arm_vcpu *v, uint64_t value)
{
	uint64_t mode = value & (SPSR_AARCH32 | SPSR_MODE);

	if (mode == SPSR_AARCH32)
		return axvmi_arm_has_aarch32(arm_vm(v->core.vm)) &&
		       (value & ~(PSTATE_AARCH32 | SPSR_AARCH32)) == 0;
	if (mode != SPSR_EL0T && mode != SPSR_EL1T && mode != SPSR_EL1H)
		return false;
	return (value & ~(PSTATE_AARCH64 | SPSR_MODE)) == 0;
}

int axvmi_arm_get_reg(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t *value)
{
	struct arm_vcpu *v = arm_vcpu(vcpu);
	uint32_t number = reg - AXVM_REG_ARM_SYSREG(0, 0, 0, 0, 0);
	uint64_t *slot;
	int err;

	if (number == MPIDR_EL1) {
		*value = v->mpidr;
		return AXVM_OK;
	}
	if (number == CNTP_CTL_EL0) {
		*value = axvmi_arm_cntp_read(v, number);
		return AXVM_OK;
	}
	err = find_register(v, reg, &slot);
	if (err != AXVM_OK)
		return err;
	*value = *slot;
	/* Masked while the vGIC has its interrupt; the guest did not do it. */
	if (slot == &v->el1[ARM_EL1_CNTV_CTL] && v->vtimer_held &&
	    !arm_takes_vtimer(v))
		*value &= ~CNT_CTL_IMASK;
	return AXVM_OK;
}

int axvmi_arm_set_reg(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t value)
{
	struct arm_vcpu *v = arm_vcpu(vcpu);
	uint32_t number = reg - AXVM_REG_ARM_SYSREG(0, 0, 0, 0, 0);
	uint64_t *slot;
	int err;

	if (reg == AXVM_REG_ARM_PSTATE && !is_legal_pstate(v, value))
		return AXVM_EINVAL;
	if (number == CNTP_CTL_EL0 || number == CNTP_CVAL_EL0) {
		axvmi_arm_cntp_write(v, number, value);
		return AXVM_OK;
	}
	err = find_register(v, reg, &slot);
	if (err == AXVM_OK)
		*slot = value;
	return err;
}
