/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The short way of MMIO: the commonest exit after calls, hence inline in the
 * metal half's handler and without what refusals need. Whatever is not found
 * here goes the long way, axvmi_arm_exit(). Pure.
 */
#ifndef AXVMI_ARM_MMIO_H
#define AXVMI_ARM_MMIO_H

#include "exit.h"

/* A load or store that the syndrome describes: a translation fault of stage 2,
 * and neither a walk nor cache maintenance. */
static inline bool arm_is_plain_access(uint64_t esr)
{
	return (esr & (ESR_EC | ISS_ISV | ISS_CM | ISS_S1PTW | FSC_TYPE)) ==
	       (FIELD_PUT(ESR_EC, EC_DABT_LOWER) | ISS_ISV | FSC_TRANSLATION);
}

static inline uint64_t arm_fault_gpa(uint64_t far, uint64_t hpfar)
{
	return (hpfar & HPFAR_FIPA) << 8 | (far & (PAGE_SIZE_4K - 1));
}

/* May a plain access at gpa take the short way? */
static inline bool arm_is_last_device(const struct arm_vcpu *v, uint64_t esr,
				      uint64_t gpa)
{
	uint64_t size = BIT64(FIELD_GET(ISS_SAS, esr));

	return gpa - v->last.start <= v->last.span &&
	       (v->last.widths & size) != 0 && is_aligned(gpa, size);
}

static inline bool arm_only_moves_pc(const struct arm_vcpu *v)
{
	return (v->frame.pstate & (SPSR_AARCH32 | SPSR_BTYPE | SPSR_SS)) == 0;
}

/* It is neither for big-endian data, which SCTLR_EL1 may say, nor AArch32, nor for
 * an instruction that changes more of PSTATE than its pc: see arm_skip64(). */
static inline bool arm_is_plain_state(const struct arm_vcpu *v, uint64_t sctlr)
{
	return (sctlr & (SCTLR_E0E | SCTLR_EE)) == 0 && arm_only_moves_pc(v);
}

/* The end of an access in such a state; `value` is what a load has read. */
static inline void arm_mmio_done(struct arm_vcpu *v, uint64_t value)
{
	struct arm_insn insn = arm_insn_from_esr(v->mmio.esr);

	if (insn.kind == ARM_INSN_LOAD)
		arm_write_x(v, insn.rt, arm_insn_load_value(&insn, value));
	v->frame.pc += 4;
}

/* The exit that waits, if one does, at the start of a run. */
static inline void arm_end_wait(struct arm_vcpu *v)
{
	const struct arm_mmio *m = &v->mmio;

	if (v->core.wait == AXVM_EXIT_MMIO &&
	    v->core.action == AXVM_COMPLETE_DONE &&
	    (m->insn | m->turned) == 0 && arm_only_moves_pc(v)) {
		arm_mmio_done(v, v->core.answer);
		axvmi_completed(&v->core);
	} else if (v->core.wait != 0) {
		axvmi_complete(&v->core);
	}
}

/* Leaves the plain access in v->mmio to the host; as axvmi_arm_exit(). */
int axvmi_arm_mmio_leave(struct arm_vcpu *v);

/* What to do with the access in v->mmio when a device does not say DONE; as
 * axvmi_arm_exit(). */
int axvmi_arm_mmio_refused(struct arm_vcpu *v, enum axvm_access_result result);

/* Performs a plain access to the last device; as axvmi_arm_exit(). */
static inline int arm_mmio(struct arm_vcpu *v, uint64_t esr, uint64_t far,
			   uint64_t gpa)
{
	struct arm_insn insn = arm_insn_from_esr(esr);
	struct axvm_device *device = v->last.device;
	struct axvm_device_access access = {
		.vm = v->core.vm,
		.offset = gpa - v->last.start,
		.vcpu = v->core.index,
		.range = v->last.range,
		.size = insn.width,
		.write = insn.kind == ARM_INSN_STORE,
	};
	enum axvm_access_result result;

	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_MMIO);
	v->mmio.esr = esr;
	v->mmio.gpa = gpa;
	v->mmio.gva = far;
	if (device == NULL)
		return axvmi_arm_mmio_leave(v);
	if (access.write != 0)
		access.value = arm_insn_store_value(insn.width,
						    arm_read_x(v, insn.rt));
	result = device->ops->access(device, &access);
	if (result != AXVM_ACCESS_DONE)
		return axvmi_arm_mmio_refused(v, result);
	arm_mmio_done(v, access.value);
	return 0;
}

#endif
