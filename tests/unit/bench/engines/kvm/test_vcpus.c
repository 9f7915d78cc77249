/* More vCPUs than one: those that run a case beside the first, and the one that a case calls. */
#include "base/process/affinity.h"
#include "bench/engine.h"
#include "guest/abi.h"
#include "tests/unit/suite.h"

#include <stddef.h>
#include <string.h>

_Static_assert(offsetof(struct vt_scratch, buffer) == 0x140, "known to the assembly");

/* t_alone writes to its scratch block and takes a while: whoever shares it finds the mark of the other. */
__asm__(".pushsection vt_cases, \"ax\", @progbits\n"
        "t_spin: jmp t_spin\n"
        "t_return: ret\n"
        "t_alone: cmpq $0, 0x140(%rsi)\n"
        "         jne 2f\n"
        "         movq $1, 0x140(%rsi)\n"
        "         mov $100, %ecx\n"
        "1:       dec %ecx\n"
        "         jnz 1b\n"
        "         movq $0, 0x140(%rsi)\n"
        "         ret\n"
        "2:       ud2\n"
        ".popsection\n");
void t_spin(uint64_t, struct vt_scratch *);
void t_return(uint64_t, struct vt_scratch *);
void t_alone(uint64_t, struct vt_scratch *);

static volatile int stop;

struct fixture {
    const struct vt_engine *engine;
    void *state;
    struct vt_affinity cpus;
    struct vt_case c;
    struct vt_batch batch;
    struct vt_error error;
};

static struct fixture fixture, *const f = &fixture;

static void open_engine(unsigned vcpus)
{
    struct vt_engine_settings settings = {
        .limit_ns = 400000000, .stop = &stop, .cpus = &f->cpus, .vcpus = vcpus};
    char reason[512] = "";

    *f = (struct fixture){.engine = vt_bench_find_engine("kvm")};
    ck_assert_int_eq(vt_affinity_get(&f->cpus), 0);
    if (!f->engine->available(reason, sizeof reason))
        vt_skip("%s", reason);
    int status = f->engine->open(&f->state, &settings, &f->error);
    if (status != 0 && f->error.exit == VT_EXIT_ENVIRONMENT)
        vt_skip("%s", f->error.text);
    ck_assert_msg(status == 0, "%s", f->error.text);
}

static enum vt_batch_end run(vt_case_function body, uint64_t iterations)
{
    f->c = (struct vt_case){.name = "test", .operation = "test", .body = body, .baseline = t_return};
    ck_assert_msg(f->engine->prepare(f->state, &f->c, 0, &f->error) == 0, "%s", f->error.text);
    return f->engine->batch(f->state, VT_BODY, iterations, &f->batch, &f->error);
}

static void require_counters(void)
{
    char reason[512];

    if (!f->engine->supports(f->state, vt_guest_find_case("nop"), 0, reason, sizeof reason))
        vt_skip("%s", reason);
}

START_TEST(all_run_the_same_at_once)
{
    open_engine(3);
    require_counters();
    const struct vt_case *nop = vt_guest_find_case("nop");
    uint64_t beside = 0;
    ck_assert_msg(f->engine->prepare(f->state, nop, 0, &f->error) == 0, "%s", f->error.text);
    for (int i = 0; i < 20; i++) {
        enum vt_batch_end end = f->engine->batch(f->state, i % 2, 1000, &f->batch, &f->error);
        ck_assert_msg(end == VT_BATCH_DONE, "%s", f->error.text);
        ck_assert(vt_counters_has(&f->batch.counters, VT_BESIDE));
        beside += f->batch.counters.value[VT_BESIDE];
    }
    ck_assert_uint_gt(beside, 0);
    f->engine->close(f->state);
}
END_TEST

START_TEST(each_has_a_copy_of_its_own)
{
    open_engine(2);
    for (int i = 0; i < 20; i++)
        ck_assert_msg(run(t_alone, 1) == VT_BATCH_DONE, "%s", f->error.text);
    f->engine->close(f->state);
}
END_TEST

START_TEST(code_that_does_not_return_ends_on_all_of_them)
{
    open_engine(2);
    ck_assert_int_eq(run(t_return, 1), VT_BATCH_DONE);
    ck_assert_int_eq(run(t_spin, 1), VT_BATCH_TIMEOUT);
    ck_assert_msg(run(t_return, 1) == VT_BATCH_DONE, "%s", f->error.text);
    f->engine->close(f->state);
}
END_TEST

START_TEST(what_has_a_second_vcpu_of_its_own_is_left_out)
{
    char reason[512] = "";

    open_engine(2);
    require_counters();
    ck_assert(!f->engine->supports(f->state, vt_guest_find_case("x2apic-ipi"), 0, reason, sizeof reason));
    ck_assert_ptr_nonnull(strstr(reason, "--vcpus"));
    ck_assert(!f->engine->supports(f->state, vt_guest_find_case("vm-create"), 0, reason, sizeof reason));
    f->engine->close(f->state);
}
END_TEST

static void call(const char *name, uint64_t iterations, uint64_t answers)
{
    const struct vt_case *c = vt_guest_find_case(name);
    char reason[512];

    if (!f->engine->supports(f->state, c, 0, reason, sizeof reason))
        vt_skip("%s", reason);
    ck_assert_msg(f->engine->prepare(f->state, c, 0, &f->error) == 0, "%s", f->error.text);
    enum vt_batch_end end = f->engine->batch(f->state, VT_BODY, iterations, &f->batch, &f->error);
    /* Both vCPUs are interpreted here and there, on CPUs that others use: late is not wrong. */
    if (end == VT_BATCH_TIMEOUT)
        vt_skip("%s: the other vCPU did not get a CPU in time", name);
    ck_assert_msg(end == VT_BATCH_DONE, "%s: %s", name, f->error.text);
    ck_assert_uint_eq(f->batch.counters.value[VT_INTERRUPTS], answers);
}

START_TEST(a_call_is_answered_by_a_vcpu_that_runs)
{
    open_engine(1);
    call("x2apic-ipi-running", 3, 3);
    call("x2apic-ipi-halted", 3, 3);
    call("round-robin", 3, 0);
    f->engine->close(f->state);
}
END_TEST

START_TEST(without_a_second_cpu_nobody_is_called)
{
    char reason[512] = "";

    open_engine(1);
    f->engine->close(f->state);
    ck_assert_int_eq(vt_affinity_pin(vt_affinity_last(&f->cpus)), 0);
    open_engine(1);
    ck_assert(!f->engine->supports(f->state, vt_guest_find_case("round-robin"), 0, reason, sizeof reason));
    ck_assert_msg(strstr(reason, "second CPU") || strstr(reason, "KVM_"), "%s", reason);
    f->engine->close(f->state);
}
END_TEST

VT_SUITE(all_run_the_same_at_once, each_has_a_copy_of_its_own, code_that_does_not_return_ends_on_all_of_them,
         what_has_a_second_vcpu_of_its_own_is_left_out, a_call_is_answered_by_a_vcpu_that_runs,
         without_a_second_cpu_nobody_is_called)
