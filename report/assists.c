#include "report/assists.h"
#include "show/quantity.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Linux' arch/x86/kvm: svm/svm.c, x86.c, emulate.c. */
static const char *const steps_over[] = {"__svm_skip_emulated_instruction", "svm_skip_emulated_instruction",
                                         "skip_emulated_instruction", NULL};
static const char *const emulates[] = {"kvm_emulate_instruction", "x86_emulate_instruction", NULL};
static const char *const fetches[] = {"__do_insn_fetch_bytes", NULL};

/*
 * With decode assists an exit says which register a control register is moved from or to, and a nested page
 * fault brings the instruction's bytes (APM 2, 15.33). Strings of ports are emulated either way.
 */
static const struct {
    const char *cases;
    const char *const *functions;
} decoded[] = {
    {"mov-*-cr?", emulates}, {"toggle-cr?-*", emulates}, {"mmio-*", fetches}, {"xapic-*", fetches}};

static bool is_among(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* Of a stack, and of what it calls. */
enum under { PLAIN, STEPS, SAVED_BY_NRIPS, SAVED_BY_DECODING };

static enum under place(const char *name, enum under caller, const char *const *functions)
{
    if (caller == SAVED_BY_NRIPS || caller == SAVED_BY_DECODING)
        return caller;
    if (caller == STEPS)
        return is_among(name, emulates) ? SAVED_BY_NRIPS : STEPS;
    if (functions && is_among(name, functions))
        return SAVED_BY_DECODING;
    return is_among(name, steps_over) ? STEPS : PLAIN;
}

static const char *const *functions_of(const char *name)
{
    for (size_t i = 0; i < sizeof decoded / sizeof decoded[0]; i++)
        if (fnmatch(decoded[i].cases, name, 0) == 0)
            return decoded[i].functions;
    return NULL;
}

static bool is_amds(const struct vt_profile *profile)
{
    for (size_t i = 0; i < profile->function_count; i++)
        if (strcmp(profile->functions[i].module, "kvm_amd") == 0)
            return true;
    return false;
}

struct vt_assists vt_assists_of(const struct vt_result_row *row)
{
    const struct vt_profile *profile = row->profile;
    double sums[SAVED_BY_DECODING + 1] = {0};
    bool looks = profile && is_amds(profile) && row->known.path == VT_PATH_HARDWARE;
    enum under *under = looks ? calloc(profile->stack_count + 1, sizeof *under) : NULL;

    for (size_t i = 0; under && i < profile->stack_count; i++) {
        const struct vt_profile_stack *stack = &profile->stacks[i];
        under[i] = place(profile->functions[stack->function].name,
                         stack->parent >= 0 ? under[stack->parent] : PLAIN, functions_of(row->name));
        sums[under[i]] += (double)stack->self / (double)profile->operations;
    }
    free(under);
    return (struct vt_assists){sums[SAVED_BY_NRIPS], sums[SAVED_BY_DECODING]};
}

static const struct vt_pen_column columns[] = {
    {"case", 22, false, NULL},
    {"road", 12, false, NULL},
    {"as it is", 9, true, NULL},
    {"for want of NRIPS", 18, true, NULL},
    {"of decode assists", 18, true, NULL},
    {"without", 9, true, NULL},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static void print_count(double value, char *text, size_t size)
{
    snprintf(text, size, "%.*f", value == floor(value) ? 0 : 2, vt_quantity_round(value, 2));
}

static void put_row(struct vt_pen *pen, const struct vt_result_row *row, const char *road)
{
    struct vt_assists assists = vt_assists_of(row);
    char texts[4][32] = {"", "", "", ""};

    print_count(row->toll.median, texts[0], sizeof texts[0]);
    if (assists.nrips != 0)
        print_count(assists.nrips, texts[1], sizeof texts[1]);
    if (assists.decode != 0)
        print_count(assists.decode, texts[2], sizeof texts[2]);
    print_count(row->toll.median - assists.nrips - assists.decode, texts[3], sizeof texts[3]);
    vt_pen_row(pen, (const struct vt_pen_cell[COLUMNS]){{.text = row->name},
                                                        {.text = road},
                                                        {.text = texts[0]},
                                                        {.text = texts[1]},
                                                        {.text = texts[2]},
                                                        {.text = texts[3]}});
}

static bool has_some(const struct vt_result_row *row)
{
    struct vt_assists assists = row ? vt_assists_of(row) : (struct vt_assists){0};
    return assists.nrips != 0 || assists.decode != 0;
}

static bool any(const struct vt_table *table)
{
    for (size_t i = 0; i < table->line_count; i++)
        for (size_t k = 0; k < table->column_count; k++)
            if (has_some(table->lines[i].cells[k]))
                return true;
    return false;
}

void vt_assists_say(const struct vt_table *table, struct vt_pen *pen)
{
    static const char title[] = "What a processor with NRIPS and decode assists saves";

    if (!any(table))
        return;
    vt_pen_paragraph(
        pen, "This AMD-V lacks what AMD's processors have had since 2010 and 2011: an exit that says "
             "where the next instruction is (NRIPS), and what was to be decoded (decode assists). The "
             "instructions under the functions that KVM calls for want of them, and the toll without; "
             "the few that it takes in their place are not in it.");
    vt_pen_table(pen, title, columns, COLUMNS);
    for (size_t i = 0; i < table->line_count; i++)
        for (size_t k = 0; k < table->column_count; k++)
            if (has_some(table->lines[i].cells[k]))
                put_row(pen, table->lines[i].cells[k], table->columns[k].title);
    vt_pen_end_table(pen);
}
