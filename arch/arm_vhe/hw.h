/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Single machine instructions as functions. Metal: only metal files include
 * it.
 */
#ifndef AXVMI_ARM_HW_H
#define AXVMI_ARM_HW_H

#include <stdint.h>

#include "regs.h"

/* Benches count what is expensive; world.S counts its ISB itself. */
#ifdef AXVM_BENCH_COUNT
extern uint64_t axvmi_bench_counts[2]; /* TLBI and IC, ISB */
#define COUNT(n) ((void)axvmi_bench_counts[n]++)
#else
#define COUNT(n) ((void)0)
#endif
#define COUNT_TLBI 0
#define COUNT_ISB 1

#define HW_TEXT_(x) #x
#define HW_TEXT(x) HW_TEXT_(x)

#define sys_read(reg)                                    \
	__extension__({                                  \
		uint64_t sys_value_;                     \
		__asm__ volatile("mrs %0, " HW_TEXT(reg) \
				 : "=r"(sys_value_)      \
				 :                       \
				 : "memory");            \
		sys_value_;                              \
	})
#define sys_write(reg, value)                        \
	__asm__ volatile("msr " HW_TEXT(reg) ", %x0" \
			 :                           \
			 : "rZ"((uint64_t)(value))   \
			 : "memory")

static inline void hw_isb(void)
{
	COUNT(COUNT_ISB);
	__asm__ volatile("isb" : : : "memory");
}

static inline void hw_dsb_ish(void)
{
	__asm__ volatile("dsb ish" : : : "memory");
}

static inline void hw_dsb_nsh(void)
{
	__asm__ volatile("dsb nsh" : : : "memory");
}

/* "TLB maintenance instructions": of the VMID in VTTBR_EL2, with HCR_EL2.TGE 0.
 * This CPU; _is: all of the Inner Shareable domain. */
static inline void hw_tlbi_vmalle1(void)
{
	COUNT(COUNT_TLBI);
	__asm__ volatile("tlbi vmalle1" : : : "memory");
}

static inline void hw_tlbi_vmalle1_is(void)
{
	COUNT(COUNT_TLBI);
	__asm__ volatile("tlbi vmalle1is" : : : "memory");
}

static inline void hw_tlbi_vmalls12e1(void)
{
	COUNT(COUNT_TLBI);
	__asm__ volatile("tlbi vmalls12e1" : : : "memory");
}

static inline void hw_tlbi_vmalls12e1_is(void)
{
	COUNT(COUNT_TLBI);
	__asm__ volatile("tlbi vmalls12e1is" : : : "memory");
}

static inline void hw_tlbi_ipas2e1_is(uint64_t ipa)
{
	COUNT(COUNT_TLBI);
	__asm__ volatile("tlbi ipas2e1is, %0" : : "r"(ipa >> 12) : "memory");
}

/* EL1&0 of every VMID, this CPU. */
static inline void hw_tlbi_alle1(void)
{
	COUNT(COUNT_TLBI);
	__asm__ volatile("tlbi alle1" : : : "memory");
}

static inline void hw_ic_iallu(void)
{
	COUNT(COUNT_TLBI);
	__asm__ volatile("ic iallu" : : : "memory");
}

static inline void hw_ic_iallu_is(void)
{
	COUNT(COUNT_TLBI);
	__asm__ volatile("ic ialluis" : : : "memory");
}

static inline void hw_dc_civac(const void *address)
{
	__asm__ volatile("dc civac, %0" : : "r"(address) : "memory");
}

/* Stage 1 of EL1&0, as for a read at EL1; the answer is in PAR_EL1. */
static inline void hw_at_s1e1r(uint64_t address)
{
	__asm__ volatile("at s1e1r, %0" : : "r"(address) : "memory");
}

/*
 * Masks all interrupts and returns PSTATE.DAIF as it was. Debug exceptions too:
 * what a guest wants of them is on the CPU until the end of its run, and what is
 * allowed to EL1 then stops EL2.
 */
static inline uint64_t hw_daif_save(void)
{
	uint64_t daif = sys_read(SYS_DAIF);

	__asm__ volatile("msr daifset, #0xb" : : : "memory");
	return daif;
}

/* ---- world.S ---- */

struct arm_frame;

/* Values of frame->vectors: the usual one, and the one to use while HCR_VSE of
 * frame->hcr is set, which goes back to the usual one when the CPU clears it. */
extern const char axvmi_arm_vectors[];
extern const char axvmi_arm_serror_vectors[];

/* Runs the guest until a handler returns other than 0; returns that. */
int axvmi_arm_world_run(struct arm_frame *frame);

/* v0-v31, FPSR, FPCR: 66 doublewords; CPTR_EL2 must not trap them. */
void axvmi_arm_fp_save(uint64_t *area);
void axvmi_arm_fp_restore(const uint64_t *area);
/* d8-d15, which the ABI of a host that uses them preserves, and FPCR. */
void axvmi_arm_host_fp_save(uint64_t area[9]);
void axvmi_arm_host_fp_restore(const uint64_t area[9]);

#endif
