/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The objects behind axvm/ivc.h and the calls between the ivc*.c files. All
 * fields that change are under host->ivc.lock, but for `pending`. A channel is
 * one piece of shared memory; an end is a VM's connection to it.
 */
#ifndef AXVMI_IVC_H
#define AXVMI_IVC_H

#include "axvm/ivc.h"
#include "internal.h"

/* How long a channel is open, that is, on the registry's list. */
enum axvmi_ivc_kind {
	AXVMI_IVC_GUEST, /* until the end that made it leaves */
	AXVMI_IVC_STATIC, /* until the last end leaves */
	AXVMI_IVC_HOST, /* until axvm_ivc_close() */
};

struct axvmi_ivc_chunk;

struct axvmi_ivc_channel {
	struct axvmi_ivc_channel *next; /* while open */
	struct axvmi_ivc_end *ends;
	/* The library's own copies: guests can write those in the memory. */
	uint64_t publisher;
	uint64_t key;
	uint64_t pages;
	/* The memory; see ivc_memory.c. */
	struct axvmi_ivc_chunk *chunks;
	uint64_t ready; /* bytes there and zeroed; all of them once open */
	uint32_t order;
	enum axvmi_ivc_kind kind;
	uint32_t access; /* of who is not the publisher */
	uint32_t end_count;
	uint32_t generation;
	bool open;
};

/*
 * A slot of a pool: free, connected, or with a channel in the making, which a
 * guest may take several calls for. Of a name there is at most one of each.
 */
struct axvmi_ivc_end {
	struct axvmi_ivc_end *next; /* of the same channel */
	struct axvmi_ivc_pool *pool;
	struct axvmi_ivc_channel *channel; /* NULL: not connected */
	uint64_t gpa;
	uint64_t pages; /* 0: free */
	/* In the making: its name, what is there of it, NULL at first, and
	 * whether somebody works at it now. */
	uint64_t publisher;
	uint64_t key;
	struct axvmi_ivc_channel *draft;
	bool making;
	bool busy;
	uint32_t access;
	uint32_t line;
	bool owner; /* it made the channel */
	bool fixed; /* the guest cannot leave */
};

struct axvmi_ivc_pool {
	struct axvm_vm *vm;
	uint64_t gpa; /* where channels may lie, without the doorbell page */
	uint64_t pages;
	uint64_t config_gpa; /* the pool as configured */
	uint64_t config_size;
	uint32_t line; /* 0: none */
	bool has_doorbells;
	atomic_u32 pending; /* slots rung */
	struct axvm_device doorbells;
	struct axvmi_ivc_end ends[AXVM_IVC_SLOTS];
};

/* What is asked for; see the functions for what they look at. */
struct axvmi_ivc_request {
	uint64_t publisher;
	uint64_t key;
	uint64_t size; /* bytes */
	uint32_t access;
	uint32_t line; /* 0: the pool's */
	enum axvmi_ivc_kind kind;
	bool fixed;
};

/* ---- ivc_memory.c ---- */

/* A channel nobody else knows, still without memory; NULL: ENOMEM. */
struct axvmi_ivc_channel *
axvmi_ivc_channel_new(struct axvm_host *host,
		      const struct axvmi_ivc_request *request);
/* Takes and zeroes memory for it in bounded steps; 0, EAGAIN or ENOMEM. */
int axvmi_ivc_channel_fill(struct axvm_host *host,
			   struct axvmi_ivc_channel *channel);
/* Not open, no ends. NULL: nothing to do. */
void axvmi_ivc_channel_free(struct axvm_host *host,
			    struct axvmi_ivc_channel *channel);
/* Maps all of it at gpa; all or nothing. */
int axvmi_ivc_map(struct axvm_vm *vm, const struct axvmi_ivc_channel *channel,
		  uint64_t gpa, uint32_t access);
/* Undoes that; when it returns no CPU reaches the memory through this VM. */
void axvmi_ivc_unmap(struct axvm_vm *vm, uint64_t gpa, uint64_t pages);

/* Pages for `size` bytes, which is not 0. */
static inline uint64_t axvmi_ivc_pages(uint64_t size)
{
	return ((size - 1) >> PAGE_SHIFT_4K) + 1;
}

/* ---- ivc_slots.c; registry lock held ---- */

/* The VM's connection of this name, to an open channel or a closed one. */
struct axvmi_ivc_end *axvmi_ivc_find_end(struct axvmi_ivc_pool *pool,
					 uint64_t publisher, uint64_t key);
/* The slot where a channel of this name is in the making. */
struct axvmi_ivc_end *axvmi_ivc_find_making(struct axvmi_ivc_pool *pool,
					    uint64_t publisher, uint64_t key);
/* A slot with room in the pool that is nobody's but the caller's, or NULL. */
struct axvmi_ivc_end *axvmi_ivc_reserve(struct axvmi_ivc_pool *pool,
					uint64_t pages);
void axvmi_ivc_unreserve(struct axvmi_ivc_end *end);

/* ---- ivc.c ---- */

/* The open channel of this name, or NULL. Registry lock held. */
struct axvmi_ivc_channel *axvmi_ivc_find(struct axvm_host *host,
					 uint64_t publisher, uint64_t key);
/* Puts it on the list or takes it off. Registry lock held. */
void axvmi_ivc_open(struct axvm_host *host, struct axvmi_ivc_channel *channel);
void axvmi_ivc_shut(struct axvm_host *host, struct axvmi_ivc_channel *channel);
/* Rings all ends but `self`, which may be NULL. Registry lock held. */
void axvmi_ivc_ring(const struct axvmi_ivc_channel *channel,
		    const struct axvmi_ivc_end *self);
/* What an end in a channel is now. Registry lock held. */
void axvmi_ivc_describe(const struct axvmi_ivc_end *end,
			struct axvm_ivc_state *state);

/*
 * Makes a channel of `size` bytes, open for others with `access`, and connects
 * the VM to it. ENOTSUP no pool, EINVAL size or line, EEXIST, ENOSPC, ENOMEM;
 * EAGAIN: a bounded step was done, or another vCPU is at it, call again.
 */
int axvmi_ivc_publish(struct axvm_vm *vm,
		      const struct axvmi_ivc_request *request,
		      struct axvm_ivc_state *state);
/*
 * Connects the VM to an open channel, with `access`. If `size` is not 0 the
 * channel must have it. ENOTSUP, EINVAL line, ENOENT, EEXIST connected already
 * or another size, EPERM, ENOSPC, ENOMEM.
 */
int axvmi_ivc_subscribe(struct axvm_vm *vm,
			const struct axvmi_ivc_request *request,
			struct axvm_ivc_state *state);

/* Who wants an end to leave. */
enum axvmi_ivc_who {
	AXVMI_IVC_BY_OWNER, /* the guest that made the channel */
	AXVMI_IVC_BY_SUBSCRIBER, /* any other guest */
	AXVMI_IVC_BY_HOST,
};

/* ENOTSUP, ENOENT, EPERM. */
int axvmi_ivc_leave(struct axvm_vm *vm, uint64_t publisher, uint64_t key,
		    enum axvmi_ivc_who who);
/* Rings the peers of the VM's end. ENOTSUP, ENOENT. */
int axvmi_ivc_notify(struct axvm_vm *vm, uint64_t publisher, uint64_t key);
/* ENOTSUP, ENOENT. */
int axvmi_ivc_get_state(struct axvm_vm *vm, uint64_t publisher, uint64_t key,
			struct axvm_ivc_state *state);
/* Takes one end out, whoever made it; returns whether it was one. */
bool axvmi_ivc_evict(struct axvmi_ivc_end *end);

/* ---- ivc_pool.c ---- */

/* AXVM_HYPERCALL_HAS_* of this VM. */
uint64_t axvmi_hypercall_capabilities(const struct axvm_vm *vm);

/* ---- ivc_doorbell.c ---- */

/* Fills in pool->doorbells, a page at `gpa`. */
void axvmi_ivc_doorbells_init(struct axvmi_ivc_pool *pool, uint64_t gpa);

#endif
