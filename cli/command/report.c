#include "base/file.h"
#include "base/suggest.h"
#include "cli/command.h"
#include "cli/confined.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "fleet/collect.h"
#include "fleet/format/format.h"
#include "report/chart/export.h"
#include "report/format.h"
#include "report/story/language.h"
#include "show/metrics.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

struct arguments {
    const char *format, *output, *by, *list, *plots, *language;
    const char *source; /* what was named first */
    char page[PATH_MAX + 96];
    bool reference;
};

static void complain(const struct vt_error *error)
{
    vt_cli_fail(error);
}

/* A key that is misspelt and one that nobody could find out look alike. */
static void warn_of_key(const struct vt_fleet *fleet, const char *by)
{
    struct vt_suggestion suggestion = {.wanted = by};
    if (fleet->group_count != 1 || strcmp(fleet->groups[0], "unknown") != 0)
        return;
    for (size_t i = 0; i < VT_FLEET_FACTS; i++)
        vt_suggest_offer(&suggestion, vt_fleet_fact_names[i]);
    bool is_key = suggestion.nearest && strcmp(suggestion.nearest, by) == 0;
    vt_cli_warn("report: no result tells '%s', so all are one group%s", by,
                is_key ? "" : vt_suggest_text(&suggestion));
}

static void name_page(struct vt_collection *collection, struct arguments *a, struct vt_screen *screen)
{
    const char *detail = collection->many ? a->by : collection->results[0]->started;
    vt_metrics_page(a->output, a->source, detail, a->page, sizeof a->page);
    screen->page = collection->fleet.page = a->page;
}

static int print_to(enum vt_format format, struct vt_collection *collection, const struct vt_screen *screen,
                    FILE *stream, struct vt_error *error)
{
    if (!collection->many)
        return vt_report_print(format, collection->results, collection->count, screen, stream, error);
    if (!vt_fleet_has_format(format))
        return vt_error_set(
            error, VT_EXIT_USAGE, ENOTSUP,
            "report: many results are shown as a fleet, of which there is no %s: give it eight at "
            "most, without --by",
            vt_format_name(format));
    vt_fleet_print(format, &collection->fleet, stream);
    return 0;
}

static int print(enum vt_format format, struct vt_collection *collection, struct arguments *a)
{
    struct vt_output output;
    struct vt_error error;
    struct vt_screen screen = vt_cli_screen(a->output);
    name_page(collection, a, &screen);
    screen.published = a->reference;
    screen.language = a->language;
    if (vt_file_create(&output, a->output, &error) != 0)
        return vt_cli_fail(&error);
    if (print_to(format, collection, &screen, output.stream, &error) != 0) {
        vt_file_discard(&output);
        return vt_cli_fail(&error);
    }
    return vt_file_commit(&output, &error) == 0 ? VT_EXIT_DONE : vt_cli_fail(&error);
}

/* Before anything is printed: a report without the charts that were asked for is half an answer. */
static int draw(const struct vt_collection *collection, const char *folder)
{
    struct vt_error error;
    size_t files;
    if (collection->many)
        return vt_cli_misuse("report: --plots draws at most eight results, side by side");
    if (vt_chart_export(collection->results, collection->count, folder, &files, &error) != 0)
        return vt_cli_fail(&error);
    return VT_EXIT_DONE;
}

static int gather_all(struct vt_gather *gather, int count, char **operands, const char *list)
{
    struct vt_error error;
    for (int i = 0; i < count; i++)
        if (vt_gather_add(gather, operands[i], &error) != 0)
            return vt_cli_fail(&error);
    if (list && vt_gather_list(gather, list, &error) != 0)
        return vt_cli_fail(&error);
    if (gather->count == 0)
        return vt_cli_misuse("report: no result named (see vmtoll report --help)");
    return VT_EXIT_DONE;
}

static int parse(int *argc, char ***argv, struct arguments *a)
{
    const char *formats[VT_FORMATS + 1], *languages[VT_LANGUAGES + 1];
    char format_help[192];
    vt_format_choices(vt_report_has_format, formats);
    vt_format_help(vt_report_has_format, format_help, sizeof format_help);
    vt_language_choices(languages);
    const struct vt_option options[] = {
        {
            .name = "format",
            .argument = "FORMAT",
            .text = &a->format,
            .choices = formats,
            .help = format_help,
        },
        vt_options_json(&a->format),
        {
            .name = "output",
            .letter = 'o',
            .argument = "FILE",
            .text = &a->output,
            .help = "write to FILE instead of standard output",
        },
        {
            .name = "by",
            .argument = "KEY",
            .text = &a->by,
            .help = "many hosts, grouped by a key of the host document: cpu.brand,\nkvm.backend, kernel, ...",
        },
        {
            .name = "reference",
            .flag = &a->reference,
            .help = "show published figures beside, clearly marked; text, markdown, html",
        },
        {
            .name = "lang",
            .argument = "LANG",
            .text = &a->language,
            .choices = languages,
            .help = "language of the story at the head of the page: en (English) or ko (Korean);\nen is "
                    "taken otherwise",
        },
        {
            .name = "list",
            .argument = "LIST",
            .text = &a->list,
            .help =
                "also read the files named in LIST, one per line or each ended by NUL;\n- is standard input",
        },
        {
            .name = "plots",
            .argument = "DIR",
            .text = &a->plots,
            .help = "also draw every chart into DIR, as PDF and as PNG of 300 dots per inch",
        },
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "report",
        .operands = "[FILE|FOLDER...]",
        .summary =
            "Show one result or several side by side: what each crossing costs on each road.\n"
            "More than eight are shown as a fleet: medians of all hosts, and the hosts that stand out.",
        .least = 0,
        .most = 1 << 24,
        .options = options,
        .notes = "FILE is a result document of vmtoll bench, or several behind one another; - is standard\n"
                 "input. Of a FOLDER every *.json and *.jsonl below it is read.\n"
                 "Exit status: 1 when some of several files could not be read; they are named.",
    };
    return vt_options_parse(&synopsis, argc, argv);
}

/* What could be read is shown, whatever could not. */
static int show(const struct vt_gather *gather, struct vt_collection *collection, struct arguments *a,
                enum vt_format format)
{
    vt_cli_confine(a->output, a->plots, a->plots || format == VT_FORMAT_HTML);
    int loaded = (int)vt_collect(collection, gather, a->by, complain);
    if (collection->count == 0 && collection->fleet.result_count == 0)
        return loaded;
    if (a->by)
        warn_of_key(&collection->fleet, a->by);
    int printed = a->plots ? draw(collection, a->plots) : VT_EXIT_DONE;
    if (printed == VT_EXIT_DONE)
        printed = print(format, collection, a);
    return printed ? printed : loaded;
}

int vt_cmd_report(int argc, char **argv)
{
    struct arguments a = {.output = "-"};
    struct vt_collection collection = {.count = 0};
    struct vt_gather gather = {0};
    struct vt_error error;
    enum vt_format format;

    int status = parse(&argc, &argv, &a);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    if (vt_format_choose(&format, a.format, a.output, vt_report_has_format, &error) != 0)
        return vt_cli_fail(&error);
    a.source = argc > 0 ? argv[0] : a.list;
    status = gather_all(&gather, argc, argv, a.list);
    if (status == VT_EXIT_DONE)
        status = show(&gather, &collection, &a, format);
    vt_gather_release(&gather);
    vt_collect_release(&collection);
    return status;
}
