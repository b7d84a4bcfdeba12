/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A PL011 UART (PrimeCell UART (PL011) Technical Reference Manual, r1p5): FIFOs
 * of 32 characters, all interrupts, loopback, break; no DMA, no IrDA. The Generic
 * UART of the Base System Architecture is a part of it. Bytes go to and come from
 * the host by callback and call.
 *
 * There is no clock in it: a byte is sent the moment it is written, whatever
 * baud rate and word length say, and received bytes below the FIFO's trigger
 * level count as timed out at once. After a FIFO full of bytes UARTFR shows it
 * full for some looks, for drivers to go over to the transmit interrupt. The
 * modem on the other end is always there (CTS, DSR and DCD). At reset
 * UARTCR.UARTEN is set, as firmware leaves it.
 */
#ifndef AXVM_DEVICES_PL011_H
#define AXVM_DEVICES_PL011_H

#include "../device.h"
#include "../types.h"
#include "serial.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AXVM_PL011_FIFO 32u
/* Bytes of guest-physical space. */
#define AXVM_PL011_SIZE 0x1000u

/* How a UART is wired. */
struct axvm_pl011_config {
	size_t size; /* sizeof(struct axvm_pl011_config) */
	uint64_t base; /* guest-physical, of UARTDR; a multiple of 4 */
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
struct axvm_pl011 {
	struct axvm_device device;
	struct axvm_pl011_config config;
	struct axvm_serial serial; /* received, as UARTDR shows them */
	uint32_t tx_count; /* written while the transmitter was off */
	uint32_t tx_streak; /* sent since the FIFO last looked full */
	uint32_t tx_looks; /* at the full one */
	uint8_t tx[AXVM_PL011_FIFO];
	uint16_t cr, imsc, ris, ibrd;
	uint8_t lcr_h, ifls, fbrd, ilpr;
	uint8_t rsr;
	uint8_t modem; /* lines, as in UARTFR bits 2-0, and RI in bit 3 */
	uint8_t overrun; /* the next character received says so */
};

/*
 * Prepares a UART for axvm_add_device(vm, &uart->device); `uart` need not be
 * zeroed. Registers are accessed by bytes, halfwords or words at their offset.
 * Context: thread. Errors: EINVAL (null, size, alignment, base + range wraps),
 * ENOENT (the VM has no such line).
 */
AXVM_MUST_USE int axvm_pl011_init(struct axvm_pl011 *uart, struct axvm_vm *vm,
				  const struct axvm_pl011_config *config);

/*
 * Bytes for the guest; returns how many the receiver took (0..count), the rest
 * is to be offered again later: up to 32 with FIFOs, 1 without, 0 while the
 * guest has the receiver off or loops the UART back. Context: interrupt, or
 * thread with host interrupts masked; also inside transmit.
 */
size_t axvm_pl011_receive(struct axvm_pl011 *uart, const uint8_t *bytes,
			  size_t count);

/* Bytes the receiver would take now. Context: as receive. */
size_t axvm_pl011_receive_room(struct axvm_pl011 *uart);

#ifdef __cplusplus
}
#endif

#endif
