/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Implementation of exit.h; the vCPU belongs to the thread that runs it. */
#include "mmio.h"

void axvmi_riscv_reflect(struct riscv_vcpu *v, uint64_t cause, uint64_t value)
{
	axvmi_count(&v->core, AXVM_STAT_REFLECTED);
	v->trap_cause = cause;
	v->trap_value = value;
	v->effects |= RISCV_EFFECT_TRAP;
}

uint64_t axvmi_riscv_trap_status(uint64_t vsstatus, uint64_t sstatus)
{
	uint64_t spie = (vsstatus & SSTATUS_SIE) != 0 ? SSTATUS_SPIE : 0;

	vsstatus &= ~(SSTATUS_SIE | SSTATUS_SPIE | SSTATUS_SPP);
	return vsstatus | spie | (sstatus & SSTATUS_SPP);
}

/* ---- exits to the host ---- */

static int exit_unknown(struct riscv_vcpu *v, const struct riscv_syndrome *s)
{
	axvmi_count(&v->core, AXVM_STAT_OTHER);
	riscv_fill_exit(v, s);
	v->core.exit->u.fault.kind = AXVM_FAULT_UNKNOWN;
	v->core.exit->u.fault.access = 0;
	v->fault_cause = CAUSE_ILLEGAL;
	v->fault_value = 0;
	return AXVM_EXIT_FAULT;
}

/* ---- what guests get instead ---- */

/*
 * The same as the instruction has it. AMO and SC fault as stores (Privileged,
 * "Supervisor Cause Register"), even where the hart reports a load.
 */
uint64_t axvmi_riscv_insn_fault(const struct riscv_insn *insn, uint64_t cause)
{
	switch (insn->kind) {
	case RISCV_INSN_AMO:
	case RISCV_INSN_SC:
	case RISCV_INSN_STORE:
	case RISCV_INSN_FP_STORE:
	case RISCV_INSN_CBO:
		return CAUSE_STORE_ACCESS;
	case RISCV_INSN_LR:
	case RISCV_INSN_LOAD:
	case RISCV_INSN_FP_LOAD:
		return CAUSE_LOAD_ACCESS;
	case RISCV_INSN_OTHER:
	case RISCV_INSN_VECTOR:
		break;
	}
	return riscv_access_fault(cause);
}

/*
 * A hart that reports every page-table access as a load (QEMU 7.2) does
 * not say whose it was: a fetch if the instruction cannot be read either.
 */
uint64_t axvmi_riscv_guessed_fault(const struct riscv_syndrome *s, bool fetched,
				   uint32_t word)
{
	struct riscv_insn insn;

	if (!fetched)
		return s->cause == CAUSE_LOAD_GUEST_PAGE
			       ? CAUSE_FETCH_ACCESS
			       : riscv_access_fault(s->cause);
	insn = riscv_insn_decode(word);
	return axvmi_riscv_insn_fault(&insn, s->cause);
}

/* ---- RAM ---- */

static uint32_t fault_access(uint64_t cause)
{
	if (cause == CAUSE_FETCH_GUEST_PAGE)
		return AXVM_EXEC;
	return cause == CAUSE_LOAD_GUEST_PAGE ? AXVM_READ : AXVM_WRITE;
}

/* The instruction, once the vCPU has left. */
static bool look(struct riscv_vcpu *v, uint32_t *word)
{
	bool fetched;

	axvmi_guest_access_begin(&v->core);
	fetched = riscv_vm(v->core.vm)->metal->fetch(v, word);
	axvmi_guest_access_end(&v->core);
	return fetched;
}

/*
 * A hart may report an atomic's fault as that of a load, and then ask for a
 * right the page has, for ever: look at the instruction.
 */
static bool is_atomic_write(struct riscv_vcpu *v, uint64_t cause)
{
	struct riscv_insn insn;
	uint32_t word;

	if (cause != CAUSE_LOAD_GUEST_PAGE || !look(v, &word))
		return false;
	insn = riscv_insn_decode(word);
	return insn.kind == RISCV_INSN_AMO || insn.kind == RISCV_INSN_SC;
}

/* What the guest gets for an access to RAM that is refused. */
static uint64_t ram_refusal(struct riscv_vcpu *v,
			    const struct riscv_syndrome *s, bool silent_walk)
{
	uint32_t word = 0;
	bool fetched;

	if (s->cause != CAUSE_LOAD_GUEST_PAGE)
		return riscv_access_fault(s->cause);
	fetched = look(v, &word);
	return fetched || silent_walk
		       ? axvmi_riscv_guessed_fault(s, fetched, word)
		       : CAUSE_LOAD_ACCESS;
}

/* What htinst says, out of the way of those that say nothing. */
static OUT_OF_LINE enum riscv_htinst_kind htinst_kind(uint64_t htinst)
{
	struct riscv_insn insn;

	return riscv_htinst_decode(htinst, &insn);
}

static bool is_walk(enum riscv_htinst_kind kind, const struct riscv_syndrome *s,
		    uint64_t gpa)
{
	return riscv_is_silent_walk(kind, s, gpa) ||
	       kind == RISCV_HTINST_TABLE_READ ||
	       kind == RISCV_HTINST_TABLE_WRITE;
}

/* An access to RAM that gave no page: the tables allow it, or nothing does. */
static OUT_OF_LINE int ram_refused(struct riscv_vcpu *v,
				   const struct riscv_syndrome *s,
				   const struct axvmi_space *space,
				   enum riscv_htinst_kind kind,
				   enum axvmi_fault_result result)
{
	uint64_t gpa = riscv_fault_gpa(s->stval, s->htval);

	if (result == AXVMI_FAULT_SPURIOUS && !is_walk(kind, s, gpa) &&
	    is_atomic_write(v, s->cause))
		result = axvmi_ram_fault(&v->core, gpa, AXVM_WRITE, space);
	if (result != AXVMI_FAULT_DENIED)
		return 0;
	riscv_fill_exit(v, s);
	v->core.exit->gva = s->stval;
	v->core.exit->valid |= AXVM_EXIT_GVA_VALID;
	v->fault_cause = ram_refusal(v, s, riscv_is_silent_walk(kind, s, gpa));
	v->fault_value = s->stval;
	return AXVM_EXIT_FAULT;
}

static OUT_OF_LINE int ram(struct riscv_vcpu *v, const struct riscv_syndrome *s,
			   const struct axvmi_space *space)
{
	uint64_t gpa = riscv_fault_gpa(s->stval, s->htval);
	enum riscv_htinst_kind kind = RISCV_HTINST_NONE;
	uint32_t access = fault_access(s->cause);
	enum axvmi_fault_result result;

	if (s->htinst != 0)
		kind = htinst_kind(s->htinst);
	/* Page tables are read, whatever the access that needs them; entries
	 * are aligned, which the bits of stval are not. */
	if (is_walk(kind, s, gpa)) {
		access = kind == RISCV_HTINST_TABLE_WRITE ? AXVM_WRITE
							  : AXVM_READ;
		gpa = align_down(gpa, 4);
	}
	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_STAGE2_FAULT);
	result = axvmi_ram_fault(&v->core, gpa, access, space);
	return result == AXVMI_FAULT_RETRY
		       ? 0
		       : ram_refused(v, s, space, kind, result);
}

int axvmi_riscv_page_fault(struct riscv_vcpu *v, const struct riscv_syndrome *s,
			   const struct axvmi_space *space)
{
	if (space != NULL && space->kind != AXVMI_SPACE_DEVICE)
		return ram(v, s, space);
	if (s->cause == CAUSE_FETCH_GUEST_PAGE) {
		axvmi_leave(&v->core);
		axvmi_riscv_reflect(v, CAUSE_FETCH_ACCESS, s->stval);
		return 0;
	}
	return axvmi_riscv_mmio(v, s, riscv_fault_gpa(s->stval, s->htval),
				space);
}

/* ---- instructions ---- */

/*
 * Virtual-instruction exceptions: WFI because of hstatus.VTW, and everything
 * that a machine without the H extension calls illegal. What it was is read from
 * memory: stval may be 0, and some harts (QEMU 7.2) leave there what they met
 * before, which may have been the host's own WFI.
 */
static int virtual_instruction(struct riscv_vcpu *v)
{
	uint32_t word;
	bool fetched = riscv_vm(v->core.vm)->metal->fetch(v, &word);
	enum riscv_sys_kind kind;
	int reason;

	axvmi_leave(&v->core);
	if (!fetched)
		return 0;
	kind = axvmi_riscv_sys_decode(word).kind;
	/* Zawrs: may end for any reason, so also for none. */
	if (kind == RISCV_SYS_WRS) {
		v->frame.pc += 4;
		return 0;
	}
	if (kind != RISCV_SYS_WFI || (v->frame.sstatus & SSTATUS_SPP) == 0) {
		axvmi_riscv_reflect(v, CAUSE_ILLEGAL, word);
		return 0;
	}
	axvmi_count(&v->core, AXVM_STAT_HALT);
	v->frame.pc += 4;
	reason = axvmi_halt(&v->core,
			    riscv_vm(v->core.vm)->metal->timer_deadline(v));
	if (reason != 0)
		v->core.exit->pc = v->frame.pc - 4;
	return reason;
}

/* Traps here only while floating-point or vector state is not loaded. */
static int illegal_instruction(struct riscv_vcpu *v,
			       const struct riscv_syndrome *s)
{
	axvmi_leave(&v->core);
	if (riscv_vm(v->core.vm)->metal->lazy_load(v))
		axvmi_count(&v->core, AXVM_STAT_LAZY_STATE);
	else
		axvmi_riscv_reflect(v, CAUSE_ILLEGAL, s->stval);
	return 0;
}

int axvmi_riscv_exit(struct riscv_vcpu *v, const struct riscv_syndrome *s)
{
	switch (s->cause) {
	case CAUSE_FETCH_GUEST_PAGE:
	case CAUSE_LOAD_GUEST_PAGE:
	case CAUSE_STORE_GUEST_PAGE:
		return axvmi_riscv_page_fault(
			v, s,
			axvmi_bus_find(&v->core.vm->bus[AXVM_BUS_MMIO],
				       riscv_fault_gpa(s->stval, s->htval)));
	case CAUSE_VIRTUAL_INSTRUCTION:
		return virtual_instruction(v);
	case CAUSE_ILLEGAL:
		return illegal_instruction(v, s);
	default:
		axvmi_leave(&v->core);
		return exit_unknown(v, s);
	}
}

/* ---- completion ---- */

void axvmi_riscv_complete(struct axvm_vcpu *vcpu,
			  enum axvm_complete_action action, uint64_t value)
{
	struct riscv_vcpu *v = riscv_vcpu(vcpu);

	if (vcpu->wait == AXVM_EXIT_MMIO) {
		if (action == AXVM_COMPLETE_DONE)
			(void)riscv_mmio_done(v, value);
		if (action == AXVM_COMPLETE_FAULT)
			axvmi_riscv_mmio_refuse(v);
		return;
	}
	if (action == AXVM_COMPLETE_RETRY) {
		/* Only of an ecall has pc moved on already. */
		if (vcpu->wait == AXVM_EXIT_HYPERCALL)
			v->frame.pc -= 4;
		return;
	}
	if (vcpu->wait == AXVM_EXIT_HYPERCALL ||
	    vcpu->wait == AXVM_EXIT_CPU_ON) {
		axvmi_riscv_sbi_complete(v, vcpu->wait, action, value);
		return;
	}
	/* A FAULT answered DONE: the host did the access itself, and skipping
	 * it needs no more than the next instruction. */
	if (action == AXVM_COMPLETE_FAULT)
		axvmi_riscv_reflect(v, v->fault_cause, v->fault_value);
}
