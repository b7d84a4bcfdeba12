/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The redistributors: two 64 KiB frames per vCPU, one after the other. IHI 0069,
 * "Redistributor register map". There are no LPIs, so GICR_CTLR and what belongs
 * to them is 0.
 */
#include "vgic.h"

/* The redistributor at an offset, or VGIC_NOBODY. */
static uint32_t owner(const struct vgic *g, uint64_t offset)
{
	uint64_t vcpu = offset / GICR_STRIDE;

	return vcpu < g->vcpus ? (uint32_t)vcpu : VGIC_NOBODY;
}

static bool in_sgi_frame(uint64_t offset)
{
	return offset % GICR_STRIDE >= GICR_SGI_BASE;
}

/* Affinity_Value, Processor_Number, Last. */
static uint64_t typer(const struct vgic *g, uint32_t vcpu)
{
	uint64_t affinity = (uint64_t)(vcpu / 16) << 8 | vcpu % 16;
	uint64_t last = vcpu + 1 == g->vcpus ? GICR_TYPER_LAST : 0;

	return affinity << 32 | (uint64_t)vcpu << 8 | last;
}

static uint32_t waker(const struct vgic *g, uint32_t vcpu)
{
	bool awake = (load_relaxed(&g->awake) & BIT64(vcpu)) != 0;

	return awake ? 0 : GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP;
}

/* "Power management": asleep means that nothing is in the list registers, so
 * that ChildrenAsleep may follow at once. */
static void write_waker(struct vgic *g, uint32_t vcpu, uint32_t value)
{
	uint64_t awake = load_relaxed(&g->awake);
	bool sleep = (value & GICR_WAKER_SLEEP) != 0;

	if (sleep == ((awake & BIT64(vcpu)) == 0))
		return;
	store_seq(&g->awake, awake ^ BIT64(vcpu));
	g->dirty |= BIT64(vcpu);
	if (sleep && g->cpu[vcpu].held_count != 0)
		g->awaited |= BIT64(vcpu);
	axvmi_vgic_retarget_any(g);
}

static uint64_t read_rd(const struct vgic *g, uint32_t vcpu, uint64_t offset,
			uint32_t size)
{
	if (offset == GICR_TYPER && size == 8)
		return typer(g, vcpu);
	if (size != 4)
		return 0;
	switch (offset) {
	case GICR_IIDR:
		return GIC_IIDR_VALUE;
	case GICR_TYPER:
		return typer(g, vcpu) & UINT32_MAX;
	case GICR_TYPER + 4:
		return typer(g, vcpu) >> 32;
	case GICR_WAKER:
		return waker(g, vcpu);
	default:
		return axvmi_vgic_id(offset, 0x93);
	}
}

uint64_t axvmi_vgicr_read(const struct vgic *g, uint64_t offset, uint32_t size)
{
	uint32_t vcpu = owner(g, offset);

	if (vcpu == VGIC_NOBODY)
		return 0;
	offset %= GICR_STRIDE;
	if (in_sgi_frame(offset))
		return axvmi_vgic_bank_read(g, vcpu, offset - GICR_SGI_BASE,
					    size);
	return read_rd(g, vcpu, offset, size);
}

void axvmi_vgicr_write(struct vgic *g, uint64_t offset, uint32_t size,
		       uint64_t value)
{
	uint32_t vcpu = owner(g, offset);

	if (vcpu == VGIC_NOBODY)
		return;
	offset %= GICR_STRIDE;
	if (in_sgi_frame(offset))
		axvmi_vgic_bank_write(g, vcpu, offset - GICR_SGI_BASE, size,
				      value);
	else if (offset == GICR_WAKER && size == 4)
		write_waker(g, vcpu, (uint32_t)value);
}

uint64_t axvmi_vgicr_awaits(const struct vgic *g, uint64_t offset)
{
	uint32_t vcpu = owner(g, offset);

	if (vcpu == VGIC_NOBODY || !in_sgi_frame(offset))
		return 0;
	return axvmi_vgic_bank_awaits(g, vcpu,
				      offset % GICR_STRIDE - GICR_SGI_BASE);
}
