/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * G-stage PTEs: the Sv39/48/57 format with a root of 2048 entries. RISC-V
 * Privileged, "Guest Physical Address Translation", "Svpbmt".
 */
#include "s2_format.h"

#define PTE_V BIT64(0)
#define PTE_R BIT64(1)
#define PTE_W BIT64(2)
#define PTE_X BIT64(3)
#define PTE_U BIT64(4)
#define PTE_A BIT64(6)
#define PTE_D BIT64(7)
/* RSW[0], for software: device memory where no hardware bit says so. */
#define PTE_DEVICE BIT64(8)
#define PTE_PPN FIELD64(53, 10)
#define PTE_PBMT FIELD64(62, 61)
#define PBMT_IO UINT64_C(2)

#define HGATP_MODE FIELD64(63, 60)
#define HGATP_VMID FIELD64(57, 44)

/*
 * G-stage accesses are all checked as user ones: U is set, or every access
 * faults. A and D are set at once, so neither hardware updates nor faults for
 * them occur.
 */
static uint64_t leaf_attr(uint32_t access)
{
	return PTE_V | PTE_U | PTE_A | PTE_D |
	       ((access & AXVM_READ) != 0 ? PTE_R : 0) |
	       ((access & AXVM_WRITE) != 0 ? PTE_W : 0) |
	       ((access & AXVM_EXEC) != 0 ? PTE_X : 0);
}

int axvmi_riscv_s2_format(unsigned mode, bool svpbmt,
			  struct axvm_s2_format *format)
{
	static const char *const names[] = {"Sv39x4", "Sv48x4", "Sv57x4"};
	uint64_t device = svpbmt ? FIELD_PUT(PTE_PBMT, PBMT_IO) : PTE_DEVICE;
	unsigned levels = mode - RISCV_HGATP_SV39X4 + 3;

	if (mode < RISCV_HGATP_SV39X4 || mode > RISCV_HGATP_SV57X4)
		return AXVM_ERANGE;
	*format = (struct axvm_s2_format){
		.name = names[mode - RISCV_HGATP_SV39X4],
		.levels = levels,
		.gpa_bits = axvmi_s2_shift(levels) + 2,
		.root_bits = S2_LEVEL_BITS + 2,
		.hpa_bits = 56,
		.leaf_levels = S2_LEAF_4K | S2_LEAF_2M | S2_LEAF_1G,
		.addr_shift = 2,
		.addr_scale = 4,
		.addr_mask = PTE_PPN,
		.present_mask = PTE_V,
		.table_mask = PTE_V | PTE_R | PTE_W | PTE_X,
		.table_value = PTE_V,
		.table_bits = PTE_V,
		.rw_shift = 1,
		.exec_shift = 3,
		.device_shift = svpbmt ? 62 : 8,
		.used_bit = PTE_V,
	};
	for (uint32_t access = 1; access < S2_ACCESS_COUNT; access++) {
		/* "Addressing and Memory Protection": W without R reserved. */
		if ((access & AXVM_RW) == AXVM_WRITE)
			continue;
		format->attr[AXVM_MEM_NORMAL][access] = leaf_attr(access);
		if ((access & AXVM_EXEC) == 0)
			format->attr[AXVM_MEM_DEVICE][access] =
				leaf_attr(access) | device;
	}
	return 0;
}

uint64_t axvmi_riscv_hgatp(const struct axvm_s2_format *format,
			   uint64_t root_hpa, uint32_t vmid)
{
	uint64_t mode = RISCV_HGATP_SV39X4 + (uint64_t)format->levels - 3;

	return FIELD_PUT(HGATP_MODE, mode) |
	       FIELD_PUT(HGATP_VMID, (uint64_t)vmid) |
	       root_hpa >> PAGE_SHIFT_4K;
}
