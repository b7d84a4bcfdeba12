/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The explorer's search: depth first over the choices "which thread goes on",
 * each schedule run from the start. One exploration at a time.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "explorer.h"
#include "explorer_fiber.h"

/* Accesses of one schedule: more is a loop that does not end. */
#define MAX_DEPTH 8192
#define SHOWN 500 /* of a schedule that is wrong */
#define READ_SET 16u
#define FREED 64u
#define BIT(thread) (1u << (thread))

struct access {
	uintptr_t start;
	size_t size; /* 0: the thread's beginning */
	bool write;
	const char *file;
	int line;
};

/* A state on the way of the present schedule and the choice made there. */
struct node {
	struct access next[2]; /* what each thread would do */
	uint8_t enabled, sleep, todo, done;
	uint8_t chosen;
	int after; /* of the chosen thread once it has made the step */
};

struct thread {
	struct fiber fiber;
	struct access next;
	bool finished;
	bool waiting; /* spins */
	/* What it has read since it last wrote or spun, the last of it, and
	 * whether the other has written any of that since. */
	struct access read[READ_SET];
	unsigned read_count;
	bool news;
	bool spun; /* and has not read since */
	/* The other's last step that surely came before this one's next. */
	int after;
	unsigned hiding;
};

static struct {
	const struct explorer_case *c;
	struct explorer_result result;
	struct fiber main;
	struct thread threads[2];
	struct thread *current; /* NULL: nothing is explored */
	struct node nodes[MAX_DEPTH];
	/* Memory that was freed by a thread. */
	struct access freed[FREED];
	unsigned freed_count;
	int depth; /* steps of this schedule */
	int replay; /* steps whose choice is given */
	bool from_main;
} x;

static bool overlap(const struct access *a, const struct access *b)
{
	return a->start - b->start < b->size || b->start - a->start < a->size;
}

static bool dependent(const struct access *a, const struct access *b)
{
	return a->size != 0 && b->size != 0 && (a->write || b->write) &&
	       overlap(a, b);
}

static unsigned enabled(void)
{
	unsigned mask = 0;

	for (unsigned t = 0; t < 2; t++) {
		if (!x.threads[t].finished && !x.threads[t].waiting)
			mask |= BIT(t);
	}
	return mask;
}

/* A thread tried before, here or higher up, needs no second try until something
 * happens that its next access depends on. */
static unsigned sleeping(int depth)
{
	const struct node *up = &x.nodes[depth == 0 ? 0 : depth - 1];
	unsigned other = !up->chosen;

	if (depth == 0 || ((up->sleep | up->done) & BIT(other)) == 0 ||
	    dependent(&up->next[other], &up->next[up->chosen]))
		return 0;
	return BIT(other);
}

/* Back to explorer_run(); the threads never go on. */
static void give_up(const char *why)
{
	x.result.wrong = why;
	x.result.stuck = true;
	fiber_switch(&x.current->fiber, &x.main, false);
	abort();
}

/*
 * With two threads no schedule turns out to be like an earlier one on the way: a
 * thread goes first only where a later step of it depends on the other's next,
 * and it comes there by itself, which ends the other's sleep.
 */
static void open_node(struct node *n, int depth)
{
	unsigned me = x.current == &x.threads[1];
	unsigned candidates;

	n->done = 0;
	n->enabled = (uint8_t)enabled();
	n->sleep = (uint8_t)sleeping(depth);
	candidates = n->enabled & ~(unsigned)n->sleep;
	if (n->enabled == 0)
		give_up("both threads wait for ever");
	if (candidates == 0)
		give_up("a schedule like one before");
	n->chosen = (uint8_t)((candidates & BIT(me)) != 0 ? me : !me);
	n->todo = (uint8_t)BIT(n->chosen);
}

/*
 * The step about to be made depends on one of the other thread that nothing
 * keeps before it: the other order is to be tried as well.
 */
static void reverse_race(unsigned t, const struct access *a, int depth)
{
	struct thread *thread = &x.threads[t];
	int i = depth - 1;

	while (i > thread->after &&
	       (x.nodes[i].chosen == t || !dependent(&x.nodes[i].next[!t], a)))
		i--;
	if (i <= thread->after)
		return;
	thread->after = i;
	if ((x.nodes[i].enabled & BIT(t)) != 0)
		x.nodes[i].todo |= (uint8_t)BIT(t);
	else
		x.nodes[i].todo |= x.nodes[i].enabled;
}

static bool has_read(const struct thread *t, const struct access *a)
{
	for (unsigned i = 0; i < t->read_count && i < READ_SET; i++) {
		if (overlap(&t->read[i], a))
			return true;
	}
	return false;
}

/* What the step means to threads that spin. */
static void perform(unsigned t, const struct access *a)
{
	struct thread *self = &x.threads[t];
	struct thread *other = &x.threads[!t];

	if (a->write || self->spun) {
		self->read_count = 0;
		self->news = false;
		self->spun = false;
	}
	if (a->write && has_read(other, a)) {
		other->news = true;
		other->waiting = false;
	}
	/* A write may be a read as well. */
	if (a->size != 0 && !has_read(self, a))
		self->read[self->read_count++ % READ_SET] = *a;
}

static void print_step(int i)
{
	const struct node *n = &x.nodes[i];
	const struct access *a = &n->next[n->chosen];
	const char *file;

	if (a->size == 0)
		return;
	file = strrchr(a->file, '/');
	printf("# %4d thread %u: %s %s:%d\n", i, n->chosen,
	       a->write ? "write" : "read", file == NULL ? a->file : file + 1,
	       a->line);
}

void explorer_print(void)
{
	for (int i = x.depth > SHOWN ? x.depth - SHOWN : 0; i < x.depth; i++)
		print_step(i);
}

/* Makes the next step of the schedule. Returns the thread that makes it. */
static unsigned step(void)
{
	struct node *n = &x.nodes[x.depth];
	const struct access *a;

	if (x.depth == MAX_DEPTH)
		give_up("a schedule without end");
	if (x.depth >= x.replay)
		open_node(n, x.depth);
	else if (n->enabled != enabled())
		give_up("a schedule that does not repeat");
	n->next[0] = x.threads[0].next;
	n->next[1] = x.threads[1].next;
	a = &n->next[n->chosen];
	if (x.depth >= x.replay - 1) {
		reverse_race(n->chosen, a, x.depth);
		n->after = x.threads[n->chosen].after;
	}
	x.threads[n->chosen].after = n->after;
	perform(n->chosen, a);
	x.depth++;
	return n->chosen;
}

static void resume(unsigned t, struct fiber *from, bool last)
{
	struct thread *next = &x.threads[t];

	if (&next->fiber == from)
		return;
	x.from_main = from == &x.main;
	x.current = next;
	fiber_unordered_begin();
	if (x.c->switched != NULL)
		x.c->switched(t);
	fiber_unordered_end();
	fiber_switch(from, &next->fiber, last);
}

/* Lets the schedule decide who goes on. */
static void go_on(struct thread *self)
{
	resume(step(), &self->fiber, false);
}

void explorer_point(const volatile void *object, size_t size, bool write,
		    const char *file, int line)
{
	struct thread *self = x.current;

	if (self == NULL || self->hiding != 0)
		return;
	self->next.start = (uintptr_t)object;
	self->next.size = size;
	self->next.write = write;
	self->next.file = file;
	self->next.line = line;
	go_on(self);
	for (unsigned i = 0; i < x.freed_count; i++) {
		if (overlap(&x.freed[i], &self->next))
			x.result.wrong = "memory is used that was freed";
	}
}

void explorer_free(const volatile void *object, size_t size, const char *file,
		   int line)
{
	if (x.current == NULL || x.current->hiding != 0)
		return;
	explorer_point(object, size, true, file, line);
	if (x.freed_count == FREED)
		give_up("more is freed than the explorer can note");
	x.freed[x.freed_count++] = x.current->next;
}

void explorer_relax(void)
{
	struct thread *self = x.current;

	if (self == NULL || self->hiding != 0)
		return;
	/* It goes on to its next access and waits there. */
	self->waiting = !self->news;
	self->spun = true;
}

void explorer_hide(void)
{
	if (x.current == NULL)
		return;
	x.current->hiding++;
	fiber_unordered_begin();
}

void explorer_show(void)
{
	if (x.current == NULL)
		return;
	x.current->hiding--;
	fiber_unordered_end();
}

/* ---- one schedule after the other ---- */

static void fiber_main(void)
{
	struct thread *self = x.current;
	unsigned t = self == &x.threads[1];

	fiber_entered(&x.main, x.from_main);
	fiber_take_order(&x.main);
	x.c->threads[t]();
	fiber_give_order(&x.main);
	self->finished = true;
	if (!x.threads[!t].finished)
		resume(step(), &self->fiber, true);
	x.current = NULL;
	fiber_switch(&self->fiber, &x.main, true);
	abort();
}

static void run_schedule(void)
{
	x.depth = 0;
	x.freed_count = 0;
	for (unsigned t = 0; t < 2; t++) {
		struct fiber fiber = x.threads[t].fiber;

		x.threads[t] = (struct thread){.fiber = fiber, .after = -1};
		fiber_prepare(&x.threads[t].fiber, fiber_main);
	}
	x.c->set_up();
	fiber_give_order(&x.main);
	x.current = &x.threads[0];
	resume(step(), &x.main, false);
	x.current = NULL;
	fiber_take_order(&x.main);
	if (x.result.wrong == NULL)
		x.result.wrong = x.c->check();
	x.result.schedules++;
	if ((unsigned)x.depth > x.result.longest)
		x.result.longest = (unsigned)x.depth;
}

/* The deepest choice that has another way left; false: all is explored. */
static bool next_schedule(void)
{
	for (int depth = x.depth - 1; depth >= 0; depth--) {
		struct node *n = &x.nodes[depth];
		unsigned left;

		n->done |= (uint8_t)BIT(n->chosen);
		left = n->todo & ~(unsigned)n->done & ~(unsigned)n->sleep;
		if (left != 0) {
			n->chosen = (left & 1) == 0;
			x.replay = depth + 1;
			return true;
		}
	}
	return false;
}

struct explorer_result explorer_run(const struct explorer_case *c)
{
	memset(&x, 0, sizeof(x));
	x.c = c;
	fiber_here(&x.main);
	fiber_new(&x.threads[0].fiber);
	fiber_new(&x.threads[1].fiber);
	do
		run_schedule();
	while (x.result.wrong == NULL && next_schedule());
	fiber_delete(&x.threads[0].fiber);
	fiber_delete(&x.threads[1].fiber);
	return x.result;
}
