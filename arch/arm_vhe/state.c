/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Registers by number: the guest's EL1 state, the virtual CPU interface, ID
 * registers. Between memory and the CPU this runs on, and nothing else.
 */
#include "hw.h"
#include "metal.h"
#include "vgic.h"

#define EL1_REGISTERS(X)                   \
	X(SCTLR, SYS_SCTLR_EL12)           \
	X(CPACR, SYS_CPACR_EL12)           \
	X(TTBR0, SYS_TTBR0_EL12)           \
	X(TTBR1, SYS_TTBR1_EL12)           \
	X(TCR, SYS_TCR_EL12)               \
	X(ESR, SYS_ESR_EL12)               \
	X(AFSR0, SYS_AFSR0_EL12)           \
	X(AFSR1, SYS_AFSR1_EL12)           \
	X(FAR, SYS_FAR_EL12)               \
	X(MAIR, SYS_MAIR_EL12)             \
	X(AMAIR, SYS_AMAIR_EL12)           \
	X(VBAR, SYS_VBAR_EL12)             \
	X(CONTEXTIDR, SYS_CONTEXTIDR_EL12) \
	X(CNTKCTL, SYS_CNTKCTL_EL12)       \
	X(PAR, SYS_PAR_EL1)                \
	X(TPIDR, SYS_TPIDR_EL1)            \
	X(TPIDRRO_EL0, SYS_TPIDRRO_EL0)    \
	X(SP, SYS_SP_EL1)                  \
	X(ELR, SYS_ELR_EL12)               \
	X(SPSR, SYS_SPSR_EL12)             \
	X(CSSELR, SYS_CSSELR_EL1)          \
	X(CNTV_CVAL, SYS_CNTV_CVAL_EL02)

#define RAS_REGISTERS(X)        \
	X(VSESR, SYS_VSESR_EL2) \
	X(VDISR, SYS_VDISR_EL2)

#define PAUTH_REGISTERS(X)            \
	X(APIA_LO, SYS_APIAKEYLO_EL1) \
	X(APIA_HI, SYS_APIAKEYHI_EL1) \
	X(APIB_LO, SYS_APIBKEYLO_EL1) \
	X(APIB_HI, SYS_APIBKEYHI_EL1) \
	X(APDA_LO, SYS_APDAKEYLO_EL1) \
	X(APDA_HI, SYS_APDAKEYHI_EL1) \
	X(APDB_LO, SYS_APDBKEYLO_EL1) \
	X(APDB_HI, SYS_APDBKEYHI_EL1) \
	X(APGA_LO, SYS_APGAKEYLO_EL1) \
	X(APGA_HI, SYS_APGAKEYHI_EL1)

uint64_t axvmi_arm_read_el1(enum arm_el1 reg)
{
#define CASE(name, sys)      \
	case ARM_EL1_##name: \
		return sys_read(sys);
	switch (reg) {
		EL1_REGISTERS(CASE)
		RAS_REGISTERS(CASE)
		PAUTH_REGISTERS(CASE)
		CASE(CNTV_CTL, SYS_CNTV_CTL_EL02)
	case ARM_EL1_REGS:
		break;
	}
#undef CASE
	return 0;
}

void axvmi_arm_write_el1(enum arm_el1 reg, uint64_t value)
{
#define CASE(name, sys)                \
	case ARM_EL1_##name:           \
		sys_write(sys, value); \
		break;
	switch (reg) {
		EL1_REGISTERS(CASE)
		RAS_REGISTERS(CASE)
		PAUTH_REGISTERS(CASE)
		CASE(CNTV_CTL, SYS_CNTV_CTL_EL02)
	case ARM_EL1_REGS:
		break;
	}
#undef CASE
}

void axvmi_arm_el1_load(const struct arm_vcpu *v)
{
#define LOAD(name, sys) sys_write(sys, v->el1[ARM_EL1_##name]);
	EL1_REGISTERS(LOAD)
	if (arm_has(v->core.vm->host, ARM_FEATURE_RAS)) {
		RAS_REGISTERS(LOAD)
	}
	if (arm_has(v->core.vm->host, ARM_FEATURE_PAUTH)) {
		PAUTH_REGISTERS(LOAD)
	}
#undef LOAD
}

void axvmi_arm_el1_save(struct arm_vcpu *v)
{
#define SAVE(name, sys) v->el1[ARM_EL1_##name] = sys_read(sys);
	EL1_REGISTERS(SAVE)
	if (arm_has(v->core.vm->host, ARM_FEATURE_RAS)) {
		RAS_REGISTERS(SAVE)
	}
	if (arm_has(v->core.vm->host, ARM_FEATURE_PAUTH)) {
		PAUTH_REGISTERS(SAVE)
	}
#undef SAVE
}

/* ---- the virtual CPU interface ---- */

/* ICH_LR<n>_EL2: CRm, op2. */
#define LIST_REGISTERS(X) \
	X(0, 12, 0)       \
	X(1, 12, 1)       \
	X(2, 12, 2)       \
	X(3, 12, 3)       \
	X(4, 12, 4)       \
	X(5, 12, 5)       \
	X(6, 12, 6)       \
	X(7, 12, 7)       \
	X(8, 13, 0)       \
	X(9, 13, 1)       \
	X(10, 13, 2)      \
	X(11, 13, 3)      \
	X(12, 13, 4)      \
	X(13, 13, 5)      \
	X(14, 13, 6)      \
	X(15, 13, 7)

static uint64_t read_lr(uint32_t n)
{
#define CASE(n, crm, op2) \
	case n:           \
		return sys_read(s3_4_c12_c##crm##_##op2);
	switch (n) {
		LIST_REGISTERS(CASE)
	}
#undef CASE
	return 0;
}

static void write_lr(uint32_t n, uint64_t value)
{
#define CASE(n, crm, op2)                                  \
	case n:                                            \
		sys_write(s3_4_c12_c##crm##_##op2, value); \
		break;
	switch (n) {
		LIST_REGISTERS(CASE)
	}
#undef CASE
}

/* How many ICH_AP0R<n> and ICH_AP1R<n> there are: 1, 2, 4 for 5, 6, 7 bits of
 * preemption (IHI 0069, "ICH_AP0R<n>_EL2"). */
static unsigned active_registers(void)
{
	uint64_t bits = FIELD_GET(ICH_VTR_PREBITS, sys_read(SYS_ICH_VTR_EL2));

	return 1u << (bits < 4 ? 0 : bits - 4);
}

static void active_read(struct vgic_cpu_regs *gic)
{
	unsigned count = active_registers();

	gic->ap0r[0] = (uint32_t)sys_read(SYS_ICH_AP0R0_EL2);
	gic->ap1r[0] = (uint32_t)sys_read(SYS_ICH_AP1R0_EL2);
	if (count > 1) {
		gic->ap0r[1] = (uint32_t)sys_read(SYS_ICH_AP0R1_EL2);
		gic->ap1r[1] = (uint32_t)sys_read(SYS_ICH_AP1R1_EL2);
	}
	if (count > 2) {
		gic->ap0r[2] = (uint32_t)sys_read(SYS_ICH_AP0R2_EL2);
		gic->ap1r[2] = (uint32_t)sys_read(SYS_ICH_AP1R2_EL2);
		gic->ap0r[3] = (uint32_t)sys_read(SYS_ICH_AP0R3_EL2);
		gic->ap1r[3] = (uint32_t)sys_read(SYS_ICH_AP1R3_EL2);
	}
}

static void active_write(const struct vgic_cpu_regs *gic)
{
	unsigned count = active_registers();

	sys_write(SYS_ICH_AP0R0_EL2, gic->ap0r[0]);
	sys_write(SYS_ICH_AP1R0_EL2, gic->ap1r[0]);
	if (count > 1) {
		sys_write(SYS_ICH_AP0R1_EL2, gic->ap0r[1]);
		sys_write(SYS_ICH_AP1R1_EL2, gic->ap1r[1]);
	}
	if (count > 2) {
		sys_write(SYS_ICH_AP0R2_EL2, gic->ap0r[2]);
		sys_write(SYS_ICH_AP1R2_EL2, gic->ap1r[2]);
		sys_write(SYS_ICH_AP0R3_EL2, gic->ap0r[3]);
		sys_write(SYS_ICH_AP1R3_EL2, gic->ap1r[3]);
	}
}

void axvmi_arm_gic_read(struct arm_vcpu *v, bool all)
{
	struct vgic_cpu_regs *gic = &v->gic;

	for (uint32_t n = 0; n < gic->lr_used; n++)
		gic->lr[n] = read_lr(n);
	/* EOIcount; nobody asks for it otherwise. */
	if ((gic->hcr & ICH_HCR_LRENPIE) != 0)
		gic->hcr = (uint32_t)sys_read(SYS_ICH_HCR_EL2);
	gic->vmcr = (uint32_t)sys_read(SYS_ICH_VMCR_EL2);
	if (all)
		active_read(gic);
}

/* Registers above lr_used that still hold something are emptied. */
void axvmi_arm_gic_write(struct arm_vcpu *v, bool all)
{
	const struct vgic_cpu_regs *gic = &v->gic;
	uint32_t stale = all ? gic->lr_count : v->gic_on_cpu;

	for (uint32_t n = 0; n < gic->lr_used; n++)
		write_lr(n, gic->lr[n]);
	for (uint32_t n = gic->lr_used; n < stale; n++)
		write_lr(n, 0);
	v->gic_on_cpu = gic->lr_used;
	if (all) {
		sys_write(SYS_ICH_VMCR_EL2, gic->vmcr);
		active_write(gic);
	}
	sys_write(SYS_ICH_HCR_EL2, gic->hcr);
}

/* "ICC_DIR_EL1": priority drop and deactivation are apart, see cpu_enable. */
void axvmi_arm_deactivate(uint32_t intid)
{
	sys_write(SYS_ICC_DIR_EL1, intid);
}

void axvmi_arm_lr_read(struct arm_vcpu *v, uint32_t n)
{
	v->gic.lr[n] = n == 0 ? sys_read(s3_4_c12_c12_0) : read_lr(n);
}

void axvmi_arm_lr_write(struct arm_vcpu *v, uint32_t n)
{
	v->gic_on_cpu = v->gic.lr_used;
	if (n == 0)
		sys_write(s3_4_c12_c12_0, v->gic.lr[0]);
	else
		write_lr(n, v->gic.lr[n]);
}

/* ---- ID registers ---- */

uint64_t axvmi_arm_read_id(unsigned crm, unsigned op2)
{
#define CASE(crm, op2)        \
	case (crm)*8 + (op2): \
		return sys_read(s3_0_c0_c##crm##_##op2);
#define ROW(crm)     \
	CASE(crm, 0) \
	CASE(crm, 1) \
	CASE(crm, 2) \
	CASE(crm, 3) CASE(crm, 4) CASE(crm, 5) CASE(crm, 6) CASE(crm, 7)
	switch (crm * 8 + op2) {
		CASE(0, 0)
		CASE(0, 5)
		CASE(0, 6)
		ROW(1)
		ROW(2)
		ROW(3)
		ROW(4)
		ROW(5)
		ROW(6)
		ROW(7)
	}
#undef ROW
#undef CASE
	return 0;
}
