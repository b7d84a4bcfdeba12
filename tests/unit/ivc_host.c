/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Channels that the host makes, and VMs that it connects. */
#include "ivc_test.h"

#define KEY UINT64_C(7)

static struct axvm_ivc_config wanted(uint64_t publisher)
{
	return (struct axvm_ivc_config){
		.size = sizeof(struct axvm_ivc_config),
		.publisher = publisher,
		.key = KEY,
		.bytes = PAGE + 1,
		.access = AXVM_READ,
	};
}

static int make(uint64_t publisher)
{
	struct axvm_ivc_config c = wanted(publisher);

	return axvm_ivc_create(stub_get_host(m), &c);
}

static int shut(uint64_t publisher)
{
	return axvm_ivc_close(stub_get_host(m), publisher, KEY);
}

static int connect_to(struct axvm_vm *vm, uint64_t publisher, uint32_t access)
{
	return axvm_ivc_connect(vm, publisher, KEY, access, 0, NULL);
}

static struct axvm_ivc_info info_of(uint64_t publisher)
{
	struct axvm_ivc_info info;

	assert_int_equal(
		axvm_ivc_query(stub_get_host(m), publisher, KEY, &info),
		AXVM_OK);
	return info;
}

static void create_checks_its_arguments(void **state)
{
	struct axvm_host *host = stub_get_host(m);
	struct axvm_ivc_config c;

	(void)state;
	c = wanted(1);
	assert_int_equal(axvm_ivc_create(NULL, &c), AXVM_EINVAL);
	assert_int_equal(axvm_ivc_create(host, NULL), AXVM_EINVAL);
	c.size = 0;
	assert_int_equal(axvm_ivc_create(host, &c), AXVM_EINVAL);
	c = wanted(1);
	c.bytes = 0;
	assert_int_equal(axvm_ivc_create(host, &c), AXVM_EINVAL);
	c.bytes = UINT64_MAX;
	assert_int_equal(axvm_ivc_create(host, &c), AXVM_EINVAL);
	c.bytes = UINT64_MAX - PAGE + 1;
	assert_int_equal(axvm_ivc_create(host, &c), AXVM_EINVAL);
	c = wanted(1);
	c.access = AXVM_WRITE;
	assert_int_equal(axvm_ivc_create(host, &c), AXVM_EINVAL);
	c.access = AXVM_RWX;
	assert_int_equal(axvm_ivc_create(host, &c), AXVM_EINVAL);
	c = wanted(1);
	c.reserved = 1;
	assert_int_equal(axvm_ivc_create(host, &c), AXVM_EINVAL);
	assert_int_equal(shut(1), AXVM_ENOENT);
}

static void a_channel_of_the_host_outlives_its_users(void **state)
{
	struct axvm_vm *vm = ivc_vm(5);
	uint64_t *word;

	(void)state;
	assert_int_equal(make(1), AXVM_OK);
	assert_int_equal(make(1), AXVM_EEXIST);
	assert_int_equal(info_of(1).size, 2 * PAGE);
	assert_int_equal(info_of(1).access, AXVM_READ);
	assert_int_equal(info_of(1).connected, 0);
	assert_int_equal(connect_to(vm, 1, AXVM_READ), AXVM_OK);
	assert_int_equal(info_of(1).connected, 1);
	word = seen(vm, FIRST);
	assert_int_equal(word[0], 1);
	assert_int_equal(word[1], KEY);
	word[3] = 99;
	end(vm);
	assert_int_equal(info_of(1).connected, 0);
	vm = ivc_vm(5);
	assert_int_equal(connect_to(vm, 1, AXVM_READ), AXVM_OK);
	assert_int_equal(((uint64_t *)seen(vm, FIRST))[3], 99);
	assert_int_equal(shut(1), AXVM_OK);
	assert_int_equal(shut(1), AXVM_ENOENT);
	assert_true(is_mapped(vm, FIRST));
	end(vm);
}

static void an_open_channel_keeps_the_host(void **state)
{
	static const struct stub_config c = {.cpus = 1};

	(void)state;
	m = stub_new(&c);
	assert_int_equal(make(1), AXVM_OK);
	assert_int_equal(stub_cpu_disable(m, 0), AXVM_OK);
	assert_int_equal(axvm_host_destroy(stub_get_host(m)), AXVM_EBUSY);
	assert_int_equal(shut(1), AXVM_OK);
}

static void rights_are_as_granted(void **state)
{
	struct axvm_vm *vm = ivc_vm(5);
	struct axvm_vm *owner = ivc_vm(1);
	struct axvm_mapping mapping;

	(void)state;
	assert_int_equal(make(1), AXVM_OK);
	assert_int_equal(connect_to(vm, 1, AXVM_RW), AXVM_EPERM);
	assert_int_equal(connect_to(vm, 1, AXVM_READ), AXVM_OK);
	assert_int_equal(axvm_query(vm, axvm_to_gpa(FIRST), &mapping), AXVM_OK);
	assert_int_equal(mapping.access, AXVM_READ);
	/* Whose name it bears may write. */
	assert_int_equal(connect_to(owner, 1, AXVM_RW), AXVM_OK);
	assert_int_equal(axvm_query(owner, axvm_to_gpa(FIRST), &mapping),
			 AXVM_OK);
	assert_int_equal(mapping.access, AXVM_RW);
	assert_ptr_equal(seen(vm, FIRST), seen(owner, FIRST));
	assert_int_equal(shut(1), AXVM_OK);
	end(vm);
	end(owner);
}

static void guests_subscribe_to_channels_of_the_host(void **state)
{
	struct axvm_ivc_config c = wanted(1);
	struct axvm_vm *vm = ivc_vm(5);
	struct axvm_vm *owner = ivc_vm(1);

	(void)state;
	c.access = AXVM_RW;
	assert_int_equal(axvm_ivc_create(stub_get_host(m), &c), AXVM_OK);
	assert_int_equal(subscribe(vm, 1, KEY), 0);
	assert_int_equal(get(vm, OUT_SIZE), 2 * PAGE);
	/* The name is taken, also for the VM that it names. */
	assert_int_equal(publish(owner, KEY, 1), FAILED);
	assert_int_equal(subscribe(owner, 1, KEY), 0);
	assert_int_equal(unpublish(owner, KEY), FAILED);
	assert_int_equal(unsubscribe(owner, 1, KEY), 0);
	assert_int_equal(info_of(1).connected, 1);
	assert_int_equal(unsubscribe(vm, 1, KEY), 0);
	assert_int_equal(info_of(1).connected, 0);
	assert_int_equal(shut(1), AXVM_OK);
	assert_int_equal(publish(owner, KEY, 1), 0);
	assert_int_equal(shut(1), AXVM_EPERM);
	end(vm);
	end(owner);
}

static void what_the_host_connected_the_guest_cannot_leave(void **state)
{
	struct axvm_vm *vm = ivc_vm(5);
	struct axvm_ivc_state s;

	(void)state;
	assert_int_equal(make(1), AXVM_OK);
	assert_int_equal(connect_to(vm, 1, AXVM_READ), AXVM_OK);
	assert_int_equal(connect_to(vm, 1, AXVM_READ), AXVM_EEXIST);
	assert_int_equal(state_of(vm, 1, KEY, &s), 0);
	assert_int_equal(s.flags, AXVM_IVC_USED | AXVM_IVC_FIXED);
	assert_int_equal(unsubscribe(vm, 1, KEY), FAILED);
	assert_true(is_mapped(vm, FIRST));
	assert_int_equal(axvm_ivc_disconnect(vm, 1, KEY), AXVM_OK);
	assert_false(is_mapped(vm, FIRST));
	assert_int_equal(axvm_ivc_disconnect(vm, 1, KEY), AXVM_ENOENT);
	assert_int_equal(shut(1), AXVM_OK);
	end(vm);
}

static void the_host_connects_to_channels_of_guests(void **state)
{
	struct axvm_vm *vm = ivc_vm(5);
	struct axvm_vm *owner = ivc_vm(1);
	struct axvm_gpa gpa = {0};
	struct axvm_ivc_state s;

	(void)state;
	assert_int_equal(publish(owner, KEY, 1), 0);
	assert_int_equal(axvm_ivc_connect(vm, 1, KEY, AXVM_RW, 9, &gpa),
			 AXVM_OK);
	assert_int_equal(gpa.value, FIRST);
	assert_int_equal(state_of(vm, 1, KEY, &s), 0);
	assert_int_equal(s.line, 9);
	/* And takes anybody out, the publisher too. */
	assert_int_equal(axvm_ivc_disconnect(owner, 1, KEY), AXVM_OK);
	assert_int_equal(state_of(vm, 1, KEY, &s), 0);
	assert_true((s.flags & AXVM_IVC_CLOSED) != 0);
	end(vm);
	end(owner);
}

static void connect_checks_its_arguments(void **state)
{
	struct axvm_vm *vm = ivc_vm_of(5, 2);
	struct axvm_vm *without;

	(void)state;
	new_config();
	without = booted();
	assert_int_equal(connect_to(vm, 1, AXVM_READ), AXVM_ENOENT);
	assert_int_equal(make(1), AXVM_OK);
	assert_int_equal(connect_to(NULL, 1, AXVM_READ), AXVM_EINVAL);
	assert_int_equal(connect_to(vm, 1, 0), AXVM_EINVAL);
	assert_int_equal(connect_to(vm, 1, AXVM_WRITE), AXVM_EINVAL);
	assert_int_equal(connect_to(vm, 1, AXVM_RWX), AXVM_EINVAL);
	assert_int_equal(axvm_ivc_connect(vm, 1, KEY, AXVM_READ, 64, NULL),
			 AXVM_EINVAL);
	/* Two pages, room for one. */
	assert_int_equal(connect_to(vm, 1, AXVM_READ), AXVM_ENOSPC);
	assert_int_equal(connect_to(without, 1, AXVM_READ), AXVM_ENOTSUP);
	assert_int_equal(axvm_ivc_disconnect(without, 1, KEY), AXVM_ENOENT);
	assert_int_equal(axvm_ivc_disconnect(NULL, 1, KEY), AXVM_EINVAL);
	assert_int_equal(axvm_ivc_close(NULL, 1, KEY), AXVM_EINVAL);
	assert_int_equal(axvm_ivc_notify(NULL, 1, KEY), AXVM_EINVAL);
	assert_int_equal(axvm_ivc_query(NULL, 1, KEY, NULL), AXVM_EINVAL);
	assert_int_equal(axvm_ivc_query(stub_get_host(m), 1, KEY, NULL),
			 AXVM_EINVAL);
	assert_int_equal(shut(1), AXVM_OK);
	end(vm);
	end(without);
}

static void connecting_wants_a_vm_with_memory(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	assert_int_equal(make(1), AXVM_OK);
	ivc_config(5, POOL_PAGES);
	vm = created();
	assert_int_equal(connect_to(vm, 1, AXVM_READ), AXVM_ESTATE);
	assert_int_equal(axvm_ivc_disconnect(vm, 1, KEY), AXVM_ESTATE);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	assert_int_equal(connect_to(vm, 1, AXVM_READ), AXVM_OK);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	stop(vm);
	assert_int_equal(axvm_ivc_disconnect(vm, 1, KEY), AXVM_ESTATE);
	reset(vm);
	assert_int_equal(info_of(1).connected, 0);
	assert_int_equal(connect_to(vm, 1, AXVM_READ), AXVM_OK);
	destroy(vm);
	assert_int_equal(shut(1), AXVM_OK);
}

static void connecting_to_a_vm_that_is_being_destroyed_fails(void **state)
{
	struct axvm_ivc_config c = wanted(1);
	struct axvm_host *host = stub_get_host(m);
	struct axvm_vm *vm;

	(void)state;
	c.bytes = 1500 * PAGE;
	assert_int_equal(axvm_ivc_create(host, &c), AXVM_OK);
	c.publisher = 2;
	assert_int_equal(axvm_ivc_create(host, &c), AXVM_OK);
	ivc_config(5, 8192);
	vm = loaded();
	assert_int_equal(connect_to(vm, 1, AXVM_READ), AXVM_OK);
	assert_int_equal(connect_to(vm, 2, AXVM_READ), AXVM_OK);
	assert_int_equal(axvm_destroy(vm), AXVM_EAGAIN);
	assert_int_equal(info_of(1).connected, 0);
	assert_int_equal(connect_to(vm, 1, AXVM_READ), AXVM_ESTATE);
	assert_int_equal(axvm_ivc_disconnect(vm, 2, KEY), AXVM_ESTATE);
	destroy(vm);
	assert_int_equal(shut(1), AXVM_OK);
	assert_int_equal(shut(2), AXVM_OK);
}

static void the_host_rings_everybody(void **state)
{
	static const struct stub_op ops[] = {OP(IRQS, 0, 0), THE_END};
	struct axvm_vm *vm = ivc_vm(5);
	struct axvm_host *host = stub_get_host(m);

	(void)state;
	assert_int_equal(axvm_ivc_notify(host, 1, KEY), AXVM_ENOENT);
	assert_int_equal(make(1), AXVM_OK);
	assert_int_equal(axvm_ivc_notify(host, 1, KEY), AXVM_OK);
	assert_int_equal(connect_to(vm, 1, AXVM_READ), AXVM_OK);
	assert_int_equal(axvm_ivc_notify(host, 1, KEY), AXVM_OK);
	stub_program(vm, 0, ops);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_RESULT), BIT64(POOL_LINE));
	assert_int_equal(shut(1), AXVM_OK);
	assert_int_equal(axvm_ivc_notify(host, 1, KEY), AXVM_ENOENT);
	end(vm);
}

static int try_make(void *arg)
{
	return make(*(const uint64_t *)arg);
}

static int try_connect(void *arg)
{
	return connect_to(arg, 1, AXVM_READ);
}

static void out_of_memory_changes_nothing(void **state)
{
	struct axvm_vm *vm = ivc_vm(5);
	uint64_t publisher = 1;

	(void)state;
	assert_int_equal(sweep(try_make, &publisher), 4);
	assert_true(sweep(try_connect, vm) > 0);
	assert_int_equal(info_of(1).connected, 1);
	assert_int_equal(shut(1), AXVM_OK);
	end(vm);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(create_checks_its_arguments),
		TEST(a_channel_of_the_host_outlives_its_users),
		OWN(an_open_channel_keeps_the_host),
		TEST(rights_are_as_granted),
		TEST(guests_subscribe_to_channels_of_the_host),
		TEST(what_the_host_connected_the_guest_cannot_leave),
		TEST(the_host_connects_to_channels_of_guests),
		TEST(connect_checks_its_arguments),
		TEST(connecting_wants_a_vm_with_memory),
		TEST(connecting_to_a_vm_that_is_being_destroyed_fails),
		TEST(the_host_rings_everybody),
		TEST(out_of_memory_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
