/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* What tests ask of the modelled machine: CPUs, programs, counts. */
#include <stdlib.h>

#include "stub_internal.h"

struct axvm_host *stub_get_host(struct stub_machine *m)
{
	return m->host;
}

struct axvm_cpu *stub_cpu(struct stub_machine *m, unsigned cpu)
{
	return m->cpus[cpu];
}

struct test_hal *stub_hal(struct stub_machine *m)
{
	return m->t;
}

const struct axvm_arch_ops *stub_ops(struct stub_machine *m)
{
	return &m->ops;
}

int stub_cpu_enable(struct stub_machine *m, unsigned cpu)
{
	stub_be(m, cpu);
	return axvm_cpu_enable(m->host, cpu, 100 + cpu, &m->cpus[cpu]);
}

int stub_cpu_disable(struct stub_machine *m, unsigned cpu)
{
	int err;

	stub_be(m, cpu);
	err = axvm_cpu_disable(m->cpus[cpu]);
	if (err == AXVM_OK)
		m->cpus[cpu] = NULL;
	return err;
}

int stub_run(struct stub_machine *m, unsigned cpu, struct axvm_vm *vm,
	     uint32_t vcpu, struct axvm_exit *exit)
{
	stub_be(m, cpu);
	return axvm_run_vcpu(m->cpus[cpu], vm, vcpu, exit);
}

void stub_program(struct axvm_vm *vm, uint32_t vcpu, const struct stub_op *ops)
{
	struct stub_vcpu *v = stub_vcpu(vm->vcpus[vcpu]);

	v->ops = ops;
	v->pc = 0;
}

uint64_t stub_reg(struct axvm_vm *vm, uint32_t vcpu, uint32_t reg)
{
	uint64_t value = 0;

	if (axvm_vcpu_get_reg(vm, vcpu, reg, &value) != AXVM_OK)
		abort();
	return value;
}

uint64_t stub_faults(struct axvm_vm *vm, uint32_t vcpu)
{
	return stub_vcpu(vm->vcpus[vcpu])->faults;
}

void stub_outside(struct axvm_vm *vm, uint32_t vcpu, void (*hook)(void *arg),
		  void *arg)
{
	struct stub_vcpu *v = stub_vcpu(vm->vcpus[vcpu]);

	v->halt_hook = hook;
	v->halt_arg = arg;
}

void stub_inside(struct axvm_vm *vm, uint32_t vcpu, void (*hook)(void *arg),
		 void *arg)
{
	struct stub_vcpu *v = stub_vcpu(vm->vcpus[vcpu]);

	v->inside_hook = hook;
	v->inside_arg = arg;
}

void stub_host_synced(struct stub_machine *m, struct axvm_hpa hpa,
		      uint64_t size)
{
	if (m->config.poc_sync)
		stub_shadow_sync(m, test_hal_virt(m->t, hpa), size);
}

unsigned stub_violations(struct stub_machine *m)
{
	unsigned count;

	pthread_mutex_lock(&m->lock);
	count = m->violations;
	pthread_mutex_unlock(&m->lock);
	return count;
}

const char *stub_violation(struct stub_machine *m)
{
	return m->first;
}

void stub_forgive(struct stub_machine *m)
{
	pthread_mutex_lock(&m->lock);
	m->violations = 0;
	m->first[0] = '\0';
	pthread_mutex_unlock(&m->lock);
}

uint64_t stub_count(struct stub_machine *m, unsigned cpu,
		    enum stub_counter which)
{
	return load_seq(&m->pcpu[cpu].counters[which]);
}

void stub_refuse_cpu(struct stub_machine *m)
{
	m->refuse_cpu = true;
}
