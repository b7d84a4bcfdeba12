/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Floating-point and SIMD registers: loaded when the guest first uses them after
 * a load, saved at put. Only for the vCPU that is resident on this CPU.
 */
#include "hw.h"
#include "metal.h"

#define CPTR_GUEST (CPTR_TTA | CPTR_TAM)

void axvmi_arm_cptr_load(const struct arm_vcpu *v)
{
	/* SVE, SME, trace and activity monitors are not for guests. */
	sys_write(SYS_CPTR_EL2,
		  CPTR_GUEST |
			  (v->fp_loaded ? FIELD_PUT(CPTR_FPEN, CPTR_NO_TRAP)
					: 0));
}

void axvmi_arm_host_cptr(const struct arm_vcpu *v)
{
	sys_write(SYS_CPTR_EL2, arm_cpu(v->core.cpu)->host_cptr);
	hw_isb();
}

/* With E2H the trap is EL2's own too: it goes first. */
static void let_fp(void)
{
	sys_write(SYS_CPTR_EL2,
		  CPTR_GUEST | FIELD_PUT(CPTR_FPEN, CPTR_NO_TRAP));
	hw_isb();
}

void axvmi_arm_fp_load(struct arm_vcpu *v)
{
	if (v->fp_loaded)
		return;
	let_fp();
#ifdef AXVMI_HOST_FP
	axvmi_arm_host_fp_save(arm_cpu(v->core.cpu)->host_fp);
#endif
	axvmi_arm_fp_restore(v->fp);
	v->fp_loaded = 1;
}

void axvmi_arm_fp_put(struct arm_vcpu *v)
{
	if (!v->fp_loaded)
		return;
	axvmi_arm_fp_save(v->fp);
#ifdef AXVMI_HOST_FP
	axvmi_arm_host_fp_restore(arm_cpu(v->core.cpu)->host_fp);
#endif
	v->fp_loaded = 0;
	axvmi_arm_cptr_load(v);
}

void axvmi_arm_fp_read(struct arm_vcpu *v, unsigned n, uint64_t q[2])
{
	const uint64_t *at = &v->fp[(size_t)n * 2];

	if (v->fp_loaded)
		axvmi_arm_fp_save(v->fp);
	q[0] = at[0];
	q[1] = at[1];
}

void axvmi_arm_fp_write(struct arm_vcpu *v, unsigned n, const uint64_t q[2])
{
	uint64_t *at = &v->fp[(size_t)n * 2];

	if (v->fp_loaded)
		axvmi_arm_fp_save(v->fp);
	at[0] = q[0];
	at[1] = q[1];
	if (v->fp_loaded)
		axvmi_arm_fp_restore(v->fp);
}
