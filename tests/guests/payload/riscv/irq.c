/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The PLIC as seen by this guest (RISC-V PLIC Specification), fed by the
 * UART: its transmitter (THRE) makes a level at will, loopback makes input.
 * Nothing is printed between arming and disarming.
 */
#include "payload.h"

#define IER_RX 1u
#define IER_THRE 2u
#define MCR_OUT2 8u
#define MCR_LOOP 16u

static uint32_t ctx; /* of the boot hart */
static uint32_t src;
static volatile uint32_t claimed[8];
static volatile uint32_t iir;
static volatile uint8_t received;

static bool pending(void)
{
	return (read32(PLIC_PENDING(src / 32)) >> src % 32 & 1) != 0;
}

static void enable(uint32_t context, bool on)
{
	write32(PLIC_ENABLE(context, src / 32), on ? 1u << src % 32 : 0);
}

static bool sip_ext(void)
{
	return raised(IRQ_EXT);
}

/* The line goes up (an empty transmitter) or down. */
static void line(bool up)
{
	/* IIR first: reading it takes a THRE back that was reported. */
	write8(UART(UART_IER), 0);
	(void)read8(UART(UART_IIR));
	if (up)
		write8(UART(UART_IER), IER_THRE);
}

static void quiet(void)
{
	line(false);
	write8(UART(UART_MCR), MCR_OUT2);
	for (uint32_t i = 0; i < machine.cpu_count; i++) {
		uint32_t c = machine.plic_context[i];

		enable(c, false);
		write32(PLIC_THRESHOLD(c), 0);
	}
	/* A claim left open would block the source. */
	enable(ctx, true);
	write32(PLIC_PRIORITY(src), 1);
	(void)read32(PLIC_CLAIM(ctx));
	write32(PLIC_CLAIM(ctx), src);
	enable(ctx, false);
}

static void registers(void)
{
	write32(PLIC_PRIORITY(src), 5);
	check_eq(read32(PLIC_PRIORITY(src)), 5, "priority keeps its value");
	write32(PLIC_PRIORITY(0), 7);
	check_eq(read32(PLIC_PRIORITY(0)), 0, "priority of source 0 is fixed");
	write32(PLIC_ENABLE(ctx, 0), ~0u);
	check_eq(read32(PLIC_ENABLE(ctx, 0)) & 1, 0, "source 0 is not enabled");
	check_eq(read32(PLIC_ENABLE(ctx, 0)) >> src & 1, 1,
		 "enable bit keeps its value");
	enable(ctx, false);
	write32(PLIC_THRESHOLD(ctx), 3);
	check_eq(read32(PLIC_THRESHOLD(ctx)), 3, "threshold keeps its value");
	write32(PLIC_THRESHOLD(ctx), 0);
	write32(PLIC_PENDING(0), ~0u);
	check(!pending(), "pending bits are read-only");
	check_eq(read32(PLIC_CLAIM(ctx)), 0, "claim of nothing is 0");
	write32(PLIC_CLAIM(ctx), src);
	write32(PLIC_CLAIM(ctx), 0);
	write32(PLIC_CLAIM(ctx), 1024);
	write32(PLIC_CLAIM(ctx), ~0u);
	check_eq(read32(PLIC_CLAIM(ctx)), 0, "completing nothing is harmless");
	quiet();
}

static void gating(void)
{
	bool a, b;

	write32(PLIC_PRIORITY(src), 1);
	line(true);
	a = pending();
	b = sip_ext();
	line(false);
	check(a, "a raised line is pending");
	check(!b, "not enabled: not delivered");
	quiet();

	write32(PLIC_PRIORITY(src), 0);
	enable(ctx, true);
	line(true);
	b = sip_ext();
	a = read32(PLIC_CLAIM(ctx)) == 0;
	line(false);
	check(!b, "priority 0: not delivered");
	check(a, "and not claimed");
	quiet();

	write32(PLIC_PRIORITY(src), 3);
	write32(PLIC_THRESHOLD(ctx), 3);
	enable(ctx, true);
	line(true);
	b = sip_ext();
	write32(PLIC_THRESHOLD(ctx), 2);
	a = sip_ext();
	line(false);
	check(!b, "priority equal to the threshold: not delivered");
	check(a, "lower the threshold: delivered");
	quiet();
}

static void claim_complete(void)
{
	uint32_t first, second, other = 0, third;
	bool up, while_claimed, again;

	write32(PLIC_PRIORITY(src), 1);
	enable(ctx, true);
	line(true);
	up = sip_ext();
	first = read32(PLIC_CLAIM(ctx));
	while_claimed = sip_ext();
	second = read32(PLIC_CLAIM(ctx));
	if (machine.cpu_count > 1) {
		enable(machine.plic_context[1], true);
		other = read32(PLIC_CLAIM(machine.plic_context[1]));
	}
	/* The level is still up: completion makes it pending anew. */
	write32(PLIC_CLAIM(ctx), src);
	again = sip_ext();
	third = read32(PLIC_CLAIM(ctx));
	line(false);
	write32(PLIC_CLAIM(ctx), src);
	check(up, "an enabled source is delivered");
	check_eq(first, src, "claim says which");
	check(!while_claimed, "claimed: no longer delivered");
	check_eq(second, 0, "a second claim is 0");
	check_eq(other, 0, "another context's claim is 0");
	check(again, "completed with the level up: delivered again");
	check_eq(third, src, "and claimed again");
	check(!sip_ext(), "completed with the level down: silence");
	quiet();

	write32(PLIC_PRIORITY(src), 1);
	enable(ctx, true);
	line(true);
	(void)read32(PLIC_CLAIM(ctx));
	enable(ctx, false);
	write32(PLIC_CLAIM(ctx), src);
	enable(ctx, true);
	up = sip_ext();
	line(false);
	enable(ctx, true);
	write32(PLIC_CLAIM(ctx), src);
	check(!up, "completion by a context that did not enable it is ignored");
	quiet();
}

static void serve(struct cpu *h)
{
	uint32_t c = (uint32_t)h->job_arg;
	uint32_t id = read32(PLIC_CLAIM(c));

	if (h->ext_irqs <= 8)
		claimed[h->ext_irqs - 1] = id;
	/* With FIFOs a character timeout (12) stands for data (4). */
	iir = read8(UART(UART_IIR)) & 7u;
	if (iir == 4)
		received = read8(UART(UART_DATA));
	else
		write8(UART(UART_IER), 0);
	write32(PLIC_CLAIM(c), id);
}

/* Takes interrupts until one came or the time is over. */
static bool take_one(struct cpu *h, uint64_t ms)
{
	uint64_t count = h->ext_irqs;

	csr_set(sie, IRQ_EXT);
	csr_set(sstatus, SSTATUS_SIE);
	(void)wait_for(h->ext_irqs != count, ms);
	delay_ms(2);
	csr_clear(sstatus, SSTATUS_SIE);
	csr_clear(sie, IRQ_EXT);
	return h->ext_irqs == count + 1;
}

static void taken(void)
{
	struct cpu *h = self();
	bool one, none;
	uint8_t early;

	h->on_ext = serve;
	h->job_arg = ctx;
	write32(PLIC_PRIORITY(src), 1);
	enable(ctx, true);
	line(true);
	one = take_one(h, 1000);
	check(one, "THRE interrupts once");
	check_eq(claimed[0], src, "claimed in the handler");
	check_eq(iir, 2, "IIR says transmitter empty");
	quiet();

	write32(PLIC_PRIORITY(src), 1);
	enable(ctx, true);
	write8(UART(UART_MCR), MCR_OUT2 | MCR_LOOP);
	write8(UART(UART_IER), IER_RX);
	none = !take_one(h, 20);
	write8(UART(UART_DATA), 0xa7);
	one = take_one(h, 1000);
	early = received;
	write8(UART(UART_DATA), 0x18);
	one = take_one(h, 1000) && one;
	write8(UART(UART_IER), 0);
	write8(UART(UART_MCR), MCR_OUT2);
	check(none, "receiver empty: no interrupt");
	check(one, "loopback: each byte interrupts once");
	check_eq(iir, 4, "IIR says data available");
	check_eq(early, 0xa7, "first byte");
	check_eq(received, 0x18, "second byte");
	quiet();
}

static void fifo(void)
{
	uint8_t got[4];
	bool ready, empty;

	write8(UART(UART_IIR), 7); /* FCR: FIFOs on and empty */
	write8(UART(UART_MCR), MCR_OUT2 | MCR_LOOP);
	for (uint32_t i = 0; i < 4; i++)
		write8(UART(UART_DATA), (uint8_t)(0x30 + i));
	ready = wait_for((read8(UART(UART_LSR)) & 1) != 0, 100);
	for (uint32_t i = 0; i < 4; i++) {
		(void)wait_for((read8(UART(UART_LSR)) & 1) != 0, 100);
		got[i] = read8(UART(UART_DATA));
	}
	empty = (read8(UART(UART_LSR)) & 1) == 0;
	write8(UART(UART_MCR), MCR_OUT2);
	check(ready, "loopback through the FIFO: data ready");
	check(got[0] == 0x30 && got[1] == 0x31 && got[2] == 0x32 &&
		      got[3] == 0x33,
	      "four bytes in order");
	check(empty, "and no more");
}

static void wait_for_ext(struct cpu *h)
{
	h->ext_irqs = 0;
	h->on_ext = serve;
	h->job_arg = machine.plic_context[h - cpus];
	/* Here: firmware may clear a context when its hart starts. */
	enable((uint32_t)h->job_arg, true);
	write32(PLIC_THRESHOLD(h->job_arg), 0);
	h->result = take_one(h, 2000);
}

static void routed(void)
{
	struct cpu *me = self();
	uint64_t mine;

	if (machine.cpu_count < 2) {
		skip("one hart", "an interrupt goes to the hart that wants it");
		return;
	}
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		mine = me->ext_irqs;
		write32(PLIC_PRIORITY(src), 1);
		(void)cpu_start(slot, wait_for_ext, 0);
		csr_set(sie, IRQ_EXT);
		csr_set(sstatus, SSTATUS_SIE);
		delay_ms(20);
		line(true);
		(void)cpu_join(slot, 5000);
		csr_clear(sstatus, SSTATUS_SIE);
		csr_clear(sie, IRQ_EXT);
		line(false);
		quiet();
		check_eq(cpus[slot].result, 1, "hart %lu is interrupted once",
			 machine.hart_id[slot]);
		check_eq(me->ext_irqs, mine, "the boot hart is not");
	}
}

static void software(void)
{
	struct cpu *h = self();
	uint64_t count = h->soft_irqs;

	csr_set(sie, IRQ_SOFT);
	csr_set(sip, IRQ_SOFT);
	check_eq(h->soft_irqs, count, "SSIP with SIE off is not taken");
	csr_set(sstatus, SSTATUS_SIE);
	check(wait_for(h->soft_irqs != count, 100), "with SIE on it is");
	(void)sbi(SBI_IPI, 0, 1, h->id);
	check(wait_for(h->soft_irqs != count + 1, 1000), "an IPI to oneself");
	csr_clear(sstatus, SSTATUS_SIE);
	csr_clear(sie, IRQ_SOFT);
	check_eq(h->soft_irqs, count + 2, "each came once");
}

/* Offsets with nothing behind them, in every corner of the window. */
static void corners(void)
{
	static const uint64_t offsets[] = {
		0xffc,	  0x1080,   0x1ffc,   0x1f1ffc, 0x1f2000,
		0x1ffffc, 0x200008, 0x200ffc, 0x3ff000, 0x3ffffc};

	for (uint32_t i = 0; i < sizeof(offsets) / 8; i++) {
		(void)read32(machine.plic_base + offsets[i]);
		write32(machine.plic_base + offsets[i], 0);
	}
	check(true, "register corners survive");
}

void suite(void)
{
	ctx = machine.plic_context[0];
	src = machine.uart_irq;
	if (!check(machine.plic_base != 0 && src != 0,
		   "the device tree has a PLIC and the UART's interrupt"))
		return;
	quiet();
	registers();
	gating();
	claim_complete();
	taken();
	fifo();
	routed();
	software();
	corners();
}
