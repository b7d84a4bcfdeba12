/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A backend for host tests that models a machine instead of mocking one: CPUs
 * with TLBs that forget nothing by themselves, a walker of the real tables, and
 * guests that are small programs. Whatever real hardware would punish silently
 * (stale translations, reused tags, missed flushes, code that was not synced) is
 * recorded as a violation; a test asserts that there is none.
 */
#ifndef STUB_ARCH_H
#define STUB_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "axvm/axvm.h"
#include "host_hal.h"

#define STUB_CPUS 4u
#define STUB_REGS 8u
#define STUB_ARGS 3u
/* Interrupt lines 1..63; per-vCPU lines as RISC-V has them. */
#define STUB_LINES 63u
#define STUB_VCPU_LINES (1u << 1 | 1u << 5 | 1u << 9)

enum stub_format {
	STUB_SV39X4,
	STUB_SV48X4,
	STUB_EPT,
	STUB_ARM
};

struct stub_config {
	enum stub_format format;
	unsigned cpus; /* enabled by stub_new(); 0: 1 */
	unsigned max_cpus; /* the host may have; 0: STUB_CPUS */
	unsigned tag_bits;
	bool no_kick;
	bool no_tables; /* no guest_tables op */
	bool broadcast; /* tlb_flush_range instead of kicks */
	bool poc_sync; /* guests see only what sync_guest_memory was told */
	bool sync_each_cpu; /* instruction caches want a flush per CPU */
	bool sync_broadcast; /* or sync_guest_code */
	bool threads; /* several threads: checks that would race are off */
};

/* What a guest does. "Result" is register 1 unless said otherwise. */
enum stub_op_kind {
	STUB_END = 0, /* the host's tick: run returns IRQ, for ever */
	STUB_READ, /* a: gpa; result */
	STUB_WRITE, /* a: gpa, b: value */
	STUB_EXEC, /* a: gpa; result: the word there */
	STUB_SATP, /* a: ASID, b: gpa of a page of 512 entries: gpa | 1 */
	STUB_GREAD, /* a: guest-virtual address; result */
	STUB_SFENCE, /* the guest drops its own translations on this CPU */
	STUB_PEEK, /* a: gpa; an exit, the library reads for the guest */
	STUB_WFI, /* a: deadline, 0: none */
	/* a: number, b: argument 0; the others from register STUB_ARGS on;
	 * register 0: result */
	STUB_HYPERCALL,
	STUB_CPU_ON, /* a: vCPU, b: entry; register 0: 0 or AXVM_E* */
	STUB_CPU_OFF,
	STUB_SYSTEM_OFF, /* a: type, b: code */
	STUB_SYSTEM_RESET,
	STUB_SYSREG, /* a: number; result */
	STUB_PORT, /* a: port; result */
	STUB_UNKNOWN, /* an exit nobody knows */
	STUB_FAIL_ENTRY, /* the hardware refuses to enter; a: code */
	STUB_ERROR, /* the backend itself fails; a: the error, as int */
	STUB_SPIN, /* until kicked, or a polls (0: no bound) */
	STUB_JUMP, /* a: index of the next op */
	STUB_IRQS, /* result: lines pending, private ones << 32 */
	STUB_ACK, /* forgets edges */
	STUB_SET, /* a: register, b: value */
	STUB_CSR, /* b: value of the register that lives on the CPU */
	STUB_TIME, /* result: the guest's counter */
	STUB_EXPECT, /* a: what the result must be */
};

struct stub_op {
	enum stub_op_kind kind;
	uint64_t a, b;
};

/* The register that is on the CPU while the vCPU is resident. */
#define STUB_REG_CSR 0x10000u
#define STUB_REG_ENTRY AXVM_REG_GPR(2)
#define STUB_REG_ARGUMENT AXVM_REG_GPR(3)
#define STUB_REG_RESULT AXVM_REG_GPR(1)

struct stub_machine;

/* A machine with its host; CPUs 0..cpus - 1 enabled. */
struct stub_machine *stub_new(const struct stub_config *config);
/* Neither a host nor CPUs yet: stub_hal() may be edited before. */
struct stub_machine *stub_new_bare(const struct stub_config *config);
int stub_host(struct stub_machine *m);
/* Disables CPUs, destroys the host; false: a leak or a violation. */
bool stub_delete(struct stub_machine *m);

struct axvm_host *stub_get_host(struct stub_machine *m);
struct axvm_cpu *stub_cpu(struct stub_machine *m, unsigned cpu);
struct test_hal *stub_hal(struct stub_machine *m);
const struct axvm_arch_ops *stub_ops(struct stub_machine *m);

int stub_cpu_enable(struct stub_machine *m, unsigned cpu);
int stub_cpu_disable(struct stub_machine *m, unsigned cpu);
/* The calling thread plays that CPU from now on. */
void stub_be(struct stub_machine *m, unsigned cpu);
/* The same for coroutines of one thread, which play a CPU each and are left
 * anywhere: the CPU keeps whether its interrupts are masked. */
void stub_switch(struct stub_machine *m, unsigned cpu);
/* Does so and runs. */
int stub_run(struct stub_machine *m, unsigned cpu, struct axvm_vm *vm,
	     uint32_t vcpu, struct axvm_exit *exit);
/* Is the calling thread inside the library's interrupt-free part? */
bool stub_masked(void);

/* Ends with STUB_END. The ops stay the test's; kept over resets. */
void stub_program(struct axvm_vm *vm, uint32_t vcpu, const struct stub_op *ops);
/* Registers of a vCPU that does not run. */
uint64_t stub_reg(struct axvm_vm *vm, uint32_t vcpu, uint32_t reg);
/* Faults the guest was given so far. */
uint64_t stub_faults(struct axvm_vm *vm, uint32_t vcpu);
/* Called once, outside the guest: at a STUB_WFI before the library is asked to
 * halt, at a STUB_PEEK before the access, at a STUB_CPU_OFF when it is off. */
void stub_outside(struct axvm_vm *vm, uint32_t vcpu, void (*hook)(void *arg),
		  void *arg);
/* At the next op, while the guest is inside: what another CPU might do. */
void stub_inside(struct axvm_vm *vm, uint32_t vcpu, void (*hook)(void *arg),
		 void *arg);

/* Memory that the host lent was written and synced by the host. */
void stub_host_synced(struct stub_machine *m, struct axvm_hpa hpa,
		      uint64_t size);

/* Violations so far and the first one's text ("" if none). */
unsigned stub_violations(struct stub_machine *m);
const char *stub_violation(struct stub_machine *m);
/* For tests that provoke some. */
void stub_forgive(struct stub_machine *m);

/* How often operations were called on a CPU. */
enum stub_counter {
	STUB_FLUSH_LOCAL,
	STUB_FLUSH_ALL,
	STUB_FLUSH_RANGE,
	STUB_FLUSH_GUEST,
	STUB_SYNC_CODE,
	STUB_LOADS,
	STUB_PUTS,
	STUB_COUNTERS,
};
uint64_t stub_count(struct stub_machine *m, unsigned cpu,
		    enum stub_counter counter);

/* The counter that guests read. */
void stub_set_counter(uint64_t ticks);
/* Fails the next cpu_enable with ENOTSUP and a reason. */
void stub_refuse_cpu(struct stub_machine *m);

#endif
