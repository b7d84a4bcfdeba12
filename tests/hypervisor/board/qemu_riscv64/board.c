/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * QEMU's RISC-V "virt" machine under OpenSBI: what board.h asks for. The first
 * hart fills in `board` from the device tree; nobody writes to it later.
 */
#include <axvm/axvm.h>

#include "../../board.h"
#include "../fdt.h"
#include "riscv.h"

#define NS_PER_S 1000000000u

/* QEMU, hw/riscv/virt: the memory map. */
#define TEST_DEVICE 0x00100000u
#define PLIC 0x0c000000u
#define UART 0x10000000u
#define UART_IRQ 10u
#define PLIC_SIZE 0x600000u
#define PLIC_SOURCES 96u
#define PAGE 0x1000u

/* PC16550D: registers and bits. */
enum {
	UART_DATA = 0,
	UART_IER = 1,
	UART_FCR = 2,
	UART_LSR = 5
};
#define IER_RECEIVE 0x01u
#define FCR_ENABLE 0x01u
#define LSR_DATA_READY 0x01u
#define LSR_CAN_SEND 0x20u

struct board board;
static volatile uint32_t *plic; /* threshold and claim, of the first hart */
static uint32_t ram_count;
static uint64_t bundle, bundle_end;

extern const char kernel_end[];

/* ---- registers ---- */

static volatile uint32_t *reg32(uintptr_t address)
{
	return (volatile uint32_t *)address;
}

static volatile uint8_t *const uart = (volatile uint8_t *)(uintptr_t)UART;

/* ---- start ---- */

static void add_ram(uint64_t start, uint64_t size)
{
	if (ram_count < BOARD_RANGES - 1)
		board.ram[ram_count++] = (struct range){start, size};
}

/* The first hart has taken index 0 already. */
static void add_hart(uint64_t hart)
{
	if (hart != board.hw_ids[0] && board.cpus < BOARD_CPUS)
		board.hw_ids[board.cpus++] = hart;
}

/* Cells per number as QEMU writes them: 2 at the root, 1 under /cpus. */
static void read_property(const struct fdt_property *p)
{
	if (fdt_is(p->node, "memory") && fdt_is(p->name, "reg")) {
		for (uint32_t i = 0; i + 4 <= p->length / 4; i += 4)
			add_ram(fdt_number(p, i, 2), fdt_number(p, i + 2, 2));
	} else if (fdt_is(p->parent, "cpus") && fdt_is(p->node, "cpu") &&
		   fdt_is(p->name, "reg")) {
		add_hart(fdt_number(p, 0, 1));
	} else if (fdt_is(p->name, "timebase-frequency")) {
		board.counter_hz = fdt_number(p, 0, 1);
	} else if (fdt_is(p->name, "linux,initrd-start")) {
		bundle = fdt_number(p, 0, p->length / 4);
	} else if (fdt_is(p->name, "linux,initrd-end")) {
		bundle_end = fdt_number(p, 0, p->length / 4);
	}
}

/* RISC-V PLIC Specification: S-mode of hart h is context 2h + 1. */
static uintptr_t plic_context(void)
{
	return 2 * board.hw_ids[0] + 1;
}

static void enable_source(uint32_t source)
{
	*reg32(PLIC + 4 * source) = 1; /* priority */
	*reg32(PLIC + 0x2000 + 0x80 * plic_context() + source / 32 * 4) |=
		1u << source % 32;
}

static void setup_interrupts(void)
{
	uart[UART_FCR] = FCR_ENABLE;
	uart[UART_IER] = 0;
	plic = reg32(PLIC + 0x200000 + 0x1000 * plic_context());
	plic[0] = 0; /* threshold */
	for (uint32_t word = 0; word < PLIC_SOURCES / 32; word++)
		*reg32(PLIC + 0x2000 + 0x80 * plic_context() + 4 * word) = 0;
	enable_source(UART_IRQ);
}

void board_main(uint64_t hart, const void *fdt)
{
	board.backend = axvm_backend_riscv_h();
	board.hw_ids[0] = hart;
	board.cpus = 1;
	if (!fdt_visit(fdt, read_property) || ram_count == 0 ||
	    board.counter_hz == 0)
		panic("the device tree at %lx is not usable", (uintptr_t)fdt);
	board.bundle.data = (const char *)(uintptr_t)bundle;
	board.bundle.size = bundle_end - bundle;
	/* Firmware lies below the kernel: one range for both. */
	board.used[0].start = board.ram[0].start;
	board.used[0].size = (uintptr_t)kernel_end - board.ram[0].start;
	board.used[1] = (struct range){(uintptr_t)fdt, fdt_size(fdt)};
	board.used[2] = (struct range){bundle, bundle_end - bundle};
	board.devices[0] = (struct range){TEST_DEVICE, PAGE};
	board.devices[1] = (struct range){PLIC, PLIC_SIZE};
	board.devices[2] = (struct range){UART, PAGE};
	setup_interrupts();
	host_main();
}

/* ---- CPUs and interrupts ---- */

uintptr_t board_stack(void)
{
	uintptr_t pointer;

	/* A function that needs no frame of its own. */
	__asm__ volatile("mv %0, sp" : "=r"(pointer));
	return pointer;
}

uint32_t board_this_cpu(void)
{
	uint32_t cpu;

	__asm__("sext.w %0, tp" : "=r"(cpu));
	return cpu;
}

bool board_start_cpu(uint32_t cpu)
{
	return sbi_call(SBI_HSM, SBI_HSM_START, board.hw_ids[cpu],
			(uintptr_t)cpu_entry, cpu) == 0;
}

void board_kick(uint32_t cpu)
{
	/* Mask and base: one hart, whatever its number. */
	sbi_call(SBI_IPI, SBI_IPI_SEND, 1, board.hw_ids[cpu], 0);
}

/* Privileged Architecture, "Wait for Interrupt": resumes for what is enabled
 * in sie even while sstatus.SIE masks it, so nothing is lost before it. */
void board_wait(void)
{
	__asm__ volatile("wfi" : : : "memory");
}

bool board_irq_pending(void)
{
	return (csr_read(sip) & csr_read(sie)) != 0;
}

void board_take_irqs(void)
{
	csr_set(sstatus, SSTATUS_SIE);
	csr_clear(sstatus, SSTATUS_SIE);
}

bool board_enable_irq(uint32_t irq)
{
	if (irq == 0 || irq >= PLIC_SOURCES || irq == UART_IRQ)
		return false;
	enable_source(irq);
	return true;
}

/* What external_irq() has claimed and not completed is masked: the source's
 * gateway is shut. One write, so any hart may do it. */
void board_unmask_irq(uint32_t irq)
{
	plic[1] = irq;
}

/* ---- time ---- */

/* Whole seconds and the rest apart: neither product overflows. */
static uint64_t scale(uint64_t value, uint64_t from, uint64_t to)
{
	return value / from * to + value % from * to / from;
}

uint64_t board_now(void)
{
	return scale(csr_read(time), board.counter_hz, NS_PER_S);
}

void board_set_timer(uint64_t deadline)
{
	/* Rounded up: not early. What never comes stays far away. */
	uint64_t ticks =
		deadline == UINT64_MAX
			? UINT64_MAX
			: scale(deadline, NS_PER_S, board.counter_hz) + 1;

	sbi_call(SBI_TIME, SBI_TIME_SET_TIMER, ticks, 0, 0);
}

/* ---- console and power ---- */

void board_putc(char c)
{
	while ((uart[UART_LSR] & LSR_CAN_SEND) == 0)
		;
	uart[UART_DATA] = (uint8_t)c;
}

int board_getc(void)
{
	if ((uart[UART_LSR] & LSR_DATA_READY) != 0)
		return uart[UART_DATA];
	uart[UART_IER] = IER_RECEIVE;
	return -1;
}

/* The UART is silent until board_getc() has emptied it again. */
void external_irq(void)
{
	uint32_t irq = plic[1];

	if (irq == UART_IRQ) {
		uart[UART_IER] = 0;
		plic[1] = irq;
	} else if (irq != 0) {
		host_irq(irq);
	}
}

/* SiFive test device: its status becomes that of QEMU. */
void board_exit(int status)
{
	*reg32(TEST_DEVICE) =
		status == 0 ? 0x5555 : (uint32_t)status << 16 | 0x3333;
	for (;;)
		board_wait();
}
