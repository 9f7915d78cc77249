/*
 * Single JSON values of a result document: from token to C value. Private to the loader.
 */
#ifndef VT_RESULT_LOAD_VALUE_H
#define VT_RESULT_LOAD_VALUE_H

#include "result/load/shape.h"

#include <stdbool.h>

enum vt_token_type {
    VT_TOKEN_NULL,
    VT_TOKEN_FLAG,
    VT_TOKEN_NUMBER,
    VT_TOKEN_TEXT,
    VT_TOKEN_OBJECT,
    VT_TOKEN_ARRAY
};

struct vt_token {
    enum vt_token_type type;
    bool flag;
    const char *text; /* of numbers and texts; not terminated */
    size_t length;
};

/* "a string": for messages. */
const char *vt_load_token_name(const struct vt_token *token);

/* A number of sane size; null is NaN. */
bool vt_load_number(const struct vt_token *token, double *value);

/* Store a scalar of `kind` at `place`; false: the token is no such value. */
bool vt_load_field(const struct vt_token *token, enum vt_kind kind, void *place);

#endif
