/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The virtual and the physical timer. */
#include "pause.h"

void pause_listen(const struct cpu *c)
{
	gic_enable(c, PPI_VIRTUAL, true);
	gic_enable(c, PPI_PHYSICAL, true);
}

void pause_timer(uint64_t due, uint32_t n)
{
	if (n % 2 == 0) {
		sys_write(cntv_cval_el0, due);
		sys_write(cntv_ctl_el0, 1);
	} else {
		sys_write(cntp_cval_el0, due);
		sys_write(cntp_ctl_el0, 1);
	}
}

void pause_timers_off(void)
{
	sys_write(cntv_ctl_el0, 0);
	sys_write(cntp_ctl_el0, 0);
}
