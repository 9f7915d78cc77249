/* Symbols of the machine this process runs on: the kernel's with its modules', and this program's. */
#ifndef VT_LAB_PROFILE_COLLECT_H
#define VT_LAB_PROFILE_COLLECT_H

#include <stddef.h>

/* As lab/profile/symbols.h reads them, handed over in pages (page.h); what cannot be read is left out. Their
 * size; 0: memory is out. */
size_t vt_symbols_hand_over(void);

/*
 * As lab/profile/symbols.h reads them, packed by zlib, malloc'ed and the caller's. What cannot be read is
 * left out. 0 or -ENOMEM.
 */
int vt_symbols_collect(unsigned char **packed, size_t *size);

/* What a machine sent, which is not trusted: malloc'ed, terminated, the caller's. NULL: it is not that. */
char *vt_symbols_unpack(const char *packed, size_t size);

#endif
