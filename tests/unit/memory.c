/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* memory.c: faults, demand pages, copies, changes of the mapping. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "core_test.h"
#include "internal.h"

#define DEMAND (RAM + MIB(16))
#define OTHER (RAM + MIB(64))

static struct axvm_region_config *demand(uint64_t size)
{
	return add_region(DEMAND, size, AXVM_REGION_DEMAND);
}

static struct axvm_gpa at(uint64_t gpa)
{
	return axvm_to_gpa(gpa);
}

static uint64_t word_at(struct axvm_vm *vm, uint64_t gpa)
{
	uint64_t value = 0;

	assert_int_equal(axvm_read_guest(vm, at(gpa), &value, sizeof(value)),
			 AXVM_OK);
	return value;
}

/* ---- faults ---- */

static void a_demand_page_appears_zeroed_when_touched(void **state)
{
	static const struct stub_op ops[] = {OP(READ, DEMAND + 0x1008, 0),
					     OP(EXPECT, 0, 0),
					     OP(WRITE, DEMAND + 0x1008, 5),
					     OP(READ, DEMAND + 0x1008, 0),
					     OP(EXPECT, 5, 0),
					     THE_END};
	struct axvm_mapping mapping;
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	demand(MIB(1));
	vm = running(ops);
	live = test_hal_live(stub_hal(m));
	assert_int_equal(axvm_query(vm, at(DEMAND + 0x1000), &mapping),
			 AXVM_ENOENT);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_query(vm, at(DEMAND + 0x1000), &mapping),
			 AXVM_OK);
	assert_int_equal(mapping.leaf_size, PAGE);
	assert_int_equal(axvm_query(vm, at(DEMAND), &mapping), AXVM_ENOENT);
	/* The frame and one leaf table (of another 2 MiB than RAM). */
	assert_int_equal(test_hal_live(stub_hal(m)), live + 2);
	no_violation();
	end(vm);
}

static void two_vcpus_faulting_one_page_get_one_frame(void **state)
{
	static const struct stub_op first[] = {OP(CPU_ON, 1, RAM),
					       OP(WRITE, DEMAND, 9), THE_END};
	static const struct stub_op second[] = {OP(READ, DEMAND, 0),
						OP(EXPECT, 9, 0), THE_END};
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	demand(MIB(1));
	config.cpu_num = 2;
	vm = loaded();
	stub_program(vm, 0, first);
	stub_program(vm, 1, second);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	live = test_hal_live(stub_hal(m));
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_IRQ);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	no_violation();
	end(vm);
}

static void demand_fill_without_memory_is_a_fault_to_retry(void **state)
{
	static const struct stub_op ops[] = {OP(WRITE, DEMAND, 1),
					     OP(READ, DEMAND, 0),
					     OP(EXPECT, 1, 0), THE_END};
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	demand(MIB(1));
	vm = running(ops);
	assert_int_equal(axvm_vcpu_kick(vm, 0), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_KICKED);
	live = test_hal_live(stub_hal(m));
	/* The frame, then the table above it. */
	for (unsigned k = 1; k <= 2; k++) {
		test_hal_fail_at(stub_hal(m), k);
		assert_int_equal(run(vm), AXVM_EXIT_FAULT);
		assert_true(test_hal_failed(stub_hal(m)));
		assert_int_equal(left->u.fault.kind, AXVM_FAULT_NO_MEMORY);
		assert_int_equal(left->u.fault.access, AXVM_WRITE);
		assert_int_equal(left->gpa, DEMAND);
		assert_int_equal(test_hal_live(stub_hal(m)), live);
	}
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_faults(vm, 0), 0);
	no_violation();
	end(vm);
}

static void rights_of_the_region_are_applied(void **state)
{
	static const struct stub_op ops[] = {
		OP(WRITE, OTHER, 1), OP(EXEC, OTHER, 0), OP(READ, OTHER, 0),
		OP(EXPECT, 0, 0), THE_END};
	struct axvm_mapping mapping;
	struct axvm_vm *vm;

	(void)state;
	add_region(OTHER, PAGE, AXVM_REGION_ALLOC)->access = AXVM_READ;
	vm = running(ops);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_PERMISSION);
	assert_int_equal(left->u.fault.access, AXVM_WRITE);
	assert_int_equal(left->gpa, OTHER);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_PERMISSION);
	assert_int_equal(left->u.fault.access, AXVM_EXEC);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	/* The default answer: faults for the guest. */
	assert_int_equal(stub_faults(vm, 0), 2);
	assert_int_equal(axvm_query(vm, at(OTHER), &mapping), AXVM_OK);
	assert_int_equal(mapping.access, AXVM_READ);
	no_violation();
	end(vm);
}

static void a_demand_page_denied_by_its_region_takes_no_frame(void **state)
{
	static const struct stub_op ops[] = {OP(WRITE, DEMAND, 1),
					     OP(READ, DEMAND, 0),
					     OP(WRITE, DEMAND, 1), THE_END};
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	demand(PAGE)->access = AXVM_READ | AXVM_EXEC;
	vm = running(ops);
	live = test_hal_live(stub_hal(m));
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_PERMISSION);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_PERMISSION);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

static void an_upgrade_of_rights_needs_no_exit_to_the_host(void **state)
{
	static const struct stub_op ops[] = {
		OP(READ, RAM + 0x9000, 0), OP(SPIN, 1, 0),
		OP(WRITE, RAM + 0x9000, 1), THE_END};
	struct axvm_vcpu_stats stats;
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(axvm_protect(vm, at(RAM + 0x9000), PAGE, AXVM_READ),
			 AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_protect(vm, at(RAM + 0x9000), PAGE, AXVM_RWX),
			 AXVM_OK);
	/* The TLB still denies: a spurious fault, served inside. */
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_vcpu_get_stats(vm, 0, &stats), AXVM_OK);
	assert_int_equal(stats.exits[AXVM_STAT_STAGE2_FAULT], 1);
	assert_int_equal(stats.returns[AXVM_EXIT_FAULT], 0);
	no_violation();
	end(vm);
}

/* ---- unmap, map, protect ---- */

static void an_unmapped_page_is_a_fault_until_mapped_again(void **state)
{
	static const struct stub_op ops[] = {
		OP(WRITE, RAM + 0x9000, 1), OP(SPIN, 1, 0),
		OP(READ, RAM + 0x9000, 0), OP(EXPECT, 0x77, 0), THE_END};
	struct axvm_hpa frame = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	struct axvm_vm *vm = running(ops);

	(void)state;
	*(uint64_t *)test_hal_virt(stub_hal(m), frame) = 0x77;
	stub_host_synced(m, frame, PAGE);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_unmap(vm, at(RAM + 0x9000), PAGE), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(RAM + 0x9000), PAGE), AXVM_ENOENT);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_UNMAPPED);
	assert_int_equal(complete(vm, AXVM_COMPLETE_RETRY, 0), AXVM_OK);
	assert_int_equal(axvm_map(vm, at(RAM + 0x9000), frame, PAGE, AXVM_RW),
			 AXVM_OK);
	assert_int_equal(axvm_map(vm, at(RAM + 0x9000), frame, PAGE, AXVM_RW),
			 AXVM_EEXIST);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

static void unmapping_a_demand_page_gives_its_frame_back(void **state)
{
	static const struct stub_op ops[] = {
		OP(WRITE, DEMAND, 1), OP(SPIN, 1, 0), OP(READ, DEMAND, 0),
		OP(EXPECT, 0, 0), THE_END};
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	demand(MIB(4));
	vm = running(ops);
	live = test_hal_live(stub_hal(m));
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(test_hal_live(stub_hal(m)), live + 2);
	/* Holes are fine there; the table goes too. */
	assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(4)), AXVM_OK);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(4)), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

static void many_demand_pages_are_unmapped_in_turns(void **state)
{
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	demand(MIB(4));
	vm = loaded();
	live = test_hal_live(stub_hal(m));
	for (uint64_t off = 0; off < MIB(4); off += 3 * PAGE)
		assert_int_equal(axvm_write_guest(vm, at(DEMAND + off), "z", 1),
				 AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(DEMAND + PAGE), MIB(4) - 2 * PAGE),
			 AXVM_OK);
	/* The first page is left, perhaps the last, and tables. */
	assert_true(test_hal_live(stub_hal(m)) <= live + 4);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(4)), AXVM_OK);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	destroy(vm);
}

static void edits_refuse_bad_ranges(void **state)
{
	struct axvm_hpa hpa = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	struct axvm_vm *vm;

	(void)state;
	demand(PAGE);
	vm = loaded();
	assert_int_equal(axvm_unmap(NULL, at(RAM), PAGE), AXVM_EINVAL);
	assert_int_equal(axvm_unmap(vm, at(RAM + 1), PAGE), AXVM_EINVAL);
	assert_int_equal(axvm_unmap(vm, at(RAM), PAGE + 1), AXVM_EINVAL);
	assert_int_equal(axvm_unmap(vm, at(RAM), 0), AXVM_EINVAL);
	assert_int_equal(axvm_unmap(vm, at(-PAGE), 2 * PAGE), AXVM_EINVAL);
	assert_int_equal(axvm_unmap(vm, at(RAM - PAGE), PAGE), AXVM_ERANGE);
	assert_int_equal(axvm_unmap(vm, at(RAM), RAM_SIZE + PAGE), AXVM_ERANGE);
	assert_int_equal(axvm_unmap(vm, at(UINT64_C(1) << 60), PAGE),
			 AXVM_ERANGE);
	assert_int_equal(axvm_unmap(vm, at(RAM), PAGE), AXVM_OK);
	assert_int_equal(axvm_map(vm, at(RAM), axvm_to_hpa(hpa.value + 8), PAGE,
				  AXVM_RW),
			 AXVM_EINVAL);
	assert_int_equal(
		axvm_map(vm, at(RAM), axvm_to_hpa(-PAGE), 2 * PAGE, AXVM_RW),
		AXVM_EINVAL);
	assert_int_equal(axvm_map(vm, at(RAM), hpa, PAGE, AXVM_WRITE),
			 AXVM_EINVAL);
	assert_int_equal(axvm_map(vm, at(RAM), hpa, PAGE, 0), AXVM_EINVAL);
	assert_int_equal(axvm_map(vm, at(DEMAND), hpa, PAGE, AXVM_RW),
			 AXVM_ERANGE);
	assert_int_equal(axvm_protect(vm, at(RAM), PAGE, AXVM_READ),
			 AXVM_ENOENT);
	assert_int_equal(axvm_protect(vm, at(RAM + PAGE), PAGE, 0x10),
			 AXVM_EPERM);
	assert_int_equal(axvm_protect(vm, at(RAM + PAGE), PAGE, AXVM_WRITE),
			 AXVM_EINVAL);
	assert_int_equal(axvm_map(vm, at(RAM), hpa, PAGE, AXVM_READ), AXVM_OK);
	destroy(vm);
}

static void nobody_gets_more_rights_than_the_region_has(void **state)
{
	struct axvm_hpa hpa = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	struct axvm_vm *vm;

	(void)state;
	add_region(OTHER, PAGE, AXVM_REGION_ALLOC)->access = AXVM_RW;
	vm = loaded();
	assert_int_equal(axvm_protect(vm, at(OTHER), PAGE, AXVM_RWX),
			 AXVM_EPERM);
	assert_int_equal(axvm_unmap(vm, at(OTHER), PAGE), AXVM_OK);
	assert_int_equal(axvm_map(vm, at(OTHER), hpa, PAGE, AXVM_RWX),
			 AXVM_EPERM);
	/* Nor memory that the host calls its own. */
	assert_int_equal(axvm_host_reserve(stub_get_host(m), hpa, 1), AXVM_OK);
	assert_int_equal(axvm_map(vm, at(OTHER), hpa, PAGE, AXVM_RW),
			 AXVM_EPERM);
	destroy(vm);
}

static void protect_is_obeyed_and_reversible(void **state)
{
	static const struct stub_op ops[] = {
		OP(WRITE, RAM + 0x9000, 1), OP(SPIN, 1, 0),
		OP(WRITE, RAM + 0x9000, 2), OP(WRITE, RAM + 0xa000, 3),
		THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_protect(vm, at(RAM + 0x9000), PAGE, AXVM_READ),
			 AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_PERMISSION);
	assert_int_equal(complete(vm, AXVM_COMPLETE_RETRY, 0), AXVM_OK);
	assert_int_equal(axvm_protect(vm, at(RAM + 0x9000), PAGE, AXVM_RW),
			 AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(word_at(vm, RAM + 0x9000), 2);
	assert_int_equal(word_at(vm, RAM + 0xa000), 3);
	no_violation();
	end(vm);
}

/* Contiguous frames over 2 MiB could become one leaf; the frames are freed one
 * by one all the same, without asking for memory. */
static void protected_demand_pages_still_come_back_one_by_one(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	m = stub_new(&c);
	demand(MIB(4));
	vm = loaded();
	live = test_hal_live(stub_hal(m));
	for (uint64_t off = 0; off < MIB(2); off += PAGE)
		assert_int_equal(axvm_write_guest(vm, at(DEMAND + off), "z", 1),
				 AXVM_OK);
	assert_int_equal(axvm_protect(vm, at(DEMAND), MIB(2), AXVM_READ),
			 AXVM_OK);
	assert_int_equal(axvm_protect(vm, at(DEMAND), MIB(4), AXVM_RW),
			 AXVM_ENOENT);
	test_hal_fail_from(stub_hal(m), 1);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), PAGE), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(4)), AXVM_OK);
	test_hal_fail_at(stub_hal(m), 0);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	destroy(vm);
}

/* Longer than what is changed at a time. */
static void rights_no_cpu_has_change_no_demand_page(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	struct axvm_mapping mapping;
	struct axvm_vm *vm;

	(void)state;
	m = stub_new(&c);
	demand(MIB(2));
	vm = loaded();
	for (uint64_t off = 0; off < MIB(2); off += PAGE)
		assert_int_equal(axvm_write_guest(vm, at(DEMAND + off), "z", 1),
				 AXVM_OK);
	assert_int_equal(axvm_protect(vm, at(DEMAND), MIB(2), AXVM_WRITE),
			 AXVM_EINVAL);
	for (uint64_t off = 0; off < MIB(2); off += PAGE) {
		assert_int_equal(axvm_query(vm, at(DEMAND + off), &mapping),
				 AXVM_OK);
		assert_int_equal(mapping.access, AXVM_RWX);
	}
	destroy(vm);
}

/* Hands out neighbouring frames, as simple hosts do: the next allocation of a
 * frame is the next of the pool when pool_armed. */
static char *pool_start, *pool_next;
static bool pool_armed;
static void *(*real_alloc)(void *ctx, size_t size, size_t align);
static void (*real_free)(void *ctx, void *ptr, size_t size);
static unsigned pool_live;

static void *pool_alloc(void *ctx, size_t size, size_t align)
{
	char *frame = pool_next;

	if (!pool_armed)
		return real_alloc(ctx, size, align);
	pool_armed = false;
	pool_next += PAGE;
	pool_live++;
	return frame;
}

static void pool_free(void *ctx, void *ptr, size_t size)
{
	if (pool_start != NULL && (char *)ptr >= pool_start &&
	    (char *)ptr < pool_start + MIB(2)) {
		pool_live--;
		assert_int_equal(size, PAGE);
		return;
	}
	real_free(ctx, ptr, size);
}

static void neighbouring_demand_frames_are_never_one_leaf(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	struct axvm_mapping mapping;
	struct axvm_vm *vm;

	(void)state;
	m = stub_new_bare(&c);
	real_alloc = stub_hal(m)->hal.alloc;
	real_free = stub_hal(m)->hal.free;
	stub_hal(m)->hal.alloc = pool_alloc;
	stub_hal(m)->hal.free = pool_free;
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
	demand(MIB(4));
	vm = loaded();
	pool_start = test_hal_virt(
		stub_hal(m), test_hal_host_memory(stub_hal(m), MIB(2), MIB(2)));
	pool_next = pool_start;
	for (uint64_t off = 0; off < MIB(2); off += PAGE) {
		pool_armed = true;
		assert_int_equal(axvm_write_guest(vm, at(DEMAND + off), "z", 1),
				 AXVM_OK);
	}
	assert_int_equal(pool_live, 512);
	assert_int_equal(axvm_protect(vm, at(DEMAND), MIB(2), AXVM_READ),
			 AXVM_OK);
	assert_int_equal(axvm_query(vm, at(DEMAND), &mapping), AXVM_OK);
	assert_int_equal(mapping.leaf_size, PAGE);
	assert_int_equal(mapping.access, AXVM_READ);
	test_hal_fail_from(stub_hal(m), 1);
	assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(4)), AXVM_OK);
	test_hal_fail_at(stub_hal(m), 0);
	assert_int_equal(pool_live, 0);
	destroy(vm);
	pool_start = NULL;
}

/* ---- out of memory ---- */

static int try_unmap(void *vm)
{
	return axvm_unmap(vm, at(RAM + MIB(2) + 5 * PAGE), PAGE);
}

static int try_protect(void *vm)
{
	return axvm_protect(vm, at(RAM + MIB(4) + 5 * PAGE), PAGE, AXVM_READ);
}

static struct axvm_hpa lent;

static int try_map(void *vm)
{
	return axvm_map(vm, at(OTHER + MIB(4) - PAGE), lent, 2 * PAGE, AXVM_RW);
}

static void edits_without_memory_change_nothing(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	struct axvm_mapping mapping;
	struct axvm_vm *vm;

	(void)state;
	m = stub_new(&c);
	test_hal_max_align(stub_hal(m), MIB(2));
	regions[0].size = MIB(8);
	add_region(OTHER, MIB(8), AXVM_REGION_HOST)->hpa =
		test_hal_host_memory(stub_hal(m), MIB(8), MIB(2));
	vm = loaded();
	lent = test_hal_host_memory(stub_hal(m), 2 * PAGE, PAGE);
	assert_int_equal(axvm_query(vm, at(RAM + MIB(2)), &mapping), AXVM_OK);
	assert_int_equal(mapping.leaf_size, MIB(2));
	assert_int_equal(sweep(try_unmap, vm), 1);
	assert_int_equal(axvm_query(vm, at(RAM + MIB(2)), &mapping), AXVM_OK);
	assert_int_equal(mapping.leaf_size, PAGE);
	assert_int_equal(sweep(try_protect, vm), 1);
	assert_int_equal(axvm_unmap(vm, at(OTHER), MIB(8)), AXVM_OK);
	assert_true(sweep(try_map, vm) >= 2);
	assert_int_equal(axvm_query(vm, at(OTHER + MIB(4)), &mapping), AXVM_OK);
	assert_true(mapping.hpa.value == lent.value + PAGE);
	destroy(vm);
}

static int try_write(void *vm)
{
	return axvm_write_guest(vm, at(DEMAND + 10), "hello", 5);
}

static void a_copy_without_memory_changes_nothing(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	struct axvm_vm *vm;

	(void)state;
	m = stub_new(&c);
	demand(PAGE);
	vm = loaded();
	assert_int_equal(sweep(try_write, vm), 2);
	destroy(vm);
}

/* ---- copies ---- */

static void copies_cross_pages_and_regions(void **state)
{
	static uint8_t out[3 * 4096], in[3 * 4096];
	struct axvm_vm *vm;

	(void)state;
	add_region(RAM + RAM_SIZE, MIB(1), AXVM_REGION_DEMAND);
	vm = loaded();
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(axvm_write_guest(vm, at(RAM + RAM_SIZE - 5000), out,
					  sizeof(out)),
			 AXVM_OK);
	assert_int_equal(
		axvm_read_guest(vm, at(RAM + RAM_SIZE - 5000), in, sizeof(in)),
		AXVM_OK);
	assert_memory_equal(in, out, sizeof(out));
	assert_int_equal(axvm_read_guest(vm, at(RAM), in, 0), AXVM_OK);
	destroy(vm);
}

static void copies_are_checked_to_the_byte(void **state)
{
	struct axvm_vm *vm;
	char bytes[16];

	(void)state;
	add_region(OTHER, PAGE, AXVM_REGION_ALLOC)->access = AXVM_READ;
	vm = loaded();
	assert_int_equal(axvm_read_guest(NULL, at(RAM), bytes, 1), AXVM_EINVAL);
	assert_int_equal(axvm_read_guest(vm, at(RAM), NULL, 1), AXVM_EINVAL);
	assert_int_equal(axvm_write_guest(NULL, at(RAM), bytes, 1),
			 AXVM_EINVAL);
	assert_int_equal(axvm_write_guest(vm, at(RAM), NULL, 1), AXVM_EINVAL);
	assert_int_equal(
		axvm_read_guest(vm, at(RAM + RAM_SIZE - 16), bytes, 16),
		AXVM_OK);
	assert_int_equal(
		axvm_read_guest(vm, at(RAM + RAM_SIZE - 15), bytes, 16),
		AXVM_EFAULT);
	assert_int_equal(axvm_read_guest(vm, at(RAM - 1), bytes, 2),
			 AXVM_EFAULT);
	assert_int_equal(axvm_read_guest(vm, at(UINT64_MAX - 3), bytes, 16),
			 AXVM_EFAULT);
	assert_int_equal(axvm_read_guest(vm, at(RAM), bytes, SIZE_MAX),
			 AXVM_EFAULT);
	assert_int_equal(axvm_read_guest(vm, at(OTHER), bytes, 4), AXVM_OK);
	assert_int_equal(axvm_write_guest(vm, at(OTHER), bytes, 4),
			 AXVM_EFAULT);
	destroy(vm);
}

static void copies_stop_at_an_unmapped_page(void **state)
{
	struct axvm_vm *vm = loaded();
	char bytes[] = "0123456789";
	char back[6] = "";

	(void)state;
	assert_int_equal(axvm_unmap(vm, at(RAM + PAGE), PAGE), AXVM_OK);
	assert_int_equal(axvm_write_guest(vm, at(RAM + PAGE - 5), bytes, 10),
			 AXVM_EFAULT);
	assert_int_equal(axvm_read_guest(vm, at(RAM + PAGE - 5), back, 5),
			 AXVM_OK);
	assert_string_equal(back, "01234");
	destroy(vm);
}

static void a_copy_that_may_not_be_takes_no_demand_frame(void **state)
{
	struct axvm_vm *vm;
	uint64_t word = 5;
	size_t live;

	(void)state;
	demand(KIB(8))->access = AXVM_READ;
	vm = loaded();
	live = test_hal_live(stub_hal(m));
	assert_int_equal(axvm_write_guest(vm, at(DEMAND), &word, sizeof(word)),
			 AXVM_EFAULT);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	assert_int_equal(word_at(vm, DEMAND), 0);
	assert_true(test_hal_live(stub_hal(m)) > live);
	destroy(vm);
}

/* Intel CPUs could do it, others not: it is the same everywhere. */
static void a_mapping_without_read_is_refused_in_every_format(void **state)
{
	static const enum stub_format formats[] = {STUB_SV39X4, STUB_SV48X4,
						   STUB_EPT, STUB_ARM};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct stub_config c = {.format = formats[i], .tag_bits = 8};
		struct axvm_mapping mapping;
		struct axvm_hpa hpa;
		struct axvm_vm *vm;

		new_config();
		m = stub_new(&c);
		hpa = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
		vm = loaded();
		assert_int_equal(axvm_unmap(vm, at(RAM), PAGE), AXVM_OK);
		assert_int_equal(axvm_map(vm, at(RAM), hpa, PAGE, AXVM_EXEC),
				 AXVM_EINVAL);
		assert_int_equal(axvm_map(vm, at(RAM), hpa, PAGE, 0),
				 AXVM_EINVAL);
		assert_int_equal(axvm_query(vm, at(RAM), &mapping),
				 AXVM_ENOENT);
		destroy(vm);
		assert_true(stub_delete(m));
		m = NULL;
	}
}

static void the_host_writes_the_guest_executes(void)
{
	static const struct stub_op ops[] = {OP(EXEC, RAM + 0x9000, 0),
					     OP(SPIN, 1, 0),
					     OP(EXEC, RAM + 0x9000, 0),
					     OP(EXPECT, 0x1111, 0),
					     OP(SPIN, 1, 0),
					     OP(EXEC, RAM + 0x9000, 0),
					     OP(EXPECT, 0x2222, 0),
					     THE_END};
	struct axvm_vm *vm = running(ops);
	uint64_t word = 0x1111;

	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_write_guest(vm, at(RAM + 0x9000), &word, 8),
			 AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	word = 0x2222;
	assert_int_equal(axvm_write_guest(vm, at(RAM + 0x9000), &word, 8),
			 AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

static void what_the_host_writes_the_guest_reads_and_executes(void **state)
{
	(void)state;
	the_host_writes_the_guest_executes();
}

static void so_it_does_where_all_cpus_are_told_at_once(void **state)
{
	static const struct stub_config c = {.cpus = 2,
					     .tag_bits = 14,
					     .no_tables = true,
					     .poc_sync = true,
					     .sync_broadcast = true};

	(void)state;
	machine(&c);
	the_host_writes_the_guest_executes();
}

/* Whoever edits waits for readers with interrupts masked. */
static bool open_reader;
static void *(*real_virt)(void *ctx, struct axvm_hpa hpa);

static void *watching_virt(void *ctx, struct axvm_hpa hpa)
{
	open_reader |= !stub_masked();
	return real_virt(ctx, hpa);
}

static void a_read_section_cannot_be_preempted(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	struct axvm_mapping mapping;
	struct axvm_vm *vm;
	char bytes[16];

	(void)state;
	m = stub_new_bare(&c);
	real_virt = stub_hal(m)->hal.phys_to_virt;
	stub_hal(m)->hal.phys_to_virt = watching_virt;
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
	vm = loaded();
	open_reader = false;
	assert_int_equal(axvm_read_guest(vm, at(RAM), bytes, 16), AXVM_OK);
	assert_int_equal(axvm_write_guest(vm, at(RAM), bytes, 16), AXVM_OK);
	assert_int_equal(axvm_query(vm, at(RAM), &mapping), AXVM_OK);
	assert_false(open_reader);
	destroy(vm);
}

/* The frame is being copied when another thread takes the page away. */
static struct axvm_vm *read_vm;
static bool read_armed;
static pthread_t unmapper;
static atomic_bool unmap_done;

static void *unmap_demand(void *arg)
{
	(void)arg;
	stub_be(m, 1);
	if (axvm_unmap(read_vm, at(DEMAND), PAGE) != AXVM_OK)
		abort();
	atomic_store(&unmap_done, true);
	return NULL;
}

static void *unmapping_virt(void *ctx, struct axvm_hpa hpa)
{
	const struct timespec pause = {.tv_nsec = 50000000};
	void *virt = real_virt(ctx, hpa);

	/* Not the tables: this is the copy's own translation. */
	if (read_armed && memcmp(virt, "zzzz", 4) == 0) {
		read_armed = false;
		pthread_create(&unmapper, NULL, unmap_demand, NULL);
		nanosleep(&pause, NULL);
		assert_false(atomic_load(&unmap_done));
	}
	return virt;
}

static void a_frame_is_not_freed_while_it_is_copied(void **state)
{
	static const struct stub_config c = {.cpus = 2, .no_tables = true};
	char bytes[4];

	(void)state;
	m = stub_new_bare(&c);
	real_virt = stub_hal(m)->hal.phys_to_virt;
	stub_hal(m)->hal.phys_to_virt = unmapping_virt;
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
	demand(2 * PAGE);
	read_vm = loaded();
	assert_int_equal(axvm_write_guest(read_vm, at(DEMAND), "zzzz", 4),
			 AXVM_OK);
	/* Its table stays: only the frame is to wait for. */
	assert_int_equal(axvm_write_guest(read_vm, at(DEMAND + PAGE), "y", 1),
			 AXVM_OK);
	atomic_store(&unmap_done, false);
	read_armed = true;
	assert_int_equal(axvm_read_guest(read_vm, at(DEMAND), bytes, 4),
			 AXVM_OK);
	assert_memory_equal(bytes, "zzzz", 4);
	assert_false(read_armed);
	pthread_join(unmapper, NULL);
	assert_true(atomic_load(&unmap_done));
	destroy(read_vm);
}

static void query_tells_what_is_mapped(void **state)
{
	struct axvm_mapping mapping;
	struct axvm_vm *vm = loaded();

	(void)state;
	assert_int_equal(axvm_query(NULL, at(RAM), &mapping), AXVM_EINVAL);
	assert_int_equal(axvm_query(vm, at(RAM), NULL), AXVM_EINVAL);
	assert_int_equal(axvm_query(vm, at(RAM - 1), &mapping), AXVM_ENOENT);
	assert_int_equal(axvm_query(vm, at(UINT64_MAX), &mapping), AXVM_ENOENT);
	assert_int_equal(axvm_query(vm, at(RAM + 0x123), &mapping), AXVM_OK);
	assert_int_equal(mapping.hpa.value % PAGE, 0x123);
	assert_int_equal(mapping.access, AXVM_RWX);
	assert_int_equal(mapping.type, AXVM_MEM_NORMAL);
	assert_non_null(test_hal_virt(stub_hal(m), mapping.hpa));
	destroy(vm);
}

/* ---- all formats, one script ---- */

/* ---- windows ---- */

#define WINDOW UINT64_C(0x20000000)

static void map_window(struct axvm_vm *vm, struct axvm_hpa hpa)
{
	struct axvmi_mem_batch batch;
	struct s2_map map = {
		.gpa = at(WINDOW),
		.size = PAGE,
		.hpa = hpa,
		.access = AXVM_READ,
		.type = AXVM_MEM_NORMAL,
	};

	axvmi_batch_begin(vm, &batch);
	assert_int_equal(axvmi_s2_map(&vm->s2, &map, &batch.edit), AXVM_OK);
	axvmi_batch_end(vm, &batch);
}

static void a_window_faults_where_nothing_is_mapped_or_allowed(void **state)
{
	static const struct stub_op ops[] = {OP(READ, WINDOW, 0),
					     OP(READ, WINDOW, 0),
					     OP(WRITE, WINDOW, 1), THE_END};
	static const struct axvmi_space window = {
		.start = WINDOW,
		.last = WINDOW + 2 * PAGE - 1,
		.kind = AXVMI_SPACE_WINDOW,
	};
	struct axvm_vm *vm = created();
	struct axvm_hpa hpa = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	uint64_t word;

	(void)state;
	*(uint64_t *)test_hal_virt(stub_hal(m), hpa) = 77;
	stub_host_synced(m, hpa, PAGE);
	assert_int_equal(axvmi_bus_add(vm, AXVM_BUS_MMIO, &window), AXVM_OK);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	stub_program(vm, 0, ops);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	assert_int_equal(left->gpa, WINDOW);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_UNMAPPED);
	map_window(vm, hpa);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_RESULT), 77);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_PERMISSION);
	assert_int_equal(left->u.fault.access, AXVM_WRITE);
	/* It is nobody's RAM. */
	assert_int_equal(axvm_read_guest(vm, at(WINDOW), &word, sizeof(word)),
			 AXVM_EFAULT);
	assert_int_equal(axvm_unmap(vm, at(WINDOW), PAGE), AXVM_ERANGE);
	end(vm);
}

static void every_format_survives_splits_and_merges(void **state)
{
	static const struct stub_op touch[] = {OP(WRITE, RAM + MIB(2), 1),
					       OP(READ, RAM + MIB(3), 0),
					       OP(READ, DEMAND, 0),
					       OP(EXEC, RAM + MIB(2) + PAGE, 0),
					       OP(SPIN, 1, 0),
					       OP(JUMP, 0, 0),
					       THE_END};
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
		struct axvm_vm *vm;

		new_config();
		regions[0].size = MIB(8);
		demand(MIB(2));
		m = stub_new(&c);
		test_hal_max_align(stub_hal(m), MIB(2));
		vm = running(touch);
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		assert_int_equal(
			axvm_protect(vm, at(RAM + MIB(3)), PAGE, AXVM_READ),
			AXVM_OK);
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		assert_int_equal(
			axvm_protect(vm, at(RAM + MIB(2)), MIB(2), AXVM_RWX),
			AXVM_OK);
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		assert_int_equal(axvm_unmap(vm, at(RAM + MIB(4)), PAGE),
				 AXVM_OK);
		assert_int_equal(axvm_unmap(vm, at(DEMAND), MIB(2)), AXVM_OK);
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		no_violation();
		end(vm);
		assert_true(stub_delete(m));
		m = NULL;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_demand_page_appears_zeroed_when_touched),
		TEST(two_vcpus_faulting_one_page_get_one_frame),
		TEST(demand_fill_without_memory_is_a_fault_to_retry),
		TEST(rights_of_the_region_are_applied),
		TEST(a_demand_page_denied_by_its_region_takes_no_frame),
		TEST(an_upgrade_of_rights_needs_no_exit_to_the_host),
		TEST(an_unmapped_page_is_a_fault_until_mapped_again),
		TEST(unmapping_a_demand_page_gives_its_frame_back),
		TEST(many_demand_pages_are_unmapped_in_turns),
		TEST(edits_refuse_bad_ranges),
		TEST(nobody_gets_more_rights_than_the_region_has),
		TEST(protect_is_obeyed_and_reversible),
		OWN(protected_demand_pages_still_come_back_one_by_one),
		OWN(rights_no_cpu_has_change_no_demand_page),
		OWN(neighbouring_demand_frames_are_never_one_leaf),
		OWN(edits_without_memory_change_nothing),
		OWN(a_copy_without_memory_changes_nothing),
		TEST(copies_cross_pages_and_regions),
		TEST(copies_are_checked_to_the_byte),
		TEST(copies_stop_at_an_unmapped_page),
		TEST(a_copy_that_may_not_be_takes_no_demand_frame),
		OWN(a_mapping_without_read_is_refused_in_every_format),
		TEST(what_the_host_writes_the_guest_reads_and_executes),
		OWN(so_it_does_where_all_cpus_are_told_at_once),
		OWN(a_read_section_cannot_be_preempted),
		OWN(a_frame_is_not_freed_while_it_is_copied),
		TEST(query_tells_what_is_mapped),
		TEST(a_window_faults_where_nothing_is_mapped_or_allowed),
		OWN(every_format_survives_splits_and_merges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
