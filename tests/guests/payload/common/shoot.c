/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The guest of the sample hypervisor's option "shootdown": all CPUs read and
 * write one page all the time while the host puts one frame after another behind
 * it. Its words are in tests/hypervisor/shootdown.c.
 */
#include "payload.h"

#define PAGE_OFFSET (32ull << 20)
#define READY 0x72656164790a0000ull
#define OVER UINT64_MAX
#define LIMIT_MS 100000u

struct shared {
	uint64_t generation;
	uint64_t ready;
	uint64_t counter[4];
};

static volatile struct shared *page;

/* result: how often a frame was older than one seen before. */
static void hammer(struct cpu *c)
{
	uint64_t slot = (uint64_t)(c - cpus) % 4;
	uint64_t end = now() + ms_to_ticks(LIMIT_MS);
	uint64_t last = 0, stale = 0, changes = 0, n = 0;

	while (now() < end) {
		uint64_t generation = page->generation;

		if (generation == OVER)
			break;
		/* What the host does not want to be read is far above. */
		if (generation < last || generation - last > 1u << 20)
			stale++;
		else if (generation != last)
			changes++;
		last = generation;
		page->counter[slot] = ++n;
	}
	c->job_arg = changes;
	c->result = stale;
}

static void check_cpu(struct cpu *c)
{
	check_eq(c->result, 0, "CPU 0x%lx saw no frame after it was taken away",
		 cpu_id(c - cpus));
	check(c->job_arg != 0, "CPU 0x%lx saw new frames", cpu_id(c - cpus));
	note("CPU 0x%lx saw %lu frames", cpu_id(c - cpus), c->job_arg);
}

void suite(void)
{
	struct cpu *c = self();

	page = (volatile struct shared *)(machine.ram_base + PAGE_OFFSET);
	for (uint32_t i = 1; i < machine.cpu_count && i < 4; i++)
		check(cpu_start(i, hammer, 0), "CPU 0x%lx starts", cpu_id(i));
	page->ready = READY;
	hammer(c);
	check(page->generation == OVER, "the host says when it is over");
	check_cpu(c);
	for (uint32_t i = 1; i < machine.cpu_count && i < 4; i++) {
		check(cpu_join(i, 5000), "CPU 0x%lx ends", cpu_id(i));
		check_cpu(&cpus[i]);
	}
}
