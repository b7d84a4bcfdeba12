/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The backend's side: one static const table of operations, checked once at
 * axvm_host_create(). The core decides, these translate. All run with host
 * interrupts masked unless "thread" is said; none blocks. A NULL slot marked
 * optional says the capability is absent.
 */
#ifndef AXVMI_ARCH_OPS_H
#define AXVMI_ARCH_OPS_H

#include "axvm/exit.h"
#include "axvm/types.h"
#include "axvm/vcpu.h"

struct axvm_vcpu;
struct axvm_s2_format;

/* A register that axvm_dump_vcpu() shows. */
struct axvm_register {
	const char *name; /* shorter than 12 characters */
	uint32_t number; /* for get_reg */
};

struct axvm_arch_ops {
	const char *name;

	/* Sizes of the backend's structs, whose first member is the core's. */
	size_t cpu_size;
	size_t vm_size;
	size_t vcpu_size;
	/* Lines of axvm_irq_set(): [line_first, line_first + line_count), at
	 * most AXVMI_MAX_LINES in all. Per-vCPU lines: a bit mask. */
	uint32_t line_first;
	uint32_t line_count;
	uint64_t vcpu_lines;
	/* Buses besides MMIO: BIT64() of enum axvm_bus. */
	uint64_t buses;

	/* Masks host interrupts on this CPU; returns what restore needs, the
	 * masking as it was and nothing besides: equal values mean the same. */
	uint64_t (*interrupts_save)(void);
	void (*interrupts_restore)(uint64_t saved);

	/* This CPU. Enable probes; ENOTSUP leaves a reason in host->reason. */
	int (*cpu_enable)(struct axvm_cpu *cpu);
	void (*cpu_disable)(struct axvm_cpu *cpu);
	/* Bits of the stage-2 tag (VMID); 0: no tags. After cpu_enable. */
	unsigned (*tag_bits)(const struct axvm_host *host);

	/* The counter guests read, before any offset. */
	uint64_t (*counter)(void);

	/* A fast clock of this CPU, for durations: its cycles if it can count
	 * them. */
	uint64_t (*cycles)(const struct axvm_host *host);

	/* vcpu->spin_yields is another: the vCPU, which does not run, traps or
	 * does not trap where it spins. NULL: it never does. */
	void (*spin_yield)(struct axvm_vcpu *vcpu);

	/* vm->time_offset is another: the resident vCPU's counter and timers
	 * follow it. Loading a vCPU does so anyway. */
	void (*clock_moved)(struct axvm_vcpu *vcpu);

	/*
	 * Thread. Fills in the stage-2 format for a guest-physical space of
	 * `bits` bits; ERANGE if no format of this CPU is wide enough.
	 */
	int (*s2_format)(const struct axvm_host *host, unsigned bits,
			 struct axvm_s2_format *format);

	/*
	 * Thread. vm_init runs at axvm_init(), after the vCPUs exist and before
	 * the device table is frozen: it makes the interrupt controller and adds
	 * its device. vm_reset: models back to power-on state.
	 */
	int (*vm_init)(struct axvm_vm *vm);
	void (*vm_reset)(struct axvm_vm *vm);
	void (*vm_fini)(struct axvm_vm *vm);

	/* Thread. Allocate and free what a vCPU needs besides its struct. */
	int (*vcpu_init)(struct axvm_vcpu *vcpu);
	void (*vcpu_fini)(struct axvm_vcpu *vcpu);
	/* State of a vCPU that starts at `entry` with `argument`. Any context,
	 * the vCPU neither runs nor is resident. */
	void (*vcpu_reset)(struct axvm_vcpu *vcpu, uint64_t entry,
			   uint64_t argument);

	/* Hardware state onto this CPU and off it. */
	void (*vcpu_load)(struct axvm_vcpu *vcpu);
	void (*vcpu_put)(struct axvm_vcpu *vcpu);

	/*
	 * Runs the resident vCPU. First ends the exit that waits, if one does: by
	 * axvmi_complete(), or itself and axvmi_completed(). Calls axvmi_enter()
	 * before each entry into the guest and axvmi_leave() after each exit,
	 * returns an exit reason (and fills vcpu->exit) or a negative error.
	 * vcpu->attention has been looked at only by axvmi_enter(). exit->pc,
	 * valid and reserved are 0 before; what the reason does not name need
	 * not be written. Ends with axvmi_ran().
	 */
	int (*vcpu_run)(struct axvm_vcpu *vcpu);

	/*
	 * Ends the exit that vcpu->wait names. `value` is the result; for CPU_ON
	 * 0 or a negative AXVM_E* of the start. RETRY: the instruction that left
	 * is executed again; not for CPU_ON.
	 */
	void (*vcpu_complete)(struct axvm_vcpu *vcpu,
			      enum axvm_complete_action action, uint64_t value);

	/* ENOENT: no such register. EBUSY: it is on a CPU (vcpu resident). */
	int (*get_reg)(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t *value);
	int (*set_reg)(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t value);
	const struct axvm_register *registers; /* what a dump shows */
	size_t register_count;

	/*
	 * Interrupts. line_targets: vCPUs (bit mask) that may have to evaluate
	 * the controller when `line` changes; a lock-free hint, read after the
	 * input word was written. irq_sync: takes inputs in and updates what
	 * this vCPU sees; runs at entry when AXVMI_ATTN_LINES is set.
	 * irq_pending: would the guest take an interrupt, or leave a wait, now?
	 */
	uint64_t (*line_targets)(struct axvm_vm *vm, uint32_t line);
	void (*irq_sync)(struct axvm_vcpu *vcpu);
	bool (*irq_pending)(struct axvm_vcpu *vcpu);
	/* Bits of attention from AXVMI_ATTN_ARCH up. Optional. */
	void (*attend)(struct axvm_vcpu *vcpu, uint32_t bits);

	/*
	 * Translations on this CPU: of the VM's tag; of every tag; the guest
	 * stage of the VM's tag with everything that depends on which CPU the
	 * guest last ran on (instruction cache); writes the (new) tag.
	 */
	void (*tlb_flush_local)(struct axvm_vm *vm);
	void (*tlb_flush_all)(void);
	void (*guest_stage_flush)(struct axvm_vm *vm);
	void (*retag)(struct axvm_vcpu *vcpu);
	/* Optional broadcast: all CPUs, one range; NULL: CPUs are kicked. */
	void (*tlb_flush_range)(struct axvm_vm *vm, uint64_t gpa,
				uint64_t size);

	/*
	 * Memory the host wrote is about to be seen by the guest. Optional: NULL
	 * where caches are coherent.
	 */
	void (*sync_guest_memory)(void *start, uint64_t size);
	/*
	 * After that, if there may be code in it or where it was: all CPUs
	 * forget the instructions they hold, at once; or, if sync_each_cpu, each
	 * in a guest_stage_flush. Optional: NULL where it is the latter, or they
	 * see what is written.
	 */
	void (*sync_guest_code)(void);
	bool sync_each_cpu;

	/* Is there a model for this enum axvm_emu_type, of the library or to be
	 * added by the host? */
	bool (*emulates)(uint32_t type);
	/* enum image_machine (image.h): which kernels run here. */
	uint32_t machine;
	/*
	 * Thread. Writes what a kernel expects (device tree) into `buffer`; *used
	 * says how much. Optional: the host brings tables of its own.
	 */
	int (*guest_tables)(struct axvm_vm *vm, void *buffer, size_t size,
			    size_t *used);
};

#endif
