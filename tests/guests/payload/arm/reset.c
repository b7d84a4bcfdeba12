/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Reset from inside. The boots are counted outside, because nothing may survive
 * one: each asks on the console for "c" (SYSTEM_RESET), "w" (SYSTEM_RESET2) or
 * "p" (power off); without an answer the machine is switched off.
 */
#include "payload.h"

#define MARK 0x6d61726bull
#define SPI 40u

static volatile bool spinning;
static volatile uint64_t canary = 1; /* in the image */

static void spin(struct cpu *c)
{
	c->result = 1;
	spinning = true;
	for (;;)
		(void)read8(HOLE);
}

static volatile uint64_t *high_memory(void)
{
	return (volatile uint64_t *)(machine.ram_base + machine.ram_size / 2 +
				     0x123 * PAGE);
}

static void as_new(void)
{
	const struct cpu *c = self();

	if (machine.axvm)
		check_eq(*high_memory(), 0, "memory is zero");
	else
		skip("QEMU leaves it", "memory is zero");
	check_eq(canary, 1, "the image is loaded anew");
	check_eq(read8(GICD(GICD_IPRIORITYR + SPI)), 0,
		 "priorities of the GIC are zero");
	check_eq(read64(GICD(GICD_IROUTER + 8ull * SPI)), 0, "so are routes");
	check(!gic_is_pending(c, SPI) && !gic_is_active(c, SPI),
	      "nothing is pending or active");
	if (machine.axvm) {
		check_eq(read32(UART(UART_IMSC)), 0,
			 "no UART interrupt is enabled");
		check_eq(read32(UART(UART_IBRD)), 0, "its divisor is zero");
	} else {
		skip("QEMU 7.2 does not reset it", "the UART is as new");
	}
	check((sys_read(cntv_ctl_el0) & 1) == 0 &&
		      (sys_read(cntp_ctl_el0) & 1) == 0,
	      "the timers are off");
	check(!irq_waits(), "no interrupt waits");
	check_eq(c->entry_sctlr & (SCTLR_M | SCTLR_C | SCTLR_I), 0,
		 "MMU and caches were off");
	check_eq(sys_read(mpidr_el1) & 0xffffff, 0, "CPU 0 boots");
	if (machine.cpu_count > 1)
		check(psci(PSCI_AFFINITY_INFO, machine.affinity[1], 0, 0) == 1,
		      "another CPU is OFF");
}

static void leave_traces(void)
{
	*high_memory() = MARK;
	canary = MARK;
	write8(GICD(GICD_IPRIORITYR + SPI), 0x80);
	gic_route(SPI, 1ull << 31);
	gic_enable(self(), SPI, true);
	gic_pend(self(), SPI, true);
	gic_activate(self(), SPI, true);
	gic_enable(self(), PPI_VIRTUAL, true);
	sys_write(cntv_cval_el0, 0);
	sys_write(cntv_ctl_el0, 1);
	sys_write(cntp_cval_el0, 0);
	sys_write(cntp_ctl_el0, 1);
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, spin, 0);
	if (machine.cpu_count > 1)
		(void)wait_for(spinning, 2000);
	write32(UART(UART_IBRD), 0x123);
	write32(UART(UART_IMSC), 0x7f0);
}

static char ask(void)
{
	note("axvm: c, w or p?");
	if (!wait_for((read32(UART(UART_FR)) & FR_RXFE) == 0, 5000))
		return 'p';
	return (char)read32(UART(UART_DR));
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
	if (answer == 'w')
		(void)psci(PSCI_SYSTEM_RESET2, 0, 0, 0);
	else
		(void)psci(PSCI_SYSTEM_RESET, 0, 0, 0);
	bail_out("the reboot returned");
}
