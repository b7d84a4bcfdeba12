/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A 16550A UART (National Semiconductor PC16550D data sheet): FIFOs, receive
 * and transmit-empty interrupts, loopback, modem and scratch registers. Bytes
 * go to and come from the host by callback and call.
 *
 * There is no clock in it: a byte is sent the moment it is written, whatever
 * baud rate and word length say, and received bytes below the FIFO's trigger
 * level count as timed out at once, so that no driver waits for more. The modem
 * on the other end is always there (CTS, DSR and DCD). OUT2 gates nothing.
 */
#ifndef AXVM_DEVICES_UART16550_H
#define AXVM_DEVICES_UART16550_H

#include "../device.h"
#include "../types.h"
#include "serial.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AXVM_UART16550_FIFO 16u

/* How a UART is wired. */
struct axvm_uart16550_config {
	size_t size; /* sizeof(struct axvm_uart16550_config) */
	enum axvm_bus bus;
	uint64_t base; /* first register; 8 << reg_shift bytes are decoded */
	uint32_t reg_shift; /* 0..3: registers are 1 << reg_shift bytes apart */
	uint32_t line; /* interrupt line; 0: none, the guest polls */
	/*
	 * A byte the guest sent. Mandatory. Called on vCPU threads inside
	 * axvm_run_vcpu() with no lock held, perhaps on two CPUs at once; each
	 * vCPU's bytes come in its order, and writes that the guest itself orders
	 * come in that order. May call receive; must not block.
	 */
	void (*transmit)(void *ctx, uint8_t byte);
	void *ctx;
};

/* Private to the model; the host provides the memory. */
struct axvm_uart16550 {
	struct axvm_device device;
	struct axvm_uart16550_config config;
	struct axvm_serial serial;
	uint32_t rx_breaks; /* in the FIFO, that LSR has not shown */
	uint8_t ier, fcr, lcr, mcr, msr, scr, dll, dlm;
	uint8_t errors; /* OE and BI of LSR, until it is read */
	uint8_t thre_pending;
};

/*
 * Prepares a UART for axvm_add_device(vm, &uart->device); `uart` need not be
 * zeroed. Registers are accessed by bytes, or by any width up to their
 * distance.
 * Context: thread. Errors: EINVAL (null, size, bus, shift, base + range wraps),
 * ENOENT (the VM has no such line).
 */
AXVM_MUST_USE int
axvm_uart16550_init(struct axvm_uart16550 *uart, struct axvm_vm *vm,
		    const struct axvm_uart16550_config *config);

/*
 * Bytes for the guest; returns how many the receiver took (0..count), the rest
 * is to be offered again later: up to 16 with FIFOs, 1 without, 0 while the
 * guest loops the UART back. Context: interrupt, or thread with host interrupts
 * masked (an interrupt handler that calls this would wait for ever otherwise);
 * also inside transmit.
 */
size_t axvm_uart16550_receive(struct axvm_uart16550 *uart, const uint8_t *bytes,
			      size_t count);

/* Bytes the receiver would take now. Context: as receive. */
size_t axvm_uart16550_receive_room(struct axvm_uart16550 *uart);

#ifdef __cplusplus
}
#endif

#endif
