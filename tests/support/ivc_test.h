/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * For the tests of channels: VMs with a pool, and hypercalls made from outside
 * as a vCPU that has just left the guest would make them.
 */
#ifndef IVC_TEST_H
#define IVC_TEST_H

#include "core_test.h"
#include "internal.h"

#define POOL UINT64_C(0x40000000)
#define POOL_PAGES 64u
/* Where channels begin: behind the doorbell page. */
#define FIRST (POOL + PAGE)
#define POOL_LINE 40u
/* Words of the guest for arguments, an int's way from anything else. */
#define OUT_GPA (RAM + 0x1008)
#define OUT_SIZE (RAM + 0x1ff8)
#define OUT_STATE (RAM + 0x3000)
#define UNTOUCHED UINT64_C(0x5a5a5a5a5a5a5a5a)
/* A result of our own calls as the guest finds it. */
#define WIRE(name) ((uint64_t)(int64_t)AXVM_HYPERCALL_##name)
#define FAILED UINT64_MAX

/* A configuration with a pool; id as given. */
static inline void ivc_config(uint64_t id, uint64_t pages)
{
	new_config();
	config.id = id;
	emus[0] = (struct axvm_emu_device_config){
		.name = "pool",
		.gpa = {POOL},
		.size = pages * PAGE,
		.irq = POOL_LINE,
		.type = AXVM_EMU_IVC_POOL,
	};
	config.emu_device_count = 1;
}

/* Adds a channel to it that is there from the start. */
static inline void ivc_static(uint64_t publisher, uint64_t key, uint64_t size,
			      uint64_t line)
{
	uint64_t *args = &emus[0].args[emus[0].arg_count];

	args[AXVM_IVC_ARG_PUBLISHER] = publisher;
	args[AXVM_IVC_ARG_KEY] = key;
	args[AXVM_IVC_ARG_SIZE] = size;
	args[AXVM_IVC_ARG_LINE] = line;
	emus[0].arg_count += AXVM_IVC_ARGS;
}

static inline struct axvm_vm *ivc_vm_of(uint64_t id, uint64_t pages)
{
	ivc_config(id, pages);
	return booted();
}

static inline struct axvm_vm *ivc_vm(uint64_t id)
{
	return ivc_vm_of(id, POOL_PAGES);
}

static inline void put(struct axvm_vm *vm, uint64_t gpa, uint64_t value)
{
	assert_int_equal(
		axvm_write_guest(vm, axvm_to_gpa(gpa), &value, sizeof(value)),
		AXVM_OK);
}

static inline uint64_t get(struct axvm_vm *vm, uint64_t gpa)
{
	uint64_t value = 0;

	assert_int_equal(
		axvm_read_guest(vm, axvm_to_gpa(gpa), &value, sizeof(value)),
		AXVM_OK);
	return value;
}

/* Until it is done, as a guest's instruction is. */
static inline uint64_t call_with(struct axvm_vm *vm, uint64_t number,
				 const uint64_t args[6])
{
	enum axvmi_hypercall_answer answer;
	uint64_t result = UNTOUCHED;

	do
		answer = axvmi_hypercall(vm->vcpus[0], number, args, &result);
	while (answer == AXVMI_HYPERCALL_AGAIN);
	assert_int_equal(answer, AXVMI_HYPERCALL_DONE);
	return result;
}

#define CALL(vm, number, ...) \
	call_with(vm, number, (const uint64_t[6]){__VA_ARGS__})

/* The family's four; out words and size are where the names above say. */
static inline uint64_t publish(struct axvm_vm *vm, uint64_t key, uint64_t size)
{
	put(vm, OUT_GPA, UNTOUCHED);
	put(vm, OUT_SIZE, size);
	return CALL(vm, AXVM_HYPERCALL_PUBLISH, key, OUT_GPA, OUT_SIZE);
}

static inline uint64_t subscribe(struct axvm_vm *vm, uint64_t publisher,
				 uint64_t key)
{
	put(vm, OUT_GPA, UNTOUCHED);
	put(vm, OUT_SIZE, UNTOUCHED);
	return CALL(vm, AXVM_HYPERCALL_SUBSCRIBE, publisher, key, OUT_GPA,
		    OUT_SIZE);
}

static inline uint64_t unpublish(struct axvm_vm *vm, uint64_t key)
{
	return CALL(vm, AXVM_HYPERCALL_UNPUBLISH, key);
}

static inline uint64_t unsubscribe(struct axvm_vm *vm, uint64_t publisher,
				   uint64_t key)
{
	return CALL(vm, AXVM_HYPERCALL_UNSUBSCRIBE, publisher, key);
}

static inline uint64_t notify(struct axvm_vm *vm, uint64_t publisher,
			      uint64_t key)
{
	return CALL(vm, AXVM_HYPERCALL_IVC_NOTIFY, publisher, key);
}

/* Fills *state; the result of the call. */
static inline uint64_t state_of(struct axvm_vm *vm, uint64_t publisher,
				uint64_t key, struct axvm_ivc_state *state)
{
	uint64_t result =
		CALL(vm, AXVM_HYPERCALL_IVC_STATE, publisher, key, OUT_STATE);

	assert_int_equal(axvm_read_guest(vm, axvm_to_gpa(OUT_STATE), state,
					 sizeof(*state)),
			 AXVM_OK);
	return result;
}

/*
 * A machine that does something once at the next allocation: what another CPU
 * might do while a channel's memory is made ready, which is under no lock.
 */
static void (*ivc_meanwhile)(void);
static void *(*ivc_real_alloc)(void *ctx, size_t size, size_t align);

static inline void *ivc_alloc(void *ctx, size_t size, size_t align)
{
	void (*act)(void) = ivc_meanwhile;

	ivc_meanwhile = NULL;
	if (act != NULL)
		act();
	return ivc_real_alloc(ctx, size, align);
}

static inline void ivc_machine_with_meanwhile(void)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};

	ivc_meanwhile = NULL;
	m = stub_new_bare(&c);
	ivc_real_alloc = stub_hal(m)->hal.alloc;
	stub_hal(m)->hal.alloc = ivc_alloc;
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
}

/* The host's pointer to what the guest has at gpa, which is mapped. */
static inline void *seen(struct axvm_vm *vm, uint64_t gpa)
{
	struct axvm_mapping mapping;

	assert_int_equal(axvm_query(vm, axvm_to_gpa(gpa), &mapping), AXVM_OK);
	return test_hal_virt(stub_hal(m), mapping.hpa);
}

static inline bool is_mapped(struct axvm_vm *vm, uint64_t gpa)
{
	struct axvm_mapping mapping;

	return axvm_query(vm, axvm_to_gpa(gpa), &mapping) == AXVM_OK;
}

#endif
