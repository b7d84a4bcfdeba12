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

/* ---- Every register ---- */

/* A load and a store of each width, of x9 at x8, each with its BRK. */
static void write_code(void)
{
	for (uint32_t i = 0; i < 8; i++) {
		me->code[2 * i] = insn_ls(i % 4, 0, i < 4, 9, 8, 0);
		me->code[2 * i + 1] = INSN_BRK(0);
	}
	code_written(me->code, sizeof(me->code));
}

/* Stores 0, or loads: the value, which is 0 after an abort. */
static bool survives(uint64_t at, uint32_t size, bool write, uint64_t *value)
{
	const struct frame *after;
	struct frame f;
	bool ok;

	frame_fill(&f);
	f.x[8] = at;
	f.x[9] = 0;
	f.pc = (uint64_t)&me->code[2 * (size + 4 * write)];
	after = run(&f, false);
	*value = after->x[9];
	ok = (retired(after, &f) && unchanged(after, &f, 1u << 9)) ||
	     (esr_ec(after) == EC_DABORT && esr_fsc(after) == FSC_EXTERNAL &&
	      after->far == at && unchanged(after, &f, 0));
	if (!ok)
		note("%s of %u bytes at 0x%lx: ESR 0x%lx",
		     write ? "store" : "load", 1u << size, at, after->esr);
	return ok;
}

/* Part of `whole`, the double word around it; or it reads as zero. */
static bool narrow_read(uint64_t at, uint32_t size, uint64_t whole)
{
	uint64_t mask = size == 3 ? ~0ull : (1ull << (8u << size)) - 1;
	uint64_t part = whole >> at % 8 * 8 & mask;
	uint64_t v;
	bool ok = survives(at, size, false, &v);

	if (ok && v != 0 && v != part)
		note("%u bytes at 0x%lx are 0x%lx of 0x%lx", 1u << size, at, v,
		     whole);
	return ok && (v == 0 || v == part);
}

/* All widths and places in the double word; one of them if it is zero, another
 * one each time. */
static bool read_all(uint64_t at)
{
	uint32_t turn = 0, mine = at / 8 % 15;
	uint64_t low = 0, high = 0, whole;
	bool ok = survives(at, 2, false, &low) &&
		  survives(at + 4, 2, false, &high);

	whole = low | high << 32;
	for (uint32_t size = 0; size < 4; size++) {
		for (uint32_t i = 0; i < 8; i += 1u << size) {
			if (whole != 0 || turn == mine)
				ok = ok && narrow_read(at + i, size, whole);
			turn++;
		}
	}
	return ok;
}

static bool write_one(uint64_t at)
{
	uint32_t size = at / 8 % 4;
	uint64_t v;

	return survives(at + (at / 32 % 8 & -(1u << size)), size, true, &v);
}

/* The next double word; where nothing is, one of seventeen. IROUTERs are the
 * distributor's, from 0x6000 on. */
static uint32_t next(uint64_t frame, uint32_t at)
{
	bool routes = frame == machine.gicd && at - 0x6000u < 0x2000;

	return at + (at < 0x1000 || at >= 0xff00 || routes ? 8 : 0x88);
}

/* Every register, read at all widths and places, and written with 0; then
 * everything must work as before. */
static void sweep(void)
{
	uint64_t frames[] = {machine.gicd, me->gicr, me->gicr + GICR_SGI,
			     machine.gicr + machine.gicr_size - 0x10000};
	uint32_t bad_reads = 0, bad_writes = 0, at;

	write_code();
	for (uint32_t i = 0; i < COUNT_OF(frames); i++) {
		for (at = 0; at < 0x10000; at = next(frames[i], at))
			bad_reads += !read_all(frames[i] + at);
	}
	check_eq(bad_reads, 0, "reads of parts are parts, or zero");
	for (uint32_t i = 0; i < COUNT_OF(frames); i++) {
		for (at = 0x40; at < 0x10000; at = next(frames[i], at))
			bad_writes += !write_one(frames[i] + at);
	}
	check_eq(bad_writes, 0, "writes of all registers survive");
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
