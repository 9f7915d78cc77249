#include "lab/machine/nrips.h"
#include "base/text.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

/* One that is decoded now and then is no part of an operation. */
#define MOST_OF_THEM 0.9

/*
 * What KVM emulates on every processor of AMD's, instructions per operation: what meets a page that is none,
 * port I/O of strings, and control registers without decode assists. The first that fits counts.
 * tests/integration/test_lab_svm_bochs.sh holds this against what is decoded with NRIPS.
 */
static const struct {
    const char *name;
    double count;
} emulated[] = {
    {"xapic-self-ipi-hlt", 2}, {"xapic-self-ipi-tpr-hlt", 3}, {"mmio-*", INFINITY},
    {"mov-*-cr?", INFINITY},   {"toggle-cr?-*", INFINITY},    {"rep-*", INFINITY},
    {"undefined", INFINITY},   {"xapic-*", INFINITY},
};

static double emulated_anyway(const struct vt_measurement *m)
{
    for (size_t i = 0; i < sizeof emulated / sizeof emulated[0]; i++)
        if (m->path == VT_PATH_HARDWARE && fnmatch(emulated[i].name, m->c->name, 0) == 0)
            return emulated[i].count;
    return 0;
}

void vt_lab_nrips_note(struct vt_measurement *measurements, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct vt_measurement *m = &measurements[i];
        if (m->status != VT_STATUS_OK ||
            !(vt_measurement_per_operation(m, VT_INSN_EMULATION) - emulated_anyway(m) >= MOST_OF_THEM))
            continue;
        vt_text_append(m->reason, sizeof m->reason,
                       "%sKVM decoded the instruction to step over it, which NRIPS saves it (every AMD since "
                       "2010, lab svm-bochs)",
                       *m->reason ? "; " : "");
    }
}
