/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The guest's register frame, shared by C and world.S; world.S uses the
 * FRAME_* offsets, which vcpu.c asserts. SP_EL2 points to it while the guest
 * runs, so it is aligned to 16 bytes.
 */
#ifndef AXVMI_ARM_FRAME_H
#define AXVMI_ARM_FRAME_H

#define FRAME_X(n) ((n)*8)
#define FRAME_SP_EL0 248
#define FRAME_PC 256
#define FRAME_PSTATE 264
#define FRAME_TPIDR_EL0 272
#define FRAME_HCR 280
#define FRAME_HOST_SP_EL0 288
#define FRAME_HOST_TPIDR_EL0 296
#define FRAME_HOST_VBAR 304
#define FRAME_HOST_HCR 312
#define FRAME_HOST_SP 320
#define FRAME_HOST_X18 328
#define FRAME_HOST_PAN 336
#define FRAME_HOST_DAIF 344
#define FRAME_VECTORS 352

#ifndef __ASSEMBLER__
#include <stdint.h>

struct arm_frame {
	_Alignas(16) uint64_t x[31];
	uint64_t sp_el0;
	uint64_t pc; /* ELR_EL2 of the next entry */
	uint64_t pstate; /* SPSR_EL2 */
	uint64_t tpidr_el0;
	uint64_t hcr; /* HCR_EL2 while the guest runs */
	/* The host's, while the guest runs. */
	uint64_t host_sp_el0;
	uint64_t host_tpidr_el0;
	uint64_t host_vbar;
	uint64_t host_hcr;
	uint64_t host_sp;
	uint64_t host_x18;
	uint64_t host_pan;
	uint64_t host_daif;
	uint64_t vectors; /* VBAR_EL2 while the guest runs: world.S */
};
#endif

#endif
