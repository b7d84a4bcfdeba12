/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Registers and routing of the GIC model (arch/arm_vhe/vgic.c, vgic_bank.c,
 * vgic_dist.c, vgic_redist.c) against the GIC Architecture Specification,
 * IHI 0069.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "arm_vhe_gic.h"

#define VCPUS 3u
#define ALL UINT32_MAX
#define SPI 40u
#define PPI 20u

static int setup(void **state)
{
	(void)state;
	gic_make(VCPUS, 4, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gic_check();
	return 0;
}

/* INTID that vCPU `vcpu` is signalled, without acknowledging it. */
static uint32_t signalled(uint32_t vcpu)
{
	int i = cpuif_signalled(&regs[vcpu]);

	return i < 0 ? CPUIF_NONE : (uint32_t)(regs[vcpu].lr[i] & LR_VINTID);
}

/* ---- what the distributor says about itself ---- */

static void the_distributor_describes_itself(void **s)
{
	uint64_t typer = gicd(GICD_TYPER, 4);

	(void)s;
	assert_int_equal(typer & 0x1f, 31); /* 32 * (31 + 1) INTIDs */
	assert_int_equal(typer >> 5 & 7, 0); /* CPUNumber: ARE is always on */
	assert_int_equal(typer >> 10 & 1, 0); /* one Security state */
	assert_int_equal(typer >> 16 & 1, 0); /* no message-based SPIs */
	assert_int_equal(typer >> 17 & 1, 0); /* no LPIs */
	assert_int_equal(typer >> 19 & 0x1f, 9); /* ten bits of INTID */
	assert_int_equal(typer >> 24 & 1, 0); /* A3V */
	assert_int_equal(typer >> 25 & 1, 0); /* 1 of N is supported */
	assert_int_equal(typer >> 26 & 1, 1); /* range selector */
	assert_int_equal(gicd(GICD_IIDR, 4) & 0xfff, 0x43b);
	/* ArchRev 3, in both kinds of frames. */
	assert_int_equal(gicd(GICD_PIDR2, 4) >> 4 & 0xf, 3);
	for (uint32_t c = 0; c < VCPUS; c++) {
		uint64_t at = c * GICR_STRIDE;

		assert_int_equal(gicr(at + GICD_PIDR2, 4) >> 4 & 0xf, 3);
		assert_int_equal(gicr(at + GICR_IIDR, 4) & 0xfff, 0x43b);
		assert_int_equal(gicr(at + GICR_CTLR, 4), 0);
	}
}

static void component_ids_are_those_of_the_class(void **s)
{
	static const uint32_t id[] = {0x0d, 0xf0, 0x05, 0xb1};

	(void)s;
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(gicd(0xfff0 + 4 * i, 4), id[i]);
		assert_int_equal(gicr(GICR_STRIDE + 0xfff0 + 4 * i, 4), id[i]);
	}
	assert_int_equal(gicd(0xffd0, 4), 0x44);
	assert_int_equal(gicd(0xffe0, 4), 0x92);
	assert_int_equal(gicr(0xffe0, 4), 0x93);
	assert_int_equal(gicd(0xffcc, 4), 0);
}

static void control_keeps_the_group_enables_alone(void **s)
{
	(void)s;
	assert_int_equal(gicd(GICD_CTLR, 4), GICD_CTLR_ARE | GICD_CTLR_DS);
	gicd_set(GICD_CTLR, 4, ALL);
	assert_int_equal(gicd(GICD_CTLR, 4),
			 GICD_CTLR_ARE | GICD_CTLR_DS | GICD_CTLR_GROUPS);
	gicd_set(GICD_CTLR, 4, 2);
	assert_int_equal(gicd(GICD_CTLR, 4), GICD_CTLR_ARE | GICD_CTLR_DS | 2);
	/* RWP, read by guests after every change, is never set. */
	assert_int_equal(gicd(GICD_CTLR, 4) >> 31, 0);
}

static void redistributors_have_affinity_and_one_is_last(void **s)
{
	(void)s;
	gic_make(35, 4, NULL);
	for (uint32_t c = 0; c < 35; c++) {
		uint64_t typer = gicr(c * GICR_STRIDE + GICR_TYPER, 8);

		assert_int_equal(typer >> 32, (c / 16) << 8 | c % 16);
		assert_int_equal(typer >> 8 & 0xffff, c);
		assert_int_equal((typer & GICR_TYPER_LAST) != 0, c == 34);
		assert_int_equal(typer & 0xef, 0); /* no LPIs */
		assert_int_equal(typer >> 27 & 0x1f, 0); /* PPIs to 31 */
		assert_int_equal(gicr(c * GICR_STRIDE + GICR_TYPER, 4),
				 typer & UINT32_MAX);
		assert_int_equal(gicr(c * GICR_STRIDE + GICR_TYPER + 4, 4),
				 typer >> 32);
	}
	assert_int_equal(gicr(35 * GICR_STRIDE + GICR_TYPER, 8), 0);
}

static void firmware_hands_it_over_awake_and_in_group_1(void **s)
{
	(void)s;
	for (uint32_t c = 0; c < VCPUS; c++) {
		assert_int_equal(gicr(c * GICR_STRIDE + GICR_WAKER, 4), 0);
		assert_int_equal(bank(c, 0, GICD_IGROUPR), ALL);
		assert_int_equal(gicr(SGI_FRAME(c) + GICD_ICFGR, 4),
				 0xaaaaaaaa);
		assert_int_equal(gicr(SGI_FRAME(c) + GICD_ICFGR + 4, 4), 0);
	}
	for (uint32_t i = 32; i < 1024; i += 32) {
		assert_int_equal(bank(0, i, GICD_IGROUPR),
				 i == 992 ? 0x0fffffff : ALL);
		assert_int_equal(bank(0, i, GICD_ISENABLER), 0);
		assert_int_equal(bank(0, i, GICD_ISPENDR), 0);
		assert_int_equal(bank(0, i, GICD_ISACTIVER), 0);
	}
}

/* ---- registers of many bits ---- */

static void set_and_clear_registers_are_two_ends_of_one(void **s)
{
	static const uint64_t pairs[][2] = {
		{GICD_ISENABLER, GICD_ICENABLER},
		{GICD_ISPENDR, GICD_ICPENDR},
		{GICD_ISACTIVER, GICD_ICACTIVER},
	};

	(void)s;
	for (uint32_t p = 0; p < 3; p++) {
		for (uint32_t i = 0; i < 1024; i += 32) {
			uint32_t valid = i == 992 ? 0x0fffffff : ALL;

			bank_set(1, i, pairs[p][0], 0xf0f0ff00);
			bank_set(1, i, pairs[p][0], 0xa);
			assert_int_equal(bank(1, i, pairs[p][0]),
					 0xf0f0ff0a & valid);
			assert_int_equal(bank(1, i, pairs[p][1]),
					 0xf0f0ff0a & valid);
			bank_set(1, i, pairs[p][1], 0xf0000f02);
			assert_int_equal(bank(1, i, pairs[p][0]),
					 0x00f0f008 & valid);
			assert_int_equal(bank(1, i, pairs[p][1]),
					 0x00f0f008 & valid);
		}
		/* A bank of its own for every vCPU. */
		assert_int_equal(bank(0, 0, pairs[p][0]), 0);
		assert_int_equal(bank(2, 0, pairs[p][0]), 0);
	}
}

static void special_intids_do_not_exist(void **s)
{
	static const uint64_t bases[] = {GICD_IGROUPR, GICD_ISENABLER,
					 GICD_ISPENDR, GICD_ISACTIVER};

	(void)s;
	for (uint32_t i = 0; i < 4; i++) {
		bank_set(0, 1023, bases[i], ALL);
		assert_int_equal(bank(0, 1023, bases[i]), 0x0fffffff);
	}
	gicd_set(GICD_ICFGR + 63 * 4, 4, ALL);
	assert_int_equal(gicd(GICD_ICFGR + 63 * 4, 4), 0x00aaaaaa);
	gicd_set(GICD_IPRIORITYR + 1020, 4, ALL);
	assert_int_equal(gicd(GICD_IPRIORITYR + 1020, 4), 0);
	for (uint32_t i = 1020; i < 1024; i++) {
		gicd_set(GICD_IROUTER + 8 * i, 8, 1);
		assert_int_equal(gicd(GICD_IROUTER + 8 * i, 8), 0);
		axvmi_vgic_set_spi(&g, i, true, true);
		axvmi_vgic_set_private(&g, 0, i, true, true);
		axvmi_vgic_deactivate(&g, 0, i);
	}
	axvmi_vgic_set_spi(&g, UINT32_MAX, true, true);
	axvmi_vgic_deactivate(&g, 0, UINT32_MAX);
	/* Nor is one kind the other. */
	axvmi_vgic_set_spi(&g, PPI, true, true);
	axvmi_vgic_set_private(&g, 0, SPI, true, true);
	axvmi_vgic_set_private(&g, 0, 3, true, true);
	assert_int_equal(bank(0, 0, GICD_ISPENDR), 0);
	assert_int_equal(bank(0, SPI, GICD_ISPENDR), 0);
}

static void the_distributor_has_no_bank_of_private_interrupts(void **s)
{
	static const uint64_t at[] = {
		GICD_IGROUPR,
		GICD_ISENABLER,
		GICD_ICENABLER,
		GICD_ISPENDR,
		GICD_ICPENDR,
		GICD_ISACTIVER,
		GICD_ICACTIVER,
		GICD_IPRIORITYR,
		GICD_IPRIORITYR + 28,
		GICD_ICFGR,
		GICD_ICFGR + 4,
		GICD_ITARGETSR + 32,
		GICD_IROUTER,
		GICD_IROUTER + 31 * 8,
		0xf00,
		0xf10,
		0xf20,
		GICD_IGRPMODR + 4,
		0xe08,
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		gicd_set(at[i], 4, ALL);
		assert_int_equal(gicd(at[i], 4), 0);
	}
	/* And a redistributor none of SPIs. */
	for (uint64_t off = 0; off < 0x10000; off += 4) {
		uint64_t base = off & ~UINT64_C(0x7f);
		bool known =
			(base >= 0x80 && base < 0x400 && off % 0x80 == 0) ||
			(off >= 0x400 && off < 0x420) ||
			(off >= 0xc00 && off < 0xc08);

		if (known)
			continue;
		gicr_set(SGI_FRAME(1) + off, 4, ALL);
		assert_int_equal(gicr(SGI_FRAME(1) + off, 4), 0);
	}
}

/* Nor is that of PPI 27: it is the CPU's timer, a level. */
static void configuration_of_sgis_is_fixed(void **s)
{
	(void)s;
	gicr_set(SGI_FRAME(0) + GICD_ICFGR, 4, 0);
	assert_int_equal(gicr(SGI_FRAME(0) + GICD_ICFGR, 4), 0xaaaaaaaa);
	gicr_set(SGI_FRAME(0) + GICD_ICFGR + 4, 4, ALL);
	assert_int_equal(gicr(SGI_FRAME(0) + GICD_ICFGR + 4, 4), 0xaa2aaaaa);
	assert_int_equal(gicr(SGI_FRAME(1) + GICD_ICFGR + 4, 4), 0);
	gicd_set(GICD_ICFGR + 8, 4, 0x80000003);
	assert_int_equal(gicd(GICD_ICFGR + 8, 4), 0x80000002);
	gicd_set(GICD_ICFGR + 12, 4, 0x2);
	assert_int_equal(gicd(GICD_ICFGR + 8, 4), 0x80000002);
	assert_int_equal(gicd(GICD_ICFGR + 12, 4), 0x2);
}

static void priorities_have_five_bits_by_byte_and_by_word(void **s)
{
	(void)s;
	for (uint32_t v = 0; v < 256; v++) {
		gicd_set(GICD_IPRIORITYR + 41, 1, v);
		assert_int_equal(gicd(GICD_IPRIORITYR + 41, 1), v & 0xf8);
		gicr_set(SGI_FRAME(1) + GICD_IPRIORITYR + 31, 1, v);
		assert_int_equal(gicr(SGI_FRAME(1) + GICD_IPRIORITYR + 31, 1),
				 v & 0xf8);
	}
	gicd_set(GICD_IPRIORITYR + 40, 4, 0x12ffab45);
	assert_int_equal(gicd(GICD_IPRIORITYR + 40, 4), 0x10f8a840);
	gicd_set(GICD_IPRIORITYR + 42, 1, 0x77);
	assert_int_equal(gicd(GICD_IPRIORITYR + 40, 4), 0x1070a840);
	assert_int_equal(gicd(GICD_IPRIORITYR + 43, 1), 0x10);
	assert_int_equal(gicd(GICD_IPRIORITYR + 36, 4), 0);
	assert_int_equal(gicd(GICD_IPRIORITYR + 44, 4), 0);
	gicd_set(GICD_IPRIORITYR + 1016, 4, ALL);
	assert_int_equal(gicd(GICD_IPRIORITYR + 1019, 1), 0xf8);
	assert_int_equal(gicr(SGI_FRAME(0) + GICD_IPRIORITYR + 28, 4), 0);
}

/* The fast way of irq.c and the slow one are the same register. */
static void a_priority_written_without_a_fold_is_the_same(void **s)
{
	(void)s;
	for (uint32_t size = 1; size <= 4; size += 3) {
		for (uint32_t intid = 32; intid < 1020; intid += size) {
			uint64_t at = GICD_IPRIORITYR + intid;

			assert_true(vgicd_poke(&g, at, size, 0x12ab34cd));
			assert_int_equal(gicd(at, size),
					 size == 1 ? 0xc8 : 0x10a830c8);
		}
	}
	assert_false(vgicd_poke(&g, GICD_IPRIORITYR + 31, 1, 1));
	assert_false(vgicd_poke(&g, GICD_IPRIORITYR + 1020, 1, 1));
	assert_false(vgicd_poke(&g, GICD_IPRIORITYR + 40, 2, 1));
	assert_false(vgicd_poke(&g, GICD_IPRIORITYR + 40, 8, 1));
	assert_false(vgicd_poke(&g, GICD_ISENABLER + 4, 4, 1));
	prepare(0, SPI, 0x80);
	input(0, SPI, true, false);
	/* In a list register, so somebody must be told. */
	assert_false(vgicd_poke(&g, GICD_IPRIORITYR + SPI, 1, 1));
	assert_false(vgicd_poke(&g, GICD_IPRIORITYR + SPI, 4, 1));
	assert_true(vgicd_poke(&g, GICD_IPRIORITYR + SPI + 4, 4, 1));
}

static void routes_keep_affinity_0_to_2_and_the_mode(void **s)
{
	uint64_t at = GICD_IROUTER + 8 * SPI;

	(void)s;
	gicd_set(at, 8, UINT64_MAX);
	assert_int_equal(gicd(at, 8), 0x80ffffff);
	gicd_set(at, 4, 0x123);
	assert_int_equal(gicd(at, 4), 0x123);
	gicd_set(at + 4, 4, ALL);
	assert_int_equal(gicd(at + 4, 4), 0);
	assert_int_equal(gicd(at, 8), 0x123);
	gicd_set(GICD_IROUTER + 8 * 1019, 8, 2);
	assert_int_equal(gicd(GICD_IROUTER + 8 * 1019, 8), 2);
}

/* "GIC register access": other widths than the ones a register has. */
static void wrong_widths_read_zero_and_write_nothing(void **s)
{
	static const struct {
		uint64_t offset;
		uint32_t widths; /* that it has */
	} d[] = {
		{GICD_CTLR, 4},		 {GICD_TYPER, 4},
		{GICD_IIDR, 4},		 {GICD_IGROUPR + 8, 4},
		{GICD_ISENABLER + 8, 4}, {GICD_ISPENDR + 8, 4},
		{GICD_ISACTIVER + 8, 4}, {GICD_IPRIORITYR + 72, 1 | 4},
		{GICD_ICFGR + 16, 4},	 {GICD_IROUTER + 8 * 72, 4 | 8},
		{GICD_PIDR2, 4},
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(d); i++) {
		for (uint32_t size = 1; size <= 8; size *= 2) {
			uint64_t value;

			gic_make(VCPUS, 4, NULL);
			if ((d[i].widths & size) != 0) {
				gicd_set(d[i].offset, size, ALL);
				assert_int_not_equal(gicd(d[i].offset, size),
						     0);
				continue;
			}
			value = gicd(d[i].offset, d[i].widths & -d[i].widths);
			assert_int_equal(gicd(d[i].offset, size), 0);
			gicd_set(d[i].offset, size, UINT64_MAX >> 1);
			assert_int_equal(
				gicd(d[i].offset, d[i].widths & -d[i].widths),
				value);
		}
	}
	assert_int_equal(gicr(GICR_TYPER, 1), 0);
	assert_int_equal(gicr(GICR_WAKER, 8), 0);
	gicr_set(GICR_WAKER, 1, GICR_WAKER_SLEEP);
	assert_int_equal(gicr(GICR_WAKER, 4), 0);
}

static void what_does_not_exist_reads_zero_and_ignores_writes(void **s)
{
	static const uint64_t nowhere[] = {
		0x0c,
		0x10,
		0x40,
		0x7c,
		0x7fc,
		0x800,
		0xbfc,
		0xd00,
		0xd7c,
		0xe00,
		0xf00,
		0xffc,
		0x1000,
		0x5ffc,
		0x6000,
		0x60f8,
		0x7fe0,
		0x7ffc,
		0x8000,
		0xffcc,
		GICD_SIZE,
		UINT64_MAX - 7,
		UINT64_MAX / 2 + 1,
	};
	static struct vgic before;

	(void)s;
	prepare(0, SPI, 0x80);
	memcpy((void *)&before, (void *)&g, sizeof(g));
	for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
		for (uint32_t size = 1; size <= 8; size *= 2) {
			uint64_t at = nowhere[i];

			gicd_set(at, size, UINT64_MAX);
			assert_int_equal(gicd(at, size), 0);
			at += VCPUS * GICR_STRIDE;
			gicr_set(at, size, UINT64_MAX);
			assert_int_equal(gicr(at, size), 0);
		}
	}
	assert_memory_equal(&before, &g, sizeof(g));
}

static void every_offset_survives_every_access(void **s)
{
	(void)s;
	for (uint32_t size = 1; size <= 8; size *= 2) {
		for (uint64_t at = 0; at < GICD_SIZE; at += size) {
			axvmi_vgicd_write(&g, at, size, UINT64_MAX);
			axvmi_vgicd_read(&g, at, size);
			axvmi_vgicd_awaits(&g, at);
		}
		for (uint64_t at = 0; at < 4 * GICR_STRIDE; at += size) {
			axvmi_vgicr_write(&g, at, size, UINT64_MAX);
			axvmi_vgicr_read(&g, at, size);
			axvmi_vgicr_awaits(&g, at);
		}
	}
	gic_settle();
}

/* ---- SGIs ---- */

static uint64_t sgi_value(uint32_t intid, uint32_t aff1, uint32_t list)
{
	return (uint64_t)intid << 24 | (uint64_t)aff1 << 16 | list;
}

static uint64_t sgi_pending(uint32_t intid)
{
	uint64_t pending = 0;

	for (uint32_t c = 0; c < g.vcpus; c++) {
		if (bank_bit(c, 0 + intid, GICD_ISPENDR))
			pending |= BIT64(c);
		bank_set(c, intid, GICD_ICPENDR, ALL);
	}
	return pending;
}

static void sgis_go_to_the_target_list(void **s)
{
	(void)s;
	gic_make(35, 4, NULL);
	for (uint32_t intid = 0; intid < 16; intid++) {
		axvmi_vgic_sgi(&g, 1, sgi_value(intid, 0, 0x8005), true);
		assert_int_equal(sgi_pending(intid), 0x8005);
	}
	/* Another cluster; bits without a PE are ignored. */
	axvmi_vgic_sgi(&g, 1, sgi_value(3, 2, 0xffff), true);
	assert_int_equal(sgi_pending(3), UINT64_C(7) << 32);
	axvmi_vgic_sgi(&g, 1, sgi_value(3, 1, 0x8001), true);
	assert_int_equal(sgi_pending(3), UINT64_C(0x8001) << 16);
	axvmi_vgic_sgi(&g, 1, sgi_value(3, 3, 0xffff), true);
	axvmi_vgic_sgi(&g, 1, sgi_value(3, 255, 0xffff), true);
	assert_int_equal(sgi_pending(3), 0);
}

static void sgis_go_to_all_others(void **s)
{
	(void)s;
	axvmi_vgic_sgi(&g, 1, BIT64(40) | sgi_value(5, 9, 0xff), true);
	assert_int_equal(sgi_pending(5), 5);
	gic_make(1, 4, NULL);
	axvmi_vgic_sgi(&g, 0, BIT64(40) | sgi_value(5, 0, 1), true);
	assert_int_equal(sgi_pending(5), 0);
}

static void affinities_that_no_vcpu_has_get_no_sgi(void **s)
{
	(void)s;
	axvmi_vgic_sgi(&g, 0, sgi_value(5, 0, 0xffff) | BIT64(44), true);
	axvmi_vgic_sgi(&g, 0, sgi_value(5, 0, 0xffff) | BIT64(47), true);
	axvmi_vgic_sgi(&g, 0, sgi_value(5, 0, 0xffff) | BIT64(32), true);
	axvmi_vgic_sgi(&g, 0, sgi_value(5, 0, 0xffff) | BIT64(55), true);
	assert_int_equal(sgi_pending(5), 0);
	/* Reserved bits mean nothing. */
	axvmi_vgic_sgi(&g, 0, sgi_value(5, 0, 1) | 0xff000e00f0000000, true);
	assert_int_equal(sgi_pending(5), 1);
}

static void only_one_register_reaches_sgis_of_group_1(void **s)
{
	(void)s;
	bank_set(1, 0, GICD_IGROUPR, ALL & ~(1u << 5));
	axvmi_vgic_sgi(&g, 0, sgi_value(5, 0, 7), false);
	assert_int_equal(sgi_pending(5), 2);
	axvmi_vgic_sgi(&g, 0, sgi_value(5, 0, 7), true);
	assert_int_equal(sgi_pending(5), 7);
}

static void an_sgi_to_oneself_is_signalled(void **s)
{
	(void)s;
	prepare(1, 7, 0x40);
	axvmi_vgic_sgi(&g, 1, sgi_value(7, 0, 2), true);
	gic_settle();
	assert_int_equal(signalled(0), CPUIF_NONE);
	assert_int_equal(ack(1), 7);
	assert_int_equal(ack(1), CPUIF_NONE);
	/* Again while it is active: once, afterwards. */
	axvmi_vgic_sgi(&g, 1, sgi_value(7, 0, 2), true);
	axvmi_vgic_sgi(&g, 1, sgi_value(7, 0, 2), true);
	gic_settle();
	assert_int_equal(ack(1), CPUIF_NONE);
	eoi(1, 7);
	assert_int_equal(ack(1), 7);
	eoi(1, 7);
	assert_int_equal(ack(1), CPUIF_NONE);
}

/* ---- routing ---- */

static void an_spi_goes_where_it_is_routed(void **s)
{
	static const struct {
		uint64_t route;
		uint32_t vcpu; /* CPUIF_NONE: nowhere */
	} routes[] = {
		{0, 0},
		{1, 1},
		{2, 2},
		{3, CPUIF_NONE},
		{0x100, CPUIF_NONE},
		{0x10, CPUIF_NONE},
		{0xff, CPUIF_NONE},
		{0x10000, CPUIF_NONE},
		{0xffffff, CPUIF_NONE},
		{2, 2},
		{UINT64_C(1) << 32, 0},
	};

	(void)s;
	prepare(0, SPI, 0x80);
	input(0, SPI, true, false);
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		gicd_set(GICD_IROUTER + 8 * SPI, 8, routes[i].route);
		for (uint32_t c = 0; c < VCPUS; c++)
			assert_int_equal(signalled(c), c == routes[i].vcpu
							       ? SPI
							       : CPUIF_NONE);
		assert_true(bank_bit(0, SPI, GICD_ISPENDR));
		assert_int_equal(vgic_line_targets(&g, SPI),
				 routes[i].vcpu == CPUIF_NONE
					 ? 0
					 : BIT64(routes[i].vcpu));
	}
}

static void clusters_of_16_make_the_route(void **s)
{
	(void)s;
	gic_make(64, 4, NULL);
	prepare(0, SPI, 0x80);
	input(0, SPI, true, false);
	for (uint32_t c = 0; c < 64; c++) {
		gicd_set(GICD_IROUTER + 8 * SPI, 4, c / 16 << 8 | c % 16);
		assert_int_equal(signalled(c), SPI);
		assert_int_equal(signalled((c + 1) % 64), CPUIF_NONE);
	}
}

/* It is ended where it was acknowledged; only then it goes elsewhere. */
static void an_active_spi_stays_where_it_was_taken(void **s)
{
	(void)s;
	prepare(0, SPI, 0x80);
	input(0, SPI, true, false);
	assert_int_equal(ack(0), SPI);
	gicd_set(GICD_IROUTER + 8 * SPI, 8, 1);
	assert_int_equal(signalled(1), CPUIF_NONE);
	/* Whoever changes the line must call both. */
	assert_int_equal(vgic_line_targets(&g, SPI), 3);
	eoi(0, SPI);
	assert_int_equal(vgic_line_targets(&g, SPI), 2);
	assert_int_equal(signalled(0), CPUIF_NONE);
	assert_int_equal(ack(1), SPI);
	input(0, SPI, false, false);
	eoi(1, SPI);
	assert_int_equal(signalled(1), CPUIF_NONE);
}

static void nobody_is_called_for_a_disabled_line(void **s)
{
	(void)s;
	assert_int_equal(vgic_line_targets(&g, SPI), 0);
	bank_set(0, SPI, GICD_ISENABLER, vgic_bit(SPI));
	assert_int_equal(vgic_line_targets(&g, SPI), 1);
	bank_set(0, SPI, GICD_ICENABLER, vgic_bit(SPI));
	assert_int_equal(vgic_line_targets(&g, SPI), 0);
}

static void any_of(uint32_t intid)
{
	gicd_set(GICD_IROUTER + 8 * intid, 8, GICD_IROUTER_IRM);
	bank_set(0, intid, GICD_ISENABLER, vgic_bit(intid));
}

/* vCPUs that are signalled `intid`. */
static uint32_t takers(uint32_t intid)
{
	uint32_t set = 0;

	for (uint32_t c = 0; c < VCPUS; c++)
		set |= (uint32_t)(signalled(c) == intid) << c;
	return set;
}

static void one_of_n_goes_to_one_participant(void **s)
{
	(void)s;
	prepare(0, SPI, 0x80);
	for (uint32_t intid = 40; intid < 46; intid++) {
		any_of(intid);
		input(0, intid, true, false);
		assert_true(is_power_of_two(takers(intid)));
		input(0, intid, false, false);
	}
}

static void one_of_n_avoids_who_sleeps_or_has_the_group_off(void **s)
{
	(void)s;
	prepare(0, SPI, 0x80);
	any_of(SPI);
	any_of(SPI + 1);
	for (uint32_t off = 0; off < 2; off++) {
		for (uint32_t c = 0; c < VCPUS; c++) {
			uint64_t waker = c * GICR_STRIDE + GICR_WAKER;

			if (off != 0)
				regs[c].vmcr &= ~ICH_VMCR_ENG1;
			vgic_note_vmcr(&g, c, regs[c].vmcr);
			if (off == 0)
				gicr_set(waker, 4, GICR_WAKER_SLEEP);
			for (uint32_t i = SPI; i < SPI + 2; i++) {
				input(0, i, true, false);
				assert_true(is_power_of_two(takers(i)));
				assert_int_equal(takers(i) & 1 << c, 0);
				input(0, i, false, false);
			}
			regs[c].vmcr |= ICH_VMCR_ENG1;
			vgic_note_vmcr(&g, c, regs[c].vmcr);
			gicr_set(waker, 4, 0);
		}
	}
}

/* Pending, it follows those who can take it. */
static void one_of_n_moves_on_when_its_choice_goes_to_sleep(void **s)
{
	uint32_t first;

	(void)s;
	prepare(0, SPI, 0x80);
	any_of(SPI);
	input(0, SPI, true, false);
	first = lowest_bit64(takers(SPI));
	gicr_set(first * GICR_STRIDE + GICR_WAKER, 4, GICR_WAKER_SLEEP);
	assert_true(is_power_of_two(takers(SPI)));
	assert_int_equal(takers(SPI) & 1u << first, 0);
	/* With everybody asleep somebody is woken. */
	for (uint32_t c = 0; c < VCPUS; c++)
		gicr_set(c * GICR_STRIDE + GICR_WAKER, 4, GICR_WAKER_SLEEP);
	assert_int_equal(takers(SPI), 0);
	first = vgic_target(&g, SPI);
	assert_true(first < VCPUS);
	assert_true(axvmi_vgic_pending(&g, first, &regs[first]));
	gicr_set(2 * GICR_STRIDE + GICR_WAKER, 4, 0);
	assert_int_equal(takers(SPI), 4);
	/* Group 0 has participants of its own. */
	regs[2].vmcr &= ~ICH_VMCR_ENG0;
	vgic_note_vmcr(&g, 2, regs[2].vmcr);
	gicr_set(GICR_STRIDE + GICR_WAKER, 4, 0);
	bank_set(0, SPI, GICD_IGROUPR, 0);
	assert_int_equal(takers(SPI), 2);
}

static void a_route_without_one_of_n_forgets_it(void **s)
{
	(void)s;
	any_of(SPI);
	assert_int_equal(g.any_words, 2);
	gicd_set(GICD_IROUTER + 8 * SPI, 8, 0);
	assert_int_equal(g.any_words, 0);
	assert_int_equal(g.any[1], 0);
}

/* ---- sleep ---- */

static void who_sleeps_gets_nothing_but_a_wake_request(void **s)
{
	(void)s;
	prepare(1, PPI, 0x80);
	gicr_set(GICR_STRIDE + GICR_WAKER, 4, ALL);
	assert_int_equal(gicr(GICR_STRIDE + GICR_WAKER, 4),
			 GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP);
	assert_int_equal(gicr(GICR_WAKER, 4), 0);
	assert_false(axvmi_vgic_pending(&g, 1, &regs[1]));
	input(1, PPI, true, false);
	assert_int_equal(regs[1].lr_used, 0);
	/* With the interface off too, as software leaves it. */
	regs[1].vmcr = 0;
	assert_true(axvmi_vgic_pending(&g, 1, &regs[1]));
	regs[1].vmcr = 0xf8000003;
	gicr_set(GICR_STRIDE + GICR_WAKER, 4, 0);
	assert_int_equal(gicr(GICR_STRIDE + GICR_WAKER, 4), 0);
	assert_int_equal(ack(1), PPI);
}

static void going_to_sleep_empties_the_list_registers(void **s)
{
	(void)s;
	prepare(1, PPI, 0x80);
	input(1, PPI, false, true);
	assert_int_equal(signalled(1), PPI);
	axvmi_vgicr_write(&g, GICR_STRIDE + GICR_WAKER, 4, GICR_WAKER_SLEEP);
	assert_int_equal(g.awaited, 2);
	gic_settle();
	assert_int_equal(signalled(1), CPUIF_NONE);
	/* The edge is not lost. */
	gicr_set(GICR_STRIDE + GICR_WAKER, 4, 0);
	assert_int_equal(ack(1), PPI);
}

static void a_cpu_that_is_powered_up_again_is_awake(void **s)
{
	(void)s;
	gic_fold(1);
	axvmi_vgic_power(&g, 1, false);
	gic_settle();
	assert_int_equal(gicr(GICR_STRIDE + GICR_WAKER, 4),
			 GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP);
	gic_fold(1);
	axvmi_vgic_power(&g, 1, true);
	gic_settle();
	assert_int_equal(gicr(GICR_STRIDE + GICR_WAKER, 4), 0);
}

/* ---- reset ---- */

static void reset_is_power_on(void **s)
{
	static struct vgic fresh;

	(void)s;
	memcpy((void *)&fresh, (void *)&g, sizeof(g));
	axvmi_vgic_init(&fresh, VCPUS, NULL);
	assert_int_equal(fresh.awake, 0);
	prepare(0, SPI, 0x80);
	prepare(1, PPI, 0x40);
	any_of(99);
	input(0, SPI, true, false);
	input(1, PPI, false, true);
	ack(0);
	axvmi_vgic_reset(&g);
	assert_memory_equal(&fresh, &g, sizeof(g));
	for (uint32_t c = 0; c < VCPUS; c++)
		regs[c].lr_used = 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_distributor_describes_itself),
		CASE(component_ids_are_those_of_the_class),
		CASE(control_keeps_the_group_enables_alone),
		CASE(redistributors_have_affinity_and_one_is_last),
		CASE(firmware_hands_it_over_awake_and_in_group_1),
		CASE(set_and_clear_registers_are_two_ends_of_one),
		CASE(special_intids_do_not_exist),
		CASE(the_distributor_has_no_bank_of_private_interrupts),
		CASE(configuration_of_sgis_is_fixed),
		CASE(priorities_have_five_bits_by_byte_and_by_word),
		CASE(a_priority_written_without_a_fold_is_the_same),
		CASE(routes_keep_affinity_0_to_2_and_the_mode),
		CASE(wrong_widths_read_zero_and_write_nothing),
		CASE(what_does_not_exist_reads_zero_and_ignores_writes),
		CASE(every_offset_survives_every_access),
		CASE(sgis_go_to_the_target_list),
		CASE(sgis_go_to_all_others),
		CASE(affinities_that_no_vcpu_has_get_no_sgi),
		CASE(only_one_register_reaches_sgis_of_group_1),
		CASE(an_sgi_to_oneself_is_signalled),
		CASE(an_spi_goes_where_it_is_routed),
		CASE(clusters_of_16_make_the_route),
		CASE(an_active_spi_stays_where_it_was_taken),
		CASE(nobody_is_called_for_a_disabled_line),
		CASE(one_of_n_goes_to_one_participant),
		CASE(one_of_n_avoids_who_sleeps_or_has_the_group_off),
		CASE(one_of_n_moves_on_when_its_choice_goes_to_sleep),
		CASE(a_route_without_one_of_n_forgets_it),
		CASE(who_sleeps_gets_nothing_but_a_wake_request),
		CASE(going_to_sleep_empties_the_list_registers),
		CASE(a_cpu_that_is_powered_up_again_is_awake),
		CASE(reset_is_power_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
