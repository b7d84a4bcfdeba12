/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Adding translations. A map is a sequence of runs: neighbouring leaves of one
 * level in one table. The first pass proves that every slot is free and counts
 * the missing tables; the second stores and cannot fail. The caller serialises.
 */
#include "assert.h"
#include "mem.h"
#include "stage2_walk.h"

/* Leaves of one level in one table. */
struct run {
	uint64_t gpa;
	uint64_t hpa;
	unsigned level;
	unsigned count;
};

struct map_plan {
	size_t tables; /* missing ones */
	struct run run; /* the last one */
	struct s2_slot
		slot; /* where it begins, or the table for it is missing */
	/* Index of the span whose missing table was counted last. */
	uint64_t counted[S2_MAX_LEVELS];
};

/* Largest leaf that both addresses and the remaining size allow. */
static unsigned leaf_level(const struct axvm_s2_format *format, uint64_t both,
			   uint64_t left)
{
	unsigned best = 0;

	for (unsigned level = 1; level < format->levels; level++) {
		if (!is_aligned(both, s2_size(level)) || left < s2_size(level))
			break;
		if (s2_leaf_allowed(format, level))
			best = level;
	}
	return best;
}

/*
 * A run ends with its table. Larger leaves can begin only there, so the level
 * is chosen once per run.
 */
static struct run run_at(const struct axvm_s2_format *format,
			 const struct s2_map *map, uint64_t done)
{
	uint64_t left = map->size - done;
	struct run run = {.gpa = map->gpa.value + done,
			  .hpa = map->hpa.value + done};
	uint64_t wanted;
	unsigned room;

	run.level = leaf_level(format, run.gpa | run.hpa, left);
	wanted = left >> axvmi_s2_shift(run.level);
	room = s2_entries(format, run.level);
	room -= (unsigned)(run.gpa >> axvmi_s2_shift(run.level)) & (room - 1);
	run.count = wanted < room ? (unsigned)wanted : room;
	return run;
}

static uint64_t run_size(const struct run *run)
{
	return (uint64_t)run->count << axvmi_s2_shift(run->level);
}

static bool all_free(const atomic_u64 *entry, unsigned count)
{
	uint64_t seen = 0;

	/* No early exit: the range is free in all but erroneous calls. */
	for (unsigned i = 0; i < count; i++)
		seen |= load_relaxed(&entry[i]);
	return seen == 0;
}

/* The tables from level `have - 1` down to the run's are missing. */
static void count_missing(struct map_plan *plan, unsigned have)
{
	for (unsigned level = plan->run.level; level < have; level++) {
		uint64_t span = plan->run.gpa >> axvmi_s2_shift(level + 1);

		if (plan->counted[level] != span) {
			plan->counted[level] = span;
			plan->tables++;
		}
	}
}

static int plan_map(const struct s2_table *table, const struct s2_map *map,
		    struct map_plan *plan)
{
	plan->tables = 0;
	memset(plan->counted, 0xff, sizeof(plan->counted));
	for (uint64_t done = 0; done < map->size;
	     done += run_size(&plan->run)) {
		struct s2_slot slot;

		plan->run = run_at(table->format, map, done);
		slot = axvmi_s2_descend(table, plan->run.gpa, plan->run.level);
		plan->slot = slot;
		if (slot.level != plan->run.level) {
			if (load_relaxed(slot.entry) != 0)
				return AXVM_EEXIST;
			count_missing(plan, (unsigned)slot.level);
		} else if (!all_free(slot.entry, plan->run.count)) {
			/* A table here counts: no table is ever empty. */
			return AXVM_EEXIST;
		}
	}
	return 0;
}

static int check_map(const struct axvm_s2_format *format,
		     const struct s2_map *map)
{
	int error = s2_check_range(format, map->gpa.value, map->size);

	if (error != 0)
		return error;
	if (!is_aligned(map->hpa.value, PAGE_SIZE_4K) ||
	    !range_valid(map->hpa.value, map->size) ||
	    axvmi_s2_encode_leaf(format, 0, map->access, map->type, 0) == 0)
		return AXVM_EINVAL;
	if ((map->hpa.value + (map->size - 1)) >> format->hpa_bits != 0)
		return AXVM_ERANGE;
	return 0;
}

/* Into a table that readers can see: each entry publishes its memory. */
static void store_leaves(atomic_u64 *entry, unsigned count, uint64_t leaf,
			 uint64_t stride)
{
	for (unsigned i = 0; i < count; i++, leaf += stride)
		store_release(&entry[i], leaf);
}

/* Into a table that nobody sees yet; what the run leaves over is cleared. */
static void fill_table(atomic_u64 *page, unsigned index, unsigned count,
		       uint64_t leaf, uint64_t stride)
{
	unsigned end = index + count;

	memset(page, 0, index * sizeof(page[0]));
	for (unsigned i = index; i < end; i++, leaf += stride)
		store_relaxed(&page[i], leaf);
	memset(page + end, 0, (S2_TABLE_ENTRIES - end) * sizeof(page[0]));
}

/*
 * Stores one run, with the tables above it where they are missing. A table is
 * complete before its release store makes it visible.
 */
static void store_run(struct s2_table *table, const struct s2_map *map,
		      const struct run *run, struct s2_slot slot,
		      struct s2_chain *chain)
{
	const struct axvm_s2_format *format = table->format;
	uint64_t stride = s2_stride(format, run->level);
	uint64_t leaf = axvmi_s2_encode_leaf(format, run->hpa, map->access,
					     map->type, run->level);

	while (slot.level != run->level) {
		unsigned below = (unsigned)slot.level - 1;
		atomic_u64 *page = s2_chain_pop(chain);
		unsigned index = (unsigned)(run->gpa >> axvmi_s2_shift(below)) &
				 (S2_TABLE_ENTRIES - 1);
		bool last = below == run->level;

		if (last)
			fill_table(page, index, run->count, leaf, stride);
		else
			memset(page, 0, S2_TABLE_SIZE);
		store_release(slot.entry, s2_table_entry(table, page));
		if (last)
			return;
		slot.entry = page + index;
		slot.level = below;
	}
	store_leaves(slot.entry, run->count, leaf, stride);
}

/*
 * Mapping again what the same batch has unmapped: with break-before-make the
 * old translation must leave the TLBs before the new one is made (Arm ARM,
 * "TLB maintenance requirements and the TLB maintenance instructions").
 */
static void flush_before_reuse(const struct axvm_s2_format *format,
			       const struct s2_map *map, struct s2_edit *edit)
{
	uint64_t size;

	if (!format->break_before_make || !edit->need_flush)
		return;
	size = edit->flush_last - edit->flush_first + 1;
	if (!range_overlaps(map->gpa.value, map->size, edit->flush_first, size))
		return;
	AXVMI_ASSERT(edit->flush != NULL);
	edit->flush(edit->flush_ctx, axvm_to_gpa(edit->flush_first), size);
	edit->need_flush = false;
}

/*
 * The common case, one small page into a table that is there. False if it is
 * not that, or an error: then map_runs() looks again.
 */
static bool map_page(struct s2_table *table, const struct s2_map *map,
		     struct s2_edit *edit)
{
	const struct axvm_s2_format *format = table->format;
	uint64_t hpa = map->hpa.value;
	uint64_t leaf =
		axvmi_s2_encode_leaf(format, hpa, map->access, map->type, 0);
	struct s2_page page;

	if (!is_aligned(map->gpa.value | hpa, PAGE_SIZE_4K) ||
	    hpa >> format->hpa_bits != 0 || leaf == 0)
		return false;
	page = axvmi_s2_page(table, map->gpa.value);
	if (page.entry == NULL || page.value != 0)
		return false;
	flush_before_reuse(format, map, edit);
	store_release(page.entry, leaf);
	edit->added = true;
	return true;
}

/* Apart from its caller, whose own frame then stays small. */
__attribute__((noinline)) static int
map_runs(struct s2_table *table, const struct s2_map *map, struct s2_edit *edit)
{
	const struct axvm_s2_format *format = table->format;
	struct map_plan plan;
	struct s2_chain chain;
	uint64_t done = 0;
	int error = check_map(format, map);

	if (error == 0)
		error = plan_map(table, map, &plan);
	if (error == 0)
		error = axvmi_s2_take(table, plan.tables, &chain);
	if (error != 0)
		return error;
	flush_before_reuse(format, map, edit);
	/* A single run: the plan has walked there already. */
	if (run_size(&plan.run) == map->size) {
		store_run(table, map, &plan.run, plan.slot, &chain);
		done = map->size;
	}
	for (; done < map->size; done += run_size(&plan.run)) {
		plan.run = run_at(format, map, done);
		plan.slot =
			axvmi_s2_descend(table, plan.run.gpa, plan.run.level);
		store_run(table, map, &plan.run, plan.slot, &chain);
	}
	AXVMI_ASSERT(chain.head == NULL);
	edit->added = true;
	return 0;
}

int axvmi_s2_map(struct s2_table *table, const struct s2_map *map,
		 struct s2_edit *edit)
{
	if (map->size == PAGE_SIZE_4K && map_page(table, map, edit))
		return 0;
	return map_runs(table, map, edit);
}

int axvmi_s2_pages_needed(const struct s2_table *table,
			  const struct s2_map *map, size_t *pages)
{
	struct map_plan plan;
	int error = check_map(table->format, map);

	if (error == 0)
		error = plan_map(table, map, &plan);
	if (error == 0)
		*pages = plan.tables;
	return error;
}
