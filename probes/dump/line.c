#include "probes/dump/line.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_NUMBERS = 7, REGISTERS = 4, REGISTER_DIGITS = 8 };

/* Between the parts of a line tools put what they like. */
#define SEPARATORS " \t\f\v:;,|=-><(){}/'\"`&"
static const char separators[] = SEPARATORS "*";
/*
 * The same before a line's first, second and further numbers: brackets may enclose
 * the leaf ("CPUID[0x00000000]:") and begin a remark later; stars may be a subleaf.
 */
static const char *const before_number[] = {SEPARATORS "[]*", SEPARATORS "[]", separators};
/* What may follow the registers: a remark in one of these, or the end of a tag or a row. */
static const char remarks[] = "[|#;(<>/\\'\"})`,";

struct number {
    uint32_t value;
    size_t digits;
    bool prefixed;    /* by 0x */
    const char *text; /* its digits */
};

static const char hexadecimal[] = "0123456789abcdefABCDEF";

static void skip_separators(const char **at)
{
    *at += strspn(*at, separators);
}

static bool continues_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* One word, or several with separators between, in small or capital letters. */
static bool skip_words(const char **at, const char *words)
{
    const char *here = *at;
    while (*words) {
        size_t length = strcspn(words, " ");
        if (strncasecmp(here, words, length) != 0 || continues_word(here[length]))
            return false;
        here += length;
        words += length + (words[length] == ' ');
        if (*words)
            skip_separators(&here);
    }
    *at = here;
    return true;
}

static bool skip_any(const char **at, const char *const *words)
{
    for (; *words; words++)
        if (skip_words(at, *words))
            return true;
    return false;
}

/* Up to 8 hexadecimal digits as a word of their own: 1f, 0x1F, 1Fh. */
static bool read_number(const char **at, struct number *number)
{
    const char *here = *at;
    number->prefixed = here[0] == '0' && (here[1] == 'x' || here[1] == 'X');
    number->text = here += number->prefixed ? 2 : 0;
    number->digits = strspn(here, hexadecimal);
    if (number->digits < 1 || number->digits > 8)
        return false;
    number->value = (uint32_t)strtoul(here, NULL, 16);
    here += number->digits;
    here += *here == 'h' || *here == 'H';
    if (continues_word(*here))
        return false;
    *at = here;
    return true;
}

static bool ends(const char *at)
{
    skip_separators(&at);
    return *at == '\0';
}

/* "[SL 01]" is the subleaf. */
static bool read_remarks(const char *at, struct vt_line *line)
{
    struct number subleaf;
    at += strspn(at, " \t");
    if (*at == '[') {
        const char *inside = at + 1;
        if (skip_words(&inside, "SL")) {
            skip_separators(&inside);
            line->numbered = read_number(&inside, &subleaf) && *inside == ']';
            line->leaf.subleaf = line->numbered ? subleaf.value : 0;
            return line->numbered;
        }
    }
    return *at == '\0' || strchr(remarks, *at);
}

/* The arrays of libcpuid's raw format: which leaves their elements are. */
static const struct array {
    const char *name;
    uint32_t leaf;
    bool subleaves; /* elements are subleaves of one leaf */
} arrays[] = {
    {"basic_cpuid[", 0x00000000, false},    {"ext_cpuid[", 0x80000000, false},
    {"intel_fn4[", 0x00000004, true},       {"intel_fn11[", 0x0000000b, true},
    {"intel_fn12h[", 0x00000012, true},     {"intel_fn14h[", 0x00000014, true},
    {"amd_fn8000001dh[", 0x8000001d, true}, {"amd_fn80000026h[", 0x80000026, true},
};

static const struct array *find_array(const char **at)
{
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        size_t length = strlen(arrays[i].name);
        if (strncmp(*at, arrays[i].name, length) == 0) {
            *at += length;
            return &arrays[i];
        }
    }
    return NULL;
}

static bool read_index(const char **at, long *index)
{
    size_t digits = strspn(*at, "0123456789");
    if (digits < 1 || digits > 3 || strncmp(*at + digits, "]=", 2) != 0)
        return false;
    *index = strtol(*at, NULL, 10);
    *at += digits + 2;
    return *index <= 0xff;
}

/* "ext_cpuid[10]=00000001 00008000 00000000 0001bcff" */
static bool read_array(const char *at, struct vt_line *line)
{
    struct number number;
    skip_separators(&at);
    const struct array *array = find_array(&at);
    if (!array)
        return false;
    line->format = VT_DUMP_LIBCPUID;
    line->kind = VT_LINE_DAMAGED;
    if (!read_index(&at, &line->index))
        return true;
    for (int i = 0; i < REGISTERS; i++) {
        skip_separators(&at);
        if (!read_number(&at, &number) || number.digits != REGISTER_DIGITS)
            return true;
        line->leaf.reg[i] = number.value;
    }
    line->leaf.leaf = array->leaf + (array->subleaves ? 0 : (uint32_t)line->index);
    line->leaf.subleaf = array->subleaves ? (uint32_t)line->index : 0;
    line->numbered = true;
    if (ends(at))
        line->kind = VT_LINE_LEAF;
    return true;
}

/* The words of a heading, and whether the processor's number may follow. */
static const struct {
    const char *word;
    bool counts;
} heading_words[] = {
    {"cpu", true},    {"thread", true},   {"processor", true},  {"logical", false},
    {"cpuid", false}, {"virtual", false}, {"registers", false},
};

/* Takes one word of letters; 0: not of a heading, 1: of one, 2: and counts processors. */
static int read_heading_word(const char **at)
{
    size_t length = 0;
    while (isalpha((unsigned char)(*at)[length]))
        length++;
    for (size_t i = 0; i < sizeof heading_words / sizeof heading_words[0]; i++)
        if (strlen(heading_words[i].word) == length && strncasecmp(heading_words[i].word, *at, length) == 0) {
            *at += length;
            return heading_words[i].counts ? 2 : 1;
        }
    return 0;
}

/* A number after a word that counts; false for any other, and for a second one. */
static bool read_processor(const char **at, bool counting, struct vt_line *line)
{
    size_t digits = strspn(*at, "0123456789");
    if (!counting || line->processor >= 0)
        return false;
    line->kind = digits <= 6 ? VT_LINE_HEADING : VT_LINE_DAMAGED;
    line->processor = strtol(*at, NULL, 10);
    *at += digits;
    return true;
}

/* "CPU 3:", "------[ CPUID Registers / Logical CPU #3 ]------", "CPUID Registers (CPU #3 Virtual):", "CPU
 * Thread: 3" */
static bool read_heading(const char *at, struct vt_line *line)
{
    bool counting = false;
    line->processor = -1;
    at += strspn(at, separators);
    if (strcmp(at, "CPU:") == 0) {
        line->kind = VT_LINE_HEADING;
        return true;
    }
    while (*at) {
        if (isdigit((unsigned char)*at)) {
            if (!read_processor(&at, counting, line))
                return false;
            counting = false;
        } else if (isalpha((unsigned char)*at)) {
            int word = read_heading_word(&at);
            if (word == 0)
                return false;
            counting = word == 2;
        } else {
            at++;
        }
    }
    return line->processor >= 0;
}

/* What stands before a leaf's number and before a subleaf's. */
static const char *const leaf_words[] = {"cpuid",  "leaf", "level",        "function", "eax in",
                                         "eax_in", "fn",   "register eax", NULL};
static const char *const subleaf_words[] = {"ecx in",   "ecx_in",     "ecx",   "subleaf", "sub leaf",
                                            "subleafs", "level_type", "index", "idx",     NULL};

/* What some tools write for the subleaf of a leaf without any; Xen's write the last of all numbers. */
static const char no_subleaf[] = "********";

static bool read_no_subleaf(const char **at, struct number *number)
{
    const size_t length = strlen(no_subleaf);
    if (strncmp(*at, no_subleaf, length) != 0)
        return false;
    *number = (struct number){.value = UINT32_MAX, .digits = length, .text = *at};
    *at += length;
    return true;
}

/* The numbers a line begins with, each after words that name it; `end` is behind the last one. */
struct numbers {
    struct number number[MOST_NUMBERS];
    unsigned count;
    bool named, subnamed; /* the first one as a leaf, what follows as its subleaf */
    const char *end, *next;
};

/* "CPUID_SIGNATURE (Leaf 00000000)", "CPUID.00000000H" */
static bool skip_compound(const char **at)
{
    if (strncasecmp(*at, "cpuid.", 6) == 0 && strspn(*at + 6, hexadecimal) == 8)
        return *at += 6;
    if (strncmp(*at, "CPUID_", 6) == 0)
        return *at += strcspn(*at, separators);
    return false;
}

static bool skip_name(const char **at, struct numbers *numbers)
{
    if (numbers->count == 0 && (skip_any(at, leaf_words) || skip_compound(at)))
        return numbers->named = true;
    if (numbers->count == 1 && skip_any(at, subleaf_words))
        return numbers->subnamed = true;
    return false;
}

static bool read_next(const char **at, struct numbers *numbers)
{
    struct number *number = &numbers->number[numbers->count];
    if (numbers->count == MOST_NUMBERS ||
        (!read_number(at, number) && (numbers->count != 1 || !read_no_subleaf(at, number))))
        return false;
    /* A sixth number is a register or none: what looks like one may begin a remark. */
    return numbers->count <= REGISTERS || number->digits == REGISTER_DIGITS;
}

static void read_numbers(const char *at, struct numbers *numbers)
{
    *numbers = (struct numbers){.end = at};
    for (;;) {
        at += strspn(at, before_number[numbers->count < 2 ? numbers->count : 2]);
        numbers->next = at;
        if (read_next(&at, numbers)) {
            numbers->count++;
            numbers->end = at;
        } else if (!skip_name(&at, numbers)) {
            break;
        }
    }
}

static void put_leaf(struct vt_line *line, const struct numbers *numbers, bool with_subleaf)
{
    line->leaf.leaf = numbers->number[0].value;
    line->numbered = with_subleaf;
    line->leaf.subleaf =
        with_subleaf && numbers->number[1].value != UINT32_MAX ? numbers->number[1].value : 0;
}

/* The tool cpuid writes whole dumps; of others it is not known where they must end. */
static bool is_of_cpuid(const char *text, const struct numbers *numbers)
{
    return !numbers->named && numbers->count >= 1 && numbers->number[0].digits == 8 &&
           numbers->number[0].prefixed && strstr(text, "eax=0x");
}

/* "0x00000007 0x01: eax=0x... ebx=0x... ecx=0x... edx=0x..." from "eax" on */
static bool read_named_registers(const char *at, struct vt_line *line)
{
    static const char *const names[] = {"eax", "ebx", "ecx", "edx"};
    struct number number;
    for (int i = 0; i < REGISTERS; i++) {
        skip_separators(&at);
        if (!skip_words(&at, names[i]))
            return false;
        skip_separators(&at);
        if (!read_number(&at, &number) || number.digits != REGISTER_DIGITS)
            return false;
        line->leaf.reg[i] = number.value;
    }
    return read_remarks(at, line);
}

/* Lines below "0x00000004: subleafs:" begin with a decimal subleaf or with none. */
static void put_index(struct vt_line *line, const struct numbers *numbers)
{
    const struct number *first = &numbers->number[0];
    line->continues = numbers->count == 0 ||
                      (numbers->count == 1 && !numbers->named && !first->prefixed && first->digits <= 2);
    line->index = line->continues && numbers->count ? strtol(first->text, NULL, 10) : -1;
}

static bool is_value_next(const char *at)
{
    struct number number;
    skip_separators(&at);
    return skip_words(&at, "eax") && (skip_separators(&at), read_number(&at, &number));
}

static bool read_named(const char *text, const struct numbers *numbers, struct vt_line *line)
{
    const char *at = numbers->next;
    bool has_leaf = numbers->count > 0 && (numbers->named || numbers->number[0].digits == 8);
    if (numbers->count > 2 || !skip_words(&at, "eax") || (!has_leaf && !is_value_next(numbers->next)))
        return false;
    line->format = is_of_cpuid(text, numbers) ? VT_DUMP_CPUID : VT_DUMP_REGISTERS;
    put_leaf(line, numbers, numbers->count == 2);
    put_index(line, numbers);
    line->kind = read_named_registers(numbers->next, line) ? VT_LINE_LEAF : VT_LINE_DAMAGED;
    return true;
}

static bool are_registers(const struct number *number)
{
    for (int i = 0; i < REGISTERS; i++)
        if (number[i].digits != REGISTER_DIGITS)
            return false;
    return true;
}

/* A name, a whole leaf number, a whole register: two of them make the beginning of a leaf. */
static bool begins_like_leaf(const struct numbers *numbers)
{
    bool has_register = numbers->number[1].digits == REGISTER_DIGITS ||
                        (numbers->count > 2 && numbers->number[2].digits == REGISTER_DIGITS);
    return numbers->count >= 2 && numbers->named + (numbers->number[0].digits == 8) + has_register >= 2;
}

/* Between subleaf and registers one tool counts how often leaf 2 was asked: each time is a subleaf of its
 * own. */
static void count_passes(struct vt_line *line, const struct numbers *numbers, unsigned before)
{
    if (before == 3)
        line->leaf.subleaf += numbers->number[2].value;
}

/* "CPUID 00000004: 0C000121-01C0003F-0000003F-00000000 [SL 00]", "00000004:00000001 -> 0c000121:..." */
static bool read_unnamed(const struct numbers *numbers, struct vt_line *line)
{
    if (!begins_like_leaf(numbers))
        return false;
    unsigned before = numbers->count - REGISTERS;
    line->format = VT_DUMP_REGISTERS;
    line->bare = !numbers->named;
    line->columns = numbers->count;
    line->kind = VT_LINE_DAMAGED;
    if (numbers->count <= REGISTERS || !are_registers(&numbers->number[before]))
        return true;
    for (int i = 0; i < REGISTERS; i++)
        line->leaf.reg[i] = numbers->number[before + (unsigned)i].value;
    put_leaf(line, numbers, before >= 2);
    count_passes(line, numbers, before);
    if (read_remarks(numbers->end, line))
        line->kind = VT_LINE_LEAF;
    return true;
}

/* "0x00000004: subleafs:", "CPUID_CACHE_PARAMS (Leaf 00000004, Sub-Leaf 00000001)" */
static bool read_subject(const struct numbers *numbers, struct vt_line *line)
{
    bool says_what = numbers->subnamed ? numbers->count <= 2 : numbers->named && numbers->count == 1;
    if (!says_what || numbers->number[0].digits != 8 || !ends(numbers->next))
        return false;
    put_leaf(line, numbers, numbers->count == 2);
    line->kind = VT_LINE_SUBJECT;
    return true;
}

static bool read_registers(const char *text, struct vt_line *line)
{
    struct numbers numbers;
    read_numbers(text, &numbers);
    return read_named(text, &numbers, line) || read_subject(&numbers, line) || read_unnamed(&numbers, line);
}

/* A log has a time or a processor before it: "00000000000i[CPU0  ] CPUID[0x00000000]: ...", "cpu0: CPUID
 * 00000000: ...", "2020-06-09T15:20:51.430+02:00| vmx| I125: hostCPUID level 00000000, 0: ..." */
static bool read_logged(const char *text, struct vt_line *line)
{
    static const char *const beginnings[] = {" cpuid", " hostcpuid"};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        const char *at = strcasestr(text, beginnings[i]);
        if (at && read_registers(strcasestr(at, "cpuid"), line) && line->kind == VT_LINE_LEAF)
            return true;
    }
    return false;
}

static bool read_blank(const char *at, struct vt_line *line)
{
    enum { SHORTEST_RULE = 20 };
    line->kind = at[strspn(at, "-")] == '\0' && strlen(at) >= SHORTEST_RULE ? VT_LINE_RULE : VT_LINE_BLANK;
    skip_separators(&at);
    return *at == '\0' || *at == '#' || at[strspn(at, "_~+.")] == '\0';
}

void vt_line_read(const char *text, struct vt_line *line)
{
    static bool (*const readers[])(const char *text, struct vt_line *line) = {
        read_blank, read_array, read_heading, read_registers, read_logged};
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        *line = (struct vt_line){.index = -1};
        if (readers[i](text, line))
            return;
    }
    *line = (struct vt_line){.kind = VT_LINE_TEXT};
}
