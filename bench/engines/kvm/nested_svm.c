#include "bench/engines/kvm/nested_kind.h"
#include "guest/svm.h"

#include <asm/svm.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

/* No exit has it, no segment and no base: a batch that leaves it there, or does not bring it, did nothing. */
#define UNTOUCHED UINT64_C(0x5555)

#define MSR_KERNEL_GS_BASE 0xc0000102

static struct vt_vmcb *block(const struct vt_vm *vm, uint64_t offset)
{
    return vt_vmm_memory(vm, VT_GUEST_NESTED + offset, sizeof(struct vt_vmcb));
}

static uint64_t entry(const struct vt_vm *vm, const struct vt_case *c)
{
    return c->inner == VT_INNER_RUNS ? vm->run_inner : vm->payload_entry;
}

static int set(const struct vt_vm *vm, const struct vt_case *c, struct vt_scratch *scratch,
               struct vt_error *error)
{
    const struct vt_svm_inner inner = {
        .kind = (enum vt_inner)c->inner,
        .rip = c->inner == VT_INNER_RUNS ? vm->payload_entry : vm->inner_call,
        .rsp = VT_GUEST_STACK,
    };
    struct kvm_sregs sregs;

    if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) != 0)
        return vt_error_set(error, VT_EXIT_INTERNAL, errno, "KVM_GET_SREGS failed: %s", strerror(errno));
    if (vt_vmm_set_msr(vm->vcpu, VT_SVM_HSAVE_MSR, vm->base + VT_GUEST_NESTED + VT_NESTED_SAVE) != 0)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, errno, "KVM refuses the guest's VM_HSAVE_PA: %s",
                            strerror(errno));
    vt_svm_fill(vm->memory, vm->base, &sregs, &inner);
    (void)scratch;
    return 0;
}

static void forget(const struct vt_vm *vm, const struct vt_case *c)
{
    block(vm, VT_NESTED_INNER)->exit_code = UNTOUCHED;
    if (c->inner == VT_INNER_SAVES)
        block(vm, VT_NESTED_OWN)->tr.selector = UNTOUCHED;
    if (c->inner == VT_INNER_LOADS) {
        block(vm, VT_NESTED_OWN)->kernel_gs_base = UNTOUCHED;
        vt_vmm_set_msr(vm->vcpu, MSR_KERNEL_GS_BASE, 0);
    }
}

/* Exit codes that a guest of ours may leave with (asm/svm.h). */
static const struct {
    uint64_t code;
    const char *name;
} exits[] = {
    {SVM_EXIT_VMMCALL, "VMMCALL"}, {SVM_EXIT_SHUTDOWN, "SHUTDOWN"},     {SVM_EXIT_NPF, "NPF"},
    {SVM_EXIT_VMRUN, "VMRUN"},     {(uint64_t)SVM_EXIT_ERR, "INVALID"},
};

static const char *exit_name(uint64_t code)
{
    for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++)
        if (exits[i].code == code)
            return exits[i].name;
    return "one this build has no name for";
}

static void tell(const struct vt_vm *vm, char *text, size_t size)
{
    const struct vt_vmcb *guest = block(vm, VT_NESTED_INNER);

    if (guest->exit_code == UNTOUCHED)
        snprintf(text, size, "the guest's guest was not entered");
    else
        snprintf(text, size,
                 "the guest's guest was left with exit code 0x%llx (%s), 0x%llx, 0x%llx at 0x%llx",
                 (unsigned long long)guest->exit_code, exit_name(guest->exit_code),
                 (unsigned long long)guest->exit_info[0], (unsigned long long)guest->exit_info[1],
                 (unsigned long long)guest->rip);
}

static bool has_moved(const struct vt_vm *vm, enum vt_inner inner)
{
    uint64_t base;

    if (inner == VT_INNER_SAVES)
        return block(vm, VT_NESTED_OWN)->tr.selector == VT_SEL_TSS;
    return vt_vmm_get_msr(vm->vcpu, MSR_KERNEL_GS_BASE, &base) == 0 && base == UNTOUCHED;
}

static bool check(const struct vt_vm *vm, const struct vt_case *c, char *reason, size_t size)
{
    static const uint64_t due[] = {
        [VT_INNER_REFUSED] = (uint64_t)SVM_EXIT_ERR,
        [VT_INNER_CALLS] = SVM_EXIT_VMMCALL,
        [VT_INNER_SHADOWED] = SVM_EXIT_VMMCALL,
        [VT_INNER_AS_KVM] = SVM_EXIT_VMMCALL,
    };

    switch (c->inner) {
    case VT_INNER_NONE:
    case VT_INNER_RUNS:
        return true;
    case VT_INNER_SAVES:
    case VT_INNER_LOADS:
        snprintf(reason, size, "what the instruction was to %s is not there",
                 c->inner == VT_INNER_SAVES ? "save" : "load");
        return has_moved(vm, (enum vt_inner)c->inner);
    default:
        tell(vm, reason, size);
        return block(vm, VT_NESTED_INNER)->exit_code == due[c->inner];
    }
}

const struct vt_kvm_nested_kind vt_kvm_nested_svm = {
    .entry = entry, .set = set, .forget = forget, .check = check, .tell = tell};
