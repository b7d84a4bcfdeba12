/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * One interrupt of the GIC model through all its states, against a reference
 * written from IHI 0069, "Interrupt handling state machine" and "Interrupt
 * prioritization"; the list registers are served by cpuif.h.
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

/* All the inputs of the state machine. */
struct point {
	uint32_t intid;
	bool enable, group1, edge, line, latch, active;
	uint32_t ctlr; /* group enables of the distributor */
	uint32_t interface; /* of the CPU interface */
	uint32_t priority, mask;
	uint32_t running; /* below 0x100: the guest has taken something */
};

/* ---- the reference ---- */

static bool ref_pending(const struct point *p)
{
	return p->latch || (!p->edge && p->line);
}

static bool ref_forwarded(const struct point *p)
{
	return ref_pending(p) && p->enable && (p->ctlr >> p->group1 & 1) != 0;
}

static bool ref_signalled(const struct point *p)
{
	return ref_forwarded(p) && !p->active &&
	       (p->interface >> p->group1 & 1) != 0 &&
	       (p->priority & 0xf8) < p->mask &&
	       (p->priority & 0xf8) < p->running;
}

/* ---- building a point ---- */

/* The registers first, then pending and active: whatever came before. */
static void build(const struct point *p)
{
	uint32_t m = vgic_bit(p->intid);

	gic_make(1, 4, NULL);
	regs[0].vmcr =
		(regs[0].vmcr & ~0xff000003u) | p->mask << 24 | p->interface;
	vgic_note_vmcr(&g, 0, regs[0].vmcr);
	gicd_set(GICD_CTLR, 4, p->ctlr);
	set_priority(0, p->intid, p->priority);
	set_edge(0, p->intid, p->edge);
	bank_set(0, p->intid, GICD_IGROUPR, p->group1 ? m : 0);
	bank_set(0, p->intid, p->enable ? GICD_ISENABLER : GICD_ICENABLER, m);
	input(0, p->intid, p->line, false);
	/* Of an edge interrupt the rise has latched. */
	bank_set(0, p->intid, p->latch ? GICD_ISPENDR : GICD_ICPENDR, m);
	bank_set(0, p->intid, p->active ? GICD_ISACTIVER : GICD_ICACTIVER, m);
}

static void check_registers(const struct point *p)
{
	assert_int_equal(bank_bit(0, p->intid, GICD_ISENABLER), p->enable);
	assert_int_equal(bank_bit(0, p->intid, GICD_IGROUPR), p->group1);
	assert_int_equal(bank_bit(0, p->intid, GICD_ISPENDR), ref_pending(p));
	assert_int_equal(bank_bit(0, p->intid, GICD_ICPENDR), ref_pending(p));
	assert_int_equal(bank_bit(0, p->intid, GICD_ISACTIVER), p->active);
	assert_int_equal(bank_bit(0, p->intid, GICD_ICACTIVER), p->active);
}

/* The one list register says what the reference does. */
static void check_lr(const struct point *p)
{
	uint64_t lr = regs[0].lr[0];

	if (!p->active && !ref_forwarded(p)) {
		assert_int_equal(regs[0].lr_used, 0);
		return;
	}
	assert_int_equal(regs[0].lr_used, 1);
	assert_int_equal(lr & LR_VINTID, p->intid);
	assert_int_equal(FIELD_GET(LR_PRIORITY, lr), p->priority & 0xf8);
	assert_int_equal((lr & LR_GROUP1) != 0, p->group1);
	assert_int_equal((lr & LR_ACTIVE) != 0, p->active);
	assert_int_equal((lr & LR_PENDING) != 0, ref_forwarded(p));
	/* Not HW, not NMI. */
	assert_int_equal(lr & (BIT64(61) | BIT64(59)), 0);
}

static void check(const struct point *p)
{
	check_registers(p);
	check_lr(p);
	assert_int_equal(cpuif_signalled(&regs[0]) >= 0, ref_signalled(p));
	gic_fold(0);
	assert_int_equal(axvmi_vgic_pending(&g, 0, &regs[0]), ref_signalled(p));
	gic_fill(0);
	check_lr(p);
}

/* ---- what may happen at a point ---- */

enum event {
	ACKNOWLEDGE = 0,
	END,
	LINE_UP,
	LINE_DOWN,
	EDGE,
	SET_PENDING,
	CLEAR_PENDING,
	SET_ACTIVE,
	CLEAR_ACTIVE,
	TOGGLE_ENABLE,
	TOGGLE_GROUP,
	TOGGLE_CONTROL,
	OTHER_PRIORITY,
	EVENTS,
};

static void ref_line(struct point *p, bool level, bool edge)
{
	p->latch |= edge || (p->edge && level && !p->line);
	p->line = level;
}

/* Acknowledged or ended by the guest, if it can be. */
static void ref_interface(struct point *p, enum event e)
{
	if (e == ACKNOWLEDGE && ref_signalled(p)) {
		p->active = true;
		p->latch = false;
		p->running = p->priority & 0xf8;
	} else if (e == END) {
		p->active = false;
		p->running = 0x100;
	}
}

static void ref_step(struct point *p, enum event e)
{
	switch (e) {
	case LINE_UP:
	case LINE_DOWN:
	case EDGE:
		ref_line(p, e == EDGE ? p->line : e == LINE_UP, e == EDGE);
		break;
	case SET_PENDING:
	case CLEAR_PENDING:
		p->latch = e == SET_PENDING;
		break;
	case SET_ACTIVE:
	case CLEAR_ACTIVE:
		p->active = e == SET_ACTIVE;
		break;
	case TOGGLE_ENABLE:
		p->enable = !p->enable;
		break;
	case TOGGLE_GROUP:
		p->group1 = !p->group1;
		break;
	case TOGGLE_CONTROL:
		p->ctlr ^= 3;
		break;
	case OTHER_PRIORITY:
		p->priority ^= 0xa8;
		break;
	case ACKNOWLEDGE:
	case END:
	case EVENTS:
	default:
		ref_interface(p, e);
		break;
	}
}

/* The guest's own steps; `before` says whether there is anything to take. */
static void take_step(const struct point *before, enum event e)
{
	if (e == ACKNOWLEDGE)
		assert_int_equal(ack(0), ref_signalled(before) ? before->intid
							       : CPUIF_NONE);
	else
		eoi(0, before->intid);
}

static void real_step(const struct point *before, enum event e)
{
	uint32_t intid = before->intid;
	uint32_t m = vgic_bit(intid);

	switch (e) {
	case LINE_UP:
	case LINE_DOWN:
	case EDGE:
		input(0, intid, e == EDGE ? before->line : e == LINE_UP,
		      e == EDGE);
		break;
	case SET_PENDING:
		bank_set(0, intid, GICD_ISPENDR, m);
		break;
	case CLEAR_PENDING:
		bank_set(0, intid, GICD_ICPENDR, m);
		break;
	case SET_ACTIVE:
		bank_set(0, intid, GICD_ISACTIVER, m);
		break;
	case CLEAR_ACTIVE:
		bank_set(0, intid, GICD_ICACTIVER, m);
		break;
	case TOGGLE_ENABLE:
		bank_set(0, intid,
			 before->enable ? GICD_ICENABLER : GICD_ISENABLER, m);
		break;
	case TOGGLE_GROUP:
		bank_set(0, intid, GICD_IGROUPR, before->group1 ? 0 : m);
		break;
	case TOGGLE_CONTROL:
		gicd_set(GICD_CTLR, 4, before->ctlr ^ 3);
		break;
	case OTHER_PRIORITY:
		set_priority(0, intid, before->priority ^ 0xa8);
		break;
	case ACKNOWLEDGE:
	case END:
	case EVENTS:
	default:
		take_step(before, e);
		break;
	}
}

/* ---- exhaustively ---- */

static const uint32_t priorities[] = {0x00, 0x47, 0x80, 0xff};
static const uint32_t masks[] = {0x00, 0x48, 0x80, 0xf8};

/* Point n of all there are of one INTID, or false. */
static bool point(uint32_t n, uint32_t intid, struct point *p)
{
	p->intid = intid;
	p->running = 0x100;
	p->enable = n & 1;
	p->group1 = n >> 1 & 1;
	p->edge = n >> 2 & 1;
	p->line = n >> 3 & 1;
	p->latch = n >> 4 & 1;
	p->active = n >> 5 & 1;
	p->ctlr = n >> 6 & 3;
	p->interface = n >> 8 & 3;
	p->priority = priorities[n >> 10 & 3];
	p->mask = masks[n >> 12 & 3];
	return n < 1u << 14;
}

/* A PPI and SPIs at both ends. */
static const uint32_t intids[] = {31, 32, 1019};

static void every_state_reads_back_and_signals_as_it_should(void **s)
{
	struct point p;

	(void)s;
	for (uint32_t i = 0; i < ARRAY_SIZE(intids); i++) {
		for (uint32_t n = 0; point(n, intids[i], &p); n++) {
			build(&p);
			check(&p);
		}
	}
}

/* The guest can end only what it has taken. */
static bool possible(const struct point *p, enum event e)
{
	return e != END || (p->active && p->running < 0x100);
}

static void every_event_in_every_state(void **s)
{
	struct point p, q;

	(void)s;
	for (uint32_t n = 0; n < 1u << 12; n++) {
		/* A priority that passes the mask, and one that does not. */
		point((n & 0x3ff) | (1u + (n >> 10 & 1)) << 10 | 1u << 12,
		      n >> 11 != 0 ? 16 : 63, &p);
		for (int e = 0; e < EVENTS; e++) {
			build(&p);
			if (!possible(&p, (enum event)e))
				continue;
			q = p;
			ref_step(&q, (enum event)e);
			real_step(&p, (enum event)e);
			check(&q);
		}
		gic_check();
	}
}

/*
 * The second and third come while the model does not know what the first one has
 * done to the list register.
 */
static void every_three_events_from_every_state(void **s)
{
	struct point p, q;

	(void)s;
	for (uint32_t n = 0; n < 64; n++) {
		for (int e = 0; e < EVENTS * EVENTS * EVENTS; e++) {
			point(n | 3 << 6 | 3 << 8 | 2 << 10 | 3 << 12, 45, &p);
			build(&p);
			for (int k = e, i = 0; i < 3; k /= EVENTS, i++) {
				enum event event = (enum event)(k % EVENTS);

				if (!possible(&p, event))
					continue;
				q = p;
				ref_step(&q, event);
				real_step(&p, event);
				p = q;
			}
			check(&p);
		}
	}
}

/* ---- SGIs ---- */

static void an_sgi_is_pending_until_it_is_taken(void **s)
{
	(void)s;
	for (uint32_t n = 0; n < 1u << 5; n++) {
		struct point p = {
			.intid = 9,
			.enable = n & 1,
			.group1 = n >> 1 & 1,
			.edge = true,
			.active = n >> 2 & 1,
			.ctlr = n >> 3 & 3,
			.interface = 3,
			.priority = 0x40,
			.mask = 0xf0,
			.running = 0x100,
		};

		build(&p);
		axvmi_vgic_sgi(&g, 0, UINT64_C(9) << 24 | 1, true);
		gic_settle();
		p.latch = true;
		check(&p);
		real_step(&p, ACKNOWLEDGE);
		ref_step(&p, ACKNOWLEDGE);
		check(&p);
	}
}

/* ---- preemption, for irq_pending ---- */

static void pending_honours_the_running_priority_and_the_binary_point(void **s)
{
	(void)s;
	for (uint32_t n = 0; n < 32 * 32 * 8 * 2; n++) {
		uint32_t run = n & 31, mine = n >> 5 & 31, bpr = n >> 10 & 7;
		bool group1 = n >> 13 & 1;

		gic_make(1, 4, NULL);
		prepare(0, 50, mine << 3);
		if (!group1)
			bank_set(0, 50, GICD_IGROUPR, 0);
		regs[0].vmcr = (regs[0].vmcr & ~0x00fc0000u) | bpr << 21 |
			       (bpr == 0 ? 1 : bpr) << 18;
		if (n % 3 == 0)
			regs[0].vmcr |= ICH_VMCR_CBPR;
		regs[0].ap1r[0] = UINT32_C(1) << run;
		input(0, 50, true, false);
		gic_fold(0);
		assert_int_equal(axvmi_vgic_pending(&g, 0, &regs[0]),
				 cpuif_signalled(&regs[0]) >= 0);
		gic_fill(0);
	}
}

/* CPUs with 6 and 7 bits of preemption have more active priorities. */
static void the_running_priority_is_found_in_every_register(void **s)
{
	(void)s;
	for (uint32_t pre = 5; pre <= 7; pre++) {
		for (uint32_t n = 0; n < 1u << pre; n++) {
			gic_make(1, 4, NULL);
			prepare(0, 50, 0x80);
			input(0, 50, true, false);
			regs[0].pre_bits = pre;
			regs[0].ap0r[n / 32] = UINT32_C(1) << n % 32;
			gic_fold(0);
			assert_int_equal(axvmi_vgic_pending(&g, 0, &regs[0]),
					 n << (8 - pre) > 0x80);
		}
	}
}

static void pending_looks_at_the_best_of_the_enabled_groups(void **s)
{
	(void)s;
	gic_make(1, 4, NULL);
	prepare(0, 50, 0x10);
	prepare(0, 51, 0x20);
	bank_set(0, 50, GICD_IGROUPR, ~vgic_bit(50));
	input(0, 50, true, false);
	input(0, 51, true, false);
	gic_fold(0);
	regs[0].vmcr &= ~ICH_VMCR_ENG0;
	assert_true(axvmi_vgic_pending(&g, 0, &regs[0]));
	regs[0].vmcr = (regs[0].vmcr & 0xffffff) | 0x20u << 24;
	assert_false(axvmi_vgic_pending(&g, 0, &regs[0]));
	regs[0].vmcr |= ICH_VMCR_ENG0;
	assert_true(axvmi_vgic_pending(&g, 0, &regs[0]));
	regs[0].vmcr &= ~(ICH_VMCR_ENG0 | ICH_VMCR_ENG1);
	assert_false(axvmi_vgic_pending(&g, 0, &regs[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_state_reads_back_and_signals_as_it_should),
		cmocka_unit_test(every_event_in_every_state),
		cmocka_unit_test(every_three_events_from_every_state),
		cmocka_unit_test(an_sgi_is_pending_until_it_is_taken),
		cmocka_unit_test(
			pending_honours_the_running_priority_and_the_binary_point),
		cmocka_unit_test(
			the_running_priority_is_found_in_every_register),
		cmocka_unit_test(
			pending_looks_at_the_best_of_the_enabled_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
