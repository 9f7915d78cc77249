#include "ab/ab.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/compared.h"
#include "cli/measured.h"
#include "cli/options.h"
#include "compare/paired.h"
#include "result/save.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a turn takes at the least, beside starting; and where turns are taken until a change can be seen. */
static const double least_turn = 0.1, usual_turn = 0.75;
static const double usual_budget = 60, longest_budget = 600;
enum { USUAL_PAIRS = 40 };

struct arguments {
    struct vt_cli_asked asked;
    struct vt_cli_compared compared;
    const char *by, *save;
    double budget, settle, resolve; /* per cent; NaN: as many pairs as there are */
    long pairs;
};

static int parse(int *argc, char ***argv, struct arguments *a)
{
    const struct vt_option options[] = {
        {.name = "by",
         .argument = "WHAT",
         .text = &a->by,
         .choices = vt_ab_kinds,
         .help = "what A and B are: a command for the shell that makes the setting,\nthe number of a cpu, or "
                 "the path of a program, another vmtoll [command]"},
        {.name = "engine",
         .argument = "E,...",
         .text = &a->asked.selection.engines,
         .list = &a->asked.engines,
         .help = "engines to use; see vmtoll list engines [all]"},
        {.name = "path",
         .argument = "P,...",
         .text = &a->asked.selection.paths,
         .list = &a->asked.paths,
         .help = "only engines that take these paths; see vmtoll list paths [all]"},
        vt_cli_option_cases(&a->asked),
        vt_cli_option_levels(&a->asked, "privilege levels [both]"),
        {.name = "pairs",
         .argument = "N",
         .integer = &a->pairs,
         .low = 6,
         .high = VT_COMPARE_PAIRS_MOST,
         .help = "turns of each setting; with --resolve at most [40]"},
        {.name = "resolve",
         .argument = "PCT",
         .number = &a->resolve,
         .low = 0.01,
         .high = 100,
         .help = "go on until a change of so many per cent would be found in every row, or the\n"
                 "budget is spent (by default 600 s then, in turns of 0.75 s)"},
        {.name = "budget",
         .argument = "SECONDS",
         .number = &a->budget,
         .low = 1,
         .high = 86400,
         .help = "time for all measurements together [60]"},
        {.name = "settle",
         .argument = "SECONDS",
         .number = &a->settle,
         .low = 0,
         .high = 60,
         .help = "time between a command and the measurement [0]"},
        vt_cli_option_threshold(&a->compared, "a difference of less per cent is no change [0]"),
        vt_cli_option_resolution(&a->compared,
                                 "a time in which only changes beyond that many per cent could have "
                                 "been\nfound cannot tell [the threshold and 8]"),
        vt_cli_option_fail_on(&a->compared,
                              "end with status 1 on a regression, on any change, or never; "
                              "unclear: with 1\non a regression, with 5 where one cannot be ruled "
                              "out [never]"),
        {.name = "save",
         .argument = "PREFIX",
         .text = &a->save,
         .help = "keep the results of the turns: PREFIX-a.jsonl and PREFIX-b.jsonl"},
        vt_cli_option_all(&a->compared),
        vt_cli_option_format(&a->compared),
        vt_options_json(&a->compared.format),
        vt_cli_option_to(&a->compared),
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "ab",
        .operands = "A B",
        .summary =
            "Measure two settings of this machine in turns, and tell what B changes and what could have\n"
            "been seen.",
        .least = 2,
        .most = 2,
        .options = options,
        .notes =
            "Every turn is a bench of its own; of every two pairs of turns one, chosen at random, begins\n"
            "with A. At the end, however it comes, command A is run again. Few cases see more: --case.\n\n"
            "Exit status: 1 when what --fail-on names was found, or the run was interrupted; 2 when\n"
            "nothing could be compared; 3 when a command failed; 5 as for --fail-on unclear.",
    };
    return vt_options_parse(&synopsis, argc, argv);
}

static void show_progress(void *context, size_t pair, size_t pairs)
{
    (void)context;
    fprintf(stderr, "\r%3zu/%zu pairs of turns\033[K", pair, pairs);
    fflush(stderr);
}

static enum vt_ab_kind kind_of(const char *by)
{
    enum vt_ab_kind kind = VT_AB_COMMAND;
    while (strcmp(vt_ab_kinds[kind], by) != 0)
        kind++;
    return kind;
}

static int save_side(struct vt_result *const *runs, size_t count, const char *prefix, char side)
{
    char path[4096];
    struct vt_output output;
    struct vt_error error;
    snprintf(path, sizeof path, "%.4000s-%c.jsonl", prefix, side);
    if (vt_file_create(&output, path, &error) != 0)
        return vt_cli_fail(&error);
    for (size_t i = 0; i < count; i++)
        vt_result_print(runs[i], true, output.stream);
    return vt_file_commit(&output, &error) == 0 ? VT_EXIT_DONE : vt_cli_fail(&error);
}

static int save(const struct vt_ab_runs *runs, const char *prefix)
{
    int status = prefix ? save_side(runs->runs[0], runs->count, prefix, 'a') : VT_EXIT_DONE;
    return prefix && status == VT_EXIT_DONE ? save_side(runs->runs[1], runs->count, prefix, 'b') : status;
}

/* Per cent. NaN: no memory. */
static double reach_of(const struct vt_ab_runs *runs)
{
    struct vt_compare_pairs pairs;
    if (vt_compare_collect_pairs(&pairs, runs->runs[0], runs->runs[1], runs->count) != 0)
        return NAN;
    double reach = 100 * vt_compare_pairs_reach(&pairs);
    vt_compare_release_pairs(&pairs);
    return reach;
}

static bool is_resolved(void *context, const struct vt_ab_runs *runs)
{
    const struct arguments *a = context;
    return reach_of(runs) <= a->resolve;
}

static void tell_resolution(const struct arguments *a, double reach)
{
    if (isfinite(reach) && reach > a->resolve)
        vt_cli_warn(
            "ab: %g %% is not resolved in every row: changes below %.2g %% may be missed there (raise "
            "--budget, or ask for fewer rows: --case, --engine, --cpl)",
            a->resolve, reach);
}

static int deliver(const struct vt_ab_runs *runs, const struct arguments *a, enum vt_format format)
{
    struct vt_compare_side sides[2] = {{.runs = runs->runs[0], .count = runs->count},
                                       {.runs = runs->runs[1], .count = runs->count}};
    double reach = isnan(a->resolve) ? NAN : reach_of(runs);
    int saved = save(runs, a->save), status = vt_cli_compare(sides, &a->compared, format, "ab");
    tell_resolution(a, reach);
    if (runs->interrupted)
        vt_cli_warn("ab: interrupted: %zu of %ld pairs were measured", runs->count, a->pairs);
    if (saved != VT_EXIT_DONE)
        return saved;
    return status == VT_EXIT_DONE && runs->interrupted ? VT_EXIT_NO : status;
}

static int measure(const struct arguments *a, char **settings, enum vt_format format)
{
    struct vt_error error, restored;
    struct vt_ab_runs runs;
    enum vt_ab_kind kind = kind_of(a->by);
    struct vt_ab_plan plan = {
        .settings = {{kind, 'A', settings[0]}, {kind, 'B', settings[1]}},
        .selection = a->asked.selection,
        .pairs = (size_t)a->pairs,
        .turn = a->budget / (2 * (double)a->pairs),
        .settle = a->settle,
        .stop = vt_cli_stop(false),
        .progress = isatty(STDERR_FILENO) ? show_progress : NULL,
        .enough = isnan(a->resolve) ? NULL : is_resolved,
        .context = (void *)(uintptr_t)a,
    };
    int status = vt_ab_run(&runs, &plan, &restored, &error);
    if (plan.progress)
        fputs("\r\033[K", stderr);
    if (*restored.text)
        vt_cli_warn("ab: setting A does not hold again: %s", restored.text);
    status = status == 0 ? deliver(&runs, a, format) : vt_cli_fail(&error);
    vt_ab_release(&runs);
    return status == VT_EXIT_DONE && *restored.text ? (int)restored.exit : status;
}

/* What was not asked for follows from what was. */
static void complete(struct arguments *a)
{
    bool resolve = !isnan(a->resolve);
    if (isnan(a->budget))
        a->budget = resolve ? longest_budget : usual_budget;
    if (a->pairs == 0)
        a->pairs = resolve ? (long)fmin(a->budget / (2 * usual_turn), VT_COMPARE_PAIRS_MOST) : USUAL_PAIRS;
    if (a->pairs < VT_STATISTICS_MIN)
        a->pairs = VT_STATISTICS_MIN;
    if (resolve && isnan(a->compared.resolution))
        a->compared.resolution = a->resolve;
}

/* Everything that can be refused is, before the first command is run. */
static int check(const struct arguments *a, enum vt_format *format)
{
    struct vt_plan plan = {0};
    struct vt_error error;
    int status = vt_cli_choose_format(&a->compared, format);
    if (status == VT_OPTIONS_PROCEED && a->budget < 2 * (double)a->pairs * least_turn)
        status = vt_cli_misuse(
            "ab: %g seconds are too few for %ld pairs: raise --budget to %.0f, or lower --pairs", a->budget,
            a->pairs, 2 * (double)a->pairs * least_turn + 0.5);
    if (status == VT_OPTIONS_PROCEED) {
        status = vt_cli_select(&a->asked, &plan);
        vt_select_release(&plan);
    }
    if (status == VT_OPTIONS_PROCEED && vt_file_check(a->compared.output, &error) != 0)
        status = vt_cli_fail(&error);
    return status;
}

int vt_cmd_ab(int argc, char **argv)
{
    struct arguments a = {
        .compared = vt_cli_compared_usual("never"), .by = "command", .budget = NAN, .resolve = NAN};
    enum vt_format format;
    int status = parse(&argc, &argv, &a);
    if (status == VT_OPTIONS_PROCEED) {
        complete(&a);
        status = check(&a, &format);
    }
    return status == VT_OPTIONS_PROCEED ? measure(&a, argv, format) : status;
}
