/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What the stage2*.c files share: reading entries, walking down, taking table
 * frames, handing detached tables out. Not for anybody else.
 */
#ifndef AXVMI_STAGE2_WALK_H
#define AXVMI_STAGE2_WALK_H

#include "stage2.h"

/* One entry in its table, and what was read from it. */
struct s2_slot {
	atomic_u64 *table; /* the table's first entry */
	uint64_t value;
	unsigned index;
	unsigned level;
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

/* The same walk through the pool's translators. */
struct s2_slot axvmi_s2_resume_slow(const struct s2_table *table, uint64_t gpa,
				    struct s2_slot slot, unsigned stop);

/*
 * Walks on towards gpa until `stop` or until there is no further table. The
 * next index is kept in the top bits of `rest`, and constants in locals, since
 * an acquire load makes the compiler forget memory: this loop is the hottest.
 */
static inline struct s2_slot s2_resume(const struct s2_table *table,
				       uint64_t gpa, struct s2_slot slot,
				       unsigned stop)
{
	const struct axvm_s2_format *format = table->format;
	const uint64_t table_mask = format->table_mask;
	const uint64_t table_value = format->table_value;
	const uint64_t addr_mask = format->addr_mask;
	const uint64_t addr_scale = format->addr_scale;
	const uint64_t offset = table->pool->virt_offset;
	uint64_t rest = gpa << (64 - axvmi_s2_shift(slot.level));

	if (!table->pool->linear)
		return axvmi_s2_resume_slow(table, gpa, slot, stop);
	while (slot.level != stop && (slot.value & table_mask) == table_value) {
		uint64_t base = (slot.value & addr_mask) * addr_scale + offset;

		slot.table = (atomic_u64 *)(uintptr_t)base;
		slot.index = (unsigned)(rest >> (64 - S2_LEVEL_BITS));
		slot.value = load_acquire(&slot.table[slot.index]);
		slot.level--;
		rest <<= S2_LEVEL_BITS;
	}
	return slot;
}

/* gpa fits the format: the root's index needs no mask. */
static inline struct s2_slot s2_descend(const struct s2_table *table,
					uint64_t gpa, unsigned stop)
{
	struct s2_slot slot;

	slot.level = table->format->levels - 1;
	slot.table = table->root;
	slot.index = (unsigned)(gpa >> axvmi_s2_shift(slot.level));
	slot.value = load_acquire(&slot.table[slot.index]);
	return s2_resume(table, gpa, slot, stop);
}

/* Where a walk to level 0 ended. */
struct s2_hit {
	atomic_u64 *slot;
	uint64_t level;
};

/* One step down to `level`; false at a leaf or hole. Constants inline. */
static inline bool s2_step(const struct axvm_s2_format *format, uint64_t where,
			   unsigned addr_shift, struct s2_hit *hit,
			   uint64_t *entry)
{
	uint64_t base;

	if (!s2_is_table(format, *entry))
		return false;
	base = ((*entry & format->addr_mask) << addr_shift) + where;
	hit->slot = (atomic_u64 *)(uintptr_t)base;
	hit->level--;
	*entry = load_acquire(hit->slot);
	return true;
}

/* What to add to the physical address of gpa's table at `level`. */
static inline uint64_t s2_where(const struct s2_table *table, uint64_t gpa,
				unsigned level)
{
	return table->offset +
	       (gpa >> axvmi_s2_shift(level) & (S2_TABLE_ENTRIES - 1)) *
		       sizeof(atomic_u64);
}

/* Inlining twice is the point: gcc would not by itself. */
__attribute__((always_inline)) static inline struct s2_hit
s2_find_shifted(const struct s2_table *table, uint64_t gpa, unsigned addr_shift,
		uint64_t *entry)
{
	const struct axvm_s2_format *format = table->format;
	unsigned shift = table->top_shift;
	struct s2_hit hit = {table->root + (gpa >> shift), format->levels - 1};

	*entry = load_acquire(hit.slot);
	if (shift > axvmi_s2_shift(3) &&
	    !s2_step(format, s2_where(table, gpa, 3), addr_shift, &hit, entry))
		return hit;
	if (shift > axvmi_s2_shift(2) &&
	    !s2_step(format, s2_where(table, gpa, 2), addr_shift, &hit, entry))
		return hit;
	if (s2_step(format, s2_where(table, gpa, 1), addr_shift, &hit, entry))
		(void)s2_step(format, s2_where(table, gpa, 0), addr_shift, &hit,
			      entry);
	return hit;
}

/*
 * The same as s2_descend() for level 0, unrolled and made twice, since the
 * time of a query is the number of instructions: linear pools, hot paths.
 */
static inline struct s2_hit s2_find_linear(const struct s2_table *table,
					   uint64_t gpa, uint64_t *entry)
{
	return table->format->addr_shift == 0
		       ? s2_find_shifted(table, gpa, 0, entry)
		       : s2_find_shifted(table, gpa, 2, entry);
}

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
void axvmi_s2_note_flush(struct s2_edit *edit, uint64_t gpa, uint64_t size);
void axvmi_s2_detach(const struct s2_table *table, uint64_t *head,
		     atomic_u64 *page, unsigned level);
void axvmi_s2_split_at(struct s2_table *table, uint64_t at,
		       struct s2_chain *chain, struct s2_edit *edit);
void axvmi_s2_merge_up(struct s2_table *table, uint64_t start, uint64_t at,
		       struct s2_edit *edit);

static inline atomic_u64 *s2_chain_pop(struct s2_chain *chain)
{
	atomic_u64 *page = chain->head;

	chain->head = (atomic_u64 *)(uintptr_t)load_relaxed(page);
	return page;
}

#endif
