#include "probes/outside/hypervisor.h"
#include "probes/row.h"

#include <stdio.h>
#include <string.h>

/* Whole machines of a cloud that lets both, by its own name for them. */
static bool is_let_whole(const char *product)
{
    return product && (strstr(product, ".metal") || strstr(product, "-metal"));
}

/* What DMI says, where CPUID and the kernel are silent. */
static struct vt_finding ask_dmi(const struct vt_facts *facts)
{
    const struct vt_surroundings *around = &facts->surroundings;
    const char *field = NULL;
    char machine[160];
    const struct vt_dmi_machine *named = vt_hypervisor_by_dmi(around, &field);
    if (around->smbios_vm == VT_YES)
        return vt_row_found(VT_YES, "SMBIOS says that this is a virtual machine");
    if (named && named->vendor)
        return vt_row_found(VT_YES, "DMI names a virtual machine: %.100s", field);
    if (!vt_surroundings_machine(around, machine, sizeof machine))
        return vt_row_found(VT_UNKNOWN,
                            "CPUID 0x1 ECX[31] = 0 and the kernel names no hypervisor, but one may hide: "
                            "there is no DMI that would name the machine");
    if (named && around->smbios_vm == VT_UNKNOWN && !is_let_whole(around->dmi[VT_DMI_PRODUCT]))
        return vt_row_found(VT_UNKNOWN,
                            "CPUID 0x1 ECX[31] = 0 and the kernel names no hypervisor, but DMI (%.100s) is "
                            "of virtual machines as well as of whole ones",
                            machine);
    return vt_row_found(
        VT_NO, "CPUID 0x1 ECX[31] = 0, and neither the kernel nor DMI (%.120s) names a hypervisor", machine);
}

/* All who may know, the surest first. */
struct vt_finding vt_presence_find(const struct vt_facts *facts)
{
    const struct vt_surroundings *around = &facts->surroundings;
    struct vt_finding announced = vt_row_cpuid(facts, (struct vt_cpuid_bit){1, 0, VT_ECX, 31});
    if (announced.answer != VT_NO || !facts->live)
        return announced;
    if (around->hypervisor_type)
        return vt_row_found(VT_YES, "/sys/hypervisor/type is %.64s, though CPUID 0x1 ECX[31] = 0",
                            around->hypervisor_type);
    if (around->xen)
        return vt_row_found(VT_YES, "there is a /proc/xen, though CPUID 0x1 ECX[31] = 0");
    if (vt_surroundings_has_kvm_clock(around))
        return vt_row_found(VT_YES,
                            "the kernel has the clock source kvm-clock, though CPUID 0x1 ECX[31] = 0");
    if (facts->processors[facts->subject].unannounced)
        return vt_row_found(VT_YES,
                            "CPUID 0x40000000 has a hypervisor's signature, though CPUID 0x1 ECX[31] = 0");
    if (facts->flags && vt_facts_has_flag(facts->flags, "hypervisor"))
        return vt_row_found(VT_YES, "the flag hypervisor of /proc/cpuinfo, though CPUID 0x1 ECX[31] = 0");
    return ask_dmi(facts);
}
