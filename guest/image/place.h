/*
 * Where the image's memory really lies. Linked at fixed addresses, it may be loaded elsewhere (guest/boot/):
 * linear addresses from 0 to VT_GUEST_MEMORY then begin at another physical one. All others are physical as
 * well.
 */
#ifndef VT_GUEST_IMAGE_PLACE_H
#define VT_GUEST_IMAGE_PLACE_H

#include "guest/abi.h"

/* Physical address of linear 0; whoever starts the image knows it. */
extern uint64_t vt_image_base;

static inline uint64_t vt_image_physical_address(uint64_t linear)
{
    return linear < VT_GUEST_MEMORY ? linear + vt_image_base : linear;
}

static inline uint64_t vt_image_physical(const volatile void *linear)
{
    return vt_image_physical_address((uintptr_t)linear);
}

#endif
