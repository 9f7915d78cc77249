/*
 * Which cases an image runs, and the loop over them.
 *
 * Owns: reading the choice from the image's command line. Does not own: where the
 * command line is (pvh.c, xenpv.c), who writes it (lab/image.c).
 */
#ifndef VT_GUEST_IMAGE_CHOICE_H
#define VT_GUEST_IMAGE_CHOICE_H

#include "guest/catalogue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VT_IMAGE_CASES 256 /* as many can be told apart */

struct vt_image_choice {
    uint64_t cases[VT_IMAGE_CASES / 64]; /* a bit for each, in the catalogue's order */
};

/*
 * "cases=" and hexadecimal digits: bit i % 4 of digit i / 4 stands for case i. Without that word, or without
 * a line (NULL), all cases.
 */
void vt_image_choose(struct vt_image_choice *choice, const char *command_line);

/* Announce and run the chosen cases one after the other, and say that this was all. */
void vt_image_run_chosen(const struct vt_image_choice *choice, void (*run)(const struct vt_case *c));

#endif
