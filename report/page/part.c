#include "report/page/page.h"
#include "show/quantity.h"

#include <string.h>

const char *vt_html_remark(const struct vt_column *column, enum vt_crossing crossing)
{
    bool asks = column->path && strcmp(column->path, vt_path_name(VT_PATH_PARAVIRTUAL)) == 0;
    return asks && crossing == VT_CROSSING_INTERPRETED
               ? "asked, but this KVM interprets ring 0, the asking included"
               : NULL;
}

void vt_html_toll(const struct vt_result_row *cell, FILE *stream)
{
    char text[64];
    vt_quantity_print_interval(cell->toll.median, vt_quantity_half_width(&cell->toll), cell->unit, "µs", text,
                               sizeof text);
    fputs(text, stream);
}
