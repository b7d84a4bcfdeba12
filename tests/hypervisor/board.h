/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What this kernel needs of a machine. A board is a folder of board/ that
 * starts up, fills this in and calls host_main() on the first CPU. CPUs have
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

struct axvm_arch_ops;

struct board_range {
	uint64_t start;
	uint64_t size;
};

/* ---- what the board provides ---- */

const struct axvm_arch_ops *board_backend(void);

/* RAM, and what of it is in use: firmware, this kernel, the bundle. `index`
 * counts from 0; false behind the last. */
bool board_ram(uint32_t index, struct board_range *range);
bool board_used(uint32_t index, struct board_range *range);
struct board_range board_bundle(void);

uint32_t board_cpus(void);
uint32_t board_this_cpu(void);
uint64_t board_hw_id(uint32_t cpu); /* hart id, MPIDR, APIC id */
/* Makes a CPU call host_cpu_main(cpu). */
bool board_start_cpu(uint32_t cpu);

/* Interrupts `cpu`, so that it leaves the guest or board_wait(). */
void board_kick(uint32_t cpu);
/* Returns when an interrupt is pending on this CPU, maybe earlier. */
void board_wait(void);
/* Opens interrupts for a moment: what is pending gets handled. */
void board_take_irqs(void);

uint64_t board_now(void); /* ns since some start, the same on every CPU */
uint64_t board_counter_hz(void);
/* One interrupt on this CPU at that time; UINT64_MAX: none. */
void board_set_timer(uint64_t deadline);

void board_putc(char c);
/* A byte, or -1: the board will interrupt CPU 0 when there is one. */
int board_getc(void);
_Noreturn void board_exit(int status);

/* ---- what the board calls ---- */

_Noreturn void host_main(void);
_Noreturn void host_cpu_main(uint32_t cpu);
void host_timer_irq(void); /* inside board_take_irqs() */
_Noreturn void panic(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
