/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The PL031 of QEMU's ARM machine, its interrupt through the GIC, ended in one
 * step or in two. Only one CPU at a time listens.
 */
#include "rtc.h"

/* PL031 TRM, "Summary of RTC registers": counts seconds. */
#define RTC 0x0a010000ull
#define RTC_DR (RTC + 0x00)
#define RTC_MR (RTC + 0x04)
#define RTC_IMSC (RTC + 0x10)
#define RTC_RIS (RTC + 0x14)
#define RTC_ICR (RTC + 0x1c)

#define EOIMODE 2u

const uint32_t rtc_irq = 34;
static uint32_t alarm;

bool rtc_is_on(void)
{
	return read32(RTC_IMSC) != 0;
}

void rtc_on(void)
{
	write32(RTC_ICR, 1);
	write32(RTC_IMSC, 1);
}

void rtc_off(void)
{
	write32(RTC_IMSC, 0);
}

uint64_t rtc_seconds(void)
{
	return read32(RTC_DR);
}

bool rtc_goes_on(void)
{
	uint32_t first = read32(RTC_DR);

	return wait_for(read32(RTC_DR) != first, 3000);
}

/* Of this second, which must not end in between. */
void rtc_alarm(void)
{
	write32(RTC_IMSC, 0);
	do {
		alarm = read32(RTC_DR);
		write32(RTC_MR, alarm);
	} while (read32(RTC_RIS) == 0);
	write32(RTC_IMSC, 1);
}

bool rtc_is_early(void)
{
	return read32(RTC_DR) < alarm;
}

void rtc_silence(void)
{
	write32(RTC_ICR, 1);
}

static void on_irq(struct cpu *c, uint32_t intid)
{
	(void)c;
	rtc_rang(intid);
}

void rtc_listen(struct cpu *c, bool on)
{
	c->on_irq = on_irq;
	gic_priority(c, rtc_irq, 0xa0);
	gic_edge(c, rtc_irq, false);
	gic_route(rtc_irq, c->affinity);
	gic_enable(c, rtc_irq, on);
}

bool rtc_pending(void)
{
	return gic_is_pending(self(), rtc_irq);
}

/* The write to ICC_EOIR1_EL1 leaves it active then. */
void rtc_hold(bool hold)
{
	icc_write(ICC_CTLR_EL1, hold ? EOIMODE : 0);
}

void rtc_end(const struct cpu *c)
{
	(void)c;
	if ((icc_read(ICC_CTLR_EL1) & EOIMODE) != 0)
		icc_write(ICC_DIR_EL1, rtc_irq);
	else
		icc_write(ICC_EOIR1_EL1, rtc_irq);
}

void rtc_reboot(void)
{
	(void)psci(PSCI_SYSTEM_RESET, 0, 0, 0);
}
