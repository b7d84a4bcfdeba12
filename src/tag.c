/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Translations of physical CPUs: stage-2 tags (VMIDs), TLB generations, the
 * guest-stage rule, read sections of software walks. Per-CPU words belong to
 * their CPU, tags to host->lock.
 */
#include "internal.h"

void axvmi_tags_init(struct axvm_host *host)
{
	unsigned bits = host->ops->tag_bits(host);

	/*
	 * With fewer tags than CPUs, VMs that run at once would take them from
	 * each other for ever: then rather none, and a flush at each switch.
	 */
	host->tag_count = BIT64(bits) - 1 < host->max_cpus ? 0 : BIT64(bits);
	/* Tag 0 is what an idle CPU holds; VMs get 1 and up. */
	host->next_tag = 1;
}

/*
 * All tags are used up: a new generation begins. Every VM needs a tag of the
 * new one and every CPU must drop what it cached under the old ones before it
 * uses a new one. CPUs inside a guest are called out, since a broadcast flush
 * would name the new tag. host->lock held.
 */
static void tags_rollover(struct axvm_host *host)
{
	atomic_fetch_add_explicit(&host->tag_generation, 1,
				  memory_order_seq_cst);
	host->next_tag = 1;
	for (struct axvm_vm *vm = host->vms; vm != NULL; vm = vm->next) {
		for (uint32_t i = 0; i < load_acquire(&vm->vcpus_ready); i++)
			axvmi_mark(vm->vcpus[i], AXVMI_ATTN_TAG);
	}
}

static void tag_update(struct axvm_vm *vm)
{
	struct axvm_host *host = vm->host;

	if (load_acquire(&vm->tag_generation) ==
	    load_acquire(&host->tag_generation))
		return;
	spin_lock(&host->lock);
	if (load_relaxed(&vm->tag_generation) !=
	    load_relaxed(&host->tag_generation)) {
		if (host->next_tag == host->tag_count)
			tags_rollover(host);
		store_relaxed(&vm->tag, host->next_tag++);
		/* Whoever sees the generation sees the tag. */
		store_release(&vm->tag_generation,
			      load_relaxed(&host->tag_generation));
	}
	spin_unlock(&host->lock);
}

/*
 * A tag of the present generation for the VM, a TLB clean of older ones. A tag
 * that the CPU still holds goes first: it could be cached under until then.
 */
static void tag_load(struct axvm_vcpu *vcpu, bool holds_tag)
{
	struct axvm_vm *vm = vcpu->vm;
	struct axvm_cpu *cpu = vcpu->cpu;
	uint64_t generation;

	if (vm->host->tag_count == 0) {
		/* No tags: the TLB holds one VM at a time. */
		if (cpu->last_vm != vm->serial) {
			vm->ops->tlb_flush_all();
			vm->last_vcpu[cpu->index] = NULL;
		}
		cpu->last_vm = vm->serial;
		return;
	}
	tag_update(vm);
	if (holds_tag)
		vm->ops->retag(vcpu);
	generation = load_acquire(&vm->tag_generation);
	if (cpu->tag_generation != generation) {
		vm->ops->tlb_flush_all();
		cpu->tag_generation = generation;
	}
}

static void generation_load(struct axvm_vcpu *vcpu)
{
	struct axvm_vm *vm = vcpu->vm;
	uint64_t generation = load_seq(&vm->tlb_generation);
	uint32_t cpu = vcpu->cpu->index;

	if (vm->tlb_seen[cpu] != generation) {
		vm->ops->tlb_flush_local(vm);
		vm->tlb_seen[cpu] = generation;
	}
}

/*
 * Guest-stage entries carry the VM's tag and the guest's ASID, which mean one
 * vCPU on one CPU: another vCPU of the VM may use the same ASID for another
 * space, and one that comes back from another CPU missed the flushes it did
 * there. A flush of stage 2 need not touch them (RISC-V Privileged, "Hypervisor
 * Memory-Management Instructions"): under a new tag they may be another VM's.
 */
static void guest_stage_load(struct axvm_vcpu *vcpu)
{
	struct axvm_vm *vm = vcpu->vm;
	uint64_t generation = load_relaxed(&vm->tag_generation);
	uint32_t cpu = vcpu->cpu->index;

	if (vm->last_vcpu[cpu] != vcpu || vcpu->last_cpu != cpu ||
	    vcpu->tag_generation != generation)
		vm->ops->guest_stage_flush(vm);
	vm->last_vcpu[cpu] = vcpu;
	vcpu->last_cpu = cpu;
	vcpu->tag_generation = generation;
}

void axvmi_tlb_load(struct axvm_vcpu *vcpu)
{
	tag_load(vcpu, false);
	generation_load(vcpu);
	guest_stage_load(vcpu);
}

void axvmi_tlb_attend(struct axvm_vcpu *vcpu, uint32_t bits)
{
	if ((bits & AXVMI_ATTN_TAG) != 0) {
		tag_load(vcpu, true);
		guest_stage_load(vcpu);
	}
	generation_load(vcpu);
}

/* After a rollover a CPU inside still uses, and caches under, the old tag, which
 * a broadcast does not name; it has been kicked. */
static void wait_for_retag(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < load_acquire(&vm->vcpus_ready); i++) {
		struct axvm_vcpu *vcpu = vm->vcpus[i];

		while (load_seq(&vcpu->where) != 0 &&
		       (load_seq(&vcpu->attention) & AXVMI_ATTN_TAG) != 0)
			cpu_relax();
	}
}

void axvmi_tlb_shootdown(struct axvm_vm *vm, uint64_t gpa, uint64_t size)
{
	/* Also with a broadcast: a CPU that loads the VM later, and one without
	 * tags, look at the generation. */
	atomic_fetch_add_explicit(&vm->tlb_generation, 1, memory_order_seq_cst);
	if (vm->ops->tlb_flush_range != NULL) {
		vm->ops->tlb_flush_range(vm, gpa, size);
		wait_for_retag(vm);
	} else {
		axvmi_notify_and_wait(vm, UINT64_MAX, AXVMI_ATTN_TLB, NULL);
	}
}

/*
 * Two counters of readers, used in turn: a writer sends newcomers to the other
 * one and waits for the old one to drain. Twice, since a reader may have read
 * the epoch before the first turn and counted itself after it.
 */
uint32_t axvmi_read_begin(struct axvm_vm *vm)
{
	uint32_t token = load_seq(&vm->reader_epoch) & 1u;

	atomic_fetch_add_explicit(&vm->readers[token], 1, memory_order_seq_cst);
	return token;
}

void axvmi_read_end(struct axvm_vm *vm, uint32_t token)
{
	atomic_fetch_sub_explicit(&vm->readers[token], 1, memory_order_seq_cst);
}

void axvmi_read_grace(struct axvm_vm *vm)
{
	for (int turn = 0; turn < 2; turn++) {
		uint32_t old = atomic_fetch_add_explicit(&vm->reader_epoch, 1,
							 memory_order_seq_cst) &
			       1u;

		while (load_seq(&vm->readers[old]) != 0)
			cpu_relax();
	}
}
