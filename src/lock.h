/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Atomics and the spinlock. Only 32- and 64-bit atomics are used: RISC-V may
 * need libatomic for narrower ones. Orders are spelled out by the helpers'
 * names; there are no bare fences, which ThreadSanitizer would not see.
 */
#ifndef AXVMI_LOCK_H
#define AXVMI_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef _Atomic uint32_t atomic_u32;
typedef _Atomic uint64_t atomic_u64;

#define load_relaxed(p) atomic_load_explicit((p), memory_order_relaxed)
#define load_acquire(p) atomic_load_explicit((p), memory_order_acquire)
#define load_seq(p) atomic_load_explicit((p), memory_order_seq_cst)
#define store_relaxed(p, v) \
	atomic_store_explicit((p), (v), memory_order_relaxed)
#define store_release(p, v) \
	atomic_store_explicit((p), (v), memory_order_release)
#define store_seq(p, v) atomic_store_explicit((p), (v), memory_order_seq_cst)

/*
 * Test-and-test-and-set lock. The library holds one only for bounded work and
 * never while it calls a device's `access`, unless that asked for it. HAL
 * callbacks may find locks held, kick and wake included; so they must not call
 * back. reset and destroy of devices run under the VM's life lock.
 */
struct spinlock {
	atomic_u32 held;
};

static inline void cpu_relax(void)
{
	__asm__ volatile("" ::: "memory");
}

static inline void spin_lock(struct spinlock *lock)
{
	while (atomic_exchange_explicit(&lock->held, 1, memory_order_acquire)) {
		while (load_relaxed(&lock->held))
			cpu_relax();
	}
}

static inline void spin_unlock(struct spinlock *lock)
{
	store_release(&lock->held, 0);
}

/*
 * The same for a plain word of a public struct: the public headers know no
 * atomics, being C++ as well. All accesses to such a word go through these.
 */
static inline uint32_t word_load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void word_store(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t word_exchange(uint32_t *word, uint32_t value)
{
	return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

static inline void word_lock(uint32_t *word)
{
	while (__atomic_exchange_n(word, 1, __ATOMIC_ACQUIRE)) {
		while (__atomic_load_n(word, __ATOMIC_RELAXED))
			cpu_relax();
	}
}

static inline void word_unlock(uint32_t *word)
{
	__atomic_store_n(word, 0, __ATOMIC_RELEASE);
}

#endif
