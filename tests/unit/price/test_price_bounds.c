/* The truth lies between the bounds: a machine of ours on this KVM, which takes note of its CPU time at its
 * exits and between. */
#include "bench/available.h"
#include "bench/runner.h"
#include "bench/select.h"
#include "price/price.h"
#include "price/session.h"
#include "probes/probe.h"
#include "result/document.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the machine knows of itself, in nanoseconds of its thread's CPU time. */
struct truth {
    _Atomic uint64_t crossing, all;
    _Atomic bool ready;
};

/* Of a turn: what crosses, and what computes. Short, for a turn at the edge of the watch counts for neither
 * side. */
#define CROSSING_NS 2e6
#define COMPUTE_NS  5e6

enum { FIRST = 40, FIRST_TURNS = 1000000 };

static uint64_t spent_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static const struct vt_engine *engine;
static void *state;

static uint64_t take(enum vt_twin twin, uint64_t iterations)
{
    struct vt_batch done;
    struct vt_error error;
    uint64_t begun = spent_ns();
    if (engine->batch(state, twin, iterations, &done, &error) != VT_BATCH_DONE)
        _exit(2);
    return spent_ns() - begun;
}

/* OUTs that user space answers, and the same loop without them, which is what else there is: compute, and a
 * doorbell. */
static void serve(struct truth *truth)
{
    static const volatile int never;
    const struct vt_engine_settings settings = {.limit_ns = 10000000000, .stop = &never, .vcpus = 1};
    struct vt_error error;
    engine = vt_bench_find_engine("kvm");
    if (engine->open(&state, &settings, &error) != 0 ||
        engine->prepare(state, vt_guest_find_case("out-user"), 3, &error) != 0)
        _exit(1);
    for (int i = 0; i < 20; i++)
        take(VT_BODY, FIRST);
    uint64_t outs = (uint64_t)(CROSSING_NS * FIRST / (double)take(VT_BODY, FIRST)) + FIRST,
             turns = (uint64_t)(COMPUTE_NS * FIRST_TURNS / (double)take(VT_BASELINE, FIRST_TURNS)) + 1;
    for (;;) {
        uint64_t with = take(VT_BODY, outs), without = take(VT_BASELINE, outs),
                 other = take(VT_BASELINE, turns);
        truth->crossing += with > without ? with - without : 0;
        truth->all += with + without + other;
        truth->ready = true;
    }
}

static struct vt_result *measure_tolls(json_t *host, struct vt_error *error)
{
    static const volatile int never;
    const struct vt_selection selection = {
        .engines = "kvm", .cases = "nop,cpuid,in-user,out-user,out-eventfd", .levels = "3"};
    struct vt_plan plan = {0};
    struct vt_run run;
    struct vt_result *result = NULL;
    ck_assert_int_eq(vt_select(&selection, &plan, error), 0);
    plan.budget = 3;
    plan.cpu = -1;
    plan.stop = &never;
    if (vt_bench_run(&run, &plan, error) == 0) {
        struct vt_document document = {
            .host = host, .settings = json_object(), .measurements = run.measurements, .count = run.count};
        result = vt_result_make(&document, error);
        json_decref(document.settings);
        vt_run_release(&run);
    }
    vt_select_release(&plan);
    return result;
}

/* The share that was true while it was watched. */
static double watch_truth(pid_t machine, const struct truth *truth, struct vt_price_watch *watch)
{
    static const volatile int never;
    struct vt_error error;
    uint64_t crossing = truth->crossing, all = truth->all;
    int status = vt_price_watch(&(struct vt_price_target){.process = machine}, 1, &never, watch, &error);
    ck_assert_msg(status == 0, "%s", error.text);
    return (double)(truth->crossing - crossing) / (double)(truth->all - all);
}

START_TEST(the_truth_lies_between_the_bounds)
{
    char why[512];
    struct vt_error error;
    struct vt_price_watch watch;
    struct vt_price price;
    if (!vt_bench_available(vt_bench_find_engine("kvm"), why, sizeof why))
        vt_skip("%s", why);
    json_t *host = vt_probes_machine(&error);
    struct vt_result *tolls = measure_tolls(host, &error);
    ck_assert_msg(tolls != NULL, "%s", error.text);
    struct truth *truth =
        mmap(NULL, sizeof *truth, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t machine = fork();
    if (machine == 0)
        serve(truth);
    for (int i = 0; i < 500 && !truth->ready && waitpid(machine, NULL, WNOHANG) == 0; i++)
        usleep(10000);
    ck_assert_msg(truth->ready, "the machine did not start");
    double share = watch_truth(machine, truth, &watch);
    kill(machine, SIGKILL);
    waitpid(machine, NULL, 0);
    ck_assert_int_eq(vt_price_make(&price, &watch, tolls, host, false, &error), 0);
    printf("# at least %.2f %%, truth %.2f %%, about %.2f %%, at most %.2f %%\n", 100 * price.low,
           100 * share, 100 * price.middle, 100 * price.high);
    printf("# ran %.0f ms, in the guest by ticks %.0f ms; %.0f exits of %.0f ns, the least %.0f ns\n",
           watch.times.run / 1e6, watch.times.guest / 1e6, vt_price_count_of(&watch.delta, "exits"),
           share * watch.times.run / vt_price_count_of(&watch.delta, "exits"),
           vt_price_toll_find(tolls, NULL, VT_PROOF_KERNEL_EXIT).ns);
    fflush(stdout);
    ck_assert(share > 0.02 && share < 0.98);
    /* Tolls were measured a moment before, and are the least: what others do to this machine changes
     * meanwhile. */
    ck_assert_msg(price.low <= share * 1.15, "at least %g, truth %g", price.low, share);
    ck_assert_msg(price.low >= share * 0.4, "at least %g is no bound to speak of, truth %g", price.low,
                  share);
    ck_assert_msg(price.high >= share, "at most %g, truth %g", price.high, share);
    vt_result_free(tolls);
    json_decref(host);
}
END_TEST

VT_SUITE(the_truth_lies_between_the_bounds)
