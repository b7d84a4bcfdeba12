/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/arm_vhe/psci.c on the real core: calls go in by axvm_run_vcpu(), and
 * answers are compared with PSCI 1.1 (DEN0022) and SMCCC (DEN0028).
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
#define GARBAGE UINT64_C(0xdeadbeef00000000)
#define VCPUS 18u /* two clusters */
#define POOL UINT64_C(0x20000000)
#define CHANNEL_SIZE UINT64_C(0x300000)

static int setup(void **state)
{
	(void)state;
	machine_new(MACHINE_FEATURES, VCPUS);
	machine_boot();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return machine_delete() ? 0 : -1;
}

static void set_args(uint64_t x1, uint64_t x2, uint64_t x3)
{
	m.v->frame.x[1] = x1;
	m.v->frame.x[2] = x2;
	m.v->frame.x[3] = x3;
}

/* A call that the library answers; what x0 is after it. */
static uint64_t call(uint64_t function, uint64_t x1, uint64_t x2, uint64_t x3)
{
	set_args(x1, x2, x3);
	assert_int_equal(machine_hvc(function), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(m.v->frame.x[1], x1);
	return m.v->frame.x[0];
}

static uint64_t smc(uint64_t function)
{
	m.v->frame.x[0] = function;
	assert_int_equal(machine_step(esr_make(EC_SMC64, 0), 0, 0), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	return m.v->frame.x[0];
}

static struct axvm_vcpu *vcpu(uint32_t index)
{
	return m.vm->vcpus[index];
}

/* ---- versions and features ---- */

static void versions_are_those_of_the_manuals(void **state)
{
	(void)state;
	assert_int_equal(call(PSCI_VERSION, 0, 0, 0), 0x10001);
	assert_int_equal(call(SMCCC_VERSION, 0, 0, 0), 0x10001);
	assert_int_equal(call(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
	/* The function identifier is w0. */
	assert_int_equal(call(GARBAGE | PSCI_VERSION, 0, 0, 0), 0x10001);
}

static void smc_is_answered_as_hvc_is(void **state)
{
	(void)state;
	assert_int_equal(smc(PSCI_VERSION), 0x10001);
	assert_int_equal(smc(0x82000000), PSCI_NOT_SUPPORTED);
	assert_int_equal(smc(0xb2000001), PSCI_NOT_SUPPORTED);
	/* Hypercalls are HVC's alone. */
	assert_int_equal(smc(3), PSCI_NOT_SUPPORTED);
	assert_int_equal(smc(0x30000000), PSCI_NOT_SUPPORTED);
}

/* The functions that exist, in the 32-bit and the 64-bit convention. */
static bool exists(uint32_t function)
{
	static const uint32_t both[] = {1, 3, 4, 0x12};
	static const uint32_t narrow[] = {0, 1, 2, 3, 4, 6, 8, 9, 0xa, 0x12};
	uint32_t number = function & 0xff;
	const uint32_t *list = narrow;
	size_t count = ARRAY_SIZE(narrow);

	if (function == SMCCC_VERSION)
		return true;
	if ((function & ~(SMCCC_64 | 0xffu)) != PSCI_VERSION)
		return false;
	if ((function & SMCCC_64) != 0) {
		list = both;
		count = ARRAY_SIZE(both);
	}
	for (size_t i = 0; i < count; i++) {
		if (list[i] == number)
			return true;
	}
	return false;
}

static void features_tells_what_there_is(void **state)
{
	static const uint32_t owners[] = {0x80000000, 0x84000000, 0xc4000000,
					  0xc0000000, 0x86000000, 0x04000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		for (uint32_t n = 0; n < 0x40; n++) {
			uint32_t function = owners[i] | n;

			assert_int_equal(call(PSCI_FEATURES, function, 0, 0),
					 exists(function) ? 0
							  : PSCI_NOT_SUPPORTED);
		}
	}
	assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0, 0), 0);
	assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES, 0, 0),
			 0);
	/* SMCCC_ARCH_WORKAROUND_1 */
	assert_int_equal(call(SMCCC_ARCH_FEATURES, 0x80008000, 0, 0),
			 PSCI_NOT_SUPPORTED);
}

static void what_does_not_exist_is_not_supported(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 0x20; n++) {
		if (!exists(PSCI_VERSION | n))
			assert_int_equal(call(PSCI_VERSION | n, 0, 0, 0),
					 PSCI_NOT_SUPPORTED);
		if (!exists(PSCI_VERSION | SMCCC_64 | n))
			assert_int_equal(
				call(PSCI_VERSION | SMCCC_64 | n, 0, 0, 0),
				PSCI_NOT_SUPPORTED);
	}
	assert_int_equal(call(UINT32_MAX, 0, 0, 0), PSCI_NOT_SUPPORTED);
	/* Vendor-specific hypervisor services, "Call UID". */
	assert_int_equal(call(0x8600ff01, 0, 0, 0), PSCI_NOT_SUPPORTED);
}

/* ---- CPU_ON, CPU_OFF, AFFINITY_INFO ---- */

static void start(uint32_t function, uint64_t target, uint64_t entry,
		  uint64_t context)
{
	set_args(target, entry, context);
	assert_int_equal(machine_hvc(function), AXVM_EXIT_CPU_ON);
}

static void cpu_on_starts_a_vcpu_at_its_entry(void **state)
{
	struct arm_vcpu *target = arm_vcpu(vcpu(17));
	struct axvm_exit exit;

	(void)state;
	start(PSCI_CPU_ON | SMCCC_64, 0x101, RAM + 0x40, GARBAGE | 5);
	assert_int_equal(m.exit.u.cpu_on.vcpu, 17);
	assert_int_equal(m.exit.u.cpu_on.entry, RAM + 0x40);
	assert_int_equal(m.exit.u.cpu_on.argument, GARBAGE | 5);
	assert_int_equal(m.exit.pc, ENTRY);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.x[0], PSCI_SUCCESS);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(axvm_run_vcpu(m.cpu, m.vm, 17, &exit), AXVM_OK);
	assert_int_equal(exit.reason, WENT_ON);
	assert_int_equal(target->frame.pc, RAM + 0x40);
	assert_int_equal(target->frame.x[0], GARBAGE | 5);
	assert_int_equal(target->frame.pstate, 0x3c5);
	assert_int_equal(target->mpidr, 0x80000101);
	assert_int_equal(axvm_vcpu_unbind(m.cpu, m.vm, 17), AXVM_OK);
}

/* "Initial core configuration". */
static void a_started_vcpu_has_the_endianness_of_the_caller(void **state)
{
	const uint64_t callers[2] = {SCTLR_E0E, SCTLR_E0E | SCTLR_EE};
	const uint64_t started[2] = {0, SCTLR_EE};
	struct axvm_exit exit;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		m.v->el1[ARM_EL1_SCTLR] = SCTLR_RES1 | callers[i];
		start(PSCI_CPU_ON, i + 1, RAM, 0);
		assert_int_equal(machine_play(), WENT_ON);
		assert_int_equal(axvm_run_vcpu(m.cpu, m.vm, i + 1, &exit),
				 AXVM_OK);
		assert_int_equal(arm_vcpu(vcpu(i + 1))->el1[ARM_EL1_SCTLR],
				 SCTLR_RES1 | started[i]);
		assert_int_equal(axvm_vcpu_unbind(m.cpu, m.vm, i + 1), AXVM_OK);
	}
}

static void a_refused_start_leaves_no_endianness(void **state)
{
	(void)state;
	m.v->el1[ARM_EL1_SCTLR] = SCTLR_RES1 | SCTLR_EE;
	start(PSCI_CPU_ON, 1, RAM, 0);
	assert_int_equal(
		axvm_vcpu_complete(m.vm, 0, m.exit.seq, AXVM_COMPLETE_FAULT, 0),
		AXVM_OK);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(axvm_shutdown(m.vm), AXVM_OK);
	assert_int_equal(machine_play(), AXVM_EXIT_STOPPED);
	assert_int_equal(axvm_reset(m.vm), AXVM_OK);
	assert_int_equal(arm_vcpu(vcpu(1))->start_ee, 0);
}

static void a_power_down_keeps_the_endianness(void **state)
{
	(void)state;
	m.pending = true;
	m.v->el1[ARM_EL1_SCTLR] = SCTLR_RES1 | SCTLR_EE | SCTLR_E0E;
	set_args(BIT64(16), RAM, 0);
	assert_int_equal(machine_hvc(PSCI_CPU_SUSPEND), WENT_ON);
	assert_int_equal(m.v->frame.pc, RAM);
	assert_int_equal(m.v->el1[ARM_EL1_SCTLR], SCTLR_RES1 | SCTLR_EE);
	/* Standby is no start. */
	set_args(0, RAM, 0);
	assert_int_equal(machine_hvc(PSCI_CPU_SUSPEND), WENT_ON);
	assert_int_equal(m.v->start_ee, 0);
}

static void the_32_bit_convention_cuts_arguments(void **state)
{
	(void)state;
	start(PSCI_CPU_ON, GARBAGE | 1, GARBAGE | RAM, GARBAGE | 7);
	assert_int_equal(m.exit.u.cpu_on.vcpu, 1);
	assert_int_equal(m.exit.u.cpu_on.entry, RAM);
	assert_int_equal(m.exit.u.cpu_on.argument, 7);
	assert_int_equal(machine_play(), WENT_ON);
	/* The 64-bit one does not. */
	assert_int_equal(call(PSCI_CPU_ON | SMCCC_64, GARBAGE | 2, RAM, 7),
			 PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(PSCI_CPU_ON | SMCCC_64, 2, GARBAGE | RAM, 7),
			 PSCI_INVALID_ADDRESS);
}

static void cpu_on_of_no_vcpu_is_invalid(void **state)
{
	static const uint64_t targets[] = {
		0x10,	    0xff,      0x102,	   0x200,
		0x10000,    0x1000000, 0x80000001, UINT64_C(0x100000001),
		UINT64_MAX,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		assert_int_equal(
			call(PSCI_CPU_ON | SMCCC_64, targets[i], RAM, 0),
			PSCI_INVALID_PARAMETERS);
}

static void cpu_on_at_no_code_is_an_invalid_address(void **state)
{
	static const uint64_t entries[] = {
		RAM + 1,
		RAM + 2,
		RAM + RAM_SIZE,
		DEMAND,
		HOLE,
		DEVICE,
		UINT64_MAX & ~UINT64_C(3),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		assert_int_equal(call(PSCI_CPU_ON | SMCCC_64, 1, entries[i], 0),
				 PSCI_INVALID_ADDRESS);
	assert_int_equal(load_seq(&vcpu(1)->starting), 0);
}

static void a_vcpu_that_is_on_is_already_on(void **state)
{
	(void)state;
	assert_int_equal(call(PSCI_CPU_ON, 0, RAM, 0), PSCI_ALREADY_ON);
	start(PSCI_CPU_ON, 1, RAM, 0);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(call(PSCI_CPU_ON, 1, RAM, 0), PSCI_ALREADY_ON);
}

static void a_start_on_its_way_is_pending(void **state)
{
	(void)state;
	store_seq(&vcpu(1)->starting, 1);
	assert_int_equal(call(PSCI_CPU_ON, 1, RAM, 0), PSCI_ON_PENDING);
	assert_int_equal(call(PSCI_AFFINITY_INFO, 1, 0, 0), 2);
	store_seq(&vcpu(1)->starting, 0);
}

static void a_start_that_the_host_refuses_is_denied(void **state)
{
	(void)state;
	start(PSCI_CPU_ON, 1, RAM, 0);
	assert_int_equal(
		axvm_vcpu_complete(m.vm, 0, m.exit.seq, AXVM_COMPLETE_FAULT, 0),
		AXVM_OK);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.x[0], PSCI_DENIED);
	assert_int_equal(axvm_vcpu_state(m.vm, 1), AXVM_VCPU_OFF);
	assert_int_equal(call(PSCI_AFFINITY_INFO, 1, 0, 0), 1);
}

static void errors_of_a_start_have_their_codes(void **state)
{
	static const struct {
		int error;
		uint64_t code;
	} cases[] = {
		{AXVM_OK, PSCI_SUCCESS},
		{AXVM_EEXIST, PSCI_ALREADY_ON},
		{AXVM_EBUSY, PSCI_ON_PENDING},
		{AXVM_ENOENT, PSCI_INVALID_PARAMETERS},
		{AXVM_ENOMEM, PSCI_INTERNAL_FAILURE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		axvmi_arm_psci_complete(m.v, AXVM_EXIT_CPU_ON,
					AXVM_COMPLETE_DONE,
					(uint64_t)(int64_t)cases[i].error);
		assert_int_equal(m.v->frame.x[0], cases[i].code);
	}
}

static void affinity_info_tells_of_one_vcpu_or_a_cluster(void **state)
{
	const uint32_t info = PSCI_AFFINITY_INFO | SMCCC_64;

	(void)state;
	assert_int_equal(call(info, 0, 0, 0), 0);
	assert_int_equal(call(info, 1, 0, 0), 1);
	assert_int_equal(call(info, 0x101, 0, 0), 1);
	assert_int_equal(call(info, 0x102, 0, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(info, 0x10, 0, 0), PSCI_INVALID_PARAMETERS);
	/* Of higher levels the fields below do not count. */
	assert_int_equal(call(info, 0xff, 1, 0), 0);
	assert_int_equal(call(info, 0x1ff, 1, 0), 1);
	assert_int_equal(call(info, 0x200, 1, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(info, 0xffff, 2, 0), 0);
	assert_int_equal(call(info, 0x10000, 2, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(info, 0xffffff, 3, 0), 0);
	assert_int_equal(call(info, BIT64(32), 3, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(info, 0, 4, 0), PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(info, 0, UINT64_MAX, 0), PSCI_INVALID_PARAMETERS);
	store_seq(&vcpu(17)->starting, 1);
	assert_int_equal(call(info, 0x100, 1, 0), 2);
	assert_int_equal(call(info, 0x100, 0, 0), 1);
	store_seq(&vcpu(17)->starting, 0);
	/* Pending first, then off: still pending. Off, then on: on. */
	store_seq(&vcpu(16)->starting, 1);
	assert_int_equal(call(info, 0x100, 1, 0), 2);
	store_seq(&vcpu(16)->starting, 0);
	start(PSCI_CPU_ON, 0x101, RAM, 0);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(call(info, 0x100, 1, 0), 0);
	store_seq(&vcpu(1)->starting, 1);
	assert_int_equal(call(info, 0, 1, 0), 0);
	store_seq(&vcpu(1)->starting, 0);
}

static void cpu_off_does_not_return(void **state)
{
	(void)state;
	assert_int_equal(machine_hvc(PSCI_CPU_OFF), AXVM_EXIT_HALT);
	assert_int_equal(m.exit.u.halt.deadline, AXVM_NO_DEADLINE);
	assert_int_equal(m.exit.pc, ENTRY);
	assert_int_equal(axvm_vcpu_state(m.vm, 0), AXVM_VCPU_OFF);
	assert_int_equal(m.gic_offs, 1);
	assert_int_equal(machine_play(), AXVM_EXIT_HALT);
}

/* ---- CPU_SUSPEND ---- */

static void standby_waits_and_goes_on(void **state)
{
	(void)state;
	m.deadline = 1234;
	set_args(0, 1, 2);
	assert_int_equal(machine_hvc(PSCI_CPU_SUSPEND), AXVM_EXIT_HALT);
	assert_int_equal(m.exit.u.halt.deadline, 1234);
	assert_int_equal(m.exit.pc, ENTRY);
	/* Not before there is an interrupt. */
	assert_int_equal(machine_play(), AXVM_EXIT_HALT);
	m.pending = true;
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.x[0], PSCI_SUCCESS);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_int_equal(m.reloads, 0);
}

static void standby_with_an_interrupt_pending_returns_at_once(void **state)
{
	(void)state;
	m.pending = true;
	/* Upper halves of 32-bit arguments may hold anything. */
	assert_int_equal(call(PSCI_CPU_SUSPEND | SMCCC_64,
			      BIT64(63) | BIT64(32) | 0xffff, 0, 0),
			 0);
	/* The exit that follows is no call's. */
	assert_int_equal(m.exit.pc, ENTRY + 4);
}

static void power_down_restarts_at_the_entry(void **state)
{
	(void)state;
	m.v->frame.x[20] = 20;
	m.v->frame.host_sp = 77;
	m.v->el1[ARM_EL1_TTBR0] = 1;
	set_args(BIT64(16), RAM + 0x80, 99);
	assert_int_equal(machine_hvc(PSCI_CPU_SUSPEND | SMCCC_64),
			 AXVM_EXIT_HALT);
	m.pending = true;
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.pc, RAM + 0x80);
	assert_int_equal(m.v->frame.x[0], 99);
	assert_int_equal(m.v->frame.x[20], 0);
	assert_int_equal(m.v->frame.pstate, 0x3c5);
	assert_int_equal(m.v->el1[ARM_EL1_TTBR0], 0);
	assert_int_equal(m.v->el1[ARM_EL1_SCTLR], 0x30d00800);
	/* The host is in the middle of a run. */
	assert_int_equal(m.v->frame.host_sp, 77);
	assert_int_equal(m.reloads, 1);
}

static void a_suspended_vcpu_is_on(void **state)
{
	(void)state;
	start(PSCI_CPU_ON, 1, RAM, 0);
	assert_int_equal(machine_play(), WENT_ON);
	store_seq(&arm_vcpu(vcpu(1))->power, ARM_POWER_DOWN);
	assert_int_equal(call(PSCI_AFFINITY_INFO, 1, 0, 0), 0);
	assert_int_equal(call(PSCI_CPU_ON, 1, RAM, 0), PSCI_ALREADY_ON);
}

static void a_power_state_that_does_not_exist_is_invalid(void **state)
{
	(void)state;
	for (unsigned bit = 17; bit < 32; bit++)
		assert_int_equal(call(PSCI_CPU_SUSPEND, BIT64(bit), RAM, 0),
				 PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(PSCI_CPU_SUSPEND, BIT64(16), RAM + 2, 0),
			 PSCI_INVALID_ADDRESS);
	assert_int_equal(call(PSCI_CPU_SUSPEND, BIT64(16), DEVICE, 0),
			 PSCI_INVALID_ADDRESS);
	assert_int_equal(load_seq(&m.v->power), ARM_POWER_ON);
}

/* As the device tree promises. */
static void a_power_down_leaves_the_timers_alone(void **state)
{
	(void)state;
	m.v->cntp_ctl = 1;
	m.v->cntp_cval = 0;
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.ppi_level, 1);
	m.v->el1[ARM_EL1_CNTV_CTL] = 1;
	m.v->el1[ARM_EL1_CNTV_CVAL] = 12345;
	m.v->el1[ARM_EL1_TTBR0] = 12345;
	m.pending = true;
	set_args(BIT64(16), RAM, 0);
	assert_int_equal(machine_hvc(PSCI_CPU_SUSPEND), WENT_ON);
	assert_int_equal(m.v->frame.pc, RAM);
	assert_int_equal(m.ppi_level, 1);
	assert_int_equal(m.ppi_changes, 1);
	assert_int_equal(m.v->el1[ARM_EL1_CNTV_CTL], 1);
	assert_int_equal(m.v->el1[ARM_EL1_CNTV_CVAL], 12345);
	assert_int_equal(m.v->el1[ARM_EL1_TTBR0], 0);
}

static void a_suspend_that_is_called_away_goes_on_suspended(void **state)
{
	(void)state;
	m.call_away = true;
	set_args(0, 0, 0);
	assert_int_equal(machine_hvc(PSCI_CPU_SUSPEND), AXVM_EXIT_IRQ);
	assert_int_equal(m.exit.pc, ENTRY);
	assert_int_equal(load_seq(&m.v->power), ARM_POWER_STANDBY);
	assert_int_equal(load_relaxed(&m.v->core.attention), AXVMI_ATTN_LINES);
	store_relaxed(&m.v->core.attention, 0);
	assert_int_equal(machine_play(), AXVM_EXIT_HALT);
	m.pending = true;
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.x[0], PSCI_SUCCESS);
}

/* ---- the system ---- */

static void system_off_ends_the_vm(void **state)
{
	(void)state;
	assert_int_equal(machine_hvc(PSCI_SYSTEM_OFF), AXVM_EXIT_SYSTEM_OFF);
	assert_int_equal(m.exit.u.system.type, PSCI_SYSTEM_OFF);
	assert_int_equal(m.exit.pc, ENTRY);
	assert_int_equal(machine_play(), AXVM_EXIT_STOPPED);
}

static void system_reset_ends_the_vm(void **state)
{
	(void)state;
	assert_int_equal(machine_hvc(PSCI_SYSTEM_RESET),
			 AXVM_EXIT_SYSTEM_RESET);
	assert_int_equal(m.exit.u.system.type, PSCI_SYSTEM_RESET);
	assert_int_equal(m.exit.u.system.code, 0);
}

static void system_reset2_takes_a_cookie(void **state)
{
	(void)state;
	assert_int_equal(call(PSCI_SYSTEM_RESET2, 1, 0, 0),
			 PSCI_INVALID_PARAMETERS);
	assert_int_equal(call(PSCI_SYSTEM_RESET2, BIT64(31), 0, 0),
			 PSCI_INVALID_PARAMETERS);
	set_args(0, GARBAGE | 9, 0);
	assert_int_equal(machine_hvc(PSCI_SYSTEM_RESET2 | SMCCC_64),
			 AXVM_EXIT_SYSTEM_RESET);
	assert_int_equal(m.exit.u.system.type, 0xc4000012);
	assert_int_equal(m.exit.u.system.code, GARBAGE | 9);
}

/* ---- hypercalls ---- */

static void the_library_answers_its_hypercalls(void **state)
{
	(void)state;
	/* Without a pool nothing is published. */
	assert_int_equal(call(3, 1, RAM, RAM + 8), UINT64_MAX);
	assert_int_equal(call(0, 0, 0, 0), UINT64_MAX);
	/* Capabilities: none of them an error. */
	assert_int_equal(call(0x100, 0, 0, 0) >> 63, 0);
}

static void other_hypercalls_are_the_hosts(void **state)
{
	(void)state;
	for (unsigned i = 1; i < 8; i++)
		m.v->frame.x[i] = GARBAGE + i;
	assert_int_equal(machine_hvc(0x1234), AXVM_EXIT_HYPERCALL);
	assert_int_equal(m.exit.u.hypercall.number, 0x1234);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(m.exit.u.hypercall.args[i], GARBAGE + i + 1);
	assert_int_equal(m.exit.pc, ENTRY);
	assert_int_equal(
		axvm_vcpu_complete(m.vm, 0, m.exit.seq, AXVM_COMPLETE_DONE, 5),
		AXVM_OK);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.x[0], 5);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
}

static void a_hypercall_nobody_knows_fails(void **state)
{
	(void)state;
	assert_int_equal(machine_hvc(7), AXVM_EXIT_HYPERCALL);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.x[0], UINT64_MAX);
	assert_int_equal(machine_hvc(7), AXVM_EXIT_HYPERCALL);
	assert_int_equal(
		axvm_vcpu_complete(m.vm, 0, m.exit.seq, AXVM_COMPLETE_FAULT, 5),
		AXVM_OK);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.x[0], UINT64_MAX);
}

static void a_hypercall_may_be_made_again(void **state)
{
	(void)state;
	assert_int_equal(machine_hvc(7), AXVM_EXIT_HYPERCALL);
	assert_int_equal(
		axvm_vcpu_complete(m.vm, 0, m.exit.seq, AXVM_COMPLETE_RETRY, 0),
		AXVM_OK);
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(m.v->frame.pc, ENTRY);
	assert_int_equal(m.v->frame.x[0], 7);
}

static int setup_pool(void **state)
{
	(void)state;
	machine_new(MACHINE_FEATURES, 1);
	machine_emu(AXVM_EMU_IVC_POOL, POOL, 0x1000000, 52);
	machine_boot();
	return 0;
}

/* Publishes, at ENTRY, once; what x0 is afterwards. */
static uint64_t publish_a_step(void)
{
	set_args(1, RAM, RAM + 8);
	assert_int_equal(machine_hvc(3), WENT_ON);
	assert_int_equal(m.v->frame.x[1], 1);
	assert_int_equal(m.v->frame.x[2], RAM);
	assert_int_equal(m.v->frame.x[3], RAM + 8);
	return m.v->frame.x[0];
}

static void a_long_hypercall_is_executed_again_until_done(void **state)
{
	uint64_t words[2] = {0, CHANNEL_SIZE};
	unsigned again = 0;

	(void)state;
	assert_int_equal(
		axvm_write_guest(m.vm, axvm_to_gpa(RAM), words, sizeof(words)),
		AXVM_OK);
	while (publish_a_step() == 3) {
		assert_int_equal(m.v->frame.pc, ENTRY);
		assert_true(++again < 100);
	}
	assert_int_equal(m.v->frame.x[0], 0);
	assert_int_equal(m.v->frame.pc, ENTRY + 4);
	assert_true(again > 0);
	assert_int_equal(
		axvm_read_guest(m.vm, axvm_to_gpa(RAM), words, sizeof(words)),
		AXVM_OK);
	assert_in_range(words[0], POOL, POOL + 0xffffff);
	assert_int_equal(words[1], CHANNEL_SIZE);
}

static void calls_are_counted_by_kind(void **state)
{
	(void)state;
	call(PSCI_VERSION, 0, 0, 0);
	call(0x86000000, 0, 0, 0);
	smc(1);
	call(6, 0, 0, 0);
	assert_int_equal(
		load_relaxed(&m.v->core.exits[AXVM_STAT_FIRMWARE_CALL]), 3);
	assert_int_equal(load_relaxed(&m.v->core.exits[AXVM_STAT_HYPERCALL]),
			 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(versions_are_those_of_the_manuals),
		TEST(smc_is_answered_as_hvc_is),
		TEST(features_tells_what_there_is),
		TEST(what_does_not_exist_is_not_supported),
		TEST(cpu_on_starts_a_vcpu_at_its_entry),
		TEST(a_started_vcpu_has_the_endianness_of_the_caller),
		TEST(a_refused_start_leaves_no_endianness),
		TEST(a_power_down_keeps_the_endianness),
		TEST(the_32_bit_convention_cuts_arguments),
		TEST(cpu_on_of_no_vcpu_is_invalid),
		TEST(cpu_on_at_no_code_is_an_invalid_address),
		TEST(a_vcpu_that_is_on_is_already_on),
		TEST(a_start_on_its_way_is_pending),
		TEST(a_start_that_the_host_refuses_is_denied),
		TEST(errors_of_a_start_have_their_codes),
		TEST(affinity_info_tells_of_one_vcpu_or_a_cluster),
		TEST(cpu_off_does_not_return),
		TEST(standby_waits_and_goes_on),
		TEST(standby_with_an_interrupt_pending_returns_at_once),
		TEST(power_down_restarts_at_the_entry),
		TEST(a_suspended_vcpu_is_on),
		TEST(a_power_state_that_does_not_exist_is_invalid),
		TEST(a_power_down_leaves_the_timers_alone),
		TEST(a_suspend_that_is_called_away_goes_on_suspended),
		TEST(system_off_ends_the_vm),
		TEST(system_reset_ends_the_vm),
		TEST(system_reset2_takes_a_cookie),
		TEST(the_library_answers_its_hypercalls),
		TEST(other_hypercalls_are_the_hosts),
		TEST(a_hypercall_nobody_knows_fails),
		TEST(a_hypercall_may_be_made_again),
		cmocka_unit_test_setup_teardown(
			a_long_hypercall_is_executed_again_until_done,
			setup_pool, teardown),
		TEST(calls_are_counted_by_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
