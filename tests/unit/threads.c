/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Several host threads, each a CPU of the modelled machine, for a bounded time.
 * Meant for ThreadSanitizer, but the model's own checks count everywhere.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "core_test.h"

#define SHARED (RAM + MIB(16))
#define SHARED_PAGES 8u
#define OWN_PAGE(n) (RAM + KIB(256) + (n)*PAGE)

static atomic_bool over;

static uint64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void with_cpus(unsigned cpus, unsigned tag_bits, bool broadcast)
{
	struct stub_config c = {
		.format = broadcast ? STUB_ARM : STUB_SV39X4,
		.cpus = cpus,
		.tag_bits = tag_bits,
		.no_tables = true,
		.broadcast = broadcast,
		.sync_each_cpu = true,
		.threads = true,
	};

	m = stub_new(&c);
	atomic_store(&over, false);
}

/* ---- a thread that is a CPU and runs one vCPU ---- */

struct runner {
	pthread_t thread;
	unsigned cpu;
	uint32_t vcpu;
	struct axvm_vm *vm;
	bool unbind; /* after each run */
	atomic_ulong returns[AXVM_EXIT_REASONS];
	atomic_ulong errors;
};

/* The host's idle loop: until a wake, which the record keeps sticky. */
static void sleep_until_woken(struct runner *r, uint64_t seen)
{
	struct test_hal *t = stub_hal(m);

	while (!atomic_load(&over) && test_hal_wakes(t, r->vcpu) == seen)
		sched_yield();
}

static void answer(struct runner *r, const struct axvm_exit *exit)
{
	enum axvm_complete_action action = AXVM_COMPLETE_DONE;

	if (exit->reason == AXVM_EXIT_FAULT) {
		action = AXVM_COMPLETE_RETRY;
		sched_yield();
	} else if (exit->reason != AXVM_EXIT_MMIO &&
		   exit->reason != AXVM_EXIT_HYPERCALL) {
		return;
	}
	if (axvm_vcpu_complete(r->vm, r->vcpu, exit->seq, action, 1) != 0)
		abort();
}

static void *runner_main(void *arg)
{
	struct runner *r = arg;
	struct axvm_exit exit;

	while (!atomic_load(&over)) {
		uint64_t wakes = test_hal_wakes(stub_hal(m), r->vcpu);
		int err = stub_run(m, r->cpu, r->vm, r->vcpu, &exit);

		if (err != AXVM_OK) {
			if (err != AXVM_EBUSY && err != AXVM_ESTATE)
				abort();
			atomic_fetch_add(&r->errors, 1);
			sched_yield();
			continue;
		}
		answer(r, &exit);
		atomic_fetch_add(&r->returns[exit.reason], 1);
		if (r->unbind && axvm_vcpu_unbind(stub_cpu(m, r->cpu), r->vm,
						  r->vcpu) != AXVM_OK)
			abort();
		if (exit.reason == AXVM_EXIT_HALT)
			sleep_until_woken(r, wakes);
		if (exit.reason == AXVM_EXIT_STOPPED)
			sched_yield();
	}
	stub_be(m, r->cpu);
	if (axvm_cpu_release(stub_cpu(m, r->cpu)) != AXVM_OK)
		abort();
	return NULL;
}

static void start(struct runner *r, struct axvm_vm *vm, unsigned cpu,
		  uint32_t vcpu)
{
	memset((void *)r, 0, sizeof(*r));
	r->vm = vm;
	r->cpu = cpu;
	r->vcpu = vcpu;
	assert_int_equal(pthread_create(&r->thread, NULL, runner_main, r), 0);
}

static unsigned long returned(struct runner *r, enum axvm_exit_reason reason)
{
	return atomic_load(&r->returns[reason]);
}

static void join(struct runner *runners, unsigned count)
{
	atomic_store(&over, true);
	for (unsigned i = 0; i < count; i++)
		pthread_join(runners[i].thread, NULL);
	no_violation();
}

static bool wait_for(const atomic_ulong *counter, unsigned long value)
{
	uint64_t end_of_patience = milliseconds() + 20000;

	while (atomic_load(counter) < value) {
		if (milliseconds() > end_of_patience)
			return false;
		sched_yield();
	}
	return true;
}

static void wait_for_state(struct axvm_vm *vm, enum axvm_vm_state state)
{
	uint64_t end_of_patience = milliseconds() + 20000;

	while (axvm_vm_state(vm) != state) {
		if (milliseconds() > end_of_patience)
			fail_msg("still %s",
				 axvm_vm_state_name(axvm_vm_state(vm)));
		sched_yield();
	}
}

/* ---- halts and wakes ---- */

static void no_interrupt_is_lost_between_halt_and_wake(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 0, 0), OP(ACK, 0, 0),
					     OP(HYPERCALL, 0x200, 0),
					     OP(JUMP, 0, 0), THE_END};
	struct runner r;
	struct axvm_vm *vm;
	uint64_t end_time = milliseconds() + 500;
	unsigned long rounds = 0;

	(void)state;
	with_cpus(1, 14, false);
	vm = running(ops);
	start(&r, vm, 0, 0);
	while (milliseconds() < end_time) {
		uint32_t line = rounds % 2 == 0 ? 9 : 40;

		assert_int_equal(axvm_inject(vm, 0, line), AXVM_OK);
		rounds++;
		if (!wait_for(&r.returns[AXVM_EXIT_HYPERCALL], rounds))
			fail_msg("interrupt %lu was lost", rounds);
	}
	join(&r, 1);
	assert_true(rounds > 10);
	end(vm);
}

static void no_kick_is_lost(void **state)
{
	static const struct stub_op ops[] = {OP(SPIN, 40, 0), OP(WFI, 0, 0),
					     OP(JUMP, 0, 0), THE_END};
	struct runner r;
	struct axvm_vm *vm;
	uint64_t end_time = milliseconds() + 300;
	unsigned long rounds = 0;

	(void)state;
	with_cpus(1, 14, false);
	vm = running(ops);
	start(&r, vm, 0, 0);
	while (milliseconds() < end_time) {
		assert_int_equal(axvm_vcpu_kick(vm, 0), AXVM_OK);
		rounds++;
		if (!wait_for(&r.returns[AXVM_EXIT_KICKED], rounds))
			fail_msg("kick %lu was lost", rounds);
	}
	join(&r, 1);
	assert_int_equal(returned(&r, AXVM_EXIT_KICKED), rounds);
	end(vm);
}

/* ---- life ---- */

static void shutdown_reaches_guests_that_spin(void **state)
{
	static const struct stub_op first[] = {
		OP(CPU_ON, 1, RAM), OP(SPIN, 0, 0), OP(JUMP, 1, 0), THE_END};
	static const struct stub_op second[] = {OP(SPIN, 0, 0), OP(JUMP, 0, 0),
						THE_END};
	struct runner r[2];
	struct axvm_vm *vm;

	(void)state;
	with_cpus(2, 14, false);
	config.cpu_num = 2;
	vm = running(first);
	stub_program(vm, 1, second);
	start(&r[0], vm, 0, 0);
	start(&r[1], vm, 1, 1);
	for (unsigned i = 0; i < 30; i++) {
		unsigned long starts = returned(&r[0], AXVM_EXIT_CPU_ON);

		(void)starts;
		assert_true(wait_for(&r[0].returns[AXVM_EXIT_CPU_ON], i + 1));
		assert_int_equal(axvm_shutdown(vm), AXVM_OK);
		wait_for_state(vm, AXVM_VM_STOPPED);
		reset(vm);
		assert_int_equal(axvm_boot(vm), AXVM_OK);
	}
	assert_int_equal(axvm_shutdown(vm), AXVM_OK);
	wait_for_state(vm, AXVM_VM_STOPPED);
	join(r, 2);
	destroy(vm);
}

static void starts_and_stops_of_a_vcpu_do_not_collide(void **state)
{
	static const struct stub_op first[] = {OP(CPU_ON, 1, RAM),
					       OP(JUMP, 0, 0), THE_END};
	static const struct stub_op second[] = {OP(WRITE, OWN_PAGE(1), 5),
						SWITCH_OFF, THE_END};
	struct runner r[2];
	struct axvm_vm *vm;
	unsigned long starts;

	(void)state;
	with_cpus(2, 14, false);
	config.cpu_num = 2;
	vm = running(first);
	stub_program(vm, 1, second);
	start(&r[0], vm, 0, 0);
	start(&r[1], vm, 1, 1);
	assert_true(wait_for(&r[0].returns[AXVM_EXIT_CPU_ON], 300));
	starts = returned(&r[0], AXVM_EXIT_CPU_ON);
	/* Each but the last has run. */
	assert_true(wait_for(&r[1].returns[AXVM_EXIT_HALT], starts - 2));
	join(r, 2);
	end(vm);
}

static void a_vcpu_wanders_between_cpus(void **state)
{
	static const struct stub_op ops[] = {OP(WRITE, OWN_PAGE(0), 1),
					     OP(READ, OWN_PAGE(0), 0),
					     OP(EXPECT, 1, 0),
					     OP(WRITE, OWN_PAGE(0), 2),
					     OP(SPIN, 5, 0),
					     OP(READ, OWN_PAGE(0), 0),
					     OP(EXPECT, 2, 0),
					     OP(JUMP, 0, 0),
					     THE_END};
	struct runner r[2];
	struct axvm_vm *vm;
	uint64_t end_time = milliseconds() + 300;

	(void)state;
	with_cpus(2, 14, false);
	vm = running(ops);
	start(&r[0], vm, 0, 0);
	start(&r[1], vm, 1, 0);
	join(r, 2);
	atomic_store(&over, false);
	for (unsigned i = 0; i < 2; i++) {
		memset((void *)&r[i], 0, sizeof(r[i]));
		r[i].vm = vm;
		r[i].cpu = i;
		r[i].unbind = true;
		assert_int_equal(
			pthread_create(&r[i].thread, NULL, runner_main, &r[i]),
			0);
	}
	while (milliseconds() < end_time ||
	       returned(&r[0], AXVM_EXIT_IRQ) == 0 ||
	       returned(&r[1], AXVM_EXIT_IRQ) == 0) {
		if (milliseconds() > end_time + 20000)
			fail_msg("one CPU never got the vCPU");
		sched_yield();
	}
	join(r, 2);
	end(vm);
}

/* ---- memory ---- */

static void vcpus_that_fault_at_once_share_frames(void **state)
{
	enum {
		PAGES = 64
	};
	static struct stub_op ops[2][PAGES + 3];
	struct runner r[2];
	struct axvm_vm *vm;
	size_t live;

	(void)state;
	with_cpus(2, 14, false);
	config.cpu_num = 2;
	add_region(SHARED, MIB(1), AXVM_REGION_DEMAND);
	ops[0][0] = (struct stub_op){STUB_CPU_ON, 1, RAM};
	for (uint64_t i = 0; i < PAGES; i++) {
		ops[0][i + 1] =
			(struct stub_op){STUB_READ, SHARED + i * PAGE, 0};
		ops[1][i] = (struct stub_op){STUB_READ, SHARED + i * PAGE, 0};
	}
	ops[0][PAGES + 1] = (struct stub_op){STUB_HYPERCALL, 0x200, 0};
	ops[1][PAGES] = (struct stub_op){STUB_HYPERCALL, 0x200, 0};
	vm = running(ops[0]);
	stub_program(vm, 1, ops[1]);
	for (int round = 0; round < 10; round++) {
		atomic_store(&over, false);
		live = test_hal_live(stub_hal(m));
		start(&r[0], vm, 0, 0);
		start(&r[1], vm, 1, 1);
		assert_true(wait_for(&r[0].returns[AXVM_EXIT_HYPERCALL], 1));
		assert_true(wait_for(&r[1].returns[AXVM_EXIT_HYPERCALL], 1));
		join(r, 2);
		/* The frames and one table. */
		assert_int_equal(test_hal_live(stub_hal(m)), live + PAGES + 1);
		stop(vm);
		reset(vm);
		assert_int_equal(axvm_boot(vm), AXVM_OK);
	}
	end(vm);
}

/* With break-before-make no CPU may ever see both shapes of a leaf. */
static void large_leaves_are_split_and_merged_under_the_guest(void **state)
{
	static const struct stub_op ops[] = {OP(READ, RAM, 0),
					     OP(READ, RAM + PAGE, 0),
					     OP(READ, RAM + KIB(512), 0),
					     OP(READ, RAM + MIB(1), 0),
					     OP(JUMP, 0, 0),
					     THE_END};
	struct runner r;
	struct axvm_vm *vm;
	uint64_t end_time;

	(void)state;
	for (int broadcast = 0; broadcast < 2; broadcast++) {
		struct stub_config c = {
			.format = STUB_ARM,
			.cpus = 1,
			.tag_bits = 8,
			.no_tables = true,
			.broadcast = broadcast != 0,
			.threads = true,
		};

		new_config();
		regions[0].size = MIB(2);
		m = stub_new(&c);
		test_hal_max_align(stub_hal(m), MIB(2));
		atomic_store(&over, false);
		end_time = milliseconds() + 300;
		vm = running(ops);
		start(&r, vm, 0, 0);
		while (milliseconds() < end_time) {
			assert_int_equal(axvm_protect(vm, axvm_to_gpa(RAM),
						      PAGE, AXVM_RW),
					 AXVM_OK);
			assert_int_equal(axvm_protect(vm, axvm_to_gpa(RAM),
						      MIB(2), AXVM_RWX),
					 AXVM_OK);
		}
		join(&r, 1);
		end(vm);
		assert_true(stub_delete(m));
		m = NULL;
	}
}

/* ---- everything at once ---- */

static const struct stub_op busy[3][16] = {
	{
		OP(CPU_ON, 1, RAM),
		OP(CPU_ON, 2, RAM),
		OP(WRITE, OWN_PAGE(0), 10),
		OP(READ, SHARED, 0),
		OP(READ, OWN_PAGE(0), 0),
		OP(EXPECT, 10, 0),
		OP(HYPERCALL, 0x200, 2),
		OP(EXEC, RAM, 0),
		OP(CPU_ON, 2, RAM),
		OP(WRITE, SHARED + PAGE, 1),
		OP(SPIN, 9, 0),
		OP(JUMP, 2, 0),
		THE_END,
	},
	{
		OP(WRITE, OWN_PAGE(1), 11),
		OP(READ, NOWHERE, 0),
		OP(READ, SHARED + PAGE, 0),
		OP(ACK, 0, 0),
		OP(WFI, 0, 0),
		OP(READ, OWN_PAGE(1), 0),
		OP(EXPECT, 11, 0),
		OP(PEEK, SHARED + 2 * PAGE, 0),
		OP(WRITE, SHARED, 3),
		OP(JUMP, 0, 0),
		THE_END,
	},
	{
		OP(WRITE, OWN_PAGE(2), 12),
		OP(READ, SHARED + 3 * PAGE, 0),
		OP(SPIN, 30, 0),
		OP(READ, SHARED + 7 * PAGE, 0),
		OP(READ, OWN_PAGE(2), 0),
		OP(EXPECT, 12, 0),
		SWITCH_OFF,
		THE_END,
	},
};

/* An open batch: faults, a shutdown, perhaps a reset come in between. */
static void host_batch(struct axvm_vm *vm, unsigned n)
{
	struct axvm_gpa own = axvm_to_gpa(OWN_PAGE(n % 3));
	struct axvm_mapping mapping;

	if (axvm_mem_begin(vm) != AXVM_OK)
		return;
	(void)!axvm_protect(vm, own, PAGE, AXVM_READ);
	(void)!axvm_unmap(vm, axvm_to_gpa(SHARED), SHARED_PAGES * PAGE);
	if (axvm_query(vm, own, &mapping) == AXVM_OK &&
	    axvm_unmap(vm, own, PAGE) == AXVM_OK)
		(void)!axvm_map(vm, own, mapping.hpa, PAGE, AXVM_RWX);
	(void)!axvm_mem_commit(vm);
}

/* A second thread of the host, which knows nothing of shutdowns and resets. */
static void *editor_main(void *arg)
{
	for (unsigned n = 0; !atomic_load(&over); n++) {
		host_batch(arg, n);
		sched_yield();
	}
	return NULL;
}

/* What changes the shape of tables and who owns frames. */
static void host_shapes(struct axvm_vm *vm, unsigned n)
{
	uint64_t done = 0;
	uint64_t pages;

	(void)!axvm_vm_reserve(vm, n % 40);
	(void)!axvm_map_pages_needed(vm, axvm_to_gpa(OWN_PAGE(0)),
				     axvm_to_hpa(0), PAGE, &pages);
	while (axvm_compact(vm, axvm_to_gpa(RAM), MIB(1), &done) == AXVM_EAGAIN)
		;
	(void)axvm_vm_reserved(vm);
}

static void host_edits(struct axvm_vm *vm, unsigned n)
{
	struct axvm_gpa own = axvm_to_gpa(OWN_PAGE(n % 3));
	struct axvm_gpa shared = axvm_to_gpa(SHARED);
	struct axvm_mapping mapping;

	switch (n / 3 % 7) {
	case 0:
		(void)!axvm_protect(vm, own, PAGE, AXVM_READ);
		(void)!axvm_protect(vm, own, PAGE, AXVM_RWX);
		break;
	case 1:
		if (axvm_query(vm, own, &mapping) != AXVM_OK)
			break;
		if (axvm_unmap(vm, own, PAGE) == AXVM_OK)
			(void)!axvm_map(vm, own, mapping.hpa, PAGE, AXVM_RWX);
		break;
	case 2:
		(void)!axvm_unmap(vm, shared, SHARED_PAGES * PAGE);
		break;
	case 3:
		(void)!axvm_unmap(vm,
				  axvm_to_gpa(SHARED + n % SHARED_PAGES * PAGE),
				  PAGE);
		break;
	case 4:
		host_batch(vm, n);
		break;
	case 5:
		host_shapes(vm, n);
		break;
	default:
		(void)!axvm_protect(vm, axvm_to_gpa(RAM), MIB(1), AXVM_RWX);
		break;
	}
}

static void host_signals(struct axvm_vm *vm, unsigned n)
{
	struct axvm_vcpu_stats stats;
	uint64_t word = n;

	assert_int_equal(axvm_irq_set(vm, 1 + n % 63, n % 2 != 0), AXVM_OK);
	assert_int_equal(axvm_vcpu_irq_set(vm, n % 3, 9, n % 7 < 3), AXVM_OK);
	assert_int_equal(axvm_inject(vm, n % 3, n % 2 == 0 ? 1 : 40), AXVM_OK);
	assert_int_equal(axvm_vcpu_kick(vm, n % 3), AXVM_OK);
	assert_int_equal(axvm_vcpu_get_stats(vm, n % 3, &stats), AXVM_OK);
	/* A page no guest touches: their accesses are not ordered with ours. */
	(void)!axvm_write_guest(vm, axvm_to_gpa(RAM + KIB(800)), &word, 8);
	(void)!axvm_read_guest(vm, axvm_to_gpa(SHARED + 100 * PAGE), &word, 8);
	(void)axvm_vcpu_state(vm, n % 3);
}

/* Other VMs come and go on a CPU of their own and use up tags. */
static void *churn_main(void *arg)
{
	static const struct stub_op ops[] = {OP(READ, RAM, 0),
					     OP(WRITE, RAM + PAGE, 1), THE_END};
	struct axvm_vm_config *other = arg;
	struct axvm_exit exit;

	while (!atomic_load(&over)) {
		struct axvm_vm *vm;

		stub_be(m, 3);
		if (axvm_create(stub_get_host(m), other, NULL, &vm) != 0 ||
		    axvm_init(vm) != 0)
			abort();
		stub_program(vm, 0, ops);
		if (axvm_boot(vm) != 0 || stub_run(m, 3, vm, 0, &exit) != 0 ||
		    axvm_shutdown(vm) != 0 ||
		    stub_run(m, 3, vm, 0, &exit) != 0 ||
		    exit.reason != AXVM_EXIT_STOPPED)
			abort();
		while (axvm_destroy(vm) != 0)
			;
	}
	return NULL;
}

static void everything(bool broadcast)
{
	struct axvm_region_config small = {
		.gpa = {RAM}, .size = KIB(64), .access = AXVM_RWX};
	struct axvm_vm_config other;
	struct runner r[3];
	pthread_t churn, editor;
	struct axvm_vm *vm;
	uint64_t end_time = milliseconds() + 900;
	uint64_t next_life = milliseconds() + 100;

	with_cpus(4, 2, broadcast);
	add_region(SHARED, MIB(1), AXVM_REGION_DEMAND);
	config.cpu_num = 3;
	vm = loaded();
	for (uint32_t i = 0; i < 3; i++)
		stub_program(vm, i, busy[i]);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	other = config;
	other.id = 99;
	other.cpu_num = 1;
	other.region_count = 1;
	other.regions = &small;
	assert_int_equal(pthread_create(&churn, NULL, churn_main, &other), 0);
	assert_int_equal(pthread_create(&editor, NULL, editor_main, vm), 0);
	for (unsigned i = 0; i < 3; i++)
		start(&r[i], vm, i, i);
	for (unsigned n = 0; milliseconds() < end_time; n++) {
		host_edits(vm, n);
		host_signals(vm, n);
		if (milliseconds() < next_life)
			continue;
		assert_int_equal(axvm_shutdown(vm), AXVM_OK);
		wait_for_state(vm, AXVM_VM_STOPPED);
		reset(vm);
		assert_int_equal(axvm_boot(vm), AXVM_OK);
		next_life = milliseconds() + 100;
	}
	assert_int_equal(axvm_shutdown(vm), AXVM_OK);
	wait_for_state(vm, AXVM_VM_STOPPED);
	join(r, 3);
	pthread_join(churn, NULL);
	pthread_join(editor, NULL);
	no_violation();
	destroy(vm);
}

static void everything_at_once_with_kicks(void **state)
{
	(void)state;
	everything(false);
}

static void everything_at_once_with_broadcasts(void **state)
{
	(void)state;
	everything(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(no_interrupt_is_lost_between_halt_and_wake),
		OWN(no_kick_is_lost),
		OWN(shutdown_reaches_guests_that_spin),
		OWN(starts_and_stops_of_a_vcpu_do_not_collide),
		OWN(a_vcpu_wanders_between_cpus),
		OWN(vcpus_that_fault_at_once_share_frames),
		OWN(large_leaves_are_split_and_merged_under_the_guest),
		OWN(everything_at_once_with_kicks),
		OWN(everything_at_once_with_broadcasts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
