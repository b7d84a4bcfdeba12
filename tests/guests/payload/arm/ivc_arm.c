/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Hypercalls by HVC, the doorbell through the GIC. Boot CPU only. */
#include "ivc.h"

static void (*bell)(uint32_t source);

uint64_t ivc_call(uint64_t number, const uint64_t args[6])
{
	register uint64_t x0 __asm__("x0") = number;
	register uint64_t x1 __asm__("x1") = args[0];
	register uint64_t x2 __asm__("x2") = args[1];
	register uint64_t x3 __asm__("x3") = args[2];
	register uint64_t x4 __asm__("x4") = args[3];
	register uint64_t x5 __asm__("x5") = args[4];
	register uint64_t x6 __asm__("x6") = args[5];

	__asm__ volatile("hvc #0"
			 : "+r"(x0)
			 : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x6)
			 : "memory");
	return x0;
}

static void on_irq(struct cpu *c, uint32_t intid)
{
	(void)c;
	if (intid == PPI_VIRTUAL)
		sys_write(cntv_ctl_el0, 0);
	else
		bell(intid);
}

void ivc_listen(void (*rang)(uint32_t source))
{
	struct cpu *c = self();
	bool on = rang != NULL;

	bell = rang;
	c->on_irq = on ? on_irq : NULL;
	if (on) {
		gic_priority(c, machine.ivc_irq, 0xa0);
		gic_edge(c, machine.ivc_irq, false);
		gic_route(machine.ivc_irq, c->affinity);
	}
	gic_enable(c, machine.ivc_irq, on);
	gic_enable(c, PPI_VIRTUAL, on);
}

void ivc_sleep(uint64_t end)
{
	sys_write(cntv_cval_el0, end);
	sys_write(cntv_ctl_el0, 1);
	__asm__ volatile("wfi" ::: "memory");
	irqs_on();
	irqs_off();
}
