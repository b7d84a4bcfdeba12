/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The interrupt-controller model of vplic.h. Work per call is bounded by the
 * words that have bits set, at most VPLIC_WORDS per priority.
 */
#include "vplic.h"

#include "assert.h"
#include "mem.h"

static uint32_t bit_of(uint32_t source)
{
	return UINT32_C(1) << (source & 31);
}

/* ---- pending sources, sorted by priority ---- */

static void ready_add(struct vplic *plic, uint32_t source)
{
	uint32_t p = load_relaxed(&plic->priority[source]);
	uint32_t w = source / 32;

	plic->ready[p][w] |= bit_of(source);
	plic->words[p] |= bit_of(w);
	plic->levels |= bit_of(p);
}

/* With the priority it was added with. */
static void ready_remove(struct vplic *plic, uint32_t source)
{
	uint32_t p = load_relaxed(&plic->priority[source]);
	uint32_t w = source / 32;

	plic->ready[p][w] &= ~bit_of(source);
	if (plic->ready[p][w] != 0)
		return;
	plic->words[p] &= ~bit_of(w);
	if (plic->words[p] == 0)
		plic->levels &= ~bit_of(p);
}

/* Only contexts that enable a source can notice it. */
static void touch_targets(struct vplic *plic, uint32_t source)
{
	plic->dirty |= load_relaxed(&plic->targets[source]);
}

static void set_pending(struct vplic *plic, uint32_t source)
{
	plic->pending[source / 32] |= bit_of(source);
	ready_add(plic, source);
	touch_targets(plic, source);
}

/*
 * The pending and enabled source of the highest priority above `floor`, or 0.
 * "Interrupt Claim Process": among equals the lowest number wins. Priority 0
 * never interrupts, so floor 0 means all.
 */
static uint32_t best_source(const struct vplic *plic,
			    const struct vplic_context *context, uint32_t floor)
{
	for (uint32_t p = VPLIC_PRIORITY_MASK; p > floor; p--) {
		uint32_t words = plic->words[p] & context->enable_words;

		while (words != 0) {
			uint32_t w = lowest_bit64(words);
			uint32_t hit = plic->ready[p][w] &
				       load_relaxed(&context->enable[w]);

			if (hit != 0)
				return w * 32 + lowest_bit64(hit);
			words &= words - 1;
		}
	}
	return 0;
}

bool axvmi_vplic_eip(const struct vplic *plic, uint32_t context)
{
	const struct vplic_context *c = &plic->context[context];
	uint32_t threshold = load_relaxed(&c->threshold);

	/* Most often nothing above the threshold is pending anywhere. */
	if (plic->levels >> threshold <= 1)
		return false;
	return best_source(plic, c, threshold) != 0;
}

uint64_t axvmi_vplic_update(struct vplic *plic)
{
	uint64_t before = load_relaxed(&plic->eip);
	uint64_t after = before;

	for (uint64_t left = plic->dirty; left != 0; left &= left - 1) {
		uint32_t context = lowest_bit64(left);

		after &= ~BIT64(context);
		if (axvmi_vplic_eip(plic, context))
			after |= BIT64(context);
	}
	plic->dirty = 0;
	/* Before whoever is notified of it looks; see axvmi_riscv_irq_sync. */
	if (after != before)
		store_seq(&plic->eip, after);
	return before ^ after;
}

/* ---- gateways: "Interrupt Gateways" ---- */

void axvmi_vplic_set_line(struct vplic *plic, uint32_t source, bool level,
			  bool edge)
{
	uint32_t w = source / 32;
	uint32_t bit = bit_of(source);

	if (source == 0 || source >= VPLIC_SOURCES)
		return;
	plic->level[w] = level ? plic->level[w] | bit : plic->level[w] & ~bit;
	/* A request once forwarded stays when the line falls. */
	if (!level && !edge)
		return;
	if ((plic->claimed[w] & bit) != 0) {
		/* Shut until completion, which looks at the level itself. */
		if (edge)
			plic->latched[w] |= bit;
		return;
	}
	if ((plic->pending[w] & bit) == 0)
		set_pending(plic, source);
}

static uint32_t claim(struct vplic *plic, uint32_t context)
{
	/* "Interrupt Claim Process": the threshold does not matter here. */
	uint32_t source = best_source(plic, &plic->context[context], 0);

	/* Dirty even if there was nothing: irq.c acts on every claim. */
	plic->dirty |= BIT64(context);
	if (source == 0)
		return 0;
	plic->pending[source / 32] &= ~bit_of(source);
	plic->claimed[source / 32] |= bit_of(source);
	ready_remove(plic, source);
	touch_targets(plic, source);
	return source;
}

/*
 * "Interrupt Completion": ignored unless the source is enabled for the context;
 * it need not be the context that claimed.
 */
static bool ends(const struct vplic *plic, uint32_t context, uint32_t source)
{
	uint32_t w = source / 32;
	uint32_t enabled;

	if (source >= VPLIC_SOURCES)
		return false;
	enabled = load_relaxed(&plic->context[context].enable[w]);
	return (enabled & plic->claimed[w] & bit_of(source)) != 0;
}

static void complete(struct vplic *plic, uint32_t context, uint32_t source)
{
	uint32_t w = source / 32;
	uint32_t bit = bit_of(source);

	if (!ends(plic, context, source))
		return;
	plic->claimed[w] &= ~bit;
	if (((plic->level[w] | plic->latched[w]) & bit) == 0)
		return;
	plic->latched[w] &= ~bit;
	set_pending(plic, source);
}

/* ---- registers ---- */

/* A pending source moves between the sets of its priorities. */
static void write_priority(struct vplic *plic, uint32_t source, uint32_t value)
{
	bool pending = (plic->pending[source / 32] & bit_of(source)) != 0;

	if (source == 0)
		return;
	if (pending)
		ready_remove(plic, source);
	store_seq(&plic->priority[source], value & VPLIC_PRIORITY_MASK);
	if (!pending)
		return;
	ready_add(plic, source);
	touch_targets(plic, source);
}

static void write_enable(struct vplic *plic, uint32_t context, uint32_t w,
			 uint32_t value)
{
	struct vplic_context *c = &plic->context[context];
	uint32_t changed;

	if (w == 0)
		value &= ~UINT32_C(1);
	changed = load_relaxed(&c->enable[w]) ^ value;
	store_seq(&c->enable[w], value);
	c->enable_words &= ~bit_of(w);
	if (value != 0)
		c->enable_words |= bit_of(w);
	/*
	 * Published before the caller looks at the inputs again: whoever sets
	 * an input and then reads an old hint is seen there.
	 */
	for (; changed != 0; changed &= changed - 1) {
		uint32_t source = w * 32 + lowest_bit64(changed);
		uint64_t targets = load_relaxed(&plic->targets[source]);

		store_seq(&plic->targets[source], targets ^ BIT64(context));
	}
	plic->dirty |= BIT64(context);
}

static uint32_t page_context(const struct vplic *plic, uint64_t offset)
{
	return vplic_context_of(plic, (offset - VPLIC_CONTEXT) /
					      VPLIC_CONTEXT_STRIDE);
}

bool axvmi_vplic_ends(const struct vplic *plic, uint64_t offset,
		      uint32_t source)
{
	uint32_t context = page_context(plic, offset);

	return context != VPLIC_NO_CONTEXT && ends(plic, context, source);
}

/* What vplic_peek() leaves: pending bits and claims. */
uint32_t axvmi_vplic_read(struct vplic *plic, uint64_t offset)
{
	uint64_t value;
	uint32_t context;

	if (vplic_peek(plic, offset, &value))
		return (uint32_t)value;
	if (offset < VPLIC_ENABLE) {
		uint64_t w = (offset - VPLIC_PENDING) / 4;

		return w < VPLIC_WORDS ? plic->pending[w] : 0;
	}
	context = page_context(plic, offset);
	if (context == VPLIC_NO_CONTEXT ||
	    offset % VPLIC_CONTEXT_STRIDE != VPLIC_CLAIM)
		return 0;
	return claim(plic, context);
}

/* Threshold and completion; the rest of the page is reserved. */
static void write_page(struct vplic *plic, uint64_t offset, uint32_t value)
{
	uint32_t context = page_context(plic, offset);

	if (context == VPLIC_NO_CONTEXT)
		return;
	switch (offset % VPLIC_CONTEXT_STRIDE) {
	case VPLIC_THRESHOLD:
		store_seq(&plic->context[context].threshold,
			  value & VPLIC_PRIORITY_MASK);
		plic->dirty |= BIT64(context);
		break;
	case VPLIC_CLAIM:
		complete(plic, context, value);
		break;
	default:
		break;
	}
}

void axvmi_vplic_write(struct vplic *plic, uint64_t offset, uint32_t value)
{
	uint32_t context;

	if (offset >= VPLIC_CONTEXT) {
		write_page(plic, offset, value);
		return;
	}
	if (offset < VPLIC_PENDING) {
		write_priority(plic, (uint32_t)(offset / 4), value);
		return;
	}
	/* Pending bits are read-only: "Interrupt Pending Bits". */
	if (offset < VPLIC_ENABLE)
		return;
	context = vplic_context_of(plic, (offset - VPLIC_ENABLE) /
						 VPLIC_ENABLE_STRIDE);
	if (context != VPLIC_NO_CONTEXT)
		write_enable(plic, context,
			     (uint32_t)(offset / 4 % VPLIC_WORDS), value);
}

/* ---- life ---- */

static void reset_context(struct vplic_context *context)
{
	for (uint32_t w = 0; w < VPLIC_WORDS; w++)
		store_relaxed(&context->enable[w], 0);
	context->enable_words = 0;
	store_relaxed(&context->threshold, 0);
}

void axvmi_vplic_reset(struct vplic *plic)
{
	plic->levels = 0;
	memset(plic->words, 0, sizeof(plic->words));
	memset(plic->ready, 0, sizeof(plic->ready));
	memset(plic->pending, 0, sizeof(plic->pending));
	memset(plic->claimed, 0, sizeof(plic->claimed));
	memset(plic->level, 0, sizeof(plic->level));
	memset(plic->latched, 0, sizeof(plic->latched));
	for (uint32_t i = 0; i < VPLIC_MAX_CONTEXTS; i++)
		reset_context(&plic->context[i]);
	for (uint32_t i = 0; i < VPLIC_SOURCES; i++) {
		store_relaxed(&plic->priority[i], 0);
		store_relaxed(&plic->targets[i], 0);
	}
	/* Outputs that were high must be seen to fall. */
	plic->dirty = load_relaxed(&plic->eip);
}

void axvmi_vplic_init(struct vplic *plic, uint32_t contexts,
		      enum vplic_layout layout, uint64_t window)
{
	uint64_t pages = 0;

	AXVMI_ASSERT(contexts <= VPLIC_MAX_CONTEXTS);
	if (window > VPLIC_CONTEXT)
		pages = (window - VPLIC_CONTEXT) / VPLIC_CONTEXT_STRIDE;
	pages >>= layout;
	plic->layout = layout;
	plic->contexts = pages < contexts ? (uint32_t)pages : contexts;
	store_relaxed(&plic->eip, 0);
	axvmi_vplic_reset(plic);
}
