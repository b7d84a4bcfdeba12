/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* What the suite ivc asks of the architecture it runs on. */
#ifndef IVC_H
#define IVC_H

#include "payload.h"

/* A hypercall of the family. */
uint64_t ivc_call(uint64_t number, const uint64_t args[6]);
/* Calls `rang` with each interrupt of the doorbell that is taken; NULL: none are
 * taken any more. */
void ivc_listen(void (*rang)(uint32_t source));
/* Sleeps until an interrupt, at most until `end`, and takes it. */
void ivc_sleep(uint64_t end);

#endif
