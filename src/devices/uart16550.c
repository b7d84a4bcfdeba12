/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The 16550A model of axvm/devices/uart16550.h. Registers and FIFO belong to
 * uart->serial.lock; vCPU threads come in through access(), the host through
 * axvm_uart16550_receive(). A byte is sent after the lock is released, since that
 * ends in code of the host's.
 */
#include "axvm/devices/uart16550.h"
#include "internal.h"
#include "serial.h"
#include "uart16550_regs.h"

/* Sections are those of the PC16550D data sheet, chapter "Registers". */

static bool fifos_on(const struct axvm_uart16550 *uart)
{
	return (uart->fcr & FCR_ENABLE) != 0;
}

static bool looped(const struct axvm_uart16550 *uart)
{
	return (uart->mcr & MCR_LOOP) != 0;
}

static uint32_t capacity(const struct axvm_uart16550 *uart)
{
	return fifos_on(uart) ? AXVM_UART16550_FIFO : 1;
}

/* ---- receiver ---- */

/* Of a character in the FIFO: it stands for a break that LSR has not shown. */
#define CHARACTER_BREAK 0x100u

/* Line Status Register, bit 4: a break shows when its character is the next to
 * be read. */
static void reveal_break(struct axvm_uart16550 *uart)
{
	uint16_t *first = axvmi_serial_first(&uart->serial);

	if (uart->serial.count == 0 || (*first & CHARACTER_BREAK) == 0)
		return;
	*first &= (uint16_t)~CHARACTER_BREAK;
	uart->rx_breaks--;
	uart->errors |= LSR_BREAK;
}

/* There is room. */
static void enqueue(struct axvm_uart16550 *uart, uint8_t byte, bool is_break)
{
	axvmi_serial_put(&uart->serial,
			 is_break ? byte | CHARACTER_BREAK : byte);
	uart->rx_breaks += is_break;
	reveal_break(uart);
}

static uint8_t dequeue(struct axvm_uart16550 *uart)
{
	uint8_t byte;

	if (uart->serial.count == 0)
		return 0;
	byte = (uint8_t)axvmi_serial_get(&uart->serial);
	reveal_break(uart);
	return byte;
}

static void clear_receiver(struct axvm_uart16550 *uart)
{
	axvmi_serial_clear(&uart->serial);
	uart->rx_breaks = 0;
}

/*
 * A character of the looped-back transmitter. Line Status Register, bit 1: a
 * full FIFO stays as it is, a single buffer takes the new character.
 */
static void loop_back(struct axvm_uart16550 *uart, uint8_t byte, bool is_break)
{
	if (uart->serial.count == capacity(uart)) {
		uart->errors |= LSR_OVERRUN;
		if (fifos_on(uart))
			return;
		clear_receiver(uart);
	}
	enqueue(uart, byte, is_break);
}

/* ---- interrupts ---- */

/* FIFO Control Register, bits 6 and 7. */
static uint32_t trigger_level(const struct axvm_uart16550 *uart)
{
	static const uint8_t levels[] = {1, 4, 8, 14};

	return levels[FIELD_GET(FCR_TRIGGER, uart->fcr)];
}

/* Table "Interrupt Control Functions": the highest one pending. */
static uint8_t interrupt_id(const struct axvm_uart16550 *uart)
{
	if ((uart->ier & IER_STATUS) != 0 && uart->errors != 0)
		return IIR_STATUS;
	/* Without a clock the time-out of "FIFO Interrupt Mode Operation" is
	 * over at once: a FIFO that is not empty never stays silent. */
	if ((uart->ier & IER_DATA) != 0 && uart->serial.count != 0)
		return !fifos_on(uart) ||
				       uart->serial.count >= trigger_level(uart)
			       ? IIR_DATA
			       : IIR_TIMEOUT;
	if ((uart->ier & IER_THRE) != 0 && uart->thre_pending != 0)
		return IIR_THRE;
	if ((uart->ier & IER_MODEM) != 0 && (uart->msr & MSR_DELTAS) != 0)
		return IIR_MODEM;
	return IIR_NONE;
}

/* ---- modem control ---- */

/* Modem Control Register, bit 4: looped back, the outputs drive the inputs. */
static uint8_t modem_lines(const struct axvm_uart16550 *uart)
{
	uint32_t mcr = uart->mcr;

	if (!looped(uart))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	/* RTS to CTS, DTR to DSR, OUT1 to RI, OUT2 to DCD. */
	return (uint8_t)((mcr & MCR_RTS) << 3 | (mcr & MCR_DTR) << 5 |
			 (mcr & (MCR_OUT1 | MCR_OUT2)) << 4);
}

/* Modem Status Register: deltas note any change, but of RI only its end. */
static void update_modem(struct axvm_uart16550 *uart)
{
	uint32_t before = uart->msr & MSR_LINES;
	uint32_t now = modem_lines(uart);
	uint32_t changed = (before ^ now) & ~(now & MSR_RI);

	uart->msr = (uint8_t)(now | (uart->msr & MSR_DELTAS) |
			      FIELD_GET(MSR_LINES, changed));
}

/* ---- registers; lock held ---- */

static uint8_t read_iir(struct axvm_uart16550 *uart)
{
	uint8_t id = interrupt_id(uart);

	/* Reported is served; the others last until their cause is gone. */
	if (id == IIR_THRE)
		uart->thre_pending = 0;
	return fifos_on(uart) ? id | IIR_FIFOS : id;
}

/* Line Status Register: the error bits live until they are read. */
static uint8_t read_lsr(struct axvm_uart16550 *uart)
{
	uint32_t lsr = LSR_THRE | LSR_TEMT | uart->errors;

	if (uart->serial.count != 0)
		lsr |= LSR_DATA;
	if (fifos_on(uart) &&
	    (uart->rx_breaks != 0 || (uart->errors & LSR_BREAK) != 0))
		lsr |= LSR_FIFO_ERROR;
	uart->errors = 0;
	return (uint8_t)lsr;
}

static uint8_t read_msr(struct axvm_uart16550 *uart)
{
	uint8_t msr = uart->msr;

	uart->msr &= MSR_LINES;
	return msr;
}

/* Line Control Register, bit 7, puts the divisor in place of data and IER. */
static uint8_t read_register(struct axvm_uart16550 *uart, uint32_t reg)
{
	bool dlab = (uart->lcr & LCR_DLAB) != 0;

	switch (reg) {
	case REG_DATA:
		return dlab ? uart->dll : dequeue(uart);
	case REG_IER:
		return dlab ? uart->dlm : uart->ier;
	case REG_IIR:
		return read_iir(uart);
	case REG_LCR:
		return uart->lcr;
	case REG_MCR:
		return uart->mcr;
	case REG_LSR:
		return read_lsr(uart);
	case REG_MSR:
		return read_msr(uart);
	default: /* REG_SCR */
		return uart->scr;
	}
}

/* True: the byte leaves the UART. */
static bool write_thr(struct axvm_uart16550 *uart, uint8_t byte)
{
	/* The write clears THRE and its interrupt; the byte is gone at once,
	 * which sets both again. */
	uart->thre_pending = 1;
	if (!looped(uart))
		return true;
	loop_back(uart, byte, false);
	return false;
}

static void write_ier(struct axvm_uart16550 *uart, uint8_t value)
{
	uint32_t rising = value & ~(uint32_t)uart->ier;

	/* Drivers start sending by enabling the interrupt of an empty THR. */
	if ((rising & IER_THRE) != 0)
		uart->thre_pending = 1;
	uart->ier = value & IER_MASK;
}

static void write_fcr(struct axvm_uart16550 *uart, uint8_t value)
{
	bool toggled = ((value ^ uart->fcr) & FCR_ENABLE) != 0;

	/* FIFO Control Register, bit 0: changing it empties the FIFOs; the other
	 * bits count only while it is written 1. Nothing is left to transmit. */
	if (toggled || (value & (FCR_ENABLE | FCR_CLEAR_RX)) ==
			       (FCR_ENABLE | FCR_CLEAR_RX))
		clear_receiver(uart);
	uart->fcr = (value & FCR_ENABLE) != 0
			    ? value & (FCR_ENABLE | FCR_TRIGGER)
			    : 0;
}

/* A break on a line that is looped back is a character of zeros. */
static void write_lcr(struct axvm_uart16550 *uart, uint8_t value)
{
	uint32_t rising = value & ~(uint32_t)uart->lcr;

	uart->lcr = value;
	if ((rising & LCR_BREAK) != 0 && looped(uart))
		loop_back(uart, 0, true);
}

/* True: the value is a byte that leaves the UART. */
static bool write_register(struct axvm_uart16550 *uart, uint32_t reg,
			   uint8_t value)
{
	bool dlab = (uart->lcr & LCR_DLAB) != 0;

	switch (reg) {
	case REG_DATA:
		if (!dlab)
			return write_thr(uart, value);
		uart->dll = value;
		break;
	case REG_IER:
		if (dlab)
			uart->dlm = value;
		else
			write_ier(uart, value);
		break;
	case REG_IIR:
		write_fcr(uart, value);
		break;
	case REG_LCR:
		write_lcr(uart, value);
		break;
	case REG_MCR:
		uart->mcr = value & MCR_MASK;
		update_modem(uart);
		break;
	case REG_SCR:
		uart->scr = value;
		break;
	default: /* LSR, MSR: status is not written */
		break;
	}
	return false;
}

/* ---- the device ---- */

static struct axvm_uart16550 *uart_of(struct axvm_device *device)
{
	return CONTAINER_OF(device, struct axvm_uart16550, device);
}

static enum axvm_access_result access(struct axvm_device *device,
				      struct axvm_device_access *access)
{
	struct axvm_uart16550 *uart = uart_of(device);
	uint32_t shift = uart->config.reg_shift;
	uint32_t reg = (uint32_t)(access->offset >> shift);
	uint8_t byte = (uint8_t)access->value;
	bool sent = false;

	/* The byte lanes beside a register are not connected. */
	if (!is_aligned(access->offset, UINT64_C(1) << shift)) {
		access->value = 0;
		return AXVM_ACCESS_DONE;
	}
	axvmi_serial_lock(&uart->serial);
	if (access->write != 0)
		sent = write_register(uart, reg, byte);
	else
		access->value = read_register(uart, reg);
	axvmi_serial_unlock(&uart->serial);
	if (sent)
		uart->config.transmit(uart->config.ctx, byte);
	axvmi_serial_update_line(&uart->serial);
	return AXVM_ACCESS_DONE;
}

static void power_on(struct axvm_uart16550 *uart)
{
	clear_receiver(uart);
	uart->ier = uart->fcr = uart->lcr = uart->mcr = uart->scr = 0;
	uart->dll = RESET_DIVISOR;
	uart->dlm = 0;
	uart->errors = 0;
	uart->thre_pending = 0;
	uart->msr = modem_lines(uart);
}

/* Bytes the guest has not read are lost; the wiring stays. */
static void reset(struct axvm_device *device)
{
	axvmi_serial_reset(&uart_of(device)->serial);
}

/* ---- what serial.c asks for; lock held ---- */

static struct axvm_uart16550 *uart_with(struct axvm_serial *serial)
{
	return CONTAINER_OF(serial, struct axvm_uart16550, serial);
}

static uint32_t room(struct axvm_serial *serial)
{
	const struct axvm_uart16550 *uart = uart_with(serial);

	/* Modem Control Register, bit 4: looped back, the input is open. */
	return looped(uart) ? 0 : capacity(uart) - serial->count;
}

static void receive(struct axvm_serial *serial, uint8_t byte)
{
	enqueue(uart_with(serial), byte, false);
}

static bool wants_irq(struct axvm_serial *serial)
{
	return interrupt_id(uart_with(serial)) != IIR_NONE;
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
	.name = "uart16550",
	.access = access,
	.reset = reset,
};

static int check_config(const struct axvm_vm *vm,
			const struct axvm_uart16550_config *config)
{
	if (config->size != sizeof(*config) || config->transmit == NULL ||
	    config->reg_shift > 3 ||
	    (config->bus != AXVM_BUS_MMIO && config->bus != AXVM_BUS_PORT) ||
	    !range_valid(config->base, REGISTERS << config->reg_shift))
		return AXVM_EINVAL;
	if (config->line != 0 && !axvmi_line_exists(vm, config->line))
		return AXVM_ENOENT;
	return AXVM_OK;
}

int axvm_uart16550_init(struct axvm_uart16550 *uart, struct axvm_vm *vm,
			const struct axvm_uart16550_config *config)
{
	struct axvm_device_range *range;
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
	range = &uart->device.ranges[0];
	range->bus = config->bus;
	range->base = config->base;
	range->size = REGISTERS << config->reg_shift;
	/* 1, 3, 7, 15: every width up to the distance of two registers. */
	range->widths = (UINT32_C(2) << config->reg_shift) - 1;
	power_on(uart);
	return AXVM_OK;
}

/* ---- for the host ---- */

size_t axvm_uart16550_receive(struct axvm_uart16550 *uart, const uint8_t *bytes,
			      size_t count)
{
	if (uart == NULL || bytes == NULL)
		return 0;
	return axvmi_serial_receive(&uart->serial, bytes, count);
}

size_t axvm_uart16550_receive_room(struct axvm_uart16550 *uart)
{
	return uart == NULL ? 0 : axvmi_serial_room(&uart->serial);
}
