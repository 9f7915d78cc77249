/* Unpacking: whatever gzip or xz claims, no more comes out than was allowed. */
#include "base/packed.h"

#include <stdint.h>
#include <stdlib.h>

enum { LIMIT = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;
    size_t length;
    if (vt_packed_unpack((const char *)data, size, LIMIT, &text, &length) == 0) {
        if (length > LIMIT || text[length] != '\0')
            __builtin_trap();
        free(text);
    }
    return 0;
}
