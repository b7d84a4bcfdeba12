/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The receiver and the interrupt of a UART model. A model says how many
 * characters it holds and what its registers ask for; the rest is here. Callbacks
 * of the model run under s->lock, the host's and the line without it.
 */
#ifndef AXVMI_SERIAL_H
#define AXVMI_SERIAL_H

#include "axvm/devices/serial.h"
#include "internal.h"

struct axvmi_serial_ops {
	/* How many bytes of the host the receiver would take now. */
	uint32_t (*room)(struct axvm_serial *s);
	/* Takes one; there is room. */
	void (*receive)(struct axvm_serial *s, uint8_t byte);
	/* The level of the interrupt. */
	bool (*wants_irq)(struct axvm_serial *s);
	/* All registers, and the FIFO, as after power-on. */
	void (*power_on)(struct axvm_serial *s);
};

/* Forgets all; `line` 0: none. */
void axvmi_serial_init(struct axvm_serial *s,
		       const struct axvmi_serial_ops *ops, struct axvm_vm *vm,
		       uint32_t line);

/* Around every access to the model's state. Unlock notes what interrupt it asks
 * for; then, after bytes were sent, update_line makes the line follow. */
static inline void axvmi_serial_lock(struct axvm_serial *s)
{
	word_lock(&s->lock);
}

void axvmi_serial_unlock(struct axvm_serial *s);
void axvmi_serial_update_line(struct axvm_serial *s);

/* At axvm_reset(). */
void axvmi_serial_reset(struct axvm_serial *s);

/* Of the host; see pl011.h. */
size_t axvmi_serial_receive(struct axvm_serial *s, const uint8_t *bytes,
			    size_t count);
size_t axvmi_serial_room(struct axvm_serial *s);

/* ---- the FIFO; lock held ---- */

/* The next to be read; there is one. */
static inline uint16_t *axvmi_serial_first(struct axvm_serial *s)
{
	return &s->slots[s->head % AXVM_SERIAL_SLOTS];
}

/* There is room. */
static inline void axvmi_serial_put(struct axvm_serial *s, uint16_t character)
{
	s->slots[(s->head + s->count++) % AXVM_SERIAL_SLOTS] = character;
}

/* There is one. */
static inline uint16_t axvmi_serial_get(struct axvm_serial *s)
{
	s->count--;
	return s->slots[s->head++ % AXVM_SERIAL_SLOTS];
}

static inline void axvmi_serial_clear(struct axvm_serial *s)
{
	s->head = 0;
	s->count = 0;
}

#endif
