#include "probes/dump/assemble.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum { MOST_PROCESSORS = 8192, MOST_LEAVES = 4096 };

static const char *const expected =
    "not a line of a CPUID dump; expected '0x00000000 0x00: eax=0x... ebx=0x... ecx=0x... edx=0x...' (cpuid "
    "-r), 'basic_cpuid[0]=...' (libcpuid) or 'CPUID 00000000: ...', with 8 digits for each register";

static int reject_at(const struct vt_assembly *assembly, uint32_t line, const char *problem)
{
    return vt_error_set(assembly->error, VT_EXIT_USAGE, EINVAL, "'%s', line %u: %s", assembly->name, line,
                        problem);
}

int vt_assembly_reject(const struct vt_assembly *assembly, const char *problem)
{
    return reject_at(assembly, assembly->line, problem);
}

static struct vt_processor *current(const struct vt_assembly *assembly)
{
    return assembly->facts->count ? &assembly->facts->processors[assembly->facts->count - 1] : NULL;
}

static int begin_processor(struct vt_assembly *assembly, long number)
{
    const struct vt_processor *last = current(assembly);
    if (assembly->facts->count >= MOST_PROCESSORS)
        return vt_assembly_reject(assembly, "more processors than any machine has");
    if (number < 0)
        number = last ? last->number + 1 : 0;
    assembly->gap = 0;
    assembly->has_subject = false;
    return vt_facts_add_processor(assembly->facts, number, assembly->line)
               ? 0
               : vt_error_memory(assembly->error, assembly->name);
}

/* Where headings are missing, leaf 0 begins the next processor. */
static bool begins_processor(const struct vt_assembly *assembly, const struct vt_leaf *leaf)
{
    const struct vt_processor *last = current(assembly);
    if (!last)
        return true;
    for (size_t i = 0; leaf->leaf == 0 && i < last->count; i++)
        if (last->leaves[i].leaf == 0)
            return true;
    return false;
}

/* Tools that print the subleaf of the first for all of them: 0. */
static bool repeats_first_subleaf(const struct vt_assembly *assembly, const struct vt_line *line,
                                  const struct vt_leaf *previous)
{
    static const uint32_t with_subleaves[] = {0x4,  0x7,  0xb,  0xd,  0xf,        0x10,       0x12,      0x14,
                                              0x17, 0x18, 0x1f, 0x20, 0x8000001d, 0x80000020, 0x80000026};
    bool has_subleaves = false;
    for (size_t i = 0; i < sizeof with_subleaves / sizeof with_subleaves[0]; i++)
        has_subleaves = has_subleaves || line->leaf.leaf == with_subleaves[i];
    return has_subleaves && line->format == VT_DUMP_REGISTERS && line->numbered && line->leaf.subleaf == 0 &&
           previous->leaf == line->leaf.leaf && previous->line + 1 == assembly->line &&
           memcmp(previous->reg, line->leaf.reg, sizeof previous->reg) != 0;
}

/* The subleaf of a line that says none, says it without its leaf, or says that of another. */
static void complete(struct vt_assembly *assembly, struct vt_line *line)
{
    const struct vt_processor *last = current(assembly);
    const struct vt_leaf *previous = last && last->count ? &last->leaves[last->count - 1] : NULL;
    if (line->continues && assembly->has_subject) {
        line->leaf.leaf = assembly->subject.leaf;
        line->leaf.subleaf = line->index >= 0 ? (uint32_t)line->index : assembly->subject.subleaf;
    } else if (!line->numbered && previous && line->leaf.leaf && previous->leaf == line->leaf.leaf) {
        line->leaf.subleaf = previous->subleaf + 1;
    } else if (previous && repeats_first_subleaf(assembly, line, previous)) {
        line->leaf.subleaf = previous->subleaf + 1;
        assembly->repeated = assembly->repeated ? assembly->repeated : assembly->line;
    }
    line->leaf.line = assembly->line;
}

static int add_leaf(struct vt_assembly *assembly, struct vt_line *line)
{
    complete(assembly, line);
    assembly->has_subject = assembly->has_subject && line->continues;
    if (begins_processor(assembly, &line->leaf)) {
        int status = begin_processor(assembly, -1);
        if (status != 0)
            return status;
    }
    struct vt_processor *processor = current(assembly);
    /* A range of leaves may have a title. */
    if (processor->count && assembly->gap && line->leaf.leaf & 0xffff)
        return reject_at(assembly, assembly->gap, expected);
    if (processor->count >= MOST_LEAVES)
        return vt_assembly_reject(assembly, "more leaves for one processor than any has");
    assembly->gap = 0;
    return vt_facts_add_leaf(processor, &line->leaf) == 0 ? 0
                                                          : vt_error_memory(assembly->error, assembly->name);
}

/* Is it of the same make as the lines before? */
static int check_format(struct vt_assembly *assembly, const struct vt_line *line)
{
    if (assembly->format != VT_DUMP_UNKNOWN && line->format != assembly->format)
        return vt_assembly_reject(assembly,
                                  "the lines before were of another dump format; one file holds one dump");
    if (line->columns && assembly->columns && line->columns != assembly->columns)
        return vt_assembly_reject(assembly, "it has more or fewer numbers than the lines before");
    return 0;
}

static int take_leaf(struct vt_assembly *assembly, struct vt_line *line)
{
    int status = check_format(assembly, line);
    if (status != 0)
        return status;
    if (line->continues && line->index < 0 && !assembly->has_subject)
        return vt_assembly_reject(assembly, expected);
    assembly->format = line->format;
    assembly->columns = line->columns ? line->columns : assembly->columns;
    assembly->bare = line->bare;
    return add_leaf(assembly, line);
}

static int take_text(struct vt_assembly *assembly)
{
    if (!assembly->gap)
        assembly->gap = assembly->line;
    if (!assembly->text)
        assembly->text = assembly->line;
    return 0;
}

static bool names_vendor(const struct vt_line *line)
{
    const unsigned char *name = (const unsigned char *)&line->leaf.reg[VT_EBX];
    for (int i = 0; i < 12; i++)
        if (!isprint(name[i]))
            return false;
    return line->kind == VT_LINE_LEAF && line->leaf.leaf == 0;
}

/*
 * Numbers alone are leaves from one that names a vendor on until other text
 * follows; elsewhere in a report they are memory, PCI registers and the like.
 */
static bool is_foreign(const struct vt_assembly *assembly, const struct vt_line *line)
{
    bool may_begin = assembly->format == VT_DUMP_UNKNOWN || assembly->bare;
    return line->bare && !(may_begin && names_vendor(line)) && (!assembly->bare || assembly->gap);
}

int vt_assembly_take(struct vt_assembly *assembly, struct vt_line *line)
{
    if (is_foreign(assembly, line))
        return take_text(assembly);
    switch (line->kind) {
    case VT_LINE_BLANK:
    case VT_LINE_RULE:
        return 0;
    case VT_LINE_TEXT:
        return take_text(assembly);
    case VT_LINE_HEADING:
        return begin_processor(assembly, line->processor);
    case VT_LINE_SUBJECT:
        assembly->subject = line->leaf;
        assembly->has_subject = true;
        return 0;
    case VT_LINE_LEAF:
        return take_leaf(assembly, line);
    default:
        return vt_assembly_reject(assembly, expected);
    }
}

/* Reports have headings without leaves; in a dump of cpuid or libcpuid one tells where it was cut off. */
static void drop_empty(struct vt_assembly *assembly)
{
    struct vt_facts *facts = assembly->facts;
    size_t kept = 0;
    for (size_t i = 0; i < facts->count; i++)
        if (facts->processors[i].count)
            facts->processors[kept++] = facts->processors[i];
    facts->count = kept;
}

static int refuse_empty(const struct vt_assembly *assembly, const char *text)
{
    uint32_t line;
    const char *answer = vt_dump_recognize(text, &line);
    if (answer)
        return reject_at(assembly, line, answer);
    if (assembly->facts->count)
        return vt_error_set(assembly->error, VT_EXIT_USAGE, EINVAL,
                            "'%s', line %u: cut off: CPU %ld has no leaves", assembly->name,
                            assembly->facts->processors[0].line, assembly->facts->processors[0].number);
    if (assembly->text)
        return reject_at(assembly, assembly->text, expected);
    return reject_at(assembly, assembly->line + 1,
                     "the file ends without a CPUID leaf; make one with: cpuid -r >FILE");
}

int vt_assembly_finish(struct vt_assembly *assembly, const char *text)
{
    struct vt_facts *facts = assembly->facts;
    if (assembly->format == VT_DUMP_UNKNOWN)
        return refuse_empty(assembly, text);
    if (assembly->format == VT_DUMP_REGISTERS)
        drop_empty(assembly);
    for (size_t i = 0; i < facts->count; i++)
        vt_facts_sort(&facts->processors[i]);
    int status = vt_dump_check(facts, assembly->name, assembly->format, assembly->error);
    if (status == 0) {
        vt_dump_note(facts, assembly->format);
        vt_dump_note_repeated(facts, assembly->repeated);
    }
    return status;
}
