/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The backends an archive may contain (CMake option AXVM_ARCH) and the register
 * numbers of axvm_vcpu_get_reg() and axvm_vcpu_set_reg().
 */
#ifndef AXVM_ARCH_H
#define AXVM_ARCH_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * RISC-V hypervisor extension (RISC-V Privileged Architecture, "H" Extension).
 * The host runs in HS-mode. Context: any. Never NULL.
 */
const struct axvm_arch_ops *axvm_backend_riscv_h(void);

/*
 * ARM with the virtualization host extensions and a GICv3 (Arm ARM,
 * "Virtualization Host Extensions"). The host runs at EL2 with HCR_EL2.E2H and
 * TGE set. Context: any. Never NULL.
 */
const struct axvm_arch_ops *axvm_backend_arm_vhe(void);

/* Registers that every backend has. */
#define AXVM_REG_PC 0x0u
#define AXVM_REG_SP 0x1u

/* General register n: RISC-V x0..x31 (x0 reads 0). */
#define AXVM_REG_GPR(n) (0x100u + (n))

/* RISC-V: supervisor CSR by its number, e.g. satp 0x180, as the guest sees
 * it: sstatus, sie, stvec, sscratch, sepc, scause, stval, sip, satp, scounteren,
 * senvcfg, stimecmp. */
#define AXVM_REG_RISCV_CSR(csr) (0x10000u + (csr))

#ifdef __cplusplus
}
#endif

#endif
