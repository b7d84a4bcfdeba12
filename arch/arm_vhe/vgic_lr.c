/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Between the model and the list registers of a vCPU. IHI 0069, "Virtual
 * interrupt handling and prioritization", "Usage model for the List registers".
 *
 * Flush lends interrupts to the list registers, sync takes them back as the
 * guest has left them. Active ones take part, so that the guest's EOI finds
 * them; without room for all, maintenance interrupts say when to choose again.
 */
#include "vgic.h"

#include "assert.h"

/* ---- sync ---- */

/* What the guest has done to interrupts of one word. */
struct outcome {
	uint32_t bits; /* that were held */
	uint32_t pending;
	uint32_t active;
	uint32_t taken; /* not waiting any more: acknowledged, perhaps ended */
};

static inline void note(struct outcome *o, uint32_t intid, uint64_t lr)
{
	uint32_t n = intid % 32;
	uint32_t pending = (uint32_t)(lr >> 62 & 1);
	uint32_t active = (uint32_t)(lr >> 63);

	o->bits |= UINT32_C(1) << n;
	o->pending |= pending << n;
	o->active |= active << n;
	o->taken |= (active | (pending ^ 1)) << n;
}

/*
 * Takes them back; returns those that are active, in `ended` those that have been
 * and are not. On top of the guest's own come the writes from elsewhere. A latch
 * that was not taken is the distributor's again.
 */
static inline uint32_t take_back(struct vgic_word *b, const struct outcome *o,
				 uint32_t *ended)
{
	uint32_t pending = o->pending & ~b->drop_pending;
	uint32_t active =
		(o->active & ~b->drop_active) | (b->add_active & o->bits);

	b->drop_pending &= ~o->bits;
	b->drop_active &= ~o->bits;
	b->add_active &= ~o->bits;
	b->held &= ~o->bits;
	b->latch |= b->loaned & pending;
	b->loaned &= ~o->bits;
	*ended = (o->taken | (b->active & o->bits)) & ~active;
	return active;
}

static void fold_spi(struct vgic *g, uint32_t vcpu, uint32_t intid, uint64_t lr)
{
	struct vgic_word *b = &g->spi[intid / 32];
	struct outcome o = {.bits = 0};
	uint32_t ended, active, dropped;

	note(&o, intid, lr);
	dropped = o.pending & b->drop_pending;
	active = take_back(b, &o, &ended);
	/* What has ended was active, whether the model knew it or not; and what
	 * ICPENDR took is over for its source as well. */
	b->active |= ended | dropped;
	axvmi_vgic_set_active(g, vcpu, intid, active != 0);
}

static void fold_own(struct vgic *g, uint32_t vcpu, const struct outcome *o)
{
	struct vgic_cpu *cpu = &g->cpu[vcpu];
	struct vgic_word *b = &cpu->own;
	uint32_t ended;
	uint32_t active = take_back(b, o, &ended);

	cpu->ended |= ended;
	b->active = (b->active & ~o->bits) | active;
	cpu->active[0] = b->active;
	cpu->active_words =
		(cpu->active_words & ~UINT32_C(1)) | (b->active != 0);
	vgic_refresh_own(g, vcpu);
}

/* By what flush put there: the INTID of a register is no index. */
static void fold_all(struct vgic *g, uint32_t vcpu, const uint64_t *lr)
{
	struct vgic_cpu *cpu = &g->cpu[vcpu];
	struct outcome own = {.bits = 0};

	for (uint32_t i = 0; i < cpu->held_count; i++) {
		uint32_t intid = cpu->held[i];

		if (intid >= VGIC_PRIVATE) {
			fold_spi(g, vcpu, intid, lr[i]);
			continue;
		}
		note(&own, intid, lr[i]);
		cpu->hw_ended |= vgic_ended_with_hw(intid, lr[i]);
	}
	cpu->held_count = 0;
	if (own.bits != 0)
		fold_own(g, vcpu, &own);
}

/*
 * What nearly every fold finds: one SGI or PPI, which the guest has ended. False:
 * it is something else, nothing was done.
 */
static inline bool fold_ended(struct vgic *g, uint32_t vcpu, uint64_t lr)
{
	struct vgic_cpu *cpu = &g->cpu[vcpu];
	struct vgic_word *b = &cpu->own;
	uint32_t m = vgic_bit(cpu->held[0]);

	if (cpu->held_count != 1 || cpu->held[0] >= VGIC_PRIVATE ||
	    (lr & (LR_PENDING | LR_ACTIVE)) != 0 ||
	    (b->drop_pending | b->drop_active | b->add_active) != 0)
		return false;
	cpu->held_count = 0;
	cpu->ended |= m;
	cpu->hw_ended |= vgic_ended_with_hw(cpu->held[0], lr);
	b->held = 0;
	b->loaned = 0;
	b->active &= ~m;
	cpu->active[0] = b->active;
	cpu->active_words &= ~UINT32_C(1) | (b->active != 0);
	if (((b->latch | b->line) & m) != 0)
		vgic_refresh_own(g, vcpu);
	return true;
}

/* The active interrupt of the highest priority that is not held, or none. */
static uint32_t left_out(const struct vgic *g, uint32_t vcpu)
{
	const struct vgic_cpu *cpu = &g->cpu[vcpu];
	uint32_t best = VGIC_INTIDS;
	uint32_t best_priority = 0x100;

	for (uint32_t words = cpu->active_words; words != 0;
	     words &= words - 1) {
		uint32_t w = lowest_bit64(words);
		uint32_t bits =
			cpu->active[w] & ~vgic_word_const(g, vcpu, w)->held;

		for (; bits != 0; bits &= bits - 1) {
			uint32_t intid = w * 32 + lowest_bit64(bits);
			uint32_t priority = vgic_priority(g, vcpu, intid);

			if (priority < best_priority) {
				best = intid;
				best_priority = priority;
			}
		}
	}
	return best;
}

/*
 * EOIs that found no list register are those of active interrupts that had no
 * room; the highest priority ends first. With EOImode 1 some CPUs count them too,
 * though they end nothing: a write of DIR does, and that traps.
 */
static void fold_eois(struct vgic *g, uint32_t vcpu, uint32_t count)
{
	for (; count != 0; count--) {
		uint32_t intid = left_out(g, vcpu);

		if (intid == VGIC_INTIDS)
			return;
		axvmi_vgic_set_active(g, vcpu, intid, false);
	}
}

void axvmi_vgic_sync(struct vgic *g, uint32_t vcpu,
		     const struct vgic_cpu_regs *regs)
{
	struct vgic_cpu *cpu = &g->cpu[vcpu];

	if (cpu->held_count == 0)
		return;
	if (cpu->crowded && (regs->vmcr & ICH_VMCR_EOIM) == 0)
		fold_eois(g, vcpu,
			  (uint32_t)FIELD_GET(ICH_HCR_EOICOUNT,
					      (uint64_t)regs->hcr));
	if (!fold_ended(g, vcpu, regs->lr[0]))
		fold_all(g, vcpu, regs->lr);
	store_release(&cpu->epoch, load_relaxed(&cpu->epoch) + 1);
}

/* ---- flush ---- */

/*
 * May an interrupt that is ready be pending in a list register here? An active
 * one may be routed elsewhere by now; or others are left out, and which is next
 * when it has ended is to be chosen then.
 */
static bool may_pend(const struct vgic *g, uint32_t vcpu, uint32_t intid)
{
	const struct vgic_cpu *cpu = &g->cpu[vcpu];

	if ((cpu->active[intid / 32] & vgic_bit(intid)) == 0)
		return true;
	return !cpu->crowded && (load_relaxed(&g->awake) & BIT64(vcpu)) != 0 &&
	       (intid < VGIC_PRIVATE || vgic_target(g, intid) == vcpu);
}

/*
 * The list register of an interrupt, which is held from now on. Its EOI must be
 * heard of if it pends again then: the line of a level-sensitive one is high, or
 * it is ready but may not pend here; that of watched ones in any case.
 */
static uint64_t lend(struct vgic *g, uint32_t vcpu, uint32_t intid)
{
	uint32_t w = intid / 32;
	uint32_t m = vgic_bit(intid);
	struct vgic_word *b = vgic_word(g, vcpu, w);
	uint32_t ready = vgic_deliverable(g, b) & m;
	uint32_t again = b->line & ~load_relaxed(&b->edge) & m;
	uint64_t lr = (uint64_t)vgic_priority(g, vcpu, intid) << 48 | intid;

	if ((load_relaxed(&b->group) & m) != 0)
		lr |= LR_GROUP1;
	if ((b->active & m) != 0)
		lr |= LR_ACTIVE;
	if (ready != 0 && may_pend(g, vcpu, intid)) {
		lr |= LR_PENDING;
		b->loaned |= b->latch & m;
		b->latch &= ~m;
	} else {
		again |= ready;
	}
	if (again != 0 || (g->watched != NULL && (g->watched[w] & m) != 0))
		lr |= LR_EOI;
	b->held |= m;
	if ((b->listed & m) != 0) {
		b->listed &= ~m;
		vgic_unlist(&g->cpu[vcpu], w, m);
	}
	if (w != 0)
		store_seq(&g->where[intid], vgic_target(g, intid) | vcpu << 8);
	return intid == VGIC_VTIMER ? vgic_with_hw(&g->cpu[vcpu], lr) : lr;
}

#define BOTH_GROUPS (ICH_VMCR_ENG0 | ICH_VMCR_ENG1)

/* The best of many: sorted keys, priority << 16 | INTID. */
struct choice {
	uint32_t total;
	uint32_t count;
	uint32_t key[VGIC_MAX_LRS];
};

static void offer(struct choice *c, uint32_t room, uint32_t key)
{
	uint32_t i = c->count;

	c->total++;
	if (c->count < room)
		c->count++;
	else if (key >= c->key[--i])
		return;
	for (; i > 0 && c->key[i - 1] > key; i--)
		c->key[i] = c->key[i - 1];
	c->key[i] = key;
}

/* Candidates of one word; pending ones only of groups in `open`. Returns the
 * groups (bits 0 and 1) of which some were passed over. */
static uint32_t offer_word(const struct vgic *g, uint32_t vcpu, uint32_t w,
			   uint32_t room, uint32_t open,
			   struct choice choices[2])
{
	const struct vgic_cpu *cpu = &g->cpu[vcpu];
	uint32_t group = load_relaxed(&vgic_word_const(g, vcpu, w)->group);
	uint32_t bits = cpu->active[w] | cpu->ready[w];
	uint32_t closed = 0;

	for (; bits != 0; bits &= bits - 1) {
		uint32_t n = lowest_bit64(bits);
		uint32_t intid = w * 32 + n;
		bool active = (cpu->active[w] >> n & 1) != 0;
		uint32_t mine = 1u << (group >> n & 1);

		if (!active && (open & mine) == 0)
			closed |= mine;
		else
			offer(&choices[active], room,
			      vgic_priority(g, vcpu, intid) << 16 | intid);
	}
	return closed;
}

/*
 * There are more than list registers. The first place is for what the guest
 * takes next, then come active interrupts, the one that ends first in front,
 * then more pending ones. Sets the maintenance interrupts that say when another
 * choice is right: nothing pending is left (NP), an EOI found no register
 * (LRENP), a group was enabled or disabled.
 */
static uint32_t crowd(struct vgic *g, uint32_t vcpu, struct vgic_cpu_regs *regs,
		      bool awake)
{
	struct vgic_cpu *cpu = &g->cpu[vcpu];
	struct choice choices[2] = {{.total = 0}, {.total = 0}};
	uint32_t open = awake ? regs->vmcr & BOTH_GROUPS : 0;
	uint32_t room = regs->lr_count;
	uint32_t closed = 0;
	uint32_t pending, active;

	for (uint32_t words = cpu->ready_words | cpu->active_words; words != 0;
	     words &= words - 1)
		closed |= offer_word(g, vcpu, lowest_bit64(words), room, open,
				     choices);
	/* Nothing is pending for who sleeps: no enable changes that. */
	if (!awake)
		closed = 0;
	pending = choices[0].count != 0;
	active = choices[1].count;
	if (active > room - pending)
		active = room - pending;
	pending = choices[0].count;
	if (pending > room - active)
		pending = room - active;
	for (uint32_t i = 0; i < pending; i++)
		cpu->held[i] = (uint16_t)choices[0].key[i];
	for (uint32_t i = 0; i < active; i++)
		cpu->held[pending + i] = (uint16_t)choices[1].key[i];
	if (choices[0].total > pending)
		regs->hcr |= ICH_HCR_NPIE;
	/* When a group closes that is not the last, the other one has room. */
	if (choices[0].total > pending && open == BOTH_GROUPS)
		regs->hcr |= ICH_HCR_GRP0DIE | ICH_HCR_GRP1DIE;
	if (choices[1].total > active)
		regs->hcr |= ICH_HCR_LRENPIE | ICH_HCR_TDIR;
	regs->hcr |= (closed & 1) * ICH_HCR_GRP0EIE |
		     (closed >> 1) * ICH_HCR_GRP1EIE;
	return pending + active;
}

/* lend() of all SGIs and PPIs at once: nearly always there is nothing else. */
static bool lend_own(const struct vgic *g, struct vgic_cpu *cpu,
		     struct vgic_cpu_regs *regs, bool awake)
{
	struct vgic_word *b = &cpu->own;
	uint32_t ready = awake ? vgic_deliverable(g, b) : 0;
	uint32_t bits = b->active | ready;
	uint32_t count = 0;

	for (uint32_t left = bits; left != 0; left &= left - 1) {
		uint32_t n = lowest_bit64(left);

		if (count == regs->lr_count)
			return false;
		cpu->held[count] = (uint16_t)n;
		regs->lr[count++] = vgic_own_lr(
			cpu, n,
			(uint64_t)(ready >> n & 1) << 62 |
				(uint64_t)(b->active >> n & 1) << 63);
	}
	cpu->held_count = count;
	b->held = bits;
	b->loaned = b->latch & ready;
	b->latch &= ~ready;
	b->listed &= ~bits;
	cpu->ready[0] = b->listed;
	cpu->ready_words &= ~UINT32_C(1) | (b->listed != 0);
	return true;
}

/* Lends everything there is to be lent; false: there is more. */
static bool lend_all(struct vgic *g, uint32_t vcpu, struct vgic_cpu_regs *regs,
		     bool awake)
{
	struct vgic_cpu *cpu = &g->cpu[vcpu];
	uint32_t words = cpu->active_words | (awake ? cpu->ready_words : 0);

	if ((words & 1) != 0 && !lend_own(g, cpu, regs, awake))
		return false;
	for (words &= ~UINT32_C(1); words != 0; words &= words - 1) {
		uint32_t w = lowest_bit64(words);
		uint32_t bits = cpu->active[w] | (awake ? cpu->ready[w] : 0);

		for (; bits != 0; bits &= bits - 1) {
			uint32_t intid = w * 32 + lowest_bit64(bits);
			uint32_t i = cpu->held_count;

			if (i == regs->lr_count)
				return false;
			cpu->held[i] = (uint16_t)intid;
			cpu->held_count = i + 1;
			regs->lr[i] = lend(g, vcpu, intid);
		}
	}
	return true;
}

/*
 * While interrupts are "1 of N": who may take them is another when this vCPU
 * enables a group, or disables it. Should vmcr be old, that is told at once. QEMU
 * up to 7.2 has VGrp0D stand for Group 1: of Group 0 alone it would never cease.
 */
static uint32_t watch_groups(uint32_t vmcr)
{
	uint32_t hcr =
		(vmcr & ICH_VMCR_ENG1) != 0 ? ICH_HCR_GRP1DIE : ICH_HCR_GRP1EIE;

	if ((vmcr & ICH_VMCR_ENG0) == 0)
		return hcr | ICH_HCR_GRP0EIE;
	return (vmcr & ICH_VMCR_ENG1) != 0 ? hcr | ICH_HCR_GRP0DIE : hcr;
}

void axvmi_vgic_flush(struct vgic *g, uint32_t vcpu, struct vgic_cpu_regs *regs)
{
	struct vgic_cpu *cpu = &g->cpu[vcpu];
	bool awake = (load_relaxed(&g->awake) & BIT64(vcpu)) != 0;

	AXVMI_ASSERT(cpu->held_count == 0);
	AXVMI_ASSERT(regs->lr_count - 1 < VGIC_MAX_LRS);
	cpu->crowded = false;
	regs->hcr = g->hcr;
	if (g->any_words != 0)
		regs->hcr |= watch_groups(regs->vmcr);
	if (!lend_all(g, vcpu, regs, awake)) {
		/* Rare. As if the guest had not been there. */
		fold_all(g, vcpu, regs->lr);
		cpu->crowded = true;
		cpu->held_count = crowd(g, vcpu, regs, awake);
		for (uint32_t i = 0; i < cpu->held_count; i++)
			regs->lr[i] = lend(g, vcpu, cpu->held[i]);
	}
	/* All that anybody wanted it to look at is seen to. */
	g->dirty &= ~BIT64(vcpu);
	regs->lr_used = cpu->held_count;
	if (cpu->held_count != 0)
		store_release(&cpu->epoch, load_relaxed(&cpu->epoch) + 1);
}

/* ---- pending? ---- */

/* "Preemption": the part of a priority that counts, by group. */
static uint32_t group_mask(uint32_t vmcr, bool group1)
{
	uint32_t bpr0 = (uint32_t)FIELD_GET(ICH_VMCR_BPR0, (uint64_t)vmcr);
	uint32_t bpr1 = (uint32_t)FIELD_GET(ICH_VMCR_BPR1, (uint64_t)vmcr);

	if (!group1 || (vmcr & ICH_VMCR_CBPR) != 0)
		return 0xfffffffeu << bpr0 & 0xff;
	return 0xffffffffu << bpr1 & 0xff;
}

/*
 * The running priority: the lowest bit of the active priorities, which number
 * the group priorities with as many bits as there are registers for.
 */
static uint32_t running(const struct vgic_cpu_regs *regs)
{
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t bits = regs->ap0r[i] | regs->ap1r[i];

		if (bits != 0)
			return (i * 32 + lowest_bit64(bits))
			       << (8 - regs->pre_bits);
	}
	return 0x100;
}

bool axvmi_vgic_pending(const struct vgic *g, uint32_t vcpu,
			const struct vgic_cpu_regs *regs)
{
	const struct vgic_cpu *cpu = &g->cpu[vcpu];
	uint32_t open = regs->vmcr & BOTH_GROUPS;
	struct choice choices[2] = {{.total = 0}, {.total = 0}};
	uint32_t priority, intid, group;

	if (cpu->ready_words == 0)
		return false;
	/* A wake request, whatever the interface says. */
	if ((load_relaxed(&g->awake) & BIT64(vcpu)) == 0)
		return true;
	for (uint32_t words = cpu->ready_words; words != 0; words &= words - 1)
		offer_word(g, vcpu, lowest_bit64(words), 1, open, choices);
	if (choices[0].count == 0)
		return false;
	priority = choices[0].key[0] >> 16;
	intid = choices[0].key[0] & 0xffff;
	group = load_relaxed(&vgic_word_const(g, vcpu, intid / 32)->group);
	return priority < FIELD_GET(ICH_VMCR_PMR, (uint64_t)regs->vmcr) &&
	       (priority & group_mask(regs->vmcr, (group & vgic_bit(intid)) !=
							  0)) < running(regs);
}
