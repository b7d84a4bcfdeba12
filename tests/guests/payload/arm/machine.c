/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The machine as its device tree tells it, and its console, a polled PL011. Read
 * once by the boot CPU, constant afterwards.
 */
#include "fdt.h"
#include "payload.h"

struct machine machine;

void console_put(char c)
{
	while ((read32(UART(UART_FR)) & FR_TXFF) != 0)
		;
	write32(UART(UART_DR), (uint8_t)c);
}

void power_off(void)
{
	(void)psci(PSCI_SYSTEM_OFF, 0, 0, 0);
	print("Bail out! the machine does not power off\n");
	for (;;)
		__asm__ volatile("wfi");
}

static void node(const char *name)
{
	if (starts(name, "cpu@") && machine.cpu_count < MAX_CPUS)
		machine.cpu_count++;
}

/* The first of several strings will do. */
static void compatible(const char *at, const char *value)
{
	if (at[0] == '\0')
		machine.axvm = same(value, "axvm,arm");
}

static void property(const char *parent, const char *at, const char *name,
		     const uint8_t *value, uint32_t length)
{
	bool reg = same(name, "reg");
	bool uart = starts(at, "serial@") || starts(at, "pl011@");

	(void)parent;
	if (same(name, "compatible")) {
		compatible(at, (const char *)value);
	} else if (starts(at, "cpu@") && reg && machine.cpu_count != 0) {
		machine.affinity[machine.cpu_count - 1] =
			length == 8 ? be64(value) : be32(value);
	} else if (starts(at, "memory@") && reg) {
		machine.ram_base = be64(value);
		machine.ram_size = be64(value + 8);
	} else if ((starts(at, "intc@") ||
		    starts(at, "interrupt-controller@")) &&
		   reg && length >= 32) {
		machine.gicd = be64(value);
		machine.gicr = be64(value + 16);
		machine.gicr_size = be64(value + 24);
	} else if (same(at, "chosen") && same(name, "bootargs")) {
		machine.masked_vtimer =
			same((const char *)value, "masked-vtimer");
	} else if (starts(at, "ivc@")) {
		if (reg)
			machine.ivc_base = be64(value);
		else if (same(name, "interrupts"))
			machine.ivc_irq = 32 + be32(value + 4);
	} else if (uart && reg) {
		machine.uart = be64(value);
	} else if (uart && same(name, "interrupts")) {
		machine.uart_intid = 32 + be32(value + 4);
	}
}

static void boot_cpu_first(uint64_t affinity)
{
	for (uint32_t i = 1; i < machine.cpu_count; i++) {
		if (machine.affinity[i] != affinity)
			continue;
		machine.affinity[i] = machine.affinity[0];
		machine.affinity[0] = affinity;
	}
}

void machine_read(const void *dtb)
{
	static const struct fdt_handler handler = {node, property};
	uint64_t affinity = sys_read(mpidr_el1) & 0xff00ffffffull;

	machine.uart = 0x09000000;
	machine.frequency = sys_read(cntfrq_el0);
	write32(UART(UART_LCR_H), 0x70); /* eight bits, FIFOs */
	write32(UART(UART_CR), CR_ON);
	if (!fdt_read(dtb, &handler))
		bail_out("no device tree at 0x%lx", (uint64_t)dtb);
	if (machine.cpu_count == 0 || machine.ram_size == 0 ||
	    machine.gicr_size == 0)
		bail_out("device tree names no CPU, memory or GIC");
	boot_cpu_first(affinity);
	note("%s machine, %u CPUs, boot CPU 0x%lx, RAM 0x%lx+0x%lx, %lu Hz",
	     machine.axvm ? "our" : "QEMU's", machine.cpu_count, affinity,
	     machine.ram_base, machine.ram_size, machine.frequency);
}
