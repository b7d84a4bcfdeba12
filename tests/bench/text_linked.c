/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Takes from the archive what a host of one Linux VM calls; linked, never run.
 * With TEXT_TOML its configuration is a TOML text, else a struct.
 */
#include <axvm/axvm.h>
#include <axvm/devices/uart16550.h>

typedef void (*function)(void);

extern const function used[];
const function used[] = {
	(function)axvm_backend_riscv_h,
	(function)axvm_host_create,
	(function)axvm_host_destroy,
	(function)axvm_host_reason,
	(function)axvm_host_reserve,
	(function)axvm_cpu_enable,
	(function)axvm_cpu_release,
	(function)axvm_cpu_disable,
	(function)axvm_create,
	(function)axvm_add_image,
	(function)axvm_set_debug_console,
	(function)axvm_uart16550_init,
	(function)axvm_uart16550_receive,
	(function)axvm_uart16550_receive_room,
	(function)axvm_add_device,
	(function)axvm_init,
	(function)axvm_boot,
	(function)axvm_run_vcpu,
	(function)axvm_vcpu_unbind,
	(function)axvm_vcpu_get_stats,
	(function)axvm_shutdown,
	(function)axvm_reset,
	(function)axvm_destroy,
	(function)axvm_error_name,
	(function)axvm_exit_name,
	(function)axvm_stat_name,
#ifdef TEXT_TOML
	(function)axvm_config_from_toml,
	(function)axvm_emu_device_uses_ports,
#endif
};
