/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * One vCPU on the CPU: loading and putting its state, the run loop and the three
 * ways out of the guest. What an exit means is decided in exit.c and psci.c; this
 * file reads and writes the machine.
 */
#include "hw.h"
#include "metal.h"
#include "mmio.h"

#define ASSERT_OFFSET(offset, member)                                       \
	_Static_assert((int)offsetof(struct arm_frame, member) == (offset), \
		       #member)
ASSERT_OFFSET(FRAME_X(30), x[30]);
ASSERT_OFFSET(FRAME_SP_EL0, sp_el0);
ASSERT_OFFSET(FRAME_PC, pc);
ASSERT_OFFSET(FRAME_PSTATE, pstate);
ASSERT_OFFSET(FRAME_TPIDR_EL0, tpidr_el0);
ASSERT_OFFSET(FRAME_HCR, hcr);
ASSERT_OFFSET(FRAME_HOST_SP_EL0, host_sp_el0);
ASSERT_OFFSET(FRAME_HOST_TPIDR_EL0, host_tpidr_el0);
ASSERT_OFFSET(FRAME_HOST_VBAR, host_vbar);
ASSERT_OFFSET(FRAME_HOST_HCR, host_hcr);
ASSERT_OFFSET(FRAME_HOST_SP, host_sp);
ASSERT_OFFSET(FRAME_HOST_X18, host_x18);
ASSERT_OFFSET(FRAME_HOST_PAN, host_pan);
ASSERT_OFFSET(FRAME_HOST_DAIF, host_daif);
ASSERT_OFFSET(FRAME_VECTORS, vectors);

/* Rounds of a suspended vCPU before the host gets its turn. */
#define SUSPEND_ROUNDS 16

/* ---- effects of the models ---- */

static void choose_vectors(struct arm_vcpu *v)
{
	bool pending = (v->frame.hcr & HCR_VSE) != 0;

	v->frame.vectors = (uintptr_t)(pending ? axvmi_arm_serror_vectors
					       : axvmi_arm_vectors);
}

static void apply_effects(struct arm_vcpu *v)
{
	if ((v->effects & ARM_EFFECT_SERROR) != 0)
		choose_vectors(v);
	if ((v->effects & ARM_EFFECT_TRAP) != 0)
		axvmi_arm_take_trap(v);
	if ((v->effects & ARM_EFFECT_TIMER) != 0)
		axvmi_arm_cntp_look(v);
	if ((v->effects & ARM_EFFECT_DEBUG) != 0)
		axvmi_arm_debug_enter(v);
	/* Last: the timer may have changed an interrupt. */
	if ((v->effects & ARM_EFFECT_VGIC) != 0)
		axvmi_arm_gic_fill(v);
	v->effects = 0;
}

/* The end of every exit: 0 and the guest goes on, or why it does not. */
static inline int go_on(struct arm_vcpu *v, int reason)
{
	if (reason == 0 && !axvmi_may_enter(&v->core)) {
		/* Attending may call the host back. */
		host_fp(v);
		reason = axvmi_attend(&v->core);
	}
	if (reason == 0 && v->effects != 0)
		apply_effects(v);
	if (reason == 0)
		guest_fp(v);
	return reason;
}

/* ---- exits ---- */

int axvmi_arm_on_hvc(struct arm_frame *frame)
{
	struct arm_vcpu *v = CONTAINER_OF(frame, struct arm_vcpu, frame);

	axvmi_exit_begin(&v->core);
	axvmi_leave(&v->core);
	host_fp(v);
	return go_on(v, axvmi_arm_psci_call(v, false));
}

/* Mostly the guest has ended its timer's interrupt. */
static void maintain(struct arm_vcpu *v)
{
	if (sys_read(SYS_ICH_MISR_EL2) == ICH_MISR_EOI &&
	    axvmi_arm_vtimer_retire(v, sys_read(SYS_ICH_EISR_EL2)))
		return;
	axvmi_arm_gic_fold(v);
	sys_write(SYS_ICH_HCR_EL2, 0);
}

/*
 * The guest's own timer and list registers interrupt by level and stop when they
 * are seen to. Whatever is pending after that is the host's.
 */
int axvmi_arm_on_interrupt(struct arm_frame *frame)
{
	struct arm_vcpu *v = CONTAINER_OF(frame, struct arm_vcpu, frame);
	bool ours = false;

	axvmi_exit_begin(&v->core);
	axvmi_leave(&v->core);
	host_fp(v);
	if (arm_takes_vtimer(v)) {
		/* What else is pending interrupts the next entry. */
		switch (axvmi_arm_vtimer_take(v)) {
		case ARM_VTIMER_TAKEN:
			axvmi_count(&v->core, AXVM_STAT_INTERRUPT);
			return go_on(v, 0);
		case ARM_VTIMER_OTHER:
			return axvmi_interrupted(&v->core);
		case ARM_VTIMER_NONE:
			break;
		}
	} else {
		ours = axvmi_arm_vtimer_look(v);
	}
	if (v->gic_filled && sys_read(SYS_ICH_MISR_EL2) != 0) {
		maintain(v);
		ours = true;
	}
	if (!ours)
		return axvmi_interrupted(&v->core);
	hw_isb();
	if ((sys_read(SYS_ISR_EL1) & (ISR_I | ISR_F)) != 0)
		return axvmi_interrupted(&v->core);
	axvmi_count(&v->core, AXVM_STAT_INTERRUPT);
	return go_on(v, 0);
}

int axvmi_arm_on_exit(struct arm_frame *frame, uint64_t esr)
{
	struct arm_vcpu *v = CONTAINER_OF(frame, struct arm_vcpu, frame);
	struct arm_syndrome syndrome;
	uint64_t far, hpfar;

	axvmi_exit_begin(&v->core);
	/* Read before a translation overwrites them. */
	far = sys_read(SYS_FAR_EL2);
	hpfar = sys_read(SYS_HPFAR_EL2);
	if (arm_is_plain_access(esr)) {
		uint64_t gpa = arm_fault_gpa(far, hpfar);

		host_fp(v);
		if (arm_is_last_device(v, esr, gpa) &&
		    arm_is_plain_state(v, sys_read(SYS_SCTLR_EL12)))
			return go_on(v, arm_mmio(v, esr, far, gpa));
	}
	/* What a trapped FP instruction loads stays: it calls nobody back. */
	if ((esr >> EC_SHIFT & 0x3f) != EC_FP)
		host_fp(v);
	syndrome = (struct arm_syndrome){esr, far, hpfar};
	return go_on(v, axvmi_arm_exit(v, &syndrome));
}

/* ---- what the pure half asks for ---- */

/* AT works on the guest's regime while TGE is 0. PAR_EL1 is the guest's. */
static bool translate(struct arm_vcpu *v, uint64_t gva, uint64_t *gpa)
{
	uint64_t hcr = sys_read(SYS_HCR_EL2);
	uint64_t guest_par = sys_read(SYS_PAR_EL1);
	uint64_t par;

	sys_write(SYS_HCR_EL2, v->frame.hcr);
	hw_isb();
	hw_at_s1e1r(gva);
	hw_isb();
	par = sys_read(SYS_PAR_EL1);
	sys_write(SYS_HCR_EL2, hcr);
	sys_write(SYS_PAR_EL1, guest_par);
	hw_isb();
	if ((par & PAR_F) != 0)
		return false;
	*gpa = (par & PAR_PA) | (gva & (PAGE_SIZE_4K - 1));
	return true;
}

/* Also code that EL0 alone may execute can be read at EL1. */
static bool fetch(struct arm_vcpu *v, uint32_t *insn)
{
	uint64_t gpa;

	return translate(v, v->frame.pc, &gpa) &&
	       axvm_read_guest(v->core.vm, axvm_to_gpa(gpa), insn,
			       sizeof(*insn)) == AXVM_OK;
}

static void reload(struct arm_vcpu *v)
{
	axvmi_arm_el1_load(v);
	sys_write(SYS_CNTV_CTL_EL02, v->el1[ARM_EL1_CNTV_CTL]);
	axvmi_arm_guest_stage_flush(v->core.vm);
}

const struct arm_metal axvmi_arm_metal = {
	.read_el1 = axvmi_arm_read_el1,
	.write_el1 = axvmi_arm_write_el1,
	.read_id = axvmi_arm_read_id,
	.translate = translate,
	.fetch = fetch,
	.fp_load = axvmi_arm_fp_load,
	.fp_read = axvmi_arm_fp_read,
	.fp_write = axvmi_arm_fp_write,
	.gic_read = axvmi_arm_gic_read,
	.gic_write = axvmi_arm_gic_write,
	.deactivate = axvmi_arm_deactivate,
	.lr_read = axvmi_arm_lr_read,
	.lr_write = axvmi_arm_lr_write,
	.reload = reload,
};

bool axvmi_arm_irq_pending(struct axvm_vcpu *vcpu)
{
	struct arm_vcpu *v = arm_vcpu(vcpu);

	axvmi_arm_cntp_look(v);
	axvmi_arm_vtimer_look(v);
	return axvmi_arm_gic_pending(v) || (v->frame.hcr & HCR_VSE) != 0;
}

void axvmi_arm_clock_moved(struct axvm_vcpu *vcpu)
{
	struct arm_vcpu *v = arm_vcpu(vcpu);

	v->clock = load_relaxed(&vcpu->vm->time_offset);
	sys_write(SYS_CNTVOFF_EL2, -v->clock);
	v->effects |= ARM_EFFECT_TIMER;
}

/* ---- load, put ---- */

/*
 * The virtual timer and the virtual CPU interface interrupt the host, and so do
 * it only while run can answer.
 */
static void interrupts_on(struct arm_vcpu *v)
{
	sys_write(SYS_CNTV_CTL_EL02, v->el1[ARM_EL1_CNTV_CTL]);
	if (v->gic_filled)
		sys_write(SYS_ICH_HCR_EL2, v->gic.hcr);
}

static void interrupts_off(struct arm_vcpu *v)
{
	v->el1[ARM_EL1_CNTV_CTL] =
		sys_read(SYS_CNTV_CTL_EL02) & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
	sys_write(SYS_CNTV_CTL_EL02, 0);
	if (v->gic_filled)
		v->gic.hcr = (uint32_t)sys_read(SYS_ICH_HCR_EL2);
	sys_write(SYS_ICH_HCR_EL2, 0);
	/* The lines have fallen when the host unmasks interrupts. */
	hw_isb();
}

void axvmi_arm_retag(struct axvm_vcpu *vcpu)
{
	sys_write(SYS_VTTBR_EL2, arm_vttbr(vcpu->vm));
	hw_isb();
}

/*
 * HCR_EL2.VM and PTW mean nothing while TGE is set ("HCR_EL2"), so they stay on as
 * long as a vCPU is resident: emulators drop all translations when they change.
 */
static void host_state_save(struct arm_cpu *cpu)
{
	cpu->host_hcr = sys_read(SYS_HCR_EL2);
	sys_write(SYS_HCR_EL2, cpu->host_hcr | HCR_VM | HCR_PTW);
	cpu->host_cptr = sys_read(SYS_CPTR_EL2);
	cpu->host_mdcr = sys_read(SYS_MDCR_EL2);
	cpu->host_mdscr = sys_read(SYS_MDSCR_EL1);
	cpu->host_csselr = sys_read(SYS_CSSELR_EL1);
	cpu->host_tpidrro_el0 = sys_read(SYS_TPIDRRO_EL0);
	cpu->host_tpidr_el1 = sys_read(SYS_TPIDR_EL1);
	cpu->host_par = sys_read(SYS_PAR_EL1);
}

static void host_state_restore(const struct arm_cpu *cpu)
{
	sys_write(SYS_HCR_EL2, cpu->host_hcr);
	sys_write(SYS_CPTR_EL2, cpu->host_cptr);
	sys_write(SYS_MDCR_EL2, cpu->host_mdcr);
	sys_write(SYS_MDSCR_EL1, cpu->host_mdscr);
	sys_write(SYS_CSSELR_EL1, cpu->host_csselr);
	sys_write(SYS_TPIDRRO_EL0, cpu->host_tpidrro_el0);
	sys_write(SYS_TPIDR_EL1, cpu->host_tpidr_el1);
	sys_write(SYS_PAR_EL1, cpu->host_par);
}

void axvmi_arm_vcpu_load(struct axvm_vcpu *vcpu)
{
	struct arm_vcpu *v = arm_vcpu(vcpu);
	struct arm_vm *avm = arm_vm(vcpu->vm);
	struct arm_cpu *cpu = arm_cpu(vcpu->cpu);

	host_state_save(cpu);
	sys_write(SYS_VTCR_EL2, avm->vtcr);
	sys_write(SYS_VTTBR_EL2, arm_vttbr(vcpu->vm));
	sys_write(SYS_VPIDR_EL2, avm->midr);
	sys_write(SYS_VMPIDR_EL2, v->mpidr);
	v->clock = load_relaxed(&vcpu->vm->time_offset);
	sys_write(SYS_CNTVOFF_EL2, -v->clock);
	/* PMU and trace registers are not for guests; debug.c has their debug
	 * registers. */
	sys_write(SYS_MDCR_EL2, (cpu->host_mdcr & MDCR_HPMN) | MDCR_TDA |
					MDCR_TDOSA | MDCR_TDRA | MDCR_TPM |
					MDCR_TPMCR | MDCR_TPMS | MDCR_TTRF);
	sys_write(SYS_MDSCR_EL1, 0);
	resident_fp(v);
	choose_vectors(v);
	axvmi_arm_el1_load(v);
	v->gic.lr_used = 0;
	v->gic.hcr = 0;
	axvmi_arm_gic_write(v, true);
	v->effects |= ARM_EFFECT_VGIC | ARM_EFFECT_DEBUG;
	hw_isb();
}

void axvmi_arm_vcpu_put(struct axvm_vcpu *vcpu)
{
	struct arm_vcpu *v = arm_vcpu(vcpu);

	axvmi_arm_fp_put(v);
	/* Folding looks at the timer. */
	interrupts_on(v);
	axvmi_arm_gic_fold(v);
	interrupts_off(v);
	axvmi_arm_vtimer_drop(v);
	axvmi_arm_gic_read(v, true);
	axvmi_arm_el1_save(v);
	axvmi_arm_debug_put(arm_cpu(vcpu->cpu));
	host_state_restore(arm_cpu(vcpu->cpu));
	/* No translation through the VM's tables any more, not even a
	 * speculative one: its memory may be freed now. */
	sys_write(SYS_VTTBR_EL2, 0);
	hw_isb();
}

/* ---- run ---- */

/* CPU_SUSPEND: nothing but an interrupt ends it. */
static int wait_suspended(struct arm_vcpu *v)
{
	for (int round = 0; round < SUSPEND_ROUNDS; round++) {
		int reason = axvmi_attend(&v->core);

		axvmi_leave(&v->core);
		if (reason != 0)
			return reason;
		if (axvmi_arm_irq_pending(&v->core)) {
			axvmi_arm_psci_resume(v);
			return 0;
		}
		reason = axvmi_halt(&v->core, axvmi_arm_timer_deadline(v));
		if (reason != 0)
			return reason;
	}
	return AXVM_EXIT_IRQ;
}

/* The virtual timer, by its control. */
static bool may_ask(uint64_t ctl)
{
	return (ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) == CNT_CTL_ENABLE;
}

int axvmi_arm_vcpu_run(struct axvm_vcpu *vcpu)
{
	struct arm_vcpu *v = arm_vcpu(vcpu);
	uint64_t began = sys_read(SYS_CNTPCT_EL0);
	int reason = 0;

	arm_end_wait(v);
	interrupts_on(v);
	if (v->vtimer_held != 0 || may_ask(v->el1[ARM_EL1_CNTV_CTL])) {
		/* The VM may have been suspended since the vCPU was loaded. */
		if (v->clock != load_relaxed(&vcpu->vm->time_offset)) {
			axvmi_arm_clock_moved(vcpu);
			hw_isb();
		}
		axvmi_arm_vtimer_look(v);
	}
	if ((v->cntp_ctl & CNT_CTL_ENABLE) != 0)
		v->effects |= ARM_EFFECT_TIMER;
	if (v->mmio.part != 0)
		reason = axvmi_arm_mmio_more(v);
	if (load_relaxed(&v->power) != ARM_POWER_ON)
		reason = wait_suspended(v);
	reason = go_on(v, reason);
	if (reason == 0)
		reason = axvmi_arm_world_run(&v->frame);
	if (v->debug.on)
		axvmi_arm_debug_leave(v);
	/* Others cannot, and may want to know. */
	if (v->gic.lr_used != 0)
		axvmi_arm_gic_fold(v);
	interrupts_off(v);
	host_fp(v);
	if (vcpu->exit->pc == 0)
		vcpu->exit->pc = v->frame.pc;
	axvmi_ran(vcpu, sys_read(SYS_CNTPCT_EL0) - began);
	return reason;
}
