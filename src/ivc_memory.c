/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The memory behind channels: taken and given back without a lock, when nobody
 * else knows the channel; mapped into a VM under its memory lock. Called by
 * the other ivc*.c files.
 */
#include "ivc.h"

/* What hal.alloc is asked for, largest first; a size refused once is not asked
 * for again for the same channel. */
static const uint64_t piece_sizes[] = {
	UINT64_C(2) << 20,
	UINT64_C(64) << 10,
	UINT64_C(4) << 10,
};

/* One step zeroes this much, or a piece more: well below a millisecond. */
#define STEP_BYTES (UINT64_C(1) << 20)

struct piece {
	void *virt;
	uint64_t size;
	uint64_t offset; /* in the channel */
};

#define CHUNK_PIECES 42u /* 1 KiB */

struct axvmi_ivc_chunk {
	struct axvmi_ivc_chunk *next;
	uint64_t count;
	struct piece pieces[CHUNK_PIECES];
};

static struct piece *piece_slot(struct axvm_host *host,
				struct axvmi_ivc_channel *channel)
{
	struct axvmi_ivc_chunk *chunk = channel->chunks;

	if (chunk == NULL || chunk->count == CHUNK_PIECES) {
		chunk = axvmi_alloc_zeroed(host, sizeof(*chunk), 64);
		if (chunk == NULL)
			return NULL;
		chunk->next = channel->chunks;
		channel->chunks = chunk;
	}
	return &chunk->pieces[chunk->count];
}

static bool piece_take(struct axvm_host *host, uint64_t left, uint32_t *order,
		       struct piece *piece)
{
	for (; *order < ARRAY_SIZE(piece_sizes); ++*order) {
		uint64_t size = piece_sizes[*order];

		if (size > left)
			continue;
		piece->virt = axvmi_alloc_zeroed(host, size, size);
		piece->size = size;
		if (piece->virt != NULL)
			return true;
	}
	return false;
}

/* The header is what the family's guests look for. */
static void write_header(const struct axvmi_ivc_channel *channel, void *page)
{
	uint64_t header[2] = {channel->publisher, channel->key};

	memcpy(page, header, sizeof(header));
}

static bool take_piece(struct axvm_host *host,
		       struct axvmi_ivc_channel *channel, uint64_t left)
{
	struct piece *piece = piece_slot(host, channel);

	if (piece == NULL || !piece_take(host, left, &channel->order, piece))
		return false;
	channel->chunks->count++;
	piece->offset = channel->ready;
	if (piece->offset == 0)
		write_header(channel, piece->virt);
	if (host->ops->sync_guest_memory != NULL)
		host->ops->sync_guest_memory(piece->virt, piece->size);
	channel->ready += piece->size;
	return true;
}

int axvmi_ivc_channel_fill(struct axvm_host *host,
			   struct axvmi_ivc_channel *channel)
{
	uint64_t size = channel->pages << PAGE_SHIFT_4K;
	uint64_t enough = channel->ready + STEP_BYTES;

	while (channel->ready < size) {
		if (channel->ready >= enough)
			return AXVM_EAGAIN;
		if (!take_piece(host, channel, size - channel->ready))
			return AXVM_ENOMEM;
	}
	return AXVM_OK;
}

struct axvmi_ivc_channel *
axvmi_ivc_channel_new(struct axvm_host *host,
		      const struct axvmi_ivc_request *request)
{
	struct axvmi_ivc_channel *channel =
		axvmi_alloc_zeroed(host, sizeof(*channel), 64);

	if (channel == NULL)
		return NULL;
	channel->publisher = request->publisher;
	channel->key = request->key;
	channel->pages = axvmi_ivc_pages(request->size);
	channel->access = request->access;
	channel->kind = request->kind;
	return channel;
}

void axvmi_ivc_channel_free(struct axvm_host *host,
			    struct axvmi_ivc_channel *channel)
{
	if (channel == NULL)
		return;
	AXVMI_ASSERT(!channel->open && channel->ends == NULL);
	while (channel->chunks != NULL) {
		struct axvmi_ivc_chunk *chunk = channel->chunks;

		for (uint64_t i = 0; i < chunk->count; i++)
			axvmi_free(host, chunk->pieces[i].virt,
				   chunk->pieces[i].size);
		channel->chunks = chunk->next;
		axvmi_free(host, chunk, sizeof(*chunk));
	}
	axvmi_free(host, channel, sizeof(*channel));
}

/* ---- in a VM ---- */

static int map_piece(struct axvm_vm *vm, const struct piece *piece,
		     const struct s2_map *whole, struct s2_edit *edit)
{
	struct s2_map map = *whole;

	map.gpa.value += piece->offset;
	map.size = piece->size;
	map.hpa.value = axvmi_virt_to_phys(vm->host, piece->virt);
	return axvmi_s2_map(&vm->s2, &map, edit);
}

int axvmi_ivc_map(struct axvm_vm *vm, const struct axvmi_ivc_channel *channel,
		  uint64_t gpa, uint32_t access)
{
	const struct axvmi_ivc_chunk *chunk = channel->chunks;
	struct axvmi_mem_batch batch;
	struct s2_map map = {
		.gpa = axvm_to_gpa(gpa),
		.size = channel->pages << PAGE_SHIFT_4K,
		.access = access,
		.type = AXVM_MEM_NORMAL,
	};
	int err = AXVM_OK;

	axvmi_batch_begin(vm, &batch);
	for (; chunk != NULL; chunk = chunk->next) {
		for (uint64_t i = 0; i < chunk->count && err == AXVM_OK; i++)
			err = map_piece(vm, &chunk->pieces[i], &map,
					&batch.edit);
	}
	/* Whole leaves go away: nothing is split, so this cannot fail. */
	if (err != AXVM_OK && axvmi_s2_unmap_sparse(&vm->s2, map.gpa, map.size,
						    &batch.edit) != AXVM_OK)
		AXVMI_ASSERT(false);
	axvmi_batch_end(vm, &batch);
	return err;
}

void axvmi_ivc_unmap(struct axvm_vm *vm, uint64_t gpa, uint64_t pages)
{
	struct axvmi_mem_batch batch;

	axvmi_batch_begin(vm, &batch);
	/* As above: its own leaves, all of them there. */
	if (axvmi_s2_unmap(&vm->s2, axvm_to_gpa(gpa), pages << PAGE_SHIFT_4K,
			   &batch.edit) != AXVM_OK)
		AXVMI_ASSERT(false);
	axvmi_batch_end(vm, &batch);
}
