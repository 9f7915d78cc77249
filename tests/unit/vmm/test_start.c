/* A machine that is started again is as one that was never used: no case meets what another left. */
#include "guest/abi.h"
#include "tests/unit/suite.h"
#include "vmm/vm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

/* Intel SDM 3A table 11-1 */
#define SVR           0xf0
#define LVT_TIMER     0x320
#define INITIAL_COUNT 0x380
#define ENABLED       0x100
#define MASKED        0x10000
#define PERIODIC      0x20000

static struct vt_error error;

static uint32_t apic_register(const struct vt_vm *vm, size_t offset)
{
    struct kvm_lapic_state apic;
    uint32_t value;

    ck_assert_int_eq(ioctl(vm->vcpu, KVM_GET_LAPIC, &apic), 0);
    memcpy(&value, apic.regs + offset, sizeof value);
    return value;
}

static void set_apic_register(const struct vt_vm *vm, size_t offset, uint32_t value)
{
    struct kvm_lapic_state apic;

    ck_assert_int_eq(ioctl(vm->vcpu, KVM_GET_LAPIC, &apic), 0);
    memcpy(apic.regs + offset, &value, sizeof value);
    ck_assert_int_eq(ioctl(vm->vcpu, KVM_SET_LAPIC, &apic), 0);
}

static void start(struct vt_vm *vm)
{
    ck_assert_msg(vt_vmm_start(vm, 0, VT_APIC_X2, vm->payload_entry, VT_GUEST_MAILBOX, &error) == 0, "%s",
                  error.text);
}

START_TEST(a_timer_that_was_set_is_masked_again)
{
    struct vt_vm vm;

    int status = vt_vmm_open(&vm, &error);
    if (status != 0 && error.exit == VT_EXIT_ENVIRONMENT)
        vt_skip("%s", error.text);
    ck_assert_msg(status == 0, "%s", error.text);
    if (!vm.irqchip)
        vt_skip("this KVM has no interrupt controller of its own");
    start(&vm);
    set_apic_register(&vm, LVT_TIMER, PERIODIC | VT_VECTOR_DEADLINE);
    set_apic_register(&vm, INITIAL_COUNT, UINT32_MAX);
    ck_assert_uint_eq(apic_register(&vm, LVT_TIMER) & MASKED, 0);

    start(&vm);
    ck_assert_uint_ne(apic_register(&vm, LVT_TIMER) & MASKED, 0);
    ck_assert_uint_eq(apic_register(&vm, INITIAL_COUNT), 0);
    ck_assert_uint_ne(apic_register(&vm, SVR) & ENABLED, 0);
    vt_vmm_close(&vm);
}
END_TEST

VT_SUITE(a_timer_that_was_set_is_masked_again)
