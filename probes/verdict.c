#include "probes/section.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One question a person has, and one sentence for an answer. */
struct verdict {
    enum vt_answer answer;
    char text[768];
    char fix[512]; /* "" when there is nothing to do */
};

static void __attribute__((format(printf, 3, 4)))
answer(struct verdict *verdict, enum vt_answer is, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->text, sizeof verdict->text, format, arguments);
    va_end(arguments);
    verdict->answer = is;
}

static const char *text_or(const json_t *document, const char *path, const char *otherwise)
{
    const char *text = vt_document_text(document, path);
    return text ? text : otherwise;
}

static bool is_dump(const json_t *document)
{
    return strcmp(text_or(document, "source", ""), "dump") == 0;
}

static bool is(const json_t *document, const char *path, const char *word)
{
    return strcmp(text_or(document, path, ""), word) == 0;
}

/* "VT-x", "AMD-V", or NULL */
static const char *extension(const json_t *document)
{
    if (vt_document_is_true(document, "vt_x.supported"))
        return "VT-x";
    return vt_document_is_true(document, "amd_v.supported") ? "AMD-V" : NULL;
}

static void copy_fix(const json_t *document, struct verdict *verdict)
{
    snprintf(verdict->fix, sizeof verdict->fix, "%s", text_or(document, "kvm.fix", ""));
}

static void judge_dump(const json_t *document, struct verdict *verdict)
{
    const char *found = extension(document);
    if (found)
        answer(verdict, VT_UNKNOWN,
               "the processor has %s, but a CPUID dump does not tell whether its firmware and its kernel let "
               "it be used",
               found);
    else if (!vt_document_is_false(document, "vt_x.supported") ||
             !vt_document_is_false(document, "amd_v.supported"))
        answer(verdict, VT_UNKNOWN, "the dump lacks the CPUID leaf that would tell (%s)",
               vt_document_is_false(document, "vt_x.supported")
                   ? vt_document_reason(document, "amd_v.supported")
                   : vt_document_reason(document, "vt_x.supported"));
    else if (vt_document_is_true(document, "hypervisor.present"))
        answer(verdict, VT_NO,
               "the dump was taken in a guest%s%s, whose hypervisor passes neither VT-x nor AMD-V on",
               vt_document_text(document, "hypervisor.vendor") ? " of " : "",
               text_or(document, "hypervisor.vendor", ""));
    else
        answer(verdict, VT_NO, "this processor has neither VT-x nor AMD-V");
    if (found)
        snprintf(verdict->fix, sizeof verdict->fix, "run vmtoll probe on that machine");
}

static const char *cpl_words(const char *word)
{
    if (strcmp(word, "interpreted") == 0)
        return "is interpreted by the kernel, instruction by instruction";
    if (strcmp(word, "deprivileged") == 0)
        return "runs at the processor's speed without its privileges";
    if (strcmp(word, "hardware") == 0)
        return "runs at the processor's speed";
    return "does not run";
}

/* KVM works, yet not on VT-x or AMD-V. */
static void judge_soft_kvm(const json_t *document, struct verdict *verdict)
{
    const char *found = extension(document);
    const bool hidden = !found && vt_document_is_true(document, "hypervisor.present");
    char cause[256];
    if (found)
        snprintf(cause, sizeof cause, "does not use the processor's %s", found);
    else if (hidden)
        snprintf(cause, sizeof cause, "has neither VT-x nor AMD-V, which the hypervisor outside (%s) hides",
                 text_or(document, "hypervisor.vendor", "unknown"));
    else
        snprintf(cause, sizeof cause, "has neither VT-x nor AMD-V, which the processor lacks");
    answer(verdict, VT_NO, "KVM works here, but %s; on its backend %s guest ring 0 %s, and ring 3 %s", cause,
           text_or(document, "kvm.backend", "unknown"), cpl_words(text_or(document, "kvm.cpl0", "")),
           cpl_words(text_or(document, "kvm.cpl3", "")));
    if (hidden)
        snprintf(
            verdict->fix, sizeof verdict->fix,
            "switch nested virtualization on for this machine in the hypervisor outside, or rent a type of "
            "machine that has it; until then the kernels of guests run slowly");
}

static void judge_hardware(const json_t *document, struct verdict *verdict)
{
    const char *found = extension(document);
    if (is_dump(document)) {
        judge_dump(document, verdict);
    } else if (is(document, "kvm.cpl0", "hardware")) {
        answer(verdict, VT_YES, "KVM runs guest code at the processor's speed, ring 0 included, on %s%s",
               found                                ? found
               : is(document, "kvm.backend", "vmx") ? "VT-x"
                                                    : "AMD-V",
               vt_document_is_true(document, "hypervisor.present") ? " (itself virtualized: this is a guest)"
                                                                   : "");
    } else if (vt_document_is_true(document, "kvm.runs_guest")) {
        judge_soft_kvm(document, verdict);
    } else {
        answer(verdict, VT_NO, "%s%s", text_or(document, "kvm.reason", "KVM does not work here"),
               found || is(document, "kvm.obstacle", "not-supported") ||
                       is(document, "kvm.obstacle", "hidden-by-hypervisor")
                   ? ""
                   : "; besides, this machine shows neither VT-x nor AMD-V");
        copy_fix(document, verdict);
    }
}

static void judge_any(const json_t *document, struct verdict *verdict)
{
    if (is_dump(document))
        answer(verdict, VT_UNKNOWN, "a CPUID dump does not tell whether /dev/kvm works on that machine");
    else if (vt_document_is_true(document, "kvm.runs_guest"))
        answer(verdict, VT_YES, "/dev/kvm opens, creates a machine and runs guest code (backend %s)",
               text_or(document, "kvm.backend", "unknown"));
    else
        answer(verdict, VT_NO, "not with KVM: %s; software emulation (QEMU's TCG) works everywhere",
               text_or(document, "kvm.reason", "it does not work here"));
}

static void judge_obstacle(const json_t *document, struct verdict *verdict)
{
    struct verdict hardware = {0};
    judge_hardware(document, &hardware);
    if (is_dump(document) && extension(document))
        answer(verdict, VT_UNKNOWN, "a CPUID dump shows the processor, not its firmware and its kernel");
    else if (hardware.answer == VT_YES)
        answer(verdict, VT_NO, "nothing does");
    else if (is_dump(document))
        answer(verdict, hardware.answer == VT_NO ? VT_YES : VT_UNKNOWN, "%s", hardware.text);
    else if (vt_document_text(document, "kvm.reason"))
        answer(verdict, VT_YES, "%s", vt_document_text(document, "kvm.reason"));
    else if (extension(document))
        answer(verdict, VT_YES, "KVM's module in charge (backend %s) does not use the processor's %s",
               text_or(document, "kvm.backend", "unknown"), extension(document));
    else
        answer(verdict, VT_YES, "this machine shows neither VT-x nor AMD-V (%s; %s)",
               text_or(document, "vt_x.reason", "no VT-x"), text_or(document, "amd_v.reason", "no AMD-V"));
    memcpy(verdict->fix, hardware.fix, sizeof verdict->fix);
}

static void judge_nested(const json_t *document, struct verdict *verdict)
{
    const json_t *nested = vt_document_get(document, "kvm.nested");
    if (json_is_true(nested))
        answer(verdict, VT_YES, "KVM offers %s to its guests",
               is(document, "kvm.backend", "svm") ? "AMD-V" : "VT-x");
    else if (json_is_false(nested))
        answer(verdict, VT_NO, "KVM offers its guests neither VT-x nor AMD-V");
    else
        answer(verdict, VT_UNKNOWN, "%s", vt_document_reason(document, "kvm.nested"));
    if (json_is_false(nested) && extension(document) && is(document, "kvm.cpl0", "hardware"))
        snprintf(verdict->fix, sizeof verdict->fix, "load %s with nested=1",
                 is(document, "kvm.backend", "svm") ? "kvm_amd" : "kvm_intel");
}

/* " in front of " names what is behind an interface, from the first leaf to the last. */
static void name_layers(const json_t *document, char *text, size_t size)
{
    size_t i;
    json_t *layer;
    *text = '\0';
    json_array_foreach(vt_document_get(document, "hypervisor.layers"), i, layer) vt_text_append(
        text, size, "%s\"%s\" at %s", i ? ", " : "", json_string_value(json_object_get(layer, "signature")),
        json_string_value(json_object_get(layer, "leaf")));
}

/* Windows and its hypervisor's administrator run in a partition that may create others (TLFS 2.4.3). */
static bool is_root_partition(const json_t *document)
{
    size_t i;
    json_t *feature;
    json_array_foreach(vt_document_get(document, "hypervisor.features"), i, feature)
    {
        if (strcmp(json_string_value(feature), "Hyper-V:create_partitions") == 0)
            return is(document, "hypervisor.vendor", "Hyper-V");
    }
    return false;
}

static void judge_inside(const json_t *document, struct verdict *verdict)
{
    char layers[384];
    name_layers(document, layers, sizeof layers);
    if (vt_document_is_false(document, "hypervisor.present"))
        answer(verdict, VT_NO, "the processor announces no hypervisor (a hypervisor may hide itself)");
    else if (!vt_document_is_true(document, "hypervisor.present"))
        answer(verdict, VT_UNKNOWN, "%s", vt_document_reason(document, "hypervisor.present"));
    else if (*layers)
        answer(verdict, VT_YES, "under %s%s (signature %s)",
               text_or(document, "hypervisor.vendor", "unknown"),
               is_root_partition(document) ? ", in its root partition: the host's own system" : "", layers);
    else
        answer(verdict, VT_YES, "but its hypervisor does not name itself: %s",
               vt_document_reason(document, "hypervisor.signature"));
}

static const struct {
    const char *key, *question;
    void (*judge)(const json_t *document, struct verdict *verdict);
} questions[] = {
    {"hardware_vms", "Can I run hardware-accelerated VMs here?", judge_hardware},
    {"vms", "Can I run VMs at all?", judge_any},
    {"obstacle", "Does anything stop me?", judge_obstacle},
    {"nested", "Can guests run VMs of their own?", judge_nested},
    {"inside_vm", "Am I in a VM?", judge_inside},
};

void vt_detect_verdict(json_t *document, const struct vt_facts *facts)
{
    static const char *const words[] = {[VT_NO] = "no", [VT_YES] = "yes", [VT_UNKNOWN] = "unknown"};
    (void)facts;
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        struct verdict verdict = {0};
        char path[128];
        questions[i].judge(document, &verdict);
        vt_document_put(document, vt_document_path(path, "verdict", questions[i].key),
                        json_pack("{s:s, s:s, s:s, s:s?}", "question", questions[i].question, "answer",
                                  words[verdict.answer], "text", verdict.text, "fix",
                                  *verdict.fix ? verdict.fix : NULL),
                        NULL);
    }
}
