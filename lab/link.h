/*
 * What an emulated machine says to the program outside, byte by byte through the
 * debug port 0xE9, which QEMU (isa-debugcon) and Bochs (port_e9_hack) both write
 * out as it comes. Lines that do not start with '@' are somebody else's. The machine is
 * not trusted: lines are cleaned here (base/text.h), once, and what it says is bounded.
 *
 *     @stage loading kvm.ko        what it is doing
 *     @case 3 75 cpuid             how far it is
 *     @fact kernel Linux 6.1.0     something to be kept with the result
 *     @error 3 text                it failed: exit status, reason
 *     @row ...                     a measurement of a payload (image.h)
 *     @measured 1234               that many bytes follow: a result document of one row
 *     @result 1234                 that many bytes follow: the result document
 *     @symbols 1234                that many bytes follow: lab/profile/symbols.h, packed
 *     @end                         all is said
 */
#ifndef VT_LAB_LINK_H
#define VT_LAB_LINK_H

#define VT_LAB_PORT 0xe9

#ifndef __ASSEMBLER__
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct vt_lab_link {
    /* From outside, as far as it has been read. */
    char *data;
    size_t size, taken;
    /* What was said last or kept. */
    char stage[128];
    size_t done, total; /* cases; total 0: not yet measuring */
    char name[64];      /* of the case */
    char facts[8][160]; /* "kernel Linux 6.1.0" */
    size_t fact_count;
    char *document; /* NULL until complete; not terminated */
    size_t document_size, document_wanted;
    char *rows; /* documents of one row each, one after another; NULL: none came */
    size_t rows_size, row_wanted;
    char *symbols; /* the same of symbols */
    size_t symbols_size, symbols_wanted;
    bool failed; /* the guest said so: text and exit below */
    int exit;
    char text[400];
    bool ended;
    /* Called for each "row" line, without the word; not 0 ends reading. May be NULL. */
    int (*row)(void *context, char *line);
    void *context;
};

/* Append what has come and take every line that is complete. Returns 0, -ENOMEM, -EPROTO or what `row`
 * returned. */
int vt_lab_link_feed(struct vt_lab_link *link, const char *data, size_t size);

/* The value of a fact, or NULL. */
const char *vt_lab_link_fact(const struct vt_lab_link *link, const char *name);

void vt_lab_link_release(struct vt_lab_link *link);
#endif

#endif
