/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Between the core's interrupt inputs, the PLIC model and the guest's hvip. The
 * model is evaluated under vm->irqchip by vCPU threads, in their own register
 * accesses and in irq_sync; other vCPUs are told after the lock is dropped.
 */
#include "backend.h"

static void take_line(struct axvm_vm *vm, uint32_t line, bool level, bool edge)
{
	axvmi_vplic_set_line(&riscv_vm(vm)->plic, line, level, edge);
}

/* Whoever changes an input afterwards calls the vCPUs that it concerns. */
static void take_inputs(struct riscv_vm *rvm)
{
	if (load_relaxed(&rvm->core.lines.changed_words) != 0)
		axvmi_lines_take(&rvm->core, take_line);
}

/*
 * VSEIP is what the PLIC says OR the vCPU's own external line. Whoever changes
 * `eip` stores it before it sets AXVMI_ATTN_LINES, and this runs after the bit
 * was taken: the newest output is seen here or in the next round.
 */
static void set_external(struct riscv_vcpu *v)
{
	uint64_t eip = load_seq(&riscv_vm(v->core.vm)->plic.eip);

	if ((eip & BIT64(v->core.index)) != 0 ||
	    (v->lines & (RISCV_LINE_LEVEL(RISCV_LINE_EXTERNAL) |
			 RISCV_LINE_EDGE(RISCV_LINE_EXTERNAL))) != 0)
		riscv_raise(v, RISCV_VSEIP);
	else
		riscv_lower(v, RISCV_VSEIP);
}

/* Outputs of these contexts changed; `self` runs here. No lock held. */
static void deliver(struct riscv_vcpu *self, uint64_t changed)
{
	struct axvm_vm *vm = self->core.vm;

	if ((changed & BIT64(self->core.index)) != 0)
		set_external(self);
	changed &= ~BIT64(self->core.index);
	for (; changed != 0; changed &= changed - 1)
		axvmi_notify(vm->vcpus[lowest_bit64(changed)],
			     AXVMI_ATTN_LINES);
}

/* ---- the PLIC as a device ---- */

/*
 * An edge injected on the external line has no claim to end it: it lasts until
 * the guest has asked its context what there is.
 */
static void end_external_edge(struct riscv_vcpu *v,
			      const struct axvm_device_access *access)
{
	const struct vplic *plic = &riscv_vm(v->core.vm)->plic;

	if (access->write ||
	    access->offset !=
		    vplic_context_page(plic, v->core.index) + VPLIC_CLAIM)
		return;
	v->lines &= ~RISCV_LINE_EDGE(RISCV_LINE_EXTERNAL);
	set_external(v);
}

static void plic_write(struct riscv_vm *rvm,
		       const struct axvm_device_access *access)
{
	axvmi_vplic_write(&rvm->plic, access->offset, (uint32_t)access->value);
	/*
	 * Nobody was called for inputs of sources that no context enabled. The
	 * new hints stand; look once more, in the one order with them.
	 */
	if (vplic_is_enable(access->offset) &&
	    load_seq(&rvm->core.lines.changed_words) != 0)
		axvmi_lines_take(&rvm->core, take_line);
}

/*
 * An access that may change outputs. Called with the lock, which it drops. Out
 * of line: most accesses end in plic_access(), which needs no frame then.
 */
static __attribute__((noinline)) enum axvm_access_result
plic_access_locked(struct riscv_vm *rvm, struct axvm_device_access *access)
{
	struct riscv_vcpu *self = riscv_vcpu(rvm->core.vcpus[access->vcpu]);
	uint64_t changed;

	take_inputs(rvm);
	if (access->write != 0)
		plic_write(rvm, access);
	else
		access->value = axvmi_vplic_read(&rvm->plic, access->offset);
	changed = axvmi_vplic_update(&rvm->plic);
	spin_unlock(&rvm->core.irqchip);
	if ((self->lines & RISCV_LINE_EDGE(RISCV_LINE_EXTERNAL)) != 0)
		end_external_edge(self, access);
	deliver(self, changed);
	return AXVM_ACCESS_DONE;
}

static enum axvm_access_result plic_access(struct axvm_device *device,
					   struct axvm_device_access *access)
{
	struct riscv_vm *rvm =
		CONTAINER_OF(device, struct riscv_vm, plic_device);

	if (access->write == 0 &&
	    vplic_peek(&rvm->plic, access->offset, &access->value))
		return AXVM_ACCESS_DONE;
	spin_lock(&rvm->core.irqchip);
	if (access->write == 0 ||
	    load_relaxed(&rvm->core.lines.changed_words) != 0 ||
	    !vplic_poke(&rvm->plic, access->offset, access->value))
		return plic_access_locked(rvm, access);
	spin_unlock(&rvm->core.irqchip);
	return AXVM_ACCESS_DONE;
}

/*
 * The access of VMs with forwarded interrupts, so that others do not pay for
 * it: a completion that counts is told, once the lock is dropped. Taking inputs
 * in changes nothing about whether it counts.
 */
static enum axvm_access_result
plic_access_forwarding(struct axvm_device *device,
		       struct axvm_device_access *access)
{
	struct riscv_vm *rvm =
		CONTAINER_OF(device, struct riscv_vm, plic_device);
	uint32_t source = (uint32_t)access->value;
	bool ends;

	if (access->write == 0 || !vplic_is_claim(access->offset))
		return plic_access(device, access);
	spin_lock(&rvm->core.irqchip);
	ends = axvmi_vplic_ends(&rvm->plic, access->offset, source);
	plic_access_locked(rvm, access);
	if (ends)
		axvmi_line_ended(&rvm->core, source);
	return AXVM_ACCESS_DONE;
}

/* No vCPU runs; what they see of it is reset by vcpu_reset. */
static void plic_reset(struct axvm_device *device)
{
	struct riscv_vm *rvm =
		CONTAINER_OF(device, struct riscv_vm, plic_device);

	spin_lock(&rvm->core.irqchip);
	axvmi_vplic_reset(&rvm->plic);
	axvmi_vplic_update(&rvm->plic);
	spin_unlock(&rvm->core.irqchip);
}

static const struct axvm_device_ops plic_ops = {
	.name = "plic",
	.access = plic_access,
	.reset = plic_reset,
};

static const struct axvm_device_ops plic_forwarding_ops = {
	.name = "plic",
	.access = plic_access_forwarding,
	.reset = plic_reset,
};

void axvmi_riscv_plic_init(struct riscv_vm *rvm, enum vplic_layout layout,
			   uint64_t base, uint64_t window)
{
	axvmi_vplic_init(&rvm->plic, rvm->core.vcpu_count, layout, window);
	rvm->plic_device = (struct axvm_device){
		.ops = rvm->core.forward.any ? &plic_forwarding_ops : &plic_ops,
		.range_count = 1,
		/* "Memory Map": only naturally aligned 32-bit accesses. */
		.ranges = {{.bus = AXVM_BUS_MMIO,
			    .base = base,
			    .size = window,
			    .widths = 4}},
	};
}

uint64_t axvmi_riscv_line_targets(struct axvm_vm *vm, uint32_t line)
{
	return load_seq(&riscv_vm(vm)->plic.targets[line % VPLIC_SOURCES]);
}

/* ---- per-vCPU lines ---- */

/* Remembers the levels and edges of one line; true if it rose or fell. */
static bool take_private(struct riscv_vcpu *v, uint32_t line, uint32_t levels,
			 uint32_t edges)
{
	uint32_t before = v->lines;
	uint32_t level = RISCV_LINE_LEVEL(line);

	v->lines = (before & ~level) | (levels & level);
	if ((edges & level) != 0)
		v->lines |= RISCV_LINE_EDGE(line);
	return v->lines != before;
}

static void set_timer_line(struct riscv_vcpu *v)
{
	if ((v->lines & (RISCV_LINE_LEVEL(RISCV_LINE_TIMER) |
			 RISCV_LINE_EDGE(RISCV_LINE_TIMER))) != 0) {
		riscv_raise(v, RISCV_VSTIP);
		return;
	}
	riscv_lower(v, RISCV_VSTIP);
	/* The guest's own timer may have expired meanwhile: look again. */
	v->effects |= RISCV_EFFECT_TIMER_LOOK;
}

/*
 * Software interrupts end by the guest's write of vsip.SSIP and nothing else,
 * so a level is an edge that repeats as long as it is held.
 */
static void sync_private(struct riscv_vcpu *v)
{
	uint32_t levels = load_seq(&v->core.line_levels);
	uint32_t edges = load_relaxed(&v->core.line_edges);

	if (edges != 0)
		edges = atomic_exchange_explicit(&v->core.line_edges, 0,
						 memory_order_seq_cst);
	if (((levels | edges) & RISCV_LINE_LEVEL(RISCV_LINE_SOFTWARE)) != 0)
		riscv_raise(v, RISCV_VSSIP);
	if (take_private(v, RISCV_LINE_TIMER, levels, edges))
		set_timer_line(v);
	take_private(v, RISCV_LINE_EXTERNAL, levels, edges);
}

void axvmi_riscv_irq_sync(struct axvm_vcpu *vcpu)
{
	struct riscv_vcpu *self = riscv_vcpu(vcpu);
	struct riscv_vm *rvm = riscv_vm(vcpu->vm);
	uint64_t changed = 0;

	sync_private(self);
	/* Inputs that somebody else has taken are his to evaluate. */
	if (load_seq(&rvm->core.lines.changed_words) != 0) {
		spin_lock(&rvm->core.irqchip);
		take_inputs(rvm);
		if (rvm->plic.dirty != 0)
			changed = axvmi_vplic_update(&rvm->plic);
		spin_unlock(&rvm->core.irqchip);
	}
	/* This vCPU's output whether it changed just now or earlier. */
	set_external(self);
	deliver(self, changed & ~BIT64(vcpu->index));
}
