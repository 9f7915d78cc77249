/* The local APIC's timer ends a run that does not return. One-shot, in either mode of the APIC. */
#include "monitor/timer.h"

#include "guest/abi.h"
#include "monitor/frame.h"
#include "monitor/msr.h"

#define MSR_APIC_BASE 0x1b
#define BASE_X2       (1u << 10)
#define BASE_ENABLE   (1u << 11)
#define X2_FIRST      0x800

/* Offsets in the xAPIC page (Intel SDM 3A table 11-1); divided by 16, the MSRs of x2APIC. */
#define EOI     0xb0
#define SVR     0xf0
#define LVT     0x320
#define INITIAL 0x380
#define CURRENT 0x390
#define DIVIDE  0x3e0

#define SVR_ENABLE 0x100
#define LVT_MASKED 0x10000
#define BY_ONE     0xb
/* The longest batch takes a hundredth of it on QEMU's, which ticks as time does. */
uint32_t vt_timer_limit = 500000000;

static uint32_t kept_svr;

static void write(uint32_t offset, uint32_t value)
{
    if (vt_msr_read(MSR_APIC_BASE) & BASE_X2)
        vt_msr_write(X2_FIRST + offset / 16, value);
    else
        *(volatile uint32_t *)(uintptr_t)(VT_GUEST_XAPIC + offset) = value;
}

static uint32_t read(uint32_t offset)
{
    if (vt_msr_read(MSR_APIC_BASE) & BASE_X2)
        return (uint32_t)vt_msr_read(X2_FIRST + offset / 16);
    return *(volatile uint32_t *)(uintptr_t)(VT_GUEST_XAPIC + offset);
}

static bool has_apic(void)
{
    return vt_msr_read(MSR_APIC_BASE) & BASE_ENABLE;
}

void vt_timer_arm(void)
{
    if (!has_apic())
        return;
    kept_svr = read(SVR);
    write(SVR, SVR_ENABLE | VT_MONITOR_SPURIOUS);
    write(DIVIDE, BY_ONE);
    write(LVT, VT_MONITOR_TIMER);
    write(INITIAL, vt_timer_limit);
}

void vt_timer_again(void)
{
    write(INITIAL, vt_timer_limit);
}

/* One that came meanwhile, or was an exit and waits, is served here, at ring 0: the next run would end by it.
 */
void vt_timer_disarm(void)
{
    if (!has_apic())
        return;
    write(INITIAL, 0);
    write(LVT, LVT_MASKED);
    __asm__ volatile("sti; nop; cli" : : : "memory");
    write(SVR, kept_svr);
}

bool vt_timer_is_over(void)
{
    return has_apic() && read(CURRENT) == 0;
}

void vt_timer_end(void)
{
    write(EOI, 0);
}
