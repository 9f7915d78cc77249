#include "result/load/state.h"
#include "base/text.h"
#include "result/load/scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void describe_path(const struct vt_loader *loader, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < loader->depth; i++) {
        const struct vt_load_frame *frame = &loader->frames[i];
        const char *key = frame->type == FRAME_OBJECT ? (frame->field ? frame->field->key : "")
                          : frame->type == FRAME_TREE && json_is_array(frame->node)    ? ""
                          : frame->type == FRAME_TREE || frame->type == FRAME_EVIDENCE ? frame->key
                                                                                       : "";
        if (frame->type == FRAME_ROWS || frame->type == FRAME_SERIES || frame->type == FRAME_INTERVAL)
            vt_text_append(text, size, "[%zu]", frame->index);
        else if (*key)
            vt_text_append(text, size, "%s%.40s", *text ? "." : "", key);
    }
}

static const char *kind_of(const unsigned char *bytes, size_t size)
{
    static const struct {
        const char *magic, *meaning;
    } kinds[] = {
        {"\x1f\x8b", "a file compressed by gzip: unpack it first (gzip -dc)"},
        {"\x28\xb5\x2f\xfd", "a file compressed by zstd: unpack it first (zstd -dc)"},
        {"\xfd"
         "7zXZ",
         "a file compressed by xz: unpack it first (xz -dc)"},
        {"PK\x03\x04", "a zip archive: unpack it first"},
        {"\xff\xfe", "text in UTF-16: convert it first (iconv -f UTF-16)"},
        {"\xfe\xff", "text in UTF-16: convert it first (iconv -f UTF-16)"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (size >= strlen(kinds[i].magic) && memcmp(bytes, kinds[i].magic, strlen(kinds[i].magic)) == 0)
            return kinds[i].meaning;
    return NULL;
}

/* Line of `place`, which is in the window, and the offset where that begins. */
static void find_line(const struct vt_loader *loader, const unsigned char *place, uint64_t *line,
                      uint64_t *start)
{
    size_t size = (size_t)(place - loader->window);
    const unsigned char *newline = size ? memrchr(loader->window, '\n', size) : NULL;
    *line = loader->line + (newline ? vt_load_scan_lines(loader->window, size) : 0);
    *start = newline ? loader->window_start + (uint64_t)(newline - loader->window) + 1 : loader->line_start;
}

void vt_load_advance(struct vt_loader *loader, const unsigned char *place)
{
    find_line(loader, place, &loader->line, &loader->line_start);
    loader->window_start += (uint64_t)(place - loader->window);
    loader->window = place;
}

void vt_load_locate(const struct vt_loader *loader, uint64_t *line, uint64_t *column)
{
    uint64_t start;
    find_line(loader, loader->token, line, &start);
    *column = loader->window_start + (uint64_t)(loader->token - loader->window) - start + 1;
}

int vt_load_refuse(struct vt_loader *loader, const char *format, ...)
{
    char what[256], path[160], where[64] = "";
    uint64_t line, column;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    describe_path(loader, path, sizeof path);
    vt_load_locate(loader, &line, &column);
    if (loader->depth && loader->documents + loader->complaints && line != loader->document_line)
        snprintf(where, sizeof where, "; the document starts at line %zu", loader->document_line);
    vt_error_set(loader->error, VT_EXIT_USAGE, EBADMSG, "%s:%ju:%ju: %s%s%s%s", loader->name, (uintmax_t)line,
                 (uintmax_t)column, path, *path ? ": " : "", what, where);
    loader->failed = loader->refused = true;
    loader->refused_at = loader->window_start + (uint64_t)(loader->token - loader->window);
    loader->refused_line = line;
    return 0;
}

static void name_byte(const struct vt_scan *scan, bool is_part, char *text, size_t size)
{
    if (scan->at == scan->end)
        snprintf(text, size, is_part ? "the next document" : "the end of the file");
    else
        snprintf(text, size, *scan->at > ' ' && *scan->at < 0x7f ? "'%c'" : "byte 0x%02x", *scan->at);
}

int vt_load_refuse_syntax(struct vt_loader *loader, const char *expected)
{
    const struct vt_scan *scan = &loader->scan;
    char found[32];
    const char *kind =
        loader->window_start == 0 ? kind_of(loader->window, (size_t)(scan->end - loader->window)) : NULL;
    loader->token = scan->at;
    if (kind)
        return vt_load_refuse(loader, "expected a result document in JSON, found %s", kind);
    if (scan->at == scan->end && loader->depth)
        return vt_load_refuse(loader, "the %s, in the middle of a document; it was cut off",
                              loader->is_part ? "next one starts here" : "file ends here");
    name_byte(scan, loader->is_part, found, sizeof found);
    return vt_load_refuse(loader, "expected a result document in JSON, and here %s, found %s", expected,
                          found);
}

int vt_load_lacks_memory(struct vt_loader *loader)
{
    vt_error_memory(loader->error, loader->name);
    loader->failed = true;
    return 0;
}

int vt_load_refuse_value(struct vt_loader *loader, const char *expected, const struct vt_token *token)
{
    if (token->type == VT_TOKEN_NUMBER || token->type == VT_TOKEN_TEXT)
        return vt_load_refuse(loader, "expected %s, found %s%.*s%s", expected,
                              token->type == VT_TOKEN_TEXT ? "\"" : "",
                              (int)(token->length < 40 ? token->length : 40), token->text,
                              token->type == VT_TOKEN_TEXT ? "\"" : "");
    return vt_load_refuse(loader, "expected %s, found %s", expected, vt_load_token_name(token));
}
