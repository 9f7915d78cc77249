#include "cli/compared.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/screen.h"
#include "compare/compare.h"
#include "compare/format/format.h"
#include "compare/format/words.h"

#include <math.h>
#include <string.h>

struct vt_cli_compared vt_cli_compared_usual(const char *fail_on)
{
    struct vt_cli_compared asked = {.output = "-", .fail_on = fail_on, .threshold = NAN, .resolution = NAN};
    vt_format_choices(vt_compare_has_format, asked.formats);
    vt_format_help(vt_compare_has_format, asked.format_help, sizeof asked.format_help);
    return asked;
}

static struct vt_option percent(const char *name, double *number, const char *help)
{
    return (struct vt_option){
        .name = name, .argument = "PCT", .number = number, .low = 0, .high = 1000, .help = help};
}

struct vt_option vt_cli_option_threshold(struct vt_cli_compared *asked, const char *help)
{
    return percent("threshold", &asked->threshold, help);
}

struct vt_option vt_cli_option_resolution(struct vt_cli_compared *asked, const char *help)
{
    return percent("resolution", &asked->resolution, help);
}

struct vt_option vt_cli_option_fail_on(struct vt_cli_compared *asked, const char *help)
{
    static const char *const judgements[] = {"regression", "change", "unclear", "never", NULL};
    return (struct vt_option){
        .name = "fail-on", .argument = "WHAT", .text = &asked->fail_on, .choices = judgements, .help = help};
}

struct vt_option vt_cli_option_all(struct vt_cli_compared *asked)
{
    return (struct vt_option){
        .name = "all",
        .flag = &asked->all,
        .help = "text: show what is unchanged and what cannot be told as well, however long"};
}

struct vt_option vt_cli_option_format(struct vt_cli_compared *asked)
{
    return (struct vt_option){.name = "format",
                              .argument = "FORMAT",
                              .text = &asked->format,
                              .choices = asked->formats,
                              .help = asked->format_help};
}

struct vt_option vt_cli_option_to(struct vt_cli_compared *asked)
{
    return (struct vt_option){.name = "output",
                              .letter = 'o',
                              .argument = "FILE",
                              .text = &asked->output,
                              .help = "write to FILE instead of standard output"};
}

int vt_cli_choose_format(const struct vt_cli_compared *asked, enum vt_format *format)
{
    struct vt_error error;
    int status = vt_format_choose(format, asked->format, asked->output, vt_compare_has_format, &error);
    return status == 0 ? VT_OPTIONS_PROCEED : vt_cli_fail(&error);
}

static int print(const struct vt_comparison *comparison, enum vt_format format,
                 const struct vt_cli_compared *asked)
{
    struct vt_output output;
    struct vt_error error;
    struct vt_screen screen = vt_cli_screen(asked->output);
    screen.all = asked->all;
    if (vt_file_create(&output, asked->output, &error) != 0)
        return vt_cli_fail(&error);
    if (vt_compare_print(format, comparison, &screen, output.stream, &error) != 0) {
        vt_file_discard(&output);
        return vt_cli_fail(&error);
    }
    return vt_file_commit(&output, &error) == 0 ? VT_EXIT_DONE : vt_cli_fail(&error);
}

/* What could be compared next time. */
static const char *next_time(const struct vt_comparison *comparison)
{
    bool zeros = comparison->measured > 0;
    for (size_t i = 0; i < comparison->count; i++)
        zeros = zeros && (vt_compare_answer(&comparison->rows[i]) != VT_ANSWER_UNCLEAR ||
                          comparison->rows[i].unclear == VT_UNCLEAR_ZERO);
    if (zeros)
        return "measure cases that cost something, of which a ratio can be told";
    return comparison->measured ? "measure again, when it is quieter or for longer"
                                : "measure again, or what both can measure";
}

static int judge(const struct vt_comparison *comparison, const char *fail_on, const char *command)
{
    bool never = strcmp(fail_on, "never") == 0, unclear = strcmp(fail_on, "unclear") == 0;
    if (strcmp(fail_on, "change") == 0 ? vt_compare_has_findings(comparison) : !never && comparison->worse)
        return VT_EXIT_NO;
    if (unclear && comparison->answers[VT_ANSWER_UNCLEAR]) {
        vt_cli_warn("%s: cannot tell of %zu of %zu measurements whether they changed (--all shows why)",
                    command, comparison->answers[VT_ANSWER_UNCLEAR], comparison->measured);
        return VT_EXIT_UNCLEAR;
    }
    /* A gate does not open because nothing was there to stop at it. */
    if (comparison->judged || never)
        return VT_EXIT_DONE;
    vt_cli_warn("%s: nothing could be compared: %s", command, next_time(comparison));
    return VT_EXIT_USAGE;
}

static int tell(const struct vt_comparison *comparison, const struct vt_cli_compared *asked,
                enum vt_format format, const char *command)
{
    for (size_t i = 0; i < comparison->warning_count; i++)
        vt_cli_warn("%s: %s", command, comparison->warnings[i]);
    int status = print(comparison, format, asked);
    return status == VT_EXIT_DONE ? judge(comparison, asked->fail_on, command) : status;
}

int vt_cli_compare(struct vt_compare_side sides[2], const struct vt_cli_compared *asked,
                   enum vt_format format, const char *command)
{
    struct vt_compare_pairs pairs;
    struct vt_comparison comparison;
    struct vt_error error;
    if (vt_compare_join(sides, &pairs, &error) != 0)
        return vt_cli_fail(&error);
    struct vt_compare_limits limits = {asked->threshold / 100, asked->resolution / 100,
                                       pairs.count ? &pairs : NULL};
    int status = vt_compare(&comparison, sides[0].runs[0], sides[1].runs[0], &limits, &error);
    if (status == 0) {
        status = tell(&comparison, asked, format, command);
        vt_compare_release(&comparison);
    } else {
        status = vt_cli_fail(&error);
    }
    vt_compare_release_pairs(&pairs);
    return status;
}
