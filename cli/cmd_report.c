#include "base/file.h"
#include "base/suggest.h"
#include "cli/command.h"
#include "cli/confined.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "report/chart/export.h"
#include "fleet/fleet.h"
#include "fleet/format/format.h"
#include "report/format.h"
#include "fleet/gather.h"
#include "result/load/load.h"
#include "show/metrics.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* More results than fit side by side are shown as a fleet. */
enum { SIDE_BY_SIDE = 8 };

struct arguments {
    const char *format, *output, *by, *list, *plots;
    bool reference;
};

struct collection {
    struct vt_result *results[SIDE_BY_SIDE];
    size_t count, complaints;
    bool many;
    const char *by, *source; /* source: what was named first */
    char page[512];
    struct vt_fleet fleet; /* holds everything when there are many */
    struct vt_load_options options;
};

static int turn_into_fleet(struct collection *collection)
{
    struct vt_error error;
    if (vt_fleet_start(&collection->fleet, NULL, &error) != 0)
        return -ENOMEM;
    collection->many = true;
    collection->options.samples = false;
    collection->options.facts_only = vt_fleet_facts(&collection->fleet);
    for (size_t i = 0; i < collection->count; i++)
        if (vt_fleet_add(&collection->fleet, collection->results[i]) != 0)
            return -ENOMEM;
    collection->count = 0;
    return 0;
}

static int collect(struct vt_result *result, void *context)
{
    struct collection *collection = context;
    if (!collection->many && collection->count < SIDE_BY_SIDE) {
        collection->results[collection->count++] = result;
        return 0;
    }
    if (!collection->many && turn_into_fleet(collection) != 0) {
        vt_result_free(result);
        return -ENOMEM;
    }
    return vt_fleet_add(&collection->fleet, result);
}

static void release(struct collection *collection)
{
    for (size_t i = 0; i < collection->count; i++)
        vt_result_free(collection->results[i]);
    if (collection->many)
        vt_fleet_release(&collection->fleet);
}

static void complain(const struct vt_error *error)
{
    vt_cli_fail(error);
}

static void complain_of_document(const struct vt_error *error, void *context)
{
    ((struct collection *)context)->complaints++;
    vt_cli_fail(error);
}

/* One bad file among several, or document in a file, is named and left out; alone it ends the command. */
static int load(struct collection *collection, const struct vt_gather *gather)
{
    collection->options = (struct vt_load_options){.samples = true, .complain = complain_of_document};
    int status = VT_EXIT_DONE;
    for (size_t i = 0; i < gather->count; i++) {
        struct vt_error error = {.exit = VT_EXIT_INTERNAL, .text = "not enough memory"};
        if (vt_result_load(gather->files[i], &collection->options, collect, collection, &error) == 0)
            continue;
        vt_cli_fail(&error);
        if (gather->count == 1 && !collection->count && !collection->many)
            return error.exit;
        status = VT_EXIT_NO;
    }
    if (!collection->count && !collection->many)
        return VT_EXIT_USAGE;
    return collection->complaints ? VT_EXIT_NO : status;
}

static int load_fleet(struct collection *collection, const struct vt_gather *gather, const char *by)
{
    struct vt_error error;
    size_t bad = 0;
    collection->by = by;
    if (vt_fleet_start(&collection->fleet, by, &error) != 0)
        return vt_cli_fail(&error);
    collection->many = true;
    if (vt_gather_read(gather, &collection->fleet, complain, &bad, &error) != 0)
        return vt_cli_fail(&error);
    if (collection->fleet.result_count == 0)
        return VT_EXIT_USAGE;
    return bad ? VT_EXIT_NO : VT_EXIT_DONE;
}

/* A key that is misspelt and one that nobody could find out look alike. */
static void warn_of_key(const struct vt_fleet *fleet, const char *by)
{
    struct vt_suggestion suggestion = {.wanted = by};
    if (!by || fleet->group_count != 1 || strcmp(fleet->groups[0], "unknown") != 0)
        return;
    for (size_t i = 0; i < VT_FLEET_FACTS; i++)
        vt_suggest_offer(&suggestion, vt_fleet_fact_names[i]);
    bool is_key = suggestion.nearest && strcmp(suggestion.nearest, by) == 0;
    vt_cli_warn("report: no result tells '%s', so all are one group%s", by,
                is_key ? "" : vt_suggest_text(&suggestion));
}

static void name_page(struct collection *collection, const char *path, struct vt_screen *screen)
{
    const char *detail = collection->many ? collection->by : collection->results[0]->started;
    vt_metrics_page(path, collection->source, detail, collection->page, sizeof collection->page);
    screen->page = collection->fleet.page = collection->page;
}

static int print_to(enum vt_format format, struct collection *collection, const struct vt_screen *screen,
                    FILE *stream, struct vt_error *error)
{
    if (!collection->many)
        return vt_report_print(format, collection->results, collection->count, screen, stream, error);
    int status = vt_fleet_finish(&collection->fleet, error);
    if (status)
        return status;
    warn_of_key(&collection->fleet, collection->by);
    vt_fleet_print(format, &collection->fleet, stream);
    return 0;
}

static int print(enum vt_format format, struct collection *collection, const char *path, bool published)
{
    struct vt_output output;
    struct vt_error error;
    struct vt_screen screen = vt_cli_screen(path);
    name_page(collection, path, &screen);
    screen.published = published;
    if (vt_file_create(&output, path, &error) != 0)
        return vt_cli_fail(&error);
    if (print_to(format, collection, &screen, output.stream, &error) != 0) {
        vt_file_discard(&output);
        return vt_cli_fail(&error);
    }
    return vt_file_commit(&output, &error) == 0 ? VT_EXIT_DONE : vt_cli_fail(&error);
}

/* Before anything is printed: a report without the charts that were asked for is half an answer. */
static int draw(const struct collection *collection, const char *folder)
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
    const char *formats[VT_FORMATS + 1];
    char format_help[192];
    vt_format_choices(vt_report_has_format, formats);
    vt_format_help(vt_report_has_format, format_help, sizeof format_help);
    const struct vt_option options[] = {
        {
            .name = "format",
            .argument = "FORMAT",
            .text = &a->format,
            .choices = formats,
            .help = format_help,
        },
        {
            .name = "output",
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
static int show(const struct vt_gather *gather, struct collection *collection, const struct arguments *a)
{
    enum vt_format format;
    struct vt_error error;
    if (vt_format_choose(&format, a->format, a->output, vt_report_has_format, &error) != 0)
        return vt_cli_fail(&error);
    vt_cli_confine(a->output, a->plots, a->plots || format == VT_FORMAT_HTML);
    bool fleet = a->by || gather->count > SIDE_BY_SIDE;
    int loaded = fleet ? load_fleet(collection, gather, a->by) : load(collection, gather);

    if (collection->count == 0 && collection->fleet.result_count == 0)
        return loaded;
    int printed = a->plots ? draw(collection, a->plots) : VT_EXIT_DONE;
    if (printed == VT_EXIT_DONE)
        printed = print(format, collection, a->output, a->reference);
    return printed ? printed : loaded;
}

int vt_cmd_report(int argc, char **argv)
{
    struct arguments a = {.output = "-"};
    struct collection collection = {.count = 0};
    struct vt_gather gather = {0};

    int status = parse(&argc, &argv, &a);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    collection.source = argc > 0 ? argv[0] : a.list;
    status = gather_all(&gather, argc, argv, a.list);
    if (status == VT_EXIT_DONE)
        status = show(&gather, &collection, &a);
    vt_gather_release(&gather);
    release(&collection);
    return status;
}
