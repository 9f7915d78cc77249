#include "show/svg/tag.h"

#include <string.h>

#define BLANKS " \t\r\n"

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, BLANKS);
}

/* name="value", name = 'value', or a name alone. Returns what follows, or NULL where the value has no end. */
static const char *read_attribute(const char *at, struct vt_svg_attribute *attribute)
{
    attribute->name = at;
    attribute->name_length = strcspn(at, BLANKS "=>/");
    attribute->value = at + attribute->name_length;
    attribute->length = 0;
    const char *next = skip_blanks(attribute->value);
    if (*next != '=')
        return next;
    next = skip_blanks(next + 1);
    if (*next != '"' && *next != '\'')
        return NULL;
    const char *end = strchr(next + 1, *next);
    if (!end)
        return NULL;
    attribute->value = next + 1;
    attribute->length = (size_t)(end - next - 1);
    return skip_blanks(end + 1);
}

const char *vt_svg_read_tag(const char *at, struct vt_svg_tag *tag)
{
    tag->closes = at[1] == '/';
    tag->name = at + 1 + tag->closes;
    tag->name_length = strcspn(tag->name, BLANKS "/>");
    tag->count = 0;
    for (at = skip_blanks(tag->name + tag->name_length); at && *at && *at != '>';) {
        struct vt_svg_attribute attribute;
        if (*at == '/') {
            at++;
            continue;
        }
        at = read_attribute(at, &attribute);
        if (at && attribute.name_length == 0)
            return NULL;
        if (at && tag->count < VT_SVG_ATTRIBUTES)
            tag->attributes[tag->count++] = attribute;
    }
    return at && *at ? at + 1 : NULL;
}

static bool equals(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && strncmp(text, name, length) == 0;
}

bool vt_svg_is(const struct vt_svg_tag *tag, const char *name)
{
    return equals(tag->name, tag->name_length, name);
}

const char *vt_svg_value(const struct vt_svg_tag *tag, const char *name, size_t *length)
{
    for (size_t i = 0; i < tag->count; i++)
        if (equals(tag->attributes[i].name, tag->attributes[i].name_length, name)) {
            *length = tag->attributes[i].length;
            return tag->attributes[i].value;
        }
    return NULL;
}
