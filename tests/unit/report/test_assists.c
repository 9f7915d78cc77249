/* What want of NRIPS and of decode assists costs is what lies under the functions that only that calls. */
#include "report/assists.h"
#include "tests/unit/suite.h"

#include <string.h>

enum { RUN, SKIP, EMULATE, FETCH, WALK, MARK };

static struct vt_profile_function functions[] = {
    [RUN] = {"kvm_arch_vcpu_ioctl_run", "kvm", 1000, 1000},
    [SKIP] = {"__svm_skip_emulated_instruction", "kvm_amd", 0, 0},
    [EMULATE] = {"x86_emulate_instruction", "kvm", 0, 0},
    [FETCH] = {"__do_insn_fetch_bytes", "kvm", 0, 0},
    [WALK] = {"paging64_gva_to_gpa", "kvm", 0, 0},
    [MARK] = {"svm_vcpu_run", "kvm_amd", 0, 0},
};

/* Stepping over: emulate and below. Emulated: all of it, or its fetch. A walk that somebody else asked for.
 */
static struct vt_profile_stack stacks[] = {
    {-1, RUN, 1000},    {0, SKIP, 20},   {1, EMULATE, 300}, {2, FETCH, 400}, {3, WALK, 50},
    {0, EMULATE, 7000}, {5, FETCH, 600}, {6, WALK, 60},     {0, WALK, 90},   {0, MARK, 80},
};

static struct vt_assists ask(const char *name, enum vt_path path, size_t count)
{
    struct vt_profile profile = {.operations = 10,
                                 .functions = functions,
                                 .function_count = count,
                                 .stacks = stacks,
                                 .stack_count = sizeof stacks / sizeof stacks[0]};
    struct vt_result_row row = {.name = name, .profile = &profile, .known.path = path};
    return vt_assists_of(&row);
}

START_TEST(stepping_over_is_nrips)
{
    struct vt_assists assists = ask("cpuid", VT_PATH_HARDWARE, 6);
    ck_assert_double_eq_tol(assists.nrips, 75, 1e-9);
    ck_assert_double_eq(assists.decode, 0); /* emulated for another reason, on every processor */
}
END_TEST

START_TEST(what_decode_assists_tell_depends_on_the_exit)
{
    ck_assert_double_eq_tol(ask("mov-from-cr4", VT_PATH_HARDWARE, 6).decode, 766, 1e-9);
    ck_assert_double_eq_tol(ask("mmio-write-user", VT_PATH_HARDWARE, 6).decode, 66, 1e-9);
    ck_assert_double_eq_tol(ask("mmio-write-user", VT_PATH_HARDWARE, 6).nrips, 75, 1e-9);
    ck_assert_double_eq(ask("rep-outs-user", VT_PATH_HARDWARE, 6).decode, 0);
}
END_TEST

START_TEST(others_than_amds_lack_neither)
{
    struct vt_result_row none = {.name = "cpuid", .known.path = VT_PATH_HARDWARE};

    functions[SKIP].module = "kvm";
    ck_assert_double_eq(ask("cpuid", VT_PATH_HARDWARE, 5).nrips, 0);
    functions[SKIP].module = "kvm_amd";
    ck_assert_double_eq(ask("mmio-write-user", VT_PATH_PARAVIRTUAL, 6).decode, 0);
    ck_assert_double_eq(vt_assists_of(&none).nrips, 0);
}
END_TEST

VT_SUITE(stepping_over_is_nrips, what_decode_assists_tell_depends_on_the_exit, others_than_amds_lack_neither)
