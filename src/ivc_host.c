/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The host's calls of axvm/ivc.h. Thread context; those that name a VM hold its
 * life lock, so that no reset or destroy of it comes between.
 */
#include "ivc.h"

static bool access_valid(uint32_t access)
{
	return access == AXVM_READ || access == AXVM_RW;
}

static int check_config(const struct axvm_ivc_config *config)
{
	if (config == NULL || config->size != sizeof(*config) ||
	    config->reserved != 0 || config->bytes == 0 ||
	    config->bytes > UINT64_MAX - PAGE_SIZE_4K ||
	    !access_valid(config->access))
		return AXVM_EINVAL;
	return AXVM_OK;
}

/* Takes the name unless somebody has it. */
static int enter(struct axvm_host *host, struct axvmi_ivc_channel *channel)
{
	uint64_t saved = axvmi_lock(host, &host->ivc.lock);
	bool taken =
		axvmi_ivc_find(host, channel->publisher, channel->key) != NULL;

	if (!taken)
		axvmi_ivc_open(host, channel);
	axvmi_unlock(host, &host->ivc.lock, saved);
	return taken ? AXVM_EEXIST : AXVM_OK;
}

int axvm_ivc_create(struct axvm_host *host,
		    const struct axvm_ivc_config *config)
{
	struct axvmi_ivc_channel *channel;
	struct axvmi_ivc_request request;
	int err = host == NULL ? AXVM_EINVAL : check_config(config);

	if (err != AXVM_OK)
		return err;
	request = (struct axvmi_ivc_request){
		.publisher = config->publisher,
		.key = config->key,
		.size = config->bytes,
		.access = config->access,
		.kind = AXVMI_IVC_HOST,
	};
	channel = axvmi_ivc_channel_new(host, &request);
	if (channel == NULL)
		return AXVM_ENOMEM;
	do
		err = axvmi_ivc_channel_fill(host, channel);
	while (err == AXVM_EAGAIN);
	if (err == AXVM_OK)
		err = enter(host, channel);
	if (err != AXVM_OK)
		axvmi_ivc_channel_free(host, channel);
	return err;
}

int axvm_ivc_close(struct axvm_host *host, uint64_t publisher, uint64_t key)
{
	struct axvmi_ivc_channel *channel;
	struct axvmi_ivc_channel *unused = NULL;
	uint64_t saved;
	int err = AXVM_OK;

	if (host == NULL)
		return AXVM_EINVAL;
	saved = axvmi_lock(host, &host->ivc.lock);
	channel = axvmi_ivc_find(host, publisher, key);
	if (channel == NULL) {
		err = AXVM_ENOENT;
	} else if (channel->kind != AXVMI_IVC_HOST) {
		err = AXVM_EPERM;
	} else {
		axvmi_ivc_shut(host, channel);
		if (channel->end_count == 0)
			unused = channel;
	}
	axvmi_unlock(host, &host->ivc.lock, saved);
	axvmi_ivc_channel_free(host, unused);
	return err;
}

/* Life lock held: neither before the tables exist nor while they go away. */
static bool can_connect(const struct axvm_vm *vm)
{
	uint32_t state = load_seq(&vm->state);

	return load_relaxed(&vm->destroying) == 0 &&
	       (state == AXVM_VM_LOADED || state == AXVM_VM_RUNNING ||
		state == AXVM_VM_SUSPENDED);
}

int axvm_ivc_connect(struct axvm_vm *vm, uint64_t publisher, uint64_t key,
		     uint32_t access, uint32_t line, struct axvm_gpa *gpa)
{
	struct axvmi_ivc_request request = {
		.publisher = publisher,
		.key = key,
		.access = access,
		.line = line,
		.fixed = true,
	};
	struct axvm_ivc_state state;
	int err = AXVM_ESTATE;

	if (vm == NULL || !access_valid(access))
		return AXVM_EINVAL;
	spin_lock(&vm->life);
	if (can_connect(vm))
		err = axvmi_ivc_subscribe(vm, &request, &state);
	spin_unlock(&vm->life);
	if (err == AXVM_OK && gpa != NULL)
		gpa->value = state.gpa;
	return err;
}

int axvm_ivc_disconnect(struct axvm_vm *vm, uint64_t publisher, uint64_t key)
{
	int err = AXVM_ESTATE;

	if (vm == NULL)
		return AXVM_EINVAL;
	spin_lock(&vm->life);
	if (can_connect(vm))
		err = axvmi_ivc_leave(vm, publisher, key, AXVMI_IVC_BY_HOST);
	spin_unlock(&vm->life);
	return err == AXVM_ENOTSUP ? AXVM_ENOENT : err;
}

int axvm_ivc_notify(struct axvm_host *host, uint64_t publisher, uint64_t key)
{
	const struct axvmi_ivc_channel *channel;
	uint64_t saved;

	if (host == NULL)
		return AXVM_EINVAL;
	saved = axvmi_lock(host, &host->ivc.lock);
	channel = axvmi_ivc_find(host, publisher, key);
	if (channel != NULL)
		axvmi_ivc_ring(channel, NULL);
	axvmi_unlock(host, &host->ivc.lock, saved);
	return channel == NULL ? AXVM_ENOENT : AXVM_OK;
}

int axvm_ivc_query(struct axvm_host *host, uint64_t publisher, uint64_t key,
		   struct axvm_ivc_info *info)
{
	const struct axvmi_ivc_channel *channel;
	uint64_t saved;

	if (host == NULL || info == NULL)
		return AXVM_EINVAL;
	saved = axvmi_lock(host, &host->ivc.lock);
	channel = axvmi_ivc_find(host, publisher, key);
	if (channel != NULL)
		*info = (struct axvm_ivc_info){
			.size = channel->pages << PAGE_SHIFT_4K,
			.access = channel->access,
			.generation = channel->generation,
			.connected = channel->end_count,
		};
	axvmi_unlock(host, &host->ivc.lock, saved);
	return channel == NULL ? AXVM_ENOENT : AXVM_OK;
}
