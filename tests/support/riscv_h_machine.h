/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A RISC-V machine for host tests: the backend's pure half on the real core,
 * with a metal half that plays back traps instead of running a guest. The
 * vCPU's VS CSRs are its saved ones. To be included once per program.
 */
#ifndef AXVM_TEST_RISCV_H_MACHINE_H
#define AXVM_TEST_RISCV_H_MACHINE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axvm/arch.h"
#include "backend_machine.h"
#include "image.h"
#include "riscv_h/mmio.h"
#include "riscv_h/regs.h"
#include "riscv_h/vm.h"

#define RAM UINT64_C(0x80000000) /* ALLOC, RWX */
#define RAM_SIZE UINT64_C(0x100000)
#define ROM UINT64_C(0x90000000) /* ALLOC, RX */
#define DEMAND UINT64_C(0xa0000000) /* DEMAND, RW */
#define DEMAND_ROM UINT64_C(0xb0000000) /* DEMAND, R */
#define DEMAND_SIZE UINT64_C(0x4000)
#define PLIC UINT64_C(0x0c000000)
#define UART UINT64_C(0x10000000)
#define DEVICE UINT64_C(0x20000000) /* one page, every width */
#define WORDS UINT64_C(0x20001000) /* the next page, words only */
#define HOLE UINT64_C(0x30000000)
/* Where the guest is, and its trap vector. */
#define ENTRY (RAM + 0x100)
#define VECTOR UINT64_C(0xffffffff80001000)

#define MACHINE_FEATURES                                                    \
	(RISCV_FEATURE_SSTC | RISCV_FEATURE_SV39X4 | RISCV_FEATURE_SV48X4 | \
	 RISCV_FEATURE_FP | RISCV_FEATURE_VECTOR |                          \
	 (UINT64_C(14) << RISCV_FEATURE_VMID_SHIFT) |                       \
	 (UINT64_C(16) << RISCV_FEATURE_VLENB_SHIFT))

struct machine {
	MACHINE_MEMBERS(riscv_vcpu, riscv_syndrome);
	bool lazy; /* there is state to load */
	unsigned lazy_loads;
};

static struct machine m;

#include "backend_machine_calls.h"

/* ---- what the models ask for ---- */

/* Translates through the guest's tables: see axvmi_leave(). */
static bool machine_fetch(struct riscv_vcpu *v, uint32_t *insn)
{
	machine_require(load_seq(&v->core.where) != 0, "fetch from outside");
	m.fetches++;
	if (!m.unfetchable)
		*insn = m.insn;
	return !m.unfetchable;
}

static bool machine_lazy_load(struct riscv_vcpu *v)
{
	machine_require(load_seq(&v->core.where) == 0, "load from inside");
	m.lazy_loads++;
	return m.lazy;
}

static int machine_read_virtual(struct riscv_vcpu *v, uint64_t gva,
				uint64_t *value)
{
	(void)v;
	*value = gva;
	return AXVM_OK;
}

static uint64_t machine_deadline(struct riscv_vcpu *v)
{
	(void)v;
	return m.deadline;
}

static uint64_t machine_read_hvip(struct riscv_vcpu *v)
{
	return v->vs.hvip;
}

static void machine_restart(struct riscv_vcpu *v, uint64_t entry,
			    uint64_t argument)
{
	v->frame.pc = entry;
	v->frame.x[REG_A1] = argument;
}

static const struct riscv_metal machine_metal = {
	.fetch = machine_fetch,
	.lazy_load = machine_lazy_load,
	.read_guest_virtual = machine_read_virtual,
	.timer_deadline = machine_deadline,
	.read_hvip = machine_read_hvip,
	.restart = machine_restart,
};

/* ---- the hart ---- */

static int machine_vm_init(struct axvm_vm *vm)
{
	riscv_vm(vm)->metal = &machine_metal;
	return axvmi_riscv_vm_init(vm);
}

/* "Trap Entry into VS-mode", and what else models leave to the hart. */
static void machine_apply(struct riscv_vcpu *v)
{
	uint32_t effects = v->effects;

	v->effects = 0;
	v->vs.hvip = (v->vs.hvip & ~v->hvip_clear) | v->hvip_set;
	v->hvip_clear = 0;
	v->hvip_set = 0;
	if ((effects & RISCV_EFFECT_TRAP) == 0)
		return;
	v->vs.vsstatus =
		axvmi_riscv_trap_status(v->vs.vsstatus, v->frame.sstatus);
	v->vs.vsepc = v->frame.pc;
	v->vs.vscause = v->trap_cause;
	v->vs.vstval = v->trap_value;
	v->frame.pc = v->vs.vstvec & ~UINT64_C(3);
	v->frame.sstatus |= SSTATUS_SPP;
}

/* The short ways of page faults, as vcpu.c takes them. */
static bool machine_fault(struct riscv_vcpu *v, const struct riscv_syndrome *s,
			  int *done)
{
	uint64_t gpa = riscv_fault_gpa(s->stval, s->htval);
	bool write = s->cause == CAUSE_STORE_GUEST_PAGE;
	struct riscv_insn insn;

	if (m.long_way || !riscv_is_plain_access(s->cause, s->htinst))
		return false;
	if (!riscv_is_last_device(v, gpa - v->last.start) &&
	    !riscv_is_last_ram(v, gpa))
		axvmi_riscv_locate(v, gpa);
	if (!riscv_is_last_device(v, gpa - v->last.start)) {
		machine_require(riscv_is_last_ram(v, gpa), "neither");
		*done = axvmi_riscv_page_fault(v, s, v->last_ram);
		return true;
	}
	if (!riscv_mmio_decode(v, gpa, s->stval, m.unfetchable ? 0 : m.insn,
			       write, &insn))
		return false;
	m.short_ways++;
	*done = riscv_mmio(v, s, gpa, gpa - v->last.start, &insn, write);
	return true;
}

static int machine_trap(struct riscv_vcpu *v, const struct riscv_syndrome *s)
{
	struct riscv_frame before = v->frame;
	int reason;

	if (s->cause == CAUSE_ECALL_VS) {
		axvmi_leave(&v->core);
		v->frame.pc += 4;
		return axvmi_riscv_sbi_call(v);
	}
	if (!machine_fault(v, s, &reason))
		reason = axvmi_riscv_exit(v, s);
	/* s0-s11 stay in registers unless the handler says otherwise. */
	for (unsigned i = 0; i < 32 && reason == 0; i++)
		machine_require(v->frame.x[i] == before.x[i] ||
					(i >= REG_A0 && i < REG_A0 + 8),
				"a register is not loaded again");
	machine_require(load_seq(&v->core.where) == 0, "still inside");
	machine_require(v->frame.x[0] == 0, "x0 was written");
	return reason < 0 ? 0 : reason;
}

static int machine_run(struct axvm_vcpu *vcpu)
{
	struct riscv_vcpu *v = riscv_vcpu(vcpu);
	int reason;

	riscv_end_wait(v);
	reason = axvmi_enter(vcpu);
	while (reason == 0) {
		machine_apply(v);
		if (m.next == m.count) {
			axvmi_leave(vcpu);
			reason = AXVM_EXIT_IRQ;
			break;
		}
		reason = machine_trap(v, &m.steps[m.next++]);
		if (reason == 0)
			reason = axvmi_enter(vcpu);
	}
	if (vcpu->exit->pc == 0)
		vcpu->exit->pc = v->frame.pc;
	return reason;
}

static const struct axvm_arch_ops machine_ops = {
	.name = "riscv_h_machine",
	.cpu_size = sizeof(struct riscv_cpu),
	.vm_size = sizeof(struct riscv_vm),
	.vcpu_size = sizeof(struct riscv_vcpu),
	.line_first = 1,
	.line_count = VPLIC_SOURCES - 1,
	.interrupts_save = machine_interrupts_save,
	.interrupts_restore = machine_interrupts_restore,
	.cpu_enable = machine_cpu_enable,
	.cpu_disable = machine_cpu_disable,
	.tag_bits = axvmi_riscv_tag_bits,
	.counter = machine_counter,
	.s2_format = axvmi_riscv_choose_format,
	.emulates = axvmi_riscv_emulates,
	.vm_init = machine_vm_init,
	.vm_reset = axvmi_riscv_vm_reset,
	.vm_fini = axvmi_riscv_vm_fini,
	.vcpu_init = axvmi_riscv_vcpu_init,
	.vcpu_fini = axvmi_riscv_vcpu_fini,
	.vcpu_reset = axvmi_riscv_vcpu_reset,
	.vcpu_load = machine_load,
	.vcpu_put = machine_ignore,
	.vcpu_run = machine_run,
	.vcpu_complete = axvmi_riscv_complete,
	.get_reg = axvmi_riscv_get_reg,
	.set_reg = axvmi_riscv_set_reg,
	.line_targets = axvmi_riscv_line_targets,
	.irq_sync = axvmi_riscv_irq_sync,
	.irq_pending = machine_pending,
	.tlb_flush_local = machine_flush,
	.tlb_flush_all = machine_flush_all,
	.guest_stage_flush = machine_flush,
	.retag = machine_ignore,
	.sync_each_cpu = true,
	.machine = IMAGE_MACHINE_RISCV64,
	.guest_tables = axvmi_riscv_write_tables,
};

/* A configuration to edit: RAM of four kinds, no emulated device. */
static inline void machine_new(uint64_t features)
{
	machine_base(&machine_ops, features, 1);
}

static inline void machine_create(void)
{
	machine_make();
}

static inline void machine_init(void)
{
	machine_create();
	machine_finish();
	m.v = riscv_vcpu(m.vm->vcpus[0]);
}

static inline void machine_boot(void)
{
	machine_init();
	machine_require(axvm_boot(m.vm) == AXVM_OK, "boot");
	m.v->vs.vstvec = VECTOR;
}

static inline void machine_queue(const struct riscv_syndrome *s)
{
	machine_require(m.count < MACHINE_STEPS, "too many steps");
	m.steps[m.count++] = *s;
}

#endif
