#include "guest/boot/text.h"

void vt_boot_copy_text(char *to, uint64_t room, const char *from)
{
    for (; room > 1 && from && *from; room--)
        *to++ = *from++;
    *to = '\0';
}

bool vt_boot_text_is(const char *text, const char *word)
{
    for (; *word; word++)
        if (*text++ != *word)
            return false;
    return *text == '\0';
}
