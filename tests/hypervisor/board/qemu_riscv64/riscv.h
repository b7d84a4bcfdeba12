/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* CSRs and firmware calls of HS-mode, and what start.S shares with C. */
#ifndef RISCV_H
#define RISCV_H

#define MAX_CPUS 16 /* BOARD_CPUS */
#define STACK_SHIFT 14
#define FRAME_SIZE (36 * 8)

#define SSTATUS_SIE 0x2
#define INTERRUPT_SOFT 1
#define INTERRUPT_TIMER 5
#define INTERRUPT_EXTERNAL 9

#ifndef __ASSEMBLER__

#include <stdint.h>

#define csr_read(csr)                                                 \
	__extension__({                                               \
		uint64_t csr_value;                                   \
		__asm__ volatile("csrr %0, " #csr : "=r"(csr_value)); \
		csr_value;                                            \
	})
#define csr_set(csr, bits) \
	__asm__ volatile("csrs " #csr ", %0" : : "rK"(bits) : "memory")
#define csr_clear(csr, bits) \
	__asm__ volatile("csrc " #csr ", %0" : : "rK"(bits) : "memory")

/* RISC-V SBI Specification 1.0: extension and function numbers. */
#define SBI_TIME 0x54494d45u
#define SBI_IPI 0x735049u
#define SBI_HSM 0x48534du
#define SBI_TIME_SET_TIMER 0u
#define SBI_IPI_SEND 0u
#define SBI_HSM_START 0u

/* Returns the error, 0 for success. */
static inline int64_t sbi_call(uint64_t extension, uint64_t function,
			       uint64_t arg0, uint64_t arg1, uint64_t arg2)
{
	register uint64_t a0 __asm__("a0") = arg0;
	register uint64_t a1 __asm__("a1") = arg1;
	register uint64_t a2 __asm__("a2") = arg2;
	register uint64_t a6 __asm__("a6") = function;
	register uint64_t a7 __asm__("a7") = extension;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a6), "r"(a7)
			 : "memory");
	return (int64_t)a0;
}

/* As start.S saves it. */
struct frame {
	uint64_t x[32]; /* x[0] is not used */
	uint64_t pc;
	uint64_t status;
	uint64_t cause;
	uint64_t value;
};
_Static_assert(sizeof(struct frame) == FRAME_SIZE, "start.S counts on it");

/* board.c, called by start.S and trap.c */
_Noreturn void board_main(uint64_t hart, const void *fdt);
void trap(const struct frame *frame);
void external_irq(void);
extern const char cpu_entry[];

#endif
#endif
