#include "fleet/gather.h"
#include "base/process/affinity.h"
#include "base/file.h"
#include "base/memory.h"
#include "result/load/load.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_THREADS = 64, MAX_LIST = 64 << 20, MAX_PARTS = 256 };
static const uint64_t part_size = 8 << 20; /* bytes of a file of many documents that one thread takes */

struct identity {
    dev_t device;
    ino_t file;
};

static int by_identity(const void *a, const void *b)
{
    const struct identity *x = a, *y = b;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return (x->file > y->file) - (x->file < y->file);
}

/* By whatever name, a file is read once: 1 where it was named before, 0, or -ENOMEM. */
static int was_named(struct vt_gather *gather, const char *path)
{
    struct stat status;
    if ((strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &status) : stat(path, &status)) != 0)
        return 0;
    struct identity *identity = malloc(sizeof *identity);
    if (!identity)
        return -ENOMEM;
    *identity = (struct identity){status.st_dev, status.st_ino};
    struct identity **kept = tsearch(identity, &gather->seen, by_identity);
    bool is_new = kept && *kept == identity;
    if (!is_new)
        free(identity);
    return kept ? !is_new : -ENOMEM;
}

static int keep(struct vt_gather *gather, const char *path, struct vt_error *error)
{
    int named = was_named(gather, path);
    if (named > 0)
        return 0;
    if (named < 0)
        return vt_error_memory(error, "the names of the files");
    char **next = vt_memory_append(gather->files, gather->count);
    if (next)
        *next = strdup(path);
    return next && *next ? 0 : vt_error_memory(error, "the names of the files");
}

static bool is_result_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcasecmp(dot, ".json") == 0 || strcasecmp(dot, ".jsonl") == 0);
}

/* Links to files are files, and broken ones are complained about later; links to folders might go in circles.
 */
static bool is_file(const char *path, const struct stat *entry)
{
    struct stat status;
    return S_ISREG(entry->st_mode) ||
           (S_ISLNK(entry->st_mode) && (stat(path, &status) != 0 || S_ISREG(status.st_mode)));
}

static int walk(struct vt_gather *gather, const char *folder, bool *any, struct vt_error *error);

static int take_entry(struct vt_gather *gather, const char *folder, const char *name, bool *any,
                      struct vt_error *error)
{
    struct stat entry;
    int status = 0;
    size_t length = strlen(folder);
    char *path;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    if (asprintf(&path, "%s%s%s", folder, length && folder[length - 1] == '/' ? "" : "/", name) < 0)
        return vt_error_memory(error, "the names of the files");
    bool known = lstat(path, &entry) == 0;
    if (known && S_ISDIR(entry.st_mode)) {
        status = walk(gather, path, any, error);
    } else if (known && is_result_name(name) && is_file(path, &entry)) {
        *any = true;
        status = keep(gather, path, error);
    }
    free(path);
    return status;
}

/*
 * A folder that cannot be looked into is kept in place of its files: reading it will say why. Not by fts(3):
 * glibc's takes files in any order where there is no memory to sort them, and fts_open crashes.
 */
static int walk(struct vt_gather *gather, const char *folder, bool *any, struct vt_error *error)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort), status = 0;
    if (count < 0) {
        *any = true;
        return keep(gather, folder, error);
    }
    for (int i = 0; i < count; i++) {
        if (status == 0)
            status = take_entry(gather, folder, entries[i]->d_name, any, error);
        free(entries[i]);
    }
    free(entries);
    return status;
}

static int add_folder(struct vt_gather *gather, const char *folder, struct vt_error *error)
{
    bool any = false;
    int status = walk(gather, folder, &any, error);
    if (status == 0 && !any)
        return vt_error_set(error, VT_EXIT_USAGE, ENOENT, "'%s' holds no file named *.json or *.jsonl",
                            folder);
    return status;
}

int vt_gather_add(struct vt_gather *gather, const char *path, struct vt_error *error)
{
    struct stat status;
    if (strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return add_folder(gather, path, error);
    return keep(gather, path, error);
}

/* As `find -print0` writes them: names may have line ends in them. */
static int add_each(struct vt_gather *gather, const char *text, size_t size, struct vt_error *error)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < size; i += strlen(text + i) + 1)
        if (text[i])
            status = vt_gather_add(gather, text + i, error);
    return status;
}

int vt_gather_list(struct vt_gather *gather, const char *path, struct vt_error *error)
{
    char *text, *rest, *line;
    size_t size;
    int status = vt_file_read(path, MAX_LIST, &text, &size, error);
    if (status == 0 && memchr(text, '\0', size))
        status = add_each(gather, text, size, error);
    else
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
    tdestroy(gather->seen, free);
    *gather = (struct vt_gather){0};
}

/* A file, or a part of one. */
struct piece {
    const char *file;
    struct vt_load_part part;
};

struct job {
    struct piece *pieces;
    size_t count;
    struct vt_fleet *fleet;
    void (*complain)(const struct vt_error *error);
    pthread_mutex_t lock;
    atomic_size_t next, bad;
};

static int take(struct vt_result *result, void *context)
{
    return vt_fleet_add(((struct job *)context)->fleet, result);
}

static void complain(const struct vt_error *error, void *context)
{
    struct job *job = context;
    atomic_fetch_add(&job->bad, 1);
    pthread_mutex_lock(&job->lock);
    job->complain(error);
    pthread_mutex_unlock(&job->lock);
}

static void *work(void *context)
{
    struct job *job = context;
    const struct vt_load_options options = {.facts_only = vt_fleet_facts(job->fleet), .complain = complain};
    for (size_t i; (i = atomic_fetch_add(&job->next, 1)) < job->count;) {
        struct vt_error error;
        const struct piece *piece = &job->pieces[i];
        if (vt_result_load_part(piece->file, &piece->part, &options, take, job, &error) != 0)
            complain(&error, job);
    }
    return NULL;
}

/* Few files may be large ones, which several threads then share. */
static size_t divide(const struct vt_gather *gather, struct piece *pieces)
{
    static const struct vt_load_part whole = {0, UINT64_MAX, 1};
    size_t count = 0;
    for (size_t i = 0; i < gather->count; i++) {
        struct stat status;
        struct vt_load_part parts[MAX_PARTS] = {whole};
        size_t n = 0;
        if (gather->count <= MAX_PARTS && stat(gather->files[i], &status) == 0 && S_ISREG(status.st_mode) &&
            (uint64_t)status.st_size > 2 * part_size) {
            uint64_t stride = (uint64_t)status.st_size / (MAX_PARTS / gather->count) + 1;
            n = vt_result_load_split(gather->files[i], stride > part_size ? stride : part_size, parts,
                                     MAX_PARTS / gather->count);
        }
        for (size_t k = 0; k < (n ? n : 1); k++)
            pieces[count++] = (struct piece){gather->files[i], parts[k]};
    }
    return count;
}

static void work_on_all_cores(struct job *job)
{
    pthread_t threads[MAX_THREADS];
    struct vt_affinity allowed;
    size_t wanted = vt_affinity_get(&allowed) == 0 ? vt_affinity_count(&allowed) : 1, started = 0;
    if (wanted > MAX_THREADS)
        wanted = MAX_THREADS;
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, job) == 0)
        started++;
    work(job); /* this thread is one of them */
    while (started > 0)
        pthread_join(threads[--started], NULL);
}

int vt_gather_read(const struct vt_gather *gather, struct vt_fleet *fleet,
                   void (*complain_to)(const struct vt_error *error), size_t *bad, struct vt_error *error)
{
    struct job job = {.fleet = fleet, .complain = complain_to};
    job.pieces = calloc(gather->count + MAX_PARTS, sizeof *job.pieces);
    if (!job.pieces)
        return vt_error_memory(error, "the names of the files");
    job.count = divide(gather, job.pieces);
    pthread_mutex_init(&job.lock, NULL);
    work_on_all_cores(&job);
    pthread_mutex_destroy(&job.lock);
    free(job.pieces);
    *bad = atomic_load(&job.bad);
    return 0;
}
