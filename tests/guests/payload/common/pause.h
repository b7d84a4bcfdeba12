/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* What the suite pause asks of the architecture it runs on. */
#ifndef PAUSE_H
#define PAUSE_H

#include "payload.h"

/* Lets the timers of this CPU interrupt. */
void pause_listen(const struct cpu *c);
/* One interrupt at `due`, of the timers there are by turns of `n`. */
void pause_timer(uint64_t due, uint32_t n);
void pause_timers_off(void);

#endif
