/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The state of interrupts: what pends, where it is routed, what that means for
 * the vCPUs. Whatever changes an interrupt's word calls axvmi_vgic_refresh(),
 * which keeps the lists of deliverable interrupts, and axvmi_vgic_touch() for
 * what list registers may hold. Work per call is bounded by the words.
 */
#include "vgic.h"

#include "assert.h"
#include "mem.h"

/* ---- lists of deliverable interrupts ---- */

static void list(struct vgic *g, uint32_t vcpu, uint32_t w, uint32_t bits)
{
	struct vgic_cpu *cpu = &g->cpu[vcpu];

	cpu->ready[w] |= bits;
	cpu->ready_words |= vgic_bit(w);
	g->dirty |= BIT64(vcpu);
}

static void refresh_spi(struct vgic *g, uint32_t intid, bool ready)
{
	uint32_t target = vgic_target(g, intid);

	if (target == VGIC_NOBODY)
		return;
	if (ready)
		list(g, target, intid / 32, vgic_bit(intid));
	else
		vgic_unlist(&g->cpu[target], intid / 32, vgic_bit(intid));
}

/* Word w, of `vcpu` if it is word 0, after a change of its bits. */
void axvmi_vgic_refresh(struct vgic *g, uint32_t vcpu, uint32_t w)
{
	struct vgic_word *b = &g->spi[w];
	uint32_t ready, changed;

	if (w == 0) {
		vgic_refresh_own(g, vcpu);
		return;
	}
	ready = vgic_deliverable(g, b) & ~b->active & ~b->held;
	changed = ready ^ b->listed;
	b->listed = ready;
	for (; changed != 0; changed &= changed - 1) {
		uint32_t n = lowest_bit64(changed);

		refresh_spi(g, w * 32 + n, (ready >> n & 1) != 0);
	}
}

/* vCPUs whose list registers hold interrupts of `bits`. */
uint64_t axvmi_vgic_holders(const struct vgic *g, uint32_t vcpu, uint32_t w,
			    uint32_t bits)
{
	uint32_t held = vgic_word_const(g, vcpu, w)->held & bits;
	uint64_t holders = 0;

	if (w == 0)
		return held != 0 ? BIT64(vcpu) : 0;
	for (; held != 0; held &= held - 1)
		holders |= BIT64(vgic_home(g, w * 32 + lowest_bit64(held)));
	return holders;
}

/*
 * Something about these interrupts is another: who holds them, or may have left
 * them out for lack of room, must choose again.
 */
void axvmi_vgic_touch(struct vgic *g, uint32_t vcpu, uint32_t w, uint32_t bits)
{
	uint32_t listed = vgic_word(g, vcpu, w)->listed & bits;

	g->dirty |= axvmi_vgic_holders(g, vcpu, w, bits);
	if (w == 0 && listed != 0)
		g->dirty |= BIT64(vcpu);
	for (; w != 0 && listed != 0; listed &= listed - 1) {
		uint32_t intid = w * 32 + lowest_bit64(listed);

		if (vgic_target(g, intid) != VGIC_NOBODY)
			g->dirty |= BIT64(vgic_target(g, intid));
	}
}

/* ---- active interrupts ---- */

/* SPIs of word w will not be heard of any more by who watches them. */
void axvmi_vgic_tell(struct vgic *g, uint32_t w, uint32_t bits)
{
	if (g->watched == NULL || (g->watched[w] & bits) == 0)
		return;
	g->ended[w] |= g->watched[w] & bits;
	g->ended_words |= vgic_bit(w);
}

static void note_end(struct vgic *g, uint32_t vcpu, uint32_t intid)
{
	if (intid < VGIC_PRIVATE)
		g->cpu[vcpu].ended |= vgic_bit(intid);
	else
		axvmi_vgic_tell(g, intid / 32, vgic_bit(intid));
}

uint32_t axvmi_vgic_take_ended(struct vgic *g)
{
	uint32_t w, n;

	if (g->ended_words == 0)
		return 0;
	w = lowest_bit64(g->ended_words);
	n = lowest_bit64(g->ended[w]);
	g->ended[w] &= g->ended[w] - 1;
	if (g->ended[w] == 0)
		g->ended_words &= ~vgic_bit(w);
	return w * 32 + n;
}

static void set_home(struct vgic *g, uint32_t intid, uint32_t home)
{
	store_seq(&g->where[intid], vgic_target(g, intid) | home << 8);
}

/* Where an interrupt that is active, or becomes so, is served. */
static uint32_t serving(const struct vgic *g, uint32_t vcpu, uint32_t intid)
{
	if (intid < VGIC_PRIVATE)
		return vcpu;
	if (vgic_home(g, intid) != VGIC_NOBODY)
		return vgic_home(g, intid);
	/* Nobody has acknowledged it: ISACTIVER. */
	if (vgic_target(g, intid) != VGIC_NOBODY)
		return vgic_target(g, intid);
	return 0;
}

/* Of one that is not held; a private one is that of `vcpu`. */
void axvmi_vgic_set_active(struct vgic *g, uint32_t vcpu, uint32_t intid,
			   bool active)
{
	uint32_t w = intid / 32;
	uint32_t m = vgic_bit(intid);
	uint32_t server = serving(g, vcpu, intid);
	struct vgic_word *b = vgic_word(g, vcpu, w);
	struct vgic_cpu *cpu = &g->cpu[server];

	if (active) {
		b->active |= m;
		cpu->active[w] |= m;
		cpu->active_words |= vgic_bit(w);
	} else {
		if ((b->active & m) != 0)
			note_end(g, vcpu, intid);
		b->active &= ~m;
		cpu->active[w] &= ~m;
		if (cpu->active[w] == 0)
			cpu->active_words &= ~vgic_bit(w);
	}
	if (w != 0)
		set_home(g, intid, active ? server : VGIC_NOBODY);
	/* Whoever serves it must know, also if it was no candidate before. */
	g->dirty |= BIT64(server);
	axvmi_vgic_refresh(g, vcpu, w);
}

/* "Interrupt lifecycle": with EOImode 1 any PE may deactivate an SPI. */
void axvmi_vgic_deactivate(struct vgic *g, uint32_t vcpu, uint32_t intid)
{
	struct vgic_word *b;
	uint32_t m;

	if (intid >= VGIC_INTIDS)
		return;
	b = vgic_word(g, vcpu, intid / 32);
	m = vgic_bit(intid);
	if ((b->held & m) != 0) {
		b->drop_active |= m;
		b->add_active &= ~m;
		axvmi_vgic_touch(g, vcpu, intid / 32, m);
	} else if ((b->active & m) != 0) {
		axvmi_vgic_set_active(g, vcpu, intid, false);
	}
}

/* ---- routing: "Routing SPIs" ---- */

/* Participating PEs: awake, and with the interrupt's group enabled. If there is
 * none, those that are awake; then all. */
static uint64_t participants(const struct vgic *g, uint32_t group)
{
	uint64_t awake = load_relaxed(&g->awake);

	if ((g->open[group] & awake) != 0)
		return g->open[group] & awake;
	return awake != 0 ? awake : UINT64_MAX >> (64 - g->vcpus);
}

/* "1 of N" is a choice of the controller: the first participant from the one
 * that has the interrupt's number. */
static uint32_t choose(const struct vgic *g, uint32_t intid)
{
	uint32_t group = load_relaxed(&g->spi[intid / 32].group);
	uint64_t set = participants(g, group >> intid % 32 & 1);
	uint64_t from = set & UINT64_MAX << intid % g->vcpus;

	return lowest_bit64(from != 0 ? from : set);
}

static uint32_t route(const struct vgic *g, uint32_t intid)
{
	uint32_t router = load_relaxed(&g->router[intid]);
	uint32_t aff0 = router & 0xff;
	uint32_t aff1 = router >> 8 & 0xff;
	uint32_t vcpu = aff1 * 16 + aff0;

	if ((router & GICD_IROUTER_IRM) != 0)
		return choose(g, intid);
	if ((router >> 16 & 0xff) != 0 || aff0 > 15 || vcpu >= g->vcpus)
		return VGIC_NOBODY;
	return vcpu;
}

/* After a change of what the route of an SPI depends on. */
void axvmi_vgic_retarget(struct vgic *g, uint32_t intid)
{
	struct vgic_word *b = &g->spi[intid / 32];
	uint32_t target = route(g, intid);
	uint32_t old = vgic_target(g, intid);
	uint32_t m = vgic_bit(intid);

	if (target == old)
		return;
	if ((b->listed & m) != 0 && old != VGIC_NOBODY)
		vgic_unlist(&g->cpu[old], intid / 32, m);
	b->listed &= ~m;
	/* Before the inputs are taken again: src/irq.c, "Routing". */
	store_seq(&g->where[intid], target | vgic_home(g, intid) << 8);
	axvmi_vgic_touch(g, 0, intid / 32, m);
	axvmi_vgic_refresh(g, 0, intid / 32);
}

void axvmi_vgic_retarget_any(struct vgic *g)
{
	for (uint32_t words = g->any_words; words != 0; words &= words - 1) {
		uint32_t w = lowest_bit64(words);

		for (uint32_t any = g->any[w]; any != 0; any &= any - 1)
			axvmi_vgic_retarget(g, w * 32 + lowest_bit64(any));
	}
}

static void set_bit(uint64_t *set, uint32_t n, bool value)
{
	*set = value ? *set | BIT64(n) : *set & ~BIT64(n);
}

void axvmi_vgic_open(struct vgic *g, uint32_t vcpu, uint32_t open)
{
	g->cpu[vcpu].open = open;
	set_bit(&g->open[0], vcpu, (open & ICH_VMCR_ENG0) != 0);
	set_bit(&g->open[1], vcpu, (open & ICH_VMCR_ENG1) != 0);
	axvmi_vgic_retarget_any(g);
}

void axvmi_vgic_power(struct vgic *g, uint32_t vcpu, bool on)
{
	uint64_t awake = load_relaxed(&g->awake);

	set_bit(&awake, vcpu, on);
	store_seq(&g->awake, awake);
	g->dirty |= BIT64(vcpu);
	axvmi_vgic_open(g, vcpu, 0);
}

/* ---- inputs: "Interrupt handling state machine" ---- */

/*
 * False: nothing changed. Of an interrupt that is held a new latch counts, though
 * it pends anyway: only what came before the guest acknowledges it ends then.
 */
static inline bool input(struct vgic_word *b, uint32_t m, bool level, bool edge)
{
	uint32_t pends = vgic_pends(b);
	uint32_t latch = b->latch;
	bool rose = level && (b->line & m) == 0;

	b->line = level ? b->line | m : b->line & ~m;
	if (edge || (rose && (load_relaxed(&b->edge) & m) != 0))
		b->latch |= m;
	return (((pends ^ vgic_pends(b)) | (latch ^ b->latch)) & m) != 0;
}

static inline void input_own(struct vgic *g, uint32_t vcpu, uint32_t intid,
			     bool level, bool edge)
{
	struct vgic_word *own = &g->cpu[vcpu].own;
	uint32_t m = vgic_bit(intid);

	if (!input(own, m, level, edge))
		return;
	if (((own->held | own->listed) & m) != 0)
		g->dirty |= BIT64(vcpu);
	vgic_refresh_own(g, vcpu);
}

void axvmi_vgic_set_private(struct vgic *g, uint32_t vcpu, uint32_t intid,
			    bool level, bool edge)
{
	if (intid >= VGIC_SGIS && intid < VGIC_PRIVATE)
		input_own(g, vcpu, intid, level, edge);
}

void axvmi_vgic_set_spi(struct vgic *g, uint32_t intid, bool level, bool edge)
{
	uint32_t w = intid / 32;

	if (intid < VGIC_PRIVATE || intid >= VGIC_INTIDS ||
	    !input(&g->spi[w], vgic_bit(intid), level, edge))
		return;
	axvmi_vgic_touch(g, 0, w, vgic_bit(intid));
	axvmi_vgic_refresh(g, 0, w);
}

/*
 * "Forwarding an SGI to a target PE", one Security state: only ICC_SGI1R_EL1
 * reaches interrupts of Group 1, and it reaches all.
 */
static void send(struct vgic *g, uint32_t vcpu, uint32_t sgi, bool group1)
{
	struct vgic_word *own = &g->cpu[vcpu].own;

	if (group1 || (load_relaxed(&own->group) & vgic_bit(sgi)) == 0)
		input_own(g, vcpu, sgi, false, true);
}

void axvmi_vgic_sgi(struct vgic *g, uint32_t from, uint64_t value, bool group1)
{
	uint32_t sgi = value >> 24 & 0xf;
	uint32_t aff1 = value >> 16 & 0xff;
	uint64_t rest =
		value & (FIELD64(39, 32) | FIELD64(55, 48) | /* Aff2, 3 */
			 FIELD64(47, 44)); /* RS: Aff0 16 and up */

	if ((value & BIT64(40)) != 0) { /* IRM: all but this one */
		for (uint32_t c = 0; c < g->vcpus; c++) {
			if (c != from)
				send(g, c, sgi, group1);
		}
		return;
	}
	/* Targets that do not exist are ignored. */
	if (rest != 0)
		return;
	for (uint64_t list = value & 0xffff; list != 0; list &= list - 1) {
		uint32_t vcpu = aff1 * 16 + lowest_bit64(list);

		if (vcpu < g->vcpus)
			send(g, vcpu, sgi, group1);
	}
}

/* ---- life ---- */

/*
 * The controller as firmware hands it over to a kernel: the redistributors of
 * CPUs that run awake, everything in Group 1. Software of a non-secure world
 * relies on both without being able to see it.
 */
static void reset_word(struct vgic_word *b, uint32_t valid, uint32_t edge)
{
	memset((void *)b, 0, sizeof(*b));
	store_relaxed(&b->group, valid);
	store_relaxed(&b->edge, edge);
}

void axvmi_vgic_reset(struct vgic *g)
{
	uint32_t vcpus = g->vcpus;
	uint64_t vtimer_lr = g->vtimer_lr;
	const uint32_t *watched = g->watched;

	memset((void *)g, 0, sizeof(*g));
	g->vcpus = vcpus;
	g->vtimer_lr = vtimer_lr;
	g->watched = watched;
	/* An SPI may be deactivated where it was not acknowledged. */
	g->hcr = vcpus > 1 ? ICH_HCR_EN | ICH_HCR_TDIR : ICH_HCR_EN;
	for (uint32_t c = 0; c < vcpus; c++)
		reset_word(&g->cpu[c].own, UINT32_MAX, 0xffff);
	for (uint32_t w = 1; w < VGIC_WORDS; w++)
		reset_word(&g->spi[w], vgic_valid(w), 0);
	/* IROUTER 0 is vCPU 0. */
	for (uint32_t i = 0; i < ARRAY_SIZE(g->where); i++)
		store_relaxed(&g->where[i], VGIC_NOBODY << 8);
}

void axvmi_vgic_init(struct vgic *g, uint32_t vcpus, const uint32_t *watched)
{
	AXVMI_ASSERT(vcpus != 0 && vcpus <= VGIC_MAX_VCPUS);
	g->vcpus = vcpus;
	g->vtimer_lr = 0;
	g->watched = watched;
	axvmi_vgic_reset(g);
}
