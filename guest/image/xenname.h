/* Which Xen this is, by its own words. */
#ifndef VT_GUEST_IMAGE_XENNAME_H
#define VT_GUEST_IMAGE_XENNAME_H

/* Say "@fact hypervisor Xen 4.17.5 of ..." through the link. Only under Xen. */
void vt_image_name_xen(void);

#endif
