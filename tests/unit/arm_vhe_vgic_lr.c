/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * List registers that are too few, maintenance interrupts, EOI modes: vgic_lr.c
 * against IHI 0069, "Usage model for the List registers", with a CPU interface
 * that serves them.
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

#define MANY 24u
#define FIRST 100u

static int setup(void **state)
{
	(void)state;
	gic_make(1, 4, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gic_check();
	return 0;
}

/* MANY edge interrupts from FIRST on; priorities fall from 0xc0 by 8. */
static void many(bool pend)
{
	for (uint32_t i = 0; i < MANY; i++) {
		set_edge(0, FIRST + i, true);
		prepare(0, FIRST + i, 0xc0 - 8 * i);
		if (pend)
			axvmi_vgic_set_spi(&g, FIRST + i, false, true);
	}
	gic_settle();
}

static uint32_t held_in(uint64_t state)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < regs[0].lr_used; i++)
		count += (regs[0].lr[i] & CPUIF_STATE) == state;
	return count;
}

static bool is_held(uint32_t intid)
{
	for (uint32_t i = 0; i < regs[0].lr_used; i++) {
		if ((regs[0].lr[i] & LR_VINTID) == intid)
			return true;
	}
	return false;
}

/* ---- too many pending ---- */

static void the_best_are_in_the_list_registers(void **s)
{
	(void)s;
	many(true);
	assert_int_equal(regs[0].lr_used, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_true(is_held(FIRST + MANY - 1 - i));
	assert_true((regs[0].hcr & ICH_HCR_NPIE) != 0);
	assert_false(cpuif_maintenance(&regs[0]));
}

static void all_come_in_the_order_of_priority(void **s)
{
	(void)s;
	many(true);
	for (uint32_t i = MANY; i-- > 0;) {
		assert_int_equal(ack(0), FIRST + i);
		eoi(0, FIRST + i);
	}
	assert_int_equal(ack(0), CPUIF_NONE);
	assert_int_equal(regs[0].hcr, ICH_HCR_EN);
}

static void a_better_one_that_comes_late_is_next(void **s)
{
	(void)s;
	many(true);
	prepare(0, 500, 0);
	input(0, 500, true, false);
	assert_int_equal(ack(0), 500);
	/* A left out one may become the best, too. */
	set_priority(0, FIRST, 0);
	input(0, 500, false, false);
	eoi(0, 500);
	assert_int_equal(ack(0), FIRST);
	eoi(0, FIRST);
	assert_int_equal(ack(0), FIRST + MANY - 1);
}

static void among_equals_the_lowest_number_is_first(void **s)
{
	(void)s;
	for (uint32_t i = 0; i < MANY; i++) {
		prepare(0, FIRST + i, 0x50);
		bank_set(0, FIRST + i, GICD_ISPENDR, vgic_bit(FIRST + i));
	}
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(ack(0), FIRST + i);
		eoi(0, FIRST + i);
	}
}

static void everything_pending_at_once_is_served(void **s)
{
	uint32_t served = 0, intid;

	(void)s;
	gicd_set(GICD_CTLR, 4, 3);
	for (uint32_t i = 0; i < 1024; i += 32) {
		bank_set(0, i, GICD_ISENABLER, UINT32_MAX);
		bank_set(0, i, GICD_ISPENDR, UINT32_MAX);
	}
	for (intid = ack(0); intid != CPUIF_NONE; intid = ack(0)) {
		assert_int_equal(intid, served);
		eoi(0, intid);
		served++;
	}
	assert_int_equal(served, VGIC_INTIDS);
}

/* ---- too many active ---- */

/* Nested: each one preempts the one before. */
static void nest(uint32_t count)
{
	many(false);
	for (uint32_t i = 0; i < count; i++) {
		input(0, FIRST + i, false, true);
		assert_int_equal(ack(0), FIRST + i);
	}
}

static void nested_interrupts_end_in_order_though_few_are_held(void **s)
{
	(void)s;
	nest(MANY);
	assert_int_equal(held_in(LR_ACTIVE), 4);
	assert_true((regs[0].hcr & ICH_HCR_LRENPIE) != 0);
	for (uint32_t i = MANY; i-- > 0;) {
		assert_true(bank_bit(0, FIRST + i, GICD_ISACTIVER));
		eoi(0, FIRST + i);
		assert_false(bank_bit(0, FIRST + i, GICD_ISACTIVER));
	}
	assert_int_equal(held_in(LR_ACTIVE), 0);
	assert_int_equal(regs[0].hcr, ICH_HCR_EN);
}

/* The EOI of one that has no list register makes it pend again if it must. */
static void a_level_that_has_no_list_register_pends_again(void **s)
{
	(void)s;
	many(false);
	set_edge(0, FIRST, false);
	input(0, FIRST, true, false);
	assert_int_equal(ack(0), FIRST);
	for (uint32_t i = 1; i < 8; i++) {
		input(0, FIRST + i, false, true);
		assert_int_equal(ack(0), FIRST + i);
	}
	assert_false(is_held(FIRST));
	for (uint32_t i = 8; i-- > 0;)
		eoi(0, FIRST + i);
	assert_int_equal(ack(0), FIRST);
	input(0, FIRST, false, false);
	eoi(0, FIRST);
	assert_int_equal(ack(0), CPUIF_NONE);
}

static void there_is_a_place_for_what_preempts(void **s)
{
	(void)s;
	nest(6);
	assert_int_equal(held_in(LR_ACTIVE), 4);
	input(0, FIRST + 9, false, true);
	assert_int_equal(held_in(LR_PENDING), 1);
	assert_int_equal(held_in(LR_ACTIVE), 3);
	assert_int_equal(ack(0), FIRST + 9);
	assert_int_equal(held_in(LR_ACTIVE), 4);
	assert_false(is_held(FIRST + 2));
}

static void one_list_register_is_enough(void **s)
{
	(void)s;
	gic_make(1, 1, NULL);
	many(true);
	for (uint32_t i = MANY; i-- > 0;) {
		assert_int_equal(ack(0), FIRST + i);
		input(0, FIRST + i, false, true);
		eoi(0, FIRST + i);
		assert_int_equal(ack(0), FIRST + i);
		eoi(0, FIRST + i);
	}
	assert_int_equal(ack(0), CPUIF_NONE);
	nest(MANY);
	for (uint32_t i = MANY; i-- > 0;)
		eoi(0, FIRST + i);
	for (uint32_t i = 0; i < MANY; i++)
		assert_false(bank_bit(0, FIRST + i, GICD_ISACTIVER));
}

/* More EOIs than there is anything to end. */
static void eois_of_nothing_end_nothing(void **s)
{
	(void)s;
	nest(5);
	for (uint32_t i = 0; i < 40; i++)
		eoi(0, 900);
	regs[0].hcr |= 0xf8000000;
	gic_fold(0);
	gic_fill(0);
	for (uint32_t i = 0; i < 4; i++)
		assert_true(bank_bit(0, FIRST + 1 + i, GICD_ISACTIVER));
}

/* ---- groups ---- */

static void interrupts_of_a_closed_group_do_not_block_others(void **s)
{
	(void)s;
	regs[0].vmcr &= ~ICH_VMCR_ENG0;
	many(true);
	/* The five best are of Group 0, which the guest has not enabled. */
	for (uint32_t i = MANY - 5; i < MANY; i++) {
		uint32_t old = bank(0, FIRST + i, GICD_IGROUPR);

		bank_set(0, FIRST + i, GICD_IGROUPR,
			 old & ~vgic_bit(FIRST + i));
	}
	assert_int_equal(ack(0), FIRST + MANY - 6);
	assert_true((regs[0].hcr & ICH_HCR_GRP0EIE) != 0);
	eoi(0, FIRST + MANY - 6);
	/* It does: the maintenance interrupt brings them. */
	regs[0].vmcr |= ICH_VMCR_ENG0;
	gic_settle();
	assert_int_equal(ack(0), FIRST + MANY - 1);
	eoi(0, FIRST + MANY - 1);
	/* And takes them away. */
	assert_true((regs[0].hcr & ICH_HCR_GRP0DIE) != 0);
	regs[0].vmcr &= ~ICH_VMCR_ENG0;
	gic_settle();
	assert_int_equal(ack(0), FIRST + MANY - 7);
}

static void the_same_holds_for_group_1(void **s)
{
	(void)s;
	many(true);
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t old = bank(0, FIRST + i, GICD_IGROUPR);

		bank_set(0, FIRST + i, GICD_IGROUPR,
			 old & ~vgic_bit(FIRST + i));
	}
	assert_true((regs[0].hcr & ICH_HCR_GRP1DIE) != 0);
	regs[0].vmcr &= ~ICH_VMCR_ENG1;
	gic_settle();
	assert_true((regs[0].hcr & ICH_HCR_GRP1EIE) != 0);
	assert_int_equal(ack(0), FIRST + 7);
	eoi(0, FIRST + 7);
	regs[0].vmcr |= ICH_VMCR_ENG1;
	gic_settle();
	assert_int_equal(ack(0), FIRST + MANY - 1);
}

/* Nobody gains room when it closes; the other one says so when it opens. */
static void the_last_open_group_may_close_unheard(void **s)
{
	(void)s;
	regs[0].vmcr &= ~ICH_VMCR_ENG0;
	many(true);
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t old = bank(0, FIRST + i, GICD_IGROUPR);

		bank_set(0, FIRST + i, GICD_IGROUPR,
			 old & ~vgic_bit(FIRST + i));
	}
	assert_int_equal(regs[0].hcr & (ICH_HCR_GRP0DIE | ICH_HCR_GRP1DIE), 0);
	regs[0].vmcr &= ~ICH_VMCR_ENG1;
	gic_settle();
	assert_int_equal(ack(0), CPUIF_NONE);
	regs[0].vmcr |= ICH_VMCR_ENG0;
	gic_settle();
	assert_int_equal(ack(0), FIRST + 7);
	eoi(0, FIRST + 7);
	regs[0].vmcr |= ICH_VMCR_ENG1;
	gic_settle();
	assert_int_equal(ack(0), FIRST + MANY - 1);
}

static void a_sleeper_with_too_many_active_is_left_in_peace(void **s)
{
	(void)s;
	nest(6);
	for (uint32_t i = 6; i < 12; i++)
		axvmi_vgic_set_spi(&g, FIRST + i, false, true);
	gic_fold(0);
	gicr_set(GICR_WAKER, 4, GICR_WAKER_SLEEP);
	assert_int_equal(held_in(LR_PENDING), 0);
	assert_int_equal(regs[0].hcr & (ICH_HCR_NPIE | ICH_HCR_GRP0EIE |
					ICH_HCR_GRP1EIE),
			 0);
	gicr_set(GICR_WAKER, 4, 0);
	assert_int_equal(ack(0), FIRST + 11);
}

/* ---- end of interrupt ---- */

static void a_level_pends_again_if_nobody_lowers_it(void **s)
{
	(void)s;
	prepare(0, 40, 0x80);
	input(0, 40, true, false);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ack(0), 40);
		assert_int_equal(ack(0), CPUIF_NONE);
		assert_true(bank_bit(0, 40, GICD_ISPENDR));
		eoi(0, 40);
	}
	assert_int_equal(ack(0), 40);
	input(0, 40, false, false);
	eoi(0, 40);
	assert_int_equal(ack(0), CPUIF_NONE);
}

/* No maintenance interrupt for what is over at its EOI. */
static void an_eoi_is_heard_of_only_where_it_matters(void **s)
{
	(void)s;
	prepare(0, 40, 0x80);
	input(0, 40, true, false);
	assert_true((regs[0].lr[0] & LR_EOI) != 0);
	assert_int_equal(ack(0), 40);
	input(0, 40, false, false);
	assert_int_equal(regs[0].lr_used, 1);
	assert_true((regs[0].lr[0] & LR_EOI) == 0);
	eoi(0, 40);
	set_edge(0, 40, true);
	input(0, 40, false, true);
	assert_true((regs[0].lr[0] & LR_EOI) == 0);
}

static void deactivate_apart(void)
{
	gic_make(1, 4, NULL);
	regs[0].vmcr |= ICH_VMCR_EOIM;
	many(true);
	/* Priority drop lets the next one in; all stay active. */
	for (uint32_t i = MANY; i-- > 0;) {
		assert_int_equal(ack(0), FIRST + i);
		eoi(0, FIRST + i);
		assert_true(bank_bit(0, FIRST + i, GICD_ISACTIVER));
	}
	assert_int_equal(ack(0), CPUIF_NONE);
	/* In an order of the guest's own, without list registers for most. */
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t intid = FIRST + i * 7 % MANY;

		assert_true(bank_bit(0, intid, GICD_ISACTIVER));
		dir(0, intid);
		assert_false(bank_bit(0, intid, GICD_ISACTIVER));
	}
	assert_int_equal(regs[0].lr_used, 0);
	assert_int_equal(regs[0].hcr, ICH_HCR_EN);
}

static void with_eoi_mode_1_deactivation_is_apart(void **s)
{
	(void)s;
	deactivate_apart();
	cpuif_counts_drops = true;
	deactivate_apart();
	cpuif_counts_drops = false;
}

static void any_vcpu_deactivates_an_spi(void **s)
{
	(void)s;
	gic_make(2, 4, NULL);
	for (uint32_t c = 0; c < 2; c++)
		regs[c].vmcr |= ICH_VMCR_EOIM;
	prepare(0, 40, 0x80);
	input(0, 40, true, false);
	assert_int_equal(ack(0), 40);
	eoi(0, 40);
	assert_int_equal(ack(0), CPUIF_NONE);
	input(0, 40, false, false);
	dir(1, 40);
	assert_false(bank_bit(0, 40, GICD_ISACTIVER));
	input(0, 40, true, false);
	assert_int_equal(ack(0), 40);
	/* Its own private ones alone. */
	prepare(0, 20, 0x40);
	input(0, 20, true, false);
	assert_int_equal(ack(0), 20);
	dir(1, 20);
	assert_true(bank_bit(0, 20, GICD_ISACTIVER));
	dir(0, 20);
	assert_false(bank_bit(0, 20, GICD_ISACTIVER));
	/* What is not active, nobody deactivates. */
	dir(0, 21);
	dir(0, 1020);
	dir(0, UINT32_MAX);
}

/* ---- changes to what is in a list register of somebody else ---- */

static void another_vcpu(void)
{
	gic_make(2, 4, NULL);
	gicd_set(GICD_IROUTER + 8 * 40, 8, 1);
	set_edge(0, 40, true);
	prepare(0, 40, 0x80);
	input(0, 40, false, true);
	assert_int_equal(g.cpu[1].held_count, 1);
}

static void writes_wait_for_whoever_holds_the_interrupt(void **s)
{
	static const struct {
		uint64_t base;
		bool waits;
	} writes[] = {
		{GICD_ICENABLER, true},	 {GICD_ICPENDR, true},
		{GICD_ISACTIVER, true},	 {GICD_ICACTIVER, true},
		{GICD_ISENABLER, false}, {GICD_ISPENDR, false},
		{GICD_IGROUPR, false},
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
		another_vcpu();
		axvmi_vgicd_write(&g, WORD(writes[i].base, 40), 4,
				  vgic_bit(41));
		assert_int_equal(g.awaited, 0);
		axvmi_vgicd_write(&g, WORD(writes[i].base, 40), 4,
				  vgic_bit(40));
		assert_int_equal(g.awaited, writes[i].waits ? 2 : 0);
		gic_settle();
	}
	another_vcpu();
	axvmi_vgicd_write(&g, GICD_CTLR, 4, 1);
	assert_int_equal(g.awaited, 2);
	gic_settle();
	assert_int_equal(ack(1), CPUIF_NONE);
}

static void reads_of_states_wait_too(void **s)
{
	(void)s;
	another_vcpu();
	assert_int_equal(axvmi_vgicd_awaits(&g, WORD(GICD_ISPENDR, 40)), 2);
	assert_int_equal(axvmi_vgicd_awaits(&g, WORD(GICD_ICACTIVER, 40)), 2);
	assert_int_equal(axvmi_vgicd_awaits(&g, WORD(GICD_ISACTIVER, 64)), 0);
	assert_int_equal(axvmi_vgicd_awaits(&g, WORD(GICD_ISENABLER, 40)), 0);
	assert_int_equal(axvmi_vgicd_awaits(&g, GICD_ISACTIVER), 0);
	prepare(1, 20, 0x80);
	input(1, 20, true, false);
	assert_int_equal(axvmi_vgicr_awaits(&g, SGI_FRAME(1) + GICD_ISPENDR),
			 2);
	assert_int_equal(axvmi_vgicr_awaits(&g, SGI_FRAME(0) + GICD_ISPENDR),
			 0);
	assert_int_equal(axvmi_vgicr_awaits(&g, GICR_STRIDE + GICD_ISPENDR), 0);
}

/* The write counts after what the guest had done before it was called out. */
static void a_cleared_active_state_is_gone_though_it_was_taken(void **s)
{
	(void)s;
	another_vcpu();
	assert_int_equal(cpuif_acknowledge(&regs[1]), 40);
	axvmi_vgicd_write(&g, WORD(GICD_ICACTIVER, 40), 4, vgic_bit(40));
	gic_settle();
	assert_false(bank_bit(0, 40, GICD_ISACTIVER));
	another_vcpu();
	axvmi_vgicd_write(&g, WORD(GICD_ISACTIVER, 40), 4, vgic_bit(40));
	gic_settle();
	assert_true(bank_bit(0, 40, GICD_ISACTIVER));
	assert_true(bank_bit(0, 40, GICD_ISPENDR));
	/* The last of two wins. */
	another_vcpu();
	axvmi_vgicd_write(&g, WORD(GICD_ICACTIVER, 40), 4, vgic_bit(40));
	axvmi_vgicd_write(&g, WORD(GICD_ISACTIVER, 40), 4, vgic_bit(40));
	gic_settle();
	assert_true(bank_bit(0, 40, GICD_ISACTIVER));
	another_vcpu();
	axvmi_vgicd_write(&g, WORD(GICD_ISACTIVER, 40), 4, vgic_bit(40));
	axvmi_vgicd_write(&g, WORD(GICD_ICACTIVER, 40), 4, vgic_bit(40));
	axvmi_vgicd_write(&g, WORD(GICD_ICPENDR, 40), 4, vgic_bit(40));
	axvmi_vgicd_write(&g, WORD(GICD_ISPENDR, 40), 4, vgic_bit(40));
	gic_settle();
	assert_false(bank_bit(0, 40, GICD_ISACTIVER));
	assert_int_equal(ack(1), 40);
}

static void a_cleared_edge_is_gone_though_it_was_lent(void **s)
{
	(void)s;
	another_vcpu();
	bank_set(0, 40, GICD_ICPENDR, vgic_bit(40));
	assert_int_equal(ack(1), CPUIF_NONE);
	assert_false(bank_bit(0, 40, GICD_ISPENDR));
}

/* ---- ends that somebody wants to know ---- */

static const uint32_t watched[VGIC_WORDS] = {0, 1u << 8, 1u << 4};

static uint32_t ended(void)
{
	uint32_t intid = axvmi_vgic_take_ended(&g);

	assert_int_equal(axvmi_vgic_take_ended(&g), 0);
	return intid;
}

static void ends_of_watched_interrupts_are_told_once(void **s)
{
	(void)s;
	gic_make(1, 4, watched);
	prepare(0, 40, 0x80);
	prepare(0, 41, 0x40);
	for (int i = 0; i < 3; i++) {
		axvmi_vgic_set_spi(&g, 41, false, true);
		input(0, 40, false, true);
		assert_int_equal(ack(0), 41);
		eoi(0, 41);
		assert_int_equal(ack(0), 40);
		assert_int_equal(ended(), 0);
		eoi(0, 40);
		assert_int_equal(ended(), 40);
	}
	bank_set(0, 40, GICD_ICACTIVER, vgic_bit(40));
	assert_int_equal(ended(), 0);
}

/* Its source waits for an end, and there will be no other. */
static void a_watched_interrupt_that_pends_no_more_has_ended(void **s)
{
	(void)s;
	gic_make(1, 4, watched);
	/* Not in a list register: disabled. */
	axvmi_vgic_set_spi(&g, 40, false, true);
	bank_set(0, 40, GICD_ICPENDR, vgic_bit(40));
	assert_int_equal(ended(), 40);
	bank_set(0, 40, GICD_ICPENDR, vgic_bit(40));
	assert_int_equal(ended(), 0);
	/* In one. */
	prepare(0, 40, 0x80);
	input(0, 40, false, true);
	bank_set(0, 40, GICD_ICPENDR, vgic_bit(40));
	gic_fold(0);
	gic_fill(0);
	assert_int_equal(ended(), 40);
	assert_int_equal(ack(0), CPUIF_NONE);
	/* While it is active its EOI is the end. */
	input(0, 40, false, true);
	assert_int_equal(ack(0), 40);
	input(0, 40, false, true);
	bank_set(0, 40, GICD_ICPENDR, vgic_bit(40));
	gic_fold(0);
	gic_fill(0);
	assert_int_equal(ended(), 0);
	eoi(0, 40);
	assert_int_equal(ended(), 40);
}

static void a_deactivation_is_an_end_as_well(void **s)
{
	(void)s;
	gic_make(1, 4, watched);
	prepare(0, 40, 0x80);
	prepare(0, 68, 0x40);
	input(0, 40, false, true);
	assert_int_equal(ack(0), 40);
	bank_set(0, 40, GICD_ICACTIVER, vgic_bit(40));
	assert_int_equal(ended(), 40);
	eoi(0, 40);
	assert_int_equal(ended(), 0);
	/* Active and pending again: the first one has ended. */
	input(0, 68, false, true);
	assert_int_equal(ack(0), 68);
	input(0, 68, false, true);
	eoi(0, 68);
	gic_fold(0);
	gic_fill(0);
	assert_int_equal(ended(), 68);
	assert_int_equal(ack(0), 68);
	eoi(0, 68);
	assert_int_equal(ended(), 68);
}

static void the_end_of_one_without_a_list_register_is_told(void **s)
{
	static const uint32_t first[VGIC_WORDS] = {0, 0, 0, 1u << 4};

	(void)s;
	gic_make(1, 4, first);
	nest(8);
	assert_false(is_held(FIRST));
	for (uint32_t i = 8; i-- > 1;)
		eoi(0, FIRST + i);
	assert_int_equal(ended(), 0);
	eoi(0, FIRST);
	assert_int_equal(ended(), FIRST);
}

/* ---- what no CPU does ---- */

static void list_registers_full_of_nonsense_break_nothing(void **s)
{
	static const uint64_t nonsense[] = {
		0,
		UINT64_MAX,
		LR_PENDING | 1023,
		LR_ACTIVE,
		LR_ACTIVE | 0xffffffff,
		BIT64(61),
		LR_PENDING | LR_ACTIVE | 4095,
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
		gic_make(1, 4, NULL);
		many(true);
		for (uint32_t k = 0; k < VGIC_MAX_LRS; k++)
			regs[0].lr[k] = nonsense[i];
		regs[0].hcr = UINT32_MAX;
		regs[0].lr_used = UINT32_MAX;
		gic_fold(0);
		gic_check();
		gic_fill(0);
		gic_check();
	}
}

static void sync_without_flush_changes_nothing(void **s)
{
	static struct vgic before;

	(void)s;
	many(true);
	gic_fold(0);
	memcpy((void *)&before, (void *)&g, sizeof(g));
	for (uint32_t k = 0; k < VGIC_MAX_LRS; k++)
		regs[0].lr[k] = UINT64_MAX;
	gic_fold(0);
	assert_memory_equal(&before, &g, sizeof(g));
	gic_fill(0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_best_are_in_the_list_registers),
		CASE(all_come_in_the_order_of_priority),
		CASE(a_better_one_that_comes_late_is_next),
		CASE(among_equals_the_lowest_number_is_first),
		CASE(everything_pending_at_once_is_served),
		CASE(nested_interrupts_end_in_order_though_few_are_held),
		CASE(a_level_that_has_no_list_register_pends_again),
		CASE(there_is_a_place_for_what_preempts),
		CASE(one_list_register_is_enough),
		CASE(eois_of_nothing_end_nothing),
		CASE(interrupts_of_a_closed_group_do_not_block_others),
		CASE(the_same_holds_for_group_1),
		CASE(the_last_open_group_may_close_unheard),
		CASE(a_sleeper_with_too_many_active_is_left_in_peace),
		CASE(a_level_pends_again_if_nobody_lowers_it),
		CASE(an_eoi_is_heard_of_only_where_it_matters),
		CASE(with_eoi_mode_1_deactivation_is_apart),
		CASE(any_vcpu_deactivates_an_spi),
		CASE(writes_wait_for_whoever_holds_the_interrupt),
		CASE(reads_of_states_wait_too),
		CASE(a_cleared_active_state_is_gone_though_it_was_taken),
		CASE(a_cleared_edge_is_gone_though_it_was_lent),
		CASE(ends_of_watched_interrupts_are_told_once),
		CASE(a_watched_interrupt_that_pends_no_more_has_ended),
		CASE(a_deactivation_is_an_end_as_well),
		CASE(the_end_of_one_without_a_list_register_is_told),
		CASE(list_registers_full_of_nonsense_break_nothing),
		CASE(sync_without_flush_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
