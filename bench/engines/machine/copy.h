/* Guest memory as the emulator reaches it: addresses of this process that may lead nowhere. */
#ifndef VT_MACHINE_COPY_H
#define VT_MACHINE_COPY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Copy `size` (>= 1) bytes; 0, or the page-fault error code with bit 16 set when an address is not
 * accessible: then a part may have been copied. Needs a handler that calls vt_machine_fix_access.
 */
uint32_t vt_machine_copy(void *to, const void *from, size_t size);

#endif
