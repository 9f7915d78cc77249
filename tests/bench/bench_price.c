/*
 * What watching a machine costs: one reading, and the guest that is read. Both sides in one run: windows in
 * which it is read without a pause alternate with windows in which it is left alone, and its work is counted
 * by KVM per time it ran.
 *
 *     bench_price                    a machine of our own, by its statistics descriptor
 *     bench_price qmp SOCKET         QEMU's, by its monitor
 *     bench_price domain NAME        libvirt's
 *     bench_price pid PID            another process's
 *
 * The guest should do one thing for ever, and exit for it. At one reading a second a guest loses what a
 * reading takes from it.
 */
#include "bench/engine.h"
#include "price/watcher.h"
#include "tests/bench/versus.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS = 40, WINDOW_NS = 100000000, READINGS = 200 };

#define MOST_READING_NS 5e6
#define MOST_GUEST      0.001 /* at one reading a second */

/* OUT for ever, in a virtual machine of this process. */
static void run_guest(void)
{
    static const volatile int never;
    const struct vt_engine *engine = vt_bench_find_engine("kvm");
    const struct vt_engine_settings settings = {.limit_ns = 10000000000, .stop = &never, .vcpus = 1};
    struct vt_error error;
    struct vt_batch batch;
    void *state;
    if (engine->open(&state, &settings, &error) != 0 ||
        engine->prepare(state, vt_guest_find_case("out-user"), 0, &error) != 0) {
        puts(error.text);
        _exit(1);
    }
    while (engine->batch(state, VT_BODY, 10000, &batch, &error) == VT_BATCH_DONE)
        ;
    _exit(1);
}

struct window {
    double work; /* exits per second of run time */
    double run;  /* ns */
    size_t readings;
};

static bool read_once(struct vt_price_watcher *watcher, struct vt_price_reading *reading)
{
    struct vt_error error;
    if (vt_price_watcher_read(watcher, reading, &error) == 0)
        return true;
    puts(error.text);
    return false;
}

/* Between a reading and another one, with none or as many as fit. */
static bool pass(struct vt_price_watcher *watcher, bool busy, struct window *window)
{
    static struct vt_price_reading before, after, between;
    if (!read_once(watcher, &before))
        return false;
    window->readings = 0;
    for (double end = vt_versus_clock() + WINDOW_NS; vt_versus_clock() < end;) {
        if (!busy)
            nanosleep(&(struct timespec){.tv_nsec = WINDOW_NS / 4}, NULL);
        else if (!read_once(watcher, &between))
            return false;
        else
            window->readings++;
    }
    if (!read_once(watcher, &after))
        return false;
    window->run = after.said.times.run - before.said.times.run;
    window->work =
        (vt_price_count_of(&after.said.counts, "exits") - vt_price_count_of(&before.said.counts, "exits")) /
        window->run * 1e9;
    return window->run > 0;
}

/* Of the guest's run time, what one reading takes: the work that is missing, per reading. */
static int compare_guest(struct vt_price_watcher *watcher)
{
    static double lost[PAIRS];
    struct window quiet, busy;
    for (size_t i = 0; i < PAIRS; i++) {
        bool first = i % 2;
        if (!pass(watcher, first, first ? &busy : &quiet) || !pass(watcher, !first, first ? &quiet : &busy))
            return 1;
        lost[i] = (1 - busy.work / quiet.work) * busy.run / (double)(busy.readings ? busy.readings : 1);
    }
    double median = vt_versus_median(lost, PAIRS), share = median / 1e9;
    printf("the guest: a reading takes %.1f us from it (quartiles %.1f to %.1f); once a second that is %.4f "
           "%% (at most %.2f %%)\n",
           median / 1e3, lost[PAIRS / 4] / 1e3, lost[PAIRS - 1 - PAIRS / 4] / 1e3, 100 * share,
           100 * MOST_GUEST);
    return share <= MOST_GUEST ? 0 : 1;
}

static int time_readings(struct vt_price_watcher *watcher)
{
    static double took[READINGS];
    static struct vt_price_reading reading;
    for (size_t i = 0; i < READINGS; i++) {
        if (!read_once(watcher, &reading))
            return 1;
        took[i] = reading.took_ns;
    }
    /* Who answers must get a CPU first: on a machine that others use the fastest tenth is what it takes. */
    double median = vt_versus_median(took, READINGS), fastest = took[READINGS / 10];
    printf("a reading by %s: %.3f ms (median %.3f ms, nine of ten below %.3f ms; at most %.0f ms)\n",
           watcher->source->name, fastest / 1e6, median / 1e6, took[READINGS * 9 / 10] / 1e6,
           MOST_READING_NS / 1e6);
    return fastest <= MOST_READING_NS ? 0 : 1;
}

static int open_watcher(struct vt_price_watcher *watcher, const struct vt_price_target *target,
                        struct vt_error *error)
{
    int status = -1;
    /* A machine of our own takes a moment until it has descriptors. */
    for (int i = 0; i < 50 && status != 0; i++) {
        status = vt_price_watcher_open(watcher, target, error);
        if (status != 0)
            nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return status;
}

static int measure(const struct vt_price_target *target)
{
    struct vt_price_watcher watcher;
    struct vt_error error;
    if (open_watcher(&watcher, target, &error) != 0) {
        printf("cannot run: %s\n", error.text);
        return 1;
    }
    int failed = time_readings(&watcher) | compare_guest(&watcher);
    vt_price_watcher_close(&watcher);
    return failed;
}

int main(int argc, char **argv)
{
    struct vt_price_target target = {0};
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && strcmp(argv[1], "qmp") == 0)
        target.qmp = argv[2];
    else if (argc == 3 && strcmp(argv[1], "domain") == 0)
        target.domain = argv[2];
    else if (argc == 3 && strcmp(argv[1], "pid") == 0)
        target.process = (pid_t)strtol(argv[2], NULL, 10);
    if (target.qmp || target.domain || target.process)
        return measure(&target);
    pid_t child = target.process = fork();
    if (child == 0)
        run_guest();
    int failed = child < 0 || measure(&target);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return failed;
}
