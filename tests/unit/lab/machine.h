/*
 * A small machine whose hypervisor is known to the instruction: tests have it execute what they say, and read
 * what was recorded.
 */
#ifndef VT_TESTS_MACHINE_H
#define VT_TESTS_MACHINE_H

#include "base/error.h"
#include "lab/profile/record.h"
#include "lab/profile/row.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The guest's batch and its two functions; the hypervisor far above. */
enum { BEGIN = 0x1000, END = 0x1010, BODY = 0x2000, BASELINE = 0x3000 };
#define HOST UINT64_C(0xffff0000)

static const char machine_symbols[] = "ffff0000 T enter\n" /* VMRUN at its end */
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

static inline void open_machine(struct machine *machine)
{
    static const struct vt_record_places places = {.begin = BEGIN, .end = END};

    *machine = (struct machine){0};
    machine->stream = open_memstream(&machine->text, &machine->size);
    machine->record = vt_record_open(&places, machine->stream);
    ck_assert_ptr_nonnull(machine->record);
}

static inline void close_machine(struct machine *machine)
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

static inline uint64_t run(struct machine *machine, uint64_t address, enum vt_flow flow)
{
    struct vt_stretch stretch = {.count = 0};
    ck_assert(vt_record_extend(&stretch, vt_record_instruction(machine->record, address,
                                                               (const uint8_t *)codes[flow], sizes[flow])));
    vt_record_execute(machine->record, &stretch);
    return address + sizes[flow];
}

/* `count` instructions that do nothing; behind the last. */
static inline uint64_t idle(struct machine *machine, uint64_t address, int count)
{
    for (int i = 0; i < count; i++)
        address = run(machine, address, VT_FLOW_NEXT);
    return address;
}

/* Into the guest: 3 instructions of `enter`. */
static inline void enter(struct machine *machine)
{
    run(machine, idle(machine, HOST, 2), VT_FLOW_VMRUN);
}

/* What is between leaving and entering: `enter` after its VMRUN 1, handle_exit 4 + `extra`, its call of
 * decode 3. */
static inline void handle(struct machine *machine, int extra)
{
    uint64_t back = run(machine, HOST + 5, VT_FLOW_CALL);
    uint64_t behind = run(machine, idle(machine, HOST + 0x100, 1 + extra), VT_FLOW_CALL);
    run(machine, idle(machine, HOST + 0x200, 2), VT_FLOW_RETURN);
    run(machine, idle(machine, behind, 1), VT_FLOW_RETURN);
    run(machine, back, VT_FLOW_JUMP);
    enter(machine);
}

/* One batch: `exits` instructions that exit, in a loop of two. */
static inline void batch(struct machine *machine, uint64_t function, int exits,
                         void (*answer)(struct machine *))
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

static inline void plain_answer(struct machine *machine)
{
    handle(machine, 0);
}

static inline void longer_answer(struct machine *machine)
{
    handle(machine, 7);
}

/* A timer between two of handle_exit's instructions, and a page fault of one that is executed again. */
static inline void interrupted_answer(struct machine *machine)
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

struct read {
    struct vt_capture capture;
    struct vt_symbols symbols;
    struct vt_replay replay;
};

static inline void read_all(struct read *read, struct machine *machine)
{
    struct vt_error error;

    close_machine(machine);
    ck_assert_int_eq(vt_capture_read(&read->capture, machine->text, &error), 0);
    ck_assert_int_eq(vt_symbols_read(&read->symbols, strdup(machine_symbols)), 0);
    ck_assert_int_eq(vt_replay_open(&read->replay, &read->capture, &read->symbols, VT_REPLAY_VIRTUALIZED), 0);
}

static inline void release(struct read *read, struct machine *machine)
{
    vt_replay_release(&read->replay);
    vt_symbols_release(&read->symbols);
    vt_capture_release(&read->capture);
    free(machine->text);
}

static inline const struct vt_profile_function *find(const struct vt_profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->function_count; i++)
        if (strcmp(profile->functions[i].name, name) == 0)
            return &profile->functions[i];
    return NULL;
}

static inline void ck_function(const struct vt_profile *profile, const char *name, int64_t self,
                               int64_t inclusive)
{
    const struct vt_profile_function *function = find(profile, name);
    ck_assert_msg(function, "%s is not there", name);
    ck_assert_int_eq(function->self, self);
    ck_assert_int_eq(function->inclusive, inclusive);
}

static inline void subtract(struct vt_profile *profile, struct read *read)
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

static inline void tell(struct told *told, void (*answer)(struct machine *))
{
    open_machine(&told->machine);
    batch(&told->machine, BODY, 1, answer);
    batch(&told->machine, BASELINE, 0, NULL);
    read_all(&told->read, &told->machine);
    subtract(&told->profile, &told->read);
}

static inline void forget(struct told *told)
{
    vt_profile_release(&told->profile);
    release(&told->read, &told->machine);
}

#endif
