#include "bench/engines/kvm/nested_kind.h"
#include "guest/vmx.h"

#include <asm/vmx.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

/* Of the registers that a case leaves in the scratch block: what it read, and whether one failed. */
enum { READ = 0, FAILED = 4 };

/* VM-instruction error of VMLAUNCH with a VMCS that is not clear (Intel SDM 3C 31.4). */
#define ERROR_NOT_CLEAR 4

#define NOTHING UINT64_MAX /* no count of failures, no address, no field */

static const struct vt_guest_left *left_of(const struct vt_vm *vm)
{
    const struct vt_mailbox *box = vt_vmm_memory(vm, VT_GUEST_MAILBOX, sizeof *box);
    return &box->left;
}

static struct vt_scratch *scratch_of(const struct vt_vm *vm)
{
    return vt_vmm_memory(vm, VT_GUEST_SCRATCH, sizeof(struct vt_scratch));
}

static uint64_t entry(const struct vt_vm *vm, const struct vt_case *c)
{
    return c->inner == VT_INNER_RUNS ? vm->vmx_run : vm->vmx_entry;
}

static int set(const struct vt_vm *vm, const struct vt_case *c, struct vt_scratch *scratch,
               struct vt_error *error)
{
    const struct vt_vmx_inner inner = {(enum vt_inner)c->inner, vm->vmx_inner, VT_GUEST_STACK};
    struct kvm_sregs sregs;

    if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) != 0)
        return vt_error_set(error, VT_EXIT_INTERNAL, errno, "KVM_GET_SREGS failed: %s", strerror(errno));
    if (vt_vmm_set_msr(vm->vcpu, VT_VMX_FEATURE_CONTROL_MSR, VT_VMX_FEATURE_CONTROL) != 0)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, errno,
                            "KVM refuses the guest's IA32_FEATURE_CONTROL: %s", strerror(errno));
    vt_vmx_fill(vm->memory, vm->base, &sregs, &vm->vmx, &inner);
    scratch->vmxon = vm->base + VT_GUEST_NESTED + VT_NESTED_SAVE;
    scratch->inner_rip = c->inner == VT_INNER_RUNS ? vm->payload_entry : vm->vmx_call;
    scratch->invept[0] = vt_vmx_ept_pointer(vm->base);
    scratch->invvpid[0] = VT_NESTED_ASID;
    return 0;
}

/* The payload makes all else anew. */
static void forget(const struct vt_vm *vm, const struct vt_case *c)
{
    struct vt_scratch *scratch = scratch_of(vm);

    scratch->sink[READ] = scratch->sink[FAILED] = NOTHING;
    if (c->inner == VT_INNER_POINTS)
        memcpy(scratch->buffer, &(uint64_t){NOTHING}, sizeof(uint64_t));
}

struct name {
    uint64_t number;
    const char *name;
};

static const struct name steps[] = {
    {VT_STEP_VMXON, "VMXON"},     {VT_STEP_VMCLEAR, "VMCLEAR"},   {VT_STEP_VMPTRLD, "VMPTRLD"},
    {VT_STEP_VMWRITE, "VMWRITE"}, {VT_STEP_VMLAUNCH, "VMLAUNCH"}, {VT_STEP_VMRESUME, "VMRESUME"},
};

/* VM-instruction errors that the payload, or what it is told to do, can meet (Intel SDM 3C 31.4). */
static const struct name errors[] = {
    {2, "VMCLEAR with an invalid address"},
    {3, "VMCLEAR with the VMXON pointer"},
    {ERROR_NOT_CLEAR, "VMLAUNCH with a VMCS that is not clear"},
    {5, "VMRESUME with a VMCS that is not launched"},
    {7, "entry with invalid control fields"},
    {8, "entry with invalid host-state fields"},
    {9, "VMPTRLD with an invalid address"},
    {10, "VMPTRLD with the VMXON pointer"},
    {11, "VMPTRLD of another revision"},
    {12, "a field of the VMCS that is not supported"},
    {13, "VMWRITE to a read-only field"},
    {15, "VMXON in VMX operation"},
    {26, "entry with events blocked by MOV SS"},
    {28, "an operand of INVEPT or INVVPID that is not valid"},
};

/* Basic exit reasons that a guest of ours may leave with (asm/vmx.h). */
static const struct name reasons[] = {
    {EXIT_REASON_EXCEPTION_NMI, "exception or NMI"},
    {EXIT_REASON_EXTERNAL_INTERRUPT, "external interrupt"},
    {EXIT_REASON_TRIPLE_FAULT, "triple fault"},
    {EXIT_REASON_CPUID, "CPUID"},
    {EXIT_REASON_VMCALL, "VMCALL"},
    {EXIT_REASON_IO_INSTRUCTION, "I/O instruction"},
    {EXIT_REASON_MSR_READ, "RDMSR"},
    {EXIT_REASON_EPT_VIOLATION, "EPT violation"},
    {EXIT_REASON_EPT_MISCONFIG, "EPT misconfiguration"},
    {EXIT_REASON_INVALID_STATE | VMX_EXIT_REASONS_FAILED_VMENTRY, "entry with invalid guest state"},
    {EXIT_REASON_MSR_LOAD_FAIL | VMX_EXIT_REASONS_FAILED_VMENTRY, "entry with MSRs that do not load"},
};

static const char *name_of(const struct name *names, size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].number == number)
            return names[i].name;
    return "one this build has no name for";
}

#define NAME(names, number) name_of(names, sizeof(names) / sizeof(names)[0], number)

static void tell_refusal(const struct vt_guest_left *left, char *text, size_t size)
{
    char field[32] = "";

    if (left->step == VT_STEP_VMWRITE)
        snprintf(field, sizeof field, " of field 0x%llx", (unsigned long long)left->field);
    if (left->error == NOTHING)
        snprintf(text, size, "%s%s fails in the guest, and there is no VMCS to say why",
                 NAME(steps, left->step), field);
    else
        snprintf(text, size, "%s%s fails in the guest: error %llu (%s)", NAME(steps, left->step), field,
                 (unsigned long long)left->error, NAME(errors, left->error));
}

static void tell(const struct vt_vm *vm, char *text, size_t size)
{
    const struct vt_guest_left *left = left_of(vm);

    if (left->step)
        tell_refusal(left, text, size);
    else if (left->reason == NOTHING)
        snprintf(text, size, "the guest's guest was not entered");
    else
        snprintf(text, size, "the guest's guest was left with exit reason 0x%llx (%s), 0x%llx at 0x%llx",
                 (unsigned long long)left->reason, NAME(reasons, left->reason),
                 (unsigned long long)left->qualification, (unsigned long long)left->rip);
}

/* The guest's guest has left once for CPUID before the batch, so that another exit shows. */
static bool was_called(const struct vt_vm *vm, char *reason, size_t size)
{
    tell(vm, reason, size);
    return left_of(vm)->reason == EXIT_REASON_VMCALL;
}

static bool has_moved(const struct vt_vm *vm, enum vt_inner inner, char *reason, size_t size)
{
    const struct vt_scratch *scratch = scratch_of(vm);
    uint64_t pointer;

    memcpy(&pointer, scratch->buffer, sizeof pointer);
    snprintf(reason, size, "what the instruction was to %s is not there",
             inner == VT_INNER_SAVES ? "write" : "read");
    switch (inner) {
    case VT_INNER_SAVES:
        return left_of(vm)->rip == VT_NESTED_MARK;
    case VT_INNER_LOADS:
        return scratch->sink[READ] == EXIT_REASON_CPUID;
    case VT_INNER_POINTS:
        return pointer == scratch->inner;
    default:
        return true;
    }
}

static bool check(const struct vt_vm *vm, const struct vt_case *c, char *reason, size_t size)
{
    const struct vt_guest_left *left = left_of(vm);
    bool failed = scratch_of(vm)->sink[FAILED] != 0;

    if (c->inner == VT_INNER_RUNS)
        return true;
    if (c->inner == VT_INNER_REFUSED) {
        snprintf(reason, size, "the entry was not refused as it should be: error %llu (%s)",
                 (unsigned long long)left->error, NAME(errors, left->error));
        return failed && left->error == ERROR_NOT_CLEAR;
    }
    if (failed) {
        snprintf(reason, size, "the instruction fails in the guest: error %llu (%s)",
                 (unsigned long long)left->error, NAME(errors, left->error));
        return false;
    }
    if (c->inner >= VT_INNER_CALLS)
        return was_called(vm, reason, size);
    return has_moved(vm, (enum vt_inner)c->inner, reason, size);
}

const struct vt_kvm_nested_kind vt_kvm_nested_vmx = {
    .entry = entry, .set = set, .forget = forget, .check = check, .tell = tell};
