/*
 * The loader of result documents, and every format on what it lets through.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -I. -Ibuild tests/fuzz/fuzz_result.c ...
 */
#include "report/format.h"
#include "report/load.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int print_all(struct vt_result *result, void *context)
{
    size_t count;
    const struct vt_format *formats = vt_report_formats(&count);
    const struct vt_screen screen = {.utf8 = true, .width = 80};
    FILE *stream = context;
    for (size_t i = 0; stream && i < count; i++)
        if (strcmp(formats[i].name, "html") != 0) /* gnuplot would be most of the time */
            vt_report_print(&formats[i], &result, 1, &screen, stream, NULL);
    vt_result_free(result);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *sink;
    const struct vt_load_options options = {.samples = true};
    struct vt_error error = {.text = ""};
    if (!sink)
        sink = fopen("/dev/null", "we");
    if (vt_report_load_memory("fuzz", data, size, &options, print_all, sink, &error) != 0 &&
        strchr(error.text, '\n'))
        __builtin_trap(); /* a complaint is one line */
    return 0;
}
