#include "guest/image/pvhstart.h"

#include <stddef.h>

struct start_info {
    uint32_t magic, version, flags, modules;
    uint64_t module_list, command_line; /* physical addresses */
};

enum { TAG_END, TAG_LINE };
#define HEADER 8 /* size of all, and 4 bytes of nothing; then tags on 8 bytes */

struct tag {
    uint32_t type, size;
};

const char *vt_image_line_of_pvh(uint64_t from)
{
    return (const char *)((const struct start_info *)from)->command_line;
}

const char *vt_image_line_of_multiboot(uint64_t from)
{
    const uint64_t end = from + *(const uint32_t *)from;
    uint64_t at = from + HEADER;

    while (at + sizeof(struct tag) <= end) {
        const struct tag *tag = (const struct tag *)at;
        if (tag->type == TAG_END || tag->size < sizeof *tag)
            break;
        if (tag->type == TAG_LINE)
            return (const char *)(tag + 1);
        at += (tag->size + 7) & ~UINT64_C(7);
    }
    return NULL;
}
