/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The guest's register frame, shared by C and world.S; world.S uses the
 * FRAME_* offsets, which vcpu.c asserts.
 */
#ifndef AXVMI_RISCV_FRAME_H
#define AXVMI_RISCV_FRAME_H

#define FRAME_X(n) ((n)*8)
#define FRAME_PC 256
#define FRAME_HSTATUS 264
#define FRAME_SSTATUS 272
#define FRAME_SCAUSE 280
#define FRAME_STVAL 288
#define FRAME_HOST_SP 296
#define FRAME_HOST_GP 304
#define FRAME_HOST_TP 312
#define FRAME_HOST_STVEC 320
#define FRAME_HOST_SSCRATCH 328
#define FRAME_HOST_SSTATUS 336

/* A handler's result: go on, with s0-s11 as they stand in the frame now. On 0
 * those of the frame have not changed. */
#define RISCV_RELOAD (-1)

/* Register numbers of the ABI. */
#define REG_RA 1
#define REG_SP 2
#define REG_A0 10
#define REG_A1 11
#define REG_A6 16
#define REG_A7 17

#ifndef __ASSEMBLER__
#include <stdint.h>

struct riscv_frame {
	uint64_t x[32]; /* x0 stays 0 */
	uint64_t pc; /* sepc of the next entry */
	uint64_t hstatus;
	uint64_t sstatus;
	uint64_t scause; /* of the exit being handled */
	uint64_t stval;
	/* The host's, while the guest runs. */
	uint64_t host_sp;
	uint64_t host_gp;
	uint64_t host_tp;
	uint64_t host_stvec;
	uint64_t host_sscratch;
	uint64_t host_sstatus; /* with interrupts masked */
};
#endif

#endif
