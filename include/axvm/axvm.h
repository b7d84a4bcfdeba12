/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * axvm: virtual machines for bare-metal hypervisors. The whole interface in the
 * order a host uses it:
 *
 *   axvm_hal_selftest()  selftest.h     is the host what the library needs?
 *   axvm_host_create()   hal.h host.h   the machine and what the host provides
 *   axvm_cpu_enable()    host.h         on every CPU
 *   axvm_create()        config.h vm.h  a VM from a configuration
 *   axvm_add_image()     boot.h         kernel, ramdisk, device tree
 *   axvm_add_device()    device.h       device models, devices/uart16550.h
 *   axvm_init()          vm.h           memory, vCPUs, images, tables
 *   axvm_boot()          vm.h
 *   axvm_run_vcpu()      vcpu.h exit.h  the loop
 *   axvm_irq_set()       irq.h          interrupts in, from anywhere
 *   axvm_read_guest()    memory.h       guest memory
 *   axvm_ivc_create()    ivc.h          channels between VMs, hypercalls
 *   axvm_shutdown()      vm.h           and axvm_reset(), axvm_destroy()
 *
 * Contexts named in the declarations: "thread" may take the VM's locks and call
 * hal.alloc; "interrupt-safe" may be called anywhere, also inside callbacks.
 * Errors are negative AXVM_E* (error.h); after one nothing has changed.
 */
#ifndef AXVM_AXVM_H
#define AXVM_AXVM_H

#include "arch.h"
#include "boot.h"
#include "config.h"
#include "device.h"
#include "devices/pl011.h"
#include "devices/uart16550.h"
#include "error.h"
#include "exit.h"
#include "hal.h"
#include "host.h"
#include "irq.h"
#include "ivc.h"
#include "memory.h"
#include "selftest.h"
#include "types.h"
#include "vcpu.h"
#include "version.h"
#include "vm.h"

#endif
