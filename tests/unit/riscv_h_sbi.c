/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The SBI model: arch/riscv_h/sbi.c, sbi_rfence.c, sbi_hsm.c, sbi_dbcn.c and
 * sbi_legacy.c against the SBI specification 2.0, and src/console.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "axvm/version.h"
#include "riscv_h/sbi.h"
#include "riscv_h_fake.h"

#define UNTOUCHED UINT64_C(0x5a5a000000000000)

struct result {
	int reason;
	uint64_t error, value;
};

static int setup(void **state)
{
	(void)state;
	fake_vm(4);
	return 0;
}

static struct riscv_vcpu *self(void)
{
	return &fake.vcpus[0];
}

static bool may_change(uint64_t extension, uint32_t reg)
{
	return reg == REG_A0 || (reg == REG_A1 && extension > 0xf);
}

/* Makes a call of vCPU `index` and checks that nothing but a0, a1 changed. */
static struct result call_of(uint32_t index, uint64_t extension,
			     uint64_t function, const uint64_t *args)
{
	struct riscv_vcpu *v = &fake.vcpus[index];
	struct riscv_frame before;
	struct result r;

	for (uint32_t i = 1; i < 32; i++)
		v->frame.x[i] = UNTOUCHED + i;
	for (uint32_t i = 0; i < 6; i++)
		v->frame.x[REG_A0 + i] = args[i];
	v->frame.x[REG_A6] = function;
	v->frame.x[REG_A7] = extension;
	before = v->frame;
	r.reason = axvmi_riscv_sbi_call(v);
	r.error = v->frame.x[REG_A0];
	r.value = v->frame.x[REG_A1];
	if (fake.restarts != 0)
		return r;
	for (uint32_t i = 0; i < 32; i++) {
		if (r.reason != 0 || !may_change(extension, i))
			assert_int_equal(v->frame.x[i], before.x[i]);
	}
	assert_int_equal(v->frame.pc, before.pc);
	return r;
}

#define CALL(extension, function, ...) \
	call_of(0, extension, function, (const uint64_t[6]){__VA_ARGS__})

/* The call goes on in the guest with these. */
#define EXPECT(r, wanted_error, wanted_value)                         \
	do {                                                          \
		struct result r_ = (r);                               \
		assert_int_equal(r_.reason, 0);                       \
		assert_int_equal(r_.error, (uint64_t)(wanted_error)); \
		assert_int_equal(r_.value, (uint64_t)(wanted_value)); \
	} while (0)

/* ---- BASE ---- */

static void base_reports_version_2_0_and_an_unassigned_implementation(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_BASE, 0), 0, 0x02000000);
	EXPECT(CALL(SBI_EXT_BASE, 1), 0, 0x6178766d);
	EXPECT(CALL(SBI_EXT_BASE, 2), 0,
	       AXVM_VERSION_MAJOR << 16 | AXVM_VERSION_MINOR << 8 |
		       AXVM_VERSION_PATCH);
}

static void base_reports_zero_machine_ids(void **s)
{
	(void)s;
	for (uint64_t f = 4; f <= 6; f++)
		EXPECT(CALL(SBI_EXT_BASE, f, 7), 0, 0);
}

static void unknown_base_functions_are_not_supported(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_BASE, 7), SBI_ERR_NOT_SUPPORTED, 0);
	EXPECT(CALL(SBI_EXT_BASE, UINT64_C(1) << 32), SBI_ERR_NOT_SUPPORTED, 0);
	EXPECT(CALL(SBI_EXT_BASE, UINT64_MAX), SBI_ERR_NOT_SUPPORTED, 0);
}

static void probe_finds_what_is_there(void **s)
{
	static const uint64_t there[] = {
		0,
		1,
		2,
		3,
		4,
		5,
		6,
		7,
		8,
		SBI_EXT_BASE,
		SBI_EXT_TIME,
		SBI_EXT_IPI,
		SBI_EXT_HSM,
		SBI_EXT_RFENCE,
		SBI_EXT_SRST,
		SBI_EXT_DBCN,
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		EXPECT(CALL(SBI_EXT_BASE, 3, there[i]), 0, 1);
}

static void probe_does_not_find_pmu_or_strangers(void **s)
{
	static const uint64_t absent[] = {
		9,
		0xf,
		0x504d55, /* PMU */
		0x53555350, /* SUSP */
		0x43505043, /* CPPC */
		0x4e41434c, /* NACL */
		0x535441, /* STA */
		SBI_HYPERCALL,
		UINT64_C(0x100000010),
		UINT64_MAX,
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
		EXPECT(CALL(SBI_EXT_BASE, 3, absent[i]), 0, 0);
		if (absent[i] == SBI_HYPERCALL)
			continue;
		EXPECT(CALL(absent[i] > 0xf ? absent[i] : 0x11, 0),
		       SBI_ERR_NOT_SUPPORTED, 0);
	}
}

static void consoles_are_absent_by_probe_without_a_host_console(void **s)
{
	(void)s;
	memset(&fake.vm.core.console, 0, sizeof(fake.vm.core.console));
	EXPECT(CALL(SBI_EXT_BASE, 3, SBI_EXT_DBCN), 0, 0);
	EXPECT(CALL(SBI_EXT_BASE, 3, 1), 0, 0);
	EXPECT(CALL(SBI_EXT_BASE, 3, 2), 0, 0);
	for (uint64_t f = 0; f < 4; f++)
		EXPECT(CALL(SBI_EXT_DBCN, f, 1, FAKE_RAM),
		       SBI_ERR_NOT_SUPPORTED, 0);
	assert_int_equal(CALL(1, 0, 'a').error, SBI_ERR_NOT_SUPPORTED);
	assert_int_equal(CALL(2, 0).error, SBI_ERR_NOT_SUPPORTED);
}

static void calls_are_counted_by_kind(void **s)
{
	(void)s;
	CALL(SBI_EXT_BASE, 0);
	CALL(SBI_EXT_IPI, 0, 0, 0);
	CALL(0x999, 0);
	CALL(SBI_HYPERCALL, 0);
	assert_int_equal(self()->core.exits[AXVM_STAT_FIRMWARE_CALL], 3);
	assert_int_equal(self()->core.exits[AXVM_STAT_HYPERCALL], 1);
}

/* ---- TIME ---- */

static void set_timer_without_sstc_drops_the_pending_interrupt(void **s)
{
	(void)s;
	riscv_raise(self(), RISCV_VSTIP);
	EXPECT(CALL(SBI_EXT_TIME, 0, 12345), 0, 0);
	assert_int_equal(self()->timer, 12345);
	assert_int_equal(self()->effects,
			 RISCV_EFFECT_TIMER | RISCV_EFFECT_HVIP);
	assert_int_equal(self()->hvip_clear, RISCV_VSTIP);
	assert_int_equal(self()->hvip_set, 0);
}

static void set_timer_with_sstc_leaves_hvip_alone(void **s)
{
	(void)s;
	fake.host.features = RISCV_FEATURE_SSTC;
	EXPECT(CALL(SBI_EXT_TIME, 0, UINT64_MAX), 0, 0);
	assert_int_equal(self()->timer, UINT64_MAX);
	assert_int_equal(self()->effects, RISCV_EFFECT_TIMER);
}

static void set_timer_ends_an_injected_edge_even_with_sstc(void **s)
{
	(void)s;
	fake.host.features = RISCV_FEATURE_SSTC;
	self()->lines = RISCV_LINE_EDGE(RISCV_LINE_TIMER);
	EXPECT(CALL(SBI_EXT_TIME, 0, 5), 0, 0);
	assert_int_equal(self()->lines, 0);
	assert_int_equal(self()->hvip_clear, RISCV_VSTIP);
}

static void set_timer_does_not_drop_a_level_the_host_holds(void **s)
{
	(void)s;
	self()->lines = RISCV_LINE_LEVEL(RISCV_LINE_TIMER);
	EXPECT(CALL(SBI_EXT_TIME, 0, 5), 0, 0);
	assert_int_equal(self()->hvip_clear, 0);
	assert_int_equal(self()->effects, RISCV_EFFECT_TIMER);
}

static void other_time_functions_are_not_supported(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_TIME, 1, 5), SBI_ERR_NOT_SUPPORTED, 0);
	assert_int_equal(self()->effects, 0);
	assert_int_equal(self()->timer, UINT64_MAX);
}

/* ---- hart masks, IPI ---- */

static void ipi_to_self_is_an_effect_and_no_notification(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_IPI, 0, 1, 0), 0, 0);
	assert_int_equal(self()->hvip_set, RISCV_VSSIP);
	assert_int_equal(self()->effects, RISCV_EFFECT_HVIP);
	assert_int_equal(fake.notify_count, 0);
}

static void ipi_to_others_is_an_edge_on_their_software_line(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_IPI, 0, 3, 1), 0, 0);
	assert_int_equal(self()->effects, 0);
	assert_int_equal(fake.notify_count, 2);
	for (uint32_t i = 1; i <= 2; i++) {
		assert_int_equal(fake.vcpus[i].core.line_edges, 1u << 1);
		assert_int_equal(fake.notified[i], AXVMI_ATTN_LINES);
	}
}

static void mask_base_minus_one_means_every_hart_that_is_on(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_IPI, 0, 0x1234, UINT64_MAX), 0, 0);
	assert_int_equal(self()->hvip_set, RISCV_VSSIP);
	assert_int_equal(fake.notify_count, 2);
	assert_int_equal(fake.vcpus[3].core.line_edges, 0);
}

static void a_stopped_hart_does_not_keep_an_ipi(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_IPI, 0, 8, 0), 0, 0);
	assert_int_equal(fake.vcpus[3].core.line_edges, 0);
	assert_int_equal(fake.notify_count, 0);
}

static void a_mask_beyond_the_last_hart_sends_nothing(void **s)
{
	static const uint64_t bad[][2] = {
		{0x1f, 0},
		{0x11, 0},
		{2, 3},
		{1, 4},
		{1, 63},
		{1, 64},
		{3, UINT64_MAX - 1},
		{UINT64_C(1) << 63, 1},
		{UINT64_MAX, 0},
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT(CALL(SBI_EXT_IPI, 0, bad[i][0], bad[i][1]),
		       SBI_ERR_INVALID_PARAM, 0);
	assert_int_equal(fake.notify_count, 0);
	assert_int_equal(self()->effects, 0);
}

static void an_empty_mask_names_no_hart_whatever_its_base(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_IPI, 0, 0, 0), 0, 0);
	EXPECT(CALL(SBI_EXT_IPI, 0, 0, 1000), 0, 0);
	assert_int_equal(fake.notify_count, 0);
	assert_int_equal(self()->effects, 0);
}

static void sixty_four_harts_fill_the_mask(void **s)
{
	(void)s;
	fake_vm(64);
	EXPECT(CALL(SBI_EXT_IPI, 0, UINT64_MAX, 0), 0, 0);
	assert_int_equal(fake.notify_count, 62); /* self, and one is off */
	EXPECT(CALL(SBI_EXT_IPI, 0, 1, 62), 0, 0);
	assert_int_equal(fake.notify_count, 63);
	EXPECT(CALL(SBI_EXT_IPI, 0, 4, 62), SBI_ERR_INVALID_PARAM, 0);
}

static void other_ipi_functions_are_not_supported(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_IPI, 1, 1, 0), SBI_ERR_NOT_SUPPORTED, 0);
	assert_int_equal(self()->effects, 0);
}

/* ---- RFENCE ---- */

static void fence_i_of_self_is_an_effect(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_RFENCE, 0, 1, 0), 0, 0);
	assert_int_equal(self()->effects, RISCV_EFFECT_FENCE_I);
	assert_int_equal(fake.fence_count, 0);
}

static void fence_i_of_others_waits_for_them(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_RFENCE, 0, 0, UINT64_MAX), 0, 0);
	assert_int_equal(self()->effects, RISCV_EFFECT_FENCE_I);
	assert_int_equal(fake.fence_mask, 0xe);
	assert_int_equal(fake.fence_bits, RISCV_ATTN_FENCE_I);
	assert_ptr_equal(fake.fence_self, &self()->core);
}

static void sfence_of_others_only_leaves_self_alone(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_RFENCE, 1, 6, 0, 0x1000, 0x1000), 0, 0);
	assert_int_equal(self()->effects, 0);
	assert_int_equal(fake.fence_mask, 6);
	assert_int_equal(fake.fence_bits, RISCV_ATTN_FENCE_VMA);
}

static void check_fence(uint64_t start, uint64_t size, uint64_t asid)
{
	assert_int_equal(self()->effects, RISCV_EFFECT_FENCE_VMA);
	assert_int_equal(self()->fence_start, start);
	assert_int_equal(self()->fence_size, size);
	assert_int_equal(self()->fence_asid, asid);
	self()->effects = 0;
}

static void sfence_of_a_range_covers_whole_pages(void **s)
{
	static const uint64_t ranges[][4] = {
		{0x1000, 0x1000, 0x1000, 0x1000},
		{0x1fff, 1, 0x1000, 0x1000},
		{0x1fff, 2, 0x1000, 0x2000},
		{0, 1, 0, 0x1000},
		{0x3000, 16 * 4096, 0x3000, 16 * 4096},
		{UINT64_MAX - 8191, 4096, UINT64_MAX - 8191, 0x1000},
		/* Whose end cannot be told: all. */
		{UINT64_MAX, 1, 0, UINT64_MAX},
		{UINT64_MAX - 8191, 8192, 0, UINT64_MAX},
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		EXPECT(CALL(SBI_EXT_RFENCE, 1, 1, 0, ranges[i][0],
			    ranges[i][1]),
		       0, 0);
		check_fence(ranges[i][2], ranges[i][3], UINT64_MAX);
	}
}

static void sfence_of_zero_size_at_zero_or_of_all_covers_all(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_RFENCE, 1, 1, 0, 0, 0), 0, 0);
	check_fence(0, UINT64_MAX, UINT64_MAX);
	EXPECT(CALL(SBI_EXT_RFENCE, 1, 1, 0, 0x5000, UINT64_MAX), 0, 0);
	check_fence(0, UINT64_MAX, UINT64_MAX);
}

static void sfence_of_many_pages_covers_all(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_RFENCE, 1, 1, 0, 0x3000, 16 * 4096 + 1), 0, 0);
	check_fence(0, UINT64_MAX, UINT64_MAX);
	EXPECT(CALL(SBI_EXT_RFENCE, 2, 1, 0, 0, UINT64_MAX - 1, 9), 0, 0);
	check_fence(0, UINT64_MAX, 9);
}

static void sfence_of_an_empty_range_does_nothing(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_RFENCE, 1, 1, 0, 0x1000, 0), 0, 0);
	assert_int_equal(self()->effects, 0);
}

static void sfence_of_a_range_that_wraps_is_an_invalid_address(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_RFENCE, 1, 3, 0, 0x1000, UINT64_MAX - 0xffe),
	       SBI_ERR_INVALID_ADDRESS, 0);
	EXPECT(CALL(SBI_EXT_RFENCE, 1, 3, 0, UINT64_MAX, 2),
	       SBI_ERR_INVALID_ADDRESS, 0);
	assert_int_equal(self()->effects, 0);
	assert_int_equal(fake.fence_count, 0);
}

static void sfence_with_asid_carries_it(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_RFENCE, 2, 1, 0, 0x1000, 0x1000, 0xffff), 0, 0);
	check_fence(0x1000, 0x1000, 0xffff);
	EXPECT(CALL(SBI_EXT_RFENCE, 2, 1, 0, 0, 0, 0), 0, 0);
	check_fence(0, UINT64_MAX, 0);
}

static void sfence_with_an_impossible_asid_is_refused(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_RFENCE, 2, 3, 0, 0, 0, 0x10000),
	       SBI_ERR_INVALID_PARAM, 0);
	EXPECT(CALL(SBI_EXT_RFENCE, 2, 3, 0, 0, 0, UINT64_MAX),
	       SBI_ERR_INVALID_PARAM, 0);
	assert_int_equal(self()->effects, 0);
	assert_int_equal(fake.fence_count, 0);
}

static void fences_of_harts_that_do_not_exist_are_refused(void **s)
{
	(void)s;
	for (uint64_t f = 0; f <= 2; f++)
		EXPECT(CALL(SBI_EXT_RFENCE, f, 0x13, 0), SBI_ERR_INVALID_PARAM,
		       0);
	assert_int_equal(self()->effects, 0);
	assert_int_equal(fake.fence_count, 0);
}

static void hypervisor_fences_are_not_supported(void **s)
{
	(void)s;
	for (uint64_t f = 3; f <= 7; f++)
		EXPECT(CALL(SBI_EXT_RFENCE, f, 1, 0), SBI_ERR_NOT_SUPPORTED, 0);
	assert_int_equal(self()->effects, 0);
}

/* ---- HSM ---- */

static void hart_start_leaves_with_cpu_on(void **s)
{
	struct result r;

	(void)s;
	r = CALL(SBI_EXT_HSM, 0, 3, FAKE_RAM + 0x200, 0xabc);
	assert_int_equal(r.reason, AXVM_EXIT_CPU_ON);
	assert_int_equal(fake.exit.u.cpu_on.vcpu, 3);
	assert_int_equal(fake.exit.u.cpu_on.entry, FAKE_RAM + 0x200);
	assert_int_equal(fake.exit.u.cpu_on.argument, 0xabc);
	assert_int_equal(fake.exit.pc, self()->frame.pc - 4);
}

static void hart_start_ends_with_success_or_the_core_s_error(void **s)
{
	static const struct {
		enum axvm_complete_action action;
		int value;
		uint64_t error;
	} ends[] = {
		{AXVM_COMPLETE_DONE, AXVM_OK, SBI_SUCCESS},
		{AXVM_COMPLETE_DONE, AXVM_EEXIST, SBI_ERR_ALREADY_AVAILABLE},
		{AXVM_COMPLETE_DONE, AXVM_ENOENT, SBI_ERR_INVALID_PARAM},
		{AXVM_COMPLETE_DONE, AXVM_ENOMEM, SBI_ERR_FAILED},
		{AXVM_COMPLETE_FAULT, AXVM_OK, SBI_ERR_FAILED},
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		self()->frame.x[REG_A0] = self()->frame.x[REG_A1] = 77;
		axvmi_riscv_sbi_complete(self(), AXVM_EXIT_CPU_ON,
					 ends[i].action,
					 (uint64_t)(int64_t)ends[i].value);
		assert_int_equal(self()->frame.x[REG_A0], ends[i].error);
		assert_int_equal(self()->frame.x[REG_A1], 0);
	}
}

static void hart_start_of_a_hart_that_does_not_exist_is_refused(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_HSM, 0, 4, FAKE_RAM, 0), SBI_ERR_INVALID_PARAM, 0);
	EXPECT(CALL(SBI_EXT_HSM, 0, UINT64_C(0x100000003), FAKE_RAM, 0),
	       SBI_ERR_INVALID_PARAM, 0);
	EXPECT(CALL(SBI_EXT_HSM, 0, UINT64_MAX, FAKE_RAM, 0),
	       SBI_ERR_INVALID_PARAM, 0);
	assert_int_equal(fake.claims, 0);
}

static void hart_start_of_a_running_hart_is_already_available(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_HSM, 0, 1, FAKE_RAM, 0), SBI_ERR_ALREADY_AVAILABLE,
	       0);
	EXPECT(CALL(SBI_EXT_HSM, 0, 0, FAKE_RAM, 0), SBI_ERR_ALREADY_AVAILABLE,
	       0);
}

static void second_start_of_a_hart_is_already_available(void **s)
{
	(void)s;
	assert_int_equal(CALL(SBI_EXT_HSM, 0, 3, FAKE_RAM, 0).reason,
			 AXVM_EXIT_CPU_ON);
	EXPECT(CALL(SBI_EXT_HSM, 0, 3, FAKE_RAM, 0), SBI_ERR_ALREADY_AVAILABLE,
	       0);
}

static const uint64_t bad_entries[] = {
	FAKE_RAM + 1, /* no instruction is there */
	FAKE_ROM, /* no right to execute */
	FAKE_DATA,    FAKE_DEVICE, FAKE_RAM - 2, 0, UINT64_MAX - 1,
};

static void hart_start_outside_executable_memory_claims_nothing(void **s)
{
	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(bad_entries); i++)
		EXPECT(CALL(SBI_EXT_HSM, 0, 3, bad_entries[i], 0),
		       SBI_ERR_INVALID_ADDRESS, 0);
	assert_int_equal(fake.claims, 0);
}

static void unexpected_failure_to_start_is_failed(void **s)
{
	(void)s;
	fake.claim_result = AXVM_ESTATE;
	EXPECT(CALL(SBI_EXT_HSM, 0, 3, FAKE_RAM, 0), SBI_ERR_FAILED, 0);
}

static void hart_stop_halts_without_deadline(void **s)
{
	(void)s;
	assert_int_equal(CALL(SBI_EXT_HSM, 1).reason, AXVM_EXIT_HALT);
	assert_int_equal(fake.exit.u.halt.deadline, AXVM_NO_DEADLINE);
	assert_int_equal(fake.offs, 1);
	assert_int_equal(self()->core.state, AXVM_VCPU_OFF);
}

static void hart_status_follows_the_state_machine(void **s)
{
	struct riscv_vcpu *v = &fake.vcpus[3];

	(void)s;
	EXPECT(CALL(SBI_EXT_HSM, 2, 3), 0, 1); /* STOPPED */
	CALL(SBI_EXT_HSM, 0, 3, FAKE_RAM, 0);
	EXPECT(CALL(SBI_EXT_HSM, 2, 3), 0, 2); /* START_PENDING */
	store_relaxed(&v->core.starting, 0);
	store_relaxed(&v->core.state, AXVM_VCPU_READY);
	EXPECT(CALL(SBI_EXT_HSM, 2, 3), 0, 0); /* STARTED */
	store_relaxed(&v->core.state, AXVM_VCPU_RUNNING);
	EXPECT(CALL(SBI_EXT_HSM, 2, 3), 0, 0);
	store_relaxed(&v->core.state, AXVM_VCPU_BLOCKED); /* in a WFI */
	EXPECT(CALL(SBI_EXT_HSM, 2, 3), 0, 0);
	call_of(3, SBI_EXT_HSM, 3, (const uint64_t[6]){0});
	EXPECT(CALL(SBI_EXT_HSM, 2, 3), 0, 4); /* SUSPENDED */
	axvmi_riscv_sbi_resume(v);
	EXPECT(CALL(SBI_EXT_HSM, 2, 3), 0, 0);
	call_of(3, SBI_EXT_HSM, 1, (const uint64_t[6]){0});
	EXPECT(CALL(SBI_EXT_HSM, 2, 3), 0, 1);
}

static void hart_status_of_a_hart_that_does_not_exist_is_refused(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_HSM, 2, 4), SBI_ERR_INVALID_PARAM, 0);
	EXPECT(CALL(SBI_EXT_HSM, 2, UINT64_MAX), SBI_ERR_INVALID_PARAM, 0);
}

static void retentive_suspend_waits_and_returns_success(void **s)
{
	(void)s;
	self()->timer = 50;
	/* resume_addr is not looked at. */
	assert_int_equal(CALL(SBI_EXT_HSM, 3, 0, 1, 0xabc).reason,
			 AXVM_EXIT_HALT);
	assert_int_equal(fake.exit.u.halt.deadline, 5000);
	assert_int_equal(fake.hsm_at_halt, RISCV_HSM_SUSPENDED);
	assert_int_equal(fake.exit.pc, self()->frame.pc - 4);
	axvmi_riscv_sbi_resume(self());
	assert_int_equal(self()->hsm, RISCV_HSM_RUNNING);
	assert_int_equal(self()->frame.x[REG_A0], SBI_SUCCESS);
	assert_int_equal(self()->frame.x[REG_A6], 3);
	assert_int_equal(fake.restarts, 0);
}

static void retentive_suspend_with_an_interrupt_pending_goes_on(void **s)
{
	(void)s;
	fake.halt_result = 0;
	fake.irq_pending = true;
	EXPECT(CALL(SBI_EXT_HSM, 3, 0, 0, 0), SBI_SUCCESS, 0);
	assert_int_equal(fake.halts, 1);
	assert_int_equal(self()->hsm, RISCV_HSM_RUNNING);
}

static void suspend_is_not_ended_by_other_calls_for_attention(void **s)
{
	(void)s;
	fake.halt_result = 0;
	assert_int_equal(CALL(SBI_EXT_HSM, 3, 0, 0, 0).reason, AXVM_EXIT_IRQ);
	assert_int_equal(self()->hsm, RISCV_HSM_SUSPENDED);
	assert_int_equal(CALL(SBI_EXT_HSM, 3, 0x80000000, FAKE_RAM, 0).reason,
			 AXVM_EXIT_IRQ);
	assert_int_equal(self()->hsm, RISCV_HSM_SUSPENDED);
	assert_int_equal(fake.restarts, 0);
}

static void non_retentive_suspend_restarts_at_the_resume_address(void **s)
{
	(void)s;
	assert_int_equal(
		CALL(SBI_EXT_HSM, 3, 0x80000000, FAKE_RAM + 0x40, 7).reason,
		AXVM_EXIT_HALT);
	assert_int_equal(fake.restarts, 0);
	axvmi_riscv_sbi_resume(self());
	assert_int_equal(fake.restarts, 1);
	assert_int_equal(fake.restart_entry, FAKE_RAM + 0x40);
	assert_int_equal(fake.restart_argument, 7);
	assert_int_equal(self()->hsm, RISCV_HSM_RUNNING);
	/* The next, retentive one does not restart again. */
	fake.restarts = 0;
	CALL(SBI_EXT_HSM, 3, 0, 0, 0);
	axvmi_riscv_sbi_resume(self());
	assert_int_equal(fake.restarts, 0);
}

static void non_retentive_suspend_with_an_interrupt_pending_restarts(void **s)
{
	(void)s;
	fake.halt_result = 0;
	fake.irq_pending = true;
	assert_int_equal(CALL(SBI_EXT_HSM, 3, 0x80000000, FAKE_RAM, 7).reason,
			 0);
	assert_int_equal(fake.restarts, 1);
	assert_int_equal(self()->frame.pc, FAKE_RAM);
	assert_int_equal(self()->hsm, RISCV_HSM_RUNNING);
}

static void non_retentive_suspend_needs_an_executable_address(void **s)
{
	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(bad_entries); i++)
		EXPECT(CALL(SBI_EXT_HSM, 3, 0x80000000, bad_entries[i], 0),
		       SBI_ERR_INVALID_ADDRESS, 0);
	assert_int_equal(fake.halts, 0);
	assert_int_equal(self()->hsm, RISCV_HSM_RUNNING);
}

static void upper_half_of_the_suspend_type_is_ignored(void **s)
{
	(void)s;
	assert_int_equal(CALL(SBI_EXT_HSM, 3, UINT64_C(1) << 63, 0, 0).reason,
			 AXVM_EXIT_HALT);
	assert_int_equal(self()->hsm_resume, 0);
	assert_int_equal(
		CALL(SBI_EXT_HSM, 3, UINT64_C(0xffffffff80000000), FAKE_RAM, 0)
			.reason,
		AXVM_EXIT_HALT);
	assert_int_equal(self()->hsm_resume, 1);
}

static void other_suspend_types_are_refused(void **s)
{
	static const uint64_t reserved[] = {1, 0x0fffffff, 0x80000001,
					    0x8fffffff};
	static const uint64_t platform[] = {0x10000000, 0x7fffffff, 0x90000000,
					    0xffffffff};

	(void)s;
	for (size_t i = 0; i < 4; i++) {
		EXPECT(CALL(SBI_EXT_HSM, 3, reserved[i], FAKE_RAM, 0),
		       SBI_ERR_INVALID_PARAM, 0);
		EXPECT(CALL(SBI_EXT_HSM, 3, platform[i], FAKE_RAM, 0),
		       SBI_ERR_INVALID_PARAM, 0);
	}
	assert_int_equal(fake.halts, 0);
}

static void other_hsm_functions_are_not_supported(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_HSM, 4, 0), SBI_ERR_NOT_SUPPORTED, 0);
}

/* ---- SRST ---- */

static void shutdown_is_system_off_and_reboots_are_resets(void **s)
{
	(void)s;
	assert_int_equal(CALL(SBI_EXT_SRST, 0, 0, 1).reason,
			 AXVM_EXIT_SYSTEM_OFF);
	assert_int_equal(fake.exit.u.system.type, 0);
	assert_int_equal(fake.exit.u.system.code, 1);
	assert_int_equal(CALL(SBI_EXT_SRST, 0, 1, 0).reason,
			 AXVM_EXIT_SYSTEM_RESET);
	assert_int_equal(fake.exit.u.system.type, 1);
	assert_int_equal(CALL(SBI_EXT_SRST, 0, 2, 0).reason,
			 AXVM_EXIT_SYSTEM_RESET);
	assert_int_equal(fake.exit.u.system.type, 2);
	assert_int_equal(fake.exit.pc, self()->frame.pc - 4);
	assert_int_equal(fake.events, 3);
}

static void reserved_reset_types_and_reasons_are_refused(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_SRST, 0, 3, 0), SBI_ERR_INVALID_PARAM, 0);
	EXPECT(CALL(SBI_EXT_SRST, 0, 0xefffffff, 0), SBI_ERR_INVALID_PARAM, 0);
	EXPECT(CALL(SBI_EXT_SRST, 0, 0xf0000000, 0), SBI_ERR_INVALID_PARAM, 0);
	EXPECT(CALL(SBI_EXT_SRST, 0, 0xffffffff, 0), SBI_ERR_INVALID_PARAM, 0);
	EXPECT(CALL(SBI_EXT_SRST, 0, 0, 2), SBI_ERR_INVALID_PARAM, 0);
	EXPECT(CALL(SBI_EXT_SRST, 0, 0, 0xe0000000), SBI_ERR_INVALID_PARAM, 0);
	EXPECT(CALL(SBI_EXT_SRST, 0, 0, 0xffffffff), SBI_ERR_INVALID_PARAM, 0);
	EXPECT(CALL(SBI_EXT_SRST, 1, 0, 0), SBI_ERR_NOT_SUPPORTED, 0);
	assert_int_equal(fake.events, 0);
}

/* ---- DBCN ---- */

static void fill(uint64_t gpa, size_t size)
{
	for (size_t i = 0; i < size; i++)
		fake.memory[gpa - FAKE_RAM + i] = (uint8_t)(i * 7 + i / 256);
}

static void console_write_sends_the_bytes(void **s)
{
	(void)s;
	fill(FAKE_RAM + 3, 300);
	EXPECT(CALL(SBI_EXT_DBCN, 0, 300, FAKE_RAM + 3, 0), 0, 300);
	assert_int_equal(fake.out_count, 300);
	assert_memory_equal(fake.out, fake.memory + 3, 300);
}

static void console_write_of_nothing_succeeds(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_DBCN, 0, 0, 0, 0), 0, 0);
	EXPECT(CALL(SBI_EXT_DBCN, 0, 0, UINT64_MAX, 0), 0, 0);
	EXPECT(CALL(SBI_EXT_DBCN, 1, 0, UINT64_MAX, 0), 0, 0);
	assert_int_equal(fake.copies, 0);
}

static void console_write_crosses_pages_and_regions(void **s)
{
	(void)s;
	fill(FAKE_ROM - 100, 200);
	EXPECT(CALL(SBI_EXT_DBCN, 0, 200, FAKE_ROM - 100, 0), 0, 200);
	assert_memory_equal(fake.out, fake.memory + (FAKE_ROM - FAKE_RAM) - 100,
			    200);
}

static void console_write_is_bounded_per_call(void **s)
{
	(void)s;
	fill(FAKE_RAM, 0x1800);
	EXPECT(CALL(SBI_EXT_DBCN, 0, 0x1800, FAKE_RAM, 0), 0, 1024);
	assert_int_equal(fake.out_count, 1024);
	assert_true(fake.copies <= 9);
	/* The rest by further calls, as the specification has it. */
	EXPECT(CALL(SBI_EXT_DBCN, 0, 0x1400, FAKE_RAM + 1024, 0), 0, 1024);
	assert_memory_equal(fake.out, fake.memory, 2048);
	EXPECT(CALL(SBI_EXT_DBCN, 0, UINT64_C(0xffffffff7fffffff), FAKE_RAM, 0),
	       0, 1024);
}

static void console_write_to_a_full_console_is_short(void **s)
{
	(void)s;
	fake.out_room = 150;
	EXPECT(CALL(SBI_EXT_DBCN, 0, 300, FAKE_RAM, 0), 0, 150);
	EXPECT(CALL(SBI_EXT_DBCN, 0, 300, FAKE_RAM, 0), 0, 0);
}

static void console_write_stops_at_a_bad_page_and_then_fails(void **s)
{
	(void)s;
	fill(FAKE_HOLE - 50, 50);
	EXPECT(CALL(SBI_EXT_DBCN, 0, 100, FAKE_HOLE - 50, 0), 0, 50);
	EXPECT(CALL(SBI_EXT_DBCN, 0, 50, FAKE_HOLE, 0), SBI_ERR_INVALID_PARAM,
	       0);
	assert_int_equal(fake.out_count, 50);
}

static void console_refuses_addresses_that_are_no_memory(void **s)
{
	static const uint64_t bad[] = {0, FAKE_DEVICE, FAKE_RAM - 1,
				       FAKE_RAM + FAKE_SIZE, UINT64_MAX - 100};

	(void)s;
	fake.in = "lost?";
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT(CALL(SBI_EXT_DBCN, 0, 1, bad[i], 0),
		       SBI_ERR_INVALID_PARAM, 0);
		EXPECT(CALL(SBI_EXT_DBCN, 1, 1, bad[i], 0),
		       SBI_ERR_INVALID_PARAM, 0);
	}
	assert_int_equal(fake.out_count, 0);
	assert_string_equal(fake.in, "lost?");
}

static void console_refuses_upper_address_bits_and_ranges_that_wrap(void **s)
{
	(void)s;
	for (uint64_t f = 0; f <= 1; f++) {
		EXPECT(CALL(SBI_EXT_DBCN, f, 1, FAKE_RAM, 1),
		       SBI_ERR_INVALID_PARAM, 0);
		EXPECT(CALL(SBI_EXT_DBCN, f, 1, FAKE_RAM, UINT64_MAX),
		       SBI_ERR_INVALID_PARAM, 0);
		EXPECT(CALL(SBI_EXT_DBCN, f, UINT64_MAX, FAKE_RAM, 0),
		       SBI_ERR_INVALID_PARAM, 0);
	}
	assert_int_equal(fake.copies, 0);
}

static void console_failure_that_is_not_the_guest_s_is_failed(void **s)
{
	(void)s;
	fake.copy_error = AXVM_ENOMEM;
	fake.in = "x";
	EXPECT(CALL(SBI_EXT_DBCN, 0, 1, FAKE_HOLE, 0), SBI_ERR_FAILED, 0);
	EXPECT(CALL(SBI_EXT_DBCN, 1, 1, FAKE_HOLE, 0), SBI_ERR_FAILED, 0);
}

static void console_read_gives_what_is_there(void **s)
{
	(void)s;
	fake.in = "hello";
	EXPECT(CALL(SBI_EXT_DBCN, 1, 100, FAKE_RAM, 0), 0, 5);
	assert_memory_equal(fake.memory, "hello\0", 6);
	EXPECT(CALL(SBI_EXT_DBCN, 1, 100, FAKE_RAM, 0), 0, 0);
	fake.in = "abcdef";
	EXPECT(CALL(SBI_EXT_DBCN, 1, 4, FAKE_RAM + 0xffe, 0), 0, 4);
	assert_memory_equal(fake.memory + 0xffe, "abcd\0", 5);
	assert_string_equal(fake.in, "ef");
}

static void console_read_is_bounded_per_call(void **s)
{
	static char many[3000];

	(void)s;
	memset(many, 'm', sizeof(many) - 1);
	fake.in = many;
	EXPECT(CALL(SBI_EXT_DBCN, 1, 2900, FAKE_RAM, 0), 0, 1024);
	assert_ptr_equal(fake.in, many + 1024);
}

static void console_read_loses_nothing_to_memory_it_may_not_write(void **s)
{
	(void)s;
	fake.in = "hello";
	EXPECT(CALL(SBI_EXT_DBCN, 1, 4, FAKE_ROM, 0), SBI_ERR_INVALID_PARAM, 0);
	assert_string_equal(fake.in, "hello");
	EXPECT(CALL(SBI_EXT_DBCN, 1, 4, FAKE_ROM - 2, 0), 0, 2);
	assert_string_equal(fake.in, "llo");
}

static void console_without_input_callback_reads_nothing(void **s)
{
	(void)s;
	fake.vm.core.console.read = NULL;
	EXPECT(CALL(SBI_EXT_DBCN, 1, 4, FAKE_RAM, 0), 0, 0);
	assert_int_equal(CALL(2, 0).error, UINT64_MAX);
}

static void console_write_byte_sends_its_low_eight_bits(void **s)
{
	(void)s;
	EXPECT(CALL(SBI_EXT_DBCN, 2, 0xabcd41), 0, 0);
	assert_int_equal(fake.out_count, 1);
	assert_int_equal(fake.out[0], 'A');
	fake.out_room = 1;
	EXPECT(CALL(SBI_EXT_DBCN, 2, 'B'), SBI_ERR_FAILED, 0);
	EXPECT(CALL(SBI_EXT_DBCN, 3, 'B'), SBI_ERR_NOT_SUPPORTED, 0);
}

/* ---- legacy; a1 is checked in call_of() ---- */

static void legacy_set_timer_sets_the_timer(void **s)
{
	(void)s;
	assert_int_equal(CALL(0, 99, 777, 5).error, 0);
	assert_int_equal(self()->timer, 777);
	assert_true((self()->effects & RISCV_EFFECT_TIMER) != 0);
}

static void legacy_console_moves_single_bytes(void **s)
{
	(void)s;
	assert_int_equal(CALL(1, 0, 'x').error, 0);
	assert_int_equal(fake.out[0], 'x');
	fake.out_room = 1;
	assert_int_equal(CALL(1, 0, 'y').error, SBI_ERR_FAILED);
	fake.in = "\xff";
	assert_int_equal(CALL(2, 0).error, 0xff);
	assert_int_equal(CALL(2, 0).error, UINT64_MAX);
}

static void legacy_clear_ipi_says_whether_one_was_pending(void **s)
{
	(void)s;
	assert_int_equal(CALL(3, 0).error, 0);
	fake.hvip = RISCV_VSSIP;
	self()->hvip_clear = 0;
	assert_int_equal(CALL(3, 0).error, 1);
	assert_int_equal(self()->hvip_clear, RISCV_VSSIP);
	/* Cleared by the effect still to come. */
	assert_int_equal(CALL(3, 0).error, 0);
	fake.hvip = 0;
	CALL(SBI_EXT_IPI, 0, 1, 0);
	assert_int_equal(CALL(3, 0).error, 1);
	atomic_fetch_or(&self()->core.line_edges, 1u << 1 | 1u << 9);
	assert_int_equal(CALL(3, 0).error, 1);
	assert_int_equal(self()->core.line_edges, 1u << 9);
}

static void legacy_masks_lie_in_guest_virtual_memory(void **s)
{
	(void)s;
	fake.gva_value = 0x7;
	assert_int_equal(CALL(4, 0, FAKE_GVA).error, 0);
	assert_int_equal(self()->hvip_set, RISCV_VSSIP);
	assert_int_equal(fake.notify_count, 2);
	assert_int_equal(CALL(5, 0, FAKE_GVA).error, 0);
	assert_int_equal(self()->effects & RISCV_EFFECT_FENCE_I,
			 RISCV_EFFECT_FENCE_I);
	assert_int_equal(fake.fence_mask, 6);
}

static void legacy_calls_without_mask_mean_all_harts(void **s)
{
	(void)s;
	assert_int_equal(CALL(5, 0, 0).error, 0);
	assert_int_equal(fake.fence_mask, 0xe);
	assert_int_equal(fake.fence_bits, RISCV_ATTN_FENCE_I);
	assert_int_equal(CALL(4, 0, 0).error, 0);
	assert_int_equal(fake.notify_count, 2);
}

static void legacy_bad_mask_pointers_do_nothing(void **s)
{
	(void)s;
	for (uint64_t e = 4; e <= 7; e++) {
		assert_int_equal(CALL(e, 0, FAKE_GVA + 8).error,
				 SBI_ERR_INVALID_ADDRESS);
		fake.gva_value = 0x10;
		assert_int_equal(CALL(e, 0, FAKE_GVA).error,
				 SBI_ERR_INVALID_PARAM);
	}
	assert_int_equal(self()->effects, 0);
	assert_int_equal(fake.notify_count, 0);
	assert_int_equal(fake.fence_count, 0);
}

static void legacy_sfence_takes_range_and_asid(void **s)
{
	(void)s;
	fake.gva_value = 1;
	assert_int_equal(CALL(6, 0, FAKE_GVA, 0x1000, 0x2000, 5).error, 0);
	check_fence(0x1000, 0x2000, UINT64_MAX);
	assert_int_equal(CALL(7, 0, FAKE_GVA, 0x1000, 0x2000, 5).error, 0);
	check_fence(0x1000, 0x2000, 5);
	assert_int_equal(CALL(7, 0, FAKE_GVA, 0, 0, 0x10000).error,
			 SBI_ERR_INVALID_PARAM);
	assert_int_equal(CALL(6, 0, FAKE_GVA, UINT64_MAX, 2).error,
			 SBI_ERR_INVALID_ADDRESS);
}

static void legacy_shutdown_is_system_off(void **s)
{
	(void)s;
	assert_int_equal(CALL(8, 0).reason, AXVM_EXIT_SYSTEM_OFF);
	assert_int_equal(fake.events, 1);
}

static void legacy_ids_without_function_are_not_supported(void **s)
{
	(void)s;
	for (uint64_t e = 9; e <= 0xf; e++) {
		struct riscv_vcpu *v = self();

		v->frame.x[REG_A7] = e;
		assert_int_equal(axvmi_riscv_sbi_call(v), 0);
		assert_int_equal(v->frame.x[REG_A0], SBI_ERR_NOT_SUPPORTED);
	}
}

/* ---- hypercalls ---- */

static void hypercalls_leave_with_number_and_arguments(void **s)
{
	(void)s;
	assert_int_equal(CALL(SBI_HYPERCALL, 0x105, 1, 2, 3, 4, 5, 6).reason,
			 AXVM_EXIT_HYPERCALL);
	assert_int_equal(fake.exit.u.hypercall.number, 0x105);
	for (uint64_t i = 0; i < 6; i++)
		assert_int_equal(fake.exit.u.hypercall.args[i], i + 1);
	assert_int_equal(fake.exit.pc, self()->frame.pc - 4);
}

static void hypercalls_of_the_library_change_a0_and_go_on(void **s)
{
	struct riscv_frame before;

	(void)s;
	fake.hypercall_answer = AXVMI_HYPERCALL_DONE;
	EXPECT(CALL(SBI_HYPERCALL, 3, 1, 2, 3, 4, 5, 6), 42, 2);
	for (uint64_t i = 0; i < 6; i++)
		assert_int_equal(fake.hypercall[1 + i], i + 1);
	assert_int_equal(fake.hypercall[0], 3);
	before = self()->frame;
	before.x[REG_A0] = 1;
	assert_int_equal(self()->core.exits[AXVM_STAT_HYPERCALL], 1);
	self()->frame.x[REG_A0] = 1;
	assert_int_equal(axvmi_riscv_sbi_call(self()), 0);
	before.x[REG_A0] = 42;
	assert_memory_equal(&self()->frame, &before, sizeof(before));
}

static void unfinished_hypercalls_are_executed_again(void **s)
{
	struct riscv_frame before;

	(void)s;
	fake.hypercall_answer = AXVMI_HYPERCALL_AGAIN;
	self()->frame.x[REG_A0] = 5;
	self()->frame.x[REG_A7] = SBI_HYPERCALL;
	before = self()->frame;
	assert_int_equal(axvmi_riscv_sbi_call(self()), 0);
	before.pc -= 4;
	assert_memory_equal(&self()->frame, &before, sizeof(before));
}

static void hypercall_results_change_a0_alone(void **s)
{
	struct riscv_frame before;

	(void)s;
	CALL(SBI_HYPERCALL, 3, 1, 2, 3, 4, 5, 6);
	before = self()->frame;
	axvmi_riscv_sbi_complete(self(), AXVM_EXIT_HYPERCALL,
				 AXVM_COMPLETE_DONE, 42);
	before.x[REG_A0] = 42;
	assert_memory_equal(&self()->frame, &before, sizeof(before));
	axvmi_riscv_sbi_complete(self(), AXVM_EXIT_HYPERCALL,
				 AXVM_COMPLETE_FAULT, 42);
	before.x[REG_A0] = UINT64_MAX;
	assert_memory_equal(&self()->frame, &before, sizeof(before));
}

static void completions_of_other_exits_are_ignored(void **s)
{
	struct riscv_frame before;

	(void)s;
	before = self()->frame;
	axvmi_riscv_sbi_complete(self(), AXVM_EXIT_MMIO, AXVM_COMPLETE_DONE, 1);
	assert_memory_equal(&self()->frame, &before, sizeof(before));
}

/* ---- console.c ---- */

static void debug_console_is_set_in_loading_only(void **s)
{
	struct axvm_vm *vm = &fake.vm.core;
	struct axvm_debug_console bad = fake_console;

	(void)s;
	memset(&vm->console, 0, sizeof(vm->console));
	bad.write = NULL;
	assert_int_equal(axvm_set_debug_console(NULL, &fake_console),
			 AXVM_EINVAL);
	assert_int_equal(axvm_set_debug_console(vm, &bad), AXVM_EINVAL);
	store_relaxed(&vm->state, AXVM_VM_LOADED);
	assert_int_equal(axvm_set_debug_console(vm, &fake_console),
			 AXVM_ESTATE);
	assert_null(vm->console.write);
	store_relaxed(&vm->state, AXVM_VM_LOADING);
	assert_int_equal(axvm_set_debug_console(vm, &fake_console), AXVM_OK);
	assert_memory_equal(&vm->console, &fake_console, sizeof(fake_console));
	assert_int_equal(axvm_set_debug_console(vm, NULL), AXVM_OK);
	assert_null(vm->console.write);
	assert_int_equal(vm->life.held, 0);
}

/* ---- everything at once ---- */

static void random_calls_keep_registers_and_leave_defined_results(void **s)
{
	static const uint64_t extensions[] = {
		0,
		1,
		2,
		3,
		4,
		5,
		6,
		7,
		SBI_EXT_BASE,
		SBI_EXT_TIME,
		SBI_EXT_IPI,
		SBI_EXT_RFENCE,
		SBI_EXT_HSM,
		SBI_EXT_SRST,
		SBI_EXT_DBCN,
		SBI_HYPERCALL,
	};
	static const uint64_t values[] = {
		0,	  1,	     2,		 3,	     4,
		0xf,	  0x1000,    0x80000000, UINT64_MAX, FAKE_RAM,
		FAKE_GVA, FAKE_HOLE, FAKE_ROM,	 FAKE_DATA,  UINT64_MAX - 1,
	};
	uint32_t seed = 1;

	(void)s;
	for (int i = 0; i < 200000; i++) {
		uint64_t w[8];
		struct result r;

		for (int k = 0; k < 8; k++) {
			seed = seed * 1664525 + 1013904223;
			w[k] = values[(seed >> 16) % ARRAY_SIZE(values)];
		}
		fake.restarts = 0;
		fake.out_count = 0;
		fake.halt_result = (seed & 0x100) != 0 ? AXVM_EXIT_HALT : 0;
		fake.irq_pending = (seed & 0x200) != 0;
		r = call_of(seed >> 20 & 1,
			    extensions[(seed >> 8) % ARRAY_SIZE(extensions)],
			    w[6] & 7, w);
		assert_true(r.reason >= 0 && r.reason < AXVM_EXIT_REASONS);
		store_relaxed(&fake.vcpus[0].core.state, AXVM_VCPU_RUNNING);
		store_relaxed(&fake.vcpus[1].core.state, AXVM_VCPU_RUNNING);
	}
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(base_reports_version_2_0_and_an_unassigned_implementation),
		T(base_reports_zero_machine_ids),
		T(unknown_base_functions_are_not_supported),
		T(probe_finds_what_is_there),
		T(probe_does_not_find_pmu_or_strangers),
		T(consoles_are_absent_by_probe_without_a_host_console),
		T(calls_are_counted_by_kind),
		T(set_timer_without_sstc_drops_the_pending_interrupt),
		T(set_timer_with_sstc_leaves_hvip_alone),
		T(set_timer_ends_an_injected_edge_even_with_sstc),
		T(set_timer_does_not_drop_a_level_the_host_holds),
		T(other_time_functions_are_not_supported),
		T(ipi_to_self_is_an_effect_and_no_notification),
		T(ipi_to_others_is_an_edge_on_their_software_line),
		T(mask_base_minus_one_means_every_hart_that_is_on),
		T(a_stopped_hart_does_not_keep_an_ipi),
		T(a_mask_beyond_the_last_hart_sends_nothing),
		T(an_empty_mask_names_no_hart_whatever_its_base),
		T(sixty_four_harts_fill_the_mask),
		T(other_ipi_functions_are_not_supported),
		T(fence_i_of_self_is_an_effect),
		T(fence_i_of_others_waits_for_them),
		T(sfence_of_others_only_leaves_self_alone),
		T(sfence_of_a_range_covers_whole_pages),
		T(sfence_of_zero_size_at_zero_or_of_all_covers_all),
		T(sfence_of_many_pages_covers_all),
		T(sfence_of_an_empty_range_does_nothing),
		T(sfence_of_a_range_that_wraps_is_an_invalid_address),
		T(sfence_with_asid_carries_it),
		T(sfence_with_an_impossible_asid_is_refused),
		T(fences_of_harts_that_do_not_exist_are_refused),
		T(hypervisor_fences_are_not_supported),
		T(hart_start_leaves_with_cpu_on),
		T(hart_start_ends_with_success_or_the_core_s_error),
		T(hart_start_of_a_hart_that_does_not_exist_is_refused),
		T(hart_start_of_a_running_hart_is_already_available),
		T(second_start_of_a_hart_is_already_available),
		T(hart_start_outside_executable_memory_claims_nothing),
		T(unexpected_failure_to_start_is_failed),
		T(hart_stop_halts_without_deadline),
		T(hart_status_follows_the_state_machine),
		T(hart_status_of_a_hart_that_does_not_exist_is_refused),
		T(retentive_suspend_waits_and_returns_success),
		T(retentive_suspend_with_an_interrupt_pending_goes_on),
		T(suspend_is_not_ended_by_other_calls_for_attention),
		T(non_retentive_suspend_restarts_at_the_resume_address),
		T(non_retentive_suspend_with_an_interrupt_pending_restarts),
		T(non_retentive_suspend_needs_an_executable_address),
		T(upper_half_of_the_suspend_type_is_ignored),
		T(other_suspend_types_are_refused),
		T(other_hsm_functions_are_not_supported),
		T(shutdown_is_system_off_and_reboots_are_resets),
		T(reserved_reset_types_and_reasons_are_refused),
		T(console_write_sends_the_bytes),
		T(console_write_of_nothing_succeeds),
		T(console_write_crosses_pages_and_regions),
		T(console_write_is_bounded_per_call),
		T(console_write_to_a_full_console_is_short),
		T(console_write_stops_at_a_bad_page_and_then_fails),
		T(console_refuses_addresses_that_are_no_memory),
		T(console_refuses_upper_address_bits_and_ranges_that_wrap),
		T(console_failure_that_is_not_the_guest_s_is_failed),
		T(console_read_gives_what_is_there),
		T(console_read_is_bounded_per_call),
		T(console_read_loses_nothing_to_memory_it_may_not_write),
		T(console_without_input_callback_reads_nothing),
		T(console_write_byte_sends_its_low_eight_bits),
		T(legacy_set_timer_sets_the_timer),
		T(legacy_console_moves_single_bytes),
		T(legacy_clear_ipi_says_whether_one_was_pending),
		T(legacy_masks_lie_in_guest_virtual_memory),
		T(legacy_calls_without_mask_mean_all_harts),
		T(legacy_bad_mask_pointers_do_nothing),
		T(legacy_sfence_takes_range_and_asid),
		T(legacy_shutdown_is_system_off),
		T(legacy_ids_without_function_are_not_supported),
		T(hypercalls_leave_with_number_and_arguments),
		T(hypercalls_of_the_library_change_a0_and_go_on),
		T(unfinished_hypercalls_are_executed_again),
		T(hypercall_results_change_a0_alone),
		T(completions_of_other_exits_are_ignored),
		T(debug_console_is_set_in_loading_only),
		T(random_calls_keep_registers_and_leave_defined_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
