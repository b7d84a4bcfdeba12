/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The short way of an interrupt of the running vCPU into its list registers, for
 * irq.c, which holds vm->irqchip.
 */
#include "backend.h"
#include "vgic_join.h"

_Static_assert(ARM_NO_LR == VGIC_MAX_LRS, "not the number of one");

bool axvmi_arm_gic_join(struct arm_vcpu *v, struct vgic_cpu *cpu,
			uint32_t intid, bool level)
{
	const struct vgic *g = arm_vm(v->core.vm)->vgic;
	uint32_t slot = vgic_slot(cpu, &v->gic, intid);

	if (!v->gic_filled || slot == VGIC_MAX_LRS ||
	    !vgic_is_awake(g, v->core.index))
		return false;
	if (slot < v->gic.lr_used)
		arm_metal(v)->lr_read(v, slot);
	if (!vgic_join(g, cpu, &v->gic, slot, intid, level))
		return false;
	arm_metal(v)->lr_write(v, slot);
	return true;
}

uint32_t axvmi_arm_vtimer_again(struct arm_vcpu *v)
{
	const struct vgic *g = arm_vm(v->core.vm)->vgic;
	uint32_t slot = ARM_NO_LR;
	const struct vgic_cpu *cpu;

	if (!v->gic_filled)
		return ARM_NO_LR;
	cpu = &g->cpu[v->core.index];
	spin_lock(&v->core.vm->irqchip);
	if (vgic_is_awake(g, v->core.index))
		slot = vgic_slot(cpu, &v->gic, VGIC_VTIMER);
	if (slot < v->gic.lr_used) {
		arm_metal(v)->lr_read(v, slot);
		if (!vgic_renew(g, cpu, &v->gic, slot))
			slot = ARM_NO_LR;
	} else {
		slot = ARM_NO_LR;
	}
	spin_unlock(&v->core.vm->irqchip);
	return slot;
}

/* Lock held. The host may hold the line as well. */
static __attribute__((noinline)) bool
retire(struct arm_vcpu *v, struct vgic_cpu *cpu, uint32_t intid, uint64_t ended)
{
	uint32_t slot = vgic_slot(cpu, &v->gic, intid);

	if (slot == VGIC_MAX_LRS || ended != BIT64(slot) ||
	    (load_seq(&v->core.line_levels) & vgic_bit(intid)) != 0 ||
	    !vgic_retire(cpu, &v->gic, slot, intid))
		return false;
	arm_metal(v)->lr_write(v, slot);
	return true;
}

bool axvmi_arm_gic_retire(struct arm_vcpu *v, uint32_t intid, uint64_t ended)
{
	struct vgic *g = arm_vm(v->core.vm)->vgic;
	bool done;

	if (g == NULL)
		return false;
	spin_lock(&v->core.vm->irqchip);
	done = retire(v, &g->cpu[v->core.index], intid, ended);
	spin_unlock(&v->core.vm->irqchip);
	return done;
}
