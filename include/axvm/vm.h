/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Life of a virtual machine:
 *
 *   create -> LOADING -> init -> LOADED -> boot -> RUNNING
 *   RUNNING -> suspend -> SUSPENDED -> resume -> RUNNING
 *   RUNNING, SUSPENDED -> shutdown, or the guest powers off or resets -> STOPPING
 *   STOPPING -> the last vCPU has left its CPU -> STOPPED
 *   STOPPED -> reset -> LOADED, any number of times
 *   destroy from LOADING, LOADED, STOPPED
 *
 * Any other call is AXVM_ESTATE and changes nothing.
 */
#ifndef AXVM_VM_H
#define AXVM_VM_H

#include "config.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum axvm_vm_state {
	AXVM_VM_LOADING = 0,
	AXVM_VM_LOADED = 1,
	AXVM_VM_RUNNING = 2,
	AXVM_VM_SUSPENDED = 3,
	AXVM_VM_STOPPING = 4,
	AXVM_VM_STOPPED = 5,
};

/*
 * Creates a VM in LOADING: the configuration is checked and copied, nothing is
 * mapped yet. At least one CPU of the host must be enabled.
 *   config  not kept
 *   error   may be NULL; says which field was refused and who else claims it
 *   vm      out; live until axvm_destroy()
 * Context: thread. Errors: those of axvm_config_check(), EEXIST (id taken on
 * this host; physical memory, registers or an interrupt claimed already),
 * ENOTSUP (a device the backend does not have, ports to pass through, forwarded
 * interrupts without hal.irq_unmask), ENOENT (an interrupt passed through has
 * no line), ESTATE (no CPU enabled), ERANGE (guest-physical space wider than
 * the CPU translates, registers beyond its physical addresses), ENOMEM.
 */
AXVM_MUST_USE int axvm_create(struct axvm_host *host,
			      const struct axvm_vm_config *config,
			      struct axvm_config_error *error,
			      struct axvm_vm **vm);

/*
 * LOADING -> LOADED: builds vCPUs, devices, interrupt controller and stage-2
 * tables, takes and zeroes memory, freezes the device table, loads the images
 * and writes the guest's tables. Bounded steps of 4 MiB of memory; until the
 * last one the VM stays LOADING, and only init and destroy are allowed. A call
 * that fails has undone them all.
 * Context: thread. Errors: EINVAL, ESTATE, ENOMEM, EAGAIN (not done yet: call
 * again), EEXIST (a device the host added overlaps, two images do, there are
 * two interrupt controllers, or a channel of the configuration has another size
 * already), EPERM (it may only be read), ENOSPC (images or tables do not fit),
 * ERANGE (an image outside the regions), EFORMAT (kernel image).
 */
AXVM_MUST_USE int axvm_init(struct axvm_vm *vm);

/*
 * LOADED -> RUNNING: vCPU 0 becomes ready at the kernel's entry, the others
 * stay off until the guest starts them. Context: thread. Errors: EINVAL,
 * ESTATE.
 */
AXVM_MUST_USE int axvm_boot(struct axvm_vm *vm);

/*
 * RUNNING -> SUSPENDED. When it returns no vCPU is in the guest, and none enters
 * before axvm_resume(); runs return SUSPENDED. A device's access or a call of
 * the guest that is being served may still end. The VM's clock stands still:
 * counters and timers of the guest go on where they were. Interrupts and the
 * host's calls are taken note of. Waits for the CPUs that are in the guest, each
 * for the end of one exit. Context: thread. Takes the VM's life lock.
 * Errors: EINVAL, ESTATE.
 */
AXVM_MUST_USE int axvm_suspend(struct axvm_vm *vm);

/*
 * SUSPENDED -> RUNNING. Wakes all vCPUs: a deadline that a HALT exit has told is
 * of the past, the next HALT tells it anew. Context: thread. Takes the VM's life
 * lock. Errors: EINVAL, ESTATE.
 */
AXVM_MUST_USE int axvm_resume(struct axvm_vm *vm);

/*
 * RUNNING or SUSPENDED -> STOPPING; STOPPED as soon as no vCPU runs or is
 * resident on a CPU. Kicks and wakes all vCPUs: each run returns STOPPED and
 * leaves the vCPU unbound. Context: any. Errors: EINVAL, ESTATE.
 */
AXVM_MUST_USE int axvm_shutdown(struct axvm_vm *vm);

/*
 * STOPPED -> LOADED: zeroes memory (not RESERVED regions), gives back
 * demand-filled pages, resets devices and vCPUs, loads the images again.
 * What axvm_map() and its like have changed is undone. Devices passed through
 * stay mapped, in the state they are in. The VM leaves all its channels (ivc.h)
 * and is connected to those of its configuration again. Bounded steps.
 * Context: thread. Errors: EINVAL, ESTATE, ENOMEM, EAGAIN (not done
 * yet: call again; until then the VM stays STOPPED and only reset and destroy
 * are allowed), and those of loading.
 */
AXVM_MUST_USE int axvm_reset(struct axvm_vm *vm);

/*
 * Frees the VM and everything it owns; `vm` is dead when 0 is returned. No
 * other call that names it may be in progress or follow.
 * Context: thread. Errors: EINVAL, EBUSY (RUNNING, SUSPENDED or STOPPING),
 * EAGAIN (bounded step done: call again; only destroy is allowed from then on).
 */
AXVM_MUST_USE int axvm_destroy(struct axvm_vm *vm);

/* State now; may have changed when the caller looks at it. Context: any. */
enum axvm_vm_state axvm_vm_state(const struct axvm_vm *vm);

/* Name of a state, e.g. "Running". Static storage. Context: any. */
const char *axvm_vm_state_name(enum axvm_vm_state state);

/* Id, name, number of vCPUs as configured. Context: any. */
uint64_t axvm_vm_id(const struct axvm_vm *vm);
const char *axvm_vm_name(const struct axvm_vm *vm);
uint32_t axvm_vm_vcpu_count(const struct axvm_vm *vm);

/* The library's copy of the configuration, until axvm_destroy(). Context: any. */
const struct axvm_vm_config *axvm_vm_get_config(const struct axvm_vm *vm);

/* One pointer of the host's own per VM; NULL at first. Context: any. */
void axvm_vm_set_user(struct axvm_vm *vm, void *user);
void *axvm_vm_user(const struct axvm_vm *vm);

#ifdef __cplusplus
}
#endif

#endif
