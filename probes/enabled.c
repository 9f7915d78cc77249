#include "probes/enabled.h"
#include "probes/outside/outside.h"

#include <stdio.h>
#include <string.h>

/* The register is the one firmware wrote only where nobody stands between. */
static struct vt_finding blame_register(const struct vt_outside *outside,
                                        const struct vt_extension *extension, const struct vt_finding *judged)
{
    if (outside->present == VT_YES)
        return vt_row_found(VT_NO, "%s: the hypervisor outside (%s) switched %s off for this guest",
                            judged->why, outside->name, extension->name);
    if (outside->present == VT_UNKNOWN)
        return vt_row_found(
            VT_NO, "%s: switched off by firmware (\"%s\" in its set-up), or by a hypervisor that hides",
            judged->why, extension->setting);
    return vt_row_found(VT_NO, "%s: firmware switched %s off; enable \"%s\" in its set-up", judged->why,
                        extension->name, extension->setting);
}

static enum vt_answer has_kvm(const struct vt_facts *facts, const struct vt_extension *extension)
{
    return strcmp(extension->module, "kvm_intel") == 0 ? facts->surroundings.kvm_intel
                                                       : facts->surroundings.kvm_amd;
}

/* Why a flag that CPUID announces is not listed; the kernel is new enough to take it away. */
static struct vt_finding blame_kernel(const struct vt_outside *outside, const struct vt_facts *facts,
                                      const struct vt_extension *extension)
{
    const enum vt_answer kvm = has_kvm(facts, extension);
    if (facts->surroundings.command_line && strstr(facts->surroundings.command_line, "clearcpuid="))
        return vt_row_found(VT_UNKNOWN,
                            "/proc/cpuinfo does not list %s, which the kernel's command line (clearcpuid) "
                            "may have taken away",
                            extension->flag);
    if (outside->present == VT_YES)
        return vt_row_found(VT_UNKNOWN,
                            "/proc/cpuinfo does not list %s: the hypervisor outside (%s) withholds it, or "
                            "this kernel has no KVM for it",
                            extension->flag, outside->name);
    if (kvm == VT_NO)
        return vt_row_found(VT_UNKNOWN,
                            "/proc/cpuinfo does not list %s, and this kernel was built without %s%s",
                            extension->flag, extension->module,
                            extension->kernel_locks ? ": it then switches it off itself" : "");
    if (outside->present == VT_UNKNOWN || kvm == VT_UNKNOWN)
        return vt_row_found(
            VT_UNKNOWN, "/proc/cpuinfo does not list %s: firmware switched it off (\"%s\" in its set-up)%s%s",
            extension->flag, extension->setting,
            outside->present == VT_UNKNOWN ? ", or a hypervisor that hides itself withholds it" : "",
            kvm == VT_UNKNOWN ? ", or this kernel was built without KVM for it" : "");
    return vt_row_found(VT_NO,
                        "CPUID has it but /proc/cpuinfo does not list %s: firmware switched %s off; enable "
                        "\"%s\" in its set-up",
                        extension->flag, extension->name, extension->setting);
}

static struct vt_finding ask_flag(const struct vt_outside *outside, const struct vt_facts *facts,
                                  const struct vt_extension *extension)
{
    const bool listed = vt_facts_has_flag(facts->flags, extension->flag);
    enum vt_answer clears =
        vt_surroundings_kernel_is(&facts->surroundings, extension->clears[0], extension->clears[1]);
    if (facts->vmx_flags && strcmp(extension->flag, "vmx") == 0)
        clears = VT_YES; /* came with the same kernel */
    if (clears == VT_YES)
        return listed ? vt_row_found(VT_YES, "/proc/cpuinfo lists %s", extension->flag)
                      : blame_kernel(outside, facts, extension);
    return vt_row_found(VT_UNKNOWN, "/proc/cpuinfo %s %s, which tells nothing: Linux before %u.%u%s %s",
                        listed ? "lists" : "does not list", extension->flag, extension->clears[0],
                        extension->clears[1],
                        clears == VT_UNKNOWN ? " (this one's release is not known)" : "",
                        listed ? "lists it where it is off, too" : "does not take it away where it is off");
}

/* Which start this was, only the flag tells: the kernel takes it away after the other kind. */
static struct vt_finding ask_start(const struct vt_outside *outside, const struct vt_facts *facts,
                                   const struct vt_extension *extension, const struct vt_finding *judged)
{
    struct vt_finding flag = {.answer = VT_UNKNOWN};
    if (facts->flags)
        flag = ask_flag(outside, facts, extension);
    if (flag.answer == VT_YES)
        return flag;
    const bool clears =
        vt_surroundings_kernel_is(&facts->surroundings, extension->clears[0], extension->clears[1]) == VT_YES;
    return vt_row_found(clears && facts->flags ? VT_NO : VT_UNKNOWN,
                        "%s: firmware allows %s only inside %s, and %s", judged->why, extension->name,
                        extension->only_in,
                        clears && facts->flags ? "this kernel was not started so"
                                               : "whether this kernel was started so is not known");
}

/* A system without a ring 0 of its own, and one that a hypervisor lets run it, read registers made for them.
 */
static bool is_taken(const struct vt_outside *outside)
{
    return outside->present == VT_YES &&
           (outside->control == VT_YES || outside->paravirtual || outside->encrypted);
}

static struct vt_finding find(const json_t *document, const struct vt_facts *facts,
                              const struct vt_extension *extension)
{
    struct vt_finding finding = {.answer = VT_UNKNOWN};
    struct vt_outside outside;
    struct vt_msr msr;
    if (!facts->live)
        return vt_row_found(VT_UNKNOWN, "a CPUID dump does not tell whether firmware switched %s off",
                            extension->name);
    vt_outside_read(document, &outside);
    if (is_taken(&outside)) {
        finding.answer = VT_NO;
        vt_outside_cause(document, &outside, finding.why, sizeof finding.why);
        return finding;
    }
    if (vt_facts_msr(facts, extension->msr, &msr, finding.why, sizeof finding.why) == VT_READ &&
        msr.source == VT_MSR_REGISTER) {
        finding = extension->judge(msr.value);
        if (finding.answer == VT_UNKNOWN && outside.present == VT_NO)
            return ask_start(&outside, facts, extension, &finding);
        finding.answer = finding.answer == VT_UNKNOWN ? VT_NO : finding.answer;
        return finding.answer == VT_NO ? blame_register(&outside, extension, &finding) : finding;
    }
    return facts->flags ? ask_flag(&outside, facts, extension) : finding;
}

void vt_enabled_record(json_t *document, const struct vt_facts *facts, const struct vt_extension *extension,
                       const struct vt_finding *support)
{
    bool supported = support->answer == VT_YES;
    struct vt_finding enabled = supported ? find(document, facts, extension) : *support;
    char path[128], text[512];
    snprintf(text, sizeof text, "%s%s", enabled.why,
             supported && !facts->live && extension->undumped ? extension->undumped : "");
    vt_row_record(document, extension->section, "supported", support);
    vt_row_record(document, extension->section, "enabled", &enabled);
    if (extension->only_in && strstr(enabled.why, extension->only_in))
        vt_document_put(document, vt_document_path(path, extension->section, "only_in"),
                        json_string(extension->only_in), NULL);
    vt_document_put(document, vt_document_path(path, extension->section, "reason"),
                    enabled.answer == VT_YES ? json_null() : json_string(text), NULL);
}

/* A machine that ran on it is proof, whatever flags say. */
void vt_detect_proven(json_t *document, const struct vt_facts *facts)
{
    static const char *const sections[][2] = {{"vmx", "vt_x"}, {"svm", "amd_v"}};
    const char *backend = vt_document_text(document, "kvm.backend"),
               *ran = vt_document_text(document, "kvm.cpl0");
    char path[128];
    (void)facts;
    for (size_t i = 0; backend && ran && i < 2; i++) {
        if (strcmp(backend, sections[i][0]) != 0 || strcmp(ran, "hardware") != 0)
            continue;
        vt_document_path(path, sections[i][1], "enabled");
        if (vt_document_is_true(document, path))
            continue;
        vt_document_put(document, path, json_true(), "KVM runs guests on it");
        json_object_del(vt_document_get(document, "unknown"), path);
        vt_document_put(document, vt_document_path(path, sections[i][1], "reason"), json_null(), NULL);
    }
}
