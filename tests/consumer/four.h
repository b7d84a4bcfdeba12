/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The four functions that the library needs of a kernel, in C and in C++. */
#ifndef FOUR_H
#define FOUR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

void *memmove(void *dst, const void *src, size_t n)
{
	volatile char *d = (volatile char *)dst;
	const volatile char *s = (const volatile char *)src;

	if ((uintptr_t)dst < (uintptr_t)src) {
		for (size_t i = 0; i < n; i++)
			d[i] = s[i];
	} else {
		while (n-- != 0)
			d[n] = s[n];
	}
	return dst;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	return memmove(dst, src, n);
}

void *memset(void *dst, int byte, size_t n)
{
	volatile char *d = (volatile char *)dst;

	while (n-- != 0)
		d[n] = (char)byte;
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = (const unsigned char *)a;
	const unsigned char *y = (const unsigned char *)b;

	for (size_t i = 0; i < n; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif
