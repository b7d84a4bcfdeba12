/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The supervisor timer. The interrupt handler clears its enable bit. */
#include "pause.h"

void pause_listen(const struct cpu *c)
{
	(void)c;
}

void pause_timer(uint64_t due, uint32_t n)
{
	(void)n;
	(void)set_timer(due);
	csr_set(sie, IRQ_TIMER);
}

void pause_timers_off(void)
{
}
