/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Numbers of the RISC-V Supervisor Binary Interface Specification 2.0 and the
 * calls between the sbi*.c files.
 */
#ifndef AXVMI_RISCV_H_SBI_H
#define AXVMI_RISCV_H_SBI_H

#include "backend.h"

/* "Standard SBI Errors", as they stand in a0. */
#define SBI_SUCCESS UINT64_C(0)
#define SBI_ERR_FAILED (-UINT64_C(1))
#define SBI_ERR_NOT_SUPPORTED (-UINT64_C(2))
#define SBI_ERR_INVALID_PARAM (-UINT64_C(3))
#define SBI_ERR_DENIED (-UINT64_C(4))
#define SBI_ERR_INVALID_ADDRESS (-UINT64_C(5))
#define SBI_ERR_ALREADY_AVAILABLE (-UINT64_C(6))

/* Extension ids, in a7. */
#define SBI_LEGACY_SET_TIMER 0x00u
#define SBI_LEGACY_PUTCHAR 0x01u
#define SBI_LEGACY_GETCHAR 0x02u
#define SBI_LEGACY_CLEAR_IPI 0x03u
#define SBI_LEGACY_SEND_IPI 0x04u
#define SBI_LEGACY_FENCE_I 0x05u
#define SBI_LEGACY_SFENCE_VMA 0x06u
#define SBI_LEGACY_SFENCE_VMA_ASID 0x07u
#define SBI_LEGACY_SHUTDOWN 0x08u
#define SBI_EXT_BASE 0x10u
#define SBI_EXT_TIME 0x54494d45u
#define SBI_EXT_IPI 0x735049u
#define SBI_EXT_RFENCE 0x52464e43u
#define SBI_EXT_HSM 0x48534du
#define SBI_EXT_SRST 0x53525354u
#define SBI_EXT_DBCN 0x4442434eu
/* Not an SBI extension: the hypercalls of this family of hypervisors. */
#define SBI_HYPERCALL 0x485643u

/* Function ids, in a6. */
enum sbi_base_function {
	SBI_BASE_SPEC_VERSION = 0,
	SBI_BASE_IMPL_ID,
	SBI_BASE_IMPL_VERSION,
	SBI_BASE_PROBE,
	SBI_BASE_MVENDORID,
	SBI_BASE_MARCHID,
	SBI_BASE_MIMPID,
};

enum sbi_rfence_function {
	SBI_RFENCE_FENCE_I = 0,
	SBI_RFENCE_SFENCE_VMA,
	SBI_RFENCE_SFENCE_VMA_ASID,
};

enum sbi_hsm_function {
	SBI_HSM_START = 0,
	SBI_HSM_STOP,
	SBI_HSM_STATUS,
	SBI_HSM_SUSPEND,
};

enum sbi_dbcn_function {
	SBI_DBCN_WRITE = 0,
	SBI_DBCN_READ,
	SBI_DBCN_WRITE_BYTE,
};

/* "HSM Hart States"; the pending ones but one pass unseen here. */
#define SBI_HSM_STARTED UINT64_C(0)
#define SBI_HSM_STOPPED UINT64_C(1)
#define SBI_HSM_START_PENDING UINT64_C(2)
#define SBI_HSM_SUSPENDED UINT64_C(4)

#define SBI_SPEC_VERSION UINT64_C(0x02000000)
/* "SBI Implementation IDs" assigns small numbers one by one; this one ("axvm"
 * in ASCII) is far from them. The library's version is the other's value. */
#define SBI_IMPL_ID UINT64_C(0x6178766d)

/* Ends a call with error and value; go on in the guest. */
static inline int sbi_return(struct riscv_vcpu *v, uint64_t error,
			     uint64_t value)
{
	v->frame.x[REG_A0] = error;
	v->frame.x[REG_A1] = value;
	return 0;
}

/* Argument n of the call, 0 to 5. */
static inline uint64_t sbi_arg(const struct riscv_vcpu *v, unsigned n)
{
	return v->frame.x[REG_A0 + n];
}

/* Exits of this call carry the address of the ecall. */
static inline struct axvm_exit *sbi_exit(struct riscv_vcpu *v)
{
	v->core.exit->pc = v->frame.pc - 4;
	return v->core.exit;
}

static inline bool sbi_has_console(const struct riscv_vcpu *v)
{
	return v->core.vm->console.write != NULL;
}

/* Drops VSTIP unless the timer line's level holds it; see irq.c. */
static inline void sbi_timer_lower(struct riscv_vcpu *v)
{
	v->lines &= ~RISCV_LINE_EDGE(RISCV_LINE_TIMER);
	if ((v->lines & RISCV_LINE_LEVEL(RISCV_LINE_TIMER)) == 0)
		riscv_lower(v, RISCV_VSTIP);
}

/*
 * "Set Timer": also clears the pending interrupt. With Sstc the comparison with
 * vstimecmp does that, but for an edge the host injected on the timer line.
 */
static inline void sbi_set_timer(struct riscv_vcpu *v, uint64_t time)
{
	v->timer = time;
	v->effects |= RISCV_EFFECT_TIMER;
	if (!riscv_has(v->core.vm->host, RISCV_FEATURE_SSTC) ||
	    (v->lines & RISCV_LINE_EDGE(RISCV_LINE_TIMER)) != 0)
		sbi_timer_lower(v);
}

/* The byte at gpa is RAM of a region with these rights. */
bool axvmi_riscv_sbi_is_ram(const struct axvm_vm *vm, uint64_t gpa,
			    uint32_t access);
/* "Hart list parameter" as a set of vCPUs, which are the hart ids; false:
 * INVALID_PARAM. */
static inline bool sbi_harts(const struct axvm_vm *vm, uint64_t mask,
			     uint64_t base, uint64_t *harts)
{
	uint64_t last = vm->vcpu_count - 1u;

	if (base <= last) {
		*harts = mask << base;
		return mask >> (last - base) <= 1;
	}
	*harts = base == UINT64_MAX ? UINT64_MAX >> (63 - last) : 0;
	return base == UINT64_MAX || mask == 0;
}

void axvmi_riscv_sbi_send_ipi(struct riscv_vcpu *v, uint64_t harts);

/* What a remote fence does, to whom; returns the SBI error. ASID UINT64_MAX:
 * any. */
uint64_t axvmi_riscv_sbi_fence_vma(struct riscv_vcpu *v, uint64_t harts,
				   uint64_t start, uint64_t size,
				   uint64_t asid);
uint64_t axvmi_riscv_sbi_fence_i(struct riscv_vcpu *v, uint64_t harts);

/* The extensions; as axvmi_riscv_sbi_call(). */
int axvmi_riscv_sbi_rfence(struct riscv_vcpu *v);
int axvmi_riscv_sbi_hsm(struct riscv_vcpu *v);
int axvmi_riscv_sbi_dbcn(struct riscv_vcpu *v);
int axvmi_riscv_sbi_legacy(struct riscv_vcpu *v);

#endif
