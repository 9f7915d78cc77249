/* Where the cases lie in the guests of the labs. */
#ifndef VT_LAB_PROFILE_PLACES_H
#define VT_LAB_PROFILE_PLACES_H

#include "lab/profile/record.h"

struct vt_profile_places {
    struct vt_record_places record;
    uint64_t code; /* of vt_guest_code_start in the guest */
};

/* The kvm engine's machine. */
struct vt_profile_places vt_profile_places_of_payload(void);

/* The same in a machine that a machine of the same kernel's started. */
struct vt_profile_places vt_profile_places_of_payload_below(void);

/* An image, an ELF file; `alone`: nothing else runs at its addresses, and no VMRUN starts it. */
struct vt_profile_places vt_profile_places_of_image(const uint8_t *start, const uint8_t *end, bool alone);

#endif
