/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Entry points and the trap vector. tp holds the CPU index everywhere; every
 * CPU has one stack, on which its traps are taken too.
 */
#include "riscv.h"

	/* in: tp CPU index; sets sp, trap vector and sie. Clobbers t0. */
	.macro	setup
	csrci	sstatus, SSTATUS_SIE
	li	t0, 1 << INTERRUPT_SOFT | 1 << INTERRUPT_TIMER | \
		    1 << INTERRUPT_EXTERNAL
	csrw	sie, t0
	la	sp, stacks
	addi	t0, tp, 1
	slli	t0, t0, STACK_SHIFT
	add	sp, sp, t0
	la	t0, trap_entry
	csrw	stvec, t0
#ifdef __riscv_flen
	li	t0, 1 << 13	/* sstatus.FS: a hard-float build uses it */
	csrs	sstatus, t0
#endif
	.endm

/* From the firmware, on one hart. in: a0 hart id, a1 device tree. */
	.section .text.entry, "ax"
	.globl	_start
_start:
	la	t0, bss_start
	la	t1, bss_end
1:	sd	zero, (t0)
	addi	t0, t0, 8
	bltu	t0, t1, 1b
	li	tp, 0
	setup
	call	board_main

/* From HSM hart_start. in: a0 hart id, a1 CPU index. */
	.globl	cpu_entry
cpu_entry:
	mv	tp, a1
	setup
	mv	a0, a1
	call	host_cpu_main

	.macro	each op
	.irp n, 1,3,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25
	\op	x\n, 8*\n(sp)
	.endr
	.irp n, 26,27,28,29,30,31
	\op	x\n, 8*\n(sp)
	.endr
	.endm

/* Saves a struct frame on the stack; tp stays as it is. */
	.balign	4
trap_entry:
	addi	sp, sp, -FRAME_SIZE
	each	sd
	addi	t0, sp, FRAME_SIZE
	sd	t0, 8*2(sp)
	sd	tp, 8*4(sp)
	csrr	t0, sepc
	sd	t0, 8*32(sp)
	csrr	t0, sstatus
	sd	t0, 8*33(sp)
	csrr	t0, scause
	sd	t0, 8*34(sp)
	csrr	t0, stval
	sd	t0, 8*35(sp)
	mv	a0, sp
	call	trap
	ld	t0, 8*32(sp)
	csrw	sepc, t0
	ld	t0, 8*33(sp)
	csrw	sstatus, t0
	each	ld
	addi	sp, sp, FRAME_SIZE
	sret

	.bss
	.balign	16
stacks:
	.skip	MAX_CPUS << STACK_SHIFT
