/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The four functions that the library and compilers call, memset() by words
 * since zeroing RAM is most of a VM's start, and messages.
 */
#include <stdarg.h>

#include "host.h"

/* Whatever type is behind it. */
typedef uint64_t __attribute__((may_alias)) word;

void *memset(void *to, int byte, size_t size)
{
	unsigned char *bytes = to;
	word *words = to;

	if (((uintptr_t)to | size) % sizeof(word) == 0) {
		for (size_t i = 0; i < size / sizeof(word); i++)
			words[i] = 0x0101010101010101u * (unsigned char)byte;
		return to;
	}
	while (size-- != 0)
		bytes[size] = (unsigned char)byte;
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	unsigned char *at = to;
	const unsigned char *source = from;
	bool backwards = (uintptr_t)at - (uintptr_t)source < size;

	for (size_t i = 0; i < size; i++) {
		size_t n = backwards ? size - 1 - i : i;

		at[n] = source[n];
	}
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	return memmove(to, from, size);
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	while (size != 0 && *x == *y)
		size--, x++, y++;
	return size == 0 ? 0 : *x - *y;
}

static void put_number(void (*put)(char), uint64_t value, unsigned base)
{
	if (value >= base)
		put_number(put, value / base, base);
	put("0123456789abcdef"[value % base]);
}

/* Knows %s, %u, %x, %lu, %lx. */
static void format_list(void (*put)(char), const char *at, va_list args)
{
	for (; *at != '\0'; at++) {
		bool wide = at[0] == '%' && at[1] == 'l';

		if (*at != '%') {
			put(*at);
		} else if (*++at == 's') {
			const char *s = va_arg(args, const char *);

			while (*s != '\0')
				put(*s++);
		} else {
			at += wide;
			put_number(put,
				   wide ? va_arg(args, unsigned long)
					: va_arg(args, unsigned),
				   *at == 'x' ? 16 : 10);
		}
	}
}

static void put(char c)
{
	console_write(0, c);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_list(put, format, args);
	va_end(args);
}

/* Takes no lock: its holder may be who panics. */
void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_list(board_putc, "\nhost: panic: ", args);
	format_list(board_putc, format, args);
	va_end(args);
	board_putc('\n');
	board_exit(1);
}

void must(const char *what, int error)
{
	if (error != AXVM_OK)
		panic("%s: %s", what, axvm_error_name(error));
}
