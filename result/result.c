#include "result/result.h"
#include "result/path.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct vt_result *vt_result_new(void)
{
    return calloc(1, sizeof(struct vt_result));
}

void vt_result_free(struct vt_result *result)
{
    if (!result)
        return;
    for (size_t i = 0; i < result->count; i++)
        json_decref(result->rows[i].evidence_totals);
    free(result->rows);
    json_decref(result->host);
    json_decref(result->settings);
    json_decref(result->audit);
    json_decref(result->translation);
    vt_arena_release(&result->arena);
    free(result);
}

struct vt_summary vt_result_unknown_summary(void)
{
    return (struct vt_summary){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
}

int vt_result_vcpus(const struct vt_result_row *row)
{
    return row->vcpus >= 1 && row->vcpus <= 65536 ? (int)row->vcpus : 1;
}

int vt_result_depth(const struct vt_result_row *row)
{
    return row->depth >= 1 && row->depth <= 64 ? (int)row->depth : 1;
}

bool vt_result_has_toll(const struct vt_result_row *row)
{
    return (row->status == VT_STATUS_OK || row->status == VT_STATUS_UNVERIFIED) && isfinite(row->toll.median);
}

const char *vt_result_host_text(const struct vt_result *result, const char *path)
{
    return json_string_value(vt_result_at(result->host, path));
}

const char *vt_unit_name(enum vt_unit unit)
{
    static const char *const names[VT_UNITS] = {"ns", "instructions"};
    return names[unit];
}

void vt_result_recognize(struct vt_result_row *row)
{
    int class = 0, path = 0, crossing = row->crossing ? 1 : VT_CROSSING_UNKNOWN;
    while (class < VT_CLASSES && !(row->class && strcmp(row->class, vt_guest_class_name(class)) == 0))
        class ++;
    while (path < VT_PATHS && !(row->path && strcmp(row->path, vt_path_name(path)) == 0))
        path++;
    while (row->crossing && crossing < VT_CROSSINGS && strcmp(row->crossing, vt_crossing_name(crossing)) != 0)
        crossing++;
    row->known = (struct vt_result_words){class, path, crossing};
}

double vt_result_tsc_khz(const struct vt_result *result)
{
    const json_t *measured = json_object_get(result->settings, "tsc_khz");
    const json_t *told = vt_result_at(result->host, "timing.tsc_khz");
    return json_is_number(measured) ? json_number_value(measured)
           : json_is_number(told)   ? json_number_value(told)
                                    : NAN;
}
