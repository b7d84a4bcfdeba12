/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * ID registers as guests see them: of every field that is known the CPU's value,
 * unless the library traps or does not switch what it stands for; zero for all
 * else. Made at vm_init, read-only after. Arm ARM (DDI 0487), "AArch64 System
 * register descriptions"; names are those of the fields there.
 */
#include "exit.h"
#include "sysreg.h"

struct id_rule {
	uint8_t crm;
	uint8_t op2;
	uint64_t keep; /* fields of the CPU's */
	uint64_t set; /* fixed values of others */
};

#define PFR0_EL0 FIELD64(3, 0)
#define PFR0_EL0_AARCH32 UINT64_C(2)
#define MMFR0_ASIDBITS FIELD64(7, 4)

static const struct id_rule rules[] = {
	/* ID_PFR0_EL1: not RAS, AMU. ID_PFR1_EL1: not Security,
	 * Virtualization. */
	{1, 0, FIELD64(27, 24) | FIELD64(19, 0), 0},
	{1, 1, FIELD64(19, 16) | FIELD64(11, 8) | FIELD64(3, 0), 0},
	/* ID_DFR0_EL1: CopDbg of Armv8, nothing else. */
	{1, 2, 0, 6},
	/* ID_MMFR0_EL1 to ID_MMFR3_EL1 */
	{1, 4, UINT32_MAX, 0},
	{1, 5, UINT32_MAX, 0},
	{1, 6, UINT32_MAX, 0},
	{1, 7, UINT32_MAX, 0},
	/* ID_ISAR0_EL1 to ID_ISAR5_EL1, ID_MMFR4_EL1, ID_ISAR6_EL1 */
	{2, 0, UINT32_MAX, 0},
	{2, 1, UINT32_MAX, 0},
	{2, 2, UINT32_MAX, 0},
	{2, 3, UINT32_MAX, 0},
	{2, 4, UINT32_MAX, 0},
	{2, 5, UINT32_MAX, 0},
	{2, 6, UINT32_MAX, 0},
	{2, 7, UINT32_MAX, 0},
	/* MVFR0_EL1 to MVFR2_EL1, ID_PFR2_EL1: SSBS, CSV3 */
	{3, 0, UINT32_MAX, 0},
	{3, 1, UINT32_MAX, 0},
	{3, 2, UINT32_MAX, 0},
	{3, 4, FIELD64(7, 0), 0},
	/* ID_AA64PFR0_EL1: EL0, FP, AdvSIMD, GIC, DIT, CSV2, CSV3; EL1 in
	 * AArch64 alone. Not EL2, EL3, RAS, SVE, MPAM, AMU. */
	{4, 0,
	 PFR0_EL0 | FIELD64(23, 16) | ID_PFR0_GIC | FIELD64(51, 48) |
		 FIELD64(63, 56),
	 0x10},
	/* ID_AA64PFR1_EL1: BT, SSBS, CSV2_frac. Not MTE, SME, NMI. */
	{4, 1, FIELD64(7, 0) | FIELD64(35, 32), 0},
	/* ID_AA64DFR0_EL1: Armv8 debug with the CPU's breakpoints and
	 * watchpoints and no OS double lock. */
	{5, 0, ID_DFR0_BRPS | ID_DFR0_WRPS | ID_DFR0_CTX_CMPS,
	 UINT64_C(0xf000000006)},
	/* ID_AA64ISAR0_EL1: not TME. */
	{6, 0, FIELD64(63, 28) | FIELD64(23, 4), 0},
	/* ID_AA64ISAR1_EL1: not XS, LS64. PAuth: see below. */
	{6, 1, FIELD64(55, 0), 0},
	/* ID_AA64ISAR2_EL1: RPRES, GPA3, APA3, BC, PAC_frac. */
	{6, 2, FIELD64(15, 4) | FIELD64(27, 20), 0},
	/* ID_AA64MMFR0_EL1: ASIDBits, BigEnd, BigEndEL0, granules, ExS;
	 * PARange: see below. */
	{7, 0,
	 MMFR0_ASIDBITS | FIELD64(11, 8) | FIELD64(31, 16) | FIELD64(47, 44),
	 0},
	/* ID_AA64MMFR1_EL1: HAFDBS, HPDS, PAN, ETS, AFP, nTLBPA, ECBHB. */
	{7, 1,
	 FIELD64(3, 0) | FIELD64(15, 12) | FIELD64(23, 20) | FIELD64(39, 36) |
		 FIELD64(51, 44) | FIELD64(63, 60),
	 0},
	/* ID_AA64MMFR2_EL1: CnP, UAO, LSM, VARange, CCIDX, ST, AT, IDS, TTL,
	 * BBM, E0PD. */
	{7, 2,
	 FIELD64(11, 0) | FIELD64(23, 16) | FIELD64(39, 28) | FIELD64(55, 48) |
		 FIELD64(63, 60),
	 0},
};

/* GPA3 and APA3 of ID_AA64ISAR2_EL1, and PAC_frac. */
#define ISAR2_PAUTH (FIELD64(15, 8) | FIELD64(27, 24))

/* PARange: the value that has room for the guest-physical space, of at most 48
 * bits, or the CPU's. */
static uint64_t pa_range(const struct arm_vm *avm, uint64_t cpu)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48};
	uint64_t range = 0;

	while (bits[range] < avm->core.format.gpa_bits)
		range++;
	return range < cpu ? range : cpu;
}

/* Of fields that say more and more, what guests have. */
static const struct {
	uint8_t crm;
	uint8_t op2;
	uint64_t field;
	uint64_t most;
} limits[] = {
	/* ID_AA64PFR0_EL1.GIC: no GICv4.1. CSV2, and CSV2_frac of
	 * ID_AA64PFR1_EL1: no SCXTNUM_EL0 and _EL1, which trap. */
	{4, 0, ID_PFR0_GIC, 1},
	{4, 0, FIELD64(59, 56), 1},
	{4, 1, FIELD64(35, 32), 1},
	/* ID_AA64MMFR1_EL1.HAFDBS, ID_AA64MMFR2_EL1.VARange: higher ones need
	 * TCR2_EL1, which HCRX_EL2 does not allow. */
	{7, 1, FIELD64(3, 0), 2},
	{7, 2, FIELD64(19, 16), 1},
};

static void limit_fields(struct arm_vm *avm)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		uint64_t *id = &avm->id[limits[i].crm][limits[i].op2];

		if (FIELD_GET(limits[i].field, *id) > limits[i].most)
			*id = FIELD_SET(limits[i].field, *id, limits[i].most);
	}
}

bool axvmi_arm_has_aarch32(const struct arm_vm *avm)
{
	return FIELD_GET(PFR0_EL0, avm->id[4][0]) == PFR0_EL0_AARCH32;
}

void axvmi_arm_id_init(struct arm_vm *avm)
{
	uint64_t mmfr0 = avm->metal->read_id(7, 0);

	memset(avm->id, 0, sizeof(avm->id));
	avm->midr = avm->metal->read_id(0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct id_rule *r = &rules[i];

		avm->id[r->crm][r->op2] =
			(avm->metal->read_id(r->crm, r->op2) & r->keep) |
			r->set;
	}
	avm->id[7][0] |= pa_range(avm, FIELD_GET(ID_MMFR0_PARANGE, mmfr0));
	limit_fields(avm);
	if (avm->vgic == NULL)
		avm->id[4][0] &= ~ID_PFR0_GIC;
	if (!arm_has(avm->core.host, ARM_FEATURE_PAUTH)) {
		avm->id[6][1] &= ~ID_ISAR1_PAUTH;
		avm->id[6][2] &= ~ISAR2_PAUTH;
	}
	/* Their registers are UNKNOWN then. */
	for (unsigned crm = 1; crm <= 3 && !axvmi_arm_has_aarch32(avm); crm++)
		memset(avm->id[crm], 0, sizeof(avm->id[crm]));
}
