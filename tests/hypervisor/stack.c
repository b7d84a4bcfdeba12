/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * How much of a CPU's stack a run takes, this kernel's callbacks included: the
 * option "stack". What is below the stack pointer is painted before each run and
 * looked at afterwards; nothing else comes there, as interrupts are masked.
 */
#include "host.h"

/* Of the 16 KiB that each CPU has. */
#define DEPTH 8192u
#define PAINT 0x5afe57acc0ffee00ull

bool stack_is_measured;
static atomic_uint most;

int stack_run(struct axvm_cpu *cpu, struct axvm_vm *vm, uint32_t vcpu,
	      struct axvm_exit *exit)
{
	volatile uint64_t *bottom;
	uint32_t before = most;
	uint32_t unused = 0;
	uint32_t used;
	int error;

	bottom = (volatile uint64_t *)(board_stack() - DEPTH);
	for (uint32_t i = 0; i < DEPTH / 8; i++)
		bottom[i] = PAINT;
	error = axvm_run_vcpu(cpu, vm, vcpu, exit);
	while (unused < DEPTH / 8 && bottom[unused] == PAINT)
		unused++;
	used = DEPTH - unused * 8;
	while (used > before &&
	       !atomic_compare_exchange_weak(&most, &before, used))
		;
	return error;
}

void stack_print(void)
{
	print("host: %u bytes of stack inside a run at most\n", most);
}
