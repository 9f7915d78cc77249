#include "price/format/format.h"
#include "show/page.h"

#include <stdio.h>

void vt_price_print_page(const char *title, void (*write)(const void *said, struct vt_pen *pen),
                         const void *said, FILE *stream)
{
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_html, NULL);
    vt_page_head(title, false, stream);
    fputs("<header>\n<p class=\"kicker\">What a running machine pays for crossing into its hypervisor</p>\n"
          "<h1>The price of crossing</h1>\n</header>\n<main>\n",
          stream);
    write(said, &pen);
    vt_page_foot(NULL, false, stream);
}
