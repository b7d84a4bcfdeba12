/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Deciding what an exit means: guest page faults (RAM, device, hole), virtual
 * and illegal instructions. Pure; called by the metal half on the running vCPU.
 */
#ifndef AXVMI_RISCV_EXIT_H
#define AXVMI_RISCV_EXIT_H

#include "backend.h"
#include "insn.h"
#include "regs.h"

/* What the hart says about a trap, read at once. */
struct riscv_syndrome {
	uint64_t cause; /* scause, an exception */
	uint64_t stval;
	uint64_t htval;
	uint64_t htinst;
};

/*
 * Handles an exception other than an ecall of VS-mode; the vCPU has not been
 * left yet. 0 or RISCV_RELOAD: go on in the guest; else an exit reason, exit
 * filled.
 */
int axvmi_riscv_exit(struct riscv_vcpu *v, const struct riscv_syndrome *s);
/* The same for a guest page fault at an address for which the map has `space`
 * or, NULL, nothing. */
int axvmi_riscv_page_fault(struct riscv_vcpu *v, const struct riscv_syndrome *s,
			   const struct axvmi_space *space);

/* The guest gets exception `cause` at its present pc: RISCV_EFFECT_TRAP. */
void axvmi_riscv_reflect(struct riscv_vcpu *v, uint64_t cause, uint64_t value);

/* vsstatus after a trap into VS-mode from the mode in sstatus.SPP. */
uint64_t axvmi_riscv_trap_status(uint64_t vsstatus, uint64_t sstatus);

/*
 * "Hypervisor Trap Value (htval) Register": the address shifted by two, its low
 * bits are those of the virtual address.
 */
static inline uint64_t riscv_fault_gpa(uint64_t stval, uint64_t htval)
{
	return htval << 2 | (stval & 3);
}

/* The access fault that goes with a guest page fault. */
static inline uint64_t riscv_access_fault(uint64_t cause)
{
	if (cause == CAUSE_FETCH_GUEST_PAGE)
		return CAUSE_FETCH_ACCESS;
	return cause == CAUSE_LOAD_GUEST_PAGE ? CAUSE_LOAD_ACCESS
					      : CAUSE_STORE_ACCESS;
}

/*
 * An access to the guest's own page tables of which htinst says nothing. Its
 * address is not the one that was being translated ("Hypervisor Trap Value
 * (htval) Register"), and so has another page offset, nearly always.
 */
static inline bool riscv_is_silent_walk(enum riscv_htinst_kind kind,
					const struct riscv_syndrome *s,
					uint64_t gpa)
{
	return kind == RISCV_HTINST_NONE &&
	       ((gpa ^ s->stval) & (PAGE_SIZE_4K - 1)) != 0;
}

/* The access fault that goes with an instruction's guest page fault. */
uint64_t axvmi_riscv_insn_fault(const struct riscv_insn *insn, uint64_t cause);
/* The same of an access to page tables, of whom the hart does not say. */
uint64_t axvmi_riscv_guessed_fault(const struct riscv_syndrome *s, bool fetched,
				   uint32_t word);

/* pc and syndrome of an exit to the host. */
static inline void riscv_fill_exit(struct riscv_vcpu *v,
				   const struct riscv_syndrome *s)
{
	struct axvm_exit *exit = v->core.exit;

	exit->pc = v->frame.pc;
	exit->valid |= AXVM_EXIT_RAW_VALID;
	exit->raw[0] = s->cause;
	exit->raw[1] = s->stval;
	exit->raw[2] = s->htval;
	exit->raw[3] = s->htinst;
}

/* arch_ops.vcpu_complete. */
void axvmi_riscv_complete(struct axvm_vcpu *vcpu,
			  enum axvm_complete_action action, uint64_t value);

#endif
