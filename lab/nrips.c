#include "lab/nrips.h"
#include "base/text.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>

/* One that is decoded now and then is no part of an operation. */
#define MOST_OF_THEM 0.9

/*
 * What KVM emulates on every processor of AMD's: what meets a page that is none, port I/O of strings, and
 * control registers without decode assists. tests/integration/test_lab_svm_bochs.sh holds this against
 * what is decoded with NRIPS.
 */
static const char *const emulated[] = {"mmio-*", "mov-*-cr?", "rep-*", "undefined", "xapic-*"};

static bool is_emulated_anyway(const struct vt_measurement *m)
{
    for (size_t i = 0; i < sizeof emulated / sizeof emulated[0]; i++)
        if (m->path == VT_PATH_HARDWARE && fnmatch(emulated[i], m->c->name, 0) == 0)
            return true;
    return false;
}

void vt_lab_nrips_note(struct vt_measurement *measurements, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct vt_measurement *m = &measurements[i];
        if (m->status != VT_STATUS_OK || is_emulated_anyway(m) ||
            !(vt_measurement_per_operation(m, VT_INSN_EMULATION) >= MOST_OF_THEM))
            continue;
        vt_text_append(m->reason, sizeof m->reason,
                       "%sKVM decoded the instruction to step over it, which NRIPS saves it (every AMD since "
                       "2010, lab svm-bochs)",
                       *m->reason ? "; " : "");
    }
}
