#include "report/load.h"
#include "report/load_shape.h"
#include "report/load_value.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yajl/yajl_parse.h>

/* Far beyond any honest document, near enough that a hostile one costs neither the memory nor the day. */
enum {
    MAX_DEPTH = 48,
    MAX_TEXT = 4096,
    MAX_KEY = 128,
    MAX_ROWS = 100000,
    MAX_EVIDENCE = 64,
    MAX_SERIES = 1 << 20,
    MAX_NUMBERS = 1 << 23, /* of all series of a document */
    MAX_NODES = 1 << 17,   /* of all trees of a document */
    CHUNK = 1 << 16,
};
static const uint64_t max_gap = 1 << 24;      /* bytes of one token, or of blanks */
static const uint64_t max_document = 1 << 29; /* bytes */

enum frame_type {
    FRAME_OBJECT,
    FRAME_ROWS,
    FRAME_INTERVAL,
    FRAME_SERIES,
    FRAME_EVIDENCE,
    FRAME_TREE,
    FRAME_SKIP
};

struct frame {
    enum frame_type type;
    const struct vt_shape *shape; /* FRAME_OBJECT */
    uint64_t seen;                /* FRAME_OBJECT: keys met, by index */
    void *target;                 /* FRAME_OBJECT: the structure its offsets count from */
    const struct vt_field *field; /* FRAME_OBJECT: whose value comes next; NULL: of an unknown key */
    size_t index;                 /* arrays: elements so far */
    json_t *node;                 /* FRAME_TREE: the container; the tree's */
    char key[MAX_KEY];            /* FRAME_TREE, FRAME_EVIDENCE: of the value that comes next */
};

struct loader {
    const char *name;
    const struct vt_load_options *options;
    vt_load_sink sink;
    void *context;
    int sink_status;
    struct vt_error *error;
    bool failed; /* error is set */

    yajl_handle parser;
    const unsigned char *chunk;
    size_t chunk_size;
    uint64_t chunk_start, line,
        line_start; /* offset of the chunk; of its first byte: line, and where that began */
    uint64_t last_event, document_start;
    size_t documents;

    struct frame frames[MAX_DEPTH];
    size_t depth;
    struct vt_result *result;
    size_t rows_room;
    double *numbers; /* the series being read */
    size_t numbers_room, numbers_kept, nodes;
    struct vt_result_counter evidence[MAX_EVIDENCE];
};

/* ---- where and what is wrong */

static void describe_path(const struct loader *loader, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < loader->depth && used < size; i++) {
        const struct frame *frame = &loader->frames[i];
        const char *key = frame->type == FRAME_OBJECT ? (frame->field ? frame->field->key : "")
                          : frame->type == FRAME_TREE && json_is_array(frame->node)    ? ""
                          : frame->type == FRAME_TREE || frame->type == FRAME_EVIDENCE ? frame->key
                                                                                       : "";
        if (frame->type == FRAME_ROWS || frame->type == FRAME_SERIES || frame->type == FRAME_INTERVAL)
            used += (size_t)snprintf(text + used, size - used, "[%zu]", frame->index);
        else if (*key)
            used += (size_t)snprintf(text + used, size - used, "%s%.40s", used ? "." : "", key);
    }
}

/* Line and column of byte `consumed` of the chunk. */
static void locate(const struct loader *loader, size_t consumed, uint64_t *line, uint64_t *column)
{
    uint64_t start = loader->line_start;
    if (consumed > loader->chunk_size)
        consumed = loader->chunk_size;
    *line = loader->line;
    for (size_t i = 0; i < consumed; i++)
        if (loader->chunk[i] == '\n') {
            ++*line;
            start = loader->chunk_start + i + 1;
        }
    *column = loader->chunk_start + consumed - start;
    if (*column == 0)
        *column = 1;
}

static int refuse(struct loader *loader, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(struct loader *loader, const char *format, ...)
{
    char what[256], path[160];
    uint64_t line, column;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    describe_path(loader, path, sizeof path);
    locate(loader, yajl_get_bytes_consumed(loader->parser), &line, &column);
    vt_error_set(loader->error, VT_EXIT_USAGE, EBADMSG, "%s:%ju:%ju: %s%s%s", loader->name, (uintmax_t)line,
                 (uintmax_t)column, path, *path ? ": " : "", what);
    loader->failed = true;
    return 0;
}

static int lacks_memory(struct loader *loader)
{
    vt_error_set(loader->error, VT_EXIT_ENVIRONMENT, ENOMEM, "%s: not enough memory to read it",
                 loader->name);
    loader->failed = true;
    return 0;
}

static int refuse_value(struct loader *loader, const char *expected, const struct vt_token *token)
{
    if (token->type == VT_TOKEN_NUMBER || token->type == VT_TOKEN_TEXT)
        return refuse(loader, "expected %s, found %s%.*s%s", expected,
                      token->type == VT_TOKEN_TEXT ? "\"" : "",
                      (int)(token->length < 40 ? token->length : 40), token->text,
                      token->type == VT_TOKEN_TEXT ? "\"" : "");
    return refuse(loader, "expected %s, found %s", expected, vt_load_token_name(token));
}

static int keep_text(struct loader *loader, const struct vt_token *token, const char **text)
{
    *text = NULL;
    if (token->type == VT_TOKEN_NULL)
        return 1;
    if (token->length > MAX_TEXT)
        return refuse(loader, "expected a string of at most %d bytes, found %zu", MAX_TEXT, token->length);
    char *copy = vt_arena_text(&loader->result->arena, token->text, token->length);
    if (!copy)
        return lacks_memory(loader);
    vt_load_strip_controls(copy, token->length);
    *text = copy;
    return 1;
}

static int take_text(struct loader *loader, const struct vt_token *token, const char **text)
{
    if (token->type != VT_TOKEN_TEXT && token->type != VT_TOKEN_NULL)
        return refuse_value(loader, vt_load_expectation(VT_KIND_TEXT), token);
    return keep_text(loader, token, text);
}

/* ---- trees kept as they are */

static json_t *make_node(const struct vt_token *token)
{
    char text[64];
    switch (token->type) {
    case VT_TOKEN_FLAG:
        return json_boolean(token->flag);
    case VT_TOKEN_OBJECT:
        return json_object();
    case VT_TOKEN_ARRAY:
        return json_array();
    case VT_TOKEN_TEXT:
        return json_stringn_nocheck(token->text, token->length);
    case VT_TOKEN_NUMBER:
        memcpy(text, token->text, token->length);
        text[token->length] = '\0';
        if (!strpbrk(text, ".eE") && token->length < 19)
            return json_integer(strtoll(text, NULL, 10));
        return json_real(strtod(text, NULL));
    default:
        return json_null();
    }
}

static int add_node(struct loader *loader, struct frame *frame, const struct vt_token *token, json_t **node)
{
    double value;
    if (token->type == VT_TOKEN_NUMBER && (token->length > 40 || !vt_load_number(token, &value)))
        return refuse_value(loader, "a finite number", token);
    if (token->type == VT_TOKEN_TEXT && token->length > MAX_TEXT)
        return refuse(loader, "expected a string of at most %d bytes, found %zu", MAX_TEXT, token->length);
    if (++loader->nodes > MAX_NODES)
        return refuse(loader, "expected at most %d values in host, settings, audit and totals", MAX_NODES);
    *node = make_node(token);
    if (!*node)
        return lacks_memory(loader);
    if (json_is_string(*node))
        vt_load_strip_controls((char *)(uintptr_t)json_string_value(*node), json_string_length(*node));
    if (json_is_array(frame->node) ? json_array_append_new(frame->node, *node)
                                   : json_object_set_new_nocheck(frame->node, frame->key, *node))
        return lacks_memory(loader);
    return 1;
}

/* ---- frames */

static struct frame *top(struct loader *loader)
{
    return &loader->frames[loader->depth - 1];
}

static struct frame *push(struct loader *loader, enum frame_type type)
{
    if (loader->depth == MAX_DEPTH) {
        refuse(loader, "expected at most %d levels of nesting", MAX_DEPTH);
        return NULL;
    }
    struct frame *frame = &loader->frames[loader->depth++];
    frame->type = type;
    frame->seen = 0;
    frame->index = 0;
    frame->field = NULL;
    frame->node = NULL;
    frame->key[0] = '\0';
    return frame;
}

static int push_object(struct loader *loader, const struct vt_shape *shape, void *target)
{
    struct frame *frame = push(loader, FRAME_OBJECT);
    if (!frame)
        return 0;
    frame->shape = shape;
    frame->target = target;
    return 1;
}

static int push_tree(struct loader *loader, json_t **place)
{
    struct frame *frame = push(loader, FRAME_TREE);
    if (!frame)
        return 0;
    frame->node = *place = json_object();
    return *place ? 1 : lacks_memory(loader);
}

static int start_document(struct loader *loader, const struct vt_token *token)
{
    if (token->type != VT_TOKEN_OBJECT)
        return refuse_value(loader, "a result document, which is an object", token);
    uint64_t line, column;
    locate(loader, yajl_get_bytes_consumed(loader->parser), &line, &column);
    loader->result = vt_result_new();
    if (!loader->result)
        return lacks_memory(loader);
    loader->result->file = vt_arena_text(&loader->result->arena, loader->name, strlen(loader->name));
    loader->result->line = line;
    loader->document_start = loader->chunk_start;
    loader->rows_room = loader->numbers_kept = loader->nodes = 0;
    if (!loader->result->file)
        return lacks_memory(loader);
    return push_object(loader, &vt_load_document_shape, loader->result);
}

static int start_row(struct loader *loader)
{
    struct vt_result *result = loader->result;
    if (result->count == MAX_ROWS)
        return refuse(loader, "expected at most %d measurements", MAX_ROWS);
    if (result->count == loader->rows_room) {
        size_t room = loader->rows_room ? 2 * loader->rows_room : 64;
        struct vt_result_row *rows = realloc(result->rows, room * sizeof *rows);
        if (!rows)
            return lacks_memory(loader);
        result->rows = rows;
        loader->rows_room = room;
    }
    struct vt_result_row *row = &result->rows[result->count++];
    *row = (struct vt_result_row){.cpl = -1,
                                  .unit = "ns",
                                  .iterations = NAN,
                                  .batches = NAN,
                                  .marked = NAN,
                                  .exits_per_op = NAN,
                                  .toll = vt_result_unknown_summary(),
                                  .toll_cycles = vt_result_unknown_summary()};
    return push_object(loader, &vt_load_row_shape, row);
}

/* Most of a document is proof and background, which medians of many hosts do without. */
static bool is_spared(const struct loader *loader, const struct vt_field *field, const struct vt_token *token)
{
    bool container = token->type == VT_TOKEN_OBJECT || token->type == VT_TOKEN_ARRAY;
    if (!loader->options->medians_only || !container)
        return false;
    return field->kind == VT_KIND_EVIDENCE || field->kind == VT_KIND_SERIES ||
           strcmp(field->key, "toll_cycles") == 0 ||
           (field->kind == VT_KIND_TREE && strcmp(field->key, "host") != 0);
}

static bool is_spared_of_host(const struct loader *loader, const struct frame *frame)
{
    return loader->options->medians_only && loader->depth == 2 &&
           (strcmp(frame->key, "evidence") == 0 || strcmp(frame->key, "unknown") == 0);
}

static int open_field(struct loader *loader, const struct vt_field *field, void *place,
                      const struct vt_token *token)
{
    bool object = token->type == VT_TOKEN_OBJECT;
    switch (field->kind) {
    case VT_KIND_OBJECT:
        return object ? push_object(loader, field->shape, place) : refuse_value(loader, "an object", token);
    case VT_KIND_TREE:
        return object ? push_tree(loader, place) : refuse_value(loader, "an object", token);
    case VT_KIND_EVIDENCE:
        return object ? push(loader, FRAME_EVIDENCE) != NULL
                      : refuse_value(loader, vt_load_expectation(VT_KIND_EVIDENCE), token);
    case VT_KIND_ROWS:
        return !object ? push(loader, FRAME_ROWS) != NULL
                       : refuse_value(loader, vt_load_expectation(VT_KIND_ROWS), token);
    case VT_KIND_SERIES:
        return !object ? push(loader, FRAME_SERIES) != NULL
                       : refuse_value(loader, vt_load_expectation(VT_KIND_SERIES), token);
    case VT_KIND_INTERVAL:
        return !object ? push(loader, FRAME_INTERVAL) != NULL
                       : refuse_value(loader, vt_load_expectation(VT_KIND_INTERVAL), token);
    default:
        return refuse_value(loader, vt_load_expectation(field->kind), token);
    }
}

static void *place_of(const struct frame *frame)
{
    return (char *)frame->target + frame->field->offset;
}

static int open_container(struct loader *loader, const struct vt_token *token)
{
    if (loader->depth == 0)
        return start_document(loader, token);
    struct frame *frame = top(loader);
    json_t *node = NULL;
    switch (frame->type) {
    case FRAME_OBJECT:
        if (frame->field && is_spared(loader, frame->field, token))
            return push(loader, FRAME_SKIP) != NULL;
        if (frame->field)
            return open_field(loader, frame->field, place_of(frame), token);
        return push(loader, FRAME_SKIP) != NULL;
    case FRAME_ROWS:
        return token->type == VT_TOKEN_OBJECT ? start_row(loader) : refuse_value(loader, "an object", token);
    case FRAME_TREE:
        if (is_spared_of_host(loader, frame))
            return push(loader, FRAME_SKIP) != NULL;
        if (!add_node(loader, frame, token, &node))
            return 0;
        frame = push(loader, FRAME_TREE);
        if (!frame)
            return 0;
        frame->node = node;
        return 1;
    case FRAME_SKIP:
        return push(loader, FRAME_SKIP) != NULL;
    default:
        return refuse_value(loader, "a number", token);
    }
}

/* ---- scalars inside frames */

static int add_number(struct loader *loader, struct frame *frame, const struct vt_token *token)
{
    double value;
    if (token->type != VT_TOKEN_NUMBER)
        return refuse_value(loader, "a number", token);
    if (++frame->index > MAX_SERIES || ++loader->numbers_kept > MAX_NUMBERS)
        return refuse(loader, "expected at most %d numbers in a series and %d in a document", MAX_SERIES,
                      MAX_NUMBERS);
    if (!loader->options->samples)
        return 1;
    if (!vt_load_number(token, &value))
        return refuse_value(loader, "a finite number", token);
    if (frame->index > loader->numbers_room) {
        size_t room = loader->numbers_room ? 2 * loader->numbers_room : 1024;
        double *numbers = realloc(loader->numbers, room * sizeof *numbers);
        if (!numbers)
            return lacks_memory(loader);
        loader->numbers = numbers;
        loader->numbers_room = room;
    }
    loader->numbers[frame->index - 1] = value;
    return 1;
}

static int add_bound(struct loader *loader, struct frame *frame, const struct vt_token *token)
{
    const struct frame *owner = frame - 1;
    double value, *bounds = place_of(owner);
    if (frame->index == 2 || !vt_load_number(token, &value))
        return refuse_value(loader, vt_load_expectation(VT_KIND_INTERVAL), token);
    bounds[frame->index++] = value;
    if (frame->index == 2 && bounds[0] > bounds[1])
        return refuse(loader, "expected the lower bound first, found %g before %g", bounds[0], bounds[1]);
    return 1;
}

static int add_evidence(struct loader *loader, struct frame *frame, const struct vt_token *token)
{
    double value;
    if (!vt_load_number(token, &value))
        return refuse_value(loader, vt_load_expectation(VT_KIND_NUMBER), token);
    loader->evidence[frame->index].per_operation = value;
    frame->index++;
    return 1;
}

static int set_field(struct loader *loader, struct frame *frame, const struct vt_token *token)
{
    if (!frame->field)
        return 1;
    if (frame->field->kind == VT_KIND_TEXT)
        return take_text(loader, token, place_of(frame));
    if (!vt_load_field(token, frame->field->kind, place_of(frame)))
        return refuse_value(loader, vt_load_expectation(frame->field->kind), token);
    return 1;
}

static int take_scalar(struct loader *loader, const struct vt_token *token)
{
    if (loader->depth == 0)
        return refuse_value(loader, "a result document, which is an object", token);
    struct frame *frame = top(loader);
    json_t *node;
    switch (frame->type) {
    case FRAME_OBJECT:
        return set_field(loader, frame, token);
    case FRAME_ROWS:
        return refuse_value(loader, "an object", token);
    case FRAME_INTERVAL:
        return add_bound(loader, frame, token);
    case FRAME_SERIES:
        return add_number(loader, frame, token);
    case FRAME_EVIDENCE:
        return add_evidence(loader, frame, token);
    case FRAME_TREE:
        return add_node(loader, frame, token, &node);
    default:
        return 1;
    }
}

/* ---- keys */

static int take_object_key(struct loader *loader, struct frame *frame, const char *key, size_t length)
{
    frame->field = vt_load_find_field(frame->shape, key, length);
    if (!frame->field)
        return 1;
    uint64_t bit = UINT64_C(1) << (frame->field - frame->shape->fields);
    if (frame->seen & bit)
        return refuse(loader, "expected each key once, found it twice");
    frame->seen |= bit;
    return 1;
}

static int copy_key(struct loader *loader, struct frame *frame, const char *key, size_t length)
{
    if (length >= MAX_KEY || memchr(key, '\0', length))
        return refuse(loader, "expected a key of at most %d bytes", MAX_KEY - 1);
    memcpy(frame->key, key, length);
    frame->key[length] = '\0';
    vt_load_strip_controls(frame->key, length);
    return 1;
}

static int take_evidence_key(struct loader *loader, struct frame *frame, const char *key, size_t length)
{
    if (!copy_key(loader, frame, key, length))
        return 0;
    if (frame->index == MAX_EVIDENCE)
        return refuse(loader, "expected at most %d counters", MAX_EVIDENCE);
    for (size_t i = 0; i < frame->index; i++)
        if (strcmp(loader->evidence[i].name, frame->key) == 0)
            return refuse(loader, "expected each key once, found it twice");
    loader->evidence[frame->index].name = vt_arena_text(&loader->result->arena, frame->key, length);
    return loader->evidence[frame->index].name ? 1 : lacks_memory(loader);
}

static int take_key(struct loader *loader, const char *key, size_t length)
{
    struct frame *frame = top(loader);
    switch (frame->type) {
    case FRAME_OBJECT:
        return take_object_key(loader, frame, key, length);
    case FRAME_EVIDENCE:
        return take_evidence_key(loader, frame, key, length);
    case FRAME_TREE:
        if (!copy_key(loader, frame, key, length))
            return 0;
        return json_object_get(frame->node, frame->key)
                   ? refuse(loader, "expected each key once, found it twice")
                   : 1;
    default:
        return 1;
    }
}

/* ---- ends */

static int close_series(struct loader *loader, const struct frame *frame)
{
    if (!loader->options->samples || frame->index == 0)
        return 1;
    struct vt_result_series *series = place_of(frame - 1);
    double *values = vt_arena_take(&loader->result->arena, frame->index * sizeof *values);
    if (!values)
        return lacks_memory(loader);
    memcpy(values, loader->numbers, frame->index * sizeof *values);
    *series = (struct vt_result_series){values, frame->index};
    return 1;
}

static int close_evidence(struct loader *loader, const struct frame *frame)
{
    struct vt_result_row *row = (frame - 1)->target;
    struct vt_result_counter *copy = vt_arena_take(&loader->result->arena, frame->index * sizeof *copy);
    if (!copy)
        return lacks_memory(loader);
    memcpy(copy, loader->evidence, frame->index * sizeof *copy);
    row->evidence = copy;
    row->evidence_count = frame->index;
    return 1;
}

static bool has_key(const struct frame *frame, const char *key)
{
    const struct vt_field *field = vt_load_find_field(frame->shape, key, strlen(key));
    return frame->seen >> (field - frame->shape->fields) & 1;
}

static int require(struct loader *loader, struct frame *frame, const char *const *keys)
{
    for (frame->field = NULL; *keys; keys++)
        if (!has_key(frame, *keys))
            return refuse(loader, "expected the key \"%s\", which is missing", *keys);
    return 1;
}

static int close_row(struct loader *loader, struct frame *frame)
{
    static const char *const required[] = {"case", "engine", "status", NULL};
    const struct vt_result_row *row = frame->target;
    if (!require(loader, frame, required))
        return 0;
    if (!row->name || !row->engine)
        return refuse(loader, "expected a case and an engine, found null");
    (frame - 1)->index++;
    return 1;
}

static int close_document(struct loader *loader, struct frame *frame)
{
    static const char *const required[] = {"schema", "measurements", NULL};
    if (!require(loader, frame, required))
        return 0;
    struct vt_result *result = loader->result;
    loader->result = NULL;
    loader->documents++;
    loader->sink_status = loader->sink(result, loader->context);
    return loader->sink_status == 0;
}

static int close_frame(struct loader *loader, struct frame *frame)
{
    switch (frame->type) {
    case FRAME_SERIES:
        return close_series(loader, frame);
    case FRAME_EVIDENCE:
        return close_evidence(loader, frame);
    case FRAME_INTERVAL:
        return frame->index == 2 ? 1 : refuse(loader, "expected two numbers, found %zu", frame->index);
    case FRAME_OBJECT:
        if (frame->shape == &vt_load_row_shape)
            return close_row(loader, frame);
        if (frame->shape == &vt_load_document_shape)
            return close_document(loader, frame);
        return 1;
    default:
        return 1;
    }
}

/* ---- the parser's callbacks */

static void note_event(struct loader *loader)
{
    loader->last_event = loader->chunk_start;
}

static int on_scalar(struct loader *loader, struct vt_token token)
{
    note_event(loader);
    return take_scalar(loader, &token);
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
    return open_container(context, &(struct vt_token){.type = type});
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
    return take_key(context, (const char *)text, length);
}

static int on_close(void *context)
{
    struct loader *loader = context;
    note_event(loader);
    if (!close_frame(loader, top(loader)))
        return 0;
    loader->depth--;
    /* Elements of an array that are containers are counted as they end. */
    if (loader->depth && top(loader)->type == FRAME_OBJECT)
        top(loader)->field = NULL;
    return 1;
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

static int syntax_error(struct loader *loader, bool at_end)
{
    if (loader->failed || loader->sink_status)
        return 0;
    if (at_end && loader->depth)
        return refuse(loader, "the file ends here, in the middle of a document; it was cut off");
    unsigned char *text = yajl_get_error(loader->parser, 0, NULL, 0);
    const char *reason = text ? (const char *)text : "unreadable";
    size_t length = strcspn(reason, "\n");
    refuse(loader, "expected a result document in JSON: %.*s", (int)length, reason);
    if (text)
        yajl_free_error(loader->parser, text);
    return 0;
}

static int feed(struct loader *loader, const unsigned char *data, size_t size)
{
    loader->chunk = data;
    loader->chunk_size = size;
    if (yajl_parse(loader->parser, data, size) != yajl_status_ok)
        return syntax_error(loader, false);
    uint64_t line, column;
    locate(loader, size, &line, &column);
    if (line != loader->line) {
        const unsigned char *newline = memrchr(data, '\n', size);
        loader->line_start = loader->chunk_start + (uint64_t)(newline - data) + 1;
        loader->line = line;
    }
    loader->chunk_start += size;
    if (loader->chunk_start - loader->last_event > max_gap)
        return refuse(loader, "expected no single value or gap of more than %ju bytes", (uintmax_t)max_gap);
    if (loader->depth && loader->chunk_start - loader->document_start > max_document)
        return refuse(loader, "expected a document of at most %ju bytes", (uintmax_t)max_document);
    return 1;
}

static int end(struct loader *loader)
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

static int start(struct loader *loader)
{
    loader->line = 1;
    loader->parser = yajl_alloc(&callbacks, NULL, loader);
    if (!loader->parser) {
        lacks_memory(loader);
        return -ENOMEM;
    }
    yajl_config(loader->parser, yajl_allow_multiple_values, 1);
    return 0;
}

static int finish(struct loader *loader)
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
    struct loader loader = {
        .name = name, .options = options, .sink = sink, .context = context, .error = error};
    int status = start(&loader);
    if (status)
        return status;
    if (size == 0 || feed(&loader, data, size))
        end(&loader);
    return finish(&loader);
}

static int pump_through(struct loader *loader, int fd, unsigned char buffer[CHUNK])
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

static int pump(struct loader *loader, int fd)
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
    struct loader loader = {.name = standard ? "standard input" : path,
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
