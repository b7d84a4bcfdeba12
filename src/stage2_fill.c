/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The shortest map there is, for guest faults: one page into a table that is
 * there already. The caller serialises edits.
 */
#include "stage2_walk.h"

/* The slot of a page that is free, its table being there, or NULL. */
static inline atomic_u64 *free_slot(const struct s2_table *table, uint64_t gpa)
{
	uint64_t entry;
	struct s2_hit hit;

	if (!table->linear)
		return NULL;
	hit = s2_find_linear(table, gpa, &entry);
	return hit.level == 0 && entry == 0 ? hit.slot : NULL;
}

bool axvmi_s2_fill(struct s2_table *table, uint64_t gpa, uint64_t hpa,
		   uint32_t access)
{
	const struct axvm_s2_format *format = table->format;
	uint64_t leaf =
		axvmi_s2_encode_leaf(format, hpa, access, AXVM_MEM_NORMAL, 0);
	atomic_u64 *slot;

	if (leaf == 0 || hpa >> format->hpa_bits != 0)
		return false;
	slot = free_slot(table, gpa);
	if (slot == NULL)
		return false;
	/* A hole has no old translation: nothing to flush or to break. */
	store_release(slot, leaf);
	return true;
}
