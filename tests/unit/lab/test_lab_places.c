/* Where the batches and the cases lie in the labs' images. */
#include "guest/catalogue.h"
#include "lab/image.h"
#include "lab/profile/elf.h"
#include "lab/profile/places.h"
#include "tests/unit/suite.h"

/* The addresses that tell twins apart are computed from this program's own; each image must agree. */
START_TEST(cases_lie_in_images_as_in_this_program)
{
    const struct {
        const uint8_t *start, *end;
    } images[] = {{vt_image_pvh, vt_image_pvh_end}, {vt_image_xenpv, vt_image_xenpv_end}};
    const struct vt_case *cpuid = vt_guest_find_case("cpuid"), *rdpkru = vt_guest_find_case("rdpkru");

    for (size_t i = 0; i < 2; i++) {
        const char *image = (const char *)images[i].start;
        size_t size = (size_t)(images[i].end - images[i].start);
        struct vt_profile_places places = vt_profile_places_of_image(images[i].start, images[i].end, i == 1);
        ck_assert_uint_ne(places.code, 0);
        ck_assert_uint_eq(vt_elf_find(image, size, "vt_batch_begin"), places.record.begin);
        ck_assert_uint_eq(vt_elf_find(image, size, "vt_batch_end"), places.record.end);
        ck_assert_uint_eq(vt_elf_find(image, size, "vt_body_cpuid"),
                          places.code + (uint64_t)((const uint8_t *)cpuid->body - vt_guest_code_start));
        ck_assert_uint_eq(vt_elf_find(image, size, "vt_baseline_rdpkru"),
                          places.code + (uint64_t)((const uint8_t *)rdpkru->baseline - vt_guest_code_start));
        ck_assert(i == 0 ? places.record.high == 0
                         : places.record.low < places.code && places.record.high > places.record.end);
    }
}
END_TEST

VT_SUITE(cases_lie_in_images_as_in_this_program)
