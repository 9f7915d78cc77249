/* Which cases may run on a machine nobody knows, and what is put in order before and behind them. */
#include "guest/boot/core.h"
#include "guest/boot/port.h"

#define MSR_APIC_BASE 0x1b
#define MSR_SPEC_CTRL 0x48
#define APIC_X2       (1u << 10)
#define X2APIC_TIMER  0x832
#define LVT_MASKED    0x10000
#define CR4_PKE       (UINT64_C(1) << 22)

#define PORT_POST 0x80 /* takes what firmware says of its progress; nothing hangs on it */

static uint8_t edges[2];
static uint64_t speculation;
static bool has_speculation;

/* What system calls go by: STAR, LSTAR, SFMASK. */
static const uint32_t user_msrs[] = {0xc0000081, 0xc0000082, 0xc0000084};
enum { USER_MSRS = sizeof user_msrs / sizeof user_msrs[0] };
static uint64_t user[USER_MSRS];

/* What there is; a case that asks for more has to wait until somebody thought of it. */
#define KNOWN                                                                                                \
    (VT_NEED_PORTS | VT_NEED_MMIO | VT_NEED_XAPIC | VT_NEED_X2APIC | VT_NEED_INTERRUPTS | VT_NEED_HANDLERS | \
     VT_NEED_TABLES | VT_NEED_PAGING | VT_NEED_PKE | VT_NEED_PM_TIMER | VT_NEED_PRIORITY |                   \
     VT_NEED_DEADLINE | VT_NEED_USER)

/* What KVM's engine sets up around its machine. */
static const char *lacks_device(const struct vt_case *c)
{
    const uint32_t absent =
        VT_NEED_EVENTFD | VT_NEED_COALESCED | VT_NEED_MSR_FILTER | VT_NEED_DISCARD | VT_NEED_ANY_LENGTH;

    if (c->needs & absent)
        return "needs KVM's devices around it";
    if (c->needs & VT_NEED_HOST)
        return "a step of the host's, not of a guest's";
    if (c->needs & (VT_NEED_PEER | VT_NEED_PARTNER))
        return "the image starts one processor";
    if (c->needs & VT_NEED_PM_TIMER && !vt_boot_acpi_timer())
        return "ACPI names no timer";
    if (c->needs & VT_NEED_MMIO && !vt_boot_acpi_hpet())
        return "ACPI names no HPET, and no other device's page may be touched";
    return c->needs & ~(uint32_t)KNOWN ? "the image makes no guest of its own" : NULL;
}

/* INVD above all: where a hypervisor lets it through, what others have in the caches is lost. */
static const char *harms_others(const struct vt_case *c)
{
    return c->bare == VT_BARE_REFUSED ? "on a machine nobody knows it may harm others" : NULL;
}

static const char *lacks_apic(const struct vt_case *c)
{
    bool x2 = vt_boot_quiet_has_apic() && vt_boot_quiet_is_x2apic();

    if (!(c->needs & (VT_NEED_XAPIC | VT_NEED_X2APIC)))
        return NULL;
    if (!vt_boot_quiet_has_apic())
        return "no local APIC is on at its usual page";
    if (c->needs & VT_NEED_XAPIC && x2)
        return "the local APIC is in x2APIC mode, from which there is no way back";
    if (c->needs & VT_NEED_X2APIC && !x2 && vt_boot_info()->firmware == VT_BOOT_EFI)
        return "firmware that gets its machine back needs its local APIC in xAPIC mode, to which x2APIC has "
               "no way back";
    return NULL;
}

/*
 * Linux arch/x86/kvm/emulate.c has no entry for these, or none for 64-bit mode: KVM ends the machine. A
 * hypercall it replaces by the other vendor's and reads again, for ever (em_hypercall).
 */
static const char *const unknown_to_interpreters[] = {"rdtscp", "lar",     "lsl",     "verr",
                                                      "verw",   "invpcid", "int",     "int3",
                                                      "xgetbv", "vmcall",  "vmmcall", "sysretq"};

static bool is_word(const char *text, const char *word)
{
    while (*word && *text == *word) {
        text++;
        word++;
    }
    return !*word && (*text == ' ' || *text == ';' || *text == '\0');
}

static const char *ends_machine(const struct vt_case *c)
{
    for (size_t i = 0; i < sizeof unknown_to_interpreters / sizeof unknown_to_interpreters[0]; i++)
        if (vt_boot_machine_is_interpreted() && is_word(c->operation, unknown_to_interpreters[i]))
            return "ring 0 is interpreted here, and KVM's interpreter cannot do it: the machine would end, "
                   "or hang";
    return NULL;
}

const char *vt_boot_safe_why_not(const struct vt_case *c)
{
    const char *reason = lacks_device(c);

    if (!reason)
        reason = harms_others(c);
    if (!reason && !vt_boot_has_feature(&c->feature))
        reason = "the processor does not announce it";
    if (!reason)
        reason = ends_machine(c);
    return reason ? reason : lacks_apic(c);
}

static void set_pke(uint32_t needs)
{
    uint64_t old, cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(old));
    cr4 = needs & VT_NEED_PKE ? old | CR4_PKE : old & ~CR4_PKE;
    if (cr4 != old)
        __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
}

static void set_apic_mode(uint32_t needs)
{
    if (needs & VT_NEED_X2APIC && !vt_boot_quiet_is_x2apic()) {
        vt_boot_wrmsr(MSR_APIC_BASE, vt_boot_rdmsr(MSR_APIC_BASE) | APIC_X2);
        vt_boot_wrmsr(0x80f, 0x1ff);
    }
}

void vt_boot_safe_set_up(const struct vt_case *c)
{
    const struct vt_cpuid_bit ibrs = {7, 0, VT_EDX, 26};
    struct vt_scratch *scratch = vt_boot_scratch();

    scratch->port_user = PORT_POST;
    scratch->port_pm_timer = vt_boot_acpi_timer();
    if (c->needs & VT_NEED_MMIO)
        scratch->mmio_user = (uint64_t)(uintptr_t)vt_boot_look(vt_boot_acpi_hpet());
    edges[0] = vt_boot_in(VT_PORT_ELCR);
    edges[1] = vt_boot_in(VT_PORT_ELCR + 1);
    has_speculation = vt_boot_has_feature(&ibrs) && vt_boot_try_rdmsr(MSR_SPEC_CTRL, &speculation);
    if (c->needs & VT_NEED_USER)
        for (size_t i = 0; i < USER_MSRS; i++)
            user[i] = vt_boot_rdmsr(user_msrs[i]);
    set_apic_mode(c->needs);
    set_pke(c->needs);
}

void vt_boot_safe_put_back(const struct vt_case *c)
{
    if (c->needs & VT_NEED_PORTS) {
        vt_boot_out(VT_PORT_ELCR, edges[0]);
        vt_boot_out(VT_PORT_ELCR + 1, edges[1]);
    }
    if (has_speculation)
        vt_boot_try_wrmsr(MSR_SPEC_CTRL, speculation);
    if (c->needs & VT_NEED_DEADLINE)
        vt_boot_wrmsr(X2APIC_TIMER, LVT_MASKED);
    if (c->needs & VT_NEED_USER)
        for (size_t i = 0; i < USER_MSRS; i++)
            vt_boot_wrmsr(user_msrs[i], user[i]);
    set_pke(0);
}
