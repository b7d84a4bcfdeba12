/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The PL011 model, through the bus as a guest's driver sees it: real device.c
 * and irq.c, registers and values as in the PL011 TRM.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "axvm/devices/pl011.h"
#include "host_hal.h"
#include "internal.h"

#define BASE UINT64_C(0x09000000)
#define LINE 33u

enum {
	DR = 0x000,
	RSR = 0x004,
	FR = 0x018,
	ILPR = 0x020,
	IBRD = 0x024,
	FBRD = 0x028,
	LCR_H = 0x02c,
	CR = 0x030,
	IFLS = 0x034,
	IMSC = 0x038,
	RIS = 0x03c,
	MIS = 0x040,
	ICR = 0x044,
	DMACR = 0x048
};

/* Interrupts, FR and CR bits. */
#define RXI 0x10u
#define TXI 0x20u
#define RTI 0x40u
#define BEI 0x200u
#define OEI 0x400u
#define BUSY 0x08u
#define RXFE 0x10u
#define TXFF 0x20u
#define RXFF 0x40u
#define TXFE 0x80u
#define FEN 0x10u
#define UART_ON 0x301u

struct machine {
	struct test_hal *hal;
	struct axvm_host host;
	struct axvm_arch_ops ops;
	struct axvm_vm vm;
	struct axvm_vcpu vcpu;
	struct axvm_pl011 uart;
	atomic_u32 notices;
	char sent[512];
	atomic_u32 sent_count;
	bool echo; /* the host sends back what it gets */
	/* What another vCPU does while the line is being changed. */
	void (*_Atomic meanwhile)(struct machine *m);
};

static unsigned masks; /* of host interrupts, so far */

static uint64_t interrupts_save(void)
{
	return masks++;
}

static void interrupts_restore(uint64_t saved)
{
	assert_int_equal(saved + 1, masks);
}

/* The core's: what it does to a vCPU is not at stake here. */
void axvmi_notify(struct axvm_vcpu *vcpu, uint32_t bits)
{
	struct machine *m = CONTAINER_OF(vcpu, struct machine, vcpu);
	/* Two threads may notify at once. */
	void (*work)(struct machine *) = atomic_exchange(&m->meanwhile, NULL);

	(void)bits;
	atomic_fetch_add(&m->notices, 1);
	if (work != NULL)
		work(m);
}

static uint64_t line_targets(struct axvm_vm *vm, uint32_t line)
{
	(void)vm;
	(void)line;
	return 1;
}

static void transmit(void *ctx, uint8_t byte)
{
	struct machine *m = ctx;
	uint32_t i = atomic_fetch_add(&m->sent_count, 1);

	if (i < sizeof(m->sent))
		m->sent[i] = (char)byte;
	/* Would never return if the UART's lock were held. */
	if (m->echo)
		axvm_pl011_receive(&m->uart, &byte, 1);
}

static struct axvm_pl011_config config(struct machine *m)
{
	struct axvm_pl011_config c = {
		.size = sizeof(c),
		.base = BASE,
		.line = LINE,
		.transmit = transmit,
		.ctx = m,
	};

	return c;
}

static void plug(struct machine *m, const struct axvm_pl011_config *c)
{
	store_relaxed(&m->vm.state, AXVM_VM_LOADING);
	memset(&m->uart, 0xa5, sizeof(m->uart)); /* need not be zeroed */
	assert_int_equal(axvm_pl011_init(&m->uart, &m->vm, c), AXVM_OK);
	assert_int_equal(axvm_add_device(&m->vm, &m->uart.device), AXVM_OK);
	store_relaxed(&m->vm.state, AXVM_VM_RUNNING);
}

/* The machine with no UART in it yet. */
static int bare(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));

	m->hal = test_hal_new();
	m->host.hal = m->hal->hal;
	m->vm.format.gpa_bits = 39;
	m->ops.line_first = 32;
	m->ops.line_count = 988;
	m->ops.line_targets = line_targets;
	m->ops.interrupts_save = interrupts_save;
	m->ops.interrupts_restore = interrupts_restore;
	m->vm.host = &m->host;
	m->vm.ops = &m->ops;
	m->vm.vcpu_count = 1;
	m->vm.vcpus[0] = &m->vcpu;
	m->vcpu.vm = &m->vm;
	store_relaxed(&m->vm.vcpus_ready, 1);
	*state = m;
	return 0;
}

static int setup(void **state)
{
	struct axvm_pl011_config c;

	bare(state);
	c = config(*state);
	plug(*state, &c);
	return 0;
}

static int teardown(void **state)
{
	struct machine *m = *state;
	bool clean;

	axvmi_bus_fini(&m->vm);
	clean = test_hal_check_no_leaks(m->hal);
	test_hal_delete(m->hal);
	free(m);
	return clean ? 0 : -1;
}

static enum axvmi_dispatch touch(struct machine *m, uint32_t reg, uint32_t size,
				 bool write, uint64_t *value)
{
	const struct axvmi_space *space =
		axvmi_bus_find(&m->vm.bus[AXVM_BUS_MMIO], BASE + reg);

	if (space == NULL)
		return AXVMI_DISPATCH_EXIT;
	return axvmi_device_access(&m->vcpu, space, BASE + reg, size, write,
				   value);
}

static uint32_t in(struct machine *m, uint32_t reg)
{
	uint64_t value = UINT64_MAX;

	assert_int_equal(touch(m, reg, 4, false, &value), AXVMI_DISPATCH_DONE);
	assert_true(value <= 0xffff);
	return (uint32_t)value;
}

static void out(struct machine *m, uint32_t reg, uint32_t word)
{
	uint64_t value = word;

	assert_int_equal(touch(m, reg, 4, true, &value), AXVMI_DISPATCH_DONE);
}

static size_t receive(struct machine *m, const char *text)
{
	return axvm_pl011_receive(&m->uart, (const uint8_t *)text,
				  strlen(text));
}

static void receive_many(struct machine *m, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(receive(m, "x"), 1);
}

/* The line is high if and only if UARTMIS is not 0. */
static void assert_ris(struct machine *m, uint32_t want)
{
	assert_int_equal(in(m, RIS), want);
	assert_int_equal(in(m, MIS), want & in(m, IMSC));
	assert_int_equal(axvmi_line_level(&m->vm, LINE), in(m, MIS) != 0);
}

/* ---- making one ---- */

static void malformed_configurations_are_refused(void **state)
{
	struct machine *m = *state;
	struct axvm_pl011_config c = config(m);
	struct axvm_pl011 before;

	memset(&before, 0xa5, sizeof(before));
	m->uart = before;
	assert_int_equal(axvm_pl011_init(NULL, &m->vm, &c), AXVM_EINVAL);
	assert_int_equal(axvm_pl011_init(&m->uart, NULL, &c), AXVM_EINVAL);
	assert_int_equal(axvm_pl011_init(&m->uart, &m->vm, NULL), AXVM_EINVAL);
	c.size--;
	assert_int_equal(axvm_pl011_init(&m->uart, &m->vm, &c), AXVM_EINVAL);
	c = config(m);
	c.transmit = NULL;
	assert_int_equal(axvm_pl011_init(&m->uart, &m->vm, &c), AXVM_EINVAL);
	c = config(m);
	c.base++;
	assert_int_equal(axvm_pl011_init(&m->uart, &m->vm, &c), AXVM_EINVAL);
	c.base = UINT64_MAX - 0xffb;
	assert_int_equal(axvm_pl011_init(&m->uart, &m->vm, &c), AXVM_EINVAL);
	c = config(m);
	c.line = 1020;
	assert_int_equal(axvm_pl011_init(&m->uart, &m->vm, &c), AXVM_ENOENT);
	assert_memory_equal(&before, &m->uart, sizeof(before));
}

static void assert_power_on(struct machine *m)
{
	assert_int_equal(in(m, DR), 0);
	assert_int_equal(in(m, RSR), 0);
	assert_int_equal(in(m, FR), TXFE | RXFE | 0x7);
	assert_int_equal(in(m, LCR_H), 0);
	/* As firmware leaves it; the TRM has 0x300. */
	assert_int_equal(in(m, CR), UART_ON);
	assert_int_equal(in(m, IFLS), 0x12);
	assert_int_equal(in(m, IMSC), 0);
	assert_ris(m, 0);
}

static void power_on_state_is_that_of_the_manual(void **state)
{
	assert_power_on(*state);
}

static void reset_is_power_on_and_drops_the_line(void **state)
{
	struct machine *m = *state;

	out(m, LCR_H, FEN | 0x60);
	out(m, IMSC, 0x7ff);
	out(m, IBRD, 0x1234);
	receive_many(m, 5);
	assert_true(axvmi_line_level(&m->vm, LINE));
	masks = 0;
	m->uart.device.ops->reset(&m->uart.device);
	/* The host may receive something meanwhile: see serial.c. */
	assert_int_equal(masks, 1);
	assert_false(axvmi_line_level(&m->vm, LINE));
	assert_power_on(m);
	assert_int_equal(in(m, IBRD), 0);
}

static void identification_is_an_arm_pl011_r1p5(void **state)
{
	static const uint8_t ids[] = {0x11, 0x10, 0x34, 0, 0x0d, 0xf0, 5, 0xb1};
	struct machine *m = *state;

	for (unsigned i = 0; i < 8; i++) {
		out(m, 0xfe0 + 4 * i, 0xff);
		assert_int_equal(in(m, 0xfe0 + 4 * i), ids[i]);
	}
}

static void registers_keep_the_bits_they_have(void **state)
{
	static const uint32_t regs[][2] = {
		{ILPR, 0xff}, {IBRD, 0xffff}, {FBRD, 0x3f},  {LCR_H, 0xff},
		{CR, 0xff87}, {IFLS, 0x3f},   {IMSC, 0x7ff}, {DMACR, 0},
		{0x08, 0},    {0x4c, 0},      {0x800, 0},    {0xfdc, 0},
	};
	struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		out(m, regs[i][0], 0xffffffff);
		assert_int_equal(in(m, regs[i][0]), regs[i][1]);
		out(m, regs[i][0], 0);
		assert_int_equal(in(m, regs[i][0]), 0);
	}
}

static void bytes_halfwords_and_words_reach_a_register(void **state)
{
	struct machine *m = *state;
	uint64_t value = 0x1234;

	for (uint32_t size = 1; size <= 4; size *= 2) {
		out(m, IBRD, 0);
		value = size == 1 ? 0x34 : 0x1234;
		assert_int_equal(touch(m, IBRD, size, true, &value),
				 AXVMI_DISPATCH_DONE);
		assert_int_equal(in(m, IBRD), size == 1 ? 0x34 : 0x1234);
	}
	assert_int_equal(touch(m, IBRD, 8, false, &value),
			 AXVMI_DISPATCH_FAULT);
	/* Nothing is connected beside the first lane. */
	value = 0xff;
	assert_int_equal(touch(m, IBRD + 1, 1, true, &value),
			 AXVMI_DISPATCH_DONE);
	assert_int_equal(in(m, IBRD), 0x1234);
	assert_int_equal(touch(m, IBRD + 1, 1, false, &value),
			 AXVMI_DISPATCH_DONE);
	assert_int_equal(value, 0);
}

/* ---- sending ---- */

static void bytes_written_are_sent_at_once(void **state)
{
	struct machine *m = *state;

	for (const char *p = "hello"; *p != 0; p++) {
		assert_int_equal(in(m, FR) & (TXFF | TXFE), TXFE);
		out(m, DR, (uint8_t)*p);
	}
	assert_int_equal(m->sent_count, 5);
	assert_memory_equal(m->sent, "hello", 5);
}

static void sending_raises_the_transmit_interrupt(void **state)
{
	struct machine *m = *state;

	out(m, IMSC, TXI);
	/* Nothing has fallen through the level yet. */
	assert_ris(m, 0);
	out(m, DR, 'a');
	assert_ris(m, TXI);
	out(m, ICR, TXI);
	assert_ris(m, 0);
	out(m, DR, 'b');
	assert_ris(m, TXI);
	out(m, IMSC, 0);
	assert_ris(m, TXI);
}

static void after_a_fifo_of_bytes_it_looks_full_once(void **state)
{
	struct machine *m = *state;

	out(m, LCR_H, FEN);
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 32; i++) {
			assert_int_equal(in(m, FR) & (TXFF | TXFE), TXFE);
			out(m, DR, 'x');
		}
		assert_int_equal(in(m, FR) & (TXFF | TXFE), TXFF);
	}
	assert_int_equal(m->sent_count, 96);
}

/* Long enough for the interrupt, but not for ever: some drivers poll with
 * interrupts off. */
static void
a_full_fifo_lasts_while_the_guest_waits_for_the_interrupt(void **state)
{
	struct machine *m = *state;
	unsigned looks = 0;

	out(m, LCR_H, FEN);
	out(m, IMSC, TXI);
	for (unsigned i = 0; i < 32; i++)
		out(m, DR, 'x');
	while ((in(m, FR) & TXFF) != 0)
		looks++;
	assert_in_range(looks, 4, 64);
	/* The handler fills what has drained: half of it. */
	for (unsigned i = 0; i < 32; i++)
		out(m, DR, 'x');
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(in(m, FR) & (TXFF | TXFE), TXFF);
		for (unsigned i = 0; i < 16; i++)
			out(m, DR, 'y');
	}
	assert_int_equal(in(m, FR) & (TXFF | TXFE), TXFF);
	assert_int_equal(m->sent_count, 112);
}

static void bytes_wait_while_the_transmitter_is_off(void **state)
{
	struct machine *m = *state;

	out(m, LCR_H, FEN);
	out(m, CR, 0x201); /* no TXE */
	for (unsigned i = 0; i < 40; i++)
		out(m, DR, 'a' + i % 26);
	assert_int_equal(m->sent_count, 0);
	assert_int_equal(in(m, FR) & (TXFF | TXFE), TXFF);
	out(m, CR, UART_ON);
	assert_int_equal(m->sent_count, 32);
	assert_memory_equal(m->sent, "abcdefghijklmnopqrstuvwxyzabcdef", 32);
}

/* "Flag Register", BUSY: until all have been sent. */
static void what_waits_to_be_sent_keeps_it_busy(void **state)
{
	struct machine *m = *state;

	out(m, LCR_H, FEN);
	out(m, CR, 0x201);
	assert_int_equal(in(m, FR) & (BUSY | TXFF | TXFE), TXFE);
	out(m, DR, 'a');
	assert_int_equal(in(m, FR) & (BUSY | TXFF | TXFE), BUSY);
	out(m, CR, UART_ON);
	assert_int_equal(in(m, FR) & (BUSY | TXFF | TXFE), TXFE);
}

static void without_fifos_one_byte_waits(void **state)
{
	struct machine *m = *state;

	out(m, CR, 0x300); /* no UARTEN */
	out(m, DR, 'a');
	assert_int_equal(in(m, FR) & (TXFF | TXFE), TXFF);
	out(m, DR, 'b');
	out(m, CR, UART_ON);
	assert_int_equal(m->sent_count, 1);
	assert_int_equal(m->sent[0], 'a');
}

static void the_host_may_answer_inside_transmit(void **state)
{
	struct machine *m = *state;

	m->echo = true;
	out(m, DR, 'e');
	assert_int_equal(in(m, DR), 'e');
}

/* ---- receiving ---- */

static void bytes_come_in_order(void **state)
{
	struct machine *m = *state;

	out(m, LCR_H, FEN);
	assert_int_equal(receive(m, "abc"), 3);
	assert_int_equal(in(m, DR), 'a');
	assert_int_equal(receive(m, "de"), 2);
	for (const char *p = "bcde"; *p != 0; p++)
		assert_int_equal(in(m, DR), *p);
	assert_int_equal(in(m, FR) & RXFE, RXFE);
	assert_int_equal(in(m, DR), 0);
}

static void the_receiver_takes_what_it_has_room_for(void **state)
{
	struct machine *m = *state;
	uint8_t bytes[40] = {0};

	assert_int_equal(axvm_pl011_receive(&m->uart, bytes, 40), 1);
	assert_int_equal(in(m, FR) & (RXFF | RXFE), RXFF);
	assert_int_equal(axvm_pl011_receive_room(&m->uart), 0);
	out(m, LCR_H, FEN);
	assert_int_equal(axvm_pl011_receive_room(&m->uart), 32);
	assert_int_equal(axvm_pl011_receive(&m->uart, bytes, 40), 32);
	assert_int_equal(axvm_pl011_receive(&m->uart, bytes, 40), 0);
	assert_int_equal(in(m, FR) & (RXFF | RXFE), RXFF);
	assert_int_equal(axvm_pl011_receive(NULL, bytes, 1), 0);
	assert_int_equal(axvm_pl011_receive(&m->uart, NULL, 1), 0);
	assert_int_equal(axvm_pl011_receive_room(NULL), 0);
}

static void a_receiver_that_is_off_takes_nothing(void **state)
{
	struct machine *m = *state;

	out(m, CR, 0x101); /* no RXE */
	assert_int_equal(receive(m, "a"), 0);
	out(m, CR, 0x300); /* no UARTEN */
	assert_int_equal(receive(m, "a"), 0);
	out(m, CR, UART_ON);
	assert_int_equal(receive(m, "a"), 1);
}

static void each_trigger_level_interrupts_at_its_fill(void **state)
{
	static const uint8_t levels[] = {4, 8, 16, 24, 28};
	struct machine *m = *state;

	out(m, LCR_H, FEN);
	out(m, IMSC, RXI);
	for (unsigned i = 0; i < 5; i++) {
		out(m, IFLS, i << 3);
		receive_many(m, levels[i] - 1u);
		assert_ris(m, RTI);
		receive_many(m, 1);
		assert_ris(m, RXI | RTI);
		(void)in(m, DR);
		assert_ris(m, RTI);
		while ((in(m, FR) & RXFE) == 0)
			(void)in(m, DR);
		assert_ris(m, 0);
	}
}

/* No byte below the level stays without a word. */
static void a_fifo_that_is_not_empty_has_timed_out(void **state)
{
	struct machine *m = *state;

	out(m, LCR_H, FEN);
	out(m, IMSC, RTI);
	receive_many(m, 2);
	assert_ris(m, RTI);
	out(m, ICR, RTI);
	assert_ris(m, 0);
	/* The rest times out again. */
	(void)in(m, DR);
	assert_ris(m, RTI);
	(void)in(m, DR);
	assert_ris(m, 0);
}

static void without_fifos_each_byte_interrupts(void **state)
{
	struct machine *m = *state;

	out(m, IMSC, RXI);
	receive_many(m, 1);
	assert_ris(m, RXI | RTI);
	(void)in(m, DR);
	assert_ris(m, 0);
}

static void switching_the_fifos_empties_them(void **state)
{
	struct machine *m = *state;

	out(m, LCR_H, FEN);
	out(m, IMSC, RXI | RTI);
	receive_many(m, 20);
	out(m, LCR_H, 0);
	assert_ris(m, 0);
	assert_int_equal(in(m, FR) & RXFE, RXFE);
}

static void a_frame_written_again_keeps_the_fifos(void **state)
{
	struct machine *m = *state;

	out(m, LCR_H, FEN);
	receive_many(m, 20);
	out(m, LCR_H, FEN | 0x60);
	assert_int_equal(receive(m, "y"), 1);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(in(m, DR), 'x');
	assert_int_equal(in(m, DR), 'y');
}

/* ---- loopback ---- */

static void loopback_sends_to_itself_alone(void **state)
{
	struct machine *m = *state;

	out(m, LCR_H, FEN);
	out(m, CR, UART_ON | 0x80);
	assert_int_equal(receive(m, "x"), 0);
	out(m, DR, 'l');
	assert_int_equal(m->sent_count, 0);
	assert_int_equal(in(m, DR), 'l');
}

static void a_receiver_that_is_off_hears_no_loopback(void **state)
{
	struct machine *m = *state;

	out(m, LCR_H, FEN);
	out(m, CR, 0x181); /* no RXE */
	out(m, DR, 'l');
	assert_int_equal(m->sent_count, 0);
	assert_int_equal(in(m, FR) & RXFE, RXFE);
	assert_int_equal(in(m, RIS) & (RXI | RTI | OEI), 0);
}

static void overrun_is_told_with_the_next_character(void **state)
{
	struct machine *m = *state;

	out(m, LCR_H, FEN);
	out(m, CR, UART_ON | 0x80);
	out(m, ICR, 0x7ff); /* of the modem lines */
	out(m, IMSC, OEI);
	for (unsigned i = 0; i < 33; i++)
		out(m, DR, i);
	assert_int_equal(in(m, RSR), 0x8);
	assert_ris(m, OEI | RXI | RTI | TXI);
	out(m, ICR, OEI);
	out(m, RSR, 0);
	assert_int_equal(in(m, RSR), 0);
	assert_int_equal(in(m, DR), 0);
	out(m, DR, 'n');
	for (unsigned i = 1; i < 32; i++)
		assert_int_equal(in(m, DR), i);
	assert_int_equal(in(m, DR), 0x800 | 'n');
	assert_int_equal(in(m, RSR), 0x8);
}

static void a_break_is_a_zero_with_its_error(void **state)
{
	struct machine *m = *state;

	out(m, CR, UART_ON | 0x80);
	out(m, ICR, 0x7ff); /* of the modem lines */
	out(m, LCR_H, FEN | 1);
	assert_ris(m, BEI | RTI);
	assert_int_equal(in(m, RSR), 0);
	assert_int_equal(in(m, DR), 0x400);
	assert_int_equal(in(m, RSR), 0x4);
}

static void modem_outputs_drive_the_inputs_in_loopback(void **state)
{
	/* CR bit, FR bit, interrupt. */
	static const uint32_t pairs[][3] = {
		{0x400, 0x2, 0x8},
		{0x800, 0x1, 0x2},
		{0x1000, 0x4, 0x4},
		{0x2000, 0x100, 0x1},
	};
	struct machine *m = *state;

	assert_int_equal(in(m, FR) & 0x107, 0x7);
	out(m, CR, UART_ON | 0x80);
	assert_int_equal(in(m, FR) & 0x107, 0);
	out(m, ICR, 0x7ff);
	for (unsigned i = 0; i < 4; i++) {
		out(m, CR, UART_ON | 0x80 | pairs[i][0]);
		assert_int_equal(in(m, FR) & 0x107, pairs[i][1]);
		assert_ris(m, pairs[i][2]);
		out(m, CR, UART_ON | 0x80);
		out(m, ICR, 0x7ff);
	}
}

static void a_uart_without_a_line_is_polled(void **state)
{
	struct machine *m = *state;
	struct axvm_pl011_config c = config(m);

	c.line = 0;
	plug(m, &c);
	out(m, IMSC, 0x7ff);
	out(m, DR, 'a');
	assert_int_equal(in(m, MIS), TXI);
	assert_int_equal(m->notices, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(malformed_configurations_are_refused),
		TEST(power_on_state_is_that_of_the_manual),
		TEST(reset_is_power_on_and_drops_the_line),
		TEST(identification_is_an_arm_pl011_r1p5),
		TEST(registers_keep_the_bits_they_have),
		TEST(bytes_halfwords_and_words_reach_a_register),
		TEST(bytes_written_are_sent_at_once),
		TEST(sending_raises_the_transmit_interrupt),
		TEST(after_a_fifo_of_bytes_it_looks_full_once),
		TEST(a_full_fifo_lasts_while_the_guest_waits_for_the_interrupt),
		TEST(bytes_wait_while_the_transmitter_is_off),
		TEST(what_waits_to_be_sent_keeps_it_busy),
		TEST(without_fifos_one_byte_waits),
		TEST(the_host_may_answer_inside_transmit),
		TEST(bytes_come_in_order),
		TEST(the_receiver_takes_what_it_has_room_for),
		TEST(a_receiver_that_is_off_takes_nothing),
		TEST(each_trigger_level_interrupts_at_its_fill),
		TEST(a_fifo_that_is_not_empty_has_timed_out),
		TEST(without_fifos_each_byte_interrupts),
		TEST(switching_the_fifos_empties_them),
		TEST(a_frame_written_again_keeps_the_fifos),
		TEST(loopback_sends_to_itself_alone),
		TEST(a_receiver_that_is_off_hears_no_loopback),
		TEST(overrun_is_told_with_the_next_character),
		TEST(a_break_is_a_zero_with_its_error),
		TEST(modem_outputs_drive_the_inputs_in_loopback),
		cmocka_unit_test_setup_teardown(a_uart_without_a_line_is_polled,
						bare, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
