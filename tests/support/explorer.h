/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Runs two threads in every order of their accesses to memory that makes a
 * difference. The threads are coroutines; the sources they run are compiled
 * with explorer_points.h, which puts a scheduling point before each atomic
 * access. Memory is sequentially consistent here.
 *
 * Two orders make no difference when they agree on the order of any two accesses
 * to one place of which one writes: of each such class one schedule is run
 * (Flanagan and Godefroid, "Dynamic partial-order reduction for model checking
 * software", POPL 2005, with sleep sets). A thread that spins waits until the
 * other one writes what it has read, so that schedules are finite.
 */
#ifndef EXPLORER_H
#define EXPLORER_H

#include <stdbool.h>
#include <stddef.h>

struct explorer_case {
	/* Before and after each schedule; the check returns what is wrong. */
	void (*set_up)(void);
	const char *(*check)(void);
	/* No assertions of the test framework in these. */
	void (*threads[2])(void);
	/* Thread n goes on; may be NULL. */
	void (*switched)(unsigned n);
};

struct explorer_result {
	const char *wrong; /* NULL: no schedule failed the check */
	/* Threads of the last schedule stay where they are, and what they hold. */
	bool stuck;
	unsigned long schedules; /* all different */
	unsigned longest; /* accesses of the longest */
};

/* Stops at the first schedule that is wrong. */
struct explorer_result explorer_run(const struct explorer_case *c);
/* The last schedule, as comments of TAP. */
void explorer_print(void);

/* ---- for what the threads run ---- */

/* The next access: the other thread may come first. */
void explorer_point(const volatile void *object, size_t size, bool write,
		    const char *file, int line);
/* A write to all of it, after which a thread that touches it is wrong. For memory
 * that is not used again in this schedule. */
void explorer_free(const volatile void *object, size_t size, const char *file,
		   int line);
/* Nothing will change until the other thread writes what was read. */
void explorer_relax(void);
/* Accesses between the two are the test's own: no scheduling points. They nest. */
void explorer_hide(void);
void explorer_show(void);

#define EXPLORER_READ(p) \
	explorer_point((p), sizeof(*(p)), false, __FILE__, __LINE__)
#define EXPLORER_WRITE(p) \
	explorer_point((p), sizeof(*(p)), true, __FILE__, __LINE__)

#endif
