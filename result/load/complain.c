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

const char *vt_load_known_kind(const unsigned char *bytes, size_t size)
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

void vt_load_locate(const struct vt_loader *loader, size_t consumed, uint64_t *line, uint64_t *column)
{
    uint64_t start = loader->line_start;
    if (consumed > loader->chunk_size)
        consumed = loader->chunk_size;
    const unsigned char *newline = consumed ? memrchr(loader->chunk, '\n', consumed) : NULL;
    *line = loader->line + vt_load_scan_lines(loader->chunk, consumed);
    if (newline)
        start = loader->chunk_start + (uint64_t)(newline - loader->chunk) + 1;
    *column = loader->chunk_start + consumed - start;
    if (*column == 0)
        *column = 1;
}

int vt_load_refuse(struct vt_loader *loader, const char *format, ...)
{
    char what[256], path[160], where[64] = "";
    size_t consumed = yajl_get_bytes_consumed(loader->parser);
    uint64_t line, column;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    describe_path(loader, path, sizeof path);
    vt_load_locate(loader, consumed, &line, &column);
    if (loader->depth && loader->documents + loader->complaints && line != loader->document_line)
        snprintf(where, sizeof where, "; the document starts at line %zu", loader->document_line);
    vt_error_set(loader->error, VT_EXIT_USAGE, EBADMSG, "%s:%ju:%ju: %s%s%s%s", loader->name, (uintmax_t)line,
                 (uintmax_t)column, path, *path ? ": " : "", what, where);
    loader->failed = loader->refused = true;
    loader->refused_at =
        loader->chunk_start + (consumed < loader->chunk_size ? consumed : loader->chunk_size);
    loader->refused_line = line;
    return 0;
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
