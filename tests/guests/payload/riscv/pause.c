/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A VM that is suspended again and again, a second each time (run.sh --suspend):
 * its clock and its timers must not show it.
 */
#include "payload.h"

#define WATCHED_MS 240u
#define TICK_MS 5u
/* Time slices of other vCPUs and delays of the emulator are shorter,
 * suspensions longer. */
#define GAP_MS 700u

/* The longest time between two looks at the clock. */
static void watch_clock(struct cpu *h)
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
	h->result = longest;
}

static bool tick(struct cpu *h, uint64_t *latest)
{
	uint64_t count = h->timer_irqs;
	uint64_t due = now() + ms_to_ticks(TICK_MS);

	(void)set_timer(due);
	csr_set(sie, IRQ_TIMER); /* which the handler clears */
	while (h->timer_irqs == count) {
		__asm__ volatile("wfi");
		csr_set(sstatus, SSTATUS_SIE);
		csr_clear(sstatus, SSTATUS_SIE);
	}
	if (h->timer_at - due > *latest)
		*latest = h->timer_at - due;
	return h->timer_at >= due;
}

static void watch_timer(struct cpu *h)
{
	uint64_t end = now() + ms_to_ticks(WATCHED_MS);
	uint64_t latest = 0;
	uint32_t ticks = 0;
	uint32_t early = 0;

	for (; now() < end; ticks++)
		early += !tick(h, &latest);
	check(ticks > WATCHED_MS / TICK_MS / 8, "the timer ticks (%u times)",
	      ticks);
	check_eq(early, 0, "no tick is early");
	check(latest < ms_to_ticks(GAP_MS),
	      "no tick is late by a suspension (%lu us)",
	      latest * 1000000 / machine.timebase);
}

void suite(void)
{
	struct cpu *h = self();

	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, watch_clock, 0);
	watch_timer(h);
	watch_clock(h);
	check(h->result < ms_to_ticks(GAP_MS), "the clock stands still");
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		check(cpu_join(slot, 5000) &&
			      cpus[slot].result < ms_to_ticks(GAP_MS),
		      "the clock stands still on hart %lu",
		      machine.hart_id[slot]);
}
