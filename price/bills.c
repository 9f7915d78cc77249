#include "price/bills.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct making {
    struct vt_price_bills *bills;
    const struct vt_result *tolls;
    const json_t *host;
    bool force, several;
};

static int add_parts(const struct making *m, struct vt_price *bill, const struct vt_price_watched *w,
                     struct vt_error *error)
{
    if (w->part_count < 2)
        return 0;
    bill->parts = calloc(w->part_count, sizeof *bill->parts);
    if (!bill->parts)
        return vt_error_memory(error, "bills of intervals");
    int status = 0;
    for (bill->part_count = 0; status == 0 && bill->part_count < w->part_count; bill->part_count++)
        status = vt_price_make(&bill->parts[bill->part_count], &w->parts[bill->part_count], bill->tolls,
                               m->host, m->force, error);
    return status;
}

static int add_bill(const struct making *m, const struct vt_price_watched *w, struct vt_error *error)
{
    struct vt_price *bill = vt_memory_append(m->bills->list, m->bills->count);
    if (!bill)
        return vt_error_memory(error, "a bill");
    *bill = (struct vt_price){.watch = NULL};
    const struct vt_result *tolls = m->several && w->whole.nested && !m->force ? NULL : m->tolls;
    int status = vt_price_make(bill, &w->whole, tolls, m->host, m->force, error);
    return status == 0 ? add_parts(m, bill, w, error) : status;
}

static void name_target(const struct vt_price_watched *w, char *name, size_t size)
{
    if (*w->watcher.machine)
        snprintf(name, size, "%s", w->watcher.machine);
    else if (w->target.domain)
        snprintf(name, size, "%.120s", w->target.domain);
    else
        snprintf(name, size, "process %d", (int)w->target.process);
    vt_text_clean(name, strlen(name));
}

static int add_unread(struct vt_price_bills *bills, const struct vt_price_watched *w, struct vt_error *error)
{
    struct vt_price_unread *slot = vt_memory_append(bills->unread, bills->unread_count);
    if (!slot)
        return vt_error_memory(error, "what could not be read");
    name_target(w, slot->machine, sizeof slot->machine);
    snprintf(slot->why, sizeof slot->why, "%s",
             *w->error.text ? w->error.text : "stopped before it was read twice");
    return 0;
}

static double rank(const struct vt_price *bill)
{
    return !isnan(bill->low) ? bill->low : !isnan(bill->high) ? bill->high - 2 : -2;
}

static int dearest_first(const void *a, const void *b)
{
    double one = rank(a), two = rank(b);
    return (one < two) - (one > two);
}

int vt_price_bills_make(struct vt_price_bills *bills, const struct vt_price_session *session,
                        const struct vt_result *tolls, const json_t *host, bool force, struct vt_error *error)
{
    const struct making making = {bills, tolls, host, force, session->count > 1};
    int status = 0;
    *bills = (struct vt_price_bills){0};
    for (size_t i = 0; status == 0 && i < session->count; i++) {
        const struct vt_price_watched *w = &session->list[i];
        bool read_twice = !vt_price_session_error(session, i) && w->whole.seconds > 0;
        status = read_twice ? add_bill(&making, w, error) : add_unread(bills, w, error);
    }
    if (bills->count > 1)
        qsort(bills->list, bills->count, sizeof *bills->list, dearest_first);
    return status;
}

void vt_price_bills_set_page(struct vt_price_bills *bills, const char *page)
{
    for (size_t i = 0; i < bills->count; i++)
        snprintf(bills->list[i].page, sizeof bills->list[i].page, "%s", page);
}

void vt_price_bills_release(struct vt_price_bills *bills)
{
    for (size_t i = 0; i < bills->count; i++)
        free(bills->list[i].parts);
    free(bills->list);
    free(bills->unread);
    *bills = (struct vt_price_bills){0};
}
