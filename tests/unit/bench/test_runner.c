/* A run over cases that misbehave: each gets its status and its reason, and the rest is measured. */
#include "bench/runner.h"
#include "bench/watch.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

__asm__(".pushsection vt_cases, \"ax\", @progbits\n"
        "runner_good: dec %rdi\n"
        "    jnz runner_good\n"
        "    ret\n"
        "runner_wild: mov 0x30000123, %rax\n"
        "    ret\n"
        "runner_divide: xor %ecx, %ecx\n"
        "    div %ecx\n"
        "    ret\n"
        "runner_spin: jmp runner_spin\n"
        "runner_spin_trapping: cli\n"
        "    jmp runner_spin_trapping\n"
        "runner_undefined: ud2\n"
        "runner_unimplemented: .byte 0x0f, 0x37\n" /* GETSEC */
        "    ret\n"
        "runner_unimplemented_privileged: .byte 0x0f, 0x01, 0xc5\n" /* PCONFIG */
        "    ret\n"
        "runner_stop: hlt\n"
        "    ret\n"
        "runner_store: movabs $0x1122334455667788, %rax\n" /* the address: aim() */
        "    incq (%rax)\n"
        "1:  dec %rdi\n"
        "    jnz 1b\n"
        "    ret\n"
        "runner_store_late: movabs $0x1122334455667788, %rax\n"
        "1:  cmp $100, %rdi\n"
        "    jne 2f\n"
        "    incq (%rax)\n"
        "2:  dec %rdi\n"
        "    jnz 1b\n"
        "    ret\n"
        "runner_exit: mov $231, %eax\n" /* exit_group */
        "    mov $7, %edi\n"
        "    syscall\n"
        ".popsection\n");
void runner_good(uint64_t, struct vt_scratch *);
void runner_wild(uint64_t, struct vt_scratch *);
void runner_divide(uint64_t, struct vt_scratch *);
void runner_spin(uint64_t, struct vt_scratch *);
void runner_spin_trapping(uint64_t, struct vt_scratch *);
void runner_undefined(uint64_t, struct vt_scratch *);
void runner_unimplemented(uint64_t, struct vt_scratch *);
void runner_unimplemented_privileged(uint64_t, struct vt_scratch *);
void runner_stop(uint64_t, struct vt_scratch *);
void runner_store(uint64_t, struct vt_scratch *);
void runner_store_late(uint64_t, struct vt_scratch *);
void runner_exit(uint64_t, struct vt_scratch *);

static const struct row {
    struct vt_case c;
    enum vt_status status;
    const char *reason;
    /* NULL, or what a translator tells, which sees instructions before they run. */
    const char *translated_reason;
} rows[] = {
#define CASE(function)                                                                                       \
    .c = {.name = #function, .operation = #function, .body = function, .baseline = runner_good}
#define ROW(function, end, why)                                                                              \
    {                                                                                                        \
        CASE(function), .status = end, .reason = why                                                         \
    }
#define UNIMPLEMENTED(function)                                                                              \
    {                                                                                                        \
        CASE(function), .status = VT_STATUS_UNSUPPORTED, .reason = "#UD",                                    \
                        .translated_reason = "is neither translated nor"                                     \
    }
    ROW(runner_good, VT_STATUS_OK, ""),
    ROW(runner_wild, VT_STATUS_FAILED, "#PF"),
    ROW(runner_divide, VT_STATUS_FAILED, "#DE"),
    ROW(runner_spin, VT_STATUS_TIMEOUT, "did not return within"),
    ROW(runner_spin_trapping, VT_STATUS_TIMEOUT, "did not return within"),
    ROW(runner_undefined, VT_STATUS_UNSUPPORTED, "#UD"),
    UNIMPLEMENTED(runner_unimplemented),
    UNIMPLEMENTED(runner_unimplemented_privileged),
    ROW(runner_stop, VT_STATUS_FAILED, "halted"),
    ROW(runner_good, VT_STATUS_OK, ""),
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* The host's: cases add 1 to each. */
static uint64_t in_data = 41, *in_heap;

/* A case holds no relocation: the address comes into its code by hand. */
static void aim(vt_case_function function, const uint64_t *at)
{
    uint8_t *code = (uint8_t *)(uintptr_t)function;
    uint8_t *page = (uint8_t *)((uintptr_t)code & ~(uintptr_t)4095);
    uint64_t address = (uintptr_t)at;

    if (mprotect(page, 2 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
        vt_skip("code cannot be written here");
    memcpy(code + 2, &address, sizeof address);
    mprotect(page, 2 * 4096, PROT_READ | PROT_EXEC);
}

static void check(const struct vt_measurement *m, const struct row *row, bool translated)
{
    const char *reason = translated && row->translated_reason ? row->translated_reason : row->reason;

    ck_assert_msg(m->status == row->status, "%s: %s, %s", m->c->name, vt_status_name(m->status), m->reason);
    ck_assert_msg(strstr(m->reason, reason) != NULL, "%s: %s", m->c->name, m->reason);
    if (row->status == VT_STATUS_OK)
        ck_assert_uint_gt(m->batches, 0);
}

static void run(const char *name)
{
    static const volatile int stop;
    const struct vt_engine *engine = vt_bench_find_engine(name);
    const struct vt_case *cases[ROWS];
    struct vt_run result;
    struct vt_error error;

    for (size_t i = 0; i < ROWS; i++)
        cases[i] = &rows[i].c;
    struct vt_plan plan = {
        .engines = &engine,
        .engine_count = 1,
        .cases = cases,
        .case_count = ROWS,
        .levels = ~0u,
        .paths = ~0u,
        .budget = 10, /* a case that spins is tried before it is measured */
        .cpu = -1,
        .stop = &stop,
    };
    ck_assert_msg(vt_bench_run(&result, &plan, &error) == 0, "%s", error.text);
    ck_assert_uint_eq(result.count, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        check(&result.measurements[i], &rows[i], strcmp(name, "translate") == 0);
    vt_run_release(&result);
}

START_TEST(trap_goes_on_behind_bad_code)
{
    run("trap");
}
END_TEST

START_TEST(translate_goes_on_behind_bad_code)
{
    run("translate");
}
END_TEST

static void measure(struct vt_run *result, const char *name, const struct vt_case *const *cases, size_t count)
{
    static const volatile int stop;
    const struct vt_engine *engine = vt_bench_find_engine(name);
    struct vt_plan plan = {.engines = &engine,
                           .engine_count = 1,
                           .cases = cases,
                           .case_count = count,
                           .levels = ~0u,
                           .paths = ~0u,
                           .budget = 10,
                           .cpu = -1,
                           .stop = &stop};
    struct vt_error error;

    ck_assert_msg(vt_bench_run(result, &plan, &error) == 0, "%s", error.text);
    ck_assert_uint_eq(result->count, count);
}

/* Whoever adds a case errs in an address: the row says so, the host's memory is as it was, the next is
 * measured. */
static void write_wildly(const char *name)
{
    static const struct row good = {CASE(runner_good)}, early = {CASE(runner_store)},
                            late = {CASE(runner_store_late)};
    const struct vt_case *const cases[] = {&good.c, &early.c, &good.c, &late.c, &good.c};
    struct vt_run result;

    in_heap = malloc(sizeof *in_heap);
    ck_assert_ptr_nonnull(in_heap);
    *in_heap = 41;
    aim(runner_store, &in_data);
    aim(runner_store_late, in_heap);
    measure(&result, name, cases, 5);
    ck_assert_uint_eq(in_data, 41);
    ck_assert_uint_eq(*in_heap, 41);
    for (size_t i = 0; i < 5; i++) {
        const struct vt_measurement *m = &result.measurements[i];
        bool wild = i % 2 && vt_watch_is_built_in();
        ck_assert_msg(m->status == (wild ? VT_STATUS_FAILED : VT_STATUS_OK), "%zu: %s", i, m->reason);
        if (wild)
            ck_assert_msg(strstr(m->reason, "writes to memory that is not its own ("), "%s", m->reason);
        if (i == 3 && wild)
            ck_assert_msg(strstr(m->reason, "[heap]"), "%s", m->reason);
    }
    vt_run_release(&result);
    free(in_heap);
}

START_TEST(native_keeps_a_wild_store_from_the_host)
{
    write_wildly("native");
}
END_TEST

START_TEST(trap_keeps_a_wild_store_from_the_host)
{
    write_wildly("trap");
}
END_TEST

START_TEST(translate_keeps_a_wild_store_from_the_host)
{
    write_wildly("translate");
}
END_TEST

/* A system call is none of a case's, but nothing stops it there either. */
static void leave(const char *name)
{
    static const struct row good = {CASE(runner_good)}, leaving = {CASE(runner_exit)};
    const struct vt_case *const cases[] = {&good.c, &leaving.c, &good.c};
    struct vt_run result;

    measure(&result, name, cases, 3);
    ck_assert_int_eq(result.measurements[0].status, VT_STATUS_OK);
    ck_assert_int_eq(result.measurements[1].status, VT_STATUS_FAILED);
    ck_assert_msg(strstr(result.measurements[1].reason, "ended the process"), "%s",
                  result.measurements[1].reason);
    ck_assert_int_eq(result.measurements[2].status, VT_STATUS_OK);
    vt_run_release(&result);
}

START_TEST(native_outlives_a_case_that_ends_its_process)
{
    leave("native");
}
END_TEST

START_TEST(trap_outlives_a_case_that_ends_its_process)
{
    leave("trap");
}
END_TEST

VT_SUITE(trap_goes_on_behind_bad_code, translate_goes_on_behind_bad_code,
         native_keeps_a_wild_store_from_the_host, trap_keeps_a_wild_store_from_the_host,
         translate_keeps_a_wild_store_from_the_host, native_outlives_a_case_that_ends_its_process,
         trap_outlives_a_case_that_ends_its_process)
