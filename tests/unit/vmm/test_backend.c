#include "tests/unit/suite.h"
#include "vmm/backend.h"

#define VMX (1u << VT_BACKEND_VMX)
#define SVM (1u << VT_BACKEND_SVM)
#define PVM (1u << VT_BACKEND_PVM)

START_TEST(one_module_is_the_backend)
{
    ck_assert_int_eq(vt_vmm_choose_backend(0, VMX | PVM), VT_BACKEND_UNKNOWN);
    ck_assert_int_eq(vt_vmm_choose_backend(VMX, VMX | PVM), VT_BACKEND_VMX);
    ck_assert_int_eq(vt_vmm_choose_backend(SVM, SVM | PVM), VT_BACKEND_SVM);
    ck_assert_int_eq(vt_vmm_choose_backend(PVM, VMX | PVM), VT_BACKEND_PVM);
}
END_TEST

/* As /sys/module looks where the kernel has KVM built in: WSL, appliances, kernels made for a fleet. */
START_TEST(of_both_vendors_modules_the_processors_own_counts)
{
    ck_assert_int_eq(vt_vmm_choose_backend(VMX | SVM, VMX | PVM), VT_BACKEND_VMX);
    ck_assert_int_eq(vt_vmm_choose_backend(VMX | SVM, SVM | PVM), VT_BACKEND_SVM);
}
END_TEST

/* Built-in code whose start failed stands there too. */
START_TEST(what_the_processor_has_not_cannot_have_started)
{
    ck_assert_int_eq(vt_vmm_choose_backend(VMX | PVM, PVM), VT_BACKEND_PVM);
    ck_assert_int_eq(vt_vmm_choose_backend(VMX | SVM | PVM, PVM), VT_BACKEND_PVM);
    ck_assert_int_eq(vt_vmm_choose_backend(VMX | SVM, PVM), VT_BACKEND_UNKNOWN);
}
END_TEST

START_TEST(two_that_may_both_have_registered_are_unknown)
{
    ck_assert_int_eq(vt_vmm_choose_backend(VMX | PVM, VMX | PVM), VT_BACKEND_UNKNOWN);
    ck_assert_int_eq(vt_vmm_choose_backend(VMX | SVM | PVM, SVM | PVM), VT_BACKEND_UNKNOWN);
}
END_TEST

START_TEST(a_processor_has_one_vendors_extension_at_most)
{
    unsigned possible = vt_vmm_possible_backends();
    ck_assert(possible & PVM);
    ck_assert((possible & (VMX | SVM)) != (VMX | SVM));
}
END_TEST

VT_SUITE(one_module_is_the_backend, of_both_vendors_modules_the_processors_own_counts,
         what_the_processor_has_not_cannot_have_started, two_that_may_both_have_registered_are_unknown,
         a_processor_has_one_vendors_extension_at_most)
