#include "probes/dump/dump.h"
#include "probes/dump/assemble.h"
#include "probes/dump/text.h"
#include "base/file.h"
#include "base/packed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LARGEST = 32 << 20, /* a thousand processors of a hundred leaves are 8 MiB */
    LONGEST_LINE = 4096,
};

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
static int take_line(struct vt_assembly *assembly, const char **at, const char *end, bool *ended)
{
    char text[LONGEST_LINE + 1];
    struct vt_line line, joined;
    size_t length = length_of(*at, end);
    const char *defect = find_defect(*at, length), *next = *at + length + 1;
    assembly->line++;
    if (defect)
        return vt_assembly_reject(assembly, defect);
    memcpy(text, *at, length);
    text[length] = '\0';
    *at = next;
    vt_line_read(text, &line);
    /* libcpuid's test files continue with the expected identification below a rule. */
    *ended = line.kind == VT_LINE_RULE && assembly->format == VT_DUMP_LIBCPUID;
    if (line.kind != VT_LINE_DAMAGED || next >= end || !rejoin(text, next, length_of(next, end), &joined))
        return vt_assembly_take(assembly, &line);
    *at += length_of(next, end) + 1;
    int status = vt_assembly_take(assembly, &joined);
    assembly->line++;
    return status;
}

static int take_lines(struct vt_assembly *assembly, const char *data, size_t size)
{
    const char *at = data, *end = data + size;
    bool ended = false;
    int status = 0;
    while (at < end && !ended && status == 0)
        status = take_line(assembly, &at, end, &ended);
    return status;
}

static int parse_text(struct vt_facts *facts, const char *name, const char *text, size_t length,
                      struct vt_error *error)
{
    struct vt_assembly assembly = {.facts = facts, .name = name, .error = error};
    vt_facts_init(facts);
    int status = take_lines(&assembly, text, length);
    if (status == 0)
        status = vt_assembly_finish(&assembly, text);
    if (status != 0)
        vt_facts_free(facts);
    return status;
}

static int refuse_packed(const char *name, int status, struct vt_error *error)
{
    if (status == -ENOMEM)
        return vt_error_memory(error, name);
    return vt_error_set(error, VT_EXIT_USAGE, -status, "'%s', line 1: compressed, and %s", name,
                        status == -EFBIG ? "larger than any dump once unpacked"
                                         : "what was compressed is damaged or cut off");
}

int vt_dump_parse(struct vt_facts *facts, const char *name, const char *data, size_t size,
                  struct vt_error *error)
{
    char *unpacked = NULL;
    size_t length = size;
    const char *archive = vt_dump_recognize_archive(data, size);
    int status = vt_packed_is(data, size) ? vt_packed_unpack(data, size, LARGEST, &unpacked, &length) : 0;
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
