/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Names of the error codes, for a host's log. No state. */
#include "axvm/error.h"
#include "bits.h"

const char *axvm_error_name(int error)
{
	static const char *const names[] = {
		[-AXVM_OK] = "AXVM_OK",
		[-AXVM_EINVAL] = "AXVM_EINVAL",
		[-AXVM_ENOMEM] = "AXVM_ENOMEM",
		[-AXVM_ESTATE] = "AXVM_ESTATE",
		[-AXVM_EBUSY] = "AXVM_EBUSY",
		[-AXVM_ENOTSUP] = "AXVM_ENOTSUP",
		[-AXVM_EEXIST] = "AXVM_EEXIST",
		[-AXVM_ENOENT] = "AXVM_ENOENT",
		[-AXVM_ERANGE] = "AXVM_ERANGE",
		[-AXVM_EAGAIN] = "AXVM_EAGAIN",
		[-AXVM_EFAULT] = "AXVM_EFAULT",
		[-AXVM_ENOSPC] = "AXVM_ENOSPC",
		[-AXVM_ESYNTAX] = "AXVM_ESYNTAX",
		[-AXVM_EPERM] = "AXVM_EPERM",
		[-AXVM_EFORMAT] = "AXVM_EFORMAT",
		[-AXVM_EHAL] = "AXVM_EHAL",
	};

	/* INT_MIN cannot be negated: compare before turning the sign. */
	if (error > 0 || error <= -(int)ARRAY_SIZE(names))
		return "unknown";
	return names[-error];
}
