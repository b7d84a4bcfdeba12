/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The host's callbacks with the checks and zeroing the library wants. No state.
 */
#include "internal.h"

void *axvmi_alloc(struct axvm_host *host, size_t size, size_t align)
{
	return host->hal.alloc(host->hal.ctx, size, align);
}

void *axvmi_alloc_zeroed(struct axvm_host *host, size_t size, size_t align)
{
	void *ptr = axvmi_alloc(host, size, align);

	if (ptr != NULL)
		memset(ptr, 0, size);
	return ptr;
}

void axvmi_free(struct axvm_host *host, void *ptr, size_t size)
{
	if (ptr != NULL)
		host->hal.free(host->hal.ctx, ptr, size);
}

void axvmi_log(struct axvm_host *host, enum axvm_log_level level,
	       const char *msg)
{
	if (host->hal.log != NULL)
		host->hal.log(host->hal.ctx, level, msg);
}
