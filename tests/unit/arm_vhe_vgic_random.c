/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Random histories of three vCPUs with two to four list registers each, against
 * a controller that has no list registers: every interrupt's state is one record,
 * written from IHI 0069. What a guest is given, and what registers read, must be
 * the same.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "arm_vhe_gic.h"

#define VCPUS 3u
#define SPIS 12u
#define PPIS 4u
#define DEPTH 64u
#define ROUNDS 240u
#define STEPS 3000u

/* Interrupts in play: PPIs and an SGI of each vCPU, SPIs. */
static const uint32_t privates[PPIS] = {3, 16, 27, 31};
static const uint32_t shared[SPIS] = {32,  33,	40,  63,  64,  95,
				      500, 501, 900, 991, 992, 1019};

struct irq {
	bool enable, group1, edge, line, latch, active;
	uint32_t priority;
	uint32_t target; /* SPIs; VGIC_NOBODY */
	uint32_t server; /* where it is active */
};

struct taken {
	uint32_t intid, priority;
};

static struct irq spis[1024], own[VCPUS][32];
static uint32_t ctlr;
static struct {
	uint32_t enables, mask, mode1;
	struct taken stack[DEPTH]; /* priorities not dropped yet */
	uint32_t depth;
	struct taken dropped[DEPTH]; /* EOI mode 1: to be deactivated */
	uint32_t drops;
} cpus[VCPUS];

static uint64_t state;

static uint32_t rnd(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) +
		UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % n;
}

static struct irq *irq(uint32_t vcpu, uint32_t intid)
{
	return intid < 32 ? &own[vcpu][intid] : &spis[intid];
}

/* ---- the reference ---- */

static bool ref_pending(const struct irq *q)
{
	return q->latch || (!q->edge && q->line);
}

/* Does the distributor give it to this vCPU now? */
static bool ref_deliverable(const struct irq *q)
{
	return ref_pending(q) && q->enable && !q->active &&
	       (ctlr >> q->group1 & 1) != 0;
}

static void ref_offer(uint32_t vcpu, uint32_t intid, uint32_t *best)
{
	const struct irq *q = irq(vcpu, intid);

	if (!ref_deliverable(q) || (cpus[vcpu].enables >> q->group1 & 1) == 0 ||
	    (intid >= 32 && q->target != vcpu))
		return;
	if (*best == CPUIF_NONE || q->priority < irq(vcpu, *best)->priority)
		*best = intid;
}

static uint32_t ref_signalled(uint32_t vcpu)
{
	uint32_t best = CPUIF_NONE;
	uint32_t running = 0x100, priority;

	for (uint32_t i = 0; i < PPIS; i++)
		ref_offer(vcpu, privates[i], &best);
	for (uint32_t i = 0; i < SPIS; i++)
		ref_offer(vcpu, shared[i], &best);
	if (best == CPUIF_NONE)
		return best;
	if (cpus[vcpu].depth != 0)
		running = cpus[vcpu].stack[cpus[vcpu].depth - 1].priority;
	priority = irq(vcpu, best)->priority;
	return priority < cpus[vcpu].mask && priority < running ? best
								: CPUIF_NONE;
}

static uint32_t ref_acknowledge(uint32_t vcpu)
{
	uint32_t intid = ref_signalled(vcpu);
	struct irq *q;

	if (intid == CPUIF_NONE)
		return intid;
	q = irq(vcpu, intid);
	q->latch = false;
	q->active = true;
	q->server = vcpu;
	cpus[vcpu].stack[cpus[vcpu].depth++] =
		(struct taken){intid, q->priority};
	return intid;
}

static void ref_input(struct irq *q, bool level, bool edge)
{
	q->latch |= edge || (q->edge && level && !q->line);
	q->line = level;
}

/* ---- steps of the world and of the guest, on both ---- */

static uint32_t any_intid(void)
{
	return rnd(3) == 0 ? privates[rnd(PPIS)] : shared[rnd(SPIS)];
}

static void step_input(uint32_t vcpu, uint32_t intid)
{
	struct irq *q = irq(vcpu, intid);
	bool edge = rnd(4) == 0;
	bool level = rnd(2) == 0;

	if (intid < 16) {
		if (rnd(2) == 0 || !gic_join(vcpu, intid, false))
			axvmi_vgic_sgi(&g, rnd(VCPUS),
				       (uint64_t)intid << 24 | 1u << vcpu,
				       true);
		gic_settle();
		q->latch = true;
		return;
	}
	if (intid >= VGIC_PRIVATE || !level || edge || rnd(2) == 0 ||
	    !gic_join(vcpu, intid, true))
		input(vcpu, intid, level, edge);
	ref_input(q, level, edge);
}

static void step_state(uint32_t vcpu, uint32_t intid)
{
	struct irq *q = irq(vcpu, intid);
	uint32_t m = vgic_bit(intid);

	switch (rnd(6)) {
	case 0:
	case 5:
		bank_set(vcpu, intid, GICD_ISENABLER, m);
		q->enable = true;
		break;
	case 1:
		bank_set(vcpu, intid, GICD_ICENABLER, m);
		q->enable = false;
		break;
	case 2:
		bank_set(vcpu, intid, GICD_ISPENDR, m);
		q->latch = true;
		break;
	case 3:
		bank_set(vcpu, intid, GICD_ICPENDR, m);
		q->latch = false;
		break;
	default:
		q->group1 = !q->group1;
		bank_set(vcpu, intid, GICD_IGROUPR,
			 bank(vcpu, intid, GICD_IGROUPR) ^ m);
		break;
	}
}

static void step_config(uint32_t vcpu, uint32_t intid)
{
	struct irq *q = irq(vcpu, intid);

	switch (rnd(4)) {
	case 0: /* of what is active a guest does not change it */
		if (q->active)
			break;
		q->priority = rnd(32) * 8;
		set_priority(vcpu, intid, q->priority + rnd(8));
		break;
	case 1:
		if (intid < 16)
			break;
		q->edge = rnd(2) == 0;
		set_edge(vcpu, intid, q->edge);
		/* The CPU's timer is a level. */
		q->edge &= intid != VGIC_VTIMER;
		break;
	case 2:
		if (intid < 32)
			break;
		q->target = rnd(VCPUS + 1);
		gicd_set(GICD_IROUTER + 8 * intid, 8, q->target);
		if (q->target == VCPUS)
			q->target = VGIC_NOBODY;
		break;
	default:
		if (rnd(8) != 0)
			break;
		ctlr = rnd(3) == 0 ? rnd(4) : 3;
		gicd_set(GICD_CTLR, 4, ctlr);
		break;
	}
}

static void step_interface(uint32_t vcpu)
{
	cpus[vcpu].enables = rnd(4) == 0 ? rnd(4) : 3;
	cpus[vcpu].mask = rnd(3) == 0 ? rnd(32) * 8 : 0xf8;
	regs[vcpu].vmcr = (regs[vcpu].vmcr & 0x00fffffc) |
			  cpus[vcpu].mask << 24 | cpus[vcpu].enables;
	gic_settle();
}

static void step_take(uint32_t vcpu)
{
	if (cpus[vcpu].depth == DEPTH || cpus[vcpu].drops == DEPTH)
		return;
	assert_int_equal(ack(vcpu), ref_acknowledge(vcpu));
}

/* A timer: the guest sees to it before it ends its interrupt. */
static void end_and_fall(uint32_t vcpu, uint32_t intid)
{
	cpuif_eoi(&regs[vcpu], intid);
	if (!gic_retire(vcpu, intid))
		axvmi_vgic_set_private(&g, vcpu, intid, false, false);
	ref_input(irq(vcpu, intid), false, false);
	gic_settle();
}

/* EOI of the latest; in mode 1 the interrupt stays active. */
static void step_end(uint32_t vcpu)
{
	struct taken t;

	if (cpus[vcpu].depth == 0)
		return;
	if (cpus[vcpu].mode1 && cpus[vcpu].drops == DEPTH)
		return;
	t = cpus[vcpu].stack[--cpus[vcpu].depth];
	if (t.intid >= VGIC_SGIS && t.intid < VGIC_PRIVATE && rnd(2) == 0)
		end_and_fall(vcpu, t.intid);
	else
		eoi(vcpu, t.intid);
	if (cpus[vcpu].mode1)
		cpus[vcpu].dropped[cpus[vcpu].drops++] = t;
	else
		irq(vcpu, t.intid)->active = false;
}

/* Any of those that wait, and an SPI from any vCPU. */
static void step_deactivate(uint32_t vcpu)
{
	uint32_t n, by = vcpu;
	struct taken t;

	if (cpus[vcpu].drops == 0)
		return;
	n = rnd(cpus[vcpu].drops);
	t = cpus[vcpu].dropped[n];
	cpus[vcpu].dropped[n] = cpus[vcpu].dropped[--cpus[vcpu].drops];
	if (t.intid >= 32)
		by = rnd(VCPUS);
	dir(by, t.intid);
	irq(vcpu, t.intid)->active = false;
}

static void step(void)
{
	uint32_t vcpu = rnd(VCPUS);
	uint32_t what = rnd(20);

	if (what < 6)
		step_input(vcpu, any_intid());
	else if (what < 8)
		step_state(vcpu, any_intid());
	else if (what < 10)
		step_config(vcpu, any_intid());
	else if (what == 10)
		step_interface(vcpu);
	else if (what < 15)
		step_take(vcpu);
	else if (what < 19)
		step_end(vcpu);
	else
		step_deactivate(vcpu);
}

/* ---- comparison ---- */

static void compare_irq(uint32_t vcpu, uint32_t intid)
{
	const struct irq *q = irq(vcpu, intid);

	assert_int_equal(bank_bit(vcpu, intid, GICD_ISPENDR), ref_pending(q));
	assert_int_equal(bank_bit(vcpu, intid, GICD_ISACTIVER), q->active);
	assert_int_equal(bank_bit(vcpu, intid, GICD_ISENABLER), q->enable);
	assert_int_equal(bank_bit(vcpu, intid, GICD_IGROUPR), q->group1);
}

static void compare_signals(void)
{
	for (uint32_t c = 0; c < VCPUS; c++) {
		int i = cpuif_signalled(&regs[c]);
		uint32_t intid = i < 0 ? CPUIF_NONE
				       : (uint32_t)(regs[c].lr[i] & LR_VINTID);

		assert_int_equal(intid, ref_signalled(c));
	}
}

/* Whoever asks before it goes idle is told the truth. */
static void compare_pending(uint32_t vcpu)
{
	gic_fold(vcpu);
	assert_int_equal(axvmi_vgic_pending(&g, vcpu, &regs[vcpu]),
			 ref_signalled(vcpu) != CPUIF_NONE);
	gic_fill(vcpu);
	gic_settle();
}

static void compare_all(void)
{
	for (uint32_t c = 0; c < VCPUS; c++) {
		compare_pending(c);
		for (uint32_t i = 0; i < PPIS; i++)
			compare_irq(c, privates[i]);
	}
	for (uint32_t i = 0; i < SPIS; i++)
		compare_irq(0, shared[i]);
	gic_check();
}

/* Most are enabled from the beginning. */
static void start(uint32_t vcpu, uint32_t intid)
{
	struct irq *q = irq(vcpu, intid);

	q->enable = rnd(8) != 0;
	q->priority = rnd(32) * 8;
	set_priority(vcpu, intid, q->priority);
	if (q->enable)
		bank_set(vcpu, intid, GICD_ISENABLER, vgic_bit(intid));
}

static void begin(uint32_t round)
{
	state = round;
	memset(spis, 0, sizeof(spis));
	memset(own, 0, sizeof(own));
	memset(cpus, 0, sizeof(cpus));
	gic_make(VCPUS, 2 + round % 3, NULL);
	cpuif_counts_drops = round % 2 != 0;
	ctlr = 3;
	gicd_set(GICD_CTLR, 4, ctlr);
	for (uint32_t c = 0; c < VCPUS; c++) {
		/* EOI mode 1 on some; it is the guest's alone. */
		cpus[c].mode1 = rnd(2);
		if (cpus[c].mode1)
			regs[c].vmcr |= ICH_VMCR_EOIM;
		cpus[c].enables = 3;
		cpus[c].mask = 0xf8;
		for (uint32_t i = 0; i < 32; i++) {
			own[c][i].group1 = true;
			own[c][i].edge = i < 16;
		}
	}
	for (uint32_t i = 32; i < 1024; i++)
		spis[i].group1 = true;
	for (uint32_t i = 0; i < VCPUS * PPIS; i++)
		start(i % VCPUS, privates[i / VCPUS]);
	for (uint32_t i = 0; i < SPIS; i++)
		start(0, shared[i]);
}

static void the_guest_sees_a_controller_without_list_registers(void **s)
{
	(void)s;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		begin(round);
		for (uint32_t n = 0; n < STEPS; n++) {
			step();
			compare_signals();
			if (n % 64 == 0)
				compare_all();
		}
		compare_all();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_guest_sees_a_controller_without_list_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
