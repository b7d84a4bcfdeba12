/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * All ranges of a configuration side by side: no two may share an address or a
 * port, no window a page of the host; and interrupt lines alike. Reads the
 * caller's struct alone; no state, no lock. Called by config.c after each range
 * was found valid by itself.
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

static struct axvmi_window window(uint64_t gpa, uint64_t hpa, uint64_t size,
				  const char *field, uint32_t index)
{
	uint64_t last = (gpa + (size - 1)) | (PAGE_SIZE_4K - 1);

	gpa = align_down(gpa, PAGE_SIZE_4K);
	return (struct axvmi_window){gpa, align_down(hpa, PAGE_SIZE_4K),
				     last - gpa, field, index};
}

struct axvmi_window axvmi_window_at(const struct axvm_vm_config *c, uint32_t n)
{
	const struct axvm_passthrough_config *p;
	const struct axvm_range_config *r;

	if (n < c->passthrough_count) {
		p = &c->passthrough[n];
		return window(p->gpa.value, p->hpa.value, p->size,
			      FIELD_PASSTHROUGH, n);
	}
	n -= c->passthrough_count;
	r = &c->passthrough_addresses[n];
	return window(r->base, r->base, r->size, FIELD_ADDRESSES, n);
}

static uint32_t span_count(const struct axvm_vm_config *c)
{
	return c->region_count + c->emu_device_count +
	       c->passthrough_port_count + axvmi_window_count(c);
}

/*
 * The n-th range of the configuration; `*port` tells its space. Computed anew
 * each time, because 200 of them do not belong on a host's stack.
 */
static struct span nth_span(const struct axvm_vm_config *c, uint32_t n,
			    bool *port)
{
	const struct axvm_range_config *ports;

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
	if (n < axvmi_window_count(c)) {
		struct axvmi_window w = axvmi_window_at(c, n);

		return (struct span){w.gpa, w.gpa + w.last, w.field, w.index};
	}
	n -= axvmi_window_count(c);
	ports = &c->passthrough_ports[n];
	*port = true;
	return bytes(ports->base, ports->size, FIELD_PORTS, n);
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

static bool overlap(const struct span *a, const struct span *b)
{
	return a->first <= b->last && b->first <= a->last;
}

/* Host-physical. */
static struct span window_pages(const struct axvm_vm_config *c, uint32_t n)
{
	struct axvmi_window w = axvmi_window_at(c, n);

	return (struct span){w.hpa, w.hpa + w.last, w.field, w.index};
}

/*
 * A page of the host that window n shows and something before it has already:
 * registers are no RAM to be zeroed, and have one place in a guest.
 */
static int check_window(const struct axvm_vm_config *c, uint32_t n,
			struct axvm_config_error *error)
{
	struct span span = window_pages(c, n);
	struct span other;

	for (uint32_t i = 0; i < c->region_count; i++) {
		const struct axvm_region_config *r = &c->regions[i];

		other = bytes(axvmi_region_hpa(r), r->size, FIELD_REGIONS, i);
		if (axvmi_region_is_lent(r) && overlap(&span, &other)) {
			report(error, &span, &other);
			return AXVM_EEXIST;
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		other = window_pages(c, i);
		if (overlap(&span, &other)) {
			report(error, &span, &other);
			return AXVM_EEXIST;
		}
	}
	return 0;
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

			if (port != other_port || !overlap(&span, &other))
				continue;
			report(error, &span, &other);
			return AXVM_EEXIST;
		}
	}
	for (uint32_t i = 0; i < axvmi_window_count(c); i++) {
		int ret = check_window(c, i, error);

		if (ret != 0)
			return ret;
	}
	return 0;
}

/*
 * Devices of one VM may share a host interrupt, as they do on the host: the
 * guest looks at all of them before it ends it. An emulated one on that line
 * could not tell whose end it was.
 */
int axvmi_config_check_lines(const struct axvm_vm_config *c,
			     struct axvm_config_error *error)
{
	for (uint32_t i = 0; i < c->passthrough_count; i++) {
		for (uint32_t k = 0; k < c->emu_device_count; k++) {
			if (c->passthrough[i].irq == 0 ||
			    c->passthrough[i].irq != c->emu_devices[k].irq)
				continue;
			axvmi_refuse(error, AXVM_EEXIST, FIELD_PASSTHROUGH, i,
				     "the interrupt line is already taken");
			if (error) {
				error->other_field = FIELD_EMU;
				error->other_index = k;
			}
			return AXVM_EEXIST;
		}
	}
	return 0;
}
