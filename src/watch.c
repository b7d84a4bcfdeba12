/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What a host may ask of every entry of a vCPU: a bound on the exits served in
 * one run, and histograms of the cycles outside the guest. Such a vCPU has
 * AXVMI_ATTN_EVERY set always, so that others pay nothing for it. The fields
 * belong to the thread that runs the vCPU; the host writes them between runs.
 */
#include "internal.h"

/* ---- the host's side ---- */

/* Thread, not while it runs: with *vcpu found, or why not. */
static int find_idle(struct axvm_vm *vm, uint32_t index,
		     struct axvm_vcpu **vcpu)
{
	if (vm == NULL)
		return AXVM_EINVAL;
	if (load_acquire(&vm->state) == AXVM_VM_LOADING)
		return AXVM_ESTATE;
	if (index >= load_acquire(&vm->vcpus_ready))
		return AXVM_ENOENT;
	*vcpu = vm->vcpus[index];
	return load_acquire(&(*vcpu)->state) == AXVM_VCPU_RUNNING ? AXVM_EBUSY
								  : AXVM_OK;
}

uint32_t axvmi_every_entry(const struct axvm_vcpu *vcpu)
{
	return vcpu->exit_limit != 0 || vcpu->histogram != NULL
		       ? AXVMI_ATTN_EVERY
		       : 0;
}

static void update_attention(struct axvm_vcpu *vcpu)
{
	atomic_fetch_and(&vcpu->attention, ~AXVMI_ATTN_EVERY);
	atomic_fetch_or(&vcpu->attention, axvmi_every_entry(vcpu));
}

int axvm_vcpu_set_exit_limit(struct axvm_vm *vm, uint32_t index, uint32_t limit)
{
	struct axvm_vcpu *vcpu;
	int err = find_idle(vm, index, &vcpu);

	if (err != AXVM_OK)
		return err;
	vcpu->exit_limit = limit;
	vcpu->entries_left = limit;
	vcpu->entries_seq = vcpu->seq;
	update_attention(vcpu);
	return AXVM_OK;
}

int axvm_vcpu_set_spin_yield(struct axvm_vm *vm, uint32_t index, bool yields)
{
	struct axvm_vcpu *vcpu;
	int err = find_idle(vm, index, &vcpu);

	if (err != AXVM_OK)
		return err;
	if (vm->ops->spin_yield == NULL)
		return AXVM_ENOTSUP;
	vcpu->spin_yields = yields;
	vm->ops->spin_yield(vcpu);
	return AXVM_OK;
}

int axvm_vcpu_set_histogram(struct axvm_vm *vm, uint32_t index,
			    struct axvm_exit_histogram *histogram)
{
	struct axvm_vcpu *vcpu;
	int err = find_idle(vm, index, &vcpu);

	if (err != AXVM_OK)
		return err;
	if (histogram != NULL && histogram->size != sizeof(*histogram))
		return AXVM_EINVAL;
	vcpu->histogram = histogram;
	vcpu->exit_cpu = AXVMI_NO_CPU;
	update_attention(vcpu);
	return AXVM_OK;
}

/* ---- the run loop's side ---- */

void axvmi_exit_time(struct axvm_vcpu *vcpu)
{
	struct axvm_exit_histogram *h = vcpu->histogram;

	for (uint32_t i = 0; i < AXVM_STATS; i++)
		h->seen[i] = load_relaxed(&vcpu->exits[i]);
	vcpu->exit_cpu = vcpu->cpu->index;
	vcpu->exit_cycles = vcpu->vm->ops->cycles(vcpu->vm->host);
}

/* The counter that moved since the exit says what it was for. */
static enum axvm_stat exit_class(const struct axvm_vcpu *vcpu,
				 const struct axvm_exit_histogram *h)
{
	for (uint32_t i = 0; i < AXVM_STATS; i++) {
		if (load_relaxed(&vcpu->exits[i]) != h->seen[i])
			return (enum axvm_stat)i;
	}
	return AXVM_STAT_OTHER;
}

static unsigned bucket_of(uint64_t cycles)
{
	unsigned bucket = cycles == 0 ? 0 : highest_bit64(cycles);

	return bucket < AXVM_HISTOGRAM_BUCKETS ? bucket
					       : AXVM_HISTOGRAM_BUCKETS - 1;
}

static void count_cycles(struct axvm_vcpu *vcpu)
{
	struct axvm_exit_histogram *h = vcpu->histogram;
	uint64_t cycles;
	enum axvm_stat class;

	/* Cycles of two CPUs do not compare. */
	if (vcpu->exit_cpu == vcpu->cpu->index) {
		cycles = vcpu->vm->ops->cycles(vcpu->vm->host) -
			 vcpu->exit_cycles;
		class = exit_class(vcpu, h);
		h->count[class][bucket_of(cycles)]++;
		h->total[class] += cycles;
	}
	vcpu->exit_cpu = AXVMI_NO_CPU;
}

/* The sequence number tells one run from another. */
static bool is_spent(struct axvm_vcpu *vcpu)
{
	if (vcpu->entries_seq != vcpu->seq) {
		vcpu->entries_seq = vcpu->seq;
		vcpu->entries_left = vcpu->exit_limit;
	}
	if (vcpu->entries_left == 0)
		return true;
	vcpu->entries_left--;
	return false;
}

bool axvmi_watch_entry(struct axvm_vcpu *vcpu)
{
	if (vcpu->exit_limit != 0 && is_spent(vcpu))
		return false;
	if (vcpu->histogram != NULL)
		count_cycles(vcpu);
	return true;
}
