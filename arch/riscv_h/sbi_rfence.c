/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * SBI RFENCE: fences on this vCPU become effects, those on others attention
 * bits that they obey before they enter the guest again. sbi.c calls.
 */
#include "sbi.h"

#define ASID_MAX 0xffffu /* Privileged, "satp": ASIDLEN is at most 16 */

/*
 * The pages of [start, start + size), or all: "RFENCE Extension". All too if
 * they are many, or end with the address space, where their end wraps. False
 * if there is nothing to fence.
 */
static bool set_range(struct riscv_vcpu *v, uint64_t start, uint64_t size)
{
	uint64_t first = align_down(start, PAGE_SIZE_4K);
	uint64_t pages;

	v->fence_start = 0;
	v->fence_size = UINT64_MAX;
	if ((start == 0 && size == 0) || size == UINT64_MAX)
		return true;
	if (size == 0)
		return false;
	pages = ((start + (size - 1) - first) >> PAGE_SHIFT_4K) + 1;
	if (pages <= RISCV_FENCE_PAGES &&
	    pages << PAGE_SHIFT_4K <= -first - 1) {
		v->fence_start = first;
		v->fence_size = pages << PAGE_SHIFT_4K;
	}
	return true;
}

static uint64_t check_fence(const struct sbi_fence *fence)
{
	if (fence->effect != RISCV_EFFECT_FENCE_VMA)
		return SBI_SUCCESS;
	if (fence->asid != UINT64_MAX && fence->asid > ASID_MAX)
		return SBI_ERR_INVALID_PARAM;
	if (fence->size != 0 && fence->size != UINT64_MAX &&
	    !range_valid(fence->start, fence->size))
		return SBI_ERR_INVALID_ADDRESS;
	return SBI_SUCCESS;
}

static void fence_self(struct riscv_vcpu *v, const struct sbi_fence *fence)
{
	if (fence->effect == RISCV_EFFECT_FENCE_VMA) {
		if (!set_range(v, fence->start, fence->size))
			return;
		v->fence_asid = fence->asid;
	}
	v->effects |= fence->effect;
}

uint64_t axvmi_riscv_sbi_fence(struct riscv_vcpu *v,
			       const struct sbi_fence *fence)
{
	uint64_t self = BIT64(v->core.index);
	uint64_t others = fence->harts & ~self;
	uint64_t error = check_fence(fence);
	uint32_t bits = RISCV_ATTN_FENCE_VMA;

	if (error != SBI_SUCCESS)
		return error;
	if (fence->effect == RISCV_EFFECT_FENCE_I)
		bits = RISCV_ATTN_FENCE_I;
	if ((fence->harts & self) != 0)
		fence_self(v, fence);
	/* The others fence everything: a range per sender would need a queue. */
	if (others != 0)
		axvmi_notify_and_wait(v->core.vm, others, bits, &v->core);
	return SBI_SUCCESS;
}

int axvmi_riscv_sbi_rfence(struct riscv_vcpu *v)
{
	struct sbi_fence fence = {
		.effect = RISCV_EFFECT_FENCE_VMA,
		.start = sbi_arg(v, 2),
		.size = sbi_arg(v, 3),
		.asid = UINT64_MAX,
	};

	switch (v->frame.x[REG_A6]) {
	case SBI_RFENCE_FENCE_I:
		fence.effect = RISCV_EFFECT_FENCE_I;
		break;
	case SBI_RFENCE_SFENCE_VMA:
		break;
	case SBI_RFENCE_SFENCE_VMA_ASID:
		fence.asid = sbi_arg(v, 4);
		/* Not "any", which only the call without ASID means. */
		if (fence.asid > ASID_MAX)
			return sbi_return(v, SBI_ERR_INVALID_PARAM, 0);
		break;
	default:
		/* HFENCE included: the guest's harts have no H extension. */
		return sbi_return(v, SBI_ERR_NOT_SUPPORTED, 0);
	}
	if (!axvmi_riscv_sbi_harts(v->core.vm, sbi_arg(v, 0), sbi_arg(v, 1),
				   &fence.harts))
		return sbi_return(v, SBI_ERR_INVALID_PARAM, 0);
	return sbi_return(v, axvmi_riscv_sbi_fence(v, &fence), 0);
}
