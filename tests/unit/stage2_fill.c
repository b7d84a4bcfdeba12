/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* stage2_fill.c in all formats: one page, or nothing at all. */
#include "stage2_support.h"

#define GPA MIB(64)
#define HPA MIB(512)

struct world {
	const struct mode *mode;
	struct axvm_s2_format format;
	struct frames *frames;
	struct s2_table table;
	struct s2_edit edit;
};

static void open_world(struct world *w, const struct mode *mode, bool linear)
{
	w->mode = mode;
	w->format = mode_format(mode);
	w->frames = frames_create(linear);
	assert_int_equal(axvmi_s2_init(&w->table, &w->format, &w->frames->pool),
			 0);
	axvmi_s2_edit_init(&w->edit, NULL, NULL);
}

static void close_world(struct world *w)
{
	assert_int_equal(axvmi_s2_destroy(&w->table, SIZE_MAX), 0);
	frames_destroy(w->frames);
}

static void map(struct world *w, uint64_t gpa, uint64_t size)
{
	const struct s2_map m = {
		.gpa = {gpa},
		.hpa = {HPA},
		.size = size,
		.access = AXVM_READ,
		.type = AXVM_MEM_NORMAL,
	};

	assert_int_equal(axvmi_s2_map(&w->table, &m, &w->edit), 0);
}

static bool fill(struct world *w, uint64_t gpa, uint64_t hpa, uint32_t access)
{
	return axvmi_s2_fill(&w->table, gpa, hpa, access);
}

static void a_free_page_of_a_table_is_filled(void **state)
{
	static const uint32_t rights[] = {AXVM_READ, AXVM_RW, AXVM_RWX,
					  AXVM_READ | AXVM_EXEC};

	(void)state;
	for (unsigned i = 0; i < MODES; i++) {
		struct world w;

		open_world(&w, &modes[i], true);
		map(&w, GPA, 4096);
		for (unsigned k = 0; k < 4; k++) {
			uint64_t gpa = GPA + (k * 170 + 1) * 4096;
			uint64_t hpa = HPA + MIB(7) + k * 4096;

			/* The shortest walk has four levels at most. */
			if (w.format.levels > 4) {
				assert_false(fill(&w, gpa, hpa, rights[k]));
				check_hole(w.mode, w.frames, &w.table, gpa);
				continue;
			}
			assert_true(fill(&w, gpa, hpa, rights[k]));
			check_page(w.mode, w.frames, &w.table, gpa, hpa,
				   rights[k], false);
			check_hole(w.mode, w.frames, &w.table, gpa + 4096);
		}
		check_frames(w.mode, w.frames, &w.table);
		close_world(&w);
	}
}

static void what_is_mapped_already_stays(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MODES; i++) {
		struct world w;

		open_world(&w, &modes[i], true);
		map(&w, GPA, 4096);
		assert_false(fill(&w, GPA, HPA + MIB(7), AXVM_RW));
		check_page(w.mode, w.frames, &w.table, GPA, HPA, AXVM_READ,
			   false);
		/* Nor inside a large leaf. */
		map(&w, GPA + MIB(2), MIB(2));
		assert_false(fill(&w, GPA + MIB(3), HPA + MIB(7), AXVM_RW));
		check_page(w.mode, w.frames, &w.table, GPA + MIB(3),
			   HPA + MIB(1), AXVM_READ, false);
		close_world(&w);
	}
}

static void no_table_is_made(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MODES; i++) {
		struct world w;

		open_world(&w, &modes[i], true);
		assert_false(fill(&w, GPA, HPA, AXVM_RW));
		map(&w, GPA, 4096);
		assert_false(fill(&w, GPA + MIB(2), HPA, AXVM_RW));
		check_hole(w.mode, w.frames, &w.table, GPA + MIB(2));
		check_frames(w.mode, w.frames, &w.table);
		close_world(&w);
	}
}

static void what_an_entry_cannot_say_is_left_to_others(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MODES; i++) {
		struct world w;

		open_world(&w, &modes[i], true);
		map(&w, GPA, 4096);
		assert_false(fill(&w, GPA + 4096,
				  UINT64_C(1) << w.format.hpa_bits, AXVM_RW));
		assert_false(fill(&w, GPA + 4096, HPA, 0));
		assert_false(fill(&w, GPA + 4096, HPA, 8));
		check_hole(w.mode, w.frames, &w.table, GPA + 4096);
		close_world(&w);
		/* Where tables are found by callback. */
		open_world(&w, &modes[i], false);
		map(&w, GPA, 4096);
		assert_false(fill(&w, GPA + 4096, HPA, AXVM_RW));
		check_hole(w.mode, w.frames, &w.table, GPA + 4096);
		close_world(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_free_page_of_a_table_is_filled),
		cmocka_unit_test(what_is_mapped_already_stays),
		cmocka_unit_test(no_table_is_made),
		cmocka_unit_test(what_an_entry_cannot_say_is_left_to_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
