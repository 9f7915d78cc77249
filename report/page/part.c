#include "report/page/page.h"
#include "show/quantity.h"

void vt_html_toll(const struct vt_result_row *cell, FILE *stream)
{
    char text[64];
    vt_quantity_print_interval(cell->toll.median, vt_quantity_half_width(&cell->toll), cell->unit, "µs", text,
                               sizeof text);
    fputs(text, stream);
}
