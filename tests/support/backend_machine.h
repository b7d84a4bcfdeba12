/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What the machines of backends for host tests have in common: a VM to configure,
 * test devices, a CPU that does nothing by itself. Its `struct machine` begins
 * with MACHINE_MEMBERS; backend_machine_calls.h works on it.
 */
#ifndef AXVM_TEST_BACKEND_MACHINE_H
#define AXVM_TEST_BACKEND_MACHINE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axvm/config.h"
#include "axvm/device.h"
#include "axvm/exit.h"
#include "host_hal.h"
#include "internal.h"

#define MACHINE_STEPS 16u

struct test_device {
	struct axvm_device device;
	enum axvm_access_result result;
	uint64_t value; /* what reads give; the next one `step` more */
	uint64_t step;
	struct axvm_device_access last;
	unsigned accesses;
};

/*
 * `v` is vCPU 0; `device` has every width, `words` is the next page. What is in
 * `steps` is still to come; the guest then runs until a host interrupt. `insn` is
 * at pc; `long_way`, of MMIO, always; `pending`, an interrupt of the guest.
 */
#define MACHINE_MEMBERS(vcpu_type, step_type)         \
	struct test_hal *hal;                         \
	struct axvm_arch_ops ops;                     \
	struct axvm_host *host;                       \
	struct axvm_cpu *cpu;                         \
	struct axvm_vm *vm;                           \
	struct vcpu_type *v;                          \
	struct test_device device, words;             \
	uint64_t features, counter;                   \
	struct axvm_vm_config config;                 \
	struct axvm_region_config regions[8];         \
	struct axvm_emu_device_config emus[8];        \
	struct step_type steps[MACHINE_STEPS];        \
	unsigned count, next;                         \
	uint32_t insn;                                \
	bool unfetchable, long_way, pending;          \
	uint64_t deadline;                            \
	unsigned fetches, flushes, loads, short_ways; \
	struct axvm_exit exit

#endif
