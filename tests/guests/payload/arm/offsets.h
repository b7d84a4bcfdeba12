/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Offsets in struct cpu and struct frame; payload.h asserts them. */
#ifndef OFFSETS_H
#define OFFSETS_H

#define FRAME_SP 248
#define FRAME_PC 256
#define FRAME_ESR 272
#define FRAME_VECTOR 288
#define FRAME_SIZE 304
#define CPU_MAIN_SP 304
#define CPU_ENTRY 312

#endif
