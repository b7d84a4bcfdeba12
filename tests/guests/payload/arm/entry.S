/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Entry points and the vectors. TPIDR_EL1 holds the CPU's struct. C runs at EL1
 * on SP_EL1, tried instructions on SP_EL0 or at EL0: an exception always finds a
 * stack, whatever the registers hold. A frame is pushed there.
 */
#include "offsets.h"

	.macro each_pair op
	\op	x2, x3, [sp, #16]
	\op	x4, x5, [sp, #32]
	\op	x6, x7, [sp, #48]
	\op	x8, x9, [sp, #64]
	\op	x10, x11, [sp, #80]
	\op	x12, x13, [sp, #96]
	\op	x14, x15, [sp, #112]
	\op	x16, x17, [sp, #128]
	\op	x18, x19, [sp, #144]
	\op	x20, x21, [sp, #160]
	\op	x22, x23, [sp, #176]
	\op	x24, x25, [sp, #192]
	\op	x26, x27, [sp, #208]
	\op	x28, x29, [sp, #224]
	.endm

	.macro each_saved op
	\op	x19, x20, [sp]
	\op	x21, x22, [sp, #16]
	\op	x23, x24, [sp, #32]
	\op	x25, x26, [sp, #48]
	\op	x27, x28, [sp, #64]
	\op	x29, x30, [sp, #80]
	.endm

/* "Booting AArch64 Linux": the header. in: x0 device tree. */
	.section .text.entry, "ax"
	.globl	_start
_start:
	b	1f
	.word	0
	.quad	0			/* text_offset */
	.quad	image_size
	.quad	0xa			/* little-endian, 4K pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.word	0
1:	mrs	x5, sctlr_el1
	ldr	x1, =bss_start
	ldr	x2, =bss_end
2:	stp	xzr, xzr, [x1], #16
	cmp	x1, x2
	b.lo	2b
	ldr	x1, =boot_stack_end
	mov	sp, x1
	ldr	x3, =cpus
	str	x5, [x3, #CPU_ENTRY+8]
	bl	prepare
	mov	x1, x0
	mov	x0, x3
	bl	boot_main
	b	.

/* in: x3 struct cpu. clobbers: x4. */
prepare:
	msr	tpidr_el1, x3
	ldr	x4, =vectors
	msr	vbar_el1, x4
	mov	x4, #3 << 20		/* CPACR_EL1.FPEN */
	msr	cpacr_el1, x4
	isb
	ret

	.text
/* in: x0 struct cpu of it. What CPU_ON promises is noted. */
	.globl	secondary_entry
secondary_entry:
	mov	x3, x0
	str	x0, [x3, #CPU_ENTRY]
	mrs	x4, sctlr_el1
	str	x4, [x3, #CPU_ENTRY+8]
	mrs	x4, currentel
	str	x4, [x3, #CPU_ENTRY+16]
	mrs	x4, daif
	str	x4, [x3, #CPU_ENTRY+24]
	mrs	x4, spsel
	str	x4, [x3, #CPU_ENTRY+32]
	bl	prepare
	ldr	x4, [x3, #CPU_MAIN_SP]
	mov	sp, x4
	mov	x0, x3
	bl	secondary_main
	b	.

/* Back from a suspend with power down: x0 struct cpu. Returns from the
 * suspend_away() that left its registers on the stack. */
	.globl	resume_entry
resume_entry:
	mov	x3, x0
	str	x0, [x3, #CPU_ENTRY]
	mrs	x4, sctlr_el1
	str	x4, [x3, #CPU_ENTRY+8]
	bl	prepare
	ldr	x4, [x3, #CPU_MAIN_SP]
	mov	sp, x4
	each_saved ldp
	add	sp, sp, #96
	mov	x0, #0
	ret

/* int64_t suspend_away(function, state, entry, struct cpu *): 0 resumed or back
 * without power down, else the error. */
	.globl	suspend_away
suspend_away:
	sub	sp, sp, #96
	each_saved stp
	mov	x4, sp
	str	x4, [x3, #CPU_MAIN_SP]
	dsb	sy
	hvc	#0
	each_saved ldp
	add	sp, sp, #96
	ret

	.macro vector number
	.balign	128
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp]
	mov	x0, #\number
	b	save
	.endm

	.globl	vectors
	.balign	2048
vectors:
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	vector	\n
	.endr

save:
	each_pair stp
	str	x0, [sp, #FRAME_VECTOR]
	mrs	x0, sp_el0
	stp	x30, x0, [sp, #FRAME_SP-8]
	mrs	x0, elr_el1
	mrs	x1, spsr_el1
	stp	x0, x1, [sp, #FRAME_PC]
	mrs	x0, esr_el1
	mrs	x1, far_el1
	stp	x0, x1, [sp, #FRAME_ESR]
	mov	x0, sp
	bl	trap_c
	cbnz	x0, run_done
restore:
	ldp	x0, x1, [sp, #FRAME_PC]
	msr	elr_el1, x0
	msr	spsr_el1, x1
	ldp	x30, x0, [sp, #FRAME_SP-8]
	msr	sp_el0, x0
	each_pair ldp
	ldp	x0, x1, [sp]
	add	sp, sp, #FRAME_SIZE
	eret

/* void run_frame(const struct frame *): enters it, returns after an exception. */
	.globl	run_frame
run_frame:
	sub	sp, sp, #96
	each_saved stp
	sub	sp, sp, #FRAME_SIZE
	mov	x1, sp
	mov	x2, #FRAME_SIZE
1:	ldp	x3, x4, [x0], #16
	stp	x3, x4, [x1], #16
	subs	x2, x2, #16
	b.ne	1b
	b	restore
run_done:
	add	sp, sp, #FRAME_SIZE
	each_saved ldp
	add	sp, sp, #96
	ret

	.bss
	.balign	16
	.skip	16384
boot_stack_end:
