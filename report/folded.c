/*
 * Folded stacks, one a line: "frame;frame;frame count", as flamegraph.pl, inferno and speedscope read them.
 * Counts are instructions of one operation, and whole, for speedscope passes over others: they are rounded so
 * that together they are the rounded sum.
 */
#include "report/format.h"
#include "report/functions.h"

#include <errno.h>

static void put_frame(const char *text, FILE *stream)
{
    for (; *text; text++)
        putc(*text == ';' || *text == ' ' || *text == '\n' ? '_' : *text, stream);
}

static void put_chain(const struct vt_profile *profile, int32_t at, FILE *stream)
{
    const struct vt_profile_stack *stack = &profile->stacks[at];

    if (stack->parent >= 0)
        put_chain(profile, stack->parent, stream);
    putc(';', stream);
    put_frame(profile->functions[stack->function].module, stream);
    putc('`', stream);
    put_frame(profile->functions[stack->function].name, stream);
}

static int64_t round_quotient(int64_t dividend, int64_t divisor)
{
    return dividend / divisor + (dividend % divisor > (divisor - 1) / 2);
}

/* What the baseline executed more of cannot be said there. */
static void put_row(const struct vt_result_row *row, const char *title, FILE *stream)
{
    const struct vt_profile *profile = row->profile;
    int64_t told = 0, all = 0;

    for (size_t i = 0; i < profile->stack_count; i++) {
        if (profile->stacks[i].self <= 0 || __builtin_add_overflow(all, profile->stacks[i].self, &all))
            continue;
        int64_t count = round_quotient(all, profile->operations) - told;
        if (count == 0)
            continue;
        told += count;
        put_frame(title, stream);
        putc(';', stream);
        put_frame(row->name, stream);
        put_chain(profile, (int32_t)i, stream);
        fprintf(stream, " %lld\n", (long long)count);
    }
}

int vt_report_folded(const struct vt_report *report, FILE *stream, struct vt_error *error)
{
    const struct vt_table *table = report->table;

    if (vt_functions_rows(table) == 0)
        return vt_error_set(
            error, VT_EXIT_USAGE, ENODATA,
            "no row tells which functions its instructions are of: measure it with vmtoll lab svm "
            "--profile");
    for (size_t i = 0; i < table->line_count; i++)
        for (size_t k = 0; k < table->column_count; k++)
            if (table->lines[i].cells[k] && table->lines[i].cells[k]->profile)
                put_row(table->lines[i].cells[k], table->columns[k].title, stream);
    return 0;
}
