/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Interrupt lines. A line is an input of the VM's interrupt controller: ARM
 * INTID 32-1019, PLIC source 1-1023, x86 GSI 0-23. Setting one writes an atomic
 * word and notifies a vCPU, which evaluates the controller model; so all calls
 * here are interrupt-safe and take no lock.
 */
#ifndef AXVM_IRQ_H
#define AXVM_IRQ_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Sets the host's own level of a line. Lines with several sources are the OR of
 * all; a device that shares a line takes a source of its own. Levels outlive
 * axvm_reset(), as the world outside the guest does; edges not yet taken do
 * not.
 * Context: any, interrupt-safe. Errors: EINVAL, ENOENT (line), ESTATE (VM in
 * LOADING).
 */
AXVM_MUST_USE int axvm_irq_set(struct axvm_vm *vm, uint32_t line, bool level);

/* One of several sources of a line. Zero-initialise, then fill vm and line. */
struct axvm_irq_source {
	struct axvm_vm *vm;
	uint32_t line;
	uint32_t level; /* of the library; 0 at first */
};

/* As axvm_irq_set() for one source. Context: any, interrupt-safe. */
AXVM_MUST_USE int axvm_irq_source_set(struct axvm_irq_source *source,
				      bool level);

/*
 * Hands host interrupt `irq`, that of a passthrough device of the VM, to the
 * guest: the line of the same number becomes pending once. For the host's
 * handler, which has masked the interrupt. When the guest has ended it at its
 * interrupt controller (PLIC completion, EOI), or cleared it there (ICPENDR), the
 * library calls hal.irq_unmask(irq), once; what is posted until then is one with
 * the first.
 *   - The host unmasks the interrupt for the first time itself, after
 *     axvm_init().
 *   - A guest that masks the line, or claims the interrupt and never ends it,
 *     keeps the host's masked. To end what it has not claimed does nothing.
 *   - axvm_reset() forgets what is posted and unmasks it: a device that still
 *     asks is heard again. axvm_destroy() leaves it masked, for the host.
 * Context: any, interrupt-safe. Errors: EINVAL, ENOENT (no passthrough device
 * of the VM has this interrupt), ESTATE (VM in LOADING: not posted).
 */
AXVM_MUST_USE int axvm_irq_forward(struct axvm_vm *vm, uint32_t irq);

/*
 * Sets an interrupt input private to one vCPU: RISC-V 1 (software), 5 (timer),
 * 9 (external); ARM PPI 16-31; x86 LINT 0-1.
 * Context: any, interrupt-safe. Errors: EINVAL, ENOENT (vCPU or line), ESTATE.
 */
AXVM_MUST_USE int axvm_vcpu_irq_set(struct axvm_vm *vm, uint32_t vcpu,
				    uint32_t line, bool level);

/* Added to the number in axvm_inject(): an input private to the vCPU. */
#define AXVM_PRIVATE_LINE 0x10000u

/*
 * Sends an edge: line `line` of the interrupt controller becomes pending once,
 * routed as the guest has programmed it (`vcpu` must exist, and no more); with
 * AXVM_PRIVATE_LINE + n it goes to input n of `vcpu`, see axvm_vcpu_irq_set().
 * Edges of one line that the guest has not seen yet are one. Context: any,
 * interrupt-safe. Errors: EINVAL, ENOENT (vCPU or line), ESTATE.
 */
AXVM_MUST_USE int axvm_inject(struct axvm_vm *vm, uint32_t vcpu, uint32_t line);

#ifdef __cplusplus
}
#endif

#endif
