/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Registers of the 16550A as the model uses them (PC16550D data sheet, Table II
 * "Summary of Registers"). All are one byte; offsets are before reg_shift.
 */
#ifndef AXVMI_UART16550_REGS_H
#define AXVMI_UART16550_REGS_H

#define REG_DATA 0u /* Receiver Buffer, Transmitter Holding; DLAB: DLL */
#define REG_IER 1u /* Interrupt Enable; DLAB: DLM */
#define REG_IIR 2u /* read: Interrupt Identification; written: FIFO Control */
#define REG_LCR 3u /* Line Control */
#define REG_MCR 4u /* Modem Control */
#define REG_LSR 5u /* Line Status */
#define REG_MSR 6u /* Modem Status */
#define REG_SCR 7u /* Scratchpad */
#define REGISTERS 8u

/* Interrupt Enable Register */
#define IER_DATA 0x01u
#define IER_THRE 0x02u
#define IER_STATUS 0x04u
#define IER_MODEM 0x08u
#define IER_MASK 0x0fu

/* Interrupt Identification Register: bits 3-0, and 7-6 */
#define IIR_MODEM 0x00u
#define IIR_NONE 0x01u
#define IIR_THRE 0x02u
#define IIR_DATA 0x04u
#define IIR_STATUS 0x06u
#define IIR_TIMEOUT 0x0cu
#define IIR_FIFOS 0xc0u /* they are enabled */

/* FIFO Control Register */
#define FCR_ENABLE 0x01u
#define FCR_CLEAR_RX 0x02u
#define FCR_TRIGGER 0xc0u /* receiver: 1, 4, 8, 14 characters */

/* Line Control Register */
#define LCR_BREAK 0x40u
#define LCR_DLAB 0x80u

/* Modem Control Register */
#define MCR_DTR 0x01u
#define MCR_RTS 0x02u
#define MCR_OUT1 0x04u
#define MCR_OUT2 0x08u
#define MCR_LOOP 0x10u
#define MCR_MASK 0x1fu

/* Line Status Register */
#define LSR_DATA 0x01u
#define LSR_OVERRUN 0x02u
#define LSR_BREAK 0x10u
#define LSR_THRE 0x20u
#define LSR_TEMT 0x40u
#define LSR_FIFO_ERROR 0x80u

/* Modem Status Register: four lines, and in bits 3-0 what each did since the
 * last read */
#define MSR_CTS 0x10u
#define MSR_DSR 0x20u
#define MSR_RI 0x40u
#define MSR_DCD 0x80u
#define MSR_LINES 0xf0u
#define MSR_DELTAS 0x0fu

/* 9600 baud from the usual 1.8432 MHz, for a guest that asks before it sets. */
#define RESET_DIVISOR 12u

#endif
