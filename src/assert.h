/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Assertions: for bugs of the library alone, never for what a host or a guest
 * can do. A failed one stops the CPU (or the test) at once; AXVM_ASSERTS=OFF
 * removes them.
 */
#ifndef AXVMI_ASSERT_H
#define AXVMI_ASSERT_H

#ifdef AXVM_NO_ASSERTS
#define AXVMI_ASSERT(cond) ((void)sizeof((cond) ? 1 : 0))
#else
#define AXVMI_ASSERT(cond) ((cond) ? (void)0 : __builtin_trap())
#endif

#endif
