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

/* Columns of one engine and CPL stand together, the shallow ones first: one walk finds the pair. */
bool vt_depth_find(const struct vt_table *table, const struct vt_line *line, const char *engine,
                   struct vt_depths *depths)
{
    const struct vt_result_row *shallow = NULL;

    for (size_t k = 0; line && k < table->column_count; k++) {
        const struct vt_result_row *row = cell_at(line, k);
        bool alike = row && shallow && are_alike(row, shallow);

        if (row && engine && strcmp(row->engine, engine) != 0)
            continue;
        if (row && vt_result_depth(row) == 1 && !alike)
            shallow = row;
        if (alike && vt_result_depth(row) == 2) {
            *depths = (struct vt_depths){shallow, row};
            return true;
        }
    }
    return false;
}
