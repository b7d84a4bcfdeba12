/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What the models ask of the hart: timers, interrupt bits, fences, traps of the
 * guest. For the vCPU that is resident here, between its exit and its entry.
 */
#include "exit.h"
#include "hw.h"
#include "metal.h"

static uint64_t guest_counter(const struct riscv_vcpu *v)
{
	return csr_read(CSR_TIME) + load_relaxed(&v->core.vm->time_offset);
}

/* ---- timer ---- */

/*
 * Without Sstc VSTIP is what the SBI timer says: on from its time on, and the
 * host's timer makes sure that somebody looks then.
 */
void axvmi_riscv_timer_look(struct riscv_vcpu *v)
{
	const struct axvm_hal *hal = &v->core.vm->host->hal;
	uint64_t now = guest_counter(v);

	if (v->timer == UINT64_MAX)
		return;
	if (now >= v->timer)
		riscv_raise(v, RISCV_VSTIP);
	else if (hal->timer != NULL)
		hal->timer(hal->ctx,
			   axvmi_deadline_in(v->core.vm->host, v->timer - now));
}

static void timer_set(struct riscv_vcpu *v)
{
	const struct axvm_hal *hal = &v->core.vm->host->hal;

	if (riscv_has(v->core.vm->host, RISCV_FEATURE_SSTC))
		csr_write(CSR_VSTIMECMP, v->timer);
	else if (v->timer == UINT64_MAX && hal->timer != NULL)
		hal->timer(hal->ctx, UINT64_MAX);
	else
		axvmi_riscv_timer_look(v);
}

uint64_t axvmi_riscv_timer_deadline(struct riscv_vcpu *v)
{
	bool sstc = riscv_has(v->core.vm->host, RISCV_FEATURE_SSTC);
	uint64_t due = sstc ? csr_read(CSR_VSTIMECMP) : v->timer;
	uint64_t now = guest_counter(v);

	if (due == UINT64_MAX || (csr_read(CSR_VSIE) & RISCV_VSTIP >> 1) == 0)
		return AXVM_NO_DEADLINE;
	return axvmi_deadline_in(v->core.vm->host, due > now ? due - now : 0);
}

/* ---- effects of the models ---- */

static void fence_vma(const struct riscv_vcpu *v)
{
	bool all_asids = v->fence_asid == UINT64_MAX;
	uint64_t end = v->fence_start + v->fence_size;

	if (v->fence_size > RISCV_FENCE_PAGES * PAGE_SIZE_4K) {
		if (all_asids)
			hw_hfence_vvma();
		else
			hw_hfence_vvma_asid(v->fence_asid);
		return;
	}
	for (uint64_t gva = align_down(v->fence_start, PAGE_SIZE_4K); gva < end;
	     gva += PAGE_SIZE_4K) {
		if (all_asids)
			hw_hfence_vvma_page(gva);
		else
			hw_hfence_vvma_page_asid(gva, v->fence_asid);
	}
}

/* "Trap Entry into VS-mode": what the hart would have done. */
static void enter_guest_trap(struct riscv_vcpu *v)
{
	uint64_t vsstatus = csr_read(CSR_VSSTATUS);

	csr_write(CSR_VSSTATUS,
		  axvmi_riscv_trap_status(vsstatus, v->frame.sstatus));
	csr_write(CSR_VSEPC, v->frame.pc);
	csr_write(CSR_VSCAUSE, v->trap_cause);
	csr_write(CSR_VSTVAL, v->trap_value);
	v->frame.pc = csr_read(CSR_VSTVEC) & ~UINT64_C(3);
	v->frame.sstatus |= SSTATUS_SPP;
}

static void apply_hvip(struct riscv_vcpu *v)
{
	csr_clear(CSR_HVIP, v->hvip_clear);
	csr_set(CSR_HVIP, v->hvip_set);
	v->hvip_clear = 0;
	v->hvip_set = 0;
}

void axvmi_riscv_apply_all(struct riscv_vcpu *v)
{
	uint32_t effects = v->effects;

	/* The timers first: they may raise or lower VSTIP. */
	if ((effects & RISCV_EFFECT_TIMER) != 0)
		timer_set(v);
	if ((effects & RISCV_EFFECT_TIMER_LOOK) != 0 &&
	    !riscv_has(v->core.vm->host, RISCV_FEATURE_SSTC))
		axvmi_riscv_timer_look(v);
	effects |= v->effects;
	v->effects = 0;
	if ((effects & RISCV_EFFECT_HVIP) != 0)
		apply_hvip(v);
	if ((effects & RISCV_EFFECT_FENCE_I) != 0)
		hw_fence_i();
	if ((effects & RISCV_EFFECT_FENCE_VMA) != 0)
		fence_vma(v);
	if ((effects & RISCV_EFFECT_TRAP) != 0)
		enter_guest_trap(v);
}

/* Those that guests cause often come alone. Returns `done`. */
int axvmi_riscv_apply_effects(struct riscv_vcpu *v, int done)
{
	uint32_t effects = v->effects;

	if (effects == RISCV_EFFECT_TIMER &&
	    riscv_has(v->core.vm->host, RISCV_FEATURE_SSTC)) {
		csr_write(CSR_VSTIMECMP, v->timer);
	} else if (effects == RISCV_EFFECT_HVIP) {
		apply_hvip(v);
	} else if (effects == RISCV_EFFECT_FENCE_VMA) {
		fence_vma(v);
	} else {
		axvmi_riscv_apply_all(v);
		return done;
	}
	v->effects = 0;
	return done;
}
