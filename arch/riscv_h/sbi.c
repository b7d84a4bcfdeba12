/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The supervisor binary interface (SBI 2.0) the guest calls: dispatch, BASE,
 * TIME, IPI, SRST and the family's hypercalls. Runs on the vCPU's own thread;
 * only a0 and a1 of the guest change. The exit path calls.
 */
#include "sbi.h"

#include "axvm/version.h"

/* ---- what several extensions need ---- */

bool axvmi_riscv_sbi_is_ram(const struct axvm_vm *vm, uint64_t gpa,
			    uint32_t access)
{
	const struct axvmi_space *space =
		axvmi_bus_find(&vm->bus[AXVM_BUS_MMIO], gpa);

	return space != NULL && space->kind == AXVMI_SPACE_RAM &&
	       (vm->regions[space->range].config.access & access) == access;
}

static void raise_software(struct axvm_vcpu *target)
{
	/* A stopped hart is not available and must not find it later. */
	if (load_acquire(&target->state) == AXVM_VCPU_OFF)
		return;
	atomic_fetch_or_explicit(&target->line_edges,
				 RISCV_LINE_LEVEL(RISCV_LINE_SOFTWARE),
				 memory_order_seq_cst);
	axvmi_notify(target, AXVMI_ATTN_LINES);
}

void axvmi_riscv_sbi_send_ipi(struct riscv_vcpu *v, uint64_t harts)
{
	uint64_t self = BIT64(v->core.index);

	if ((harts & self) != 0)
		riscv_raise(v, RISCV_VSSIP);
	for (harts &= ~self; harts != 0; harts &= harts - 1)
		raise_software(v->core.vm->vcpus[lowest_bit64(harts)]);
}

/* ---- extensions ---- */

/* "Probe SBI extension"; PMU and all others are absent. */
static uint64_t probe(const struct riscv_vcpu *v, uint64_t extension)
{
	switch (extension) {
	case SBI_LEGACY_SET_TIMER:
	case SBI_LEGACY_CLEAR_IPI:
	case SBI_LEGACY_SEND_IPI:
	case SBI_LEGACY_FENCE_I:
	case SBI_LEGACY_SFENCE_VMA:
	case SBI_LEGACY_SFENCE_VMA_ASID:
	case SBI_LEGACY_SHUTDOWN:
	case SBI_EXT_BASE:
	case SBI_EXT_TIME:
	case SBI_EXT_IPI:
	case SBI_EXT_RFENCE:
	case SBI_EXT_HSM:
	case SBI_EXT_SRST:
		return 1;
	case SBI_LEGACY_PUTCHAR:
	case SBI_LEGACY_GETCHAR:
	case SBI_EXT_DBCN:
		return sbi_has_console(v) ? 1 : 0;
	default:
		return 0;
	}
}

/* "Base Extension" but its first function. */
static OUT_OF_LINE int base_more(struct riscv_vcpu *v)
{
	switch (v->frame.x[REG_A6]) {
	case SBI_BASE_IMPL_ID:
		return sbi_return(v, SBI_SUCCESS, SBI_IMPL_ID);
	case SBI_BASE_IMPL_VERSION:
		return sbi_return(v, SBI_SUCCESS,
				  AXVM_VERSION_MAJOR << 16 |
					  AXVM_VERSION_MINOR << 8 |
					  AXVM_VERSION_PATCH);
	case SBI_BASE_PROBE:
		return sbi_return(v, SBI_SUCCESS, probe(v, sbi_arg(v, 0)));
	case SBI_BASE_MVENDORID:
	case SBI_BASE_MARCHID:
	case SBI_BASE_MIMPID:
		/* Always a legal value; nobody's quirks apply. */
		return sbi_return(v, SBI_SUCCESS, 0);
	default:
		return sbi_return(v, SBI_ERR_NOT_SUPPORTED, 0);
	}
}

/* "IPI Extension": one function. */
static OUT_OF_LINE int send_ipi(struct riscv_vcpu *v)
{
	uint64_t harts;

	if (v->frame.x[REG_A6] != 0)
		return sbi_return(v, SBI_ERR_NOT_SUPPORTED, 0);
	if (!sbi_harts(v->core.vm, sbi_arg(v, 0), sbi_arg(v, 1), &harts))
		return sbi_return(v, SBI_ERR_INVALID_PARAM, 0);
	axvmi_riscv_sbi_send_ipi(v, harts);
	return sbi_return(v, SBI_SUCCESS, 0);
}

/* "System Reset Extension": both parameters are 32 bits wide. */
static OUT_OF_LINE int system_reset(struct riscv_vcpu *v)
{
	uint32_t type = (uint32_t)sbi_arg(v, 0);
	uint32_t cause = (uint32_t)sbi_arg(v, 1);

	if (v->frame.x[REG_A6] != 0)
		return sbi_return(v, SBI_ERR_NOT_SUPPORTED, 0);
	/* Types: shutdown, cold and warm reboot; reasons: none, failure. Others
	 * are reserved, or a platform's of which there are none. */
	if (cause > 1 || type > 2)
		return sbi_return(v, SBI_ERR_INVALID_PARAM, 0);
	sbi_exit(v);
	return axvmi_system_event(&v->core,
				  type == 0 ? AXVM_EXIT_SYSTEM_OFF
					    : AXVM_EXIT_SYSTEM_RESET,
				  type, cause);
}

/* a6 number, a0..a5 arguments; a0 alone changes. The host answers what the
 * library does not. */
static OUT_OF_LINE int hypercall(struct riscv_vcpu *v)
{
	struct axvm_exit *exit;

	switch (axvmi_hypercall(&v->core, v->frame.x[REG_A6],
				&v->frame.x[REG_A0], &v->frame.x[REG_A0])) {
	case AXVMI_HYPERCALL_AGAIN:
		v->frame.pc -= 4;
		return 0;
	case AXVMI_HYPERCALL_DONE:
		return 0;
	case AXVMI_HYPERCALL_HOST:
		break;
	}
	exit = sbi_exit(v);
	exit->u.hypercall.number = v->frame.x[REG_A6];
	for (unsigned i = 0; i < 6; i++)
		exit->u.hypercall.args[i] = sbi_arg(v, i);
	return AXVM_EXIT_HYPERCALL;
}

/* ---- dispatch ---- */

static OUT_OF_LINE int call_more(struct riscv_vcpu *v)
{
	switch (v->frame.x[REG_A7]) {
	case SBI_EXT_IPI:
		return send_ipi(v);
	case SBI_EXT_RFENCE:
		return axvmi_riscv_sbi_rfence(v);
	case SBI_EXT_HSM:
		return axvmi_riscv_sbi_hsm(v);
	case SBI_EXT_DBCN:
		return axvmi_riscv_sbi_dbcn(v);
	case SBI_EXT_SRST:
		return system_reset(v);
	default:
		/* EIDs 0x00-0x0F; those without a function answer as well. */
		return axvmi_riscv_sbi_legacy(v);
	}
}

int axvmi_riscv_sbi_call(struct riscv_vcpu *v)
{
	uint64_t extension = v->frame.x[REG_A7];

	/* The frequent ones by hand: no table, no stack frame. */
	if (extension == SBI_HYPERCALL) {
		axvmi_count(&v->core, AXVM_STAT_HYPERCALL);
		return hypercall(v);
	}
	axvmi_count(&v->core, AXVM_STAT_FIRMWARE_CALL);
	/* "Timer Extension": one function. */
	if (extension == SBI_EXT_TIME && v->frame.x[REG_A6] == 0) {
		sbi_set_timer(v, sbi_arg(v, 0));
		return sbi_return(v, SBI_SUCCESS, 0);
	}
	if (extension == SBI_EXT_BASE) {
		if (v->frame.x[REG_A6] != SBI_BASE_SPEC_VERSION)
			return base_more(v);
		return sbi_return(v, SBI_SUCCESS, SBI_SPEC_VERSION);
	}
	return call_more(v);
}

/* ---- answers ---- */

/* How an attempt to start a vCPU ended, as HSM says it. */
static uint64_t start_error(uint64_t value)
{
	if (value == 0)
		return SBI_SUCCESS;
	if (value == (uint64_t)AXVM_EEXIST)
		return SBI_ERR_ALREADY_AVAILABLE;
	if (value == (uint64_t)AXVM_ENOENT)
		return SBI_ERR_INVALID_PARAM;
	return SBI_ERR_FAILED;
}

void axvmi_riscv_sbi_complete(struct riscv_vcpu *v, uint32_t reason,
			      enum axvm_complete_action action, uint64_t value)
{
	bool refused = action == AXVM_COMPLETE_FAULT;

	/* An ecall has no fault of its own: -1, "failed", in both worlds. */
	if (reason == AXVM_EXIT_CPU_ON)
		sbi_return(v, refused ? SBI_ERR_FAILED : start_error(value), 0);
	else if (reason == AXVM_EXIT_HYPERCALL)
		v->frame.x[REG_A0] = refused ? UINT64_MAX : value;
}
