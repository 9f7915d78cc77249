#include "probes/capability.h"
#include "probes/probe.h"

#include <stdio.h>
#include <string.h>

enum test { TRUE, FALSE, NOT_FALSE, HARDWARE };

/* All conditions must hold. */
struct condition {
    const char *path;
    enum test test;
};

static const struct requirement {
    const char *name, *meaning;
    struct condition conditions[2];
} requirements[] = {
    {"vt-x",
     "VT-x, and not switched off by firmware",
     {{"vt_x.supported", TRUE}, {"vt_x.enabled", NOT_FALSE}}},
    {"amd-v",
     "AMD-V, and not switched off by firmware",
     {{"amd_v.supported", TRUE}, {"amd_v.enabled", NOT_FALSE}}},
    {"kvm", "/dev/kvm opens and runs guest code", {{"kvm.runs_guest", TRUE}}},
    {"kvm-hardware", "KVM runs guest ring 0 on VT-x or AMD-V", {{"kvm.cpl0", HARDWARE}}},
    {"nested", "KVM offers VT-x or AMD-V to its guests", {{"kvm.nested", TRUE}}},
    {"npt", "nested paging (AMD)", {{"amd_v.features.np", TRUE}}},
    {"apicv", "virtual-interrupt delivery (Intel)", {{"vt_x.features.virtual_interrupt_delivery", TRUE}}},
    {"iommu", "the kernel uses an IOMMU", {{"iommu.active", TRUE}}},
    {"hypervisor", "a hypervisor is outside", {{"hypervisor.present", TRUE}}},
    {"bare-metal", "neither CPUID, the kernel nor DMI shows a hypervisor", {{"hypervisor.bare_metal", TRUE}}},
    {"umip", "SGDT, SIDT, SLDT, STR, SMSW can fault at ring 3", {{"deprivileging.umip", TRUE}}},
    {"cpuid-faulting", "CPUID can fault at ring 3", {{"deprivileging.cpuid_faulting", TRUE}}},
    {"tsd", "RDTSC can fault at ring 3", {{"deprivileging.tsd", TRUE}}},
    {"invariant-tsc", "the TSC's rate never changes", {{"timing.invariant_tsc", TRUE}}},
    {"sev-guest", "this is an SEV guest", {{"confidential.sev_guest", TRUE}}},
    {"tdx-guest", "this is a TDX trust domain", {{"confidential.tdx_guest", TRUE}}},
    {"tdx-host", "the processor can host TDX trust domains", {{"confidential.tdx_host", TRUE}}},
};

enum { OWN = sizeof requirements / sizeof requirements[0] };

/* Every feature of VT-x and AMD-V is a capability too, with hyphens in its name. */
static const struct {
    const char *section;
    const char *(*feature)(size_t index, const char **meaning);
} sources[] = {
    {"vt_x.features", vt_capability_vt_x},
    {"amd_v.features", vt_capability_amd_v},
};

static void hyphenate(char *name)
{
    for (; *name; name++)
        if (*name == '_')
            *name = '-';
}

static void fill(struct vt_capability *capability, const char *name, const char *meaning)
{
    snprintf(capability->name, sizeof capability->name, "%s", name);
    hyphenate(capability->name);
    capability->meaning = meaning;
}

bool vt_probes_capability(size_t index, struct vt_capability *capability)
{
    const char *name, *meaning;
    if (index < OWN) {
        fill(capability, requirements[index].name, requirements[index].meaning);
        return true;
    }
    index -= OWN;
    for (size_t s = 0; s < sizeof sources / sizeof sources[0]; s++) {
        size_t i = 0;
        for (; (name = sources[s].feature(i, &meaning)); i++)
            if (i == index) {
                fill(capability, name, meaning);
                return true;
            }
        index -= i;
    }
    return false;
}

/* A dump has nothing that could switch off what it shows; the machine has. */
static enum vt_requirement judge(const json_t *value, enum test test, bool live)
{
    if (test == NOT_FALSE && json_is_null(value) && !live)
        return VT_REQUIREMENT_MET;
    if (test == NOT_FALSE && !json_is_null(value))
        return json_is_false(value) ? VT_REQUIREMENT_UNMET : VT_REQUIREMENT_MET;
    if (!value || json_is_null(value))
        return VT_REQUIREMENT_UNKNOWN;
    const char *text = json_string_value(value);
    const bool holds = test == HARDWARE ? text && strcmp(text, "hardware") == 0
                       : test == TRUE   ? json_is_true(value)
                                        : json_is_false(value);
    return holds ? VT_REQUIREMENT_MET : VT_REQUIREMENT_UNMET;
}

static void explain(const json_t *probe, const struct condition *condition, char *why, size_t size)
{
    const char *evidence =
        json_string_value(json_object_get(json_object_get(probe, "evidence"), condition->path));
    const char *reason =
        json_string_value(json_object_get(json_object_get(probe, "unknown"), condition->path));
    const char *text = json_string_value(vt_document_get(probe, condition->path));
    snprintf(why, size, "%s%s%s", text ? text : "", text ? ": " : "",
             evidence ? evidence
             : reason ? reason
                      : "not detected");
}

static enum vt_requirement check(const json_t *probe, const struct condition *conditions, char *why,
                                 size_t size)
{
    enum vt_requirement worst = VT_REQUIREMENT_MET;
    const char *source = vt_document_text(probe, "source");
    const bool live = source && strcmp(source, "machine") == 0;
    for (size_t i = 0; i < 2 && conditions[i].path; i++) {
        enum vt_requirement result =
            judge(vt_document_get(probe, conditions[i].path), conditions[i].test, live);
        if (i == 0 || (result != VT_REQUIREMENT_MET && worst == VT_REQUIREMENT_MET)) {
            explain(probe, &conditions[i], why, size);
            worst = result;
        }
    }
    return worst;
}

enum vt_requirement vt_probes_require(const json_t *probe, const char *name, char *why, size_t size)
{
    const char *feature, *meaning;
    for (size_t i = 0; i < OWN; i++)
        if (strcmp(requirements[i].name, name) == 0)
            return check(probe, requirements[i].conditions, why, size);
    for (size_t s = 0; s < sizeof sources / sizeof sources[0]; s++)
        for (size_t i = 0; (feature = sources[s].feature(i, &meaning)); i++) {
            struct vt_capability capability;
            char path[128];
            fill(&capability, feature, meaning);
            if (strcmp(capability.name, name) == 0)
                return check(
                    probe, (struct condition[2]){{vt_document_path(path, sources[s].section, feature), TRUE}},
                    why, size);
        }
    snprintf(why, size, "no such capability");
    return VT_REQUIREMENT_UNKNOWN;
}
