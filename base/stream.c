#include "base/stream.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct sink {
    char **text;
    size_t *size;
    bool cut;
};

/* The byte for the end was asked for with those before it. */
static ssize_t keep(void *cookie, const char *bytes, size_t count)
{
    struct sink *sink = cookie;
    char *text = sink->cut ? NULL : vt_memory_grow(*sink->text, *sink->size, count + 1, 1);
    sink->cut = !text;
    if (!text)
        return 0;
    memcpy(text + *sink->size, bytes, count);
    *sink->size += count;
    text[*sink->size] = '\0';
    *sink->text = text;
    return (ssize_t)count;
}

static int end(void *cookie)
{
    struct sink *sink = cookie;
    bool cut = sink->cut;
    if (cut) {
        free(*sink->text);
        *sink->text = NULL;
    }
    free(sink);
    return cut ? EOF : 0;
}

FILE *vt_stream_memory(char **text, size_t *size)
{
    static const cookie_io_functions_t functions = {.write = keep, .close = end};
    struct sink *sink = malloc(sizeof *sink);
    FILE *stream = NULL;
    *text = vt_memory_grow(NULL, 0, 1, 1);
    *size = 0;
    if (sink && *text) {
        **text = '\0';
        *sink = (struct sink){.text = text, .size = size};
        stream = fopencookie(sink, "w", functions);
    }
    if (!stream) {
        free(sink);
        free(*text);
        *text = NULL;
    }
    return stream;
}
