#include "guest/boot/channel.h"
#include "guest/boot/port.h"

/* 8250, 16550: registers from the base on. */
#define COM1         0x3f8
#define COM_DATA     (COM1 + 0)
#define COM_ENABLE   (COM1 + 1)
#define COM_FIFO     (COM1 + 2)
#define COM_LINE     (COM1 + 3)
#define COM_MODEM    (COM1 + 4)
#define COM_STATUS   (COM1 + 5)
#define COM_SCRATCH  (COM1 + 7)
#define STATUS_EMPTY 0x20
#define LINE_8N1     0x03
#define LINE_DIVISOR 0x80

#define DEBUG_PORT 0xe9 /* Bochs' port_e9_hack, QEMU's isa-debugcon: reads as its own number */

#define COLUMNS 80
#define ROWS    25
#define BLANK   0x0720 /* grey on black */

/* At 115200 baud a character takes 87 us; what is not ready after this many looks is no UART that works. */
#define PATIENCE 1000000

static bool scratch_answers(void)
{
    uint8_t before = vt_boot_in(COM_SCRATCH);
    vt_boot_out(COM_SCRATCH, 0x5a);
    bool first = vt_boot_in(COM_SCRATCH) == 0x5a;
    vt_boot_out(COM_SCRATCH, 0xa5);
    bool second = vt_boot_in(COM_SCRATCH) == 0xa5;
    vt_boot_out(COM_SCRATCH, before);
    return first && second;
}

static void set_up_serial(void)
{
    vt_boot_out(COM_ENABLE, 0);
    vt_boot_out(COM_LINE, LINE_DIVISOR);
    vt_boot_out(COM_DATA, 1); /* 115200 */
    vt_boot_out(COM_ENABLE, 0);
    vt_boot_out(COM_LINE, LINE_8N1);
    vt_boot_out(COM_FIFO, 0x07);
    vt_boot_out(COM_MODEM, 0x03);
}

void vt_boot_channels_find(struct vt_boot_channels *channels, bool own)
{
    channels->debug = vt_boot_in(DEBUG_PORT) == DEBUG_PORT;
    channels->serial = scratch_answers();
    if (channels->serial && own)
        set_up_serial();
}

static bool send_serial(char character)
{
    for (uint32_t turn = 0; turn < PATIENCE; turn++)
        if (vt_boot_in(COM_STATUS) & STATUS_EMPTY) {
            vt_boot_out(COM_DATA, (uint8_t)character);
            return true;
        }
    return false;
}

void vt_boot_channels_send(struct vt_boot_channels *channels, const char *text, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) {
        if (channels->debug)
            vt_boot_out(DEBUG_PORT, (uint8_t)text[i]);
        if (channels->serial && text[i] == '\n')
            channels->serial = send_serial('\r');
        if (channels->serial)
            channels->serial = send_serial(text[i]);
    }
}

static void scroll(volatile uint16_t *screen)
{
    for (uint32_t i = 0; i < COLUMNS * (ROWS - 1); i++)
        screen[i] = screen[i + COLUMNS];
    for (uint32_t i = COLUMNS * (ROWS - 1); i < COLUMNS * ROWS; i++)
        screen[i] = BLANK;
}

/* Always on the last row. */
void vt_boot_channels_show(struct vt_boot_channels *channels, const char *text)
{
    for (; channels->screen && *text; text++) {
        if (*text == '\n' || channels->column == COLUMNS) {
            scroll(channels->screen);
            channels->column = 0;
        }
        if (*text != '\n')
            channels->screen[COLUMNS * (ROWS - 1) + channels->column++] = (uint16_t)(0x0700 | (uint8_t)*text);
    }
}
