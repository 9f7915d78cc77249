/* What a lab's machine says: the link, cut anywhere, and the quote of its console. */
#include "lab/console.h"
#include "lab/link.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_row(void *context, char *line)
{
    *(size_t *)context += strlen(line);
    return 0;
}

static void feed(const char *text, size_t size, size_t step)
{
    size_t rows = 0;
    struct vt_lab_link link = {.row = on_row, .context = &rows};
    for (size_t at = 0; at < size; at += step)
        if (vt_lab_link_feed(&link, text + at, size - at < step ? size - at : step) != 0)
            break;
    vt_lab_link_fact(&link, "kernel");
    if (link.document && link.document_size < link.document_wanted)
        __builtin_trap(); /* a document is there when it is complete */
    vt_lab_link_release(&link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *console = malloc(size + 1), text[200];
    if (!console)
        return 0;
    memcpy(console, data, size);
    console[size] = '\0';
    feed(console, size, size + 1);
    feed(console, size, size ? data[0] % 7 + 1 : 1);
    vt_console_has_panicked(console, "Kernel panic");
    vt_console_quote(console, "Kernel panic", text, sizeof text);
    vt_console_quote(console, NULL, text, sizeof text);
    if (!memchr(text, '\0', sizeof text) || strchr(text, '\n'))
        __builtin_trap(); /* a quote is one line */
    free(console);
    return 0;
}
