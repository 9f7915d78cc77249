/*
 * Images that boot by themselves, without this program around them: they run the
 * cases one after the other and say what they measured through a port.
 *
 * Owns: choosing what can run where the image finds itself, and the loop around a
 * batch. Does not own: the cases, how the image was started (pvh.S, xenpv.S).
 */
#ifndef VT_GUEST_IMAGE_H
#define VT_GUEST_IMAGE_H

#include "guest/abi.h"
#include "guest/catalogue.h"

#include <stdbool.h>
#include <stdint.h>

/* Operations per batch and pairs of batches: the clock counts instructions, so few suffice. */
#define VT_IMAGE_ITERATIONS 100
#define VT_IMAGE_PAIRS      7

/* One function pair to be measured, and what its row is called. */
struct vt_image_row {
    const char *name; /* of the case */
    const char *form; /* "plain" or "paravirtual" */
    vt_case_function body, baseline;
    uint32_t max_iterations; /* 0: no limit */
    bool has_proof, proved;  /* its effect was looked for; and seen */
};

/* Measure it and say so. */
void vt_image_measure(const struct vt_image_row *row, struct vt_scratch *scratch);

/*
 * Measure a case as it stands, past the exceptions it means to raise; or, where
 * `reason` is not NULL, say why it cannot be asked here.
 */
void vt_image_run(const struct vt_case *c, const char *reason, struct vt_mailbox *mailbox,
                  struct vt_scratch *scratch);

/* Through VT_PORT_LINK, or another port from then on. */
void vt_image_say_to(uint16_t port);
void vt_image_say(const char *text);
void vt_image_say_number(uint64_t number);
void vt_image_announce(uint64_t index, uint64_t count, const char *name);

/*
 * vt_batch under a net: an exception nobody expects ends the batch. Returns false
 * then; the mailbox says which.
 */
bool vt_image_batch(vt_case_function function, uint64_t iterations, struct vt_scratch *scratch,
                    uint64_t tsc[2]);

/* The vector of the exception that ended the last batch. */
uint64_t vt_image_vector(void);

#endif
