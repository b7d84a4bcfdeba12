/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The backend's table of operations. */
#include "axvm/arch.h"
#include "image.h"
#include "metal.h"
#include "vm.h"

static int vm_init(struct axvm_vm *vm)
{
	arm_vm(vm)->metal = &axvmi_arm_metal;
	return axvmi_arm_vm_init(vm);
}

static const struct axvm_arch_ops ops = {
	.name = "arm_vhe",
	.cpu_size = sizeof(struct arm_cpu),
	.vm_size = sizeof(struct arm_vm),
	.vcpu_size = sizeof(struct arm_vcpu),
	.line_first = ARM_FIRST_SPI,
	.line_count = ARM_SPIS,
	.vcpu_lines = ARM_PPI_MASK,
	.buses = BIT64(AXVM_BUS_SYSREG),
	.interrupts_save = axvmi_arm_interrupts_save,
	.interrupts_restore = axvmi_arm_interrupts_restore,
	.cpu_enable = axvmi_arm_cpu_enable,
	.cpu_disable = axvmi_arm_cpu_disable,
	.tag_bits = axvmi_arm_tag_bits,
	.counter = axvmi_arm_counter,
	.cycles = axvmi_arm_cycles,
	.spin_yield = axvmi_arm_spin_yield,
	.clock_moved = axvmi_arm_clock_moved,
	.s2_format = axvmi_arm_choose_format,
	.vm_init = vm_init,
	.vm_reset = axvmi_arm_vm_reset,
	.vm_fini = axvmi_arm_vm_fini,
	.vcpu_init = axvmi_arm_vcpu_init,
	.vcpu_fini = axvmi_arm_vcpu_fini,
	.vcpu_reset = axvmi_arm_vcpu_reset,
	.vcpu_load = axvmi_arm_vcpu_load,
	.vcpu_put = axvmi_arm_vcpu_put,
	.vcpu_run = axvmi_arm_vcpu_run,
	.vcpu_complete = axvmi_arm_complete,
	.get_reg = axvmi_arm_get_reg,
	.set_reg = axvmi_arm_set_reg,
	.registers = axvmi_arm_registers,
	.register_count = ARM_REGISTERS,
	.line_targets = axvmi_arm_line_targets,
	.irq_sync = axvmi_arm_irq_sync,
	.irq_pending = axvmi_arm_irq_pending,
	.tlb_flush_local = axvmi_arm_tlb_flush_local,
	.tlb_flush_all = axvmi_arm_tlb_flush_all,
	.tlb_flush_range = axvmi_arm_tlb_flush_range,
	.guest_stage_flush = axvmi_arm_guest_stage_flush,
	.retag = axvmi_arm_retag,
	.sync_guest_memory = axvmi_arm_sync_guest_memory,
	.sync_guest_code = axvmi_arm_sync_guest_code,
	.emulates = axvmi_arm_emulates,
	.machine = IMAGE_MACHINE_AARCH64,
	.guest_tables = axvmi_arm_write_tables,
};

const struct axvm_arch_ops *axvm_backend_arm_vhe(void)
{
	return &ops;
}
