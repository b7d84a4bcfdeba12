/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The Goldfish RTC of QEMU's RISC-V machine, its interrupt through the PLIC. Only
 * one CPU at a time listens.
 */
#include "rtc.h"

#define RTC 0x20101000ull
#define NS_PER_MS 1000000ull

/* Goldfish virtual platform, "RTC": 32-bit registers. */
#define TIME_LOW (RTC + 0x00)
#define TIME_HIGH (RTC + 0x04)
#define ALARM_LOW (RTC + 0x08)
#define ALARM_HIGH (RTC + 0x0c)
#define IRQ_ENABLED (RTC + 0x10)
#define CLEAR_INTERRUPT (RTC + 0x1c)

const uint32_t rtc_irq = 11;
static uint64_t alarm;
static volatile bool held;

/* Reading the lower half latches the upper one. */
static uint64_t rtc_now(void)
{
	uint64_t low = read32(TIME_LOW);

	return (uint64_t)read32(TIME_HIGH) << 32 | low;
}

bool rtc_is_on(void)
{
	return read32(IRQ_ENABLED) != 0;
}

void rtc_on(void)
{
	write32(CLEAR_INTERRUPT, 1);
	write32(IRQ_ENABLED, 1);
}

void rtc_off(void)
{
	write32(IRQ_ENABLED, 0);
}

uint64_t rtc_seconds(void)
{
	return rtc_now() / 1000 / NS_PER_MS;
}

bool rtc_goes_on(void)
{
	uint64_t first = rtc_now();

	delay_ms(5);
	return rtc_now() - first >= 4 * NS_PER_MS;
}

/* Writing the lower half starts it. */
void rtc_alarm(void)
{
	alarm = rtc_now() + 2 * NS_PER_MS;
	write32(ALARM_HIGH, (uint32_t)(alarm >> 32));
	write32(ALARM_LOW, (uint32_t)alarm);
}

bool rtc_is_early(void)
{
	return rtc_now() < alarm;
}

void rtc_silence(void)
{
	write32(CLEAR_INTERRUPT, 1);
}

static uint32_t context(const struct cpu *c)
{
	return machine.plic_context[c - cpus];
}

static void on_ext(struct cpu *c)
{
	rtc_rang(read32(PLIC_CLAIM(context(c))));
	if (!held)
		rtc_end(c);
}

void rtc_listen(struct cpu *c, bool on)
{
	c->on_ext = on_ext;
	write32(PLIC_PRIORITY(rtc_irq), 1);
	write32(PLIC_THRESHOLD(context(c)), 0);
	write32(PLIC_ENABLE(context(c), 0), on ? 1u << rtc_irq : 0);
	csr_set(sie, IRQ_EXT);
}

bool rtc_pending(void)
{
	return (read32(PLIC_PENDING(0)) >> rtc_irq & 1) != 0;
}

void rtc_hold(bool hold)
{
	held = hold;
}

void rtc_end(const struct cpu *c)
{
	write32(PLIC_CLAIM(context(c)), rtc_irq);
}

void rtc_reboot(void)
{
	(void)sbi(SBI_SRST, 0, 1, 0);
}
