#include "lab/link.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far above the largest document: a guest gone wrong must not fill this machine's memory. */
#define MOST ((size_t)16 << 20)

/* Cut where there is no more room, and what the cut leaves of a character cleaned. */
static void keep(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text);
    vt_text_clean(to, strlen(to));
}

static int take_stage(struct vt_lab_link *link, char *rest)
{
    keep(link->stage, sizeof link->stage, rest);
    return 0;
}

static int take_case(struct vt_lab_link *link, char *rest)
{
    char name[sizeof link->name];

    if (sscanf(rest, "%9zu %9zu %63s", &link->done, &link->total, name) != 3 || link->done == 0 ||
        link->done > link->total)
        return -EPROTO;
    keep(link->name, sizeof link->name, name);
    return 0;
}

static int take_fact(struct vt_lab_link *link, char *rest)
{
    if (link->fact_count == sizeof link->facts / sizeof link->facts[0])
        return -EPROTO;
    keep(link->facts[link->fact_count], sizeof link->facts[0], rest);
    link->fact_count++;
    return 0;
}

static int take_error(struct vt_lab_link *link, char *rest)
{
    char *text;
    link->exit = (int)strtol(rest, &text, 10);
    if (link->exit < VT_EXIT_NO || link->exit > VT_EXIT_INTERNAL)
        return -EPROTO;
    keep(link->text, sizeof link->text, *text ? text + 1 : "no reason given");
    link->failed = true;
    return 0;
}

static int take_row(struct vt_lab_link *link, char *rest)
{
    return link->row ? link->row(link->context, rest) : -EPROTO;
}

/* How many bytes follow of what has not been sent before. */
static int take_size(const char *rest, const char *before, size_t *wanted)
{
    char *end;
    size_t size = strtoul(rest, &end, 10);
    if (*end != '\0' || size == 0 || size > MOST || before)
        return -EPROTO;
    *wanted = size;
    return 0;
}

static int take_result(struct vt_lab_link *link, char *rest)
{
    return take_size(rest, link->document, &link->document_wanted);
}

static int take_symbols(struct vt_lab_link *link, char *rest)
{
    return take_size(rest, link->symbols, &link->symbols_wanted);
}

static int take_measured(struct vt_lab_link *link, char *rest)
{
    return take_size(rest, NULL, &link->row_wanted);
}

static int take_end(struct vt_lab_link *link, char *rest)
{
    (void)rest;
    link->ended = true;
    return 0;
}

static int take_line(struct vt_lab_link *link, char *line)
{
    static const struct {
        const char *word;
        int (*take)(struct vt_lab_link *, char *rest);
    } words[] = {
        {"@stage", take_stage},   {"@case", take_case},         {"@fact", take_fact},
        {"@error", take_error},   {"@measured", take_measured}, {"@row", take_row},
        {"@result", take_result}, {"@end", take_end},           {"@symbols", take_symbols},
    };

    size_t length = strcspn(line, " ");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i].word) == length && strncmp(line, words[i].word, length) == 0)
            return words[i].take(link, line + length + (line[length] != '\0'));
    return 0;
}

static bool take_bytes(struct vt_lab_link *link, char **data, size_t *size, size_t *wanted)
{
    if (link->size - link->taken < *wanted)
        return false;
    *data = malloc(*wanted);
    if (!*data)
        return false;
    memcpy(*data, link->data + link->taken, *wanted);
    *size = *wanted;
    link->taken += *wanted;
    *wanted = 0;
    return true;
}

/* Behind those that came before it. */
static bool take_measured_row(struct vt_lab_link *link)
{
    char *rows = link->size - link->taken < link->row_wanted
                     ? NULL
                     : vt_memory_grow(link->rows, link->rows_size, link->row_wanted, 1);
    if (!rows)
        return false;
    memcpy(rows + link->rows_size, link->data + link->taken, link->row_wanted);
    link->rows = rows;
    link->rows_size += link->row_wanted;
    link->taken += link->row_wanted;
    link->row_wanted = 0;
    return true;
}

/* What follows the line that announced it; false: it is not all there. */
static bool take_announced(struct vt_lab_link *link)
{
    if (link->row_wanted)
        return take_measured_row(link);
    if (link->document_wanted)
        return take_bytes(link, &link->document, &link->document_size, &link->document_wanted);
    return take_bytes(link, &link->symbols, &link->symbols_size, &link->symbols_wanted);
}

static int append(struct vt_lab_link *link, const char *data, size_t size)
{
    if (size > MOST - link->size)
        return -EPROTO;
    char *grown = vt_memory_grow(link->data, link->size, size, 1);
    if (!grown)
        return -ENOMEM;
    link->data = grown;
    memcpy(link->data + link->size, data, size);
    link->size += size;
    return 0;
}

int vt_lab_link_feed(struct vt_lab_link *link, const char *data, size_t size)
{
    int status = append(link, data, size);
    while (status == 0 && !link->ended && link->taken < link->size) {
        if (link->row_wanted || link->document_wanted || link->symbols_wanted) {
            if (!take_announced(link))
                return 0;
            continue;
        }
        char *line = link->data + link->taken;
        char *end = memchr(line, '\n', link->size - link->taken);
        if (!end)
            return 0;
        *end = '\0';
        line[strcspn(line, "\r")] = '\0';
        vt_text_clean(line, strlen(line));
        link->taken = (size_t)(end + 1 - link->data);
        status = take_line(link, line);
    }
    return status;
}

const char *vt_lab_link_fact(const struct vt_lab_link *link, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < link->fact_count; i++)
        if (strncmp(link->facts[i], name, length) == 0 && link->facts[i][length] == ' ')
            return link->facts[i] + length + 1;
    return NULL;
}

void vt_lab_link_release(struct vt_lab_link *link)
{
    free(link->data);
    free(link->document);
    free(link->rows);
    free(link->symbols);
    link->data = link->document = link->rows = link->symbols = NULL;
    link->size = link->taken = 0;
}
