/*
 * What a result document may contain: its objects as tables of keys, each with
 * the kind of value it takes and where that value goes. Private to the loader.
 */
#ifndef VT_RESULT_LOAD_SHAPE_H
#define VT_RESULT_LOAD_SHAPE_H

#include <stddef.h>

enum vt_kind {
    VT_KIND_TEXT,      /* const char * */
    VT_KIND_NUMBER,    /* double, finite */
    VT_KIND_COUNT,     /* double, a whole number, not negative */
    VT_KIND_FLAG,      /* bool */
    VT_KIND_LEVEL,     /* int: a privilege level */
    VT_KIND_STATUS,    /* enum vt_status */
    VT_KIND_UNIT,      /* enum vt_unit */
    VT_KIND_SCHEMA,    /* checked, not kept */
    VT_KIND_INTERVAL,  /* two doubles, the lower one first */
    VT_KIND_SERIES,    /* struct vt_result_series */
    VT_KIND_TREE,      /* json_t *: kept as it is */
    VT_KIND_EVIDENCE,  /* evidence and evidence_count of a row */
    VT_KIND_OBJECT,    /* `shape` at `offset` */
    VT_KIND_ROWS,      /* rows and count of a result */
    VT_KIND_PROFILE,   /* const struct vt_profile *: `shape` into a profile of its own */
    VT_KIND_WHOLE,     /* int64_t: a whole number, which doubles hold exactly */
    VT_KIND_FUNCTIONS, /* functions and function_count of a profile */
    VT_KIND_STACKS,    /* stacks and stack_count of a profile, three numbers each */
};

struct vt_shape;

struct vt_field {
    const char *key;
    enum vt_kind kind;
    size_t offset; /* from the start of the object's own structure */
    const struct vt_shape *shape;
};

struct vt_shape {
    const struct vt_field *fields;
    size_t count; /* at most 64 */
};

extern const struct vt_shape vt_load_document_shape; /* into struct vt_result */
extern const struct vt_shape vt_load_row_shape;      /* into struct vt_result_row */
extern const struct vt_shape vt_load_profile_shape;  /* into struct vt_profile */
extern const struct vt_shape vt_load_function_shape; /* into struct vt_profile_function */

/* The field of that key, or NULL. The search begins at field `from`: keys mostly come in the order of the
 * table. */
const struct vt_field *vt_load_find_field(const struct vt_shape *shape, size_t from, const char *key,
                                          size_t length);

/* "a number or null": what a kind takes. */
const char *vt_load_expectation(enum vt_kind kind);

#endif
