/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Life of a stage-2 table: its frames, translation, and the way detached
 * tables go back to the pool. Maps are in stage2_map.c, other edits in
 * stage2_edit.c.
 */
#include "assert.h"
#include "mem.h"
#include "stage2_walk.h"

/* A frame must be aligned and have an address that an entry can hold. */
static int check_frame(const struct s2_table *table, void *page, size_t size)
{
	uint64_t hpa = s2_frame_hpa(table, page);

	if (!is_aligned((uint64_t)(uintptr_t)page | hpa, size))
		return AXVM_EINVAL;
	if (hpa >> table->format->hpa_bits != 0)
		return AXVM_ERANGE;
	return 0;
}

static int take_frame(struct s2_table *table, size_t size, atomic_u64 **frame)
{
	struct s2_pool *pool = table->pool;
	void *page = pool->alloc_page(pool->ctx, size, size);
	int error;

	if (page == NULL)
		return AXVM_ENOMEM;
	error = check_frame(table, page, size);
	if (error != 0) {
		pool->free_page(pool->ctx, page, size);
		return error;
	}
	*frame = page;
	return 0;
}

/*
 * Takes all the frames an edit will need, so that the edit itself cannot fail.
 * On error none is kept.
 */
int axvmi_s2_take(struct s2_table *table, size_t count, struct s2_chain *chain)
{
	struct s2_pool *pool = table->pool;
	int error = 0;

	chain->head = NULL;
	for (size_t i = 0; i < count && error == 0; i++) {
		atomic_u64 *page;

		error = take_frame(table, S2_TABLE_SIZE, &page);
		if (error == 0) {
			store_relaxed(page, (uint64_t)(uintptr_t)chain->head);
			chain->head = page;
		}
	}
	if (error == 0) {
		if (count != 0)
			atomic_fetch_add_explicit(&table->pages, count,
						  memory_order_relaxed);
		return 0;
	}
	while (chain->head != NULL)
		pool->free_page(pool->ctx, s2_chain_pop(chain), S2_TABLE_SIZE);
	return error;
}

void axvmi_s2_note_flush(struct s2_edit *edit, uint64_t gpa, uint64_t size)
{
	uint64_t last = gpa + (size - 1);

	if (!edit->need_flush || gpa < edit->flush_first)
		edit->flush_first = gpa;
	if (!edit->need_flush || last > edit->flush_last)
		edit->flush_last = last;
	edit->need_flush = true;
}

static atomic_u64 *link_page(uint64_t link)
{
	return (atomic_u64 *)(uintptr_t)align_down(link, S2_TABLE_SIZE);
}

static unsigned link_level(uint64_t link)
{
	return (unsigned)(link >> 8) & 3u;
}

/*
 * Puts an unmapped subtree on a list. The link replaces entry 0, so a table
 * below entry 0 goes on the list for itself first.
 */
void axvmi_s2_detach(const struct s2_table *table, uint64_t *head,
		     atomic_u64 *page, unsigned level)
{
	for (;;) {
		uint64_t first = load_relaxed(page);

		store_relaxed(page, *head);
		*head = s2_link(page, level);
		if (level == 0 || !s2_is_table(table->format, first))
			return;
		page = s2_child(table, first);
		level--;
	}
}

/* Frees the first table of a list and its leaf tables; lists the others. */
static size_t free_first(struct s2_table *table, uint64_t *head)
{
	struct s2_pool *pool = table->pool;
	atomic_u64 *page = link_page(*head);
	unsigned level = link_level(*head);
	size_t freed = 1;

	*head = load_relaxed(page);
	for (unsigned i = 1; level != 0 && i < S2_TABLE_ENTRIES; i++) {
		uint64_t entry = load_relaxed(&page[i]);

		if (!s2_is_table(table->format, entry))
			continue;
		if (level > 1) {
			axvmi_s2_detach(table, head, s2_child(table, entry),
					level - 1);
			continue;
		}
		pool->free_page(pool->ctx, s2_child(table, entry),
				S2_TABLE_SIZE);
		freed++;
	}
	pool->free_page(pool->ctx, page, S2_TABLE_SIZE);
	return freed;
}

static int free_list(struct s2_table *table, uint64_t *head, size_t max_pages)
{
	size_t freed = 0;

	while (*head != 0 && freed < max_pages)
		freed += free_first(table, head);
	if (freed != 0)
		atomic_fetch_sub_explicit(&table->pages, freed,
					  memory_order_relaxed);
	return *head != 0 ? AXVM_EAGAIN : 0;
}

int axvmi_s2_reclaim(struct s2_table *table, struct s2_edit *edit,
		     size_t max_pages)
{
	struct s2_garbage *garbage = &edit->garbage;

	/* Readers are gone: merged tables may be written to now. */
	while (garbage->live_count != 0) {
		uint64_t link = garbage->live[--garbage->live_count];

		axvmi_s2_detach(table, &garbage->head, link_page(link),
				link_level(link));
	}
	return free_list(table, &garbage->head, max_pages);
}

int axvmi_s2_init(struct s2_table *table, const struct axvm_s2_format *format,
		  struct s2_pool *pool)
{
	size_t size = axvmi_s2_root_size(format);
	struct s2_table fresh = {.format = format, .pool = pool};
	int error;

	AXVMI_ASSERT(format->levels >= 3 && format->levels <= S2_MAX_LEVELS);
	AXVMI_ASSERT(format->addr_shift == 0 || format->addr_shift == 2);
	AXVMI_ASSERT(!format->break_before_make ||
		     is_power_of_two(format->present_mask));
	error = take_frame(&fresh, size, &fresh.root);
	if (error != 0)
		return error;
	memset(fresh.root, 0, size);
	table->format = format;
	table->pool = pool;
	table->root = fresh.root;
	table->offset = pool->virt_offset;
	table->top_shift = axvmi_s2_shift(format->levels - 1);
	table->linear = pool->linear;
	table->last_gpa = BIT64(format->gpa_bits) - 1;
	table->dead = 0;
	store_relaxed(&table->pages, size / S2_TABLE_SIZE);
	return 0;
}

int axvmi_s2_destroy(struct s2_table *table, size_t max_pages)
{
	const struct axvm_s2_format *format = table->format;
	unsigned top = format->levels - 1;
	size_t size = axvmi_s2_root_size(format);
	struct s2_pool *pool = table->pool;

	if (table->root != NULL) {
		for (unsigned i = 0; i < s2_entries(format, top); i++) {
			uint64_t entry = load_relaxed(&table->root[i]);

			if (s2_is_table(format, entry))
				axvmi_s2_detach(table, &table->dead,
						s2_child(table, entry),
						top - 1);
		}
		pool->free_page(pool->ctx, table->root, size);
		table->root = NULL;
		atomic_fetch_sub_explicit(&table->pages, size / S2_TABLE_SIZE,
					  memory_order_relaxed);
	}
	return free_list(table, &table->dead, max_pages);
}

struct s2_slot axvmi_s2_resume_slow(const struct s2_table *table, uint64_t gpa,
				    struct s2_slot slot, unsigned stop)
{
	while (slot.level != stop && s2_is_table(table->format, slot.value)) {
		slot.table = s2_child(table, slot.value);
		slot.level--;
		slot.index = (unsigned)(gpa >> axvmi_s2_shift(slot.level)) &
			     (S2_TABLE_ENTRIES - 1);
		slot.value = load_acquire(&slot.table[slot.index]);
	}
	return slot;
}

/*
 * The rare cases: translation by callback, nothing there, and an entry between
 * break and make. The last still tells the truth, since only the shape of the
 * tables changes there.
 */
__attribute__((noinline)) static int query_slow(const struct s2_table *table,
						uint64_t gpa,
						struct s2_mapping *mapping)
{
	const struct axvm_s2_format *format = table->format;
	struct s2_slot slot = s2_descend(table, gpa, 0);
	uint64_t offset;

	while (!s2_is_present(format, slot.value)) {
		if ((slot.value & format->broken_mark) == 0)
			return AXVM_ENOENT;
		slot.value |= format->present_mask;
		slot = s2_resume(table, gpa, slot, 0);
	}
	offset = s2_size(slot.level) - 1;
	mapping->hpa.value =
		(s2_entry_hpa(format, slot.value) & ~offset) | (gpa & offset);
	mapping->leaf_size = offset + 1;
	mapping->access = axvmi_s2_decode_access(format, slot.value);
	mapping->type = axvmi_s2_decode_type(format, slot.value);
	return 0;
}

__attribute__((always_inline)) static inline int
query_linear(const struct s2_table *table, uint64_t gpa, unsigned addr_shift,
	     struct s2_mapping *mapping)
{
	const struct axvm_s2_format *format = table->format;
	uint64_t entry;
	struct s2_hit hit = s2_find_shifted(table, gpa, addr_shift, &entry);
	uint64_t offset =
		(UINT64_C(1) << axvmi_s2_shift((unsigned)hit.level)) - 1;

	if (!s2_is_present(format, entry))
		return query_slow(table, gpa, mapping);
	mapping->hpa.value =
		((entry & format->addr_mask) << addr_shift & ~offset) |
		(gpa & offset);
	mapping->leaf_size = offset + 1;
	mapping->access = axvmi_s2_decode_access(format, entry);
	mapping->type = axvmi_s2_decode_type(format, entry);
	return 0;
}

int axvmi_s2_query(const struct s2_table *table, struct axvm_gpa gpa,
		   struct s2_mapping *mapping)
{
	if (gpa.value > table->last_gpa)
		return AXVM_ERANGE;
	if (!table->linear)
		return query_slow(table, gpa.value, mapping);
	if (table->format->addr_shift == 0)
		return query_linear(table, gpa.value, 0, mapping);
	return query_linear(table, gpa.value, 2, mapping);
}
