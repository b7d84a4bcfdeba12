/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A VM of the RISC-V backend made by hand, and stand-ins for the core calls
 * that its pure models make: they log, and answer what the test told them. To
 * be included once per program, which must not use the real core besides.
 */
#ifndef AXVM_TEST_RISCV_H_FAKE_H
#define AXVM_TEST_RISCV_H_FAKE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "riscv_h/backend.h"

/* Guest memory: RWX, then read-only, then RW without X. The third page of the
 * first region is taken away: copies of it fail. */
#define FAKE_RAM UINT64_C(0x80000000)
#define FAKE_RAM_SIZE UINT64_C(0x4000)
#define FAKE_HOLE (FAKE_RAM + 0x2000)
#define FAKE_ROM (FAKE_RAM + FAKE_RAM_SIZE)
#define FAKE_DATA (FAKE_ROM + 0x1000)
#define FAKE_SIZE (FAKE_RAM_SIZE + 0x2000)
#define FAKE_DEVICE UINT64_C(0x10000000)
/* Where a guest virtual doubleword can be read: FAKE_GVA alone. */
#define FAKE_GVA UINT64_C(0xffffffc000001000)

struct fake {
	struct axvm_host host;
	struct riscv_vm vm;
	struct riscv_vcpu vcpus[AXVM_MAX_VCPUS];
	struct axvm_exit exit;
	struct axvmi_region regions[3];
	uint8_t memory[FAKE_SIZE];

	/* What stand-ins answer. */
	int halt_result;
	bool irq_pending;
	int claim_result; /* 1: as the core does */
	int copy_error; /* instead of EFAULT */
	int gva_error;
	uint64_t gva_value;
	uint64_t hvip;
	enum axvmi_hypercall_answer hypercall_answer; /* 42, if it is done */

	/* What they were asked. */
	uint32_t notified[AXVM_MAX_VCPUS];
	uint32_t notify_count;
	uint64_t fence_mask;
	uint32_t fence_bits;
	uint32_t fence_count;
	struct axvm_vcpu *fence_self;
	uint32_t halts, offs, events, claims, restarts, copies;
	uint32_t hsm_at_halt;
	uint64_t restart_entry, restart_argument;
	uint64_t hypercall[7]; /* number and arguments of the last one */
	uint32_t takes;
	/* Called once, at the end of the next axvmi_lines_take(). */
	void (*after_take)(void);

	/* The host's debug console. */
	uint8_t out[4096];
	size_t out_count, out_room;
	const char *in;
};

static struct fake fake;

/* ---- core ---- */

void axvmi_notify(struct axvm_vcpu *vcpu, uint32_t bits)
{
	/* HAL callbacks come of this: never under the controller's lock. */
	if (load_relaxed(&vcpu->vm->irqchip.held) != 0)
		abort();
	fake.notified[vcpu->index] |= bits;
	fake.notify_count++;
	atomic_fetch_or(&vcpu->attention, bits);
}

void axvmi_notify_and_wait(struct axvm_vm *vm, uint64_t mask, uint32_t bits,
			   struct axvm_vcpu *self)
{
	(void)vm;
	fake.fence_mask |= mask;
	fake.fence_bits |= bits;
	fake.fence_self = self;
	fake.fence_count++;
}

int axvmi_claim_start(struct axvm_vm *vm, uint32_t index)
{
	fake.claims++;
	if (fake.claim_result != 1)
		return fake.claim_result;
	if (index >= vm->vcpu_count)
		return AXVM_ENOENT;
	if (load_seq(&vm->vcpus[index]->state) != AXVM_VCPU_OFF)
		return AXVM_EEXIST;
	if (load_seq(&vm->vcpus[index]->starting) != 0)
		return AXVM_EBUSY;
	store_seq(&vm->vcpus[index]->starting, 1);
	return AXVM_OK;
}

void axvmi_vcpu_off(struct axvm_vcpu *vcpu)
{
	fake.offs++;
	vcpu->exit->u.halt.deadline = AXVM_NO_DEADLINE;
	store_seq(&vcpu->state, AXVM_VCPU_OFF);
}

int axvmi_halt(struct axvm_vcpu *vcpu, uint64_t deadline)
{
	fake.halts++;
	fake.hsm_at_halt = load_seq(&riscv_vcpu(vcpu)->hsm);
	if (fake.halt_result != 0)
		vcpu->exit->u.halt.deadline = deadline;
	return fake.halt_result;
}

int axvmi_system_event(struct axvm_vcpu *vcpu, enum axvm_exit_reason reason,
		       uint64_t type, uint64_t code)
{
	fake.events++;
	vcpu->exit->u.system.type = type;
	vcpu->exit->u.system.code = code;
	return (int)reason;
}

void axvmi_lines_take(struct axvm_vm *vm,
		      void (*update)(struct axvm_vm *vm, uint32_t line,
				     bool level, bool edge))
{
	if (load_relaxed(&vm->irqchip.held) == 0)
		abort();
	fake.takes++;
	store_seq(&vm->lines.changed_words, 0);
	for (uint32_t w = 0; w < AXVMI_MAX_LINES / 32; w++) {
		uint32_t changed = atomic_exchange(&vm->lines.changed[w], 0);
		uint32_t edges = atomic_exchange(&vm->lines.edge[w], 0);

		for (uint32_t b = 0; b < 32; b++) {
			if ((changed >> b & 1) != 0)
				update(vm, w * 32 + b,
				       axvmi_line_level(vm, w * 32 + b),
				       (edges >> b & 1) != 0);
		}
	}
	if (fake.after_take != NULL)
		fake.after_take();
	fake.after_take = NULL;
}

/* Of VMs with forwarded interrupts, which are tested with the real core. */
void axvmi_line_ended(struct axvm_vm *vm, uint32_t line)
{
	(void)vm;
	(void)line;
	abort();
}

const struct axvmi_space *axvmi_bus_find(const struct axvmi_bus *bus,
					 uint64_t addr)
{
	static struct axvmi_space space;

	if (bus != &fake.vm.core.bus[AXVM_BUS_MMIO])
		abort();
	for (uint32_t i = 0; i < 3; i++) {
		const struct axvm_region_config *r = &fake.regions[i].config;

		if (!range_contains(r->gpa.value, r->size, addr, 1))
			continue;
		space = (struct axvmi_space){.kind = AXVMI_SPACE_RAM,
					     .range = i};
		return &space;
	}
	space = (struct axvmi_space){.kind = AXVMI_SPACE_DEVICE};
	return range_contains(FAKE_DEVICE, 0x1000, addr, 1) ? &space : NULL;
}

/* As the real ones: page by page, nothing past the first bad page. */
static int fake_copy(uint64_t gpa, uint8_t *buffer, size_t size, bool write)
{
	fake.copies++;
	for (size_t i = 0; i < size; i++) {
		uint64_t at = gpa + i;

		if (!range_contains(FAKE_RAM, FAKE_SIZE, at, 1) ||
		    range_contains(FAKE_HOLE, 0x1000, at, 1) ||
		    (write && range_contains(FAKE_ROM, 0x1000, at, 1)))
			return fake.copy_error;
		if (write)
			fake.memory[at - FAKE_RAM] = buffer[i];
		else
			buffer[i] = fake.memory[at - FAKE_RAM];
	}
	return AXVM_OK;
}

int axvm_read_guest(struct axvm_vm *vm, struct axvm_gpa gpa, void *buffer,
		    size_t size)
{
	(void)vm;
	return fake_copy(gpa.value, buffer, size, false);
}

int axvm_write_guest(struct axvm_vm *vm, struct axvm_gpa gpa, const void *data,
		     size_t size)
{
	uint8_t copy[4096];

	(void)vm;
	memcpy(copy, data, size);
	return fake_copy(gpa.value, copy, size, true);
}

enum axvmi_hypercall_answer axvmi_hypercall(struct axvm_vcpu *vcpu,
					    uint64_t number,
					    const uint64_t args[6],
					    uint64_t *result)
{
	(void)vcpu;
	fake.hypercall[0] = number;
	memcpy(&fake.hypercall[1], args, 6 * sizeof(args[0]));
	if (fake.hypercall_answer == AXVMI_HYPERCALL_DONE)
		*result = 42;
	return fake.hypercall_answer;
}

static bool fake_irq_pending(struct axvm_vcpu *vcpu)
{
	(void)vcpu;
	return fake.irq_pending;
}

static const struct axvm_arch_ops fake_ops = {
	.name = "fake",
	.irq_pending = fake_irq_pending,
};

/* ---- metal ---- */

static int fake_read_gva(struct riscv_vcpu *v, uint64_t gva, uint64_t *value)
{
	(void)v;
	if (gva != FAKE_GVA)
		return fake.gva_error;
	*value = fake.gva_value;
	return AXVM_OK;
}

static uint64_t fake_deadline(struct riscv_vcpu *v)
{
	return v->timer == UINT64_MAX ? AXVM_NO_DEADLINE : v->timer * 100;
}

static uint64_t fake_read_hvip(struct riscv_vcpu *v)
{
	(void)v;
	return fake.hvip;
}

static void fake_restart(struct riscv_vcpu *v, uint64_t entry,
			 uint64_t argument)
{
	fake.restarts++;
	fake.restart_entry = entry;
	fake.restart_argument = argument;
	v->frame.pc = entry;
	v->frame.x[REG_A0] = v->hart_id;
	v->frame.x[REG_A1] = argument;
}

static const struct riscv_metal fake_metal = {
	.read_guest_virtual = fake_read_gva,
	.timer_deadline = fake_deadline,
	.read_hvip = fake_read_hvip,
	.restart = fake_restart,
};

/* ---- console ---- */

static bool fake_console_write(void *ctx, uint8_t byte)
{
	if (ctx != &fake)
		abort();
	if (fake.out_count == fake.out_room)
		return false;
	fake.out[fake.out_count++] = byte;
	return true;
}

static int fake_console_read(void *ctx)
{
	if (ctx != &fake)
		abort();
	return *fake.in == '\0' ? -1 : (uint8_t)*fake.in++;
}

static const struct axvm_debug_console fake_console = {
	.ctx = &fake,
	.write = fake_console_write,
	.read = fake_console_read,
};

/* ---- the VM ---- */

static void fake_region(uint32_t i, uint64_t gpa, uint64_t size,
			uint32_t access)
{
	fake.regions[i].config.gpa.value = gpa;
	fake.regions[i].config.size = size;
	fake.regions[i].config.access = access;
}

/* A running VM: all vCPUs READY but the last, which is OFF if there are two. */
static void fake_vm(uint32_t vcpus)
{
	struct axvm_vm *vm = &fake.vm.core;

	memset((void *)&fake, 0, sizeof(fake));
	fake.halt_result = AXVM_EXIT_HALT;
	fake.claim_result = 1;
	fake.copy_error = AXVM_EFAULT;
	fake.gva_error = AXVM_EFAULT;
	fake.out_room = sizeof(fake.out);
	fake.in = "";
	fake_region(0, FAKE_RAM, FAKE_RAM_SIZE, AXVM_RWX);
	fake_region(1, FAKE_ROM, 0x1000, AXVM_READ);
	fake_region(2, FAKE_DATA, 0x1000, AXVM_RW);
	vm->host = &fake.host;
	vm->ops = &fake_ops;
	vm->regions = fake.regions;
	vm->vcpu_count = vcpus;
	vm->console = fake_console;
	store_relaxed(&vm->vcpus_ready, vcpus);
	fake.vm.metal = &fake_metal;
	for (uint32_t i = 0; i < vcpus; i++) {
		struct riscv_vcpu *v = &fake.vcpus[i];

		vm->vcpus[i] = &v->core;
		v->core.vm = vm;
		v->core.index = i;
		v->core.exit = &fake.exit;
		v->hart_id = i;
		v->timer = UINT64_MAX;
		v->frame.pc = FAKE_RAM + 0x104;
		store_relaxed(&v->core.state, AXVM_VCPU_READY);
	}
	if (vcpus > 1)
		store_relaxed(&fake.vcpus[vcpus - 1].core.state, AXVM_VCPU_OFF);
}

/* What axvm_irq_set() and axvm_inject() leave behind. */
static inline void fake_line(uint32_t line, bool level, bool edge)
{
	struct axvmi_lines *lines = &fake.vm.core.lines;

	store_seq(&lines->asserted[line], level ? 1 : 0);
	if (edge)
		atomic_fetch_or(&lines->edge[line / 32], UINT32_C(1)
								 << line % 32);
	atomic_fetch_or(&lines->changed[line / 32], UINT32_C(1) << line % 32);
	atomic_fetch_or(&lines->changed_words, UINT32_C(1) << line / 32);
}

#endif
