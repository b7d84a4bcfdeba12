/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * An ARM machine for host tests: the backend's exit half on the real core, with
 * a metal half that plays back exceptions instead of running a guest, and
 * stand-ins for the vGIC and the virtual timer that log. A vCPU's EL1 registers
 * are its saved ones. To be included once per program.
 */
#ifndef AXVM_TEST_ARM_VHE_MACHINE_H
#define AXVM_TEST_ARM_VHE_MACHINE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arm_vhe/mmio.h"
#include "arm_vhe/psci.h"
#include "arm_vhe/sysreg.h"
#include "arm_vhe/vm.h"
#include "backend_machine.h"
#include "image.h"

#define GICD UINT64_C(0x08000000)
#define GICR UINT64_C(0x080a0000)
#define UART UINT64_C(0x09000000)
#define DEVICE UINT64_C(0x0a000000) /* one page, every width */
#define WORDS UINT64_C(0x0a001000) /* the next page, words only */
#define HOLE UINT64_C(0x0b000000)
#define RAM UINT64_C(0x40000000) /* ALLOC, RWX */
#define RAM_SIZE UINT64_C(0x100000)
#define ROM UINT64_C(0x50000000) /* ALLOC, RX */
#define DEMAND UINT64_C(0x60000000) /* DEMAND, RW */
#define DEMAND_ROM UINT64_C(0x70000000) /* DEMAND, R */
#define DEMAND_SIZE UINT64_C(0x4000)
/* Where the guest is, its vectors, and what it maps: gpa + GVA. */
#define ENTRY (RAM + 0x100)
#define VECTORS UINT64_C(0xffff800010000800)
#define GVA UINT64_C(0xffff000000000000)
/* A register that the host has added, and one next to it. */
#define HOST_SYSREG SYSREG(3, 3, 15, 2, 0)

#define MACHINE_FEATURES                                                     \
	(FIELD_PUT(ARM_FEATURE_PA_BITS, UINT64_C(40)) | ARM_FEATURE_VMID16 | \
	 FIELD_PUT(ARM_FEATURE_LRS, UINT64_C(4)))

struct machine {
	MACHINE_MEMBERS(arm_vcpu, arm_syndrome);
	struct test_device registers;
	bool untranslatable;
	bool call_away; /* something comes up before the next halt */
	uint64_t ids[8][8]; /* ID registers of the CPU */
	uint64_t q[32][2];
	unsigned translates, fp_loads, reloads;

	/* The vGIC: what it was asked. */
	uint64_t gic[4];
	int gic_error;
	unsigned gic_resets, gic_offs, sgis, dirs;
	uint64_t sgi;
	unsigned sgi_group;
	uint32_t ppi_level;
	unsigned ppi_changes;
};

static struct machine m;

#include "backend_machine_calls.h"

/* ---- vGIC and virtual timer; the real ones with MACHINE_REAL_VGIC ---- */

#ifndef MACHINE_REAL_VGIC
int axvmi_arm_vgic_init(struct arm_vm *avm, uint64_t gicd, uint64_t gicd_size,
			uint64_t gicr, uint64_t gicr_size)
{
	const uint64_t asked[4] = {gicd, gicd_size, gicr, gicr_size};

	if (m.gic_error != AXVM_OK)
		return m.gic_error;
	memcpy(m.gic, asked, sizeof(asked));
	avm->vgic = (struct vgic *)(void *)m.gic;
	return AXVM_OK;
}

void axvmi_arm_vgic_fini(struct arm_vm *avm)
{
	avm->vgic = NULL;
}

void axvmi_arm_vgic_vcpu_reset(struct arm_vcpu *v)
{
	(void)v;
	m.gic_resets++;
}

void axvmi_arm_vgic_vcpu_off(struct arm_vcpu *v)
{
	(void)v;
	m.gic_offs++;
}

void axvmi_arm_gic_fold(struct arm_vcpu *v)
{
	(void)v;
}

void axvmi_arm_gic_fill(struct arm_vcpu *v)
{
	(void)v;
}

void axvmi_arm_set_ppi(struct arm_vcpu *v, uint32_t intid, bool level)
{
	machine_require(intid == ARM_PPI_CNTP, "PPI");
	m.ppi_level = level;
	m.ppi_changes++;
	v->effects |= ARM_EFFECT_VGIC;
}

void axvmi_arm_send_sgi(struct arm_vcpu *v, uint64_t value, unsigned group)
{
	(void)v;
	m.sgis++;
	m.sgi = value;
	m.sgi_group = group;
}

void axvmi_arm_write_dir(struct arm_vcpu *v, uint64_t value)
{
	(void)v;
	m.dirs++;
	m.sgi = value;
}

bool axvmi_arm_gic_pending(struct arm_vcpu *v)
{
	(void)v;
	return m.pending;
}

void axvmi_arm_irq_sync(struct axvm_vcpu *vcpu)
{
	(void)vcpu;
}

uint64_t axvmi_arm_line_targets(struct axvm_vm *vm, uint32_t line)
{
	(void)vm;
	(void)line;
	return 0;
}

bool axvmi_arm_vtimer_look(struct arm_vcpu *v)
{
	(void)v;
	return false;
}

void axvmi_arm_vtimer_sync(struct arm_vcpu *v)
{
	(void)v;
}

void axvmi_arm_vtimer_done(struct arm_vcpu *v)
{
	(void)v;
}

void axvmi_arm_vtimer_ended(struct arm_vcpu *v)
{
	(void)v;
}

uint64_t axvmi_arm_timer_deadline(struct arm_vcpu *v)
{
	if (m.call_away)
		axvmi_mark(&v->core, AXVMI_ATTN_LINES);
	m.call_away = false;
	return m.deadline;
}

#endif

/* ---- what the models ask for ---- */

static struct arm_vcpu *machine_resident(void)
{
	machine_require(m.cpu->resident != NULL, "no vCPU is resident");
	return arm_vcpu(m.cpu->resident);
}

static uint64_t machine_read_el1(enum arm_el1 reg)
{
	return machine_resident()->el1[reg];
}

static void machine_write_el1(enum arm_el1 reg, uint64_t value)
{
	machine_resident()->el1[reg] = value;
}

static uint64_t machine_read_id(unsigned crm, unsigned op2)
{
	return m.ids[crm][op2];
}

/* Both translate through the guest's tables: see axvmi_leave(). */
static bool machine_translate(struct arm_vcpu *v, uint64_t gva, uint64_t *gpa)
{
	machine_require(load_seq(&v->core.where) != 0, "look from outside");
	m.translates++;
	if (!m.untranslatable)
		*gpa = gva - GVA;
	return !m.untranslatable;
}

static bool machine_fetch(struct arm_vcpu *v, uint32_t *insn)
{
	machine_require(load_seq(&v->core.where) != 0, "fetch from outside");
	m.fetches++;
	if (!m.unfetchable)
		*insn = m.insn;
	return !m.unfetchable;
}

static void machine_fp_load(struct arm_vcpu *v)
{
	(void)v;
	m.fp_loads++;
}

static void machine_fp_read(struct arm_vcpu *v, unsigned n, uint64_t q[2])
{
	(void)v;
	machine_require(n < 32, "v register");
	memcpy(q, m.q[n], sizeof(m.q[n]));
}

static void machine_fp_write(struct arm_vcpu *v, unsigned n,
			     const uint64_t q[2])
{
	(void)v;
	machine_require(n < 32, "v register");
	memcpy(m.q[n], q, sizeof(m.q[n]));
}

static void machine_gic_move(struct arm_vcpu *v, bool all)
{
	(void)v;
	(void)all;
}

static void machine_reload(struct arm_vcpu *v)
{
	machine_require(v == machine_resident(), "reload of another");
	m.reloads++;
}

static const struct arm_metal machine_metal = {
	.read_el1 = machine_read_el1,
	.write_el1 = machine_write_el1,
	.read_id = machine_read_id,
	.translate = machine_translate,
	.fetch = machine_fetch,
	.fp_load = machine_fp_load,
	.fp_read = machine_fp_read,
	.fp_write = machine_fp_write,
	.gic_read = machine_gic_move,
	.gic_write = machine_gic_move,
	.reload = machine_reload,
};

/* ---- the CPU ---- */

static int machine_vm_init(struct axvm_vm *vm)
{
	arm_vm(vm)->metal = &machine_metal;
	return axvmi_arm_vm_init(vm);
}

/* "Virtual interrupts": an SError that PSTATE.A lets through is taken. */
static void machine_take_serror(struct arm_vcpu *v)
{
	if ((v->frame.hcr & HCR_VSE) == 0 || (v->frame.pstate & SPSR_A) != 0)
		return;
	v->trap.esr = esr_make(EC_SERROR, v->el1[ARM_EL1_VSESR]);
	axvmi_arm_take_trap(v);
	v->frame.pc += 0x180;
	v->frame.hcr &= ~HCR_VSE;
}

static void machine_apply(struct arm_vcpu *v)
{
	if ((v->effects & ARM_EFFECT_TRAP) != 0)
		axvmi_arm_take_trap(v);
	if ((v->effects & ARM_EFFECT_TIMER) != 0)
		axvmi_arm_cntp_look(v);
	v->effects = 0;
	machine_take_serror(v);
}

/* The short way of MMIO, as vcpu.c takes it. */
static bool machine_mmio(struct arm_vcpu *v, const struct arm_syndrome *s,
			 int *reason)
{
	uint64_t gpa = arm_fault_gpa(s->far, s->hpfar);

	if (m.long_way || !arm_is_plain_access(s->esr) ||
	    !arm_is_last_device(v, s->esr, gpa) ||
	    !arm_is_plain_state(v, v->el1[ARM_EL1_SCTLR]))
		return false;
	m.short_ways++;
	*reason = arm_mmio(v, s->esr, s->far, gpa);
	return true;
}

/* HVC leaves pc behind the instruction. */
static int machine_trap(struct arm_vcpu *v, const struct arm_syndrome *s)
{
	int reason;

	if (esr_ec(s->esr) == EC_HVC64) {
		axvmi_leave(&v->core);
		v->frame.pc += 4;
		reason = axvmi_arm_psci_call(v, false);
	} else if (!machine_mmio(v, s, &reason)) {
		reason = axvmi_arm_exit(v, s);
	}
	machine_require(load_seq(&v->core.where) == 0, "still inside");
	machine_require(reason >= 0, "an error");
	return reason;
}

/* What vcpu.c does before the guest is entered. */
static int machine_begin(struct arm_vcpu *v)
{
	if ((v->cntp_ctl & CNT_CTL_ENABLE) != 0)
		v->effects |= ARM_EFFECT_TIMER;
	if (v->mmio.part != 0)
		return axvmi_arm_mmio_more(v);
	if (load_relaxed(&v->power) == ARM_POWER_ON)
		return 0;
	if (!m.pending)
		return axvmi_halt(&v->core, m.deadline);
	axvmi_arm_psci_resume(v);
	return 0;
}

static int machine_run(struct axvm_vcpu *vcpu)
{
	struct arm_vcpu *v = arm_vcpu(vcpu);
	int reason;

	arm_end_wait(v);
	reason = machine_begin(v);
	if (reason == 0)
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
	.name = "arm_vhe_machine",
	.cpu_size = sizeof(struct arm_cpu),
	.vm_size = sizeof(struct arm_vm),
	.vcpu_size = sizeof(struct arm_vcpu),
	.line_first = ARM_FIRST_SPI,
	.line_count = ARM_SPIS,
	.vcpu_lines = ARM_PPI_MASK,
	.buses = BIT64(AXVM_BUS_SYSREG),
	.interrupts_save = machine_interrupts_save,
	.interrupts_restore = machine_interrupts_restore,
	.cpu_enable = machine_cpu_enable,
	.cpu_disable = machine_cpu_disable,
	.tag_bits = axvmi_arm_tag_bits,
	.counter = machine_counter,
	.spin_yield = axvmi_arm_spin_yield,
	.s2_format = axvmi_arm_choose_format,
	.emulates = axvmi_arm_emulates,
	.vm_init = machine_vm_init,
	.vm_reset = axvmi_arm_vm_reset,
	.vm_fini = axvmi_arm_vm_fini,
	.vcpu_init = axvmi_arm_vcpu_init,
	.vcpu_fini = axvmi_arm_vcpu_fini,
	.vcpu_reset = axvmi_arm_vcpu_reset,
	.vcpu_load = machine_load,
	.vcpu_put = machine_ignore,
	.vcpu_run = machine_run,
	.vcpu_complete = axvmi_arm_complete,
	.get_reg = axvmi_arm_get_reg,
	.set_reg = axvmi_arm_set_reg,
	.registers = axvmi_arm_registers,
	.register_count = ARM_REGISTERS,
	.line_targets = axvmi_arm_line_targets,
	.irq_sync = axvmi_arm_irq_sync,
	.irq_pending = machine_pending,
	.tlb_flush_local = machine_flush,
	.tlb_flush_all = machine_flush_all,
	.guest_stage_flush = machine_flush,
	.retag = machine_ignore,
	.machine = IMAGE_MACHINE_AARCH64,
	.guest_tables = axvmi_arm_write_tables,
};

/* Like a Cortex-A76, with what newer cores add. */
static inline void machine_ids(void)
{
	m.ids[0][0] = 0x414fd0b1;
	for (unsigned crm = 1; crm < 8; crm++) {
		for (unsigned op2 = 0; op2 < 8; op2++)
			m.ids[crm][op2] = UINT64_C(0x1111111111111111);
	}
	m.ids[4][0] = UINT64_C(0x1111111111111112);
	m.ids[7][0] = UINT64_C(0x1111111111111112);
}

/* A configuration to edit: RAM of four kinds, a vGIC for `vcpus`. */
static inline void machine_new(uint64_t features, uint32_t vcpus)
{
	machine_base(&machine_ops, features, vcpus);
	machine_ids();
	machine_emu(AXVM_EMU_GICD, GICD, 0x10000, 0);
	machine_emu(AXVM_EMU_GICR, GICR, 0x20000 * (uint64_t)vcpus, 0);
}

static inline void machine_create(void)
{
	machine_make();
	machine_add_device(&m.registers, AXVM_BUS_SYSREG, HOST_SYSREG, 8);
	m.device.step = 1;
	m.words.step = 1;
	m.registers.step = 1;
}

static inline void machine_init(void)
{
	machine_create();
	machine_finish();
	m.v = arm_vcpu(m.vm->vcpus[0]);
}

static inline void machine_boot(void)
{
	machine_init();
	machine_require(axvm_boot(m.vm) == AXVM_OK, "boot");
	m.v->el1[ARM_EL1_VBAR] = VECTORS;
}

static inline void machine_queue(uint64_t esr, uint64_t far, uint64_t gpa)
{
	machine_require(m.count < MACHINE_STEPS, "too many steps");
	m.steps[m.count++] = (struct arm_syndrome){
		.esr = esr,
		.far = far,
		.hpfar = gpa >> PAGE_SHIFT_4K << 4,
	};
}

/* One exception at ENTRY. */
static inline uint32_t machine_step(uint64_t esr, uint64_t far, uint64_t gpa)
{
	m.v->frame.pc = ENTRY;
	machine_queue(esr, far, gpa);
	return machine_play();
}

static inline uint32_t machine_hvc(uint64_t number)
{
	m.v->frame.x[0] = number;
	return machine_step(esr_make(EC_HVC64, 0), 0, 0);
}

static inline uint64_t machine_iss(uint32_t number, uint32_t rt, bool read)
{
	return FIELD_PUT(SYS_ISS_OP0, (uint64_t)number >> 14) |
	       FIELD_PUT(SYS_ISS_OP1, (uint64_t)number >> 11) |
	       FIELD_PUT(SYS_ISS_CRN, (uint64_t)number >> 7) |
	       FIELD_PUT(SYS_ISS_CRM, (uint64_t)number >> 3) |
	       FIELD_PUT(SYS_ISS_OP2, (uint64_t)number) |
	       FIELD_PUT(SYS_ISS_RT, (uint64_t)rt) | (read ? SYS_ISS_READ : 0);
}

#endif
