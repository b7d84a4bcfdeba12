/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/arm_vhe/cp15.c on the real core: coprocessor 15 of AArch32 code at EL0.
 * Syndromes are made by the fields of the Arm ARM (DDI 0487), "ISS encoding for an
 * exception from an MCR or MRC access" and "from an MCRR or MRRC access".
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

#define USR UINT64_C(0x10)
#define Z BIT64(30)
#define ALWAYS UINT64_C(14)
#define EQUAL UINT64_C(0)
#define UNDEFINED (VECTORS + 0x600) /* from AArch32 */
#define OFFSET UINT64_C(0x300000000)

static int setup(void **state)
{
	(void)state;
	machine_new(MACHINE_FEATURES, 1);
	machine_boot();
	for (unsigned i = 0; i < 31; i++)
		m.v->frame.x[i] = UINT64_C(0xaaaaaaaa00000000) + i;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return machine_delete() ? 0 : -1;
}

/* One instruction of four bytes, in a state where EQ does not hold. */
static void trap(uint64_t ec, uint64_t iss, uint64_t cond)
{
	m.v->frame.pstate = USR;
	assert_int_equal(
		machine_step(esr_make(ec, ISS_CV | cond << 20 | iss), 0, 0),
		AXVM_EXIT_IRQ);
}

static uint64_t mrc(unsigned opc1, unsigned crn, unsigned crm, unsigned opc2,
		    unsigned rt)
{
	return (uint64_t)opc2 << 17 | (uint64_t)opc1 << 14 |
	       (uint64_t)crn << 10 | (uint64_t)rt << 5 | (uint64_t)crm << 1 | 1;
}

static uint64_t mrrc(unsigned opc1, unsigned crm, unsigned rt, unsigned rt2)
{
	return (uint64_t)opc1 << 16 | (uint64_t)rt2 << 10 | (uint64_t)rt << 5 |
	       (uint64_t)crm << 1 | 1;
}

/* CNTPCT, CNTP_CVAL; CNTP_TVAL, CNTP_CTL. */
#define PCT(rt, rt2) mrrc(0, 14, rt, rt2)
#define CVAL(rt, rt2) mrrc(2, 14, rt, rt2)
#define TVAL(rt) mrc(0, 14, 2, 0, rt)
#define CTL(rt) mrc(0, 14, 2, 1, rt)
#define WRITE(iss) ((iss) & ~UINT64_C(1))

static void the_counter_comes_in_two_registers(void **state)
{
	(void)state;
	m.vm->time_offset = OFFSET;
	m.counter = 0x12345678;
	trap(EC_CP15_64, PCT(3, 12), ALWAYS);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(m.v->frame.x[3], 0x12345678);
	assert_int_equal(m.v->frame.x[12], 3);
	assert_int_equal(m.v->frame.x[2], UINT64_C(0xaaaaaaaa00000002));
	assert_int_equal(load_relaxed(&m.v->core.exits[AXVM_STAT_SYSREG]), 1);
}

static void the_timer_is_the_one_of_aarch64(void **state)
{
	(void)state;
	m.vm->time_offset = OFFSET;
	m.counter = 1000;
	m.v->frame.x[5] = UINT64_C(0xffffffff00000010);
	m.v->frame.x[6] = UINT64_C(0xffffffff00000004);
	trap(EC_CP15_64, WRITE(CVAL(5, 6)), ALWAYS);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(m.v->cntp_cval, UINT64_C(0x400000010));
	trap(EC_CP15_64, CVAL(1, 2), ALWAYS);
	assert_int_equal(m.v->frame.x[1], 0x10);
	assert_int_equal(m.v->frame.x[2], 4);
	m.v->frame.x[7] = (uint32_t)-500;
	trap(EC_CP15_32, WRITE(TVAL(7)), ALWAYS);
	assert_int_equal(m.v->cntp_cval, OFFSET + 500);
	m.counter = 400;
	trap(EC_CP15_32, TVAL(8), ALWAYS);
	assert_int_equal(m.v->frame.x[8], 100);
	m.v->frame.x[9] = UINT64_C(0xffffffff00000001);
	trap(EC_CP15_32, WRITE(CTL(9)), ALWAYS);
	assert_int_equal(m.v->cntp_ctl, CNT_CTL_ENABLE);
	m.counter = 600;
	trap(EC_CP15_32, CTL(10), ALWAYS);
	assert_int_equal(m.v->frame.x[10], CNT_CTL_ENABLE | CNT_CTL_ISTATUS);
	assert_true(m.ppi_level);
}

static void what_fails_its_condition_does_nothing(void **state)
{
	const uint64_t isss[] = {PCT(1, 2), CVAL(1, 2), WRITE(CVAL(1, 2)),
				 WRITE(PCT(1, 2)), mrrc(9, 14, 1, 2)};

	(void)state;
	m.counter = 1000;
	for (size_t i = 0; i < ARRAY_SIZE(isss); i++) {
		trap(EC_CP15_64, isss[i], EQUAL);
		assert_int_equal(m.v->frame.pc, ENTRY + 4);
		assert_int_equal(m.v->frame.x[1], UINT64_C(0xaaaaaaaa00000001));
	}
	trap(EC_CP15_32, WRITE(CTL(1)), EQUAL);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(m.v->cntp_ctl, 0);
	assert_int_equal(m.v->cntp_cval, 0);
}

static bool is_timer(unsigned opc1, unsigned crn, unsigned crm, unsigned opc2)
{
	return opc1 == 0 && crn == 14 && crm == 2 && opc2 < 2;
}

static void all_others_are_undefined(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 1u << 14; n++) {
		unsigned opc1 = n & 7, crn = n >> 3 & 15, crm = n >> 7 & 15,
			 opc2 = n >> 11;

		trap(EC_CP15_32, mrc(opc1, crn, crm, opc2, 1), ALWAYS);
		assert_int_equal(m.v->frame.pc, is_timer(opc1, crn, crm, opc2)
							? ENTRY + 4
							: UNDEFINED);
	}
	for (unsigned n = 0; n < 256; n++) {
		unsigned opc1 = n & 15, crm = n >> 4;
		bool ours = crm == 14 && (opc1 == 0 || opc1 == 2);

		trap(EC_CP15_64, mrrc(opc1, crm, 1, 2), ALWAYS);
		assert_int_equal(m.v->frame.pc, ours ? ENTRY + 4 : UNDEFINED);
		trap(EC_CP15_64, WRITE(mrrc(opc1, crm, 1, 2)), ALWAYS);
		assert_int_equal(m.v->frame.pc,
				 ours && opc1 == 2 ? ENTRY + 4 : UNDEFINED);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_counter_comes_in_two_registers),
		TEST(the_timer_is_the_one_of_aarch64),
		TEST(what_fails_its_condition_does_nothing),
		TEST(all_others_are_undefined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
