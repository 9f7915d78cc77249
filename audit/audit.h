/*
 * The audit: can this CPU, as it is set up, be virtualized by trap and emulate alone?
 *
 *     struct vt_audit audit;
 *     if (vt_audit_run(&audit, &error) < 0) ...
 *     json_t *document = vt_audit_json(&audit);
 *
 * Popek and Goldberg (CACM 17(7), 1974): it can when every sensitive instruction
 * traps outside ring 0. Every finding comes from executing the instruction at ring 3
 * in a child process; the table of trials holds the code, what it means and where the
 * manuals describe it, never what will happen.
 *
 * Owns: trials, their execution and what follows from what was seen. Does not own:
 * how long the instructions take (bench/), how the document is shown (cli/, report/).
 */
#ifndef VT_AUDIT_AUDIT_H
#define VT_AUDIT_AUDIT_H

#include "audit/finding.h"
#include "base/error.h"

#include <jansson.h>

#define VT_AUDIT_SCHEMA "vmtoll.audit/1"

/* Fill `audit`; on failure it holds nothing to free. */
int vt_audit_run(struct vt_audit *audit, struct vt_error *error);

void vt_audit_free(struct vt_audit *audit);

/* The document, schema VT_AUDIT_SCHEMA (docs/schema/audit.schema.json); NULL: memory is out. */
json_t *vt_audit_json(const struct vt_audit *audit);

/* The guest kernel whose expectations `expected` holds, in one sentence. */
const char *vt_audit_guest_text(void);

const char *vt_audit_group_name(enum vt_audit_group group);
const char *vt_audit_group_title(enum vt_audit_group group);
const char *vt_audit_outcome_name(enum vt_audit_outcome outcome);
const char *vt_audit_outcome_text(enum vt_audit_outcome outcome);
const char *vt_audit_state_name(enum vt_audit_state state);

#endif
