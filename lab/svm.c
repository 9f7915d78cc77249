/*
 * Lab `svm`: KVM's AMD-V code on QEMU's emulation of a processor with SVM. With
 * `-icount shift=0` one instruction is one nanosecond of the machine's time, and
 * its time-stamp counter counts them.
 */
#include "lab/emulator.h"
#include "lab/labs.h"
#include "lab/linux.h"
#include "lab/program.h"
#include "lab/workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 180

static char *const arguments[] = {
    /* clang-format off */
    "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none",
    "-machine", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "512",
    "-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01T00:00:00,clock=vm", "-seed", "1",
    "-serial", "file:console", "-chardev", "file,id=link,path=link", "-device", "isa-debugcon,chardev=link",
    "-initrd", "initrd", "-append", (VT_LAB_LINUX_COMMAND_LINE), "-kernel",
    /* clang-format on */
};
enum { ARGUMENTS = sizeof arguments / sizeof arguments[0] };

static int run_emulator(const struct vt_lab_request *request, const char *folder, const char *kernel,
                        struct vt_lab_outcome *outcome, struct vt_error *error)
{
    char *argv[ARGUMENTS + 2];
    struct vt_lab_link link = {0};
    struct vt_emulator emulator = {
        .lab = "svm",
        .argv = argv,
        .folder = folder,
        .link_file = "link",
        .console_file = "console",
        .panic = "Kernel panic - ",
        .limit = request->limit > 0 ? request->limit : LIMIT,
        .request = request,
    };

    memcpy(argv, arguments, sizeof arguments);
    argv[ARGUMENTS] = (char *)kernel;
    argv[ARGUMENTS + 1] = NULL;
    int status = vt_emulator_run(&emulator, &link, error);
    if (status == 0)
        vt_lab_take_document(outcome, &link);
    vt_lab_link_release(&link);
    return status;
}

int vt_lab_run_svm(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error)
{
    struct vt_workspace workspace = {0};
    struct vt_lab_linux linux_ = {0};
    struct vt_lab_plan plan;
    char *initrd = NULL;

    int status = vt_lab_require_emulator(outcome, "qemu-system-x86_64", "qemu-system-x86", error);
    if (status == 0)
        status = vt_lab_linux_plan(&plan, "svm", request, error);
    if (status == 0)
        status = vt_lab_linux_find(&linux_, request, error);
    if (status == 0)
        status = vt_workspace_open(&workspace, error);
    if (status == 0) {
        initrd = vt_workspace_path(workspace.folder, "initrd");
        status = vt_lab_linux_archive(&linux_, initrd, "kvm-amd", &plan, error);
    }
    if (status == 0)
        status = run_emulator(request, workspace.folder, linux_.kernel, outcome, error);
    snprintf(outcome->command_line, sizeof outcome->command_line, "%s", VT_LAB_LINUX_COMMAND_LINE);
    free(initrd);
    vt_workspace_close(&workspace);
    vt_lab_linux_release(&linux_);
    return status;
}
