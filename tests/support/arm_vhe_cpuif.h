/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The virtual CPU interface of a PE, as IHI 0069 describes it: "List register
 * usage", "Virtual interrupt handling and prioritization", and the pseudocode of
 * ICV_IAR<n>, ICV_EOIR<n> and ICV_DIR. Five bits of preemption. It works on what
 * the model under test puts into the ICH_* registers and knows nothing of it.
 */
#ifndef AXVM_TEST_ARM_VHE_CPUIF_H
#define AXVM_TEST_ARM_VHE_CPUIF_H

#include "arm_vhe/vgic.h"

#define CPUIF_NONE 1023u
#define CPUIF_STATE (LR_PENDING | LR_ACTIVE)

static inline uint32_t cpuif_running(const struct vgic_cpu_regs *r)
{
	uint32_t bits = r->ap0r[0] | r->ap1r[0];

	return bits == 0 ? 0x100 : lowest_bit64(bits) << 3;
}

/* Which bits of a priority preempt. */
static inline uint32_t cpuif_mask(const struct vgic_cpu_regs *r, bool group1)
{
	uint32_t bpr0 = r->vmcr >> 21 & 7;
	uint32_t bpr1 = r->vmcr >> 18 & 7;
	/* BPR1 counts from one bit higher up. */
	uint32_t bpr =
		group1 && (r->vmcr & ICH_VMCR_CBPR) == 0 ? bpr1 - 1 : bpr0;

	return ~(UINT32_C(0xff) >> (7 - bpr)) & 0xff;
}

static inline bool cpuif_enabled(const struct vgic_cpu_regs *r, uint64_t lr)
{
	return (r->vmcr &
		((lr & LR_GROUP1) != 0 ? ICH_VMCR_ENG1 : ICH_VMCR_ENG0)) != 0;
}

static inline uint32_t cpuif_priority(uint64_t lr)
{
	return (uint32_t)FIELD_GET(LR_PRIORITY, lr);
}

/* The list register of the highest priority pending interrupt, or -1. */
static inline int cpuif_best(const struct vgic_cpu_regs *r)
{
	int best = -1;

	for (int i = 0; i < (int)r->lr_used; i++) {
		uint64_t lr = r->lr[i];
		uint64_t key = (uint64_t)cpuif_priority(lr) << 32 | (lr & 1023);

		if ((lr & CPUIF_STATE) != LR_PENDING || !cpuif_enabled(r, lr))
			continue;
		if (best < 0 ||
		    key < ((uint64_t)cpuif_priority(r->lr[best]) << 32 |
			   (r->lr[best] & 1023)))
			best = i;
	}
	return best;
}

/* The one that is signalled now, or -1. */
static inline int cpuif_signalled(const struct vgic_cpu_regs *r)
{
	int best = cpuif_best(r);
	uint32_t priority, mask;

	if (best < 0)
		return -1;
	priority = cpuif_priority(r->lr[best]);
	mask = cpuif_mask(r, (r->lr[best] & LR_GROUP1) != 0);
	if (priority >= r->vmcr >> 24 || (priority & mask) >= cpuif_running(r))
		return -1;
	return best;
}

/* ICV_IAR0 or ICV_IAR1, whichever fits. */
static inline uint32_t cpuif_acknowledge(struct vgic_cpu_regs *r)
{
	int i = cpuif_signalled(r);
	bool group1;
	uint32_t bit;

	if (i < 0)
		return CPUIF_NONE;
	group1 = (r->lr[i] & LR_GROUP1) != 0;
	bit =
		UINT32_C(1)
		<< ((cpuif_priority(r->lr[i]) & cpuif_mask(r, group1)) >> 3);
	r->lr[i] = (r->lr[i] & ~CPUIF_STATE) | LR_ACTIVE;
	if (group1)
		r->ap1r[0] |= bit;
	else
		r->ap0r[0] |= bit;
	return (uint32_t)(r->lr[i] & LR_VINTID);
}

static inline void cpuif_drop(struct vgic_cpu_regs *r)
{
	uint32_t *ap = r->ap1r[0] == 0 || (r->ap0r[0] != 0 &&
					   lowest_bit64(r->ap0r[0]) <
						   lowest_bit64(r->ap1r[0]))
			       ? &r->ap0r[0]
			       : &r->ap1r[0];

	*ap &= *ap - 1;
}

static inline bool cpuif_has_active(const struct vgic_cpu_regs *r,
				    uint32_t intid)
{
	for (uint32_t i = 0; i < r->lr_used; i++) {
		if ((r->lr[i] & LR_VINTID) == intid &&
		    (r->lr[i] & LR_ACTIVE) != 0)
			return true;
	}
	return false;
}

/* Physical interrupts deactivated with their virtual ones; the last of them. */
static unsigned cpuif_hw_ends;
static uint32_t cpuif_hw_ended;

static inline void cpuif_deactivate(struct vgic_cpu_regs *r, uint32_t intid)
{
	for (uint32_t i = 0; i < r->lr_used; i++) {
		if ((r->lr[i] & LR_VINTID) == intid &&
		    (r->lr[i] & LR_ACTIVE) != 0) {
			r->lr[i] &= ~LR_ACTIVE;
			if ((r->lr[i] & LR_HW) == 0)
				return;
			cpuif_hw_ends++;
			cpuif_hw_ended =
				(uint32_t)FIELD_GET(LR_PINTID, r->lr[i]);
			return;
		}
	}
	/* EOIcount. */
	r->hcr += UINT32_C(1) << 27;
}

/* "EOIcount" can be read in two ways: do EOIs count that only drop a priority? */
static bool cpuif_counts_drops;

/* ICV_EOIR<n>. */
static inline void cpuif_eoi(struct vgic_cpu_regs *r, uint32_t intid)
{
	if ((r->ap0r[0] | r->ap1r[0]) == 0)
		return;
	cpuif_drop(r);
	if ((r->vmcr & ICH_VMCR_EOIM) == 0)
		cpuif_deactivate(r, intid);
	else if (cpuif_counts_drops && !cpuif_has_active(r, intid))
		r->hcr += UINT32_C(1) << 27;
}

/* ICV_DIR. False: the write traps. */
static inline bool cpuif_dir(struct vgic_cpu_regs *r, uint32_t intid)
{
	if ((r->hcr & ICH_HCR_TDIR) != 0)
		return false;
	if ((r->vmcr & ICH_VMCR_EOIM) != 0)
		cpuif_deactivate(r, intid);
	return true;
}

/* Is the maintenance interrupt asserted: ICH_MISR_EL2 is not 0. */
static inline bool cpuif_maintenance(const struct vgic_cpu_regs *r)
{
	bool pending = false, eoi = false;

	for (uint32_t i = 0; i < r->lr_used; i++) {
		pending |= (r->lr[i] & CPUIF_STATE) == LR_PENDING;
		eoi |= (r->lr[i] & CPUIF_STATE) == 0 &&
		       (r->lr[i] & (LR_HW | LR_EOI)) == LR_EOI;
	}
	return eoi || (!pending && (r->hcr & ICH_HCR_NPIE) != 0) ||
	       (r->hcr >> 27 != 0 && (r->hcr & ICH_HCR_LRENPIE) != 0) ||
	       ((r->vmcr & ICH_VMCR_ENG0) != 0 &&
		(r->hcr & ICH_HCR_GRP0EIE) != 0) ||
	       ((r->vmcr & ICH_VMCR_ENG0) == 0 &&
		(r->hcr & ICH_HCR_GRP0DIE) != 0) ||
	       ((r->vmcr & ICH_VMCR_ENG1) != 0 &&
		(r->hcr & ICH_HCR_GRP1EIE) != 0) ||
	       ((r->vmcr & ICH_VMCR_ENG1) == 0 &&
		(r->hcr & ICH_HCR_GRP1DIE) != 0);
}

#endif
