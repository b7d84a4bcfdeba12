/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The 16550A model, through the bus as a guest's driver sees it: real device.c
 * and irq.c, register numbers as in the data sheet.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "axvm/devices/uart16550.h"
#include "host_hal.h"
#include "internal.h"

#define BASE UINT64_C(0x10000000)
#define LINE 10u

enum {
	RBR,
	IER,
	IIR,
	LCR,
	MCR,
	LSR,
	MSR,
	SCR,
	THR = 0,
	FCR = 2
};

struct machine {
	struct test_hal *hal;
	struct axvm_host host;
	struct axvm_arch_ops ops;
	struct axvm_vm vm;
	struct axvm_vcpu vcpu;
	struct axvm_uart16550 uart;
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
		axvm_uart16550_receive(&m->uart, &byte, 1);
}

static struct axvm_uart16550_config config(struct machine *m)
{
	struct axvm_uart16550_config c = {
		.size = sizeof(c),
		.bus = AXVM_BUS_MMIO,
		.base = BASE,
		.line = LINE,
		.transmit = transmit,
		.ctx = m,
	};

	return c;
}

static void plug(struct machine *m, const struct axvm_uart16550_config *c)
{
	store_relaxed(&m->vm.state, AXVM_VM_LOADING);
	memset(&m->uart, 0xa5, sizeof(m->uart)); /* need not be zeroed */
	assert_int_equal(axvm_uart16550_init(&m->uart, &m->vm, c), AXVM_OK);
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
	m->ops.line_first = 1;
	m->ops.line_count = 1023;
	m->ops.line_targets = line_targets;
	m->ops.interrupts_save = interrupts_save;
	m->ops.interrupts_restore = interrupts_restore;
	m->ops.buses = BIT64(AXVM_BUS_PORT);
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
	struct axvm_uart16550_config c;

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

static enum axvmi_dispatch touch(struct machine *m, uint64_t addr,
				 uint32_t size, bool write, uint64_t *value)
{
	const struct axvmi_space *space =
		axvmi_bus_find(&m->vm.bus[m->uart.config.bus], addr);

	if (space == NULL)
		return AXVMI_DISPATCH_EXIT;
	return axvmi_device_access(&m->vcpu, space, addr, size, write, value);
}

static uint8_t in(struct machine *m, uint32_t reg)
{
	uint64_t value = UINT64_MAX;
	uint64_t addr = m->uart.config.base +
			((uint64_t)reg << m->uart.config.reg_shift);

	assert_int_equal(touch(m, addr, 1, false, &value), AXVMI_DISPATCH_DONE);
	assert_true(value <= 0xff);
	return (uint8_t)value;
}

static void out(struct machine *m, uint32_t reg, uint8_t byte)
{
	uint64_t value = byte;
	uint64_t addr = m->uart.config.base +
			((uint64_t)reg << m->uart.config.reg_shift);

	assert_int_equal(touch(m, addr, 1, true, &value), AXVMI_DISPATCH_DONE);
}

static size_t receive(struct machine *m, const char *text)
{
	return axvm_uart16550_receive(&m->uart, (const uint8_t *)text,
				      strlen(text));
}

static bool irq(struct machine *m)
{
	return axvmi_line_level(&m->vm, LINE);
}

/* The line and IIR must always tell the same. */
static void assert_iir(struct machine *m, uint8_t want)
{
	assert_int_equal(irq(m), (want & 1) == 0);
	assert_int_equal(in(m, IIR), want);
}

/* ---- making one ---- */

static void malformed_configurations_are_refused(void **state)
{
	struct machine *m = *state;
	struct axvm_uart16550_config c = config(m);
	struct axvm_uart16550 before;

	memset(&before, 0xa5, sizeof(before));
	m->uart = before;
	assert_int_equal(axvm_uart16550_init(NULL, &m->vm, &c), AXVM_EINVAL);
	assert_int_equal(axvm_uart16550_init(&m->uart, NULL, &c), AXVM_EINVAL);
	assert_int_equal(axvm_uart16550_init(&m->uart, &m->vm, NULL),
			 AXVM_EINVAL);
	c.size--;
	assert_int_equal(axvm_uart16550_init(&m->uart, &m->vm, &c),
			 AXVM_EINVAL);
	c = config(m);
	c.transmit = NULL;
	assert_int_equal(axvm_uart16550_init(&m->uart, &m->vm, &c),
			 AXVM_EINVAL);
	c = config(m);
	c.reg_shift = 4;
	assert_int_equal(axvm_uart16550_init(&m->uart, &m->vm, &c),
			 AXVM_EINVAL);
	c = config(m);
	c.bus = AXVM_BUS_SYSREG;
	assert_int_equal(axvm_uart16550_init(&m->uart, &m->vm, &c),
			 AXVM_EINVAL);
	c = config(m);
	c.base = UINT64_MAX - 14;
	c.reg_shift = 1;
	assert_int_equal(axvm_uart16550_init(&m->uart, &m->vm, &c),
			 AXVM_EINVAL);
	c = config(m);
	c.line = 1024;
	assert_int_equal(axvm_uart16550_init(&m->uart, &m->vm, &c),
			 AXVM_ENOENT);
	assert_memory_equal(&before, &m->uart, sizeof(before));
}

static void assert_power_on(struct machine *m)
{
	assert_int_equal(in(m, RBR), 0);
	assert_int_equal(in(m, IER), 0);
	assert_int_equal(in(m, IIR), 0x01);
	assert_int_equal(in(m, LCR), 0);
	assert_int_equal(in(m, MCR), 0);
	assert_int_equal(in(m, LSR), 0x60);
	assert_int_equal(in(m, MSR), 0xb0); /* CTS, DSR, DCD */
	assert_int_equal(in(m, SCR), 0);
	assert_false(irq(m));
}

static void power_on_state_is_that_of_the_data_sheet(void **state)
{
	struct machine *m = *state;

	assert_power_on(m);
	assert_int_equal(m->notices, 0);
}

static void
registers_can_be_apart_and_accessed_by_any_width_up_to_that(void **state)
{
	struct machine *m = *state;

	for (uint32_t shift = 0; shift <= 3; shift++) {
		struct axvm_uart16550_config c = config(m);
		uint64_t end;

		c.reg_shift = shift;
		c.base = BASE + shift * 0x1000;
		plug(m, &c);
		end = c.base + (UINT64_C(8) << shift);
		for (uint32_t size = 1; size <= 8; size *= 2) {
			uint64_t addr = c.base + (UINT64_C(7) << shift);
			uint64_t value = UINT64_C(0x123456789abcde00) + size;
			bool ok = size <= UINT32_C(1) << shift;

			assert_int_equal(touch(m, addr, size, true, &value),
					 ok ? AXVMI_DISPATCH_DONE
					    : AXVMI_DISPATCH_FAULT);
			assert_int_equal(touch(m, addr, size, false, &value),
					 ok ? AXVMI_DISPATCH_DONE
					    : AXVMI_DISPATCH_FAULT);
			if (ok)
				assert_int_equal(value, size);
			/* Aligned for every width, unlike the last one. */
			assert_int_equal(touch(m, c.base, size, false, &value),
					 ok ? AXVMI_DISPATCH_DONE
					    : AXVMI_DISPATCH_FAULT);
		}
		assert_null(axvmi_bus_find(&m->vm.bus[AXVM_BUS_MMIO], end));
		axvmi_device_remove(&m->vm, &m->uart.device);
	}
}

static void lanes_beside_a_register_read_zero_and_ignore_writes(void **state)
{
	struct machine *m = *state;
	struct axvm_uart16550_config c = config(m);
	uint64_t value = 0x99;

	c.reg_shift = 2;
	plug(m, &c);
	out(m, SCR, 0x42);
	assert_int_equal(touch(m, BASE + 7 * 4 + 1, 1, true, &value),
			 AXVMI_DISPATCH_DONE);
	assert_int_equal(touch(m, BASE + 7 * 4 + 2, 2, false, &value),
			 AXVMI_DISPATCH_DONE);
	assert_int_equal(value, 0);
	assert_int_equal(in(m, SCR), 0x42);
}

static void it_can_live_on_ports(void **state)
{
	struct machine *m = *state;
	struct axvm_uart16550_config c = config(m);

	c.bus = AXVM_BUS_PORT;
	c.base = 0x3f8;
	plug(m, &c);
	out(m, SCR, 0x5a);
	assert_int_equal(in(m, SCR), 0x5a);
	out(m, THR, 'x');
	assert_int_equal(m->sent[0], 'x');
}

static void without_a_line_it_can_be_polled(void **state)
{
	struct machine *m = *state;
	struct axvm_uart16550_config c = config(m);

	c.line = 0;
	plug(m, &c);
	out(m, IER, 0x0f);
	assert_int_equal(receive(m, "a"), 1);
	assert_int_equal(in(m, IIR), 0x04);
	assert_int_equal(in(m, RBR), 'a');
	assert_int_equal(m->notices, 0);
}

/* ---- registers ---- */

static void registers_hold_the_bits_they_have(void **state)
{
	struct machine *m = *state;

	for (unsigned byte = 0; byte < 256; byte++) {
		out(m, LCR, (uint8_t)byte);
		assert_int_equal(in(m, LCR), byte);
		out(m, LCR, 0);
		out(m, SCR, (uint8_t)byte);
		assert_int_equal(in(m, SCR), byte);
		out(m, IER, (uint8_t)byte);
		assert_int_equal(in(m, IER), byte & 0x0f);
		out(m, MCR, (uint8_t)byte);
		assert_int_equal(in(m, MCR), byte & 0x1f);
	}
}

static void status_registers_ignore_writes(void **state)
{
	struct machine *m = *state;

	out(m, LSR, 0x1f);
	out(m, MSR, 0xff);
	assert_int_equal(in(m, LSR), 0x60);
	assert_int_equal(in(m, MSR), 0xb0);
}

static void dlab_shows_the_divisor_in_place_of_data_and_ier(void **state)
{
	struct machine *m = *state;

	out(m, IER, 0x05);
	receive(m, "q");
	out(m, LCR, 0x83);
	assert_int_equal(in(m, 0), 12);
	assert_int_equal(in(m, 1), 0);
	out(m, 0, 0x34);
	out(m, 1, 0x12);
	assert_int_equal(in(m, 0), 0x34);
	assert_int_equal(in(m, 1), 0x12);
	out(m, LCR, 0x03);
	assert_int_equal(m->sent_count, 0);
	assert_int_equal(in(m, IER), 0x05);
	assert_int_equal(in(m, RBR), 'q');
}

/* ---- transmitting ---- */

static void
bytes_are_sent_in_order_and_the_transmitter_is_always_empty(void **state)
{
	struct machine *m = *state;
	const char *text = "hello, world\n";

	for (size_t i = 0; i < strlen(text); i++) {
		assert_int_equal(in(m, LSR), 0x60);
		out(m, THR, (uint8_t)text[i]);
	}
	assert_string_equal(m->sent, text);
	assert_false(irq(m));
}

static void
enabling_the_interrupt_of_an_empty_transmitter_raises_it(void **state)
{
	struct machine *m = *state;

	assert_iir(m, 0x01);
	out(m, IER, 0x02);
	assert_iir(m, 0x02);
	/* Reading IIR served it; writing IER again as it is changes nothing. */
	assert_iir(m, 0x01);
	out(m, IER, 0x02);
	assert_iir(m, 0x01);
	out(m, IER, 0x00);
	out(m, IER, 0x02);
	assert_iir(m, 0x02);
}

static void each_byte_sent_raises_the_transmit_interrupt_again(void **state)
{
	struct machine *m = *state;

	out(m, IER, 0x02);
	assert_iir(m, 0x02);
	for (unsigned i = 0; i < 3; i++) {
		out(m, THR, 'x');
		assert_iir(m, 0x02);
		assert_iir(m, 0x01);
	}
	/* Masked, it does not show, and is there when it is unmasked. */
	out(m, THR, 'x');
	out(m, IER, 0);
	assert_iir(m, 0x01);
}

static void
iir_serves_the_transmit_interrupt_only_when_it_reports_it(void **state)
{
	struct machine *m = *state;

	out(m, IER, 0x03);
	receive(m, "a");
	assert_iir(m, 0x04);
	assert_iir(m, 0x04);
	assert_int_equal(in(m, RBR), 'a');
	assert_iir(m, 0x02);
	assert_iir(m, 0x01);
}

static void the_transmit_callback_may_call_receive(void **state)
{
	struct machine *m = *state;

	m->echo = true;
	out(m, IER, 0x01);
	out(m, THR, 'e');
	assert_true(irq(m));
	assert_int_equal(in(m, RBR), 'e');
	assert_false(irq(m));
}

/* ---- receiving ---- */

static void without_fifos_one_byte_is_taken_at_a_time(void **state)
{
	struct machine *m = *state;

	out(m, IER, 0x01);
	assert_int_equal(axvm_uart16550_receive_room(&m->uart), 1);
	assert_int_equal(receive(m, "ab"), 1);
	assert_int_equal(axvm_uart16550_receive_room(&m->uart), 0);
	assert_int_equal(receive(m, "b"), 0);
	assert_iir(m, 0x04);
	assert_int_equal(in(m, LSR), 0x61);
	assert_int_equal(in(m, RBR), 'a');
	assert_iir(m, 0x01);
	assert_int_equal(in(m, LSR), 0x60);
	assert_int_equal(receive(m, "b"), 1);
	assert_int_equal(in(m, RBR), 'b');
}

static void with_fifos_sixteen_bytes_are_taken(void **state)
{
	struct machine *m = *state;

	out(m, FCR, 0x01);
	assert_int_equal(axvm_uart16550_receive_room(&m->uart), 16);
	for (unsigned round = 0; round < 5; round++) {
		assert_int_equal(receive(m, "0123456789abcdefXY"), 16);
		assert_int_equal(axvm_uart16550_receive_room(&m->uart), 0);
		for (const char *c = "0123456789"; *c != '\0'; c++)
			assert_int_equal(in(m, RBR), *c);
		assert_int_equal(axvm_uart16550_receive_room(&m->uart), 10);
		assert_int_equal(receive(m, "ghi"), 3);
		for (const char *c = "abcdefghi"; *c != '\0'; c++)
			assert_int_equal(in(m, RBR), *c);
		assert_int_equal(in(m, LSR), 0x60); /* no overrun either */
		assert_int_equal(in(m, RBR), 0);
	}
}

static void null_arguments_of_receive_take_nothing(void **state)
{
	struct machine *m = *state;

	assert_int_equal(axvm_uart16550_receive(NULL, (const uint8_t *)"a", 1),
			 0);
	assert_int_equal(axvm_uart16550_receive(&m->uart, NULL, 1), 0);
	assert_int_equal(axvm_uart16550_receive_room(NULL), 0);
	assert_int_equal(receive(m, ""), 0);
	assert_int_equal(in(m, LSR), 0x60);
}

static void trigger_levels_decide_between_data_and_timeout(void **state)
{
	static const uint8_t levels[] = {1, 4, 8, 14};
	struct machine *m = *state;

	out(m, IER, 0x01);
	for (uint8_t t = 0; t < 4; t++) {
		out(m, FCR, (uint8_t)(t << 6 | 0x01));
		for (unsigned n = 1; n <= 16; n++) {
			receive(m, "x");
			assert_iir(m, n >= levels[t] ? 0xc4 : 0xcc);
		}
		for (unsigned n = 15; n > 0; n--) {
			in(m, RBR);
			assert_iir(m, n >= levels[t] ? 0xc4 : 0xcc);
		}
		in(m, RBR);
		assert_iir(m, 0xc1);
	}
}

static void clearing_the_receiver_empties_it_and_lowers_the_line(void **state)
{
	struct machine *m = *state;

	out(m, IER, 0x01);
	out(m, FCR, 0x01);
	receive(m, "abc");
	assert_true(irq(m));
	out(m, FCR, 0x03);
	assert_iir(m, 0xc1);
	assert_int_equal(in(m, LSR), 0x60);
	assert_int_equal(axvm_uart16550_receive_room(&m->uart), 16);
	/* Clearing the transmitter leaves the receiver alone. */
	receive(m, "d");
	out(m, FCR, 0x05);
	assert_int_equal(in(m, RBR), 'd');
}

static void switching_the_fifos_on_or_off_empties_them(void **state)
{
	struct machine *m = *state;

	receive(m, "a");
	out(m, FCR, 0x01);
	assert_int_equal(in(m, LSR), 0x60);
	receive(m, "abc");
	out(m, FCR, 0xc1); /* stays on */
	assert_int_equal(in(m, LSR), 0x61);
	out(m, FCR, 0x00);
	assert_int_equal(in(m, LSR), 0x60);
	assert_int_equal(in(m, IIR), 0x01);
	assert_int_equal(axvm_uart16550_receive_room(&m->uart), 1);
}

static void fcr_bits_count_only_together_with_the_enable_bit(void **state)
{
	struct machine *m = *state;

	receive(m, "a");
	out(m, FCR, 0xc2);
	assert_int_equal(in(m, LSR), 0x61);
	assert_int_equal(in(m, IIR), 0x01);
	out(m, IER, 0x01);
	out(m, FCR, 0x01);
	receive(m, "b");
	assert_iir(m, 0xc4); /* trigger 1, not 14 */
}

/* ---- loopback, errors, modem ---- */

static void
looped_back_bytes_never_reach_the_host_nor_its_bytes_the_guest(void **state)
{
	struct machine *m = *state;

	out(m, FCR, 0x01);
	out(m, MCR, 0x10);
	out(m, THR, 'l');
	assert_int_equal(m->sent_count, 0);
	assert_int_equal(axvm_uart16550_receive_room(&m->uart), 0);
	assert_int_equal(receive(m, "h"), 0);
	assert_int_equal(in(m, RBR), 'l');
	assert_int_equal(in(m, LSR), 0x60);
	out(m, MCR, 0x00);
	assert_int_equal(receive(m, "h"), 1);
	out(m, THR, 's');
	assert_int_equal(m->sent_count, 1);
	assert_int_equal(in(m, RBR), 'h');
}

static void a_full_fifo_keeps_its_bytes_and_reports_an_overrun(void **state)
{
	struct machine *m = *state;

	out(m, FCR, 0x01);
	out(m, IER, 0x05);
	out(m, MCR, 0x10);
	for (uint8_t i = 0; i < 18; i++)
		out(m, THR, i);
	assert_iir(m, 0xc6);
	assert_int_equal(in(m, LSR), 0x63);
	assert_iir(m, 0xc4);
	assert_int_equal(in(m, LSR), 0x61); /* told once */
	for (uint8_t i = 0; i < 16; i++)
		assert_int_equal(in(m, RBR), i);
	assert_int_equal(in(m, LSR), 0x60);
}

static void a_single_buffer_is_overwritten_by_an_overrun(void **state)
{
	struct machine *m = *state;

	out(m, MCR, 0x10);
	out(m, THR, 'a');
	out(m, THR, 'b');
	assert_int_equal(in(m, LSR), 0x63);
	assert_int_equal(in(m, RBR), 'b');
	assert_int_equal(in(m, LSR), 0x60);
}

static void a_looped_back_break_shows_when_it_is_next_to_be_read(void **state)
{
	struct machine *m = *state;

	out(m, FCR, 0x01);
	out(m, IER, 0x04);
	out(m, MCR, 0x10);
	out(m, THR, 'a');
	out(m, LCR, 0x40);
	out(m, LCR, 0x40); /* one break, not two */
	out(m, THR, 'b');
	assert_iir(m, 0xc1);
	assert_int_equal(in(m, LSR), 0xe1); /* an error is in the FIFO */
	assert_int_equal(in(m, RBR), 'a');
	assert_iir(m, 0xc6);
	assert_int_equal(in(m, LSR), 0xf1);
	assert_int_equal(in(m, LSR), 0x61);
	assert_int_equal(in(m, RBR), 0);
	assert_int_equal(in(m, RBR), 'b');
	assert_int_equal(in(m, LSR), 0x60);
	/* On the real line nobody hears it. */
	out(m, MCR, 0);
	out(m, LCR, 0);
	out(m, LCR, 0x40);
	assert_int_equal(in(m, LSR), 0x60);
	assert_int_equal(m->sent_count, 0);
}

static void looped_back_outputs_drive_the_modem_inputs(void **state)
{
	static const struct {
		uint8_t mcr, msr;
	} cases[] = {{0x01, 0x20}, {0x02, 0x10}, {0x04, 0x40},
		     {0x08, 0x80}, {0x0f, 0xf0}, {0x00, 0x00}};
	struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		out(m, MCR, 0x10 | cases[i].mcr);
		assert_int_equal(in(m, MSR) & 0xf0, cases[i].msr);
	}
	out(m, MCR, 0x00);
	assert_int_equal(in(m, MSR) & 0xf0, 0xb0);
}

static void modem_deltas_raise_an_interrupt_until_msr_is_read(void **state)
{
	struct machine *m = *state;

	out(m, MCR, 0x1b); /* the same lines, looped */
	assert_int_equal(in(m, MSR), 0xb0);
	out(m, IER, 0x08);
	assert_iir(m, 0x01);
	out(m, MCR, 0x19); /* CTS falls */
	assert_iir(m, 0x00);
	assert_iir(m, 0x00);
	out(m, MCR, 0x18); /* DSR too */
	assert_int_equal(in(m, MSR), 0x83);
	assert_iir(m, 0x01);
	out(m, MCR, 0x10);
	assert_int_equal(in(m, MSR), 0x08);
	/* RI counts when it ends. */
	out(m, MCR, 0x14);
	assert_iir(m, 0x01);
	assert_int_equal(in(m, MSR), 0x40);
	out(m, MCR, 0x10);
	assert_iir(m, 0x00);
	assert_int_equal(in(m, MSR), 0x04);
}

static void interrupts_are_reported_by_priority(void **state)
{
	struct machine *m = *state;

	out(m, FCR, 0x01);
	out(m, MCR, 0x12);
	in(m, MSR);
	out(m, IER, 0x0f);
	for (unsigned i = 0; i < 17; i++)
		out(m, THR, 'x');
	out(m, MCR, 0x10);
	assert_iir(m, 0xc6);
	in(m, LSR);
	assert_iir(m, 0xc4);
	for (unsigned i = 0; i < 16; i++)
		in(m, RBR);
	assert_iir(m, 0xc2);
	assert_iir(m, 0xc0);
	in(m, MSR);
	assert_iir(m, 0xc1);
}

/* ---- the line ---- */

static void the_line_is_set_only_when_its_level_changes(void **state)
{
	struct machine *m = *state;

	out(m, FCR, 0x01);
	out(m, IER, 0x01);
	receive(m, "a");
	assert_int_equal(m->notices, 1);
	receive(m, "bcd");
	in(m, IIR);
	in(m, RBR);
	in(m, LSR);
	assert_int_equal(m->notices, 1);
	in(m, RBR);
	in(m, RBR);
	in(m, RBR);
	assert_int_equal(m->notices, 2);
	out(m, THR, 'x');
	assert_int_equal(m->notices, 2);
}

static void reset_goes_back_to_power_on_and_lowers_the_line(void **state)
{
	struct machine *m = *state;

	out(m, FCR, 0x01);
	out(m, IER, 0x0f);
	out(m, MCR, 0x0b);
	out(m, SCR, 0x77);
	out(m, LCR, 0x83);
	out(m, 0, 1);
	receive(m, "abc");
	assert_true(irq(m));
	masks = 0;
	m->uart.device.ops->reset(&m->uart.device);
	/* The host may receive something meanwhile: see serial.c. */
	assert_int_equal(masks, 1);
	assert_false(irq(m));
	assert_power_on(m);
	out(m, LCR, 0x80);
	assert_int_equal(in(m, 0), 12);
}

static void mask_everything(struct machine *m)
{
	out(m, IER, 0);
}

static void unmask_data(struct machine *m)
{
	out(m, IER, 0x01);
}

static void
the_line_follows_the_registers_that_change_while_it_is_set(void **state)
{
	struct machine *m = *state;

	out(m, IER, 0x01);
	m->meanwhile = mask_everything;
	receive(m, "a");
	assert_iir(m, 0x01);
	out(m, IER, 0x01);
	m->meanwhile = unmask_data;
	out(m, IER, 0);
	assert_iir(m, 0x04);
	assert_int_equal(load_seq(&m->vm.lines.asserted[LINE]), 1);
}

/* Bytes that came before axvm_init() are there when the guest looks. */
static void bytes_received_while_the_vm_is_loading_are_kept(void **state)
{
	struct machine *m = *state;

	store_relaxed(&m->vm.state, AXVM_VM_LOADING);
	assert_int_equal(receive(m, "a"), 1);
	store_relaxed(&m->vm.state, AXVM_VM_RUNNING);
	out(m, IER, 0x01);
	assert_iir(m, 0x04);
	assert_int_equal(in(m, RBR), 'a');
}

/* Nothing to be done about it, but no endless loop either. */
static void a_line_that_cannot_be_set_is_given_up(void **state)
{
	struct machine *m = *state;

	out(m, IER, 0x01);
	store_relaxed(&m->vm.state, AXVM_VM_LOADING);
	assert_int_equal(receive(m, "a"), 1);
	assert_false(irq(m));
}

/* ---- what drivers do ---- */

static uint32_t word_of_iir(struct machine *m, uint8_t fcr)
{
	out(m, FCR, fcr);
	return in(m, IIR) >> 5;
}

/*
 * Linux 8250, autoconfig: an IER with four bits, a loopback that moves the modem
 * lines, FIFOs that show in IIR, and nothing of the later chips (EFR, 64-byte
 * FIFO, UUE bit).
 */
static void linux_finds_a_16550a(void **state)
{
	struct machine *m = *state;
	uint8_t mcr, lcr, ier;

	ier = in(m, IER);
	out(m, IER, 0);
	assert_int_equal(in(m, IER) & 0x0f, 0);
	out(m, IER, 0x0f);
	assert_int_equal(in(m, IER) & 0x0f, 0x0f);
	out(m, IER, ier);

	mcr = in(m, MCR);
	lcr = in(m, LCR);
	out(m, MCR, 0x10 | 0x0a);
	assert_int_equal(in(m, MSR) & 0xf0, 0x90);
	out(m, MCR, mcr);

	out(m, LCR, 0xbf);
	out(m, 2, 0);
	out(m, LCR, 0);
	out(m, FCR, 0x01);
	assert_int_equal(in(m, IIR) >> 6, 3);

	/* An EFR would read 0 behind either value of LCR. */
	out(m, LCR, 0x80);
	assert_int_not_equal(in(m, 2), 0);
	out(m, LCR, 0xbf);
	assert_int_not_equal(in(m, 2), 0);
	out(m, LCR, 0xe0);
	assert_int_equal(in(m, 2) & 0x10, in(m, MCR) & 0x10);
	out(m, LCR, 0);
	out(m, MCR, mcr ^ 0x10);
	out(m, LCR, 0xe0);
	assert_int_equal(in(m, 2) & 0x10, mcr & 0x10);
	out(m, LCR, 0);
	out(m, MCR, mcr);

	/* FCR bit 5 with and without DLAB: a 16750 would show it. */
	assert_int_equal(word_of_iir(m, 0x21), 6);
	out(m, FCR, 0x01);
	out(m, LCR, 0x80);
	assert_int_equal(word_of_iir(m, 0x21), 6);
	out(m, FCR, 0x01);
	out(m, LCR, 0);

	out(m, IER, ier & ~0x40);
	assert_int_equal(in(m, IER) & 0x40, 0);
	out(m, IER, ier | 0x40);
	assert_int_equal(in(m, IER) & 0x40, 0);
	out(m, IER, ier);
	out(m, LCR, lcr);
	assert_int_equal(m->sent_count, 0);
}

/* Linux 8250: as many of 256 looped-back bytes as the FIFO has room for. */
static void linux_measures_a_fifo_of_sixteen(void **state)
{
	struct machine *m = *state;
	unsigned count = 0;
	uint8_t mcr = in(m, MCR);

	out(m, LCR, 0);
	out(m, FCR, 0x07);
	out(m, MCR, 0x10);
	out(m, LCR, 0x80);
	out(m, 0, 1);
	out(m, 1, 0);
	out(m, LCR, 0x03);
	for (unsigned i = 0; i < 256; i++)
		out(m, THR, (uint8_t)i);
	while ((in(m, LSR) & 0x01) != 0 && count < 256) {
		assert_int_equal(in(m, RBR), count);
		count++;
	}
	out(m, MCR, mcr);
	assert_int_equal(count, 16);
	assert_int_equal(m->sent_count, 0);
}

/* Linux 8250, startup: no floating bus, and neither of the two transmitter
 * bugs that it works around by polling with a timer. */
static void linux_startup_finds_no_transmitter_bug(void **state)
{
	struct machine *m = *state;

	out(m, FCR, 0x01);
	out(m, FCR, 0x07);
	out(m, FCR, 0x00);
	in(m, LSR);
	in(m, RBR);
	in(m, IIR);
	in(m, MSR);
	assert_int_not_equal(in(m, LSR), 0xff);
	out(m, LCR, 0x03);

	/* THRE comes again each time its interrupt is enabled. */
	assert_int_equal(in(m, LSR) & 0x60, 0x60);
	out(m, IER, 0x02);
	in(m, IIR);
	out(m, IER, 0);
	out(m, IER, 0x02);
	assert_int_equal(in(m, IIR) & 0x01, 0);
	out(m, IER, 0);

	out(m, MCR, 0x08);
	out(m, IER, 0x02);
	assert_int_equal(in(m, LSR) & 0x40, 0x40);
	assert_int_equal(in(m, IIR) & 0x01, 0);
	out(m, IER, 0);
	in(m, LSR);
	in(m, RBR);
	in(m, IIR);
	in(m, MSR);
	out(m, IER, 0x05);
	assert_false(irq(m));
}

/* Linux 8250, interrupt handler: drains while DR, then fills the transmitter,
 * and leaves when IIR says so. */
static void linux_interrupt_handler_ends_with_the_line_low(void **state)
{
	struct machine *m = *state;
	char got[32] = "";
	size_t n = 0;

	out(m, FCR, 0x81); /* trigger 8, more than will come */
	out(m, IER, 0x07);
	receive(m, "hello");
	for (unsigned i = 0; i < 100 && (in(m, IIR) & 1) == 0; i++) {
		uint8_t lsr = in(m, LSR);

		for (; (lsr & 0x01) != 0; lsr = in(m, LSR))
			got[n++] = (char)in(m, RBR);
		if (m->sent_count < 2 && (lsr & 0x20) != 0)
			out(m, THR, '!');
		else
			out(m, IER, 0x05);
	}
	assert_string_equal(got, "hello");
	assert_string_equal(m->sent, "!!");
	assert_false(irq(m));
}

/* U-Boot ns16550: waits for TEMT, no interrupts, DTR and RTS, FIFOs, divisor. */
static void uboot_initialises_and_talks_by_polling(void **state)
{
	struct machine *m = *state;

	assert_int_equal(in(m, LSR) & 0x60, 0x60);
	out(m, IER, 0);
	out(m, MCR, 0x03);
	out(m, FCR, 0x07);
	out(m, LCR, 0x03);
	out(m, LCR, 0x83);
	out(m, 0, 2);
	out(m, 1, 0);
	out(m, LCR, 0x03);
	for (const char *c = "U-Boot"; *c != '\0'; c++) {
		while ((in(m, LSR) & 0x20) == 0)
			;
		out(m, THR, (uint8_t)*c);
	}
	assert_string_equal(m->sent, "U-Boot");
	receive(m, "\r");
	assert_int_equal(in(m, LSR) & 0x01, 1);
	assert_int_equal(in(m, RBR), '\r');
	assert_int_equal(in(m, LSR) & 0x01, 0);
	assert_false(irq(m));
}

/* ---- threads ---- */

#define STREAM 20000u

/* The host's interrupt handlers. */
static void *host_input(void *arg)
{
	struct machine *m = arg;
	uint32_t next = 0;

	while (next < STREAM) {
		uint8_t bytes[5];
		size_t count = STREAM - next < 5 ? STREAM - next : 5;

		for (size_t i = 0; i < count; i++)
			bytes[i] = (uint8_t)(next + i);
		count = axvm_uart16550_receive(&m->uart, bytes, count);
		if (count == 0)
			sched_yield();
		next += (uint32_t)count;
	}
	return NULL;
}

/* Another vCPU, which switches interrupts on and off all the time. */
static void *toggler(void *arg)
{
	struct machine *m = arg;

	for (uint32_t i = 0; i < STREAM; i++) {
		uint64_t value = i & 1 ? 0x03 : 0x00;

		(void)touch(m, BASE + IER, 1, true, &value);
		if (i % 64 == 0)
			sched_yield();
	}
	return NULL;
}

static void
input_and_two_vcpus_at_once_lose_no_byte_and_no_interrupt(void **state)
{
	struct machine *m = *state;
	pthread_t host, other;
	uint32_t next = 0;

	out(m, FCR, 0x01);
	pthread_create(&host, NULL, host_input, m);
	pthread_create(&other, NULL, toggler, m);
	while (next < STREAM) {
		if ((in(m, LSR) & 0x01) == 0) {
			sched_yield();
			continue;
		}
		assert_int_equal(in(m, RBR), next++ & 0xff);
	}
	pthread_join(host, NULL);
	pthread_join(other, NULL);
	out(m, IER, 0x01);
	assert_iir(m, 0xc1);
	receive(m, "z");
	assert_iir(m, 0xc4);
	assert_int_equal(load_seq(&m->vm.lines.asserted[LINE]), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_BARE(name) cmocka_unit_test_setup_teardown(name, bare, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BARE(malformed_configurations_are_refused),
		TEST(power_on_state_is_that_of_the_data_sheet),
		TEST_BARE(
			registers_can_be_apart_and_accessed_by_any_width_up_to_that),
		TEST_BARE(lanes_beside_a_register_read_zero_and_ignore_writes),
		TEST_BARE(it_can_live_on_ports),
		TEST_BARE(without_a_line_it_can_be_polled),
		TEST(registers_hold_the_bits_they_have),
		TEST(status_registers_ignore_writes),
		TEST(dlab_shows_the_divisor_in_place_of_data_and_ier),
		TEST(bytes_are_sent_in_order_and_the_transmitter_is_always_empty),
		TEST(enabling_the_interrupt_of_an_empty_transmitter_raises_it),
		TEST(each_byte_sent_raises_the_transmit_interrupt_again),
		TEST(iir_serves_the_transmit_interrupt_only_when_it_reports_it),
		TEST(the_transmit_callback_may_call_receive),
		TEST(without_fifos_one_byte_is_taken_at_a_time),
		TEST(with_fifos_sixteen_bytes_are_taken),
		TEST(null_arguments_of_receive_take_nothing),
		TEST(trigger_levels_decide_between_data_and_timeout),
		TEST(clearing_the_receiver_empties_it_and_lowers_the_line),
		TEST(switching_the_fifos_on_or_off_empties_them),
		TEST(fcr_bits_count_only_together_with_the_enable_bit),
		TEST(looped_back_bytes_never_reach_the_host_nor_its_bytes_the_guest),
		TEST(a_full_fifo_keeps_its_bytes_and_reports_an_overrun),
		TEST(a_single_buffer_is_overwritten_by_an_overrun),
		TEST(a_looped_back_break_shows_when_it_is_next_to_be_read),
		TEST(looped_back_outputs_drive_the_modem_inputs),
		TEST(modem_deltas_raise_an_interrupt_until_msr_is_read),
		TEST(interrupts_are_reported_by_priority),
		TEST(the_line_is_set_only_when_its_level_changes),
		TEST(reset_goes_back_to_power_on_and_lowers_the_line),
		TEST(the_line_follows_the_registers_that_change_while_it_is_set),
		TEST(bytes_received_while_the_vm_is_loading_are_kept),
		TEST(a_line_that_cannot_be_set_is_given_up),
		TEST(linux_finds_a_16550a),
		TEST(linux_measures_a_fifo_of_sixteen),
		TEST(linux_startup_finds_no_transmitter_bug),
		TEST(linux_interrupt_handler_ends_with_the_line_low),
		TEST(uboot_initialises_and_talks_by_polling),
		TEST(input_and_two_vcpus_at_once_lose_no_byte_and_no_interrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
