#include "report/table.h"
#include "base/text.h"
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

/*
 * The order in which the roads are told; of the labs first the AMD-V that works as processors on sale do, and
 * one of each road before a second: charts show no more than some.
 */
static int rank_of(const char *engine)
{
    static const char *const order[] = {
        "native",    "kvm",     "trap",         "translate",    "hypercall",
        "svm-bochs", "xen-pv",  "monitor-trap", "monitor-call", "vmx",
        "svm",       "xen-pvh", "tcg",          "monitor-svm",  "monitor-svm-kvm"};
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
    order = order ? order : a->vcpus - b->vcpus;
    order = order ? order : a->depth - b->depth;
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
                              .vcpus = vt_result_vcpus(row),
                              .depth = vt_result_depth(row),
                              .simulated = row->simulated,
                              .document = document};
}

static int add_column(struct vt_table *table, const struct vt_column *column)
{
    struct vt_column *next = vt_memory_append(table->columns, table->column_count);
    if (next)
        *next = *column;
    return next ? 0 : -ENOMEM;
}

/* A row on its way into the table. */
struct placed {
    struct vt_column column;
    const struct vt_result_row *row;
    size_t number; /* of the column */
    size_t order;  /* of the row: of several that say the same the last counts */
};

static int compare_orders(const struct placed *a, const struct placed *b)
{
    return (a->order > b->order) - (a->order < b->order);
}

static int by_column(const void *a, const void *b)
{
    const struct placed *left = a, *right = b;
    int order = compare_columns(&left->column, &right->column);
    return order ? order : compare_orders(left, right);
}

static bool is_form(const struct placed *placed)
{
    return placed->row->known.path == VT_PATH_PARAVIRTUAL;
}

/* The first of a name tells what the instruction is; a form of it is words of another operation. */
static int by_name(const void *a, const void *b)
{
    const struct placed *left = a, *right = b;
    int order = strcmp(left->row->name, right->row->name);
    order = order ? order : (int)is_form(left) - (int)is_form(right);
    return order ? order : compare_orders(left, right);
}

static struct placed *list_rows(const struct vt_table *table, size_t *count)
{
    size_t total = 0, n = 0;
    for (size_t r = 0; r < table->result_count; r++)
        total += table->results[r]->count;
    struct placed *list = calloc(total + 1, sizeof *list);
    for (size_t r = 0; list && r < table->result_count; r++)
        for (size_t i = 0; i < table->results[r]->count; i++, n++) {
            const struct vt_result_row *row = &table->results[r]->rows[i];
            list[n] = (struct placed){.column = column_of(row, r), .row = row, .order = n};
        }
    *count = total;
    return list;
}

static int collect_columns(struct vt_table *table, struct placed *list, size_t count)
{
    qsort(list, count, sizeof *list, by_column);
    for (size_t i = 0; i < count; i++) {
        if ((i == 0 || compare_columns(&list[i - 1].column, &list[i].column) != 0) &&
            add_column(table, &list[i].column) != 0)
            return -ENOMEM;
        list[i].number = table->column_count - 1;
    }
    return 0;
}

static size_t count_names(const struct placed *list, size_t count)
{
    size_t names = 0;
    for (size_t i = 0; i < count; i++)
        names += i == 0 || strcmp(list[i - 1].row->name, list[i].row->name) != 0;
    return names;
}

static struct vt_line *add_line(struct vt_table *table, const struct vt_result_row *row)
{
    struct vt_line *line = vt_memory_append(table->lines, table->line_count);
    if (!line)
        return NULL;
    *line = (struct vt_line){
        .name = row->name,
        .position = vt_guest_case_position(row->name),
        .class = row->class ? row->class : "other",
        .known = row->known.class,
        .operation = row->operation,
        .cells = vt_arena_take(&table->arena, (table->column_count + 1) * sizeof *line->cells)};
    return line->cells ? line : NULL;
}

/* Every name at every column takes room: of too many of both, no table is made. */
static int refuse(const struct vt_table *table, size_t names, struct vt_error *error)
{
    const char *file = table->results[0]->file;
    return vt_error_set(error, VT_EXIT_USAGE, E2BIG,
                        "%.200s: %zu cases on %zu roads are more than a report can show side by side (%d "
                        "cells)",
                        file ? file : "the result", names, table->column_count, VT_TABLE_CELLS);
}

static int place_rows(struct vt_table *table, struct placed *list, size_t count, struct vt_error *error)
{
    qsort(list, count, sizeof *list, by_name);
    size_t names = count_names(list, count);
    if (names && table->column_count > VT_TABLE_CELLS / names)
        return refuse(table, names, error);
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || strcmp(list[i - 1].row->name, list[i].row->name) != 0;
        if (first && !add_line(table, list[i].row))
            return vt_error_memory(error, "the report");
        table->lines[table->line_count - 1].cells[list[i].number] = list[i].row;
    }
    return 0;
}

static int place(struct vt_table *table, struct vt_error *error)
{
    size_t count;
    struct placed *list = list_rows(table, &count);
    bool placed = list && collect_columns(table, list, count) == 0;
    int status = placed ? place_rows(table, list, count, error) : vt_error_memory(error, "the report");
    free(list);
    return status;
}

static bool columns_overlap(const struct vt_table *table, size_t a, size_t b)
{
    for (size_t i = 0; i < table->line_count; i++)
        if (table->lines[i].cells[a] && table->lines[i].cells[b])
            return true;
    return false;
}

static void move_column(struct vt_table *table, size_t into, size_t from)
{
    for (size_t i = 0; i < table->line_count; i++) {
        const struct vt_result_row **cells = table->lines[i].cells;
        const struct vt_result_row *cell = cells[from];
        cells[from] = NULL;
        if (cell)
            cells[into] = cell;
    }
}

/* Documents that measured different cases on the same road complete one another. Columns of one road stand
 * side by side. */
static void merge_complements(struct vt_table *table)
{
    size_t kept = 0, first = 0, into; /* columns so far, and the first of them on the road at hand */
    for (size_t k = 0; k < table->column_count; k++) {
        if (kept == 0 || compare_roads(&table->columns[first], &table->columns[k]) != 0)
            first = kept;
        for (into = first; into < kept && columns_overlap(table, into, k); into++)
            continue;
        if (into == kept)
            table->columns[kept++] = table->columns[k];
        if (into != k)
            move_column(table, into, k);
    }
    table->column_count = kept;
}

static bool shares_road(const struct vt_table *table, size_t a, size_t b)
{
    return b < table->column_count && compare_roads(&table->columns[a], &table->columns[b]) == 0;
}

/* Engines of which the guest's level is the virtual CPU's: the code runs without privilege. */
static bool is_deprivileged(const char *engine)
{
    return strcmp(engine, "trap") == 0 || strcmp(engine, "translate") == 0;
}

static void entitle(struct vt_table *table, size_t k)
{
    struct vt_column *column = &table->columns[k];
    column->shared_name = shares_road(table, k, k + 1) || (k && shares_road(table, k, k - 1));
    const char *origin = table->results[column->document]->file;
    const char *slash = origin ? strrchr(origin, '/') : NULL;
    if (column->cpl < 0)
        snprintf(column->title, sizeof column->title, "%.60s", column->engine);
    else
        snprintf(column->title, sizeof column->title, "%.60s %sCPL %d", column->engine,
                 is_deprivileged(column->engine) ? "virtual " : "", column->cpl);
    if (column->vcpus > 1)
        vt_text_append(column->title, sizeof column->title, ", %d vCPUs", column->vcpus);
    if (column->depth > 1)
        vt_text_append(column->title, sizeof column->title, ", depth %d", column->depth);
    snprintf(column->subtitle, sizeof column->subtitle, "%.20s%s%s%s%.40s", column->path ? column->path : "?",
             column->unit == VT_UNIT_NS ? "" : ", instructions", column->simulated ? ", simulated" : "",
             column->shared_name ? ", " : "",
             column->shared_name && origin ? (slash ? slash + 1 : origin) : "");
}

static bool has_figures(const struct vt_table *table, size_t k)
{
    for (size_t i = 0; i < table->line_count; i++)
        if (table->lines[i].cells[k] && vt_result_has_toll(table->lines[i].cells[k]))
            return true;
    return false;
}

static void number_columns(struct vt_table *table)
{
    size_t shown = 0, of_unit[VT_UNITS] = {0};
    for (size_t k = 0; k < table->column_count; k++) {
        struct vt_column *column = &table->columns[k];
        column->shown = shown;
        column->rank = of_unit[column->unit];
        shown += column->measured;
        of_unit[column->unit] += column->measured;
    }
}

/* Columns of one title stand side by side: each run of them is looked at once. */
static void find_shared_titles(struct vt_table *table)
{
    for (size_t from = 0, to; from < table->column_count; from = to) {
        bool differs = false;
        for (to = from + 1;
             to < table->column_count && strcmp(table->columns[from].title, table->columns[to].title) == 0;
             to++)
            differs |= compare_texts(table->columns[from].path, table->columns[to].path) != 0;
        for (size_t k = from; k < to; k++)
            table->columns[k].shared_title = differs;
    }
}

static void find_measured(struct vt_table *table)
{
    bool any = false;
    for (size_t k = 0; k < table->column_count; k++)
        any |= table->columns[k].measured = has_figures(table, k);
    for (size_t k = 0; k < table->column_count; k++)
        table->columns[k].measured |= !any;
    number_columns(table);
    find_shared_titles(table);
}

static void entitle_columns(struct vt_table *table)
{
    for (size_t k = 0; k < table->column_count; k++)
        entitle(table, k);
}

const struct vt_result *vt_table_subject(const struct vt_table *table)
{
    size_t subject = table->result_count;
    for (size_t k = 0; k < table->column_count; k++)
        if (!table->columns[k].simulated && table->columns[k].document < subject)
            subject = table->columns[k].document;
    if (subject < table->result_count)
        return table->results[subject];
    return table->result_count ? table->results[0] : NULL;
}

const char *vt_column_path(const struct vt_column *column)
{
    return column->shared_title && column->path ? column->path : "";
}

size_t vt_table_shown(const struct vt_table *table)
{
    size_t count = 0;
    for (size_t k = 0; k < table->column_count; k++)
        count += table->columns[k].measured;
    return count;
}

static int compare_lines(const void *a, const void *b)
{
    const struct vt_line *left = a, *right = b;
    if (left->position != right->position)
        return left->position < right->position ? -1 : 1;
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

/* A cell's reason, on its way among the notes. */
struct said {
    const char *text;
    size_t length, order;
};

static int compare_reasons(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int by_text(const void *a, const void *b)
{
    const struct said *x = a, *y = b;
    int order = compare_reasons(x->text, x->length, y->text, y->length);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static int by_order(const void *a, const void *b)
{
    const struct vt_note *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

static size_t list_reasons(const struct vt_table *table, struct said *list)
{
    size_t count = 0;
    for (size_t i = 0; i < table->line_count; i++)
        for (size_t k = 0; k < table->column_count; k++) {
            const struct vt_result_row *cell = table->lines[i].cells[k];
            if (!needs_note(cell))
                continue;
            if (list)
                list[count] = (struct said){cell->reason, reason_length(cell->reason), count};
            count++;
        }
    return count;
}

/* Each reason once, by its text. */
static int take_notes(struct vt_table *table, const struct said *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct vt_note *last = table->note_count ? &table->notes[table->note_count - 1] : NULL;
        if (last && compare_reasons(last->text, strlen(last->text), list[i].text, list[i].length) == 0) {
            last->uses++;
            continue;
        }
        const char *text = vt_arena_text(&table->arena, list[i].text, list[i].length);
        if (!text)
            return -ENOMEM;
        table->notes[table->note_count++] = (struct vt_note){text, 1, list[i].order};
    }
    return 0;
}

static int by_note(const void *a, const void *b)
{
    const struct vt_note *const *x = a, *const *y = b;
    return strcmp((*x)->text, (*y)->text);
}

/* Notes are numbered as they are met. */
static int collect_notes(struct vt_table *table)
{
    size_t count = list_reasons(table, NULL);
    struct said *list = calloc(count + 1, sizeof *list);
    table->notes = calloc(count + 1, sizeof *table->notes);
    table->notes_by_text = calloc(count + 1, sizeof *table->notes_by_text);
    int status = list && table->notes && table->notes_by_text ? 0 : -ENOMEM;
    if (status == 0) {
        list_reasons(table, list);
        qsort(list, count, sizeof *list, by_text);
        status = take_notes(table, list, count);
    }
    if (status == 0) {
        qsort(table->notes, table->note_count, sizeof *table->notes, by_order);
        for (size_t i = 0; i < table->note_count; i++)
            table->notes_by_text[i] = &table->notes[i];
        qsort(table->notes_by_text, table->note_count, sizeof *table->notes_by_text, by_note);
    }
    free(list);
    return status;
}

static size_t unsupported_note(const struct vt_table *table, size_t line, size_t column)
{
    const struct vt_result_row *cell = table->lines[line].cells[column];
    return cell && cell->status == VT_STATUS_UNSUPPORTED && !vt_result_has_toll(cell)
               ? vt_table_note(table, cell)
               : 0;
}

/* A note of more than half outlives any pairing with others (Boyer and Moore), and is then counted. */
static size_t find_usual(const struct vt_table *table, size_t column)
{
    size_t usual = 0, left = 0, count = 0;
    for (size_t i = 0; i < table->line_count; i++) {
        size_t note = unsupported_note(table, i, column);
        usual = left ? usual : note;
        left = note == usual ? left + 1 : left - 1;
    }
    for (size_t i = 0; i < table->line_count; i++)
        count += unsupported_note(table, i, column) == usual;
    return 2 * count > table->line_count ? usual : 0;
}

int vt_table_build(struct vt_table *table, struct vt_result *const *results, size_t count,
                   struct vt_error *error)
{
    *table = (struct vt_table){.results = results, .result_count = count};
    int status = place(table, error);
    if (status == 0) {
        merge_complements(table);
        entitle_columns(table);
        find_measured(table);
        if (table->line_count)
            qsort(table->lines, table->line_count, sizeof *table->lines, compare_lines);
        if (collect_notes(table) != 0)
            status = vt_error_memory(error, "the report");
    }
    for (size_t k = 0; status == 0 && k < table->column_count; k++)
        table->columns[k].usual = find_usual(table, k);
    if (status)
        vt_table_release(table);
    return status;
}

void vt_table_release(struct vt_table *table)
{
    free(table->columns);
    free(table->lines);
    free(table->notes);
    free(table->notes_by_text);
    vt_arena_release(&table->arena);
    *table = (struct vt_table){0};
}

static int compare_cell(const void *cell, const void *note)
{
    const char *reason = ((const struct vt_result_row *)cell)->reason,
               *text = (*(const struct vt_note *const *)note)->text;
    return compare_reasons(reason, reason_length(reason), text, strlen(text));
}

size_t vt_table_note(const struct vt_table *table, const struct vt_result_row *cell)
{
    const struct vt_note *const *note = needs_note(cell)
                                            ? bsearch(cell, table->notes_by_text, table->note_count,
                                                      sizeof *table->notes_by_text, compare_cell)
                                            : NULL;
    return note ? (size_t)(*note - table->notes) + 1 : 0;
}

struct vt_line *vt_table_find_line(const struct vt_table *table, const char *name)
{
    for (size_t i = 0; i < table->line_count; i++)
        if (strcmp(table->lines[i].name, name) == 0)
            return &table->lines[i];
    return NULL;
}

bool vt_table_starts_class(const struct vt_table *table, size_t line)
{
    return line == 0 || strcmp(table->lines[line].class, table->lines[line - 1].class) != 0;
}
