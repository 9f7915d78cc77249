#include "report/published.h"
#include "base/memory.h"
#include "base/text.h"
#include "result/path.h"
#include "show/asset.h"
#include "show/quantity.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CROSSES(crossing) (1U << VT_CROSSING_##crossing)

enum { EXITS = CROSSES(EXIT_KERNEL) | CROSSES(EXIT_USER) | CROSSES(HYPERCALL) };
enum depth { ANYWHERE, OUTERMOST, NESTED };

/* What is measured of a published road: path and crossing are those of a row, the depth that of its host. */
static const struct road {
    const char *key;
    enum vt_path path;
    unsigned crossings;
    enum depth depth;
} roads[] = {
    {"native", VT_PATH_NATIVE, CROSSES(NONE) | CROSSES(TRAP), ANYWHERE},
    {"emulated", VT_PATH_EMULATED, CROSSES(TRAP), ANYWHERE},
    {"translated", VT_PATH_TRANSLATED, CROSSES(CALLOUT) | CROSSES(INLINE), ANYWHERE},
    {"translated_callout", VT_PATH_TRANSLATED, CROSSES(CALLOUT), ANYWHERE},
    {"translated_inline", VT_PATH_TRANSLATED, CROSSES(INLINE), ANYWHERE},
    {"hardware", VT_PATH_HARDWARE, EXITS, OUTERMOST},
    {"hardware_nested", VT_PATH_HARDWARE, EXITS, NESTED},
};

static const char before_mark[] = "_before", after_mark[] = "_after";

static bool is_alike(const struct road *road, const struct vt_result *result, const struct vt_result_row *row)
{
    const json_t *inside = vt_result_at(result->host, "hypervisor.present");
    if (row->status != VT_STATUS_OK || !vt_result_has_toll(row) || row->simulated || row->unit != VT_UNIT_NS)
        return false;
    if (road->depth != ANYWHERE &&
        (!json_is_boolean(inside) || json_is_true(inside) != (road->depth == NESTED)))
        return false;
    return row->known.path == road->path && row->known.crossing < VT_CROSSINGS &&
           (road->crossings >> row->known.crossing & 1);
}

static void tell_toll(const struct vt_result *result, const struct vt_result_row *row, const char *unit,
                      char *text, size_t size)
{
    double khz = vt_result_tsc_khz(result);
    if (strcmp(unit, "cycles") == 0 && isfinite(khz))
        snprintf(text, size, "%.*f cycles", row->toll.median * khz < 1e7 ? 1 : 0,
                 row->toll.median * khz / 1e6);
    else
        vt_quantity_print(row->toll.median, row->unit, "µs", text, size);
}

static const struct road *find_road(const char *key)
{
    for (size_t i = 0; i < sizeof roads / sizeof roads[0]; i++)
        if (strcmp(roads[i].key, key) == 0)
            return &roads[i];
    return NULL;
}

static void tell_here(const struct vt_table *table, const char *name, const char *key, const char *unit,
                      char *text, size_t size)
{
    const struct road *road = find_road(key);
    const struct vt_line *line = name && road ? vt_table_find_line(table, name) : NULL;
    *text = '\0';
    for (size_t k = 0; line && k < table->column_count; k++) {
        const struct vt_result_row *row = line->cells[k];
        const struct vt_result *result = table->results[table->columns[k].document];
        char toll[32];
        if (!row || !is_alike(road, result, row))
            continue;
        tell_toll(result, row, unit, toll, sizeof toll);
        vt_text_append(text, size, "%s%.60s %s", *text ? ", " : "", table->columns[k].title, toll);
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* The key of a figure without its side: "hardware" of "hardware_before". */
static void take_road(const char *key, char *text, size_t size)
{
    size_t cut = ends_with(key, before_mark) ? sizeof before_mark - 1 : 0;
    snprintf(text, size, "%.*s", (int)(strlen(key) - cut), key);
}

static void tell_figure(json_t *row, const char *key, const char *road, const char *unit, char *text,
                        size_t size)
{
    char other[64];
    snprintf(text, size, "%.6g", json_number_value(json_object_get(row, key)));
    if (ends_with(key, before_mark)) {
        snprintf(other, sizeof other, "%.48s%s", road, after_mark);
        vt_text_append(text, size, " -> %.6g", json_number_value(json_object_get(row, other)));
    }
    vt_text_append(text, size, " %.16s", unit);
}

static int add_figure(struct vt_published *published, const struct vt_table *table, json_t *source,
                      json_t *row, const char *key)
{
    struct vt_published_row *to = vt_memory_append(published->rows, published->count);
    if (!to)
        return -ENOMEM;
    const char *cpu = json_string_value(json_object_get(row, "cpu")),
               *unit = json_string_value(json_object_get(source, "unit"));
    *to = (struct vt_published_row){.source = json_string_value(json_object_get(source, "title")),
                                    .cpu = cpu ? cpu : json_string_value(json_object_get(source, "cpu")),
                                    .quoted = json_is_true(json_object_get(source, "quoted")),
                                    .operation = json_string_value(json_object_get(row, "operation"))};
    take_road(key, to->road, sizeof to->road);
    tell_figure(row, key, to->road, unit, to->figure, sizeof to->figure);
    tell_here(table, json_string_value(json_object_get(row, "case")), to->road, unit, to->here,
              sizeof to->here);
    for (char *mark = to->road; (mark = strchr(mark, '_'));)
        *mark = ' ';
    return 0;
}

static int add_row(struct vt_published *published, const struct vt_table *table, json_t *source, json_t *row)
{
    const char *key;
    json_t *value;
    json_object_foreach(row, key, value)
    {
        if (json_is_number(value) && !ends_with(key, after_mark) &&
            add_figure(published, table, source, row, key) != 0)
            return -ENOMEM;
    }
    return 0;
}

json_t *vt_published_document(void)
{
    return json_loadb(vt_asset_published, vt_asset_published_size, 0, NULL);
}

const json_t *vt_published_source(const json_t *document, const char *id)
{
    const json_t *source;
    size_t i;
    json_array_foreach(json_object_get(document, "sources"), i, source)
    {
        const char *name = json_string_value(json_object_get(source, "id"));
        if (name && strcmp(name, id) == 0)
            return source;
    }
    return NULL;
}

int vt_published_load(struct vt_published *published, const struct vt_table *table)
{
    size_t s, r;
    json_t *source, *row;
    *published = (struct vt_published){.document = vt_published_document()};
    if (!published->document)
        return -ENOMEM;
    json_array_foreach(json_object_get(published->document, "sources"), s, source)
    {
        json_array_foreach(json_object_get(source, "rows"), r, row)
        {
            if (add_row(published, table, source, row) != 0)
                return -ENOMEM;
        }
    }
    return 0;
}

void vt_published_release(struct vt_published *published)
{
    free(published->rows);
    json_decref(published->document);
    *published = (struct vt_published){0};
}
