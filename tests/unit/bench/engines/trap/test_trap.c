/* Engine trap: every case of the catalogue, hostile code, and what it must put back. */
#include "bench/engine.h"
#include "guest/abi.h"
#include "tests/unit/suite.h"

#include <signal.h>
#include <string.h>

/* Bodies of our own, beside the catalogue's in the section every engine runs. */
__asm__(".pushsection vt_cases, \"ax\", @progbits\n"
        "trap_spin: jmp trap_spin\n"
        "trap_spin_trapping: cli\n"
        "    jmp trap_spin_trapping\n"
        "trap_undefined: ud2\n"
        "trap_wild_read: mov 0x30000123, %rax\n"
        "    ret\n"
        "trap_wild_jump: mov $0x123456, %eax\n"
        "    jmp *%rax\n"
        "trap_wild_stack: xor %esp, %esp\n"
        "    push %rax\n"
        "trap_wild_table: mov $0x123456, %eax\n"
        "    lgdt (%rax)\n"
        "    ret\n"
        "trap_noncanonical: mov $0x8000000000000000, %rax\n"
        "    lidt (%rax)\n"
        "    ret\n"
        "trap_recursion: call trap_recursion\n"
        "trap_halt: hlt\n"
        "    ret\n"
        "trap_bases: xor %eax, %eax\n"
        "    wrfsbase %rax\n"
        "    wrgsbase %rax\n"
        "    clts\n"
        "    ud2\n"
        "trap_direction: std\n"
        "    ud2\n"
        "trap_step: pushfq\n"
        "    orl $0x100, (%rsp)\n"
        "    popfq\n"
        "    nop\n"
        "    ret\n"
        "trap_return: ret\n"
        ".popsection\n");
void trap_spin(uint64_t, struct vt_scratch *);
void trap_spin_trapping(uint64_t, struct vt_scratch *);
void trap_undefined(uint64_t, struct vt_scratch *);
void trap_wild_read(uint64_t, struct vt_scratch *);
void trap_wild_jump(uint64_t, struct vt_scratch *);
void trap_wild_stack(uint64_t, struct vt_scratch *);
void trap_wild_table(uint64_t, struct vt_scratch *);
void trap_noncanonical(uint64_t, struct vt_scratch *);
void trap_recursion(uint64_t, struct vt_scratch *);
void trap_halt(uint64_t, struct vt_scratch *);
void trap_bases(uint64_t, struct vt_scratch *);
void trap_direction(uint64_t, struct vt_scratch *);
void trap_step(uint64_t, struct vt_scratch *);
void trap_return(uint64_t, struct vt_scratch *);

static volatile int stop;

struct fixture {
    const struct vt_engine *engine;
    void *state;
    struct vt_case c;
    struct vt_batch batch;
    struct vt_error error;
};

static void open_engine(struct fixture *f)
{
    struct vt_engine_settings settings = {.limit_ns = 400000000, .stop = &stop};

    *f = (struct fixture){.engine = vt_bench_find_engine("trap")};
    ck_assert_ptr_nonnull(f->engine);
    ck_assert_msg(f->engine->open(&f->state, &settings, &f->error) == 0, "%s", f->error.text);
}

static enum vt_batch_end run_case(struct fixture *f, const struct vt_case *c, uint64_t iterations)
{
    f->error.text[0] = 0;
    ck_assert_int_eq(f->engine->prepare(f->state, c, 0, &f->error), 0);
    return f->engine->batch(f->state, VT_BODY, iterations, &f->batch, &f->error);
}

static enum vt_batch_end run(struct fixture *f, vt_case_function body)
{
    f->c = (struct vt_case){.name = "test", .operation = "test", .body = body, .baseline = trap_return};
    return run_case(f, &f->c, 1);
}

START_TEST(hostile_code_ends_with_a_reason)
{
    static const struct {
        vt_case_function body;
        enum vt_batch_end end;
        const char *reason;
    } rows[] = {
        {trap_spin, VT_BATCH_TIMEOUT, "400 ms"},  {trap_spin_trapping, VT_BATCH_TIMEOUT, "400 ms"},
        {trap_undefined, VT_BATCH_ABSENT, "#UD"}, {trap_wild_read, VT_BATCH_FAULT, "#PF"},
        {trap_wild_jump, VT_BATCH_FAULT, "#PF"},  {trap_wild_stack, VT_BATCH_FAULT, "#PF"},
        {trap_wild_table, VT_BATCH_FAULT, "#PF"}, {trap_noncanonical, VT_BATCH_FAULT, "#GP"},
        {trap_recursion, VT_BATCH_FAULT, "#PF"},  {trap_halt, VT_BATCH_FAULT, "halted"},
        {trap_direction, VT_BATCH_ABSENT, "#UD"}, {trap_step, VT_BATCH_FAULT, "#DB"},
    };
    struct fixture f;

    open_engine(&f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(run(&f, rows[i].body) == rows[i].end, "row %zu: %s", i, f.error.text);
        ck_assert_msg(strstr(f.error.text, rows[i].reason) != NULL, "row %zu: %s", i, f.error.text);
        ck_assert_int_eq(run(&f, trap_return), VT_BATCH_DONE);
    }
    f.engine->close(f.state);
}
END_TEST

START_TEST(the_guest_may_move_fs_and_gs)
{
    struct fixture f;

    open_engine(&f);
    ck_assert_int_eq(run(&f, trap_bases), VT_BATCH_ABSENT);
    ck_assert_int_eq(run(&f, trap_return), VT_BATCH_DONE);
    f.engine->close(f.state);
}
END_TEST

START_TEST(every_case_runs_or_says_why)
{
    struct fixture f;
    size_t count;
    const struct vt_case *cases = vt_guest_cases(&count);

    open_engine(&f);
    for (size_t i = 0; i < count; i++) {
        char reason[256] = "";
        enum vt_batch_end end;

        if (!f.engine->supports(f.state, &cases[i], 0, reason, sizeof reason)) {
            ck_assert_msg(reason[0] != 0, "%s", cases[i].name);
            continue;
        }
        end = run_case(&f, &cases[i], 4);
        ck_assert_msg(end == VT_BATCH_DONE || (end == VT_BATCH_ABSENT && f.error.text[0]), "%s: %s",
                      cases[i].name, f.error.text);
    }
    f.engine->close(f.state);
}
END_TEST

/* A privileged instruction costs one signal; those that bring an interrupt or a handler with them cost more.
 */
START_TEST(privileged_instructions_are_counted_as_signals)
{
    static const char *const names[] = {"mov-from-cr0",   "mov-to-cr3", "clts",         "lgdt",   "ltr",
                                        "swapgs",         "cli",        "rdmsr-kernel", "invlpg", "in-user",
                                        "mmio-read-user", "xapic-eoi",  "wbinvd"};
    struct fixture f;

    open_engine(&f);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct vt_case *c = vt_guest_find_case(names[i]);

        ck_assert_ptr_nonnull(c);
        ck_assert_int_eq(run_case(&f, c, 10), VT_BATCH_DONE);
        ck_assert_msg(f.batch.counters.value[VT_SIGNALS] == 10, "%s: %llu signals", names[i],
                      (unsigned long long)f.batch.counters.value[VT_SIGNALS]);
    }
    f.engine->close(f.state);
}
END_TEST

/* The method reads the clock twice, which is no signal of the case's, and none at all where nothing faults.
 */
START_TEST(reading_the_clock_counts_its_own_signals)
{
    struct fixture f;
    uint64_t signals;

    open_engine(&f);
    ck_assert_int_eq(run_case(&f, vt_guest_find_case("rdtsc"), 10), VT_BATCH_DONE);
    signals = f.batch.counters.value[VT_SIGNALS];
    ck_assert_msg(signals == 10 || signals == 0, "%llu signals", (unsigned long long)signals);
    f.engine->close(f.state);
}
END_TEST

START_TEST(a_bare_trap_costs_less_than_an_emulated_one)
{
    struct fixture f;
    double bare = 0;
    uint64_t best = UINT64_MAX;

    open_engine(&f);
    for (int i = 0; i < 20; i++) {
        double now = f.engine->bare(f.state);
        bare = i == 0 || now < bare ? now : bare;
        ck_assert_int_eq(run_case(&f, vt_guest_find_case("cli"), 40), VT_BATCH_DONE);
        best = f.batch.cycles < best ? f.batch.cycles : best;
    }
    ck_assert_msg(bare > 0 && bare < (double)best / 40, "bare %f, emulated %f", bare, (double)best / 40);
    /* The engine's own handlers are back. */
    ck_assert_uint_eq(f.batch.counters.value[VT_SIGNALS], 40);
    f.engine->close(f.state);
}
END_TEST

START_TEST(self_interrupts_arrive_one_by_one)
{
    static const char *const names[] = {"x2apic-self-ipi", "xapic-self-ipi", "hlt"};
    struct fixture f;

    open_engine(&f);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_int_eq(run_case(&f, vt_guest_find_case(names[i]), 7), VT_BATCH_DONE);
        ck_assert_uint_eq(f.batch.counters.value[VT_INTERRUPTS], 7);
    }
    f.engine->close(f.state);
}
END_TEST

START_TEST(handlers_are_put_back)
{
    struct sigaction before, after;
    stack_t stack_before, stack_after;
    struct fixture f;

    sigaction(SIGSEGV, NULL, &before);
    sigaltstack(NULL, &stack_before);
    open_engine(&f);
    run(&f, trap_undefined);
    f.engine->close(f.state);
    sigaction(SIGSEGV, NULL, &after);
    sigaltstack(NULL, &stack_after);
    ck_assert_ptr_eq((void *)before.sa_handler, (void *)after.sa_handler);
    ck_assert_int_eq(stack_after.ss_flags, stack_before.ss_flags);
    ck_assert_ptr_eq(stack_after.ss_sp, stack_before.ss_sp);
    /* The time-stamp counter is readable again. */
    ck_assert_uint_ne(__builtin_ia32_rdtsc(), 0);
}
END_TEST

VT_SUITE(hostile_code_ends_with_a_reason, the_guest_may_move_fs_and_gs, every_case_runs_or_says_why,
         privileged_instructions_are_counted_as_signals, reading_the_clock_counts_its_own_signals,
         a_bare_trap_costs_less_than_an_emulated_one, self_interrupts_arrive_one_by_one,
         handlers_are_put_back)
