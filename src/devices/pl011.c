/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The PL011 model of axvm/devices/pl011.h. Registers and FIFOs belong to
 * uart->serial.lock; vCPU threads come in through access(), the host through
 * axvm_pl011_receive(). Bytes are sent after the lock is released, since that
 * ends in code of the host's.
 */
#include "axvm/devices/pl011.h"
#include "internal.h"
#include "pl011_regs.h"
#include "serial.h"

/* Sections are those of the PL011 TRM, "Programmers Model" and "Functional
 * Overview". */

/* How often UARTFR shows a full FIFO to a guest that waits for the interrupt. */
#define LOOKS 16u

/* UARTPeriphID0-3, revision r1p5, and UARTPCellID0-3. */
static const uint8_t ids[] = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static bool fifos_on(const struct axvm_pl011 *uart)
{
	return (uart->lcr_h & LCR_FIFOS) != 0;
}

static bool looped(const struct axvm_pl011 *uart)
{
	return (uart->cr & CR_LOOP) != 0;
}

static bool is_on(const struct axvm_pl011 *uart, uint32_t half)
{
	return (uart->cr & (CR_ENABLE | half)) == (CR_ENABLE | half);
}

static uint32_t capacity(const struct axvm_pl011 *uart)
{
	return fifos_on(uart) ? AXVM_PL011_FIFO : 1;
}

/* ---- receiver ---- */

/* "Interrupt FIFO Level Select Register": eighths of the FIFO; the reserved
 * values as at reset. */
static uint32_t trigger_level(const struct axvm_pl011 *uart)
{
	static const uint8_t eighths[] = {1, 2, 4, 6, 7, 4, 4, 4};

	if (!fifos_on(uart))
		return 1;
	return eighths[FIELD_GET(IFLS_RX, uart->ifls)] * AXVM_PL011_FIFO / 8;
}

/*
 * "UARTRXINTR", "UARTRTINTR": both end when enough has been read. Without a
 * clock what is left has timed out at once.
 */
static void update_receive_interrupts(struct axvm_pl011 *uart)
{
	if (uart->serial.count < trigger_level(uart))
		uart->ris &= (uint16_t)~INT_RX;
	if (uart->serial.count == 0)
		uart->ris &= (uint16_t)~INT_TIMEOUT;
	else
		uart->ris |= INT_TIMEOUT;
}

/* There is room. */
static void enqueue(struct axvm_pl011 *uart, uint16_t character)
{
	if (uart->overrun != 0)
		character |= RSR_OVERRUN << DR_ERROR_SHIFT;
	uart->overrun = 0;
	axvmi_serial_put(&uart->serial, character);
	if (uart->serial.count >= trigger_level(uart))
		uart->ris |= INT_RX;
	update_receive_interrupts(uart);
}

/* "Data Register", "Receive Status Register": errors of the character read. An
 * empty FIFO shows what it had last; here 0. */
static uint32_t dequeue(struct axvm_pl011 *uart)
{
	uint32_t character;

	if (uart->serial.count == 0)
		return 0;
	character = axvmi_serial_get(&uart->serial);
	uart->rsr = (uint8_t)((uart->rsr & RSR_OVERRUN) |
			      character >> DR_ERROR_SHIFT);
	update_receive_interrupts(uart);
	return character;
}

static void clear_receiver(struct axvm_pl011 *uart)
{
	axvmi_serial_clear(&uart->serial);
	uart->overrun = 0;
	update_receive_interrupts(uart);
}

/* A character of the looped-back transmitter. The FIFO stays as it is when it
 * is full, and the status shows it at once. */
static void loop_back(struct axvm_pl011 *uart, uint16_t character)
{
	if (!is_on(uart, CR_RECEIVE))
		return;
	if (uart->serial.count == capacity(uart)) {
		uart->overrun = 1;
		uart->rsr |= RSR_OVERRUN;
		uart->ris |= INT_OVERRUN;
		return;
	}
	enqueue(uart, character);
}

/* ---- transmitter ---- */

/* What leaves the UART in one access, once the lock is dropped. */
struct sending {
	uint32_t count;
	uint8_t bytes[AXVM_PL011_FIFO];
};

static void send(struct axvm_pl011 *uart, uint8_t byte, struct sending *out)
{
	/* "UARTTXINTR": the FIFO fell through its level, it is empty again. */
	uart->ris |= INT_TX;
	if (uart->tx_streak >= capacity(uart))
		uart->tx_streak = capacity(uart) / 2;
	uart->tx_streak++;
	uart->tx_looks = 0;
	if (looped(uart))
		loop_back(uart, byte);
	else
		out->bytes[out->count++] = byte;
}

static void write_data(struct axvm_pl011 *uart, uint8_t byte,
		       struct sending *out)
{
	if (is_on(uart, CR_TRANSMIT)) {
		send(uart, byte, out);
		return;
	}
	if (uart->tx_count < capacity(uart))
		uart->tx[uart->tx_count++] = byte;
	uart->ris &= (uint16_t)~INT_TX;
}

/* The transmitter was switched on. */
static void send_waiting(struct axvm_pl011 *uart, struct sending *out)
{
	uint32_t count = uart->tx_count;

	uart->tx_count = 0;
	for (uint32_t i = 0; i < count; i++)
		send(uart, uart->tx[i], out);
}

/* ---- modem lines ---- */

#define MODEM_RI 0x8u

/* "Loopback Enable": DTR to DSR, RTS to CTS, Out1 to DCD, Out2 to RI. */
static uint8_t modem_lines(const struct axvm_pl011 *uart)
{
	uint32_t lines = 0;

	if (!looped(uart))
		return FR_CTS | FR_DSR | FR_DCD;
	lines |= (uart->cr & CR_RTS) != 0 ? FR_CTS : 0;
	lines |= (uart->cr & CR_DTR) != 0 ? FR_DSR : 0;
	lines |= (uart->cr & CR_OUT1) != 0 ? FR_DCD : 0;
	lines |= (uart->cr & CR_OUT2) != 0 ? MODEM_RI : 0;
	return (uint8_t)lines;
}

/* "UARTMSINTR": whatever changes. */
static void update_modem(struct axvm_pl011 *uart)
{
	uint8_t now = modem_lines(uart);
	uint32_t changed = uart->modem ^ (uint32_t)now;

	uart->modem = now;
	uart->ris |= (changed & FR_CTS) != 0 ? INT_CTS : 0;
	uart->ris |= (changed & FR_DSR) != 0 ? INT_DSR : 0;
	uart->ris |= (changed & FR_DCD) != 0 ? INT_DCD : 0;
	uart->ris |= (changed & MODEM_RI) != 0 ? INT_RI : 0;
}

/* ---- registers; lock held ---- */

/*
 * As full as a real FIFO would be after so many bytes. It drains while it is
 * looked at: by the second look, but if the guest has asked for the interrupt it
 * has time to take it.
 */
static bool looks_full(struct axvm_pl011 *uart)
{
	uint32_t patience = (uart->imsc & INT_TX) != 0 ? LOOKS : 1;

	if (uart->tx_streak < capacity(uart) || !fifos_on(uart))
		return uart->tx_count == capacity(uart);
	if (++uart->tx_looks >= patience)
		uart->tx_streak = 0;
	return true;
}

static uint32_t read_flags(struct axvm_pl011 *uart)
{
	bool full = looks_full(uart);
	uint32_t flags = uart->modem & (FR_CTS | FR_DSR | FR_DCD);

	flags |= (uart->modem & MODEM_RI) != 0 ? 1u << FR_RI_SHIFT : 0;
	flags |= uart->serial.count == 0 ? FR_RX_EMPTY : 0;
	flags |= uart->serial.count == capacity(uart) ? FR_RX_FULL : 0;
	flags |= full ? FR_TX_FULL : 0;
	flags |= full || uart->tx_count != 0 ? FR_BUSY : FR_TX_EMPTY;
	return flags;
}

static uint32_t read_register(struct axvm_pl011 *uart, uint32_t reg)
{
	switch (reg) {
	case UARTDR:
		return dequeue(uart);
	case UARTRSR:
		return uart->rsr;
	case UARTFR:
		return read_flags(uart);
	case UARTILPR:
		return uart->ilpr;
	case UARTIBRD:
		return uart->ibrd;
	case UARTFBRD:
		return uart->fbrd;
	case UARTLCR_H:
		return uart->lcr_h;
	case UARTCR:
		return uart->cr;
	case UARTIFLS:
		return uart->ifls;
	case UARTIMSC:
		return uart->imsc;
	case UARTRIS:
		return uart->ris;
	case UARTMIS:
		return uart->ris & uart->imsc;
	default:
		return reg >= UARTPERIPHID0 ? ids[(reg - UARTPERIPHID0) / 4]
					    : 0;
	}
}

/* "Line Control Register": with the FIFOs their contents go. A break on a line
 * that is looped back is a character of zeros. */
static void write_lcr_h(struct axvm_pl011 *uart, uint8_t value)
{
	uint32_t changed = value ^ (uint32_t)uart->lcr_h;

	uart->lcr_h = value;
	if ((changed & LCR_FIFOS) != 0) {
		clear_receiver(uart);
		uart->tx_count = 0;
	}
	if ((changed & value & LCR_BREAK) != 0 && looped(uart)) {
		uart->ris |= INT_BREAK;
		loop_back(uart, RSR_BREAK << DR_ERROR_SHIFT);
	}
}

static void write_cr(struct axvm_pl011 *uart, uint32_t value,
		     struct sending *out)
{
	uart->cr = (uint16_t)(value & CR_MASK);
	update_modem(uart);
	if (is_on(uart, CR_TRANSMIT))
		send_waiting(uart, out);
}

static void write_register(struct axvm_pl011 *uart, uint32_t reg,
			   uint32_t value, struct sending *out)
{
	switch (reg) {
	case UARTDR:
		write_data(uart, (uint8_t)value, out);
		break;
	case UARTRSR:
		uart->rsr = 0;
		break;
	case UARTILPR:
		uart->ilpr = (uint8_t)value;
		break;
	case UARTIBRD:
		uart->ibrd = (uint16_t)value;
		break;
	case UARTFBRD:
		uart->fbrd = value & 0x3f;
		break;
	case UARTLCR_H:
		write_lcr_h(uart, (uint8_t)value);
		break;
	case UARTCR:
		write_cr(uart, value, out);
		break;
	case UARTIFLS:
		uart->ifls = value & IFLS_MASK;
		break;
	case UARTIMSC:
		uart->imsc = value & INT_MASK;
		break;
	case UARTICR:
		uart->ris &= (uint16_t)~value;
		break;
	default: /* UARTFR, UARTRIS, UARTMIS are read, UARTDMACR is not there */
		break;
	}
}

/* ---- the device ---- */

static struct axvm_pl011 *uart_of(struct axvm_device *device)
{
	return CONTAINER_OF(device, struct axvm_pl011, device);
}

static enum axvm_access_result access(struct axvm_device *device,
				      struct axvm_device_access *access)
{
	struct axvm_pl011 *uart = uart_of(device);
	uint32_t reg = (uint32_t)access->offset;
	struct sending out;

	/* The byte lanes beside a register's first are not connected. */
	if (!is_aligned(reg, 4)) {
		access->value = 0;
		return AXVM_ACCESS_DONE;
	}
	out.count = 0;
	axvmi_serial_lock(&uart->serial);
	if (access->write != 0)
		write_register(uart, reg, (uint32_t)access->value, &out);
	else
		access->value = read_register(uart, reg);
	axvmi_serial_unlock(&uart->serial);
	for (uint32_t i = 0; i < out.count; i++)
		uart->config.transmit(uart->config.ctx, out.bytes[i]);
	axvmi_serial_update_line(&uart->serial);
	return AXVM_ACCESS_DONE;
}

static void power_on(struct axvm_pl011 *uart)
{
	uart->cr = RESET_CR;
	uart->ifls = RESET_IFLS;
	uart->imsc = uart->ibrd = 0;
	uart->lcr_h = uart->fbrd = uart->ilpr = uart->rsr = 0;
	uart->tx_count = 0;
	uart->tx_streak = 0;
	uart->tx_looks = 0;
	clear_receiver(uart);
	uart->ris = 0;
	uart->modem = modem_lines(uart);
}

/* Bytes the guest has not read are lost; the wiring stays. */
static void reset(struct axvm_device *device)
{
	axvmi_serial_reset(&uart_of(device)->serial);
}

/* ---- what serial.c asks for; lock held ---- */

static struct axvm_pl011 *uart_with(struct axvm_serial *serial)
{
	return CONTAINER_OF(serial, struct axvm_pl011, serial);
}

static uint32_t room(struct axvm_serial *serial)
{
	const struct axvm_pl011 *uart = uart_with(serial);

	if (looped(uart) || !is_on(uart, CR_RECEIVE))
		return 0;
	return capacity(uart) - serial->count;
}

static void receive(struct axvm_serial *serial, uint8_t byte)
{
	enqueue(uart_with(serial), byte);
}

static bool wants_irq(struct axvm_serial *serial)
{
	const struct axvm_pl011 *uart = uart_with(serial);

	return (uart->ris & uart->imsc) != 0;
}

static void restart(struct axvm_serial *serial)
{
	power_on(uart_with(serial));
}

static const struct axvmi_serial_ops serial_ops = {
	.room = room,
	.receive = receive,
	.wants_irq = wants_irq,
	.power_on = restart,
};

/* ---- making one ---- */

static const struct axvm_device_ops uart_ops = {
	.name = "pl011",
	.access = access,
	.reset = reset,
};

static int check_config(const struct axvm_vm *vm,
			const struct axvm_pl011_config *config)
{
	if (config->size != sizeof(*config) || config->transmit == NULL ||
	    !is_aligned(config->base, 4) ||
	    !range_valid(config->base, AXVM_PL011_SIZE))
		return AXVM_EINVAL;
	if (config->line != 0 && !axvmi_line_exists(vm, config->line))
		return AXVM_ENOENT;
	return AXVM_OK;
}

int axvm_pl011_init(struct axvm_pl011 *uart, struct axvm_vm *vm,
		    const struct axvm_pl011_config *config)
{
	int err;

	if (uart == NULL || vm == NULL || config == NULL)
		return AXVM_EINVAL;
	err = check_config(vm, config);
	if (err != AXVM_OK)
		return err;
	memset(uart, 0, sizeof(*uart));
	uart->config = *config;
	axvmi_serial_init(&uart->serial, &serial_ops, vm, config->line);
	uart->device.ops = &uart_ops;
	uart->device.range_count = 1;
	uart->device.ranges[0].bus = AXVM_BUS_MMIO;
	uart->device.ranges[0].base = config->base;
	uart->device.ranges[0].size = AXVM_PL011_SIZE;
	uart->device.ranges[0].widths = 1 | 2 | 4;
	power_on(uart);
	return AXVM_OK;
}

/* ---- for the host ---- */

size_t axvm_pl011_receive(struct axvm_pl011 *uart, const uint8_t *bytes,
			  size_t count)
{
	if (uart == NULL || bytes == NULL)
		return 0;
	return axvmi_serial_receive(&uart->serial, bytes, count);
}

size_t axvm_pl011_receive_room(struct axvm_pl011 *uart)
{
	return uart == NULL ? 0 : axvmi_serial_room(&uart->serial);
}
