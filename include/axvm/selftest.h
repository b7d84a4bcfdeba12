/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A check of the host: does its struct axvm_hal keep the contract of hal.h?
 * Clause by clause; the first that is broken is named. For the bring-up of a
 * kernel, and cheap enough (some tens of milliseconds) to stay in.
 */
#ifndef AXVM_SELFTEST_H
#define AXVM_SELFTEST_H

#include "hal.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The clauses: memory, clocks, interrupts. */
enum axvm_selftest_clause {
	/* The size, the mandatory callbacks, the range of counter_hz. */
	AXVM_CLAUSE_STRUCT = 0,
	/* alloc gives memory. */
	AXVM_CLAUSE_ALLOC,
	/* At the multiple asked for, of up to 64 KiB: the pointer and the
	 * physical address. */
	AXVM_CLAUSE_ALLOC_ALIGN,
	/* No two pieces share an address. */
	AXVM_CLAUSE_ALLOC_DISTINCT,
	/* Physical and virtual address agree in their low 12 bits. */
	AXVM_CLAUSE_PAGE_OFFSET,
	/* A piece is contiguous in physical memory. */
	AXVM_CLAUSE_CONTIGUOUS,
	/* phys_to_virt takes back what virt_to_phys did. */
	AXVM_CLAUSE_TRANSLATE,
	/* phys_to_virt is linear inside a page. */
	AXVM_CLAUSE_PAGE_LINEAR,
	/* linear and virt_offset say what the translators say. */
	AXVM_CLAUSE_LINEAR,
	/* No two pieces share a physical address. */
	AXVM_CLAUSE_PHYS_DISTINCT,
	/* A piece keeps what was written to it, whatever else is allocated. */
	AXVM_CLAUSE_ALLOC_MEMORY,
	/* Alignments of 2 MiB and 1 GiB are honoured or refused. */
	AXVM_CLAUSE_ALLOC_LARGE,
	/* What was given back can be had again, and no other piece suffers. */
	AXVM_CLAUSE_FREE,
	/* now never goes back, and moves. */
	AXVM_CLAUSE_NOW,
	/* now and the architecture's counter agree about counter_hz. */
	AXVM_CLAUSE_RATE,
	/* Seconds, and never fewer. */
	AXVM_CLAUSE_WALLCLOCK,
	/* No callback leaves host interrupts masked or open that were not. */
	AXVM_CLAUSE_INTERRUPTS,
	/* A kick of this CPU makes an interrupt pending. */
	AXVM_CLAUSE_KICK,
	/* So does a deadline: to come, long past, and in the place of another. */
	AXVM_CLAUSE_TIMER,
	AXVM_CLAUSES, /* number of clauses */
};

/*
 * What the library cannot find out by itself. All of it is optional: what is
 * zero or NULL makes its clauses go unchecked, and the report says which.
 */
struct axvm_selftest {
	/* sizeof(struct axvm_selftest). */
	size_t size;

	/* One of the axvm_backend_*() of arch.h, for RATE, INTERRUPTS, KICK and
	 * TIMER: its counter, and its way to mask interrupts. */
	const struct axvm_arch_ops *backend;

	/* The CPU that calls, as hal.kick gets it. */
	uint32_t cpu;

	/* Passed back to the next three. */
	void *ctx;

	/*
	 * Both or none, for KICK and TIMER. Called with host interrupts masked.
	 * interrupt_pending: is there an interrupt, of any kind, that would make
	 * this CPU leave a guest? take_interrupts: opens them for a moment, or
	 * acknowledges what is pending, so that nothing is; masked on return.
	 */
	bool (*interrupt_pending)(void *ctx);
	void (*take_interrupts)(void *ctx);

	/* For FREE: bytes alloc could still give; nobody else allocates
	 * meanwhile. NULL: only a loss that runs the host dry is seen. */
	uint64_t (*free_bytes)(void *ctx);

	/* For NOW: a time that `now` gave before, on another CPU. */
	uint64_t not_before;

	/* For KICK and TIMER: how late an interrupt may be, in ns, before the
	 * clause counts as broken; 0: 100 ms. Longer on emulators. */
	uint64_t patience;

	/* For INTERRUPTS: a VM whose vCPU 0 is told to hal.wake, and a masked
	 * interrupt for hal.irq_unmask. NULL, 0: these two are not called. */
	struct axvm_vm *vm;
	uint32_t irq;
};

struct axvm_selftest_report {
	/* Name of the broken clause, "" if there is none. Static storage, as
	 * `detail`: one line of what is wrong with it. */
	const char *clause;
	const char *detail;
	/* What was found and what should have been: an address, a size, a
	 * time, as `detail` says. */
	uint64_t found;
	uint64_t wanted;
	/* Bit n: clause n was checked, and holds. */
	uint64_t checked;
	/* How long a kick took and how late the timer was, in ns, at worst;
	 * 0 if not measured. */
	uint64_t kick_ns;
	uint64_t timer_late_ns;
};

/*
 * Checks `hal` on the CPU that calls; needs no axvm_host, so it fits before
 * axvm_host_create(). kick, timer and not_before are worth a call on each CPU.
 *   how     what to check with; may be NULL
 *   report  filled when 0, EHAL or ENOMEM is returned
 * Asks for at most 512 KiB at a time (and pages at alignments of 2 MiB and 1 GiB)
 * and gives everything back, also after a failure - but not a piece that
 * overlaps another one. Masks host interrupts for at most four times the
 * patience; cancels the deadline of hal.timer; stack use of at most 1 KiB. What
 * it cannot see: memory that is somebody else's, a virt_to_phys wrong by a
 * constant that phys_to_virt takes back, kicks of other CPUs.
 * Context: thread, before any vCPU runs. Errors: EINVAL (a null pointer, wrong
 * size of `how`, one of interrupt_pending and take_interrupts alone), EHAL (the
 * clause in the report is broken), ENOMEM (so it is because alloc returned NULL).
 */
AXVM_MUST_USE int axvm_hal_selftest(const struct axvm_hal *hal,
				    const struct axvm_selftest *how,
				    struct axvm_selftest_report *report);

/* Name of a clause, e.g. "alloc-align"; "unknown" for any other number. Static
 * storage. Context: any. */
const char *axvm_selftest_clause_name(enum axvm_selftest_clause clause);

#ifdef __cplusplus
}
#endif

#endif
