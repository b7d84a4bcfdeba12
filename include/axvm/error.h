/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Error codes. Every function that can fail returns 0 or one of these negative
 * values. After an error nothing has changed and no out-parameter was written,
 * unless the declaration says otherwise. Each code has one meaning.
 */
#ifndef AXVM_ERROR_H
#define AXVM_ERROR_H

#define AXVM_OK 0
/* An argument is malformed: null, unaligned, zero-sized, wrapping, unknown
 * flag, wrong struct size. */
#define AXVM_EINVAL (-1)
/* hal.alloc returned NULL. */
#define AXVM_ENOMEM (-2)
/* The object is not in a state in which this call is allowed. */
#define AXVM_ESTATE (-3)
/* In use: resident on another CPU, running, still referenced. Try later. */
#define AXVM_EBUSY (-4)
/* The hardware, the backend or an absent HAL callback does not provide it. */
#define AXVM_ENOTSUP (-5)
/* The range or name is already taken by another owner. */
#define AXVM_EEXIST (-6)
/* No such object: vCPU index, region, device, line, mapping. */
#define AXVM_ENOENT (-7)
/* A number or address lies outside what the object can hold. */
#define AXVM_ERANGE (-8)
/* Work done up to a bound; call again to go on. */
#define AXVM_EAGAIN (-9)
/* Guest memory is not mapped with the rights the access needs. */
#define AXVM_EFAULT (-10)
/* A table or buffer of fixed capacity is full. */
#define AXVM_ENOSPC (-11)
/* Text does not follow its grammar (TOML). */
#define AXVM_ESYNTAX (-12)
/* Policy forbids it (DMA without IOMMU, foreign memory). */
#define AXVM_EPERM (-13)
/* An image is not of a format the backend can start. */
#define AXVM_EFORMAT (-14)
/* A callback of struct axvm_hal does not keep its contract. */
#define AXVM_EHAL (-15)

/*
 * Short English name of an error code, e.g. "AXVM_ENOMEM"; "AXVM_OK" for 0 and
 * "unknown" for anything else. Static storage. Context: any.
 */
#ifdef __cplusplus
extern "C" {
#endif
const char *axvm_error_name(int error);
#ifdef __cplusplus
}
#endif

#endif
