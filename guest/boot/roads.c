/*
 * The cases below the image's own monitor (monitor/): every road that exists on this machine and was asked
 * for. What they need of the processor, and change, is put back behind each case.
 */
#include "guest/boot/core.h"
#include "guest/boot/port.h"

/* What enters the monitor, and what its guests change: STAR, LSTAR, SFMASK, VM_HSAVE_PA. */
static const uint32_t changed[] = {0xc0000081, 0xc0000082, 0xc0000084, 0xc0010117};
enum { CHANGED = sizeof changed / sizeof changed[0] };

enum { MOST_ROADS = 16 };
static const struct vt_image_road *offered[MOST_ROADS];
static size_t offered_count;

bool vt_boot_roads_are_wanted(void)
{
    size_t count;
    const struct vt_image_road *const *roads = vt_image_roads(&count);

    for (size_t i = 0; i < count; i++)
        if (vt_boot_line_wants_road(roads[i]->name))
            return true;
    return false;
}

static void say(const struct vt_image_road *road, const char *reason)
{
    vt_boot_say("@road ");
    vt_boot_say(road->name);
    if (reason) {
        vt_boot_say(" ");
        vt_boot_say(reason);
    }
    vt_boot_say_end();
}

/* What a road measures of itself when it is opened leaves the machine as its runs do. */
static void guarded(void (*act)(const struct vt_case *c), const struct vt_case *c)
{
    uint64_t kept[CHANGED];
    bool has[CHANGED];

    for (size_t i = 0; i < CHANGED; i++)
        has[i] = vt_boot_try_rdmsr(changed[i], &kept[i]);
    act(c);
    __asm__ volatile("cli");
    for (size_t i = 0; i < CHANGED; i++)
        if (has[i])
            vt_boot_try_wrmsr(changed[i], kept[i]);
}

static void open_all(const struct vt_case *none)
{
    size_t count;
    const struct vt_image_road *const *roads = vt_image_roads(&count);

    (void)none;
    for (size_t i = 0; i < count && offered_count < MOST_ROADS; i++) {
        if (!vt_boot_line_wants_road(roads[i]->name))
            continue;
        const char *reason = roads[i]->refuse();
        say(roads[i], reason);
        if (!reason)
            offered[offered_count++] = roads[i];
    }
}

size_t vt_boot_roads_open(void)
{
    guarded(open_all, NULL);
    return offered_count;
}

static void run_all(const struct vt_case *c)
{
    for (size_t i = 0; i < offered_count; i++) {
        const struct vt_image_road *road = offered[i];
        if (!vt_guest_has_row(c, road->rows))
            continue;
        const char *reason = road->why_not(c);
        if (reason)
            vt_boot_measure_refuse(c, road, reason);
        else
            vt_boot_measure(c, road);
    }
}

void vt_boot_roads_run(const struct vt_case *c)
{
    guarded(run_all, c);
}
