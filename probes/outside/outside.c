#include "probes/outside/outside.h"

#include <stdio.h>
#include <string.h>

static const char on_request[] = "";

/* What each lets be done; by the names of hypervisor_table.c. */
static const struct conduct {
    const char *vendor;
    const char *place,
        *instead;        /* the system that runs it, and how machines run or the processor is had there */
    const char *nesting; /* how it gives a guest VT-x or AMD-V; NULL: it cannot */
} conducts[] = {
    {"Hyper-V", "root partition",
     "run the machines under Hyper-V, or start this system without it (Windows: bcdedit /set "
     "hypervisorlaunchtype off)",
     "Set-VMProcessor -ExposeVirtualizationExtensions $true"},
    {"Xen", "dom0", "run the machines under Xen (xl create), or start this system without it",
     "nestedhvm=1 for an HVM guest"},
    {"ACRN", "service VM", "run the machines under ACRN, or start this system without it", NULL},
    {"Jailhouse", "root cell", "jailhouse disable", NULL},
    {"KVM", NULL, NULL, "nested=1 for its kvm_intel or kvm_amd, and -cpu host"},
    {"QEMU", NULL, NULL, "nested=1 for its kvm_intel or kvm_amd, and -cpu host"},
    {"QEMU TCG", NULL, NULL, "-cpu max, which has AMD-V; never VT-x"},
    {"VMware", NULL, NULL, "vhv.enable = \"TRUE\""},
    {"VirtualBox", NULL, NULL, "VBoxManage modifyvm NAME --nested-hw-virt on"},
    {"Parallels", NULL, NULL, "the machine's setting \"nested virtualization\""},
    {"bhyve", NULL, NULL, NULL},
    {"QNX", NULL, NULL, NULL},
    {"OpenBSD vmm", NULL, NULL, NULL},
    {"NetBSD NVMM", NULL, NULL, NULL},
    {"Intel HAXM", NULL, NULL, NULL},
    {"Intel KGT (Trusty)", NULL, NULL, NULL},
    {"Lockheed Martin LMHS", NULL, NULL, NULL},
    {"Apple Rosetta 2", NULL, NULL, NULL},
    {"Apple Virtualization", NULL, NULL, NULL},
    {"Microsoft x86-to-Arm", NULL, NULL, NULL},
    {NULL, NULL, NULL, on_request},
};

/* How a paravirtual guest becomes one that can be given the extension. */
static const struct {
    const char *vendor, *change;
} changes[] = {
    {"Xen", "make this an HVM guest with nestedhvm=1, or "},
    {"KVM", "have this machine run by kvm_intel or kvm_amd with nested=1 instead of kvm_pvm, or "},
};

static const char *change_of(const char *vendor)
{
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        if (strcmp(changes[i].vendor, vendor) == 0)
            return changes[i].change;
    return "";
}

/* Who lets machines, or makes them unseen: what their user can do, who has no hand on the hypervisor. */
static const struct {
    const char *provider, *fix;
} providers[] = {
    {"WSL 2", "put nestedVirtualization=true under [wsl2] in %UserProfile%\\.wslconfig (Windows 11), then "
              "wsl --shutdown in Windows"},
    {"Azure", "choose a size of virtual machine that has nested virtualization"},
    {"Google Compute Engine", "create the instance with --enable-nested-virtualization, of a machine type "
                              "that has it"},
    {"Amazon EC2", "choose an instance type that ends in .metal, or one that has nested virtualization"},
};

static const char *provided_fix(const struct vt_outside *outside)
{
    for (size_t i = 0; outside->provider && i < sizeof providers / sizeof providers[0]; i++)
        if (strcmp(providers[i].provider, outside->provider) == 0)
            return providers[i].fix;
    return NULL;
}

static const struct conduct *conduct_of(const char *vendor)
{
    const struct conduct *conduct = conducts;
    while (conduct->vendor && strcmp(conduct->vendor, vendor) != 0)
        conduct++;
    return conduct;
}

static enum vt_answer answer_at(const json_t *document, const char *path)
{
    return vt_document_is_true(document, path)    ? VT_YES
           : vt_document_is_false(document, path) ? VT_NO
                                                  : VT_UNKNOWN;
}

static const char *encrypted_by(const json_t *document)
{
    static const struct {
        const char *kind, *name;
    } kinds[] = {{"tdx", "TDX"}, {"sev", "SEV"}, {"sev-es", "SEV-ES"}, {"sev-snp", "SEV-SNP"}};
    const char *kind = vt_document_text(document, "confidential.guest");
    for (size_t i = 0; kind && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].name;
    return NULL;
}

void vt_outside_read(const json_t *document, struct vt_outside *outside)
{
    const char *vendor = vt_document_text(document, "hypervisor.vendor"),
               *type = vt_document_text(document, "hypervisor.guest_type");
    *outside = (struct vt_outside){
        .present = answer_at(document, "hypervisor.present"),
        .control = answer_at(document, "hypervisor.control_domain"),
        .name = vendor ? vendor : "unknown",
        .provider = vt_document_text(document, "hypervisor.provider"),
        .encrypted = encrypted_by(document),
        .paravisor = vt_document_is_true(document, "confidential.paravisor"),
        .paravirtual = type && strcmp(type, "PV") == 0,
    };
    if (outside->control == VT_YES)
        outside->place = conduct_of(outside->name)->place;
}

bool vt_outside_withholds(const struct vt_outside *outside, bool supported)
{
    return outside->present == VT_YES &&
           (!supported || outside->control == VT_YES || outside->paravirtual || outside->encrypted);
}

static const char *extension_of(const json_t *document)
{
    static const struct {
        const char *vendor, *extension;
    } vendors[] = {
        {"GenuineIntel", "VT-x"},  {"CentaurHauls", "VT-x"},  {"  Shanghai  ", "VT-x"},
        {"AuthenticAMD", "AMD-V"}, {"HygonGenuine", "AMD-V"},
    };
    const char *vendor = vt_document_text(document, "cpu.vendor");
    for (size_t i = 0; vendor && i < sizeof vendors / sizeof vendors[0]; i++)
        if (strcmp(vendors[i].vendor, vendor) == 0)
            return vendors[i].extension;
    return "virtualization extension";
}

void vt_outside_cause(const json_t *document, const struct vt_outside *outside, char *text, size_t size)
{
    const char *extension = extension_of(document);
    if (outside->control == VT_YES)
        snprintf(text, size, "the processor's %s is used by %s: this is its %s, the host's own system",
                 extension, outside->name, outside->place);
    else if (outside->paravirtual)
        snprintf(text, size,
                 "%s keeps the processor's %s: this is a paravirtual guest, without a ring 0 of its own",
                 outside->name, extension);
    else if (outside->encrypted)
        snprintf(text, size, "this is an encrypted guest (%s) of %s, which gets neither VT-x nor AMD-V",
                 outside->encrypted, outside->name);
    else
        snprintf(text, size, "the hypervisor outside (%s) does not pass VT-x or AMD-V on to this guest",
                 outside->name);
}

void vt_outside_fix(const struct vt_outside *outside, char *text, size_t size)
{
    const struct conduct *conduct = conduct_of(outside->name);
    const char *nesting = conduct->nesting, *provided = provided_fix(outside);
    *text = '\0';
    if (outside->control == VT_YES)
        snprintf(text, size, "%s", conduct->instead);
    else if (provided && !outside->encrypted && !outside->paravirtual)
        snprintf(text, size, "%s", provided);
    else if (outside->encrypted || (!nesting && !outside->paravirtual))
        snprintf(text, size, "choose another machine: %s",
                 outside->encrypted ? "an encrypted guest cannot have either"
                                    : "this hypervisor gives guests neither");
    else if (outside->paravirtual)
        snprintf(text, size, "%schoose a type of machine that has nested virtualization",
                 change_of(outside->name));
    else
        snprintf(text, size,
                 "switch nested virtualization on for this guest in the hypervisor outside%s%s%s, or choose "
                 "a type of machine that has it",
                 *nesting ? " (" : "", nesting, *nesting ? ")" : "");
}
