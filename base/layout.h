/*
 * Where the kernel puts a program's code, stacks and mappings. By default anew in
 * every process, and what depends on it - which addresses share a line of a
 * predictor or a 4 KiB offset - then costs a little more or less in the whole of a
 * run: two runs of one machine differ by several per cent in a few cases.
 */
#ifndef VT_BASE_LAYOUT_H
#define VT_BASE_LAYOUT_H

#include <stdbool.h>

/*
 * Start this program again with the same layout as every time (personality(2),
 * ADDR_NO_RANDOMIZE), once. Returns where that is already so, and where it is not
 * allowed, as in some containers.
 */
void vt_layout_fix(char **arguments);

/* Is the layout the same in every run? */
bool vt_layout_is_fixed(void);

#endif
