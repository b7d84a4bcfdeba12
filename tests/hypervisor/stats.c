/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What the library counts, printed: exits and run time of each vCPU (run.sh
 * --stats), cycles outside the guest by exit (--histograms), a dump of a vCPU.
 */
#include "host.h"

static struct axvm_exit_histogram *histograms[MAX_VMS * AXVM_MAX_VCPUS];
static uint32_t watched;

/* In the order in which they are printed. */
void stats_watch(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < axvm_vm_vcpu_count(vm); i++) {
		struct axvm_exit_histogram *h =
			heap_alloc(NULL, sizeof(*h), 64);

		if (h == NULL)
			panic("no memory for histograms");
		memset(h, 0, sizeof(*h));
		h->size = sizeof(*h);
		MUST(axvm_vcpu_set_histogram(vm, i, h));
		histograms[watched++] = h;
	}
}

static void print_histogram(const struct axvm_exit_histogram *h,
			    enum axvm_stat stat)
{
	uint64_t count = 0;

	for (uint32_t n = 0; n < AXVM_HISTOGRAM_BUCKETS; n++)
		count += h->count[stat][n];
	if (count == 0)
		return;
	print("stats:   %s: %lu cycles on average, 2^n:", axvm_stat_name(stat),
	      h->total[stat] / count);
	for (uint32_t n = 0; n < AXVM_HISTOGRAM_BUCKETS; n++) {
		if (h->count[stat][n] != 0)
			print(" %u:%lu", n, h->count[stat][n]);
	}
	print("\n");
}

static void print_vcpu(uint32_t number, struct axvm_vm *vm, uint32_t vcpu)
{
	struct axvm_vcpu_stats stats;

	MUST(axvm_vcpu_get_stats(vm, vcpu, &stats));
	for (uint32_t i = 0; i < AXVM_STATS; i++) {
		if (stats.exits[i] != 0)
			print("stats: vm%u vcpu%u exit %s %lu\n", number, vcpu,
			      axvm_stat_name(i), stats.exits[i]);
	}
	print("stats: vm%u vcpu%u ran %lu ms\n", number, vcpu,
	      stats.run_ticks / (board.counter_hz / 1000));
}

void stats_print(uint32_t number, struct axvm_vm *vm)
{
	static uint32_t next;

	for (uint32_t i = 0; i < axvm_vm_vcpu_count(vm); i++) {
		print_vcpu(number, vm, i);
		if (next == watched)
			continue;
		for (uint32_t s = 0; s < AXVM_STATS; s++)
			print_histogram(histograms[next], s);
		heap_free(NULL, histograms[next],
			  sizeof(struct axvm_exit_histogram));
		next++;
	}
}

/* Line by line: the whole is longer than a line of print(). */
void stats_dump(uint32_t number, struct axvm_vm *vm, uint32_t vcpu)
{
	char text[2048];
	size_t length;

	MUST(axvm_dump_vcpu(vm, vcpu, text, sizeof(text), &length));
	print("host: vm%u:\n%s", number, text);
}
