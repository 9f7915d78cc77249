/* What native and kvm do with code that does not behave: it ends with a reason, and the next case runs. */
#include "base/vendor.h"
#include "bench/engine.h"
#include "bench/instruction.h"
#include "config.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#if VT_HAVE_LIBSECCOMP
#include <seccomp.h>
#endif

/* Bodies of our own, beside the catalogue's in the section every engine runs. */
__asm__(".pushsection vt_cases, \"ax\", @progbits\n"
        "t_spin: jmp t_spin\n"
        "t_undefined: ud2\n"
        "t_wild: mov 0x30000123, %rax\n"
        "        ret\n"
        "t_return: ret\n"
        "t_divide: xor %ecx, %ecx\n"
        "          div %ecx\n"
        "          ret\n"
        "t_unknown: .byte 0x0f, 0x37\n" /* GETSEC */
        "           ret\n"
        ".popsection\n");
void t_spin(uint64_t, struct vt_scratch *);
void t_undefined(uint64_t, struct vt_scratch *);
void t_wild(uint64_t, struct vt_scratch *);
void t_return(uint64_t, struct vt_scratch *);
void t_divide(uint64_t, struct vt_scratch *);
void t_unknown(uint64_t, struct vt_scratch *);

static volatile int stop;

struct fixture {
    const struct vt_engine *engine;
    void *state;
    int cpl;
    struct vt_case c;
    struct vt_error error;
};

static void open_engine(struct fixture *f, const char *name, int cpl)
{
    struct vt_engine_settings settings = {.limit_ns = 400000000, .stop = &stop};
    char reason[512] = "";

    stop = 0;
    *f = (struct fixture){.engine = vt_bench_find_engine(name), .cpl = cpl};
    ck_assert_ptr_nonnull(f->engine);
    if (!f->engine->available(reason, sizeof reason))
        vt_skip("%s", reason);
    int status = f->engine->open(&f->state, &settings, &f->error);
    if (status != 0 && f->error.exit == VT_EXIT_ENVIRONMENT)
        vt_skip("%s", f->error.text);
    ck_assert_msg(status == 0, "%s", f->error.text);
}

static enum vt_batch_end run(struct fixture *f, vt_case_function body)
{
    struct vt_batch batch;

    f->c = (struct vt_case){.name = "test", .operation = "test", .body = body, .baseline = t_return};
    f->error.text[0] = 0;
    ck_assert_msg(f->engine->prepare(f->state, &f->c, f->cpl, &f->error) == 0, "%s", f->error.text);
    return f->engine->batch(f->state, VT_BODY, 1, &batch, &f->error);
}

static void misbehave(const char *name, int cpl)
{
    struct fixture f;

    open_engine(&f, name, cpl);
    ck_assert_int_eq(run(&f, t_return), VT_BATCH_DONE);
    ck_assert_int_eq(run(&f, t_spin), VT_BATCH_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(f.error.text, "400 ms"));
    ck_assert_int_eq(run(&f, t_return), VT_BATCH_DONE);
    ck_assert_int_eq(run(&f, t_undefined), VT_BATCH_ABSENT);
    ck_assert_int_eq(run(&f, t_return), VT_BATCH_DONE);
    ck_assert_int_eq(run(&f, t_wild), VT_BATCH_FAULT);
    ck_assert_int_eq(run(&f, t_return), VT_BATCH_DONE);
    ck_assert_int_eq(run(&f, t_divide), VT_BATCH_FAULT);
    ck_assert_ptr_nonnull(strstr(f.error.text, strcmp(name, "native") == 0 ? "SIGFPE" : "#DE"));
    if (strcmp(name, "native") != 0)
        ck_assert_msg(strstr(f.error.text, "div (f7 f1)"), "%s", f.error.text);
    ck_assert_int_eq(run(&f, t_return), VT_BATCH_DONE);
    f.engine->close(f.state);
}

START_TEST(native_survives_bad_code)
{
    misbehave("native", 3);
}
END_TEST

START_TEST(translate_survives_bad_code)
{
    misbehave("translate", 0);
}
END_TEST

START_TEST(trap_survives_bad_code)
{
    misbehave("trap", 0);
}
END_TEST

START_TEST(an_instruction_the_translator_does_not_know_is_unsupported_and_named)
{
    struct fixture f;

    open_engine(&f, "translate", 0);
    ck_assert_int_eq(run(&f, t_unknown), VT_BATCH_ABSENT);
    ck_assert_str_eq(f.error.text, "getsec (0f 37) is neither translated nor emulated");
    ck_assert_int_eq(run(&f, t_return), VT_BATCH_DONE);
    f.engine->close(f.state);
}
END_TEST

START_TEST(code_outside_the_cases_is_called_that)
{
    ck_assert_str_eq(vt_bench_instruction_at(UINT64_MAX).text, "code outside the cases");
    ck_assert_str_eq(vt_bench_instruction_at((uint64_t)(vt_guest_code_end - vt_guest_code_start)).text,
                     "code outside the cases");
}
END_TEST

START_TEST(kvm_at_cpl_0_survives_bad_code)
{
    misbehave("kvm", 0);
}
END_TEST

START_TEST(kvm_at_cpl_3_survives_bad_code)
{
    misbehave("kvm", 3);
}
END_TEST

START_TEST(kvm_names_the_exception_and_its_address)
{
    struct fixture f;
    open_engine(&f, "kvm", 0);
    ck_assert_int_eq(run(&f, t_wild), VT_BATCH_FAULT);
    ck_assert_ptr_nonnull(strstr(f.error.text, "#PF"));
    ck_assert_ptr_nonnull(strstr(f.error.text, "0x30000123"));
    f.engine->close(f.state);
}
END_TEST

static void on_alarm(int number)
{
    (void)number;
    stop = 1;
}

static void interrupt(const char *name, int cpl)
{
    struct fixture f;
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval soon = {.it_value = {.tv_usec = 10000}, .it_interval = {.tv_usec = 10000}};

    open_engine(&f, name, cpl);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    ck_assert_int_eq(run(&f, t_spin), VT_BATCH_INTERRUPTED);
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    f.engine->close(f.state);
}

START_TEST(native_ends_when_the_user_interrupts)
{
    interrupt("native", 3);
}
END_TEST

START_TEST(kvm_ends_when_the_user_interrupts)
{
    interrupt("kvm", 0);
}
END_TEST

#if VT_HAVE_LIBSECCOMP
/* From here on the call fails, where its arguments are such. */
static void refuse(int error, int call, unsigned count, const struct scmp_arg_cmp *arguments)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool loaded =
        filter &&
        seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((unsigned)error), call, count, arguments) == 0 &&
        seccomp_load(filter) == 0;

    seccomp_release(filter);
    if (!loaded)
        vt_skip("no seccomp filter can be set here");
}

/* Tables of a flushed code cache that stayed would lead into code that is gone. */
START_TEST(translate_forgets_its_tables_where_madvise_is_refused)
{
    refuse(EPERM, SCMP_SYS(madvise), 0, NULL);
    misbehave("translate", 0);
}
END_TEST

/* As on Linux before 5.19, whose KVM cannot be told to leave the guest's instructions alone. */
START_TEST(kvm_measures_no_instruction_that_it_rewrites)
{
    const struct vt_case *foreign = vt_guest_find_case(vt_vendor_has_svm() ? "vmcall" : "vmmcall"),
                         *own = vt_guest_find_case(vt_vendor_has_svm() ? "vmmcall" : "vmcall");
    char reason[512] = "";
    struct fixture f;

    refuse(EINVAL, SCMP_SYS(ioctl), 1, &SCMP_A1_32(SCMP_CMP_EQ, KVM_ENABLE_CAP));
    open_engine(&f, "kvm", 0);
    ck_assert(!f.engine->supports(f.state, foreign, 0, reason, sizeof reason));
    ck_assert_ptr_nonnull(strstr(reason, "replaces the instruction"));
    ck_assert(f.engine->supports(f.state, own, 0, reason, sizeof reason));
    f.engine->close(f.state);
}
END_TEST
#else
START_TEST(translate_forgets_its_tables_where_madvise_is_refused)
{
    vt_skip("built without libseccomp");
}
END_TEST

START_TEST(kvm_measures_no_instruction_that_it_rewrites)
{
    vt_skip("built without libseccomp");
}
END_TEST
#endif

static volatile sig_atomic_t seen;

static void on_signal(int number)
{
    seen = number;
}

START_TEST(native_gives_the_process_its_handlers_back)
{
    struct fixture f;
    struct sigaction mine = {.sa_handler = on_signal}, now;

    sigaction(SIGFPE, &mine, NULL);
    open_engine(&f, "native", 3);
    ck_assert_int_eq(run(&f, t_divide), VT_BATCH_FAULT);
    f.engine->close(f.state);
    sigaction(SIGFPE, NULL, &now);
    ck_assert_ptr_eq((void *)now.sa_handler, (void *)on_signal);
    ck_assert_int_eq(seen, 0);
}
END_TEST

static void hurry_within(struct fixture *f, uint64_t limit_ns, int turns)
{
    struct vt_engine_settings settings = {.limit_ns = limit_ns, .stop = &stop};

    ck_assert_int_eq(f->engine->open(&f->state, &settings, &f->error), 0);
    for (int i = 0; i < turns; i++) {
        enum vt_batch_end end = run(f, t_return);
        ck_assert_msg(end == VT_BATCH_DONE || end == VT_BATCH_TIMEOUT, "%d: %s", end, f->error.text);
    }
    f->engine->close(f->state);
}

/* Time that is up before the guest is entered, while it is and behind its end: at once, and at each moment of
 * the way, which takes some microseconds. */
static void hurry(const char *name, int cpl)
{
    enum { LONGEST = 60000, STEP = 500, TURNS = 25 };
    struct fixture f;

    open_engine(&f, name, cpl);
    f.engine->close(f.state);
    hurry_within(&f, 1, 2000);
    for (uint64_t limit = 1; limit < LONGEST; limit += STEP)
        hurry_within(&f, limit, TURNS);
}

START_TEST(native_ends_at_any_moment)
{
    hurry("native", 3);
}
END_TEST

START_TEST(trap_ends_at_any_moment)
{
    hurry("trap", 0);
}
END_TEST

START_TEST(translate_ends_at_any_moment)
{
    hurry("translate", 0);
}
END_TEST

VT_SUITE(translate_forgets_its_tables_where_madvise_is_refused, native_survives_bad_code,
         translate_survives_bad_code, trap_survives_bad_code,
         an_instruction_the_translator_does_not_know_is_unsupported_and_named,
         code_outside_the_cases_is_called_that, kvm_at_cpl_0_survives_bad_code,
         kvm_at_cpl_3_survives_bad_code, kvm_names_the_exception_and_its_address,
         kvm_measures_no_instruction_that_it_rewrites, native_ends_when_the_user_interrupts,
         kvm_ends_when_the_user_interrupts, native_gives_the_process_its_handlers_back,
         native_ends_at_any_moment, trap_ends_at_any_moment, translate_ends_at_any_moment)
