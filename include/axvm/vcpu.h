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
 *   ARM     v0-v31, FPSR, FPCR (not if the archive is built for hosts that use
 *           them, AXVM_ARM_HOST_FP: they get d8-d15 and FPCR back at every
 *           return), CPTR_EL2, MDCR_EL2, HCR_EL2.VM and PTW, VTTBR_EL2,
 *           VTCR_EL2, CNTVOFF_EL2, VSESR_EL2, VDISR_EL2, ICH_*, the *_EL12
 *           registers, PAR_EL1, TPIDR_EL1, CSSELR_EL1, TPIDRRO_EL0,
 *           MDSCR_EL1, DBGBVR<n>_EL1 and its kin and the OS lock (if the guest
 *           uses them), pointer authentication keys; hal.vtimer_irq may be
 *           active. SP_EL0 and TPIDR_EL0 are the host's whenever its code runs
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

/*
 * Whether a run has something to do now: *pending is true unless the vCPU is off,
 * or waits (HALT) with neither an interrupt come nor its deadline reached. For
 * hosts that poll instead of using hal.wake. Context: any, interrupt-safe; may
 * have changed when the caller looks at it. Errors: EINVAL, ENOENT.
 */
AXVM_MUST_USE int axvm_vcpu_pending(struct axvm_vm *vm, uint32_t vcpu,
				    bool *pending);

/*
 * Bounds how many exits one run serves inside the library before it returns
 * YIELD, so that a guest which only exits cannot keep the CPU longer than that;
 * 0, at first: no bound. Kept over resets. Context: thread, not while the vCPU
 * runs. Errors: EINVAL, ENOENT, ESTATE (LOADING), EBUSY (running).
 */
AXVM_MUST_USE int axvm_vcpu_set_exit_limit(struct axvm_vm *vm, uint32_t vcpu,
					   uint32_t limit);

/*
 * Whether a vCPU that begins to wait for an event of another one, as in a spin
 * lock (ARM WFE), returns YIELD instead of waiting on the CPU: for hosts that have
 * more vCPUs than CPUs. At first not; kept over resets. Context: thread, not
 * while the vCPU runs. Errors: EINVAL, ENOENT, ESTATE (LOADING), EBUSY (running),
 * ENOTSUP (these CPUs do not tell).
 */
AXVM_MUST_USE int axvm_vcpu_set_spin_yield(struct axvm_vm *vm, uint32_t vcpu,
					   bool yields);

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

/*
 * Writes a vCPU's state, registers and exit counters as lines of text into
 * `buffer`, cut to `size` bytes with the NUL at the end; *length is that of the
 * whole text without the NUL. Registers that are loaded on a CPU have no value
 * until axvm_vcpu_unbind(). `buffer` may be NULL if size is 0.
 * Context: thread, not while the vCPU runs. Errors: EINVAL, ENOENT, ESTATE
 * (LOADING), EBUSY (running).
 */
AXVM_MUST_USE int axvm_dump_vcpu(struct axvm_vm *vm, uint32_t vcpu,
				 char *buffer, size_t size, size_t *length);

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
	/* Time inside axvm_run_vcpu(), in ticks of hal.counter_hz: the guest's
	 * and what the library needs to serve its exits. */
	uint64_t run_ticks;
};

/*
 * Copies the counters of a vCPU. Context: any, interrupt-safe; counters of a
 * running vCPU may be some exits apart. Errors: EINVAL, ENOENT.
 */
AXVM_MUST_USE int axvm_vcpu_get_stats(const struct axvm_vm *vm, uint32_t vcpu,
				      struct axvm_vcpu_stats *stats);

/* Bucket n counts durations of [2^n, 2^(n + 1)) cycles, bucket 0 also 0, the last
 * one all longer ones. */
#define AXVM_HISTOGRAM_BUCKETS 40u

/*
 * Cycles from an exit to the next entry of the same vCPU on the same CPU, by
 * what the guest left for. Exits that make run return include the host's own
 * time until it runs the vCPU again.
 */
struct axvm_exit_histogram {
	size_t size; /* sizeof(struct axvm_exit_histogram) */
	uint64_t count[AXVM_STATS][AXVM_HISTOGRAM_BUCKETS];
	uint64_t total[AXVM_STATS]; /* cycles */
	uint64_t seen[AXVM_STATS]; /* the library's own */
};

/*
 * Begins to fill a histogram, which the host has zeroed but for its size and
 * reads when the vCPU does not run; NULL ends it. Costs some hundred
 * instructions an exit; a vCPU without one pays two. Kept over resets; the
 * struct must live as long. Cycles are those of the CPU if it can count them,
 * else ticks of the counter guests read.
 * Context: thread, not while the vCPU runs. Errors: EINVAL (size), ENOENT,
 * ESTATE (LOADING), EBUSY (running).
 */
AXVM_MUST_USE int
axvm_vcpu_set_histogram(struct axvm_vm *vm, uint32_t vcpu,
			struct axvm_exit_histogram *histogram);

/* Name of a counter, e.g. "mmio". Static storage. Context: any. */
const char *axvm_stat_name(enum axvm_stat stat);

#ifdef __cplusplus
}
#endif

#endif
