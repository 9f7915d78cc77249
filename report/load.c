#include "report/load_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };
static const uint64_t max_gap = 1 << 24;      /* bytes of one token, or of blanks */
static const uint64_t max_document = 1 << 29; /* bytes */

/* ---- the parser's callbacks */

static void note_event(struct vt_loader *loader)
{
    loader->last_event = loader->chunk_start;
}

static int on_scalar(struct vt_loader *loader, struct vt_token token)
{
    note_event(loader);
    return vt_load_scalar(loader, &token);
}

static int on_null(void *context)
{
    return on_scalar(context, (struct vt_token){.type = VT_TOKEN_NULL});
}

static int on_boolean(void *context, int value)
{
    return on_scalar(context, (struct vt_token){.type = VT_TOKEN_FLAG, .flag = value});
}

static int on_number(void *context, const char *text, size_t length)
{
    return on_scalar(context, (struct vt_token){.type = VT_TOKEN_NUMBER, .text = text, .length = length});
}

static int on_string(void *context, const unsigned char *text, size_t length)
{
    return on_scalar(context,
                     (struct vt_token){.type = VT_TOKEN_TEXT, .text = (const char *)text, .length = length});
}

static int on_open(void *context, enum vt_token_type type)
{
    note_event(context);
    return vt_load_open(context, &(struct vt_token){.type = type});
}

static int on_open_map(void *context)
{
    return on_open(context, VT_TOKEN_OBJECT);
}

static int on_open_array(void *context)
{
    return on_open(context, VT_TOKEN_ARRAY);
}

static int on_key(void *context, const unsigned char *text, size_t length)
{
    note_event(context);
    return vt_load_key(context, (const char *)text, length);
}

static int on_close(void *context)
{
    note_event(context);
    return vt_load_close(context);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_open_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_close,
    .yajl_start_array = on_open_array,
    .yajl_end_array = on_close,
};

/* ---- feeding */

static int syntax_error(struct vt_loader *loader, bool at_end)
{
    if (loader->failed || loader->sink_status)
        return 0;
    if (at_end && loader->depth)
        return vt_load_refuse(loader, "the file ends here, in the middle of a document; it was cut off");
    unsigned char *text = yajl_get_error(loader->parser, 0, NULL, 0);
    const char *reason = text ? (const char *)text : "unreadable";
    size_t length = strcspn(reason, "\n");
    vt_load_refuse(loader, "expected a result document in JSON: %.*s", (int)length, reason);
    if (text)
        yajl_free_error(loader->parser, text);
    return 0;
}

static int feed(struct vt_loader *loader, const unsigned char *data, size_t size)
{
    loader->chunk = data;
    loader->chunk_size = size;
    if (yajl_parse(loader->parser, data, size) != yajl_status_ok)
        return syntax_error(loader, false);
    uint64_t line, column;
    vt_load_locate(loader, size, &line, &column);
    if (line != loader->line) {
        const unsigned char *newline = memrchr(data, '\n', size);
        loader->line_start = loader->chunk_start + (uint64_t)(newline - data) + 1;
        loader->line = line;
    }
    loader->chunk_start += size;
    if (loader->chunk_start - loader->last_event > max_gap)
        return vt_load_refuse(loader, "expected no single value or gap of more than %ju bytes",
                              (uintmax_t)max_gap);
    if (loader->depth && loader->chunk_start - loader->document_start > max_document)
        return vt_load_refuse(loader, "expected a document of at most %ju bytes", (uintmax_t)max_document);
    return 1;
}

static int end(struct vt_loader *loader)
{
    loader->chunk_size = 0;
    bool complete =
        yajl_complete_parse(loader->parser) == yajl_status_ok; /* a number at the very end shows now */
    if (loader->failed || loader->sink_status)
        return 0;
    if (loader->depth)
        return syntax_error(loader, true);
    if (loader->documents)
        return complete ? 1 : syntax_error(loader, true);
    vt_error_set(loader->error, VT_EXIT_USAGE, EBADMSG,
                 "%s:1:1: expected a result document (\"schema\": \"" VT_RESULT_SCHEMA
                 "\"), found an empty file",
                 loader->name);
    loader->failed = true;
    return 0;
}

static int start(struct vt_loader *loader)
{
    loader->line = 1;
    loader->parser = yajl_alloc(&callbacks, NULL, loader);
    if (!loader->parser) {
        vt_load_lacks_memory(loader);
        return -ENOMEM;
    }
    yajl_config(loader->parser, yajl_allow_multiple_values, 1);
    return 0;
}

static int finish(struct vt_loader *loader)
{
    yajl_free(loader->parser);
    vt_result_free(loader->result);
    free(loader->numbers);
    if (loader->sink_status)
        return loader->sink_status;
    return loader->failed ? -EBADMSG : 0;
}

int vt_report_load_memory(const char *name, const void *data, size_t size,
                          const struct vt_load_options *options, vt_load_sink sink, void *context,
                          struct vt_error *error)
{
    struct vt_loader loader = {
        .name = name, .options = options, .sink = sink, .context = context, .error = error};
    int status = start(&loader);
    if (status)
        return status;
    if (size == 0 || feed(&loader, data, size))
        end(&loader);
    return finish(&loader);
}

static int pump_through(struct vt_loader *loader, int fd, unsigned char buffer[CHUNK])
{
    for (;;) {
        ssize_t size = read(fd, buffer, CHUNK);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0) {
            loader->failed = true;
            return vt_error_set(loader->error, VT_EXIT_USAGE, errno, "cannot read '%s': %s", loader->name,
                                strerror(errno));
        }
        if (size == 0)
            return end(loader);
        if (!feed(loader, buffer, (size_t)size))
            return 0;
    }
}

static int pump(struct vt_loader *loader, int fd)
{
    unsigned char buffer[CHUNK];
    int status = pump_through(loader, fd, buffer);
    loader->chunk = NULL;
    loader->chunk_size = 0;
    return status;
}

int vt_report_load(const char *path, const struct vt_load_options *options, vt_load_sink sink, void *context,
                   struct vt_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    struct vt_loader loader = {.name = standard ? "standard input" : path,
                               .options = options,
                               .sink = sink,
                               .context = context,
                               .error = error};
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return vt_error_set(error, VT_EXIT_USAGE, errno, "cannot read '%s': %s", path, strerror(errno));
    int status = start(&loader);
    if (status == 0) {
        pump(&loader, fd);
        status = finish(&loader);
    }
    if (!standard)
        close(fd);
    return status;
}
