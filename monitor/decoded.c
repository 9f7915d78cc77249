#include "monitor/decoded.h"

#include "guest/catalogue.h"
#include "guest/payload.h"

/* Room for as many bytes of code as a 16-bit offset reaches, of both parts. */
#define MOST 0x10000

/* By offset: 1 + the place in the part's table; 0: nothing. */
static uint16_t cases[MOST], handlers[MOST];

static bool open_part(const struct vt_decoded_part *part, const uint8_t *start, const uint8_t *end,
                      uint16_t *index)
{
    size_t size = (size_t)(end - start);

    if (size != part->size || size > MOST || vt_decoded_sum(start, size) != part->checksum)
        return false;
    for (uint32_t i = 0; i < part->count; i++)
        index[part->offsets[i]] = (uint16_t)(i + 1);
    return true;
}

bool vt_decoded_open(void)
{
    return open_part(&vt_decoded_cases, vt_guest_code_start, vt_guest_code_end, cases) &&
           open_part(&vt_decoded_handlers, vt_payload_start, vt_payload_end, handlers);
}

const struct vt_instruction *vt_decoded_find(uint64_t address)
{
    uint64_t offset = address - (uintptr_t)vt_guest_code_start;

    if (offset < vt_decoded_cases.size)
        return cases[offset] ? &vt_decoded_cases.instructions[cases[offset] - 1] : NULL;
    offset = address - (uintptr_t)vt_payload_start;
    if (offset < vt_decoded_handlers.size && handlers[offset])
        return &vt_decoded_handlers.instructions[handlers[offset] - 1];
    return NULL;
}
