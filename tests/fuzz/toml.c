/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry: any text through the TOML reader and what it accepts through
 * the check. Beyond the sanitizers: results stay inside the storage, errors
 * point into the text, and the outcome does not depend on old storage.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "axvm/config.h"
#include "axvm/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_string(const struct axvm_config_storage *s, const char *text)
{
	if (!text)
		return;
	require(text >= s->strings && text < s->strings + s->strings_used);
	require(strlen(text) < sizeof(s->strings));
}

static void check_result(const struct axvm_config_storage *s)
{
	const struct axvm_vm_config *c = &s->config;
	struct axvm_config_error error = {.field = NULL};
	int ret;

	require(c->phys_cpu_id_count <= AXVM_MAX_VCPUS);
	require(c->phys_cpu_set_count <= AXVM_MAX_VCPUS);
	require(c->region_count <= AXVM_CONFIG_MAX_REGIONS);
	require(c->emu_device_count <= AXVM_CONFIG_MAX_DEVICES);
	require(c->passthrough_count <= AXVM_CONFIG_MAX_PASSTHROUGH);
	require(c->passthrough_address_count <= AXVM_CONFIG_MAX_PASSTHROUGH);
	require(c->passthrough_port_count <= AXVM_CONFIG_MAX_PORTS);
	require(c->excluded_device_count <= AXVM_CONFIG_MAX_DEVICES);
	check_string(s, c->name);
	check_string(s, c->kernel.cmdline);
	check_string(s, c->kernel.kernel_path);
	for (uint32_t i = 0; i < c->emu_device_count; i++) {
		require(c->emu_devices[i].arg_count <=
			AXVM_CONFIG_MAX_DEVICE_ARGS);
		check_string(s, c->emu_devices[i].name);
	}
	for (uint32_t i = 0; i < c->passthrough_count; i++)
		check_string(s, c->passthrough[i].name);
	for (uint32_t i = 0; i < c->excluded_device_count; i++)
		check_string(s, c->excluded_devices[i]);
	ret = axvm_config_check(c, &error);
	require(ret == 0 || (error.field && error.reason));
	require((ret == AXVM_EEXIST) == (error.other_field != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct axvm_config_storage first;
	static struct axvm_config_storage second;
	struct axvm_config_error error = {.field = NULL};
	int ret;

	memset(&first, 0xff, sizeof(first));
	ret = axvm_config_from_toml((const char *)data, size, &first, &error);
	require(axvm_config_from_toml((const char *)data, size, &second,
				      NULL) == ret);
	if (ret == 0) {
		check_result(&first);
		return 0;
	}
	require(error.field && error.reason);
	require(error.line <= size + 1 && error.column <= size + 1);
	return 0;
}
