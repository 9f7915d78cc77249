/*
 * The translator at ring 0: the guest's kernel runs at ring 3 as what the translator makes of it, and leaves
 * it by SYSCALL where the emulator must help.
 *
 * Owns: one translator, its platform and places. Does not own: translating (translate/), which cases run and
 * how often (translate_road.c).
 */
#ifndef VT_MONITOR_TRANSLATOR_H
#define VT_MONITOR_TRANSLATOR_H

#include "monitor/monitor.h"
#include "translate/translate.h"

/* NULL, or why there is none here. */
const char *vt_translator_open(void);

/* The code the guest runs from now on is another: forget what was learned of it. */
void vt_translator_forget(void);

/* Count sensitive instructions done inline in the runs that follow? */
void vt_translator_count(bool on);

/* Run a twin in the prepared guest (vt_monitor_prepare). Afterwards the image's own world is back. */
enum vt_monitor_end vt_translator_run(vt_case_function function, uint64_t iterations);

/* Totals since it was opened. */
struct vt_translate_counts vt_translator_counts(void);

#endif
