#include "price/session.h"
#include "base/memory.h"
#include "base/process/clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void end(struct vt_price_watched *w)
{
    if (w->open)
        vt_price_watcher_close(&w->watcher);
    w->open = false;
}

static int begin(struct vt_price_watched *w, const struct vt_price_target *target, struct vt_error *error)
{
    w->target = *target;
    w->first = calloc(1, sizeof *w->first);
    w->last = calloc(1, sizeof *w->last);
    if (!w->first || !w->last)
        return vt_error_memory(error, "readings");
    w->open = vt_price_watcher_open(&w->watcher, target, &w->error) == 0;
    return 0;
}

static void read_first(struct vt_price_watched *w)
{
    if (w->open && (vt_price_watcher_trim(&w->watcher, &w->error) != 0 ||
                    vt_price_watcher_read(&w->watcher, w->first, &w->error) != 0))
        end(w);
    if (w->open)
        *w->last = *w->first;
}

/* Which reasons occur shows soon. */
static void read_all(struct vt_price_session *session)
{
    bool reasons = false;
    for (size_t i = 0; i < session->count; i++)
        reasons |= session->list[i].open && session->list[i].watcher.reasons;
    if (reasons)
        nanosleep(&(struct timespec){.tv_nsec = VT_PRICE_SCOUT_MS * 1000000L}, NULL);
    for (size_t i = 0; i < session->count; i++)
        read_first(&session->list[i]);
}

int vt_price_session_open(struct vt_price_session *session, const struct vt_price_target *targets,
                          size_t count, struct vt_error *error)
{
    *session = (struct vt_price_session){.list = calloc(count, sizeof *session->list)};
    if (!session->list)
        return vt_error_memory(error, "readings");
    for (session->count = 0; session->count < count; session->count++) {
        int status = begin(&session->list[session->count], &targets[session->count], error);
        if (status != 0) {
            session->count++;
            return status;
        }
    }
    read_all(session);
    return 0;
}

static bool goes_on(const struct vt_price_session *session)
{
    return session->count != 1 ||
           (session->list[0].open &&
            vt_price_watcher_goes_on(&session->list[0].watcher, session->list[0].last));
}

static void sleep_until(const struct vt_price_session *session, uint64_t deadline, const volatile int *stop)
{
    enum { STEP = 100000000 };
    for (uint64_t now; !*stop && goes_on(session) && (now = vt_clock_now()) < deadline;) {
        uint64_t left = deadline - now;
        nanosleep(&(struct timespec){.tv_nsec = left < STEP ? (long)left : STEP}, NULL);
    }
}

static int keep_part(struct vt_price_watched *w, const struct vt_price_watch *part, struct vt_error *error)
{
    struct vt_price_watch *slot = vt_memory_append(w->parts, w->part_count);
    if (!slot)
        return vt_error_memory(error, "intervals");
    *slot = *part;
    return 0;
}

/* A source with a clock of its own may have nothing new to say. */
static bool is_news(const struct vt_price_watched *w, const struct vt_price_reading *now)
{
    return isnan(now->said.at) || now->said.at != w->last->said.at;
}

static int compare(struct vt_price_watched *w, const struct vt_price_reading *now)
{
    struct vt_error why = {0};
    int status = vt_price_watcher_compare(&w->watcher, w->first, now, &w->whole, &why);
    if (status == 0)
        status = vt_price_watcher_compare(&w->watcher, w->last, now, &w->latest, &why);
    w->error = why;
    return status;
}

static int read_once(struct vt_price_watched *w, bool keep, struct vt_error *error)
{
    struct vt_price_reading now;
    bool news = vt_price_watcher_read(&w->watcher, &now, &w->error) == 0;
    if (news && !is_news(w, &now)) {
        if (w->whole.seconds == 0)
            compare(w, &now); /* which tells why there is no bill yet */
        return 0;
    }
    if (!news || compare(w, &now) != 0) {
        end(w);
        return 0;
    }
    *w->last = now;
    return keep ? keep_part(w, &w->latest, error) : 0;
}

int vt_price_session_go_on(struct vt_price_session *session, double seconds, bool keep,
                           const volatile int *stop, struct vt_error *error)
{
    uint64_t begun = 0;
    for (size_t i = 0; i < session->count && begun == 0; i++)
        begun = session->list[i].open ? session->list[i].last->at : 0;
    sleep_until(session, begun + (uint64_t)(seconds * 1e9), stop);
    int status = 0;
    for (size_t i = 0; status == 0 && i < session->count; i++)
        if (session->list[i].open)
            status = read_once(&session->list[i], keep, error);
    return status;
}

size_t vt_price_session_open_count(const struct vt_price_session *session)
{
    size_t count = 0;
    for (size_t i = 0; i < session->count; i++)
        count += session->list[i].open;
    return count;
}

uint32_t vt_price_session_events(const struct vt_price_session *session)
{
    uint32_t set = 0;
    for (size_t i = 0; i < session->count; i++)
        set |= session->list[i].open && session->list[i].watcher.reasons
                   ? vt_price_reasons_open_set(session->list[i].watcher.reasons)
                   : 0;
    return set;
}

const struct vt_error *vt_price_session_error(const struct vt_price_session *session, size_t i)
{
    const struct vt_error *error = &session->list[i].error;
    return *error->text ? error : NULL;
}

void vt_price_session_set_event(struct vt_price_session *session, double each_ns)
{
    for (size_t i = 0; i < session->count; i++) {
        struct vt_price_watched *w = &session->list[i];
        w->whole.event_ns = w->latest.event_ns = each_ns;
        for (size_t k = 0; k < w->part_count; k++)
            w->parts[k].event_ns = each_ns;
    }
}

int vt_price_watch(const struct vt_price_target *target, double seconds, const volatile int *stop,
                   struct vt_price_watch *watch, struct vt_error *error)
{
    struct vt_price_session session;
    int status = vt_price_session_open(&session, target, 1, error);
    if (status == 0)
        status = vt_price_session_go_on(&session, seconds, false, stop, error);
    const struct vt_error *why = status == 0 ? vt_price_session_error(&session, 0) : NULL;
    if (status == 0)
        *watch = session.list[0].whole;
    if (why) {
        *error = *why;
        status = why->number ? -why->number : -EINVAL;
    }
    vt_price_session_release(&session);
    return status;
}

void vt_price_session_release(struct vt_price_session *session)
{
    for (size_t i = 0; i < session->count; i++) {
        struct vt_price_watched *w = &session->list[i];
        end(w);
        free(w->first);
        free(w->last);
        free(w->parts);
    }
    free(session->list);
    *session = (struct vt_price_session){0};
}
