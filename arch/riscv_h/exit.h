/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Deciding what an exit means: guest page faults (RAM, device, hole), virtual
 * and illegal instructions. Pure; called by the metal half on the running vCPU.
 */
#ifndef AXVMI_RISCV_EXIT_H
#define AXVMI_RISCV_EXIT_H

#include "backend.h"

/* What the hart says about a trap, read at once. */
struct riscv_syndrome {
	uint64_t cause; /* scause, an exception */
	uint64_t stval;
	uint64_t htval;
	uint64_t htinst;
};

/*
 * Handles an exception other than an ecall of VS-mode; the vCPU has not been
 * left yet. 0: go on in the guest; else an exit reason, exit filled.
 */
int axvmi_riscv_exit(struct riscv_vcpu *v, const struct riscv_syndrome *s);

/* The guest gets exception `cause` at its present pc: RISCV_EFFECT_TRAP. */
void axvmi_riscv_reflect(struct riscv_vcpu *v, uint64_t cause, uint64_t value);

/* vsstatus after a trap into VS-mode from the mode in sstatus.SPP. */
uint64_t axvmi_riscv_trap_status(uint64_t vsstatus, uint64_t sstatus);

/* arch_ops.vcpu_complete. */
void axvmi_riscv_complete(struct axvm_vcpu *vcpu,
			  enum axvm_complete_action action, uint64_t value);

#endif
