/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry for the PL011: the input is a script of register accesses of
 * any width and of bytes from the host, also from inside transmit. Beside it runs
 * what the manual says of the characters: which are sent and read, in which order
 * and with which errors, and what the flags and the line say about them.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "axvm/devices/pl011.h"
#include "internal.h"

#define LINE 33u
#define FIFO AXVM_PL011_FIFO

#define DR 0x00u
#define RSR 0x04u
#define FR 0x18u
#define LCR_H 0x2cu
#define CR 0x30u
#define IMSC 0x38u
#define RIS 0x3cu
#define MIS 0x40u

#define RX_EMPTY 0x10u
#define TX_FULL 0x20u
#define RX_FULL 0x40u
#define TX_EMPTY 0x80u
#define BUSY 0x08u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct axvm_vm vm;
static struct axvm_vcpu vcpu;
static struct axvm_pl011 uart;

struct queue {
	uint32_t count;
	uint16_t characters[4 * FIFO];
};

/* The reference. */
static struct queue received;
static struct queue waiting; /* the transmitter is off */
static struct queue leaving; /* to be given to the host in this access */
static uint32_t cr, lcr_h, rsr;
static bool overrun;
static bool answers; /* the host sends something from inside transmit */

/* The core's; there is no vCPU to tell. */
void axvmi_notify(struct axvm_vcpu *target, uint32_t bits)
{
	(void)target;
	(void)bits;
}

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* None come here. */
static uint64_t interrupts_save(void)
{
	return 0;
}

static void interrupts_restore(uint64_t saved)
{
	(void)saved;
}

static uint64_t line_targets(struct axvm_vm *unused, uint32_t line)
{
	(void)unused;
	require(line == LINE);
	return 1;
}

static void push(struct queue *q, uint32_t character)
{
	require(q->count < 4 * FIFO);
	q->characters[q->count++] = (uint16_t)character;
}

static uint32_t pop(struct queue *q)
{
	uint32_t first = q->characters[0];

	if (q->count == 0)
		return 0;
	q->count--;
	memmove(q->characters, q->characters + 1,
		q->count * sizeof(q->characters[0]));
	return first;
}

/* ---- what the manual says ---- */

static uint32_t capacity(void)
{
	return (lcr_h & 0x10) != 0 ? FIFO : 1;
}

static bool looped(void)
{
	return (cr & 0x80) != 0;
}

static bool receives(void)
{
	return (cr & 0x201) == 0x201;
}

static bool transmits(void)
{
	return (cr & 0x101) == 0x101;
}

static uint32_t room(void)
{
	return looped() || !receives() ? 0 : capacity() - received.count;
}

static void arrive(uint32_t character)
{
	push(&received, character | (overrun ? 0x800 : 0));
	overrun = false;
}

static void arrive_by_loop(uint32_t character)
{
	if (!receives())
		return;
	if (received.count < capacity()) {
		arrive(character);
		return;
	}
	overrun = true;
	rsr |= 8;
}

static void leave(uint32_t character)
{
	if (looped())
		arrive_by_loop(character);
	else
		push(&leaving, character);
}

static void write_reference(uint32_t reg, uint32_t value)
{
	uint32_t old = lcr_h;

	switch (reg) {
	case DR:
		if (transmits())
			leave(value & 0xff);
		else if (waiting.count < capacity())
			push(&waiting, value & 0xff);
		break;
	case RSR:
		rsr = 0;
		break;
	case LCR_H:
		lcr_h = value & 0xff;
		if (((old ^ lcr_h) & 0x10) != 0) {
			received.count = waiting.count = 0;
			overrun = false;
		}
		if ((lcr_h & ~old & 1) != 0 && looped())
			arrive_by_loop(0x400);
		break;
	case CR:
		cr = value & 0xff87;
		while (transmits() && waiting.count != 0)
			leave(pop(&waiting));
		break;
	default:
		break;
	}
}

/* ---- the host ---- */

static void receive(const uint8_t *bytes, size_t count)
{
	size_t left = room();
	size_t got;

	require(axvm_pl011_receive_room(&uart) == left);
	got = axvm_pl011_receive(&uart, bytes, count);
	require(got == (count < left ? count : left));
	for (size_t i = 0; i < got; i++)
		arrive(bytes[i]);
}

static void transmit(void *ctx, uint8_t byte)
{
	(void)ctx;
	require(leaving.count != 0 && pop(&leaving) == byte);
	byte ^= 0x55;
	if (answers)
		receive(&byte, 1);
}

/* ---- accesses ---- */

static enum axvmi_dispatch touch(uint64_t offset, uint32_t size, bool write,
				 uint64_t *value)
{
	static struct axvmi_space space;
	const struct axvm_device_range *range = &uart.device.ranges[0];

	space.last = range->size - 1;
	space.device = &uart.device;
	space.widths = (uint16_t)range->widths;
	space.kind = AXVMI_SPACE_DEVICE;
	return axvmi_device_access(&vcpu, &space, offset, size, write, value);
}

static uint32_t in(uint32_t reg)
{
	uint64_t value = UINT64_MAX;

	require(touch(reg, 4, false, &value) == AXVMI_DISPATCH_DONE);
	require(value <= UINT16_MAX);
	return (uint32_t)value;
}

static void check_flags(uint32_t flags)
{
	bool full = (flags & TX_FULL) != 0, busy = (flags & BUSY) != 0;

	require(((flags & RX_EMPTY) != 0) == (received.count == 0));
	require(((flags & RX_FULL) != 0) == (received.count == capacity()));
	require(busy == ((flags & TX_EMPTY) == 0));
	require(busy || (!full && waiting.count == 0));
	require(full || waiting.count < capacity());
}

static void check_read(uint32_t reg, uint32_t size, uint32_t value)
{
	uint32_t mask = size == 1 ? 0xff : 0xffff;
	uint32_t before = received.count;
	uint32_t character;

	value &= mask;
	if (reg == RSR)
		require(value == rsr);
	if (reg == FR && size != 1)
		check_flags(value);
	if (reg != DR)
		return;
	character = pop(&received);
	require(value == (character & mask));
	if (before != 0)
		rsr = (rsr & 8) | character >> 8;
}

static void access_register(const uint8_t *step)
{
	uint32_t size = UINT32_C(1) << (step[0] >> 2 & 3);
	uint32_t offset =
		(step[1] & 0x1fu) * 4 + (step[1] >> 6 & 1) * (step[1] >> 5 & 3);
	bool write = (step[0] & 1) != 0;
	uint64_t value = step[2] | (uint64_t)step[3] << 8;
	bool fits = size <= 4 && offset % size == 0;

	if ((step[1] & 0x80) != 0)
		offset |= 0xf80;
	if (write && fits && offset % 4 == 0)
		write_reference(offset,
				(uint32_t)value & (size == 1 ? 0xff : 0xffff));
	require(touch(offset, size, write, &value) ==
		(fits ? AXVMI_DISPATCH_DONE : AXVMI_DISPATCH_FAULT));
	require(leaving.count == 0);
	if (fits && !write && offset % 4 == 0)
		check_read(offset, size, (uint32_t)value);
}

static void check_state(void)
{
	/* First: an access sets the line anew. */
	bool level = axvmi_line_level(&vm, LINE);
	uint32_t ris = in(RIS), mis = in(MIS);

	require(mis == (ris & in(IMSC)));
	require(level == (mis != 0));
	require(load_seq(&vm.lines.asserted[LINE]) <= 1);
	/* There is something to read as long as reading is asked for. */
	require((ris & 0x50) == 0 || received.count != 0);
	require(in(CR) == cr && in(LCR_H) == lcr_h);
	require(axvm_pl011_receive_room(&uart) == room());
}

/* A driver that polls goes on, in as many looks as a FIFO has places. */
static void check_progress(void)
{
	uint32_t looks = 0;

	while ((in(FR)&TX_FULL) != 0 && waiting.count < capacity())
		require(++looks < FIFO);
}

static void power_on(void)
{
	received.count = waiting.count = leaving.count = 0;
	cr = 0x301;
	lcr_h = rsr = 0;
	overrun = answers = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct axvm_arch_ops ops = {
		.line_first = 32,
		.line_count = 988,
		.line_targets = line_targets,
		.interrupts_save = interrupts_save,
		.interrupts_restore = interrupts_restore,
	};
	static const uint8_t bytes[2 * FIFO] = "some bytes of the host's";
	const struct axvm_pl011_config config = {
		.size = sizeof(config),
		.line = LINE,
		.transmit = transmit,
	};

	memset(&vm, 0, sizeof(vm));
	vm.ops = &ops;
	vm.vcpu_count = 1;
	vm.vcpus[0] = &vcpu;
	vcpu.vm = &vm;
	store_relaxed(&vm.vcpus_ready, 1);
	store_relaxed(&vm.state, AXVM_VM_RUNNING);
	require(axvm_pl011_init(&uart, &vm, &config) == AXVM_OK);
	power_on();
	for (; size >= 4; data += 4, size -= 4) {
		answers = (data[0] & 0x20) != 0;
		if ((data[0] & 0x10) != 0)
			receive(bytes, data[1] % sizeof(bytes));
		else
			access_register(data);
		check_state();
	}
	check_progress();
	uart.device.ops->reset(&uart.device);
	power_on();
	check_state();
	require(!axvmi_line_level(&vm, LINE));
	return 0;
}
