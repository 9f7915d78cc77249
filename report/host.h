/*
 * The probe document as people read it: labelled facts, and the verdict's sentences.
 */
#ifndef VT_REPORT_HOST_H
#define VT_REPORT_HOST_H

#include "report/result.h"

#include <stddef.h>

struct vt_fact {
    const char *label;
    char text[256];
};

enum { VT_FACTS = 16 };

/* What is known, most important first; returns how many. */
size_t vt_host_facts(const struct vt_result *result, struct vt_fact list[VT_FACTS]);

/* Sentences of the verdict; returns how many, at most `room`. The host's. */
size_t vt_host_verdict(const struct vt_result *result, const char **sentences, size_t room);

#endif
