/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Channels and their lives: who may join, what stays mapped when a peer leaves,
 * when memory goes back, and what running out of it leaves behind.
 */
#include "ivc_test.h"

#define KEY UINT64_C(7)
#define DATA (FIRST + 16)

static struct axvm_vm *a, *b;

/* Publisher 1 and subscriber 2, both connected. */
static void connected(uint64_t size)
{
	a = ivc_vm(1);
	b = ivc_vm(2);
	assert_int_equal(publish(a, KEY, size), 0);
	assert_int_equal(subscribe(b, 1, KEY), 0);
}

static void end_both(void)
{
	no_violation();
	end(a);
	end(b);
}

static uint32_t flags_of(struct axvm_vm *vm, uint64_t key)
{
	struct axvm_ivc_state s;

	assert_int_equal(state_of(vm, 1, key, &s), 0);
	return s.flags;
}

/* ---- memory ---- */

static void guests_exchange_data(void **state)
{
	static const struct stub_op first[] = {OP(WRITE, DATA, 1234),
					       OP(WFI, 0, 0), OP(READ, DATA, 0),
					       OP(EXPECT, 5678, 0), THE_END};
	static const struct stub_op second[] = {OP(READ, DATA, 0),
						OP(EXPECT, 1234, 0),
						OP(WRITE, DATA, 5678), THE_END};

	(void)state;
	connected(1);
	stub_program(a, 0, first);
	stub_program(b, 0, second);
	assert_int_equal(run_on(0, a, 0), AXVM_EXIT_HALT);
	assert_int_equal(run_on(1, b, 0), AXVM_EXIT_IRQ);
	assert_int_equal(run_on(0, a, 0), AXVM_EXIT_IRQ);
	end_both();
}

static void channels_cannot_be_executed(void **state)
{
	static const struct stub_op ops[] = {OP(EXEC, FIRST, 0), THE_END};

	(void)state;
	connected(1);
	stub_program(b, 0, ops);
	assert_int_equal(run_on(0, b, 0), AXVM_EXIT_FAULT);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_PERMISSION);
	end_both();
}

static void a_page_of_the_pool_without_a_channel_faults(void **state)
{
	static const struct stub_op ops[] = {OP(READ, FIRST + PAGE, 0),
					     THE_END};

	(void)state;
	connected(1);
	stub_program(b, 0, ops);
	assert_int_equal(run_on(0, b, 0), AXVM_EXIT_FAULT);
	assert_int_equal(left->gpa, FIRST + PAGE);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_UNMAPPED);
	end_both();
}

/* The model reports a translation that is used after its end. */
static void who_left_cannot_reach_the_memory(void **state)
{
	static const struct stub_op ops[] = {OP(READ, DATA, 0), OP(WFI, 0, 0),
					     OP(READ, DATA, 0), THE_END};

	(void)state;
	connected(1);
	stub_program(a, 0, ops);
	stub_program(b, 0, ops);
	assert_int_equal(run_on(0, a, 0), AXVM_EXIT_HALT);
	assert_int_equal(run_on(1, b, 0), AXVM_EXIT_HALT);
	assert_int_equal(unsubscribe(b, 1, KEY), 0);
	assert_int_equal(run_on(1, b, 0), AXVM_EXIT_FAULT);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_UNMAPPED);
	assert_int_equal(unpublish(a, KEY), 0);
	assert_int_equal(run_on(0, a, 0), AXVM_EXIT_FAULT);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_UNMAPPED);
	end_both();
}

static void reused_memory_is_zeroed(void **state)
{
	const uint8_t zero[PAGE - 16] = {0};

	(void)state;
	a = ivc_vm(1);
	for (unsigned round = 0; round < 8; round++) {
		assert_int_equal(publish(a, KEY, PAGE), 0);
		assert_memory_equal((uint8_t *)seen(a, FIRST) + 16, zero,
				    sizeof(zero));
		memset(seen(a, FIRST), 0xff, PAGE);
		assert_int_equal(unpublish(a, KEY), 0);
	}
	end(a);
}

/* Whatever it is split into, it is one piece for the guests. */
static void large_channels_come_from_pieces(void **state)
{
	const uint64_t size = MIB(2) + KIB(64) + 3 * PAGE;

	(void)state;
	a = ivc_vm_of(1, 1024);
	b = ivc_vm_of(2, 1024);
	assert_int_equal(publish(a, KEY, size), 0);
	assert_int_equal(get(a, OUT_SIZE), size);
	assert_int_equal(subscribe(b, 1, KEY), 0);
	for (uint64_t off = 0; off < size; off += PAGE)
		assert_ptr_equal(seen(a, FIRST + off), seen(b, FIRST + off));
	assert_false(is_mapped(a, FIRST + size));
	end_both();
}

static void large_channels_come_from_single_pages_too(void **state)
{
	(void)state;
	a = ivc_vm(1);
	b = ivc_vm(2);
	/* The channel, its list of pieces; then 64 KiB are refused. */
	test_hal_fail_at(stub_hal(m), 3);
	assert_int_equal(publish(a, KEY, 60 * PAGE), 0);
	assert_true(test_hal_failed(stub_hal(m)));
	for (uint64_t n = 0; n < 60; n++)
		((uint64_t *)seen(a, FIRST + n * PAGE))[5] = n;
	assert_int_equal(subscribe(b, 1, KEY), 0);
	for (uint64_t n = 0; n < 60; n++)
		assert_int_equal(((uint64_t *)seen(b, FIRST + n * PAGE))[5], n);
	end_both();
}

static void guests_cannot_fool_the_library_by_the_header(void **state)
{
	struct axvm_ivc_state s;
	uint64_t *header;

	(void)state;
	connected(1);
	header = seen(b, FIRST);
	header[0] = 99;
	header[1] = 98;
	assert_int_equal(state_of(b, 1, KEY, &s), 0);
	assert_int_equal(state_of(b, 99, 98, &s), WIRE(NOT_FOUND));
	assert_int_equal(notify(b, 1, KEY), 0);
	assert_int_equal(unsubscribe(b, 99, 98), FAILED);
	assert_int_equal(unsubscribe(b, 1, KEY), 0);
	assert_int_equal(unpublish(a, 98), FAILED);
	assert_int_equal(unpublish(a, KEY), 0);
	end_both();
}

static void every_format_maps_channels(void **state)
{
	static const enum stub_format formats[] = {STUB_SV39X4, STUB_SV48X4,
						   STUB_EPT, STUB_ARM};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct stub_config c = {
			.format = formats[i],
			.cpus = 2,
			.tag_bits = 4,
			.no_tables = true,
			.broadcast = formats[i] == STUB_ARM,
		};

		m = stub_new(&c);
		connected(40 * PAGE);
		assert_int_equal(unpublish(a, KEY), 0);
		assert_int_equal(publish(a, KEY, 1), 0);
		assert_int_equal(unsubscribe(b, 1, KEY), 0);
		assert_int_equal(subscribe(b, 1, KEY), 0);
		end_both();
		assert_true(stub_delete(m));
		m = NULL;
	}
}

/* ---- who may join ---- */

static void a_name_is_published_once(void **state)
{
	(void)state;
	a = ivc_vm(1);
	b = ivc_vm(2);
	assert_int_equal(publish(a, KEY, 1), 0);
	assert_int_equal(publish(a, KEY, 1), FAILED);
	/* Another VM's key is another name. */
	assert_int_equal(publish(b, KEY, 1), 0);
	assert_ptr_not_equal(seen(a, FIRST), seen(b, FIRST));
	end_both();
}

static void a_double_subscription_is_refused(void **state)
{
	(void)state;
	connected(1);
	assert_int_equal(subscribe(b, 1, KEY), FAILED);
	assert_int_equal(get(b, OUT_GPA), UNTOUCHED);
	assert_int_equal(subscribe(a, 1, KEY), FAILED);
	assert_false(is_mapped(b, FIRST + PAGE));
	end_both();
}

static void three_vms_share_a_channel(void **state)
{
	struct axvm_ivc_state s;
	struct axvm_vm *c;

	(void)state;
	connected(1);
	c = ivc_vm(3);
	assert_int_equal(subscribe(c, 1, KEY), 0);
	assert_ptr_equal(seen(a, FIRST), seen(c, FIRST));
	assert_int_equal(state_of(a, 1, KEY, &s), 0);
	assert_int_equal(s.peers, 2);
	/* The middle one of the list leaves. */
	assert_int_equal(unsubscribe(b, 1, KEY), 0);
	assert_int_equal(state_of(c, 1, KEY, &s), 0);
	assert_int_equal(s.peers, 1);
	end(c);
	end_both();
}

static void slots_are_bounded(void **state)
{
	(void)state;
	a = ivc_vm(1);
	for (uint64_t key = 0; key < AXVM_IVC_SLOTS; key++)
		assert_int_equal(publish(a, key, 1), 0);
	assert_int_equal(publish(a, 1000, 1), FAILED);
	assert_int_equal(unpublish(a, 3), 0);
	assert_int_equal(publish(a, 1000, 1), 0);
	assert_int_equal(get(a, OUT_GPA), FIRST + 3 * PAGE);
	end(a);
}

static void the_pool_bounds_what_a_guest_can_take(void **state)
{
	uint64_t before, most;

	(void)state;
	a = ivc_vm(1);
	before = test_hal_live_bytes(stub_hal(m));
	for (uint64_t key = 0; publish(a, key, 3 * PAGE) == 0; key++)
		;
	/* 21 times three pages are 63. */
	assert_true(is_mapped(a, FIRST + 62 * PAGE));
	most = test_hal_live_bytes(stub_hal(m)) - before;
	assert_true(most >= 63 * PAGE && most < 63 * PAGE + KIB(40));
	assert_int_equal(publish(a, 1000, 1), FAILED);
	end(a);
}

static void gaps_in_the_pool_are_used_again(void **state)
{
	(void)state;
	a = ivc_vm_of(1, 9);
	for (uint64_t key = 0; key < 4; key++)
		assert_int_equal(publish(a, key, 2 * PAGE), 0);
	assert_int_equal(publish(a, 9, 1), FAILED);
	assert_int_equal(unpublish(a, 1), 0);
	assert_int_equal(unpublish(a, 3), 0);
	/* Four pages are free, but not in a row. */
	assert_int_equal(publish(a, 9, 3 * PAGE), FAILED);
	assert_int_equal(publish(a, 9, PAGE), 0);
	assert_int_equal(get(a, OUT_GPA), FIRST + 2 * PAGE);
	assert_int_equal(publish(a, 10, 2 * PAGE), 0);
	assert_int_equal(get(a, OUT_GPA), FIRST + 6 * PAGE);
	assert_int_equal(publish(a, 11, PAGE), 0);
	assert_int_equal(get(a, OUT_GPA), FIRST + 3 * PAGE);
	assert_int_equal(publish(a, 12, PAGE), FAILED);
	end(a);
}

static void a_pool_of_one_page_has_one_channel(void **state)
{
	(void)state;
	a = ivc_vm_of(1, 1);
	b = ivc_vm_of(2, 1);
	assert_int_equal(publish(a, KEY, PAGE), 0);
	assert_int_equal(get(a, OUT_GPA), POOL);
	assert_int_equal(publish(a, KEY + 1, 1), FAILED);
	assert_int_equal(subscribe(b, 1, KEY), 0);
	assert_int_equal(get(b, OUT_GPA), POOL);
	assert_ptr_equal(seen(a, POOL), seen(b, POOL));
	end_both();
}

/* One execution of the guest's instruction; the result if it is done. */
static enum axvmi_hypercall_answer execute(uint64_t number, uint64_t x,
					   uint64_t *result)
{
	const uint64_t args[6] = {x, OUT_GPA, OUT_SIZE};

	return axvmi_hypercall(a->vcpus[0], number, args, result);
}

static enum axvmi_hypercall_answer step(uint64_t key)
{
	uint64_t result = UNTOUCHED;
	enum axvmi_hypercall_answer answer =
		execute(AXVM_HYPERCALL_PUBLISH, key, &result);

	assert_int_equal(result,
			 answer == AXVMI_HYPERCALL_AGAIN ? UNTOUCHED : 0);
	return answer;
}

static enum axvmi_hypercall_answer other_vcpu;

static void publish_too(void)
{
	other_vcpu = step(KEY);
}

static void of_two_vcpus_that_publish_one_name_one_waits(void **state)
{
	(void)state;
	ivc_machine_with_meanwhile();
	a = ivc_vm(1);
	other_vcpu = AXVMI_HYPERCALL_DONE;
	ivc_meanwhile = publish_too;
	assert_int_equal(publish(a, KEY, 1), 0);
	assert_int_equal(other_vcpu, AXVMI_HYPERCALL_AGAIN);
	/* Then it finds the name taken. */
	assert_int_equal(publish(a, KEY, 1), FAILED);
	assert_false(is_mapped(a, FIRST + PAGE));
	end(a);
}

/* ---- in steps ---- */

/* A guest with a large pool that wants 5 MiB; began is how often it has asked
 * for them. */
static void begin_large(unsigned began)
{
	a = ivc_vm_of(1, 2048);
	put(a, OUT_GPA, UNTOUCHED);
	put(a, OUT_SIZE, MIB(5));
	for (unsigned i = 0; i < began; i++)
		assert_int_equal(step(KEY), AXVMI_HYPERCALL_AGAIN);
}

static void large_channels_are_made_in_steps(void **state)
{
	unsigned steps = 1;
	uint64_t before, after;

	(void)state;
	begin_large(0);
	before = test_hal_live_bytes(stub_hal(m));
	while (step(KEY) == AXVMI_HYPERCALL_AGAIN) {
		after = test_hal_live_bytes(stub_hal(m));
		/* A step, or a piece of 2 MiB, and what describes them. */
		assert_true(after - before <= MIB(2) + KIB(8));
		before = after;
		assert_int_equal(get(a, OUT_GPA), UNTOUCHED);
		assert_false(is_mapped(a, FIRST));
		assert_int_equal(notify(a, 1, KEY), WIRE(NOT_FOUND));
		steps++;
	}
	assert_true(steps >= 3);
	assert_int_equal(get(a, OUT_GPA), FIRST);
	assert_true(is_mapped(a, FIRST + MIB(5) - PAGE));
	end(a);
}

static void kick_a(void)
{
	if (axvm_vcpu_kick(a, 0) != AXVM_OK)
		abort();
}

static void the_host_is_heard_between_steps(void **state)
{
	static const struct stub_op ops[] = {
		OP(SET, STUB_ARGS, OUT_GPA), OP(SET, STUB_ARGS + 1, OUT_SIZE),
		OP(HYPERCALL, AXVM_HYPERCALL_PUBLISH, KEY), THE_END};

	(void)state;
	ivc_machine_with_meanwhile();
	begin_large(0);
	stub_program(a, 0, ops);
	ivc_meanwhile = kick_a;
	assert_int_equal(run(a), AXVM_EXIT_KICKED);
	assert_int_equal(stub_reg(a, 0, AXVM_REG_PC), 2);
	assert_int_equal(get(a, OUT_GPA), UNTOUCHED);
	assert_int_equal(run(a), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(a, 0, AXVM_REG_GPR(0)), 0);
	assert_int_equal(get(a, OUT_GPA), FIRST);
	end(a);
}

static void an_abandoned_publish_goes_back_by_unpublish(void **state)
{
	size_t live;

	(void)state;
	begin_large(0);
	live = test_hal_live(stub_hal(m));
	assert_int_equal(step(KEY), AXVMI_HYPERCALL_AGAIN);
	assert_true(test_hal_live(stub_hal(m)) > live);
	assert_int_equal(unpublish(a, KEY + 1), FAILED);
	assert_int_equal(unpublish(a, KEY), 0);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	assert_int_equal(unpublish(a, KEY), FAILED);
	end(a);
}

static void an_abandoned_publish_gives_way_to_another_one(void **state)
{
	struct axvm_ivc_state s;

	(void)state;
	begin_large(2);
	/* The pool has 8 MiB less a page: both would not fit. */
	assert_int_equal(publish(a, KEY, MIB(6)), 0);
	assert_int_equal(get(a, OUT_SIZE), MIB(6));
	assert_int_equal(get(a, OUT_GPA), FIRST);
	assert_int_equal(unpublish(a, KEY), 0);
	/* With other rights, too. */
	put(a, OUT_SIZE, MIB(5));
	assert_int_equal(step(KEY), AXVMI_HYPERCALL_AGAIN);
	assert_int_equal(CALL(a, 0x102, KEY, OUT_GPA, OUT_SIZE, 1), 0);
	b = ivc_vm_of(2, 2048);
	assert_int_equal(subscribe(b, 1, KEY), FAILED);
	assert_int_equal(state_of(a, 1, KEY, &s), 0);
	assert_int_equal(s.generation, 1);
	end_both();
}

static void an_abandoned_publish_keeps_its_room(void **state)
{
	(void)state;
	begin_large(1);
	assert_int_equal(publish(a, KEY + 1, MIB(3)), FAILED);
	assert_int_equal(publish(a, KEY + 1, MIB(2)), 0);
	assert_int_equal(get(a, OUT_GPA), FIRST + MIB(5));
	assert_int_equal(publish(a, KEY, MIB(5)), 0);
	assert_int_equal(get(a, OUT_GPA), FIRST);
	end(a);
}

static void reset_and_destroy_take_abandoned_ones_back(void **state)
{
	size_t live;

	(void)state;
	begin_large(0);
	live = test_hal_live(stub_hal(m));
	assert_int_equal(step(KEY), AXVMI_HYPERCALL_AGAIN);
	stop(a);
	reset(a);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	assert_int_equal(axvm_boot(a), AXVM_OK);
	put(a, OUT_SIZE, MIB(5));
	assert_int_equal(step(KEY), AXVMI_HYPERCALL_AGAIN);
	end(a);
}

/* A connection of that name to a channel that is closed. */
static void hold_a_closed_one(void)
{
	const struct axvm_ivc_config c = {
		.size = sizeof(c),
		.publisher = 1,
		.key = KEY,
		.bytes = 1,
		.access = AXVM_RW,
	};

	if (axvm_ivc_create(stub_get_host(m), &c) != AXVM_OK ||
	    subscribe(a, 1, KEY) != 0 ||
	    axvm_ivc_close(stub_get_host(m), 1, KEY) != AXVM_OK)
		abort();
}

static void a_vm_has_one_connection_of_a_name(void **state)
{
	(void)state;
	ivc_machine_with_meanwhile();
	a = ivc_vm(1);
	hold_a_closed_one();
	assert_int_equal(publish(a, KEY, 1), FAILED);
	assert_int_equal(unsubscribe(a, 1, KEY), 0);
	ivc_meanwhile = hold_a_closed_one;
	assert_int_equal(publish(a, KEY, 1), FAILED);
	assert_int_equal(unpublish(a, KEY), FAILED);
	assert_int_equal(unsubscribe(a, 1, KEY), 0);
	assert_int_equal(publish(a, KEY, 1), 0);
	end(a);
}

/* ---- lives ---- */

static void unpublish_leaves_subscribers_their_memory(void **state)
{
	uint64_t *word;

	(void)state;
	connected(1);
	word = seen(b, DATA);
	*word = 55;
	assert_int_equal(unpublish(a, KEY), 0);
	assert_false(is_mapped(a, FIRST));
	assert_ptr_equal(seen(b, DATA), word);
	assert_int_equal(*word, 55);
	assert_int_equal(flags_of(b, KEY),
			 AXVM_IVC_USED | AXVM_IVC_CLOSED | AXVM_IVC_WRITABLE);
	end_both();
}

static void memory_goes_back_when_the_last_one_has_left(void **state)
{
	size_t live;

	(void)state;
	a = ivc_vm(1);
	b = ivc_vm(2);
	/* Tables for the pools stay. */
	assert_int_equal(publish(a, KEY + 1, 1), 0);
	assert_int_equal(subscribe(b, 1, KEY + 1), 0);
	live = test_hal_live(stub_hal(m));
	assert_int_equal(publish(a, KEY, 3 * PAGE), 0);
	assert_int_equal(subscribe(b, 1, KEY), 0);
	assert_int_equal(unpublish(a, KEY), 0);
	assert_true(test_hal_live(stub_hal(m)) > live);
	assert_int_equal(unsubscribe(b, 1, KEY), 0);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	assert_int_equal(publish(a, KEY, 3 * PAGE), 0);
	assert_int_equal(subscribe(b, 1, KEY), 0);
	assert_int_equal(unsubscribe(b, 1, KEY), 0);
	assert_true(test_hal_live(stub_hal(m)) > live);
	assert_int_equal(unpublish(a, KEY), 0);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	end_both();
}

static void a_republished_name_is_a_new_channel(void **state)
{
	struct axvm_vm *c;
	uint64_t *old;

	(void)state;
	connected(1);
	old = seen(b, DATA);
	*old = 66;
	assert_int_equal(unpublish(a, KEY), 0);
	assert_int_equal(publish(a, KEY, 1), 0);
	assert_ptr_not_equal(seen(a, DATA), old);
	assert_int_equal(*(uint64_t *)seen(a, DATA), 0);
	/* Others find the new one; who holds the old one lets go first. */
	c = ivc_vm(3);
	assert_int_equal(subscribe(c, 1, KEY), 0);
	assert_ptr_equal(seen(c, DATA), seen(a, DATA));
	assert_int_equal(subscribe(b, 1, KEY), FAILED);
	assert_int_equal(*old, 66);
	assert_int_equal(unsubscribe(b, 1, KEY), 0);
	assert_int_equal(subscribe(b, 1, KEY), 0);
	assert_ptr_equal(seen(b, DATA), seen(a, DATA));
	assert_int_equal(flags_of(b, KEY), AXVM_IVC_USED | AXVM_IVC_WRITABLE);
	end(c);
	end_both();
}

static void shutdown_changes_nothing(void **state)
{
	(void)state;
	connected(1);
	stop(a);
	assert_true(is_mapped(a, FIRST));
	assert_int_equal(flags_of(b, KEY), AXVM_IVC_USED | AXVM_IVC_WRITABLE);
	assert_int_equal(notify(b, 1, KEY), 0);
	end_both();
}

static void reset_of_the_publisher_closes_the_channel(void **state)
{
	uint64_t *word;

	(void)state;
	connected(1);
	word = seen(b, DATA);
	*word = 77;
	stop(a);
	reset(a);
	assert_int_equal(*word, 77);
	assert_false(is_mapped(a, FIRST));
	assert_int_equal(flags_of(b, KEY),
			 AXVM_IVC_USED | AXVM_IVC_CLOSED | AXVM_IVC_WRITABLE);
	assert_int_equal(axvm_boot(a), AXVM_OK);
	assert_int_equal(publish(a, KEY, 1), 0);
	assert_ptr_not_equal(seen(a, DATA), word);
	end_both();
}

static void reset_of_a_subscriber_is_seen_by_the_generation(void **state)
{
	struct axvm_ivc_state before, after;

	(void)state;
	connected(1);
	assert_int_equal(state_of(a, 1, KEY, &before), 0);
	stop(b);
	reset(b);
	assert_false(is_mapped(b, FIRST));
	assert_int_equal(axvm_boot(b), AXVM_OK);
	assert_int_equal(subscribe(b, 1, KEY), 0);
	assert_int_equal(state_of(a, 1, KEY, &after), 0);
	assert_int_equal(after.peers, 1);
	assert_int_equal(after.flags, before.flags);
	assert_int_not_equal(after.generation, before.generation);
	end_both();
}

static void every_change_of_the_peers_moves_the_generation(void **state)
{
	struct axvm_ivc_state s;
	uint32_t last;

	(void)state;
	a = ivc_vm(1);
	b = ivc_vm(2);
	assert_int_equal(publish(a, KEY, 1), 0);
	assert_int_equal(state_of(a, 1, KEY, &s), 0);
	last = s.generation;
	assert_int_equal(subscribe(b, 1, KEY), 0);
	assert_int_equal(state_of(a, 1, KEY, &s), 0);
	assert_true(s.generation > last);
	last = s.generation;
	assert_int_equal(unsubscribe(b, 1, KEY), 0);
	assert_int_equal(state_of(a, 1, KEY, &s), 0);
	assert_true(s.generation > last);
	last = s.generation;
	assert_int_equal(notify(a, 1, KEY), 0);
	assert_int_equal(state_of(a, 1, KEY, &s), 0);
	assert_int_equal(s.generation, last);
	end_both();
}

static void a_destroyed_publisher_leaves_memory_to_its_peers(void **state)
{
	(void)state;
	connected(PAGE + 1);
	*(uint64_t *)seen(b, DATA) = 88;
	end(a);
	assert_int_equal(*(uint64_t *)seen(b, DATA), 88);
	assert_int_equal(notify(b, 1, KEY), 0);
	/* Its id is free, and so is the name; the old channel is not it. */
	a = ivc_vm(1);
	assert_int_equal(publish(a, KEY, 1), 0);
	assert_ptr_not_equal(seen(a, DATA), seen(b, DATA));
	end_both();
}

static void a_destroyed_subscriber_is_gone_from_the_channel(void **state)
{
	struct axvm_ivc_state s;

	(void)state;
	connected(1);
	end(b);
	assert_int_equal(state_of(a, 1, KEY, &s), 0);
	assert_int_equal(s.peers, 0);
	assert_int_equal(notify(a, 1, KEY), 0);
	no_violation();
	end(a);
}

static void reset_of_many_channels_goes_in_steps(void **state)
{
	unsigned steps = 0;
	int err;

	(void)state;
	a = ivc_vm_of(1, 8192);
	for (uint64_t key = 0; key < 16; key++)
		assert_int_equal(publish(a, key, 500 * PAGE), 0);
	stop(a);
	do {
		err = axvm_reset(a);
		steps++;
	} while (err == AXVM_EAGAIN);
	assert_int_equal(err, AXVM_OK);
	assert_true(steps > 4);
	assert_false(is_mapped(a, FIRST));
	end(a);
}

static void a_destroyed_vm_leaves_all_its_channels(void **state)
{
	(void)state;
	a = ivc_vm_of(1, 8192);
	b = ivc_vm_of(2, 8192);
	for (uint64_t key = 0; key < 16; key++) {
		assert_int_equal(publish(a, key, 500 * PAGE), 0);
		assert_int_equal(subscribe(b, 1, key), 0);
	}
	end(a);
	for (uint64_t key = 0; key < 16; key++)
		assert_int_equal(flags_of(b, key) & AXVM_IVC_CLOSED,
				 AXVM_IVC_CLOSED);
	end(b);
}

/* ---- out of memory ---- */

static int try_publish(void *arg)
{
	struct axvm_vm *vm = arg;

	switch ((int64_t)CALL(vm, 0x102, KEY, OUT_GPA, OUT_SIZE)) {
	case AXVM_HYPERCALL_OK:
		return AXVM_OK;
	case AXVM_HYPERCALL_NO_MEMORY:
		assert_false(is_mapped(vm, FIRST));
		assert_int_equal(get(vm, OUT_GPA), UNTOUCHED);
		assert_int_equal(notify(vm, 1, KEY), WIRE(NOT_FOUND));
		return AXVM_ENOMEM;
	default:
		return 1;
	}
}

static int try_subscribe(void *arg)
{
	switch ((int64_t)CALL(arg, 0x103, 1, KEY, OUT_GPA, OUT_SIZE)) {
	case AXVM_HYPERCALL_OK:
		return AXVM_OK;
	case AXVM_HYPERCALL_NO_MEMORY:
		assert_false(is_mapped(arg, FIRST));
		assert_int_equal(notify(arg, 1, KEY), WIRE(NOT_FOUND));
		return AXVM_ENOMEM;
	default:
		return 1;
	}
}

static void out_of_memory_changes_nothing(void **state)
{
	struct axvm_ivc_state before, after;

	(void)state;
	a = ivc_vm(1);
	b = ivc_vm(2);
	put(a, OUT_GPA, UNTOUCHED);
	put(a, OUT_SIZE, 25 * PAGE);
	assert_true(sweep(try_publish, a) > 10);
	assert_int_equal(state_of(a, 1, KEY, &before), 0);
	assert_int_equal(before.generation, 1);
	assert_true(sweep(try_subscribe, b) > 0);
	assert_int_equal(state_of(a, 1, KEY, &after), 0);
	assert_int_equal(after.generation, 2);
	end_both();
}

static void out_of_memory_in_a_later_step_gives_all_back(void **state)
{
	(void)state;
	begin_large(0);
	put(a, OUT_SIZE, MIB(3));
	assert_true(sweep(try_publish, a) > 40);
	assert_int_equal(get(a, OUT_SIZE), MIB(3));
	end(a);
}

static int try_behind(void *arg)
{
	struct axvm_vm *vm = arg;
	int64_t result = (int64_t)CALL(vm, 0x102, KEY, OUT_GPA, OUT_SIZE);

	if (result == AXVM_HYPERCALL_OK)
		return AXVM_OK;
	for (uint64_t n = 400; n < 600; n++)
		assert_false(is_mapped(vm, FIRST + n * PAGE));
	return result == AXVM_HYPERCALL_NO_MEMORY ? AXVM_ENOMEM : 1;
}

/* The first pieces find a page table, the others need a second one. */
static void out_of_memory_half_way_unmaps_the_first_half(void **state)
{
	(void)state;
	a = ivc_vm_of(1, 1024);
	assert_int_equal(publish(a, KEY + 1, 400 * PAGE), 0);
	put(a, OUT_SIZE, 200 * PAGE);
	assert_true(sweep(try_behind, a) > 10);
	assert_true(is_mapped(a, FIRST + 599 * PAGE));
	no_violation();
	end(a);
}

static int try_init(void *arg)
{
	return axvm_init(arg);
}

static void out_of_memory_at_init_leaves_no_channel(void **state)
{
	struct axvm_ivc_info info;

	(void)state;
	ivc_config(1, POOL_PAGES);
	ivc_static(1, KEY, 3 * PAGE, 0);
	ivc_static(1, KEY + 1, PAGE, 0);
	a = created();
	test_hal_fail_from(stub_hal(m), 12);
	assert_int_equal(axvm_init(a), AXVM_ENOMEM);
	assert_true(test_hal_failed(stub_hal(m)));
	assert_true(sweep(try_init, a) > 20);
	assert_int_equal(axvm_ivc_query(stub_get_host(m), 1, KEY + 1, &info),
			 AXVM_OK);
	assert_int_equal(info.connected, 1);
	end(a);
}

static int try_reset(void *arg)
{
	int err;

	do
		err = axvm_reset(arg);
	while (err == AXVM_EAGAIN);
	return err;
}

static void a_reset_without_memory_for_its_channels_goes_on_later(void **state)
{
	(void)state;
	ivc_config(1, POOL_PAGES);
	ivc_static(1, KEY, 3 * PAGE, 0);
	a = booted();
	stop(a);
	test_hal_fail_from(stub_hal(m), 1);
	assert_int_equal(try_reset(a), AXVM_ENOMEM);
	assert_true(test_hal_failed(stub_hal(m)));
	assert_int_equal(axvm_vm_state(a), AXVM_VM_STOPPED);
	assert_false(is_mapped(a, FIRST));
	assert_true(sweep(try_reset, a) > 2);
	assert_true(is_mapped(a, FIRST));
	end(a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(guests_exchange_data),
		TEST(channels_cannot_be_executed),
		TEST(a_page_of_the_pool_without_a_channel_faults),
		TEST(who_left_cannot_reach_the_memory),
		TEST(reused_memory_is_zeroed),
		TEST(large_channels_come_from_pieces),
		TEST(large_channels_come_from_single_pages_too),
		TEST(guests_cannot_fool_the_library_by_the_header),
		OWN(every_format_maps_channels),
		TEST(a_name_is_published_once),
		TEST(a_double_subscription_is_refused),
		TEST(three_vms_share_a_channel),
		TEST(slots_are_bounded),
		TEST(the_pool_bounds_what_a_guest_can_take),
		TEST(gaps_in_the_pool_are_used_again),
		TEST(a_pool_of_one_page_has_one_channel),
		OWN(of_two_vcpus_that_publish_one_name_one_waits),
		TEST(large_channels_are_made_in_steps),
		OWN(the_host_is_heard_between_steps),
		TEST(an_abandoned_publish_goes_back_by_unpublish),
		TEST(an_abandoned_publish_gives_way_to_another_one),
		TEST(an_abandoned_publish_keeps_its_room),
		TEST(reset_and_destroy_take_abandoned_ones_back),
		OWN(a_vm_has_one_connection_of_a_name),
		TEST(unpublish_leaves_subscribers_their_memory),
		TEST(memory_goes_back_when_the_last_one_has_left),
		TEST(a_republished_name_is_a_new_channel),
		TEST(shutdown_changes_nothing),
		TEST(reset_of_the_publisher_closes_the_channel),
		TEST(reset_of_a_subscriber_is_seen_by_the_generation),
		TEST(every_change_of_the_peers_moves_the_generation),
		TEST(a_destroyed_publisher_leaves_memory_to_its_peers),
		TEST(a_destroyed_subscriber_is_gone_from_the_channel),
		TEST(reset_of_many_channels_goes_in_steps),
		TEST(a_destroyed_vm_leaves_all_its_channels),
		TEST(out_of_memory_changes_nothing),
		TEST(out_of_memory_in_a_later_step_gives_all_back),
		TEST(out_of_memory_half_way_unmaps_the_first_half),
		TEST(out_of_memory_at_init_leaves_no_channel),
		TEST(a_reset_without_memory_for_its_channels_goes_on_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
