/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The sample hypervisor from start to end: memory, the library's host, CPUs,
 * VMs, the scheduler until all guests are off, and back to nothing. The exit
 * status is 0 only when all went well.
 */
#include <stdatomic.h>

#include "heap.h"
#include "host.h"

#define TIMEOUT 1000000000u

static struct axvm_host *host;
static uint32_t cpu_count;
static atomic_uint others_done;

/* ---- options: a file of words, "name" or "name=number" ---- */

static uint32_t option(struct blob text, const char *name, uint32_t otherwise)
{
	const char *at = text.data;
	const char *end = at + text.size;

	while (at < end) {
		const char *n = name;
		uint32_t value = 0;

		for (; at < end && *n != '\0' && *at == *n; at++)
			n++;
		if (*n == '\0' && (at == end || *at <= ' '))
			return 1;
		if (*n == '\0' && *at == '=') {
			for (at++; at < end && *at >= '0' && *at <= '9'; at++)
				value = value * 10 + (uint32_t)(*at - '0');
			return value;
		}
		while (at != end && *at > ' ')
			at++;
		if (at != end)
			at++;
	}
	return otherwise;
}

/* ---- memory ---- */

/* Gives the heap [start, end) without what the board says is in use. */
static void add_free(uint64_t start, uint64_t end, uint32_t first)
{
	struct board_range used;

	for (uint32_t i = first; start < end && board_used(i, &used); i++) {
		if (used.start >= end || used.start + used.size <= start)
			continue;
		if (used.start > start)
			add_free(start, used.start, i + 1);
		start = used.start + used.size;
	}
	if (start < end)
		heap_add(start, end - start);
}

/* ---- struct axvm_hal: what the library needs of us ---- */

static void *hal_alloc(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return heap_alloc(size, align);
}

static void hal_free(void *ctx, void *memory, size_t size)
{
	(void)ctx;
	heap_free(memory, size);
}

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

static void hal_timer(void *ctx, uint64_t deadline)
{
	(void)ctx;
	sched_timer(deadline);
}

static void hal_log(void *ctx, enum axvm_log_level level, const char *text)
{
	(void)ctx;
	print("axvm: %s%s\n", level == AXVM_LOG_ERROR ? "error: " : "", text);
}

static void create_host(void)
{
	const struct axvm_hal hal = {
		.size = sizeof(hal),
		.alloc = hal_alloc,
		.free = hal_free,
		.virt_to_phys = hal_virt_to_phys,
		.phys_to_virt = hal_phys_to_virt,
		.kick = hal_kick,
		.wake = vmm_wake,
		.now = hal_now,
		.counter_hz = board_counter_hz(),
		.timer = hal_timer,
		.log = hal_log,
	};
	struct board_range r;

	must("axvm_host_create",
	     axvm_host_create(&hal, board_backend(), cpu_count, &host));
	/* No VM may get these by passthrough or as its RAM. */
	for (uint32_t i = 0; board_used(i, &r); i++)
		must("axvm_host_reserve",
		     axvm_host_reserve(host, axvm_to_hpa(r.start), r.size));
}

/* ---- CPUs ---- */

/* Each CPU does this for itself: what is enabled are its own registers. */
static struct axvm_cpu *enable_cpu(uint32_t cpu)
{
	struct axvm_cpu *handle;

	if (axvm_cpu_enable(host, cpu, board_hw_id(cpu), &handle) != AXVM_OK)
		panic("CPU %u: %s", cpu, axvm_host_reason(host));
	return handle;
}

/* A CPU that comes late finds the scheduler stopped and leaves it at once. */
void host_cpu_main(uint32_t cpu)
{
	struct axvm_cpu *handle = enable_cpu(cpu);

	sched_loop(cpu, handle);
	must("axvm_cpu_disable", axvm_cpu_disable(handle));
	others_done++;
	for (;;) {
		board_wait();
		board_take_irqs();
	}
}

static void start_others(void)
{
	for (uint32_t cpu = 1; cpu < cpu_count; cpu++) {
		if (!board_start_cpu(cpu))
			panic("CPU %u does not start", cpu);
	}
}

static void wait_for_others(void)
{
	uint64_t limit = board_now() + TIMEOUT;

	while (others_done != cpu_count - 1) {
		board_take_irqs();
		if (board_now() > limit)
			panic("only %u CPUs come back", others_done + 1);
	}
}

/* ---- the whole ---- */

/*
 * The order that counts: host, first CPU, VMs (they need an enabled CPU), then
 * the scheduler on all CPUs; at the end the same backwards.
 */
static bool run_guests(struct blob options)
{
	struct axvm_cpu *handle;
	bool ok;

	create_host();
	handle = enable_cpu(0);
	vmm_start(host, option(options, "reboots", 16));
	start_others();
	sched_loop(0, handle);
	wait_for_others();
	if (option(options, "stats", 0) != 0)
		vmm_print_stats();
	ok = vmm_finish();
	must("axvm_cpu_disable", axvm_cpu_disable(handle));
	must("axvm_host_destroy", axvm_host_destroy(host));
	return ok;
}

void host_main(void)
{
	struct board_range range = board_bundle();
	struct blob bundle = {(const void *)(uintptr_t)range.start, range.size};
	struct blob options = {"", 0};
	struct board_range ram;
	uint64_t before;
	uint32_t vms;
	bool ok;

	for (uint32_t i = 0; board_ram(i, &ram); i++)
		add_free(ram.start, ram.start + ram.size, 0);
	before = heap_free_bytes();
	bundle_find(bundle, "options", &options);
	cpu_count = option(options, "host-cpus", board_cpus());
	if (cpu_count == 0 || cpu_count > board_cpus())
		cpu_count = board_cpus();
	sched_init(cpu_count, option(options, "slice-ms", 10) * 1000000ull,
		   option(options, "migrate", 0));
	vms = vmm_load(bundle);
	if (vms == 0)
		panic("no vm1/config.toml in the bundle");
	print("host: %u CPUs, %lu MiB free, %u VMs\n", cpu_count, before >> 20,
	      vms);
	ok = run_guests(options);
	if (heap_free_bytes() != before)
		panic("%lu bytes did not come back",
		      before - heap_free_bytes());
	print("host: heap balanced\n");
	board_exit(ok ? 0 : 1);
}
