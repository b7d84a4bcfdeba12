/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The serial line. A single guest writes through at once; several share it by
 * whole lines, each with its VM's number before it. Guests' transmit callbacks
 * come with a UART's lock held, so output has a lock of its own below it.
 */
#include "host.h"
#include "spinlock.h"

#define LINE_SIZE 120u
/* A line without end (a prompt) is shown after this time. */
#define PATIENCE 20000000u
/* How soon a guest is looked at again that had no room for input. */
#define RETRY 1000000u

struct line {
	uint64_t since; /* when its first byte came */
	size_t used;
	char bytes[LINE_SIZE];
};

static struct line lines[MAX_VMS + 1]; /* by writer */
static const struct line *unfinished; /* whose line the cursor is in */
static bool shared;
static int held = -1; /* a byte of input that waits */
static struct spinlock output_lock;
static struct spinlock input_lock;

static void put_prefix(const struct line *line)
{
	char prefix[32];

	format_text(prefix, sizeof(prefix), "vm%u| ", (unsigned)(line - lines));
	for (const char *s = prefix; *s != '\0'; s++)
		board_putc(*s);
}

static void write_out(struct line *line)
{
	if (unfinished != NULL && unfinished != line && line->used != 0) {
		board_putc('\n');
		unfinished = NULL;
	}
	for (size_t i = 0; i < line->used; i++) {
		if (unfinished == NULL && shared && line != lines)
			put_prefix(line);
		board_putc(line->bytes[i]);
		unfinished = line->bytes[i] == '\n' ? NULL : line;
	}
	line->used = 0;
}

void console_write(uint32_t writer, const char *bytes, size_t size)
{
	struct line *line = &lines[writer];

	spin_lock(&output_lock);
	for (size_t i = 0; i < size; i++) {
		if (line->used == 0)
			line->since = board_now();
		line->bytes[line->used++] = bytes[i];
		if (!shared || bytes[i] == '\n' || line->used == LINE_SIZE)
			write_out(line);
	}
	spin_unlock(&output_lock);
}

void console_share(void)
{
	shared = true;
}

/* Under the input lock: the byte that waits, or a new one. */
static int next_byte(void)
{
	if (held < 0)
		held = board_getc();
	return held;
}

int console_read(void)
{
	int c;

	spin_lock(&input_lock);
	c = next_byte();
	held = -1;
	spin_unlock(&input_lock);
	return c;
}

/* What the guest has no room for waits in the board's UART, but for one byte;
 * returns when to try again. */
static uint64_t feed(uint64_t now, struct axvm_uart16550 *uart)
{
	bool full = false;

	spin_lock(&input_lock);
	while (!full && next_byte() >= 0) {
		full = axvm_uart16550_receive(uart, &(uint8_t){(uint8_t)held},
					      1) == 0;
		if (!full)
			held = -1;
	}
	spin_unlock(&input_lock);
	return full ? now + RETRY : UINT64_MAX;
}

uint64_t console_poll(uint64_t now, bool idle, struct axvm_uart16550 *uart)
{
	uint64_t again = uart != NULL ? feed(now, uart) : UINT64_MAX;

	if (!shared)
		return again;
	spin_lock(&output_lock);
	for (struct line *line = lines; line <= &lines[MAX_VMS]; line++) {
		if (idle || line->since + PATIENCE < now)
			write_out(line);
	}
	spin_unlock(&output_lock);
	return again;
}
