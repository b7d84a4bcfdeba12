/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* What the files of this kernel know of each other. README.md has the order. */
#ifndef HOST_H
#define HOST_H

#include <axvm/axvm.h>

#include "board.h"
#include "bundle.h"

#define MAX_VMS 8u
#define NO_CPU UINT32_MAX

/* ---- string.c ---- */

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* ---- print.c: print() and panic() of board.h, and into a buffer ---- */

/* Panics unless a call of the library, for which `what` stands, went well. */
void must(const char *what, int error);
size_t format_text(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- console.c: one serial line for this kernel and all guests ---- */

/* Who writes: 0 this kernel, N the guest of VM N. */
void console_write(uint32_t writer, const char *bytes, size_t size);
/* From now on guests write whole lines with their number before each. */
void console_share(void);
/* The next byte of input, or -1. */
int console_read(void);
/* Gives `uart` the input it has room for; NULL: leaves it. Shows lines that
 * have no end, all of them when there is nothing else to do (`idle`). Returns
 * when it wants to be called again. */
uint64_t console_poll(uint64_t now, bool idle, struct axvm_uart16550 *uart);

/* ---- sched.c: vCPUs over CPUs, round robin ---- */

struct vm;

/* A vCPU as the scheduler sees it. */
struct task {
	struct vm *vm;
	uint32_t vcpu;
	enum {
		TASK_STOPPED,
		TASK_QUEUED,
		TASK_RUNNING,
		TASK_BLOCKED
	} state;
	bool woken; /* while RUNNING: do not block */
	uint32_t home; /* the only CPU that may run it now, or NO_CPU */
	uint32_t watcher; /* CPU that looks at the deadline */
	uint32_t slices;
	uint64_t deadline; /* of a BLOCKED one */
	struct task *next; /* in the queue */
};

/* What becomes of a vCPU after run. */
enum verdict {
	VCPU_RUNS,
	VCPU_WAITS,
	VCPU_STOPPED
};

void sched_init(uint32_t cpus, uint64_t slice_ns, uint32_t migrate_every);
/* Before any CPU is in sched_loop(): tasks, STOPPED, for vCPUs 0 to n - 1. */
struct task *sched_add(struct vm *vm, uint32_t vcpus);
void sched_start(struct task *task);
void sched_wake(struct task *task); /* hal.wake */
void sched_timer(uint64_t deadline); /* hal.timer: of this CPU */
/* Runs vCPUs on this CPU until sched_stop(). */
void sched_loop(uint32_t self, struct axvm_cpu *handle);
void sched_stop(void);

/* ---- vmm.c: the virtual machines of the bundle ---- */

/* Reads the configurations, sets memory aside that they claim; how many. */
uint32_t vmm_load(struct blob bundle);
/* Creates and boots all; each may reset itself so many times. */
void vmm_start(struct axvm_host *host, uint32_t reboots);
/* Enters a vCPU and deals with its exit. */
enum verdict vmm_run(struct axvm_cpu *cpu, struct vm *vm, uint32_t vcpu,
		     uint64_t *deadline);
/* Unloads a vCPU, so that another CPU can run it. */
void vmm_unbind(struct axvm_cpu *cpu, struct vm *vm, uint32_t vcpu);
/* One of its vCPUs has stopped. */
void vmm_stopped(struct vm *vm);
void vmm_wake(void *ctx, struct axvm_vm *handle, uint32_t vcpu);
/* The UART that gets console input, or NULL. */
struct axvm_uart16550 *vmm_console(void);
void vmm_print_stats(void);
/* Destroys all; true: every guest has powered off by itself. */
bool vmm_finish(void);

#endif
