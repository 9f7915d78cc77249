/* The image with the monitor inside: runs one thing at a time for the test outside, and shows the state
 * around it; or, where it cannot be asked, runs everything and tells of it. */
#include "guest/image/pvhstart.h"
#include "monitor/monitor.h"
#include "tests/monitor/orders.h"
#include "tests/monitor/tell.h"

#include <string.h>

static struct monitor_control *const control = (struct monitor_control *)MONITOR_CONTROL;

void vt_image_main(uint64_t from, uint32_t multiboot);

static void obey(void)
{
    while (control->done == control->go)
        __asm__ volatile("pause" : : : "memory");
    monitor_do();
    __asm__ volatile("" : : : "memory");
    control->done++;
}

void vt_image_main(uint64_t from, uint32_t multiboot)
{
    const char *refusal = vt_monitor_open();

    if (refusal || !monitor_patch()) {
        control->ready = 2;
        return;
    }
    /* Firmware left its clock running, and its vectors are exceptions' here. */
    __asm__ volatile("outb %%al, $0x21; outb %%al, $0xa1" : : "a"(0xff));
    monitor_tap();
    monitor_name_bad();
    control->ready = 1;
    if (multiboot)
        monitor_tell_all(strcmp(vt_image_line_of_multiboot(from), MONITOR_MISDEEDS) == 0);
    for (;;)
        obey();
}
