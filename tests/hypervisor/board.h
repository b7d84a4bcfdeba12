/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What this kernel needs of a machine. A board is a folder of board/ that
 * starts up, fills in `board` and calls host_main() on the first CPU. CPUs have
 * dense indices; the first one is 0. Physical memory is mapped one to one.
 *
 * All of it is called with interrupts masked. They are open only inside
 * board_take_irqs(), so the code of this kernel is never interrupted.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOARD_CPUS 16u
#define BOARD_RANGES 4u /* with one of size 0 behind the last */

struct range {
	uint64_t start;
	uint64_t size;
};

struct blob {
	const char *data;
	size_t size;
};

/* ---- what the board provides ---- */

extern struct board {
	const struct axvm_arch_ops *backend;
	uint64_t counter_hz; /* as guests read it */
	bool guests_have_pl011; /* and no 16550s */
	/* ARM: hal.take_vtimer and vtimer_irq; or NULL. */
	bool (*take_vtimer)(void);
	uint32_t vtimer_irq;
	uint32_t cpus;
	uint64_t hw_ids[BOARD_CPUS]; /* hart id, MPIDR, APIC id */
	struct range ram[BOARD_RANGES];
	struct range used[BOARD_RANGES]; /* firmware, this kernel, bundle */
	struct range devices[BOARD_RANGES]; /* that this kernel drives */
	struct blob bundle; /* see bundle.c */
} board;

uint32_t board_this_cpu(void);
/* The stack pointer, as the caller has it. */
uintptr_t board_stack(void);
/* Makes a CPU call host_cpu_main(cpu). */
bool board_start_cpu(uint32_t cpu);

/* Interrupts `cpu`, so that it leaves the guest or board_wait(). */
void board_kick(uint32_t cpu);
/* Returns when an interrupt is pending on this CPU, maybe earlier. */
void board_wait(void);
/* Would an interrupt come if they were open? */
bool board_irq_pending(void);
/* Opens interrupts for a moment: what is pending gets handled. */
void board_take_irqs(void);

/* Lets the interrupt of a device come, to CPU 0. False: there is none of this
 * number for others. */
bool board_enable_irq(uint32_t irq);
/* It comes no more from host_irq() on until this. On any CPU. */
void board_unmask_irq(uint32_t irq);

uint64_t board_now(void); /* ns since some start, the same on every CPU */
/* One interrupt on this CPU at that time; UINT64_MAX: none. */
void board_set_timer(uint64_t deadline);

void board_putc(char c);
/* A byte, or -1: the board will interrupt CPU 0 when there is one. */
int board_getc(void);
_Noreturn void board_exit(int status);

/* ---- what the board calls ---- */

_Noreturn void host_main(void);
_Noreturn void host_cpu_main(uint32_t cpu);
/* A device interrupts that is not the board's own. Inside board_take_irqs(). */
void host_irq(uint32_t irq);
_Noreturn void panic(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif
