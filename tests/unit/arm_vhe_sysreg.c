/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/arm_vhe/sysreg.c, id.c and cntp.c: accesses go in as traps with a
 * syndrome, and answers are compared with what the Arm ARM (DDI 0487) says of
 * the registers.
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

#define WENT_ON AXVM_EXIT_IRQ
#define EL1H UINT64_C(0x3c5)
#define VALUE UINT64_C(0x8182838485868788)

#define CNTPCT SYSREG(3, 3, 14, 0, 1)
#define CNTP_TVAL SYSREG(3, 3, 14, 2, 0)
#define CNTP_CTL SYSREG(3, 3, 14, 2, 1)
#define CNTP_CVAL SYSREG(3, 3, 14, 2, 2)

static int setup(void **state)
{
	(void)state;
	machine_new(MACHINE_FEATURES, 1);
	machine_boot();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return machine_delete() ? 0 : -1;
}

static void anew(uint64_t features)
{
	assert_int_equal(teardown(NULL), 0);
	machine_new(features, 1);
}

static uint32_t trap(uint32_t number, uint32_t rt, bool read)
{
	m.v->frame.pstate = EL1H;
	return machine_step(esr_make(EC_SYSREG, machine_iss(number, rt, read)),
			    0, 0);
}

static bool was_undefined(void)
{
	bool undefined = m.v->frame.pc == VECTORS + 0x200;

	assert_int_equal(m.exit.reason, WENT_ON);
	if (undefined)
		assert_int_equal(m.v->el1[ARM_EL1_ESR], 0x02000000);
	else
		assert_int_equal(m.v->frame.pc, ENTRY + 4);
	return undefined;
}

/* x9 of an MRS that works. */
static uint64_t mrs(uint32_t number)
{
	m.v->frame.x[9] = VALUE;
	trap(number, 9, true);
	assert_false(was_undefined());
	return m.v->frame.x[9];
}

static void msr(uint32_t number, uint64_t value)
{
	m.v->frame.x[9] = value;
	trap(number, 9, false);
	assert_false(was_undefined());
	assert_int_equal(m.v->frame.x[9], value);
}

static bool reads(uint32_t number)
{
	m.v->frame.x[9] = VALUE;
	trap(number, 9, true);
	if (!was_undefined())
		return true;
	assert_int_equal(m.v->frame.x[9], VALUE);
	return false;
}

static bool writes(uint32_t number)
{
	trap(number, 9, false);
	return !was_undefined();
}

/* ---- every register there can be ---- */

/* Number, what it reads (VALUE: not at all), whether it can be written. */
struct known {
	uint32_t number;
	uint64_t value;
	bool writes;
};

static const struct known known[] = {
	{SYSREG(1, 0, 7, 6, 2), VALUE, true}, /* DC ISW */
	{SYSREG(1, 0, 7, 10, 2), VALUE, true}, /* DC CSW */
	{SYSREG(1, 0, 7, 14, 2), VALUE, true}, /* DC CISW */
	{SYSREG(2, 0, 0, 0, 2), 0, true}, /* OSDTRRX_EL1 */
	{SYSREG(2, 0, 0, 2, 0), 0, true}, /* MDCCINT_EL1 */
	{SYSREG(2, 0, 0, 2, 2), 0, true}, /* MDSCR_EL1 */
	{SYSREG(2, 0, 0, 3, 2), 0, true}, /* OSDTRTX_EL1 */
	{SYSREG(2, 0, 0, 6, 2), 0, true}, /* OSECCR_EL1 */
	{SYSREG(2, 0, 0, 0, 4), 0, true}, /* DBGBVR0_EL1 */
	{SYSREG(2, 0, 0, 0, 5), 0, true}, /* DBGBCR0_EL1 */
	{SYSREG(2, 0, 0, 0, 6), 0, true}, /* DBGWVR0_EL1 */
	{SYSREG(2, 0, 0, 0, 7), 0, true}, /* DBGWCR0_EL1 */
	{SYSREG(2, 0, 0, 1, 4), 0, true},
	{SYSREG(2, 0, 0, 1, 5), 0, true},
	{SYSREG(2, 0, 0, 1, 6), 0, true},
	{SYSREG(2, 0, 0, 1, 7), 0, true},
	{SYSREG(2, 0, 1, 0, 0), 0, false}, /* MDRAR_EL1 */
	{SYSREG(2, 0, 1, 0, 4), VALUE, true}, /* OSLAR_EL1 */
	{SYSREG(2, 0, 1, 1, 4), 0xa, false}, /* OSLSR_EL1: locked */
	{SYSREG(2, 0, 1, 3, 4), 0, true}, /* OSDLR_EL1 */
	{SYSREG(2, 0, 1, 4, 4), 0, true}, /* DBGPRCR_EL1 */
	{SYSREG(2, 0, 7, 8, 6), 0xff, true}, /* DBGCLAIMSET_EL1 */
	{SYSREG(2, 0, 7, 9, 6), 0, true}, /* DBGCLAIMCLR_EL1 */
	{SYSREG(2, 0, 7, 14, 6), 0, false}, /* DBGAUTHSTATUS_EL1 */
	{SYSREG(2, 3, 0, 1, 0), 0, false}, /* MDCCSR_EL0 */
	{SYSREG(2, 3, 0, 4, 0), 0, true}, /* DBGDTR_EL0 */
	{SYSREG(2, 3, 0, 5, 0), 0, true}, /* DBGDTRRX_EL0, DBGDTRTX_EL0 */
	{SYSREG(3, 0, 1, 0, 1), 0, true}, /* ACTLR_EL1 */
	{SYSREG(3, 0, 12, 11, 1), VALUE, true}, /* ICC_DIR_EL1 */
	{SYSREG(3, 0, 12, 11, 5), VALUE, true}, /* ICC_SGI1R_EL1 */
	{SYSREG(3, 0, 12, 11, 6), VALUE, true}, /* ICC_ASGI1R_EL1 */
	{SYSREG(3, 0, 12, 11, 7), VALUE, true}, /* ICC_SGI0R_EL1 */
	{SYSREG(3, 0, 12, 12, 5), 7, true}, /* ICC_SRE_EL1 */
	{CNTPCT, 0, false},
	{CNTP_TVAL, 0, true},
	{CNTP_CTL, 0, true},
	{CNTP_CVAL, 0, true},
	{HOST_SYSREG, 5, true},
};

static struct known lookup(uint32_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].number == number)
			return known[i];
	}
	/* op0 3, op1 0, CRn 0, CRm 1 to 7: ID registers, tested below. */
	if (number >= SYSREG(3, 0, 0, 1, 0) && number <= SYSREG(3, 0, 0, 7, 7))
		return (struct known){
			number, arm_vm(m.vm)->id[number >> 3 & 7][number & 7],
			false};
	return (struct known){number, VALUE, false};
}

static void every_number_is_known_or_undefined(void **state)
{
	(void)state;
	for (uint32_t number = 0; number < 1u << 16; number++) {
		struct known k = lookup(number);

		/* What a known one does when written is tested apart. */
		m.registers.value = 5;
		m.v->cntp_ctl = 0;
		m.v->cntp_cval = 0;
		axvmi_arm_debug_reset(m.v);
		m.v->frame.x[9] = VALUE;
		if (reads(number) != (k.value != VALUE) ||
		    m.v->frame.x[9] != k.value)
			fail_msg("%05x reads %llx", number,
				 (unsigned long long)m.v->frame.x[9]);
		m.v->frame.x[9] = 0;
		if (writes(number) != k.writes)
			fail_msg("%05x: writes", number);
	}
}

static void the_zero_register_is_no_register(void **state)
{
	uint64_t x[31];

	(void)state;
	m.v->frame.sp_el0 = VALUE;
	for (unsigned n = 0; n < 31; n++)
		x[n] = m.v->frame.x[n] = VALUE + n;
	trap(SYSREG(3, 0, 0, 4, 0), 31, true);
	assert_false(was_undefined());
	trap(CNTPCT, 31, true);
	assert_int_equal(m.v->frame.sp_el0, VALUE);
	assert_memory_equal(m.v->frame.x, x, sizeof(x));
	m.v->cntp_cval = 3;
	trap(CNTP_CVAL, 31, false);
	assert_int_equal(m.v->cntp_cval, 0);
}

static void what_is_el1s_is_undefined_at_el0(void **state)
{
	static const uint32_t numbers[] = {
		SYSREG(3, 0, 0, 4, 0),
		SYSREG(2, 0, 0, 2, 2),
		SYSREG(3, 0, 12, 11, 5),
		SYSREG(3, 0, 1, 0, 1),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		m.v->frame.pstate = SPSR_EL0T;
		machine_step(
			esr_make(EC_SYSREG, machine_iss(numbers[i], 9, true)),
			0, 0);
		assert_int_equal(m.v->frame.pc, VECTORS + 0x400);
	}
	m.v->frame.pstate = SPSR_EL0T;
	machine_step(esr_make(EC_SYSREG,
			      machine_iss(SYSREG(3, 0, 12, 11, 5), 9, false)),
		     0, 0);
	assert_int_equal(m.v->frame.pc, VECTORS + 0x400);
	assert_int_equal(m.sgis, 0);
	/* CNTKCTL_EL1 has allowed this one. */
	m.v->frame.pstate = SPSR_EL0T;
	m.counter = 55;
	machine_step(esr_make(EC_SYSREG, machine_iss(CNTPCT, 9, true)), 0, 0);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(m.v->frame.x[9], 55);
}

/* ---- SGIs ---- */

static void sgis_go_to_the_vgic(void **state)
{
	(void)state;
	msr(SYSREG(3, 0, 12, 11, 5), VALUE);
	assert_int_equal(m.sgi, VALUE);
	assert_int_equal(m.sgi_group, 1);
	msr(SYSREG(3, 0, 12, 11, 6), 6);
	assert_int_equal(m.sgi_group, 0);
	msr(SYSREG(3, 0, 12, 11, 7), 7);
	assert_int_equal(m.sgi, 7);
	assert_int_equal(m.sgi_group, 0);
	assert_int_equal(m.sgis, 3);
	msr(SYSREG(3, 0, 12, 11, 1), 27);
	assert_int_equal(m.dirs, 1);
	assert_int_equal(m.sgi, 27);
}

static void without_a_vgic_there_are_no_sgis(void **state)
{
	(void)state;
	anew(MACHINE_FEATURES);
	m.config.emu_device_count = 0;
	machine_boot();
	assert_false(writes(SYSREG(3, 0, 12, 11, 5)));
	assert_false(writes(SYSREG(3, 0, 12, 11, 1)));
	assert_int_equal(m.sgis + m.dirs, 0);
	assert_int_equal(FIELD_GET(ID_PFR0_GIC, arm_vm(m.vm)->id[4][0]), 0);
}

/* ---- the physical timer ---- */

static void the_counter_is_the_vms(void **state)
{
	(void)state;
	m.counter = 1000;
	store_relaxed(&m.vm->time_offset, (uint64_t)-400);
	assert_int_equal(mrs(CNTPCT), 600);
}

static void timer_values_are_views_of_the_compare_value(void **state)
{
	(void)state;
	m.counter = 1000;
	msr(CNTP_TVAL, 500);
	assert_int_equal(mrs(CNTP_CVAL), 1500);
	assert_int_equal(mrs(CNTP_TVAL), 500);
	m.counter = 1600;
	assert_int_equal(mrs(CNTP_TVAL), 0xffffff9c);
	msr(CNTP_TVAL, UINT64_C(0x5ffffffff)); /* -1: only 32 bits count */
	assert_int_equal(mrs(CNTP_CVAL), 1599);
	msr(CNTP_CVAL, VALUE);
	assert_int_equal(mrs(CNTP_CVAL), VALUE);
	assert_int_equal(mrs(CNTP_TVAL), (VALUE - 1600) & UINT32_MAX);
}

static void the_status_is_that_of_an_enabled_timer(void **state)
{
	(void)state;
	m.counter = 1000;
	msr(CNTP_CVAL, 1000);
	assert_int_equal(mrs(CNTP_CTL), 0);
	msr(CNTP_CTL, 1);
	assert_int_equal(mrs(CNTP_CTL), 5);
	msr(CNTP_CTL, UINT64_MAX);
	assert_int_equal(mrs(CNTP_CTL), 7);
	m.counter = 999;
	assert_int_equal(mrs(CNTP_CTL), 3);
}

static void ppi_30_follows_the_timer(void **state)
{
	(void)state;
	m.counter = 1000;
	msr(CNTP_CVAL, 1100);
	msr(CNTP_CTL, 1);
	assert_int_equal(m.ppi_level, 0);
	assert_int_equal(m.ppi_changes, 0);
	assert_int_equal(axvmi_arm_cntp_due(m.v), 1100);
	m.counter = 1100;
	/* The host's timer has ended the run; the next one looks. */
	machine_play();
	assert_int_equal(m.ppi_level, 1);
	assert_int_equal(axvmi_arm_cntp_due(m.v), UINT64_MAX);
	machine_play();
	assert_int_equal(m.ppi_changes, 1);
	msr(CNTP_CTL, 3);
	assert_int_equal(m.ppi_level, 0);
	assert_int_equal(axvmi_arm_cntp_due(m.v), UINT64_MAX);
	msr(CNTP_CTL, 1);
	assert_int_equal(m.ppi_level, 1);
	msr(CNTP_TVAL, 10);
	assert_int_equal(m.ppi_level, 0);
	assert_int_equal(axvmi_arm_cntp_due(m.v), 1110);
	msr(CNTP_CTL, 0);
	assert_int_equal(axvmi_arm_cntp_due(m.v), UINT64_MAX);
	assert_int_equal(m.ppi_changes, 4);
}

/* ---- hal.timer ---- */

static uint64_t told;
static unsigned tellings;

static void tell(void *ctx, uint64_t deadline)
{
	(void)ctx;
	told = deadline;
	tellings++;
}

static uint64_t zero(void *ctx)
{
	(void)ctx;
	return 0;
}

static void the_host_is_told_when_the_timer_is_due(void **state)
{
	(void)state;
	anew(MACHINE_FEATURES);
	m.hal->hal.timer = tell;
	m.hal->hal.now = zero;
	machine_boot();
	tellings = 0;
	m.counter = 1000;
	msr(CNTP_CVAL, 1100);
	assert_int_equal(tellings, 0);
	msr(CNTP_CTL, 1);
	assert_int_equal(told, 10000); /* 100 ticks of 10 MHz */
	m.counter = 1050;
	machine_play();
	assert_int_equal(told, 5000);
	msr(CNTP_CTL, 0);
	assert_int_equal(told, UINT64_MAX);
	tellings = 0;
	machine_play();
	assert_int_equal(tellings, 0);
	/* Due at once: no need to be told. */
	m.counter = 2000;
	msr(CNTP_CTL, 1);
	assert_int_equal(tellings, 0);
	assert_int_equal(m.ppi_level, 1);
}

static void without_host_timers_the_timer_is_looked_at_by_each_run(void **state)
{
	(void)state;
	anew(MACHINE_FEATURES);
	m.hal->hal.timer = NULL;
	machine_boot();
	msr(CNTP_CVAL, 100);
	msr(CNTP_CTL, 1);
	assert_int_equal(m.ppi_level, 0);
	m.counter = 100;
	machine_play();
	assert_int_equal(m.ppi_level, 1);
}

/* ---- ID registers ---- */

static uint64_t field(unsigned crm, unsigned op2, unsigned shift)
{
	return mrs(SYSREG(3, 0, 0, (uint32_t)crm, (uint32_t)op2)) >> shift & 15;
}

static void what_is_not_switched_is_hidden(void **state)
{
	static const struct {
		unsigned crm, op2, shift;
	} hidden[] = {
		{1, 0, 28}, /* ID_PFR0.RAS */
		{1, 1, 4}, /* ID_PFR1.Security */
		{1, 1, 12}, /* .Virtualization */
		{1, 2, 24}, /* ID_DFR0.PerfMon */
		{4, 0, 8}, /* ID_AA64PFR0.EL2 */
		{4, 0, 12}, /* .EL3 */
		{4, 0, 28}, /* .RAS */
		{4, 0, 32}, /* .SVE */
		{4, 0, 36}, /* .SEL2 */
		{4, 0, 40}, /* .MPAM */
		{4, 0, 44}, /* .AMU */
		{4, 0, 52}, /* .RME */
		{4, 1, 8}, /* ID_AA64PFR1.MTE */
		{4, 1, 24}, /* .SME */
		{4, 1, 36}, /* .NMI */
		{4, 4, 0}, /* ID_AA64ZFR0 */
		{4, 5, 32}, /* ID_AA64SMFR0 */
		{5, 0, 4}, /* ID_AA64DFR0.TraceVer */
		{5, 0, 8}, /* .PMUVer */
		{5, 0, 32}, /* .PMSVer */
		{5, 0, 40}, /* .TraceFilt */
		{5, 1, 0}, /* ID_AA64DFR1 */
		{5, 4, 0}, /* ID_AA64AFR0 */
		{6, 0, 24}, /* ID_AA64ISAR0.TME */
		{6, 1, 56}, /* ID_AA64ISAR1.XS */
		{6, 1, 60}, /* .LS64 */
		{6, 2, 0}, /* ID_AA64ISAR2.WFxT */
		{6, 2, 16}, /* .MOPS */
		{7, 0, 12}, /* ID_AA64MMFR0.SNSMem */
		{7, 0, 40}, /* .TGran4_2 */
		{7, 0, 56}, /* .FGT */
		{7, 0, 60}, /* .ECV */
		{7, 1, 4}, /* ID_AA64MMFR1.VMIDBits */
		{7, 1, 8}, /* .VH */
		{7, 1, 16}, /* .LO */
		{7, 1, 28}, /* .XNX */
		{7, 1, 40}, /* .HCX */
		{7, 2, 12}, /* ID_AA64MMFR2.IESB */
		{7, 2, 24}, /* .NV */
		{7, 2, 40}, /* .FWB */
		{7, 2, 56}, /* .EVT */
		{7, 3, 0}, /* ID_AA64MMFR3 */
		{7, 4, 0}, /* ID_AA64MMFR4 */
		{3, 3, 0}, /* not allocated */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
		if (field(hidden[i].crm, hidden[i].op2, hidden[i].shift) != 0)
			fail_msg("ID register %u %u shows field %u",
				 hidden[i].crm, hidden[i].op2, hidden[i].shift);
	}
}

static void what_works_is_shown(void **state)
{
	static const struct {
		unsigned crm, op2, shift;
	} shown[] = {
		{4, 0, 16}, /* ID_AA64PFR0.FP */
		{4, 0, 20}, /* .AdvSIMD */
		{4, 0, 24}, /* .GIC */
		{4, 0, 48}, /* .DIT */
		{4, 0, 56}, /* .CSV2 */
		{4, 0, 60}, /* .CSV3 */
		{4, 1, 0}, /* ID_AA64PFR1.BT */
		{4, 1, 4}, /* .SSBS */
		{6, 0, 4}, /* ID_AA64ISAR0.AES */
		{6, 0, 20}, /* .Atomic */
		{6, 0, 60}, /* .RNDR */
		{6, 1, 0}, /* ID_AA64ISAR1.DPB */
		{6, 1, 20}, /* .LRCPC */
		{7, 0, 4}, /* ID_AA64MMFR0.ASIDBits */
		{7, 0, 8}, /* .BigEnd */
		{7, 0, 16}, /* .BigEndEL0 */
		{7, 0, 28}, /* .TGran4 */
		{7, 1, 0}, /* ID_AA64MMFR1.HAFDBS */
		{7, 1, 20}, /* .PAN */
		{7, 2, 0}, /* ID_AA64MMFR2.CnP */
		{7, 2, 48}, /* .TTL */
		{7, 2, 60}, /* .E0PD */
		{1, 0, 0}, /* ID_PFR0.State0 */
		{2, 5, 4}, /* ID_ISAR5.AES */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		if (field(shown[i].crm, shown[i].op2, shown[i].shift) != 1)
			fail_msg("ID register %u %u hides field %u",
				 shown[i].crm, shown[i].op2, shown[i].shift);
	}
	assert_int_equal(field(4, 0, 0), 2); /* EL0: both states */
	assert_int_equal(field(4, 0, 4), 1); /* EL1: AArch64 */
}

static void debug_is_armv8s_with_the_cpus_breakpoints(void **state)
{
	(void)state;
	assert_int_equal(mrs(SYSREG(3, 0, 0, 5, 0)), UINT64_C(0xf010101006));
	assert_int_equal(mrs(SYSREG(3, 0, 0, 1, 2)), 6);
}

static void pointer_authentication_goes_with_its_keys(void **state)
{
	(void)state;
	assert_int_equal(field(6, 1, 4), 0);
	assert_int_equal(field(6, 1, 8), 0);
	assert_int_equal(field(6, 1, 28), 0);
	assert_int_equal(field(6, 2, 8), 0); /* GPA3, APA3, PAC_frac */
	assert_int_equal(field(6, 2, 12), 0);
	assert_int_equal(field(6, 2, 24), 0);
	anew(MACHINE_FEATURES | ARM_FEATURE_PAUTH);
	machine_boot();
	assert_int_equal(field(6, 1, 4), 1);
	assert_int_equal(field(6, 1, 8), 1);
	assert_int_equal(field(6, 1, 28), 1);
	assert_int_equal(field(6, 2, 8), 1);
	assert_int_equal(field(6, 2, 12), 1);
	assert_int_equal(field(6, 2, 24), 1);
}

static void no_field_claims_more_than_there_is(void **state)
{
	static const struct {
		unsigned crm, op2, shift;
		uint64_t most;
	} cases[] = {
		{4, 0, 24, 1}, /* GIC: 3 is GICv4.1 */
		{4, 0, 56, 1}, /* CSV2: from 2 on SCXTNUM_EL0 and _EL1 */
		{4, 1, 32, 1}, /* CSV2_frac: the same */
		{7, 1, 0, 2}, /* HAFDBS: 3 needs TCR2_EL1 */
		{7, 2, 16, 1}, /* VARange: so does 2 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (uint64_t value = 0; value < 4; value++) {
			uint64_t *id = &m.ids[cases[i].crm][cases[i].op2];

			anew(MACHINE_FEATURES);
			*id &= ~(UINT64_C(15) << cases[i].shift);
			*id |= value << cases[i].shift;
			machine_boot();
			assert_int_equal(field(cases[i].crm, cases[i].op2,
					       cases[i].shift),
					 value < cases[i].most ? value
							       : cases[i].most);
		}
	}
	assert_false(reads(SYSREG(3, 0, 13, 0, 7)));
	assert_false(reads(SYSREG(3, 3, 13, 0, 7)));
}

static void without_aarch32_its_registers_are_zero(void **state)
{
	(void)state;
	anew(MACHINE_FEATURES);
	m.ids[4][0] = UINT64_C(0x1111111111111111);
	machine_boot();
	for (uint32_t crm = 1; crm < 4; crm++) {
		for (uint32_t op2 = 0; op2 < 8; op2++)
			assert_int_equal(mrs(SYSREG(3, 0, 0, crm, op2)), 0);
	}
}

static void the_physical_range_is_no_wider_than_the_guests_space(void **state)
{
	static const struct {
		uint64_t gpa; /* of the last region */
		uint64_t cpu; /* PARange */
		uint64_t range;
	} cases[] = {
		{UINT64_C(0x80000000), 2, 0},	{UINT64_C(0x100000000), 2, 1},
		{UINT64_C(0x1000000000), 2, 2}, {UINT64_C(0x1000000000), 5, 2},
		{UINT64_C(0x1000000000), 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		anew(MACHINE_FEATURES);
		m.ids[7][0] = cases[i].cpu;
		machine_region(cases[i].gpa, 0x1000, AXVM_RW,
			       AXVM_REGION_DEMAND);
		machine_boot();
		assert_int_equal(field(7, 0, 0), cases[i].range);
	}
}

/* ---- registers of the host ---- */

static void the_host_may_add_registers(void **state)
{
	(void)state;
	m.registers.value = VALUE;
	assert_int_equal(mrs(HOST_SYSREG), VALUE);
	msr(HOST_SYSREG, 77);
	assert_int_equal(m.registers.last.value, 77);
	assert_int_equal(m.registers.last.write, 1);
	assert_int_equal(m.registers.last.offset, 0);
	m.registers.result = AXVM_ACCESS_FAULT;
	assert_false(reads(HOST_SYSREG));
}

static void a_register_may_be_left_to_the_host(void **state)
{
	uint64_t esr = esr_make(EC_SYSREG, machine_iss(HOST_SYSREG, 4, true));

	(void)state;
	m.registers.result = AXVM_ACCESS_EXIT;
	assert_int_equal(trap(HOST_SYSREG, 4, true), AXVM_EXIT_SYSREG);
	assert_int_equal(m.exit.u.sysreg.number, HOST_SYSREG);
	assert_int_equal(m.exit.u.sysreg.write, 0);
	assert_int_equal(m.exit.pc, ENTRY);
	assert_int_equal(m.exit.raw[0], esr);
	assert_int_equal(axvm_vcpu_complete(m.vm, 0, m.exit.seq,
					    AXVM_COMPLETE_DONE, VALUE),
			 AXVM_OK);
	machine_play();
	assert_false(was_undefined());
	assert_int_equal(m.v->frame.x[4], VALUE);
	m.v->frame.x[4] = 9;
	assert_int_equal(trap(HOST_SYSREG, 4, false), AXVM_EXIT_SYSREG);
	assert_int_equal(m.exit.u.sysreg.write, 1);
	assert_int_equal(m.exit.u.sysreg.value, 9);
	assert_int_equal(axvm_vcpu_complete(m.vm, 0, m.exit.seq,
					    AXVM_COMPLETE_DONE, VALUE),
			 AXVM_OK);
	machine_play();
	assert_false(was_undefined());
	assert_int_equal(m.v->frame.x[4], 9);
	/* By default it does not exist. */
	assert_int_equal(trap(HOST_SYSREG, 4, true), AXVM_EXIT_SYSREG);
	machine_play();
	assert_true(was_undefined());
	assert_int_equal(trap(HOST_SYSREG, 4, true), AXVM_EXIT_SYSREG);
	assert_int_equal(
		axvm_vcpu_complete(m.vm, 0, m.exit.seq, AXVM_COMPLETE_RETRY, 0),
		AXVM_OK);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_number_is_known_or_undefined),
		TEST(the_zero_register_is_no_register),
		TEST(what_is_el1s_is_undefined_at_el0),
		TEST(sgis_go_to_the_vgic),
		TEST(without_a_vgic_there_are_no_sgis),
		TEST(the_counter_is_the_vms),
		TEST(timer_values_are_views_of_the_compare_value),
		TEST(the_status_is_that_of_an_enabled_timer),
		TEST(ppi_30_follows_the_timer),
		TEST(the_host_is_told_when_the_timer_is_due),
		TEST(without_host_timers_the_timer_is_looked_at_by_each_run),
		TEST(what_is_not_switched_is_hidden),
		TEST(what_works_is_shown),
		TEST(debug_is_armv8s_with_the_cpus_breakpoints),
		TEST(pointer_authentication_goes_with_its_keys),
		TEST(no_field_claims_more_than_there_is),
		TEST(without_aarch32_its_registers_are_zero),
		TEST(the_physical_range_is_no_wider_than_the_guests_space),
		TEST(the_host_may_add_registers),
		TEST(a_register_may_be_left_to_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
