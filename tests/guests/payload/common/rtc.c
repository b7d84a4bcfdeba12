/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A device of the machine below, passed through: a real-time clock whose alarm
 * interrupts, not at its own address here; nothing emulates it. The suite runs
 * twice, with a reboot in between that leaves an alarm claimed; the device itself,
 * which no reboot of a guest resets, tells which time it is.
 */
#include "rtc.h"

#define ROUNDS 20u
#define LATE_MS 2000u

static volatile uint64_t rings;
static volatile uint32_t last_source;
static volatile bool early;

void rtc_rang(uint32_t source)
{
	last_source = source;
	early = rtc_is_early();
	rtc_silence();
	rings++;
}

/* One alarm, one interrupt, not early and of the right source. */
static bool one_alarm(void)
{
	uint64_t count = rings;

	last_source = 0;
	rtc_alarm();
	(void)wait_for(rings != count, LATE_MS);
	return rings == count + 1 && last_source == rtc_irq && !early;
}

static void clock(void)
{
	check(rtc_goes_on(), "the clock goes on");
	/* A guest without a clock of its own would see one of 1970. */
	check(rtc_seconds() > 1600000000, "and shows the time");
}

static void alarms(void)
{
	uint64_t count = rings;
	uint32_t good = 0;

	irqs_on();
	for (uint32_t i = 0; i < ROUNDS; i++)
		good += one_alarm();
	delay_ms(5);
	irqs_off();
	check_eq(good, ROUNDS, "each alarm interrupts");
	check_eq(rings - count, ROUNDS, "and does so once");
}

/* The host's own interrupt stays masked until the guest has ended its. */
static void late_completion(const struct cpu *c)
{
	uint64_t count = rings;

	rtc_hold(true);
	irqs_on();
	check(one_alarm(), "an alarm is claimed");
	rtc_alarm();
	delay_ms(20);
	irqs_off();
	check_eq(rings, count + 1, "the next one waits for its end");
	check(!rtc_pending(), "outside this machine");
	rtc_end(c);
	rtc_hold(false);
	irqs_on();
	check(wait_for(rings == count + 2, LATE_MS), "and comes then");
	check(one_alarm(), "as do the ones after it");
	irqs_off();
}

static void switched_off(struct cpu *c)
{
	uint64_t count = rings;

	irqs_on();
	rtc_listen(c, false);
	rtc_alarm();
	check(wait_for(rtc_pending(), LATE_MS), "not enabled: pending");
	check_eq(rings, count, "but not delivered");
	rtc_listen(c, true);
	check(wait_for(rings == count + 1, LATE_MS), "enabled: delivered");
	irqs_off();
	/* Ends nothing, neither here nor on the host. */
	rtc_end(c);
	rtc_end(c);
	irqs_on();
	check(one_alarm(), "completing without a claim is harmless");
	irqs_off();
}

static void take_one(struct cpu *c)
{
	rtc_listen(c, true);
	irqs_on();
	c->result = one_alarm();
	irqs_off();
	rtc_listen(c, false);
}

static void other_cpus(struct cpu *me)
{
	rtc_listen(me, false);
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		(void)cpu_start(slot, take_one, 0);
		check(cpu_join(slot, 2 * LATE_MS) && cpus[slot].result,
		      "CPU 0x%lx takes one", cpu_id(slot));
	}
	rtc_listen(me, true);
}

static void reboot_with_a_claim(void)
{
	rtc_hold(true);
	irqs_on();
	check(one_alarm(), "an alarm is claimed before the reboot");
	rtc_reboot();
	bail_out("the reboot returned");
}

void suite(void)
{
	struct cpu *c = self();
	bool again = rtc_is_on();

	note("boot number %u", again ? 2 : 1);
	rtc_on();
	rtc_listen(c, true);
	clock();
	alarms();
	late_completion(c);
	switched_off(c);
	other_cpus(c);
	if (!again)
		reboot_with_a_claim();
	rtc_off();
}
