/* From what a processor executes to functions: a small machine whose hypervisor is known to the instruction.
 */
#include "base/error.h"
#include "guest/catalogue.h"
#include "lab/image.h"
#include "lab/profile/elf.h"
#include "lab/profile/places.h"
#include "lab/profile/record.h"
#include "lab/profile/row.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The guest's batch and its two functions; the hypervisor far above. */
enum { BEGIN = 0x1000, END = 0x1010, BODY = 0x2000, BASELINE = 0x3000 };
#define HOST UINT64_C(0xffff0000)

static const char symbols_text[] = "ffff0000 T enter\n" /* VMRUN at its end */
                                   "ffff0100 t handle\tkvm\n"
                                   "ffff0100 T handle_exit\t[kvm]\n"
                                   "ffff0200 t decode\t[kvm]\n"
                                   "ffff0300 T asm_sysvec_timer\n"
                                   "ffff0400 t handle_exit.cold\t[kvm]\n"
                                   "ffff0500 T asm_exc_page_fault\n"
                                   "ffff0600 T interrupt_window_interception\t[kvm]\n"
                                   "ffff0700 T behind\n";

struct machine {
    struct vt_record *record;
    char *text;
    size_t size;
    FILE *stream;
};

static void open_machine(struct machine *machine)
{
    static const struct vt_record_places places = {.begin = BEGIN, .end = END};

    *machine = (struct machine){0};
    machine->stream = open_memstream(&machine->text, &machine->size);
    machine->record = vt_record_open(&places, machine->stream);
    ck_assert_ptr_nonnull(machine->record);
}

static void close_machine(struct machine *machine)
{
    vt_record_close(machine->record);
    fclose(machine->stream);
}

static const char *const codes[] = {
    [VT_FLOW_NEXT] = "\x50",      [VT_FLOW_JUMP] = "\xeb\x00",      [VT_FLOW_CALL] = "\xe8\x00\x00\x00\x00",
    [VT_FLOW_RETURN] = "\xc3",    [VT_FLOW_VMRUN] = "\x0f\x01\xd8", [VT_FLOW_UNDEFINED] = "\x0f\x0b",
    [VT_FLOW_RDTSC] = "\x0f\x31", [VT_FLOW_LEAVE] = "\xcf",         [VT_FLOW_IO] = "\xee",
    [VT_FLOW_SURE] = "\x90",
};
static const size_t sizes[] = {
    [VT_FLOW_NEXT] = 1,  [VT_FLOW_JUMP] = 2,      [VT_FLOW_CALL] = 5,  [VT_FLOW_RETURN] = 1,
    [VT_FLOW_VMRUN] = 3, [VT_FLOW_UNDEFINED] = 2, [VT_FLOW_RDTSC] = 2, [VT_FLOW_LEAVE] = 1,
    [VT_FLOW_IO] = 1,    [VT_FLOW_SURE] = 1,
};

static uint64_t run(struct machine *machine, uint64_t address, enum vt_flow flow)
{
    struct vt_stretch stretch = {.count = 0};
    ck_assert(vt_record_extend(&stretch, vt_record_instruction(machine->record, address,
                                                               (const uint8_t *)codes[flow], sizes[flow])));
    vt_record_execute(machine->record, &stretch);
    return address + sizes[flow];
}

/* `count` instructions that do nothing; behind the last. */
static uint64_t idle(struct machine *machine, uint64_t address, int count)
{
    for (int i = 0; i < count; i++)
        address = run(machine, address, VT_FLOW_NEXT);
    return address;
}

/* Into the guest: 3 instructions of `enter`. */
static void enter(struct machine *machine)
{
    run(machine, idle(machine, HOST, 2), VT_FLOW_VMRUN);
}

/* What is between leaving and entering: `enter` after its VMRUN 1, handle_exit 4 + `extra`, its call of
 * decode 3. */
static void handle(struct machine *machine, int extra)
{
    uint64_t back = run(machine, HOST + 5, VT_FLOW_CALL);
    uint64_t behind = run(machine, idle(machine, HOST + 0x100, 1 + extra), VT_FLOW_CALL);
    run(machine, idle(machine, HOST + 0x200, 2), VT_FLOW_RETURN);
    run(machine, idle(machine, behind, 1), VT_FLOW_RETURN);
    run(machine, back, VT_FLOW_JUMP);
    enter(machine);
}

/* One batch: `exits` instructions that exit, in a loop of two. */
static void batch(struct machine *machine, uint64_t function, int exits, void (*answer)(struct machine *))
{
    enter(machine);
    run(machine, BEGIN, VT_FLOW_RDTSC);
    run(machine, BEGIN + 2, VT_FLOW_CALL);
    run(machine, function, VT_FLOW_NEXT);
    for (int i = 0; i < 10; i++) {
        if (exits) {
            run(machine, function + 1, VT_FLOW_NEXT); /* intercepted: executed by nobody */
            answer(machine);
        }
        idle(machine, function + 2, 2);
    }
    run(machine, function + 4, VT_FLOW_RETURN);
    run(machine, END, VT_FLOW_RDTSC);
}

static void plain_answer(struct machine *machine)
{
    handle(machine, 0);
}

static void longer_answer(struct machine *machine)
{
    handle(machine, 7);
}

struct read {
    struct vt_capture capture;
    struct vt_symbols symbols;
    struct vt_replay replay;
};

static void read_all(struct read *read, struct machine *machine)
{
    struct vt_error error;

    close_machine(machine);
    ck_assert_int_eq(vt_capture_read(&read->capture, machine->text, &error), 0);
    ck_assert_int_eq(vt_symbols_read(&read->symbols, strdup(symbols_text)), 0);
    ck_assert_int_eq(vt_replay_open(&read->replay, &read->capture, &read->symbols, VT_REPLAY_VIRTUALIZED), 0);
}

static void release(struct read *read, struct machine *machine)
{
    vt_replay_release(&read->replay);
    vt_symbols_release(&read->symbols);
    vt_capture_release(&read->capture);
    free(machine->text);
}

static const struct vt_profile_function *find(const struct vt_profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->function_count; i++)
        if (strcmp(profile->functions[i].name, name) == 0)
            return &profile->functions[i];
    return NULL;
}

static void ck_function(const struct vt_profile *profile, const char *name, int64_t self, int64_t inclusive)
{
    const struct vt_profile_function *function = find(profile, name);
    ck_assert_msg(function, "%s is not there", name);
    ck_assert_int_eq(function->self, self);
    ck_assert_int_eq(function->inclusive, inclusive);
}

static void subtract(struct vt_profile *profile, struct read *read)
{
    ck_assert_uint_eq(read->capture.batch_count, 2);
    const struct vt_profile_pair pair = {&read->capture.batches[0], &read->capture.batches[1]};
    ck_assert_int_eq(vt_profile_subtract(profile, &read->replay, &pair, 1), 0);
}

/* The profile of ten exits that are answered so. */
struct told {
    struct machine machine;
    struct read read;
    struct vt_profile profile;
};

static void tell(struct told *told, void (*answer)(struct machine *))
{
    open_machine(&told->machine);
    batch(&told->machine, BODY, 1, answer);
    batch(&told->machine, BASELINE, 0, NULL);
    read_all(&told->read, &told->machine);
    subtract(&told->profile, &told->read);
}

static void forget(struct told *told)
{
    vt_profile_release(&told->profile);
    release(&told->read, &told->machine);
}

START_TEST(every_instruction_has_its_function)
{
    struct told told;

    tell(&told, plain_answer);
    /* Of `enter` the call and the jump behind VMRUN and 3 up to it; the intercepted instruction is nobody's.
     */
    ck_function(&told.profile, "enter", 10 * 5, 10 * 12);
    ck_function(&told.profile, "handle_exit", 10 * 4, 10 * 7);
    ck_function(&told.profile, "decode", 10 * 3, 10 * 3);
    ck_assert_int_eq(told.profile.sum, 10 * 12);
    ck_assert_int_eq(told.profile.unattributed, 0);
    /* Chains begin with the function that called all others. */
    ck_assert_uint_eq(told.profile.stack_count, 3);
    ck_assert_int_eq(told.profile.stacks[0].parent, -1);
    ck_assert_str_eq(told.profile.functions[told.profile.stacks[0].function].name, "enter");
    ck_assert_int_eq(told.profile.stacks[2].parent, 1);
    forget(&told);
}
END_TEST

/* A guest that is a hypervisor: what it starts its guest with exits, as any other does. */
START_TEST(a_guests_own_vmrun_is_no_way_into_it)
{
    struct machine machine;
    struct read read;
    struct vt_profile profile;

    open_machine(&machine);
    enter(&machine);
    run(&machine, BEGIN, VT_FLOW_RDTSC);
    run(&machine, BEGIN + 2, VT_FLOW_CALL);
    run(&machine, BODY, VT_FLOW_NEXT);
    for (int i = 0; i < 10; i++) {
        run(&machine, BODY + 1, VT_FLOW_NEXT); /* exits */
        plain_answer(&machine);
        run(&machine, BODY + 2, VT_FLOW_VMRUN); /* the first that the guest executes */
        plain_answer(&machine);
        idle(&machine, BODY + 5, 2);
    }
    run(&machine, BODY + 7, VT_FLOW_RETURN);
    run(&machine, END, VT_FLOW_RDTSC);
    batch(&machine, BASELINE, 0, NULL);
    read_all(&read, &machine);
    subtract(&profile, &read);
    ck_function(&profile, "enter", 20 * 5, 20 * 12);
    ck_function(&profile, "handle_exit", 20 * 4, 20 * 7);
    ck_assert_ptr_null(find(&profile, "guest"));
    ck_assert_int_eq(profile.sum, 20 * 12);
    vt_profile_release(&profile);
    release(&read, &machine);
}
END_TEST

START_TEST(a_longer_handler_is_longer_by_that)
{
    struct told told;

    tell(&told, longer_answer);
    ck_function(&told.profile, "handle_exit", 10 * 11, 10 * 14);
    ck_function(&told.profile, "decode", 10 * 3, 10 * 3);
    forget(&told);
}
END_TEST

/* handle_exit jumps to its cold part, which jumps to decode, which returns for all of them. */
static void tail_answer(struct machine *machine)
{
    uint64_t back = run(machine, HOST + 5, VT_FLOW_CALL);
    run(machine, idle(machine, HOST + 0x100, 1), VT_FLOW_JUMP);
    run(machine, idle(machine, HOST + 0x400, 2), VT_FLOW_JUMP);
    run(machine, idle(machine, HOST + 0x200, 2), VT_FLOW_RETURN);
    run(machine, back, VT_FLOW_JUMP);
    enter(machine);
}

START_TEST(a_jump_to_another_function_takes_its_place)
{
    struct told told;

    tell(&told, tail_answer);
    ck_function(&told.profile, "handle_exit", 10 * 5, 10 * 5);
    ck_function(&told.profile, "decode", 10 * 3, 10 * 3);
    ck_function(&told.profile, "enter", 10 * 5, 10 * 13);
    forget(&told);
}
END_TEST

/* A timer between two of handle_exit's instructions, and a page fault of one that is executed again. */
static void interrupted_answer(struct machine *machine)
{
    uint64_t back = run(machine, HOST + 5, VT_FLOW_CALL);
    uint64_t at = idle(machine, HOST + 0x100, 1);
    run(machine, idle(machine, HOST + 0x300, 4), VT_FLOW_LEAVE);
    run(machine, at, VT_FLOW_NEXT);
    run(machine, idle(machine, HOST + 0x500, 2), VT_FLOW_LEAVE);
    run(machine, idle(machine, at, 1), VT_FLOW_RETURN);
    run(machine, back, VT_FLOW_JUMP);
    enter(machine);
}

START_TEST(interrupts_and_faults_are_told_apart)
{
    struct told told;

    tell(&told, interrupted_answer);
    ck_assert_uint_eq(vt_replay_interrupts(&told.read.replay, &told.read.capture.batches[0]), 10);
    ck_assert_uint_eq(vt_replay_interrupts(&told.read.replay, &told.read.capture.batches[1]), 0);
    ck_function(&told.profile, "asm_sysvec_timer", 10 * 5, 10 * 5);
    ck_function(&told.profile, "asm_exc_page_fault", 10 * 3, 10 * 3);
    ck_function(&told.profile, "handle_exit", 10 * 3, 10 * 11); /* what faulted counts once */
    forget(&told);
}
END_TEST

/* KVM is told when the guest may be interrupted: between two instructions, all of which were executed. */
static void window_answer(struct machine *machine)
{
    uint64_t back = run(machine, HOST + 5, VT_FLOW_CALL);
    run(machine, idle(machine, HOST + 0x600, 1), VT_FLOW_RETURN);
    run(machine, back, VT_FLOW_JUMP);
    enter(machine);
}

START_TEST(an_exit_between_instructions_takes_none_back)
{
    struct told told;

    tell(&told, window_answer);
    ck_function(&told.profile, "guest", 10, 10);
    ck_assert_int_eq(told.profile.sum, 10 * (1 + 5 + 2));
    forget(&told);
}
END_TEST

/* The same where no name tells: STI and a NOP, or IRET, let an interrupt in, for whose window it then exits.
 */
START_TEST(an_exit_behind_an_instruction_takes_none_back)
{
    struct machine machine;
    struct read read;
    struct vt_profile profile;

    open_machine(&machine);
    enter(&machine);
    run(&machine, BEGIN, VT_FLOW_RDTSC);
    run(&machine, BEGIN + 2, VT_FLOW_CALL);
    run(&machine, BODY, VT_FLOW_NEXT);
    for (int i = 0; i < 10; i++) {
        run(&machine, BODY + 1, VT_FLOW_NEXT); /* intercepted */
        plain_answer(&machine);
        run(&machine, BODY + 0x80, VT_FLOW_LEAVE);
        plain_answer(&machine);
        run(&machine, BODY + 0x88, VT_FLOW_SURE);
        plain_answer(&machine);
        run(&machine, BODY + 0x90, VT_FLOW_CALL); /* its stack is not there yet */
        plain_answer(&machine);
        run(&machine, BODY + 0x90, VT_FLOW_CALL);
        idle(&machine, BODY + 2, 2);
    }
    run(&machine, BODY + 4, VT_FLOW_RETURN);
    run(&machine, END, VT_FLOW_RDTSC);
    batch(&machine, BASELINE, 0, NULL);
    read_all(&read, &machine);
    subtract(&profile, &read);
    ck_function(&profile, "guest", 30, 30);
    ck_assert_int_eq(profile.sum, 10 * (3 + 4 * 12));
    vt_profile_release(&profile);
    release(&read, &machine);
}
END_TEST

/* Pairs as labs run them: the row's are found behind those of another one, and the interrupted one is
 * avoided. */
START_TEST(a_row_finds_its_batches)
{
    struct machine machine;
    struct read read;
    struct vt_profile profile;
    static const double bodies[] = {16, 18, 16}, baselines[] = {4, 4, 4};
    struct vt_profile_row row = {.body = BODY,
                                 .baseline = BASELINE,
                                 .alternates = true,
                                 .iterations = 10,
                                 .bodies = bodies,
                                 .baselines = baselines,
                                 .pairs = 3,
                                 .toll = 12};
    size_t cursor = 0;

    open_machine(&machine);
    batch(&machine, BODY, 1, plain_answer);
    batch(&machine, BODY, 1, plain_answer);
    batch(&machine, BASELINE, 0, NULL);
    batch(&machine, BASELINE, 0, NULL);
    batch(&machine, BODY, 1, interrupted_answer);
    batch(&machine, BODY, 1, plain_answer);
    batch(&machine, BASELINE, 0, NULL);
    read_all(&read, &machine);
    ck_assert_int_eq(vt_profile_make(&profile, &read.replay, &cursor, &row), 0);
    ck_assert_uint_eq(cursor, 7);
    ck_assert_int_eq(profile.sum, 120);
    ck_assert_int_eq(profile.interrupts_dropped, 10);
    ck_assert_int_eq(profile.operations, 10);
    vt_profile_release(&profile);
    ck_assert_int_lt(vt_profile_make(&profile, &read.replay, &cursor, &row), 0);
    release(&read, &machine);
}
END_TEST

/* What a timer hit is left out of the toll: the median of the two pairs that are left is their mean. */
START_TEST(two_pairs_in_the_middle_are_one_profile)
{
    struct machine machine;
    struct read read;
    struct vt_profile profile;
    static const double bodies[] = {16, 24, 23}, baselines[] = {4, 4, 4};
    const struct vt_profile_row row = {
        .body = BODY,
        .baseline = BASELINE,
        .iterations = 10,
        .bodies = bodies,
        .baselines = baselines,
        .pairs = 3,
        .toll = 15.5, /* (12 + 19) / 2 */
    };
    size_t cursor = 0;

    open_machine(&machine);
    batch(&machine, BODY, 1, plain_answer);
    batch(&machine, BASELINE, 0, NULL);
    batch(&machine, BODY, 1, interrupted_answer);
    batch(&machine, BASELINE, 0, NULL);
    batch(&machine, BODY, 1, longer_answer);
    batch(&machine, BASELINE, 0, NULL);
    read_all(&read, &machine);
    ck_assert_int_eq(vt_profile_make(&profile, &read.replay, &cursor, &row), 0);
    ck_assert_int_eq(profile.operations, 20);
    ck_assert_int_eq(profile.sum, 310);
    ck_function(&profile, "handle_exit", 10 * 4 + 10 * 11, 10 * 7 + 10 * 14);
    ck_assert_int_eq(profile.interrupts_dropped, 10);
    vt_profile_release(&profile);
    release(&read, &machine);
}
END_TEST

START_TEST(two_recordings_follow_one_another)
{
    struct machine machine, second;
    struct read read;
    struct vt_profile profile;
    char *both;

    open_machine(&machine);
    batch(&machine, BODY, 1, plain_answer);
    close_machine(&machine);
    open_machine(&second);
    batch(&second, BASELINE, 0, NULL);
    batch(&second, BODY, 1, longer_answer);
    close_machine(&second);
    ck_assert_int_gt(asprintf(&both, "%s%s", machine.text, second.text), 0);
    free(machine.text);
    free(second.text);
    machine.text = both;
    struct vt_error error;
    ck_assert_int_eq(vt_capture_read(&read.capture, both, &error), 0);
    ck_assert_int_eq(vt_symbols_read(&read.symbols, strdup(symbols_text)), 0);
    ck_assert_int_eq(vt_replay_open(&read.replay, &read.capture, &read.symbols, VT_REPLAY_VIRTUALIZED), 0);
    ck_assert_uint_eq(read.capture.batch_count, 3);
    const struct vt_profile_pair pair = {&read.capture.batches[2], &read.capture.batches[1]};
    ck_assert_int_eq(vt_profile_subtract(&profile, &read.replay, &pair, 1), 0);
    ck_function(&profile, "handle_exit", 10 * 11, 10 * 14);
    vt_profile_release(&profile);
    release(&read, &machine);
}
END_TEST

static const char *name_at(struct vt_symbols *symbols, uint64_t address)
{
    uint64_t start;
    int32_t function = vt_symbols_find(symbols, address, &start);
    return function < 0 ? NULL : symbols->functions[function].name;
}

START_TEST(symbols_are_functions_and_nothing_else)
{
    struct vt_symbols symbols;
    uint64_t start;
    static const char text[] = "10 T known\n20 d data\n30 t local\n30 T global\n30 W weak\n40 t other.cold\n"
                               "50 T not\x01"
                               "a name\n60 T\nnonsense\n70 t other\n80 T  [vmtoll]\n";

    ck_assert_int_eq(vt_symbols_read(&symbols, strdup(text)), 0);
    ck_assert_int_eq(vt_symbols_find(&symbols, 0xf, &start), VT_SYMBOLS_NONE);
    ck_assert_str_eq(name_at(&symbols, 0x2f), "known");
    ck_assert_str_eq(name_at(&symbols, 0x30), "global");
    ck_assert_int_eq(vt_symbols_find(&symbols, 0x41, &start), vt_symbols_find(&symbols, 0x71, &start));
    ck_assert_str_eq(name_at(&symbols, 0x71), "other");
    int32_t other = vt_symbols_find(&symbols, 0x71, &start);
    ck_assert_str_eq(symbols.functions[other].module, "kernel");
    ck_assert_int_eq(vt_symbols_find(&symbols, 0x81, &start), VT_SYMBOLS_NONE);
    vt_symbols_release(&symbols);
}
END_TEST

START_TEST(a_capture_that_makes_no_sense_is_refused)
{
    static const char *const bad[] = {
        "x\n",
        "i 10 1\n",
        "i 10 16 0\n",
        "i 10 1 99\n",
        "s\n",
        "s 1:1\n",
        "i 10 1 0\ns 2:1\n",
        "i 10 1 0\ns 1:0\n",
        "i 10 1 0\ns 1\n",
        "b 10 0 1:0:1\n",
        "b 10 2 1:-1:1\n",
        "b 10 0 -1:-1:1\n",
        "b 10 0 10000000000000000000:-1:1\n",
        "r\ni 10 1 0\nr\ns 1:1\n",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct vt_capture capture;
        struct vt_error error;
        char *text = strdup(bad[i]);
        ck_assert_msg(vt_capture_read(&capture, text, &error) != 0, "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(error.text, "line"));
        vt_capture_release(&capture);
        free(text);
    }
}
END_TEST

START_TEST(a_batch_without_end_is_not_walked_through)
{
    static const char *const long_ones[] = {
        "b 10 0 1000000001:-1:1\n",
        "i 10 1 0\ns 1:4000000000\nb 10 0 0:0:1\n",
        "i 10 1 0\ns 1:1000\nb 10 0 0:0:400000\n",
        "b 10 0 100000:-1:4000000000\n",
        "b 10 0 90000000:-1:1 90000000:-1:1\n",
    };

    for (size_t i = 0; i < sizeof long_ones / sizeof long_ones[0]; i++) {
        struct vt_capture capture;
        struct vt_error error;
        char *text = strdup(long_ones[i]);
        ck_assert_msg(vt_capture_read(&capture, text, &error) == 0, "%s: %s", long_ones[i], error.text);
        ck_assert_uint_eq(capture.batch_count, 1);
        ck_assert_msg(capture.batches[0].failed, "%s", long_ones[i]);
        vt_capture_release(&capture);
        free(text);
    }
}
END_TEST

/* Each of WIDE functions calls each of as many others. */
enum { WIDE = 100 };

static char *wide_symbols(void)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    for (int i = 0; i < 2 * WIDE; i++)
        fprintf(stream, "%llx T f%d\n", (unsigned long long)(HOST + (uint64_t)i * 16), i);
    fclose(stream);
    return text;
}

/* Of a function that calls: the call and its return, and of one that is called: its return. */
static char *wide_capture(int callers)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    fputs("r\n", stream);
    for (int i = 0; i < 2 * WIDE; i++)
        fprintf(stream, "i %llx %s\n", (unsigned long long)(HOST + (uint64_t)i * 16),
                i < WIDE ? "5 2" : "1 3");
    for (int i = 0; i < WIDE; i++)
        fprintf(stream, "i %llx 1 3\n", (unsigned long long)(HOST + (uint64_t)i * 16 + 5));
    fputs("s 1:1", stream);
    for (int i = 0; i < callers; i++)
        for (int k = 0; k < WIDE; k++)
            fprintf(stream, " %d:1 %d:1 %d:1", i + 1, WIDE + k + 1, 2 * WIDE + i + 1);
    fputs("\nb 2000 0 1:0:1 1:-1:1\nb 3000 0 1:-1:1\n", stream);
    fclose(stream);
    return text;
}

/* As many chains as a machine can make up would fill documents: its row has no profile. */
START_TEST(chains_without_end_are_no_profile)
{
    static const int callers[] = {WIDE / 2, WIDE};

    for (size_t i = 0; i < 2; i++) {
        struct read read;
        struct vt_error error;
        struct vt_profile profile;
        char *text = wide_capture(callers[i]);
        ck_assert_int_eq(vt_capture_read(&read.capture, text, &error), 0);
        ck_assert_int_eq(vt_symbols_read(&read.symbols, wide_symbols()), 0);
        ck_assert_int_eq(vt_replay_open(&read.replay, &read.capture, &read.symbols, 0), 0);
        const struct vt_profile_pair pair = {&read.capture.batches[0], &read.capture.batches[1]};
        int status = vt_profile_subtract(&profile, &read.replay, &pair, 1);
        ck_assert_int_eq(status, callers[i] == WIDE ? -ENOENT : 0);
        if (status == 0)
            ck_assert_uint_eq(profile.stack_count, 1 + WIDE / 2 * (WIDE + 1));
        vt_profile_release(&profile);
        vt_replay_release(&read.replay);
        vt_symbols_release(&read.symbols);
        vt_capture_release(&read.capture);
        free(text);
    }
}
END_TEST

/* The addresses that tell twins apart are computed from this program's own; each image must agree. */
START_TEST(cases_lie_in_images_as_in_this_program)
{
    const struct {
        const uint8_t *start, *end;
    } images[] = {{vt_image_pvh, vt_image_pvh_end}, {vt_image_xenpv, vt_image_xenpv_end}};
    const struct vt_case *cpuid = vt_guest_find_case("cpuid"), *rdpkru = vt_guest_find_case("rdpkru");

    for (size_t i = 0; i < 2; i++) {
        const char *image = (const char *)images[i].start;
        size_t size = (size_t)(images[i].end - images[i].start);
        struct vt_profile_places places = vt_profile_places_of_image(images[i].start, images[i].end, i == 1);
        ck_assert_uint_ne(places.code, 0);
        ck_assert_uint_eq(vt_elf_find(image, size, "vt_batch_begin"), places.record.begin);
        ck_assert_uint_eq(vt_elf_find(image, size, "vt_batch_end"), places.record.end);
        ck_assert_uint_eq(vt_elf_find(image, size, "vt_body_cpuid"),
                          places.code + (uint64_t)((const uint8_t *)cpuid->body - vt_guest_code_start));
        ck_assert_uint_eq(vt_elf_find(image, size, "vt_baseline_rdpkru"),
                          places.code + (uint64_t)((const uint8_t *)rdpkru->baseline - vt_guest_code_start));
        ck_assert(i == 0 ? places.record.high == 0
                         : places.record.low < places.code && places.record.high > places.record.end);
    }
}
END_TEST

VT_SUITE(every_instruction_has_its_function, a_guests_own_vmrun_is_no_way_into_it,
         a_longer_handler_is_longer_by_that, a_jump_to_another_function_takes_its_place,
         interrupts_and_faults_are_told_apart, an_exit_between_instructions_takes_none_back,
         an_exit_behind_an_instruction_takes_none_back, a_row_finds_its_batches,
         two_pairs_in_the_middle_are_one_profile, two_recordings_follow_one_another,
         symbols_are_functions_and_nothing_else, a_capture_that_makes_no_sense_is_refused,
         a_batch_without_end_is_not_walked_through, chains_without_end_are_no_profile,
         cases_lie_in_images_as_in_this_program)
