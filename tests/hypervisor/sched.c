/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * vCPUs over CPUs, round robin. `lock` protects the tasks and who is idle; it
 * is never held while the library is called, which calls sched_wake().
 */
#include "host.h"

static struct cpu {
	bool idle; /* looks at the tasks when kicked */
	uint64_t look; /* when this kernel is to look again */
	uint64_t guest_deadline; /* what hal.timer asked for */
} cpus[BOARD_CPUS];

static struct task tasks[MAX_VMS * AXVM_MAX_VCPUS];
static uint32_t task_count;
static uint32_t turn; /* the task after the one chosen last */
static atomic_bool stopping;
static atomic_uint lock;

void sched_add(struct vm *owner, struct axvm_vm *vm)
{
	axvm_vm_set_user(vm, &tasks[task_count]);
	for (uint32_t i = 0; i < axvm_vm_vcpu_count(vm); i++)
		tasks[task_count++] = (struct task){owner, vm, .vcpu = i};
}

/* Somebody idle is to look at the tasks again. Under the lock. */
static void nudge(void)
{
	for (uint32_t i = 0; i < board.cpus; i++) {
		if (cpus[i].idle) {
			cpus[i].idle = false;
			board_kick(i);
			return;
		}
	}
}

void sched_start(struct axvm_vm *vm)
{
	struct task *first = axvm_vm_user(vm);

	acquire(&lock);
	for (uint32_t i = 0; i < axvm_vm_vcpu_count(vm); i++) {
		first[i].state = TASK_WAITING;
		first[i].avoid = NO_CPU;
		first[i].deadline = 0;
		nudge();
	}
	release(&lock);
}

/* One that still runs finds the 0 when it wants to wait: no wake is lost. */
void sched_wake(void *ctx, struct axvm_vm *vm, uint32_t vcpu)
{
	struct task *first = axvm_vm_user(vm);

	(void)ctx;
	acquire(&lock);
	first[vcpu].deadline = 0;
	nudge();
	release(&lock);
}

void sched_stop(void)
{
	stopping = true;
	for (uint32_t i = 0; i < board.cpus; i++)
		board_kick(i);
}

/* ---- one timer per CPU, for this kernel and the guest ---- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void sched_timer(void *ctx, uint64_t deadline)
{
	struct cpu *cpu = &cpus[board_this_cpu()];

	(void)ctx;
	cpu->guest_deadline = deadline;
	board_set_timer(sooner(cpu->look, deadline));
}

/* ---- the loop of each CPU ---- */

/* The next in turn that this CPU may run now, or NULL: then `look` is when the
 * first of the sleepers is due. Of those left, idle CPUs take care. */
static struct task *choose(uint32_t self, uint64_t now)
{
	struct cpu *cpu = &cpus[self];
	struct task *chosen = NULL;

	acquire(&lock);
	cpu->look = UINT64_MAX;
	for (uint32_t i = 0; i < task_count && chosen == NULL; i++) {
		struct task *task = &tasks[(turn + i) % task_count];

		if (task->state != TASK_WAITING || task->avoid == self)
			continue;
		if (task->deadline <= now)
			chosen = task;
		else
			cpu->look = sooner(cpu->look, task->deadline);
	}
	cpu->idle = chosen == NULL;
	if (chosen != NULL) {
		chosen->state = TASK_RUNNING;
		chosen->deadline = UINT64_MAX; /* until a wake */
		turn = (uint32_t)(chosen - tasks) + 1;
		nudge();
	}
	release(&lock);
	return chosen;
}

/* Before this CPU enters a guest, or waits. */
static void prepare(struct cpu *cpu)
{
	uint64_t now = board_now();
	uint64_t chores = UINT64_MAX;

	if (cpu == cpus)
		chores = sooner(console_feed(now), vm_pauses(now));
	if (cpu->guest_deadline <= now) /* the library looks when it enters */
		cpu->guest_deadline = UINT64_MAX;
	board_set_timer(sooner(sooner(cpu->look, chores), cpu->guest_deadline));
}

/* A slice of a vCPU; afterwards any CPU may run it. */
static void run(uint32_t self, struct axvm_cpu *handle, struct task *task)
{
	struct cpu *cpu = &cpus[self];
	uint32_t migrate = option("migrate", 0);
	struct axvm_exit exit = {0}; /* all of it may be printed */
	uint64_t deadline = AXVM_NO_DEADLINE;
	enum task_state state;
	bool over, moves; /* the slice; to another CPU */

	cpu->look = board_now() + option("slice-ms", 10) * 1000000ull;
	do {
		prepare(cpu);
		if (stack_is_measured)
			MUST(stack_run(handle, task->vm, task->vcpu, &exit));
		/* Its timer stands: what is but answered needs no look. */
		else
			do
				MUST(axvm_run_vcpu(handle, task->vm, task->vcpu,
						   &exit));
			while (exit.reason == AXVM_EXIT_MMIO);
		state = vm_exit(task->owner, &exit);
		board_take_irqs();
	} while (state == TASK_RUNNING && exit.reason != AXVM_EXIT_YIELD &&
		 board_now() < cpu->look);
	over = state == TASK_RUNNING;
	if (exit.reason == AXVM_EXIT_HALT)
		deadline = exit.u.halt.deadline;
	moves = over && migrate != 0 && ++task->slices % migrate == 0;
	MUST(axvm_vcpu_unbind(handle, task->vm, task->vcpu));
	acquire(&lock);
	task->avoid = moves && board.cpus > 1 ? self : NO_CPU;
	task->deadline = over ? 0 : sooner(task->deadline, deadline);
	task->state = over ? TASK_WAITING : state;
	if (over)
		nudge();
	release(&lock);
	if (state == TASK_STOPPED)
		vm_vcpu_stopped(task->owner); /* this may boot it again */
}

void sched_init(uint32_t self)
{
	cpus[self].look = UINT64_MAX;
	cpus[self].guest_deadline = UINT64_MAX;
}

void sched_loop(uint32_t self, struct axvm_cpu *handle)
{
	while (!stopping) {
		struct task *task;

		if (self == 0 && shootdown_round()) {
			board_take_irqs();
			continue;
		}
		task = choose(self, board_now());
		if (task != NULL) {
			run(self, handle, task);
		} else {
			prepare(&cpus[self]);
			board_wait();
			board_take_irqs();
		}
	}
}
