/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Host interrupts handed to a guest as edges of the line of the same number.
 * `posted` has the lines whose host interrupt is masked until the guest ends
 * them. No lock: posts come from interrupt handlers, ends from vCPU threads.
 *
 * A bit is cleared before the host is told, so that an interrupt that fires at
 * once is a new post; only who clears it tells, so that it is told once.
 */
#include "internal.h"

#define WORD_BITS 32u
#define WORDS (AXVMI_MAX_LINES / WORD_BITS)

static inline uint32_t bit_of(uint32_t line)
{
	return UINT32_C(1) << line % WORD_BITS;
}

int axvmi_forward_init(struct axvm_vm *vm, struct axvm_config_error *error)
{
	static const char no_unmask[] = "the host has no irq_unmask";
	const struct axvm_vm_config *c = &vm->config;
	bool can = vm->host->hal.irq_unmask != NULL;

	if (c->interrupt_mode == AXVM_INTERRUPTS_PASSTHROUGH && !can)
		return axvmi_refuse(error, AXVM_ENOTSUP, FIELD_INTERRUPTS, 0,
				    no_unmask);
	for (uint32_t i = 0; i < c->passthrough_count; i++) {
		uint32_t line = c->passthrough[i].irq;

		if (line == 0)
			continue;
		if (!can)
			return axvmi_refuse(error, AXVM_ENOTSUP,
					    FIELD_PASSTHROUGH, i, no_unmask);
		if (!axvmi_line_exists(vm, line))
			return axvmi_refuse(error, AXVM_ENOENT,
					    FIELD_PASSTHROUGH, i,
					    "no such interrupt line");
		vm->forward.lines[line / WORD_BITS] |= bit_of(line);
		vm->forward.any = true;
	}
	return AXVM_OK;
}

int axvm_irq_forward(struct axvm_vm *vm, uint32_t irq)
{
	atomic_u32 *posted;

	if (vm == NULL)
		return AXVM_EINVAL;
	if (irq >= AXVMI_MAX_LINES || !axvmi_forwards(vm, irq))
		return AXVM_ENOENT;
	if (load_seq(&vm->state) == AXVM_VM_LOADING)
		return AXVM_ESTATE;
	posted = &vm->forward.posted[irq / WORD_BITS];
	if ((atomic_fetch_or(posted, bit_of(irq)) & bit_of(irq)) != 0)
		return AXVM_OK;
	return axvm_inject(vm, 0, irq);
}

static void unmask(struct axvm_vm *vm, uint32_t line)
{
	const struct axvm_hal *hal = &vm->host->hal;

	hal->irq_unmask(hal->ctx, line);
}

void axvmi_line_ended(struct axvm_vm *vm, uint32_t line)
{
	atomic_u32 *posted = &vm->forward.posted[line / WORD_BITS];

	if ((atomic_fetch_and(posted, ~bit_of(line)) & bit_of(line)) != 0)
		unmask(vm, line);
}

void axvmi_forward_reset(struct axvm_vm *vm)
{
	for (uint32_t word = 0; word < WORDS; word++) {
		uint32_t bits = atomic_exchange(&vm->forward.posted[word], 0);

		for (; bits != 0; bits &= bits - 1)
			unmask(vm, word * WORD_BITS + lowest_bit64(bits));
	}
}
