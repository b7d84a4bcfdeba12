/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* System registers and firmware calls of EL2, and what start.S shares with C. */
#ifndef ARM_H
#define ARM_H

#define MAX_CPUS 16 /* BOARD_CPUS */
#define STACK_SHIFT 14
#define FRAME_SIZE (36 * 8)

/* Vectors, by the number trap() gets. */
#define VECTOR_SYNC 4 /* current EL, SP_EL2 */
#define VECTOR_IRQ 5

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

#define sys_read(reg)                                                \
	__extension__({                                              \
		uint64_t sys_value;                                  \
		__asm__ volatile("mrs %0, " #reg : "=r"(sys_value)); \
		sys_value;                                           \
	})
#define sys_write(reg, value)                      \
	__asm__ volatile("msr " #reg ", %x0"       \
			 :                         \
			 : "rZ"((uint64_t)(value)) \
			 : "memory")

static inline void isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

/* GIC Architecture Specification (IHI 0069), "AArch64 physical CPU interface". */
#define ICC_PMR_EL1 s3_0_c4_c6_0
#define ICC_DIR_EL1 s3_0_c12_c11_1
#define ICC_SGI1R_EL1 s3_0_c12_c11_5
#define ICC_IAR1_EL1 s3_0_c12_c12_0
#define ICC_EOIR1_EL1 s3_0_c12_c12_1
#define ICC_CTLR_EL1 s3_0_c12_c12_4
#define ICC_IGRPEN1_EL1 s3_0_c12_c12_7
/* ISR_EL1 */
#define ISR_IRQ (1u << 7)
/* EL2's own physical timer. */
#define CNTHP_CTL_EL2 s3_4_c14_c2_1
#define CNTHP_CVAL_EL2 s3_4_c14_c2_2

/* As start.S saves it. */
struct frame {
	uint64_t x[31];
	uint64_t pc;
	uint64_t pstate;
	uint64_t esr;
	uint64_t far;
	uint64_t unused;
};
_Static_assert(sizeof(struct frame) == FRAME_SIZE, "start.S counts on it");

/* board.c, called by start.S and trap.c */
_Noreturn void board_main(const void *fdt);
void board_cpu_init(void); /* on each further CPU */
void trap(const struct frame *frame, uint64_t vector);
void board_irq(void);
bool board_take_vtimer(void); /* struct axvm_hal */
extern const char cpu_entry[];

#endif
#endif
