/*
 * How this program was built. Figures of its own code (call-outs, handlers) are figures of a build.
 */
#ifndef VT_BASE_PROVENANCE_H
#define VT_BASE_PROVENANCE_H

#include <stddef.h>

struct vt_provenance {
    const char *compiler; /* "gcc 12.2.0" */
    const char *flags; /* of preprocessor and compiler, $CC's among them; those that name folders left out */
    char build_id[41]; /* the linker's, in hexadecimal; "": it left none */
};

struct vt_provenance vt_provenance(void);

/*
 * What makes code built with these flags several times slower than it need be: "without optimization", "with
 * -fsanitize=address". NULL: nothing, or `flags` is NULL.
 */
const char *vt_provenance_burden(const char *flags, char *text, size_t size);

#endif
