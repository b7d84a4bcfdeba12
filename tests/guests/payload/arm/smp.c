/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * State across vCPU switches and migration, and what CPUs do to each other: start
 * and stop, interrupts, atomics, TLB and instruction cache broadcasts, events.
 * Meant to run with more vCPUs than CPUs below, where every busy loop is
 * interrupted many times. With one CPU the first part still runs.
 */
#include "insn.h"
#include "payload.h"

#define ROUNDS 8u
#define SPIN_MS 40u
#define SHARED_VA (TEST_VA + 0x1000)
/* Each costs time slices where vCPUs share a CPU. */
#define CHANGES 80u

/* ---- State of one CPU ---- */

static uint64_t pattern(const struct cpu *c, uint32_t i)
{
	return (c->affinity + 1) * 0x0123456789abcdefull ^
	       i * 0x9e3779b97f4a7c15ull;
}

/* Every integer register, in a loop that touches but one of them. */
static bool integers_survive(struct cpu *c)
{
	struct frame f;
	const struct frame *after;

	frame_fill(&f);
	for (uint32_t i = 0; i < 31; i++)
		f.x[i] = pattern(c, i + 64);
	f.x[5] = 3000000;
	f.sp = pattern(c, 99) & ~15ull;
	f.pstate = (c->affinity % 16) << 28;
	c->code[0] = 0xd10004a5; /* sub x5, x5, #1 */
	c->code[1] = 0xb5ffffe5; /* cbnz x5, -4 */
	c->code[2] = INSN_BRK(0);
	code_written(c->code, 12);
	f.pc = (uint64_t)c->code;
	after = run(&f, false);
	return esr_ec(after) == EC_BRK && after->pc == (uint64_t)&c->code[2] &&
	       after->x[5] == 0 && unchanged(after, &f, 1u << 5) &&
	       (after->pstate & PSTATE_NZCV) == f.pstate;
}

/* Of EL1: what no exception and no C code changes. */
static bool registers_survive(struct cpu *c, uint64_t end)
{
	uint64_t v = pattern(c, 100);
	bool ok;

	sys_write(tpidr_el0, v);
	sys_write(tpidrro_el0, ~v);
	sys_write(contextidr_el1, v & 0xffffffff);
	sys_write(elr_el1, v << 2);
	sys_write(spsr_el1, (v & 0xf) << 28 | PSTATE_EL1H);
	sys_write(esr_el1, v & 0x3ffffff);
	sys_write(far_el1, v >> 3);
	sys_write(sp_el0, v & ~15ull);
	sys_write(ttbr1_el1, v & 0x3ffff000);
	sys_write(cntkctl_el1, v & 0xff);
	sys_write(cntv_cval_el0, v | 1ull << 62);
	sys_write(cntp_cval_el0, ~v | 1ull << 62);
	icc_write(ICC_PMR_EL1, 0xf0 - 8 * (c - cpus));
	while (now() < end)
		;
	ok = sys_read(tpidr_el0) == v && sys_read(tpidrro_el0) == ~v &&
	     sys_read(contextidr_el1) == (v & 0xffffffff) &&
	     sys_read(elr_el1) == v << 2 &&
	     sys_read(spsr_el1) == ((v & 0xf) << 28 | PSTATE_EL1H) &&
	     sys_read(esr_el1) == (v & 0x3ffffff) &&
	     sys_read(far_el1) == v >> 3 && sys_read(sp_el0) == (v & ~15ull) &&
	     sys_read(ttbr1_el1) == (v & 0x3ffff000) &&
	     sys_read(cntkctl_el1) == (v & 0xff) &&
	     sys_read(cntv_cval_el0) == (v | 1ull << 62) &&
	     sys_read(cntp_cval_el0) == (~v | 1ull << 62) &&
	     sys_read(tpidr_el1) == (uint64_t)c &&
	     icc_read(ICC_PMR_EL1) == 0xf0ull - 8 * (uint64_t)(c - cpus);
	icc_write(ICC_PMR_EL1, 0xff);
	sys_write(cntkctl_el1, 0);
	return ok;
}

/* result: one bit per kind of state that was lost. */
static void keep_state(struct cpu *c)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		if (!integers_survive(c))
			c->result |= 1;
		if (!registers_survive(c, now() + ms_to_ticks(SPIN_MS)))
			c->result |= 2;
	}
}

static void state(void)
{
	uint64_t lost;

	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, keep_state, 0);
	self()->result = 0;
	keep_state(self());
	lost = self()->result;
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		check(cpu_join(slot, 20000), "CPU 0x%lx kept its state busy",
		      machine.affinity[slot]);
		lost |= cpus[slot].result;
	}
	check((lost & 1) == 0, "integer registers survive on every CPU");
	check((lost & 2) == 0, "registers of EL1 survive on every CPU");
}

/* ---- Atomics ---- */

#define ADDS 20000u

static uint32_t total;
static uint64_t total64;
static uint32_t by_exchange;

static void add(struct cpu *c)
{
	for (uint32_t i = 0; i < ADDS; i++) {
		uint32_t old;

		__atomic_fetch_add(&total, 1u, __ATOMIC_RELAXED);
		__atomic_fetch_add(&total64, 1ull << 33, __ATOMIC_RELAXED);
		do
			old = __atomic_load_n(&by_exchange, __ATOMIC_RELAXED);
		while (!__atomic_compare_exchange_n(&by_exchange, &old, old + 1,
						    true, __ATOMIC_RELAXED,
						    __ATOMIC_RELAXED));
	}
	c->result = 1;
}

static void atomics(void)
{
	uint64_t n = machine.cpu_count;

	for (uint32_t slot = 1; slot < n; slot++)
		(void)cpu_start(slot, add, 0);
	add(self());
	for (uint32_t slot = 1; slot < n; slot++)
		(void)cpu_join(slot, 20000);
	check_eq(total, n * ADDS, "32-bit exclusives lose nothing");
	check_eq(total64, n * ADDS << 33, "64-bit exclusives lose nothing");
	check_eq(by_exchange, n * ADDS, "compare and exchange loses nothing");
}

/* ---- Interrupts between CPUs ---- */

#define PINGS 300u

static volatile bool stop_all;
static volatile uint64_t pong;

static void answer(struct cpu *c)
{
	c->sgis = 0;
	c->result = 1;
	while (!stop_all) {
		uint64_t seen = c->sgis;

		/* Awake or asleep by turns; masked, an SGI still ends WFI. */
		if (pong % 2 == 0)
			__asm__ volatile("wfi");
		irqs_on();
		irqs_off();
		if (c->sgis != seen) {
			pong = pong + (c->sgis - seen);
			gic_sgi(1, machine.affinity[0]);
		}
	}
}

static bool ping(uint32_t slot)
{
	struct cpu *me = self();
	uint32_t lost = 0;

	stop_all = false;
	pong = 0;
	(void)cpu_start(slot, answer, 0);
	(void)wait_for(cpus[slot].result == 1, 2000);
	me->sgis = 0;
	for (uint32_t i = 0; i < PINGS && lost == 0; i++) {
		uint64_t before = me->sgis;

		gic_sgi(2, machine.affinity[slot]);
		irqs_on();
		if (!wait_for(me->sgis != before, 2000))
			lost++;
		irqs_off();
	}
	stop_all = true;
	gic_sgi(2, machine.affinity[slot]);
	return cpu_join(slot, 2000) && lost == 0 && me->sgis >= PINGS;
}

/* ---- Broadcasts ---- */

static uint64_t pages[2][512] __attribute__((aligned(4096)));
static volatile uint64_t epoch;

/* After each round the page behind SHARED_VA is the other one. */
static void read_shared(struct cpu *c)
{
	uint64_t seen = 0;

	c->job_arg = 1;
	while (!stop_all) {
		uint64_t e = epoch;
		uint64_t v;

		if (e == seen)
			continue;
		seen = e;
		__asm__ volatile("dmb ish" ::: "memory");
		v = *(volatile uint64_t *)SHARED_VA;
		/* Only this round's page, unless the next has begun. */
		if (v != e % 2 && epoch == e)
			c->result |= 1;
		c->job_arg = e;
	}
}

static void shootdown(void)
{
	bool all = true;
	uint64_t lost = 0;

	pages[0][0] = 0;
	pages[1][0] = 1;
	paging_map(SHARED_VA, (uint64_t)pages[0], PTE_NORMAL);
	stop_all = false;
	epoch = 0;
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, read_shared, 0);
	for (uint64_t e = 1; e <= CHANGES; e++) {
		/* TLBI ... IS inside; nobody is told otherwise. */
		paging_map(SHARED_VA, (uint64_t)pages[e % 2], PTE_NORMAL);
		epoch = e;
		for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
			all = all && wait_for(cpus[slot].job_arg == e, 2000);
	}
	stop_all = true;
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		(void)cpu_join(slot, 2000);
		lost |= cpus[slot].result;
	}
	check(all, "all follow %u changes of a mapping", CHANGES);
	check_eq(lost, 0, "none has a stale translation");
}

static uint32_t routine[16] __attribute__((aligned(64)));

static void call_routine(struct cpu *c)
{
	uint64_t seen = 0;

	c->job_arg = 1;
	while (!stop_all) {
		uint64_t e = epoch;

		if (e == seen)
			continue;
		seen = e;
		__asm__ volatile("dmb ish\n\tisb" ::: "memory");
		if (((uint64_t(*)(void))routine)() != (e & 0xffff) &&
		    epoch == e)
			c->result |= 1;
		c->job_arg = e;
	}
}

/* movz x0, #e; ret */
static void write_routine(uint64_t e)
{
	*(volatile uint32_t *)&routine[0] = 0xd2800000 | (uint32_t)e << 5;
	*(volatile uint32_t *)&routine[1] = INSN_RET;
	code_written(routine, 8);
}

static void code_changes(void)
{
	bool all = true;
	uint64_t lost = 0;

	stop_all = false;
	epoch = 0;
	write_routine(0);
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, call_routine, 0);
	for (uint64_t e = 1; e <= CHANGES; e++) {
		write_routine(e);
		epoch = e;
		for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
			all = all && wait_for(cpus[slot].job_arg == e, 2000);
	}
	stop_all = true;
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		(void)cpu_join(slot, 2000);
		lost |= cpus[slot].result;
	}
	check(all, "all follow %u changes of code", CHANGES);
	check_eq(lost, 0, "none runs stale code");
}

/* ---- Events ---- */

static volatile uint64_t ticket;

static void wait_events(struct cpu *c)
{
	c->result = 1;
	while (ticket < 100) {
		uint64_t t = ticket;

		if (t % 2 == 0) {
			__asm__ volatile("wfe");
			continue;
		}
		ticket = t + 1;
		__asm__ volatile("dsb ish\n\tsev");
	}
}

static void events(void)
{
	uint64_t end;

	(void)cpu_start(1, wait_events, 0);
	(void)wait_for(cpus[1].result == 1, 2000);
	end = now() + ms_to_ticks(10000);
	while (ticket < 100 && now() < end) {
		if (ticket % 2 != 0) {
			__asm__ volatile("wfe");
			continue;
		}
		ticket = ticket + 1;
		__asm__ volatile("dsb ish\n\tsev");
	}
	__asm__ volatile("sev");
	check(cpu_join(1, 2000) && ticket >= 100, "WFE and SEV pass a ticket");
}

/* ---- Start and stop ---- */

static void nothing(struct cpu *c)
{
	c->result = 1;
}

static void start_stop(uint32_t slot)
{
	uint32_t good = 0;

	for (uint32_t i = 0; i < 50; i++)
		good += cpu_start(slot, nothing, 0) && cpu_join(slot, 2000) &&
			cpus[slot].result == 1;
	check_eq(good, 50, "CPU 0x%lx starts and stops 50 times",
		 machine.affinity[slot]);
}

static volatile uint32_t gate;
static volatile int64_t verdict[MAX_CPUS];

/* All at once start the last CPU: one of them does. */
static void race(struct cpu *c)
{
	uint32_t last = machine.cpu_count - 1;

	__atomic_fetch_add(&gate, 1u, __ATOMIC_SEQ_CST);
	while (gate < machine.cpu_count - 1)
		;
	verdict[c - cpus] =
		psci(PSCI_CPU_ON, machine.affinity[last],
		     (uint64_t)secondary_entry, (uint64_t)&cpus[last]);
}

static void races(void)
{
	uint32_t last = machine.cpu_count - 1;
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < 20; i++) {
		uint32_t won = 0;

		gate = 0;
		cpu_prepare(last, nothing, 0);
		for (uint32_t slot = 1; slot < last; slot++)
			(void)cpu_start(slot, race, 0);
		race(self());
		for (uint32_t slot = 1; slot < last; slot++)
			(void)cpu_join(slot, 2000);
		for (uint32_t slot = 0; slot < last; slot++) {
			won += verdict[slot] == PSCI_OK;
			/* ON_PENDING, ALREADY_ON; or it has stopped again. */
			wrong += verdict[slot] != PSCI_OK &&
				 verdict[slot] != PSCI_ALREADY_ON &&
				 verdict[slot] != -5;
		}
		wrong += won == 0 || !cpu_join(last, 2000);
	}
	check_eq(wrong, 0, "several CPUs start one, twenty times");
}

void suite(void)
{
	state();
	if (machine.cpu_count < 2) {
		skip("one CPU", "what CPUs do to each other");
		return;
	}
	atomics();
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		check(ping(slot), "%u SGIs to and from CPU 0x%lx", PINGS,
		      machine.affinity[slot]);
	shootdown();
	code_changes();
	events();
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		start_stop(slot);
	if (machine.cpu_count > 2)
		races();
}
