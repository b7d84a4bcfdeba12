/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * EPT paging structures as data for the stage-2 walker, and the EPT pointer.
 * Pure; called by the backend's VM init. Intel SDM volume 3, "The Extended
 * Page Table Mechanism (EPT)".
 */
#ifndef AXVMI_VMX_S2_FORMAT_H
#define AXVMI_VMX_S2_FORMAT_H

#include "stage2.h"

/* What IA32_VMX_EPT_VPID_CAP allows. */
struct vmx_ept_features {
	bool exec_only; /* bit 0: execute without read */
	bool leaf_2m; /* bit 16 */
	bool leaf_1g; /* bit 17 */
	unsigned levels; /* 4, or 5 with bit 7 */
	unsigned hpa_bits; /* MAXPHYADDR, 32..52 */
};

/* ERANGE for a level count or an address width that do not exist. */
AXVM_MUST_USE int axvmi_vmx_s2_format(const struct vmx_ept_features *features,
				      struct axvm_s2_format *format);

/* The EPTP for a root: write-back walks, accessed and dirty flags off. */
uint64_t axvmi_vmx_eptp(const struct axvm_s2_format *format, uint64_t root_hpa);

#endif
