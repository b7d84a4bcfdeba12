# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
# PURE: no machine access; built and tested on any host.
# METAL: asm and registers; only in an archive for this architecture.
set(PURE
  abort.c
  cntp.c
  cp15.c
  debug.c
  exit.c
  guest_tables.c
  id.c
  inject.c
  insn.c
  irq.c
  irq_devices.c
  irq_join.c
  mmio.c
  psci.c
  reg_names.c
  s2_format.c
  sysreg.c
  timer.c
  vgic.c
  vgic_bank.c
  vgic_dist.c
  vgic_lr.c
  vgic_redist.c
  vm.c
  vm_regs.c
  vm_tables.c
)
set(METAL
  backend.c
  cpu.c
  debug_regs.c
  lazy.c
  state.c
  vcpu.c
  world.S
)
# The library itself never touches the guest's floating-point registers; for
# kernels that use such registers it puts them back before it returns or calls.
set(FLAGS -mgeneral-regs-only $<$<BOOL:${AXVM_ARM_HOST_FP}>:-DAXVMI_HOST_FP>)
