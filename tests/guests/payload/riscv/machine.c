/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The machine as its flattened device tree tells it (Devicetree
 * Specification, "Flattened Devicetree Format"), and the four memory
 * functions. Read once by the boot hart, constant afterwards.
 */
#include "payload.h"

#define FDT_MAGIC 0xd00dfeedu
#define MAX_DEPTH 8u

struct machine machine;

/* What is known of the node being read, and of those around it. */
struct node {
	char name[32];
	uint32_t irq;
};

struct reader {
	const uint8_t *at;
	const char *strings;
	struct node stack[MAX_DEPTH];
	uint32_t depth;
	/* interrupts-extended of the PLIC: resolved when all is read. */
	const uint8_t *contexts;
	uint32_t context_bytes;
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static bool same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static bool starts(const char *s, const char *prefix)
{
	while (*prefix != '\0') {
		if (*s++ != *prefix++)
			return false;
	}
	return true;
}

static void copy_string(char *to, const char *from, uint32_t max)
{
	uint32_t i;

	for (i = 0; i + 1 < max && from[i] != '\0'; i++)
		to[i] = from[i];
	to[i] = '\0';
}

static void cpu_property(const char *name, const uint8_t *value)
{
	uint32_t n = machine.hart_count;

	if (n == 0 || n > MAX_HARTS)
		return;
	if (same(name, "reg"))
		machine.hart_id[n - 1] = be32(value);
	else if (same(name, "riscv,isa"))
		copy_string(machine.isa, (const char *)value,
			    sizeof(machine.isa));
}

static void property(struct reader *r, const char *name, const uint8_t *value,
		     uint32_t length)
{
	const char *node = r->stack[r->depth].name;
	uint32_t n = machine.hart_count;

	if (starts(node, "cpu@")) {
		cpu_property(name, value);
	} else if (starts(node, "interrupt-controller") && n > 0 &&
		   r->depth > 0 &&
		   starts(r->stack[r->depth - 1].name, "cpu@")) {
		if (same(name, "phandle"))
			machine.phandle[n - 1] = be32(value);
	} else if (same(name, "timebase-frequency")) {
		machine.timebase = be32(value);
	} else if (starts(node, "memory@") && same(name, "reg")) {
		machine.ram_base = be64(value);
		machine.ram_size = be64(value + 8);
	} else if (same(name, "interrupts-extended") && length >= 8 &&
		   (starts(node, "plic") ||
		    starts(node, "interrupt-controller"))) {
		r->contexts = value;
		r->context_bytes = length;
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

static void read_nodes(struct reader *r)
{
	for (;;) {
		uint32_t token = be32(r->at);

		r->at += 4;
		if (token == 1) {
			const char *name = (const char *)r->at;
			uint32_t n = 0;

			while (name[n] != '\0')
				n++;
			r->at += (n + 4u) & ~3u;
			r->depth = r->depth + 1 < MAX_DEPTH ? r->depth + 1
							    : r->depth;
			copy_string(r->stack[r->depth].name, name, 32);
			if (starts(name, "cpu@") &&
			    machine.hart_count < MAX_HARTS)
				machine.hart_count++;
		} else if (token == 2) {
			r->depth -= r->depth > 0;
		} else if (token == 3) {
			uint32_t length = be32(r->at);

			property(r, r->strings + be32(r->at + 4), r->at + 8,
				 length);
			r->at += 8 + ((length + 3u) & ~3u);
		} else if (token != 4) {
			return;
		}
	}
}

/* The context number is the position among the (controller, line) pairs. */
static void resolve_contexts(const struct reader *r)
{
	for (uint32_t i = 0; i + 8 <= r->context_bytes; i += 8) {
		uint32_t phandle = be32(r->contexts + i);

		if (be32(r->contexts + i + 4) != 9)
			continue;
		for (uint32_t n = 0; n < machine.hart_count; n++) {
			if (machine.phandle[n] == phandle)
				machine.plic_context[n] = i / 8;
		}
	}
}

static void boot_hart_first(uint64_t boot_hart)
{
	for (uint32_t i = 1; i < machine.hart_count; i++) {
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
	const uint8_t *fdt = dtb;
	struct reader r = {0};

	machine.uart_base = 0x10000000;
	machine.timebase = 10000000;
	if (((uint64_t)dtb & 7) != 0 || be32(fdt) != FDT_MAGIC)
		bail_out("no device tree at 0x%lx", (uint64_t)dtb);
	r.at = fdt + be32(fdt + 8);
	r.strings = (const char *)fdt + be32(fdt + 12);
	read_nodes(&r);
	if (machine.hart_count == 0 || machine.ram_size == 0)
		bail_out("device tree names no cpu or no memory");
	resolve_contexts(&r);
	boot_hart_first(boot_hart);
	note("%u harts, boot hart %lu, RAM 0x%lx+0x%lx, %s", machine.hart_count,
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

void *memcpy(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	while (n-- > 0)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int c, size_t n)
{
	uint8_t *t = to;

	while (n-- > 0)
		*t++ = (uint8_t)c;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if (t <= f)
		return memcpy(to, from, n);
	while (n-- > 0)
		t[n] = f[n];
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	for (size_t i = 0; i < n; i++) {
		if (x[i] != y[i])
			return x[i] - y[i];
	}
	return 0;
}
