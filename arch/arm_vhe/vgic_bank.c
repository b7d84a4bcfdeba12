/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The registers that a distributor has for SPIs and each redistributor for its
 * SGIs and PPIs, at the same offsets. IHI 0069, "Distributor register
 * descriptions", "Redistributor register descriptions".
 */
#include "vgic.h"

/* ---- state bits ---- */

static uint32_t read_bits(const struct vgic_word *b, uint64_t offset)
{
	switch (align_down(offset, 0x80)) {
	case GICD_IGROUPR:
		return load_relaxed(&b->group);
	case GICD_ISENABLER:
	case GICD_ICENABLER:
		return load_relaxed(&b->enable);
	case GICD_ISPENDR:
	case GICD_ICPENDR:
		return vgic_pends(b) | b->loaned;
	default: /* ISACTIVER, ICACTIVER */
		return b->active;
	}
}

/* The access is not over before the list registers that hold these are folded:
 * what it did counts at once. */
static void recall(struct vgic *g, uint32_t vcpu, uint32_t w, uint32_t bits)
{
	uint64_t holders = axvmi_vgic_holders(g, vcpu, w, bits);

	g->dirty |= holders;
	g->awaited |= holders;
}

static void write_group(struct vgic *g, uint32_t vcpu, uint32_t w,
			uint32_t value)
{
	struct vgic_word *b = vgic_word(g, vcpu, w);
	uint32_t changed = load_relaxed(&b->group) ^ value;

	store_seq(&b->group, value);
	axvmi_vgic_touch(g, vcpu, w, changed);
	axvmi_vgic_refresh(g, vcpu, w);
	for (uint32_t any = g->any[w] & changed; any != 0; any &= any - 1)
		axvmi_vgic_retarget(g, w * 32 + lowest_bit64(any));
}

static void write_enable(struct vgic *g, uint32_t vcpu, uint32_t w,
			 uint32_t value)
{
	struct vgic_word *b = vgic_word(g, vcpu, w);
	uint32_t before = load_relaxed(&b->enable);

	store_seq(&b->enable, value);
	axvmi_vgic_touch(g, vcpu, w, value & ~before);
	recall(g, vcpu, w, before & ~value);
	axvmi_vgic_refresh(g, vcpu, w);
}

static void set_pending(struct vgic *g, uint32_t vcpu, uint32_t w,
			uint32_t bits)
{
	vgic_word(g, vcpu, w)->latch |= bits;
	axvmi_vgic_touch(g, vcpu, w, bits);
	axvmi_vgic_refresh(g, vcpu, w);
}

static void clear_pending(struct vgic *g, uint32_t vcpu, uint32_t w,
			  uint32_t bits)
{
	struct vgic_word *b = vgic_word(g, vcpu, w);

	/* Of one that is active, or held, the end is still to come. */
	if (w != 0)
		axvmi_vgic_tell(g, w, b->latch & bits & ~b->active & ~b->held);
	b->latch &= ~bits;
	b->drop_pending |= bits & b->held;
	recall(g, vcpu, w, bits);
	axvmi_vgic_refresh(g, vcpu, w);
}

static void write_active(struct vgic *g, uint32_t vcpu, uint32_t w,
			 uint32_t bits, bool active)
{
	struct vgic_word *b = vgic_word(g, vcpu, w);
	uint32_t held = bits & b->held;
	uint32_t rest = bits & ~b->held & (active ? ~b->active : b->active);

	if (active) {
		b->add_active |= held;
		b->drop_active &= ~held;
	} else {
		b->add_active &= ~held;
		b->drop_active |= held;
	}
	recall(g, vcpu, w, held);
	for (; rest != 0; rest &= rest - 1)
		axvmi_vgic_set_active(g, vcpu, w * 32 + lowest_bit64(rest),
				      active);
}

static void write_bits(struct vgic *g, uint32_t vcpu, uint64_t offset,
		       uint32_t value)
{
	uint32_t w = (uint32_t)(offset / 4 % VGIC_WORDS);
	uint32_t enable = load_relaxed(&vgic_word_const(g, vcpu, w)->enable);

	value &= vgic_valid(w);
	switch (align_down(offset, 0x80)) {
	case GICD_IGROUPR:
		write_group(g, vcpu, w, value);
		break;
	case GICD_ISENABLER:
		write_enable(g, vcpu, w, enable | value);
		break;
	case GICD_ICENABLER:
		write_enable(g, vcpu, w, enable & ~value);
		break;
	case GICD_ISPENDR:
		set_pending(g, vcpu, w, value);
		break;
	case GICD_ICPENDR:
		clear_pending(g, vcpu, w, value);
		break;
	case GICD_ISACTIVER:
		write_active(g, vcpu, w, value, true);
		break;
	default: /* ICACTIVER */
		write_active(g, vcpu, w, value, false);
		break;
	}
}

/* ---- priorities ---- */

/* `size` is 1 or 4; bits outside VGIC_PRIORITY_MASK are RAZ/WI. */
static void write_priority(struct vgic *g, uint32_t vcpu, uint32_t intid,
			   uint32_t size, uint32_t value)
{
	atomic_u32 *word = intid < VGIC_PRIVATE
				   ? &g->cpu[vcpu].priority[intid / 4]
				   : &g->priority[intid / 4];
	uint32_t mask = 0xffffffffu >> (32 - size * 8) << intid % 4 * 8;
	uint32_t old = load_relaxed(word);

	value = value << intid % 4 * 8 & VGIC_PRIORITY_MASK * 0x01010101u;
	value = (old & ~mask) | (value & mask);
	if (value == old)
		return;
	store_relaxed(word, value);
	axvmi_vgic_touch(g, vcpu, intid / 32, 0xfu << (intid & 28));
}

/* ---- configuration: two bits each, the upper one says edge ---- */

static uint32_t spread(uint32_t bits)
{
	uint32_t word = 0;

	for (uint32_t n = 0; n < 16; n++)
		word |= (bits >> n & 1) << (2 * n + 1);
	return word;
}

static uint32_t gather(uint32_t word)
{
	uint32_t bits = 0;

	for (uint32_t n = 0; n < 16; n++)
		bits |= (word >> (2 * n + 1) & 1) << n;
	return bits;
}

/*
 * "GICR_ICFGR1": which PPIs can be configured is the implementation's choice. The
 * timer's cannot: the physical one is silent until the guest has ended what it
 * got for it, and of an edge nobody would hear the end, or that ICPENDR took it.
 */
static void write_config(struct vgic *g, uint32_t vcpu, uint32_t half,
			 uint32_t value)
{
	uint32_t w = half / 2;
	uint32_t shift = half % 2 * 16;
	struct vgic_word *b = vgic_word(g, vcpu, w);
	uint32_t old = load_relaxed(&b->edge);
	uint32_t edge = gather(value) << shift & vgic_valid(w);

	if (half == 0) /* SGIs are edges */
		return;
	edge |= old & ~(0xffffu << shift);
	if (w == 0)
		edge &= ~vgic_bit(VGIC_VTIMER);
	store_relaxed(&b->edge, edge);
	axvmi_vgic_touch(g, vcpu, w, old ^ edge);
	axvmi_vgic_refresh(g, vcpu, w);
}

/* ---- decoding ---- */

enum bank_kind {
	NOTHING = 0,
	BITS,
	PRIORITY,
	CONFIG,
};

/*
 * Word 0 is in redistributors only, the others in the distributor. All are 32
 * bits wide; priorities are also accessible by byte: "Register access sizes".
 */
static enum bank_kind decode(uint64_t offset, uint32_t size, bool word0)
{
	if (size == 4 && offset - GICD_IGROUPR < GICD_IPRIORITYR - GICD_IGROUPR)
		return (offset % 0x80 < 4) == word0 ? BITS : NOTHING;
	if ((size == 4 || size == 1) && offset - GICD_IPRIORITYR < VGIC_INTIDS)
		return (offset - GICD_IPRIORITYR < VGIC_PRIVATE) == word0
			       ? PRIORITY
			       : NOTHING;
	if (size == 4 && offset - GICD_ICFGR < UINT64_C(8) * VGIC_WORDS)
		return (offset - GICD_ICFGR < 8) == word0 ? CONFIG : NOTHING;
	return NOTHING;
}

uint64_t axvmi_vgic_bank_read(const struct vgic *g, uint32_t vcpu,
			      uint64_t offset, uint32_t size)
{
	const struct vgic_word *b;
	uint32_t intid, half;

	switch (decode(offset, size, vcpu != VGIC_NOBODY)) {
	case BITS:
		b = vgic_word_const(g, vcpu, (uint32_t)(offset / 4 % 32));
		return read_bits(b, offset);
	case PRIORITY:
		intid = (uint32_t)(offset - GICD_IPRIORITYR);
		return (load_relaxed(vgic_priorities(g, vcpu, intid)) >>
			intid % 4 * 8) &
		       (0xffffffffu >> (32 - size * 8));
	case CONFIG:
		half = (uint32_t)(offset - GICD_ICFGR) / 4;
		b = vgic_word_const(g, vcpu, half / 2);
		return spread(load_relaxed(&b->edge) >> half % 2 * 16);
	case NOTHING:
	default:
		return 0;
	}
}

void axvmi_vgic_bank_write(struct vgic *g, uint32_t vcpu, uint64_t offset,
			   uint32_t size, uint64_t value)
{
	switch (decode(offset, size, vcpu != VGIC_NOBODY)) {
	case BITS:
		write_bits(g, vcpu, offset, (uint32_t)value);
		break;
	case PRIORITY:
		write_priority(g, vcpu, (uint32_t)(offset - GICD_IPRIORITYR),
			       size, (uint32_t)value);
		break;
	case CONFIG:
		write_config(g, vcpu, (uint32_t)(offset - GICD_ICFGR) / 4,
			     (uint32_t)value);
		break;
	case NOTHING:
	default:
		break;
	}
}

uint64_t axvmi_vgic_bank_awaits(const struct vgic *g, uint32_t vcpu,
				uint64_t offset)
{
	if (offset - GICD_ISPENDR >= GICD_IPRIORITYR - GICD_ISPENDR ||
	    (offset % 0x80 < 4) != (vcpu != VGIC_NOBODY))
		return 0;
	return axvmi_vgic_holders(g, vcpu, (uint32_t)(offset / 4 % 32),
				  UINT32_MAX);
}
