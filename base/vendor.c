#include "base/vendor.h"

#include <cpuid.h>

/* "Hygo", first register of the vendor string; GCC's cpuid.h has no name for it. */
#define signature_HYGON_ebx 0x6f677948

bool vt_vendor_has_svm(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(0, &a, &b, &c, &d) && (b == signature_AMD_ebx || b == signature_HYGON_ebx);
}
