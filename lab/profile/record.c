#include "lab/profile/record.h"
#include "guest/abi.h"

#include <stdlib.h>
#include <string.h>

enum {
    INSTRUCTION_BUCKETS = 1 << 16,
    SEGMENT_BUCKETS = 1 << 16,
    MOST_RUNS = 1 << 22,  /* of one segment */
    MOST_KEPT = 1 << 24,  /* of all segments */
    MOST_EXITS = 1 << 20, /* of one batch */
    BLOCK = 1024,         /* instructions that are allocated at once */
    MOST_BLOCKS = 4096,
};

/* Instructions that followed one another in memory. */
struct run {
    const struct vt_instruction *start;
    uint32_t count, level; /* level 1: of the upper of two hypervisors */
};

/* What was executed from leaving the guest to entering it again. The first run is the guest's last
 * instruction, which is among the guest's as well: whether it was executed, what follows tells. */
struct segment {
    struct run *runs;
    size_t count;
    uint64_t hash;
    int64_t number;
    struct segment *next; /* in its bucket */
};

/* The guest executed `before` instructions, then the segment came; -1: the batch ended. */
struct leg {
    uint64_t before;
    int64_t segment;
};

struct block {
    struct block *next;
    size_t used;
    struct vt_instruction all[BLOCK];
};

struct vt_record {
    uint64_t expected;                 /* the address after the last one ... */
    struct run *open;                  /* ... which goes on with this; NULL: what comes is not as simple */
    const struct vt_instruction *last; /* executed */
    struct vt_record_places places;
    FILE *out;
    struct vt_instruction *instructions[INSTRUCTION_BUCKETS];
    struct block *blocks; /* newest first */
    size_t block_count;
    uint32_t told;
    struct segment *segments[SEGMENT_BUCKETS];
    int64_t segment_count;
    size_t kept;
    /* The batch at hand. */
    bool inside, failed;
    uint64_t target, guest; /* guest: executed there since the last segment */
    struct leg *legs;
    size_t leg_count;
    /* The segment at hand; no runs: the guest runs. */
    struct run *runs;
    size_t run_count;
    uint64_t vmrun_end; /* where a hypervisor goes on when its guest left; 0: none seen */
    bool in_guest;
    /* Of two hypervisors the lower one: where it goes on, and which runs. */
    const struct vt_instruction *exit;
    uint32_t level;
};

struct vt_record *vt_record_open(const struct vt_record_places *places, FILE *out)
{
    struct vt_record *record = calloc(1, sizeof *record);

    if (!record)
        return NULL;
    record->places = *places;
    record->out = out;
    record->runs = malloc(MOST_RUNS * sizeof *record->runs);
    record->legs = malloc(MOST_EXITS * sizeof *record->legs);
    fputs("r\n", out);
    if (record->runs && record->legs)
        return record;
    vt_record_close(record);
    return NULL;
}

void vt_record_close(struct vt_record *record)
{
    for (size_t i = 0; i < SEGMENT_BUCKETS; i++)
        for (struct segment *segment = record->segments[i], *next; segment; segment = next) {
            next = segment->next;
            free(segment->runs);
            free(segment);
        }
    for (struct block *block = record->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(record->runs);
    free(record->legs);
    free(record);
}

static size_t bucket_of(uint64_t address)
{
    return (size_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> 48) % INSTRUCTION_BUCKETS;
}

bool vt_record_is_full(const struct vt_record *record)
{
    return record->blocks && record->blocks->used == BLOCK && record->block_count == MOST_BLOCKS;
}

static struct vt_instruction *new_instruction(struct vt_record *record)
{
    if (!record->blocks || record->blocks->used == BLOCK) {
        struct block *made = vt_record_is_full(record) ? NULL : calloc(1, sizeof *made);
        if (!made)
            return NULL;
        made->next = record->blocks;
        record->blocks = made;
        record->block_count++;
    }
    return &record->blocks->all[record->blocks->used++];
}

const struct vt_instruction *vt_record_instruction_in(struct vt_record *record, uint64_t address,
                                                      uint64_t where, const uint8_t *bytes, size_t size)
{
    struct vt_instruction **bucket = &record->instructions[bucket_of(address)], *other = NULL;
    uint8_t flow = (uint8_t)vt_flow_of(bytes, size);

    for (struct vt_instruction *known = *bucket; known; known = known->next) {
        if (known->address != address || known->where != where)
            continue;
        if (known->size == size && known->flow == flow)
            return known;
        other = known;
    }
    struct vt_instruction *made = new_instruction(record);
    if (!made)
        return NULL;
    *made = (struct vt_instruction){.address = address,
                                    .where = where,
                                    .size = (uint8_t)size,
                                    .flow = flow,
                                    .varies = other != NULL,
                                    .next = *bucket};
    if (other)
        other->varies = true;
    return *bucket = made;
}

const struct vt_instruction *vt_record_instruction(struct vt_record *record, uint64_t address,
                                                   const uint8_t *bytes, size_t size)
{
    return vt_record_instruction_in(record, address, 0, bytes, size);
}

/* The one that stands behind it, as it was executed. */
static struct vt_instruction *behind(const struct vt_record *record, const struct vt_instruction *instruction)
{
    uint64_t address = instruction->address + instruction->size;
    struct vt_instruction *known = record->instructions[bucket_of(address)];

    while (known && (known->address != address || known->where != instruction->where))
        known = known->next;
    return known;
}

static void tell_instruction(struct vt_record *record, struct vt_instruction *instruction)
{
    if (instruction->number)
        return;
    instruction->number = ++record->told;
    fprintf(record->out, "i %llx %u %u", (unsigned long long)instruction->address, instruction->size,
            instruction->flow);
    if (record->places.deep)
        fprintf(record->out, " %llx", (unsigned long long)instruction->where);
    putc('\n', record->out);
}

static void tell_run(struct vt_record *record, const struct run *run)
{
    struct vt_instruction *at = (struct vt_instruction *)run->start;

    tell_instruction(record, at);
    for (uint32_t k = 1; k < run->count && (at = behind(record, at)); k++)
        tell_instruction(record, at);
}

static void tell_segment(struct vt_record *record, const struct segment *segment)
{
    for (size_t i = 0; i < segment->count; i++)
        tell_run(record, &segment->runs[i]);
    fputs("s", record->out);
    for (size_t i = 0; i < segment->count; i++)
        fprintf(record->out, segment->runs[i].level ? " %u:%u:1" : " %u:%u", segment->runs[i].start->number,
                segment->runs[i].count);
    putc('\n', record->out);
}

static uint64_t hash_runs(const struct run *runs, size_t count)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ ((uint64_t)(uintptr_t)runs[i].start * 31 + runs[i].count + runs[i].level * 17)) *
               UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static bool same_runs(const struct segment *segment, const struct run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (segment->runs[i].start != runs[i].start || segment->runs[i].count != runs[i].count ||
            segment->runs[i].level != runs[i].level)
            return false;
    return true;
}

static struct segment *keep_segment(struct vt_record *record, struct segment **bucket, uint64_t hash)
{
    struct segment *made = record->kept + record->run_count <= MOST_KEPT ? calloc(1, sizeof *made) : NULL;

    if (made)
        made->runs = malloc(record->run_count * sizeof *made->runs);
    if (!made || !made->runs) {
        free(made);
        return NULL;
    }
    memcpy(made->runs, record->runs, record->run_count * sizeof *made->runs);
    made->count = record->run_count;
    made->hash = hash;
    made->number = record->segment_count++;
    made->next = *bucket;
    *bucket = made;
    record->kept += made->count;
    tell_segment(record, made);
    return made;
}

/* The number of the segment at hand. -1: there is no room for it. */
static int64_t number_segment(struct vt_record *record)
{
    uint64_t hash = hash_runs(record->runs, record->run_count);
    struct segment **bucket = &record->segments[hash % SEGMENT_BUCKETS], *segment = *bucket;

    while (segment && (segment->hash != hash || segment->count != record->run_count ||
                       !same_runs(segment, record->runs, record->run_count)))
        segment = segment->next;
    if (!segment)
        segment = keep_segment(record, bucket, hash);
    return segment ? segment->number : -1;
}

static void add_leg(struct vt_record *record, int64_t segment)
{
    if (record->leg_count == MOST_EXITS) {
        record->failed = true;
        return;
    }
    record->legs[record->leg_count++] = (struct leg){record->guest, segment};
    record->guest = 0;
}

static void close_segment(struct vt_record *record)
{
    int64_t number = number_segment(record);

    record->failed |= number < 0;
    record->run_count = 0;
    add_leg(record, number);
}

static void tell_batch(struct vt_record *record)
{
    fprintf(record->out, "b %llx %d", (unsigned long long)record->target, record->failed);
    for (size_t i = 0, next; i < record->leg_count; i = next) {
        const struct leg *leg = &record->legs[i];
        for (next = i + 1; next < record->leg_count && record->legs[next].before == leg->before &&
                           record->legs[next].segment == leg->segment;)
            next++;
        fprintf(record->out, " %llu:%lld:%zu", (unsigned long long)leg->before, (long long)leg->segment,
                next - i);
    }
    putc('\n', record->out);
    fflush(record->out);
}

static void begin_batch(struct vt_record *record)
{
    record->inside = true;
    record->failed = false;
    record->in_guest = true;
    record->target = record->guest = 0;
    record->leg_count = record->run_count = 0;
}

static void end_batch(struct vt_record *record)
{
    add_leg(record, -1);
    record->inside = false;
    tell_batch(record);
}

/* #DE and #PF are raised by what executes an instruction, which is not counted then; others by what decodes
 * it. */
static bool is_restarted(const struct vt_record *record, const struct vt_instruction *entry)
{
    enum { DIVIDE_ERROR = 0, PAGE_FAULT = 14 };
    uint64_t offset = entry->address - record->places.stubs;
    const struct vt_instruction *last = record->last;

    return record->places.stubs && offset % VT_STUB_SIZE == 0 &&
           (offset / VT_STUB_SIZE == DIVIDE_ERROR || offset / VT_STUB_SIZE == PAGE_FAULT) &&
           last->flow == VT_FLOW_NEXT && entry->address != last->address + last->size;
}

/* Stopped by #VMEXIT, for a stack that was not there say; a jump to itself is taken again. */
static bool is_begun_again(const struct vt_record *record, const struct vt_instruction *instruction)
{
    return !record->places.high && record->runs[0].start == instruction &&
           instruction->flow != VT_FLOW_JUMP && vt_flow_leads_away(instruction->flow);
}

/* What it leaves for then is no way of a hypervisor's, and may last until the next batch. */
static void drop_batch(struct vt_record *record)
{
    record->inside = false;
    record->run_count = 0;
}

static void execute_in_guest(struct vt_record *record, const struct vt_instruction *instruction)
{
    if (record->places.lost && instruction->address == record->places.lost) {
        drop_batch(record);
        return;
    }
    bool again = record->run_count && is_begun_again(record, instruction);

    if (record->run_count)
        close_segment(record);
    else if (record->guest && is_restarted(record, instruction))
        record->guest--;
    record->guest += !again;
    if (!record->target &&
        (instruction->address < record->places.begin || instruction->address > record->places.end))
        record->target = instruction->address;
    if (instruction->address == record->places.end && instruction->flow == VT_FLOW_RDTSC)
        end_batch(record);
}

static void start_run(struct vt_record *record, const struct vt_instruction *instruction)
{
    if (record->run_count == MOST_RUNS) {
        record->failed = true;
        record->run_count = 1;
    }
    record->runs[record->run_count++] = (struct run){instruction, 1, record->level};
}

static void execute_outside(struct vt_record *record, const struct vt_instruction *instruction)
{
    const struct vt_instruction *last = record->last;
    bool first = record->run_count == 0;

    if (first)
        start_run(record, last); /* at level 0, where the guest is left to */
    if (!first && record->run_count > 1 && instruction->address == last->address + last->size &&
        !instruction->varies && instruction->where == last->where &&
        record->runs[record->run_count - 1].level == record->level)
        record->runs[record->run_count - 1].count++;
    else
        start_run(record, instruction);
    record->open = instruction->flow == VT_FLOW_VMRUN ? NULL : &record->runs[record->run_count - 1];
    record->expected = instruction->address + instruction->size;
}

static bool is_guests(struct vt_record *record, const struct vt_instruction *instruction)
{
    if (record->places.high)
        return instruction->address >= record->places.low && instruction->address < record->places.high;
    if (instruction->address == record->vmrun_end)
        record->in_guest = false;
    else if (!record->in_guest && record->last->flow == VT_FLOW_VMRUN)
        record->in_guest = true;
    return record->in_guest;
}

/*
 * Whose instruction it is. The upper one's are what the lower one's VMRUN starts, and end where that goes on:
 * at an address that both have, but in its own memory. The guest is left to the lower one.
 */
static uint32_t level_of(struct vt_record *record, const struct vt_instruction *instruction)
{
    if (record->run_count == 0) {
        record->exit = instruction;
        return 0;
    }
    if (instruction == record->exit)
        return 0;
    return record->level || record->last->flow == VT_FLOW_VMRUN;
}

static bool is_plain(const struct vt_instruction *instruction)
{
    return instruction->flow != VT_FLOW_RDTSC && instruction->flow != VT_FLOW_VMRUN;
}

static void execute_any(struct vt_record *record, const struct vt_instruction *instruction)
{
    bool begins = instruction->address == record->places.begin && instruction->flow == VT_FLOW_RDTSC;
    bool guests = record->inside && !begins && is_guests(record, instruction);

    record->open = NULL;
    /* A guest may be a hypervisor itself: its own VMRUN is one more instruction that exits. */
    if (instruction->flow == VT_FLOW_VMRUN && !guests)
        record->vmrun_end = instruction->address + instruction->size;
    if (record->places.deep && record->inside && !begins)
        record->level = guests ? 0 : level_of(record, instruction);
    if (begins)
        begin_batch(record);
    else if (!record->inside)
        return;
    else if (guests)
        execute_in_guest(record, instruction);
    else
        execute_outside(record, instruction);
    record->last = instruction;
}

/* QEMU leaves one that crosses a page for the next block, and yet lists with this one what it saw of it: any
 * size. And a stretch lies in one page. */
static bool may_cross_page(const struct vt_instruction *instruction)
{
    enum { PAGE = 4096, LONGEST = 15 };
    return instruction->address % PAGE > PAGE - LONGEST || instruction->address % PAGE == 0;
}

bool vt_record_extend(struct vt_stretch *stretch, const struct vt_instruction *next)
{
    if (stretch->count && (stretch->last->flow != VT_FLOW_SURE || stretch->last->varies || next->varies ||
                           !is_plain(next) || next->address != stretch->behind || may_cross_page(next)))
        return false;
    if (stretch->count++ == 0)
        stretch->first = next;
    stretch->last = next;
    stretch->behind = next->address + next->size;
    return true;
}

/* All but the first, which was executed. */
static void execute_rest(struct vt_record *record, const struct vt_stretch *stretch)
{
    if (record->open) {
        record->open->count += stretch->count - 1;
        record->expected = stretch->behind;
    } else {
        record->guest += stretch->count - 1;
    }
    record->last = stretch->last;
}

/* Called some hundred million times: most of it follows another one outside the guest, or no batch runs. */
void vt_record_execute(struct vt_record *record, const struct vt_stretch *stretch)
{
    const struct vt_instruction *first = stretch->first;

    if (record->open && first->address == record->expected && is_plain(first) && !first->varies &&
        first->where == record->last->where) {
        record->open->count += stretch->count;
        record->expected = stretch->behind;
        record->last = stretch->last;
    } else if (record->inside || !is_plain(first)) {
        execute_any(record, first);
        if (record->inside && stretch->count > 1)
            execute_rest(record, stretch);
    }
}
