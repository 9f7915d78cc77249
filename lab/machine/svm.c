/*
 * Lab `svm`: KVM's AMD-V code on QEMU's emulation of a processor with SVM. With
 * `-icount shift=0` one instruction is one nanosecond of the machine's time, and
 * its time-stamp counter counts them.
 */
#include "lab/labs.h"
#include "lab/linux.h"
#include "lab/profile/places.h"
#include "lab/profile/qemu.h"

#include <string.h>

#define LIMIT      180
#define LIMIT_DEEP 900

static char *const arguments[] = {
    /* clang-format off */
    "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none",
    "-machine", "q35", "-accel", "tcg", "-cpu", "max", "-m", "512",
    "-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01T00:00:00,clock=vm", "-seed", "1",
    "-serial", "file:console", "-chardev", "file,id=link,path=link", "-device", "isa-debugcon,chardev=link",
    "-initrd", VT_LAB_LINUX_INITRD,
    /* clang-format on */
};
enum { ARGUMENTS = sizeof arguments / sizeof arguments[0] };

static int place_plugin(struct vt_lab_linux *linux_, bool deep, struct vt_plugin_argument *argument,
                        char **argv, struct vt_error *error)
{
    struct vt_profile_places places =
        deep ? vt_profile_places_of_payload_below() : vt_profile_places_of_payload();

    linux_->plan.pages = true;
    argv[0] = "-plugin";
    argv[1] = argument->text;
    argv[2] = NULL;
    return vt_plugin_place(linux_->workspace.folder, &places.record, argument, error);
}

static int read_profile(const struct vt_lab_linux *linux_, bool deep, struct vt_lab_outcome *outcome,
                        struct vt_error *error)
{
    struct vt_lab_profile *profile = &outcome->profiles[0];

    profile->engine = "svm";
    profile->code = vt_profile_places_of_payload().code;
    profile->virtualized = profile->alternates = true;
    profile->deep = deep;
    return vt_plugin_read(linux_->workspace.folder, &profile->capture, error);
}

int vt_lab_run_svm(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                   struct vt_error *error)
{
    struct vt_lab_number processors = vt_lab_tuning_processors(&request->tuning);
    char *argv[ARGUMENTS + 9];
    struct vt_lab_linux linux_;
    struct vt_plugin_argument argument;
    struct vt_emulator emulator = {
        .lab = "svm",
        .argv = argv,
        .link_file = "link",
        .limit = request->depth > 1 ? LIMIT_DEEP : LIMIT,
        .request = request,
    };

    int status = vt_lab_require_emulator(request, outcome, "qemu-system-x86_64", "qemu-system-x86", error);
    if (status == 0)
        status = vt_lab_linux_open(&linux_, request, "svm", "kvm-amd", "", true, error);
    if (status != 0)
        return status;
    memcpy(argv, arguments, sizeof arguments);
    memcpy(
        argv + ARGUMENTS,
        ((char *[]){"-smp", processors.text, "-append", linux_.command_line, "-kernel", linux_.kernel, NULL}),
        sizeof(char *[7]));
    outcome->profile_count = request->profile;
    if (request->profile)
        status = place_plugin(&linux_, request->depth > 1, &argument, argv + ARGUMENTS + 6, error);
    if (status == 0)
        status = vt_lab_linux_run(&linux_, &emulator, outcome, error);
    if (request->profile)
        status = vt_plugin_explain(status, "svm", outcome->emulator, error);
    if (status == 0 && request->profile)
        status = read_profile(&linux_, request->depth > 1, outcome, error);
    vt_lab_linux_close(&linux_);
    return status;
}
