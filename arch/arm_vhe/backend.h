/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Objects of the ARM VHE backend and the calls between its files. Pure: the
 * models here change these structs and say in `effects` what the metal half
 * (cpu.c, vcpu.c, world.S) must do to the CPU before the guest goes on.
 */
#ifndef AXVMI_ARM_BACKEND_H
#define AXVMI_ARM_BACKEND_H

#include "frame.h"
#include "internal.h"
#include "vgic_cpu.h"

/* host->features */
#define ARM_FEATURE_PA_BITS FIELD64(7, 0) /* physical address bits */
#define ARM_FEATURE_VMID16 BIT64(8)
#define ARM_FEATURE_PAUTH BIT64(9)
#define ARM_FEATURE_RAS BIT64(10)
#define ARM_FEATURE_LOR BIT64(11)
#define ARM_FEATURE_SVE BIT64(12)
#define ARM_FEATURE_SME BIT64(13)
#define ARM_FEATURE_CYCLES BIT64(14) /* PMCCNTR_EL0 counts for the host */
#define ARM_FEATURE_LRS FIELD64(20, 16) /* list registers, 1..16 */
#define ARM_FEATURE_PREEMPTION_BITS FIELD64(26, 24) /* virtual, 5..7 */
#define ARM_FEATURE_MTE2 BIT64(27)

/* INTIDs that the architecture's devices of a vCPU use (Base System
 * Architecture, "PPI assignments"). */
#define ARM_PPI_CNTV 27u
#define ARM_PPI_CNTP 30u
/* Lines of axvm_irq_set(), and of axvm_vcpu_irq_set(). */
#define ARM_FIRST_SPI 32u
#define ARM_SPIS 988u
#define ARM_PPI_MASK UINT64_C(0xffff0000)

/* Effects of a model on the CPU this vCPU is loaded on. */
#define ARM_EFFECT_TRAP 0x1u /* the guest gets the exception in `trap` */
#define ARM_EFFECT_VGIC 0x2u /* list registers are filled anew */
#define ARM_EFFECT_TIMER 0x4u /* CNTP changed: look at it again */
#define ARM_EFFECT_SERROR 0x10u /* HCR_EL2.VSE was set */
#define ARM_EFFECT_DEBUG 0x8u /* the debug registers go onto the CPU */

/* EL1 and EL0 registers that stay loaded while the vCPU is resident. SP_EL0 and
 * TPIDR_EL0 are in the frame: the host has its own. */
enum arm_el1 {
	ARM_EL1_SCTLR = 0,
	ARM_EL1_CPACR,
	ARM_EL1_TTBR0,
	ARM_EL1_TTBR1,
	ARM_EL1_TCR,
	ARM_EL1_ESR,
	ARM_EL1_AFSR0,
	ARM_EL1_AFSR1,
	ARM_EL1_FAR,
	ARM_EL1_MAIR,
	ARM_EL1_AMAIR,
	ARM_EL1_VBAR,
	ARM_EL1_CONTEXTIDR,
	ARM_EL1_CNTKCTL,
	ARM_EL1_PAR,
	ARM_EL1_TPIDR,
	ARM_EL1_TPIDRRO_EL0,
	ARM_EL1_SP,
	ARM_EL1_ELR,
	ARM_EL1_SPSR,
	ARM_EL1_CSSELR,
	ARM_EL1_CNTV_CTL,
	ARM_EL1_CNTV_CVAL,
	/* With ARM_FEATURE_RAS: syndrome of a virtual SError; DISR_EL1. */
	ARM_EL1_VSESR,
	ARM_EL1_VDISR,
	/* With ARM_FEATURE_PAUTH: keys, low half first. */
	ARM_EL1_APIA_LO,
	ARM_EL1_APIA_HI,
	ARM_EL1_APIB_LO,
	ARM_EL1_APIB_HI,
	ARM_EL1_APDA_LO,
	ARM_EL1_APDA_HI,
	ARM_EL1_APDB_LO,
	ARM_EL1_APDB_HI,
	ARM_EL1_APGA_LO,
	ARM_EL1_APGA_HI,
	ARM_EL1_REGS,
};

/* What the CPU says about a synchronous exception or SError, read at once. */
struct arm_syndrome {
	uint64_t esr;
	uint64_t far;
	uint64_t hpfar;
};

/* ARM_EFFECT_TRAP: an exception taken to EL1 at the present pc. */
struct arm_trap {
	uint64_t esr; /* of ESR_EL1 */
	uint64_t far; /* of FAR_EL1 where the class has one */
};

/* An access in flight, left to the host; exit.c. */
struct arm_mmio {
	uint64_t gpa; /* of the first byte of the first access */
	uint64_t gva;
	uint64_t base_value; /* writeback of the base register at the end */
	uint64_t esr;
	uint64_t partial[4]; /* what the accesses done have read */
	uint32_t insn; /* ISV=0: the instruction; 0: described by `esr` */
	uint32_t part; /* accesses of it that are done */
	uint32_t turned; /* big-endian data */
};

/*
 * The device, or the hole, that was accessed last, since most accesses follow
 * one another. Widths 0: none yet. The map does not change once VMs run.
 */
struct arm_last_device {
	uint64_t start;
	uint64_t span;
	uint64_t widths; /* that need no other check */
	struct axvm_device *device; /* NULL: a hole */
	uint32_t range;
};

/* debug.c: the debug registers as the guest reads them. */
struct arm_debug {
	uint64_t mdscr;
	uint64_t mdccint;
	uint64_t os_lock; /* 0 or 1 */
	uint64_t claim;
	uint64_t numbered[4]
			 [16]; /* DBGBVR<n>, DBGBCR<n>, DBGWVR<n>, DBGWCR<n> */
	uint32_t on; /* MDSCR_EL1 would stop the host too: debug_regs.c */
};

enum arm_power {
	ARM_POWER_ON = 0,
	ARM_POWER_STANDBY, /* CPU_SUSPEND: goes on after the call */
	ARM_POWER_DOWN, /* CPU_SUSPEND: restarts at resume_entry */
};

struct arm_vcpu {
	struct axvm_vcpu core;
	struct arm_frame frame; /* guest registers; see frame.h */
	uint64_t el1[ARM_EL1_REGS]; /* while not resident */
	uint64_t mpidr; /* VMPIDR_EL2 */

	uint32_t effects;
	struct arm_trap trap;
	/* What the guest gets if the exit that waits is refused; EC 0x2f: a
	 * virtual SError. */
	struct arm_trap refusal;
	struct arm_mmio mmio;
	struct arm_last_device last;

	/* timer.c: PPI 27 is up in the vGIC. With hal.take_vtimer: its interrupt
	 * is active on the CPU (as far as we know: the guest may have ended it).
	 * Without: IMASK of CNTV_CTL is ours while it is up; the CVAL it rose
	 * for, how often for that one. */
	uint32_t vtimer_held;
	uint32_t vtimer_taken;
	uint32_t vtimer_rounds;
	uint64_t vtimer_cval;
	uint64_t clock; /* vm->time_offset as the CPU has it */
	/* sysreg.c: the emulated physical timer, on the VM clock. */
	uint32_t cntp_ctl; /* ENABLE, IMASK */
	uint32_t cntp_level; /* PPI 30 as the vGIC knows it */
	uint32_t cntp_armed; /* hal.timer has been told */
	uint64_t cntp_cval;

	struct arm_debug debug;

	/* psci.c: SCTLR_EL1.EE of whoever starts this vCPU. */
	uint64_t start_ee;
	/* enum arm_power, and how ARM_POWER_DOWN ends. */
	atomic_u32 power;
	uint64_t resume_entry;
	uint64_t resume_argument;

	/* irq.c: the virtual CPU interface while it is not on the CPU; the
	 * list registers hold what the model does not know yet. */
	struct vgic_cpu_regs gic;
	uint32_t gic_filled;
	uint32_t gic_ended; /* SGIs and PPIs that the last fold saw end */
	uint32_t gic_hw_ended; /* those that ended on the CPU, too */
	uint32_t gic_on_cpu; /* list registers of the CPU that are not empty */

	/* Lazily switched: v0..v31, FPSR, FPCR. */
	uint32_t fp_loaded;
	uint64_t *fp;
};

/*
 * What the models ask of the metal half; a table, so that the pure files link
 * without it. All slots are mandatory. The vCPU is the running one, resident on
 * this CPU, unless "any" is said.
 */
struct arm_metal {
	/* A resident register; what was written holds from the entry on. */
	uint64_t (*read_el1)(enum arm_el1 reg);
	void (*write_el1)(enum arm_el1 reg, uint64_t value);
	/* Any: the CPU's own register S3_0_C0_C<crm>_<op2>, crm 0..7. */
	uint64_t (*read_id)(unsigned crm, unsigned op2);
	/* Stage 1 alone, for a read at EL1, while the vCPU counts as inside the
	 * guest or between axvmi_guest_access_begin() and _end(): false if the
	 * guest's tables do not allow it. */
	bool (*translate)(struct arm_vcpu *v, uint64_t gva, uint64_t *gpa);
	/* The instruction at the guest's pc, by translate(); false if it cannot
	 * be fetched any more. */
	bool (*fetch)(struct arm_vcpu *v, uint32_t *insn);
	/* FP and SIMD registers of the guest onto the CPU; they stay until put. */
	void (*fp_load)(struct arm_vcpu *v);
	/* Register v<n> as two 64-bit halves, low one first. */
	void (*fp_read)(struct arm_vcpu *v, unsigned n, uint64_t q[2]);
	void (*fp_write)(struct arm_vcpu *v, unsigned n, const uint64_t q[2]);
	/* v->gic from and to the ICH_* registers: list registers, HCR, status;
	 * VMCR and the active priorities too when `all`. */
	void (*gic_read)(struct arm_vcpu *v, bool all);
	void (*gic_write)(struct arm_vcpu *v, bool all);
	/* Deactivates an interrupt of this CPU that is active, by EOImode 1. */
	void (*deactivate)(uint32_t intid);
	/* The same for one list register, n below lr_count. */
	void (*lr_read)(struct arm_vcpu *v, uint32_t n);
	void (*lr_write)(struct arm_vcpu *v, uint32_t n);
	/* v->el1 goes onto the CPU and the guest's stage-1 translations are
	 * dropped: after axvmi_arm_power_on_state() of a resident vCPU. */
	void (*reload)(struct arm_vcpu *v);
};

struct vgic;

struct arm_vm {
	struct axvm_vm core;
	const struct arm_metal *metal; /* set before vm_init */
	struct vgic *vgic; /* NULL: none configured */
	struct axvm_device gicd_device;
	struct axvm_device gicr_device;
	uint64_t vtcr;
	uint64_t vttbr; /* without the tag */
	uint64_t midr; /* VPIDR_EL2 */
	uint64_t id[8][8]; /* as the guest sees them: [crm][op2] */
};

struct arm_cpu {
	struct axvm_cpu core;
	/* What cpu_disable gives back. */
	uint64_t host_cnthctl, host_vtcr, host_ich_hcr, host_icc_sre, host_hcrx;
	uint64_t host_hstr;
	/* What vcpu_put gives back. */
	uint64_t host_hcr, host_cptr, host_mdcr, host_mdscr, host_csselr;
	uint64_t host_tpidrro_el0, host_tpidr_el1, host_par;
	uint64_t host_numbered[4][16]; /* breakpoints and watchpoints */
	uint32_t host_numbered_saved;
	uint32_t host_os_lock; /* it was locked */
	uint64_t host_fp[9]; /* hosts that use FP registers: d8..d15, FPCR */
};

static inline struct arm_cpu *arm_cpu(struct axvm_cpu *cpu)
{
	return CONTAINER_OF(cpu, struct arm_cpu, core);
}

static inline struct arm_vcpu *arm_vcpu(struct axvm_vcpu *vcpu)
{
	return CONTAINER_OF(vcpu, struct arm_vcpu, core);
}

static inline struct arm_vm *arm_vm(struct axvm_vm *vm)
{
	return CONTAINER_OF(vm, struct arm_vm, core);
}

static inline const struct arm_metal *arm_metal(const struct arm_vcpu *v)
{
	return arm_vm(v->core.vm)->metal;
}

static inline bool arm_has(const struct axvm_host *host, uint64_t feature)
{
	return (host->features & feature) != 0;
}

/* The host takes the virtual timer's interrupt, the guest's EOI deactivates it. */
static inline bool arm_takes_vtimer(const struct arm_vcpu *v)
{
	return v->core.vm->host->hal.take_vtimer != NULL;
}

/* VTTBR_EL2 with the tag the VM has now. */
static inline uint64_t arm_vttbr(struct axvm_vm *vm)
{
	return arm_vm(vm)->vttbr | load_relaxed(&vm->tag) << 48;
}

/* Affinity of a vCPU: 16 to a cluster, so that SGI target lists reach all. */
static inline uint64_t arm_affinity(uint32_t vcpu)
{
	return (uint64_t)(vcpu / 16) << 8 | vcpu % 16;
}

/* ---- exit.c ---- */

/*
 * Handles a synchronous exception other than HVC64, or an SError (EC 0x2f); the
 * vCPU has not been left yet. 0: go on in the guest (effects to apply), else an
 * exit reason, exit filled.
 */
int axvmi_arm_exit(struct arm_vcpu *v, const struct arm_syndrome *s);

/*
 * At the start of a run, while v->mmio.part is not 0: the next accesses of the
 * instruction whose last one the host has completed. 0: it is done, else an exit
 * reason, exit filled.
 */
int axvmi_arm_mmio_more(struct arm_vcpu *v);

/* The guest gets this exception at its present pc: ARM_EFFECT_TRAP. */
void axvmi_arm_inject(struct arm_vcpu *v, uint64_t esr, uint64_t far);

/*
 * A virtual SError with this ISS waits for the guest, which takes it when
 * PSTATE.A allows: ARM_EFFECT_SERROR, until the CPU clears HCR_VSE of frame.hcr.
 */
void axvmi_arm_pend_serror(struct arm_vcpu *v, uint64_t iss);

/*
 * ARM_EFFECT_TRAP, the pure half: "Exception entry" to EL1 from the mode in
 * frame.pstate. Reads VBAR_EL1 and SCTLR_EL1, writes ELR_EL1, SPSR_EL1, ESR_EL1
 * and FAR_EL1 through the table, sets frame.pc and frame.pstate.
 */
void axvmi_arm_take_trap(struct arm_vcpu *v);

/* arch_ops.vcpu_complete. */
void axvmi_arm_complete(struct axvm_vcpu *vcpu,
			enum axvm_complete_action action, uint64_t value);

/* ---- psci.c ---- */

/*
 * Answers the PSCI or SMCCC call, or hypercall, in x0..x6. The vCPU has left and
 * pc stands behind the instruction, HVC or (smc) SMC. Counts it. As
 * axvmi_arm_exit().
 */
int axvmi_arm_psci_call(struct arm_vcpu *v, bool smc);
/* The host's answer to HYPERCALL or CPU_ON; see arch_ops.h vcpu_complete. */
void axvmi_arm_psci_complete(struct arm_vcpu *v, uint32_t reason,
			     enum axvm_complete_action action, uint64_t value);
/* A vCPU in CPU_SUSPEND was woken by an interrupt: it runs on, or restarts.
 * Called before a run enters the guest while power is not ARM_POWER_ON. */
void axvmi_arm_psci_resume(struct arm_vcpu *v);

/* ---- sysreg.c ---- */

/* A trapped MSR or MRS (EC 0x18), its ISS; the vCPU has left. pc is still at the
 * instruction and is moved. As axvmi_arm_exit(). */
int axvmi_arm_sysreg(struct arm_vcpu *v, uint32_t iss);
/* Makes avm->id and avm->midr from metal->read_id; at vm_init. */
void axvmi_arm_id_init(struct arm_vm *avm);
/*
 * Looks at the emulated physical timer of the running vCPU: PPI 30 follows its
 * condition, hal.timer is told when to look again. At the start of a run, for
 * ARM_EFFECT_TIMER, and when somebody asks whether an interrupt is pending.
 */
void axvmi_arm_cntp_look(struct arm_vcpu *v);
/* Guest counter at which it is due; UINT64_MAX: not running, or up already. */
uint64_t axvmi_arm_cntp_due(const struct arm_vcpu *v);

/* ---- debug.c ---- */

/* Is there a debug register of this number? Reads and writes of it, false if it
 * has none; ARM_EFFECT_DEBUG. */
bool axvmi_arm_debug_has(const struct arm_vcpu *v, uint32_t number);
bool axvmi_arm_debug_read(const struct arm_vcpu *v, uint32_t number,
			  uint64_t *value);
bool axvmi_arm_debug_write(struct arm_vcpu *v, uint32_t number, uint64_t value);
/* MDSCR_EL1 as it has effect: the OS lock holds debug exceptions back. */
uint64_t axvmi_arm_debug_mdscr(const struct arm_vcpu *v);
/* As after power-on: locked, all off. */
void axvmi_arm_debug_reset(struct arm_vcpu *v);

/* ---- timer.c ---- */

/*
 * The virtual timer. Looks at CNTV: if it asks for an interrupt PPI 27 rises in
 * the vGIC. Without hal.take_vtimer IMASK is set, so that the physical line falls;
 * returns true if it was high.
 */
bool axvmi_arm_vtimer_look(struct arm_vcpu *v);
/* With hal.take_vtimer: the same after an interrupt of the CPU, which the host
 * takes if it is the timer's. */
enum arm_vtimer {
	ARM_VTIMER_NONE, /* the timer does not ask, or has been taken */
	ARM_VTIMER_TAKEN,
	ARM_VTIMER_OTHER /* the host has dealt with an interrupt of its own */
};
enum arm_vtimer axvmi_arm_vtimer_take(struct arm_vcpu *v);
/*
 * The list registers `ended` ask for a fold. False: it is necessary; else it was
 * PPI 27 alone, and all that follows from its end is done.
 */
bool axvmi_arm_vtimer_retire(struct arm_vcpu *v, uint64_t ended);
/* After the list registers were folded: if PPI 27 is up and the guest has made
 * its timer stop asking, it falls; the physical one is no longer active, or IMASK
 * is the guest's again. No lock. */
void axvmi_arm_vtimer_sync(struct arm_vcpu *v);
/* Before that, if the fold found that the guest has ended PPI 27: in a list
 * register with HW, which deactivates the physical one, or in any other way. */
void axvmi_arm_vtimer_done(struct arm_vcpu *v);
void axvmi_arm_vtimer_ended(struct arm_vcpu *v);
/* The CPU is no longer this vCPU's: others have the same physical interrupt. */
void axvmi_arm_vtimer_drop(struct arm_vcpu *v);
/* hal.now time at which the next timer of the vCPU is due, which is about to
 * wait for it: folds. */
uint64_t axvmi_arm_timer_deadline(struct arm_vcpu *v);

/* ---- irq_devices.c ---- */

/*
 * Makes the vGIC of a VM (a piece of host memory) and adds its two devices; a VM
 * without one does not call it. Errors: ENOMEM and those of
 * axvmi_device_add(); nothing is left behind. Fini undoes it.
 */
int axvmi_arm_vgic_init(struct arm_vm *avm, uint64_t gicd, uint64_t gicd_size,
			uint64_t gicr, uint64_t gicr_size);
void axvmi_arm_vgic_fini(struct arm_vm *avm);

/* ---- irq.c ---- */

/* Accesses to distributor and redistributors: axvm_device_ops. */
enum axvm_access_result
axvmi_arm_gicd_access(struct axvm_device *device,
		      struct axvm_device_access *access);
enum axvm_access_result
axvmi_arm_gicr_access(struct axvm_device *device,
		      struct axvm_device_access *access);
/* Power-on state of a vCPU's interface, v->gic, as it starts; it is not resident
 * and its timers (vtimer_held, cntp_level) are off. */
void axvmi_arm_vgic_vcpu_reset(struct arm_vcpu *v);
/* The running vCPU is about to switch itself off (PSCI CPU_OFF). */
void axvmi_arm_vgic_vcpu_off(struct arm_vcpu *v);

/*
 * Of the running vCPU, each takes vm->irqchip. Fold: what the guest has done to
 * its list registers becomes known to the model (metal gic_read, vgic_sync);
 * nothing if not gic_filled. Sets ARM_EFFECT_VGIC. Then, unlocked,
 * axvmi_line_ended() for forwarded lines, vtimer_ended, vtimer_sync.
 * Fill: list registers and ICH_HCR by priority (vgic_flush, gic_write), and
 * gic_filled; folds first if need be.
 */
void axvmi_arm_gic_fold(struct arm_vcpu *v);
void axvmi_arm_gic_fill(struct arm_vcpu *v);
/* Level of a PPI that the library itself drives (27, 30). */
void axvmi_arm_set_ppi(struct arm_vcpu *v, uint32_t intid, bool level);
/* A write of ICC_SGI1R_EL1 (group 1), ICC_ASGI1R_EL1 or ICC_SGI0R_EL1 (0). */
void axvmi_arm_send_sgi(struct arm_vcpu *v, uint64_t value, unsigned group);
/* A write of ICC_DIR_EL1, which ICH_HCR_EL2.TDIR traps. */
void axvmi_arm_write_dir(struct arm_vcpu *v, uint64_t value);
/* Would the vCPU, resident here, take an interrupt or leave a wait? Folds. */
bool axvmi_arm_gic_pending(struct arm_vcpu *v);
/* arch_ops.irq_sync and .line_targets. */
void axvmi_arm_irq_sync(struct axvm_vcpu *vcpu);
uint64_t axvmi_arm_line_targets(struct axvm_vm *vm, uint32_t line);

/* ---- irq_join.c ---- */

struct vgic_cpu;

/*
 * Of the running vCPU, vm->irqchip held: an SGI that it sends to itself (level
 * false), or the line of a PPI that rises (true), goes into a list register
 * beside those that its guest has. False: nothing was done.
 */
bool axvmi_arm_gic_join(struct arm_vcpu *v, struct vgic_cpu *cpu,
			uint32_t intid, bool level);

#define ARM_NO_LR 16u

/*
 * Of the running vCPU, whose virtual timer asks: if the guest has ended PPI 27 in
 * a list register with HW, v->gic has it pending there again, for lr_write once
 * the host has taken the physical one; until then a fold finds it ended. Returns
 * its number, or ARM_NO_LR: nothing was done.
 */
uint32_t axvmi_arm_vtimer_again(struct arm_vcpu *v);

/*
 * Of the running vCPU: the line of a PPI falls as the guest has ended it, and the
 * maintenance interrupt is for that: of `ended`, the list registers that ask for
 * it, its own is the only one. The model then knows all there is to know of it.
 * False: nothing was done.
 */
bool axvmi_arm_gic_retire(struct arm_vcpu *v, uint32_t intid, uint64_t ended);

/* ---- vm.c ---- */

/* Registers as PSCI CPU_ON leaves them ("Initial core configuration"), in the
 * frame and in v->el1: entry, x0 = argument, MMU off, EL1h, DAIF masked. */
void axvmi_arm_power_on_state(struct arm_vcpu *v, uint64_t entry,
			      uint64_t argument);

#endif
