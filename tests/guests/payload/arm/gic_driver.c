/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A GICv3 as suites want it: affinity routing, everything in Group 1, nothing
 * enabled but SGIs (IHI 0069). SPIs belong to the boot CPU, a redistributor to
 * its CPU.
 */
#include "payload.h"

#define CTLR_RWP (1u << 31)
#define CTLR_ON 0x13u /* EnableGrp0, EnableGrp1, ARE */
#define WAKER_SLEEP 2u
#define WAKER_ASLEEP 4u
#define TYPER_LAST 0x10u

static void wait_rwp(uint64_t ctlr, uint32_t bit)
{
	while ((read32(ctlr) & bit) != 0)
		;
}

uint64_t gic_base(const struct cpu *c, uint32_t intid)
{
	return intid < 32 ? c->gicr + GICR_SGI : machine.gicd;
}

static void wait_done(const struct cpu *c, uint32_t intid)
{
	if (intid < 32)
		wait_rwp(c->gicr, 8);
	else
		wait_rwp(machine.gicd, CTLR_RWP);
}

static void set_bit(const struct cpu *c, uint32_t intid, uint32_t bank)
{
	write32(gic_base(c, intid) + bank + intid / 32 * 4, 1u << intid % 32);
	wait_done(c, intid);
}

static bool get_bit(const struct cpu *c, uint32_t intid, uint32_t bank)
{
	uint64_t at = gic_base(c, intid) + bank + intid / 32 * 4;

	return (read32(at) >> intid % 32 & 1) != 0;
}

void gic_enable(const struct cpu *c, uint32_t intid, bool on)
{
	set_bit(c, intid, on ? GICD_ISENABLER : GICD_ICENABLER);
}

void gic_pend(const struct cpu *c, uint32_t intid, bool on)
{
	set_bit(c, intid, on ? GICD_ISPENDR : GICD_ICPENDR);
}

void gic_activate(const struct cpu *c, uint32_t intid, bool on)
{
	set_bit(c, intid, on ? GICD_ISACTIVER : GICD_ICACTIVER);
}

bool gic_is_pending(const struct cpu *c, uint32_t intid)
{
	return get_bit(c, intid, GICD_ISPENDR);
}

bool gic_is_active(const struct cpu *c, uint32_t intid)
{
	return get_bit(c, intid, GICD_ISACTIVER);
}

void gic_priority(const struct cpu *c, uint32_t intid, uint8_t priority)
{
	write8(gic_base(c, intid) + GICD_IPRIORITYR + intid, priority);
}

void gic_group(const struct cpu *c, uint32_t intid, uint32_t group)
{
	uint64_t at = gic_base(c, intid) + GICD_IGROUPR + intid / 32 * 4;
	uint32_t bit = 1u << intid % 32;

	write32(at, (read32(at) & ~bit) | (group != 0 ? bit : 0));
}

void gic_edge(const struct cpu *c, uint32_t intid, bool edge)
{
	uint64_t at = gic_base(c, intid) + GICD_ICFGR + intid / 16 * 4;
	uint32_t bit = 2u << intid % 16 * 2;

	write32(at, (read32(at) & ~bit) | (edge ? bit : 0));
}

void gic_route(uint32_t intid, uint64_t affinity)
{
	write64(GICD(GICD_IROUTER + 8ull * intid), affinity);
}

void gic_sgi(uint32_t intid, uint64_t affinity)
{
	uint64_t value = 1ull << affinity % 16 | (uint64_t)intid << 24 |
			 (affinity >> 8 & 0xff) << 16 |
			 (affinity >> 16 & 0xff) << 32;

	__asm__ volatile("dsb sy" ::: "memory");
	icc_write(ICC_SGI1R_EL1, value);
}

void gic_start(void)
{
	uint32_t words = (read32(GICD(GICD_TYPER)) & 31) + 1;

	write32(GICD(GICD_CTLR), 0);
	wait_rwp(machine.gicd, CTLR_RWP);
	for (uint32_t w = 1; w < words; w++) {
		write32(GICD(GICD_ICENABLER + 4 * w), ~0u);
		write32(GICD(GICD_IGROUPR + 4 * w), ~0u);
	}
	wait_rwp(machine.gicd, CTLR_RWP);
	write32(GICD(GICD_CTLR), CTLR_ON);
	wait_rwp(machine.gicd, CTLR_RWP);
}

static uint64_t find_redistributor(uint64_t affinity)
{
	/* Aff3 is bits 39:32 in MPIDR_EL1, 31:24 here. */
	uint64_t wanted = (affinity & 0xffffff) | affinity >> 32 << 24;

	for (uint64_t at = 0; at < machine.gicr_size; at += GICR_STRIDE) {
		uint64_t typer = read64(machine.gicr + at + GICR_TYPER);

		if (typer >> 32 == wanted)
			return machine.gicr + at;
		if ((typer & TYPER_LAST) != 0)
			break;
	}
	bail_out("no redistributor of CPU 0x%lx", affinity);
}

void gic_cpu_start(struct cpu *c)
{
	uint64_t sgi;

	c->gicr = find_redistributor(c->affinity);
	sgi = c->gicr + GICR_SGI;
	write32(c->gicr + GICR_WAKER, 0);
	while ((read32(c->gicr + GICR_WAKER) & WAKER_ASLEEP) != 0)
		;
	write32(sgi + GICD_ICENABLER, 0xffff0000u);
	write32(sgi + GICD_IGROUPR, ~0u);
	write32(sgi + GICD_ICPENDR, ~0u);
	write32(sgi + GICD_ICACTIVER, ~0u);
	for (uint32_t i = 0; i < 32; i += 4)
		write32(sgi + GICD_IPRIORITYR + i, 0xa0a0a0a0u);
	write32(sgi + GICD_ISENABLER, 0xffffu);
	wait_rwp(c->gicr, 8);
	icc_write(ICC_SRE_EL1, 7);
	icc_write(ICC_CTLR_EL1, 0);
	icc_write(ICC_PMR_EL1, 0xff);
	icc_write(ICC_BPR1_EL1, 0);
	icc_write(ICC_IGRPEN0_EL1, 1);
	icc_write(ICC_IGRPEN1_EL1, 1);
}
