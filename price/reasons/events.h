/*
 * What is counted to tell exits apart: tracepoints of KVM's, each with a filter, by processor.
 */
#ifndef VT_PRICE_REASONS_EVENTS_H
#define VT_PRICE_REASONS_EVENTS_H

#include "vmm/backend.h"

#include <stdbool.h>
#include <stddef.h>

struct vt_price_event {
    const char *tracepoint; /* of the subsystem kvm */
    const char *filter;     /* Documentation/trace/events.rst, "Event filtering"; NULL: all */
    const char *counter;    /* by this name it joins KVM's own */
    bool kept;              /* others are told apart by it: it is counted however rare it is */
};

enum { VT_PRICE_EVENTS = 24 };

/* Those of a backend, VT_PRICE_EVENTS at most. */
const struct vt_price_event *vt_price_events(enum vt_backend backend, size_t *count);

#endif
