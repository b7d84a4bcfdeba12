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
	panic("cpu %u: scause %lx stval %lx pc %lx sstatus %lx ra %lx sp %lx",
	      board_this_cpu(), frame->cause, frame->value, frame->pc,
	      frame->status, frame->x[1], frame->x[2]);
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
		break;
	case INTERRUPT_EXTERNAL:
		external_irq();
		break;
	default:
		die(frame);
	}
}
