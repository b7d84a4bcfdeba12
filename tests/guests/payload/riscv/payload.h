/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What every payload suite stands on: TAP output on the 16550, SBI calls, a
 * trap vector that lets one instruction run with chosen registers, Sv39
 * tables, the machine as the device tree tells it, and secondary harts.
 * A suite defines suite(); only the boot hart prints.
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
/* Nothing is mapped here in the machine the suites run on. */
#define HOLE 0x40000000ull
#define NO_HART 1000ull

/* RISC-V Privileged, "Supervisor Cause Register". */
#define CAUSE_FETCH_ACCESS 1u
#define CAUSE_ILLEGAL 2u
#define CAUSE_BREAKPOINT 3u
#define CAUSE_LOAD_MISALIGNED 4u
#define CAUSE_LOAD_ACCESS 5u
#define CAUSE_STORE_MISALIGNED 6u
#define CAUSE_STORE_ACCESS 7u
#define CAUSE_USER_ECALL 8u
#define CAUSE_FETCH_PAGE 12u
#define CAUSE_LOAD_PAGE 13u
#define CAUSE_STORE_PAGE 15u
#define CAUSE_INTERRUPT (1ull << 63)

#define SSTATUS_SIE (1ull << 1)
#define SSTATUS_SPIE (1ull << 5)
#define SSTATUS_SPP (1ull << 8)
#define SSTATUS_VS (3ull << 9)
#define SSTATUS_FS (3ull << 13)
#define SSTATUS_SUM (1ull << 18)
#define SSTATUS_MXR (1ull << 19)
#define IRQ_SOFT (1ull << 1)
#define IRQ_TIMER (1ull << 5)
#define IRQ_EXT (1ull << 9)

/* CSR by number or name, so that any assembler takes it. */
#define csr_read(csr)                                                    \
	({                                                               \
		uint64_t v_;                                             \
		__asm__ volatile("csrr %0, " #csr : "=r"(v_)::"memory"); \
		v_;                                                      \
	})
#define csr_write(csr, v) \
	__asm__ volatile("csrw " #csr ", %0" ::"r"((uint64_t)(v)) : "memory")
#define csr_set(csr, v) \
	__asm__ volatile("csrs " #csr ", %0" ::"r"((uint64_t)(v)) : "memory")
#define csr_clear(csr, v) \
	__asm__ volatile("csrc " #csr ", %0" ::"r"((uint64_t)(v)) : "memory")

/* ---- Harts and traps ---- */

struct frame {
	uint64_t x[32];
	uint64_t epc;
	uint64_t cause;
	uint64_t tval;
	uint64_t status;
};

struct cpu {
	struct frame frame; /* of the last trap */
	uint64_t trap_sp;
	uint64_t run_sp;
	uint64_t main_sp;
	uint64_t entry_a0; /* what a secondary hart was started with */
	uint64_t entry_satp;
	uint64_t entry_status;
	uint64_t id;
	volatile bool running; /* an exception ends run() */
	volatile uint64_t timer_irqs;
	volatile uint64_t timer_at; /* rdtime of the last one */
	volatile uint64_t soft_irqs;
	volatile uint64_t ext_irqs;
	void (*on_ext)(struct cpu *self);
	void (*job)(struct cpu *self);
	uint64_t job_arg;
	volatile uint64_t result;
	volatile bool done;
	uint32_t code[16]; /* where exec() puts its instruction */
	uint8_t main_stack[8192] __attribute__((aligned(16)));
	uint8_t trap_stack[4096] __attribute__((aligned(16)));
};

_Static_assert(offsetof(struct cpu, trap_sp) == CPU_TRAP_SP, "offsets.h");
_Static_assert(offsetof(struct cpu, run_sp) == CPU_RUN_SP, "offsets.h");
_Static_assert(offsetof(struct cpu, main_sp) == CPU_MAIN_SP, "offsets.h");
_Static_assert(offsetof(struct cpu, entry_a0) == CPU_ENTRY, "offsets.h");
_Static_assert(offsetof(struct frame, epc) == FRAME_EPC, "offsets.h");

extern struct cpu cpus[MAX_CPUS];

static inline struct cpu *self(void)
{
	struct cpu *h;

	__asm__("mv %0, tp" : "=r"(h));
	return h;
}

static inline void irqs_on(void)
{
	csr_set(sstatus, SSTATUS_SIE);
}

static inline void irqs_off(void)
{
	csr_clear(sstatus, SSTATUS_SIE);
}

/* Slots 1.. are the secondary harts in the order of the device tree. */
bool cpu_start(uint32_t slot, void (*job)(struct cpu *self), uint64_t arg);
bool cpu_join(uint32_t slot, uint64_t ms);
void suite(void);
void boot_main(struct cpu *h, uint64_t id, const void *dtb);
void secondary_main(struct cpu *h);
uint64_t trap_c(struct cpu *h);
void secondary_entry(void);
void resume_entry(void);
void trap_entry(void);
void run_frame(void);

/* Enters `in` (pc in epc, privilege in `user`) until the next exception. */
const struct frame *run(const struct frame *in, bool user);
/* Registers with patterns no device returns. */
void frame_fill(struct frame *f);
/*
 * Runs one instruction of 2 or 4 bytes, placed at `where` and executed at
 * `pc`; c.ebreak follows. exec() does so in the hart's own buffer.
 */
const struct frame *exec_at(void *where, uint64_t pc, uint32_t insn,
			    struct frame *f, bool user);
const struct frame *exec(uint32_t insn, struct frame *f);
uint32_t insn_length(uint32_t insn);
/* True when that instruction retired and only the c.ebreak trapped. */
bool retired(const struct frame *f, const struct frame *in, uint32_t insn);
/* Calls an address until it traps. */
const struct frame *jump_to(uint64_t pc);

/*
 * Is this interrupt (timer or external) raised? Found out by taking it, for
 * QEMU before 8.1 shows a guest nothing but SSIP in sip. Counters stay.
 */
bool raised(uint64_t bit);

/* ---- Machine ---- */

struct machine {
	uint32_t cpu_count;
	uint64_t hart_id[MAX_CPUS]; /* [0] is the boot hart */
	uint32_t plic_context[MAX_CPUS]; /* its S-mode context */
	uint32_t phandle[MAX_CPUS]; /* of its interrupt controller */
	uint64_t ram_base, ram_size;
	uint64_t plic_base, uart_base;
	uint32_t uart_irq;
	uint64_t ivc_base; /* 0: no pool of channels */
	uint32_t ivc_irq;
	uint64_t frequency; /* of the clock, Hz */
	char isa[256];
};

extern struct machine machine;

static inline uint64_t cpu_id(uint32_t slot)
{
	return machine.hart_id[slot];
}

void machine_read(const void *dtb, uint64_t boot_hart);
bool isa_has(const char *name);

static inline uint64_t now(void)
{
	return csr_read(time);
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

static inline uint8_t read8(uint64_t a)
{
	return *(volatile uint8_t *)a;
}

static inline uint32_t read32(uint64_t a)
{
	return *(volatile uint32_t *)a;
}

static inline void write8(uint64_t a, uint8_t v)
{
	*(volatile uint8_t *)a = v;
}

static inline void write32(uint64_t a, uint32_t v)
{
	*(volatile uint32_t *)a = v;
}

/* 16550 registers at their byte offsets. */
#define UART(reg) (machine.uart_base + (reg))
#define UART_DATA 0u
#define UART_IER 1u
#define UART_IIR 2u
#define UART_LCR 3u
#define UART_MCR 4u
#define UART_LSR 5u
#define UART_SCR 7u

/* RISC-V PLIC, "Memory Map". */
#define PLIC_PRIORITY(src) (machine.plic_base + 4ull * (src))
#define PLIC_PENDING(word) (machine.plic_base + 0x1000u + 4ull * (word))
#define PLIC_ENABLE(ctx, word) \
	(machine.plic_base + 0x2000u + 0x80ull * (ctx) + 4ull * (word))
#define PLIC_THRESHOLD(ctx) (machine.plic_base + 0x200000u + 0x1000ull * (ctx))
#define PLIC_CLAIM(ctx) (PLIC_THRESHOLD(ctx) + 4u)

/* ---- SBI ---- */

#define SBI_BASE 0x10u
#define SBI_TIME 0x54494d45u
#define SBI_IPI 0x735049u
#define SBI_RFENCE 0x52464e43u
#define SBI_HSM 0x48534du
#define SBI_SRST 0x53525354u
#define SBI_DBCN 0x4442434eu
#define SBI_PMU 0x504d55u

#define SBI_OK 0ull
#define SBI_NOT_SUPPORTED ((uint64_t)-2)
#define SBI_INVALID_PARAM ((uint64_t)-3)
#define SBI_INVALID_ADDRESS ((uint64_t)-5)
#define SBI_ALREADY_AVAILABLE ((uint64_t)-6)

struct sbiret {
	uint64_t error;
	uint64_t value;
};

struct sbiret sbi_call(uint64_t ext, uint64_t fid, const uint64_t args[6]);
/* Missing arguments are 0. */
#define sbi(ext, fid, ...) sbi_call(ext, fid, (const uint64_t[6]){__VA_ARGS__})

static inline uint64_t set_timer(uint64_t when)
{
	return sbi(SBI_TIME, 0, when).error;
}

/* ---- Sv39 ---- */

#define PTE_V 1ull
#define PTE_R 2ull
#define PTE_W 4ull
#define PTE_X 8ull
#define PTE_U 16ull
#define PTE_AD 0xc0ull
#define PTE_RW (PTE_V | PTE_R | PTE_W | PTE_AD)
#define PTE_RWX (PTE_RW | PTE_X)
/* The region of virtual addresses for the tests' own pages. */
#define TEST_VA 0x1000000000ull

/* New tables that map the low 4 GiB to itself. */
void paging_reset(void);
/* The entry of a 4 KiB page, tables made on the way. */
uint64_t *paging_entry(uint64_t va);
/* The entry two levels up: of the 1 GiB around `va`. */
uint64_t *paging_root_entry(uint64_t va);
void paging_map(uint64_t va, uint64_t pa, uint64_t flags);
void paging_on(void);
void paging_off(void);

static inline uint64_t make_pte(uint64_t pa, uint64_t flags)
{
	return pa >> 12 << 10 | flags;
}

static inline void sfence(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}

static inline void fence_i(void)
{
	__asm__ volatile("fence.i" ::: "memory");
}

#endif
