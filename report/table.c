#include "report/table.h"
#include "base/memory.h"
#include "guest/catalogue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

/* The order in which the roads are told. */
static int rank_of(const char *engine)
{
    static const char *const order[] = {"native", "kvm", "trap", "translate", "hypercall"};
    int count = (int)(sizeof order / sizeof order[0]);
    for (int i = 0; i < count; i++)
        if (strcmp(order[i], engine) == 0)
            return i;
    return count;
}

static int compare_roads(const struct vt_column *a, const struct vt_column *b)
{
    int order = (int)a->simulated - (int)b->simulated;
    order = order ? order : rank_of(a->engine) - rank_of(b->engine);
    order = order ? order : strcmp(a->engine, b->engine);
    order = order ? order : a->cpl - b->cpl;
    order = order ? order : compare_texts(a->path, b->path);
    return order ? order : (int)b->unit - (int)a->unit;
}

static int compare_columns(const void *a, const void *b)
{
    const struct vt_column *left = a, *right = b;
    int order = compare_roads(left, right);
    return order ? order : (left->document > right->document) - (left->document < right->document);
}

static struct vt_column column_of(const struct vt_result_row *row, size_t document)
{
    return (struct vt_column){.engine = row->engine,
                              .path = row->path,
                              .unit = row->unit,
                              .cpl = row->cpl,
                              .simulated = row->simulated,
                              .document = document};
}

static struct vt_column *find_column(struct vt_table *table, const struct vt_column *wanted)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (compare_columns(&table->columns[i], wanted) == 0)
            return &table->columns[i];
    return NULL;
}

static int add_column(struct vt_table *table, const struct vt_column *column)
{
    struct vt_column *columns = vt_memory_grow(table->columns, table->column_count, 1, sizeof *columns);
    if (!columns)
        return -ENOMEM;
    table->columns = columns;
    table->columns[table->column_count++] = *column;
    return 0;
}

static int collect_columns(struct vt_table *table)
{
    for (size_t r = 0; r < table->result_count; r++)
        for (size_t i = 0; i < table->results[r]->count; i++) {
            struct vt_column column = column_of(&table->results[r]->rows[i], r);
            if (!find_column(table, &column) && add_column(table, &column) != 0)
                return -ENOMEM;
        }
    if (table->column_count)
        qsort(table->columns, table->column_count, sizeof *table->columns, compare_columns);
    return 0;
}

struct vt_line *vt_table_find_line(const struct vt_table *table, const char *name)
{
    for (size_t i = 0; i < table->line_count; i++)
        if (strcmp(table->lines[i].name, name) == 0)
            return &table->lines[i];
    return NULL;
}

static struct vt_line *add_line(struct vt_table *table, const struct vt_result_row *row)
{
    struct vt_line *lines = vt_memory_grow(table->lines, table->line_count, 1, sizeof *lines);
    if (!lines)
        return NULL;
    table->lines = lines;
    struct vt_line *line = &lines[table->line_count];
    *line = (struct vt_line){
        .name = row->name,
        .class = row->class ? row->class : "other",
        .known = row->known.class,
        .operation = row->operation,
        .cells = vt_arena_take(&table->arena, (table->column_count + 1) * sizeof *line->cells)};
    if (!line->cells)
        return NULL;
    table->line_count++;
    return line;
}

static int place_row(struct vt_table *table, const struct vt_result_row *row, size_t document)
{
    struct vt_column wanted = column_of(row, document);
    struct vt_line *line = vt_table_find_line(table, row->name);
    if (!line)
        line = add_line(table, row);
    if (!line)
        return -ENOMEM;
    line->cells[find_column(table, &wanted) - table->columns] = row;
    return 0;
}

static int place_rows(struct vt_table *table)
{
    for (size_t r = 0; r < table->result_count; r++)
        for (size_t i = 0; i < table->results[r]->count; i++)
            if (place_row(table, &table->results[r]->rows[i], r) != 0)
                return -ENOMEM;
    return 0;
}

static bool columns_overlap(const struct vt_table *table, size_t a, size_t b)
{
    for (size_t i = 0; i < table->line_count; i++)
        if (table->lines[i].cells[a] && table->lines[i].cells[b])
            return true;
    return false;
}

static void merge_columns(struct vt_table *table, size_t into, size_t from)
{
    for (size_t i = 0; i < table->line_count; i++) {
        const struct vt_result_row **cells = table->lines[i].cells;
        if (cells[from])
            cells[into] = cells[from];
        memmove(cells + from, cells + from + 1, (table->column_count - from - 1) * sizeof *cells);
    }
    memmove(table->columns + from, table->columns + from + 1,
            (table->column_count - from - 1) * sizeof *table->columns);
    table->column_count--;
}

/* Documents that measured different cases on the same road complete one another. */
static void merge_complements(struct vt_table *table)
{
    for (size_t a = 0; a < table->column_count; a++)
        for (size_t b = a + 1; b < table->column_count;)
            if (compare_roads(&table->columns[a], &table->columns[b]) == 0 && !columns_overlap(table, a, b))
                merge_columns(table, a, b);
            else
                b++;
}

static void entitle(struct vt_table *table, struct vt_column *column)
{
    column->rank = 0;
    for (const struct vt_column *before = table->columns; before < column; before++)
        column->rank += before->unit == column->unit;
    for (size_t i = 0; i < table->column_count; i++)
        if (&table->columns[i] != column && compare_roads(&table->columns[i], column) == 0)
            column->shared_name = true;
    const char *origin = table->results[column->document]->file;
    const char *slash = origin ? strrchr(origin, '/') : NULL;
    if (column->cpl < 0)
        snprintf(column->title, sizeof column->title, "%.60s", column->engine);
    else
        snprintf(column->title, sizeof column->title, "%.60s CPL %d", column->engine, column->cpl);
    snprintf(column->subtitle, sizeof column->subtitle, "%.20s%s%s%s%.40s", column->path ? column->path : "?",
             column->unit == VT_UNIT_NS ? "" : ", instructions", column->simulated ? ", simulated" : "",
             column->shared_name ? ", " : "",
             column->shared_name && origin ? (slash ? slash + 1 : origin) : "");
}

static size_t position_of(const struct vt_line *line)
{
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count), *c = vt_guest_find_case(line->name);
    return c ? (size_t)(c - cases) : count;
}

static int compare_lines(const void *a, const void *b)
{
    const struct vt_line *left = a, *right = b;
    size_t x = position_of(left), y = position_of(right);
    if (x != y)
        return x < y ? -1 : 1;
    int order = strcmp(left->class, right->class);
    return order ? order : strcmp(left->name, right->name);
}

static bool needs_note(const struct vt_result_row *cell)
{
    return cell && cell->reason && *cell->reason;
}

/* Addresses in brackets at a reason's end differ from case to case; without them the same reason stands once.
 */
static size_t reason_length(const char *reason)
{
    const char *bracket = strstr(reason, " (");
    return bracket && strstr(bracket, "0x") && reason[strlen(reason) - 1] == ')' ? (size_t)(bracket - reason)
                                                                                 : strlen(reason);
}

static int note_cell(struct vt_table *table, const struct vt_result_row *cell)
{
    size_t number = vt_table_note(table, cell);
    if (number == 0) {
        struct vt_note *notes = vt_memory_grow(table->notes, table->note_count, 1, sizeof *notes);
        if (!notes)
            return -ENOMEM;
        table->notes = notes;
        const char *text = vt_arena_text(&table->arena, cell->reason, reason_length(cell->reason));
        if (!text)
            return -ENOMEM;
        table->notes[table->note_count] = (struct vt_note){text, 0};
        number = ++table->note_count;
    }
    table->notes[number - 1].uses++;
    return 0;
}

static int collect_notes(struct vt_table *table)
{
    for (size_t i = 0; i < table->line_count; i++)
        for (size_t k = 0; k < table->column_count; k++)
            if (needs_note(table->lines[i].cells[k]) && note_cell(table, table->lines[i].cells[k]) != 0)
                return -ENOMEM;
    return 0;
}

int vt_table_build(struct vt_table *table, struct vt_result *const *results, size_t count)
{
    *table = (struct vt_table){.results = results, .result_count = count};
    int status = collect_columns(table);
    status = status ? status : place_rows(table);
    if (status == 0) {
        merge_complements(table);
        for (size_t i = 0; i < table->column_count; i++)
            entitle(table, &table->columns[i]);
        if (table->line_count)
            qsort(table->lines, table->line_count, sizeof *table->lines, compare_lines);
        status = collect_notes(table);
    }
    if (status)
        vt_table_release(table);
    return status;
}

void vt_table_release(struct vt_table *table)
{
    free(table->columns);
    free(table->lines);
    free(table->notes);
    vt_arena_release(&table->arena);
    *table = (struct vt_table){0};
}

size_t vt_table_note(const struct vt_table *table, const struct vt_result_row *cell)
{
    if (!needs_note(cell))
        return 0;
    size_t length = reason_length(cell->reason);
    for (size_t i = 0; i < table->note_count; i++)
        if (strlen(table->notes[i].text) == length && memcmp(table->notes[i].text, cell->reason, length) == 0)
            return i + 1;
    return 0;
}

bool vt_table_starts_class(const struct vt_table *table, size_t line)
{
    return line == 0 || strcmp(table->lines[line].class, table->lines[line - 1].class) != 0;
}
