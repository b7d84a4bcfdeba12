/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * All CPUs do random things to the GIC and the timers at once, the same each
 * time, with interrupts masked: banks of bits of every interrupt and CPU, routes,
 * groups, priorities, sleep, SGIs to anybody, ends of what has not begun. None of
 * it may stop a CPU, and afterwards the GIC is as good as new.
 */
#include "dice.h"
#include "payload.h"

#define MS 3000u
#define SPI 40u

static const uint16_t banks[] = {
	GICD_IGROUPR, GICD_ISENABLER, GICD_ICENABLER, GICD_ISPENDR,
	GICD_ICPENDR, GICD_ISACTIVER, GICD_ICACTIVER,
};

static uint64_t sgi_frame(uint64_t r)
{
	return machine.gicr + r % machine.cpu_count * GICR_STRIDE + GICR_SGI;
}

static uint32_t any_spi(uint64_t r)
{
	return 32 + (uint32_t)(r % 988);
}

/* ---- What there is to do; r chooses, v is written ---- */

static void spi_bits(uint64_t r, uint64_t v)
{
	uint64_t at = banks[r % COUNT_OF(banks)] + 4 * (1 + r / 8 % 31);

	if (r >> 16 & 1)
		write32(GICD(at), (uint32_t)v);
	else
		(void)read32(GICD(at));
}

static void private_bits(uint64_t r, uint64_t v)
{
	uint64_t at = sgi_frame(r / 8) + banks[r % COUNT_OF(banks)];

	if (r >> 16 & 1)
		write32(at, (uint32_t)v);
	else
		(void)read32(at);
}

static void route(uint64_t r, uint64_t v)
{
	/* One of N; Aff1, Aff0 of CPUs that are there, and some that are not. */
	gic_route(any_spi(r), v & 0x80000103u);
}

static void settings(uint64_t r, uint64_t v)
{
	write8(GICD(GICD_IPRIORITYR + any_spi(r)), (uint8_t)v);
	write32(GICD(GICD_ICFGR + 8 + 4 * (r / 8 % 62)), (uint32_t)v);
}

static void sleep_or_wake(uint64_t r, uint64_t v)
{
	write32(sgi_frame(r) - GICR_SGI + GICR_WAKER, v % 8 == 0 ? 2 : 0);
}

static void send(uint64_t r, uint64_t v)
{
	uint64_t value = (v & 0xf00000fu) | (v >> 40 & 1) << 40;

	if (r & 1)
		icc_write(ICC_SGI1R_EL1, value);
	else
		icc_write(ICC_SGI0R_EL1, value);
}

static void take(uint64_t r, uint64_t v)
{
	uint64_t intid;

	if (r & 1) {
		intid = icc_read(ICC_IAR1_EL1);
		icc_write(ICC_EOIR1_EL1, r & 6 ? intid : v & 1023);
	} else {
		intid = icc_read(ICC_IAR0_EL1);
		icc_write(ICC_EOIR0_EL1, r & 6 ? intid : v & 1023);
	}
}

static void deactivate(uint64_t r, uint64_t v)
{
	(void)r;
	icc_write(ICC_DIR_EL1, v & 1023);
}

static void interface(uint64_t r, uint64_t v)
{
	switch (r % 4) {
	case 0:
		icc_write(ICC_CTLR_EL1, v & 3); /* CBPR, EOImode */
		break;
	case 1:
		icc_write(ICC_IGRPEN0_EL1, v & 1);
		break;
	case 2:
		icc_write(ICC_IGRPEN1_EL1, v % 4 != 0);
		break;
	default:
		icc_write(ICC_PMR_EL1, v & 1 ? 0xff : v & 0xff);
		break;
	}
}

static void timers(uint64_t r, uint64_t v)
{
	switch (r % 32) {
	case 0:
		write32(GICD(GICD_CTLR), v & 3);
		break;
	case 1:
		sys_write(cntv_tval_el0, v & 0xffff);
		sys_write(cntv_ctl_el0, v >> 16 & 3);
		break;
	case 2:
		sys_write(cntp_tval_el0, v & 0xffff);
		sys_write(cntp_ctl_el0, v >> 16 & 3);
		break;
	default:
		break;
	}
}

static void (*const moves[])(uint64_t r, uint64_t v) = {
	spi_bits, private_bits, route,	    settings,  sleep_or_wake,
	send,	  take,		deactivate, interface, timers,
};

/* ---- The hammer ---- */

static void hammer(struct cpu *c)
{
	struct dice d = {(uint64_t)(c - cpus)};
	uint64_t end = now() + ms_to_ticks(MS);

	while (now() < end) {
		for (uint32_t i = 0; i < 64; i++) {
			uint64_t r = roll(&d);

			moves[r % COUNT_OF(moves)](r >> 8, roll(&d));
		}
		c->result++;
	}
	sys_write(cntv_ctl_el0, 0);
	sys_write(cntp_ctl_el0, 0);
	icc_write(ICC_AP0R0_EL1, 0);
	icc_write(ICC_AP1R0_EL1, 0);
}

/* ---- Afterwards ---- */

static void clean_up(void)
{
	gic_start();
	for (uint32_t w = 1; w < 32; w++) {
		write32(GICD(GICD_ICPENDR + 4 * w), ~0u);
		write32(GICD(GICD_ICACTIVER + 4 * w), ~0u);
	}
	gic_cpu_start(self());
}

static bool comes(uint32_t intid)
{
	bool waits = wait_for(irq_waits(), 1000);
	uint32_t got = (uint32_t)icc_read(ICC_IAR1_EL1) & 0xffffff;

	icc_write(ICC_EOIR1_EL1, got);
	return waits && got == intid && !irq_waits();
}

void suite(void)
{
	struct cpu *c = self();
	uint32_t good = 0;

	irqs_off();
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, hammer, 0);
	hammer(c);
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		good += cpu_join(slot, 5000) && cpus[slot].result != 0;
	check(c->result != 0 && good == machine.cpu_count - 1,
	      "every CPU went on");
	clean_up();
	check(!irq_waits(), "all is quiet");
	gic_priority(c, SPI, 0xa0);
	gic_edge(c, SPI, true);
	gic_route(SPI, c->affinity);
	gic_enable(c, SPI, true);
	gic_pend(c, SPI, true);
	check(comes(SPI), "an SPI comes, once");
	gic_sgi(3, c->affinity);
	check(comes(3), "an SGI comes, once");
	gic_enable(c, PPI_VIRTUAL, true);
	sys_write(cntv_cval_el0, 0);
	sys_write(cntv_ctl_el0, 1);
	check(wait_for(irq_waits(), 1000), "the timer asks");
	sys_write(cntv_ctl_el0, 0);
}
