/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What must hold in vgic.c and vgic_lr.c wherever an interrupt is and whoever
 * asks: IHI 0069 wants an INTID in one list register at most ("List register
 * usage resulting in UNPREDICTABLE behavior"), and what does not exist is never
 * looked for.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "arm_vhe_gic.h"

#define SPI 70u
#define VCPUS 3u

static int setup(void **state)
{
	(void)state;
	gic_make(VCPUS, 4, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gic_check();
	return 0;
}

/* List registers of the vCPUs in `mask` that have `intid`, in any state. */
static uint32_t places(uint64_t mask, uint32_t intid)
{
	uint32_t count = 0;

	for (uint32_t c = 0; c < VCPUS; c++) {
		for (uint32_t i = 0; i < regs[c].lr_used; i++)
			count += (mask >> c & 1) != 0 &&
				 (regs[c].lr[i] & CPUIF_STATE) != 0 &&
				 (regs[c].lr[i] & LR_VINTID) == intid;
	}
	return count;
}

static void route(uint32_t intid, uint64_t value)
{
	gicd_set(GICD_IROUTER + intid * 8, 8, value);
}

static void set_sleep(bool sleep)
{
	gicr_set(GICR_WAKER, 4, sleep ? GICR_WAKER_SLEEP : 0);
}

/* ---- one INTID, one list register ---- */

static void spi_once(void)
{
	assert_true(places(UINT64_MAX, SPI) <= 1);
	gic_check();
}

/* After a change: everybody looks at it before vCPU 0 does, which may hold the
 * interrupt and be in its guest; then all settle. */
static void others_first(void)
{
	for (uint32_t c = VCPUS - 1; c != 0; c--) {
		gic_fold(c);
		gic_fill(c);
		spi_once();
	}
	gic_settle();
	spi_once();
}

static void write_first(uint64_t offset, uint32_t size, uint64_t value)
{
	axvmi_vgicd_write(&g, offset, size, value);
	others_first();
}

static void edge_first(void)
{
	axvmi_vgic_set_spi(&g, SPI, false, true);
	others_first();
}

/* Where it is held when its route changes: pending, active, or both. */
static void move_it(unsigned state, uint64_t to)
{
	assert_int_equal(setup(NULL), 0);
	set_edge(0, SPI, true);
	prepare(0, SPI, 0x80);
	route(SPI, 0);
	input(0, SPI, false, true);
	assert_int_equal(places(1, SPI), 1);
	if (state != 0)
		assert_int_equal(cpuif_acknowledge(&regs[0]), SPI);
	if (state == 2)
		edge_first();
	write_first(GICD_IROUTER + SPI * 8, 8, to);
	edge_first();
	write_first(WORD(GICD_ISPENDR, SPI), 4, vgic_bit(SPI));
	write_first(WORD(GICD_ISACTIVER, SPI), 4, vgic_bit(SPI));
	write_first(GICD_IROUTER + SPI * 8, 8, 1);
	if (state != 0)
		eoi(0, SPI);
	spi_once();
	write_first(WORD(GICD_ICACTIVER, SPI), 4, vgic_bit(SPI));
	/* It is still one interrupt, and now that of vCPU 1. */
	assert_int_equal(places(2, SPI), 1);
}

static void no_interrupt_is_in_two_list_registers(void **s)
{
	static const uint64_t routes[] = {0, 1, 2, GICD_IROUTER_IRM, 7};

	(void)s;
	for (unsigned state = 0; state < 3; state++) {
		for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
			move_it(state, routes[i]);
	}
}

static void an_sgi_has_one_list_register_in_each_vcpu(void **s)
{
	(void)s;
	for (uint32_t c = 0; c < VCPUS; c++)
		prepare(c, 5, 0x80);
	for (int round = 0; round < 3; round++) {
		/* To everybody, itself included. */
		axvmi_vgic_sgi(&g, 0, UINT64_C(5) << 24 | 7, true);
		gic_settle();
		for (uint32_t c = 0; c < VCPUS; c++)
			assert_int_equal(places(BIT64(c), 5), 1);
		gic_check();
		assert_int_equal(ack(1), round == 0 ? 5 : 1023);
	}
	/* Sent again while it was active: once more after the end. */
	eoi(1, 5);
	assert_int_equal(places(2, 5), 1);
	assert_int_equal(ack(1), 5);
	eoi(1, 5);
	assert_int_equal(ack(1), 1023);
}

/* ---- routes ---- */

/* It waits in the list of one that sleeps. */
static void a_route_takes_it_off_the_old_list(void **s)
{
	(void)s;
	prepare(0, SPI, 0x80);
	set_edge(0, SPI, true);
	set_sleep(true);
	input(0, SPI, false, true);
	assert_int_equal(places(UINT64_MAX, SPI), 0);
	route(SPI, 1);
	gic_check();
	set_sleep(false);
	assert_int_equal(places(1, SPI), 0);
	assert_int_equal(ack(1), SPI);
	eoi(1, SPI);
	assert_int_equal(ack(0), CPUIF_NONE);
}

/* Of 20 vCPUs the 17th is 1.0, and not 0.16. */
static void affinity_0_ends_at_15(void **s)
{
	(void)s;
	gic_make(20, 4, NULL);
	set_edge(0, SPI, true);
	prepare(0, SPI, 0x80);
	route(SPI, 16);
	assert_int_equal(gicd(GICD_IROUTER + SPI * 8, 8), 16);
	input(0, SPI, false, true);
	for (uint32_t c = 0; c < 20; c++)
		assert_int_equal(ack(c), CPUIF_NONE);
	route(SPI, 0x100);
	assert_int_equal(ack(16), SPI);
	eoi(16, SPI);
}

/* ---- INTIDs that do not exist ---- */

static const uint32_t strangers[] = {
	1020, 1021, 1022, 1023, 1024, 4095, 5119, 8192, 0xffffff, UINT32_MAX,
};

/* Everything is active, so that a wrong index would find something. */
static void intids_that_do_not_exist_are_not_deactivated(void **s)
{
	static struct vgic before;

	(void)s;
	for (uint32_t w = 0; w < VGIC_WORDS; w++)
		bank_set(0, w * 32, GICD_ISACTIVER, UINT32_MAX);
	for (uint32_t c = 0; c < VCPUS; c++)
		gic_fold(c);
	memcpy((void *)&before, (void *)&g, sizeof(g));
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		for (uint32_t c = 0; c < VCPUS; c++)
			axvmi_vgic_deactivate(&g, c, strangers[i]);
	}
	assert_memory_equal(&before, &g, sizeof(g));
	axvmi_vgic_deactivate(&g, 0, 1019);
	assert_memory_not_equal(&before, &g, sizeof(g));
	for (uint32_t c = 0; c < VCPUS; c++)
		gic_fill(c);
}

static void inputs_that_do_not_exist_change_nothing(void **s)
{
	static struct vgic before;

	(void)s;
	for (uint32_t c = 0; c < VCPUS; c++)
		bank_set(c, 0, GICD_ISENABLER, UINT32_MAX);
	for (uint32_t w = 1; w < VGIC_WORDS; w++)
		bank_set(0, w * 32, GICD_ISENABLER, UINT32_MAX);
	memcpy((void *)&before, (void *)&g, sizeof(g));
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		axvmi_vgic_set_spi(&g, strangers[i], true, true);
		axvmi_vgic_set_private(&g, 1, strangers[i], true, true);
	}
	/* SGIs are no inputs; private ones are no SPIs, and the other way. */
	for (uint32_t intid = 0; intid < VGIC_PRIVATE; intid++)
		axvmi_vgic_set_spi(&g, intid, true, true);
	for (uint32_t intid = 0; intid < VGIC_SGIS; intid++)
		axvmi_vgic_set_private(&g, 0, intid, true, true);
	axvmi_vgic_set_private(&g, 0, VGIC_PRIVATE, true, true);
	assert_memory_equal(&before, &g, sizeof(g));
}

/* The last vCPU's neighbour is not there, though its affinity could be. */
static void sgis_stop_at_the_last_vcpu(void **s)
{
	static struct vgic before;

	(void)s;
	for (uint32_t c = 0; c < VCPUS; c++)
		prepare(c, 5, 0x80);
	memcpy((void *)&before, (void *)&g, sizeof(g));
	axvmi_vgic_sgi(&g, 0, UINT64_C(5) << 24 | 0xfff8, true);
	for (uint64_t aff1 = 1; aff1 < 0x100; aff1++)
		axvmi_vgic_sgi(&g, 0, UINT64_C(5) << 24 | aff1 << 16 | 0xffff,
			       true);
	assert_memory_equal(&before, &g, sizeof(g));
	axvmi_vgic_sgi(&g, 0, UINT64_C(5) << 24 | 4, true);
	gic_settle();
	assert_int_equal(ack(2), 5);
	eoi(2, 5);
}

/* ---- active ones that nobody has acknowledged ---- */

/* ISACTIVER with no target to serve it: some vCPU must keep the account. */
static void an_active_one_without_a_target_ends_as_well(void **s)
{
	(void)s;
	prepare(0, SPI, 0x80);
	route(SPI, 0x0000ff00);
	bank_set(0, SPI, GICD_ISACTIVER, vgic_bit(SPI));
	assert_true(bank_bit(0, SPI, GICD_ISACTIVER));
	route(SPI, 2);
	input(0, SPI, true, false);
	assert_int_equal(ack(2), 1023);
	bank_set(0, SPI, GICD_ICACTIVER, vgic_bit(SPI));
	assert_false(bank_bit(0, SPI, GICD_ISACTIVER));
	assert_int_equal(ack(2), SPI);
	input(0, SPI, false, false);
	eoi(2, SPI);
}

/* Two ends at once of one word are told one after the other. */
static void ends_of_one_word_are_told_each(void **s)
{
	static const uint32_t watched[VGIC_WORDS] = {0, 0, 3u << 6};
	const uint32_t both = 3u << SPI % 32;

	(void)s;
	gic_make(VCPUS, 4, watched);
	bank_set(0, SPI, GICD_ISACTIVER, both);
	bank_set(0, SPI, GICD_ICACTIVER, both);
	for (uint32_t c = 0; c < VCPUS; c++) {
		gic_fold(c);
		gic_fill(c);
	}
	assert_int_equal(axvmi_vgic_take_ended(&g), SPI);
	assert_int_equal(axvmi_vgic_take_ended(&g), SPI + 1);
	assert_int_equal(axvmi_vgic_take_ended(&g), 0);
}

/* ---- what a write is about ---- */

static void configuration_is_written_sixteen_at_a_time(void **s)
{
	const uint64_t low = GICD_ICFGR + 64 / 16 * 4, high = low + 4;

	(void)s;
	gicd_set(low, 4, 0x22222222);
	gicd_set(high, 4, 0x88888888);
	assert_int_equal(gicd(low, 4), 0x22222222);
	assert_int_equal(gicd(high, 4), 0x88888888);
	gicd_set(low, 4, 0xaaaaaaaa);
	assert_int_equal(gicd(high, 4), 0x88888888);
	gicd_set(high, 4, 0);
	assert_int_equal(gicd(low, 4), 0xaaaaaaaa);
}

/* It pends anyway; the guest's acknowledge takes both. */
static void an_edge_on_a_high_level_is_no_second_interrupt(void **s)
{
	(void)s;
	prepare(0, SPI, 0x80);
	input(0, SPI, true, false);
	input(0, SPI, true, true);
	assert_int_equal(ack(0), SPI);
	input(0, SPI, false, false);
	eoi(0, SPI);
	assert_int_equal(ack(0), CPUIF_NONE);
}

/* ---- active ones that have no list register ---- */

/* The guest is in its handlers while EOIs are counted. */
static void eois_without_registers_end_the_highest_first(void **s)
{
	(void)s;
	gic_make(1, 4, NULL);
	for (uint32_t i = 0; i < 8; i++) {
		set_edge(0, SPI + i, true);
		prepare(0, SPI + i, 0x80 - 8 * i);
		input(0, SPI + i, false, true);
		assert_int_equal(ack(0), SPI + i);
	}
	for (uint32_t i = 8; i-- > 2;)
		cpuif_eoi(&regs[0], SPI + i);
	gic_settle();
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(bank_bit(0, SPI + i, GICD_ISACTIVER), i < 2);
	eoi(0, SPI + 1);
	eoi(0, SPI);
	assert_int_equal(bank(0, SPI, GICD_ISACTIVER), 0);
}

/* One list register: the other handler waits outside. */
static void an_sgi_that_has_no_list_register_stays_active(void **s)
{
	(void)s;
	gic_make(1, 1, NULL);
	prepare(0, 5, 0x80);
	prepare(0, 6, 0x40);
	axvmi_vgic_sgi(&g, 0, UINT64_C(5) << 24 | 1, true);
	gic_settle();
	assert_int_equal(ack(0), 5);
	axvmi_vgic_sgi(&g, 0, UINT64_C(6) << 24 | 1, true);
	gic_settle();
	assert_int_equal(ack(0), 6);
	cpuif_eoi(&regs[0], 6);
	gic_fold(0);
	gic_check();
	gic_fill(0);
	assert_true(bank_bit(0, 5, GICD_ISACTIVER));
	assert_false(bank_bit(0, 6, GICD_ISACTIVER));
	eoi(0, 5);
	assert_false(bank_bit(0, 5, GICD_ISACTIVER));
}

/* ---- asleep ---- */

/* "Power management": what it serves it ends; more it does not get. */
static void who_sleeps_ends_what_it_serves_and_gets_no_more(void **s)
{
	(void)s;
	for (uint32_t intid = 5; intid <= SPI; intid += SPI - 5) {
		uint32_t other = intid + 1;

		set_edge(0, SPI, true);
		set_edge(0, SPI + 1, true);
		prepare(0, intid, 0x80);
		prepare(0, other, 0x40);
		bank_set(0, intid, GICD_ISPENDR, vgic_bit(intid));
		assert_int_equal(ack(0), intid);
		set_sleep(true);
		bank_set(0, intid, GICD_ISPENDR,
			 vgic_bit(intid) | vgic_bit(other));
		assert_int_equal(places(1, intid), 1);
		assert_int_equal(places(1, other), 0);
		assert_int_equal(ack(0), CPUIF_NONE);
		eoi(0, intid);
		assert_false(bank_bit(0, intid, GICD_ISACTIVER));
		assert_int_equal(ack(0), CPUIF_NONE);
		set_sleep(false);
		assert_int_equal(ack(0), other);
		eoi(0, other);
		assert_int_equal(ack(0), intid);
		eoi(0, intid);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(no_interrupt_is_in_two_list_registers),
		CASE(an_sgi_has_one_list_register_in_each_vcpu),
		CASE(a_route_takes_it_off_the_old_list),
		CASE(affinity_0_ends_at_15),
		CASE(intids_that_do_not_exist_are_not_deactivated),
		CASE(inputs_that_do_not_exist_change_nothing),
		CASE(sgis_stop_at_the_last_vcpu),
		CASE(an_active_one_without_a_target_ends_as_well),
		CASE(ends_of_one_word_are_told_each),
		CASE(configuration_is_written_sixteen_at_a_time),
		CASE(an_edge_on_a_high_level_is_no_second_interrupt),
		CASE(eois_without_registers_end_the_highest_first),
		CASE(an_sgi_that_has_no_list_register_stays_active),
		CASE(who_sleeps_ends_what_it_serves_and_gets_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
