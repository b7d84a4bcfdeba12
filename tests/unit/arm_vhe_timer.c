/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The virtual timer against a model of the CPU's: CTL, CVAL and a counter, with
 * ISTATUS and the line as the Arm ARM has them ("Timers", "Operation of the
 * CompareValue views").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend.h"
#include "regs.h"

static struct {
	struct axvm_host host;
	struct arm_vm vm;
	struct arm_vcpu v;
	uint64_t counter; /* as the guest reads it */
	uint64_t ctl, cval;
	uint64_t cntp_due;
	bool others; /* an interrupt of the host's own comes first */
	bool active; /* the physical interrupt */
	unsigned takes, folds;
	uint32_t again; /* list register where PPI 27 has ended */
	uint32_t written; /* the last one */
	bool retires; /* its list register is all that has to be emptied */
	unsigned retired;
	bool ends; /* the fold finds PPI 27 ended by the guest */
	bool ppi; /* level of PPI 27 in the vGIC */
	unsigned ppi_calls;
	unsigned ppi_rises;
} t;

static uint64_t read_el1(enum arm_el1 reg)
{
	bool met = t.counter >= t.cval;

	if (reg == ARM_EL1_CNTV_CVAL)
		return t.cval;
	assert_int_equal(reg, ARM_EL1_CNTV_CTL);
	return t.ctl |
	       ((t.ctl & CNT_CTL_ENABLE) != 0 && met ? CNT_CTL_ISTATUS : 0);
}

static void write_el1(enum arm_el1 reg, uint64_t value)
{
	assert_int_equal(reg, ARM_EL1_CNTV_CTL);
	t.ctl = value & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
}

/* The physical line of PPI 27. */
static bool line(void)
{
	return read_el1(ARM_EL1_CNTV_CTL) == (CNT_CTL_ENABLE | CNT_CTL_ISTATUS);
}

static bool take_vtimer(void *ctx)
{
	assert_ptr_equal(ctx, &t);
	t.takes++;
	if (t.others) {
		t.others = false;
		return false;
	}
	assert_true(line());
	assert_false(t.active);
	t.active = true;
	return true;
}

static void deactivate(uint32_t intid)
{
	assert_int_equal(intid, 26);
	assert_true(t.active);
	t.active = false;
}

static void lr_write(struct arm_vcpu *v, uint32_t n)
{
	(void)v;
	assert_true(t.active);
	t.written = n;
}

static const struct arm_metal metal = {
	.lr_write = lr_write,
	.deactivate = deactivate,
	.read_el1 = read_el1,
	.write_el1 = write_el1,
};

/* ---- stand-ins ---- */

void axvmi_arm_set_ppi(struct arm_vcpu *v, uint32_t intid, bool level)
{
	assert_ptr_equal(v, &t.v);
	assert_int_equal(intid, ARM_PPI_CNTV);
	t.ppi_rises += level && !t.ppi;
	t.ppi = level;
	t.ppi_calls++;
}

void axvmi_arm_gic_fold(struct arm_vcpu *v)
{
	t.folds++;
	if (t.ends)
		axvmi_arm_vtimer_done(v);
	t.ends = false;
}

uint32_t axvmi_arm_vtimer_again(struct arm_vcpu *v)
{
	assert_true(t.v.vtimer_held);
	(void)v;
	return t.again;
}

bool axvmi_arm_gic_retire(struct arm_vcpu *v, uint32_t intid, uint64_t ended)
{
	assert_ptr_equal(v, &t.v);
	assert_int_equal(intid, ARM_PPI_CNTV);
	assert_int_equal(ended, 4);
	t.retired += t.retires;
	t.ppi = t.ppi && !t.retires;
	return t.retires;
}

uint64_t axvmi_arm_cntp_due(const struct arm_vcpu *v)
{
	assert_ptr_equal(v, &t.v);
	return t.cntp_due;
}

static uint64_t counter(void)
{
	return t.counter - 500; /* time_offset makes up for it */
}

static uint64_t now(void *ctx)
{
	(void)ctx;
	return 7000;
}

static const struct axvm_arch_ops ops = {.counter = counter};

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.host.hal.now = now;
	t.host.hal.counter_hz = 1000000000;
	t.vm.metal = &metal;
	t.vm.core.host = &t.host;
	t.vm.core.ops = &ops;
	t.vm.core.time_offset = 500;
	t.v.core.vm = &t.vm.core;
	t.cntp_due = UINT64_MAX;
	t.again = ARM_NO_LR;
	t.written = ARM_NO_LR;
	t.counter = 1000;
	return 0;
}

/* The host takes the timer, as INTID 26. */
static int setup_taken(void **state)
{
	setup(state);
	t.host.hal.ctx = &t;
	t.host.hal.take_vtimer = take_vtimer;
	t.host.hal.vtimer_irq = 26;
	return 0;
}

/* ---- what guests do ---- */

static void guest_arms(uint64_t cval)
{
	t.cval = cval;
	t.ctl = CNT_CTL_ENABLE;
}

/* The interrupt came, was taken, and the guest did `what` before its EOI. */
static void guest_serves(void (*what)(void))
{
	assert_true(t.ppi);
	if (what != NULL)
		what();
	axvmi_arm_vtimer_ended(&t.v);
	axvmi_arm_vtimer_sync(&t.v);
}

static void rearms_only(void)
{
	t.cval = t.counter + 100;
}

static void writes_all(void)
{
	t.cval = t.counter + 100;
	t.ctl = CNT_CTL_ENABLE;
}

static void disables_as_read(void)
{
	t.ctl = read_el1(ARM_EL1_CNTV_CTL) & ~CNT_CTL_ENABLE;
}

static void masks(void)
{
	t.ctl |= CNT_CTL_IMASK;
}

/* ---- tests ---- */

static void a_timer_that_is_not_due_asks_for_nothing(void **state)
{
	(void)state;
	guest_arms(1001);
	assert_false(axvmi_arm_vtimer_look(&t.v));
	assert_int_equal(t.ppi_calls, 0);
	assert_int_equal(t.ctl, CNT_CTL_ENABLE);
}

static void a_disabled_or_masked_timer_asks_for_nothing(void **state)
{
	(void)state;
	t.cval = 0;
	for (t.ctl = 0; t.ctl < 4; t.ctl++) {
		uint64_t ctl = t.ctl;

		if (ctl == CNT_CTL_ENABLE)
			continue;
		assert_false(axvmi_arm_vtimer_look(&t.v));
		assert_int_equal(t.ctl, ctl);
	}
	assert_int_equal(t.ppi_calls, 0);
}

static void a_due_timer_raises_ppi_27_and_its_line_falls(void **state)
{
	(void)state;
	guest_arms(1000);
	assert_true(line());
	assert_true(axvmi_arm_vtimer_look(&t.v));
	assert_true(t.ppi);
	assert_false(line());
	/* Once. */
	assert_false(axvmi_arm_vtimer_look(&t.v));
	assert_int_equal(t.ppi_calls, 1);
}

static void a_fold_before_the_guest_has_served_it_changes_nothing(void **state)
{
	(void)state;
	guest_arms(1000);
	assert_true(axvmi_arm_vtimer_look(&t.v));
	for (int i = 0; i < 10; i++)
		axvmi_arm_vtimer_sync(&t.v);
	assert_true(t.ppi);
	assert_int_equal(t.ppi_calls, 1);
	assert_int_equal(t.ctl, CNT_CTL_ENABLE | CNT_CTL_IMASK);
}

/* Both ways to set the next event give the next interrupt. */
static void the_next_event_interrupts_again(void (*rearm)(void))
{
	guest_arms(1000);
	for (int i = 0; i < 5; i++) {
		assert_true(axvmi_arm_vtimer_look(&t.v));
		guest_serves(rearm);
		assert_false(t.ppi);
		assert_int_equal(t.ctl, CNT_CTL_ENABLE);
		assert_false(axvmi_arm_vtimer_look(&t.v));
		t.counter += 100;
	}
}

static void a_guest_that_writes_cval_alone_gets_its_mask_back(void **state)
{
	(void)state;
	the_next_event_interrupts_again(rearms_only);
}

static void a_guest_that_writes_ctl_too_is_served_as_well(void **state)
{
	(void)state;
	the_next_event_interrupts_again(writes_all);
}

static void the_mask_does_not_come_back_in_what_the_guest_had_read(void **state)
{
	(void)state;
	guest_arms(1000);
	assert_true(axvmi_arm_vtimer_look(&t.v));
	guest_serves(disables_as_read);
	assert_false(t.ppi);
	assert_int_equal(t.ctl, 0);
}

static void a_level_that_stays_interrupts_once_more_after_the_eoi(void **state)
{
	(void)state;
	guest_arms(1000);
	assert_true(axvmi_arm_vtimer_look(&t.v));
	guest_serves(NULL);
	assert_true(t.ppi);
	/* Early EOI, and the next event set after it. */
	guest_serves(rearms_only);
	assert_false(t.ppi);
	t.counter += 100;
	assert_true(axvmi_arm_vtimer_look(&t.v));
	assert_int_equal(t.v.vtimer_rounds, 0);
}

static void a_guest_that_masks_its_timer_is_not_stormed(void **state)
{
	int rounds = 0;

	(void)state;
	guest_arms(1000);
	assert_true(axvmi_arm_vtimer_look(&t.v));
	while (t.ppi && ++rounds < 100)
		guest_serves(masks);
	assert_in_range(rounds, 1, 2);
	assert_int_equal(t.ctl, CNT_CTL_ENABLE | CNT_CTL_IMASK);
	assert_false(axvmi_arm_vtimer_look(&t.v));
	/* The mask is the guest's: it lifts it, and is interrupted. */
	t.ctl = CNT_CTL_ENABLE;
	assert_true(axvmi_arm_vtimer_look(&t.v));
}

static void writes_all_and_masks(void)
{
	t.cval = t.counter;
	t.ctl = CNT_CTL_ENABLE | CNT_CTL_IMASK;
}

/* Written as it was at first: the guest has not masked anything. */
static void one_that_writes_ctl_anew_is_counted_anew(void **state)
{
	(void)state;
	guest_arms(1000);
	for (int round = 0; round < 5; round++) {
		assert_true(axvmi_arm_vtimer_look(&t.v));
		assert_true(t.ppi);
		t.ctl = CNT_CTL_ENABLE;
		axvmi_arm_vtimer_ended(&t.v);
		assert_int_equal(t.v.vtimer_held, 1);
		assert_int_equal(t.v.vtimer_rounds, 0);
	}
	/* An end that comes late is that of nothing. */
	t.ctl = CNT_CTL_ENABLE | CNT_CTL_IMASK;
	t.v.vtimer_held = 0;
	t.v.vtimer_rounds = 1;
	axvmi_arm_vtimer_ended(&t.v);
	assert_int_equal(t.v.vtimer_rounds, 0);
}

/* The new CVAL comes true under the guest's own mask: nobody has looked at it. */
static void nor_is_one_that_sets_another_time_before(void **state)
{
	int rounds = 0;

	(void)state;
	guest_arms(1000);
	assert_true(axvmi_arm_vtimer_look(&t.v));
	t.counter = 2000;
	while (t.ppi && ++rounds < 100)
		guest_serves(writes_all_and_masks);
	assert_in_range(rounds, 1, 2);
	assert_int_equal(t.ctl, CNT_CTL_ENABLE | CNT_CTL_IMASK);
}

static void
a_guest_that_unmasks_early_is_interrupted_again_at_its_eoi(void **state)
{
	(void)state;
	guest_arms(1000);
	assert_true(axvmi_arm_vtimer_look(&t.v));
	/* Before the EOI; the line must not storm the host meanwhile. */
	t.ctl = CNT_CTL_ENABLE;
	assert_true(line());
	assert_true(axvmi_arm_vtimer_look(&t.v));
	assert_false(line());
	guest_serves(NULL);
	assert_true(t.ppi);
}

static void the_deadline_is_that_of_the_sooner_timer(void **state)
{
	(void)state;
	assert_int_equal(axvmi_arm_timer_deadline(&t.v), AXVM_NO_DEADLINE);
	guest_arms(1300);
	assert_int_equal(axvmi_arm_timer_deadline(&t.v), 7300);
	t.cntp_due = 1200;
	assert_int_equal(axvmi_arm_timer_deadline(&t.v), 7200);
	t.cntp_due = 1400;
	assert_int_equal(axvmi_arm_timer_deadline(&t.v), 7300);
	t.cval = 900;
	assert_int_equal(axvmi_arm_timer_deadline(&t.v), 7000);
}

/* Others wait only while it counts as running. */
static void who_asks_how_long_to_wait_has_folded(void **state)
{
	(void)state;
	assert_int_equal(axvmi_arm_timer_deadline(&t.v), AXVM_NO_DEADLINE);
	assert_int_equal(t.folds, 1);
}

static void a_masked_timer_has_no_deadline(void **state)
{
	(void)state;
	guest_arms(1000);
	assert_true(axvmi_arm_vtimer_look(&t.v));
	assert_int_equal(axvmi_arm_timer_deadline(&t.v), AXVM_NO_DEADLINE);
}

/* It polls, the interrupt stays pending, and then it waits for the next one. */
static void a_later_event_has_one_though_no_interrupt_was_taken(void **state)
{
	(void)state;
	guest_arms(1000);
	assert_true(axvmi_arm_vtimer_look(&t.v));
	t.cval = 1300;
	assert_int_equal(axvmi_arm_timer_deadline(&t.v), 7300);
	assert_false(t.ppi);
	assert_int_equal(t.ctl, CNT_CTL_ENABLE);
}

/* To a guest that has PPI 27 edge-triggered nobody tells of its EOI. */
static void an_event_after_another_is_a_second_edge(void **state)
{
	(void)state;
	guest_arms(1000);
	assert_true(axvmi_arm_vtimer_look(&t.v));
	writes_all();
	t.counter = t.cval;
	assert_true(axvmi_arm_vtimer_look(&t.v));
	assert_true(t.ppi);
	assert_int_equal(t.ppi_rises, 2);
	/* The same event, whose mask the guest has cleared, is none. */
	t.ctl = CNT_CTL_ENABLE;
	assert_true(axvmi_arm_vtimer_look(&t.v));
	assert_int_equal(t.ppi_rises, 2);
}

static void the_end_of_a_timer_that_is_seen_to_needs_no_fold(void **state)
{
	(void)state;
	t.retires = true;
	assert_false(axvmi_arm_vtimer_retire(&t.v, 4));
	guest_arms(1000);
	assert_true(axvmi_arm_vtimer_look(&t.v));
	writes_all();
	t.ctl |= CNT_CTL_IMASK;
	assert_true(axvmi_arm_vtimer_retire(&t.v, 4));
	assert_false(t.ppi);
	assert_int_equal(t.ctl, CNT_CTL_ENABLE);
	assert_int_equal(t.retired, 1);
	/* It comes when it is due, and is let go. */
	t.counter = t.cval;
	assert_true(axvmi_arm_vtimer_look(&t.v));
	assert_true(t.ppi);
	disables_as_read();
	assert_true(axvmi_arm_vtimer_retire(&t.v, 4));
	assert_int_equal(t.ctl, 0);
}

static void the_end_of_one_that_asks_still_is_for_a_fold(void **state)
{
	(void)state;
	t.retires = true;
	guest_arms(1000);
	assert_true(axvmi_arm_vtimer_look(&t.v));
	assert_false(axvmi_arm_vtimer_retire(&t.v, 4));
	assert_int_equal(t.retired, 0);
	guest_serves(NULL);
	assert_int_equal(t.v.vtimer_rounds, 1);
	/* Nothing was done either if the list registers say more. */
	t.cval = 2000;
	t.retires = false;
	assert_false(axvmi_arm_vtimer_retire(&t.v, 4));
	assert_true(t.ppi);
	assert_int_equal(t.ctl, CNT_CTL_ENABLE | CNT_CTL_IMASK);
	t.retires = true;
	assert_true(axvmi_arm_vtimer_retire(&t.v, 4));
	assert_false(t.ppi);
	assert_int_equal(t.v.vtimer_rounds, 0);
}

/* ---- taken by the host ---- */

static void took(void)
{
	assert_int_equal(axvmi_arm_vtimer_take(&t.v), ARM_VTIMER_TAKEN);
}

static void took_not(enum arm_vtimer instead)
{
	assert_int_equal(axvmi_arm_vtimer_take(&t.v), instead);
}

static void a_due_timer_is_taken_and_its_mask_stays_the_guests(void **state)
{
	(void)state;
	guest_arms(1001);
	took_not(ARM_VTIMER_NONE);
	assert_int_equal(t.takes, 0);
	t.counter = 1001;
	took();
	assert_true(t.ppi && t.active);
	assert_int_equal(t.ctl, CNT_CTL_ENABLE);
	/* Once. */
	took_not(ARM_VTIMER_NONE);
	axvmi_arm_vtimer_sync(&t.v);
	assert_true(t.ppi && t.active);
	assert_int_equal(t.takes, 1);
	assert_int_equal(t.ppi_calls, 1);
}

static void what_the_host_finds_first_is_the_hosts(void **state)
{
	(void)state;
	guest_arms(1000);
	t.others = true;
	took_not(ARM_VTIMER_OTHER);
	assert_false(t.active || t.ppi);
	/* Who asks whether something is pending learns it and takes nothing. */
	assert_false(axvmi_arm_vtimer_look(&t.v));
	assert_true(t.ppi);
	assert_int_equal(t.takes, 1);
	took();
	assert_false(axvmi_arm_vtimer_look(&t.v));
	assert_int_equal(t.ppi_calls, 1);
	assert_true(t.active);
	assert_int_equal(t.ppi_calls, 1);
}

/* With HW no list register asks for it; other ones may. */
static void maintenance_is_never_for_one_that_is_taken(void **state)
{
	(void)state;
	guest_arms(1000);
	took();
	t.retires = true;
	t.cval = 2000;
	assert_false(axvmi_arm_vtimer_retire(&t.v, 4));
	assert_int_equal(t.retired, 0);
	assert_true(t.ppi && t.active);
}

static void the_mask_of_the_guest_takes_it_back(void **state)
{
	(void)state;
	guest_arms(1000);
	took();
	masks();
	/* Of one that is taken the end is the CPU's to tell. */
	assert_false(axvmi_arm_vtimer_retire(&t.v, 1));
	axvmi_arm_vtimer_sync(&t.v);
	assert_false(axvmi_arm_vtimer_look(&t.v));
	assert_int_equal(t.ppi_calls, 2);
	assert_false(t.ppi || t.active);
	assert_int_equal(t.ctl, CNT_CTL_ENABLE | CNT_CTL_IMASK);
	t.ctl = CNT_CTL_ENABLE;
	took();
	assert_true(t.ppi && t.active);
}

/* Its EOI has deactivated the physical one, which is signalled again if due. */
static void what_the_guest_has_ended_is_not_deactivated_again(void **state)
{
	(void)state;
	guest_arms(1000);
	took();
	t.active = false;
	t.ends = true;
	/* Due again, which interrupts: the end is seen before it is taken. */
	took();
	assert_true(t.ppi && t.active);
	assert_int_equal(t.takes, 2);
	assert_int_equal(t.ppi_calls, 3);
}

/* Without a fold, and without a fall and a rise in the model. */
static void the_next_event_is_put_where_the_last_one_has_ended(void **state)
{
	(void)state;
	guest_arms(1000);
	took();
	t.active = false;
	t.again = 3;
	/* The host is busy: the register stays as it is, the fold finds it. */
	t.others = true;
	took_not(ARM_VTIMER_OTHER);
	assert_int_equal(t.written, ARM_NO_LR);
	took();
	assert_int_equal(t.written, 3);
	assert_true(t.ppi && t.active);
	assert_int_equal(t.ppi_calls, 1);
	assert_int_equal(t.folds, 0);
}

static void the_next_vcpu_of_the_cpu_finds_it_inactive(void **state)
{
	(void)state;
	guest_arms(1000);
	took();
	axvmi_arm_vtimer_drop(&t.v);
	assert_false(t.active);
	axvmi_arm_vtimer_drop(&t.v);
	/* Elsewhere it is taken again, and rises no second time. */
	took();
	assert_true(t.ppi && t.active);
	assert_int_equal(t.ppi_calls, 1);
}

static void a_timer_that_the_host_has_set_anew_lets_go(void **state)
{
	(void)state;
	guest_arms(1000);
	took();
	t.cval = 2000;
	assert_false(axvmi_arm_vtimer_look(&t.v));
	assert_false(t.ppi || t.active);
}

/* A guest that ends its interrupt and waits: nobody has folded since. */
static void a_sleeper_is_woken_by_the_event_after_the_one_it_ended(void **state)
{
	(void)state;
	guest_arms(1000);
	took();
	/* It waits with the interrupt up: no event comes by itself. */
	assert_int_equal(axvmi_arm_timer_deadline(&t.v), AXVM_NO_DEADLINE);
	t.active = false;
	t.ends = true;
	t.cval = 1300;
	assert_int_equal(axvmi_arm_timer_deadline(&t.v), 7300);
	assert_int_equal(t.folds, 2);
}

#define TAKEN(name) cmocka_unit_test_setup(name, setup_taken)
#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_timer_that_is_not_due_asks_for_nothing),
		TEST(a_disabled_or_masked_timer_asks_for_nothing),
		TEST(a_due_timer_raises_ppi_27_and_its_line_falls),
		TEST(a_fold_before_the_guest_has_served_it_changes_nothing),
		TEST(a_guest_that_writes_cval_alone_gets_its_mask_back),
		TEST(a_guest_that_writes_ctl_too_is_served_as_well),
		TEST(the_mask_does_not_come_back_in_what_the_guest_had_read),
		TEST(a_level_that_stays_interrupts_once_more_after_the_eoi),
		TEST(a_guest_that_masks_its_timer_is_not_stormed),
		TEST(one_that_writes_ctl_anew_is_counted_anew),
		TEST(nor_is_one_that_sets_another_time_before),
		TEST(a_guest_that_unmasks_early_is_interrupted_again_at_its_eoi),
		TEST(the_deadline_is_that_of_the_sooner_timer),
		TEST(who_asks_how_long_to_wait_has_folded),
		TEST(a_masked_timer_has_no_deadline),
		TEST(an_event_after_another_is_a_second_edge),
		TEST(the_end_of_a_timer_that_is_seen_to_needs_no_fold),
		TEST(the_end_of_one_that_asks_still_is_for_a_fold),
		TEST(a_later_event_has_one_though_no_interrupt_was_taken),
		TAKEN(a_due_timer_is_taken_and_its_mask_stays_the_guests),
		TAKEN(what_the_host_finds_first_is_the_hosts),
		TAKEN(maintenance_is_never_for_one_that_is_taken),
		TAKEN(the_mask_of_the_guest_takes_it_back),
		TAKEN(what_the_guest_has_ended_is_not_deactivated_again),
		TAKEN(the_next_event_is_put_where_the_last_one_has_ended),
		TAKEN(the_next_vcpu_of_the_cpu_finds_it_inactive),
		TAKEN(a_timer_that_the_host_has_set_anew_lets_go),
		TAKEN(a_sleeper_is_woken_by_the_event_after_the_one_it_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
