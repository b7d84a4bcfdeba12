/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Shared by the two files of the suite sysreg. */
#ifndef SYSREG_H
#define SYSREG_H

#include "payload.h"

/* CPACR_EL1: FPEN; and SMEN, ZEN. */
#define CPACR_FP (3ull << 20)
#define CPACR_ALL (CPACR_FP | 3ull << 24 | 3ull << 16)

/* Of op0 3, op1 0, CRn 0. */
uint64_t id_register(uint32_t crm, uint32_t op2);
void hidden(void);

#endif
