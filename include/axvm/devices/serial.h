/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What UARTs share: the part of their structs that a host only gives memory for.
 */
#ifndef AXVM_DEVICES_SERIAL_H
#define AXVM_DEVICES_SERIAL_H

#include "../irq.h"
#include "../types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of the deepest receiver; a power of two. */
#define AXVM_SERIAL_SLOTS 32u

struct axvmi_serial_ops;

/* Private to the models. */
struct axvm_serial {
	const struct axvmi_serial_ops *ops;
	struct axvm_irq_source irq;
	uint32_t irq_wanted; /* level the registers ask for */
	uint32_t lock; /* guards what follows, and the model's registers */
	uint32_t head;
	uint32_t count;
	uint16_t slots[AXVM_SERIAL_SLOTS]; /* received, in the model's form */
};

#ifdef __cplusplus
}
#endif

#endif
