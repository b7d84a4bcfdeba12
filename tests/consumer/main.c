/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The smallest kernel around the library: linked, never run. */
#include <axvm/axvm.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void start(void);

void *memmove(void *dst, const void *src, size_t n)
{
	volatile char *d = dst;
	const volatile char *s = src;

	if ((uintptr_t)dst < (uintptr_t)src) {
		for (size_t i = 0; i < n; i++)
			d[i] = s[i];
	} else {
		while (n-- != 0)
			d[n] = s[n];
	}
	return dst;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	return memmove(dst, src, n);
}

void *memset(void *dst, int byte, size_t n)
{
	volatile char *d = dst;

	while (n-- != 0)
		d[n] = (char)byte;
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	for (size_t i = 0; i < n; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}

void start(void)
{
	while (axvm_error_name(AXVM_OK)[0] == 'A')
		;
}
