#include "guest/catalogue.h"
#include "guest/abi.h"

#include <string.h>

#define CASE(id, ...)                                                                                        \
    extern const char vt_text_##id[];                                                                        \
    void vt_body_##id(uint64_t, struct vt_scratch *);                                                        \
    void vt_baseline_##id(uint64_t, struct vt_scratch *);
#include "guest/cases.def"
#undef CASE

enum {
#define CASE(id, ...) CASE_##id,
#include "guest/cases.def"
#undef CASE
    CASES
};

#define FORM(interface, id, ...)                                                                             \
    extern const char vt_text_##interface##_##id[];                                                          \
    void vt_pv_body_##interface##_##id(uint64_t, struct vt_scratch *);                                       \
    void vt_pv_baseline_##interface##_##id(uint64_t, struct vt_scratch *);
#include "guest/forms.def"
#undef FORM

enum { FORM_kvm = VT_PV_KVM, FORM_xen = VT_PV_XEN, FORM_process = VT_PV_PROCESS };

#define FORM(interface, id, words, manuals, ...)                                                             \
    [CASE_##id][FORM_##interface] = {.operation = words,                                                     \
                                     .code = vt_text_##interface##_##id,                                     \
                                     .reference = manuals,                                                   \
                                     .body = vt_pv_body_##interface##_##id,                                  \
                                     .baseline = vt_pv_baseline_##interface##_##id,                          \
                                     __VA_ARGS__},
static const struct vt_pv_form forms[CASES][VT_PV_INTERFACES] = {
#include "guest/forms.def"
};
#undef FORM

#define FEATURE(...) .feature = {__VA_ARGS__}
#define CASE(id, title, group, privilege, intel, amd, alone, about, manuals, ...)                            \
    {.name = title,                                                                                          \
     .class = VT_CLASS_##group,                                                                              \
     .summary = about,                                                                                       \
     .operation = vt_text_##id,                                                                              \
     .reference = manuals,                                                                                   \
     .sensitivity = VT_##privilege,                                                                          \
     .vmx = VT_EXITS_##intel,                                                                                \
     .svm = VT_EXITS_##amd,                                                                                  \
     .bare = VT_BARE_##alone,                                                                                \
     .body = vt_body_##id,                                                                                   \
     .baseline = vt_baseline_##id,                                                                           \
     .pv = forms[CASE_##id],                                                                                 \
     __VA_ARGS__},
static const struct vt_case cases[] = {
#include "guest/cases.def"
};
#undef CASE

static const char *const class_names[VT_CLASSES] = {
    [VT_CLASS_CONTROL] = "control",
    [VT_CLASS_IDENTIFICATION] = "identification",
    [VT_CLASS_TIME] = "time",
    [VT_CLASS_RANDOM] = "random",
    [VT_CLASS_CONTROL_REGISTER] = "control-register",
    [VT_CLASS_DEBUG_REGISTER] = "debug-register",
    [VT_CLASS_DESCRIPTOR_TABLE] = "descriptor-table",
    [VT_CLASS_SEGMENT] = "segment",
    [VT_CLASS_FLAGS] = "flags",
    [VT_CLASS_MSR] = "msr",
    [VT_CLASS_TLB_CACHE] = "tlb-cache",
    [VT_CLASS_PORT_IO] = "port-io",
    [VT_CLASS_MMIO] = "mmio",
    [VT_CLASS_APIC] = "apic",
    [VT_CLASS_IDLE] = "idle",
    [VT_CLASS_HYPERCALL] = "hypercall",
    [VT_CLASS_VIRTUALIZATION] = "virtualization",
    [VT_CLASS_EXCEPTION] = "exception",
    [VT_CLASS_XSTATE] = "xstate",
    [VT_CLASS_MEMORY] = "memory",
    [VT_CLASS_COMPUTE] = "compute",
    [VT_CLASS_LIFECYCLE] = "lifecycle",
};

static const char *const sensitivity_names[] = {
    [VT_INNOCUOUS] = "innocuous",
    [VT_SENSITIVE] = "sensitive",
    [VT_IO_PRIVILEGED] = "io-privileged",
    [VT_PRIVILEGED] = "privileged",
};

static const char *const exiting_names[] = {
    [VT_EXITS_NEVER] = "never",
    [VT_EXITS_CONTROL] = "control",
    [VT_EXITS_ALWAYS] = "always",
    [VT_EXITS_ABSENT] = "absent",
};

static const char *const bare_names[] = {
    [VT_BARE_SAFE] = "safe",       [VT_BARE_RESTORED] = "restored", [VT_BARE_GUARDED] = "guarded",
    [VT_BARE_QUIET] = "quiet",     [VT_BARE_PORT] = "port",         [VT_BARE_ADDRESS] = "address",
    [VT_BARE_REFUSED] = "refused",
};

const struct vt_case *vt_guest_cases(size_t *count)
{
    *count = sizeof cases / sizeof cases[0];
    return cases;
}

const struct vt_case *vt_guest_find_case(const char *name)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(cases[i].name, name) == 0)
            return &cases[i];
    return NULL;
}

size_t vt_guest_case_position(const char *name)
{
    const struct vt_case *c = vt_guest_find_case(name);
    return c ? (size_t)(c - cases) : sizeof cases / sizeof cases[0];
}

const char *vt_guest_class_name(enum vt_class class)
{
    return class_names[class];
}

const char *vt_guest_sensitivity_name(enum vt_sensitivity sensitivity)
{
    return sensitivity_names[sensitivity];
}

const char *vt_guest_exiting_name(enum vt_exiting exiting)
{
    return exiting_names[exiting];
}

const char *vt_guest_bare_name(enum vt_bare bare)
{
    return bare_names[bare];
}

static const char *const interface_names[VT_PV_INTERFACES] = {
    [VT_PV_KVM] = "kvm",
    [VT_PV_XEN] = "xen",
    [VT_PV_PROCESS] = "process",
};

const struct vt_pv_form *vt_guest_pv_form(const struct vt_case *c, enum vt_pv_interface interface)
{
    return c->pv && c->pv[interface].operation ? &c->pv[interface] : NULL;
}

bool vt_guest_has_row(const struct vt_case *c, enum vt_rows rows)
{
    if (rows == VT_ROWS_FORMS)
        return vt_guest_pv_form(c, VT_PV_XEN);
    return rows == VT_ROWS_ALL || c->trapped_by != VT_TRAPPED_BY_NOTHING;
}

const char *vt_guest_trapped_by_name(enum vt_trapped_by assist)
{
    static const char *const names[] = {[VT_TRAPPED_BY_NOTHING] = "nothing",
                                        [VT_TRAPPED_BY_TSD] = "CR4.TSD",
                                        [VT_TRAPPED_BY_CPUID_FAULTING] = "CPUID faulting"};

    return names[assist];
}

const char *vt_guest_pv_interface_name(enum vt_pv_interface interface)
{
    return interface_names[interface];
}

/* Intel SDM 3A table 6-1; AMD APM 2 table 8-1. */
static const char *const vector_names[32] = {
    "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "#CSO", "#TS",
    "#NP", "#SS", "#GP", "#PF", "#15", "#MF", "#AC", "#MC", "#XM", "#VE",  "#CP",
    "#22", "#23", "#24", "#25", "#26", "#27", "#HV", "#VC", "#SX", "#31",
};

const char *vt_guest_vector_name(uint64_t vector)
{
    return vector < 32 ? vector_names[vector] : "interrupt";
}

bool vt_guest_case_runs_at(const struct vt_case *c, int cpl, bool iopl3)
{
    if (cpl == 0)
        return true;
    if (c->ring0_only || c->sensitivity == VT_PRIVILEGED)
        return false;
    return iopl3 || c->sensitivity != VT_IO_PRIVILEGED;
}
