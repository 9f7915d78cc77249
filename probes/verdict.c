#include "base/text.h"
#include "probes/outside/outside.h"
#include "probes/section.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Where this machine stands, from all facts together. Every answer is taken from
 * here, so that none can contradict another.
 */
enum standing {
    RUNS,         /* KVM runs guests on VT-x or AMD-V */
    RUNS_UNTOLD,  /* KVM runs guests, on what could not be told */
    RUNS_WITHOUT, /* KVM runs guests, without VT-x or AMD-V */
    WITHHELD,     /* the hypervisor outside keeps them */
    OBSTACLE,     /* KVM runs no guest; kvm.reason says why */
    ABLE,         /* a dump: the processor has one */
    LACKING,      /* a dump: it has none */
    UNREAD,       /* a dump that does not tell */
};

struct situation {
    const json_t *document;
    enum standing standing;
    const char *extension; /* that CPUID shows here, NULL: none */
    const char *backend;
    struct vt_outside outside;
    char cause[320]; /* why not, as a clause */
};

/* One question a person has, and one sentence for an answer. */
struct verdict {
    enum vt_answer answer;
    char text[512];
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

static bool is(const json_t *document, const char *path, const char *word)
{
    return strcmp(text_or(document, path, ""), word) == 0;
}

static bool is_dump(const struct situation *s)
{
    return is(s->document, "source", "dump");
}

static enum standing stand_dump(const struct situation *s)
{
    const bool told = s->extension || (vt_document_is_false(s->document, "vt_x.supported") &&
                                       vt_document_is_false(s->document, "amd_v.supported"));
    if (!told)
        return UNREAD;
    if (vt_outside_withholds(&s->outside, s->extension))
        return WITHHELD;
    return s->extension ? ABLE : LACKING;
}

static enum standing stand_live(const struct situation *s)
{
    const bool hardware = strcmp(s->backend, "vmx") == 0 || strcmp(s->backend, "svm") == 0;
    if (is(s->document, "kvm.cpl0", "hardware"))
        return RUNS;
    if (!vt_document_is_true(s->document, "kvm.runs_guest"))
        return OBSTACLE;
    if (json_is_null(vt_document_get(s->document, "kvm.cpl0")))
        return RUNS_UNTOLD;
    return hardware && !is(s->document, "kvm.cpl0", "interpreted") ? RUNS_UNTOLD : RUNS_WITHOUT;
}

/* KVM works, yet not on VT-x or AMD-V. */
static void explain_without(struct situation *s)
{
    const char *section =
        vt_document_is_true(s->document, "vt_x.supported") ? "vt_x.enabled" : "amd_v.enabled";
    const bool usable = s->extension && !vt_document_is_false(s->document, section);
    if (vt_outside_withholds(&s->outside, usable) &&
        (s->outside.place || s->outside.paravirtual || s->outside.encrypted))
        vt_outside_cause(s->document, &s->outside, s->cause, sizeof s->cause);
    else if (vt_outside_withholds(&s->outside, usable))
        snprintf(s->cause, sizeof s->cause,
                 "it has neither VT-x nor AMD-V, which the hypervisor outside (%s) hides", s->outside.name);
    else if (s->extension)
        snprintf(s->cause, sizeof s->cause, "its backend %s does not use the processor's %s%s", s->backend,
                 s->extension, usable ? "" : ", which is switched off");
    else
        snprintf(s->cause, sizeof s->cause, "it has neither VT-x nor AMD-V, which %s",
                 s->outside.present == VT_NO ? "the processor lacks" : "this machine does not show");
}

/* KVM is there for whoever may use it, as a kernel has it that needs no extension: a way to it is not all
 * that lacks. */
static bool is_barred_without(const struct situation *s)
{
    return s->standing == OBSTACLE && vt_document_is_false(s->document, "vt_x.supported") &&
           vt_document_is_false(s->document, "amd_v.supported") &&
           (is(s->document, "kvm.obstacle", "no-device") || is(s->document, "kvm.obstacle", "no-permission"));
}

static void explain(struct situation *s)
{
    const json_t *d = s->document;
    if (is_barred_without(s))
        snprintf(s->cause, sizeof s->cause, "%.220s; guests would run without VT-x and AMD-V",
                 text_or(d, "kvm.reason", "KVM does not work here"));
    else if (s->standing == RUNS_WITHOUT)
        explain_without(s);
    else if (s->standing == WITHHELD)
        vt_outside_cause(d, &s->outside, s->cause, sizeof s->cause);
    else if (s->standing == UNREAD)
        snprintf(s->cause, sizeof s->cause, "the dump lacks the CPUID leaf that would tell (%s)",
                 vt_document_reason(d, vt_document_is_false(d, "vt_x.supported") ? "amd_v.supported"
                                                                                 : "vt_x.supported"));
    else if (s->standing == LACKING)
        snprintf(s->cause, sizeof s->cause, "this processor has neither VT-x nor AMD-V");
    else if (s->standing == OBSTACLE)
        snprintf(s->cause, sizeof s->cause, "%s", text_or(d, "kvm.reason", "KVM does not work here"));
    else if (s->standing == RUNS_UNTOLD)
        snprintf(s->cause, sizeof s->cause,
                 "KVM runs guests here (backend %s), and how it runs their ring 0 is not known: %.200s",
                 s->backend, text_or(d, "kvm.cpl0", vt_document_reason(d, "kvm.cpl0")));
    else if (s->standing == ABLE)
        snprintf(s->cause, sizeof s->cause,
                 "the processor has %s%s, but a CPUID dump does not tell whether its firmware and its kernel "
                 "let it be used",
                 s->extension,
                 s->outside.present == VT_YES ? ", which the hypervisor outside passes on" : "");
}

static struct situation read_situation(const json_t *document)
{
    struct situation s = {
        .document = document,
        .extension = vt_document_is_true(document, "vt_x.supported")    ? "VT-x"
                     : vt_document_is_true(document, "amd_v.supported") ? "AMD-V"
                                                                        : NULL,
        .backend = text_or(document, "kvm.backend", "unknown"),
    };
    vt_outside_read(document, &s.outside);
    s.standing = is_dump(&s) ? stand_dump(&s) : stand_live(&s);
    explain(&s);
    return s;
}

static const char *cpl_words(const char *word)
{
    if (strcmp(word, "interpreted") == 0)
        return "is interpreted";
    if (strcmp(word, "deprivileged") == 0)
        return "runs without its privileges";
    if (strcmp(word, "hardware") == 0)
        return "runs at the processor's speed";
    return "does not run";
}

static void judge_hardware(const struct situation *s, struct verdict *verdict)
{
    static const enum vt_answer answers[] = {
        [RUNS] = VT_YES,    [RUNS_UNTOLD] = VT_UNKNOWN, [RUNS_WITHOUT] = VT_NO, [WITHHELD] = VT_NO,
        [OBSTACLE] = VT_NO, [ABLE] = VT_UNKNOWN,        [LACKING] = VT_NO,      [UNREAD] = VT_UNKNOWN,
    };
    if (s->standing == RUNS)
        answer(verdict, VT_YES, "KVM runs guest code at the processor's speed, ring 0 included, on %s%s",
               strcmp(s->backend, "svm") == 0 ? "AMD-V" : "VT-x",
               s->outside.present == VT_YES && s->outside.control != VT_YES
                   ? " (itself virtualized: this is a guest)"
                   : "");
    else if (s->standing == RUNS_WITHOUT)
        answer(verdict, VT_NO, "KVM works here, but %s; guest ring 0 %s, ring 3 %s", s->cause,
               cpl_words(text_or(s->document, "kvm.cpl0", "")),
               cpl_words(text_or(s->document, "kvm.cpl3", "")));
    else
        answer(verdict, answers[s->standing], "%s%s",
               s->standing == WITHHELD && s->outside.place ? "not with KVM: " : "", s->cause);
}

static bool runs(const struct situation *s)
{
    return s->standing == RUNS || s->standing == RUNS_UNTOLD || s->standing == RUNS_WITHOUT;
}

static void judge_any(const struct situation *s, struct verdict *verdict)
{
    if (runs(s))
        answer(verdict, VT_YES, "/dev/kvm opens, creates a machine and runs guest code (backend %s)",
               s->backend);
    else if (s->outside.control == VT_YES)
        answer(verdict, VT_YES, "under %s, whose %s this is; KVM runs none here", s->outside.name,
               s->outside.place);
    else if (is_dump(s))
        answer(verdict, VT_UNKNOWN, "a CPUID dump does not tell whether /dev/kvm works on that machine");
    else
        answer(verdict, VT_NO, "KVM runs none here; software emulation (QEMU's TCG) works everywhere");
}

static void judge_obstacle(const struct situation *s, struct verdict *verdict)
{
    if (s->standing == RUNS)
        answer(verdict, VT_NO, "nothing does");
    else if (s->standing == ABLE)
        answer(verdict, VT_UNKNOWN, "a CPUID dump shows the processor, not its firmware and its kernel");
    else if (s->standing == RUNS_WITHOUT)
        answer(verdict, VT_YES, "KVM works here, but %s", s->cause);
    else
        answer(verdict, s->standing == UNREAD || s->standing == RUNS_UNTOLD ? VT_UNKNOWN : VT_YES, "%s",
               s->cause);
}

/* What of the processor decides how dear a guest's own guests are; an exit here is one of this KVM's, for
 * each time that the guest enters or leaves its guest. docs/LAB.md, "A hypervisor in a hypervisor", has
 * figures. */
static const struct {
    const char *backend, *key, *with, *without;
} nesting_costs[] = {
    {"svm", "amd_v.features.np", "its guests may use nested paging",
     "its guests must keep shadow page tables"},
    {"svm", "amd_v.features.v_vmsave_vmload", "VMLOAD and VMSAVE of theirs need not exit",
     "each VMLOAD and VMSAVE of theirs is an exit"},
    {"svm", "amd_v.features.vgif", "CLGI and STGI of theirs need not exit",
     "each CLGI and STGI of theirs is an exit"},
    {"vmx", "vt_x.features.ept", "its guests may use nested paging",
     "its guests must keep shadow page tables"},
    {"vmx", "vt_x.features.vmcs_shadowing", "VMREAD and VMWRITE of theirs need not exit",
     "each VMREAD and VMWRITE of theirs is an exit"},
    {"vmx", "kvm.capabilities.KVM_CAP_HYPERV_ENLIGHTENED_VMCS",
     "those that know Hyper-V's interface may have an enlightened VMCS, which is memory",
     "they have no enlightened VMCS"},
    {"vmx", "hypervisor.enlightened_vmcs",
     "the hypervisor outside spares KVM itself the exits of VMREAD and VMWRITE by an enlightened VMCS", NULL},
};

/* Of what is not known nothing is said. */
static void tell_nesting_costs(const struct situation *s, char *text, size_t size)
{
    *text = '\0';
    for (size_t i = 0; i < sizeof nesting_costs / sizeof nesting_costs[0]; i++) {
        const json_t *feature = vt_document_get(s->document, nesting_costs[i].key);
        bool known = json_is_boolean(feature) || json_is_integer(feature);
        bool has = json_is_true(feature) || json_integer_value(feature) > 0;
        const char *said = has ? nesting_costs[i].with : nesting_costs[i].without;
        if (known && said && strcmp(s->backend, nesting_costs[i].backend) == 0)
            vt_text_append(text, size, "; %s", said);
    }
}

static void judge_nested(const struct situation *s, struct verdict *verdict)
{
    const json_t *nested = vt_document_get(s->document, "kvm.nested");
    char costs[400];

    tell_nesting_costs(s, costs, sizeof costs);
    if (json_is_true(nested))
        answer(verdict, VT_YES, "KVM offers %s to its guests%s",
               strcmp(s->backend, "svm") == 0 ? "AMD-V" : "VT-x", costs);
    else if (json_is_false(nested))
        answer(verdict, VT_NO, "KVM offers its guests neither VT-x nor AMD-V");
    else if (is_dump(s))
        answer(verdict, VT_UNKNOWN, "a CPUID dump does not tell");
    else
        answer(verdict, VT_UNKNOWN, "%s",
               runs(s) ? vt_document_reason(s->document, "kvm.nested")
                       : "KVM runs none here that could be asked");
}

/* From the first leaf to the last; what is in front of a name is the interface it lends. */
static void name_layers(const json_t *document, char *text, size_t size)
{
    size_t i;
    json_t *layer;
    *text = '\0';
    json_array_foreach(vt_document_get(document, "hypervisor.layers"), i, layer)
    {
        bool interface = json_is_string(json_object_get(layer, "interface")) &&
                         !json_is_string(json_object_get(layer, "vendor"));
        vt_text_append(text, size, "%s\"%s\" at %s%s", i ? ", " : "",
                       json_string_value(json_object_get(layer, "signature")),
                       json_string_value(json_object_get(layer, "leaf")),
                       interface ? " with Hyper-V's interface" : "");
    }
}

static void judge_inside(const struct situation *s, struct verdict *verdict)
{
    const json_t *d = s->document;
    char layers[256];
    const char *evidence =
        json_string_value(json_object_get(json_object_get(d, "evidence"), "hypervisor.present"));
    name_layers(d, layers, sizeof layers);
    if (vt_document_text(d, "hypervisor.vendor") && !vt_document_text(d, "hypervisor.signature")) {
        *layers = '\0'; /* they are of who stands further outside */
        evidence = json_string_value(json_object_get(json_object_get(d, "evidence"), "hypervisor.vendor"));
    }
    if (s->outside.present == VT_UNKNOWN || (s->outside.present == VT_NO && is_dump(s)))
        answer(verdict, VT_UNKNOWN, "%s",
               vt_document_reason(d, s->outside.present == VT_NO ? "hypervisor.bare_metal"
                                                                 : "hypervisor.present"));
    else if (s->outside.present == VT_NO)
        answer(verdict, VT_NO, "%s", evidence ? evidence : "nothing shows a hypervisor");
    else
        answer(verdict, VT_YES, "under %s%s%s%s%s%s%s (%s%s)",
               text_or(d, "hypervisor.vendor", "a hypervisor that is not known by name"),
               s->outside.place ? ", in its " : "", s->outside.place ? s->outside.place : "",
               s->outside.place ? ": the host's own system" : "",
               s->outside.encrypted ? ", encrypted by " : "",
               s->outside.encrypted ? s->outside.encrypted : "",
               s->outside.paravisor ? " behind a paravisor" : "", *layers ? "signature " : "",
               *layers    ? layers
               : evidence ? evidence
                          : "the kernel says so");
}

/* Only what can work where this machine stands. */
static void find_fix(const struct situation *s, char *text, size_t size)
{
    const bool kept = vt_outside_withholds(&s->outside, s->extension);
    *text = '\0';
    if (s->standing == WITHHELD || (s->standing == RUNS_WITHOUT && kept))
        vt_outside_fix(&s->outside, text, size);
    else if (s->standing == OBSTACLE)
        snprintf(text, size, "%s", text_or(s->document, "kvm.fix", ""));
    else if (s->standing == ABLE)
        snprintf(text, size, "run vmtoll probe on that machine");
}

static void find_nested_fix(const struct situation *s, char *text, size_t size)
{
    *text = '\0';
    if (s->standing == RUNS && vt_document_is_false(s->document, "kvm.nested"))
        snprintf(text, size, "load %s with nested=1",
                 strcmp(s->backend, "svm") == 0 ? "kvm_amd" : "kvm_intel");
}

static const struct {
    const char *key, *question;
    void (*judge)(const struct situation *s, struct verdict *verdict);
    void (*fix)(const struct situation *s, char *text, size_t size);
} questions[] = {
    {"hardware_vms", "Can I run hardware-accelerated VMs here?", judge_hardware, find_fix},
    {"vms", "Can I run VMs at all?", judge_any, NULL},
    {"obstacle", "Does anything stop me?", judge_obstacle, find_fix},
    {"nested", "Can guests run VMs of their own?", judge_nested, find_nested_fix},
    {"inside_vm", "Am I in a VM?", judge_inside, NULL},
};

void vt_detect_verdict(json_t *document, const struct vt_facts *facts)
{
    static const char *const words[] = {[VT_NO] = "no", [VT_YES] = "yes", [VT_UNKNOWN] = "unknown"};
    struct situation situation = read_situation(document);
    (void)facts;
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        struct verdict verdict = {0};
        char path[128], fix[448] = ""; /* as of an obstacle */
        questions[i].judge(&situation, &verdict);
        if (questions[i].fix)
            questions[i].fix(&situation, fix, sizeof fix);
        vt_document_put(document, vt_document_path(path, "verdict", questions[i].key),
                        json_pack("{s:s, s:s, s:s, s:s?}", "question", questions[i].question, "answer",
                                  words[verdict.answer], "text", verdict.text, "fix", *fix ? fix : NULL),
                        NULL);
    }
}
