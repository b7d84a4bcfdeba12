/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Exceptions of the host itself. Interrupts come only out of board_take_irqs();
 * all else is a bug. Guests trap into the library, not here.
 */
#include "../../board.h"
#include "arm.h"

void trap(const struct frame *frame, uint64_t vector)
{
	if (vector == VECTOR_IRQ) {
		board_irq();
		return;
	}
	panic("cpu %u: vector %lu esr %lx far %lx pc %lx pstate %lx lr %lx "
	      "sp %lx",
	      board_this_cpu(), vector, frame->esr, frame->far, frame->pc,
	      frame->pstate, frame->x[30], (uintptr_t)(frame + 1));
}
