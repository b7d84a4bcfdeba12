/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Aborts of stage 2: RAM that is not there yet, or refused; what is no RAM goes
 * to mmio.c. Pure; on the thread of the running vCPU. Arm ARM (DDI 0487), "ISS
 * encoding for an exception from a Data Abort".
 */
#include "mmio.h"

static bool is_exec(uint64_t esr)
{
	return esr_ec(esr) == EC_IABT_LOWER;
}

static bool is_permission(uint64_t esr)
{
	return (esr & FSC_TYPE) == FSC_PERMISSION;
}

/* WnR and CM are RES0 in an Instruction Abort. */
uint64_t axvmi_arm_abort_esr(const struct arm_vcpu *v, uint64_t esr,
			     uint64_t fsc)
{
	uint64_t ec = is_exec(esr) ? EC_IABT_LOWER : EC_DABT_LOWER;
	uint64_t same = arm_is_el0(v) ? 0 : EC_DABT_SAME - EC_DABT_LOWER;

	return FIELD_PUT(ESR_EC, ec + same) |
	       (esr & (ESR_IL | ISS_WNR | ISS_CM)) | fsc;
}

static void reflect(struct arm_vcpu *v, const struct arm_syndrome *s,
		    uint64_t fsc)
{
	axvmi_arm_inject(v, axvmi_arm_abort_esr(v, s->esr, fsc), s->far);
}

/* RAM that the core refuses: the host decides, or the guest gets an external
 * abort. */
static int denied(struct arm_vcpu *v, const struct arm_syndrome *s,
		  uint64_t fsc)
{
	arm_fill_exit(v, s);
	v->core.exit->gva = s->far;
	v->core.exit->valid |= AXVM_EXIT_GVA_VALID;
	v->refusal.esr = axvmi_arm_abort_esr(v, s->esr, fsc);
	v->refusal.far = s->far;
	return AXVM_EXIT_FAULT;
}

static int ram(struct arm_vcpu *v, const struct arm_syndrome *s, uint64_t gpa,
	       const struct axvmi_space *space)
{
	bool maintenance = (s->esr & ISS_CM) != 0;
	uint32_t access = (s->esr & ISS_WNR) != 0 ? AXVM_WRITE : AXVM_READ;

	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_STAGE2_FAULT);
	/* WnR is set for all of them; they write nothing new. */
	if (maintenance) {
		access = AXVM_READ;
		if (is_permission(s->esr)) {
			arm_skip(v, s->esr);
			return 0;
		}
	}
	if (is_exec(s->esr))
		access = AXVM_EXEC;
	if (axvmi_ram_fault(&v->core, gpa, access, space) != AXVMI_FAULT_DENIED)
		return 0;
	return denied(v, s, FSC_EXTERNAL);
}

/* No tables are here: nothing, a device of ours, or by HCR_EL2.PTW one of the
 * machine's, which walks, also those of translate(), do not touch. */
static bool is_no_table(const struct arm_syndrome *s,
			const struct axvmi_space *space)
{
	return space == NULL || space->kind == AXVMI_SPACE_DEVICE ||
	       (space->kind == AXVMI_SPACE_WINDOW && is_permission(s->esr));
}

/*
 * The CPU reads, or to set flags writes, the guest's own tables. FAR is the
 * address that it translates. Of a level that is not reported: level 0.
 */
static int walk(struct arm_vcpu *v, const struct arm_syndrome *s, uint64_t gpa,
		const struct axvmi_space *space)
{
	uint32_t access = is_permission(s->esr) ? AXVM_WRITE : AXVM_READ;

	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_STAGE2_FAULT);
	if (is_no_table(s, space)) {
		reflect(v, s, FSC_EXTERNAL_WALK);
		return 0;
	}
	if (axvmi_ram_fault(&v->core, align_down(gpa, PAGE_SIZE_4K), access,
			    space) != AXVMI_FAULT_DENIED)
		return 0;
	return denied(v, s, FSC_EXTERNAL_WALK);
}

/* Neither translation nor permission: nothing that stage 2 has here. */
static int strange(struct arm_vcpu *v, const struct arm_syndrome *s)
{
	struct axvm_exit *exit = v->core.exit;

	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_OTHER);
	/* An output address that no CPU has: no memory answers. */
	if ((s->esr & FSC_TYPE) == FSC_ADDRESS_SIZE) {
		reflect(v, s, FSC_EXTERNAL);
		return 0;
	}
	/* Normal memory to the guest, a device's to stage 2. */
	if ((s->esr & ISS_FSC) == FSC_ALIGNMENT) {
		reflect(v, s, FSC_ALIGNMENT);
		return 0;
	}
	arm_fill_exit(v, s);
	exit->u.fault.kind = AXVM_FAULT_UNKNOWN;
	exit->u.fault.access = 0;
	if ((s->esr & ISS_FNV) == 0) {
		exit->gva = s->far;
		exit->valid |= AXVM_EXIT_GVA_VALID;
	}
	v->refusal.esr = axvmi_arm_abort_esr(v, s->esr, FSC_EXTERNAL) |
			 (s->esr & ISS_FNV);
	v->refusal.far = s->far;
	return AXVM_EXIT_FAULT;
}

/*
 * "HPFAR_EL2" does not hold the address of a permission fault, but for walks.
 * False: another vCPU has changed the guest's tables; it will fault by itself.
 */
static bool fault_gpa(struct arm_vcpu *v, const struct arm_syndrome *s,
		      uint64_t *gpa)
{
	if (is_permission(s->esr) && (s->esr & ISS_S1PTW) == 0)
		return arm_metal(v)->translate(v, s->far, gpa);
	*gpa = arm_fault_gpa(s->far, s->hpfar);
	return true;
}

int axvmi_arm_abort(struct arm_vcpu *v, const struct arm_syndrome *s)
{
	uint64_t type = s->esr & FSC_TYPE;
	const struct axvmi_space *space;
	uint64_t gpa;

	if (type != FSC_TRANSLATION && type != FSC_PERMISSION)
		return strange(v, s);
	if (!fault_gpa(v, s, &gpa)) {
		axvmi_leave(&v->core);
		axvmi_count(&v->core, AXVM_STAT_STAGE2_FAULT);
		return 0;
	}
	space = axvmi_bus_find(&v->core.vm->bus[AXVM_BUS_MMIO], gpa);
	if ((s->esr & ISS_S1PTW) != 0)
		return walk(v, s, gpa, space);
	if (space != NULL && space->kind != AXVMI_SPACE_DEVICE)
		return ram(v, s, gpa, space);
	if (!is_exec(s->esr) && (s->esr & ISS_CM) == 0)
		return axvmi_arm_mmio(v, s, gpa, space);
	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_MMIO);
	/* No cache holds a device. */
	if (is_exec(s->esr))
		reflect(v, s, FSC_EXTERNAL);
	else
		arm_skip(v, s->esr);
	return 0;
}
