/*
 * Values of a document by dotted keys.
 */
#ifndef VT_RESULT_PATH_H
#define VT_RESULT_PATH_H

#include <jansson.h>

/*
 * The value at `path` ("cpu.brand"); NULL where there is none. The last key may have dots in it, as names of
 * module parameters do. It stays the document's.
 */
const json_t *vt_result_at(const json_t *document, const char *path);

#endif
