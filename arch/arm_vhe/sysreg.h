/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * System registers by number, as AXVM_BUS_SYSREG has them, and the fields of the
 * trap that names one. Shared by sysreg.c, id.c and vm.c.
 */
#ifndef AXVMI_ARM_SYSREG_H
#define AXVMI_ARM_SYSREG_H

#include "axvm/arch.h"
#include "backend.h"

#define SYSREG AXVM_ARM_SYSREG

/* "ISS encoding for an exception from MSR, MRS, or System instruction execution
 * in AArch64 state". */
#define SYS_ISS_READ BIT64(0)
#define SYS_ISS_CRM FIELD64(4, 1)
#define SYS_ISS_RT FIELD64(9, 5)
#define SYS_ISS_CRN FIELD64(13, 10)
#define SYS_ISS_OP1 FIELD64(16, 14)
#define SYS_ISS_OP2 FIELD64(19, 17)
#define SYS_ISS_OP0 FIELD64(21, 20)

/* Register fields of a SYSREG number. */
#define SYSREG_OP1(number) ((number) >> 11 & 7)
#define SYSREG_CRM(number) ((number) >> 3 & 15)
#define SYSREG_OP2(number) ((number)&7)

static inline uint32_t sysreg_of_iss(uint64_t iss)
{
	return (uint32_t)(FIELD_GET(SYS_ISS_OP0, iss) << 14 |
			  FIELD_GET(SYS_ISS_OP1, iss) << 11 |
			  FIELD_GET(SYS_ISS_CRN, iss) << 7 |
			  FIELD_GET(SYS_ISS_CRM, iss) << 3 |
			  FIELD_GET(SYS_ISS_OP2, iss));
}

/* ---- cntp.c: the emulated physical timer ---- */

/* One of CNTPCT_EL0, CNTP_TVAL_EL0, CNTP_CTL_EL0, CNTP_CVAL_EL0. */
uint64_t axvmi_arm_cntp_read(const struct arm_vcpu *v, uint32_t number);
void axvmi_arm_cntp_write(struct arm_vcpu *v, uint32_t number, uint64_t value);

/* ---- id.c ---- */

/* ID_AA64PFR0_EL1.EL0 of the guest says that AArch32 runs there. */
bool axvmi_arm_has_aarch32(const struct arm_vm *avm);

#endif
