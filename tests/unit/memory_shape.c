/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* memory.c: the shape of the mapping: compaction, tables a map will need. */
#include "core_test.h"
#include "internal.h"

#define DEMAND (RAM + MIB(256))
#define OTHER (RAM + MIB(512))

static struct axvm_gpa at(uint64_t gpa)
{
	return axvm_to_gpa(gpa);
}

static uint64_t leaf_at(struct axvm_vm *vm, uint64_t gpa)
{
	struct axvm_mapping mapping;

	assert_int_equal(axvm_query(vm, at(gpa), &mapping), AXVM_OK);
	return mapping.leaf_size;
}

static struct axvm_vm *with_large_leaves(uint64_t size, enum stub_format format)
{
	const struct stub_config c = {
		.format = format, .cpus = 1, .tag_bits = 8, .no_tables = true};

	m = stub_new(&c);
	test_hal_max_align(stub_hal(m), MIB(2));
	regions[0].size = size;
	return loaded();
}

/* Every 2 MiB as small pages: a page's rights go and come back. */
static void split_all(struct axvm_vm *vm, uint64_t size)
{
	for (uint64_t off = 0; off < size; off += MIB(2)) {
		assert_int_equal(
			axvm_protect(vm, at(RAM + off), PAGE, AXVM_READ),
			AXVM_OK);
		assert_int_equal(
			axvm_protect(vm, at(RAM + off), PAGE, AXVM_RWX),
			AXVM_OK);
		assert_int_equal(leaf_at(vm, RAM + off), PAGE);
	}
}

/* Returns how many calls it took. */
static unsigned compact(struct axvm_vm *vm, uint64_t gpa, uint64_t size)
{
	uint64_t done = 0;
	unsigned calls = 0;
	int err;

	do {
		uint64_t before = done;

		err = axvm_compact(vm, at(gpa), size, &done);
		assert_true(err == AXVM_OK || err == AXVM_EAGAIN);
		assert_true(done > before);
		calls++;
	} while (err == AXVM_EAGAIN);
	assert_int_equal(done, size);
	return calls;
}

static void compaction_makes_large_leaves_of_small_ones(void **state)
{
	static const struct stub_op ops[] = {OP(WRITE, RAM + MIB(2), 1),
					     OP(SPIN, 1, 0),
					     OP(READ, RAM + MIB(2), 0),
					     OP(EXPECT, 1, 0),
					     OP(SPIN, 1, 0),
					     THE_END};
	static const enum stub_format formats[] = {STUB_SV39X4, STUB_EPT,
						   STUB_ARM};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct axvm_vm *vm;
		size_t live;

		new_config();
		vm = with_large_leaves(MIB(8), formats[i]);
		stub_program(vm, 0, ops);
		assert_int_equal(axvm_boot(vm), AXVM_OK);
		live = test_hal_live(stub_hal(m));
		split_all(vm, MIB(8));
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		assert_int_equal(test_hal_live(stub_hal(m)), live + 4);
		compact(vm, RAM, MIB(8));
		for (uint64_t off = 0; off < MIB(8); off += MIB(2))
			assert_int_equal(leaf_at(vm, RAM + off), MIB(2));
		/* The tables are given back. */
		assert_int_equal(test_hal_live(stub_hal(m)), live);
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		no_violation();
		end(vm);
		assert_true(stub_delete(m));
		m = NULL;
	}
}

static void compaction_goes_in_steps(void **state)
{
	struct axvm_vm *vm = with_large_leaves(MIB(128), STUB_SV39X4);

	(void)state;
	split_all(vm, MIB(128));
	/* Merged tables wait in a list of 16 while there may be readers. */
	assert_true(compact(vm, RAM, MIB(128)) >= 4);
	assert_int_equal(leaf_at(vm, RAM), MIB(2));
	assert_int_equal(leaf_at(vm, RAM + MIB(126)), MIB(2));
	/* Nothing left to do: as far as one step looks. */
	assert_int_equal(compact(vm, RAM, MIB(128)), 1);
	destroy(vm);
}

static void compaction_gets_on_in_an_open_batch(void **state)
{
	struct axvm_vm *vm = with_large_leaves(MIB(128), STUB_SV39X4);
	size_t live = test_hal_live(stub_hal(m));

	(void)state;
	split_all(vm, MIB(128));
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	compact(vm, RAM, MIB(128));
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	assert_int_equal(leaf_at(vm, RAM + MIB(126)), MIB(2));
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	destroy(vm);
}

static void compaction_keeps_what_differs(void **state)
{
	struct axvm_hpa lent;
	struct axvm_vm *vm = with_large_leaves(MIB(8), STUB_SV39X4);

	(void)state;
	lent = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	assert_int_equal(axvm_protect(vm, at(RAM + PAGE), PAGE, AXVM_READ),
			 AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(RAM + MIB(2)), PAGE), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(RAM + MIB(4)), PAGE), AXVM_OK);
	assert_int_equal(axvm_map(vm, at(RAM + MIB(4)), lent, PAGE, AXVM_RWX),
			 AXVM_OK);
	compact(vm, RAM, MIB(8));
	assert_int_equal(leaf_at(vm, RAM), PAGE);
	assert_int_equal(leaf_at(vm, RAM + MIB(2) + PAGE), PAGE);
	assert_int_equal(leaf_at(vm, RAM + MIB(4) + PAGE), PAGE);
	assert_int_equal(leaf_at(vm, RAM + MIB(6)), MIB(2));
	/* Only what is inside the range. */
	assert_int_equal(axvm_protect(vm, at(RAM + PAGE), PAGE, AXVM_RWX),
			 AXVM_OK);
	compact(vm, RAM + PAGE, MIB(4) - PAGE);
	assert_int_equal(leaf_at(vm, RAM), PAGE);
	compact(vm, RAM, MIB(2));
	assert_int_equal(leaf_at(vm, RAM), MIB(2));
	destroy(vm);
}

static void compaction_refuses_what_it_must_not_touch(void **state)
{
	struct axvm_vm *vm;
	uint64_t done = 0;

	(void)state;
	add_region(DEMAND, MIB(2), AXVM_REGION_DEMAND);
	vm = created();
	assert_int_equal(axvm_compact(vm, at(RAM), MIB(1), &done), AXVM_ESTATE);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	assert_int_equal(axvm_compact(NULL, at(RAM), MIB(1), &done),
			 AXVM_EINVAL);
	assert_int_equal(axvm_compact(vm, at(RAM), MIB(1), NULL), AXVM_EINVAL);
	assert_int_equal(axvm_compact(vm, at(RAM + 1), MIB(1), &done),
			 AXVM_EINVAL);
	assert_int_equal(axvm_compact(vm, at(RAM), 0, &done), AXVM_EINVAL);
	assert_int_equal(axvm_compact(vm, at(RAM), MIB(2), &done), AXVM_ERANGE);
	assert_int_equal(axvm_compact(vm, at(DEMAND), MIB(2), &done),
			 AXVM_ERANGE);
	done = MIB(1) + 1;
	assert_int_equal(axvm_compact(vm, at(RAM), MIB(1), &done), AXVM_EINVAL);
	assert_int_equal(done, MIB(1) + 1);
	destroy(vm);
}

/* ---- tables a map will need ---- */

static uint64_t needed(struct axvm_vm *vm, uint64_t gpa, struct axvm_hpa hpa,
		       uint64_t size)
{
	uint64_t pages = 12345;

	assert_int_equal(axvm_map_pages_needed(vm, at(gpa), hpa, size, &pages),
			 AXVM_OK);
	return pages;
}

/* Unmaps the region of `size` at OTHER; then what a map is told to need is what
 * it takes. */
static void assert_needs(struct axvm_vm *vm, uint64_t off, struct axvm_hpa hpa,
			 uint64_t size, uint64_t at_least)
{
	uint64_t pages = needed(vm, OTHER + off, hpa, size);
	size_t live = test_hal_live(stub_hal(m));

	assert_true(pages >= at_least);
	assert_int_equal(axvm_map(vm, at(OTHER + off), hpa, size, AXVM_RW),
			 AXVM_OK);
	assert_int_equal(test_hal_live(stub_hal(m)), live + pages);
	assert_int_equal(axvm_unmap(vm, at(OTHER + off), size), AXVM_OK);
}

static void a_map_takes_the_pages_it_was_said_to_need(void **state)
{
	static const enum stub_format formats[] = {STUB_SV39X4, STUB_SV48X4,
						   STUB_EPT, STUB_ARM};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		const struct stub_config c = {
			.format = formats[i], .cpus = 1, .no_tables = true};
		struct axvm_hpa hpa, odd;
		struct axvm_vm *vm;

		new_config();
		add_region(OTHER, MIB(16), AXVM_REGION_ALLOC);
		m = stub_new(&c);
		hpa = test_hal_host_memory(stub_hal(m), MIB(8), MIB(2));
		odd.value = hpa.value + PAGE;
		vm = loaded();
		assert_int_equal(axvm_unmap(vm, at(OTHER), MIB(16)), AXVM_OK);
		assert_needs(vm, 0, hpa, MIB(4), 0);
		assert_needs(vm, 0, odd, MIB(4), 2);
		assert_needs(vm, MIB(2) - PAGE, hpa, 2 * PAGE, 2);
		assert_needs(vm, MIB(2) - PAGE, odd, MIB(2) + 2 * PAGE, 2);
		/* With the table there, none. */
		assert_int_equal(axvm_map(vm, at(OTHER), hpa, PAGE, AXVM_RW),
				 AXVM_OK);
		assert_int_equal(needed(vm, OTHER + PAGE, hpa, PAGE), 0);
		destroy(vm);
		assert_true(stub_delete(m));
		m = NULL;
	}
}

static void what_cannot_be_mapped_needs_no_pages(void **state)
{
	struct axvm_hpa hpa = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	uint64_t pages = 77;
	struct axvm_vm *vm;

	(void)state;
	add_region(DEMAND, MIB(2), AXVM_REGION_DEMAND);
	vm = created();
	assert_int_equal(axvm_map_pages_needed(vm, at(RAM), hpa, PAGE, &pages),
			 AXVM_ESTATE);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	assert_int_equal(
		axvm_map_pages_needed(NULL, at(RAM), hpa, PAGE, &pages),
		AXVM_EINVAL);
	assert_int_equal(axvm_map_pages_needed(vm, at(RAM), hpa, PAGE, NULL),
			 AXVM_EINVAL);
	assert_int_equal(
		axvm_map_pages_needed(vm, at(RAM), hpa, PAGE + 1, &pages),
		AXVM_EINVAL);
	assert_int_equal(axvm_map_pages_needed(vm, at(RAM), hpa, PAGE, &pages),
			 AXVM_EEXIST);
	assert_int_equal(
		axvm_map_pages_needed(vm, at(DEMAND), hpa, PAGE, &pages),
		AXVM_ERANGE);
	assert_int_equal(axvm_host_reserve(stub_get_host(m), hpa, 1), AXVM_OK);
	assert_int_equal(axvm_map_pages_needed(vm, at(RAM), hpa, PAGE, &pages),
			 AXVM_EPERM);
	assert_int_equal(pages, 77);
	destroy(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(compaction_makes_large_leaves_of_small_ones),
		OWN(compaction_goes_in_steps),
		OWN(compaction_gets_on_in_an_open_batch),
		OWN(compaction_keeps_what_differs),
		TEST(compaction_refuses_what_it_must_not_touch),
		OWN(a_map_takes_the_pages_it_was_said_to_need),
		TEST(what_cannot_be_mapped_needs_no_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
