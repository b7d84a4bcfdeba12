/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/riscv_h/irq.c and src/irq.c on two threads: an input that rises while
 * the guest enables it, or moves it to another vCPU, is never lost. Also for
 * ThreadSanitizer: registers are read without the lock.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "riscv_h/backend.h"

#define ROUNDS 20000
#define SOURCE 37u
#define ENABLE(vcpu) (VPLIC_ENABLE + (vcpu)*VPLIC_ENABLE_STRIDE + 4)
#define CLAIM(vcpu) (VPLIC_CONTEXT + (vcpu)*VPLIC_CONTEXT_STRIDE + 4)
/* Before an interrupt counts as lost: on a busy machine the other thread may not
 * run for long. */
#define PATIENCE_S 20

static struct axvm_host host;
static struct riscv_vm rvm;
static struct riscv_vcpu vcpus[2];
/* Both threads pass the same number of meetings. */
static atomic_u32 arrived[2];

void axvmi_notify(struct axvm_vcpu *vcpu, uint32_t bits)
{
	atomic_fetch_or(&vcpu->attention, bits);
}

static const struct axvm_arch_ops ops = {
	.name = "race",
	.line_first = 1,
	.line_count = 1023,
	.line_targets = axvmi_riscv_line_targets,
};

static bool is_over(time_t since)
{
	return time(NULL) - since > PATIENCE_S;
}

static int setup(void **state)
{
	(void)state;
	memset((void *)&rvm, 0, sizeof(rvm));
	memset((void *)vcpus, 0, sizeof(vcpus));
	rvm.core.host = &host;
	rvm.core.ops = &ops;
	rvm.core.vcpu_count = 2;
	store_relaxed(&rvm.core.vcpus_ready, 2);
	store_relaxed(&rvm.core.state, AXVM_VM_RUNNING);
	for (uint32_t i = 0; i < 2; i++) {
		rvm.core.vcpus[i] = &vcpus[i].core;
		vcpus[i].core.vm = &rvm.core;
		vcpus[i].core.index = i;
	}
	axvmi_riscv_plic_init(&rvm, VPLIC_ONE_PER_HART, 0, VPLIC_WINDOW);
	store_relaxed(&arrived[0], 0);
	store_relaxed(&arrived[1], 0);
	return 0;
}

/* A barrier that both leave within nanoseconds, most of the time. */
static void meet(uint32_t who)
{
	uint32_t number = load_relaxed(&arrived[who]) + 1;

	store_seq(&arrived[who], number);
	for (int i = 1; load_seq(&arrived[1 - who]) < number; i++) {
		if (i % 1000 == 0)
			sched_yield();
	}
}

static uint64_t plic(uint32_t vcpu, uint64_t offset, bool write, uint64_t value)
{
	struct axvm_device_access access = {.vm = &rvm.core,
					    .offset = offset,
					    .value = value,
					    .vcpu = vcpu,
					    .size = 4,
					    .write = write};

	rvm.plic_device.ops->access(&rvm.plic_device, &access);
	return access.value;
}

/* One entry of the guest: attention, then what hvip says. */
static bool takes_interrupt(struct riscv_vcpu *v, uint64_t *hvip)
{
	if (atomic_exchange(&v->core.attention, 0) != 0)
		axvmi_riscv_irq_sync(&v->core);
	*hvip = (*hvip | v->hvip_set) & ~v->hvip_clear;
	v->hvip_set = 0;
	v->hvip_clear = 0;
	return (*hvip & RISCV_VSEIP) != 0;
}

static bool set_line(bool level)
{
	return axvm_irq_set(&rvm.core, SOURCE, level) == AXVM_OK;
}

static bool wait_for_interrupt(uint32_t vcpu, uint64_t *hvip)
{
	time_t since = time(NULL);

	while (!is_over(since)) {
		if (takes_interrupt(&vcpus[vcpu], hvip))
			return true;
		sched_yield();
	}
	return false;
}

/* The two threads' different steps sweep one over the other. */
static void linger(int steps)
{
	for (volatile int delay = steps; delay > 0; delay--)
		;
}

static void *raise_each_round(void *argument)
{
	(void)argument;
	for (int i = 0; i < ROUNDS; i++) {
		meet(1);
		linger(i % 31);
		if (!set_line(true))
			return argument;
		meet(1);
	}
	return NULL;
}

static void an_input_that_rises_while_it_is_enabled_is_seen(void **s)
{
	uint64_t hvip = 0;
	int lost = 0;
	pthread_t device;

	(void)s;
	plic(0, SOURCE * 4, true, 1);
	assert_int_equal(pthread_create(&device, NULL, raise_each_round, NULL),
			 0);
	for (int i = 0; i < ROUNDS; i++) {
		meet(0);
		linger(i % 101);
		plic(0, ENABLE(0), true, 1u << 5);
		lost += !wait_for_interrupt(0, &hvip);
		meet(0);
		set_line(false);
		if (plic(0, CLAIM(0), false, 0) != SOURCE)
			lost++;
		plic(0, CLAIM(0), true, SOURCE);
		plic(0, ENABLE(0), true, 0);
		takes_interrupt(&vcpus[0], &hvip);
	}
	pthread_join(device, NULL);
	assert_int_equal(lost, 0);
}

/* The second vCPU's thread: serves what reaches it until told to end. */
static atomic_u32 served, stop;

static void *second_vcpu(void *argument)
{
	uint64_t hvip = 0;

	(void)argument;
	while (load_seq(&stop) == 0) {
		if (!takes_interrupt(&vcpus[1], &hvip)) {
			sched_yield();
			continue;
		}
		if (plic(1, CLAIM(1), false, 0) != SOURCE)
			continue;
		set_line(false);
		plic(1, CLAIM(1), true, SOURCE);
		atomic_fetch_add(&served, 1);
	}
	return NULL;
}

static void an_interrupt_reaches_the_vcpu_it_is_moved_to(void **s)
{
	pthread_t other;
	uint64_t hvip = 0;
	uint32_t count = 0;
	time_t since;

	(void)s;
	store_seq(&stop, 0);
	store_seq(&served, 0);
	plic(0, SOURCE * 4, true, 1);
	plic(0, ENABLE(1), true, 1u << 5);
	assert_int_equal(pthread_create(&other, NULL, second_vcpu, NULL), 0);
	for (int i = 0; i < ROUNDS && count == load_seq(&served); i++) {
		assert_true(set_line(true));
		/* Meanwhile this vCPU changes thresholds and reads around. */
		plic(0, VPLIC_CONTEXT + VPLIC_CONTEXT_STRIDE, true, 1);
		plic(0, ENABLE(1), false, 0);
		plic(0, VPLIC_CONTEXT + VPLIC_CONTEXT_STRIDE, true, 0);
		takes_interrupt(&vcpus[0], &hvip);
		since = time(NULL);
		while (load_seq(&served) == count && !is_over(since))
			sched_yield();
		count++;
	}
	store_seq(&stop, 1);
	pthread_join(other, NULL);
	assert_int_equal(count, ROUNDS);
	assert_int_equal(load_seq(&served), ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			an_input_that_rises_while_it_is_enabled_is_seen, setup),
		cmocka_unit_test_setup(
			an_interrupt_reaches_the_vcpu_it_is_moved_to, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
