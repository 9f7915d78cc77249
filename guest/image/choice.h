/*
 * Which cases an image runs, and on which roads, and the loop over them.
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

#define VT_IMAGE_ROADS 128     /* room for their names */
#define VT_IMAGE_PLAIN "plain" /* the case as it stands, in place of a road's name */

struct vt_image_choice {
    uint64_t cases[VT_IMAGE_CASES / 64]; /* a bit for each, in the catalogue's order */
    char roads[VT_IMAGE_ROADS];          /* names with commas between; "": all there are */
};

/*
 * "cases=" and hexadecimal digits: bit i % 4 of digit i / 4 stands for case i. Without that word, or without
 * a line (NULL), all cases. "roads=" and names; without it, all of them.
 */
void vt_image_choose(struct vt_image_choice *choice, const char *command_line);

/* Was the road of that name asked for? */
bool vt_image_takes(const struct vt_image_choice *choice, const char *road);

/* Announce and run the chosen cases one after the other, and say that this was all. */
void vt_image_run_chosen(const struct vt_image_choice *choice, void (*run)(const struct vt_case *c));

#endif
