/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * ram.c and memory.c together: a reset after the host has edited the mapping,
 * and one that begins while an edit is under way.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "core_test.h"

#include "stub_internal.h"

#define SECOND (RAM + MIB(64))
#define HOLES 96u

static const struct stub_op nothing[] = {THE_END};

static struct axvm_gpa at(uint64_t gpa)
{
	return axvm_to_gpa(gpa);
}

/* ---- what a reset restores ---- */

static struct axvm_mapping mapped(struct axvm_vm *vm, uint64_t gpa)
{
	struct axvm_mapping mapping;

	assert_int_equal(axvm_query(vm, at(gpa), &mapping), AXVM_OK);
	return mapping;
}

static void assert_same(const struct axvm_mapping *a,
			const struct axvm_mapping *b)
{
	assert_true(a->hpa.value == b->hpa.value);
	assert_int_equal(a->access, b->access);
	assert_int_equal(a->type, b->type);
}

static void a_reset_maps_again_what_was_unmapped(void **state)
{
	static const struct stub_op ops[] = {
		OP(WRITE, RAM, 7), OP(WRITE, RAM + 0x9000, 7), THE_END};
	static const struct stub_op look[] = {
		OP(READ, RAM, 0),	    OP(EXPECT, 0, 0),
		OP(READ, RAM + 0x9000, 0),  OP(EXPECT, 0, 0),
		OP(WRITE, RAM + 0x9000, 1), THE_END};
	struct axvm_vm *vm = running(ops);
	struct axvm_mapping before = mapped(vm, RAM);
	struct axvm_mapping now;

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_unmap(vm, at(RAM), PAGE), AXVM_OK);
	assert_int_equal(axvm_protect(vm, at(RAM + 0x9000), PAGE, AXVM_READ),
			 AXVM_OK);
	stop(vm);
	reset(vm);
	now = mapped(vm, RAM);
	assert_same(&now, &before);
	assert_int_equal(mapped(vm, RAM + 0x9000).access, AXVM_RWX);
	stub_program(vm, 0, look);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

/* The image is loaded by the reset: the guest's own hole must not stop it. */
static void an_image_finds_its_memory_again(void **state)
{
	static uint8_t bytes[] = "kernel";
	static const struct axvm_image image = {
		.data = bytes, .size = sizeof(bytes), .gpa = {RAM}};
	char copy[sizeof(bytes)];
	struct axvm_vm *vm = created();

	(void)state;
	assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_RAW, &image), AXVM_OK);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(RAM), PAGE), AXVM_OK);
	stop(vm);
	reset(vm);
	assert_int_equal(axvm_read_guest(vm, at(RAM), copy, sizeof(copy)),
			 AXVM_OK);
	assert_memory_equal(copy, bytes, sizeof(copy));
	destroy(vm);
}

/* Frames the host put in are its own again: neither mapped nor zeroed. */
static void a_frame_of_the_hosts_does_not_survive_a_reset(void **state)
{
	struct axvm_hpa lent = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	uint64_t *word = test_hal_virt(stub_hal(m), lent);
	struct axvm_vm *vm = running(nothing);
	struct axvm_mapping before = mapped(vm, RAM + 0x3000);
	struct axvm_mapping now;

	(void)state;
	*word = 0x600d;
	assert_int_equal(axvm_unmap(vm, at(RAM + 0x3000), PAGE), AXVM_OK);
	assert_int_equal(axvm_map(vm, at(RAM + 0x3000), lent, PAGE, AXVM_RWX),
			 AXVM_OK);
	stop(vm);
	reset(vm);
	now = mapped(vm, RAM + 0x3000);
	assert_same(&now, &before);
	assert_int_equal(*word, 0x600d);
	destroy(vm);
}

static void every_kind_of_region_is_mapped_as_configured_again(void **state)
{
	struct axvm_hpa lent = test_hal_host_memory(stub_hal(m), MIB(1), PAGE);
	static const enum axvm_region_kind kinds[] = {
		AXVM_REGION_ALLOC, AXVM_REGION_HOST, AXVM_REGION_RESERVED};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct axvm_mapping before[HOLES];
		struct axvm_region_config *r;
		struct axvm_vm *vm;

		new_config();
		r = add_region(SECOND, HOLES * PAGE, kinds[i]);
		r->access = AXVM_RW;
		if (kinds[i] != AXVM_REGION_ALLOC)
			r->hpa = lent;
		vm = running(nothing);
		for (unsigned k = 0; k < HOLES; k++)
			before[k] = mapped(vm, SECOND + k * PAGE);
		for (unsigned k = 0; k < HOLES; k += 2)
			assert_int_equal(
				axvm_unmap(vm, at(SECOND + k * PAGE), PAGE),
				AXVM_OK);
		stop(vm);
		reset(vm);
		for (unsigned k = 0; k < HOLES; k++) {
			struct axvm_mapping now = mapped(vm, SECOND + k * PAGE);

			assert_same(&now, &before[k]);
		}
		destroy(vm);
	}
}

static void large_leaves_come_back_as_large_leaves(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	struct axvm_vm *vm;

	(void)state;
	m = stub_new(&c);
	test_hal_max_align(stub_hal(m), MIB(2));
	regions[0].size = MIB(4);
	vm = running(nothing);
	assert_int_equal(axvm_protect(vm, at(RAM + MIB(2)), PAGE, AXVM_READ),
			 AXVM_OK);
	assert_int_equal(axvm_unmap(vm, at(RAM + PAGE), PAGE), AXVM_OK);
	assert_int_equal(mapped(vm, RAM + MIB(2)).leaf_size, PAGE);
	stop(vm);
	reset(vm);
	assert_int_equal(mapped(vm, RAM).leaf_size, MIB(2));
	assert_int_equal(mapped(vm, RAM + MIB(2)).leaf_size, MIB(2));
	destroy(vm);
}

/* A reset that runs out of memory is no end: the next one goes on. */
static void a_reset_without_memory_can_be_tried_again(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	unsigned failures = 0;
	int err;

	(void)state;
	m = stub_new(&c);
	regions[0].size = MIB(6);
	for (unsigned k = 1;; k++) {
		struct axvm_vm *vm = running(nothing);
		bool failed;

		assert_int_equal(axvm_unmap(vm, at(RAM), MIB(6)), AXVM_OK);
		stop(vm);
		test_hal_fail_from(stub_hal(m), k);
		do
			err = axvm_reset(vm);
		while (err == AXVM_EAGAIN);
		failed = test_hal_failed(stub_hal(m));
		assert_int_equal(err, failed ? AXVM_ENOMEM : AXVM_OK);
		assert_int_equal(axvm_vm_state(vm),
				 failed ? AXVM_VM_STOPPED : AXVM_VM_LOADED);
		if (failed)
			reset(vm);
		for (uint64_t off = 0; off < MIB(6); off += PAGE)
			mapped(vm, RAM + off);
		destroy(vm);
		if (!failed)
			break;
		failures++;
	}
	assert_true(failures != 0);
}

/* ---- code the host puts in by axvm_map() ---- */

static void a_frame_that_is_mapped_is_synced_first(void **state)
{
	static const struct stub_op ops[] = {OP(SPIN, 1, 0),
					     OP(EXEC, RAM + 0x9000, 0),
					     OP(EXPECT, 0x1111, 0),
					     OP(SPIN, 1, 0),
					     OP(EXEC, RAM + 0x9000, 0),
					     OP(EXPECT, 0x2222, 0),
					     THE_END};
	struct axvm_hpa lent = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
	uint64_t *word = test_hal_virt(stub_hal(m), lent);
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	for (uint64_t code = 0x1111; code <= 0x2222; code += 0x1111) {
		assert_int_equal(axvm_unmap(vm, at(RAM + 0x9000), PAGE),
				 AXVM_OK);
		*word = code;
		assert_int_equal(
			axvm_map(vm, at(RAM + 0x9000), lent, PAGE, AXVM_RWX),
			AXVM_OK);
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	}
	no_violation();
	end(vm);
}

/* ---- a reset that meets an unmap ---- */

static struct axvm_vm *the_vm;
static void (*real_free)(void *ctx, void *ptr, size_t size);
static uint64_t (*real_save)(void);
/* The unmap waits in the middle, until the reset has come that far. */
static atomic_bool halfway, go_on, over;
static atomic_int answer;
static unsigned saves, fire_at;
static pthread_t unmapper;

static void wait_for(const atomic_bool *event, unsigned milliseconds)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	while (!atomic_load(event) && milliseconds-- != 0)
		nanosleep(&pause, NULL);
}

static void pausing_free(void *ctx, void *ptr, size_t size)
{
	real_free(ctx, ptr, size);
	if (stub_here() == &m->pcpu[1] && !atomic_exchange(&halfway, true))
		wait_for(&go_on, 20000);
}

/* Interrupts are masked before a lock is taken: the last moment to be late. */
static uint64_t counting_save(void)
{
	if (stub_here() == &m->pcpu[0] && ++saves == fire_at) {
		atomic_store(&go_on, true);
		wait_for(&over, 100);
	}
	return real_save();
}

static void *unmap_all(void *arg)
{
	(void)arg;
	stub_be(m, 1);
	atomic_store(&answer, axvm_unmap(the_vm, at(SECOND), HOLES * PAGE));
	atomic_store(&over, true);
	return NULL;
}

static void racing_machine(void)
{
	static const struct stub_config c = {
		.cpus = 2, .no_tables = true, .threads = true};

	m = stub_new_bare(&c);
	real_free = stub_hal(m)->hal.free;
	stub_hal(m)->hal.free = pausing_free;
	real_save = m->ops.interrupts_save;
	m->ops.interrupts_save = counting_save;
	saves = 0;
	fire_at = 0;
	atomic_store(&halfway, false);
	atomic_store(&go_on, false);
	atomic_store(&over, false);
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
}

/* axvm_unmap() of a demand region, paused after its first pages; the VM has
 * stopped meanwhile. */
static void stopped_in_an_unmap(void)
{
	racing_machine();
	new_config();
	add_region(SECOND, HOLES * PAGE, AXVM_REGION_DEMAND);
	the_vm = running(nothing);
	for (uint64_t i = 0; i < HOLES; i++)
		assert_int_equal(
			axvm_write_guest(the_vm, at(SECOND + i * PAGE), "z", 1),
			AXVM_OK);
	assert_int_equal(pthread_create(&unmapper, NULL, unmap_all, NULL), 0);
	wait_for(&halfway, 20000);
	assert_true(atomic_load(&halfway));
	assert_int_equal(axvm_shutdown(the_vm), AXVM_OK);
	assert_int_equal(axvm_vm_state(the_vm), AXVM_VM_STOPPED);
}

/* The unmap goes on where the step masks interrupts for the k-th time, for every
 * k: neither may trip over the other. */
static void an_unmap_may_end_at_any_moment_of(int (*step)(struct axvm_vm *vm))
{
	bool fired;
	int err;

	for (unsigned k = 1;; k++) {
		stopped_in_an_unmap();
		saves = 0;
		fire_at = k;
		do
			err = step(the_vm);
		while (err == AXVM_EAGAIN);
		fire_at = 0;
		assert_int_equal(err, AXVM_OK);
		fired = atomic_exchange(&go_on, true);
		/* destroy wants the other call to be over */
		pthread_join(unmapper, NULL);
		assert_true(atomic_load(&answer) == AXVM_ESTATE ||
			    (!fired && atomic_load(&answer) == AXVM_OK));
		destroy(the_vm);
		no_violation();
		assert_true(stub_delete(m));
		m = NULL;
		if (!fired)
			break;
		assert_true(k < 1000);
	}
}

static void an_unmap_under_way_does_not_trip_a_reset(void **state)
{
	(void)state;
	an_unmap_may_end_at_any_moment_of(axvm_reset);
}

/* ---- a stop that comes between the first check and the lock ---- */

static struct axvm_hpa lent_page;

static int late_unmap(void)
{
	return axvm_unmap(the_vm, at(RAM), PAGE);
}

static int late_unmap_of_demand(void)
{
	return axvm_unmap(the_vm, at(SECOND), PAGE);
}

static int late_protect(void)
{
	return axvm_protect(the_vm, at(RAM), PAGE, AXVM_READ);
}

static int late_map(void)
{
	return axvm_map(the_vm, at(RAM + PAGE), lent_page, PAGE, AXVM_RW);
}

static int late_compact(void)
{
	uint64_t done = 0;

	return axvm_compact(the_vm, at(RAM), RAM_SIZE, &done);
}

static int late_question(void)
{
	uint64_t pages;

	return axvm_map_pages_needed(the_vm, at(RAM + PAGE), lent_page, PAGE,
				     &pages);
}

static int late_begin(void)
{
	return axvm_mem_begin(the_vm);
}

/* As if the last vCPU had left just now. */
static uint64_t stopping_save(void)
{
	if (++saves == fire_at)
		store_seq(&the_vm->state, AXVM_VM_STOPPED);
	return real_save();
}

static void refused_at_any_moment(int (*call)(void))
{
	unsigned refused = 0;

	for (unsigned k = 1; k < 100; k++) {
		struct axvm_mapping before = mapped(the_vm, RAM);
		struct axvm_mapping now;
		int err;

		saves = 0;
		fire_at = k;
		err = call();
		fire_at = 0;
		if (load_seq(&the_vm->state) == AXVM_VM_LOADED) {
			assert_int_equal(err, AXVM_OK);
			break;
		}
		store_seq(&the_vm->state, AXVM_VM_LOADED);
		if (err == AXVM_OK)
			break;
		assert_int_equal(err, AXVM_ESTATE);
		refused++;
		now = mapped(the_vm, RAM);
		assert_same(&now, &before);
	}
	assert_true(refused != 0);
}

static void a_stop_before_the_lock_refuses_every_edit(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	static int (*const calls[])(void) = {
		late_begin, late_protect, late_compact,	       late_question,
		late_map,   late_unmap,	  late_unmap_of_demand};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
		m = stub_new_bare(&c);
		real_save = m->ops.interrupts_save;
		m->ops.interrupts_save = stopping_save;
		fire_at = 0;
		assert_int_equal(stub_host(m), AXVM_OK);
		assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
		lent_page = test_hal_host_memory(stub_hal(m), PAGE, PAGE);
		new_config();
		add_region(SECOND, HOLES * PAGE, AXVM_REGION_DEMAND);
		the_vm = loaded();
		assert_int_equal(axvm_unmap(the_vm, at(RAM + PAGE), PAGE),
				 AXVM_OK);
		refused_at_any_moment(calls[i]);
		destroy(the_vm);
		assert_true(stub_delete(m));
		m = NULL;
	}
}

/* What a host must not call any more is refused all the same. */
static void a_vm_being_destroyed_has_no_memory(void **state)
{
	struct axvm_mapping mapping;
	struct axvm_vm *vm;
	char byte = 0;

	(void)state;
	add_region(SECOND, MIB(8), AXVM_REGION_DEMAND);
	vm = loaded();
	for (uint64_t off = 0; off < MIB(8); off += PAGE)
		assert_int_equal(axvm_write_guest(vm, at(SECOND + off), "z", 1),
				 AXVM_OK);
	assert_int_equal(axvm_destroy(vm), AXVM_EAGAIN);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADED);
	assert_int_equal(axvm_read_guest(vm, at(RAM), &byte, 1), AXVM_ESTATE);
	assert_int_equal(axvm_write_guest(vm, at(RAM), &byte, 1), AXVM_ESTATE);
	assert_int_equal(axvm_query(vm, at(RAM), &mapping), AXVM_ESTATE);
	assert_int_equal(axvm_unmap(vm, at(RAM), PAGE), AXVM_ESTATE);
	assert_int_equal(axvm_mem_begin(vm), AXVM_ESTATE);
	assert_int_equal(axvm_vm_reserve(vm, 1), AXVM_ESTATE);
	destroy(vm);
	vm = created();
	assert_int_equal(axvm_read_guest(vm, at(RAM), &byte, 1), AXVM_ESTATE);
	assert_int_equal(axvm_write_guest(vm, at(RAM), &byte, 1), AXVM_ESTATE);
	assert_int_equal(axvm_query(vm, at(RAM), &mapping), AXVM_ESTATE);
	destroy(vm);
}

/* ---- tables of a large unmap ---- */

static unsigned frees, most_frees;
static void (*real_restore)(uint64_t saved);

static void counting_free(void *ctx, void *ptr, size_t size)
{
	if (++frees > most_frees)
		most_frees = frees;
	real_free(ctx, ptr, size);
}

static void counting_restore(uint64_t saved)
{
	frees = 0;
	real_restore(saved);
}

/* Interrupts wait for a bounded piece of work, however much there is. */
static void tables_are_given_back_in_turns(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	struct axvm_hpa lent;
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	m = stub_new_bare(&c);
	real_free = stub_hal(m)->hal.free;
	stub_hal(m)->hal.free = counting_free;
	real_restore = m->ops.interrupts_restore;
	m->ops.interrupts_restore = counting_restore;
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
	lent = test_hal_host_memory(stub_hal(m), MIB(402), MIB(2));
	add_region(SECOND, MIB(400), AXVM_REGION_HOST)->hpa = lent;
	vm = loaded();
	live = test_hal_live(stub_hal(m));
	assert_int_equal(axvm_unmap(vm, at(SECOND), MIB(400)), AXVM_OK);
	/* Not as aligned as large leaves want it. */
	assert_int_equal(axvm_map(vm, at(SECOND),
				  axvm_to_hpa(lent.value + PAGE), MIB(400),
				  AXVM_RW),
			 AXVM_OK);
	assert_true(test_hal_live(stub_hal(m)) >= live + 200);
	most_frees = 0;
	assert_int_equal(axvm_unmap(vm, at(SECOND), MIB(400)), AXVM_OK);
	assert_in_range(most_frees, 1, 65);
	assert_true(test_hal_live(stub_hal(m)) <= live);
	destroy(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reset_maps_again_what_was_unmapped),
		TEST(an_image_finds_its_memory_again),
		TEST(a_frame_of_the_hosts_does_not_survive_a_reset),
		TEST(every_kind_of_region_is_mapped_as_configured_again),
		OWN(large_leaves_come_back_as_large_leaves),
		OWN(a_reset_without_memory_can_be_tried_again),
		TEST(a_frame_that_is_mapped_is_synced_first),
		OWN(an_unmap_under_way_does_not_trip_a_reset),
		OWN(a_stop_before_the_lock_refuses_every_edit),
		TEST(a_vm_being_destroyed_has_no_memory),
		OWN(tables_are_given_back_in_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
