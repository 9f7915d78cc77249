#include "probes/dump/parts.h"

#include <stdio.h>

static const uint32_t bases[] = {0x00000000, 0x80000000};

static const char *form_of(enum vt_dump_kind kind)
{
    return kind == VT_DUMP_CPUID ? "cpuid -r" : kind == VT_DUMP_LIBCPUID ? "libcpuid" : "registers";
}

/* The first leaf above `last` within the range of `base`, and how many there are. */
static size_t count_above(const struct vt_processor *processor, uint32_t base, uint32_t last,
                          const struct vt_leaf **first)
{
    size_t count = 0;
    for (size_t i = 0; i < processor->count; i++) {
        const struct vt_leaf *leaf = &processor->leaves[i];
        if (leaf->leaf >> 16 == base >> 16 && leaf->leaf > last && count++ == 0)
            *first = leaf;
    }
    return count;
}

static bool note_range(struct vt_facts *facts, const struct vt_processor *processor, uint32_t base)
{
    const struct vt_leaf *announcing = vt_facts_find(processor, base, 0), *first = NULL;
    /* Less than the base: there is no such range. */
    bool exists = announcing && announcing->reg[VT_EAX] >= base;
    size_t count = exists ? count_above(processor, base, announcing->reg[VT_EAX], &first) : 0;
    if (count == 0)
        return false;
    char more[32] = "";
    if (count > 1)
        snprintf(more, sizeof more, " and %zu more", count - 1);
    snprintf(facts->dump.notes[facts->dump.note_count++], sizeof facts->dump.notes[0],
             "line %u: leaf 0x%x%s above 0x%x, the last one that line %u announces: taken as not announced",
             first->line, first->leaf, more, announcing->reg[VT_EAX], announcing->line);
    return true;
}

void vt_dump_note(struct vt_facts *facts, enum vt_dump_kind kind)
{
    facts->dump.form = form_of(kind);
    /* libcpuid's arrays are of fixed length, whatever is announced. */
    for (size_t b = 0; kind != VT_DUMP_LIBCPUID && b < sizeof bases / sizeof bases[0]; b++)
        for (size_t i = 0; i < facts->count && !note_range(facts, &facts->processors[i], bases[b]); i++) {
        }
}

void vt_dump_note_repeated(struct vt_facts *facts, uint32_t line)
{
    if (line)
        snprintf(
            facts->dump.notes[facts->dump.note_count++], sizeof facts->dump.notes[0],
            "line %u: the subleaf of the line before again, with other registers: such lines are taken as "
            "subleaves in their order",
            line);
}
