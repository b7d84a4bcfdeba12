/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The pool a configuration asks for, and the channels it names: there from
 * axvm_init() on, in whatever order VMs come, and again after a reset.
 */
#include "ivc_test.h"

#define KEY UINT64_C(7)

static int create_refused(const char **reason, uint32_t *index)
{
	struct axvm_config_error error = {.reason = ""};
	struct axvm_vm *vm = NULL;
	int err = axvm_create(stub_get_host(m), &config, &error, &vm);

	assert_null(vm);
	if (reason != NULL)
		*reason = error.reason;
	if (index != NULL)
		*index = error.index;
	assert_string_equal(error.field, "devices.emu_devices");
	return err;
}

/* ---- what is refused ---- */

static void a_vm_has_one_pool(void **state)
{
	uint32_t index;

	(void)state;
	ivc_config(1, POOL_PAGES);
	emus[1] = emus[0];
	emus[1].gpa.value += MIB(16);
	config.emu_device_count = 2;
	assert_int_equal(create_refused(NULL, &index), AXVM_EINVAL);
	assert_int_equal(index, 1);
}

static void arguments_come_in_fours(void **state)
{
	(void)state;
	for (uint32_t count = 1; count <= AXVM_CONFIG_MAX_DEVICE_ARGS;
	     count++) {
		ivc_config(1, POOL_PAGES);
		ivc_static(1, KEY, PAGE, 0);
		ivc_static(1, KEY + 1, PAGE, 0);
		emus[0].arg_count = count;
		if (count % 4 != 0)
			assert_int_equal(create_refused(NULL, NULL),
					 AXVM_EINVAL);
		else
			end(loaded());
	}
}

static void channels_must_fit_the_pool(void **state)
{
	static const struct {
		uint64_t pages, first, second;
		bool fits;
	} cases[] = {
		{1, PAGE, 0, true},
		{1, PAGE + 1, 0, false},
		{1, 1, 1, false},
		{2, PAGE, 0, true},
		{2, PAGE + 1, 0, false},
		{4, PAGE + 1, PAGE, true},
		{4, PAGE + 1, PAGE + 1, false},
		{4, UINT64_MAX, 0, false},
		{4, 1, UINT64_MAX, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ivc_config(1, cases[i].pages);
		ivc_static(1, KEY, cases[i].first, 0);
		if (cases[i].second != 0)
			ivc_static(1, KEY + 1, cases[i].second, 0);
		if (cases[i].fits)
			end(loaded());
		else
			assert_int_equal(create_refused(NULL, NULL),
					 AXVM_EINVAL);
	}
	ivc_config(1, 4);
	ivc_static(1, KEY, 0, 0);
	assert_int_equal(create_refused(NULL, NULL), AXVM_EINVAL);
}

static void two_channels_of_one_name_are_refused(void **state)
{
	(void)state;
	ivc_config(1, POOL_PAGES);
	ivc_static(1, KEY, PAGE, 0);
	ivc_static(1, KEY, PAGE, 0);
	assert_int_equal(create_refused(NULL, NULL), AXVM_EINVAL);
	emus[0].args[4] = 2;
	end(loaded());
}

static void lines_must_exist_on_the_machine(void **state)
{
	static const uint64_t bad[] = {
		64, 1023, 1024, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ivc_config(1, POOL_PAGES);
		ivc_static(1, KEY, PAGE, bad[i]);
		assert_int_equal(create_refused(NULL, NULL), AXVM_EINVAL);
	}
	ivc_config(1, POOL_PAGES);
	emus[0].irq = 64;
	assert_int_equal(create_refused(NULL, NULL), AXVM_EINVAL);
	emus[0].irq = 63;
	ivc_static(1, KEY, PAGE, 1);
	end(loaded());
}

static enum axvm_access_result nothing(struct axvm_device *device,
				       struct axvm_device_access *access)
{
	(void)device;
	(void)access;
	return AXVM_ACCESS_DONE;
}

static void devices_of_the_host_may_not_lie_in_the_pool(void **state)
{
	static const struct axvm_device_ops ops = {.name = "x",
						   .access = nothing};
	static const uint64_t places[] = {POOL, FIRST, POOL + 63 * PAGE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct axvm_device device = {
			.ops = &ops,
			.range_count = 1,
			.ranges = {{.base = places[i], .size = 8, .widths = 8}},
		};
		struct axvm_vm *vm;
		size_t live;

		ivc_config(1, POOL_PAGES);
		vm = created();
		assert_int_equal(axvm_add_device(vm, &device), AXVM_OK);
		live = test_hal_live(stub_hal(m));
		assert_int_equal(axvm_init(vm), AXVM_EEXIST);
		assert_int_equal(test_hal_live(stub_hal(m)), live);
		assert_null(axvmi_bus_find(&vm->bus[AXVM_BUS_MMIO],
					   POOL + 40 * PAGE));
		destroy(vm);
	}
}

/* ---- channels of the configuration ---- */

static struct axvm_vm *static_vm(uint64_t id, uint64_t size, uint64_t line)
{
	ivc_config(id, POOL_PAGES);
	ivc_static(1, KEY, size, line);
	return booted();
}

static void they_are_there_in_any_order(void **state)
{
	(void)state;
	for (uint64_t first = 1; first <= 2; first++) {
		struct axvm_vm *a = static_vm(first, 2 * PAGE, 0);
		struct axvm_vm *b = static_vm(3 - first, 2 * PAGE, 33);
		struct axvm_ivc_state s;
		uint64_t *header = seen(a, FIRST);

		assert_ptr_equal(header, seen(b, FIRST));
		assert_ptr_equal(seen(a, FIRST + PAGE), seen(b, FIRST + PAGE));
		assert_int_equal(header[0], 1);
		assert_int_equal(header[1], KEY);
		assert_int_equal(state_of(a, 1, KEY, &s), 0);
		assert_int_equal(s.flags, AXVM_IVC_USED | AXVM_IVC_WRITABLE |
						  AXVM_IVC_FIXED);
		assert_int_equal(s.peers, 1);
		assert_int_equal(s.line, POOL_LINE);
		assert_int_equal(state_of(b, 1, KEY, &s), 0);
		assert_int_equal(s.line, 33);
		end(a);
		end(b);
	}
}

static struct axvm_vm *second;

static void init_second(void)
{
	if (axvm_init(second) != AXVM_OK)
		abort();
}

static void two_vms_may_come_at_once(void **state)
{
	struct axvm_vm *first;
	struct axvm_ivc_state s;

	(void)state;
	ivc_machine_with_meanwhile();
	ivc_config(2, POOL_PAGES);
	ivc_static(1, KEY, PAGE, 0);
	second = created();
	/* Of the reset, the first allocation is the channel's. */
	first = static_vm(1, PAGE, 0);
	stop(first);
	ivc_meanwhile = init_second;
	reset(first);
	assert_null(ivc_meanwhile);
	assert_ptr_equal(seen(first, FIRST), seen(second, FIRST));
	assert_int_equal(axvm_boot(first), AXVM_OK);
	assert_int_equal(state_of(first, 1, KEY, &s), 0);
	assert_int_equal(s.peers, 1);
	end(first);
	destroy(second);
}

static void guests_cannot_leave_or_take_them(void **state)
{
	struct axvm_vm *a = static_vm(1, PAGE, 0);
	struct axvm_vm *b = static_vm(2, PAGE, 0);

	(void)state;
	assert_int_equal(unpublish(a, KEY), FAILED);
	assert_int_equal(unsubscribe(a, 1, KEY), FAILED);
	assert_int_equal(unsubscribe(b, 1, KEY), FAILED);
	assert_int_equal(publish(a, KEY, 1), FAILED);
	assert_int_equal(subscribe(b, 1, KEY), FAILED);
	assert_int_equal(axvm_ivc_close(stub_get_host(m), 1, KEY), AXVM_EPERM);
	assert_ptr_equal(seen(a, FIRST), seen(b, FIRST));
	end(a);
	end(b);
}

static void sizes_must_agree(void **state)
{
	struct axvm_vm *a = static_vm(1, PAGE + 1, 0);
	struct axvm_vm *b;
	size_t live;

	(void)state;
	ivc_config(2, POOL_PAGES);
	ivc_static(9, KEY, PAGE, 0);
	ivc_static(1, KEY, PAGE, 0);
	b = created();
	/* The table of the bus stays. */
	assert_int_equal(axvm_init(b), AXVM_EEXIST);
	live = test_hal_live(stub_hal(m));
	assert_int_equal(axvm_init(b), AXVM_EEXIST);
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	end(a);
	assert_int_equal(axvm_init(b), AXVM_OK);
	destroy(b);
	/* By pages, as they are rounded. */
	a = static_vm(1, PAGE + 1, 0);
	b = static_vm(2, 2 * PAGE, 0);
	end(a);
	end(b);
}

static void after_a_reset_they_are_there_again(void **state)
{
	struct axvm_vm *a = static_vm(1, PAGE, 0);
	struct axvm_vm *b = static_vm(2, PAGE, 0);
	struct axvm_ivc_state before, after;
	uint64_t *word = seen(b, FIRST);

	(void)state;
	word[5] = 5;
	assert_int_equal(state_of(b, 1, KEY, &before), 0);
	stop(a);
	reset(a);
	assert_ptr_equal(seen(a, FIRST), word);
	assert_int_equal(word[5], 5);
	assert_int_equal(state_of(b, 1, KEY, &after), 0);
	assert_int_equal(after.flags, before.flags);
	assert_true(after.generation > before.generation);
	/* The last one's reset begins with new memory. */
	end(b);
	assert_int_equal(axvm_boot(a), AXVM_OK);
	stop(a);
	reset(a);
	assert_int_equal(((uint64_t *)seen(a, FIRST))[5], 0);
	destroy(a);
}

static void the_last_one_takes_the_memory_along(void **state)
{
	struct axvm_vm *a = static_vm(1, PAGE, 0);
	struct axvm_vm *b = static_vm(2, PAGE, 0);
	struct axvm_ivc_info info;

	(void)state;
	assert_int_equal(axvm_ivc_query(stub_get_host(m), 1, KEY, &info),
			 AXVM_OK);
	assert_int_equal(info.connected, 2);
	assert_int_equal(info.access, AXVM_RW);
	end(a);
	assert_true(is_mapped(b, FIRST));
	end(b);
	assert_int_equal(axvm_ivc_query(stub_get_host(m), 1, KEY, &info),
			 AXVM_ENOENT);
}

static void other_guests_subscribe_to_them(void **state)
{
	struct axvm_vm *a = static_vm(1, PAGE, 0);
	struct axvm_vm *c = ivc_vm(3);

	(void)state;
	assert_int_equal(subscribe(c, 1, KEY), 0);
	assert_ptr_equal(seen(a, FIRST), seen(c, FIRST));
	end(a);
	assert_true(is_mapped(c, FIRST));
	assert_int_equal(unsubscribe(c, 1, KEY), 0);
	end(c);
}

static void several_lie_one_behind_the_other(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	ivc_config(1, POOL_PAGES);
	ivc_static(1, 10, 2 * PAGE, 0);
	ivc_static(5, 11, PAGE, 0);
	vm = booted();
	assert_int_equal(((uint64_t *)seen(vm, FIRST))[1], 10);
	assert_int_equal(((uint64_t *)seen(vm, FIRST + 2 * PAGE))[0], 5);
	assert_int_equal(((uint64_t *)seen(vm, FIRST + 2 * PAGE))[1], 11);
	assert_int_equal(publish(vm, KEY, 1), 0);
	assert_int_equal(get(vm, OUT_GPA), FIRST + 3 * PAGE);
	end(vm);
}

static void an_init_that_fails_at_its_images_leaves_no_channel(void **state)
{
	static const uint8_t bytes[16];
	const struct axvm_image image = {bytes, sizeof(bytes), {NOWHERE}};
	struct axvm_ivc_info info;
	struct axvm_vm *vm;

	(void)state;
	ivc_config(1, POOL_PAGES);
	ivc_static(1, KEY, 2 * PAGE, 0);
	vm = created();
	assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_RAW, &image), AXVM_OK);
	assert_int_equal(axvm_init(vm), AXVM_ERANGE);
	assert_int_equal(axvm_ivc_query(stub_get_host(m), 1, KEY, &info),
			 AXVM_ENOENT);
	assert_null(axvmi_bus_find(&vm->bus[AXVM_BUS_MMIO], POOL));
	assert_null(axvmi_bus_find(&vm->bus[AXVM_BUS_MMIO], FIRST));
	destroy(vm);
}

static void a_vm_that_never_booted_lets_go_too(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	ivc_config(1, POOL_PAGES);
	ivc_static(1, KEY, 2 * PAGE, 0);
	vm = loaded();
	destroy(vm);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_vm_has_one_pool),
		TEST(arguments_come_in_fours),
		TEST(channels_must_fit_the_pool),
		TEST(two_channels_of_one_name_are_refused),
		TEST(lines_must_exist_on_the_machine),
		TEST(devices_of_the_host_may_not_lie_in_the_pool),
		TEST(they_are_there_in_any_order),
		OWN(two_vms_may_come_at_once),
		TEST(guests_cannot_leave_or_take_them),
		TEST(sizes_must_agree),
		TEST(after_a_reset_they_are_there_again),
		TEST(the_last_one_takes_the_memory_along),
		TEST(other_guests_subscribe_to_them),
		TEST(several_lie_one_behind_the_other),
		TEST(an_init_that_fails_at_its_images_leaves_no_channel),
		TEST(a_vm_that_never_booted_lets_go_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
