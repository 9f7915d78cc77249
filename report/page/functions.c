#include "report/functions.h"
#include "report/page/flame.h"
#include "report/page/page.h"
#include "show/pen/pen.h"

static void put_flame(void *context, const struct vt_profile *profile)
{
    const struct vt_html *page = context;

    fputs("<figure>\n", page->stream);
    vt_page_flame(profile, page->stream);
    fputs("<figcaption>One operation from left to right, callers below what they call; as wide as it is long "
          "in "
          "instructions.</figcaption>\n</figure>\n",
          page->stream);
}

void vt_html_functions(const struct vt_html *page)
{
    struct vt_pen pen = vt_pen_on(page->stream, &vt_pen_html, NULL);

    if (vt_functions_rows(page->report->table) == 0)
        return;
    fputs("<section id=\"functions\">", page->stream);
    vt_functions_say(page->report->table, &pen, put_flame, (void *)page);
    vt_pen_end(&pen);
    fputs("</section>\n", page->stream);
}
