/*
 * The audit inside a result, as reports read it. It is data from a file: a member
 * may be missing or of another kind, and is then an empty text.
 */
#ifndef VT_REPORT_AUDITED_H
#define VT_REPORT_AUDITED_H

#include "report/table.h"

/* Results of several machines: the first that was audited speaks. NULL: none was. */
const struct vt_result *vt_audited_find(const struct vt_table *table);

/* A text member of an object of the audit; never NULL. The document's. */
const char *vt_audited_word(const json_t *object, const char *key);

/* The trial an instruction is judged by: the first of its own outcome; NULL: none. */
const json_t *vt_audited_trial(const json_t *instruction);

/* Number i of the instructions that ring 3 executed unnoticed, NULL behind the last. */
const json_t *vt_audited_silent(const struct vt_result *result, size_t i);

/* The conclusion, one paragraph. The document's. */
const char *vt_audited_verdict(const struct vt_result *result);

#endif
