/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/arm_vhe/exit.c, abort.c, inject.c: exceptions go in as a CPU reports
 * them, through axvm_run_vcpu(), and the guest's state and the exit record are
 * compared with what the Arm ARM (DDI 0487) asks for.
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
#define EL1H UINT64_C(0x5)
#define EL1T UINT64_C(0x4)
#define EL0T UINT64_C(0x0)
#define USR UINT64_C(0x10)

#define DABT(iss) esr_make(EC_DABT_LOWER, iss)
#define IABT(iss) esr_make(EC_IABT_LOWER, iss)
#define TRANSLATION UINT64_C(0x07) /* level 3 */
#define PERMISSION UINT64_C(0x0f)
#define EXTERNAL UINT64_C(0x10)

static int setup(void **state)
{
	(void)state;
	machine_new(MACHINE_FEATURES | ARM_FEATURE_RAS, 1);
	machine_boot();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return machine_delete() ? 0 : -1;
}

static uint64_t el1(enum arm_el1 reg)
{
	return m.v->el1[reg];
}

/* The guest got this exception from `from`, at ENTRY. */
static void expect_taken(uint64_t esr, uint64_t from, uint64_t vector)
{
	assert_int_equal(m.exit.reason, WENT_ON);
	assert_int_equal(el1(ARM_EL1_ESR), esr);
	assert_int_equal(el1(ARM_EL1_ELR), ENTRY);
	assert_int_equal(el1(ARM_EL1_SPSR), from);
	assert_int_equal(m.v->frame.pc, VECTORS + vector);
}

static uint64_t count(enum axvm_stat stat)
{
	return load_relaxed(&m.v->core.exits[stat]);
}

/* ---- exception entry ---- */

static void vectors_depend_on_where_the_exception_comes_from(void **state)
{
	static const struct {
		uint64_t pstate;
		uint64_t vector;
	} cases[] = {
		{EL1T, 0x000},
		{EL1H, 0x200},
		{EL0T, 0x400},
		{USR, 0x600},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		m.v->frame.pstate = cases[i].pstate;
		machine_step(esr_make(EC_SVE, 0), 0, 0);
		expect_taken(esr_make(EC_UNKNOWN, 0), cases[i].pstate,
			     cases[i].vector);
	}
}

static uint64_t pstate_after(uint64_t before, uint64_t sctlr)
{
	m.v->frame.pstate = before;
	m.v->el1[ARM_EL1_SCTLR] = sctlr;
	machine_step(esr_make(EC_SVE, 0), 0, 0);
	return m.v->frame.pstate;
}

static void pstate_is_that_of_a_handler(void **state)
{
	const uint64_t handler = 0x3c5;

	(void)state;
	assert_int_equal(pstate_after(EL0T, SCTLR_SPAN), handler);
	/* Kept: NZCV, PAN, DIT. */
	assert_int_equal(pstate_after(UINT64_C(0xf0000000) | BIT64(22) |
					      BIT64(24) | EL1H,
				      SCTLR_SPAN),
			 UINT64_C(0xf0000000) | BIT64(22) | BIT64(24) |
				 handler);
	/* Cleared: SS, IL, UAO, BTYPE, SSBS; SSBS is what SCTLR says. */
	assert_int_equal(pstate_after(BIT64(21) | BIT64(20) | BIT64(23) |
					      0xc00 | BIT64(12) | EL1H,
				      SCTLR_SPAN),
			 handler);
	assert_int_equal(pstate_after(EL1H, SCTLR_SPAN | BIT64(44)),
			 handler | BIT64(12));
	assert_int_equal(pstate_after(EL1H, 0), handler | BIT64(22));
	/* AArch32 has DIT elsewhere, and Q, GE, IT, E, T nowhere. */
	assert_int_equal(pstate_after(UINT64_C(0xff2ffe30), SCTLR_SPAN),
			 UINT64_C(0xf0000000) | BIT64(24) | handler);
}

static void far_is_written_by_those_that_have_it(void **state)
{
	(void)state;
	m.v->el1[ARM_EL1_FAR] = 77;
	machine_step(esr_make(EC_SVE, 0), 5, 0);
	assert_int_equal(el1(ARM_EL1_FAR), 77);
	machine_step(IABT(TRANSLATION), GVA + HOLE + 4, HOLE);
	assert_int_equal(el1(ARM_EL1_FAR), GVA + HOLE + 4);
}

/* ---- classes ---- */

static void what_is_hidden_is_undefined(void **state)
{
	static const uint64_t classes[] = {
		EC_UNKNOWN, EC_CP15_32, EC_CP15_64,   EC_CP14_32, EC_CP14_LS,
		EC_CP10_ID, EC_PAUTH,	EC_LS64,      EC_CP14_64, EC_SMC32,
		EC_SVE,	    EC_SME,	EC_SYSREG128, EC_TSTART,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		m.v->frame.pstate = EL1H;
		/* "Unknown reason" has neither ISS nor FAR, and IL set. */
		machine_step(esr_make(classes[i], 0x1f), 3, 4);
		expect_taken(0x02000000, EL1H, 0x200);
	}
	assert_int_equal(count(AXVM_STAT_REFLECTED), ARRAY_SIZE(classes));
}

static void unknown_classes_are_exits(void **state)
{
	static const uint64_t classes[] = {
		0x02, 0x0d, 0x0e, 0x12, 0x15, 0x1a, 0x1c, 0x1e, 0x22,
		0x26, 0x27, 0x2c, 0x2d, 0x30, 0x32, 0x34, 0x3a, 0x3f,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		m.v->frame.pstate = EL1H;
		assert_int_equal(
			machine_step(esr_make(classes[i], 3), 5, 0x7000),
			AXVM_EXIT_FAULT);
		assert_int_equal(m.exit.u.fault.kind, AXVM_FAULT_UNKNOWN);
		assert_int_equal(m.exit.pc, ENTRY);
		assert_int_equal(m.exit.raw[0], esr_make(classes[i], 3));
		assert_int_equal(m.exit.raw[1], 5);
		assert_int_equal(m.exit.raw[2], 0x70);
		assert_int_equal(m.exit.valid, AXVM_EXIT_RAW_VALID);
		/* By default an SError. */
		machine_play();
		expect_taken(esr_make(EC_SERROR, 0), EL1H, 0x380);
	}
}

static void an_serror_is_the_hosts_to_judge(void **state)
{
	(void)state;
	m.v->frame.pstate = EL0T;
	assert_int_equal(machine_step(esr_make(EC_SERROR, 0x123), 0, 0),
			 AXVM_EXIT_FAULT);
	machine_play();
	expect_taken(esr_make(EC_SERROR, 0x123), EL0T, 0x580);
	m.v->frame.pstate = EL0T;
	assert_int_equal(machine_step(esr_make(EC_SERROR, 0x123), 0, 0),
			 AXVM_EXIT_FAULT);
	assert_int_equal(
		axvm_vcpu_complete(m.vm, 0, m.exit.seq, AXVM_COMPLETE_DONE, 0),
		AXVM_OK);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY);
}

/* The host lets the guest have the SError that the CPU has reported. */
static void pend_serror(uint64_t pstate, uint64_t iss)
{
	m.v->frame.pstate = pstate;
	assert_int_equal(machine_step(esr_make(EC_SERROR, iss), 0, 0),
			 AXVM_EXIT_FAULT);
	assert_int_equal(machine_play(), WENT_ON);
}

static void an_serror_waits_for_the_guest_to_unmask_it(void **state)
{
	(void)state;
	pend_serror(EL1H | SPSR_A, 0x1000011);
	assert_int_equal(m.v->frame.pc, ENTRY);
	assert_int_equal(m.v->frame.hcr & HCR_VSE, HCR_VSE);
	/* Other exceptions come and go. */
	machine_step(esr_make(EC_SVE, 0), 0, 0);
	expect_taken(esr_make(EC_UNKNOWN, 0), EL1H | SPSR_A, 0x200);
	m.v->frame.pc = ENTRY;
	m.v->frame.pstate = EL0T;
	machine_play();
	expect_taken(esr_make(EC_SERROR, 0x1000011), EL0T, 0x580);
	assert_int_equal(m.v->frame.hcr & HCR_VSE, 0);
	m.v->frame.pstate = EL1H;
	machine_step(esr_make(EC_SVE, 0), 0, 0);
	expect_taken(esr_make(EC_UNKNOWN, 0), EL1H, 0x200);
}

static void without_ras_an_serror_says_nothing(void **state)
{
	(void)state;
	assert_int_equal(teardown(NULL), 0);
	machine_new(MACHINE_FEATURES, 1);
	machine_boot();
	pend_serror(EL1H, 0x123);
	expect_taken(esr_make(EC_SERROR, 0), EL1H, 0x380);
}

static void a_pending_serror_ends_with_the_vcpus_life(void **state)
{
	(void)state;
	pend_serror(EL1H | SPSR_A, 0x123);
	axvmi_arm_power_on_state(m.v, ENTRY, 0);
	assert_int_equal(m.v->frame.hcr & HCR_VSE, 0);
	assert_int_equal(el1(ARM_EL1_VSESR), 0);
	m.v->frame.pstate = EL1H;
	machine_play();
	assert_int_equal(m.v->frame.pc, ENTRY);
}

static void breakpoint_instructions_are_the_guests(void **state)
{
	(void)state;
	machine_step(esr_make(EC_BRK64, 0x800), 0, 0);
	expect_taken(esr_make(EC_BRK64, 0x800), 0x3c5, 0x200);
}

static void fp_state_is_loaded_at_its_first_use(void **state)
{
	(void)state;
	assert_int_equal(machine_step(esr_make(EC_FP, 0x1e00000), 0, 0),
			 WENT_ON);
	assert_int_equal(m.fp_loads, 1);
	assert_int_equal(m.v->frame.pc, ENTRY);
	assert_int_equal(count(AXVM_STAT_LAZY_STATE), 1);
}

/* ---- waiting ---- */

static void wfi_halts_with_the_timers_deadline(void **state)
{
	(void)state;
	m.deadline = 4321;
	assert_int_equal(machine_step(esr_make(EC_WFX, 0), 0, 0),
			 AXVM_EXIT_HALT);
	assert_int_equal(m.exit.u.halt.deadline, 4321);
	assert_int_equal(m.exit.pc, ENTRY);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(count(AXVM_STAT_HALT), 1);
	m.pending = true;
	assert_int_equal(machine_step(esr_make(EC_WFX, 0), 0, 0), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(m.exit.pc, ENTRY + 4);
}

static void wfe_and_timeouts_end_at_once(void **state)
{
	(void)state;
	for (uint64_t ti = 1; ti < 4; ti++) {
		assert_int_equal(machine_step(esr_make(EC_WFX, ti), 0, 0),
				 WENT_ON);
		assert_int_equal(m.v->frame.pc, ENTRY + 4);
	}
}

static void wfe_yields_where_the_host_asks_for_it(void **state)
{
	(void)state;
	assert_int_equal(m.v->frame.hcr & HCR_TWE, 0);
	assert_int_equal(axvm_vcpu_set_spin_yield(m.vm, 0, true), AXVM_OK);
	assert_int_equal(m.v->frame.hcr & HCR_TWE, HCR_TWE);
	for (uint64_t ti = 0; ti < 4; ti++) {
		uint32_t reason = machine_step(esr_make(EC_WFX, ti), 0, 0);

		assert_int_equal(reason, ti == 0  ? AXVM_EXIT_HALT
					 : ti & 1 ? AXVM_EXIT_YIELD
						  : WENT_ON);
		assert_int_equal(m.v->frame.pc, ENTRY + 4);
		if (reason != WENT_ON)
			assert_int_equal(m.exit.pc, ENTRY);
	}
	/* Over resets, until it is taken back. */
	axvmi_arm_vcpu_reset(&m.v->core, ENTRY, 0);
	assert_int_equal(m.v->frame.hcr & HCR_TWE, HCR_TWE);
	assert_int_equal(axvm_vcpu_set_spin_yield(m.vm, 0, false), AXVM_OK);
	assert_int_equal(m.v->frame.hcr & HCR_TWE, 0);
	assert_int_equal(machine_step(esr_make(EC_WFX, 1), 0, 0), WENT_ON);
}

/* ---- AArch32 ---- */

/* ConditionHolds() of the manual, flag by flag. */
static bool holds(unsigned cond, unsigned nzcv)
{
	bool n = (nzcv & 8) != 0, z = (nzcv & 4) != 0, c = (nzcv & 2) != 0,
	     v = (nzcv & 1) != 0;

	switch (cond) {
	case 0:
		return z;
	case 1:
		return !z;
	case 2:
		return c;
	case 3:
		return !c;
	case 4:
		return n;
	case 5:
		return !n;
	case 6:
		return v;
	case 7:
		return !v;
	case 8:
		return c && !z;
	case 9:
		return !(c && !z);
	case 10:
		return n == v;
	case 11:
		return n != v;
	case 12:
		return n == v && !z;
	case 13:
		return !(n == v && !z);
	default:
		return true;
	}
}

/* Of a coprocessor that has some registers, and of one that has none. */
static void conditions_are_those_of_aarch32(void **state)
{
	static const uint64_t classes[] = {EC_CP15_32, EC_CP14_LS};

	(void)state;
	for (unsigned cond = 0; cond < 16; cond++) {
		for (unsigned n = 0; n < 2 * 16; n++) {
			unsigned nzcv = n / 2;
			uint64_t esr = esr_make(classes[n % 2],
						ISS_CV | (uint64_t)cond << 20);

			m.v->frame.pstate = USR | (uint64_t)nzcv << 28;
			machine_step(esr, 0, 0);
			if (holds(cond, nzcv))
				assert_int_equal(m.v->frame.pc,
						 VECTORS + 0x600);
			else
				assert_int_equal(m.v->frame.pc, ENTRY + 4);
			/* Not valid: it is taken to hold. */
			m.v->frame.pstate = USR | (uint64_t)nzcv << 28;
			machine_step(esr & ~ISS_CV, 0, 0);
			assert_int_equal(m.v->frame.pc, VECTORS + 0x600);
		}
	}
}

/* A T32 instruction of 16 bits, that does not pass its condition. */
static uint64_t skip_in_it(uint64_t it)
{
	uint64_t esr = FIELD_PUT(ESR_EC, EC_WFX) | ISS_CV | 1 << 20;

	m.v->frame.pstate =
		USR | BIT64(30) | BIT64(5) | (it & 3) << 25 | it >> 2 << 10;
	machine_step(esr, 0, 0);
	assert_int_equal(m.v->frame.pc, ENTRY + 2);
	return (m.v->frame.pstate >> 10 & 0x3f) << 2 |
	       (m.v->frame.pstate >> 25 & 3);
}

/* A core that does not say the condition of T32 instructions. */
static void conditions_of_t32_are_those_of_the_it_block(void **state)
{
	const uint64_t esr = esr_make(EC_CP15_32, 0);

	(void)state;
	for (unsigned it = 0; it < 256; it++) {
		bool block = (it & 15) != 0;
		unsigned nzcv = it * 7 % 16;

		m.v->frame.pstate = USR | BIT64(5) | (uint64_t)nzcv << 28 |
				    (uint64_t)(it & 3) << 25 |
				    (uint64_t)(it >> 2) << 10;
		machine_step(esr, 0, 0);
		if (!block || holds(it >> 4, nzcv))
			assert_int_equal(m.v->frame.pc, VECTORS + 0x600);
		else
			assert_int_equal(m.v->frame.pc, ENTRY + 4);
	}
}

static void it_blocks_move_on_with_what_is_skipped(void **state)
{
	(void)state;
	assert_int_equal(skip_in_it(0x00), 0x00);
	assert_int_equal(skip_in_it(0x08), 0x00); /* the last one */
	assert_int_equal(skip_in_it(0x11), 0x02);
	assert_int_equal(skip_in_it(0x15), 0x0a);
	assert_int_equal(skip_in_it(0xff), 0xfe);
	assert_int_equal(skip_in_it(0xf4), 0xe8);
}

static void aarch32_waits_too(void **state)
{
	(void)state;
	m.v->frame.pstate = USR | BIT64(5);
	assert_int_equal(machine_step(FIELD_PUT(ESR_EC, EC_WFX), 0, 0),
			 AXVM_EXIT_HALT);
	assert_int_equal(m.v->frame.pc, ENTRY + 2);
}

/* ---- RAM ---- */

static void a_demand_page_is_filled_and_the_guest_tries_again(void **state)
{
	const uint64_t esrs[] = {
		DABT(ISS_WNR | TRANSLATION),
		DABT(TRANSLATION),
		DABT(ISS_ISV | TRANSLATION),
		DABT(ISS_CM | ISS_WNR | TRANSLATION),
		DABT(0x04), /* translation, level 0 */
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		uint64_t gpa = DEMAND + i * 0x1000 + 8;

		assert_int_equal(machine_step(esrs[i], GVA + gpa, gpa),
				 WENT_ON);
		assert_int_equal(m.v->frame.pc, ENTRY);
		assert_int_equal(m.fetches, 0);
	}
	assert_int_equal(count(AXVM_STAT_STAGE2_FAULT), 4);
	/* Somebody else was faster. */
	assert_int_equal(machine_step(esrs[4], GVA + DEMAND, DEMAND), WENT_ON);
	assert_int_equal(m.flushes > 0, 1);
}

static void expect_denied(uint64_t gpa, uint32_t kind, uint32_t access)
{
	assert_int_equal(m.exit.reason, AXVM_EXIT_FAULT);
	assert_int_equal(m.exit.u.fault.kind, kind);
	assert_int_equal(m.exit.u.fault.access, access);
	assert_int_equal(m.exit.gpa, gpa);
	assert_int_equal(m.exit.gva, GVA + gpa);
	assert_int_equal(m.exit.valid, AXVM_EXIT_GPA_VALID |
					       AXVM_EXIT_GVA_VALID |
					       AXVM_EXIT_RAW_VALID);
	assert_int_equal(m.exit.pc, ENTRY);
}

/* HPFAR_EL2 is not written by these: the address is translated. */
static void a_permission_fault_is_looked_up(void **state)
{
	(void)state;
	machine_step(DABT(ISS_WNR | PERMISSION), GVA + ROM + 0x18, HOLE);
	expect_denied(ROM + 0x18, AXVM_FAULT_PERMISSION, AXVM_WRITE);
	assert_int_equal(m.translates, 1);
	machine_play();
	expect_taken(esr_make(EC_DABT_SAME, ISS_WNR | EXTERNAL), 0x3c5, 0x200);
	assert_int_equal(el1(ARM_EL1_FAR), GVA + ROM + 0x18);
}

static void a_permission_fault_that_is_gone_is_tried_again(void **state)
{
	(void)state;
	m.untranslatable = true;
	assert_int_equal(
		machine_step(DABT(ISS_WNR | PERMISSION), GVA + ROM, HOLE),
		WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY);
}

static void a_refused_fetch_is_an_instruction_abort(void **state)
{
	(void)state;
	m.v->frame.pstate = EL0T;
	machine_step(IABT(TRANSLATION), GVA + DEMAND + 4, DEMAND);
	expect_denied(DEMAND + 4, AXVM_FAULT_PERMISSION, AXVM_EXEC);
	machine_play();
	expect_taken(esr_make(EC_IABT_LOWER, EXTERNAL), EL0T, 0x400);
	assert_int_equal(el1(ARM_EL1_FAR), GVA + DEMAND + 4);
}

static void the_host_may_have_a_refused_access_tried_again(void **state)
{
	(void)state;
	machine_step(DABT(ISS_WNR | TRANSLATION), GVA + DEMAND_ROM, DEMAND_ROM);
	expect_denied(DEMAND_ROM, AXVM_FAULT_PERMISSION, AXVM_WRITE);
	assert_int_equal(
		axvm_vcpu_complete(m.vm, 0, m.exit.seq, AXVM_COMPLETE_RETRY, 0),
		AXVM_OK);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY);
	assert_int_equal(count(AXVM_STAT_REFLECTED), 0);
}

static void an_unmapped_page_of_ram_is_an_exit(void **state)
{
	(void)state;
	assert_int_equal(axvm_unmap(m.vm, axvm_to_gpa(RAM + 0x2000), 0x1000),
			 AXVM_OK);
	machine_step(DABT(TRANSLATION), GVA + RAM + 0x2004, RAM + 0x2000);
	expect_denied(RAM + 0x2004, AXVM_FAULT_UNMAPPED, AXVM_READ);
}

static void cache_maintenance_needs_no_right_to_write(void **state)
{
	const uint64_t cm = ISS_CM | ISS_WNR;

	(void)state;
	/* A page that is not there yet comes, read-only or not. */
	assert_int_equal(machine_step(DABT(cm | TRANSLATION), GVA + DEMAND_ROM,
				      DEMAND_ROM),
			 WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY);
	/* One that is there and refuses: nothing is done, and no loop. */
	assert_int_equal(
		machine_step(DABT(cm | PERMISSION), GVA + DEMAND_ROM, 0),
		WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	/* Devices and holes have nothing cached. */
	assert_int_equal(
		machine_step(DABT(cm | TRANSLATION), GVA + DEVICE, DEVICE),
		WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(machine_step(DABT(cm | TRANSLATION), GVA + HOLE, HOLE),
			 WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(m.device.accesses, 0);
}

static void fetches_from_no_ram_are_external_aborts(void **state)
{
	static const uint64_t places[] = {DEVICE, HOLE, UINT64_C(0xfffffff000)};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		m.v->frame.pstate = EL1H;
		machine_step(IABT(TRANSLATION), GVA + places[i], places[i]);
		expect_taken(esr_make(EC_IABT_SAME, EXTERNAL), EL1H, 0x200);
	}
}

/* ---- walks of the guest's tables ---- */

static void tables_in_demand_pages_are_filled(void **state)
{
	(void)state;
	/* FAR is what was translated, and not where the table is. */
	assert_int_equal(machine_step(DABT(ISS_S1PTW | ISS_WNR | TRANSLATION),
				      GVA + 0x123ff0, DEMAND_ROM),
			 WENT_ON);
	assert_int_equal(machine_step(IABT(ISS_S1PTW | TRANSLATION),
				      GVA + 0x123ff0, DEMAND),
			 WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY);
	assert_int_equal(count(AXVM_STAT_REFLECTED), 0);
}

static void tables_in_no_ram_are_external_aborts_of_a_walk(void **state)
{
	(void)state;
	m.v->frame.pstate = EL1H;
	machine_step(DABT(ISS_S1PTW | ISS_WNR | TRANSLATION), GVA + 8, HOLE);
	expect_taken(esr_make(EC_DABT_SAME, ISS_WNR | 0x14), EL1H, 0x200);
	assert_int_equal(el1(ARM_EL1_FAR), GVA + 8);
	m.v->frame.pstate = EL0T;
	machine_step(IABT(ISS_S1PTW | TRANSLATION), GVA + 8, DEVICE);
	expect_taken(esr_make(EC_IABT_LOWER, 0x14), EL0T, 0x400);
	assert_int_equal(m.device.accesses, 0);
}

/* HCR_EL2.PTW: a walk that comes to a device of the machine is not made. */
static void tables_in_devices_of_the_machine_are_so_too(void **state)
{
	const struct axvm_passthrough_config clock = {
		.gpa = {HOLE},
		.hpa = {0x9000000},
		.size = 0x1000,
		.dma = AXVM_DMA_NONE,
	};

	assert_int_equal(teardown(state), 0);
	machine_new(MACHINE_FEATURES, 1);
	m.config.passthrough = &clock;
	m.config.passthrough_count = 1;
	machine_boot();
	assert_true((m.v->frame.hcr & HCR_PTW) != 0);
	/* Mapped meanwhile, or the CPU's translation is old: it looks again. */
	assert_int_equal(
		machine_step(DABT(ISS_S1PTW | TRANSLATION), GVA + 8, HOLE),
		WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY);
	machine_step(DABT(ISS_S1PTW | PERMISSION), GVA + 8, HOLE);
	expect_taken(esr_make(EC_DABT_SAME, 0x14), 0x3c5, 0x200);
	assert_int_equal(el1(ARM_EL1_FAR), GVA + 8);
}

static void flags_in_read_only_tables_are_refused(void **state)
{
	(void)state;
	assert_int_equal(
		machine_step(DABT(ISS_S1PTW | PERMISSION), GVA + 8, ROM),
		AXVM_EXIT_FAULT);
	assert_int_equal(m.exit.u.fault.kind, AXVM_FAULT_PERMISSION);
	assert_int_equal(m.exit.u.fault.access, AXVM_WRITE);
	assert_int_equal(m.exit.gpa, ROM);
	assert_int_equal(m.translates, 0);
	machine_play();
	expect_taken(esr_make(EC_DABT_SAME, 0x14), 0x3c5, 0x200);
}

/* ---- other fault codes ---- */

static void addresses_without_memory_are_external_aborts(void **state)
{
	(void)state;
	m.v->frame.pstate = EL0T;
	for (uint64_t level = 0; level < 4; level++) {
		m.v->frame.pstate = EL0T;
		machine_step(DABT(ISS_WNR | level), GVA, 0);
		expect_taken(esr_make(EC_DABT_LOWER, ISS_WNR | EXTERNAL), EL0T,
			     0x400);
	}
}

static void other_fault_codes_are_exits(void **state)
{
	static const uint64_t codes[] = {0x08, 0x0b, 0x10, 0x14, 0x18,
					 0x1f, 0x30, 0x31, 0x34, 0x3f};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		m.v->frame.pstate = EL1H;
		assert_int_equal(machine_step(DABT(codes[i]), GVA, RAM),
				 AXVM_EXIT_FAULT);
		assert_int_equal(m.exit.u.fault.kind, AXVM_FAULT_UNKNOWN);
		assert_int_equal(m.exit.gva, GVA);
		assert_int_equal(m.exit.valid,
				 AXVM_EXIT_GVA_VALID | AXVM_EXIT_RAW_VALID);
		machine_play();
		expect_taken(esr_make(EC_DABT_SAME, EXTERNAL), EL1H, 0x200);
	}
}

/* An unaligned access to a window of a machine's device that the guest has mapped
 * as Normal memory: stage 2 knows better. */
static void alignment_by_stage_2_is_the_guests_fault(void **state)
{
	(void)state;
	assert_int_equal(machine_step(DABT(ISS_WNR | 0x21), GVA, RAM), WENT_ON);
	expect_taken(esr_make(EC_DABT_SAME, ISS_WNR | 0x21), 0x3c5, 0x200);
}

static void a_far_that_is_not_valid_is_not_passed_on(void **state)
{
	(void)state;
	assert_int_equal(machine_step(DABT(ISS_FNV | EXTERNAL), GVA, RAM),
			 AXVM_EXIT_FAULT);
	assert_int_equal(m.exit.valid, AXVM_EXIT_RAW_VALID);
	machine_play();
	expect_taken(esr_make(EC_DABT_SAME, ISS_FNV | EXTERNAL), 0x3c5, 0x200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(vectors_depend_on_where_the_exception_comes_from),
		TEST(pstate_is_that_of_a_handler),
		TEST(far_is_written_by_those_that_have_it),
		TEST(what_is_hidden_is_undefined),
		TEST(unknown_classes_are_exits),
		TEST(an_serror_is_the_hosts_to_judge),
		TEST(an_serror_waits_for_the_guest_to_unmask_it),
		TEST(without_ras_an_serror_says_nothing),
		TEST(a_pending_serror_ends_with_the_vcpus_life),
		TEST(breakpoint_instructions_are_the_guests),
		TEST(fp_state_is_loaded_at_its_first_use),
		TEST(wfi_halts_with_the_timers_deadline),
		TEST(wfe_and_timeouts_end_at_once),
		TEST(wfe_yields_where_the_host_asks_for_it),
		TEST(conditions_are_those_of_aarch32),
		TEST(conditions_of_t32_are_those_of_the_it_block),
		TEST(it_blocks_move_on_with_what_is_skipped),
		TEST(aarch32_waits_too),
		TEST(a_demand_page_is_filled_and_the_guest_tries_again),
		TEST(a_permission_fault_is_looked_up),
		TEST(a_permission_fault_that_is_gone_is_tried_again),
		TEST(a_refused_fetch_is_an_instruction_abort),
		TEST(the_host_may_have_a_refused_access_tried_again),
		TEST(an_unmapped_page_of_ram_is_an_exit),
		TEST(cache_maintenance_needs_no_right_to_write),
		TEST(fetches_from_no_ram_are_external_aborts),
		TEST(tables_in_demand_pages_are_filled),
		TEST(tables_in_no_ram_are_external_aborts_of_a_walk),
		TEST(tables_in_devices_of_the_machine_are_so_too),
		TEST(flags_in_read_only_tables_are_refused),
		TEST(addresses_without_memory_are_external_aborts),
		TEST(other_fault_codes_are_exits),
		TEST(alignment_by_stage_2_is_the_guests_fault),
		TEST(a_far_that_is_not_valid_is_not_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
