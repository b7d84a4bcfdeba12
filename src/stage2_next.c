/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Finding the next mapping of a sparse range; see stage2.h. */
#include "stage2_walk.h"

int axvmi_s2_next(const struct s2_table *table, struct axvm_gpa *gpa,
		  uint64_t last, struct s2_mapping *mapping)
{
	uint64_t at = gpa->value;

	for (;;) {
		unsigned level;
		uint64_t entry = axvmi_s2_look(table, at, &level);
		uint64_t skip;

		if (s2_is_present(table->format, entry) &&
		    axvmi_s2_query(table, axvm_to_gpa(at), mapping) == 0) {
			gpa->value = at;
			return AXVM_OK;
		}
		skip = at | (s2_size(level) - 1);
		if (skip >= last)
			return AXVM_ENOENT;
		at = skip + 1;
	}
}
