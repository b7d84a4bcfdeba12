/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Floating-point and vector registers: loaded when the guest first uses them
 * after a load, saved at put if it has changed them. Only for the vCPU that is
 * resident on this hart.
 */
#include "hw.h"
#include "metal.h"

static uint64_t vector_bytes(const struct axvm_host *host)
{
	/* Of eight registers, as vs8r.v stores them. */
	return 8 * (host->features >> RISCV_FEATURE_VLENB_SHIFT & 0xffff);
}

/* Illegal instructions go straight to the guest once nothing is lazy. */
void axvmi_riscv_update_hedeleg(const struct riscv_vcpu *v)
{
	const struct axvm_host *host = v->core.vm->host;
	bool lazy =
		(riscv_has(host, RISCV_FEATURE_FP) && !v->fp_loaded) ||
		(riscv_has(host, RISCV_FEATURE_VECTOR) && !v->vector_loaded);

	csr_write(CSR_HEDELEG, HEDELEG_ALWAYS | (lazy ? 0 : HEDELEG_ILLEGAL));
}

/*
 * The ABI of a hard-float host preserves fs0-fs11, and its code counts on its
 * own rounding mode: what the guest leaves in fcsr may make it trap.
 */
static void host_fp_save(struct riscv_cpu *cpu)
{
#ifdef __riscv_float_abi_double
	axvmi_riscv_fs_save(cpu->host_fs);
	cpu->host_fcsr = csr_read(CSR_FCSR);
#else
	(void)cpu;
#endif
}

static void host_fp_restore(const struct riscv_cpu *cpu)
{
#ifdef __riscv_float_abi_double
	axvmi_riscv_fs_restore(cpu->host_fs);
	csr_write(CSR_FCSR, cpu->host_fcsr);
#else
	(void)cpu;
#endif
}

static void fp_load(struct riscv_vcpu *v)
{
	uint64_t sstatus = csr_read(CSR_SSTATUS);

	csr_set(CSR_SSTATUS, SSTATUS_FS);
	host_fp_save(riscv_cpu(v->core.cpu));
	axvmi_riscv_fp_restore(v->fp);
	csr_write(CSR_SSTATUS, sstatus);
	v->fp_loaded = 1;
	v->frame.sstatus =
		FIELD_SET(SSTATUS_FS, v->frame.sstatus, CONTEXT_CLEAN);
}

static void fp_put(struct riscv_vcpu *v)
{
	if (!v->fp_loaded)
		return;
	csr_set(CSR_SSTATUS, SSTATUS_FS);
	if (FIELD_GET(SSTATUS_FS, v->frame.sstatus) == CONTEXT_DIRTY)
		axvmi_riscv_fp_save(v->fp);
	host_fp_restore(riscv_cpu(v->core.cpu));
	v->fp_loaded = 0;
	v->frame.sstatus = FIELD_SET(SSTATUS_FS, v->frame.sstatus, CONTEXT_OFF);
}

static void vector_load(struct riscv_vcpu *v)
{
	uint64_t sstatus = csr_read(CSR_SSTATUS);

	csr_set(CSR_SSTATUS, SSTATUS_VS);
	axvmi_riscv_vector_restore(v->vector, vector_bytes(v->core.vm->host));
	csr_write(CSR_SSTATUS, sstatus);
	v->vector_loaded = 1;
	v->frame.sstatus =
		FIELD_SET(SSTATUS_VS, v->frame.sstatus, CONTEXT_CLEAN);
}

static void vector_put(struct riscv_vcpu *v)
{
	if (!v->vector_loaded)
		return;
	csr_set(CSR_SSTATUS, SSTATUS_VS);
	if (FIELD_GET(SSTATUS_VS, v->frame.sstatus) == CONTEXT_DIRTY)
		axvmi_riscv_vector_save(v->vector,
					vector_bytes(v->core.vm->host));
	v->vector_loaded = 0;
	v->frame.sstatus = FIELD_SET(SSTATUS_VS, v->frame.sstatus, CONTEXT_OFF);
}

void axvmi_riscv_lazy_put(struct riscv_vcpu *v)
{
	uint64_t sstatus = csr_read(CSR_SSTATUS);

	fp_put(v);
	vector_put(v);
	csr_write(CSR_SSTATUS, sstatus);
}

/* Loads what the guest has switched on for itself; false: nothing was lazy. */
bool axvmi_riscv_lazy_load(struct riscv_vcpu *v)
{
	const struct axvm_host *host = v->core.vm->host;
	uint64_t vsstatus = csr_read(CSR_VSSTATUS);
	bool loaded = false;

	if (riscv_has(host, RISCV_FEATURE_FP) && !v->fp_loaded &&
	    (vsstatus & SSTATUS_FS) != 0) {
		fp_load(v);
		loaded = true;
	}
	if (riscv_has(host, RISCV_FEATURE_VECTOR) && !v->vector_loaded &&
	    (vsstatus & SSTATUS_VS) != 0) {
		vector_load(v);
		loaded = true;
	}
	if (loaded)
		axvmi_riscv_update_hedeleg(v);
	return loaded;
}
