#include "probes/dump.h"
#include "base/file.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    LARGEST = 32 << 20, /* a thousand processors of a hundred leaves are 8 MiB */
    LONGEST_LINE = 512,
    MOST_PROCESSORS = 8192,
    MOST_LEAVES = 4096,
};

/* What one line of a dump says. */
enum kind_of_line { NOTHING, HEADER, LEAF, END };

struct line {
    enum kind_of_line kind;
    enum vt_dump_kind format;
    bool numbered; /* the subleaf is given; otherwise lines of the same leaf count up */
    bool repeated; /* a heading of leaves that were there before, in another view */
    long processor;
    struct vt_leaf leaf;
};

struct parser {
    struct vt_facts *facts;
    const char *name;
    enum vt_dump_kind format;
    uint32_t line;
    bool skipping; /* the leaves under a repeated heading */
    struct vt_error *error;
};

static bool skip_word(const char **at, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

static void skip_blanks(const char **at)
{
    *at += strspn(*at, " \t");
}

/* A number of `least` to `most` hexadecimal digits, and no digit after it. */
static bool read_hex(const char **at, size_t least, size_t most, uint32_t *value)
{
    size_t digits = strspn(*at, "0123456789abcdefABCDEF");
    if (digits < least || digits > most)
        return false;
    *value = (uint32_t)strtoul(*at, NULL, 16);
    *at += digits;
    return true;
}

static bool read_decimal(const char **at, long *value)
{
    size_t digits = strspn(*at, "0123456789");
    if (digits < 1 || digits > 6)
        return false;
    *value = strtol(*at, NULL, 10);
    *at += digits;
    return true;
}

static bool ends(const char *at)
{
    skip_blanks(&at);
    return *at == '\0';
}

/* "   0x00000007 0x01: eax=0x... ebx=0x... ecx=0x... edx=0x..." */
static bool read_cpuid_line(const char *at, struct line *line)
{
    static const char *const names[] = {"eax=0x", "ebx=0x", "ecx=0x", "edx=0x"};
    skip_blanks(&at);
    if (!skip_word(&at, "0x") || !read_hex(&at, 8, 8, &line->leaf.leaf))
        return false;
    skip_blanks(&at);
    line->numbered = skip_word(&at, "0x");
    if ((line->numbered && !read_hex(&at, 1, 8, &line->leaf.subleaf)) || !skip_word(&at, ":"))
        return false;
    for (int i = 0; i < 4; i++) {
        skip_blanks(&at);
        if (!skip_word(&at, names[i]) || !read_hex(&at, 8, 8, &line->leaf.reg[i]))
            return false;
    }
    line->kind = LEAF;
    return ends(at);
}

/* "CPU 3:", or "CPU:" of cpuid -1 */
static bool read_cpuid_header(const char *at, struct line *line)
{
    skip_blanks(&at);
    if (!skip_word(&at, "CPU"))
        return false;
    if (*at == ' ') {
        skip_blanks(&at);
        if (!read_decimal(&at, &line->processor))
            return false;
    }
    line->kind = HEADER;
    return skip_word(&at, ":") && ends(at);
}

/* Newer versions of cpuid start with one. */
static bool read_cpuid_disclaimer(const char *at, struct line *line)
{
    line->kind = NOTHING;
    return skip_word(&at, "Disclaimer: cpuid ");
}

/* libcpuid's arrays: which leaves their elements are. */
static const struct array {
    const char *name;
    uint32_t leaf;
    bool subleaves; /* elements are subleaves of one leaf */
} arrays[] = {
    {"basic_cpuid", 0x00000000, false},    {"ext_cpuid", 0x80000000, false},
    {"intel_fn4", 0x00000004, true},       {"intel_fn11", 0x0000000b, true},
    {"intel_fn12h", 0x00000012, true},     {"intel_fn14h", 0x00000014, true},
    {"amd_fn8000001dh", 0x8000001d, true}, {"amd_fn80000026h", 0x80000026, true},
};

static bool read_array_name(const char **at, const struct array **array)
{
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        *array = &arrays[i];
        const char *after = *at;
        if (skip_word(&after, arrays[i].name) && skip_word(&after, "[")) {
            *at = after;
            return true;
        }
    }
    return false;
}

/* "ext_cpuid[10]=00000001 00008000 00000000 0001bcff" */
static bool read_libcpuid_line(const char *at, struct line *line)
{
    const struct array *array;
    long index;
    if (!read_array_name(&at, &array) || !read_decimal(&at, &index) || index > 0xff || !skip_word(&at, "]="))
        return false;
    for (int i = 0; i < 4; i++) {
        skip_blanks(&at);
        if (!read_hex(&at, 8, 8, &line->leaf.reg[i]))
            return false;
    }
    line->leaf.leaf = array->leaf + (array->subleaves ? 0 : (uint32_t)index);
    line->leaf.subleaf = array->subleaves ? (uint32_t)index : 0;
    line->numbered = true;
    line->kind = LEAF;
    return ends(at);
}

/* "_________________ Logical CPU #0 _________________" */
static bool read_libcpuid_header(const char *at, struct line *line)
{
    size_t rule = strspn(at, "_");
    at += rule;
    if (rule < 4 || !skip_word(&at, " Logical CPU #") || !read_decimal(&at, &line->processor))
        return false;
    skip_blanks(&at);
    at += strspn(at, "_");
    line->kind = HEADER;
    return ends(at);
}

static bool read_libcpuid_version(const char *at, struct line *line)
{
    line->kind = NOTHING;
    return skip_word(&at, "version=");
}

/* What may follow the registers is a remark in brackets; "[SL 01]" is the subleaf. */
static bool read_remarks(const char *at, struct line *line)
{
    skip_blanks(&at);
    if (skip_word(&at, "[SL ")) {
        line->numbered = true;
        if (!read_hex(&at, 1, 8, &line->leaf.subleaf) || !skip_word(&at, "]"))
            return false;
    }
    skip_blanks(&at);
    return *at == '\0' || *at == '[';
}

/* "CPUID 00000004: 0C000121-01C0003F-0000003F-00000000 [SL 00] [L1D: 32 KB]" */
static bool read_registers_line(const char *at, struct line *line)
{
    if (!skip_word(&at, "CPUID "))
        return false;
    skip_blanks(&at);
    if (!read_hex(&at, 8, 8, &line->leaf.leaf))
        return false;
    skip_word(&at, ":");
    skip_blanks(&at);
    for (int i = 0; i < 4; i++)
        if ((i > 0 && !skip_word(&at, "-")) || !read_hex(&at, 8, 8, &line->leaf.reg[i]))
            return false;
    line->kind = LEAF;
    return read_remarks(at, line);
}

/* The headings in use before such lines. */
static bool read_registers_header(const char *at, struct line *line)
{
    static const char *const headings[] = {"------[ Logical CPU #", "------[ CPUID Registers / Logical CPU #",
                                           "CPUID Registers (CPU #", "CPU#"};
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++) {
        const char *after = at;
        if (skip_word(&after, headings[i]) && read_decimal(&after, &line->processor)) {
            line->kind = HEADER;
            line->repeated = strncmp(after, " Virtual", 8) == 0;
            return !isalnum((unsigned char)*after);
        }
    }
    return false;
}

static bool read_blank(const char *at, struct line *line)
{
    line->kind = NOTHING;
    return ends(at) || *at == '#';
}

/* libcpuid's test files continue with the expected identification below a rule. */
static bool read_rule(const char *at, struct line *line)
{
    size_t rule = strspn(at, "-");
    line->kind = END;
    return rule >= 20 && ends(at + rule);
}

static const struct reader {
    bool (*read)(const char *at, struct line *line);
    enum vt_dump_kind format; /* VT_DUMP_UNKNOWN: of any */
} readers[] = {
    {read_cpuid_line, VT_DUMP_CPUID},
    {read_cpuid_header, VT_DUMP_CPUID},
    {read_cpuid_disclaimer, VT_DUMP_CPUID},
    {read_libcpuid_line, VT_DUMP_LIBCPUID},
    {read_libcpuid_header, VT_DUMP_LIBCPUID},
    {read_libcpuid_version, VT_DUMP_LIBCPUID},
    {read_registers_line, VT_DUMP_REGISTERS},
    {read_registers_header, VT_DUMP_REGISTERS},
    {read_blank, VT_DUMP_UNKNOWN},
    {read_rule, VT_DUMP_UNKNOWN},
};

static bool understand(const char *text, struct line *line)
{
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        *line = (struct line){.format = readers[i].format};
        if (readers[i].read(text, line))
            return true;
    }
    return false;
}

static int reject(const struct parser *parser, const char *problem)
{
    return vt_error_set(parser->error, VT_EXIT_USAGE, EINVAL, "'%s', line %u: %s", parser->name, parser->line,
                        problem);
}

/* Tools that print registers print a heading alone for a processor that is like the one before. */
static bool reuse_empty(struct parser *parser, const struct line *line)
{
    struct vt_facts *facts = parser->facts;
    struct vt_processor *last = facts->count ? &facts->processors[facts->count - 1] : NULL;
    if (parser->format != VT_DUMP_REGISTERS || !last || last->count > 0)
        return false;
    last->number = line->processor;
    last->line = parser->line;
    return true;
}

static int begin_processor(struct parser *parser, const struct line *line)
{
    parser->skipping = line->repeated;
    if (line->repeated || reuse_empty(parser, line))
        return 0;
    if (parser->facts->count >= MOST_PROCESSORS)
        return reject(parser, "more processors than any machine has");
    return vt_facts_add_processor(parser->facts, line->processor, parser->line)
               ? 0
               : vt_error_memory(parser->error, parser->name);
}

static int add_leaf(struct parser *parser, struct line *line)
{
    if (parser->skipping)
        return 0;
    if (parser->facts->count == 0 && begin_processor(parser, line) != 0)
        return vt_error_memory(parser->error, parser->name);
    struct vt_processor *processor = &parser->facts->processors[parser->facts->count - 1];
    if (processor->count >= MOST_LEAVES)
        return reject(parser, "more leaves for one processor than any has");
    const struct vt_leaf *previous = processor->count ? &processor->leaves[processor->count - 1] : NULL;
    if (!line->numbered && previous && previous->leaf == line->leaf.leaf)
        line->leaf.subleaf = previous->subleaf + 1;
    line->leaf.line = parser->line;
    return vt_facts_add_leaf(processor, &line->leaf) == 0 ? 0 : vt_error_memory(parser->error, parser->name);
}

/* A length of 0 text is legal; control characters and zeros make it no text at all. */
static const char *find_defect(const char *text, size_t length)
{
    for (size_t i = 0; i < length && i <= LONGEST_LINE; i++)
        if ((unsigned char)text[i] < ' ' && text[i] != '\t')
            return "binary data; expected the text of `cpuid -r` or libcpuid's raw format";
    return length > LONGEST_LINE ? "the line is longer than any line of a CPUID dump" : NULL;
}

static const char *const expected =
    "not a line of a CPUID dump; expected '0x00000000 0x00: eax=0x... ebx=0x... ecx=0x... edx=0x...' (cpuid "
    "-r) or 'basic_cpuid[0]=...' (libcpuid), with 8 digits for each register";

/* *ended becomes true when the rest of the file is not part of the dump. */
static int take_line(struct parser *parser, const char *text, size_t length, bool *ended)
{
    char copy[LONGEST_LINE + 1];
    struct line line;
    const char *defect = find_defect(text, length);
    if (defect)
        return reject(parser, defect);
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (!understand(copy, &line))
        return reject(parser, expected);
    if (line.format != VT_DUMP_UNKNOWN && parser->format != VT_DUMP_UNKNOWN && line.format != parser->format)
        return reject(parser, "the lines before were of another dump format; one file holds one dump");
    if (line.format != VT_DUMP_UNKNOWN)
        parser->format = line.format;
    *ended = line.kind == END;
    if (line.kind == HEADER)
        return begin_processor(parser, &line);
    return line.kind == LEAF ? add_leaf(parser, &line) : 0;
}

static int take_lines(struct parser *parser, const char *data, size_t size)
{
    bool ended = false;
    int status = 0;
    for (const char *at = data, *end = data + size; at < end && !ended && status == 0;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline ? newline : end) - at);
        size_t text = length && at[length - 1] == '\r' ? length - 1 : length;
        parser->line++;
        status = take_line(parser, at, text, &ended);
        at += length + 1;
    }
    return status;
}

int vt_dump_parse(struct vt_facts *facts, const char *name, const char *data, size_t size,
                  struct vt_error *error)
{
    struct parser parser = {.facts = facts, .name = name, .error = error};
    vt_facts_init(facts);
    int status = take_lines(&parser, data, size);
    if (parser.format == VT_DUMP_REGISTERS && facts->count && facts->processors[facts->count - 1].count == 0)
        facts->count--;
    for (size_t i = 0; i < facts->count; i++)
        vt_facts_sort(&facts->processors[i]);
    if (status == 0 && facts->count == 0)
        status =
            vt_error_set(error, VT_EXIT_USAGE, EINVAL,
                         "'%s', line %u: the file ends without a CPUID leaf; make one with: cpuid -r >FILE",
                         name, parser.line + 1);
    if (status == 0)
        status = vt_dump_check(facts, name, parser.format, error);
    if (status != 0)
        vt_facts_free(facts);
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
