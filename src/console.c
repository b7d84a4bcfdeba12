/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The debug console the host gives a VM: set under the life lock in LOADING,
 * read without a lock once vCPUs run. Backends call what is in it.
 */
#include "internal.h"

int axvm_set_debug_console(struct axvm_vm *vm,
			   const struct axvm_debug_console *console)
{
	static const struct axvm_debug_console none;
	int err = AXVM_ESTATE;

	if (vm == NULL || (console != NULL && console->write == NULL))
		return AXVM_EINVAL;
	spin_lock(&vm->life);
	if (axvmi_may_add(vm)) {
		vm->console = console != NULL ? *console : none;
		err = AXVM_OK;
	}
	spin_unlock(&vm->life);
	return err;
}
