/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Objects of the RISC-V backend and the calls between its files. Pure: the
 * models here change these structs and say in `effects` what the metal half
 * (cpu.c, vcpu.c, world.S) must do to the hart before the guest goes on.
 */
#ifndef AXVMI_RISCV_BACKEND_H
#define AXVMI_RISCV_BACKEND_H

#include "frame.h"
#include "internal.h"
#include "vplic.h"

/* Keeps the stack frames of what is seldom out of what is frequent. */
#define OUT_OF_LINE __attribute__((noinline))

/* host->features */
#define RISCV_FEATURE_SSTC BIT64(0)
#define RISCV_FEATURE_SV39X4 BIT64(1)
#define RISCV_FEATURE_SV48X4 BIT64(2)
#define RISCV_FEATURE_SV57X4 BIT64(3)
#define RISCV_FEATURE_FP BIT64(4)
#define RISCV_FEATURE_VECTOR BIT64(5)
#define RISCV_FEATURE_STATEEN BIT64(6)
#define RISCV_FEATURE_ENVCFG BIT64(7)
#define RISCV_FEATURE_SVPBMT BIT64(8)
#define RISCV_FEATURE_CYCLE BIT64(9) /* the host may read it */
#define RISCV_FEATURE_VMID_SHIFT 16 /* VMIDLEN, 5 bits */
#define RISCV_FEATURE_VLENB_SHIFT 32 /* vector register bytes, 16 bits */

/* Attention bits of this backend: remote fences of SBI RFENCE. */
#define RISCV_ATTN_FENCE_I (AXVMI_ATTN_ARCH << 0)
#define RISCV_ATTN_FENCE_VMA (AXVMI_ATTN_ARCH << 1)

/* Effects of a model on the hart this vCPU is loaded on. */
#define RISCV_EFFECT_HVIP 0x1u /* set hvip_set, clear hvip_clear */
#define RISCV_EFFECT_TIMER 0x2u /* vstimecmp, or the host timer, from timer */
#define RISCV_EFFECT_FENCE_I 0x4u
#define RISCV_EFFECT_FENCE_VMA 0x8u /* hfence.vvma as fence_* say */
#define RISCV_EFFECT_TIMER_LOOK 0x10u /* without Sstc: is the timer due? */
#define RISCV_EFFECT_TRAP 0x20u /* the guest gets trap_cause, trap_value */

/* A fence of more pages flushes all. */
#define RISCV_FENCE_PAGES 16u

/* Guest interrupt bits (hvip, vsip shifted by one). */
#define RISCV_VSSIP BIT64(2)
#define RISCV_VSTIP BIT64(6)
#define RISCV_VSEIP BIT64(10)

/* VS-mode CSRs as saved by vcpu_put. */
struct riscv_vs_state {
	uint64_t vsstatus, vsie, vstvec, vsscratch, vsepc, vscause, vstval;
	uint64_t vsatp, vstimecmp, scounteren, senvcfg;
	uint64_t hvip;
};

enum riscv_hsm {
	RISCV_HSM_RUNNING = 0,
	RISCV_HSM_SUSPENDED, /* retentive or non-retentive wait */
};

#define RISCV_BEFORE_TIMER 0x1u /* no Sstc: looks at the timer */
#define RISCV_BEFORE_WAIT 0x2u /* hsm is SUSPENDED */

/*
 * The device, or the hole, that was accessed last, since most accesses follow
 * others: what of its entry in the map the exit path looks at. The map is
 * frozen as long as vCPUs exist.
 */
struct riscv_last_device {
	uint64_t start; /* UINT64_MAX, span 0, where nothing is: none yet */
	uint64_t span; /* bytes but one */
	uint64_t widths; /* axvmi_device_plain_widths() */
	struct axvm_device *device; /* NULL: a hole */
	uint32_t range;
};

struct riscv_vcpu {
	struct axvm_vcpu core;
	struct riscv_frame frame; /* guest registers; see frame.h */
	uint64_t hart_id; /* what the guest sees: its vCPU index */
	struct riscv_vs_state vs; /* while not resident */

	uint32_t effects;
	uint64_t hvip_set;
	uint64_t hvip_clear;
	/* Guest counter value of the SBI timer; UINT64_MAX: none. */
	uint64_t timer;
	/* RISCV_EFFECT_FENCE_VMA: size UINT64_MAX all; asid UINT64_MAX any. */
	uint64_t fence_start;
	uint64_t fence_size;
	uint64_t fence_asid;

	/* enum riscv_hsm. Non-retentive: restart at resume_* when woken. */
	atomic_u32 hsm;
	uint32_t hsm_resume; /* 1: non-retentive, entry and argument below */
	uint32_t before_run; /* RISCV_BEFORE_*: what a run does first */
	uint64_t resume_entry;
	uint64_t resume_argument;

	/* MMIO in flight: how the value read comes back; see insn.h. Of a width
	 * that compilers do not put together from two stores. */
	uint64_t mmio_rd;
	uint64_t mmio_size;
	uint64_t mmio_signed;
	uint64_t mmio_length; /* of the instruction, 2 or 4 */
	uint64_t mmio_write;
	/* The addresses of the access that a device is asked for now. */
	uint64_t mmio_gpa;
	uint64_t mmio_gva;
	struct riscv_last_device last;
	/* The same of RAM, where faults follow each other too; may be NULL. */
	const struct axvmi_space *last_ram;
	/* What the guest gets if a FAULT exit is refused. */
	uint64_t fault_cause;
	uint64_t fault_value;

	/* RISCV_EFFECT_TRAP. */
	uint64_t trap_cause;
	uint64_t trap_value;

	/* Per-vCPU inputs as irq.c has applied them: RISCV_LINE_*. Zero after
	 * vcpu_reset, which also sets AXVMI_ATTN_LINES. */
	uint32_t lines;

	/* Lazily switched state; areas are NULL until first used. */
	uint32_t fp_loaded;
	uint32_t vector_loaded;
	uint64_t *fp; /* f0..f31, fcsr */
	void *vector; /* vstart vxsat vxrm vcsr vl vtype, v0..v31 */
};

/*
 * What the models ask of the metal half; a table, so that the pure files link
 * without it. All slots are mandatory. The vCPU is the running one, resident
 * on this CPU.
 */
struct riscv_metal {
	/* The instruction at the guest's pc; false if it cannot be fetched any
	 * more. The vCPU counts as inside the guest. */
	bool (*fetch)(struct riscv_vcpu *v, uint32_t *insn);
	/* Loads floating-point and vector state the guest has switched on;
	 * false: there was none to load. */
	bool (*lazy_load)(struct riscv_vcpu *v);
	/* Eight bytes at a guest virtual address, with the rights of VS-mode;
	 * AXVM_EFAULT if the guest could not read them. */
	int (*read_guest_virtual)(struct riscv_vcpu *v, uint64_t gva,
				  uint64_t *value);
	/* hal.now time at which the guest's next timer interrupt is due, or
	 * AXVM_NO_DEADLINE. */
	uint64_t (*timer_deadline)(struct riscv_vcpu *v);
	/* The hvip register as the guest left it. */
	uint64_t (*read_hvip)(struct riscv_vcpu *v);
	/* SBI HSM, "Resume Register State": pc = entry, a0 = hart id, a1 =
	 * argument, satp = 0, sstatus.SIE = 0. */
	void (*restart)(struct riscv_vcpu *v, uint64_t entry,
			uint64_t argument);
};

struct riscv_vm {
	struct axvm_vm core;
	const struct riscv_metal *metal; /* set by vm_init */
	struct vplic plic;
	struct axvm_device plic_device;
	uint64_t hgatp; /* mode and root, without the tag */
};

struct riscv_cpu {
	struct axvm_cpu core;
	/* What cpu_disable gives back. */
	uint64_t host_hstatus, host_hideleg, host_hedeleg, host_hcounteren;
	uint64_t host_henvcfg, host_hie, host_hgeie, host_hstateen0;
	/* What vcpu_put gives back. */
	uint64_t host_scounteren, host_senvcfg;
	uint64_t host_fs[12], host_fcsr; /* hard-float hosts: fs0..fs11 */
};

static inline struct riscv_cpu *riscv_cpu(struct axvm_cpu *cpu)
{
	return CONTAINER_OF(cpu, struct riscv_cpu, core);
}

static inline struct riscv_vcpu *riscv_vcpu(struct axvm_vcpu *vcpu)
{
	return CONTAINER_OF(vcpu, struct riscv_vcpu, core);
}

static inline struct riscv_vm *riscv_vm(struct axvm_vm *vm)
{
	return CONTAINER_OF(vm, struct riscv_vm, core);
}

/* hgatp with the tag the VM has now. */
static inline uint64_t axvmi_riscv_vm_hgatp(struct axvm_vm *vm)
{
	return riscv_vm(vm)->hgatp | load_relaxed(&vm->tag) << 44;
}

static inline bool riscv_has(const struct axvm_host *host, uint64_t feature)
{
	return (host->features & feature) != 0;
}

static inline void riscv_raise(struct riscv_vcpu *v, uint64_t hvip)
{
	v->hvip_set |= hvip;
	v->hvip_clear &= ~hvip;
	v->effects |= RISCV_EFFECT_HVIP;
}

static inline void riscv_lower(struct riscv_vcpu *v, uint64_t hvip)
{
	v->hvip_clear |= hvip;
	v->hvip_set &= ~hvip;
	v->effects |= RISCV_EFFECT_HVIP;
}

/*
 * sbi.c: answers the SBI call or hypercall in the guest's a0..a7 (SBI 2.0). The
 * ecall has been left (axvmi_leave) and pc already stands behind it. Counts it.
 * Returns 0: go on in the guest (a0, a1 set, effects to apply), else an exit
 * reason with exit filled, pc included.
 */
int axvmi_riscv_sbi_call(struct riscv_vcpu *v);
/* The host's answer to HYPERCALL or CPU_ON; see arch_ops.h vcpu_complete. */
void axvmi_riscv_sbi_complete(struct riscv_vcpu *v, uint32_t reason,
			      enum axvm_complete_action action, uint64_t value);
/* sbi_hsm.c: a vCPU in HSM suspend was woken by an interrupt: it runs on, or
 * restarts at resume_entry. Called before a run enters the guest while hsm is
 * SUSPENDED. */
void axvmi_riscv_sbi_resume(struct riscv_vcpu *v);

/* riscv_vcpu.lines: bit n level of line n, bit 16 + n an edge still held. */
#define RISCV_LINE_SOFTWARE 1u
#define RISCV_LINE_TIMER 5u
#define RISCV_LINE_EXTERNAL 9u
#define RISCV_LINE_LEVEL(line) (UINT32_C(1) << (line))
#define RISCV_LINE_EDGE(line) (UINT32_C(0x10000) << (line))

/*
 * irq.c: makes the PLIC of a VM and fills plic_device, which the caller adds to
 * the MMIO bus. A VM without a PLIC does not call it.
 */
void axvmi_riscv_plic_init(struct riscv_vm *rvm, enum vplic_layout layout,
			   uint64_t base, uint64_t window);
/* arch_ops.irq_sync and .line_targets. */
void axvmi_riscv_irq_sync(struct axvm_vcpu *vcpu);
uint64_t axvmi_riscv_line_targets(struct axvm_vm *vm, uint32_t line);

#endif
