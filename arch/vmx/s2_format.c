/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * EPT entries, 4-level and 5-level. Intel SDM volume 3, "The Extended Page
 * Table Mechanism (EPT)": the tables "Format of an EPT ... Entry".
 */
#include "s2_format.h"

#define EPT_READ BIT64(0)
#define EPT_WRITE BIT64(1)
#define EPT_EXEC BIT64(2)
#define EPT_RWX (EPT_READ | EPT_WRITE | EPT_EXEC)
#define EPT_TYPE FIELD64(5, 3)
#define EPT_IPAT BIT64(6)
#define EPT_LARGE BIT64(7)
/* Ignored by the CPU; set in all leaves of ours. */
#define EPT_USED BIT64(11)

#define MEM_UC UINT64_C(0)
#define MEM_WB UINT64_C(6)

#define EPTP_TYPE FIELD64(2, 0)
#define EPTP_WALK FIELD64(5, 3)

/*
 * RAM is WB and ignores the guest's PAT (IPAT): no uncached alias of memory
 * that the host reads cached. Devices are UC without IPAT: by "EPT and Memory
 * Typing" the guest's PAT can then make them WC (frame buffers), never cached.
 */
static uint64_t leaf_attr(enum axvm_mem_type type, uint32_t access)
{
	uint64_t rights = EPT_USED |
			  ((access & AXVM_READ) != 0 ? EPT_READ : 0) |
			  ((access & AXVM_WRITE) != 0 ? EPT_WRITE : 0) |
			  ((access & AXVM_EXEC) != 0 ? EPT_EXEC : 0);

	if (type == AXVM_MEM_DEVICE)
		return rights | FIELD_PUT(EPT_TYPE, MEM_UC);
	return rights | FIELD_PUT(EPT_TYPE, MEM_WB) | EPT_IPAT;
}

/*
 * "EPT Misconfigurations": write without read always is one, execute without
 * read unless the CPU supports it.
 */
static bool is_legal(enum axvm_mem_type type, uint32_t access, bool exec_only)
{
	if (type == AXVM_MEM_DEVICE && (access & AXVM_EXEC) != 0)
		return false;
	if ((access & AXVM_READ) != 0)
		return true;
	return exec_only && access == AXVM_EXEC;
}

int axvmi_vmx_s2_format(const struct vmx_ept_features *features,
			struct axvm_s2_format *format)
{
	unsigned levels = features->levels;

	if ((levels != 4 && levels != 5) || features->hpa_bits < 32 ||
	    features->hpa_bits > 52)
		return AXVM_ERANGE;
	*format = (struct axvm_s2_format){
		.name = levels == 4 ? "EPT 4-level" : "EPT 5-level",
		.levels = levels,
		.gpa_bits = levels == 4 ? 48 : 57,
		.root_bits = 9,
		.hpa_bits = features->hpa_bits,
		.leaf_levels = S2_LEAF_4K |
			       (features->leaf_2m ? S2_LEAF_2M : 0u) |
			       (features->leaf_1g ? S2_LEAF_1G : 0u),
		.addr_scale = 1,
		.addr_mask = FIELD64(51, 12),
		.present_mask = EPT_RWX,
		.table_mask = EPT_RWX | EPT_LARGE,
		.table_value = EPT_RWX,
		.table_bits = EPT_RWX,
		.level_mask = EPT_LARGE,
		.leaf_bits = {0, EPT_LARGE, EPT_LARGE},
		/* UC is 0, WB 6: either bit of the 6 tells them apart. */
		.flip = FIELD_PUT(EPT_TYPE, 2),
		.rw_shift = 0,
		.exec_shift = 2,
		.device_shift = 4,
		.used_bit = EPT_USED,
	};
	for (uint32_t access = 1; access < S2_ACCESS_COUNT; access++) {
		for (unsigned i = 0; i < S2_TYPE_COUNT; i++) {
			enum axvm_mem_type type = (enum axvm_mem_type)i;

			if (is_legal(type, access, features->exec_only))
				format->attr[i][access] =
					leaf_attr(type, access);
		}
	}
	return 0;
}

uint64_t axvmi_vmx_eptp(const struct axvm_s2_format *format, uint64_t root_hpa)
{
	return root_hpa | FIELD_PUT(EPTP_TYPE, MEM_WB) |
	       FIELD_PUT(EPTP_WALK, (uint64_t)format->levels - 1);
}
