/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The pure operations of the backend; see src/arch_ops.h for what each does.
 * backend.c puts them, and metal.h's, into the table.
 */
#ifndef AXVMI_ARM_VM_H
#define AXVMI_ARM_VM_H

#include "backend.h"

/* reg_names.c */
#define ARM_REGISTERS 59u
extern const struct axvm_register axvmi_arm_registers[ARM_REGISTERS];

/* vm.c */
int axvmi_arm_choose_format(const struct axvm_host *host, unsigned bits,
			    struct axvm_s2_format *format);
unsigned axvmi_arm_tag_bits(const struct axvm_host *host);
bool axvmi_arm_emulates(uint32_t type);
int axvmi_arm_vm_init(struct axvm_vm *vm);
void axvmi_arm_vm_reset(struct axvm_vm *vm);
void axvmi_arm_vm_fini(struct axvm_vm *vm);
int axvmi_arm_vcpu_init(struct axvm_vcpu *vcpu);
void axvmi_arm_vcpu_fini(struct axvm_vcpu *vcpu);
void axvmi_arm_vcpu_reset(struct axvm_vcpu *vcpu, uint64_t entry,
			  uint64_t argument);
void axvmi_arm_spin_yield(struct axvm_vcpu *vcpu);

/* vm_regs.c */
int axvmi_arm_get_reg(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t *value);
int axvmi_arm_set_reg(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t value);

/* vm_tables.c */
int axvmi_arm_write_tables(struct axvm_vm *vm, void *buffer, size_t size,
			   size_t *used);

/* The emulated device of this type, or NULL. */
const struct axvm_emu_device_config *
axvmi_arm_find_device(const struct axvm_vm *vm, uint32_t type);
/* The distributor, under both names it has. */
const struct axvm_emu_device_config *
axvmi_arm_find_gicd(const struct axvm_vm *vm);

#endif
