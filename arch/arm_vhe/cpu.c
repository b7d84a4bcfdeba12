/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A CPU: probing VHE and what guests need besides, taking it over from the host
 * and giving it back, and the maintenance of TLBs and caches.
 */
#include "hw.h"
#include "metal.h"
#include "s2_format.h"

/* A flush of more pages drops the VM's translations at once. */
#define FLUSH_PAGES 64u

uint64_t axvmi_arm_interrupts_save(void)
{
	return hw_daif_save();
}

void axvmi_arm_interrupts_restore(uint64_t saved)
{
	sys_write(SYS_DAIF, saved);
}

/* ---- probing ---- */

static uint64_t id_field(unsigned crm, unsigned op2, uint64_t field)
{
	return FIELD_GET(field, axvmi_arm_read_id(crm, op2));
}

/* ID_AA64MMFR0_EL1.PARange. */
static uint64_t pa_bits(void)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 52};
	uint64_t code = id_field(7, 0, ID_MMFR0_PARANGE);

	return bits[code < ARRAY_SIZE(bits) ? code : ARRAY_SIZE(bits) - 1];
}

/* Stage 2 has 4 KiB pages: TGran4_2 says, or 0 that TGran4 does. */
static bool has_4k_pages(void)
{
	uint64_t stage2 = id_field(7, 0, ID_MMFR0_TGRAN4_2);

	if (stage2 != 0)
		return stage2 >= 2;
	return id_field(7, 0, ID_MMFR0_TGRAN4) < 8;
}

/* Is PMCCNTR_EL0 counting at EL2, as the host has set it up? */
static bool counts_cycles(void)
{
	uint64_t version = id_field(5, 0, ID_DFR0_PMUVER);

	return version != 0 && version != 15 &&
	       (sys_read(SYS_PMCR_EL0) & PMCR_E) != 0 &&
	       (sys_read(SYS_PMCNTENSET_EL0) & PMCNTEN_C) != 0 &&
	       (sys_read(SYS_PMCCFILTR_EL0) & PMCCFILTR_NSH) != 0;
}

/*
 * Pointer authentication for guests: its keys are loaded while a vCPU is
 * resident, so a host that uses the keys itself keeps it for itself.
 */
static bool lends_pauth(void)
{
	return (axvmi_arm_read_id(6, 1) & ID_ISAR1_PAUTH) != 0 &&
	       (sys_read(SYS_SCTLR_EL2) & SCTLR_PAUTH) == 0;
}

static bool has_hcrx(void)
{
	return id_field(7, 1, ID_MMFR1_HCX) != 0;
}

static uint64_t probe(void)
{
	uint64_t vtr = sys_read(SYS_ICH_VTR_EL2);
	uint64_t f = FIELD_PUT(ARM_FEATURE_PA_BITS, pa_bits());

	f |= FIELD_PUT(ARM_FEATURE_LRS, FIELD_GET(ICH_VTR_LISTREGS, vtr) + 1);
	f |= FIELD_PUT(ARM_FEATURE_PREEMPTION_BITS,
		       FIELD_GET(ICH_VTR_PREBITS, vtr) + 1);
	f |= id_field(7, 1, ID_MMFR1_VMIDBITS) == 2 ? ARM_FEATURE_VMID16 : 0;
	f |= id_field(7, 1, ID_MMFR1_LO) != 0 ? ARM_FEATURE_LOR : 0;
	f |= lends_pauth() ? ARM_FEATURE_PAUTH : 0;
	f |= id_field(4, 0, ID_PFR0_RAS) != 0 ? ARM_FEATURE_RAS : 0;
	f |= id_field(4, 0, ID_PFR0_SVE) != 0 ? ARM_FEATURE_SVE : 0;
	f |= id_field(4, 1, ID_PFR1_SME) != 0 ? ARM_FEATURE_SME : 0;
	f |= id_field(4, 1, ID_PFR1_MTE) >= 2 ? ARM_FEATURE_MTE2 : 0;
	f |= counts_cycles() ? ARM_FEATURE_CYCLES : 0;
	return f;
}

static int refuse(struct axvm_host *host, const char *reason)
{
	host->reason = reason;
	return AXVM_ENOTSUP;
}

/* In an order in which each look is allowed by those before it. */
static const char *missing(void)
{
	if (sys_read(CurrentEL) >> 2 != 2)
		return "the host is not at EL2";
	if (id_field(7, 1, ID_MMFR1_VH) == 0)
		return "the CPU has no virtualization host extensions (VHE)";
	if ((sys_read(SYS_HCR_EL2) & (HCR_E2H | HCR_TGE)) !=
	    (HCR_E2H | HCR_TGE))
		return "the host does not run with HCR_EL2.E2H and TGE set";
	if ((sys_read(SPSel) & 1) == 0)
		return "the host does not use SP_EL2";
	if (id_field(4, 0, ID_PFR0_GIC) == 0)
		return "the CPU has no GICv3 system registers";
	if ((sys_read(SYS_ICC_SRE_EL2) & ICC_SRE_SRE) == 0)
		return "ICC_SRE_EL2.SRE is not set";
	if ((sys_read(SYS_ICH_VTR_EL2) & ICH_VTR_TDS) == 0)
		return "ICH_HCR_EL2.TDIR does not trap ICC_DIR_EL1";
	if (!has_4k_pages())
		return "stage 2 has no 4 KiB pages";
	return NULL;
}

/* hal.take_vtimer leaves an interrupt of this CPU active. */
static bool can_take_vtimer(const struct axvm_hal *hal)
{
	return hal->vtimer_irq - 16 < 16 &&
	       (sys_read(SYS_ICC_CTLR_EL1) & ICC_CTLR_EOIMODE) != 0;
}

/* ---- enable, disable ---- */

int axvmi_arm_cpu_enable(struct axvm_cpu *cpu)
{
	struct axvm_host *host = cpu->host;
	struct arm_cpu *c = arm_cpu(cpu);
	const char *reason = missing();
	uint64_t features;

	if (reason != NULL)
		return refuse(host, reason);
	if (host->hal.take_vtimer != NULL && !can_take_vtimer(&host->hal))
		return refuse(host, "hal.take_vtimer needs EOImode 1 and a "
				    "PPI as vtimer_irq");
	features = probe();
	/* For good: VMs have been sized by them. */
	if (host->features != 0 && features != host->features)
		return refuse(host, "the CPU's features differ from those of "
				    "the first");
	host->features = features;
	c->host_cnthctl = sys_read(SYS_CNTHCTL_EL2);
	c->host_vtcr = sys_read(SYS_VTCR_EL2);
	c->host_ich_hcr = sys_read(SYS_ICH_HCR_EL2);
	c->host_icc_sre = sys_read(SYS_ICC_SRE_EL2);
	c->host_hstr = sys_read(SYS_HSTR_EL2);
	/* The guest's physical counter and timer trap. */
	sys_write(SYS_CNTHCTL_EL2,
		  c->host_cnthctl & ~(CNTHCTL_EL1PCTEN | CNTHCTL_EL1PTEN));
	sys_write(SYS_ICH_HCR_EL2, 0);
	sys_write(SYS_ICC_SRE_EL2, c->host_icc_sre | ICC_SRE_ENABLE);
	sys_write(SYS_HSTR_EL2, 0);
	if (has_hcrx()) {
		/* What it allows guests, their identification does not show. */
		c->host_hcrx = sys_read(SYS_HCRX_EL2);
		sys_write(SYS_HCRX_EL2, 0);
	}
	sys_write(SYS_VTTBR_EL2, 0);
	hw_isb();
	axvmi_arm_tlb_flush_all();
	return AXVM_OK;
}

void axvmi_arm_cpu_disable(struct axvm_cpu *cpu)
{
	struct arm_cpu *c = arm_cpu(cpu);

	sys_write(SYS_CNTHCTL_EL2, c->host_cnthctl);
	sys_write(SYS_VTCR_EL2, c->host_vtcr);
	sys_write(SYS_ICH_HCR_EL2, c->host_ich_hcr);
	sys_write(SYS_ICC_SRE_EL2, c->host_icc_sre);
	sys_write(SYS_HSTR_EL2, c->host_hstr);
	if (has_hcrx())
		sys_write(SYS_HCRX_EL2, c->host_hcrx);
	hw_isb();
	axvmi_arm_tlb_flush_all();
}

/* ---- translations ---- */

/*
 * TLBI of EL1&0 means the guest's regime only while TGE is 0, and the VMID is
 * that of VTTBR_EL2 ("TLB maintenance instructions").
 */
struct regime {
	uint64_t hcr;
	uint64_t vttbr;
	bool foreign; /* the EL1 registers are of another VM, or of none */
	uint64_t tcr;
	uint64_t sctlr;
};

/*
 * An AT that is speculated meanwhile must not leave translations by the EL1
 * registers of another VM under this VMID (Cortex-A76 erratum 1165522). So no
 * walk is allowed then, and none is left out: EPD0, EPD1, M. All else is safe as
 * it is: VTTBR_EL2 and the EL1 registers of a vCPU change together while TGE is
 * 1, and an ISB comes before it is 0.
 */
static void forbid_walks(struct regime *r)
{
	r->tcr = sys_read(SYS_TCR_EL12);
	r->sctlr = sys_read(SYS_SCTLR_EL12);
	sys_write(SYS_TCR_EL12, r->tcr | TCR_EPD0 | TCR_EPD1);
	sys_write(SYS_SCTLR_EL12, r->sctlr | SCTLR_M);
	hw_isb();
}

static struct regime regime_of(struct axvm_vm *vm)
{
	struct regime host = {
		.hcr = sys_read(SYS_HCR_EL2),
		.vttbr = sys_read(SYS_VTTBR_EL2),
	};

	host.foreign = host.vttbr != arm_vttbr(vm);
	if (host.foreign)
		forbid_walks(&host);
	sys_write(SYS_VTTBR_EL2, arm_vttbr(vm));
	sys_write(SYS_HCR_EL2, host.hcr & ~HCR_TGE);
	hw_isb();
	return host;
}

static void regime_back(struct regime host)
{
	sys_write(SYS_VTTBR_EL2, host.vttbr);
	sys_write(SYS_HCR_EL2, host.hcr);
	hw_isb();
	if (host.foreign) {
		sys_write(SYS_TCR_EL12, host.tcr);
		sys_write(SYS_SCTLR_EL12, host.sctlr);
		hw_isb();
	}
}

void axvmi_arm_tlb_flush_local(struct axvm_vm *vm)
{
	struct regime host = regime_of(vm);

	hw_dsb_nsh();
	hw_tlbi_vmalls12e1();
	hw_dsb_nsh();
	regime_back(host);
}

void axvmi_arm_tlb_flush_all(void)
{
	hw_dsb_nsh();
	hw_tlbi_alle1();
	hw_dsb_nsh();
	hw_isb();
}

/* Entries of stage 2 first, then those made from both stages, which may have
 * been filled from the former meanwhile. */
static void flush_pages(uint64_t gpa, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		hw_tlbi_ipas2e1_is(gpa + i * PAGE_SIZE_4K);
	hw_dsb_ish();
	hw_tlbi_vmalle1_is();
}

void axvmi_arm_tlb_flush_range(struct axvm_vm *vm, uint64_t gpa, uint64_t size)
{
	uint64_t first = align_down(gpa, PAGE_SIZE_4K);
	uint64_t pages = ((gpa - first) + size - 1) / PAGE_SIZE_4K + 1;
	struct regime host = regime_of(vm);

	hw_dsb_ish();
	if (pages <= FLUSH_PAGES)
		flush_pages(first, pages);
	else
		hw_tlbi_vmalls12e1_is();
	hw_dsb_ish();
	regime_back(host);
}

void axvmi_arm_guest_stage_flush(struct axvm_vm *vm)
{
	struct regime host = regime_of(vm);

	hw_dsb_nsh();
	hw_tlbi_vmalle1();
	hw_ic_iallu();
	hw_dsb_nsh();
	regime_back(host);
}

/* ---- caches ---- */

/*
 * A guest begins with its caches off, and reads what is at the Point of
 * Coherency; lines that stay behind here would hide what it writes there.
 */
void axvmi_arm_sync_guest_memory(void *start, uint64_t size)
{
	uint64_t line = UINT64_C(4)
			<< FIELD_GET(CTR_DMINLINE, sys_read(SYS_CTR_EL0));
	char *end = (char *)start + size;

	for (char *p = (char *)start - ((uintptr_t)start & (line - 1)); p < end;
	     p += line)
		hw_dc_civac(p);
	hw_dsb_ish();
}

void axvmi_arm_sync_guest_code(void)
{
	hw_ic_iallu_is();
	hw_dsb_ish();
	hw_isb();
}

/* ---- time ---- */

uint64_t axvmi_arm_counter(void)
{
	return sys_read(SYS_CNTPCT_EL0);
}

uint64_t axvmi_arm_cycles(const struct axvm_host *host)
{
	return arm_has(host, ARM_FEATURE_CYCLES) ? sys_read(SYS_PMCCNTR_EL0)
						 : sys_read(SYS_CNTPCT_EL0);
}
