/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A GIC model and the CPU interfaces of its vCPUs, each inside its guest, with
 * what irq.c does about them, for tests. To be included once per program.
 */
#ifndef AXVM_TEST_ARM_VHE_GIC_H
#define AXVM_TEST_ARM_VHE_GIC_H

#include <stdlib.h>
#include <string.h>

#include "arm_vhe/vgic_join.h"
#include "arm_vhe_cpuif.h"
#include "arm_vhe_gic_check.h"

#define SGI_FRAME(vcpu) ((vcpu)*GICR_STRIDE + GICR_SGI_BASE)
#define WORD(base, intid) ((base) + (intid) / 32 * 4)

static struct vgic g;
static struct vgic_cpu_regs regs[VGIC_MAX_VCPUS];

static inline void gic_fold(uint32_t vcpu)
{
	axvmi_vgic_sync(&g, vcpu, &regs[vcpu]);
	vgic_note_vmcr(&g, vcpu, regs[vcpu].vmcr);
}

static inline void gic_fill(uint32_t vcpu)
{
	axvmi_vgic_flush(&g, vcpu, &regs[vcpu]);
}

/* Until nobody has anything to look at: vCPUs that are told, and those whose
 * maintenance interrupt is up. Both end; more rounds than that are a storm. */
static inline void gic_settle(void)
{
	for (int round = 0; round < 100; round++) {
		uint64_t again = vgic_update(&g);

		for (uint32_t c = 0; c < g.vcpus; c++) {
			if (cpuif_maintenance(&regs[c]))
				again |= BIT64(c);
		}
		g.awaited = 0;
		if (again == 0)
			return;
		for (; again != 0; again &= again - 1) {
			gic_fold(lowest_bit64(again));
			gic_fill(lowest_bit64(again));
		}
	}
	abort();
}

/* An SGI that the vCPU sends to itself, or the line of a PPI that rises, without
 * a fold if that is possible. */
static inline bool gic_join(uint32_t vcpu, uint32_t intid, bool level)
{
	struct vgic_cpu *cpu = &g.cpu[vcpu];
	uint32_t slot = vgic_slot(cpu, &regs[vcpu], intid);

	return slot != VGIC_MAX_LRS && vgic_is_awake(&g, vcpu) &&
	       vgic_join(&g, cpu, &regs[vcpu], slot, intid, level);
}

/* The line of a PPI falls as its guest has ended it, without a fold if that is
 * possible. */
static inline bool gic_retire(uint32_t vcpu, uint32_t intid)
{
	uint32_t slot = vgic_slot(&g.cpu[vcpu], &regs[vcpu], intid);
	uint64_t ended = 0;

	for (uint32_t i = 0; i < regs[vcpu].lr_used; i++) {
		if ((regs[vcpu].lr[i] & (CPUIF_STATE | LR_HW | LR_EOI)) ==
		    LR_EOI)
			ended |= BIT64(i);
	}
	return slot != VGIC_MAX_LRS && ended == BIT64(slot) &&
	       vgic_retire(&g.cpu[vcpu], &regs[vcpu], slot, intid);
}

static inline void gic_make(uint32_t vcpus, uint32_t lrs,
			    const uint32_t *watched)
{
	memset((void *)&g, 0xa5, sizeof(g));
	memset(regs, 0, sizeof(regs));
	axvmi_vgic_init(&g, vcpus, watched);
	for (uint32_t c = 0; c < vcpus; c++) {
		regs[c].lr_count = lrs;
		regs[c].pre_bits = 5;
		/* Both groups on, every priority, finest preemption. */
		regs[c].vmcr = 0xf8u << 24 | 2u << 21 | 3u << 18 |
			       ICH_VMCR_ENG0 | ICH_VMCR_ENG1;
		axvmi_vgic_power(&g, c, true);
		vgic_note_vmcr(&g, c, regs[c].vmcr);
		gic_fill(c);
	}
	vgic_update(&g);
}

/* ---- register accesses by a guest ---- */

static inline uint64_t gicd(uint64_t offset, uint32_t size)
{
	uint64_t holders = axvmi_vgicd_awaits(&g, offset);
	uint64_t value, peeked;

	for (; holders != 0; holders &= holders - 1) {
		gic_fold(lowest_bit64(holders));
		gic_fill(lowest_bit64(holders));
	}
	value = axvmi_vgicd_read(&g, offset, size);
	if (vgicd_peek(&g, offset, size, &peeked) && peeked != value)
		abort();
	gic_settle();
	return value;
}

static inline void gicd_set(uint64_t offset, uint32_t size, uint64_t value)
{
	if (!vgicd_poke(&g, offset, size, value))
		axvmi_vgicd_write(&g, offset, size, value);
	gic_settle();
}

static inline uint64_t gicr(uint64_t offset, uint32_t size)
{
	uint64_t holders = axvmi_vgicr_awaits(&g, offset);
	uint64_t value;

	for (; holders != 0; holders &= holders - 1) {
		gic_fold(lowest_bit64(holders));
		gic_fill(lowest_bit64(holders));
	}
	value = axvmi_vgicr_read(&g, offset, size);
	gic_settle();
	return value;
}

static inline void gicr_set(uint64_t offset, uint32_t size, uint64_t value)
{
	axvmi_vgicr_write(&g, offset, size, value);
	gic_settle();
}

/* A register of the bank that has `intid`: of vCPU `vcpu`, or the distributor. */
static inline uint32_t bank(uint32_t vcpu, uint32_t intid, uint64_t base)
{
	if (intid < VGIC_PRIVATE)
		return (uint32_t)gicr(SGI_FRAME(vcpu) + base, 4);
	return (uint32_t)gicd(WORD(base, intid), 4);
}

static inline void bank_set(uint32_t vcpu, uint32_t intid, uint64_t base,
			    uint32_t value)
{
	if (intid < VGIC_PRIVATE)
		gicr_set(SGI_FRAME(vcpu) + base, 4, value);
	else
		gicd_set(WORD(base, intid), 4, value);
}

static inline bool bank_bit(uint32_t vcpu, uint32_t intid, uint64_t base)
{
	return (bank(vcpu, intid, base) & vgic_bit(intid)) != 0;
}

static inline void set_priority(uint32_t vcpu, uint32_t intid, uint32_t value)
{
	if (intid < VGIC_PRIVATE)
		gicr_set(SGI_FRAME(vcpu) + GICD_IPRIORITYR + intid, 1, value);
	else
		gicd_set(GICD_IPRIORITYR + intid, 1, value);
}

static inline void set_edge(uint32_t vcpu, uint32_t intid, bool edge)
{
	bool private = intid < VGIC_PRIVATE;
	uint64_t at = GICD_ICFGR + intid / 16 * 4;
	uint32_t m = 2u << intid % 16 * 2;
	uint32_t old = (uint32_t)(private ? gicr(SGI_FRAME(vcpu) + at, 4)
					  : gicd(at, 4));

	old = edge ? old | m : old & ~m;
	if (private)
		gicr_set(SGI_FRAME(vcpu) + at, 4, old);
	else
		gicd_set(at, 4, old);
}

/* Enabled, Group 1, of this priority, the groups forwarded. */
static inline void prepare(uint32_t vcpu, uint32_t intid, uint32_t priority)
{
	gicd_set(GICD_CTLR, 4, 3);
	set_priority(vcpu, intid, priority);
	bank_set(vcpu, intid, GICD_ISENABLER, vgic_bit(intid));
}

static inline void input(uint32_t vcpu, uint32_t intid, bool level, bool edge)
{
	if (intid < VGIC_PRIVATE)
		axvmi_vgic_set_private(&g, vcpu, intid, level, edge);
	else
		axvmi_vgic_set_spi(&g, intid, level, edge);
	gic_settle();
}

/* ---- what a guest does with its CPU interface ---- */

static inline uint32_t ack(uint32_t vcpu)
{
	uint32_t intid = cpuif_acknowledge(&regs[vcpu]);

	gic_settle();
	return intid;
}

static inline void eoi(uint32_t vcpu, uint32_t intid)
{
	cpuif_eoi(&regs[vcpu], intid);
	gic_settle();
}

static inline void dir(uint32_t vcpu, uint32_t intid)
{
	if (!cpuif_dir(&regs[vcpu], intid)) {
		gic_fold(vcpu);
		axvmi_vgic_deactivate(&g, vcpu, intid);
		gic_fill(vcpu);
	}
	gic_settle();
}

/* ---- invariants ---- */

static inline void gic_check(void)
{
	gic_check_model(&g);
	for (uint32_t c = 0; c < g.vcpus; c++)
		require(g.cpu[c].held_count <= regs[c].lr_count);
}

#endif
