/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The doorbell page: registers of axvm/ivc.h over the slots of a pool. PENDING
 * is atomic, the rest is under host->ivc.lock. vCPU threads call, perhaps on
 * two CPUs at once.
 */
#include "ivc.h"

#define VERSION 1u
#define FIRST_SLOT AXVM_DOORBELL_SLOT(0)

_Static_assert(AXVM_DOORBELL_SLOT(AXVM_IVC_SLOTS) <= PAGE_SIZE_4K,
	       "all slots in the page");
_Static_assert(AXVM_IVC_SLOTS == 32, "PENDING has a bit for every slot");

static uint64_t pair(uint32_t low, uint32_t high)
{
	return low | (uint64_t)high << 32;
}

/* The aligned 64 bits at `offset` of the page's head. */
static uint64_t read_head(const struct axvmi_ivc_pool *pool, uint64_t offset)
{
	switch (offset) {
	case AXVM_DOORBELL_MAGIC:
		return pair(AXVM_DOORBELL_MAGIC_VALUE, VERSION);
	case AXVM_DOORBELL_SLOTS:
		return AXVM_IVC_SLOTS;
	case AXVM_DOORBELL_PENDING:
		return load_seq(&pool->pending);
	case AXVM_DOORBELL_CAPABILITIES:
		return axvmi_hypercall_capabilities(pool->vm);
	default:
		return 0;
	}
}

/* The same of a slot. Registry lock held. */
static uint64_t read_slot(const struct axvmi_ivc_end *end, uint64_t offset)
{
	struct axvm_ivc_state state;

	if (end->channel == NULL)
		return 0;
	axvmi_ivc_describe(end, &state);
	switch (offset) {
	case AXVM_DOORBELL_PUBLISHER:
		return end->channel->publisher;
	case AXVM_DOORBELL_KEY:
		return end->channel->key;
	case AXVM_DOORBELL_GPA:
		return state.gpa;
	case AXVM_DOORBELL_SIZE:
		return state.size;
	case AXVM_DOORBELL_STATE:
		return pair(state.flags, state.generation);
	case AXVM_DOORBELL_PEERS:
		return pair(state.peers, state.line);
	default:
		return 0;
	}
}

static uint64_t read_register(struct axvmi_ivc_pool *pool, uint64_t offset)
{
	struct axvm_host *host = pool->vm->host;
	uint64_t slot = (offset - FIRST_SLOT) / AXVM_DOORBELL_SLOT_SIZE;
	uint64_t saved;
	uint64_t value;

	if (offset < FIRST_SLOT)
		return read_head(pool, offset);
	saved = axvmi_lock(host, &host->ivc.lock);
	value = read_slot(&pool->ends[slot], offset % AXVM_DOORBELL_SLOT_SIZE);
	axvmi_unlock(host, &host->ivc.lock, saved);
	return value;
}

/* An aligned word of 32 bits. */
static void write_register(struct axvmi_ivc_pool *pool, uint64_t offset,
			   uint32_t value)
{
	struct axvm_host *host = pool->vm->host;
	const struct axvmi_ivc_end *end;
	uint64_t saved;

	if (offset == AXVM_DOORBELL_ACK)
		atomic_fetch_and(&pool->pending, ~value);
	if (offset < FIRST_SLOT ||
	    offset % AXVM_DOORBELL_SLOT_SIZE != AXVM_DOORBELL_NOTIFY)
		return;
	end = &pool->ends[(offset - FIRST_SLOT) / AXVM_DOORBELL_SLOT_SIZE];
	saved = axvmi_lock(host, &host->ivc.lock);
	if (end->channel != NULL)
		axvmi_ivc_ring(end->channel, end);
	axvmi_unlock(host, &host->ivc.lock, saved);
}

static enum axvm_access_result access_page(struct axvm_device *device,
					   struct axvm_device_access *access)
{
	struct axvmi_ivc_pool *pool =
		CONTAINER_OF(device, struct axvmi_ivc_pool, doorbells);
	uint64_t offset = access->offset;

	if (!access->write) {
		uint64_t word = read_register(pool, align_down(offset, 8));

		access->value = word >> (offset & 4) * 8;
		if (access->size == 4)
			access->value = (uint32_t)access->value;
		return AXVM_ACCESS_DONE;
	}
	write_register(pool, offset, (uint32_t)access->value);
	if (access->size == 8)
		write_register(pool, offset + 4,
			       (uint32_t)(access->value >> 32));
	return AXVM_ACCESS_DONE;
}

/* All connections are gone by now; so are the rings. */
static const struct axvm_device_ops doorbell_ops = {
	.name = "ivc doorbells",
	.access = access_page,
};

void axvmi_ivc_doorbells_init(struct axvmi_ivc_pool *pool, uint64_t gpa)
{
	pool->doorbells = (struct axvm_device){
		.ops = &doorbell_ops,
		.range_count = 1,
		.ranges = {{
			.bus = AXVM_BUS_MMIO,
			.base = gpa,
			.size = PAGE_SIZE_4K,
			.widths = 4 | 8,
		}},
	};
}
