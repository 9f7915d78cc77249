/*
 * What the translator makes of code, and what making costs: for readers, not for measuring.
 */
#ifndef VT_BENCH_ENGINES_TRANSLATE_ACCOUNT_H
#define VT_BENCH_ENGINES_TRANSLATE_ACCOUNT_H

#include <jansson.h>

/*
 * {"cases": [{"case", "instructions": [{"text", "bytes", "copied", "host": [{"text", "bytes"}]}]}],
 *  "cost": {"instructions", "blocks", "guest_bytes", "host_bytes", "ns"}}
 *
 * Of some cases the loop as it stands and as it was translated here, disassembled (Zydis, Intel syntax).
 * "cost": all bodies translated for the first time; counts by the translator, the time the least of several
 * rounds. A new value; NULL where the translator cannot work here, or memory is out.
 */
json_t *vt_translate_account(void);

#endif
