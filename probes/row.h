/*
 * Probes as rows of data: a name, where the answer stands, and what it means.
 * Evaluating a row gives yes, no, or unknown with a reason.
 */
#ifndef VT_PROBES_ROW_H
#define VT_PROBES_ROW_H

#include "probes/document.h"
#include "probes/facts.h"

struct vt_finding {
    enum vt_answer answer;
    char why[256]; /* the evidence, or for VT_UNKNOWN the reason */
};

/* A bit of CPUID. */
struct vt_cpuid_row {
    const char *name;
    struct vt_cpuid_bit bit;
    const char *meaning;
};

struct vt_finding vt_row_found(enum vt_answer answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct vt_finding vt_row_cpuid(const struct vt_facts *facts, struct vt_cpuid_bit bit);

/* Record a finding as true, false or null. */
void vt_row_record(json_t *document, const char *section, const char *name, const struct vt_finding *finding);

/* Evaluate and record all rows. `gate`: when it is not yes, its answer and text hold for every row. */
void vt_row_record_cpuid(json_t *document, const char *section, const struct vt_facts *facts,
                         const struct vt_cpuid_row *rows, size_t count, const struct vt_finding *gate);

#endif
