#include "bench/engines/native/umip.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* arch/x86/kernel/umip.c: UMIP_DUMMY_GDT_BASE; no real GDT lies in that hole of the kernel's address map. */
#define DUMMY_GDT_BASE UINT64_C(0xfffffffffffe0000)

static const char *const covered[] = {"sgdt", "sidt", "sldt", "str", "smsw"};

bool vt_native_umip_is_emulated(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } table = {0, 0};

    __asm__ volatile("sgdt %0" : "=m"(table));
    return table.base == DUMMY_GDT_BASE;
}

bool vt_native_umip_covers(const struct vt_case *c)
{
    for (size_t i = 0; i < sizeof covered / sizeof covered[0]; i++)
        if (strcmp(c->name, covered[i]) == 0)
            return true;
    return false;
}
