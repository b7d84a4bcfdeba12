/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * CSRs and fields the backend uses, by number so that any assembler takes them.
 * RISC-V Privileged Architecture; the section is at the head of each group.
 */
#ifndef AXVMI_RISCV_REGS_H
#define AXVMI_RISCV_REGS_H

/* "Supervisor CSRs". */
#define CSR_SSTATUS 0x100
#define CSR_STVEC 0x105
#define CSR_SCOUNTEREN 0x106
#define CSR_SENVCFG 0x10a
#define CSR_SSCRATCH 0x140
#define CSR_SEPC 0x141
#define CSR_SCAUSE 0x142
#define CSR_STVAL 0x143
#define CSR_STIMECMP 0x14d /* Sstc */

/* "Hypervisor and Virtual Supervisor CSRs". */
#define CSR_HSTATUS 0x600
#define CSR_HEDELEG 0x602
#define CSR_HIDELEG 0x603
#define CSR_HIE 0x604
#define CSR_HTIMEDELTA 0x605
#define CSR_HCOUNTEREN 0x606
#define CSR_HGEIE 0x607
#define CSR_HENVCFG 0x60a
#define CSR_HSTATEEN0 0x60c /* Smstateen */
#define CSR_HTVAL 0x643
#define CSR_HIP 0x644
#define CSR_HVIP 0x645
#define CSR_HTINST 0x64a
#define CSR_HGATP 0x680
#define CSR_VSSTATUS 0x200
#define CSR_VSIE 0x204
#define CSR_VSTVEC 0x205
#define CSR_VSSCRATCH 0x240
#define CSR_VSEPC 0x241
#define CSR_VSCAUSE 0x242
#define CSR_VSTVAL 0x243
#define CSR_VSTIMECMP 0x24d
#define CSR_VSATP 0x280

/* Unprivileged: "F" and "V" extensions, "Zicntr". */
#define CSR_FCSR 0x003
#define CSR_VSTART 0x008
#define CSR_VCSR 0x00f
#define CSR_CYCLE 0xc00
#define CSR_TIME 0xc01
#define CSR_VL 0xc20
#define CSR_VTYPE 0xc21
#define CSR_VLENB 0xc22

#ifndef __ASSEMBLER__
#include "bits.h"

/* "Supervisor Status (sstatus) Register"; vsstatus has the same fields. */
#define SSTATUS_SIE BIT64(1)
#define SSTATUS_SPIE BIT64(5)
#define SSTATUS_SPP BIT64(8)
#define SSTATUS_VS FIELD64(10, 9)
#define SSTATUS_FS FIELD64(14, 13)
#define SSTATUS_MXR BIT64(19)
#define SSTATUS_UXL FIELD64(33, 32)
#define XLEN_64 2u
/* States of FS and VS. */
#define CONTEXT_OFF 0u
#define CONTEXT_CLEAN 2u
#define CONTEXT_DIRTY 3u

/* "Hypervisor Status (hstatus) Register". */
#define HSTATUS_SPV BIT64(7)
#define HSTATUS_SPVP BIT64(8)
#define HSTATUS_VTW BIT64(21)
#define HSTATUS_VSXL FIELD64(33, 32)

/* "Hypervisor Guest Address Translation and Protection (hgatp) Register". */
#define HGATP_VMID_SHIFT 44
#define HGATP_VMID_MASK FIELD64(57, 44)
#define HGATP_MODE_SHIFT 60

/* "Hypervisor Environment Configuration Register (henvcfg)". */
#define HENVCFG_STCE BIT64(63)
#define HENVCFG_PBMTE BIT64(62)

/* Smstateen: hstateen0 lets the guest use senvcfg, nothing else. */
#define HSTATEEN0_ENVCFG BIT64(62)

/* "Counter-Enable (hcounteren) Register". */
#define COUNTEREN_TM BIT64(1)

/* "Supervisor Cause (scause) Register". */
#define CAUSE_INTERRUPT BIT64(63)
#define CAUSE_FETCH_ACCESS 1u
#define CAUSE_ILLEGAL 2u
#define CAUSE_BREAKPOINT 3u
#define CAUSE_LOAD_ACCESS 5u
#define CAUSE_STORE_ACCESS 7u
#define CAUSE_ECALL_VS 10u
#define CAUSE_FETCH_GUEST_PAGE 20u
#define CAUSE_LOAD_GUEST_PAGE 21u
#define CAUSE_VIRTUAL_INSTRUCTION 22u
#define CAUSE_STORE_GUEST_PAGE 23u

/*
 * Exceptions the guest handles itself (hedeleg): misaligned fetch, fetch
 * access, breakpoint, misaligned and access faults of loads and stores, ecall
 * from VU-mode, page faults of its own tables. Illegal instructions (bit 2) only
 * while all lazily switched state is loaded.
 */
#define HEDELEG_ALWAYS UINT64_C(0xb1fb)
#define HEDELEG_ILLEGAL BIT64(CAUSE_ILLEGAL)

/* Interrupts the guest handles itself (hideleg): VSSI, VSTI, VSEI. */
#define HIDELEG_GUEST UINT64_C(0x444)
#endif

#endif
