#include "cli/command.h"
#include "cli/confined.h"
#include "cli/measured.h"
#include "cli/options.h"
#include "image/import.h"

static int parse(int *argc, char ***argv, struct vt_cli_asked *asked)
{
    const struct vt_option options[] = {
        vt_cli_option_output(asked),
        vt_cli_option_quiet(asked),
        vt_options_format(&asked->format),
        vt_options_json(&asked->format),
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "import",
        .operands = "FILE",
        .summary = "Make an ordinary result of what an image of vmtoll image said where it was booted.",
        .least = 1,
        .most = 1,
        .options = options,
        .notes = "FILE holds its lines, among whatever else a console shows; - is standard input.",
    };
    return vt_options_parse(&synopsis, argc, argv);
}

int vt_cmd_import(int argc, char **argv)
{
    struct vt_cli_asked asked = {0};
    struct vt_error error;
    int status = parse(&argc, &argv, &asked);

    if (status != VT_OPTIONS_PROCEED)
        return status;
    vt_cli_confine(asked.output, NULL, false);
    struct vt_result *result = vt_image_import(argv[0], &error);
    if (!result)
        return vt_cli_fail(&error);
    status = vt_cli_deliver(result, &asked);
    vt_result_free(result);
    return status;
}
