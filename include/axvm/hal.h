/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What the host kernel gives the library: one struct of callbacks. The library
 * calls nothing else of the host but memcpy, memmove, memset and memcmp.
 * axvm_hal_selftest() (selftest.h) checks that they do what is said here.
 */
#ifndef AXVM_HAL_H
#define AXVM_HAL_H

#include "types.h"

enum axvm_log_level {
	AXVM_LOG_ERROR = 0,
	AXVM_LOG_WARNING = 1,
	AXVM_LOG_INFO = 2,
};

/*
 * Callbacks get `ctx` first. They must not block, and must not call into the
 * library except where said. They may be called on any CPU, also on several at
 * once, with host interrupts masked or not, and leave that as it was. Apart
 * from the four mandatory ones a NULL withdraws the feature named, and the call
 * that needs it returns AXVM_ENOTSUP.
 */
struct axvm_hal {
	/* sizeof(struct axvm_hal). */
	size_t size;

	/* Passed back to every callback; may be NULL. */
	void *ctx;

	/*
	 * Mandatory. Contiguous physical memory of `size` bytes at a multiple of
	 * `align` (a power of two), or NULL. Alignments up to 64 KiB must be
	 * honoured, by the pointer and by the physical address; larger ones
	 * may be refused by NULL, and only the physical address counts. Contents
	 * may be anything: the library zeroes what it needs zero.
	 */
	void *(*alloc)(void *ctx, size_t size, size_t align);

	/* Mandatory. Gives back exactly what alloc gave, with the same size. */
	void (*free)(void *ctx, void *ptr, size_t size);

	/* Mandatory. Physical address of a byte that alloc gave. */
	struct axvm_hpa (*virt_to_phys)(void *ctx, const void *ptr);

	/*
	 * Mandatory. Where the host can read and write a physical byte: memory
	 * from alloc, memory of HOST, IDENTICAL and RESERVED regions. The mapping
	 * is linear inside a 4 KiB page.
	 */
	void *(*phys_to_virt)(void *ctx, struct axvm_hpa hpa);

	/*
	 * True: virtual = physical + virt_offset (modulo 2^64) for everything the
	 * two translators answer. The library then does the sum itself where it
	 * walks tables, which is several times faster than a call a level.
	 */
	bool linear;
	uint64_t virt_offset;

	/*
	 * Makes CPU `cpu` (dense index) leave the guest soon, also when raised
	 * just before it enters; usually an inter-processor interrupt. Must not
	 * wait. Spurious kicks are harmless. NULL: only one CPU can be enabled.
	 */
	void (*kick)(void *ctx, uint32_t cpu);

	/*
	 * A vCPU whose last run returned HALT has work again: run it. May come
	 * before the host has gone to sleep over that HALT, more than once, and
	 * from interrupt context; the host keeps it sticky. NULL: the host polls,
	 * running halted vCPUs from time to time.
	 */
	void (*wake)(void *ctx, struct axvm_vm *vm, uint32_t vcpu);

	/* Monotonic time in nanoseconds, the same on every CPU. NULL: no guest
	 * timers without hardware support, no deadlines in HALT exits. */
	uint64_t (*now)(void *ctx);

	/* Frequency in Hz of the architecture's counter as guests read it (RISC-V
	 * `time`, ARM CNTVCT); 1..2^32 - 1. 0: unknown, no guest timers. */
	uint64_t counter_hz;

	/*
	 * This CPU must take an interrupt not later than `deadline` (in the time of
	 * `now`), so that the guest is left and its timer looked at. Replaces the
	 * deadline asked for before; UINT64_MAX cancels. The host multiplexes this
	 * with its own tick. NULL: guest timers need hardware support.
	 */
	void (*timer)(void *ctx, uint64_t deadline);

	/*
	 * ARM, for hosts with ICC_CTLR_EL1.EOImode 1: the guest's virtual timer
	 * asks for an interrupt on this CPU, PPI `vtimer_irq` (16..31, as the
	 * machine has it; 27 on most). Acknowledges what is pending. If it is
	 * the timer: drops its priority (ICC_EOIR1_EL1), leaves it active and
	 * returns true; the guest's EOI deactivates it (ICH_LR<n>_EL2.HW), or the
	 * library does. Anything else, also nothing: deals with it as the host's
	 * vector would, and returns false: run returns IRQ then. Called inside
	 * run, after an interrupt, with host interrupts masked and none of the
	 * library's locks held; may call what is interrupt-safe.
	 *
	 * NULL: the library silences the timer by its IMASK as long as its
	 * interrupt waits, which costs one more exit each, and which the guest
	 * can see: it reads IMASK as 1, and one that masks its timer without
	 * arming it anew may get one interrupt more than it should.
	 */
	bool (*take_vtimer)(void *ctx);
	uint32_t vtimer_irq;

	/* Seconds since 1970-01-01 UTC for real-time clock models. */
	uint64_t (*wallclock)(void *ctx);

	/*
	 * The guest has finished with host interrupt `irq`, which the host masked
	 * before axvm_irq_forward(): unmask it. It may come at once. Called on the
	 * thread that runs the vCPU, inside run with none of the library's locks
	 * held, and by axvm_reset() with the VM's life lock held. NULL: no
	 * passthrough device has an interrupt.
	 */
	void (*irq_unmask)(void *ctx, uint32_t irq);

	/* One line of text without newline, NUL-terminated. Never called once per
	 * guest action. */
	void (*log)(void *ctx, enum axvm_log_level level, const char *msg);
};

#endif
