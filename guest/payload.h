/* The payload's code as symbols, for images that are linked with it. */
#ifndef VT_GUEST_PAYLOAD_H
#define VT_GUEST_PAYLOAD_H

#include <stdint.h>

/* All of it, position-dependent: [start, end); the vectors' entry stubs, VT_STUB_SIZE bytes apart, lie
 * inside. */
extern const uint8_t vt_payload_start[], vt_payload_end[], vt_payload_stubs[];

#endif
