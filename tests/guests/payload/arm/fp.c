/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * SIMD&FP registers across everything that may take them from a CPU: other CPUs
 * busy with theirs, hypercalls, device accesses, interrupts, sleep, a stop. Meant
 * to run with more vCPUs than CPUs below, and with migration.
 */
#include "insn.h"
#include "payload.h"

#define ROUNDS 12u
#define SPIN_MS 30u
/* Flags and rounding modes; every CPU of FP keeps these. */
#define FPCR_BITS 0x07c00000u /* AHP, DN, FZ, RMode */
#define FPSR_BITS 0x0800009fu /* QC and the exceptions */

static struct fp in[MAX_CPUS], out[MAX_CPUS];

static void pattern(const struct cpu *c, uint64_t seed)
{
	struct fp *fp = &in[c - cpus];

	seed += (uint64_t)(c - cpus + 1) << 32;
	for (uint32_t i = 0; i < 32; i++) {
		fp->v[i][0] = (seed + i) * 0x9e3779b97f4a7c15ull;
		fp->v[i][1] = ~(seed + i) * 0xbf58476d1ce4e5b9ull;
	}
	fp->fpcr = (seed * 0x9e3779b97f4a7c15ull >> 32) & FPCR_BITS;
	fp->fpsr = (seed * 0xbf58476d1ce4e5b9ull >> 32) & FPSR_BITS;
}

static bool same_as_before(const struct cpu *c)
{
	return memcmp(&in[c - cpus], &out[c - cpus], sizeof(in[0])) == 0;
}

/* Loaded, `what` done, stored: nothing is lost. */
static bool survives(struct cpu *c, uint64_t seed, void (*what)(struct cpu *c))
{
	pattern(c, seed);
	fp_load(&in[c - cpus]);
	what(c);
	fp_store(&out[c - cpus]);
	return same_as_before(c);
}

static void hypercall(struct cpu *c)
{
	(void)psci(PSCI_AFFINITY_INFO, c->affinity, 0, 0);
}

static void device(struct cpu *c)
{
	(void)c;
	(void)read32(GICD(GICD_CTLR));
	(void)read8(HOLE);
}

static void sleep(struct cpu *c)
{
	(void)c;
	sys_write(cntv_cval_el0, now() + ms_to_ticks(3));
	sys_write(cntv_ctl_el0, 1);
	__asm__ volatile("wfi");
	sys_write(cntv_ctl_el0, 0);
}

static void timer(struct cpu *c)
{
	uint64_t count = c->timer_irqs;

	sys_write(cntv_cval_el0, now() + ms_to_ticks(2));
	sys_write(cntv_ctl_el0, 1);
	irqs_on();
	(void)wait_for(c->timer_irqs != count, 1000);
	irqs_off();
}

static void suspend(struct cpu *c)
{
	(void)c;
	sys_write(cntv_cval_el0, now() + ms_to_ticks(3));
	sys_write(cntv_ctl_el0, 1);
	(void)psci(PSCI_CPU_SUSPEND, 0, 0, 0);
	sys_write(cntv_ctl_el0, 0);
}

static void many_calls(struct cpu *c)
{
	for (uint32_t i = 0; i < 200; i++)
		hypercall(c);
}

/* CPACR_EL1 off and on again: the registers are kept. */
static void off_and_on(struct cpu *c)
{
	(void)c;
	sys_write(cpacr_el1, 0);
	(void)psci(PSCI_VERSION, 0, 0, 0);
	delay_ms(2);
	sys_write(cpacr_el1, 3ull << 20);
}

static const struct {
	const char *name;
	void (*what)(struct cpu *c);
} events[] = {
	{"a call", hypercall},	   {"a device access", device},
	{"sleep", sleep},	   {"an interrupt", timer},
	{"a standby", suspend},	   {"many calls", many_calls},
	{"CPACR_EL1", off_and_on},
};

/* result: one bit per event that lost something, bit 31 for spinning. */
static void keep(struct cpu *c)
{
	gic_enable(c, PPI_VIRTUAL, true);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		for (uint32_t i = 0; i < COUNT_OF(events); i++) {
			c->job_arg = round * 100 + i;
			if (!survives(c, round * 100 + i, events[i].what))
				c->result |= 1ull << i;
		}
		pattern(c, round + 5000);
		fp_spin(&in[c - cpus], &out[c - cpus],
			now() + ms_to_ticks(SPIN_MS));
		if (!same_as_before(c))
			c->result |= 1ull << 31;
	}
}

static void alone(void)
{
	struct cpu *c = self();

	gic_enable(c, PPI_VIRTUAL, true);
	for (uint32_t i = 0; i < COUNT_OF(events); i++)
		check(survives(c, i, events[i].what), "registers survive %s",
		      events[i].name);
}

static void everywhere(void)
{
	uint64_t lost;

	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, keep, 0);
	self()->result = 0;
	keep(self());
	lost = self()->result;
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		if (!check(cpu_join(slot, 30000), "CPU 0x%lx kept them busy",
			   machine.affinity[slot]))
			note("it is in round and event %lu, %lu timers came",
			     cpus[slot].job_arg, cpus[slot].timer_irqs);
		lost |= cpus[slot].result;
	}
	for (uint32_t i = 0; i < COUNT_OF(events); i++)
		check((lost >> i & 1) == 0, "on every CPU they survive %s",
		      events[i].name);
	check((lost >> 31 & 1) == 0, "on every CPU they survive time");
}

/* A started CPU's registers are its own: no other's secrets. */
static void look(struct cpu *c)
{
	fp_store(&out[c - cpus]);
	c->result = 1;
}

static void no_leak(void)
{
	const struct fp *mine = &in[0];
	const struct fp *theirs = &out[1];
	uint32_t equal = 0;

	if (machine.cpu_count < 2) {
		skip("one CPU", "a started CPU sees nobody's registers");
		return;
	}
	pattern(self(), 4711);
	fp_load(&in[0]);
	(void)cpu_start(1, look, 0);
	check(cpu_join(1, 5000) && cpus[1].result == 1, "a CPU starts");
	for (uint32_t i = 0; i < 32; i++)
		equal += theirs->v[i][0] == mine->v[i][0] ||
			 theirs->v[i][1] == mine->v[i][1];
	check_eq(equal, 0, "it sees nobody's registers");
	fp_store(&out[0]);
	check(same_as_before(self()), "and changes none");
}

/* Arithmetic by the rounding mode that FPCR says: 1/3, up and down. */
static uint64_t third(uint32_t rmode)
{
	struct fp fp = {.v = {[1] = {0x3ff0000000000000ull, 0},
			      [2] = {0x4008000000000000ull, 0}}};
	struct frame f;

	fp.fpcr = (uint64_t)rmode << 22;
	fp_load(&fp);
	frame_fill(&f);
	(void)exec(0x1e621820, &f); /* fdiv d0, d1, d2 */
	fp_store(&fp);
	check((fp.fpsr & 0x10) != 0, "the division is inexact");
	return fp.v[0][0];
}

static void arithmetic(void)
{
	uint64_t up = third(1);
	uint64_t down = third(2);

	check_eq(down, 0x3fd5555555555555ull, "a third, rounded down");
	check_eq(up, down + 1, "and up");
}

void suite(void)
{
	alone();
	arithmetic();
	no_leak();
	everywhere();
}
