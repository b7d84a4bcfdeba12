/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The pure operations of the backend; see src/arch_ops.h for what each does.
 * backend.c puts them, and metal.h's, into the table.
 */
#ifndef AXVMI_RISCV_VM_H
#define AXVMI_RISCV_VM_H

#include "backend.h"

/* reg_names.c */
#define RISCV_REGISTERS 44u
extern const struct axvm_register axvmi_riscv_registers[RISCV_REGISTERS];

/* vm.c */
int axvmi_riscv_choose_format(const struct axvm_host *host, unsigned bits,
			      struct axvm_s2_format *format);
unsigned axvmi_riscv_tag_bits(const struct axvm_host *host);
bool axvmi_riscv_emulates(uint32_t type);
int axvmi_riscv_vm_init(struct axvm_vm *vm);
void axvmi_riscv_vm_reset(struct axvm_vm *vm);
void axvmi_riscv_vm_fini(struct axvm_vm *vm);
int axvmi_riscv_vcpu_init(struct axvm_vcpu *vcpu);
void axvmi_riscv_vcpu_fini(struct axvm_vcpu *vcpu);
void axvmi_riscv_vcpu_reset(struct axvm_vcpu *vcpu, uint64_t entry,
			    uint64_t argument);
int axvmi_riscv_get_reg(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t *value);
int axvmi_riscv_set_reg(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t value);
int axvmi_riscv_write_tables(struct axvm_vm *vm, void *buffer, size_t size,
			     size_t *used);

#endif
