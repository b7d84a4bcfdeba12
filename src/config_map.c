/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * All ranges of a configuration side by side: no two may share an address or a
 * port. Reads the caller's struct alone; no state, no lock. Called by config.c
 * after each range was found valid by itself.
 */
#include "axvm/error.h"
#include "bits.h"
#include "config_check.h"

/* Inclusive bounds: rounding up to the last page never wraps. */
struct span {
	uint64_t first;
	uint64_t last;
	const char *field;
	uint32_t index;
};

/* Emulated windows are matched by the byte, RAM is whole pages anyway. */
static struct span bytes(uint64_t base, uint64_t size, const char *field,
			 uint32_t index)
{
	return (struct span){base, base + (size - 1), field, index};
}

/* Base down and end up together, so that the last page is not lost. */
static struct span pages(uint64_t base, uint64_t size, const char *field,
			 uint32_t index)
{
	struct span span = bytes(base, size, field, index);

	span.first &= ~(PAGE_SIZE_4K - 1);
	span.last |= PAGE_SIZE_4K - 1;
	return span;
}

static uint32_t span_count(const struct axvm_vm_config *c)
{
	return c->region_count + c->emu_device_count +
	       c->passthrough_port_count + c->passthrough_count +
	       c->passthrough_address_count;
}

/*
 * The n-th range of the configuration; `*port` tells its space. Computed anew
 * each time, because 200 of them do not belong on a host's stack.
 */
static struct span nth_span(const struct axvm_vm_config *c, uint32_t n,
			    bool *port)
{
	const struct axvm_range_config *window;

	*port = false;
	if (n < c->region_count)
		return bytes(c->regions[n].gpa.value, c->regions[n].size,
			     FIELD_REGIONS, n);
	n -= c->region_count;
	if (n < c->emu_device_count) {
		*port = axvm_emu_device_uses_ports(&c->emu_devices[n]);
		return bytes(c->emu_devices[n].gpa.value,
			     c->emu_devices[n].size, FIELD_EMU, n);
	}
	n -= c->emu_device_count;
	if (n < c->passthrough_count)
		return pages(c->passthrough[n].gpa.value,
			     c->passthrough[n].size, FIELD_PASSTHROUGH, n);
	n -= c->passthrough_count;
	if (n < c->passthrough_address_count) {
		window = &c->passthrough_addresses[n];
		return pages(window->base, window->size, FIELD_ADDRESSES, n);
	}
	n -= c->passthrough_address_count;
	window = &c->passthrough_ports[n];
	*port = true;
	return bytes(window->base, window->size, FIELD_PORTS, n);
}

static void report(struct axvm_config_error *error, const struct span *span,
		   const struct span *other)
{
	if (!error)
		return;
	*error = (struct axvm_config_error){
		.field = span->field,
		.index = span->index,
		.other_field = other->field,
		.other_index = other->index,
		.reason = "the range is already taken",
	};
}

/*
 * Every pair, at most 18,000 of them, once in a VM's life: sorting would need
 * memory that nobody has given us. The earlier one is the owner, so RAM wins
 * over devices and emulated devices over windows.
 */
int axvmi_config_check_overlaps(const struct axvm_vm_config *c,
				struct axvm_config_error *error)
{
	uint32_t count = span_count(c);

	for (uint32_t i = 1; i < count; i++) {
		bool port;
		struct span span = nth_span(c, i, &port);

		for (uint32_t j = 0; j < i; j++) {
			bool other_port;
			struct span other = nth_span(c, j, &other_port);

			if (port != other_port || span.first > other.last ||
			    other.first > span.last)
				continue;
			report(error, &span, &other);
			return AXVM_EEXIST;
		}
	}
	return 0;
}
