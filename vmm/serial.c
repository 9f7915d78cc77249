#include "vmm/serial.h"

/* Registers by offset; the first two are the divisor's while LINE_DIVISOR is set. */
enum { DATA, INTERRUPTS, IDENTIFICATION, LINE, MODEM, LINE_STATUS, MODEM_STATUS, SCRATCH };

#define LINE_DIVISOR       0x80
#define MODEM_LOOP         0x10
#define NOTHING_PENDING    0x01
#define EMPTY              0x60 /* both the holding and the shift register */
#define CONNECTED          0xb0 /* carrier, data set ready, clear to send */
#define INTERRUPTS_OFFERED 0x0f

bool vt_serial_write(struct vt_serial *serial, unsigned offset, uint8_t value)
{
    bool divisor = serial->line & LINE_DIVISOR;

    switch (offset) {
    case DATA:
    case INTERRUPTS:
        if (divisor)
            serial->divisor[offset] = value;
        else if (offset == INTERRUPTS)
            serial->interrupts = value & INTERRUPTS_OFFERED;
        return offset == DATA && !divisor && !(serial->modem & MODEM_LOOP);
    case LINE:
        serial->line = value;
        return false;
    case MODEM:
        serial->modem = value;
        return false;
    case SCRATCH:
        serial->scratch = value;
        return false;
    default:
        return false;
    }
}

/* In the loop the four outputs come back as the four inputs: DTR, RTS, OUT1, OUT2 as DSR, CTS, RI, DCD. */
static uint8_t modem_status(const struct vt_serial *serial)
{
    uint8_t out = serial->modem;

    if (!(out & MODEM_LOOP))
        return CONNECTED;
    return (uint8_t)((out & 1) << 5 | (out & 2) << 3 | (out & 4) << 4 | (out & 8) << 4);
}

uint8_t vt_serial_read(const struct vt_serial *serial, unsigned offset)
{
    bool divisor = serial->line & LINE_DIVISOR;

    switch (offset) {
    case DATA:
        return divisor ? serial->divisor[0] : 0;
    case INTERRUPTS:
        return divisor ? serial->divisor[1] : serial->interrupts;
    case IDENTIFICATION:
        return NOTHING_PENDING;
    case LINE:
        return serial->line;
    case MODEM:
        return serial->modem;
    case LINE_STATUS:
        return EMPTY;
    case MODEM_STATUS:
        return modem_status(serial);
    default:
        return serial->scratch;
    }
}
