/* From what a processor executes to functions. */
#include "tests/unit/lab/machine.h"

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

VT_SUITE(every_instruction_has_its_function, a_guests_own_vmrun_is_no_way_into_it,
         a_longer_handler_is_longer_by_that, a_jump_to_another_function_takes_its_place,
         interrupts_and_faults_are_told_apart, an_exit_between_instructions_takes_none_back,
         an_exit_behind_an_instruction_takes_none_back)
