#include "image/lines.h"
#include "base/memory.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_SIZE  6 /* " *281b" */
#define MOST_TICKS  (UINT64_C(1) << 53)
#define MOST_CASES  256
#define MOST_LEAVES 2048
#define LEAST_PAIRS 6 /* VT_STATISTICS_MIN */

/* Where reading is. */
struct reader {
    struct vt_image_said *said;
    const char *name;
    size_t line, leaves;
    bool begun, has_khz;
    struct vt_error *error;
};

static int refuse(const struct reader *r, const char *problem)
{
    return vt_error_set(r->error, VT_EXIT_USAGE, EPROTO, "%s:%zu: %s", r->name, r->line, problem);
}

uint16_t vt_image_check(const char *text, size_t size)
{
    uint16_t sum = 0xffff;
    for (size_t i = 0; i < size; i++) {
        sum ^= (uint16_t)((uint8_t)text[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            sum = (uint16_t)(sum << 1 ^ (sum & 0x8000 ? 0x1021 : 0));
    }
    return sum;
}

/* A number of at most `most`, and behind it a blank or the end, both passed over. */
static bool take_number(char **at, int base, uint64_t most, uint64_t *value)
{
    char *end;
    if (!isxdigit((unsigned char)**at))
        return false;
    errno = 0;
    unsigned long long number = strtoull(*at, &end, base);
    if (errno != 0 || end == *at || number > most || (*end != ' ' && *end != '\0'))
        return false;
    *value = number;
    *at = end + (*end == ' ');
    return true;
}

/* The next word, ended where it stands; NULL: there is none. */
static char *take_word(char **at)
{
    char *word = *at;
    size_t length = strcspn(word, " ");
    if (length == 0)
        return NULL;
    *at = word + length + (word[length] == ' ');
    word[length] = '\0';
    return word;
}

static int take_fact(struct reader *r, char *rest)
{
    struct vt_image_said *said = r->said;
    const char *name = take_word(&rest);

    if (!name)
        return refuse(r, "a fact without a name");
    if (strcmp(name, "version") == 0)
        snprintf(said->version, sizeof said->version, "%s", rest);
    else if (strcmp(name, "firmware") == 0)
        snprintf(said->firmware, sizeof said->firmware, "%s", rest);
    else if (strcmp(name, "line") == 0)
        snprintf(said->line, sizeof said->line, "%s", rest);
    else if (strcmp(name, "tsc-khz") == 0) {
        if (!take_number(&rest, 10, 100000000, &said->khz) || *rest)
            return refuse(r, "expected the frequency of the time-stamp counter in kHz, or 0");
        r->has_khz = true;
    }
    return 0;
}

static int take_clock(struct reader *r, char *rest)
{
    struct vt_image_said *said = r->said;
    struct vt_image_clock *clock = &said->clocks[said->clock_count];
    const char *source = take_word(&rest);

    if (said->clock_count == VT_IMAGE_CLOCKS)
        return refuse(r, "more clocks than any image has");
    if (!source || !take_number(&rest, 10, 100000000, &clock->khz) || *rest || clock->khz == 0)
        return refuse(r, "expected a clock's name and kHz");
    snprintf(clock->source, sizeof clock->source, "%s", source);
    said->clock_count++;
    return 0;
}

/* The twelve characters of leaf 0x40000000, in its order. */
static void take_signature(struct vt_image_said *said, const uint64_t registers[4])
{
    for (int i = 0; i < 12; i++) {
        char character = (char)(registers[1 + i / 4] >> i % 4 * 8);
        said->signature[i] = character >= 0x20 && character < 0x7f ? character : '\0';
    }
    said->signature[12] = '\0';
}

static int append_leaf(struct reader *r, uint64_t leaf, uint64_t subleaf, const uint64_t registers[4])
{
    struct vt_image_said *said = r->said;
    char text[128];
    int size = snprintf(text, sizeof text, "   0x%08x 0x%02x: eax=0x%08x ebx=0x%08x ecx=0x%08x edx=0x%08x\n",
                        (unsigned)leaf, (unsigned)subleaf, (unsigned)registers[0], (unsigned)registers[1],
                        (unsigned)registers[2], (unsigned)registers[3]);
    char *grown = vt_memory_grow(said->dump, said->dump_size, (size_t)size + 1, 1);

    if (!grown)
        return vt_error_memory(r->error, "the processor's leaves");
    said->dump = grown;
    memcpy(said->dump + said->dump_size, text, (size_t)size + 1);
    said->dump_size += (size_t)size;
    return 0;
}

static int take_leaf(struct reader *r, char *rest)
{
    uint64_t leaf, subleaf, registers[4];
    bool whole = take_number(&rest, 16, UINT32_MAX, &leaf) && take_number(&rest, 16, UINT8_MAX, &subleaf);

    for (int i = 0; i < 4; i++)
        whole = whole && take_number(&rest, 16, UINT32_MAX, &registers[i]);
    if (!whole || *rest)
        return refuse(r, "expected a leaf, a subleaf and four registers");
    if (++r->leaves > MOST_LEAVES)
        return refuse(r, "more leaves than any processor has");
    if (leaf == 1)
        r->said->hypervisor = registers[2] >> 31 & 1;
    if (leaf == 0x40000000)
        take_signature(r->said, registers);
    return append_leaf(r, leaf, subleaf, registers);
}

static struct vt_image_case *current(struct reader *r)
{
    return r->said->count ? &r->said->cases[r->said->count - 1] : NULL;
}

static const struct vt_image_offer *find_offer(const struct vt_image_said *said, const char *name)
{
    for (size_t i = 0; i < said->offer_count; i++)
        if (strcmp(said->offers[i].road->engine, name) == 0)
            return &said->offers[i];
    return NULL;
}

static int take_road(struct reader *r, char *rest)
{
    struct vt_image_said *said = r->said;
    const char *name = take_word(&rest);
    const struct vt_lab_road *road = name ? vt_lab_road_find(name) : NULL;

    if (!road)
        return refuse(r, "a road this vmtoll does not know: import with the version that made the image");
    if (find_offer(said, name) || said->offer_count == VT_IMAGE_ROADS_MOST || said->on_roads)
        return refuse(r, "the same road again, or one out of turn");
    struct vt_image_offer *offer = &said->offers[said->offer_count++];
    offer->road = road;
    snprintf(offer->refusal, sizeof offer->refusal, "%s", rest);
    vt_text_clean(offer->refusal, strlen(offer->refusal));
    return 0;
}

static bool was_announced(const struct vt_image_said *said, const struct vt_case *c)
{
    for (size_t i = 0; i < said->count; i++)
        if (said->cases[i].c == c)
            return true;
    return false;
}

static int take_case(struct reader *r, char *rest)
{
    struct vt_image_said *said = r->said;
    uint64_t number, total;

    if (!take_number(&rest, 10, MOST_CASES, &number) || !take_number(&rest, 10, MOST_CASES, &total) ||
        number == 0 || number > total)
        return refuse(r, "expected the case's number and how many there are");
    if (number != said->count + 1 || (said->total && said->total != total))
        return refuse(r, "a case out of turn: lines are missing before it, or this is another run's");
    const struct vt_case *c = vt_guest_find_case(rest);
    if (!c)
        return refuse(r, "a case this vmtoll does not know: import with the version that made the image");
    if (was_announced(said, c))
        return refuse(r, "the same case again");
    struct vt_image_case *grown = vt_memory_grow(said->cases, said->count, 1, sizeof *grown);
    if (!grown)
        return vt_error_memory(r->error, "the cases");
    said->cases = grown;
    grown[said->count++] = (struct vt_image_case){.c = c};
    said->total = total;
    return 0;
}

/* The same cases once more, in the same order. */
static int take_case_on_roads(struct reader *r, char *rest)
{
    struct vt_image_said *said = r->said;
    uint64_t number, total;

    if (!take_number(&rest, 10, MOST_CASES, &number) || !take_number(&rest, 10, MOST_CASES, &total) ||
        said->count != said->total || total != said->total || number != said->on_roads_count + 1 ||
        number > said->count || strcmp(said->cases[number - 1].c->name, rest) != 0)
        return refuse(r, "a case out of turn: lines are missing before it, or this is another run's");
    said->on_roads = said->cases[number - 1].c;
    said->on_roads_count = number;
    return 0;
}

static int take_batches(struct reader *r, struct vt_image_case *row, char **rest)
{
    if (!take_number(rest, 10, UINT32_MAX, &row->iterations) || row->iterations == 0)
        return refuse(r, "expected how many operations a batch has");
    while (**rest && **rest != ':') {
        if (row->pairs == VT_IMAGE_PAIRS_MOST)
            return refuse(r, "more batches than any image runs");
        for (int twin = 0; twin < 2; twin++)
            if (!take_number(rest, 10, MOST_TICKS, &row->ticks[twin][row->pairs]))
                return refuse(r, "expected ticks of body and baseline in turn");
        row->pairs++;
    }
    return row->pairs < LEAST_PAIRS ? refuse(r, "fewer batches than a median takes") : 0;
}

static int take_hits(struct reader *r, struct vt_image_case *row, char **rest)
{
    uint64_t pair;
    while (isdigit((unsigned char)**rest)) {
        if (!take_number(rest, 10, row->pairs - 1, &pair))
            return refuse(r, "expected the number of a pair");
        row->smi[pair] = true;
    }
    return 0;
}

/* Behind ':'. */
static int take_evidence(struct reader *r, struct vt_image_case *row, char *rest)
{
    int status = 0;

    if (*rest == ':')
        rest += 1 + (rest[1] == ' ');
    for (const char *word; status == 0 && (word = take_word(&rest));)
        if (strcmp(word, "interrupts") == 0) {
            row->has_interrupts = true;
            for (int twin = 0; status == 0 && twin < 2; twin++)
                if (!take_number(&rest, 10, MOST_TICKS, &row->interrupts[twin]))
                    status = refuse(r, "expected how many interrupts bodies and baselines took");
        } else {
            status = strcmp(word, "smi") == 0 ? take_hits(r, row, &rest)
                                              : refuse(r, "evidence of a kind this vmtoll does not know");
        }
    return status;
}

/* A counter, "#13" an exception, or "bare". */
static int take_seen(struct reader *r, struct vt_image_case *row, const char *name, const uint64_t value[2])
{
    int counter = vt_counter_find(name);

    for (int twin = 0; twin < 2; twin++)
        if (counter >= 0)
            vt_counters_put(&row->counters[twin], (enum vt_counter)counter, value[twin]);
        else if (strcmp(name, "bare") == 0)
            row->bare[twin] = value[twin];
    if (counter >= 0 || (strcmp(name, "bare") == 0 && value[1]))
        return 0;
    char *digits = (char *)name + 1;
    uint64_t vector;
    if (name[0] != '#' || !take_number(&digits, 10, VT_IMAGE_VECTORS - 1, &vector) || *digits)
        return refuse(r, "evidence of a kind this vmtoll does not know");
    for (int twin = 0; twin < 2; twin++)
        row->vectors[twin][vector] = value[twin];
    return 0;
}

/* Behind ':'. */
static int take_seen_by_road(struct reader *r, struct vt_image_case *row, char *rest)
{
    uint64_t value[2];
    int status = 0;

    if (*rest == ':')
        rest += 1 + (rest[1] == ' ');
    for (const char *word; status == 0 && (word = take_word(&rest));)
        if (strcmp(word, "smi") == 0)
            status = take_hits(r, row, &rest);
        else if (take_number(&rest, 10, MOST_TICKS, &value[0]) &&
                 take_number(&rest, 10, MOST_TICKS, &value[1]))
            status = take_seen(r, row, word, value);
        else
            status = refuse(r, "expected what bodies and baselines were seen to do");
    return status;
}

static int take_answer(struct reader *r, struct vt_image_case *row, const char *status, char *rest)
{
    if (strcmp(status, "unsupported") == 0) {
        row->answer = VT_IMAGE_UNSUPPORTED;
        snprintf(row->reason, sizeof row->reason, "%s", rest);
        vt_text_clean(row->reason, strlen(row->reason)); /* a character may have been cut */
        return 0;
    }
    row->end = row->road ? vt_lab_road_find_end(status) : NULL;
    if (row->end || strcmp(status, "fault") == 0) {
        row->answer = row->end ? VT_IMAGE_ENDED : VT_IMAGE_FAULT;
        return take_number(&rest, 10, 255, &row->vector) ? 0 : refuse(r, "expected an exception's vector");
    }
    if (strcmp(status, "ok") != 0)
        return refuse(r, "expected ok, unsupported or how it failed");
    row->answer = VT_IMAGE_OK;
    int result = take_batches(r, row, &rest);
    if (result != 0)
        return result;
    return row->road ? take_seen_by_road(r, row, rest) : take_evidence(r, row, rest);
}

static int take_row_of_road(struct reader *r, char *rest)
{
    struct vt_image_said *said = r->said;
    const char *name = take_word(&rest), *road = take_word(&rest), *status = take_word(&rest);
    const struct vt_image_offer *offer = road ? find_offer(said, road) : NULL;

    if (!name || !status || !offer || *offer->refusal || strcmp(said->on_roads->name, name) != 0 ||
        !vt_guest_has_row(said->on_roads, offer->road->rows))
        return refuse(r, "a row of no case and road that were announced");
    for (size_t i = said->row_count; i > 0 && said->rows[i - 1].c == said->on_roads; i--)
        if (said->rows[i - 1].road == offer->road)
            return refuse(r, "the same row again");
    struct vt_image_case *row = vt_memory_append(said->rows, said->row_count);
    if (!row)
        return vt_error_memory(r->error, "the rows of roads");
    *row = (struct vt_image_case){.c = said->on_roads, .road = offer->road};
    return take_answer(r, row, status, rest);
}

static int take_row(struct reader *r, char *rest)
{
    if (r->said->on_roads)
        return take_row_of_road(r, rest);
    struct vt_image_case *row = current(r);
    const char *name = take_word(&rest), *status = take_word(&rest);

    if (!name || !status || !row || strcmp(row->c->name, name) != 0 || row->answer != VT_IMAGE_SILENT)
        return refuse(r, "a row of no case that was just announced");
    return take_answer(r, row, status, rest);
}

static int take_end(struct reader *r, char *rest)
{
    uint64_t count;
    if (!take_number(&rest, 10, MOST_CASES, &count) || *rest || count != r->said->count ||
        count != r->said->total)
        return refuse(r, "the end of another number of cases than were announced: lines are missing");
    r->said->ended = true;
    return 0;
}

static const struct {
    const char *word;
    int (*take)(struct reader *r, char *rest);
} words[] = {
    {"@fact", take_fact}, {"@clock", take_clock}, {"@cpuid", take_leaf},          {"@case", take_case},
    {"@row", take_row},   {"@road", take_road},   {"@roads", take_case_on_roads}, {"@end", take_end},
};

static const char version_line[] = "@fact version ";

/* Everything but clocks comes behind the version, and that comes once. */
static int check_order(struct reader *r, const char *line)
{
    bool version = strncmp(line, version_line, sizeof version_line - 1) == 0;

    if (version && r->begun)
        return refuse(r, "a second run begins: import each from a file of its own");
    if (!version && !r->begun && strncmp(line, "@clock ", 7) != 0)
        return refuse(r, "the image's first lines are missing");
    if (r->said->ended)
        return refuse(r, "a line behind the end");
    r->begun |= version;
    return 0;
}

/* Cuts the check off. */
static bool is_whole(char *line)
{
    size_t length = strlen(line);
    char *check = line + length - CHECK_SIZE, *end;

    if (length <= CHECK_SIZE || check[0] != ' ' || check[1] != '*' || !isxdigit((unsigned char)check[2]))
        return false;
    unsigned long sum = strtoul(check + 2, &end, 16);
    *check = '\0';
    return *end == '\0' && sum == vt_image_check(line, strlen(line));
}

static int take_line(struct reader *r, char *line)
{
    size_t length = strcspn(line, " ");

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i].word) != length || strncmp(words[i].word, line, length) != 0)
            continue;
        if (!is_whole(line))
            return refuse(r, "a damaged line: its check does not fit what it says");
        vt_text_clean(line, strlen(line));
        int status = check_order(r, line);
        return status == 0 ? words[i].take(r, line + length + (line[length] == ' ')) : status;
    }
    return 0;
}

static int check_whole(const struct reader *r)
{
    if (!r->begun)
        return vt_error_set(r->error, VT_EXIT_USAGE, EPROTO,
                            "%s: no lines of an image that vmtoll made (the first is \"@fact version ...\")",
                            r->name);
    if (!r->has_khz || r->leaves == 0)
        return vt_error_set(r->error, VT_EXIT_USAGE, EPROTO,
                            "%s: the lines that describe the machine are missing", r->name);
    if (r->said->count == 0)
        return vt_error_set(r->error, VT_EXIT_USAGE, EPROTO, "%s: the image ran no case", r->name);
    return 0;
}

/* Lines are copied: what is read stays the caller's. */
static int read_lines(struct reader *r, char *text, size_t size)
{
    int status = 0;

    for (size_t at = 0; status == 0 && at < size;) {
        char *line = text + at, *end = memchr(line, '\n', size - at);
        size_t length = end ? (size_t)(end - line) : size - at;
        line[length] = '\0';
        at += length + 1;
        r->line++;
        line[strcspn(line, "\r")] = '\0';
        if (*line == '@')
            status = take_line(r, line);
    }
    return status;
}

static bool has_row(const struct vt_image_said *said, const struct vt_lab_road *road)
{
    for (size_t i = said->row_count; i > 0 && said->rows[i - 1].c == said->on_roads; i--)
        if (said->rows[i - 1].road == road)
            return true;
    return false;
}

/* Rows of a case come in the order of the roads: the first that is missing was running. */
static int add_lost(struct vt_image_said *said, struct vt_error *error)
{
    for (size_t i = 0; said->on_roads && !said->ended && i < said->offer_count; i++) {
        const struct vt_image_offer *offer = &said->offers[i];
        if (*offer->refusal || has_row(said, offer->road) ||
            !vt_guest_has_row(said->on_roads, offer->road->rows))
            continue;
        struct vt_image_case *row = vt_memory_append(said->rows, said->row_count);
        if (!row)
            return vt_error_memory(error, "the rows of roads");
        *row = (struct vt_image_case){.c = said->on_roads, .road = offer->road};
        break;
    }
    return 0;
}

int vt_image_read(struct vt_image_said *said, const char *name, const char *data, size_t size,
                  struct vt_error *error)
{
    struct reader r = {.said = said, .name = name, .error = error};
    char *text = malloc(size + 1);

    *said = (struct vt_image_said){0};
    if (!text)
        return vt_error_memory(error, "the image's lines");
    memcpy(text, data, size);
    text[size] = '\0';
    int status = read_lines(&r, text, size);
    free(text);
    if (status == 0)
        status = check_whole(&r);
    return status == 0 ? add_lost(said, error) : status;
}

void vt_image_release(struct vt_image_said *said)
{
    free(said->dump);
    free(said->cases);
    free(said->rows);
    said->dump = NULL;
    said->rows = NULL;
    said->cases = NULL;
}
