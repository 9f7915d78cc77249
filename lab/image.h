/*
 * Labs that boot the payload itself (guest/image/): its rows become measurements.
 */
#ifndef VT_LAB_IMAGE_H
#define VT_LAB_IMAGE_H

#include "base/error.h"
#include "lab/emulator/emulator.h"
#include "lab/lab.h"

#include <stdbool.h>
#include <stdint.h>

struct vt_lab_image {
    const char *engine;         /* of its rows; static */
    const uint8_t *start, *end; /* the ELF, inside this program */
    const char *file;           /* its name in the workspace */
    bool hypervisor;            /* one lies below: what takes hundreds of instructions has crossed into it */
    int cpl; /* of the plain rows: where they really run; the paravirtual ones stand for a kernel's CPL 0 */
    enum vt_path path; /* of what crosses, or may */
    const char *const *
        roads; /* that it is asked for, by name, "plain" for ring 0 as it stands; ends with NULL. NULL: all */
    /* Before each run: make of the image in the folder what the machine boots from, with these words; or
     * NULL. */
    int (*place)(const char *folder, const char *words, const struct vt_lab_request *request,
                 struct vt_error *error);
};

/* Room for what the image is told on its command line: of cases, and of roads. */
#define VT_LAB_IMAGE_CHOICE 128
#define VT_LAB_IMAGE_ROADS  128

/* The word that names the request's cases to the image (guest/image/choice.h); "" is all. */
int vt_lab_image_choice(const struct vt_lab_request *request, char text[VT_LAB_IMAGE_CHOICE],
                        struct vt_error *error);

/*
 * Write the image into emulator->folder, run the emulator, append the rows to the outcome. `choice` holds
 * what the emulator's arguments tell the image. Where a case does not return or ends the machine, its row
 * says so, and the emulator runs again for those behind it, `choice` naming them.
 */
int vt_lab_image_run(const struct vt_lab_image *image, struct vt_emulator *emulator,
                     char choice[VT_LAB_IMAGE_CHOICE], struct vt_lab_outcome *outcome,
                     struct vt_error *error);

/* The ELF files inside this program. */
extern const uint8_t vt_image_pvh[], vt_image_pvh_end[], vt_image_xenpv[], vt_image_xenpv_end[];

#endif
