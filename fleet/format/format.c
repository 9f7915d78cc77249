#include "fleet/format/format.h"

static void (*const printers[VT_FORMATS])(const struct vt_fleet *, FILE *) = {
    [VT_FORMAT_TEXT] = vt_fleet_print_text, [VT_FORMAT_MARKDOWN] = vt_fleet_print_markdown,
    [VT_FORMAT_CSV] = vt_fleet_print_csv,   [VT_FORMAT_JSON] = vt_fleet_print_json,
    [VT_FORMAT_HTML] = vt_fleet_print_html, [VT_FORMAT_OPENMETRICS] = vt_fleet_print_metrics,
};

bool vt_fleet_has_format(enum vt_format format)
{
    return printers[format];
}

void vt_fleet_print(enum vt_format format, const struct vt_fleet *fleet, FILE *stream)
{
    printers[format](fleet, stream);
}
