/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A guest gone wild, the same way each time: random accesses, jumps, calls and
 * instructions on every CPU at once. It keeps its hands off what would end it by
 * its own order (power off, stop, its own vectors), and must be alive and intact
 * at the end.
 */
#include "wild.h"

#define STEPS 10000u
#define CANARY_WORDS 1024u

static uint64_t canary[CANARY_WORDS];

static void go_wild(struct cpu *c)
{
	struct dice d = {cpu_id((uint32_t)(c - cpus)) * 0x5851f42d4c957f2dull +
			 2026};

	for (uint32_t i = 0; i < STEPS; i++)
		wild_acts[roll(&d) % wild_act_count](&d);
	c->result = STEPS;
}

void suite(void)
{
	uint32_t changed = 0;

	for (uint32_t i = 0; i < CANARY_WORDS; i++)
		canary[i] = i * 0x9e3779b97f4a7c15ull;
	wild_prepare();
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, go_wild, 0);
	go_wild(self());
	check_eq(self()->result, STEPS, "the boot CPU survives %u steps",
		 STEPS);
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		(void)cpu_join(slot, 30000);
		check_eq(cpus[slot].result, STEPS, "so does CPU 0x%lx",
			 cpu_id(slot));
	}
	for (uint32_t i = 0; i < CANARY_WORDS; i++)
		changed += canary[i] != i * 0x9e3779b97f4a7c15ull;
	check_eq(changed, 0, "memory is intact");
	check(wild_timer_works(), "the timer still works");
	check(wild_firmware_answers(), "the firmware still answers");
}
