/*
 * From what a processor executes to functions where one hypervisor runs in another of the same code: both
 * have the same addresses, and only the memory behind them tells whose an instruction is.
 */
#include "base/error.h"
#include "bench/profile.h"
#include "lab/profile/record.h"
#include "lab/profile/row.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The guest's batch and its two functions, and the memory that the guest, the lower and the upper one lie in.
 */
enum { BEGIN = 0x1000, END = 0x1010, BODY = 0x2000, BASELINE = 0x3000, TURNS = 10 };
enum memory { GUEST, LOWER, UPPER };
#define HOST UINT64_C(0xffff0000)

static const char symbols_text[] = "ffff0000 T enter\n" /* VMRUN at its end */
                                   "ffff0100 T handle_exit\t[kvm]\n"
                                   "ffff0200 t decode\t[kvm]\n";

struct machine {
    struct vt_record *record;
    char *text;
    size_t size;
    FILE *stream;
    enum memory memory;
};

static const char *const codes[] = {
    [VT_FLOW_NEXT] = "\x50",   [VT_FLOW_JUMP] = "\xeb\x00",  [VT_FLOW_CALL] = "\xe8\x00\x00\x00\x00",
    [VT_FLOW_RETURN] = "\xc3", [VT_FLOW_RDTSC] = "\x0f\x31", [VT_FLOW_VMRUN] = "\x0f\x01\xd8",
};
static const size_t sizes[] = {
    [VT_FLOW_NEXT] = 1,   [VT_FLOW_JUMP] = 2,  [VT_FLOW_CALL] = 5,
    [VT_FLOW_RETURN] = 1, [VT_FLOW_RDTSC] = 2, [VT_FLOW_VMRUN] = 3,
};

static uint64_t run(struct machine *machine, uint64_t address, enum vt_flow flow)
{
    struct vt_stretch stretch = {.count = 0};

    ck_assert(
        vt_record_extend(&stretch, vt_record_instruction_in(machine->record, address, machine->memory,
                                                            (const uint8_t *)codes[flow], sizes[flow])));
    vt_record_execute(machine->record, &stretch);
    return address + sizes[flow];
}

static uint64_t idle(struct machine *machine, uint64_t address, int count)
{
    for (int i = 0; i < count; i++)
        address = run(machine, address, VT_FLOW_NEXT);
    return address;
}

/* Into what it runs: 3 instructions of `enter`. */
static void enter(struct machine *machine)
{
    run(machine, idle(machine, HOST, 2), VT_FLOW_VMRUN);
}

/* The lower one serves an exit of the upper one or of the guest: enter 5, handle_exit 5, decode 3. */
static void serve(struct machine *machine, enum memory next)
{
    machine->memory = LOWER;
    uint64_t back = run(machine, HOST + 5, VT_FLOW_CALL);
    uint64_t behind = run(machine, idle(machine, HOST + 0x100, 2), VT_FLOW_CALL);
    run(machine, idle(machine, HOST + 0x200, 2), VT_FLOW_RETURN);
    run(machine, idle(machine, behind, 1), VT_FLOW_RETURN);
    run(machine, back, VT_FLOW_JUMP);
    enter(machine);
    machine->memory = next;
}

/*
 * The same by the upper one, where one instruction of handle_exit exits, and the VMRUN of `enter`: enter 4,
 * handle_exit 4, decode 3. Where it goes on behind its VMRUN the lower one would, too.
 */
static void serve_above(struct machine *machine)
{
    serve(machine, UPPER);
    uint64_t back = run(machine, HOST + 5, VT_FLOW_CALL);
    uint64_t intercepted = run(machine, HOST + 0x100, VT_FLOW_NEXT);
    uint64_t next = run(machine, intercepted, VT_FLOW_NEXT);
    serve(machine, UPPER);
    uint64_t behind = run(machine, next, VT_FLOW_CALL);
    run(machine, idle(machine, HOST + 0x200, 2), VT_FLOW_RETURN);
    run(machine, idle(machine, behind, 1), VT_FLOW_RETURN);
    run(machine, back, VT_FLOW_JUMP);
    enter(machine);
    serve(machine, GUEST);
}

static void batch(struct machine *machine, uint64_t function, bool exits)
{
    machine->memory = GUEST;
    run(machine, BEGIN, VT_FLOW_RDTSC);
    run(machine, BEGIN + 2, VT_FLOW_CALL);
    run(machine, function, VT_FLOW_NEXT);
    for (int i = 0; i < TURNS; i++) {
        if (exits) {
            run(machine, function + 1, VT_FLOW_NEXT);
            serve_above(machine);
        }
        idle(machine, function + 2, 2);
    }
    run(machine, function + 4, VT_FLOW_RETURN);
    run(machine, END, VT_FLOW_RDTSC);
}

static void ck_function(const struct vt_profile *profile, const char *module, const char *name, int64_t self,
                        int64_t inclusive)
{
    for (size_t i = 0; i < profile->function_count; i++) {
        const struct vt_profile_function *function = &profile->functions[i];
        if (strcmp(function->name, name) != 0 || strcmp(function->module, module) != 0)
            continue;
        ck_assert_int_eq(function->self, TURNS * self);
        ck_assert_int_eq(function->inclusive, TURNS * inclusive);
        return;
    }
    ck_abort_msg("%s of %s is not there", name, module);
}

START_TEST(each_instruction_is_of_the_hypervisor_that_executed_it)
{
    const struct vt_record_places places = {.begin = BEGIN, .end = END, .high = 0x10000, .deep = 1};
    struct machine machine = {0};
    struct vt_capture capture;
    struct vt_symbols symbols;
    struct vt_replay replay;
    struct vt_profile profile;
    struct vt_error error;

    machine.stream = open_memstream(&machine.text, &machine.size);
    machine.record = vt_record_open(&places, machine.stream);
    ck_assert_ptr_nonnull(machine.record);
    batch(&machine, BODY, true);
    batch(&machine, BASELINE, false);
    vt_record_close(machine.record);
    fclose(machine.stream);
    ck_assert_int_eq(vt_capture_read(&capture, machine.text, &error), 0);
    ck_assert_int_eq(vt_symbols_read(&symbols, strdup(symbols_text)), 0);
    ck_assert_int_eq(vt_replay_open(&replay, &capture, &symbols, VT_REPLAY_VIRTUALIZED | VT_REPLAY_DEEP), 0);
    ck_assert_uint_eq(capture.batch_count, 2);
    const struct vt_profile_pair pair = {&capture.batches[0], &capture.batches[1]};
    ck_assert_int_eq(vt_profile_subtract(&profile, &replay, &pair, 1), 0);
    ck_function(&profile, "below/kernel", "enter", 3 * 5, 3 * 13);
    ck_function(&profile, "below/kvm", "handle_exit", 3 * 5, 3 * 8);
    ck_function(&profile, "below/kvm", "decode", 3 * 3, 3 * 3);
    ck_function(&profile, "kernel", "enter", 4, 11);
    ck_function(&profile, "kvm", "handle_exit", 4, 7);
    ck_function(&profile, "kvm", "decode", 3, 3);
    ck_assert_int_eq(profile.sum, TURNS * (3 * 13 + 11));
    ck_assert_uint_eq(profile.function_count, 6);
    vt_profile_release(&profile);
    vt_replay_release(&replay);
    vt_symbols_release(&symbols);
    vt_capture_release(&capture);
    free(machine.text);
}
END_TEST

VT_SUITE(each_instruction_is_of_the_hypervisor_that_executed_it)
