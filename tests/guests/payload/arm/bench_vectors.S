/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Vectors of bench.c in which an IRQ of EL1h costs as little as it can: the loop
 * that is interrupted keeps x16 for it, counts them in x17, and has the words of
 * the timer in x13 to x15. All else goes where it always goes.
 */
#define IRQ_EL1H 5

	.macro acknowledge
	mrs	x16, S3_0_C12_C12_0	/* ICC_IAR1_EL1 */
	.endm

	.macro end
	msr	S3_0_C12_C12_1, x16	/* ICC_EOIR1_EL1 */
	add	x17, x17, #1
	eret
	.endm

	.macro table name
	.globl	\name
	.balign	2048
\name:
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	.balign	128
	.if	\n == IRQ_EL1H
	acknowledge
	.ifc	\name, timer_vectors
	/* As Linux does: masked, then set to what comes next. */
	msr	cntv_ctl_el0, x15
	isb
	msr	cntv_tval_el0, x14
	msr	cntv_ctl_el0, x13
	isb
	.endif
	end
	.else
	b	vectors + \n * 128
	.endif
	.endr
	.balign	128
	.endm

	.text
	table	sgi_vectors
	table	timer_vectors
