/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Reset from inside. The boots are counted outside, because nothing may
 * survive one: each asks on the console for "c" (cold reboot), "w" (warm
 * reboot) or "p" (power off); without an answer the machine is switched off.
 */
#include "payload.h"

#define MARK 0x6d61726bull

static volatile bool spinning;
static volatile uint64_t canary; /* in .bss, which the entry zeroes */

static void spin(struct cpu *h)
{
	h->result = 1;
	spinning = true;
	for (;;)
		write8(UART(UART_SCR), 0x77);
}

static volatile uint64_t *high_memory(void)
{
	return (volatile uint64_t *)(machine.ram_base + machine.ram_size / 2 +
				     0x123 * PAGE);
}

static void as_new(void)
{
	uint64_t other = machine.hart_id[1];

	check_eq(*high_memory(), 0, "memory is zero");
	check_eq(canary, 0, "the image is loaded anew");
	check_eq(read32(PLIC_PRIORITY(machine.uart_irq)), 0,
		 "PLIC priority is zero");
	check_eq(read32(PLIC_ENABLE(machine.plic_context[0], 0)), 0,
		 "no source is enabled");
	check_eq(read8(UART(UART_IER)), 0, "no UART interrupt is enabled");
	check((csr_read(sip) & IRQ_SOFT) == 0 && !raised(IRQ_TIMER | IRQ_EXT),
	      "no interrupt is pending");
	check_eq(csr_read(sstatus) & SSTATUS_SIE, 0, "SIE is off");
	check_eq(csr_read(satp), 0, "satp is zero");
	check_eq(self()->id, 0, "hart 0 boots");
	if (machine.cpu_count > 1)
		check_eq(sbi(SBI_HSM, 2, other).value, 1,
			 "another hart is STOPPED");
}

static void leave_traces(void)
{
	*high_memory() = MARK;
	canary = MARK;
	write32(PLIC_PRIORITY(machine.uart_irq), 7);
	write32(PLIC_ENABLE(machine.plic_context[0], 0),
		1u << machine.uart_irq);
	set_timer(0);
	csr_set(sip, IRQ_SOFT);
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, spin, 0);
	if (machine.cpu_count > 1)
		(void)wait_for(spinning, 2000);
	paging_reset();
	paging_on();
	write8(UART(UART_IER), 3);
}

static char ask(void)
{
	note("axvm: c, w or p?");
	if (!wait_for((read8(UART(UART_LSR)) & 1) != 0, 5000))
		return 'p';
	return (char)read8(UART(UART_DATA));
}

void suite(void)
{
	char answer;

	as_new();
	do
		answer = ask();
	while (answer == '\n' || answer == '\r');
	if (answer == 'p')
		return;
	leave_traces();
	(void)sbi(SBI_SRST, 0, answer == 'w' ? 2 : 1, 0);
	bail_out("the reboot returned");
}
