/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Entry points and the trap vector. sscratch holds the hart's struct at all
 * times, so a trap needs neither sp nor tp of the interrupted code. Traps do
 * not nest: one frame per hart.
 */
#include "offsets.h"

	.macro each_reg op, base
	.irp n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24
	\op	x\n, 8*\n(\base)
	.endr
	.irp n, 25,26,27,28,29,30
	\op	x\n, 8*\n(\base)
	.endr
	.endm

	.macro each_saved op
	\op	ra, 0(sp)
	\op	s0, 8(sp)
	\op	s1, 16(sp)
	\op	s2, 24(sp)
	\op	s3, 32(sp)
	\op	s4, 40(sp)
	\op	s5, 48(sp)
	\op	s6, 56(sp)
	\op	s7, 64(sp)
	\op	s8, 72(sp)
	\op	s9, 80(sp)
	\op	s10, 88(sp)
	\op	s11, 96(sp)
	\op	gp, 104(sp)
	.endm

/* in: a0 hart id, a1 device tree. */
	.section .text.entry, "ax"
	.globl	_start
_start:
	la	t0, bss_start
	la	t1, bss_end
1:	sd	zero, (t0)
	addi	t0, t0, 8
	bltu	t0, t1, 1b
	la	tp, cpus
	la	sp, boot_stack_end
	csrw	sscratch, tp
	la	t0, trap_entry
	csrw	stvec, t0
	mv	a2, a1
	mv	a1, a0
	mv	a0, tp
	call	boot_main
	j	.

	.text
/* in: a0 hart id, a1 struct cpu of it. */
	.globl	secondary_entry
	.balign	4
secondary_entry:
	mv	tp, a1
	sd	a0, CPU_ENTRY(tp)
	csrr	t0, satp
	sd	t0, CPU_ENTRY+8(tp)
	csrr	t0, sstatus
	sd	t0, CPU_ENTRY+16(tp)
	csrw	sscratch, tp
	la	t0, trap_entry
	csrw	stvec, t0
	ld	sp, CPU_MAIN_SP(tp)
	mv	a0, tp
	call	secondary_main
	j	.

/*
 * Back from a non-retentive suspend: a0 hart id, a1 struct cpu. Returns from
 * the suspend_away() that left its registers on the stack.
 */
	.globl	resume_entry
	.balign	4
resume_entry:
	mv	tp, a1
	sd	a0, CPU_ENTRY(tp)
	csrw	sscratch, tp
	la	t0, trap_entry
	csrw	stvec, t0
	ld	sp, CPU_RUN_SP(tp)
	each_saved ld
	addi	sp, sp, 112
	li	a0, 0
	ret

/* uint64_t suspend_away(a0..a2 of HSM suspend): 0 resumed, else the error. */
	.globl	suspend_away
suspend_away:
	addi	sp, sp, -112
	each_saved sd
	sd	sp, CPU_RUN_SP(tp)
	li	a7, 0x48534d
	li	a6, 3
	ecall
	addi	sp, sp, 112
	ret

	.globl	trap_entry
	.balign	4
trap_entry:
	csrrw	x31, sscratch, x31
	sd	x1, 8(x31)
	each_reg sd, x31
	csrr	x1, sscratch
	sd	x1, 8*31(x31)
	csrw	sscratch, x31
	csrr	x1, sepc
	sd	x1, FRAME_EPC(x31)
	csrr	x1, scause
	sd	x1, FRAME_CAUSE(x31)
	csrr	x1, stval
	sd	x1, FRAME_TVAL(x31)
	csrr	x1, sstatus
	sd	x1, FRAME_STATUS(x31)
	mv	tp, x31
	ld	sp, CPU_TRAP_SP(tp)
	mv	a0, tp
	call	trap_c
	bnez	a0, run_done
restore:
	ld	x1, FRAME_EPC(tp)
	csrw	sepc, x1
	ld	x1, FRAME_STATUS(tp)
	csrw	sstatus, x1
	mv	x31, tp
	ld	x1, 8(x31)
	each_reg ld, x31
	ld	x31, 8*31(x31)
	sret

/* void run_frame(void): enters the frame in tp, returns after an exception. */
	.globl	run_frame
run_frame:
	addi	sp, sp, -112
	each_saved sd
	sd	sp, CPU_RUN_SP(tp)
	j	restore
run_done:
	ld	sp, CPU_RUN_SP(tp)
	each_saved ld
	addi	sp, sp, 112
	ret

	.bss
	.balign	16
	.skip	16384
boot_stack_end:
