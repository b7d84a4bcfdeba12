/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The slots of a pool and where in the pool their pages lie. Under
 * host->ivc.lock, all of it; ivc.c calls.
 */
#include "ivc.h"

/* ---- names ---- */

struct axvmi_ivc_end *axvmi_ivc_find_end(struct axvmi_ivc_pool *pool,
					 uint64_t publisher, uint64_t key)
{
	for (uint32_t i = 0; i < AXVM_IVC_SLOTS; i++) {
		const struct axvmi_ivc_channel *c = pool->ends[i].channel;

		if (c != NULL && c->publisher == publisher && c->key == key)
			return &pool->ends[i];
	}
	return NULL;
}

struct axvmi_ivc_end *axvmi_ivc_find_making(struct axvmi_ivc_pool *pool,
					    uint64_t publisher, uint64_t key)
{
	for (uint32_t i = 0; i < AXVM_IVC_SLOTS; i++) {
		struct axvmi_ivc_end *end = &pool->ends[i];

		if (end->making && end->publisher == publisher &&
		    end->key == key)
			return end;
	}
	return NULL;
}

/* ---- room ---- */

/* A slot that is in the way of [gpa, gpa + pages), or NULL. */
static const struct axvmi_ivc_end *occupant(const struct axvmi_ivc_pool *pool,
					    uint64_t gpa, uint64_t pages)
{
	for (uint32_t i = 0; i < AXVM_IVC_SLOTS; i++) {
		const struct axvmi_ivc_end *end = &pool->ends[i];

		if (end->pages != 0 &&
		    range_overlaps(gpa, pages << PAGE_SHIFT_4K, end->gpa,
				   end->pages << PAGE_SHIFT_4K))
			return end;
	}
	return NULL;
}

/* First fit: each step goes behind one slot, so there are at most as many. */
static bool find_gap(const struct axvmi_ivc_pool *pool, uint64_t pages,
		     uint64_t *gpa)
{
	uint64_t size = pool->pages << PAGE_SHIFT_4K;
	uint64_t at = pool->gpa;

	/* Pages of a pool fit its size; only then can they be shifted. */
	while (pages <= pool->pages && at - pool->gpa < size &&
	       pages << PAGE_SHIFT_4K <= size - (at - pool->gpa)) {
		const struct axvmi_ivc_end *end = occupant(pool, at, pages);

		if (end == NULL) {
			*gpa = at;
			return true;
		}
		at = end->gpa + (end->pages << PAGE_SHIFT_4K);
	}
	return false;
}

struct axvmi_ivc_end *axvmi_ivc_reserve(struct axvmi_ivc_pool *pool,
					uint64_t pages)
{
	for (uint32_t i = 0; i < AXVM_IVC_SLOTS; i++) {
		struct axvmi_ivc_end *end = &pool->ends[i];
		uint64_t gpa;

		if (end->pages != 0)
			continue;
		if (!find_gap(pool, pages, &gpa))
			return NULL;
		end->gpa = gpa;
		end->pages = pages;
		return end;
	}
	return NULL;
}

/* Nobody rings a slot that is not in a channel: PENDING stays 0 from here. */
void axvmi_ivc_unreserve(struct axvmi_ivc_end *end)
{
	struct axvmi_ivc_pool *pool = end->pool;

	atomic_fetch_and(&pool->pending, ~(UINT32_C(1) << (end - pool->ends)));
	memset(end, 0, sizeof(*end));
	end->pool = pool;
}
