/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* mem_batch.c: what axvm_mem_begin() puts off and axvm_mem_commit() keeps. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "core_test.h"
#include "internal.h"

#define DEMAND (RAM + MIB(16))
#define PAGE_AT(n) (RAM + KIB(256) + (n)*PAGE)

static struct axvm_gpa at(uint64_t gpa)
{
	return axvm_to_gpa(gpa);
}

/* Flushes of the whole VM so far. */
static uint64_t flushes(struct axvm_vm *vm)
{
	return load_seq(&vm->tlb_generation);
}

static size_t live(void)
{
	return test_hal_live(stub_hal(m));
}

static void touch(struct axvm_vm *vm, uint64_t gpa, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		assert_int_equal(
			axvm_write_guest(vm, at(gpa + i * PAGE), "z", 1),
			AXVM_OK);
}

static struct axvm_mapping mapped(struct axvm_vm *vm, uint64_t gpa)
{
	struct axvm_mapping mapping;

	assert_int_equal(axvm_query(vm, at(gpa), &mapping), AXVM_OK);
	return mapping;
}

static bool is_mapped(struct axvm_vm *vm, uint64_t gpa)
{
	struct axvm_mapping mapping;

	return axvm_query(vm, at(gpa), &mapping) == AXVM_OK;
}

/* ---- one flush ---- */

static void many_edits_cost_one_flush(void **state)
{
	static const struct stub_op ops[] = {
		OP(WRITE, PAGE_AT(0), 1), OP(WRITE, PAGE_AT(9), 1),
		OP(SPIN, 1, 0),		  OP(READ, PAGE_AT(0), 0),
		OP(READ, PAGE_AT(9), 0),  THE_END};
	struct axvm_hpa lent = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	struct axvm_vm *vm = running(ops);
	uint64_t before;

	(void)state;
	stub_host_synced(m, lent, PAGE);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	before = flushes(vm);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(
			axvm_protect(vm, at(PAGE_AT(i)), PAGE, AXVM_READ),
			AXVM_OK);
	for (uint64_t i = 20; i < 40; i++)
		assert_int_equal(axvm_unmap(vm, at(PAGE_AT(i)), PAGE), AXVM_OK);
	assert_int_equal(axvm_map(vm, at(PAGE_AT(20)), lent, PAGE, AXVM_RW),
			 AXVM_OK);
	/* In the tables at once. */
	assert_int_equal(mapped(vm, PAGE_AT(19)).access, AXVM_READ);
	assert_true(mapped(vm, PAGE_AT(20)).hpa.value == lent.value);
	assert_false(is_mapped(vm, PAGE_AT(21)));
	assert_int_equal(flushes(vm), before);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	assert_int_equal(flushes(vm), before + 1);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

static void a_batch_that_takes_nothing_away_costs_no_flush(void **state)
{
	struct axvm_hpa lent = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	struct axvm_vm *vm = booted();
	uint64_t before;

	(void)state;
	assert_int_equal(axvm_unmap(vm, at(PAGE_AT(0)), PAGE), AXVM_OK);
	before = flushes(vm);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	assert_int_equal(axvm_map(vm, at(PAGE_AT(0)), lent, PAGE, AXVM_READ),
			 AXVM_OK);
	assert_int_equal(axvm_protect(vm, at(PAGE_AT(0)), PAGE, AXVM_RW),
			 AXVM_OK);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	assert_int_equal(flushes(vm), before);
	end(vm);
}

/* The right was taken away in the tables, and the CPU obeys after commit. */
static void rights_are_obeyed_from_commit_on(void **state)
{
	static const struct stub_op ops[] = {
		OP(WRITE, PAGE_AT(0), 1), OP(SPIN, 1, 0),
		OP(WRITE, PAGE_AT(0), 2), OP(SPIN, 1, 0),
		OP(WRITE, PAGE_AT(0), 3), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	assert_int_equal(axvm_protect(vm, at(PAGE_AT(0)), PAGE, AXVM_READ),
			 AXVM_OK);
	/* Still in the TLB: allowed until then, and no violation. */
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_PERMISSION);
	no_violation();
	end(vm);
}

/* ---- what waits for the flush ---- */

static void demand_frames_and_tables_go_back_at_commit(void **state)
{
	struct axvm_vm *vm;
	size_t before, full;

	(void)state;
	add_region(DEMAND, MIB(4), AXVM_REGION_DEMAND);
	vm = loaded();
	before = live();
	touch(vm, DEMAND, 20);
	full = live();
	assert_int_equal(full, before + 21);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(4)), AXVM_OK);
	assert_false(is_mapped(vm, DEMAND));
	assert_int_equal(live(), full);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	assert_int_equal(live(), before);
	destroy(vm);
}

static void the_reserve_gets_them_at_commit(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	add_region(DEMAND, MIB(4), AXVM_REGION_DEMAND);
	vm = loaded();
	assert_int_equal(axvm_vm_reserve(vm, 30), AXVM_OK);
	touch(vm, DEMAND, 20);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(4)), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 9);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	assert_int_equal(axvm_vm_reserved(vm), 30);
	assert_null(vm->reserve.dirty);
	destroy(vm);
}

static void a_full_list_is_flushed_early(void **state)
{
	struct axvm_vm *vm;
	uint64_t before_flushes;
	size_t before;

	(void)state;
	add_region(DEMAND, MIB(4), AXVM_REGION_DEMAND);
	vm = loaded();
	before = live();
	touch(vm, DEMAND, 200);
	before_flushes = flushes(vm);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	for (uint64_t i = 0; i < 200; i++)
		assert_int_equal(axvm_unmap(vm, at(DEMAND + i * PAGE), PAGE),
				 AXVM_OK);
	assert_int_equal(flushes(vm), before_flushes + 200 / 64);
	/* 8 frames and the table that held them wait. */
	assert_int_equal(live(), before + 9);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	assert_int_equal(flushes(vm), before_flushes + 200 / 64 + 1);
	assert_int_equal(live(), before);
	/* One call for all does the same. */
	touch(vm, DEMAND, 200);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(4)), AXVM_OK);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	assert_int_equal(live(), before);
	destroy(vm);
}

/* ---- rules ---- */

static void there_is_one_batch_at_a_time(void **state)
{
	struct axvm_vm *vm = created();

	(void)state;
	assert_int_equal(axvm_mem_begin(NULL), AXVM_EINVAL);
	assert_int_equal(axvm_mem_commit(NULL), AXVM_EINVAL);
	assert_int_equal(axvm_mem_begin(vm), AXVM_ESTATE);
	assert_int_equal(axvm_mem_commit(vm), AXVM_ESTATE);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	assert_int_equal(axvm_mem_commit(vm), AXVM_ESTATE);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	assert_int_equal(axvm_mem_begin(vm), AXVM_EBUSY);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	assert_int_equal(axvm_mem_commit(vm), AXVM_ESTATE);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	stop(vm);
	assert_int_equal(axvm_mem_begin(vm), AXVM_ESTATE);
	destroy(vm);
}

static void a_shutdown_leaves_it_open(void **state)
{
	struct axvm_vm *vm;
	size_t before;

	(void)state;
	add_region(DEMAND, MIB(1), AXVM_REGION_DEMAND);
	vm = booted();
	before = live();
	touch(vm, DEMAND, 3);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), 3 * PAGE), AXVM_OK);
	stop(vm);
	assert_int_equal(axvm_unmap(vm, at(RAM), PAGE), AXVM_ESTATE);
	assert_int_equal(live(), before + 4);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	assert_int_equal(live(), before);
	destroy(vm);
}

static void a_reset_ends_it(void **state)
{
	struct axvm_mapping was;
	struct axvm_vm *vm;
	size_t before;

	(void)state;
	add_region(DEMAND, MIB(1), AXVM_REGION_DEMAND);
	vm = booted();
	before = live();
	was = mapped(vm, PAGE_AT(0));
	touch(vm, DEMAND, 5);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), 3 * PAGE), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(PAGE_AT(0)), PAGE), AXVM_OK);
	stop(vm);
	reset(vm);
	assert_int_equal(live(), before);
	assert_true(mapped(vm, PAGE_AT(0)).hpa.value == was.hpa.value);
	assert_int_equal(axvm_mem_commit(vm), AXVM_ESTATE);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	destroy(vm);
}

static void a_destroy_ends_it(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	add_region(DEMAND, MIB(1), AXVM_REGION_DEMAND);
	vm = loaded();
	touch(vm, DEMAND, 5);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), 3 * PAGE), AXVM_OK);
	/* The ledger says whether all came back. */
	destroy(vm);
}

static void a_call_that_fails_has_no_effect_the_others_stay(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	struct axvm_vm *vm;

	(void)state;
	m = stub_new(&c);
	test_hal_max_align(stub_hal(m), MIB(2));
	regions[0].size = MIB(8);
	vm = loaded();
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(RAM), MIB(2)), AXVM_OK);
	test_hal_fail_from(stub_hal(m), 1);
	assert_int_equal(axvm_unmap(vm, at(RAM + MIB(2)), PAGE), AXVM_ENOMEM);
	assert_int_equal(axvm_protect(vm, at(RAM + MIB(2)), PAGE, AXVM_READ),
			 AXVM_ENOMEM);
	assert_int_equal(axvm_unmap(vm, at(RAM), PAGE), AXVM_ENOENT);
	test_hal_fail_at(stub_hal(m), 0);
	assert_int_equal(axvm_protect(vm, at(RAM + MIB(4)), MIB(2), AXVM_READ),
			 AXVM_OK);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	assert_false(is_mapped(vm, RAM));
	assert_int_equal(mapped(vm, RAM + MIB(2)).leaf_size, MIB(2));
	assert_int_equal(mapped(vm, RAM + MIB(2)).access, AXVM_RWX);
	assert_int_equal(mapped(vm, RAM + MIB(4)).access, AXVM_READ);
	destroy(vm);
}

/* ---- faults meanwhile ---- */

/* vCPU 1 still has the old frame in its TLB when vCPU 0 gets the new one. */
static void a_page_touched_again_has_one_frame_for_all(uint64_t reserved,
						       bool linear)
{
	static const struct stub_config c = {
		.cpus = 2, .tag_bits = 14, .no_tables = true};

	static const struct stub_op first[] = {
		OP(CPU_ON, 1, RAM), OP(WRITE, DEMAND, 5), OP(SPIN, 1, 0),
		OP(WRITE, DEMAND, 7), THE_END};
	static const struct stub_op second[] = {
		OP(READ, DEMAND, 0), OP(EXPECT, 5, 0), OP(SPIN, 1, 0),
		OP(READ, DEMAND, 0), OP(EXPECT, 7, 0), THE_END};
	struct axvm_vm *vm;
	uint64_t before;

	if (linear)
		linear_machine(&c);
	else
		machine(&c);
	config.cpu_num = 2;
	add_region(DEMAND, MIB(1), AXVM_REGION_DEMAND);
	vm = loaded();
	/* So that the table is there. */
	touch(vm, DEMAND + PAGE, 1);
	stub_program(vm, 0, first);
	stub_program(vm, 1, second);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_vm_reserve(vm, reserved), AXVM_OK);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), PAGE), AXVM_OK);
	before = flushes(vm);
	/* vCPU 0 has nothing cached: it faults, and all are flushed. */
	stub_be(m, 0);
	assert_int_equal(axvm_cpu_release(stub_cpu(m, 0)), AXVM_OK);
	vm->ops->tlb_flush_local(vm);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(flushes(vm), before + 1);
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	no_violation();
	end(vm);
}

static void a_page_touched_again_has_one_frame(void **state)
{
	(void)state;
	a_page_touched_again_has_one_frame_for_all(0, false);
}

static void a_page_touched_again_has_one_frame_of_the_reserve(void **state)
{
	(void)state;
	a_page_touched_again_has_one_frame_for_all(10, false);
}

static void a_page_touched_again_has_one_frame_by_one_store(void **state)
{
	(void)state;
	a_page_touched_again_has_one_frame_for_all(10, true);
}

static void a_fault_elsewhere_needs_no_flush(void **state)
{
	static const struct stub_op ops[] = {OP(READ, DEMAND + MIB(2), 0),
					     OP(WRITE, DEMAND, 1), THE_END};
	struct axvm_vm *vm;
	uint64_t before;

	(void)state;
	add_region(DEMAND, MIB(4), AXVM_REGION_DEMAND);
	vm = running(ops);
	touch(vm, DEMAND, 2);
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(DEMAND + PAGE), PAGE), AXVM_OK);
	before = flushes(vm);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(flushes(vm), before);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	no_violation();
	end(vm);
}

/* It may map where old translations are still in use. */
static void the_librarys_own_batches_flush_it_first(void **state)
{
	struct axvmi_mem_batch batch;
	struct axvm_vm *vm = loaded();
	uint64_t before;

	(void)state;
	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	before = flushes(vm);
	axvmi_batch_begin(vm, &batch);
	axvmi_batch_end(vm, &batch);
	assert_int_equal(flushes(vm), before);
	assert_int_equal(axvm_unmap(vm, at(PAGE_AT(0)), PAGE), AXVM_OK);
	axvmi_batch_begin(vm, &batch);
	assert_int_equal(flushes(vm), before + 1);
	axvmi_batch_end(vm, &batch);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	assert_int_equal(flushes(vm), before + 1);
	destroy(vm);
}

/* Break before make: inside the batch, by whoever maps. */
static void every_format_maps_again_what_the_batch_unmapped(void **state)
{
	static const struct stub_op ops[] = {
		OP(WRITE, PAGE_AT(0), 1), OP(WRITE, DEMAND, 1), OP(SPIN, 1, 0),
		OP(JUMP, 0, 0), THE_END};
	static const enum stub_format formats[] = {STUB_SV39X4, STUB_SV48X4,
						   STUB_EPT, STUB_ARM};

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct stub_config c = {
			.format = formats[i / 2],
			.broadcast = i % 2 != 0,
			.cpus = 2,
			.tag_bits = 8,
			.no_tables = true,
			.poc_sync = true,
		};
		struct axvm_hpa lent;
		struct axvm_vm *vm;

		new_config();
		add_region(DEMAND, MIB(2), AXVM_REGION_DEMAND);
		m = stub_new(&c);
		lent = test_hal_host_memory(stub_hal(m), 2 * PAGE, PAGE);
		vm = running(ops);
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
		assert_int_equal(axvm_unmap(vm, at(PAGE_AT(0)), 2 * PAGE),
				 AXVM_OK);
		assert_int_equal(
			axvm_map(vm, at(PAGE_AT(0)), lent, 2 * PAGE, AXVM_RW),
			AXVM_OK);
		assert_int_equal(axvm_unmap(vm, at(DEMAND), PAGE), AXVM_OK);
		touch(vm, DEMAND, 1);
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		no_violation();
		end(vm);
		assert_true(stub_delete(m));
		m = NULL;
	}
}

/* ---- under running vCPUs ---- */

#define ROUNDS 60u
#define CHANGED 6u
#define POISON UINT64_C(0xdeaddeaddeaddead)

static atomic_bool over;
static atomic_ulong turns;

struct runner {
	pthread_t thread;
	struct axvm_vm *vm;
	unsigned cpu;
};

/* Faults of pages that are away for the moment are tried again. */
static void *runner_main(void *arg)
{
	struct runner *r = arg;
	struct axvm_exit exit;

	while (!atomic_load(&over)) {
		if (stub_run(m, r->cpu, r->vm, r->cpu, &exit) != AXVM_OK)
			abort();
		if (exit.reason == AXVM_EXIT_FAULT &&
		    axvm_vcpu_complete(r->vm, r->cpu, exit.seq,
				       AXVM_COMPLETE_RETRY, 0) != AXVM_OK)
			abort();
		if (exit.reason != AXVM_EXIT_FAULT)
			atomic_fetch_add(&turns, 1);
		sched_yield();
	}
	stub_be(m, r->cpu);
	if (axvm_cpu_release(stub_cpu(m, r->cpu)) != AXVM_OK)
		abort();
	return NULL;
}

static void wait_for_a_turn(void)
{
	unsigned long now = atomic_load(&turns);

	while (atomic_load(&turns) < now + 2)
		sched_yield();
}

/* The frames are the host's after commit: nobody may write to them. */
static void swap_frames(struct axvm_vm *vm, struct axvm_hpa *ours)
{
	struct axvm_hpa theirs[CHANGED];

	assert_int_equal(axvm_mem_begin(vm), AXVM_OK);
	for (unsigned i = 0; i < CHANGED; i++) {
		theirs[i] = mapped(vm, PAGE_AT(i)).hpa;
		assert_int_equal(axvm_unmap(vm, at(PAGE_AT(i)), PAGE), AXVM_OK);
		assert_int_equal(
			axvm_map(vm, at(PAGE_AT(i)), ours[i], PAGE, AXVM_RW),
			AXVM_OK);
	}
	assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(1)), AXVM_OK);
	assert_int_equal(axvm_mem_commit(vm), AXVM_OK);
	for (unsigned i = 0; i < CHANGED; i++)
		*(uint64_t *)test_hal_virt(stub_hal(m), theirs[i]) = POISON;
	wait_for_a_turn();
	for (unsigned i = 0; i < CHANGED; i++) {
		uint64_t *word = test_hal_virt(stub_hal(m), theirs[i]);

		assert_true(*word == POISON);
		*word = 0;
		ours[i] = theirs[i];
	}
}

static void running_vcpus_never_write_to_frames_taken_away(bool broadcast)
{
	static struct stub_op ops[2][2 * CHANGED + 5];
	struct stub_config c = {
		.format = broadcast ? STUB_ARM : STUB_SV39X4,
		.cpus = 2,
		.tag_bits = 8,
		.no_tables = true,
		.broadcast = broadcast,
		.threads = true,
	};
	struct axvm_hpa ours[CHANGED];
	struct runner r[2];
	struct axvm_vm *vm;

	new_config();
	config.cpu_num = 2;
	add_region(DEMAND, MIB(1), AXVM_REGION_DEMAND);
	m = stub_new(&c);
	for (unsigned i = 0; i < CHANGED; i++)
		ours[i] = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	for (unsigned v = 0; v < 2; v++) {
		struct stub_op *op = ops[v];

		if (v == 0)
			*op++ = (struct stub_op){STUB_CPU_ON, 1, RAM};
		for (unsigned i = 0; i < CHANGED; i++)
			*op++ = (struct stub_op){STUB_WRITE, PAGE_AT(i), v + 1};
		for (uint64_t i = 0; i < 3; i++)
			*op++ = (struct stub_op){STUB_WRITE, DEMAND + i * PAGE,
						 1};
		*op++ = (struct stub_op){STUB_SPIN, 1, 0};
		*op = (struct stub_op){STUB_JUMP, v == 0 ? 1 : 0, 0};
	}
	vm = running(ops[0]);
	stub_program(vm, 1, ops[1]);
	assert_int_equal(axvm_vm_reserve(vm, 4), AXVM_OK);
	atomic_store(&over, false);
	atomic_store(&turns, 0);
	assert_int_equal(run(vm), AXVM_EXIT_CPU_ON);
	for (unsigned i = 0; i < 2; i++) {
		r[i] = (struct runner){.vm = vm, .cpu = i};
		assert_int_equal(
			pthread_create(&r[i].thread, NULL, runner_main, &r[i]),
			0);
	}
	stub_be(m, 3);
	for (unsigned round = 0; round < ROUNDS; round++)
		swap_frames(vm, ours);
	atomic_store(&over, true);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(r[i].thread, NULL);
	no_violation();
	end(vm);
	assert_true(stub_delete(m));
	m = NULL;
}

static void no_frame_taken_away_is_written_to(void **state)
{
	(void)state;
	running_vcpus_never_write_to_frames_taken_away(false);
}

static void no_frame_taken_away_is_written_to_with_broadcasts(void **state)
{
	(void)state;
	running_vcpus_never_write_to_frames_taken_away(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_edits_cost_one_flush),
		TEST(a_batch_that_takes_nothing_away_costs_no_flush),
		TEST(rights_are_obeyed_from_commit_on),
		TEST(demand_frames_and_tables_go_back_at_commit),
		TEST(the_reserve_gets_them_at_commit),
		TEST(a_full_list_is_flushed_early),
		TEST(there_is_one_batch_at_a_time),
		TEST(a_shutdown_leaves_it_open),
		TEST(a_reset_ends_it),
		TEST(a_destroy_ends_it),
		OWN(a_call_that_fails_has_no_effect_the_others_stay),
		OWN(a_page_touched_again_has_one_frame),
		OWN(a_page_touched_again_has_one_frame_of_the_reserve),
		OWN(a_page_touched_again_has_one_frame_by_one_store),
		TEST(a_fault_elsewhere_needs_no_flush),
		TEST(the_librarys_own_batches_flush_it_first),
		OWN(every_format_maps_again_what_the_batch_unmapped),
		OWN(no_frame_taken_away_is_written_to),
		OWN(no_frame_taken_away_is_written_to_with_broadcasts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
