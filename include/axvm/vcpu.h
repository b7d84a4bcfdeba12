/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Running vCPUs. The guest is a function call: axvm_run_vcpu() enters the guest
 * and returns a filled exit record.
 *
 * Contract of axvm_run_vcpu():
 *  - thread context, on the CPU whose handle is given;
 *  - host interrupts are masked inside and restored on return; a pending host
 *    interrupt stays pending and run returns IRQ, so that the host takes it by
 *    unmasking;
 *  - preserved: callee-saved registers of the host's ABI (floating-point ones
 *    too if the archive is built for a hard-float ABI), stack, thread pointer,
 *    trap vector, scratch register, page-table root;
 *  - the library's accesses to guest memory that may fault use its own trap
 *    vector for just those instructions; the host's handler is not involved;
 *  - while the host's callbacks run inside, its trap vector, scratch register
 *    and sstatus are its own; on a soft-float host they must leave floating-point
 *    and vector registers alone;
 *  - stack use of at most 2 KiB besides the host's callbacks.
 *
 * Residency: state stays loaded on the CPU after run returns. Before the host
 * itself uses what is listed here it calls axvm_cpu_release():
 *
 *   RISC-V  f0-f31, fcsr (soft-float hosts; hard-float ones get them back at
 *           every return), v0-v31 and vector CSRs, vs* CSRs, vstimecmp, hgatp,
 *           htimedelta, henvcfg, hvip, hedeleg, hideleg, hcounteren, hstatus,
 *           scounteren and senvcfg, which also govern the host's own U-mode
 */
#ifndef AXVM_VCPU_H
#define AXVM_VCPU_H

#include "exit.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum axvm_vcpu_state {
	AXVM_VCPU_OFF = 0, /* not started by the guest yet, or stopped */
	AXVM_VCPU_READY = 1, /* can run */
	AXVM_VCPU_RUNNING = 2, /* inside axvm_run_vcpu() */
	AXVM_VCPU_BLOCKED = 3, /* returned HALT, waits for an interrupt */
};

/*
 * Runs a vCPU until something is for the host; see the contract above.
 *   cpu   handle of the CPU that calls
 *   vcpu  index below the VM's vCPU count
 *   exit  filled when 0 is returned
 * Context: thread. Errors: EINVAL, ENOENT (vcpu), ESTATE (VM in LOADING or
 * LOADED), EBUSY (runs already, or resident on another CPU: unbind it there).
 */
AXVM_MUST_USE int axvm_run_vcpu(struct axvm_cpu *cpu, struct axvm_vm *vm,
				uint32_t vcpu, struct axvm_exit *exit);

enum axvm_complete_action {
	AXVM_COMPLETE_DONE =
		0, /* value is the result; the instruction retires */
	AXVM_COMPLETE_FAULT = 1, /* the guest gets the architectural fault */
	AXVM_COMPLETE_RETRY = 2, /* execute the instruction again */
};

/*
 * Says how an exit ends; takes effect at the next run. At most once per exit.
 *   seq    of the exit record
 *   value  read data (low bytes), hypercall result
 * Context: thread or interrupt, not while the vCPU runs. Errors: EINVAL,
 * ENOENT (vCPU, or no exit of that seq waits), EBUSY (running).
 */
AXVM_MUST_USE int axvm_vcpu_complete(struct axvm_vm *vm, uint32_t vcpu,
				     uint64_t seq,
				     enum axvm_complete_action action,
				     uint64_t value);

/*
 * Makes a run of this vCPU return KICKED: the present one, or the next one if
 * it is not running. Wakes it when blocked. Context: any, interrupt-safe.
 * Errors: EINVAL, ENOENT.
 */
AXVM_MUST_USE int axvm_vcpu_kick(struct axvm_vm *vm, uint32_t vcpu);

/*
 * Puts the vCPU if it is resident on `cpu`, which is the CPU that calls, so
 * that it can run on another one. Nothing to do if it is not resident there.
 * Context: thread or interrupt on `cpu`, not inside its run. Errors: EINVAL,
 * ENOENT, EBUSY (running).
 */
AXVM_MUST_USE int axvm_vcpu_unbind(struct axvm_cpu *cpu, struct axvm_vm *vm,
				   uint32_t vcpu);

/* State now. OFF for an index that does not exist. Context: any. */
enum axvm_vcpu_state axvm_vcpu_state(const struct axvm_vm *vm, uint32_t vcpu);

/*
 * Reads or writes a register (numbers in arch.h) of a vCPU that is not running.
 * Context: thread. Errors: EINVAL, ENOENT (vCPU or register), EBUSY (running,
 * or the register is loaded on a CPU: unbind first), ESTATE (LOADING).
 */
AXVM_MUST_USE int axvm_vcpu_get_reg(struct axvm_vm *vm, uint32_t vcpu,
				    uint32_t reg, uint64_t *value);
AXVM_MUST_USE int axvm_vcpu_set_reg(struct axvm_vm *vm, uint32_t vcpu,
				    uint32_t reg, uint64_t value);

/* What the guest left for; counted whether or not run returned. */
enum axvm_stat {
	AXVM_STAT_FIRMWARE_CALL = 0, /* SBI, PSCI */
	AXVM_STAT_HYPERCALL,
	AXVM_STAT_MMIO,
	AXVM_STAT_PORT,
	AXVM_STAT_SYSREG,
	AXVM_STAT_STAGE2_FAULT, /* demand page, spurious, permission */
	AXVM_STAT_HALT,
	AXVM_STAT_INTERRUPT, /* host interrupt, kicks included */
	AXVM_STAT_LAZY_STATE, /* first use of FP or vector */
	AXVM_STAT_REFLECTED, /* exception given back to the guest */
	AXVM_STAT_OTHER,
	AXVM_STATS, /* number of counters */
};

struct axvm_vcpu_stats {
	uint64_t exits[AXVM_STATS];
	uint64_t returns[AXVM_EXIT_REASONS]; /* by reason of run's return */
};

/*
 * Copies the counters of a vCPU. Context: any, interrupt-safe; counters of a
 * running vCPU may be some exits apart. Errors: EINVAL, ENOENT.
 */
AXVM_MUST_USE int axvm_vcpu_get_stats(const struct axvm_vm *vm, uint32_t vcpu,
				      struct axvm_vcpu_stats *stats);

/* Name of a counter, e.g. "mmio". Static storage. Context: any. */
const char *axvm_stat_name(enum axvm_stat stat);

#ifdef __cplusplus
}
#endif

#endif
