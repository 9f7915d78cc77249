#include "monitor/exit/vmx.h"

#include "guest/abi.h"
#include "guest/image/place.h"
#include "guest/vmx.h"
#include "monitor/exit/controls.h"
#include "monitor/exit/exits.h"
#include "monitor/hardware.h"
#include "monitor/msr.h"
#include "monitor/pages.h"
#include "monitor/timer.h"
#include "monitor/exit/vmcs.h"
#include "monitor/exit/vmxexits.h"

#include <cpuid.h>
#include <string.h>

#define CPUID_VMX UINT32_C(0x20)
#define CR4_VMXE  UINT64_C(0x2000)
#define MSR_EFER  0xc0000080
#define MSR_TPR   0x808 /* of the x2APIC */

#define MSR_MISC       0x485
#define MISC_RATE      31 /* the timer counts each so many-th tick, as a power of two */
#define CONTROL_LOCKED 1
#define BASIC_REVISION UINT64_C(0x7fffffff)
#define EPT_WANTED     UINT64_C(0x14040) /* four levels, write-back, large pages */
#define EPT_POINTER    UINT64_C(0x1e)    /* write-back, four levels */

#define TABLE_LOW                                                                                            \
    0x000 /* of the MSR bitmap (Intel SDM 3C 25.6.9): reads of low MSRs, of high ones, then writes */
#define TABLE_HIGH 0x400
#define TO_WRITES  0x800

bool vt_vmx_enter(bool launched);
bool vt_vmx_enter_bare(void);
extern const uint8_t vt_vmx_exited[], vt_vmx_exited_bare[];

static uint8_t region[4096] __attribute__((aligned(4096)));
static uint8_t structure[4096] __attribute__((aligned(4096)));
static uint8_t msrs[4096] __attribute__((aligned(4096)));
static uint8_t priority[4096] __attribute__((aligned(4096)));

/* What exits, and what of the guest's CR0 and CR4 is its own. */
static const struct setting {
    uint32_t primary, secondary, exceptions;
    uint64_t cr0, cr4;
} settings[] = {
    [VT_VMX_ALL] = {.primary = VT_VMX_HLT | VT_VMX_INVLPG | VT_VMX_MWAIT | VT_VMX_RDPMC | VT_VMX_RDTSC |
                               VT_VMX_CR3_LOAD | VT_VMX_CR3_STORE | VT_VMX_CR8_LOAD | VT_VMX_CR8_STORE |
                               VT_VMX_MOV_DR | VT_VMX_PORTS | VT_VMX_MONITOR | VT_VMX_PAUSE,
                    .secondary = VT_VMX_TABLES},
    /* #DB, #UD, #AC and #MC; TS and WP; PVI, TSD, DE, PGE, PCE, OSFXSR, OSXMMEXCPT and FSGSBASE. */
    [VT_VMX_AS_KVM] = {.primary = VT_VMX_HLT | VT_VMX_MWAIT | VT_VMX_RDPMC | VT_VMX_TPR_SHADOW |
                                  VT_VMX_PORTS | VT_VMX_MSR_BITMAP | VT_VMX_MONITOR,
                       .exceptions = 0x60042,
                       .cr0 = 0x10008,
                       .cr4 = 0x1078e},
};

/* What the guest has in either setting, as far as the processor has it. */
#define COMMON (VT_VMX_EPT | VT_VMX_RDTSCP | VT_VMX_WBINVD | VT_VMX_INVPCID | VT_VMX_XSAVES)

static struct vt_vmx_capabilities offered;

static int read_msr(void *context, uint32_t msr, uint64_t *value)
{
    (void)context;
    *value = vt_msr_read(msr);
    return 0;
}

/* Of what is wished all that may be 1, and all that must be. */
static uint32_t allowed(uint64_t bounds, uint32_t wished)
{
    return (wished | (uint32_t)bounds) & (uint32_t)(bounds >> 32);
}

static bool can(uint64_t bounds, uint32_t wanted)
{
    return (allowed(bounds, wanted) & wanted) == wanted;
}

/* Firmware may leave it open: then whoever is first decides, until the next reset. */
static bool is_switched_on(void)
{
    uint64_t control = vt_msr_read(VT_VMX_FEATURE_CONTROL_MSR);

    if (!(control & CONTROL_LOCKED)) {
        control |= VT_VMX_FEATURE_CONTROL;
        vt_msr_write(VT_VMX_FEATURE_CONTROL_MSR, control);
    }
    return (control & VT_VMX_FEATURE_CONTROL) == VT_VMX_FEATURE_CONTROL;
}

static const char *look(void)
{
    unsigned a, b, c = 0, d;

    __get_cpuid(1, &a, &b, &c, &d);
    if (!(c & CPUID_VMX))
        return "the processor has no VT-x";
    if (!is_switched_on())
        return "VT-x is switched off in IA32_FEATURE_CONTROL";
    vt_vmx_read_capabilities(&offered, read_msr, NULL);
    if (!can(offered.secondary, VT_VMX_EPT) || (offered.ept_vpid & EPT_WANTED) != EPT_WANTED)
        return "the processor's VT-x has no extended page tables with large pages";
    if (!can(offered.entry, VT_VMX_ENTRY_LOAD_EFER) || !can(offered.exit, VT_VMX_EXIT_LOAD_EFER))
        return "the processor's VT-x does not switch EFER";
    return NULL;
}

static void allow(uint32_t msr)
{
    uint8_t *table = msrs + (msr >> 31 ? TABLE_HIGH : TABLE_LOW);
    uint32_t bit = msr & 0x1fff;

    table[bit / 8] &= (uint8_t) ~(1u << bit % 8);
    table[TO_WRITES + bit / 8] &= (uint8_t) ~(1u << bit % 8);
}

/* MSRs that KVM lets a guest have; the task priority where VT-x keeps it. */
static void make_map(bool x2apic)
{
    static const uint32_t own[] = {0x174, 0x175, 0x176, 0xc0000100, 0xc0000101, 0xc0000102};

    memset(msrs, 0xff, sizeof msrs);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        allow(own[i]);
    if (x2apic)
        allow(MSR_TPR);
}

const char *vt_vmx_open(void)
{
    static bool opened;
    static const char *reason;

    if (opened)
        return reason;
    opened = true;
    reason = look();
    if (!reason)
        vt_pages_open_nested(VT_EPT_WRITE_BACK);
    return reason;
}

static void fill_controls(const struct setting *setting)
{
    const bool x2apic = setting->primary & VT_VMX_TPR_SHADOW &&
                        vt_monitor.vcpu.msr[VT_MSR_APIC_BASE] & VT_APIC_BASE_X2APIC &&
                        can(offered.secondary, VT_VMX_X2APIC);

    make_map(x2apic);
    vt_vmcs_write(VT_VMCS_PIN_CONTROLS, allowed(offered.pin, VT_VMX_PIN_INTERRUPTS | VT_VMX_PIN_TIMER));
    vt_vmcs_write(VT_VMCS_PROCESSOR_CONTROLS,
                  allowed(offered.processor, setting->primary | VT_VMX_SECONDARY));
    vt_vmcs_write(VT_VMCS_SECONDARY_CONTROLS,
                  allowed(offered.secondary, setting->secondary | COMMON | (x2apic ? VT_VMX_X2APIC : 0)));
    vt_vmcs_write(VT_VMCS_EXIT_CONTROLS,
                  allowed(offered.exit, VT_VMX_EXIT_SAVE_DEBUG | VT_VMX_EXIT_TO_64 | VT_VMX_EXIT_SAVE_EFER |
                                            VT_VMX_EXIT_LOAD_EFER));
    vt_vmcs_write(VT_VMCS_ENTRY_CONTROLS,
                  allowed(offered.entry, VT_VMX_ENTRY_DEBUG | VT_VMX_ENTRY_TO_64 | VT_VMX_ENTRY_LOAD_EFER));
    /* Bochs holds an interrupt back that is to be an exit while the guest's IF is off; this timer it does
     * not. */
    vt_vmcs_write(VT_VMCS_TIMER, vt_timer_limit >> (vt_msr_read(MSR_MISC) & MISC_RATE));
    vt_vmcs_write(VT_VMCS_EXCEPTIONS, setting->exceptions);
    vt_vmcs_write(VT_VMCS_MSR_BITMAP, vt_image_physical(msrs));
    vt_vmcs_write(VT_VMCS_VIRTUAL_APIC, vt_image_physical(priority));
    vt_vmcs_write(VT_VMCS_EPT_POINTER, vt_pages_nested_root() | EPT_POINTER);
    vt_vmcs_write(VT_VMCS_LINK, ~UINT64_C(0));
}

/* As LGDT and LIDT take it. */
struct operand {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static void fill_host_tables(void)
{
    struct operand gdtr, idtr;

    __asm__ volatile("sgdt %0; sidt %1" : "=m"(gdtr), "=m"(idtr));
    const uint64_t *tss = (const uint64_t *)(uintptr_t)(gdtr.base + VT_SEL_TSS);
    vt_vmcs_write(VT_VMCS_HOST_GDTR_BASE, gdtr.base);
    vt_vmcs_write(VT_VMCS_HOST_IDTR_BASE, idtr.base);
    vt_vmcs_write(VT_VMCS_HOST_TR_BASE,
                  (tss[0] >> 16 & 0xffffff) | (tss[0] >> 56 & 0xff) << 24 | tss[1] << 32);
}

/* The world that an exit comes back to: this one. */
static void fill_host(const uint8_t *exited)
{
    static const uint16_t data[] = {VT_VMCS_HOST_ES, VT_VMCS_HOST_SS, VT_VMCS_HOST_DS, VT_VMCS_HOST_FS,
                                    VT_VMCS_HOST_GS};
    uint64_t cr0, cr3, cr4;

    __asm__ volatile("mov %%cr0, %0; mov %%cr3, %1; mov %%cr4, %2" : "=r"(cr0), "=r"(cr3), "=r"(cr4));
    vt_vmcs_write(VT_VMCS_HOST_CR0, cr0);
    vt_vmcs_write(VT_VMCS_HOST_CR3, cr3);
    vt_vmcs_write(VT_VMCS_HOST_CR4, cr4);
    vt_vmcs_write(VT_VMCS_HOST_EFER, vt_msr_read(MSR_EFER));
    for (size_t i = 0; i < sizeof data / sizeof data[0]; i++)
        vt_vmcs_write(data[i], VT_SEL_DATA0);
    vt_vmcs_write(VT_VMCS_HOST_CS, VT_SEL_CODE0);
    vt_vmcs_write(VT_VMCS_HOST_TR, VT_SEL_TSS);
    fill_host_tables();
    vt_vmcs_write(VT_VMCS_HOST_RIP, (uintptr_t)exited);
}

static void set_vmxe(bool on)
{
    uint64_t cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    cr4 = on ? cr4 | CR4_VMXE : cr4 & ~CR4_VMXE;
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}

/* A structure of which nothing is kept from an earlier run. */
static bool enter_operation(void)
{
    const uint32_t revision = (uint32_t)(offered.basic & BASIC_REVISION);
    const uint64_t on = vt_image_physical(region), own = vt_image_physical(structure);
    bool failed;

    memcpy(region, &revision, sizeof revision);
    memset(structure, 0, sizeof structure);
    memcpy(structure, &revision, sizeof revision);
    set_vmxe(true);
    __asm__ volatile("vmxon %1; setna %0" : "=q"(failed) : "m"(on) : "cc", "memory");
    if (!failed)
        __asm__ volatile("vmclear %0; vmptrld %0" : : "m"(own) : "cc", "memory");
    else
        set_vmxe(false);
    return !failed;
}

static void leave_operation(void)
{
    const uint64_t own = vt_image_physical(structure);

    __asm__ volatile("vmclear %0; vmxoff" : : "m"(own) : "cc", "memory");
    set_vmxe(false);
}

static enum vt_monitor_end refused(void)
{
    vt_monitor.broken = VT_EXCEPTION_UD;
    return VT_MONITOR_BROKEN;
}

static enum vt_monitor_end serve_all(void)
{
    enum vt_monitor_end end = 0;

    for (bool launched = false; !end; launched = true) {
        if (!vt_vmx_enter(launched))
            return refused();
        vt_monitor.exits++;
        end = vt_exit_is_late() ? VT_MONITOR_TIMEOUT : vt_vmxexits_serve();
    }
    return end;
}

static enum vt_monitor_end serve_bare(void)
{
    return vt_vmx_enter_bare() ? vt_vmxexits_serve() : refused();
}

struct order {
    const struct setting *setting;
    const uint8_t *exited;
    enum vt_monitor_end (*serve)(void);
};

static enum vt_monitor_end inside(void *context)
{
    const struct order *order = context;
    const bool shadowed = order->setting->primary & VT_VMX_TPR_SHADOW;
    const struct vt_vmx_share share = {.debug = !(order->setting->primary & VT_VMX_MOV_DR),
                                       .priority = shadowed ? priority : NULL,
                                       .cr0 = order->setting->cr0,
                                       .cr4 = order->setting->cr4};

    if (!enter_operation())
        return refused();
    fill_controls(order->setting);
    fill_host(order->exited);
    vt_vmxexits_begin(&share);
    enum vt_monitor_end end = vt_exit_with_xcr0(order->serve);
    vt_vmxexits_end();
    leave_operation();
    return end;
}

static enum vt_monitor_end run(vt_case_function function, uint64_t iterations, struct order *order)
{
    vt_monitor_begin(function, iterations);
    return vt_monitor_finish(vt_hardware_run_inside(inside, order));
}

enum vt_monitor_end vt_vmx_run(vt_case_function function, uint64_t iterations, enum vt_vmx_intercepts chosen)
{
    return run(function, iterations, &(struct order){&settings[chosen], vt_vmx_exited, serve_all});
}

enum vt_monitor_end vt_vmx_run_bare(vt_case_function function, uint64_t iterations)
{
    return run(function, iterations,
               &(struct order){&settings[VT_VMX_AS_KVM], vt_vmx_exited_bare, serve_bare});
}
