/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

#include <axvm/axvm.h>

/* Runs a VM with one vCPU on this CPU until its guest powers off. */
int run_guest(struct axvm_host *host, struct axvm_cpu *cpu,
	      const struct axvm_vm_config *config,
	      const struct axvm_image *kernel)
{
	struct axvm_exit exit = { .reason = AXVM_EXIT_NONE };
	struct axvm_vm *vm;
	int err = axvm_create(host, config, NULL, &vm);

	if (err != AXVM_OK)
		return err;
	err = axvm_add_image(vm, AXVM_IMAGE_KERNEL, kernel);
	if (err == AXVM_OK)
		while ((err = axvm_init(vm)) == AXVM_EAGAIN)
			;
	if (err == AXVM_OK)
		err = axvm_boot(vm);
	while (err == AXVM_OK && exit.reason != AXVM_EXIT_STOPPED) {
		err = axvm_run_vcpu(cpu, vm, 0, &exit);
		if (err == AXVM_OK && exit.reason == AXVM_EXIT_HALT)
			wait_for_interrupt(exit.u.halt.deadline);
	}
	if (axvm_shutdown(vm) == AXVM_OK &&
	    axvm_vcpu_unbind(cpu, vm, 0) != AXVM_OK)
		return AXVM_EBUSY;
	while (axvm_destroy(vm) == AXVM_EAGAIN)
		;
	return err;
}
