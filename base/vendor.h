/*
 * Whose processor this is, as far as the choice between Intel's and AMD's
 * virtualization goes. Asks CPUID, nothing else.
 */
#ifndef VT_BASE_VENDOR_H
#define VT_BASE_VENDOR_H

#include <stdbool.h>

/* AMD or Hygon: SVM and VMMCALL. Otherwise VMX and VMCALL. */
bool vt_vendor_has_svm(void);

#endif
