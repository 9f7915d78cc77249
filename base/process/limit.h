/*
 * The limits a shell sets on this process (ulimit), where one of them is why something failed.
 */
#ifndef VT_BASE_PROCESS_LIMIT_H
#define VT_BASE_PROCESS_LIMIT_H

#include <stddef.h>

/*
 * What to do about an errno of making something: "raise the limit on virtual memory: ulimit -v 800000", with
 * room for `more` bytes besides what is mapped now; "" where no limit of this process explains it. Returns
 * `text`.
 */
const char *vt_limit_advice(int number, size_t more, char *text, size_t size);

#endif
