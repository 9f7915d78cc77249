#include "result/load/scan.h"
#include "result/load/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COMPLAINTS = 1000 };
static const uint64_t max_document = 1 << 29; /* bytes */

static int end(struct vt_loader *loader)
{
    loader->token = loader->scan.at;
    if (loader->depth)
        return vt_load_refuse_syntax(loader, NULL);
    if (loader->documents || loader->complaints)
        return 1;
    vt_error_set(loader->error, VT_EXIT_USAGE, EBADMSG,
                 "%s:1:1: expected a result document (\"schema\": \"" VT_RESULT_SCHEMA
                 "\"), found an empty file",
                 loader->name);
    loader->failed = true;
    return 0;
}

/* Is what has been read of this token, or of this document, too much? */
static int check_sizes(struct vt_loader *loader, size_t rest)
{
    loader->token = loader->scan.at;
    if (rest > VT_LOAD_MAX_GAP || loader->blanks > VT_LOAD_MAX_GAP)
        return vt_load_refuse(loader, "expected no single value or gap of more than %d bytes",
                              VT_LOAD_MAX_GAP);
    if (loader->depth && loader->window_start - loader->document_start > max_document)
        return vt_load_refuse(loader, "expected a document of at most %ju bytes", (uintmax_t)max_document);
    return 1;
}

/* Let the window go on behind what is done with. A token cut in two is read from its start again when there
 * is twice as much of it. */
static int look_on(struct vt_loader *loader, struct vt_source *source)
{
    struct vt_scan *scan = &loader->scan;
    size_t rest = (size_t)(scan->end - scan->at);
    vt_load_advance(loader, scan->at);
    if (!check_sizes(loader, rest))
        return 0;
    ssize_t size =
        vt_source_at(source, loader->window_start, rest ? 2 * rest : 1, &loader->window, loader->error);
    if (size < 0) {
        loader->failed = true;
        return 0;
    }
    scan->last = (size_t)size == rest;
    scan->at = loader->window;
    scan->end = loader->window + size;
    return 1;
}

static int pump(struct vt_loader *loader, struct vt_source *source)
{
    do {
        if (!look_on(loader, source))
            return 0;
        if (loader->scan.at == loader->scan.end)
            return end(loader);
    } while (vt_load_parse(loader));
    return 0;
}

static void start(struct vt_loader *loader, uint64_t offset, uint64_t line)
{
    vt_result_free(loader->result);
    loader->result = NULL;
    loader->depth = 0;
    loader->turn = TURN_VALUE;
    loader->failed = loader->refused = false;
    loader->scan = (struct vt_scan){0};
    loader->window = loader->token = NULL;
    loader->window_start = loader->line_start = offset;
    loader->blanks = 0;
    loader->line = line;
}

/* Behind a bad document: complain, and start again at the next one. Its own start is the surest mark: who
 * knows how much of what follows it took for its own. */
static bool resume(struct vt_loader *loader, struct vt_source *source)
{
    uint64_t offset = loader->depth ? loader->document_start : loader->refused_at;
    uint64_t line = loader->depth ? loader->document_line : loader->refused_line;
    struct vt_error error;
    if (!loader->refused || !loader->options->complain)
        return false;
    int found = vt_load_find_document(source, &offset, &line);
    if (found == -ESPIPE) {
        offset = loader->refused_at;
        line = loader->refused_line;
        found = vt_load_find_document(source, &offset, &line);
    }
    if (found != 1)
        return false;
    bool enough = ++loader->complaints > MAX_COMPLAINTS;
    vt_error_set(&error, loader->error->exit, loader->error->number, "%s; %s at line %ju",
                 loader->error->text, enough ? "too many bad documents, leaving off" : "going on",
                 (uintmax_t)line);
    *loader->error = error;
    if (enough)
        return false;
    loader->options->complain(&error, loader->context);
    start(loader, offset, line);
    return true;
}

static int load(struct vt_loader *loader, struct vt_source *source, uint64_t line)
{
    start(loader, source->start, line);
    while (!pump(loader, source) && resume(loader, source))
        continue;
    vt_result_free(loader->result);
    free(loader->numbers);
    free(loader->functions);
    free(loader->stacks);
    if (loader->sink_status)
        return loader->sink_status;
    return loader->failed ? -EBADMSG : 0;
}

int vt_result_load_memory(const char *name, const void *data, size_t size,
                          const struct vt_load_options *options, vt_load_sink sink, void *context,
                          struct vt_error *error)
{
    struct vt_loader loader = {
        .name = name, .options = options, .sink = sink, .context = context, .error = error};
    struct vt_source source;
    vt_source_memory(&source, name, data, size);
    return load(&loader, &source, 1);
}

int vt_result_load_part(const char *path, const struct vt_load_part *part,
                        const struct vt_load_options *options, vt_load_sink sink, void *context,
                        struct vt_error *error)
{
    struct vt_source source;
    struct vt_loader loader = {.options = options,
                               .sink = sink,
                               .context = context,
                               .error = error,
                               .is_part = part && part->end != UINT64_MAX};
    int status = vt_source_open(&source, path, part, error);
    if (status)
        return status;
    loader.name = source.name;
    status = load(&loader, &source, part ? part->line : 1);
    vt_source_release(&source);
    return status;
}

int vt_result_load(const char *path, const struct vt_load_options *options, vt_load_sink sink, void *context,
                   struct vt_error *error)
{
    return vt_result_load_part(path, NULL, options, sink, context, error);
}
