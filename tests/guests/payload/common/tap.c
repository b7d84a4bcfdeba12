/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The Test Anything Protocol, as tap.h has it. `count` is the boot CPU's, like
 * all of this.
 */
#include <stdarg.h>

#include "tap.h"

static uint32_t count;

static void put_string(const char *s)
{
	while (*s != '\0')
		console_put(*s++);
}

static void put_number(uint64_t v, uint64_t base)
{
	char digits[24];
	uint32_t n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v != 0);
	while (n > 0)
		console_put(digits[--n]);
}

static void put_signed(int64_t v)
{
	if (v < 0)
		console_put('-');
	put_number(v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10);
}

static uint64_t next_number(va_list *ap, bool is_long)
{
	return is_long ? va_arg(*ap, uint64_t) : va_arg(*ap, uint32_t);
}

/* Knows %s %c and, each with or without l, %d %u %x. */
static void put_format(const char *fmt, va_list *ap)
{
	for (; *fmt != '\0'; fmt++) {
		if (*fmt != '%') {
			console_put(*fmt);
			continue;
		}
		bool is_long = *++fmt == 'l';

		fmt += is_long;
		if (*fmt == 's')
			put_string(va_arg(*ap, const char *));
		else if (*fmt == 'c')
			console_put((char)va_arg(*ap, int));
		else if (*fmt == 'u')
			put_number(next_number(ap, is_long), 10);
		else if (*fmt == 'x')
			put_number(next_number(ap, is_long), 16);
		else if (is_long)
			put_signed((int64_t)va_arg(*ap, uint64_t));
		else
			put_signed(va_arg(*ap, int));
	}
}

static void put_verdict(bool ok, const char *fmt, va_list *ap)
{
	put_string(ok ? "ok " : "not ok ");
	put_number(++count, 10);
	put_string(" - ");
	put_format(fmt, ap);
}

bool check(bool ok, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_verdict(ok, fmt, &ap);
	va_end(ap);
	console_put('\n');
	return ok;
}

bool check_eq(uint64_t got, uint64_t want, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_verdict(got == want, fmt, &ap);
	va_end(ap);
	if (got != want)
		print(" # got 0x%lx expected 0x%lx", got, want);
	console_put('\n');
	return got == want;
}

void skip(const char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_verdict(true, fmt, &ap);
	va_end(ap);
	print(" # SKIP %s\n", why);
}

void note(const char *fmt, ...)
{
	va_list ap;

	put_string("# ");
	va_start(ap, fmt);
	put_format(fmt, &ap);
	va_end(ap);
	console_put('\n');
}

void print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_format(fmt, &ap);
	va_end(ap);
}

void plan(void)
{
	print("1..%u\n", count);
}

void bail_out(const char *fmt, ...)
{
	va_list ap;

	put_string("Bail out! ");
	va_start(ap, fmt);
	put_format(fmt, &ap);
	va_end(ap);
	console_put('\n');
	power_off();
}
