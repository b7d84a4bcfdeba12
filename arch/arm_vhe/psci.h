/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Numbers of the calls that a guest makes by HVC and SMC: PSCI 1.1 (Arm Power
 * State Coordination Interface, DEN0022) and SMCCC 1.1 (SMC Calling Convention,
 * DEN0028). Private to psci.c and its tests; backend.h declares the calls.
 */
#ifndef AXVMI_ARM_PSCI_H
#define AXVMI_ARM_PSCI_H

#include "backend.h"

/* SMCCC, "Function identifiers". */
#define SMCCC_FAST 0x80000000u
#define SMCCC_64 0x40000000u

/* SMCCC, "Arm Architecture Calls". */
#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_VERSION_1_1 0x10001u

/* PSCI, "Function prototypes"; those with SMCCC_64 where it has arguments that
 * are addresses or MPIDRs. */
#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_SUSPEND 0x84000001u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0x84000003u
#define PSCI_AFFINITY_INFO 0x84000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define PSCI_SYSTEM_RESET2 0x84000012u

#define PSCI_VERSION_1_1 0x10001u

/* PSCI, "Return error codes"; SMCCC has the first two. */
#define PSCI_SUCCESS UINT64_C(0)
#define PSCI_NOT_SUPPORTED ((uint64_t)-1)
#define PSCI_INVALID_PARAMETERS ((uint64_t)-2)
#define PSCI_DENIED ((uint64_t)-3)
#define PSCI_ALREADY_ON ((uint64_t)-4)
#define PSCI_ON_PENDING ((uint64_t)-5)
#define PSCI_INTERNAL_FAILURE ((uint64_t)-6)
#define PSCI_INVALID_ADDRESS ((uint64_t)-9)

/* PSCI, "CPU_SUSPEND", power_state in the original format. */
#define PSCI_STATE_POWER_DOWN BIT64(16)
#define PSCI_STATE_ID FIELD64(15, 0)

/* PSCI, "AFFINITY_INFO". */
#define PSCI_AFFINITY_ON 0u
#define PSCI_AFFINITY_OFF 1u
#define PSCI_AFFINITY_ON_PENDING 2u

/* PSCI, "MIGRATE_INFO_TYPE": no Trusted OS, or one that need not migrate. */
#define PSCI_NO_MIGRATION 2u

#endif
