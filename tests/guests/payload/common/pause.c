/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A VM that is suspended again and again, a second each time (run.sh --suspend):
 * its clock and its timers must not show it.
 */
#include "pause.h"

#define WATCHED_MS 240u
#define TICK_MS 5u
/* Time slices of other vCPUs and delays of the emulator are shorter,
 * suspensions longer. */
#define GAP_MS 700u

/* The longest time between two looks at the clock. */
static void watch_clock(struct cpu *c)
{
	uint64_t last = now();
	uint64_t end = last + ms_to_ticks(WATCHED_MS);
	uint64_t longest = 0;

	while (last < end) {
		uint64_t next;

		/* A look is slow where instructions are counted. */
		for (unsigned i = 0; i < 4000; i++)
			__asm__ volatile("");
		next = now();
		if (next - last > longest)
			longest = next - last;
		last = next;
	}
	c->result = longest;
}

/* How late it was, if it was later than all before. */
static bool tick(struct cpu *c, uint32_t n, uint64_t *latest)
{
	uint64_t count = c->timer_irqs;
	uint64_t due = now() + ms_to_ticks(TICK_MS);

	pause_timer(due, n);
	while (c->timer_irqs == count) {
		__asm__ volatile("wfi");
		irqs_on();
		irqs_off();
	}
	pause_timers_off();
	if (c->timer_at - due > *latest)
		*latest = c->timer_at - due;
	return c->timer_at >= due;
}

static void watch_timers(struct cpu *c)
{
	uint64_t end = now() + ms_to_ticks(WATCHED_MS);
	uint64_t latest = 0;
	uint32_t ticks = 0;
	uint32_t early = 0;

	pause_listen(c);
	for (; now() < end; ticks++)
		early += !tick(c, ticks, &latest);
	/* How often is up to the machine below, which may be busy. */
	check(ticks > 1, "the timers tick (%u times)", ticks);
	check_eq(early, 0, "no tick is early");
	check(latest < ms_to_ticks(GAP_MS),
	      "no tick is late by a suspension (%lu us)",
	      latest * 1000000 / machine.frequency);
}

void suite(void)
{
	struct cpu *c = self();

	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, watch_clock, 0);
	watch_timers(c);
	watch_clock(c);
	check(c->result < ms_to_ticks(GAP_MS), "the clock stands still");
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		check(cpu_join(slot, 5000) &&
			      cpus[slot].result < ms_to_ticks(GAP_MS),
		      "the clock stands still on CPU 0x%lx", cpu_id(slot));
}
