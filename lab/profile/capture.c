#include "lab/profile/capture.h"
#include "lab/profile/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A batch is at most some million instructions; what claims more is not walked through. */
#define MOST_STEPS INT64_C(100000000)

#define MOST_GUESTS (INT64_C(1) << 60) /* instructions of the guest at a time, whatever it claims */

/* As many of each as there are at most, counted before they are read. */
static int allocate(struct vt_capture *capture, const char *text)
{
    size_t instructions = 1, segments = 1, batches = 1, colons = 1;

    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        instructions += *line == 'i';
        segments += *line == 's';
        batches += *line == 'b';
    }
    for (const char *colon = text; (colon = strchr(colon, ':')); colon++)
        colons++;
    capture->instructions = calloc(instructions, sizeof *capture->instructions);
    capture->segments = calloc(segments, sizeof *capture->segments);
    capture->batches = calloc(batches, sizeof *capture->batches);
    capture->runs = calloc(colons, sizeof *capture->runs);
    capture->legs = calloc(colons, sizeof *capture->legs);
    return capture->instructions && capture->segments && capture->batches && capture->runs && capture->legs
               ? 0
               : -ENOMEM;
}

static bool take_number(char **text, int64_t low, int64_t high, int64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoll(*text, &end, 10);
    if (end == *text || errno != 0 || *number < low || *number > high)
        return false;
    *text = end;
    return true;
}

static bool take_instruction(struct vt_capture *capture, char *rest)
{
    struct vt_capture_instruction *instruction = &capture->instructions[capture->instruction_count];
    int64_t size, flow;

    instruction->address = strtoull(rest, &rest, 16);
    if (!take_number(&rest, 0, 15, &size) || !take_number(&rest, 0, VT_FLOW_NONE - 1, &flow))
        return false;
    if (*rest == ' ')
        instruction->where = strtoull(rest, &rest, 16);
    if (*rest)
        return false;
    instruction->size = (uint8_t)size;
    instruction->flow = (uint8_t)flow;
    instruction->recording = capture->recording;
    instruction->behind = -1;
    capture->instruction_count++;
    return true;
}

static bool take_run(struct vt_capture *capture, char **rest)
{
    int64_t start, count, level = 0;

    if (!take_number(rest, 1, (int64_t)(capture->instruction_count - capture->first_instruction), &start) ||
        *(*rest)++ != ':' || !take_number(rest, 1, UINT32_MAX, &count))
        return false;
    if (**rest == ':') {
        ++*rest;
        if (!take_number(rest, 0, 1, &level))
            return false;
    }
    capture->runs[capture->run_count++] = (struct vt_capture_run){
        (int32_t)(start - 1 + (int64_t)capture->first_instruction), (uint32_t)count, (uint8_t)level};
    capture->segments[capture->segment_count].steps += count;
    return true;
}

static bool take_segment(struct vt_capture *capture, char *rest)
{
    struct vt_capture_segment *segment = &capture->segments[capture->segment_count];

    segment->first = capture->run_count;
    while (*rest)
        if (!take_run(capture, &rest))
            return false;
    segment->count = capture->run_count - segment->first;
    capture->segment_count++;
    return segment->count > 0;
}

static bool take_leg(struct vt_capture *capture, char **rest)
{
    int64_t before, segment, times;

    if (!take_number(rest, 0, MOST_GUESTS, &before) || *(*rest)++ != ':' ||
        !take_number(rest, -1, (int64_t)(capture->segment_count - capture->first_segment) - 1, &segment) ||
        *(*rest)++ != ':' || !take_number(rest, 1, UINT32_MAX, &times))
        return false;
    segment += segment < 0 ? 0 : (int64_t)capture->first_segment;
    capture->legs[capture->leg_count++] = (struct vt_capture_leg){before, (int32_t)segment, (uint32_t)times};
    return true;
}

static int64_t steps_of(const struct vt_capture *capture, const struct vt_capture_leg *leg)
{
    int64_t steps = leg->before + (leg->segment >= 0 ? capture->segments[leg->segment].steps : 0);

    return steps < MOST_STEPS / leg->times ? steps * leg->times : MOST_STEPS;
}

static bool take_batch(struct vt_capture *capture, char *rest)
{
    struct vt_capture_batch *batch = &capture->batches[capture->batch_count];
    int64_t failed, steps = 0;

    batch->target = strtoull(rest, &rest, 16);
    batch->first = capture->leg_count;
    if (!take_number(&rest, 0, 1, &failed))
        return false;
    while (*rest) {
        if (!take_leg(capture, &rest))
            return false;
        if (steps < MOST_STEPS)
            steps += steps_of(capture, &capture->legs[capture->leg_count - 1]);
    }
    batch->failed = failed || steps >= MOST_STEPS;
    batch->count = capture->leg_count - batch->first;
    capture->batch_count++;
    return true;
}

static bool take_recording(struct vt_capture *capture)
{
    capture->first_instruction = capture->instruction_count;
    capture->first_segment = capture->segment_count;
    capture->recording++;
    return true;
}

static bool take_line(struct vt_capture *capture, char *line)
{
    if (strcmp(line, "r") == 0)
        return take_recording(capture);
    if (line[0] && line[1] == ' ')
        switch (line[0]) {
        case 'i':
            return take_instruction(capture, line + 2);
        case 's':
            return take_segment(capture, line + 2);
        case 'b':
            return take_batch(capture, line + 2);
        default:
            break;
        }
    return false;
}

struct place {
    uint64_t address, where;
    uint32_t recording;
    int32_t index;
};

static int by_place(const void *left, const void *right)
{
    const struct place *a = left, *b = right;

    if (a->recording != b->recording)
        return a->recording < b->recording ? -1 : 1;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    if (a->where != b->where)
        return a->where < b->where ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

/* The first instruction there; -1: there is none. */
static int32_t find_place(const struct place *places, size_t count, const struct place *wanted)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_place(&places[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < count && places[low].recording == wanted->recording &&
                 places[low].address == wanted->address && places[low].where == wanted->where;
    return found ? places[low].index : -1;
}

static int find_behind(struct vt_capture *capture)
{
    size_t count = capture->instruction_count;
    struct place *places = calloc(count + 1, sizeof *places);

    if (!places)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){capture->instructions[i].address, capture->instructions[i].where,
                                   capture->instructions[i].recording, (int32_t)i};
    qsort(places, count, sizeof *places, by_place);
    for (size_t i = 0; i < count; i++) {
        struct vt_capture_instruction *instruction = &capture->instructions[i];
        struct place next = {instruction->address + instruction->size, instruction->where,
                             instruction->recording, -1};
        instruction->behind = instruction->size ? find_place(places, count, &next) : -1;
    }
    free(places);
    return 0;
}

int vt_capture_read(struct vt_capture *capture, char *text, struct vt_error *error)
{
    size_t number = 0;

    *capture = (struct vt_capture){0};
    if (allocate(capture, text) != 0)
        return vt_error_memory(error, "the profile");
    while (*text) {
        char *line = text, *end = strchr(text, '\n');
        number++;
        if (!end) /* the emulator was ended while it wrote */
            break;
        *end = '\0';
        text = end + 1;
        if (!take_line(capture, line))
            return vt_error_set(error, VT_EXIT_ENVIRONMENT, EPROTO,
                                "the emulator's plugin wrote a profile that makes no sense, line %zu",
                                number);
    }
    return find_behind(capture) == 0 ? 0 : vt_error_memory(error, "the profile");
}

void vt_capture_release(struct vt_capture *capture)
{
    free(capture->instructions);
    free(capture->runs);
    free(capture->segments);
    free(capture->legs);
    free(capture->batches);
    *capture = (struct vt_capture){0};
}
