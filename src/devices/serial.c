/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The receiver and the interrupt of a UART model; see serial.h. The interrupt line
 * and what the host is given are served after s->lock is released, since both end
 * in code of the host's.
 */
#include "serial.h"

void axvmi_serial_init(struct axvm_serial *s,
		       const struct axvmi_serial_ops *ops, struct axvm_vm *vm,
		       uint32_t line)
{
	memset(s, 0, sizeof(*s));
	s->ops = ops;
	s->irq.vm = vm;
	s->irq.line = line;
}

void axvmi_serial_unlock(struct axvm_serial *s)
{
	word_store(&s->irq_wanted, s->ops->wants_irq(s));
	word_unlock(&s->lock);
}

/*
 * Several CPUs may do so at once: whoever sets the line looks again afterwards, so
 * the last one to set it leaves it as wanted. Each further turn takes a further
 * access elsewhere.
 */
void axvmi_serial_update_line(struct axvm_serial *s)
{
	uint32_t level = word_load(&s->irq_wanted);

	while (level != word_load(&s->irq.level)) {
		/* Fails without a line, or before axvm_init(). */
		if (axvm_irq_source_set(&s->irq, level != 0) != AXVM_OK)
			return;
		level = word_load(&s->irq_wanted);
	}
}

/* On a thread of the host's, whose interrupts it masks: their handlers may call
 * axvmi_serial_receive(), which waits for the lock. */
void axvmi_serial_reset(struct axvm_serial *s)
{
	const struct axvm_arch_ops *arch = s->irq.vm->ops;
	uint64_t saved = arch->interrupts_save();

	axvmi_serial_lock(s);
	s->ops->power_on(s);
	axvmi_serial_unlock(s);
	arch->interrupts_restore(saved);
	axvmi_serial_update_line(s);
}

size_t axvmi_serial_receive(struct axvm_serial *s, const uint8_t *bytes,
			    size_t count)
{
	size_t taken;

	axvmi_serial_lock(s);
	taken = s->ops->room(s);
	if (taken > count)
		taken = count;
	for (size_t i = 0; i < taken; i++)
		s->ops->receive(s, bytes[i]);
	axvmi_serial_unlock(s);
	axvmi_serial_update_line(s);
	return taken;
}

size_t axvmi_serial_room(struct axvm_serial *s)
{
	size_t room;

	axvmi_serial_lock(s);
	room = s->ops->room(s);
	word_unlock(&s->lock);
	return room;
}
