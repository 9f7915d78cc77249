#include "lab/profile/places.h"
#include "guest/abi.h"
#include "guest/catalogue.h"
#include "lab/profile/elf.h"

extern const uint8_t vt_batch_begin[], vt_batch_end[], vt_payload_image[];

static struct vt_profile_places places_at(uint64_t code)
{
    return (struct vt_profile_places){
        .code = code,
        .record.begin = code + (uint64_t)(vt_batch_begin - vt_guest_code_start),
        .record.end = code + (uint64_t)(vt_batch_end - vt_guest_code_start),
    };
}

struct vt_profile_places vt_profile_places_of_payload(void)
{
    struct vt_profile_places places = places_at(VT_GUEST_CASES);

    places.record.stubs = ((const struct vt_payload_header *)vt_payload_image)->stubs;
    places.record.lost = ((const struct vt_payload_header *)vt_payload_image)->lost;
    return places;
}

/* No kernel and no process runs at the payload's addresses. */
struct vt_profile_places vt_profile_places_of_payload_below(void)
{
    struct vt_profile_places places = vt_profile_places_of_payload();

    places.record.high = VT_GUEST_MEMORY;
    places.record.deep = 1;
    return places;
}

/* The section of the cases is the same in all programs that carry it: they are made of the same objects. */
struct vt_profile_places vt_profile_places_of_image(const uint8_t *start, const uint8_t *end, bool alone)
{
    const char *image = (const char *)start;
    size_t size = (size_t)(end - start);
    struct vt_profile_places places = places_at(vt_elf_find(image, size, "__start_vt_cases"));

    places.record.stubs = vt_elf_find(image, size, "vt_payload_stubs");
    if (alone)
        vt_elf_span(image, size, &places.record.low, &places.record.high);
    return places;
}
