/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * For the tests of axvm_config_check(): one good configuration, functions that
 * add to it, and what the check is expected to say.
 */
#ifndef AXVM_CONFIG_TEST_H
#define AXVM_CONFIG_TEST_H

#include "axvm/config.h"
#include "axvm/error.h"

static struct axvm_config_storage s;
static struct axvm_vm_config *const c = &s.config;
static struct axvm_config_error error;

static inline struct axvm_region_config *add_region(uint64_t gpa, uint64_t size)
{
	struct axvm_region_config *r = &s.regions[c->region_count++];

	r->gpa.value = gpa;
	r->size = size;
	r->access = AXVM_RWX;
	return r;
}

static inline struct axvm_emu_device_config *
add_emu(uint32_t type, uint64_t gpa, uint64_t size)
{
	struct axvm_emu_device_config *d =
		&s.emu_devices[c->emu_device_count++];

	d->name = "device";
	d->type = type;
	d->gpa.value = gpa;
	d->size = size;
	return d;
}

static struct axvm_passthrough_config *
add_passthrough(uint64_t gpa, uint64_t hpa, uint64_t size)
{
	struct axvm_passthrough_config *p =
		&s.passthrough[c->passthrough_count++];

	p->name = "passthrough";
	p->gpa.value = gpa;
	p->hpa.value = hpa;
	p->size = size;
	return p;
}

static inline struct axvm_range_config *add_address(uint64_t base,
						    uint64_t size)
{
	struct axvm_range_config *r =
		&s.passthrough_addresses[c->passthrough_address_count++];

	r->base = base;
	r->size = size;
	return r;
}

static inline struct axvm_range_config *add_ports(uint64_t base, uint64_t size)
{
	struct axvm_range_config *r =
		&s.passthrough_ports[c->passthrough_port_count++];

	r->base = base;
	r->size = size;
	return r;
}

/* Before each test: RAM at 2 GiB, two vCPUs, nothing else. */
static inline int setup(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	c->size = sizeof(*c);
	c->id = 1;
	c->name = "vm";
	c->type = AXVM_VM_TYPE_LINUX;
	c->cpu_num = 2;
	c->phys_cpu_ids = s.phys_cpu_ids;
	c->phys_cpu_sets = s.phys_cpu_sets;
	c->regions = s.regions;
	c->emu_devices = s.emu_devices;
	c->passthrough = s.passthrough;
	c->passthrough_addresses = s.passthrough_addresses;
	c->passthrough_ports = s.passthrough_ports;
	c->excluded_devices = s.excluded_devices;
	c->kernel.entry.value = 0x80200000;
	add_region(0x80000000, 0x10000000);
	return 0;
}

static inline void accepted(void)
{
	int ret = axvm_config_check(c, &error);

	if (ret != 0)
		fail_msg("%s: %s[%u]: %s", axvm_error_name(ret), error.field,
			 error.index, error.reason);
	assert_int_equal(axvm_config_check(c, NULL), 0);
}

static inline void refused(int code, const char *field, uint32_t index)
{
	memset(&error, 0xa5, sizeof(error));
	assert_int_equal(axvm_config_check(c, &error), code);
	assert_string_equal(error.field, field);
	assert_int_equal(error.index, index);
	assert_non_null(error.reason);
	assert_int_equal(error.line, 0);
	if (code != AXVM_EEXIST)
		assert_null(error.other_field);
	assert_int_equal(axvm_config_check(c, NULL), code);
}

static inline void collides(const char *field, uint32_t index,
			    const char *other, uint32_t other_index)
{
	refused(AXVM_EEXIST, field, index);
	assert_string_equal(error.other_field, other);
	assert_int_equal(error.other_index, other_index);
}

#endif
