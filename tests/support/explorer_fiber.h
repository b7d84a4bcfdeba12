/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Coroutines for the explorer: ucontext, and what the sanitizers want to be told
 * about it. Between the explored threads ThreadSanitizer sees no order but that
 * of their own atomics, so it judges the memory orders of every schedule.
 */
#ifndef EXPLORER_FIBER_H
#define EXPLORER_FIBER_H

#include <stdbool.h>
#include <stdlib.h>
#include <ucontext.h>

#ifdef __has_feature /* clang; gcc defines the macro itself */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef EXPLORER_TSAN /* explorer.c itself is not instrumented */
#include <sanitizer/tsan_interface.h>
/* Of the same library; it has no header for them. */
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#endif

#define FIBER_STACK ((size_t)256 << 10)

struct fiber {
	ucontext_t context;
	void *stack; /* NULL: the one the program began on */
	const void *bottom; /* of the stack, as AddressSanitizer wants it */
	size_t size;
	void *fake;
	void *tsan;
};

static inline void fiber_new(struct fiber *f)
{
	f->stack = malloc(FIBER_STACK);
	if (f->stack == NULL)
		abort();
	f->bottom = f->stack;
	f->size = FIBER_STACK;
#ifdef EXPLORER_TSAN
	f->tsan = __tsan_create_fiber(0);
#endif
}

static inline void fiber_delete(struct fiber *f)
{
#ifdef EXPLORER_TSAN
	__tsan_destroy_fiber(f->tsan);
#endif
	free(f->stack);
}

/* The stack the caller is on. */
static inline void fiber_here(struct fiber *f)
{
	f->stack = NULL;
#ifdef EXPLORER_TSAN
	f->tsan = __tsan_get_current_fiber();
#else
	f->tsan = NULL;
#endif
}

static inline void fiber_prepare(struct fiber *f, void (*entry)(void))
{
	getcontext(&f->context);
	f->context.uc_stack.ss_sp = f->stack;
	f->context.uc_stack.ss_size = f->size;
	f->context.uc_link = NULL;
	makecontext(&f->context, entry, 0);
}

/* First thing in `entry`; `main` is where the first switch came from. */
static inline void fiber_entered(struct fiber *main, bool from_main)
{
#ifdef __SANITIZE_ADDRESS__
	const void *bottom;
	size_t size;

	__sanitizer_finish_switch_fiber(NULL, &bottom, &size);
	if (from_main) {
		main->bottom = bottom;
		main->size = size;
	}
#else
	(void)main;
	(void)from_main;
#endif
}

/* last: `from` does not come back. */
static inline void fiber_switch(struct fiber *from, struct fiber *to, bool last)
{
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_start_switch_fiber(last ? NULL : &from->fake, to->bottom,
				       to->size);
#endif
#ifdef EXPLORER_TSAN
	__tsan_switch_to_fiber(to->tsan, __tsan_switch_to_fiber_no_sync);
#endif
	(void)last;
	swapcontext(&from->context, &to->context);
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(from->fake, NULL, NULL);
#endif
}

/* Accesses in between are no thread's. */
static inline void fiber_unordered_begin(void)
{
#ifdef EXPLORER_TSAN
	AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
	AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
}

static inline void fiber_unordered_end(void)
{
#ifdef EXPLORER_TSAN
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
	AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
}

/* As pthread_create() and pthread_join() order what threads do: on the one side
 * `give`, on the other, later, `take`, with the same object. */
static inline void fiber_give_order(void *object)
{
#ifdef EXPLORER_TSAN
	__tsan_release(object);
#endif
	(void)object;
}

static inline void fiber_take_order(void *object)
{
#ifdef EXPLORER_TSAN
	__tsan_acquire(object);
#endif
	(void)object;
}

#endif
