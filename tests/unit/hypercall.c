/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Hypercalls on the wire: numbers, arguments in guest memory, results to the
 * bit, and what hostile arguments get.
 */
#include "ivc_test.h"

#define KEY UINT64_C(0x1122334455667788)
#define DEMAND (RAM + MIB(16))
#define DEMAND_PAGES 1024u
#define ROM (RAM + MIB(32))

/* ---- numbers ---- */

static void calls_0_to_2_fail(void **state)
{
	struct axvm_vm *vm = ivc_vm(1);

	(void)state;
	for (uint64_t n = 0; n <= 2; n++)
		assert_int_equal(CALL(vm, n, 1, 2, 3, 4, 5, 6), FAILED);
	end(vm);
}

static void other_numbers_are_left_to_the_host(void **state)
{
	static const uint64_t numbers[] = {
		7, 8, 0xff, 0x200, UINT64_C(0x100000003), UINT64_MAX,
	};
	static const uint64_t args[6];
	struct axvm_vm *vm = ivc_vm(1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t result = UNTOUCHED;

		assert_int_equal(axvmi_hypercall(vm->vcpus[0], numbers[i], args,
						 &result),
				 AXVMI_HYPERCALL_HOST);
		assert_int_equal(result, UNTOUCHED);
	}
	end(vm);
}

static void a_guest_gets_the_answer_without_an_exit(void **state)
{
	static const struct stub_op ops[] = {
		OP(HYPERCALL, AXVM_HYPERCALL_CAPABILITIES, 0),
		OP(WFI, 0, 0),
		OP(SET, STUB_ARGS, OUT_GPA),
		OP(SET, STUB_ARGS + 1, OUT_SIZE),
		OP(HYPERCALL, AXVM_HYPERCALL_PUBLISH, KEY),
		OP(WFI, 0, 0),
		OP(HYPERCALL, 0x200, 7),
		THE_END};
	struct axvm_vm *vm;

	(void)state;
	ivc_config(1, POOL_PAGES);
	vm = running(ops);
	put(vm, OUT_SIZE, 1);
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_GPR(0)),
			 AXVM_HYPERCALL_HAS_IVC | AXVM_HYPERCALL_HAS_DOORBELLS);
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_GPR(0)), 0);
	assert_int_equal(get(vm, OUT_GPA), FIRST);
	assert_int_equal(get(vm, OUT_SIZE), PAGE);
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	assert_int_equal(left->u.hypercall.number, 0x200);
	assert_int_equal(left->u.hypercall.args[0], 7);
	assert_int_equal(left->u.hypercall.args[1], OUT_GPA);
	no_violation();
	end(vm);
}

static void unknown_calls_of_ours_are_not_supported(void **state)
{
	struct axvm_vm *vm = ivc_vm(1);

	(void)state;
	for (uint64_t n = 0x100; n <= 0x1ff; n++) {
		bool known = n <= AXVM_HYPERCALL_IVC_STATE ||
			     n == AXVM_HYPERCALL_BALLOON;

		if (!known)
			assert_int_equal(CALL(vm, n), (uint64_t)-2);
		else
			assert_int_not_equal(CALL(vm, n), (uint64_t)-2);
	}
	end(vm);
}

static void wire_results_never_change(void **state)
{
	(void)state;
	assert_int_equal(AXVM_HYPERCALL_OK, 0);
	assert_int_equal(AXVM_HYPERCALL_FAILED, -1);
	assert_int_equal(AXVM_HYPERCALL_NOT_SUPPORTED, -2);
	assert_int_equal(AXVM_HYPERCALL_INVALID, -3);
	assert_int_equal(AXVM_HYPERCALL_DENIED, -4);
	assert_int_equal(AXVM_HYPERCALL_BAD_ADDRESS, -5);
	assert_int_equal(AXVM_HYPERCALL_NOT_FOUND, -6);
	assert_int_equal(AXVM_HYPERCALL_EXISTS, -7);
	assert_int_equal(AXVM_HYPERCALL_NO_SPACE, -8);
	assert_int_equal(AXVM_HYPERCALL_NO_MEMORY, -9);
	assert_int_equal(sizeof(struct axvm_ivc_state), 32);
	assert_int_equal(offsetof(struct axvm_ivc_state, flags), 16);
	assert_int_equal(offsetof(struct axvm_ivc_state, line), 28);
}

/* ---- the family's calls ---- */

static void publish_maps_zeroed_memory_behind_the_familys_header(void **state)
{
	struct axvm_vm *vm = ivc_vm(0x0807060504030201);
	uint8_t expected[PAGE] = {1,	2,    3,    4,	  5,	6,
				  7,	8,    0x88, 0x77, 0x66, 0x55,
				  0x44, 0x33, 0x22, 0x11};
	uint8_t zero[PAGE] = {0};

	(void)state;
	assert_int_equal(publish(vm, KEY, 2 * PAGE), 0);
	assert_int_equal(get(vm, OUT_GPA), FIRST);
	assert_int_equal(get(vm, OUT_SIZE), 2 * PAGE);
	assert_memory_equal(seen(vm, FIRST), expected, PAGE);
	assert_memory_equal(seen(vm, FIRST + PAGE), zero, PAGE);
	assert_false(is_mapped(vm, FIRST + 2 * PAGE));
	end(vm);
}

static void sizes_are_rounded_up_to_pages(void **state)
{
	static const uint64_t sizes[][2] = {
		{1, PAGE},    {16, PAGE},	    {PAGE - 1, PAGE},
		{PAGE, PAGE}, {PAGE + 1, 2 * PAGE}, {63 * PAGE, 63 * PAGE},
	};
	struct axvm_vm *vm = ivc_vm(1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(publish(vm, KEY, sizes[i][0]), 0);
		assert_int_equal(get(vm, OUT_SIZE), sizes[i][1]);
		assert_int_equal(unpublish(vm, KEY), 0);
	}
	end(vm);
}

static void sizes_that_do_not_fit_fail(void **state)
{
	static const uint64_t sizes[] = {
		0,
		63 * PAGE + 1,
		64 * PAGE,
		UINT64_C(1) << 52,
		UINT64_MAX,
		UINT64_MAX - PAGE + 1,
		UINT64_MAX - PAGE,
	};
	struct axvm_vm *vm = ivc_vm(1);
	size_t live = test_hal_live(stub_hal(m));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(publish(vm, KEY, sizes[i]), FAILED);
		assert_int_equal(get(vm, OUT_GPA), UNTOUCHED);
		assert_int_equal(get(vm, OUT_SIZE), sizes[i]);
	}
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	end(vm);
}

static void subscribe_finds_the_same_memory(void **state)
{
	struct axvm_vm *a = ivc_vm(1);
	struct axvm_vm *b = ivc_vm(2);

	(void)state;
	assert_int_equal(publish(a, KEY, PAGE + 1), 0);
	assert_int_equal(subscribe(b, 1, KEY), 0);
	assert_int_equal(get(b, OUT_GPA), FIRST);
	assert_int_equal(get(b, OUT_SIZE), 2 * PAGE);
	assert_ptr_equal(seen(a, FIRST), seen(b, FIRST));
	assert_ptr_equal(seen(a, FIRST + PAGE), seen(b, FIRST + PAGE));
	end(a);
	end(b);
}

static void both_sides_may_read_and_write_but_not_execute(void **state)
{
	struct axvm_vm *a = ivc_vm(1);
	struct axvm_vm *b = ivc_vm(2);
	struct axvm_mapping mapping;

	(void)state;
	assert_int_equal(publish(a, KEY, PAGE), 0);
	assert_int_equal(subscribe(b, 1, KEY), 0);
	assert_int_equal(axvm_query(a, axvm_to_gpa(FIRST), &mapping), AXVM_OK);
	assert_int_equal(mapping.access, AXVM_RW);
	assert_int_equal(mapping.type, AXVM_MEM_NORMAL);
	assert_int_equal(axvm_query(b, axvm_to_gpa(FIRST), &mapping), AXVM_OK);
	assert_int_equal(mapping.access, AXVM_RW);
	end(a);
	end(b);
}

static void the_family_knows_0_and_minus_1(void **state)
{
	struct axvm_vm *a = ivc_vm(1);
	struct axvm_vm *b = ivc_vm(2);

	(void)state;
	assert_int_equal(subscribe(b, 1, KEY), FAILED);
	assert_int_equal(get(b, OUT_GPA), UNTOUCHED);
	assert_int_equal(get(b, OUT_SIZE), UNTOUCHED);
	assert_int_equal(unpublish(a, KEY), FAILED);
	assert_int_equal(unsubscribe(b, 1, KEY), FAILED);
	assert_int_equal(publish(a, KEY, 1), 0);
	assert_int_equal(publish(a, KEY, 1), FAILED);
	assert_int_equal(subscribe(b, 1, KEY + 1), FAILED);
	assert_int_equal(subscribe(b, 2, KEY), FAILED);
	assert_int_equal(subscribe(b, UINT64_MAX, KEY), FAILED);
	assert_int_equal(subscribe(b, 1, KEY), 0);
	assert_int_equal(subscribe(b, 1, KEY), FAILED);
	assert_int_equal(unpublish(b, KEY), FAILED);
	assert_int_equal(unsubscribe(a, 1, KEY), FAILED);
	assert_int_equal(unsubscribe(b, 1, KEY), 0);
	assert_int_equal(unsubscribe(b, 1, KEY), FAILED);
	assert_int_equal(unpublish(a, KEY), 0);
	assert_int_equal(unpublish(a, KEY), FAILED);
	end(a);
	end(b);
}

static void without_a_pool_nothing_works(void **state)
{
	struct axvm_vm *vm = booted();

	(void)state;
	assert_int_equal(publish(vm, KEY, 1), FAILED);
	assert_int_equal(subscribe(vm, 1, KEY), FAILED);
	assert_int_equal(unpublish(vm, KEY), FAILED);
	assert_int_equal(unsubscribe(vm, 1, KEY), FAILED);
	assert_int_equal(CALL(vm, AXVM_HYPERCALL_CAPABILITIES), 0);
	assert_int_equal(CALL(vm, AXVM_HYPERCALL_IVC_POOL, OUT_GPA, OUT_SIZE),
			 WIRE(NOT_SUPPORTED));
	put(vm, OUT_SIZE, 1);
	assert_int_equal(
		CALL(vm, AXVM_HYPERCALL_IVC_PUBLISH, KEY, OUT_GPA, OUT_SIZE),
		WIRE(NOT_SUPPORTED));
	assert_int_equal(CALL(vm, AXVM_HYPERCALL_IVC_SUBSCRIBE, 1, KEY, OUT_GPA,
			      OUT_SIZE),
			 WIRE(NOT_SUPPORTED));
	assert_int_equal(notify(vm, 1, KEY), WIRE(NOT_SUPPORTED));
	assert_int_equal(CALL(vm, AXVM_HYPERCALL_IVC_STATE, 1, KEY, OUT_STATE),
			 WIRE(NOT_SUPPORTED));
	end(vm);
}

/* ---- pointers ---- */

/* With memory that cannot be written, and demand pages. */
static struct axvm_vm *vm_with_regions(void)
{
	ivc_config(1, POOL_PAGES);
	add_region(DEMAND, DEMAND_PAGES * PAGE, AXVM_REGION_DEMAND);
	add_region(ROM, PAGE, AXVM_REGION_ALLOC)->access = AXVM_READ;
	return booted();
}

static const struct {
	uint64_t gpa;
	uint64_t result;
} bad_pointers[] = {
	{0, WIRE(BAD_ADDRESS)},
	{RAM - 8, WIRE(BAD_ADDRESS)},
	{RAM + RAM_SIZE, WIRE(BAD_ADDRESS)},
	{NOWHERE, WIRE(BAD_ADDRESS)},
	{ROM, WIRE(BAD_ADDRESS)},
	{POOL, WIRE(BAD_ADDRESS)},
	{FIRST, WIRE(BAD_ADDRESS)},
	{FIRST + PAGE, WIRE(BAD_ADDRESS)},
	{UINT64_MAX - 7, WIRE(BAD_ADDRESS)},
	{UINT64_C(1) << 63, WIRE(BAD_ADDRESS)},
	{UINT64_MAX, WIRE(INVALID)},
	{RAM + 1, WIRE(INVALID)},
	{RAM + 4, WIRE(INVALID)},
	{RAM + PAGE - 4, WIRE(INVALID)},
};

static void bad_pointers_are_refused_and_change_nothing(void **state)
{
	struct axvm_vm *vm = vm_with_regions();
	size_t live;

	(void)state;
	/* So that FIRST is a page that a copy could reach. */
	assert_int_equal(publish(vm, 1, 1), 0);
	live = test_hal_live(stub_hal(m));
	put(vm, OUT_GPA, UNTOUCHED);
	put(vm, OUT_SIZE, 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad_pointers); i++) {
		uint64_t bad = bad_pointers[i].gpa;
		uint64_t result = bad_pointers[i].result;

		assert_int_equal(CALL(vm, 3, KEY, bad, OUT_SIZE), FAILED);
		assert_int_equal(CALL(vm, 3, KEY, OUT_GPA, bad), FAILED);
		assert_int_equal(CALL(vm, 4, 1, 1, bad, OUT_SIZE), FAILED);
		assert_int_equal(CALL(vm, 4, 1, 1, OUT_GPA, bad), FAILED);
		assert_int_equal(CALL(vm, 0x101, bad, OUT_SIZE), result);
		assert_int_equal(CALL(vm, 0x101, OUT_GPA, bad), result);
		assert_int_equal(CALL(vm, 0x102, KEY, bad, OUT_SIZE), result);
		assert_int_equal(CALL(vm, 0x102, KEY, OUT_GPA, bad), result);
		assert_int_equal(CALL(vm, 0x103, 9, KEY, bad, OUT_SIZE),
				 result);
		assert_int_equal(CALL(vm, 0x105, 1, 1, bad),
				 bad % 32 == 0 ? result : WIRE(INVALID));
	}
	assert_int_equal(get(vm, OUT_GPA), UNTOUCHED);
	assert_int_equal(get(vm, OUT_SIZE), 1);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	end(vm);
}

static void pointers_into_demand_memory_fill_it(void **state)
{
	struct axvm_vm *vm = vm_with_regions();

	(void)state;
	put(vm, OUT_SIZE, 1);
	assert_int_equal(CALL(vm, 3, KEY, DEMAND + 8, OUT_SIZE), 0);
	assert_int_equal(get(vm, DEMAND + 8), FIRST);
	end(vm);
}

static void out_words_may_be_one(void **state)
{
	struct axvm_vm *vm = ivc_vm(1);

	(void)state;
	put(vm, OUT_SIZE, 1);
	assert_int_equal(CALL(vm, 3, KEY, OUT_SIZE, OUT_SIZE), 0);
	assert_int_equal(get(vm, OUT_SIZE), PAGE);
	end(vm);
}

static struct axvm_vm *victim;

/* The host takes the guest's right away between the two looks. */
static void protect_out_page(void)
{
	if (axvm_protect(victim, axvm_to_gpa(OUT_GPA & ~(PAGE - 1)), PAGE,
			 AXVM_READ) != AXVM_OK)
		abort();
}

static void results_that_cannot_be_written_undo_the_call(void **state)
{
	size_t live;

	(void)state;
	ivc_machine_with_meanwhile();
	victim = ivc_vm(1);
	put(victim, OUT_SIZE, 1);
	live = test_hal_live(stub_hal(m));
	ivc_meanwhile = protect_out_page;
	assert_int_equal(CALL(victim, 0x102, KEY, OUT_GPA, OUT_SIZE),
			 WIRE(BAD_ADDRESS));
	assert_null(ivc_meanwhile);
	assert_false(is_mapped(victim, FIRST));
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	assert_int_equal(unpublish(victim, KEY), FAILED);
	end(victim);
}

/* ---- our own calls ---- */

static void capabilities_say_what_there_is(void **state)
{
	struct axvm_vm *vm = vm_with_regions();

	(void)state;
	assert_int_equal(CALL(vm, 0x100), 7);
	end(vm);
	vm = ivc_vm_of(1, 1);
	assert_int_equal(CALL(vm, 0x100), AXVM_HYPERCALL_HAS_IVC);
	end(vm);
}

static void the_pool_is_told(void **state)
{
	struct axvm_vm *vm = ivc_vm(1);

	(void)state;
	assert_int_equal(CALL(vm, 0x101, OUT_GPA, OUT_SIZE), 0);
	assert_int_equal(get(vm, OUT_GPA), POOL);
	assert_int_equal(get(vm, OUT_SIZE), POOL_PAGES * PAGE);
	end(vm);
}

static uint64_t publish_with(struct axvm_vm *vm, uint64_t key, uint64_t flags,
			     uint64_t line)
{
	put(vm, OUT_SIZE, 1);
	return CALL(vm, 0x102, key, OUT_GPA, OUT_SIZE, flags, line);
}

static uint64_t subscribe_with(struct axvm_vm *vm, uint64_t key, uint64_t flags,
			       uint64_t line)
{
	return CALL(vm, 0x103, 1, key, OUT_GPA, OUT_SIZE, flags, line);
}

static void a_read_only_channel_gives_no_writer(void **state)
{
	struct axvm_vm *a = ivc_vm(1);
	struct axvm_vm *b = ivc_vm(2);
	struct axvm_mapping mapping;

	(void)state;
	assert_int_equal(publish_with(a, KEY, 1, 0), 0);
	assert_int_equal(subscribe(b, 1, KEY), FAILED);
	assert_int_equal(subscribe_with(b, KEY, 0, 0), WIRE(DENIED));
	assert_int_equal(subscribe_with(b, KEY, 1, 0), 0);
	assert_int_equal(axvm_query(b, axvm_to_gpa(FIRST), &mapping), AXVM_OK);
	assert_int_equal(mapping.access, AXVM_READ);
	assert_int_equal(axvm_query(a, axvm_to_gpa(FIRST), &mapping), AXVM_OK);
	assert_int_equal(mapping.access, AXVM_RW);
	end(a);
	end(b);
}

static void a_subscriber_may_want_less(void **state)
{
	struct axvm_vm *a = ivc_vm(1);
	struct axvm_vm *b = ivc_vm(2);
	struct axvm_ivc_state s;

	(void)state;
	assert_int_equal(publish(a, KEY, 1), 0);
	assert_int_equal(subscribe_with(b, KEY, 1, 0), 0);
	assert_int_equal(state_of(b, 1, KEY, &s), 0);
	assert_int_equal(s.flags, AXVM_IVC_USED);
	end(a);
	end(b);
}

static void flags_and_lines_are_checked(void **state)
{
	struct axvm_vm *a = ivc_vm(1);
	struct axvm_vm *b = ivc_vm(2);

	(void)state;
	assert_int_equal(publish_with(a, KEY, 2, 0), WIRE(INVALID));
	assert_int_equal(publish_with(a, KEY, UINT64_MAX, 0), WIRE(INVALID));
	assert_int_equal(publish_with(a, KEY, UINT64_C(1) << 32, 0),
			 WIRE(INVALID));
	assert_int_equal(publish_with(a, KEY, 0, 64), WIRE(INVALID));
	assert_int_equal(publish_with(a, KEY, 0, UINT64_C(1) << 32),
			 WIRE(INVALID));
	assert_int_equal(publish_with(a, KEY, 0, UINT64_MAX), WIRE(INVALID));
	assert_int_equal(publish_with(a, KEY, 0, 63), 0);
	assert_int_equal(subscribe_with(b, KEY, 4, 0), WIRE(INVALID));
	assert_int_equal(subscribe_with(b, KEY, 0, 1024), WIRE(INVALID));
	assert_int_equal(subscribe_with(b, KEY, 0, 1), 0);
	end(a);
	end(b);
}

static void our_calls_say_what_was_wrong(void **state)
{
	struct axvm_vm *a = ivc_vm(1);
	struct axvm_vm *b = ivc_vm_of(2, 2);

	(void)state;
	assert_int_equal(subscribe_with(b, KEY, 0, 0), WIRE(NOT_FOUND));
	assert_int_equal(notify(b, 1, KEY), WIRE(NOT_FOUND));
	assert_int_equal(CALL(b, 0x105, 1, KEY, OUT_STATE), WIRE(NOT_FOUND));
	assert_int_equal(publish_with(a, KEY, 0, 0), 0);
	assert_int_equal(publish_with(a, KEY, 0, 0), WIRE(EXISTS));
	assert_int_equal(subscribe_with(a, KEY, 0, 0), WIRE(EXISTS));
	assert_int_equal(subscribe_with(b, KEY, 0, 0), 0);
	assert_int_equal(subscribe_with(b, KEY, 0, 0), WIRE(EXISTS));
	assert_int_equal(publish_with(a, KEY + 1, 0, 0), 0);
	assert_int_equal(subscribe_with(b, KEY + 1, 0, 0), WIRE(NO_SPACE));
	put(a, OUT_SIZE, 0);
	assert_int_equal(CALL(a, 0x102, 5, OUT_GPA, OUT_SIZE), WIRE(INVALID));
	put(a, OUT_SIZE, POOL_PAGES * PAGE);
	assert_int_equal(CALL(a, 0x102, 5, OUT_GPA, OUT_SIZE), WIRE(NO_SPACE));
	put(a, OUT_SIZE, 1);
	test_hal_fail_from(stub_hal(m), 1);
	assert_int_equal(CALL(a, 0x102, 5, OUT_GPA, OUT_SIZE), WIRE(NO_MEMORY));
	assert_true(test_hal_failed(stub_hal(m)));
	end(a);
	end(b);
}

static void the_state_is_32_bytes(void **state)
{
	struct axvm_vm *a = ivc_vm(1);
	struct axvm_vm *b = ivc_vm(2);
	struct axvm_ivc_state s;

	(void)state;
	assert_int_equal(publish_with(a, 1, 0, 0), 0);
	assert_int_equal(publish_with(a, KEY, 0, 33), 0);
	assert_int_equal(subscribe_with(b, KEY, 0, 0), 0);
	put(a, OUT_STATE + 32, UNTOUCHED);
	assert_int_equal(state_of(a, 1, KEY, &s), 0);
	assert_int_equal(s.gpa, FIRST + PAGE);
	assert_int_equal(s.size, PAGE);
	assert_int_equal(s.flags, 1 | 4 | 8);
	assert_int_equal(s.generation, 2);
	assert_int_equal(s.peers, 1);
	assert_int_equal(s.line, 33);
	assert_int_equal(get(a, OUT_STATE + 32), UNTOUCHED);
	assert_int_equal(state_of(b, 1, KEY, &s), 0);
	assert_int_equal(s.gpa, FIRST);
	assert_int_equal(s.flags, 1 | 8);
	assert_int_equal(s.peers, 1);
	assert_int_equal(s.line, POOL_LINE);
	assert_int_equal(unpublish(a, KEY), 0);
	assert_int_equal(state_of(b, 1, KEY, &s), 0);
	assert_int_equal(s.flags, 1 | 2 | 8);
	assert_int_equal(s.peers, 0);
	assert_true(s.generation > 2);
	end(a);
	end(b);
}

/* ---- balloon ---- */

static void the_balloon_gives_pages_back(void **state)
{
	struct axvm_vm *vm = vm_with_regions();
	size_t live;

	(void)state;
	put(vm, DEMAND, 1);
	live = test_hal_live(stub_hal(m));
	for (uint64_t i = 1; i < 40; i++)
		put(vm, DEMAND + i * PAGE, i);
	assert_int_equal(test_hal_live(stub_hal(m)), live + 39);
	assert_int_equal(CALL(vm, 0x110, DEMAND + PAGE, 38), 38);
	assert_int_equal(test_hal_live(stub_hal(m)), live + 1);
	assert_int_equal(get(vm, DEMAND), 1);
	assert_int_equal(get(vm, DEMAND + 39 * PAGE), 39);
	assert_int_equal(get(vm, DEMAND + 7 * PAGE), 0);
	no_violation();
	end(vm);
}

static void a_guest_finds_zeroes_where_it_gave_back(void **state)
{
	static const struct stub_op ops[] = {OP(WRITE, DEMAND, 5),
					     OP(READ, DEMAND, 0),
					     OP(EXPECT, 5, 0),
					     OP(SET, STUB_ARGS, 1),
					     OP(HYPERCALL, 0x110, DEMAND),
					     OP(READ, DEMAND, 0),
					     OP(EXPECT, 0, 0),
					     THE_END};
	struct axvm_vm *vm;

	(void)state;
	ivc_config(1, POOL_PAGES);
	add_region(DEMAND, DEMAND_PAGES * PAGE, AXVM_REGION_DEMAND);
	vm = running(ops);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_GPR(0)), 1);
	no_violation();
	end(vm);
}

static void a_balloon_call_is_bounded(void **state)
{
	struct axvm_vm *vm = vm_with_regions();

	(void)state;
	put(vm, DEMAND + 511 * PAGE, 1);
	put(vm, DEMAND + 512 * PAGE, 2);
	assert_int_equal(CALL(vm, 0x110, DEMAND, DEMAND_PAGES), 512);
	assert_int_equal(get(vm, DEMAND + 511 * PAGE), 0);
	assert_int_equal(get(vm, DEMAND + 512 * PAGE), 2);
	assert_int_equal(CALL(vm, 0x110, DEMAND + 512 * PAGE, 512), 512);
	assert_int_equal(get(vm, DEMAND + 512 * PAGE), 0);
	end(vm);
}

static void the_balloon_takes_whole_pages_of_one_demand_region(void **state)
{
	struct axvm_vm *vm = vm_with_regions();

	(void)state;
	assert_int_equal(CALL(vm, 0x110, DEMAND, 0), WIRE(INVALID));
	assert_int_equal(CALL(vm, 0x110, DEMAND + 8, 1), WIRE(INVALID));
	assert_int_equal(CALL(vm, 0x110, DEMAND, UINT64_MAX), WIRE(INVALID));
	assert_int_equal(CALL(vm, 0x110, DEMAND, UINT64_C(1) << 52),
			 WIRE(INVALID));
	assert_int_equal(CALL(vm, 0x110, DEMAND, (UINT64_C(1) << 52) - 1),
			 WIRE(BAD_ADDRESS));
	assert_int_equal(CALL(vm, 0x110, DEMAND, DEMAND_PAGES + 1),
			 WIRE(BAD_ADDRESS));
	assert_int_equal(CALL(vm, 0x110, DEMAND - PAGE, 2), WIRE(BAD_ADDRESS));
	assert_int_equal(CALL(vm, 0x110, RAM, 1), WIRE(BAD_ADDRESS));
	assert_int_equal(CALL(vm, 0x110, NOWHERE, 1), WIRE(BAD_ADDRESS));
	assert_int_equal(CALL(vm, 0x110, FIRST, 1), WIRE(BAD_ADDRESS));
	assert_int_equal(CALL(vm, 0x110, UINT64_MAX - PAGE + 1, 1),
			 WIRE(BAD_ADDRESS));
	end(vm);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(calls_0_to_2_fail),
		TEST(other_numbers_are_left_to_the_host),
		TEST(a_guest_gets_the_answer_without_an_exit),
		TEST(unknown_calls_of_ours_are_not_supported),
		TEST(wire_results_never_change),
		TEST(publish_maps_zeroed_memory_behind_the_familys_header),
		TEST(sizes_are_rounded_up_to_pages),
		TEST(sizes_that_do_not_fit_fail),
		TEST(subscribe_finds_the_same_memory),
		TEST(both_sides_may_read_and_write_but_not_execute),
		TEST(the_family_knows_0_and_minus_1),
		TEST(without_a_pool_nothing_works),
		TEST(bad_pointers_are_refused_and_change_nothing),
		TEST(pointers_into_demand_memory_fill_it),
		TEST(out_words_may_be_one),
		OWN(results_that_cannot_be_written_undo_the_call),
		TEST(capabilities_say_what_there_is),
		TEST(the_pool_is_told),
		TEST(a_read_only_channel_gives_no_writer),
		TEST(a_subscriber_may_want_less),
		TEST(flags_and_lines_are_checked),
		TEST(our_calls_say_what_was_wrong),
		TEST(the_state_is_32_bytes),
		TEST(the_balloon_gives_pages_back),
		TEST(a_guest_finds_zeroes_where_it_gave_back),
		TEST(a_balloon_call_is_bounded),
		TEST(the_balloon_takes_whole_pages_of_one_demand_region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
