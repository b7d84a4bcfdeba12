/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The exit record of axvm_run_vcpu(): fixed size, fixed-width fields, the same
 * on every architecture.
 */
#ifndef AXVM_EXIT_H
#define AXVM_EXIT_H

#include "types.h"

/*
 * Why run returned, and what the library does at the next run when the host
 * has not called axvm_vcpu_complete() (only the reasons marked * take it):
 *
 *   HALT         the vCPU waits for an interrupt, or is off; run it again after
 *                hal.wake or at the deadline
 *   IRQ          a host interrupt is pending: unmask and take it, run again
 *   KICKED       axvm_vcpu_kick() was called; the interrupt by which the kick
 *                came may still be pending
 *   SUSPENDED    the VM is suspended; run again after hal.wake, which resume
 *                calls
 *   STOPPED      the VM is stopping or stopped; the vCPU is unbound
 *   MMIO *       access to guest-physical space nobody claims
 *                default: reads all-ones, writes dropped
 *   PORT *       access to an I/O port nobody claims; default as MMIO
 *   SYSREG *     access to a system register left to the host
 *                default: the guest gets the architectural fault
 *   HYPERCALL *  a call in the family's convention with a number that is not
 *                the library's (ivc.h); default: result -1
 *   CPU_ON *     the guest starts a vCPU; default: the library starts it;
 *                FAULT refuses it with the architecture's error code
 *   SYSTEM_OFF   the guest powered off; the VM is stopping
 *   SYSTEM_RESET the guest asked for a reset; the VM is stopping, the host may
 *                axvm_reset() and axvm_boot() it
 *   FAULT *      the guest did something the library cannot continue; see kind
 *                default: the guest gets an access fault; DONE: it goes on at
 *                its pc, which the host may have moved
 *   FAIL_ENTRY   the hardware refused the vCPU's state; `code` says why
 *   DEBUG        a breakpoint or single step the host asked for
 *   YIELD        the bound of axvm_vcpu_set_exit_limit() is reached, or the
 *                guest spins: axvm_vcpu_set_spin_yield()
 */
enum axvm_exit_reason {
	AXVM_EXIT_NONE = 0,
	AXVM_EXIT_HALT,
	AXVM_EXIT_IRQ,
	AXVM_EXIT_KICKED,
	AXVM_EXIT_SUSPENDED,
	AXVM_EXIT_STOPPED,
	AXVM_EXIT_MMIO,
	AXVM_EXIT_PORT,
	AXVM_EXIT_SYSREG,
	AXVM_EXIT_HYPERCALL,
	AXVM_EXIT_CPU_ON,
	AXVM_EXIT_SYSTEM_OFF,
	AXVM_EXIT_SYSTEM_RESET,
	AXVM_EXIT_FAULT,
	AXVM_EXIT_FAIL_ENTRY,
	AXVM_EXIT_DEBUG,
	AXVM_EXIT_YIELD,
	AXVM_EXIT_REASONS, /* number of reasons */
};

enum axvm_fault_kind {
	/* Stage-2 fault in RAM whose rights do not allow the access. */
	AXVM_FAULT_PERMISSION = 0,
	/* RAM without a page behind it (taken away by axvm_unmap), or a window
	 * of the library with nothing in it now. */
	AXVM_FAULT_UNMAPPED = 1,
	/* hal.alloc had no page for a demand region; run again to retry. */
	AXVM_FAULT_NO_MEMORY = 2,
	/* An exit the backend has no rule for; `raw` holds the syndrome. */
	AXVM_FAULT_UNKNOWN = 3,
};

/* Bits of axvm_exit.valid. */
#define AXVM_EXIT_GPA_VALID 0x1u
#define AXVM_EXIT_GVA_VALID 0x2u
#define AXVM_EXIT_RAW_VALID 0x4u

/* No deadline. */
#define AXVM_NO_DEADLINE UINT64_MAX

/*
 * Of `u` the member of the reason is filled, none for a reason that has none.
 * What is neither said to be valid nor named by the reason is left as it was in
 * the caller's record.
 */
struct axvm_exit {
	uint32_t reason; /* enum axvm_exit_reason */
	uint32_t vcpu; /* index */
	uint64_t seq; /* names this exit to axvm_vcpu_complete() */
	uint64_t pc; /* of the instruction that caused it */
	uint64_t gpa; /* if AXVM_EXIT_GPA_VALID */
	uint64_t gva; /* if AXVM_EXIT_GVA_VALID */
	uint32_t valid;
	uint32_t reserved; /* 0 */
	union {
		struct {
			uint64_t deadline; /* hal.now time, or NO_DEADLINE */
		} halt;
		struct {
			uint64_t value; /* of a write, zero-extended */
			uint32_t size; /* 1, 2, 4, 8 bytes */
			uint32_t write; /* 0 or 1 */
		} mmio; /* address in gpa */
		struct {
			uint64_t value;
			uint32_t size; /* 1, 2, 4 bytes */
			uint32_t write;
			uint32_t port;
			uint32_t reserved;
		} port;
		struct {
			uint64_t value;
			uint32_t number; /* as the architecture encodes it */
			uint32_t write;
		} sysreg;
		struct {
			uint64_t number;
			uint64_t args[6];
		} hypercall;
		struct {
			uint64_t entry; /* guest address */
			uint64_t argument;
			uint32_t vcpu; /* index of the one to start */
			uint32_t reserved;
		} cpu_on;
		struct {
			uint64_t type; /* as in SBI SRST or PSCI */
			uint64_t code;
		} system; /* SYSTEM_OFF, SYSTEM_RESET */
		struct {
			uint32_t kind; /* enum axvm_fault_kind */
			uint32_t access; /* AXVM_READ, WRITE or EXEC */
		} fault;
		struct {
			uint64_t code; /* architecture-specific */
		} fail_entry;
	} u;
	/* Syndrome registers, if AXVM_EXIT_RAW_VALID; see the backend's README
	 * row. */
	uint64_t raw[4];
};

/* Name of a reason, e.g. "MMIO". Static storage. Context: any. */
#ifdef __cplusplus
extern "C" {
#endif
const char *axvm_exit_name(uint32_t reason);
#ifdef __cplusplus
}
#endif

#endif
