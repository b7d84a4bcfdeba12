/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Formatted text: %s %u %x, with l and a width that fills with zeroes. */
#include <stdarg.h>

#include "host.h"

#define MAX_DIGITS 20u

static size_t put_number(char *to, uint64_t value, unsigned base, size_t width)
{
	char digits[MAX_DIGITS];
	size_t n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (n < MAX_DIGITS && (value != 0 || n < width));
	for (size_t i = 0; i < n; i++)
		to[i] = digits[n - 1 - i];
	return n;
}

static size_t format_list(char *text, size_t size, const char *at, va_list args)
{
	size_t limit = size - MAX_DIGITS - 1;
	size_t used = 0;

	for (; *at != '\0' && used < limit; at++) {
		size_t width = 0;
		bool wide = false;

		if (*at != '%') {
			text[used++] = *at;
			continue;
		}
		for (at++; *at >= '0' && *at <= '9'; at++)
			width = width * 10 + (size_t)(*at - '0');
		if (*at == 'l') {
			wide = true;
			at++;
		}
		if (*at == 's') {
			const char *s = va_arg(args, const char *);

			while (*s != '\0' && used < limit)
				text[used++] = *s++;
			continue;
		}
		used += put_number(text + used,
				   wide ? va_arg(args, unsigned long)
					: va_arg(args, unsigned),
				   *at == 'x' ? 16 : 10, width);
	}
	text[used] = '\0';
	return used;
}

size_t format_text(char *text, size_t size, const char *format, ...)
{
	va_list args;
	size_t used;

	va_start(args, format);
	used = format_list(text, size, format, args);
	va_end(args);
	return used;
}

void print(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	console_write(0, text, format_list(text, sizeof(text), format, args));
	va_end(args);
}

/* Takes no lock: its holder may be who panics. */
void panic(const char *format, ...)
{
	char text[256] = "\nhost: panic: ";
	size_t used = sizeof("\nhost: panic: ") - 1;
	va_list args;

	va_start(args, format);
	format_list(text + used, sizeof(text) - used, format, args);
	va_end(args);
	for (const char *s = text; *s != '\0'; s++)
		board_putc(*s);
	board_putc('\n');
	board_exit(1);
}

void must(const char *what, int error)
{
	if (error != AXVM_OK)
		panic("%s: %s", what, axvm_error_name(error));
}
