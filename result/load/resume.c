#include "result/load/scan.h"
#include "result/load/state.h"

#include <errno.h>
#include <string.h>

enum { LOOK_AHEAD = 64 };
static const uint64_t max_search = 1 << 26; /* bytes without a document: input may never end */

static bool starts_document(const unsigned char *bytes, size_t size)
{
    struct vt_scan mark = {.at = bytes, .end = bytes + size}, scan = mark;
    const unsigned char *quote;
    if (vt_load_scan_mark(&mark))
        scan = mark;
    if (scan.at == scan.end || *scan.at++ != '{')
        return false;
    vt_load_scan_blanks(&scan);
    bytes = scan.at;
    return scan.at < scan.end && vt_load_scan_key(&scan, &quote) &&
           vt_load_find_field(&vt_load_document_shape, 0, (const char *)bytes + 1,
                              (size_t)(quote - bytes) - 1) != NULL;
}

int vt_load_find_document(struct vt_source *source, uint64_t *offset, uint64_t *line)
{
    const unsigned char *bytes, *newline;
    struct vt_error ignored;
    uint64_t end = *offset + max_search;
    while (*offset < end) {
        ssize_t size = vt_source_at(source, *offset, 1, &bytes, &ignored);
        if (size <= 0)
            return size == -ESPIPE ? -ESPIPE : 0;
        newline = memchr(bytes, '\n', (size_t)size);
        *offset += newline ? (uint64_t)(newline - bytes) + 1 : (uint64_t)size;
        if (!newline)
            continue;
        ++*line;
        size = vt_source_at(source, *offset, LOOK_AHEAD, &bytes, &ignored);
        if (size > 0 && starts_document(bytes, (size_t)size))
            return 1;
    }
    return 0;
}

/* Move to `target`, counting lines; false: the input ends before. */
static bool skip_to(struct vt_source *source, uint64_t target, uint64_t *offset, uint64_t *line)
{
    const unsigned char *bytes;
    while (*offset < target) {
        ssize_t size = vt_source_at(source, *offset, 1, &bytes, NULL);
        if (size <= 0)
            return false;
        if ((uint64_t)size > target - *offset)
            size = (ssize_t)(target - *offset);
        *line += vt_load_scan_lines(bytes, (size_t)size);
        *offset += (uint64_t)size;
    }
    return true;
}

size_t vt_result_load_split(const char *path, uint64_t stride, struct vt_load_part *parts, size_t room)
{
    struct vt_source source;
    size_t count = 0;
    uint64_t line = 1, offset = 0;
    if (vt_source_open(&source, path, NULL, NULL) != 0)
        return 0;
    while (source.seekable && count < room) {
        parts[count++] = (struct vt_load_part){offset, UINT64_MAX, line};
        if (!skip_to(&source, offset + stride, &offset, &line) ||
            vt_load_find_document(&source, &offset, &line) != 1)
            break;
        parts[count - 1].end = offset;
    }
    vt_source_release(&source);
    return count;
}
