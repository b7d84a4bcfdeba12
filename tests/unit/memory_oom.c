/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Every call of memory.h, and init and reset, with each allocation failing in
 * turn: an error, every page of the VM mapped as before, nothing leaked.
 */
#include <pthread.h>

#include "core_test.h"

#include "stub_internal.h"

#define BIG (RAM + MIB(16))
#define BIG_SIZE MIB(6)
#define HOLE (RAM + MIB(32))
#define HOLE_SIZE MIB(4)
#define DEMAND (RAM + MIB(64))
#define DEMAND_SIZE MIB(4)
#define TOUCHED 20u
#define PAGES ((BIG_SIZE + HOLE_SIZE + DEMAND_SIZE) / PAGE)

static struct axvm_gpa at(uint64_t gpa)
{
	return axvm_to_gpa(gpa);
}

/* ---- what must not change ---- */

struct picture {
	struct {
		uint64_t hpa, leaf_size;
		uint32_t access;
	} pages[PAGES];
	uint64_t reserved;
	uint64_t bytes;
	size_t live;
	enum axvm_vm_state state;
	uint32_t batch_open;
};

static void take_region(struct axvm_vm *vm, struct picture *p, unsigned *n,
			uint64_t start, uint64_t size)
{
	for (uint64_t off = 0; off < size; off += PAGE, (*n)++) {
		struct axvm_mapping mapping;

		if (axvm_query(vm, at(start + off), &mapping) != AXVM_OK)
			continue;
		p->pages[*n].hpa = mapping.hpa.value;
		p->pages[*n].leaf_size = mapping.leaf_size;
		p->pages[*n].access = mapping.access;
	}
}

static void take_picture(struct axvm_vm *vm, struct picture *p)
{
	unsigned n = 0;

	memset(p, 0, sizeof(*p));
	take_region(vm, p, &n, BIG, BIG_SIZE);
	take_region(vm, p, &n, HOLE, HOLE_SIZE);
	take_region(vm, p, &n, DEMAND, DEMAND_SIZE);
	p->reserved = axvm_vm_reserved(vm);
	p->bytes = test_hal_live_bytes(stub_hal(m));
	p->live = test_hal_live(stub_hal(m));
	p->state = axvm_vm_state(vm);
	p->batch_open = load_seq(&vm->batch_open);
}

static void assert_as_in(struct axvm_vm *vm, const struct picture *before)
{
	static struct picture now;

	take_picture(vm, &now);
	assert_memory_equal(&now, before, sizeof(now));
}

/* ---- the calls ---- */

static struct axvm_hpa lent;

static int unmap_two_ends(struct axvm_vm *vm)
{
	return axvm_unmap(vm, at(BIG + PAGE), MIB(4));
}

static int protect_two_ends(struct axvm_vm *vm)
{
	return axvm_protect(vm, at(BIG + MIB(2) - PAGE), MIB(2), AXVM_READ);
}

static int map_small_pages(struct axvm_vm *vm)
{
	return axvm_map(vm, at(HOLE), axvm_to_hpa(lent.value + PAGE), MIB(3),
			AXVM_RW);
}

static int read_fresh(struct axvm_vm *vm)
{
	char bytes[8];

	return axvm_read_guest(vm, at(DEMAND + MIB(2) + 8), bytes, 8);
}

static int write_fresh(struct axvm_vm *vm)
{
	return axvm_write_guest(vm, at(DEMAND + MIB(2) + 8), "12345678", 8);
}

static int reserve_some(struct axvm_vm *vm)
{
	return axvm_vm_reserve(vm, 12);
}

static int unmap_demand(struct axvm_vm *vm)
{
	return axvm_unmap(vm, at(DEMAND), DEMAND_SIZE);
}

static int protect_demand(struct axvm_vm *vm)
{
	return axvm_protect(vm, at(DEMAND + PAGE), 3 * PAGE, AXVM_READ);
}

static int begin_and_commit(struct axvm_vm *vm)
{
	int err = axvm_mem_begin(vm);

	if (err == AXVM_OK)
		err = axvm_unmap(vm, at(DEMAND), PAGE);
	return err == AXVM_OK ? axvm_mem_commit(vm) : err;
}

static int compact_all(struct axvm_vm *vm)
{
	uint64_t done = 0;
	int err;

	do
		err = axvm_compact(vm, at(BIG), BIG_SIZE, &done);
	while (err == AXVM_EAGAIN);
	return err;
}

static int ask_needed(struct axvm_vm *vm)
{
	uint64_t pages;

	return axvm_map_pages_needed(vm, at(HOLE), lent, MIB(3), &pages);
}

static int fault_in_guest(struct axvm_vm *vm)
{
	if (run(vm) == AXVM_EXIT_IRQ)
		return AXVM_OK;
	assert_int_equal(left->reason, AXVM_EXIT_FAULT);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_NO_MEMORY);
	assert_int_equal(complete(vm, AXVM_COMPLETE_RETRY, 0), AXVM_OK);
	return AXVM_ENOMEM;
}

/* ---- machine and VM ---- */

static void plain_machine(void)
{
	static const struct stub_config c = {.format = STUB_EPT,
					     .cpus = 1,
					     .tag_bits = 8,
					     .no_tables = true};

	empty_config();
	config.kernel.entry.value = BIG;
	config.kernel.kernel_gpa.value = BIG;
	add_region(BIG, BIG_SIZE, AXVM_REGION_ALLOC);
	add_region(HOLE, HOLE_SIZE, AXVM_REGION_ALLOC);
	add_region(DEMAND, DEMAND_SIZE, AXVM_REGION_DEMAND);
	m = stub_new(&c);
	test_hal_max_align(stub_hal(m), MIB(2));
	lent = test_hal_host_memory(stub_hal(m), MIB(4), MIB(2));
}

/* Large leaves at BIG, nothing at HOLE, some pages at DEMAND. */
static struct axvm_vm *the_vm(uint64_t reserved)
{
	struct axvm_vm *vm = loaded();

	assert_int_equal(axvm_unmap(vm, at(HOLE), HOLE_SIZE), AXVM_OK);
	for (uint64_t i = 0; i < TOUCHED; i++)
		assert_int_equal(
			axvm_write_guest(vm, at(DEMAND + i * PAGE), "z", 1),
			AXVM_OK);
	assert_int_equal(axvm_vm_reserve(vm, reserved), AXVM_OK);
	return vm;
}

static void fail_alloc(unsigned k, bool all_after)
{
	if (all_after)
		test_hal_fail_from(stub_hal(m), k);
	else
		test_hal_fail_at(stub_hal(m), k);
}

/* How many failures it took until the call was through. */
static unsigned sweep_call(int (*call)(struct axvm_vm *vm), uint64_t reserved,
			   bool all_after)
{
	static const struct stub_op ops[] = {OP(WRITE, DEMAND + MIB(3), 1),
					     THE_END};
	static struct picture before;
	struct axvm_vm *vm = the_vm(reserved);

	stub_program(vm, 0, ops);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	for (unsigned k = 1;; k++) {
		bool failed;
		int err;

		take_picture(vm, &before);
		fail_alloc(k, all_after);
		err = call(vm);
		failed = test_hal_failed(stub_hal(m));
		test_hal_fail_at(stub_hal(m), 0);
		if (!failed) {
			assert_int_equal(err, AXVM_OK);
			end(vm);
			return k - 1;
		}
		assert_int_equal(err, AXVM_ENOMEM);
		assert_as_in(vm, &before);
		assert_true(k < 100);
	}
}

struct swept {
	int (*call)(struct axvm_vm *vm);
	unsigned takes; /* allocations, without a reserve */
};

static void every_call_fails_whole(void **state)
{
	/* Tables for both ends; two for a map of small pages over two spans;
	 * a frame and a table; frames. The others must need none. */
	static const struct swept calls[] = {
		{unmap_two_ends, 2},  {protect_two_ends, 2},
		{map_small_pages, 2}, {read_fresh, 2},
		{write_fresh, 2},     {fault_in_guest, 2},
		{reserve_some, 12},   {unmap_demand, 0},
		{protect_demand, 0},  {begin_and_commit, 0},
		{compact_all, 0},     {ask_needed, 0},
	};

	(void)state;
	plain_machine();
	for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
		for (int all_after = 0; all_after < 2; all_after++)
			assert_int_equal(
				sweep_call(calls[i].call, 0, all_after != 0),
				calls[i].takes);
	}
}

/* One frame in the reserve, half of what most of them take. (A fault survives a
 * single failure: what it could not get for a table it gets for the page.) */
static void every_call_fails_whole_with_a_reserve_too_small(void **state)
{
	static const struct swept calls[] = {
		{unmap_two_ends, 1},  {protect_two_ends, 1},
		{map_small_pages, 1}, {read_fresh, 1},
		{write_fresh, 1},     {fault_in_guest, 1},
		{reserve_some, 11},   {unmap_demand, 0},
	};

	(void)state;
	plain_machine();
	for (unsigned i = 0; i < ARRAY_SIZE(calls); i++)
		assert_int_equal(sweep_call(calls[i].call, 1, true),
				 calls[i].takes);
}

/* A page whose region denies the access costs nothing. */
static void a_copy_that_is_denied_takes_no_frame(void **state)
{
	static struct picture before;
	struct axvm_vm *vm;

	(void)state;
	plain_machine();
	regions[2].access = AXVM_READ;
	vm = loaded();
	take_picture(vm, &before);
	assert_int_equal(axvm_write_guest(vm, at(DEMAND), "z", 1), AXVM_EFAULT);
	assert_as_in(vm, &before);
	destroy(vm);
}

static void *(*real_alloc)(void *ctx, size_t size, size_t align);
static struct axvm_vm *other_vm;

static void *touch_it(void *arg)
{
	stub_be(m, 1);
	if (axvm_write_guest(other_vm, at(DEMAND + MIB(2)), "z", 1) != AXVM_OK)
		abort();
	return arg;
}

/* The first caller finds nothing, since the second one has got it meanwhile. */
static void *late_alloc(void *ctx, size_t size, size_t align)
{
	pthread_t thread;

	if (other_vm == NULL || stub_here() == &m->pcpu[1])
		return real_alloc(ctx, size, align);
	assert_int_equal(pthread_create(&thread, NULL, touch_it, NULL), 0);
	pthread_join(thread, NULL);
	other_vm = NULL;
	return NULL;
}

static void a_page_that_another_cpu_filled_needs_no_memory(void **state)
{
	static const struct stub_config c = {
		.cpus = 1, .no_tables = true, .threads = true};
	struct axvm_vm *vm;
	char byte = 0;

	(void)state;
	m = stub_new_bare(&c);
	real_alloc = stub_hal(m)->hal.alloc;
	stub_hal(m)->hal.alloc = late_alloc;
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
	add_region(DEMAND, DEMAND_SIZE, AXVM_REGION_DEMAND);
	vm = loaded();
	other_vm = vm;
	assert_int_equal(axvm_read_guest(vm, at(DEMAND + MIB(2)), &byte, 1),
			 AXVM_OK);
	assert_null(other_vm);
	assert_int_equal(byte, 'z');
	destroy(vm);
}

/* ---- init and reset ---- */

static void an_init_that_fails_can_be_tried_again(void **state)
{
	unsigned failures = 0;

	(void)state;
	plain_machine();
	for (unsigned k = 1;; k++) {
		struct axvm_vm *vm = created();
		size_t live = test_hal_live(stub_hal(m));
		bool failed;
		int err;

		test_hal_fail_from(stub_hal(m), k);
		err = init_vm(vm);
		failed = test_hal_failed(stub_hal(m));
		test_hal_fail_at(stub_hal(m), 0);
		if (failed) {
			assert_int_equal(err, AXVM_ENOMEM);
			assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADING);
			/* The bus table may stay for the next time. */
			assert_in_range(test_hal_live(stub_hal(m)), live,
					live + 1);
			assert_int_equal(init_vm(vm), AXVM_OK);
			failures++;
		}
		assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADED);
		destroy(vm);
		if (!failed)
			break;
	}
	assert_true(failures >= 10);
}

/* A reset has no way back, but it can be tried again; then all is as at first. */
static void a_reset_that_fails_can_be_tried_again(void **state)
{
	static struct picture fresh;
	unsigned failures = 0;

	(void)state;
	plain_machine();
	/* Small pieces, so that it takes tables to map them again. */
	test_hal_max_align(stub_hal(m), KIB(64));
	for (unsigned k = 1;; k++) {
		struct axvm_vm *vm = loaded();
		bool failed;
		int err;

		take_picture(vm, &fresh);
		assert_int_equal(axvm_boot(vm), AXVM_OK);
		assert_int_equal(axvm_unmap(vm, at(HOLE), HOLE_SIZE), AXVM_OK);
		assert_int_equal(axvm_unmap(vm, at(BIG + PAGE), PAGE), AXVM_OK);
		assert_int_equal(map_small_pages(vm), AXVM_OK);
		assert_int_equal(write_fresh(vm), AXVM_OK);
		stop(vm);
		test_hal_fail_from(stub_hal(m), k);
		do
			err = axvm_reset(vm);
		while (err == AXVM_EAGAIN);
		failed = test_hal_failed(stub_hal(m));
		test_hal_fail_at(stub_hal(m), 0);
		if (failed) {
			assert_int_equal(err, AXVM_ENOMEM);
			assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
			reset(vm);
			failures++;
		}
		assert_as_in(vm, &fresh);
		destroy(vm);
		if (!failed)
			break;
	}
	assert_true(failures >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(every_call_fails_whole),
		OWN(every_call_fails_whole_with_a_reserve_too_small),
		OWN(a_copy_that_is_denied_takes_no_frame),
		OWN(a_page_that_another_cpu_filled_needs_no_memory),
		OWN(an_init_that_fails_can_be_tried_again),
		OWN(a_reset_that_fails_can_be_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
