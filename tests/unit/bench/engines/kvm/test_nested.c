/*
 * The guest as a hypervisor: what its control blocks hold, what is said of a guest's guest that was left
 * otherwise than it should be, and that a machine without nesting is told why.
 */
#include "bench/engine.h"
#include "bench/engines/kvm/nested.h"
#include "guest/svm.h"
#include "tests/unit/suite.h"

#include <asm/svm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *memory;
static struct vt_vm vm;

static struct vt_vmcb *block(uint64_t offset)
{
    return (void *)(memory + VT_GUEST_NESTED + offset);
}

static void fill(enum vt_inner kind, uint64_t base)
{
    const struct vt_longmode_features features = {.svm = true};
    const struct vt_svm_inner inner = {kind, 0x123456, 0x50000};
    struct kvm_sregs sregs = {0};

    free(memory);
    memory = calloc(1, VT_GUEST_MEMORY);
    ck_assert_ptr_nonnull(memory);
    vt_longmode_registers(&sregs, 0, &features);
    vt_svm_fill(memory, base, &sregs, &inner);
    vm = (struct vt_vm){.vcpu = -1, .memory = memory, .base = base};
}

/* The processor refuses a guest that lacks one of these (AMD APM 2 15.5.1). */
START_TEST(a_guest_that_is_not_to_be_refused_is_valid)
{
    static const enum vt_inner kinds[] = {VT_INNER_CALLS, VT_INNER_SHADOWED, VT_INNER_AS_KVM, VT_INNER_RUNS};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        fill(kinds[i], 0);
        const struct vt_vmcb *guest = block(VT_NESTED_INNER);
        ck_assert_uint_ne(guest->asid, 0);
        ck_assert(guest->intercepts[4] & 1);
        ck_assert(guest->efer & VT_SVM_EFER_SVME);
        ck_assert_uint_eq(guest->cs.attributes, 0xa9b);
        ck_assert_uint_eq(guest->tr.selector, VT_SEL_TSS);
        ck_assert_uint_eq(guest->rip, 0x123456);
        ck_assert_uint_eq(guest->nested_control, kinds[i] != VT_INNER_SHADOWED);
        ck_assert_uint_eq(guest->intercepts[4] >> 1 & 1, kinds[i] != VT_INNER_RUNS);
    }
    fill(VT_INNER_REFUSED, 0);
    ck_assert_uint_eq(block(VT_NESTED_INNER)->asid, 0);
}
END_TEST

/* Were they the same, the hypervisor below would fault at each accessed bit that the processor sets. */
START_TEST(nested_tables_are_not_those_that_are_walked)
{
    const uint64_t base = 3 * (uint64_t)VT_GUEST_MEMORY;

    fill(VT_INNER_CALLS, base);
    const struct vt_vmcb *guest = block(VT_NESTED_INNER);
    const uint64_t *pml4 = (void *)(memory + (guest->nested_cr3 - base));
    const uint64_t *pdpt = (void *)(memory + ((pml4[0] & ~UINT64_C(0xfff)) - base));
    const uint64_t *directory = (void *)(memory + ((pdpt[0] & ~UINT64_C(0xfff)) - base));
    ck_assert_uint_ne(guest->nested_cr3, guest->cr3);
    for (uint64_t i = 0; i < 512; i++)
        ck_assert_uint_eq(directory[i], i << 21 | 0x87);
    ck_assert_uint_lt((uint64_t)((const uint8_t *)directory - memory), VT_GUEST_NESTED + VT_NESTED_SIZE);
}
END_TEST

START_TEST(how_the_inner_guest_was_left_is_told)
{
    const struct vt_case *c = vt_guest_find_case("vmrun");
    char reason[160] = "";

    fill(VT_INNER_CALLS, 0);
    vt_kvm_nested_forget(&vm, c);
    ck_assert(!vt_kvm_nested_check(&vm, c, reason, sizeof reason));
    ck_assert_ptr_nonnull(strstr(reason, "was not entered"));
    block(VT_NESTED_INNER)->exit_code = SVM_EXIT_VMMCALL;
    ck_assert(vt_kvm_nested_check(&vm, c, reason, sizeof reason));
    block(VT_NESTED_INNER)->exit_code = (uint64_t)SVM_EXIT_ERR;
    ck_assert(!vt_kvm_nested_check(&vm, c, reason, sizeof reason));
    ck_assert_msg(strstr(reason, "(INVALID)"), "%s", reason);
    ck_assert(vt_kvm_nested_check(&vm, vt_guest_find_case("vmrun-refused"), reason, sizeof reason));
    block(VT_NESTED_INNER)->exit_code = SVM_EXIT_NPF;
    ck_assert(!vt_kvm_nested_check(&vm, vt_guest_find_case("vmrun-refused"), reason, sizeof reason));
    ck_assert_msg(strstr(reason, "0x400 (NPF)"), "%s", reason);
}
END_TEST

START_TEST(a_block_that_was_not_written_is_seen)
{
    const struct vt_case *save = vt_guest_find_case("vmsave"), *load = vt_guest_find_case("vmload");
    char reason[160] = "";

    fill(VT_INNER_SAVES, 0);
    vt_kvm_nested_forget(&vm, save);
    ck_assert(!vt_kvm_nested_check(&vm, save, reason, sizeof reason));
    ck_assert_ptr_nonnull(strstr(reason, "to save"));
    block(VT_NESTED_OWN)->tr.selector = VT_SEL_TSS;
    ck_assert(vt_kvm_nested_check(&vm, save, reason, sizeof reason));
    ck_assert(!vt_kvm_nested_check(&vm, load, reason, sizeof reason));
    ck_assert_ptr_nonnull(strstr(reason, "to load"));
}
END_TEST

/* Needs, what the machine has of them, and what of the reason. */
START_TEST(a_machine_without_nesting_is_told_why)
{
    const struct vt_vm none = {.vcpu = -1}, svm = {.vcpu = -1, .has_svm = true},
                       vmx = {.vcpu = -1, .has_vmx = true};
    const struct {
        const struct vt_vm *vm;
        uint32_t needs;
        const char *told;
    } rows[] = {
        {&none, VT_NEED_SVM | VT_NEED_NPT, "AMD-V"},
        {&none, VT_NEED_VMX | VT_NEED_EPT, "VT-x"},
        {&svm, VT_NEED_SVM | VT_NEED_NPT, "kvm_amd.npt"},
        {&svm, VT_NEED_VMX, "VT-x"},
        {&vmx, VT_NEED_SVM, "AMD-V"},
        {&vmx, VT_NEED_VMX | VT_NEED_EPT, "kvm_intel.ept"},
        {&vmx, VT_NEED_VMX | VT_NEED_VPID, "kvm_intel.vpid"},
    };
    const struct vt_vm npt = {.vcpu = -1, .has_svm = true, .has_npt = true};
    char reason[256] = "";

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        *reason = '\0';
        ck_assert(!vt_kvm_nested_offers(rows[i].vm, rows[i].needs, reason, sizeof reason));
        ck_assert_msg(strstr(reason, rows[i].told), "row %zu: %s", i, reason);
    }
    ck_assert(vt_kvm_nested_offers(&none, 0, reason, sizeof reason));
    ck_assert(vt_kvm_nested_offers(&svm, VT_NEED_SVM, reason, sizeof reason));
    ck_assert(vt_kvm_nested_offers(&vmx, VT_NEED_VMX, reason, sizeof reason));
    ck_assert(vt_kvm_nested_offers(&npt, VT_NEED_SVM | VT_NEED_NPT, reason, sizeof reason));
}
END_TEST

/* On this machine, whatever it is: each case runs and is seen to, or says why not. */
START_TEST(every_case_runs_here_or_says_why_not)
{
    static volatile int stop;
    const struct vt_engine_settings settings = {.limit_ns = 400000000, .stop = &stop};
    const struct vt_engine *engine = vt_bench_find_engine("kvm");
    struct vt_error error;
    char reason[512] = "";
    void *state;
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);

    if (!engine->available(reason, sizeof reason))
        vt_skip("%s", reason);
    ck_assert_int_eq(engine->open(&state, &settings, &error), 0);
    for (size_t i = 0; i < count; i++) {
        struct vt_batch batch;
        if (cases[i].class != VT_CLASS_VIRTUALIZATION)
            continue;
        *reason = '\0';
        if (!engine->supports(state, &cases[i], 0, reason, sizeof reason)) {
            ck_assert_msg(*reason, "%s", cases[i].name);
            continue;
        }
        ck_assert_msg(engine->prepare(state, &cases[i], 0, &error) == 0, "%s: %s", cases[i].name, error.text);
        ck_assert_msg(engine->batch(state, VT_BODY, 10, &batch, &error) == VT_BATCH_DONE, "%s: %s",
                      cases[i].name, error.text);
    }
    engine->close(state);
    if (*reason)
        printf("# %s\n", reason);
}
END_TEST

VT_SUITE(a_guest_that_is_not_to_be_refused_is_valid, nested_tables_are_not_those_that_are_walked,
         how_the_inner_guest_was_left_is_told, a_block_that_was_not_written_is_seen,
         a_machine_without_nesting_is_told_why, every_case_runs_here_or_says_why_not)
