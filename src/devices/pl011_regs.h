/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Registers of the PL011 as the model uses them (PL011 TRM, chapter
 * "Programmers Model"). All are four bytes apart.
 */
#ifndef AXVMI_PL011_REGS_H
#define AXVMI_PL011_REGS_H

#define UARTDR 0x000u
#define UARTRSR 0x004u /* written: UARTECR */
#define UARTFR 0x018u
#define UARTILPR 0x020u
#define UARTIBRD 0x024u
#define UARTFBRD 0x028u
#define UARTLCR_H 0x02cu
#define UARTCR 0x030u
#define UARTIFLS 0x034u
#define UARTIMSC 0x038u
#define UARTRIS 0x03cu
#define UARTMIS 0x040u
#define UARTICR 0x044u
#define UARTPERIPHID0 0xfe0u /* eight of them, UARTPCellID included */

/* UARTDR above the data; UARTRSR has the same four from bit 0. */
#define DR_ERROR_SHIFT 8
#define RSR_BREAK 0x4u
#define RSR_OVERRUN 0x8u

/* UARTFR; the modem lines in bits 2-0, RI in bit 8. */
#define FR_CTS 0x001u
#define FR_DSR 0x002u
#define FR_DCD 0x004u
#define FR_BUSY 0x008u
#define FR_RX_EMPTY 0x010u
#define FR_TX_FULL 0x020u
#define FR_RX_FULL 0x040u
#define FR_TX_EMPTY 0x080u
#define FR_RI_SHIFT 8

/* UARTLCR_H */
#define LCR_BREAK 0x01u
#define LCR_FIFOS 0x10u

/* UARTCR */
#define CR_ENABLE 0x0001u
#define CR_LOOP 0x0080u
#define CR_TRANSMIT 0x0100u
#define CR_RECEIVE 0x0200u
#define CR_DTR 0x0400u
#define CR_RTS 0x0800u
#define CR_OUT1 0x1000u
#define CR_OUT2 0x2000u
#define CR_MASK 0xff87u

/* UARTIFLS */
#define IFLS_RX FIELD64(5, 3)
#define IFLS_MASK 0x3fu

/* UARTIMSC, UARTRIS, UARTMIS, UARTICR */
#define INT_RI 0x001u
#define INT_CTS 0x002u
#define INT_DCD 0x004u
#define INT_DSR 0x008u
#define INT_RX 0x010u
#define INT_TX 0x020u
#define INT_TIMEOUT 0x040u
#define INT_BREAK 0x200u
#define INT_OVERRUN 0x400u
#define INT_MASK 0x7ffu

/* "Register summary": what they hold after reset; UARTEN see pl011.h. */
#define RESET_CR (CR_ENABLE | CR_TRANSMIT | CR_RECEIVE)
#define RESET_IFLS 0x12u

#endif
