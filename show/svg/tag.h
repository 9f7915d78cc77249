/*
 * Reads one tag of the XML that gnuplot writes. Everything points into the picture's text.
 */
#ifndef VT_SHOW_SVG_TAG_H
#define VT_SHOW_SVG_TAG_H

#include <stdbool.h>
#include <stddef.h>

enum { VT_SVG_ATTRIBUTES = 16 }; /* those beyond are not seen */

struct vt_svg_attribute {
    const char *name, *value;
    size_t name_length, length;
};

struct vt_svg_tag {
    const char *name;
    size_t name_length;
    bool closes; /* </g> */
    struct vt_svg_attribute attributes[VT_SVG_ATTRIBUTES];
    size_t count;
};

/* The tag at '<'. Returns what follows its '>', or NULL when it has none. */
const char *vt_svg_read_tag(const char *at, struct vt_svg_tag *tag);

bool vt_svg_is(const struct vt_svg_tag *tag, const char *name);

/* The value of that attribute, which is not terminated: *length tells its end. NULL: it has none. */
const char *vt_svg_value(const struct vt_svg_tag *tag, const char *name, size_t *length);

#endif
