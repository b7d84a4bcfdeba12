/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The world switch. SP_EL2 points to the frame while the guest runs. The guest's
 * x19-x28 stay in their registers while C answers an HVC or an interrupt,
 * because C preserves them; for all else, which may name any register, and when
 * leaving, they go to the frame.
 */
#include "frame.h"
#include "regs.h"

	.macro FUNC name
	.text
	.align 2
	.globl \name
	.type \name, %function
\name:
	.endm

	.macro ENDFUNC name
	.size \name, . - \name
	.endm

	.macro SAVE_PAIR base, a, b
	stp x\a, x\b, [\base, #FRAME_X(\a)]
	.endm

	.macro LOAD_PAIR base, a, b
	ldp x\a, x\b, [\base, #FRAME_X(\a)]
	.endm

	.macro CALLEE op, base
	\op \base, 19, 20
	\op \base, 21, 22
	\op \base, 23, 24
	\op \base, 25, 26
	\op \base, 27, 28
	.endm

	/* x29 is preserved by C too, but not apart from its pair. */
	.macro CALLER op, base
	\op \base, 2, 3
	\op \base, 4, 5
	\op \base, 6, 7
	\op \base, 8, 9
	\op \base, 10, 11
	\op \base, 12, 13
	\op \base, 14, 15
	\op \base, 16, 17
	.endm

/*
 * int axvmi_arm_world_run(struct arm_frame *frame)
 * in: x0 frame, host interrupts masked. out: x0 what a handler returned.
 * Obeys the C ABI, x18 and PSTATE.DAIF and PAN included; 112 bytes of stack here
 * and what the handlers use.
 */
FUNC axvmi_arm_world_run
	stp x29, x30, [sp, #-112]!
	mov x29, sp
	stp x19, x20, [sp, #16]
	stp x21, x22, [sp, #32]
	stp x23, x24, [sp, #48]
	stp x25, x26, [sp, #64]
	stp x27, x28, [sp, #80]
	str x0, [sp, #96]
	mov x1, sp
	mrs x2, SYS_VBAR_EL2
	mrs x3, SYS_HCR_EL2
	mrs x4, SYS_SP_EL0
	mrs x5, SYS_TPIDR_EL0
	mrs x6, SYS_PAN
	mrs x7, SYS_DAIF
	stp x4, x5, [x0, #FRAME_HOST_SP_EL0]
	stp x2, x3, [x0, #FRAME_HOST_VBAR]
	stp x1, x18, [x0, #FRAME_HOST_SP]
	stp x6, x7, [x0, #FRAME_HOST_PAN]

	/* An exception here would go to the guest's vector. */
	msr daifset, #0xf
.Lenter_full:
	CALLEE LOAD_PAIR, x0
.Lenter:
	ldr x1, [x0, #FRAME_VECTORS]
	ldp x2, x3, [x0, #FRAME_PC]
	ldp x4, x5, [x0, #FRAME_TPIDR_EL0] /* and HCR_EL2 */
	ldp x30, x6, [x0, #FRAME_X(30)] /* and SP_EL0 */
	mov sp, x0
	msr SYS_VBAR_EL2, x1
	msr SYS_ELR_EL2, x2
	msr SYS_SPSR_EL2, x3
	msr SYS_TPIDR_EL0, x4
	msr SYS_HCR_EL2, x5
	msr SYS_SP_EL0, x6
	ldp x18, x19, [sp, #FRAME_X(18)]
	CALLER LOAD_PAIR, sp
	ldr x29, [sp, #FRAME_X(29)]
	ldp x0, x1, [sp, #FRAME_X(0)]
	eret
	/* Nothing is speculated beyond it. */
	dsb nsh
	isb
ENDFUNC axvmi_arm_world_run

	/*
	 * "Exception vectors". From lower ELs, AArch64 and AArch32, the guest's
	 * exits. From EL2 itself there are none while this table is in place but
	 * for a bug or a failing machine: the host's vector gets those, x17 lost.
	 */
	.macro HOSTS offset
	.balign 0x80
	ldr x17, [sp, #FRAME_HOST_HCR]
	msr SYS_HCR_EL2, x17
	ldr x17, [sp, #FRAME_HOST_VBAR]
	msr SYS_VBAR_EL2, x17
	ldr x17, [sp, #FRAME_HOST_SP]
	mov sp, x17
	isb
	mrs x17, SYS_VBAR_EL2
	add x17, x17, #\offset
	br x17
	.endm

	/*
	 * Leaves x0 the frame and the host's registers in place. x19-x28 hold
	 * the guest's still; x1-x17 are free.
	 */
	.macro EXIT target, serror=0
	.balign 0x80
	stp x0, x1, [sp, #FRAME_X(0)]
	.if \serror
	SEE_SERROR
	.endif
	CALLER SAVE_PAIR, sp
	stp x18, x19, [sp, #FRAME_X(18)]
	str x29, [sp, #FRAME_X(29)]
	b \target
	.endm

	/* The CPU clears HCR_EL2.VSE when the guest takes its virtual SError. */
	.macro SEE_SERROR
	mrs x0, SYS_HCR_EL2
	tbnz x0, #HCR_VSE_BIT, 1f
	ldr x0, [sp, #FRAME_HCR]
	and x0, x0, #~(1 << HCR_VSE_BIT)
	str x0, [sp, #FRAME_HCR]
	adrp x0, axvmi_arm_vectors
	add x0, x0, :lo12:axvmi_arm_vectors
	str x0, [sp, #FRAME_VECTORS]
1:
	.endm

	.macro HOST_BACK
	mrs x2, SYS_ELR_EL2
	mrs x3, SYS_SPSR_EL2
	mrs x4, SYS_TPIDR_EL0
	mrs x5, SYS_SP_EL0
	mov x0, sp
	stp x2, x3, [x0, #FRAME_PC]
	str x4, [x0, #FRAME_TPIDR_EL0]
	stp x30, x5, [x0, #FRAME_X(30)]
	ldp x6, x7, [x0, #FRAME_HOST_SP_EL0]
	ldp x8, x9, [x0, #FRAME_HOST_VBAR]
	ldp x10, x18, [x0, #FRAME_HOST_SP]
	ldr x11, [x0, #FRAME_HOST_PAN]
	msr SYS_SP_EL0, x6
	msr SYS_TPIDR_EL0, x7
	msr SYS_VBAR_EL2, x8
	msr SYS_HCR_EL2, x9
	msr SYS_PAN, x11
	mov sp, x10
	mov x29, sp /* no walker of the host's stack may follow the guest's */
	isb
#ifdef AXVM_BENCH_COUNT
	adrp x11, axvmi_bench_counts
	add x11, x11, :lo12:axvmi_bench_counts
	ldr x12, [x11, #8]
	add x12, x12, #1
	str x12, [x11, #8]
#endif
	.endm

	.section .text.axvmi_vectors, "ax", %progbits
	.macro VECTORS_OF serror
	.balign 0x800
	HOSTS 0x200
	HOSTS 0x280
	HOSTS 0x300
	HOSTS 0x380
	HOSTS 0x200
	HOSTS 0x280
	HOSTS 0x300
	HOSTS 0x380
	EXIT .Lsync, \serror
	EXIT .Linterrupt, \serror
	EXIT .Linterrupt, \serror
	EXIT .Lfault, \serror
	EXIT .Lsync, \serror
	EXIT .Linterrupt, \serror
	EXIT .Linterrupt, \serror
	EXIT .Lfault, \serror
	.endm

	.balign 0x800
	.globl axvmi_arm_vectors
axvmi_arm_vectors:
	VECTORS_OF 0
	.balign 0x800
	.globl axvmi_arm_serror_vectors
axvmi_arm_serror_vectors:
	VECTORS_OF 1
	.balign 0x80

	.text
.Lsync:
	HOST_BACK
	mrs x1, SYS_ESR_EL2
	ubfx x2, x1, #EC_SHIFT, #6
	cmp x2, #EC_HVC64
	b.ne .Lother
	bl axvmi_arm_on_hvc
.Lanswered:
	mov w1, w0
	ldr x0, [sp, #96]
	cbz w1, .Lenter
	CALLEE SAVE_PAIR, x0
	b .Lreturn

.Linterrupt:
	HOST_BACK
	bl axvmi_arm_on_interrupt
	b .Lanswered

.Lfault:
	HOST_BACK
	mrs x1, SYS_ESR_EL2
.Lother:
	CALLEE SAVE_PAIR, x0
	bl axvmi_arm_on_exit
	mov w1, w0
	ldr x0, [sp, #96]
	cbz w1, .Lenter_full

.Lreturn:
	ldr x2, [x0, #FRAME_HOST_DAIF]
	mov w0, w1
	ldp x19, x20, [sp, #16]
	ldp x21, x22, [sp, #32]
	ldp x23, x24, [sp, #48]
	ldp x25, x26, [sp, #64]
	ldp x27, x28, [sp, #80]
	msr SYS_DAIF, x2
	ldp x29, x30, [sp], #112
	ret

/*
 * Floating-point and SIMD state. in: x0 area. clobbers x1, x2. The archive is
 * built for general registers only, which is no matter to the assembler.
 */
	.arch_extension simd

	.macro VECTORS op
	\op q0, q1, [x0, #0]
	\op q2, q3, [x0, #32]
	\op q4, q5, [x0, #64]
	\op q6, q7, [x0, #96]
	\op q8, q9, [x0, #128]
	\op q10, q11, [x0, #160]
	\op q12, q13, [x0, #192]
	\op q14, q15, [x0, #224]
	\op q16, q17, [x0, #256]
	\op q18, q19, [x0, #288]
	\op q20, q21, [x0, #320]
	\op q22, q23, [x0, #352]
	\op q24, q25, [x0, #384]
	\op q26, q27, [x0, #416]
	\op q28, q29, [x0, #448]
	\op q30, q31, [x0, #480]
	.endm

FUNC axvmi_arm_fp_save
	VECTORS stp
	mrs x1, fpsr
	mrs x2, fpcr
	add x0, x0, #512
	stp x1, x2, [x0]
	ret
ENDFUNC axvmi_arm_fp_save

FUNC axvmi_arm_fp_restore
	VECTORS ldp
	add x0, x0, #512
	ldp x1, x2, [x0]
	msr fpsr, x1
	msr fpcr, x2
	ret
ENDFUNC axvmi_arm_fp_restore

FUNC axvmi_arm_host_fp_save
	stp d8, d9, [x0]
	stp d10, d11, [x0, #16]
	stp d12, d13, [x0, #32]
	stp d14, d15, [x0, #48]
	mrs x1, fpcr
	str x1, [x0, #64]
	ret
ENDFUNC axvmi_arm_host_fp_save

FUNC axvmi_arm_host_fp_restore
	ldp d8, d9, [x0]
	ldp d10, d11, [x0, #16]
	ldp d12, d13, [x0, #32]
	ldp d14, d15, [x0, #48]
	ldr x1, [x0, #64]
	msr fpcr, x1
	ret
ENDFUNC axvmi_arm_host_fp_restore

#ifdef AXVM_BENCH_COUNT
	.bss
	.balign 8
	.globl axvmi_bench_counts
axvmi_bench_counts:
	.skip 16
#endif

	.section .note.GNU-stack, "", %progbits
