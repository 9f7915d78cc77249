#include "report/published.h"
#include "base/memory.h"
#include "base/text.h"
#include "show/asset.h"
#include "show/quantity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Which case measures what a publication calls so. */
static const struct {
    const char *operation, *name;
} counterparts[] = {
    {"mov-to-cr8", "mov-to-cr8"},
    {"page fault", "page-fault"},
    {"divide by zero", "divide-error"},
    {"rdtsc", "rdtsc"},
    {"exit round trip", "cpuid"},
    {"hypercall", "vmcall"},
    {"exception (#UD)", "undefined"},
    {"msr access", "rdmsr-kernel"},
    {"cpuid", "cpuid"},
    {"in port 0x80", "in-user"},
    {"nested cpuid", "cpuid"},
    {"port i/o to user space", "out-user"},
};

static const struct vt_line *find_line(const struct vt_table *table, const char *operation)
{
    for (size_t i = 0; i < sizeof counterparts / sizeof counterparts[0]; i++)
        if (strcmp(counterparts[i].operation, operation) == 0)
            return vt_table_find_line(table, counterparts[i].name);
    return NULL;
}

static void tell_here(const struct vt_table *table, const struct vt_line *line, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t k = 0; line && k < table->column_count; k++) {
        char toll[32];
        if (!line->cells[k] || line->cells[k]->status != VT_STATUS_OK || !vt_result_has_toll(line->cells[k]))
            continue;
        vt_quantity_print(line->cells[k]->toll.median, line->cells[k]->unit, "µs", toll, sizeof toll);
        vt_text_append(text, size, "%s%.60s %s", *text ? ", " : "", table->columns[k].title, toll);
    }
}

/* Every number of the row, under its key: "paravirtual_pvm" reads "paravirtual pvm". */
static void tell_figures(json_t *row, char *text, size_t size)
{
    const char *key;
    json_t *value;
    text[0] = '\0';
    json_object_foreach(row, key, value)
    {
        if (json_is_number(value))
            vt_text_append(text, size, "%s%.60s %g", *text ? ", " : "", key, json_number_value(value));
    }
    for (char *mark = text; (mark = strchr(mark, '_'));)
        *mark = ' ';
}

static int add_row(struct vt_published *published, const struct vt_table *table, json_t *source, json_t *row)
{
    struct vt_published_row *to = vt_memory_append(published->rows, published->count);
    if (!to)
        return -ENOMEM;
    const char *cpu = json_string_value(json_object_get(row, "cpu"));
    *to = (struct vt_published_row){.source = json_string_value(json_object_get(source, "title")),
                                    .cpu = cpu ? cpu : json_string_value(json_object_get(source, "cpu")),
                                    .unit = json_string_value(json_object_get(source, "unit")),
                                    .operation = json_string_value(json_object_get(row, "operation"))};
    tell_figures(row, to->figures, sizeof to->figures);
    tell_here(table, find_line(table, to->operation), to->here, sizeof to->here);
    return 0;
}

int vt_published_load(struct vt_published *published, const struct vt_table *table)
{
    size_t s, r;
    json_t *source, *row;
    *published =
        (struct vt_published){.document = json_loadb(vt_asset_published, vt_asset_published_size, 0, NULL)};
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
