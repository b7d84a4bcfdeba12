/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Offsets in struct cpu and struct frame; payload.h asserts them. */
#ifndef OFFSETS_H
#define OFFSETS_H

#define FRAME_EPC 256
#define FRAME_CAUSE 264
#define FRAME_TVAL 272
#define FRAME_STATUS 280
#define CPU_TRAP_SP 288
#define CPU_RUN_SP 296
#define CPU_MAIN_SP 304
#define CPU_ENTRY 312

#endif
