/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Is this kernel the host that the library needs? Asked on every CPU before it
 * runs guests; a kernel that is being written stops here with what is wrong.
 */
#include "host.h"

/* An emulator on a busy machine is late with its timers. */
#define PATIENCE_NS 2000000000u

static uint64_t first_now; /* of CPU 0, before the others start */

static bool interrupt_pending(void *ctx)
{
	(void)ctx;
	return board_irq_pending();
}

static void take_interrupts(void *ctx)
{
	(void)ctx;
	board_take_irqs();
}

static uint64_t free_bytes(void *ctx)
{
	(void)ctx;
	return heap_free_bytes;
}

static void print_report(const struct axvm_selftest_report *report)
{
	const char *before = ", not checked: ";

	print("hal: ok, kick %lu us, timer late by %lu us",
	      report->kick_ns / 1000, report->timer_late_ns / 1000);
	for (uint32_t i = 0; i < AXVM_CLAUSES; i++) {
		if ((report->checked >> i & 1) != 0)
			continue;
		print("%s%s", before,
		      axvm_selftest_clause_name((enum axvm_selftest_clause)i));
		before = ", ";
	}
	print("\n");
}

void self_test(const struct axvm_hal *hal, uint32_t cpu)
{
	struct axvm_selftest how = {
		.size = sizeof(how),
		.backend = board.backend,
		.cpu = cpu,
		.interrupt_pending = interrupt_pending,
		.take_interrupts = take_interrupts,
		.not_before = first_now,
		.patience = PATIENCE_NS,
	};
	struct axvm_selftest_report report;
	struct axvm_hal quiet = *hal;

	/* Beside CPUs that run guests: they allocate, and own the console. */
	if (cpu == 0)
		how.free_bytes = free_bytes;
	else
		quiet.log = NULL;
	if (axvm_hal_selftest(&quiet, &how, &report) != AXVM_OK)
		panic("hal: CPU %u: %s: %s (0x%lx, 0x%lx)", cpu, report.clause,
		      report.detail, report.found, report.wanted);
	if (cpu == 0) {
		first_now = board_now();
		print_report(&report);
	}
}
