/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The interrupt controller of the model: 63 lines, line n goes to vCPU n modulo
 * their number, everything is enabled. Its registers: offset 0 reads what is
 * pending, a write forgets these edges.
 */
#include "stub_internal.h"

static uint64_t lock(struct axvm_vm *vm)
{
	return axvmi_lock(vm->host, &vm->irqchip);
}

static void unlock(struct axvm_vm *vm, uint64_t saved)
{
	axvmi_unlock(vm->host, &vm->irqchip, saved);
}

uint64_t stub_line_targets(struct axvm_vm *vm, uint32_t line)
{
	return BIT64(line % vm->vcpu_count);
}

static void update(struct axvm_vm *vm, uint32_t line, bool level, bool edge)
{
	struct stub_vm *s = stub_vm(vm);

	s->levels &= ~BIT64(line);
	if (level)
		s->levels |= BIT64(line);
	if (edge)
		s->edges |= BIT64(line);
}

void stub_irq_sync(struct axvm_vcpu *vcpu)
{
	struct stub_vcpu *v = stub_vcpu(vcpu);
	uint64_t saved = lock(vcpu->vm);

	axvmi_lines_take(vcpu->vm, update);
	unlock(vcpu->vm, saved);
	v->levels = load_seq(&vcpu->line_levels);
	v->edges |= atomic_exchange(&vcpu->line_edges, 0);
}

uint64_t stub_pending(struct stub_vcpu *v)
{
	struct axvm_vm *vm = v->core.vm;
	uint64_t saved = lock(vm);
	uint64_t lines = stub_vm(vm)->levels | stub_vm(vm)->edges;
	uint64_t mine = 0;

	unlock(vm, saved);
	for (uint32_t line = 1; line <= STUB_LINES; line++) {
		if (line % vm->vcpu_count == v->core.index)
			mine |= lines & BIT64(line);
	}
	return mine | (uint64_t)(v->levels | v->edges) << 32;
}

bool stub_irq_pending(struct axvm_vcpu *vcpu)
{
	return stub_pending(stub_vcpu(vcpu)) != 0;
}

/* Edges the guest had seen and has ended; no lock held. */
static void tell_ended(struct axvm_vm *vm, uint64_t lines)
{
	if (!vm->forward.any)
		return;
	for (; lines != 0; lines &= lines - 1)
		axvmi_line_ended(vm, lowest_bit64(lines));
}

void stub_irq_ack(struct stub_vcpu *v)
{
	struct axvm_vm *vm = v->core.vm;
	uint64_t saved = lock(vm);
	uint64_t ended = 0;

	for (uint32_t line = 1; line <= STUB_LINES; line++) {
		if (line % vm->vcpu_count == v->core.index)
			ended |= stub_vm(vm)->edges & BIT64(line);
	}
	stub_vm(vm)->edges &= ~ended;
	unlock(vm, saved);
	tell_ended(vm, ended);
	v->edges = 0;
}

void stub_irq_check(struct stub_vcpu *v)
{
	struct axvm_vm *vm = v->core.vm;
	struct stub_machine *m = stub_of(vm->host);
	bool lost = false;

	/* Setters of other threads may be half-way. */
	if (m->config.threads)
		return;
	for (uint32_t line = 1; line <= STUB_LINES; line++) {
		bool level = (stub_vm(vm)->levels & BIT64(line)) != 0;
		bool mine = line % vm->vcpu_count == v->core.index;

		lost |= mine &&
			(level != axvmi_line_level(vm, line) ||
			 (load_seq(&vm->lines.edge[line / 32]) >> line % 32 &
			  1) != 0);
	}
	lost |= v->levels != load_seq(&v->core.line_levels);
	lost |= load_seq(&v->core.line_edges) != 0;
	if (lost)
		stub_violate(m, "entry with interrupt inputs not taken in");
}

/* ---- the device ---- */

static enum axvm_access_result pic_access(struct axvm_device *device,
					  struct axvm_device_access *access)
{
	struct stub_vm *s = stub_vm(device->vm);
	uint64_t ended = 0;
	uint64_t saved;

	if (access->offset != 0)
		return AXVM_ACCESS_FAULT;
	saved = lock(device->vm);
	axvmi_lines_take(device->vm, update);
	if (access->write != 0)
		ended = s->edges & access->value;
	else
		access->value = s->levels | s->edges;
	s->edges &= ~ended;
	unlock(device->vm, saved);
	tell_ended(device->vm, ended);
	return AXVM_ACCESS_DONE;
}

static void pic_reset(struct axvm_device *device)
{
	stub_vm(device->vm)->edges = 0;
}

static const struct axvm_device_ops pic_ops = {
	.name = "stub_pic",
	.access = pic_access,
	.reset = pic_reset,
};

static const struct axvm_emu_device_config *find(const struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->config.emu_device_count; i++) {
		if (vm->config.emu_devices[i].type ==
		    AXVM_EMU_INTERRUPT_CONTROLLER)
			return &vm->config.emu_devices[i];
	}
	return NULL;
}

int stub_pic_init(struct axvm_vm *vm)
{
	const struct axvm_emu_device_config *d = find(vm);

	if (d == NULL)
		return AXVM_OK;
	stub_vm(vm)->pic = (struct axvm_device){
		.ops = &pic_ops,
		.range_count = 1,
		.ranges = {{
			.bus = AXVM_BUS_MMIO,
			.base = d->gpa.value,
			.size = d->size,
			.widths = STUB_PIC_WIDTHS,
		}},
	};
	return axvmi_device_add(vm, &stub_vm(vm)->pic);
}

void stub_pic_fini(struct axvm_vm *vm)
{
	if (find(vm) != NULL)
		axvmi_device_remove(vm, &stub_vm(vm)->pic);
}
