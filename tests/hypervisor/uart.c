/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The UART of a guest: the library's 16550, or its PL011 where guests expect
 * one.
 */
#include "host.h"

static void transmit(void *ctx, uint8_t byte)
{
	console_write(((const struct uart *)ctx)->writer, (char)byte);
}

static struct axvm_device *init_pl011(struct uart *uart, struct axvm_vm *vm,
				      const struct axvm_emu_device_config *d)
{
	const struct axvm_pl011_config wiring = {
		.size = sizeof(wiring),
		.base = d->gpa.value,
		.line = d->irq,
		.transmit = transmit,
		.ctx = uart,
	};

	MUST(axvm_pl011_init(&uart->model.pl011, vm, &wiring));
	return &uart->model.pl011.device;
}

static struct axvm_device *init_16550(struct uart *uart, struct axvm_vm *vm,
				      const struct axvm_emu_device_config *d)
{
	const struct axvm_uart16550_config wiring = {
		.size = sizeof(wiring),
		.bus = axvm_emu_device_uses_ports(d) ? AXVM_BUS_PORT
						     : AXVM_BUS_MMIO,
		.base = d->gpa.value,
		.line = d->irq,
		.transmit = transmit,
		.ctx = uart,
	};

	MUST(axvm_uart16550_init(&uart->model.pc16550, vm, &wiring));
	return &uart->model.pc16550.device;
}

void uart_add(struct uart *uart, uint32_t writer, struct axvm_vm *vm,
	      const struct axvm_emu_device_config *device)
{
	uart->writer = writer;
	MUST(axvm_add_device(vm, board.guests_have_pl011
					 ? init_pl011(uart, vm, device)
					 : init_16550(uart, vm, device)));
}

size_t uart_room(struct uart *uart)
{
	return board.guests_have_pl011
		       ? axvm_pl011_receive_room(&uart->model.pl011)
		       : axvm_uart16550_receive_room(&uart->model.pc16550);
}

void uart_receive(struct uart *uart, uint8_t byte)
{
	if (board.guests_have_pl011)
		axvm_pl011_receive(&uart->model.pl011, &byte, 1);
	else
		axvm_uart16550_receive(&uart->model.pc16550, &byte, 1);
}
