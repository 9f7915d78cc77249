/* A hypervisor in a hypervisor: the table of both depths. Its figures in the text around it are depth.c's. */
#include "report/story/depth.h"
#include "report/story/tell.h"
#include "show/pen/markup.h"

#include <math.h>

/* One of each kind of exit. */
static const char *const operations[] = {"cpuid",    "vmmcall",        "rdmsr-kernel", "out-kernel",
                                         "out-user", "mmio-read-user", "first-touch",  "mov-to-cr3"};

static void put_number(const struct vt_teller *teller, double value, int decimals)
{
    if (isfinite(value))
        vt_markup(teller->stream, "<td class=\"number\">%.*f</td>", decimals, value);
    else
        fputs("<td class=\"number\">–</td>", teller->stream);
}

static void put_head(const struct vt_teller *teller)
{
    static const char *const labels[] = {"depth_one", "depth_two", "depth_ratio", "depth_exits"};

    vt_tell_open_table(teller, "depths", "told");
    vt_tell_head(teller, "operation", false);
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        vt_tell_head(teller, labels[i], true);
    fputs("</tr></thead>\n<tbody>\n", teller->stream);
}

void vt_tell_depths(const struct vt_teller *teller, const struct vt_directive *directive)
{
    struct vt_depths depths;

    if (!vt_depth_told(teller->table, operations[0], &depths))
        return;
    vt_tell_paragraph(teller, directive);
    put_head(teller);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (!vt_depth_told(teller->table, operations[i], &depths))
            continue;
        vt_markup(teller->stream, "<tr><th scope=\"row\">%s</th>", operations[i]);
        put_number(teller, depths.shallow->toll.median, 0);
        put_number(teller, depths.deep->toll.median, 0);
        put_number(teller, depths.deep->toll.median / depths.shallow->toll.median, 1);
        put_number(teller, depths.deep->outer_exits, 0);
        fputs("</tr>\n", teller->stream);
    }
    vt_tell_close_table(teller);
}
