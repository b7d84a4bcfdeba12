/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The clock and both timers of the guest (DDI 0487, "The Generic Timer in
 * AArch64 state"): comparator, downcounter, mask, level and interrupt, awake and
 * asleep, on every CPU. Late is judged generously (the machine below is shared);
 * early is an error.
 */
#include "payload.h"

#define LATE_MS 2000u
#define CTL_ENABLE 1u
#define CTL_IMASK 2u
#define CTL_ISTATUS 4u

/* One timer; registers have no addresses. */
struct timer {
	const char *name;
	uint32_t intid;
	uint64_t (*ctl)(void);
	uint64_t (*cval)(void);
	uint64_t (*tval)(void);
	uint64_t (*count)(void);
	void (*set_ctl)(uint64_t v);
	void (*set_cval)(uint64_t v);
	void (*set_tval)(uint64_t v);
};

#define REGISTER(reg)                       \
	static uint64_t reg(void)           \
	{                                   \
		return sys_read(reg##_el0); \
	}                                   \
	static void set_##reg(uint64_t v)   \
	{                                   \
		sys_write(reg##_el0, v);    \
	}

REGISTER(cntv_ctl)
REGISTER(cntv_cval)
REGISTER(cntv_tval)
REGISTER(cntp_ctl)
REGISTER(cntp_cval)
REGISTER(cntp_tval)

static uint64_t physical_now(void)
{
	__asm__ volatile("isb" ::: "memory");
	return sys_read(cntpct_el0);
}

static const struct timer timers[] = {
	{"virtual", PPI_VIRTUAL, cntv_ctl, cntv_cval, cntv_tval, now,
	 set_cntv_ctl, set_cntv_cval, set_cntv_tval},
	{"physical", PPI_PHYSICAL, cntp_ctl, cntp_cval, cntp_tval, physical_now,
	 set_cntp_ctl, set_cntp_cval, set_cntp_tval},
};

/* ---- The clock ---- */

static volatile uint64_t shared_time;
static uint32_t lock;
static volatile bool backwards;

/* Under one lock, a later reading must never be smaller. */
static void watch_clock(struct cpu *c)
{
	uint64_t end = now() + ms_to_ticks(c->job_arg);
	uint64_t t;

	do {
		while (__atomic_exchange_n(&lock, 1u, __ATOMIC_ACQUIRE) != 0)
			;
		t = now();
		if (t < shared_time)
			backwards = true;
		shared_time = t;
		__atomic_store_n(&lock, 0u, __ATOMIC_RELEASE);
		c->result++;
	} while (t < end);
}

static void clock(void)
{
	uint64_t t = now();
	uint64_t last = t;
	bool monotone = true, agree = true;

	for (uint32_t i = 0; i < 50000; i++) {
		uint64_t next = now();

		monotone = monotone && next >= last;
		last = next;
	}
	for (uint32_t i = 0; i < 1000; i++) {
		uint64_t before = now();
		uint64_t between = physical_now();

		agree = agree && between >= before && now() >= between;
	}
	check(monotone, "time never goes back");
	check(last > t, "time goes on");
	check(t < 3600 * machine.frequency, "time starts near zero");
	check(agree, "both counters show one time");
	check(machine.frequency >= 1000000, "CNTFRQ_EL0 is told");
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, watch_clock, 200);
	self()->job_arg = 200;
	watch_clock(self());
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		check(cpu_join(slot, 5000) && cpus[slot].result > 0,
		      "CPU 0x%lx reads the clock", machine.affinity[slot]);
	check(!backwards, "time never goes back from CPU to CPU");
}

/* ---- Registers ---- */

static bool close_to(int64_t got, int64_t want)
{
	int64_t late = want - got;

	return late >= 0 && late < (int64_t)ms_to_ticks(LATE_MS);
}

static void registers(const struct timer *t)
{
	uint64_t base;

	t->set_ctl(0);
	t->set_cval(~0ull);
	check_eq(t->cval(), ~0ull, "%s: CVAL keeps its value", t->name);
	/* QEMU 7.2 stands still when an enabled timer is due after the physical
	 * counter's end, which CVAL + CNTVOFF_EL2 would be. */
	t->set_cval(~0ull >> 2);
	t->set_ctl(CTL_ENABLE | CTL_IMASK);
	check_eq(t->ctl(), CTL_ENABLE | CTL_IMASK,
		 "%s: CTL too; the condition does not hold", t->name);
	t->set_cval(0);
	check_eq(t->ctl(), CTL_ENABLE | CTL_IMASK | CTL_ISTATUS,
		 "%s: long ago: it holds", t->name);
	t->set_ctl(~0ull);
	check_eq(t->ctl(), CTL_ENABLE | CTL_IMASK | CTL_ISTATUS,
		 "%s: other bits of CTL do not exist", t->name);
	base = t->count();
	t->set_tval(ms_to_ticks(5000));
	check(t->cval() - base - ms_to_ticks(5000) < ms_to_ticks(LATE_MS),
	      "%s: TVAL sets CVAL", t->name);
	check(close_to((int32_t)t->tval(), (int64_t)ms_to_ticks(5000)),
	      "%s: TVAL counts down", t->name);
	t->set_tval(0xffffffffull); /* -1 */
	check((t->ctl() & CTL_ISTATUS) != 0 && (int32_t)t->tval() < 0,
	      "%s: TVAL has a sign", t->name);
	base = t->count();
	t->set_cval(base + (1ull << 40));
	check(close_to((int32_t)t->tval(), 0) ||
		      (uint32_t)t->tval() > 0x80000000u,
	      "%s: TVAL shows the lower half", t->name);
	t->set_cval(0);
	t->set_ctl(CTL_IMASK);
	check_eq(t->ctl() & (CTL_ENABLE | CTL_IMASK), CTL_IMASK,
		 "%s: CTL disabled and masked", t->name);
	t->set_ctl(0);
}

/* ---- The level ---- */

/* See struct axvm_hal, take_vtimer. */
static bool is_masked_by_host(const struct timer *t)
{
	return machine.masked_vtimer && t->intid == PPI_VIRTUAL;
}

static bool waits(const struct timer *t)
{
	return irq_waits() && gic_is_pending(self(), t->intid);
}

/* "In finite time" it is taken away. */
static bool goes(const struct timer *t)
{
	return wait_for(!waits(t), 100);
}

static void level(const struct timer *t)
{
	struct cpu *c = self();
	uint32_t n = t->intid;
	bool up, masked, later, again, gone;
	uint32_t got;

	irqs_off();
	gic_enable(c, n, true);
	t->set_ctl(0);
	t->set_cval(0);
	gone = goes(t);
	t->set_ctl(CTL_ENABLE | CTL_IMASK);
	masked = goes(t);
	t->set_ctl(CTL_ENABLE);
	up = waits(t);
	t->set_ctl(CTL_ENABLE | CTL_IMASK);
	masked = masked && goes(t);
	t->set_ctl(CTL_ENABLE);
	up = up && waits(t);
	t->set_cval(t->count() + ms_to_ticks(3000));
	later = goes(t);
	t->set_cval(0);
	got = (uint32_t)icc_read(ICC_IAR1_EL1);
	again = !irq_waits();
	icc_write(ICC_EOIR1_EL1, got);
	again = again && waits(t);
	t->set_ctl(0);
	check(gone, "%s: disabled: no interrupt", t->name);
	check(up, "%s: due: an interrupt waits", t->name);
	if (is_masked_by_host(t))
		skip("IMASK is the host's", "%s: IMASK takes it away", t->name);
	else
		check(masked, "%s: IMASK takes it away", t->name);
	check(later, "%s: so does a later CVAL", t->name);
	check_eq(got, n, "%s: it is PPI %u", t->name, n);
	check(again, "%s: ended with the timer due: it comes again", t->name);
	check(goes(t), "%s: disabled while it waits: gone", t->name);
}

/* ---- Interrupts ---- */

/* The handler masks the timer, which stays due: no interrupt must follow. */
static bool once(const struct timer *t)
{
	struct cpu *c = self();
	uint64_t count = c->timer_irqs;

	t->set_cval(t->count());
	t->set_ctl(CTL_ENABLE);
	irqs_on();
	(void)wait_for(c->timer_irqs != count, LATE_MS);
	delay_ms(10);
	irqs_off();
	t->set_ctl(0);
	return c->timer_irqs == count + 1;
}

/* True when one came not before `when` and not much after. */
static bool arrives(const struct timer *t, uint64_t when, bool asleep)
{
	struct cpu *c = self();
	uint64_t count = c->timer_irqs;
	uint64_t end = now() + ms_to_ticks(LATE_MS);

	t->set_cval(when);
	t->set_ctl(CTL_ENABLE);
	if (asleep) {
		/* Masked: it ends WFI, and is taken here. */
		while (c->timer_irqs == count && now() < end) {
			__asm__ volatile("wfi");
			irqs_on();
			irqs_off();
		}
	} else {
		irqs_on();
		(void)wait_for(c->timer_irqs != count, LATE_MS);
		irqs_off();
	}
	t->set_ctl(0);
	if (c->timer_irqs != count && c->timer_at >= when)
		return true;
	note("%s: %lu interrupts, at %ld ticks after", t->name,
	     c->timer_irqs - count, c->timer_at - when);
	return false;
}

static void interrupts(const struct timer *t)
{
	struct cpu *c = self();
	uint64_t count;
	uint32_t good = 0;

	for (uint32_t asleep = 0; asleep < 2; asleep++) {
		const char *how = asleep ? "asleep" : "awake";

		check(arrives(t, t->count() + ms_to_ticks(10), asleep),
		      "%s: 10 ms, %s", t->name, how);
		check(arrives(t, t->count(), asleep), "%s: now, %s", t->name,
		      how);
		check(arrives(t, 0, asleep), "%s: long ago, %s", t->name, how);
		good = 0;
		for (uint32_t i = 0; i < 20; i++)
			good += arrives(t, t->count() + ms_to_ticks(2), asleep);
		check_eq(good, 20, "%s: twenty times 2 ms, %s", t->name, how);
	}
	if (is_masked_by_host(t))
		skip("IMASK is the host's", "%s: masked by its handler: once",
		     t->name);
	else
		check(once(t), "%s: masked by its handler: once", t->name);
	count = c->timer_irqs;
	t->set_cval(t->count() + ms_to_ticks(20));
	t->set_ctl(CTL_ENABLE);
	t->set_ctl(0);
	irqs_on();
	delay_ms(50);
	irqs_off();
	check_eq(c->timer_irqs, count, "%s: disarmed: none", t->name);
	gic_enable(c, t->intid, false);
	t->set_cval(0);
	t->set_ctl(CTL_ENABLE);
	irqs_on();
	delay_ms(5);
	irqs_off();
	check_eq(c->timer_irqs, count, "%s: disabled in the GIC: none",
		 t->name);
	t->set_ctl(0);
	gic_enable(c, t->intid, true);
}

/* Interrupts of either timer in the order they came in; it is disabled. */
static volatile uint32_t came[4];
static volatile uint32_t came_count;

static void note_order(struct cpu *c, uint32_t intid)
{
	(void)c;
	if (came_count < COUNT_OF(came))
		came[came_count] = intid;
	came_count++;
	if (intid == PPI_VIRTUAL)
		set_cntv_ctl(0);
	else
		set_cntp_ctl(0);
}

/* Both, the later one first. True if neither was due yet when interrupts opened:
 * of two that wait the GIC may take either first. */
static bool arm_both(uint64_t t)
{
	bool in_time;

	came_count = 0;
	set_cntp_cval(t + ms_to_ticks(20));
	set_cntv_cval(t + ms_to_ticks(10));
	set_cntp_ctl(CTL_ENABLE);
	set_cntv_ctl(CTL_ENABLE);
	in_time = now() - t < ms_to_ticks(10);
	irqs_on();
	(void)wait_for(came_count >= 2, LATE_MS);
	delay_ms(5);
	irqs_off();
	return in_time;
}

static void together(void)
{
	struct cpu *c = self();
	uint32_t tries = 0;

	c->on_irq = note_order;
	while (!arm_both(now()) && ++tries < 20)
		;
	c->on_irq = NULL;
	check_eq(came_count, 2, "both come, once");
	if (tries == 20) {
		skip("too busy a machine", "the earlier one first");
		return;
	}
	check_eq(came[0], PPI_VIRTUAL, "the earlier one first");
	check_eq(came[1], PPI_PHYSICAL, "then the other");
}

/* ---- All CPUs ---- */

#define TICKS 30u

static void tick_job(struct cpu *c)
{
	gic_enable(c, PPI_VIRTUAL, true);
	gic_enable(c, PPI_PHYSICAL, true);
	for (uint32_t i = 0; i < TICKS; i++) {
		const struct timer *t = &timers[i % 2];

		c->result += arrives(t, t->count() + ms_to_ticks(1 + i % 4),
				     i % 3 == 0);
	}
}

static void everywhere(void)
{
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, tick_job, 0);
	self()->result = 0;
	tick_job(self());
	check_eq(self()->result, TICKS, "timers of the boot CPU");
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		(void)cpu_join(slot, 10000);
		check_eq(cpus[slot].result, TICKS, "timers of CPU 0x%lx",
			 machine.affinity[slot]);
	}
}

/* A stopped CPU's timer must not wake or disturb the next start. */
static void leave_armed(struct cpu *c)
{
	gic_enable(c, PPI_VIRTUAL, true);
	set_cntv_cval(0);
	set_cntv_ctl(CTL_ENABLE);
	c->result = waits(&timers[0]);
}

static void look(struct cpu *c)
{
	c->result = 1 + (sys_read(cntv_ctl_el0) & CTL_ENABLE);
}

static void stopped(void)
{
	if (machine.cpu_count < 2)
		return;
	(void)cpu_start(1, leave_armed, 0);
	check(cpu_join(1, 2000) && cpus[1].result == 1,
	      "a CPU stops with its timer due");
	(void)cpu_start(1, look, 0);
	check(cpu_join(1, 2000) && cpus[1].result >= 1, "and starts again");
	if (machine.axvm)
		check_eq(cpus[1].result, 1, "with its timer off");
	else
		skip("QEMU keeps it", "with its timer off");
}

void suite(void)
{
	clock();
	for (uint32_t i = 0; i < COUNT_OF(timers); i++) {
		registers(&timers[i]);
		level(&timers[i]);
		interrupts(&timers[i]);
	}
	together();
	everywhere();
	stopped();
}
