/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What the stub_*.c files share. A struct stub_pcpu is a physical CPU: it keeps
 * its caches while the library's handle comes and goes. Its lock is a leaf.
 */
#ifndef STUB_INTERNAL_H
#define STUB_INTERNAL_H

#include <pthread.h>

#include "internal.h"
#include "stub_arch.h"

/* Around looks at memory that check and are not the machine's. */
#ifndef STUB_HIDE
#define STUB_HIDE() ((void)0)
#define STUB_SHOW() ((void)0)
#endif

#define STUB_TLB 256u
#define STUB_SMALL 64u
#define STUB_PIC_WIDTHS (4u | 8u)

/* Stage 2: what the CPU believes about a guest-physical page. */
struct stub_entry {
	bool valid;
	uint64_t tag;
	uint64_t page; /* gpa of it */
	uint64_t hpa;
	uint64_t serial; /* the VM it was made for: for checks only */
	uint32_t access;
	unsigned level;
};

/* Walk cache: the leaf table of 2 MiB. */
struct stub_walk {
	bool valid;
	uint64_t tag;
	uint64_t span; /* gpa >> 21 */
	uint64_t table; /* hpa */
};

/* Guest stage: gva -> gpa. owner and epoch are for checks only. */
struct stub_guest_entry {
	bool valid;
	uint64_t tag, asid, gva, gpa;
	uint64_t owner, epoch;
};

/* Instruction cache, one word per line. */
struct stub_line {
	bool valid;
	uint64_t hpa, word;
};

struct stub_vcpu;

struct stub_pcpu {
	pthread_mutex_t lock;
	struct stub_machine *m;
	unsigned index;
	atomic_u32 kicked;
	struct stub_entry s2[STUB_TLB];
	struct stub_walk walks[STUB_SMALL];
	struct stub_guest_entry guest[STUB_SMALL];
	struct stub_line lines[STUB_SMALL];
	/* The CPU's own registers; this CPU alone. */
	uint64_t tag;
	uint64_t csr;
	uint64_t time_offset;
	uint64_t masked; /* with stub_switch() */
	struct stub_vcpu *loaded;
	atomic_u64 counters[STUB_COUNTERS];
};

struct stub_shadow;

struct stub_machine {
	struct stub_config config;
	struct test_hal *t;
	struct axvm_arch_ops ops;
	struct axvm_host *host;
	struct axvm_cpu *cpus[STUB_CPUS];
	struct stub_pcpu pcpu[STUB_CPUS];
	pthread_mutex_t lock; /* what follows */
	unsigned violations;
	char first[128];
	struct stub_shadow *shadow;
	void (*free)(void *ctx, void *ptr, size_t size);
	bool refuse_cpu;
};

struct stub_vm {
	struct axvm_vm core;
	void *block;
	struct axvm_device pic;
	/* The controller: under vm->irqchip. */
	uint64_t levels, edges;
};

struct stub_vcpu {
	struct axvm_vcpu core;
	void *block;
	uint64_t serial;
	const struct stub_op *ops;
	uint64_t pc;
	uint64_t regs[STUB_REGS];
	uint64_t csr; /* while not on a CPU */
	uint64_t asid, table;
	uint64_t epoch; /* moves when the guest drops its translations */
	uint32_t levels, edges; /* private lines as the guest sees them */
	uint32_t mmio_write;
	uint64_t polls, faults, attended;
	uint64_t refaults; /* stage-2 faults since the last access done */
	uint64_t fault_since; /* the first of them: milliseconds */
	uint64_t spins, spin_since; /* of this run without bound */
	void (*halt_hook)(void *arg);
	void *halt_arg;
	void (*inside_hook)(void *arg);
	void *inside_arg;
};

static inline struct stub_vm *stub_vm(struct axvm_vm *vm)
{
	return (struct stub_vm *)vm;
}

static inline struct stub_vcpu *stub_vcpu(struct axvm_vcpu *vcpu)
{
	return (struct stub_vcpu *)vcpu;
}

static inline struct stub_machine *stub_of(const struct axvm_host *host)
{
	struct test_hal *t = host->hal.ctx;

	return t->arg;
}

/* The CPU the calling thread plays. */
struct stub_pcpu *stub_here(void);

__attribute__((format(printf, 2, 3))) void
stub_violate(struct stub_machine *m, const char *format, ...);

/* ---- stub_tlb.c ---- */

/* One aligned access of 8 bytes through the CPU's caches. False: a stage-2
 * fault at *fault. */
bool stub_access(struct stub_vcpu *v, uint64_t gpa, uint32_t access,
		 uint64_t *value, uint64_t *fault);
bool stub_guest_read(struct stub_vcpu *v, uint64_t gva, uint64_t *value,
		     uint64_t *fault);
void stub_guest_fence(struct stub_vcpu *v);

void stub_tlb_flush_local(struct axvm_vm *vm);
void stub_tlb_flush_all(void);
void stub_guest_stage_flush(struct axvm_vm *vm);
void stub_sync_code(struct stub_machine *m);
void stub_tlb_flush_range(struct axvm_vm *vm, uint64_t gpa, uint64_t size);

/* ---- stub_shadow.c ---- */

void stub_shadow_new(struct stub_machine *m);
void stub_shadow_delete(struct stub_machine *m);
/* The host's bytes become what guests see. */
void stub_shadow_sync(struct stub_machine *m, const void *start, uint64_t size);
void stub_shadow_drop(struct stub_machine *m, const void *start, uint64_t size);
/* Does the guest see what the host sees? Word aligned to 8. */
bool stub_shadow_same(struct stub_machine *m, const uint64_t *word);
void stub_shadow_write(struct stub_machine *m, const uint64_t *word);

/* ---- stub_guest.c ---- */

int stub_vcpu_run(struct axvm_vcpu *vcpu);
void stub_vcpu_complete(struct axvm_vcpu *vcpu,
			enum axvm_complete_action action, uint64_t value);

/* ---- stub_irq.c ---- */

uint64_t stub_line_targets(struct axvm_vm *vm, uint32_t line);
void stub_irq_sync(struct axvm_vcpu *vcpu);
bool stub_irq_pending(struct axvm_vcpu *vcpu);
/* Lines this vCPU sees pending, private ones << 32. */
uint64_t stub_pending(struct stub_vcpu *v);
void stub_irq_ack(struct stub_vcpu *v);
/* At an entry with no attention: nothing may be left to take in. */
void stub_irq_check(struct stub_vcpu *v);
int stub_pic_init(struct axvm_vm *vm);
void stub_pic_fini(struct axvm_vm *vm);

#endif
