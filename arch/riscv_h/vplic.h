/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A platform-level interrupt controller (RISC-V Platform-Level Interrupt
 * Controller Specification 1.0.0) of 1023 sources and one context per vCPU.
 * Pure. Protected by the VM's irqchip lock, but for reads of the atomic fields;
 * irq.c calls.
 */
#ifndef AXVMI_RISCV_H_VPLIC_H
#define AXVMI_RISCV_H_VPLIC_H

#include <stdbool.h>
#include <stdint.h>

#include "bits.h"
#include "lock.h"

/* "Memory Map". */
#define VPLIC_PENDING UINT64_C(0x1000)
#define VPLIC_ENABLE UINT64_C(0x2000)
#define VPLIC_ENABLE_STRIDE UINT64_C(0x80)
#define VPLIC_CONTEXT UINT64_C(0x200000)
#define VPLIC_CONTEXT_STRIDE UINT64_C(0x1000)
#define VPLIC_THRESHOLD UINT64_C(0) /* in a context's page */
#define VPLIC_CLAIM UINT64_C(4)
/* What devices of the kind usually decode; room for 1024 contexts. */
#define VPLIC_WINDOW UINT64_C(0x600000)

#define VPLIC_SOURCES 1024u /* source 0 does not exist */
#define VPLIC_WORDS (VPLIC_SOURCES / 32)
#define VPLIC_MAX_CONTEXTS 64u
/*
 * Priorities and thresholds are WARL ("Interrupt Priorities"): three bits are
 * kept, as SiFive's parts and QEMU's virt machine do.
 */
#define VPLIC_PRIORITIES 8u
#define VPLIC_PRIORITY_MASK (VPLIC_PRIORITIES - 1)
#define VPLIC_NO_CONTEXT UINT32_MAX

enum vplic_layout {
	/* Context n of the memory map is vCPU n. */
	VPLIC_ONE_PER_HART = 0,
	/* Context 2n + 1 is vCPU n; 2n would be its M-mode. What software with
	 * addresses compiled in expects of QEMU's virt machine. */
	VPLIC_TWO_PER_HART = 1,
};

/* Bit w of a `words` member tells that word w of its array is not 0, so that
 * no search looks at 1023 sources. */
struct vplic_context {
	atomic_u32 enable[VPLIC_WORDS];
	uint32_t enable_words;
	atomic_u32 threshold;
};

struct vplic {
	enum vplic_layout layout;
	uint32_t contexts;
	/* Contexts whose output may have changed since axvmi_vplic_update(). */
	uint64_t dirty;
	/* Contexts that signal an interrupt, as of the last update. */
	atomic_u64 eip;

	/* Pending sources by priority; bit p of `levels`: one of priority p. */
	uint32_t levels;
	uint32_t words[VPLIC_PRIORITIES];
	uint32_t ready[VPLIC_PRIORITIES][VPLIC_WORDS];

	uint32_t pending[VPLIC_WORDS];
	/* Gateways: claimed and not completed; input high; edge meanwhile. */
	uint32_t claimed[VPLIC_WORDS];
	uint32_t level[VPLIC_WORDS];
	uint32_t latched[VPLIC_WORDS];
	atomic_u32 priority[VPLIC_SOURCES];
	struct vplic_context context[VPLIC_MAX_CONTEXTS];
	/* Contexts that enable a source: arch_ops.line_targets. */
	atomic_u64 targets[VPLIC_SOURCES];
};

/*
 * Power-on state. Of `contexts` (at most VPLIC_MAX_CONTEXTS) those exist whose
 * page lies inside the first `window` bytes.
 */
void axvmi_vplic_init(struct vplic *plic, uint32_t contexts,
		      enum vplic_layout layout, uint64_t window);
/* All registers, gateways and inputs to 0; contexts are marked dirty. */
void axvmi_vplic_reset(struct vplic *plic);

/*
 * 32-bit accesses; the offset is a multiple of 4. What does not exist reads as
 * 0 and ignores writes.
 */
uint32_t axvmi_vplic_read(struct vplic *plic, uint64_t offset);
void axvmi_vplic_write(struct vplic *plic, uint64_t offset, uint32_t value);

/* Would this write, to where vplic_is_claim(), end a claim? */
bool axvmi_vplic_ends(const struct vplic *plic, uint64_t offset,
		      uint32_t source);

/* An input: its level now, and whether an edge came. Sources that do not exist
 * are ignored. */
void axvmi_vplic_set_line(struct vplic *plic, uint32_t source, bool level,
			  bool edge);

/* Output of a context, evaluated now. */
bool axvmi_vplic_eip(const struct vplic *plic, uint32_t context);
/* Evaluates dirty contexts into `eip`; returns those that changed. */
uint64_t axvmi_vplic_update(struct vplic *plic);

/* An access to `offset` may enable sources. */
static inline bool vplic_is_enable(uint64_t offset)
{
	return offset - VPLIC_ENABLE < VPLIC_CONTEXT - VPLIC_ENABLE;
}

/* An access to `offset` is a claim or a completion. */
static inline bool vplic_is_claim(uint64_t offset)
{
	return offset >= VPLIC_CONTEXT &&
	       offset % VPLIC_CONTEXT_STRIDE == VPLIC_CLAIM;
}

/* Offset of a context's page. */
static inline uint64_t vplic_context_page(const struct vplic *plic,
					  uint32_t context)
{
	uint64_t number = ((uint64_t)context << plic->layout) + plic->layout;

	return VPLIC_CONTEXT + number * VPLIC_CONTEXT_STRIDE;
}

/* vCPU of a context of the memory map, or VPLIC_NO_CONTEXT. */
static inline uint32_t vplic_context_of(const struct vplic *plic,
					uint64_t number)
{
	if ((number & plic->layout) != plic->layout ||
	    number >> plic->layout >= plic->contexts)
		return VPLIC_NO_CONTEXT;
	return (uint32_t)(number >> plic->layout);
}

/*
 * The registers that only change when they are written, read without the lock:
 * priorities, thresholds, enable bits. False: axvmi_vplic_read() must.
 */
static inline bool vplic_peek(const struct vplic *plic, uint64_t offset,
			      uint64_t *value)
{
	const struct vplic_context *context = plic->context;
	uint32_t number;

	if (offset < VPLIC_PENDING) {
		*value = load_acquire(&plic->priority[offset / 4]);
		return true;
	}
	if (offset < VPLIC_ENABLE)
		return false;
	if (offset < VPLIC_CONTEXT) {
		number = vplic_context_of(plic, (offset - VPLIC_ENABLE) /
							VPLIC_ENABLE_STRIDE);
		*value = 0;
		if (number != VPLIC_NO_CONTEXT)
			*value = load_acquire(
				&context[number]
					 .enable[offset / 4 % VPLIC_WORDS]);
		return true;
	}
	if (offset % VPLIC_CONTEXT_STRIDE != VPLIC_THRESHOLD)
		return false;
	number = vplic_context_of(plic, (offset - VPLIC_CONTEXT) /
						VPLIC_CONTEXT_STRIDE);
	*value = 0;
	if (number != VPLIC_NO_CONTEXT)
		*value = load_acquire(&context[number].threshold);
	return true;
}

/*
 * Writes of priorities that change no output: the source is not pending. Lock
 * held. False: nothing was done, axvmi_vplic_write() must.
 */
static inline bool vplic_poke(struct vplic *plic, uint64_t offset,
			      uint64_t value)
{
	uint64_t source = offset / 4;

	if (source - 1 >= VPLIC_SOURCES - 1 ||
	    (plic->pending[source / 32] >> source % 32 & 1) != 0)
		return false;
	store_seq(&plic->priority[source], value & VPLIC_PRIORITY_MASK);
	return true;
}

#endif
