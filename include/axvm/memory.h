/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Guest memory: bounds-checked copies, and changes of the stage-2 mapping of a
 * live VM. The layout itself comes from the configuration.
 */
#ifndef AXVM_MEMORY_H
#define AXVM_MEMORY_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Copies out of or into guest memory, across pages and regions. Every page must
 * be RAM that the guest may read (write); demand pages are filled. The copy is
 * checked page by page: on error the bytes before the first bad page are
 * copied. Not atomic against the guest. Context: thread or device callback; not
 * interrupt. Errors: EINVAL, ESTATE (LOADING), EFAULT (a page is no RAM or lacks
 * the right), ENOMEM (demand page).
 */
AXVM_MUST_USE int axvm_read_guest(struct axvm_vm *vm, struct axvm_gpa gpa,
				  void *buffer, size_t size);
AXVM_MUST_USE int axvm_write_guest(struct axvm_vm *vm, struct axvm_gpa gpa,
				   const void *data, size_t size);

/*
 * Takes pages away from the guest. When it returns no CPU can reach them any
 * more; frames of ALLOC regions stay with the VM, frames of DEMAND regions go
 * back to hal.free and the next touch takes a fresh zeroed one. Elsewhere a
 * touch is a FAULT exit of kind UNMAPPED until axvm_map() gives a frame.
 *   gpa, size  4 KiB aligned, inside one region; holes only in DEMAND regions
 * Context: thread. Errors: EINVAL, ESTATE (LOADING, STOPPED), ERANGE (not in
 * one RAM region), ENOENT (a page is not mapped), ENOMEM (a large leaf must be
 * split).
 */
AXVM_MUST_USE int axvm_unmap(struct axvm_vm *vm, struct axvm_gpa gpa,
			     uint64_t size);

/*
 * Gives frames to unmapped pages of a region that is not DEMAND.
 *   hpa     4 KiB aligned; memory of the host that stays valid until unmapped
 *   access  AXVM_READ and others, within the rights of the region
 * Context: thread. Errors: EINVAL, ESTATE, ERANGE, EEXIST (a page is mapped),
 * EPERM (more rights than the region has; memory that the host has reserved,
 * that a region of another VM names, or that is behind a passthrough window of
 * any VM), ENOMEM.
 */
AXVM_MUST_USE int axvm_map(struct axvm_vm *vm, struct axvm_gpa gpa,
			   struct axvm_hpa hpa, uint64_t size, uint32_t access);

/*
 * Changes the rights of mapped pages, within the rights of their region. When
 * it returns every CPU obeys. Context: thread. Errors as axvm_unmap(), EPERM.
 */
AXVM_MUST_USE int axvm_protect(struct axvm_vm *vm, struct axvm_gpa gpa,
			       uint64_t size, uint32_t access);

/*
 * How many 4 KiB frames of tables axvm_map() would take now, from the VM's
 * reserve or from hal.alloc. Context: thread. Errors as axvm_map().
 */
AXVM_MUST_USE int axvm_map_pages_needed(struct axvm_vm *vm, struct axvm_gpa gpa,
					struct axvm_hpa hpa, uint64_t size,
					uint64_t *pages);

/*
 * Merges tables of a region that is not DEMAND into larger leaves where frames
 * and rights allow it: after many small edits the CPU walks less and table
 * frames come back. What the guest sees does not change. Bounded steps.
 *   done  bytes looked at so far; 0 at the first call, kept by the caller
 * Context: thread. Errors: EINVAL, ESTATE, ERANGE (not in one region, DEMAND),
 * EAGAIN (not through yet: call again with the same range and *done).
 */
AXVM_MUST_USE int axvm_compact(struct axvm_vm *vm, struct axvm_gpa gpa,
			       uint64_t size, uint64_t *done);

/*
 * Many edits for the price of one flush: what axvm_unmap(), axvm_map(),
 * axvm_protect() and axvm_compact() do between begin and commit, called by
 * whichever thread, is in the tables and in axvm_query() at once, but CPUs may
 * go on using old translations until commit returns. Only then memory taken
 * away is the caller's, rights taken away are obeyed, and frames of demand
 * pages have gone back. Where the pending work outgrows the library's list (64
 * demand pages), or the guest touches a demand page that was just unmapped, a
 * flush comes early. A call that fails in between has had no effect, the
 * others stay. One batch at a time per VM; shutdown leaves it open, reset and
 * destroy end it. Context: thread.
 * Errors: begin EINVAL, ESTATE (LOADING, STOPPED), EBUSY (a batch is open);
 * commit EINVAL, ESTATE (no batch is open: never begun, or ended by a reset).
 */
AXVM_MUST_USE int axvm_mem_begin(struct axvm_vm *vm);
AXVM_MUST_USE int axvm_mem_commit(struct axvm_vm *vm);

/*
 * Makes the VM hold `pages` zeroed 4 KiB frames of its own, which its tables
 * and demand pages take before hal.alloc is asked. What it has lent comes back
 * to it when tables are dropped and demand pages unmapped (zeroed by that call,
 * not by the fault that takes it again), so that a host can do without
 * allocations while its guests run. 0 gives it all back. Bounded steps of 64
 * frames; a call that fails has changed nothing, the steps before it stay.
 * Context: thread. Errors: EINVAL, ESTATE (being destroyed), ENOMEM, EAGAIN (not
 * there yet: call again).
 */
AXVM_MUST_USE int axvm_vm_reserve(struct axvm_vm *vm, uint64_t pages);

/* Frames of the reserve that are free now. Context: any. */
uint64_t axvm_vm_reserved(const struct axvm_vm *vm);

struct axvm_mapping {
	struct axvm_hpa hpa; /* of the byte asked for */
	uint64_t leaf_size; /* bytes the hardware maps in one entry */
	uint32_t access;
	enum axvm_mem_type type;
};

/*
 * What a guest-physical byte is mapped to now. Frames of DEMAND regions are no
 * place to keep a pointer to: the guest can give them back at any time by
 * AXVM_HYPERCALL_BALLOON (ivc.h). Takes no lock. Context: thread.
 * Errors: EINVAL, ESTATE (LOADING), ENOENT (nothing mapped).
 */
AXVM_MUST_USE int axvm_query(struct axvm_vm *vm, struct axvm_gpa gpa,
			     struct axvm_mapping *mapping);

#ifdef __cplusplus
}
#endif

#endif
