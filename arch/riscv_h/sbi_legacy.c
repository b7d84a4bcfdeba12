/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * SBI legacy extensions, EIDs 0 to 8: a6 is ignored, a1 does not change, and
 * hart masks lie in guest virtual memory. Also where unknown EIDs end.
 */
#include "sbi.h"

static int answer(struct riscv_vcpu *v, uint64_t value)
{
	v->frame.x[REG_A0] = value;
	return 0;
}

/*
 * One doubleword names all harts there can be. No pointer means all harts, as
 * callers from before SBI 0.2 expect. The specification would have the guest
 * take the page fault of a bad pointer; it gets an error instead.
 */
static uint64_t read_harts(struct riscv_vcpu *v, uint64_t *harts)
{
	struct axvm_vm *vm = v->core.vm;
	uint64_t gva = sbi_arg(v, 0);
	uint64_t mask = 0;

	if (gva != 0 &&
	    riscv_vm(vm)->metal->read_guest_virtual(v, gva, &mask) != AXVM_OK)
		return SBI_ERR_INVALID_ADDRESS;
	if (!sbi_harts(vm, mask, gva == 0 ? UINT64_MAX : 0, harts))
		return SBI_ERR_INVALID_PARAM;
	return SBI_SUCCESS;
}

/* As RFENCE, whose range rules apply; only the arguments stand elsewhere. */
static int legacy_fence(struct riscv_vcpu *v, uint64_t extension)
{
	uint64_t asid = UINT64_MAX;
	uint64_t harts;
	uint64_t error = read_harts(v, &harts);

	if (error != SBI_SUCCESS)
		return answer(v, error);
	if (extension == SBI_LEGACY_FENCE_I)
		return answer(v, axvmi_riscv_sbi_fence_i(v, harts));
	if (extension == SBI_LEGACY_SFENCE_VMA_ASID)
		asid = sbi_arg(v, 3);
	return answer(v, axvmi_riscv_sbi_fence_vma(v, harts, sbi_arg(v, 1),
						   sbi_arg(v, 2), asid));
}

static int legacy_send_ipi(struct riscv_vcpu *v)
{
	uint64_t harts;
	uint64_t error = read_harts(v, &harts);

	if (error == SBI_SUCCESS)
		axvmi_riscv_sbi_send_ipi(v, harts);
	return answer(v, error);
}

/* "Clear IPI": 1 if one had been pending, taken in by irq_sync or not. */
static int legacy_clear_ipi(struct riscv_vcpu *v)
{
	uint32_t line = RISCV_LINE_LEVEL(RISCV_LINE_SOFTWARE);
	uint64_t hvip = riscv_vm(v->core.vm)->metal->read_hvip(v);
	uint32_t edges = atomic_fetch_and_explicit(&v->core.line_edges, ~line,
						   memory_order_seq_cst);

	hvip = (hvip & ~v->hvip_clear) | v->hvip_set;
	riscv_lower(v, RISCV_VSSIP);
	return answer(v, (hvip & RISCV_VSSIP) != 0 || (edges & line) != 0);
}

/* "Console Putchar" blocks by the book; a full console is an error here. */
static int legacy_putchar(struct riscv_vcpu *v)
{
	const struct axvm_debug_console *console = &v->core.vm->console;

	if (!sbi_has_console(v))
		return answer(v, SBI_ERR_NOT_SUPPORTED);
	if (!console->write(console->ctx, (uint8_t)sbi_arg(v, 0)))
		return answer(v, SBI_ERR_FAILED);
	return answer(v, SBI_SUCCESS);
}

/* "Console Getchar": the byte, or -1. */
static int legacy_getchar(struct riscv_vcpu *v)
{
	const struct axvm_debug_console *console = &v->core.vm->console;
	int byte = -1;

	if (!sbi_has_console(v))
		return answer(v, SBI_ERR_NOT_SUPPORTED);
	if (console->read != NULL)
		byte = console->read(console->ctx);
	return answer(v, byte < 0 ? UINT64_MAX : (uint8_t)byte);
}

int axvmi_riscv_sbi_legacy(struct riscv_vcpu *v)
{
	uint64_t extension = v->frame.x[REG_A7];

	switch (extension) {
	case SBI_LEGACY_SET_TIMER:
		sbi_set_timer(v, sbi_arg(v, 0));
		return answer(v, SBI_SUCCESS);
	case SBI_LEGACY_PUTCHAR:
		return legacy_putchar(v);
	case SBI_LEGACY_GETCHAR:
		return legacy_getchar(v);
	case SBI_LEGACY_CLEAR_IPI:
		return legacy_clear_ipi(v);
	case SBI_LEGACY_SEND_IPI:
		return legacy_send_ipi(v);
	case SBI_LEGACY_FENCE_I:
	case SBI_LEGACY_SFENCE_VMA:
	case SBI_LEGACY_SFENCE_VMA_ASID:
		return legacy_fence(v, extension);
	case SBI_LEGACY_SHUTDOWN:
		sbi_exit(v);
		return axvmi_system_event(&v->core, AXVM_EXIT_SYSTEM_OFF, 0, 0);
	default:
		return sbi_return(v, SBI_ERR_NOT_SUPPORTED, 0);
	}
}
