/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The objects of the core: machine, CPU, VM, vCPU, and what they are made of.
 * Which lock protects a field stands beside it; a vCPU's own fields belong to
 * the thread that runs it, others reach it by its atomics alone.
 */
#ifndef AXVMI_OBJECTS_H
#define AXVMI_OBJECTS_H

#include "arch_ops.h"
#include "assert.h"
#include "axvm/boot.h"
#include "axvm/config.h"
#include "axvm/device.h"
#include "axvm/error.h"
#include "axvm/exit.h"
#include "axvm/hal.h"
#include "axvm/host.h"
#include "axvm/irq.h"
#include "axvm/memory.h"
#include "axvm/vcpu.h"
#include "axvm/vm.h"
#include "bits.h"
#include "config_check.h"
#include "lock.h"
#include "mem.h"
#include "stage2.h"

#define AXVMI_MAX_LINES 1024u
#define AXVMI_MAX_DEVICES 64u
/* One of each kind and the raw ones. */
#define AXVMI_MAX_IMAGES (AXVM_MAX_RAW_IMAGES + 4u)
#define AXVMI_MAX_RESERVED 64u
#define AXVMI_NO_CPU UINT32_MAX

/* ---- the machine ---- */

struct axvmi_phys_range {
	uint64_t start;
	uint64_t size;
};

/* Channels between VMs; see ivc.c. */
struct axvmi_ivc_registry {
	struct spinlock lock; /* channels, and the slots of all pools */
	struct axvmi_ivc_channel *channels; /* those that are open */
};

struct axvm_host {
	struct axvm_hal hal;
	const struct axvm_arch_ops *ops;
	uint32_t max_cpus;
	atomic_u32 enabled_cpus; /* written under lock */
	/* Guards the VM list, the ledger, the tag allocator, cpus[]. */
	struct spinlock lock;
	struct axvm_vm *vms;
	uint64_t next_serial;
	uint64_t next_tag;
	atomic_u64 tag_generation; /* of the tags given out now */
	uint64_t tag_count; /* 1 << tag bits; 0: no tags */
	uint32_t ledger_used;
	const char *reason;
	struct axvmi_phys_range ledger[AXVMI_MAX_RESERVED];
	struct axvmi_ivc_registry ivc;
	/* Features of the backend's CPUs; meaning is the backend's. */
	uint64_t features;
	struct axvm_cpu *cpus[AXVM_MAX_CPUS];
};

struct axvm_cpu {
	struct axvm_host *host;
	const struct axvm_arch_ops *ops; /* the host's */
	uint32_t index;
	uint32_t running; /* inside axvm_run_vcpu(); this CPU alone */
	uint64_t hw_id;
	struct axvm_vcpu *resident; /* this CPU alone */
	uint64_t tag_generation; /* generation this CPU's TLB was cleaned for */
	uint64_t last_vm; /* without tags: serial of the VM cached here */
};

/* ---- a VM ---- */

/* The atomic input words of axvm_irq_set(); see irq.c. */
struct axvmi_lines {
	atomic_u32 asserted[AXVMI_MAX_LINES]; /* sources that hold the line */
	atomic_u32 host_level[AXVMI_MAX_LINES / 32]; /* axvm_irq_set's own */
	atomic_u32 edge[AXVMI_MAX_LINES / 32]; /* axvm_inject, until taken */
	atomic_u32 changed[AXVMI_MAX_LINES / 32];
	atomic_u32 changed_words; /* bit n: changed[n] is not 0 */
};

/* Host interrupts forwarded to the guest; see forward.c. */
struct axvmi_forward {
	bool any; /* this and lines: fixed from axvm_create() on */
	uint32_t lines[AXVMI_MAX_LINES / 32];
	atomic_u32 posted[AXVMI_MAX_LINES / 32];
};

enum axvmi_space_kind {
	AXVMI_SPACE_HOLE = 0,
	AXVMI_SPACE_RAM, /* region index */
	AXVMI_SPACE_DEVICE, /* device table slot */
	/* The library maps it, or not, and it is no RAM of a region: shared
	 * channels, devices passed through. Copies do not reach it. */
	AXVMI_SPACE_WINDOW,
};

/* Frames that a VM keeps for its tables and demand pages; see reserve.c. Under
 * vm->mem, but `held` may be looked at without. */
struct axvmi_reserve {
	void *clean; /* all zero and synced, but for the link in word 0 */
	void *dirty; /* tables and pages that came back, as they were */
	atomic_u64 held; /* frames on both lists */
	uint64_t lent; /* so many frames come back to it */
};

#define AXVMI_BATCH_FRAMES 64u

/*
 * One batch of stage-2 edits under vm->mem, and the frames of demand pages that
 * it has unmapped: they are nobody's until no CPU uses them.
 */
struct axvmi_mem_batch {
	struct s2_edit edit;
	uint64_t saved;
	void *surplus; /* freed when the lock is */
	uint32_t frame_count;
	uint64_t frames[AXVMI_BATCH_FRAMES];
};

/* One entry of the frozen map of a bus: [start, last], both inclusive. Half a
 * cache line. */
struct axvmi_space {
	uint64_t start;
	uint64_t last;
	struct axvm_device *device; /* DEVICE */
	uint32_t range; /* DEVICE: its range index; RAM: the region index */
	uint16_t widths; /* DEVICE: widths allowed */
	uint16_t kind; /* enum axvmi_space_kind */
};

/* Sorted starts, apart from the entries so that the search stays in few
 * cache lines. */
struct axvmi_bus {
	uint32_t count;
	uint32_t capacity;
	uint64_t *starts;
	struct axvmi_space *entries;
};

#define AXVMI_BUSES 3u

struct axvmi_region {
	struct axvm_region_config config;
	struct axvmi_piece_chunk *chunks; /* ALLOC: as hal.alloc gave them */
	bool edited; /* under mem: no longer mapped as configured */
};

struct axvmi_image {
	enum axvm_image_kind kind;
	struct axvm_image image;
};

struct axvm_vm {
	struct axvm_host *host;
	const struct axvm_arch_ops *ops;
	struct axvm_vm *next; /* host->lock */
	atomic_u32 state; /* enum axvm_vm_state; written under life */
	atomic_u32 destroying; /* written under life: nothing else any more */
	void *user;
	struct spinlock life;
	struct spinlock
		mem; /* stage 2 edits, frames of demand regions, reserve */
	struct spinlock irqchip; /* the controller model */

	uint32_t vcpu_count;
	atomic_u32 vcpus_ready; /* how many of vcpus[] exist: 0 or vcpu_count */
	struct axvm_vcpu *vcpus[AXVM_MAX_VCPUS];

	struct axvm_s2_format format;
	struct s2_pool pool;
	struct s2_table s2;
	struct axvmi_reserve reserve;
	atomic_u32 batch_open; /* see `open`; written under mem */
	struct axvmi_bus bus[AXVMI_BUSES];
	struct axvmi_region *regions; /* region_count of config */

	/* Translations; see tag.c. tlb_seen and last_vcpu have max_cpus. */
	atomic_u64 tlb_generation;
	uint64_t *tlb_seen; /* [cpu], that CPU alone */
	struct axvm_vcpu **last_vcpu; /* [cpu], that CPU alone */
	atomic_u64 tag; /* written under host->lock */
	atomic_u64 tag_generation;
	uint64_t serial; /* never reused on this host, never 0 */
	/* Lock-free walkers of stage 2; see axvmi_read_begin(). */
	atomic_u32 readers[2];
	atomic_u32 reader_epoch;

	struct axvm_debug_console console; /* fixed from axvm_init() on */
	struct axvmi_ivc_pool *ivc; /* as the console; NULL: no pool */
	struct axvmi_lines lines;
	/* Guest counter = host counter + offset; while SUSPENDED stopped_at. */
	atomic_u64 time_offset;
	atomic_u64 stopped_at;

	struct axvm_device *devices[AXVMI_MAX_DEVICES];
	uint32_t device_count;
	struct axvmi_image images[AXVMI_MAX_IMAGES];
	uint32_t image_count;
	/* Set by loading: where the boot vCPU starts, what it is told. */
	uint64_t boot_entry;
	uint64_t boot_argument;
	uint64_t ramdisk_gpa;
	uint64_t ramdisk_size;

	/* The library's copy; its pointers lead into config_copy. */
	struct axvm_vm_config config;
	struct axvmi_config_copy *config_copy;
	/* From axvm_mem_begin() to axvm_mem_commit(), under mem; owes nothing
	 * while batch_open is 0. */
	struct axvmi_mem_batch open;
	/* Under life. All of it but contents and channels exists: LOADING, an
	 * init is under way, or any later state. */
	bool built;
	/* How far a bounded init, reset or destroy got, under life. */
	bool releasing;
	uint32_t step_region;
	uint64_t step_offset;
	struct axvmi_forward forward;
};

/* ---- a vCPU ---- */

/* Why a vCPU must not simply enter the guest: bits of `attention`. */
#define AXVMI_ATTN_KICK 0x01u /* return KICKED */
#define AXVMI_ATTN_LIFE 0x02u /* the VM's state changed */
#define AXVMI_ATTN_TLB 0x04u /* vm->tlb_generation moved */
#define AXVMI_ATTN_TAG 0x08u /* tag rollover */
#define AXVMI_ATTN_LINES 0x10u /* interrupt inputs changed */
#define AXVMI_ATTN_SYNC 0x20u /* the host wrote code */
#define AXVMI_ATTN_TIME 0x40u /* vm->time_offset changed */
/* Never cleared while somebody watches the vCPU; see watch.c. */
#define AXVMI_ATTN_EVERY 0x80u
#define AXVMI_ATTN_ARCH 0x10000u /* and up: the backend's */

struct axvm_vcpu {
	struct axvm_vm *vm;
	uint32_t index;
	atomic_u32 attention;
	/* 0: not in the guest; CPU index + 1. Published before attention is
	 * read, so that whoever sets a bit and then reads 0 here knows the bit
	 * will be seen before the guest runs again. */
	atomic_u32 where;
	atomic_u32 state; /* enum axvm_vcpu_state */
	atomic_u32 resident; /* 0, or CPU index + 1 */
	atomic_u32 starting; /* a CPU_ON for it is on its way */
	uint32_t last_cpu; /* where it last was resident; AXVMI_NO_CPU */
	uint64_t tag_generation; /* of the VM's tag then */
	struct axvm_cpu *cpu; /* while resident */
	atomic_u32 line_levels; /* per-vCPU inputs: level bits */
	atomic_u32 line_edges; /* and edges, until taken */

	/* The exit being built; the caller's record, only during run. */
	struct axvm_exit *exit;
	uint64_t seq;
	/* Reason of the exit that still needs completing, or 0. */
	uint32_t wait;
	uint32_t answered; /* axvm_vcpu_complete was called for it */
	enum axvm_complete_action action;
	uint64_t answer;
	uint32_t cpu_on_target; /* of the CPU_ON that waits */
	uint64_t cpu_on_entry;
	uint64_t cpu_on_argument;

	/* Where this vCPU starts, as another one asked; taken when it runs. */
	atomic_u32 start_pending;
	uint64_t start_entry;
	uint64_t start_argument;

	bool spin_yields; /* axvm_vcpu_set_spin_yield() */

	/* See watch.c; most vCPUs have neither. */
	struct axvm_exit_histogram *histogram;
	uint32_t exit_limit;
	uint32_t entries_left; /* of the run that began with this seq */
	uint64_t entries_seq;
	uint32_t exit_cpu; /* where exit_cycles was read, or AXVMI_NO_CPU */
	uint64_t exit_cycles;

	atomic_u64 deadline; /* of the last HALT */
	atomic_u64 run_ticks; /* of the counter, inside axvm_run_vcpu() */
	atomic_u64 exits[AXVM_STATS];
	atomic_u64 returns[AXVM_EXIT_REASONS];
};

#endif
