/*
 * The hypervisor outside as far as it stands between this system and the
 * processor's virtualization: who holds or hides VT-x and AMD-V, and what can be
 * done about that. Reads the document's sections cpu, vt_x, amd_v, hypervisor and
 * confidential; every verdict takes its words from here.
 */
#ifndef VT_PROBES_OUTSIDE_OUTSIDE_H
#define VT_PROBES_OUTSIDE_OUTSIDE_H

#include "probes/section.h"

#include <stdbool.h>

struct vt_outside {
    enum vt_answer present, control; /* control: this is the system that runs it */
    const char *name;                /* to be put into a sentence; "unknown" when it has none */
    const char *provider;  /* whose machine it is, where that decides how the extension is had; or NULL */
    const char *place;     /* "root partition", "dom0": where control is YES */
    const char *encrypted; /* what encrypts this guest: "TDX", "SEV-SNP"; NULL: nothing known */
    bool paravisor;        /* and it stands between */
    bool paravirtual;      /* this guest has no ring 0 */
};

void vt_outside_read(const json_t *document, struct vt_outside *outside);

/* It keeps the processor's virtualization from this system: `supported`, CPUID shows it here. */
bool vt_outside_withholds(const struct vt_outside *outside, bool supported);

/* Who keeps it and why, without a full stop. */
void vt_outside_cause(const json_t *document, const struct vt_outside *outside, char *text, size_t size);

/* What would help; "" when nothing can. */
void vt_outside_fix(const struct vt_outside *outside, char *text, size_t size);

#endif
