/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Guests of the model: an op per step until one leaves, then what a real
 * backend's exit handler does. Follows the same protocol: axvmi_enter() before
 * each entry, axvmi_leave() after each exit.
 */
#include <sched.h>
#include <string.h>
#include <time.h>

#include "stub_internal.h"

/* Ops before the host's tick comes. */
#define BUDGET 4096u
/* A fault that does not go away is a bug of the library. */
#define MAX_FAULTS 1000u
#define MAX_FAULT_TIME 10000u /* milliseconds */
#define MAX_SPIN_TIME 20000u

/* How an op ended. */
enum step {
	STEP_ON, /* the next one */
	STEP_AGAIN, /* an exit was served: enter again */
	STEP_LEAVE, /* run returns */
};

static const struct stub_op end_op = {STUB_END, 0, 0};

static void leave_guest(struct stub_vcpu *v)
{
	axvmi_exit_begin(&v->core);
	axvmi_leave(&v->core);
}

static struct axvm_exit *fill(struct stub_vcpu *v)
{
	v->core.exit->pc = v->pc;
	return v->core.exit;
}

static void finish_access(struct stub_vcpu *v, const struct stub_op *op,
			  uint64_t value)
{
	if (op->kind != STUB_WRITE)
		v->regs[1] = value;
	v->refaults = 0;
	v->pc++;
}

static void give_fault(struct stub_vcpu *v)
{
	axvmi_count(&v->core, AXVM_STAT_REFLECTED);
	v->faults++;
	v->refaults = 0;
	v->pc++;
}

/* ---- stage-2 faults ---- */

static int mmio(struct stub_vcpu *v, const struct stub_op *op, uint64_t gpa,
		const struct axvmi_space *space)
{
	bool write = op->kind == STUB_WRITE;
	uint64_t value = write ? op->b : 0;
	enum axvmi_dispatch result = AXVMI_DISPATCH_EXIT;
	struct axvm_exit *exit;

	axvmi_count(&v->core, AXVM_STAT_MMIO);
	if (op->kind == STUB_EXEC || op->kind == STUB_GREAD) {
		give_fault(v);
		return 0;
	}
	if (space != NULL)
		result = axvmi_device_access(&v->core, space, gpa, 8, write,
					     &value);
	if (result == AXVMI_DISPATCH_DONE) {
		finish_access(v, op, value);
		return 0;
	}
	if (result == AXVMI_DISPATCH_FAULT) {
		give_fault(v);
		return 0;
	}
	exit = fill(v);
	exit->gpa = gpa;
	exit->valid = AXVM_EXIT_GPA_VALID;
	exit->u.mmio.value = value;
	exit->u.mmio.size = 8;
	exit->u.mmio.write = write;
	return AXVM_EXIT_MMIO;
}

static uint64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* With threads the one that edits may just not be running: only time counts. */
static bool is_endless(struct stub_vcpu *v)
{
	if (v->refaults++ == 0)
		v->fault_since = milliseconds();
	if (v->refaults <= MAX_FAULTS)
		return false;
	if (!stub_here()->m->config.threads)
		return true;
	sched_yield();
	return milliseconds() - v->fault_since > MAX_FAULT_TIME;
}

static int stage2_fault(struct stub_vcpu *v, const struct stub_op *op,
			uint64_t gpa, uint32_t access)
{
	const struct axvmi_space *space =
		axvmi_bus_find(&v->core.vm->bus[AXVM_BUS_MMIO], gpa);

	leave_guest(v);
	if (space == NULL || space->kind == AXVMI_SPACE_DEVICE)
		return mmio(v, op, gpa, space);
	axvmi_count(&v->core, AXVM_STAT_STAGE2_FAULT);
	if (is_endless(v))
		stub_violate(stub_here()->m, "a fault at %#llx without end",
			     (unsigned long long)gpa);
	if (axvmi_ram_fault(&v->core, gpa, access, space) != AXVMI_FAULT_DENIED)
		return 0;
	v->refaults = 0;
	fill(v);
	return AXVM_EXIT_FAULT;
}

static enum step memory(struct stub_vcpu *v, const struct stub_op *op,
			int *reason)
{
	uint64_t value = op->b;
	uint64_t fault;
	uint32_t access = AXVM_READ;
	bool done;

	if (op->kind == STUB_WRITE)
		access = AXVM_WRITE;
	if (op->kind == STUB_EXEC)
		access = AXVM_EXEC;
	if (op->kind == STUB_GREAD)
		done = stub_guest_read(v, op->a, &value, &fault);
	else
		done = stub_access(v, op->a, access, &value, &fault);
	if (done) {
		finish_access(v, op, value);
		return STEP_ON;
	}
	*reason = stage2_fault(v, op, fault, access);
	return *reason == 0 ? STEP_AGAIN : STEP_LEAVE;
}

/* What the test wants to happen between leaving and what comes next. */
static void call_hook(struct stub_vcpu *v)
{
	void (*hook)(void *arg) = v->halt_hook;

	v->halt_hook = NULL;
	if (hook != NULL)
		hook(v->halt_arg);
}

/* What a backend does that must read guest memory for the guest. */
static int peek(struct stub_vcpu *v, const struct stub_op *op)
{
	uint64_t value = 0;
	uint64_t fault;
	bool done;

	leave_guest(v);
	call_hook(v);
	axvmi_guest_access_begin(&v->core);
	done = stub_access(v, op->a, AXVM_READ, &value, &fault);
	axvmi_guest_access_end(&v->core);
	v->regs[1] = done ? value : UINT64_MAX;
	v->pc++;
	return 0;
}

/* ---- calls ---- */

static int cpu_on(struct stub_vcpu *v, const struct stub_op *op)
{
	int err;

	leave_guest(v);
	axvmi_count(&v->core, AXVM_STAT_FIRMWARE_CALL);
	err = axvmi_claim_start(v->core.vm, (uint32_t)op->a);
	if (err != AXVM_OK) {
		v->regs[0] = (uint64_t)(int64_t)err;
		v->pc++;
		return 0;
	}
	fill(v)->u.cpu_on.vcpu = (uint32_t)op->a;
	v->core.exit->u.cpu_on.entry = op->b;
	v->core.exit->u.cpu_on.argument = op->b + 1;
	return AXVM_EXIT_CPU_ON;
}

static int hypercall(struct stub_vcpu *v, const struct stub_op *op)
{
	uint64_t args[6] = {op->b};

	leave_guest(v);
	axvmi_count(&v->core, AXVM_STAT_HYPERCALL);
	memcpy(&args[1], &v->regs[STUB_ARGS], 5 * sizeof(args[1]));
	switch (axvmi_hypercall(&v->core, op->a, args, &v->regs[0])) {
	case AXVMI_HYPERCALL_AGAIN:
		return 0;
	case AXVMI_HYPERCALL_DONE:
		v->pc++;
		return 0;
	case AXVMI_HYPERCALL_HOST:
		break;
	}
	fill(v)->u.hypercall.number = op->a;
	memcpy(v->core.exit->u.hypercall.args, args, sizeof(args));
	return AXVM_EXIT_HYPERCALL;
}

static int wfi(struct stub_vcpu *v, const struct stub_op *op)
{
	leave_guest(v);
	axvmi_count(&v->core, AXVM_STAT_HALT);
	fill(v);
	v->pc++;
	call_hook(v);
	return axvmi_halt(&v->core, op->a != 0 ? op->a : AXVM_NO_DEADLINE);
}

static int switch_off(struct stub_vcpu *v)
{
	leave_guest(v);
	fill(v);
	v->pc++;
	axvmi_vcpu_off(&v->core);
	call_hook(v);
	return AXVM_EXIT_HALT;
}

static int system_event(struct stub_vcpu *v, const struct stub_op *op)
{
	leave_guest(v);
	fill(v);
	return axvmi_system_event(&v->core,
				  op->kind == STUB_SYSTEM_OFF
					  ? AXVM_EXIT_SYSTEM_OFF
					  : AXVM_EXIT_SYSTEM_RESET,
				  op->a, op->b);
}

static int special(struct stub_vcpu *v, const struct stub_op *op)
{
	struct axvm_exit *exit = fill(v);

	leave_guest(v);
	if (op->kind == STUB_SYSREG) {
		axvmi_count(&v->core, AXVM_STAT_SYSREG);
		exit->u.sysreg.value = 0;
		exit->u.sysreg.number = (uint32_t)op->a;
		exit->u.sysreg.write = 0;
		return AXVM_EXIT_SYSREG;
	}
	if (op->kind == STUB_PORT) {
		axvmi_count(&v->core, AXVM_STAT_PORT);
		exit->u.port.value = 0;
		exit->u.port.size = 4;
		exit->u.port.write = 0;
		exit->u.port.port = (uint32_t)op->a;
		exit->u.port.reserved = 0;
		return AXVM_EXIT_PORT;
	}
	axvmi_count(&v->core, AXVM_STAT_OTHER);
	if (op->kind == STUB_FAIL_ENTRY) {
		exit->u.fail_entry.code = op->a;
		v->pc++;
		return AXVM_EXIT_FAIL_ENTRY;
	}
	if (op->kind == STUB_ERROR) {
		v->pc++;
		return (int)op->a;
	}
	exit->u.fault.kind = AXVM_FAULT_UNKNOWN;
	exit->u.fault.access = 0;
	return AXVM_EXIT_FAULT;
}

/* ---- steps without an exit ---- */

static int tick(struct stub_vcpu *v)
{
	leave_guest(v);
	return axvmi_interrupted(&v->core);
}

static void inside(struct stub_vcpu *v, const struct stub_op *op)
{
	switch (op->kind) {
	case STUB_SATP:
		v->asid = op->a;
		v->table = op->b;
		break;
	case STUB_SFENCE:
		stub_guest_fence(v);
		break;
	case STUB_IRQS:
		v->regs[1] = stub_pending(v);
		break;
	case STUB_ACK:
		stub_irq_ack(v);
		break;
	case STUB_SET:
		v->regs[op->a % STUB_REGS] = op->b;
		break;
	case STUB_CSR:
		stub_here()->csr = op->b;
		break;
	case STUB_TIME:
		v->regs[1] = stub_ops(stub_here()->m)->counter() +
			     stub_here()->time_offset;
		break;
	case STUB_EXPECT:
		if (v->regs[1] != op->a)
			stub_violate(stub_here()->m,
				     "vCPU %u op %llu: read %#llx, not %#llx",
				     v->core.index, (unsigned long long)v->pc,
				     (unsigned long long)v->regs[1],
				     (unsigned long long)op->a);
		break;
	default:
		stub_violate(stub_here()->m, "no such op");
		break;
	}
	v->pc++;
}

/* A test that waits for a kick which nobody sends should end all the same. */
static bool is_endless_spin(struct stub_vcpu *v)
{
	if (v->spins++ == 0)
		v->spin_since = milliseconds();
	if (v->spins % 65536 != 0 ||
	    milliseconds() - v->spin_since <= MAX_SPIN_TIME)
		return false;
	stub_violate(stub_here()->m, "a spin that no kick ends");
	return true;
}

static enum step spin(struct stub_vcpu *v, const struct stub_op *op,
		      int *reason)
{
	if (op->a == 0 ? !is_endless_spin(v) : ++v->polls < op->a) {
		cpu_relax();
		return STEP_ON;
	}
	v->polls = 0;
	v->pc++;
	*reason = tick(v);
	return STEP_LEAVE;
}

static enum step leave(int result, int *reason)
{
	*reason = result;
	return result == 0 ? STEP_AGAIN : STEP_LEAVE;
}

static enum step step(struct stub_vcpu *v, const struct stub_op *op,
		      int *reason)
{
	switch (op->kind) {
	case STUB_END:
		return leave(tick(v), reason);
	case STUB_READ:
	case STUB_WRITE:
	case STUB_EXEC:
	case STUB_GREAD:
		return memory(v, op, reason);
	case STUB_PEEK:
		return leave(peek(v, op), reason);
	case STUB_WFI:
		return leave(wfi(v, op), reason);
	case STUB_HYPERCALL:
		return leave(hypercall(v, op), reason);
	case STUB_CPU_ON:
		return leave(cpu_on(v, op), reason);
	case STUB_CPU_OFF:
		return leave(switch_off(v), reason);
	case STUB_SYSTEM_OFF:
	case STUB_SYSTEM_RESET:
		return leave(system_event(v, op), reason);
	case STUB_SYSREG:
	case STUB_PORT:
	case STUB_UNKNOWN:
	case STUB_FAIL_ENTRY:
	case STUB_ERROR:
		return leave(special(v, op), reason);
	case STUB_SPIN:
		return spin(v, op, reason);
	case STUB_JUMP:
		v->pc = op->a;
		return STEP_ON;
	default:
		inside(v, op);
		return STEP_ON;
	}
}

/* One stay in the guest. True: enter again. */
static bool stay(struct stub_vcpu *v, unsigned *budget, int *reason)
{
	struct stub_pcpu *p = stub_here();

	for (;;) {
		const struct stub_op *op =
			v->ops == NULL ? &end_op : &v->ops[v->pc];
		void (*hook)(void *arg) = v->inside_hook;
		enum step how;

		v->inside_hook = NULL;
		if (hook != NULL)
			hook(v->inside_arg);
		/* The interrupt a kick raises comes between two steps. */
		if (atomic_exchange(&p->kicked, 0) != 0 ||
		    (op->kind != STUB_SPIN && (*budget)-- == 0)) {
			*reason = tick(v);
			return false;
		}
		how = step(v, op, reason);
		if (how != STEP_ON)
			return how == STEP_AGAIN;
	}
}

static void check_loaded(struct stub_vcpu *v)
{
	struct stub_pcpu *p = stub_here();
	struct axvm_vcpu *vcpu = &v->core;

	if (!stub_masked())
		stub_violate(p->m, "run with host interrupts on");
	if (p->loaded != v || vcpu->cpu == NULL ||
	    vcpu->cpu->index != p->index || vcpu->cpu->resident != vcpu)
		stub_violate(p->m, "run of a vCPU that is not loaded");
	STUB_HIDE();
	if (load_seq(&vcpu->state) != AXVM_VCPU_RUNNING)
		stub_violate(p->m, "run of a vCPU in state %u",
			     load_seq(&vcpu->state));
	STUB_SHOW();
}

int stub_vcpu_run(struct axvm_vcpu *vcpu)
{
	struct stub_vcpu *v = stub_vcpu(vcpu);
	uint64_t began = vcpu->vm->ops->counter();
	unsigned budget = BUDGET;
	int reason;

	check_loaded(v);
	if (vcpu->wait != 0)
		axvmi_complete(vcpu);
	v->spins = 0;
	for (;;) {
		reason = axvmi_enter(vcpu);
		if (reason != 0)
			break;
		stub_irq_check(v);
		if (!stay(v, &budget, &reason))
			break;
	}
	if (load_relaxed(&vcpu->where) != 0)
		stub_violate(stub_here()->m, "run returns while inside");
	axvmi_ran(vcpu, vcpu->vm->ops->counter() - began);
	return reason;
}

void stub_vcpu_complete(struct axvm_vcpu *vcpu,
			enum axvm_complete_action action, uint64_t value)
{
	struct stub_vcpu *v = stub_vcpu(vcpu);
	const struct stub_op *op = &v->ops[v->pc];

	check_loaded(v);
	/* The op is still the next one. */
	if (action == AXVM_COMPLETE_RETRY)
		return;
	if (action == AXVM_COMPLETE_FAULT) {
		if (vcpu->wait == AXVM_EXIT_CPU_ON)
			v->regs[0] = (uint64_t)(int64_t)AXVM_EPERM;
		give_fault(v);
		return;
	}
	if (vcpu->wait == AXVM_EXIT_CPU_ON ||
	    vcpu->wait == AXVM_EXIT_HYPERCALL) {
		v->regs[0] = value;
		v->pc++;
		return;
	}
	finish_access(v, op, value);
}
