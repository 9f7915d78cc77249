#include "guest/image/image.h"
#include "guest/abi.h"

void vt_image_say(const char *text)
{
    for (; *text; text++)
        __asm__ volatile("outb %0, %1" : : "a"(*text), "d"((uint16_t)VT_PORT_LINK));
}

void vt_image_say_number(uint64_t number)
{
    char digits[21], *at = digits + sizeof digits - 1;
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    vt_image_say(at);
}

void vt_image_announce(uint64_t index, uint64_t count, const char *name)
{
    vt_image_say("@case ");
    vt_image_say_number(index);
    vt_image_say(" ");
    vt_image_say_number(count);
    vt_image_say(" ");
    vt_image_say(name);
    vt_image_say("\n");
}

static void say_head(const struct vt_image_row *row)
{
    vt_image_say("@row ");
    vt_image_say(row->name);
    vt_image_say(" ");
    vt_image_say(row->form);
}

void vt_image_refuse(const struct vt_image_row *row, const char *reason)
{
    say_head(row);
    vt_image_say(" unsupported ");
    vt_image_say(reason);
    vt_image_say("\n");
}

static void say_fault(const struct vt_image_row *row)
{
    say_head(row);
    vt_image_say(" fault ");
    vt_image_say_number(vt_image_vector());
    vt_image_say("\n");
}

/* The first batch of each twin is thrown away: it finds cold translations. */
void vt_image_measure(const struct vt_image_row *row, struct vt_scratch *scratch)
{
    uint64_t ticks[2][VT_IMAGE_PAIRS + 1], tsc[2];
    uint64_t iterations = VT_IMAGE_ITERATIONS;

    if (row->max_iterations && row->max_iterations < iterations)
        iterations = row->max_iterations;
    for (int pair = 0; pair <= VT_IMAGE_PAIRS; pair++)
        for (int twin = 0; twin < 2; twin++) {
            if (!vt_image_batch(twin ? row->baseline : row->body, iterations, scratch, tsc)) {
                say_fault(row);
                return;
            }
            ticks[twin][pair] = tsc[1] - tsc[0];
        }
    say_head(row);
    vt_image_say(" ok ");
    vt_image_say_number(iterations);
    for (int pair = 1; pair <= VT_IMAGE_PAIRS; pair++)
        for (int twin = 0; twin < 2; twin++) {
            vt_image_say(" ");
            vt_image_say_number(ticks[twin][pair]);
        }
    vt_image_say("\n");
}
