/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Makes the GIC of a VM: the model, and the devices that its two frames are.
 * Their accesses are in irq.c. At init, fini and reset of the VM.
 */
#include "backend.h"
#include "vgic.h"

/* No vCPU runs; the interfaces are reset by vcpu_reset. */
static void gicd_reset(struct axvm_device *device)
{
	struct axvm_vm *vm = device->vm;
	uint64_t saved = axvmi_lock(vm->host, &vm->irqchip);

	axvmi_vgic_reset(arm_vm(vm)->vgic);
	axvmi_unlock(vm->host, &vm->irqchip, saved);
}

static const struct axvm_device_ops gicd_ops = {
	.name = "gicd",
	.access = axvmi_arm_gicd_access,
	.reset = gicd_reset,
};

static const struct axvm_device_ops gicr_ops = {
	.name = "gicr",
	.access = axvmi_arm_gicr_access,
};

static struct axvm_device frame_device(const struct axvm_device_ops *ops,
				       uint64_t base, uint64_t size)
{
	/* What a register does not take in a width is up to it. */
	struct axvm_device device = {
		.ops = ops,
		.range_count = 1,
		.ranges = {{.bus = AXVM_BUS_MMIO,
			    .base = base,
			    .size = size,
			    .widths = 1 | 2 | 4 | 8}},
	};

	return device;
}

int axvmi_arm_vgic_init(struct arm_vm *avm, uint64_t gicd_base,
			uint64_t gicd_size, uint64_t gicr_base,
			uint64_t gicr_size)
{
	struct axvm_vm *vm = &avm->core;
	struct vgic *g;
	int err;

	/* A vCPU without a redistributor would wait for it for ever. */
	if (gicr_size / GICR_STRIDE < vm->vcpu_count)
		return AXVM_ERANGE;
	g = axvmi_alloc(vm->host, sizeof(*g), 64);
	if (g == NULL)
		return AXVM_ENOMEM;
	axvmi_vgic_init(g, vm->vcpu_count,
			vm->forward.any ? vm->forward.lines : NULL);
	if (vm->host->hal.take_vtimer != NULL)
		g->vtimer_lr =
			LR_HW | FIELD_PUT(LR_PINTID, vm->host->hal.vtimer_irq);
	avm->vgic = g;
	avm->gicd_device = frame_device(&gicd_ops, gicd_base, gicd_size);
	avm->gicr_device = frame_device(&gicr_ops, gicr_base, gicr_size);
	err = axvmi_device_add(vm, &avm->gicd_device);
	if (err == AXVM_OK) {
		err = axvmi_device_add(vm, &avm->gicr_device);
		if (err == AXVM_OK)
			return AXVM_OK;
		axvmi_device_remove(vm, &avm->gicd_device);
	}
	avm->vgic = NULL;
	axvmi_free(vm->host, g, sizeof(*g));
	return err;
}

void axvmi_arm_vgic_fini(struct arm_vm *avm)
{
	if (avm->vgic == NULL)
		return;
	axvmi_device_remove(&avm->core, &avm->gicr_device);
	axvmi_device_remove(&avm->core, &avm->gicd_device);
	axvmi_free(avm->core.host, avm->vgic, sizeof(*avm->vgic));
	avm->vgic = NULL;
}
