/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The only lock. Interrupts are masked in all of this kernel but for two
 * instructions (board_take_irqs), so nothing ever interrupts a holder.
 */
#ifndef SPINLOCK_H
#define SPINLOCK_H

#include <stdatomic.h>

struct spinlock {
	atomic_uint held;
};

static inline void spin_lock(struct spinlock *lock)
{
	while (atomic_exchange_explicit(&lock->held, 1, memory_order_acquire))
		;
}

static inline void spin_unlock(struct spinlock *lock)
{
	atomic_store_explicit(&lock->held, 0, memory_order_release);
}

#endif
