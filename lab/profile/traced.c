#include "lab/profile/traced.h"
#include "base/memory.h"
#include "base/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX

/* All cases have some thousand; what claims more is not believed. */
#define MOST_BATCHES 65536

/* What is written of batches that were not traced: a line of one that was is as long as its machine likes. */
#define MOST_COPIED ((size_t)64 << 20)

void vt_traced_next_row(struct vt_traced *traced)
{
    traced->row++;
}

static bool is_of(const struct vt_traced_batch *batch, size_t row, uint64_t target)
{
    return batch->row == row && batch->target == target;
}

/* The one before `end`, in the row at hand. */
static size_t find_last(const struct vt_traced *traced, uint64_t target, size_t end)
{
    while (end > 0 && traced->batches[end - 1].row == traced->row)
        if (is_of(&traced->batches[--end], traced->row, target))
            return end;
    return NONE;
}

/* One that was traced and took as long, of its row. */
static size_t find_like(const struct vt_traced *traced, const struct vt_traced_batch *batch)
{
    for (size_t i = 0; i < traced->count; i++)
        if (traced->batches[i].traced && is_of(&traced->batches[i], batch->row, batch->target) &&
            traced->batches[i].ticks == batch->ticks)
            return i;
    return NONE;
}

bool vt_traced_wants(const struct vt_traced *traced, uint64_t target)
{
    size_t last = find_last(traced, target, traced->count);
    size_t before = last == NONE ? NONE : find_last(traced, target, last);

    return before == NONE || traced->batches[last].ticks != traced->batches[before].ticks ||
           find_like(traced, &traced->batches[last]) == NONE;
}

int vt_traced_add(struct vt_traced *traced, uint64_t target, uint64_t ticks, bool was_traced)
{
    if (traced->count == MOST_BATCHES)
        return 0;
    struct vt_traced_batch *batch = vt_memory_append(traced->batches, traced->count);
    if (!batch)
        return -ENOMEM;
    *batch = (struct vt_traced_batch){target, ticks, traced->row, was_traced};
    return 0;
}

/* Its lines of batches, in order, NULL-terminated; the others go to `to`. */
static char **take_batches(char *text, size_t count, FILE *to)
{
    char **lines = calloc(count + 1, sizeof *lines);
    size_t found = 0;

    for (char *line; lines && (line = strsep(&text, "\n"));)
        if (*line != 'b')
            fprintf(to, "%s%s", line, *line ? "\n" : "");
        else if (found < count)
            lines[found++] = line;
    return lines;
}

static void print_batch(const struct vt_traced *traced, size_t index, char *const *lines,
                        const size_t *numbers, size_t *copied, FILE *to)
{
    const struct vt_traced_batch *batch = &traced->batches[index];
    size_t like = batch->traced ? index : find_like(traced, batch);
    const char *line = like == NONE ? NULL : lines[numbers[like]];

    *copied += line && like != index ? strlen(line) : 0;
    if (line && *copied <= MOST_COPIED)
        fprintf(to, "%s\n", line);
    else
        fprintf(to, "b %llx 1\n", (unsigned long long)batch->target);
}

static bool print_all(const struct vt_traced *traced, char *text, FILE *to)
{
    char **lines = take_batches(text, traced->count, to);
    size_t *numbers = calloc(traced->count + 1, sizeof *numbers); /* which line it has */
    bool printed = lines && numbers;
    size_t copied = 0;

    for (size_t i = 0; printed && i < traced->count; i++)
        numbers[i + 1] = numbers[i] + traced->batches[i].traced;
    for (size_t i = 0; printed && i < traced->count; i++)
        print_batch(traced, i, lines, numbers, &copied, to);
    free(lines);
    free(numbers);
    return printed;
}

char *vt_traced_complete(const struct vt_traced *traced, char *text)
{
    char *whole = NULL;
    size_t size;
    FILE *stream = vt_stream_memory(&whole, &size);
    bool printed = stream && print_all(traced, text, stream);
    bool closed = stream && fclose(stream) == 0;

    if (printed && closed)
        return whole;
    free(whole);
    return NULL;
}

void vt_traced_release(struct vt_traced *traced)
{
    free(traced->batches);
    *traced = (struct vt_traced){0};
}
