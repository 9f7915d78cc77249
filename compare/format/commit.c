/*
 * A comparison as it goes into a commit message: figures first, then the machine they are of, no line longer
 * than 72 columns, nothing that git takes for a comment.
 */
#include "base/text.h"
#include "compare/counts.h"
#include "compare/format/format.h"
#include "compare/format/words.h"
#include "guest/catalogue.h"
#include "result/path.h"
#include "show/pen/pen.h"
#include "show/quantity.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 5, WIDTH = 72, LABEL = 13, NAMES = 35, OURS = 16, FEW_ROWS = 24, FACT = 400 };

static const struct vt_pen_column columns[COLUMNS] = {
    {"  case              vmexit.c", NAMES, false, NULL},
    {"before", 8, true, NULL},
    {"after", 8, true, NULL},
    {"change", 8, true, NULL},
    {"sees", 5, true, NULL},
};

/* TSC cycles of a nanosecond, where both sides tell the same; NaN: times stay in nanoseconds. */
static double cycles_per_ns(const struct vt_comparison *c)
{
    double a = vt_result_tsc_khz(c->before), b = vt_result_tsc_khz(c->after);
    return fabs(a - b) <= 1e-3 * fmax(a, b) ? a / 1e6 : NAN;
}

/* Theirs is a guest's kernel that asks a hypervisor: what a signal handler or a translator answers is not
 * that. */
static const char *unit_test_of(const struct vt_compared *row)
{
    static const bool asks[VT_CROSSINGS] = {[VT_CROSSING_EXIT_KERNEL] = true,
                                            [VT_CROSSING_EXIT_USER] = true,
                                            [VT_CROSSING_HYPERCALL] = true,
                                            [VT_CROSSING_INTERPRETED] = true};
    const struct vt_case *known = vt_guest_find_case(row->before->name);
    enum vt_crossing crossing = row->before->known.crossing;
    bool alike = row->before->cpl == 0 && crossing < VT_CROSSINGS && asks[crossing];
    return known && alike ? known->unit_test : NULL;
}

static bool is_told(const struct vt_comparison *c, const struct vt_compared *row)
{
    if (vt_compare_is_finding(row))
        return true;
    return vt_compare_answer(row) != VT_ANSWER_NONE && (c->measured <= FEW_ROWS || unit_test_of(row));
}

static void print_figure(const struct vt_result_row *row, double per_ns, char *text, size_t size)
{
    double value = row->toll.median * (row->unit == VT_UNIT_NS && isfinite(per_ns) ? per_ns : 1);
    if (!vt_result_has_toll(row))
        snprintf(text, size, "%.8s", vt_status_name(row->status));
    else if (row->unit == VT_UNIT_INSTRUCTIONS)
        vt_compare_print_count(value, text, size);
    else
        snprintf(text, size, "%.*f", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value);
}

/* "-0.9 %", of what is unchanged "~ +0.1 %", of what cannot be told "? +3.1 %". */
static void print_change(const struct vt_compared *row, char *text, size_t size)
{
    static const char *const marks[VT_ANSWERS] = {[VT_ANSWER_NONE] = "",
                                                  [VT_ANSWER_CHANGED] = "",
                                                  [VT_ANSWER_UNCHANGED] = "~ ",
                                                  [VT_ANSWER_UNCLEAR] = "? "};
    double ratio = row->counts ? vt_compare_count_ratio(row) : row->ratio;
    double percent = vt_quantity_round((ratio - 1) * 100, 1);
    snprintf(text, size, "%s", marks[vt_compare_answer(row)]);
    if (row->counts && row->difference != 0 && fabs(row->difference) < 1000)
        vt_text_append(text, size, "%+.0f", row->difference);
    else if (isfinite(percent))
        vt_text_append(text, size, fabs(percent) < 99.95 ? "%+.1f %%" : "%+.0f %%", percent);
}

static void print_seen(const struct vt_comparison *c, const struct vt_compared *row, char *text, size_t size)
{
    if (vt_compare_counts_exactly(c, row))
        snprintf(text, size, "any");
    else if (isfinite(row->detectable))
        snprintf(text, size, row->detectable < 0.0995 ? "%.1f%%" : "%.0f%%", row->detectable * 100);
    else
        snprintf(text, size, "-");
}

/* "  cpuid             cpuid": both names where there is room. False: there is none for theirs. */
static bool print_names(const char *ours, const char *theirs, char *text, size_t size)
{
    bool room = theirs && strlen(ours) <= OURS && OURS + strlen(theirs) <= NAMES - 4;
    snprintf(text, size, room ? "  %-*s  %s" : "  %.*s", room ? OURS : NAMES - 2, ours, theirs);
    return room || !theirs;
}

static void put_row(const struct vt_comparison *c, const struct vt_compared *row, double per_ns,
                    struct vt_pen *pen)
{
    char names[64], before[32], after[32], change[32], seen[16];
    const char *theirs = unit_test_of(row);
    bool told = print_names(row->before->name, theirs, names, sizeof names);
    print_figure(row->before, per_ns, before, sizeof before);
    print_figure(row->after, per_ns, after, sizeof after);
    print_change(row, change, sizeof change);
    print_seen(c, row, seen, sizeof seen);
    vt_pen_row(pen,
               (const struct vt_pen_cell[COLUMNS]){
                   {.text = names}, {.text = before}, {.text = after}, {.text = change}, {.text = seen}});
    if (told)
        return;
    snprintf(names, sizeof names, "%*s%s", OURS + 4, "", theirs);
    vt_pen_row(pen, (const struct vt_pen_cell[COLUMNS]){{.text = names}});
}

static bool same_road(const struct vt_compared *a, const struct vt_compared *b)
{
    return strcmp(a->before->engine, b->before->engine) == 0 && a->before->cpl == b->before->cpl;
}

static const char *unit_of(const struct vt_compared *row, double per_ns)
{
    return row->counts ? "instructions" : isfinite(per_ns) ? "TSC cycles" : "ns";
}

/* A table for each road, in the order of the result. */
static void put_tables(const struct vt_comparison *c, struct vt_pen *pen)
{
    const struct vt_compared *last = NULL;
    double per_ns = cycles_per_ns(c);
    for (size_t i = 0; i < c->count; i++) {
        const struct vt_compared *row = &c->rows[i];
        char road[64];
        if (!is_told(c, row))
            continue;
        if (!last || !same_road(last, row)) {
            if (last)
                vt_pen_end_table(pen);
            vt_compare_road(row, road, sizeof road);
            vt_pen_heading(pen, "%s, %s per operation:", road, unit_of(row, per_ns));
            vt_pen_table(pen, "", columns, COLUMNS);
        }
        put_row(c, row, per_ns, pen);
        last = row;
    }
    if (last)
        vt_pen_end_table(pen);
}

/* What figures do not tell. */
static void put_tales(const struct vt_comparison *c, struct vt_pen *pen)
{
    bool told = false;
    for (size_t i = 0; i < c->count; i++) {
        const struct vt_compared *row = &c->rows[i];
        char road[64], tale[256];
        if (row->change != VT_CHANGE_CROSSING && row->change != VT_CHANGE_STATUS)
            continue;
        if (!told)
            vt_pen_heading(pen, "Crossings and failures:");
        told = true;
        vt_compare_road(row, road, sizeof road);
        vt_compare_explain(row, tale, sizeof tale);
        vt_pen_item(pen, 1);
        vt_pen_say(pen, "%.40s, %s: %s", row->before->name, road, tale);
    }
    vt_pen_end(pen);
}

/* Lines are broken at blanks: what is longer than a line and has none gets some. */
static void break_words(char text[FACT])
{
    char whole[FACT];
    size_t used = 0, length = 0;
    memcpy(whole, text, sizeof whole);
    for (const char *next = whole; *next && used + 2 < FACT; next++) {
        length = *next == ' ' ? 0 : length + 1;
        if (length > WIDTH - LABEL) {
            text[used++] = ' ';
            length = 1;
        }
        text[used++] = *next;
    }
    text[used] = '\0';
}

static void put_fact(struct vt_pen *pen, const char *label, char before[FACT], char after[FACT])
{
    if (!*before && !*after)
        return;
    break_words(before);
    break_words(after);
    vt_pen_fact(pen, label);
    vt_pen_say(pen, strcmp(before, after) ? "%s -> %s" : "%s", *before ? before : "unknown",
               *after ? after : "unknown");
}

static void tell_processor(const struct vt_result *result, char *text, size_t size)
{
    const char *brand = vt_result_host_text(result, "cpu.brand");
    const json_t *family = vt_result_at(result->host, "cpu.family"),
                 *model = vt_result_at(result->host, "cpu.model"),
                 *stepping = vt_result_at(result->host, "cpu.stepping");
    snprintf(text, size, "%.120s", brand ? brand : "");
    if (json_is_integer(family) && json_is_integer(model) && json_is_integer(stepping))
        vt_text_append(text, size, " (family %lld model %lld stepping %lld)", json_integer_value(family),
                       json_integer_value(model), json_integer_value(stepping));
}

static void tell_microcode(const struct vt_result *result, char *text, size_t size)
{
    const char *microcode = vt_result_host_text(result, "system.microcode");
    snprintf(text, size, "%.60s", microcode ? microcode : result->host ? "not known" : "");
}

/* A lab's kernel is not the host's. */
static void tell_kernel(const struct vt_result *result, char *text, size_t size)
{
    const char *lab = json_string_value(json_object_get(result->settings, "kernel")),
               *host = vt_result_host_text(result, "system.kernel");
    snprintf(text, size, "%.120s", lab ? lab : host ? host : "");
}

static void tell_setting(const struct vt_result *result, const char *key, char *text, size_t size)
{
    const char *value = json_string_value(json_object_get(result->settings, key));
    snprintf(text, size, "%.200s", value ? value : "");
}

static void tell_hypervisor(const struct vt_result *result, char *text, size_t size)
{
    const char *backend = vt_result_host_text(result, "kvm.backend");
    tell_setting(result, "hypervisor", text, size);
    if (!*text && backend)
        snprintf(text, size, "KVM (%.40s)", backend);
}

static void tell_emulator(const struct vt_result *result, char *text, size_t size)
{
    tell_setting(result, "emulator", text, size);
}

static void tell_command_line(const struct vt_result *result, char *text, size_t size)
{
    tell_setting(result, "kernel_command_line", text, size);
}

/* What is on, without what the processor does not need; "" for a lab, whose kernel's are not known. */
static void tell_mitigations(const struct vt_result *result, char *text, size_t size)
{
    static const char prefix[] = "Mitigation: ";
    const char *name;
    json_t *value, *all = json_object_get(result->host, "mitigations");
    *text = '\0';
    if (json_object_get(result->settings, "lab"))
        return;
    json_object_foreach(all, name, value)
    {
        const char *state = json_string_value(value);
        if (!state || strncmp(state, "Not affected", 12) == 0)
            continue;
        state += strncmp(state, prefix, sizeof prefix - 1) ? 0 : sizeof prefix - 1;
        vt_text_append(text, size, "%s%.40s: %.100s", *text ? ", " : "", name, state);
    }
}

static void tell_tool(const struct vt_result *result, char *text, size_t size)
{
    snprintf(text, size, "%.40s", result->version ? result->version : "");
    if (result->build_id)
        vt_text_append(text, size, " (build %.12s)", result->build_id);
}

static void put_facts(const struct vt_comparison *c, struct vt_pen *pen)
{
    static const struct {
        const char *label;
        void (*tell)(const struct vt_result *, char *, size_t);
    } facts[] = {
        {"CPU", tell_processor},           {"microcode", tell_microcode}, {"kernel", tell_kernel},
        {"hypervisor", tell_hypervisor},   {"emulator", tell_emulator},   {"command line", tell_command_line},
        {"mitigations", tell_mitigations}, {"vmtoll", tell_tool},
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        char before[FACT], after[FACT];
        facts[i].tell(c->before, before, sizeof before);
        facts[i].tell(c->after, after, sizeof after);
        put_fact(pen, facts[i].label, before, after);
    }
    vt_pen_end(pen);
}

int vt_compare_commit(const struct vt_comparison *c, const struct vt_screen *screen, FILE *stream,
                      struct vt_error *error)
{
    struct vt_screen page = {.width = WIDTH};
    struct vt_pen pen = vt_pen_on(stream, &vt_pen_text, &page);
    char text[1024];
    (void)screen;
    (void)error;
    vt_compare_headline(c, text, sizeof text);
    vt_pen_paragraph(&pen, "%s", text);
    put_tables(c, &pen);
    put_tales(c, &pen);
    vt_pen_heading(&pen, "SEES: the smallest change found in 95 of 100. ~ unchanged. ? unclear.");
    put_facts(c, &pen);
    return 0;
}
