/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The sample hypervisor from start to end: memory, the self test, the library's
 * host, CPUs, VMs, the scheduler until all guests are off, and back to nothing. The exit
 * status is 0 only when all went well.
 */
#include "host.h"

static struct axvm_host *host;
static atomic_uint others_done;

uint32_t option(const char *name, uint32_t otherwise)
{
	struct blob digits;
	uint32_t value = 0;

	if (!bundle_find(board.bundle, name, &digits))
		return otherwise;
	for (size_t i = 0; i < digits.size; i++)
		value = value * 10 + (uint32_t)(digits.data[i] - '0');
	return value;
}

/* Gives the heap [start, end) without what the board says is in use. */
static void add_free(uint64_t start, uint64_t end, const struct range *used)
{
	for (; used->size != 0; used++) {
		if (used->start >= end || used->start + used->size <= start)
			continue;
		add_free(start, used->start, used + 1);
		start = used->start + used->size;
	}
	heap_add(start, end);
}

/* ---- struct axvm_hal: what the library needs of us ---- */

static struct axvm_hpa hal_virt_to_phys(void *ctx, const void *memory)
{
	(void)ctx;
	return axvm_to_hpa((uintptr_t)memory);
}

static void *hal_phys_to_virt(void *ctx, struct axvm_hpa hpa)
{
	(void)ctx;
	return (void *)(uintptr_t)hpa.value;
}

static void hal_kick(void *ctx, uint32_t cpu)
{
	(void)ctx;
	board_kick(cpu);
}

static uint64_t hal_now(void *ctx)
{
	(void)ctx;
	return board_now();
}

static void hal_irq_unmask(void *ctx, uint32_t irq)
{
	(void)ctx;
	board_unmask_irq(irq);
}

static bool hal_take_vtimer(void *ctx)
{
	(void)ctx;
	return board.take_vtimer();
}

static void hal_log(void *ctx, enum axvm_log_level level, const char *text)
{
	(void)ctx;
	print("axvm: %s%s\n", level == AXVM_LOG_ERROR ? "error: " : "", text);
}

static struct axvm_hal hal = {
	.size = sizeof(hal),
	.alloc = heap_alloc,
	.free = heap_free,
	.virt_to_phys = hal_virt_to_phys,
	.phys_to_virt = hal_phys_to_virt,
	.linear = true, /* at the same address */
	.kick = hal_kick,
	.wake = sched_wake,
	.now = hal_now,
	/* counter_hz: the board's */
	.timer = sched_timer,
	.irq_unmask = hal_irq_unmask,
	.log = hal_log,
};

static void create_host(void)
{
	MUST(axvm_host_create(&hal, board.backend, board.cpus, &host));
	/* No VM may get these by passthrough. */
	for (const struct range *r = board.used; r->size != 0; r++)
		MUST(axvm_host_reserve(host, axvm_to_hpa(r->start), r->size));
	for (const struct range *r = board.devices; r->size != 0; r++)
		MUST(axvm_host_reserve(host, axvm_to_hpa(r->start), r->size));
}

/* ---- CPUs ---- */

static void prepare_cpu(uint32_t cpu)
{
	sched_init(cpu);
	self_test(&hal, cpu);
}

/* Each CPU does this for itself: what is enabled are its own registers. */
static struct axvm_cpu *enable_cpu(uint32_t cpu)
{
	struct axvm_cpu *handle;

	if (axvm_cpu_enable(host, cpu, board.hw_ids[cpu], &handle) != AXVM_OK)
		panic("CPU %u: %s", cpu, axvm_host_reason(host));
	return handle;
}

/* A CPU that comes late finds the scheduler stopped and leaves it at once. */
void host_cpu_main(uint32_t cpu)
{
	struct axvm_cpu *handle;

	prepare_cpu(cpu);
	handle = enable_cpu(cpu);
	sched_loop(cpu, handle);
	MUST(axvm_cpu_disable(handle));
	others_done++;
	for (;;)
		board_wait();
}

/*
 * The order that counts: host, first CPU, VMs (they need an enabled CPU), then
 * the scheduler on all CPUs; at the end the same backwards.
 */
void host_main(void)
{
	struct axvm_cpu *handle;
	uint64_t before;
	bool ok;

	for (const struct range *r = board.ram; r->size != 0; r++)
		add_free(r->start, r->start + r->size, board.used);
	before = heap_free_bytes;
	print("host: %u CPUs, %lu MiB free\n", board.cpus, before >> 20);
	hal.counter_hz = board.counter_hz;
	stack_is_measured = option("stack", 0) != 0;
	if (board.take_vtimer != NULL && option("mask-vtimer", 0) == 0) {
		hal.take_vtimer = hal_take_vtimer;
		hal.vtimer_irq = board.vtimer_irq;
	}
	prepare_cpu(0);
	create_host();
	handle = enable_cpu(0);
	vm_start_all(host);
	for (uint32_t cpu = 1; cpu < board.cpus; cpu++) {
		if (!board_start_cpu(cpu))
			panic("CPU %u does not start", cpu);
	}
	sched_loop(0, handle);
	while (others_done != board.cpus - 1)
		; /* on its way out of its last run */
	if (stack_is_measured)
		stack_print();
	if (option("stats", 0) != 0 || option("histograms", 0) != 0)
		vm_print_stats();
	ok = vm_destroy_all();
	MUST(axvm_cpu_disable(handle));
	MUST(axvm_host_destroy(host));
	if (heap_free_bytes != before)
		panic("%lu bytes did not come back", before - heap_free_bytes);
	print("host: heap balanced\n");
	board_exit(ok ? 0 : 1);
}
