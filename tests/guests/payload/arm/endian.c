/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Big-endian loads and stores of devices (DDI 0487, "Endianness in memory
 * reads and writes", SCTLR_EL1.E0E and EE): of EL0, and of EL1 with the MMU off,
 * since walks of its tables would be big-endian too. CPU_ON hands the order on.
 */
#include "insn.h"
#include "payload.h"

#define SCTLR_E0E (1ull << 24)
#define SCTLR_EE (1ull << 25)

/* Registers that hold what is written: 16 and 64 bits wide, two of the latter. */
#define HALF UART(UART_IBRD)
#define WIDE GICD(GICD_IROUTER + 8 * 40)
#define CODE_VA TEST_VA
#define HALF_VA (TEST_VA + PAGE)
#define WIDE_VA (TEST_VA + 2 * PAGE)
#define HOLE_VA (TEST_VA + 3 * PAGE)

/* Any mode, to the second CPU. */
#define ROUTE (1ull << 31 | 1)

static uint8_t code[PAGE] __attribute__((aligned(4096)));

static uint64_t turned(uint64_t v, uint32_t size)
{
	return __builtin_bswap64(v) >> (64 - 8 * size);
}

/* ---- EL0 ---- */

static const struct frame *at_el0(uint32_t insn, uint64_t base, uint64_t x9)
{
	static struct frame f;

	frame_fill(&f);
	f.x[8] = base;
	f.x[9] = x9;
	return exec_at(code, CODE_VA, insn, &f, true);
}

static void check_load(const char *name, uint32_t insn, uint64_t base,
		       uint64_t want)
{
	const struct frame *after = at_el0(insn, base, 0);

	check(esr_ec(after) == EC_BRK && after->x[9] == want,
	      "%s reads 0x%lx (0x%lx)", name, want, after->x[9]);
}

static void loads(void)
{
	uint64_t at = WIDE_VA + (WIDE & (PAGE - 1));
	uint64_t half = HALF_VA + UART_IBRD;
	const struct frame *after;

	write16(HALF, 0x84f1);
	write64(WIDE, ROUTE);
	write64(WIDE + 8, 3);
	check_load("ldrh", insn_ls(1, 0, 1, 9, 8, 0), half, 0xf184);
	check_load("ldrsh x", insn_ls(1, 0, 2, 9, 8, 0), half,
		   0xfffffffffffff184);
	check_load("ldrsh w", insn_ls(1, 0, 3, 9, 8, 0), half, 0xfffff184);
	check_load("ldrh with writeback", insn_ls9(1, 0, 1, 1, 9, 8, 2), half,
		   0xf184);
	check_load("ldrb", insn_ls(0, 0, 1, 9, 8, 0), HOLE_VA, 0xff);
	check_load("ldr w", insn_ls(2, 0, 1, 9, 8, 0), at, 0x01000080);
	check_load("ldrsw", insn_ls(2, 0, 2, 9, 8, 0), at, 0x01000080);
	check_load("ldr x", insn_ls(3, 0, 1, 9, 8, 0), at, turned(ROUTE, 8));
	after = at_el0(insn_lsp(2, 0, 2, 1, 9, 10, 8, 0), at, 0);
	check(after->x[9] == turned(ROUTE, 8) && after->x[10] == turned(3, 8),
	      "ldp x turns each register round");
}

static void stores(void)
{
	uint64_t at = WIDE_VA + (WIDE & (PAGE - 1));
	uint64_t half = HALF_VA + UART_IBRD;

	(void)at_el0(insn_ls(1, 0, 0, 9, 8, 0), half, 0x1234);
	check_eq(read16(HALF), 0x3412, "strh turns the half-word round");
	(void)at_el0(insn_ls9(1, 0, 0, 3, 9, 8, 2), half - 2, 0x5678);
	check_eq(read16(HALF), 0x7856, "also with writeback");
	write64(WIDE, 0);
	(void)at_el0(insn_ls(3, 0, 0, 9, 8, 0), at, turned(ROUTE, 8));
	check_eq(read64(WIDE), ROUTE, "str x turns the doubleword round");
	write64(WIDE, 0);
	write64(WIDE + 8, 0);
	(void)at_el0(insn_lsp(2, 0, 2, 0, 9, 9, 8, 0), at, turned(ROUTE, 8));
	check(read64(WIDE) == ROUTE && read64(WIDE + 8) == ROUTE,
	      "stp x does so with each");
}

/* ---- EL1 ---- */

/* One access with the other order, and back. */
static uint64_t big_load(uint64_t at)
{
	uint64_t sctlr = sys_read(sctlr_el1);
	uint64_t v;

	__asm__ volatile("msr sctlr_el1, %2\n\tisb\n\t"
			 "ldrh %w0, [%1]\n\t"
			 "msr sctlr_el1, %3\n\tisb"
			 : "=&r"(v)
			 : "r"(at), "r"(sctlr | SCTLR_EE), "r"(sctlr)
			 : "memory");
	return v;
}

static void big_store(uint64_t at, uint64_t v)
{
	uint64_t sctlr = sys_read(sctlr_el1);

	__asm__ volatile("msr sctlr_el1, %2\n\tisb\n\t"
			 "strh %w0, [%1]\n\t"
			 "msr sctlr_el1, %3\n\tisb" ::"r"(v),
			 "r"(at), "r"(sctlr | SCTLR_EE), "r"(sctlr)
			 : "memory");
}

static void at_el1(void)
{
	bool ok = true;

	write16(HALF, 0x84f1);
	for (uint32_t i = 0; i < 3; i++)
		ok = ok && read16(HALF) == 0x84f1 && big_load(HALF) == 0xf184;
	check(ok, "EL1 reads in the order of the moment");
	for (uint32_t i = 0; i < 3; i++) {
		big_store(HALF, 0x1200 + i);
		ok = ok && read16(HALF) == (i << 8 | 0x12);
		write16(HALF, (uint16_t)(0x3400 + i));
		ok = ok && read16(HALF) == 0x3400 + i;
	}
	check(ok, "and writes so");
}

/* ---- CPU_ON ---- */

/* Notes SCTLR_EL1, and goes on as everybody else. */
void big_entry(void);
__asm__(".text\n"
	"big_entry:\n"
	"	mrs	x1, sctlr_el1\n"
	"	and	x2, x1, #~(1 << 25)\n"
	"	msr	sctlr_el1, x2\n"
	"	isb\n"
	"	adrp	x2, big_sctlr\n"
	"	add	x2, x2, :lo12:big_sctlr\n"
	"	str	x1, [x2]\n"
	"	b	secondary_entry\n");
volatile uint64_t big_sctlr;

static int64_t big_cpu_on(uint64_t affinity, uint64_t arg)
{
	uint64_t sctlr = sys_read(sctlr_el1);
	register uint64_t x0 __asm__("x0") = PSCI_CPU_ON;
	register uint64_t x1 __asm__("x1") = affinity;
	register uint64_t x2 __asm__("x2") = (uint64_t)big_entry;
	register uint64_t x3 __asm__("x3") = arg;

	__asm__ volatile("msr sctlr_el1, %4\n\tisb\n\t"
			 "hvc #0\n\t"
			 "msr sctlr_el1, %5\n\tisb"
			 : "+r"(x0)
			 : "r"(x1), "r"(x2), "r"(x3), "r"(sctlr | SCTLR_EE),
			   "r"(sctlr)
			 : "memory");
	return (int32_t)x0;
}

static void nothing(struct cpu *c)
{
	c->result = 1;
}

static void started(void)
{
	big_sctlr = 0;
	cpu_prepare(1, nothing, 0);
	check_eq((uint64_t)big_cpu_on(machine.affinity[1], (uint64_t)&cpus[1]),
		 PSCI_OK, "a CPU can be started by a big-endian one");
	check(cpu_join(1, 5000) && cpus[1].result == 1, "and runs");
	check((big_sctlr & SCTLR_EE) != 0, "as big-endian");
	check(cpu_start(1, nothing, 0) && cpu_join(1, 5000) &&
		      (cpus[1].entry_sctlr & SCTLR_EE) == 0,
	      "and as little-endian the next time");
}

void suite(void)
{
	uint64_t sctlr = sys_read(sctlr_el1);

	check((sys_read(id_aa64mmfr0_el1) >> 8 & 15) == 1,
	      "both orders are there");
	paging_map(CODE_VA, (uint64_t)code, PTE_NORMAL | PTE_EL0 | PTE_PXN);
	paging_map(HALF_VA, HALF & ~(PAGE - 1ull), PTE_DEVICE | PTE_EL0);
	paging_map(WIDE_VA, WIDE & ~(PAGE - 1ull), PTE_DEVICE | PTE_EL0);
	paging_map(HOLE_VA, HOLE, PTE_DEVICE | PTE_EL0);
	sys_write(sctlr_el1, sctlr | SCTLR_E0E);
	loads();
	stores();
	sys_write(sctlr_el1, sctlr);
	check_load("in the usual order ldrh", insn_ls(1, 0, 1, 9, 8, 0),
		   HALF_VA + UART_IBRD, 0x7856);
	paging_off();
	at_el1();
	if (machine.axvm && machine.cpu_count > 1)
		started();
	else
		skip("QEMU's own PSCI, or one CPU",
		     "CPU_ON by a big-endian CPU");
}
