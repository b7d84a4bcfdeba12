/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Channels between VMs: memory that several guests of one host share, and
 * doorbells between them. Three sides meet here: what the host calls, what
 * guests call (hypercalls), and the registers of the doorbell page. A channel
 * is named by (publisher, key), the publisher being a VM's id.
 *
 * The pool: a VM that takes part has one emulated device of type
 * AXVM_EMU_IVC_POOL, whole pages of guest-physical space that hold no RAM. Its
 * first page is the doorbell page, the others are where channels appear; a pool
 * of a single page has no doorbell page and one channel of one page. An access
 * to a page of the pool without a channel is a FAULT exit of kind UNMAPPED. The
 * pool's interrupt is the line that doorbells raise, 0: none. A generated
 * device tree shows the pool as a node compatible with "axvm,ivc", `reg` being
 * the doorbell page, if there is one, and the room for channels.
 *
 * The memory: whole pages, zeroed when the channel is made, never executable.
 * It begins with {u64 publisher; u64 key}, the guests' data follow at 16. The
 * library does not read it back.
 *
 * Life: a guest's channel is closed when its publisher unpublishes it, is reset
 * or is destroyed. Then nobody can subscribe to it any more, and the name is
 * free for another one; who is connected keeps mapping and memory until it
 * leaves. axvm_shutdown() changes nothing, axvm_reset() and axvm_destroy() take
 * the VM out of all its channels. Memory goes back when the last VM has left
 * and no CPU can reach it any more. A VM holds at most one connection of a
 * name, and AXVM_IVC_SLOTS in all.
 *
 * What guests can make the library allocate is bounded by their pools. A guest
 * that publishes much memory executes its call several times without noticing:
 * a bounded piece is zeroed each time, and host interrupts come between.
 */
#ifndef AXVM_IVC_H
#define AXVM_IVC_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Most connections of one VM. */
#define AXVM_IVC_SLOTS 32u

/* What a connection is now: AXVM_HYPERCALL_IVC_STATE, register STATE. */
#define AXVM_IVC_USED 0x01u
#define AXVM_IVC_CLOSED 0x02u /* the channel; see above */
#define AXVM_IVC_OWNER 0x04u /* this VM published it */
#define AXVM_IVC_WRITABLE 0x08u /* for this VM */
#define AXVM_IVC_FIXED 0x10u /* made by host or configuration: stays */

/* ---- the guest's side: hypercalls ---- */

/*
 * The calls the library answers; a host sees none of them. Registers: RISC-V
 * number a6, arguments a0-a5, result a0, with a7 = 0x485643; ARM number x0,
 * arguments x1-x6, result x0; x86 number RAX, arguments RDI RSI RDX RCX R8 R9,
 * result RAX. Pointers are guest-physical, 8-byte aligned, in RAM that the
 * guest may read and write; what is written there is little-endian and written
 * on success only. All other numbers are HYPERCALL exits.
 */
enum axvm_hypercall {
	/*
	 * The family's, 0 done or -1 failed. Both sides may read and write. The
	 * size is rounded up to pages, and what is mapped is written back.
	 */
	AXVM_HYPERCALL_DISABLE = 0, /* -1, as the next two */
	AXVM_HYPERCALL_PREPARE_DISABLE = 1,
	AXVM_HYPERCALL_DEBUG = 2,
	AXVM_HYPERCALL_PUBLISH = 3, /* key, &gpa (out), &size (in, out) */
	AXVM_HYPERCALL_SUBSCRIBE = 4, /* publisher, key, &gpa, &size (out) */
	AXVM_HYPERCALL_UNPUBLISH = 5, /* key */
	AXVM_HYPERCALL_UNSUBSCRIBE = 6, /* publisher, key */

	/*
	 * Ours, 0x100-0x1ff: not negative, or an axvm_hypercall_result. Numbers
	 * without a call are NOT_SUPPORTED.
	 */
	AXVM_HYPERCALL_CAPABILITIES = 0x100, /* -: AXVM_HYPERCALL_HAS_* */
	AXVM_HYPERCALL_IVC_POOL = 0x101, /* &gpa, &size (out): the pool */
	/* As 3 and 4, with flags AXVM_HYPERCALL_READ_ONLY and the interrupt
	 * line that rings this side, 0: the pool's. */
	AXVM_HYPERCALL_IVC_PUBLISH = 0x102, /* key, &gpa, &size, flags, line */
	/* publisher, key, &gpa, &size, flags, line */
	AXVM_HYPERCALL_IVC_SUBSCRIBE = 0x103,
	AXVM_HYPERCALL_IVC_NOTIFY = 0x104, /* publisher, key: rings all peers */
	/* publisher, key, &struct axvm_ivc_state (out), aligned to its size */
	AXVM_HYPERCALL_IVC_STATE = 0x105,
	/*
	 * gpa, pages: gives back pages of a DEMAND region as axvm_unmap() does;
	 * the next touch finds zeroes. gpa is page-aligned and all pages are in
	 * one region; those not touched yet count as well. At most
	 * AXVM_HYPERCALL_BALLOON_PAGES a call; the result is how many were
	 * done: go on behind them.
	 */
	AXVM_HYPERCALL_BALLOON = 0x110,
};

/* Results of calls 0x100-0x1ff, on the wire; not AXVM_E*. */
enum axvm_hypercall_result {
	AXVM_HYPERCALL_OK = 0,
	AXVM_HYPERCALL_FAILED = -1,
	AXVM_HYPERCALL_NOT_SUPPORTED = -2, /* no such call, no pool */
	AXVM_HYPERCALL_INVALID = -3, /* alignment, size 0, flags, line */
	AXVM_HYPERCALL_DENIED = -4, /* more rights than were granted; FIXED */
	AXVM_HYPERCALL_BAD_ADDRESS = -5, /* not RAM of the kind needed */
	AXVM_HYPERCALL_NOT_FOUND = -6, /* no such channel or connection */
	AXVM_HYPERCALL_EXISTS = -7, /* name taken, or connected already */
	AXVM_HYPERCALL_NO_SPACE = -8, /* pool or slots are full */
	AXVM_HYPERCALL_NO_MEMORY = -9, /* of the host */
};

/* IVC_PUBLISH: subscribers may only read; IVC_SUBSCRIBE: this side will. */
#define AXVM_HYPERCALL_READ_ONLY 0x1u

#define AXVM_HYPERCALL_BALLOON_PAGES 512u

/* What AXVM_HYPERCALL_CAPABILITIES returns; other bits are 0. */
#define AXVM_HYPERCALL_HAS_IVC 0x1u /* there is a pool */
#define AXVM_HYPERCALL_HAS_DOORBELLS 0x2u /* and a doorbell page */
#define AXVM_HYPERCALL_HAS_BALLOON 0x4u /* there is a DEMAND region */

/* What AXVM_HYPERCALL_IVC_STATE writes. */
struct axvm_ivc_state {
	uint64_t gpa; /* of the channel in this VM */
	uint64_t size; /* bytes */
	uint32_t flags; /* AXVM_IVC_* */
	/* Moves whenever a VM joins or leaves: shows a peer that was reset. */
	uint32_t generation;
	uint32_t peers; /* other VMs that are connected */
	uint32_t line; /* that rings this side; 0: none */
};

/* ---- the guest's side: the doorbell page ---- */

/*
 * Registers for whoever has the page mapped, e.g. a process: offsets in the
 * page, accessed by aligned words of 4 or 8 bytes. What is not listed reads 0;
 * writes elsewhere than to ACK and NOTIFY are ignored. A ring sets the slot's
 * bit in PENDING, then sends an edge on the line of the connection. A handler
 * acknowledges what it found in PENDING first, then looks at the channels.
 */
#define AXVM_DOORBELL_MAGIC 0x000u /* 32 bits: AXVM_DOORBELL_MAGIC_VALUE */
#define AXVM_DOORBELL_VERSION 0x004u /* 32: 1 */
#define AXVM_DOORBELL_SLOTS 0x008u /* 32: AXVM_IVC_SLOTS */
#define AXVM_DOORBELL_PENDING 0x010u /* 32: slots rung and not acknowledged */
#define AXVM_DOORBELL_ACK 0x014u /* 32, write: clears these bits of PENDING */
#define AXVM_DOORBELL_CAPABILITIES 0x018u /* 64: AXVM_HYPERCALL_HAS_* */
/* Slot n, AXVM_DOORBELL_SLOT_SIZE bytes each; all 0 while it is not USED. */
#define AXVM_DOORBELL_SLOT(n) (0x800u + 0x40u * (n))
#define AXVM_DOORBELL_SLOT_SIZE 0x40u
#define AXVM_DOORBELL_PUBLISHER 0x00u /* 64: the name */
#define AXVM_DOORBELL_KEY 0x08u /* 64 */
#define AXVM_DOORBELL_GPA 0x10u /* 64: as in struct axvm_ivc_state */
#define AXVM_DOORBELL_SIZE 0x18u /* 64 */
#define AXVM_DOORBELL_STATE 0x20u /* 32: AXVM_IVC_* */
#define AXVM_DOORBELL_GENERATION 0x24u /* 32 */
#define AXVM_DOORBELL_PEERS 0x28u /* 32 */
#define AXVM_DOORBELL_LINE 0x2cu /* 32 */
#define AXVM_DOORBELL_NOTIFY 0x30u /* 32, write anything: rings all peers */

#define AXVM_DOORBELL_MAGIC_VALUE 0x43564941u /* "AIVC" */

/* ---- the host's side ---- */

struct axvm_ivc_config {
	size_t size; /* sizeof(struct axvm_ivc_config) */
	uint64_t publisher; /* the name; no VM need have this id */
	uint64_t key;
	uint64_t bytes; /* rounded up to pages, not 0 */
	/* Of VMs that connect: AXVM_READ or AXVM_RW. The VM whose id is
	 * `publisher` may write in any case. */
	uint32_t access;
	uint32_t reserved; /* 0 */
};

/*
 * Makes a channel that guests can subscribe to and axvm_ivc_connect() can use.
 * It is open until axvm_ivc_close(), whoever comes and goes; the host must
 * close it before axvm_host_destroy(). Zeroes all of it. Context: thread.
 * Errors: EINVAL, EEXIST (an open channel of this name), ENOMEM.
 */
AXVM_MUST_USE int axvm_ivc_create(struct axvm_host *host,
				  const struct axvm_ivc_config *config);

/*
 * Closes a channel of axvm_ivc_create(). Context: thread. Errors: EINVAL,
 * ENOENT (no open channel of this name), EPERM (not made by the host).
 */
AXVM_MUST_USE int axvm_ivc_close(struct axvm_host *host, uint64_t publisher,
				 uint64_t key);

/*
 * Connects a VM to an open channel, whoever made it. The guest cannot undo it;
 * axvm_reset() does.
 *   access  AXVM_READ or AXVM_RW
 *   line    that rings this side, 0: the pool's
 *   gpa     out, may be NULL: where it is in the VM's pool
 * Context: thread. Takes the VM's life lock. Errors: EINVAL, ESTATE (not
 * LOADED, RUNNING or SUSPENDED), ENOTSUP (no pool), ENOENT (channel), EEXIST
 * (connected already), EPERM (more rights than the channel gives), ENOSPC,
 * ENOMEM.
 */
AXVM_MUST_USE int axvm_ivc_connect(struct axvm_vm *vm, uint64_t publisher,
				   uint64_t key, uint32_t access, uint32_t line,
				   struct axvm_gpa *gpa);

/*
 * Takes a VM out of a channel, whoever connected it. When it returns the guest
 * cannot reach the memory any more. Context: thread. Takes the VM's life lock.
 * Errors: EINVAL, ESTATE (as above), ENOENT (not connected).
 */
AXVM_MUST_USE int axvm_ivc_disconnect(struct axvm_vm *vm, uint64_t publisher,
				      uint64_t key);

/*
 * Rings every VM that is connected to an open channel. Context: thread.
 * Errors: EINVAL, ENOENT.
 */
AXVM_MUST_USE int axvm_ivc_notify(struct axvm_host *host, uint64_t publisher,
				  uint64_t key);

struct axvm_ivc_info {
	uint64_t size; /* bytes */
	uint32_t access; /* granted to VMs that connect */
	uint32_t generation; /* as in struct axvm_ivc_state */
	uint32_t connected; /* VMs */
	uint32_t reserved;
};

/*
 * Describes an open channel; where it is in memory is axvm_query()'s to say, of
 * a VM that is connected. Context: thread. Errors: EINVAL, ENOENT.
 */
AXVM_MUST_USE int axvm_ivc_query(struct axvm_host *host, uint64_t publisher,
				 uint64_t key, struct axvm_ivc_info *info);

#ifdef __cplusplus
}
#endif

#endif
