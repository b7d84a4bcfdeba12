/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/riscv_h/exit.c: traps go in as a hart reports them, through
 * axvm_run_vcpu(), and the guest's registers, the devices and the exit record
 * are compared with what RISC-V Privileged asks for.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "riscv_h_machine.h"

#define GVA_PAGE UINT64_C(0xffffffd812345000)
#define FETCH CAUSE_FETCH_GUEST_PAGE
#define LOAD CAUSE_LOAD_GUEST_PAGE
#define STORE CAUSE_STORE_GUEST_PAGE
#define WENT_ON AXVM_EXIT_IRQ

/* Instructions with base a1 (x11) and offset 0; data in a2 (x12). */
#define LOAD_INSN(funct3, rd) \
	(0x00058003u | (uint32_t)(funct3) << 12 | (uint32_t)(rd) << 7)
#define STORE_INSN(funct3, rs2) \
	(0x00058023u | (uint32_t)(funct3) << 12 | (uint32_t)(rs2) << 20)
#define LB LOAD_INSN(0, 12)
#define LH LOAD_INSN(1, 12)
#define LW LOAD_INSN(2, 12)
#define LD LOAD_INSN(3, 12)
#define LBU LOAD_INSN(4, 12)
#define LHU LOAD_INSN(5, 12)
#define LWU LOAD_INSN(6, 12)
#define SB STORE_INSN(0, 12)
#define SH STORE_INSN(1, 12)
#define SW STORE_INSN(2, 12)
#define SD STORE_INSN(3, 12)
#define C_LW 0x4190u /* c.lw a2, 0(a1) */
#define C_LD 0x6190u
#define C_SW 0xc190u
#define C_SD 0xe190u
#define C_LWSP 0x4602u /* c.lwsp a2, 0(sp) */
#define C_SDSP 0xe032u /* c.sdsp a2, 0(sp) */
#define FLD 0x0005b607u /* fld fa2, 0(a1) */
#define FSW 0x00c5a027u /* fsw fa2, 0(a1) */
#define LR_W 0x1005a62fu /* lr.w a2, (a1) */
#define SC_D 0x18d5b62fu /* sc.d a2, a3, (a1) */
#define AMOADD_W 0x00d5a62fu /* amoadd.w a2, a3, (a1) */
#define CBO_ZERO 0x0045a00fu /* cbo.zero (a1) */
#define VLE8 0x02058607u /* vle8.v v12, (a1) */
#define VSE8 0x02058627u /* vse8.v v12, (a1) */
#define NOP 0x00000013u
#define WFI 0x10500073u
#define ECALL 0x00000073u
/* htinst of `insn`: rs1 is the address offset, bit 1 tells the length. */
#define TRANSFORMED(insn) ((insn) & ~UINT64_C(0xf8000))
#define FROM_COMPRESSED(insn) (TRANSFORMED(insn) & ~UINT64_C(2))

static int setup(void **state)
{
	(void)state;
	machine_new(MACHINE_FEATURES);
	machine_boot();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return machine_delete() ? 0 : -1;
}

/* For tests of several machines. */
static void anew(void)
{
	assert_int_equal(teardown(NULL), 0);
	setup(NULL);
}

static uint64_t gva_of(uint64_t gpa)
{
	return GVA_PAGE | (gpa & 0xfff);
}

static uint32_t play(uint64_t cause, uint64_t gpa, uint64_t gva,
		     uint64_t htinst)
{
	struct riscv_syndrome s = {
		.cause = cause,
		.stval = gva,
		.htval = gpa >> 2,
		.htinst = htinst,
	};

	machine_queue(&s);
	return machine_play();
}

/* The guest executes `insn`, whose access at gpa faults; htinst is 0. */
static uint32_t touch(uint64_t cause, uint64_t gpa, uint32_t insn)
{
	m.insn = insn;
	m.v->frame.x[REG_A1] = gva_of(gpa);
	m.v->frame.x[REG_SP] = gva_of(gpa);
	return play(cause, gpa, gva_of(gpa), 0);
}

static uint64_t counted(enum axvm_stat which)
{
	struct axvm_vcpu_stats stats;

	assert_int_equal(axvm_vcpu_get_stats(m.vm, 0, &stats), AXVM_OK);
	return stats.exits[which];
}

/* The guest stands in its trap handler. */
static void assert_trapped(uint64_t cause, uint64_t value)
{
	assert_int_equal(m.v->vs.vscause, cause);
	assert_int_equal(m.v->vs.vstval, value);
	assert_int_equal(m.v->vs.vsepc, ENTRY);
	assert_int_equal(m.v->frame.pc, VECTOR);
	assert_int_equal(counted(AXVM_STAT_REFLECTED), 1);
}

static void assert_untouched(void)
{
	assert_int_equal(m.v->frame.pc, ENTRY);
	assert_int_equal(m.v->vs.vscause, 0);
	assert_int_equal(counted(AXVM_STAT_REFLECTED), 0);
}

static uint32_t complete(enum axvm_complete_action action, uint64_t value)
{
	assert_int_equal(axvm_vcpu_complete(m.vm, 0, m.exit.seq, action, value),
			 AXVM_OK);
	return machine_play();
}

static int mapped(uint64_t gpa)
{
	struct axvm_mapping mapping;

	return axvm_query(m.vm, axvm_to_gpa(gpa), &mapping);
}

static void assert_fault_exit(uint32_t kind, uint32_t access, uint64_t gpa,
			      uint64_t gva)
{
	assert_int_equal(m.exit.reason, AXVM_EXIT_FAULT);
	assert_int_equal(m.exit.u.fault.kind, kind);
	assert_int_equal(m.exit.u.fault.access, access);
	assert_int_equal(m.exit.valid, AXVM_EXIT_GPA_VALID |
					       AXVM_EXIT_GVA_VALID |
					       AXVM_EXIT_RAW_VALID);
	assert_int_equal(m.exit.gpa, gpa);
	assert_int_equal(m.exit.gva, gva);
	assert_int_equal(m.exit.pc, ENTRY);
}

/* ---- RAM ---- */

static void a_demand_page_is_filled_and_the_access_repeated(void **state)
{
	(void)state;
	assert_int_equal(mapped(DEMAND + 0x1000), AXVM_ENOENT);
	assert_int_equal(touch(LOAD, DEMAND + 0x1238, LD), WENT_ON);
	assert_int_equal(mapped(DEMAND + 0x1000), AXVM_OK);
	assert_int_equal(mapped(DEMAND), AXVM_ENOENT);
	assert_int_equal(mapped(DEMAND + 0x2000), AXVM_ENOENT);
	assert_untouched();
	assert_int_equal(counted(AXVM_STAT_STAGE2_FAULT), 1);
	assert_int_equal(counted(AXVM_STAT_MMIO), 0);
	assert_int_equal(m.fetches, 0);
}

static void a_store_fills_a_demand_page_too(void **state)
{
	(void)state;
	assert_int_equal(touch(STORE, DEMAND + 0x3ff8, SD), WENT_ON);
	assert_int_equal(mapped(DEMAND + 0x3000), AXVM_OK);
	assert_untouched();
}

static void a_store_to_read_only_ram_is_a_permission_exit(void **state)
{
	(void)state;
	touch(STORE, ROM + 0x18, SW);
	assert_fault_exit(AXVM_FAULT_PERMISSION, AXVM_WRITE, ROM + 0x18,
			  gva_of(ROM + 0x18));
	assert_int_equal(m.exit.raw[0], STORE);
	assert_int_equal(m.exit.raw[1], gva_of(ROM + 0x18));
	assert_int_equal(m.exit.raw[2], (ROM + 0x18) >> 2);
	assert_int_equal(m.exit.raw[3], 0);
	assert_untouched();
}

static void a_permission_exit_is_a_store_access_fault_by_default(void **state)
{
	(void)state;
	touch(STORE, ROM, SW);
	assert_int_equal(machine_play(), WENT_ON);
	assert_trapped(CAUSE_STORE_ACCESS, gva_of(ROM));
}

static void executing_data_is_a_permission_exit_and_a_fetch_fault(void **state)
{
	(void)state;
	play(FETCH, DEMAND, gva_of(DEMAND), 0);
	assert_fault_exit(AXVM_FAULT_PERMISSION, AXVM_EXEC, DEMAND,
			  gva_of(DEMAND));
	assert_int_equal(complete(AXVM_COMPLETE_FAULT, 0), WENT_ON);
	assert_trapped(CAUSE_FETCH_ACCESS, gva_of(DEMAND));
}

static void an_unmapped_page_is_an_exit_and_a_load_fault(void **state)
{
	(void)state;
	assert_int_equal(axvm_unmap(m.vm, axvm_to_gpa(RAM + 0x2000), 0x1000),
			 AXVM_OK);
	touch(LOAD, RAM + 0x2004, LW);
	assert_fault_exit(AXVM_FAULT_UNMAPPED, AXVM_READ, RAM + 0x2004,
			  gva_of(RAM + 0x2004));
	assert_int_equal(complete(AXVM_COMPLETE_FAULT, 0), WENT_ON);
	assert_trapped(CAUSE_LOAD_ACCESS, gva_of(RAM + 0x2004));
}

static void a_fault_exit_can_be_retried(void **state)
{
	(void)state;
	touch(STORE, ROM, SW);
	assert_int_equal(complete(AXVM_COMPLETE_RETRY, 0), WENT_ON);
	assert_untouched();
}

/* Done, that is by the host: where to go on is for it to say. */
static void a_fault_exit_that_is_done_leaves_pc_to_the_host(void **state)
{
	(void)state;
	touch(STORE, ROM, SW);
	assert_int_equal(axvm_vcpu_set_reg(m.vm, 0, AXVM_REG_PC, ENTRY + 4),
			 AXVM_OK);
	assert_int_equal(complete(AXVM_COMPLETE_DONE, 0), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(counted(AXVM_STAT_REFLECTED), 0);
}

/* What an MMIO exit left behind is not used for another reason. */
static void a_fault_exit_after_an_mmio_exit_does_not_retire(void **state)
{
	(void)state;
	touch(LOAD, HOLE, LD);
	complete(AXVM_COMPLETE_RETRY, 0);
	m.v->frame.x[12] = 42;
	touch(STORE, ROM, SW);
	assert_int_equal(complete(AXVM_COMPLETE_DONE, 7), WENT_ON);
	assert_int_equal(m.v->frame.x[12], 42);
	assert_untouched();
}

static void no_memory_is_an_exit_that_is_retried_by_default(void **state)
{
	(void)state;
	test_hal_fail_from(m.hal, 1);
	touch(LOAD, DEMAND, LW);
	assert_true(test_hal_failed(m.hal));
	test_hal_fail_at(m.hal, 0);
	assert_fault_exit(AXVM_FAULT_NO_MEMORY, AXVM_READ, DEMAND,
			  gva_of(DEMAND));
	assert_int_equal(machine_play(), WENT_ON);
	assert_untouched();
	assert_int_equal(touch(LOAD, DEMAND, LW), WENT_ON);
	assert_int_equal(mapped(DEMAND), AXVM_OK);
}

static void a_spurious_fault_flushes_and_goes_on(void **state)
{
	unsigned before = m.flushes;

	(void)state;
	assert_int_equal(touch(LOAD, RAM + 8, LD), WENT_ON);
	assert_true(m.flushes > before);
	assert_int_equal(touch(STORE, RAM + 8, SD), WENT_ON);
	assert_int_equal(play(FETCH, RAM + 8, gva_of(RAM + 8), 0), WENT_ON);
	assert_untouched();
}

static void an_atomic_reported_as_load_needs_the_right_to_write(void **state)
{
	static const uint32_t atomics[] = {AMOADD_W, SC_D};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(atomics); i++) {
		touch(LOAD, ROM + 0x10, atomics[i]);
		assert_fault_exit(AXVM_FAULT_PERMISSION, AXVM_WRITE, ROM + 0x10,
				  gva_of(ROM + 0x10));
		complete(AXVM_COMPLETE_RETRY, 0);
	}
	assert_untouched();
}

static void a_refused_atomic_reported_as_load_is_a_store_fault(void **state)
{
	(void)state;
	touch(LOAD, ROM + 0x10, AMOADD_W);
	assert_int_equal(machine_play(), WENT_ON);
	assert_trapped(CAUSE_STORE_ACCESS, gva_of(ROM + 0x10));
}

static void an_atomic_on_an_unmapped_page_is_a_store_fault(void **state)
{
	(void)state;
	assert_int_equal(axvm_unmap(m.vm, axvm_to_gpa(RAM + 0x2000), 0x1000),
			 AXVM_OK);
	touch(LOAD, RAM + 0x2000, AMOADD_W);
	assert_int_equal(machine_play(), WENT_ON);
	assert_trapped(CAUSE_STORE_ACCESS, gva_of(RAM + 0x2000));
}

static void an_atomic_with_rights_reported_as_load_is_spurious(void **state)
{
	(void)state;
	assert_int_equal(touch(LOAD, RAM, AMOADD_W), WENT_ON);
	assert_int_equal(touch(LOAD, ROM, LR_W), WENT_ON);
	assert_untouched();
}

static void an_atomic_that_cannot_be_fetched_is_tried_again(void **state)
{
	(void)state;
	m.unfetchable = true;
	assert_int_equal(touch(LOAD, ROM, AMOADD_W), WENT_ON);
	assert_untouched();
}

static void a_refused_load_that_cannot_be_fetched_stays_a_load(void **state)
{
	(void)state;
	assert_int_equal(axvm_unmap(m.vm, axvm_to_gpa(RAM + 0x2000), 0x1000),
			 AXVM_OK);
	m.unfetchable = true;
	touch(LOAD, RAM + 0x2000, LW);
	assert_int_equal(machine_play(), WENT_ON);
	assert_trapped(CAUSE_LOAD_ACCESS, gva_of(RAM + 0x2000));
}

/* ---- page tables ---- */

static void a_fetch_whose_tables_lie_in_demand_data_fills_them(void **state)
{
	(void)state;
	/* The table's page needs no right to execute. */
	assert_int_equal(play(FETCH, DEMAND + 0x448, GVA_PAGE, 0x3000),
			 WENT_ON);
	assert_int_equal(mapped(DEMAND), AXVM_OK);
	assert_untouched();
}

static void a_store_whose_tables_lie_in_demand_rom_fills_them(void **state)
{
	(void)state;
	assert_int_equal(play(STORE, DEMAND_ROM + 0x448, GVA_PAGE, 0x3000),
			 WENT_ON);
	assert_int_equal(mapped(DEMAND_ROM), AXVM_OK);
	assert_untouched();
}

static void a_silent_walk_of_a_store_fills_demand_rom(void **state)
{
	(void)state;
	assert_int_equal(play(STORE, DEMAND_ROM + 0x448, GVA_PAGE, 0), WENT_ON);
	assert_int_equal(mapped(DEMAND_ROM), AXVM_OK);
	assert_untouched();
}

/* A load of which the hart marks the accessed bit. */
static void a_table_write_to_read_only_ram_is_refused(void **state)
{
	(void)state;
	m.insn = LW;
	play(LOAD, ROM + 0x448, GVA_PAGE | 3, 0x3020);
	assert_fault_exit(AXVM_FAULT_PERMISSION, AXVM_WRITE, ROM + 0x448,
			  GVA_PAGE | 3);
	assert_int_equal(machine_play(), WENT_ON);
	assert_trapped(CAUSE_LOAD_ACCESS, GVA_PAGE | 3);
}

static void a_table_write_fills_a_demand_page(void **state)
{
	(void)state;
	assert_int_equal(play(FETCH, DEMAND + 8, GVA_PAGE, 0x3020), WENT_ON);
	assert_int_equal(mapped(DEMAND), AXVM_OK);
}

/* An atomic's tables may be read-only: only its own page must be writable. */
static void the_tables_of_an_atomic_are_only_read(void **state)
{
	static const uint64_t htinst[] = {0, 0x2000, 0x3000};

	(void)state;
	m.insn = AMOADD_W;
	for (size_t i = 0; i < ARRAY_SIZE(htinst); i++)
		assert_int_equal(play(LOAD, ROM + 0x448, GVA_PAGE, htinst[i]),
				 WENT_ON);
	assert_untouched();
}

static void tables_on_an_unmapped_page_fault_as_the_access(void **state)
{
	(void)state;
	assert_int_equal(axvm_unmap(m.vm, axvm_to_gpa(RAM + 0x2000), 0x1000),
			 AXVM_OK);
	m.insn = SD;
	play(LOAD, RAM + 0x2448, GVA_PAGE | 3, 0);
	/* Entries are aligned: the bits of stval are not theirs. */
	assert_fault_exit(AXVM_FAULT_UNMAPPED, AXVM_READ, RAM + 0x2448,
			  GVA_PAGE | 3);
	assert_int_equal(machine_play(), WENT_ON);
	assert_trapped(CAUSE_STORE_ACCESS, GVA_PAGE | 3);
}

static void unmapped_tables_of_a_fetch_are_a_fetch_fault(void **state)
{
	(void)state;
	assert_int_equal(axvm_unmap(m.vm, axvm_to_gpa(RAM + 0x2000), 0x1000),
			 AXVM_OK);
	m.unfetchable = true;
	play(LOAD, RAM + 0x2448, ENTRY, 0);
	assert_int_equal(machine_play(), WENT_ON);
	assert_trapped(CAUSE_FETCH_ACCESS, ENTRY);
}

static void tables_that_htinst_tells_of_fault_as_the_cause_says(void **state)
{
	(void)state;
	assert_int_equal(axvm_unmap(m.vm, axvm_to_gpa(RAM + 0x2000), 0x1000),
			 AXVM_OK);
	m.unfetchable = true;
	play(LOAD, RAM + 0x2448, GVA_PAGE, 0x3000);
	assert_fault_exit(AXVM_FAULT_UNMAPPED, AXVM_READ, RAM + 0x2448,
			  GVA_PAGE);
	assert_int_equal(machine_play(), WENT_ON);
	assert_trapped(CAUSE_LOAD_ACCESS, GVA_PAGE);
}

static void tables_in_a_hole_fault_as_htinst_and_cause_say(void **state)
{
	static const struct {
		uint64_t cause, htinst, expected;
	} cases[] = {
		{LOAD, 0x2000, CAUSE_LOAD_ACCESS},
		{LOAD, 0x3020, CAUSE_LOAD_ACCESS},
		{STORE, 0x3000, CAUSE_STORE_ACCESS},
		{STORE, 0x2020, CAUSE_STORE_ACCESS},
		{FETCH, 0x3000, CAUSE_FETCH_ACCESS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		anew();
		/* The same page offset: only htinst tells. */
		assert_int_equal(
			play(cases[i].cause, HOLE, GVA_PAGE, cases[i].htinst),
			WENT_ON);
		assert_trapped(cases[i].expected, GVA_PAGE);
		assert_int_equal(m.fetches, 0);
	}
}

static void a_silent_walk_in_a_hole_faults_as_the_instruction(void **state)
{
	static const struct {
		uint32_t insn;
		uint64_t expected;
	} cases[] = {
		{LW, CAUSE_LOAD_ACCESS},	{LR_W, CAUSE_LOAD_ACCESS},
		{C_LD, CAUSE_LOAD_ACCESS},	{FLD, CAUSE_LOAD_ACCESS},
		{SD, CAUSE_STORE_ACCESS},	{SC_D, CAUSE_STORE_ACCESS},
		{AMOADD_W, CAUSE_STORE_ACCESS}, {C_SDSP, CAUSE_STORE_ACCESS},
		{FSW, CAUSE_STORE_ACCESS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		anew();
		m.insn = cases[i].insn;
		assert_int_equal(play(LOAD, HOLE + 0x448, GVA_PAGE, 0),
				 WENT_ON);
		assert_trapped(cases[i].expected, GVA_PAGE);
	}
}

static void a_silent_walk_of_a_fetch_is_a_fetch_fault(void **state)
{
	(void)state;
	m.unfetchable = true;
	assert_int_equal(play(LOAD, HOLE + 0x448, ENTRY, 0), WENT_ON);
	assert_trapped(CAUSE_FETCH_ACCESS, ENTRY);
}

/* A hart that says STORE means it, whether or not the page is still there. */
static void a_silent_walk_reported_as_store_is_a_store_fault(void **state)
{
	(void)state;
	m.unfetchable = true;
	assert_int_equal(play(STORE, HOLE + 0x448, GVA_PAGE, 0), WENT_ON);
	assert_trapped(CAUSE_STORE_ACCESS, GVA_PAGE);
}

static void page_tables_in_a_device_do_not_touch_it(void **state)
{
	(void)state;
	m.insn = LW;
	assert_int_equal(play(LOAD, DEVICE + 0x448, GVA_PAGE, 0), WENT_ON);
	assert_int_equal(m.device.accesses, 0);
	assert_trapped(CAUSE_LOAD_ACCESS, GVA_PAGE);
}

/* ---- devices ---- */

static void loads_of_every_width_and_sign_reach_the_register(void **state)
{
	static const struct {
		uint32_t insn, size;
		uint64_t expected;
	} cases[] = {
		{LB, 1, 0xfffffffffffffff8}, {LBU, 1, 0xf8},
		{LH, 2, 0xfffffffffffff7f8}, {LHU, 2, 0xf7f8},
		{LW, 4, 0xfffffffff5f6f7f8}, {LWU, 4, 0xf5f6f7f8},
		{LD, 8, 0xf1f2f3f4f5f6f7f8},
	};

	(void)state;
	m.device.value = 0xf1f2f3f4f5f6f7f8;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		m.v->frame.x[12] = 0x5555555555555555;
		assert_int_equal(touch(LOAD, DEVICE + 0x40, cases[i].insn),
				 WENT_ON);
		assert_int_equal(m.v->frame.x[12], cases[i].expected);
		assert_int_equal(m.device.last.size, cases[i].size);
		assert_int_equal(m.device.last.offset, 0x40);
		assert_int_equal(m.device.last.write, 0);
		assert_int_equal(m.v->frame.pc, ENTRY + 4 * (i + 1));
	}
	assert_int_equal(counted(AXVM_STAT_MMIO), ARRAY_SIZE(cases));
}

static void positive_values_are_not_sign_extended(void **state)
{
	(void)state;
	m.device.value = 0xffffffff7fffff7f;
	touch(LOAD, DEVICE, LB);
	assert_int_equal(m.v->frame.x[12], 0x7f);
	touch(LOAD, DEVICE, LW);
	assert_int_equal(m.v->frame.x[12], 0x7fffff7f);
}

static void stores_of_every_width_reach_the_device(void **state)
{
	static const struct {
		uint32_t insn, size;
		uint64_t expected;
	} cases[] = {
		{SB, 1, 0xf8},
		{SH, 2, 0xf7f8},
		{SW, 4, 0xf5f6f7f8},
		{SD, 8, 0xf1f2f3f4f5f6f7f8},
	};

	(void)state;
	m.v->frame.x[12] = 0xf1f2f3f4f5f6f7f8;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(touch(STORE, DEVICE + 0x48, cases[i].insn),
				 WENT_ON);
		assert_int_equal(m.device.last.value, cases[i].expected);
		assert_int_equal(m.device.last.size, cases[i].size);
		assert_int_equal(m.device.last.offset, 0x48);
		assert_int_equal(m.device.last.write, 1);
	}
	assert_int_equal(m.v->frame.x[12], 0xf1f2f3f4f5f6f7f8);
	assert_int_equal(m.v->frame.pc, ENTRY + 16);
}

static void compressed_instructions_advance_pc_by_two(void **state)
{
	static const uint32_t loads[] = {C_LW, C_LD, C_LWSP};
	static const uint32_t stores[] = {C_SW, C_SD, C_SDSP};

	(void)state;
	m.device.value = 0x80000000;
	for (size_t i = 0; i < 3; i++) {
		/* What follows in memory does not matter. */
		touch(LOAD, DEVICE, loads[i] | 0xffff0000);
		assert_int_equal(m.v->frame.x[12],
				 loads[i] == C_LD ? 0x80000000
						  : 0xffffffff80000000);
		assert_int_equal(m.v->frame.pc, ENTRY + 2 * (i + 1));
	}
	for (size_t i = 0; i < 3; i++) {
		touch(STORE, DEVICE, stores[i]);
		assert_int_equal(m.v->frame.pc, ENTRY + 6 + 2 * (i + 1));
	}
	assert_int_equal(m.device.accesses, 6);
}

static void plain_accesses_take_the_short_way(void **state)
{
	static const struct {
		uint64_t gpa;
		uint32_t insn;
		uint64_t cause;
	} cases[] = {
		{DEVICE, LB, LOAD},	     {DEVICE, SB, STORE},
		{DEVICE + 0xfff, LBU, LOAD}, {DEVICE + 4, LW, LOAD},
		{DEVICE + 8, SD, STORE},     {DEVICE + 16, C_LD, LOAD},
		{DEVICE + 4, C_SW, STORE},   {WORDS + 0xff8, LWU, LOAD},
		{HOLE + 8, LHU, LOAD},	     {HOLE + 0x808, C_SD, STORE},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		touch(cases[i].cause, cases[i].gpa, cases[i].insn);
		assert_int_equal(m.short_ways, i + 1);
		m.v->frame.pc = ENTRY;
	}
}

static void what_needs_a_second_look_takes_the_long_way(void **state)
{
	(void)state;
	/* The first and the last place of a page: perhaps half an access. */
	assert_int_equal(touch(LOAD, DEVICE, LW), WENT_ON);
	assert_int_equal(touch(STORE, DEVICE + 0xff8, SD), WENT_ON);
	assert_int_equal(touch(LOAD, DEVICE + 8, C_LWSP), WENT_ON);
	assert_int_equal(
		play(LOAD, DEVICE + 8, gva_of(DEVICE + 8), TRANSFORMED(LW)),
		WENT_ON);
	assert_int_equal(m.device.accesses, 4);
	m.device.device.flags = AXVM_DEVICE_SERIAL;
	touch(LOAD, WORDS + 8, LW);
	assert_int_equal(m.short_ways, 1);
	assert_int_equal(touch(LOAD, DEVICE + 8, LW), WENT_ON);
	assert_int_equal(m.device.accesses, 5);
	assert_int_equal(m.short_ways, 1);
	assert_int_equal(counted(AXVM_STAT_REFLECTED), 0);
}

/* Any access, to the same state twice: everything that can be seen of it. */
struct outcome {
	uint32_t reason;
	struct axvm_exit exit;
	struct riscv_frame frame;
	struct riscv_vs_state vs;
	struct axvm_device_access last[2];
	uint64_t mmio, reflected;
};

static void try_way(bool long_way, const struct riscv_syndrome *s,
		    const struct riscv_frame *from, struct outcome *o)
{
	uint64_t mmio = counted(AXVM_STAT_MMIO);
	uint64_t reflected = counted(AXVM_STAT_REFLECTED);

	m.long_way = long_way;
	m.v->frame = *from;
	memset(&m.device.last, 0, sizeof(m.device.last));
	memset(&m.words.last, 0, sizeof(m.words.last));
	memset(&m.v->vs, 0, sizeof(m.v->vs));
	memset(o, 0, sizeof(*o));
	machine_queue(s);
	o->reason = machine_play();
	o->exit = m.exit;
	o->exit.seq = 0;
	o->last[0] = m.device.last;
	o->last[1] = m.words.last;
	if (o->reason == AXVM_EXIT_MMIO)
		assert_int_equal(
			complete(AXVM_COMPLETE_DONE, 0x8182838485868788),
			WENT_ON);
	o->frame = m.v->frame;
	o->vs = m.v->vs;
	o->mmio = counted(AXVM_STAT_MMIO) - mmio;
	o->reflected = counted(AXVM_STAT_REFLECTED) - reflected;
}

static uint64_t next_random(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

static uint32_t random_insn(bool store)
{
	uint32_t word = (uint32_t)next_random();

	switch (next_random() % 4) {
	case 0:
		return word;
	case 1:
		return (word & 0x1f9f) | (store ? 0xc000u : 0x4000u);
	default:
		return (word & ~0x7fu) | (store ? 0x23u : 0x03u);
	}
}

static void both_ways_of_mmio_agree(void **state)
{
	static const uint64_t places[] = {DEVICE, DEVICE, WORDS, HOLE};
	unsigned results[3] = {0}, i;

	(void)state;
	for (i = 0; i < 40000; i++) {
		uint64_t r = next_random();
		bool store = r & 1;
		uint64_t gpa = places[r >> 1 & 3] + (r >> 8 & 0xfff);
		struct riscv_syndrome s = {
			.cause = store ? STORE : LOAD,
			.stval = gva_of(r >> 20 & 15 ? gpa : gpa + 8),
			.htval = gpa >> 2,
		};
		struct riscv_frame from = m.v->frame;
		struct outcome one, other;

		if ((r >> 24 & 7) != 0)
			gpa &= ~UINT64_C(7), s.htval = gpa >> 2,
					     s.stval &= ~UINT64_C(7);
		s.stval = (s.stval & ~UINT64_C(3)) | (gpa & 3);
		for (unsigned k = 1; k < 32; k++)
			from.x[k] = next_random();
		from.pc = ENTRY;
		m.insn = random_insn(store);
		m.device.result = (enum axvm_access_result)(r >> 30 & 3);
		m.device.value = next_random();
		try_way(false, &s, &from, &one);
		try_way(true, &s, &from, &other);
		assert_memory_equal(&one, &other, sizeof(one));
		results[one.reason == AXVM_EXIT_MMIO ? 1
			: one.reflected != 0	     ? 2
						     : 0]++;
	}
	/* The comparison has compared something. */
	assert_true(m.short_ways > 4000 && m.short_ways < i);
	assert_true(results[0] > 1000 && results[1] > 1000 &&
		    results[2] > 1000);
}

static void a_load_to_x0_reads_the_device_and_keeps_x0_zero(void **state)
{
	(void)state;
	m.device.value = UINT64_MAX;
	assert_int_equal(touch(LOAD, DEVICE, LOAD_INSN(3, 0)), WENT_ON);
	assert_int_equal(m.device.accesses, 1);
	assert_int_equal(m.v->frame.x[0], 0);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
}

static void a_store_of_x0_writes_zero(void **state)
{
	(void)state;
	touch(STORE, DEVICE, STORE_INSN(3, 0));
	assert_int_equal(m.device.last.value, 0);
	assert_int_equal(m.device.last.write, 1);
}

static void a_load_may_replace_its_own_base(void **state)
{
	(void)state;
	m.device.value = 0x1234;
	touch(LOAD, DEVICE, LOAD_INSN(3, 11));
	assert_int_equal(m.v->frame.x[11], 0x1234);
}

static void a_width_the_device_refuses_is_a_load_access_fault(void **state)
{
	(void)state;
	m.v->frame.x[12] = 77;
	assert_int_equal(touch(LOAD, WORDS + 8, LB), WENT_ON);
	assert_int_equal(m.words.accesses, 0);
	assert_int_equal(m.v->frame.x[12], 77);
	assert_trapped(CAUSE_LOAD_ACCESS, gva_of(WORDS + 8));
}

static void a_width_the_device_refuses_is_a_store_access_fault(void **state)
{
	(void)state;
	assert_int_equal(touch(STORE, WORDS + 8, SD), WENT_ON);
	assert_int_equal(m.words.accesses, 0);
	assert_trapped(CAUSE_STORE_ACCESS, gva_of(WORDS + 8));
}

static void a_device_that_refuses_is_an_access_fault(void **state)
{
	(void)state;
	m.device.result = AXVM_ACCESS_FAULT;
	m.device.value = 1;
	m.v->frame.x[12] = 77;
	assert_int_equal(touch(LOAD, DEVICE + 4, LW), WENT_ON);
	assert_int_equal(m.v->frame.x[12], 77);
	assert_trapped(CAUSE_LOAD_ACCESS, gva_of(DEVICE + 4));
}

static void a_device_that_refuses_a_store_is_a_store_fault(void **state)
{
	(void)state;
	m.device.result = AXVM_ACCESS_FAULT;
	assert_int_equal(touch(STORE, DEVICE + 4, C_SW), WENT_ON);
	assert_trapped(CAUSE_STORE_ACCESS, gva_of(DEVICE + 4));
}

static void a_device_may_leave_a_load_to_the_host(void **state)
{
	(void)state;
	m.device.result = AXVM_ACCESS_EXIT;
	m.device.value = 99;
	assert_int_equal(touch(LOAD, DEVICE + 8, LH), AXVM_EXIT_MMIO);
	assert_int_equal(m.exit.gpa, DEVICE + 8);
	assert_int_equal(m.exit.pc, ENTRY);
	assert_int_equal(m.exit.u.mmio.value, 0);
	assert_int_equal(m.exit.u.mmio.size, 2);
	/* The syndrome, as for a hole. */
	assert_int_equal(m.exit.raw[0], LOAD);
	assert_int_equal(m.exit.raw[1], gva_of(DEVICE + 8));
	assert_int_equal(m.exit.raw[2], (DEVICE + 8) >> 2);
	assert_int_equal(complete(AXVM_COMPLETE_DONE, 0x8001), WENT_ON);
	assert_int_equal(m.v->frame.x[12], 0xffffffffffff8001);
}

static void a_device_may_leave_a_store_to_the_host(void **state)
{
	(void)state;
	m.device.result = AXVM_ACCESS_EXIT;
	m.v->frame.x[12] = 0x123456789;
	assert_int_equal(touch(STORE, DEVICE + 8, SW), AXVM_EXIT_MMIO);
	assert_int_equal(m.exit.u.mmio.value, 0x23456789);
	assert_int_equal(m.exit.u.mmio.write, 1);
	assert_int_equal(m.exit.pc, ENTRY);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
}

/* ---- what is no single integer access ---- */

static void a_misaligned_access_is_an_access_fault(void **state)
{
	(void)state;
	assert_int_equal(touch(LOAD, DEVICE + 2, LW), WENT_ON);
	assert_int_equal(m.device.accesses, 0);
	assert_trapped(CAUSE_LOAD_ACCESS, gva_of(DEVICE + 2));
}

static void a_misaligned_access_to_a_hole_does_not_exit(void **state)
{
	(void)state;
	assert_int_equal(touch(STORE, HOLE + 4, SD), WENT_ON);
	assert_trapped(CAUSE_STORE_ACCESS, gva_of(HOLE + 4));
}

/* Its first bytes went to RAM: the faulting address is the second page. */
static void the_second_part_of_a_crossing_store_is_refused(void **state)
{
	(void)state;
	m.insn = SD;
	m.v->frame.x[REG_A1] = GVA_PAGE - 4;
	assert_int_equal(play(STORE, DEVICE, GVA_PAGE, 0), WENT_ON);
	assert_int_equal(m.device.accesses, 0);
	assert_trapped(CAUSE_STORE_ACCESS, GVA_PAGE);
}

static void the_second_part_of_a_crossing_load_does_not_exit(void **state)
{
	(void)state;
	m.insn = LHU;
	m.v->frame.x[REG_A1] = GVA_PAGE - 1;
	assert_int_equal(play(LOAD, HOLE, GVA_PAGE, 0), WENT_ON);
	assert_trapped(CAUSE_LOAD_ACCESS, GVA_PAGE);
}

/* A hart that splits crossing loads into aligned ones reports those. */
static void an_aligned_part_at_the_end_of_a_page_is_refused(void **state)
{
	(void)state;
	m.insn = LD;
	m.v->frame.x[REG_A1] = GVA_PAGE + 0xffc;
	assert_int_equal(play(LOAD, DEVICE + 0xff8, GVA_PAGE + 0xff8, 0),
			 WENT_ON);
	assert_int_equal(m.device.accesses, 0);
	assert_trapped(CAUSE_LOAD_ACCESS, GVA_PAGE + 0xff8);
}

static void a_crossing_access_told_by_htinst_is_refused(void **state)
{
	(void)state;
	/* Offset of the fault in the access: bits 19:15. */
	assert_int_equal(
		play(STORE, DEVICE, GVA_PAGE, TRANSFORMED(SD) | 4u << 15),
		WENT_ON);
	assert_int_equal(m.device.accesses, 0);
	assert_trapped(CAUSE_STORE_ACCESS, GVA_PAGE);
}

static void aligned_accesses_at_the_ends_of_a_page_are_done(void **state)
{
	static const uint32_t insns[] = {LB, LH, LW, LD, C_LW, C_LD, C_LWSP};
	static const uint32_t widths[] = {1, 2, 4, 8, 4, 8, 4};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(insns); i++) {
		touch(LOAD, DEVICE, insns[i]);
		assert_int_equal(m.device.last.offset, 0);
		touch(LOAD, DEVICE + 0x1000 - widths[i], insns[i]);
		assert_int_equal(m.device.last.offset, 0x1000 - widths[i]);
	}
	assert_int_equal(m.device.accesses, 2 * ARRAY_SIZE(insns));
	assert_int_equal(counted(AXVM_STAT_REFLECTED), 0);
}

static void offsets_of_the_instruction_count_for_crossing(void **state)
{
	(void)state;
	/* ld a2, -8(a1) and sd a2, 2040(a1) */
	m.insn = 0xff85b603;
	m.v->frame.x[REG_A1] = GVA_PAGE + 8;
	assert_int_equal(play(LOAD, DEVICE, GVA_PAGE, 0), WENT_ON);
	m.insn = 0x7ec5bc23;
	m.v->frame.x[REG_A1] = GVA_PAGE + 0x800;
	assert_int_equal(play(STORE, DEVICE + 0xff8, GVA_PAGE + 0xff8, 0),
			 WENT_ON);
	assert_int_equal(m.device.accesses, 2);
}

static void what_cannot_be_emulated_faults_by_its_kind(void **state)
{
	static const struct {
		uint64_t cause;
		uint32_t insn;
		uint64_t expected;
	} cases[] = {
		{LOAD, FLD, CAUSE_LOAD_ACCESS},
		{STORE, FSW, CAUSE_STORE_ACCESS},
		{LOAD, LR_W, CAUSE_LOAD_ACCESS},
		{STORE, SC_D, CAUSE_STORE_ACCESS},
		{LOAD, SC_D, CAUSE_STORE_ACCESS},
		{STORE, AMOADD_W, CAUSE_STORE_ACCESS},
		{LOAD, AMOADD_W, CAUSE_STORE_ACCESS},
		{STORE, CBO_ZERO, CAUSE_STORE_ACCESS},
		{LOAD, CBO_ZERO, CAUSE_STORE_ACCESS},
		{STORE, LR_W, CAUSE_LOAD_ACCESS},
		{LOAD, VLE8, CAUSE_LOAD_ACCESS},
		{STORE, VSE8, CAUSE_STORE_ACCESS},
		{LOAD, NOP, CAUSE_LOAD_ACCESS},
		{STORE, 0xffffffff, CAUSE_STORE_ACCESS},
		{LOAD, 0, CAUSE_LOAD_ACCESS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		anew();
		assert_int_equal(touch(cases[i].cause, DEVICE, cases[i].insn),
				 WENT_ON);
		assert_trapped(cases[i].expected, gva_of(DEVICE));
		assert_int_equal(m.device.accesses, 0);
	}
}

/*
 * Another vCPU may change the instruction after it faulted: the hart checked
 * the guest's right to read, not to write.
 */
static void a_load_that_became_a_store_does_not_write(void **state)
{
	(void)state;
	assert_int_equal(touch(LOAD, DEVICE, SD), WENT_ON);
	assert_int_equal(m.device.accesses, 0);
	assert_trapped(CAUSE_STORE_ACCESS, gva_of(DEVICE));
}

static void a_store_that_became_a_load_does_not_read(void **state)
{
	(void)state;
	assert_int_equal(touch(STORE, DEVICE, LD), WENT_ON);
	assert_int_equal(m.device.accesses, 0);
	assert_trapped(CAUSE_LOAD_ACCESS, gva_of(DEVICE));
}

static void executing_a_device_is_a_fetch_access_fault(void **state)
{
	(void)state;
	assert_int_equal(play(FETCH, DEVICE, gva_of(DEVICE), 0), WENT_ON);
	assert_int_equal(m.device.accesses, 0);
	assert_int_equal(m.fetches, 0);
	assert_trapped(CAUSE_FETCH_ACCESS, gva_of(DEVICE));
}

static void executing_a_hole_is_a_fetch_access_fault(void **state)
{
	(void)state;
	assert_int_equal(play(FETCH, HOLE, gva_of(HOLE), 0), WENT_ON);
	assert_trapped(CAUSE_FETCH_ACCESS, gva_of(HOLE));
}

static void an_instruction_that_is_gone_is_tried_again(void **state)
{
	(void)state;
	m.unfetchable = true;
	assert_int_equal(touch(LOAD, DEVICE, LW), WENT_ON);
	assert_int_equal(m.device.accesses, 0);
	assert_untouched();
}

/* ---- htinst ---- */

static void a_transformed_instruction_needs_no_fetch(void **state)
{
	(void)state;
	m.device.value = 0x80;
	assert_int_equal(
		play(LOAD, DEVICE + 5, gva_of(DEVICE + 5), TRANSFORMED(LB)),
		WENT_ON);
	assert_int_equal(m.v->frame.x[12], 0xffffffffffffff80);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(m.fetches, 0);
}

static void a_transformed_compressed_instruction_has_two_bytes(void **state)
{
	(void)state;
	m.v->frame.x[12] = 5;
	assert_int_equal(
		play(STORE, DEVICE, gva_of(DEVICE), FROM_COMPRESSED(SW)),
		WENT_ON);
	assert_int_equal(m.device.last.value, 5);
	assert_int_equal(m.v->frame.pc, ENTRY + 2);
	assert_int_equal(m.fetches, 0);
}

static void a_transformed_atomic_is_a_store_fault(void **state)
{
	(void)state;
	assert_int_equal(
		play(LOAD, DEVICE, gva_of(DEVICE), TRANSFORMED(AMOADD_W)),
		WENT_ON);
	assert_trapped(CAUSE_STORE_ACCESS, gva_of(DEVICE));
}

static void an_htinst_nobody_knows_counts_as_none(void **state)
{
	static const uint64_t unknown[] = {
		0x100000003, /* upper half not zero */
		0x4, /* neither pseudo nor transformed */
		0x2001 | 0x7e, /* no memory access */
	};

	(void)state;
	m.insn = LW;
	m.v->frame.x[REG_A1] = gva_of(DEVICE);
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		assert_int_equal(play(LOAD, DEVICE, gva_of(DEVICE), unknown[i]),
				 WENT_ON);
	assert_int_equal(m.fetches, ARRAY_SIZE(unknown));
	assert_int_equal(m.device.accesses, ARRAY_SIZE(unknown));
}

static void the_low_bits_of_the_address_come_from_stval(void **state)
{
	(void)state;
	touch(LOAD, DEVICE + 0x7, LBU);
	assert_int_equal(m.device.last.offset, 7);
}

/* ---- holes ---- */

static void a_load_from_a_hole_fills_the_exit_record(void **state)
{
	(void)state;
	assert_int_equal(touch(LOAD, HOLE + 0x14, LWU), AXVM_EXIT_MMIO);
	assert_int_equal(m.exit.vcpu, 0);
	assert_int_equal(m.exit.pc, ENTRY);
	assert_int_equal(m.exit.gpa, HOLE + 0x14);
	assert_int_equal(m.exit.gva, gva_of(HOLE + 0x14));
	assert_int_equal(m.exit.valid, AXVM_EXIT_GPA_VALID |
					       AXVM_EXIT_GVA_VALID |
					       AXVM_EXIT_RAW_VALID);
	assert_int_equal(m.exit.u.mmio.size, 4);
	assert_int_equal(m.exit.u.mmio.write, 0);
	assert_int_equal(m.exit.u.mmio.value, 0);
	assert_int_equal(m.exit.raw[0], LOAD);
	assert_int_equal(m.exit.raw[1], gva_of(HOLE + 0x14));
	assert_int_equal(m.exit.raw[2], (HOLE + 0x14) >> 2);
	assert_int_equal(m.exit.raw[3], 0);
	assert_untouched();
}

static void a_store_to_a_hole_fills_the_exit_record(void **state)
{
	(void)state;
	m.v->frame.x[12] = 0xf1f2f3f4f5f6f7f8;
	assert_int_equal(touch(STORE, HOLE + 0x16, SH), AXVM_EXIT_MMIO);
	assert_int_equal(m.exit.gpa, HOLE + 0x16);
	assert_int_equal(m.exit.u.mmio.size, 2);
	assert_int_equal(m.exit.u.mmio.write, 1);
	assert_int_equal(m.exit.u.mmio.value, 0xf7f8);
	assert_untouched();
}

static void a_completed_load_has_width_sign_and_length(void **state)
{
	static const struct {
		uint32_t insn;
		uint64_t expected, length;
	} cases[] = {
		{LB, 0xfffffffffffffff8, 4},   {LBU, 0xf8, 4},
		{LH, 0xfffffffffffff7f8, 4},   {LHU, 0xf7f8, 4},
		{LW, 0xfffffffff5f6f7f8, 4},   {LWU, 0xf5f6f7f8, 4},
		{LD, 0xf1f2f3f4f5f6f7f8, 4},   {C_LW, 0xfffffffff5f6f7f8, 2},
		{C_LD, 0xf1f2f3f4f5f6f7f8, 2},
	};
	uint64_t pc = ENTRY;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(touch(LOAD, HOLE, cases[i].insn),
				 AXVM_EXIT_MMIO);
		assert_int_equal(
			complete(AXVM_COMPLETE_DONE, 0xf1f2f3f4f5f6f7f8),
			WENT_ON);
		pc += cases[i].length;
		assert_int_equal(m.v->frame.x[12], cases[i].expected);
		assert_int_equal(m.v->frame.pc, pc);
	}
}

static void an_unanswered_load_reads_all_ones_of_its_width(void **state)
{
	(void)state;
	touch(LOAD, HOLE, LHU);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.x[12], 0xffff);
	touch(LOAD, HOLE, LB);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.x[12], UINT64_MAX);
	assert_int_equal(m.v->frame.pc, ENTRY + 8);
}

static void an_unanswered_store_is_dropped(void **state)
{
	struct riscv_frame before;

	(void)state;
	m.v->frame.x[12] = 42;
	touch(STORE, HOLE, C_SD);
	before = m.v->frame;
	before.pc = ENTRY + 2;
	assert_int_equal(machine_play(), WENT_ON);
	assert_memory_equal(&before, &m.v->frame, sizeof(before));
}

static void a_completed_load_to_x0_is_lost(void **state)
{
	(void)state;
	assert_int_equal(touch(LOAD, HOLE, LOAD_INSN(2, 0)), AXVM_EXIT_MMIO);
	assert_int_equal(complete(AXVM_COMPLETE_DONE, 7), WENT_ON);
	assert_int_equal(m.v->frame.x[0], 0);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
}

static void a_refused_load_from_a_hole_is_a_load_fault(void **state)
{
	(void)state;
	m.v->frame.x[12] = 42;
	touch(LOAD, HOLE + 8, LD);
	assert_int_equal(complete(AXVM_COMPLETE_FAULT, 7), WENT_ON);
	assert_int_equal(m.v->frame.x[12], 42);
	assert_trapped(CAUSE_LOAD_ACCESS, gva_of(HOLE + 8));
}

static void a_refused_store_to_a_hole_is_a_store_fault(void **state)
{
	(void)state;
	touch(STORE, HOLE + 8, SD);
	assert_int_equal(complete(AXVM_COMPLETE_FAULT, 7), WENT_ON);
	assert_trapped(CAUSE_STORE_ACCESS, gva_of(HOLE + 8));
}

static void a_retried_access_is_executed_again(void **state)
{
	(void)state;
	m.v->frame.x[12] = 42;
	touch(LOAD, HOLE + 8, LD);
	assert_int_equal(complete(AXVM_COMPLETE_RETRY, 7), WENT_ON);
	assert_int_equal(m.v->frame.x[12], 42);
	assert_untouched();
	assert_int_equal(touch(LOAD, HOLE + 8, LD), AXVM_EXIT_MMIO);
}

/* The frame of the access is the library's own: a new one replaces it. */
static void the_last_of_several_exits_is_the_one_completed(void **state)
{
	(void)state;
	touch(LOAD, HOLE, LOAD_INSN(3, 20));
	complete(AXVM_COMPLETE_RETRY, 0);
	touch(LOAD, HOLE, LOAD_INSN(0, 21));
	complete(AXVM_COMPLETE_DONE, 0x80);
	assert_int_equal(m.v->frame.x[20], 0);
	assert_int_equal(m.v->frame.x[21], 0xffffffffffffff80);
}

/* ---- virtual and illegal instructions ---- */

static uint32_t virtual_insn(uint32_t insn)
{
	m.insn = insn;
	return play(CAUSE_VIRTUAL_INSTRUCTION, 0, insn, 0);
}

static void wfi_in_vs_mode_halts_until_the_timer(void **state)
{
	(void)state;
	m.deadline = 123456;
	assert_int_equal(virtual_insn(WFI), AXVM_EXIT_HALT);
	assert_int_equal(m.exit.u.halt.deadline, 123456);
	assert_int_equal(m.exit.pc, ENTRY); /* the instruction's */
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(axvm_vcpu_state(m.vm, 0), AXVM_VCPU_BLOCKED);
	assert_int_equal(counted(AXVM_STAT_HALT), 1);
	assert_int_equal(m.fetches, 1);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
}

static void wfi_with_an_interrupt_pending_goes_on(void **state)
{
	(void)state;
	m.pending = true;
	assert_int_equal(virtual_insn(WFI), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(m.exit.pc, ENTRY + 4);
	assert_int_equal(counted(AXVM_STAT_HALT), 1);
}

static void wfi_without_an_instruction_in_stval_is_fetched(void **state)
{
	(void)state;
	m.insn = WFI;
	assert_int_equal(play(CAUSE_VIRTUAL_INSTRUCTION, 0, 0, 0),
			 AXVM_EXIT_HALT);
	assert_int_equal(m.fetches, 1);
}

/* QEMU 7.2 may leave there what the hart met before, such as the host's WFI. */
static void stval_is_not_believed_about_the_instruction(void **state)
{
	static const uint32_t hfence = 0x22000073;

	(void)state;
	m.insn = hfence;
	assert_int_equal(play(CAUSE_VIRTUAL_INSTRUCTION, 0, WFI, 0), WENT_ON);
	assert_trapped(CAUSE_ILLEGAL, hfence);
}

static void a_virtual_instruction_that_is_gone_is_tried_again(void **state)
{
	(void)state;
	m.unfetchable = true;
	assert_int_equal(play(CAUSE_VIRTUAL_INSTRUCTION, 0, 0, 0), WENT_ON);
	assert_untouched();
}

static void wfi_in_vu_mode_is_illegal(void **state)
{
	(void)state;
	m.v->frame.sstatus &= ~SSTATUS_SPP;
	assert_int_equal(virtual_insn(WFI), WENT_ON);
	assert_trapped(CAUSE_ILLEGAL, WFI);
	assert_int_equal(counted(AXVM_STAT_HALT), 0);
}

static void other_virtual_instructions_are_illegal(void **state)
{
	static const uint32_t insns[] = {
		0x22000073, /* hfence.vvma */
		0x62000073, /* hfence.gvma */
		0x64302573, /* csrr a0, 0x643 (htval) */
		0x60005073, /* csrrwi hstatus, 0 */
		0x6c054573, /* hlv.d a0, (a0) */
		0x10200073, /* sret */
		0x12000073, /* sfence.vma */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(insns); i++) {
		anew();
		assert_int_equal(virtual_insn(insns[i]), WENT_ON);
		assert_trapped(CAUSE_ILLEGAL, insns[i]);
	}
}

/* Zawrs: it may end for any reason. */
static void waiting_on_a_reservation_ends_at_once(void **state)
{
	(void)state;
	assert_int_equal(virtual_insn(0x00d00073), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(counted(AXVM_STAT_REFLECTED), 0);
}

static void an_illegal_instruction_loads_lazy_state_first(void **state)
{
	(void)state;
	m.lazy = true;
	assert_int_equal(play(CAUSE_ILLEGAL, 0, 0x00007053, 0), WENT_ON);
	assert_int_equal(m.lazy_loads, 1);
	assert_int_equal(counted(AXVM_STAT_LAZY_STATE), 1);
	assert_untouched();
}

static void an_illegal_instruction_without_lazy_state_is_reflected(void **state)
{
	(void)state;
	assert_int_equal(play(CAUSE_ILLEGAL, 0, 0xffffffff, 0), WENT_ON);
	assert_int_equal(m.lazy_loads, 1);
	assert_int_equal(counted(AXVM_STAT_LAZY_STATE), 0);
	assert_trapped(CAUSE_ILLEGAL, 0xffffffff);
}

/* ---- reflection ---- */

static void trap_status_stacks_the_interrupt_bit_and_the_mode(void **state)
{
	static const struct {
		uint64_t vsstatus, sstatus, expected;
	} cases[] = {
		{0, 0, 0},
		{SSTATUS_SIE, 0, SSTATUS_SPIE},
		{SSTATUS_SPIE, 0, 0},
		{SSTATUS_SIE | SSTATUS_SPIE, SSTATUS_SPP,
		 SSTATUS_SPIE | SSTATUS_SPP},
		{SSTATUS_SPP, 0, 0},
		{0, SSTATUS_SPP, SSTATUS_SPP},
		{0, ~SSTATUS_SPP, 0},
		{SSTATUS_FS | SSTATUS_MXR | SSTATUS_UXL, 0,
		 SSTATUS_FS | SSTATUS_MXR | SSTATUS_UXL},
		{UINT64_MAX, 0, ~(SSTATUS_SIE | SSTATUS_SPP)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(axvmi_riscv_trap_status(cases[i].vsstatus,
							 cases[i].sstatus),
				 cases[i].expected);
}

static void reflection_names_cause_value_and_effect(void **state)
{
	(void)state;
	axvmi_riscv_reflect(m.v, 13, UINT64_MAX);
	assert_int_equal(m.v->trap_cause, 13);
	assert_int_equal(m.v->trap_value, UINT64_MAX);
	assert_int_equal(m.v->effects & RISCV_EFFECT_TRAP, RISCV_EFFECT_TRAP);
	/* Pending until the guest is entered. */
	assert_int_equal(m.v->frame.pc, ENTRY);
	assert_int_equal(machine_play(), WENT_ON);
	assert_trapped(13, UINT64_MAX);
}

static void a_trap_from_vu_mode_enters_vs_mode(void **state)
{
	(void)state;
	m.v->vs.vsstatus |= SSTATUS_SIE | SSTATUS_SPP;
	m.v->frame.sstatus &= ~SSTATUS_SPP;
	touch(STORE, WORDS, SB);
	assert_trapped(CAUSE_STORE_ACCESS, gva_of(WORDS));
	assert_int_equal(m.v->frame.sstatus & SSTATUS_SPP, SSTATUS_SPP);
	assert_int_equal(m.v->vs.vsstatus &
				 (SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SIE),
			 SSTATUS_SPIE);
}

static void a_trap_survives_a_run_that_does_not_enter(void **state)
{
	(void)state;
	touch(LOAD, HOLE, LW);
	assert_int_equal(axvm_vcpu_kick(m.vm, 0), AXVM_OK);
	assert_int_equal(complete(AXVM_COMPLETE_FAULT, 0), AXVM_EXIT_KICKED);
	assert_int_equal(m.v->frame.pc, ENTRY);
	assert_int_equal(machine_play(), WENT_ON);
	assert_trapped(CAUSE_LOAD_ACCESS, gva_of(HOLE));
}

/* ---- the rest ---- */

static void unknown_causes_are_a_typed_exit(void **state)
{
	static const uint64_t causes[] = {
		0, 3, 9, 11, 14, 16, 18, 19, 24, 63, UINT64_MAX >> 1,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		struct riscv_syndrome s = {causes[i], 1, 2, 3};

		machine_queue(&s);
		assert_int_equal(machine_play(), AXVM_EXIT_FAULT);
		assert_int_equal(m.exit.u.fault.kind, AXVM_FAULT_UNKNOWN);
		assert_int_equal(m.exit.pc, ENTRY);
		assert_int_equal(m.exit.valid, AXVM_EXIT_RAW_VALID);
		assert_int_equal(m.exit.raw[0], causes[i]);
		assert_int_equal(m.exit.raw[1], 1);
		assert_int_equal(m.exit.raw[2], 2);
		assert_int_equal(m.exit.raw[3], 3);
		assert_int_equal(complete(AXVM_COMPLETE_RETRY, 0), WENT_ON);
	}
	assert_int_equal(counted(AXVM_STAT_OTHER), ARRAY_SIZE(causes));
	assert_untouched();
}

static void an_unknown_cause_is_illegal_by_default(void **state)
{
	(void)state;
	play(19, 0, 7, 0);
	assert_int_equal(machine_play(), WENT_ON);
	assert_trapped(CAUSE_ILLEGAL, 0);
}

/* pc stands behind the ecall when the host is asked. */
static void a_retried_hypercall_executes_the_ecall_again(void **state)
{
	(void)state;
	m.v->frame.x[REG_A7] = 0x485643;
	m.v->frame.x[REG_A6] = 0x200;
	m.v->frame.x[REG_A0] = 5;
	assert_int_equal(play(CAUSE_ECALL_VS, 0, 0, 0), AXVM_EXIT_HYPERCALL);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(complete(AXVM_COMPLETE_RETRY, 1), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY);
	assert_int_equal(m.v->frame.x[REG_A0], 5);
}

static void a_done_hypercall_goes_on_behind_the_ecall(void **state)
{
	(void)state;
	m.v->frame.x[REG_A7] = 0x485643;
	m.v->frame.x[REG_A6] = 0x200;
	assert_int_equal(play(CAUSE_ECALL_VS, 0, 0, 0), AXVM_EXIT_HYPERCALL);
	assert_int_equal(complete(AXVM_COMPLETE_DONE, 17), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(m.v->frame.x[REG_A0], 17);
}

static void a_cpu_start_is_completed_by_the_sbi(void **state)
{
	(void)state;
	assert_int_equal(teardown(NULL), 0);
	machine_new(MACHINE_FEATURES);
	m.config.cpu_num = 2;
	machine_boot();
	m.v->frame.x[REG_A0] = 1;
	m.v->frame.x[REG_A1] = RAM + 0x1000;
	m.v->frame.x[REG_A7] = 0x48534d; /* HSM, hart_start */
	assert_int_equal(play(CAUSE_ECALL_VS, 0, 0, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.x[REG_A0], 0);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(axvm_vcpu_state(m.vm, 1), AXVM_VCPU_READY);
}

static void several_exits_are_served_in_one_run(void **state)
{
	static const struct riscv_syndrome steps[] = {
		{LOAD, GVA_PAGE, DEVICE >> 2, TRANSFORMED(LW)},
		{LOAD, GVA_PAGE, DEMAND >> 2, 0},
		{CAUSE_ILLEGAL, 0x53, 0, 0},
		{STORE, GVA_PAGE, HOLE >> 2, TRANSFORMED(SW)},
	};

	(void)state;
	m.lazy = true;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		machine_queue(&steps[i]);
	assert_int_equal(machine_play(), AXVM_EXIT_MMIO);
	assert_int_equal(m.exit.pc, ENTRY + 4);
	assert_int_equal(counted(AXVM_STAT_MMIO), 2);
	assert_int_equal(counted(AXVM_STAT_STAGE2_FAULT), 1);
	assert_int_equal(counted(AXVM_STAT_LAZY_STATE), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_demand_page_is_filled_and_the_access_repeated),
		T(a_store_fills_a_demand_page_too),
		T(a_store_to_read_only_ram_is_a_permission_exit),
		T(a_permission_exit_is_a_store_access_fault_by_default),
		T(executing_data_is_a_permission_exit_and_a_fetch_fault),
		T(an_unmapped_page_is_an_exit_and_a_load_fault),
		T(a_fault_exit_can_be_retried),
		T(a_fault_exit_that_is_done_leaves_pc_to_the_host),
		T(a_fault_exit_after_an_mmio_exit_does_not_retire),
		T(no_memory_is_an_exit_that_is_retried_by_default),
		T(a_spurious_fault_flushes_and_goes_on),
		T(an_atomic_reported_as_load_needs_the_right_to_write),
		T(a_refused_atomic_reported_as_load_is_a_store_fault),
		T(an_atomic_on_an_unmapped_page_is_a_store_fault),
		T(an_atomic_with_rights_reported_as_load_is_spurious),
		T(an_atomic_that_cannot_be_fetched_is_tried_again),
		T(a_refused_load_that_cannot_be_fetched_stays_a_load),
		T(a_fetch_whose_tables_lie_in_demand_data_fills_them),
		T(a_store_whose_tables_lie_in_demand_rom_fills_them),
		T(a_silent_walk_of_a_store_fills_demand_rom),
		T(a_table_write_to_read_only_ram_is_refused),
		T(a_table_write_fills_a_demand_page),
		T(the_tables_of_an_atomic_are_only_read),
		T(tables_on_an_unmapped_page_fault_as_the_access),
		T(unmapped_tables_of_a_fetch_are_a_fetch_fault),
		T(tables_that_htinst_tells_of_fault_as_the_cause_says),
		T(tables_in_a_hole_fault_as_htinst_and_cause_say),
		T(a_silent_walk_in_a_hole_faults_as_the_instruction),
		T(a_silent_walk_of_a_fetch_is_a_fetch_fault),
		T(a_silent_walk_reported_as_store_is_a_store_fault),
		T(page_tables_in_a_device_do_not_touch_it),
		T(loads_of_every_width_and_sign_reach_the_register),
		T(positive_values_are_not_sign_extended),
		T(stores_of_every_width_reach_the_device),
		T(compressed_instructions_advance_pc_by_two),
		T(plain_accesses_take_the_short_way),
		T(what_needs_a_second_look_takes_the_long_way),
		T(both_ways_of_mmio_agree),
		T(a_load_to_x0_reads_the_device_and_keeps_x0_zero),
		T(a_store_of_x0_writes_zero),
		T(a_load_may_replace_its_own_base),
		T(a_width_the_device_refuses_is_a_load_access_fault),
		T(a_width_the_device_refuses_is_a_store_access_fault),
		T(a_device_that_refuses_is_an_access_fault),
		T(a_device_that_refuses_a_store_is_a_store_fault),
		T(a_device_may_leave_a_load_to_the_host),
		T(a_device_may_leave_a_store_to_the_host),
		T(a_misaligned_access_is_an_access_fault),
		T(a_misaligned_access_to_a_hole_does_not_exit),
		T(the_second_part_of_a_crossing_store_is_refused),
		T(the_second_part_of_a_crossing_load_does_not_exit),
		T(an_aligned_part_at_the_end_of_a_page_is_refused),
		T(a_crossing_access_told_by_htinst_is_refused),
		T(aligned_accesses_at_the_ends_of_a_page_are_done),
		T(offsets_of_the_instruction_count_for_crossing),
		T(what_cannot_be_emulated_faults_by_its_kind),
		T(a_load_that_became_a_store_does_not_write),
		T(a_store_that_became_a_load_does_not_read),
		T(executing_a_device_is_a_fetch_access_fault),
		T(executing_a_hole_is_a_fetch_access_fault),
		T(an_instruction_that_is_gone_is_tried_again),
		T(a_transformed_instruction_needs_no_fetch),
		T(a_transformed_compressed_instruction_has_two_bytes),
		T(a_transformed_atomic_is_a_store_fault),
		T(an_htinst_nobody_knows_counts_as_none),
		T(the_low_bits_of_the_address_come_from_stval),
		T(a_load_from_a_hole_fills_the_exit_record),
		T(a_store_to_a_hole_fills_the_exit_record),
		T(a_completed_load_has_width_sign_and_length),
		T(an_unanswered_load_reads_all_ones_of_its_width),
		T(an_unanswered_store_is_dropped),
		T(a_completed_load_to_x0_is_lost),
		T(a_refused_load_from_a_hole_is_a_load_fault),
		T(a_refused_store_to_a_hole_is_a_store_fault),
		T(a_retried_access_is_executed_again),
		T(the_last_of_several_exits_is_the_one_completed),
		T(wfi_in_vs_mode_halts_until_the_timer),
		T(wfi_with_an_interrupt_pending_goes_on),
		T(wfi_without_an_instruction_in_stval_is_fetched),
		T(stval_is_not_believed_about_the_instruction),
		T(a_virtual_instruction_that_is_gone_is_tried_again),
		T(wfi_in_vu_mode_is_illegal),
		T(other_virtual_instructions_are_illegal),
		T(waiting_on_a_reservation_ends_at_once),
		T(an_illegal_instruction_loads_lazy_state_first),
		T(an_illegal_instruction_without_lazy_state_is_reflected),
		T(trap_status_stacks_the_interrupt_bit_and_the_mode),
		T(reflection_names_cause_value_and_effect),
		T(a_trap_from_vu_mode_enters_vs_mode),
		T(a_trap_survives_a_run_that_does_not_enter),
		T(unknown_causes_are_a_typed_exit),
		T(an_unknown_cause_is_illegal_by_default),
		T(a_retried_hypercall_executes_the_ecall_again),
		T(a_done_hypercall_goes_on_behind_the_ecall),
		T(a_cpu_start_is_completed_by_the_sbi),
		T(several_exits_are_served_in_one_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
