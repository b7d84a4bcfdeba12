/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The machine: one `struct axvm_host` owns everything that exists once per
 * machine - CPU blocks, stage-2 tags, the list of VMs, the ledger of physical
 * ranges. There are no globals: several hosts can live in one image.
 */
#ifndef AXVM_HOST_H
#define AXVM_HOST_H

#include "hal.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Most physical CPUs of one host. */
#define AXVM_MAX_CPUS 64u

/*
 * Creates a host.
 *   hal      copied; what its ctx points to must live as long as the host
 *   backend  one of the axvm_backend_*() of arch.h
 *   max_cpus 1..AXVM_MAX_CPUS; CPU indices are below it
 * Context: thread. Errors: EINVAL (null, wrong size, mandatory callback
 * missing), ERANGE (max_cpus), ENOMEM.
 */
AXVM_MUST_USE int axvm_host_create(const struct axvm_hal *hal,
				   const struct axvm_arch_ops *backend,
				   uint32_t max_cpus, struct axvm_host **host);

/*
 * Destroys a host. Context: thread. Errors: EINVAL, EBUSY while a VM exists, a
 * CPU is enabled or a channel of axvm_ivc_create() is open.
 */
AXVM_MUST_USE int axvm_host_destroy(struct axvm_host *host);

/*
 * Names memory or device registers that belong to the host kernel: no HOST,
 * IDENTICAL or RESERVED region and no page of a passthrough window of a VM may
 * touch them, and axvm_map() refuses them. Any alignment. What hal.alloc gives
 * is not known here unless it is named; nor is what axvm_map() has lent out.
 * Context: thread. Errors: EINVAL, EEXIST (overlaps a reservation, memory of a
 * VM or a page of a window), ENOSPC (64 ranges).
 */
AXVM_MUST_USE int axvm_host_reserve(struct axvm_host *host,
				    struct axvm_hpa start, uint64_t size);

/*
 * Enables virtualisation on the CPU that calls and returns its handle, valid
 * until axvm_cpu_disable(). Probes the CPU's features; every CPU of a host must
 * have those of the first.
 *   index  dense index below max_cpus, as hal.kick gets it
 *   hw_id  hart id, MPIDR affinity, APIC id
 * Context: thread, on the CPU in question, with host interrupts masked or the
 * caller pinned. Errors: EINVAL, ERANGE (index), EEXIST (index or hw_id
 * enabled already), ENOTSUP (no virtualisation, features that differ, a second
 * CPU without hal.kick), ENOMEM.
 */
AXVM_MUST_USE int axvm_cpu_enable(struct axvm_host *host, uint32_t index,
				  uint64_t hw_id, struct axvm_cpu **cpu);

/*
 * Puts the resident vCPU and switches virtualisation off again on the calling
 * CPU, which must be `cpu`. The handle is dead afterwards. Context: thread.
 * Errors: EINVAL, EBUSY inside axvm_run_vcpu().
 */
AXVM_MUST_USE int axvm_cpu_disable(struct axvm_cpu *cpu);

/*
 * Puts the resident vCPU, if any: afterwards the host may use everything that
 * the residency table in vcpu.h lists. Context: thread or interrupt on `cpu`
 * itself, not inside axvm_run_vcpu(). Errors: EINVAL, EBUSY.
 */
AXVM_MUST_USE int axvm_cpu_release(struct axvm_cpu *cpu);

/* Dense index of a CPU. Context: any. */
uint32_t axvm_cpu_index(const struct axvm_cpu *cpu);

/*
 * Describes why the last axvm_cpu_enable() on this host was refused, or "" -
 * for the log, e.g. "hgatp: no usable mode". Context: any.
 */
const char *axvm_host_reason(const struct axvm_host *host);

#ifdef __cplusplus
}
#endif

#endif
