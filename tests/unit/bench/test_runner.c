/* A run over cases that misbehave: each gets its status and its reason, and the rest is measured. */
#include "bench/runner.h"
#include "tests/unit/suite.h"

#include <string.h>

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

VT_SUITE(trap_goes_on_behind_bad_code, translate_goes_on_behind_bad_code)
