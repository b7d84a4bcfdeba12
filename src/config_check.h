/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Shared by the two halves of axvm_config_check(): config.c judges each value,
 * config_map.c all ranges together. No state, no lock.
 */
#ifndef AXVMI_CONFIG_CHECK_H
#define AXVMI_CONFIG_CHECK_H

#include "axvm/config.h"

/* Fields are named as in the TOML, whoever filled the struct. */
#define FIELD_CPU_NUM "base.cpu_num"
#define FIELD_CPU_IDS "base.phys_cpu_ids"
#define FIELD_CPU_SETS "base.phys_cpu_sets"
#define FIELD_REGIONS "kernel.memory_regions"
#define FIELD_EMU "devices.emu_devices"
#define FIELD_PASSTHROUGH "devices.passthrough_devices"
#define FIELD_ADDRESSES "devices.passthrough_addresses"
#define FIELD_PORTS "devices.passthrough_ports"
#define FIELD_EXCLUDED "devices.excluded_devices"

/* EEXIST if two ranges share an address or a port; all ranges are valid. */
int axvmi_config_check_overlaps(const struct axvm_vm_config *c,
				struct axvm_config_error *error);

#endif
