/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Single machine instructions as functions. Metal: only cpu.c and vcpu.c
 * include it. CSR numbers and .insn encodings suit every assembler.
 */
#ifndef AXVMI_RISCV_HW_H
#define AXVMI_RISCV_HW_H

#include <stdint.h>

#include "regs.h"

/* Benches count what is expensive; world.S counts vector swaps itself. */
#ifdef AXVM_BENCH_COUNT
extern uint64_t axvmi_bench_counts[2]; /* HFENCE, stvec around a probe */
#define COUNT_HFENCE() ((void)axvmi_bench_counts[0]++)
#else
#define COUNT_HFENCE() ((void)0)
#endif

#define csr_read(csr)                               \
	__extension__({                             \
		uint64_t csr_value_;                \
		__asm__ volatile("csrr %0, %1"      \
				 : "=r"(csr_value_) \
				 : "i"(csr)         \
				 : "memory");       \
		csr_value_;                         \
	})
#define csr_write(csr, value)                                \
	__asm__ volatile("csrw %0, %1"                       \
			 :                                   \
			 : "i"(csr), "rK"((uint64_t)(value)) \
			 : "memory")
#define csr_set(csr, bits)                                  \
	__asm__ volatile("csrs %0, %1"                      \
			 :                                  \
			 : "i"(csr), "rK"((uint64_t)(bits)) \
			 : "memory")
#define csr_clear(csr, bits)                                \
	__asm__ volatile("csrc %0, %1"                      \
			 :                                  \
			 : "i"(csr), "rK"((uint64_t)(bits)) \
			 : "memory")

static inline void hw_fence_i(void)
{
	/* fence.i; as a word because Zifencei may not be in -march. */
	__asm__ volatile(".4byte 0x0000100f" : : : "memory");
}

/* Guest-stage entries of the current VMID: all, one ASID, one address. */
static inline void hw_hfence_vvma(void)
{
	COUNT_HFENCE();
	__asm__ volatile(".insn r 0x73, 0, 0x11, x0, x0, x0" : : : "memory");
}

static inline void hw_hfence_vvma_asid(uint64_t asid)
{
	COUNT_HFENCE();
	__asm__ volatile(".insn r 0x73, 0, 0x11, x0, x0, %0"
			 :
			 : "r"(asid)
			 : "memory");
}

static inline void hw_hfence_vvma_page(uint64_t gva)
{
	COUNT_HFENCE();
	__asm__ volatile(".insn r 0x73, 0, 0x11, x0, %0, x0"
			 :
			 : "r"(gva)
			 : "memory");
}

static inline void hw_hfence_vvma_page_asid(uint64_t gva, uint64_t asid)
{
	COUNT_HFENCE();
	__asm__ volatile(".insn r 0x73, 0, 0x11, x0, %0, %1"
			 :
			 : "r"(gva), "r"(asid)
			 : "memory");
}

/* Stage-2 entries: of every VMID, of one. */
static inline void hw_hfence_gvma(void)
{
	COUNT_HFENCE();
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, x0" : : : "memory");
}

static inline void hw_hfence_gvma_vmid(uint64_t vmid)
{
	COUNT_HFENCE();
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, %0"
			 :
			 : "r"(vmid)
			 : "memory");
}

/* ---- world.S ---- */

struct riscv_frame;

/* Runs the guest until a handler returns other than 0; returns that. */
int axvmi_riscv_world_run(struct riscv_frame *frame);

/* A probing access: what it read, or that it trapped. */
struct hw_probe {
	uint64_t value;
	uint64_t cause; /* 0, or 1 + scause of the trap */
};

/* Instruction bytes at a guest virtual address, two at least, by HLVX with the
 * privilege in hstatus.SPVP; doubleword by HLV. */
struct hw_probe axvmi_riscv_hlvx(uint64_t gva);
struct hw_probe axvmi_riscv_hlv_d(uint64_t gva);
/*
 * axvmi_riscv_hlvx() for the exit path, which lives on what a call would cost:
 * no return address to save, few registers lost. 0, no valid instruction, if it
 * cannot be fetched.
 */
static inline uint64_t hw_fetch(uint64_t gva)
{
	register uint64_t value __asm__("a0") = gva;

	__asm__ volatile("call t0, axvmi_riscv_fetch"
			 : "+r"(value)
			 :
			 : "t0", "t1", "t2", "t3", "a1", "memory");
	return value;
}

/* CSRs that may not exist. */
struct hw_probe axvmi_riscv_probe_hstatus(void);
struct hw_probe axvmi_riscv_probe_stimecmp(void);
struct hw_probe axvmi_riscv_probe_henvcfg(void);
struct hw_probe axvmi_riscv_probe_hstateen0(void);
struct hw_probe axvmi_riscv_probe_cycle(void);
struct hw_probe axvmi_riscv_probe_vlenb(void);
struct hw_probe axvmi_riscv_probe_fsd(uint64_t *scratch);

/* f0-f31 and fcsr; sstatus.FS must be on. */
void axvmi_riscv_fp_save(uint64_t *area);
void axvmi_riscv_fp_restore(const uint64_t *area);
/* fs0-fs11, which a hard-float ABI preserves. */
void axvmi_riscv_fs_save(uint64_t area[12]);
void axvmi_riscv_fs_restore(const uint64_t area[12]);
/* vstart, vcsr, vl, vtype, then v0-v31; sstatus.VS must be on. */
void axvmi_riscv_vector_save(void *area, uint64_t eight_registers);
void axvmi_riscv_vector_restore(const void *area, uint64_t eight_registers);

#endif
