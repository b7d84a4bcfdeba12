/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/arm_vhe/mmio.c: accesses to devices and holes, as the syndrome describes
 * them and as the instruction does. Loads and stores go through axvm_run_vcpu();
 * registers, devices and exit records are looked at.
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
#define VALUE UINT64_C(0x8182838485868788)
#define ALIGNMENT UINT64_C(0x21)
#define EXTERNAL UINT64_C(0x10)
#define EL1H UINT64_C(0x3c5)

static int setup(void **state)
{
	(void)state;
	machine_new(MACHINE_FEATURES, 1);
	machine_boot();
	m.device.value = VALUE;
	return 0;
}

static int setup_long(void **state)
{
	setup(state);
	m.long_way = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return machine_delete() ? 0 : -1;
}

/* ISV 1, translation fault: 1 << sas bytes of x[srt]. */
static uint64_t described(unsigned sas, unsigned srt, uint64_t more)
{
	return esr_make(EC_DABT_LOWER,
			ISS_ISV | FIELD_PUT(ISS_SAS, (uint64_t)sas) |
				FIELD_PUT(ISS_SRT, (uint64_t)srt) | more | 7);
}

static uint64_t access_at(uint64_t esr, uint64_t gpa)
{
	return machine_step(esr, GVA + gpa, gpa);
}

/* ISV 0: `insn` at pc. */
static uint64_t insn_at(uint32_t insn, bool write, uint64_t gpa)
{
	m.insn = insn;
	return machine_step(esr_make(EC_DABT_LOWER, (write ? ISS_WNR : 0) | 7),
			    GVA + gpa, gpa);
}

static void answer(enum axvm_complete_action action, uint64_t value)
{
	assert_int_equal(axvm_vcpu_complete(m.vm, 0, m.exit.seq, action, value),
			 AXVM_OK);
}

static void expect_mmio(uint64_t gpa, uint32_t size, bool write, uint64_t value)
{
	assert_int_equal(m.exit.reason, AXVM_EXIT_MMIO);
	assert_int_equal(m.exit.gpa, gpa);
	assert_int_equal(m.exit.gva, GVA + gpa);
	assert_int_equal(m.exit.valid, AXVM_EXIT_GPA_VALID |
					       AXVM_EXIT_GVA_VALID |
					       AXVM_EXIT_RAW_VALID);
	assert_int_equal(m.exit.pc, ENTRY);
	assert_int_equal(m.exit.u.mmio.size, size);
	assert_int_equal(m.exit.u.mmio.write, write);
	assert_int_equal(m.exit.u.mmio.value, value);
}

static void expect_abort(uint64_t iss, uint64_t far)
{
	assert_int_equal(m.exit.reason, WENT_ON);
	assert_int_equal(m.v->el1[ARM_EL1_ESR], esr_make(EC_DABT_SAME, iss));
	assert_int_equal(m.v->el1[ARM_EL1_FAR], far);
	assert_int_equal(m.v->el1[ARM_EL1_ELR], ENTRY);
	m.v->frame.pstate = EL1H;
}

static void expect_done(void)
{
	assert_int_equal(m.exit.reason, WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(load_relaxed(&m.v->core.exits[AXVM_STAT_REFLECTED]),
			 0);
}

/* ---- ISV 1 ---- */

static void loads_extend_as_the_syndrome_says(void **state)
{
	static const struct {
		unsigned sas;
		uint64_t flags;
		uint64_t result;
	} cases[] = {
		{0, 0, 0x88},
		{1, 0, 0x8788},
		{2, 0, 0x85868788},
		{3, ISS_SF, VALUE},
		{0, ISS_SSE, 0xffffff88},
		{1, ISS_SSE, 0xffff8788},
		{0, ISS_SSE | ISS_SF, UINT64_C(0xffffffffffffff88)},
		{1, ISS_SSE | ISS_SF, UINT64_C(0xffffffffffff8788)},
		{2, ISS_SSE | ISS_SF, UINT64_C(0xffffffff85868788)},
		{0, ISS_SF, 0x88},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		m.device.value = VALUE;
		m.v->frame.x[12] = UINT64_MAX;
		access_at(described(cases[i].sas, 12, cases[i].flags),
			  DEVICE + 0x10);
		expect_done();
		assert_int_equal(m.v->frame.x[12], cases[i].result);
		assert_int_equal(m.device.last.size, 1u << cases[i].sas);
		assert_int_equal(m.device.last.offset, 0x10);
		assert_int_equal(m.device.last.write, 0);
	}
	assert_int_equal(m.fetches, 0);
	assert_int_equal(load_relaxed(&m.v->core.exits[AXVM_STAT_MMIO]),
			 ARRAY_SIZE(cases));
}

static void stores_write_the_low_bytes(void **state)
{
	(void)state;
	m.v->frame.x[3] = VALUE;
	for (unsigned sas = 0; sas < 4; sas++) {
		access_at(described(sas, 3, ISS_WNR), DEVICE + 8);
		expect_done();
		assert_int_equal(m.device.last.value,
				 VALUE & (UINT64_MAX >> (64 - (8u << sas))));
		assert_int_equal(m.device.last.write, 1);
	}
}

static void register_31_is_zero(void **state)
{
	(void)state;
	m.v->frame.sp_el0 = VALUE;
	access_at(described(3, 31, ISS_WNR), DEVICE);
	expect_done();
	assert_int_equal(m.device.last.value, 0);
	access_at(described(3, 31, ISS_SF), DEVICE);
	expect_done();
	assert_int_equal(m.v->frame.sp_el0, VALUE);
	access_at(described(3, 31, ISS_WNR), HOLE);
	expect_mmio(HOLE, 8, true, 0);
}

static void btype_and_the_step_end_with_the_instruction(void **state)
{
	const uint64_t ends[] = {SPSR_BTYPE, SPSR_SS, SPSR_BTYPE | SPSR_SS};

	(void)state;
	access_at(described(2, 1, 0), DEVICE);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		m.v->frame.pstate = EL1H | SPSR_PAN | ends[i];
		access_at(described(2, 1, 0), DEVICE);
		expect_done();
		assert_int_equal(m.v->frame.pstate, EL1H | SPSR_PAN);
		/* The host does it, and may have changed PSTATE meanwhile. */
		m.v->frame.pstate = EL1H | SPSR_PAN;
		access_at(described(2, 1, 0), HOLE);
		expect_mmio(HOLE, 4, false, 0);
		m.v->frame.pstate |= ends[i];
		machine_play();
		expect_done();
		assert_int_equal(m.v->frame.pstate, EL1H | SPSR_PAN);
	}
}

static void aarch32_moves_on_by_its_length(void **state)
{
	(void)state;
	m.v->frame.pstate = SPSR_AARCH32 | BIT64(5);
	access_at(described(2, 1, 0) & ~ESR_IL, DEVICE);
	assert_int_equal(m.v->frame.pc, ENTRY + 2);
	access_at(described(2, 1, 0), DEVICE);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
}

static void unaligned_accesses_are_alignment_faults(void **state)
{
	(void)state;
	for (unsigned sas = 1; sas < 4; sas++) {
		access_at(described(sas, 1, ISS_WNR), DEVICE + 1);
		expect_abort(ISS_WNR | ALIGNMENT, GVA + DEVICE + 1);
	}
	access_at(described(3, 1, 0), HOLE + 0xffc);
	expect_abort(ALIGNMENT, GVA + HOLE + 0xffc);
	assert_int_equal(m.device.accesses, 0);
}

static void what_a_device_refuses_is_an_external_abort(void **state)
{
	(void)state;
	m.device.result = AXVM_ACCESS_FAULT;
	access_at(described(2, 1, 0), DEVICE + 4);
	expect_abort(EXTERNAL, GVA + DEVICE + 4);
	/* A width that the device does not have. */
	access_at(described(3, 1, ISS_WNR), WORDS);
	expect_abort(ISS_WNR | EXTERNAL, GVA + WORDS);
	assert_int_equal(m.words.accesses, 0);
}

static void the_host_completes_what_nobody_claims(void **state)
{
	(void)state;
	access_at(described(1, 5, ISS_SSE), HOLE + 2);
	expect_mmio(HOLE + 2, 2, false, 0);
	assert_int_equal(m.exit.raw[0], described(1, 5, ISS_SSE));
	assert_int_equal(m.exit.raw[1], GVA + HOLE + 2);
	assert_int_equal(m.exit.raw[2], HOLE >> 8);
	assert_int_equal(m.exit.raw[3], 0);
	answer(AXVM_COMPLETE_DONE, VALUE);
	machine_play();
	expect_done();
	assert_int_equal(m.v->frame.x[5], 0xffff8788);
	/* By default reads give ones and writes are dropped. */
	access_at(described(2, 5, 0), HOLE);
	machine_play();
	expect_done();
	assert_int_equal(m.v->frame.x[5], UINT32_MAX);
	access_at(described(2, 5, ISS_WNR), HOLE);
	expect_mmio(HOLE, 4, true, UINT32_MAX);
	machine_play();
	expect_done();
}

static void the_host_may_refuse_or_retry(void **state)
{
	(void)state;
	access_at(described(2, 5, 0), HOLE);
	answer(AXVM_COMPLETE_RETRY, 0);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY);
	access_at(described(2, 5, 0), HOLE + 8);
	answer(AXVM_COMPLETE_FAULT, 0);
	machine_play();
	expect_abort(EXTERNAL, GVA + HOLE + 8);
}

static void a_device_may_leave_it_to_the_host(void **state)
{
	(void)state;
	m.device.result = AXVM_ACCESS_EXIT;
	m.v->frame.x[1] = VALUE;
	access_at(described(2, 1, ISS_WNR), DEVICE + 4);
	expect_mmio(DEVICE + 4, 4, true, 0x85868788);
	machine_play();
	expect_done();
}

/* ---- ISV 0 ---- */

static void writeback_moves_the_base(void **state)
{
	(void)state;
	m.v->frame.x[2] = GVA + DEVICE + 8;
	insn_at(0xf8408441, false, DEVICE + 8); /* ldr x1, [x2], #8 */
	expect_done();
	assert_int_equal(m.v->frame.x[1], VALUE);
	assert_int_equal(m.v->frame.x[2], GVA + DEVICE + 16);
	m.v->frame.x[2] = GVA + DEVICE + 8;
	insn_at(0xb85fcc41, false, DEVICE + 4); /* ldr w1, [x2, #-4]! */
	expect_done();
	assert_int_equal(m.v->frame.x[1], (VALUE + 1) & UINT32_MAX);
	assert_int_equal(m.v->frame.x[2], GVA + DEVICE + 4);
	m.v->frame.x[7] = GVA + DEVICE;
	m.v->frame.x[1] = 0x1234;
	insn_at(0x381014e1, true, DEVICE); /* strb w1, [x7], #-255 */
	expect_done();
	assert_int_equal(m.device.last.value, 0x34);
	assert_int_equal(m.v->frame.x[7], GVA + DEVICE - 255);
}

static void the_stack_pointer_is_that_of_the_mode(void **state)
{
	const uint32_t post = 0xf84107e1; /* ldr x1, [sp], #16 */

	(void)state;
	m.v->el1[ARM_EL1_SP] = GVA + DEVICE;
	m.v->frame.sp_el0 = GVA + DEVICE + 0x40;
	insn_at(post, false, DEVICE);
	expect_done();
	assert_int_equal(m.v->el1[ARM_EL1_SP], GVA + DEVICE + 16);
	m.v->frame.pstate = SPSR_EL1T;
	insn_at(post, false, DEVICE + 0x40);
	expect_done();
	m.v->frame.pstate = SPSR_EL0T;
	insn_at(post, false, DEVICE + 0x50);
	expect_done();
	assert_int_equal(m.v->frame.sp_el0, GVA + DEVICE + 0x60);
	assert_int_equal(m.v->el1[ARM_EL1_SP], GVA + DEVICE + 16);
}

static void pairs_are_two_accesses(void **state)
{
	(void)state;
	m.v->frame.x[3] = GVA + DEVICE;
	insn_at(0xa9400861, false, DEVICE); /* ldp x1, x2, [x3] */
	expect_done();
	assert_int_equal(m.device.accesses, 2);
	assert_int_equal(m.device.last.offset, 8);
	assert_int_equal(m.v->frame.x[1], VALUE);
	assert_int_equal(m.v->frame.x[2], VALUE + 1);
	insn_at(0x69400861, false, DEVICE); /* ldpsw x1, x2, [x3] */
	expect_done();
	assert_int_equal(m.device.last.size, 4);
	assert_int_equal(m.device.last.offset, 4);
	assert_int_equal(m.v->frame.x[1], UINT64_C(0xffffffff8586878a));
	assert_int_equal(m.v->frame.x[2], UINT64_C(0xffffffff8586878b));
	m.v->frame.x[1] = 5;
	insn_at(0x29007c61, true, DEVICE); /* stp w1, wzr, [x3] */
	expect_done();
	assert_int_equal(m.device.accesses, 6);
	assert_int_equal(m.device.last.value, 0);
}

static void simd_registers_are_loaded_and_stored(void **state)
{
	(void)state;
	m.v->frame.x[1] = GVA + DEVICE;
	m.q[2][1] = 77;
	insn_at(0x3d400022, false, DEVICE); /* ldr b2, [x1] */
	expect_done();
	assert_int_equal(m.q[2][0], 0x88);
	assert_int_equal(m.q[2][1], 0);
	m.device.value = VALUE;
	insn_at(0x3dc00022, false, DEVICE); /* ldr q2, [x1] */
	expect_done();
	assert_int_equal(m.device.last.size, 8);
	assert_int_equal(m.device.last.offset, 8);
	assert_int_equal(m.q[2][0], VALUE);
	assert_int_equal(m.q[2][1], VALUE + 1);
	m.q[31][0] = 3;
	m.q[31][1] = 4;
	m.device.accesses = 0;
	insn_at(0xad007c22, true, DEVICE); /* stp q2, q31, [x1] */
	expect_done();
	assert_int_equal(m.device.accesses, 4);
	assert_int_equal(m.device.last.offset, 24);
	assert_int_equal(m.device.last.value, 4);
	insn_at(0x7d00003f, true, DEVICE); /* str h31, [x1] */
	expect_done();
	assert_int_equal(m.device.last.size, 2);
	assert_int_equal(m.device.last.value, 3);
}

static void the_host_completes_access_by_access(void **state)
{
	(void)state;
	m.v->frame.x[1] = GVA + HOLE;
	insn_at(0xacc10420, false, HOLE); /* ldp q0, q1, [x1], #32 */
	for (uint64_t part = 0; part < 4; part++) {
		expect_mmio(HOLE + 8 * part, 8, false, 0);
		assert_int_equal(m.exit.raw[3], 0xacc10420);
		/* Nothing is retired before the last. */
		assert_int_equal(m.v->frame.pc, ENTRY);
		assert_int_equal(m.v->frame.x[1], GVA + HOLE);
		assert_int_equal(m.q[0][0], 0);
		answer(AXVM_COMPLETE_DONE, 100 + part);
		machine_play();
	}
	expect_done();
	assert_int_equal(m.q[0][0], 100);
	assert_int_equal(m.q[0][1], 101);
	assert_int_equal(m.q[1][0], 102);
	assert_int_equal(m.q[1][1], 103);
	assert_int_equal(m.v->frame.x[1], GVA + HOLE + 32);
	assert_int_equal(m.fetches, 1);
}

static void a_refusal_half_way_leaves_the_registers(void **state)
{
	(void)state;
	m.v->frame.x[3] = GVA + HOLE;
	m.v->frame.x[1] = 1;
	m.v->frame.x[2] = 2;
	insn_at(0xa8c10861, false, HOLE); /* ldp x1, x2, [x3], #16 */
	answer(AXVM_COMPLETE_DONE, 9);
	machine_play();
	expect_mmio(HOLE + 8, 8, false, 0);
	answer(AXVM_COMPLETE_FAULT, 0);
	machine_play();
	expect_abort(EXTERNAL, GVA + HOLE + 8);
	assert_int_equal(m.v->frame.x[1], 1);
	assert_int_equal(m.v->frame.x[3], GVA + HOLE);
	/* And retried, it begins with its first access. */
	insn_at(0xa8c10861, false, HOLE);
	answer(AXVM_COMPLETE_DONE, 9);
	machine_play();
	answer(AXVM_COMPLETE_RETRY, 9);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY);
	insn_at(0xa8c10861, false, HOLE);
	expect_mmio(HOLE, 8, false, 0);
}

static void a_reset_forgets_the_accesses_done(void **state)
{
	(void)state;
	m.v->frame.x[3] = GVA + HOLE;
	insn_at(0xa9400861, false, HOLE);
	answer(AXVM_COMPLETE_DONE, 9);
	machine_play();
	expect_mmio(HOLE + 8, 8, false, 0);
	assert_int_equal(axvm_shutdown(m.vm), AXVM_OK);
	assert_int_equal(machine_play(), AXVM_EXIT_STOPPED);
	assert_int_equal(axvm_reset(m.vm), AXVM_OK);
	assert_int_equal(axvm_boot(m.vm), AXVM_OK);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->mmio.part, 0);
	assert_int_equal(m.v->frame.pc, ENTRY);
}

static void a_pair_may_go_from_a_device_to_the_host(void **state)
{
	(void)state;
	/* The last word of one device, then a hole that another page has. */
	m.v->frame.x[3] = GVA + WORDS + 0xff8;
	insn_at(0x29400861, false, WORDS + 0xff8); /* ldp w1, w2, [x3] */
	expect_done();
	assert_int_equal(m.words.accesses, 2);
	/* A pair of doublewords crosses into the next page: refused whole. */
	m.v->frame.x[3] = GVA + DEVICE + 0xff8;
	insn_at(0xa9400861, false, DEVICE + 0xff8);
	expect_abort(EXTERNAL, GVA + DEVICE + 0xff8);
	assert_int_equal(m.device.accesses, 0);
}

static void a_refusal_by_a_device_half_way_names_its_address(void **state)
{
	(void)state;
	m.v->frame.x[3] = GVA + WORDS;
	insn_at(0xa9400861, false, WORDS); /* ldp x1, x2: no doublewords */
	expect_abort(EXTERNAL, GVA + WORDS);
	m.device.result = AXVM_ACCESS_FAULT;
	m.v->frame.x[3] = GVA + DEVICE;
	insn_at(0xa9400861, false, DEVICE);
	expect_abort(EXTERNAL, GVA + DEVICE);
	assert_int_equal(m.v->mmio.part, 0);
}

static void a_loaded_base_keeps_what_was_loaded(void **state)
{
	(void)state;
	m.v->frame.x[2] = GVA + DEVICE;
	insn_at(0xf8408442, false, DEVICE); /* ldr x2, [x2], #8 */
	expect_done();
	assert_int_equal(m.v->frame.x[2], VALUE);
}

static void what_a_device_cannot_do_is_reflected(void **state)
{
	static const struct {
		uint32_t insn;
		bool write;
	} cases[] = {
		{0xc85f7c41, false}, /* ldxr x1, [x2] */
		{0xc8037c41, true}, /* stxr w3, x1, [x2] */
		{0xf8230041, false}, /* ldadd x3, x1, [x2] */
		{0xc8a37c41, false}, /* cas x3, x1, [x2] */
		{0xd50b7422, true}, /* dc zva, x2 */
		{0x4c407041, false}, /* ld1 {v1.16b}, [x2] */
		{0xd503201f, false}, /* nop: the code was changed */
		{0xf8408441, true}, /* a load, which was a store */
		{0xf8008441, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		m.v->frame.x[2] = GVA + DEVICE;
		insn_at(cases[i].insn, cases[i].write, DEVICE);
		expect_abort((cases[i].write ? ISS_WNR : 0) | EXTERNAL,
			     GVA + DEVICE);
	}
	assert_int_equal(m.device.accesses, 0);
}

static void an_abort_of_another_address_is_reflected(void **state)
{
	(void)state;
	/* Its first half was in RAM, or the code is another now. */
	m.v->frame.x[3] = GVA + DEVICE - 8;
	insn_at(0xa9400861, false, DEVICE);
	expect_abort(EXTERNAL, GVA + DEVICE);
	/* A tag in the top byte is none of it. */
	m.v->frame.x[3] = (GVA + DEVICE) ^ UINT64_C(0xab) << 56;
	insn_at(0xa9400861, false, DEVICE);
	assert_int_equal(m.exit.reason, WENT_ON);
	assert_int_equal(m.device.accesses, 2);
}

static void unaligned_instructions_are_alignment_faults(void **state)
{
	(void)state;
	m.v->frame.x[1] = GVA + DEVICE + 8;
	insn_at(0x3dc00022, false, DEVICE + 8); /* ldr q2, [x1] */
	expect_abort(ALIGNMENT, GVA + DEVICE + 8);
	m.v->frame.x[3] = GVA + DEVICE + 4;
	insn_at(0xa9000861, true, DEVICE + 4); /* stp x1, x2, [x3] */
	expect_abort(ISS_WNR | ALIGNMENT, GVA + DEVICE + 4);
}

/* Whichever page the CPU complains of. */
static void
unaligned_instructions_over_a_page_are_alignment_faults(void **state)
{
	static const struct {
		uint32_t insn;
		unsigned before; /* bytes in the first page */
	} cases[] = {
		{0xf8408461, 3}, /* ldr x1, [x3], #8 */
		{0xa9400861, 12}, /* ldp x1, x2, [x3] */
		{0x29400861, 2}, /* ldp w1, w2, [x3] */
		{0x3dc00062, 8}, /* ldr q2, [x3] */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t at = DEVICE + 0x1000 - cases[i].before;

		m.v->frame.x[3] = GVA + at;
		insn_at(cases[i].insn, false, at);
		expect_abort(ALIGNMENT, GVA + at);
		m.v->frame.x[3] = GVA + at - 0x1000;
		insn_at(cases[i].insn, false, DEVICE);
		expect_abort(ALIGNMENT, GVA + DEVICE);
	}
	assert_int_equal(m.device.accesses + m.words.accesses, 0);
}

static void code_that_is_gone_is_run_again(void **state)
{
	(void)state;
	m.unfetchable = true;
	assert_int_equal(insn_at(0xf8408441, false, DEVICE), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY);
	assert_int_equal(m.device.accesses, 0);
}

static void aarch32_code_is_not_decoded(void **state)
{
	(void)state;
	m.v->frame.pstate = SPSR_AARCH32;
	insn_at(0xf8408441, false, DEVICE);
	assert_int_equal(m.fetches, 0);
	assert_int_equal(m.v->el1[ARM_EL1_ESR],
			 esr_make(EC_DABT_LOWER, EXTERNAL));
	assert_int_equal(m.v->frame.pc, VECTORS + 0x600);
}

static void the_same_device_is_accessed_the_short_way(void **state)
{
	(void)state;
	access_at(described(2, 1, 0), DEVICE);
	assert_int_equal(m.short_ways, 0);
	access_at(described(2, 1, 0), DEVICE + 0xffc);
	access_at(described(0, 1, ISS_WNR), DEVICE + 1);
	assert_int_equal(m.short_ways, 2);
	/* Another device, then this one again: long, then short. */
	access_at(described(2, 1, 0), WORDS);
	access_at(described(2, 1, 0), DEVICE);
	assert_int_equal(m.short_ways, 2);
	/* Holes as well. */
	access_at(described(2, 1, 0), HOLE);
	expect_mmio(HOLE, 4, false, 0);
	machine_play();
	access_at(described(2, 1, 0), HOLE + 4);
	expect_mmio(HOLE + 4, 4, false, 0);
	assert_int_equal(m.short_ways, 3);
}

static void the_short_way_is_for_plain_accesses_alone(void **state)
{
	const uint64_t plain = described(2, 1, 0);

	(void)state;
	assert_true(arm_is_plain_access(plain));
	assert_true(arm_is_plain_access(plain | ISS_WNR | ISS_SF | ISS_SSE));
	assert_true(arm_is_plain_access(plain & ~UINT64_C(3)));
	assert_false(arm_is_plain_access(plain | ISS_CM));
	assert_false(arm_is_plain_access(plain | ISS_S1PTW));
	assert_false(arm_is_plain_access(plain & ~ISS_ISV));
	assert_false(arm_is_plain_access(plain | FSC_PERMISSION));
	assert_false(arm_is_plain_access((plain & ~ESR_EC) |
					 FIELD_PUT(ESR_EC, EC_IABT_LOWER)));
	access_at(plain, DEVICE);
	/* Not aligned, or a width it does not have, or past its end. */
	access_at(plain, DEVICE + 2);
	expect_abort(ALIGNMENT, GVA + DEVICE + 2);
	access_at(plain, WORDS);
	access_at(described(3, 1, 0), WORDS);
	expect_abort(EXTERNAL, GVA + WORDS);
	assert_int_equal(m.short_ways, 0);
}

static void a_serial_device_is_never_accessed_the_short_way(void **state)
{
	(void)state;
	m.device.device.flags = AXVM_DEVICE_SERIAL;
	for (unsigned i = 0; i < 3; i++) {
		access_at(described(2, 1, 0), DEVICE);
		expect_done();
	}
	m.device.result = AXVM_ACCESS_EXIT;
	access_at(described(2, 1, 0), DEVICE);
	expect_mmio(DEVICE, 4, false, 0);
	assert_int_equal(m.device.accesses, 4);
	assert_int_equal(m.short_ways, 0);
}

/* ---- big-endian data ---- */

/* SCTLR_EL1 is written behind our back: the device was accessed before. */
static void big_endian_from_now_on(void)
{
	access_at(described(2, 1, 0), DEVICE);
	m.v->el1[ARM_EL1_SCTLR] = SCTLR_EE;
	m.device.value = VALUE;
}

static void big_endian_data_is_turned_round(void **state)
{
	static const struct {
		unsigned sas;
		uint64_t flags;
		uint64_t loaded, stored;
	} cases[] = {
		{0, 0, 0x88, 0x88},
		{1, 0, 0x8887, 0x8887},
		{2, 0, 0x88878685, 0x88878685},
		{3, ISS_SF, UINT64_C(0x8887868584838281),
		 UINT64_C(0x8887868584838281)},
		{1, ISS_SSE | ISS_SF, UINT64_C(0xffffffffffff8887), 0x8887},
		{2, ISS_SSE | ISS_SF, UINT64_C(0xffffffff88878685), 0x88878685},
	};

	(void)state;
	big_endian_from_now_on();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		m.device.value = VALUE;
		access_at(described(cases[i].sas, 12, cases[i].flags), DEVICE);
		expect_done();
		assert_int_equal(m.v->frame.x[12], cases[i].loaded);
		m.v->frame.x[3] = VALUE;
		access_at(described(cases[i].sas, 3, ISS_WNR), DEVICE);
		expect_done();
		assert_int_equal(m.device.last.value, cases[i].stored);
	}
	assert_int_equal(m.short_ways, 0);
}

static void the_order_goes_by_the_level_of_the_access(void **state)
{
	static const struct {
		uint64_t pstate, sctlr;
		bool big;
	} cases[] = {
		{SPSR_EL1H, SCTLR_E0E, false},
		{SPSR_EL1H, SCTLR_EE, true},
		{SPSR_EL1T, SCTLR_EE, true},
		{SPSR_EL0T, SCTLR_EE, false},
		{SPSR_EL0T, SCTLR_E0E, true},
		{SPSR_AARCH32, SCTLR_EE | SCTLR_E0E, false},
		{SPSR_AARCH32 | SPSR32_E, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		m.v->frame.pstate = cases[i].pstate;
		m.v->el1[ARM_EL1_SCTLR] = cases[i].sctlr;
		m.device.value = VALUE;
		access_at(described(1, 4, 0), DEVICE);
		expect_done();
		assert_int_equal(m.v->frame.x[4],
				 cases[i].big ? 0x8887 : 0x8788);
	}
}

static void decoded_big_endian_data_is_turned_round(void **state)
{
	(void)state;
	big_endian_from_now_on();
	m.v->frame.x[3] = GVA + DEVICE;
	insn_at(0xa9400861, false, DEVICE); /* ldp x1, x2, [x3] */
	expect_done();
	assert_int_equal(m.v->frame.x[1], UINT64_C(0x8887868584838281));
	assert_int_equal(m.v->frame.x[2], UINT64_C(0x8987868584838281));
	m.device.value = VALUE;
	insn_at(0x69400861, false, DEVICE); /* ldpsw x1, x2, [x3] */
	expect_done();
	assert_int_equal(m.v->frame.x[1], UINT64_C(0xffffffff88878685));
	m.device.value = VALUE;
	insn_at(0x3dc00062, false, DEVICE); /* ldr q2, [x3] */
	expect_done();
	assert_int_equal(m.q[2][1], UINT64_C(0x8887868584838281));
	assert_int_equal(m.q[2][0], UINT64_C(0x8987868584838281));
	m.device.value = VALUE;
	insn_at(0x7d400062, false, DEVICE); /* ldr h2, [x3] */
	expect_done();
	assert_int_equal(m.q[2][0], 0x8887);
	assert_int_equal(m.q[2][1], 0);
	m.q[2][0] = VALUE;
	m.q[2][1] = 1;
	insn_at(0x3d800062, true, DEVICE); /* str q2, [x3] */
	expect_done();
	/* The lower half comes last. */
	assert_int_equal(m.device.last.offset, 8);
	assert_int_equal(m.device.last.value, UINT64_C(0x8887868584838281));
}

static void hosts_see_big_endian_data_as_the_bus_does(void **state)
{
	(void)state;
	m.v->el1[ARM_EL1_SCTLR] = SCTLR_EE;
	m.v->frame.x[1] = 0x12345678;
	access_at(described(2, 1, ISS_WNR), HOLE);
	expect_mmio(HOLE, 4, true, 0x78563412);
	machine_play();
	expect_done();
	access_at(described(2, 1, 0), HOLE);
	answer(AXVM_COMPLETE_DONE, 0x12345678);
	machine_play();
	expect_done();
	assert_int_equal(m.v->frame.x[1], 0x78563412);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define BOTH(name) \
	TEST(name), cmocka_unit_test_setup_teardown(name, setup_long, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_device_is_accessed_the_short_way),
		TEST(the_short_way_is_for_plain_accesses_alone),
		TEST(a_serial_device_is_never_accessed_the_short_way),
		BOTH(loads_extend_as_the_syndrome_says),
		BOTH(stores_write_the_low_bytes),
		BOTH(register_31_is_zero),
		BOTH(btype_and_the_step_end_with_the_instruction),
		BOTH(aarch32_moves_on_by_its_length),
		BOTH(unaligned_accesses_are_alignment_faults),
		BOTH(what_a_device_refuses_is_an_external_abort),
		BOTH(the_host_completes_what_nobody_claims),
		BOTH(the_host_may_refuse_or_retry),
		BOTH(a_device_may_leave_it_to_the_host),
		TEST(big_endian_data_is_turned_round),
		BOTH(the_order_goes_by_the_level_of_the_access),
		TEST(decoded_big_endian_data_is_turned_round),
		BOTH(hosts_see_big_endian_data_as_the_bus_does),
		TEST(writeback_moves_the_base),
		TEST(the_stack_pointer_is_that_of_the_mode),
		TEST(pairs_are_two_accesses),
		TEST(simd_registers_are_loaded_and_stored),
		TEST(the_host_completes_access_by_access),
		TEST(a_refusal_half_way_leaves_the_registers),
		TEST(a_reset_forgets_the_accesses_done),
		TEST(a_pair_may_go_from_a_device_to_the_host),
		TEST(a_refusal_by_a_device_half_way_names_its_address),
		TEST(a_loaded_base_keeps_what_was_loaded),
		TEST(what_a_device_cannot_do_is_reflected),
		TEST(an_abort_of_another_address_is_reflected),
		TEST(unaligned_instructions_are_alignment_faults),
		TEST(unaligned_instructions_over_a_page_are_alignment_faults),
		TEST(code_that_is_gone_is_run_again),
		TEST(aarch32_code_is_not_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
