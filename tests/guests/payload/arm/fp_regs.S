/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The SIMD&FP registers, which C does not touch: struct fp of payload.h. */
	.arch	armv8-a+fp+simd

	.macro each_pair op, base
	\op	q0, q1, [\base]
	\op	q2, q3, [\base, #32]
	\op	q4, q5, [\base, #64]
	\op	q6, q7, [\base, #96]
	\op	q8, q9, [\base, #128]
	\op	q10, q11, [\base, #160]
	\op	q12, q13, [\base, #192]
	\op	q14, q15, [\base, #224]
	\op	q16, q17, [\base, #256]
	\op	q18, q19, [\base, #288]
	\op	q20, q21, [\base, #320]
	\op	q22, q23, [\base, #352]
	\op	q24, q25, [\base, #384]
	\op	q26, q27, [\base, #416]
	\op	q28, q29, [\base, #448]
	\op	q30, q31, [\base, #480]
	.endm

	.text
/* void fp_load(const struct fp *) */
	.globl	fp_load
fp_load:
	each_pair ldp, x0
	ldr	x1, [x0, #512]
	ldr	x2, [x0, #520]
	msr	fpcr, x1
	msr	fpsr, x2
	ret

/* void fp_store(struct fp *) */
	.globl	fp_store
fp_store:
	each_pair stp, x0
	mrs	x1, fpcr
	mrs	x2, fpsr
	str	x1, [x0, #512]
	str	x2, [x0, #520]
	ret

/* void fp_spin(const struct fp *in, struct fp *out, uint64_t end): load, spin
 * until the virtual counter is there, store. */
	.globl	fp_spin
fp_spin:
	mov	x9, x30
	mov	x10, x1
	mov	x11, x2
	bl	fp_load
1:	isb
	mrs	x3, cntvct_el0
	cmp	x3, x11
	b.lo	1b
	mov	x0, x10
	bl	fp_store
	ret	x9
