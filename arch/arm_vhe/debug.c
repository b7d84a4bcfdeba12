/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Self-hosted debug of guests (Arm ARM, DDI 0487, "AArch64 Self-hosted Debug"):
 * software step, breakpoints, watchpoints. Every access to its registers traps
 * and ends in v->debug; debug_regs.c lends them to the CPU while the guest runs.
 * There is no external debugger, and nobody at the other end of its channel.
 * Pure; on the thread of the running vCPU.
 */
#include "exit.h"
#include "sysreg.h"

/* "OSLSR_EL1": OSLM, the lock is there; OSLK. "OSLAR_EL1": OSLK. */
#define OSLSR_OSLM UINT64_C(0x8)
#define OSLSR_OSLK_SHIFT 1
#define OSLAR_OSLK UINT64_C(0x1)
/* "DBGCLAIMSET_EL1": there are eight tags. */
#define CLAIM_TAGS UINT64_C(0xff)
/* "MDCCINT_EL1": RX, TX. */
#define MDCCINT_MASK (BIT64(30) | BIT64(29))

/* What is not here of "DBGBCR<n>_EL1": HMC, SSC and the types with a VMID or
 * CONTEXTIDR_EL2 tell EL2 apart; and so "DBGWCR<n>_EL1". */
#define BCR_MASK                                                      \
	(BIT64(0) | FIELD64(2, 1) | FIELD64(8, 5) | FIELD64(19, 16) | \
	 FIELD64(22, 20))
#define WCR_MASK                                                     \
	(BIT64(0) | FIELD64(2, 1) | FIELD64(4, 3) | FIELD64(12, 5) | \
	 FIELD64(20, 16) | FIELD64(28, 24))
#define WVR_MASK (~UINT64_C(3))

enum kind {
	KIND_NONE = 0,
	KIND_ZERO, /* reads as zero, ignores writes */
	KIND_ZERO_RO,
	KIND_MDSCR,
	KIND_MDCCINT,
	KIND_OSLAR,
	KIND_OSLSR,
	KIND_CLAIM_SET,
	KIND_CLAIM_CLEAR,
	KIND_NUMBERED, /* of a breakpoint or watchpoint */
};

static const struct {
	uint16_t number;
	uint8_t kind;
} registers[] = {
	{SYSREG(2, 0, 0, 2, 2), KIND_MDSCR},
	{SYSREG(2, 0, 0, 2, 0), KIND_MDCCINT},
	{SYSREG(2, 0, 1, 0, 4), KIND_OSLAR},
	{SYSREG(2, 0, 1, 1, 4), KIND_OSLSR},
	/* OSDLR: no double lock, see id.c. DBGPRCR. */
	{SYSREG(2, 0, 1, 3, 4), KIND_ZERO},
	{SYSREG(2, 0, 1, 4, 4), KIND_ZERO},
	/* OSDTRRX, OSDTRTX, OSECCR: of the channel, for a debugger's state. */
	{SYSREG(2, 0, 0, 0, 2), KIND_ZERO},
	{SYSREG(2, 0, 0, 3, 2), KIND_ZERO},
	{SYSREG(2, 0, 0, 6, 2), KIND_ZERO},
	/* MDCCSR_EL0, DBGDTR_EL0, DBGDTRRX_EL0 and DBGDTRTX_EL0: nothing comes,
	 * and what is sent is taken at once. */
	{SYSREG(2, 3, 0, 1, 0), KIND_ZERO_RO},
	{SYSREG(2, 3, 0, 4, 0), KIND_ZERO},
	{SYSREG(2, 3, 0, 5, 0), KIND_ZERO},
	/* MDRAR: no table. DBGAUTHSTATUS: no external debug. */
	{SYSREG(2, 0, 1, 0, 0), KIND_ZERO_RO},
	{SYSREG(2, 0, 7, 14, 6), KIND_ZERO_RO},
	{SYSREG(2, 0, 7, 8, 6), KIND_CLAIM_SET},
	{SYSREG(2, 0, 7, 9, 6), KIND_CLAIM_CLEAR},
};

/*
 * DBGBVR<n>, DBGBCR<n>, DBGWVR<n>, DBGWCR<n> have op2 4 to 7 and n in CRm. The
 * CPU compares, so a watchpoint does not see an access to an emulated device: it
 * aborts before ("Synchronous exception types, routing and priorities").
 */
static bool is_numbered(const struct arm_vcpu *v, uint32_t number)
{
	uint64_t dfr0 = arm_vm(v->core.vm)->id[5][0];
	uint64_t last = SYSREG_OP2(number) < 6 ? FIELD_GET(ID_DFR0_BRPS, dfr0)
					       : FIELD_GET(ID_DFR0_WRPS, dfr0);

	return number >> 7 == SYSREG(2, 0, 0, 0, 0) >> 7 &&
	       SYSREG_OP2(number) >= 4 && SYSREG_CRM(number) <= last;
}

static uint8_t kind_of(const struct arm_vcpu *v, uint32_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
		if (registers[i].number == number)
			return registers[i].kind;
	}
	return is_numbered(v, number) ? KIND_NUMBERED : KIND_NONE;
}

bool axvmi_arm_debug_has(const struct arm_vcpu *v, uint32_t number)
{
	return kind_of(v, number) != KIND_NONE;
}

bool axvmi_arm_debug_read(const struct arm_vcpu *v, uint32_t number,
			  uint64_t *value)
{
	const struct arm_debug *d = &v->debug;

	switch (kind_of(v, number)) {
	case KIND_ZERO:
	case KIND_ZERO_RO:
		*value = 0;
		return true;
	case KIND_MDSCR:
		*value = d->mdscr;
		return true;
	case KIND_MDCCINT:
		*value = d->mdccint;
		return true;
	case KIND_OSLSR:
		*value = OSLSR_OSLM | d->os_lock << OSLSR_OSLK_SHIFT;
		return true;
	case KIND_CLAIM_SET:
		*value = CLAIM_TAGS;
		return true;
	case KIND_CLAIM_CLEAR:
		*value = d->claim;
		return true;
	case KIND_NUMBERED:
		*value =
			d->numbered[SYSREG_OP2(number) - 4][SYSREG_CRM(number)];
		return true;
	default:
		return false;
	}
}

static void write_numbered(struct arm_debug *d, uint32_t number, uint64_t value)
{
	static const uint64_t masks[4] = {UINT64_MAX, BCR_MASK, WVR_MASK,
					  WCR_MASK};
	uint32_t which = SYSREG_OP2(number) - 4;

	d->numbered[which][SYSREG_CRM(number)] = value & masks[which];
}

bool axvmi_arm_debug_write(struct arm_vcpu *v, uint32_t number, uint64_t value)
{
	struct arm_debug *d = &v->debug;

	switch (kind_of(v, number)) {
	case KIND_ZERO:
		return true;
	case KIND_MDSCR:
		d->mdscr = value & MDSCR_MASK;
		break;
	case KIND_MDCCINT:
		d->mdccint = value & MDCCINT_MASK;
		break;
	case KIND_OSLAR:
		d->os_lock = value & OSLAR_OSLK;
		break;
	case KIND_CLAIM_SET:
		d->claim |= value & CLAIM_TAGS;
		break;
	case KIND_CLAIM_CLEAR:
		d->claim &= ~value;
		break;
	case KIND_NUMBERED:
		write_numbered(d, number, value);
		break;
	default:
		return false;
	}
	v->effects |= ARM_EFFECT_DEBUG;
	return true;
}

uint64_t axvmi_arm_debug_mdscr(const struct arm_vcpu *v)
{
	return v->debug.os_lock != 0 ? v->debug.mdscr & MDSCR_TDCC
				     : v->debug.mdscr;
}

void axvmi_arm_debug_reset(struct arm_vcpu *v)
{
	/* What is on the CPU stays there until the entry, or the end of run. */
	uint32_t on = v->debug.on;

	memset(&v->debug, 0, sizeof(v->debug));
	v->debug.on = on;
	v->debug.os_lock = 1;
	v->effects |= ARM_EFFECT_DEBUG;
}
