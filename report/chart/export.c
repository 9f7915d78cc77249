#include "report/chart/export.h"
#include "base/text.h"
#include "base/file.h"
#include "base/leftover.h"
#include "report/chart/axis.h"
#include "report/chart/draw.h"
#include "show/plot.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_PATH = 4096, MAX_FILE = 64 << 20, SECONDS = 120 };

static const enum vt_medium media[] = {VT_MEDIUM_PDF, VT_MEDIUM_PNG};
enum { MEDIA = sizeof media / sizeof media[0] };

struct export
{
    const struct vt_table *table;
    struct vt_charts charts;
    char(*names)[VT_CHART_NAME]; /* of the charts, without extension */
    const char *folder;
    bool exists;            /* the folder was there before */
    char staging[MAX_PATH]; /* where the files grow */
    int lock;               /* of it, or negative */
};

static int cannot(const struct export *export, int number, struct vt_error *error)
{
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "cannot write charts to '%s': %s", export->folder,
                        number == ENOENT    ? "the folder above it does not exist; create it first"
                        : number == ENOTDIR ? "it is not a folder"
                                            : strerror(number));
}

/* Cases and classes are named by a file: nothing but these characters reaches a path or a script. */
static void append_word(char name[VT_CHART_NAME], const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    size_t length = strlen(name);
    for (; *word && length + 1 < 64; word++)
        name[length++] = strchr(plain, *word) ? *word : '_';
    name[length] = '\0';
}

static void name_chart(struct export *export, size_t i)
{
    const struct vt_chart *chart = &export->charts.list[i];
    char *name = export->names[i];
    if (chart->kind == VT_CHART_DISTRIBUTION) {
        snprintf(name, VT_CHART_NAME, "distribution-");
        append_word(name, export->table->lines[chart->line].name);
    } else if (chart->kind == VT_CHART_LADDER) {
        snprintf(name, VT_CHART_NAME, "ladder-");
        append_word(name, export->table->lines[chart->line].name);
    } else if (chart->kind == VT_CHART_PARTS) {
        snprintf(name, VT_CHART_NAME, "breakdown");
    } else {
        snprintf(name, VT_CHART_NAME, "%s", chart->class ? "roads-" : "roads");
        append_word(name, chart->class ? chart->class : "");
    }
    if (chart->unit != VT_UNIT_NS)
        vt_text_append(name, VT_CHART_NAME, "-instructions");
    size_t length = strlen(name);
    for (size_t k = 0, copy = 2; k < i; k++)
        if (strcmp(export->names[k], name) == 0) { /* start again with another number */
            name[length] = '\0';
            vt_text_append(name, VT_CHART_NAME, "-%zu", copy++);
            k = (size_t)-1;
        }
}

/* The whole, and each class by itself: a paper has no room for ninety lines. */
static int plan_roads(struct export *export, enum vt_unit unit)
{
    const struct vt_table *table = export->table;
    if (!vt_chart_shows_class(table, NULL, unit))
        return 0;
    int status = vt_chart_add(&export->charts, (struct vt_chart){.kind = VT_CHART_ROADS, .unit = unit});
    for (size_t i = 0; i < vt_chart_lines(table) && status == 0; i++)
        if (vt_table_starts_class(table, i) && vt_chart_shows_class(table, table->lines[i].class, unit))
            status = vt_chart_add(
                &export->charts,
                (struct vt_chart){.kind = VT_CHART_ROADS, .unit = unit, .class = table->lines[i].class});
    return status;
}

/* One operation of each kind on all roads, where there are two to compare. */
static int plan_ladders(struct export *export, enum vt_unit unit)
{
    static const char *const operations[] = {"cpuid", "mov-to-cr3", "out-user"};
    const struct vt_table *table = export->table;
    int status = 0;
    for (size_t i = 0; i < vt_chart_lines(table) && status == 0; i++)
        for (size_t n = 0; n < sizeof operations / sizeof operations[0]; n++) {
            size_t shown = 0;
            for (size_t k = 0; k < vt_chart_columns(table); k++)
                shown +=
                    vt_chart_shows(table, i, k, unit) && table->lines[i].cells[k]->status == VT_STATUS_OK;
            if (shown > 1 && strcmp(table->lines[i].name, operations[n]) == 0)
                status = vt_chart_add(&export->charts,
                                      (struct vt_chart){.kind = VT_CHART_LADDER, .unit = unit, .line = i});
        }
    return status;
}

static bool is_for_page(const struct vt_chart *chart)
{
    return chart->kind == VT_CHART_ROADS || chart->kind == VT_CHART_ROADS_NARROW ||
           chart->kind == VT_CHART_PARTS_NARROW;
}

/* What a page shows, less what is cut for screens. */
static int plan(struct export *export)
{
    struct vt_charts page = {0};
    int status = vt_chart_plan(&page, export->table);
    status = status ? status : plan_roads(export, VT_UNIT_NS);
    status = status ? status : plan_roads(export, VT_UNIT_INSTRUCTIONS);
    status = status ? status : plan_ladders(export, VT_UNIT_NS);
    status = status ? status : plan_ladders(export, VT_UNIT_INSTRUCTIONS);
    for (size_t i = 0; i < page.count && status == 0; i++)
        if (!is_for_page(&page.list[i]))
            status = vt_chart_add(&export->charts, page.list[i]);
    vt_chart_release(&page);
    export->names = calloc(export->charts.count + 1, sizeof *export->names);
    if (status || !export->names)
        return -ENOMEM;
    for (size_t i = 0; i < export->charts.count; i++)
        name_chart(export, i);
    return 0;
}

static int path_of(const struct export *export, const char *folder, size_t i, enum vt_medium medium,
                   char path[MAX_PATH + 128])
{
    return snprintf(path, MAX_PATH + 128, "%s/%s.%s", folder, export->names[i], vt_canvas_extension(medium));
}

/* Beside what it becomes, so that a rename is all that is left to do. */
static int make_staging(struct export *export, struct vt_error *error)
{
    struct stat status;
    size_t length = strlen(export->folder);
    export->exists = stat(export->folder, &status) == 0;
    if (length == 0 || length + 64 > MAX_PATH)
        return vt_error_set(error, VT_EXIT_USAGE, EINVAL, "the name of the charts' folder is %s",
                            length ? "too long" : "empty");
    if (export->exists && !S_ISDIR(status.st_mode))
        return cannot(export, ENOTDIR, error);
    while (length > 1 && export->folder[length - 1] == '/')
        length--;
    while (!export->exists && length > 0 && export->folder[length - 1] != '/')
        length--;
    char parent[MAX_PATH];
    snprintf(parent, sizeof parent, "%.*s", length ? (int)length : 1, length ? export->folder : ".");
    export->lock = vt_leftover_make_folder(parent, ".vmtoll-plots-", export->staging, sizeof export->staging);
    if (export->lock >= 0)
        return 0;
    export->staging[0] = '\0';
    return cannot(export, -export->lock, error);
}

static void drop_staging(const struct export *export)
{
    DIR *folder = export->staging[0] ? opendir(export->staging) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    if (export->staging[0])
        rmdir(export->staging);
    if (export->lock >= 0)
        close(export->lock);
}

static bool ends_with(const char *data, size_t size, const char *word)
{
    size_t length = strlen(word), from = size > 64 ? size - 64 : 0;
    return memmem(data + from, size - from, word, length);
}

static bool is_whole(enum vt_medium medium, const char *data, size_t size)
{
    if (medium == VT_MEDIUM_PDF)
        return size > 5 && memcmp(data, "%PDF-", 5) == 0 && ends_with(data, size, "%%EOF");
    return size > 64 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0 && ends_with(data, size, "IEND");
}

/*
 * The chunk pHYs (PNG specification 11.3.5.3): 11811 dots per metre both ways are
 * 300 per inch, so that a word processor places the picture in its true size. It
 * goes behind the header chunk, which ends at byte 33.
 */
static int add_density(const char *path, const char *data, size_t size)
{
    static const unsigned char density[] = {0,    0, 0, 9,    'p',  'H', 'Y',  's',  0,    0,   0x2e,
                                            0x23, 0, 0, 0x2e, 0x23, 1,   0x78, 0xa5, 0x3f, 0x76};
    FILE *stream = fopen(path, "we");
    if (!stream)
        return -errno;
    fwrite(data, 1, 33, stream);
    fwrite(density, 1, sizeof density, stream);
    fwrite(data + 33, 1, size - 33, stream);
    int number = vt_file_flush(stream);
    if (fclose(stream) != 0 && number == 0)
        number = errno;
    return -number;
}

static int finish_file(const struct export *export, size_t i, enum vt_medium medium, struct vt_error *error)
{
    char path[MAX_PATH + 128], *data = NULL;
    size_t size = 0;
    path_of(export, export->staging, i, medium, path);
    int status = vt_file_read(path, MAX_FILE, &data, &size, NULL);
    if (status || !is_whole(medium, data, size))
        status =
            vt_error_set(error, VT_EXIT_ENVIRONMENT, EIO,
                         "cannot write charts to '%s': gnuplot left '%s.%s' incomplete (is the disk full?)",
                         export->folder, export->names[i], vt_canvas_extension(medium));
    else if (medium == VT_MEDIUM_PNG && (status = add_density(path, data, size)) != 0)
        cannot(export, -status, error);
    free(data);
    return status;
}

static int publish(const struct export *export, struct vt_error *error)
{
    char from[MAX_PATH + 128], to[MAX_PATH + 128];
    mode_t mask = umask(0);
    umask(mask);
    if (!export->exists) {
        if (chmod(export->staging, 0777 & ~mask) == 0 && rename(export->staging, export->folder) == 0)
            return 0;
        return cannot(export, errno, error);
    }
    for (size_t i = 0; i < export->charts.count; i++)
        for (size_t m = 0; m < MEDIA; m++) {
            path_of(export, export->staging, i, media[m], from);
            path_of(export, export->folder, i, media[m], to);
            if (rename(from, to) != 0)
                return cannot(export, errno, error);
        }
    return 0;
}

static int draw(struct export *export, struct vt_error *error)
{
    char *script = vt_chart_script(&export->charts, export->table, media, MEDIA, export->names);
    if (!script)
        return vt_error_memory(error, "the charts");
    int status = vt_plot_run_in(export->staging, script, SECONDS, error);
    free(script);
    for (size_t i = 0; i < export->charts.count && status == 0; i++)
        for (size_t m = 0; m < MEDIA && status == 0; m++)
            status = finish_file(export, i, media[m], error);
    return status ? status : publish(export, error);
}

static int run(struct export *export, struct vt_error *error)
{
    if (plan(export) != 0)
        return vt_error_memory(error, "the charts");
    if (export->charts.count == 0)
        return vt_error_set(error, VT_EXIT_NO, ENODATA,
                            "there is no chart to draw: no measurement holds a toll");
    int status = make_staging(export, error);
    return status ? status : draw(export, error);
}

int vt_chart_export(struct vt_result *const *results, size_t count, const char *folder, size_t *files,
                    struct vt_error *error)
{
    struct vt_table table;
    struct export export = {.table = &table, .folder = folder};
    *files = 0;
    int status = vt_table_build(&table, results, count, error);
    if (status)
        return status;
    status = run(&export, error);
    if (status == 0)
        *files = MEDIA * export.charts.count;
    drop_staging(&export);
    vt_chart_release(&export.charts);
    free(export.names);
    vt_table_release(&table);
    return status;
}
