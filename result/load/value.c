#include "result/load/value.h"
#include "result/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double max_magnitude = 1e18;
static const double max_count = 9007199254740992.0; /* 2^53: beyond, a double is no longer exact */

const char *vt_load_token_name(const struct vt_token *token)
{
    static const char *const names[] = {
        [VT_TOKEN_NULL] = "null",     [VT_TOKEN_FLAG] = "true or false", [VT_TOKEN_NUMBER] = "a number",
        [VT_TOKEN_TEXT] = "a string", [VT_TOKEN_OBJECT] = "an object",   [VT_TOKEN_ARRAY] = "an array",
    };
    return names[token->type];
}

bool vt_load_number(const struct vt_token *token, double *value)
{
    char text[64];
    if (token->type == VT_TOKEN_NULL) {
        *value = NAN;
        return true;
    }
    if (token->type != VT_TOKEN_NUMBER || token->length >= sizeof text)
        return false;
    memcpy(text, token->text, token->length);
    text[token->length] = '\0';
    *value = strtod(text, NULL);
    return fabs(*value) <= max_magnitude;
}

static bool read_count(const struct vt_token *token, double *value)
{
    return vt_load_number(token, value) &&
           (isnan(*value) || (*value >= 0 && *value <= max_count && *value == floor(*value)));
}

static bool read_level(const struct vt_token *token, int *level)
{
    double value;
    if (!read_count(token, &value) || value > 3)
        return false;
    *level = isnan(value) ? -1 : (int)value;
    return true;
}

/* One that a double holds exactly. */
static bool read_whole(const struct vt_token *token, int64_t *whole)
{
    double value;
    if (token->type != VT_TOKEN_NUMBER || !vt_load_number(token, &value) || value != trunc(value) ||
        fabs(value) > 9007199254740992.0)
        return false;
    *whole = (int64_t)value;
    return true;
}

static bool token_is(const struct vt_token *token, const char *text)
{
    return token->type == VT_TOKEN_TEXT && token->length == strlen(text) &&
           memcmp(token->text, text, token->length) == 0;
}

static bool read_status(const struct vt_token *token, enum vt_status *status)
{
    for (int i = 0; i < VT_STATUSES; i++)
        if (token_is(token, vt_status_name(i))) {
            *status = i;
            return true;
        }
    return false;
}

static bool read_unit(const struct vt_token *token, enum vt_unit *unit)
{
    for (int i = 0; i < VT_UNITS; i++)
        if (token_is(token, vt_unit_name(i))) {
            *unit = i;
            return true;
        }
    return false;
}

bool vt_load_field(const struct vt_token *token, enum vt_kind kind, void *place)
{
    switch (kind) {
    case VT_KIND_NUMBER:
        return vt_load_number(token, place);
    case VT_KIND_COUNT:
        return read_count(token, place);
    case VT_KIND_WHOLE:
        return read_whole(token, place);
    case VT_KIND_LEVEL:
        return read_level(token, place);
    case VT_KIND_STATUS:
        return read_status(token, place);
    case VT_KIND_UNIT:
        return read_unit(token, place);
    case VT_KIND_SCHEMA:
        return token_is(token, VT_RESULT_SCHEMA);
    case VT_KIND_FLAG:
        *(bool *)place = token->flag;
        return token->type == VT_TOKEN_FLAG;
    case VT_KIND_ROWS:
    case VT_KIND_FUNCTIONS:
    case VT_KIND_STACKS:
        return false;
    default: /* containers may be absent */
        return token->type == VT_TOKEN_NULL;
    }
}
