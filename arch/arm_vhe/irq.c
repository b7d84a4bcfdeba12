/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Between the core's interrupt inputs, the GIC model and the list registers of
 * the running vCPU. The model is evaluated under vm->irqchip by vCPU threads;
 * what others must know they are told after the lock is dropped. While a vCPU is
 * outside axvm_run_vcpu() its list registers are folded.
 */
#include "backend.h"
#include "vgic_join.h"

static struct vgic *vgic_of(const struct arm_vcpu *v)
{
	return arm_vm(v->core.vm)->vgic;
}

static void take_line(struct axvm_vm *vm, uint32_t line, bool level, bool edge)
{
	axvmi_vgic_set_spi(arm_vm(vm)->vgic, line, level, edge);
}

/* Whoever changes an input afterwards calls the vCPUs that it concerns. */
static inline void take_inputs(struct axvm_vm *vm)
{
	if (load_seq(&vm->lines.changed_words) != 0)
		axvmi_lines_take(vm, take_line);
}

/* ---- the end of every section under the lock ---- */

static void tell_ended(struct axvm_vm *vm)
{
	struct vgic *g = arm_vm(vm)->vgic;
	uint32_t intid;

	do {
		spin_lock(&vm->irqchip);
		intid = axvmi_vgic_take_ended(g);
		spin_unlock(&vm->irqchip);
		if (intid != 0)
			axvmi_line_ended(vm, intid);
	} while (intid != 0);
}

static void tell_others(struct axvm_vm *vm, uint64_t changed)
{
	for (; changed != 0; changed &= changed - 1)
		axvmi_notify(vm->vcpus[lowest_bit64(changed)],
			     AXVMI_ATTN_LINES);
}

/* Drops the lock, tells the vCPUs whose interrupts changed. `self` runs here and
 * fills its list registers before it enters. */
static inline void leave(struct arm_vcpu *self)
{
	struct axvm_vm *vm = self->core.vm;
	struct vgic *g = arm_vm(vm)->vgic;
	uint64_t changed = vgic_update(g);
	uint64_t me = BIT64(self->core.index);
	bool ended = g->ended_words != 0;

	spin_unlock(&vm->irqchip);
	if ((changed & me) != 0)
		self->effects |= ARM_EFFECT_VGIC;
	if ((changed & ~me) != 0)
		tell_others(vm, changed & ~me);
	if (ended)
		tell_ended(vm);
}

/* Lock held. The model knows what the guest has done; what the timer then asks
 * for, fold_timer() finds out. */
static void fold(struct arm_vcpu *v)
{
	struct vgic_cpu *cpu = &vgic_of(v)->cpu[v->core.index];

	if (!v->gic_filled)
		return;
	v->gic_filled = 0;
	v->effects |= ARM_EFFECT_VGIC;
	/* Which groups are enabled matters to "1 of N" in any case, and to
	 * what waits for one to be. */
	if (v->gic.lr_used == 0 && vgic_of(v)->any_words == 0 && !cpu->crowded)
		return;
	arm_metal(v)->gic_read(v, false);
	axvmi_vgic_sync(vgic_of(v), v->core.index, &v->gic);
	vgic_note_vmcr(vgic_of(v), v->core.index, v->gic.vmcr);
	v->gic_ended |= cpu->ended;
	cpu->ended = 0;
	v->gic_hw_ended |= cpu->hw_ended;
	cpu->hw_ended = 0;
}

/* After a fold, unlocked: PPI 27 is only as high as its timer says now. */
static void fold_timer(struct arm_vcpu *v)
{
	uint32_t ended = v->gic_ended;
	uint32_t hw_ended = v->gic_hw_ended;

	v->gic_ended = 0;
	v->gic_hw_ended = 0;
	if (!v->vtimer_held)
		return;
	if (hw_ended != 0)
		axvmi_arm_vtimer_done(v);
	else if ((ended & vgic_bit(ARM_PPI_CNTV)) != 0 && !arm_takes_vtimer(v))
		axvmi_arm_vtimer_ended(v);
	axvmi_arm_vtimer_sync(v);
}

void axvmi_arm_gic_fold(struct arm_vcpu *v)
{
	if (!v->gic_filled)
		return;
	spin_lock(&v->core.vm->irqchip);
	fold(v);
	leave(v);
	fold_timer(v);
}

void axvmi_arm_gic_fill(struct arm_vcpu *v)
{
	if (vgic_of(v) == NULL)
		return;
	if (v->gic.lr_used != 0)
		axvmi_arm_gic_fold(v);
	spin_lock(&v->core.vm->irqchip);
	/* Nothing is held, or it was folded just now. */
	fold(v);
	axvmi_vgic_flush(vgic_of(v), v->core.index, &v->gic);
	leave(v);
	v->gic_filled = 1;
	arm_metal(v)->gic_write(v, false);
}

/*
 * Waits until these vCPUs have folded. The caller has folded itself, has left
 * the guest and holds no lock, so that two who wait for each other go on; who is
 * not inside run has nothing to fold, or folds before it enters.
 */
static void await(struct arm_vcpu *self, uint64_t vcpus)
{
	struct axvm_vm *vm = self->core.vm;

	for (; vcpus != 0; vcpus &= vcpus - 1) {
		struct axvm_vcpu *other = vm->vcpus[lowest_bit64(vcpus)];
		atomic_u32 *epoch = &arm_vm(vm)->vgic->cpu[other->index].epoch;
		uint32_t before = load_seq(epoch);

		if (other == &self->core || before % 2 == 0)
			continue;
		axvmi_notify(other, AXVMI_ATTN_LINES);
		while (load_acquire(epoch) == before &&
		       load_acquire(&other->state) == AXVM_VCPU_RUNNING)
			cpu_relax();
	}
}

/* ---- the frames as devices ---- */

struct frame {
	uint64_t (*read)(const struct vgic *g, uint64_t offset, uint32_t size);
	void (*write)(struct vgic *g, uint64_t offset, uint32_t size,
		      uint64_t value);
	uint64_t (*awaits)(const struct vgic *g, uint64_t offset);
};

static const struct frame gicd = {axvmi_vgicd_read, axvmi_vgicd_write,
				  axvmi_vgicd_awaits};
static const struct frame gicr = {axvmi_vgicr_read, axvmi_vgicr_write,
				  axvmi_vgicr_awaits};

/* Pending and active bits, as the list registers of all vCPUs have them. */
static void read_state(struct arm_vcpu *self, const struct frame *frame,
		       struct axvm_device_access *access)
{
	struct vgic *g = vgic_of(self);
	uint64_t awaited;

	spin_lock(&self->core.vm->irqchip);
	fold(self);
	awaited = frame->awaits(g, access->offset);
	if (awaited != 0) {
		leave(self);
		await(self, awaited);
		spin_lock(&self->core.vm->irqchip);
	}
	take_inputs(self->core.vm);
	access->value = frame->read(g, access->offset, access->size);
	leave(self);
	fold_timer(self);
}

static __attribute__((noinline)) enum axvm_access_result
access_locked(const struct frame *frame, struct axvm_device_access *access)
{
	struct arm_vcpu *self = arm_vcpu(access->vm->vcpus[access->vcpu]);
	struct vgic *g = vgic_of(self);
	uint64_t awaited;

	if (access->write == 0) {
		read_state(self, frame, access);
		return AXVM_ACCESS_DONE;
	}
	spin_lock(&access->vm->irqchip);
	take_inputs(access->vm);
	fold(self);
	frame->write(g, access->offset, access->size, access->value);
	/* Nobody was called for inputs of what was disabled, or went elsewhere.
	 * The new hints stand; look once more, in the one order with them. */
	take_inputs(access->vm);
	awaited = g->awaited;
	g->awaited = 0;
	leave(self);
	fold_timer(self);
	await(self, awaited);
	return AXVM_ACCESS_DONE;
}

/* Out of line: most accesses end in axvmi_arm_gicd_access(), which needs no frame
 * then. */
static __attribute__((noinline)) enum axvm_access_result
gicd_access_more(struct axvm_device_access *access)
{
	struct vgic *g = arm_vm(access->vm)->vgic;

	if (access->write != 0 || vgic_reads_state(access->offset))
		return access_locked(&gicd, access);
	access->value = axvmi_vgicd_read(g, access->offset, access->size);
	return AXVM_ACCESS_DONE;
}

enum axvm_access_result axvmi_arm_gicd_access(struct axvm_device *device,
					      struct axvm_device_access *access)
{
	struct vgic *g = arm_vm(access->vm)->vgic;
	bool done;

	(void)device;
	if (access->write == 0)
		return vgicd_peek(g, access->offset, access->size,
				  &access->value)
			       ? AXVM_ACCESS_DONE
			       : gicd_access_more(access);
	if (access->offset - GICD_IPRIORITYR >= VGIC_INTIDS)
		return gicd_access_more(access);
	spin_lock(&access->vm->irqchip);
	done = vgicd_poke(g, access->offset, access->size, access->value);
	spin_unlock(&access->vm->irqchip);
	return done ? AXVM_ACCESS_DONE : gicd_access_more(access);
}

enum axvm_access_result axvmi_arm_gicr_access(struct axvm_device *device,
					      struct axvm_device_access *access)
{
	uint64_t offset = access->offset % GICR_STRIDE;

	(void)device;
	if (access->write != 0 || vgic_reads_state(offset - GICR_SGI_BASE))
		return access_locked(&gicr, access);
	access->value = axvmi_vgicr_read(arm_vm(access->vm)->vgic,
					 access->offset, access->size);
	return AXVM_ACCESS_DONE;
}

uint64_t axvmi_arm_line_targets(struct axvm_vm *vm, uint32_t line)
{
	const struct vgic *g = arm_vm(vm)->vgic;

	return g != NULL && line < VGIC_INTIDS ? vgic_line_targets(g, line) : 0;
}

/* ---- inputs of one vCPU ---- */

/* Levels of the PPIs as the host and the library's own timers have them. */
static uint32_t private_levels(const struct arm_vcpu *v)
{
	uint32_t levels = load_seq(&v->core.line_levels);

	if (v->vtimer_held)
		levels |= vgic_bit(ARM_PPI_CNTV);
	if (v->cntp_level)
		levels |= vgic_bit(ARM_PPI_CNTP);
	return levels;
}

/* PPI 27 of its timer alone may have HW: what the host holds up as well comes
 * again at its end without a word from the CPU. */
static uint64_t hw_of(const struct vgic *g, uint32_t host_levels)
{
	return (host_levels & vgic_bit(ARM_PPI_CNTV)) == 0 ? g->vtimer_lr : 0;
}

void axvmi_arm_set_ppi(struct arm_vcpu *v, uint32_t intid, bool level)
{
	uint32_t host = load_seq(&v->core.line_levels);
	bool high = level || (host & vgic_bit(intid)) != 0;
	struct vgic *g = vgic_of(v);
	struct vgic_cpu *cpu;

	if (g == NULL)
		return;
	cpu = &g->cpu[v->core.index];
	spin_lock(&v->core.vm->irqchip);
	if (intid == ARM_PPI_CNTV)
		cpu->hw_lr = level ? hw_of(g, host) : 0;
	if (high && axvmi_arm_gic_join(v, cpu, intid, true)) {
		spin_unlock(&v->core.vm->irqchip);
		return;
	}
	axvmi_vgic_set_private(g, v->core.index, intid, high, false);
	leave(v);
}

/* Lock held. */
static void take_private(struct arm_vcpu *v)
{
	struct vgic *g = vgic_of(v);
	uint32_t levels = private_levels(v);
	uint32_t edges = load_relaxed(&v->core.line_edges);
	uint32_t changed = levels ^ g->cpu[v->core.index].own.line;

	if (v->vtimer_held)
		g->cpu[v->core.index].hw_lr =
			hw_of(g, load_seq(&v->core.line_levels));
	if (edges != 0)
		edges = atomic_exchange_explicit(&v->core.line_edges, 0,
						 memory_order_seq_cst);
	for (changed |= edges; changed != 0; changed &= changed - 1) {
		uint32_t intid = lowest_bit64(changed);
		uint32_t m = vgic_bit(intid);

		axvmi_vgic_set_private(g, v->core.index, intid,
				       (levels & m) != 0, (edges & m) != 0);
	}
}

void axvmi_arm_irq_sync(struct axvm_vcpu *vcpu)
{
	struct arm_vcpu *v = arm_vcpu(vcpu);

	if (vgic_of(v) == NULL)
		return;
	spin_lock(&vcpu->vm->irqchip);
	fold(v);
	take_private(v);
	take_inputs(vcpu->vm);
	leave(v);
	fold_timer(v);
}

bool axvmi_arm_gic_pending(struct arm_vcpu *v)
{
	struct vgic *g = vgic_of(v);
	bool pending;

	if (g == NULL)
		return false;
	axvmi_arm_gic_fold(v);
	arm_metal(v)->gic_read(v, true);
	spin_lock(&v->core.vm->irqchip);
	take_private(v);
	take_inputs(v->core.vm);
	vgic_note_vmcr(g, v->core.index, v->gic.vmcr);
	pending = axvmi_vgic_pending(g, v->core.index, &v->gic);
	leave(v);
	return pending;
}

/* ---- system registers that trap ---- */

void axvmi_arm_send_sgi(struct arm_vcpu *v, uint64_t value, unsigned group)
{
	struct vgic *g = vgic_of(v);
	bool folds;

	if (g == NULL)
		return;
	spin_lock(&v->core.vm->irqchip);
	if (group == 1 && vgic_sgi_is_own(v->core.index, value) &&
	    axvmi_arm_gic_join(v, &g->cpu[v->core.index], value >> 24 & 0xf,
			       false)) {
		spin_unlock(&v->core.vm->irqchip);
		return;
	}
	axvmi_vgic_sgi(g, v->core.index, value, group == 1);
	/* While the lock is held anyway: the fill finds nothing to fold. */
	folds = (g->dirty & BIT64(v->core.index)) != 0;
	if (folds)
		fold(v);
	leave(v);
	if (folds)
		fold_timer(v);
}

/* "ICC_DIR_EL1": ignored as long as EOIs deactivate. */
void axvmi_arm_write_dir(struct arm_vcpu *v, uint64_t value)
{
	struct vgic *g = vgic_of(v);
	uint64_t awaited;

	if (g == NULL)
		return;
	spin_lock(&v->core.vm->irqchip);
	fold(v);
	arm_metal(v)->gic_read(v, false);
	if ((v->gic.vmcr & ICH_VMCR_EOIM) != 0)
		axvmi_vgic_deactivate(g, v->core.index,
				      (uint32_t)(value & FIELD64(23, 0)));
	awaited = g->awaited;
	g->awaited = 0;
	leave(v);
	fold_timer(v);
	await(v, awaited);
}

/* ---- power ---- */

void axvmi_arm_vgic_vcpu_reset(struct arm_vcpu *v)
{
	struct axvm_vm *vm = v->core.vm;
	uint64_t features = vm->host->features;
	struct vgic *g = vgic_of(v);
	uint64_t saved;

	memset(&v->gic, 0, sizeof(v->gic));
	v->gic.lr_count = (uint32_t)FIELD_GET(ARM_FEATURE_LRS, features);
	v->gic.pre_bits =
		(uint32_t)FIELD_GET(ARM_FEATURE_PREEMPTION_BITS, features);
	v->gic_filled = 0;
	v->gic_ended = 0;
	v->gic_hw_ended = 0;
	if (g == NULL)
		return;
	saved = axvmi_lock(vm->host, &vm->irqchip);
	axvmi_vgic_power(g, v->core.index, true);
	g->cpu[v->core.index].hw_lr = 0;
	take_private(v);
	leave(v);
	vm->host->ops->interrupts_restore(saved);
}

void axvmi_arm_vgic_vcpu_off(struct arm_vcpu *v)
{
	struct vgic *g = vgic_of(v);

	if (g == NULL)
		return;
	spin_lock(&v->core.vm->irqchip);
	fold(v);
	axvmi_vgic_power(g, v->core.index, false);
	/* It may be the only one that was called for what goes elsewhere now. */
	take_inputs(v->core.vm);
	leave(v);
}
