#include "price/format/format.h"
#include "show/page.h"

#include <stdio.h>

void vt_price_print_html(const struct vt_price *price, FILE *stream)
{
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_html, NULL);
    char headline[320];
    vt_price_headline(price, headline, sizeof headline);
    vt_page_head(headline, false, stream);
    fputs("<header>\n<p class=\"kicker\">What a running machine pays for crossing into its hypervisor</p>\n"
          "<h1>The price of crossing</h1>\n</header>\n<main>\n",
          stream);
    vt_price_write(price, &pen);
    vt_page_foot(NULL, false, stream);
}
