#include "probes/row.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const registers[] = {
    [VT_EAX] = "EAX", [VT_EBX] = "EBX", [VT_ECX] = "ECX", [VT_EDX] = "EDX"};

struct vt_finding vt_row_found(enum vt_answer answer, const char *format, ...)
{
    struct vt_finding finding = {.answer = answer};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding.why, sizeof finding.why, format, arguments);
    va_end(arguments);
    return finding;
}

struct vt_finding vt_row_cpuid(const struct vt_facts *facts, struct vt_cpuid_bit bit)
{
    struct vt_finding finding = {.answer = VT_UNKNOWN};
    uint32_t reg[4];
    enum vt_reading reading = vt_facts_leaf(facts, bit.leaf, bit.subleaf, reg);
    bool set = reg[bit.reg] >> bit.bit & 1;
    char leaf[32];
    snprintf(leaf, sizeof leaf, bit.subleaf ? "CPUID 0x%x.%u" : "CPUID 0x%x", bit.leaf, bit.subleaf);
    if (reading == VT_MISSING) {
        snprintf(finding.why, sizeof finding.why, "%s is %s", leaf,
                 facts->live ? "not among the leaves this machine answers" : "absent from the dump");
        return finding;
    }
    finding.answer = set ? VT_YES : VT_NO;
    if (reading == VT_BEYOND)
        snprintf(finding.why, sizeof finding.why, "%s is beyond the last leaf of this processor", leaf);
    else
        snprintf(finding.why, sizeof finding.why, "%s %s[%u] = %d", leaf, registers[bit.reg], bit.bit, set);
    return finding;
}

void vt_row_record(json_t *document, const char *section, const char *name, const struct vt_finding *finding)
{
    char path[128];
    vt_document_path(path, section, name);
    if (finding->answer == VT_UNKNOWN)
        vt_document_unknown(document, path, finding->why);
    else
        vt_document_put(document, path, json_boolean(finding->answer == VT_YES), finding->why);
}

void vt_row_record_cpuid(json_t *document, const char *section, const struct vt_facts *facts,
                         const struct vt_cpuid_row *rows, size_t count, const struct vt_finding *gate)
{
    for (size_t i = 0; i < count; i++) {
        struct vt_finding finding = *gate;
        if (gate->answer == VT_YES)
            finding = vt_row_cpuid(facts, rows[i].bit);
        vt_row_record(document, section, rows[i].name, &finding);
    }
}
