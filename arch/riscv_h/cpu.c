/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A hart: probing the hypervisor extension, taking it over from the host and
 * giving it back, and the fences that concern the hart as a whole.
 */
#include "backend.h"
#include "hw.h"
#include "metal.h"

/* Bytes of an hgatp root and its alignment. */
#define ROOT_SIZE 16384u
/* What the probe of an hgatp mode reads back through the mode. */
#define PROBE_PATTERN UINT64_C(0x6178766d70726f62)

uint64_t axvmi_riscv_interrupts_save(void)
{
	uint64_t sstatus;

	__asm__ volatile("csrrci %0, %1, 2"
			 : "=r"(sstatus)
			 : "i"(CSR_SSTATUS)
			 : "memory");
	return sstatus & SSTATUS_SIE;
}

void axvmi_riscv_interrupts_restore(uint64_t saved)
{
	csr_set(CSR_SSTATUS, saved);
}

/* ---- probing ---- */

/*
 * A mode is usable if it sticks and translates: some implementations keep
 * reserved modes. The scratch root maps the 2^(30, 39, 48) bytes around
 * itself by one leaf, and an access through it must see what is there.
 */
static bool hgatp_mode_works(struct axvm_host *host, uint64_t *root,
			     unsigned mode)
{
	unsigned shift = 30 + 9 * (mode - RISCV_HGATP_SV39X4);
	uint64_t hpa = axvmi_virt_to_phys(host, root);
	uint64_t hgatp = (uint64_t)mode << HGATP_MODE_SHIFT | hpa >> 12;
	uint64_t index = hpa >> shift;
	struct hw_probe probe;
	bool works = false;

	if (index >= ROOT_SIZE / 8 - 1)
		return false;
	/* V, R, W, U, A, D. */
	root[index] = (index << shift) >> 2 | 0xd7;
	root[ROOT_SIZE / 8 - 1] = PROBE_PATTERN & ~UINT64_C(1);
	csr_write(CSR_HGATP, hgatp);
	if (csr_read(CSR_HGATP) == hgatp) {
		hw_hfence_gvma();
		probe = axvmi_riscv_hlv_d(hpa + ROOT_SIZE - 8);
		works = probe.cause == 0 &&
			probe.value == (PROBE_PATTERN & ~UINT64_C(1));
	}
	csr_write(CSR_HGATP, 0);
	hw_hfence_gvma();
	root[index] = 0;
	return works;
}

static uint64_t probe_modes(struct axvm_host *host, uint64_t *root)
{
	uint64_t features = 0;

	/* VS-stage off and V=1 privilege for the probing access. */
	csr_write(CSR_VSATP, 0);
	csr_set(CSR_HSTATUS, HSTATUS_SPVP);
	if (hgatp_mode_works(host, root, RISCV_HGATP_SV39X4))
		features |= RISCV_FEATURE_SV39X4;
	if (hgatp_mode_works(host, root, RISCV_HGATP_SV48X4))
		features |= RISCV_FEATURE_SV48X4;
	if (hgatp_mode_works(host, root, RISCV_HGATP_SV57X4))
		features |= RISCV_FEATURE_SV57X4;
	return features;
}

/* VMIDLEN: how many bits of hgatp.VMID stick. */
static uint64_t probe_vmid_bits(struct axvm_host *host, uint64_t *root,
				uint64_t modes)
{
	uint64_t mode = (modes & RISCV_FEATURE_SV39X4) != 0
				? RISCV_HGATP_SV39X4
				: RISCV_HGATP_SV48X4;
	uint64_t vmid;

	csr_write(CSR_HGATP, mode << HGATP_MODE_SHIFT | HGATP_VMID_MASK |
				     axvmi_virt_to_phys(host, root) >> 12);
	vmid = FIELD_GET(HGATP_VMID_MASK, csr_read(CSR_HGATP));
	csr_write(CSR_HGATP, 0);
	hw_hfence_gvma();
	return vmid == 0 ? 0 : highest_bit64(vmid) + 1;
}

static uint64_t probe_fp(void)
{
	uint64_t sstatus = csr_read(CSR_SSTATUS);
	struct hw_probe fsd;
	uint64_t scratch;

	/* A store of f0: F without D is no use, its registers are not wide
	 * enough for what is saved. */
	csr_write(CSR_SSTATUS, FIELD_SET(SSTATUS_FS, sstatus, CONTEXT_CLEAN));
	fsd = axvmi_riscv_probe_fsd(&scratch);
	csr_write(CSR_SSTATUS, sstatus);
	return fsd.cause == 0 ? RISCV_FEATURE_FP : 0;
}

static uint64_t probe_vector(void)
{
	uint64_t sstatus = csr_read(CSR_SSTATUS);
	struct hw_probe vlenb;

	/* The field alone proves nothing: some harts keep it without V. */
	csr_write(CSR_SSTATUS, FIELD_SET(SSTATUS_VS, sstatus, CONTEXT_CLEAN));
	vlenb = axvmi_riscv_probe_vlenb();
	csr_write(CSR_SSTATUS, sstatus);
	if (vlenb.cause != 0)
		return 0;
	return RISCV_FEATURE_VECTOR | vlenb.value << RISCV_FEATURE_VLENB_SHIFT;
}

static uint64_t probe_environment(void)
{
	uint64_t features = 0;

	if (axvmi_riscv_probe_henvcfg().cause == 0) {
		features |= RISCV_FEATURE_ENVCFG;
		/* Bits that menvcfg withholds read 0 (Privileged, henvcfg). */
		csr_write(CSR_HENVCFG, HENVCFG_STCE | HENVCFG_PBMTE);
		if ((csr_read(CSR_HENVCFG) & HENVCFG_STCE) != 0 &&
		    axvmi_riscv_probe_stimecmp().cause == 0)
			features |= RISCV_FEATURE_SSTC;
		csr_write(CSR_HENVCFG, 0);
	}
	if (axvmi_riscv_probe_hstateen0().cause == 0)
		features |= RISCV_FEATURE_STATEEN;
	if (axvmi_riscv_probe_cycle().cause == 0)
		features |= RISCV_FEATURE_CYCLE;
	return features;
}

static int probe(struct axvm_host *host, uint64_t *features)
{
	uint64_t *root = axvmi_alloc_zeroed(host, ROOT_SIZE, ROOT_SIZE);
	uint64_t modes;

	if (root == NULL)
		return AXVM_ENOMEM;
	modes = probe_modes(host, root);
	*features = modes | probe_environment() | probe_fp() | probe_vector();
	if (modes != 0)
		*features |= probe_vmid_bits(host, root, modes)
			     << RISCV_FEATURE_VMID_SHIFT;
	axvmi_free(host, root, ROOT_SIZE);
	return AXVM_OK;
}

static int refuse(struct axvm_host *host, const char *reason)
{
	host->reason = reason;
	return AXVM_ENOTSUP;
}

/* ---- enable, disable ---- */

int axvmi_riscv_cpu_enable(struct axvm_cpu *cpu)
{
	struct axvm_host *host = cpu->host;
	struct riscv_cpu *c = riscv_cpu(cpu);
	uint64_t features = 0;
	int err;

	if (axvmi_riscv_probe_hstatus().cause != 0)
		return refuse(host, "the hart has no hypervisor extension, or "
				    "the host is not in HS-mode");
	c->host_hstatus = csr_read(CSR_HSTATUS);
	c->host_hideleg = csr_read(CSR_HIDELEG);
	c->host_hedeleg = csr_read(CSR_HEDELEG);
	c->host_hcounteren = csr_read(CSR_HCOUNTEREN);
	c->host_henvcfg = axvmi_riscv_probe_henvcfg().value;
	err = probe(host, &features);
	csr_write(CSR_HSTATUS, c->host_hstatus);
	if ((features & RISCV_FEATURE_ENVCFG) != 0)
		csr_write(CSR_HENVCFG, c->host_henvcfg);
	if (err != AXVM_OK)
		return err;
	if ((features & RISCV_MODES) == 0)
		return refuse(host, "hgatp has no usable mode");
	/* For good: VMs have been sized by them. */
	if (host->features != 0 && features != host->features)
		return refuse(host, "the hart's features differ from those of "
				    "the first");
	host->features = features;
	c->host_hie = csr_read(CSR_HIE);
	c->host_hgeie = csr_read(CSR_HGEIE);
	csr_write(CSR_HIDELEG, HIDELEG_GUEST);
	csr_write(CSR_HEDELEG, HEDELEG_ALWAYS);
	csr_write(CSR_HCOUNTEREN, COUNTEREN_TM);
	csr_write(CSR_HVIP, 0);
	csr_write(CSR_HIE, 0);
	csr_write(CSR_HGEIE, 0);
	if ((features & RISCV_FEATURE_STATEEN) != 0) {
		c->host_hstateen0 = csr_read(CSR_HSTATEEN0);
		csr_write(CSR_HSTATEEN0, HSTATEEN0_ENVCFG);
	}
	hw_hfence_gvma();
	hw_hfence_vvma();
	return AXVM_OK;
}

void axvmi_riscv_cpu_disable(struct axvm_cpu *cpu)
{
	struct riscv_cpu *c = riscv_cpu(cpu);

	csr_write(CSR_HIDELEG, c->host_hideleg);
	csr_write(CSR_HEDELEG, c->host_hedeleg);
	csr_write(CSR_HCOUNTEREN, c->host_hcounteren);
	csr_write(CSR_HIE, c->host_hie);
	csr_write(CSR_HGEIE, c->host_hgeie);
	if (riscv_has(cpu->host, RISCV_FEATURE_ENVCFG))
		csr_write(CSR_HENVCFG, c->host_henvcfg);
	if (riscv_has(cpu->host, RISCV_FEATURE_STATEEN))
		csr_write(CSR_HSTATEEN0, c->host_hstateen0);
	csr_write(CSR_HGATP, 0);
	hw_hfence_gvma();
	hw_hfence_vvma();
}

/* ---- translations ---- */

void axvmi_riscv_tlb_flush_local(struct axvm_vm *vm)
{
	hw_hfence_gvma_vmid(load_relaxed(&vm->tag));
	/* Entries made from both stages at once are the guest stage's too, and
	 * HFENCE.GVMA need not touch those that came from VS-stage alone. */
	if (csr_read(CSR_HGATP) != 0)
		hw_hfence_vvma();
}

void axvmi_riscv_tlb_flush_all(void)
{
	hw_hfence_gvma();
}

/* hfence.vvma acts on the VMID in hgatp, so that one must be loaded for it. */
void axvmi_riscv_guest_stage_flush(struct axvm_vm *vm)
{
	uint64_t hgatp = csr_read(CSR_HGATP);

	csr_write(CSR_HGATP, axvmi_riscv_vm_hgatp(vm));
	hw_hfence_vvma();
	hw_fence_i();
	csr_write(CSR_HGATP, hgatp);
}

uint64_t axvmi_riscv_counter(void)
{
	return csr_read(CSR_TIME);
}

uint64_t axvmi_riscv_cycles(const struct axvm_host *host)
{
	return riscv_has(host, RISCV_FEATURE_CYCLE) ? csr_read(CSR_CYCLE)
						    : csr_read(CSR_TIME);
}
