#include "lab/emulator/bochs_linux.h"

#include "guest/abi.h"
#include "lab/emulator/disc.h"
#include "lab/linux.h"
#include "lab/profile/debugger.h"
#include "lab/profile/places.h"

#include <stdio.h>

#define LIMIT    600
#define DEEP     1800 /* where the machine starts another one */
#define PROFILED 1800 /* the same where each instruction is printed */

/*
 * Bochs' time-stamp counter, its local APIC's timer and its other devices all count
 * the same ticks, one per instruction, but its CPUID leaves 0x15 and 0x16 promise
 * 3.5 GHz and a crystal of 25 MHz. A kernel that believes them programs the APIC's
 * timer 140 times too early, finds that nothing is due, and tries again, ever closer
 * to the deadline: interrupts of 600 instructions by the hundred in some batches and
 * none in others. It is told the frequency of its counter; then it measures the rest.
 *
 * Bochs' sizes of the compacted XSAVE area are wrong too; believing them, the kernel
 * would switch XSAVE off.
 *
 * REP STOS and REP MOVS cost Bochs one tick more where they cross a page. The kernel
 * draws lots where in a slab an object lies, so that KVM's emulator, whose context is
 * cleared by REP STOS at each instruction, would differ by an instruction from boot to
 * boot: in slabs of one page nothing crosses.
 */
#define OWN_WORDS "tsc_early_khz=" VT_BOCHS_KHZ " tsc=reliable clearcpuid=xsavec,xsaves "

static int make_disc(const struct vt_lab_linux *linux_, const struct vt_lab_request *request,
                     struct vt_error *error)
{
    const struct vt_disc disc = {linux_->kernel, VT_LAB_LINUX_INITRD, linux_->command_line};
    const struct vt_lab_progress progress = {.stage = "making a boot disc"};

    if (request->progress)
        request->progress(request->context, &progress);
    return vt_disc_make(linux_->workspace.folder, &disc, request, error);
}

struct booted {
    struct vt_lab_linux *linux_;
    struct vt_lab_outcome *outcome;
};

static int run_linux(void *context, struct vt_emulator *emulator, struct vt_error *error)
{
    const struct booted *booted = context;

    return vt_lab_linux_run(booted->linux_, emulator, booted->outcome, error);
}

static int boot(const struct vt_bochs *machine, struct vt_lab_linux *linux_,
                const struct vt_emulator_tap *tap, const struct vt_lab_request *request,
                struct vt_lab_outcome *outcome, struct vt_error *error)
{
    const struct vt_bochs_pc pc = {.lab = machine->lab,
                                   .models = machine->models,
                                   .khz = VT_BOCHS_KHZ,
                                   .folder = linux_->workspace.folder,
                                   .tap = tap,
                                   .limit = tap                  ? PROFILED
                                            : request->depth > 1 ? DEEP
                                                                 : LIMIT};
    struct booted booted = {linux_, outcome};

    return vt_bochs_boot(&pc, request, outcome, &(struct vt_bochs_use){run_linux, &booted}, error);
}

static int start_debugger(void *context, const char *folder, struct vt_error *error)
{
    return vt_debugger_start(context, folder, error);
}

static int take(void *context, const char *data, size_t size,
                int (*pass)(void *to, const char *data, size_t size), void *to)
{
    return vt_debugger_take(context, data, size, pass, to);
}

/* All that is executed below the guest's last page of code is the guest's: Linux' programs lie above it. */
static struct vt_profile_places places(void)
{
    struct vt_profile_places places = vt_profile_places_of_payload();

    places.record.stubs = 0;
    places.record.high = VT_GUEST_TOUCH;
    return places;
}

static int boot_profiled(const struct vt_bochs *machine, struct vt_lab_linux *linux_,
                         const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                         struct vt_error *error)
{
    struct vt_profile_places where = places();
    struct vt_debugger *debugger = vt_debugger_open(&where);
    struct vt_emulator_tap tap = {start_debugger, take, debugger};
    struct vt_lab_profile *profile = &outcome->profiles[0];

    if (!debugger)
        return vt_error_memory(error, "the profile");
    outcome->profile_count = 1;
    profile->engine = machine->lab;
    profile->code = where.code;
    profile->virtualized = profile->alternates = profile->attempts = true;
    int status = boot(machine, linux_, &tap, request, outcome, error);
    if (status == 0)
        status = vt_debugger_read(debugger, &profile->capture, error);
    vt_debugger_close(debugger);
    return status;
}

int vt_bochs_run(const struct vt_bochs *machine, const struct vt_lab_request *request,
                 struct vt_lab_outcome *outcome, struct vt_error *error)
{
    struct vt_lab_linux linux_;
    char words[200];
    int status = vt_bochs_require(request, outcome, error);

    snprintf(words, sizeof words, OWN_WORDS "%s", machine->words);
    if (status == 0)
        status = vt_lab_linux_open(&linux_, request, machine->lab, machine->module, words, false, error);
    if (status != 0)
        return status;
    linux_.place = make_disc;
    status = request->profile ? boot_profiled(machine, &linux_, request, outcome, error)
                              : boot(machine, &linux_, NULL, request, outcome, error);
    vt_lab_linux_close(&linux_);
    return status;
}
