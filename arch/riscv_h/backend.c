/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The backend's table of operations. */
#include "axvm/arch.h"
#include "exit.h"
#include "image.h"
#include "metal.h"
#include "vm.h"

static int vm_init(struct axvm_vm *vm)
{
	riscv_vm(vm)->metal = &axvmi_riscv_metal;
	return axvmi_riscv_vm_init(vm);
}

static const struct axvm_arch_ops ops = {
	.name = "riscv_h",
	.cpu_size = sizeof(struct riscv_cpu),
	.vm_size = sizeof(struct riscv_vm),
	.vcpu_size = sizeof(struct riscv_vcpu),
	.line_first = 1,
	.line_count = VPLIC_SOURCES - 1,
	.vcpu_lines = BIT64(RISCV_LINE_SOFTWARE) | BIT64(RISCV_LINE_TIMER) |
		      BIT64(RISCV_LINE_EXTERNAL),
	.interrupts_save = axvmi_riscv_interrupts_save,
	.interrupts_restore = axvmi_riscv_interrupts_restore,
	.cpu_enable = axvmi_riscv_cpu_enable,
	.cpu_disable = axvmi_riscv_cpu_disable,
	.tag_bits = axvmi_riscv_tag_bits,
	.counter = axvmi_riscv_counter,
	.cycles = axvmi_riscv_cycles,
	.clock_moved = axvmi_riscv_clock_moved,
	.s2_format = axvmi_riscv_choose_format,
	.vm_init = vm_init,
	.vm_reset = axvmi_riscv_vm_reset,
	.vm_fini = axvmi_riscv_vm_fini,
	.vcpu_init = axvmi_riscv_vcpu_init,
	.vcpu_fini = axvmi_riscv_vcpu_fini,
	.vcpu_reset = axvmi_riscv_vcpu_reset,
	.vcpu_load = axvmi_riscv_vcpu_load,
	.vcpu_put = axvmi_riscv_vcpu_put,
	.vcpu_run = axvmi_riscv_vcpu_run,
	.vcpu_complete = axvmi_riscv_complete,
	.get_reg = axvmi_riscv_get_reg,
	.set_reg = axvmi_riscv_set_reg,
	.registers = axvmi_riscv_registers,
	.register_count = RISCV_REGISTERS,
	.line_targets = axvmi_riscv_line_targets,
	.irq_sync = axvmi_riscv_irq_sync,
	.irq_pending = axvmi_riscv_irq_pending,
	.attend = axvmi_riscv_attend,
	.tlb_flush_local = axvmi_riscv_tlb_flush_local,
	.tlb_flush_all = axvmi_riscv_tlb_flush_all,
	.guest_stage_flush = axvmi_riscv_guest_stage_flush,
	.retag = axvmi_riscv_retag,
	/* Data caches are coherent; instruction caches want fence.i on each
	 * hart (Unprivileged, "Zifencei"). */
	.sync_each_cpu = true,
	.emulates = axvmi_riscv_emulates,
	.machine = IMAGE_MACHINE_RISCV64,
	.guest_tables = axvmi_riscv_write_tables,
};

const struct axvm_arch_ops *axvm_backend_riscv_h(void)
{
	return &ops;
}
