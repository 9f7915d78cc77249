#include "cli/command.h"
#include "cli/compared.h"
#include "cli/confined.h"
#include "cli/options.h"
#include "compare/load.h"

static int parse(int *argc, char ***argv, struct vt_cli_compared *asked)
{
    const struct vt_option options[] = {
        vt_cli_option_threshold(asked,
                                "a difference of less per cent is no change [times: 2;\ninstruction counts: "
                                "0, of lab vmx 0.02]"),
        vt_cli_option_resolution(asked, "a time in which only changes beyond that many per cent could have "
                                        "been\nfound cannot tell [the threshold and 8]"),
        vt_cli_option_fail_on(asked,
                              "end with status 1 on a regression (slower, a heavier crossing, no\nlonger "
                              "measured), on any change, or never; unclear: with 1 on a\nregression, "
                              "with 5 where one cannot be ruled out [regression]"),
        vt_cli_option_all(asked),
        vt_cli_option_format(asked),
        vt_options_json(&asked->format),
        vt_cli_option_to(asked),
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
            "to run is then measured and not estimated. What vmtoll ab --save kept is judged in pairs.\n\n"
            "Exit status: 1 when what --fail-on names was found, 2 when nothing could be compared,\n"
            "5 with --fail-on unclear where it cannot be told of a row whether it changed.",
    };
    return vt_options_parse(&synopsis, argc, argv);
}

int vt_cmd_compare(int argc, char **argv)
{
    struct vt_cli_compared asked = vt_cli_compared_usual("regression");
    struct vt_compare_side sides[2] = {0};
    struct vt_error error = {0};
    enum vt_format format;

    int status = parse(&argc, &argv, &asked);
    if (status == VT_OPTIONS_PROCEED)
        status = vt_cli_choose_format(&asked, &format);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    vt_cli_confine(asked.output, NULL, format == VT_FORMAT_HTML);
    status =
        vt_compare_load(&sides[0], argv[0], &error) == 0 && vt_compare_load(&sides[1], argv[1], &error) == 0
            ? vt_cli_compare(sides, &asked, format, "compare")
            : vt_cli_fail(&error);
    vt_compare_unload(&sides[0]);
    vt_compare_unload(&sides[1]);
    return status;
}
