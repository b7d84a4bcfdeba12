/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* config_copy.c: nothing of the host's configuration is kept. */
#include "core_test.h"

#include "internal.h"

/* What the host built, all of it on pages that are gone afterwards. */
struct source {
	char strings[8][16];
	uint64_t ids[3], sets[3];
	struct axvm_region_config regions[2];
	struct axvm_emu_device_config emus[3];
	struct axvm_passthrough_config passthrough[2];
	struct axvm_range_config addresses[2], ports[1];
	const char *excluded[2];
};

static void fill(struct source *s)
{
	for (int i = 0; i < 8; i++) {
		strcpy(s->strings[i], "string 0");
		s->strings[i][7] = (char)('0' + i);
	}
	for (uint64_t i = 0; i < 3; i++) {
		s->ids[i] = 100 + i;
		s->sets[i] = 1;
		s->emus[i].name = i == 1 ? NULL : s->strings[i];
		s->emus[i].gpa.value = 0x1000 * (i + 1);
		s->emus[i].args[7] = i;
	}
	s->regions[0] = regions[0];
	s->regions[1] = regions[0];
	s->regions[1].gpa.value += MIB(16);
	s->passthrough[0].name = s->strings[3];
	s->passthrough[1].irq = 9;
	s->addresses[1].base = 0xabc;
	s->ports[0].base = 0x60;
	s->excluded[0] = s->strings[4];
	s->excluded[1] = NULL;
	config.name = s->strings[5];
	config.cpu_num = 3;
	config.phys_cpu_id_count = 3;
	config.phys_cpu_ids = s->ids;
	config.phys_cpu_set_count = 3;
	config.phys_cpu_sets = s->sets;
	config.region_count = 2;
	config.regions = s->regions;
	config.emu_device_count = 3;
	config.emu_devices = s->emus;
	config.passthrough_count = 2;
	config.passthrough = s->passthrough;
	config.passthrough_address_count = 2;
	config.passthrough_addresses = s->addresses;
	config.passthrough_port_count = 1;
	config.passthrough_ports = s->ports;
	config.excluded_device_count = 2;
	config.excluded_devices = s->excluded;
	config.kernel.cmdline = s->strings[6];
	config.kernel.disk_path = s->strings[7];
}

static struct axvm_vm *bare_vm(void)
{
	struct axvm_vm *vm = calloc(1, sizeof(*vm));

	assert_non_null(vm);
	vm->host = stub_get_host(m);
	return vm;
}

static void everything_is_copied_deeply(void **state)
{
	struct source *s = calloc(1, sizeof(*s));
	struct axvm_vm *vm = bare_vm();
	const struct axvm_vm_config *c = &vm->config;

	(void)state;
	fill(s);
	assert_int_equal(axvmi_config_copy(vm, &config), AXVM_OK);
	memset(s, 0xee, sizeof(*s));
	free(s);
	memset(&config, 0xee, sizeof(config));
	assert_string_equal(c->name, "string 5");
	assert_int_equal(c->cpu_num, 3);
	assert_int_equal(c->phys_cpu_ids[2], 102);
	assert_int_equal(c->phys_cpu_sets[0], 1);
	assert_int_equal(c->region_count, 2);
	assert_int_equal(c->regions[1].gpa.value, RAM + MIB(16));
	assert_string_equal(c->emu_devices[0].name, "string 0");
	assert_null(c->emu_devices[1].name);
	assert_string_equal(c->emu_devices[2].name, "string 2");
	assert_int_equal(c->emu_devices[2].args[7], 2);
	assert_string_equal(c->passthrough[0].name, "string 3");
	assert_null(c->passthrough[1].name);
	assert_int_equal(c->passthrough[1].irq, 9);
	assert_int_equal(c->passthrough_addresses[1].base, 0xabc);
	assert_int_equal(c->passthrough_ports[0].base, 0x60);
	assert_string_equal(c->excluded_devices[0], "string 4");
	assert_null(c->excluded_devices[1]);
	assert_string_equal(c->kernel.cmdline, "string 6");
	assert_string_equal(c->kernel.disk_path, "string 7");
	assert_null(c->kernel.kernel_path);
	axvmi_config_free(vm);
	axvmi_config_free(vm);
	free(vm);
}

static void an_empty_configuration_is_copied(void **state)
{
	struct axvm_vm *vm = bare_vm();

	(void)state;
	empty_config();
	config.name = NULL;
	assert_int_equal(axvmi_config_copy(vm, &config), AXVM_OK);
	assert_null(vm->config.name);
	assert_int_equal(vm->config.region_count, 0);
	axvmi_config_free(vm);
	free(vm);
}

static void without_memory_nothing_is_copied(void **state)
{
	struct axvm_vm *vm = bare_vm();

	(void)state;
	test_hal_fail_at(stub_hal(m), 1);
	assert_int_equal(axvmi_config_copy(vm, &config), AXVM_ENOMEM);
	assert_null(vm->config_copy);
	assert_int_equal(vm->config.id, 0);
	axvmi_config_free(vm);
	free(vm);
}

static void a_vm_lives_on_when_the_hosts_configuration_is_gone(void **state)
{
	struct axvm_vm *vm;
	char name[] = "gone";

	(void)state;
	config.name = name;
	vm = created();
	memset(name, 'x', sizeof(name));
	memset(regions, 0xee, sizeof(regions));
	assert_string_equal(axvm_vm_name(vm), "gone");
	assert_int_equal(axvm_init(vm), AXVM_OK);
	destroy(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_is_copied_deeply),
		TEST(an_empty_configuration_is_copied),
		TEST(without_memory_nothing_is_copied),
		TEST(a_vm_lives_on_when_the_hosts_configuration_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
