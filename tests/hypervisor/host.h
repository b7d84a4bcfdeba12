/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* What the files of this kernel know of each other. README.md has the order. */
#ifndef HOST_H
#define HOST_H

#include <axvm/axvm.h>
#include <stdatomic.h>

#include "board.h"

/* Hypercalls of tests/guests/payload/riscv/bench.c, if we count at all. */
#define BENCH_COUNTS 0xbe00u

#define MAX_VMS 8u /* numbers of one digit */

/*
 * The only lock. Interrupts are masked in all of this kernel but for two
 * instructions (board_take_irqs), so nothing ever interrupts a holder.
 */
static inline void acquire(atomic_uint *lock)
{
	while (atomic_exchange(lock, 1) != 0)
		;
}

static inline void release(atomic_uint *lock)
{
	atomic_store_explicit(lock, 0, memory_order_release);
}

/* ---- main.c ---- */

/* What run.sh wants; `otherwise` if it does not say. */
uint32_t option(const char *name, uint32_t otherwise);

/* ---- selftest.c ---- */

/* Panics unless `hal` does on this CPU what the library needs of it. On the
 * first CPU before the others start. */
void self_test(const struct axvm_hal *hal, uint32_t cpu);

/* ---- text.c; panic() is in board.h ---- */

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Panics unless a call of the library went well. */
void must(const char *what, int error);
#define MUST(call)                           \
	do {                                 \
		int error_ = (call);         \
                                             \
		if (error_ != 0)             \
			must(#call, error_); \
	} while (0)

/* ---- heap.c: contiguous runs of 4 KiB pages ---- */

#define PAGE_SIZE 4096u

/* Gives the heap the whole pages inside [start, end). */
void heap_add(uint64_t start, uint64_t end);
/* hal.alloc and hal.free */
void *heap_alloc(void *ctx, size_t size, size_t align);
void heap_free(void *ctx, void *memory, size_t size);
extern uint64_t heap_free_bytes;

/* ---- bundle.c: a cpio archive with the files of all VMs ---- */

/* A file of the archive by its path, e.g. "vm1/kernel". */
bool bundle_find(struct blob archive, const char *path, struct blob *file);

/* ---- uart.c: the UART of a guest ---- */

struct uart {
	uint32_t writer; /* see console_write() */
	union {
		struct axvm_uart16550 pc16550;
		struct axvm_pl011 pl011;
	} model; /* as board.guests_have_pl011 says */
};

/* To a VM in LOADING, as its configuration has it. */
void uart_add(struct uart *uart, uint32_t writer, struct axvm_vm *vm,
	      const struct axvm_emu_device_config *device);
/* Bytes it would take now. */
size_t uart_room(struct uart *uart);
void uart_receive(struct uart *uart, uint8_t byte);

/* ---- console.c: one serial line for this kernel and all guests ---- */

/* Who writes: 0 this kernel, N the guest of VM N. */
void console_write(uint32_t writer, char byte);
/* Guests write whole lines with their number before each. */
extern bool console_shared;
/* The UART that gets input, of the first VM; NULL: input stays where it is. */
extern struct uart *console_input;
/* Gives it what it has room for; returns when to call again. On CPU 0 only,
 * where the board's interrupt comes to. */
uint64_t console_feed(uint64_t now);

/* ---- sched.c: vCPUs over CPUs, round robin ---- */

#define NO_CPU UINT32_MAX

/* A vCPU as the scheduler sees it. */
struct task {
	struct vm *owner;
	struct axvm_vm *vm; /* its user pointer is the first task */
	uint32_t vcpu;
	uint32_t avoid; /* a CPU that leaves it to others, or NO_CPU */
	uint32_t slices; /* so many are over */
	enum task_state {
		TASK_STOPPED, /* until sched_start() */
		TASK_WAITING, /* for a CPU, from `deadline` on */
		TASK_RUNNING
	} state;
	uint64_t deadline; /* 0: now; a wake sets it, whatever the state */
};

/* Makes tasks, STOPPED, of the vCPUs; before any CPU is in sched_loop(). */
void sched_add(struct vm *owner, struct axvm_vm *vm);
/* When it boots. */
void sched_start(struct axvm_vm *vm);
void sched_wake(void *ctx, struct axvm_vm *vm, uint32_t vcpu); /* hal.wake */
void sched_timer(void *ctx, uint64_t deadline); /* hal.timer */
/* Before anything else on a CPU. */
void sched_init(uint32_t self);
/* Runs vCPUs on this CPU until sched_stop(). */
void sched_loop(uint32_t self, struct axvm_cpu *handle);
void sched_stop(void);

/* ---- stats.c ---- */

/* Begins histograms of all vCPUs of an initialised VM. */
void stats_watch(struct axvm_vm *vm);
/* Counters, and what stats_watch() asked for; VMs in the same order. */
void stats_print(uint32_t number, struct axvm_vm *vm);
void stats_dump(uint32_t number, struct axvm_vm *vm, uint32_t vcpu);

/* ---- stack.c: the option "stack" ---- */

extern bool stack_is_measured;
/* axvm_run_vcpu(), measured. */
int stack_run(struct axvm_cpu *cpu, struct axvm_vm *vm, uint32_t vcpu,
	      struct axvm_exit *exit);
void stack_print(void);

/* ---- shootdown.c: the option "shootdown" ---- */

/* The first VM is the one whose page is taken away. */
void shootdown_add(struct axvm_vm *vm);
/* Does it once, on CPU 0. False: there is nothing to do. */
bool shootdown_round(void);
/* A FAULT exit that comes of it is answered. */
bool shootdown_fault(struct axvm_vm *vm, const struct axvm_exit *exit);

/* ---- vm.c: the virtual machines of the bundle ---- */

/* Creates and boots all. */
void vm_start_all(struct axvm_host *host);
/* Deals with an exit: what becomes of the vCPU? */
enum task_state vm_exit(struct vm *vm, const struct axvm_exit *exit);
/* One of its vCPUs has stopped. */
void vm_vcpu_stopped(struct vm *vm);
/* Suspends and resumes the first VM as often as run.sh asks for; returns when to
 * call again. On CPU 0 only. */
uint64_t vm_pauses(uint64_t now);
void vm_print_stats(void);
/* Destroys all; true: every guest has powered off by itself. */
bool vm_destroy_all(void);

#endif
