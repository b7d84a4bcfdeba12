/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* SPIs and SGIs of several CPUs, which take them as interrupts. */
#include "gic_suite.h"

static volatile uint32_t seen[MAX_CPUS][64];
static volatile bool stop_all;

static void count_irq(struct cpu *c, uint32_t intid)
{
	if (intid < 64)
		seen[c - cpus][intid]++;
}

static void take_irqs(struct cpu *c)
{
	c->on_irq = count_irq;
	irqs_on();
	c->result = 1;
	while (!stop_all)
		__asm__ volatile("wfi");
	irqs_off();
}

static void total(uint32_t intid, uint32_t *others, uint32_t *mine)
{
	*mine = seen[0][intid];
	*others = 0;
	for (uint32_t i = 1; i < machine.cpu_count; i++)
		*others += seen[i][intid];
}

static void to_each(void)
{
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		uint32_t n = FIRST_SPI + slot;
		uint32_t others, mine;
		struct cpu *c = &cpus[slot];

		quiet(n);
		gic_route(n, c->affinity);
		gic_enable(me, n, true);
		gic_pend(me, n, true);
		check(wait_for(seen[slot][n] == 1, 2000),
		      "CPU 0x%lx gets its SPI", c->affinity);
		gic_sgi(slot, c->affinity);
		check(wait_for(seen[slot][slot] == 1, 2000), "and its SGI");
		/* Its redistributor is written from here. */
		gic_enable(c, PPI, true);
		gic_pend(c, PPI, true);
		check(wait_for(seen[slot][PPI] == 1, 2000), "and its PPI");
		total(n, &others, &mine);
		check(others == 1 && mine == 0, "nobody else does");
	}
}

static void to_all(void)
{
	uint32_t n = FIRST_SPI;
	uint32_t others, mine, before;
	bool all = true;

	icc_write(ICC_SGI1R_EL1, 1ull << 40 | 15ull << 24);
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		all = all && wait_for(seen[slot][15] == 1, 2000);
	check(all && !irq_waits(), "an SGI to all others");
	quiet(n);
	gic_route(n, 1ull << 31);
	gic_enable(me, n, true);
	for (uint32_t i = 1; i <= 20; i++) {
		gic_pend(me, n, true);
		/* Here it is masked, but may have been chosen. */
		all = all && wait_for(({
					      if (irq_waits() && ack() == n) {
						      seen[0][n]++;
						      end(n);
					      }
					      total(n, &others, &mine);
					      others + mine == i;
				      }),
				      2000);
	}
	check(all, "an SPI to any CPU comes to one, each time");
	quiet(n);
	total(n, &before, &mine);
	delay_ms(20);
	total(n, &others, &mine);
	check_eq(others, before, "and no more often");
}

/* What waits for one CPU goes to another when its route is changed. */
static void rerouted(void)
{
	uint32_t n = FIRST_SPI + 10;

	quiet(n);
	gic_enable(me, n, true);
	gic_pend(me, n, true);
	check(irq_waits(), "an SPI waits here");
	gic_route(n, machine.affinity[1]);
	check(wait_for(seen[1][n] == 1, 2000) && !irq_waits(),
	      "it goes to where it is routed");
}

void other_cpus(void)
{
	bool ready = true;

	if (machine.cpu_count < 2) {
		skip("one CPU", "interrupts of other CPUs");
		return;
	}
	all_quiet();
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		(void)cpu_start(slot, take_irqs, 0);
		ready = ready && wait_for(cpus[slot].result == 1, 2000);
	}
	check(ready, "the others wait for interrupts");
	to_each();
	to_all();
	rerouted();
	stop_all = true;
	icc_write(ICC_SGI1R_EL1, 1ull << 40 | 1ull << 24);
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		check(cpu_join(slot, 5000), "CPU 0x%lx stops",
		      machine.affinity[slot]);
}
