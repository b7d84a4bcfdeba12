/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * One vCPU on the hart: its CSRs and lazily switched registers, the run loop
 * and the three ways out of the guest. What an exit means is decided in exit.c
 * and sbi.c; this file reads and writes the machine.
 */
#include "hw.h"
#include "metal.h"
#include "mmio.h"

#define ASSERT_OFFSET(offset, member)                                         \
	_Static_assert((int)offsetof(struct riscv_frame, member) == (offset), \
		       #member)
ASSERT_OFFSET(FRAME_X(31), x[31]);
ASSERT_OFFSET(FRAME_PC, pc);
ASSERT_OFFSET(FRAME_HSTATUS, hstatus);
ASSERT_OFFSET(FRAME_SSTATUS, sstatus);
ASSERT_OFFSET(FRAME_HOST_SP, host_sp);
ASSERT_OFFSET(FRAME_HOST_GP, host_gp);
ASSERT_OFFSET(FRAME_HOST_TP, host_tp);
ASSERT_OFFSET(FRAME_HOST_STVEC, host_stvec);
ASSERT_OFFSET(FRAME_HOST_SSCRATCH, host_sscratch);
ASSERT_OFFSET(FRAME_HOST_SSTATUS, host_sstatus);

/* Rounds of a suspended vCPU before the host gets its turn. */
#define SUSPEND_ROUNDS 16

/* Something stands in the way. Attending may call the host back. */
static OUT_OF_LINE int attend(struct riscv_vcpu *v, int done)
{
	int reason;

	host_fp_back(v);
	reason = axvmi_attend(&v->core);
	if (reason != 0)
		return reason;
	return v->effects != 0 ? axvmi_riscv_apply_effects(v, done) : done;
}

/*
 * The end of every exit. `done`: why the guest does not go on, or 0 or
 * RISCV_RELOAD: it does unless something stands in the way. What is called is
 * called last, so that the common way needs no stack frame.
 */
static inline int go_on(struct riscv_vcpu *v, int done)
{
	if (done > 0)
		return done;
	if (!axvmi_may_enter(&v->core))
		return attend(v, done);
	return v->effects != 0 ? axvmi_riscv_apply_effects(v, done) : done;
}

/* ---- exits ---- */

/*
 * The vCPU of a frame, by an addition that the compiler cannot take back: else
 * it keeps both pointers in registers that must be saved.
 */
static inline struct riscv_vcpu *vcpu_of(struct riscv_frame *frame)
{
	struct riscv_vcpu *v = CONTAINER_OF(frame, struct riscv_vcpu, frame);

	__asm__("" : "+r"(v));
	return v;
}

int axvmi_riscv_on_ecall(struct riscv_frame *frame)
{
	struct riscv_vcpu *v = vcpu_of(frame);

	axvmi_exit_begin(&v->core);
	axvmi_leave(&v->core);
	host_fp_back(v);
	v->frame.pc += 4;
	return go_on(v, axvmi_riscv_sbi_call(v));
}

int axvmi_riscv_on_interrupt(struct riscv_frame *frame)
{
	struct riscv_vcpu *v = vcpu_of(frame);

	axvmi_exit_begin(&v->core);
	axvmi_leave(&v->core);
	return axvmi_interrupted(&v->core);
}

static OUT_OF_LINE int other_fault(struct riscv_vcpu *v, uint64_t cause,
				   uint64_t stval, uint64_t htval,
				   uint64_t htinst)
{
	const struct riscv_syndrome s = {cause, stval, htval, htinst};

	/* What an illegal instruction has loaded stays: it calls nobody back, and
	 * unloading it would make the next look find it lazy again, for ever. */
	if (cause != CAUSE_ILLEGAL)
		host_fp_back(v);
	return go_on(v, axvmi_riscv_exit(v, &s));
}

static int fault(struct riscv_vcpu *v, uint64_t scause);

/* A load or store, neither to the last device nor to the last RAM. */
static OUT_OF_LINE int elsewhere(struct riscv_vcpu *v, uint64_t cause,
				 uint64_t gpa)
{
	axvmi_riscv_locate(v, gpa);
	return fault(v, cause);
}

static OUT_OF_LINE int ram_fault(struct riscv_vcpu *v, uint64_t cause,
				 uint64_t stval, uint64_t htval)
{
	const struct riscv_syndrome s = {cause, stval, htval, 0};

	host_fp_back(v);
	return go_on(v, axvmi_riscv_page_fault(v, &s, v->last_ram));
}

static OUT_OF_LINE int fault(struct riscv_vcpu *v, uint64_t scause)
{
	/* Read before a fetch overwrites them. */
	uint64_t stval = csr_read(CSR_STVAL);
	uint64_t htval = csr_read(CSR_HTVAL);
	uint64_t htinst = csr_read(CSR_HTINST);
	uint64_t gpa = riscv_fault_gpa(stval, htval);
	uint64_t offset = gpa - v->last.start;
	struct riscv_insn insn;
	uint64_t word;

	if (!riscv_is_plain_access(scause, htinst))
		return other_fault(v, scause, stval, htval, htinst);
	if (!riscv_is_last_device(v, offset))
		return riscv_is_last_ram(v, gpa)
			       ? ram_fault(v, scause, stval, htval)
			       : elsewhere(v, scause, gpa);
	host_fp_back(v);
	word = hw_fetch(v->frame.pc);
	if (scause == CAUSE_LOAD_GUEST_PAGE) {
		const struct riscv_syndrome s = {CAUSE_LOAD_GUEST_PAGE, stval,
						 htval, 0};

		if (riscv_mmio_decode(v, gpa, stval, word, false, &insn))
			return go_on(v, riscv_mmio(v, &s, gpa, offset, &insn,
						   false));
	} else if (riscv_mmio_decode(v, gpa, stval, word, true, &insn)) {
		const struct riscv_syndrome s = {CAUSE_STORE_GUEST_PAGE, stval,
						 htval, 0};

		return go_on(v, riscv_mmio(v, &s, gpa, offset, &insn, true));
	}
	return other_fault(v, scause, stval, htval, htinst);
}

static OUT_OF_LINE int timed_fault(struct riscv_vcpu *v, uint64_t scause)
{
	axvmi_exit_time(&v->core);
	return fault(v, scause);
}

/* axvmi_exit_begin() by hand, since a call costs a stack frame. */
int axvmi_riscv_on_fault(struct riscv_frame *frame, uint64_t scause)
{
	struct riscv_vcpu *v = vcpu_of(frame);

	return v->core.histogram == NULL ? fault(v, scause)
					 : timed_fault(v, scause);
}

/* ---- what the pure half asks for ---- */

/*
 * HLVX asks for execute permission in place of read permission, but some
 * implementations want both: the second try makes executable pages readable.
 */
static struct hw_probe fetch_readable(uint64_t pc)
{
	uint64_t vsstatus = csr_read(CSR_VSSTATUS);
	uint64_t sstatus = csr_read(CSR_SSTATUS);
	struct hw_probe probe;

	csr_write(CSR_VSSTATUS, vsstatus | SSTATUS_MXR);
	csr_set(CSR_SSTATUS, SSTATUS_MXR);
	probe = axvmi_riscv_hlvx(pc);
	csr_write(CSR_SSTATUS, sstatus);
	csr_write(CSR_VSSTATUS, vsstatus);
	return probe;
}

static bool fetch(struct riscv_vcpu *v, uint32_t *insn)
{
	struct hw_probe probe = axvmi_riscv_hlvx(v->frame.pc);

	if (probe.cause != 0)
		probe = fetch_readable(v->frame.pc);
	if (probe.cause != 0)
		return false;
	*insn = (uint32_t)probe.value;
	return true;
}

static int read_guest_virtual(struct riscv_vcpu *v, uint64_t gva,
			      uint64_t *value)
{
	struct hw_probe probe;

	axvmi_guest_access_begin(&v->core);
	probe = axvmi_riscv_hlv_d(gva);
	axvmi_guest_access_end(&v->core);
	if (probe.cause != 0)
		return AXVM_EFAULT;
	*value = probe.value;
	return AXVM_OK;
}

static uint64_t read_hvip(struct riscv_vcpu *v)
{
	(void)v;
	return csr_read(CSR_HVIP);
}

static void restart(struct riscv_vcpu *v, uint64_t entry, uint64_t argument)
{
	csr_write(CSR_VSATP, 0);
	csr_clear(CSR_VSSTATUS, SSTATUS_SIE);
	hw_hfence_vvma();
	v->frame.pc = entry;
	v->frame.x[REG_A0] = v->hart_id;
	v->frame.x[REG_A1] = argument;
	v->frame.sstatus |= SSTATUS_SPP;
}

const struct riscv_metal axvmi_riscv_metal = {
	.fetch = fetch,
	.lazy_load = axvmi_riscv_lazy_load,
	.read_guest_virtual = read_guest_virtual,
	.timer_deadline = axvmi_riscv_timer_deadline,
	.read_hvip = read_hvip,
	.restart = restart,
};

bool axvmi_riscv_irq_pending(struct axvm_vcpu *vcpu)
{
	struct riscv_vcpu *v = riscv_vcpu(vcpu);

	if (!riscv_has(vcpu->vm->host, RISCV_FEATURE_SSTC))
		axvmi_riscv_timer_look(v);
	if (v->effects != 0)
		axvmi_riscv_apply_all(v);
	/* Not vsip, of which some implementations show SSIP alone. */
	return (csr_read(CSR_HIP) >> 1 & csr_read(CSR_VSIE)) != 0;
}

void axvmi_riscv_attend(struct axvm_vcpu *vcpu, uint32_t bits)
{
	(void)vcpu;
	if ((bits & RISCV_ATTN_FENCE_I) != 0)
		hw_fence_i();
	if ((bits & RISCV_ATTN_FENCE_VMA) != 0)
		hw_hfence_vvma();
}

void axvmi_riscv_clock_moved(struct axvm_vcpu *vcpu)
{
	csr_write(CSR_HTIMEDELTA, load_relaxed(&vcpu->vm->time_offset));
	riscv_vcpu(vcpu)->effects |= RISCV_EFFECT_TIMER_LOOK;
}

/* ---- load, put, run ---- */

void axvmi_riscv_retag(struct axvm_vcpu *vcpu)
{
	csr_write(CSR_HGATP, axvmi_riscv_vm_hgatp(vcpu->vm));
}

void axvmi_riscv_vcpu_load(struct axvm_vcpu *vcpu)
{
	struct riscv_vcpu *v = riscv_vcpu(vcpu);
	struct riscv_cpu *cpu = riscv_cpu(vcpu->cpu);
	bool sstc = riscv_has(vcpu->vm->host, RISCV_FEATURE_SSTC);

	cpu->host_scounteren = csr_read(CSR_SCOUNTEREN);
	csr_write(CSR_SCOUNTEREN, v->vs.scounteren);
	if (riscv_has(vcpu->vm->host, RISCV_FEATURE_ENVCFG)) {
		cpu->host_senvcfg = csr_read(CSR_SENVCFG);
		csr_write(CSR_SENVCFG, v->vs.senvcfg);
		csr_write(CSR_HENVCFG, sstc ? HENVCFG_STCE : 0);
	}
	csr_write(CSR_HTIMEDELTA, load_relaxed(&vcpu->vm->time_offset));
	if (sstc)
		csr_write(CSR_VSTIMECMP, v->vs.vstimecmp);
	else
		v->effects |= RISCV_EFFECT_TIMER_LOOK;
	/* hgatp before vsatp: a walk between the two must not take the guest's
	 * physical addresses for the host's. */
	csr_write(CSR_HGATP, axvmi_riscv_vm_hgatp(vcpu->vm));
	if (vcpu->vm->host->tag_count == 0) {
		/* "Hypervisor Memory-Management Fence Instructions": MODE
		 * changed under the only VMID there is. */
		hw_hfence_gvma();
		hw_hfence_vvma();
	}
	csr_write(CSR_VSSTATUS, v->vs.vsstatus);
	csr_write(CSR_VSIE, v->vs.vsie);
	csr_write(CSR_VSTVEC, v->vs.vstvec);
	csr_write(CSR_VSSCRATCH, v->vs.vsscratch);
	csr_write(CSR_VSEPC, v->vs.vsepc);
	csr_write(CSR_VSCAUSE, v->vs.vscause);
	csr_write(CSR_VSTVAL, v->vs.vstval);
	csr_write(CSR_VSATP, v->vs.vsatp);
	csr_write(CSR_HVIP, v->vs.hvip);
	axvmi_riscv_update_hedeleg(v);
}

void axvmi_riscv_vcpu_put(struct axvm_vcpu *vcpu)
{
	struct riscv_vcpu *v = riscv_vcpu(vcpu);
	struct riscv_cpu *cpu = riscv_cpu(vcpu->cpu);
	const struct axvm_hal *hal = &vcpu->vm->host->hal;

	axvmi_riscv_lazy_put(v);
	v->vs.vsstatus = csr_read(CSR_VSSTATUS);
	v->vs.vsie = csr_read(CSR_VSIE);
	v->vs.vstvec = csr_read(CSR_VSTVEC);
	v->vs.vsscratch = csr_read(CSR_VSSCRATCH);
	v->vs.vsepc = csr_read(CSR_VSEPC);
	v->vs.vscause = csr_read(CSR_VSCAUSE);
	v->vs.vstval = csr_read(CSR_VSTVAL);
	v->vs.vsatp = csr_read(CSR_VSATP);
	v->vs.hvip = csr_read(CSR_HVIP);
	v->vs.scounteren = csr_read(CSR_SCOUNTEREN);
	csr_write(CSR_SCOUNTEREN, cpu->host_scounteren);
	csr_write(CSR_HVIP, 0);
	if (riscv_has(vcpu->vm->host, RISCV_FEATURE_ENVCFG)) {
		v->vs.senvcfg = csr_read(CSR_SENVCFG);
		csr_write(CSR_SENVCFG, cpu->host_senvcfg);
	}
	if (riscv_has(vcpu->vm->host, RISCV_FEATURE_SSTC)) {
		v->vs.vstimecmp = csr_read(CSR_VSTIMECMP);
		csr_write(CSR_VSTIMECMP, UINT64_MAX);
	} else if (hal->timer != NULL) {
		hal->timer(hal->ctx, UINT64_MAX);
	}
	/* No translation through the VM's tables any more, not even a
	 * speculative one: its memory may be freed now. */
	csr_write(CSR_VSATP, 0);
	csr_write(CSR_HGATP, 0);
}

/* SBI HSM suspend: nothing but an interrupt ends it. */
static OUT_OF_LINE int wait_suspended(struct riscv_vcpu *v)
{
	for (int round = 0; round < SUSPEND_ROUNDS; round++) {
		int reason = axvmi_attend(&v->core);

		axvmi_leave(&v->core);
		if (reason != 0)
			return reason;
		if (axvmi_riscv_irq_pending(&v->core)) {
			axvmi_riscv_sbi_resume(v);
			return 0;
		}
		reason = axvmi_halt(&v->core, axvmi_riscv_timer_deadline(v));
		if (reason != 0)
			return reason;
	}
	return AXVM_EXIT_IRQ;
}

static OUT_OF_LINE int before_run(struct riscv_vcpu *v)
{
	if ((v->before_run & RISCV_BEFORE_TIMER) != 0)
		axvmi_riscv_timer_look(v);
	return (v->before_run & RISCV_BEFORE_WAIT) != 0 ? wait_suspended(v) : 0;
}

int axvmi_riscv_vcpu_run(struct axvm_vcpu *vcpu)
{
	struct riscv_vcpu *v = riscv_vcpu(vcpu);
	uint64_t hstatus = csr_read(CSR_HSTATUS);
	uint64_t began = csr_read(CSR_TIME);
	int reason = 0;

	riscv_end_wait(v);
	if (v->before_run != 0)
		reason = before_run(v);
	if (reason == 0)
		reason = go_on(v, 0);
	if (reason == 0)
		reason = axvmi_riscv_world_run(&v->frame);
	csr_write(CSR_HSTATUS, hstatus);
	host_fp_back(v);
	if (reason != AXVM_EXIT_MMIO && vcpu->exit->pc == 0)
		vcpu->exit->pc = v->frame.pc;
	axvmi_ran(vcpu, csr_read(CSR_TIME) - began);
	return reason;
}
