#include "guest/boot/channel.h"
#include "guest/boot/core.h"

#include <string.h>

static struct vt_boot_channels channels;
static char line[4096];
static size_t used;

void vt_boot_say_open(void)
{
    vt_boot_channels_find(&channels, vt_boot_info()->firmware != VT_BOOT_EFI);
    if (vt_boot_info()->screen)
        channels.screen = (volatile uint16_t *)(VT_BOOT_WINDOW + 0xb8000);
}

/* What does not fit is missing from the line, and its check is of what was sent: the reader finds it short.
 */
static void put(char character)
{
    if (used < sizeof line - 8)
        line[used++] = character;
}

void vt_boot_say(const char *text)
{
    for (; *text; text++)
        put(*text);
}

void vt_boot_say_number(uint64_t number)
{
    char digits[21], *at = digits + sizeof digits - 1;
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    vt_boot_say(at);
}

static void say_digits(uint32_t number, int digits)
{
    while (digits--)
        put("0123456789abcdef"[number >> digits * 4 & 15]);
}

void vt_boot_say_hex(uint32_t number)
{
    say_digits(number, 8);
}

/* CRC-16/CCITT-FALSE: a line crosses cables and screens. */
static uint16_t check(const char *text, size_t size)
{
    uint16_t sum = 0xffff;
    for (size_t i = 0; i < size; i++) {
        sum ^= (uint16_t)((uint8_t)text[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            sum = (uint16_t)(sum << 1 ^ (sum & 0x8000 ? 0x1021 : 0));
    }
    return sum;
}

static void keep(const char *text, size_t size)
{
    struct vt_boot_info *info = vt_boot_info();
    if (size > VT_BOOT_LOG_SIZE - info->log)
        return;
    memcpy((char *)VT_BOOT_LOG + info->log, text, size);
    info->log += size;
}

/* The firmware's own words may stand before it on the same line. */
void vt_boot_say_end(void)
{
    uint16_t sum = check(line, used);

    if (vt_boot_info()->firmware == VT_BOOT_EFI)
        vt_boot_channels_send(&channels, "\n", 1);
    line[used++] = ' ';
    line[used++] = '*';
    for (int digit = 3; digit >= 0; digit--)
        line[used++] = "0123456789abcdef"[sum >> digit * 4 & 15];
    line[used++] = '\n';
    vt_boot_channels_send(&channels, line, used);
    keep(line, used);
    used = 0;
}

void vt_boot_show(const char *text)
{
    vt_boot_channels_show(&channels, text);
}

const char *vt_boot_say_where(void)
{
    static const char *const places[2][2] = {
        {"nowhere: neither COM1 nor port 0xE9 answers", "the debug port 0xE9"},
        {"COM1", "COM1 and the debug port 0xE9"},
    };
    return places[channels.serial][channels.debug];
}
