#include "report/gather.h"
#include "base/file.h"
#include "report/load.h"

#include <errno.h>
#include <fts.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_THREADS = 64, MAX_LIST = 64 << 20 };

static int keep(struct vt_gather *gather, const char *path, struct vt_error *error)
{
    if (gather->count == gather->room) {
        size_t room = gather->room ? 2 * gather->room : 64;
        char **files = realloc(gather->files, room * sizeof *files);
        if (!files)
            return vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM,
                                "not enough memory for the names of the files");
        gather->files = files;
        gather->room = room;
    }
    gather->files[gather->count] = strdup(path);
    if (!gather->files[gather->count])
        return vt_error_set(error, VT_EXIT_INTERNAL, ENOMEM, "not enough memory for the names of the files");
    gather->count++;
    return 0;
}

static bool is_result_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcasecmp(dot, ".json") == 0 || strcasecmp(dot, ".jsonl") == 0);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int walk(struct vt_gather *gather, const char *path, struct vt_error *error)
{
    char *const roots[] = {(char *)(size_t)path, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    int status = 0;
    size_t before = gather->count;
    if (!tree)
        return vt_error_set(error, VT_EXIT_USAGE, errno, "cannot read '%s': %s", path, strerror(errno));
    for (FTSENT *entry; status == 0 && (entry = fts_read(tree));)
        if ((entry->fts_info == FTS_F || entry->fts_info == FTS_SLNONE) && is_result_name(entry->fts_name))
            status = keep(gather, entry->fts_path, error);
    fts_close(tree);
    if (status == 0 && gather->count == before)
        return vt_error_set(error, VT_EXIT_USAGE, ENOENT, "'%s' holds no file named *.json or *.jsonl", path);
    return status;
}

int vt_gather_add(struct vt_gather *gather, const char *path, struct vt_error *error)
{
    struct stat status;
    if (strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return walk(gather, path, error);
    return keep(gather, path, error);
}

int vt_gather_list(struct vt_gather *gather, const char *path, struct vt_error *error)
{
    char *text, *rest, *line;
    size_t size;
    int status = vt_file_read(path, MAX_LIST, &text, &size, error);
    for (rest = text; status == 0 && (line = strsep(&rest, "\n"));)
        if (*line)
            status = vt_gather_add(gather, line, error);
    if (text)
        free(text);
    return status;
}

void vt_gather_release(struct vt_gather *gather)
{
    for (size_t i = 0; i < gather->count; i++)
        free(gather->files[i]);
    free(gather->files);
    *gather = (struct vt_gather){0};
}

struct job {
    const struct vt_gather *gather;
    struct vt_fleet *fleet;
    void (*complain)(const struct vt_error *error);
    pthread_mutex_t lock;
    atomic_size_t next, bad;
};

static int take(struct vt_result *result, void *context)
{
    return vt_fleet_add(context, result);
}

static void *work(void *context)
{
    struct job *job = context;
    const struct vt_load_options options = {.medians_only = true};
    for (size_t i; (i = atomic_fetch_add(&job->next, 1)) < job->gather->count;) {
        struct vt_error error = {.text = "not enough memory"};
        if (vt_report_load(job->gather->files[i], &options, take, job->fleet, &error) == 0)
            continue;
        atomic_fetch_add(&job->bad, 1);
        pthread_mutex_lock(&job->lock);
        job->complain(&error);
        pthread_mutex_unlock(&job->lock);
    }
    return NULL;
}

size_t vt_gather_read(const struct vt_gather *gather, struct vt_fleet *fleet,
                      void (*complain)(const struct vt_error *error))
{
    struct job job = {.gather = gather, .fleet = fleet, .complain = complain};
    pthread_t threads[MAX_THREADS];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = processors > MAX_THREADS ? MAX_THREADS
                    : processors > 1         ? (size_t)processors
                                             : 1,
           started = 0;
    pthread_mutex_init(&job.lock, NULL);
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, &job) == 0)
        started++;
    work(&job); /* this thread is one of them */
    while (started > 0)
        pthread_join(threads[--started], NULL);
    pthread_mutex_destroy(&job.lock);
    return atomic_load(&job.bad);
}
