/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The registry of channels: names, who is connected, and when memory goes back.
 * All under host->ivc.lock; memory is made ready before it is taken and freed
 * after it is dropped. vCPU threads (hypercall.c) and host threads call.
 */
#include "ivc.h"

/* ---- names ---- */

struct axvmi_ivc_channel *axvmi_ivc_find(struct axvm_host *host,
					 uint64_t publisher, uint64_t key)
{
	struct axvmi_ivc_channel *c = host->ivc.channels;

	while (c != NULL && (c->publisher != publisher || c->key != key))
		c = c->next;
	return c;
}

void axvmi_ivc_open(struct axvm_host *host, struct axvmi_ivc_channel *channel)
{
	channel->open = true;
	channel->next = host->ivc.channels;
	host->ivc.channels = channel;
}

void axvmi_ivc_shut(struct axvm_host *host, struct axvmi_ivc_channel *channel)
{
	struct axvmi_ivc_channel **link = &host->ivc.channels;

	while (*link != channel)
		link = &(*link)->next;
	*link = channel->next;
	channel->open = false;
	channel->generation++;
}

/* ---- joining and leaving ---- */

/* Maps a reserved slot to the channel and enters it there; ENOMEM. */
static int join(struct axvmi_ivc_end *end, struct axvmi_ivc_channel *channel,
		const struct axvmi_ivc_request *request, uint32_t access)
{
	struct axvmi_ivc_pool *pool = end->pool;
	int err = axvmi_ivc_map(pool->vm, channel, end->gpa, access);

	if (err != AXVM_OK)
		return err;
	end->channel = channel;
	end->access = access;
	end->line = request->line != 0 ? request->line : pool->line;
	end->fixed = request->fixed;
	end->next = channel->ends;
	channel->ends = end;
	channel->end_count++;
	channel->generation++;
	return AXVM_OK;
}

/*
 * Takes an end out of its channel and the memory out of its VM. Returns the
 * channel when nobody holds it any more: the caller frees it without the lock.
 */
static struct axvmi_ivc_channel *leave(struct axvmi_ivc_end *end)
{
	struct axvmi_ivc_channel *channel = end->channel;
	struct axvm_vm *vm = end->pool->vm;
	struct axvmi_ivc_end **link = &channel->ends;

	axvmi_ivc_unmap(vm, end->gpa, end->pages);
	while (*link != end)
		link = &(*link)->next;
	*link = end->next;
	channel->end_count--;
	channel->generation++;
	if (channel->open && (channel->kind == AXVMI_IVC_GUEST
				      ? end->owner
				      : channel->kind == AXVMI_IVC_STATIC &&
						channel->end_count == 0))
		axvmi_ivc_shut(vm->host, channel);
	axvmi_ivc_unreserve(end);
	return channel->open || channel->end_count != 0 ? NULL : channel;
}

/* Nobody is at it. Returns what there is of the channel, for the caller to free
 * without the lock. */
static struct axvmi_ivc_channel *give_up(struct axvmi_ivc_end *end)
{
	struct axvmi_ivc_channel *draft = end->draft;

	axvmi_ivc_unreserve(end);
	return draft;
}

bool axvmi_ivc_evict(struct axvmi_ivc_end *end)
{
	struct axvm_host *host = end->pool->vm->host;
	struct axvmi_ivc_channel *unused = NULL;
	uint64_t saved = axvmi_lock(host, &host->ivc.lock);
	bool there = end->pages != 0;

	if (end->making)
		unused = give_up(end);
	else if (there)
		unused = leave(end);
	axvmi_unlock(host, &host->ivc.lock, saved);
	axvmi_ivc_channel_free(host, unused);
	return there;
}

/* ---- publishing ---- */

static int check_request(const struct axvm_vm *vm,
			 const struct axvmi_ivc_request *request)
{
	if (vm->ivc == NULL)
		return AXVM_ENOTSUP;
	if (request->line != 0 && !axvmi_line_exists(vm, request->line))
		return AXVM_EINVAL;
	return AXVM_OK;
}

/* Is what has been made of it what is asked for? */
static bool is_draft_of(const struct axvmi_ivc_end *end,
			const struct axvmi_ivc_request *request)
{
	return end->pages == axvmi_ivc_pages(request->size) &&
	       end->draft->access == request->access;
}

/* Somebody has the name: a channel is open, or the VM connected to one. */
static bool name_taken(struct axvmi_ivc_pool *pool,
		       const struct axvmi_ivc_request *request)
{
	return axvmi_ivc_find(pool->vm->host, request->publisher,
			      request->key) != NULL ||
	       axvmi_ivc_find_end(pool, request->publisher, request->key) !=
		       NULL;
}

/*
 * Room first: what is allocated afterwards is bounded by the pool, however many
 * vCPUs call at once.
 */
static int make(struct axvmi_ivc_pool *pool,
		const struct axvmi_ivc_request *request,
		struct axvmi_ivc_end **end)
{
	struct axvmi_ivc_end *slot;

	if (name_taken(pool, request))
		return AXVM_EEXIST;
	slot = axvmi_ivc_reserve(pool, axvmi_ivc_pages(request->size));
	if (slot == NULL)
		return AXVM_ENOSPC;
	slot->publisher = request->publisher;
	slot->key = request->key;
	slot->making = true;
	slot->busy = true;
	*end = slot;
	return AXVM_OK;
}

/*
 * The slot of this name that is in the making, or a new one; the caller works
 * at it alone until publish_end(). What an abandoned call of another size has
 * left is freed.
 */
static int publish_begin(struct axvm_vm *vm,
			 const struct axvmi_ivc_request *request,
			 struct axvmi_ivc_end **end,
			 struct axvmi_ivc_channel **draft)
{
	struct axvm_host *host = vm->host;
	struct axvmi_ivc_channel *unused = NULL;
	uint64_t saved = axvmi_lock(host, &host->ivc.lock);
	struct axvmi_ivc_end *slot = axvmi_ivc_find_making(
		vm->ivc, request->publisher, request->key);
	int err = AXVM_OK;

	if (slot != NULL && slot->busy) {
		err = AXVM_EAGAIN;
	} else if (slot != NULL && is_draft_of(slot, request)) {
		slot->busy = true;
	} else {
		if (slot != NULL)
			unused = give_up(slot);
		err = make(vm->ivc, request, &slot);
	}
	if (err == AXVM_OK) {
		*end = slot;
		*draft = slot->draft;
	}
	axvmi_unlock(host, &host->ivc.lock, saved);
	axvmi_ivc_channel_free(host, unused);
	return err;
}

/* A step towards a channel with all its memory; *channel is NULL at first. */
static int publish_step(struct axvm_host *host,
			const struct axvmi_ivc_request *request,
			struct axvmi_ivc_channel **channel)
{
	if (*channel == NULL)
		*channel = axvmi_ivc_channel_new(host, request);
	if (*channel == NULL)
		return AXVM_ENOMEM;
	return axvmi_ivc_channel_fill(host, *channel);
}

/*
 * Keeps the channel for the next call, opens it, or gives the slot back, as
 * `err` says. The host may have taken the name meanwhile.
 */
static int publish_end(struct axvmi_ivc_end *end,
		       struct axvmi_ivc_channel *channel,
		       const struct axvmi_ivc_request *request, int err,
		       struct axvm_ivc_state *state)
{
	struct axvm_host *host = end->pool->vm->host;
	uint64_t saved = axvmi_lock(host, &host->ivc.lock);

	if (err == AXVM_OK && name_taken(end->pool, request))
		err = AXVM_EEXIST;
	if (err == AXVM_OK)
		err = join(end, channel, request, AXVM_RW);
	if (err == AXVM_OK) {
		end->owner = channel->kind == AXVMI_IVC_GUEST;
		axvmi_ivc_open(host, channel);
		axvmi_ivc_describe(end, state);
	}
	end->draft = err == AXVM_EAGAIN ? channel : NULL;
	end->making = err == AXVM_EAGAIN;
	end->busy = false;
	if (err != AXVM_OK && err != AXVM_EAGAIN)
		axvmi_ivc_unreserve(end);
	axvmi_unlock(host, &host->ivc.lock, saved);
	return err;
}

int axvmi_ivc_publish(struct axvm_vm *vm,
		      const struct axvmi_ivc_request *request,
		      struct axvm_ivc_state *state)
{
	struct axvmi_ivc_channel *channel;
	struct axvmi_ivc_end *end;
	int err = check_request(vm, request);

	if (err == AXVM_OK && request->size == 0)
		err = AXVM_EINVAL;
	if (err == AXVM_OK)
		err = publish_begin(vm, request, &end, &channel);
	if (err != AXVM_OK)
		return err;
	err = publish_step(vm->host, request, &channel);
	err = publish_end(end, channel, request, err, state);
	if (err != AXVM_OK && err != AXVM_EAGAIN)
		axvmi_ivc_channel_free(vm->host, channel);
	return err;
}

/* ---- subscribing ---- */

static int subscribe(struct axvm_vm *vm,
		     const struct axvmi_ivc_request *request,
		     struct axvm_ivc_state *state)
{
	struct axvmi_ivc_channel *channel =
		axvmi_ivc_find(vm->host, request->publisher, request->key);
	struct axvmi_ivc_end *end;
	uint32_t granted;
	int err;

	/* One that is closed counts: the name would mean two things. */
	if (axvmi_ivc_find_end(vm->ivc, request->publisher, request->key) !=
	    NULL)
		return AXVM_EEXIST;
	if (channel == NULL)
		return AXVM_ENOENT;
	if (request->size != 0 &&
	    axvmi_ivc_pages(request->size) != channel->pages)
		return AXVM_EEXIST;
	granted =
		vm->config.id == channel->publisher ? AXVM_RW : channel->access;
	if ((request->access & ~granted) != 0)
		return AXVM_EPERM;
	end = axvmi_ivc_reserve(vm->ivc, channel->pages);
	if (end == NULL)
		return AXVM_ENOSPC;
	err = join(end, channel, request, request->access);
	if (err == AXVM_OK)
		axvmi_ivc_describe(end, state);
	else
		axvmi_ivc_unreserve(end);
	return err;
}

int axvmi_ivc_subscribe(struct axvm_vm *vm,
			const struct axvmi_ivc_request *request,
			struct axvm_ivc_state *state)
{
	struct axvm_host *host = vm->host;
	uint64_t saved;
	int err = check_request(vm, request);

	if (err != AXVM_OK)
		return err;
	saved = axvmi_lock(host, &host->ivc.lock);
	err = subscribe(vm, request, state);
	axvmi_unlock(host, &host->ivc.lock, saved);
	return err;
}

/* ---- what connected VMs do ---- */

/* What the guest may do to an end; the host may do anything. */
static int check_leave(const struct axvmi_ivc_end *end, enum axvmi_ivc_who who)
{
	if (end == NULL)
		return AXVM_ENOENT;
	if (who == AXVMI_IVC_BY_HOST)
		return AXVM_OK;
	if (end->fixed)
		return AXVM_EPERM;
	return end->owner == (who == AXVMI_IVC_BY_OWNER) ? AXVM_OK
							 : AXVM_ENOENT;
}

/* A guest that gave up publishing half-way takes it back. */
static int withdraw(struct axvmi_ivc_pool *pool, uint64_t publisher,
		    uint64_t key, int err, struct axvmi_ivc_channel **unused)
{
	struct axvmi_ivc_end *end = axvmi_ivc_find_making(pool, publisher, key);

	if (end == NULL || end->busy)
		return err;
	*unused = give_up(end);
	return AXVM_OK;
}

int axvmi_ivc_leave(struct axvm_vm *vm, uint64_t publisher, uint64_t key,
		    enum axvmi_ivc_who who)
{
	struct axvm_host *host = vm->host;
	struct axvmi_ivc_channel *unused = NULL;
	struct axvmi_ivc_end *end;
	uint64_t saved;
	int err;

	if (vm->ivc == NULL)
		return AXVM_ENOTSUP;
	saved = axvmi_lock(host, &host->ivc.lock);
	end = axvmi_ivc_find_end(vm->ivc, publisher, key);
	err = check_leave(end, who);
	if (err == AXVM_OK)
		unused = leave(end);
	else if (who == AXVMI_IVC_BY_OWNER)
		err = withdraw(vm->ivc, publisher, key, err, &unused);
	axvmi_unlock(host, &host->ivc.lock, saved);
	axvmi_ivc_channel_free(host, unused);
	return err;
}

/* The bit first: whoever gets the interrupt finds it. */
static void ring_end(const struct axvmi_ivc_end *end)
{
	struct axvmi_ivc_pool *pool = end->pool;

	atomic_fetch_or(&pool->pending, UINT32_C(1) << (end - pool->ends));
	if (end->line == 0)
		return;
	/* The line exists. A VM that is still LOADING hears nothing. */
	if (axvm_inject(pool->vm, 0, end->line) == AXVM_ENOENT)
		AXVMI_ASSERT(false);
}

void axvmi_ivc_ring(const struct axvmi_ivc_channel *channel,
		    const struct axvmi_ivc_end *self)
{
	for (const struct axvmi_ivc_end *end = channel->ends; end != NULL;
	     end = end->next) {
		if (end != self)
			ring_end(end);
	}
}

int axvmi_ivc_notify(struct axvm_vm *vm, uint64_t publisher, uint64_t key)
{
	struct axvm_host *host = vm->host;
	const struct axvmi_ivc_end *end;
	uint64_t saved;

	if (vm->ivc == NULL)
		return AXVM_ENOTSUP;
	saved = axvmi_lock(host, &host->ivc.lock);
	end = axvmi_ivc_find_end(vm->ivc, publisher, key);
	if (end != NULL)
		axvmi_ivc_ring(end->channel, end);
	axvmi_unlock(host, &host->ivc.lock, saved);
	return end == NULL ? AXVM_ENOENT : AXVM_OK;
}

void axvmi_ivc_describe(const struct axvmi_ivc_end *end,
			struct axvm_ivc_state *state)
{
	const struct axvmi_ivc_channel *channel = end->channel;

	memset(state, 0, sizeof(*state));
	state->gpa = end->gpa;
	state->size = end->pages << PAGE_SHIFT_4K;
	state->flags = AXVM_IVC_USED | (channel->open ? 0 : AXVM_IVC_CLOSED) |
		       (end->owner ? AXVM_IVC_OWNER : 0) |
		       ((end->access & AXVM_WRITE) ? AXVM_IVC_WRITABLE : 0) |
		       (end->fixed ? AXVM_IVC_FIXED : 0);
	state->generation = channel->generation;
	state->peers = channel->end_count - 1;
	state->line = end->line;
}

int axvmi_ivc_get_state(struct axvm_vm *vm, uint64_t publisher, uint64_t key,
			struct axvm_ivc_state *state)
{
	struct axvm_host *host = vm->host;
	const struct axvmi_ivc_end *end;
	uint64_t saved;

	if (vm->ivc == NULL)
		return AXVM_ENOTSUP;
	saved = axvmi_lock(host, &host->ivc.lock);
	end = axvmi_ivc_find_end(vm->ivc, publisher, key);
	if (end != NULL)
		axvmi_ivc_describe(end, state);
	axvmi_unlock(host, &host->ivc.lock, saved);
	return end == NULL ? AXVM_ENOENT : AXVM_OK;
}
