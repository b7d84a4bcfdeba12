/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Included before everything else (-include) in sources that the explorer runs:
 * the compilers' atomic operations, to which <stdatomic.h> comes down, get a
 * scheduling point each. A macro is not expanded inside itself.
 */
#ifndef EXPLORER_POINTS_H
#define EXPLORER_POINTS_H

#include "explorer.h"

/* gcc; clang for words that are not _Atomic */
#define __atomic_load(p, ...) (EXPLORER_READ(p), __atomic_load(p, __VA_ARGS__))
#define __atomic_load_n(p, ...) \
	(EXPLORER_READ(p), __atomic_load_n(p, __VA_ARGS__))
#define __atomic_store(p, ...) \
	(EXPLORER_WRITE(p), __atomic_store(p, __VA_ARGS__))
#define __atomic_store_n(p, ...) \
	(EXPLORER_WRITE(p), __atomic_store_n(p, __VA_ARGS__))
#define __atomic_exchange(p, ...) \
	(EXPLORER_WRITE(p), __atomic_exchange(p, __VA_ARGS__))
#define __atomic_exchange_n(p, ...) \
	(EXPLORER_WRITE(p), __atomic_exchange_n(p, __VA_ARGS__))
#define __atomic_compare_exchange(p, ...) \
	(EXPLORER_WRITE(p), __atomic_compare_exchange(p, __VA_ARGS__))
#define __atomic_fetch_add(p, ...) \
	(EXPLORER_WRITE(p), __atomic_fetch_add(p, __VA_ARGS__))
#define __atomic_fetch_sub(p, ...) \
	(EXPLORER_WRITE(p), __atomic_fetch_sub(p, __VA_ARGS__))
#define __atomic_fetch_or(p, ...) \
	(EXPLORER_WRITE(p), __atomic_fetch_or(p, __VA_ARGS__))
#define __atomic_fetch_and(p, ...) \
	(EXPLORER_WRITE(p), __atomic_fetch_and(p, __VA_ARGS__))

/* clang */
#define __c11_atomic_load(p, ...) \
	(EXPLORER_READ(p), __c11_atomic_load(p, __VA_ARGS__))
#define __c11_atomic_store(p, ...) \
	(EXPLORER_WRITE(p), __c11_atomic_store(p, __VA_ARGS__))
#define __c11_atomic_exchange(p, ...) \
	(EXPLORER_WRITE(p), __c11_atomic_exchange(p, __VA_ARGS__))
#define __c11_atomic_compare_exchange_strong(p, ...) \
	(EXPLORER_WRITE(p),                          \
	 __c11_atomic_compare_exchange_strong(p, __VA_ARGS__))
#define __c11_atomic_fetch_add(p, ...) \
	(EXPLORER_WRITE(p), __c11_atomic_fetch_add(p, __VA_ARGS__))
#define __c11_atomic_fetch_sub(p, ...) \
	(EXPLORER_WRITE(p), __c11_atomic_fetch_sub(p, __VA_ARGS__))
#define __c11_atomic_fetch_or(p, ...) \
	(EXPLORER_WRITE(p), __c11_atomic_fetch_or(p, __VA_ARGS__))
#define __c11_atomic_fetch_and(p, ...) \
	(EXPLORER_WRITE(p), __c11_atomic_fetch_and(p, __VA_ARGS__))

/* Calls have no argument, the definition in lock.h has `void`. */
#define cpu_relax(...) CPU_RELAX_##__VA_ARGS__
#define CPU_RELAX_ explorer_relax()
#define CPU_RELAX_void cpu_relax_unused(void)

/* The model's checks are no accesses of the machine. */
#define STUB_HIDE() explorer_hide()
#define STUB_SHOW() explorer_show()

/* The model locks a CPU for an access; the library is freestanding. */
#if __STDC_HOSTED__
#include <pthread.h>

static inline void explorer_mutex_lock(pthread_mutex_t *mutex)
{
	EXPLORER_WRITE(mutex);
	while (pthread_mutex_trylock(mutex) != 0) {
		explorer_relax();
		EXPLORER_WRITE(mutex);
	}
}

static inline void explorer_mutex_unlock(pthread_mutex_t *mutex)
{
	EXPLORER_WRITE(mutex);
	pthread_mutex_unlock(mutex);
}

#define pthread_mutex_lock explorer_mutex_lock
#define pthread_mutex_unlock explorer_mutex_unlock
#endif

#endif
