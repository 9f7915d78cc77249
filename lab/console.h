/* What a machine said on its console, in the few words that fit into one line of an error. */
#ifndef VT_LAB_CONSOLE_H
#define VT_LAB_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

/* Holds `console` a line with `panic`, and that line's end? False while the machine still writes it. */
bool vt_console_has_panicked(const char *console, const char *panic);

/*
 * The panic with what led to it: the oops before it and where that was (Linux), the line after it (Xen).
 * Without one, or with `panic` NULL, the last three lines. Times and "(XEN)" in front of lines are left out.
 */
void vt_console_quote(const char *console, const char *panic, char *text, size_t size);

#endif
