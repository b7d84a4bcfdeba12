/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The clock and the timer: by SBI and, where the CPU has Sstc, by stimecmp.
 * Late is judged generously (the machine below is shared); early is an error.
 */
#include "insn.h"
#include "payload.h"

#define CSR_STIMECMP 0x14du
#define LATE_MS 2000u

static volatile uint64_t shared_time;
static volatile uint32_t lock;
static volatile bool backwards;

static void take_lock(void)
{
	while (__atomic_exchange_n(&lock, 1u, __ATOMIC_ACQUIRE) != 0)
		;
}

static void drop_lock(void)
{
	__atomic_store_n(&lock, 0u, __ATOMIC_RELEASE);
}

/* Under one lock, a later reading must never be smaller. */
static void watch_clock(struct cpu *h)
{
	uint64_t end = now() + ms_to_ticks(h->job_arg);
	uint64_t t;

	do {
		take_lock();
		t = now();
		if (t < shared_time)
			backwards = true;
		shared_time = t;
		drop_lock();
		h->result++;
	} while (t < end);
}

static void clock(void)
{
	uint64_t t = now();
	uint64_t last = t;
	bool monotone = true;

	for (uint32_t i = 0; i < 100000; i++) {
		uint64_t next = now();

		monotone = monotone && next >= last;
		last = next;
	}
	check(monotone, "time never goes back");
	check(last > t, "time goes on");
	check(t < 3600 * machine.frequency, "time starts near zero");
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, watch_clock, 200);
	self()->job_arg = 200;
	watch_clock(self());
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		check(cpu_join(slot, 5000) && cpus[slot].result > 0,
		      "hart %lu read the clock", machine.hart_id[slot]);
	check(!backwards, "time never goes back from hart to hart");
}

static uint64_t set_stimecmp(uint64_t when)
{
	csr_write(0x14d, when);
	return SBI_OK;
}

/* True when an interrupt came not before `when` and not much after. */
static bool arrives(uint64_t (*arm)(uint64_t), uint64_t when)
{
	struct cpu *h = self();
	uint64_t count = h->timer_irqs;

	csr_set(sie, IRQ_TIMER);
	(void)arm(when);
	csr_set(sstatus, SSTATUS_SIE);
	(void)wait_for(h->timer_irqs != count, LATE_MS);
	csr_clear(sstatus, SSTATUS_SIE);
	(void)arm(~0ull);
	if (h->timer_irqs == count + 1 && h->timer_at >= when)
		return true;
	note("%lu interrupts, at %ld ticks after", h->timer_irqs - count,
	     h->timer_at - when);
	return false;
}

static void timer(const char *by, uint64_t (*arm)(uint64_t))
{
	struct cpu *h = self();
	uint64_t count = h->timer_irqs;
	uint32_t good = 0;
	uint64_t t;

	(void)arm(~0ull);
	check(!raised(IRQ_TIMER), "%s: -1: not pending", by);
	(void)arm(0);
	check(raised(IRQ_TIMER), "%s: 0: pending", by);
	(void)arm(now() + ms_to_ticks(1000));
	check(!raised(IRQ_TIMER), "%s: later: not pending", by);
	check(arrives(arm, now() + ms_to_ticks(10)), "%s: 10 ms", by);
	check(arrives(arm, now()), "%s: now", by);
	check(arrives(arm, 0), "%s: long ago", by);
	for (uint32_t i = 0; i < 20; i++)
		good += arrives(arm, now() + ms_to_ticks(2));
	check_eq(good, 20, "%s: twenty times 2 ms", by);
	count = h->timer_irqs;
	csr_set(sie, IRQ_TIMER);
	(void)arm(now() + ms_to_ticks(20));
	(void)arm(~0ull);
	csr_set(sstatus, SSTATUS_SIE);
	delay_ms(50);
	csr_clear(sstatus, SSTATUS_SIE);
	check_eq(h->timer_irqs, count, "%s: a cancelled one does not come", by);
	t = now() + ms_to_ticks(10);
	(void)arm(t);
	__asm__ volatile("wfi");
	check(now() >= t || !raised(IRQ_TIMER),
	      "%s: wfi does not claim the timer early", by);
	check(wait_for(raised(IRQ_TIMER), LATE_MS),
	      "%s: pending after wfi with SIE off", by);
	check_eq(h->timer_irqs, count, "%s: but not taken", by);
	(void)arm(~0ull);
	csr_clear(sie, IRQ_TIMER);
	(void)arm(now() + ms_to_ticks(5));
	csr_set(sstatus, SSTATUS_SIE);
	delay_ms(20);
	csr_clear(sstatus, SSTATUS_SIE);
	check_eq(h->timer_irqs, count, "%s: masked by sie", by);
	check(raised(IRQ_TIMER), "%s: yet pending", by);
	(void)arm(~0ull);
}

static void shown(void)
{
	bool there;

	(void)set_timer(0);
	there = (csr_read(sip) & IRQ_TIMER) != 0;
	(void)set_timer(~0ull);
	if (there)
		check((csr_read(sip) & IRQ_TIMER) == 0, "sip shows the timer");
	else
		skip("QEMU before 8.1 hides STIP", "sip shows the timer");
}

/* A sleeper must not cost the guest its time: many short sleeps in a row. */
static void sleeps(void)
{
	struct cpu *h = self();
	uint64_t count = h->timer_irqs;
	uint64_t t = now();
	uint32_t i;

	for (i = 0; i < 50 && now() - t < ms_to_ticks(LATE_MS); i++) {
		csr_set(sie, IRQ_TIMER);
		set_timer(now() + ms_to_ticks(2));
		while (h->timer_irqs == count + i) {
			__asm__ volatile("wfi");
			csr_set(sstatus, SSTATUS_SIE);
			csr_clear(sstatus, SSTATUS_SIE);
		}
	}
	set_timer(~0ull);
	check_eq(i, 50, "fifty wfi sleeps of 2 ms end");
	check(now() - t >= ms_to_ticks(100), "and take their time");
}

static void sstc(void)
{
	struct frame f;
	uint32_t insn = insn_csr(2, 9, CSR_STIMECMP, 0);
	const struct frame *after;

	frame_fill(&f);
	after = exec(insn, &f);
	if (!isa_has("sstc")) {
		check(after->cause == CAUSE_ILLEGAL &&
			      (after->tval == 0 || after->tval == insn),
		      "without Sstc stimecmp is illegal");
		return;
	}
	check(retired(after, &f, insn), "with Sstc stimecmp can be read");
	if (retired(after, &f, insn))
		timer("stimecmp", set_stimecmp);
}

/* Each hart's own deadline survives others running in its place. */
static void own_timers(struct cpu *h)
{
	for (uint32_t i = 0; i < 20; i++)
		h->result += arrives(set_timer, now() + ms_to_ticks(3 + i % 7));
}

static void every_hart(void)
{
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, own_timers, 0);
	self()->result = 0;
	own_timers(self());
	check_eq(self()->result, 20, "twenty timers on the boot hart");
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		check(cpu_join(slot, 10000), "hart %lu is done",
		      machine.hart_id[slot]);
		check_eq(cpus[slot].result, 20, "with twenty timers");
	}
}

void suite(void)
{
	clock();
	timer("SBI", set_timer);
	sstc();
	shown();
	sleeps();
	every_hart();
}
