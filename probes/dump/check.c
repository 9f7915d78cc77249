#include "probes/dump/parts.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
    const struct vt_facts *facts;
    const char *name;
    enum vt_dump_kind kind;
    struct vt_error *error;
};

static int __attribute__((format(printf, 3, 4)))
refuse(const struct check *check, uint32_t line, const char *format, ...)
{
    char problem[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem, sizeof problem, format, arguments);
    va_end(arguments);
    return vt_error_set(check->error, VT_EXIT_USAGE, EINVAL, "'%s', line %u: %s", check->name, line, problem);
}

/* Leaves are sorted: the same one twice stands side by side. */
static int check_repeats(const struct check *check, const struct vt_processor *processor)
{
    for (size_t i = 1; i < processor->count; i++) {
        const struct vt_leaf *a = &processor->leaves[i - 1], *b = &processor->leaves[i];
        if (a->leaf == b->leaf && a->subleaf == b->subleaf && memcmp(a->reg, b->reg, sizeof a->reg) != 0)
            return refuse(check, b->line,
                          "contradicts line %u: leaf 0x%x subleaf 0x%x of CPU %ld has another value there; "
                          "is a 'CPU N:' line missing?",
                          a->line, a->leaf, a->subleaf, processor->number);
    }
    return 0;
}

static int check_vendor(const struct check *check, const struct vt_processor *processor)
{
    char vendor[13], first[13];
    const struct vt_leaf *leaf = vt_facts_find(processor, 0, 0);
    if (!leaf)
        return refuse(check, processor->line ? processor->line : processor->leaves[0].line,
                      "CPU %ld has no leaf 0, which every processor has", processor->number);
    vt_facts_vendor(processor, vendor);
    for (int i = 0; i < 12; i++)
        if (!isprint((unsigned char)vendor[i]))
            return refuse(check, leaf->line, "leaf 0 of CPU %ld names no vendor: not the data of a processor",
                          processor->number);
    vt_facts_vendor(&check->facts->processors[0], first);
    if (strcmp(first, vendor) != 0)
        return refuse(check, leaf->line, "contradicts CPU %ld: vendor %s there, %s here",
                      check->facts->processors[0].number, first, vendor);
    return 0;
}

/* All processors of a machine, cores of a hybrid one included, are of one family and model; steppings may
 * differ. */
static int check_model(const struct check *check, const struct vt_processor *processor)
{
    const struct vt_processor *first = &check->facts->processors[0];
    unsigned family, model, stepping, first_family, first_model;
    if (!vt_facts_signature(first, &first_family, &first_model, &stepping) ||
        !vt_facts_signature(processor, &family, &model, &stepping) ||
        (family == first_family && model == first_model))
        return 0;
    return refuse(
        check, vt_facts_find(processor, 1, 0)->line,
        "contradicts line %u: family %u model %u there, family %u model %u here; one file holds one "
        "machine's dump",
        vt_facts_find(first, 1, 0)->line, first_family, first_model, family, model);
}

/* The highest leaf given of a range; its base when there is none above. */
static uint32_t highest(const struct vt_processor *processor, uint32_t base)
{
    uint32_t leaf = base;
    for (size_t i = 0; i < processor->count; i++)
        if (processor->leaves[i].leaf >> 16 == base >> 16 && processor->leaves[i].leaf > leaf)
            leaf = processor->leaves[i].leaf;
    return leaf;
}

static uint32_t last_line(const struct vt_processor *processor)
{
    uint32_t line = processor->line;
    for (size_t i = 0; i < processor->count; i++)
        line = processor->leaves[i].line > line ? processor->leaves[i].line : line;
    return line;
}

/*
 * Where a whole dump of the processor can end at the earliest. Tools know no more
 * than 32 extended leaves, or leave out a last one that is all zeros; what they
 * gave for the first processor they give for all.
 */
static uint32_t earliest_end(const struct check *check, const struct vt_processor *processor)
{
    enum { LAST_OF_32 = 0x8000001f };
    const struct vt_leaf *extended = vt_facts_find(processor, 0x80000000, 0);
    const struct vt_processor *first = &check->facts->processors[0];
    const struct vt_leaf *sibling = vt_facts_find(first, 0x80000000, 0);
    if (!extended)
        return vt_facts_find(processor, 0, 0)->reg[VT_EAX];
    if (check->kind == VT_DUMP_LIBCPUID)
        return LAST_OF_32; /* always as many */
    uint32_t last = extended->reg[VT_EAX];
    uint32_t end = (last < LAST_OF_32 ? last : LAST_OF_32) - 1;
    if (sibling && sibling->reg[VT_EAX] == last && highest(first, 0x80000000) > end)
        end = highest(first, 0x80000000);
    return end;
}

/*
 * Single leaves may be absent: what they would say is then unknown. A dump that
 * stops early was cut off and says less than it seems to.
 */
static int check_end(const struct check *check, const struct vt_processor *processor)
{
    uint32_t base = vt_facts_find(processor, 0x80000000, 0) ? 0x80000000 : 0;
    uint32_t end = earliest_end(check, processor);
    if (check->kind == VT_DUMP_REGISTERS || end < base || end - base > 0xffff ||
        highest(processor, base) >= end)
        return 0;
    return refuse(check, last_line(processor),
                  "cut off: CPU %ld ends here, but there must be leaves up to 0x%x; take the dump again",
                  processor->number, end);
}

static int by_number(const void *left, const void *right)
{
    const struct vt_processor *const *a = left, *const *b = right;
    if ((*a)->number != (*b)->number)
        return (*a)->number < (*b)->number ? -1 : 1;
    return (*a)->line < (*b)->line ? -1 : (*a)->line > (*b)->line;
}

static int check_numbers(const struct check *check)
{
    size_t count = check->facts->count;
    if (count < 2)
        return 0;
    const struct vt_processor **sorted = calloc(count, sizeof *sorted);
    if (!sorted)
        return vt_error_memory(check->error, check->name);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &check->facts->processors[i];
    qsort(sorted, count, sizeof *sorted, by_number);
    int status = 0;
    for (size_t i = 1; i < count && status == 0; i++)
        if (sorted[i - 1]->number == sorted[i]->number)
            status = refuse(check, sorted[i]->line, "CPU %ld is there twice, first at line %u",
                            sorted[i]->number, sorted[i - 1]->line);
    free(sorted);
    return status;
}

static int check_processor(const struct check *check, const struct vt_processor *processor)
{
    if (processor->count == 0)
        return refuse(check, processor->line, "cut off: CPU %ld has no leaves", processor->number);
    int status = check_vendor(check, processor);
    if (status == 0)
        status = check_repeats(check, processor);
    if (status == 0)
        status = check_model(check, processor);
    return status == 0 ? check_end(check, processor) : status;
}

int vt_dump_check(const struct vt_facts *facts, const char *name, enum vt_dump_kind kind,
                  struct vt_error *error)
{
    struct check check = {facts, name, kind, error};
    int status = 0;
    for (size_t i = 0; i < facts->count && status == 0; i++)
        status = check_processor(&check, &facts->processors[i]);
    /* Lists of registers number processors within their group. */
    return status == 0 && kind != VT_DUMP_REGISTERS ? check_numbers(&check) : status;
}
