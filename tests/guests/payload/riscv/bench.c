/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The cost of round trips out of the guest, for tests/bench/riscv_h.sh: lines
 * "bench riscv_h NAME VALUE instructions", of a machine that executes one
 * instruction per nanosecond. The loops count themselves.
 */
#include "payload.h"

#define ROUNDS 10000u
/* A region whose pages come on demand; see riscv_h.sh. */
#define DEMAND 0x100000000ull
/* Of the sample hypervisor when it counts: fences and vector swaps. */
#define HYPERCALL 0x485643u
#define COUNT_HFENCES 0xbe00u
#define COUNT_VECTORS 0xbe01u

static inline uint64_t ecall(uint64_t ext, uint64_t fid, uint64_t arg0,
			     uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
	register uint64_t a0 __asm__("a0") = arg0;
	register uint64_t a1 __asm__("a1") = arg1;
	register uint64_t a2 __asm__("a2") = arg2;
	register uint64_t a3 __asm__("a3") = arg3;
	register uint64_t a6 __asm__("a6") = fid;
	register uint64_t a7 __asm__("a7") = ext;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a6), "r"(a7)
			 : "memory");
	return a0;
}

/* ---- what is measured ---- */

static void sbi_base(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++)
		(void)ecall(SBI_BASE, 0, 0, 0, 0, 0);
}

/* Never due. */
static void sbi_set_timer(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++)
		(void)ecall(SBI_TIME, 0, UINT64_MAX - i, 0, 0, 0);
}

static void irqchip_read(void)
{
	uint64_t priority = PLIC_PRIORITY(3);

	for (uint32_t i = 0; i < ROUNDS; i++)
		(void)read32(priority);
}

static void irqchip_write(void)
{
	uint64_t priority = PLIC_PRIORITY(3);

	for (uint32_t i = 0; i < ROUNDS; i++)
		write32(priority, i);
}

/* Taken by the trap vector of all suites: saves 31 registers, calls C. */
static void ipi_self(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++)
		(void)ecall(SBI_IPI, 0, 1, machine.hart_id[0], 0, 0);
}

static void rfence_self(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++)
		(void)ecall(SBI_RFENCE, 1, 1, machine.hart_id[0], DEMAND, PAGE);
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

/* ---- measuring ---- */

/* All-ones from a hypervisor that does not count. */
static uint64_t counter(uint64_t number)
{
	return ecall(HYPERCALL, number, 0, 0, 0, 0);
}

static void report_count(const char *name, const char *what, uint64_t count)
{
	print("bench riscv_h %s_%s %lu.%lu count\n", name, what, count / ROUNDS,
	      count % ROUNDS * 10 / ROUNDS);
}

/* A tick of the clock is 100 instructions, of 10,000 rounds. */
static void bench(const char *name, void (*work)(void))
{
	uint64_t hfences = counter(COUNT_HFENCES);
	uint64_t vectors = counter(COUNT_VECTORS);
	uint64_t ns_per_tick = 1000000000u / machine.frequency;
	uint64_t began = now();
	uint64_t tenths;

	work();
	tenths = ((now() - began) * ns_per_tick * 10 + ROUNDS / 2) / ROUNDS;
	if (hfences == UINT64_MAX) {
		print("bench riscv_h %s %lu.%lu instructions\n", name,
		      tenths / 10, tenths % 10);
		return;
	}
	/* The second call counts nothing but itself. */
	report_count(name, "hfence", counter(COUNT_HFENCES) - hfences);
	report_count(name, "stvec", counter(COUNT_VECTORS) - vectors);
}

void suite(void)
{
	struct cpu *h = self();

	bench("sbi_base", sbi_base);
	bench("sbi_set_timer", sbi_set_timer);
	bench("irqchip_read", irqchip_read);
	bench("irqchip_write", irqchip_write);
	csr_write(sie, IRQ_SOFT);
	csr_set(sstatus, SSTATUS_SIE);
	bench("ipi_self", ipi_self);
	csr_clear(sstatus, SSTATUS_SIE);
	check_eq(h->soft_irqs, ROUNDS, "every IPI was taken");
	bench("rfence_self", rfence_self);
	bench("mmio_host", mmio_host);
	/* Whether its frames are at hand is the script's business. */
	bench("s2_fault", s2_fault);
}
