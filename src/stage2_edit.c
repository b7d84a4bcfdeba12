/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Removing translations and changing their rights. Each call first proves that
 * the range is mapped and takes the frames its splits need; what follows cannot
 * fail. The caller serialises edits; readers and hardware walk all the time.
 */
#include "assert.h"
#include "stage2_walk.h"

/* What leaves have in common. */
struct bits {
	uint64_t any; /* OR of them */
	uint64_t all; /* AND of them */
};

/* What an edit of [gpa, end) meets, found before it does anything. */
struct edit_plan {
	uint64_t gpa;
	uint64_t end;
	size_t tables; /* for splits */
	bool cut; /* a larger leaf crosses an end of the range */
	struct bits seen;
	uint64_t counted[S2_MAX_LEVELS];
};

/*
 * A leaf of `level` is cut at `at`: one table per level until `at` is a
 * boundary. The cuts at both ends share tables as far as they can.
 */
static void count_cut(struct edit_plan *plan, uint64_t at, unsigned level)
{
	while (level != 0 && !is_aligned(at, s2_size(level))) {
		uint64_t span = at >> axvmi_s2_shift(level);

		plan->cut = true;
		level--;
		if (plan->counted[level] != span) {
			plan->counted[level] = span;
			plan->tables++;
		}
	}
}

static struct edit_plan new_plan(uint64_t gpa, uint64_t size)
{
	struct edit_plan plan = {
		.gpa = gpa, .end = gpa + size, .seen.all = UINT64_MAX};

	for (unsigned i = 0; i < S2_MAX_LEVELS; i++)
		plan.counted[i] = UINT64_MAX;
	return plan;
}

/* Leaves of one table, from gpa's on. */
struct run {
	atomic_u64 *entry;
	unsigned level;
	unsigned count;
};

/*
 * The leaves, or holes, of gpa's table from gpa's on that begin below `end`,
 * before the next table.
 */
static struct run run_at(const struct s2_table *table, uint64_t gpa,
			 uint64_t end)
{
	const struct axvm_s2_format *format = table->format;
	struct s2_slot slot = axvmi_s2_descend(table, gpa, 0);
	struct run run = {.entry = slot.entry, .level = (unsigned)slot.level};
	unsigned room = s2_room(format, slot, gpa);
	uint64_t start = align_down(gpa, s2_size(run.level));
	uint64_t wanted = ((end - 1 - start) >> axvmi_s2_shift(run.level)) + 1;

	if (wanted < room)
		room = (unsigned)wanted;
	if (run.level == 0) {
		run.count = room;
		return run;
	}
	while (run.count < room &&
	       !s2_is_table(format, load_relaxed(&run.entry[run.count])))
		run.count++;
	return run;
}

/* Collects the bits of a run; false if an entry is not present. */
static bool scan_run(const struct axvm_s2_format *format, struct bits *seen,
		     const atomic_u64 *entry, unsigned count)
{
	uint64_t any = seen->any;
	uint64_t all = seen->all;

	/* By two: most of an edit of many pages is this loop and the next. */
	for (; count >= 2; count -= 2, entry += 2) {
		uint64_t first = load_relaxed(&entry[0]);
		uint64_t second = load_relaxed(&entry[1]);

		any |= first | second;
		all &= first & second;
	}
	if (count != 0) {
		any |= load_relaxed(entry);
		all &= load_relaxed(entry);
	}
	seen->any = any;
	seen->all = all;
	return (all & format->used_bit) != 0;
}

/* Proves that all of the range is mapped and counts the tables for cuts. */
static int plan_edit(const struct s2_table *table, struct edit_plan *plan)
{
	const struct axvm_s2_format *format = table->format;
	uint64_t at = plan->gpa;

	while (at < plan->end) {
		struct run run = run_at(table, at, plan->end);

		if (!scan_run(format, &plan->seen, run.entry, run.count))
			return AXVM_ENOENT;
		if (at == plan->gpa)
			count_cut(plan, at, run.level);
		at = align_down(at, s2_size(run.level)) +
		     ((uint64_t)run.count << axvmi_s2_shift(run.level));
		if (at > plan->end)
			count_cut(plan, plan->end, run.level);
	}
	return 0;
}

/* The same for a range with holes: only its ends can cut a leaf. */
static void plan_sparse(const struct s2_table *table, struct edit_plan *plan)
{
	const struct axvm_s2_format *format = table->format;
	struct s2_slot slot = axvmi_s2_descend(table, plan->gpa, 0);

	if (s2_is_present(format, load_relaxed(slot.entry)))
		count_cut(plan, plan->gpa, (unsigned)slot.level);
	slot = axvmi_s2_descend(table, plan->end - 1, 0);
	if (s2_is_present(format, load_relaxed(slot.entry)))
		count_cut(plan, plan->end, (unsigned)slot.level);
}

static int split_ends(struct s2_table *table, const struct edit_plan *plan,
		      struct s2_edit *edit)
{
	struct s2_chain chain;
	int error;

	if (!plan->cut)
		return 0;
	error = axvmi_s2_take(table, plan->tables, &chain);
	if (error != 0)
		return error;
	axvmi_s2_split_at(table, plan->gpa, &chain, edit);
	/* Beyond the last address there is nothing to cut. */
	if (plan->end >> table->format->gpa_bits == 0)
		axvmi_s2_split_at(table, plan->end, &chain, edit);
	AXVMI_ASSERT(chain.head == NULL);
	return 0;
}

/*
 * True if a table has no entry. `hint` is a place just emptied: with pages
 * unmapped in order a neighbour answers at once.
 */
static bool table_is_empty(const atomic_u64 *page, unsigned hint)
{
	if (hint != 0 && load_relaxed(&page[hint - 1]) != 0)
		return false;
	for (unsigned i = hint; i < S2_TABLE_ENTRIES; i++) {
		if (load_relaxed(&page[i]) != 0)
			return false;
	}
	for (unsigned i = 0; i < hint; i++) {
		if (load_relaxed(&page[i]) != 0)
			return false;
	}
	return true;
}

/* The table of `level` around gpa lost entries: drop empty ones upwards. */
static void drop_empty(struct s2_table *table, uint64_t gpa, unsigned level,
		       struct s2_edit *edit)
{
	while (level != table->format->levels - 1) {
		struct s2_slot slot = axvmi_s2_descend(table, gpa, level + 1);
		atomic_u64 *page = s2_child(table, load_relaxed(slot.entry));
		uint64_t span = s2_size(level + 1);
		unsigned hint = (unsigned)(gpa >> axvmi_s2_shift(level)) &
				(S2_TABLE_ENTRIES - 1);

		if (!table_is_empty(page, hint))
			return;
		store_relaxed(slot.entry, 0);
		axvmi_s2_detach(table, &edit->garbage.head, page, level);
		/* Walk caches may hold the table for all of its span. */
		s2_note_flush(edit, align_down(gpa, span), span);
		level++;
	}
}

/* The largest level of which an entry begins at gpa and ends by `end`. */
static unsigned covered_level(const struct axvm_s2_format *format, uint64_t gpa,
			      uint64_t end)
{
	unsigned level = format->levels - 1;

	while (level != 0 &&
	       (!is_aligned(gpa, s2_size(level)) || end - gpa < s2_size(level)))
		level--;
	return level;
}

/* Empties entries; subtrees become garbage as they are. True if any was set. */
static bool clear_entries(struct s2_table *table, const struct s2_slot *slot,
			  unsigned count, struct s2_edit *edit)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < count; i++) {
		uint64_t value = load_relaxed(&slot->entry[i]);

		seen |= value;
		store_relaxed(&slot->entry[i], 0);
		if (slot->level != 0 && s2_is_table(table->format, value))
			axvmi_s2_detach(table, &edit->garbage.head,
					s2_child(table, value),
					(unsigned)slot->level - 1);
	}
	return seen != 0;
}

/*
 * Clears what one table has of [gpa, end), whose ends are boundaries by now.
 * Returns where to go on; a hole is skipped at the level it has.
 */
static uint64_t clear_step(struct s2_table *table, uint64_t gpa, uint64_t end,
			   struct s2_edit *edit)
{
	const struct axvm_s2_format *format = table->format;
	unsigned level = covered_level(format, gpa, end);
	struct s2_slot slot = axvmi_s2_descend(table, gpa, level);
	uint64_t size = s2_size((unsigned)slot.level);
	uint64_t count = (end - gpa) >> axvmi_s2_shift(level);
	unsigned room = s2_room(format, slot, gpa);

	if (slot.level != level) {
		AXVMI_ASSERT(load_relaxed(slot.entry) == 0);
		return align_down(gpa, size) + size;
	}
	if (count > room)
		count = room;
	if (clear_entries(table, &slot, (unsigned)count, edit)) {
		s2_note_flush(edit, gpa, count << axvmi_s2_shift(level));
		drop_empty(table, gpa, level, edit);
	}
	return gpa + (count << axvmi_s2_shift(level));
}

static void clear_range(struct s2_table *table, uint64_t gpa, uint64_t end,
			struct s2_edit *edit)
{
	while (gpa < end)
		gpa = clear_step(table, gpa, end, edit);
}

int axvmi_s2_unmap(struct s2_table *table, struct axvm_gpa gpa, uint64_t size,
		   struct s2_edit *edit)
{
	struct edit_plan plan = new_plan(gpa.value, size);
	int error = s2_check_range(table->format, gpa.value, size);

	if (error == 0)
		error = plan_edit(table, &plan);
	if (error == 0)
		error = split_ends(table, &plan, edit);
	if (error == 0)
		clear_range(table, plan.gpa, plan.end, edit);
	return error;
}

int axvmi_s2_unmap_sparse(struct s2_table *table, struct axvm_gpa gpa,
			  uint64_t size, struct s2_edit *edit)
{
	struct edit_plan plan = new_plan(gpa.value, size);
	int error = s2_check_range(table->format, gpa.value, size);

	if (error != 0)
		return error;
	plan_sparse(table, &plan);
	error = split_ends(table, &plan, edit);
	if (error == 0)
		clear_range(table, plan.gpa, plan.end, edit);
	return error;
}

/* Rights as entries hold them. */
struct rights {
	uint64_t field; /* all the bits that say it */
	uint64_t bits; /* their new value */
};

static void apply_run(atomic_u64 *entry, unsigned count,
		      const struct rights *rights)
{
	uint64_t keep = ~rights->field;
	uint64_t bits = rights->bits;

	for (; count >= 2; count -= 2, entry += 2) {
		uint64_t first = load_relaxed(&entry[0]);
		uint64_t second = load_relaxed(&entry[1]);

		store_relaxed(&entry[0], (first & keep) | bits);
		store_relaxed(&entry[1], (second & keep) | bits);
	}
	if (count != 0)
		store_relaxed(entry, (load_relaxed(entry) & keep) | bits);
}

/* Properties that hold somewhere; flipped bits are 0 where theirs holds. */
static uint64_t holds_somewhere(const struct axvm_s2_format *format,
				const struct bits *seen)
{
	return (seen->any & ~format->flip) | (~seen->all & format->flip);
}

static uint64_t holds_everywhere(const struct axvm_s2_format *format,
				 const struct bits *seen)
{
	return (seen->all & ~format->flip) | (~seen->any & format->flip);
}

/* May leaves with these bits get these rights? Device memory is not run. */
static bool rights_allowed(const struct axvm_s2_format *format,
			   const struct bits *seen, uint32_t access)
{
	return (holds_somewhere(format, seen) >> format->device_shift & 1) ==
		       0 ||
	       format->attr[AXVM_MEM_DEVICE][access] != 0;
}

/* Tells the caller whether leaves lost or won a right. */
static void note_rights(const struct axvm_s2_format *format, uint64_t gpa,
			uint64_t size, const struct bits *seen,
			const struct rights *rights, struct s2_edit *edit)
{
	uint64_t now = rights->bits ^ format->flip;

	if ((holds_somewhere(format, seen) & ~now & rights->field) != 0)
		s2_note_flush(edit, gpa, size);
	if ((now & ~holds_everywhere(format, seen) & rights->field) != 0)
		edit->added = true;
}

static struct rights rights_for(const struct s2_table *table, uint32_t access)
{
	const uint64_t *attr = table->format->attr[AXVM_MEM_NORMAL];

	return (struct rights){
		.field = table->rights_mask,
		.bits = attr[access] & table->rights_mask,
	};
}

static void protect_range(struct s2_table *table, const struct edit_plan *plan,
			  const struct rights *rights, struct s2_edit *edit)
{
	uint64_t at = plan->gpa;

	while (at < plan->end) {
		struct run run = run_at(table, at, plan->end);

		apply_run(run.entry, run.count, rights);
		at += (uint64_t)run.count << axvmi_s2_shift(run.level);
		axvmi_s2_merge_up(table, plan->gpa, at, edit);
	}
}

/*
 * The common case, one small page. False if it is not that, or an error: then
 * protect_runs() looks again.
 */
static bool protect_page(struct s2_table *table, uint64_t gpa, uint32_t access,
			 struct s2_edit *edit)
{
	const struct axvm_s2_format *format = table->format;
	uint64_t attr, on, changed;
	struct s2_page page;

	if (!is_aligned(gpa, PAGE_SIZE_4K) || access >= S2_ACCESS_COUNT)
		return false;
	attr = format->attr[AXVM_MEM_NORMAL][access];
	page = axvmi_s2_page(table, gpa);
	if (attr == 0 || page.entry == NULL)
		return false;
	on = page.value ^ format->flip;
	if ((page.value & format->used_bit) == 0 ||
	    ((on & table->device_mask) != 0 &&
	     format->attr[AXVM_MEM_DEVICE][access] == 0))
		return false;
	changed = (page.value ^ attr) & table->rights_mask;
	store_relaxed(page.entry, page.value ^ changed);
	if ((changed & ~on) != 0)
		edit->added = true;
	if ((changed & on) != 0)
		s2_note_flush(edit, gpa, PAGE_SIZE_4K);
	return true;
}

/* Apart from its caller, whose own frame then stays small. */
__attribute__((noinline)) static int protect_runs(struct s2_table *table,
						  uint64_t gpa, uint64_t size,
						  uint32_t access,
						  struct s2_edit *edit)
{
	const struct axvm_s2_format *format = table->format;
	struct edit_plan plan = new_plan(gpa, size);
	struct rights rights;
	int error = s2_check_range(format, gpa, size);

	if (error != 0)
		return error;
	if (access >= S2_ACCESS_COUNT ||
	    format->attr[AXVM_MEM_NORMAL][access] == 0)
		return AXVM_EINVAL;
	error = plan_edit(table, &plan);
	if (error != 0)
		return error;
	if (!rights_allowed(format, &plan.seen, access))
		return AXVM_EINVAL;
	error = split_ends(table, &plan, edit);
	if (error != 0)
		return error;
	rights = rights_for(table, access);
	protect_range(table, &plan, &rights, edit);
	note_rights(format, gpa, size, &plan.seen, &rights, edit);
	return 0;
}

int axvmi_s2_protect(struct s2_table *table, struct axvm_gpa gpa, uint64_t size,
		     uint32_t access, struct s2_edit *edit)
{
	if (size == PAGE_SIZE_4K &&
	    protect_page(table, gpa.value, access, edit))
		return 0;
	return protect_runs(table, gpa.value, size, access, edit);
}
