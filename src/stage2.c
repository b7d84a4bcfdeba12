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

void axvmi_s2_widen_flush(struct s2_edit *edit, uint64_t first, uint64_t last)
{
	if (first < edit->flush_first)
		edit->flush_first = first;
	if (last > edit->flush_last)
		edit->flush_last = last;
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

/* Most of what is freed are tables of few entries. A table has a page to itself
 * even where it has fewer than eight. */
static bool eight_empty(const atomic_u64 *entry)
{
	return (load_relaxed(&entry[0]) | load_relaxed(&entry[1]) |
		load_relaxed(&entry[2]) | load_relaxed(&entry[3]) |
		load_relaxed(&entry[4]) | load_relaxed(&entry[5]) |
		load_relaxed(&entry[6]) | load_relaxed(&entry[7])) == 0;
}

/* Frees the leaf tables that entries [i, end) name and lists the others. */
static size_t free_below(struct s2_table *table, uint64_t *head,
			 const atomic_u64 *page, unsigned i, unsigned end,
			 unsigned level)
{
	const struct axvm_s2_format *format = table->format;
	struct s2_pool *pool = table->pool;
	size_t freed = 0;

	for (; i < end; i++) {
		uint64_t entry;

		while (i % 8 == 0 && i < end && eight_empty(&page[i]))
			i += 8;
		if (i >= end)
			break;
		entry = load_relaxed(&page[i]);
		if (!s2_is_table(format, entry))
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
	return freed;
}

/* Frees the first table of a list and its leaf tables; lists the others. */
static size_t free_first(struct s2_table *table, uint64_t *head)
{
	struct s2_pool *pool = table->pool;
	atomic_u64 *page = link_page(*head);
	unsigned level = link_level(*head);
	size_t freed = 1;

	*head = load_relaxed(page);
	if (level != 0)
		freed += free_below(table, head, page, 1, S2_TABLE_ENTRIES,
				    level);
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
	table->quick_end = pool->linear && format->levels <= 4
				   ? BIT64(format->gpa_bits)
				   : 0;
	table->rights_mask =
		UINT64_C(3) << format->rw_shift | BIT64(format->exec_shift);
	table->rights_gather =
		BIT64(61 - format->rw_shift) | BIT64(63 - format->exec_shift);
	table->device_mask = BIT64(format->device_shift);
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
		(void)free_below(table, &table->dead, table->root, 0,
				 s2_entries(format, top), top);
		pool->free_page(pool->ctx, table->root, size);
		table->root = NULL;
		atomic_fetch_sub_explicit(&table->pages, size / S2_TABLE_SIZE,
					  memory_order_relaxed);
	}
	return free_list(table, &table->dead, max_pages);
}

static struct s2_slot root_slot(const struct s2_table *table, uint64_t gpa)
{
	/* The index needs no mask, since gpa fits the format. */
	return (struct s2_slot){
		.entry = table->root + (gpa >> table->top_shift),
		.level = table->format->levels - 1,
	};
}

/* One level down, through the table that `value` names. */
static void step(const struct s2_table *table, uint64_t gpa, uint64_t value,
		 struct s2_slot *slot)
{
	slot->level--;
	slot->entry = s2_child(table, value) +
		      (gpa >> axvmi_s2_shift((unsigned)slot->level) &
		       (S2_TABLE_ENTRIES - 1));
}

static struct s2_slot descend_slow(const struct s2_table *table, uint64_t gpa,
				   unsigned stop)
{
	struct s2_slot slot = root_slot(table, gpa);

	while (slot.level != stop) {
		uint64_t value = load_relaxed(slot.entry);

		if (!s2_is_table(table->format, value))
			break;
		step(table, gpa, value, &slot);
	}
	return slot;
}

/* The next index is kept in the top bits of `rest`. */
struct s2_slot axvmi_s2_descend(const struct s2_table *table, uint64_t gpa,
				unsigned stop)
{
	const struct axvm_s2_format *format = table->format;
	const uint64_t table_mask = format->table_mask;
	const uint64_t table_value = format->table_value;
	const uint64_t addr_mask = format->addr_mask;
	const uint64_t offset = table->offset;
	const unsigned addr_shift = format->addr_shift;
	struct s2_slot slot = root_slot(table, gpa);
	uint64_t rest = gpa << (64 - table->top_shift);

	if (!table->linear)
		return descend_slow(table, gpa, stop);
	while (slot.level != stop) {
		uint64_t value = load_relaxed(slot.entry);

		if ((value & table_mask) != table_value)
			break;
		value = ((value & addr_mask) << addr_shift) + offset;
		slot.entry = (atomic_u64 *)(uintptr_t)value +
			     (rest >> (64 - S2_LEVEL_BITS));
		slot.level--;
		rest <<= S2_LEVEL_BITS;
	}
	return slot;
}

uint64_t axvmi_s2_look(const struct s2_table *table, uint64_t gpa,
		       unsigned *level)
{
	const struct axvm_s2_format *format = table->format;
	struct s2_slot slot = root_slot(table, gpa);

	for (;;) {
		uint64_t value = load_acquire(slot.entry);

		if (!s2_is_present(format, value) &&
		    (value & format->broken_mark) != 0)
			value |= format->present_mask;
		if (slot.level == 0 || !s2_is_table(format, value)) {
			*level = (unsigned)slot.level;
			return value;
		}
		step(table, gpa, value, &slot);
	}
}

/* The answer from the entry of `level` that decides, if it is a leaf. */
static inline int found(const struct s2_table *table, uint64_t gpa,
			uint64_t entry, unsigned level,
			struct s2_mapping *mapping)
{
	const struct axvm_s2_format *format = table->format;
	uint64_t on = entry ^ format->flip;
	uint64_t size = s2_size(level);

	if ((entry & format->used_bit) == 0)
		return AXVM_ENOENT;
	mapping->hpa.value =
		((entry & format->addr_mask) << format->addr_shift) +
		(gpa & (size - 1));
	mapping->leaf_size = size;
	mapping->access =
		(uint32_t)((on & table->rights_mask) * table->rights_gather >>
			   61);
	mapping->type = (on & table->device_mask) != 0 ? AXVM_MEM_DEVICE
						       : AXVM_MEM_NORMAL;
	return AXVM_OK;
}

/* A large leaf; or, `entry` not being present, anything at all. */
__attribute__((noinline)) static int query_any(const struct s2_table *table,
					       uint64_t gpa, uint64_t entry,
					       unsigned level,
					       struct s2_mapping *mapping)
{
	if (!s2_is_present(table->format, entry))
		entry = axvmi_s2_look(table, gpa, &level);
	return found(table, gpa, entry, level, mapping);
}

/* Translation by callback, five levels, no such address. */
static int query_slow(const struct s2_table *table, uint64_t gpa,
		      struct s2_mapping *mapping)
{
	if (gpa >> table->format->gpa_bits != 0)
		return AXVM_ERANGE;
	return query_any(table, gpa, 0, 0, mapping);
}

/* What a walk reads again and again, kept in registers: an acquire load makes
 * the compiler forget memory. */
struct walk {
	uint64_t table_mask;
	uint64_t table_value;
	uint64_t addr_mask;
	uint64_t offset;
	unsigned addr_shift;
};

static inline struct walk new_walk(const struct s2_table *table)
{
	const struct axvm_s2_format *format = table->format;

	return (struct walk){
		.table_mask = format->table_mask,
		.table_value = format->table_value,
		.addr_mask = format->addr_mask,
		.offset = table->offset,
		.addr_shift = format->addr_shift,
	};
}

/* Down to `level`; false at a leaf or hole. The time of a walk is that from one
 * load to the next: what does not depend on the entry is summed up apart. */
static inline bool down(const struct walk *w, uint64_t gpa, unsigned level,
			atomic_u64 **slot, uint64_t *entry)
{
	uint64_t table = (*entry & w->addr_mask) << w->addr_shift;
	uint64_t place = w->offset + (gpa >> axvmi_s2_shift(level) &
				      (S2_TABLE_ENTRIES - 1)) *
					     sizeof(atomic_u64);

	if ((*entry & w->table_mask) != w->table_value)
		return false;
	*slot = (atomic_u64 *)(uintptr_t)(table + place);
	*entry = load_acquire(*slot);
	return true;
}

/*
 * Down to the tables of level 1, unrolled for three and four levels: returns
 * the level at which a leaf or hole was met, 0 if none was.
 */
__attribute__((always_inline)) static inline unsigned
down_to_1(const struct s2_table *table, const struct walk *w, uint64_t gpa,
	  uint64_t *entry)
{
	atomic_u64 *slot;

	if (table->top_shift == axvmi_s2_shift(3)) {
		*entry = load_acquire(table->root + (gpa >> axvmi_s2_shift(3)));
		if (!down(w, gpa, 2, &slot, entry))
			return 3;
	} else {
		*entry = load_acquire(table->root + (gpa >> axvmi_s2_shift(2)));
	}
	return down(w, gpa, 1, &slot, entry) ? 0 : 2;
}

int axvmi_s2_query(const struct s2_table *table, struct axvm_gpa gpa,
		   struct s2_mapping *mapping)
{
	const struct walk w = new_walk(table);
	uint64_t at = gpa.value;
	atomic_u64 *slot;
	uint64_t entry;
	unsigned level;

	if (at >= table->quick_end)
		return query_slow(table, at, mapping);
	level = down_to_1(table, &w, at, &entry);
	if (level != 0)
		return query_any(table, at, entry, level, mapping);
	if (!down(&w, at, 0, &slot, &entry))
		return query_any(table, at, entry, 1, mapping);
	return found(table, at, entry, 0, mapping);
}

struct s2_page axvmi_s2_page(const struct s2_table *table, uint64_t gpa)
{
	const struct walk w = new_walk(table);
	struct s2_page page;

	if (gpa >= table->quick_end ||
	    down_to_1(table, &w, gpa, &page.value) != 0 ||
	    !down(&w, gpa, 0, &page.entry, &page.value))
		page.entry = NULL;
	return page;
}
