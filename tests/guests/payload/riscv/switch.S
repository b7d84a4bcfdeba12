/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Loads a whole register file, spins until a time and stores it again, with
 * no use of those registers in between. Vector instructions are words: not
 * every assembler knows V.
 */
	.macro each_float op, base
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	\op	f\n, 8*\n(\base)
	.endr
	.irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\op	f\n, 8*\n(\base)
	.endr
	.endm

	.text
/* void spin_float(const uint64_t in[33], uint64_t out[33], uint64_t end) */
	.globl	spin_float
spin_float:
	ld	t0, 256(a0)
	csrw	fcsr, t0
	each_float fld, a0
1:	rdtime	t0
	bltu	t0, a2, 1b
	each_float fsd, a1
	csrr	t0, fcsr
	sd	t0, 256(a1)
	ret

/*
 * void spin_vector(const uint8_t *in, uint8_t *out, uint64_t end,
 *		    uint64_t csrs[5])
 */
	.globl	spin_vector
spin_vector:
	csrr	t1, 0xc22		/* vlenb */
	sd	t1, 0(a3)
	slli	t1, t1, 3		/* eight registers */
	mv	t2, a0
	.word	0xe2838007		/* vl8re8.v v0, (t2); t2 = x7 */
	add	t2, t2, t1
	.word	0xe2838407		/* v8 */
	add	t2, t2, t1
	.word	0xe2838807		/* v16 */
	add	t2, t2, t1
	.word	0xe2838c07		/* v24 */
	li	t0, 5
	.word	0x0112f057		/* vsetvli x0, t0, e32, m2, tu, mu */
	csrr	t3, 0xc20		/* vl */
	sd	t3, 8(a3)
	csrr	t3, 0xc21		/* vtype */
	sd	t3, 16(a3)
1:	rdtime	t0
	bltu	t0, a2, 1b
	csrr	t3, 0xc20
	sd	t3, 24(a3)
	csrr	t3, 0xc21
	sd	t3, 32(a3)
	mv	t2, a1
	.word	0xe2838027		/* vs8r.v v0, (t2) */
	add	t2, t2, t1
	.word	0xe2838427
	add	t2, t2, t1
	.word	0xe2838827
	add	t2, t2, t1
	.word	0xe2838c27
	ret
