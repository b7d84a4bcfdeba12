/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What holds of a GIC model (struct vgic) between any two calls of it: lists,
 * summaries and homes agree with the words; no INTID is held twice.
 */
#ifndef AXVM_TEST_ARM_VHE_GIC_CHECK_H
#define AXVM_TEST_ARM_VHE_GIC_CHECK_H

#include <stdlib.h>

#include "arm_vhe/vgic.h"

static inline void require(bool condition)
{
	if (!condition)
		abort();
}

static inline void check_word(const struct vgic *g, uint32_t vcpu, uint32_t w)
{
	const struct vgic_word *b = vgic_word_const(g, vcpu, w);

	require((b->loaned & ~b->held) == 0);
	require(((b->drop_pending | b->drop_active | b->add_active) &
		 ~b->held) == 0);
	require(b->listed == (vgic_deliverable(g, b) & ~b->active & ~b->held));
	for (uint32_t n = 0; n < 32; n++) {
		uint32_t intid = w * 32 + n;
		uint32_t m = UINT32_C(1) << n;
		uint32_t target = w == 0 ? vcpu : vgic_target(g, intid);
		uint32_t home = w == 0 ? vcpu : vgic_home(g, intid);

		require(w == 0 || home == VGIC_NOBODY || home < g->vcpus);
		require(w == 0 || target == VGIC_NOBODY || target < g->vcpus);
		if (w != 0)
			require((((b->held | b->active) & m) != 0) ==
				(home != VGIC_NOBODY));
		for (uint32_t c = 0; c < g->vcpus; c++) {
			if (w == 0 && c != vcpu)
				continue;
			require(((g->cpu[c].ready[w] & m) != 0) ==
				((b->listed & m) != 0 && target == c));
			require(((g->cpu[c].active[w] & m) != 0) ==
				((b->active & m) != 0 && home == c));
		}
	}
}

static inline void check_cpu(const struct vgic *g, uint32_t c)
{
	const struct vgic_cpu *cpu = &g->cpu[c];

	for (uint32_t w = 0; w < VGIC_WORDS; w++) {
		require((cpu->ready_words >> w & 1) == (cpu->ready[w] != 0));
		require((cpu->active_words >> w & 1) == (cpu->active[w] != 0));
	}
	require(cpu->held_count <= VGIC_MAX_LRS);
	require((cpu->epoch & 1) == (cpu->held_count != 0));
	for (uint32_t i = 0; i < cpu->held_count; i++) {
		uint32_t intid = cpu->held[i];

		require(intid < VGIC_INTIDS);
		require((vgic_word_const(g, c, intid / 32)->held &
			 vgic_bit(intid)) != 0);
		require(intid < VGIC_PRIVATE || vgic_home(g, intid) == c);
		for (uint32_t k = 0; k < i; k++)
			require(cpu->held[k] != intid);
	}
}

static inline void gic_check_model(const struct vgic *g)
{
	for (uint32_t c = 0; c < g->vcpus; c++) {
		check_cpu(g, c);
		check_word(g, c, 0);
	}
	for (uint32_t w = 1; w < VGIC_WORDS; w++)
		check_word(g, 0, w);
}

#endif
