#include "guest/image/xenname.h"
#include "guest/image/image.h"
#include "guest/image/witness.h"

/* xen/include/public: xen.h, version.h */
#define HYPERVISOR_VERSION 17
enum { VERSION = 0, EXTRA_VERSION = 1, CHANGESET = 4 };

static bool ask(uint64_t command, char answer[64])
{
    return (int64_t)vt_image_call(HYPERVISOR_VERSION, command, (uint64_t)(uintptr_t)answer, 0, 0) == 0;
}

void vt_image_name_xen(void)
{
    uint64_t version = vt_image_call(HYPERVISOR_VERSION, VERSION, 0, 0, 0);
    char text[65] = "";

    vt_image_say("@fact hypervisor Xen ");
    vt_image_say_number(version >> 16 & 0xffff);
    vt_image_say(".");
    vt_image_say_number(version & 0xffff);
    if (ask(EXTRA_VERSION, text))
        vt_image_say(text);
    if (ask(CHANGESET, text) && *text) {
        vt_image_say(" of ");
        vt_image_say(text);
    }
    vt_image_say("\n");
}
