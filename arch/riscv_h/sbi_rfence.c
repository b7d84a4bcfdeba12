/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * SBI RFENCE: fences on this vCPU become effects, those on others attention
 * bits that they obey before they enter the guest again. sbi.c calls.
 */
#include "sbi.h"

#define ASID_MAX 0xffffu /* Privileged, "satp": ASIDLEN is at most 16 */

/* The others fence everything: a range per sender would need a queue. */
static OUT_OF_LINE uint64_t fence_others(struct riscv_vcpu *v, uint64_t harts,
					 uint32_t bits)
{
	axvmi_notify_and_wait(v->core.vm, harts, bits, &v->core);
	return SBI_SUCCESS;
}

/*
 * The pages of [start, start + size), which is valid, or all: "RFENCE
 * Extension". All too if they are many, or end with the address space, where
 * their end wraps.
 */
static void fence_self(struct riscv_vcpu *v, uint64_t start, uint64_t size,
		       uint64_t asid)
{
	uint64_t first = align_down(start, PAGE_SIZE_4K);
	uint64_t end =
		align_down(start + (size - 1), PAGE_SIZE_4K) + PAGE_SIZE_4K;

	v->fence_start = first;
	v->fence_size = end - first;
	if (size == UINT64_MAX || end == 0 ||
	    end - first > RISCV_FENCE_PAGES * PAGE_SIZE_4K) {
		v->fence_start = 0;
		v->fence_size = UINT64_MAX;
	}
	v->fence_asid = asid;
	v->effects |= RISCV_EFFECT_FENCE_VMA;
}

uint64_t axvmi_riscv_sbi_fence_vma(struct riscv_vcpu *v, uint64_t harts,
				   uint64_t start, uint64_t size, uint64_t asid)
{
	uint64_t self = BIT64(v->core.index);

	if (asid != UINT64_MAX && asid > ASID_MAX)
		return SBI_ERR_INVALID_PARAM;
	/* Both 0: everything, as of any start with this size. */
	if ((start | size) == 0)
		size = UINT64_MAX;
	if (size != 0 && size != UINT64_MAX && !range_valid(start, size))
		return SBI_ERR_INVALID_ADDRESS;
	if ((harts & self) != 0 && size != 0)
		fence_self(v, start, size, asid);
	if ((harts & ~self) != 0)
		return fence_others(v, harts & ~self, RISCV_ATTN_FENCE_VMA);
	return SBI_SUCCESS;
}

uint64_t axvmi_riscv_sbi_fence_i(struct riscv_vcpu *v, uint64_t harts)
{
	uint64_t self = BIT64(v->core.index);

	if ((harts & self) != 0)
		v->effects |= RISCV_EFFECT_FENCE_I;
	if ((harts & ~self) != 0)
		return fence_others(v, harts & ~self, RISCV_ATTN_FENCE_I);
	return SBI_SUCCESS;
}

int axvmi_riscv_sbi_rfence(struct riscv_vcpu *v)
{
	uint64_t function = v->frame.x[REG_A6];
	uint64_t asid = UINT64_MAX;
	uint64_t harts, error;

	/* HFENCE too: the guest's harts have no H extension. */
	if (function > SBI_RFENCE_SFENCE_VMA_ASID)
		return sbi_return(v, SBI_ERR_NOT_SUPPORTED, 0);
	if (function == SBI_RFENCE_SFENCE_VMA_ASID) {
		asid = sbi_arg(v, 4);
		/* Not "any", which only the call without ASID means. */
		if (asid > ASID_MAX)
			return sbi_return(v, SBI_ERR_INVALID_PARAM, 0);
	}
	if (!sbi_harts(v->core.vm, sbi_arg(v, 0), sbi_arg(v, 1), &harts))
		return sbi_return(v, SBI_ERR_INVALID_PARAM, 0);
	error = function == SBI_RFENCE_FENCE_I
			? axvmi_riscv_sbi_fence_i(v, harts)
			: axvmi_riscv_sbi_fence_vma(v, harts, sbi_arg(v, 2),
						    sbi_arg(v, 3), asid);
	return sbi_return(v, error, 0);
}
