/*
 * The bills of a session: of each machine, of its intervals, and why one has none.
 */
#ifndef VT_PRICE_BILLS_H
#define VT_PRICE_BILLS_H

#include "price/price.h"
#include "price/session.h"

struct vt_price_unread {
    char machine[128];
    char why[512];
};

/* The dearest first. The session and the tolls must outlive them. */
struct vt_price_bills {
    struct vt_price *list; /* owned, with their parts */
    size_t count;
    struct vt_price_unread *unread; /* owned */
    size_t unread_count;
};

/*
 * Of all that were watched; `tolls` may be NULL. Tolls that do not fit are refused as vt_price_make does. Of
 * several machines, one that runs guests of its own gets a bill without tolls; a single one is refused.
 */
int vt_price_bills_make(struct vt_price_bills *bills, const struct vt_price_session *session,
                        const struct vt_result *tolls, const json_t *host, bool force,
                        struct vt_error *error);

/* Say of all what metrics are told apart by (show/metrics.h). */
void vt_price_bills_set_page(struct vt_price_bills *bills, const char *page);

/* Safe when they could not be made. */
void vt_price_bills_release(struct vt_price_bills *bills);

#endif
