/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Image header, entry points, translation table and vectors. TPIDR_EL2 holds the
 * CPU index everywhere; every CPU has one stack, on which its exceptions are
 * taken too.
 */
#include "arm.h"

/* HCR_EL2: RW, TGE, E2H. */
#define HCR_HOST (1 << 31 | 1 << 27)
/* TCR_EL2: 39 bits from below, 4 KiB, write-back inner shareable walks; with E2H
 * no upper half (EPD1) and 40 bits of output, without it RES1 bits and those. */
#define TCR_WALKS (25 | 1 << 8 | 1 << 10 | 3 << 12)
#define TCR_E2H (1 << 23)
#define TCR_IPS_40 (2 << 32)
#define TCR_PLAIN (1 << 31 | 1 << 23 | 2 << 16)
/* MAIR_EL2: 0 write-back, 1 Device-nGnRE. */
#define MAIR 0x04ff
/* SCTLR_EL2: RES1 bits, I, SA, C, M. */
#define SCTLR (0x30c50830 | 1 << 12 | 1 << 3 | 1 << 2 | 1)
/* Blocks of 1 GiB: AF, inner shareable; XN, PXN, AF, index 1. */
#define BLOCK_RAM 0x701
#define BLOCK_DEVICE (3 << 53 | 0x405)

	.macro	set reg, value
	mov	x9, #((\value) & 0xffff)
	movk	x9, #(((\value) >> 16) & 0xffff), lsl #16
	movk	x9, #(((\value) >> 32) & 0xffff), lsl #32
	msr	\reg, x9
	.endm

/*
 * in: x19 CPU index. Clobbers x9-x11. Where VHE does not exist E2H stays 0, and
 * the library will say so.
 */
	.macro	setup
	msr	daifset, #0xf
	msr	mdscr_el1, xzr
	msr	daifclr, #8	/* as kernels run that can be debugged */
	msr	spsel, #1
	set	hcr_el2, (HCR_HOST | 1 << 34)
	isb
	mrs	x10, hcr_el2
	set	tcr_el2, (TCR_WALKS | TCR_E2H | TCR_IPS_40)
	set	cptr_el2, (3 << 20)	/* FPEN: a build may use FP */
	tbnz	x10, #34, 1f
	set	tcr_el2, (TCR_WALKS | TCR_PLAIN)
	set	cptr_el2, 0x33ff	/* RES1 bits, no traps */
1:	set	mair_el2, MAIR
	adrp	x11, table
	msr	ttbr0_el2, x11
	msr	vttbr_el2, xzr
	msr	tpidr_el2, x19
	adrp	x11, vectors
	add	x11, x11, :lo12:vectors
	msr	vbar_el2, x11
	tlbi	alle2
	dsb	nsh
	isb
	set	sctlr_el2, SCTLR
	isb
	set	s3_4_c12_c9_5, 0xf	/* ICC_SRE_EL2: SRE, DFB, DIB, Enable */
	isb
	mov	x9, #0x41		/* PMCR_EL0: LC, E: cycles count */
	msr	pmcr_el0, x9
	mov	x9, #1 << 31
	msr	pmcntenset_el0, x9
	mov	x9, #1 << 27		/* PMCCFILTR_EL0: at EL2, too */
	msr	pmccfiltr_el0, x9
	adrp	x11, stacks
	add	x11, x11, :lo12:stacks
	add	x9, x19, #1
	lsl	x9, x9, #STACK_SHIFT
	add	sp, x11, x9
	.endm

/* "Booting AArch64 Linux", 4: x0 is the device tree, caches are off. */
	.section .text.entry, "ax"
	.globl	_start
_start:
	b	primary
	.long	0
	.quad	0x80000		/* from the start of RAM */
	.quad	image_size
	.quad	0xa		/* 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

primary:
	mov	x20, x0
	mov	x19, #0
	setup
	adrp	x0, bss_start
	add	x0, x0, :lo12:bss_start
	adrp	x1, bss_end
	add	x1, x1, :lo12:bss_end
2:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	2b
	mov	x0, x20
	bl	board_main

/* From PSCI CPU_ON. in: x0 CPU index. */
	.globl	cpu_entry
cpu_entry:
	mov	x19, x0
	setup
	bl	board_cpu_init
	mov	x0, x19
	bl	host_cpu_main

/* Saves a struct frame on the stack. in: the vector's number. */
	.macro	vector number
	.balign	0x80
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp, #16 * 0]
	mov	x1, #\number
	b	common
	.endm

	.balign	0x800
vectors:
	.irp	number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	vector	\number
	.endr
	.balign	0x80
common:
	stp	x2, x3, [sp, #16 * 1]
	stp	x4, x5, [sp, #16 * 2]
	stp	x6, x7, [sp, #16 * 3]
	stp	x8, x9, [sp, #16 * 4]
	stp	x10, x11, [sp, #16 * 5]
	stp	x12, x13, [sp, #16 * 6]
	stp	x14, x15, [sp, #16 * 7]
	stp	x16, x17, [sp, #16 * 8]
	stp	x18, x19, [sp, #16 * 9]
	stp	x20, x21, [sp, #16 * 10]
	stp	x22, x23, [sp, #16 * 11]
	stp	x24, x25, [sp, #16 * 12]
	stp	x26, x27, [sp, #16 * 13]
	stp	x28, x29, [sp, #16 * 14]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	mrs	x4, esr_el2
	mrs	x5, far_el2
	stp	x30, x2, [sp, #16 * 15]
	stp	x3, x4, [sp, #16 * 16]
	str	x5, [sp, #16 * 17]
	mov	x0, sp
	bl	trap
	ldp	x30, x2, [sp, #16 * 15]
	ldr	x3, [sp, #16 * 16]
	msr	elr_el2, x2
	msr	spsr_el2, x3
	ldp	x0, x1, [sp, #16 * 0]
	ldp	x2, x3, [sp, #16 * 1]
	ldp	x4, x5, [sp, #16 * 2]
	ldp	x6, x7, [sp, #16 * 3]
	ldp	x8, x9, [sp, #16 * 4]
	ldp	x10, x11, [sp, #16 * 5]
	ldp	x12, x13, [sp, #16 * 6]
	ldp	x14, x15, [sp, #16 * 7]
	ldp	x16, x17, [sp, #16 * 8]
	ldp	x18, x19, [sp, #16 * 9]
	ldp	x20, x21, [sp, #16 * 10]
	ldp	x22, x23, [sp, #16 * 11]
	ldp	x24, x25, [sp, #16 * 12]
	ldp	x26, x27, [sp, #16 * 13]
	ldp	x28, x29, [sp, #16 * 14]
	add	sp, sp, #FRAME_SIZE
	eret

/*
 * One to one: the first GiB holds the devices, RAM is above it. Complete before
 * the start, so that nothing is written while caches are off.
 */
	.section .rodata.table, "a"
	.balign	4096
table:
	.quad	BLOCK_DEVICE
	.set	block, 1
	.rept	255
	.quad	block << 30 | BLOCK_RAM
	.set	block, block + 1
	.endr
	.skip	4096 - 256 * 8

	.bss
	.balign	16
stacks:
	.skip	MAX_CPUS << STACK_SHIFT
