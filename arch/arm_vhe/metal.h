/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The metal half of the backend: what backend.c puts into the table of
 * operations. Only for metal files.
 */
#ifndef AXVMI_ARM_METAL_H
#define AXVMI_ARM_METAL_H

#include "backend.h"
#include "regs.h"

/* cpu.c */
uint64_t axvmi_arm_interrupts_save(void);
void axvmi_arm_interrupts_restore(uint64_t saved);
int axvmi_arm_cpu_enable(struct axvm_cpu *cpu);
void axvmi_arm_cpu_disable(struct axvm_cpu *cpu);
void axvmi_arm_tlb_flush_local(struct axvm_vm *vm);
void axvmi_arm_tlb_flush_all(void);
void axvmi_arm_tlb_flush_range(struct axvm_vm *vm, uint64_t gpa, uint64_t size);
void axvmi_arm_guest_stage_flush(struct axvm_vm *vm);
void axvmi_arm_sync_guest_memory(void *start, uint64_t size);
void axvmi_arm_sync_guest_code(void);
uint64_t axvmi_arm_counter(void);
uint64_t axvmi_arm_cycles(const struct axvm_host *host);

/* lazy.c */
void axvmi_arm_fp_load(struct arm_vcpu *v);
void axvmi_arm_fp_put(struct arm_vcpu *v);
void axvmi_arm_fp_read(struct arm_vcpu *v, unsigned n, uint64_t q[2]);
void axvmi_arm_fp_write(struct arm_vcpu *v, unsigned n, const uint64_t q[2]);
/* CPTR_EL2 for the guest as its FP registers are on the CPU or not; the host's. */
void axvmi_arm_cptr_load(const struct arm_vcpu *v);
void axvmi_arm_host_cptr(const struct arm_vcpu *v);

/*
 * Hosts that use FP registers (AXVM_ARM_HOST_FP) have them back, and CPTR_EL2,
 * before C code of theirs may run: callbacks, and whatever follows run. The guest
 * has its own from guest_fp() on, last before an entry. Others promise to leave
 * them alone; there CPTR_EL2 is the guest's while it is resident.
 */
#ifdef AXVMI_HOST_FP
static inline void host_fp(struct arm_vcpu *v)
{
	axvmi_arm_fp_put(v);
	axvmi_arm_host_cptr(v);
}

static inline void guest_fp(const struct arm_vcpu *v)
{
	axvmi_arm_cptr_load(v);
}

static inline void resident_fp(const struct arm_vcpu *v)
{
	(void)v;
}
#else
static inline void host_fp(struct arm_vcpu *v)
{
	(void)v;
}

static inline void guest_fp(const struct arm_vcpu *v)
{
	(void)v;
}

static inline void resident_fp(const struct arm_vcpu *v)
{
	axvmi_arm_cptr_load(v);
}
#endif

/* state.c */
uint64_t axvmi_arm_read_el1(enum arm_el1 reg);
void axvmi_arm_write_el1(enum arm_el1 reg, uint64_t value);
uint64_t axvmi_arm_read_id(unsigned crm, unsigned op2);
/* All but the virtual timer's control, which runs only inside run. */
void axvmi_arm_el1_load(const struct arm_vcpu *v);
void axvmi_arm_el1_save(struct arm_vcpu *v);
void axvmi_arm_gic_read(struct arm_vcpu *v, bool all);
void axvmi_arm_gic_write(struct arm_vcpu *v, bool all);
void axvmi_arm_lr_read(struct arm_vcpu *v, uint32_t n);
void axvmi_arm_lr_write(struct arm_vcpu *v, uint32_t n);
void axvmi_arm_deactivate(uint32_t intid);

/*
 * debug_regs.c. Enter: ARM_EFFECT_DEBUG. Leave: at the end of a run, if
 * v->debug.on. Put: the host has its breakpoints back.
 */
void axvmi_arm_debug_enter(struct arm_vcpu *v);
void axvmi_arm_debug_leave(struct arm_vcpu *v);
void axvmi_arm_debug_put(struct arm_cpu *cpu);

/* vcpu.c */
extern const struct arm_metal axvmi_arm_metal;
void axvmi_arm_vcpu_load(struct axvm_vcpu *vcpu);
void axvmi_arm_vcpu_put(struct axvm_vcpu *vcpu);
int axvmi_arm_vcpu_run(struct axvm_vcpu *vcpu);
void axvmi_arm_retag(struct axvm_vcpu *vcpu);
bool axvmi_arm_irq_pending(struct axvm_vcpu *vcpu);
void axvmi_arm_clock_moved(struct axvm_vcpu *vcpu);

/* world.S calls these: 0 to go on in the guest, else run's result. */
int axvmi_arm_on_hvc(struct arm_frame *frame);
int axvmi_arm_on_interrupt(struct arm_frame *frame);
int axvmi_arm_on_exit(struct arm_frame *frame, uint64_t esr);

#endif
