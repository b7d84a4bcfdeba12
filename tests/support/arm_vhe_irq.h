/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/arm_vhe/irq.c between the real inputs and buses of the core and a metal
 * half whose ICH_* registers are a struct with a CPU interface on it; for tests,
 * to be included once per program.
 */
#ifndef AXVM_TEST_ARM_VHE_IRQ_H
#define AXVM_TEST_ARM_VHE_IRQ_H

#include <stdlib.h>
#include <string.h>

#include "arm_vhe/backend.h"
#include "arm_vhe_cpuif.h"
#include "host_hal.h"

#define GICD_BASE UINT64_C(0x08000000)
#define GICR_BASE UINT64_C(0x080a0000)
#define FAKE_VCPUS 3u
#define FAKE_SGI(vcpu) ((vcpu)*GICR_STRIDE + GICR_SGI_BASE)

static struct {
	struct test_hal *hal;
	struct axvm_host host;
	struct arm_vm vm;
	struct arm_vcpu vcpus[FAKE_VCPUS];
	struct vgic_cpu_regs hw[FAKE_VCPUS]; /* the CPU's registers */
	/* These vCPUs come out of the guest when they are called. */
	bool prompt[FAKE_VCPUS];
	unsigned slow[FAKE_VCPUS]; /* but not at so many calls */
	atomic_u32 notified[FAKE_VCPUS];
	atomic_u32 reads, writes; /* of the metal half */
	atomic_u32 lr_moves; /* of one list register */
	void (*on_read)(void); /* meanwhile; once */
	bool threads; /* others may hold the lock */
	bool timer_asks; /* the guest's CNTV */
	unsigned timer_ended, timer_done, timer_syncs;
	uint32_t ended[8];
	unsigned ended_count;
} fake;

static inline void fake_require(bool condition)
{
	if (!condition)
		abort();
}

/* ---- the metal half ---- */

static void fake_gic_read(struct arm_vcpu *v, bool all)
{
	const struct vgic_cpu_regs *hw = &fake.hw[v->core.index];

	atomic_fetch_add(&fake.reads, 1);
	for (uint32_t n = 0; n < v->gic.lr_used; n++)
		v->gic.lr[n] = hw->lr[n];
	if ((v->gic.hcr & ICH_HCR_LRENPIE) != 0)
		v->gic.hcr = hw->hcr;
	v->gic.vmcr = hw->vmcr;
	if (fake.on_read != NULL) {
		void (*meanwhile)(void) = fake.on_read;

		fake.on_read = NULL;
		meanwhile();
	}
	if (!all)
		return;
	memcpy(v->gic.ap0r, hw->ap0r, sizeof(hw->ap0r));
	memcpy(v->gic.ap1r, hw->ap1r, sizeof(hw->ap1r));
}

static void fake_gic_write(struct arm_vcpu *v, bool all)
{
	struct vgic_cpu_regs *hw = &fake.hw[v->core.index];

	atomic_fetch_add(&fake.writes, 1);
	fake_require(!all);
	memcpy(hw->lr, v->gic.lr, sizeof(hw->lr));
	hw->lr_used = v->gic.lr_used;
	hw->hcr = v->gic.hcr;
}

static void fake_lr_read(struct arm_vcpu *v, uint32_t n)
{
	atomic_fetch_add(&fake.lr_moves, 1);
	fake_require(n < v->gic.lr_used);
	v->gic.lr[n] = fake.hw[v->core.index].lr[n];
}

static void fake_lr_write(struct arm_vcpu *v, uint32_t n)
{
	struct vgic_cpu_regs *hw = &fake.hw[v->core.index];

	atomic_fetch_add(&fake.lr_moves, 1);
	fake_require(n < v->gic.lr_count);
	hw->lr[n] = v->gic.lr[n];
	hw->lr_used = v->gic.lr_used;
}

static const struct arm_metal fake_metal = {
	.gic_read = fake_gic_read,
	.gic_write = fake_gic_write,
	.lr_read = fake_lr_read,
	.lr_write = fake_lr_write,
};

/* ---- what the timer and the core do ---- */

void axvmi_arm_vtimer_ended(struct arm_vcpu *v)
{
	fake_require(load_relaxed(&v->core.vm->irqchip.held) == 0);
	fake.timer_ended++;
}

void axvmi_arm_vtimer_done(struct arm_vcpu *v)
{
	fake_require(load_relaxed(&v->core.vm->irqchip.held) == 0);
	fake.timer_done++;
	v->vtimer_held = 0;
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, false);
}

void axvmi_arm_vtimer_sync(struct arm_vcpu *v)
{
	fake.timer_syncs++;
	if (fake.timer_asks)
		return;
	v->vtimer_held = 0;
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, false);
}

void axvmi_line_ended(struct axvm_vm *vm, uint32_t line)
{
	fake_require(fake.threads || load_relaxed(&vm->irqchip.held) == 0);
	fake_require(fake.ended_count < ARRAY_SIZE(fake.ended));
	fake.ended[fake.ended_count++] = line;
}

static void fake_enter(uint32_t vcpu);

void axvmi_notify(struct axvm_vcpu *vcpu, uint32_t bits)
{
	atomic_fetch_or(&vcpu->attention, bits);
	atomic_fetch_add(&fake.notified[vcpu->index], 1);
	if (!fake.prompt[vcpu->index])
		return;
	if (fake.slow[vcpu->index] != 0) {
		fake.slow[vcpu->index]--;
		return;
	}
	fake_require(load_relaxed(&vcpu->vm->irqchip.held) == 0);
	fake_enter(vcpu->index);
}

static uint64_t fake_save(void)
{
	return 0;
}

static void fake_restore(uint64_t saved)
{
	(void)saved;
}

static const struct axvm_arch_ops fake_ops = {
	.name = "fake",
	.line_first = VGIC_PRIVATE,
	.line_count = VGIC_INTIDS - VGIC_PRIVATE,
	.vcpu_lines = 0xffff0000,
	.interrupts_save = fake_save,
	.interrupts_restore = fake_restore,
	.line_targets = axvmi_arm_line_targets,
	.irq_sync = axvmi_arm_irq_sync,
};

/* ---- the VM ---- */

static void fake_vcpu(uint32_t i)
{
	struct arm_vcpu *v = &fake.vcpus[i];

	fake.vm.core.vcpus[i] = &v->core;
	v->core.vm = &fake.vm.core;
	v->core.index = i;
	store_relaxed(&v->core.state, AXVM_VCPU_READY);
	axvmi_arm_vgic_vcpu_reset(v);
	/* Both groups on, every priority. */
	fake.hw[i].vmcr = 0xf84c0003;
	v->effects = ARM_EFFECT_VGIC;
}

static inline bool fake_take_vtimer(void *ctx)
{
	(void)ctx;
	return true;
}

/* Whether the host takes the virtual timer: as INTID `vtimer_irq`, or 0. */
static inline void fake_vm(const uint32_t *forwarded, uint32_t vtimer_irq)
{
	struct axvm_vm *vm = &fake.vm.core;

	memset((void *)&fake, 0, sizeof(fake));
	fake.hal = test_hal_new();
	fake.host.hal = fake.hal->hal;
	fake.host.hal.take_vtimer = vtimer_irq != 0 ? fake_take_vtimer : NULL;
	fake.host.hal.vtimer_irq = vtimer_irq;
	fake.host.ops = &fake_ops;
	fake.host.features = FIELD_PUT(ARM_FEATURE_LRS, 4) |
			     FIELD_PUT(ARM_FEATURE_PREEMPTION_BITS, 5);
	fake.vm.metal = &fake_metal;
	vm->host = &fake.host;
	vm->ops = &fake_ops;
	vm->vcpu_count = FAKE_VCPUS;
	vm->format.gpa_bits = 40;
	for (uint32_t w = 0; forwarded != NULL && w < 32; w++)
		vm->forward.lines[w] = forwarded[w];
	vm->forward.any = forwarded != NULL;
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		fake_vcpu(i);
	store_relaxed(&vm->vcpus_ready, FAKE_VCPUS);
}

/* With its vGIC, and running. */
static inline void fake_boot_with(const uint32_t *forwarded,
				  uint32_t vtimer_irq)
{
	fake_vm(forwarded, vtimer_irq);
	if (axvmi_arm_vgic_init(&fake.vm, GICD_BASE, GICD_SIZE, GICR_BASE,
				FAKE_VCPUS * GICR_STRIDE) != AXVM_OK)
		abort();
	store_relaxed(&fake.vm.core.state, AXVM_VM_RUNNING);
	for (uint32_t i = 0; i < FAKE_VCPUS; i++) {
		axvmi_arm_vgic_vcpu_reset(&fake.vcpus[i]);
		fake_enter(i);
	}
}

static inline void fake_boot(const uint32_t *forwarded)
{
	fake_boot_with(forwarded, 0);
}

static inline bool fake_end(void)
{
	bool good;

	axvmi_arm_vgic_fini(&fake.vm);
	axvmi_bus_fini(&fake.vm.core);
	good = test_hal_check_no_leaks(fake.hal);
	test_hal_delete(fake.hal);
	return good;
}

/* ---- a vCPU ---- */

/* What stands between an exit and the next entry. */
static void fake_enter(uint32_t vcpu)
{
	struct arm_vcpu *v = &fake.vcpus[vcpu];

	for (int round = 0;; round++) {
		uint32_t bits = atomic_exchange(&v->core.attention, 0);

		if ((bits & AXVMI_ATTN_LINES) != 0)
			axvmi_arm_irq_sync(&v->core);
		if ((v->effects & ARM_EFFECT_VGIC) != 0)
			axvmi_arm_gic_fill(v);
		v->effects = 0;
		if (load_seq(&v->core.attention) == 0)
			return;
		fake_require(fake.threads || round < 8);
	}
}

/* The maintenance interrupt, as often as it comes. */
static inline void fake_maintain(uint32_t vcpu)
{
	for (int i = 0; cpuif_maintenance(&fake.hw[vcpu]); i++) {
		fake_require(i < 8);
		axvmi_arm_gic_fold(&fake.vcpus[vcpu]);
		fake_enter(vcpu);
	}
}

static inline uint32_t fake_ack(uint32_t vcpu)
{
	uint32_t intid = cpuif_acknowledge(&fake.hw[vcpu]);

	fake_maintain(vcpu);
	return intid;
}

static inline void fake_eoi(uint32_t vcpu, uint32_t intid)
{
	cpuif_eoi(&fake.hw[vcpu], intid);
	fake_maintain(vcpu);
}

/* ---- accesses by its guest, which has left and enters again ---- */

static inline uint64_t fake_access(uint32_t vcpu, uint64_t gpa, uint32_t size,
				   bool write, uint64_t value)
{
	const struct axvmi_space *space =
		axvmi_bus_find(&fake.vm.core.bus[AXVM_BUS_MMIO], gpa);

	fake_require(space != NULL);
	fake_require(axvmi_device_access(&fake.vcpus[vcpu].core, space, gpa,
					 size, write,
					 &value) == AXVMI_DISPATCH_DONE);
	fake_require(fake.threads ||
		     load_relaxed(&fake.vm.core.irqchip.held) == 0);
	return value;
}

static inline uint32_t fake_get(uint32_t vcpu, uint64_t gpa)
{
	return (uint32_t)fake_access(vcpu, gpa, 4, false, 0);
}

static inline void fake_put(uint32_t vcpu, uint64_t gpa, uint32_t value)
{
	fake_access(vcpu, gpa, 4, true, value);
}

#endif
