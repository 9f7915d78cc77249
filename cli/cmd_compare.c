#include "base/file.h"
#include "cli/command.h"
#include "cli/confined.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "compare/compare.h"
#include "compare/format/format.h"
#include "result/load/load.h"
#include "result/pool.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    const char *format, *output, *fail_on;
    double threshold; /* per cent; NaN: what suits the unit */
};

/* The runs of one side: a file may hold several, one after the other. */
struct side {
    struct vt_result **runs;
    size_t count, weight;
};

struct loading {
    struct side *side;
    struct vt_error *error;
};

/* In numbers, as which rows and runs count beside their series: some 300 MB. */
enum { RUN_WEIGHT = 4000, ROW_WEIGHT = 100, MAX_WEIGHT = 1 << 25 };

static size_t weigh(const struct vt_result *run)
{
    size_t weight = RUN_WEIGHT + run->count * ROW_WEIGHT;
    for (size_t i = 0; i < run->count; i++)
        weight += run->rows[i].samples.count + run->rows[i].samples_body.count +
                  run->rows[i].samples_baseline.count + run->rows[i].marks.count + run->rows[i].rounds.count +
                  run->rows[i].shared.count;
    return weight;
}

/* Told at the run that is one too many: a file of a fleet may be of any size. */
static int check(struct side *side, struct vt_error *error)
{
    const struct vt_result *first = side->runs[0], *last = side->runs[side->count - 1];
    if (vt_result_pool_check(first, last, error) != 0)
        return -EINVAL;
    side->weight += weigh(last);
    if (side->count == 1 || side->weight <= MAX_WEIGHT)
        return 0;
    return vt_error_set(
        error, VT_EXIT_USAGE, E2BIG,
        "%s holds more than can be compared at once (%zu runs were read): compare fewer of its runs",
        first->file, side->count);
}

static int keep(struct vt_result *result, void *context)
{
    const struct loading *loading = context;
    struct side *side = loading->side;
    struct vt_result **grown = realloc(side->runs, (side->count + 1) * sizeof *grown);
    if (!grown) {
        vt_result_free(result);
        return -ENOMEM;
    }
    side->runs = grown;
    side->runs[side->count++] = result;
    return check(side, loading->error);
}

static void release(struct side *side)
{
    for (size_t i = 0; i < side->count; i++)
        vt_result_free(side->runs[i]);
    free(side->runs);
}

static int load(const char *file, struct side *side)
{
    struct vt_load_options options = {.samples = true};
    struct vt_error error = {.exit = VT_EXIT_INTERNAL, .text = "not enough memory for the results"};
    struct loading loading = {side, &error};
    if (vt_result_load(file, &options, keep, &loading, &error) != 0 ||
        vt_result_pool(side->runs, side->count, &error) != 0)
        return vt_cli_fail(&error);
    return VT_EXIT_DONE;
}

static int print(const struct vt_comparison *comparison, enum vt_format format, const char *path)
{
    struct vt_output output;
    struct vt_error error;
    struct vt_screen screen = vt_cli_screen(path);
    if (vt_file_create(&output, path, &error) != 0)
        return vt_cli_fail(&error);
    if (vt_compare_print(format, comparison, &screen, output.stream, &error) != 0) {
        vt_file_discard(&output);
        return vt_cli_fail(&error);
    }
    return vt_file_commit(&output, &error) == 0 ? VT_EXIT_DONE : vt_cli_fail(&error);
}

static int parse(int *argc, char ***argv, struct arguments *a)
{
    const char *formats[VT_FORMATS + 1];
    char format_help[192];
    static const char *const judgements[] = {"regression", "change", "never", NULL};
    vt_format_choices(vt_compare_has_format, formats);
    vt_format_help(vt_compare_has_format, format_help, sizeof format_help);
    const struct vt_option options[] = {
        {.name = "threshold",
         .argument = "PCT",
         .number = &a->threshold,
         .low = 0,
         .high = 1000,
         .help = "a difference of less per cent is no change [times: 2;\ninstruction counts: 0, of lab vmx "
                 "0.02]"},
        {
            .name = "fail-on",
            .argument = "WHAT",
            .text = &a->fail_on,
            .choices = judgements,
            .help = "end with status 1 on a regression (slower, a heavier crossing, no\nlonger measured), on "
                    "any change, or never [regression]",
        },
        {.name = "format", .argument = "FORMAT", .text = &a->format, .choices = formats, .help = format_help},
        {
            .name = "output",
            .argument = "FILE",
            .text = &a->output,
            .help = "write to FILE instead of standard output",
        },
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "compare",
        .operands = "OLD NEW",
        .summary = "Tell what changed between two results of the same machine beyond chance.",
        .least = 2,
        .most = 2,
        .options = options,
        .notes =
            "OLD and NEW may each hold several runs, one document after the other: what differs from run\n"
            "to run is then measured and not estimated.\n\n"
            "Exit status: 1 when what --fail-on names was found.",
    };
    return vt_options_parse(&synopsis, argc, argv);
}

static int judge(const struct vt_comparison *comparison, const char *fail_on)
{
    size_t changed =
        comparison->count - comparison->changes[VT_CHANGE_NONE] - comparison->changes[VT_CHANGE_UNCLEAR];
    bool regression = strcmp(fail_on, "regression") == 0, change = strcmp(fail_on, "change") == 0;
    return (regression && comparison->worse) || (change && changed) ? VT_EXIT_NO : VT_EXIT_DONE;
}

static int compare(const struct side sides[2], enum vt_format format, const struct arguments *a)
{
    struct vt_comparison comparison;
    struct vt_error error;

    if (vt_compare(&comparison, sides[0].runs[0], sides[1].runs[0], a->threshold / 100, &error) != 0)
        return vt_cli_fail(&error);
    for (size_t i = 0; i < comparison.warning_count; i++)
        vt_cli_warn("compare: %s", comparison.warnings[i]);
    int status = print(&comparison, format, a->output);
    if (status == VT_EXIT_DONE)
        status = judge(&comparison, a->fail_on);
    vt_compare_release(&comparison);
    return status;
}

int vt_cmd_compare(int argc, char **argv)
{
    struct arguments a = {.output = "-", .fail_on = "regression", .threshold = NAN};
    struct vt_error error;
    enum vt_format format;
    struct side sides[2] = {
        {.count = 0},
        {.count = 0},
    };

    int status = parse(&argc, &argv, &a);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    if (vt_format_choose(&format, a.format, a.output, vt_compare_has_format, &error) != 0)
        return vt_cli_fail(&error);
    vt_cli_confine(a.output, NULL, format == VT_FORMAT_HTML);
    status = load(argv[0], &sides[0]);
    if (status == VT_EXIT_DONE)
        status = load(argv[1], &sides[1]);
    if (status == VT_EXIT_DONE)
        status = compare(sides, format, &a);
    release(&sides[0]);
    release(&sides[1]);
    return status;
}
