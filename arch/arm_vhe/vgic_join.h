/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The short way of an SGI or PPI into the list registers of a vCPU that has just
 * left the guest: beside what the guest has there, and without a look at it.
 * Pure; under the VM's irqchip lock; irq_join.c.
 */
#ifndef AXVMI_ARM_VGIC_JOIN_H
#define AXVMI_ARM_VGIC_JOIN_H

#include "vgic.h"

/*
 * The list register for an SGI or PPI that pends from now on: that which holds
 * it, or the first one that is free. VGIC_MAX_LRS: there is none, or the vCPU has
 * more to choose from.
 */
static inline uint32_t vgic_slot(const struct vgic_cpu *cpu,
				 const struct vgic_cpu_regs *regs, uint32_t n)
{
	if (cpu->crowded)
		return VGIC_MAX_LRS;
	if ((cpu->own.held >> n & 1) == 0)
		return regs->lr_used < regs->lr_count ? regs->lr_used
						      : VGIC_MAX_LRS;
	for (uint32_t i = 0; i < regs->lr_used; i++) {
		if (cpu->held[i] == n)
			return i;
	}
	return VGIC_MAX_LRS;
}

/* Does ICC_SGI1R_EL1 name the vCPU that writes it, and nobody else? */
static inline bool vgic_sgi_is_own(uint32_t vcpu, uint64_t value)
{
	/* All but the INTID and what is reserved. */
	const uint64_t fields =
		FIELD64(55, 44) | FIELD64(40, 32) | FIELD64(23, 0);

	return (value & fields) ==
	       ((uint64_t)(vcpu / 16) << 16 | UINT64_C(1) << vcpu % 16);
}

/* It may pend, and its list register, if it has one, says all about it. */
static inline bool vgic_is_idle(const struct vgic *g, const struct vgic_word *b,
				uint32_t n)
{
	uint32_t busy = b->line | b->latch | b->active | b->drop_pending |
			b->drop_active | b->add_active;
	uint32_t group = load_relaxed(&b->group) >> n & 1;

	return ((load_relaxed(&b->enable) & ~busy) >> n &
		load_relaxed(&g->ctlr) >> group & 1) != 0;
}

/*
 * Instead of sync, the change and flush: somebody sends an SGI to an awake vCPU
 * (level false), or the line of a PPI rises (true), and it goes to the list
 * register `slot`, of vgic_slot(), the others staying as the guest has them.
 * What it held is as read back: its interrupt has that register again once the
 * guest has ended it and nobody wants to hear of that. False: nothing was done.
 */
static inline bool vgic_join(const struct vgic *g, struct vgic_cpu *cpu,
			     struct vgic_cpu_regs *regs, uint32_t slot,
			     uint32_t n, bool level)
{
	const uint64_t untold = LR_PENDING | LR_ACTIVE | LR_EOI;
	struct vgic_word *b = &cpu->own;
	uint32_t m = vgic_bit(n);

	if (!vgic_is_idle(g, b, n))
		return false;
	if (slot < regs->lr_used) {
		if ((regs->lr[slot] & untold) != 0)
			return false;
	} else {
		cpu->held[slot] = (uint16_t)n;
		cpu->held_count = slot + 1;
		regs->lr_used = slot + 1;
		b->held |= m;
		if (slot == 0)
			store_release(&cpu->epoch,
				      load_relaxed(&cpu->epoch) + 1);
	}
	if (level)
		b->line |= m;
	/* The latch, if it has one. */
	b->loaned &= ~m;
	b->loaned |= level ? load_relaxed(&b->edge) & m : m;
	regs->lr[slot] = vgic_own_lr(cpu, n, LR_PENDING);
	return true;
}

/*
 * PPI 27, whose timer asks anew, may have the list register again that it has in
 * `slot`: as read back, the guest has ended it there, with the physical interrupt.
 * Its line is high still, and so are what enables it. False: nothing was done.
 */
static inline bool vgic_renew(const struct vgic *g, const struct vgic_cpu *cpu,
			      struct vgic_cpu_regs *regs, uint32_t slot)
{
	const uint32_t m = vgic_bit(VGIC_VTIMER);
	const struct vgic_word *b = &cpu->own;
	uint32_t busy =
		b->latch | b->drop_pending | b->drop_active | b->add_active;

	if (vgic_ended_with_hw(VGIC_VTIMER, regs->lr[slot]) == 0 ||
	    (busy & m) != 0 || (vgic_deliverable(g, b) & m) == 0)
		return false;
	/* The rest of it is what it was, or there would be a fold first. */
	regs->lr[slot] |= LR_PENDING;
	return true;
}

/*
 * The way back of a level-sensitive PPI whose line falls as the guest ends it: it
 * leaves the last list register in use, `slot`, of vgic_slot(), which the CPU
 * says to be ended. False: nothing was done.
 */
static inline bool vgic_retire(struct vgic_cpu *cpu, struct vgic_cpu_regs *regs,
			       uint32_t slot, uint32_t n)
{
	struct vgic_word *b = &cpu->own;
	uint32_t m = vgic_bit(n);
	uint32_t busy = b->latch | b->active | b->drop_pending |
			b->drop_active | b->add_active;

	if (slot + 1 != regs->lr_used || (b->held & ~busy & m) == 0)
		return false;
	b->line &= ~m;
	b->held &= ~m;
	b->loaned &= ~m;
	cpu->held_count = slot;
	regs->lr_used = slot;
	regs->lr[slot] = 0;
	if (slot == 0)
		store_release(&cpu->epoch, load_relaxed(&cpu->epoch) + 1);
	return true;
}

#endif
