/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* What the suite wild asks of the architecture it runs on. */
#ifndef WILD_H
#define WILD_H

#include "dice.h"
#include "payload.h"

/* One wild act each, all as likely. */
extern void (*const wild_acts[])(struct dice *d);
extern const uint32_t wild_act_count;
/* Before the other CPUs start. */
void wild_prepare(void);
/* Afterwards, on the boot CPU. */
bool wild_timer_works(void);
bool wild_firmware_answers(void);

static inline bool in_ram(uint64_t a)
{
	return a - machine.ram_base < machine.ram_size + PAGE;
}

#endif
