/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Offsets in struct hart and struct frame; payload.h asserts them. */
#ifndef OFFSETS_H
#define OFFSETS_H

#define FRAME_EPC 256
#define FRAME_CAUSE 264
#define FRAME_TVAL 272
#define FRAME_STATUS 280
#define HART_TRAP_SP 288
#define HART_RUN_SP 296
#define HART_MAIN_SP 304
#define HART_ENTRY 312

#endif
