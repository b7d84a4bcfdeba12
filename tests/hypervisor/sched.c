/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * vCPUs over CPUs: one queue, round robin. A vCPU stays loaded on its CPU
 * (resident) until that CPU runs another one: a guest that sleeps and wakes on
 * an idle CPU costs no switch. `lock` protects the queue, the tasks and who is
 * idle; it is never held while the library is called.
 */
#include <stdatomic.h>

#include "host.h"
#include "spinlock.h"

struct cpu {
	struct axvm_cpu *handle;
	struct task *current; /* chosen, and its slice is not over */
	struct task *resident; /* loaded here */
	bool idle; /* looks at the queue when kicked */
	uint64_t slice_end;
	uint64_t host_deadline; /* end of the slice, first sleeper */
	uint64_t guest_deadline; /* what hal.timer asked for */
	uint64_t armed; /* what the timer is set to */
};

static struct cpu cpus[AXVM_MAX_CPUS];
static struct task tasks[MAX_VMS * AXVM_MAX_VCPUS];
static uint32_t cpu_count, task_count;
static uint32_t migrate; /* slices, 0: never */
static uint64_t slice;
static struct task *head, **tail = &head;
static atomic_bool stopping;
static struct spinlock lock;

void sched_init(uint32_t count, uint64_t slice_ns, uint32_t migrate_every)
{
	cpu_count = count;
	slice = slice_ns;
	migrate = migrate_every;
	for (uint32_t i = 0; i < count; i++) {
		cpus[i].guest_deadline = UINT64_MAX;
		cpus[i].armed = UINT64_MAX;
	}
}

struct task *sched_add(struct vm *vm, uint32_t vcpus)
{
	struct task *first = &tasks[task_count];

	for (uint32_t i = 0; i < vcpus; i++)
		tasks[task_count++] = (struct task){.vm = vm, .vcpu = i};
	return first;
}

/* ---- the queue; all of it under the lock ---- */

/* Kicks an idle CPU that may run the task: it looks at the queue then. */
static void nudge(const struct task *task)
{
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (cpus[i].idle && (task->home == NO_CPU || task->home == i)) {
			cpus[i].idle = false;
			board_kick(i);
			return;
		}
	}
}

static void enqueue(struct task *task)
{
	task->state = TASK_QUEUED;
	task->next = NULL;
	*tail = task;
	tail = &task->next;
	nudge(task);
}

static struct task *dequeue(uint32_t self)
{
	struct task **link = &head;
	struct task *task;

	while (*link != NULL && (*link)->home != NO_CPU &&
	       (*link)->home != self)
		link = &(*link)->next;
	task = *link;
	if (task == NULL)
		return NULL;
	*link = task->next;
	if (task->next == NULL)
		tail = link;
	task->state = TASK_RUNNING;
	task->home = self;
	return task;
}

/* Queues the sleepers of this CPU that are due; returns the next deadline. */
static uint64_t expire(uint32_t self, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (struct task *task = tasks; task < &tasks[task_count]; task++) {
		if (task->state != TASK_BLOCKED || task->watcher != self)
			continue;
		if (task->deadline <= now)
			enqueue(task);
		else if (task->deadline < next)
			next = task->deadline;
	}
	return next;
}

void sched_start(struct task *task)
{
	spin_lock(&lock);
	task->home = NO_CPU;
	enqueue(task);
	spin_unlock(&lock);
}

void sched_wake(struct task *task)
{
	spin_lock(&lock);
	task->woken = true;
	if (task->state == TASK_BLOCKED)
		enqueue(task);
	spin_unlock(&lock);
}

void sched_stop(void)
{
	stopping = true;
	for (uint32_t i = 0; i < cpu_count; i++)
		board_kick(i);
}

/* ---- the timer of each CPU ---- */

/* One timer per CPU for this kernel and the guest; set only when it changes. */
static void arm(struct cpu *cpu)
{
	uint64_t deadline = cpu->host_deadline < cpu->guest_deadline
				    ? cpu->host_deadline
				    : cpu->guest_deadline;

	if (deadline != cpu->armed)
		board_set_timer(deadline);
	cpu->armed = deadline;
}

void sched_timer(uint64_t deadline)
{
	struct cpu *cpu = &cpus[board_this_cpu()];

	cpu->guest_deadline = deadline;
	arm(cpu);
}

/* It has fired; what is still wanted is armed again by the loop. */
void host_timer_irq(void)
{
	struct cpu *cpu = &cpus[board_this_cpu()];

	cpu->armed = UINT64_MAX;
	if (cpu->guest_deadline <= board_now())
		cpu->guest_deadline = UINT64_MAX;
}

/* ---- the loop of each CPU ---- */

/* Unloads the resident vCPU: now any CPU may run it. */
static void evict(struct cpu *cpu)
{
	struct task *task = cpu->resident;

	if (task == NULL)
		return;
	vmm_unbind(cpu->handle, task->vm, task->vcpu);
	cpu->resident = NULL;
	spin_lock(&lock);
	task->home = NO_CPU;
	if (task->state == TASK_QUEUED)
		nudge(task);
	spin_unlock(&lock);
}

/* Queues the current vCPU behind the others; some have to move on. */
static void end_slice(uint32_t self)
{
	struct cpu *cpu = &cpus[self];
	struct task *task = cpu->current;
	bool moves = migrate != 0 && ++task->slices % migrate == 0;

	if (moves)
		evict(cpu);
	spin_lock(&lock);
	if (moves)
		task->home = (self + 1) % cpu_count;
	cpu->current = NULL;
	enqueue(task);
	spin_unlock(&lock);
}

/* What this CPU does next: the current vCPU, the queue's first, or NULL. */
static struct task *choose(uint32_t self, uint64_t now)
{
	struct cpu *cpu = &cpus[self];

	spin_lock(&lock);
	cpu->host_deadline = expire(self, now);
	if (cpu->current == NULL) {
		cpu->current = dequeue(self);
		cpu->slice_end = now + slice;
	}
	cpu->idle = cpu->current == NULL;
	if (!cpu->idle) {
		cpu->current->woken = false;
		if (cpu->slice_end < cpu->host_deadline)
			cpu->host_deadline = cpu->slice_end;
	}
	spin_unlock(&lock);
	return cpu->current;
}

/* A wake between the HALT and here has set `woken`: it is not lost. */
static void run(uint32_t self, struct task *task)
{
	struct cpu *cpu = &cpus[self];
	enum verdict verdict =
		vmm_run(cpu->handle, task->vm, task->vcpu, &task->deadline);

	if (verdict == VCPU_RUNS)
		return;
	spin_lock(&lock);
	cpu->current = NULL;
	task->watcher = self;
	task->state = verdict == VCPU_WAITS ? TASK_BLOCKED : TASK_STOPPED;
	if (verdict == VCPU_STOPPED)
		cpu->resident = NULL; /* the library has unbound it */
	else if (task->woken)
		enqueue(task);
	spin_unlock(&lock);
	/* Only now, when it is no task of this CPU: this may boot it again. */
	if (verdict == VCPU_STOPPED)
		vmm_stopped(task->vm);
}

void sched_loop(uint32_t self, struct axvm_cpu *handle)
{
	struct cpu *cpu = &cpus[self];

	cpu->handle = handle;
	while (!stopping) {
		uint64_t now = board_now();
		uint64_t console;
		struct task *task;

		if (cpu->current != NULL && now >= cpu->slice_end)
			end_slice(self);
		task = choose(self, now);
		console = console_poll(now, task == NULL, vmm_console());
		if (console < cpu->host_deadline)
			cpu->host_deadline = console;
		if (task != NULL && task != cpu->resident) {
			evict(cpu);
			cpu->resident = task;
		}
		arm(cpu);
		if (task != NULL)
			run(self, task);
		else
			board_wait();
		board_take_irqs();
	}
}
