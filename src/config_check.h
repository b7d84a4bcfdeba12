/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What judges a configuration: config.c each value, config_map.c all ranges
 * together, and vm.c, host.c, passthrough.c what depends on the machine. No
 * state, no lock.
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
#define FIELD_INTERRUPTS "devices.interrupt_mode"

/*
 * EEXIST if two ranges share an address, a port, or a page of the host that one
 * of them passes through; all ranges are valid.
 */
int axvmi_config_check_overlaps(const struct axvm_vm_config *c,
				struct axvm_config_error *error);

/* EEXIST if an emulated device has the line of a forwarded interrupt. */
int axvmi_config_check_lines(const struct axvm_vm_config *c,
			     struct axvm_config_error *error);

/* Host-physical start of a host-supplied region. */
static inline uint64_t axvmi_region_hpa(const struct axvm_region_config *r)
{
	return r->kind == AXVM_REGION_HOST ? r->hpa.value : r->gpa.value;
}

/* The region's memory is the host's: its address is in the configuration. */
static inline bool axvmi_region_is_lent(const struct axvm_region_config *r)
{
	return r->kind == AXVM_REGION_HOST ||
	       r->kind == AXVM_REGION_IDENTICAL ||
	       r->kind == AXVM_REGION_RESERVED;
}

/*
 * A passthrough device or window as it is mapped, in whole pages: base rounded
 * down and end rounded up together, so that the last page is not lost.
 */
struct axvmi_window {
	uint64_t gpa;
	uint64_t hpa;
	uint64_t last; /* bytes - 1, which does not wrap */
	const char *field;
	uint32_t index;
};

static inline uint32_t axvmi_window_count(const struct axvm_vm_config *c)
{
	return c->passthrough_count + c->passthrough_address_count;
}

/* n is below axvmi_window_count(). */
struct axvmi_window axvmi_window_at(const struct axvm_vm_config *c, uint32_t n);

/* Fills *error, if there is one, and returns `code`. Text is static. */
static inline int axvmi_refuse(struct axvm_config_error *error, int code,
			       const char *field, uint32_t index,
			       const char *reason)
{
	if (error != NULL) {
		*error = (struct axvm_config_error){
			.field = field,
			.index = index,
			.reason = reason,
		};
	}
	return code;
}

#endif
