/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Conversions between the guest-visible counter and the host's nanoseconds,
 * without 128-bit arithmetic. No state.
 */
#include "internal.h"

#define NS_PER_SECOND UINT64_C(1000000000)

uint64_t axvmi_ticks_to_ns(uint64_t ticks, uint64_t hz)
{
	uint64_t seconds = ticks / hz;
	uint64_t rest = ticks % hz;
	uint64_t ns;

	if (seconds >= UINT64_MAX / NS_PER_SECOND)
		return UINT64_MAX;
	/* rest < hz < 2^32 and 10^9 < 2^30: no overflow. Rounded up, so that a
	 * deadline is never early; to one second at most, for which the check
	 * above has left room. */
	ns = (rest * NS_PER_SECOND + hz - 1) / hz;
	return seconds * NS_PER_SECOND + ns;
}

uint64_t axvmi_deadline_in(struct axvm_host *host, uint64_t ticks)
{
	uint64_t now, ns;

	if (host->hal.now == NULL || host->hal.counter_hz == 0)
		return AXVM_NO_DEADLINE;
	now = host->hal.now(host->hal.ctx);
	ns = axvmi_ticks_to_ns(ticks, host->hal.counter_hz);
	return ns < AXVM_NO_DEADLINE - now ? now + ns : AXVM_NO_DEADLINE;
}
