/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The virtual CPU interface of one vCPU as it stands in the ICH_* registers
 * (GIC Architecture Specification, IHI 0069, "Virtual interface control
 * registers"). The model (vgic_lr.c) fills and folds it; the metal half moves it.
 */
#ifndef AXVMI_ARM_VGIC_CPU_H
#define AXVMI_ARM_VGIC_CPU_H

#include <stdint.h>

struct vgic_cpu_regs {
	uint64_t lr[16]; /* ICH_LR<n>_EL2 */
	/* LRs that may hold something: [0, lr_used) are moved. Set by flush and
	 * vgic_join(). */
	uint32_t lr_used;
	uint32_t lr_count; /* the CPU's; fixed */
	uint32_t pre_bits; /* of preemption, 5 to 7; fixed */
	/* ICH_HCR_EL2, En included; with LRENPIE read back before a fold. */
	uint32_t hcr;
	/* Guest state, moved at load, put and fold. */
	uint32_t vmcr;
	uint32_t ap0r[4];
	uint32_t ap1r[4];
};

#endif
