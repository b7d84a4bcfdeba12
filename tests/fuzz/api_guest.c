/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The reference's guest. Once run has returned, the model goes through the
 * program op by op and tells which exit had to come, with which fields.
 */
#include "api_model.h"

#define PIC UINT64_C(0x0c000000)
#define PIC_SIZE UINT64_C(0x1000)
#define WORDS 32u

/* ---- memory as the guest will see it ---- */

static struct {
	uint64_t hpa, value;
} words[WORDS];
static unsigned word_count;

/* Frames that do not exist yet are named by their page in the guest. */
static uint64_t word_name(struct model_vm *v, uint64_t gpa)
{
	const struct model_page *page = model_page(v, gpa);

	if (page == NULL || !page->mapped)
		return gpa | 1;
	return (page->hpa & ~(PAGE - 1)) | (gpa & (PAGE - 1));
}

static uint64_t *word_at(struct fuzz *f, uint64_t name)
{
	unsigned i = 0;

	while (i < word_count && words[i].hpa != name)
		i++;
	require(f, i < WORDS);
	if (i == word_count) {
		words[i].hpa = name;
		words[i].value = 0;
		word_count++;
	}
	return &words[i].value;
}

void guest_snapshot(struct fuzz *f, struct model_vm *v, uint32_t vcpu)
{
	const struct model_vcpu *c = &v->vcpus[vcpu];

	word_count = 0;
	for (unsigned i = 0; i < PROGRAM; i++) {
		uint64_t name = word_name(v, c->program[i].a);

		if (c->program[i].kind > STUB_EXEC &&
		    c->program[i].kind != STUB_PEEK)
			continue;
		if ((name & 1) == 0)
			*word_at(f, name) = *(const uint64_t *)test_hal_virt(
				f->t, axvm_to_hpa(name));
	}
}

/* ---- exits that wait ---- */

static void finish_access(struct model_vcpu *c, uint64_t value)
{
	if (c->program[c->pc].kind != STUB_WRITE)
		c->regs[1] = value;
	c->pc++;
}

static void default_answer(struct model_vcpu *c)
{
	c->action = AXVM_COMPLETE_DONE;
	c->answer = UINT64_MAX;
	if (c->wait == AXVM_EXIT_SYSREG)
		c->action = AXVM_COMPLETE_FAULT;
	if (c->wait == AXVM_EXIT_FAULT)
		c->action = c->fault_kind == AXVM_FAULT_NO_MEMORY
				    ? AXVM_COMPLETE_RETRY
				    : AXVM_COMPLETE_FAULT;
}

static void start_other(struct model_vm *v, struct model_vcpu *c)
{
	struct model_vcpu *target = &v->vcpus[c->on_target];

	target->starting = false;
	if (c->action != AXVM_COMPLETE_DONE)
		return;
	c->answer = 0;
	target->state = AXVM_VCPU_READY;
	target->start_pending = true;
	target->entry = c->on_entry;
}

static void complete(struct model_vm *v, struct model_vcpu *c)
{
	uint32_t wait = c->wait;

	if (!c->answered)
		default_answer(c);
	if (wait == AXVM_EXIT_CPU_ON)
		start_other(v, c);
	c->wait = 0;
	c->answered = false;
	if (c->action == AXVM_COMPLETE_RETRY)
		return;
	if (c->action == AXVM_COMPLETE_FAULT) {
		if (wait == AXVM_EXIT_CPU_ON)
			c->regs[0] = (uint64_t)(int64_t)AXVM_EPERM;
		c->pc++;
	} else if (wait == AXVM_EXIT_CPU_ON || wait == AXVM_EXIT_HYPERCALL) {
		c->regs[0] = c->answer;
		c->pc++;
	} else {
		finish_access(c, c->answer);
	}
}

void guest_enter(struct fuzz *f, uint32_t cpu, struct model_vm *v,
		 uint32_t vcpu)
{
	struct model_vcpu *c = &v->vcpus[vcpu];

	f->cpus[cpu].running = true;
	c->state = AXVM_VCPU_RUNNING;
	if (v->state != AXVM_VM_RUNNING)
		return;
	if (c->start_pending)
		model_start(c, c->entry, c->entry + 1);
	model_load(f, cpu, v, vcpu);
	if (c->wait != 0)
		complete(v, c);
	c->taken |= c->edges;
	c->edges = 0;
}

/* ---- one op; 0 or the reason for which run must return ---- */

struct guest {
	struct fuzz *f;
	struct model_vm *v;
	struct model_vcpu *c;
	uint32_t index;
	const struct axvm_exit *exit;
	uint64_t pc; /* where it is now */
	uint32_t *served; /* exits after which it went in again */
};

static uint32_t fault(const struct guest *g, uint64_t gpa, uint32_t access,
		      enum axvm_fault_kind kind)
{
	require(g->f, (g->exit->valid & AXVM_EXIT_GPA_VALID) != 0);
	require(g->f, g->exit->gpa == gpa);
	require(g->f, g->exit->u.fault.access == access);
	require(g->f, g->exit->u.fault.kind == (uint32_t)kind);
	return AXVM_EXIT_FAULT;
}

static uint32_t mmio_exit(const struct guest *g, const struct stub_op *op)
{
	const struct axvm_exit *exit = g->exit;
	bool write = op->kind == STUB_WRITE;

	require(g->f, (exit->valid & AXVM_EXIT_GPA_VALID) != 0);
	require(g->f, exit->gpa == op->a && exit->u.mmio.size == 8);
	require(g->f, exit->u.mmio.write == write);
	require(g->f, exit->u.mmio.value == (write ? op->b : 0));
	return AXVM_EXIT_MMIO;
}

/* As device_access() in api_device_calls.c has it. */
static uint32_t device(const struct guest *g, struct model_device *d,
		       const struct stub_op *op)
{
	const struct axvm_device_range *r = &d->device.ranges[0];
	uint64_t offset = op->a - r->base;
	uint64_t before = model_levels(g->v);

	if ((r->widths & 8) == 0 || offset % 8 != 0 || r->size - offset < 8 ||
	    offset == 8) {
		g->c->pc++;
		return 0;
	}
	if (offset == 16)
		return mmio_exit(g, op);
	if (op->kind != STUB_WRITE) {
		finish_access(g->c, d->expected);
		return 0;
	}
	d->expected = op->b;
	if (offset == 24) {
		g->v->host_levels &= ~(UINT64_C(1) << 9);
		g->v->host_levels |= (op->b & 1) << 9;
		model_line_changed(g->f, g->v, before);
	}
	finish_access(g->c, 0);
	return 0;
}

static uint32_t pic(const struct guest *g, const struct stub_op *op)
{
	if (op->a != PIC) {
		g->c->pc++;
	} else if (op->kind == STUB_WRITE) {
		g->v->edges &= ~op->b;
		finish_access(g->c, 0);
	} else {
		finish_access(g->c, model_levels(g->v) | g->v->edges);
	}
	return 0;
}

static uint32_t outside_ram(const struct guest *g, const struct stub_op *op)
{
	struct model_device *d = model_device_at(g->v, op->a);

	if (op->kind == STUB_EXEC) {
		g->c->pc++;
		return 0;
	}
	if (d != NULL)
		return device(g, d, op);
	if (g->v->pic && op->a - PIC < PIC_SIZE)
		return pic(g, op);
	return mmio_exit(g, op);
}

static void touch(const struct guest *g, const struct stub_op *op)
{
	uint64_t *word = word_at(g->f, word_name(g->v, op->a));

	if (op->kind == STUB_WRITE)
		*word = op->b;
	finish_access(g->c, *word);
}

static uint32_t memory(const struct guest *g, const struct stub_op *op)
{
	const struct model_region *r = model_region(g->v, op->a);
	struct model_page *page = model_page(g->v, op->a);
	uint32_t access = AXVM_READ;

	if (op->kind == STUB_WRITE)
		access = AXVM_WRITE;
	if (op->kind == STUB_EXEC)
		access = AXVM_EXEC;
	if (r == NULL) {
		uint32_t reason = outside_ram(g, op);

		*g->served += reason == 0;
		return reason;
	}
	if ((r->config.access & access) == 0 ||
	    (page->mapped && (page->access & access) == 0))
		return fault(g, op->a, access, AXVM_FAULT_PERMISSION);
	if (!page->mapped && r->config.kind != AXVM_REGION_DEMAND)
		return fault(g, op->a, access, AXVM_FAULT_UNMAPPED);
	if (!page->mapped && g->f->starved &&
	    g->exit->reason == AXVM_EXIT_FAULT &&
	    g->exit->u.fault.kind == AXVM_FAULT_NO_MEMORY)
		return fault(g, op->a, access, AXVM_FAULT_NO_MEMORY);
	if (!page->mapped) {
		model_filled(g->f, g->v, op->a);
		++*g->served;
	}
	touch(g, op);
	return 0;
}

static void peek(const struct guest *g, const struct stub_op *op)
{
	const struct model_page *page = model_page(g->v, op->a);

	++*g->served;
	g->c->regs[1] = UINT64_MAX;
	if (page != NULL && page->mapped && (page->access & AXVM_READ) != 0)
		g->c->regs[1] = *word_at(g->f, word_name(g->v, op->a));
	g->c->pc++;
}

static uint32_t wfi(const struct guest *g, const struct stub_op *op)
{
	g->c->pc++;
	if (model_pending(g->v, g->index) != 0) {
		++*g->served;
		return 0;
	}
	require(g->f, g->exit->u.halt.deadline == op->a);
	g->c->state = AXVM_VCPU_BLOCKED;
	return AXVM_EXIT_HALT;
}

static uint32_t cpu_on(const struct guest *g, const struct stub_op *op)
{
	struct model_vcpu *target = &g->v->vcpus[op->a % VCPUS];
	int err = AXVM_OK;

	if (op->a >= g->v->vcpu_count)
		err = AXVM_ENOENT;
	else if (target->state != AXVM_VCPU_OFF)
		err = AXVM_EEXIST;
	else if (target->starting)
		err = AXVM_EBUSY;
	if (err != AXVM_OK) {
		g->c->regs[0] = (uint64_t)(int64_t)err;
		g->c->pc++;
		++*g->served;
		return 0;
	}
	require(g->f, g->exit->u.cpu_on.vcpu == op->a);
	require(g->f, g->exit->u.cpu_on.entry == op->b);
	require(g->f, g->exit->u.cpu_on.argument == op->b + 1);
	target->starting = true;
	g->c->on_target = (uint32_t)op->a;
	g->c->on_entry = op->b;
	return AXVM_EXIT_CPU_ON;
}

static uint32_t system_event(const struct guest *g, const struct stub_op *op)
{
	require(g->f, g->exit->u.system.type == op->a);
	require(g->f, g->exit->u.system.code == op->b);
	model_stopping(g->f, g->v, g->index);
	return op->kind == STUB_SYSTEM_OFF ? AXVM_EXIT_SYSTEM_OFF
					   : AXVM_EXIT_SYSTEM_RESET;
}

static uint32_t special(const struct guest *g, const struct stub_op *op)
{
	switch (op->kind) {
	case STUB_HYPERCALL:
		require(g->f, g->exit->u.hypercall.number == op->a);
		require(g->f, g->exit->u.hypercall.args[0] == op->b);
		return AXVM_EXIT_HYPERCALL;
	case STUB_SYSREG:
		require(g->f, g->exit->u.sysreg.number == op->a);
		return AXVM_EXIT_SYSREG;
	case STUB_PORT:
		require(g->f, g->exit->u.port.port == op->a);
		return AXVM_EXIT_PORT;
	case STUB_FAIL_ENTRY:
		require(g->f, g->exit->u.fail_entry.code == op->a);
		g->c->pc++;
		return AXVM_EXIT_FAIL_ENTRY;
	case STUB_SPIN:
		g->c->pc++;
		return AXVM_EXIT_IRQ;
	case STUB_UNKNOWN:
		require(g->f, g->exit->u.fault.kind == AXVM_FAULT_UNKNOWN);
		return AXVM_EXIT_FAULT;
	case STUB_CPU_OFF:
		require(g->f, g->exit->u.halt.deadline == AXVM_NO_DEADLINE);
		g->c->pc++;
		g->c->state = AXVM_VCPU_OFF;
		return AXVM_EXIT_HALT;
	default:
		return AXVM_EXIT_IRQ;
	}
}

static void forget_edges(const struct guest *g)
{
	for (uint32_t line = 1; line < 64; line++) {
		if (line % g->v->vcpu_count == g->index)
			g->v->edges &= ~(UINT64_C(1) << line);
	}
	g->c->taken = 0;
	g->c->pc++;
}

static uint32_t step(const struct guest *g, const struct stub_op *op)
{
	struct model_vcpu *c = g->c;

	switch (op->kind) {
	case STUB_READ:
	case STUB_WRITE:
	case STUB_EXEC:
		return memory(g, op);
	case STUB_PEEK:
		peek(g, op);
		return 0;
	case STUB_WFI:
		return wfi(g, op);
	case STUB_CPU_ON:
		return cpu_on(g, op);
	case STUB_SYSTEM_OFF:
	case STUB_SYSTEM_RESET:
		return system_event(g, op);
	case STUB_IRQS:
		c->regs[1] = model_pending(g->v, g->index);
		c->pc++;
		return 0;
	case STUB_ACK:
		forget_edges(g);
		return 0;
	case STUB_SET:
		c->regs[op->a % STUB_REGS] = op->b;
		c->pc++;
		return 0;
	case STUB_CSR:
		c->csr = op->b;
		c->pc++;
		return 0;
	default:
		return special(g, op);
	}
}

/* ---- the whole run ---- */

/* What was there at the entry, or came while the guest was inside. */
static uint32_t called_out(const struct guest *g)
{
	if (g->v->state == AXVM_VM_SUSPENDED)
		return AXVM_EXIT_SUSPENDED;
	if (g->v->state != AXVM_VM_RUNNING)
		return AXVM_EXIT_STOPPED;
	/* A bound that is reached comes first; the kick stays for the next run. */
	if (g->c->kicked &&
	    (g->c->limit == 0 || g->exit->reason != AXVM_EXIT_YIELD)) {
		g->c->kicked = false;
		return AXVM_EXIT_KICKED;
	}
	/* Lines and such call it out too, and the host sees an interrupt. */
	if (g->f->hook_fired && g->exit->reason == AXVM_EXIT_IRQ &&
	    g->pc == g->c->pc)
		return AXVM_EXIT_IRQ;
	return 0;
}

/*
 * It left once more than its host allows: which exit that was cannot be seen,
 * but for where it is now.
 */
static bool bound_reached(const struct guest *g)
{
	const struct stub_op *op = &g->c->program[g->c->pc];
	struct axvm_mapping mapping;

	if (g->exit->reason != AXVM_EXIT_YIELD || g->pc != g->c->pc)
		return false;
	require(g->f, g->c->limit != 0);
	/* Filling its page was perhaps the last thing. */
	if (op->kind <= STUB_EXEC && op->kind != STUB_END &&
	    model_page(g->v, op->a) != NULL &&
	    !model_page(g->v, op->a)->mapped &&
	    axvm_query(g->v->vm, axvm_to_gpa(op->a), &mapping) == AXVM_OK)
		model_filled(g->f, g->v, op->a);
	return true;
}

static bool waits(uint32_t reason)
{
	return reason == AXVM_EXIT_MMIO || reason == AXVM_EXIT_PORT ||
	       reason == AXVM_EXIT_SYSREG || reason == AXVM_EXIT_HYPERCALL ||
	       reason == AXVM_EXIT_CPU_ON || reason == AXVM_EXIT_FAULT;
}

static void leave(struct fuzz *f, struct model_vm *v, uint32_t vcpu)
{
	struct model_vcpu *c = &v->vcpus[vcpu];
	uint32_t cpu = f->cpu;

	f->cpus[cpu].running = false;
	if (c->state == AXVM_VCPU_RUNNING)
		c->state = AXVM_VCPU_READY;
	if (c->cpu == cpu &&
	    (v->state == AXVM_VM_STOPPING || c->state == AXVM_VCPU_OFF))
		model_put(f, cpu);
	model_try_stopped(v);
}

void guest_left(struct fuzz *f, struct model_vm *v, uint32_t vcpu,
		const struct axvm_exit *exit)
{
	uint32_t served = 0;
	struct guest g = {f, v, &v->vcpus[vcpu], vcpu, exit, 0, &served};
	uint32_t reason;

	trace(axvm_exit_name(exit->reason));
	require(f,
		axvm_vcpu_get_reg(v->vm, vcpu, AXVM_REG_PC, &g.pc) == AXVM_OK);
	reason = called_out(&g);
	while (reason == 0 && !bound_reached(&g))
		reason = step(&g, &g.c->program[g.c->pc]);
	if (reason == 0)
		reason = AXVM_EXIT_YIELD;
	else
		require(f, g.c->limit == 0 || served < g.c->limit);
	require(f, exit->reason == reason);
	require(f, exit->vcpu == vcpu);
	require(f, exit->seq > g.c->seq);
	g.c->seq = exit->seq;
	if (waits(reason)) {
		g.c->wait = reason;
		g.c->answered = false;
		g.c->fault_kind = exit->u.fault.kind;
	} else if (g.c->wait != 0) {
		/* It did not run; how the exit before ends is settled. */
		if (!g.c->answered)
			default_answer(g.c);
		g.c->answered = true;
	}
	leave(f, v, vcpu);
}

void guest_failed(struct fuzz *f, struct model_vm *v, uint32_t vcpu, int err)
{
	static struct axvm_exit none;
	uint32_t served = 0;
	struct guest g = {f, v, &v->vcpus[vcpu], vcpu, &none, 0, &served};
	const struct stub_op *op;

	require(f, called_out(&g) == 0);
	for (;;) {
		op = &g.c->program[g.c->pc];
		if (op->kind == STUB_ERROR)
			break;
		require(f, step(&g, op) == 0);
	}
	require(f, err == (int)op->a);
	g.c->pc++;
	leave(f, v, vcpu);
}
