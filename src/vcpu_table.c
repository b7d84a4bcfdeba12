/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The vCPU table of a VM: making and freeing vCPUs, power-on state, registers,
 * kicks and counters. The table is fixed from axvm_init() to axvm_destroy().
 */
#include "internal.h"

static struct axvm_vcpu *find(const struct axvm_vm *vm, uint32_t index)
{
	return index < load_acquire(&vm->vcpus_ready) ? vm->vcpus[index] : NULL;
}

static struct axvm_vcpu *vcpu_create(struct axvm_vm *vm, uint32_t index)
{
	struct axvm_vcpu *vcpu =
		axvmi_alloc_zeroed(vm->host, vm->ops->vcpu_size, 64);

	if (vcpu == NULL)
		return NULL;
	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->last_cpu = AXVMI_NO_CPU;
	if (vm->ops->vcpu_init(vcpu) != AXVM_OK) {
		axvmi_free(vm->host, vcpu, vm->ops->vcpu_size);
		return NULL;
	}
	return vcpu;
}

static void vcpus_free(struct axvm_vm *vm, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		vm->ops->vcpu_fini(vm->vcpus[i]);
		axvmi_free(vm->host, vm->vcpus[i], vm->ops->vcpu_size);
		vm->vcpus[i] = NULL;
	}
}

int axvmi_vcpus_init(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		vm->vcpus[i] = vcpu_create(vm, i);
		if (vm->vcpus[i] == NULL) {
			vcpus_free(vm, i);
			return AXVM_ENOMEM;
		}
	}
	store_release(&vm->vcpus_ready, vm->vcpu_count);
	return AXVM_OK;
}

void axvmi_vcpus_fini(struct axvm_vm *vm)
{
	uint32_t count = load_relaxed(&vm->vcpus_ready);
	/* A tag rollover on another CPU may be notifying them. */
	uint64_t saved = axvmi_lock(vm->host, &vm->host->lock);

	store_release(&vm->vcpus_ready, 0);
	axvmi_unlock(vm->host, &vm->host->lock, saved);
	vcpus_free(vm, count);
}

/* A run that looked at an old state may still hold it for an instant. */
static void switch_off(struct axvm_vcpu *vcpu)
{
	uint32_t state = load_seq(&vcpu->state);

	do {
		while (state == AXVM_VCPU_RUNNING) {
			cpu_relax();
			state = load_seq(&vcpu->state);
		}
	} while (!atomic_compare_exchange_strong(&vcpu->state, &state,
						 AXVM_VCPU_OFF));
}

void axvmi_vcpus_reset(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct axvm_vcpu *vcpu = vm->vcpus[i];

		switch_off(vcpu);
		store_seq(&vcpu->attention, axvmi_every_entry(vcpu));
		store_seq(&vcpu->starting, 0);
		store_seq(&vcpu->start_pending, 0);
		store_seq(&vcpu->line_edges, 0);
		vcpu->wait = 0;
		vcpu->answered = 0;
		/* Neither translations nor code of the life before. */
		vcpu->last_cpu = AXVMI_NO_CPU;
	}
}

void axvmi_vcpus_boot(struct axvm_vm *vm)
{
	struct axvm_vcpu *boot = vm->vcpus[0];

	vm->ops->vcpu_reset(boot, vm->boot_entry, vm->boot_argument);
	store_seq(&boot->state, AXVM_VCPU_READY);
}

enum axvm_vcpu_state axvm_vcpu_state(const struct axvm_vm *vm, uint32_t index)
{
	struct axvm_vcpu *vcpu = find(vm, index);

	return vcpu == NULL ? AXVM_VCPU_OFF
			    : (enum axvm_vcpu_state)load_acquire(&vcpu->state);
}

int axvm_vcpu_kick(struct axvm_vm *vm, uint32_t index)
{
	struct axvm_vcpu *vcpu;

	if (vm == NULL)
		return AXVM_EINVAL;
	vcpu = find(vm, index);
	if (vcpu == NULL)
		return AXVM_ENOENT;
	axvmi_notify(vcpu, AXVMI_ATTN_KICK);
	return AXVM_OK;
}

/* Requests that a vCPU that waits need not be woken for: axvmi_mark(). */
#define QUIET                                                                  \
	(AXVMI_ATTN_LIFE | AXVMI_ATTN_TLB | AXVMI_ATTN_TAG | AXVMI_ATTN_SYNC | \
	 AXVMI_ATTN_TIME | AXVMI_ATTN_EVERY)

int axvm_vcpu_pending(struct axvm_vm *vm, uint32_t index, bool *pending)
{
	const struct axvm_hal *hal;
	struct axvm_vcpu *vcpu;
	uint32_t state;

	if (vm == NULL || pending == NULL)
		return AXVM_EINVAL;
	vcpu = find(vm, index);
	if (vcpu == NULL)
		return AXVM_ENOENT;
	hal = &vm->host->hal;
	state = load_seq(&vcpu->state);
	*pending = state == AXVM_VCPU_READY || state == AXVM_VCPU_RUNNING;
	if (state == AXVM_VCPU_BLOCKED)
		*pending =
			(load_seq(&vcpu->attention) & ~QUIET) != 0 ||
			(hal->now != NULL &&
			 hal->now(hal->ctx) >= load_relaxed(&vcpu->deadline));
	return AXVM_OK;
}

/* ---- registers ---- */

static int reg_access(struct axvm_vm *vm, uint32_t index,
		      struct axvm_vcpu **vcpu)
{
	if (vm == NULL)
		return AXVM_EINVAL;
	if (load_acquire(&vm->state) == AXVM_VM_LOADING)
		return AXVM_ESTATE;
	*vcpu = find(vm, index);
	if (*vcpu == NULL)
		return AXVM_ENOENT;
	if (load_acquire(&(*vcpu)->state) == AXVM_VCPU_RUNNING)
		return AXVM_EBUSY;
	return AXVM_OK;
}

int axvm_vcpu_get_reg(struct axvm_vm *vm, uint32_t index, uint32_t reg,
		      uint64_t *value)
{
	struct axvm_vcpu *vcpu;
	int err;

	if (value == NULL)
		return AXVM_EINVAL;
	err = reg_access(vm, index, &vcpu);
	return err != AXVM_OK ? err : vm->ops->get_reg(vcpu, reg, value);
}

int axvm_vcpu_set_reg(struct axvm_vm *vm, uint32_t index, uint32_t reg,
		      uint64_t value)
{
	struct axvm_vcpu *vcpu;
	int err = reg_access(vm, index, &vcpu);

	return err != AXVM_OK ? err : vm->ops->set_reg(vcpu, reg, value);
}

/* ---- counters ---- */

int axvm_vcpu_get_stats(const struct axvm_vm *vm, uint32_t index,
			struct axvm_vcpu_stats *stats)
{
	struct axvm_vcpu *vcpu;

	if (vm == NULL || stats == NULL)
		return AXVM_EINVAL;
	vcpu = find(vm, index);
	if (vcpu == NULL)
		return AXVM_ENOENT;
	for (uint32_t i = 0; i < AXVM_STATS; i++)
		stats->exits[i] = load_relaxed(&vcpu->exits[i]);
	for (uint32_t i = 0; i < AXVM_EXIT_REASONS; i++)
		stats->returns[i] = load_relaxed(&vcpu->returns[i]);
	stats->run_ticks = load_relaxed(&vcpu->run_ticks);
	return AXVM_OK;
}

const char *axvm_stat_name(enum axvm_stat stat)
{
	static const char *const names[AXVM_STATS] = {
		"firmware_call", "hypercall", "mmio",  "port",
		"sysreg",	 "s2_fault",  "halt",  "interrupt",
		"lazy_state",	 "reflected", "other",
	};

	return (unsigned)stat < AXVM_STATS ? names[stat] : "unknown";
}

const char *axvm_exit_name(uint32_t reason)
{
	static const char *const names[AXVM_EXIT_REASONS] = {
		"NONE",	   "HALT",	 "IRQ",		 "KICKED", "SUSPENDED",
		"STOPPED", "MMIO",	 "PORT",	 "SYSREG", "HYPERCALL",
		"CPU_ON",  "SYSTEM_OFF", "SYSTEM_RESET", "FAULT",  "FAIL_ENTRY",
		"DEBUG",   "YIELD",
	};

	return reason < AXVM_EXIT_REASONS ? names[reason] : "unknown";
}
