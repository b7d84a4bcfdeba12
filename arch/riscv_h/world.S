/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The world switch. The guest's s0-s11 stay in their registers while C runs,
 * because C preserves them; for faults, which may name any register, and when
 * leaving, they also go to the frame. They come back from there when run begins
 * and when a handler says that it changed the frame.
 */
#include "frame.h"
#include "regs.h"

#define HOST_FRAME 128 /* ra, s0-s11, and: */
#define HOST_FRAME_PTR 104 /* the guest's frame */
#define HOST_FRAME_VECTOR 112 /* address of .Lvector */

	.macro FUNC name
	.text
	.align 2
	.globl \name
	.type \name, @function
\name:
	.endm

	.macro ENDFUNC name
	.size \name, . - \name
	.endm

	.macro SAVE_CALLEE
	sd s0, FRAME_X(8)(a0)
	sd s1, FRAME_X(9)(a0)
	sd s2, FRAME_X(18)(a0)
	sd s3, FRAME_X(19)(a0)
	sd s4, FRAME_X(20)(a0)
	sd s5, FRAME_X(21)(a0)
	sd s6, FRAME_X(22)(a0)
	sd s7, FRAME_X(23)(a0)
	sd s8, FRAME_X(24)(a0)
	sd s9, FRAME_X(25)(a0)
	sd s10, FRAME_X(26)(a0)
	sd s11, FRAME_X(27)(a0)
	.endm

	.macro LOAD_CALLEE
	ld s0, FRAME_X(8)(a0)
	ld s1, FRAME_X(9)(a0)
	ld s2, FRAME_X(18)(a0)
	ld s3, FRAME_X(19)(a0)
	ld s4, FRAME_X(20)(a0)
	ld s5, FRAME_X(21)(a0)
	ld s6, FRAME_X(22)(a0)
	ld s7, FRAME_X(23)(a0)
	ld s8, FRAME_X(24)(a0)
	ld s9, FRAME_X(25)(a0)
	ld s10, FRAME_X(26)(a0)
	ld s11, FRAME_X(27)(a0)
	.endm

	/* All but a0 and the callee-saved ones. */
	.macro SAVE_CALLER
	sd ra, FRAME_X(1)(a0)
	sd sp, FRAME_X(2)(a0)
	sd gp, FRAME_X(3)(a0)
	sd tp, FRAME_X(4)(a0)
	sd t0, FRAME_X(5)(a0)
	sd t1, FRAME_X(6)(a0)
	sd t2, FRAME_X(7)(a0)
	sd a1, FRAME_X(11)(a0)
	sd a2, FRAME_X(12)(a0)
	sd a3, FRAME_X(13)(a0)
	sd a4, FRAME_X(14)(a0)
	sd a5, FRAME_X(15)(a0)
	sd a6, FRAME_X(16)(a0)
	sd a7, FRAME_X(17)(a0)
	sd t3, FRAME_X(28)(a0)
	sd t4, FRAME_X(29)(a0)
	sd t5, FRAME_X(30)(a0)
	sd t6, FRAME_X(31)(a0)
	.endm

	.macro LOAD_CALLER
	ld ra, FRAME_X(1)(a0)
	ld sp, FRAME_X(2)(a0)
	ld gp, FRAME_X(3)(a0)
	ld tp, FRAME_X(4)(a0)
	ld t0, FRAME_X(5)(a0)
	ld t1, FRAME_X(6)(a0)
	ld t2, FRAME_X(7)(a0)
	ld a1, FRAME_X(11)(a0)
	ld a2, FRAME_X(12)(a0)
	ld a3, FRAME_X(13)(a0)
	ld a4, FRAME_X(14)(a0)
	ld a5, FRAME_X(15)(a0)
	ld a6, FRAME_X(16)(a0)
	ld a7, FRAME_X(17)(a0)
	ld t3, FRAME_X(28)(a0)
	ld t4, FRAME_X(29)(a0)
	ld t5, FRAME_X(30)(a0)
	ld t6, FRAME_X(31)(a0)
	.endm

/*
 * int axvmi_riscv_world_run(struct riscv_frame *frame)
 * in: a0 frame, host interrupts masked. out: a0 what a handler returned, > 0.
 * Obeys the C ABI; 128 bytes of stack here and what the handlers use.
 */
FUNC axvmi_riscv_world_run
	addi sp, sp, -HOST_FRAME
	sd ra, 0(sp)
	sd s0, 8(sp)
	sd s1, 16(sp)
	sd s2, 24(sp)
	sd s3, 32(sp)
	sd s4, 40(sp)
	sd s5, 48(sp)
	sd s6, 56(sp)
	sd s7, 64(sp)
	sd s8, 72(sp)
	sd s9, 80(sp)
	sd s10, 88(sp)
	sd s11, 96(sp)
	la t0, .Lvector
	sd a0, HOST_FRAME_PTR(sp)
	sd t0, HOST_FRAME_VECTOR(sp)
	sd sp, FRAME_HOST_SP(a0)
	sd gp, FRAME_HOST_GP(a0)
	sd tp, FRAME_HOST_TP(a0)
	csrr t0, CSR_STVEC
	csrr t1, CSR_SSCRATCH
	csrr t2, CSR_SSTATUS
	sd t0, FRAME_HOST_STVEC(a0)
	sd t1, FRAME_HOST_SSCRATCH(a0)
	sd t2, FRAME_HOST_SSTATUS(a0)

.Lenter_full:
	LOAD_CALLEE
.Lenter:
	ld a0, HOST_FRAME_PTR(sp)
	ld t0, HOST_FRAME_VECTOR(sp)
	ld t1, FRAME_PC(a0)
	ld t2, FRAME_HSTATUS(a0)
	ld t3, FRAME_SSTATUS(a0)
	csrw CSR_STVEC, t0
	csrw CSR_SSCRATCH, a0
	csrw CSR_SEPC, t1
	csrw CSR_HSTATUS, t2
	csrw CSR_SSTATUS, t3
	LOAD_CALLER
	ld a0, FRAME_X(10)(a0)
	sret

	/* Traps out of the guest, and only those, arrive here. */
	.align 2
.Lvector:
	csrrw a0, CSR_SSCRATCH, a0
	SAVE_CALLER
	ld t0, FRAME_HOST_STVEC(a0)
	ld t1, FRAME_HOST_SSCRATCH(a0)
	ld t6, FRAME_HOST_SSTATUS(a0)
	csrw CSR_STVEC, t0
	csrrw t2, CSR_SSCRATCH, t1
	csrr t3, CSR_SEPC
	csrrw t5, CSR_SSTATUS, t6
	csrr a1, CSR_SCAUSE
	sd t2, FRAME_X(10)(a0)
	sd t3, FRAME_PC(a0)
	sd t5, FRAME_SSTATUS(a0)
	ld sp, FRAME_HOST_SP(a0)
	ld gp, FRAME_HOST_GP(a0)
	ld tp, FRAME_HOST_TP(a0)
	li t0, 10
	bltz a1, .Linterrupt
	bne a1, t0, .Lfault

	call axvmi_riscv_on_ecall
	beqz a0, .Lenter
.Lleave:
	mv a1, a0
	ld a0, HOST_FRAME_PTR(sp)
	SAVE_CALLEE
	mv a0, a1
	j .Lreturn

.Linterrupt:
	call axvmi_riscv_on_interrupt
	j .Lleave

.Lreload:
	ld a0, HOST_FRAME_PTR(sp)
	j .Lenter_full

.Lfault:
	SAVE_CALLEE
	call axvmi_riscv_on_fault
	beqz a0, .Lenter
	bltz a0, .Lreload

.Lreturn:
	ld ra, 0(sp)
	ld s0, 8(sp)
	ld s1, 16(sp)
	ld s2, 24(sp)
	ld s3, 32(sp)
	ld s4, 40(sp)
	ld s5, 48(sp)
	ld s6, 56(sp)
	ld s7, 64(sp)
	ld s8, 72(sp)
	ld s9, 80(sp)
	ld s10, 88(sp)
	ld s11, 96(sp)
	addi sp, sp, HOST_FRAME
	ret
ENDFUNC axvmi_riscv_world_run

/*
 * Probing instructions: run with a vector of their own, which turns a trap into
 * a1 = 1 + scause. in: a0 address. out: a0 value, a1 cause. clobbers t0-t2.
 * A trap changes sepc, scause, stval, sstatus.SPP and hstatus.SPV, GVA: the
 * caller has saved what it still needs.
 */
	.macro COUNT_SWAP
#ifdef AXVM_BENCH_COUNT
	la t1, axvmi_bench_counts + 8
	ld t2, (t1)
	addi t2, t2, 1
	sd t2, (t1)
#endif
	.endm

	.macro PROBE name, insn:vararg
FUNC \name
	COUNT_SWAP
	la t0, .Lprobe_trapped
	csrrw t1, CSR_STVEC, t0
	li a1, 0
	\insn
	csrw CSR_STVEC, t1
	ret
ENDFUNC \name
	.endm

	.text
	.align 2
.Lprobe_trapped:
	csrr a1, CSR_SCAUSE
	addi a1, a1, 1
	li a0, 0
	csrw CSR_STVEC, t1
	ret

	/* hlv.d a0, (a0) */
	PROBE axvmi_riscv_hlv_d, .insn r 0x73, 4, 0x36, a0, a0, x0
	PROBE axvmi_riscv_probe_hstatus, csrr a0, CSR_HSTATUS
	PROBE axvmi_riscv_probe_stimecmp, csrr a0, CSR_STIMECMP
	PROBE axvmi_riscv_probe_henvcfg, csrr a0, CSR_HENVCFG
	PROBE axvmi_riscv_probe_hstateen0, csrr a0, CSR_HSTATEEN0
	PROBE axvmi_riscv_probe_cycle, csrr a0, CSR_CYCLE
	PROBE axvmi_riscv_probe_vlenb, csrr a0, CSR_VLENB

/*
 * One word when it is aligned, so that it cannot cross a page; else halfwords,
 * the second only if the first says that there is one. hlvx.wu, hlvx.hu.
 * axvmi_riscv_fetch returns to t0, with a1 as it was unless it traps; it clobbers
 * t1 to t3.
 */
FUNC axvmi_riscv_hlvx
	li a1, 0
	call t0, axvmi_riscv_fetch
	ret
ENDFUNC axvmi_riscv_hlvx

FUNC axvmi_riscv_fetch
	COUNT_SWAP
	la t2, .Lfetch_trapped
	csrrw t1, CSR_STVEC, t2
	andi t2, a0, 3
	bnez t2, 1f
	.insn r 0x73, 4, 0x34, a0, a0, x3
	csrw CSR_STVEC, t1
	jr t0
1:	addi t2, a0, 2
	.insn r 0x73, 4, 0x32, a0, a0, x3
	andi t3, a0, 3
	addi t3, t3, -3
	bnez t3, 2f
	.insn r 0x73, 4, 0x32, t2, t2, x3
	slli t2, t2, 16
	or a0, a0, t2
2:	csrw CSR_STVEC, t1
	jr t0
	.align 2
.Lfetch_trapped:
	csrr a1, CSR_SCAUSE
	addi a1, a1, 1
	li a0, 0
	csrw CSR_STVEC, t1
	jr t0
ENDFUNC axvmi_riscv_fetch

/*
 * Floating-point and vector state. Encoded by hand: the archive may be built
 * for a hart without F, D, V. fsd/fld fN, offset(a0).
 */
	.macro FSD n, offset
	.4byte (((\offset) >> 5) << 25) | ((\n) << 20) | (10 << 15) | (3 << 12) | (((\offset) & 31) << 7) | 0x27
	.endm
	.macro FLD n, offset
	.4byte ((\offset) << 20) | (10 << 15) | (3 << 12) | ((\n) << 7) | 0x07
	.endm

	PROBE axvmi_riscv_probe_fsd, FSD 0, 0

FUNC axvmi_riscv_fp_save
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	FSD \n, \n * 8
	.endr
	csrr t0, CSR_FCSR
	sd t0, 256(a0)
	ret
ENDFUNC axvmi_riscv_fp_save

FUNC axvmi_riscv_fp_restore
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	FLD \n, \n * 8
	.endr
	ld t0, 256(a0)
	csrw CSR_FCSR, t0
	ret
ENDFUNC axvmi_riscv_fp_restore

FUNC axvmi_riscv_fs_save
	FSD 8, 0
	FSD 9, 8
	.irp n, 18,19,20,21,22,23,24,25,26,27
	FSD \n, (\n - 16) * 8
	.endr
	ret
ENDFUNC axvmi_riscv_fs_save

FUNC axvmi_riscv_fs_restore
	FLD 8, 0
	FLD 9, 8
	.irp n, 18,19,20,21,22,23,24,25,26,27
	FLD \n, (\n - 16) * 8
	.endr
	ret
ENDFUNC axvmi_riscv_fs_restore

	/* vs8r.v vN, (t0) and vl8re8.v vN, (t0) */
	.macro VS8R n
	.4byte 0xe2800027 | (5 << 15) | ((\n) << 7)
	.endm
	.macro VL8R n
	.4byte 0xe2800007 | (5 << 15) | ((\n) << 7)
	.endm

/* in: a0 area, a1 bytes of eight registers. clobbers t0. */
FUNC axvmi_riscv_vector_save
	csrr t0, CSR_VSTART
	sd t0, 0(a0)
	csrr t0, CSR_VCSR
	sd t0, 8(a0)
	csrr t0, CSR_VL
	sd t0, 16(a0)
	csrr t0, CSR_VTYPE
	sd t0, 24(a0)
	/* Whole-register stores begin at vstart. */
	csrw CSR_VSTART, zero
	addi t0, a0, 32
	.irp n, 0,8,16,24
	VS8R \n
	add t0, t0, a1
	.endr
	ret
ENDFUNC axvmi_riscv_vector_save

FUNC axvmi_riscv_vector_restore
	csrw CSR_VSTART, zero
	addi t0, a0, 32
	.irp n, 0,8,16,24
	VL8R \n
	add t0, t0, a1
	.endr
	ld t0, 16(a0)
	ld t1, 24(a0)
	/* vsetvl x0, t0, t1 */
	.4byte 0x80007057 | (6 << 20) | (5 << 15)
	ld t0, 8(a0)
	csrw CSR_VCSR, t0
	ld t0, 0(a0)
	csrw CSR_VSTART, t0
	ret
ENDFUNC axvmi_riscv_vector_restore

#ifdef AXVM_BENCH_COUNT
	.bss
	.align 3
	.globl axvmi_bench_counts
axvmi_bench_counts:
	.skip 16
#endif

	.section .note.GNU-stack, "", @progbits
