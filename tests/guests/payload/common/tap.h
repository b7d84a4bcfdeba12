/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The Test Anything Protocol, on whatever console the payload has. Called by the
 * boot CPU only; nothing protects it.
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stdint.h>

#define PRINTF(f, a) __attribute__((format(printf, f, a)))
bool check(bool ok, const char *fmt, ...) PRINTF(2, 3);
bool check_eq(uint64_t got, uint64_t want, const char *fmt, ...) PRINTF(3, 4);
void skip(const char *why, const char *fmt, ...) PRINTF(2, 3);
void note(const char *fmt, ...) PRINTF(1, 2);
void print(const char *fmt, ...) PRINTF(1, 2);
void plan(void);
void bail_out(const char *fmt, ...) PRINTF(1, 2) __attribute__((noreturn));

/* Of the machine. */
void console_put(char c);
void power_off(void) __attribute__((noreturn));

#endif
