/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The serial line. A single guest writes through at once; several share it by
 * whole lines, each with its VM's number before it. Guests' bytes come inside
 * a run, so the lock is below all others.
 */
#include "host.h"

#define LINE_SIZE 120u
/* How soon a guest is looked at again that had no room for input. */
#define RETRY 1000000u

struct uart *console_input;
bool console_shared;
static struct line {
	size_t used;
	char bytes[LINE_SIZE];
} lines[MAX_VMS + 1]; /* by writer */
static atomic_uint lock; /* of the output */

void console_write(uint32_t writer, char byte)
{
	const char prefix[] = {'v', 'm', (char)('0' + writer), '|', ' '};
	struct line *line = &lines[writer];

	acquire(&lock);
	if (console_shared && writer != 0 && line->used == 0) {
		memcpy(line->bytes, prefix, sizeof(prefix));
		line->used = sizeof(prefix);
	}
	line->bytes[line->used++] = byte;
	if (!console_shared || byte == '\n' || line->used == LINE_SIZE) {
		for (size_t i = 0; i < line->used; i++)
			board_putc(line->bytes[i]);
		if (line->used == LINE_SIZE)
			board_putc('\n');
		line->used = 0;
	}
	release(&lock);
}

/* What the guest has no room for waits in the board's UART. */
uint64_t console_feed(uint64_t now)
{
	struct uart *uart = console_input;

	while (uart != NULL && uart_room(uart) != 0) {
		int c = board_getc();

		if (c < 0)
			return UINT64_MAX;
		uart_receive(uart, (uint8_t)c);
	}
	return uart == NULL ? UINT64_MAX : now + RETRY;
}
