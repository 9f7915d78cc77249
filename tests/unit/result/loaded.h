/* A result for tests from the text of one document. */
#ifndef VT_TESTS_RESULT_LOADED_H
#define VT_TESTS_RESULT_LOADED_H

#include "base/error.h"
#include "result/result.h"

/* Of several the last, the caller's to free; NULL where none could be read. What vt_result_load_memory()
 * returns. */
int vt_test_load(const char *text, struct vt_result **result, struct vt_error *error);

#endif
