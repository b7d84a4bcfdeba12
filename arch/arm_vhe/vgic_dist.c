/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The distributor's register frame. IHI 0069, "Distributor register map"; with
 * affinity routing on, GICD_ITARGETSR, GICD_SGIR and the registers of SGIs and
 * PPIs are RES0, with one Security state GICD_IGRPMODR and GICD_NSACR too.
 */
#include "vgic.h"

/* "Identification registers": a component of Arm's, architecture version 3. */
uint32_t axvmi_vgic_id(uint64_t offset, uint32_t part)
{
	static const uint8_t id[12] = {
		0x44, 0x00, 0x00, 0x00, /* PIDR4 to 7 */
		0x00, 0xb4, 0x3b, 0x00, /* PIDR0 to 3; PIDR0 is the part */
		0x0d, 0xf0, 0x05, 0xb1, /* CIDR0 to 3 */
	};
	uint64_t n = (offset - GICD_IDREGS) / 4;

	if (n >= ARRAY_SIZE(id))
		return 0;
	return n == 4 ? part : id[n];
}

/* ---- IROUTER: 64 bits, or its halves; Aff3 and Aff2 as 0 alone exist ---- */

static uint32_t router_intid(uint64_t offset)
{
	uint64_t intid = (offset - GICD_IROUTER) / 8;

	return intid >= VGIC_PRIVATE && intid < VGIC_INTIDS ? (uint32_t)intid
							    : 0;
}

static void write_router(struct vgic *g, uint32_t intid, uint32_t value)
{
	uint32_t w = intid / 32;
	bool first = g->any_words == 0;

	value &= GICD_IROUTER_IRM | 0xffffff;
	store_relaxed(&g->router[intid], value);
	if ((value & GICD_IROUTER_IRM) != 0)
		g->any[w] |= vgic_bit(intid);
	else
		g->any[w] &= ~vgic_bit(intid);
	if (g->any[w] != 0)
		g->any_words |= vgic_bit(w);
	else
		g->any_words &= ~vgic_bit(w);
	/* Whose groups are enabled matters from now on: all say so. */
	if (first && g->any_words != 0)
		g->dirty |= load_relaxed(&g->awake);
	axvmi_vgic_retarget(g, intid);
}

/* ---- GICD_CTLR ---- */

/* RWP need never be set: the access waits itself. */
static void write_ctlr(struct vgic *g, uint32_t value)
{
	uint32_t old = load_relaxed(&g->ctlr);

	value &= GICD_CTLR_GROUPS;
	if (value == old)
		return;
	store_seq(&g->ctlr, value);
	for (uint32_t c = 0; c < g->vcpus; c++) {
		axvmi_vgic_refresh(g, c, 0);
		if (g->cpu[c].held_count == 0)
			continue;
		g->dirty |= BIT64(c);
		if ((old & ~value) != 0)
			g->awaited |= BIT64(c);
	}
	for (uint32_t w = 1; w < VGIC_WORDS; w++)
		axvmi_vgic_refresh(g, VGIC_NOBODY, w);
}

static uint32_t read_word(const struct vgic *g, uint64_t offset)
{
	switch (offset) {
	case GICD_CTLR:
		return load_relaxed(&g->ctlr) | GICD_CTLR_ARE | GICD_CTLR_DS;
	case GICD_TYPER:
		return GICD_TYPER_VALUE;
	case GICD_IIDR:
		return GIC_IIDR_VALUE;
	default:
		return axvmi_vgic_id(offset, 0x92);
	}
}

/* ---- accesses ---- */

uint64_t axvmi_vgicd_read(const struct vgic *g, uint64_t offset, uint32_t size)
{
	if (offset - GICD_IGROUPR < GICD_IGRPMODR - GICD_IGROUPR)
		return axvmi_vgic_bank_read(g, VGIC_NOBODY, offset, size);
	if (router_intid(offset) != 0 && size >= 4)
		return offset % 8 == 0
			       ? load_relaxed(&g->router[router_intid(offset)])
			       : 0;
	return size == 4 ? read_word(g, offset) : 0;
}

void axvmi_vgicd_write(struct vgic *g, uint64_t offset, uint32_t size,
		       uint64_t value)
{
	if (offset - GICD_IGROUPR < GICD_IGRPMODR - GICD_IGROUPR)
		axvmi_vgic_bank_write(g, VGIC_NOBODY, offset, size, value);
	else if (router_intid(offset) != 0 && size >= 4 && offset % 8 == 0)
		write_router(g, router_intid(offset), (uint32_t)value);
	else if (offset == GICD_CTLR && size == 4)
		write_ctlr(g, (uint32_t)value);
}

uint64_t axvmi_vgicd_awaits(const struct vgic *g, uint64_t offset)
{
	return axvmi_vgic_bank_awaits(g, VGIC_NOBODY, offset);
}
