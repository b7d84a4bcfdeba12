/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* host.c: hosts, CPUs, the ledger of physical memory. */
#include "core_test.h"

static const struct stub_op nothing[] = {THE_END};

static int create_host(const struct axvm_hal *hal, uint32_t cpus)
{
	struct axvm_host *host = NULL;
	int err = axvm_host_create(hal, stub_ops(m), cpus, &host);

	if (err == AXVM_OK)
		assert_int_equal(axvm_host_destroy(host), AXVM_OK);
	else
		assert_null(host);
	return err;
}

static void create_checks_the_hal(void **state)
{
	const struct axvm_hal good = stub_hal(m)->hal;
	struct axvm_hal hal = good;
	struct axvm_host *host;

	(void)state;
	assert_int_equal(create_host(&hal, 1), AXVM_OK);
	assert_int_equal(create_host(&hal, AXVM_MAX_CPUS), AXVM_OK);
	assert_int_equal(create_host(NULL, 1), AXVM_EINVAL);
	assert_int_equal(axvm_host_create(&hal, NULL, 1, &host), AXVM_EINVAL);
	assert_int_equal(axvm_host_create(&hal, stub_ops(m), 1, NULL),
			 AXVM_EINVAL);
	assert_int_equal(create_host(&hal, 0), AXVM_ERANGE);
	assert_int_equal(create_host(&hal, AXVM_MAX_CPUS + 1), AXVM_ERANGE);
	hal.size--;
	assert_int_equal(create_host(&hal, 1), AXVM_EINVAL);
	hal = good;
	hal.alloc = NULL;
	assert_int_equal(create_host(&hal, 1), AXVM_EINVAL);
	hal = good;
	hal.free = NULL;
	assert_int_equal(create_host(&hal, 1), AXVM_EINVAL);
	hal = good;
	hal.virt_to_phys = NULL;
	assert_int_equal(create_host(&hal, 1), AXVM_EINVAL);
	hal = good;
	hal.phys_to_virt = NULL;
	assert_int_equal(create_host(&hal, 1), AXVM_EINVAL);
	hal = good;
	hal.counter_hz = UINT64_C(1) << 32;
	assert_int_equal(create_host(&hal, 1), AXVM_EINVAL);
}

static void a_hal_of_mandatory_callbacks_is_enough(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	static const struct stub_op ops[] = {OP(WFI, 0, 0), THE_END};
	struct axvm_hal *hal;
	struct axvm_vm *vm;

	(void)state;
	m = stub_new_bare(&c);
	hal = &stub_hal(m)->hal;
	hal->kick = NULL;
	hal->wake = NULL;
	hal->now = NULL;
	hal->timer = NULL;
	hal->wallclock = NULL;
	hal->irq_unmask = NULL;
	hal->log = NULL;
	hal->counter_hz = 0;
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
	vm = running(ops);
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(axvm_vcpu_kick(vm, 0), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_KICKED);
	end(vm);
}

static int try_host(void *arg)
{
	return axvm_host_create(&stub_hal(m)->hal, stub_ops(m), 4, arg);
}

static int try_cpu(void *arg)
{
	(void)arg;
	return stub_cpu_enable(m, 2);
}

static void host_and_cpu_without_memory_change_nothing(void **state)
{
	struct axvm_host *host = NULL;

	(void)state;
	assert_int_equal(sweep(try_host, &host), 1);
	assert_int_equal(axvm_host_destroy(host), AXVM_OK);
	assert_int_equal(sweep(try_cpu, NULL), 1);
}

static void a_host_in_use_is_not_destroyed(void **state)
{
	struct axvm_vm *vm = created();

	(void)state;
	assert_int_equal(axvm_host_destroy(NULL), AXVM_EINVAL);
	assert_int_equal(stub_cpu_disable(m, 1), AXVM_OK);
	assert_int_equal(stub_cpu_disable(m, 0), AXVM_OK);
	assert_int_equal(axvm_host_destroy(stub_get_host(m)), AXVM_EBUSY);
	destroy(vm);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
	assert_int_equal(axvm_host_destroy(stub_get_host(m)), AXVM_EBUSY);
}

/* ---- CPUs ---- */

static void enable_checks_index_and_id(void **state)
{
	struct axvm_host *host = stub_get_host(m);
	struct axvm_cpu *cpu = NULL;

	(void)state;
	assert_int_equal(axvm_cpu_enable(NULL, 2, 2, &cpu), AXVM_EINVAL);
	assert_int_equal(axvm_cpu_enable(host, 2, 2, NULL), AXVM_EINVAL);
	assert_int_equal(axvm_cpu_enable(host, STUB_CPUS, 2, &cpu),
			 AXVM_ERANGE);
	assert_int_equal(axvm_cpu_enable(host, 1, 2, &cpu), AXVM_EEXIST);
	assert_int_equal(axvm_cpu_enable(host, 2, 101, &cpu), AXVM_EEXIST);
	assert_null(cpu);
	assert_int_equal(axvm_cpu_enable(host, 2, 102, &cpu), AXVM_OK);
	assert_int_equal(axvm_cpu_index(cpu), 2);
	stub_be(m, 2);
	assert_int_equal(axvm_cpu_disable(cpu), AXVM_OK);
	assert_int_equal(axvm_cpu_disable(NULL), AXVM_EINVAL);
	assert_int_equal(axvm_cpu_release(NULL), AXVM_EINVAL);
}

static void a_second_cpu_needs_kick(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_kick = true};
	struct axvm_cpu *cpu = NULL;

	(void)state;
	m = stub_new(&c);
	assert_string_equal(axvm_host_reason(stub_get_host(m)), "");
	assert_int_equal(axvm_cpu_enable(stub_get_host(m), 1, 1, &cpu),
			 AXVM_ENOTSUP);
	assert_non_null(strstr(axvm_host_reason(stub_get_host(m)), "kick"));
	assert_null(cpu);
	/* One at a time is fine. */
	assert_int_equal(stub_cpu_disable(m, 0), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 1), AXVM_OK);
	assert_string_equal(axvm_host_reason(stub_get_host(m)), "");
}

static void a_refused_cpu_says_why_and_leaves_nothing(void **state)
{
	size_t live = test_hal_live(stub_hal(m));

	(void)state;
	stub_refuse_cpu(m);
	assert_int_equal(stub_cpu_enable(m, 2), AXVM_ENOTSUP);
	assert_string_equal(axvm_host_reason(stub_get_host(m)),
			    "stub: told to refuse");
	assert_int_equal(test_hal_live(stub_hal(m)), live);
	assert_int_equal(stub_cpu_enable(m, 2), AXVM_OK);
	assert_string_equal(axvm_host_reason(stub_get_host(m)), "");
}

static void disable_puts_the_resident_vcpu(void **state)
{
	struct axvm_vm *vm = running(nothing);

	(void)state;
	assert_int_equal(run_on(1, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(stub_cpu_disable(m, 1), AXVM_OK);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(stub_cpu_enable(m, 1), AXVM_OK);
	stub_be(m, 0);
	assert_int_equal(axvm_vcpu_unbind(stub_cpu(m, 0), vm, 0), AXVM_OK);
	assert_int_equal(run_on(1, vm, 0), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

/* ---- the ledger ---- */

static struct axvm_region_config *host_region(uint64_t gpa, uint64_t hpa)
{
	struct axvm_region_config *r = add_region(gpa, PAGE, AXVM_REGION_HOST);

	r->hpa.value = hpa;
	return r;
}

static int reserve(uint64_t start, uint64_t size)
{
	return axvm_host_reserve(stub_get_host(m), axvm_to_hpa(start), size);
}

static void reserve_refuses_nonsense_and_overlaps(void **state)
{
	(void)state;
	assert_int_equal(axvm_host_reserve(NULL, axvm_to_hpa(0), 1),
			 AXVM_EINVAL);
	assert_int_equal(reserve(0x1000, 0), AXVM_EINVAL);
	assert_int_equal(reserve(UINT64_MAX, 2), AXVM_EINVAL);
	assert_int_equal(reserve(UINT64_MAX, 1), AXVM_OK);
	assert_int_equal(reserve(0x1001, 0x10), AXVM_OK);
	assert_int_equal(reserve(0x1010, 1), AXVM_EEXIST);
	assert_int_equal(reserve(0x1000, 2), AXVM_EEXIST);
	assert_int_equal(reserve(0x1011, 1), AXVM_OK);
	assert_int_equal(reserve(0x1000, 1), AXVM_OK);
}

static void the_ledger_has_room_for_64_ranges(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 64; i++)
		assert_int_equal(reserve(i * 0x1000, 0x1000), AXVM_OK);
	assert_int_equal(reserve(64 * 0x1000, 0x1000), AXVM_ENOSPC);
	assert_int_equal(reserve(63 * 0x1000, 0x1000), AXVM_EEXIST);
}

static void no_region_touches_memory_of_the_host(void **state)
{
	static const enum axvm_region_kind kinds[] = {
		AXVM_REGION_HOST, AXVM_REGION_IDENTICAL, AXVM_REGION_RESERVED};
	uint64_t hpa = test_hal_host_memory(stub_hal(m), 4 * PAGE, PAGE).value;
	struct axvm_config_error error;
	struct axvm_vm *vm = NULL;

	(void)state;
	assert_int_equal(reserve(hpa + PAGE + 5, 1), AXVM_OK);
	for (unsigned i = 0; i < 3; i++) {
		struct axvm_region_config *r;

		new_config();
		r = add_region(hpa + PAGE, PAGE, kinds[i]);
		r->hpa.value = hpa + PAGE;
		assert_int_equal(
			axvm_create(stub_get_host(m), &config, &error, &vm),
			AXVM_EEXIST);
		assert_non_null(strstr(error.field, "memory_regions"));
		assert_int_equal(error.index, 1);
		assert_int_equal(
			axvm_create(stub_get_host(m), &config, NULL, &vm),
			AXVM_EEXIST);
		assert_null(vm);
		r->hpa.value = hpa + 2 * PAGE;
		r->gpa.value = hpa + 2 * PAGE;
		end(loaded());
	}
}

static void two_vms_never_share_physical_memory(void **state)
{
	uint64_t hpa = test_hal_host_memory(stub_hal(m), 4 * PAGE, PAGE).value;
	struct axvm_config_error error;
	struct axvm_vm *first, *vm = NULL;

	(void)state;
	host_region(0x1000, hpa);
	first = created();
	/* Named otherwise, the same page: as HOST, IDENTICAL, RESERVED. */
	config.id = 2;
	regions[1].kind = AXVM_REGION_RESERVED;
	regions[1].gpa.value = hpa;
	assert_int_equal(axvm_create(stub_get_host(m), &config, &error, &vm),
			 AXVM_EEXIST);
	regions[1].kind = AXVM_REGION_IDENTICAL;
	assert_int_equal(axvm_create(stub_get_host(m), &config, &error, &vm),
			 AXVM_EEXIST);
	/* And the host cannot take it back while the VM lives. */
	assert_int_equal(reserve(hpa + 100, 1), AXVM_EEXIST);
	/* What lies beside it is the host's to name. */
	assert_int_equal(reserve(hpa + PAGE, 1), AXVM_OK);
	destroy(first);
	vm = created();
	destroy(vm);
	assert_int_equal(reserve(hpa + 100, 1), AXVM_OK);
}

static void an_id_is_unique_on_the_host(void **state)
{
	struct axvm_config_error error;
	struct axvm_vm *first = created();
	struct axvm_vm *vm = NULL;

	(void)state;
	assert_int_equal(axvm_create(stub_get_host(m), &config, &error, &vm),
			 AXVM_EEXIST);
	assert_non_null(strstr(error.field, "id"));
	destroy(first);
	destroy(created());
}

static void vms_leave_the_list_in_any_order(void **state)
{
	struct axvm_vm *vms[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		config.id = i;
		vms[i] = created();
	}
	destroy(vms[1]);
	destroy(vms[3]);
	destroy(vms[0]);
	destroy(vms[2]);
}

/* ---- several hosts ---- */

static void hosts_do_not_know_of_each_other(void **state)
{
	static const struct stub_op ops[] = {OP(READ, RAM, 0), OP(SPIN, 1, 0),
					     OP(JUMP, 0, 0), THE_END};
	static const struct stub_config c = {
		.cpus = 2, .format = STUB_EPT, .no_tables = true};
	struct stub_machine *first = m;
	struct stub_machine *second = stub_new(&c);
	struct axvm_vm *a, *b;

	(void)state;
	stub_be(first, 0);
	a = running(ops);
	m = second;
	stub_be(second, 0);
	/* The same id, and the CPU indices of the other one. */
	b = running(ops);
	for (int i = 0; i < 3; i++) {
		m = first;
		assert_int_equal(run(a), AXVM_EXIT_IRQ);
		m = second;
		assert_int_equal(run(b), AXVM_EXIT_IRQ);
	}
	end(b);
	assert_true(stub_delete(second));
	m = first;
	stub_be(first, 0);
	assert_int_equal(run(a), AXVM_EXIT_IRQ);
	no_violation();
	end(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(create_checks_the_hal),
		OWN(a_hal_of_mandatory_callbacks_is_enough),
		TEST(host_and_cpu_without_memory_change_nothing),
		TEST(a_host_in_use_is_not_destroyed),
		TEST(enable_checks_index_and_id),
		OWN(a_second_cpu_needs_kick),
		TEST(a_refused_cpu_says_why_and_leaves_nothing),
		TEST(disable_puts_the_resident_vcpu),
		TEST(reserve_refuses_nonsense_and_overlaps),
		TEST(the_ledger_has_room_for_64_ranges),
		TEST(no_region_touches_memory_of_the_host),
		TEST(two_vms_never_share_physical_memory),
		TEST(an_id_is_unique_on_the_host),
		TEST(vms_leave_the_list_in_any_order),
		TEST(hosts_do_not_know_of_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
