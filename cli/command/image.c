#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "image/write.h"

struct arguments {
    struct vt_image_request request;
    struct vt_words cases;
};

static int parse(int argc, char **argv, struct arguments *a)
{
    char notes[1024] = "Kinds of file, by the ending of its name:\n";

    for (const struct vt_image_format *format = vt_image_formats; format->ending; format++)
        vt_text_append(notes, sizeof notes, "  %-5s %s\n", format->ending, format->summary);
    vt_text_append(notes, sizeof notes,
                   "\nBooted, it measures the cases that are safe on a machine it does not know and says\n"
                   "what it measured on COM1, the debug port 0xE9 or the screen; vmtoll import takes\n"
                   "that in.");
    const struct vt_option options[] = {
        {.name = "output",
         .letter = 'o',
         .argument = "FILE",
         .text = &a->request.output,
         .help = "write it there; the ending says which kind of file"},
        {.name = "case",
         .argument = "GLOB,...",
         .text = &a->request.cases,
         .list = &a->cases,
         .help = "cases by name or pattern; see vmtoll list cases [all]"},
        {.name = "words",
         .argument = "WORDS",
         .text = &a->request.words,
         .help = "add to its command line: class=NAME,... adds a class,\nroad=GLOB,... chooses roads of its "
                 "monitor (road=none: none),\nend=off or end=reset says what follows the last case"},
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "image",
        .operands = "",
        .summary = "Write the cases as something that boots by itself, to measure a hypervisor one cannot\n"
                   "look into, or the bare machine.",
        .options = options,
        .notes = notes,
    };
    return vt_options_parse(&synopsis, &argc, &argv);
}

int vt_cmd_image(int argc, char **argv)
{
    struct arguments a = {0};
    struct vt_error error;
    int status = parse(argc, argv, &a);

    if (status != VT_OPTIONS_PROCEED)
        return status;
    if (!a.request.output)
        return vt_cli_misuse("image: --output FILE is missing");
    return vt_image_write(&a.request, &error) == 0 ? VT_EXIT_DONE : vt_cli_fail(&error);
}
