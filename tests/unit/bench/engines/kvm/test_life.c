/* The life of a machine: each step is timed, counted and seen, and nothing is left behind. */
#include "bench/engine.h"
#include "config.h"
#include "guest/catalogue.h"
#include "tests/unit/suite.h"

#include <dirent.h>
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#if VT_HAVE_SECCOMP
#include <seccomp.h>
#endif

static volatile int stop;
static const struct vt_engine *engine;
static void *state;
static struct vt_error error;

static void open_engine(void)
{
    const struct vt_engine_settings settings = {.limit_ns = 400000000, .stop = &stop};
    char reason[512] = "";

    engine = vt_bench_find_engine("kvm");
    if (!engine->available(reason, sizeof reason))
        vt_skip("%s", reason);
    int status = engine->open(&state, &settings, &error);
    if (status != 0 && error.exit == VT_EXIT_ENVIRONMENT)
        vt_skip("%s", error.text);
    ck_assert_msg(status == 0, "%s", error.text);
}

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");

    ck_assert_ptr_nonnull(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void live(const struct vt_case *c)
{
    struct vt_batch body = {0}, baseline = {0};
    char reason[512];

    ck_assert_msg(engine->supports(state, c, 0, reason, sizeof reason), "%s", reason);
    ck_assert_int_eq(engine->prepare(state, c, 0, &error), 0);
    ck_assert_msg(engine->batch(state, VT_BODY, 2, &body, &error) == VT_BATCH_DONE, "%s: %s", c->name,
                  error.text);
    ck_assert_int_eq(engine->batch(state, VT_BASELINE, 2, &baseline, &error), VT_BATCH_DONE);
    ck_assert_msg(body.cycles > baseline.cycles, "%s", c->name);
    ck_assert_msg(body.counters.value[VT_SYSTEM_CALLS] >= 2, "%s", c->name);
    ck_assert_msg(body.counters.value[VT_HONOURED] == 2, "%s: its effect was not seen", c->name);
    ck_assert_uint_eq(baseline.counters.value[VT_SYSTEM_CALLS], 0);
    ck_assert_uint_eq(baseline.counters.value[VT_HONOURED], 0);
}

START_TEST(every_step_is_timed_and_seen)
{
    size_t count, steps = 0;
    const struct vt_case *cases = vt_guest_cases(&count);

    open_engine();
    unsigned before = count_descriptors();
    for (size_t i = 0; i < count; i++)
        if (cases[i].needs & VT_NEED_HOST) {
            live(&cases[i]);
            steps++;
        }
    ck_assert_uint_eq(steps, VT_LIFE_STEPS - 1);
    ck_assert_uint_eq(count_descriptors(), before);
    engine->close(state);
}
END_TEST

START_TEST(a_step_that_is_refused_ends_the_batch)
{
#if VT_HAVE_SECCOMP
    const struct scmp_arg_cmp create = SCMP_A1_32(SCMP_CMP_EQ, KVM_CREATE_VCPU);
    struct vt_batch batch;

    open_engine();
    unsigned before = count_descriptors();
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool loaded = filter &&
                  seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSPC), SCMP_SYS(ioctl), 1, &create) == 0 &&
                  seccomp_load(filter) == 0;
    seccomp_release(filter);
    if (!loaded)
        vt_skip("no seccomp filter can be set here");
    ck_assert_int_eq(engine->prepare(state, vt_guest_find_case("vm-vcpu"), 0, &error), 0);
    ck_assert_int_eq(engine->batch(state, VT_BODY, 1, &batch, &error), VT_BATCH_BROKEN);
    ck_assert_msg(strstr(error.text, "KVM_CREATE_VCPU"), "%s", error.text);
    ck_assert_uint_eq(count_descriptors(), before);
    engine->close(state);
#else
    vt_skip("built without libseccomp");
#endif
}
END_TEST

START_TEST(where_instructions_are_counted_it_is_left_out)
{
    const struct vt_engine_settings settings = {.limit_ns = 400000000, .stop = &stop, .simulated = true};
    char reason[512] = "";

    open_engine();
    engine->close(state);
    ck_assert_int_eq(engine->open(&state, &settings, &error), 0);
    ck_assert(!engine->supports(state, vt_guest_find_case("vm-create"), 0, reason, sizeof reason));
    ck_assert_ptr_nonnull(strstr(reason, "count of instructions"));
    engine->close(state);
}
END_TEST

VT_SUITE(every_step_is_timed_and_seen, a_step_that_is_refused_ends_the_batch,
         where_instructions_are_counted_it_is_left_out)
