/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Traps of the host itself. Interrupts come only out of board_take_irqs();
 * exceptions are bugs. Guests trap into the library, not here.
 */
#include "../../board.h"
#include "riscv.h"

#define CAUSE_INTERRUPT (1ull << 63)

static _Noreturn void die(const struct frame *frame)
{
	for (unsigned i = 1; i < 32; i++)
		print("x%u %16lx%s", i, frame->x[i], i % 4 ? " " : "\n");
	panic("cpu %u: scause %lx stval %lx pc %lx sstatus %lx",
	      board_this_cpu(), frame->cause, frame->value, frame->pc,
	      frame->status);
}

void trap(const struct frame *frame)
{
	if ((frame->cause & CAUSE_INTERRUPT) == 0)
		die(frame);
	switch (frame->cause & ~CAUSE_INTERRUPT) {
	case INTERRUPT_SOFT:
		csr_clear(sip, 1 << INTERRUPT_SOFT);
		break;
	case INTERRUPT_TIMER:
		board_set_timer(UINT64_MAX);
		host_timer_irq();
		break;
	case INTERRUPT_EXTERNAL:
		uart_irq();
		break;
	default:
		die(frame);
	}
}
