#include "guest/boot/core.h"
#include "guest/boot/text.h"

uint64_t vt_boot_main(uint64_t what);

/* Where the next case is looked for: first all of them as they stand, then, if there are roads, all on those.
 * A monitor that ends the machine costs no row of the first turn. */
static size_t next;
static uint32_t wanted, number;
static bool on_roads;

static void count_wanted(void)
{
    size_t count;

    vt_guest_cases(&count);
    for (size_t i = 0; i < count; i++)
        wanted += vt_boot_line_wants(i);
}

static const struct vt_case *find_next(void)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);

    while (next < count && !vt_boot_line_wants(next))
        next++;
    return next < count ? &cases[next] : NULL;
}

/* The loader may show it before the case runs; "": there is none. */
static void name_next(void)
{
    const struct vt_case *c = find_next();
    bool last = !c && !on_roads && vt_boot_roads_are_wanted();
    const char *name = c ? c->name : last ? "the monitor" : "";

    vt_boot_info()->total = wanted + last;
    vt_boot_copy_text(vt_boot_info()->name, sizeof vt_boot_info()->name, name);
}

static uint64_t open_up(void)
{
    struct vt_boot_info *info = vt_boot_info();

    vt_boot_line_read(info->line);
    vt_boot_machine_make();
    vt_boot_machine_enter();
    vt_boot_quiet_begin();
    vt_boot_say_open();
    vt_boot_acpi_find();
    vt_boot_clock_find();
    count_wanted();
    vt_boot_facts_say();
    name_next();
    vt_boot_quiet_end();
    return info->total;
}

static void announce(const struct vt_case *c)
{
    vt_boot_say(on_roads ? "@roads " : "@case ");
    vt_boot_say_number(++number);
    vt_boot_say(" ");
    vt_boot_say_number(wanted);
    vt_boot_say(" ");
    vt_boot_say(c->name);
    vt_boot_say_end();
    vt_boot_show(c->name);
}

static void run(const struct vt_case *c)
{
    const char *reason = vt_boot_safe_why_not(c);

    if (reason) {
        vt_boot_measure_refuse(c, NULL, reason);
        return;
    }
    vt_boot_safe_set_up(c);
    vt_boot_measure(c, NULL);
    __asm__ volatile("cli");
    vt_boot_safe_put_back(c);
}

static void begin_roads(void)
{
    on_roads = true;
    next = number = 0;
    vt_boot_info()->done = 0;
    bool some = vt_boot_roads_open() != 0;
    if (!some)
        next = SIZE_MAX; /* so that there is no next case */
    vt_boot_copy_text(vt_boot_info()->last, sizeof vt_boot_info()->last,
                      some ? "  and all cases below it" : "  not here");
}

static void run_case(const struct vt_case *c)
{
    next++;
    vt_boot_info()->done++;
    announce(c);
    if (on_roads)
        vt_boot_roads_run(c);
    else
        run(c);
}

static uint64_t run_next(void)
{
    const struct vt_case *c = find_next();

    if (!c && (on_roads || !vt_boot_roads_are_wanted()))
        return 0;
    vt_boot_machine_enter();
    vt_boot_quiet_begin();
    if (c)
        run_case(c);
    else
        begin_roads();
    vt_boot_quiet_end();
    name_next();
    return 1;
}

static uint64_t close_down(void)
{
    vt_boot_say("@end ");
    vt_boot_say_number(wanted);
    vt_boot_say_end();
    vt_boot_show("done; the lines for vmtoll import went to ");
    vt_boot_show(vt_boot_say_where());
    vt_boot_show("\n");
    return 0;
}

uint64_t vt_boot_main(uint64_t what)
{
    return what == VT_BOOT_OPEN ? open_up() : what == VT_BOOT_CASE ? run_next() : close_down();
}
