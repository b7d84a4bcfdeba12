/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The four functions the library takes from its host. A freestanding compiler
 * may call them by itself (C11 4p6, GCC manual "Standards"), so they are needed
 * anyway; nothing else is.
 */
#ifndef AXVMI_MEM_H
#define AXVMI_MEM_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif
