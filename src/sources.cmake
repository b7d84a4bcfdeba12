# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
# The core: no machine access, built for every target and for the host.
set(AXVM_CORE_SOURCES
  boot.c
  complete.c
  config.c
  config_copy.c
  config_map.c
  console.c
  device.c
  error.c
  fdt.c
  fdt_nodes.c
  hal.c
  host.c
  image.c
  irq.c
  memory.c
  ram.c
  stage2.c
  stage2_edit.c
  stage2_map.c
  stage2_next.c
  stage2_shape.c
  tag.c
  time.c
  toml.c
  toml_keys.c
  toml_scalar.c
  toml_value.c
  toml_vm.c
  vcpu.c
  vcpu_table.c
  vm.c
  devices/uart16550.c
)
