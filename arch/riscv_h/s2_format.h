/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * G-stage page tables (Sv39x4, Sv48x4, Sv57x4) as data for the stage-2 walker,
 * and hgatp. Pure; called by the backend's VM init. RISC-V Privileged,
 * "Two-Stage Address Translation".
 */
#ifndef AXVMI_RISCV_H_S2_FORMAT_H
#define AXVMI_RISCV_H_S2_FORMAT_H

#include "stage2.h"

/* hgatp.MODE encodings. */
#define RISCV_HGATP_SV39X4 8u
#define RISCV_HGATP_SV48X4 9u
#define RISCV_HGATP_SV57X4 10u

/*
 * The format of an hgatp mode. svpbmt: the hart has it and menvcfg.PBMTE is
 * set; without it memory types come from the PMAs alone. ERANGE: no such mode.
 */
AXVM_MUST_USE int axvmi_riscv_s2_format(unsigned mode, bool svpbmt,
					struct axvm_s2_format *format);

/* hgatp for a root, which is 16 KiB aligned; vmid < 2^14. */
uint64_t axvmi_riscv_hgatp(const struct axvm_s2_format *format,
			   uint64_t root_hpa, uint32_t vmid);

#endif
