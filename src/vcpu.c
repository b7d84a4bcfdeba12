/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The run loop: residency, attention, completion of exits. A vCPU's plain
 * fields belong to the thread that holds it RUNNING; its atomics to everybody.
 */
#include "internal.h"

/* Out of the way of the runs that only go in and come out. */
#define COLD __attribute__((noinline, cold))

/* Rounds of attention before run returns, so that a stream of notifications
 * cannot keep host interrupts masked. */
#define ATTEND_ROUNDS 16

/* ---- notification ---- */

void axvmi_wake(struct axvm_vcpu *vcpu)
{
	const struct axvm_hal *hal = &vcpu->vm->host->hal;

	if (hal->wake != NULL)
		hal->wake(hal->ctx, vcpu->vm, vcpu->index);
}

static void kick_if_inside(struct axvm_vcpu *vcpu)
{
	const struct axvm_hal *hal = &vcpu->vm->host->hal;
	uint32_t where = load_seq(&vcpu->where);

	if (where != 0 && hal->kick != NULL)
		hal->kick(hal->ctx, where - 1);
}

void axvmi_mark(struct axvm_vcpu *vcpu, uint32_t bits)
{
	atomic_fetch_or_explicit(&vcpu->attention, bits, memory_order_seq_cst);
	kick_if_inside(vcpu);
}

void axvmi_notify(struct axvm_vcpu *vcpu, uint32_t bits)
{
	uint32_t blocked = AXVM_VCPU_BLOCKED;

	axvmi_mark(vcpu, bits);
	if (load_seq(&vcpu->state) == AXVM_VCPU_BLOCKED &&
	    atomic_compare_exchange_strong(&vcpu->state, &blocked,
					   AXVM_VCPU_READY))
		axvmi_wake(vcpu);
}

/* Out of the guest, or about to look at the bits before it goes in again. */
static bool has_seen(struct axvm_vcpu *vcpu, uint32_t bits)
{
	return load_seq(&vcpu->where) == 0 ||
	       (load_seq(&vcpu->attention) & bits) == 0;
}

void axvmi_notify_and_wait(struct axvm_vm *vm, uint64_t mask, uint32_t bits,
			   struct axvm_vcpu *self)
{
	uint32_t count = load_acquire(&vm->vcpus_ready);

	for (uint32_t i = 0; i < count; i++) {
		struct axvm_vcpu *vcpu = vm->vcpus[i];

		if ((mask & BIT64(i)) != 0 && vcpu != self)
			axvmi_mark(vcpu, bits);
	}
	for (uint32_t i = 0; i < count; i++) {
		struct axvm_vcpu *vcpu = vm->vcpus[i];

		if ((mask & BIT64(i)) == 0 || vcpu == self)
			continue;
		while (!has_seen(vcpu, bits))
			cpu_relax();
	}
}

/* ---- residency ---- */

static void vcpu_load(struct axvm_cpu *cpu, struct axvm_vcpu *vcpu)
{
	cpu->resident = vcpu;
	vcpu->cpu = cpu;
	store_seq(&vcpu->resident, cpu->index + 1);
	axvmi_tlb_load(vcpu);
	vcpu->vm->ops->vcpu_load(vcpu);
}

void axvmi_vcpu_put(struct axvm_vcpu *vcpu)
{
	struct axvm_vm *vm = vcpu->vm;
	struct axvm_host *host = vm->host;

	/* First: while this is under way run must not take it for ready. */
	vcpu->cpu->resident = NULL;
	vm->ops->vcpu_put(vcpu);
	vcpu->cpu = NULL;
	/* Once no vCPU is resident the VM may be destroyed elsewhere; that
	 * waits for this lock. */
	spin_lock(&host->lock);
	store_seq(&vcpu->resident, 0);
	axvmi_try_stopped(vm);
	spin_unlock(&host->lock);
}

int axvm_vcpu_unbind(struct axvm_cpu *cpu, struct axvm_vm *vm, uint32_t index)
{
	uint64_t saved;

	if (cpu == NULL || vm == NULL || cpu->host != vm->host)
		return AXVM_EINVAL;
	if (index >= load_acquire(&vm->vcpus_ready))
		return AXVM_ENOENT;
	if (cpu->running != 0)
		return AXVM_EBUSY;
	saved = vm->ops->interrupts_save();
	if (cpu->resident == vm->vcpus[index])
		axvmi_vcpu_put(cpu->resident);
	vm->ops->interrupts_restore(saved);
	return AXVM_OK;
}

/* ---- attention ---- */

/* One look at the bits; 0 or the reason to return with. Out of the guest. */
static int attend_once(struct axvm_vcpu *vcpu, uint32_t bits)
{
	struct axvm_vm *vm = vcpu->vm;

	if ((bits & AXVMI_ATTN_LIFE) != 0) {
		uint32_t state = load_seq(&vm->state);

		if (state == AXVM_VM_SUSPENDED)
			return AXVM_EXIT_SUSPENDED;
		if (state != AXVM_VM_RUNNING)
			return AXVM_EXIT_STOPPED;
	}
	if ((bits & (AXVMI_ATTN_TLB | AXVMI_ATTN_TAG)) != 0)
		axvmi_tlb_attend(vcpu, bits);
	if ((bits & AXVMI_ATTN_TIME) != 0)
		vm->ops->clock_moved(vcpu);
	if ((bits & AXVMI_ATTN_SYNC) != 0)
		vm->ops->guest_stage_flush(vm);
	if (bits >= AXVMI_ATTN_ARCH && vm->ops->attend != NULL)
		vm->ops->attend(vcpu, bits);
	if ((bits & AXVMI_ATTN_LINES) != 0)
		vm->ops->irq_sync(vcpu);
	return (bits & AXVMI_ATTN_KICK) != 0 ? AXVM_EXIT_KICKED : 0;
}

/* Of what has been asked, what may stand in the way of an entry. */
static uint32_t requests(struct axvm_vcpu *vcpu)
{
	return load_seq(&vcpu->attention) & ~AXVMI_ATTN_EVERY;
}

int axvmi_attend(struct axvm_vcpu *vcpu)
{
	uint32_t every = axvmi_every_entry(vcpu);

	if (every != 0 && !axvmi_watch_entry(vcpu)) {
		axvmi_leave(vcpu);
		return AXVM_EXIT_YIELD;
	}
	for (int round = 0; round < ATTEND_ROUNDS; round++) {
		uint32_t bits;
		int reason;

		store_release(&vcpu->where, 0);
		bits = atomic_exchange_explicit(&vcpu->attention, every,
						memory_order_seq_cst);
		reason = attend_once(vcpu, bits);
		if (reason == AXVM_EXIT_STOPPED ||
		    reason == AXVM_EXIT_SUSPENDED)
			/* Not served: stays for the next run. */
			atomic_fetch_or(&vcpu->attention,
					bits & ~AXVMI_ATTN_KICK);
		if (reason != 0)
			return reason;
		store_seq(&vcpu->where, vcpu->cpu->index + 1);
		if (requests(vcpu) == 0)
			return 0;
	}
	store_release(&vcpu->where, 0);
	return AXVM_EXIT_IRQ;
}

int axvmi_interrupted(struct axvm_vcpu *vcpu)
{
	uint32_t bits = load_seq(&vcpu->attention) &
			(AXVMI_ATTN_KICK | AXVMI_ATTN_LIFE);
	int reason;

	axvmi_count(vcpu, AXVM_STAT_INTERRUPT);
	if (bits == 0)
		return AXVM_EXIT_IRQ;
	/* The interrupt was a kick: say what for. It stays pending itself. */
	reason = attend_once(vcpu, bits);
	if (reason == AXVM_EXIT_KICKED)
		atomic_fetch_and(&vcpu->attention, ~AXVMI_ATTN_KICK);
	return reason != 0 ? reason : AXVM_EXIT_IRQ;
}

void axvmi_guest_access_begin(struct axvm_vcpu *vcpu)
{
	uint32_t bits;

	store_seq(&vcpu->where, vcpu->cpu->index + 1);
	bits = load_seq(&vcpu->attention) & (AXVMI_ATTN_TLB | AXVMI_ATTN_TAG);
	/* The bits stay: the entry will look once more. */
	if (bits != 0)
		axvmi_tlb_attend(vcpu, bits);
}

void axvmi_guest_access_end(struct axvm_vcpu *vcpu)
{
	store_release(&vcpu->where, 0);
}

/* ---- what backends ask for ---- */

int axvmi_halt(struct axvm_vcpu *vcpu, uint64_t deadline)
{
	/*
	 * BLOCKED first, the last look after it: whoever raises an interrupt
	 * now either is seen here or sees BLOCKED and wakes.
	 */
	store_relaxed(&vcpu->deadline, deadline);
	store_seq(&vcpu->state, AXVM_VCPU_BLOCKED);
	if (requests(vcpu) != 0 || vcpu->vm->ops->irq_pending(vcpu)) {
		store_seq(&vcpu->state, AXVM_VCPU_RUNNING);
		return 0;
	}
	vcpu->exit->u.halt.deadline = deadline;
	return AXVM_EXIT_HALT;
}

void axvmi_vcpu_off(struct axvm_vcpu *vcpu)
{
	vcpu->exit->u.halt.deadline = AXVM_NO_DEADLINE;
	store_seq(&vcpu->state, AXVM_VCPU_OFF);
}

int axvmi_claim_start(struct axvm_vm *vm, uint32_t index)
{
	struct axvm_vcpu *target;
	uint32_t idle = 0;

	if (index >= vm->vcpu_count)
		return AXVM_ENOENT;
	target = vm->vcpus[index];
	if (load_seq(&target->state) != AXVM_VCPU_OFF)
		return AXVM_EEXIST;
	if (!atomic_compare_exchange_strong(&target->starting, &idle, 1))
		return AXVM_EBUSY;
	if (load_seq(&target->state) != AXVM_VCPU_OFF) {
		store_seq(&target->starting, 0);
		return AXVM_EEXIST;
	}
	return AXVM_OK;
}

/* ---- run ---- */

/*
 * Gives up a vCPU that is not resident here. Without claim and residency nothing
 * keeps the VM: see axvmi_vcpu_put().
 */
static void unclaim(struct axvm_vcpu *vcpu, bool was_blocked)
{
	struct axvm_host *host = vcpu->vm->host;

	spin_lock(&host->lock);
	store_seq(&vcpu->state, AXVM_VCPU_READY);
	/* A wake meant for BLOCKED may have found it claimed. */
	if (was_blocked)
		axvmi_wake(vcpu);
	axvmi_try_stopped(vcpu->vm);
	spin_unlock(&host->lock);
}

/* Takes the vCPU for this thread, wherever it is. 0, or how run must answer. */
static int claim_any(struct axvm_vcpu *vcpu, struct axvm_cpu *cpu)
{
	uint32_t resident = load_seq(&vcpu->resident);
	uint32_t state = load_seq(&vcpu->state);

	if (state == AXVM_VCPU_RUNNING ||
	    (resident != 0 && resident != cpu->index + 1))
		return AXVM_EBUSY;
	if (state == AXVM_VCPU_OFF)
		return AXVM_EXIT_HALT;
	do {
		if (state != AXVM_VCPU_READY && state != AXVM_VCPU_BLOCKED)
			return AXVM_EBUSY;
	} while (!atomic_compare_exchange_strong(&vcpu->state, &state,
						 AXVM_VCPU_RUNNING));
	/* Between the look and the claim it may have run elsewhere. */
	resident = load_seq(&vcpu->resident);
	if (resident != 0 && resident != cpu->index + 1) {
		unclaim(vcpu, state == AXVM_VCPU_BLOCKED);
		return AXVM_EBUSY;
	}
	return 0;
}

/* A vCPU the guest has started takes its entry on the thread that runs it. */
static void begin_start(struct axvm_vcpu *vcpu)
{
	if (load_acquire(&vcpu->start_pending) == 0)
		return;
	store_relaxed(&vcpu->start_pending, 0);
	vcpu->wait = 0;
	vcpu->last_cpu = AXVMI_NO_CPU; /* power-on: nothing is cached */
	vcpu->vm->ops->vcpu_reset(vcpu, vcpu->start_entry,
				  vcpu->start_argument);
}

/* A vCPU that is off, or whose VM ends, does not stay resident; nor does one
 * that went off and was started again meanwhile: its start resets it. */
static COLD void leave_cpu(struct axvm_cpu *cpu, struct axvm_vcpu *vcpu)
{
	bool stopping = load_seq(&vcpu->vm->state) == AXVM_VM_STOPPING;

	if (cpu->resident == vcpu &&
	    (stopping || load_seq(&vcpu->state) == AXVM_VCPU_OFF ||
	     load_seq(&vcpu->start_pending) != 0))
		axvmi_vcpu_put(vcpu);
	else if (stopping)
		axvmi_try_stopped(vcpu->vm);
}

/* Why a vCPU whose VM does not run does not run. */
static COLD int not_running(uint32_t state)
{
	return state == AXVM_VM_SUSPENDED ? AXVM_EXIT_SUSPENDED
					  : AXVM_EXIT_STOPPED;
}

/* The same of one that is claimed. How the exit that waits will end has been
 * said by now: this one is no other to complete. */
static COLD int stays_out(struct axvm_vcpu *vcpu, uint32_t state)
{
	vcpu->answered = 1;
	return not_running(state);
}

/* What every record says; the rest is its reason's. */
static inline void begin_exit(const struct axvm_vcpu *vcpu,
			      struct axvm_exit *exit)
{
	exit->vcpu = vcpu->index;
	exit->pc = 0;
	exit->valid = 0;
	exit->reserved = 0;
}

static inline void end_exit(struct axvm_vcpu *vcpu, struct axvm_exit *exit,
			    uint32_t reason)
{
	exit->reason = reason;
	exit->seq = ++vcpu->seq;
	axvmi_remember(vcpu, exit);
	store_relaxed(&vcpu->returns[reason],
		      load_relaxed(&vcpu->returns[reason]) + 1);
}

/* Why a vCPU that is off does not run. */
static void answer_off(struct axvm_cpu *cpu, struct axvm_vcpu *vcpu,
		       struct axvm_exit *exit)
{
	uint32_t state = load_seq(&vcpu->vm->state);

	begin_exit(vcpu, exit);
	exit->seq = 0;
	if (state == AXVM_VM_RUNNING) {
		exit->reason = AXVM_EXIT_HALT;
		exit->u.halt.deadline = AXVM_NO_DEADLINE;
	} else {
		exit->reason = (uint32_t)not_running(state);
	}
	leave_cpu(cpu, vcpu);
}

#define ANSWERED 1

/*
 * The ways into run but the shortest. 0: the vCPU is claimed and resident here;
 * ANSWERED: `exit` says why it is not; or an error.
 */
static COLD int acquire(struct axvm_cpu *cpu, struct axvm_vm *vm,
			uint32_t index, struct axvm_exit *exit)
{
	uint32_t state = load_seq(&vm->state);
	struct axvm_vcpu *vcpu;
	int reason;

	if (cpu->host != vm->host)
		return AXVM_EINVAL;
	if (state == AXVM_VM_LOADING || state == AXVM_VM_LOADED)
		return AXVM_ESTATE;
	if (index >= load_acquire(&vm->vcpus_ready))
		return AXVM_ENOENT;
	if (cpu->running != 0)
		return AXVM_EBUSY;
	vcpu = vm->vcpus[index];
	reason = claim_any(vcpu, cpu);
	if (reason < 0)
		return reason;
	if (reason > 0) {
		answer_off(cpu, vcpu, exit);
		return ANSWERED;
	}
	if (cpu->resident == vcpu)
		return AXVM_OK;
	/* Behind the claim: who ends the VM either finds it, or is seen. */
	state = load_seq(&vm->state);
	if (state != AXVM_VM_RUNNING) {
		begin_exit(vcpu, exit);
		end_exit(vcpu, exit, (uint32_t)stays_out(vcpu, state));
		unclaim(vcpu, false);
		return ANSWERED;
	}
	begin_start(vcpu);
	cpu->running = 1;
	if (cpu->resident != NULL)
		axvmi_vcpu_put(cpu->resident);
	vcpu_load(cpu, vcpu);
	return AXVM_OK;
}

/*
 * Most often it is ready and resident here: nobody can move it then, the guest
 * cannot have started it anew, and the VM cannot end. Whether that is told to end
 * is a bit of attention by the time the guest is entered.
 */
static inline bool claim_here(struct axvm_vcpu *vcpu, const struct axvm_vm *vm,
			      uint32_t index)
{
	uint32_t state = AXVM_VCPU_READY;

	return vcpu != NULL && vcpu->vm == vm && vcpu->index == index &&
	       atomic_compare_exchange_strong(&vcpu->state, &state,
					      AXVM_VCPU_RUNNING);
}

/* The claim ends; what is off or ends does not stay. */
static inline void finish(struct axvm_cpu *cpu, struct axvm_vcpu *vcpu,
			  const struct axvm_vm *vm, bool halted)
{
	/* HALT and off have given the claim up already: a RUNNING seen now
	 * would be somebody else's. */
	if (!halted)
		store_seq(&vcpu->state, AXVM_VCPU_READY);
	if (halted || load_relaxed(&vm->state) == AXVM_VM_STOPPING)
		leave_cpu(cpu, vcpu);
	cpu->running = 0;
}

/* The vCPU is claimed, and resident on this CPU. */
static inline int run_here(struct axvm_cpu *cpu, struct axvm_vcpu *vcpu,
			   const struct axvm_vm *vm, struct axvm_exit *exit)
{
	uint32_t state = load_relaxed(&vm->state);
	bool halted = false;
	int reason;

	cpu->running = 1;
	begin_exit(vcpu, exit);
	vcpu->exit = exit;
	if (state == AXVM_VM_RUNNING)
		reason = vm->ops->vcpu_run(vcpu);
	else
		reason = stays_out(vcpu, state);
	if (reason > 0) {
		end_exit(vcpu, exit, (uint32_t)reason);
		halted = reason == AXVM_EXIT_HALT;
		reason = AXVM_OK;
	}
	finish(cpu, vcpu, vm, halted);
	/* The VM may be gone by now. */
	return reason;
}

int axvm_run_vcpu(struct axvm_cpu *cpu, struct axvm_vm *vm, uint32_t index,
		  struct axvm_exit *exit)
{
	struct axvm_vcpu *vcpu;
	int err = AXVM_OK;
	uint64_t saved;

	if (cpu == NULL || vm == NULL || exit == NULL)
		return AXVM_EINVAL;
	saved = cpu->ops->interrupts_save();
	vcpu = cpu->resident;
	if (!claim_here(vcpu, vm, index)) {
		err = acquire(cpu, vm, index, exit);
		vcpu = cpu->resident;
	}
	if (err == AXVM_OK)
		err = run_here(cpu, vcpu, vm, exit);
	else if (err == ANSWERED)
		err = AXVM_OK;
	cpu->ops->interrupts_restore(saved);
	return err;
}
