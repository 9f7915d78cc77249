#include "report/depth.h"

#include <string.h>

static const struct vt_result_row *cell_at(const struct vt_line *line, size_t k)
{
    const struct vt_result_row *row = line->cells[k];
    return row && row->status == VT_STATUS_OK && vt_result_has_toll(row) &&
                   row->known.path == VT_PATH_HARDWARE
               ? row
               : NULL;
}

static bool are_alike(const struct vt_result_row *a, const struct vt_result_row *b)
{
    return strcmp(a->engine, b->engine) == 0 && a->cpl == b->cpl && a->unit == b->unit;
}

bool vt_depth_find(const struct vt_table *table, const struct vt_line *line, struct vt_depths *depths)
{
    for (size_t d = 0; line && d < table->column_count; d++)
        for (size_t s = 0; s < table->column_count; s++) {
            const struct vt_result_row *deep = cell_at(line, d), *shallow = cell_at(line, s);
            if (deep && shallow && vt_result_depth(deep) == 2 && vt_result_depth(shallow) == 1 &&
                are_alike(deep, shallow)) {
                *depths = (struct vt_depths){shallow, deep};
                return true;
            }
        }
    return false;
}
