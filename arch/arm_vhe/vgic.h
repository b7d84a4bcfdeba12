/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * An interrupt controller of the GICv3 architecture (Arm Generic Interrupt
 * Controller Architecture Specification, IHI 0069): distributor, one
 * redistributor per vCPU, no LPIs; one Security state, affinity routing always
 * on. Pure. Protected by the VM's irqchip lock, but for reads of the atomic
 * fields; irq.c calls.
 */
#ifndef AXVMI_ARM_VGIC_H
#define AXVMI_ARM_VGIC_H

#include <stdbool.h>
#include <stdint.h>

#include "bits.h"
#include "lock.h"
#include "vgic_cpu.h"

/* "INTIDs": 0-15 SGIs, 16-31 PPIs, 32-1019 SPIs; 1020 and up are special. */
#define VGIC_INTIDS 1020u
#define VGIC_SGIS 16u
#define VGIC_PRIVATE 32u
#define VGIC_WORDS 32u
#define VGIC_VTIMER 27u /* PPI that a list register may forward, see hw_lr */
#define VGIC_MAX_VCPUS 64u
#define VGIC_MAX_LRS 16u
/* Five bits of priority, the top ones, as the list registers have at least. */
#define VGIC_PRIORITY_MASK 0xf8u
#define VGIC_NOBODY 0xffu

/* "Distributor register map". */
#define GICD_CTLR UINT64_C(0x0000)
#define GICD_TYPER UINT64_C(0x0004)
#define GICD_IIDR UINT64_C(0x0008)
#define GICD_IGROUPR UINT64_C(0x0080)
#define GICD_ISENABLER UINT64_C(0x0100)
#define GICD_ICENABLER UINT64_C(0x0180)
#define GICD_ISPENDR UINT64_C(0x0200)
#define GICD_ICPENDR UINT64_C(0x0280)
#define GICD_ISACTIVER UINT64_C(0x0300)
#define GICD_ICACTIVER UINT64_C(0x0380)
#define GICD_IPRIORITYR UINT64_C(0x0400)
#define GICD_ITARGETSR UINT64_C(0x0800)
#define GICD_ICFGR UINT64_C(0x0c00)
#define GICD_IGRPMODR UINT64_C(0x0d00)
#define GICD_IROUTER UINT64_C(0x6000)
#define GICD_IDREGS UINT64_C(0xffd0)
#define GICD_PIDR2 UINT64_C(0xffe8)
#define GICD_SIZE UINT64_C(0x10000)

/* "Redistributor register map": RD_base, SGI_base. In the second frame the
 * offsets are those of the distributor. */
#define GICR_CTLR UINT64_C(0x0000)
#define GICR_IIDR UINT64_C(0x0004)
#define GICR_TYPER UINT64_C(0x0008)
#define GICR_WAKER UINT64_C(0x0014)
#define GICR_SGI_BASE UINT64_C(0x10000)
#define GICR_STRIDE UINT64_C(0x20000)

#define GICD_CTLR_GROUPS 0x3u /* EnableGrp0, EnableGrp1 */
#define GICD_CTLR_ARE 0x10u
#define GICD_CTLR_DS 0x40u
/* ITLinesNumber 31, IDbits 10 - 1, RSS; 1 of N is there. */
#define GICD_TYPER_VALUE (31u | 9u << 19 | 1u << 26)
/* Arm's JEP106 code: software that tells controllers apart knows no other. */
#define GIC_IIDR_VALUE 0x43bu
#define GICD_IROUTER_IRM (UINT32_C(1) << 31)
#define GICR_TYPER_LAST BIT64(4)
#define GICR_WAKER_SLEEP 0x2u /* ProcessorSleep */
#define GICR_WAKER_ASLEEP 0x4u /* ChildrenAsleep */

/* ICH_LR<n>_EL2. */
#define LR_VINTID FIELD64(31, 0)
#define LR_PINTID FIELD64(44, 32) /* with HW */
#define LR_EOI BIT64(41) /* without */
#define LR_PRIORITY FIELD64(55, 48)
#define LR_GROUP1 BIT64(60)
#define LR_HW BIT64(61)
#define LR_PENDING BIT64(62)
#define LR_ACTIVE BIT64(63)

/* ICH_HCR_EL2. */
#define ICH_HCR_EN 0x1u
#define ICH_HCR_LRENPIE 0x4u
#define ICH_HCR_NPIE 0x8u
#define ICH_HCR_GRP0EIE 0x10u
#define ICH_HCR_GRP0DIE 0x20u
#define ICH_HCR_GRP1EIE 0x40u
#define ICH_HCR_GRP1DIE 0x80u
#define ICH_HCR_TDIR 0x4000u
#define ICH_HCR_EOICOUNT FIELD64(31, 27)

/* ICH_VMCR_EL2. */
#define ICH_VMCR_ENG0 0x1u
#define ICH_VMCR_ENG1 0x2u
#define ICH_VMCR_CBPR 0x10u
#define ICH_VMCR_EOIM 0x200u
#define ICH_VMCR_BPR1 FIELD64(20, 18)
#define ICH_VMCR_BPR0 FIELD64(23, 21)
#define ICH_VMCR_PMR FIELD64(31, 24)

/*
 * 32 interrupts. What is pending is `latch`, `loaned` and, of level-sensitive
 * ones, `line`. An interrupt in a list register is `held`: its latch went there
 * (`loaned`), and its true state is known only once the vCPU has folded.
 */
struct vgic_word {
	atomic_u32 group; /* 1: Group 1 */
	atomic_u32 enable;
	atomic_u32 edge; /* configured as edge-triggered */
	uint32_t line; /* input is high */
	uint32_t latch; /* an edge, or a write of ISPENDR */
	uint32_t active;
	uint32_t held;
	uint32_t loaned;
	uint32_t listed; /* in `ready` of a vCPU */
	/* Writes to the state of held ones, for the fold to apply. */
	uint32_t drop_pending;
	uint32_t drop_active;
	uint32_t add_active;
};

struct vgic_cpu {
	struct vgic_word own; /* SGIs and PPIs */
	atomic_u32 priority[VGIC_PRIVATE / 4];
	/* Bit w: word w below is not 0. */
	uint32_t ready_words;
	uint32_t active_words;
	/* To be delivered to this vCPU, neither active nor held. */
	uint32_t ready[VGIC_WORDS];
	/* Active here, held or not. */
	uint32_t active[VGIC_WORDS];
	/* INTIDs in the list registers. */
	uint32_t held_count;
	uint16_t held[VGIC_MAX_LRS];
	bool crowded; /* not everything had room there */
	uint32_t open; /* ICH_VMCR_ENG0, ENG1 as last seen */
	uint32_t ended; /* SGIs and PPIs the guest has ended; irq.c clears */
	/* HW and pINTID of PPI 27 while the CPU's timer drives it, or 0; has it
	 * ended in such a list register: irq.c clears. */
	uint64_t hw_lr;
	uint32_t hw_ended;
	atomic_u32 epoch; /* odd from flush to sync */
};

struct vgic {
	uint32_t vcpus;
	uint32_t hcr; /* what ICH_HCR_EL2 always has */
	atomic_u32 ctlr; /* EnableGrp0, EnableGrp1 */
	atomic_u64 awake; /* redistributors without ProcessorSleep */
	/* CPU interfaces that have Group 0, Group 1 enabled, as last seen. */
	uint64_t open[2];
	/* Since vgic_update(): vCPUs that must look again; of these, whose
	 * list registers must be folded before the access is over. */
	uint64_t dirty;
	uint64_t awaited;
	uint64_t vtimer_lr; /* what `hw_lr` of its CPUs may be */
	/* Whose end somebody wants to know, or NULL; those that have ended, or
	 * that the guest has made pend no more. */
	const uint32_t *watched;
	uint32_t ended_words;
	uint32_t ended[VGIC_WORDS];

	uint32_t any_words; /* bit w: any[w] is not 0 */
	uint32_t any[VGIC_WORDS]; /* IROUTER.Interrupt_Routing_Mode */
	struct vgic_word spi[VGIC_WORDS]; /* word 0 stays 0 */
	atomic_u32 priority[VGIC_WORDS * 32 / 4];
	atomic_u32 router[VGIC_WORDS * 32]; /* IROUTER, low half */
	/* Byte 0: the vCPU it is routed to; byte 1: where it is held or active;
	 * VGIC_NOBODY. Also what arch_ops.line_targets reads. */
	atomic_u32 where[VGIC_WORDS * 32];
	struct vgic_cpu cpu[VGIC_MAX_VCPUS];
};

/* ---- vgic.c ---- */

/* Power-on state for so many vCPUs, at most VGIC_MAX_VCPUS, all of them off. */
void axvmi_vgic_init(struct vgic *g, uint32_t vcpus, const uint32_t *watched);
/* The same again; no vCPU runs. Inputs are low until they are set. */
void axvmi_vgic_reset(struct vgic *g);
/* A CPU interface was powered up (true), as firmware does, or down. */
void axvmi_vgic_power(struct vgic *g, uint32_t vcpu, bool on);
/* The guest has enabled or disabled groups: ICH_VMCR_ENG0, ENG1. */
void axvmi_vgic_open(struct vgic *g, uint32_t vcpu, uint32_t open);

/* An input: its level now, and whether an edge came. INTIDs that are none are
 * ignored. */
void axvmi_vgic_set_spi(struct vgic *g, uint32_t intid, bool level, bool edge);
void axvmi_vgic_set_private(struct vgic *g, uint32_t vcpu, uint32_t intid,
			    bool level, bool edge);
/* A write of ICC_SGI1R_EL1 (group1), or of ICC_SGI0R_EL1 or ICC_ASGI1R_EL1. */
void axvmi_vgic_sgi(struct vgic *g, uint32_t from, uint64_t value, bool group1);
/* ICC_DIR_EL1, which ICH_HCR_EL2.TDIR trapped; the vCPU has folded. */
void axvmi_vgic_deactivate(struct vgic *g, uint32_t vcpu, uint32_t intid);

/* vCPUs that must fold, and fill their list registers anew. Resets `dirty`. */
static inline uint64_t vgic_update(struct vgic *g)
{
	uint64_t dirty = g->dirty;

	g->dirty = 0;
	return dirty;
}
/* A watched interrupt that the guest has ended, once; 0: none. */
uint32_t axvmi_vgic_take_ended(struct vgic *g);

/* Between the files of the model. */
void axvmi_vgic_refresh(struct vgic *g, uint32_t vcpu, uint32_t w);
void axvmi_vgic_touch(struct vgic *g, uint32_t vcpu, uint32_t w, uint32_t bits);
uint64_t axvmi_vgic_holders(const struct vgic *g, uint32_t vcpu, uint32_t w,
			    uint32_t bits);
void axvmi_vgic_set_active(struct vgic *g, uint32_t vcpu, uint32_t intid,
			   bool active);
void axvmi_vgic_tell(struct vgic *g, uint32_t w, uint32_t bits);
void axvmi_vgic_retarget(struct vgic *g, uint32_t intid);
void axvmi_vgic_retarget_any(struct vgic *g);

/* ---- vgic_bank.c: registers that both frames have, at the same offsets ---- */

/* The bank of redistributor `vcpu`, or of the distributor: VGIC_NOBODY. */
uint64_t axvmi_vgic_bank_read(const struct vgic *g, uint32_t vcpu,
			      uint64_t offset, uint32_t size);
void axvmi_vgic_bank_write(struct vgic *g, uint32_t vcpu, uint64_t offset,
			   uint32_t size, uint64_t value);
uint64_t axvmi_vgic_bank_awaits(const struct vgic *g, uint32_t vcpu,
				uint64_t offset);

/* ---- vgic_dist.c, vgic_redist.c ---- */

/*
 * Accesses at any offset, 1, 2, 4 or 8 bytes, aligned. What does not exist, or
 * not in this width, reads as 0 and ignores writes. Whoever writes has folded.
 * Reads need the lock only where vgic_reads_state() says so.
 */
uint64_t axvmi_vgicd_read(const struct vgic *g, uint64_t offset, uint32_t size);
void axvmi_vgicd_write(struct vgic *g, uint64_t offset, uint32_t size,
		       uint64_t value);
uint64_t axvmi_vgicr_read(const struct vgic *g, uint64_t offset, uint32_t size);
void axvmi_vgicr_write(struct vgic *g, uint64_t offset, uint32_t size,
		       uint64_t value);
/* vCPUs that must fold before such a read is right. */
uint64_t axvmi_vgicd_awaits(const struct vgic *g, uint64_t offset);
uint64_t axvmi_vgicr_awaits(const struct vgic *g, uint64_t offset);
/* Identification registers, at 0xffd0 of every 64 KiB frame. */
uint32_t axvmi_vgic_id(uint64_t offset, uint32_t part);

/* ---- vgic_lr.c ---- */

/*
 * Folds what the guest has done to its list registers into the model; nothing
 * if they are not filled. regs->hcr and the list registers are as read back.
 */
void axvmi_vgic_sync(struct vgic *g, uint32_t vcpu,
		     const struct vgic_cpu_regs *regs);
/*
 * Fills the list registers and regs->hcr; the vCPU has folded. When there are
 * more interrupts than registers, regs->vmcr says which can be taken.
 */
void axvmi_vgic_flush(struct vgic *g, uint32_t vcpu,
		      struct vgic_cpu_regs *regs);
/* Does the guest take an interrupt, or leave a wait, with regs->vmcr and active
 * priorities as they are? The vCPU has folded. */
bool axvmi_vgic_pending(const struct vgic *g, uint32_t vcpu,
			const struct vgic_cpu_regs *regs);

/* ---- small things ---- */

static inline uint32_t vgic_bit(uint32_t intid)
{
	return UINT32_C(1) << intid % 32;
}

static inline struct vgic_word *vgic_word(struct vgic *g, uint32_t vcpu,
					  uint32_t w)
{
	return w == 0 ? &g->cpu[vcpu].own : &g->spi[w];
}

static inline const struct vgic_word *vgic_word_const(const struct vgic *g,
						      uint32_t vcpu, uint32_t w)
{
	return w == 0 ? &g->cpu[vcpu].own : &g->spi[w];
}

/* Bits of word w that are interrupts. */
static inline uint32_t vgic_valid(uint32_t w)
{
	return w == VGIC_WORDS - 1 ? 0x0fffffff : UINT32_MAX;
}

static inline uint32_t vgic_target(const struct vgic *g, uint32_t intid)
{
	return load_relaxed(&g->where[intid]) & 0xff;
}

static inline uint32_t vgic_home(const struct vgic *g, uint32_t intid)
{
	return load_relaxed(&g->where[intid]) >> 8;
}

/* Who may have to evaluate the controller when an input changes; no lock. */
static inline uint64_t vgic_line_targets(const struct vgic *g, uint32_t intid)
{
	uint32_t where = load_seq(&g->where[intid]);
	uint32_t enable = load_seq(&g->spi[intid / 32].enable);
	uint64_t targets = 0;

	if ((where & 0xff) != VGIC_NOBODY && (enable & vgic_bit(intid)) != 0)
		targets = BIT64(where & 0xff);
	if (where >> 8 != VGIC_NOBODY)
		targets |= BIT64(where >> 8);
	return targets;
}

/* Priorities, four to a word, of the bank that has `intid`. */
static inline const atomic_u32 *vgic_priorities(const struct vgic *g,
						uint32_t vcpu, uint32_t intid)
{
	return intid < VGIC_PRIVATE ? &g->cpu[vcpu].priority[intid / 4]
				    : &g->priority[intid / 4];
}

static inline uint32_t vgic_priority(const struct vgic *g, uint32_t vcpu,
				     uint32_t intid)
{
	return load_relaxed(vgic_priorities(g, vcpu, intid)) >> intid % 4 * 8 &
	       0xff;
}

/* Level-sensitive and high, or latched: "Interrupt handling state machine". */
static inline uint32_t vgic_pends(const struct vgic_word *b)
{
	return b->latch | (b->line & ~load_relaxed(&b->edge));
}

/* Pending, enabled, and of a group that the distributor forwards. */
static inline uint32_t vgic_deliverable(const struct vgic *g,
					const struct vgic_word *b)
{
	uint32_t ctlr = load_relaxed(&g->ctlr);
	uint32_t group = load_relaxed(&b->group);
	uint32_t open = (group & -(ctlr >> 1 & 1)) | (~group & -(ctlr & 1));

	return vgic_pends(b) & load_relaxed(&b->enable) & open;
}

/* What guests read most, without the lock. False: axvmi_vgicd_read() must. */
static inline bool vgicd_peek(const struct vgic *g, uint64_t offset,
			      uint32_t size, uint64_t *value)
{
	if (size != 4)
		return false;
	if (offset - GICD_ISENABLER < GICD_ISPENDR - GICD_ISENABLER) {
		*value = load_acquire(&g->spi[offset / 4 % 32].enable);
		return true;
	}
	*value = GICD_TYPER_VALUE;
	return offset == GICD_TYPER;
}

/*
 * Writes of an SPI's priority that change nothing for anybody: it is neither
 * deliverable nor held. Lock held. False: nothing was done.
 */
static inline bool vgicd_poke(struct vgic *g, uint64_t offset, uint32_t size,
			      uint64_t value)
{
	uint64_t intid = offset - GICD_IPRIORITYR;
	const struct vgic_word *b;
	atomic_u32 *word;
	uint32_t mask, shift;

	if (intid - VGIC_PRIVATE >= VGIC_INTIDS - VGIC_PRIVATE ||
	    (size & 5) == 0)
		return false;
	b = &g->spi[intid / 32];
	if (((b->held | b->listed) >> (intid & 28) & 0xf) != 0)
		return false;
	word = &g->priority[intid / 4];
	shift = intid % 4 * 8;
	mask = (size == 1 ? VGIC_PRIORITY_MASK
			  : VGIC_PRIORITY_MASK * 0x01010101u)
	       << shift;
	store_relaxed(word, (load_relaxed(word) & ~mask) |
				    ((uint32_t)value << shift & mask));
	return true;
}

/* ISPENDR to ICACTIVER: list registers may know better. */
static inline bool vgic_reads_state(uint64_t offset)
{
	return offset - GICD_ISPENDR < GICD_IPRIORITYR - GICD_ISPENDR;
}

static inline bool vgic_is_awake(const struct vgic *g, uint32_t vcpu)
{
	return (load_relaxed(&g->awake) >> vcpu & 1) != 0;
}

/* What the guest has written to its CPU interface: ICH_VMCR_EL2. */
static inline void vgic_note_vmcr(struct vgic *g, uint32_t vcpu, uint32_t vmcr)
{
	uint32_t open = vmcr & (ICH_VMCR_ENG0 | ICH_VMCR_ENG1);

	if (g->cpu[vcpu].open != open)
		axvmi_vgic_open(g, vcpu, open);
}

/* axvmi_vgic_refresh() of SGIs and PPIs, which need no search. */
static inline void vgic_refresh_own(struct vgic *g, uint32_t vcpu)
{
	struct vgic_cpu *cpu = &g->cpu[vcpu];
	struct vgic_word *b = &cpu->own;
	uint32_t ready = vgic_deliverable(g, b) & ~(b->active | b->held);

	if ((ready & ~b->listed) != 0)
		g->dirty |= BIT64(vcpu);
	b->listed = ready;
	cpu->ready[0] = ready;
	cpu->ready_words = (cpu->ready_words & ~UINT32_C(1)) | (ready != 0);
}

static inline void vgic_unlist(struct vgic_cpu *cpu, uint32_t w, uint32_t bits)
{
	cpu->ready[w] &= ~bits;
	if (cpu->ready[w] == 0)
		cpu->ready_words &= ~vgic_bit(w);
}

/* Its bit, if the guest's EOI has deactivated the physical interrupt as well. */
static inline uint32_t vgic_ended_with_hw(uint32_t intid, uint64_t lr)
{
	return (lr & (LR_HW | LR_PENDING | LR_ACTIVE)) == LR_HW
		       ? vgic_bit(intid)
		       : 0;
}

/*
 * Of PPI 27 while the CPU's timer drives it: with HW there is no word of its EOI,
 * as it comes again by itself; and no pending and active state, as the physical
 * one cannot pend for us while it is active. Software can make it so, though:
 * then it is the model's alone, until its end.
 */
static inline uint64_t vgic_with_hw(const struct vgic_cpu *cpu, uint64_t lr)
{
	uint32_t latch = cpu->own.latch | cpu->own.loaned;

	if (cpu->hw_lr == 0)
		return lr;
	if ((lr & LR_ACTIVE) != 0) {
		if ((latch & vgic_bit(VGIC_VTIMER)) != 0)
			return lr;
		lr &= ~LR_PENDING;
	}
	return (lr & ~LR_EOI) | cpu->hw_lr;
}

/*
 * The list register of an SGI or PPI in this state. The EOI of a level-sensitive
 * one whose line is high must be heard of: it pends again.
 */
static inline uint64_t vgic_own_lr(const struct vgic_cpu *cpu, uint32_t n,
				   uint64_t state)
{
	const struct vgic_word *b = &cpu->own;
	uint32_t again = b->line & ~load_relaxed(&b->edge);
	uint64_t priority =
		load_relaxed(&cpu->priority[n / 4]) >> n % 4 * 8 & 0xff;
	uint64_t lr = n | (uint64_t)(again >> n & 1) << 41 | priority << 48 |
		      (uint64_t)(load_relaxed(&b->group) >> n & 1) << 60 |
		      state;

	return n == VGIC_VTIMER ? vgic_with_hw(cpu, lr) : lr;
}

#endif
