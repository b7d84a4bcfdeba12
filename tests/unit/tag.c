/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* tag.c: tags, generations, the guest-stage rule, shoot-downs. */
#include <pthread.h>

#include "core_test.h"

#include "stub_internal.h"

/* Guest page tables of the programs, one page each. */
#define TABLE_A (RAM + KIB(512))
#define TABLE_B (RAM + KIB(516))
#define DATA_A (RAM + KIB(520))
#define DATA_B (RAM + KIB(524))

static const struct stub_op touch[] = {OP(READ, RAM + 0x1000, 0),
				       OP(SPIN, 1, 0), OP(JUMP, 0, 0), THE_END};

static void with_tags(unsigned bits, unsigned cpus)
{
	struct stub_config c = {.cpus = cpus,
				.max_cpus = cpus,
				.tag_bits = bits,
				.no_tables = true};

	m = stub_new(&c);
}

static struct axvm_vm *vm_of(uint64_t id, const struct stub_op *ops)
{
	config.id = id;
	return running(ops);
}

static void unmapped(struct axvm_vm *vm, uint64_t gpa)
{
	assert_int_equal(axvm_unmap(vm, axvm_to_gpa(gpa), PAGE), AXVM_OK);
}

static void write_word(struct axvm_vm *vm, uint64_t gpa, uint64_t value)
{
	assert_int_equal(axvm_write_guest(vm, axvm_to_gpa(gpa), &value, 8),
			 AXVM_OK);
}

/* ---- tags ---- */

static void vms_on_one_cpu_keep_their_translations_apart(void **state)
{
	struct axvm_vm *a, *b;

	(void)state;
	with_tags(14, 1);
	a = vm_of(1, touch);
	b = vm_of(2, touch);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(run(a), AXVM_EXIT_IRQ);
		assert_int_equal(run(b), AXVM_EXIT_IRQ);
	}
	/* Once per CPU for the generation of tags, not per switch. */
	assert_true(stub_count(m, 0, STUB_FLUSH_ALL) <= 1);
	assert_true(stub_count(m, 0, STUB_FLUSH_LOCAL) <= 2);
	no_violation();
	end(a);
	end(b);
}

static void more_vms_than_tags_roll_over(void **state)
{
	struct axvm_vm *vms[8];

	(void)state;
	with_tags(2, 2);
	for (unsigned i = 0; i < 8; i++)
		vms[i] = vm_of(i + 1, touch);
	for (unsigned round = 0; round < 6; round++) {
		for (unsigned i = 0; i < 8; i++) {
			unsigned cpu = (i + round) % 2;

			assert_int_equal(run_on(cpu, vms[i], 0), AXVM_EXIT_IRQ);
			assert_int_equal(
				axvm_vcpu_unbind(stub_cpu(m, cpu), vms[i], 0),
				AXVM_OK);
		}
	}
	/* 3 tags for 8 VMs. */
	assert_true(stub_count(m, 0, STUB_FLUSH_ALL) > 4);
	no_violation();
	for (unsigned i = 0; i < 8; i++)
		end(vms[i]);
}

struct outsider {
	struct axvm_vm *vms[4];
	struct axvm_vm *first; /* not one of them */
};

static void *run_others(void *arg)
{
	struct outsider *o = arg;
	struct axvm_exit exit;

	for (unsigned i = 0; i < 4; i++) {
		if (stub_run(m, 1, o->vms[i], 0, &exit) != AXVM_OK)
			abort();
	}
	stub_be(m, 1);
	if (axvm_cpu_release(stub_cpu(m, 1)) != AXVM_OK)
		abort();
	return NULL;
}

/* CPU 1 uses up the tags while CPU 0 is inside. */
static void roll_over_elsewhere(void *arg)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run_others, arg), 0);
	pthread_join(thread, NULL);
}

static void a_rollover_calls_out_who_is_inside(void **state)
{
	static const struct stub_op inside[] = {OP(READ, RAM + 0x1000, 0),
						OP(SPIN, 0, 0), THE_END};
	struct outsider o;
	struct axvm_vm *vm;

	(void)state;
	with_tags(2, 2);
	vm = vm_of(1, inside);
	for (unsigned i = 0; i < 4; i++)
		o.vms[i] = vm_of(i + 2, touch);
	stub_inside(vm, 0, roll_over_elsewhere, &o);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_true(test_hal_kicks(stub_hal(m), 0) >= 1);
	stub_program(vm, 0, touch);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
	for (unsigned i = 0; i < 4; i++)
		end(o.vms[i]);
}

static void (*real_flush_all)(void);

static void watchful_flush_all(void)
{
	const struct stub_pcpu *p = stub_here();

	if (p->loaded != NULL &&
	    p->tag != load_relaxed(&p->loaded->core.vm->tag))
		stub_violate(m, "flushed while the old tag was in use");
	real_flush_all();
}

/* Under the old one more could be cached after the flush. */
static void a_cpu_takes_its_new_tag_before_it_flushes(void **state)
{
	static const struct stub_op inside[] = {OP(READ, RAM + 0x1000, 0),
						OP(SPIN, 0, 0), THE_END};
	struct outsider o;
	struct axvm_vm *vm;
	uint64_t before;

	(void)state;
	with_tags(2, 2);
	real_flush_all = m->ops.tlb_flush_all;
	m->ops.tlb_flush_all = watchful_flush_all;
	vm = vm_of(1, inside);
	for (unsigned i = 0; i < 4; i++)
		o.vms[i] = vm_of(i + 2, touch);
	stub_inside(vm, 0, roll_over_elsewhere, &o);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	before = stub_count(m, 0, STUB_FLUSH_ALL);
	stub_program(vm, 0, touch);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_count(m, 0, STUB_FLUSH_ALL), before + 1);
	no_violation();
	end(vm);
	for (unsigned i = 0; i < 4; i++)
		end(o.vms[i]);
}

static void a_rollover_wakes_no_halted_vcpu(void **state)
{
	static const struct stub_op ops[] = {
		OP(READ, RAM + 0x1000, 0), OP(WFI, 0, 0),
		OP(READ, RAM + 0x1000, 0), THE_END};
	struct outsider o;
	struct axvm_vm *vm;

	(void)state;
	with_tags(2, 2);
	vm = vm_of(1, ops);
	for (unsigned i = 0; i < 4; i++)
		o.vms[i] = vm_of(i + 2, touch);
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	roll_over_elsewhere(&o);
	assert_int_equal(axvm_vcpu_state(vm, 0), AXVM_VCPU_BLOCKED);
	assert_int_equal(test_hal_wakes(stub_hal(m), 0), 0);
	assert_int_equal(axvm_inject(vm, 0, 9), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
	for (unsigned i = 0; i < 4; i++)
		end(o.vms[i]);
}

/* Nobody is ever switched: nobody may pay for it. */
static void vms_that_run_at_once_do_not_evict_each_other(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 4; bits++) {
		struct axvm_vm *vms[2];

		with_tags(bits, 2);
		vms[0] = vm_of(1, touch);
		vms[1] = vm_of(2, touch);
		for (unsigned i = 0; i < 100; i++)
			assert_int_equal(run_on(i % 2, vms[i % 2], 0),
					 AXVM_EXIT_IRQ);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(stub_count(m, i, STUB_LOADS), 1);
			assert_true(stub_count(m, i, STUB_FLUSH_ALL) <= 1);
		}
		no_violation();
		end(vms[0]);
		end(vms[1]);
		assert_true(stub_delete(m));
		m = NULL;
	}
}

static void without_tags_every_switch_of_vms_flushes(void **state)
{
	struct axvm_vm *a, *b;
	uint64_t before;

	(void)state;
	with_tags(0, 1);
	a = vm_of(1, touch);
	b = vm_of(2, touch);
	assert_int_equal(run(a), AXVM_EXIT_IRQ);
	assert_int_equal(run(b), AXVM_EXIT_IRQ);
	before = stub_count(m, 0, STUB_FLUSH_ALL);
	assert_int_equal(run(a), AXVM_EXIT_IRQ);
	assert_int_equal(run(b), AXVM_EXIT_IRQ);
	assert_int_equal(stub_count(m, 0, STUB_FLUSH_ALL), before + 2);
	assert_int_equal(run(b), AXVM_EXIT_IRQ);
	assert_int_equal(stub_count(m, 0, STUB_FLUSH_ALL), before + 2);
	no_violation();
	end(a);
	end(b);
}

static void tags_of_before_all_cpus_were_disabled_are_not_reused(void **state)
{
	struct axvm_vm *a, *b;

	(void)state;
	with_tags(14, 1);
	a = vm_of(1, touch);
	b = vm_of(2, touch);
	assert_int_equal(run(a), AXVM_EXIT_IRQ);
	assert_int_equal(stub_cpu_disable(m, 0), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
	assert_int_equal(run(a), AXVM_EXIT_IRQ);
	assert_int_equal(run(b), AXVM_EXIT_IRQ);
	assert_int_equal(run(a), AXVM_EXIT_IRQ);
	no_violation();
	end(a);
	end(b);
}

static void a_new_vm_does_not_inherit_what_a_dead_one_left(void **state)
{
	static const unsigned bits[] = {0, 2, 14};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		with_tags(bits[i], 1);
		for (uint64_t id = 1; id < 10; id++) {
			struct axvm_vm *vm = vm_of(1, touch);

			assert_int_equal(run(vm), AXVM_EXIT_IRQ);
			end(vm);
		}
		no_violation();
		assert_true(stub_delete(m));
		m = NULL;
	}
}

/* ---- generations ---- */

static void a_cpu_that_ran_before_flushes_when_it_runs_again(void **state)
{
	static const struct stub_op ops[] = {OP(READ, RAM + 0x1000, 0),
					     OP(SPIN, 1, 0), OP(JUMP, 0, 0),
					     THE_END};
	struct axvm_vm *vm, *other;
	uint64_t before;

	(void)state;
	with_tags(14, 2);
	vm = vm_of(1, ops);
	other = vm_of(2, ops);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(run_on(0, other, 0), AXVM_EXIT_IRQ);
	assert_int_equal(run_on(1, vm, 0), AXVM_EXIT_IRQ);
	/* vm is on CPU 1, its translations still on CPU 0. */
	unmapped(vm, RAM + 0x1000);
	assert_int_equal(run_on(1, vm, 0), AXVM_EXIT_FAULT);
	stub_be(m, 1);
	assert_int_equal(axvm_cpu_release(stub_cpu(m, 1)), AXVM_OK);
	before = stub_count(m, 0, STUB_FLUSH_LOCAL);
	assert_int_equal(complete(vm, AXVM_COMPLETE_RETRY, 0), AXVM_OK);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_FAULT);
	assert_int_equal(stub_count(m, 0, STUB_FLUSH_LOCAL), before + 1);
	no_violation();
	end(vm);
	end(other);
}

static void a_broadcast_flush_needs_no_kick(void **state)
{
	static const struct stub_config c = {.cpus = 1,
					     .tag_bits = 8,
					     .format = STUB_ARM,
					     .broadcast = true,
					     .no_tables = true};
	struct axvm_vm *vm;

	(void)state;
	m = stub_new(&c);
	vm = vm_of(1, touch);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	unmapped(vm, RAM + 0x1000);
	assert_true(stub_count(m, 0, STUB_FLUSH_RANGE) >= 1);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	assert_int_equal(test_hal_kicks(stub_hal(m), 0), 0);
	no_violation();
	end(vm);
}

static void unmap_now(void *vm)
{
	unmapped(vm, RAM + 0x1000);
}

static void *unmap_elsewhere(void *vm)
{
	stub_be(m, 1);
	unmapped(vm, RAM + 0x1000);
	return NULL;
}

static pthread_t helper;

static void start_unmap(void *vm)
{
	assert_int_equal(pthread_create(&helper, NULL, unmap_elsewhere, vm), 0);
}

/* The guest reads on until it is called out; unmap returns only then. */
static void unmap_waits_until_the_guest_has_left(void **state)
{
	static const struct stub_op ops[] = {OP(READ, RAM + 0x1000, 0),
					     OP(SPIN, 200, 0), OP(JUMP, 0, 0),
					     THE_END};
	struct axvm_vm *vm;
	int reason = AXVM_EXIT_IRQ;

	(void)state;
	with_tags(14, 2);
	vm = vm_of(1, ops);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	stub_inside(vm, 0, start_unmap, vm);
	for (int i = 0; i < 100000 && reason == AXVM_EXIT_IRQ; i++)
		reason = run(vm);
	assert_int_equal(reason, AXVM_EXIT_FAULT);
	pthread_join(helper, NULL);
	no_violation();
	end(vm);
}

static void unmap_from_outside_with_nobody_inside_kicks_nobody(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	with_tags(14, 1);
	vm = vm_of(1, touch);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	unmap_now(vm);
	assert_int_equal(test_hal_kicks(stub_hal(m), 0), 0);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	no_violation();
	end(vm);
}

/* Only the kick ends this guest's stay. */
static void unmap_kicks_the_guest_out(void **state)
{
	static const struct stub_op ops[] = {OP(READ, RAM + 0x1000, 0),
					     OP(SPIN, 1, 0), OP(SPIN, 0, 0),
					     THE_END};
	static const struct stub_op again[] = {OP(READ, RAM + 0x1000, 0),
					       THE_END};
	struct axvm_vm *vm;

	(void)state;
	with_tags(14, 2);
	vm = vm_of(1, ops);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	stub_inside(vm, 0, start_unmap, vm);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(test_hal_kicks(stub_hal(m), 0), 1);
	stub_be(m, 0);
	pthread_join(helper, NULL);
	stub_program(vm, 0, again);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	no_violation();
	end(vm);
}

static void software_reads_for_the_guest_see_a_flush_first(void **state)
{
	static const struct stub_op ops[] = {
		OP(READ, RAM + 0x1000, 0), OP(PEEK, RAM + 0x1000, 0),
		OP(EXPECT, UINT64_MAX, 0), THE_END};
	struct axvm_vm *vm;

	(void)state;
	with_tags(14, 1);
	vm = vm_of(1, ops);
	stub_outside(vm, 0, unmap_now, vm);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

static void *roll_over_and_unmap(void *arg)
{
	struct outsider *o = arg;
	struct axvm_exit exit;

	run_others(o);
	/* Gets the new tag, which is what a flush names from now on. */
	if (stub_run(m, 1, o->first, 1, &exit) != AXVM_OK)
		abort();
	unmapped(o->first, RAM + 0x1000);
	return NULL;
}

static void roll_over_and_unmap_elsewhere(void *arg)
{
	pthread_t thread;

	assert_int_equal(
		pthread_create(&thread, NULL, roll_over_and_unmap, arg), 0);
	pthread_join(thread, NULL);
}

static void software_reads_for_the_guest_take_a_new_tag_first(void **state)
{
	static const struct stub_op ops[] = {
		OP(CPU_ON, 1, RAM), OP(READ, RAM + 0x1000, 0),
		OP(PEEK, RAM + 0x1000, 0), OP(EXPECT, UINT64_MAX, 0), THE_END};
	struct outsider o;
	struct axvm_vm *vm;

	(void)state;
	with_tags(2, 2);
	for (unsigned i = 0; i < 4; i++)
		o.vms[i] = vm_of(i + 2, touch);
	config.cpu_num = 2;
	vm = vm_of(1, ops);
	o.first = vm;
	assert_int_equal(run(vm), AXVM_EXIT_CPU_ON);
	stub_outside(vm, 0, roll_over_and_unmap_elsewhere, &o);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
	for (unsigned i = 0; i < 4; i++)
		end(o.vms[i]);
}

/* ---- the guest stage ---- */

/* Both vCPUs use ASID 1 for different spaces. */
static const struct stub_op space_a[] = {OP(CPU_ON, 1, RAM),
					 OP(SATP, 1, TABLE_A),
					 OP(GREAD, 0x5000, 0),
					 OP(EXPECT, 0xa, 0),
					 OP(SPIN, 1, 0),
					 OP(JUMP, 2, 0),
					 THE_END};
static const struct stub_op space_b[] = {
	OP(SATP, 1, TABLE_B), OP(GREAD, 0x5000, 0), OP(EXPECT, 0xb, 0),
	OP(SPIN, 1, 0),	      OP(JUMP, 1, 0),	    THE_END};

static struct axvm_vm *two_spaces(uint64_t id)
{
	struct axvm_vm *vm;

	config.id = id;
	config.cpu_num = 2;
	vm = loaded();
	write_word(vm, TABLE_A + 5 * 8, DATA_A | 1);
	write_word(vm, TABLE_B + 5 * 8, DATA_B | 1);
	write_word(vm, DATA_A, 0xa);
	write_word(vm, DATA_B, 0xb);
	stub_program(vm, 0, space_a);
	stub_program(vm, 1, space_b);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	return vm;
}

static void vcpus_of_a_vm_do_not_see_each_others_spaces(void **state)
{
	static const unsigned bits[] = {0, 2, 14};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct axvm_vm *vm;

		with_tags(bits[i], 1);
		vm = two_spaces(1);
		for (int k = 0; k < 4; k++) {
			assert_int_equal(run_on(0, vm, 1), AXVM_EXIT_IRQ);
			assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
		}
		no_violation();
		end(vm);
		assert_true(stub_delete(m));
		m = NULL;
	}
}

static void a_vcpu_that_stays_is_not_flushed(void **state)
{
	struct axvm_vm *vm;
	uint64_t before;

	(void)state;
	with_tags(14, 2);
	vm = two_spaces(1);
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_IRQ);
	before = stub_count(m, 0, STUB_FLUSH_GUEST);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
		stub_be(m, 0);
		assert_int_equal(axvm_vcpu_unbind(stub_cpu(m, 0), vm, 0),
				 AXVM_OK);
	}
	assert_int_equal(stub_count(m, 0, STUB_FLUSH_GUEST), before);
	end(vm);
}

static void a_guests_flush_elsewhere_counts_when_it_returns(void **state)
{
	static const struct stub_op ops[] = {
		OP(SATP, 1, TABLE_A), OP(GREAD, 0x5000, 0), OP(SPIN, 1, 0),
		/* on the other CPU: another page for the same address */
		OP(WRITE, TABLE_A + 5 * 8, DATA_B | 1), OP(SFENCE, 0, 0),
		OP(GREAD, 0x5000, 0), OP(EXPECT, 0xb, 0), OP(SPIN, 1, 0),
		OP(GREAD, 0x5000, 0), OP(EXPECT, 0xb, 0), THE_END};
	struct axvm_vm *vm;

	(void)state;
	with_tags(14, 2);
	vm = running(ops);
	write_word(vm, TABLE_A + 5 * 8, DATA_A | 1);
	write_word(vm, DATA_A, 0xa);
	write_word(vm, DATA_B, 0xb);
	for (int i = 0; i < 3; i++) {
		unsigned cpu = (unsigned)i % 2;

		assert_int_equal(run_on(cpu, vm, 0), AXVM_EXIT_IRQ);
		assert_int_equal(axvm_vcpu_unbind(stub_cpu(m, cpu), vm, 0),
				 AXVM_OK);
	}
	no_violation();
	end(vm);
}

static void a_restarted_vcpu_finds_no_old_translation(void **state)
{
	static const struct stub_op ops[] = {OP(SATP, 0, TABLE_A),
					     OP(GREAD, 0x5000, 0),
					     OP(SPIN, 1, 0), THE_END};
	struct axvm_vm *vm;

	(void)state;
	with_tags(14, 1);
	vm = running(ops);
	for (int i = 0; i < 3; i++) {
		write_word(vm, TABLE_A + 5 * 8, DATA_A | 1);
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		stop(vm);
		reset(vm);
		assert_int_equal(axvm_boot(vm), AXVM_OK);
	}
	no_violation();
	end(vm);
}

static void a_vcpu_switched_off_and_on_finds_no_old_translation(void **state)
{
	static const struct stub_op on[] = {OP(CPU_ON, 1, RAM), OP(SPIN, 1, 0),
					    OP(JUMP, 0, 0), THE_END};
	static const struct stub_op off[] = {OP(SATP, 0, TABLE_A),
					     OP(GREAD, 0x5000, 0), SWITCH_OFF,
					     THE_END};
	struct axvm_vm *vm;

	(void)state;
	with_tags(14, 2);
	config.cpu_num = 2;
	vm = running(on);
	stub_program(vm, 1, off);
	write_word(vm, TABLE_A + 5 * 8, DATA_A | 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
		assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
		assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_HALT);
	}
	no_violation();
	end(vm);
}

/* Its guest-stage entries are those of the hart that had the index. */
static void another_hart_under_an_old_index_begins_anew(void **state)
{
	struct axvm_vm *vm;
	uint64_t before;

	(void)state;
	with_tags(14, 2);
	vm = vm_of(1, touch);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_cpu_disable(m, 0), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
	before = stub_count(m, 0, STUB_FLUSH_GUEST);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_count(m, 0, STUB_FLUSH_GUEST), before + 1);
	no_violation();
	end(vm);
}

/* A flush of stage 2 leaves guest-stage entries alone: they must not be found by
 * the VM that gets the tag next. */
static void guest_stage_entries_do_not_outlive_their_tag(void **state)
{
	static const unsigned bits[] = {0, 1, 2};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct axvm_vm *vms[5];

		with_tags(bits[i], 1);
		for (unsigned k = 0; k < 5; k++)
			vms[k] = two_spaces(k + 1);
		for (unsigned n = 0; n < 40; n++)
			assert_int_equal(run_on(0, vms[n * 3 % 5], 0),
					 AXVM_EXIT_IRQ);
		no_violation();
		for (unsigned k = 0; k < 5; k++)
			end(vms[k]);
		assert_true(stub_delete(m));
		m = NULL;
	}
}

/* The same for a vCPU that takes its new tag without being loaded again: tag 2
 * is that of a VM which ran on this CPU before. */
static void a_tag_taken_inside_run_finds_no_guest_stage_entries(void **state)
{
	static const struct stub_op ops[] = {OP(SATP, 1, TABLE_A),
					     OP(SPIN, 1, 0),
					     OP(GREAD, 0x5000, 0),
					     OP(EXPECT, 0xa, 0),
					     OP(SPIN, 1, 0),
					     OP(JUMP, 2, 0),
					     THE_END};
	struct axvm_vm *first, *before, *vm;
	struct outsider o;

	(void)state;
	with_tags(2, 2);
	first = vm_of(1, touch);
	assert_int_equal(run(first), AXVM_EXIT_IRQ);
	before = two_spaces(2);
	config.cpu_num = 1;
	vm = vm_of(3, ops);
	write_word(vm, TABLE_A + 5 * 8, DATA_A | 1);
	write_word(vm, DATA_A, 0xa);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	for (unsigned i = 0; i < 4; i++)
		o.vms[i] = i == 0 ? vm_of(4, touch) : o.vms[0];
	stub_inside(vm, 0, roll_over_elsewhere, &o);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
	end(before);
	end(first);
	end(o.vms[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(vms_on_one_cpu_keep_their_translations_apart),
		OWN(more_vms_than_tags_roll_over),
		OWN(a_rollover_calls_out_who_is_inside),
		OWN(a_cpu_takes_its_new_tag_before_it_flushes),
		OWN(a_rollover_wakes_no_halted_vcpu),
		OWN(vms_that_run_at_once_do_not_evict_each_other),
		OWN(without_tags_every_switch_of_vms_flushes),
		OWN(tags_of_before_all_cpus_were_disabled_are_not_reused),
		OWN(a_new_vm_does_not_inherit_what_a_dead_one_left),
		OWN(a_cpu_that_ran_before_flushes_when_it_runs_again),
		OWN(a_broadcast_flush_needs_no_kick),
		OWN(unmap_waits_until_the_guest_has_left),
		OWN(unmap_from_outside_with_nobody_inside_kicks_nobody),
		OWN(unmap_kicks_the_guest_out),
		OWN(software_reads_for_the_guest_see_a_flush_first),
		OWN(software_reads_for_the_guest_take_a_new_tag_first),
		OWN(vcpus_of_a_vm_do_not_see_each_others_spaces),
		OWN(a_vcpu_that_stays_is_not_flushed),
		OWN(a_guests_flush_elsewhere_counts_when_it_returns),
		OWN(a_restarted_vcpu_finds_no_old_translation),
		OWN(a_vcpu_switched_off_and_on_finds_no_old_translation),
		OWN(another_hart_under_an_old_index_begins_anew),
		OWN(guest_stage_entries_do_not_outlive_their_tag),
		OWN(a_tag_taken_inside_run_finds_no_guest_stage_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
