#include "result/load/state.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int keep_text(struct vt_loader *loader, const struct vt_token *token, const char **text)
{
    *text = NULL;
    if (token->type == VT_TOKEN_NULL)
        return 1;
    if (token->length > VT_LOAD_MAX_TEXT)
        return vt_load_refuse(loader, "expected a string of at most %d bytes, found %zu", VT_LOAD_MAX_TEXT,
                              token->length);
    char *copy = vt_arena_text(&loader->result->arena, token->text, token->length);
    if (!copy)
        return vt_load_lacks_memory(loader);
    vt_text_clean(copy, token->length);
    *text = copy;
    return 1;
}

static int take_text(struct vt_loader *loader, const struct vt_token *token, const char **text)
{
    if (token->type != VT_TOKEN_TEXT && token->type != VT_TOKEN_NULL)
        return vt_load_refuse_value(loader, vt_load_expectation(VT_KIND_TEXT), token);
    return keep_text(loader, token, text);
}

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

static int add_node(struct vt_loader *loader, struct vt_load_frame *frame, const struct vt_token *token,
                    json_t **node)
{
    double value;
    if (token->type == VT_TOKEN_NUMBER && (token->length > 40 || !vt_load_number(token, &value)))
        return vt_load_refuse_value(loader, "a finite number", token);
    if (token->type == VT_TOKEN_TEXT && token->length > VT_LOAD_MAX_TEXT)
        return vt_load_refuse(loader, "expected a string of at most %d bytes, found %zu", VT_LOAD_MAX_TEXT,
                              token->length);
    if (++loader->nodes > VT_LOAD_MAX_NODES)
        return vt_load_refuse(loader, "expected at most %d values in host, settings, audit and totals",
                              VT_LOAD_MAX_NODES);
    *node = make_node(token);
    if (!*node)
        return vt_load_lacks_memory(loader);
    if (json_is_string(*node))
        vt_text_clean((char *)(uintptr_t)json_string_value(*node), json_string_length(*node));
    if (json_is_array(frame->node) ? json_array_append_new(frame->node, *node)
                                   : json_object_set_new_nocheck(frame->node, frame->key, *node))
        return vt_load_lacks_memory(loader);
    return 1;
}

static struct vt_load_frame *top(struct vt_loader *loader)
{
    return &loader->frames[loader->depth - 1];
}

static struct vt_load_frame *push(struct vt_loader *loader, enum vt_load_frame_type type)
{
    if (loader->depth == VT_LOAD_MAX_DEPTH) {
        vt_load_refuse(loader, "expected at most %d levels of nesting", VT_LOAD_MAX_DEPTH);
        return NULL;
    }
    struct vt_load_frame *frame = &loader->frames[loader->depth++];
    frame->type = type;
    frame->seen = 0;
    frame->index = 0;
    frame->field = NULL;
    frame->node = NULL;
    frame->key[0] = '\0';
    return frame;
}

static int push_object(struct vt_loader *loader, const struct vt_shape *shape, void *target)
{
    struct vt_load_frame *frame = push(loader, FRAME_OBJECT);
    if (!frame)
        return 0;
    frame->shape = shape;
    frame->target = target;
    return 1;
}

static int push_tree(struct vt_loader *loader, json_t **place)
{
    struct vt_load_frame *frame = push(loader, FRAME_TREE);
    if (!frame)
        return 0;
    frame->node = *place = json_object();
    return *place ? 1 : vt_load_lacks_memory(loader);
}

static int start_document(struct vt_loader *loader, const struct vt_token *token)
{
    if (token->type != VT_TOKEN_OBJECT)
        return vt_load_refuse_value(loader, "a result document, which is an object", token);
    uint64_t line, column;
    vt_load_locate(loader, &line, &column);
    loader->result = vt_result_new();
    if (!loader->result)
        return vt_load_lacks_memory(loader);
    loader->result->file = vt_arena_text(&loader->result->arena, loader->name, strlen(loader->name));
    if (loader->result->file)
        vt_text_clean((char *)(uintptr_t)loader->result->file, strlen(loader->result->file));
    loader->result->line = line;
    loader->document_start = loader->window_start;
    loader->document_line = line;
    loader->numbers_kept = loader->nodes = loader->profiled = 0;
    if (!loader->result->file)
        return vt_load_lacks_memory(loader);
    return push_object(loader, &vt_load_document_shape, loader->result);
}

static int start_row(struct vt_loader *loader)
{
    struct vt_result *result = loader->result;
    if (result->count == VT_LOAD_MAX_ROWS)
        return vt_load_refuse(loader, "expected at most %d measurements", VT_LOAD_MAX_ROWS);
    struct vt_result_row *row = vt_memory_append(result->rows, result->count);
    if (!row)
        return vt_load_lacks_memory(loader);
    *row = (struct vt_result_row){.cpl = -1,
                                  .vcpus = NAN,
                                  .depth = NAN,
                                  .outer_exits = NAN,
                                  .iterations = NAN,
                                  .batches = NAN,
                                  .marked = NAN,
                                  .exits_per_op = NAN,
                                  .toll = vt_result_unknown_summary(),
                                  .toll_cycles = vt_result_unknown_summary()};
    for (int part = 0; part < VT_PARTS; part++)
        row->breakdown[part] = vt_result_unknown_summary();
    return push_object(loader, &vt_load_row_shape, row);
}

/* Most of a document is proof and background, which medians of many hosts do without. */
static bool is_spared(const struct vt_loader *loader, const struct vt_field *field,
                      const struct vt_token *token)
{
    bool container = token->type == VT_TOKEN_OBJECT || token->type == VT_TOKEN_ARRAY;
    if (!loader->options->facts_only || !container)
        return false;
    return field->kind == VT_KIND_EVIDENCE || field->kind == VT_KIND_PROFILE ||
           strcmp(field->key, "toll_cycles") == 0 || strcmp(field->key, "breakdown") == 0 ||
           (field->kind == VT_KIND_TREE && strcmp(field->key, "host") != 0 &&
            strcmp(field->key, "settings") != 0);
}

/* Is a container below `host` part of no fact that is wanted? Its keys are those of the frames above it. */
static bool is_spared_of_host(const struct vt_loader *loader, const struct vt_load_frame *frame)
{
    const char *const *fact = loader->options->facts_only;
    for (; fact && *fact; fact++) {
        const char *rest = *fact;
        const struct vt_load_frame *step = &loader->frames[1];
        for (; rest && step <= frame; step++) {
            size_t length = strlen(step->key);
            rest = strncmp(rest, step->key, length) == 0 && rest[length] == '.' ? rest + length + 1 : NULL;
        }
        if (rest)
            return false;
    }
    return loader->options->facts_only != NULL;
}

static int open_profile(struct vt_loader *loader, const struct vt_profile **place)
{
    struct vt_profile *profile = vt_load_open_profile(loader);
    *place = profile;
    return profile ? push_object(loader, &vt_load_profile_shape, profile) : vt_load_lacks_memory(loader);
}

static int open_function(struct vt_loader *loader, const struct vt_token *token)
{
    if (token->type != VT_TOKEN_OBJECT)
        return vt_load_refuse_value(loader, "an object", token);
    struct vt_profile_function *function = vt_load_open_function(loader);
    return function ? push_object(loader, &vt_load_function_shape, function) : 0;
}

static int open_array(struct vt_loader *loader, const struct vt_field *field, enum vt_load_frame_type type,
                      const struct vt_token *token)
{
    return token->type == VT_TOKEN_ARRAY
               ? push(loader, type) != NULL
               : vt_load_refuse_value(loader, vt_load_expectation(field->kind), token);
}

static int open_field(struct vt_loader *loader, const struct vt_field *field, void *place,
                      const struct vt_token *token)
{
    bool object = token->type == VT_TOKEN_OBJECT;
    switch (field->kind) {
    case VT_KIND_OBJECT:
        return object ? push_object(loader, field->shape, place)
                      : vt_load_refuse_value(loader, "an object", token);
    case VT_KIND_TREE:
        return object ? push_tree(loader, place) : vt_load_refuse_value(loader, "an object", token);
    case VT_KIND_EVIDENCE:
        return object ? push(loader, FRAME_EVIDENCE) != NULL
                      : vt_load_refuse_value(loader, vt_load_expectation(VT_KIND_EVIDENCE), token);
    case VT_KIND_PROFILE:
        return object ? open_profile(loader, place)
                      : vt_load_refuse_value(loader, vt_load_expectation(field->kind), token);
    case VT_KIND_ROWS:
        return open_array(loader, field, FRAME_ROWS, token);
    case VT_KIND_SERIES:
        return open_array(loader, field, FRAME_SERIES, token);
    case VT_KIND_INTERVAL:
        return open_array(loader, field, FRAME_INTERVAL, token);
    case VT_KIND_FUNCTIONS:
        return open_array(loader, field, FRAME_FUNCTIONS, token);
    case VT_KIND_STACKS:
        return open_array(loader, field, FRAME_STACKS, token);
    default:
        return vt_load_refuse_value(loader, vt_load_expectation(field->kind), token);
    }
}

static void *place_of(const struct vt_load_frame *frame)
{
    return (char *)frame->target + frame->field->offset;
}

int vt_load_open(struct vt_loader *loader, const struct vt_token *token)
{
    if (loader->depth == 0)
        return start_document(loader, token);
    struct vt_load_frame *frame = top(loader);
    json_t *node = NULL;
    switch (frame->type) {
    case FRAME_OBJECT:
        if (frame->field && is_spared(loader, frame->field, token))
            return push(loader, FRAME_SKIP) != NULL;
        if (frame->field)
            return open_field(loader, frame->field, place_of(frame), token);
        return push(loader, FRAME_SKIP) != NULL;
    case FRAME_ROWS:
        return token->type == VT_TOKEN_OBJECT ? start_row(loader)
                                              : vt_load_refuse_value(loader, "an object", token);
    case FRAME_FUNCTIONS:
        return open_function(loader, token);
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
        return vt_load_refuse_value(loader, "a number", token);
    }
}

int vt_load_count_numbers(struct vt_loader *loader, struct vt_load_frame *frame, size_t count)
{
    frame->index += count;
    loader->numbers_kept += count;
    if (frame->index <= VT_LOAD_MAX_SERIES && loader->numbers_kept <= VT_LOAD_MAX_NUMBERS)
        return 1;
    return vt_load_refuse(loader, "expected at most %d numbers in a series and %d in a document",
                          VT_LOAD_MAX_SERIES, VT_LOAD_MAX_NUMBERS);
}

static int add_number(struct vt_loader *loader, struct vt_load_frame *frame, const struct vt_token *token)
{
    double value;
    if (token->type != VT_TOKEN_NUMBER)
        return vt_load_refuse_value(loader, "a number", token);
    if (!vt_load_count_numbers(loader, frame, 1))
        return 0;
    if (!loader->options->samples)
        return 1;
    if (!vt_load_number(token, &value))
        return vt_load_refuse_value(loader, "a finite number", token);
    if (frame->index > loader->numbers_most) {
        double *numbers = vt_memory_grow(loader->numbers, loader->numbers_most++, 1, sizeof *numbers);
        if (!numbers)
            return vt_load_lacks_memory(loader);
        loader->numbers = numbers;
    }
    loader->numbers[frame->index - 1] = value;
    return 1;
}

static int add_bound(struct vt_loader *loader, struct vt_load_frame *frame, const struct vt_token *token)
{
    const struct vt_load_frame *owner = frame - 1;
    double value, *bounds = place_of(owner);
    if (frame->index == 2 || !vt_load_number(token, &value))
        return vt_load_refuse_value(loader, vt_load_expectation(VT_KIND_INTERVAL), token);
    bounds[frame->index++] = value;
    if (frame->index == 2 && bounds[0] > bounds[1])
        return vt_load_refuse(loader, "expected the lower bound first, found %g before %g", bounds[0],
                              bounds[1]);
    return 1;
}

static int add_evidence(struct vt_loader *loader, struct vt_load_frame *frame, const struct vt_token *token)
{
    double value;
    if (!vt_load_number(token, &value))
        return vt_load_refuse_value(loader, vt_load_expectation(VT_KIND_NUMBER), token);
    loader->evidence[frame->index].per_operation = value;
    frame->index++;
    return 1;
}

static int set_field(struct vt_loader *loader, struct vt_load_frame *frame, const struct vt_token *token)
{
    if (!frame->field)
        return 1;
    if (frame->field->kind == VT_KIND_TEXT)
        return take_text(loader, token, place_of(frame));
    if (!vt_load_field(token, frame->field->kind, place_of(frame)))
        return vt_load_refuse_value(loader, vt_load_expectation(frame->field->kind), token);
    return 1;
}

int vt_load_scalar(struct vt_loader *loader, const struct vt_token *token)
{
    if (loader->depth == 0)
        return vt_load_refuse_value(loader, "a result document, which is an object", token);
    struct vt_load_frame *frame = top(loader);
    json_t *node;
    switch (frame->type) {
    case FRAME_OBJECT:
        return set_field(loader, frame, token);
    case FRAME_ROWS:
    case FRAME_FUNCTIONS:
        return vt_load_refuse_value(loader, "an object", token);
    case FRAME_STACKS:
        return vt_load_add_stack(loader, frame, token);
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

static int take_object_key(struct vt_loader *loader, struct vt_load_frame *frame, const char *key,
                           size_t length)
{
    frame->field = vt_load_find_field(frame->shape, frame->index, key, length);
    if (!frame->field)
        return 1;
    frame->index = (size_t)(frame->field - frame->shape->fields) + 1;
    uint64_t bit = UINT64_C(1) << (frame->field - frame->shape->fields);
    if (frame->seen & bit)
        return vt_load_refuse(loader, "expected each key once, found it twice");
    frame->seen |= bit;
    return 1;
}

static int copy_key(struct vt_loader *loader, struct vt_load_frame *frame, const char *key, size_t length)
{
    if (length >= VT_LOAD_MAX_KEY || memchr(key, '\0', length))
        return vt_load_refuse(loader, "expected a key of at most %d bytes", VT_LOAD_MAX_KEY - 1);
    memcpy(frame->key, key, length);
    frame->key[length] = '\0';
    vt_text_clean(frame->key, length);
    return 1;
}

static int take_evidence_key(struct vt_loader *loader, struct vt_load_frame *frame, const char *key,
                             size_t length)
{
    if (!copy_key(loader, frame, key, length))
        return 0;
    if (frame->index == VT_LOAD_MAX_EVIDENCE)
        return vt_load_refuse(loader, "expected at most %d counters", VT_LOAD_MAX_EVIDENCE);
    for (size_t i = 0; i < frame->index; i++)
        if (strcmp(loader->evidence[i].name, frame->key) == 0)
            return vt_load_refuse(loader, "expected each key once, found it twice");
    loader->evidence[frame->index].name = vt_arena_text(&loader->result->arena, frame->key, length);
    return loader->evidence[frame->index].name ? 1 : vt_load_lacks_memory(loader);
}

int vt_load_key(struct vt_loader *loader, const char *key, size_t length)
{
    struct vt_load_frame *frame = top(loader);
    switch (frame->type) {
    case FRAME_OBJECT:
        return take_object_key(loader, frame, key, length);
    case FRAME_EVIDENCE:
        return take_evidence_key(loader, frame, key, length);
    case FRAME_TREE:
        if (!copy_key(loader, frame, key, length))
            return 0;
        return json_object_get(frame->node, frame->key)
                   ? vt_load_refuse(loader, "expected each key once, found it twice")
                   : 1;
    default:
        return 1;
    }
}

static int close_series(struct vt_loader *loader, const struct vt_load_frame *frame)
{
    if (!loader->options->samples || frame->index == 0)
        return 1;
    struct vt_result_series *series = place_of(frame - 1);
    double *values = vt_arena_take(&loader->result->arena, frame->index * sizeof *values);
    if (!values)
        return vt_load_lacks_memory(loader);
    memcpy(values, loader->numbers, frame->index * sizeof *values);
    *series = (struct vt_result_series){values, frame->index};
    return 1;
}

static int close_evidence(struct vt_loader *loader, const struct vt_load_frame *frame)
{
    struct vt_result_row *row = (frame - 1)->target;
    struct vt_result_counter *copy = vt_arena_take(&loader->result->arena, frame->index * sizeof *copy);
    if (!copy)
        return vt_load_lacks_memory(loader);
    memcpy(copy, loader->evidence, frame->index * sizeof *copy);
    row->evidence = copy;
    row->evidence_count = frame->index;
    return 1;
}

static bool has_key(const struct vt_load_frame *frame, const char *key)
{
    const struct vt_field *field = vt_load_find_field(frame->shape, 0, key, strlen(key));
    return frame->seen >> (field - frame->shape->fields) & 1;
}

static int require(struct vt_loader *loader, struct vt_load_frame *frame, const char *const *keys)
{
    for (frame->field = NULL; *keys; keys++)
        if (!has_key(frame, *keys))
            return vt_load_refuse(loader, "expected the key \"%s\", which is missing", *keys);
    return 1;
}

static int close_row(struct vt_loader *loader, struct vt_load_frame *frame)
{
    static const char *const required[] = {"case", "engine", "status", NULL};
    struct vt_result_row *row = frame->target;
    if (!require(loader, frame, required))
        return 0;
    if (!row->name || !row->engine)
        return vt_load_refuse(loader, "expected a case and an engine, found null");
    vt_result_recognize(row);
    (frame - 1)->index++;
    return 1;
}

static int close_document(struct vt_loader *loader, struct vt_load_frame *frame)
{
    static const char *const required[] = {"schema", "measurements", NULL};
    if (!require(loader, frame, required))
        return 0;
    struct vt_result *result = loader->result;
    loader->result = NULL;
    loader->documents++;
    loader->sink_status = loader->sink(result, loader->context);
    if (loader->sink_status == -ENOMEM)
        vt_error_memory(loader->error, loader->name);
    return loader->sink_status == 0;
}

static int close_frame(struct vt_loader *loader, struct vt_load_frame *frame)
{
    switch (frame->type) {
    case FRAME_SERIES:
        return close_series(loader, frame);
    case FRAME_EVIDENCE:
        return close_evidence(loader, frame);
    case FRAME_INTERVAL:
        return frame->index == 2 ? 1
                                 : vt_load_refuse(loader, "expected two numbers, found %zu", frame->index);
    case FRAME_OBJECT:
        if (frame->shape == &vt_load_row_shape)
            return close_row(loader, frame);
        if (frame->shape == &vt_load_document_shape)
            return close_document(loader, frame);
        if (frame->shape == &vt_load_profile_shape)
            return vt_load_close_profile(loader, frame->target);
        return 1;
    default:
        return 1;
    }
}

int vt_load_close(struct vt_loader *loader)
{
    if (!close_frame(loader, top(loader)))
        return 0;
    loader->depth--;
    if (loader->depth && top(loader)->type == FRAME_OBJECT)
        top(loader)->field = NULL;
    return 1;
}
