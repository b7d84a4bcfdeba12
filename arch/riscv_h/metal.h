/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The metal half of the backend: what backend.c puts into the table of
 * operations. Only for metal files.
 */
#ifndef AXVMI_RISCV_METAL_H
#define AXVMI_RISCV_METAL_H

#include "backend.h"
#include "s2_format.h"

#define RISCV_MODES \
	(RISCV_FEATURE_SV39X4 | RISCV_FEATURE_SV48X4 | RISCV_FEATURE_SV57X4)

/* cpu.c */
uint64_t axvmi_riscv_interrupts_save(void);
void axvmi_riscv_interrupts_restore(uint64_t saved);
int axvmi_riscv_cpu_enable(struct axvm_cpu *cpu);
void axvmi_riscv_cpu_disable(struct axvm_cpu *cpu);
void axvmi_riscv_tlb_flush_local(struct axvm_vm *vm);
void axvmi_riscv_tlb_flush_all(void);
void axvmi_riscv_guest_stage_flush(struct axvm_vm *vm);
uint64_t axvmi_riscv_counter(void);
uint64_t axvmi_riscv_cycles(const struct axvm_host *host);

/* lazy.c */
bool axvmi_riscv_lazy_load(struct riscv_vcpu *v);
void axvmi_riscv_lazy_put(struct riscv_vcpu *v);
/* Illegal instructions come here as long as something is not loaded. */
void axvmi_riscv_update_hedeleg(const struct riscv_vcpu *v);

/*
 * Before C code of a hard-float host may run (callbacks, and whatever follows
 * run): it uses floating-point registers as it likes. Others promise not to.
 */
static inline void host_fp_back(struct riscv_vcpu *v)
{
#if defined(__riscv_float_abi_double)
	if (v->fp_loaded || v->vector_loaded) {
		axvmi_riscv_lazy_put(v);
		axvmi_riscv_update_hedeleg(v);
	}
#elif defined(__riscv_float_abi_soft)
	(void)v;
#else
#error "a host with this floating-point ABI is not supported"
#endif
}

/* effects.c */
void axvmi_riscv_timer_look(struct riscv_vcpu *v);
uint64_t axvmi_riscv_timer_deadline(struct riscv_vcpu *v);
/* Applies v->effects, which are not 0; returns `done`. */
int axvmi_riscv_apply_effects(struct riscv_vcpu *v, int done);
void axvmi_riscv_apply_all(struct riscv_vcpu *v);

/* vcpu.c */
extern const struct riscv_metal axvmi_riscv_metal;
void axvmi_riscv_vcpu_load(struct axvm_vcpu *vcpu);
void axvmi_riscv_vcpu_put(struct axvm_vcpu *vcpu);
int axvmi_riscv_vcpu_run(struct axvm_vcpu *vcpu);
void axvmi_riscv_retag(struct axvm_vcpu *vcpu);
bool axvmi_riscv_irq_pending(struct axvm_vcpu *vcpu);
void axvmi_riscv_clock_moved(struct axvm_vcpu *vcpu);
void axvmi_riscv_attend(struct axvm_vcpu *vcpu, uint32_t bits);

/* world.S calls these: 0 to go on in the guest, else run's result. */
int axvmi_riscv_on_ecall(struct riscv_frame *frame);
int axvmi_riscv_on_interrupt(struct riscv_frame *frame);
int axvmi_riscv_on_fault(struct riscv_frame *frame, uint64_t scause);

#endif
