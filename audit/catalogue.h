/*
 * The trials: one row per instruction and situation. A row says what to execute, with
 * which inputs, and how to read what comes back; the outcome is never in it.
 */
#ifndef VT_AUDIT_CATALOGUE_H
#define VT_AUDIT_CATALOGUE_H

#include "audit/finding.h"

const struct vt_audit_trial *vt_audit_trials(size_t *count);

#endif
