#include "base/file.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "report/format.h"
#include "report/load.h"

#include <errno.h>
#include <stdlib.h>

struct collection {
    struct vt_result **results;
    size_t count;
};

static int collect(struct vt_result *result, void *context)
{
    struct collection *collection = context;
    struct vt_result **results = realloc(collection->results, (collection->count + 1) * sizeof(*results));
    if (!results) {
        vt_result_free(result);
        return -ENOMEM;
    }
    collection->results = results;
    results[collection->count++] = result;
    return 0;
}

static void release(struct collection *collection)
{
    for (size_t i = 0; i < collection->count; i++)
        vt_result_free(collection->results[i]);
    free(collection->results);
}

/* One bad file among several is named and left out; alone it ends the command. */
static int load(struct collection *collection, int count, char **files)
{
    struct vt_load_options options = {.samples = true};
    struct vt_error error;
    int status = VT_EXIT_DONE;
    for (int i = 0; i < count; i++) {
        error.exit = VT_EXIT_INTERNAL;
        if (vt_report_load(files[i], &options, collect, collection, &error) == 0)
            continue;
        vt_cli_fail(&error);
        if (count == 1)
            return error.exit;
        status = VT_EXIT_NO;
    }
    return collection->count ? status : VT_EXIT_USAGE;
}

static const struct vt_format *choose_format(const char *name, const char *output)
{
    const struct vt_format *format = name ? vt_report_find_format(name) : vt_report_format_of(output);
    return format ? format : vt_report_find_format("text");
}

static int print(const struct vt_format *format, const struct collection *collection, const char *path)
{
    struct vt_output output;
    struct vt_error error;
    struct vt_screen screen = vt_cli_screen(path);
    if (vt_file_create(&output, path, &error) != 0)
        return vt_cli_fail(&error);
    if (vt_report_print(format, collection->results, collection->count, &screen, output.stream, &error) !=
        0) {
        vt_file_discard(&output);
        return vt_cli_fail(&error);
    }
    return vt_file_commit(&output, &error) == 0 ? VT_EXIT_DONE : vt_cli_fail(&error);
}

int vt_cmd_report(int argc, char **argv)
{
    static const char *const formats[] = {"text", "markdown", "csv", "json", "html", "openmetrics", NULL};
    const char *name = NULL, *path = "-";
    const struct vt_option options[] = {
        {.name = "format",
         .argument = "FORMAT",
         .text = &name,
         .choices = formats,
         .help =
             "text, markdown, csv, json, html or openmetrics; by default as the\nextension of --output says, "
             "otherwise text"},
        {.name = "output",
         .argument = "FILE",
         .text = &path,
         .help = "write to FILE instead of standard output"},
        {0},
    };
    const struct vt_synopsis synopsis = {
        .command = "report",
        .operands = "FILE...",
        .summary = "Show one result or several side by side: what each crossing costs on each road.",
        .least = 1,
        .most = 1 << 20,
        .options = options,
        .notes =
            "FILE is a result document of vmtoll bench, or several behind one another; - is standard input.",
    };
    struct collection collection = {0};
    int status = vt_options_parse(&synopsis, &argc, &argv);
    if (status != VT_OPTIONS_PROCEED)
        return status;
    int loaded = load(&collection, argc, argv);
    status = loaded;
    if (collection.count && (loaded == VT_EXIT_DONE || argc > 1)) {
        int printed = print(choose_format(name, path), &collection, path);
        status = printed ? printed : loaded;
    }
    release(&collection);
    return status;
}
