#include "show/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct vt_scale scales[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};

struct vt_scale vt_quantity_scale(double ns)
{
    size_t i = 0;
    while (i + 1 < sizeof scales / sizeof scales[0] && fabs(ns) >= 0.9995 * scales[i + 1].size)
        i++;
    return scales[i];
}

/* The unit of the smallest toll, so that none is lost behind the point, unless that makes the others endless.
 */
struct vt_scale vt_quantity_common_scale(const struct vt_result_row *const *cells, size_t count)
{
    double least = INFINITY, most = 0;
    bool instructions = false;
    for (size_t i = 0; i < count; i++) {
        if (!cells[i] || !vt_result_has_toll(cells[i]))
            continue;
        if (cells[i]->unit != VT_UNIT_NS) {
            instructions = true;
            continue;
        }
        least = fmin(least, fabs(cells[i]->toll.median));
        most = fmax(most, fabs(cells[i]->toll.median));
    }
    if (!isfinite(least))
        return (struct vt_scale){instructions ? "instr" : "", 1};
    struct vt_scale scale = vt_quantity_scale(10 * least);
    return most / scale.size < 1e6 ? scale : vt_quantity_scale(most / 1e3);
}

double vt_quantity_half_width(const struct vt_summary *toll)
{
    return fmax(toll->ci_high - toll->median, toll->median - toll->ci_low);
}

int vt_quantity_decimals(double value, double half_width)
{
    if (half_width == 0 && value == floor(value)) /* a count, and always the same one */
        return 0;
    int decimals = value == 0 ? 3 : 3 - (int)floor(log10(fabs(value)));
    if (half_width > 0) {
        int supported = 1 - (int)floor(log10(half_width));
        decimals = supported < decimals ? supported : decimals;
    }
    return decimals < 0 ? 0 : decimals > 3 ? 3 : decimals;
}

double vt_quantity_round(double value, int decimals)
{
    double scale = pow(10, decimals), rounded = round(value * scale) / scale;
    return rounded == 0 ? 0 : rounded;
}

void vt_quantity_print(double value, enum vt_unit unit, const char *micro, char *text, size_t size)
{
    if (!isfinite(value)) {
        snprintf(text, size, "unknown");
        return;
    }
    if (unit != VT_UNIT_NS) {
        snprintf(text, size, "%.*f instruction%s", fabs(value) < 100 && value != floor(value), value,
                 value == 1 ? "" : "s");
        return;
    }
    struct vt_scale scale = vt_quantity_scale(value);
    double shown = value / scale.size;
    int decimals = shown == 0 ? 0 : 2 - (int)floor(log10(fabs(shown)));
    decimals = decimals < 0 ? 0 : decimals > 2 ? 2 : decimals;
    snprintf(text, size, "%.*f %s", decimals, vt_quantity_round(shown, decimals),
             strcmp(scale.name, "us") == 0 ? micro : scale.name);
}

void vt_quantity_print_interval(double value, double half_width, enum vt_unit unit, const char *micro,
                                char *text, size_t size)
{
    bool time = unit == VT_UNIT_NS;
    struct vt_scale scale = time ? vt_quantity_scale(value) : (struct vt_scale){"instructions", 1};
    const char *name = strcmp(scale.name, "us") == 0 ? micro : scale.name;
    double half = half_width / scale.size, shown = value / scale.size;
    int decimals = vt_quantity_decimals(shown, half);
    if (!isfinite(value))
        snprintf(text, size, "unknown");
    else if (half > 0)
        snprintf(text, size, "%.*f ±%.*f %s", decimals, vt_quantity_round(shown, decimals), decimals, half,
                 name);
    else
        snprintf(text, size, "%.*f %s", decimals, vt_quantity_round(shown, decimals), name);
}
