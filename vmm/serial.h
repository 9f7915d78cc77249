/*
 * The first serial port of a PC, as far as Linux needs one to print: registers of a 16450, always
 * ready to send, without interrupts and without input.
 */
#ifndef VT_VMM_SERIAL_H
#define VT_VMM_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#define VT_SERIAL_PORT  0x3f8
#define VT_SERIAL_PORTS 8

struct vt_serial {
    uint8_t interrupts, line, modem, scratch, divisor[2];
};

/* `offset` is below VT_SERIAL_PORTS. True: `value` is a byte that was sent. */
bool vt_serial_write(struct vt_serial *serial, unsigned offset, uint8_t value);
uint8_t vt_serial_read(const struct vt_serial *serial, unsigned offset);

#endif
