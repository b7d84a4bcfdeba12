/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Registers of the GICv3 at all widths (IHI 0069). */
#include "gic_suite.h"
#include "insn.h"

#define GICD_ITARGETSR 0x0800u
#define GICD_PIDR2 0xffe8u
#define GICD_CIDR0 0xfff0u

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

void registers(void)
{
	identification();
	banks();
	priorities();
	reserved();
	routes();
	sweep();
}
