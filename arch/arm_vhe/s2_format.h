/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * VMSAv8-64 stage 2 with the 4 KiB granule as data for the stage-2 walker, and
 * VTCR_EL2. Pure; called by the backend's VM init. Arm ARM (DDI 0487), "The
 * AArch64 Virtual Memory System Architecture".
 */
#ifndef AXVMI_ARM_VHE_S2_FORMAT_H
#define AXVMI_ARM_VHE_S2_FORMAT_H

#include "stage2.h"

#define ARM_S2_MIN_IPA_BITS 32u
#define ARM_S2_MAX_IPA_BITS 48u

/*
 * The format for guest addresses of ipa_bits on a CPU with pa_bits (from
 * ID_AA64MMFR0_EL1.PARange; 52 counts as 48, the 4 KiB granule without LPA2).
 * ERANGE: ipa_bits not in 32..48 or no such PARange. ENOTSUP: more than the
 * CPU's physical address bits.
 */
AXVM_MUST_USE int axvmi_arm_s2_format(unsigned ipa_bits, unsigned pa_bits,
				      struct axvm_s2_format *format);

/* VTCR_EL2 for the format; vmid16 selects 16-bit VMIDs. */
uint64_t axvmi_arm_vtcr(const struct axvm_s2_format *format, bool vmid16);

/* VTTBR_EL2 for a root; CnP clear. */
uint64_t axvmi_arm_vttbr(uint64_t root_hpa, uint16_t vmid);

#endif
