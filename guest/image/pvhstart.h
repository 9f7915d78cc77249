/* What the image's words are, by who started it. "" or NULL: none. */
#ifndef VT_GUEST_IMAGE_PVHSTART_H
#define VT_GUEST_IMAGE_PVHSTART_H

#include <stdint.h>

/* `from`: struct hvm_start_info (xen/include/public/arch-x86/hvm/start_info.h). */
const char *vt_image_line_of_pvh(uint64_t from);

/* `from`: boot information of Multiboot 2 (its specification 2.0, 3.6). */
const char *vt_image_line_of_multiboot(uint64_t from);

#endif
