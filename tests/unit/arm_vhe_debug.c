/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/arm_vhe/debug.c: what the debug registers hold, and what the CPU is to
 * have of them (Arm ARM, DDI 0487, "Debug registers").
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "arm_vhe_machine.h"

#define MDSCR SYSREG(2, 0, 0, 2, 2)
#define MDCCINT SYSREG(2, 0, 0, 2, 0)
#define OSLAR SYSREG(2, 0, 1, 0, 4)
#define OSLSR SYSREG(2, 0, 1, 1, 4)
#define CLAIMSET SYSREG(2, 0, 7, 8, 6)
#define CLAIMCLR SYSREG(2, 0, 7, 9, 6)
#define BVR(n) SYSREG(2, 0, 0, n, 4)
#define BCR(n) SYSREG(2, 0, 0, n, 5)
#define WVR(n) SYSREG(2, 0, 0, n, 6)
#define WCR(n) SYSREG(2, 0, 0, n, 7)

/* As many breakpoints and watchpoints as a Cortex-A76 has. */
static int setup(void **state)
{
	(void)state;
	machine_new(MACHINE_FEATURES, 2);
	m.ids[5][0] = UINT64_C(0x0000000010305408);
	machine_boot();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return machine_delete() ? 0 : -1;
}

/* True: the access was done; the value is in x9. */
static bool access_register(uint32_t number, bool read)
{
	m.v->frame.pstate = SPSR_EL1H;
	machine_step(esr_make(EC_SYSREG, machine_iss(number, 9, read)), 0, 0);
	return m.v->frame.pc == ENTRY + 4;
}

static uint64_t mrs(uint32_t number)
{
	m.v->frame.x[9] = 0x5a5a;
	assert_true(access_register(number, true));
	return m.v->frame.x[9];
}

static void msr(uint32_t number, uint64_t value)
{
	m.v->frame.x[9] = value;
	assert_true(access_register(number, false));
}

static void there_are_as_many_as_identification_says(void **state)
{
	(void)state;
	assert_int_equal(mrs(SYSREG(3, 0, 0, 5, 0)), UINT64_C(0xf010305006));
	for (uint32_t n = 0; n < 16; n++) {
		for (uint32_t op2 = 4; op2 < 8; op2++) {
			bool there = n < (op2 < 6 ? 6u : 4u);
			uint32_t number = SYSREG(2, 0, 0, n, op2);

			assert_int_equal(access_register(number, true), there);
			assert_int_equal(access_register(number, false), there);
		}
	}
}

static void registers_hold_the_fields_that_there_are(void **state)
{
	static const struct {
		uint32_t number;
		uint64_t kept;
	} cases[] = {
		{MDSCR, 0xb001}, /* SS, TDCC, KDE, MDE */
		{MDCCINT, 0x60000000},
		{BVR(0), UINT64_MAX},
		{BVR(5), UINT64_MAX},
		/* E, PMC, BAS, LBN, BT without VMIDs and EL2's contexts; not
		 * HMC and SSC, as there are neither EL2 nor EL3. */
		{BCR(0), 0x7f01e7},
		{BCR(5), 0x7f01e7},
		{WVR(3), ~UINT64_C(3)},
		/* E, PAC, LSC, BAS, LBN, WT, MASK */
		{WCR(3), 0x1f1f1fff},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		msr(cases[i].number, UINT64_MAX);
		assert_int_equal(mrs(cases[i].number), cases[i].kept);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		msr(cases[i].number, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(mrs(cases[i].number), 0);
}

static void breakpoints_are_apart(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 4; n++) {
		for (uint32_t op2 = 4; op2 < 8; op2++)
			msr(SYSREG(2, 0, 0, n, op2), n << 5 | (op2 - 4) << 7);
	}
	for (uint32_t n = 0; n < 4; n++) {
		for (uint32_t op2 = 4; op2 < 8; op2++) {
			uint64_t value = n << 5 | (op2 - 4) << 7;

			assert_int_equal(mrs(SYSREG(2, 0, 0, n, op2)), value);
			assert_int_equal(m.v->debug.numbered[op2 - 4][n],
					 value);
		}
	}
}

static void the_os_lock_holds_debug_exceptions_back(void **state)
{
	(void)state;
	/* "OSLSR_EL1": locked at reset. */
	assert_int_equal(mrs(OSLSR), 0xa);
	msr(MDSCR, UINT64_MAX);
	assert_int_equal(axvmi_arm_debug_mdscr(m.v), 0x1000);
	msr(OSLAR, UINT64_C(0xfffffffe));
	assert_int_equal(mrs(OSLSR), 0x8);
	assert_int_equal(axvmi_arm_debug_mdscr(m.v), 0xb001);
	msr(OSLAR, 1);
	assert_int_equal(mrs(OSLSR), 0xa);
	assert_int_equal(mrs(MDSCR), 0xb001);
	assert_int_equal(axvmi_arm_debug_mdscr(m.v), 0x1000);
	/* One is written, the other is read. */
	assert_false(access_register(OSLAR, true));
	assert_false(access_register(OSLSR, false));
}

static void claim_tags_are_set_and_cleared(void **state)
{
	(void)state;
	assert_int_equal(mrs(CLAIMSET), 0xff);
	assert_int_equal(mrs(CLAIMCLR), 0);
	msr(CLAIMSET, 0x1a5);
	assert_int_equal(mrs(CLAIMCLR), 0xa5);
	msr(CLAIMCLR, 0xf0);
	assert_int_equal(mrs(CLAIMCLR), 0x05);
	assert_int_equal(mrs(CLAIMSET), 0xff);
}

static void a_write_goes_to_the_cpu_and_a_read_does_not(void **state)
{
	uint64_t value;

	(void)state;
	m.v->effects = 0;
	assert_true(axvmi_arm_debug_read(m.v, MDSCR, &value));
	assert_int_equal(m.v->effects, 0);
	assert_true(axvmi_arm_debug_write(m.v, BCR(1), 1));
	assert_int_equal(m.v->effects, ARM_EFFECT_DEBUG);
	m.v->effects = 0;
	/* What holds nothing costs nothing. */
	assert_true(axvmi_arm_debug_write(m.v, SYSREG(2, 0, 1, 3, 4), 1));
	assert_int_equal(m.v->effects, 0);
}

static void a_cpu_starts_without_debug(void **state)
{
	(void)state;
	msr(OSLAR, 0);
	msr(MDSCR, UINT64_MAX);
	msr(BCR(2), UINT64_MAX);
	msr(CLAIMSET, 1);
	axvmi_arm_power_on_state(m.v, ENTRY, 0);
	assert_int_equal(m.v->effects & ARM_EFFECT_DEBUG, ARM_EFFECT_DEBUG);
	assert_int_equal(axvmi_arm_debug_mdscr(m.v), 0);
	assert_int_equal(mrs(MDSCR), 0);
	assert_int_equal(mrs(BCR(2)), 0);
	assert_int_equal(mrs(CLAIMCLR), 0);
	assert_int_equal(mrs(OSLSR), 0xa);
}

/* CPU_SUSPEND restarts in the middle of a run, which may end before it enters: its
 * end must know that the CPU has to lose what would stop the host. */
static void a_restart_does_not_forget_what_the_cpu_has(void **state)
{
	(void)state;
	m.v->debug.on = 1;
	axvmi_arm_power_on_state(m.v, ENTRY, 0);
	assert_int_equal(m.v->debug.on, 1);
	assert_int_equal(axvmi_arm_debug_mdscr(m.v), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_are_as_many_as_identification_says),
		TEST(registers_hold_the_fields_that_there_are),
		TEST(breakpoints_are_apart),
		TEST(the_os_lock_holds_debug_exceptions_back),
		TEST(claim_tags_are_set_and_cleared),
		TEST(a_write_goes_to_the_cpu_and_a_read_does_not),
		TEST(a_cpu_starts_without_debug),
		TEST(a_restart_does_not_forget_what_the_cpu_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
