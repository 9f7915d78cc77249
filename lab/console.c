#include "lab/console.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define LAST_LINES 3

/* What the kernel prints of an oops: its first line has the count of oopses, a later one the place. */
static const char *const causes[] = {" [#1]", "RIP: 0010:"};

struct quote {
    char *text;
    size_t size;
};

static const char *line_of(const char *console, const char *inside)
{
    while (inside > console && inside[-1] != '\n')
        inside--;
    return inside;
}

/* Behind "(XEN)" and "[    2.136769]". */
static const char *skip_prefix(const char *line)
{
    line += strspn(line, " \t\r");
    if (strncmp(line, "(XEN)", 5) == 0)
        line += 5;
    line += strspn(line, " ");
    if (*line == '[') {
        const char *end = line + 1 + strspn(line + 1, " .0123456789");
        line = *end == ']' ? end + 1 : line;
    }
    return line + strspn(line, " ");
}

static void add_line(struct quote *quote, const char *line)
{
    line = skip_prefix(line);
    size_t length = strcspn(line, "\r\n");
    if (length > 0)
        vt_text_append(quote->text, quote->size, "%s%.*s", *quote->text ? " | " : "", (int)length, line);
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line ? line + 1 : NULL;
}

/* Xen's ends in a colon: the reason is on the next line. */
static bool announces_more(const char *line)
{
    size_t length = strcspn(line, "\r\n");
    return length > 0 && line[length - 1] == ':';
}

bool vt_console_has_panicked(const char *console, const char *panic)
{
    const char *found = strstr(console, panic);
    const char *next = found ? next_line(found) : NULL;
    return next && (!announces_more(found) || next_line(next));
}

static void add_panic(struct quote *quote, const char *console, const char *found)
{
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        const char *cause = strstr(console, causes[i]);
        if (cause && cause < found)
            add_line(quote, line_of(console, cause));
    }
    const char *line = line_of(console, found), *next = next_line(line);
    add_line(quote, line);
    if (announces_more(found) && next)
        add_line(quote, next);
}

static void add_last(struct quote *quote, const char *console)
{
    const char *last[LAST_LINES] = {NULL};

    for (const char *line = console; line; line = next_line(line)) {
        const char *words = skip_prefix(line);
        if (*words == '\0' || *words == '\n' || *words == '\r')
            continue;
        memmove(last, last + 1, sizeof last - sizeof last[0]);
        last[LAST_LINES - 1] = line;
    }
    for (size_t i = 0; i < LAST_LINES; i++)
        if (last[i])
            add_line(quote, last[i]);
}

void vt_console_quote(const char *console, const char *panic, char *text, size_t size)
{
    struct quote quote = {text, size};
    const char *found = panic ? strstr(console, panic) : NULL;

    *text = '\0';
    if (found)
        add_panic(&quote, console, found);
    else
        add_last(&quote, console);
    vt_text_clean(text, strlen(text));
}
