#include "base/process/clock.h"
#include "base/text.h"
#include "price/price.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#define PROC "/proc"

struct reading {
    struct vt_price_counts counts;
    struct vt_price_times times;
    uint64_t at;
    unsigned long long began; /* of the process */
};

struct watching {
    const struct vt_price_source *source;
    void *state;
    struct vt_price_threads threads;
};

static int open_first(const struct vt_price_target *target, struct watching *w, struct vt_price_watch *watch,
                      struct vt_error *error)
{
    size_t count;
    const struct vt_price_source *const *sources = vt_price_sources(&count);
    char said[sizeof watch->untried] = "";
    int status = -EINVAL;
    for (size_t i = 0; i < count; i++) {
        struct vt_error why;
        if (!sources[i]->suits(target))
            continue;
        w->source = sources[i];
        status =
            sources[i]->open(&w->state, target, watch->machine, sizeof watch->machine, &w->threads, &why);
        if (status == 0)
            break;
        if (why.exit == VT_EXIT_USAGE) {
            *error = why;
            return status;
        }
        vt_text_append(said, sizeof said, "%s%s: %s", *said ? "; " : "", sources[i]->name, why.text);
    }
    watch->source = w->source;
    vt_text_clean(watch->machine, strlen(watch->machine));
    vt_text_append(watch->untried, sizeof watch->untried, "%s", said);
    if (status == 0)
        return 0;
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, -status, "no statistics to be had: %s", said);
}

static double take_reading(struct watching *w, struct reading *reading, int *status, struct vt_error *error)
{
    uint64_t begun = vt_clock_now();
    *status = w->source->read(w->state, &reading->counts, error);
    reading->at = vt_clock_now();
    if (!vt_price_threads_read(PROC, &w->threads, &reading->times))
        reading->times = (struct vt_price_times){NAN, NAN, NAN};
    reading->began = w->threads.process ? vt_price_threads_began(PROC, w->threads.process) : 0;
    return (double)(reading->at - begun);
}

static bool goes_on(const struct watching *w, const struct reading *before)
{
    return before->began == 0 || vt_price_threads_began(PROC, w->threads.process) == before->began;
}

/* Nobody waits for the end of a machine that has ended. */
static void sleep_until(uint64_t deadline, const struct watching *w, const struct reading *before,
                        const volatile int *stop)
{
    enum { STEP = 100000000 };
    for (uint64_t now; !*stop && goes_on(w, before) && (now = vt_clock_now()) < deadline;) {
        uint64_t left = deadline - now;
        nanosleep(&(struct timespec){.tv_nsec = left < STEP ? (long)left : STEP}, NULL);
    }
}

static int compare(const struct reading *before, const struct reading *after, struct vt_price_watch *watch,
                   struct vt_error *error)
{
    watch->seconds = (double)(after->at - before->at) / 1e9;
    watch->times =
        (struct vt_price_times){after->times.run - before->times.run, after->times.wait - before->times.wait,
                                after->times.guest - before->times.guest};
    watch->nested = vt_price_count_of(&after->counts, "guest_mode") > 0;
    if (before->began == after->began &&
        vt_price_counts_since(&before->counts, &after->counts, &watch->delta)) {
        watch->nested |= vt_price_count_of(&watch->delta, "nested_run") > 0;
        return 0;
    }
    return vt_error_set(
        error, VT_EXIT_ENVIRONMENT, ESTALE,
        "%s is no longer the machine it was: it ended, or a vCPU of it did, while it was watched",
        watch->machine);
}

static int read_twice(struct watching *w, double seconds, const volatile int *stop,
                      struct vt_price_watch *watch, struct vt_error *error)
{
    struct reading before, after;
    int status;
    double first = take_reading(w, &before, &status, error);
    if (status != 0)
        return status;
    sleep_until(before.at + (uint64_t)(seconds * 1e9), w, &before, stop);
    watch->reading_ns = fmax(first, take_reading(w, &after, &status, error));
    return status == 0 ? compare(&before, &after, watch, error) : status;
}

int vt_price_watch(const struct vt_price_target *target, double seconds, const volatile int *stop,
                   struct vt_price_watch *watch, struct vt_error *error)
{
    struct watching w = {0};
    *watch = (struct vt_price_watch){0};
    int status = open_first(target, &w, watch, error);
    if (status != 0)
        return status;
    /* Who listens may hand on what the machine says: that he has but one thread tells nothing. */
    if (w.threads.count == 0)
        status = vt_price_threads_find(PROC, target->process ? target->process : w.threads.process,
                                       target->process != 0, &w.threads);
    watch->vcpus = w.threads.count;
    status = status == -ENOMEM ? vt_error_memory(error, "the threads of vCPUs")
                               : read_twice(&w, seconds, stop, watch, error);
    w.source->close(w.state);
    vt_price_threads_release(&w.threads);
    return status;
}
