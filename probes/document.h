/*
 * The probe document while it is built: values by dotted path, each with the
 * evidence behind it, or null with the reason why it cannot be known.
 *
 * Top level of the document: the sections, and two maps from path to text,
 * `evidence` and `unknown`. A null of the document always has its entry in
 * `unknown`. Without memory a value is simply missing; nothing else breaks.
 */
#ifndef VT_PROBES_DOCUMENT_H
#define VT_PROBES_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>

/* A new document with its schema; NULL without memory. The caller's. */
json_t *vt_document_new(void);

/* Set the value at "section.key…"; objects on the way are made. Takes `value` over. `evidence` may be NULL.
 */
void vt_document_put(json_t *document, const char *path, json_t *value, const char *evidence);

/* Set null, and say why. */
void vt_document_unknown(json_t *document, const char *path, const char *reason);

/* The value at a path, or NULL. Borrowed. */
json_t *vt_document_get(const json_t *document, const char *path);

/* Shorthands of get: false and NULL also for null and for what is not there. */
bool vt_document_is_true(const json_t *document, const char *path);
bool vt_document_is_false(const json_t *document, const char *path);
const char *vt_document_text(const json_t *document, const char *path);

/* Why the value at `path` is null; "" when it is not. */
const char *vt_document_reason(const json_t *document, const char *path);

/* "section" + "." + "key" for the functions above; lives until the next call with the same buffer. */
const char *vt_document_path(char buffer[128], const char *section, const char *key);

#endif
