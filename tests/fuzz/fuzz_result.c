/*
 * The loader of result documents, and every format on what it lets through, by
 * itself and as a fleet.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -I. -Ibuild tests/fuzz/fuzz_result.c ...
 */
#include "fleet/format/format.h"
#include "report/format.h"
#include "result/load/load.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int print_all(struct vt_result *result, void *context)
{
    const struct vt_screen screen = {.utf8 = true, .width = 80};
    FILE *stream = context;
    for (int i = 0; stream && i < VT_FORMATS; i++)
        if (i != VT_FORMAT_HTML && vt_report_has_format(i)) /* gnuplot would be most of the time */
            vt_report_print(i, &result, 1, &screen, stream, NULL);
    vt_result_free(result);
    return 0;
}

static int take(struct vt_result *result, void *context)
{
    return vt_fleet_add(context, result);
}

static void complain(const struct vt_error *error, void *context)
{
    (void)context;
    if (strchr(error->text, '\n'))
        __builtin_trap(); /* a complaint is one line */
}

static void report_fleet(const uint8_t *data, size_t size, FILE *sink)
{
    struct vt_fleet fleet;
    struct vt_error error = {.text = ""};
    if (vt_fleet_start(&fleet, size % 2 ? "kernel" : NULL, &error) != 0)
        return;
    const struct vt_load_options options = {.facts_only = vt_fleet_facts(&fleet), .complain = complain};
    vt_result_load_memory("fuzz", data, size, &options, take, &fleet, &error);
    complain(&error, NULL);
    if (vt_fleet_finish(&fleet, &error) == 0)
        for (int i = 0; sink && i < VT_FORMATS; i++)
            if (vt_fleet_has_format(i))
                vt_fleet_print(i, &fleet, sink);
    vt_fleet_release(&fleet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *sink;
    const struct vt_load_options options = {.samples = true};
    struct vt_error error = {.text = ""};
    if (!sink)
        sink = fopen("/dev/null", "we");
    if (vt_result_load_memory("fuzz", data, size, &options, print_all, sink, &error) != 0 &&
        strchr(error.text, '\n'))
        __builtin_trap(); /* a complaint is one line */
    report_fleet(data, size, sink);
    return 0;
}
