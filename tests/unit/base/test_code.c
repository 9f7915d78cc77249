/* Code that is laid down and run, also where memory may never be both writable and executable. */
#include "audit/audit.h"
#include "base/code.h"
#include "bench/engine.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

/* linux/prctl.h of Linux 6.3: what systemd's MemoryDenyWriteExecute asks for. */
#define SET_MDWE         65
#define REFUSE_EXEC_GAIN 1

static const uint8_t seven[] = {0xb8, 7, 0, 0, 0, 0xc3}; /* mov eax, 7; ret */

static void *reserve(void)
{
    void *place = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(place, MAP_FAILED);
    return place;
}

START_TEST(what_is_written_here_runs_there)
{
    struct vt_code code;
    void *place = reserve();

    ck_assert_int_eq(vt_code_open(&code, sizeof seven), 0);
    ck_assert_uint_eq(code.size, 4096);
    ck_assert_int_eq(vt_code_map(&code, place, MAP_FIXED), 0);
    memcpy(code.writable, seven, sizeof seven);
    ck_assert_int_eq(((int (*)(void))place)(), 7);
    code.writable[1] = 8;
    ck_assert_int_eq(((int (*)(void))place)(), 8);
    vt_code_close(&code);
    ck_assert_int_eq(((int (*)(void))place)(), 8);
    vt_code_close(&code);
    munmap(place, 4096);
}
END_TEST

START_TEST(a_place_that_is_taken_is_left_alone)
{
    struct vt_code code;
    void *place = reserve();

    ck_assert_int_eq(vt_code_open(&code, 1), 0);
    ck_assert_int_eq(vt_code_map(&code, place, MAP_FIXED_NOREPLACE), -EEXIST);
    vt_code_close(&code);
}
END_TEST

static void forbid(void)
{
    if (prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) != 0)
        vt_skip("this kernel has no PR_SET_MDWE (Linux 6.3)");
    void *place = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_int_lt(mprotect(place, 4096, PROT_READ | PROT_EXEC), 0);
}

static void run(const char *name, const char *case_name, int cpl)
{
    static const volatile int stop;
    struct vt_engine_settings settings = {.limit_ns = 1000000000, .stop = &stop};
    const struct vt_engine *engine = vt_bench_find_engine(name);
    const struct vt_case *c = vt_guest_find_case(case_name);
    struct vt_batch batch;
    struct vt_error error = {0};
    char reason[512] = "";
    void *state;

    if (!engine->available(reason, sizeof reason))
        vt_skip("%s", reason);
    ck_assert_msg(engine->open(&state, &settings, &error) == 0, "%s", error.text);
    ck_assert_msg(engine->supports(state, c, cpl, reason, sizeof reason), "%s", reason);
    ck_assert_msg(engine->prepare(state, c, cpl, &error) == 0, "%s", error.text);
    ck_assert_msg(engine->batch(state, VT_BODY, 4, &batch, &error) == VT_BATCH_DONE, "%s %s: %s", name,
                  case_name, error.text);
    engine->close(state);
}

START_TEST(handlers_run_under_trap)
{
    forbid();
    run("trap", "int3", 0);
    run("trap", "x2apic-self-ipi", 0);
}
END_TEST

START_TEST(handlers_run_under_translate)
{
    forbid();
    run("translate", "int3", 0);
    run("translate", "x2apic-self-ipi", 0);
}
END_TEST

START_TEST(a_system_call_stands_for_a_hypercall)
{
    const struct vt_engine *engine = vt_bench_find_engine("hypercall");
    char reason[512];

    forbid();
    if (prctl(59, 0, 0, 0, 0) != 0)
        vt_skip("no syscall user dispatch (Linux 5.11)");
    ck_assert(engine->available(reason, sizeof reason));
    run("hypercall", "vmcall", 3);
}
END_TEST

START_TEST(the_audit_tries_everything)
{
    struct vt_audit audit;
    struct vt_error error = {0};

    forbid();
    ck_assert_msg(vt_audit_run(&audit, &error) == 0, "%s", error.text);
    ck_assert_int_eq(audit.answer, VT_AUDIT_NO);
    vt_audit_free(&audit);
}
END_TEST

VT_SUITE(what_is_written_here_runs_there, a_place_that_is_taken_is_left_alone, handlers_run_under_trap,
         handlers_run_under_translate, a_system_call_stands_for_a_hypercall, the_audit_tries_everything)
