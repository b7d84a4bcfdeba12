/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Hypercalls by the SBI's way of calling, the doorbell through the PLIC. Boot hart
 * only. */
#include "ivc.h"

#define HYPERCALL 0x485643u

static void (*bell)(uint32_t source);

uint64_t ivc_call(uint64_t number, const uint64_t args[6])
{
	return sbi_call(HYPERCALL, number, args).error;
}

static void on_ext(struct cpu *h)
{
	uint32_t ctx = machine.plic_context[0];
	uint32_t source = read32(PLIC_CLAIM(ctx));

	(void)h;
	bell(source);
	write32(PLIC_CLAIM(ctx), source);
}

void ivc_listen(void (*rang)(uint32_t source))
{
	uint32_t ctx = machine.plic_context[0];

	if (rang == NULL) {
		csr_clear(sie, IRQ_EXT | IRQ_TIMER);
		return;
	}
	bell = rang;
	self()->on_ext = on_ext;
	write32(PLIC_PRIORITY(machine.ivc_irq), 1);
	write32(PLIC_ENABLE(ctx, machine.ivc_irq / 32),
		1u << machine.ivc_irq % 32);
	write32(PLIC_THRESHOLD(ctx), 0);
	csr_set(sie, IRQ_EXT | IRQ_TIMER);
}

void ivc_sleep(uint64_t end)
{
	(void)set_timer(end);
	__asm__ volatile("wfi" ::: "memory");
	csr_set(sstatus, SSTATUS_SIE);
	csr_clear(sstatus, SSTATUS_SIE);
}
