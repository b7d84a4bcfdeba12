/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Calls of ivc.h: channels of the host, and VMs that come and go. */
#include "api_model.h"

static struct model_channel *find(struct fuzz *f, uint64_t publisher,
				  uint64_t key)
{
	for (uint32_t i = 0; i < CHANNELS; i++) {
		struct model_channel *c = &f->channels[i];

		if (c->open && c->publisher == publisher && c->key == key)
			return c;
	}
	return NULL;
}

static struct model_link *link_of(struct model_vm *v, uint64_t publisher,
				  uint64_t key)
{
	for (uint32_t i = 0; i < CHANNELS; i++) {
		struct model_link *l = &v->links[i];

		if (l->used && l->publisher == publisher && l->key == key)
			return l;
	}
	return NULL;
}

static void call_create(struct fuzz *f, uint64_t publisher, uint64_t key,
			uint32_t how)
{
	struct axvm_ivc_config config = {
		.size = sizeof(config),
		.publisher = publisher,
		.key = key,
		.bytes = (how & 15) * UINT64_C(1000),
		.access = (how & 0x10) != 0 ? AXVM_READ : AXVM_RW,
	};
	uint32_t errors = config.bytes == 0 ? E(AXVM_EINVAL) : 0;
	struct model_channel *c = f->channels;

	if (find(f, publisher, key) != NULL)
		errors |= E(AXVM_EEXIST);
	while (c->open && c < &f->channels[CHANNELS - 1])
		c++;
	if (!CALL(f, errors, axvm_ivc_create(f->host, &config)))
		return;
	*c = (struct model_channel){
		.open = true,
		.publisher = publisher,
		.key = key,
		.serial = ++f->channel_serial,
		.size = (config.bytes + PAGE - 1) & ~(PAGE - 1),
		.access = config.access,
	};
}

static void call_close(struct fuzz *f, uint64_t publisher, uint64_t key)
{
	struct model_channel *c = find(f, publisher, key);

	if (CALL(f, c == NULL ? E(AXVM_ENOENT) : 0,
		 axvm_ivc_close(f->host, publisher, key)))
		c->open = false;
}

static bool may_connect(const struct model_vm *v)
{
	return v->state == AXVM_VM_LOADED || v->state == AXVM_VM_RUNNING ||
	       v->state == AXVM_VM_SUSPENDED;
}

static void connected(struct fuzz *f, struct model_vm *v,
		      const struct model_channel *c, struct axvm_gpa gpa,
		      uint32_t access)
{
	struct model_link *l = v->links;
	struct axvm_mapping mapping;

	while (l->used)
		l++;
	*l = (struct model_link){
		.used = true,
		.publisher = c->publisher,
		.key = c->key,
		.serial = c->serial,
		.gpa = gpa.value,
	};
	require(f, gpa.value - IVC_POOL < IVC_POOL_SIZE);
	require(f, axvm_query(v->vm, gpa, &mapping) == AXVM_OK);
	require(f, mapping.access == access);
}

static void call_connect(struct fuzz *f, uint64_t publisher, uint64_t key,
			 uint32_t how)
{
	struct model_vm *v = pick_vm(f);
	struct model_channel *c = find(f, publisher, key);
	uint32_t access = (how & 1) != 0 ? AXVM_READ : AXVM_RW;
	struct axvm_gpa gpa = {0};
	struct ledger l;
	uint32_t errors = v->vm == NULL ? E(AXVM_EINVAL) : 0;
	int err;

	if (waits_for_us(f, v, false))
		return;
	if (v->vm != NULL && !may_connect(v))
		errors |= E(AXVM_ESTATE);
	if (v->vm != NULL && !v->pool)
		errors |= E(AXVM_ENOTSUP);
	if (c == NULL)
		errors |= E(AXVM_ENOENT);
	else if (access == AXVM_RW && c->access == AXVM_READ &&
		 v->id != publisher)
		errors |= E(AXVM_EPERM);
	if (v->vm != NULL && link_of(v, publisher, key) != NULL)
		errors |= E(AXVM_EEXIST);
	l = begin(f, "axvm_ivc_connect");
	err = axvm_ivc_connect(v->vm, publisher, key, access, 0, &gpa);
	/* Where there is room in the pool is the library's affair. */
	if (errors == 0 && err == AXVM_ENOSPC)
		errors = E(AXVM_ENOSPC);
	if (judge(f, err, errors, &l))
		connected(f, v, c, gpa, access);
	else
		require(f, gpa.value == 0);
}

static void call_disconnect(struct fuzz *f, uint64_t publisher, uint64_t key)
{
	struct model_vm *v = pick_vm(f);
	struct model_link *l = link_of(v, publisher, key);
	struct axvm_mapping mapping;
	uint32_t errors = v->vm == NULL ? E(AXVM_EINVAL) : 0;

	if (waits_for_us(f, v, false))
		return;
	if (v->vm != NULL && !may_connect(v))
		errors |= E(AXVM_ESTATE);
	else if (l == NULL)
		errors |= E(AXVM_ENOENT);
	if (!CALL(f, errors, axvm_ivc_disconnect(v->vm, publisher, key)))
		return;
	l->used = false;
	require(f, axvm_query(v->vm, axvm_to_gpa(l->gpa), &mapping) ==
			   AXVM_ENOENT);
}

static void call_query(struct fuzz *f, uint64_t publisher, uint64_t key)
{
	const struct model_channel *c = find(f, publisher, key);
	struct axvm_ivc_info info;
	uint32_t count = 0;

	if (!CALL(f, c == NULL ? E(AXVM_ENOENT) : 0,
		  axvm_ivc_query(f->host, publisher, key, &info)))
		return;
	for (uint32_t i = 0; i < VMS; i++) {
		const struct model_link *l =
			link_of(&f->vms[i], publisher, key);

		/* Half-way through a reset, who knows. */
		if (f->vms[i].resetting || f->vms[i].destroying)
			return;
		count += l != NULL && l->serial == c->serial;
	}
	require(f, info.size == c->size && info.access == c->access);
	require(f, info.connected == count);
}

void call_ivc(struct fuzz *f)
{
	uint32_t which = take8(f);
	uint64_t publisher = 1 + (which & 1);
	uint64_t key = which >> 1 & 1;
	uint32_t how = take8(f);

	switch (which >> 2 & 7) {
	case 0:
	case 1:
		call_create(f, publisher, key, how);
		break;
	case 2:
		call_close(f, publisher, key);
		break;
	case 3:
	case 4:
		call_connect(f, publisher, key, how);
		break;
	case 5:
		call_disconnect(f, publisher, key);
		break;
	case 6:
		call_query(f, publisher, key);
		break;
	default:
		CALL(f, find(f, publisher, key) == NULL ? E(AXVM_ENOENT) : 0,
		     axvm_ivc_notify(f->host, publisher, key));
		break;
	}
}

void ivc_close_all(struct fuzz *f)
{
	for (uint32_t i = 0; i < CHANNELS; i++) {
		const struct model_channel *c = &f->channels[i];

		if (c->open)
			require(f, axvm_ivc_close(f->host, c->publisher,
						  c->key) == AXVM_OK);
	}
}
