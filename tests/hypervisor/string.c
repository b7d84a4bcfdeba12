/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The four functions that the library and compilers call. Words at a time
 * where both ends allow it: zeroing RAM is most of a VM's start.
 */
#include "host.h"

/* Whatever type is behind it. */
typedef uint64_t __attribute__((may_alias)) word;

void *memset(void *to, int byte, size_t size)
{
	unsigned char *at = to;
	word pattern = 0x0101010101010101u * (unsigned char)byte;

	if ((uintptr_t)at % sizeof(word) == 0) {
		for (; size >= sizeof(word); size -= sizeof(word)) {
			*(word *)(void *)at = pattern;
			at += sizeof(word);
		}
	}
	while (size-- != 0)
		*at++ = (unsigned char)byte;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	return memmove(to, from, size);
}

void *memmove(void *to, const void *from, size_t size)
{
	unsigned char *at = to;
	const unsigned char *source = from;

	if ((uintptr_t)at - (uintptr_t)source < size) {
		while (size-- != 0)
			at[size] = source[size];
		return to;
	}
	if (((uintptr_t)at | (uintptr_t)source) % sizeof(word) == 0) {
		for (; size >= sizeof(word); size -= sizeof(word)) {
			*(word *)(void *)at =
				*(const word *)(const void *)source;
			at += sizeof(word);
			source += sizeof(word);
		}
	}
	while (size-- != 0)
		*at++ = *source++;
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	for (; size != 0; size--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}
