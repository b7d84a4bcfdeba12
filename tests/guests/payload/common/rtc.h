/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What the suite rtc asks of the machine: where its clock is and what it looks
 * like, and how its interrupt is taken.
 */
#ifndef RTC_H
#define RTC_H

#include "payload.h"

/* The suite's: the interrupt of an alarm, or another, is claimed. */
void rtc_rang(uint32_t source);

/* ---- the device ---- */

/* Its interrupt is on since an earlier boot. */
bool rtc_is_on(void);
void rtc_on(void);
void rtc_off(void);
uint64_t rtc_seconds(void); /* since 1970 */
/* Waits for its time to change. */
bool rtc_goes_on(void);
/* Soon, once. */
void rtc_alarm(void);
/* The time of the last alarm has not come. */
bool rtc_is_early(void);
/* Takes the interrupt back. */
void rtc_silence(void);

/* ---- its interrupt, and the machine ---- */

extern const uint32_t rtc_irq;
/* This CPU takes it, or none does. */
void rtc_listen(struct cpu *c, bool on);
bool rtc_pending(void);
/* What is taken stays claimed until rtc_end(). Off at first. */
void rtc_hold(bool hold);
void rtc_end(const struct cpu *c);
void rtc_reboot(void);

#endif
