/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The stage-2 walker case by case: arguments, leaf sizes, page counts, splits,
 * merges, running out of memory, the order of break-before-make.
 */
#include "stage2_support.h"

#define BASE GIB(64)
#define RAM GIB(128)

struct flush_log {
	unsigned calls;
	uint64_t gpa;
	uint64_t size;
	/* When set, what the walkers must see during a call. */
	const struct mode *mode;
	const struct s2_table *table;
	struct frames *frames;
	uint64_t probe;
	uint64_t probe_hpa;
};

static struct flush_log flushes;
static struct frames *frames;
static struct axvm_s2_format format;
static struct s2_table table;
static struct s2_edit edit;
static const struct mode *mode;

static void log_flush(void *ctx, struct axvm_gpa gpa, uint64_t size)
{
	struct flush_log *l = ctx;
	struct s2_mapping mapping;
	unsigned level;

	l->calls++;
	l->gpa = gpa.value;
	l->size = size;
	if (l->table == NULL)
		return;
	/* Hardware finds nothing, the software reader the old truth. */
	assert_int_equal(*raw_slot(l->mode, l->frames, l->table->root, l->probe,
				   &level) &
				 1,
			 0);
	assert_int_equal(
		axvmi_s2_query(l->table, axvm_to_gpa(l->probe), &mapping), 0);
	assert_int_equal(mapping.hpa.value, l->probe_hpa);
}

static void begin(void)
{
	axvmi_s2_edit_init(&edit, log_flush, &flushes);
}

static void use(size_t index, bool linear)
{
	mode = &modes[index];
	format = mode_format(mode);
	memset(&flushes, 0, sizeof(flushes));
	frames = frames_create(linear);
	assert_int_equal(axvmi_s2_init(&table, &format, &frames->pool), 0);
	begin();
}

static int setup_ept(void **state)
{
	(void)state;
	use(0, false);
	return 0;
}

/* ARM with 40 bits: BASE is out of no format's reach but ARM 32 and 36. */
static int setup_arm(void **state)
{
	(void)state;
	use(5, true);
	return 0;
}

static int setup_sv39(void **state)
{
	(void)state;
	use(9, true);
	return 0;
}

static void reclaim(void)
{
	while (axvmi_s2_reclaim(&table, &edit, 1) == AXVM_EAGAIN)
		;
	begin();
}

static int teardown(void **state)
{
	(void)state;
	flushes.table = NULL;
	reclaim();
	check_frames(mode, frames, &table);
	while (axvmi_s2_destroy(&table, 7) == AXVM_EAGAIN)
		;
	frames_destroy(frames);
	return 0;
}

static int map(uint64_t gpa, uint64_t size, uint64_t hpa, uint32_t access)
{
	struct s2_map m = {{gpa}, size, {hpa}, access, AXVM_MEM_NORMAL};

	return axvmi_s2_map(&table, &m, &edit);
}

static int unmap(uint64_t gpa, uint64_t size)
{
	return axvmi_s2_unmap(&table, axvm_to_gpa(gpa), size, &edit);
}

static int protect(uint64_t gpa, uint64_t size, uint32_t access)
{
	return axvmi_s2_protect(&table, axvm_to_gpa(gpa), size, access, &edit);
}

static int compact(uint64_t gpa, uint64_t size, size_t steps)
{
	struct s2_progress progress = {steps, 0};

	return axvmi_s2_compact(&table, axvm_to_gpa(gpa), size, &progress,
				&edit);
}

static uint64_t pages(void)
{
	return load_relaxed(&table.pages);
}

static uint64_t leaf_size(uint64_t gpa)
{
	struct s2_mapping mapping;

	assert_int_equal(axvmi_s2_query(&table, axvm_to_gpa(gpa), &mapping), 0);
	return mapping.leaf_size;
}

static void page_counts_are_minimal_and_come_back(void **state)
{
	(void)state;
	assert_int_equal(pages(), 1);
	assert_int_equal(map(BASE, GIB(1), RAM + 4096, AXVM_RWX), 0);
	assert_int_equal(pages(), 515);
	assert_int_equal(unmap(BASE, GIB(1)), 0);
	reclaim();
	assert_int_equal(pages(), 1);
	assert_int_equal(map(BASE, GIB(64), RAM + MIB(2), AXVM_RWX), 0);
	assert_int_equal(pages(), 66);
	assert_int_equal(unmap(BASE, GIB(64)), 0);
	reclaim();
	assert_int_equal(pages(), 1);
	assert_int_equal(frames->live, 1);
}

static void pages_needed_tells_what_map_takes(void **state)
{
	struct s2_map m = {{BASE - MIB(1)},
			   GIB(1),
			   {RAM + 4096},
			   AXVM_RWX,
			   AXVM_MEM_NORMAL};
	size_t needed = 0;

	(void)state;
	assert_int_equal(map(BASE + GIB(1), 4096, RAM, AXVM_RW), 0);
	assert_int_equal(pages(), 4);
	assert_int_equal(axvmi_s2_pages_needed(&table, &m, &needed), 0);
	/* Two new tables of 2M and 513 of 4K; the top two are there. */
	assert_int_equal(needed, 515);
	assert_int_equal(axvmi_s2_map(&table, &m, &edit), 0);
	assert_int_equal(pages(), 4 + 515);
	needed = 99;
	assert_int_equal(axvmi_s2_pages_needed(&table, &m, &needed),
			 AXVM_EEXIST);
	m.size = 5;
	assert_int_equal(axvmi_s2_pages_needed(&table, &m, &needed),
			 AXVM_EINVAL);
	assert_int_equal(needed, 99);
}

static void largest_leaves_that_both_addresses_allow(void **state)
{
	(void)state;
	assert_int_equal(map(BASE - MIB(2) - 4096, GIB(1) + MIB(4) + 8192,
			     RAM - MIB(2) - 4096, AXVM_RWX),
			 0);
	assert_int_equal(leaf_size(BASE - MIB(2) - 1), 4096);
	assert_int_equal(leaf_size(BASE - 1), MIB(2));
	assert_int_equal(leaf_size(BASE), GIB(1));
	assert_int_equal(leaf_size(BASE + GIB(1)), MIB(2));
	assert_int_equal(leaf_size(BASE + GIB(1) + MIB(2)), 4096);
	check_page(mode, frames, &table, BASE + 12345, RAM + 12345, AXVM_RWX,
		   false);
	check_hole(mode, frames, &table, BASE - MIB(2) - 8192);
	check_hole(mode, frames, &table, BASE + GIB(1) + MIB(2) + 4096);
}

static void leaf_sizes_the_cpu_lacks_are_not_used(void **state)
{
	struct vmx_ept_features features = {false, true, false, 4, 46};

	(void)state;
	assert_int_equal(axvmi_vmx_s2_format(&features, &format), 0);
	assert_int_equal(map(BASE, GIB(1), RAM, AXVM_RWX), 0);
	assert_int_equal(leaf_size(BASE), MIB(2));
	assert_int_equal(unmap(BASE + 4096, 4096), 0);
	assert_int_equal(map(BASE + 4096, 4096, RAM + 4096, AXVM_RWX), 0);
	assert_int_equal(protect(BASE, GIB(1), AXVM_READ), 0);
	assert_int_equal(leaf_size(BASE), MIB(2));
}

static void root_index_bits_are_used_to_the_top(void **state)
{
	uint64_t top = (UINT64_C(1) << format.gpa_bits) - GIB(1);

	(void)state;
	assert_int_equal(map(top, GIB(1), RAM, AXVM_RWX), 0);
	assert_int_equal(map(0, GIB(1), RAM, AXVM_RW), 0);
	check_page(mode, frames, &table, top + 5, RAM + 5, AXVM_RWX, false);
	check_page(mode, frames, &table, 5, RAM + 5, AXVM_RW, false);
	check_hole(mode, frames, &table, GIB(1));
	check_hole(mode, frames, &table, top - 1);
	assert_int_equal(unmap(top + GIB(1) - 4096, 4096), 0);
	check_page(mode, frames, &table, top + GIB(1) - 4097,
		   RAM + GIB(1) - 4097, AXVM_RWX, false);
	assert_int_equal(unmap(top, GIB(1) - 4096), 0);
	assert_int_equal(unmap(0, GIB(1)), 0);
	reclaim();
	assert_int_equal(pages(), axvmi_s2_root_size(&format) / 4096);
}

static void query_knows_the_format_bounds(void **state)
{
	struct s2_mapping mapping;

	(void)state;
	assert_int_equal(
		axvmi_s2_query(&table,
			       axvm_to_gpa(UINT64_C(1) << format.gpa_bits),
			       &mapping),
		AXVM_ERANGE);
	assert_int_equal(
		axvmi_s2_query(&table, axvm_to_gpa(UINT64_MAX), &mapping),
		AXVM_ERANGE);
	check_hole(mode, frames, &table, (UINT64_C(1) << format.gpa_bits) - 1);
}

static void ranges_malformed_or_too_far_are_refused(void **state)
{
	uint64_t end = UINT64_C(1) << format.gpa_bits;
	uint64_t host_end = UINT64_C(1) << format.hpa_bits;
	struct s2_progress beyond = {.max_steps = 1, .done = 8192};

	(void)state;
	assert_int_equal(map(BASE, 0, RAM, AXVM_RW), AXVM_EINVAL);
	assert_int_equal(map(BASE + 1, 4096, RAM, AXVM_RW), AXVM_EINVAL);
	assert_int_equal(map(BASE, 4097, RAM, AXVM_RW), AXVM_EINVAL);
	assert_int_equal(map(BASE, 4096, RAM + 8, AXVM_RW), AXVM_EINVAL);
	assert_int_equal(map(UINT64_MAX - 4095, 8192, RAM, AXVM_RW),
			 AXVM_EINVAL);
	assert_int_equal(map(BASE, 8192, UINT64_MAX - 4095, AXVM_RW),
			 AXVM_EINVAL);
	assert_int_equal(map(end, 4096, RAM, AXVM_RW), AXVM_ERANGE);
	assert_int_equal(map(end - 4096, 8192, RAM, AXVM_RW), AXVM_ERANGE);
	assert_int_equal(map(BASE, 4096, host_end, AXVM_RW), AXVM_ERANGE);
	assert_int_equal(map(BASE, 8192, host_end - 4096, AXVM_RW),
			 AXVM_ERANGE);
	assert_int_equal(map(BASE, 4096, RAM, AXVM_WRITE), AXVM_EINVAL);
	assert_int_equal(map(BASE, 4096, RAM, 0), AXVM_EINVAL);
	assert_int_equal(map(BASE, 4096, RAM, 8), AXVM_EINVAL);
	assert_int_equal(unmap(end, 4096), AXVM_ERANGE);
	assert_int_equal(unmap(BASE, 4095), AXVM_EINVAL);
	assert_int_equal(protect(BASE, 0, AXVM_READ), AXVM_EINVAL);
	assert_int_equal(protect(BASE, 4096, 9), AXVM_EINVAL);
	assert_int_equal(protect(BASE, 4096, AXVM_WRITE), AXVM_EINVAL);
	assert_int_equal(compact(BASE, 4096, 0), AXVM_EINVAL);
	assert_int_equal(compact(BASE, 1, 1), AXVM_EINVAL);
	assert_int_equal(axvmi_s2_compact(&table, axvm_to_gpa(BASE), 4096,
					  &beyond, &edit),
			 AXVM_EINVAL);
	assert_int_equal(
		axvmi_s2_unmap_sparse(&table, axvm_to_gpa(BASE), 7, &edit),
		AXVM_EINVAL);
	assert_int_equal(pages(), axvmi_s2_root_size(&format) / 4096);
	assert_false(edit.added || edit.need_flush);
}

static void mapping_over_anything_mapped_is_refused(void **state)
{
	(void)state;
	assert_int_equal(map(BASE + MIB(2), 4096, RAM, AXVM_RW), 0);
	assert_int_equal(map(BASE + GIB(2), GIB(1), RAM, AXVM_RW), 0);
	begin();
	assert_int_equal(map(BASE + MIB(2), 4096, RAM, AXVM_RW), AXVM_EEXIST);
	assert_int_equal(map(BASE, MIB(4), RAM, AXVM_RW), AXVM_EEXIST);
	assert_int_equal(map(BASE, GIB(1), RAM, AXVM_RW), AXVM_EEXIST);
	assert_int_equal(map(BASE, MIB(2) + 4096, RAM + 4096, AXVM_RW),
			 AXVM_EEXIST);
	assert_int_equal(map(BASE + GIB(2) + MIB(6), 4096, RAM, AXVM_RW),
			 AXVM_EEXIST);
	assert_int_equal(map(BASE + GIB(1), GIB(2), RAM, AXVM_RW), AXVM_EEXIST);
	check_hole(mode, frames, &table, BASE);
	check_hole(mode, frames, &table, BASE + GIB(1));
	assert_int_equal(pages(), 4);
	assert_false(edit.added);
}

/* Inside one table: the short way through the walker. */
static void a_short_run_is_checked_to_its_last_page(void **state)
{
	uint64_t last = BASE + 4 * 4096;

	(void)state;
	assert_int_equal(map(BASE + MIB(1), 4096, RAM, AXVM_RW), 0);
	assert_int_equal(map(last, 4096, RAM, AXVM_RW), 0);
	begin();
	assert_int_equal(map(BASE, 5 * 4096, RAM, AXVM_RW), AXVM_EEXIST);
	check_hole(mode, frames, &table, BASE);
	assert_int_equal(map(BASE, 3 * 4096, RAM, AXVM_RW), 0);
	begin();
	assert_int_equal(protect(BASE, 5 * 4096, AXVM_READ), AXVM_ENOENT);
	assert_int_equal(unmap(BASE, 5 * 4096), AXVM_ENOENT);
	assert_false(edit.need_flush);
	check_page(mode, frames, &table, BASE, RAM, AXVM_RW, false);
	check_page(mode, frames, &table, last, RAM, AXVM_RW, false);
}

static void unmap_and_protect_refuse_holes(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, MIB(4), RAM, AXVM_RWX), 0);
	assert_int_equal(map(BASE + MIB(4) + 4096, 4096, RAM, AXVM_RWX), 0);
	begin();
	assert_int_equal(unmap(BASE, MIB(4) + 8192), AXVM_ENOENT);
	assert_int_equal(unmap(BASE - 4096, 8192), AXVM_ENOENT);
	assert_int_equal(unmap(BASE + GIB(9), 4096), AXVM_ENOENT);
	assert_int_equal(protect(BASE, MIB(6), AXVM_READ), AXVM_ENOENT);
	assert_int_equal(protect(BASE + MIB(4), 4096, AXVM_READ), AXVM_ENOENT);
	assert_false(edit.need_flush || edit.added);
	check_page(mode, frames, &table, BASE, RAM, AXVM_RWX, false);
	assert_int_equal(leaf_size(BASE), MIB(2));
}

static void sparse_unmap_skips_holes(void **state)
{
	struct axvm_gpa all = {0};

	(void)state;
	assert_int_equal(map(BASE, 4096, RAM, AXVM_RWX), 0);
	assert_int_equal(map(BASE + GIB(1), GIB(1), RAM, AXVM_RWX), 0);
	assert_int_equal(map(BASE + GIB(3) + MIB(2), MIB(2), RAM, AXVM_RWX), 0);
	begin();
	assert_int_equal(axvmi_s2_unmap_sparse(&table, axvm_to_gpa(GIB(8)),
					       GIB(8), &edit),
			 0);
	assert_false(edit.need_flush);
	assert_int_equal(axvmi_s2_unmap_sparse(&table, all,
					       UINT64_C(1) << format.gpa_bits,
					       &edit),
			 0);
	assert_true(edit.need_flush);
	assert_true(edit.flush_first <= BASE);
	assert_true(edit.flush_last >= BASE + GIB(3) + MIB(4) - 1);
	reclaim();
	assert_int_equal(pages(), axvmi_s2_root_size(&format) / 4096);
}

static void sparse_unmap_cuts_leaves_at_its_ends(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, GIB(1), RAM, AXVM_RWX), 0);
	assert_int_equal(map(BASE + GIB(2), GIB(1), RAM, AXVM_RWX), 0);
	assert_int_equal(axvmi_s2_unmap_sparse(&table, axvm_to_gpa(BASE + 4096),
					       GIB(2), &edit),
			 0);
	check_page(mode, frames, &table, BASE + 1, RAM + 1, AXVM_RWX, false);
	check_hole(mode, frames, &table, BASE + 4096);
	check_hole(mode, frames, &table, BASE + GIB(2));
	check_page(mode, frames, &table, BASE + GIB(2) + 4096, RAM + 4096,
		   AXVM_RWX, false);
}

static void partial_unmap_splits_a_1g_leaf(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, GIB(1), RAM, AXVM_RWX), 0);
	assert_int_equal(pages(), 2);
	assert_int_equal(unmap(BASE + MIB(512) + 4096, 4096), 0);
	/* One table of 2M leaves and one of 4K leaves. */
	assert_int_equal(pages(), 4);
	check_hole(mode, frames, &table, BASE + MIB(512) + 4096);
	check_page(mode, frames, &table, BASE + MIB(512), RAM + MIB(512),
		   AXVM_RWX, false);
	check_page(mode, frames, &table, BASE + MIB(512) + 8192,
		   RAM + MIB(512) + 8192, AXVM_RWX, false);
	assert_int_equal(leaf_size(BASE), MIB(2));
	assert_int_equal(leaf_size(BASE + GIB(1) - 1), MIB(2));
}

static void cuts_in_two_leaves_take_two_tables_per_level(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, GIB(2), RAM, AXVM_RWX), 0);
	assert_int_equal(unmap(BASE + MIB(2) - 4096, GIB(1)), 0);
	assert_int_equal(pages(), 2 + 4);
	check_page(mode, frames, &table, BASE + MIB(2) - 4097,
		   RAM + MIB(2) - 4097, AXVM_RWX, false);
	check_hole(mode, frames, &table, BASE + MIB(2) - 4096);
	check_hole(mode, frames, &table, BASE + GIB(1) + MIB(2) - 4097);
	check_page(mode, frames, &table, BASE + GIB(1) + MIB(2) - 4096,
		   RAM + GIB(1) + MIB(2) - 4096, AXVM_RWX, false);
}

static void partial_protect_splits_and_whole_protect_merges(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, GIB(1), RAM, AXVM_RWX), 0);
	begin();
	assert_int_equal(protect(BASE + 4096, 4096, AXVM_READ), 0);
	assert_true(edit.need_flush);
	assert_int_equal(pages(), 4);
	check_page(mode, frames, &table, BASE + 4096, RAM + 4096, AXVM_READ,
		   false);
	check_page(mode, frames, &table, BASE, RAM, AXVM_RWX, false);
	check_page(mode, frames, &table, BASE + 8192, RAM + 8192, AXVM_RWX,
		   false);
	assert_int_equal(protect(BASE, GIB(1), AXVM_RW), 0);
	assert_int_equal(leaf_size(BASE), GIB(1));
	check_page(mode, frames, &table, BASE + 4096, RAM + 4096, AXVM_RW,
		   false);
	reclaim();
	assert_int_equal(pages(), 2);
}

static void widening_rights_owes_no_flush(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, 8192, RAM, AXVM_READ), 0);
	begin();
	assert_int_equal(protect(BASE, 4096, AXVM_RWX), 0);
	assert_true(edit.added);
	assert_false(edit.need_flush);
	begin();
	assert_int_equal(protect(BASE, 8192, AXVM_RW), 0);
	assert_true(edit.added);
	assert_true(edit.need_flush);
	assert_int_equal(edit.flush_first, BASE);
	assert_int_equal(edit.flush_last, BASE + 8191);
	begin();
	assert_int_equal(protect(BASE, 8192, AXVM_RW), 0);
	assert_false(edit.added || edit.need_flush);
}

/* The shortest way, for one page into a table that is there. */
static void one_page_owes_what_a_range_owes(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, 4 * 4096, RAM, AXVM_RW), 0);
	begin();
	assert_int_equal(protect(BASE + 4096, 4096, AXVM_READ), 0);
	assert_true(edit.need_flush);
	assert_false(edit.added);
	assert_int_equal(edit.flush_first, BASE + 4096);
	assert_int_equal(edit.flush_last, BASE + 8191);
	assert_int_equal(protect(BASE + 3 * 4096, 4096, AXVM_READ), 0);
	assert_int_equal(protect(BASE, 4096, AXVM_READ), 0);
	assert_int_equal(edit.flush_first, BASE);
	assert_int_equal(edit.flush_last, BASE + 4 * 4096 - 1);
	begin();
	assert_int_equal(protect(BASE, 4096, AXVM_READ | AXVM_EXEC), 0);
	assert_true(edit.added);
	assert_false(edit.need_flush);
	begin();
	assert_int_equal(protect(BASE, 4096, AXVM_RW), 0);
	assert_true(edit.added && edit.need_flush);
	check_page(mode, frames, &table, BASE, RAM, AXVM_RW, false);
	begin();
	assert_int_equal(map(BASE + 4 * 4096, 4096, RAM, AXVM_READ), 0);
	assert_true(edit.added);
	assert_false(edit.need_flush);
}

static void one_page_is_checked_as_a_range_is(void **state)
{
	uint64_t host_end = UINT64_C(1) << format.hpa_bits;
	uint64_t hole = BASE + 4096;

	(void)state;
	assert_int_equal(map(BASE, 4096, RAM, AXVM_RW), 0);
	begin();
	assert_int_equal(map(BASE, 4096, RAM, AXVM_RW), AXVM_EEXIST);
	assert_int_equal(map(hole, 4096, host_end, AXVM_RW), AXVM_ERANGE);
	assert_int_equal(map(hole, 4096, UINT64_MAX - 4095, AXVM_RW),
			 AXVM_ERANGE);
	assert_int_equal(map(hole, 4096, RAM + 8, AXVM_RW), AXVM_EINVAL);
	assert_int_equal(map(hole + 8, 4096, RAM, AXVM_RW), AXVM_EINVAL);
	assert_int_equal(map(hole, 4096, RAM, AXVM_WRITE), AXVM_EINVAL);
	assert_int_equal(protect(hole, 4096, AXVM_READ), AXVM_ENOENT);
	assert_int_equal(protect(BASE + 8, 4096, AXVM_READ), AXVM_EINVAL);
	assert_int_equal(protect(BASE, 4096, AXVM_WRITE), AXVM_EINVAL);
	assert_int_equal(protect(BASE, 4096, 8), AXVM_EINVAL);
	assert_false(edit.added || edit.need_flush);
	check_page(mode, frames, &table, BASE, RAM, AXVM_RW, false);
	check_hole(mode, frames, &table, hole);
}

static void device_memory_cannot_become_executable(void **state)
{
	struct s2_map device = {
		{BASE}, MIB(2), {RAM}, AXVM_RW, AXVM_MEM_DEVICE};

	(void)state;
	assert_int_equal(axvmi_s2_map(&table, &device, &edit), 0);
	assert_int_equal(map(BASE + MIB(2), MIB(2), RAM, AXVM_RW), 0);
	assert_int_equal(protect(BASE + 4096, 4096, AXVM_RWX), AXVM_EINVAL);
	assert_int_equal(protect(BASE, MIB(4), AXVM_RWX), AXVM_EINVAL);
	check_page(mode, frames, &table, BASE, RAM, AXVM_RW, true);
	check_page(mode, frames, &table, BASE + MIB(2), RAM, AXVM_RW, false);
	assert_int_equal(leaf_size(BASE), MIB(2));
	assert_int_equal(protect(BASE + 4096, 4096, AXVM_READ), 0);
	assert_int_equal(protect(BASE + 8192, 4096, AXVM_RWX), AXVM_EINVAL);
	check_page(mode, frames, &table, BASE + 4096, RAM + 4096, AXVM_READ,
		   true);
	device.gpa.value = BASE + GIB(1);
	device.access = AXVM_RWX;
	assert_int_equal(axvmi_s2_map(&table, &device, &edit), AXVM_EINVAL);
}

static void different_types_or_rights_do_not_merge(void **state)
{
	struct s2_map device = {
		{BASE}, 4096, {RAM}, AXVM_READ, AXVM_MEM_DEVICE};

	(void)state;
	assert_int_equal(axvmi_s2_map(&table, &device, &edit), 0);
	assert_int_equal(map(BASE + 4096, MIB(2) - 4096, RAM + 4096, AXVM_READ),
			 0);
	assert_int_equal(compact(BASE, MIB(2), 10), 0);
	assert_int_equal(leaf_size(BASE), 4096);
	assert_int_equal(map(BASE + MIB(2), 4096, RAM + MIB(2), AXVM_READ), 0);
	assert_int_equal(map(BASE + MIB(2) + 4096, MIB(2) - 4096,
			     RAM + MIB(2) + 4096, AXVM_RW),
			 0);
	assert_int_equal(compact(BASE, MIB(4), 10), 0);
	assert_int_equal(leaf_size(BASE + MIB(2)), 4096);
}

static void compact_merges_up_to_1g_in_bounded_steps(void **state)
{
	struct s2_progress progress = {100, 0};
	unsigned calls = 1;

	(void)state;
	for (uint64_t at = 0; at < GIB(1); at += MIB(1))
		assert_int_equal(map(BASE + at, MIB(1), RAM + at, AXVM_RWX), 0);
	assert_int_equal(pages(), 515);
	while (axvmi_s2_compact(&table, axvm_to_gpa(BASE), GIB(1), &progress,
				&edit) == AXVM_EAGAIN) {
		calls++;
		assert_true(edit.garbage.live_count <= S2_GARBAGE_LIVE);
		reclaim();
	}
	reclaim();
	assert_true(calls >= 512 / S2_GARBAGE_LIVE);
	assert_int_equal(leaf_size(BASE), GIB(1));
	assert_int_equal(pages(), 2);
	check_page(mode, frames, &table, BASE + MIB(700), RAM + MIB(700),
		   AXVM_RWX, false);
}

static void compact_leaves_what_is_outside_its_range(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, MIB(1), RAM, AXVM_RWX), 0);
	assert_int_equal(map(BASE + MIB(1), MIB(1), RAM + MIB(1), AXVM_RWX), 0);
	assert_int_equal(compact(BASE, MIB(2) - 4096, 10), 0);
	assert_int_equal(compact(BASE + 4096, MIB(2) - 4096, 10), 0);
	assert_int_equal(leaf_size(BASE), 4096);
	assert_int_equal(compact(BASE, MIB(2), 1), 0);
	assert_int_equal(leaf_size(BASE), MIB(2));
	assert_int_equal(compact(BASE - GIB(1), GIB(3), 2000), 0);
}

static void misaligned_host_memory_does_not_merge(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, MIB(2), RAM + 4096, AXVM_RWX), 0);
	assert_int_equal(compact(BASE, MIB(2), 10), 0);
	assert_int_equal(protect(BASE, MIB(2), AXVM_READ), 0);
	assert_int_equal(leaf_size(BASE), 4096);
}

static void many_merges_in_one_call_stop_when_the_list_is_full(void **state)
{
	unsigned large = 0;

	(void)state;
	for (unsigned i = 0; i < 2 * S2_GARBAGE_LIVE; i++) {
		uint64_t at = i * MIB(2);

		assert_int_equal(map(BASE + at, MIB(1), RAM + at, AXVM_RWX), 0);
		assert_int_equal(map(BASE + at + MIB(1), MIB(1),
				     RAM + at + MIB(1), AXVM_RWX),
				 0);
	}
	assert_int_equal(protect(BASE, 2 * S2_GARBAGE_LIVE * MIB(2), AXVM_READ),
			 0);
	for (unsigned i = 0; i < 2 * S2_GARBAGE_LIVE; i++) {
		large += leaf_size(BASE + i * MIB(2)) == MIB(2);
		check_page(mode, frames, &table, BASE + i * MIB(2),
			   RAM + i * MIB(2), AXVM_READ, false);
	}
	assert_int_equal(large, S2_GARBAGE_LIVE);
}

/* Runs one edit with every allocation failing in turn; then with none. */
static void sweep(int (*call)(void), size_t expected_calls)
{
	uint64_t before = pages();
	size_t live = frames->live;

	for (size_t k = 1;; k++) {
		int error;

		begin();
		frames->allocations = 0;
		frames->fail_at = k;
		error = call();
		frames->fail_at = 0;
		if (error == 0) {
			assert_int_equal(k, expected_calls + 1);
			return;
		}
		assert_int_equal(error, AXVM_ENOMEM);
		assert_int_equal(pages(), before);
		assert_int_equal(frames->live, live);
		assert_false(edit.added || edit.need_flush);
		assert_int_equal(edit.garbage.head, 0);
		check_frames(mode, frames, &table);
		check_page(mode, frames, &table, GIB(300), RAM, AXVM_RWX,
			   false);
		assert_int_equal(leaf_size(GIB(300)), GIB(1));
	}
}

static int map_32m(void)
{
	return map(BASE + GIB(1) - MIB(16), MIB(32), RAM + 4096, AXVM_RWX);
}

static int punch_hole(void)
{
	return unmap(GIB(300) + MIB(2) - 4096, 8192);
}

static int protect_part(void)
{
	return protect(GIB(300) + 4096, GIB(1) - 8192, AXVM_READ);
}

static int punch_sparse(void)
{
	return axvmi_s2_unmap_sparse(&table, axvm_to_gpa(GIB(300) - GIB(1)),
				     GIB(1) + 4096, &edit);
}

static void out_of_memory_in_map_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(map(GIB(300), GIB(1), RAM, AXVM_RWX), 0);
	/* EPT: one table of 1G (BASE is below 512G, so it is there), two of
	 * 2M, sixteen of 4K. */
	sweep(map_32m, 18);
	check_page(mode, frames, &table, BASE + GIB(1), RAM + MIB(16) + 4096,
		   AXVM_RWX, false);
}

static void out_of_memory_in_unmap_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(map(GIB(300), GIB(1), RAM, AXVM_RWX), 0);
	/* One table of 2M shared by both cuts, two of 4K. */
	sweep(punch_hole, 3);
	check_hole(mode, frames, &table, GIB(300) + MIB(2));
}

static void out_of_memory_in_protect_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(map(GIB(300), GIB(1), RAM, AXVM_RWX), 0);
	sweep(protect_part, 3);
	check_page(mode, frames, &table, GIB(300), RAM, AXVM_RWX, false);
	check_page(mode, frames, &table, GIB(300) + 4096, RAM + 4096, AXVM_READ,
		   false);
}

static void out_of_memory_in_sparse_unmap_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(map(GIB(300), GIB(1), RAM, AXVM_RWX), 0);
	sweep(punch_sparse, 2);
	check_hole(mode, frames, &table, GIB(300));
}

static void root_without_memory_is_enomem(void **state)
{
	struct s2_table other = {0};

	(void)state;
	frames->allocations = 0;
	frames->fail_at = 1;
	assert_int_equal(axvmi_s2_init(&other, &format, &frames->pool),
			 AXVM_ENOMEM);
	frames->fail_at = 0;
	assert_null(other.root);
}

static uint64_t far_away(void *ctx, void *page)
{
	return frames_phys(ctx, page) + (UINT64_C(1) << 47);
}

static uint64_t askew(void *ctx, void *page)
{
	return frames_phys(ctx, page) + 64;
}

static void frames_that_entries_cannot_name_are_refused(void **state)
{
	struct s2_table other = {0};

	(void)state;
	frames->pool.virt_to_phys = far_away;
	assert_int_equal(axvmi_s2_init(&other, &format, &frames->pool),
			 AXVM_ERANGE);
	assert_int_equal(map(BASE, 4096, RAM, AXVM_RW), AXVM_ERANGE);
	frames->pool.virt_to_phys = askew;
	assert_int_equal(map(BASE, 4096, RAM, AXVM_RW), AXVM_EINVAL);
	frames->pool.virt_to_phys = frames_phys;
	assert_int_equal(frames->live, 1);
}

static void adding_owes_no_flush_and_removing_does(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, MIB(4), RAM, AXVM_RWX), 0);
	assert_true(edit.added);
	assert_false(edit.need_flush);
	assert_int_equal(unmap(BASE + MIB(2), MIB(2)), 0);
	assert_true(edit.need_flush);
	assert_int_equal(edit.flush_first, BASE + MIB(2));
	assert_int_equal(edit.flush_last, BASE + MIB(4) - 1);
	assert_int_equal(unmap(BASE, 4096), 0);
	assert_int_equal(edit.flush_first, BASE);
	assert_int_equal(flushes.calls, 0);
}

static void detached_tables_stay_readable_until_reclaimed(void **state)
{
	uint64_t owned;

	(void)state;
	assert_int_equal(map(BASE, MIB(2), RAM + 4096, AXVM_RWX), 0);
	owned = pages();
	begin();
	assert_int_equal(unmap(BASE, MIB(2)), 0);
	assert_int_equal(pages(), owned);
	assert_int_equal(frames->live, owned);
	assert_int_not_equal(edit.garbage.head, 0);
	/* The link in a detached table is no entry in any format. */
	assert_int_equal(edit.garbage.head & 0xff, 0);
	for (size_t i = 0; i < MODES; i++)
		assert_false(raw_decode(&modes[i], edit.garbage.head, 0).valid);
	assert_int_equal(axvmi_s2_reclaim(&table, &edit, 1), AXVM_EAGAIN);
	assert_int_equal(pages(), owned - 1);
	assert_int_equal(axvmi_s2_reclaim(&table, &edit, 1), AXVM_EAGAIN);
	assert_int_equal(axvmi_s2_reclaim(&table, &edit, 1), 0);
	assert_int_equal(pages(), 1);
}

static void dropping_a_table_flushes_all_of_its_span(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, 4096, RAM, AXVM_RWX), 0);
	assert_int_equal(map(BASE + GIB(1), 4096, RAM, AXVM_RWX), 0);
	begin();
	assert_int_equal(unmap(BASE, 4096), 0);
	/* The tables of 4K and of 2M went; walk caches know them. */
	assert_int_equal(edit.flush_first, BASE);
	assert_int_equal(edit.flush_last, BASE + GIB(1) - 1);
}

static void a_merge_alone_owes_a_flush_for_walk_caches(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, MIB(1), RAM, AXVM_RWX), 0);
	assert_int_equal(map(BASE + MIB(1), MIB(1), RAM + MIB(1), AXVM_RWX), 0);
	begin();
	assert_int_equal(compact(BASE, MIB(2), 5), 0);
	assert_true(edit.need_flush);
	assert_int_equal(edit.flush_first, BASE);
	assert_int_equal(edit.flush_last, BASE + MIB(2) - 1);
}

static void a_right_taken_from_one_page_owes_a_flush_of_it(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, MIB(1), RAM, AXVM_RWX), 0);
	begin();
	assert_int_equal(protect(BASE + 4096, 4096, AXVM_READ), 0);
	assert_true(edit.need_flush);
	assert_true(edit.flush_first <= BASE + 4096);
	assert_true(edit.flush_last >= BASE + 2 * 4096 - 1);
}

static void a_table_that_goes_owes_a_flush_of_its_span(void **state)
{
	(void)state;
	assert_int_equal(map(BASE + MIB(1), 4096, RAM, AXVM_RWX), 0);
	begin();
	assert_int_equal(unmap(BASE + MIB(1), 4096), 0);
	assert_true(edit.need_flush);
	assert_true(edit.flush_first <= BASE);
	assert_true(edit.flush_last >= BASE + MIB(2) - 1);
}

static void next_finds_mappings_and_skips_holes(void **state)
{
	struct s2_mapping found;
	struct axvm_gpa at = {0};

	(void)state;
	assert_int_equal(map(BASE + 4096, 4096, RAM, AXVM_RW), 0);
	assert_int_equal(map(BASE + GIB(2), GIB(1), RAM, AXVM_RWX), 0);
	assert_int_equal(axvmi_s2_next(&table, &at, BASE + GIB(4), &found), 0);
	assert_int_equal(at.value, BASE + 4096);
	assert_int_equal(found.leaf_size, 4096);
	at.value += 4096;
	assert_int_equal(axvmi_s2_next(&table, &at, BASE + GIB(4), &found), 0);
	assert_int_equal(at.value, BASE + GIB(2));
	assert_int_equal(found.hpa.value, RAM);
	at.value = BASE + GIB(3);
	assert_int_equal(axvmi_s2_next(&table, &at, BASE + GIB(4), &found),
			 AXVM_ENOENT);
	assert_int_equal(at.value, BASE + GIB(3));
}

static void watch(uint64_t gpa, uint64_t hpa)
{
	flushes.mode = mode;
	flushes.table = &table;
	flushes.frames = frames;
	flushes.probe = gpa;
	flushes.probe_hpa = hpa;
}

static void split_breaks_flushes_and_makes(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, MIB(2), RAM, AXVM_RWX), 0);
	watch(BASE + 4096 * 7, RAM + 4096 * 7);
	assert_int_equal(protect(BASE + 4096, 4096, AXVM_READ), 0);
	assert_int_equal(flushes.calls, 1);
	assert_int_equal(flushes.gpa, BASE);
	assert_int_equal(flushes.size, MIB(2));
	check_page(mode, frames, &table, BASE + 4096 * 7, RAM + 4096 * 7,
		   AXVM_RWX, false);
}

static void split_of_a_1g_leaf_breaks_once(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, GIB(1), RAM, AXVM_RWX), 0);
	watch(BASE + MIB(900), RAM + MIB(900));
	/* One cut goes down two levels; it is built before it is shown. */
	assert_int_equal(unmap(BASE, 4096), 0);
	assert_int_equal(flushes.calls, 1);
	assert_int_equal(flushes.size, GIB(1));
	assert_int_equal(leaf_size(BASE + MIB(900)), MIB(2));
}

static void merge_breaks_flushes_and_makes(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, MIB(1), RAM, AXVM_RWX), 0);
	assert_int_equal(map(BASE + MIB(1), MIB(1), RAM + MIB(1), AXVM_RWX), 0);
	begin();
	watch(BASE + 8192, RAM + 8192);
	assert_int_equal(compact(BASE, MIB(2), 5), 0);
	assert_int_equal(flushes.calls, 1);
	assert_int_equal(flushes.gpa, BASE);
	assert_int_equal(flushes.size, MIB(2));
	assert_int_equal(leaf_size(BASE), MIB(2));
	assert_int_equal(edit.garbage.live_count, 1);
	/* Flushed between break and make: nothing is owed. */
	assert_false(edit.need_flush);
}

static void remap_in_one_batch_flushes_before_the_new_entry(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, MIB(2), RAM, AXVM_RWX), 0);
	assert_int_equal(unmap(BASE, MIB(2)), 0);
	assert_true(edit.need_flush);
	assert_int_equal(map(BASE + GIB(4), 4096, RAM, AXVM_RW), 0);
	assert_int_equal(flushes.calls, 0);
	assert_int_equal(map(BASE, 4096, RAM + MIB(8), AXVM_RW), 0);
	assert_int_equal(flushes.calls, 1);
	assert_true(flushes.gpa <= BASE);
	assert_true(flushes.gpa + flushes.size >= BASE + MIB(2));
	assert_false(edit.need_flush);
	check_page(mode, frames, &table, BASE, RAM + MIB(8), AXVM_RW, false);
	assert_int_equal(map(BASE + 4096, 4096, RAM, AXVM_RW), 0);
	assert_int_equal(flushes.calls, 1);
}

static void remap_of_one_page_flushes_before_the_new_entry(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, 8192, RAM, AXVM_RWX), 0);
	assert_int_equal(unmap(BASE, 4096), 0);
	assert_true(edit.need_flush);
	assert_int_equal(map(BASE, 4096, RAM + MIB(8), AXVM_RW), 0);
	assert_int_equal(flushes.calls, 1);
	assert_int_equal(flushes.gpa, BASE);
	assert_int_equal(flushes.size, 4096);
	assert_false(edit.need_flush);
	check_page(mode, frames, &table, BASE, RAM + MIB(8), AXVM_RW, false);
}

static void rights_alone_change_in_place(void **state)
{
	(void)state;
	assert_int_equal(map(BASE, MIB(4), RAM, AXVM_RWX), 0);
	assert_int_equal(protect(BASE, MIB(4), AXVM_READ), 0);
	assert_int_equal(protect(BASE, MIB(2), AXVM_RWX), 0);
	assert_int_equal(flushes.calls, 0);
	assert_int_equal(leaf_size(BASE), MIB(2));
}

static void formats_without_the_need_never_call_flush(void **state)
{
	(void)state;
	axvmi_s2_edit_init(&edit, NULL, NULL);
	assert_int_equal(map(BASE, GIB(1), RAM, AXVM_RWX), 0);
	assert_int_equal(unmap(BASE + 4096, 4096), 0);
	assert_int_equal(map(BASE + 4096, 4096, RAM + 4096, AXVM_RWX), 0);
	assert_int_equal(protect(BASE, GIB(1), AXVM_READ), 0);
	assert_int_equal(leaf_size(BASE), GIB(1));
	/* The merged tables may be in walk caches. */
	assert_true(edit.need_flush);
}

static void unmapping_page_by_page_in_any_order_frees_tables(void **state)
{
	(void)state;
	for (unsigned order = 0; order < 3; order++) {
		assert_int_equal(map(BASE, MIB(4), RAM + 4096, AXVM_RWX), 0);
		for (unsigned i = 0; i < 1024; i++) {
			unsigned page = order == 0   ? i
					: order == 1 ? 1023 - i
						     : i * 389 % 1024;

			assert_int_equal(unmap(BASE + page * 4096u, 4096), 0);
		}
		reclaim();
		assert_int_equal(pages(), axvmi_s2_root_size(&format) / 4096);
	}
}

static void destroy_works_in_bounded_steps(void **state)
{
	unsigned calls = 1;

	(void)state;
	assert_int_equal(map(BASE, GIB(2), RAM + 4096, AXVM_RWX), 0);
	assert_int_equal(map(0, 4096, RAM, AXVM_RWX), 0);
	while (axvmi_s2_destroy(&table, 100) == AXVM_EAGAIN)
		calls++;
	assert_true(calls >= 2);
	assert_int_equal(frames->live, 0);
	assert_int_equal(pages(), 0);
	assert_int_equal(axvmi_s2_destroy(&table, 1), 0);
	assert_int_equal(axvmi_s2_init(&table, &format, &frames->pool), 0);
}

#define EPT_TEST(f) cmocka_unit_test_setup_teardown(f, setup_ept, teardown)
#define ARM_TEST(f) cmocka_unit_test_setup_teardown(f, setup_arm, teardown)
#define SV_TEST(f) cmocka_unit_test_setup_teardown(f, setup_sv39, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EPT_TEST(page_counts_are_minimal_and_come_back),
		EPT_TEST(pages_needed_tells_what_map_takes),
		EPT_TEST(largest_leaves_that_both_addresses_allow),
		ARM_TEST(largest_leaves_that_both_addresses_allow),
		SV_TEST(largest_leaves_that_both_addresses_allow),
		EPT_TEST(leaf_sizes_the_cpu_lacks_are_not_used),
		EPT_TEST(root_index_bits_are_used_to_the_top),
		ARM_TEST(root_index_bits_are_used_to_the_top),
		SV_TEST(root_index_bits_are_used_to_the_top),
		EPT_TEST(query_knows_the_format_bounds),
		ARM_TEST(query_knows_the_format_bounds),
		EPT_TEST(ranges_malformed_or_too_far_are_refused),
		ARM_TEST(ranges_malformed_or_too_far_are_refused),
		SV_TEST(ranges_malformed_or_too_far_are_refused),
		EPT_TEST(mapping_over_anything_mapped_is_refused),
		ARM_TEST(mapping_over_anything_mapped_is_refused),
		EPT_TEST(a_short_run_is_checked_to_its_last_page),
		ARM_TEST(a_short_run_is_checked_to_its_last_page),
		SV_TEST(a_short_run_is_checked_to_its_last_page),
		EPT_TEST(unmap_and_protect_refuse_holes),
		ARM_TEST(unmap_and_protect_refuse_holes),
		EPT_TEST(sparse_unmap_skips_holes),
		ARM_TEST(sparse_unmap_skips_holes),
		SV_TEST(sparse_unmap_cuts_leaves_at_its_ends),
		EPT_TEST(partial_unmap_splits_a_1g_leaf),
		EPT_TEST(cuts_in_two_leaves_take_two_tables_per_level),
		EPT_TEST(partial_protect_splits_and_whole_protect_merges),
		EPT_TEST(widening_rights_owes_no_flush),
		ARM_TEST(widening_rights_owes_no_flush),
		SV_TEST(widening_rights_owes_no_flush),
		EPT_TEST(one_page_owes_what_a_range_owes),
		ARM_TEST(one_page_owes_what_a_range_owes),
		SV_TEST(one_page_owes_what_a_range_owes),
		EPT_TEST(one_page_is_checked_as_a_range_is),
		ARM_TEST(one_page_is_checked_as_a_range_is),
		SV_TEST(one_page_is_checked_as_a_range_is),
		EPT_TEST(device_memory_cannot_become_executable),
		ARM_TEST(device_memory_cannot_become_executable),
		SV_TEST(device_memory_cannot_become_executable),
		EPT_TEST(different_types_or_rights_do_not_merge),
		SV_TEST(different_types_or_rights_do_not_merge),
		EPT_TEST(compact_merges_up_to_1g_in_bounded_steps),
		EPT_TEST(compact_leaves_what_is_outside_its_range),
		EPT_TEST(misaligned_host_memory_does_not_merge),
		EPT_TEST(many_merges_in_one_call_stop_when_the_list_is_full),
		EPT_TEST(out_of_memory_in_map_changes_nothing),
		EPT_TEST(out_of_memory_in_unmap_changes_nothing),
		EPT_TEST(out_of_memory_in_protect_changes_nothing),
		EPT_TEST(out_of_memory_in_sparse_unmap_changes_nothing),
		EPT_TEST(root_without_memory_is_enomem),
		EPT_TEST(frames_that_entries_cannot_name_are_refused),
		EPT_TEST(adding_owes_no_flush_and_removing_does),
		EPT_TEST(detached_tables_stay_readable_until_reclaimed),
		EPT_TEST(dropping_a_table_flushes_all_of_its_span),
		SV_TEST(dropping_a_table_flushes_all_of_its_span),
		EPT_TEST(a_merge_alone_owes_a_flush_for_walk_caches),
		SV_TEST(a_merge_alone_owes_a_flush_for_walk_caches),
		EPT_TEST(a_right_taken_from_one_page_owes_a_flush_of_it),
		ARM_TEST(a_right_taken_from_one_page_owes_a_flush_of_it),
		SV_TEST(a_right_taken_from_one_page_owes_a_flush_of_it),
		EPT_TEST(a_table_that_goes_owes_a_flush_of_its_span),
		SV_TEST(a_table_that_goes_owes_a_flush_of_its_span),
		EPT_TEST(next_finds_mappings_and_skips_holes),
		ARM_TEST(split_breaks_flushes_and_makes),
		ARM_TEST(split_of_a_1g_leaf_breaks_once),
		ARM_TEST(merge_breaks_flushes_and_makes),
		ARM_TEST(remap_in_one_batch_flushes_before_the_new_entry),
		ARM_TEST(remap_of_one_page_flushes_before_the_new_entry),
		ARM_TEST(rights_alone_change_in_place),
		EPT_TEST(formats_without_the_need_never_call_flush),
		SV_TEST(formats_without_the_need_never_call_flush),
		EPT_TEST(unmapping_page_by_page_in_any_order_frees_tables),
		ARM_TEST(unmapping_page_by_page_in_any_order_frees_tables),
		EPT_TEST(destroy_works_in_bounded_steps),
		SV_TEST(destroy_works_in_bounded_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
