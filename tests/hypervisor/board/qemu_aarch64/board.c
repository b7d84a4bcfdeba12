/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * QEMU's ARM "virt" machine with EL2 and a GICv3: what board.h asks for. The
 * first CPU fills in `board` from the device tree; nobody writes to it later.
 */
#include <axvm/axvm.h>

#include "../../board.h"
#include "../fdt.h"
#include "arm.h"

#define NS_PER_S 1000000000u
#define PAGE 0x1000u

/* QEMU, hw/arm/virt: the memory map. */
#define GICD 0x08000000u
#define GICR 0x080a0000u
#define GIC_SIZE 0x01000000u /* distributor, ITS, redistributors */
#define UART 0x09000000u
#define UART_IRQ 33u
#define INTERRUPTS 256u

/* INTIDs of a CPU's own interrupts. */
#define KICK 0u /* SGI */
#define MAINTENANCE 25u
#define TIMER 26u /* of EL2 */
#define GUEST_TIMER 27u
#define SPURIOUS 1020u /* and above: none */

/* GIC Architecture Specification (IHI 0069), "The GIC Distributor register map"
 * and that of the Redistributor: RD_base, then SGI_base. */
enum {
	GICD_CTLR = 0x0000,
	GICD_IGROUPR = 0x0080,
	GICD_ISENABLER = 0x0100,
	GICD_ICENABLER = 0x0180,
	GICD_IPRIORITYR = 0x0400,
	GICD_IROUTER = 0x6000,
	GICR_TYPER = 0x0008,
	GICR_WAKER = 0x0014,
	GICR_SGI = 0x10000,
	GICR_STRIDE = 0x20000
};
#define CTLR_ARE (1u << 4)
#define CTLR_GROUP1 (1u << 1)
#define CTLR_RWP (1u << 31)
#define WAKER_SLEEP (1u << 1)
#define WAKER_ASLEEP (1u << 2)
#define PRIORITY 0x80808080u
/* ICC_CTLR_EL1: ICC_EOIR1_EL1 drops the priority, ICC_DIR_EL1 deactivates. */
#define CTLR_EOIMODE (1u << 1)

/* PrimeCell UART (PL011) TRM: registers and bits. */
enum {
	UART_DR = 0x00,
	UART_FR = 0x18,
	UART_LCR_H = 0x2c,
	UART_CR = 0x30,
	UART_IMSC = 0x38
};
#define FR_RECEIVE_EMPTY (1u << 4)
#define FR_TRANSMIT_FULL (1u << 5)
#define LCR_8_BITS 0x60u
#define LCR_FIFO 0x10u
#define CR_ENABLE 0x301u
#define IMSC_RECEIVE 0x50u /* with the time-out */

/* PSCI (DEN0022): CPU_ON, 64-bit. */
#define PSCI_CPU_ON 0xc4000003u
/* Semihosting: SYS_EXIT with ADP_Stopped_ApplicationExit. */
#define SYS_EXIT 0x18u
#define STOPPED_EXIT 0x20026u

struct board board;
static uint32_t ram_count;
static uint64_t bundle, bundle_end;

extern const char kernel_end[];

/* ---- registers ---- */

static volatile uint32_t *reg32(uintptr_t address)
{
	return (volatile uint32_t *)address;
}

/* ---- start ---- */

static void add_ram(uint64_t start, uint64_t size)
{
	if (ram_count < BOARD_RANGES - 1)
		board.ram[ram_count++] = (struct range){start, size};
}

/* The first CPU has taken index 0 already. */
static void add_cpu(uint64_t mpidr)
{
	if (mpidr != board.hw_ids[0] && board.cpus < BOARD_CPUS)
		board.hw_ids[board.cpus++] = mpidr;
}

/* Cells per number as QEMU writes them: 2 at the root, 1 under /cpus. */
static void read_property(const struct fdt_property *p)
{
	if (fdt_is(p->node, "memory") && fdt_is(p->name, "reg")) {
		for (uint32_t i = 0; i + 4 <= p->length / 4; i += 4)
			add_ram(fdt_number(p, i, 2), fdt_number(p, i + 2, 2));
	} else if (fdt_is(p->parent, "cpus") && fdt_is(p->node, "cpu") &&
		   fdt_is(p->name, "reg")) {
		add_cpu(fdt_number(p, 0, p->length / 4));
	} else if (fdt_is(p->name, "linux,initrd-start")) {
		bundle = fdt_number(p, 0, p->length / 4);
	} else if (fdt_is(p->name, "linux,initrd-end")) {
		bundle_end = fdt_number(p, 0, p->length / 4);
	}
}

/* ---- the interrupt controller ---- */

static void distributor_wait(void)
{
	while ((*reg32(GICD + GICD_CTLR) & CTLR_RWP) != 0)
		;
}

/* All interrupts are of group 1 and one priority; none is enabled yet. */
static void setup_distributor(void)
{
	*reg32(GICD + GICD_CTLR) = 0;
	distributor_wait();
	for (uint32_t n = 32; n < INTERRUPTS; n += 32) {
		*reg32(GICD + GICD_ICENABLER + n / 8) = ~0u;
		*reg32(GICD + GICD_IGROUPR + n / 8) = ~0u;
	}
	for (uint32_t n = 32; n < INTERRUPTS; n += 4)
		*reg32(GICD + GICD_IPRIORITYR + n) = PRIORITY;
	*reg32(GICD + GICD_CTLR) = CTLR_ARE | CTLR_GROUP1;
	distributor_wait();
}

static uint64_t affinity(void)
{
	return sys_read(mpidr_el1) & 0xff00ffffffull;
}

/* Aff3 is apart from the others in MPIDR_EL1 and not in GICR_TYPER. */
static uintptr_t own_redistributor(void)
{
	uint64_t mpidr = affinity();
	uint32_t wanted = (uint32_t)(mpidr | mpidr >> 8);
	uintptr_t frame = GICR;

	while (*reg32(frame + GICR_TYPER + 4) != wanted)
		frame += GICR_STRIDE;
	return frame;
}

static void setup_redistributor(void)
{
	uintptr_t frame = own_redistributor();

	*reg32(frame + GICR_WAKER) &= ~WAKER_SLEEP;
	while ((*reg32(frame + GICR_WAKER) & WAKER_ASLEEP) != 0)
		;
	frame += GICR_SGI;
	*reg32(frame + GICD_ICENABLER) = ~0u;
	*reg32(frame + GICD_IGROUPR) = ~0u;
	for (uint32_t n = 0; n < 32; n += 4)
		*reg32(frame + GICD_IPRIORITYR + n) = PRIORITY;
	*reg32(frame + GICD_ISENABLER) = 1u << KICK | 1u << MAINTENANCE |
					 1u << TIMER | 1u << GUEST_TIMER;
	sys_write(ICC_PMR_EL1, 0xff);
	sys_write(ICC_CTLR_EL1, CTLR_EOIMODE);
	sys_write(ICC_IGRPEN1_EL1, 1);
	isb();
}

/* To the first CPU. */
static void enable_irq(uint32_t irq)
{
	*(volatile uint64_t *)(uintptr_t)(GICD + GICD_IROUTER + 8 * irq) =
		board.hw_ids[0];
	board_unmask_irq(irq);
}

static void setup_uart(void)
{
	*reg32(UART + UART_IMSC) = 0;
	*reg32(UART + UART_LCR_H) = LCR_8_BITS | LCR_FIFO;
	*reg32(UART + UART_CR) = CR_ENABLE;
}

void board_main(const void *fdt)
{
	setup_uart();
	board.backend = axvm_backend_arm_vhe();
	board.guests_have_pl011 = true;
	board.take_vtimer = board_take_vtimer;
	board.vtimer_irq = GUEST_TIMER;
	board.counter_hz = sys_read(cntfrq_el0);
	board.hw_ids[0] = affinity();
	board.cpus = 1;
	if (!fdt_visit(fdt, read_property) || ram_count == 0)
		panic("the device tree at %lx is not usable", (uintptr_t)fdt);
	board.bundle.data = (const char *)(uintptr_t)bundle;
	board.bundle.size = bundle_end - bundle;
	board.used[0].start = board.ram[0].start;
	board.used[0].size = (uintptr_t)kernel_end - board.ram[0].start;
	board.used[1] = (struct range){(uintptr_t)fdt, fdt_size(fdt)};
	board.used[2] = (struct range){bundle, bundle_end - bundle};
	board.devices[0] = (struct range){GICD, GIC_SIZE};
	board.devices[1] = (struct range){UART, PAGE};
	setup_distributor();
	setup_redistributor();
	enable_irq(UART_IRQ);
	host_main();
}

/* ---- CPUs and interrupts ---- */

uintptr_t board_stack(void)
{
	uintptr_t pointer;

	/* A function that needs no frame of its own. */
	__asm__ volatile("mov %0, sp" : "=r"(pointer));
	return pointer;
}

uint32_t board_this_cpu(void)
{
	return (uint32_t)sys_read(tpidr_el2);
}

void board_cpu_init(void)
{
	setup_redistributor();
}

bool board_start_cpu(uint32_t cpu)
{
	register uint64_t x0 __asm__("x0") = PSCI_CPU_ON;
	register uint64_t x1 __asm__("x1") = board.hw_ids[cpu];
	register uint64_t x2 __asm__("x2") = (uintptr_t)cpu_entry;
	register uint64_t x3 __asm__("x3") = cpu;

	/* SMCCC: x4-x17 are the callee's. */
	__asm__ volatile("smc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			 :
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
			   "x12", "x13", "x14", "x15", "x16", "x17", "memory");
	return x0 == 0;
}

void board_kick(uint32_t cpu)
{
	uint64_t id = board.hw_ids[cpu];

	/* What was written before is seen by whom this interrupts. */
	__asm__ volatile("dsb ishst" : : : "memory");
	sys_write(ICC_SGI1R_EL1,
		  (id >> 32 & 0xff) << 48 | (id >> 16 & 0xff) << 32 |
			  (uint64_t)KICK << 24 | (id >> 8 & 0xff) << 16 |
			  1u << (id & 0xf));
	isb();
}

/* Arm ARM, "Wait For Interrupt": wakes for what PSTATE masks, too. */
void board_wait(void)
{
	__asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

bool board_irq_pending(void)
{
	return (sys_read(isr_el1) & ISR_IRQ) != 0;
}

void board_take_irqs(void)
{
	__asm__ volatile("msr daifclr, #2\n\tisb\n\tmsr daifset, #2"
			 :
			 :
			 : "memory");
}

bool board_enable_irq(uint32_t irq)
{
	if (irq < 32 || irq >= INTERRUPTS || irq == UART_IRQ)
		return false;
	enable_irq(irq);
	return true;
}

void board_unmask_irq(uint32_t irq)
{
	*reg32(GICD + GICD_ISENABLER + irq / 32 * 4) = 1u << irq % 32;
}

static void mask_irq(uint32_t irq)
{
	*reg32(GICD + GICD_ICENABLER + irq / 32 * 4) = 1u << irq % 32;
	distributor_wait();
}

/*
 * The guest's timer and the maintenance interrupt are the library's: they only
 * have to be enabled, and what is left of them here is nothing to do.
 */
static void serve(uint32_t irq)
{
	if (irq == TIMER) {
		board_set_timer(UINT64_MAX);
	} else if (irq == UART_IRQ) {
		/* Silent until board_getc() has emptied it again. */
		*reg32(UART + UART_IMSC) = 0;
	} else if (irq >= 32) {
		mask_irq(irq);
		host_irq(irq);
	}
	sys_write(ICC_EOIR1_EL1, irq);
	sys_write(ICC_DIR_EL1, irq);
	isb();
}

void board_irq(void)
{
	uint32_t irq = (uint32_t)sys_read(ICC_IAR1_EL1);

	if (irq < SPURIOUS)
		serve(irq);
}

bool board_take_vtimer(void)
{
	uint32_t irq = (uint32_t)sys_read(ICC_IAR1_EL1);

	if (irq == GUEST_TIMER) {
		/* Active still: it comes again when the guest has ended it. */
		sys_write(ICC_EOIR1_EL1, irq);
		return true;
	}
	if (irq < SPURIOUS)
		serve(irq);
	return false;
}

/* ---- time ---- */

/* Whole seconds and the rest apart: neither product overflows. */
static uint64_t scale(uint64_t value, uint64_t from, uint64_t to)
{
	return value / from * to + value % from * to / from;
}

uint64_t board_now(void)
{
	isb();
	return scale(sys_read(cntpct_el0), board.counter_hz, NS_PER_S);
}

void board_set_timer(uint64_t deadline)
{
	if (deadline == UINT64_MAX) {
		sys_write(CNTHP_CTL_EL2, 0);
	} else {
		/* Rounded up: not early. */
		sys_write(CNTHP_CVAL_EL2,
			  scale(deadline, NS_PER_S, board.counter_hz) + 1);
		sys_write(CNTHP_CTL_EL2, 1);
	}
	isb();
}

/* ---- console and power ---- */

void board_putc(char c)
{
	while ((*reg32(UART + UART_FR) & FR_TRANSMIT_FULL) != 0)
		;
	*reg32(UART + UART_DR) = (uint8_t)c;
}

int board_getc(void)
{
	if ((*reg32(UART + UART_FR) & FR_RECEIVE_EMPTY) == 0)
		return (uint8_t)*reg32(UART + UART_DR);
	*reg32(UART + UART_IMSC) = IMSC_RECEIVE;
	return -1;
}

/* Semihosting: the status becomes that of QEMU. */
void board_exit(int status)
{
	const uint64_t block[2] = {STOPPED_EXIT, (uint64_t)status};
	register uint64_t x0 __asm__("x0") = SYS_EXIT;
	register const uint64_t *x1 __asm__("x1") = block;

	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
	for (;;)
		board_wait();
}
