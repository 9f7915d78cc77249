/*
 * Lab `bochs`: the cases at ring 0 of Bochs' processors and below the image's own monitor, which has VT-x on
 * one of Intel's and AMD-V on one of AMD's: no other emulator has both. One tick of the clock is one
 * instruction.
 */
#include "lab/emulator/bochs.h"
#include "lab/emulator/disc.h"
#include "lab/fetch/workspace.h"
#include "lab/image.h"
#include "lab/labs.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT      300
#define LAB        "bochs"
#define IMAGE_FILE "image"

/* Each processor for what it alone has; the others' rows would be the same. */
static const char *const roads_of_intel[] = {
    "plain",        "monitor-trap", "monitor-trap-assist", "monitor-translate",
    "monitor-call", "monitor-vmx",  "monitor-vmx-kvm",     NULL};
static const char *const roads_of_amd[] = {"monitor-svm", "monitor-svm-kvm", NULL};

static const struct {
    const struct vt_bochs_model *models;
    const char *const *roads;
} machines[] = {{vt_bochs_intel, roads_of_intel}, {vt_bochs_amd, roads_of_amd}};

enum { MACHINES = sizeof machines / sizeof machines[0] };

static int place(const char *folder, const char *words, const struct vt_lab_request *request,
                 struct vt_error *error)
{
    char *path = vt_workspace_path(folder, IMAGE_FILE);
    const struct vt_disc disc = {.kernel = path, .command_line = words};
    int status = path ? vt_disc_make(folder, &disc, request, error) : vt_error_memory(error, "the disc");

    free(path);
    return status;
}

struct booted {
    const struct vt_lab_image *image;
    char choice[VT_LAB_IMAGE_CHOICE];
    struct vt_lab_outcome *outcome;
};

static int run(void *context, struct vt_emulator *emulator, struct vt_error *error)
{
    struct booted *booted = context;

    return vt_lab_image_run(booted->image, emulator, booted->choice, booted->outcome, error);
}

static int boot(size_t machine, const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                struct vt_error *error)
{
    const struct vt_lab_image image = {.engine = LAB,
                                       .start = vt_image_pvh,
                                       .end = vt_image_pvh_end,
                                       .file = IMAGE_FILE,
                                       .path = VT_PATH_NATIVE,
                                       .roads = machines[machine].roads,
                                       .place = place};
    struct booted booted = {.image = &image, .outcome = outcome};
    struct vt_workspace workspace;

    int status = vt_lab_image_choice(request, booted.choice, error);
    if (status == 0)
        status = vt_workspace_open(&workspace, error);
    if (status != 0)
        return status;
    const struct vt_bochs_pc pc = {.lab = LAB,
                                   .models = machines[machine].models,
                                   .khz = VT_BOCHS_KHZ_SHORT,
                                   .folder = workspace.folder,
                                   .limit = LIMIT};
    status = vt_bochs_boot(&pc, request, outcome, &(struct vt_bochs_use){run, &booted}, error);
    vt_workspace_close(&workspace);
    return status;
}

int vt_lab_run_bochs(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                     struct vt_error *error)
{
    int status = vt_bochs_require(request, outcome, error);

    for (size_t i = 0; status == 0 && i < MACHINES; i++)
        status = boot(i, request, outcome, error);
    return status;
}
