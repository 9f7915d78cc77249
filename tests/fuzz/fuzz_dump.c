/*
 * libFuzzer over dumps of CPUID: parsing, every detector, the text.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -I. -Ibuild tests/fuzz/fuzz_dump.c ...
 *     ./fuzz_dump -max_len=16384 corpus tests/data/cpuid tests/data/dumps
 */
#include "probes/probe.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vt_error error;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    json_t *probe = vt_probes_dump_text("dump", text, size, &error);
    if (probe) {
        FILE *sink = fopen("/dev/null", "we");
        if (sink) {
            vt_probes_render(probe, sink, true, 80);
            fclose(sink);
        }
    } else if (!*error.text || strchr(error.text, '\n')) {
        abort(); /* one clear line, always */
    }
    json_decref(probe);
    free(text);
    return 0;
}
