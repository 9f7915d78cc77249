/* The PV domain's state, which its program and its proofs share. */
#include "guest/image/image.h"
#include "guest/image/xenpv.h"

struct xen_domain vt_image_domain;
struct xen_pages vt_image_pages __attribute__((aligned(16384)));

/* struct mmuext_op */
uint64_t vt_image_mmuext(uint64_t command, uint64_t first, uint64_t second)
{
    const uint64_t operation[3] = {command, first, second};
    return vt_image_call(XEN_MMUEXT_OP, (uint64_t)(uintptr_t)operation, 1, 0, XEN_DOMID_SELF);
}
