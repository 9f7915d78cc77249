#include "lab/lab.h"
#include "lab/labs.h"
#include "lab/fetch/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct vt_lab all[] = {
    {"svm", "kvm_amd on QEMU's AMD-V", true, false, vt_lab_run_svm},
    {"vmx", "kvm_intel on Bochs' VT-x", true, false, vt_lab_run_vmx},
    {"xen", "Xen, the cases in its first domain: PV, then PVH", false, true, vt_lab_run_xen},
    {"tcg", "no hypervisor, at ring 0 of QEMU's processor", false, false, vt_lab_run_tcg},
};

const struct vt_lab *vt_labs(size_t *count)
{
    *count = sizeof all / sizeof all[0];
    return all;
}

int vt_lab_require_emulator(struct vt_lab_outcome *outcome, const char *program, const char *package,
                            struct vt_error *error)
{
    char *text = NULL;
    int status = vt_program_require(program, package, error);
    if (status != 0)
        return status;
    vt_program_run((char *[]){(char *)program, "--version", NULL}, NULL, &text, NULL);
    if (text)
        snprintf(outcome->emulator, sizeof outcome->emulator, "%.*s", (int)strcspn(text, "\n"), text);
    free(text);
    return 0;
}

void vt_lab_release(struct vt_lab_outcome *outcome)
{
    for (size_t i = 0; i < outcome->count; i++)
        vt_measurement_release(&outcome->measurements[i]);
    free(outcome->measurements);
    free(outcome->document);
    *outcome = (struct vt_lab_outcome){0};
}
