/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The machine as its device tree tells it. Read once by the boot hart, constant
 * afterwards.
 */
#include "fdt.h"
#include "payload.h"

struct machine machine;

/* interrupts-extended of the PLIC: resolved when all is read. */
static const uint8_t *contexts;
static uint32_t context_bytes;

static void copy_string(char *to, const char *from, uint32_t max)
{
	uint32_t i;

	for (i = 0; i + 1 < max && from[i] != '\0'; i++)
		to[i] = from[i];
	to[i] = '\0';
}

static void cpu_property(const char *name, const uint8_t *value)
{
	uint32_t n = machine.cpu_count;

	if (n == 0 || n > MAX_CPUS)
		return;
	if (same(name, "reg"))
		machine.hart_id[n - 1] = be32(value);
	else if (same(name, "riscv,isa"))
		copy_string(machine.isa, (const char *)value,
			    sizeof(machine.isa));
}

static void node(const char *name)
{
	if (starts(name, "cpu@") && machine.cpu_count < MAX_CPUS)
		machine.cpu_count++;
}

static void property(const char *parent, const char *node, const char *name,
		     const uint8_t *value, uint32_t length)
{
	uint32_t n = machine.cpu_count;

	if (starts(node, "cpu@")) {
		cpu_property(name, value);
	} else if (starts(node, "interrupt-controller") && n > 0 &&
		   starts(parent, "cpu@")) {
		if (same(name, "phandle"))
			machine.phandle[n - 1] = be32(value);
	} else if (same(name, "timebase-frequency")) {
		machine.frequency = be32(value);
	} else if (starts(node, "memory@") && same(name, "reg")) {
		machine.ram_base = be64(value);
		machine.ram_size = be64(value + 8);
	} else if (same(name, "interrupts-extended") && length >= 8 &&
		   (starts(node, "plic") ||
		    starts(node, "interrupt-controller"))) {
		contexts = value;
		context_bytes = length;
		machine.plic_base = 0x0c000000;
	} else if (starts(node, "ivc@")) {
		if (same(name, "reg"))
			machine.ivc_base = be64(value);
		else if (same(name, "interrupts"))
			machine.ivc_irq = be32(value);
	} else if ((starts(node, "serial@") || starts(node, "uart@")) &&
		   same(name, "interrupts")) {
		machine.uart_irq = be32(value);
	}
}

/* The context number is the position among the (controller, line) pairs. */
static void resolve_contexts(void)
{
	for (uint32_t i = 0; i + 8 <= context_bytes; i += 8) {
		uint32_t phandle = be32(contexts + i);

		if (be32(contexts + i + 4) != 9)
			continue;
		for (uint32_t n = 0; n < machine.cpu_count; n++) {
			if (machine.phandle[n] == phandle)
				machine.plic_context[n] = i / 8;
		}
	}
}

static void boot_hart_first(uint64_t boot_hart)
{
	for (uint32_t i = 1; i < machine.cpu_count; i++) {
		uint32_t context = machine.plic_context[i];

		if (machine.hart_id[i] != boot_hart)
			continue;
		machine.hart_id[i] = machine.hart_id[0];
		machine.hart_id[0] = boot_hart;
		machine.plic_context[i] = machine.plic_context[0];
		machine.plic_context[0] = context;
	}
}

void machine_read(const void *dtb, uint64_t boot_hart)
{
	static const struct fdt_handler handler = {node, property};

	machine.uart_base = 0x10000000;
	machine.frequency = 10000000;
	if (!fdt_read(dtb, &handler))
		bail_out("no device tree at 0x%lx", (uint64_t)dtb);
	if (machine.cpu_count == 0 || machine.ram_size == 0)
		bail_out("device tree names no cpu or no memory");
	resolve_contexts();
	boot_hart_first(boot_hart);
	note("%u harts, boot hart %lu, RAM 0x%lx+0x%lx, %s", machine.cpu_count,
	     boot_hart, machine.ram_base, machine.ram_size, machine.isa);
}

/* One letter after "rv64", or a name between underscores. */
bool isa_has(const char *name)
{
	const char *isa = machine.isa;

	if (name[1] == '\0') {
		for (isa += 4; *isa != '\0' && *isa != '_'; isa++) {
			if (*isa == *name)
				return true;
		}
		return false;
	}
	for (; *isa != '\0'; isa++) {
		uint32_t n = 0;

		if (*isa != '_')
			continue;
		while (name[n] != '\0' && isa[n + 1] == name[n])
			n++;
		if (name[n] == '\0' &&
		    (isa[n + 1] == '\0' || isa[n + 1] == '_'))
			return true;
	}
	return false;
}
