/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The calls between the core's files, by the file they are in.
 *
 * Lock order: life -> device-private -> host->ivc.lock -> memory -> irqchip.
 */
#ifndef AXVMI_INTERNAL_H
#define AXVMI_INTERNAL_H

#include "objects.h"

/* ---- host.c ---- */

/* Adds a VM whose config is set to the list; EEXIST names the field that
 * collides. */
int axvmi_host_link(struct axvm_host *host, struct axvm_vm *vm,
		    struct axvm_config_error *error);
void axvmi_host_unlink(struct axvm_host *host, struct axvm_vm *vm);
/*
 * The ledger keeps the range from being RAM of `vm`: the host kernel has named
 * it as its own, another VM has it, or it is behind a window of any.
 */
bool axvmi_host_forbids(const struct axvm_vm *vm, uint64_t start,
			uint64_t size);

/* ---- exits of a vCPU ---- */

/* Counts by the running thread only: no atomic read-modify-write. */
static inline void axvmi_count(struct axvm_vcpu *vcpu, enum axvm_stat stat)
{
	store_relaxed(&vcpu->exits[stat], load_relaxed(&vcpu->exits[stat]) + 1);
}

/* vcpu_run says how long it took, in ticks of the counter. */
static inline void axvmi_ran(struct axvm_vcpu *vcpu, uint64_t ticks)
{
	store_relaxed(&vcpu->run_ticks, load_relaxed(&vcpu->run_ticks) + ticks);
}

/* ---- watch.c ---- */

/* AXVMI_ATTN_EVERY if somebody watches the vCPU, else 0. */
uint32_t axvmi_every_entry(const struct axvm_vcpu *vcpu);
/* Before an entry of a watched vCPU; false: no more in this run. */
bool axvmi_watch_entry(struct axvm_vcpu *vcpu);
/* The time of an exit of a vCPU with a histogram. */
void axvmi_exit_time(struct axvm_vcpu *vcpu);

/* First thing after every exit. */
static inline void axvmi_exit_begin(struct axvm_vcpu *vcpu)
{
	if (vcpu->histogram != NULL)
		axvmi_exit_time(vcpu);
}

/* ---- vcpu.c ---- */

/*
 * The slow half of axvmi_enter(): 0 to enter, else an exit reason, `where` being
 * 0 again.
 */
int axvmi_attend(struct axvm_vcpu *vcpu);

/* The fast half: publishes, and tells that nothing stands in the way. */
static inline bool axvmi_may_enter(struct axvm_vcpu *vcpu)
{
	/* CPU index + 1, and nobody else's to change while it is resident. */
	store_seq(&vcpu->where, load_relaxed(&vcpu->resident));
	return load_seq(&vcpu->attention) == 0;
}

/*
 * Before every entry, host interrupts masked: publishes that the vCPU is in the
 * guest, then looks whether anything stands in the way. Returns 0 or the exit
 * reason with which run must return.
 */
static inline int axvmi_enter(struct axvm_vcpu *vcpu)
{
	return axvmi_may_enter(vcpu) ? 0 : axvmi_attend(vcpu);
}

/*
 * After every exit, once nothing translates through the guest's tables any
 * more: a backend that must fetch the instruction does so before.
 */
static inline void axvmi_leave(struct axvm_vcpu *vcpu)
{
	store_release(&vcpu->where, 0);
}

/* A host interrupt ended the guest's stay; the vCPU has left. Counts it, and
 * returns the reason to leave with: IRQ, or what a kick was for. */
int axvmi_interrupted(struct axvm_vcpu *vcpu);

/*
 * Sets attention bits of a vCPU from anywhere and makes sure they are seen soon:
 * kicks it out of the guest, wakes it when blocked. Interrupt-safe.
 */
void axvmi_notify(struct axvm_vcpu *vcpu, uint32_t bits);

/* As axvmi_notify() for what a blocked vCPU need not be woken for. */
void axvmi_mark(struct axvm_vcpu *vcpu, uint32_t bits);

/*
 * As axvmi_mark() for every vCPU in `mask` except `self` (may be NULL), then
 * waits until each has been out of the guest since. The caller's own vCPU must
 * have left (axvmi_leave). Bounded: host interrupts are pending there.
 */
void axvmi_notify_and_wait(struct axvm_vm *vm, uint64_t mask, uint32_t bits,
			   struct axvm_vcpu *self);

/*
 * A guest asks to start vCPU `index`: reserves it. 0, ENOENT no such vCPU,
 * EEXIST it is on, EBUSY a start is on its way. On 0 the caller fills
 * exit->u.cpu_on and leaves with AXVM_EXIT_CPU_ON; the core starts it.
 */
int axvmi_claim_start(struct axvm_vm *vm, uint32_t index);

/* The running vCPU switches itself off; run returns HALT without deadline. */
void axvmi_vcpu_off(struct axvm_vcpu *vcpu);

/*
 * Fills a HALT exit and blocks, unless an interrupt is pending after all.
 * Returns AXVM_EXIT_HALT, or 0: go on in the guest.
 */
int axvmi_halt(struct axvm_vcpu *vcpu, uint64_t deadline);

/* hal.wake, if there is one. */
void axvmi_wake(struct axvm_vcpu *vcpu);

/* ---- complete.c ---- */

/* The exit that waited has ended. */
static inline void axvmi_completed(struct axvm_vcpu *vcpu)
{
	vcpu->wait = 0;
	vcpu->answered = 0;
}

/* Ends the exit that waits; not if none does (vcpu->wait is 0). */
void axvmi_complete(struct axvm_vcpu *vcpu);

/* The exits that wait for an answer. */
static inline bool axvmi_takes_completion(uint32_t reason)
{
	const uint32_t mask = 1u << AXVM_EXIT_MMIO | 1u << AXVM_EXIT_PORT |
			      1u << AXVM_EXIT_SYSREG |
			      1u << AXVM_EXIT_HYPERCALL |
			      1u << AXVM_EXIT_CPU_ON | 1u << AXVM_EXIT_FAULT;

	return (mask >> reason & 1) != 0;
}

/* What happens unless the host says something else; table in exit.h. */
static inline void axvmi_await(struct axvm_vcpu *vcpu, uint32_t reason,
			       enum axvm_complete_action action)
{
	vcpu->wait = reason;
	vcpu->answered = 0;
	vcpu->action = action;
	vcpu->answer = UINT64_MAX;
}

void axvmi_remember_other(struct axvm_vcpu *vcpu, const struct axvm_exit *exit);

/* Keeps of an exit what its completion needs: the record is the host's. */
static inline void axvmi_remember(struct axvm_vcpu *vcpu,
				  const struct axvm_exit *exit)
{
	if (exit->reason == AXVM_EXIT_MMIO)
		axvmi_await(vcpu, AXVM_EXIT_MMIO, AXVM_COMPLETE_DONE);
	else if (axvmi_takes_completion(exit->reason))
		axvmi_remember_other(vcpu, exit);
}

/* ---- vcpu.c, vcpu_table.c ---- */

/* Puts a resident vCPU of this CPU, interrupts masked. */
void axvmi_vcpu_put(struct axvm_vcpu *vcpu);
/* Makes and frees the vCPUs of a VM; all or nothing. */
int axvmi_vcpus_init(struct axvm_vm *vm);
void axvmi_vcpus_fini(struct axvm_vm *vm);
/* Power-on: all off, no input pending, nothing to complete. */
void axvmi_vcpus_reset(struct axvm_vm *vm);
/* vCPU 0 becomes ready at the VM's boot entry. */
void axvmi_vcpus_boot(struct axvm_vm *vm);

/*
 * Around software accesses through the guest's own translations (HLV, AT) after
 * the vCPU has left: they count as "in the guest" for shoot-downs.
 */
void axvmi_guest_access_begin(struct axvm_vcpu *vcpu);
void axvmi_guest_access_end(struct axvm_vcpu *vcpu);

/* ---- vm.c ---- */

/* Along the transition table, or ESTATE. */
int axvmi_change_state(struct axvm_vm *vm, enum axvm_vm_state next);
/* Calls every vCPU but `self` to look at the state, also those that are off:
 * their host threads may wait for a wake. */
void axvmi_call_everybody(struct axvm_vm *vm, const struct axvm_vcpu *self);
/* May the host still add devices, images and the like? Under life. */
static inline bool axvmi_may_add(const struct axvm_vm *vm)
{
	return load_seq(&vm->state) == AXVM_VM_LOADING && !vm->built &&
	       load_relaxed(&vm->destroying) == 0;
}

/* STOPPING becomes STOPPED once no vCPU runs or is resident. */
void axvmi_try_stopped(struct axvm_vm *vm);

/* The guest powered off or asked for a reset; fills exit->u.system. Returns the
 * exit reason to leave with. */
int axvmi_system_event(struct axvm_vcpu *vcpu, enum axvm_exit_reason reason,
		       uint64_t type, uint64_t code);

/* ---- suspend.c ---- */

/* What the guest's counter shows now. */
uint64_t axvmi_guest_counter(struct axvm_vm *vm);

/* ---- tag.c ---- */

/* After the first CPU is enabled. */
void axvmi_tags_init(struct axvm_host *host);

/* Makes the CPU's translations right for `vcpu`, which is being loaded. */
void axvmi_tlb_load(struct axvm_vcpu *vcpu);
/* AXVMI_ATTN_TLB and _TAG of a resident vCPU. */
void axvmi_tlb_attend(struct axvm_vcpu *vcpu, uint32_t bits);
/* A live translation was removed or narrowed: returns when no CPU uses it. */
void axvmi_tlb_shootdown(struct axvm_vm *vm, uint64_t gpa, uint64_t size);
/* Read sections of software walks; the token goes to axvmi_read_end(). */
uint32_t axvmi_read_begin(struct axvm_vm *vm);
void axvmi_read_end(struct axvm_vm *vm, uint32_t token);
/* Waits until every read section that had begun has ended. */
void axvmi_read_grace(struct axvm_vm *vm);

/* ---- irq.c ---- */

/* Level of a line as all its sources say. */
static inline bool axvmi_line_level(struct axvm_vm *vm, uint32_t line)
{
	/* Below 0 while calls race for a source. */
	return (int32_t)load_seq(&vm->lines.asserted[line]) > 0;
}

/*
 * For the controller model, irqchip lock held: calls `update` for every line
 * whose input changed since the last call, with its level and whether an edge
 * came.
 */
void axvmi_lines_take(struct axvm_vm *vm,
		      void (*update)(struct axvm_vm *vm, uint32_t line,
				     bool level, bool edge));
/* Forgets edges; levels stay (the sources are outside the guest): the next take
 * reports all that are high, and every vCPU's next entry takes. */
void axvmi_lines_reset(struct axvm_vm *vm);
/* Is `line` an input of the interrupt controller? */
bool axvmi_line_exists(const struct axvm_vm *vm, uint32_t line);

/* ---- forward.c ---- */

/* At axvm_create(), before the VM is linked: which lines are forwarded. */
int axvmi_forward_init(struct axvm_vm *vm, struct axvm_config_error *error);

/* Is `line`, below AXVMI_MAX_LINES, the line of a host interrupt? */
static inline bool axvmi_forwards(const struct axvm_vm *vm, uint32_t line)
{
	return (vm->forward.lines[line / 32] >> line % 32 & 1) != 0;
}

/*
 * The guest has ended an interrupt of `line` (PLIC completion, EOI), one that
 * its controller had given it; any line. Tells the host. No lock held; a model
 * whose VM has forward.any calls it on the vCPU's thread.
 */
void axvmi_line_ended(struct axvm_vm *vm, uint32_t line);

/* What was posted is forgotten: the host may send it again. After the
 * controller and the edges were reset. */
void axvmi_forward_reset(struct axvm_vm *vm);

/* ---- device.c ---- */

/*
 * As axvm_add_device() with the life lock held, for devices of the library; and
 * its exact undoing, for one that was added and before the table is frozen. No
 * hook is called.
 */
int axvmi_device_add(struct axvm_vm *vm, struct axvm_device *device);
void axvmi_device_remove(struct axvm_vm *vm, struct axvm_device *device);

/* Adds a range to a bus that is not frozen yet; EEXIST on overlap. */
int axvmi_bus_add(struct axvm_vm *vm, enum axvm_bus bus,
		  const struct axvmi_space *space);
/* Takes out the entry that begins at `start`; undoes axvmi_bus_add(). */
void axvmi_bus_remove(struct axvm_vm *vm, enum axvm_bus bus, uint64_t start);
void axvmi_bus_fini(struct axvm_vm *vm);
/* The entry that holds addr, or NULL: branch-free search. */
const struct axvmi_space *axvmi_bus_find(const struct axvmi_bus *bus,
					 uint64_t addr);

/*
 * Of the widths of a device entry those with which an access that is aligned
 * and begins inside needs no other check: the device's access() may do it. None if
 * the device is serial.
 */
uint32_t axvmi_device_plain_widths(const struct axvmi_space *space);

/* Where axvmi_bus_find() finds nothing: the addresses around, of kind HOLE. */
struct axvmi_space axvmi_bus_hole(const struct axvmi_bus *bus, uint64_t addr);

enum axvmi_dispatch {
	AXVMI_DISPATCH_DONE = 0,
	AXVMI_DISPATCH_FAULT, /* the device or the rules refuse it */
	AXVMI_DISPATCH_EXIT, /* the host shall complete it */
};

/*
 * Performs one access of 1, 2, 4 or 8 bytes on a device entry. *value in and
 * out; only the low `size` bytes of a read are meant.
 */
enum axvmi_dispatch axvmi_device_access(struct axvm_vcpu *vcpu,
					const struct axvmi_space *space,
					uint64_t addr, uint32_t size,
					bool write, uint64_t *value);

/* ---- ram.c ---- */

/* Takes memory of all regions and maps what is not DEMAND; all or nothing. It is
 * to be zeroed by axvmi_memory_reset(). */
int axvmi_memory_init(struct axvm_vm *vm);
/* Gives everything back, at once. */
void axvmi_memory_fini(struct axvm_vm *vm);
/* The same in bounded steps; 0 or EAGAIN. No vCPU is resident. */
int axvmi_memory_release(struct axvm_vm *vm);
/* Zeroes RAM and drops demand pages in bounded steps; 0 or EAGAIN. */
int axvmi_memory_reset(struct axvm_vm *vm);
/* The guest's view of what was written at `virt` needs care; see arch_ops. */
void axvmi_sync(struct axvm_vm *vm, void *virt, uint64_t size);
/* Its two halves: the bytes, and the instruction caches of all CPUs. */
void axvmi_sync_data(struct axvm_vm *vm, void *virt, uint64_t size);
void axvmi_sync_code(struct axvm_vm *vm);

/* ---- passthrough.c ---- */

/* At axvm_create(): the windows take their places in the guest-physical space.
 * axvmi_bus_fini() undoes it. */
int axvmi_passthrough_claim(struct axvm_vm *vm,
			    struct axvm_config_error *error);
/* At axvm_init(): maps them; axvmi_memory_fini() undoes it. */
int axvmi_passthrough_map(struct axvm_vm *vm);

/* ---- memory.c, mem_batch.c, mem_fault.c, mem_copy.c ---- */

/*
 * Begins a batch of one caller. What the open batch took away is flushed, since
 * it may be mapped again now.
 */
void axvmi_batch_begin(struct axvm_vm *vm, struct axvmi_mem_batch *batch);
/* As that, but leaves the flush to the caller. */
void axvmi_batch_lock(struct axvm_vm *vm, struct axvmi_mem_batch *batch);
/* Flushes and waits as the edits demand, gives back detached tables and frames,
 * unlocks. */
void axvmi_batch_end(struct axvm_vm *vm, struct axvmi_mem_batch *batch);

/* Ends the lock of a batch whose edits went to vm->open. */
void axvmi_open_part_end(struct axvm_vm *vm, struct axvmi_mem_batch *part);
/* Ends the open batch; false: there is none. */
bool axvmi_open_end(struct axvm_vm *vm);
void axvmi_open_flush_slow(struct axvm_vm *vm, uint64_t gpa, uint64_t size);

/* Before something is mapped, vm->mem held: no CPU uses what the open batch took
 * away in this range. */
static inline void axvmi_open_flush(struct axvm_vm *vm, uint64_t gpa,
				    uint64_t size)
{
	if (load_relaxed(&vm->batch_open) != 0 && vm->open.edit.need_flush)
		axvmi_open_flush_slow(vm, gpa, size);
}

/* May the host edit the mapping? vm->mem held. */
bool axvmi_may_edit(const struct axvm_vm *vm);

enum axvmi_fault_result {
	AXVMI_FAULT_RETRY = 0, /* mapped now: enter again */
	AXVMI_FAULT_SPURIOUS, /* the tables allow it already: enter again */
	AXVMI_FAULT_DENIED, /* exit filled: FAULT */
};

/*
 * A stage-2 fault of a guest access (AXVM_READ, WRITE or EXEC) at gpa, for
 * which the guest-physical map has the entry `space`, RAM or WINDOW. Fills
 * demand pages. The vCPU has left.
 */
enum axvmi_fault_result axvmi_ram_fault(struct axvm_vcpu *vcpu, uint64_t gpa,
					uint32_t access,
					const struct axvmi_space *space);

/* Gives the page of a demand region a zeroed frame, or finds it mapped: 0 or
 * ENOMEM and other errors of a map. */
int axvmi_demand_fill(struct axvm_vm *vm, const struct axvm_region_config *r,
		      uint64_t page);

/* The library's own writes: any rights, LOADING included. */
int axvmi_write_image(struct axvm_vm *vm, uint64_t gpa, const void *data,
		      size_t size);

/*
 * Unmaps the next few pages of [*gpa, last] in a demand region and leaves their
 * frames to the batch. Moves *gpa. 0 when the range is through, else EAGAIN: the
 * batch is full.
 */
int axvmi_demand_unmap(struct axvm_vm *vm, struct axvmi_mem_batch *batch,
		       uint64_t *gpa, uint64_t last);

/* The region that holds gpa, or NULL. */
struct axvmi_region *axvmi_region_find(struct axvm_vm *vm, uint64_t gpa);

/* ---- reserve.c ---- */

/* Where stage 2 takes its tables: the reserve first. Its calls want vm->mem, or
 * a VM that nobody else uses yet or any more. */
void axvmi_pool_init(struct axvm_vm *vm);
/* Undoes axvmi_reserve_take(), the frame being as it was; vm->mem held. */
void axvmi_reserve_untake(struct axvm_vm *vm, void *frame);
/* A frame that no CPU uses any more goes back to the reserve. False: it lacks
 * none, the caller frees the frame. vm->mem held; wash afterwards. */
bool axvmi_reserve_return(struct axvm_vm *vm, void *frame);
/* Zeroes and syncs what came back; vm->mem not held. */
void axvmi_reserve_wash(struct axvm_vm *vm);
/* Empties it, in bounded steps; 0 or EAGAIN. Nothing comes back to it. */
int axvmi_reserve_release(struct axvm_vm *vm);

/* ---- boot.c ---- */

/* Loads images and tables into zeroed memory; sets boot_entry/argument. */
int axvmi_boot_load(struct axvm_vm *vm);

/* ---- config.c ---- */

struct axvmi_config_copy;
int axvmi_config_copy(struct axvm_vm *vm, const struct axvm_vm_config *config);
void axvmi_config_free(struct axvm_vm *vm);

/* ---- hypercall.c ---- */

enum axvmi_hypercall_answer {
	AXVMI_HYPERCALL_HOST = 0, /* not the library's: a HYPERCALL exit */
	AXVMI_HYPERCALL_DONE, /* *result is the register's new value */
	AXVMI_HYPERCALL_AGAIN, /* enter so that the call is executed again */
};

/*
 * Answers a hypercall of the library (axvm/ivc.h). Long ones are done in steps,
 * the instruction being executed again for each of them, so that a host
 * interrupt can come between. The vCPU has left; no lock is held.
 */
enum axvmi_hypercall_answer axvmi_hypercall(struct axvm_vcpu *vcpu,
					    uint64_t number,
					    const uint64_t args[6],
					    uint64_t *result);

/* ---- ivc_pool.c ---- */

/* At create: the interrupt lines that a pool's configuration names. */
bool axvmi_ivc_lines_exist(const struct axvm_arch_ops *ops,
			   const struct axvm_emu_device_config *pool);
/* At init: the windows of the pool, if there is one. Undone by fini, when no
 * channel is connected any more. */
int axvmi_ivc_init(struct axvm_vm *vm);
void axvmi_ivc_fini(struct axvm_vm *vm);
/* At init and reset: connects the configuration's channels, all or none. */
int axvmi_ivc_start(struct axvm_vm *vm);
/* Takes the VM out of all channels, in bounded steps; 0 or EAGAIN. No vCPU
 * runs. */
int axvmi_ivc_stop(struct axvm_vm *vm);

/* ---- hal.c: thin and typed ---- */

void *axvmi_alloc(struct axvm_host *host, size_t size, size_t align);
void *axvmi_alloc_zeroed(struct axvm_host *host, size_t size, size_t align);
void axvmi_free(struct axvm_host *host, void *ptr, size_t size);
static inline uint64_t axvmi_virt_to_phys(struct axvm_host *host,
					  const void *ptr)
{
	if (host->hal.linear)
		return (uint64_t)(uintptr_t)ptr - host->hal.virt_offset;
	return host->hal.virt_to_phys(host->hal.ctx, ptr).value;
}
static inline void *axvmi_phys_to_virt(struct axvm_host *host, uint64_t hpa)
{
	if (host->hal.linear)
		return (void *)(uintptr_t)(hpa + host->hal.virt_offset);
	return host->hal.phys_to_virt(host->hal.ctx, axvm_to_hpa(hpa));
}
void axvmi_log(struct axvm_host *host, enum axvm_log_level level,
	       const char *msg);

/*
 * Locks that run takes are held with host interrupts masked everywhere: a host
 * that preempts a holder to run a vCPU would wait for it for ever.
 */
static inline uint64_t axvmi_lock(struct axvm_host *host, struct spinlock *lock)
{
	uint64_t saved = host->ops->interrupts_save();

	spin_lock(lock);
	return saved;
}

static inline void axvmi_unlock(struct axvm_host *host, struct spinlock *lock,
				uint64_t saved)
{
	spin_unlock(lock);
	host->ops->interrupts_restore(saved);
}

/* ---- time.c ---- */

/* Converts a span of counter ticks to nanoseconds; saturates. hz not 0. */
uint64_t axvmi_ticks_to_ns(uint64_t ticks, uint64_t hz);
/* hal.now time at which the counter will have advanced by `ticks`. */
uint64_t axvmi_deadline_in(struct axvm_host *host, uint64_t ticks);

#endif
