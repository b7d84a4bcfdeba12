/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The modelled machine: its CPUs, its host and the table of operations. Which
 * CPU a thread plays is thread-local.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "stub_internal.h"
#include "../../arch/arm_vhe/s2_format.h"
#include "../../arch/riscv_h/s2_format.h"
#include "../../arch/vmx/s2_format.h"

#define BLOCK_SIZE 96u

static _Thread_local struct stub_pcpu *here;
static _Thread_local uint64_t masked;
static _Thread_local uint64_t *cpu_mask; /* instead; see stub_switch() */
static atomic_u64 counter;
static atomic_u64 next_serial;

struct stub_pcpu *stub_here(void)
{
	return here;
}

static uint64_t *mask(void)
{
	return cpu_mask != NULL ? cpu_mask : &masked;
}

bool stub_masked(void)
{
	return *mask() != 0;
}

void stub_violate(struct stub_machine *m, const char *format, ...)
{
	char text[sizeof(m->first)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	pthread_mutex_lock(&m->lock);
	if (m->violations++ == 0)
		memcpy(m->first, text, sizeof(text));
	pthread_mutex_unlock(&m->lock);
	if (getenv("AXVM_STUB_ABORT") != NULL)
		abort();
}

/* ---- operations: CPU ---- */

static uint64_t interrupts_save(void)
{
	uint64_t before = *mask();

	*mask() = 1;
	return before;
}

static void interrupts_restore(uint64_t saved)
{
	if (*mask() == 0 && here != NULL)
		stub_violate(here->m, "interrupts restored twice");
	*mask() = saved;
}

static int cpu_enable(struct axvm_cpu *cpu)
{
	struct stub_machine *m = stub_of(cpu->host);

	if (m->refuse_cpu) {
		m->refuse_cpu = false;
		cpu->host->reason = "stub: told to refuse";
		return AXVM_ENOTSUP;
	}
	return AXVM_OK;
}

/* Its caches are empty afterwards, as after power-off. */
static void cpu_disable(struct axvm_cpu *cpu)
{
	struct stub_pcpu *p = &stub_of(cpu->host)->pcpu[cpu->index];

	if (p->loaded != NULL)
		stub_violate(p->m, "CPU %u disabled with a vCPU", p->index);
	memset(p->s2, 0, sizeof(p->s2));
	memset(p->walks, 0, sizeof(p->walks));
	memset(p->guest, 0, sizeof(p->guest));
	memset(p->lines, 0, sizeof(p->lines));
}

static unsigned tag_bits(const struct axvm_host *host)
{
	return stub_of(host)->config.tag_bits;
}

static bool emulates(uint32_t type)
{
	return type != AXVM_EMU_GITS;
}

static uint64_t read_counter(void)
{
	return load_relaxed(&counter);
}

static uint64_t read_cycles(const struct axvm_host *host)
{
	(void)host;
	return load_relaxed(&counter);
}

static int s2_format(const struct axvm_host *host, unsigned bits,
		     struct axvm_s2_format *format)
{
	static const struct vmx_ept_features ept = {
		.exec_only = true,
		.leaf_2m = true,
		.leaf_1g = true,
		.levels = 4,
		.hpa_bits = 46,
	};
	int err = AXVM_OK;

	switch (stub_of(host)->config.format) {
	case STUB_SV39X4:
		err = axvmi_riscv_s2_format(RISCV_HGATP_SV39X4, false, format);
		break;
	case STUB_SV48X4:
		err = axvmi_riscv_s2_format(RISCV_HGATP_SV48X4, true, format);
		break;
	case STUB_EPT:
		err = axvmi_vmx_s2_format(&ept, format);
		break;
	case STUB_ARM:
		err = axvmi_arm_s2_format(40, 44, format);
		break;
	}
	return err == AXVM_OK && format->gpa_bits < bits ? AXVM_ERANGE : err;
}

/* ---- operations: VM and vCPU ---- */

static int vm_init(struct axvm_vm *vm)
{
	struct stub_vm *s = stub_vm(vm);
	int err;

	s->block = axvmi_alloc(vm->host, BLOCK_SIZE, 8);
	if (s->block == NULL)
		return AXVM_ENOMEM;
	s->levels = 0;
	s->edges = 0;
	err = stub_pic_init(vm);
	if (err != AXVM_OK)
		axvmi_free(vm->host, s->block, BLOCK_SIZE);
	return err;
}

static void vm_reset(struct axvm_vm *vm)
{
	stub_vm(vm)->levels = 0;
	stub_vm(vm)->edges = 0;
}

static void vm_fini(struct axvm_vm *vm)
{
	stub_pic_fini(vm);
	axvmi_free(vm->host, stub_vm(vm)->block, BLOCK_SIZE);
	stub_vm(vm)->block = NULL;
}

static int vcpu_init(struct axvm_vcpu *vcpu)
{
	struct stub_vcpu *v = stub_vcpu(vcpu);

	v->block = axvmi_alloc(vcpu->vm->host, BLOCK_SIZE, 8);
	v->serial = atomic_fetch_add(&next_serial, 1) + 1;
	return v->block == NULL ? AXVM_ENOMEM : AXVM_OK;
}

static void vcpu_fini(struct axvm_vcpu *vcpu)
{
	axvmi_free(vcpu->vm->host, stub_vcpu(vcpu)->block, BLOCK_SIZE);
}

static void vcpu_reset(struct axvm_vcpu *vcpu, uint64_t entry,
		       uint64_t argument)
{
	struct stub_vcpu *v = stub_vcpu(vcpu);

	if (load_seq(&vcpu->resident) != 0)
		stub_violate(stub_of(vcpu->vm->host),
			     "reset of a resident vCPU");
	memset(v->regs, 0, sizeof(v->regs));
	v->regs[2] = entry;
	v->regs[3] = argument;
	v->pc = 0;
	v->csr = 0;
	v->asid = 0;
	v->table = 0;
	v->levels = 0;
	v->edges = 0;
	v->polls = 0;
	v->refaults = 0;
	v->epoch++;
	axvmi_notify(vcpu, AXVMI_ATTN_LINES);
}

static void check_masked(struct stub_pcpu *p, const char *what)
{
	if (!stub_masked())
		stub_violate(p->m, "%s with host interrupts on", what);
}

static void vcpu_load(struct axvm_vcpu *vcpu)
{
	struct stub_vcpu *v = stub_vcpu(vcpu);
	struct stub_pcpu *p = here;

	check_masked(p, "load");
	if (p->loaded != NULL || vcpu->cpu->index != p->index)
		stub_violate(p->m, "load onto CPU %u", p->index);
	atomic_fetch_add(&p->counters[STUB_LOADS], 1);
	p->loaded = v;
	p->csr = v->csr;
	p->time_offset = load_relaxed(&vcpu->vm->time_offset);
	p->tag = load_relaxed(&vcpu->vm->tag);
}

static void vcpu_put(struct axvm_vcpu *vcpu)
{
	struct stub_vcpu *v = stub_vcpu(vcpu);
	struct stub_pcpu *p = here;

	check_masked(p, "put");
	if (p->loaded != v || vcpu->cpu->index != p->index ||
	    load_seq(&vcpu->where) != 0)
		stub_violate(p->m, "put from CPU %u", p->index);
	atomic_fetch_add(&p->counters[STUB_PUTS], 1);
	v->csr = p->csr;
	p->csr = UINT64_C(0xdeadbeefdeadbeef);
	p->loaded = NULL;
	p->tag = 0;
}

static void retag(struct axvm_vcpu *vcpu)
{
	here->tag = load_relaxed(&vcpu->vm->tag);
}

static void clock_moved(struct axvm_vcpu *vcpu)
{
	check_masked(here, "clock_moved");
	if (here->loaded != stub_vcpu(vcpu))
		stub_violate(here->m, "the clock of a vCPU that is not loaded");
	here->time_offset = load_relaxed(&vcpu->vm->time_offset);
}

/* The lowest bit counts, the next one is raised again for ever. */
static void attend(struct axvm_vcpu *vcpu, uint32_t bits)
{
	if ((bits & AXVMI_ATTN_ARCH) != 0)
		stub_vcpu(vcpu)->attended++;
	if ((bits & AXVMI_ATTN_ARCH << 1) != 0)
		axvmi_notify(vcpu, AXVMI_ATTN_ARCH << 1);
}

static uint64_t *find_reg(struct axvm_vcpu *vcpu, uint32_t reg, int *err)
{
	struct stub_vcpu *v = stub_vcpu(vcpu);

	*err = AXVM_OK;
	if (reg == AXVM_REG_PC)
		return &v->pc;
	if (reg >= AXVM_REG_GPR(0) && reg < AXVM_REG_GPR(STUB_REGS))
		return &v->regs[reg - AXVM_REG_GPR(0)];
	*err = AXVM_ENOENT;
	if (reg != STUB_REG_CSR)
		return NULL;
	*err = load_seq(&vcpu->resident) != 0 ? AXVM_EBUSY : AXVM_OK;
	return &v->csr;
}

static int get_reg(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t *value)
{
	int err;
	const uint64_t *slot = find_reg(vcpu, reg, &err);

	if (err == AXVM_OK)
		*value = *slot;
	return err;
}

static int set_reg(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t value)
{
	int err;
	uint64_t *slot = find_reg(vcpu, reg, &err);

	if (err == AXVM_OK)
		*slot = value;
	return err;
}

/* ---- operations: memory ---- */

static void sync_guest_memory(void *start, uint64_t size)
{
	if (here != NULL)
		stub_shadow_sync(here->m, start, size);
}

static void sync_guest_code(void)
{
	if (here != NULL)
		stub_sync_code(here->m);
}

/* Something to find in guest memory. */
static int guest_tables(struct axvm_vm *vm, void *buffer, size_t size,
			size_t *used)
{
	const char text[] = "stub tables";

	(void)vm;
	if (size < sizeof(text))
		return AXVM_ENOSPC;
	memcpy(buffer, text, sizeof(text));
	*used = sizeof(text);
	return AXVM_OK;
}

static const struct axvm_register registers[] = {
	{"pc", AXVM_REG_PC},
	{"result", STUB_REG_RESULT},
	{"csr", STUB_REG_CSR},
};

static const struct axvm_arch_ops base_ops = {
	.name = "stub",
	.cpu_size = sizeof(struct axvm_cpu),
	.vm_size = sizeof(struct stub_vm),
	.vcpu_size = sizeof(struct stub_vcpu),
	.line_first = 1,
	.line_count = STUB_LINES,
	.vcpu_lines = STUB_VCPU_LINES,
	.buses = BIT64(AXVM_BUS_PORT) | BIT64(AXVM_BUS_SYSREG),
	.interrupts_save = interrupts_save,
	.interrupts_restore = interrupts_restore,
	.cpu_enable = cpu_enable,
	.cpu_disable = cpu_disable,
	.tag_bits = tag_bits,
	.emulates = emulates,
	.counter = read_counter,
	.cycles = read_cycles,
	.clock_moved = clock_moved,
	.s2_format = s2_format,
	.vm_init = vm_init,
	.vm_reset = vm_reset,
	.vm_fini = vm_fini,
	.vcpu_init = vcpu_init,
	.vcpu_fini = vcpu_fini,
	.vcpu_reset = vcpu_reset,
	.vcpu_load = vcpu_load,
	.vcpu_put = vcpu_put,
	.vcpu_run = stub_vcpu_run,
	.vcpu_complete = stub_vcpu_complete,
	.get_reg = get_reg,
	.set_reg = set_reg,
	.registers = registers,
	.register_count = sizeof(registers) / sizeof(registers[0]),
	.line_targets = stub_line_targets,
	.irq_sync = stub_irq_sync,
	.irq_pending = stub_irq_pending,
	.attend = attend,
	.tlb_flush_local = stub_tlb_flush_local,
	.tlb_flush_all = stub_tlb_flush_all,
	.guest_stage_flush = stub_guest_stage_flush,
	.retag = retag,
	.machine = IMAGE_MACHINE_RISCV64,
	.guest_tables = guest_tables,
};

/* ---- the machine ---- */

static void on_kick(void *arg, uint32_t cpu)
{
	struct stub_machine *m = arg;

	if (cpu < STUB_CPUS)
		store_seq(&m->pcpu[cpu].kicked, 1);
}

/* A freed frame that is taken again is as good as never synced. */
static void free_and_forget(void *ctx, void *ptr, size_t size)
{
	struct test_hal *t = ctx;
	struct stub_machine *m = t->arg;

	if (m->config.poc_sync && ((uintptr_t)ptr & (PAGE_SIZE_4K - 1)) == 0)
		stub_shadow_drop(m, ptr, size);
	m->free(ctx, ptr, size);
}

struct stub_machine *stub_new_bare(const struct stub_config *config)
{
	struct stub_machine *m = calloc(1, sizeof(*m));

	if (m == NULL)
		abort();
	m->config = *config;
	pthread_mutex_init(&m->lock, NULL);
	for (unsigned i = 0; i < STUB_CPUS; i++) {
		pthread_mutex_init(&m->pcpu[i].lock, NULL);
		m->pcpu[i].m = m;
		m->pcpu[i].index = i;
	}
	m->t = test_hal_new();
	m->t->arg = m;
	m->t->on_kick = on_kick;
	m->free = m->t->hal.free;
	m->t->hal.free = free_and_forget;
	m->ops = base_ops;
	m->ops.sync_each_cpu = config->sync_each_cpu;
	if (config->broadcast)
		m->ops.tlb_flush_range = stub_tlb_flush_range;
	if (config->poc_sync)
		m->ops.sync_guest_memory = sync_guest_memory;
	if (config->sync_broadcast)
		m->ops.sync_guest_code = sync_guest_code;
	if (config->no_tables)
		m->ops.guest_tables = NULL;
	if (config->no_kick)
		m->t->hal.kick = NULL;
	if (config->poc_sync)
		stub_shadow_new(m);
	stub_be(m, 0);
	return m;
}

int stub_host(struct stub_machine *m)
{
	unsigned max_cpus = m->config.max_cpus;

	return axvm_host_create(&m->t->hal, &m->ops,
				max_cpus != 0 ? max_cpus : STUB_CPUS, &m->host);
}

struct stub_machine *stub_new(const struct stub_config *config)
{
	struct stub_machine *m = stub_new_bare(config);
	unsigned cpus = config->cpus == 0 ? 1 : config->cpus;

	if (stub_host(m) != AXVM_OK)
		abort();
	for (unsigned i = 0; i < cpus; i++) {
		if (stub_cpu_enable(m, i) != AXVM_OK)
			abort();
	}
	stub_be(m, 0);
	return m;
}

bool stub_delete(struct stub_machine *m)
{
	bool good = true;

	for (unsigned i = 0; i < STUB_CPUS; i++) {
		if (m->cpus[i] != NULL && stub_cpu_disable(m, i) != AXVM_OK)
			good = false;
	}
	if (m->host != NULL && axvm_host_destroy(m->host) != AXVM_OK)
		good = false;
	good = test_hal_check_no_leaks(m->t) && good;
	if (m->violations != 0) {
		fprintf(stderr, "# stub: %u violations, first: %s\n",
			m->violations, m->first);
		good = false;
	}
	if (m->shadow != NULL)
		stub_shadow_delete(m);
	test_hal_delete(m->t);
	for (unsigned i = 0; i < STUB_CPUS; i++)
		pthread_mutex_destroy(&m->pcpu[i].lock);
	pthread_mutex_destroy(&m->lock);
	here = NULL;
	free(m);
	return good;
}

void stub_be(struct stub_machine *m, unsigned cpu)
{
	here = &m->pcpu[cpu];
	cpu_mask = NULL;
	test_hal_set_cpu(cpu);
}

void stub_switch(struct stub_machine *m, unsigned cpu)
{
	stub_be(m, cpu);
	cpu_mask = &here->masked;
}

void stub_set_counter(uint64_t ticks)
{
	store_relaxed(&counter, ticks);
}
