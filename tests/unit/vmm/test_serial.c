/* The serial port as Linux' driver looks for one (drivers/tty/serial/8250, autoconfig), and prints on it. */
#include "tests/unit/suite.h"
#include "vmm/serial.h"

enum { DATA, INTERRUPTS, IDENTIFICATION, LINE, MODEM, LINE_STATUS, MODEM_STATUS, SCRATCH };

START_TEST(what_is_sent_is_handed_on_and_nothing_else)
{
    struct vt_serial serial = {0};

    ck_assert_uint_eq(vt_serial_read(&serial, LINE_STATUS) & 0x60, 0x60);
    ck_assert(vt_serial_write(&serial, DATA, 'x'));
    for (unsigned offset = INTERRUPTS; offset < VT_SERIAL_PORTS; offset++)
        ck_assert(!vt_serial_write(&serial, offset, 0));
    vt_serial_write(&serial, LINE, 0x80);
    ck_assert_msg(!vt_serial_write(&serial, DATA, 1), "the divisor is no character");
    vt_serial_write(&serial, LINE, 0x03);
    vt_serial_write(&serial, MODEM, 0x10);
    ck_assert_msg(!vt_serial_write(&serial, DATA, 'x'), "nor is what goes round the loop");
}
END_TEST

START_TEST(a_driver_finds_it)
{
    struct vt_serial serial = {0};

    vt_serial_write(&serial, INTERRUPTS, 0);
    ck_assert_uint_eq(vt_serial_read(&serial, INTERRUPTS) & 0x0f, 0);
    vt_serial_write(&serial, INTERRUPTS, 0x0f);
    ck_assert_uint_eq(vt_serial_read(&serial, INTERRUPTS) & 0x0f, 0x0f);
    vt_serial_write(&serial, MODEM, 0x10 | 0x0a);
    ck_assert_uint_eq(vt_serial_read(&serial, MODEM_STATUS) & 0xf0, 0x90);
    vt_serial_write(&serial, MODEM, 0);
    vt_serial_write(&serial, LINE, 0x80);
    vt_serial_write(&serial, DATA, 0x34);
    vt_serial_write(&serial, INTERRUPTS, 0x12);
    ck_assert_uint_eq(vt_serial_read(&serial, DATA), 0x34);
    ck_assert_uint_eq(vt_serial_read(&serial, INTERRUPTS), 0x12);
    vt_serial_write(&serial, LINE, 0);
    ck_assert_uint_eq(vt_serial_read(&serial, INTERRUPTS), 0x0f);
    vt_serial_write(&serial, SCRATCH, 0xa5);
    ck_assert_uint_eq(vt_serial_read(&serial, SCRATCH), 0xa5);
    ck_assert_msg(vt_serial_read(&serial, IDENTIFICATION) & 1, "no interrupt is pending");
}
END_TEST

VT_SUITE(what_is_sent_is_handed_on_and_nothing_else, a_driver_finds_it)
