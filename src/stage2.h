/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Stage-2 page tables: one walker for EPT, VMSAv8-64 stage 2 and SvNNx4. A
 * format is data alone, filled by a backend's pure s2_format.c. The caller
 * serialises edits by its memory lock; axvmi_s2_query() and the hardware may
 * walk at any time. Knows nothing of VMs; called by memory.c and the fault path.
 */
#ifndef AXVMI_STAGE2_H
#define AXVMI_STAGE2_H

#include "axvm/error.h"
#include "axvm/types.h"
#include "bits.h"
#include "lock.h"

/* Levels count from the leaves: 0 maps 4 KiB, 1 maps 2 MiB, 2 maps 1 GiB. */
#define S2_MAX_LEVELS 5u
#define S2_LEVEL_BITS 9u
#define S2_TABLE_ENTRIES 512u
#define S2_TABLE_SIZE 4096u
#define S2_LEAF_4K 0x1u
#define S2_LEAF_2M 0x2u
#define S2_LEAF_1G 0x4u
#define S2_ACCESS_COUNT 8u
#define S2_TYPE_COUNT 2u

/*
 * One mode of one architecture. Non-present entries written by the walker are
 * 0. Fields a hardware walker ignores while an entry is not present may hold
 * the two internal marks: a "broken" entry (break-before-make under way) and
 * the link of a detached table (page address | level << 8).
 */
struct axvm_s2_format {
	const char *name;
	unsigned levels; /* tables on a full walk, 3..S2_MAX_LEVELS */
	unsigned gpa_bits; /* guest-physical addresses are below 2^gpa_bits */
	unsigned root_bits; /* log2 of the root's entries; 9 + extra bits */
	unsigned hpa_bits; /* host-physical addresses are below 2^hpa_bits */
	unsigned leaf_levels; /* S2_LEAF_* set; 4K is always in it */
	bool break_before_make; /* a live entry may not change its kind */
	/* hpa = (entry & addr_mask) * addr_scale, addr_scale = 1 << addr_shift;
	 * plain addition advances. */
	unsigned addr_shift; /* 0 or 2 */
	uint64_t addr_scale;
	uint64_t addr_mask;
	/* Present: any of these bits. With break_before_make: exactly one. */
	uint64_t present_mask;
	/* At level >= 1, a table: (entry & table_mask) == table_value. */
	uint64_t table_mask;
	uint64_t table_value;
	uint64_t table_bits; /* a table entry is table_bits | address */
	/* Bits by which leaves of different levels differ. */
	uint64_t level_mask;
	uint64_t leaf_bits[S2_MAX_LEVELS];
	/* Properties of a leaf, by bit number in entry ^ flip. */
	uint64_t flip;
	unsigned rw_shift; /* may be read; the next bit: may be written */
	unsigned exec_shift; /* may be executed */
	unsigned device_shift; /* is device memory */
	uint64_t used_bit; /* set in every leaf of ours, never flipped */
	/* Set in every entry of ours and in no link; 0 without BBM. */
	uint64_t broken_mark;
	/* Level-0 leaf without its address; 0: the hardware cannot do it. */
	uint64_t attr[S2_TYPE_COUNT][S2_ACCESS_COUNT];
};

/*
 * Where table frames come from. Frames are size-aligned, need not be zeroed.
 * With `linear`, virtual = physical + virt_offset (modulo 2^64) and the two
 * translators are not called.
 */
struct s2_pool {
	void *ctx;
	void *(*alloc_page)(void *ctx, size_t size, size_t align);
	void (*free_page)(void *ctx, void *page, size_t size);
	uint64_t (*virt_to_phys)(void *ctx, void *page);
	void *(*phys_to_virt)(void *ctx, uint64_t hpa);
	bool linear;
	uint64_t virt_offset;
};

struct s2_table {
	const struct axvm_s2_format *format;
	struct s2_pool *pool;
	atomic_u64 *root;
	/* For the shortest walk. Addresses below quick_end have it: all with
	 * three or four levels in a linear pool, else none. */
	uint64_t quick_end;
	uint64_t offset; /* the pool's virt_offset */
	uint32_t top_shift; /* gpa >> top_shift indexes the root */
	bool linear; /* the pool's */
	/* Properties of a leaf: ((entry ^ flip) & rights_mask) * rights_gather
	 * has AXVM_READ, WRITE, EXEC in its top bits. */
	uint64_t rights_mask;
	uint64_t rights_gather;
	uint64_t device_mask;
	uint64_t dead; /* detached tables of a destroy under way */
	atomic_u64 pages; /* 4 KiB frames owned, root and detached included */
};

/* Detached tables whose entries still translate: kept out of line. */
#define S2_GARBAGE_LIVE 16u

/*
 * Tables an edit has detached. Readers may still be inside, so nothing is
 * freed and no translation that stays valid is overwritten: subtrees that were
 * unmapped are chained through their first word, which decodes as non-present
 * in every format (its page is unmapped, so that is also the truth); tables
 * merged into a leaf stay intact and are listed here. When the list is full,
 * merging stops until axvmi_s2_reclaim() has emptied it.
 */
struct s2_garbage {
	uint64_t head;
	unsigned live_count;
	uint64_t live[S2_GARBAGE_LIVE];
};

/*
 * One batch of edits. When it is done, the caller
 *   1. flushes the TLBs of [flush_first, flush_last] if need_flush,
 *   2. waits until readers have left their read sections,
 *   3. frees the detached tables by axvmi_s2_reclaim().
 * A batch that only added translations owes no flush; a CPU may then take a
 * spurious fault, as it may between break and make: retry it. Ordering page
 * table stores before hardware walks (DSB ISHST) is the backend's at entry.
 */
struct s2_edit {
	/* No CPU uses an old translation of the range on return. Required by
	 * break-before-make formats, unused by others. */
	void (*flush)(void *ctx, struct axvm_gpa gpa, uint64_t size);
	void *flush_ctx;
	bool added; /* a translation was added or widened */
	bool need_flush; /* one was removed or narrowed, or a table detached */
	uint64_t flush_first; /* valid with need_flush; last is inclusive */
	uint64_t flush_last;
	struct s2_garbage garbage;
};

/* A range to map; 4 KiB granular. */
struct s2_map {
	struct axvm_gpa gpa;
	uint64_t size;
	struct axvm_hpa hpa;
	uint32_t access; /* AXVM_READ | AXVM_WRITE | AXVM_EXEC */
	enum axvm_mem_type type;
};

/* What a guest-physical address translates to. */
struct s2_mapping {
	struct axvm_hpa hpa; /* of the very byte asked for */
	uint64_t leaf_size; /* bytes; the leaf is aligned to it */
	uint32_t access;
	enum axvm_mem_type type;
};

/* How far a bounded compaction has come. */
struct s2_progress {
	size_t max_steps; /* tables looked at per call, not 0 */
	uint64_t done; /* bytes; the caller starts with 0 */
};

static inline void
axvmi_s2_edit_init(struct s2_edit *edit,
		   void (*flush)(void *ctx, struct axvm_gpa gpa, uint64_t size),
		   void *flush_ctx)
{
	/* Field by field: clearing the list of tables, too, would cost more
	 * than mapping a page does. */
	edit->flush = flush;
	edit->flush_ctx = flush_ctx;
	edit->added = false;
	edit->need_flush = false;
	edit->garbage.head = 0;
	edit->garbage.live_count = 0;
}

static inline unsigned axvmi_s2_shift(unsigned level)
{
	return PAGE_SHIFT_4K + S2_LEVEL_BITS * level;
}

/* Bytes of the root table: at least a page, 64 KiB at most. */
static inline size_t axvmi_s2_root_size(const struct axvm_s2_format *format)
{
	return format->root_bits <= S2_LEVEL_BITS
		       ? S2_TABLE_SIZE
		       : (size_t)8 << format->root_bits;
}

static inline uint64_t
axvmi_s2_encode_table(const struct axvm_s2_format *format, uint64_t hpa)
{
	return format->table_bits | (hpa >> format->addr_shift);
}

/*
 * The leaf entry for hpa at `level`, or 0 if these rights or this type cannot
 * be expressed. The next page's entry is this plus the page size shifted right
 * by addr_shift.
 */
static inline uint64_t axvmi_s2_encode_leaf(const struct axvm_s2_format *format,
					    uint64_t hpa, uint32_t access,
					    enum axvm_mem_type type,
					    unsigned level)
{
	uint64_t attr;

	if (access >= S2_ACCESS_COUNT || (unsigned)type >= S2_TYPE_COUNT)
		return 0;
	attr = format->attr[type][access];
	if (attr == 0)
		return 0;
	return (attr & ~format->level_mask) | format->leaf_bits[level] |
	       (hpa >> format->addr_shift);
}

static inline uint32_t
axvmi_s2_decode_access(const struct axvm_s2_format *format, uint64_t entry)
{
	uint64_t on = entry ^ format->flip;

	/* AXVM_READ, AXVM_WRITE, AXVM_EXEC are bits 0, 1, 2. */
	return (uint32_t)((on >> format->rw_shift & 3) |
			  (on >> format->exec_shift & 1) << 2);
}

static inline enum axvm_mem_type
axvmi_s2_decode_type(const struct axvm_s2_format *format, uint64_t entry)
{
	return (enum axvm_mem_type)(
		(entry ^ format->flip) >> format->device_shift & 1);
}

/*
 * Every function below: thread context, no locks taken, edits serialised by
 * the caller. Errors common to all that take a range: EINVAL unaligned, empty
 * or wrapping; ERANGE beyond the format's addresses. On error nothing changed.
 */

/* Allocates an empty root; ENOMEM, or EINVAL/ERANGE for a misplaced frame. */
AXVM_MUST_USE int axvmi_s2_init(struct s2_table *table,
				const struct axvm_s2_format *format,
				struct s2_pool *pool);

/*
 * Frees everything, about max_pages (+512) frames per call: EAGAIN until all
 * is gone. No reader and no CPU may use the table any more.
 */
AXVM_MUST_USE int axvmi_s2_destroy(struct s2_table *table, size_t max_pages);

/*
 * Maps with the largest leaves that both addresses allow. EEXIST if any page
 * of the range is mapped, ENOMEM, EINVAL for rights the format cannot express.
 */
AXVM_MUST_USE int axvmi_s2_map(struct s2_table *table, const struct s2_map *map,
			       struct s2_edit *edit);

/*
 * The same for one page of normal memory, if that takes one walk and one store:
 * the table is there and the page is free, gpa and hpa are page-aligned, gpa
 * fits the format. False: nothing has changed, axvmi_s2_map() may do it.
 */
bool axvmi_s2_fill(struct s2_table *table, uint64_t gpa, uint64_t hpa,
		   uint32_t access);

/* How many 4 KiB frames that map would take from the pool; errors as there. */
AXVM_MUST_USE int axvmi_s2_pages_needed(const struct s2_table *table,
					const struct s2_map *map,
					size_t *pages);

/*
 * Removes the range, all of which must be mapped (ENOENT). Larger leaves at
 * its ends are split, which takes at most two frames per level (ENOMEM).
 */
AXVM_MUST_USE int axvmi_s2_unmap(struct s2_table *table, struct axvm_gpa gpa,
				 uint64_t size, struct s2_edit *edit);

/* The same, skipping holes: for demand regions and teardown. */
AXVM_MUST_USE int axvmi_s2_unmap_sparse(struct s2_table *table,
					struct axvm_gpa gpa, uint64_t size,
					struct s2_edit *edit);

/*
 * Gives the range, all of which must be mapped (ENOENT), new rights; splits
 * like unmap, merges where the range covers a whole larger leaf. EINVAL for
 * rights the format cannot express, EXEC on device memory among them.
 */
AXVM_MUST_USE int axvmi_s2_protect(struct s2_table *table, struct axvm_gpa gpa,
				   uint64_t size, uint32_t access,
				   struct s2_edit *edit);

/*
 * Merges tables inside the range into larger leaves. EAGAIN when max_steps are
 * used up or the garbage list is full: finish the batch, then call again with
 * the same range and progress.
 */
AXVM_MUST_USE int axvmi_s2_compact(struct s2_table *table, struct axvm_gpa gpa,
				   uint64_t size, struct s2_progress *progress,
				   struct s2_edit *edit);

/*
 * Translates one byte address, lock-free: under concurrent edits the answer is
 * that of a moment within the call, and splits and merges do not show. ENOENT
 * if unmapped, ERANGE. The caller is in a read section. Context: any.
 */
AXVM_MUST_USE int axvmi_s2_query(const struct s2_table *table,
				 struct axvm_gpa gpa,
				 struct s2_mapping *mapping);

/*
 * The first mapped address at or after *gpa and not after `last`, which fits
 * the format: moves *gpa there. ENOENT if there is none. Rules as for query.
 */
AXVM_MUST_USE int axvmi_s2_next(const struct s2_table *table,
				struct axvm_gpa *gpa, uint64_t last,
				struct s2_mapping *mapping);

/*
 * Frees detached tables, about max_pages (+512) per call: EAGAIN while some are
 * left. Needs no lock against edits of other batches if the pool needs none.
 */
AXVM_MUST_USE int axvmi_s2_reclaim(struct s2_table *table, struct s2_edit *edit,
				   size_t max_pages);

#endif
