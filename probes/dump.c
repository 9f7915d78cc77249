#include "probes/dump.h"
#include "probes/dump_line.h"
#include "probes/dump_text.h"
#include "base/file.h"
#include "base/packed.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LARGEST = 32 << 20, /* a thousand processors of a hundred leaves are 8 MiB */
    LONGEST_LINE = 4096,
    MOST_PROCESSORS = 8192,
    MOST_LEAVES = 4096,
};

struct parser {
    struct vt_facts *facts;
    const char *name;
    enum vt_dump_kind format;
    uint32_t line;
    uint32_t gap;     /* the first line of text since the last leaf or heading, 0: none */
    uint32_t text;    /* the first of all */
    unsigned columns; /* as all lines without names must have; 0: none yet */
    bool bare;        /* lines of numbers alone are leaves */
    bool has_subject;
    struct vt_leaf subject;
    struct vt_error *error;
};

static const char *const expected =
    "not a line of a CPUID dump; expected '0x00000000 0x00: eax=0x... ebx=0x... ecx=0x... edx=0x...' (cpuid "
    "-r), 'basic_cpuid[0]=...' (libcpuid) or 'CPUID 00000000: ...', with 8 digits for each register";

static int reject_at(const struct parser *parser, uint32_t line, const char *problem)
{
    return vt_error_set(parser->error, VT_EXIT_USAGE, EINVAL, "'%s', line %u: %s", parser->name, line,
                        problem);
}

static int reject(const struct parser *parser, const char *problem)
{
    return reject_at(parser, parser->line, problem);
}

static int refuse_memory(const struct parser *parser)
{
    return vt_error_set(parser->error, VT_EXIT_ENVIRONMENT, ENOMEM, "'%s', line %u: out of memory",
                        parser->name, parser->line);
}

static struct vt_processor *current(const struct parser *parser)
{
    return parser->facts->count ? &parser->facts->processors[parser->facts->count - 1] : NULL;
}

static int begin_processor(struct parser *parser, long number)
{
    const struct vt_processor *last = current(parser);
    if (parser->facts->count >= MOST_PROCESSORS)
        return reject(parser, "more processors than any machine has");
    if (number < 0)
        number = last ? last->number + 1 : 0;
    parser->gap = 0;
    parser->has_subject = false;
    return vt_facts_add_processor(parser->facts, number, parser->line) ? 0 : refuse_memory(parser);
}

/* Where headings are missing, leaf 0 begins the next processor. */
static bool begins_processor(const struct parser *parser, const struct vt_leaf *leaf)
{
    const struct vt_processor *last = current(parser);
    if (!last)
        return true;
    for (size_t i = 0; leaf->leaf == 0 && i < last->count; i++)
        if (last->leaves[i].leaf == 0)
            return true;
    return false;
}

/* The subleaf of a line that says none, or says it without its leaf. */
static void complete(const struct parser *parser, struct vt_line *line)
{
    const struct vt_processor *last = current(parser);
    const struct vt_leaf *previous = last && last->count ? &last->leaves[last->count - 1] : NULL;
    if (line->continues && parser->has_subject) {
        line->leaf.leaf = parser->subject.leaf;
        line->leaf.subleaf = line->index >= 0 ? (uint32_t)line->index : parser->subject.subleaf;
    } else if (!line->numbered && previous && line->leaf.leaf && previous->leaf == line->leaf.leaf) {
        line->leaf.subleaf = previous->subleaf + 1;
    }
    line->leaf.line = parser->line;
}

static int add_leaf(struct parser *parser, struct vt_line *line)
{
    complete(parser, line);
    if (begins_processor(parser, &line->leaf)) {
        int status = begin_processor(parser, -1);
        if (status != 0)
            return status;
    }
    struct vt_processor *processor = current(parser);
    /* A range of leaves may have a title. */
    if (processor->count && parser->gap && line->leaf.leaf & 0xffff)
        return reject_at(parser, parser->gap, expected);
    if (processor->count >= MOST_LEAVES)
        return reject(parser, "more leaves for one processor than any has");
    parser->gap = 0;
    return vt_facts_add_leaf(processor, &line->leaf) == 0 ? 0 : refuse_memory(parser);
}

/* Is it of the same make as the lines before? */
static int check_format(struct parser *parser, const struct vt_line *line)
{
    if (parser->format != VT_DUMP_UNKNOWN && line->format != parser->format)
        return reject(parser, "the lines before were of another dump format; one file holds one dump");
    if (line->columns && parser->columns && line->columns != parser->columns)
        return reject(parser, "it has more or fewer numbers than the lines before");
    return 0;
}

static int take_leaf(struct parser *parser, struct vt_line *line)
{
    int status = check_format(parser, line);
    if (status != 0)
        return status;
    if (line->continues && line->index < 0 && !parser->has_subject)
        return reject(parser, expected);
    parser->format = line->format;
    parser->columns = line->columns ? line->columns : parser->columns;
    parser->bare = line->bare;
    return add_leaf(parser, line);
}

static int take_text(struct parser *parser)
{
    if (!parser->gap)
        parser->gap = parser->line;
    if (!parser->text)
        parser->text = parser->line;
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
static bool is_foreign(const struct parser *parser, const struct vt_line *line)
{
    bool may_begin = parser->format == VT_DUMP_UNKNOWN || parser->bare;
    return line->bare && !(may_begin && names_vendor(line)) && (!parser->bare || parser->gap);
}

static int take(struct parser *parser, struct vt_line *line)
{
    if (is_foreign(parser, line))
        return take_text(parser);
    switch (line->kind) {
    case VT_LINE_BLANK:
    case VT_LINE_RULE:
        return 0;
    case VT_LINE_TEXT:
        return take_text(parser);
    case VT_LINE_HEADING:
        return begin_processor(parser, line->processor);
    case VT_LINE_SUBJECT:
        parser->subject = line->leaf;
        parser->has_subject = true;
        return 0;
    case VT_LINE_LEAF:
        return take_leaf(parser, line);
    default:
        return reject(parser, expected);
    }
}

/* A length of 0 text is legal; control characters and zeros make it no text at all. */
static const char *find_defect(const char *text, size_t length)
{
    for (size_t i = 0; i < length && i <= LONGEST_LINE; i++)
        if ((unsigned char)text[i] < ' ' && !strchr("\t\f\v\033", text[i] ? text[i] : '\1'))
            return "binary data; expected the text of `cpuid -r` or libcpuid's raw format";
    return length > LONGEST_LINE ? "the line is longer than any line of a CPUID dump" : NULL;
}

/* The length of the line at `at`, without its end. */
static size_t length_of(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return (size_t)((newline ? newline : end) - at);
}

/*
 * Mail breaks long lines, and quotes both parts: is the beginning of a leaf at
 * `text` whole with the line after it? In quoted-printable a '=' marks the break.
 */
static bool rejoin(const char *text, const char *next, size_t length, struct vt_line *line)
{
    char joined[2 * LONGEST_LINE + 2];
    size_t first = strlen(text), quoting = strspn(next, "> \t");
    if (quoting >= length || length > LONGEST_LINE)
        return false;
    for (int soft = 0; soft < 2; soft++) {
        size_t kept = first - (soft && text[first - 1] == '=');
        int printed = snprintf(joined, sizeof joined, "%.*s%s%.*s", (int)kept, text, soft ? "" : " ",
                               (int)(length - quoting), next + quoting);
        vt_line_read(joined, line);
        if (printed > 0 && line->kind == VT_LINE_LEAF)
            return true;
    }
    return false;
}

/* Takes the line at *at, and the next one where it continues it; *at is then behind. */
static int take_line(struct parser *parser, const char **at, const char *end, bool *ended)
{
    char text[LONGEST_LINE + 1];
    struct vt_line line, joined;
    size_t length = length_of(*at, end);
    const char *defect = find_defect(*at, length), *next = *at + length + 1;
    parser->line++;
    if (defect)
        return reject(parser, defect);
    memcpy(text, *at, length);
    text[length] = '\0';
    *at = next;
    vt_line_read(text, &line);
    /* libcpuid's test files continue with the expected identification below a rule. */
    *ended = line.kind == VT_LINE_RULE && parser->format == VT_DUMP_LIBCPUID;
    if (line.kind != VT_LINE_DAMAGED || next >= end || !rejoin(text, next, length_of(next, end), &joined))
        return take(parser, &line);
    *at += length_of(next, end) + 1;
    int status = take(parser, &joined);
    parser->line++;
    return status;
}

static int take_lines(struct parser *parser, const char *data, size_t size)
{
    const char *at = data, *end = data + size;
    bool ended = false;
    int status = 0;
    while (at < end && !ended && status == 0)
        status = take_line(parser, &at, end, &ended);
    return status;
}

/* Reports have headings of sections without leaves; in a dump of cpuid or libcpuid that is where it was cut
 * off. */
static void drop_empty(struct parser *parser)
{
    struct vt_facts *facts = parser->facts;
    size_t kept = 0;
    for (size_t i = 0; i < facts->count; i++)
        if (facts->processors[i].count)
            facts->processors[kept++] = facts->processors[i];
    facts->count = kept;
}

static int refuse_empty(const struct parser *parser, const char *text)
{
    uint32_t line;
    const char *answer = vt_dump_recognize(text, &line);
    if (answer)
        return reject_at(parser, line, answer);
    if (parser->facts->count)
        return vt_error_set(parser->error, VT_EXIT_USAGE, EINVAL,
                            "'%s', line %u: cut off: CPU %ld has no leaves", parser->name,
                            parser->facts->processors[0].line, parser->facts->processors[0].number);
    if (parser->text)
        return reject_at(parser, parser->text, expected);
    return reject_at(parser, parser->line + 1,
                     "the file ends without a CPUID leaf; make one with: cpuid -r >FILE");
}

static int parse_text(struct vt_facts *facts, const char *name, const char *text, size_t length,
                      struct vt_error *error)
{
    struct parser parser = {.facts = facts, .name = name, .error = error};
    vt_facts_init(facts);
    int status = take_lines(&parser, text, length);
    if (status == 0 && parser.format == VT_DUMP_UNKNOWN)
        status = refuse_empty(&parser, text);
    if (parser.format == VT_DUMP_REGISTERS)
        drop_empty(&parser);
    for (size_t i = 0; i < facts->count; i++)
        vt_facts_sort(&facts->processors[i]);
    if (status == 0)
        status = vt_dump_check(facts, name, parser.format, error);
    if (status != 0)
        vt_facts_free(facts);
    else
        vt_dump_note(facts, parser.format);
    return status;
}

static int refuse_packed(const char *name, int status, struct vt_error *error)
{
    if (status == -ENOMEM)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, ENOMEM, "'%s': out of memory", name);
    return vt_error_set(error, VT_EXIT_USAGE, -status, "'%s', line 1: compressed, and %s", name,
                        status == -EFBIG ? "larger than any dump once unpacked"
                                         : "what was compressed is damaged or cut off");
}

int vt_dump_parse(struct vt_facts *facts, const char *name, const char *data, size_t size,
                  struct vt_error *error)
{
    char *unpacked = NULL;
    size_t length = size;
    int status = vt_packed_is(data, size) ? vt_packed_unpack(data, size, LARGEST, &unpacked, &length) : 0;
    const char *archive = vt_dump_recognize_archive(data, size);
    if (archive)
        return vt_error_set(error, VT_EXIT_USAGE, EINVAL, "'%s', line 1: %s", name, archive);
    if (status != 0)
        return refuse_packed(name, status, error);
    char *text = vt_dump_text(unpacked ? unpacked : data, length, &length);
    status = text ? parse_text(facts, name, text, length, error) : refuse_packed(name, -ENOMEM, error);
    free(unpacked);
    free(text);
    return status;
}

int vt_dump_load(struct vt_facts *facts, const char *path, struct vt_error *error)
{
    char *data;
    size_t size;
    int status = vt_file_read(path, LARGEST, &data, &size, error);
    if (status != 0)
        return status;
    status = vt_dump_parse(facts, strcmp(path, "-") == 0 ? "standard input" : path, data, size, error);
    free(data);
    return status;
}
