#include "monitor/forms.h"

/* As memcmp; what lies beyond `size` counts as zeros. */
static int compare(const uint8_t *bytes, const uint8_t *code, size_t size)
{
    for (size_t i = 0; i < VT_FORM_LENGTH; i++) {
        uint8_t byte = i < size ? code[i] : 0;
        if (bytes[i] != byte)
            return bytes[i] < byte ? -1 : 1;
    }
    return 0;
}

static bool begins_with(const uint8_t *code, size_t size, const struct vt_form *form)
{
    size_t i = 0;

    if (form->insn.length > size)
        return false;
    while (i < form->insn.length && code[i] == form->bytes[i])
        i++;
    return i == form->insn.length;
}

/* Only the last that is not greater can be its beginning. */
const struct vt_form *vt_forms_find(const uint8_t *code, size_t size)
{
    uint32_t low = 0, high = vt_forms_count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (compare(vt_forms[middle].bytes, code, size) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && begins_with(code, size, &vt_forms[low - 1]) ? &vt_forms[low - 1] : NULL;
}
