/*
 * What stood in the way of clean numbers: conditions of the host and of the run,
 * as sentences for people. Decided from the documents alone, so that a result
 * measured elsewhere can be judged as well.
 */
#ifndef VT_RESULT_HYGIENE_H
#define VT_RESULT_HYGIENE_H

#include <jansson.h>

/*
 * A new array of strings, empty when nothing is known to be wrong. `host` is a
 * probe document, `settings` those of a result; either may be NULL. What is
 * unknown raises no warning.
 */
json_t *vt_hygiene_warnings(const json_t *host, const json_t *settings);

/* Add to such an array what is to be said of this program's own build, if anything. */
void vt_hygiene_warn_of_build(json_t *warnings);

#endif
