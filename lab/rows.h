/*
 * Rows that a machine has measured before a later row ended it, put where the document of the next run has
 * room for them. Owns: matching them. What is in them is judged where documents are loaded (result/load).
 */
#ifndef VT_LAB_ROWS_H
#define VT_LAB_ROWS_H

#include <stddef.h>

/*
 * In the document of *size bytes each row that is said to be measured before (VT_MADE_BEFORE, bench/runner.h)
 * becomes the row of the same operation in `rows`, documents one after another. *document is then another
 * text, still the caller's. What is no document, and a row that has none, stays as it is. 0 or -ENOMEM.
 */
int vt_lab_rows_put_back(char **document, size_t *size, const char *rows, size_t rows_size);

#endif
