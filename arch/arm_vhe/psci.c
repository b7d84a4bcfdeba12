/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What a guest calls by HVC and SMC: PSCI, SMCCC, hypercalls of the family. Runs
 * on the vCPU's own thread; only x0 of the guest changes. No call gets any
 * further than here: there is no firmware behind.
 */
#include "psci.h"
#include "regs.h"

/* ---- what several calls need ---- */

static int answer(struct arm_vcpu *v, uint64_t value)
{
	v->frame.x[0] = value;
	return 0;
}

/* Argument n, from 1 on; calls by the 32-bit convention have only the lower
 * halves (SMCCC, "Register use in SMC32 and HVC32 calls"). */
static uint64_t argument(const struct arm_vcpu *v, unsigned n)
{
	bool wide = (v->frame.x[0] & SMCCC_64) != 0;

	return wide ? v->frame.x[n] : v->frame.x[n] & UINT32_MAX;
}

static struct axvm_exit *exit_of(struct arm_vcpu *v)
{
	v->core.exit->pc = v->frame.pc - 4;
	return v->core.exit;
}

/* An instruction may stand here. */
static bool is_entry(const struct arm_vcpu *v, uint64_t gpa)
{
	const struct axvm_vm *vm = v->core.vm;
	const struct axvmi_space *space =
		axvmi_bus_find(&vm->bus[AXVM_BUS_MMIO], gpa);

	return is_aligned(gpa, 4) && space != NULL &&
	       space->kind == AXVMI_SPACE_RAM &&
	       (vm->regions[space->range].config.access & AXVM_EXEC) != 0;
}

/* ---- CPU_ON, CPU_OFF, AFFINITY_INFO ---- */

/* "Parameter target_cpu": affinity fields as in MPIDR, everything else zero. */
static bool find_vcpu(const struct axvm_vm *vm, uint64_t affinity,
		      uint32_t *index)
{
	uint64_t n = (affinity >> 8) * 16 + (affinity & 15);

	if (affinity >> 16 != 0 || n >= vm->vcpu_count ||
	    arm_affinity((uint32_t)n) != affinity)
		return false;
	*index = (uint32_t)n;
	return true;
}

static uint64_t start_error(int err)
{
	switch (err) {
	case AXVM_OK:
		return PSCI_SUCCESS;
	case AXVM_EEXIST:
		return PSCI_ALREADY_ON;
	case AXVM_EBUSY:
		return PSCI_ON_PENDING;
	case AXVM_ENOENT:
		return PSCI_INVALID_PARAMETERS;
	default:
		return PSCI_INTERNAL_FAILURE;
	}
}

/* "Initial core configuration": the endianness of the caller. */
static void inherit_endianness(const struct arm_vcpu *v,
			       struct arm_vcpu *started)
{
	started->start_ee = arm_metal(v)->read_el1(ARM_EL1_SCTLR) & SCTLR_EE;
}

static int cpu_on(struct arm_vcpu *v)
{
	struct axvm_exit *exit;
	uint32_t target;
	int err;

	if (!find_vcpu(v->core.vm, argument(v, 1), &target))
		return answer(v, PSCI_INVALID_PARAMETERS);
	/* Before the claim, which only an exit gives back. */
	if (!is_entry(v, argument(v, 2)))
		return answer(v, PSCI_INVALID_ADDRESS);
	err = axvmi_claim_start(v->core.vm, target);
	if (err != AXVM_OK)
		return answer(v, start_error(err));
	inherit_endianness(v, arm_vcpu(v->core.vm->vcpus[target]));
	exit = exit_of(v);
	exit->u.cpu_on.vcpu = target;
	exit->u.cpu_on.entry = argument(v, 2);
	exit->u.cpu_on.argument = argument(v, 3);
	exit->u.cpu_on.reserved = 0;
	return AXVM_EXIT_CPU_ON;
}

/* Cannot fail: no Trusted OS lives here that could deny it. */
static int cpu_off(struct arm_vcpu *v)
{
	axvmi_arm_vgic_vcpu_off(v);
	exit_of(v)->u.halt.deadline = AXVM_NO_DEADLINE;
	axvmi_vcpu_off(&v->core);
	return AXVM_EXIT_HALT;
}

static uint32_t power_of(const struct axvm_vcpu *vcpu)
{
	if (load_acquire(&vcpu->state) != AXVM_VCPU_OFF)
		return PSCI_AFFINITY_ON;
	return load_acquire(&vcpu->starting) != 0 ? PSCI_AFFINITY_ON_PENDING
						  : PSCI_AFFINITY_OFF;
}

/*
 * Of one vCPU, or of all below an affinity level: on if any is, else pending if
 * any is. Fields below lowest_affinity_level do not count.
 */
static int affinity_info(struct arm_vcpu *v)
{
	const struct axvm_vm *vm = v->core.vm;
	uint32_t level = (uint32_t)argument(v, 2);
	uint64_t target = argument(v, 1);
	uint64_t info = PSCI_INVALID_PARAMETERS;

	if (level > 3)
		return answer(v, PSCI_INVALID_PARAMETERS);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		uint32_t power = power_of(vm->vcpus[i]);

		if ((arm_affinity(i) ^ target) >> 8 * level != 0)
			continue;
		if (info == PSCI_INVALID_PARAMETERS ||
		    power == PSCI_AFFINITY_ON ||
		    (power == PSCI_AFFINITY_ON_PENDING &&
		     info == PSCI_AFFINITY_OFF))
			info = power;
	}
	return answer(v, info);
}

/* ---- CPU_SUSPEND ---- */

/* Power levels above that of a core are the platform's, which has none. */
static uint64_t check_suspend(const struct arm_vcpu *v)
{
	uint32_t state = (uint32_t)argument(v, 1);

	if ((state & ~(PSCI_STATE_POWER_DOWN | PSCI_STATE_ID)) != 0)
		return PSCI_INVALID_PARAMETERS;
	if ((state & PSCI_STATE_POWER_DOWN) != 0 &&
	    !is_entry(v, argument(v, 2)))
		return PSCI_INVALID_ADDRESS;
	return PSCI_SUCCESS;
}

/* Power-on state, but for the timers, which are always on: guest_tables.c. */
static void restart(struct arm_vcpu *v)
{
	const struct arm_metal *metal = arm_metal(v);
	uint64_t ctl = metal->read_el1(ARM_EL1_CNTV_CTL);
	uint64_t cval = metal->read_el1(ARM_EL1_CNTV_CVAL);
	uint32_t physical_ctl = v->cntp_ctl;
	uint64_t physical_cval = v->cntp_cval;

	axvmi_arm_power_on_state(v, v->resume_entry, v->resume_argument);
	v->el1[ARM_EL1_CNTV_CTL] = ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
	v->el1[ARM_EL1_CNTV_CVAL] = cval;
	v->cntp_ctl = physical_ctl;
	v->cntp_cval = physical_cval;
	metal->reload(v);
}

void axvmi_arm_psci_resume(struct arm_vcpu *v)
{
	bool down = load_relaxed(&v->power) == ARM_POWER_DOWN;

	store_release(&v->power, ARM_POWER_ON);
	if (down)
		restart(v);
	else
		v->frame.x[0] = PSCI_SUCCESS;
}

static int cpu_suspend(struct arm_vcpu *v)
{
	uint64_t error = check_suspend(v);
	bool down = (argument(v, 1) & PSCI_STATE_POWER_DOWN) != 0;
	int reason;

	if (error != PSCI_SUCCESS)
		return answer(v, error);
	v->resume_entry = argument(v, 2);
	v->resume_argument = argument(v, 3);
	if (down)
		inherit_endianness(v, v);
	store_seq(&v->power, down ? ARM_POWER_DOWN : ARM_POWER_STANDBY);
	reason = axvmi_halt(&v->core, axvmi_arm_timer_deadline(v));
	if (reason == 0 && v->core.vm->ops->irq_pending(&v->core)) {
		axvmi_arm_psci_resume(v);
		return 0;
	}
	exit_of(v);
	/* Something else wants attention: the next run sees to it and, before
	 * it enters the guest, to the wait. */
	return reason == 0 ? AXVM_EXIT_IRQ : reason;
}

/* ---- the system ---- */

/* The exit's type is the function, its code what RESET2 was told. */
static int system_event(struct arm_vcpu *v, enum axvm_exit_reason reason,
			uint64_t code)
{
	exit_of(v);
	return axvmi_system_event(&v->core, reason, v->frame.x[0] & UINT32_MAX,
				  code);
}

/* "SYSTEM_RESET2": vendor-specific resets have bit 31 set; 0 is a warm one. */
static int system_reset2(struct arm_vcpu *v)
{
	if ((argument(v, 1) & UINT32_MAX) != 0)
		return answer(v, PSCI_INVALID_PARAMETERS);
	return system_event(v, AXVM_EXIT_SYSTEM_RESET, argument(v, 2));
}

/* The calls that call() knows. None has an option to tell of. */
static uint64_t features(uint32_t function)
{
	switch (function) {
	case SMCCC_VERSION:
	case PSCI_VERSION:
	case PSCI_CPU_SUSPEND:
	case PSCI_CPU_SUSPEND | SMCCC_64:
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON:
	case PSCI_CPU_ON | SMCCC_64:
	case PSCI_AFFINITY_INFO:
	case PSCI_AFFINITY_INFO | SMCCC_64:
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
	case PSCI_SYSTEM_RESET2:
	case PSCI_SYSTEM_RESET2 | SMCCC_64:
		return PSCI_SUCCESS;
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

static uint64_t arch_features(uint32_t function)
{
	return function == SMCCC_VERSION || function == SMCCC_ARCH_FEATURES
		       ? PSCI_SUCCESS
		       : PSCI_NOT_SUPPORTED;
}

/* ---- dispatch ---- */

static __attribute__((noinline)) int call(struct arm_vcpu *v)
{
	switch ((uint32_t)v->frame.x[0]) {
	case SMCCC_VERSION:
		return answer(v, SMCCC_VERSION_1_1);
	case SMCCC_ARCH_FEATURES:
		return answer(v, arch_features((uint32_t)v->frame.x[1]));
	case PSCI_CPU_SUSPEND:
	case PSCI_CPU_SUSPEND | SMCCC_64:
		return cpu_suspend(v);
	case PSCI_CPU_OFF:
		return cpu_off(v);
	case PSCI_CPU_ON:
	case PSCI_CPU_ON | SMCCC_64:
		return cpu_on(v);
	case PSCI_AFFINITY_INFO:
	case PSCI_AFFINITY_INFO | SMCCC_64:
		return affinity_info(v);
	case PSCI_MIGRATE_INFO_TYPE:
		return answer(v, PSCI_NO_MIGRATION);
	case PSCI_SYSTEM_OFF:
		return system_event(v, AXVM_EXIT_SYSTEM_OFF, 0);
	case PSCI_SYSTEM_RESET:
		return system_event(v, AXVM_EXIT_SYSTEM_RESET, 0);
	case PSCI_FEATURES:
		return answer(v, features((uint32_t)v->frame.x[1]));
	case PSCI_SYSTEM_RESET2:
	case PSCI_SYSTEM_RESET2 | SMCCC_64:
		return system_reset2(v);
	default:
		return answer(v, PSCI_NOT_SUPPORTED);
	}
}

/* x0 number, x1..x6 arguments; x0 alone changes. The host answers what the
 * library does not. */
static __attribute__((noinline)) int hypercall(struct arm_vcpu *v)
{
	uint64_t number = v->frame.x[0];
	struct axvm_exit *exit;

	switch (axvmi_hypercall(&v->core, number, &v->frame.x[1],
				&v->frame.x[0])) {
	case AXVMI_HYPERCALL_AGAIN:
		/* HVC returns behind itself. */
		v->frame.pc -= 4;
		return 0;
	case AXVMI_HYPERCALL_DONE:
		return 0;
	case AXVMI_HYPERCALL_HOST:
		break;
	}
	exit = exit_of(v);
	exit->u.hypercall.number = number;
	for (unsigned i = 0; i < 6; i++)
		exit->u.hypercall.args[i] = v->frame.x[1 + i];
	return AXVM_EXIT_HYPERCALL;
}

int axvmi_arm_psci_call(struct arm_vcpu *v, bool smc)
{
	/* The function identifier is w0: the upper half may be anything. */
	uint32_t function = (uint32_t)v->frame.x[0];

	/* Fast calls are firmware's, whoever owns them; yielding ones would be
	 * a Trusted OS's, and leave the numbers to hypercalls. */
	if ((function & SMCCC_FAST) == 0 && !smc) {
		axvmi_count(&v->core, AXVM_STAT_HYPERCALL);
		return hypercall(v);
	}
	axvmi_count(&v->core, AXVM_STAT_FIRMWARE_CALL);
	if (function == PSCI_VERSION)
		return answer(v, PSCI_VERSION_1_1);
	return call(v);
}

void axvmi_arm_psci_complete(struct arm_vcpu *v, uint32_t reason,
			     enum axvm_complete_action action, uint64_t value)
{
	bool refused = action == AXVM_COMPLETE_FAULT;

	if (reason == AXVM_EXIT_CPU_ON)
		v->frame.x[0] = refused ? PSCI_DENIED
					: start_error((int)(int64_t)value);
	else
		v->frame.x[0] = refused ? UINT64_MAX : value;
}
