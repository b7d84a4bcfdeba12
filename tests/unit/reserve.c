/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* reserve.c: a VM that needs no allocation, and where its frames go. */
#include <pthread.h>

#include "core_test.h"
#include "reserve.h"

#include "stub_internal.h"

#define DEMAND (RAM + MIB(16))
#define BIG (RAM + MIB(64))

static struct axvm_gpa at(uint64_t gpa)
{
	return axvm_to_gpa(gpa);
}

static void reserve(struct axvm_vm *vm, uint64_t pages)
{
	int err;

	do
		err = axvm_vm_reserve(vm, pages);
	while (err == AXVM_EAGAIN);
	assert_int_equal(err, AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), pages);
}

static uint64_t asked_before;

static void no_more_memory(void)
{
	asked_before = test_hal_allocs(stub_hal(m));
	test_hal_fail_from(stub_hal(m), 1);
}

static bool memory_was_asked_for(void)
{
	return test_hal_allocs(stub_hal(m)) != asked_before;
}

/* True if a request has failed. */
static bool memory_again(void)
{
	bool failed = test_hal_failed(stub_hal(m));

	test_hal_fail_at(stub_hal(m), 0);
	return failed;
}

static void plain_machine(enum stub_format format, bool linear)
{
	const struct stub_config c = {.format = format,
				      .cpus = 2,
				      .tag_bits = 14,
				      .no_tables = true,
				      .poc_sync = true,
				      .sync_each_cpu = true};

	if (linear)
		linear_machine(&c);
	else
		machine(&c);
}

static int touch(struct axvm_vm *vm, uint64_t gpa)
{
	return axvm_write_guest(vm, at(gpa), "z", 1);
}

/* ---- filling and emptying ---- */

static void it_is_filled_and_emptied_in_steps(void **state)
{
	struct axvm_vm *vm = loaded();
	size_t live = test_hal_live(stub_hal(m));
	unsigned steps = 1;

	(void)state;
	while (axvm_vm_reserve(vm, 1000) == AXVM_EAGAIN) {
		uint64_t now = axvm_vm_reserved(vm);

		assert_int_equal(test_hal_live(stub_hal(m)), live + now);
		assert_true(now <= 64 * steps);
		steps++;
	}
	assert_true(steps >= 1000 / 64);
	assert_int_equal(axvm_vm_reserved(vm), 1000);
	assert_int_equal(test_hal_live(stub_hal(m)), live + 1000);
	assert_int_equal(axvm_vm_reserve(vm, 1000), AXVM_OK);
	assert_int_equal(axvm_vm_reserve(vm, 900), AXVM_EAGAIN);
	reserve(vm, 900);
	assert_int_equal(test_hal_live(stub_hal(m)), live + 900);
	assert_int_equal(axvm_vm_reserve(vm, 0), AXVM_EAGAIN);
	reserve(vm, 0);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	destroy(vm);
}

static void a_step_without_memory_changes_nothing(void **state)
{
	struct axvm_vm *vm = loaded();
	size_t live;

	(void)state;
	reserve(vm, 10);
	live = test_hal_live(stub_hal(m));
	for (unsigned k = 1; k <= 20; k++) {
		test_hal_fail_at(stub_hal(m), k);
		assert_int_equal(axvm_vm_reserve(vm, 30), AXVM_ENOMEM);
		assert_true(memory_again());
		assert_int_equal(axvm_vm_reserved(vm), 10);
		assert_int_equal(test_hal_live(stub_hal(m)), live);
	}
	reserve(vm, 30);
	/* The steps before the one that fails stay. */
	test_hal_fail_at(stub_hal(m), 70);
	assert_int_equal(axvm_vm_reserve(vm, 130), AXVM_EAGAIN);
	assert_int_equal(axvm_vm_reserve(vm, 130), AXVM_ENOMEM);
	assert_true(memory_again());
	assert_int_equal(axvm_vm_reserved(vm), 94);
	destroy(vm);
}

static void it_goes_with_the_vm_from_every_state(void **state)
{
	struct axvm_vm *vm = created();
	size_t live = test_hal_live(stub_hal(m));

	(void)state;
	assert_int_equal(axvm_vm_reserve(NULL, 1), AXVM_EINVAL);
	reserve(vm, 100);
	assert_int_equal(axvm_destroy(vm), AXVM_EAGAIN);
	assert_int_equal(axvm_vm_reserve(vm, 1), AXVM_ESTATE);
	destroy(vm);
	vm = created();
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	assert_int_equal(init_vm(vm), AXVM_OK);
	reserve(vm, 100);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	reserve(vm, 200);
	stop(vm);
	reserve(vm, 300);
	destroy(vm);
}

/* ---- lending ---- */

/* All that a guest and its host do with memory, and then the end of it. */
static void no_allocation_until_it_is_used_up(enum stub_format format,
					      bool linear)
{
	static const struct stub_op ops[] = {OP(WRITE, DEMAND, 1),
					     OP(WRITE, DEMAND + MIB(2), 2),
					     OP(READ, DEMAND + PAGE, 0),
					     OP(EXPECT, 0, 0),
					     OP(SPIN, 1, 0),
					     OP(READ, DEMAND, 0),
					     OP(EXPECT, 0, 0),
					     OP(READ, DEMAND + 4 * PAGE, 0),
					     THE_END};
	struct axvm_mapping piece;
	struct axvm_vm *vm;

	new_config();
	regions[0].size = MIB(4);
	add_region(DEMAND, MIB(4), AXVM_REGION_DEMAND);
	plain_machine(format, linear);
	test_hal_max_align(stub_hal(m), MIB(2));
	vm = running(ops);
	assert_int_equal(axvm_query(vm, at(RAM), &piece), AXVM_OK);
	assert_int_equal(piece.leaf_size, MIB(2));
	reserve(vm, 7);
	no_more_memory();
	/* Three pages and two tables. */
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_vm_reserved(vm), 2);
	/* One table for each split. */
	assert_int_equal(axvm_protect(vm, at(RAM + PAGE), PAGE, AXVM_READ),
			 AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(RAM + MIB(2)), PAGE), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 0);
	assert_false(memory_was_asked_for());
	/* Two pages and a table, and the tables of merges, come back. */
	assert_int_equal(axvm_unmap(vm, at(DEMAND), PAGE), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(DEMAND + MIB(2)), MIB(2)), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 3);
	assert_int_equal(axvm_protect(vm, at(RAM), MIB(2), AXVM_RWX), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 4);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_vm_reserved(vm), 2);
	assert_int_equal(touch(vm, DEMAND + 8 * PAGE), AXVM_OK);
	assert_int_equal(touch(vm, DEMAND + 9 * PAGE), AXVM_OK);
	assert_false(memory_was_asked_for());
	assert_int_equal(touch(vm, DEMAND + 10 * PAGE), AXVM_ENOMEM);
	assert_true(memory_again());
	no_violation();
	end(vm);
	assert_true(stub_delete(m));
	m = NULL;
}

static void a_vm_with_a_reserve_needs_no_allocation(void **state)
{
	static const enum stub_format formats[] = {STUB_SV39X4, STUB_SV48X4,
						   STUB_EPT, STUB_ARM};

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		no_allocation_until_it_is_used_up(formats[i / 2], i % 2 != 0);
}

static void what_comes_back_never_fills_it_above_what_it_lent(void **state)
{
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	add_region(DEMAND, MIB(1), AXVM_REGION_DEMAND);
	vm = loaded();
	/* Taken from the host. */
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(touch(vm, DEMAND + i * PAGE), AXVM_OK);
	reserve(vm, 5);
	live = test_hal_live(stub_hal(m));
	assert_int_equal(axvm_unmap(vm, at(DEMAND), 3 * PAGE), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 5);
	assert_int_equal(test_hal_live(stub_hal(m)), live - 3);
	assert_int_equal(touch(vm, DEMAND), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 4);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), 20 * PAGE), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 5);
	/* The 20 pages and their table, less what was the reserve's. */
	assert_int_equal(test_hal_live(stub_hal(m)), live - 21);
	/* When it has been given up nothing comes back to it. */
	assert_int_equal(touch(vm, DEMAND), AXVM_OK);
	reserve(vm, 0);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), PAGE), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 0);
	destroy(vm);
}

/* A failure takes some of the reserve and some of the host's. */
static void a_call_that_fails_leaves_it_as_it_was(void **state)
{
	struct axvm_hpa lent;
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	add_region(BIG, MIB(8), AXVM_REGION_ALLOC);
	plain_machine(STUB_SV39X4, false);
	lent = test_hal_host_memory(stub_hal(m), MIB(8), PAGE);
	vm = loaded();
	assert_int_equal(axvm_unmap(vm, at(BIG), MIB(8)), AXVM_OK);
	reserve(vm, 2);
	live = test_hal_live(stub_hal(m));
	for (unsigned k = 1; k <= 2; k++) {
		test_hal_fail_at(stub_hal(m), k);
		assert_int_equal(axvm_map(vm, at(BIG), lent, MIB(8), AXVM_RW),
				 AXVM_ENOMEM);
		assert_true(memory_again());
		assert_int_equal(axvm_vm_reserved(vm), 2);
		assert_int_equal(test_hal_live(stub_hal(m)), live);
	}
	assert_int_equal(axvm_map(vm, at(BIG), lent, MIB(8), AXVM_RW), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 0);
	assert_int_equal(test_hal_live(stub_hal(m)), live + 2);
	destroy(vm);
}

static void an_init_that_fails_leaves_it_as_it_was(void **state)
{
	struct axvm_vm *vm;
	unsigned k = 1;
	size_t live;
	int err;

	(void)state;
	add_region(BIG, MIB(4), AXVM_REGION_ALLOC);
	plain_machine(STUB_EPT, false);
	vm = created();
	reserve(vm, 3);
	live = test_hal_live(stub_hal(m));
	for (;;) {
		test_hal_fail_from(stub_hal(m), k++);
		err = init_vm(vm);
		if (!memory_again())
			break;
		assert_int_equal(err, AXVM_ENOMEM);
		assert_int_equal(axvm_vm_reserved(vm), 3);
		assert_null(vm->reserve.dirty);
		/* The bus table may have grown. */
		assert_in_range(test_hal_live(stub_hal(m)), live, live + 1);
	}
	assert_int_equal(err, AXVM_OK);
	assert_true(k > 10);
	assert_int_equal(axvm_vm_reserved(vm), 0);
	destroy(vm);
}

/* A frame that has come back and is not washed yet serves a table, not a page:
 * that one comes from the host. */
static void tables_take_what_is_not_washed_first(void **state)
{
	struct axvm_hpa lent;
	struct axvm_vm *vm;
	void *frame;
	size_t live;

	(void)state;
	add_region(BIG, PAGE, AXVM_REGION_ALLOC);
	add_region(DEMAND, 2 * PAGE, AXVM_REGION_DEMAND);
	plain_machine(STUB_SV39X4, false);
	lent = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	vm = loaded();
	assert_int_equal(touch(vm, DEMAND), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(BIG), PAGE), AXVM_OK);
	reserve(vm, 1);
	frame = axvmi_reserve_take(vm);
	assert_non_null(frame);
	memset(frame, 0x55, PAGE);
	assert_true(axvmi_reserve_return(vm, frame));
	live = test_hal_live(stub_hal(m));
	assert_int_equal(touch(vm, DEMAND + PAGE), AXVM_OK);
	assert_int_equal(test_hal_live(stub_hal(m)), live + 1);
	assert_int_equal(axvm_vm_reserved(vm), 1);
	assert_int_equal(axvm_map(vm, at(BIG), lent, PAGE, AXVM_RW), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 0);
	/* And goes back to the host with the others. */
	assert_int_equal(axvm_unmap(vm, at(BIG), PAGE), AXVM_OK);
	frame = axvmi_reserve_take(vm);
	assert_non_null(frame);
	assert_true(axvmi_reserve_return(vm, frame));
	reserve(vm, 0);
	destroy(vm);
}

static struct axvm_vm *washing_vm;
static void (*real_sync)(void *start, uint64_t size);

/* The host gives the reserve up while a frame is being zeroed for it. */
static void giving_up_sync(void *start, uint64_t size)
{
	struct axvm_vm *vm = washing_vm;

	washing_vm = NULL;
	if (vm != NULL)
		reserve(vm, 0);
	real_sync(start, size);
}

static void what_is_washed_too_late_goes_to_the_host(void **state)
{
	static const struct stub_config c = {
		.cpus = 1, .no_tables = true, .poc_sync = true};
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	m = stub_new_bare(&c);
	real_sync = m->ops.sync_guest_memory;
	m->ops.sync_guest_memory = giving_up_sync;
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
	add_region(DEMAND, MIB(1), AXVM_REGION_DEMAND);
	vm = loaded();
	live = test_hal_live(stub_hal(m));
	reserve(vm, 4);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(touch(vm, DEMAND + i * PAGE), AXVM_OK);
	washing_vm = vm;
	assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(1)), AXVM_OK);
	assert_null(washing_vm);
	assert_int_equal(axvm_vm_reserved(vm), 0);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	destroy(vm);
}

/* Filling it up counts what is still out as little as it will be missed. */
static void filling_it_up_takes_no_more_back_than_it_lacks(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	add_region(DEMAND, MIB(1), AXVM_REGION_DEMAND);
	vm = loaded();
	reserve(vm, 180);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(touch(vm, DEMAND + i * PAGE), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 79);
	assert_int_equal(axvm_vm_reserve(vm, 180), AXVM_EAGAIN);
	assert_int_equal(axvm_vm_reserved(vm), 79 + 64);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(1)), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 180);
	destroy(vm);
}

static void a_reset_fills_it_again(void **state)
{
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	add_region(DEMAND, MIB(4), AXVM_REGION_DEMAND);
	vm = booted();
	reserve(vm, 200);
	live = test_hal_live(stub_hal(m));
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(touch(vm, DEMAND + i * PAGE), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 99);
	stop(vm);
	reset(vm);
	assert_int_equal(axvm_vm_reserved(vm), 200);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	destroy(vm);
}

static void a_page_denied_takes_no_frame_of_it(void **state)
{
	static const struct stub_op ops[] = {OP(WRITE, DEMAND, 1),
					     OP(READ, DEMAND, 0),
					     OP(WRITE, DEMAND, 1), THE_END};
	struct axvm_vm *vm;

	(void)state;
	add_region(DEMAND, PAGE, AXVM_REGION_DEMAND)->access = AXVM_READ;
	vm = running(ops);
	reserve(vm, 5);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_PERMISSION);
	assert_int_equal(axvm_vm_reserved(vm), 5);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	/* Page and table of the read; nothing for the write. */
	assert_int_equal(axvm_vm_reserved(vm), 3);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

/* The TLB denies what the tables allow: no frame is spent on that. */
static void a_spurious_fault_takes_no_frame_of_it(void **state)
{
	static const struct stub_op ops[] = {OP(READ, DEMAND, 0),
					     OP(SPIN, 1, 0),
					     OP(WRITE, DEMAND, 1), THE_END};
	struct axvm_vm *vm;

	(void)state;
	add_region(DEMAND, PAGE, AXVM_REGION_DEMAND);
	vm = running(ops);
	reserve(vm, 5);
	assert_int_equal(touch(vm, DEMAND), AXVM_OK);
	assert_int_equal(axvm_protect(vm, at(DEMAND), PAGE, AXVM_READ),
			 AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_protect(vm, at(DEMAND), PAGE, AXVM_RW), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_vm_reserved(vm), 3);
	no_violation();
	end(vm);
}

/* ---- what the guest sees of it ---- */

/* The machine wants instruction caches flushed and data written back. Several
 * pages, since a frame that was a table in between is clean again. */
static void code_that_came_back_is_not_run_again(bool linear)
{
	enum {
		PAGES = 4,
		OPS = 4 * PAGES + 4
	};
	static struct stub_op ops[OPS];
	struct stub_op *op = ops;
	struct axvm_vm *vm;

	plain_machine(STUB_SV39X4, linear);
	for (uint64_t i = 0; i < PAGES; i++) {
		uint64_t code = DEMAND + i * PAGE + 0x808 + 8 * i;

		*op++ = (struct stub_op){STUB_WRITE, code, 0x1111};
		*op++ = (struct stub_op){STUB_EXEC, code, 0};
	}
	*op++ = (struct stub_op){STUB_SPIN, 1, 0};
	for (uint64_t i = 0; i < PAGES; i++) {
		uint64_t code = DEMAND + i * PAGE + 0x808 + 8 * i;

		*op++ = (struct stub_op){STUB_EXEC, code, 0};
		*op++ = (struct stub_op){STUB_EXPECT, 0, 0};
	}
	*op++ = (struct stub_op){STUB_SPIN, 1, 0};
	*op++ = (struct stub_op){STUB_JUMP, 0, 0};
	add_region(DEMAND, MIB(2), AXVM_REGION_DEMAND);
	vm = running(ops);
	reserve(vm, PAGES + 1);
	no_more_memory();
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(2)), AXVM_OK);
		assert_int_equal(axvm_vm_reserved(vm), PAGES + 1);
	}
	assert_false(memory_again());
	no_violation();
	end(vm);
}

static void code_of_a_page_that_came_back_is_not_run_again(void **state)
{
	(void)state;
	code_that_came_back_is_not_run_again(false);
}

static void nor_where_one_store_is_enough(void **state)
{
	(void)state;
	code_that_came_back_is_not_run_again(true);
}

static void a_fault_disturbs_nobody(void)
{
	static const struct stub_op first[] = {OP(CPU_ON, 1, RAM),
					       OP(READ, RAM, 0), OP(SPIN, 1, 0),
					       OP(WRITE, DEMAND, 7), THE_END};
	static const struct stub_op second[] = {OP(SPIN, 1, 0), THE_END};
	uint64_t flushes, kicks, syncs;
	struct axvm_vm *vm;

	config.cpu_num = 2;
	add_region(DEMAND, MIB(1), AXVM_REGION_DEMAND);
	vm = loaded();
	stub_program(vm, 0, first);
	stub_program(vm, 1, second);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	reserve(vm, 5);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_IRQ);
	flushes = stub_count(m, 0, STUB_FLUSH_LOCAL) +
		  stub_count(m, 0, STUB_FLUSH_GUEST);
	kicks = test_hal_kicks(stub_hal(m), 1);
	syncs = stub_count(m, 1, STUB_SYNC_CODE);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(stub_count(m, 0, STUB_FLUSH_LOCAL) +
				 stub_count(m, 0, STUB_FLUSH_GUEST),
			 flushes);
	assert_int_equal(test_hal_kicks(stub_hal(m), 1), kicks);
	assert_int_equal(stub_count(m, 1, STUB_SYNC_CODE), syncs);
	assert_int_equal(load_seq(&vm->vcpus[1]->attention), 0);
	assert_int_equal(axvm_vm_reserved(vm), 3);
	no_violation();
	end(vm);
}

static void a_fault_served_from_it_disturbs_no_vcpu(void **state)
{
	(void)state;
	a_fault_disturbs_nobody();
}

/* Its frames are zero as far as instruction caches know: all of them were told
 * when the reserve was filled. */
static void nor_any_instruction_cache(void **state)
{
	static const struct stub_config c = {.cpus = 2,
					     .tag_bits = 14,
					     .no_tables = true,
					     .poc_sync = true,
					     .sync_broadcast = true};

	(void)state;
	machine(&c);
	a_fault_disturbs_nobody();
	assert_true(stub_count(m, 1, STUB_SYNC_CODE) != 0);
}

/* ---- threads ---- */

#define PAGES 64u

static void *toucher(void *arg)
{
	struct axvm_vm *vm = arg;

	stub_be(m, 1);
	for (uint64_t i = 0; i < PAGES; i++) {
		if (touch(vm, DEMAND + i * PAGE + 1) != AXVM_OK)
			abort();
	}
	return NULL;
}

/* Whoever is late gives its frame back to the reserve, not to the host. */
static void threads_take_one_frame(bool linear)
{
	static const struct stub_config c = {
		.cpus = 2, .tag_bits = 14, .no_tables = true, .threads = true};
	struct axvm_vm *vm;
	pthread_t thread;

	if (linear)
		linear_machine(&c);
	else
		machine(&c);
	add_region(DEMAND, MIB(1), AXVM_REGION_DEMAND);
	vm = loaded();
	for (unsigned round = 0; round < 20; round++) {
		reserve(vm, 2 * PAGES + 1);
		no_more_memory();
		assert_int_equal(pthread_create(&thread, NULL, toucher, vm), 0);
		for (uint64_t i = 0; i < PAGES; i++)
			assert_int_equal(touch(vm, DEMAND + i * PAGE), AXVM_OK);
		pthread_join(thread, NULL);
		assert_false(memory_again());
		assert_int_equal(axvm_vm_reserved(vm), PAGES);
		assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(1)), AXVM_OK);
		assert_int_equal(axvm_vm_reserved(vm), 2 * PAGES + 1);
	}
	destroy(vm);
}

static void threads_that_touch_one_page_take_one_frame(void **state)
{
	(void)state;
	threads_take_one_frame(false);
}

static void they_do_so_where_one_store_is_enough(void **state)
{
	(void)state;
	threads_take_one_frame(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_filled_and_emptied_in_steps),
		TEST(a_step_without_memory_changes_nothing),
		TEST(it_goes_with_the_vm_from_every_state),
		OWN(a_vm_with_a_reserve_needs_no_allocation),
		TEST(what_comes_back_never_fills_it_above_what_it_lent),
		OWN(a_call_that_fails_leaves_it_as_it_was),
		OWN(an_init_that_fails_leaves_it_as_it_was),
		OWN(tables_take_what_is_not_washed_first),
		OWN(what_is_washed_too_late_goes_to_the_host),
		TEST(filling_it_up_takes_no_more_back_than_it_lacks),
		TEST(a_reset_fills_it_again),
		TEST(a_page_denied_takes_no_frame_of_it),
		TEST(a_spurious_fault_takes_no_frame_of_it),
		OWN(code_of_a_page_that_came_back_is_not_run_again),
		OWN(nor_where_one_store_is_enough),
		TEST(a_fault_served_from_it_disturbs_no_vcpu),
		OWN(nor_any_instruction_cache),
		OWN(threads_that_touch_one_page_take_one_frame),
		OWN(they_do_so_where_one_store_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
