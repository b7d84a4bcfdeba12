/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Coprocessor 15 as AArch32 code at EL0 names it: the physical counter and timer
 * are the same as AArch64 code has, all else is not there. Pure; on the thread of
 * the running vCPU. Arm ARM (DDI 0487), "AArch32 System register descriptions".
 */
#include "exit.h"
#include "sysreg.h"

/* "ISS encoding for an exception from an MCR or MRC access": Opc2, Opc1, CRn, CRm
 * and the direction, as AArch64's has op2, op1, CRn, CRm. */
#define CP15_32(opc1, crn, crm, opc2)             \
	(FIELD_PUT(SYS_ISS_OP1, UINT64_C(opc1)) | \
	 FIELD_PUT(SYS_ISS_CRN, UINT64_C(crn)) |  \
	 FIELD_PUT(SYS_ISS_CRM, UINT64_C(crm)) |  \
	 FIELD_PUT(SYS_ISS_OP2, UINT64_C(opc2)))
#define CP15_32_NUMBER (SYS_ISS_OP1 | SYS_ISS_CRN | SYS_ISS_CRM | SYS_ISS_OP2)

/* "ISS encoding for an exception from an MCRR or MRRC access". */
#define CP15_64_OPC1 FIELD64(19, 16)
#define CP15_64_RT2 FIELD64(14, 10)
#define CP15_64(opc1, crm)                         \
	(FIELD_PUT(CP15_64_OPC1, UINT64_C(opc1)) | \
	 FIELD_PUT(SYS_ISS_CRM, UINT64_C(crm)))
#define CP15_64_NUMBER (CP15_64_OPC1 | SYS_ISS_CRM)

#define CNTPCT_EL0 SYSREG(3, 3, 14, 0, 1)

/* The AArch64 register that it is; 0: none. */
static uint32_t number_of(uint64_t esr)
{
	if (esr_ec(esr) == EC_CP15_64) {
		switch (esr & CP15_64_NUMBER) {
		case CP15_64(0, 14):
			return CNTPCT_EL0;
		case CP15_64(2, 14):
			return SYSREG(3, 3, 14, 2, 2); /* CNTP_CVAL */
		default:
			return 0;
		}
	}
	switch (esr & CP15_32_NUMBER) {
	case CP15_32(0, 14, 2, 0):
		return SYSREG(3, 3, 14, 2, 0); /* CNTP_TVAL */
	case CP15_32(0, 14, 2, 1):
		return SYSREG(3, 3, 14, 2, 1); /* CNTP_CTL */
	default:
		return 0;
	}
}

/* Registers are 32 bits wide; of two the second one is the upper half. */
static void read(struct arm_vcpu *v, uint64_t esr, uint32_t number)
{
	uint64_t value = axvmi_arm_cntp_read(v, number);

	arm_write_x(v, (unsigned)FIELD_GET(SYS_ISS_RT, esr),
		    value & UINT32_MAX);
	if (esr_ec(esr) == EC_CP15_64)
		arm_write_x(v, (unsigned)FIELD_GET(CP15_64_RT2, esr),
			    value >> 32);
}

static void write(struct arm_vcpu *v, uint64_t esr, uint32_t number)
{
	uint64_t value = arm_read_x(v, (unsigned)FIELD_GET(SYS_ISS_RT, esr)) &
			 UINT32_MAX;

	if (esr_ec(esr) == EC_CP15_64)
		value |= arm_read_x(v, (unsigned)FIELD_GET(CP15_64_RT2, esr))
			 << 32;
	axvmi_arm_cntp_write(v, number, value);
}

/* EL1 has allowed it, or CNTKCTL_EL1 would have trapped it there. */
int axvmi_arm_cp15(struct arm_vcpu *v, const struct arm_syndrome *s)
{
	uint32_t number = number_of(s->esr);
	bool reads = (s->esr & SYS_ISS_READ) != 0;

	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_SYSREG);
	if (axvmi_arm_condition(v, s->esr)) {
		if (number == 0 || (number == CNTPCT_EL0 && !reads)) {
			axvmi_arm_undefined(v);
			return 0;
		}
		if (reads)
			read(v, s->esr, number);
		else
			write(v, s->esr, number);
	}
	arm_skip(v, s->esr);
	return 0;
}
