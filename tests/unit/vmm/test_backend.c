#include "tests/unit/suite.h"
#include "vmm/backend.h"

#define VMX (1u << VT_BACKEND_VMX)
#define SVM (1u << VT_BACKEND_SVM)
#define PVM (1u << VT_BACKEND_PVM)

START_TEST(one_module_is_the_backend)
{
    for (int svm = 0; svm < 2; svm++) {
        ck_assert_int_eq(vt_vmm_choose_backend(0, svm), VT_BACKEND_UNKNOWN);
        ck_assert_int_eq(vt_vmm_choose_backend(VMX, svm), VT_BACKEND_VMX);
        ck_assert_int_eq(vt_vmm_choose_backend(SVM, svm), VT_BACKEND_SVM);
        ck_assert_int_eq(vt_vmm_choose_backend(PVM, svm), VT_BACKEND_PVM);
    }
}
END_TEST

/* As /sys/module looks where the kernel has KVM built in: WSL, appliances, kernels made for a fleet. */
START_TEST(of_both_vendors_modules_the_processors_own_counts)
{
    ck_assert_int_eq(vt_vmm_choose_backend(VMX | SVM, false), VT_BACKEND_VMX);
    ck_assert_int_eq(vt_vmm_choose_backend(VMX | SVM, true), VT_BACKEND_SVM);
}
END_TEST

START_TEST(two_that_may_both_have_registered_are_unknown)
{
    ck_assert_int_eq(vt_vmm_choose_backend(VMX | PVM, false), VT_BACKEND_UNKNOWN);
    ck_assert_int_eq(vt_vmm_choose_backend(VMX | SVM | PVM, true), VT_BACKEND_UNKNOWN);
}
END_TEST

VT_SUITE(one_module_is_the_backend, of_both_vendors_modules_the_processors_own_counts,
         two_that_may_both_have_registered_are_unknown)
