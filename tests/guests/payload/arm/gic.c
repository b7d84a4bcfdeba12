/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The GICv3 as this guest sees it (IHI 0069): registers at all widths, the life
 * of interrupts of each kind, priorities, groups, both modes of ending, more of
 * them at once than list registers. Interrupts stay masked, ISR_EL1 tells; only
 * those of other CPUs are taken.
 */
#include "insn.h"
#include "payload.h"

#define FIRST_SPI 40u /* of those that nothing raises */
#define MANY 12u
#define GICD_ITARGETSR 0x0800u
#define GICD_PIDR2 0xffe8u
#define GICD_CIDR0 0xfff0u
#define PPI 22u
#define EOIMODE 2u

static struct cpu *me;

static uint32_t ack(void)
{
	return (uint32_t)icc_read(ICC_IAR1_EL1) & 0xffffff;
}

static void end(uint32_t intid)
{
	icc_write(ICC_EOIR1_EL1, intid);
}

static uint32_t running(void)
{
	return (uint32_t)icc_read(ICC_RPR_EL1) & 0xff;
}

/* Off, not pending, not active, edge-triggered, 0xa0, Group 1, here. */
static void quiet(uint32_t intid)
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

static void all_quiet(void)
{
	for (uint32_t i = 0; i < MANY; i++)
		quiet(FIRST_SPI + i);
	quiet(PPI);
	icc_write(ICC_PMR_EL1, 0xff);
	icc_write(ICC_CTLR_EL1, 0);
	icc_write(ICC_BPR1_EL1, 0);
}

/* ---- Registers ---- */

static void identification(void)
{
	static const uint8_t cidr[] = {0x0d, 0xf0, 0x05, 0xb1};
	uint64_t typer = read64(me->gicr + GICR_TYPER);
	bool ok = true;

	check_eq(read32(GICD(GICD_CTLR)) & 0x50, 0x50,
		 "affinity routing, one Security state");
	check_eq(read32(GICD(GICD_PIDR2)) >> 4 & 15, 3, "a GICv3");
	check_eq(read32(me->gicr + GICD_PIDR2) >> 4 & 15, 3,
		 "so is the redistributor");
	for (uint32_t i = 0; i < 4; i++)
		ok = ok && read32(GICD(GICD_CIDR0 + 4 * i)) == cidr[i] &&
		     read32(me->gicr + GICD_CIDR0 + 4 * i) == cidr[i];
	check(ok, "component identification");
	check((read32(GICD(GICD_TYPER)) & 31) >= 1, "there are SPIs");
	check_eq(typer >> 32, me->affinity, "GICR_TYPER has the affinity");
	check_eq((uint64_t)read32(me->gicr + GICR_TYPER + 4) << 32 |
			 read32(me->gicr + GICR_TYPER),
		 typer, "GICR_TYPER by halves");
	check_eq(typer >> 4 & 1, machine.cpu_count == 1,
		 "the last redistributor says so");
	check_eq(icc_read(ICC_SRE_EL1) & 1, 1, "system registers are on");
	icc_write(ICC_PMR_EL1, 0xff);
	check_eq(icc_read(ICC_PMR_EL1), 0xf8, "five bits of priority");
	check_eq(icc_read(ICC_CTLR_EL1) >> 8 & 7, 4, "ICC_CTLR_EL1 agrees");
}

/* A pair of set and clear registers over one bit. */
static bool set_clear(uint64_t base, uint32_t set, uint32_t clear, uint32_t bit)
{
	uint32_t mask = 1u << bit % 32;
	uint64_t s = base + set + bit / 32 * 4;
	uint64_t c = base + clear + bit / 32 * 4;
	bool ok;

	write32(c, mask);
	ok = (read32(s) & mask) == 0 && (read32(c) & mask) == 0;
	write32(s, mask);
	ok = ok && (read32(s) & mask) != 0 && (read32(c) & mask) != 0;
	write32(s, 0);
	write32(c, 0);
	ok = ok && (read32(s) & mask) != 0;
	write32(c, mask);
	return ok && (read32(s) & mask) == 0;
}

static void banks(void)
{
	static const uint32_t intids[] = {FIRST_SPI, FIRST_SPI + 11, PPI};

	for (uint32_t i = 0; i < COUNT_OF(intids); i++) {
		uint32_t n = intids[i];
		uint64_t base = gic_base(me, n);
		uint64_t group = base + GICD_IGROUPR + n / 32 * 4;

		quiet(n);
		check(set_clear(base, GICD_ISENABLER, GICD_ICENABLER, n),
		      "enable bit of %u", n);
		check(set_clear(base, GICD_ISPENDR, GICD_ICPENDR, n),
		      "pending bit of %u", n);
		check(set_clear(base, GICD_ISACTIVER, GICD_ICACTIVER, n),
		      "active bit of %u", n);
		gic_group(me, n, 0);
		check_eq(read32(group) >> n % 32 & 1, 0, "group 0 of %u", n);
		gic_group(me, n, 1);
		check_eq(read32(group) >> n % 32 & 1, 1, "group 1 of %u", n);
	}
	check_eq(read32(me->gicr + GICR_SGI + GICD_ICFGR), 0xaaaaaaaa,
		 "SGIs are edge-triggered");
	gic_edge(me, FIRST_SPI, false);
	check_eq(read32(GICD(GICD_ICFGR + FIRST_SPI / 16 * 4)) >>
				 FIRST_SPI % 16 * 2 &
			 2,
		 0, "an SPI may be level-sensitive");
	gic_edge(me, FIRST_SPI, true);
	check_eq(read32(GICD(GICD_ICFGR + FIRST_SPI / 16 * 4)) >>
				 FIRST_SPI % 16 * 2 &
			 2,
		 2, "or edge-triggered");
}

static void priorities(void)
{
	uint64_t spi = GICD(GICD_IPRIORITYR + FIRST_SPI);
	uint64_t sgi = me->gicr + GICR_SGI + GICD_IPRIORITYR;
	uint64_t at[] = {spi, sgi};

	for (uint32_t i = 0; i < 2; i++) {
		const char *name = i == 0 ? "SPIs" : "SGIs";

		write32(at[i], 0x80604020);
		check_eq(read32(at[i]) & 0xf8f8f8f8, 0x80604020,
			 "priorities of %s by word", name);
		check(read8(at[i]) == 0x20 && read8(at[i] + 3) == 0x80,
		      "and by byte");
		write8(at[i] + 1, 0x18);
		check_eq(read32(at[i]) & 0xf8f8f8f8, 0x80601820,
			 "a byte changes no other");
		write32(at[i], 0xa0a0a0a0);
	}
	write32(spi, ~0u);
	check_eq(read32(spi) & 0xf8f8f8f8, 0xf8f8f8f8, "five bits are kept");
	write32(spi, 0xa0a0a0a0);
}

/* With affinity routing these belong to the redistributors, or to nobody. */
static void reserved(void)
{
	static const uint32_t offsets[] = {
		GICD_ISENABLER, GICD_ICENABLER, GICD_ISPENDR, GICD_ICPENDR,
		GICD_ISACTIVER, GICD_ICACTIVER, GICD_IGROUPR, GICD_IPRIORITYR,
		GICD_ITARGETSR, GICD_ICFGR,	0x0f00,	      0xc000};
	bool ok = true;

	for (uint32_t i = 0; i < COUNT_OF(offsets); i++) {
		write32(GICD(offsets[i]), ~0u);
		if (read32(GICD(offsets[i])) != 0) {
			note("offset 0x%x is 0x%x", offsets[i],
			     read32(GICD(offsets[i])));
			ok = false;
		}
	}
	check(ok, "registers of SGIs and PPIs are not in the distributor");
	write32(GICD(GICD_ITARGETSR + FIRST_SPI), 0x01010101);
	check_eq(read32(GICD(GICD_ITARGETSR + FIRST_SPI)), 0,
		 "there are no targets but routes");
	check(!irq_waits(), "nothing came of it");
}

static void routes(void)
{
	uint64_t at = GICD(GICD_IROUTER + 8ull * FIRST_SPI);
	uint64_t last = machine.affinity[machine.cpu_count - 1];

	write64(at, last);
	check_eq(read64(at), last, "a route by 64 bits");
	write64(at, 1ull << 31);
	check_eq(read64(at), 1ull << 31, "a route to any CPU");
	write32(at, (uint32_t)me->affinity);
	check_eq(read32(at), me->affinity, "a route by its lower half");
	write32(at + 4, 0);
	check_eq(read64(at), me->affinity, "the upper half is the rest");
}

/* 0: neither abort nor value; the frame says which. */
static bool survives(uint32_t size, uint32_t opc, uint64_t at)
{
	struct frame f;
	const struct frame *after;

	frame_fill(&f);
	f.x[8] = at;
	f.x[9] = 0;
	after = exec(insn_ls(size, 0, opc, 9, 8, 0), &f);
	return retired(after, &f) ||
	       (esr_ec(after) == EC_DABORT && esr_fsc(after) == FSC_EXTERNAL);
}

/* Every offset, read and written with 0, at every width and alignment it may
 * have; then everything must work as before. */
static void sweep(void)
{
	uint64_t frames[] = {machine.gicd, me->gicr, me->gicr + GICR_SGI,
			     machine.gicr + machine.gicr_size - 0x10000};
	bool ok = true;

	for (uint32_t i = 0; i < COUNT_OF(frames); i++) {
		for (uint32_t at = 0; at < 0x10000; at += 8) {
			uint32_t size = at / 8 % 4;

			/* Reads; an acknowledge register is none of these. */
			ok = ok && survives(2, 1, frames[i] + at) &&
			     survives(size, 1, frames[i] + at);
			if (at >= 0x40 && at % 64 == 0)
				ok = ok &&
				     survives(at / 64 % 4, 0, frames[i] + at);
		}
	}
	check(ok, "reads and writes of all registers survive");
	gic_start();
	gic_cpu_start(me);
	all_quiet();
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

/* ---- Other CPUs ---- */

static volatile uint32_t seen[MAX_CPUS][64];
static volatile bool stop_all;

static void count_irq(struct cpu *c, uint32_t intid)
{
	if (intid < 64)
		seen[c - cpus][intid]++;
}

static void take_irqs(struct cpu *c)
{
	c->on_irq = count_irq;
	irqs_on();
	c->result = 1;
	while (!stop_all)
		__asm__ volatile("wfi");
	irqs_off();
}

static void total(uint32_t intid, uint32_t *others, uint32_t *mine)
{
	*mine = seen[0][intid];
	*others = 0;
	for (uint32_t i = 1; i < machine.cpu_count; i++)
		*others += seen[i][intid];
}

static void to_each(void)
{
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		uint32_t n = FIRST_SPI + slot;
		uint32_t others, mine;
		struct cpu *c = &cpus[slot];

		quiet(n);
		gic_route(n, c->affinity);
		gic_enable(me, n, true);
		gic_pend(me, n, true);
		check(wait_for(seen[slot][n] == 1, 2000),
		      "CPU 0x%lx gets its SPI", c->affinity);
		gic_sgi(slot, c->affinity);
		check(wait_for(seen[slot][slot] == 1, 2000), "and its SGI");
		/* Its redistributor is written from here. */
		gic_enable(c, PPI, true);
		gic_pend(c, PPI, true);
		check(wait_for(seen[slot][PPI] == 1, 2000), "and its PPI");
		total(n, &others, &mine);
		check(others == 1 && mine == 0, "nobody else does");
	}
}

static void to_all(void)
{
	uint32_t n = FIRST_SPI;
	uint32_t others, mine, before;
	bool all = true;

	icc_write(ICC_SGI1R_EL1, 1ull << 40 | 15ull << 24);
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		all = all && wait_for(seen[slot][15] == 1, 2000);
	check(all && !irq_waits(), "an SGI to all others");
	quiet(n);
	gic_route(n, 1ull << 31);
	gic_enable(me, n, true);
	for (uint32_t i = 1; i <= 20; i++) {
		gic_pend(me, n, true);
		/* Here it is masked, but may have been chosen. */
		all = all && wait_for(({
					      if (irq_waits() && ack() == n) {
						      seen[0][n]++;
						      end(n);
					      }
					      total(n, &others, &mine);
					      others + mine == i;
				      }),
				      2000);
	}
	check(all, "an SPI to any CPU comes to one, each time");
	quiet(n);
	total(n, &before, &mine);
	delay_ms(20);
	total(n, &others, &mine);
	check_eq(others, before, "and no more often");
}

/* What waits for one CPU goes to another when its route is changed. */
static void rerouted(void)
{
	uint32_t n = FIRST_SPI + 10;

	quiet(n);
	gic_enable(me, n, true);
	gic_pend(me, n, true);
	check(irq_waits(), "an SPI waits here");
	gic_route(n, machine.affinity[1]);
	check(wait_for(seen[1][n] == 1, 2000) && !irq_waits(),
	      "it goes to where it is routed");
}

static void other_cpus(void)
{
	bool ready = true;

	if (machine.cpu_count < 2) {
		skip("one CPU", "interrupts of other CPUs");
		return;
	}
	all_quiet();
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		(void)cpu_start(slot, take_irqs, 0);
		ready = ready && wait_for(cpus[slot].result == 1, 2000);
	}
	check(ready, "the others wait for interrupts");
	to_each();
	to_all();
	rerouted();
	stop_all = true;
	icc_write(ICC_SGI1R_EL1, 1ull << 40 | 1ull << 24);
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		check(cpu_join(slot, 5000), "CPU 0x%lx stops",
		      machine.affinity[slot]);
}

void suite(void)
{
	me = self();
	irqs_off();
	identification();
	banks();
	priorities();
	reserved();
	routes();
	sweep();
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
