# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
# PURE: no machine access; built and tested on any host.
# METAL: asm and registers; only in an archive for this architecture.
set(PURE
  s2_format.c
)
set(METAL
  cpu.c
  lazy.c
  state.c
  vcpu.c
  world.S
)
