/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The reference that the API fuzzer holds the library against: VMs, vCPUs, CPUs,
 * lines and pages as the public headers describe them. api_model.c moves it,
 * api_guest.c is its guest, api_check.c compares it with the library, the files
 * api_*_calls.c make one call each. One thread.
 */
#ifndef FUZZ_API_MODEL_H
#define FUZZ_API_MODEL_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "axvm/axvm.h"
#include "stub_arch.h"

#define CPUS 3u
#define VMS 3u
#define VCPUS 3u
#define REGIONS 8u
#define DEVICES 4u
#define BLOCKS 3u
#define BLOCK_PAGES 16u
#define PROGRAM 8u
/* A completed exit moves the pc, wherever the host has put it before. */
#define PROGRAM_ROOM (2u * PROGRAM)
#define PAGE UINT64_C(4096)
#define CHANNELS 8u
#define IVC_POOL UINT64_C(0x30000000)
#define IVC_POOL_SIZE UINT64_C(0x8000)
#define NOBODY UINT32_MAX
#define LINES_MASK (~UINT64_C(1))

/* Set of error codes that a call may return. */
#define E(error) (UINT32_C(1) << -(error))

struct model_page {
	bool mapped;
	bool foreign; /* by axvm_map(): may be seen at two places */
	uint32_t access;
	uint64_t hpa;
	uint64_t first; /* as axvm_init() gave it; not of demand pages */
};

struct model_region {
	struct axvm_region_config config;
	struct model_page *pages;
};

struct model_vcpu {
	enum axvm_vcpu_state state;
	uint32_t cpu; /* resident on, or NOBODY */
	bool kicked;
	/* The exit that waits for its completion: a reason, or 0. */
	uint32_t wait, fault_kind, on_target;
	uint64_t on_entry;
	uint64_t seq; /* of the last exit */
	uint32_t limit; /* of exits in a run; 0: none */
	bool answered;
	enum axvm_complete_action action;
	uint64_t answer;
	bool starting, start_pending;
	uint64_t entry;
	uint32_t levels, edges, taken; /* private lines */
	uint64_t pc, csr, regs[STUB_REGS];
	struct stub_op program[PROGRAM_ROOM];
};

struct model_vm;

/* A channel of the host; a name may have had others before. */
struct model_channel {
	bool open;
	uint64_t publisher, key, size;
	uint32_t serial, access;
};

/* A VM's end of a channel, be it open or not. */
struct model_link {
	bool used;
	uint64_t publisher, key, gpa;
	uint32_t serial;
};

/* A device of the host: what is read is what was written last. */
struct model_device {
	struct axvm_device device;
	struct model_vm *owner; /* NULL: free */
	uint64_t last; /* the device's */
	uint64_t expected; /* the model's */
	unsigned destroyed;
};

struct model_vm {
	struct axvm_vm *vm; /* NULL: the slot is free */
	enum axvm_vm_state state;
	bool destroying, resetting; /* EAGAIN, ENOMEM: only that goes on */
	bool big, tables;
	uint64_t id;
	uint32_t vcpu_count, region_count;
	uint32_t images[AXVM_IMAGE_RAW + 1];
	struct model_region regions[REGIONS];
	struct model_vcpu vcpus[VCPUS];
	struct model_device devices[DEVICES];
	bool pic, pool;
	/* A batch of edits is open; CPUs may still use what they took away. */
	bool batch, batch_dirty;
	struct model_link links[CHANNELS];
	uint64_t host_levels, edges; /* of the lines */
	struct axvm_irq_source sources[2];
	bool source_levels[2];
};

struct model_cpu {
	bool enabled;
	bool running;
	struct model_vm *vm; /* of the resident vCPU, or NULL */
	uint32_t vcpu;
};

struct model_range {
	uint64_t start, size;
};

struct fuzz {
	const uint8_t *data, *next; /* record of the call; what follows */
	size_t left;
	uint32_t at;
	uint64_t stir;
	struct stub_machine *m;
	struct stub_config config;
	struct test_hal *t;
	struct axvm_host *host;
	struct axvm_hpa blocks[BLOCKS];
	struct model_range reserved[64];
	uint32_t reserved_count;
	struct model_cpu cpus[CPUS];
	struct model_vm vms[VMS];
	struct model_channel channels[CHANNELS];
	uint32_t channel_serial;
	uint32_t cpu; /* the one that calls */
	unsigned depth; /* 1: while a guest is inside */
	uint32_t starve; /* allocation of the next call that fails, or 0 */
	bool starve_on, starved;
	bool hook_fired;
	uint64_t wakes[VCPUS];
	const char *call;
};

/* ---- api.c ---- */

uint8_t take8(struct fuzz *f);
uint32_t take16(struct fuzz *f);
_Noreturn void broken(struct fuzz *f, const char *what);
#define require(f, condition)                    \
	do {                                     \
		if (!(condition))                \
			broken((f), #condition); \
	} while (0)

void trace(const char *what);

/* The next call of the input, by another CPU while a guest is inside. */
void call_one(struct fuzz *f);

struct ledger {
	size_t live;
	uint64_t bytes;
};

/* Around every call that may fail: see judge(). */
struct ledger begin(struct fuzz *f, const char *call);
/*
 * The call returned `err`; it must have been one of `errors`, or 0 if there are
 * none. ENOMEM is right when an allocation was made to fail. A call that failed
 * leaves the ledger as it was. True: it succeeded.
 */
bool judge(struct fuzz *f, int err, uint32_t errors, const struct ledger *l);

#define CALL(f, errors, call) call_(f, #call, errors, call)
#define call_(f, text, errors, call)                        \
	__extension__({                                     \
		uint32_t errors_ = (errors);                \
		struct ledger ledger_ = begin((f), (text)); \
		judge((f), (call), errors_, &ledger_);      \
	})

/* ---- picking from the input ---- */

/* A VM of which any call may be made, or a free slot. */
struct model_vm *pick_vm(struct fuzz *f);
/* vCPU index, sometimes one that does not exist. */
uint32_t pick_vcpu(struct fuzz *f, const struct model_vm *v);
uint32_t pick_cpu(struct fuzz *f);
/* Somewhere in the guest's space; multiple of 8. */
uint64_t pick_gpa(struct fuzz *f, const struct model_vm *v);

/* ---- api_model.c ---- */

struct model_vcpu *model_vcpu(struct model_vm *v, uint32_t index);
/* vCPUs that exist now. */
uint32_t model_vcpus(const struct model_vm *v);
struct model_region *model_region(struct model_vm *v, uint64_t gpa);
struct model_page *model_page(struct model_vm *v, uint64_t gpa);
/* Errors of any call that needs a VM with vCPU `index`. */
uint32_t errors_of_vcpu(const struct model_vm *v, uint32_t index);

void model_create(struct model_vm *v, struct axvm_vm *vm,
		  const struct axvm_vm_config *config, bool big);
void model_loaded(struct fuzz *f, struct model_vm *v);
void model_boot(struct model_vm *v);
void model_stopping(struct fuzz *f, struct model_vm *v, uint32_t self);
void model_try_stopped(struct model_vm *v);
void model_reset(struct fuzz *f, struct model_vm *v);
void model_destroyed(struct fuzz *f, struct model_vm *v);
void model_put(struct fuzz *f, uint32_t cpu);
void model_load(struct fuzz *f, uint32_t cpu, struct model_vm *v,
		uint32_t vcpu);
/* Something for a vCPU to see: wakes it when blocked. */
void model_notify(struct fuzz *f, struct model_vm *v, uint32_t vcpu);
void model_start(struct model_vcpu *vcpu, uint64_t entry, uint64_t argument);
/* Level of a line as all its sources say; setting one by `set`. */
uint64_t model_levels(const struct model_vm *v);
void model_line_changed(struct fuzz *f, struct model_vm *v, uint64_t before);
uint64_t model_pending(struct model_vm *v, uint32_t vcpu);
/* A page of a demand region has been filled: takes its frame over. */
void model_filled(struct fuzz *f, struct model_vm *v, uint64_t gpa);
/* Does a device of the host claim this byte? NULL: no. */
struct model_device *model_device_at(struct model_vm *v, uint64_t gpa);

/* ---- api_program.c ---- */

/* Makes up a program for a vCPU. */
void guest_program(struct fuzz *f, struct model_vm *v, uint32_t vcpu);

/* ---- api_guest.c ---- */

/* What run does before the guest is entered. */
void guest_enter(struct fuzz *f, uint32_t cpu, struct model_vm *v,
		 uint32_t vcpu);
/* The words that the program may touch, before it runs. */
void guest_snapshot(struct fuzz *f, struct model_vm *v, uint32_t vcpu);
/* What the guest did until run returned `exit`; checks every field. */
void guest_left(struct fuzz *f, struct model_vm *v, uint32_t vcpu,
		const struct axvm_exit *exit);
/* The backend refused: a negative error. */
void guest_failed(struct fuzz *f, struct model_vm *v, uint32_t vcpu, int err);

/* ---- api_check.c ---- */

/* Everything the library shows is what the model says. */
void check_all(struct fuzz *f);
void check_page(struct fuzz *f, struct model_vm *v, uint64_t gpa);

/* ---- api_host_calls.c ---- */

bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size);
/* Host-supplied, and where. */
bool is_foreign(const struct axvm_region_config *r);
uint64_t region_hpa(const struct axvm_region_config *r);
/* By axvm_host_reserve(); by that or by a VM. */
bool is_reserved(const struct fuzz *f, uint64_t start, uint64_t size);
bool is_claimed(const struct fuzz *f, uint64_t start, uint64_t size);
/* What axvm_map() may not give to `v`. */
bool is_forbidden(const struct fuzz *f, const struct model_vm *v,
		  uint64_t start, uint64_t size);

/* ---- api_device_calls.c ---- */

/* Of the guest-physical space of this machine's VMs. */
unsigned gpa_bits(const struct fuzz *f);
/* A device of the host lies where RAM or the controller is to be. */
bool devices_collide(const struct model_vm *v);
void call_add_image(struct fuzz *f);
void call_add_device(struct fuzz *f);
void call_console(struct fuzz *f);

/* ---- api_memory_calls.c ---- */

/*
 * A vCPU of `v` is inside, by whose CPU we are called: it could not leave while
 * we wait. Broadcast flushes need not wait, but for `leave`.
 */
bool waits_for_us(const struct fuzz *f, const struct model_vm *v, bool leave);

/* ---- api_ivc_calls.c ---- */

void call_ivc(struct fuzz *f);
void ivc_close_all(struct fuzz *f);

/* ---- the calls ---- */

struct api_call {
	const char *name;
	void (*make)(struct fuzz *f);
	/* May be made by another CPU while a guest is inside. Not what waits
	 * for that CPU to leave. */
	bool inside;
};

extern const struct api_call life_calls[], vcpu_calls[], irq_calls[],
	memory_calls[], host_calls[], service_calls[];
extern const size_t life_call_count, vcpu_call_count, irq_call_count,
	memory_call_count, host_call_count, service_call_count;

#endif
