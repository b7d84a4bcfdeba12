/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Calls of vcpu.h and irq.h. */
#include "api_model.h"

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* ---- run ---- */

static struct {
	struct model_vm *v;
	uint32_t vcpu;
} inside;

/* The guest is inside: another CPU calls. */
static void while_inside(void *arg)
{
	struct fuzz *f = arg;
	struct model_vm *v = inside.v;
	uint32_t vcpu = inside.vcpu;
	uint32_t cpu = f->cpu;

	f->cpu = (cpu + take8(f)) % CPUS;
	f->depth = 1;
	stub_be(f->m, f->cpu);
	call_one(f);
	check_all(f);
	f->depth = 0;
	f->cpu = cpu;
	stub_be(f->m, cpu);
	guest_snapshot(f, v, vcpu);
	f->hook_fired = true;
}

static uint32_t errors_of_run(const struct fuzz *f, const struct model_vm *v,
			      uint32_t vcpu, uint32_t cpu)
{
	const struct model_vcpu *c = &v->vcpus[vcpu % VCPUS];
	uint32_t errors = errors_of_vcpu(v, vcpu);

	if (!f->cpus[cpu].enabled)
		errors |= E(AXVM_EINVAL);
	if (v->vm != NULL &&
	    (v->state == AXVM_VM_LOADING || v->state == AXVM_VM_LOADED))
		errors |= E(AXVM_ESTATE);
	if (errors != 0)
		return errors;
	if (f->cpus[cpu].running || c->state == AXVM_VCPU_RUNNING ||
	    (c->cpu != NOBODY && c->cpu != cpu))
		errors |= E(AXVM_EBUSY);
	return errors;
}

static void run_refused(struct fuzz *f, struct model_vm *v, uint32_t vcpu,
			uint32_t cpu, uint32_t errors)
{
	struct axvm_exit exit, untouched;

	memset(&exit, 0xee, sizeof(exit));
	untouched = exit;
	CALL(f, errors, stub_run(f->m, cpu, v->vm, vcpu, &exit));
	require(f, memcmp(&exit, &untouched, sizeof(exit)) == 0);
}

static void run_off(struct fuzz *f, struct model_vm *v, uint32_t vcpu,
		    uint32_t cpu)
{
	struct axvm_exit exit;

	CALL(f, 0, stub_run(f->m, cpu, v->vm, vcpu, &exit));
	if (v->state == AXVM_VM_SUSPENDED) {
		require(f, exit.reason == AXVM_EXIT_SUSPENDED);
	} else if (v->state == AXVM_VM_RUNNING) {
		require(f, exit.reason == AXVM_EXIT_HALT);
		require(f, exit.u.halt.deadline == AXVM_NO_DEADLINE);
	} else {
		require(f, exit.reason == AXVM_EXIT_STOPPED);
	}
	require(f, exit.vcpu == vcpu);
	model_try_stopped(v);
}

static void run_guest(struct fuzz *f, struct model_vm *v, uint32_t vcpu,
		      uint32_t cpu)
{
	bool hook = f->depth == 0 && f->starve == 0 && (take8(f) & 1) != 0;
	uint32_t caller = f->cpu;
	struct axvm_exit exit;
	int err;

	/* A guest that is through begins anew, mostly. */
	if (v->vcpus[vcpu].wait == 0 && take8(f) < 224 &&
	    v->vcpus[vcpu].program[v->vcpus[vcpu].pc].kind == STUB_END)
		guest_program(f, v, vcpu);
	begin(f, "axvm_run_vcpu");
	f->cpu = cpu;
	f->hook_fired = false;
	guest_enter(f, cpu, v, vcpu);
	guest_snapshot(f, v, vcpu);
	if (hook) {
		inside.v = v;
		inside.vcpu = vcpu;
		stub_inside(v->vm, vcpu, while_inside, f);
	}
	err = stub_run(f->m, cpu, v->vm, vcpu, &exit);
	f->call = "axvm_run_vcpu";
	f->starved = f->starve != 0 && test_hal_failed(f->t);
	f->starve = 0;
	stub_inside(v->vm, vcpu, NULL, NULL);
	if (err == AXVM_OK)
		guest_left(f, v, vcpu, &exit);
	else
		guest_failed(f, v, vcpu, err);
	f->cpu = caller;
}

static void call_run(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);
	uint32_t which = take8(f);
	uint32_t cpu = which % CPUS;
	uint32_t errors;

	/* Mostly one that can run, where it can. */
	if (which < 224 && vcpu < model_vcpus(v) &&
	    v->vcpus[vcpu].state == AXVM_VCPU_OFF)
		vcpu = 0;
	if (which < 224 && vcpu < model_vcpus(v) &&
	    v->vcpus[vcpu].cpu != NOBODY)
		cpu = v->vcpus[vcpu].cpu;
	errors = errors_of_run(f, v, vcpu, cpu);
	/* Guests may or may not see edits that are not committed. */
	if (v->batch_dirty)
		return;
	if (errors != 0)
		run_refused(f, v, vcpu, cpu, errors);
	else if (v->vcpus[vcpu].state == AXVM_VCPU_OFF)
		run_off(f, v, vcpu, cpu);
	else
		run_guest(f, v, vcpu, cpu);
}

/* ---- between runs ---- */

static void call_kick(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);

	if (CALL(f, errors_of_vcpu(v, vcpu), axvm_vcpu_kick(v->vm, vcpu))) {
		v->vcpus[vcpu].kicked = true;
		model_notify(f, v, vcpu);
	}
}

static void call_complete(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);
	struct model_vcpu *c = &v->vcpus[vcpu % VCPUS];
	uint32_t how = take8(f);
	uint32_t action = how & 3;
	uint64_t seq = c->seq + ((how & 0xc0) == 0xc0);
	uint64_t value = take8(f);
	uint32_t errors = errors_of_vcpu(v, vcpu);

	if (action > AXVM_COMPLETE_RETRY)
		errors |= E(AXVM_EINVAL);
	if (errors == 0 && c->state == AXVM_VCPU_RUNNING)
		errors |= E(AXVM_EBUSY);
	if (c->wait == 0 || c->answered || seq != c->seq)
		errors |= E(AXVM_ENOENT);
	else if (c->wait == AXVM_EXIT_CPU_ON && action == AXVM_COMPLETE_RETRY)
		errors |= E(AXVM_EINVAL);
	if (!CALL(f, errors,
		  axvm_vcpu_complete(v->vm, vcpu, seq,
				     (enum axvm_complete_action)action, value)))
		return;
	c->answered = true;
	c->action = (enum axvm_complete_action)action;
	c->answer = value;
}

static void call_unbind(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);
	uint32_t cpu = pick_cpu(f);
	uint32_t errors = errors_of_vcpu(v, vcpu);

	if (!f->cpus[cpu].enabled)
		errors |= E(AXVM_EINVAL);
	else if (f->cpus[cpu].running)
		errors |= E(AXVM_EBUSY);
	stub_be(f->m, cpu);
	if (CALL(f, errors,
		 axvm_vcpu_unbind(stub_cpu(f->m, cpu), v->vm, vcpu)) &&
	    f->cpus[cpu].vm == v && f->cpus[cpu].vcpu == vcpu)
		model_put(f, cpu);
}

/* Registers that exist; api_check.c reads them all. */
static void call_set_reg(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);
	struct model_vcpu *c = &v->vcpus[vcpu % VCPUS];
	uint32_t which = take8(f) % (STUB_REGS + 3);
	uint64_t value = take8(f);
	uint64_t *slot = &c->regs[which % STUB_REGS];
	uint32_t reg = AXVM_REG_GPR(which);
	uint32_t errors = errors_of_vcpu(v, vcpu);

	if (which == STUB_REGS) {
		reg = AXVM_REG_PC;
		value %= PROGRAM;
		slot = &c->pc;
	} else if (which == STUB_REGS + 1) {
		reg = STUB_REG_CSR;
		slot = &c->csr;
	} else if (which > STUB_REGS) {
		errors |= E(AXVM_ENOENT);
	}
	if (v->vm != NULL && v->state == AXVM_VM_LOADING)
		errors |= E(AXVM_ESTATE);
	if (c->state == AXVM_VCPU_RUNNING ||
	    (reg == STUB_REG_CSR && c->cpu != NOBODY))
		errors |= E(AXVM_EBUSY);
	if (CALL(f, errors, axvm_vcpu_set_reg(v->vm, vcpu, reg, value)))
		*slot = value;
}

static void call_get_reg(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);
	bool null = (take8(f) & 1) != 0;
	uint32_t errors = errors_of_vcpu(v, vcpu) | E(AXVM_ENOENT);
	uint64_t value = 7;

	if (null)
		errors |= E(AXVM_EINVAL);
	if (v->vm != NULL && v->state == AXVM_VM_LOADING)
		errors |= E(AXVM_ESTATE);
	if (v->vcpus[vcpu % VCPUS].state == AXVM_VCPU_RUNNING)
		errors |= E(AXVM_EBUSY);
	CALL(f, errors,
	     axvm_vcpu_get_reg(v->vm, vcpu, AXVM_REG_GPR(77),
			       null ? NULL : &value));
	require(f, value == 7);
}

static void call_stats(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);
	struct axvm_vcpu_stats stats;
	uint64_t returns = 0;

	if (!CALL(f, errors_of_vcpu(v, vcpu),
		  axvm_vcpu_get_stats(v->vm, vcpu, &stats)))
		return;
	for (uint32_t i = 0; i < AXVM_EXIT_REASONS; i++)
		returns += stats.returns[i];
	require(f, returns == v->vcpus[vcpu].seq);
}

static void call_program(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);

	if (errors_of_vcpu(v, vcpu) == 0)
		guest_program(f, v, vcpu);
}

const struct api_call vcpu_calls[] = {
	{"run", call_run, true},	  {"run", call_run, true},
	{"run", call_run, true},	  {"run", call_run, true},
	{"run", call_run, true},	  {"complete", call_complete, true},
	{"kick", call_kick, true},	  {"unbind", call_unbind, true},
	{"program", call_program, false}, {"run", call_run, true},
	{"set_reg", call_set_reg, true},  {"get_reg", call_get_reg, true},
	{"get_stats", call_stats, true},
};
const size_t vcpu_call_count = ELEMENTS(vcpu_calls);

/* ---- irq.h ---- */

static uint32_t errors_of_line(const struct model_vm *v, uint32_t line)
{
	uint32_t errors = 0;

	if (v->vm == NULL)
		return E(AXVM_EINVAL);
	if (line == 0 || line > STUB_LINES)
		errors |= E(AXVM_ENOENT);
	if (v->state == AXVM_VM_LOADING)
		errors |= E(AXVM_ESTATE);
	return errors;
}

static uint32_t pick_line(struct fuzz *f)
{
	static const uint32_t wrong[] = {64, 1023, 1024, UINT32_MAX};
	uint32_t line = take8(f);

	return line < 72 ? line : line < 248 ? line % 8 : wrong[line & 3];
}

static void call_irq_set(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t line = pick_line(f);
	bool level = (take8(f) & 1) != 0;
	uint64_t before = model_levels(v);

	if (!CALL(f, errors_of_line(v, line), axvm_irq_set(v->vm, line, level)))
		return;
	v->host_levels &= ~(UINT64_C(1) << line);
	v->host_levels |= (uint64_t)level << line;
	model_line_changed(f, v, before);
}

static void call_source_set(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t which = take8(f) & 1;
	uint32_t line = pick_line(f);
	bool level = (take8(f) & 1) != 0;
	struct axvm_irq_source *source = &v->sources[which];
	uint64_t before = model_levels(v);

	if (v->vm == NULL) {
		CALL(f, E(AXVM_EINVAL), axvm_irq_source_set(NULL, level));
		return;
	}
	source->vm = v->vm;
	if (!v->source_levels[which])
		source->line = line;
	if (CALL(f, errors_of_line(v, source->line),
		 axvm_irq_source_set(source, level))) {
		v->source_levels[which] = level;
		model_line_changed(f, v, before);
	}
}

static bool is_private(uint32_t line)
{
	return line == 1 || line == 5 || line == 9;
}

static uint32_t errors_of_input(const struct model_vm *v, uint32_t vcpu,
				uint32_t line)
{
	uint32_t errors = errors_of_vcpu(v, vcpu);

	if (v->vm == NULL)
		return errors;
	if (!is_private(line))
		errors |= E(AXVM_ENOENT);
	if (v->state == AXVM_VM_LOADING)
		errors |= E(AXVM_ESTATE);
	return errors;
}

static uint32_t pick_private(struct fuzz *f)
{
	static const uint32_t lines[] = {1, 5, 9, 1, 5, 0, 33, UINT32_MAX};

	return lines[take8(f) & 7];
}

static void call_vcpu_irq_set(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);
	uint32_t line = pick_private(f);
	bool level = (take8(f) & 1) != 0;
	struct model_vcpu *c = &v->vcpus[vcpu % VCPUS];
	uint32_t before = c->levels;

	if (!CALL(f, errors_of_input(v, vcpu, line),
		  axvm_vcpu_irq_set(v->vm, vcpu, line, level)))
		return;
	c->levels &= ~(UINT32_C(1) << line);
	c->levels |= (uint32_t)level << line;
	if (c->levels != before)
		model_notify(f, v, vcpu);
}

static void call_inject_private(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);
	uint32_t line = pick_private(f) % 1000;

	if (!CALL(f, errors_of_input(v, vcpu, line),
		  axvm_inject(v->vm, vcpu, AXVM_PRIVATE_LINE + line)))
		return;
	v->vcpus[vcpu].edges |= UINT32_C(1) << line;
	model_notify(f, v, vcpu);
}

static void call_inject(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);
	uint32_t line = pick_line(f) % AXVM_PRIVATE_LINE;

	if (!CALL(f, errors_of_line(v, line) | errors_of_vcpu(v, vcpu),
		  axvm_inject(v->vm, vcpu, line)))
		return;
	v->edges |= UINT64_C(1) << line;
	model_notify(f, v, line % v->vcpu_count);
}

const struct api_call irq_calls[] = {
	{"irq_set", call_irq_set, true},
	{"vcpu_irq_set", call_vcpu_irq_set, true},
	{"inject", call_inject, true},
	{"inject private", call_inject_private, true},
	{"irq_source_set", call_source_set, true},
};
const size_t irq_call_count = ELEMENTS(irq_calls);
