/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The same random numbers each time, for suites that go wild. */
#ifndef DICE_H
#define DICE_H

#include <stdint.h>

struct dice {
	uint64_t state;
};

/* The multiplier and increment of Knuth's MMIX; high bits are the good ones. */
static inline uint64_t roll(struct dice *d)
{
	d->state = d->state * 6364136223846793005ull + 1442695040888963407ull;
	return d->state >> 33 ^ d->state << 31;
}

#endif
