/* What an image says, as it is and with checks that fit, so that what stands behind them is reached. */
#include "image/import.h"
#include "image/lines.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void import(const char *text, size_t size)
{
    struct vt_error error;
    struct vt_result *result = vt_image_import_memory("log", text, size, &error);
    if (!result) {
        if (*error.text == '\0' || strchr(error.text, '\n'))
            __builtin_trap(); /* a refusal is one line */
        return;
    }
    for (size_t i = 0; i < result->count; i++)
        if (result->rows[i].status == VT_STATUS_OK && !isfinite(result->rows[i].toll.median))
            __builtin_trap();
    vt_result_free(result);
}

/* Each line that begins as the image's do, up to its check. */
static size_t seal(char *to, const char *line, size_t length)
{
    const char *star = memchr(line, '*', length);
    size_t body = star && star > line ? (size_t)(star - line - 1) : length;
    memcpy(to, line, body);
    return body + (size_t)sprintf(to + body, " *%04x\n", vt_image_check(line, body));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char *sealed = malloc(size * 8 + 8);
    size_t used = 0;

    if (!sealed)
        return 0;
    import(text, size);
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        used += seal(sealed + used, text + at, length);
        at += length + 1;
    }
    import(sealed, used);
    free(sealed);
    return 0;
}
