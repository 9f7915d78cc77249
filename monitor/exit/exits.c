#include "monitor/exit/exits.h"

#include "guest/abi.h"
#include "monitor/exit/xcr0.h"

#define MMIO_PAGES 3
#define PAGE       UINT64_C(0x1000)

enum vt_monitor_end vt_exit_fail(unsigned vector)
{
    vt_monitor.vcpu.fault.vector = (uint8_t)vector;
    return VT_MONITOR_FAULT;
}

bool vt_exit_is_device(uint64_t address)
{
    return address - VT_GUEST_MMIO < MMIO_PAGES * PAGE || address - VT_GUEST_XAPIC < PAGE;
}

enum vt_monitor_end vt_exit_with_xcr0(enum vt_monitor_end (*inside)(void))
{
    struct vt_vcpu *vcpu = &vt_monitor.vcpu;
    bool switches = vcpu->cr[4] & VT_CR4_OSXSAVE;
    uint64_t own = switches ? vt_xcr0_read() : 0;

    if (switches)
        vt_xcr0_write(vcpu->xcr0);
    enum vt_monitor_end end = inside();
    if (switches) {
        vcpu->xcr0 = vt_xcr0_read();
        vt_xcr0_write(own);
    }
    return end;
}
