/*
 * The guest as a hypervisor on VT-x: what it writes into its guest's VMCS, what is said of one that was
 * refused or left otherwise than it should be, and, where KVM offers VT-x, that one that misbehaves is told
 * why.
 */
#include "bench/engines/kvm/nested.h"
#include "guest/vmcs.h"
#include "guest/vmx.h"
#include "tests/unit/suite.h"

#include <asm/vmx.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *memory;
static struct vt_vm vm;

/* As Linux 6.1 offers it to a guest on a Skylake. */
static const struct vt_vmx_capabilities offered = {
    .basic = UINT64_C(0x00d8100011e57ed0),
    .pin = UINT64_C(0x0000007f00000016),
    .processor = UINT64_C(0xf7b9fffe04006172),
    .exit = UINT64_C(0x003fefff00036dfb),
    .entry = UINT64_C(0x0000d3ff000011fb),
    .secondary = UINT64_C(0x0011f4fe00000000),
    .ept_vpid = UINT64_C(0x00000f0106334141),
};

static struct vt_mailbox *box(void)
{
    return (void *)(memory + VT_GUEST_MAILBOX);
}

static struct vt_scratch *scratch(void)
{
    return (void *)(memory + VT_GUEST_SCRATCH);
}

static void fill(enum vt_inner kind, uint64_t base, const struct vt_vmx_capabilities *capabilities)
{
    const struct vt_longmode_features features = {.vmx = true};
    const struct vt_vmx_inner inner = {kind, 0x123456, 0x50000};
    struct kvm_sregs sregs = {0};

    free(memory);
    memory = calloc(1, VT_GUEST_MEMORY);
    ck_assert_ptr_nonnull(memory);
    vt_longmode_registers(&sregs, 0, &features);
    vt_vmx_fill(memory, base, &sregs, capabilities, &inner);
    scratch()->inner = base + VT_GUEST_NESTED + VT_NESTED_INNER;
    vm = (struct vt_vm){.vcpu = -1, .memory = memory, .base = base};
}

static const struct vt_vmx_field *find(uint64_t encoding)
{
    const struct vt_vmx_field *field = (const void *)(memory + VT_GUEST_NESTED + VT_NESTED_FIELDS);

    for (; field->encoding != VT_VMX_FIELDS_END; field++)
        if (field->encoding == encoding)
            return field;
    return NULL;
}

static uint64_t value_of(uint64_t encoding)
{
    const struct vt_vmx_field *field = find(encoding);

    ck_assert_msg(field != NULL, "no field 0x%llx", (unsigned long long)encoding);
    return field->value;
}

static const enum vt_inner kinds[] = {VT_INNER_NONE,     VT_INNER_REFUSED, VT_INNER_CALLS,
                                      VT_INNER_SHADOWED, VT_INNER_AS_KVM,  VT_INNER_RUNS};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* The processor refuses others (Intel SDM 3C 27.2.1): those that must be 1 are, and none that may not. */
START_TEST(controls_are_those_that_are_allowed)
{
    const struct {
        uint64_t encoding, capability;
    } controls[] = {
        {VT_VMCS_PIN_CONTROLS, offered.pin},
        {VT_VMCS_PROCESSOR_CONTROLS, offered.processor},
        {VT_VMCS_EXIT_CONTROLS, offered.exit},
        {VT_VMCS_ENTRY_CONTROLS, offered.entry},
        {VT_VMCS_SECONDARY_CONTROLS, offered.secondary},
    };

    for (size_t k = 0; k < KINDS; k++) {
        fill(kinds[k], 0, &offered);
        for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++) {
            if (controls[i].encoding == VT_VMCS_SECONDARY_CONTROLS && kinds[k] == VT_INNER_SHADOWED)
                continue;
            uint64_t value = value_of(controls[i].encoding);
            ck_assert_uint_eq(value & ~(controls[i].capability >> 32), 0);
            ck_assert_uint_eq(~value & (uint32_t)controls[i].capability, 0);
        }
        ck_assert(value_of(VT_VMCS_EXIT_CONTROLS) >> 9 & 1);
        ck_assert(value_of(VT_VMCS_ENTRY_CONTROLS) >> 9 & 1);
    }
}
END_TEST

START_TEST(each_field_is_written_once)
{
    for (size_t k = 0; k < KINDS; k++) {
        size_t count = 0;
        fill(kinds[k], 0, &offered);
        const struct vt_vmx_field *all = (const void *)(memory + VT_GUEST_NESTED + VT_NESTED_FIELDS);
        for (; all[count].encoding != VT_VMX_FIELDS_END; count++)
            for (size_t i = 0; i < count; i++)
                ck_assert_msg(all[i].encoding != all[count].encoding, "0x%llx twice",
                              (unsigned long long)all[i].encoding);
        ck_assert_uint_gt(count, 80);
        ck_assert_uint_lt(count, 200);
    }
}
END_TEST

START_TEST(a_guest_is_in_the_state_of_its_hypervisor)
{
    const uint64_t base = 3 * (uint64_t)VT_GUEST_MEMORY;
    uint32_t revision;

    fill(VT_INNER_CALLS, base, &offered);
    ck_assert_uint_eq(value_of(VT_VMCS_GUEST_RIP), 0x123456);
    ck_assert_uint_eq(value_of(VT_VMCS_GUEST_RIGHTS + 2), 0xa09b); /* CS */
    ck_assert_uint_eq(value_of(VT_VMCS_GUEST_SELECTOR + 14), VT_SEL_TSS);
    ck_assert_uint_eq(value_of(VT_VMCS_HOST_TR), VT_SEL_TSS);
    ck_assert_uint_eq(value_of(VT_VMCS_GUEST_CR3), value_of(VT_VMCS_HOST_CR3));
    ck_assert(value_of(VT_VMCS_GUEST_CR4) >> 13 & 1);
    ck_assert_uint_eq(value_of(VT_VMCS_EPT_POINTER), (base + VT_GUEST_NESTED + VT_NESTED_TABLES) | 0x1e);
    ck_assert_ptr_null(find(VT_VMCS_HOST_RIP));
    for (uint64_t page = VT_NESTED_SAVE; page <= VT_NESTED_OWN; page += 0x1000) {
        memcpy(&revision, memory + VT_GUEST_NESTED + page, sizeof revision);
        ck_assert_uint_eq(revision, 0x11e57ed0);
    }
    fill(VT_INNER_SHADOWED, base, &offered);
    ck_assert_ptr_null(find(VT_VMCS_EPT_POINTER));
    ck_assert_uint_eq(value_of(VT_VMCS_PROCESSOR_CONTROLS) >> 31, 0);
    fill(VT_INNER_AS_KVM, base, &offered);
    ck_assert(value_of(VT_VMCS_PROCESSOR_CONTROLS) >> 28 & 1);
    ck_assert_uint_eq(memory[VT_GUEST_NESTED + VT_NESTED_BITMAP + 0xfff], 0xff);
    fill(VT_INNER_RUNS, base, &offered);
    ck_assert(value_of(VT_VMCS_PROCESSOR_CONTROLS) >> 28 & 1);
    ck_assert_uint_eq(memory[VT_GUEST_NESTED + VT_NESTED_BITMAP], 0);
}
END_TEST

/* A processor by its MSRs; the last that was asked for. */
struct processor {
    uint64_t basic, processor, secondary;
    uint32_t asked, missing;
};

static int read_of(void *context, uint32_t msr, uint64_t *value)
{
    struct processor *p = context;

    p->asked = msr;
    *value = msr == VT_VMX_BASIC_MSR        ? p->basic
             : msr == 0x482 || msr == 0x48e ? p->processor
             : msr == 0x48b                 ? p->secondary
             : msr == 0x48c                 ? offered.ept_vpid
                                            : msr;
    return msr == p->missing ? -ENOENT : 0;
}

START_TEST(capabilities_are_read_as_far_as_there_are_any)
{
    struct vt_vmx_capabilities got;
    struct processor p = {
        .basic = offered.basic, .processor = offered.processor, .secondary = offered.secondary};

    ck_assert_int_eq(vt_vmx_read_capabilities(&got, read_of, &p), 0);
    ck_assert_uint_eq(got.pin, 0x48d);
    ck_assert_uint_eq(got.entry, 0x490);
    ck_assert(vt_vmx_has_ept(&got) && vt_vmx_has_vpid(&got));
    p.basic &= ~(UINT64_C(1) << 55);
    p.secondary &= ~(UINT64_C(1) << 33);
    ck_assert_int_eq(vt_vmx_read_capabilities(&got, read_of, &p), 0);
    ck_assert_uint_eq(got.pin, 0x481);
    ck_assert_uint_eq(got.entry, 0x484);
    ck_assert(!vt_vmx_has_ept(&got) && vt_vmx_has_vpid(&got));
    p.processor &= ~(UINT64_C(1) << 63);
    ck_assert_int_eq(vt_vmx_read_capabilities(&got, read_of, &p), 0);
    ck_assert_uint_eq(p.asked, 0x484);
    ck_assert(!vt_vmx_has_ept(&got) && !vt_vmx_has_vpid(&got));
    p.missing = 0x483;
    ck_assert_int_eq(vt_vmx_read_capabilities(&got, read_of, &p), -ENOENT);
}
END_TEST

static bool checked(const char *name, char *reason, size_t size)
{
    return vt_kvm_nested_check(&vm, vt_guest_find_case(name), reason, size);
}

/* What the payload left there, or did not. */
START_TEST(how_the_inner_guest_was_left_is_told)
{
    char reason[160] = "";

    fill(VT_INNER_CALLS, 0, &offered);
    vt_kvm_nested_forget(&vm, vt_guest_find_case("vmresume"));
    ck_assert(!checked("vmresume", reason, sizeof reason));
    scratch()->sink[4] = 0;
    box()->left = (struct vt_guest_left){.reason = EXIT_REASON_CPUID, .rip = 0x1000};
    ck_assert(!checked("vmresume", reason, sizeof reason));
    ck_assert_msg(strstr(reason, "0xa (CPUID), 0x0 at 0x1000"), "%s", reason);
    box()->left.reason = EXIT_REASON_VMCALL;
    ck_assert(checked("vmresume", reason, sizeof reason));
    ck_assert(checked("vmresume-as-kvm", reason, sizeof reason));
    scratch()->sink[4] = 1;
    box()->left.error = 7;
    ck_assert(!checked("vmresume", reason, sizeof reason));
    ck_assert_msg(strstr(reason, "error 7 (entry with invalid control fields)"), "%s", reason);
    ck_assert(!checked("vmlaunch-refused", reason, sizeof reason));
    box()->left.error = 4;
    ck_assert(checked("vmlaunch-refused", reason, sizeof reason));
    scratch()->sink[4] = 0;
    ck_assert(!checked("vmlaunch-refused", reason, sizeof reason));
    box()->left.reason = 0x80000021;
    ck_assert(!checked("vmresume", reason, sizeof reason));
    ck_assert_msg(strstr(reason, "(entry with invalid guest state)"), "%s", reason);
}
END_TEST

START_TEST(what_was_not_read_or_written_is_seen)
{
    const char *const names[] = {"vmread", "vmwrite", "vmptrst"};
    char reason[160] = "";

    fill(VT_INNER_NONE, 0, &offered);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        vt_kvm_nested_forget(&vm, vt_guest_find_case(names[i]));
        scratch()->sink[4] = 0;
        ck_assert_msg(!checked(names[i], reason, sizeof reason), "%s", names[i]);
        ck_assert_msg(strstr(reason, "is not there"), "%s", reason);
    }
    scratch()->sink[0] = EXIT_REASON_CPUID;
    box()->left.rip = VT_NESTED_MARK;
    memcpy(scratch()->buffer, &scratch()->inner, sizeof scratch()->inner);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(checked(names[i], reason, sizeof reason), "%s: %s", names[i], reason);
    vt_kvm_nested_forget(&vm, vt_guest_find_case("vmclear"));
    ck_assert(!checked("vmclear", reason, sizeof reason));
    scratch()->sink[4] = 0;
    ck_assert(checked("vmclear", reason, sizeof reason));
}
END_TEST

START_TEST(a_refusal_is_told)
{
    const struct {
        struct vt_guest_left left;
        const char *told;
    } rows[] = {
        {{VT_STEP_VMXON, 0, UINT64_MAX, 0, 0, 0}, "VMXON fails in the guest, and there is no VMCS"},
        {{VT_STEP_VMPTRLD, 0, 11, 0, 0, 0},
         "VMPTRLD fails in the guest: error 11 (VMPTRLD of another revision)"},
        {{VT_STEP_VMWRITE, 0x401e, 12, 0, 0, 0},
         "VMWRITE of field 0x401e fails in the guest: error 12 (a field"},
        {{VT_STEP_VMLAUNCH, 0, 7, 0, 0, 0},
         "VMLAUNCH fails in the guest: error 7 (entry with invalid control"},
        {{VT_STEP_VMLAUNCH, 0, 99, 0, 0, 0}, "error 99 (one this build has no name for)"},
        {{0, 0, UINT64_MAX, UINT64_MAX, 0, 0}, "was not entered"},
    };
    char text[160];

    fill(VT_INNER_CALLS, 0, &offered);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        box()->left = rows[i].left;
        vt_kvm_nested_tell(&vm, vt_guest_find_case("vmresume"), text, sizeof text);
        ck_assert_msg(strstr(text, rows[i].told), "%s", text);
    }
}
END_TEST

VT_SUITE(controls_are_those_that_are_allowed, each_field_is_written_once,
         a_guest_is_in_the_state_of_its_hypervisor, capabilities_are_read_as_far_as_there_are_any,
         how_the_inner_guest_was_left_is_told, what_was_not_read_or_written_is_seen, a_refusal_is_told)
