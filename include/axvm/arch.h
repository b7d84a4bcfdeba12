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
 * "Virtualization Host Extensions"). The host runs at EL2 on SP_EL2, with
 * HCR_EL2.E2H and TGE and ICC_SRE_EL2.SRE set. On each CPU it enables two PPIs in
 * its GIC, as level-sensitive and at a priority that ICC_PMR_EL1 lets through: of
 * the EL1 virtual timer (27 on most machines) and the maintenance interrupt (25).
 * They take guests out, and fall silent before run returns; one that comes to the
 * host all the same needs nothing but its end. hal.take_vtimer, see there.
 * Context: any. Never NULL.
 */
const struct axvm_arch_ops *axvm_backend_arm_vhe(void);

/* Registers that every backend has. */
#define AXVM_REG_PC 0x0u
#define AXVM_REG_SP 0x1u

/* General register n: RISC-V x0..x31 (x0 reads 0); ARM x0..x30. */
#define AXVM_REG_GPR(n) (0x100u + (n))

/* RISC-V: supervisor CSR by its number, e.g. satp 0x180, as the guest sees
 * it: sstatus, sie, stvec, sscratch, sepc, scause, stval, sip, satp, scounteren,
 * senvcfg, stimecmp. */
#define AXVM_REG_RISCV_CSR(csr) (0x10000u + (csr))

/* ARM: the processor state, as SPSR_EL2 has it. EINVAL: a state that guests do
 * not have. */
#define AXVM_REG_ARM_PSTATE 0x200u

/*
 * ARM: a system register by the operands of its MRS, e.g. SCTLR_EL1 (3, 0, 1, 0,
 * 0): those of EL1 and EL0 that guests have, SP_EL0 and SP_EL1 among them, and
 * control and compare value of the two timers. MPIDR_EL1 is only read.
 */
#define AXVM_REG_ARM_SYSREG(op0, op1, crn, crm, op2) \
	(0x20000u + AXVM_ARM_SYSREG(op0, op1, crn, crm, op2))

/* ARM: how AXVM_BUS_SYSREG and SYSREG exits number the same. */
#define AXVM_ARM_SYSREG(op0, op1, crn, crm, op2) \
	(((op0) << 14) | ((op1) << 11) | ((crn) << 7) | ((crm) << 3) | (op2))

#ifdef __cplusplus
}
#endif

#endif
