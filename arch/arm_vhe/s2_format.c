/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * VMSAv8-64 stage-2 descriptors, 4 KiB granule, without FEAT_XNX, FEAT_S2FWB
 * and LPA2. Arm ARM, "Translation table descriptor formats" and "Stage 2
 * memory region attributes".
 */
#include "s2_format.h"

#define DESC_VALID BIT64(0)
/* Above the last level: 1 table, 0 block. At the last: 1 page. */
#define DESC_TABLE BIT64(1)
#define S2_MEMATTR FIELD64(5, 2)
#define S2AP_READ BIT64(6)
#define S2AP_WRITE BIT64(7)
#define S2_SH FIELD64(9, 8)
#define S2_AF BIT64(10)
/* XN[1]; without FEAT_XNX bit 53 is RES0, with it 0b10 is "never". */
#define S2_XN BIT64(54)

#define MEMATTR_NORMAL_WB UINT64_C(0xf)
#define MEMATTR_DEVICE_NGNRE UINT64_C(0x1)
#define SH_INNER UINT64_C(3)

#define VTCR_T0SZ FIELD64(5, 0)
#define VTCR_SL0 FIELD64(7, 6)
#define VTCR_IRGN0 FIELD64(9, 8)
#define VTCR_ORGN0 FIELD64(11, 10)
#define VTCR_SH0 FIELD64(13, 12)
#define VTCR_PS FIELD64(18, 16)
#define VTCR_VS BIT64(19)
#define VTCR_RES1 BIT64(31)
#define WALK_WB_RA_WA UINT64_C(1)

#define VTTBR_VMID FIELD64(63, 48)

/* VTCR_EL2.PS and ID_AA64MMFR0_EL1.PARange by code. */
static const uint8_t pa_sizes[] = {32, 36, 40, 42, 44, 48};

/* Shareability of Device memory is ignored (always outer): left 0. */
static uint64_t leaf_attr(enum axvm_mem_type type, uint32_t access)
{
	uint64_t attr = DESC_VALID | DESC_TABLE | S2_AF;

	attr |= (access & AXVM_READ) != 0 ? S2AP_READ : 0;
	attr |= (access & AXVM_WRITE) != 0 ? S2AP_WRITE : 0;
	attr |= (access & AXVM_EXEC) == 0 ? S2_XN : 0;
	if (type == AXVM_MEM_DEVICE)
		return attr | FIELD_PUT(S2_MEMATTR, MEMATTR_DEVICE_NGNRE);
	return attr | FIELD_PUT(S2_MEMATTR, MEMATTR_NORMAL_WB) |
	       FIELD_PUT(S2_SH, SH_INNER);
}

/*
 * Start at level 1 (three tables) up to 43 bits, at level 0 (four) from 44:
 * up to 16 concatenated tables stand for the missing level ("Concatenated
 * translation tables for the initial stage 2 lookup"). Level 0 needs a 44-bit
 * PARange, which such an IPA size implies.
 */
static void set_levels(struct axvm_s2_format *format, unsigned ipa_bits)
{
	format->levels = ipa_bits <= 43 ? 3 : 4;
	format->gpa_bits = ipa_bits;
	format->root_bits = ipa_bits - axvmi_s2_shift(format->levels - 1);
}

int axvmi_arm_s2_format(unsigned ipa_bits, unsigned pa_bits,
			struct axvm_s2_format *format)
{
	bool known = pa_bits == 52;

	for (size_t i = 0; i < ARRAY_SIZE(pa_sizes); i++)
		known |= pa_sizes[i] == pa_bits;
	if (!known || ipa_bits < ARM_S2_MIN_IPA_BITS ||
	    ipa_bits > ARM_S2_MAX_IPA_BITS)
		return AXVM_ERANGE;
	if (ipa_bits > pa_bits)
		return AXVM_ENOTSUP;
	*format = (struct axvm_s2_format){
		.name = "VMSAv8-64 stage 2",
		.hpa_bits = pa_bits < 48 ? pa_bits : 48,
		.leaf_levels = S2_LEAF_4K | S2_LEAF_2M | S2_LEAF_1G,
		.break_before_make = true,
		.addr_scale = 1,
		.addr_mask = FIELD64(47, 12),
		.present_mask = DESC_VALID,
		.table_mask = DESC_VALID | DESC_TABLE,
		.table_value = DESC_VALID | DESC_TABLE,
		/* AF is ignored in tables (or access flag with FEAT_HAFT). */
		.table_bits = DESC_VALID | DESC_TABLE | S2_AF,
		.level_mask = DESC_TABLE,
		.leaf_bits = {DESC_TABLE},
		/* XN means no; MemAttr is 0b1111 normal, 0b0001 device. */
		.flip = S2_XN | FIELD_PUT(S2_MEMATTR, 8),
		.rw_shift = 6,
		.exec_shift = 54,
		.device_shift = 5,
		.used_bit = DESC_VALID,
		.broken_mark = S2_AF,
	};
	set_levels(format, ipa_bits);
	/* Nothing without read: portable, and all that guests are given. */
	for (uint32_t access = AXVM_READ; access < S2_ACCESS_COUNT;
	     access += 2) {
		format->attr[AXVM_MEM_NORMAL][access] =
			leaf_attr(AXVM_MEM_NORMAL, access);
		if ((access & AXVM_EXEC) == 0)
			format->attr[AXVM_MEM_DEVICE][access] =
				leaf_attr(AXVM_MEM_DEVICE, access);
	}
	return 0;
}

uint64_t axvmi_arm_vtcr(const struct axvm_s2_format *format, bool vmid16)
{
	uint64_t ps = 0;

	while (pa_sizes[ps] != format->hpa_bits)
		ps++;
	return VTCR_RES1 |
	       FIELD_PUT(VTCR_T0SZ, UINT64_C(64) - format->gpa_bits) |
	       FIELD_PUT(VTCR_SL0, (uint64_t)format->levels - 2) |
	       FIELD_PUT(VTCR_IRGN0, WALK_WB_RA_WA) |
	       FIELD_PUT(VTCR_ORGN0, WALK_WB_RA_WA) |
	       FIELD_PUT(VTCR_SH0, SH_INNER) | FIELD_PUT(VTCR_PS, ps) |
	       (vmid16 ? VTCR_VS : 0);
}

uint64_t axvmi_arm_vttbr(uint64_t root_hpa, uint16_t vmid)
{
	return root_hpa | FIELD_PUT(VTTBR_VMID, (uint64_t)vmid);
}
