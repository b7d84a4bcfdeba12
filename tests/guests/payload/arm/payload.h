/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What every payload suite stands on: TAP output on the PL011, PSCI calls,
 * vectors that let one instruction run with chosen registers, stage-1 tables, the
 * machine as the device tree tells it, a GICv3, secondary CPUs. The MMU is on
 * unless a suite switches it off. A suite defines suite(); only the boot CPU
 * prints. Sections named are the Arm ARM's (DDI 0487).
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"
#include "offsets.h"
#include "tap.h"

#define MAX_CPUS 8u
#define PAGE 4096u
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
/* Reads as ones, ignores writes: nothing in our machine, nothing on the PCI bus
 * of QEMU's. */
#define HOLE 0x30000000ull
/* Affinity of no CPU here. */
#define NO_CPU 0x0d07ull
/* No memory, and nothing answers; mapped as if it were RAM. */
#define NOWHERE 0xb0000000ull

/* ---- System registers ---- */

#define sys_read(reg)                                                   \
	({                                                              \
		uint64_t v_;                                            \
		__asm__ volatile("mrs %0, " #reg : "=r"(v_)::"memory"); \
		v_;                                                     \
	})
#define sys_write(reg, v)                                               \
	__asm__ volatile("msr " #reg ", %0\n\tisb" ::"r"((uint64_t)(v)) \
			 : "memory")

/* "GIC System registers", by number so that any assembler takes them. */
#define ICC_PMR_EL1 S3_0_C4_C6_0
#define ICC_IAR0_EL1 S3_0_C12_C8_0
#define ICC_EOIR0_EL1 S3_0_C12_C8_1
#define ICC_HPPIR0_EL1 S3_0_C12_C8_2
#define ICC_BPR0_EL1 S3_0_C12_C8_3
#define ICC_AP0R0_EL1 S3_0_C12_C8_4
#define ICC_AP1R0_EL1 S3_0_C12_C9_0
#define ICC_DIR_EL1 S3_0_C12_C11_1
#define ICC_RPR_EL1 S3_0_C12_C11_3
#define ICC_SGI1R_EL1 S3_0_C12_C11_5
#define ICC_SGI0R_EL1 S3_0_C12_C11_7
#define ICC_IAR1_EL1 S3_0_C12_C12_0
#define ICC_EOIR1_EL1 S3_0_C12_C12_1
#define ICC_HPPIR1_EL1 S3_0_C12_C12_2
#define ICC_BPR1_EL1 S3_0_C12_C12_3
#define ICC_CTLR_EL1 S3_0_C12_C12_4
#define ICC_SRE_EL1 S3_0_C12_C12_5
#define ICC_IGRPEN0_EL1 S3_0_C12_C12_6
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7

/* A macro's name has to become its value before it becomes text. */
#define icc_read(reg) sys_read(reg)
#define icc_write(reg, v) sys_write(reg, v)

#define SCTLR_M 1ull
#define SCTLR_A 2ull
#define SCTLR_C 4ull
#define SCTLR_UMA (1ull << 9)
#define SCTLR_I (1ull << 12)
#define SCTLR_UCT (1ull << 15)
#define SCTLR_UCI (1ull << 26)

/* ---- Exceptions ---- */

/* "Process state": modes and masks of SPSR_EL1. */
#define PSTATE_EL0 0ull
#define PSTATE_EL1T 4ull
#define PSTATE_EL1H 5ull
#define PSTATE_A32 0x10ull /* AArch32 at EL0 */
#define PSTATE_IL (1ull << 20)
#define PSTATE_SS (1ull << 21)
#define PSTATE_PAN (1ull << 22)
#define PSTATE_I (1ull << 7)
#define PSTATE_AIF (0x7ull << 6)
#define PSTATE_DAIF (0xfull << 6)
#define PSTATE_NZCV (0xfull << 28)

/* "ESR_EL1", EC. */
#define EC_UNKNOWN 0x00u
#define EC_FP 0x07u
#define EC_ILLEGAL_STATE 0x0eu
#define EC_SVC 0x15u
#define EC_SYSREG 0x18u
#define EC_IABORT_EL0 0x20u
#define EC_IABORT 0x21u
#define EC_PC_ALIGN 0x22u
#define EC_DABORT_EL0 0x24u
#define EC_DABORT 0x25u
#define EC_SP_ALIGN 0x26u
#define EC_STEP 0x33u
#define EC_BRK 0x3cu

/* "ISS encoding for an exception from a Data Abort". */
#define ESR_IL (1ull << 25)
#define ISS_CM (1ull << 8)
#define ISS_WNR (1ull << 6)
#define FSC_TRANSLATION 0x04u /* and the level */
#define FSC_ACCESS 0x08u
#define FSC_PERMISSION 0x0cu
#define FSC_EXTERNAL 0x10u
#define FSC_WALK 0x14u
#define FSC_ALIGNMENT 0x21u

struct frame {
	uint64_t x[31];
	uint64_t sp; /* SP_EL0 */
	uint64_t pc;
	uint64_t pstate;
	uint64_t esr;
	uint64_t far;
	uint64_t vector; /* 0 to 15 */
	uint64_t unused;
};

struct cpu {
	struct frame frame; /* of the last exception of run() */
	uint64_t main_sp;
	/* What the CPU was started with; entry.S. */
	uint64_t entry_x0;
	uint64_t entry_sctlr;
	uint64_t entry_el;
	uint64_t entry_daif;
	uint64_t entry_spsel;
	uint64_t affinity;
	uint64_t gicr; /* its redistributor */
	volatile bool running; /* an exception ends run() */
	/* Counted by the interrupt handler. */
	volatile uint64_t timer_irqs;
	volatile uint64_t timer_at; /* the clock at the last one */
	volatile uint64_t sgis;
	volatile uint64_t spurious;
	volatile uint64_t last_intid;
	/* Instead of counting; the end of interrupt follows. */
	void (*on_irq)(struct cpu *self, uint32_t intid);
	void (*job)(struct cpu *self);
	uint64_t job_arg;
	volatile uint64_t result;
	volatile bool done;
	uint32_t code[16]; /* where exec() puts its instruction */
	uint8_t main_stack[8192] __attribute__((aligned(16)));
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct frame, sp) == FRAME_SP, "offsets.h");
_Static_assert(offsetof(struct frame, pc) == FRAME_PC, "offsets.h");
_Static_assert(offsetof(struct frame, esr) == FRAME_ESR, "offsets.h");
_Static_assert(offsetof(struct frame, vector) == FRAME_VECTOR, "offsets.h");
_Static_assert(sizeof(struct frame) == FRAME_SIZE, "offsets.h");
_Static_assert(offsetof(struct cpu, main_sp) == CPU_MAIN_SP, "offsets.h");
_Static_assert(offsetof(struct cpu, entry_x0) == CPU_ENTRY, "offsets.h");

extern struct cpu cpus[MAX_CPUS];

static inline struct cpu *self(void)
{
	struct cpu *c;

	__asm__("mrs %0, tpidr_el1" : "=r"(c));
	return c;
}

/* Slots 1.. are the secondary CPUs in the order of the device tree. */
bool cpu_start(uint32_t slot, void (*job)(struct cpu *self), uint64_t arg);
bool cpu_join(uint32_t slot, uint64_t ms);
/* Readies what CPU_ON of `slot` by hand needs. */
void cpu_prepare(uint32_t slot, void (*job)(struct cpu *self), uint64_t arg);
void suite(void);
void boot_main(struct cpu *c, const void *dtb);
void secondary_main(struct cpu *c);
uint64_t trap_c(struct frame *f);
void secondary_entry(void);
void resume_entry(void);
void run_frame(const struct frame *in);
int64_t suspend_away(uint64_t function, uint64_t state, uint64_t entry,
		     struct cpu *c);

/* Enters `in` (pc, sp, x0-x30) at EL1t, or EL0, until the next exception. */
const struct frame *run(const struct frame *in, bool user);
const struct frame *run_mode(const struct frame *in, uint64_t mode);
/* Registers with patterns no device returns. */
void frame_fill(struct frame *f);
/*
 * Runs one instruction, placed at `where` and executed at `pc`; BRK follows.
 * exec() does so in the CPU's own buffer.
 */
const struct frame *exec_at(void *where, uint64_t pc, uint32_t insn,
			    struct frame *f, bool user);
const struct frame *exec(uint32_t insn, struct frame *f);
/* True when that instruction retired and only the BRK trapped. */
bool retired(const struct frame *f, const struct frame *in);
/* The same, and all of x0-x30 and sp are as before but those of `changed`. */
bool unchanged(const struct frame *f, const struct frame *in, uint32_t changed);
/* Calls an address until it traps. */
const struct frame *jump_to(uint64_t pc, bool user);

static inline uint32_t esr_ec(const struct frame *f)
{
	return (uint32_t)(f->esr >> 26) & 0x3f;
}

static inline uint32_t esr_fsc(const struct frame *f)
{
	return (uint32_t)f->esr & 0x3f;
}

static inline void irqs_on(void)
{
	__asm__ volatile("msr daifclr, #3\n\tisb" ::: "memory");
}

static inline void irqs_off(void)
{
	__asm__ volatile("msr daifset, #3" ::: "memory");
}

/* fp_regs.S */
struct fp {
	uint64_t v[32][2];
	uint64_t fpcr;
	uint64_t fpsr;
};

void fp_load(const struct fp *in);
void fp_store(struct fp *out);
void fp_spin(const struct fp *in, struct fp *out, uint64_t end);

/* ---- Machine ---- */

struct machine {
	bool axvm; /* ours, else QEMU's own */
	bool masked_vtimer; /* the host masks it while its interrupt waits */
	uint32_t cpu_count;
	uint64_t affinity[MAX_CPUS]; /* [0] is the boot CPU */
	uint64_t ram_base, ram_size;
	uint64_t gicd, gicr, gicr_size;
	uint64_t uart;
	uint32_t uart_intid;
	uint64_t ivc_base; /* 0: no pool of channels */
	uint32_t ivc_irq;
	uint64_t frequency; /* of the counter, Hz */
};

extern struct machine machine;

static inline uint64_t cpu_id(uint32_t slot)
{
	return machine.affinity[slot];
}

void machine_read(const void *dtb);

static inline uint64_t now(void)
{
	__asm__ volatile("isb" ::: "memory");
	return sys_read(cntvct_el0);
}

static inline uint64_t ms_to_ticks(uint64_t ms)
{
	return ms * machine.frequency / 1000u;
}

/* False when `cond` did not come true within `ms`. */
#define wait_for(cond, ms)                               \
	({                                               \
		uint64_t end_ = now() + ms_to_ticks(ms); \
		while (!(cond) && now() < end_)          \
			;                                \
		(bool)(cond);                            \
	})

static inline void delay_ms(uint64_t ms)
{
	(void)wait_for(false, ms);
}

/* The plain forms, which the syndrome describes. */
#define ACCESSORS(bits, type, mnemonic, r)                       \
	static inline type read##bits(uint64_t a)                \
	{                                                        \
		uint64_t v;                                      \
                                                                 \
		__asm__ volatile("ldr" mnemonic " %" r "0, [%1]" \
				 : "=r"(v)                       \
				 : "r"(a)                        \
				 : "memory");                    \
		return (type)v;                                  \
	}                                                        \
	static inline void write##bits(uint64_t a, type v)       \
	{                                                        \
		__asm__ volatile("str" mnemonic " %" r           \
				 "0, [%1]" ::"r"((uint64_t)v),   \
				 "r"(a)                          \
				 : "memory");                    \
	}

ACCESSORS(8, uint8_t, "b", "w")
ACCESSORS(16, uint16_t, "h", "w")
ACCESSORS(32, uint32_t, "", "w")
ACCESSORS(64, uint64_t, "", "x")

/* PL011 TRM, "Summary of registers". */
#define UART(reg) (machine.uart + (reg))
#define UART_DR 0x00u
#define UART_FR 0x18u
#define UART_IBRD 0x24u
#define UART_LCR_H 0x2cu
#define UART_CR 0x30u
#define UART_IMSC 0x38u
#define UART_RIS 0x3cu
#define UART_ICR 0x44u
#define FR_RXFE 0x10u
#define FR_TXFF 0x20u
#define CR_ON 0x301u
#define CR_LOOP 0x80u
#define UART_RX_IRQ 0x10u
#define UART_TX_IRQ 0x20u
#define UART_RT_IRQ 0x40u

/* ---- GICv3: IHI 0069, "Distributor register map" and so on ---- */

#define GICD(offset) (machine.gicd + (offset))
#define GICD_CTLR 0x0000u
#define GICD_TYPER 0x0004u
#define GICD_IGROUPR 0x0080u
#define GICD_ISENABLER 0x0100u
#define GICD_ICENABLER 0x0180u
#define GICD_ISPENDR 0x0200u
#define GICD_ICPENDR 0x0280u
#define GICD_ISACTIVER 0x0300u
#define GICD_ICACTIVER 0x0380u
#define GICD_IPRIORITYR 0x0400u
#define GICD_ICFGR 0x0c00u
#define GICD_IROUTER 0x6000ull
#define GICR_TYPER 0x0008u
#define GICR_WAKER 0x0014u
#define GICR_SGI 0x10000u
#define GICR_STRIDE 0x20000u
#define SPURIOUS 1023u

/* Of an interrupt: the frame that has its registers. */
uint64_t gic_base(const struct cpu *c, uint32_t intid);
void gic_start(void); /* boot CPU */
void gic_cpu_start(struct cpu *c);
void gic_enable(const struct cpu *c, uint32_t intid, bool on);
void gic_pend(const struct cpu *c, uint32_t intid, bool on);
void gic_activate(const struct cpu *c, uint32_t intid, bool on);
bool gic_is_pending(const struct cpu *c, uint32_t intid);
bool gic_is_active(const struct cpu *c, uint32_t intid);
void gic_priority(const struct cpu *c, uint32_t intid, uint8_t priority);
void gic_group(const struct cpu *c, uint32_t intid, uint32_t group);
void gic_edge(const struct cpu *c, uint32_t intid, bool edge);
void gic_route(uint32_t intid, uint64_t affinity);
/* ICC_SGI1R_EL1 to one CPU. */
void gic_sgi(uint32_t intid, uint64_t affinity);

/* Is an interrupt signalled to this CPU now, masked or not? ("ISR_EL1") */
static inline bool irq_waits(void)
{
	__asm__ volatile("dsb sy\n\tisb" ::: "memory");
	return (sys_read(isr_el1) & PSTATE_I) != 0;
}

/* The timer's PPIs. */
#define PPI_VIRTUAL 27u
#define PPI_PHYSICAL 30u

/* ---- PSCI (DEN0022), SMCCC (DEN0028) ---- */

#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_SUSPEND 0xc4000001u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0xc4000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define PSCI_SYSTEM_RESET2 0xc4000012u
#define SMC32(function) ((function) & ~0x40000000u)
#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u

#define PSCI_OK 0
#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_ALREADY_ON (-4)
#define PSCI_INVALID_ADDRESS (-9)

/* By HVC. PSCI results are 32 bits wide, with a sign. */
int64_t call(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3);

static inline int64_t psci(uint64_t function, uint64_t a1, uint64_t a2,
			   uint64_t a3)
{
	return (int32_t)call(function, a1, a2, a3);
}

/* ---- Stage 1: "VMSAv8-64 translation table format descriptors" ---- */

#define PTE_VALID 1ull
#define PTE_TABLE 3ull
#define PTE_PAGE 3ull
#define PTE_BLOCK 1ull
#define PTE_ATTR(n) ((uint64_t)(n) << 2)
#define PTE_EL0 (1ull << 6)
#define PTE_RO (1ull << 7)
#define PTE_SHARED (3ull << 8)
#define PTE_AF (1ull << 10)
#define PTE_PXN (1ull << 53)
#define PTE_UXN (1ull << 54)
#define PTE_NORMAL (PTE_ATTR(1) | PTE_SHARED | PTE_AF)
#define PTE_DEVICE (PTE_AF | PTE_PXN | PTE_UXN)
/* The region of virtual addresses for the tests' own pages. */
#define TEST_VA 0x1000000000ull

/* New tables that map devices and RAM, the low 4 GiB, to themselves. */
void paging_reset(void);
/* The entry of a 4 KiB page, tables made on the way. */
uint64_t *paging_entry(uint64_t va);
/* The entry at level 1 (of 1 GiB) or 2 (of 2 MiB). */
uint64_t *paging_upper_entry(uint64_t va, uint32_t level);
void paging_map(uint64_t va, uint64_t pa, uint64_t flags);
void paging_on(void);
void paging_off(void);
void tlb_flush(void);
/* To the point of coherency, for a CPU whose caches are off. */
void clean(const void *start, size_t size);
/* What was written may be executed. */
void code_written(const void *start, size_t size);

#endif
