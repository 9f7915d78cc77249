/* What is followed by blocks is recorded as if each instruction had been told by itself. */
#include "lab/profile/follow.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The guest's batch and its function; the hypervisor far above, or, where it runs in another, there too. */
enum { BEGIN = 0x1000, END = 0x1010, BODY = 0x2000, BATCHES = 60, TURNS = 40 };
#define HOST UINT64_C(0xffff0000)

static const struct {
    const char *bytes;
    size_t size;
} codes[] = {
    [VT_FLOW_NEXT] = {"\x50", 1},         [VT_FLOW_SURE] = {"\x90", 1},
    [VT_FLOW_JUMP] = {"\xeb\x00", 2},     [VT_FLOW_RETURN] = {"\xc3", 1},
    [VT_FLOW_RDTSC] = {"\x0f\x31", 2},    [VT_FLOW_VMRUN] = {"\x0f\x01\xd8", 3},
    [VT_FLOW_CALL] = {"\xe8\0\0\0\0", 5}, [VT_FLOW_LEAVE] = {"\xcf", 1},
};

/* "rnsn": an RDTSC, one that may fault, one that may not, and another one that may. */
static enum vt_flow flow_of(char letter)
{
    static const char letters[] = "nsjtrvcl";
    static const enum vt_flow flows[] = {VT_FLOW_NEXT,  VT_FLOW_SURE,  VT_FLOW_JUMP, VT_FLOW_RETURN,
                                         VT_FLOW_RDTSC, VT_FLOW_VMRUN, VT_FLOW_CALL, VT_FLOW_LEAVE};
    return flows[strchr(letters, letter) - letters];
}

struct recorded {
    struct vt_record *record;
    FILE *stream;
    char *text;
    size_t size;
};

struct made {
    uint64_t address, memory;
    const char *letters;
    const struct vt_block *block;
};

/* One machine, told twice. */
struct machine {
    struct recorded single, followed;
    struct vt_follow *follow;
    uint64_t reached;
    struct made made[64];
    size_t made_count;
    uint64_t memory;
    uint32_t lot;
};

static void open_recorded(struct recorded *recorded, const struct vt_record_places *places)
{
    recorded->stream = open_memstream(&recorded->text, &recorded->size);
    recorded->record = vt_record_open(places, recorded->stream);
    ck_assert_ptr_nonnull(recorded->record);
}

static void open_machine(struct machine *machine, const struct vt_record_places *places)
{
    *machine = (struct machine){.lot = 1};
    open_recorded(&machine->single, places);
    open_recorded(&machine->followed, places);
    machine->follow = vt_follow_open(machine->followed.record, &machine->reached);
    ck_assert_ptr_nonnull(machine->follow);
}

static void close_recorded(struct recorded *recorded)
{
    vt_record_close(recorded->record);
    fclose(recorded->stream);
}

/* Both say the same. */
static void close_machine(struct machine *machine)
{
    vt_follow_pause(machine->follow);
    vt_follow_close(machine->follow);
    close_recorded(&machine->single);
    close_recorded(&machine->followed);
    ck_assert_str_eq(machine->followed.text, machine->single.text);
    free(machine->single.text);
    free(machine->followed.text);
}

static const struct vt_instruction *know(struct recorded *recorded, const struct machine *machine,
                                         uint64_t address, char letter)
{
    enum vt_flow flow = flow_of(letter);
    return vt_record_instruction_in(recorded->record, address, machine->memory,
                                    (const uint8_t *)codes[flow].bytes, codes[flow].size);
}

static const struct vt_block *translate(struct machine *machine, uint64_t address, const char *letters)
{
    const struct vt_instruction *known[32];
    struct made *made = machine->made;
    size_t count = strlen(letters);

    for (size_t i = 0; i < machine->made_count; i++, made++)
        if (made->address == address && made->memory == machine->memory &&
            strcmp(made->letters, letters) == 0)
            return made->block;
    for (size_t i = 0; i < count; i++) {
        known[i] = know(&machine->followed, machine, address, letters[i]);
        address += known[i]->size;
    }
    ck_assert_uint_lt(machine->made_count, 64);
    *made = (struct made){known[0]->address, machine->memory, letters,
                          vt_follow_block(machine->follow, known, count)};
    ck_assert_ptr_nonnull(made->block);
    machine->made_count++;
    return made->block;
}

/* The first `stretches` of a block; where the rest of it begins. */
static uint64_t run_some(struct machine *machine, uint64_t address, const char *letters, size_t stretches)
{
    const struct vt_block *block = translate(machine, address, letters);
    size_t count = 0;

    ck_assert_uint_le(stretches, block->count);
    vt_follow_begin(machine->follow, block);
    machine->reached += stretches - 1;
    for (size_t i = 0; i < stretches; i++)
        count += block->stretches[i].count;
    for (size_t i = 0; i < count; i++) {
        struct vt_stretch stretch = {.count = 0};
        vt_record_extend(&stretch, know(&machine->single, machine, address, letters[i]));
        vt_record_execute(machine->single.record, &stretch);
        address = stretch.behind;
    }
    return address;
}

static uint64_t run(struct machine *machine, uint64_t address, const char *letters)
{
    return run_some(machine, address, letters, translate(machine, address, letters)->count);
}

/* A number below `count`. */
static uint32_t draw(struct machine *machine, uint32_t count)
{
    machine->lot = machine->lot * 1103515245u + 12345u;
    return (machine->lot >> 16) % count;
}

static void enter(struct machine *machine)
{
    run(machine, HOST, "nsv");
}

/* From behind the VMRUN to it, one of some ways, and one of those with a fault halfway. */
static void answer(struct machine *machine)
{
    uint32_t way = draw(machine, 10);

    run(machine, HOST + 5, "snnc");
    if (way < 7) {
        run(machine, HOST + 0x100, "nsssnt");
    } else if (way == 7) {
        run(machine, HOST + 0x100, "nsssnt");
        run(machine, HOST + 0x200, "nj");
        run(machine, HOST + 0x200, "nj");
    } else if (way == 8) {
        uint64_t at = run_some(machine, HOST + 0x100, "nsssnt", 2);
        run(machine, HOST + 0x300, "nnl");
        run(machine, at - 1, "nt");
    } else {
        run(machine, HOST + 0x100, "ns"); /* as far as a budget of instructions went */
        run(machine, HOST + 0x102, "ssnt");
    }
    enter(machine);
}

/* The upper of two hypervisors answers, and the lower one what that does. */
static void answer_above(struct machine *machine, uint64_t memory)
{
    machine->memory = memory;
    answer(machine);
    machine->memory = memory + 1;
    run(machine, HOST + 5, "snnc");
    run_some(machine, HOST + 0x100, "nsssnt", 2); /* its second stretch exits */
    machine->memory = memory;
    answer(machine);
    machine->memory = memory + 1;
    run(machine, HOST + 0x105, "t");
    enter(machine);
    machine->memory = memory;
    answer(machine);
}

static void answer_alone(struct machine *machine, uint64_t memory)
{
    machine->memory = memory;
    answer(machine);
    if (draw(machine, 8) == 0) /* the guest is left before it executes anything */
        answer(machine);
}

static void batch(struct machine *machine, void (*answer_it)(struct machine *machine, uint64_t memory))
{
    machine->memory = 0;
    run(machine, BEGIN, "r");
    run(machine, BEGIN + 2, "c");
    run(machine, BODY, "n");
    for (int i = 0; i < TURNS; i++) {
        run_some(machine, BODY + 1, "snnsj", 1 + draw(machine, 2)); /* exits, at one of two instructions */
        answer_it(machine, 8);
        machine->memory = 0;
        run(machine, BODY + 3, "nsj");
    }
    run(machine, BODY + 7, "t");
    run(machine, END, "r");
    machine->memory = 8;
    run(machine, HOST + 5, "snnc"); /* what is executed between two batches */
    enter(machine);
}

static void run_batches(struct machine *machine, void (*answer_it)(struct machine *machine, uint64_t memory))
{
    machine->memory = 8;
    enter(machine);
    for (int i = 0; i < BATCHES; i++)
        batch(machine, answer_it);
}

START_TEST(a_hypervisors_ways_are_recorded_as_they_came)
{
    static const struct vt_record_places places = {.begin = BEGIN, .end = END};
    struct machine machine;

    open_machine(&machine, &places);
    run_batches(&machine, answer_alone);
    ck_assert_uint_gt(machine.single.size, 100);
    close_machine(&machine);
}
END_TEST

START_TEST(those_of_a_guest_that_is_known_by_its_addresses_too)
{
    static const struct vt_record_places places = {.begin = BEGIN, .end = END, .high = 0x4000};
    struct machine machine;

    open_machine(&machine, &places);
    run_batches(&machine, answer_alone);
    close_machine(&machine);
}
END_TEST

START_TEST(and_those_of_two_hypervisors)
{
    static const struct vt_record_places places = {.begin = BEGIN, .end = END, .high = 0x4000, .deep = 1};
    struct machine machine;

    open_machine(&machine, &places);
    run_batches(&machine, answer_above);
    close_machine(&machine);
}
END_TEST

/* Four blocks an exit, of which the first is looked at each time: three compared, from the second exit on. */
START_TEST(a_way_that_was_gone_before_is_only_compared)
{
    static const struct vt_record_places places = {.begin = BEGIN, .end = END};
    struct machine machine;

    open_machine(&machine, &places);
    enter(&machine);
    run(&machine, BEGIN, "r");
    run(&machine, BEGIN + 2, "c");
    run(&machine, BODY, "n");
    for (int i = 0; i < TURNS; i++) {
        run_some(&machine, BODY + 1, "snnsj", 1);
        run(&machine, HOST + 5, "snnc");
        run(&machine, HOST + 0x100, "nsssnt");
        run(&machine, HOST + 0x200, "nj");
        enter(&machine);
        run(&machine, BODY + 3, "nsj");
    }
    run(&machine, BODY + 7, "t");
    run(&machine, END, "r");
    vt_follow_pause(machine.follow);
    ck_assert_uint_eq(vt_follow_compared(machine.follow), 3 * (TURNS - 1));
    close_machine(&machine);
}
END_TEST

/* The emulator may translate again what it has forgotten: other blocks of the same instructions. */
START_TEST(translating_again_changes_nothing)
{
    static const struct vt_record_places places = {.begin = BEGIN, .end = END};
    struct machine machine;

    open_machine(&machine, &places);
    run_batches(&machine, answer_alone);
    machine.made_count = 0;
    run_batches(&machine, answer_alone);
    vt_follow_pause(machine.follow);
    machine.made_count = 0;
    run_batches(&machine, answer_alone);
    close_machine(&machine);
}
END_TEST

VT_SUITE(a_hypervisors_ways_are_recorded_as_they_came, those_of_a_guest_that_is_known_by_its_addresses_too,
         and_those_of_two_hypervisors, a_way_that_was_gone_before_is_only_compared,
         translating_again_changes_nothing)
