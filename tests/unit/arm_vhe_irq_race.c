/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/arm_vhe/irq.c and src/irq.c on threads that are vCPUs: inputs are never
 * lost, writes to what others hold count when they return, and two who wait for
 * each other go on. Also for ThreadSanitizer: settings are read without the lock.
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

#include "arm_vhe_irq.h"

#define ROUNDS 1500u
#define RISES 2000u
#define SPI 40u
#define OTHER 41u
#define BOTH (UINT32_C(3) << 8)
/* Looks before something counts as lost; the other thread may not run. */
#define PATIENCE 10000000u
#define D(offset) (GICD_BASE + (offset))
#define W(offset) D((offset) + 4)
#define R1(offset) (GICR_BASE + FAKE_SGI(1) + (offset))
#define SGI 5u

static atomic_u32 stop, failed;
/* Per vCPU: rounds of its guest, interrupts served. */
static atomic_u32 turns[2], served[2];
/* Whether OTHER must not come any more, as the guest believes. */
static atomic_u32 silent;

static int setup(void **state)
{
	(void)state;
	fake_boot(NULL);
	fake.threads = true;
	fake_put(0, D(GICD_CTLR), 3);
	for (uint32_t c = 0; c < 2; c++)
		store_relaxed(&fake.vcpus[c].core.state, AXVM_VCPU_RUNNING);
	store_seq(&stop, 0);
	store_seq(&failed, 0);
	store_seq(&silent, 0);
	for (uint32_t c = 0; c < 2; c++) {
		store_seq(&turns[c], 0);
		store_seq(&served[c], 0);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return fake_end() ? 0 : -1;
}

static void check(bool condition)
{
	if (!condition)
		store_seq(&failed, 1);
}

/* One stay in the guest: it ends when the vCPU is called, as a kick would. */
static uint32_t turn(uint32_t vcpu)
{
	uint32_t intid;

	if (load_seq(&fake.vcpus[vcpu].core.attention) != 0 ||
	    fake.vcpus[vcpu].effects != 0)
		fake_enter(vcpu);
	/* Some calls come while the guest is about to take an interrupt. */
	if (load_relaxed(&turns[vcpu]) % 3 == 0)
		sched_yield();
	intid = cpuif_acknowledge(&fake.hw[vcpu]);
	if (cpuif_maintenance(&fake.hw[vcpu]))
		axvmi_arm_gic_fold(&fake.vcpus[vcpu]);
	atomic_fetch_add(&turns[vcpu], 1);
	return intid;
}

static void end(uint32_t vcpu, uint32_t intid)
{
	cpuif_eoi(&fake.hw[vcpu], intid);
	fake_maintain(vcpu);
}

static void line(uint32_t intid, bool level)
{
	check(axvm_irq_set(&fake.vm.core, intid, level) == AXVM_OK);
}

/* vCPU 1 serves whatever comes, and lowers the line. */
static void *serve(void *argument)
{
	while (load_seq(&stop) == 0) {
		uint32_t intid = turn(1);

		if (intid == CPUIF_NONE) {
			sched_yield();
			continue;
		}
		if (intid == OTHER)
			check(load_seq(&silent) == 0);
		line(intid, false);
		fake_enter(1);
		end(1, intid);
		atomic_fetch_add(&served[1], 1);
	}
	return argument;
}

/* Until vCPU 1 has served one more than `before`. */
static void wait_served(uint32_t before)
{
	for (uint32_t i = 0; load_seq(&served[1]) == before; i++) {
		if (i == PATIENCE) {
			store_seq(&failed, 1);
			return;
		}
		sched_yield();
	}
}

static void on_two_threads(void *(*other)(void *), void (*rounds)(void))
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, other, NULL), 0);
	rounds();
	store_seq(&stop, 1);
	pthread_join(thread, NULL);
	assert_int_equal(load_seq(&failed), 0);
}

/* The line rises while the interrupt is moved back and forth. */
static void move_and_raise(void)
{
	for (uint32_t i = 0; i < ROUNDS && load_seq(&failed) == 0; i++) {
		uint32_t before = load_seq(&served[1]);

		fake_access(0, D(GICD_IROUTER + 8 * SPI), 8, true, 0);
		if (i % 2 == 0)
			line(SPI, true);
		fake_access(0, D(GICD_IROUTER + 8 * SPI), 8, true, 1);
		if (i % 2 != 0)
			line(SPI, true);
		fake_get(0, W(GICD_ISENABLER));
		fake_get(0, D(GICD_IPRIORITYR + SPI));
		wait_served(before);
	}
}

static void a_line_reaches_the_vcpu_it_is_moved_to(void **s)
{
	(void)s;
	fake_put(0, W(GICD_ISENABLER), BOTH);
	on_two_threads(serve, move_and_raise);
	assert_int_equal(load_seq(&served[1]), ROUNDS);
}

/* The device's thread raises the line once for every number in `due`. */
static atomic_u32 due;

/* The two threads' different steps sweep one over the other. */
static void linger(uint32_t steps)
{
	for (volatile uint32_t delay = steps; delay > 0; delay--)
		;
}

static void *raise_when_due(void *argument)
{
	for (uint32_t i = 1; i <= RISES; i++) {
		for (uint32_t k = 1; load_seq(&due) < i; k++) {
			if (load_seq(&failed) != 0)
				return argument;
			if (k % 100 == 0)
				sched_yield();
		}
		linger(i % 31);
		line(SPI, true);
	}
	return argument;
}

static void enable_meanwhile(void)
{
	pthread_t device;

	store_seq(&due, 0);
	if (pthread_create(&device, NULL, raise_when_due, NULL) != 0)
		abort();
	for (uint32_t i = 0; i < RISES && load_seq(&failed) == 0; i++) {
		uint32_t before = load_seq(&served[1]);

		fake_put(0, W(GICD_ICENABLER), BOTH);
		store_seq(&due, i + 1);
		linger(i % 101);
		fake_put(0, W(GICD_ISENABLER), BOTH);
		wait_served(before);
	}
	pthread_join(device, NULL);
}

static void a_line_that_rises_while_it_is_enabled_is_seen(void **s)
{
	(void)s;
	fake_access(0, D(GICD_IROUTER + 8 * SPI), 8, true, 1);
	fake_enter(1);
	on_two_threads(serve, enable_meanwhile);
	assert_int_equal(load_seq(&served[1]), RISES);
}

/* Whatever vCPU 1 has in its list registers: disabled is disabled. */
static void disable_and_look(void)
{
	for (uint32_t i = 0; i < ROUNDS && load_seq(&failed) == 0; i++) {
		store_seq(&silent, 0);
		fake_put(0, W(GICD_ISENABLER), BOTH);
		line(OTHER, true);
		for (uint32_t k = 0; k < i % 7; k++)
			sched_yield();
		fake_put(0, W(GICD_ICENABLER), BOTH);
		/* Taken before that: Linux waits for it like this. */
		for (uint32_t k = 0; fake_get(0, W(GICD_ISACTIVER)) != 0; k++) {
			check(k < PATIENCE);
			sched_yield();
		}
		store_seq(&silent, 1);
		sched_yield();
		line(OTHER, false);
	}
}

static void a_disabled_interrupt_does_not_come_any_more(void **s)
{
	(void)s;
	fake_access(0, D(GICD_IROUTER + 8 * OTHER), 8, true, 1);
	fake_enter(1);
	on_two_threads(serve, disable_and_look);
}

/* Most of these SGIs go to a list register that vCPU 1 has filled. */
static void *serve_own_sgis(void *argument)
{
	while (load_seq(&stop) == 0) {
		uint32_t intid;

		axvmi_arm_send_sgi(&fake.vcpus[1], SGI << 24 | 2, 1);
		intid = turn(1);
		if (intid == CPUIF_NONE) {
			sched_yield();
			continue;
		}
		check(intid == SGI && load_seq(&silent) == 0);
		end(1, intid);
		atomic_fetch_add(&served[1], 1);
	}
	return argument;
}

static void disable_sgis(void)
{
	for (uint32_t i = 0; i < ROUNDS && load_seq(&failed) == 0; i++) {
		store_seq(&silent, 0);
		fake_put(0, R1(GICD_ISENABLER), 1u << SGI);
		wait_served(load_seq(&served[1]));
		fake_put(0, R1(GICD_ICENABLER), 1u << SGI);
		for (uint32_t k = 0; fake_get(0, R1(GICD_ISACTIVER)) != 0;
		     k++) {
			check(k < PATIENCE);
			sched_yield();
		}
		store_seq(&silent, 1);
		sched_yield();
	}
}

static void sgis_to_oneself_obey_those_who_disable_them(void **s)
{
	(void)s;
	on_two_threads(serve_own_sgis, disable_sgis);
}

/* ---- two who wait for each other ---- */

/* Each one's guest holds an interrupt and asks for the state of all. */
static void ask(uint32_t vcpu)
{
	uint32_t mine = vcpu == 0 ? SPI : OTHER;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t intid;

		line(mine, true);
		intid = turn(vcpu);
		check(intid == mine || intid == CPUIF_NONE);
		fake_get(vcpu, W(GICD_ISPENDR));
		fake_put(vcpu, W(GICD_ICPENDR), BOTH);
		fake_enter(vcpu);
		line(mine, false);
		fake_enter(vcpu);
		if (intid == mine)
			end(vcpu, mine);
	}
}

static void *ask_too(void *argument)
{
	ask(1);
	/* Its thread goes on to answer calls, as run does. */
	while (load_seq(&stop) == 0) {
		turn(1);
		sched_yield();
	}
	return argument;
}

static void ask_first(void)
{
	ask(0);
	axvmi_arm_gic_fold(&fake.vcpus[0]);
	store_seq(&fake.vcpus[0].core.state, AXVM_VCPU_READY);
}

static void two_that_ask_each_other_go_on(void **s)
{
	(void)s;
	fake_access(0, D(GICD_IROUTER + 8 * OTHER), 8, true, 1);
	fake_put(0, W(GICD_ISENABLER), BOTH);
	fake_enter(0);
	fake_enter(1);
	on_two_threads(ask_too, ask_first);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_line_reaches_the_vcpu_it_is_moved_to),
		CASE(a_line_that_rises_while_it_is_enabled_is_seen),
		CASE(a_disabled_interrupt_does_not_come_any_more),
		CASE(sgis_to_oneself_obey_those_who_disable_them),
		CASE(two_that_ask_each_other_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
