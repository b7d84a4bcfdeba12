# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
# PURE: no machine access; built and tested on any host.
# METAL: asm and registers; only in an archive for this architecture.
set(PURE
  exit.c
  guest_tables.c
  insn.c
  irq.c
  mmio.c
  reg_names.c
  s2_format.c
  sbi.c
  sbi_dbcn.c
  sbi_hsm.c
  sbi_legacy.c
  sbi_rfence.c
  vm.c
  vplic.c
)
set(METAL
  backend.c
  cpu.c
  effects.c
  lazy.c
  vcpu.c
  world.S
)
