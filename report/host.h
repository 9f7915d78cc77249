/*
 * The probe document as people read it: labelled facts, and the verdict's sentences.
 */
#ifndef VT_REPORT_HOST_H
#define VT_REPORT_HOST_H

#include "result/result.h"

#include <stddef.h>

struct vt_fact {
    const char *label;
    char text[256];
};

enum { VT_FACTS = 16 };

/* What is known, most important first; returns how many. */
size_t vt_host_facts(const struct vt_result *result, struct vt_fact list[VT_FACTS]);

/* A question a person has, and the machine's answer. Every text is the host's; all but `text` may be NULL. */
struct vt_verdict {
    const char *question, *answer, *text, *fix;
};

enum { VT_VERDICTS = 12 };

/* Returns how many. */
size_t vt_host_verdict(const struct vt_result *result, struct vt_verdict verdicts[VT_VERDICTS]);

/* Warnings of the run about its own conditions; returns how many, at most `room`. The settings'. */
size_t vt_host_warnings(const struct vt_result *result, const char **warnings, size_t room);

#endif
