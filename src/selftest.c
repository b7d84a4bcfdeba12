/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The self test of a host: its entry, the clause about the struct itself, and
 * the one about interrupt masking. Memory is in selftest_memory.c, time and
 * interrupts are in selftest_time.c. Nothing else of the library needs these
 * files, so a host that does not call it does not link them.
 */
#include "selftest.h"

#include "bits.h"
#include "mem.h"

const char *axvm_selftest_clause_name(enum axvm_selftest_clause clause)
{
	static const char *const names[AXVM_CLAUSES] = {
		[AXVM_CLAUSE_STRUCT] = "struct",
		[AXVM_CLAUSE_ALLOC] = "alloc",
		[AXVM_CLAUSE_ALLOC_ALIGN] = "alloc-align",
		[AXVM_CLAUSE_ALLOC_DISTINCT] = "alloc-distinct",
		[AXVM_CLAUSE_PAGE_OFFSET] = "page-offset",
		[AXVM_CLAUSE_CONTIGUOUS] = "contiguous",
		[AXVM_CLAUSE_TRANSLATE] = "translate",
		[AXVM_CLAUSE_PAGE_LINEAR] = "page-linear",
		[AXVM_CLAUSE_LINEAR] = "linear",
		[AXVM_CLAUSE_PHYS_DISTINCT] = "phys-distinct",
		[AXVM_CLAUSE_ALLOC_MEMORY] = "alloc-memory",
		[AXVM_CLAUSE_ALLOC_LARGE] = "alloc-large",
		[AXVM_CLAUSE_FREE] = "free",
		[AXVM_CLAUSE_NOW] = "now",
		[AXVM_CLAUSE_RATE] = "rate",
		[AXVM_CLAUSE_WALLCLOCK] = "wallclock",
		[AXVM_CLAUSE_INTERRUPTS] = "interrupts",
		[AXVM_CLAUSE_KICK] = "kick",
		[AXVM_CLAUSE_TIMER] = "timer",
	};

	return (unsigned)clause < AXVM_CLAUSES ? names[clause] : "unknown";
}

int axvmi_selftest_fail(struct selftest *t, enum axvm_selftest_clause clause,
			const char *detail, uint64_t found, uint64_t wanted)
{
	t->report.clause = axvm_selftest_clause_name(clause);
	t->report.detail = detail;
	t->report.found = found;
	t->report.wanted = wanted;
	return AXVM_EHAL;
}

/* ---- the struct ---- */

static int check_struct(struct selftest *t)
{
	const enum axvm_selftest_clause clause = AXVM_CLAUSE_STRUCT;
	const struct axvm_hal *hal = t->hal;

	/* Before anything else of it is read: it may be smaller than ours. */
	if (hal->size != sizeof(*hal))
		return axvmi_selftest_fail(t, clause,
					   "size is not that of axvm_hal",
					   hal->size, sizeof(*hal));
	if (hal->alloc == NULL || hal->free == NULL)
		return axvmi_selftest_fail(t, clause,
					   "alloc or free is missing", 0, 0);
	if (hal->virt_to_phys == NULL || hal->phys_to_virt == NULL)
		return axvmi_selftest_fail(
			t, clause, "virt_to_phys or phys_to_virt is missing", 0,
			0);
	if (hal->counter_hz > UINT32_MAX)
		return axvmi_selftest_fail(t, clause, "counter_hz is too large",
					   hal->counter_hz, UINT32_MAX);
	selftest_held(t, clause);
	return AXVM_OK;
}

/* ---- interrupt masking ---- */

/* What the callbacks are tried with. */
struct trial {
	void *memory;
	struct axvm_hpa hpa;
};

#define TRIAL_SIZE 4096u

static void try_alloc(struct selftest *t, struct trial *trial)
{
	trial->memory = t->hal->alloc(t->hal->ctx, TRIAL_SIZE, TRIAL_SIZE);
}

static void try_translate(struct selftest *t, struct trial *trial)
{
	if (trial->memory == NULL)
		return;
	trial->hpa = t->hal->virt_to_phys(t->hal->ctx, trial->memory);
	(void)t->hal->phys_to_virt(t->hal->ctx, trial->hpa);
}

static void try_free(struct selftest *t, struct trial *trial)
{
	if (trial->memory != NULL)
		t->hal->free(t->hal->ctx, trial->memory, TRIAL_SIZE);
	trial->memory = NULL;
}

static void try_kick(struct selftest *t, struct trial *trial)
{
	(void)trial;
	if (t->hal->kick != NULL)
		t->hal->kick(t->hal->ctx, t->how.cpu);
}

static void try_wake(struct selftest *t, struct trial *trial)
{
	(void)trial;
	if (t->hal->wake != NULL && t->how.vm != NULL)
		t->hal->wake(t->hal->ctx, t->how.vm, 0);
}

static void try_clocks(struct selftest *t, struct trial *trial)
{
	(void)trial;
	if (t->hal->now != NULL)
		(void)t->hal->now(t->hal->ctx);
	if (t->hal->wallclock != NULL)
		(void)t->hal->wallclock(t->hal->ctx);
}

static void try_timer(struct selftest *t, struct trial *trial)
{
	(void)trial;
	if (t->hal->timer != NULL)
		t->hal->timer(t->hal->ctx, UINT64_MAX);
}

static void try_irq_unmask(struct selftest *t, struct trial *trial)
{
	(void)trial;
	if (t->hal->irq_unmask != NULL && t->how.irq != 0)
		t->hal->irq_unmask(t->hal->ctx, t->how.irq);
}

static void try_log(struct selftest *t, struct trial *trial)
{
	(void)trial;
	if (t->hal->log != NULL)
		t->hal->log(t->hal->ctx, AXVM_LOG_INFO,
			    "self test of the host");
}

static const struct {
	const char *changes;
	void (*call)(struct selftest *t, struct trial *trial);
} trials[] = {
	{"alloc changes whether interrupts are masked", try_alloc},
	{"a translator changes whether interrupts are masked", try_translate},
	{"free changes whether interrupts are masked", try_free},
	{"kick changes whether interrupts are masked", try_kick},
	{"wake changes whether interrupts are masked", try_wake},
	{"a clock changes whether interrupts are masked", try_clocks},
	{"timer changes whether interrupts are masked", try_timer},
	{"irq_unmask changes whether interrupts are masked", try_irq_unmask},
	{"log changes whether interrupts are masked", try_log},
};

/*
 * What a second save returns is the masked state, whatever the architecture
 * calls it. The library calls back mostly with interrupts masked; `open` is for
 * a thread that has not.
 */
static bool keeps_masking(struct selftest *t, struct trial *trial, size_t n,
			  bool open)
{
	const struct axvm_arch_ops *ops = t->how.backend;
	uint64_t saved = ops->interrupts_save();
	uint64_t before = ops->interrupts_save();
	uint64_t after;

	if (open && saved == before)
		return true; /* the caller has masked them: seen already */
	if (open) {
		before = saved;
		ops->interrupts_restore(saved);
	}
	trials[n].call(t, trial);
	after = ops->interrupts_save();
	ops->interrupts_restore(saved);
	return after == before;
}

int axvmi_selftest_masking(struct selftest *t)
{
	const enum axvm_selftest_clause clause = AXVM_CLAUSE_INTERRUPTS;
	struct trial trial = {.memory = NULL};

	if (t->how.backend == NULL)
		return AXVM_OK;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(trials); i++) {
		size_t n = i % ARRAY_SIZE(trials);

		if (keeps_masking(t, &trial, n, i != n))
			continue;
		try_free(t, &trial);
		return axvmi_selftest_fail(t, clause, trials[n].changes, 0, 0);
	}
	selftest_held(t, clause);
	return AXVM_OK;
}

/* ---- the entry ---- */

static bool how_usable(const struct axvm_selftest *how)
{
	return how->size == sizeof(*how) &&
	       (how->interrupt_pending == NULL) ==
		       (how->take_interrupts == NULL);
}

int axvm_hal_selftest(const struct axvm_hal *hal,
		      const struct axvm_selftest *how,
		      struct axvm_selftest_report *report)
{
	static int (*const parts[])(struct selftest * t) = {
		check_struct,		axvmi_selftest_memory,
		axvmi_selftest_clocks,	axvmi_selftest_masking,
		axvmi_selftest_signals,
	};
	struct selftest t = {.hal = hal};
	int err = AXVM_OK;

	if (hal == NULL || report == NULL || (how != NULL && !how_usable(how)))
		return AXVM_EINVAL;
	if (how != NULL)
		t.how = *how;
	t.report.clause = "";
	t.report.detail = "";
	for (size_t i = 0; i < ARRAY_SIZE(parts) && err == AXVM_OK; i++)
		err = parts[i](&t);
	*report = t.report;
	return err;
}
