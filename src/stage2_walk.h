/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What the stage2*.c files share: reading entries, walking down, taking table
 * frames, handing detached tables out. Not for anybody else.
 */
#ifndef AXVMI_STAGE2_WALK_H
#define AXVMI_STAGE2_WALK_H

#include "stage2.h"

/* An entry; small enough to be returned in registers. */
struct s2_slot {
	atomic_u64 *entry;
	uint64_t level;
};

/* Table frames taken before an edit begins, chained through their word 0. */
struct s2_chain {
	atomic_u64 *head;
};

static inline uint64_t s2_size(unsigned level)
{
	return UINT64_C(1) << axvmi_s2_shift(level);
}

/* Distance between the leaf entries of neighbouring pages. */
static inline uint64_t s2_stride(const struct axvm_s2_format *format,
				 unsigned level)
{
	return s2_size(level) >> format->addr_shift;
}

static inline bool s2_is_table(const struct axvm_s2_format *format,
			       uint64_t entry)
{
	return (entry & format->table_mask) == format->table_value;
}

static inline bool s2_is_present(const struct axvm_s2_format *format,
				 uint64_t entry)
{
	return (entry & format->present_mask) != 0;
}

static inline uint64_t s2_entry_hpa(const struct axvm_s2_format *format,
				    uint64_t entry)
{
	return (entry & format->addr_mask) * format->addr_scale;
}

static inline bool s2_leaf_allowed(const struct axvm_s2_format *format,
				   unsigned level)
{
	return (format->leaf_levels >> level & 1u) != 0;
}

static inline atomic_u64 *s2_child(const struct s2_table *table, uint64_t entry)
{
	const struct s2_pool *pool = table->pool;
	uint64_t hpa = s2_entry_hpa(table->format, entry);

	if (pool->linear)
		return (atomic_u64 *)(uintptr_t)(hpa + pool->virt_offset);
	return pool->phys_to_virt(pool->ctx, hpa);
}

static inline uint64_t s2_frame_hpa(const struct s2_table *table, void *page)
{
	const struct s2_pool *pool = table->pool;

	if (pool->linear)
		return (uint64_t)(uintptr_t)page - pool->virt_offset;
	return pool->virt_to_phys(pool->ctx, page);
}

static inline uint64_t s2_table_entry(const struct s2_table *table, void *page)
{
	return axvmi_s2_encode_table(table->format, s2_frame_hpa(table, page));
}

/* Entries of a table at `level`; the root may be larger or smaller. */
static inline unsigned s2_entries(const struct axvm_s2_format *format,
				  unsigned level)
{
	return level == format->levels - 1 ? 1u << format->root_bits
					   : S2_TABLE_ENTRIES;
}

/* How many entries of its table begin at the slot for gpa. */
static inline unsigned s2_room(const struct axvm_s2_format *format,
			       struct s2_slot slot, uint64_t gpa)
{
	unsigned entries = s2_entries(format, (unsigned)slot.level);

	return entries -
	       ((unsigned)(gpa >> axvmi_s2_shift((unsigned)slot.level)) &
		(entries - 1));
}

/*
 * The slot that decides about gpa, `stop` levels above the leaf tables at the
 * lowest. gpa fits the format. For edits, which alone change tables.
 */
struct s2_slot axvmi_s2_descend(const struct s2_table *table, uint64_t gpa,
				unsigned stop);

/* A leaf's slot at the lowest level, and what is in it. */
struct s2_page {
	atomic_u64 *entry;
	uint64_t value;
};

/*
 * The shortest way to a small page whose table is there. Where that does not
 * lead, `entry` is NULL: that edit takes the long way.
 */
struct s2_page axvmi_s2_page(const struct s2_table *table, uint64_t gpa);

/*
 * For readers: what decides about gpa and the level it was found at. An
 * entry between break and make tells the truth, since only the shape of the
 * tables changes there, and is returned as if it were present.
 */
uint64_t axvmi_s2_look(const struct s2_table *table, uint64_t gpa,
		       unsigned *level);

/* (gpa, size) is page-granular, does not wrap and fits the format. */
static inline int s2_check_range(const struct axvm_s2_format *format,
				 uint64_t gpa, uint64_t size)
{
	if (!range_valid(gpa, size) || !is_aligned(gpa | size, PAGE_SIZE_4K))
		return AXVM_EINVAL;
	if ((gpa + (size - 1)) >> format->gpa_bits != 0)
		return AXVM_ERANGE;
	return 0;
}

/* A detached table in a list; stored over entry 0 it is not present. */
static inline uint64_t s2_link(atomic_u64 *page, unsigned level)
{
	return (uint64_t)(uintptr_t)page | (uint64_t)level << 8;
}

int axvmi_s2_take(struct s2_table *table, size_t count, struct s2_chain *chain);
void axvmi_s2_widen_flush(struct s2_edit *edit, uint64_t first, uint64_t last);
void axvmi_s2_detach(const struct s2_table *table, uint64_t *head,
		     atomic_u64 *page, unsigned level);
void axvmi_s2_split_at(struct s2_table *table, uint64_t at,
		       struct s2_chain *chain, struct s2_edit *edit);
void axvmi_s2_merge_up(struct s2_table *table, uint64_t start, uint64_t at,
		       struct s2_edit *edit);

static inline void s2_note_flush(struct s2_edit *edit, uint64_t gpa,
				 uint64_t size)
{
	uint64_t last = gpa + (size - 1);

	if (edit->need_flush) {
		axvmi_s2_widen_flush(edit, gpa, last);
		return;
	}
	edit->need_flush = true;
	edit->flush_first = gpa;
	edit->flush_last = last;
}

static inline atomic_u64 *s2_chain_pop(struct s2_chain *chain)
{
	atomic_u64 *page = chain->head;

	chain->head = (atomic_u64 *)(uintptr_t)load_relaxed(page);
	return page;
}

#endif
