/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * For the tests of the core on the modelled machine: a configuration to edit,
 * VMs made of it, and what nearly every test asks. Each program has its own.
 */
#ifndef CORE_TEST_H
#define CORE_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "stub_arch.h"

#define UNUSED __attribute__((unused))
#define PAGE UINT64_C(4096)
#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define RAM UINT64_C(0x80000000)
#define RAM_SIZE MIB(1)
#define NOWHERE UINT64_C(0x10000000)
#define PIC UINT64_C(0x0c000000)
#define OP(name, ...)                    \
	{                                \
		STUB_##name, __VA_ARGS__ \
	}
#define SWITCH_OFF                 \
	{                          \
		STUB_CPU_OFF, 0, 0 \
	}
#define THE_END                \
	{                      \
		STUB_END, 0, 0 \
	}

static struct stub_machine *m;
static struct axvm_region_config regions[8];
static struct axvm_emu_device_config emus[2];
static struct axvm_vm_config config;
static struct axvm_exit leave_;
static struct axvm_exit *const left UNUSED = &leave_;

static inline struct axvm_region_config *add_region(uint64_t gpa, uint64_t size,
						    enum axvm_region_kind kind)
{
	struct axvm_region_config *r = &regions[config.region_count++];

	memset(r, 0, sizeof(*r));
	r->gpa.value = gpa;
	r->size = size;
	r->access = AXVM_RWX;
	r->kind = kind;
	return r;
}

/* One vCPU, no memory. */
static inline void empty_config(void)
{
	memset(&config, 0, sizeof(config));
	config.size = sizeof(config);
	config.id = 1;
	config.name = "vm";
	config.cpu_num = 1;
	config.regions = regions;
	config.emu_devices = emus;
}

/* One vCPU, RAM_SIZE of RAM at RAM. */
static inline void new_config(void)
{
	empty_config();
	add_region(RAM, RAM_SIZE, AXVM_REGION_ALLOC);
	config.kernel.entry.value = RAM;
	config.kernel.kernel_gpa.value = RAM;
}

static inline void add_pic(void)
{
	emus[0] = (struct axvm_emu_device_config){
		.name = "pic",
		.gpa = {PIC},
		.size = 0x1000,
		.type = AXVM_EMU_INTERRUPT_CONTROLLER,
	};
	config.emu_device_count = 1;
}

static inline struct axvm_vm *created(void)
{
	struct axvm_vm *vm = NULL;

	assert_int_equal(axvm_create(stub_get_host(m), &config, NULL, &vm),
			 AXVM_OK);
	assert_non_null(vm);
	return vm;
}

/* axvm_init() to its end. */
static inline int init_vm(struct axvm_vm *vm)
{
	int err;

	do
		err = axvm_init(vm);
	while (err == AXVM_EAGAIN);
	return err;
}

static inline struct axvm_vm *loaded(void)
{
	struct axvm_vm *vm = created();

	assert_int_equal(init_vm(vm), AXVM_OK);
	return vm;
}

static inline struct axvm_vm *booted(void)
{
	struct axvm_vm *vm = loaded();

	assert_int_equal(axvm_boot(vm), AXVM_OK);
	return vm;
}

/* With one program for vCPU 0. */
static inline struct axvm_vm *running(const struct stub_op *ops)
{
	struct axvm_vm *vm = loaded();

	stub_program(vm, 0, ops);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	return vm;
}

static inline void destroy(struct axvm_vm *vm)
{
	int err;

	do
		err = axvm_destroy(vm);
	while (err == AXVM_EAGAIN);
	assert_int_equal(err, AXVM_OK);
}

static inline void reset(struct axvm_vm *vm)
{
	int err;

	do
		err = axvm_reset(vm);
	while (err == AXVM_EAGAIN);
	assert_int_equal(err, AXVM_OK);
}

/* Runs a vCPU on a CPU; fills *left and returns its reason. */
static inline int run_on(unsigned cpu, struct axvm_vm *vm, uint32_t vcpu)
{
	assert_int_equal(stub_run(m, cpu, vm, vcpu, left), AXVM_OK);
	return (int)left->reason;
}

static inline int run(struct axvm_vm *vm)
{
	return run_on(0, vm, 0);
}

static inline int complete(struct axvm_vm *vm, enum axvm_complete_action action,
			   uint64_t value)
{
	return axvm_vcpu_complete(vm, left->vcpu, left->seq, action, value);
}

/* Whatever it takes to get a VM that runs on no thread to STOPPED. */
static inline void stop(struct axvm_vm *vm)
{
	if (axvm_vm_state(vm) == AXVM_VM_RUNNING ||
	    axvm_vm_state(vm) == AXVM_VM_SUSPENDED)
		assert_int_equal(axvm_shutdown(vm), AXVM_OK);
	for (unsigned i = 0; i < STUB_CPUS; i++) {
		if (stub_cpu(m, i) == NULL)
			continue;
		stub_be(m, i);
		assert_int_equal(axvm_cpu_release(stub_cpu(m, i)), AXVM_OK);
	}
	stub_be(m, 0);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
}

static inline void end(struct axvm_vm *vm)
{
	if (axvm_vm_state(vm) == AXVM_VM_RUNNING ||
	    axvm_vm_state(vm) == AXVM_VM_SUSPENDED ||
	    axvm_vm_state(vm) == AXVM_VM_STOPPING)
		stop(vm);
	destroy(vm);
}

static inline void no_violation(void)
{
	if (stub_violations(m) != 0)
		fail_msg("%s", stub_violation(m));
}

static inline void machine(const struct stub_config *c)
{
	m = stub_new(c);
}

/* The same with a host whose translators are a sum, as most kernels' are: the
 * library then walks tables by itself. */
static inline void linear_machine(const struct stub_config *c)
{
	struct test_hal *t;
	struct axvm_hpa probe;

	m = stub_new_bare(c);
	t = stub_hal(m);
	probe = test_hal_host_memory(t, PAGE, PAGE);
	t->hal.linear = true;
	t->hal.virt_offset =
		(uint64_t)(uintptr_t)test_hal_virt(t, probe) - probe.value;
	assert_int_equal(stub_host(m), AXVM_OK);
	for (unsigned i = 0; i < c->cpus; i++)
		assert_int_equal(stub_cpu_enable(m, i), AXVM_OK);
}

/*
 * attempt(arg) with the k-th allocation and all after it failing, for every k:
 * ENOMEM and the ledger as before, until it succeeds. Returns how many failed.
 */
static inline unsigned sweep(int (*attempt)(void *), void *arg)
{
	struct test_hal *t = stub_hal(m);

	for (unsigned k = 1;; k++) {
		size_t live = test_hal_live(t);
		uint64_t bytes = test_hal_live_bytes(t);
		int err;

		test_hal_fail_from(t, k);
		err = attempt(arg);
		if (!test_hal_failed(t)) {
			assert_int_equal(err, AXVM_OK);
			return k - 1;
		}
		assert_int_equal(err, AXVM_ENOMEM);
		assert_int_equal(test_hal_live(t), live);
		assert_int_equal(test_hal_live_bytes(t), bytes);
	}
}

/* Fixture: two CPUs, 14 tag bits, everything checked. */
static inline int setup(void **state)
{
	static const struct stub_config usual = {
		.cpus = 2,
		.tag_bits = 14,
		.no_tables = true,
		.poc_sync = true,
		.sync_each_cpu = true,
	};

	(void)state;
	machine(&usual);
	new_config();
	return 0;
}

/* For tests that make machines of their own. */
static inline int setup_config(void **state)
{
	(void)state;
	m = NULL;
	new_config();
	return 0;
}

static inline int teardown(void **state)
{
	bool good = m == NULL || stub_delete(m);

	(void)state;
	m = NULL;
	return good ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define OWN(name) cmocka_unit_test_setup_teardown(name, setup_config, teardown)

#endif
