/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The cost of round trips out of the guest, for tests/bench/arm_vhe.sh: lines
 * "bench arm_vhe NAME VALUE instructions", of a machine that executes one
 * instruction per nanosecond. The loops count themselves.
 */
#include "payload.h"

#define ROUNDS 10000u
/* A region whose pages come on demand; see tests/bench/exits.sh. */
#define DEMAND 0x100000000ull
/* Of the sample hypervisor when it counts. */
#define COUNT_TLBIS 0xbe00u
#define COUNT_ISBS 0xbe01u

#define SGI 3u
#define SPI 40u
#define TIMER_ON 1ull
#define TIMER_MASKED 3ull
#define TIMER_LATER 0x7fffffffull

/* bench_vectors.S */
extern char vectors[], sgi_vectors[], timer_vectors[];

/* ---- what is measured ---- */

static void psci_version(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		register uint64_t x0 __asm__("x0") = PSCI_VERSION;

		__asm__ volatile("hvc #0"
				 : "+r"(x0)::"x1", "x2", "x3", "memory");
	}
}

static void gicd_typer(void)
{
	uint64_t typer = GICD(GICD_TYPER);

	for (uint32_t i = 0; i < ROUNDS; i++)
		(void)read32(typer);
}

static void gicd_isenabler(void)
{
	uint64_t enabled = GICD(GICD_ISENABLER + SPI / 32 * 4);

	for (uint32_t i = 0; i < ROUNDS; i++)
		(void)read32(enabled);
}

/* Four interrupts at once. */
static void gicd_ipriorityr(void)
{
	uint64_t priorities = GICD(GICD_IPRIORITYR + SPI);

	for (uint32_t i = 0; i < ROUNDS; i++)
		write32(priorities, i);
}

/* One of those that are filtered. */
static void id_reg(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++)
		(void)sys_read(id_aa64pfr0_el1);
}

static void mmio_host(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++)
		(void)read32(HOLE + 8);
}

static void s2_fault(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++)
		write8(DEMAND + (uint64_t)i * PAGE, 1);
}

/* Of the loops below, which are interrupted once a round. */
static uint64_t taken;

/* Sent, taken, acknowledged, ended. */
static void sgi_self(void)
{
	uint64_t value = 1ull << machine.affinity[0] % 16 | SGI << 24;
	uint64_t rounds = ROUNDS;
	register uint64_t x17 __asm__("x17") = 0;

	__asm__ volatile("1:	msr S3_0_C12_C11_5, %2\n" /* ICC_SGI1R_EL1 */
			 "	isb\n"
			 "	subs %0, %0, #1\n"
			 "	b.ne 1b"
			 : "+r"(rounds), "+r"(x17)
			 : "r"(value)
			 : "x16", "cc", "memory");
	taken = x17;
}

/* Armed, due at once, taken, acknowledged, masked, set for later, ended. */
static void vtimer_irq(void)
{
	uint64_t rounds = ROUNDS;
	register uint64_t x13 __asm__("x13") = TIMER_ON;
	register uint64_t x14 __asm__("x14") = TIMER_LATER;
	register uint64_t x15 __asm__("x15") = TIMER_MASKED;
	register uint64_t x17 __asm__("x17") = 0;

	__asm__ volatile("1:	msr cntv_tval_el0, xzr\n"
			 "	msr cntv_ctl_el0, %2\n"
			 "	isb\n"
			 "	subs %0, %0, #1\n"
			 "	b.ne 1b"
			 : "+r"(rounds), "+r"(x17)
			 : "r"(x13), "r"(x14), "r"(x15)
			 : "x16", "cc", "memory");
	taken = x17;
	sys_write(cntv_ctl_el0, 0);
}

/* ---- measuring ---- */

/* All-ones from a hypervisor that does not count. */
static uint64_t counter(uint64_t number)
{
	return (uint64_t)call(number, 0, 0, 0);
}

static void report_count(const char *name, const char *what, uint64_t count)
{
	print("bench arm_vhe %s_%s %lu.%lu count\n", name, what, count / ROUNDS,
	      count % ROUNDS * 10 / ROUNDS);
}

/* A tick of the clock is 16 instructions, of 10,000 rounds. */
static void bench(const char *name, void (*work)(void))
{
	uint64_t tlbis = counter(COUNT_TLBIS);
	uint64_t isbs = counter(COUNT_ISBS);
	uint64_t ns_per_tick = 1000000000u / machine.frequency;
	uint64_t began = now();
	uint64_t tenths;

	work();
	tenths = ((now() - began) * ns_per_tick * 10 + ROUNDS / 2) / ROUNDS;
	if (isbs == UINT64_MAX) {
		print("bench arm_vhe %s %lu.%lu instructions\n", name,
		      tenths / 10, tenths % 10);
		return;
	}
	/* The calls count a few of their own, a ten-thousandth each. */
	report_count(name, "isb", counter(COUNT_ISBS) - isbs);
	report_count(name, "tlbi", counter(COUNT_TLBIS) - tlbis);
}

static void bench_irq(const char *name, void (*work)(void), const char *table)
{
	sys_write(vbar_el1, table);
	irqs_on();
	bench(name, work);
	irqs_off();
	sys_write(vbar_el1, vectors);
	check_eq(taken, ROUNDS, "%s: every interrupt was taken", name);
}

void suite(void)
{
	struct cpu *c = self();

	bench("psci_version", psci_version);
	bench("gicd_typer", gicd_typer);
	bench("gicd_isenabler", gicd_isenabler);
	bench("gicd_ipriorityr", gicd_ipriorityr);
	bench("id_reg", id_reg);
	bench_irq("sgi_self", sgi_self, sgi_vectors);
	gic_enable(c, PPI_VIRTUAL, true);
	bench_irq("vtimer_irq", vtimer_irq, timer_vectors);
	gic_enable(c, PPI_VIRTUAL, false);
	bench("mmio_host", mmio_host);
	/* Whether its frames are at hand is the script's business. */
	*paging_upper_entry(DEMAND, 1) =
		DEMAND | PTE_BLOCK | PTE_NORMAL | PTE_UXN;
	tlb_flush();
	bench("s2_fault", s2_fault);
}
