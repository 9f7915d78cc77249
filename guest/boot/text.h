/* Text without a C library. */
#ifndef VT_GUEST_BOOT_TEXT_H
#define VT_GUEST_BOOT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Copy text of at most `room` bytes with its end, cut where it is longer. */
void vt_boot_copy_text(char *to, uint64_t room, const char *from);

/* Is that all of it? */
bool vt_boot_text_is(const char *text, const char *word);

#endif
