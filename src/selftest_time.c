/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The self test of a host's clocks, and of the two callbacks that must make an
 * interrupt happen. Every loop ends by time or, as time may stand still, after
 * so many looks.
 */
#include "selftest.h"

#include "bits.h"
#include "internal.h"

#define NS_PER_MS UINT64_C(1000000)
#define PATIENCE (100 * NS_PER_MS)
/* A clock that has not moved after so many looks stands still. */
#define LOOKS (1u << 22)
/* How long now and the counter are compared, and by what part of that they may
 * differ. */
#define RATE_NS (10 * NS_PER_MS)
#define RATE_PART 64u
/* A date of the year 2514: no seconds, if it is later. */
#define LAST_SECOND (UINT64_C(1) << 34)
#define SOON_NS (2 * NS_PER_MS)
#define FAR_NS (3600000 * NS_PER_MS)

/* ---- now ---- */

/* Reads now; false if it went back. */
static bool read_now(struct selftest *t, uint64_t *now)
{
	*now = t->hal->now(t->hal->ctx);
	if (*now < t->last_now)
		return false;
	t->last_now = *now;
	return true;
}

static int went_back(struct selftest *t, uint64_t now)
{
	return axvmi_selftest_fail(t, AXVM_CLAUSE_NOW, "now went back", now,
				   t->last_now);
}

static int check_now(struct selftest *t)
{
	uint64_t first = t->hal->now(t->hal->ctx);
	uint64_t now = first;

	if (first < t->how.not_before)
		return axvmi_selftest_fail(t, AXVM_CLAUSE_NOW,
					   "now is behind that of another CPU",
					   first, t->how.not_before);
	t->last_now = first;
	for (unsigned i = 0; i < LOOKS && now == first; i++) {
		if (!read_now(t, &now))
			return went_back(t, now);
	}
	if (now == first)
		return axvmi_selftest_fail(t, AXVM_CLAUSE_NOW,
					   "now stands still", now, 0);
	return AXVM_OK;
}

/* ---- the counter ---- */

/* now between two looks at the counter: whoever interrupts us in between makes
 * the bounds wider and not the comparison wrong. */
struct instant {
	uint64_t before, now, after;
};

static bool look(struct selftest *t, struct instant *at)
{
	at->before = t->how.backend->counter();
	if (!read_now(t, &at->now))
		return false;
	at->after = t->how.backend->counter();
	return true;
}

static int check_rate(struct selftest *t)
{
	uint64_t hz = t->hal->counter_hz;
	struct instant from, to;
	uint64_t ns = 0, least = 0, most = 0;

	if (!look(t, &from))
		return went_back(t, from.now);
	for (unsigned i = 0; i < LOOKS && ns < RATE_NS && least < 2 * RATE_NS;
	     i++) {
		if (!look(t, &to))
			return went_back(t, to.now);
		ns = to.now - from.now;
		/* A counter that stands or goes back has no time between. */
		least = to.before <= from.after
				? 0
				: axvmi_ticks_to_ns(to.before - from.after, hz);
		most = to.after <= from.before
			       ? 0
			       : axvmi_ticks_to_ns(to.after - from.before, hz);
	}
	if (ns < least - least / RATE_PART)
		return axvmi_selftest_fail(
			t, AXVM_CLAUSE_RATE,
			"now is slower than the counter at counter_hz: ns", ns,
			least);
	if (ns > most + most / RATE_PART)
		return axvmi_selftest_fail(
			t, AXVM_CLAUSE_RATE,
			"now is faster than the counter at counter_hz: ns", ns,
			most);
	selftest_held(t, AXVM_CLAUSE_RATE);
	return AXVM_OK;
}

static int check_wallclock(struct selftest *t)
{
	uint64_t first = t->hal->wallclock(t->hal->ctx);
	uint64_t second = t->hal->wallclock(t->hal->ctx);

	if (second < first)
		return axvmi_selftest_fail(t, AXVM_CLAUSE_WALLCLOCK,
					   "wallclock went back", second,
					   first);
	if (second > LAST_SECOND)
		return axvmi_selftest_fail(
			t, AXVM_CLAUSE_WALLCLOCK,
			"wallclock is far in the future: no seconds?", second,
			LAST_SECOND);
	selftest_held(t, AXVM_CLAUSE_WALLCLOCK);
	return AXVM_OK;
}

int axvmi_selftest_clocks(struct selftest *t)
{
	int err = AXVM_OK;

	if (t->hal->now != NULL) {
		err = check_now(t);
		if (err == AXVM_OK && t->how.backend != NULL &&
		    t->hal->counter_hz != 0)
			err = check_rate(t);
		if (err == AXVM_OK)
			selftest_held(t, AXVM_CLAUSE_NOW);
	}
	if (err == AXVM_OK && t->hal->wallclock != NULL)
		err = check_wallclock(t);
	return err;
}

/* ---- kick and timer ---- */

static uint64_t patience(const struct selftest *t)
{
	return t->how.patience == 0 ? PATIENCE : t->how.patience;
}

/* 0 where there is no clock: then only looks are counted. */
static uint64_t now_or_zero(struct selftest *t)
{
	return t->hal->now == NULL ? 0 : t->hal->now(t->hal->ctx);
}

/* Nothing is pending: what will be is what we caused, or the host's tick. */
static bool nothing_pends(struct selftest *t)
{
	t->how.take_interrupts(t->how.ctx);
	return !t->how.interrupt_pending(t->how.ctx);
}

/*
 * Waits for an interrupt while now is less than `patience` after `start`; *when
 * is when it was seen, 0 where there is no clock. The look at the interrupt
 * comes after the one at the clock.
 */
static bool interrupt_comes(struct selftest *t, uint64_t start, uint64_t *when)
{
	*when = 0;
	for (unsigned still = 0; still < LOOKS; still++) {
		uint64_t now = now_or_zero(t);

		if (now != *when)
			still = 0;
		*when = now;
		if (t->how.interrupt_pending(t->how.ctx))
			return true;
		if (now > start && now - start >= patience(t))
			return false;
	}
	return false;
}

static int check_kick(struct selftest *t)
{
	uint64_t start, when;

	if (t->hal->kick == NULL || !nothing_pends(t))
		return AXVM_OK;
	start = now_or_zero(t);
	t->hal->kick(t->hal->ctx, t->how.cpu);
	if (!interrupt_comes(t, start, &when))
		return axvmi_selftest_fail(
			t, AXVM_CLAUSE_KICK,
			"no interrupt is pending after a kick of this CPU",
			when - start, patience(t));
	t->report.kick_ns = when - start;
	t->how.take_interrupts(t->how.ctx);
	selftest_held(t, AXVM_CLAUSE_KICK);
	return AXVM_OK;
}

/* Asks for a deadline; false if the interrupt does not come in time. *late is
 * how late it is seen. */
static bool deadline_kept(struct selftest *t, uint64_t deadline, uint64_t *late)
{
	uint64_t asked = t->hal->now(t->hal->ctx);
	uint64_t due = deadline < asked ? asked : deadline;
	uint64_t when;
	bool came;

	t->hal->timer(t->hal->ctx, deadline);
	came = interrupt_comes(t, due, &when);
	*late = when < due ? 0 : when - due;
	if (*late > t->report.timer_late_ns)
		t->report.timer_late_ns = *late;
	return came;
}

static int check_deadlines(struct selftest *t)
{
	static const char *const details[] = {
		"no interrupt came at the deadline: late by",
		"none came for a deadline that is past: late by",
		"none came for a deadline that replaces one: late by",
	};

	for (size_t i = 0; i < ARRAY_SIZE(details); i++) {
		uint64_t now = t->hal->now(t->hal->ctx);
		uint64_t late;

		if (!nothing_pends(t))
			return AXVM_OK;
		if (i == 2)
			t->hal->timer(t->hal->ctx, now + FAR_NS);
		if (!deadline_kept(t, i == 1 ? now / 2 : now + SOON_NS, &late))
			return axvmi_selftest_fail(t, AXVM_CLAUSE_TIMER,
						   details[i], late,
						   patience(t));
	}
	selftest_held(t, AXVM_CLAUSE_TIMER);
	return AXVM_OK;
}

static int check_timer(struct selftest *t)
{
	int err;

	if (t->hal->timer == NULL || t->hal->now == NULL)
		return AXVM_OK;
	err = check_deadlines(t);
	t->hal->timer(t->hal->ctx, UINT64_MAX);
	t->how.take_interrupts(t->how.ctx);
	return err;
}

/* Without the backend nobody masks, and what comes is taken before it is seen. */
int axvmi_selftest_signals(struct selftest *t)
{
	uint64_t saved;
	int err;

	if (t->how.backend == NULL || t->how.interrupt_pending == NULL)
		return AXVM_OK;
	saved = t->how.backend->interrupts_save();
	err = check_kick(t);
	if (err == AXVM_OK)
		err = check_timer(t);
	t->how.backend->interrupts_restore(saved);
	return err;
}
