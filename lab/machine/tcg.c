/* Lab `tcg`: the cases at ring 0 of QEMU's emulated processor, no hypervisor below: the baseline of the
 * others. */
#include "lab/image.h"
#include "lab/labs.h"
#include "lab/fetch/workspace.h"

#include <string.h>

#define LIMIT 180

static char *const arguments[] = {
    /* clang-format off */
    "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none",
    "-machine", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "64",
    "-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01T00:00:00,clock=vm", "-seed", "1",
    "-serial", "file:console", "-chardev", "file,id=link,path=link", "-device", "isa-debugcon,iobase=0x5f0,chardev=link",
    "-kernel", "image", "-append",
    /* clang-format on */
};
enum { ARGUMENTS = sizeof arguments / sizeof arguments[0] };

int vt_lab_run_tcg(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error)
{
    char *argv[ARGUMENTS + 2] = {NULL}, choice[VT_LAB_IMAGE_CHOICE];
    struct vt_workspace workspace;
    const struct vt_lab_image image = {.engine = "tcg",
                                       .start = vt_image_pvh,
                                       .end = vt_image_pvh_end,
                                       .file = "image",
                                       .path = VT_PATH_NATIVE};

    int status = vt_lab_require_emulator(request, outcome, "qemu-system-x86_64", "qemu-system-x86", error);
    if (status == 0)
        status = vt_lab_image_choice(request, choice, error);
    if (status == 0)
        status = vt_workspace_open(&workspace, error);
    if (status != 0)
        return status;
    struct vt_emulator emulator = {
        .lab = "tcg",
        .argv = argv,
        .folder = workspace.folder,
        .link_file = "link",
        .console_file = "console",
        .limit = LIMIT,
        .request = request,
    };
    memcpy(argv, arguments, sizeof arguments);
    argv[ARGUMENTS] = choice;
    status = vt_lab_image_run(&image, &emulator, choice, outcome, error);
    vt_workspace_close(&workspace);
    return status;
}
