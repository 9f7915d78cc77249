/*
 * Who saw the crossings: Xen's trace buffer, read by the domain it lies under
 * (xen/include/public/trace.h, sysctl.h). While it is on, Xen takes more instructions, so
 * batches that are counted by it are not batches that are measured.
 *
 * Owns: the buffer's pages in this address space. Does not own: how a domain maps a
 * page of Xen's (xenpv.c, pvh.c), the loop around a batch (measure.c).
 */
#ifndef VT_GUEST_IMAGE_WITNESS_H
#define VT_GUEST_IMAGE_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

/* What Xen wrote down between begin and end. */
struct vt_image_seen {
    uint64_t exits;          /* entries into Xen: hypercalls, exceptions, #VMEXITs */
    uint64_t hypercalls;     /* of these */
    uint64_t irq_exits;      /* of these: #VMEXITs for the sake of an interrupt */
    uint64_t insn_emulation; /* of these: privileged instructions and page-table writes done for the guest */
    uint64_t yields;         /* turns on the processor that the scheduler took back at the domain's wish */
};

#define VT_WITNESS_PAGES 17 /* one that lists the others, and those with the records */

/*
 * Ask Xen to write its trace, and map it with `map`: the machine frame `frame` in
 * place of the page at `page`. False: Xen offers no trace, or not to this domain.
 */
bool vt_image_witness_open(bool (*map)(void *page, uint64_t frame, bool writable));

/* Is one open? */
bool vt_image_witness_present(void);

void vt_image_witness_begin(void);

/* False: records were lost, or make no sense. */
bool vt_image_witness_end(struct vt_image_seen *seen);

/* uint64_t vt_image_call(number, ...): a hypercall; each image brings its own. */
uint64_t vt_image_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

#endif
