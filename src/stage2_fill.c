/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The shortest map there is, for guest faults: one page into a table that is
 * there already. The caller serialises edits.
 */
#include "stage2_walk.h"

bool axvmi_s2_fill(struct s2_table *table, uint64_t gpa, uint64_t hpa,
		   uint32_t access)
{
	const struct axvm_s2_format *format = table->format;
	uint64_t leaf =
		axvmi_s2_encode_leaf(format, hpa, access, AXVM_MEM_NORMAL, 0);
	struct s2_page page;

	if (leaf == 0 || hpa >> format->hpa_bits != 0)
		return false;
	page = axvmi_s2_page(table, gpa);
	if (page.entry == NULL || page.value != 0)
		return false;
	/* A hole has no old translation: nothing to flush or to break. */
	store_release(page.entry, leaf);
	return true;
}
