/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A device of the machine below, passed through: the Goldfish RTC of QEMU's
 * virt machine, whose alarm interrupts. It is at RTC here, which is not its own
 * address; nothing emulates it. The suite runs twice, with a reboot in between
 * that leaves an alarm claimed; the device itself, which no reboot of a guest
 * resets, tells which time it is.
 */
#include "payload.h"

#define RTC 0x20101000ull
#define RTC_IRQ 11u
#define ROUNDS 20u
#define NS_PER_MS 1000000ull
#define LATE_MS 2000u

/* Goldfish virtual platform, "RTC": 32-bit registers. */
#define TIME_LOW (RTC + 0x00)
#define TIME_HIGH (RTC + 0x04)
#define ALARM_LOW (RTC + 0x08)
#define ALARM_HIGH (RTC + 0x0c)
#define IRQ_ENABLED (RTC + 0x10)
#define CLEAR_INTERRUPT (RTC + 0x1c)

static uint64_t claimed; /* by the last handler */
static uint64_t alarm;
static volatile bool early;

/* Reading the lower half latches the upper one. */
static uint64_t rtc_now(void)
{
	uint64_t low = read32(TIME_LOW);

	return (uint64_t)read32(TIME_HIGH) << 32 | low;
}

/* Writing the lower half starts it. */
static void arm_in(uint64_t ms)
{
	alarm = rtc_now() + ms * NS_PER_MS;
	write32(ALARM_HIGH, (uint32_t)(alarm >> 32));
	write32(ALARM_LOW, (uint32_t)alarm);
}

static uint32_t context(const struct cpu *h)
{
	return machine.plic_context[h - cpus];
}

static void enable(struct cpu *h, bool on)
{
	write32(PLIC_ENABLE(context(h), 0), on ? 1u << RTC_IRQ : 0);
}

static bool pending(void)
{
	return (read32(PLIC_PENDING(0)) >> RTC_IRQ & 1) != 0;
}

static void complete(struct cpu *h)
{
	write32(PLIC_CLAIM(context(h)), RTC_IRQ);
}

/* Leaves it claimed. */
static void take(struct cpu *h)
{
	claimed = read32(PLIC_CLAIM(context(h)));
	early = rtc_now() < alarm;
	write32(CLEAR_INTERRUPT, 1);
}

static void serve(struct cpu *h)
{
	take(h);
	complete(h);
}

static void interrupts(bool on)
{
	if (on) {
		csr_set(sie, IRQ_EXT);
		csr_set(sstatus, SSTATUS_SIE);
	} else {
		csr_clear(sstatus, SSTATUS_SIE);
		csr_clear(sie, IRQ_EXT);
	}
}

/* One alarm, one interrupt, not early and of the right source. */
static bool one_alarm(struct cpu *h)
{
	uint64_t count = h->ext_irqs;

	claimed = 0;
	arm_in(2);
	(void)wait_for(h->ext_irqs != count, LATE_MS);
	return h->ext_irqs == count + 1 && claimed == RTC_IRQ && !early;
}

static void clock(void)
{
	uint64_t first = rtc_now();

	delay_ms(5);
	check(rtc_now() - first >= 4 * NS_PER_MS, "the clock goes on");
	/* A guest without a clock of its own would see one of 1970. */
	check(first / 1000 / NS_PER_MS > 1600000000, "and shows the time");
}

static void alarms(struct cpu *h)
{
	uint64_t count = h->ext_irqs;
	uint32_t good = 0;

	h->on_ext = serve;
	interrupts(true);
	for (uint32_t i = 0; i < ROUNDS; i++)
		good += one_alarm(h);
	delay_ms(5);
	interrupts(false);
	check_eq(good, ROUNDS, "each alarm interrupts");
	check_eq(h->ext_irqs - count, ROUNDS, "and does so once");
}

/* The host's own interrupt stays masked until the guest has ended its. */
static void late_completion(struct cpu *h)
{
	uint64_t count = h->ext_irqs;

	h->on_ext = take;
	interrupts(true);
	check(one_alarm(h), "an alarm is claimed");
	h->on_ext = serve;
	arm_in(1);
	delay_ms(20);
	check_eq(h->ext_irqs, count + 1, "the next one waits for its end");
	check(!pending(), "outside this machine");
	complete(h);
	check(wait_for(h->ext_irqs == count + 2, LATE_MS), "and comes then");
	check(one_alarm(h), "as do the ones after it");
	interrupts(false);
}

static void switched_off(struct cpu *h)
{
	uint64_t count = h->ext_irqs;

	h->on_ext = serve;
	interrupts(true);
	enable(h, false);
	arm_in(1);
	check(wait_for(pending(), LATE_MS), "not enabled: pending");
	check_eq(h->ext_irqs, count, "but not delivered");
	enable(h, true);
	check(wait_for(h->ext_irqs == count + 1, LATE_MS),
	      "enabled: delivered");
	/* Ends nothing, neither here nor on the host. */
	complete(h);
	complete(h);
	check(one_alarm(h), "completing without a claim is harmless");
	interrupts(false);
}

static void take_one(struct cpu *h)
{
	h->ext_irqs = 0;
	h->on_ext = serve;
	write32(PLIC_THRESHOLD(context(h)), 0);
	enable(h, true);
	interrupts(true);
	h->result = one_alarm(h);
	interrupts(false);
	enable(h, false);
}

static void other_harts(struct cpu *me)
{
	enable(me, false);
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		(void)cpu_start(slot, take_one, 0);
		check(cpu_join(slot, 2 * LATE_MS) && cpus[slot].result,
		      "hart %lu takes one", machine.hart_id[slot]);
	}
	enable(me, true);
}

static void reboot_with_a_claim(struct cpu *h)
{
	h->on_ext = take;
	interrupts(true);
	check(one_alarm(h), "an alarm is claimed before the reboot");
	(void)sbi(SBI_SRST, 0, 1, 0);
	bail_out("the reboot returned");
}

void suite(void)
{
	struct cpu *h = self();
	bool again = read32(IRQ_ENABLED) != 0;

	if (!check(machine.plic_base != 0, "the device tree has a PLIC"))
		return;
	note("boot number %u", again ? 2 : 1);
	write32(CLEAR_INTERRUPT, 1);
	write32(IRQ_ENABLED, 1);
	write32(PLIC_PRIORITY(RTC_IRQ), 1);
	write32(PLIC_THRESHOLD(context(h)), 0);
	enable(h, true);
	clock();
	alarms(h);
	late_completion(h);
	switched_off(h);
	other_harts(h);
	if (!again)
		reboot_with_a_claim(h);
	write32(IRQ_ENABLED, 0);
}
