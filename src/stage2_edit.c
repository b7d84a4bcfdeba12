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

/* Entries from the slot on that begin below `end`, all in one table. */
static unsigned run_limit(const struct axvm_s2_format *format,
			  const struct s2_slot *slot, uint64_t gpa,
			  uint64_t end)
{
	unsigned room = s2_entries(format, slot->level) - slot->index;
	uint64_t start = align_down(gpa, s2_size(slot->level));
	uint64_t wanted =
		((end - 1 - start) >> axvmi_s2_shift(slot->level)) + 1;

	return wanted < room ? (unsigned)wanted : room;
}

/* Leaves before the next table, from the slot on. */
static unsigned leaf_run(const struct axvm_s2_format *format,
			 const struct s2_slot *slot, unsigned limit)
{
	const atomic_u64 *entry = slot->table + slot->index;
	unsigned count = 0;

	if (slot->level == 0)
		return limit;
	while (count < limit &&
	       !s2_is_table(format, load_relaxed(&entry[count])))
		count++;
	return count;
}

/* Collects the bits of a run; false if an entry is not present. */
static bool scan_run(const struct axvm_s2_format *format, struct bits *seen,
		     const atomic_u64 *entry, unsigned count)
{
	uint64_t any = seen->any;
	uint64_t all = seen->all;

	for (unsigned i = 0; i < count; i++) {
		uint64_t value = load_relaxed(&entry[i]);

		any |= value;
		all &= value;
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
		struct s2_slot slot = s2_descend(table, at, 0);
		unsigned count = leaf_run(
			format, &slot, run_limit(format, &slot, at, plan->end));

		if (!scan_run(format, &plan->seen, slot.table + slot.index,
			      count))
			return AXVM_ENOENT;
		if (at == plan->gpa)
			count_cut(plan, at, slot.level);
		at = align_down(at, s2_size(slot.level)) +
		     ((uint64_t)count << axvmi_s2_shift(slot.level));
		if (at > plan->end)
			count_cut(plan, plan->end, slot.level);
	}
	return 0;
}

/* The same for a range with holes: only its ends can cut a leaf. */
static void plan_sparse(const struct s2_table *table, struct edit_plan *plan)
{
	const struct axvm_s2_format *format = table->format;
	struct s2_slot slot = s2_descend(table, plan->gpa, 0);

	if (s2_is_present(format, slot.value))
		count_cut(plan, plan->gpa, slot.level);
	slot = s2_descend(table, plan->end - 1, 0);
	if (s2_is_present(format, slot.value))
		count_cut(plan, plan->end, slot.level);
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
		struct s2_slot slot = s2_descend(table, gpa, level + 1);
		atomic_u64 *page = s2_child(table, slot.value);
		uint64_t span = s2_size(level + 1);
		unsigned hint = (unsigned)(gpa >> axvmi_s2_shift(level)) &
				(S2_TABLE_ENTRIES - 1);

		if (!table_is_empty(page, hint))
			return;
		store_relaxed(&slot.table[slot.index], 0);
		axvmi_s2_detach(table, &edit->garbage.head, page, level);
		/* Walk caches may hold the table for all of its span. */
		axvmi_s2_note_flush(edit, align_down(gpa, span), span);
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
	atomic_u64 *entry = slot->table + slot->index;
	uint64_t seen = 0;

	for (unsigned i = 0; i < count; i++) {
		uint64_t value = load_relaxed(&entry[i]);

		seen |= value;
		store_relaxed(&entry[i], 0);
		if (slot->level != 0 && s2_is_table(table->format, value))
			axvmi_s2_detach(table, &edit->garbage.head,
					s2_child(table, value),
					slot->level - 1);
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
	struct s2_slot slot = s2_descend(table, gpa, level);
	uint64_t size = s2_size(slot.level);
	uint64_t count = (end - gpa) >> axvmi_s2_shift(level);
	unsigned room = s2_entries(format, level) - slot.index;

	if (slot.level != level) {
		AXVMI_ASSERT(slot.value == 0);
		return align_down(gpa, size) + size;
	}
	if (count > room)
		count = room;
	if (clear_entries(table, &slot, (unsigned)count, edit)) {
		axvmi_s2_note_flush(edit, gpa, count << axvmi_s2_shift(level));
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

	for (unsigned i = 0; i < count; i++)
		store_relaxed(&entry[i],
			      (load_relaxed(&entry[i]) & keep) | bits);
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
		axvmi_s2_note_flush(edit, gpa, size);
	if ((now & ~holds_everywhere(format, seen) & rights->field) != 0)
		edit->added = true;
}

static struct rights rights_for(const struct axvm_s2_format *format,
				uint32_t access)
{
	struct rights rights;

	rights.field =
		UINT64_C(3) << format->rw_shift | BIT64(format->exec_shift);
	rights.bits = format->attr[AXVM_MEM_NORMAL][access] & rights.field;
	return rights;
}

static void protect_range(struct s2_table *table, const struct edit_plan *plan,
			  const struct rights *rights, struct s2_edit *edit)
{
	const struct axvm_s2_format *format = table->format;
	uint64_t at = plan->gpa;

	while (at < plan->end) {
		struct s2_slot slot = s2_descend(table, at, 0);
		unsigned count = leaf_run(
			format, &slot, run_limit(format, &slot, at, plan->end));

		apply_run(slot.table + slot.index, count, rights);
		at += (uint64_t)count << axvmi_s2_shift(slot.level);
		axvmi_s2_merge_up(table, plan->gpa, at, edit);
	}
}

/* The common case, a few small pages of one table: one walk does. */
static bool protect_small(struct s2_table *table, uint64_t gpa, uint64_t size,
			  uint32_t access, struct s2_edit *edit)
{
	const struct axvm_s2_format *format = table->format;
	unsigned count = (unsigned)(size >> PAGE_SHIFT_4K);
	struct bits seen = {0, UINT64_MAX};
	struct rights rights;
	struct s2_hit hit;
	uint64_t entry;

	if (((gpa ^ (gpa + (size - 1))) >> axvmi_s2_shift(1)) != 0 ||
	    size == s2_size(1) || !table->linear)
		return false;
	hit = s2_find_linear(table, gpa, &entry);
	if (hit.level != 0 || !scan_run(format, &seen, hit.slot, count) ||
	    !rights_allowed(format, &seen, access))
		return false;
	rights = rights_for(format, access);
	apply_run(hit.slot, count, &rights);
	note_rights(format, gpa, size, &seen, &rights, edit);
	return true;
}

int axvmi_s2_protect(struct s2_table *table, struct axvm_gpa gpa, uint64_t size,
		     uint32_t access, struct s2_edit *edit)
{
	const struct axvm_s2_format *format = table->format;
	struct edit_plan plan;
	struct rights rights;
	int error = s2_check_range(format, gpa.value, size);

	if (error != 0)
		return error;
	if (access >= S2_ACCESS_COUNT ||
	    format->attr[AXVM_MEM_NORMAL][access] == 0)
		return AXVM_EINVAL;
	if (protect_small(table, gpa.value, size, access, edit))
		return 0;
	plan = new_plan(gpa.value, size);
	error = plan_edit(table, &plan);
	if (error != 0)
		return error;
	if (!rights_allowed(format, &plan.seen, access))
		return AXVM_EINVAL;
	error = split_ends(table, &plan, edit);
	if (error != 0)
		return error;
	rights = rights_for(format, access);
	protect_range(table, &plan, &rights, edit);
	note_rights(format, gpa.value, size, &plan.seen, &rights, edit);
	return 0;
}
