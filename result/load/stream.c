#include "result/load/scan.h"
#include "result/load/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COMPLAINTS = 1000 };
/* Bytes of one token, or of blanks: the parser rereads a number from its start with every chunk. */
static const uint64_t max_gap = 1 << 22;
static const uint64_t max_document = 1 << 29; /* bytes */
static const unsigned char mark[3] = {0xef, 0xbb, 0xbf};

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

static int syntax_error(struct vt_loader *loader, bool at_end)
{
    if (loader->failed || loader->sink_status)
        return 0;
    if (at_end && loader->depth)
        return vt_load_refuse(loader, "the %s, in the middle of a document; it was cut off",
                              loader->is_part ? "next one starts here" : "file ends here");
    const char *kind =
        loader->chunk_start == 0 ? vt_load_known_kind(loader->chunk, loader->chunk_size) : NULL;
    if (kind)
        return vt_load_refuse(loader, "expected a result document in JSON, found %s", kind);
    unsigned char *text = yajl_get_error(loader->parser, 0, NULL, 0);
    const char *reason = text ? (const char *)text : "unreadable";
    size_t length = strcspn(reason, "\n");
    if (length && reason[length - 1] == '.')
        length--;
    vt_load_refuse(loader, "expected a result document in JSON: %.*s", (int)length, reason);
    if (text)
        yajl_free_error(loader->parser, text);
    return 0;
}

/* Go on behind `size` bytes of the chunk. */
static void advance(struct vt_loader *loader, size_t size)
{
    const unsigned char *newline = memrchr(loader->chunk, '\n', size);
    if (newline) {
        loader->line += vt_load_scan_lines(loader->chunk, size);
        loader->line_start = loader->chunk_start + (uint64_t)(newline - loader->chunk) + 1;
    }
    loader->chunk_start += size;
    loader->chunk += size;
    loader->chunk_size = 0;
}

static int parse(struct vt_loader *loader, const unsigned char *data, size_t size)
{
    loader->chunk = data;
    loader->chunk_size = size;
    if (yajl_parse(loader->parser, data, size) != yajl_status_ok)
        return syntax_error(loader, false);
    advance(loader, size);
    if (loader->chunk_start - loader->last_event > max_gap)
        return vt_load_refuse(loader, "expected no single value or gap of more than %ju bytes",
                              (uintmax_t)max_gap);
    if (loader->depth && loader->chunk_start - loader->document_start > max_document)
        return vt_load_refuse(loader, "expected a document of at most %ju bytes", (uintmax_t)max_document);
    return 1;
}

static struct vt_load_frame *unwanted_series(struct vt_loader *loader)
{
    if (loader->depth == 0 || loader->options->samples)
        return NULL;
    struct vt_load_frame *frame = &loader->frames[loader->depth - 1];
    return frame->type == FRAME_SERIES ? frame : NULL;
}

/* Up to the second ',' or to ']': behind that, the parser has had a whole number and waits for more. */
static size_t first_number(const unsigned char *data, size_t size)
{
    size_t i = 0;
    for (int commas = 0; i < size && data[i] != ']'; i++)
        if (data[i] == ',' && ++commas == 2)
            break;
    return i;
}

/* Numbers nobody asked for pass by the parser. Returns the bytes done with; 0 may mean that it failed. */
static size_t pass_series(struct vt_loader *loader, const unsigned char *data, size_t size)
{
    size_t count = 0, done = first_number(data, size);
    if (done && !parse(loader, data, done))
        return 0;
    struct vt_load_frame *frame = unwanted_series(loader);
    if (!frame)
        return done;
    size_t skipped = vt_load_scan_numbers(data + done, size - done, &count);
    loader->chunk = data + done;
    advance(loader, skipped);
    loader->last_event = loader->chunk_start;
    vt_load_count_numbers(loader, frame, count);
    return done + skipped;
}

/* Does the same with a container that is of no interest. Its bracket is the last byte parsed. */
static size_t pass_container(struct vt_loader *loader, const unsigned char *data, size_t size)
{
    size_t skipped = vt_load_scan_container(data, size, VT_LOAD_MAX_DEPTH - loader->depth + 1);
    loader->chunk = data;
    advance(loader, skipped);
    loader->last_event = loader->chunk_start;
    return skipped;
}

/* Bytes before a byte-order mark, or before what may be the start of one at the end; `size`: there is none.
 */
static size_t before_mark(const unsigned char *data, size_t size)
{
    const unsigned char *end = data + size, *found = data;
    while (found < end && (found = memchr(found, mark[0], (size_t)(end - found)))) {
        size_t left = (size_t)(end - found);
        if (memcmp(found, mark, left < sizeof mark ? left : sizeof mark) == 0)
            return (size_t)(found - data);
        found++;
    }
    return size;
}

/*
 * Some write a byte order mark in front of UTF-8, which a reader may pass over (RFC 8259, 8.1); files put
 * together have one before each document. Returns its bytes where one is in front and no document is open.
 */
static size_t pass_mark(struct vt_loader *loader, const unsigned char *data, size_t size)
{
    if (loader->depth || size < sizeof mark || memcmp(data, mark, sizeof mark) != 0)
        return 0;
    loader->chunk = data;
    advance(loader, sizeof mark);
    return sizeof mark;
}

/* How much the parser gets at once: up to a bracket, and not beyond a mark but one that stands in front. */
static size_t next_stretch(const unsigned char *data, size_t size)
{
    size_t stretch = vt_load_scan_bracket(data, size), plain = before_mark(data, stretch);
    return plain ? plain : 1 + before_mark(data + 1, stretch - 1);
}

/* Leaves the beginning of a mark at the end of what is here for the next time. */
static int feed(struct vt_loader *loader, const unsigned char *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        done += pass_mark(loader, data + done, size - done);
        if (done && loader->depth == 0 && size - done < sizeof mark &&
            before_mark(data + done, size - done) == 0)
            return 1;
        if (unwanted_series(loader))
            done += pass_series(loader, data + done, size - done);
        if (loader->failed || loader->sink_status)
            return 0;
        size_t containers = loader->skipped_containers,
               stretch = done < size ? next_stretch(data + done, size - done) : 0;
        if (stretch && !parse(loader, data + done, stretch))
            return 0;
        done += stretch;
        if (containers != loader->skipped_containers)
            done += pass_container(loader, data + done, size - done);
    }
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
    if (loader->documents || loader->complaints)
        return complete ? 1 : syntax_error(loader, true);
    vt_error_set(loader->error, VT_EXIT_USAGE, EBADMSG,
                 "%s:1:1: expected a result document (\"schema\": \"" VT_RESULT_SCHEMA
                 "\"), found an empty file",
                 loader->name);
    loader->failed = true;
    return 0;
}

static int pump(struct vt_loader *loader, struct vt_source *source)
{
    const unsigned char *bytes;
    for (;;) {
        size_t least = loader->depth ? 1 : sizeof mark;
        ssize_t size = vt_source_at(source, loader->chunk_start, least, &bytes, loader->error);
        if (size < 0)
            loader->failed = true;
        if (size <= 0)
            return size < 0 ? 0 : end(loader);
        if (!feed(loader, bytes, (size_t)size))
            return 0;
    }
}

static int start(struct vt_loader *loader, uint64_t offset, uint64_t line)
{
    vt_result_free(loader->result);
    loader->result = NULL;
    loader->depth = 0;
    loader->failed = loader->refused = false;
    loader->chunk = NULL;
    loader->chunk_size = 0;
    loader->chunk_start = loader->line_start = loader->last_event = offset;
    loader->line = line;
    if (loader->parser)
        yajl_free(loader->parser);
    loader->parser = yajl_alloc(&callbacks, NULL, loader);
    if (!loader->parser) {
        vt_load_lacks_memory(loader);
        return 0;
    }
    yajl_config(loader->parser, yajl_allow_multiple_values, 1);
    return 1;
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
    return start(loader, offset, line);
}

static int load(struct vt_loader *loader, struct vt_source *source, uint64_t line)
{
    if (start(loader, source->start, line))
        while (!pump(loader, source) && resume(loader, source))
            continue;
    if (loader->parser)
        yajl_free(loader->parser);
    vt_result_free(loader->result);
    free(loader->numbers);
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
