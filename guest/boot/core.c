#include "guest/boot/core.h"
#include "guest/boot/text.h"

uint64_t vt_boot_main(uint64_t what);

/* Where the next case is looked for. */
static size_t next;

static uint32_t count_wanted(void)
{
    size_t count;
    uint32_t wanted = 0;

    vt_guest_cases(&count);
    for (size_t i = 0; i < count; i++)
        wanted += vt_boot_line_wants(i);
    return wanted;
}

static const struct vt_case *find_next(void)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);

    while (next < count && !vt_boot_line_wants(next))
        next++;
    return next < count ? &cases[next] : NULL;
}

/* The loader may show it before the case runs. */
static void name_next(void)
{
    const struct vt_case *c = find_next();
    vt_boot_copy_text(vt_boot_info()->name, sizeof vt_boot_info()->name, c ? c->name : "");
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
    info->total = count_wanted();
    vt_boot_facts_say();
    name_next();
    vt_boot_quiet_end();
    return info->total;
}

static void announce(const struct vt_case *c)
{
    vt_boot_say("@case ");
    vt_boot_say_number(vt_boot_info()->done);
    vt_boot_say(" ");
    vt_boot_say_number(vt_boot_info()->total);
    vt_boot_say(" ");
    vt_boot_say(c->name);
    vt_boot_say_end();
    vt_boot_show(c->name);
}

static void run(const struct vt_case *c)
{
    const char *reason = vt_boot_safe_why_not(c);

    if (reason) {
        vt_boot_measure_refuse(c, reason);
        return;
    }
    vt_boot_safe_set_up(c);
    vt_boot_measure(c);
    __asm__ volatile("cli");
    vt_boot_safe_put_back(c);
}

static uint64_t run_case(void)
{
    const struct vt_case *c = find_next();

    if (!c)
        return 0;
    next++;
    vt_boot_info()->done++;
    vt_boot_machine_enter();
    vt_boot_quiet_begin();
    announce(c);
    run(c);
    vt_boot_quiet_end();
    name_next();
    return 1;
}

static uint64_t close_down(void)
{
    vt_boot_say("@end ");
    vt_boot_say_number(vt_boot_info()->done);
    vt_boot_say_end();
    vt_boot_show("done; the lines for vmtoll import went to ");
    vt_boot_show(vt_boot_say_where());
    vt_boot_show("\n");
    return 0;
}

uint64_t vt_boot_main(uint64_t what)
{
    return what == VT_BOOT_OPEN ? open_up() : what == VT_BOOT_CASE ? run_case() : close_down();
}
