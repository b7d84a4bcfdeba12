/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* What the parts of the suite gic share. */
#ifndef GIC_SUITE_H
#define GIC_SUITE_H

#include "payload.h"

#define FIRST_SPI 40u /* of those that nothing raises */
#define MANY 12u
#define PPI 22u

extern struct cpu *me;

uint32_t ack(void);
void end(uint32_t intid);
/* Off, not pending, not active, edge-triggered, 0xa0, Group 1, here. */
void quiet(uint32_t intid);
void all_quiet(void);

/* gic_regs.c, gic_cpus.c */
void registers(void);
void other_cpus(void);

#endif
