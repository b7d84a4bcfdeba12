/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The shape of a stage-2 table: splitting a leaf, merging leaves, compaction.
 * Nothing here changes what an address translates to, and readers notice
 * nothing. The caller serialises edits.
 */
#include "assert.h"
#include "stage2_walk.h"

/*
 * Replaces a live entry by one that translates the same: a leaf by a table or
 * a table by a leaf. Hardware with break-before-make must not see both sizes
 * at once (Arm ARM, "TLB maintenance requirements and the TLB maintenance
 * instructions"); software readers understand the broken entry.
 */
static void replace(struct s2_table *table, const struct s2_slot *slot,
		    uint64_t value, uint64_t gpa, struct s2_edit *edit)
{
	const struct axvm_s2_format *format = table->format;
	uint64_t size = s2_size((unsigned)slot->level);

	if (format->break_before_make) {
		AXVMI_ASSERT(edit->flush != NULL);
		store_relaxed(slot->entry, load_relaxed(slot->entry) &
						   ~format->present_mask);
		edit->flush(edit->flush_ctx, axvm_to_gpa(align_down(gpa, size)),
			    size);
	}
	store_release(slot->entry, value);
}

/* The same leaf, one level down: its first part. */
static uint64_t lower_leaf(const struct axvm_s2_format *format, uint64_t leaf,
			   unsigned level)
{
	return (leaf & ~format->level_mask) | format->leaf_bits[level - 1];
}

/* Splits the leaf around `at` until `at` is a boundary, then shows it. */
void axvmi_s2_split_at(struct s2_table *table, uint64_t at,
		       struct s2_chain *chain, struct s2_edit *edit)
{
	const struct axvm_s2_format *format = table->format;
	struct s2_slot slot = axvmi_s2_descend(table, at, 0);
	uint64_t leaf = load_relaxed(slot.entry);
	unsigned level = (unsigned)slot.level;
	uint64_t top = 0;
	atomic_u64 *hook = NULL;

	if (!s2_is_present(format, leaf))
		return;
	while (!is_aligned(at, s2_size(level))) {
		atomic_u64 *page = s2_chain_pop(chain);
		uint64_t link = s2_table_entry(table, page);
		uint64_t stride = s2_stride(format, level - 1);
		unsigned index;

		leaf = lower_leaf(format, leaf, level);
		level--;
		for (unsigned i = 0; i < S2_TABLE_ENTRIES; i++)
			store_relaxed(&page[i], leaf + i * stride);
		if (hook == NULL)
			top = link;
		else
			store_relaxed(hook, link);
		index = (unsigned)(at >> axvmi_s2_shift(level)) &
			(S2_TABLE_ENTRIES - 1);
		hook = page + index;
		leaf += index * stride;
	}
	if (hook != NULL)
		replace(table, &slot, top, at, edit);
}

/* All entries are leaves, one behind the other, that a larger leaf can hold. */
static bool can_merge(const struct axvm_s2_format *format,
		      const atomic_u64 *page, unsigned level)
{
	uint64_t first = load_relaxed(page);
	uint64_t stride = s2_stride(format, level);

	if (!s2_is_present(format, first) ||
	    (level != 0 && s2_is_table(format, first)) ||
	    !is_aligned(s2_entry_hpa(format, first), s2_size(level + 1)))
		return false;
	for (unsigned i = 1; i < S2_TABLE_ENTRIES; i++) {
		if (load_relaxed(&page[i]) != first + i * stride)
			return false;
	}
	return true;
}

/*
 * Makes the entry of `level` at gpa a leaf if what is below allows it. False
 * if it stays, or is, no leaf.
 */
static bool merge(struct s2_table *table, uint64_t gpa, unsigned level,
		  struct s2_edit *edit)
{
	const struct axvm_s2_format *format = table->format;
	struct s2_slot slot = axvmi_s2_descend(table, gpa, level);
	uint64_t value = load_relaxed(slot.entry);
	struct s2_garbage *garbage = &edit->garbage;
	atomic_u64 *page;
	uint64_t leaf;

	if (slot.level != level || !s2_is_table(format, value))
		return slot.level == level && value != 0;
	page = s2_child(table, value);
	if (garbage->live_count == S2_GARBAGE_LIVE ||
	    !can_merge(format, page, level - 1))
		return false;
	leaf = (load_relaxed(page) & ~format->level_mask) |
	       format->leaf_bits[level];
	replace(table, &slot, leaf, gpa, edit);
	garbage->live[garbage->live_count++] = s2_link(page, level - 1);
	/* Walk caches may still hold the detached table. */
	if (!format->break_before_make)
		s2_note_flush(edit, gpa, s2_size(level));
	return true;
}

/* [start, at) is done: merge every larger leaf that ends at `at` inside it. */
void axvmi_s2_merge_up(struct s2_table *table, uint64_t start, uint64_t at,
		       struct s2_edit *edit)
{
	for (unsigned level = 1; level < table->format->levels; level++) {
		uint64_t size = s2_size(level);

		if (!s2_leaf_allowed(table->format, level) ||
		    !is_aligned(at, size) || at - start < size ||
		    !merge(table, at - size, level, edit))
			return;
	}
}

/* What one step can merge at most: a 2M and the 1G leaf that ends with it. */
#define STEP_MERGES 2u

int axvmi_s2_compact(struct s2_table *table, struct axvm_gpa gpa, uint64_t size,
		     struct s2_progress *progress, struct s2_edit *edit)
{
	size_t steps = 0;
	int error = s2_check_range(table->format, gpa.value, size);

	if (error != 0)
		return error;
	if (progress->max_steps == 0 || progress->done > size)
		return AXVM_EINVAL;
	while (progress->done < size) {
		uint64_t at = gpa.value + progress->done;
		struct s2_slot slot = axvmi_s2_descend(table, at, 1);
		uint64_t span = s2_size((unsigned)slot.level);
		uint64_t next = align_down(at, span) + span;

		if (steps++ == progress->max_steps ||
		    edit->garbage.live_count + STEP_MERGES > S2_GARBAGE_LIVE)
			return AXVM_EAGAIN;
		if (next - gpa.value > size)
			next = gpa.value + size;
		axvmi_s2_merge_up(table, gpa.value, next, edit);
		progress->done = next - gpa.value;
	}
	return 0;
}
