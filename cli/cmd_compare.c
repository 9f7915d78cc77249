#include "base/file.h"
#include "cli/command.h"
#include "cli/confined.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "compare/compare.h"
#include "compare/format/format.h"
#include "compare/format/words.h"
#include "compare/load.h"

#include <math.h>
#include <string.h>

struct arguments {
    const char *format, *output, *fail_on;
    double threshold, resolution; /* per cent; NaN: what suits the unit, what is usual */
    bool all;
};

static int print(const struct vt_comparison *comparison, enum vt_format format, const struct arguments *a)
{
    struct vt_output output;
    struct vt_error error;
    struct vt_screen screen = vt_cli_screen(a->output);
    screen.all = a->all;
    if (vt_file_create(&output, a->output, &error) != 0)
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
    static const char *const judgements[] = {"regression", "change", "unclear", "never", NULL};
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
        {.name = "resolution",
         .argument = "PCT",
         .number = &a->resolution,
         .low = 0,
         .high = 1000,
         .help = "a time in which only changes beyond that many per cent could have been\nfound cannot tell "
                 "[10]"},
        {
            .name = "fail-on",
            .argument = "WHAT",
            .text = &a->fail_on,
            .choices = judgements,
            .help =
                "end with status 1 on a regression (slower, a heavier crossing, no\nlonger measured), on "
                "any change, or never; unclear: with 1 on a regression, with 5 where one\ncannot be ruled "
                "out in a row [regression]",
        },
        {
            .name = "all",
            .flag = &a->all,
            .help = "text: show what is unchanged and what cannot be told as well, however long",
        },
        {.name = "format", .argument = "FORMAT", .text = &a->format, .choices = formats, .help = format_help},
        vt_options_json(&a->format),
        {
            .name = "output",
            .letter = 'o',
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
            "Exit status: 1 when what --fail-on names was found, 2 when nothing could be compared,\n"
            "5 with --fail-on unclear where it cannot be told of a row whether it changed.",
    };
    return vt_options_parse(&synopsis, argc, argv);
}

static int judge(const struct vt_comparison *comparison, const char *fail_on)
{
    bool never = strcmp(fail_on, "never") == 0, unclear = strcmp(fail_on, "unclear") == 0;
    if (strcmp(fail_on, "change") == 0 ? vt_compare_has_findings(comparison) : !never && comparison->worse)
        return VT_EXIT_NO;
    if (unclear && comparison->answers[VT_ANSWER_UNCLEAR]) {
        vt_cli_warn("compare: cannot tell of %zu of %zu measurements whether they changed (--all shows why)",
                    comparison->answers[VT_ANSWER_UNCLEAR], comparison->measured);
        return VT_EXIT_UNCLEAR;
    }
    /* A gate does not open because nothing was there to stop at it. */
    if (comparison->judged || never)
        return VT_EXIT_DONE;
    vt_cli_warn("compare: nothing could be compared: measure again, %s",
                comparison->measured ? "when it is quieter or for longer" : "or what both can measure");
    return VT_EXIT_USAGE;
}

static int compare(const struct vt_compare_side sides[2], const struct arguments *a, enum vt_format format)
{
    struct vt_comparison comparison;
    struct vt_error error;

    struct vt_compare_limits limits = {a->threshold / 100, a->resolution / 100};
    if (vt_compare(&comparison, sides[0].runs[0], sides[1].runs[0], &limits, &error) != 0)
        return vt_cli_fail(&error);
    for (size_t i = 0; i < comparison.warning_count; i++)
        vt_cli_warn("compare: %s", comparison.warnings[i]);
    int status = print(&comparison, format, a);
    if (status == VT_EXIT_DONE)
        status = judge(&comparison, a->fail_on);
    vt_compare_release(&comparison);
    return status;
}

int vt_cmd_compare(int argc, char **argv)
{
    struct arguments a = {.output = "-", .fail_on = "regression", .threshold = NAN, .resolution = NAN};
    struct vt_compare_side sides[2] = {0};
    struct vt_error error;
    enum vt_format format;

    int status = parse(&argc, &argv, &a);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    if (vt_format_choose(&format, a.format, a.output, vt_compare_has_format, &error) != 0)
        return vt_cli_fail(&error);
    vt_cli_confine(a.output, NULL, format == VT_FORMAT_HTML);
    status =
        vt_compare_load(&sides[0], argv[0], &error) == 0 && vt_compare_load(&sides[1], argv[1], &error) == 0
            ? compare(sides, &a, format)
            : vt_cli_fail(&error);
    vt_compare_unload(&sides[0]);
    vt_compare_unload(&sides[1]);
    return status;
}
