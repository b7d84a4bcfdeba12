/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What the files of the self test know of each other. One run lives on the
 * stack of its caller; nothing is shared.
 */
#ifndef AXVMI_SELFTEST_H
#define AXVMI_SELFTEST_H

#include "arch_ops.h"
#include "axvm/error.h"
#include "axvm/selftest.h"

struct selftest {
	const struct axvm_hal *hal;
	struct axvm_selftest how; /* zeroes if the caller gave none */
	struct axvm_selftest_report report;
	uint64_t last_now;
};

/* A clause is broken; returns AXVM_EHAL. */
int axvmi_selftest_fail(struct selftest *t, enum axvm_selftest_clause clause,
			const char *detail, uint64_t found, uint64_t wanted);

static inline void selftest_held(struct selftest *t,
				 enum axvm_selftest_clause clause)
{
	t->report.checked |= UINT64_C(1) << clause;
}

/* The parts, in the order they run: 0 or an error, the report filled. */
int axvmi_selftest_memory(struct selftest *t); /* ALLOC to FREE */
int axvmi_selftest_clocks(struct selftest *t); /* NOW to WALLCLOCK */
int axvmi_selftest_masking(struct selftest *t); /* INTERRUPTS */
int axvmi_selftest_signals(struct selftest *t); /* KICK and TIMER */

#endif
