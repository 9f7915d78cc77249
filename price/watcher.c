#include "price/watcher.h"
#include "base/process/clock.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define PROC "/proc"

static int open_first(const struct vt_price_target *target, struct vt_price_watcher *w,
                      struct vt_error *error)
{
    size_t count;
    const struct vt_price_source *const *sources = vt_price_sources(&count);
    int status = -EINVAL;
    for (size_t i = 0; i < count; i++) {
        struct vt_error why;
        if (!sources[i]->suits(target))
            continue;
        w->source = sources[i];
        status = sources[i]->open(&w->state, target, w->machine, sizeof w->machine, &w->threads, &why);
        if (status == 0)
            break;
        if (why.exit == VT_EXIT_USAGE) {
            *error = why;
            return status;
        }
        vt_text_append(w->untried, sizeof w->untried, "%s%s: %s", *w->untried ? "; " : "", sources[i]->name,
                       why.text);
    }
    vt_text_clean(w->machine, strlen(w->machine));
    if (status == 0)
        return 0;
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, -status, "no statistics to be had: %s", w->untried);
}

static int find_threads(const struct vt_price_target *target, struct vt_price_watcher *w,
                        struct vt_error *error)
{
    if (w->threads.count > 0)
        return 0;
    /* Who listens may hand on what the machine says: that he has but one thread tells nothing. */
    pid_t process = target->process ? target->process : w->threads.process;
    int status = vt_price_threads_find(PROC, process, target->process != 0, &w->threads);
    return status == -ENOMEM ? vt_error_memory(error, "the threads of vCPUs") : 0;
}

static int count_reasons(const struct vt_price_target *target, struct vt_price_watcher *w,
                         struct vt_error *error)
{
    if (!target->reasons)
        return 0;
    if (w->threads.count == 0)
        return vt_error_set(
            error, VT_EXIT_ENVIRONMENT, ESRCH,
            "exits by reason: the threads of %s's vCPUs are not known, on which they are counted",
            w->machine);
    return vt_price_reasons_open(&w->reasons, NULL, w->threads.list, w->threads.count, error);
}

int vt_price_watcher_open(struct vt_price_watcher *watcher, const struct vt_price_target *target,
                          struct vt_error *error)
{
    *watcher = (struct vt_price_watcher){0};
    int status = open_first(target, watcher, error);
    if (status != 0)
        return status;
    status = find_threads(target, watcher, error);
    if (status == 0)
        status = count_reasons(target, watcher, error);
    if (status != 0)
        vt_price_watcher_close(watcher);
    return status;
}

int vt_price_watcher_trim(struct vt_price_watcher *watcher, struct vt_error *error)
{
    return watcher->reasons ? vt_price_reasons_trim(watcher->reasons, error) : 0;
}

int vt_price_watcher_read(struct vt_price_watcher *watcher, struct vt_price_reading *reading,
                          struct vt_error *error)
{
    uint64_t begun = vt_clock_now();
    struct vt_price_times times;
    *reading = (struct vt_price_reading){.said = {.times = {NAN, NAN, NAN}, .at = NAN}};
    int status = watcher->source->read(watcher->state, &reading->said, error);
    reading->at = vt_clock_now();
    if (status == 0 && watcher->reasons)
        status = vt_price_reasons_read(watcher->reasons, &reading->said.counts, error);
    if (vt_price_threads_read(PROC, &watcher->threads, &times))
        reading->said.times = times;
    reading->began = watcher->threads.process ? vt_price_threads_began(PROC, watcher->threads.process) : 0;
    reading->took_ns = (double)(vt_clock_now() - begun);
    return status;
}

bool vt_price_watcher_goes_on(const struct vt_price_watcher *watcher, const struct vt_price_reading *before)
{
    return before->began == 0 || vt_price_threads_began(PROC, watcher->threads.process) == before->began;
}

static double seconds_between(const struct vt_price_reading *before, const struct vt_price_reading *after)
{
    double told = after->said.at - before->said.at;
    return isnan(told) ? (double)(after->at - before->at) / 1e9 : told;
}

int vt_price_watcher_compare(const struct vt_price_watcher *watcher, const struct vt_price_reading *before,
                             const struct vt_price_reading *after, struct vt_price_watch *watch,
                             struct vt_error *error)
{
    const struct vt_price_times *then = &before->said.times, *now = &after->said.times;
    *watch = (struct vt_price_watch){
        .source = watcher->source,
        .times = {now->run - then->run, now->wait - then->wait, now->guest - then->guest},
        .seconds = seconds_between(before, after),
        .reading_ns = fmax(before->took_ns, after->took_ns),
        .vcpus = watcher->threads.count,
        .events = watcher->reasons ? vt_price_reasons_open_set(watcher->reasons) : 0,
        .event_ns = NAN,
        .nested = vt_price_count_of(&after->said.counts, "guest_mode") > 0};
    memcpy(watch->machine, watcher->machine, sizeof watch->machine);
    memcpy(watch->untried, watcher->untried, sizeof watch->untried);
    if (!(watch->seconds > 0))
        return vt_error_set(
            error, VT_EXIT_ENVIRONMENT, ENODATA,
            "%s: nothing was written while it was watched: %s writes each minute, so watch longer "
            "(--seconds 61)",
            watcher->machine, watcher->source->name);
    if (before->began == after->began &&
        vt_price_counts_since(&before->said.counts, &after->said.counts, &watch->delta)) {
        watch->nested |= vt_price_count_of(&watch->delta, "nested_run") > 0;
        return 0;
    }
    return vt_error_set(
        error, VT_EXIT_ENVIRONMENT, ESTALE,
        "%s is no longer the machine it was: it ended, or a vCPU of it did, while it was watched",
        watcher->machine);
}

void vt_price_watcher_close(struct vt_price_watcher *watcher)
{
    vt_price_reasons_close(watcher->reasons);
    watcher->source->close(watcher->state);
    vt_price_threads_release(&watcher->threads);
}
