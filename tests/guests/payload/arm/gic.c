/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The GICv3 as this guest sees it (IHI 0069): registers, the life of interrupts of
 * each kind, priorities, groups, both modes of ending, more of them at once than
 * list registers. Interrupts stay masked, ISR_EL1 tells; only those of other CPUs
 * are taken.
 */
#include "gic_suite.h"

#define EOIMODE 2u

struct cpu *me;

uint32_t ack(void)
{
	return (uint32_t)icc_read(ICC_IAR1_EL1) & 0xffffff;
}

void end(uint32_t intid)
{
	icc_write(ICC_EOIR1_EL1, intid);
}

static uint32_t running(void)
{
	return (uint32_t)icc_read(ICC_RPR_EL1) & 0xff;
}

void quiet(uint32_t intid)
{
	gic_enable(me, intid, false);
	gic_pend(me, intid, false);
	gic_activate(me, intid, false);
	gic_priority(me, intid, 0xa0);
	gic_group(me, intid, 1);
	if (intid >= 32) {
		gic_edge(me, intid, true);
		gic_route(intid, me->affinity);
	}
}

void all_quiet(void)
{
	for (uint32_t i = 0; i < MANY; i++)
		quiet(FIRST_SPI + i);
	quiet(PPI);
	icc_write(ICC_PMR_EL1, 0xff);
	icc_write(ICC_CTLR_EL1, 0);
	icc_write(ICC_BPR1_EL1, 0);
}

/* ---- The life of an interrupt ---- */

static void edge_life(uint32_t n, const char *kind)
{
	uint32_t got, again;

	all_quiet();
	gic_pend(me, n, true);
	check(!irq_waits() && gic_is_pending(me, n),
	      "%s: not enabled: pending, not signalled", kind);
	gic_enable(me, n, true);
	check(irq_waits(), "enabled: signalled");
	check_eq(icc_read(ICC_HPPIR1_EL1), n, "the highest pending one");
	got = ack();
	check_eq(got, n, "acknowledged");
	check_eq(running(), 0xa0, "its priority runs");
	check_eq(icc_read(ICC_AP1R0_EL1), 1ull << (0xa0 >> 3),
		 "and is an active one");
	check(gic_is_active(me, n) && !gic_is_pending(me, n),
	      "it is active, not pending");
	check(!irq_waits() && ack() == SPURIOUS, "nothing more is signalled");
	gic_pend(me, n, true);
	check(gic_is_active(me, n) && gic_is_pending(me, n),
	      "it is pending while active");
	check(!irq_waits(), "and not signalled");
	end(n);
	check_eq(running(), 0xff, "ended: nothing runs");
	check(irq_waits(), "signalled again");
	again = ack();
	end(again);
	check_eq(again, n, "acknowledged again");
	check(!gic_is_active(me, n) && !gic_is_pending(me, n) && !irq_waits(),
	      "and then no more");
}

/* The UART's line: loopback and the receive timeout make a level. */
static void uart_line(bool up)
{
	if (up) {
		write32(UART(UART_CR), CR_ON | CR_LOOP);
		/* QEMU's UART prints it, too. */
		write32(UART(UART_DR), '\n');
		write32(UART(UART_IMSC),
			UART_RX_IRQ | UART_RT_IRQ | UART_TX_IRQ);
	} else {
		while ((read32(UART(UART_FR)) & FR_RXFE) == 0)
			(void)read32(UART(UART_DR));
		write32(UART(UART_IMSC), 0);
		write32(UART(UART_ICR), 0x7ff);
		write32(UART(UART_CR), CR_ON);
	}
}

static void level_life(void)
{
	uint32_t n = machine.uart_intid;
	bool up, active, again, down, gone, forced;
	uint32_t first, second, third;

	all_quiet();
	quiet(n);
	gic_edge(me, n, false);
	gic_enable(me, n, true);
	uart_line(true);
	up = irq_waits() && gic_is_pending(me, n);
	first = ack();
	active = gic_is_active(me, n) && gic_is_pending(me, n) && !irq_waits();
	end(n);
	again = irq_waits();
	second = ack();
	uart_line(false);
	down = !gic_is_pending(me, n);
	end(second);
	gone = !irq_waits();
	uart_line(true);
	uart_line(false);
	gone = gone && !irq_waits();
	/* A level that was forced by a write ends with the acknowledge. */
	gic_pend(me, n, true);
	forced = irq_waits();
	third = ack();
	end(third);
	forced = forced && !irq_waits();
	quiet(n);
	check(up, "a level: pending and signalled");
	check_eq(first, n, "acknowledged");
	check(active, "active and pending while the line is up");
	check(again, "ended with the line up: signalled again");
	check_eq(second, n, "acknowledged again");
	check(down, "the line falls while active: not pending");
	check(gone, "ended: silence; a line that was up is forgotten");
	check(forced && third == n, "a level by ISPENDR comes once");
}

/* ---- Priorities ---- */

static void order(void)
{
	uint32_t wrong = 0;

	all_quiet();
	for (uint32_t i = 0; i < MANY; i++) {
		/* 7 and MANY have no common divisor. */
		uint32_t n = FIRST_SPI + i * 7 % MANY;

		gic_priority(me, n, (uint8_t)(0x20 + 8 * (n - FIRST_SPI)));
		gic_enable(me, n, true);
		gic_pend(me, n, true);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t n = ack();

		wrong += n != FIRST_SPI + i;
		end(n);
	}
	check_eq(wrong, 0, "%u at once come by priority", MANY);
	check(!irq_waits(), "each once");
	for (uint32_t i = 0; i < MANY; i++) {
		gic_priority(me, FIRST_SPI + i, 0xa0);
		gic_pend(me, FIRST_SPI + MANY - 1 - i, true);
	}
	wrong = 0;
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t n = ack();

		wrong += n - FIRST_SPI >= MANY;
		end(n);
	}
	check(wrong == 0 && !irq_waits(), "all of one priority come once");
}

static void masking(void)
{
	uint32_t n = FIRST_SPI;
	bool masked, equal, above;

	all_quiet();
	gic_enable(me, n, true);
	gic_pend(me, n, true);
	icc_write(ICC_PMR_EL1, 0x80);
	masked = !irq_waits() && ack() == SPURIOUS;
	icc_write(ICC_PMR_EL1, 0xa0);
	equal = !irq_waits();
	icc_write(ICC_PMR_EL1, 0xa8);
	above = irq_waits();
	check(masked, "PMR masks a lower priority");
	check(equal, "and its own");
	check(above, "and not a higher one");
	icc_write(ICC_PMR_EL1, 0xff);
	icc_write(ICC_IGRPEN1_EL1, 0);
	masked = !irq_waits();
	icc_write(ICC_IGRPEN1_EL1, 1);
	check(masked && irq_waits(), "IGRPEN1 masks");
	write32(GICD(GICD_CTLR), 0x11);
	masked = !irq_waits();
	write32(GICD(GICD_CTLR), 0x13);
	check(masked && irq_waits(), "so does EnableGrp1");
	gic_priority(me, n, 0xf8);
	check(!irq_waits(), "priority 0xf8 is never signalled");
	gic_priority(me, n, 0xf0);
	check(irq_waits(), "0xf0 is");
	gic_enable(me, n, false);
	check(!irq_waits() && gic_is_pending(me, n),
	      "disabled again: pending, not signalled");
	gic_pend(me, n, false);
	gic_enable(me, n, true);
	check(!irq_waits(), "made not pending: gone");
}

static void preemption(void)
{
	uint32_t low = FIRST_SPI, high = FIRST_SPI + 1, got;

	all_quiet();
	gic_priority(me, high, 0x40);
	gic_enable(me, low, true);
	gic_enable(me, high, true);
	gic_pend(me, low, true);
	(void)ack();
	gic_pend(me, high, true);
	check(irq_waits(), "a higher priority preempts");
	got = ack();
	check(got == high && running() == 0x40, "and runs");
	gic_pend(me, low, true);
	check(!irq_waits(), "a lower one does not");
	end(high);
	check(running() == 0xa0 && !irq_waits(), "ended: the lower runs on");
	end(low);
	check(irq_waits() && ack() == low, "and comes again after its end");
	end(low);
	/* Four bits of subpriority: 0x40 and 0x50 are of one group. */
	icc_write(ICC_BPR1_EL1, 5);
	gic_priority(me, low, 0x50);
	gic_pend(me, low, true);
	(void)ack();
	gic_pend(me, high, true);
	check(!irq_waits(), "within a group priority nothing preempts");
	gic_priority(me, high, 0x30);
	check(irq_waits(), "but from another one");
	got = ack();
	end(got);
	end(low);
	check(got == high && running() == 0xff, "all is ended");
	icc_write(ICC_BPR1_EL1, 0);
}

/* Active ones in each other, more than list registers. */
static void nested(void)
{
	uint32_t wrong = 0;

	all_quiet();
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t n = FIRST_SPI + i;

		gic_priority(me, n, (uint8_t)(0xc0 - 0x10 * i));
		gic_enable(me, n, true);
		gic_pend(me, n, true);
		wrong += ack() != n || running() != 0xc0 - 0x10 * i;
		wrong += !gic_is_active(me, n);
	}
	check_eq(wrong, 0, "%u preempt each other", MANY);
	for (uint32_t i = MANY; i-- > 0;) {
		end(FIRST_SPI + i);
		wrong += gic_is_active(me, FIRST_SPI + i);
		wrong += i != 0 && running() != 0xc0 - 0x10 * (i - 1);
	}
	check(wrong == 0 && running() == 0xff, "and end from the last on");
}

/* ---- ICC_CTLR_EL1.EOImode ---- */

static void two_steps(void)
{
	uint32_t wrong = 0;

	all_quiet();
	icc_write(ICC_CTLR_EL1, EOIMODE);
	check_eq(icc_read(ICC_CTLR_EL1) & EOIMODE, EOIMODE,
		 "EOImode keeps its value");
	for (uint32_t i = 0; i < MANY; i++) {
		gic_enable(me, FIRST_SPI + i, true);
		gic_pend(me, FIRST_SPI + i, true);
	}
	/* All of one priority: each has to be dropped before the next. */
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t n = ack();

		wrong += n - FIRST_SPI >= MANY || running() != 0xa0;
		wrong += irq_waits();
		end(n);
		wrong += running() != 0xff || !gic_is_active(me, n);
	}
	check_eq(wrong, 0, "%u are dropped and stay active", MANY);
	gic_pend(me, FIRST_SPI + 3, true);
	check(!irq_waits(), "an active one is not signalled");
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t n = FIRST_SPI + i * 5 % MANY;

		icc_write(ICC_DIR_EL1, n);
		wrong += gic_is_active(me, n);
		if (n == FIRST_SPI + 3) {
			wrong += ack() != n;
			end(n);
			icc_write(ICC_DIR_EL1, n);
		}
	}
	check(wrong == 0 && !irq_waits(), "deactivated in any order");
	gic_pend(me, PPI, true);
	gic_enable(me, PPI, true);
	wrong = ack() != PPI;
	end(PPI);
	wrong += !gic_is_active(me, PPI);
	icc_write(ICC_DIR_EL1, PPI);
	check(wrong == 0 && !gic_is_active(me, PPI), "a PPI by two steps");
	icc_write(ICC_CTLR_EL1, 0);
}

/* A write of ICACTIVER ends what was acknowledged. */
static void by_hand(void)
{
	uint32_t n = FIRST_SPI;

	all_quiet();
	gic_enable(me, n, true);
	gic_activate(me, n, true);
	gic_pend(me, n, true);
	check(!irq_waits(), "active by ISACTIVER: not signalled");
	gic_activate(me, n, false);
	check(irq_waits(), "no longer: signalled");
	(void)ack();
	gic_activate(me, n, false);
	gic_pend(me, n, true);
	check(!irq_waits(), "its priority still runs");
	end(n);
	check(irq_waits() && ack() == n, "and then it comes");
	end(n);
	check(!irq_waits(), "once");
}

/* ---- Groups ---- */

static void group0(void)
{
	uint32_t n = FIRST_SPI, got;
	bool fiq, irq;

	all_quiet();
	gic_group(me, n, 0);
	gic_enable(me, n, true);
	gic_pend(me, n, true);
	irq = irq_waits();
	fiq = (sys_read(isr_el1) & (1u << 6)) != 0;
	check(fiq && !irq, "Group 0 is signalled as FIQ");
	check(ack() >= 1020, "and not acknowledged as Group 1");
	check_eq(icc_read(ICC_HPPIR0_EL1), n, "the highest pending of Group 0");
	got = (uint32_t)icc_read(ICC_IAR0_EL1);
	check(got == n && running() == 0xa0, "acknowledged");
	check_eq(icc_read(ICC_AP0R0_EL1), 1ull << (0xa0 >> 3),
		 "an active priority of Group 0");
	icc_write(ICC_EOIR0_EL1, got);
	check(running() == 0xff && !gic_is_active(me, n), "ended");
	icc_write(ICC_IGRPEN0_EL1, 0);
	gic_pend(me, n, true);
	fiq = (sys_read(isr_el1) & (1u << 6)) != 0;
	check(!fiq, "IGRPEN0 masks it");
	gic_group(me, n, 1);
	check(irq_waits() && ack() == n, "moved to Group 1 it comes");
	end(n);
	icc_write(ICC_IGRPEN0_EL1, 1);
}

/* ---- SGIs ---- */

static void own_sgis(void)
{
	uint32_t wrong = 0;

	all_quiet();
	for (uint32_t i = 0; i < 16; i++) {
		gic_sgi(i, me->affinity);
		wrong += !irq_waits() || !gic_is_pending(me, i);
		wrong += ack() != i;
		wrong += gic_is_pending(me, i) || !gic_is_active(me, i);
		end(i);
	}
	check_eq(wrong, 0, "each SGI to oneself");
	for (uint32_t i = 0; i < 16; i++)
		gic_sgi(15 - i, me->affinity);
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t n = ack();

		wrong += n >= 16;
		end(n);
	}
	check(wrong == 0 && !irq_waits(), "all sixteen at once");
	gic_sgi(3, me->affinity);
	gic_sgi(3, me->affinity);
	wrong = ack() != 3;
	end(3);
	check(wrong == 0 && !irq_waits(), "two of one are one");
	icc_write(ICC_SGI1R_EL1, 1ull << 40 | 5ull << 24);
	check(machine.cpu_count > 1 || !irq_waits(), "all others are nobody");
	check(!irq_waits(), "an SGI to all others is none to oneself");
	icc_write(ICC_SGI1R_EL1, 0x8000ull | 0x7full << 16 | 5ull << 24);
	check(!irq_waits(), "an SGI to a missing CPU goes nowhere");
	icc_write(ICC_SGI1R_EL1, 5ull << 24);
	check(!irq_waits(), "nor does one with an empty list");
	write32(me->gicr + GICR_SGI + GICD_ISPENDR, 1u << 9);
	wrong = ack() != 9;
	end(9);
	check(wrong == 0, "an SGI by ISPENDR0");
	gic_enable(me, 4, false);
	gic_sgi(4, me->affinity);
	check(!irq_waits() && gic_is_pending(me, 4), "a disabled SGI waits");
	gic_enable(me, 4, true);
	wrong = ack() != 4;
	end(4);
	check(wrong == 0 && !irq_waits(), "until it is enabled");
	check_eq(ack(), SPURIOUS, "nothing is left");
}

void suite(void)
{
	me = self();
	irqs_off();
	registers();
	edge_life(FIRST_SPI, "an SPI");
	edge_life(PPI, "a PPI");
	level_life();
	order();
	masking();
	preemption();
	nested();
	two_steps();
	by_hand();
	group0();
	own_sgis();
	other_cpus();
}
