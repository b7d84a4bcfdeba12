/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * System registers and fields the backend uses. Registers by their encoding, so
 * that any assembler takes them; with E2H the EL1 names mean EL2's registers, and
 * the guest's are those of op1 5. Arm ARM (DDI 0487); the section is at the head
 * of each group.
 */
#ifndef AXVMI_ARM_REGS_H
#define AXVMI_ARM_REGS_H

/* "General system control registers": the guest's EL1, as EL2 names it. */
#define SYS_SCTLR_EL12 s3_5_c1_c0_0
#define SYS_CPACR_EL12 s3_5_c1_c0_2
#define SYS_TTBR0_EL12 s3_5_c2_c0_0
#define SYS_TTBR1_EL12 s3_5_c2_c0_1
#define SYS_TCR_EL12 s3_5_c2_c0_2
#define SYS_SPSR_EL12 s3_5_c4_c0_0
#define SYS_ELR_EL12 s3_5_c4_c0_1
#define SYS_AFSR0_EL12 s3_5_c5_c1_0
#define SYS_AFSR1_EL12 s3_5_c5_c1_1
#define SYS_ESR_EL12 s3_5_c5_c2_0
#define SYS_FAR_EL12 s3_5_c6_c0_0
#define SYS_MAIR_EL12 s3_5_c10_c2_0
#define SYS_AMAIR_EL12 s3_5_c10_c3_0
#define SYS_VBAR_EL12 s3_5_c12_c0_0
#define SYS_CONTEXTIDR_EL12 s3_5_c13_c0_1
#define SYS_CNTKCTL_EL12 s3_5_c14_c1_0
#define SYS_CNTV_CTL_EL02 s3_5_c14_c3_1
#define SYS_CNTV_CVAL_EL02 s3_5_c14_c3_2
/* Those that E2H does not rename. */
#define SYS_SP_EL0 s3_0_c4_c1_0
#define SYS_SP_EL1 s3_4_c4_c1_0
#define SYS_PAR_EL1 s3_0_c7_c4_0
#define SYS_TPIDR_EL0 s3_3_c13_c0_2
#define SYS_TPIDRRO_EL0 s3_3_c13_c0_3
#define SYS_TPIDR_EL1 s3_0_c13_c0_4
#define SYS_CSSELR_EL1 s3_2_c0_c0_0
/* FEAT_RAS: what a virtual SError says, and what ESB has found. */
#define SYS_VSESR_EL2 s3_4_c5_c2_3
#define SYS_VDISR_EL2 s3_4_c12_c1_1
/* FEAT_PAuth keys: n is 0 IA, 2 IB in group 1; 0 DA, 2 DB in 2; 0 GA in 3. */
#define SYS_APIAKEYLO_EL1 s3_0_c2_c1_0
#define SYS_APIAKEYHI_EL1 s3_0_c2_c1_1
#define SYS_APIBKEYLO_EL1 s3_0_c2_c1_2
#define SYS_APIBKEYHI_EL1 s3_0_c2_c1_3
#define SYS_APDAKEYLO_EL1 s3_0_c2_c2_0
#define SYS_APDAKEYHI_EL1 s3_0_c2_c2_1
#define SYS_APDBKEYLO_EL1 s3_0_c2_c2_2
#define SYS_APDBKEYHI_EL1 s3_0_c2_c2_3
#define SYS_APGAKEYLO_EL1 s3_0_c2_c3_0
#define SYS_APGAKEYHI_EL1 s3_0_c2_c3_1

/* EL2. */
#define SYS_VPIDR_EL2 s3_4_c0_c0_0
#define SYS_VMPIDR_EL2 s3_4_c0_c0_5
#define SYS_SCTLR_EL2 s3_4_c1_c0_0
#define SYS_HCR_EL2 s3_4_c1_c1_0
#define SYS_MDCR_EL2 s3_4_c1_c1_1
#define SYS_CPTR_EL2 s3_4_c1_c1_2
#define SYS_HSTR_EL2 s3_4_c1_c1_3
#define SYS_HCRX_EL2 s3_4_c1_c2_2 /* FEAT_HCX */
#define SYS_VTTBR_EL2 s3_4_c2_c1_0
#define SYS_VTCR_EL2 s3_4_c2_c1_2
#define SYS_SPSR_EL2 s3_4_c4_c0_0
#define SYS_ELR_EL2 s3_4_c4_c0_1
#define SYS_ESR_EL2 s3_4_c5_c2_0
#define SYS_FAR_EL2 s3_4_c6_c0_0
#define SYS_HPFAR_EL2 s3_4_c6_c0_4
#define SYS_VBAR_EL2 s3_4_c12_c0_0
#define SYS_PAN s3_0_c4_c2_3
#define SYS_DAIF s3_3_c4_c2_1
#define SYS_ISR_EL1 s3_0_c12_c1_0

#define SYS_CTR_EL0 s3_3_c0_c0_1

#define SYS_MDSCR_EL1 s2_0_c0_c2_2
#define SYS_OSLAR_EL1 s2_0_c1_c0_4
#define SYS_OSLSR_EL1 s2_0_c1_c1_4

/* "Performance Monitors registers": the host's. */
#define SYS_PMCR_EL0 s3_3_c9_c12_0
#define SYS_PMCNTENSET_EL0 s3_3_c9_c12_1
#define SYS_PMCCNTR_EL0 s3_3_c9_c13_0
#define SYS_PMCCFILTR_EL0 s3_3_c14_c15_7

/* "Generic Timer registers". */
#define SYS_CNTPCT_EL0 s3_3_c14_c0_1
#define SYS_CNTVOFF_EL2 s3_4_c14_c0_3
#define SYS_CNTHCTL_EL2 s3_4_c14_c1_0

/* GIC Architecture Specification (IHI 0069), "AArch64 virtual interface control
 * System registers". */
#define SYS_ICC_DIR_EL1 s3_0_c12_c11_1
#define SYS_ICC_CTLR_EL1 s3_0_c12_c12_4
#define SYS_ICC_SRE_EL2 s3_4_c12_c9_5
#define SYS_ICH_AP0R0_EL2 s3_4_c12_c8_0
#define SYS_ICH_AP0R1_EL2 s3_4_c12_c8_1
#define SYS_ICH_AP0R2_EL2 s3_4_c12_c8_2
#define SYS_ICH_AP0R3_EL2 s3_4_c12_c8_3
#define SYS_ICH_AP1R0_EL2 s3_4_c12_c9_0
#define SYS_ICH_AP1R1_EL2 s3_4_c12_c9_1
#define SYS_ICH_AP1R2_EL2 s3_4_c12_c9_2
#define SYS_ICH_AP1R3_EL2 s3_4_c12_c9_3
#define SYS_ICH_HCR_EL2 s3_4_c12_c11_0
#define SYS_ICH_VTR_EL2 s3_4_c12_c11_1
#define SYS_ICH_MISR_EL2 s3_4_c12_c11_2
#define SYS_ICH_EISR_EL2 s3_4_c12_c11_3
#define ICH_MISR_EOI UINT64_C(0x1)
#define SYS_ICH_VMCR_EL2 s3_4_c12_c11_7

/* "Exception classes" with which world.S tells its ways apart (ESR_EL2.EC). */
#define EC_SHIFT 26
#define EC_FP 0x07
#define EC_HVC64 0x16
#define EC_SYSREG 0x18
/* HCR_EL2.VSE. */
#define HCR_VSE_BIT 8

#ifndef __ASSEMBLER__
#include "bits.h"

/* SCTLR_EL2: EnIA, EnIB, EnDA, EnDB. */
#define SCTLR_PAUTH (BIT64(31) | BIT64(30) | BIT64(27) | BIT64(13))

/* TCR_EL1: no walks by TTBR0_EL1, by TTBR1_EL1. SCTLR_EL1: stage 1 is on. */
#define TCR_EPD0 BIT64(7)
#define TCR_EPD1 BIT64(23)
#define SCTLR_M BIT64(0)

/* SCTLR_EL1: loads and stores are big-endian, at EL0; at EL1, and of walks. */
#define SCTLR_E0E BIT64(24)
#define SCTLR_EE BIT64(25)

/* HCR_EL2, "Hypervisor Configuration Register". */
#define HCR_VM BIT64(0)
#define HCR_SWIO BIT64(1)
#define HCR_PTW BIT64(2)
#define HCR_FMO BIT64(3)
#define HCR_IMO BIT64(4)
#define HCR_AMO BIT64(5)
#define HCR_VSE BIT64(HCR_VSE_BIT)
#define HCR_FB BIT64(9)
#define HCR_BSU_INNER BIT64(10)
#define HCR_TWI BIT64(13)
#define HCR_TWE BIT64(14)
#define HCR_TID3 BIT64(18)
#define HCR_TSC BIT64(19)
#define HCR_TIDCP BIT64(20)
#define HCR_TACR BIT64(21)
#define HCR_TSW BIT64(22)
#define HCR_TGE BIT64(27)
#define HCR_RW BIT64(31)
#define HCR_E2H BIT64(34)
#define HCR_TLOR BIT64(35) /* RES0 without FEAT_LOR */
#define HCR_TERR BIT64(36) /* FEAT_RAS */
#define HCR_APK BIT64(40) /* FEAT_PAuth: 1 does not trap */
#define HCR_API BIT64(41)
#define HCR_TID5 BIT64(58) /* FEAT_MTE2 */
/* Of every guest; TLOR, TERR, APK, API and TID5 go by the CPU's features. */
#define HCR_GUEST                                                              \
	(HCR_VM | HCR_SWIO | HCR_PTW | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB |  \
	 HCR_BSU_INNER | HCR_TWI | HCR_TID3 | HCR_TSC | HCR_TIDCP | HCR_TACR | \
	 HCR_TSW | HCR_RW | HCR_E2H)

/* CPTR_EL2, "Architectural Feature Trap Register", layout with E2H. */
#define CPTR_FPEN FIELD64(21, 20)
#define CPTR_TTA BIT64(28)
#define CPTR_TAM BIT64(30) /* RES0 without FEAT_AMUv1 */
#define CPTR_NO_TRAP UINT64_C(3) /* of the enable fields */

/* MDCR_EL2, "Monitor Debug Configuration Register". */
#define MDCR_HPMN FIELD64(4, 0)
#define MDCR_TPMCR BIT64(5)
#define MDCR_TPM BIT64(6)
#define MDCR_TDA BIT64(9)
#define MDCR_TDOSA BIT64(10)
#define MDCR_TDRA BIT64(11)
#define MDCR_TPMS BIT64(14) /* FEAT_SPE */
#define MDCR_TTRF BIT64(19) /* FEAT_TRF */

/* OSLSR_EL1, "OS Lock Status Register". */
#define OSLSR_OSLK BIT64(1)

/* MDSCR_EL1, "Monitor Debug System Control Register": what guests have of it. */
#define MDSCR_SS BIT64(0)
#define MDSCR_TDCC BIT64(12)
#define MDSCR_KDE BIT64(13)
#define MDSCR_MDE BIT64(15)
#define MDSCR_MASK (MDSCR_SS | MDSCR_TDCC | MDSCR_KDE | MDSCR_MDE)

/* CNTHCTL_EL2, "Counter-timer Hypervisor Control register", layout with E2H. */
#define CNTHCTL_EL1PCTEN BIT64(10)
#define CNTHCTL_EL1PTEN BIT64(11)

/* CNTV_CTL_EL0, and CNTP_CTL_EL0. */
#define CNT_CTL_ENABLE BIT64(0)
#define CNT_CTL_IMASK BIT64(1)
#define CNT_CTL_ISTATUS BIT64(2)

/* CTR_EL0, "Cache Type Register": log2 of words. */
#define CTR_DMINLINE FIELD64(19, 16)

/* PMCR_EL0, PMCNTENSET_EL0, PMCCFILTR_EL0. */
#define PMCR_E BIT64(0)
#define PMCNTEN_C BIT64(31)
#define PMCCFILTR_NSH BIT64(27)

/* ISR_EL1, "Interrupt Status Register". */
#define ISR_F BIT64(6)
#define ISR_I BIT64(7)

/* PAR_EL1, "Physical Address Register". */
#define PAR_F BIT64(0)
#define PAR_PA FIELD64(47, 12)

/* HPFAR_EL2, "Hypervisor IPA Fault Address Register". */
#define HPFAR_FIPA FIELD64(43, 4)

/* SPSR_EL2, "Saved Program Status Register (EL2)": exceptions from AArch64. */
#define SPSR_MODE FIELD64(3, 0)
#define SPSR_EL0T UINT64_C(0x0)
#define SPSR_EL1T UINT64_C(0x4)
#define SPSR_EL1H UINT64_C(0x5)
#define SPSR_AARCH32 BIT64(4)
#define SPSR_F BIT64(6)
#define SPSR_I BIT64(7)
#define SPSR_A BIT64(8)
#define SPSR_D BIT64(9)
#define SPSR_IL BIT64(20)
#define SPSR_SS BIT64(21)
#define SPSR_PAN BIT64(22)

/* ID registers: "AArch64 Processor Feature Register 0" and its kin. */
#define ID_PFR0_RAS FIELD64(31, 28)
#define ID_PFR0_SVE FIELD64(35, 32)
#define ID_PFR0_GIC FIELD64(27, 24)
#define ID_PFR1_SME FIELD64(27, 24)
#define ID_PFR1_MTE FIELD64(11, 8)
#define ID_DFR0_PMUVER FIELD64(11, 8)
#define ID_DFR0_BRPS FIELD64(15, 12)
#define ID_DFR0_WRPS FIELD64(23, 20)
#define ID_DFR0_CTX_CMPS FIELD64(31, 28)
#define ID_MMFR0_PARANGE FIELD64(3, 0)
#define ID_MMFR0_TGRAN4_2 FIELD64(43, 40)
#define ID_MMFR0_TGRAN4 FIELD64(31, 28)
#define ID_MMFR1_VMIDBITS FIELD64(7, 4)
#define ID_MMFR1_VH FIELD64(11, 8)
#define ID_MMFR1_LO FIELD64(19, 16)
#define ID_MMFR1_HCX FIELD64(43, 40)
/* APA, API; GPA, GPI. */
#define ID_ISAR1_PAUTH (FIELD64(11, 4) | FIELD64(31, 24))

/* ICH_VTR_EL2, ICC_SRE_EL2. */
#define ICH_VTR_LISTREGS FIELD64(4, 0)
#define ICH_VTR_PREBITS FIELD64(28, 26)
#define ICH_VTR_TDS BIT64(19)
#define ICC_CTLR_EOIMODE BIT64(1)
#define ICC_SRE_SRE BIT64(0)
#define ICC_SRE_ENABLE BIT64(3)
#endif

#endif
